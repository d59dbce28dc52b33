"""Losses: how wrong an output is, as functions and as modules.

Each compares `input`, which the network computed, with `target`. `reduction` says what becomes of the single losses:
their "mean", their "sum", or "none" of both.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from autograd import Tensor, call, op
from autograd.advice import described
from autograd.special import expit, log_softmax, xlogy

from .module import Function, Module

# ---- what all have in common --------------------------------------------------------------------------------------


def real(x: Any) -> Any:
    """x as a Tensor or an array of real numbers."""
    given = x
    if not isinstance(x, (Tensor, np.ndarray, np.generic)):
        x = np.asarray(x)
    if x.dtype.kind not in "fiub":
        remedy = ""
        if isinstance(given, Module):
            remedy = " Call the module: model(x)."
        elif given is None:
            remedy = " Does forward() return its result?"
        raise TypeError(f"A loss compares real numbers, not {described(given)}.{remedy}")
    return x


def values(x: Any) -> Any:
    """The array in a Tensor, or the array itself."""
    return x.data if isinstance(x, Tensor) else x


def pair(name: str, input: Any, target: Any) -> tuple[Any, Any]:
    """input and target, which must have the same shape: broadcasting would compare each with all."""
    input, target = real(input), real(target)
    if input.dtype.kind == "b":
        raise TypeError(
            f"{name}: input is the result of a comparison such as p > 0.5, True or False, which has no gradient. Give "
            "it what the model returned; round it only to count how many are right."
        )
    if input.shape != target.shape:
        remedy = f" Write target.reshape{input.shape}." if input.size == target.size else ""
        raise ValueError(
            f"{name} compares element by element, but input has shape {input.shape} and target {target.shape}.{remedy}"
        )
    return input, target


def warn_if_swapped(name: str, input: Any, target: Any) -> None:
    """Warn if the target was computed from what learns, and the input was not."""
    if isinstance(target, Tensor) and target.requires_grad and not (isinstance(input, Tensor) and input.requires_grad):
        warnings.warn(
            f"{name} takes what the model returned first, then the target, but here only the second requires grad. "
            "Write criterion(model(x), y).",
            stacklevel=5,
        )


def checked(reduction: str, known: tuple[str, ...] = ("mean", "sum", "none")) -> str:
    """reduction, if there is one of that name."""
    if reduction not in known:
        raise ValueError(f"reduction is one of {', '.join(map(repr, known))}, not {reduction!r}.")
    return reduction


def reduced(losses: Any, reduction: str, weight: Any = None) -> Any:
    """The mean or the sum of losses, or losses themselves, times weight if there is one."""
    checked(reduction)
    if weight is not None:
        weight = real(weight)
        if np.broadcast_shapes(weight.shape, losses.shape) != losses.shape:
            raise ValueError(f"weight of shape {weight.shape} does not fit losses of shape {losses.shape}.")
        losses = losses * weight
    return losses if reduction == "none" else np.mean(losses) if reduction == "mean" else np.sum(losses)


def mean(x: Any) -> Any:
    """The mean of all elements, without the checks for which np.mean takes its time."""
    return np.add.reduce(x, axis=None) / x.size


class Loss(Function):
    """What all losses share: the reduction."""

    reductions: tuple[str, ...] = ("mean", "sum", "none")

    arrays = 1  # the weight

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = checked(reduction, self.reductions)


# ---- distances ----------------------------------------------------------------------------------------------------


def mean_of_squares(x: Any, t: Any) -> Any:
    d = x - t
    return np.vdot(d, d) / d.size


# fmt: off
mean_squared_error = op(
    mean_of_squares,
    lambda g, y, x, t: g * (2 / max(x.size, 1)) * (x - t),
    lambda g, y, x, t: g * (2 / max(x.size, 1)) * (t - x),
    name="mse_loss", at=[call((3, 4), (3, 4)), call((), ())],
)
huber = op(
    lambda x, t, delta=1.0: bounded(x, t, delta) * (x - t - 0.5 * bounded(x, t, delta)),
    lambda g, y, x, t, delta=1.0: g * bounded(x, t, delta),
    lambda g, y, x, t, delta=1.0: g * bounded(t, x, delta),
    name="huber_loss", at=[call((3, 4), (3, 4)), call((3, 4), (3, 4), delta=0.3)],
)
# fmt: on


def bounded(x: Any, t: Any, delta: float) -> Any:
    """x − t, kept between −delta and delta."""
    return np.clip(x - t, -delta, delta)


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """(x − t)²."""
    input, target = pair("mse_loss", input, target)
    if reduction == "mean":
        return mean_squared_error(input, target)
    return reduced(np.square(input - target), reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """|x − t|. Where that is NaN its gradient is NaN too; PyTorch's is 0, as if nothing were wrong."""
    input, target = pair("l1_loss", input, target)
    return reduced(np.abs(input - target), reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """d² / 2 where |d| ≤ δ, else δ (|d| − δ/2); d = x − t."""
    if delta <= 0:
        raise ValueError(f"huber_loss needs delta > 0, not {delta}.")
    return reduced(huber(*pair("huber_loss", input, target), delta=delta), reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    """d² / 2β where |d| < β, else |d| − β/2; d = x − t."""
    if beta < 0:
        raise ValueError(f"smooth_l1_loss needs beta >= 0, not {beta}.")
    if beta == 0:
        return l1_loss(input, target, reduction)
    return reduced(huber(*pair("smooth_l1_loss", input, target), delta=beta) / beta, reduction)


class MSELoss(Loss):
    """(x − t)²: the mean squared error."""

    def forward(self, input: Any, target: Any) -> Any:
        return mse_loss(input, target, self.reduction)


class L1Loss(Loss):
    """|x − t|: the mean absolute error. Where that is NaN its gradient is NaN, but PyTorch's 0."""

    def forward(self, input: Any, target: Any) -> Any:
        return l1_loss(input, target, self.reduction)


class HuberLoss(Loss):
    """d² / 2 where |d| ≤ δ, else δ (|d| − δ/2), with d = x − t   (Huber, 1964)."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Any, target: Any) -> Any:
        return huber_loss(input, target, self.reduction, self.delta)


class SmoothL1Loss(Loss):
    """d² / 2β where |d| < β, else |d| − β/2, with d = x − t   (Girshick, 2015)."""

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = beta

    def forward(self, input: Any, target: Any) -> Any:
        return smooth_l1_loss(input, target, self.reduction, self.beta)


# ---- yes or no: p is the probability of yes, x its logit, t is 1 for yes and 0 for no -----------------------------


def log_loss(p: Any, t: Any) -> Any:
    """−t log p − (1 − t) log(1 − p), with logarithms not below −100."""
    with np.errstate(divide="ignore"):
        return -(t * np.maximum(np.log(p), -100)) - (1 - t) * np.maximum(np.log1p(-p), -100)


smallest = float(np.float32(1e-12))  # PyTorch keeps it in single precision


def log_loss_slope(p: Any, t: Any) -> Any:
    """Its derivative by p, (p − t) / p(1 − p), with the denominator not below 10⁻¹², as in PyTorch."""
    return (p - t) / np.maximum(p * (1 - p), smallest)


def negative_logit(p: Any) -> Any:
    """Its derivative by t, log(1 − p) − log p, with logarithms not below −100."""
    return np.log(np.maximum(1 - p, math.exp(-100))) - np.log(np.maximum(p, math.exp(-100)))


def logistic_loss(x: Any, t: Any) -> Any:
    """log_loss(σ(x), t) = (1 − t) x + log(1 + exp(−x)), which no x is too large for."""
    return (1 - t) * x + np.logaddexp(0.0, -x)


def each_and_mean(name: str, loss: Any, by_input: Any, by_target: Any, on: tuple[float, float]) -> tuple[Any, Any]:
    """Two operations from one formula and its two derivatives: the single losses, and their mean."""
    each = op(
        loss,
        lambda g, y, x, t: g * by_input(x, t),
        lambda g, y, x, t: g * by_target(x, t),
        name=name, on=on, at=[call((3, 4), (3, 4))],
    )  # fmt: skip
    average = op(
        lambda x, t: mean(loss(x, t)),
        lambda g, y, x, t: g / x.size * by_input(x, t),
        lambda g, y, x, t: g / x.size * by_target(x, t),
        name=name, on=on, at=[call((3, 4), (3, 4))],
    )  # fmt: skip
    return each, average


each_log_loss, mean_log_loss = each_and_mean(
    "binary_cross_entropy", log_loss, log_loss_slope, lambda p, t: negative_logit(p), on=(0.1, 0.9)
)
each_logistic_loss, mean_logistic_loss = each_and_mean(
    "binary_cross_entropy_with_logits", logistic_loss, lambda x, t: expit(x) - t, lambda x, t: -x, on=(-2, 2)
)


def probabilities(loss: str, name: str, x: Any, advice: str = "") -> None:
    """Refuse what is not between 0 and 1."""
    x = values(x)
    low, high = (np.minimum.reduce(x, axis=None), np.maximum.reduce(x, axis=None)) if x.size else (0, 1)
    if not 0 <= low <= high <= 1:
        raise ValueError(f"{loss} takes probabilities, 0 to 1, but {name} goes from {low:.4g} to {high:.4g}.{advice}")


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """−t log p − (1 − t) log(1 − p), times weight; p and t in [0, 1]; a logarithm is at least −100."""
    input, target = pair("binary_cross_entropy", input, target)
    warn_if_swapped("binary_cross_entropy", input, target)
    probabilities("binary_cross_entropy", "input", input, " For logits, before a sigmoid, use BCEWithLogitsLoss.")
    probabilities("binary_cross_entropy", "target", target)
    if weight is None and reduction == "mean":
        return mean_log_loss(input, target)
    return reduced(each_log_loss(input, target), reduction, weight)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """−w t log σ(x) − (1 − t) log(1 − σ(x)), times weight, where w is pos_weight; stable for every x.

    t in [0, 1]; anything else, NaN too, is refused, though PyTorch takes it.
    """
    input, target = pair("binary_cross_entropy_with_logits", input, target)
    warn_if_swapped("binary_cross_entropy_with_logits", input, target)
    if isinstance(input, Tensor) and input.op is not None and input.op.name == "expit":
        warnings.warn(
            "The input is the result of a sigmoid. BCEWithLogitsLoss applies it itself: give it the scores before, or "
            "probabilities to BCELoss.",
            stacklevel=4,
        )
    probabilities("binary_cross_entropy_with_logits", "target", target)
    if pos_weight is not None:
        w = 1 + (real(pos_weight) - 1) * target
        return reduced((1 - target) * input + w * np.logaddexp(0.0, -input), reduction, weight)
    if weight is None and reduction == "mean":
        return mean_logistic_loss(input, target)
    return reduced(each_logistic_loss(input, target), reduction, weight)


class BCELoss(Loss):
    """−t log p − (1 − t) log(1 − p): the binary cross entropy of probabilities p, such as a sigmoid gives."""

    weight: Any  # a buffer

    def __init__(self, weight: Any = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        return binary_cross_entropy(input, target, self.weight, self.reduction)


class BCEWithLogitsLoss(Loss):
    """−w t log σ(x) − (1 − t) log(1 − σ(x)): the binary cross entropy of logits x; w is pos_weight.

    t in [0, 1]; anything else, NaN too, is refused, though PyTorch takes it.
    """

    weight: Any  # buffers
    pos_weight: Any

    def __init__(self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        return binary_cross_entropy_with_logits(input, target, self.weight, self.reduction, self.pos_weight)


# ---- one of several classes ---------------------------------------------------------------------------------------


@np.errstate(over="ignore")  # two numbers may be further apart than the largest number: exp(−∞) is right
def exponentials(x: Any, t: Any) -> Any:
    """(x − m, exp(x − m), its sums) along the last axis, m the maximum: exp would overflow, and m cancels."""
    shifted = x - row_maxima(x)
    e = np.exp(shifted)
    return shifted, e, e.dot(np.ones(e.shape[1], e.dtype))


def row_maxima(x: Any) -> Any:
    """The maximum of each row, the axis kept. Of short rows NumPy finds it faster down the columns of a copy."""
    if x.__class__ is np.ndarray and x.shape[1] < 32:
        return np.maximum.reduce(x.T.copy(), axis=0)[:, None]
    return np.maximum.reduce(x, axis=1, keepdims=True)


def mean_of_picked(s: Any, x: Any, t: Any) -> Any:
    shifted, _, total = s
    return mean(np.log(total) - shifted[np.arange(len(t)), t])


def one_hot(t: Any, like: Any) -> Any:
    """The array of the shape and dtype of `like` that is 1 at class t of each row, else 0."""
    hot = np.zeros(like.shape, like.dtype)
    hot[np.arange(len(t)), t] = 1
    return hot


mean_cross_entropy = op(
    mean_of_picked,
    lambda g, y, s, x, t: g / len(t) * (s[1] / s[2][:, None] - one_hot(t, x)),
    None,
    saves=exponentials, name="cross_entropy", at=[call((3, 4), np.array([0, 3, 1]))],
)  # fmt: skip


def classes(name: str, input: Any, target: Any, ignore_index: int) -> tuple[Any, Any]:
    """Scores as rows, (n, C), and labels, (n,), from scores (C,), (n, C) or (n, C, ...) and labels in range of C."""
    t = values(target)
    if t.dtype.kind not in "iu":
        swapped = t.ndim == input.ndim + 1 and input.dtype.kind in "iu"
        remedy = "Scores come first, then labels: criterion(model(x), y)." if swapped else "Write target.astype(int)."
        raise TypeError(f"{name}: class labels are integers, but target holds {t.dtype}. {remedy}")
    expected = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
    if not input.ndim or t.shape != expected:
        hint = ""
        if t.shape == input.shape and name == "cross_entropy":
            hint = " Probabilities of the classes, of the input's shape, are floats: target.astype(float)."
        elif t.size == math.prod(expected):
            hint = f" Write target.reshape{expected}."
        raise ValueError(
            f"{name}: scores of shape {input.shape}, classes along axis {min(1, input.ndim - 1)}, need labels of shape "
            f"{expected}, but target has shape {t.shape}.{hint}"
        )
    if input.ndim != 2:
        input, t = rows(input), t.reshape(-1)
    n = input.shape[1]
    if n == 1 < len(t) and name == "cross_entropy":
        warnings.warn(
            f"{name}: scores of shape {input.shape} are those of a single class, so that the loss is always 0. For yes "
            "or no use BCEWithLogitsLoss, or let the model return a score for each class.",
            stacklevel=5,
        )
    if t.size and not 0 <= np.minimum.reduce(t) <= np.maximum.reduce(t) < n:
        wrong = np.unique(t[((t < 0) | (t >= n)) & (t != ignore_index)])
        if wrong.size:
            raise ValueError(f"{name}: with {n} classes the labels are 0 to {n - 1}, but target has {wrong}.")
    return input, t


def rows(x: Any) -> Any:
    """(C,) or (n, C, ...) as (..., C), all other axes made one."""
    return np.reshape(np.moveaxis(x, 1, -1), (-1, x.shape[1])) if x.ndim > 1 else np.reshape(x, (1, -1))


def class_weights(weight: Any, n: int) -> Any:
    """weight, which must have a number for each of n classes."""
    weight = real(weight)
    if weight.shape != (n,):
        raise ValueError(
            f"weight has a number for each of the {n} classes, shape ({n},), but this has shape {weight.shape}."
        )
    return weight


def warn_of_probabilities(input: Any, advice: str) -> None:
    """Warn if the rows of input are probabilities: none negative, and their sum 1."""
    x = values(input)
    if x.size == 0 or x.shape[1] == 1 or not 0 <= x.item(0) <= 1 or abs(sum(x[0].tolist()) - 1) > 1e-5:
        return  # as nearly always, and quickly
    if np.min(x) >= 0 and np.allclose(np.sum(x, axis=1), 1, atol=1e-5):
        warnings.warn(f"The input looks like probabilities: each row sums to 1. {advice}", stacklevel=4)


def nll_loss(input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """−w_t x_t for log-probabilities x of shape (n, C) or (n, C, ...) and labels t of shape (n,) or (n, ...).

    The mean is weighted: Σ −w_t x_t / Σ w_t. Labels equal to ignore_index count for nothing.
    """
    input, target = real(input), real(target)
    x, t = classes("nll_loss", input, target, ignore_index)
    warn_of_probabilities(x, "NLLLoss takes their logarithms: LogSoftmax before it, or CrossEntropyLoss on scores.")
    return picked(x, t, values(target).shape, weight, ignore_index, checked(reduction))


def picked(x: Any, t: Any, shape: Any, weight: Any, ignore_index: int, reduction: str) -> Any:
    """nll_loss of rows x and labels t; single losses in the given shape."""
    kept = t != ignore_index
    t = np.where(kept, t, 0)
    w = kept.astype(x.dtype) if weight is None else kept * class_weights(weight, x.shape[1])[t]
    losses = -w * x[np.arange(len(t)), t]
    if reduction == "none":
        return np.reshape(losses, shape)
    return averaged(losses, np.sum(w)) if reduction == "mean" else np.sum(losses)


def averaged(losses: Any, total: Any) -> Any:
    """Σ losses / total; where every label is ignored NaN, but with gradient 0, as in PyTorch."""
    return np.sum(losses) / total if total else np.sum(losses) + math.nan


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
    input, target = real(input), real(target)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing is between 0 and 1, not {label_smoothing}.")
    if target.dtype.kind == "f" and target.shape == input.shape and input.ndim:
        return soft_cross_entropy(input, target, weight, checked(reduction), label_smoothing)
    x, t = classes("cross_entropy", input, target, ignore_index)
    warn_of_probabilities(x, "CrossEntropyLoss applies softmax itself: give it scores; or logarithms to NLLLoss.")
    ignored = t.size and (ignore_index >= 0 or np.minimum.reduce(t) < 0) and (t == ignore_index).any()
    if reduction == "mean" and weight is None and not label_smoothing and not ignored:
        return mean_cross_entropy(x, t)
    logs, shape = log_softmax(x, axis=-1), values(target).shape
    loss = picked(logs, t, shape, weight, ignore_index, checked(reduction))
    if not label_smoothing:
        return loss
    w = np.ones(x.shape[1], x.dtype) if weight is None else class_weights(weight, x.shape[1])
    kept = t != ignore_index
    uniform = -np.sum(w * logs, axis=-1) * kept
    if reduction == "none":
        uniform = np.reshape(uniform, shape)
    else:
        uniform = averaged(uniform, np.sum(w[np.where(kept, t, 0)] * kept)) if reduction == "mean" else np.sum(uniform)
    return loss * (1 - label_smoothing) + uniform * (label_smoothing / x.shape[1])


def soft_cross_entropy(input: Any, target: Any, weight: Any, reduction: str, label_smoothing: float) -> Any:
    """cross_entropy with probabilities for a target."""
    x, q = rows(input), rows(target)
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
