"""Data and positions -> our own small SVG: both themes, a tooltip on everything, the same bytes for the same graph."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from .card import BAR, HALF, INDENT, LABEL, LINE, PADDING, SPACE, Card, Scale, extremes, width_of
from .data import NONE, WAITING, ZERO, Edge, Node, Trace, nested
from .health import FLAGS
from .layout import Layout
from .text import exact, number
from .theme import THEMES

__all__ = [
    "arrow", "document", "escape", "flow", "frame", "half", "heading", "on_edge", "outline", "route", "scope_of", "svg",
    "themed", "tip", "write",
]  # fmt: skip

MARGIN, GAP = 16.0, 22.0  # around the picture, between the parts of the legend


def rules(c: Mapping[str, str]) -> dict[str, str]:
    """What has which of a theme's colours."""
    return {
        ".page": f"fill:{c['page']}",
        "text": f"fill:{c['text']}",
        ".muted": f"fill:{c['muted']}",
        ".cluster": f"fill:{c['cluster']};stroke:{c['line']}",
        ".ground": "stroke:none",
        ".edge": f"fill:none;stroke:{c['line']}",
        ".tip": f"fill:{c['line']}",
        ".track": f"fill:none;stroke:{c['line']}",
        ".positive": f"fill:{c['positive']}",
        ".negative": f"fill:{c['negative']}",
        "line.positive": f"stroke:{c['positive']}",
        "line.negative": f"stroke:{c['negative']}",
        **{f".{kind}": f"fill:{c[kind]};stroke:{c['line']}" for kind in KINDS},
        **{f".{word}": f"fill:{c[word]}" for word in FLAGS},
        ".glyph": f"fill:{c['page']}",
        ".number": "fill:none",
        ".rest": "fill:none",
    }


def themed(scope: str, rules: Callable[[Mapping[str, str]], Mapping[str, str]]) -> str:
    """Rules for the picture with this id alone: light, and dark where the reader prefers it."""
    light, dark = (
        "".join(f"#{scope} {selector}{{{rule}}}" for selector, rule in rules(THEMES[theme]).items())
        for theme in ("light", "dark")
    )
    return f"{light}@media(prefers-color-scheme:dark){{{dark}}}"


def style(scope: str) -> str:
    """The rules of every picture: what both themes share, and the themes."""
    return (
        f"#{scope} text{{font:11px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre}}"
        f"#{scope} .symbol,#{scope} .glyph{{font-weight:bold}}#{scope} .note{{font-style:italic}}"
        f"#{scope} .waiting{{stroke-dasharray:3 3}}#{scope} .node:hover .shape{{stroke-width:2.5}}"
        + themed(scope, rules)
    )


def svg(graph: Trace, cards: Mapping[str, Card], placed: Layout, source: str, title: str) -> str:
    """The picture. Its ids start with a digest of what is drawn, so that pictures in one page do not meet."""
    scope = scope_of(source + title)
    scale = Scale.of(node.grad for node in graph.nodes if node.grad is not None)
    key, key_width, key_height = legend(graph, scale, placed.width)
    clusters, nodes = list(nested(graph.clusters)), {node.id: node for node in graph.nodes}
    body = [
        *(frame(scope, cluster.id, placed.clusters[cluster.id]) for cluster in clusters),
        *(arrow(scope, edge.id, placed.edges[edge.id], on_edge(edge, nodes)) for edge in graph.edges),
        *(heading(cluster.label, placed.clusters[cluster.id]) for cluster in clusters),
        *(draw_card(scope, cards[node.id], *placed.nodes[node.id], scale) for node in graph.nodes),
        f'<g transform="translate(0 {placed.height + MARGIN:g})">{key}</g>',
    ]
    return document(scope, title, max(placed.width, key_width), placed.height + MARGIN + key_height, body)


def scope_of(drawn: str) -> str:
    """An id for a picture that only the same picture has."""
    return f"g{zlib.crc32(drawn.encode()):08x}"


def document(scope: str, title: str, width: float, height: float, body: Iterable[str], more: str = "") -> str:
    """A whole picture, with a margin around what is in it; `more` are rules of its own for the style sheet."""
    size = f"{width + 2 * MARGIN:.0f}", f"{height + 2 * MARGIN:.0f}"
    opening = '<svg xmlns="http://www.w3.org/2000/svg" id="{0}" role="img" aria-label="{1}" width="{2}" height="{3}" '
    return "\n".join(
        [
            opening.format(scope, escape(title), *size) + 'viewBox="0 0 {} {}">'.format(*size),
            f"<title>{escape(title)}</title>",
            f"<style>{style(scope)}{more}</style>",
            '<rect class="page" width="{}" height="{}"/>'.format(*size),
            f'<g transform="translate({MARGIN:g} {MARGIN:g})">',
            *body,
            "</g>",
            "</svg>",
        ]
    )


# ---- parts --------------------------------------------------------------------------------------------------------


FORBIDDEN = (*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)  # what XML 1.0 cannot say
XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}) | dict.fromkeys(FORBIDDEN, "\ufffd")


def escape(text: str) -> str:
    """text as XML, in an element or in an attribute with double quotes."""
    return text.translate(XML)


def write(x: float, y: float, content: str, kind: str = "", anchor: str = "") -> str:
    """One piece of text."""
    kind = f' class="{kind}"' if kind else ""
    anchor = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:g}" y="{y:g}"{kind}{anchor}>{escape(content)}</text>'


def frame(scope: str, name: str, corners: tuple[float, float, float, float]) -> str:
    """A module's frame."""
    x0, y0, x1, y1 = corners
    size = f'width="{x1 - x0:g}" height="{y1 - y0:g}" rx="6"'
    return f'<rect id="{scope}-{name}" class="cluster" x="{x0:g}" y="{y0:g}" {size}/>'


def heading(label: str, corners: tuple[float, float, float, float]) -> str:
    """What a frame is called, over whatever edge runs there."""
    x, y, _, _ = corners
    ground = f'<rect class="cluster ground" x="{x + 5:g}" y="{y + 4:g}" width="{width_of(label) + 6:g}" height="15"/>'
    return ground + write(x + 8, y + 15, label, "muted")


def on_edge(edge: Edge, nodes: Mapping[str, Node]) -> str:
    """The tooltip of an edge: which argument of what it is; the local derivative, of a scalar; what is sent back."""
    source, target = nodes[edge.source], nodes[edge.target]
    lines = [f"argument {edge.position} of {target.symbol or target.name}" + f": {source.name}" * bool(source.name)]
    if edge.sent is not None:
        if np.ndim(edge.sent) == 0 and np.ndim(target.value) == 0 and target.grad:
            lines.append(f"local derivative = {number(edge.sent / target.grad)}")
        lines.append(f"gradient sent back = {exact(edge.sent)}")
    return "\n".join(lines)


def arrow(scope: str, name: str, curve: list[tuple[float, float]], tooltip: str) -> str:
    """An edge: a Bezier curve, and a tip that points where it goes."""
    *points, end = curve
    return (
        f'<g id="{scope}-{name}"><title>{escape(tooltip)}</title><path class="edge" d="{route(points)}"/>'
        f"{tip(points[-1], end)}</g>"
    )


def route(points: list[tuple[float, float]]) -> str:
    """A Bezier curve as a path says it."""
    (x, y), *rest = points
    return f"M{x:g} {y:g}C" + " ".join(f"{x:g} {y:g}" for x, y in rest)


def tip(behind: tuple[float, float], end: tuple[float, float], kind: str = "tip") -> str:
    """A tip that ends here, and points away from what is behind it."""
    angle = math.atan2(end[1] - behind[1], end[0] - behind[0])
    corners = [(end[0] + 8 * math.cos(angle + turn), end[1] + 8 * math.sin(angle + turn)) for turn in (2.75, -2.75)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (end, *corners))
    return f'<polygon class="{kind}" points="{points}"/>'


def outline(kind: str, w: float, h: float) -> str:
    """The shape that tells what a node is."""
    if kind == "parameter":
        c = min(9.0, h / 3)
        path = f"M{c:g} 0H{w - c:g}L{w:g} {c:g}V{h - c:g}L{w - c:g} {h:g}H{c:g}L0 {h - c:g}V{c:g}Z"
        return f'<path class="shape {kind}" d="{path}"/>'
    if kind == "module":
        behind = f'<path class="{kind}" d="M4 0V-4H{w + 4:g}V{h - 4:g}H{w:g}"/>'
        return f'{behind}<rect class="shape {kind}" width="{w:g}" height="{h:g}"/>'
    corner = min(13.0, h / 2.5) if kind in ("operation", "loss") else 0
    shape = f'<rect class="shape {kind}" width="{w:g}" height="{h:g}" rx="{corner:g}"/>'
    if kind == "loss":
        shape += f'<rect class="{kind}" x="3" y="3" width="{w - 6:g}" height="{h - 6:g}" rx="{corner - 3:g}"/>'
    return shape


def draw_card(scope: str, card: Card, x: float, y: float, scale: Scale) -> str:
    """A node: its shape, title, lines of text and gradient bar, centred on (x, y)."""
    node, w, h = card.node, card.width, card.height
    symbol, name, size = card.title
    parts = [outline(node.kind, w, h)]
    if node.kind in ("number", "rest"):
        parts.append(write(w / 2, h / 2 + 4, name, anchor="middle"))
    else:
        baseline = PADDING * 0.75 + LINE * 0.75
        heading = f'<tspan class="symbol">{escape(symbol)}</tspan>' + escape(" " * bool(symbol and name) + name)
        parts.append(f'<text x="{PADDING:g}" y="{baseline:g}">{heading}</text>')
        if size:
            parts.append(write(w - PADDING, baseline, size, "muted", "end"))
        for kind, label, text in card.lines:
            baseline += LINE + SPACE * (label == "grad")
            if kind == "flag":
                parts.append(chip(PADDING, baseline, label) + write(PADDING + INDENT[kind], baseline, label, "symbol"))
                continue
            if label:
                parts.append(write(PADDING, baseline, label, "muted"))
            if label == "grad" and node.state == NONE:
                parts.append(cross(PADDING + LABEL, baseline))
            parts.append(write(PADDING + INDENT.get(kind, LABEL), baseline, text, kind))
        if card.has_bar:
            parts.append(bar(PADDING + HALF, h - PADDING * 0.75 - BAR / 2, node.state, node.grad, scale))
    return (
        f'<g id="{scope}-{node.id}" class="node" transform="translate({x - w / 2:g} {y - h / 2:g})">'
        f"<title>{escape(card.tooltip)}</title>{''.join(parts)}</g>"
    )


def bar(x: float, y: float, state: str, g: Any, scale: Scale) -> str:
    """The gradient around x: negative to the left, positive to the right; or the mark that says why there is none."""
    axis = f'<path class="track" d="M{x:g} {y - 5:g}v10"/>'
    if state == WAITING:
        return axis + f'<rect class="track waiting" x="{x - HALF:g}" y="{y - 3.5:g}" width="{2 * HALF:g}" height="7"/>'
    if state == ZERO:
        return axis + f'<circle class="track" cx="{x:g}" cy="{y:g}" r="4"/>'
    negative, positive = (HALF * scale.length(m) for m in extremes(g))
    return (
        f'<path class="track" d="M{x - HALF:g} {y:g}h{2 * HALF:g}" stroke-opacity="0.35"/>'
        + half("negative", x - negative, y, negative)
        + half("positive", x, y, positive)
        + axis
    )


def half(sign: str, x: float, y: float, length: float) -> str:
    """The part of a bar on one side, if there is one."""
    return f'<rect class="{sign}" x="{x:g}" y="{y - 3.5:g}" width="{length:g}" height="7"/>' if length else ""


def chip(x: float, y: float, word: str) -> str:
    """A flag's glyph on its colour, in a line of text."""
    square = f'<rect class="flag {word}" x="{x:g}" y="{y - 10:g}" width="13" height="13" rx="2"/>'
    return square + write(x + 6.5, y, FLAGS[word][0], "glyph", "middle")


def cross(x: float, y: float) -> str:
    """The mark of what does not require a gradient, at the start of a line of text."""
    return f'<path class="track" d="M{x:g} {y - 7:g}l8 7m-8 0l8 -7"/>'


# ---- the legend ---------------------------------------------------------------------------------------------------

KINDS = {
    "leaf": "leaf",
    "parameter": "parameter",
    "operation": "operation",
    "module": "module",
    "loss": "where backward starts",
}
MARKS = {
    ZERO: "gradient exactly 0",
    WAITING: "backward has not run",
    NONE: "does not require grad",
}


def legend(graph: Trace, scale: Scale, wide: float) -> tuple[str, float, float]:
    """What the shapes, marks and bars of this picture mean, in as many rows as its width asks for; and its size."""
    kinds = {node.kind for node in graph.nodes}
    states = {node.state for node in graph.nodes if node.kind not in ("number", "rest") and node.value is not None}
    items: list[tuple[str, float, str]] = []  # drawing, its width, what it means
    for kind, meaning in KINDS.items():
        if kind in kinds:
            items.append((f'<g transform="translate(0 -11)">{outline(kind, 26, 15)}</g>', 30, meaning))
    if any(node.grad is not None and node.state != ZERO for node in graph.nodes):
        items += [(half(sign, 0, -3.5, 24), 24, f"{sign} gradient") for sign in ("negative", "positive")]
        items.append(("", 0, f"bar: log scale from 1e{scale.low} to 1e{scale.high}"))
    for state, meaning in MARKS.items():
        if state in states:
            drawing = cross(0, 0) if state == NONE else bar(HALF if state == WAITING else 5, -3.5, state, None, scale)
            items.append((drawing, 2 * HALF if state == WAITING else 10, meaning))
    words = {flag.word for node in graph.nodes for flag in Card(node).flags}
    items += [(chip(0, 0, word), 13, f"{word}: {meaning}") for word, (_, meaning) in FLAGS.items() if word in words]
    return flow(items, max(wide, 560.0), graph.notes)


def flow(items: Iterable[tuple[str, float, str]], wide: float, notes: Iterable[str]) -> tuple[str, float, float]:
    """Drawings with their meanings set in rows, and the notes under them: the SVG, its width, its height."""
    parts, x, y, reached = [], 0.0, LINE, 0.0
    for drawing, size, meaning in items:
        need = size + 6 + width_of(meaning)
        if x and x + need > wide:
            x, y = 0.0, y + LINE + 5
        text = write(size + 6 * (size > 0), 0, meaning, "muted")
        parts.append(f'<g transform="translate({x:g} {y:g})">{drawing}{text}</g>')
        x += need + GAP
        reached = max(reached, x - GAP)
    for note in notes:
        y += LINE + 5
        parts.append(write(0, y, note, "note"))
        reached = max(reached, width_of(note))
    return "".join(parts), reached, y + 4
