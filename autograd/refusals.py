"""What a backward pass cannot start from or go through, and what to say then."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .advice import described
from .tensor import Tensor

__all__ = ["given", "label", "name", "refuse_changed", "refuse_freed", "start"]


def start(output: Any, gradient: Any, caller: str) -> Any:
    """The gradient that a backward pass starts with: `gradient` checked, or 1 for a scalar."""
    if not isinstance(output, Tensor):
        remedy = " To differentiate a function write autograd.functional.gradient(f)." if callable(output) else ""
        raise TypeError(f"{caller} differentiates a Tensor, but this is {type(output).__name__}: {output!r}.{remedy}")
    if not output.tracked:
        raise RuntimeError(
            f"{caller} on a Tensor that no gradient can be computed for: nothing it was computed from requires grad, "
            "or it was computed under no_grad. Make the inputs with Tensor(data, requires_grad=True). (A derivative "
            "that is constant piece by piece, such as relu's, depends on nothing: its own is 0.)"
        )
    if gradient is None:
        if output.array.ndim:
            remedy = {"backward()": "backward(gradient)", "grad()": "grad_outputs="}.get(caller, "gradient=")
            raise ValueError(
                f"{caller} starts from a scalar, but this Tensor has shape {output.shape}. Reduce it first, "
                f"loss.sum(){'.backward()' if caller == 'backward()' else ''}, or pass {remedy}."
            )
        return one(output.array.dtype)
    return given(gradient, output, f"passed to {caller}")


@functools.lru_cache(maxsize=8)
def one(dtype: Any) -> Any:
    """1, which NumPy takes almost a microsecond to make of float32."""
    return dtype.type(1)


def given(gradient: Any, node: Tensor, origin: str) -> Any:
    """A gradient of node that the user gave, checked, in node's dtype: a Tensor if it is one, else a copy."""
    value = gradient.array if isinstance(gradient, Tensor) else np.asarray(gradient)
    if value.dtype.kind not in "fiu":
        mistaken = value.dtype.kind == "b" and origin == "passed to backward()"
        remedy = " Write retain_graph= by its name." if mistaken else ""
        raise TypeError(f"The gradient {origin} consists of real numbers, not {described(value)}.{remedy}")
    if value.shape != node.shape:
        raise ValueError(f"The gradient {origin} has shape {value.shape}, but the Tensor has shape {node.shape}.")
    if isinstance(gradient, Tensor):
        return gradient if value.dtype == node.dtype else gradient.astype(node.dtype)
    return np.array(value, node.dtype)[()]


def name(node: Tensor) -> str:
    """The name of the operation that made node."""
    assert node.op is not None
    return node.op.name


def label(x: Tensor) -> str:
    """' (name)', if x has a name."""
    return f" ({x.name})" if x.name else ""


def refuse_freed(node: Tensor) -> None:
    """Raise: the graph behind node is gone."""
    raise RuntimeError(
        f"The graph behind {name(node)} was freed by backward(retain_graph=False). Compute the result anew, or keep "
        "the graph the first time with backward()."
    )


def refuse_changed(node: Tensor) -> None:
    """Raise if a tensor that node used was changed in place after node had been recorded."""
    for x in node.inputs:
        if isinstance(x, Tensor) and x.tick > node.tick:
            raise RuntimeError(
                f"A Tensor{label(x)} that {name(node)} used was changed in place after it was recorded (by an operator "
                "such as -=, by t.data = v, or by an optimizer's step), so its gradient would be wrong. Compute the "
                "loss again, then call backward()."
            )
