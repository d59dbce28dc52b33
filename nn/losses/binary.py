"""Losses of yes or no: p is the probability of yes, x its logit, t is 1 for yes and 0 for no."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from autograd import Tensor, call, op
from autograd.special import expit

from .common import Loss, extremes, fitting, mean, pair, reduced, values, warn_if_swapped


@np.errstate(divide="ignore")
def log_loss(p: Any, t: Any) -> Any:
    """−t log p − (1 − t) log(1 − p), with logarithms not below −100."""
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
    low, high = extremes(x) if x.size else (0, 1)
    if not 0 <= low <= high <= 1:
        if math.isnan(low):
            advice = " autograd.detect_anomaly() finds where NaN comes from."
        raise ValueError(f"{loss} takes probabilities, 0 to 1, but {name} goes from {low:.4g} to {high:.4g}.{advice}")


def binary_cross_entropy(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """−t log p − (1 − t) log(1 − p), times weight; p and t in [0, 1]; a logarithm is at least −100."""
    input, target = pair("binary_cross_entropy", input, target)
    warn_if_swapped("binary_cross_entropy", input, target)
    if isinstance(input, Tensor) and input.op is not None and input.op.name == "softmax" and input.shape[-1] == 1:
        warnings.warn(
            "The input is the softmax of a single score, which is always 1, so that nothing learns. For yes or no use "
            "a sigmoid, or BCEWithLogitsLoss on the score itself.",
            stacklevel=4,
        )
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
        w = 1 + (fitting("pos_weight", pos_weight, input.shape) - 1) * target
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
