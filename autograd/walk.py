"""The backward pass to look at, one contribution after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .backward import contributions, pull
from .refusals import start
from .tensor import Tensor

__all__ = ["Step", "steps"]


@dataclass(frozen=True, eq=False)
class Step:
    """One contribution of the backward pass: `node`, at which `gradient` arrived, sends `contribution` to `argument`.

    position   which argument of node's operation it is
    before     what had arrived at argument before, or None
    after      what has arrived at argument now: before + contribution
    """

    node: Tensor
    position: int
    argument: Tensor
    gradient: Any
    contribution: Any
    before: Any
    after: Any

    def slope(self) -> Any:
        """∂node/∂argument, where both are numbers: what the rule sends when the gradient that arrives is 1."""
        one = np.ones(self.node.shape, self.node.dtype)[()]
        return next(part for i, _, part in contributions(self.node, one) if i == self.position)

    def __str__(self) -> str:
        assert self.node.op is not None
        to = self.argument.name or f"argument {self.position}"
        so_far = "" if self.before is None else f", in all {brief(self.after)}"
        return f"{self.node.op.name}: {brief(self.gradient)} arrived, {brief(self.contribution)} sent to {to}{so_far}"


def brief(g: Any) -> str:
    """A gradient in a few characters: a number, or a shape."""
    return f"{g:.4g}" if np.ndim(g) == 0 else f"shape {g.shape}"


def steps(output: Tensor, gradient: Any = None) -> Iterator[Step]:
    """Walk the backward pass from output one contribution at a time, in backward's own order and with its sums.

    No `.grad` is written and no hook called.

    >>> from autograd import Tensor, steps
    >>> a = Tensor(3.0, requires_grad=True, name="a")
    >>> for step in steps(a * a + a): print(step)
    add: 1 arrived, 1 sent to argument 0
    add: 1 arrived, 1 sent to a
    multiply: 1 arrived, 3 sent to a, in all 4
    multiply: 1 arrived, 3 sent to a, in all 7
    """
    g = start(output, gradient, "steps()")
    trace: list[Any] = []
    pull([output], [g.array if isinstance(g, Tensor) else g], trace=trace)
    return (Step(*fields) for fields in trace)
