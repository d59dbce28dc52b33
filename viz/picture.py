"""draw: what a Tensor was computed from, or a model, as a picture that shows itself and saves itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from autograd import Tensor

from .card import Card
from .data import Trace
from .fold import readable
from .graph import given, trace
from .health import Thresholds
from .layout import LayoutError, dot, layout, render
from .network import ORDER, Layer, boxes, columns, columns_dot, columns_svg, small, sure
from .options import check_whole
from .svg import svg
from .text import cut
from .tree import ASCII, rows

__all__ = ["Graph", "draw"]


class Picture:
    """What can be shown: a notebook does it by itself; `save` and `view` show it anywhere else.

    dot   the picture in Graphviz's language, for which no Graphviz is needed
    svg   the picture as SVG
    """

    title: str
    dot: Any
    svg: Any
    seconds = 10.0

    @property
    def html(self) -> str:
        """The picture as a page that needs nothing else."""
        return (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="color-scheme" content="light dark">'
            f"<title>glassgrad</title></head>\n<body>\n{self.svg}\n</body></html>\n"
        )

    def save(self, path: Any) -> Path:
        """Write the picture: .svg and .html are ours, .dot is text, .png and .pdf are Graphviz's own drawing of it."""
        path = Path(path)
        form = path.suffix.lower().lstrip(".")
        if form in ("svg", "html", "dot"):
            path.write_text(getattr(self, form), encoding="utf-8", newline="\n")
        elif form in ("png", "pdf"):
            path.write_bytes(render(self.dot, form, self.seconds))
        else:
            raise ValueError(f'save() knows .svg, .html, .png, .pdf and .dot, but not "{path.name}".')
        return path

    def view(self) -> None:
        """Open the picture in the web browser."""
        import tempfile
        import webbrowser

        with tempfile.NamedTemporaryFile("w", suffix=".html", delete=False, encoding="utf-8") as file:
            file.write(self.html)
        webbrowser.open(Path(file.name).as_uri())

    def text(self) -> str:
        """What is shown where no picture can be made."""
        return repr(self)

    def __repr__(self) -> str:
        return f'<{self.title.translate(ASCII).encode("ascii", "replace").decode()}; .save("picture.svg"), .view()>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the picture, or without Graphviz text and what to do about it."""
        try:
            picture = self.svg
        except LayoutError as error:
            return {"text/plain": f"{self.text()}\n\n{error}"}
        return {
            "text/html": f'<div style="overflow:auto">{picture}</div>',
            "image/svg+xml": picture,
            "text/plain": repr(self),
        }


class Graph(Picture):
    """A picture of a computation graph. Graphviz says where its nodes stand."""

    def __init__(self, data: Trace, title: str, rankdir: str = "LR", seconds: float = 10.0) -> None:
        self.data, self.rankdir, self.seconds = data, rankdir, seconds
        parts = parts_of(data)
        self.cards = {node.id: Card(node, parts.get(node.id, ())) for node in data.nodes}
        self.title = f"{title}: {len(data.nodes)} nodes, {len(data.edges)} edges"

    @cached_property
    def dot(self) -> str:
        """The graph in Graphviz's language."""
        return dot(self.data, self.cards, self.rankdir)

    @cached_property
    def svg(self) -> str:
        """The picture as SVG."""
        return svg(self.data, self.cards, layout(self.dot, self.seconds), self.dot, self.title)

    def text(self) -> str:
        """The tree."""
        return "\n".join(rows(self.data))


def parts_of(data: Trace) -> dict[str, list[Any]]:
    """What is sent back to each node, in the order of the backward pass."""
    parts: dict[str, list[Any]] = {}
    place = {node.id: i for i, node in enumerate(data.nodes)}
    for edge in sorted(data.edges, key=lambda edge: -place[edge.target]):  # from the loss on, arguments in their order
        if edge.sent is not None:
            parts.setdefault(edge.source, []).append(edge.sent)
    return parts


class Network(Picture):
    """A picture of a small MLP, neuron by neuron, as its weights are when it is drawn."""

    def __init__(self, layers: list[Layer], title: str, notes: list[str]) -> None:
        self.layers, self.title = layers, title
        self.svg = columns_svg(layers, title, notes)
        self.dot = columns_dot(layers)


def draw(
    what: Any,
    *inputs: Any,
    names: Mapping[str, Any] | None = None,
    depth: int | None = None,
    limit: int | None = 150,
    thresholds: Thresholds | None = None,
    rankdir: str = "LR",
    seconds: float = 10.0,
) -> Graph | Network:
    """The computation graph of a loss, with the value and the gradient of every node, and a frame around every module.

    Of a model and its inputs, draw(model, x), the graph of what it makes of them; of a model alone its neurons and
    weights, where it is a small MLP, and otherwise its layers.

    names        names for Tensors and modules: `names=locals()`
    depth        fold modules into one card each: whole models with depth=0, their parts with 1, and so on
    limit        a graph of more nodes folds its modules by itself, or shows what is nearest the loss; None draws all
    thresholds   when a gradient is called ill, as viz.Thresholds(vanishing=1e-6)
    rankdir      "LR" draws from left to right, "TB" from top to bottom, "RL" and "BT" the other way
    seconds      how long Graphviz may think about where the nodes stand

    >>> from autograd import Tensor
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> y = x * x + 2 * x
    >>> y.backward()
    >>> draw(y)
    <Computation graph of +: 5 nodes, 6 edges; .save("picture.svg"), .view()>
    """
    check_whole("draw(depth=)", depth, 0, "folds as much as limit asks for")
    check_whole("draw(limit=)", limit, 1, "draws every node")
    if rankdir not in ("LR", "TB", "RL", "BT"):
        raise ValueError(f'draw(rankdir=) is "LR", "TB", "RL" or "BT", but got {rankdir!r}.')
    if isinstance(what, type):
        raise TypeError(f"draw() takes a Tensor or a model, but this is {given(what)}")
    if hasattr(what, "named_modules") and not isinstance(what, Tensor):
        name = type(what).__name__
        if not inputs:
            layers = columns(what)
            if layers and small(layers):
                return Network(layers, f"Neurons and weights of {name}", [] if sure(what) else [ORDER])
            return Graph(boxes(what), f"Layers of {name}", rankdir, seconds)
        what, inputs = what(*inputs), ()
    if inputs:
        raise TypeError(f"draw(loss) takes one Tensor and options by name, but got {len(inputs)} more: {inputs!r}.")
    data = readable(trace(what, names, thresholds), depth, limit)
    end = data.nodes[-1]
    return Graph(data, f"Computation graph of {cut(end.name or end.symbol or 'a leaf')}", rankdir, seconds)
