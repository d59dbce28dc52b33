"""step: a page that plays the backward pass, one contribution along one edge at a time, with nothing outside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Op, Tensor, topological_order

from .card import PADDING, extremes
from .data import Node, nested
from .graph import given
from .layout import Layout, LayoutError, dot, layout
from .options import check_whole
from .play import ROWS, Box, Play, said, size
from .rules import formula
from .svg import MARGIN, escape, heading, outline
from .text import cut
from .theme import THEMES

__all__ = ["Page", "step"]


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
        import tempfile
        import webbrowser

        with tempfile.NamedTemporaryFile("w", suffix=".html", delete=False, encoding="utf-8", newline="\n") as file:
            file.write(self.html)
        webbrowser.open(Path(file.name).as_uri())

    def __repr__(self) -> str:
        return f'<{self.title}; .save("steps.html"), .view()>'

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that its keys are not the notebook's."""
        look = "width:100%;height:680px;border:1px solid #768390"
        return f'<iframe title="{escape(self.title)}" style="{look}" srcdoc="{escape(self.html)}"></iframe>'


def step(
    output: Tensor,
    gradient: Any = None,
    names: Mapping[str, Any] | None = None,
    limit: int | None = 2000,
    seconds: float = 10.0,
) -> Page:
    """The page that plays the backward pass of output: the values, ∂L/∂L = 1, then each contribution along an edge.
    Hooks are not called: if there are any, the page says that its gradients are those without them.

    gradient   what the pass starts with, of output's shape; may be left out for a scalar
    names      names for Tensors and modules: `names=locals()`
    limit      a graph of more nodes is refused; None plays any
    seconds    how long Graphviz may think; after that, or without it, the same frames play over a list

    >>> from autograd import Tensor
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> step(x * x + 2 * x)
    <Backward pass of L: 5 steps; .save("steps.html"), .view()>
    """
    if not isinstance(output, Tensor):
        raise TypeError(f"step() plays the backward pass of a Tensor, such as a loss, but this is {given(output)}")
    check_whole("step(limit=)", limit, 1, "plays any graph")
    count = len(topological_order(output))
    if limit is not None and count > limit:
        raise ValueError(
            f"This graph has {count:,} nodes, and a page plays {limit:,} of them well. Step through a part of it, "
            "viz.step(an earlier result), print it, viz.tree(loss), or pass limit=None."
        )
    with np.errstate(all="ignore"):
        play = Play(output, gradient, names)
        return Page(play.title, page(play, seconds))


# ---- what the page is made of ---------------------------------------------------------------------------------------


def page(play: Play, seconds: float) -> str:
    """The whole page: the picture or the list, the data, and what plays them."""
    notes = list(play.graph.notes)
    try:
        graph = picture(play, seconds)
        notes.insert(0, f"bar: size of the gradient, 1e{play.scale.low} to 1e{play.scale.high}, log scale")
    except LayoutError as error:
        graph = listing(play)
        notes.append(re.split(r"\.(?:\s|$)", str(error))[0] + ": the same as a list.")
    parts = {
        "title": escape(play.title),
        "theme": theme(),
        "picture": graph,
        "loss": escape(cut(play.graph.nodes[-1].name)),
        "notes": escape(" \u2003 ".join(notes)),
        "data": in_script(data(play)),
        **{name: asset(name) for name in ("stepper.css", "stepper.js", "predict.js")},
    }
    return re.sub("{{(.*?)}}", lambda found: parts[found[1]], asset("stepper.html"))


def data(play: Play) -> dict[str, Any]:
    """What the script plays; there a comment says what is where."""
    nodes, edges = play.graph.nodes, play.graph.edges
    arrays = [node.value for node in nodes] + [x for sent in play.walk for x in (sent.contribution, sent.after)]
    side = affordable(arrays, len(nodes))
    rules: dict[tuple[Op, int], int] = {}  # the number of each rule in use
    played = []
    for sent in play.walk:
        assert sent.node.op is not None
        rule = rules.setdefault((sent.node.op, 0 if sent.node.op.each else sent.position), len(rules))
        edge = play.edge[play.index[id(sent.node)], sent.position]
        after = None if sent.before is None else plain(sent.after, side)
        scalar = sent.node.shape == sent.argument.shape == ()
        played.append([edge, rule, plain(sent.contribution, side), after, plain(sent.slope()) if scalar else None])
    return {
        "nodes": [[cut(n.name), n.symbol, shown(n, side), size(n.value), *whole(n.name)] for n in nodes],
        "edges": [[play.place[edge.source], play.place[edge.target], edge.position] for edge in edges],
        "steps": played,
        "rules": [formula(*rule) for rule in rules],
        "seed": plain(play.seed, side),
        "scale": [play.scale.low, play.scale.high],
    }


def picture(play: Play, seconds: float) -> str:
    """The graph with its final gradients as SVG: smaller than `draw` makes it, as the script does what moves."""
    nodes, edges = play.graph.nodes, play.graph.edges
    boxes = {node.id: Box(node, play.sums.get(i, ())) for i, node in enumerate(nodes)}
    placed = layout(dot(play.graph, boxes, ranksep=0.8), seconds)  # a number fits between
    frames = [(cluster.label, placed.clusters[cluster.id]) for cluster in nested(play.graph.clusters)]
    corner, width, height = -MARGIN, placed.width + 2 * MARGIN, placed.height + 2 * MARGIN
    return "\n".join(
        [
            f'<svg viewBox="{corner:g} {corner:g} {width:.0f} {height:.0f}" width="{1.3 * width:.0f}">',
            *(framed(corners) for _, corners in frames),
            *(arrow(i, placed.edges[edge.id]) for i, edge in enumerate(edges)),
            *(heading(label, corners) for label, corners in frames),
            *(drawn(i, boxes[node.id], placed) for i, node in enumerate(nodes)),
            "</svg>",
        ]
    )


def listing(play: Play) -> str:
    """The nodes one under the other, in the order in which they were computed, with their final gradients."""
    nodes = play.graph.nodes
    arguments: dict[str, list[str]] = {node.id: [] for node in nodes}
    for edge in play.graph.edges:
        arguments[edge.target].append(cut(nodes[play.place[edge.source]].name))
    rows = []
    for i, node in enumerate(nodes):
        if node.kind != "number":
            made = f" = {node.symbol} ({', '.join(arguments[node.id])})" if node.symbol else ""
            box = Box(node, play.sums.get(i, ()))
            rows.append(
                f'<li><button id="n{i}" class="node {node.kind}"><b>{escape(cut(node.name))}</b>{escape(made)} '
                f'<span>{escape(box.value)}</span> <span class="g">{escape(box.gradient)}</span></button>'
            )
    return "\n".join(["<ol>", *rows, "</ol>"])


def whole(name: str) -> list[str]:
    """The name on one line, if it has been cut."""
    return [cut(name, len(name))] * (len(name) > len(cut(name)))


# ---- numbers ------------------------------------------------------------------------------------------------------

SIDES = 8, 6, 5, 4, 3, 2, 1, 0  # matrices of at most so many rows and columns are shown number by number,
ROOM = 1500, 12  # if all of them together have at most so many numbers, and so many more for each node


def affordable(arrays: list[Any], nodes: int) -> int:
    """The side of the largest matrices that a page about so many nodes has room for."""
    return next(side for side in SIDES if sum(np.size(x) for x in arrays if fits(x, side)) <= ROOM[0] + ROOM[1] * nodes)


def fits(x: Any, side: int) -> bool:
    """Whether x is a vector or a matrix of at most so many rows and columns."""
    return np.ndim(x) in (1, 2) and 0 < max(np.shape(x)) <= side and np.size(x) > 0


def plain(x: Any, side: int = 0) -> Any:
    """x as JSON: a number with all its digits; an array as [text, least, greatest] and, if it fits, its rows."""
    x = np.asarray(x)
    if x.ndim == 0:
        return in_json(float(str(x)))  # of a float32 its own digits
    rows = [[[in_json(float(f"{v:.4g}")) for v in row] for row in np.atleast_2d(x)]] if fits(x, side) else []
    return [said(x), *(float(f"{m:.4g}") for m in extremes(x)), *rows]


def shown(node: Node, side: int) -> Any:
    """The value of a node; a number says it with its name."""
    return None if node.kind == "number" or node.value is None else plain(node.value, side)


def in_json(x: float) -> Any:
    """x, or what JavaScript calls it where JSON has no word for it."""
    return x if np.isfinite(x) else "NaN" if np.isnan(x) else "Infinity" if x > 0 else "-Infinity"


def in_script(data: Mapping[str, Any]) -> str:
    """data as JSON that ends no <script>, a line for each key."""
    import json

    lines = (f'"{key}":{json.dumps(x, ensure_ascii=False, separators=(",", ":"))}' for key, x in data.items())
    return ("{" + ",\n".join(lines) + "}").replace("<", "\\u003c")


# ---- the picture ----------------------------------------------------------------------------------------------------


def drawn(i: int, box: Box, placed: Layout) -> str:
    """Node number i: classes say where its texts stand, t the title, v the value, g the gradient."""
    node = box.node
    x, y = placed.nodes[node.id]
    symbol, name, shape = box.title
    if node.kind == "number":
        return f'<text class="number" x="{x:.0f}" y="{y + 4:.0f}">{escape(name)}</text>'
    title = f"<tspan>{escape(symbol)}</tspan> " * bool(symbol) + escape(" ".join(filter(None, (name, shape))))
    gradient = f'<text class="g">{escape(box.gradient)}</text>' if box.gradient else ""
    return (
        f'<g id="n{i}" class="node" transform="translate({x - box.width / 2:.0f} {y - box.height / 2:.0f})">'
        f'{outline(node.kind, box.width, box.height)}<text class="t">{title}</text>'
        f'<text class="v">{escape(box.value)}</text>{gradient}</g>'
    )


def arrow(i: int, curve: list[tuple[float, float]]) -> str:
    """Edge number i: a Bezier curve, its points after the first counted from the one where their piece starts."""
    points = [(round(x), round(y)) for x, y in curve]
    pieces = []
    for k in range(0, len(points) - 2, 3):
        (x, y), controls = points[k], points[k + 1 : k + 4]
        pieces.append(" ".join(f"{u - x} {v - y}" for u, v in controls))
    end = f"L{points[-1][0]} {points[-1][1]}"
    return f'<path id="e{i}" d="M{points[0][0]} {points[0][1]}c{" ".join(pieces)}{end}"/>'.replace(" -", "-")


def framed(corners: tuple[float, float, float, float]) -> str:
    """A module's frame."""
    x0, y0, x1, y1 = corners
    return f'<rect class="cluster" x="{x0:.0f}" y="{y0:.0f}" width="{x1 - x0:.0f}" height="{y1 - y0:.0f}" rx="6"/>'


# ---- what is the same in every page -------------------------------------------------------------------------------


def theme() -> str:
    """The colours as CSS variables, light and dark, and where the texts of a box stand."""
    names = "page", "text", "muted", "line", "cluster", "positive", "negative"
    kinds = "leaf", "parameter", "operation", "loss"
    light, dark = (
        ":root{" + ";".join(f"--{name}:{THEMES[mode][name]}" for name in (*names, *kinds)) + "}"
        for mode in ("light", "dark")
    )
    fills = "".join(f".{kind}{{fill:var(--{kind});background:var(--{kind})}}" for kind in kinds)
    stand = "".join(f"svg .{c}{{transform:translate({PADDING:g}px,{y:g}px)}}" for c, y in ROWS.items())
    return f"{light}\n@media(prefers-color-scheme:dark){{{dark}}}\n{fills}\n{stand}\n"


def asset(name: str) -> str:
    """A file that lies beside this one."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
