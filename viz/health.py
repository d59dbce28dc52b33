"""Which gradients vanish, explode, die, cancel or never arrive: a word for each node that is ill, and the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import Step, Tensor

from .data import Flag, Node

__all__ = ["FLAGS", "Thresholds", "diagnose", "worst"]

# each flag's glyph and what it means, the most serious first
FLAGS = {
    "NAN": ("!", "first NaN or infinity"),
    "EXPLODING": ("\u2191", "gradient too large"),
    "DEAD": ("\u25a0", "gradient stops here"),
    "UNUSED": ("\u2205", "no gradient reaches it"),
    "VANISHING": ("\u2193", "gradient too small"),
    "SATURATED": ("\u2248", "flat part of its curve"),
    "CANCELLED": ("\u2261", "gradient sums to nothing"),
}


@dataclass(frozen=True)
class Thresholds:
    """When a gradient is called ill.

    vanishing   a parameter's gradient, as root mean square, below this fraction of the largest one's
    exploding   a parameter's gradient, as root mean square, above this
    dead        more than this fraction of an activation's units whose derivative is 0 on the whole batch
    flat        a tanh or sigmoid is flat where its derivative is below this fraction of its largest
    saturated   more than this fraction of an activation's values in the flat part
    cancelled   a gradient below this fraction of what it is the sum of, in units of the dtype's precision
    """

    vanishing: float = 1e-5
    exploding: float = 1e3
    dead: float = 0.0
    flat: float = 0.02
    saturated: float = 0.5
    cancelled: float = 1e3


def worst(flags: Iterable[Flag]) -> list[Flag]:
    """The most serious of several flags, as a list of one; none of none."""
    order = list(FLAGS)
    return sorted(flags, key=lambda flag: order.index(flag.word))[:1]


def diagnose(
    order: Sequence[Tensor], walk: Sequence[Step], found: Mapping[int, Node], thresholds: Thresholds | None = None
) -> None:
    """Put flags on the nodes of a graph, judged by the gradients that the backward pass left in it: an optimizer's step
    changes none of them. `walk` is that pass step by step, to find where NaN starts; empty where it cannot be walked.
    """
    limits = thresholds or Thresholds()
    with np.errstate(all="ignore"):
        for tensor, flag in (*not_finite(order, walk), *stopped(order, limits), *sizes(order, limits)):
            found[id(tensor)].flags.append(flag)


def changed(order: Iterable[Tensor]) -> set[int]:
    """The tensors, by identity, that were changed in place after the graph had used them, as by an optimizer's step."""
    return {id(x) for tensor in order for x in tensor.inputs if isinstance(x, Tensor) and x.tick > tensor.tick}


def not_finite(order: Sequence[Tensor], walk: Sequence[Step]) -> Iterator[tuple[Tensor, Flag]]:
    """Where the first NaN or infinity appears: in a value, or else on the way back."""
    since = changed(order)
    for tensor in order:
        for x in (*(x for x in tensor.inputs if isinstance(x, Tensor) and not x.requires_grad), tensor):
            if id(x) not in since and not np.isfinite(x.data).all():
                yield x, Flag("NAN", "The first value that is not finite is here.")
                return
    for step in walk:
        if not np.isfinite(step.contribution).all():
            yield step.node, Flag("NAN", "The first gradient that is not finite is sent from here.")
            return


SLOPES = {"tanh": lambda y: 1 - y * y, "expit": lambda y: 4 * y * (1 - y), "sigmoid": lambda y: 4 * y * (1 - y)}


def stopped(order: Sequence[Tensor], limits: Thresholds) -> Iterator[tuple[Tensor, Flag]]:
    """Activations that let little or nothing through. One that a cross entropy reads is only sure of itself."""
    probabilities = {
        id(x) for tensor in order if tensor.op and "cross_entropy" in tensor.op.name for x in tensor.inputs
    }
    for tensor in order:
        slope = SLOPES.get(tensor.op.name) if tensor.op else None
        if slope and id(tensor) not in probabilities:
            flat = float(np.mean(np.abs(slope(tensor.data)) < limits.flat))
            if flat > limits.saturated:
                yield tensor, Flag("SATURATED", f"{flat:.0%} of its values lie where its curve is flat.")
        dead = None if slope or tensor.grad is None else dead_units(tensor, tensor.grad)
        if dead is not None and float(np.mean(dead)) > limits.dead:
            units = f"{np.sum(dead)} of its {dead.size} units pass" if dead.size > 1 else "It passes"
            yield tensor, Flag("DEAD", f"{units} no gradient on: the derivative is 0 for the whole batch.")


def dead_units(tensor: Tensor, g: Any) -> Any:
    """Which units pass nothing of g on, for any example of the batch; None if this is not an activation: if it changes
    the shape, sends gradients to two inputs, or passes all on. What Dropout drops is not dead."""
    op, needs = tensor.op, tensor.needs
    if op is None or len(needs) != 1 or op.each or "dropout" in op.name:
        return None
    x = tensor.inputs[needs[0]]
    if x.shape != tensor.shape or x.tick > tensor.tick:  # changed since, and so perhaps its derivative
        return None
    metadata, saved = tensor.extra or ({}, None)
    args = tensor.values if op.saves is None else (saved, *tensor.values)
    part = op.rules[needs[0]](g, tensor.data, *args, **metadata)  # type: ignore[misc]  # what needs a gradient has a rule
    if np.array_equal(part, g):
        return None
    axis = 0 if tensor.ndim > 1 else None  # the batch; a single unit is dead when all its values are
    return np.all(np.broadcast_to(part, tensor.shape) == 0, axis) & np.any(np.not_equal(g, 0), axis)


def sizes(order: Sequence[Tensor], limits: Thresholds) -> Iterator[tuple[Tensor, Flag]]:
    """Parameters whose gradient is too small or too large, or the sum of what cancels."""
    leaves = [tensor for tensor in order if tensor.is_leaf and tensor.grad is not None and np.any(tensor.grad)]
    size = {id(leaf): float(np.sqrt(np.mean(np.square(leaf.grad, dtype=np.float64)))) for leaf in leaves}
    largest = max((s for s in size.values() if np.isfinite(s)), default=0.0)
    cancelled = {id(x) for tensor in order for x in sent_nothing(tensor, limits)}
    for leaf in leaves:
        s = size[id(leaf)]
        if id(leaf) in cancelled:
            yield leaf, Flag("CANCELLED", "Its gradient is a sum of what cancels, as of a bias before a normalisation.")
        elif s > limits.exploding:
            yield leaf, Flag("EXPLODING", f"Its gradient's root mean square is {s:.2g}, above {limits.exploding:g}.")
        elif s < limits.vanishing * largest:
            reason = f"Its gradient's root mean square is {s:.2g}, {s / largest:.0e} of the largest parameter's."
            yield leaf, Flag("VANISHING", reason)


def sent_nothing(tensor: Tensor, limits: Thresholds) -> Iterator[Tensor]:
    """The leaves that this operation broadcast, as it does a bias, whose gradient is a sum in which all cancels."""
    g = tensor.grad
    for x in (tensor.inputs[i] for i in tensor.needs if g is not None):
        extra = tensor.ndim - x.ndim
        if x.grad is None or not x.is_leaf or x.size >= tensor.size or extra < 0:
            continue
        if any(n not in (1, m) for n, m in zip(x.shape, tensor.shape[extra:])):
            continue
        axes = (*range(extra), *(extra + i for i, n in enumerate(x.shape) if n == 1))
        total, sizes = (np.reshape(np.sum(part, axis=axes), x.shape) for part in (g, np.abs(g)))
        precision = limits.cancelled * np.finfo(x.dtype).eps
        # the sum tells even of a gradient that was clipped; the gradient, even where the leaf is a factor, no summand
        if np.any(sizes) and np.all(np.maximum(np.abs(total), np.abs(x.grad)) <= precision * sizes):
            yield x


def unused(models: Iterable[Any], found: Mapping[int, Node]) -> list[tuple[Any, Any, Any]]:
    """The parameters of these models that are not in the graph: each with its model and the module that owns it."""
    missing: dict[int, tuple[Any, Any, Any]] = {}
    for model in models:
        for _, part in model.named_modules():  # an inner module comes after the outer ones, and is the owner
            for _, parameter in part.named_parameters():
                if parameter.requires_grad and id(parameter) not in found:
                    missing[id(parameter)] = model, part, parameter
    return list(missing.values())


LOSSES = ".data, .item(), a function of math, or no_grad"
CALLED = f"Its module ran, but it is not in this graph: lost in {LOSSES}?"
NOT_CALLED = f"No result of its module reaches the loss: the module was not called, or its result lost in {LOSSES}."
