"""The graph as text, for a terminal: a result, and indented under it what it was computed from."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from .card import MISSING
from .data import NONE, Node, Trace
from .graph import trace
from .options import check_whole
from .text import cut, grid, number, shape, spread

__all__ = ["rows", "tree"]

DEEPEST = 24  # levels of indentation; what lies deeper starts again at the left
ASCII = str.maketrans({
    "├": "|", "└": "`", "─": "-", "│": "|", "…": "..", "±": "+-", "×": "*", "÷": "/", "−": "-", "²": "^2", "ᵀ": "T",
    "√": "sqrt", "∛": "cbrt", "Σ": "sum", "Π": "prod", "σ": "sigmoid",
})  # fmt: skip
MARK = {NONE: "not required", **MISSING}
HUES = {"+": "\x1b[38;5;166m", "-": "\x1b[38;5;32m"}  # vermilion and blue


def tree(output: Any, names: Mapping[str, Any] | None = None, limit: int | None = 400, file: Any = None) -> None:
    """Print the graph behind output, at most `limit` lines of it; a node that is used several times is printed once.

    >>> from autograd import Tensor
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> y = x * x + 2 * x
    >>> y.backward()
    >>> tree(y)
    +            value 15.00  grad +1.000
    ├─ ×         value 9.000  grad +1.000
    │  ├─ x      value 3.000  grad +8.000
    │  └─ x      see above
    └─ ×         value 6.000  grad +1.000
       ├─ 2
       └─ x      see above
    """
    check_whole("tree(limit=)", limit, 1, "prints every node")
    file = file or sys.stdout
    data, colour = trace(output, names), has_colour(file)
    text = "\n".join(rows(data, limit, colour))
    try:
        text.encode(getattr(file, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = "\n".join(rows(data, limit, colour, plain=True)).encode("ascii", "replace").decode()
    print(text, file=file)


def has_colour(file: Any) -> bool:
    """Whether file is a terminal that shows colours, and its user wants them."""
    terminal = hasattr(file, "isatty") and file.isatty() and os.environ.get("TERM") != "dumb"
    return terminal and "NO_COLOR" not in os.environ and (os.name != "nt" or "WT_SESSION" in os.environ)


def rows(graph: Trace, limit: int | None = None, colour: bool = False, plain: bool = False) -> list[str]:
    """The lines of the tree, with their columns aligned; `plain` of ASCII characters as far as we put them there."""
    table = walk(graph, limit)
    if plain:
        table = [tuple(cell.translate(ASCII) for cell in row) for row in table]
    widths = [max(len(row[i]) for row in table) for i in range(3)]
    lines = []
    for label, value, grad, rest in table:
        padded = grad.ljust(widths[2])
        if colour and grad[5:6] in HUES:
            padded = padded[:5] + HUES[grad[5]] + grad[5] + "\x1b[0m" + padded[6:]
        lines.append("  ".join([label.ljust(widths[0]), value.ljust(widths[1]), padded, rest]).rstrip())
    if limit is not None and len(table) == limit:
        lines.append(f"These are {limit} of {len(graph.nodes):,} nodes; viz.tree(loss, limit=None) prints every one.")
    return lines + graph.notes


def walk(graph: Trace, limit: int | None) -> list[tuple[str, ...]]:
    """Label, value, gradient and remarks for each line; with a stack of its own, so that nothing is too deep."""
    nodes = {node.id: node for node in graph.nodes}
    sources: dict[str, list[Node]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        sources[edge.target].append(nodes[edge.source])
    table: list[tuple[str, ...]] = []
    seen: set[str] = set()
    later: list[Node] = [graph.nodes[-1]]  # where a block starts at the left
    for root in later:
        stack = [(root, "", "", 0)]  # a node; what stands before it, and before the lines under it; its level
        while stack and (limit is None or len(table) < limit):
            node, before, under, level = stack.pop()
            label = before + title(node)
            if node.kind == "number":
                table.append((label, "", "", ""))
            elif node.id in seen:
                table.append((label, "see above", "", ""))
            elif level == DEEPEST and sources[node.id]:
                table.append((f"{label} [{node.id}]", "see below", "", ""))
                later.append(node)
            else:
                seen.add(node.id)
                start = f"[{node.id}] " if node is root and len(later) > 1 and table else ""
                table.append((start + label, f"value {brief(node.value)}", gradient(node), "  ".join(remarks(node))))
                before, after = "└─ ", "   "  # of the last argument, which goes onto the stack first
                for source in reversed(sources[node.id]):
                    stack.append((source, under + before, under + after, level + 1))
                    before, after = "├─ ", "│  "
    return table


def remarks(node: Node) -> list[str]:
    """The shape of a tensor, what is wrong with a node, and its notes."""
    return [shape(node.value)] * (node.value.ndim > 0) + [flag.word for flag in node.flags] + node.notes


def title(node: Node) -> str:
    """Symbol and name."""
    return " ".join(filter(None, (node.symbol, cut(node.name)))) or ("data" if node.state == NONE else "leaf")


def gradient(node: Node) -> str:
    """The gradient, or why there is none."""
    if node.state in MARK:
        return f"grad {MARK[node.state]}"
    return f"grad {'+' * bool(np.ndim(node.grad) == 0 and node.grad > 0)}{brief(node.grad)}"


def brief(array: Any) -> str:
    """A number, a row of a few, or the extremes."""
    array = np.asarray(array)
    if array.ndim == 0:
        return number(array.item())
    matrix = grid(array)
    return f"[{matrix[0]}]" if matrix and len(matrix) == 1 else spread(array)[0]
