"""animate: a picture that plays a graph forward and its backward pass back, by itself: an SVG that moves by CSS alone.

An <img> shows it, where no script runs. What does not move by CSS, or should not, shows the graph as it is in the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograd import Step, Tensor

from .card import CHARACTER, LINE, Scale, extremes, width_of
from .data import Edge, Node, nested
from .graph import given
from .layout import dot, layout
from .picture import Picture
from .play import ROWS, Box, Play, said, size
from .svg import MARGIN, document, escape, flow, frame, half, heading, outline, route, scope_of, themed, tip, write
from .text import cut

__all__ = ["Animation", "animate"]

GIVEN, FORWARD, START, STEP, REST = 1.2, 1.0, 1.8, 2.3, 5.0  # seconds that a frame of each kind takes
FADE, ARRIVAL = 0.2, 0.6  # until something is there; until a contribution is
LONGEST = 60  # steps: what somebody may watch

Point = tuple[float, float]


class Animation(Picture):
    """A picture that plays a graph and its backward pass, again and again."""

    def __init__(self, play: Play, seconds: float = 10.0) -> None:
        self.play, self.seconds = play, seconds
        self.cells = {node.id: Cell(node, play.sums.get(i, ())) for i, node in enumerate(play.graph.nodes)}
        self.title = play.title

    @cached_property
    def dot(self) -> str:
        """The graph in Graphviz's language."""
        return dot(self.play.graph, self.cells, ranksep=0.66)  # a number fits between

    @cached_property
    def svg(self) -> str:
        """The picture as SVG."""
        return svg(self)


def animate(
    output: Tensor, gradient: Any = None, names: Mapping[str, Any] | None = None, seconds: float = 10.0
) -> Animation:
    """The picture that plays what output was computed from, value by value, and then its backward pass, one
    contribution along one edge at a time. Hooks are not called, and the picture says so.

    gradient   what the pass starts with, of output's shape; may be left out for a scalar
    names      names for Tensors and modules: `names=locals()`
    seconds    how long Graphviz may think about where the nodes stand

    >>> from autograd import Tensor
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> animate(x * x + 2 * x)
    <Backward pass of L: 5 steps; .save("picture.svg"), .view()>
    """
    if not isinstance(output, Tensor):
        raise TypeError(f"animate() plays the way to a Tensor, such as a loss, but this is {given(output)}")
    with np.errstate(all="ignore"):
        play = Play(output, gradient, names)
    if len(play.walk) > LONGEST:
        raise ValueError(
            f"This backward pass has {len(play.walk):,} steps, and nobody watches more than {LONGEST}. Animate a part "
            "of it, viz.animate(an earlier result), or make the page that can be stopped, viz.step(loss)."
        )
    return Animation(play, seconds)


# ---- what happens when, in words ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frame:
    """What happens from one second to another, and the ids of what it happens to.

    made       the node that gets its value
    sender     the node that sends `part` back along `edge`
    receiver   the node whose gradient is then `sum`
    """

    start: float
    end: float
    said: str
    because: str
    count: str = ""
    made: str = ""
    sender: str = ""
    edge: str = ""
    part: Any = None
    receiver: str = ""
    sum: Any = None


def frames(play: Play) -> list[Frame]:
    """One for what is given, one for each operation, one for the start back, one for each step, one to look."""
    nodes, edges = play.graph.nodes, play.graph.edges
    names = {node.id: cut(node.name) for node in nodes}
    loss, total = names[nodes[-1].id], len(play.walk)
    film: list[Frame] = []

    def add(lasts: float, said: str, because: str, **what: Any) -> None:
        start = film[-1].end if film else 0.0
        film.append(Frame(start, start + lasts, said, because, **what))

    add(GIVEN, "Forward", "starts with what is given")
    for node in nodes:
        if node.symbol:
            inputs = " and ".join(valued(nodes[play.place[edge.source]]) for edge in edges if edge.target == node.id)
            add(FORWARD, f"{node.symbol} gives {valued(node)}", f"from {inputs}", made=node.id)
    start = f"starts at {loss}: \u2202{loss}/\u2202{loss} = {signed(play.seed)}"
    add(START, "Backward", start, receiver=nodes[-1].id, sum=play.seed)
    for i, step in enumerate(play.walk, start=1):
        edge = edges[play.edge[play.index[id(step.node)], step.position]]
        sender = nodes[play.place[edge.target]]
        add(
            STEP,
            f"{sender.symbol} sends {signed(step.contribution)} to {names[edge.source]}",
            because(step, names[sender.id], names[edge.source], loss),
            count=f"step {i} of {total}",
            sender=sender.id,
            edge=edge.id,
            part=step.contribution,
            receiver=edge.source,
            sum=step.after,
        )
    add(REST, f"Every gradient of {loss} is there", f"after {total} steps back")
    return film


def because(step: Step, sender: str, receiver: str, loss: str) -> str:
    """The chain rule of one step, where all are numbers; and the sum, if something had arrived before."""
    parts = []
    if step.node.shape == step.argument.shape == ():
        rule = f"\u2202{sender}/\u2202{receiver} \u00d7 \u2202{loss}/\u2202{sender}"
        parts.append(f"= {rule} = {brief(step.slope())} \u00d7 {signed(step.gradient)}")
    if step.before is not None:
        parts.append(f"{signed(step.before)} there becomes {signed(step.after)}")
    return ", ".join(parts)


def valued(node: Node) -> str:
    """The name of a node and its value; a number says it with its name."""
    return cut(node.name) + f" = {brief(node.value)}" * (node.kind != "number")


def brief(x: Any) -> str:
    """A value in as few digits as a look takes in."""
    return said(x, digits=3)


def signed(g: Any) -> str:
    """A gradient, with its sign."""
    return "+" * bool(np.ndim(g) == 0 and g > 0) + brief(g)


def sign(g: Any) -> str:
    """The class of a contribution: its sign, or that of its largest element."""
    negative, positive = extremes(g)
    return "positive" if positive > -negative else "negative" if negative else "zero"


# ---- what moves ---------------------------------------------------------------------------------------------------


class Motion:
    """CSS keyframes over one round of a film, each written once however many elements move so."""

    def __init__(self, scope: str, lasts: float) -> None:
        self.scope, self.lasts = scope, lasts
        self.names: dict[str, str] = {}  # of each list of keyframes

    def of(self, stops: Mapping[float, str]) -> str:
        """The class of what has these declarations at these seconds, and goes smoothly from one to the next."""
        written = "".join(f"{100 * second / self.lasts:.2f}%{{{rule}}}" for second, rule in stops.items())
        return self.names.setdefault(written, f"m{len(self.names)}")

    def shown(self, *spans: tuple[float, float, float]) -> str:
        """The class of what is seen from one second to another, as strongly as the third number says."""
        stops, last = {0.0: 0.0}, (0.0, 0.0)
        for start, end, strength in spans:
            if start == last[0]:  # from one strength to the other, without fading between
                stops.pop(start - FADE, None)
            stops |= {start: last[1] if start == last[0] else 0.0, start + FADE: strength}
            stops |= {end - FADE: strength, end: 0.0}
            last = end, strength
        stops[self.lasts] = 0.0
        return self.of({second: f"opacity:{strength:g}" for second, strength in stops.items()})

    @property
    def css(self) -> str:
        """The rules, where the reader has not asked for less motion."""
        rules = "".join(
            f"#{self.scope} .{name}{{animation:{self.scope}{name} {self.lasts:g}s ease-in-out infinite}}"
            f"@keyframes {self.scope}{name}{{{written}}}"
            for written, name in self.names.items()
        )
        return f"@media(prefers-reduced-motion:no-preference){{{rules}}}"


# ---- the picture --------------------------------------------------------------------------------------------------


class Cell(Box):
    """A node in the picture: small, so that a whole row of them can be read."""

    padding, half = 6.0, 26.0

    def said(self, x: Any) -> str:
        return brief(x)

    def told(self, g: Any) -> str:
        return signed(g)


def colours(c: Mapping[str, str]) -> dict[str, str]:
    """What has which of a theme's colours, besides what all pictures have."""
    return {
        "path.positive": f"fill:none;stroke:{c['positive']}",
        "path.negative": f"fill:none;stroke:{c['negative']}",
        ".zero": f"fill:{c['line']}",
        "path.zero": f"fill:none;stroke:{c['line']}",
        ".halo": f"fill:none;stroke:{c['text']}",
        ".lit .shape": f"fill:none;stroke:{c['text']}",
        ".label": f"fill:{c['page']}",
    }


def svg(animation: Animation) -> str:
    """The whole picture."""
    play, source = animation.play, animation.dot
    graph, film, placed = play.graph, frames(play), layout(source, animation.seconds)
    scope = scope_of(source + animation.title)
    motion = Motion(scope, film[-1].end)
    routes, clusters = placed.edges, list(nested(graph.clusters))
    width = max(placed.width, *(room(f) for f in film))
    key, key_width, key_height = legend(play, width)
    below = LINE + 9
    body = [
        *(frame(scope, cluster.id, placed.clusters[cluster.id]) for cluster in clusters),
        *(line(scope, edge, routes[edge.id], film, motion) for edge in graph.edges),
        *(heading(cluster.label, placed.clusters[cluster.id]) for cluster in clusters),
        *(sent(f, routes[f.edge], motion) for f in film if f.edge),
        *(drawn(scope, cell, placed.nodes[name], film, motion, play.scale) for name, cell in animation.cells.items()),
        f'<g transform="translate(0 {placed.height + MARGIN:g})">',
        *(caption(f, width, motion) for f in film),
        f'<g transform="translate(0 {below:g})">{key}</g></g>',
    ]
    more = "".join(f"#{scope} {rule}" for rule in RULES) + themed(scope, colours) + motion.css
    height = placed.height + MARGIN + below + key_height
    return document(scope, animation.title, max(width, key_width), height, body, more)


RULES = (
    ".caption{font-size:13px}",
    ".halo{stroke-width:10;stroke-linecap:round}",
    ".way{stroke-width:2.5;stroke-dasharray:1}",
    ".lit .shape{stroke-width:2.5}",
)


def line(scope: str, edge: Edge, curve: list[Point], film: list[Frame], motion: Motion) -> str:
    """An edge, with a light around it while it is used, and the line that a contribution leaves behind on its way."""
    path = route(curve[:-1]) + "L{:g} {:g}".format(*curve[-1])
    lit = [(f.start, f.end, 0.14) for f in film if f.edge == edge.id or f.made == edge.target]
    back, points = "", tip(curve[-2], curve[-1])
    for f in (f for f in film if f.edge == edge.id):  # one step at most, while which the edge points back
        grows = {
            0.0: "opacity:0",
            f.start: "opacity:0;stroke-dashoffset:-1",
            f.start + 0.01: "opacity:1",
            f.start + ARRIVAL: "stroke-dashoffset:0",
            motion.lasts - FADE: "opacity:1",
            motion.lasts: "opacity:0",
        }
        hides = {
            f.start: "opacity:1",
            f.start + FADE: "opacity:0",
            f.end - FADE: "opacity:0",
            f.end: "opacity:1",
        }
        back = f'<path class="way {sign(f.part)} {motion.of(grows)}" pathLength="1" d="{path}"/>'
        points = f'<g class="{motion.of(hides)}">{points}</g>'
    return (
        f'<g id="{scope}-{edge.id}"><path class="halo {motion.shown(*lit)}" opacity="0" d="{path}"/>'
        f'<path class="edge" d="{path}"/>{back}{points}</g>'
    )


def sent(f: Frame, curve: list[Point], motion: Motion) -> str:
    """The tip of a contribution, and its number, which comes from the sender and stays over the middle of the edge."""
    there = f.start + ARRIVAL
    text = size(f.part) or signed(f.part)
    wide = width_of(text) + 6
    (u, v), (x, y) = along(curve, 1), along(curve, 0.5)
    steep = min(abs(curve[-1][1] - curve[0][1]) / max(abs(curve[-1][0] - curve[0][0]), 1), 0.8)
    rides = {
        0.0: "opacity:0",
        f.start: f"opacity:0;transform:translate({u - x:.1f}px,{v - y:.1f}px)",
        there: "opacity:1;transform:none",
        f.end - FADE: "opacity:1",
        f.end: "opacity:0",
        motion.lasts: "opacity:0",
    }
    return (
        f'<g class="{motion.shown((there - FADE, f.end, 1))}" opacity="0">{tip(curve[1], curve[0], sign(f.part))}</g>'
        f'<g transform="translate({x:.1f} {y - 10 - steep * wide / 2:.1f})"><g class="{motion.of(rides)}" opacity="0">'
        f'<rect class="label" x="{-wide / 2:g}" y="-8" width="{wide:g}" height="16" rx="8"/>'
        f"{write(0, 4, text, 'symbol', 'middle')}</g></g>"
    )


def along(curve: list[Point], part: float) -> Point:
    """The point of an edge where so much of its length lies behind."""
    points: list[Point] = [curve[0]]
    for k in range(0, len(curve) - 2, 3):
        p = np.array(curve[k : k + 4])
        t = np.linspace(0, 1, 17)[1:, None]
        weights = np.hstack([(1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3])
        points += [(float(x), float(y)) for x, y in weights @ p]
    points.append(curve[-1])
    xs, ys = np.transpose(points)
    lengths = np.append(0, np.cumsum(np.hypot(np.diff(xs), np.diff(ys))))
    x, y = (float(np.interp(part * lengths[-1], lengths, c)) for c in (xs, ys))
    return x, y


def drawn(scope: str, cell: Cell, centre: Point, film: list[Frame], motion: Motion, scale: Scale) -> str:
    """A node: its shape, title, value, gradient and bar, and a light on it while it takes part."""
    node, w, h = cell.node, cell.width, cell.height
    here = f'<g id="{scope}-{node.id}" class="node" transform="translate({centre[0] - w / 2:g} {centre[1] - h / 2:g})">'
    symbol, name, shape = cell.title
    if node.kind == "number":
        return f"{here}{write(w / 2, h / 2 + 4, name, anchor='middle')}</g>"
    left, column = cell.padding, cell.padding + 2 * CHARACTER
    words = escape(" " * bool(symbol and name) + " ".join(filter(None, (name, shape))))
    parts = [
        outline(node.kind, w, h),
        light(cell, film, motion),
        f'<text x="{left:g}" y="{ROWS["t"]:g}"><tspan class="symbol">{escape(symbol)}</tspan>{words}</text>',
    ]
    if cell.value:
        value = write(column, ROWS["v"], cell.said(node.value))
        for made in (f for f in film if f.made == node.id):
            value = f'<g class="{motion.shown((made.start + FADE, motion.lasts, 1))}">{value}</g>'
        parts += [write(left, ROWS["v"], "=", "muted"), value]
    if arrivals := [(f.start + ARRIVAL, f.sum) for f in film if f.receiver == node.id]:
        parts.append(write(left, ROWS["g"], "\u2202", "muted"))
        for (start, g), end in zip(arrivals, [*(start for start, _ in arrivals[1:]), motion.lasts]):
            passing = ' opacity="0"' * (end < motion.lasts)
            text = write(column, ROWS["g"], cell.told(g))
            parts.append(f'<g class="{motion.shown((start, end, 1))}"{passing}>{text}</g>')
        parts.append(bars(w / 2, arrivals, motion, scale))
    elif cell.gradient:
        parts.append(write(left, ROWS["g"], cell.gradient, "muted"))
    return f"{here}{''.join(parts)}</g>"


def light(cell: Cell, film: list[Frame], motion: Motion) -> str:
    """A strong outline, strongest while something arrives."""
    name, spans = cell.node.id, []
    for f in film:
        if f.receiver == name:
            spans.append((f.start + ARRIVAL, f.end, 1.0))
        elif name in (f.made, f.sender):
            spans.append((f.start, f.end, 0.5))
    if not spans:
        return ""
    return f'<g class="lit {motion.shown(*spans)}" opacity="0">{outline(cell.node.kind, cell.width, cell.height)}</g>'


def bars(x: float, arrivals: list[tuple[float, Any]], motion: Motion, scale: Scale) -> str:
    """The gradient as a bar, negative to the left, positive to the right, which grows or shrinks with each sum."""
    full = Cell.half
    parts = [f'<path class="track" d="M{-full:g} 0h{2 * full:g}" stroke-opacity="0.35"/>']
    for i, (hue, start) in enumerate({"negative": -full, "positive": 0.0}.items()):
        stops, length = {0.0: 0.0}, 0.0
        for second, g in arrivals:
            before, length = length, scale.length(extremes(g)[i])
            stops |= {second: before, second + ARRIVAL: length}
        if any(stops.values()):
            stops |= {motion.lasts - FADE: length, motion.lasts: 0.0}
            grows = motion.of({second: f"transform:scaleX({part:.3g})" for second, part in stops.items()})
            parts.append(f'<g class="{grows}" transform="scale({length:.3g} 1)">{half(hue, start, 0, full)}</g>')
    parts.append('<path class="track" d="M0 -5v10"/>')
    return f'<g transform="translate({x:g} {ROWS["bar"]:g})">{"".join(parts)}</g>'


# ---- under the picture --------------------------------------------------------------------------------------------


def caption(f: Frame, width: float, motion: Motion) -> str:
    """The words of a frame; those of the last one stay where nothing moves."""
    passing = ' opacity="0"' * (f.end < motion.lasts)
    why = f'<tspan class="muted" dx="12">{escape(f.because)}</tspan>'
    count = write(width, LINE, f.count, "muted", "end") if f.count else ""
    return (
        f'<g class="{motion.shown((f.start, f.end, 1))}"{passing}><text class="caption" y="{LINE:g}">'
        f'<tspan class="symbol">{escape(f.said)}</tspan>{why}</text>{count}</g>'
    )


def room(f: Frame) -> float:
    """The width that the words of a frame need."""
    return 13 / 11 * width_of(f.said + f.because) + 12 + (width_of(f.count) + 12) * bool(f.count)


def legend(play: Play, wide: float) -> tuple[str, float, float]:
    """What the signs mean; its width and its height."""
    loss = cut(play.graph.nodes[-1].name)
    items = [("", 0.0, "= value"), ("", 0.0, f"\u2202 gradient of {loss}")]
    items += [(half(sign, 0, -3.5, 18), 18.0, sign) for sign in ("negative", "positive")]
    items.append(("", 0.0, f"bar: log scale, 1e{play.scale.low} to 1e{play.scale.high}"))
    return flow(items, wide, play.graph.notes)
