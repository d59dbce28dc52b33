"""Parameters that are updated together: small ones as one flat array, large ones piece by piece.

Calling NumPy takes about as long as computing with a thousand numbers, so that the many small arrays of a network are
updated fastest as one, for which `pack` puts them side by side in memory. And NumPy is fastest with numbers that are
still in the processor's cache, so that a large array is best taken through all lines of a formula a piece at a time.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autograd import Tensor
from autograd.tensor import at_once, set_array

Array = np.ndarray[Any, np.dtype[Any]]
ndarray = np.ndarray
references, set_item = sys.getrefcount, dict.__setitem__

__all__ = ["PIECE", "Block", "Memory", "pack"]

PIECE = 1 << 15  # elements: of float32, what Adam needs of a piece (w, g, m, v, scratch) takes 640 kB


class Memory(dict[str, Any]):
    """What a formula remembers of one piece, such as its velocity: an array asked for by a new name is one of zeros.

    What is assigned is copied into the array that the block has for all its pieces; a number stays a number.
    """

    def __init__(self, block: Block, part: slice) -> None:
        super().__init__((name, x[part] if isinstance(x, np.ndarray) else x) for name, x in block.memory.items())
        self.block, self.part = block, part

    def __missing__(self, name: str) -> Array:
        whole = self.block.memory.get(name)
        if not isinstance(whole, ndarray):
            whole = self.block.memory[name] = np.zeros(self.block.size, self.block.dtype)
        part: Array = whole[self.part]
        set_item(self, name, part)
        return part

    def __setitem__(self, name: str, value: Any) -> None:
        if not isinstance(value, ndarray):
            set_item(self, name, value)
        elif value is not (place := self.get(name)):  # as it is after state["m"] *= 0.9
            place = place if isinstance(place, ndarray) else self.__missing__(name)  # it may have been 0
            place[...] = value

    def setdefault(self, name: str, value: Any = None) -> Any:
        if name not in self:
            self[name] = value
        return self[name]

    def update(self, *others: Any, **values: Any) -> None:
        for name, value in dict(*others, **values).items():
            self[name] = value


class Block:
    """Parameters of one group and dtype, with what is remembered of them: all of them small, or a large one alone.

    past   what is remembered of each parameter: arrays of its shape, and numbers that are the same for all
    """

    def __init__(self, group: dict[str, Any], params: list[Tensor], past: list[Mapping[str, Any]]) -> None:
        self.group, self.params = group, params
        self.arrays = [p.data for p in params]
        self.shapes = [w.shape for w in self.arrays]
        self.dtype, self.size = self.arrays[0].dtype, sum(w.size for w in self.arrays)
        self.memory: dict[str, Any] = {}  # flat arrays of all parameters together, and numbers, by name
        for name, value in past[0].items():
            if isinstance(value, np.ndarray):
                value = np.concatenate([each[name] for each in past], axis=None).astype(self.dtype, copy=False)
            self.memory[name] = value
        flat = side_by_side(self.arrays)
        self.apart = flat is None  # then `flat` gets copies of the parameters where the formula needs them
        self.flat = np.empty(self.size, self.dtype) if flat is None else flat
        alone = len(params) == 1
        length = min(PIECE, self.size) if alone and not self.apart else self.size
        self.s, self.t = np.empty((2, length), self.dtype)  # to compute in
        starts = range(0, max(self.size, 1), max(length, 1))  # at least one, even of parameters without elements
        self.pieces: list[tuple[slice, Memory, Array, Array, Array]] = []
        for i in starts:
            part = slice(i, min(i + length, self.size))
            n = part.stop - i
            self.pieces.append((part, Memory(self, part), self.flat[part], self.s[:n], self.t[:n]))
        self.gradient = np.empty(0 if alone else self.size, self.dtype)  # of all parameters together
        self.places = [None] if alone else split(self.gradient, self.arrays)  # where each is copied to
        if self.apart:
            self.weights, self.changes = split(self.flat, self.arrays), split(self.s, self.arrays)

    def remembered(self) -> dict[Tensor, dict[str, Any]]:
        """What is remembered of each parameter, the arrays as views of its shape."""
        found: dict[Tensor, dict[str, Any]] = {p: {} for p in self.params}
        memory = {**self.memory, **{k: v for k, v in self.pieces[0][1].items() if not isinstance(v, np.ndarray)}}
        for name, value in memory.items():
            each = split(value, self.arrays) if isinstance(value, np.ndarray) else [value] * len(self.params)
            for p, x in zip(self.params, each):
                found[p][name] = x
        return found

    def gather(self) -> tuple[int, Array]:
        """How many parameters lack a gradient, −1 if the block is not what it was made for; all gradients, flat."""
        gradient, dtype, missing = self.gradient, self.dtype, 0
        for p, w, shape, place in zip(self.params, self.arrays, self.shapes, self.places):
            g = p.grad
            if p.array is not w:
                return -1, gradient
            if g is None:
                missing += 1
                continue
            if g.__class__ is not ndarray:
                g = np.asarray(g.data if isinstance(g, Tensor) else g)
            if g.shape != shape:
                raise ValueError(
                    f"A parameter of shape {shape} has a gradient of shape {g.shape}: from before its data were "
                    "replaced, or assigned. Call zero_grad() and compute the gradient anew."
                )
            if g.dtype is not dtype and not np.can_cast(g.dtype, dtype, "same_kind"):
                raise TypeError(f"A parameter of {dtype} has a gradient of {g.dtype}, no real numbers.")
            if place is None:
                gradient = g.reshape(-1).astype(dtype, copy=False)  # g² in float16 would overflow
            else:
                place[...] = g  # of many small arrays, np.concatenate(axis=None) takes twice as long
        return missing, gradient

    def update(self, gradient: Array, change: Callable[..., Array], coupled: bool) -> None:
        """w ← w − change(g, ...) for all parameters; with weight decay λ, g ← g + λ w before, or w ← w − lr λ w."""
        group, decay = self.group, self.group.get("weight_decay")
        if decay and self.apart:
            for place, x in zip(self.weights, self.arrays):
                place[...] = x
        maximize = group.get("maximize")
        for part, memory, w, s, t in self.pieces:
            g = gradient[part]
            if maximize:
                g = np.negative(g, out=t)
            if decay and coupled:
                g = np.add(g, np.multiply(w, decay, out=s), out=t)
            changes = change(g, memory, group, s)
            if changes is None:
                raise TypeError("change(self, g, state, group, s) returned None, not what to subtract: return s.")
            if decay and not coupled:
                changes = np.add(changes, np.multiply(w, float(group["lr"]) * decay, out=t), out=s)
            if not self.apart:
                w -= changes
            else:
                each = self.changes if changes is s else split(changes, self.arrays)
                at_once(map(np.subtract, self.arrays, each, self.arrays))


def split(flat: Array, arrays: list[Array]) -> list[Any]:
    """A flat array of as many numbers as there are in arrays, as views of each one's shape."""
    ends = np.cumsum([w.size for w in arrays])
    return [flat[end - w.size : end].reshape(w.shape) for w, end in zip(arrays, ends)]


def side_by_side(arrays: list[Array]) -> Array | None:
    """All arrays as one flat view of them, where they follow each other in memory; None where they do not."""
    first = arrays[0]
    starts = [w.__array_interface__["data"][0] for w in arrays]
    follow = all(start + w.nbytes == after for start, w, after in zip(starts, arrays, starts[1:]))
    of_one = len(arrays) == 1 or first.base is not None and all(w.base is first.base for w in arrays)
    if not (follow and of_one and all(w.flags.c_contiguous for w in arrays)):
        return None
    return as_strided(first, (sum(w.size for w in arrays),), (first.itemsize,))


def holders(p: Tensor) -> int:
    """How many references to the array of p Python counts here."""
    return references(p.array)


OWN = holders(Tensor([0.0], requires_grad=True))  # those of p itself, and of counting


def pack(params: list[Tensor]) -> None:
    """Move the values of small parameters into one array, for each dtype.

    But not those whose array somebody else holds, or a view of it, who would not see any more what becomes of them.
    """
    alike: dict[Any, list[Tensor]] = defaultdict(list)
    for p in params:
        if p.array.size <= PIECE and p.array.flags.carray and p.array.base is None and holders(p) == OWN:
            alike[p.array.dtype].append(p)
    for movable in alike.values():
        arrays = [p.array for p in movable]
        at_once(map(set_array, movable, split(np.concatenate(arrays, axis=None), arrays)))
