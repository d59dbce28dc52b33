"""draw: the graph behind a Tensor as a picture that shows itself in a notebook and saves itself to a file."""

from __future__ import annotations

import tempfile
import webbrowser
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from .card import Card
from .data import Trace
from .fold import readable
from .graph import trace
from .health import Thresholds
from .layout import LayoutError, dot, layout, render
from .svg import svg
from .tree import rows

__all__ = ["Graph", "draw"]


class Graph:
    """A picture of a graph. A notebook shows it; `save` and `view` show it anywhere else.

    dot   the graph in Graphviz's language, for which no Graphviz is needed
    svg   the picture; Graphviz says where the nodes stand
    """

    def __init__(self, data: Trace, rankdir: str = "LR", seconds: float = 10.0) -> None:
        self.data, self.rankdir, self.seconds = data, rankdir, seconds
        self.cards = {node.id: Card(node) for node in data.nodes}
        self.title = f"Computation graph of {data.nodes[-1].name or data.nodes[-1].symbol or 'a leaf'}: {self.size}"

    @property
    def size(self) -> str:
        """How many nodes and edges there are."""
        return f"{len(self.data.nodes)} nodes, {len(self.data.edges)} edges"

    @cached_property
    def dot(self) -> str:
        """The graph in Graphviz's language."""
        return dot(self.data, self.cards, self.rankdir)

    @cached_property
    def svg(self) -> str:
        """The picture as SVG."""
        return svg(self.data, self.cards, layout(self.dot, self.seconds), self.dot, self.title)

    @property
    def html(self) -> str:
        """The picture as a page that needs nothing else."""
        return (
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
            f"<title>glassgrad</title></head>\n<body>\n{self.svg}\n</body></html>\n"
        )

    def save(self, path: Any) -> Path:
        """Write the picture: .svg and .html are ours, .dot is text, .png and .pdf are Graphviz's own drawing of it."""
        path = Path(path)
        form = path.suffix.lower().lstrip(".")
        if form in ("svg", "html", "dot"):
            path.write_text({"svg": lambda: self.svg + "\n", "html": lambda: self.html, "dot": lambda: self.dot}[form](), "utf-8")
        elif form in ("png", "pdf"):
            path.write_bytes(render(self.dot, form, self.seconds))
        else:
            raise ValueError(f'save() knows .svg, .html, .png, .pdf and .dot, but not "{path.name}".')
        return path

    def view(self) -> None:
        """Open the picture in the web browser."""
        with tempfile.NamedTemporaryFile("w", suffix=".html", delete=False, encoding="utf-8") as file:
            file.write(self.html)
        webbrowser.open(Path(file.name).as_uri())

    def __repr__(self) -> str:
        return f'<{self.title}; .save("graph.svg"), .view()>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the picture, or without Graphviz the tree and what to do about it."""
        try:
            picture = self.svg
        except LayoutError as error:
            return {"text/plain": "\n".join([*rows(self.data), "", str(error)])}
        return {
            "text/html": f'<div style="overflow:auto">{picture}</div>',
            "image/svg+xml": picture,
            "text/plain": repr(self),
        }


def draw(
    loss: Any,
    names: Mapping[str, Any] | None = None,
    *,
    depth: int | None = None,
    limit: int | None = 150,
    thresholds: Thresholds | None = None,
    rankdir: str = "LR",
    seconds: float = 10.0,
) -> Graph:
    """The computation graph of a loss, with the value and the gradient of every node, and a frame around every module.

    names        names for Tensors and modules: `names=locals()`
    depth        fold modules into one card each: whole models with depth=0, their parts with 1, the parts of those with 2
    limit        a graph of more nodes folds its modules by itself, and shows what is nearest the loss; None draws all of it
    thresholds   when a gradient is called ill, as viz.Thresholds(vanishing=1e-6)
    rankdir      "LR" draws from left to right, "TB" from top to bottom
    seconds      how long Graphviz may think about where the nodes stand

    >>> from autograd import Tensor
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> y = x * x + 2 * x
    >>> y.backward()
    >>> draw(y)
    <Computation graph of +: 5 nodes, 6 edges; .save("graph.svg"), .view()>
    """
    return Graph(readable(trace(loss, names, thresholds), depth, limit), rankdir, seconds)
