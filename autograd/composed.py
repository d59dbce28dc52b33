"""What NumPy composes is composed here too, from the operations in `derivatives.py`; derivatives then come by themselves.

Every body gives NumPy's own result to the last bit. Several names of one operation are joined at the end.
"""

from __future__ import annotations

import math
import string

import numpy as np

from .derivatives import axes_of, clip, joined, scatter
from .tensor import Tensor, call, composed, op, samples, table

matrix = [call((3, 4)), call((2, 3, 3))]

# ---- reductions ---------------------------------------------------------------------------------------------------

reduced = [call((3, 4)), call((2, 3, 4), axis=(0, -1), keepdims=True), call((2, 3), axis=1)]


@composed(np.median, at=[*reduced, call((5,)), call((2, 3, 5), axis=-1)])
def median(a, axis=None, *, keepdims=False):
    """The middle element in order, or the mean of the two in the middle; NaN if there is one."""
    order = np.sort(joined(a, axis), axis=-1)
    half, odd = divmod(order.shape[-1], 2)
    middle = np.mean(order[..., half - 1 + odd : half + 1], -1)
    middle = np.where(np.isnan(order[..., -1]), order[..., -1], middle)           # NaN is last in order
    return np.expand_dims(middle, axes_of(a, axis)) if keepdims else middle


def known(x, fill):
    """x with fill in place of NaN."""
    return np.where(np.isnan(x), fill, x)


def count_known(x, axis, keepdims):
    """How many elements over axis are not NaN, in x's own dtype."""
    return np.sum(~np.isnan(x), axis, keepdims=keepdims).astype(x.dtype)


@composed(np.nanvar, at=reduced)
def nanvar(a, axis=None, *, ddof=0, keepdims=False):
    """The mean square of what is not NaN less its mean."""
    deviation = known(a - np.nanmean(a, axis, keepdims=True), 0)
    return np.sum(deviation * deviation, axis, keepdims=keepdims) / (count_known(a, axis, keepdims) - ddof)


composed(np.nanmean, at=reduced)(lambda a, axis=None, *, keepdims=False:
                                 np.sum(known(a, 0), axis, keepdims=keepdims) / count_known(a, axis, keepdims))
composed(np.nansum,  at=reduced)(lambda a, axis=None, *, keepdims=False: np.sum(known(a, 0), axis, keepdims=keepdims))
composed(np.nanprod, at=reduced)(lambda a, axis=None, *, keepdims=False: np.prod(known(a, 1), axis, keepdims=keepdims))
composed(np.nanmax,  at=reduced)(lambda a, axis=None, *, keepdims=False: known_extreme(np.max, -np.inf, a, axis, keepdims))
composed(np.nanmin,  at=reduced)(lambda a, axis=None, *, keepdims=False: known_extreme(np.min, np.inf, a, axis, keepdims))
composed(np.nanstd,  at=reduced)(lambda a, axis=None, *, ddof=0, keepdims=False: root(nanvar(a, axis, ddof=ddof, keepdims=keepdims)))


def known_extreme(function, fill, a, axis, keepdims):
    """The extreme of what is not NaN; NaN where there is nothing else."""
    return np.where(np.all(np.isnan(a), axis, keepdims=keepdims), np.nan, function(known(a, fill), axis, keepdims=keepdims))


def root(x):
    """√x with gradient 0 at 0, as np.std has it."""
    return np.sqrt(np.where(x == 0, 1, x)) * (x != 0)


composed(np.ptp,     at=reduced)(lambda a, axis=None, *, keepdims=False: np.max(a, axis, keepdims=keepdims) - np.min(a, axis, keepdims=keepdims))
composed(np.trace,   at=[*matrix, call((2, 3, 4), offset=1, axis1=2, axis2=0)])(
                     lambda a, offset=0, axis1=0, axis2=1: np.sum(np.diagonal(a, offset, axis1, axis2), -1))


@composed(np.diff, at=[call((4,)), call((3, 4), n=2, axis=0), call((2, 3), prepend=0.5, append=np.ones((2, 2)))])
def diff(a, n=1, axis=-1, prepend=None, append=None):
    """Each element less the one before it along axis, n times over."""
    shape = [1 if i == axis % a.ndim else length for i, length in enumerate(a.shape)]
    ends = [x if x is None or np.ndim(x) else np.broadcast_to(x, shape) for x in (prepend, append)]
    a = np.concatenate([x for x in (ends[0], a, ends[1]) if x is not None], axis)
    for _ in range(n):
        a = along(a, axis, slice(1, None)) - along(a, axis, slice(0, -1))
    return a


@composed(np.clip, at=[call((3, 4), -1.0, 1.0), call((3, 4), a_min=0.5, a_max=None), call((3, 4), (4,), 1.5)])
def bounded(a, a_min=None, a_max=None, *, min=None, max=None):
    return clip(a, min if a_min is None else a_min, max if a_max is None else a_max)


# ---- shape --------------------------------------------------------------------------------------------------------

composed(np.ravel,      at=[call((3, 4))])(lambda a: np.reshape(a, -1))
composed(np.fliplr,     at=[call((3, 4))])(lambda m: np.flip(m, 1))
composed(np.flipud,     at=[call((3, 4))])(lambda m: np.flip(m, 0))
composed(np.matrix_transpose, at=matrix)(lambda x: np.swapaxes(x, -1, -2))
composed(np.atleast_1d, at=[call(()), call((3,), ())])(lambda *arys: each_of(arys, lambda x: np.reshape(x, np.shape(x) or 1)))
composed(np.atleast_2d, at=[call(()), call((3,), (3, 4))])(lambda *arys: each_of(arys, row))
composed(np.atleast_3d, at=[call(()), call((3,), (3, 4))])(lambda *arys: each_of(arys, lambda x: np.reshape(x, deep(np.shape(x)))))
composed(np.broadcast_arrays, at=[call((3, 1), (4,))])(
         lambda *args: tuple(np.broadcast_to(x, np.broadcast_shapes(*map(np.shape, args))) for x in args))


def each_of(arrays, function):
    """function of the only array, or of each in a tuple."""
    return function(arrays[0]) if len(arrays) == 1 else tuple(map(function, arrays))


def row(x):
    """x with two axes at least; a vector becomes a row."""
    return np.reshape(x, (1,) * (2 - np.ndim(x)) + np.shape(x))


def deep(shape):
    """The shape that np.atleast_3d gives to an array of this shape."""
    return (1, *shape, 1)[-3:] if len(shape) == 1 else (1, 1, 1) if not shape else shape + (1,) * (3 - len(shape))


@composed(np.tile, at=[call((3,), reps=2), call((2, 3), reps=(2, 1, 2)), call((2, 1, 3), reps=(2,))])
def tile(A, reps):
    """A beside itself, reps[i] times along axis i."""
    reps = (reps,) if np.ndim(reps) == 0 else tuple(reps)
    shape = (1,) * (len(reps) - A.ndim) + A.shape
    reps = (1,) * (A.ndim - len(reps)) + reps
    apart = np.reshape(A, [n for length in shape for n in (1, length)])            # (1, d0, 1, d1, ...)
    apart = np.broadcast_to(apart, [n for pair in zip(reps, shape) for n in pair])  # (r0, d0, r1, d1, ...)
    return np.reshape(apart, [r * n for r, n in zip(reps, shape)])


@composed(np.repeat, at=[call((3,), repeats=2), call((2, 3), repeats=[2, 0, 1], axis=1), call((2, 3), repeats=2)])
def repeat(a, repeats, axis=None):
    """Each element along axis, repeats times."""
    return np.take(a, np.repeat(np.arange(a.size if axis is None else a.shape[axis]), repeats), axis)


def padded(x, pad_width, constant_values):
    """x with a border of constants."""
    return np.pad(x, pad_width, constant_values=constant_values)


def inside(pad_width, shape):
    """The index of what np.pad put a border around."""
    return tuple(slice(start, start + n) for (start, _), n in zip(np.broadcast_to(pad_width, (len(shape), 2)).tolist(), shape))


padded = op(padded, lambda g, y, x, pad_width, constant_values: g[inside(pad_width, x.shape)], name="pad", at=[
    call((2, 3), pad_width=((1, 0), (2, 1)), constant_values=1.5)])
borders = ("edge", "reflect", "symmetric", "wrap")


@composed(np.pad, at=[call((2, 3), pad_width=1), *(call((3, 4), pad_width=((1, 2), (0, 2)), mode=mode) for mode in borders)])
def pad(array, pad_width, mode="constant", *, constant_values=0, **kwargs):
    """array with a border of constants, or of its own elements."""
    if mode == "constant":
        return padded(array, pad_width, constant_values)
    if mode not in borders:
        raise ValueError(f"np.pad of a Tensor knows the modes constant, {', '.join(borders)}, but not {mode!r}.")
    return np.take(array, np.pad(np.arange(array.size).reshape(array.shape), pad_width, mode, **kwargs))


# ---- taking -------------------------------------------------------------------------------------------------------

rows = np.array([[0, 2, 0], [1, 1, 2]])


def along(x, axis, index):
    """x indexed along one axis."""
    return x[(slice(None),) * (axis % x.ndim) + (index,)]


@composed(np.take, at=[call((3, 4), indices=[0, 0, -1], axis=1), call((3,), indices=rows), call((2, 3), indices=2)])
def take(a, indices, axis=None):
    """The elements, or slices along axis, at indices."""
    indices = np.asarray(indices)[()]
    return np.reshape(a, -1)[indices] if axis is None else along(a, axis, indices)


@composed(np.take_along_axis, at=[call((2, 4), indices=rows, axis=1), call((3,), indices=rows[0], axis=None)])
def take_along_axis(arr, indices, axis=-1):
    """arr at indices along axis, and at each place's own index along the others."""
    if axis is None:
        return np.reshape(arr, -1)[indices]
    index = list(np.indices(arr.shape, sparse=True))
    index[axis] = indices
    return arr[tuple(index)]


@composed(np.sort, at=[call((5,)), call((2, 3, 4), axis=1), call((2, 3), axis=None)])
def sort(a, axis=-1, kind=None, *, stable=None):
    """The elements along axis in increasing order."""
    return np.take_along_axis(a, np.argsort(a, axis, kind=kind, stable=stable), axis)


@composed(np.diagonal, at=[*matrix, call((3, 4), offset=2), call((2, 3, 4), offset=-1, axis1=2, axis2=0)])
def diagonal(a, offset=0, axis1=0, axis2=1):
    """The elements a[i, i + offset] of the matrices that axis1 and axis2 span, on the last axis."""
    a = np.moveaxis(a, (axis1, axis2), (-2, -1))
    down, right = max(-offset, 0), max(offset, 0)
    i = np.arange(max(min(a.shape[-2] - down, a.shape[-1] - right), 0))
    return a[..., i + down, i + right]


@composed(np.diag, at=[call((3, 4)), call((3, 4), k=-1), call((3,)), call((2,), k=1)])
def diag(v, k=0):
    """The diagonal of a matrix, or the matrix of a diagonal."""
    if v.ndim == 2:
        return np.diagonal(v, k)
    i, n = np.arange(v.size), v.size + abs(k)
    return scatter(v, index=(i + max(-k, 0), i + max(k, 0)), shape=(n, n))


# ---- joining and splitting ------------------------------------------------------------------------------------------

pair = [call([(2, 3), (2, 3)])]

composed(np.vstack, at=[*pair, call([(3,), (2, 3)])])(lambda tup: np.concatenate([row(x) for x in tup], 0))
composed(np.hstack, at=[*pair, call([(3,), (2,)])])(lambda tup: np.concatenate(tup, int(np.ndim(tup[0]) > 1)))
composed(np.dstack, at=[*pair, call([(3,), (3,)])])(lambda tup: np.concatenate([np.atleast_3d(x) for x in tup], 2))
composed(np.column_stack, at=[*pair, call([(3,), (3, 2)])])(
         lambda tup: np.concatenate([x if np.ndim(x) > 1 else np.reshape(x, (-1, 1)) for x in tup], 1))
composed(np.append, at=[call((2, 3), (2,)), call((2, 3), (2, 1), axis=1)])(
         lambda arr, values, axis=None: np.concatenate([arr, values], axis))


@composed(np.array_split, at=[call((5,), 3), call((4, 5), [1, 3], axis=1)])
def array_split(ary, indices_or_sections, axis=0):
    """The parts of ary along axis: so many of nearly equal length, or those between the given places."""
    n = ary.shape[axis]
    if np.ndim(indices_or_sections):
        ends = [0, *indices_or_sections, n]
    else:
        length, longer = divmod(n, indices_or_sections)
        ends = [i * length + min(i, longer) for i in range(indices_or_sections + 1)]
    return [along(ary, axis, slice(start, stop)) for start, stop in zip(ends, ends[1:])]


@composed(np.split, at=[call((6,), 3), call((4, 5), [1, 3], axis=1)])
def split(ary, indices_or_sections, axis=0):
    """The parts of ary along axis: so many of equal length, or those between the given places."""
    if not np.ndim(indices_or_sections) and ary.shape[axis] % indices_or_sections:
        raise ValueError(f"np.split() cannot divide {ary.shape[axis]} into {indices_or_sections} equal parts; np.array_split() can.")
    return array_split(ary, indices_or_sections, axis)


composed(np.vsplit, at=[call((4, 3), 2)])(lambda ary, indices_or_sections: split(ary, indices_or_sections, 0))
composed(np.hsplit, at=[call((3, 4), 2)])(lambda ary, indices_or_sections: split(ary, indices_or_sections, int(ary.ndim > 1)))
composed(np.dsplit, at=[call((2, 3, 4), 2)])(lambda ary, indices_or_sections: split(ary, indices_or_sections, 2))

# ---- products -----------------------------------------------------------------------------------------------------


def array(x):
    """x as an array, unless it is a Tensor."""
    return x if isinstance(x, Tensor) else np.asarray(x)


@composed(np.outer, at=[call((3,), (4,)), call((2, 3), ())])
def outer(a, b):
    """aᵢ bⱼ."""
    return np.reshape(a, (-1, 1)) * np.reshape(b, -1)


@composed(np.tensordot, at=[
    call((2, 3, 4), (3, 4, 2)), call((2, 3), (4,), axes=0), call((2, 3, 4), (4, 2), axes=([0, 2], [1, 0])), call((3,), (3,), axes=1)])
def tensordot(a, b, axes=2):
    """Σ a b over pairs of axes: the last `axes` of a with the first of b, or those listed; one matrix product in the middle."""
    a, b = array(a), array(b)
    over_a, over_b = (range(a.ndim - axes, a.ndim), range(axes)) if np.ndim(axes) == 0 else axes
    over_a, over_b = [[i % x.ndim for i in np.atleast_1d(over).tolist()] for x, over in ((a, over_a), (b, over_b))]
    if [a.shape[i] for i in over_a] != [b.shape[i] for i in over_b]:
        raise ValueError(f"np.tensordot() cannot sum over axes {over_a} of shape {a.shape} and {over_b} of shape {b.shape}.")
    rest_a, rest_b = ([i for i in range(x.ndim) if i not in over] for x, over in ((a, over_a), (b, over_b)))
    rows, columns = [a.shape[i] for i in rest_a], [b.shape[i] for i in rest_b]
    n = math.prod(a.shape[i] for i in over_a)
    left = np.reshape(np.transpose(a, (*rest_a, *over_a)), (math.prod(rows), n))
    right = np.reshape(np.transpose(b, (*over_b, *rest_b)), (n, math.prod(columns)))
    return np.reshape(np.dot(left, right), (*rows, *columns))


@composed(np.kron, at=[call((2, 3), (3, 2)), call((2,), (2, 3)), call((), (3,))])
def kron(a, b):
    """The blocks aᵢⱼ b."""
    a, b = array(a), array(b)
    n = max(a.ndim, b.ndim)
    rows, columns = (1,) * (n - a.ndim) + a.shape, (1,) * (n - b.ndim) + b.shape
    blocks = np.reshape(a, [m for k in rows for m in (k, 1)]) * np.reshape(b, [m for k in columns for m in (1, k)])
    return np.reshape(blocks, [k * m for k, m in zip(rows, columns)])


@composed(np.cross, at=[call((3,), (3,)), call((2, 3), (3,)), call((3, 2), (2, 3), axisa=0, axisc=0), call((3, 2), (3, 2), axis=0)])
def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """The vector product, of vectors on the given axes."""
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a, b = np.moveaxis(array(a), axisa, -1), np.moveaxis(array(b), axisb, -1)
    if not a.shape[-1] == b.shape[-1] == 3:
        raise ValueError(f"np.cross() of Tensors takes vectors of length 3, not {a.shape[-1]} and {b.shape[-1]}.")
    product = np.roll(a, -1, -1) * np.roll(b, -2, -1) - np.roll(a, -2, -1) * np.roll(b, -1, -1)
    return np.moveaxis(product, -1, axisc)


composed(np.vdot, at=[call((3,), (3,)), call((2, 3), (3, 2))])(lambda a, b: np.dot(np.reshape(a, -1), np.reshape(b, -1)))

# ---- einsum -------------------------------------------------------------------------------------------------------


def contract(operands, subscripts, optimize=False):
    """np.einsum with the operands in a list and explicit subscripts: a letter for each axis, and those of the result."""
    return np.einsum(subscripts, *operands, optimize=optimize)


def contract_back(g, i, operands, subscripts, optimize):
    """The gradient of operand i: g and the other operands, contracted to operand i's own subscripts.

    A letter that stands nowhere else is summed over in the result: its gradient is spread by ones. A letter that operand
    i has twice picks a diagonal: its gradient is put back there by a unit matrix.
    """
    inputs, output = subscripts.split("->")
    inputs = inputs.split(",")
    own, shape = inputs.pop(i), np.shape(operands[i])
    factors = [g, *operands[:i], *operands[i + 1 :]]
    inputs = [output, *inputs]
    lengths = {letter: n for x, letters in zip(factors, inputs) for letter, n in zip(letters, np.shape(x)) if n > 1}
    fresh = iter(sorted(set(string.ascii_letters) - set(subscripts)))
    target = ""
    for letter, n in zip(own, shape):
        if letter in target:
            twin = next(fresh)
            factors, inputs = [*factors, np.eye(n, dtype=g.dtype)], [*inputs, letter + twin]
            letter = twin
        elif letter not in lengths:
            factors, inputs = [*factors, np.ones(n, g.dtype)], [*inputs, letter]
        target += letter
    return contract(factors, f"{','.join(inputs)}->{target}", optimize)


contract = op(contract, each=lambda g, y, i, *operands, subscripts, optimize=False: contract_back(g, i, operands, subscripts, optimize),
    name="einsum", symbol="Σ", at=[
    call([(2, 3), (3, 4)], subscripts="ij,jk->ik"), call([(3, 3)], subscripts="ii->i"), call([(2, 3)], subscripts="ij->j"),
    call([(2, 3, 3), (3,), (2, 1)], subscripts="aii,i,ab->ab")])


@composed(np.einsum, at=[
    call("ij,jk", (2, 3), (3, 4)), call("ii", (3, 3)), call("...ij,...j->...i", (2, 2, 3), (3,)), call("i,i,i->", (3,), (3,), (3,)),
    call("b...,b...->b...", (2, 3), (2, 3)), call((2, 3), [0, 1], (3, 4), [1, 2]), call((2, 3), [0, 1], [1])])
def einsum(*operands, optimize=False):
    """Products summed as the subscripts say, in every form that NumPy knows."""
    if not isinstance(operands[0], str):
        operands = from_lists(operands)
    subscripts, *operands = operands
    operands = [array(x) for x in operands]
    return contract(operands, explicit(subscripts, [x.ndim for x in operands]), optimize)


def from_lists(operands):
    """einsum(a, [0, 1], b, [1, 2], [0, 2]) as einsum("AB,BC->AC", a, b)."""

    def letters(labels):
        return "".join("..." if label is Ellipsis else alphabet[label] for label in labels)

    alphabet = sorted(string.ascii_letters)
    inputs = ",".join(letters(labels) for labels in operands[1::2])
    output = "->" + letters(operands[-1]) if len(operands) % 2 else ""
    return (inputs + output, *operands[: len(operands) // 2 * 2 : 2])


def explicit(subscripts, ndims):
    """subscripts with letters for "..." and with its result, as NumPy completes them."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    inputs = inputs.split(",")
    free = [letter for letter in string.ascii_letters if letter not in subscripts]
    dots = [ndim - len(letters.replace("...", "")) if "..." in letters else 0 for letters, ndim in zip(inputs, ndims)]
    most = max(dots, default=0)
    inputs = [letters.replace("...", "".join(free[most - n : most])) for letters, n in zip(inputs, dots)]
    spread = "".join(free[:most])
    if arrow and most and "..." not in output:
        raise ValueError(f'np.einsum() has "..." in its operands, so it needs it in its result too: {subscripts!r}.')
    if not arrow:
        once = [letter for letter in sorted({*"".join(inputs)} - {*spread}) if "".join(inputs).count(letter) == 1]
        output = "..." + "".join(once)
    return f"{','.join(inputs)}->{output.replace('...', spread)}"


# ---- several names of one operation ---------------------------------------------------------------------------------

aliases = {
    np.max: [np.amax], np.min: [np.amin], np.round: [np.around], np.concatenate: [np.concat], np.matmul: [np.linalg.matmul],
    np.tensordot: [np.linalg.tensordot], np.cross: [np.linalg.cross],
    np.matrix_transpose: [np.linalg.matrix_transpose],
}  # fmt: skip
for function, names in aliases.items():
    for name in names:
        table[name] = table[function]
        if function in samples:
            samples[name] = samples[function]
