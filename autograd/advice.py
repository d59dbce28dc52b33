"""What to say to whoever writes as in PyTorch, or gives something that is no number. Consulted only when it went wrong.

Their words stand in the class as `Absent` attributes, which cost nothing until somebody reads one; a `__getattr__`
would slow down every attribute of every Tensor.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["Absent", "add_absent", "described", "meant", "remedies", "renamed"]

# PyTorch's expressions, and the same in ours
instead = {
    "t.view(2, 3)": "t.reshape(2, 3)",
    "t.unsqueeze(0)": "np.expand_dims(t, 0)",
    "t.permute(1, 0)": "t.transpose(1, 0)",
    "t.t()": "t.T",
    "t.expand(4, 2, 3)": "np.broadcast_to(t, (4, 2, 3))",
    "t.dim()": "t.ndim",
    "t.numel()": "t.size",
    "t.clone()": "t.copy()",
    "t.abs()": "abs(t)",
    "t.neg()": "-t",
    "t.sub(1)": "t - 1",
    "t.mul(2)": "t * 2",
    "t.div(2)": "t / 2",
    "t.pow(2)": "t ** 2",
    "t.mm(t.T)": "t @ t.T",
    "t.eq(2)": "t == 2",
    "t.gt(2)": "t > 2",
    "t.lt(2)": "t < 2",
    "t.norm()": "np.linalg.norm(t)",
    "t.clamp(0, 1)": "t.clip(0, 1)",
    "t.masked_fill(t > 2, 0)": "np.where(t > 2, 0, t)",
    "t.sigmoid()": "nn.functional.sigmoid(t)",
    "t.relu()": "nn.functional.relu(t)",
    "t.softmax(-1)": "nn.functional.softmax(t, -1)",
    "t.log_softmax(-1)": "nn.functional.log_softmax(t, -1)",
    "t.float()": "t.astype(np.float32)",
    "t.double()": "t.astype(np.float64)",
    "t.long()": "t.data.astype(int)",
    "t.int()": "t.data.astype(int)",
    "t.bool()": "t.data.astype(bool)",
    "t.type(dtype)": "t.astype(dtype)",
}
# and what has no equal here, or changes a Tensor in place, which none in a graph allows
otherwise = {
    "t.to(dtype)": "t.astype(dtype); for a device nothing, as everything is computed on the CPU, by NumPy",
    "t.cuda()": "t alone: everything is computed on the CPU, by NumPy",
    "t.cpu()": "t alone: everything is computed on the CPU, by NumPy",
    "t.device": "nothing: everything is computed on the CPU, by NumPy",
    "t.is_cuda": "nothing: everything is computed on the CPU, by NumPy",
    "t.contiguous()": "t alone: the order in memory makes no difference here",
    "t.requires_grad_()": "t.requires_grad = True",
    "t.retain_grad()": "nothing: every Tensor in a graph keeps its gradient",
    "t.grad_fn": "t.op, and t.inputs for what it was given",
    "t.add_(1)": "t += 1 inside `with no_grad():`",
    "t.sub_(1)": "t -= 1 inside `with no_grad():`",
    "t.mul_(2)": "t *= 2 inside `with no_grad():`",
    "t.zero_()": "t[...] = 0 inside `with no_grad():`, or t.zero_grad() for the gradient",
    "t.fill_(2)": "t[...] = 2 inside `with no_grad():`",
    "t.copy_(u)": "t[...] = u inside `with no_grad():`",
    "t.fill(2)": "t[...] = 2 inside `with no_grad():`",
    "t.sort()": "t = np.sort(t), which is a new Tensor",
    "t.append(u)": "t = np.append(t, u), which is a new Tensor",
}
renamed = {"dim": "axis", "keepdim": "keepdims", "dims": "axis"}  # PyTorch's keywords, and NumPy's


class Absent:
    """What stands in a class for an attribute that is not there: reading it raises, and says what to write instead.

    `hasattr` says False, and a subclass or an object may have an attribute of that name.
    """

    def __init__(self, name: str, remedy: str) -> None:
        self.name, self.remedy = name, remedy

    def __get__(self, instance: Any, owner: type) -> Any:
        raise AttributeError(f"{article(owner).title()}{owner.__name__} has no attribute {self.name!r}. {self.remedy}")


def add_absent(cls: Any, remedies: Mapping[str, str]) -> None:
    """Let reading these attributes of cls raise with a remedy; `dir`, and so completion, does not show them."""
    for name, remedy in remedies.items():
        setattr(cls, name, Absent(name, remedy))
    cls.__dir__ = present


def present(self: Any) -> list[str]:
    """What `dir` lists."""
    return [name for name in object.__dir__(self) if not isinstance(inspect.getattr_static(self, name, None), Absent)]


def remedies() -> dict[str, str]:
    """The tables `instead` and `otherwise` as sentences, by the name of the attribute."""
    return {
        theirs.removeprefix("t.").partition("(")[0]: f"Instead of {theirs} write {ours}."
        for theirs, ours in (instead | otherwise).items()
    }


def described(data: Any) -> str:
    """data, which are not real numbers, in a few words.

    >>> described(None), described("3"), described([1, None])
    ('None', "the text '3'", 'a list with None in it')
    """
    if not isinstance(data, (str, bytes, complex, list, tuple, np.ndarray, np.generic)):
        return a(data)
    array = np.asarray(data)
    if array.dtype.kind in "US":
        return f"the text {array.item()!r}" if array.size == 1 else "text"
    if array.dtype.kind == "O":
        odd = [x for x in array.flat if not isinstance(x, (int, float, np.number))]
        return f"{a(data)} with {a(odd[0])} in it" if odd else f"{a(data)} of Python objects"
    return f"{array.dtype}"


def meant(data: Any) -> str:
    """What to write where data stand, which are not real numbers."""
    if callable(data):
        return "Call it and give what it returns, as in model(x)."
    if data is None:
        return "Does forward() return its result?"
    return "Write x.astype(float)." if isinstance(data, np.ndarray) else "Give it an array or a Tensor."


def a(thing: Any) -> str:
    """The type of thing, with its article; None is None."""
    return "None" if thing is None else article(type(thing)) + type(thing).__name__


def article(cls: type) -> str:
    """The article that the name of cls takes, and a space."""
    return "an " if cls.__name__[0] in "aeiouAEIO" else "a "
