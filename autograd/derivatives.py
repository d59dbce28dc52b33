"""The table: every operation of NumPy beside its derivative.

    op(function, one rule for each argument)        rule = lambda g, y, *arguments: the gradient sent to that argument

g arrives, y is the result, then come the arguments. Rules never mention broadcasting, and use only registered
functions, so that they can be differentiated themselves. Products stand in `products.py`, matrices in `linalg.py`; what
NumPy composes is composed in `composed.py`.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from .operations import call, numpys_name, op, structural, table
from .tensor import Tensor, untracked

ln2, ln10 = math.log(2), math.log(10)  # Python's floats, as everywhere in rules: NumPy's would make float32 float64

# ---- arithmetic ---------------------------------------------------------------------------------------------------

op(np.add,         lambda g, y, a, b: g,                     lambda g, y, a, b: g,              symbol="+")
op(np.subtract,    lambda g, y, a, b: g,                     lambda g, y, a, b: -g,             symbol="−")
op(np.multiply,    lambda g, y, a, b: g * b,                 lambda g, y, a, b: g * a,          symbol="×")
op(np.divide,      lambda g, y, a, b: g / b,                 lambda g, y, a, b: -g * y / b,     symbol="÷", on=(0.5, 2))
op(np.power,       lambda g, y, a, b: g * slope(a, b), lambda g, y, a, b: g * y * log(a, b), symbol="^", on=(0.5, 2))
op(np.float_power, lambda g, y, a, b: g * slope(a, b), lambda g, y, a, b: g * y * log(a, b), symbol="^", on=(0.5, 2))
op(np.remainder,   lambda g, y, a, b: g,                     lambda g, y, a, b: -g * (a // b),  symbol="%", on=(0.5, 2))
op(np.fmod,        lambda g, y, a, b: g,                     lambda g, y, a, b: -g * np.trunc(a / b),       on=(0.5, 2))

op(np.negative,    lambda g, y, x: -g,                        symbol="−")
op(np.positive,    lambda g, y, x: g,                         symbol="+")
op(np.absolute,    lambda g, y, x: g * np.sign(x),            symbol="|x|")
op(np.fabs,        lambda g, y, x: g * np.sign(x),            symbol="|x|")
op(np.square,      lambda g, y, x: 2 * g * x,                 symbol="x²")
op(np.sqrt,        lambda g, y, x: g / (2 * y),               symbol="√",     on=(0.2, 2))
op(np.cbrt,        lambda g, y, x: g / (3 * y * y),           symbol="∛",     on=(0.2, 2))
op(np.reciprocal,  lambda g, y, x: -g * y * y,                symbol="1/x",   on=(0.5, 2))


def slope(a, b):
    """∂(a^b)/∂a = b a^(b−1), and 0 where b = 0, even at a = 0."""
    if isinstance(b, (int, float)):
        return b * a ** (b - 1) if b else np.zeros_like(a)
    flat = np.logical_and(b == 0, ~(abs(a) >= np.finfo(a.dtype).tiny))  # where a⁻¹ is infinite or NaN, but 0 a⁻¹ is 0
    return b * np.where(flat, 0, a) ** np.where(flat, 1, b - 1.0)  # b − 1 of an unsigned 0 would be huge


def log(a, b):
    """log a, with which a^b grows in b; 0 at a = 0 and b ≥ 0, where it does not grow."""
    return np.log(np.where(np.logical_and(a == 0, b >= 0), 1, a))


# ---- elementary functions -----------------------------------------------------------------------------------------

op(np.exp,     lambda g, y, x: g * y)
op(np.exp2,    lambda g, y, x: g * y * ln2)
op(np.expm1,   lambda g, y, x: g * (y + 1))
op(np.log,     lambda g, y, x: g / x,                           on=(0.2, 2))
op(np.log2,    lambda g, y, x: g / x / ln2,                     on=(0.2, 2))
op(np.log10,   lambda g, y, x: g / x / ln10,                    on=(0.2, 2))
op(np.log1p,   lambda g, y, x: g / (1 + x),                     on=(-0.5, 2))

op(np.sin,     lambda g, y, x:  g * np.cos(x))
op(np.cos,     lambda g, y, x: -g * np.sin(x))
op(np.tan,     lambda g, y, x:  g * (1 + y * y),                on=(-1, 1))
op(np.arcsin,  lambda g, y, x:  g / np.sqrt((1 - x) * (1 + x)), on=(-0.9, 0.9))
op(np.arccos,  lambda g, y, x: -g / np.sqrt((1 - x) * (1 + x)), on=(-0.9, 0.9))
op(np.arctan,  lambda g, y, x:  g / np.hypot(x, 1) / np.hypot(x, 1))  # 1 + x² would overflow
op(np.sinh,    lambda g, y, x:  g * np.cosh(x))
op(np.cosh,    lambda g, y, x:  g * np.sinh(x))
op(np.tanh,    lambda g, y, x:  g * (1 - y * y))
op(np.arcsinh, lambda g, y, x:  g / np.hypot(x, 1))
op(np.arccosh, lambda g, y, x:  g / np.sqrt(x - 1) / np.sqrt(x + 1), on=(1.2, 3))
op(np.arctanh, lambda g, y, x:  g / ((1 - x) * (1 + x)),        on=(-0.9, 0.9))
op(np.sinc,    lambda g, y, x:  g * sinc_slope(x, y),           at=[call((3, 4)), call(np.array([0.0, 0.05, -1e-3]))])

op(np.deg2rad, lambda g, y, x: np.deg2rad(g))
op(np.radians, lambda g, y, x: np.deg2rad(g))
op(np.rad2deg, lambda g, y, x: np.rad2deg(g))
op(np.degrees, lambda g, y, x: np.rad2deg(g))

op(np.hypot,      lambda g, y, a, b: g * a / y,                 lambda g, y, a, b: g * b / y,               on=(0.2, 2))
op(np.arctan2,    lambda g, y, a, b: g * turn(b, a, b),         lambda g, y, a, b: -g * turn(a, a, b),      on=(0.2, 2))
op(np.logaddexp,  lambda g, y, a, b: g * softer(a, b),          lambda g, y, a, b: g * softer(b, a))
op(np.logaddexp2, lambda g, y, a, b: g * softer2(a, b),         lambda g, y, a, b: g * softer2(b, a))


def softer(a, b):
    """exp(a) / (exp(a) + exp(b)), without overflow."""
    return np.exp(-np.logaddexp(0, b - a))


def softer2(a, b):
    """2ᵃ / (2ᵃ + 2ᵇ), without overflow."""
    return np.exp2(-np.logaddexp2(0, b - a))


def over(a, b):
    """a / b, and 0 where b is 0."""
    return a * (b != 0) / (b + (b == 0))


def turn(x, a, b):
    """x / (a² + b²), and 0 where a = b = 0. The squares would overflow; halves keep even their root from it."""
    zero = np.logical_and(a == 0, b == 0)
    h = np.hypot(np.where(zero, 1, a * 0.5), b * 0.5)
    return np.where(zero, 0, x * 0.25 / h / h)


def sinc_slope(x, y):
    """(cos πx − sinc x) / x, but near 0, where that cancels, its power series: right to every order at 0 itself."""
    near = np.abs(x) < 0.1
    small, large = np.where(near, x, 0), np.where(near, 1, x)
    series = sum((-math.pi**2) ** n * 2 * n / math.factorial(2 * n + 1) * small ** (2 * n - 1) for n in range(1, 8))
    return np.where(near, series, (np.cos(math.pi * x) - y) / large)


# ---- steps: flat wherever they have a derivative ------------------------------------------------------------------

op(np.sign,         lambda g, y, x: np.zeros_like(x))
op(np.floor,        lambda g, y, x: np.zeros_like(x),               symbol="⌊x⌋")
op(np.ceil,         lambda g, y, x: np.zeros_like(x),               symbol="⌈x⌉")
op(np.trunc,        lambda g, y, x: np.zeros_like(x))
op(np.rint,         lambda g, y, x: np.zeros_like(x))
op(np.round,        lambda g, y, x, decimals=0: np.zeros_like(x),   at=[call((3, 4)), call((3,), decimals=1)])
op(np.floor_divide, lambda g, y, a, b: np.zeros_like(y), lambda g, y, a, b: np.zeros_like(y),  on=(0.5, 2), symbol="//")

# ---- choosing -----------------------------------------------------------------------------------------------------

op(np.maximum, lambda g, y, a, b: share(g, y, a, b),            lambda g, y, a, b: share(g, y, b, a))
op(np.minimum, lambda g, y, a, b: share(g, y, a, b),            lambda g, y, a, b: share(g, y, b, a))
op(np.fmax,    lambda g, y, a, b: share(g, y, a, b),            lambda g, y, a, b: share(g, y, b, a))
op(np.fmin,    lambda g, y, a, b: share(g, y, a, b),            lambda g, y, a, b: share(g, y, b, a))

op(np.where, None, lambda g, y, c, a, b: np.where(c, g, 0),     lambda g, y, c, a, b: np.where(c, 0, g),
   at=[call(np.array([True, False, True]), (3,), (2, 3)), call(np.array([[True], [False]]), (), (3,))])
op(np.nan_to_num,  lambda g, y, x, nan=0.0, posinf=None, neginf=None: g * np.isfinite(x), at=[call((3, 4))])


def share(g, y, a, b):
    """What of g goes to a, if y is the larger or the smaller of a and b: all, nothing, or in a tie half.

    Where y is NaN, all goes to both, as in PyTorch.
    """
    return np.where(a == b, g / 2, g * (b != y))


def clip(x, low, high):
    """x, but low where it is less, then high where that is more; None is no bound."""
    return np.clip(x, low, high)


clip = op(
    clip,
    lambda g, y, x, low, high: g * np.logical_and(low is None or x >= low, high is None or x <= high),
    lambda g, y, x, low, high: g * np.logical_and(x < low, high is None or low < high),
    lambda g, y, x, low, high: g * np.logical_or(x > high, low is not None and high < low),
    at=[call((3, 4), -1.0, 1.0), call((3, 4), (4,), 1.5), call((3, 4), None, (3, 1)), call((3, 4), 0.5, None),
        call((3, 4), (4,), (3, 1))],
)

# ---- reductions, and what undoes them -----------------------------------------------------------------------------

reduced = [call((3, 4)), call((2, 3, 4), axis=(0, -1), keepdims=True), call((2, 3), axis=1), call((2, 3), axis=-2)]
spread = [*reduced, call((2, 3, 4), axis=(0, 2), ddof=1)]
along = [call((4,)), call((3, 4)), call((2, 3, 4), axis=1), call((3, 4), axis=-1)]

op(np.broadcast_to, lambda g, y, x, shape: g, at=[call((3, 1), shape=(2, 3, 4)), call((), shape=(3,))])

op(np.sum,     lambda g, y, x, axis=None, keepdims=False:
               np.broadcast_to(keep(g, axis, keepdims), x.shape) if x.ndim else g,               at=reduced, symbol="Σ")
op(np.mean,    lambda g, y, x, axis=None, keepdims=False:
               np.broadcast_to(keep(g / count(x, axis), axis, keepdims), x.shape),               at=reduced)
op(np.var,     lambda g, y, x, axis=None, ddof=0, keepdims=False:
               keep(2 * g / (count(x, axis) - ddof), axis, keepdims) * deviation(x, axis),       at=spread)
op(np.std,     lambda g, y, x, axis=None, ddof=0, keepdims=False:
               keep(over(g, y) / (count(x, axis) - ddof), axis, keepdims) * deviation(x, axis),  at=spread)
op(np.max,     lambda g, y, x, axis=None, keepdims=False: divide_evenly(g, y, x, axis, keepdims), at=reduced)
op(np.min,     lambda g, y, x, axis=None, keepdims=False: divide_evenly(g, y, x, axis, keepdims), at=reduced)
op(np.prod,    lambda g, y, x, axis=None, keepdims=False:
               keep(g * y, axis, keepdims) / x if np.all(x)
               else keep(g, axis, keepdims) * others(x, axis),                                   at=reduced, symbol="Π")
op(np.cumsum,  lambda g, y, x, axis=None: np.reshape(sum_from_end(g, axis), x.shape),            at=along)
op(np.cumprod, lambda g, y, x, axis=None: np.reshape(
               sum_from_end(g * y, axis) / np.reshape(x, y.shape) if np.all(x)
               else others_so_far(g, np.reshape(x, y.shape), axis or 0), x.shape),               at=along)


def keep(g, axis, keepdims):
    """g with the axes that a reduction removed put back at length one."""
    if keepdims or axis is None:
        return g
    if isinstance(axis, int):  # np.expand_dims takes ten times as long
        return g[(slice(None),) * (axis % (g.ndim + 1)) + (None,)]
    return np.expand_dims(g, axis)


def axes_of(x, axis):
    """The axes of x that a reduction over axis removes."""
    return tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)


def count(x, axis):
    """How many elements of x a reduction over axis brings together."""
    return x.size if axis is None else math.prod(x.shape[i] for i in axes_of(x, axis))


def joined(x, axis):
    """x with the axes that a reduction over axis removes joined into one, the last."""
    axes = axes_of(x, axis)
    moved = np.moveaxis(x, axes, range(-len(axes), 0))
    return np.reshape(moved, (*moved.shape[: x.ndim - len(axes)], count(x, axis)))


def deviation(x, axis):
    """How far each element of x is from the mean over axis."""
    return x - np.mean(x, axis, keepdims=True)


def divide_evenly(g, y, x, axis, keepdims):
    """g divided evenly among the elements of x that equal the extreme y."""
    chosen = np.equal(x, keep(y, axis, keepdims)).astype(x.dtype)
    return keep(g, axis, keepdims) * (chosen / np.sum(chosen, axis, keepdims=True))


def sum_from_end(g, axis):
    """For each place, the sum of g there and at all later places."""
    return np.flip(np.cumsum(np.flip(g, axis), axis), axis)


def others(x, axis):
    """For each element of x, the product of all others over axis: of those before it times those after it."""
    flat, axes = joined(x, axis), axes_of(x, axis)
    product = before(flat) * np.flip(before(np.flip(flat, -1)), -1)
    product = np.reshape(product, (*flat.shape[:-1], *(x.shape[i] for i in axes)))
    return np.moveaxis(product, range(-len(axes), 0), axes)


def before(x):
    """For each element of x, the product of those before it on the last axis."""
    return np.cumprod(np.concatenate([np.ones_like(x[..., :1]), x[..., :-1]], -1), -1)


def others_so_far(g, x, axis):
    """Σᵢ gᵢ ∂yᵢ/∂xₖ for y = cumprod(x), where ∂yᵢ/∂xₖ is the product of x₀ … xᵢ without xₖ, and 0 for i < k."""
    x, g = np.moveaxis(x, axis, -1), np.moveaxis(g, axis, -1)
    without = np.cumprod(np.where(np.eye(x.shape[-1], dtype=bool), 1, np.expand_dims(x, -2)), -1)  # (..., k, i)
    return np.moveaxis(np.sum(np.triu(without) * np.expand_dims(g, -2), -1), -1, axis)


# ---- taking, and putting back -------------------------------------------------------------------------------------

def getitem(x, index):
    """x[index], for every index that NumPy knows."""
    return x[index]


def scatter(x, index, shape):
    """Zeros of a shape with x added at index, where what arrives at one place several times is summed."""
    y = np.zeros(shape, x.dtype)
    if unique(index):
        y[index] = x
    else:
        np.add.at(y, index, x)
    return y


def unique(index):
    """Whether an index can name no element twice, as only lists and arrays of integers do."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(np.ndim(i) == 0 or np.asarray(i).dtype == bool for i in parts if not isinstance(i, slice))


def piece(g, i, xs, axis):
    """The part of g that belongs to xs[i], after concatenation along axis."""
    if axis is None:
        start = sum(np.size(x) for x in xs[:i])
        return np.reshape(g[start : start + np.size(xs[i])], np.shape(xs[i]))
    start = sum(np.shape(x)[axis] for x in xs[:i])
    return g[(slice(None),) * (axis % g.ndim) + (slice(start, start + np.shape(xs[i])[axis]),)]


rows, mask = np.array([[0, 2], [2, 0]]), np.array([[True, False, True], [False, True, True]])

getitem = op(getitem, lambda g, y, x, index: scatter(g, index, x.shape), symbol="[ ]", at=[
    call((3, 4), index=1), call((3, 4), index=(slice(None, None, -1), None, 2)), call((3, 4), index=(..., [0, 3, 3])),
    call((3, 4), index=rows), call((2, 3), index=mask), call((3, 4, 2), index=(rows, slice(1, 3), rows % 2))])
scatter = op(scatter, lambda g, y, x, index, shape: g[index], at=[
    call((2, 3), index=rows[0], shape=(3, 3)), call((2,), index=1, shape=(3, 2)), call((4,), index=mask, shape=(2, 3))])

op(np.concatenate, each=lambda g, y, i, *xs, axis=0: piece(g, i, xs, axis), at=[
    call([(2, 3), (1, 3)]), call([(2, 3), (2, 1), (2, 2)], axis=-1), call([(2, 3), (4,)], axis=None)])
op(np.stack,       each=lambda g, y, i, *xs, axis=0: np.take(g, i, axis), at=[
    call([(3,), (3,)]), call([(2, 3), (2, 3), (2, 3)], axis=-1)])

# ---- shape --------------------------------------------------------------------------------------------------------

def reshape(x, shape, order="C", copy=None):  # the rule knows neither: no other values
    """x with its elements, in order, in another shape."""
    return np.reshape(x, shape)


reshape = op(reshape,  lambda g, y, x, shape: np.reshape(g, x.shape), at=[
    call((3, 4), [2, -1]), call((2, 3), 6), call((), [1, 1])])
table[np.reshape] = table[reshape]  # NumPy 2.0 and 2.1 do not agree on the name of its argument

op(np.expand_dims,     lambda g, y, x, axis: np.reshape(g, x.shape), at=[
    call((3, 4), axis=(0, 2)), call((3,), axis=-1)])
op(np.squeeze,         lambda g, y, x, axis=None: np.reshape(g, x.shape), at=[
    call((3, 1, 4, 1)), call((1, 3, 1), axis=0)])
op(np.transpose,       lambda g, y, x, axes=None: np.transpose(g, inverse(axes)), symbol="ᵀ", at=[
    call((3, 4)), call((2, 3, 4), axes=(1, 2, 0)), call((2, 3, 4), axes=(-1, 0, 1))])
op(np.swapaxes,        lambda g, y, x, axis1, axis2: np.swapaxes(g, axis1, axis2), at=[
    call((2, 3, 4), axis1=0, axis2=-1)])
op(np.moveaxis,        lambda g, y, x, source, destination: np.moveaxis(g, destination, source), at=[
    call((2, 3, 4), source=0, destination=-1), call((2, 3, 4), source=(0, 1), destination=(1, 2))])
op(np.flip,            lambda g, y, x, axis=None: np.flip(g, axis), at=[
    call((3, 4)), call((3, 4), axis=1)])
op(np.roll,            lambda g, y, x, shift, axis=None: np.roll(g, np.negative(shift), axis), at=[
    call((3, 4), shift=5), call((3, 4), shift=(1, -2), axis=(0, 1))])
op(np.rot90,           lambda g, y, x, k=1, axes=(0, 1): np.rot90(g, -k, axes), at=[
    call((3, 4)), call((2, 3, 4), k=3, axes=(2, 0))])
op(np.tril,            lambda g, y, x, k=0: np.tril(g, k), at=[call((3, 4)), call((2, 3, 3), k=-1)])
op(np.triu,            lambda g, y, x, k=0: np.triu(g, k), at=[call((3, 4)), call((2, 3, 3), k=1)])
op(np.copy,            lambda g, y, x: g, at=[call((3,))])


def inverse(axes):
    """The permutation that undoes one of axes; None, which stands for reversing them, undoes itself."""
    return None if axes is None else np.argsort(normalize_axis_tuple(axes, len(axes)))


def astype(x, dtype):
    """x with its elements as another floating dtype."""
    return x.astype(dtype)


astype = op(astype,    lambda g, y, x, dtype: g, at=[call((3,), dtype=np.float64)])  # the engine gives g the dtype of x

# ---- plain results: on shapes, dtypes, places and truth, where nothing can be differentiated -------------------------

structural |= {
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not, np.any, np.all,
    np.isnan, np.isfinite, np.isinf, np.isneginf, np.isposinf, np.signbit, np.isreal, np.iscomplex,
    np.isclose, np.allclose, np.array_equal, np.array_equiv, np.isin,
    np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.argpartition, np.lexsort,
    np.argwhere, np.nonzero, np.flatnonzero, np.count_nonzero, np.searchsorted, np.digitize, np.linalg.matrix_rank,
    np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like,
    np.result_type, np.can_cast, np.min_scalar_type, np.common_type, np.iscomplexobj, np.isrealobj,
    np.may_share_memory, np.shares_memory, np.array_repr, np.array_str, np.array2string, np.einsum_path,
}  # fmt: skip

# ---- methods that the table does not attach -----------------------------------------------------------------------

def method(function):
    """What makes function a method of Tensor."""
    @functools.wraps(function, updated=())
    def called(self, *args, **kwargs):
        if remedy := numpys_name(kwargs):
            raise TypeError(f"{function.__name__} of a Tensor takes NumPy's keywords. {remedy}")
        return function(self, *args, **kwargs)

    return called


def converted(self, dtype, copy=True):
    """The values in another dtype, always as a new Tensor."""
    return astype(self, dtype)


plain = {f.__name__: method(f) for f in (np.any, np.all, np.argmax, np.argmin, np.argsort, np.nonzero)}
ours = {
    "__getitem__": lambda self, index: table[getitem](self, index=untracked(index, None)),
    "__round__":   lambda self, decimals=0: np.round(self, decimals),
    "__divmod__":  lambda self, other: np.divmod(self, other),
    "__rdivmod__": lambda self, other: np.divmod(other, self),
    "astype":      method(converted),
    "mT":          property(method(np.matrix_transpose), doc="The last two axes exchanged."),
}
for name, attribute in {**plain, **ours}.items():
    setattr(Tensor, name, attribute)
