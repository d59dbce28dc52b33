"""Data come in the batches that were asked for, in an order that can be repeated; augmentation keeps what it should."""

import numpy as np
import pytest

from autograd import Tensor
from nn import data
from nn.random import manual_seed

X, Y = np.arange(20.0).reshape(10, 2), np.arange(10)
DATASET = data.TensorDataset(X, Y)


def seeded(seed=0):
    return np.random.default_rng(seed)


# ---- datasets and loaders -------------------------------------------------------------------------------------------


def test_a_dataset_gives_samples_as_tuples():
    x, y = DATASET[3]
    assert np.array_equal(x, [6, 7])
    assert y == 3
    assert len(DATASET) == 10


def test_tensors_are_data_too_unless_they_learn():
    assert data.TensorDataset(Tensor([1.0, 2.0]))[1] == (2.0,)
    with pytest.raises(TypeError, match="requires grad"):
        data.TensorDataset(Tensor([1.0], requires_grad=True))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [((X, Y[:9]), "of one length"), ((X, np.float64(1)), "of one length"), ((), "at least one array")],
)
def test_arrays_of_other_lengths_are_refused_and_none_at_all(arrays, message):
    with pytest.raises(ValueError, match=message):
        data.TensorDataset(*arrays)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [1, 3, 5, 10, 11])
def test_an_epoch_has_every_sample_once_in_batches_of_the_size(batch_size, shuffle, drop_last):
    loader = data.DataLoader(DATASET, batch_size, shuffle, drop_last=drop_last)
    batches = list(loader)
    assert len(batches) == len(loader)
    sizes = [len(y) for _, y in batches]
    seen = 10 // batch_size * batch_size if drop_last else 10
    assert sum(sizes) == seen
    assert all(size == batch_size for size in sizes[: 10 // batch_size])
    labels = np.concatenate([y for _, y in batches]) if batches else Y[:0]
    assert len(set(labels)) == seen
    assert all(np.array_equal(x, X[y]) for x, y in batches)
    assert shuffle or np.array_equal(labels, Y[:seen])


def test_batches_are_copies():
    x, _ = next(iter(data.DataLoader(DATASET, 10)))
    x[:] = 0
    assert X[1, 1] == 3


def order(loader):
    return [int(y[0]) for _, y in loader]


def test_the_order_comes_from_the_generator_and_differs_each_epoch():
    loader = data.DataLoader(DATASET, shuffle=True, generator=seeded())
    again = data.DataLoader(DATASET, shuffle=True, generator=seeded())
    first, second = order(loader), order(loader)
    assert first != second
    assert [order(again), order(again)] == [first, second]


def test_without_a_generator_the_order_comes_from_the_seed_of_all():
    manual_seed(1)
    first = order(data.DataLoader(DATASET, shuffle=True))
    manual_seed(1)
    assert order(data.DataLoader(DATASET, shuffle=True)) == first


def test_anything_with_a_length_and_samples_is_a_dataset():
    class Squares:
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return i, np.array([i, i * i])

    x, y = next(iter(data.DataLoader(Squares(), batch_size=4)))
    assert np.array_equal(x, [0, 1, 2, 3])
    assert np.array_equal(y, [[0, 0], [1, 1], [2, 4], [3, 9]])
    (only,) = next(iter(data.DataLoader(X, batch_size=4)))
    assert np.array_equal(only, X[:4])
    (only,) = next(iter(data.DataLoader([5, 6, 7], batch_size=2)))
    assert np.array_equal(only, [5, 6])


@pytest.mark.parametrize("batch_size", [0, -1, 2.5])
def test_a_batch_size_is_a_whole_number(batch_size):
    with pytest.raises(ValueError, match="at least 1, but got"):
        data.DataLoader(DATASET, batch_size)


def test_what_is_no_dataset_is_refused():
    with pytest.raises(TypeError, match=r"takes a dataset, such as TensorDataset\(x, y\), not int"):
        data.DataLoader(7)


# ---- splitting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [([7, 3], [7, 3]), ([0.75, 0.25], [8, 2]), ([1 / 3] * 3, [4, 3, 3]), ([1.0], [10]), ([10, 0], [10, 0])],
)
def test_a_split_has_every_sample_once(lengths, sizes):
    parts = data.random_split(DATASET, lengths, seeded())
    assert [len(part) for part in parts] == sizes
    assert sorted(int(part[i][1]) for part in parts for i in range(len(part))) == list(range(10))
    assert [list(p.indices) for p in parts] == [list(p.indices) for p in data.random_split(DATASET, lengths, seeded())]


def test_fractions_become_pytorchs_lengths():
    torch = pytest.importorskip("torch")
    for n in (10, 11, 17, 100):
        for fractions in ([0.5, 0.5], [0.7, 0.2, 0.1], [1 / 3] * 3):
            theirs = torch.utils.data.random_split(range(n), fractions)
            assert [len(part) for part in data.random_split(np.arange(n), fractions)] == [len(part) for part in theirs]


def test_parts_load_and_split_again():
    part, _ = data.random_split(DATASET, [6, 4], seeded())
    inner, _ = data.random_split(part, [0.5, 0.5], seeded())
    ((x, y),) = data.DataLoader(inner, batch_size=3)
    assert np.array_equal(x, X[y])
    assert set(y) <= set(part.indices)


@pytest.mark.parametrize("lengths", [[5, 4], [0.5, 0.4], [11, -1]])
def test_a_split_that_leaves_something_over_is_refused(lengths):
    with pytest.raises(ValueError, match="lengths that add up to 10, or fractions to 1"):
        data.random_split(DATASET, lengths)


# ---- augmentation ---------------------------------------------------------------------------------------------------

AUGMENTATIONS = [data.GaussianNoise(0.1, generator=seeded()), data.RandomFlip(generator=seeded()),
                 data.RandomShift(1, generator=seeded()), data.RandomRotation(30, generator=seeded())]  # fmt: skip
IMAGES = seeded().random((6, 5, 4))


def test_every_augmentation_is_tested():
    names = {name for name in data.__all__ if "Random" in name or "Noise" in name}
    assert {type(augment).__name__ for augment in AUGMENTATIONS} == names


@pytest.mark.parametrize("augment", AUGMENTATIONS, ids=lambda augment: type(augment).__name__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(6, 5, 4), (6, 3, 5, 4), (0, 5, 4)])
def test_shape_and_dtype_stay_and_the_images_are_not_touched(augment, shape, dtype):
    images = seeded().random(shape).astype(dtype)
    before = images.copy()
    after = augment(images)
    assert (after.shape, after.dtype) == (shape, dtype)
    assert np.array_equal(images, before)
    assert not len(images) or not np.array_equal(after, images)


@pytest.mark.parametrize("make", [data.GaussianNoise, data.RandomShift, data.RandomRotation, data.RandomFlip])
def test_the_same_generator_gives_the_same_images(make):
    amount = 0.5 if make is data.RandomFlip else 1
    assert np.array_equal(make(amount, generator=seeded())(IMAGES), make(amount, generator=seeded())(IMAGES))


def test_noise_has_the_deviation():
    noise = data.GaussianNoise(0.5, generator=seeded())(np.zeros(100_000))
    assert noise.std() == pytest.approx(0.5, rel=0.02)  # its own standard error is 0.002
    assert noise.mean() == pytest.approx(0, abs=0.01)


def test_a_flip_mirrors_left_and_right():
    assert np.array_equal(data.RandomFlip(1.0)(IMAGES), IMAGES[:, :, ::-1])
    assert np.array_equal(data.RandomFlip(0.0)(IMAGES), IMAGES)


def test_a_shift_moves_whole_images_and_fills():
    shifted = data.RandomShift(2, fill=-1, generator=seeded())(IMAGES)
    padded = np.pad(IMAGES, ((0, 0), (2, 2), (2, 2)), constant_values=-1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 4), axis=(1, 2))
    for image, places in zip(shifted, windows):
        assert (places == image).all(axis=(2, 3)).sum() == 1
    assert np.array_equal(data.RandomShift(0)(IMAGES), IMAGES)


def test_a_rotation_by_nothing_or_by_a_quarter_is_exact(monkeypatch):
    class Most:
        """Draws the largest number that it may."""

        @staticmethod
        def uniform(low, high, size):
            return np.full(size, high)

    square = IMAGES[:, :4]
    assert np.array_equal(data.RandomRotation(0)(square), square)
    monkeypatch.setattr(data, "generator_or_default", lambda generator: Most)
    assert np.array_equal(data.RandomRotation(90)(square), np.rot90(square, axes=(1, 2)))


def test_channels_move_together():
    grey = np.repeat(IMAGES[:, None], 3, axis=1)
    for make in (data.RandomShift, data.RandomRotation):
        after = make(2, generator=seeded())(grey)
        assert np.array_equal(after[:, 0], after[:, 2])


# ---- what would be taken for something else


@pytest.mark.parametrize("indices", [Y > 6, [0.5, 1.7], 3, [[1, 2]]])
def test_a_subset_takes_a_list_of_whole_numbers(indices):
    with pytest.raises(TypeError, match="takes a list of indices, which are whole numbers"):
        data.Subset(DATASET, indices)


def test_a_subset_may_be_empty():
    assert list(data.DataLoader(data.Subset(DATASET, []), 2)) == []


@pytest.mark.parametrize("sample", [{"x": 1.0}, (1.0, None)])
def test_samples_that_make_no_array_are_refused(sample):
    with pytest.raises(TypeError, match=r"this dataset has (a dict|None) in it\. Let __getitem__ return a tuple"):
        next(iter(data.DataLoader([sample, sample], 2)))


@pytest.mark.parametrize("change", [data.RandomFlip(), data.RandomShift(1), data.RandomRotation(10)])
@pytest.mark.parametrize("shape", [(8, 8), (8,)])
def test_images_come_in_batches(change, shape):
    with pytest.raises(ValueError, match=r"Write x\[None\] for one image, x.reshape\(-1, height, width\)"):
        change(np.zeros(shape))


@pytest.mark.parametrize("augment", AUGMENTATIONS, ids=lambda augment: type(augment).__name__)
def test_images_may_be_lists(augment):
    assert augment([[[1.0, 2.0], [3.0, 4.0]]]).shape == (1, 2, 2)
