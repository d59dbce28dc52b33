"""Python's operators on Tensors: straight to the data, without the detour through NumPy's protocols.

This is what every line of arithmetic runs through, so it is written for speed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from . import modes as mode
from .modes import modes
from .tensor import Node, Tensor, arrays, in_place_remedy, numbers, record, stamp, tick, untracked

operators: dict[Any, Any] = {
    np.add: ("+", operator.add),
    np.subtract: ("-", operator.sub),
    np.multiply: ("*", operator.mul),
    np.divide: ("/", operator.truediv),
    np.power: ("**", operator.pow),
    np.matmul: ("@", operator.matmul),
    np.floor_divide: ("//", operator.floordiv),
    np.remainder: ("%", operator.mod),
    np.negative: ("-", operator.neg),
    np.positive: ("+", operator.pos),
    np.absolute: ("abs", operator.abs),
}
operands = (*numbers, *arrays, complex, list, tuple)


def add_operators(ufunc: Any, entry: Any, symbol: str, compute: Callable[..., Any]) -> None:
    """Give Tensor `-a`, or `a + b`, `b + a` and `a += b`, for one ufunc of the table."""

    def unary(self: Tensor) -> Tensor:
        return entry(self)

    def forward(self: Tensor, other: Any) -> Any:
        a = self.array
        if self.op is None and not a.ndim:
            a = a[()]  # a number: NumPy computes several times faster with it than with an array of shape ()
        if isinstance(other, Tensor):
            b = other.array
            if other.op is None and not b.ndim:
                b = b[()]
            needs = (both if other.tracked else first) if self.tracked else second if other.tracked else neither
        elif type(other) in quick:
            b, needs = other, first if self.tracked else neither
        else:
            return entry(self, other) if isinstance(other, operands) else NotImplemented
        if mode.active or not needs:
            return entry(self, other)
        node = Node()  # record(), written out: a call would be a third of the whole
        try:
            node.array, node.grad, node.tracked = compute(a, b), None, True
        except ValueError as error:
            raise misfit(entry, (a, b), error) from None
        node.hooks = node.made_by = None
        node.op, node.inputs, node.values = entry, (self, other), (a, b)
        node.needs, node.extra, node.tick = needs, None, tick()
        return node

    def reflected(self: Tensor, other: Any) -> Any:
        if type(other) in quick and self.tracked and not mode.active:
            b = self.array
            if self.op is None and not b.ndim:
                b = b[()]
            try:
                data = compute(other, b)
            except ValueError as error:
                raise misfit(entry, (other, b), error) from None
            return record(entry, data, (other, self), (other, b), second)
        return entry(other, self) if isinstance(other, operands) else NotImplemented

    def in_place(self: Tensor, other: Any) -> Any:
        if self.op is not None or not self.tracked:
            return forward(self, other)
        if modes.recording:
            raise RuntimeError(f"`{symbol}=` on a leaf that requires grad. {in_place_remedy}")
        value = untracked(other, None)
        try:
            if modes.anomaly:  # to be watched, and forgotten
                record(entry, ufunc(self.array, value), (self, other), (self.array, value), ())
            ufunc(self.array, value, out=self.array)
        except ValueError as error:
            raise ValueError(
                f"`{symbol}=` of shape {np.shape(value)} does not fit into a Tensor of shape {self.shape}."
            ) from error
        stamp(self)
        return self

    methods = {"": unary} if ufunc.nin == 1 else {"": forward, "r": reflected, "i": in_place}
    for prefix, method in methods.items():
        method.__name__ = f"__{prefix}{compute.__name__.strip('_')}__"
        setattr(Tensor, method.__name__, method)


def misfit(op: Any, values: Any, error: ValueError) -> ValueError:
    """What to raise where NumPy raised error, as op does not fit these values: for @, what is expected of shapes."""
    if op.function is not np.matmul:
        return error  # NumPy's own message is as good
    a, b = (np.asarray(value) for value in values)
    if not a.ndim or not b.ndim:
        return ValueError(
            f"a @ b multiplies vectors and matrices, but the shapes are {a.shape} and {b.shape}. For a number write *."
        )
    if a.shape[-1] == b.shape[max(b.ndim - 2, 0)]:
        return error
    end = "first axis" if b.ndim == 1 else "last axis but one"
    fitting = [
        text
        for text, x, y in (("a @ b.T", a, b.T), ("a.T @ b", a.T, b))
        if a.ndim <= 2 and b.ndim <= 2 and x.shape[-1] == y.shape[0]
    ]
    return ValueError(
        f"a @ b sums along the last axis of a and the {end} of b, which must be equally long, but the shapes are "
        f"{a.shape} and {b.shape}." + (f" {fitting[0]} would fit." if fitting else "")
    )


neither, first, second, both = (), (0,), (1,), (0, 1)  # which operands need a gradient
quick = frozenset((float, int, np.float64))  # other types go through Op.__call__, which looks at them more closely


def comparison(compute: Callable[[Any, Any], Any]) -> Callable[[Tensor, Any], Any]:
    """A comparison of Tensors, which answers with a plain array of booleans."""
    return lambda self, other: compute(self.array, other.array if isinstance(other, Tensor) else other)


for compare in (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge):
    setattr(Tensor, f"__{compare.__name__}__", comparison(compare))
