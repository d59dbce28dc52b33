"""Layers: what is learned, what normalises, what drops; as functions and as modules.

Where formulas would leave several nodes in the graph there is one operation, `op(function, rule for each argument)`,
whose rules are written in the same vocabulary and so can be differentiated themselves.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Tensor, call, get_default_dtype, op
from autograd.advice import described
from autograd.products import sum_of_rows

from . import init
from .activations import as_operand
from .module import Module, Parameter
from .random import decided, generator_or_default

if TYPE_CHECKING:
    from numpy.random import Generator


def empty(shape: tuple[int, ...], dtype: Any) -> Parameter:
    """A Parameter to be filled, of autograd's default dtype if dtype is None."""
    dtype = np.dtype(get_default_dtype() if dtype is None else dtype)
    if dtype.kind != "f":
        raise TypeError(
            f"A layer learns floating point numbers; its dtype can be np.float32 or np.float64, not {dtype}."
        )
    for n in shape:
        if not isinstance(n, (int, np.integer)) or n < 0:
            raise TypeError(f"A layer's sizes are whole numbers, but this is {n!r}. Write n // 2, not n / 2, for half.")
    return Parameter(np.empty(shape, dtype))


# ---- y = x Wᵀ + b -------------------------------------------------------------------------------------------------


def product_and_sum(x: Any, w: Any, b: Any) -> Any:
    y = times(x, w.T)
    if b is not None:
        y += b
    return y


def times(a: Any, b: Any) -> Any:
    """a @ b, for a matrix b. dot() has less to ask, which takes half as long for small matrices, but clears the result
    first, which for large ones costs more."""
    return a.dot(b) if a.ndim == 2 and len(a) * b.shape[1] < 1 << 14 else a @ b


def rows(x: Any) -> Any:
    """x as a matrix whose rows run along its last axis."""
    return x if x.ndim == 2 else np.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


# fmt: off
affine = op(
    product_and_sum,
    lambda g, y, x, w, b: times(g, w),                # (..., n_in)
    lambda g, y, x, w, b: times(rows(g).T, rows(x)),  # (n_out, n_in)
    lambda g, y, x, w, b: sum_of_rows(rows(g)),       # (n_out,)
    name="linear", at=[call((5, 3), (2, 3), (2,)), call((3,), (2, 3), (2,)), call((4, 5, 3), (2, 3), None)],
)
# fmt: on


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """y = x Wᵀ + b, for x of shape (..., n_in), W (n_out, n_in), b (n_out,) or None; y has shape (..., n_out)."""
    try:
        return affine(input, weight, bias)
    except (TypeError, ValueError) as error:
        if isinstance(input, (tuple, list)) and any(isinstance(part, (Tensor, np.ndarray)) for part in input):
            raise TypeError(
                f"linear: the input is a {type(input).__name__} of {len(input)} arrays, not one. A batch is unpacked: "
                "for x, y in loader."
            ) from error
        x, w = (np.asarray(v.data if isinstance(v, Tensor) else v) for v in (input, weight))
        if x.dtype.kind not in "fiub":
            remedy = "Write x.astype(float)." if isinstance(input, np.ndarray) else "Give it an array or a Tensor."
            raise TypeError(f"linear: the input is {described(input)}, not real numbers. {remedy}") from error
        if not w.ndim or x.ndim and x.shape[-1] == w.shape[-1]:
            raise
        raise ValueError(
            f"linear: an input of shape {x.shape} does not fit a weight of shape {w.shape}: its last axis must "
            f"have length {w.shape[-1]}, for the input features." + (" Write x[:, None]." if w.shape[-1] == 1 else "")
        ) from error


class Linear(Module):
    """y = x Wᵀ + b, for x of shape (..., n_in); W and b start in U(−1/√n_in, 1/√n_in), as PyTorch's.

    dtype       of weight and bias; autograd's default if None
    generator   draws them; the default one if None
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = empty((out_features, in_features), dtype)
        self.bias: Any = empty((out_features,), dtype) if bias else None
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw weight and bias again."""
        bound = 1 / math.sqrt(max(self.in_features, 1))
        for parameter in self.parameters(recurse=False):
            init.uniform_(parameter, -bound, bound, generator)

    def forward(self, input: Any) -> Any:
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


# ---- y = W[i] -----------------------------------------------------------------------------------------------------


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """y = W[i], for integers i of any shape and W (n, d); y has shape (..., d). The row padding_idx does not learn."""
    indices = np.asarray(input.data if isinstance(input, Tensor) else input)
    if indices.dtype.kind not in "iu":
        raise TypeError(f"embedding looks rows up by integers, not {indices.dtype}. Write i.astype(int).")
    n = weight.shape[0]
    if indices.size and not 0 <= np.min(indices) <= np.max(indices) < n:
        raise ValueError(
            f"embedding has rows 0 to {n - 1}, but input goes from {np.min(indices)} to {np.max(indices)}."
        )
    y = weight[indices]
    if padding_idx is None:
        return y
    fixed = np.expand_dims(indices == padding_idx % n, -1)
    return np.where(fixed, y.data if isinstance(y, Tensor) else y, y)


class Embedding(Module):
    """y = W[i]: a learned row for each of num_embeddings integers; W starts in N(0, 1), its row padding_idx stays 0."""

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(f"padding_idx is one of {num_embeddings} rows, not {padding_idx}.")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = empty((num_embeddings, embedding_dim), dtype)
        self.reset_parameters(generator)

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draw the weight again."""
        init.normal_(self.weight, generator=generator)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    def forward(self, input: Any) -> Any:
        return embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


# ---- y = γ (x − mean) / √(var + ε) + β ----------------------------------------------------------------------------


def mean(x: Any, axis: Any) -> Any:
    """The mean along axis, axes kept, without the checks for which np.mean takes its time."""
    if axis == (0,) and x.__class__ is np.ndarray and x.ndim == 2 and x.dtype.char in "fd":
        return weights(len(x), 1 / len(x), x.dtype).dot(x)[None]  # by BLAS: a quarter of the time
    total = np.add.reduce(x, axis=axis, keepdims=True)
    return total / (x.size / total.size)


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
    if watch is not None:
        watch(m, var)
    y = x_hat * w
    y += b
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
    features = input.shape[1]

    def beside(x: Any) -> Any:
        """x, one number for each feature, in a shape that broadcasts with the input's."""
        return np.reshape(x, (features, *[1] * (input.ndim - 2))) if input.ndim > 2 else x

    w, b = (1.0 if weight is None else beside(weight)), (0.0 if bias is None else beside(bias))
    if not training:
        return (input - beside(running_mean)) * (w / np.sqrt(beside(running_var) + eps)) + b
    n = input.size // features
    if n < 2:
        raise ValueError(
            f"BatchNorm in training needs at least two values of each feature, but the input has shape {input.shape}. "
            "Use a larger batch (DataLoader's drop_last=True leaves out a last one that is too small), or model.eval()."
        )

    def watch(m: Any, var: Any) -> None:
        for running, now in ((running_mean, m), (running_var, var * (n / (n - 1)))):
            if running is not None:
                running += momentum * (now.reshape(features) - running)

    return normalise(input, w, b, axis=(0, *range(2, input.ndim)), eps=eps, watch=watch)


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
        if input.ndim not in (2, 3) or input.shape[1] != self.num_features:
            raise ValueError(
                f"BatchNorm1d({self.num_features}) takes an input of shape (n, {self.num_features}) or "
                f"(n, {self.num_features}, length), but this has shape {input.shape}."
            )
        tracking = self.training and self.track_running_stats
        momentum = self.momentum
        if momentum is None:
            momentum = 1 / (self.num_batches_tracked.item() + 1) if tracking else 0.0
        training = self.training or not self.track_running_stats
        y = batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, training, momentum, self.eps)
        if tracking:
            np.add(self.num_batches_tracked, 1, out=self.num_batches_tracked)
        return y

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


def layer_norm(
    input: Any, normalized_shape: Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """y = γ (x − mean) / √(var + ε) + β for each example: mean and variance over the last axes, of normalized_shape."""
    input, shape = as_operand(input), tuple(normalized_shape)
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
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
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


# ---- y = x · mask -------------------------------------------------------------------------------------------------

masked = op(
    lambda x, mask: x * mask,
    lambda g, y, x, mask: g * mask,
    lambda g, y, x, mask: g * x,
    name="dropout", at=[call((3, 4), (3, 4))],
)  # fmt: skip


def dropout(input: Any, p: float = 0.5, training: bool = True, generator: Generator | None = None) -> Any:
    """y = x · mask / (1 − p) in training, where mask is 0 with probability p, else 1; y = x otherwise."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout drops with a probability between 0 and 1, not {p}.")
    if not training or p == 0:
        return input
    x = as_operand(input)
    kept = decided(1 - p, x.shape, generator_or_default(generator))
    mask = kept.astype(x.dtype if x.dtype.kind == "f" else get_default_dtype())
    mask *= 0.0 if p == 1 else 1 / (1 - p)
    return masked(x, mask)


class Dropout(Module):
    """y = x · mask / (1 − p) in training, where mask is 0 with probability p, else 1   (Srivastava et al., 2014).

    The division keeps the mean, so that after `eval()` y = x. generator draws the mask; the default one if None.
    inplace is PyTorch's: accepted, but no values are overwritten here.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False, *, generator: Generator | None = None) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout drops with a probability between 0 and 1, not {p}.")
        self.p, self.generator = p, generator

    def forward(self, input: Any) -> Any:
        return dropout(input, self.p, self.training, self.generator)

    def extra_repr(self) -> str:
        return f"p={self.p}"
