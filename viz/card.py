"""What a node says, and the room that takes: a card of a title, the value, the gradient and a bar for the gradient."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .data import ARRIVED, CLEARED, LOST, NONE, WAITING, ZERO, Flag, Node
from .health import FLAGS, worst
from .text import cut, exact, grid, number, shape, spread

__all__ = ["Card", "Scale", "width_of"]

CHARACTER, LINE = 6.65, 15.0  # of a monospaced font of 11 px
PADDING, SPACE = 9.0, 4.0  # around the text; above the gradient
BAR, HALF = 10.0, 46.0  # the height of the bar's row; half the length of a full bar
INDENT = {"flag": 18.0, "note": 0.0}  # of a line's text: a flag's after its glyph, a number after its label
LABEL = 6 * CHARACTER
MISSING = {WAITING: "backward has not run", CLEARED: "cleared since", LOST: "none arrived"}


def width_of(text: str) -> float:
    """The width of text in pixels; Chinese, Japanese and Korean characters are twice as wide."""
    return CHARACTER * sum(1 + (unicodedata.east_asian_width(c) in "WF") - (unicodedata.combining(c) > 0) for c in text)


class Scale(NamedTuple):
    """How long a gradient's bar is: |g| = 10**low and below has no length, 10**high all of it."""

    low: int
    high: int

    @classmethod
    def of(cls, gradients: Iterable[Any]) -> Scale:
        """The decades that these gradients need: at least 3, at most 12."""
        sizes = [m for g in gradients for m in extremes(g) if m]
        if not sizes:
            return cls(-3, 0)
        decades = np.log10(np.abs(sizes))
        high = int(np.ceil(decades.max()))
        return cls(max(min(int(np.floor(decades.min())), high - 3), high - 12), high)

    def length(self, g: float) -> float:
        """log10 |g| as a fraction of the full bar; what is not 0 is never quite invisible."""
        return float(np.clip((np.log10(abs(g)) - self.low) / (self.high - self.low), 0.05, 1)) if g else 0.0


def extremes(g: Any) -> tuple[float, float]:
    """The most negative and the most positive finite element of g: 0 where there is none."""
    finite = np.asarray(g, np.float64)
    finite = finite[np.isfinite(finite)]
    return (min(finite.min(), 0.0), max(finite.max(), 0.0)) if finite.size else (0.0, 0.0)


class Card:
    """The text of one node, line by line: (class, label, text), with the size of the whole."""

    def __init__(self, node: Node, sent: Sequence[Any] = ()) -> None:
        self.node, self.sent = node, sent  # and the parts of its gradient, one for each use

    @cached_property
    def title(self) -> tuple[str, str, str]:
        """Symbol, name, and the shape of a tensor."""
        node = self.node
        name = cut(node.name) or ("data" if node.state == NONE else "leaf") * (not node.symbol)
        return cut(node.symbol, 24), name, shape(node.value) if np.ndim(node.value) else ""

    @cached_property
    def lines(self) -> list[tuple[str, str, str]]:
        """Class, label and text of each line under the title."""
        node = self.node
        if node.kind in ("number", "rest"):
            return []
        notes = [("note", "", note) for note in [*learned(node.inside), *node.notes]]
        if node.value is None:  # a module that was not called
            return notes
        lines = labelled("value", said(node.value))
        if node.state == NONE:
            lines += [("muted", "grad", "  not required")]
        elif node.state in MISSING:
            lines += [("muted", "grad", MISSING[node.state])]
        else:
            lines += labelled("grad", said(node.grad, sign=True))
        flags = [("flag", flag.word, FLAGS[flag.word][0] + " " + flag.word) for flag in self.flags]
        return lines + flags + notes

    @cached_property
    def flags(self) -> list[Flag]:
        """What is wrong here, or of all that is wrong in a folded module the worst."""
        return self.node.flags or worst(flag for node in self.node.inside for flag in node.flags)

    @cached_property
    def width(self) -> float:
        """In pixels, of the longest line and the bar."""
        title = width_of(" ".join(filter(None, self.title))) + 2 * CHARACTER * bool(self.title[2])
        rest = [INDENT.get(kind, LABEL) + width_of(text) for kind, _, text in self.lines]
        return round(2 * PADDING + max([title, 2 * HALF * self.has_bar, *rest]), 1)

    @cached_property
    def height(self) -> float:
        """In pixels, of all lines and the bar."""
        return round(PADDING * 1.5 + LINE * (1 + len(self.lines)) + SPACE * bool(self.lines) + BAR * self.has_bar, 1)

    @property
    def has_bar(self) -> bool:
        """Whether there is a gradient to wait for."""
        return self.node.state not in (NONE, CLEARED, LOST)

    @cached_property
    def tooltip(self) -> str:
        """Everything about the node, with all digits."""
        node = self.node
        title = " ".join(filter(None, (node.symbol, node.name))) or "leaf"
        if node.value is None:
            return "\n".join([title, *node.notes])
        value = f"value = {exact(node.value)}"
        grad = {
            ARRIVED: f"grad = {exact(node.grad)}",
            ZERO: "grad = 0 exactly" + (f" in all of {node.grad.shape}" if np.ndim(node.grad) else ""),
            WAITING: "no gradient yet: backward has not run",
            CLEARED: "no gradient: cleared since the backward pass, as by zero_grad()",
            LOST: "no gradient: the backward pass did not come here",
            NONE: "does not require grad",
        }[node.state]
        flags = [f"{flag.word}: {flag.reason}" for flag in self.flags]
        return "\n".join([f"{title}: {node.kind}, {shape(node.value)}", value, grad, *self.sum, *flags, *node.notes])

    @property
    def sum(self) -> list[str]:
        """How the gradient of a scalar that is used several times adds up."""
        if len(self.sent) < 2 or any(np.ndim(part) for part in self.sent):
            return []
        return [f"one backward pass sends {len(self.sent)} parts: " + " ".join(signed(part) for part in self.sent)]


def learned(inside: list[Node]) -> list[str]:
    """Of a module in one card: how many numbers it learns, and the root mean square of their gradients."""
    parameters = [node for node in inside if node.kind == "parameter"]
    if not parameters:
        return []
    said = [f"{sum(node.value.size for node in parameters):,} parameters"]
    gradients = [np.ravel(node.grad) for node in parameters if node.grad is not None]
    if gradients:
        said.append(f"their grad: rms {number(rms(np.concatenate(gradients)))}")
    return said


def rms(array: Any) -> float:
    """The root mean square."""
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.mean(np.square(np.asarray(array, np.float64)))))


def labelled(label: str, texts: list[str]) -> list[tuple[str, str, str]]:
    """Lines of which only the first has a label."""
    return [("", label if i == 0 else "", text) for i, text in enumerate(texts)]


def signed(x: Any) -> str:
    """A number with its sign."""
    return "+" * bool(x > 0) + number(np.asarray(x).item())


def said(array: Any, sign: bool = False) -> list[str]:
    """A value or a gradient: a number, a small matrix, or the spread of a larger one."""
    array = np.asarray(array)
    if array.ndim == 0:
        return [signed(array) if sign else number(array.item())]
    return grid(array) or spread(array)
