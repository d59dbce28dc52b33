"""Functions that SciPy has and NumPy lacks, under SciPy's names, beside their derivatives.

They take numbers, arrays and Tensors, keep float16, float32 and float64, and never warn: at ±1000 and ±∞ is the limit.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from .derivatives import keep
from .operations import call, op

__all__ = ["erf", "expit", "log_softmax", "logsumexp", "ndtr", "softmax", "xlogy"]


def floating(function):
    """function on float arrays: integers become float64, float16 is computed in float32, a scalar returns a scalar."""

    @functools.wraps(function)
    @np.errstate(all="ignore")  # overflow to ∞ and underflow to 0 are right wherever they happen here
    def wrapped(x, *args, **kwargs):
        if x.__class__ is np.ndarray and x.dtype.char in "fd" and x.ndim:
            y = function(x, *args, **kwargs)
            return y if y.ndim else y[()]
        x = np.asarray(x)
        dtype = x.dtype
        if dtype.kind in "biu":
            dtype = np.dtype(np.float64)
        elif dtype.kind != "f":
            raise TypeError(f"{function.__name__} takes real numbers, not {dtype}. Convert first: x.astype(float).")
        work = np.float32 if dtype == np.float16 else dtype
        y = function(x.astype(work, copy=False) if x.ndim else x.astype(work).reshape(1), *args, **kwargs)
        y = y.astype(dtype, copy=False)
        return y if x.ndim and y.ndim else y.reshape(())[()]

    return wrapped


elementwise = [call((3, 4)), call(())]
along = [call((3, 4)), call((3, 4), axis=-1), call((2, 3, 4), axis=(0, 2))]

# ---- the error function -------------------------------------------------------------------------------------------
# Both sets of coefficients were fitted by us, in 60-digit arithmetic, each error weighted by what it does to erf: by
# rational least squares (Sanathanan and Koerner, 1963), for float32 then by Remez exchange. Lowest power first. All but
# one are positive, so that Horner's rule loses nothing to cancellation; and the 1 of 2/√π = 1.128... stands outside of
# the quotient, so that near 0 the quotient's rounding counts an eighth.

# float32: artanh(erf x) = x + x P(x²)/Q(x²) on |x| ≤ 3.95; the fit is off by 1.1e-8 of erf
P32 = (0.128379181, 0.119622052, 0.0157915223, 0.00138902222, -1.52496395e-05)
Q32 = (1.0, 0.131250456, 0.0195515156)

# float64: −log(1 − erf a) = a + a P(a)/Q(a) on 0 ≤ a ≤ 5.95; the fit is off by 2.0e-18 of erf
P64 = (0.12837916709551256, 0.8510478011849836, 1.336813015857702, 1.0801225133927137, 0.5305725565898108,
       0.16507563964580613, 0.03152258924399752, 0.0032413240307092536, 0.00011811896880820109)
Q64 = (1.0, 1.670271225999384, 1.3297541083199713, 0.631294643629542, 0.18830549097343613,
       0.03432164068188975, 0.003357021911052802, 0.00011814006849180991)


def polynomial(coefficients, x):
    """c₀ + c₁ x + c₂ x² + ... by Horner's rule, in one new array."""
    *lower, highest = coefficients
    y = x * highest
    for c in lower[:0:-1]:
        y += c
        y *= x
    y += lower[0]
    return y


@floating
def erf(x):
    """erf(x) = 2/√π ∫₀ˣ exp(−t²) dt, elementwise: odd, and never beyond ±1.

    float32: tanh(x R(x²)), within 2.5 units in the last place of the exact value.
    float64: ±(1 − exp(−|x| R(|x|))), within 2 units in the last place of math.erf; a single number is math.erf itself.
    """
    if x.size == 1:
        return np.full_like(x, math.erf(x.item()))
    if x.dtype == np.float32:
        z = np.clip(x, -4.25, 4.25)  # from 3.92 on, erf is 1 to the last bit; the square must not overflow
        u = z * z
        y = polynomial(P32, u)
        y /= polynomial(Q32, u)
        y *= z
        y += z
        return np.tanh(y, out=y)
    a = np.clip(x, -6.0, 6.0)  # from 5.93 on, erf is 1 to the last bit
    np.abs(a, out=a)
    y = polynomial(P64, a)
    y /= polynomial(Q64, a)
    y *= a
    y += a
    np.negative(y, out=y)
    np.expm1(y, out=y)
    return np.copysign(y, x, out=y)


erf = op(erf, lambda g, y, x: g * (2 / math.sqrt(math.pi)) * np.exp(-np.square(np.clip(x, -40, 40))), at=elementwise)


def ndtr(x):
    """Φ(x) = (1 + erf(x/√2)) / 2, the normal distribution function, to 1e-16 (not relatively so in the left tail)."""
    return (1 + erf(np.multiply(x, math.sqrt(0.5)))) * 0.5


# ---- logistic functions -------------------------------------------------------------------------------------------

@floating
def expit(x):
    """σ(x) = 1 / (1 + exp(−x)), the logistic function.

    This plain form is the accurate one: (1 + tanh(x/2)) / 2 is all cancellation in the left tail, where this one keeps
    its relative accuracy, expit(−700) = 9.86e-305. Where exp(−x) overflows it is 0; the true value there is subnormal.
    """
    y = np.negative(x)
    np.exp(y, out=y)
    y += 1
    return np.reciprocal(y, out=y)


@floating
def softmax(x, axis=None):
    """exp(x) / Σ exp(x) over axis, None for all axes. As in SciPy, NaN where +∞ is present or all is −∞."""
    m = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    y = x - m  # exp would overflow; the shift cancels in the quotient
    np.exp(y, out=y)
    y /= np.sum(y, axis=axis, keepdims=True)
    return y


def shift(x, axis):
    """The maximum of x along axis, axes kept, with 0 for one that is infinite: what to subtract before exp."""
    m = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    return np.where(np.isfinite(m), m, np.zeros((), x.dtype))


@floating
def log_softmax(x, axis=None):
    """x − log Σ exp(x) over axis, None for all axes. NaN where +∞ is present or all is −∞, as in PyTorch."""
    y = x - np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    y -= np.log(np.sum(np.exp(y), axis=axis, keepdims=True))
    return y


@floating
def logsumexp(a, axis=None, keepdims=False):
    """log Σ exp(a) over axis, None for all axes; −∞ where all is −∞ or nothing is there, ∞ where +∞ is.

    Its gradient is softmax(a): of equal numbers the same for each, and NaN for all where +∞ is. PyTorch's, exp(a − y),
    loses digits as y grows, to 1 for each of several equal numbers like 1e300; and where one is +∞ is 0 for the others.
    """
    m = shift(a, axis)
    y = a - m
    np.exp(y, out=y)
    y = np.log(np.sum(y, axis=axis, keepdims=True))
    y += m
    return y if keepdims else np.squeeze(y, axis=axis)


@np.errstate(all="ignore")
def xlogy(x, y):
    """x log(y), and 0 where x is 0, unless y is NaN. A Python number does not widen the other argument, as in NumPy."""
    x, y = (v if isinstance(v, (int, float)) else np.asarray(v) for v in (x, y))
    dtype = np.result_type(x, y)
    if dtype.kind != "f":
        dtype = np.dtype(np.float64)
    z = np.where((x == 0) & ~np.isnan(y), dtype.type(1), y)
    np.log(z, out=z)
    z *= x
    return z[()]


def log_but(y, without):
    """log y, and 0 where `without` says so."""
    return np.log(np.where(without, 1, y))


expit = op(expit, lambda g, y, x: g * y * (1 - y), symbol="σ", at=elementwise)
xlogy = op(xlogy, lambda g, z, x, y: g * log_but(y, (x == 0) & (y <= 0)), lambda g, z, x, y: g * x / y, on=(0.2, 2),
           at=[call((3, 4), (3, 4)), call((2, 3), (3,)), call((), ())])

softmax     = op(softmax,     lambda g, y, x, axis=None: y * (g - np.sum(g * y, axis, keepdims=True)),         at=along)
log_softmax = op(log_softmax, lambda g, y, x, axis=None: g - np.exp(y) * np.sum(g, axis, keepdims=True),       at=along)
logsumexp   = op(logsumexp,   lambda g, y, a, axis=None, keepdims=False: keep(g, axis, keepdims) * softmax(a, axis),
                              at=[*along, call((2, 3), axis=0, keepdims=True)])
