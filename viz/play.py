"""What there is to play: a graph whose nodes all have names, and its backward pass, one contribution at a time.

`step` plays it on a page, `animate` in a picture that moves by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from autograd import Tensor, steps, topological_order

from .card import BAR, HALF, LINE, PADDING, SPACE, Card, Scale, width_of
from .data import LOST, NONE, Node
from .graph import trace
from .text import cut, number, spread

__all__ = ["ROWS", "Box", "Play", "said", "size"]

# where the title, the value, the gradient and its bar stand in a box, below its upper edge
ROWS = {"t": LINE, "v": 2 * LINE, "g": PADDING / 2 + 3 * LINE, "bar": PADDING / 2 + 3 * LINE + 2 * SPACE}


class Play:
    """The graph behind output, with a name for every node, and its backward pass from `gradient` on.

    graph   the nodes and edges, as plain data
    walk    the contributions, in the engine's order
    place   the position of a node among the nodes, by its id
    index   the same by the identity of its tensor, for those that a gradient reaches
    edge    the number of an edge, by the position of the node that uses it and which argument it is
    sums    what has arrived at each node that a gradient reaches, time after time
    scale   of the bars: it fits every sum
    """

    def __init__(self, output: Tensor, gradient: Any = None, names: Mapping[str, Any] | None = None) -> None:
        order = topological_order(output)
        self.walk = list(steps(output, gradient))
        self.graph = trace(output, names)
        self.seed = np.asarray(1.0 if gradient is None else gradient)[()]
        nodes = self.graph.nodes
        baptise(nodes)
        self.place = {node.id: i for i, node in enumerate(nodes)}
        tracked = [i for i, node in enumerate(nodes) if node.state not in (NONE, LOST)]
        self.index = {id(tensor): i for tensor, i in zip(order, tracked)}  # both are in topological order
        self.edge = {(self.place[edge.target], edge.position): i for i, edge in enumerate(self.graph.edges)}
        self.sums: dict[int, list[Any]] = {i: [] for i in tracked}
        self.sums[tracked[-1]].append(self.seed)
        for sent in self.walk:
            self.sums[self.index[id(sent.argument)]].append(sent.after)
        self.scale = Scale.of(g for sums in self.sums.values() for g in sums)
        if hooked := [nodes[self.index[id(tensor)]].name for tensor in order if tensor.hooks]:
            whose = cut(", ".join(hooked), 60)
            self.graph.notes.append(f"Not called here: the hooks of {whose}. These gradients are without them.")

    @property
    def title(self) -> str:
        return f"Backward pass of {cut(self.graph.nodes[-1].name)}: {len(self.walk)} steps"


def baptise(nodes: list[Node]) -> None:
    """Give each node a name of its own, so that formulas can speak of it: v1, v2, ... and L for the last."""
    taken: dict[str, int] = {}
    for i, node in enumerate(nodes):
        if node.kind != "number":
            name = node.name or ("L" if node is nodes[-1] else f"v{i + 1}")
            taken[name] = taken.get(name, 0) + 1
            node.name = f"{name} ({taken[name]})" if taken[name] > 1 else name


def said(x: Any, digits: int = 4) -> str:
    """A number, or the extremes of an array."""
    x = np.asarray(x)
    if x.ndim:
        return ", ".join(line for line in spread(x, digits) if "\u00b1" not in line)
    return number(x.item(), digits)


def size(x: Any) -> str:
    """The shape of an array; nothing of a number."""
    return str(np.shape(x)) if np.ndim(x) else ""


class Box(Card):
    """A node: its title, "= value", and "∂ gradient", of which what plays shows one sum after the other."""

    padding, half = PADDING, HALF  # beside the text; half the length of a full bar

    def __init__(self, node: Node, sums: Sequence[Any] = ()) -> None:
        super().__init__(node)
        self.sums = sums  # what has arrived at it, time after time: the box is wide enough for each

    @cached_property
    def title(self) -> tuple[str, str, str]:
        return cut(self.node.symbol, 24), cut(self.node.name), size(self.node.value)

    @cached_property
    def lines(self) -> list[tuple[str, str, str]]:
        texts = [] if self.node.kind == "number" else [self.value, self.gradient]
        return [("note", "", text) for text in texts if text]  # which starts at the edge

    def said(self, x: Any) -> str:
        """A value in the box."""
        return said(x)

    def told(self, g: Any) -> str:
        """A gradient in the box."""
        return said(g)

    @property
    def value(self) -> str:
        return "" if self.node.value is None else f"= {self.said(self.node.value)}"

    @property
    def gradient(self) -> str:
        """The final one."""
        if self.sums:
            return f"\u2202 {self.told(self.sums[-1])}"
        return "\u2202 none arrived" if self.node.state == LOST else ""

    @cached_property
    def width(self) -> float:
        title = width_of(" ".join(filter(None, self.title)))
        if self.node.kind == "number":
            return title + 2 * self.padding
        texts = [self.value, self.gradient, *(f"\u2202 {self.told(x)}" for x in self.sums)]
        return round(2 * self.padding + max(title * 1.05, 2 * self.half * bool(self.sums), *map(width_of, texts)))

    @cached_property
    def height(self) -> float:
        return round(PADDING + LINE * (1 + len(self.lines)) + (SPACE + BAR) * bool(self.sums))
