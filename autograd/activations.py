"""The activation functions of networks beside their derivatives, under PyTorch's names; `nn.functional` passes them on.

They take numbers, arrays and Tensors, keep float16, float32 and float64, and never warn: at ±1000 is the limit.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from .operations import call, op
from .special import expit, floating, ndtr

elementwise = [call((3, 4)), call(())]


def relu(input):
    """max(0, x)."""
    if input.__class__ is np.ndarray and input.dtype.char in "fd":  # the maximum with a number is NumPy's slowest one
        if input.size <= 1 << 16:
            return np.maximum(zeros(input.shape, input.dtype), input)  # in this order −0 stays −0, as in clip
        return np.clip(input, 0, np.inf)
    if isinstance(input, np.floating):  # one number, for which NumPy's function takes ten times as long
        return type(input)(0) if input < 0 else input
    return np.maximum(input, 0)


zeros = functools.lru_cache(maxsize=16)(np.zeros)  # of up to 65,536 elements: 8 MB are kept at most


@floating
def leaky_relu(input, negative_slope=0.01):
    """x where x > 0, else negative_slope · x."""
    y = input * negative_slope
    if negative_slope == 0:
        np.copyto(y, input, where=input > 0)  # ∞ · 0 is NaN, and so would the maximum be
    return (np.maximum if negative_slope <= 1 else np.minimum)(input, y, out=y)


@floating
def elu(input, alpha=1.0):
    """x where x > 0, else alpha (exp(x) − 1)   (Clevert et al., 2015).

    At NaN the derivative is NaN; PyTorch's is NaN or 1, according to the place in the array.
    """
    y = np.clip(input, -np.inf, 0)
    np.expm1(y, out=y)
    y *= alpha
    y += np.clip(input, 0, np.inf)  # clip with two bounds is NumPy's fastest maximum with a number
    return y


@floating
def softplus(input, beta=1.0, threshold=20.0):
    """log(1 + exp(beta x)) / beta, and x itself where beta x > threshold, as in PyTorch (2.1e-9 is lost there)."""
    z = input * beta
    y = np.clip(z, -np.inf, threshold)
    np.exp(y, out=y)
    np.log1p(y, out=y)
    y /= beta
    np.copyto(y, input, where=z > threshold)
    return y


@np.errstate(over="ignore")  # σ(±∞) is right too
def softplus_slope(x, beta, threshold):
    """σ(beta x), and 1 where beta x > threshold."""
    z = x * beta
    return np.where(z > threshold, 1, expit(z))


def swish(sigma, input):
    """x σ(x), with σ(x) = 1 / (1 + exp(−x)); also called Swish."""
    return np.multiply(input, sigma)


def gaussian(phi, input, approximate="none"):
    """x Φ(x), with Φ the normal distribution function   (Hendrycks and Gimpel, 2016).

    approximate   "none": Φ exactly, by erf; "tanh": Φ(x) ≈ (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, as in GPT-2;
                  its derivative is 0 or 1 at the largest numbers, where PyTorch's is NaN
    """
    return np.multiply(input, phi)


def normal(x, approximate="none"):
    """Φ(x)."""
    if approximate == "none":
        return ndtr(x)
    if approximate == "tanh":
        x = np.clip(x, -40, 40)  # from where on Φ is 0 or 1 to the last bit, and x² does not overflow
        return (1 + np.tanh(x * (scale + scale * 0.044715 * np.square(x)))) * 0.5
    raise ValueError(f"gelu's approximate is 'none' or 'tanh', not {approximate!r}.")


@np.errstate(over="ignore")  # exp(−∞) is right too
def density(x, phi, approximate):
    """Φ′(x): exp(−x²/2) / √(2π), or the derivative of the form with tanh."""
    if approximate == "none":
        return np.exp(x * x * -0.5) * (scale * 0.5)
    x = np.clip(x, -40, 40)
    return 2 * phi * (1 - phi) * (scale + 3 * scale * 0.044715 * x * x)


scale = math.sqrt(2 / math.pi)

relu       = op(relu,       lambda g, y, x: g * (y != 0), at=elementwise)  # y ≥ 0; at NaN it is 1, as in PyTorch
leaky_relu = op(leaky_relu, lambda g, y, x, negative_slope=0.01: np.where(x > 0, g, g * negative_slope),
                            at=[*elementwise, call((3,), negative_slope=0.3), call((3,), negative_slope=1.5)])
elu        = op(elu,        lambda g, y, x, alpha=1.0: g * np.where(x > 0, 1, y + alpha),  # the y of +∞ stays out
                            at=[*elementwise, call((4,), alpha=0.5)])
softplus   = op(softplus,   lambda g, y, x, beta=1.0, threshold=20.0: g * softplus_slope(x, beta, threshold),
                            at=[*elementwise, call((4,), beta=2.0, threshold=1.0)])
silu       = op(swish,      lambda g, y, s, x: g * (s + y * (1 - s)),
                            saves=expit, name="silu", at=elementwise)
gelu       = op(gaussian,   lambda g, y, s, x, approximate="none": g * (s + x * density(x, s, approximate)),
                            saves=normal, name="gelu", at=[*elementwise, call((3, 4), approximate="tanh")])
