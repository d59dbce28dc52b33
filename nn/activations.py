"""Activations: the nonlinearities between layers, as functions and as modules.

Without one, stacked layers are a single affine map. Each class shows its formula; the derivative stands beside the
function, here or in `autograd.activations` and `autograd.special`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, call, op, special
from autograd.activations import elu, gelu, leaky_relu, relu, silu, softplus
from autograd.advice import described, meant
from autograd.special import expit

from .module import Function

# ---- functions ----------------------------------------------------------------------------------------------------


def tanh(input: Any) -> Any:
    """tanh(x)."""
    return input.tanh() if isinstance(input, Tensor) else np.tanh(as_operand(input))


def sigmoid(input: Any) -> Any:
    """σ(x) = 1 / (1 + exp(−x))."""
    return expit(input)


def logsigmoid(input: Any) -> Any:
    """log σ(x) = −log(1 + exp(−x))."""
    return -np.logaddexp(0.0, -as_operand(input))


def selu(input: Any) -> Any:
    """λ elu(x, α), with the λ and α that keep mean 0 and variance 1   (Klambauer et al., 2017)."""
    return elu(input, alpha=1.6732632423543772) * 1.0507009873554805


def mish(input: Any) -> Any:
    """x tanh(log(1 + exp(x)))   (Misra, 2019)."""
    x = as_operand(input)
    return x * np.tanh(softplus(x))


def softsign(input: Any) -> Any:
    """x / (1 + |x|)."""
    x = as_operand(input)
    return x / (1 + np.abs(x))


hardtanh = op(
    lambda input, min_val=-1.0, max_val=1.0: np.clip(input, min_val, max_val),
    lambda g, y, x, min_val=-1.0, max_val=1.0: g * ((x > min_val) & (x < max_val)),
    name="hardtanh", at=[call((3, 4)), call((3,), min_val=-0.5, max_val=0.7)],
)  # fmt: skip
hardtanh.__doc__ = """x, but no less than min_val and no more than max_val.

At NaN the derivative is 0; PyTorch's is 0 or 1, according to the place in the array.
"""


def softmax(input: Any, dim: int | None = None) -> Any:
    """exp(x_i) / Σ_j exp(x_j), the sum along the axis dim."""
    return special.softmax(input, axis=axis("softmax", dim))


def log_softmax(input: Any, dim: int | None = None) -> Any:
    """x_i − log Σ_j exp(x_j), the sum along the axis dim."""
    return special.log_softmax(input, axis=axis("log_softmax", dim))


def axis(name: str, dim: int | None) -> int:
    """dim, which must be given."""
    if dim is None:
        raise ValueError(f"{name} needs to know along which axis the sum is 1: dim=-1 if scores are (batch, classes).")
    return dim


def as_operand(x: Any) -> Any:
    """x as something that operators compute with; what is no number is refused."""
    if isinstance(x, Tensor):
        return x
    array = np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"A layer takes real numbers, not {described(x)}. {meant(x)}")
    return array


# ---- modules ------------------------------------------------------------------------------------------------------


class Activation(Function):
    """What activations share: their options are attributes, which `repr` shows."""

    def __init__(self) -> None:
        super().__init__()

    def extra_repr(self) -> str:
        options = ((k, v) for k, v in vars(self).items() if k != "training" and not k.startswith("_"))
        return ", ".join(f"{k}={v!r}" for k, v in options)


class ReLU(Activation):
    """max(0, x). inplace is PyTorch's: accepted, but no values are overwritten here."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()

    forward = staticmethod(relu)


class LeakyReLU(Activation):
    """x where x > 0, else negative_slope · x."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope

    def forward(self, input: Any) -> Any:
        return leaky_relu(input, negative_slope=self.negative_slope)


class ELU(Activation):
    """x where x > 0, else α (exp(x) − 1); the derivative at NaN is NaN, but PyTorch's here and there 1."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, input: Any) -> Any:
        return elu(input, alpha=self.alpha)


class SELU(Activation):
    """λ x where x > 0, else λ α (exp(x) − 1), with λ ≈ 1.0507 and α ≈ 1.6733; at NaN as ELU, not as PyTorch."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()

    forward = staticmethod(selu)


class GELU(Activation):
    """x Φ(x), Φ the normal distribution function; approximate="tanh": (x/2) (1 + tanh(√(2/π) (x + 0.044715 x³))).

    The derivative of that form is 0 or 1 at the largest numbers, where PyTorch's is NaN.
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise ValueError(f"GELU's approximate is 'none' or 'tanh', not {approximate!r}.")
        self.approximate = approximate

    def forward(self, input: Any) -> Any:
        return gelu(input, approximate=self.approximate)


class SiLU(Activation):
    """x σ(x)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()

    forward = staticmethod(silu)


Swish = SiLU  # the name in Ramachandran et al. (2017)


class Mish(Activation):
    """x tanh(log(1 + exp(x)))."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()

    forward = staticmethod(mish)


class Sigmoid(Activation):
    """1 / (1 + exp(−x))."""

    forward = staticmethod(sigmoid)


class LogSigmoid(Activation):
    """−log(1 + exp(−x))."""

    forward = staticmethod(logsigmoid)


class Tanh(Activation):
    """tanh(x)."""

    forward = staticmethod(tanh)


class Softplus(Activation):
    """log(1 + exp(β x)) / β, and x where β x > threshold."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Any) -> Any:
        return softplus(input, beta=self.beta, threshold=self.threshold)


class Softsign(Activation):
    """x / (1 + |x|)."""

    forward = staticmethod(softsign)


class Hardtanh(Activation):
    """min_val where x < min_val, max_val where x > max_val, else x; the derivative at NaN is 0, PyTorch's 0 or 1."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        if min_val >= max_val:
            raise ValueError(f"Hardtanh needs min_val < max_val, not {min_val} and {max_val}.")
        self.min_val, self.max_val = min_val, max_val

    def forward(self, input: Any) -> Any:
        return hardtanh(input, min_val=self.min_val, max_val=self.max_val)


class Softmax(Activation):
    """exp(x_i) / Σ_j exp(x_j), the sum along the axis dim."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return softmax(input, self.dim)


class LogSoftmax(Activation):
    """x_i − log Σ_j exp(x_j), the sum along the axis dim."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return log_softmax(input, self.dim)
