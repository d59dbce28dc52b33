"""Layers that normalise: y = γ (x − mean) / √(var + ε) + β, over the batch or over the features of each example."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import call, get_default_dtype, op

from . import init
from .activations import as_operand
from .layers import empty
from .module import Module, Parameter


def mean(x: Any, axis: Any) -> Any:
    """The mean along axis, axes kept, without the checks for which np.mean takes its time."""
    if x.__class__ is np.ndarray:
        if x.dtype.char == "e" or len(x) > 1 << 13 and 0 in axis:  # sums would be beyond 65,504, or lose digits
            return np.mean(x, axis, np.float64, keepdims=True).astype(x.dtype)
        if axis == (0,) and x.ndim == 2 and x.dtype.char in "fd":
            return weights(len(x), 1 / len(x), x.dtype).dot(x)[None]  # by BLAS: a quarter of the time
    total = np.add.reduce(x, axis=axis, keepdims=True)
    return total / (x.size / (total.size or 1))  # nothing has an empty mean


weights = functools.lru_cache(maxsize=64)(np.full)


def standardised(x: Any, w: Any, b: Any, axis: Any, eps: float = 1e-5, watch: Any = None) -> Any:
    """(x^, 1/√(var + ε), mean, var), where x^ = (x − mean) / √(var + ε)."""
    m = mean(x, axis)
    centred = x - m
    var = mean(centred * centred, axis)
    r = np.reciprocal(np.sqrt(var + eps))
    return centred * r, r, m, var


def scaled_and_shifted(s: Any, x: Any, w: Any, b: Any, axis: Any, eps: float = 1e-5, watch: Any = None) -> Any:
    x_hat, _, m, var = s
    y = x_hat * w
    y += b
    if watch is not None:
        watch(m, var)
    return y


def input_gradient(h: Any, x_hat: Any, r: Any, axis: Any) -> Any:
    """What x is sent when x^ is sent h: mean and variance depend on x too, hence the two terms that are subtracted."""
    return r * (h - mean(h, axis) - x_hat * mean(h * x_hat, axis))


# fmt: off
normalise = op(
    scaled_and_shifted,
    lambda g, y, s, x, w, b, axis, eps=1e-5, watch=None: input_gradient(g * w, s[0], s[1], axis),
    lambda g, y, s, x, w, b, axis, eps=1e-5, watch=None: g * s[0],
    lambda g, y, s, x, w, b, axis, eps=1e-5, watch=None: g,
    saves=standardised, name="normalise",
    at=[call((5, 3), (3,), (3,), axis=0), call((4, 3, 2), (3, 1), (3, 1), axis=(0, 2), eps=0.1),
        call((3, 4), (4,), (4,), axis=-1)],
)
# fmt: on


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """y = γ (x − mean) / √(var + ε) + β for each feature, for x of shape (n, features) or (n, features, length).

    training         use mean and variance of the batch, of which the running ones move towards by the share `momentum`;
                     otherwise use the running ones. The running variance is the unbiased one, Σ (x − mean)² / (n − 1)
    """
    input = as_operand(input)
    shape = input.shape
    if len(shape) < 2:
        raise ValueError(f"batch_norm takes an input of shape (n, features, ...), but this has shape {shape}.")
    if not training and (running_mean is None or running_var is None):
        raise ValueError("batch_norm needs running_mean and running_var, or training=True, to use those of the batch.")
    features, further = shape[1], shape[2:]

    def beside(x: Any) -> Any:
        """x, one number for each feature, in a shape that broadcasts with the input's."""
        return np.reshape(x, (features, *[1] * len(further))) if further else x

    w, b = (1.0 if weight is None else beside(weight)), (0.0 if bias is None else beside(bias))
    if not training:
        return (input - beside(running_mean)) * (w / np.sqrt(beside(running_var) + eps)) + b
    n = shape[0] * math.prod(further)
    if n < 2:
        remedy = ": without running statistics those of the batch are used always, after eval() too."
        if running_mean is not None:
            remedy = " (DataLoader's drop_last=True leaves out a last one that is too small), or model.eval()."
        raise ValueError(
            f"BatchNorm in training needs at least two values of each feature, but the input has shape {shape}. "
            f"Use a larger batch{remedy}"
        )

    def watch(m: Any, var: Any) -> None:
        for running, now in ((running_mean, m), (running_var, var * (n / (n - 1)))):
            if running is not None:
                running += momentum * (now.ravel() - running)

    return normalise(input, w, b, axis=(0, *range(2, len(shape))), eps=eps, watch=watch)


def start(weight: Parameter | None, bias: Parameter | None) -> None:
    """γ = 1 and β = 0, where they exist."""
    if weight is not None:
        init.ones_(weight)
    if bias is not None:
        init.zeros_(bias)


class BatchNorm1d(Module):
    """y = γ (x − mean) / √(var + ε) + β for each feature, over the batch   (Ioffe and Szegedy, 2015).

    x has shape (n, num_features) or (n, num_features, length). In training mean and variance are the batch's, and
    running_mean ← running_mean + momentum · (mean − running_mean), running_var likewise by the unbiased variance; after
    `eval()` they are the running ones. momentum=None makes these plain averages over all batches; without
    track_running_stats there are none, and the batch's are used always.
    """

    running_mean: Any  # buffers
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.weight = empty((num_features,), dtype) if affine else None
        self.bias = empty((num_features,), dtype) if affine else None
        dtype = get_default_dtype() if dtype is None else dtype
        self.register_buffer("running_mean", np.empty(num_features, dtype) if track_running_stats else None)
        self.register_buffer("running_var", np.empty(num_features, dtype) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", np.array(0) if track_running_stats else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the running statistics."""
        if self.track_running_stats:
            self.running_mean[...], self.running_var[...], self.num_batches_tracked[...] = 0, 1, 0

    def reset_parameters(self) -> None:
        """Start again."""
        self.reset_running_stats()
        start(self.weight, self.bias)

    def forward(self, input: Any) -> Any:
        input = as_operand(input)
        shape = input.shape
        if len(shape) not in (2, 3) or shape[1] != self.num_features:
            raise ValueError(
                f"BatchNorm1d({self.num_features}) takes an input of shape (n, {self.num_features}) or "
                f"(n, {self.num_features}, length), but this has shape {shape}."
            )
        tracking = self.training and self.track_running_stats
        momentum = self.momentum
        if momentum is None:
            momentum = 1 / (self.num_batches_tracked.item() + 1) if tracking else 0.0
        training = self.training or not self.track_running_stats
        y = batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, training, momentum, self.eps)
        if tracking:
            self.num_batches_tracked[...] = self.num_batches_tracked.item() + 1
        return y

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


def lengths(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    """normalized_shape as a tuple; a number is the length of the last axis."""
    return normalized_shape if isinstance(normalized_shape, tuple) else tuple(np.atleast_1d(normalized_shape).tolist())


def layer_norm(
    input: Any, normalized_shape: int | Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """y = γ (x − mean) / √(var + ε) + β for each example: mean and variance over the last axes, of normalized_shape."""
    input, shape = as_operand(input), lengths(normalized_shape)
    if input.shape[-len(shape) :] != shape:
        raise ValueError(f"layer_norm over {shape} takes an input that ends so, but this has shape {input.shape}.")
    w, b = 1.0 if weight is None else weight, 0.0 if bias is None else bias
    return normalise(input, w, b, axis=tuple(range(-len(shape), 0)), eps=eps)


class LayerNorm(Module):
    """y = γ (x − mean) / √(var + ε) + β for each example, over its last axes, normalized_shape   (Ba et al., 2016)."""

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = lengths(normalized_shape)
        if not self.normalized_shape:
            raise ValueError("LayerNorm() needs the length of at least one axis to normalise over.")
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = empty(self.normalized_shape, dtype) if elementwise_affine else None
        self.bias = empty(self.normalized_shape, dtype) if elementwise_affine and bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start again."""
        start(self.weight, self.bias)

    def forward(self, input: Any) -> Any:
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        affine = f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        return f"{self.normalized_shape}, eps={self.eps}, {affine}"
