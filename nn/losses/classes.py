"""Losses of one of several classes, and between distributions over them."""

from __future__ import annotations

import functools
import math
import warnings
from typing import Any

import numpy as np

from autograd import call, op
from autograd.products import sum_of_rows
from autograd.special import log_softmax, xlogy

from .common import Loss, checked, extremes, floating, mean, pair, real, reduced, values


@np.errstate(over="ignore")  # two numbers may be further apart than the largest number: exp(−∞) is right
def exponentials(x: Any, t: Any) -> Any:
    """(x − m, exp(x − m), its sums) along the last axis, m the maximum: exp would overflow, and m cancels."""
    shifted = x - row_maxima(x)
    e = np.exp(shifted)
    return shifted, e, sum_of_rows(e.T)


def row_maxima(x: Any) -> Any:
    """The maximum of each row, the axis kept. Of short rows NumPy finds it faster down the columns of a copy."""
    if x.__class__ is np.ndarray and x.shape[1] < 32:
        return np.maximum.reduce(x.T.copy(), axis=0)[:, None]
    return np.maximum.reduce(x, axis=1, keepdims=True)


def mean_of_picked(s: Any, x: Any, t: Any) -> Any:
    shifted, _, total = s
    return mean(np.log(total) - shifted[row_numbers(len(t)), t])


row_numbers = functools.lru_cache(maxsize=2)(np.arange)  # 0, 1, ..., n − 1: most batches are of one length


def one_hot(t: Any, like: Any) -> Any:
    """The array of the shape and dtype of `like` that is 1 at class t of each row, else 0."""
    hot = np.zeros(like.shape, like.dtype)
    hot[row_numbers(len(t)), t] = 1
    return hot


mean_cross_entropy = op(
    mean_of_picked,
    lambda g, y, s, x, t: g / len(t) * (s[1] / s[2][:, None] - one_hot(t, x)),
    None,
    saves=exponentials, name="cross_entropy", at=[call((3, 4), np.array([0, 3, 1]))],
)  # fmt: skip


def classes(name: str, input: Any, scores: Any, t: Any, ignore_index: int) -> tuple[Any, Any, bool]:
    """Scores as rows, (n, C), and labels in range of C, (n,), from an input of shape (C,), (n, C) or (n, C, ...), with
    the values `scores`, and labels t; and whether some of these are ignore_index."""
    shape, ndim = scores.shape, scores.ndim
    if t.dtype.kind not in "iu":
        swapped = t.ndim == ndim + 1 and scores.dtype.kind in "iu"
        remedy = "Scores come first, then labels: criterion(model(x), y)." if swapped else "Write target.astype(int)."
        raise TypeError(f"{name}: class labels are integers, but target holds {t.dtype}. {remedy}")
    expected = shape[:1] + shape[2:] if ndim > 1 else ()
    if not ndim or t.shape != expected:
        hint = ""
        if t.shape == shape and name == "cross_entropy":
            hint = " Probabilities of the classes, of the input's shape, are floats: target.astype(float)."
        elif t.size == math.prod(expected):
            hint = f" Write target.reshape{expected or '(())'}."
        raise ValueError(
            f"{name}: scores of shape {shape}, classes along axis {min(1, ndim - 1)}, need labels of shape "
            f"{expected}, but target has shape {t.shape}.{hint}"
        )
    if scores.dtype.kind != "f":
        input = scores = floating(scores)
    if ndim != 2:
        input, scores, t = rows(input), rows(scores), t.reshape(-1)
    warn_if_mistaken(name, scores)
    n = scores.shape[1]
    low, high = extremes(t) if t.size else (0, n - 1)
    inside = low >= 0 and high < n
    if not inside:
        wrong = np.unique(t[((t < 0) | (t >= n)) & (t != ignore_index)])
        if wrong.size:
            raise ValueError(f"{name}: with {n} classes the labels are 0 to {n - 1}, but target has {wrong}.")
    ignored = (not inside or ignore_index >= 0) and bool((t == ignore_index).any())
    return input, t, ignored


advice = {
    "nll_loss": "NLLLoss takes their logarithms: LogSoftmax before it, or CrossEntropyLoss on scores.",
    "cross_entropy": "CrossEntropyLoss applies softmax itself: give it scores; or logarithms to NLLLoss.",
    "kl_div": "KLDivLoss takes their logarithms: log_softmax(scores, -1).",
}


def warn_if_mistaken(name: str, x: Any, stacklevel: int = 6) -> None:
    """Warn if the rows of x are probabilities, none negative and their sum 1, or scores of only one class."""
    if x.shape[1] == 1:
        if name == "cross_entropy" and len(x) > 1:
            warnings.warn(
                f"cross_entropy: scores of shape {x.shape} are those of a single class, so that the loss is always 0. "
                "For yes or no use BCEWithLogitsLoss, or let the model return a score for each class.",
                stacklevel=stacklevel,
            )
    elif x.size and 0 <= x.item(0) <= 1 and are_distributions(x):  # most are told by their first number
        warnings.warn(f"The input looks like probabilities: each row sums to 1. {advice[name]}", stacklevel=stacklevel)


def are_distributions(x: Any) -> bool:
    """Whether no number in x is negative and the sum of each row is 1; the first row is asked first."""
    if abs(sum(x[0].tolist()) - 1) > 1e-5:
        return False
    return bool(np.min(x) >= 0 and np.allclose(np.sum(x, axis=1), 1, atol=1e-5))


def rows(x: Any) -> Any:
    """(C,) or (n, C, ...) as (..., C), all other axes made one."""
    return np.reshape(np.moveaxis(x, 1, -1), (-1, x.shape[1])) if x.ndim > 1 else np.reshape(x, (1, -1))


def class_weights(weight: Any, n: int) -> Any:
    """weight, which must have a number for each of n classes."""
    weight, _ = real(weight)
    if weight.shape != (n,):
        raise ValueError(
            f"weight has a number for each of the {n} classes, shape ({n},), but this has shape {weight.shape}."
        )
    return weight


def nll_loss(input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """−w_t x_t for log-probabilities x of shape (n, C) or (n, C, ...) and labels t of shape (n,) or (n, ...).

    The mean is weighted: Σ −w_t x_t / Σ w_t. Labels equal to ignore_index count for nothing.
    """
    (input, scores), (_, labels) = real(input), real(target)
    x, t, _ = classes("nll_loss", input, scores, labels, ignore_index)
    return picked(x, t, labels.shape, weight, ignore_index, checked(reduction))


def picked(x: Any, t: Any, shape: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
    """nll_loss of rows x and labels t; single losses in the given shape."""
    kept = t != ignore_index
    t = np.where(kept, t, 0)
    w = kept.astype(x.dtype) if weight is None else kept * class_weights(weight, x.shape[1])[t]
    losses = -w * np.where(kept, x[row_numbers(len(t)), t], 0)  # 0 · ∞ would be NaN
    if reduction == "none":
        return np.reshape(losses, shape)
    return averaged(losses, w, kept) if reduction == "mean" else np.sum(losses)


def averaged(losses: Any, w: Any, kept: Any) -> Any:
    """Σ losses / Σ w; where no label is kept NaN, but with gradient 0, as in PyTorch."""
    return np.sum(losses) / np.sum(w) if kept.any() else np.sum(losses) + math.nan


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """−Σ_c w_c q_c log softmax(x)_c for scores x of shape (n, C), (n, C, ...) or (C,), classes along axis 1.

    target           labels of shape (n,) or (n, ...): q_c is 1 for the label, else 0, and the mean is weighted by w, as
                     that of nll_loss; or floats of the shape of x: q itself
    label_smoothing  ε: q is mixed with the same for every class, (1 − ε) q + ε / C
    """
    (input, scores), (target, labels) = real(input), real(target)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing is between 0 and 1, not {label_smoothing}.")
    if labels.dtype.kind == "f" and labels.shape == scores.shape and scores.ndim:
        if ignore_index >= 0:
            raise ValueError(
                f"ignore_index={ignore_index} is a label, but target has the probabilities of all classes."
            )
        if scores.dtype.kind != "f":
            input = floating(scores)
        return soft_cross_entropy(input, target, weight, checked(reduction), label_smoothing)
    x, t, ignored = classes("cross_entropy", input, scores, labels, ignore_index)
    if reduction == "mean" and weight is None and not label_smoothing and not ignored:
        return mean_cross_entropy(x, t)
    logs, shape = log_softmax(x, axis=-1), labels.shape
    loss = picked(logs, t, shape, weight, ignore_index, checked(reduction))
    if not label_smoothing:
        return loss
    w = np.ones(x.shape[1], x.dtype) if weight is None else class_weights(weight, x.shape[1])
    kept = t != ignore_index
    uniform = -np.where(kept, np.sum(w * logs, axis=-1), 0)
    if reduction == "none":
        uniform = np.reshape(uniform, shape)
    else:
        uniform = averaged(uniform, w[np.where(kept, t, 0)] * kept, kept) if reduction == "mean" else np.sum(uniform)
    return loss * (1 - label_smoothing) + uniform * (label_smoothing / x.shape[1])


def soft_cross_entropy(input: Any, target: Any, weight: Any, reduction: str, label_smoothing: float) -> Any:
    """cross_entropy with probabilities for a target."""
    x, q = rows(input), rows(target)
    warn_if_mistaken("cross_entropy", values(x))
    n = x.shape[1]
    if label_smoothing:
        q = q * (1 - label_smoothing) + label_smoothing / n
    if weight is not None:
        q = q * class_weights(weight, n)
    losses = -np.sum(q * log_softmax(x, axis=-1), axis=-1)
    if reduction == "none":
        return np.reshape(losses, input.shape[:1] + input.shape[2:] if input.ndim > 1 else ())
    return reduced(losses, reduction)


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """q (log q − x) for log-probabilities x and probabilities q, or their logarithms if log_target.

    "batchmean", Σ q (log q − x) / n, is the divergence itself; "mean" divides by the number of all elements.
    """
    input, target = pair("kl_div", input, target)
    if input.ndim > 1 and input.size:
        warn_if_mistaken("kl_div", rows(values(input)), stacklevel=5)
    losses = np.exp(target) * (target - input) if log_target else xlogy(target, target) - target * input
    if checked(reduction, KLDivLoss.reductions) == "batchmean":
        return np.sum(losses) / (input.shape[0] if input.ndim else 1)
    return reduced(losses, reduction)


class CrossEntropyLoss(Loss):
    """−log softmax(x)_t: the cross entropy of scores x, softmax included; see `cross_entropy` for the options."""

    weight: Any  # a buffer

    def __init__(
        self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        return cross_entropy(input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing)


class NLLLoss(Loss):
    """−x_t: the negative log-likelihood, for log-probabilities x, such as LogSoftmax gives."""

    weight: Any  # a buffer

    def __init__(self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        return nll_loss(input, target, self.weight, self.ignore_index, self.reduction)


class KLDivLoss(Loss):
    """q (log q − x): the Kullback-Leibler divergence, for log-probabilities x; usual is reduction="batchmean"."""

    reductions = ("mean", "sum", "none", "batchmean")

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Any:
        return kl_div(input, target, self.reduction, self.log_target)
