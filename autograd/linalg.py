"""The operations of np.linalg beside their derivatives. Most formulas are in Giles, "An extended collection of matrix
derivative results for forward and reverse mode algorithmic differentiation" (2008).

A function with several results is one operation, whose results lie side by side in one array and are taken out by
indexing. Where eigenvalues or singular values coincide, whatever depends on the choice among their vectors has no
derivative, and gets NaN: never a number.
"""

from __future__ import annotations

import functools
import operator

import numpy as np

from .derivatives import axes_of, count, divide_evenly, keep, over
from .operations import call, composed, op

EighResult = type(np.linalg.eigh(np.eye(1)))
SVDResult = type(np.linalg.svd(np.eye(1)))
SlogdetResult = type(np.linalg.slogdet(np.eye(1)))


def T(x):
    """The matrices in x transposed."""
    return np.swapaxes(x, -1, -2)


def eye(x):
    """The unit matrix of as many columns as x has, in its dtype."""
    return np.eye(x.shape[-1], dtype=x.dtype)


def diag(x):
    """The diagonal matrices of the vectors in x."""
    return np.expand_dims(x, -1) * eye(x)


def symmetric(x):
    """The symmetric part of the matrices in x."""
    return (x + T(x)) / 2


def positive(x):
    """A positive definite matrix made of the one in x, symmetric to the last bit."""
    return symmetric(x @ T(x)) + x.shape[-1] * eye(x)


square = [call((3, 3)), call((2, 2, 2))]
hermitian = [call((3, 3), through=symmetric), call((2, 2, 2), through=symmetric)]
definite = [call((3, 3), through=positive), call((2, 2, 2), through=positive)]

# ---- inverses and determinants ------------------------------------------------------------------------------------

op(np.linalg.inv,   lambda g, y, x: -T(y) @ g @ T(y), at=square)
op(np.linalg.solve, lambda g, y, a, b: -pairs(solve_back(g, a, b), y, b), lambda g, y, a, b: solve_back(g, a, b), at=[
    call((3, 3), (3,)), call((3, 3), (3, 2)), call((2, 3, 3), (3, 2)), call((2, 3, 3), (3,)), call((3, 3), (2, 3, 1))])
op(np.linalg.pinv,  lambda g, y, x: pinv_back(g, y, x), at=[call((4, 3)), call((2, 2, 3))])
op(np.linalg.det,   lambda g, y, x: np.expand_dims(g, (-1, -2)) * cofactors(y, x), at=[
    *square, call(np.arange(9.0).reshape(3, 3)), call(np.zeros((2, 2)))])


def solve_back(g, a, b):
    """a⁻ᵀ g, where g holds vectors if b is one."""
    return np.linalg.solve(T(a), np.expand_dims(g, -1))[..., 0] if b.ndim == 1 else np.linalg.solve(T(a), g)


def pairs(x, y, b):
    """x yᵀ, where x and y hold vectors if b is one."""
    return np.expand_dims(x, -1) * np.expand_dims(y, -2) if b.ndim == 1 else x @ T(y)


def pinv_back(g, y, x):
    """−yᵀ g yᵀ as for an inverse, and what lies outside of the ranges of x and xᵀ (Golub and Pereyra, 1973).

    It holds where the rank stays the same nearby.
    """
    outside_x = np.eye(x.shape[-2], dtype=x.dtype) - x @ y
    outside_y = eye(x) - y @ x
    return -T(y) @ g @ T(y) + outside_x @ T(g) @ y @ T(y) + T(y) @ y @ T(g) @ outside_y


def cofactors(y, x):
    """∂ det(x)/∂x: by the inverse, or if there is none, by the determinants of x without row i and column j."""
    n = x.shape[-1]
    if np.all(np.isfinite(x)) and np.all(np.linalg.matrix_rank(x) == n):  # there is no rank with NaN in x
        return np.expand_dims(y, (-1, -2)) * T(np.linalg.inv(x))
    i = np.arange(n)
    rest = np.array([np.delete(i, k) for k in i])
    minors = x[..., rest[:, None, :, None], rest[None, :, None, :]]      # (..., n, n, n − 1, n − 1)
    return (-1.0) ** (i + i[:, None]) * np.linalg.det(minors)


def sign_and_log(x):
    """The sign and the logarithm of the absolute value of the determinant."""
    return np.stack(np.linalg.slogdet(x))


sign_and_log = op(
    sign_and_log, lambda g, y, x: np.expand_dims(g[1], (-1, -2)) * T(np.linalg.inv(x)), name="slogdet", at=square)


@composed(np.linalg.slogdet, at=square)
def slogdet(a):
    """The sign and the logarithm of the absolute value of the determinant."""
    return SlogdetResult(*sign_and_log(a))


@composed(np.linalg.matrix_power, at=[call((3, 3), n) for n in (-2, 0, 1, 2, 3, 5)])
def matrix_power(a, n):
    """a @ a @ ... @ a, or the same of the inverse for n < 0, by repeated squaring."""
    n = operator.index(n)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError(f"np.linalg.matrix_power() takes square matrices, not an array of shape {a.shape}.")
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 0:
        return np.where(True, eye(a), a)
    if n == 3:  # where NumPy does not square
        return a @ a @ a
    power, result = a, None
    while True:
        n, odd = divmod(n, 2)
        if odd:
            result = power if result is None else result @ power
        if n == 0:
            return result
        power = power @ power


op(np.linalg.multi_dot, each=lambda g, y, i, *arrays: multi_dot_back(g, i, arrays), at=[
    call([(2, 3), (3, 4), (4, 2)]), call([(3,), (3, 2), (2, 4), (4,)]), call([(2, 3), (3,)])])


def multi_dot_back(g, i, arrays):
    """(the product before)ᵀ g (the product after)ᵀ, where the first may be a row and the last a column."""
    first, *between, last = arrays
    row, column = (1, *first.shape)[-2:], (*last.shape, 1)[:2]
    matrices = [np.reshape(first, row), *between, np.reshape(last, column)]
    g = np.reshape(g, (row[0], column[1]))
    if i > 0:
        g = T(functools.reduce(np.matmul, matrices[:i])) @ g
    if i < len(arrays) - 1:
        g = g @ T(functools.reduce(np.matmul, matrices[i + 1 :]))
    return np.reshape(g, arrays[i].shape)


# ---- factors ------------------------------------------------------------------------------------------------------

op(np.linalg.cholesky, lambda g, y, x: cholesky_back(g, y),                 at=definite)
op(np.linalg.eigvalsh, lambda g, y, x, UPLO="L": eigvalsh_back(g, x, UPLO), at=hermitian)
op(np.linalg.svdvals,  lambda g, y, x: svdvals_back(g, x),                  at=[call((3, 3)), call((2, 4, 2))])


def cholesky_back(g, y):
    """L⁻ᵀ (the lower half of Lᵀ g) L⁻¹, symmetrised as in PyTorch (Murray, 2016)."""
    inverse = np.linalg.inv(y)
    lower_half = np.tri(y.shape[-1], dtype=y.dtype) - eye(y) / 2
    return symmetric(T(inverse) @ (T(y) @ g * lower_half) @ inverse)


def eigvalsh_back(g, x, UPLO):
    """V diag(g) Vᵀ."""
    w, v = np.linalg.eigh(x, UPLO)
    return v @ (diag(g) + undecided(g, w)) @ T(v)


def svdvals_back(g, x):
    """U diag(g) Vᵀ."""
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return u @ (diag(g) + undecided(g, s)) @ vh


def eigh_packed(x, UPLO="L"):
    """The eigenvectors of x, and below them its eigenvalues."""
    w, v = np.linalg.eigh(x, UPLO)
    return np.concatenate([v, w[..., None, :]], -2)


def eigh_back(g, y):
    """V (diag(g of w) + m / gaps) Vᵀ, where m is the antisymmetric part of Vᵀ (g of V)."""
    (v, w), (gv, gw) = ((p[..., :-1, :], p[..., -1, :]) for p in (y, g))
    m = T(v) @ gv
    gap = np.expand_dims(w, -2) - np.expand_dims(w, -1)
    turn = divided((m - T(m)) / 2, gap, coincide(w), either(used(gv, -2)))
    return v @ (diag(gw) + undecided(gw, w) + turn) @ T(v)


eigh_packed = op(eigh_packed, lambda g, y, x, UPLO="L": eigh_back(g, y), name="eigh", at=hermitian)


@composed(np.linalg.eigh, at=hermitian)
def eigh(a, UPLO="L"):
    """Eigenvalues w, increasing, and eigenvectors V of a symmetric matrix: a = V diag(w) Vᵀ."""
    packed = eigh_packed(a, UPLO)
    return EighResult(packed[..., -1, :], packed[..., :-1, :])


def svd_packed(x):
    """Uᵀ, the singular values and Vᵀ side by side."""
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return np.concatenate([T(u), s[..., None], vh], -1)


def unpacked(p, m):
    """U of m rows, the singular values and Vᵀ."""
    return T(p[..., :m]), p[..., m], p[..., m + 1 :]


def svd_back(g, y, x):
    """As in Townsend, "Differentiating the singular value decomposition" (2016)."""
    m, n = x.shape[-2:]
    (u, s, vh), (gu, gs, gvh) = unpacked(y, m), unpacked(g, m)
    row, column = np.expand_dims(s, -2), np.expand_dims(s, -1)
    asked, vanish = np.logical_or(used(gu, -2), used(gvh, -1)), s <= rounding(s)
    mu, mv, gap = T(u) @ gu, vh @ T(gvh), (row - column) * (row + column)
    turn_u, turn_v = (divided(p - T(p), gap, coincide(s), either(asked)) for p in (mu, mv))
    result = u @ (diag(gs) + undecided(gs, s) + turn_u * row + column * turn_v) @ vh
    if m > n:
        result = result + divided(gu - u @ mu, row, np.expand_dims(vanish, -2), np.expand_dims(asked, -2)) @ vh
    if m < n:
        result = result + u @ divided(gvh - T(mv) @ vh, column, np.expand_dims(vanish, -1), np.expand_dims(asked, -1))
    return result


svd_packed = op(svd_packed, lambda g, y, x: svd_back(g, y, x), name="svd", at=[*square, call((4, 2)), call((2, 2, 3))])


@composed(np.linalg.svd, at=[
    call((3, 3)), call((4, 2), full_matrices=False), call((2, 2, 3), full_matrices=False),
    call((3, 2), compute_uv=False)])
def svd(a, full_matrices=True, compute_uv=True):
    """U, s and Vᵀ with a = U diag(s) Vᵀ and s decreasing."""
    if not compute_uv:
        return np.linalg.svdvals(a)
    packed = svd_packed(a)
    if full_matrices and a.shape[-1] != a.shape[-2]:
        raise ValueError("np.linalg.svd() of a Tensor takes full_matrices=False; the other vectors have no derivative.")
    return SVDResult(*unpacked(packed, a.shape[-2]))


def rounding(w):
    """How far apart rounding alone may put two of the eigenvalues or singular values w."""
    return w.shape[-1] * np.finfo(w.dtype).eps * largest(w)


def largest(x):
    """The largest absolute value on the last axis, kept; 0 where nothing is there."""
    return np.max(np.abs(x), -1, keepdims=True) if x.shape[-1] else np.sum(x, -1, keepdims=True)


def coincide(w):
    """Which pairs of places in w hold the same eigenvalue or singular value."""
    gap = np.abs(np.expand_dims(w, -2) - np.expand_dims(w, -1))
    return np.logical_and(gap <= np.expand_dims(rounding(w), -1), ~np.eye(w.shape[-1], dtype=bool))


def undecided(g, w):
    """NaN for pairs with one eigenvalue between them but two gradients, as either could be the first; 0 for others."""
    apart = np.abs(np.expand_dims(g, -2) - np.expand_dims(g, -1))
    tolerance = np.finfo(g.dtype).eps ** 0.5 * largest(g)
    return np.where(np.logical_and(coincide(w), apart > np.expand_dims(tolerance, -1)), np.nan, 0)


def divided(m, by, vanishes, asked):
    """m / by, and where `by` vanishes, NaN if that was asked for, else 0. On a diagonal 0 / 0 is 0."""
    by = np.where(vanishes, np.nan, np.where(by == 0, 1, by))
    return np.where(np.logical_and(vanishes, np.logical_not(asked)), 0, m / by)


def used(g, axis):
    """Which of the vectors that lie along axis a gradient arrived at."""
    return np.any(g != 0, axis)


def either(flags):
    """For each pair of vectors, whether one of the two has its flag set."""
    return np.logical_or(np.expand_dims(flags, -2), np.expand_dims(flags, -1))


# ---- norms --------------------------------------------------------------------------------------------------------

def vector_norm(x, ord=None, axis=None, keepdims=False):
    """(Σ |x|^ord)^(1/ord) over axis."""
    return np.linalg.norm(x, ord, axis, keepdims)


def norm_back(g, y, x, ord, axis, keepdims):
    """g ∂y/∂x, and 0 at x = 0 as in PyTorch."""
    if ord in (None, 2, "fro"):
        return keep(over(g, y), axis, keepdims) * x
    if ord in (np.inf, -np.inf):
        return divide_evenly(g, y, np.abs(x), axis, keepdims) * np.sign(x)
    if ord == 0:
        return np.zeros_like(x)
    x_power = np.sign(x) * (np.abs(x) + (x == 0)) ** (ord - 1)
    return keep(g * (y != 0) / (y + (y == 0)) ** (ord - 1), axis, keepdims) * x_power


vector_norm = op(
    vector_norm,
    lambda g, y, x, ord=None, axis=None, keepdims=False: norm_back(g, y, x, ord, axis, keepdims),
    name="norm", symbol="‖x‖", at=[
        call((3, 4)), call((3, 4), axis=0), call((2, 3, 4), axis=(0, 2), keepdims=True), call((3, 4), ord="fro"),
        *(call((3, 4), ord=p, axis=-1) for p in (0, 1, 2, 3, 2.5, -1, np.inf, -np.inf))],
)


@composed(np.linalg.norm, at=[
    call((3,)), call((3,), ord=3), call((2, 3, 4), ord="fro", axis=(0, 2)),
    *(call((3, 4), ord=p) for p in (1, -1, 2, -2, np.inf, -np.inf, "nuc")),
    call((2, 3, 4), ord=1, axis=(2, 0), keepdims=True)])
def norm(x, ord=None, axis=None, keepdims=False):
    """The norm of vectors, or of the matrices on two axes."""
    axes = axes_of(x, axis)
    if len(axes) != 2 or ord in (None, "fro"):
        return vector_norm(x, ord, axis, keepdims)
    matrices = np.moveaxis(x, axes, (-2, -1))
    if ord in (2, -2, "nuc"):
        values = np.linalg.svdvals(matrices)
    elif ord in (1, -1, np.inf, -np.inf):
        values = np.sum(np.abs(matrices), axis=-2 if abs(ord) == 1 else -1)
    else:
        raise ValueError(f"np.linalg.norm() knows no norm {ord!r} of matrices.")
    if ord == "nuc" or ord > 0 and not values.shape[-1]:  # the largest of none is 0
        result = np.sum(values, -1)
    else:
        result = np.max(values, -1) if ord > 0 else np.min(values, -1)
    return np.expand_dims(result, axes) if keepdims else result


@composed(np.linalg.vector_norm, at=[
    call((2, 3)), call((2, 3), ord=1, keepdims=True), call((2, 3, 4), axis=(0, 2), ord=3)])
def norm_over_axes(x, /, *, axis=None, keepdims=False, ord=2):
    """The norm of all elements on the given axes, as of one vector."""
    axes = axes_of(x, axis)
    front = np.moveaxis(x, axes, range(len(axes)))
    result = norm(np.reshape(front, (count(x, axis), *front.shape[len(axes) :])), ord, 0)
    return np.expand_dims(result, axes) if keepdims else result


@composed(np.linalg.matrix_norm, at=[call((3, 4)), call((2, 3, 4), ord=1)])
def matrix_norm(x, /, *, keepdims=False, ord="fro"):
    """The norm of the matrices on the last two axes."""
    return norm(x, ord, (-2, -1), keepdims)


# ---- np.linalg's own variants of what stands elsewhere ------------------------------------------------------------

composed(np.linalg.matrix_transpose, at=square)(lambda x, /: T(x))
composed(np.linalg.trace,    at=square)(lambda x, /, *, offset=0: np.trace(x, offset, -2, -1))
composed(np.linalg.diagonal, at=square)(lambda x, /, *, offset=0: np.diagonal(x, offset, -2, -1))
composed(np.linalg.cross,    at=[call((3,), (2, 3))])(lambda x1, x2, /, *, axis=-1: np.cross(x1, x2, axis=axis))


@composed(np.linalg.outer, at=[call((3,), (4,))])
def outer(x1, x2, /):
    """The products of every element of one vector and every one of another."""
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError(
            f"np.linalg.outer() takes two vectors, but the shapes are {np.shape(x1)} and {np.shape(x2)}; "
            "np.outer() makes vectors of them."
        )
    return np.outer(x1, x2)
