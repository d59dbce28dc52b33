"""Where everything stands: plain data -> DOT -> positions, by whatever Graphviz this machine has.

What takes long to import is imported where something is drawn, as `import viz` alone should cost nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .card import INDENT, Card
from .data import Cluster, Trace, everything, nested
from .theme import THEMES

__all__ = ["Layout", "LayoutError", "dot", "layout", "render"]

SHAPES = {
    "number": ("plaintext", ""),
    "leaf": ("box", ""),
    "parameter": ("octagon", ""),
    "operation": ("box", "rounded"),
    "module": ("box3d", ""),
    "rest": ("plaintext", ""),
    "loss": ("box", "rounded,bold"),
}


class LayoutError(RuntimeError):
    """There is no Graphviz on this machine, or it could not lay the graph out."""


class Layout(NamedTuple):
    """Positions in pixels, y downwards: centres of nodes, Bezier curves of edges, (x0, y0, x1, y1) of clusters."""

    width: float
    height: float
    nodes: dict[str, tuple[float, float]]
    edges: dict[str, list[tuple[float, float]]]
    clusters: dict[str, tuple[float, float, float, float]]


def package() -> Any:
    """The package graphviz, which writes Graphviz's language; imported when something is drawn."""
    try:
        import graphviz
    except ImportError as error:
        raise LayoutError(
            "Pictures need the package graphviz: pip install graphviz. viz.tree needs nothing."
        ) from error
    return graphviz


# ---- plain data -> DOT --------------------------------------------------------------------------------------------


def dot(graph: Trace, cards: Mapping[str, Card], rankdir: str = "LR", ranksep: float = 0.45) -> str:
    """The graph in Graphviz's language, each node as large as its card; ranks stand `ranksep` inches apart."""
    graphviz = package()
    source = graphviz.Digraph(
        graph_attr={
            "rankdir": rankdir,
            "nodesep": "0.22",
            "ranksep": f"{ranksep:g}",
            "fontname": "monospace",
            "fontsize": "10",
            "style": "rounded,filled",  # of frames
            "fillcolor": THEMES["light"]["cluster"],
            "newrank": "true",  # ranks the whole graph at once, so that frames can follow each other
            "ordering": "in",  # the first argument above the second
        },
        node_attr={"fixedsize": "true", "fontname": "monospace", "fontsize": "9", "margin": "0.11,0.05"},
        edge_attr={"arrowsize": "0.7", "color": THEMES["light"]["line"]},
    )

    def add_node(body: Any, card: Card) -> None:
        node = card.node
        form, style = SHAPES[node.kind]
        lines = (text if kind in INDENT else f"{label:<6}{text}" for kind, label, text in card.lines)
        text = [" ".join(filter(None, card.title)), *lines]
        label = "".join(graphviz.escape(line) + r"\l" for line in text) if len(text) > 1 else graphviz.escape(text[0])
        size = {"width": f"{card.width / 72:.4f}", "height": f"{card.height / 72:.4f}"}
        if colour := THEMES["light"].get(node.kind):
            size |= {"style": f"filled,{style}".rstrip(","), "fillcolor": colour}
        body.node(node.id, label, shape=form, **size)

    def add_cluster(body: Any, cluster: Cluster) -> None:
        with body.subgraph(name=f"cluster_{cluster.id}") as inside:
            inside.attr(label=graphviz.escape(cluster.label), labeljust="l", margin="10")
            for node in cluster.nodes:
                add_node(inside, cards[node.id])
            for inner in cluster.clusters:
                add_cluster(inside, inner)

    inside = {node.id for node in everything(*graph.clusters)}
    for node in graph.nodes:
        if node.id not in inside:
            add_node(source, cards[node.id])
    for cluster in graph.clusters:
        add_cluster(source, cluster)
    beside = {node.id for node in (everything(*graph.clusters) or graph.nodes) if not node.symbol}
    for edge in graph.edges:  # what is computed from step to step runs straight through the picture
        source.edge(edge.source, edge.target, id=edge.id, **({} if edge.source in beside else {"weight": "8"}))
    for before, after in in_turn(graph):
        source.edge(before, after, style="invis")
    return str(source.source)


def in_turn(graph: Trace) -> Iterator[tuple[str, str]]:
    """What must stand before what, so that frames follow each other: a module's input before its parameters."""
    made = {node.id: i for i, node in enumerate(graph.nodes) if node.symbol}
    for cluster in nested(graph.clusters):
        inside = {node.id for node in everything(cluster)}
        given = {edge.source for edge in graph.edges if edge.target in inside and edge.source not in inside}
        if given:
            last = max(sorted(given), key=lambda source: made.get(source, -1))
            yield from ((last, node.id) for node in cluster.nodes if not node.symbol)


# ---- DOT -> positions ---------------------------------------------------------------------------------------------

REMEDY = """There is no Graphviz here to lay a picture out. Either of these brings one:
  python -m pip install "pygraphviz>=2.0"     (its wheel carries Graphviz)
  the program `dot` on the PATH               (apt install graphviz, brew install graphviz, winget install graphviz)
Without it, viz.tree(loss) prints the same graph as text, and .save("x.dot") writes it in Graphviz's language."""

BUNDLED = """
import sys, pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
"""


def engines() -> Iterator[list[str]]:
    """The commands that run Graphviz on this machine, waiting for the output format as a last argument."""
    import shutil
    from importlib import metadata

    if program := shutil.which("dot"):
        yield [program, "-T"]
    try:
        if int(metadata.version("pygraphviz").split(".")[0]) >= 2:
            yield [sys.executable, "-c", BUNDLED, ""]  # in a process of its own, which can be stopped
    except metadata.PackageNotFoundError:
        pass


def render(source: str, form: str, seconds: float = 10.0) -> bytes:
    """What Graphviz makes of DOT text: `form` is json0, png, pdf, ... It is given so many seconds."""
    import subprocess

    complaints = []
    for *command, last in engines():
        try:
            run = subprocess.run(
                [*command, last + form],
                input=source.encode(),
                capture_output=True,
                timeout=seconds,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except subprocess.TimeoutExpired:
            raise LayoutError(
                f"Graphviz was not done with this graph after {seconds:g} s. Draw less of it, "
                "viz.draw(loss, limit=50), give it more time, viz.draw(loss, seconds=60), or print it, viz.tree(loss)."
            ) from None
        if run.returncode == 0 and run.stdout:
            return run.stdout
        complaints.append(f"{command[0]}: {run.stderr.decode(errors='replace').strip()[-300:]}")
    raise LayoutError("\n".join(["Graphviz failed.", *complaints]) if complaints else REMEDY)


def layout(source: str, seconds: float = 10.0) -> Layout:
    """Where Graphviz puts the nodes, edges and clusters of DOT text."""
    import json

    drawn = json.loads(render(source, "json0", seconds))
    _, _, width, height = numbers(drawn["bb"])

    def point(text: str) -> tuple[float, float]:
        x, y = numbers(text)
        return x, height - y

    nodes, clusters = {}, {}
    for item in drawn.get("objects", []):
        if "pos" in item:
            nodes[item["name"]] = point(item["pos"])
        elif "bb" in item:
            x0, y0, x1, y1 = numbers(item["bb"])
            clusters[item["name"].removeprefix("cluster_")] = x0, height - y1, x1, height - y0
    edges = {}
    for item in drawn.get("edges", []):
        if "id" not in item:  # one that only holds things apart
            continue
        tip, *curve = item["pos"].split()  # "e,x,y" where the arrow ends, then the control points
        edges[item["id"]] = [*map(point, curve), point(tip.removeprefix("e,"))]
    return Layout(width, height, nodes, edges, clusters)


def numbers(text: str) -> tuple[float, ...]:
    """The numbers between the commas."""
    return tuple(float(x) for x in text.split(","))
