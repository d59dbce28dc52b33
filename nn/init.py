"""Where weights start: each function fills a tensor in place and returns it.

A weight has shape (n_out, n_in, ...): fan_in = n_in · k numbers go into each output, fan_out = n_out · k come from each
input, where k is the product of further axes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from autograd import Tensor, stamp
from autograd.tensor import make_writable

from .random import generator_or_default

if TYPE_CHECKING:
    from numpy.random import Generator

__all__ = [
    "calculate_gain",
    "constant_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

T = TypeVar("T", Tensor, "np.ndarray[Any, Any]")  # a Tensor or an array, which is filled and returned


def array_of(tensor: Any) -> Any:
    """The array that tensor is or holds, which must be one of floats."""
    array = tensor.data if isinstance(tensor, Tensor) else tensor
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        raise TypeError(
            f"nn.init fills a Tensor or an array of floats in place, not {type(tensor).__name__} {tensor!r}."
        )
    return array


def fill(tensor: T, values: Any) -> T:
    """tensor, with its elements replaced by values."""
    if isinstance(tensor, Tensor):
        make_writable(tensor)
    array_of(tensor)[...] = values
    if isinstance(tensor, Tensor):
        stamp(tensor)
    return tensor


def fans(tensor: Any) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight."""
    shape = array_of(tensor).shape
    if len(shape) < 2:
        raise ValueError(f"fans are those of a weight of shape (n_out, n_in, ...), but this has shape {shape}.")
    n_out, n_in, *rest = shape
    return max(n_in * math.prod(rest), 1), max(n_out * math.prod(rest), 1)  # to divide by; 0 where nothing is filled


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor on a weight's standard deviation that makes up for what the nonlinearity does to it; PyTorch's values.

    param   the negative slope of leaky_relu (0.01 if None)
    """
    slope = 0.01 if param is None else param
    gains = {
        "linear": 1.0,
        "sigmoid": 1.0,
        "tanh": 5 / 3,
        "relu": math.sqrt(2),
        "leaky_relu": math.sqrt(2 / (1 + slope * slope)),
        "selu": 3 / 4,
    }
    if nonlinearity not in gains:
        raise ValueError(f"calculate_gain() knows {', '.join(gains)}; not {nonlinearity!r}.")
    return gains[nonlinearity]


# ---- without chance -----------------------------------------------------------------------------------------------


def constant_(tensor: T, val: float) -> T:
    """Every element val."""
    return fill(tensor, val)


def zeros_(tensor: T) -> T:
    """Every element 0."""
    return fill(tensor, 0)


def ones_(tensor: T) -> T:
    """Every element 1."""
    return fill(tensor, 1)


def eye_(tensor: T) -> T:
    """The identity matrix: 1 on the diagonal, 0 elsewhere."""
    if np.ndim(tensor) != 2:
        raise ValueError(f"eye_() fills a matrix, but this has shape {np.shape(tensor)}.")
    return fill(tensor, np.eye(*np.shape(tensor)))


# ---- by a distribution --------------------------------------------------------------------------------------------


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> T:
    """U(a, b)."""
    return fill(tensor, generator_or_default(generator).uniform(a, b, np.shape(tensor)))


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> T:
    """N(mean, std²)."""
    return fill(tensor, generator_or_default(generator).normal(mean, std, np.shape(tensor)))


def trunc_normal_(
    tensor: T, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Generator | None = None
) -> T:
    """N(mean, std²) given that it lies in [a, b], which are values, not multiples of std.

    Drawn until it fits: from the normal distribution, or, where [a, b] is narrow or far out in a tail, from U(a, b), of
    which z is kept with probability exp((m² − z²) / 2), m being the smallest |z| there.
    """
    if not a < b or std <= 0:
        raise ValueError(f"trunc_normal_() needs a < b and std > 0, not a={a}, b={b}, std={std}.")
    random, shape = generator_or_default(generator), np.shape(tensor)
    low, high = (a - mean) / std, (b - mean) / std
    m = max(low, -high, 0.0)
    narrow = high - low < math.sqrt(2 * math.pi) * math.exp(min(m * m / 2, 700))
    z = np.full(shape, np.nan)
    while not (fits := (low <= z) & (z <= high)).all():
        n = int(z.size - fits.sum())
        if narrow:
            new = random.uniform(low, high, n)
            new[random.random(n) > np.exp((m * m - new * new) / 2)] = np.nan
        else:
            new = random.standard_normal(n)
        z[~fits] = new
    return fill(tensor, np.clip(mean + std * z, a, b))


def orthogonal_(tensor: T, gain: float = 1.0, generator: Generator | None = None) -> T:
    """gain · Q, with orthonormal rows or columns, whichever are fewer, uniform among all such (Saxe et al., 2014).

    Q comes from the QR decomposition of normal numbers; the signs of R's diagonal make it unique, hence uniform.
    """
    if np.ndim(tensor) < 2:
        raise ValueError(f"orthogonal_() fills a matrix, but this has shape {np.shape(tensor)}.")
    rows, *rest = np.shape(tensor)
    normal = generator_or_default(generator).standard_normal((rows, math.prod(rest)))
    wide = normal.shape[0] < normal.shape[1]
    q, r = np.linalg.qr(normal.T if wide else normal)
    q = q * np.sign(np.diag(r))
    return fill(tensor, gain * np.reshape(q.T if wide else q, np.shape(tensor)))


# ---- by the variance that a layer keeps ---------------------------------------------------------------------------


def xavier_uniform_(tensor: T, gain: float = 1.0, generator: Generator | None = None) -> T:
    """U(−l, l) of variance gain² · 2 / (fan_in + fan_out), so l = √3 · std   (Glorot and Bengio, 2010)."""
    bound = math.sqrt(3) * gain * math.sqrt(2 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: T, gain: float = 1.0, generator: Generator | None = None) -> T:
    """N(0, gain² · 2 / (fan_in + fan_out))   (Glorot and Bengio, 2010)."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(fans(tensor))), generator)


def kaiming_uniform_(
    tensor: T,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> T:
    """U(−l, l) of variance gain² / fan, so l = √3 · std   (He et al., 2015); gain = calculate_gain(nonlinearity, a)."""
    bound = math.sqrt(3) * kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: T,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> T:
    """N(0, gain² / fan)   (He et al., 2015); gain = calculate_gain(nonlinearity, a)."""
    return normal_(tensor, 0.0, kaiming_std(tensor, a, mode, nonlinearity), generator)


def kaiming_std(tensor: Any, a: float, mode: str, nonlinearity: str) -> float:
    """gain / √fan."""
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode is 'fan_in' or 'fan_out', not {mode!r}.")
    fan_in, fan_out = fans(tensor)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan_in if mode == "fan_in" else fan_out)
