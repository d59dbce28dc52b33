"""What NumPy composes is composed here too, from the operations in `derivatives.py`: derivatives come by themselves.

Every body gives NumPy's own result to the last bit, and takes NumPy's own arguments.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from .derivatives import axes_of, clip, count, joined, scatter
from .operations import call, composed, op, samples, table


def alias(function, *names):
    """Enter other names of a function into the table."""
    for name in names:
        table[name] = table[function]
        if function in samples:
            samples[name] = samples[function]


alias(np.max, np.amax)
alias(np.min, np.amin)
alias(np.round, np.around)

# ---- elementwise --------------------------------------------------------------------------------------------------

composed(np.divmod, at=[call((3, 4), (3, 1))], on=(0.5, 2))(
    lambda x1, x2: (np.floor_divide(x1, x2), np.remainder(x1, x2)))


@composed(np.clip, at=[call((3, 4), -1.0, 1.0), call((3, 4), a_min=0.5, a_max=None), call((3, 4), (4,), 1.5)])
def clipped(a, a_min=None, a_max=None, *, min=None, max=None):
    """a between two bounds, under either of their names."""
    return clip(a, min if a_min is None else a_min, max if a_max is None else a_max)


# ---- reductions ---------------------------------------------------------------------------------------------------

reduced = [call((3, 4)), call((2, 3, 4), axis=(0, -1), keepdims=True), call((2, 3), axis=1)]
matrix = [call((3, 4)), call((2, 3, 3))]


@composed(np.median, at=[*reduced, call((5,)), call((2, 3, 5), axis=-1)])
def median(a, axis=None, *, keepdims=False):
    """The middle element in order, or the mean of the two in the middle.

    NaN if there is one, and the gradient goes to the last of them, not as PyTorch's to the first.
    """
    order = np.sort(joined(a, axis), axis=-1)
    half, odd = divmod(order.shape[-1], 2)
    middle = np.mean(order[..., half - 1 + odd : half + 1], -1)
    if half + odd:
        middle = np.where(np.isnan(order[..., -1]), order[..., -1], middle)  # NaN is last in order
    return np.expand_dims(middle, axes_of(a, axis)) if keepdims else middle


@composed(np.ptp, at=reduced)
def ptp(a, axis=None, *, keepdims=False):
    """The largest element less the smallest."""
    return np.max(a, axis, keepdims=keepdims) - np.min(a, axis, keepdims=keepdims)


@composed(np.trace, at=[*matrix, call((2, 3, 4), offset=1, axis1=2, axis2=0)])
def trace(a, offset=0, axis1=0, axis2=1):
    """The sum of a diagonal."""
    return np.sum(np.diagonal(a, offset, axis1, axis2), -1)


@composed(np.full_like, at=[call((2, 3), ()), call((2, 3), (3,))])
def full_like(a, fill_value):
    """fill_value in the shape and dtype of a."""
    return np.broadcast_to(fill_value, np.shape(a)).astype(a.dtype)


@composed(np.diff, at=[call((4,)), call((3, 4), n=2, axis=0), call((2, 3), prepend=0.5, append=np.ones((2, 2)))])
def diff(a, n=1, axis=-1, prepend=None, append=None):
    """Each element less the one before it along axis, n times over."""
    if n < 0:
        raise ValueError(f"np.diff() takes differences n times, 0 or more, not {n}.")
    if n == 0:
        return a  # without the ends, as in NumPy
    (axis,) = normalize_axis_tuple(axis, np.ndim(a))
    shape = list(np.shape(a))
    shape[axis] = 1
    parts = [x if x is a or np.ndim(x) else np.broadcast_to(x, shape) for x in (prepend, a, append) if x is not None]
    a = np.concatenate(parts, axis)
    for _ in range(n):
        a = along(a, axis, slice(1, None)) - along(a, axis, slice(0, -1))
    return a


# ---- reductions of what is not NaN --------------------------------------------------------------------------------

@composed(np.nansum, at=reduced)
def nansum(a, axis=None, *, keepdims=False):
    return np.sum(known(a, 0), axis, keepdims=keepdims)


@composed(np.nanprod, at=reduced)
def nanprod(a, axis=None, *, keepdims=False):
    return np.prod(known(a, 1), axis, keepdims=keepdims)


@composed(np.nanmean, at=reduced)
def nanmean(a, axis=None, *, keepdims=False):
    """The mean of what is not NaN; where that is nothing, NaN with gradient 0. PyTorch's gradient is NaN there."""
    return nansum(a, axis, keepdims=keepdims) / count_known(a, axis, keepdims)


@composed(np.nanvar, at=reduced)
def nanvar(a, axis=None, *, ddof=0, keepdims=False):
    deviation = np.where(np.isnan(a), 0, a - nanmean(a, axis, keepdims=True))
    freedom = count_known(a, axis, keepdims) - ddof
    return np.sum(deviation * deviation, axis, keepdims=keepdims) / np.where(freedom > 0, freedom, np.nan)


@composed(np.nanstd, at=reduced)
def nanstd(a, axis=None, *, ddof=0, keepdims=False):
    variance = nanvar(a, axis, ddof=ddof, keepdims=keepdims)
    return np.sqrt(np.where(variance == 0, 1, variance)) * (variance != 0)  # as for np.std, the gradient at 0 is 0


@composed(np.nanmax, at=reduced)
def nanmax(a, axis=None, *, keepdims=False):
    return np.max(known(a, -np.inf), axis, keepdims=keepdims) - all_unknown(a, axis, keepdims)  # −0 + 0 would be 0


@composed(np.nanmin, at=reduced)
def nanmin(a, axis=None, *, keepdims=False):
    return np.min(known(a, np.inf), axis, keepdims=keepdims) - all_unknown(a, axis, keepdims)


def known(x, fill):
    """x with fill in place of NaN."""
    return np.where(np.isnan(x), fill, x)


def count_known(x, axis, keepdims):
    """How many elements over axis are not NaN, in x's own dtype if that is floating."""
    n = np.sum(~np.isnan(x), axis, keepdims=keepdims)
    return n.astype(x.dtype) if x.dtype.kind == "f" else n


def all_unknown(x, axis, keepdims):
    """NaN where over axis there is nothing else, and 0 elsewhere."""
    return np.where(np.all(np.isnan(x), axis, keepdims=keepdims), np.nan, 0).astype(x.dtype)


# ---- shape --------------------------------------------------------------------------------------------------------

composed(np.ravel,            at=[call((3, 4))])(lambda a: np.reshape(a, -1))
composed(np.fliplr,           at=[call((3, 4))])(lambda m: np.flip(m, 1))
composed(np.flipud,           at=[call((3, 4))])(lambda m: np.flip(m, 0))
composed(np.matrix_transpose, at=matrix)(lambda x: np.swapaxes(x, -1, -2))

composed(np.atleast_1d, at=[call(()), call((3,), ())])(lambda *arys: each_of(arys, lambda n: n or (1,)))
composed(np.atleast_2d, at=[call(()), call((3,), (3, 4))])(lambda *arys: each_of(arys, row))
composed(np.atleast_3d, at=[call(()), call((3,), (3, 4))])(lambda *arys: each_of(arys, block))


def each_of(arrays, shape):
    """The only array in another shape, which depends on its own; or a tuple of all of them in theirs."""
    changed = tuple(np.reshape(x, shape(np.shape(x))) for x in arrays)
    return changed if len(changed) > 1 else changed[0]


def row(shape):
    """The shape of an array of so many axes, and at least two: a vector becomes a row."""
    return (1,) * (2 - len(shape)) + shape


def block(shape):
    """The shape of an array of so many axes, and at least three: a matrix becomes a stack of columns of length one."""
    return row(shape) + (1,) * (3 - max(len(shape), 2))


@composed(np.broadcast_arrays, at=[call((3, 1), (4,))])
def broadcast_arrays(*args):
    """All arrays in their common shape."""
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(np.broadcast_to(x, shape) for x in args)


@composed(np.tile, at=[call((3,), reps=2), call((2, 3), reps=(2, 1, 2)), call((2, 1, 3), reps=(2,))])
def tile(A, reps):
    """A beside itself, reps[i] times along axis i."""
    reps = (reps,) if np.ndim(reps) == 0 else tuple(reps)
    shape = (1,) * (len(reps) - A.ndim) + A.shape
    reps = (1,) * (A.ndim - len(reps)) + reps
    apart = np.reshape(A, [n for length in shape for n in (1, length)])              # (1, n₀, 1, n₁, ...)
    apart = np.broadcast_to(apart, [n for pair in zip(reps, shape) for n in pair])   # (r₀, n₀, r₁, n₁, ...)
    return np.reshape(apart, [r * n for r, n in zip(reps, shape)])                   # (r₀ n₀, r₁ n₁, ...)


def padded(x, pad_width, constant_values):
    """x with a border of constants."""
    return np.pad(x, pad_width, constant_values=constant_values)


def inside(pad_width, shape):
    """The index of the array of this shape that np.pad put a border around."""
    widths = np.broadcast_to(pad_width, (len(shape), 2)).tolist()
    return tuple(slice(before, before + n) for (before, _), n in zip(widths, shape))


padded = op(padded, lambda g, y, x, pad_width, constant_values: g[inside(pad_width, x.shape)], name="pad", at=[
    call((2, 3), pad_width=((1, 0), (2, 1)), constant_values=1.5)])
borders = ("edge", "reflect", "symmetric", "wrap")


@composed(np.pad, at=[call((2, 3), pad_width=1), *(call((3, 4), pad_width=((1, 2), (0, 2)), mode=m) for m in borders)])
def pad(array, pad_width, mode="constant", *, constant_values=0, **kwargs):
    """array with a border of constants, or of its own elements."""
    if isinstance(pad_width, dict):  # of axes, which may be counted from the end
        widths = {axis % array.ndim: width for axis, width in pad_width.items()}
        pad_width = [np.broadcast_to(widths.get(i, 0), 2).tolist() for i in range(array.ndim)]
    if mode == "constant":
        return padded(array, pad_width, constant_values)
    if mode not in borders:
        raise ValueError(f"np.pad of a Tensor knows the modes constant, {', '.join(borders)}, but not {mode!r}.")
    return np.take(array, np.pad(np.arange(array.size).reshape(array.shape), pad_width, mode, **kwargs))


# ---- taking -------------------------------------------------------------------------------------------------------

def along(x, axis, index):
    """x indexed along one axis."""
    (axis,) = axes_of(x, axis)
    return x[(slice(None),) * axis + (index,)]


rows = np.array([[0, 2, 0], [1, 1, 2]])


@composed(np.take, at=[call((3, 4), indices=[0, 0, -1], axis=1), call((3,), indices=rows), call((2, 3), indices=2)])
def take(a, indices, axis=None):
    """The elements, or slices along axis, at indices."""
    indices = np.asarray(indices)
    indices = indices.astype(int, casting="same_kind" if indices.size else "unsafe")[()]  # True is 1, no mask
    return np.reshape(a, -1)[indices] if axis is None else along(a, axis, indices)


@composed(np.take_along_axis, at=[call((2, 4), indices=rows, axis=1), call((3,), indices=rows[0], axis=None)])
def take_along_axis(arr, indices, axis=-1):
    """arr at indices along axis, and along the others at each place's own index."""
    if axis is None:
        arr, axis = np.reshape(arr, -1), 0
    if np.asarray(indices).dtype == bool:
        raise IndexError("np.take_along_axis() takes indices that are integers; for a mask write arr[mask].")
    if np.ndim(indices) != arr.ndim:
        raise ValueError(f"np.take_along_axis() takes indices of {arr.ndim} axes, as arr has, not {np.ndim(indices)}.")
    index = list(np.indices(arr.shape, sparse=True))
    index[axis] = indices
    return arr[tuple(index)]


@composed(np.sort, at=[call((5,)), call((2, 3, 4), axis=1), call((2, 3), axis=None)])
def sort(a, axis=-1, kind=None, *, stable=None):
    """The elements along axis in increasing order."""
    return np.take_along_axis(a, np.argsort(a, axis, kind=kind, stable=stable), axis)


@composed(np.repeat, at=[call((3,), repeats=2), call((2, 3), repeats=[2, 0, 1], axis=1), call((2, 3), repeats=2)])
def repeat(a, repeats, axis=None):
    """Each element along axis, repeats times."""
    return np.take(a, np.repeat(np.arange(count(a, axis)), repeats), axis)


@composed(np.diagonal, at=[*matrix, call((3, 4), offset=2), call((2, 3, 4), offset=-1, axis1=2, axis2=0)])
def diagonal(a, offset=0, axis1=0, axis2=1):
    """The elements a[i, i + offset] of the matrices that axis1 and axis2 span, on the last axis."""
    a = np.moveaxis(a, (axis1, axis2), (-2, -1))
    down, right = max(-offset, 0), max(offset, 0)
    i = np.arange(min(a.shape[-2] - down, a.shape[-1] - right))  # none where that is negative
    return a[..., i + down, i + right]


@composed(np.diag, at=[call((3, 4)), call((3, 4), k=-1), call((3,)), call((2,), k=1)])
def diag(v, k=0):
    """The diagonal of a matrix, or the matrix of a diagonal."""
    if v.ndim == 2:
        return np.diagonal(v, k)
    if v.ndim != 1:
        raise ValueError(f"np.diag() takes a vector or a matrix, not an array of shape {v.shape}.")
    i, n = np.arange(v.size), v.size + abs(k)
    return scatter(v, index=(i + max(-k, 0), i + max(k, 0)), shape=(n, n))


# ---- joining and splitting ----------------------------------------------------------------------------------------

two = call([(2, 3), (2, 3)])

composed(np.vstack, at=[two, call([(3,), (2, 3)])])(lambda tup: np.concatenate([np.atleast_2d(x) for x in tup], 0))
composed(np.hstack, at=[two, call([(3,), (2,)])])(
    lambda tup: np.concatenate([np.atleast_1d(x) for x in tup], 0 if np.ndim(tup[0]) < 2 else 1))
composed(np.dstack, at=[two, call([(3,), (3,)])])(lambda tup: np.concatenate([np.atleast_3d(x) for x in tup], 2))
composed(np.column_stack, at=[two, call([(3,), (3, 2)])])(
    lambda tup: np.concatenate([x if np.ndim(x) > 1 else np.reshape(x, (-1, 1)) for x in tup], 1))
composed(np.append, at=[call((2, 3), (2,)), call((2, 3), (2, 1), axis=1)])(
    lambda arr, values, axis=None: np.concatenate([arr, values], axis))


@composed(np.array_split, at=[call((5,), 3), call((4, 5), [1, 3], axis=1)])
def array_split(ary, indices_or_sections, axis=0):
    """The parts of ary along axis: so many of nearly equal length, or those between the given places."""
    (axis,) = axes_of(ary, axis)
    if np.ndim(indices_or_sections):
        ends = [0, *indices_or_sections, ary.shape[axis]]
    elif indices_or_sections < 1:
        raise ValueError(f"np.array_split() makes one part or more, not {indices_or_sections}.")
    else:
        length, longer = divmod(ary.shape[axis], indices_or_sections)
        ends = [i * length + min(i, longer) for i in range(indices_or_sections + 1)]
    return [along(ary, axis, slice(start, stop)) for start, stop in pairwise(ends)]


@composed(np.split, at=[call((6,), 3), call((4, 5), [1, 3], axis=1)])
def split(ary, indices_or_sections, axis=0):
    """The parts of ary along axis: so many of equal length, or those between the given places."""
    parts = array_split(ary, indices_or_sections, axis)
    if not np.ndim(indices_or_sections) and len({part.shape for part in parts}) > 1:
        raise ValueError(
            f"np.split() cannot cut {ary.shape[axis]} into {indices_or_sections} equal parts; "
            "np.array_split() cuts into nearly equal ones."
        )
    return parts


@composed(np.vsplit, at=[call((4, 3), 2)])
def vsplit(ary, indices_or_sections):
    """The parts of ary along the first axis, of two or more."""
    if ary.ndim < 2:
        raise ValueError(f"np.vsplit() cuts matrices, not an array of shape {ary.shape}; np.split() cuts a vector.")
    return split(ary, indices_or_sections, 0)


composed(np.hsplit, at=[call((3, 4), 2)])(
    lambda ary, indices_or_sections: split(ary, indices_or_sections, 0 if ary.ndim < 2 else 1))
composed(np.dsplit, at=[call((2, 3, 4), 2)])(
    lambda ary, indices_or_sections: split(ary, indices_or_sections, 2))

# ---- newer than NumPy 2.0 -----------------------------------------------------------------------------------------

if hasattr(np, "unstack"):
    composed(np.unstack, at=[call((2, 3)), call((2, 3), axis=-1)])(
        lambda x, /, *, axis=0: tuple(np.moveaxis(x, axis, 0)))
