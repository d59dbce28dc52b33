"""Stopping in time. The training loop itself stays in the reader's hands."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import Tensor

__all__ = ["EarlyStopping"]


class EarlyStopping:
    """Says when a metric has stopped getting better, and keeps the weights that were best.

        stopping = nn.EarlyStopping(model, patience=10)
        for epoch in range(1000):
            ...
            if stopping.step(validation_loss):
                break
        stopping.restore()

    patience    how many epochs in a row without a better metric end the training
    min_delta   how much better is better
    mode        'min' if a lower metric is better, such as a loss; 'max' if a higher one is, such as an accuracy

    best, best_epoch   the best metric so far, and in which call of `step` it came, counted from 0
    """

    def __init__(self, model: Any, patience: int = 10, min_delta: float = 0.0, mode: str = "min") -> None:
        if not hasattr(model, "load_state_dict"):
            raise TypeError(f"EarlyStopping() keeps the weights of a model, but got {type(model).__name__}.")
        if patience < 1:
            raise ValueError(f"EarlyStopping(patience=) is at least 1 epoch, but got {patience!r}.")
        if mode not in ("min", "max"):
            raise ValueError(f"EarlyStopping(mode=) is 'min' or 'max', but got {mode!r}.")
        self.model, self.patience, self.min_delta, self.mode = model, patience, min_delta, mode
        self.best = math.inf if mode == "min" else -math.inf
        self.best_epoch = self.epoch = -1
        self.weights: dict[str, Any] | None = None

    def step(self, metric: Any) -> bool:
        """Note one epoch's metric. Returns whether to stop. NaN is never better."""
        value = float(metric.data if isinstance(metric, Tensor) else metric)
        self.epoch += 1
        gain = self.best - value if self.mode == "min" else value - self.best
        if gain > self.min_delta:
            self.best, self.best_epoch, self.weights = value, self.epoch, self.model.state_dict()
        return self.epoch - self.best_epoch >= self.patience

    def restore(self) -> None:
        """Give the model the best weights back."""
        if self.weights is None:
            raise RuntimeError("EarlyStopping has no weights to restore: no metric that step() was given was a number.")
        self.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """Everything that `load_state_dict` needs to go on."""
        return {"best": self.best, "best_epoch": self.best_epoch, "epoch": self.epoch, "weights": self.weights}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where the EarlyStopping that gave state_dict stopped, or change nothing."""
        best, best_epoch, epoch, weights = (state_dict[k] for k in ("best", "best_epoch", "epoch", "weights"))
        kinds = (best, float), (best_epoch, int), (epoch, int), (weights, (dict, type(None)))
        if not all(isinstance(value, kind) for value, kind in kinds):
            raise ValueError(
                f"This is not the state of an EarlyStopping: best={best!r}, best_epoch={best_epoch!r}, epoch={epoch!r}."
            )
        if weights is not None:
            saved, here = (
                {k: np.shape(v) for k, v in state.items() if np.asarray(v).dtype.kind in "fiub"}
                for state in (weights, self.model.state_dict())
            )
            if saved != here:
                raise ValueError(f"The saved weights have shapes {saved}, but those of the model {here}.")
        self.best, self.best_epoch, self.epoch, self.weights = best, best_epoch, epoch, weights
