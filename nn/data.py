"""Data in batches. Everything is a plain array; what a batch holds is a tuple of arrays, one for each that was given.

    loader = nn.DataLoader(nn.TensorDataset(x, y), batch_size=32, shuffle=True)
    for x_batch, y_batch in loader:
        ...

batch_size=len(x) is batch descent, batch_size=1 descends by single samples, anything between by mini-batches.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.advice import a

from .random import generator_or_default

if TYPE_CHECKING:
    from numpy.random import Generator

Array = np.ndarray[Any, np.dtype[Any]]

__all__ = [
    "TensorDataset", "Subset", "random_split", "DataLoader",
    "GaussianNoise", "RandomFlip", "RandomShift", "RandomRotation",
]  # fmt: skip


# ---- datasets -------------------------------------------------------------------------------------------------------


class TensorDataset:
    """Arrays of one length, side by side: dataset[i] is the tuple of their rows i, where i is whatever NumPy takes."""

    def __init__(self, *arrays: Any) -> None:
        if not arrays:
            raise ValueError("TensorDataset() takes at least one array.")
        if len(arrays) == 1 and is_columns(arrays[0]):
            raise ValueError("TensorDataset() takes arrays one by one, not in a list: TensorDataset(x, y).")
        self.arrays = tuple(np.asarray(array) for array in arrays)
        shapes = [array.shape for array in self.arrays]
        if () in shapes or len({shape[0] for shape in shapes}) > 1:
            raise ValueError(f"TensorDataset() takes arrays of one length, a sample a row, but got shapes {shapes}.")

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, i: Any) -> tuple[Any, ...]:
        return tuple(array[i] for array in self.arrays)

    def batch(self, indices: Array) -> tuple[Array, ...]:
        """The samples at these indices, as one array for each of ours."""
        return self[indices]


def is_columns(given: Any) -> bool:
    """Whether these are arrays that were meant to be side by side: in a list, and of different shapes."""
    return (
        isinstance(given, (list, tuple))
        and all(isinstance(array, np.ndarray) for array in given)
        and len({array.shape for array in given}) > 1
    )


class Subset:
    """The samples of a dataset at the given indices."""

    def __init__(self, dataset: Any, indices: Any) -> None:
        indices = np.asarray(indices)
        if indices.ndim != 1 or indices.size and indices.dtype.kind not in "iu":
            remedy = " Write np.flatnonzero(mask)." if indices.dtype.kind == "b" else ""
            raise TypeError(
                f"Subset() takes a list of indices, which are whole numbers, but got {indices.dtype} of shape "
                f"{indices.shape}.{remedy}"
            )
        self.dataset, self.indices = dataset, indices.astype(np.intp)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, i: Any) -> Any:
        return self.dataset[self.indices[i]]

    def batch(self, indices: Array) -> tuple[Array, ...]:
        """The samples at these of our indices."""
        return batch(self.dataset, self.indices[indices])


def batch(dataset: Any, indices: Array) -> tuple[Array, ...]:
    """Samples of any dataset as a tuple of arrays: gathered at once if the dataset can, else one by one."""
    if hasattr(dataset, "batch"):
        return dataset.batch(indices)
    if isinstance(dataset, np.ndarray):
        return (dataset[indices],)
    samples = [dataset[int(i)] for i in indices]
    columns = [*zip(*samples)] if isinstance(samples[0], (tuple, list)) else [samples]
    arrays = tuple(np.stack([np.asarray(value) for value in column]) for column in columns)
    for array, column in zip(arrays, columns):
        if array.dtype.hasobject:
            raise TypeError(
                f"A sample is a number, an array, or a tuple of them, but this dataset has {a(column[0])} in it. Let "
                "__getitem__ return a tuple such as (x, y)."
            )
    return arrays


def random_split(dataset: Any, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset]:
    """The samples, shuffled, in parts of the given lengths, or of the given fractions, which add up to 1.

    Fractions are rounded down; what is then left over goes to the first parts, one each.
    """
    n = len(dataset)
    if math.isclose(sum(lengths), 1) and all(0 <= fraction <= 1 for fraction in lengths):
        counts = [math.floor(n * fraction) for fraction in lengths]
        for i in range(n - sum(counts)):
            counts[i % len(counts)] += 1
    else:
        counts = [int(length) for length in lengths]
    if sum(counts) != n or min(counts) < 0:
        raise ValueError(f"random_split() takes lengths that add up to {n}, or fractions to 1, not {lengths}.")
    order = generator_or_default(generator).permutation(n)
    return [Subset(dataset, part) for part in np.split(order, np.cumsum(counts)[:-1])]


class DataLoader:
    """The samples of a dataset in batches, each a tuple of arrays; every `for` over it is one epoch.

    dataset      a TensorDataset, or anything that has a length and gives a sample for an index
    shuffle      a new order every epoch, drawn from generator
    drop_last    leave out the last batch where it would be smaller
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        drop_last: bool = False,
        generator: Generator | None = None,
    ) -> None:
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
            raise TypeError(f"DataLoader() takes a dataset, such as TensorDataset(x, y), not {type(dataset).__name__}.")
        if is_columns(dataset) or not isinstance(batch_size, (int, float, np.number, str)):
            raise TypeError(
                "DataLoader() takes one dataset, and a batch_size after it. For arrays side by side, inputs and their "
                "targets, write DataLoader(TensorDataset(x, y), batch_size)."
            )
        if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise ValueError(f"DataLoader(batch_size=) is a whole number, at least 1, but got {batch_size!r}.")
        self.dataset, self.batch_size, self.shuffle, self.drop_last = dataset, int(batch_size), shuffle, drop_last
        self.generator = generator

    def __len__(self) -> int:
        """How many batches an epoch has."""
        full, rest = divmod(len(self.dataset), self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        n, size = len(self.dataset), self.batch_size
        order = generator_or_default(self.generator).permutation(n) if self.shuffle else np.arange(n)
        return (batch(self.dataset, order[i * size : (i + 1) * size]) for i in range(len(self)))


# ---- augmentation: functions that change every sample of a batch at random ------------------------------------------
#      images are (batch, height, width) or (batch, channels, height, width)


class GaussianNoise:
    """x + ε, with ε normal of standard deviation std, drawn anew for every element."""

    def __init__(self, std: float, generator: Generator | None = None) -> None:
        self.std, self.generator = std, generator

    def __call__(self, x: Array) -> Array:
        x = np.asarray(x)
        noise = generator_or_default(self.generator).standard_normal(x.shape)
        return (x + self.std * noise).astype(x.dtype if x.dtype.kind == "f" else float, copy=False)


class RandomFlip:
    """Each image mirrored left to right, with probability p."""

    def __init__(self, p: float = 0.5, generator: Generator | None = None) -> None:
        self.p, self.generator = p, generator

    def __call__(self, x: Array) -> Array:
        x = images("RandomFlip", x)
        mirrored = generator_or_default(self.generator).random(len(x)) < self.p
        return np.where(mirrored.reshape(-1, *[1] * (x.ndim - 1)), x[..., ::-1], x)


class RandomShift:
    """Each image moved by up to `pixels` whole pixels along both axes; what comes in at the edges is `fill`."""

    def __init__(self, pixels: int, fill: float = 0.0, generator: Generator | None = None) -> None:
        self.pixels, self.fill, self.generator = pixels, fill, generator

    def __call__(self, x: Array) -> Array:
        x = images("RandomShift", x)
        rng = generator_or_default(self.generator)
        dy, dx = rng.integers(-self.pixels, self.pixels + 1, size=(2, len(x), 1, 1))
        rows, columns = pixel_positions(x)
        return sampled(x, rows - dy, columns - dx, self.fill)


class RandomRotation:
    """Each image turned about its centre by up to ±degrees; a pixel is the nearest of the old ones, or `fill`."""

    def __init__(self, degrees: float, fill: float = 0.0, generator: Generator | None = None) -> None:
        self.degrees, self.fill, self.generator = degrees, fill, generator

    def __call__(self, x: Array) -> Array:
        x = images("RandomRotation", x)
        rng = generator_or_default(self.generator)
        angle = np.radians(rng.uniform(-self.degrees, self.degrees, size=(len(x), 1, 1)))
        cos, sin = np.cos(angle), np.sin(angle)
        rows, columns = pixel_positions(x)
        row, column = rows.mean(), columns.mean()  # the centre
        rows, columns = rows - row, columns - column
        return sampled(x, row + cos * rows + sin * columns, column - sin * rows + cos * columns, self.fill)


def images(name: str, x: Any) -> Array:
    """x as an array, if it is a batch of images, not one image, nor images that are flattened."""
    x = np.asarray(x)
    if x.ndim < 3:
        raise ValueError(
            f"{name} takes a batch of images, (batch, height, width) or (batch, channels, height, width), but this has "
            f"shape {x.shape}. Write x[None] for one image, x.reshape(-1, height, width) for flattened ones."
        )
    return x


def pixel_positions(x: Array) -> tuple[Array, Array]:
    """The row and the column of every pixel, as arrays that broadcast to (height, width)."""
    return np.arange(x.shape[-2])[:, None], np.arange(x.shape[-1])[None, :]


def sampled(x: Array, rows: Array, columns: Array, fill: float) -> Array:
    """Images that at every pixel show x's at (rows, columns), rounded, which are (batch, height, width)."""
    height, width = x.shape[-2:]
    rows, columns = np.broadcast_arrays(np.rint(rows).astype(int), np.rint(columns).astype(int))
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    each = len(x), 1, height * width
    pixels = x.reshape(len(x), math.prod(x.shape[1:-2]), height * width)  # (batch, channels, pixels)
    source = np.where(inside, rows * width + columns, 0).reshape(each)
    taken = np.take_along_axis(pixels, source, axis=2)
    return np.where(inside.reshape(each), taken, x.dtype.type(fill)).reshape(x.shape)
