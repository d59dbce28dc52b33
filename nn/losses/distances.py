"""Losses of numbers: how far is the output from the target?"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import call, op

from .common import Loss, mean, pair, reduced


def mean_of_squares(x: Any, t: Any) -> Any:
    d = (x - t).ravel()
    return d.dot(d) / d.size if d.dtype.char != "e" else mean(d * d)


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
