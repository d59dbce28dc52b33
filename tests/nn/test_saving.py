"""What is saved comes back bit for bit; a crash leaves the old file; a bad file changes nothing."""

import os
import random
import zipfile

import numpy as np
import pytest

import nn
from autograd import Tensor
from nn import CheckpointError, EarlyStopping, load, optim, save, saving

FORMATS = ["npz", "safetensors"]


class Model:
    """Arrays of all kinds under a model's names."""

    def __init__(self, seed=0):
        rng = np.random.default_rng(seed)
        self.arrays = {
            "0.weight": rng.normal(size=(3, 4)).T,  # in Fortran's order
            "0.bias": rng.normal(size=4).astype(np.float32),
            "norm.num_batches_tracked": np.array(seed),
            "file": np.zeros((0, 2)),
        }

    def state_dict(self):
        return {name: array.copy() for name, array in self.arrays.items()}

    def load_state_dict(self, state):
        for name, array in state.items():  # halfway through it notices
            if name not in self.arrays or array.shape != self.arrays[name].shape:
                raise RuntimeError(f"{name} does not fit")
            self.arrays[name] = array.copy()


@pytest.fixture(params=FORMATS)
def path(request, tmp_path):
    if request.param == "safetensors":
        pytest.importorskip("safetensors")
    return tmp_path / f"run.{request.param}"


def same(a, b):
    np.testing.assert_equal(a.state_dict(), b.state_dict())
    return {k: v.dtype for k, v in a.state_dict().items()} == {k: v.dtype for k, v in b.state_dict().items()}


def training(seed=0):
    """A parameter, its optimizer and scheduler, a generator, and what takes one step with them."""
    w, rng = Tensor(np.random.default_rng(seed).normal(size=(2, 3)), requires_grad=True), np.random.default_rng(seed)
    optimizer = optim.Adam([{"params": [w], "weight_decay": 0.1}], amsgrad=True)
    scheduler = optim.lr_scheduler.SequentialLR(
        optimizer, [optim.lr_scheduler.LinearLR(optimizer), optim.lr_scheduler.OneCycleLR(optimizer, 1.0, 50)], [4]
    )

    def step():
        w.grad = rng.normal(size=w.shape)
        optimizer.step()
        scheduler.step()
        return w.data.copy()

    return dict(optimizer=optimizer, scheduler=scheduler, generator=rng), w, step


# ---- there and back -------------------------------------------------------------------------------------------------


def test_a_model_comes_back_bit_for_bit(path):
    model, other = Model(1), Model(2)
    save(path, model=model)
    load(path, model=other)
    assert same(model, other)


@pytest.mark.parametrize("steps", [0, 3, 10])
def test_training_goes_on_bit_for_bit(path, steps):
    objects, w, step = training()
    for _ in range(steps):
        step()
    save(path, **objects, w=w.data)
    rest = [step() for _ in range(5)]
    objects, w, step = training(seed=1)
    w.data = load(path, **objects)["w"]
    assert np.array_equal([step() for _ in range(5)], rest)


def test_plain_values_come_back_from_load(path):
    values = dict(epoch=7, name="xor", done=False, nothing=None, best=float("inf"), losses=[1.5, np.float32(0.25)],
                  nested={"a": (1, np.arange(3)), 5: {"array": "no"}})  # fmt: skip
    save(path, **values)
    expected = {**values, "nested": {"a": [1, np.arange(3)], 5: {"array": "no"}}}  # tuples have become lists
    np.testing.assert_equal(load(path), expected)


def test_arrays_come_back_however_they_lie_in_memory(path):
    array = np.arange(24.0).reshape(4, 6)
    arrays = {"fortran": np.asfortranarray(array), "strided": array[::2, ::-3], "scalar": np.array(1.5)}
    save(path, arrays=arrays)
    np.testing.assert_equal(load(path)["arrays"], arrays)


def test_early_stopping_comes_back_with_its_weights(path):
    model = Model(1)
    stopping, other = EarlyStopping(model), EarlyStopping(Model(2))
    stopping.step(0.5)
    save(path, stopping=stopping)
    load(path, stopping=other)
    other.restore()
    assert same(other.model, model)


def test_one_part_can_be_loaded_alone(path):
    objects, *_ = training()
    model, other = Model(1), Model(2)
    save(path, model=model, **objects)
    load(path, model=other)
    assert same(model, other)


def test_a_path_may_be_text_and_a_link_is_followed(tmp_path):
    target, link = tmp_path / "a.npz", tmp_path / "b.npz"
    save(str(target), epoch=1)
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("no links here")
    save(link, epoch=2)
    assert link.is_symlink()
    assert load(target) == {"epoch": 2}


def network(package=nn):
    layers = [package.Linear(3, 5), package.BatchNorm1d(5), package.ReLU(), package.Dropout(0.2), package.Linear(5, 1)]
    return package.Sequential(*layers)


def test_a_network_with_chance_in_it_goes_on_bit_for_bit(path):
    def started():
        model = network()
        optimizer = optim.AdamW(model.parameters())
        return dict(model=model, optimizer=optimizer, generator=nn.default_generator)

    def train(model, optimizer, generator):
        for x, y in nn.DataLoader(nn.TensorDataset(np.eye(6, 3), np.ones((6, 1))), batch_size=3, shuffle=True):
            optimizer.zero_grad()
            nn.MSELoss()(model(x), y).backward()
            optimizer.step()

    objects = started()
    train(**objects)
    save(path, **objects)
    train(**objects)
    others = started()
    load(path, **others)
    train(**others)
    assert same(objects["model"], others["model"])


# ---- other people's files -------------------------------------------------------------------------------------------


def test_pytorch_users_load_ours_and_we_load_theirs(tmp_path):
    torch = pytest.importorskip("torch")
    theirs = pytest.importorskip("safetensors.torch")
    model = Model(1)
    save(tmp_path / "ours.safetensors", model=model)
    loaded = theirs.load_file(tmp_path / "ours.safetensors")
    np.testing.assert_equal({k: v.numpy() for k, v in loaded.items()}, model.state_dict())

    theirs.save_file({k: torch.from_numpy(v.copy()).contiguous() for k, v in Model(2).arrays.items()},
                     tmp_path / "theirs.safetensors")  # fmt: skip
    load(tmp_path / "theirs.safetensors", model=model)
    assert same(model, Model(2))


def test_a_network_goes_to_pytorch_and_back(tmp_path):
    torch = pytest.importorskip("torch")
    theirs = pytest.importorskip("safetensors.torch")
    path = tmp_path / "network.safetensors"
    save(path, model=network())
    there = network(torch.nn).double()
    there.load_state_dict(theirs.load_file(path))
    there(torch.randn(4, 3, dtype=torch.float64))
    theirs.save_file(there.state_dict(), path)
    here = network()
    load(path, model=here)
    np.testing.assert_equal(here.state_dict(), {k: v.numpy() for k, v in there.state_dict().items()})


def test_numpy_reads_our_npz_and_we_read_numpys(tmp_path):
    model = Model(1)
    save(tmp_path / "ours.npz", model=model)
    with np.load(tmp_path / "ours.npz") as archive:
        assert np.array_equal(archive["0.weight"], model.arrays["0.weight"])
    with open(tmp_path / "theirs.npz", "wb") as file:
        np.savez(file, **{k: v for k, v in Model(2).arrays.items() if k != "file"})
    load(tmp_path / "theirs.npz", model=model)
    assert np.array_equal(model.arrays["0.bias"], Model(2).arrays["0.bias"])


# ---- crashes --------------------------------------------------------------------------------------------------------


class Crash(Exception):
    """The power goes."""


@pytest.mark.parametrize("when", ["write", "fsync", "replace"])
def test_a_crash_while_saving_leaves_the_old_file_whole(path, monkeypatch, when):
    save(path, model=Model(1))
    before = path.read_bytes()

    def crash(*args, **kwargs):
        raise Crash

    def write_half(file, arrays, header):
        file.write_bytes(before[: len(before) // 2])
        raise Crash

    if when == "write":
        monkeypatch.setitem(saving.formats, path.suffix, (write_half, None))
    else:
        monkeypatch.setattr(os, when, crash)
    with pytest.raises(Crash):
        save(path, model=Model(2))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_save_inside_a_save_as_from_a_handler_of_a_signal_leaves_a_whole_file(path, monkeypatch):
    write, read = saving.formats[path.suffix]

    def twice(file, arrays, header):
        with open(file, "wb") as stream:
            monkeypatch.setitem(saving.formats, path.suffix, (write, read))
            save(path, model=Model(1))
            assert same(loaded(), Model(1))
            stream.write(b"unfinished")
            stream.flush()
            assert same(loaded(), Model(1))
        write(file, arrays, header)

    def loaded():
        model = Model(0)
        load(path, model=model)
        return model

    monkeypatch.setitem(saving.formats, path.suffix, (twice, read))
    save(path, model=Model(2))
    assert same(loaded(), Model(2))
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_is_replaced_while_it_is_read_is_the_old_one_or_the_new_one(tmp_path, monkeypatch):
    old, new = tmp_path / "old.npz", tmp_path / "new.npz"
    save(old, model={"weight": np.ones(1000)})
    save(new, model={"weight": np.ones(1)})
    infolist = zipfile.ZipFile.infolist

    def replaced_meanwhile(archive):
        os.replace(new, old)
        return infolist(archive)

    monkeypatch.setattr(zipfile.ZipFile, "infolist", replaced_meanwhile)
    assert load(old)["model"]["weight"].size == 1000


def test_a_full_disk_leaves_the_old_file_whole(path, monkeypatch):
    save(path, model=Model(1))
    before = path.read_bytes()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    if path.suffix == ".safetensors":
        import safetensors.numpy

        monkeypatch.setattr(safetensors.numpy, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        save(path, model=Model(2))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_saved_is_refused_before_anything_is_written(path):
    with pytest.raises(TypeError, match=r"but notes/1 is an object"):
        save(path, notes=["fine", object()])
    with pytest.raises(ValueError, match="both called 'other/w'"):
        save(path, model={"other/w": np.ones(2)}, other={"w": np.ones(2)})
    assert not list(path.parent.iterdir())


# ---- bad files ------------------------------------------------------------------------------------------------------


def refused(path, message="damaged, or is not a checkpoint"):
    """Whether loading this file raises the one error and leaves what it was to fill as it was."""
    objects, *_ = training(seed=1)
    objects["model"] = Model(2)
    before = {name: saving.state_of(thing) for name, thing in objects.items()}
    with pytest.raises(CheckpointError, match=message):
        load(path, **objects)
    np.testing.assert_equal({name: saving.state_of(thing) for name, thing in objects.items()}, before)
    return True


def test_a_file_that_was_cut_off_anywhere_is_refused(path):
    save(path, model=Model(1), **training()[0])
    whole = path.read_bytes()
    for length in [0, 1, 7, 8, 9, 100, *range(200, len(whole) - 1, len(whole) // 40), len(whole) - 1]:
        path.write_bytes(whole[:length])
        assert refused(path)


def test_no_changed_bit_goes_unnoticed(path):
    save(path, model=Model(1), **training()[0])
    whole, states = path.read_bytes(), load(path)
    rng = random.Random(0)
    for _ in range(400):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            np.testing.assert_equal(load(path), states)  # bits that mean nothing, such as a zip's dates
        except CheckpointError:
            pass
        except AssertionError:  # only where the header's own name is gone, and the file seems somebody else's
            assert set(load(path)) == {"model"}
            assert refused(path, "has no")


@pytest.mark.parametrize("content", [b"", b"\x80\x04\x95pickle", b"PK\x03\x04 not quite", b"\xff" * 64, b"{}"])
def test_a_foreign_file_is_refused(path, content):
    path.write_bytes(content)
    assert refused(path)


def test_a_pickle_inside_is_never_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.abort, ()

    path = tmp_path / "trap.npz"
    np.savez(path, w=np.array([Trap()], dtype=object))
    with pytest.raises(CheckpointError, match="allow_pickle"):
        load(path)


def test_a_small_file_cannot_fill_the_memory(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("w.npy", "w") as stream:
        np.lib.format.write_array(stream, np.zeros(1_000_000))
    with pytest.raises(CheckpointError, match="compressed, or it claims"):
        load(path)
    with zipfile.ZipFile(path, "w") as archive, archive.open("w.npy", "w") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (10**15,)})
    with pytest.raises(CheckpointError, match="damaged"):
        load(path)


def test_a_part_that_does_not_fit_puts_all_others_back(path):
    class Picky(Model):
        def load_state_dict(self, state):
            super().load_state_dict(state)
            if state["norm.num_batches_tracked"] == 1:
                raise RuntimeError("too late")

    save(path, model=Model(1), zebra=Model(1), **training()[0])
    w = Tensor(np.zeros((2, 3)), requires_grad=True)
    optimizer = optim.Adam([w])  # which knows nothing of an initial_lr, as no scheduler has been made
    before = optimizer.state_dict()
    model, zebra = Model(2), Picky(3)
    with pytest.raises(CheckpointError, match=r"its zebra does not fit this one; nothing was loaded\. too late"):
        load(path, model=model, optimizer=optimizer, zebra=zebra)
    assert same(model, Model(2))
    assert same(zebra, Model(3))
    np.testing.assert_equal(optimizer.state_dict(), before)


def test_a_generator_of_another_kind_does_not_fit(path):
    save(path, generator=np.random.default_rng(0))
    with pytest.raises(CheckpointError, match="its generator does not fit"):
        load(path, generator=np.random.Generator(np.random.MT19937(0)))


def test_what_is_not_there_is_named(path):
    save(path, model=Model(1), epoch=3)
    with pytest.raises(CheckpointError, match=r"has no optimizer, only model, epoch"):
        load(path, optimizer=training()[0]["optimizer"])


def test_a_number_cannot_be_filled(path):
    save(path, epoch=3)
    with pytest.raises(TypeError, match=r"load\(path\)\['epoch'\]"):
        load(path, epoch=0)


def test_a_missing_file_and_a_strange_name_say_so(path, tmp_path):
    with pytest.raises(FileNotFoundError):
        load(path)
    for function in (save, load):
        with pytest.raises(ValueError, match=r"'run\.pkl' ends in neither"):
            function(tmp_path / "run.pkl")


def test_without_safetensors_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"pip install safetensors.*\.npz"):
        save(tmp_path / "a.safetensors", model=Model())
    assert not list(tmp_path.iterdir())


# ---- what could be written, but not read


@pytest.mark.parametrize("key", [(1, 2), b"bytes"])
def test_keys_that_would_not_come_back_are_refused(path, key):
    with pytest.raises(TypeError, match="a key of options is a"):
        save(path, options={key: 1})
    assert not path.exists()


def test_keys_may_be_numpys_numbers_and_strings(path):
    save(path, options={np.int64(3): "three", np.str_("four"): 4})
    assert load(path)["options"] == {3: "three", "four": 4}


@pytest.mark.parametrize("value", [np.complex64(1), np.datetime64("2020-01-01"), {1, 2}])
def test_values_that_json_lacks_are_refused_by_name(path, value):
    with pytest.raises(TypeError, match=r"numbers and strings, .* but thing is a"):
        save(path, thing=value)


def test_an_array_of_objects_is_refused(path):
    with pytest.raises(TypeError, match="but thing is an array of objects"):
        save(path, thing=np.array([1, None]))


@pytest.mark.parametrize("name", ["glassgrad", "__metadata__", "a\0b"])
def test_names_that_mean_something_else_in_a_file_are_refused(path, name):
    with pytest.raises(ValueError, match="cannot be called"):
        save(path, **{name: np.ones(1)})
    assert not path.exists()


def test_arrays_of_the_other_byte_order_come_back_by_value(path):
    save(path, array=np.array([1.0, 2.0], ">f8"))
    np.testing.assert_array_equal(load(path)["array"], [1.0, 2.0])
