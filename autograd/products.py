"""Products of arrays beside their derivatives: matmul, dot and their kin, and einsum, which is all of them in one."""

from __future__ import annotations

import functools
import math
import string

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from .composed import alias
from .operations import call, composed, op
from .tensor import Tensor

# ---- vectors and matrices -----------------------------------------------------------------------------------------

op(np.matmul, lambda g, y, a, b: g @ b.T if b.ndim == 2 else matmul_left(g, a, b),
              lambda g, y, a, b: a.T @ g if a.ndim == 2 else matmul_right(g, a, b), symbol="@", at=[
    call((2, 3), (3, 4)), call((3,), (3,)), call((3,), (3, 2)), call((2, 3), (3,)), call((2, 2, 3), (3,)),
    call((3,), (2, 3, 2)), call((2, 2, 3), (3, 2)), call((2, 3), (2, 3, 2)), call((2, 1, 2, 3), (3, 3, 2))])
op(np.inner,  lambda g, y, a, b: g * b if 0 in (a.ndim, b.ndim) else np.tensordot(g, b, b.ndim - 1),
              lambda g, y, a, b: g * a if 0 in (a.ndim, b.ndim) else np.tensordot(g, a, leading(a)), at=[
    call((3,), (3,)), call((2, 3), (4, 3)), call((), (2, 3)), call((2, 3), ()), call((2, 3), (2, 4, 3))])
op(np.dot,    lambda g, y, a, b: g * b if 0 in (a.ndim, b.ndim) else np.tensordot(g, swapped(b), b.ndim - 1),
              lambda g, y, a, b: g * a if 0 in (a.ndim, b.ndim) else swapped(np.tensordot(g, a, leading(a))), at=[
    call((2, 3), (3, 4)), call((3,), (3,)), call((2, 3), (3,)), call((2, 3), (2, 3, 4)),
    call((), (2, 3)), call((3,), ())])
op(np.vecdot, lambda g, y, a, b, axis=-1: vecdot_back(g, b, axis, a.ndim),
              lambda g, y, a, b, axis=-1: vecdot_back(g, a, axis, b.ndim), at=[
    call((3,), (3,)), call((2, 3), (3,)), call((3, 2), (3, 1), axis=0), call((3,), (3, 2), axis=0)])
op(np.vdot,   lambda g, y, a, b: g * np.reshape(b, a.shape),
              lambda g, y, a, b: g * np.reshape(a, b.shape), at=[call((3,), (3,)), call((2, 3), (3, 2))])


def sum_of_rows(x):
    """Σᵢ xᵢⱼ of a matrix: with (1, 1, ...) @ x, which for floats takes a quarter of the time of a sum."""
    if x.__class__ is np.ndarray and x.dtype.char in "fd":
        return (ones if len(x) <= 1 << 14 else np.ones)(len(x), x.dtype).dot(x)
    return np.add.reduce(x, axis=0)


ones = functools.lru_cache(maxsize=64)(np.ones)  # of up to 16,384 elements: 8 MB are kept at most


def matmul_left(g, a, b):
    """The gradient of a in a @ b, where b is a vector or a stack of matrices."""
    if b.ndim == 1:
        return np.expand_dims(g, -1) * b
    return (b @ np.expand_dims(g, -1))[..., 0] if a.ndim == 1 else g @ swapped(b)


def matmul_right(g, a, b):
    """The gradient of b in a @ b, where a is a vector or a stack of matrices."""
    if a.ndim == 1:
        return g * a if b.ndim == 1 else np.expand_dims(a, -1) * np.expand_dims(g, -2)
    return (swapped(a) @ np.expand_dims(g, -1))[..., 0] if b.ndim == 1 else swapped(a) @ g


def vecdot_back(g, other, axis, ndim):
    """g times the other argument of vecdot, for an argument of ndim axes: `axis` counts in each by itself."""
    product = np.expand_dims(g, -1) * np.moveaxis(other, axis, -1)
    return np.moveaxis(product, -1, axis if axis < 0 else axis - ndim)


def leading(a):
    """For np.tensordot: all axes of a but the last, and as many of what is multiplied by it."""
    axes = list(range(a.ndim - 1))
    return axes, axes


def swapped(b):
    """b with its last two axes exchanged, if it has two."""
    return np.swapaxes(b, -1, -2) if b.ndim > 1 else b


def array(x):
    """x as an array, unless it is a Tensor."""
    return x if isinstance(x, Tensor) else np.asarray(x)


@composed(np.outer, at=[call((3,), (4,)), call((2, 3), ())])
def outer(a, b):
    """aᵢ bⱼ, of all elements of a and b."""
    return np.reshape(a, (-1, 1)) * np.reshape(b, -1)


@composed(np.cross, at=[
    call((3,), (3,)), call((2, 3), (3,)), call((3, 2), (2, 3), axisa=0, axisc=0), call((3, 2), (3, 2), axis=0)])
def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """a × b, of the vectors that lie along the given axes."""
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a, b = np.moveaxis(array(a), axisa, -1), np.moveaxis(array(b), axisb, -1)
    if not a.shape[-1] == b.shape[-1] == 3:
        raise ValueError(f"np.cross() of Tensors takes vectors of length 3, not {a.shape[-1]} and {b.shape[-1]}.")
    product = np.roll(a, -1, -1) * np.roll(b, -2, -1) - np.roll(a, -2, -1) * np.roll(b, -1, -1)
    return np.moveaxis(product, -1, axisc)


@composed(np.kron, at=[call((2, 3), (3, 2)), call((2,), (2, 3)), call((2, 3), (2,)), call((), (3,))])
def kron(a, b):
    """The blocks aᵢⱼ b."""
    a, b = array(a), array(b)
    n = max(a.ndim, b.ndim)
    rows, columns = (1,) * (n - a.ndim) + a.shape, (1,) * (n - b.ndim) + b.shape
    blocks = np.reshape(a, [m for k in rows for m in (k, 1)]) * np.reshape(b, [m for k in columns for m in (1, k)])
    return np.reshape(blocks, [k * m for k, m in zip(rows, columns)])


@composed(np.tensordot, at=[
    call((2, 3, 4), (3, 4, 2)), call((2, 3), (4,), axes=0), call((2, 3, 4), (4, 2), axes=([0, 2], [1, 0])),
    call((3,), (3,), axes=1)])
def tensordot(a, b, axes=2):
    """Σ a b over the last `axes` axes of a and the first of b, or over the pairs listed, by one matrix product."""
    a, b = array(a), array(b)
    over_a, over_b = (range(a.ndim - axes, a.ndim), range(axes)) if np.ndim(axes) == 0 else axes
    over_a = normalize_axis_tuple(over_a, a.ndim)
    over_b = normalize_axis_tuple(over_b, b.ndim)
    summed = [a.shape[i] for i in over_a]
    if summed != [b.shape[i] for i in over_b]:
        raise ValueError(
            f"np.tensordot() of shapes {a.shape} and {b.shape} cannot sum over axes {over_a} and {over_b}: "
            "they differ in number or in length."
        )
    rest_a, rest_b = ([i for i in range(x.ndim) if i not in over] for x, over in ((a, over_a), (b, over_b)))
    rows, columns = [a.shape[i] for i in rest_a], [b.shape[i] for i in rest_b]
    left = np.reshape(np.transpose(a, (*rest_a, *over_a)), (math.prod(rows), math.prod(summed)))
    right = np.reshape(np.transpose(b, (*over_b, *rest_b)), (math.prod(summed), math.prod(columns)))
    return np.reshape(np.dot(left, right), (*rows, *columns))


alias(np.matmul, np.linalg.matmul)
alias(np.vecdot, np.linalg.vecdot)
alias(np.tensordot, np.linalg.tensordot)


# ---- einsum -------------------------------------------------------------------------------------------------------

def contract(operands, subscripts, optimize=False):
    """np.einsum of a list, with subscripts that have a letter for every axis, and those of the result after "->"."""
    return np.einsum(subscripts, *operands, optimize=optimize)


def contract_back(g, i, operands, subscripts, optimize):
    """The gradient of operand i: g and the other operands, contracted to the subscripts of operand i.

    A letter that stands nowhere else was summed over: its gradient is spread by ones. A letter that operand i has twice
    took a diagonal: its gradient is put back there by a unit matrix.
    """
    inputs, output = subscripts.split("->")
    inputs = inputs.split(",")
    own, shape = inputs.pop(i), np.shape(operands[i])
    factors, inputs = [g, *operands[:i], *operands[i + 1 :]], [output, *inputs]
    elsewhere = {letter for x, letters in zip(factors, inputs) for letter, n in zip(letters, np.shape(x)) if n > 1}
    fresh = (letter for letter in string.ascii_letters if letter not in subscripts)
    target = ""
    for letter, n in zip(own, shape):
        if letter in target:
            twin = next(fresh)
            factors, inputs, letter = [*factors, np.eye(n, dtype=g.dtype)], [*inputs, letter + twin], twin
        elif letter not in elsewhere:
            factors, inputs = [*factors, np.ones(n, g.dtype)], [*inputs, letter]
        target += letter
    return contract(factors, f"{','.join(inputs)}->{target}", optimize)


contract = op(contract, each=lambda g, y, i, *operands, subscripts, optimize=False:
                             contract_back(g, i, operands, subscripts, optimize), name="einsum", symbol="Σ", at=[
    call([(2, 3), (3, 4)], subscripts="ij,jk->ik"), call([(3, 3)], subscripts="ii->i"),
    call([(2, 3)], subscripts="ij->j"), call([(2, 3, 3), (3,), (2, 1)], subscripts="aii,i,ab->ab")])


@composed(np.einsum, at=[
    call("ij,jk", (2, 3), (3, 4)), call("ii", (3, 3)), call("...ij,...j->...i", (2, 2, 3), (3,)),
    call("i,i,i->", (3,), (3,), (3,)), call((2, 3), [0, 1], (3, 4), [1, 2]), call((2, 3), [0, 1], [1])])
def einsum(*operands, optimize=False):
    """Products summed as the subscripts say, in every form that NumPy knows."""
    subscripts, *given = operands if isinstance(operands[0], str) else from_lists(operands)
    arrays = [array(x) for x in given]
    return contract(arrays, explicit(subscripts, [x.ndim for x in arrays]), optimize)


def from_lists(operands):
    """einsum(a, [0, 1], b, [1, 2], [0, 2]) as einsum("AB,BC->AC", a, b)."""

    def letters(labels):
        for label in labels:
            if label is not Ellipsis and not 0 <= label < len(alphabet):
                raise ValueError(f"np.einsum() takes labels from 0 to {len(alphabet) - 1}, not {label}.")
        return "".join("..." if label is Ellipsis else alphabet[label] for label in labels)

    alphabet = sorted(string.ascii_letters)
    inputs = ",".join(letters(labels) for labels in operands[1::2])
    output = "->" + letters(operands[-1]) if len(operands) % 2 else ""
    return inputs + output, *operands[: len(operands) // 2 * 2 : 2]


def explicit(subscripts, ndims):
    """subscripts with letters in place of "..." and with those of the result, as NumPy completes them."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    inputs = inputs.split(",")
    if len(inputs) != len(ndims):
        raise ValueError(f"np.einsum() has {len(ndims)} operands, but {len(inputs)} in its subscripts {subscripts!r}.")
    unused = [letter for letter in string.ascii_letters if letter not in subscripts]
    hidden = [ndim - len(x.replace("...", "")) if "..." in x else 0 for x, ndim in zip(inputs, ndims)]
    dots = unused[: max(hidden)]
    if dots and arrow and "..." not in output:
        raise ValueError(f'np.einsum() has "..." in its operands, so it needs it in its result too: {subscripts!r}.')
    if not arrow:
        named = "".join(inputs).replace("...", "")
        output = "..." + "".join(letter for letter in sorted(set(named)) if named.count(letter) == 1)
    inputs = [x.replace("...", "".join(dots[len(dots) - n :])) for x, n in zip(inputs, hidden)]
    return f"{','.join(inputs)}->{output.replace('...', ''.join(dots))}"
