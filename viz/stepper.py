"""step: a page that plays the backward pass, one contribution along one edge at a time, with nothing outside it."""

from __future__ import annotations

import ast
import html
import inspect
import json
import linecache
import tempfile
import webbrowser
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

from autograd import Op, Step, Tensor, steps, topological_order

from .card import BAR, HALF, LINE, PADDING, SPACE, Card, Scale, extremes, width_of
from .data import LOST, NONE, Edge, Node, Trace, nested
from .graph import trace
from .layout import Layout, LayoutError, dot, layout
from .svg import FORBIDDEN, MARGIN, THEMES, escape, heading, outline
from .text import cut, number, spread

__all__ = ["Page", "step"]

SIDES = 8, 6, 5, 4, 3, 2, 1, 0  # the matrices of at most so many rows and columns that a page could show as numbers
ROOM = 2000, 15  # how many of their elements it does show: so many, and so many more for each node


class Page:
    """A page that plays a backward pass: one HTML text, which needs nothing else. A notebook shows it by itself."""

    def __init__(self, title: str, html: str) -> None:
        self.title, self.html = title, html

    def save(self, path: Any) -> Path:
        """Write the page as a file, which any browser opens, with the network off too."""
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f'The page is saved as .html, but not as "{path.name}".')
        path.write_text(self.html, encoding="utf-8", newline="\n")
        return path

    def view(self) -> None:
        """Open the page in the web browser."""
        with tempfile.NamedTemporaryFile("w", suffix=".html", delete=False, encoding="utf-8", newline="\n") as file:
            file.write(self.html)
        webbrowser.open(Path(file.name).as_uri())

    def __repr__(self) -> str:
        return f'<{self.title}; .save("steps.html"), .view()>'

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that its keys are not the notebook's."""
        return (
            f'<iframe title="{escape(self.title)}" style="width:100%;height:680px;border:1px solid #768390" '
            f'srcdoc="{html.escape(self.html)}"></iframe>'
        )


def step(
    output: Tensor,
    gradient: Any = None,
    names: Mapping[str, Any] | None = None,
    limit: int | None = 2000,
    seconds: float = 10.0,
) -> Page:
    """The page that plays the backward pass of output: the values, ∂L/∂L = 1, then each contribution along an edge.

    gradient   what the pass starts with, of output's shape; may be left out for a scalar
    names      names for Tensors and modules: `names=locals()`
    limit      a graph of more nodes is refused; None plays any
    seconds    how long Graphviz may think; then, or where there is none, the same frames play over a list

    >>> from autograd import Tensor
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> step(x * x + 2 * x)
    <Backward pass of L: 5 steps; .save("steps.html"), .view()>
    """
    with np.errstate(all="ignore"):
        order = topological_order(output)
        if limit is not None and len(order) > limit:
            raise ValueError(
                f"This graph has {len(order):,} nodes; a page plays {limit:,} of them well. Step through a part of it, "
                "viz.step(of an earlier result), print it, viz.tree(loss), or pass limit=None."
            )
        walk = list(steps(output, gradient))
        play = Play(trace(output, names), order, walk, np.asarray(1.0 if gradient is None else gradient)[()])
        return Page(play.title, play.page(seconds))


# ---- what there is to play ----------------------------------------------------------------------------------------


@dataclass
class Play:
    """A graph with a name for every node, and its backward pass."""

    graph: Trace
    order: list[Tensor]
    walk: list[Step]
    seed: Any

    def __post_init__(self) -> None:
        baptise(self.graph.nodes)
        self.place = {node.id: i for i, node in enumerate(self.graph.nodes)}
        tracked = [i for i, node in enumerate(self.graph.nodes) if node.state not in (NONE, LOST)]
        self.index = {id(tensor): i for tensor, i in zip(self.order, tracked)}  # both are in topological order
        self.edge = {(self.place[e.target], e.position): i for i, e in enumerate(self.graph.edges)}
        self.sums: dict[int, list[Any]] = {i: [] for i in tracked}  # what has arrived at each node, time after time
        self.sums[tracked[-1]].append(self.seed)
        for step in self.walk:
            self.sums[self.index[id(step.argument)]].append(step.after)

    @property
    def title(self) -> str:
        return f"Backward pass of {self.graph.nodes[-1].name}: {len(self.walk)} steps"

    @cached_property
    def scale(self) -> Scale:
        """Of the bars."""
        return Scale.of(g for sums in self.sums.values() for g in sums)

    def page(self, seconds: float) -> str:
        """The whole page: the picture or the list, the data, and what plays them."""
        try:
            picture, note = self.picture(seconds), ""
        except LayoutError as error:
            picture, note = self.list(), str(error).partition("\n")[0]
        notes = " ".join(filter(None, [*self.graph.notes, note]))
        parts = {
            "title": escape(self.title),
            "theme": theme(),
            "style": asset("stepper.css"),
            "picture": picture,
            "loss": escape(self.graph.nodes[-1].name),
            "legend": f"bar: |gradient| from 1e{self.scale.low} to 1e{self.scale.high}, log scale",
            "notes": escape(notes),
            "data": in_script(self.data()),
            "script": asset("stepper.js"),
        }
        page = asset("stepper.html")
        for part in page.split("{{")[1:]:
            name = part.partition("}}")[0]
            page = page.replace("{{" + name + "}}", parts[name], 1)
        return page

    # ---- the numbers

    def data(self) -> dict[str, Any]:
        """What the script reads. Its own comment says what is where."""
        nodes, walk = self.graph.nodes, self.walk
        arrays = [node.value for node in nodes] + [x for step in walk for x in (step.contribution, step.after)]
        side = affordable(arrays, ROOM[0] + ROOM[1] * len(nodes))
        rules: dict[tuple[Op, int], int] = {}
        texts: list[Any] = []
        played = []
        for step in walk:
            key = step.node.op, 0 if step.node.op.each else step.position
            if key not in rules:
                rules[key] = len(texts)
                texts.append(formula(*key))
            number = step.node.shape == step.argument.shape == ()
            played.append(
                [
                    self.edge[self.index[id(step.node)], step.position],
                    plain(step.contribution, side),
                    None if step.before is None else plain(step.after, side),
                    plain(slope(step), side) if number else None,
                    rules[key],
                ]
            )
        return {
            "nodes": [
                [cut(node.name, 60), node.symbol, plain(node.value, side), shape_of(node.value)] for node in nodes
            ],
            "edges": [[self.place[edge.source], self.place[edge.target], edge.position] for edge in self.graph.edges],
            "steps": played,
            "rules": texts,
            "seed": plain(self.seed, side),
            "scale": [self.scale.low, self.scale.high],
        }

    # ---- the picture, as it is when the pass is over

    def picture(self, seconds: float) -> str:
        """The graph as SVG, smaller than `viz.draw` makes it: what only moves is left to the script."""
        nodes, edges = self.graph.nodes, self.graph.edges
        boxes = {node.id: Box(node, tuple(self.sums.get(i, ()))) for i, node in enumerate(nodes)}
        placed = layout(dot(self.graph, boxes), seconds)
        frames = [(cluster, placed.clusters[cluster.id]) for cluster in nested(self.graph.clusters)]
        size = f"{placed.width + 2 * MARGIN:.0f} {placed.height + 2 * MARGIN:.0f}"
        return "\n".join(
            [
                f'<svg viewBox="{-MARGIN:g} {-MARGIN:g} {size}" aria-label="{escape(self.title)}" role="group">',
                f'<defs>{marker("tip", "auto", "M0 0 8 3 0 6Z", 8)}{marker("back", "auto", "M8 0 0 3 8 6Z", 0)}</defs>',
                *(framed(corners) for _, corners in frames),
                *(arrow(i, placed.edges[edge.id]) for i, edge in enumerate(edges)),
                *(heading(cluster.label, corners) for cluster, corners in frames),
                *(boxes[node.id].draw(i, placed) for i, node in enumerate(nodes)),
                "</svg>",
            ]
        )

    def list(self) -> str:
        """The nodes one under the other, in the order in which they were computed."""
        sources: dict[str, list[Edge]] = {}
        for edge in self.graph.edges:
            sources.setdefault(edge.target, []).append(edge)
        rows = []
        for i, node in enumerate(self.graph.nodes):
            if node.kind != "number":
                names = [self.graph.nodes[self.place[edge.source]].name for edge in sources.get(node.id, [])]
                made = f" {node.symbol} ({', '.join(map(cut, names))})" if node.symbol else ""
                gradient = Box(node, tuple(self.sums.get(i, ()))).gradient
                rows.append(
                    f'<li><button id="n{i}" class="node {node.kind}"><b>{escape(cut(node.name))}</b>{escape(made)} '
                    f'<span class="v">= {escape(brief(node.value))}</span> <span class="g">{gradient}</span></button>'
                )
        return "\n".join(["<ol>", *rows, "</ol>"])


def baptise(nodes: list[Node]) -> None:
    """Give each node that is no number a name of its own, so that formulas can speak of it: v1, v2, ... and L."""
    taken: dict[str, int] = {}
    for i, node in enumerate(nodes):
        if node.kind == "number":
            continue
        name = node.name or ("L" if node is nodes[-1] else f"v{i + 1}")
        taken[name] = taken.get(name, 0) + 1
        node.name = f"{name} ({taken[name]})" if taken[name] > 1 else name


def slope(step: Step) -> Any:
    """∂node/∂argument of two numbers: what the rule sends where the gradient 1 arrives."""
    node, op = step.node, step.node.op
    assert op is not None
    metadata, saved = node.extra or ({}, None)
    args = (node.dtype.type(1), node.data, *([] if op.saves is None else [saved]))
    if op.each:
        return op.each(*args, step.position, *node.values, **metadata)
    return op.rules[step.position](*args, *node.values, **metadata)  # type: ignore[misc]  # what is asked for has a rule


def plain(x: Any, side: int) -> Any:
    """x as JSON: a number with all its digits; an array as [text, least, greatest] and, where it fits, its rows."""
    x = np.asarray(x)
    if x.ndim == 0:
        return whole(x[()]) if x.dtype.kind in "iub" else finite(float(str(x[()])))  # float32's own digits
    least, greatest = (finite(float(f"{m:.4g}")) for m in extremes(x))
    rows = [[finite(float(f"{v:.4g}")) for v in row] for row in np.atleast_2d(x)] if fits(x, side) else None
    return [brief(x), least, greatest, *([rows] if rows else [])]


def whole(x: Any) -> int:
    return int(x)


def finite(x: float) -> Any:
    """x, or its name in JavaScript where JSON has none."""
    return x if np.isfinite(x) else "NaN" if np.isnan(x) else "Infinity" if x > 0 else "-Infinity"


def fits(x: Any, side: int) -> bool:
    """Whether an array is a vector or matrix of at most so many rows and columns."""
    return 0 < np.ndim(x) <= 2 and 0 < np.size(x) and max(np.shape(x)) <= side


def affordable(arrays: list[Any], room: int) -> int:
    """The largest matrices of which all elements together find room."""
    return next(side for side in SIDES if sum(np.size(x) for x in arrays if fits(x, side)) <= room)
