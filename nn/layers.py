"""Layers: what is learned, and what drops; as functions and as modules. `normalisation` has those that normalise.

Where formulas would leave several nodes in the graph there is one operation, `op(function, rule for each argument)`,
whose rules are written in the same vocabulary and so can be differentiated themselves.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Tensor, call, get_default_dtype, op
from autograd.advice import described, meant
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
            remedy = " Write n // 2, not n / 2, for half." if isinstance(n, (float, np.floating)) else ""
            raise TypeError(f"A layer's sizes are whole numbers, at least 0, but this is {n!r}.{remedy}")
    return Parameter(np.empty(shape, dtype))


# ---- y = x Wᵀ + b -------------------------------------------------------------------------------------------------


# a.dot(b) takes half as long as a @ b where a and b are small matrices, as it asks less; but it multiplies by a number
# too, and takes much longer for more axes.


def product_and_sum(x: Any, w: Any, b: Any) -> Any:
    y = x.dot(w.mT) if 0 < x.ndim < 3 else x @ w.mT  # mT, unlike T, is for matrices only
    if b is not None:
        y += b
    return y


def sum_of_products(g: Any, x: Any) -> Any:
    """Σᵢ gᵢ xᵢᵀ over all rows."""
    if x.ndim != 2:
        g, x = rows(g), rows(x)
    return g.T.dot(x) if g.shape[1] * x.shape[1] < 1 << 14 else g.T @ x  # dot() clears a result first: 2 MB take long


def rows(x: Any) -> Any:
    """x as a matrix whose rows run along its last axis."""
    return np.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


# fmt: off
affine = op(
    product_and_sum,
    lambda g, y, x, w, b: g.dot(w) if g.ndim < 3 else g @ w,           # (..., n_in)
    lambda g, y, x, w, b: sum_of_products(g, x),                       # (n_out, n_in)
    lambda g, y, x, w, b: sum_of_rows(g if g.ndim == 2 else rows(g)),  # (n_out,)
    name="linear", at=[call((5, 3), (2, 3), (2,)), call((3,), (2, 3), (2,)), call((4, 5, 3), (2, 3), None)],
)
# fmt: on


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """y = x Wᵀ + b, for x of shape (..., n_in), W (n_out, n_in), b (n_out,) or None; y has shape (..., n_out)."""
    try:
        return affine(input, weight, bias)
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        if isinstance(input, (tuple, list)) and any(isinstance(part, (Tensor, np.ndarray)) for part in input):
            raise TypeError(
                f"linear: the input is a {type(input).__name__} of {len(input)} arrays, not one. A batch is unpacked: "
                "for x, y in loader."
            ) from error
        x, w = (np.asarray(v.data if isinstance(v, Tensor) else v) for v in (input, weight))
        if x.dtype.kind not in "fiub":
            raise TypeError(f"linear: the input is {described(input)}, not real numbers. {meant(input)}") from error
        if w.ndim == 1:
            raise ValueError(
                f"linear takes a weight of shape (n_out, n_in), but this has shape {w.shape}: write weight[None]."
            ) from error
        if not w.ndim or x.ndim and x.shape[-1] == w.shape[-1]:
            if isinstance(error, AttributeError):  # lists of numbers, which lack what is asked of arrays
                return affine(x, w, bias)
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
    if padding_idx is not None and not -n <= padding_idx < n:
        raise ValueError(f"padding_idx is one of {n} rows, not {padding_idx}.")
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
