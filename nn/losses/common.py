"""What all losses share: what they take, and what becomes of the single losses."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd import Tensor, get_default_dtype
from autograd.advice import described, meant

from ..module import Function


def real(x: Any) -> tuple[Any, Any]:
    """x as a Tensor or an array, and the array of its values, which must be real numbers."""
    operand: Any = x
    if isinstance(x, Tensor):
        array = x.array
    else:
        operand = array = x if isinstance(x, np.ndarray) else np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"A loss compares real numbers, not {described(x)}. {meant(x)}")
    return operand, array


def values(x: Any) -> Any:
    """The array in a Tensor, or the array itself."""
    return x.array if isinstance(x, Tensor) else x


def pair(name: str, input: Any, target: Any) -> tuple[Any, Any]:
    """input and target, which must have the same shape: broadcasting would compare each with all."""
    (input, x), (target, t) = real(input), real(target)
    if x.dtype.kind != "f":
        if x.dtype.kind == "b":
            raise TypeError(
                f"{name}: input is the result of a comparison such as p > 0.5, True or False, which has no gradient. "
                "Give it what the model returned; round it only to count how many are right."
            )
        input = floating(x)
    if x.shape != t.shape:
        remedy = f" Write target.reshape{x.shape or '(())'}." if x.size == t.size else ""
        raise ValueError(
            f"{name} compares element by element, but input has shape {x.shape} and target {t.shape}.{remedy}"
        )
    return input, target


def floating(integers: Any) -> Any:
    """An array of integers or booleans in floating point: small integers would wrap around, 0 − 1 = 255."""
    return integers.astype(get_default_dtype())


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
        losses = losses * fitting("weight", weight, losses.shape)
    return losses if reduction == "none" else np.mean(losses) if reduction == "mean" else np.sum(losses)


def fitting(name: str, weight: Any, shape: tuple[int, ...]) -> Any:
    """weight, which must broadcast to the shape of the losses."""
    weight, _ = real(weight)
    there = shape[len(shape) - weight.ndim :]
    if weight.ndim > len(shape) or any(n not in (1, m) for n, m in zip(weight.shape, there)):
        raise ValueError(f"{name} of shape {weight.shape} does not fit losses of shape {shape}.")
    return weight


def mean(x: Any) -> Any:
    """The mean of all elements, without the checks for which np.mean takes its time."""
    if x.dtype.char == "e":  # it adds in float32, where sums are not beyond 65,504 so soon
        return np.mean(x)
    return np.add.reduce(x, axis=None) / x.size


def extremes(x: Any) -> tuple[Any, Any]:
    """The smallest and the largest number, or NaN if there is one. NumPy is quicker to find where they are."""
    return x.item(x.argmin()), x.item(x.argmax())


class Loss(Function):
    """What all losses share: the reduction."""

    reductions: tuple[str, ...] = ("mean", "sum", "none")

    arrays = 1  # the weight

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = checked(reduction, self.reductions)
