"""A model without an input: neurons in columns and weights as lines if it is a small MLP, layers as boxes otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from .card import LINE, width_of
from .data import NONE, Edge, Node, Trace
from .layout import package
from .svg import GAP, MARGIN, document, escape, flow, half, scope_of, write
from .text import cut, exact, number
from .theme import THEMES

__all__ = ["ORDER", "Layer", "boxes", "columns", "columns_dot", "columns_svg", "small", "sure"]

WIDEST, DEEPEST = 16, 8  # neurons in a column, columns: what can still be read
ORDER = "Parts in the order in which the model names them: viz.draw(model, x) shows what really flows where."
RADIUS, ROW, COLUMN, HEAD, THICKEST = 20.0, 48.0, 180.0, 40.0, 6.0


@dataclass
class Layer:
    """Fully connected neurons: y = activation(x Wᵀ + b), with W of shape (outputs, inputs)."""

    path: str
    kind: str
    weight: Any
    bias: Any
    after: list[str] = field(default_factory=list)  # the classes of what follows without weights of its own

    @property
    def title(self) -> str:
        """'0: Linear'."""
        return f"{self.path}: {self.kind}" if self.path else self.kind

    def name(self, parameter: str) -> str:
        """'0.weight'."""
        return f"{self.path}.{parameter}" if self.path else parameter


def in_order(module: Any) -> bool:
    """Whether a module calls its parts one after another, as nn.Sequential and PyTorch's do."""
    return any(cls.__name__ == "Sequential" for cls in type(module).__mro__)


def parts(model: Any) -> Iterator[tuple[str, Any]]:
    """The modules of a model by path. One that was named before comes again where a Sequential calls it again."""
    found: dict[str, Any] = {}
    met: set[int] = set()
    repeated: set[str] = set()
    for path, module in model.named_modules(remove_duplicate=False):
        around = path.rpartition(".")[0]
        if id(module) in met:
            if around not in found or not (around in repeated or in_order(found[around])):
                continue
            repeated.add(path)
        met.add(id(module))
        found[path] = module
        yield path, module


def sure(model: Any) -> bool:
    """Whether the order of the parts is known without a call: all that has parts, but for a neuron, is Sequential."""
    return all(in_order(m) or hasattr(m, "in_features") or len(list(m.named_modules())) == 1 for _, m in parts(model))


def columns(model: Any) -> list[Layer] | None:
    """The layers of a model that is nothing but fully connected layers and what acts on single neurons; else None."""
    layers: list[Layer] = []
    for path, module in parts(model):
        own = [(name, p) for name, p in module.named_parameters() if "." not in name]
        if hasattr(module, "in_features") and dict(own).keys() <= {"weight", "bias"} and module.weight.ndim == 2:
            if layers and layers[-1].weight.shape[0] != module.weight.shape[1]:
                return None
            layers.append(Layer(path, type(module).__name__, module.weight, module.bias))
        elif any(p.ndim > 1 for _, p in own):
            return None
        elif len(list(module.named_modules())) == 1:
            if not layers:
                return None
            layers[-1].after.append(type(module).__name__)
    return layers or None


def widths(layers: list[Layer]) -> list[int]:
    """How many neurons each column has, the inputs' first."""
    return [layers[0].weight.shape[1], *(layer.weight.shape[0] for layer in layers)]


def small(layers: list[Layer]) -> bool:
    """Whether every neuron can be drawn."""
    return max(widths(layers)) <= WIDEST and len(layers) < DEEPEST


# ---- neurons in columns -------------------------------------------------------------------------------------------


def heads(layers: list[Layer]) -> list[tuple[str, str]]:
    """What stands above each column: the layer, and what follows it."""
    return [("input", ""), *((cut(layer.title), cut(", ".join(layer.after))) for layer in layers)]


def column(layers: list[Layer]) -> float:
    """How far the columns stand apart: as far as what is above them asks for."""
    return max(COLUMN, *(width_of(text) + GAP for head in heads(layers) for text in head))


def centres(layers: list[Layer]) -> list[list[tuple[float, float]]]:
    """Where the neurons of each column stand, the inputs' first."""
    counts, apart = widths(layers), column(layers)
    return [
        [(apart * (i + 0.5), HEAD + ROW * (j + 0.5 + (max(counts) - n) / 2)) for j in range(n)]
        for i, n in enumerate(counts)
    ]


def columns_svg(layers: list[Layer], title: str, notes: list[str]) -> str:
    """The picture: neurons with their biases, weights as lines of their sign's hue and their size's thickness."""
    places = centres(layers)
    largest = strongest(layers)
    above = []
    for (x, _), (name, after) in zip((place[0] for place in places), heads(layers)):
        above += [write(x, LINE, name, "symbol", "middle"), write(x, 2 * LINE, after, "muted", "middle")]
    lines, neurons = [], [neuron(place, f"x{j + 1}", f"input {j + 1}", "leaf") for j, place in enumerate(places[0])]
    for layer, before, here in zip(layers, places, places[1:]):
        for k, j in np.ndindex(*layer.weight.shape):
            name, value = f"{layer.name('weight')}[{k}, {j}]", layer.weight.data[k, j]
            lines.append(weight(before[j], here[k], value, largest, told(name, value, layer.weight.grad, (k, j))))
        for k, place in enumerate(here):
            neurons.append(neuron(place, *bias(layer, k), "operation"))
    items = [
        (half("positive", 0, -3.5, 24), 24, "positive weight"),
        (half("negative", 0, -3.5, 24), 24, "negative weight"),
        ("", 0, f"the thickest line: {number(largest)}"),
        ('<circle class="operation" cx="7" cy="-4" r="7"/>', 14, "a neuron and its bias"),
    ]
    width, height = column(layers) * len(places), HEAD + ROW * max(map(len, places)) + MARGIN
    key, key_width, key_height = flow(items, max(width, 420.0), notes)
    body = [*above, *lines, *neurons, f'<g transform="translate(0 {height:g})">{key}</g>']
    scope = scope_of("".join(body))
    return document(scope, title, max(width, key_width), height + key_height, body)


def strongest(layers: list[Layer]) -> float:
    """The size of the largest weight, or 1 where all are 0."""
    sizes = np.concatenate([np.abs(np.ravel(layer.weight.data)) for layer in layers])
    return float(sizes[np.isfinite(sizes)].max(initial=0)) or 1.0


def told(name: str, value: Any, grad: Any, index: Any) -> str:
    """The tooltip of one number that is learned."""
    return f"{name} = {exact(value)}\ngrad = {'none yet' if grad is None else exact(grad[index])}"


def bias(layer: Layer, k: int) -> tuple[str, str]:
    """What stands in neuron k, and its tooltip."""
    if layer.bias is None:
        return "", f"neuron {k} of {layer.title}, without a bias"
    b = float(layer.bias.data[k])
    exactly = f"{b:.2f}", f"{b:.1f}", f"{b:.0f}"
    inside = next((text for text in exactly if len(text) <= 5), number(b, digits=1))  # 5 characters fit into a circle
    return inside, told(f"{layer.name('bias')}[{k}]", layer.bias.data[k], layer.bias.grad, k)


def weight(start: tuple[float, float], end: tuple[float, float], value: float, largest: float, tooltip: str) -> str:
    """A line from one neuron to the next; a weight that is 0 or not finite is a thin grey one."""
    known = np.isfinite(value) and value != 0
    look = f'class="{"positive" if value > 0 else "negative"}"' if known else 'class="edge"'
    thickness = max(THICKEST * abs(float(value)) / largest, 0.4) if known else 0.4
    (x0, y0), (x1, y1) = start, end
    return (
        f'<line {look} x1="{x0:g}" y1="{y0:g}" x2="{x1:g}" y2="{y1:g}" stroke-width="{thickness:.2f}">'
        f"<title>{escape(tooltip)}</title></line>"
    )


def neuron(place: tuple[float, float], text: str, tooltip: str, kind: str) -> str:
    """A circle with a word in it."""
    x, y = place
    circle = f'<circle class="shape {kind}" cx="{x:g}" cy="{y:g}" r="{RADIUS:g}"/>'
    return f'<g class="node"><title>{escape(tooltip)}</title>{circle}{write(x, y + 4, text, anchor="middle")}</g>'


def columns_dot(layers: list[Layer]) -> str:
    """The same in Graphviz's language."""
    graphviz = package()
    source = graphviz.Digraph(graph_attr={"rankdir": "LR", "ranksep": "1.2", "splines": "line"})
    source.attr("node", shape="circle", fixedsize="true", width="0.5", fontsize="9")
    for j in range(layers[0].weight.shape[1]):
        source.node(f"0.{j}", f"x{j + 1}")
    for i, layer in enumerate(layers, start=1):
        for k in range(layer.weight.shape[0]):
            source.node(f"{i}.{k}", bias(layer, k)[0])
        for k, j in np.ndindex(*layer.weight.shape):
            value = float(layer.weight.data[k, j])
            thickness = max(THICKEST * abs(value) / strongest(layers), 0.4) if np.isfinite(value) else 0.4
            colour = THEMES["light"]["positive" if value > 0 else "negative"]
            source.edge(f"{i - 1}.{j}", f"{i}.{k}", penwidth=f"{thickness:.2f}", color=colour, arrowhead="none")
    return str(source.source)


# ---- layers as boxes ----------------------------------------------------------------------------------------------


def boxes(model: Any) -> Trace:
    """A model's parts as one card each, in the order in which it names them."""
    nodes: list[Node] = []
    for path, module in parts(model):
        own = [(name, p) for name, p in module.named_parameters() if "." not in name]
        leaf = len(list(module.named_modules())) == 1
        if leaf or own:
            card = Node(f"n{len(nodes)}", "module", type(module).__name__, path, None, None, NONE)
            card.notes += [f"{name} {p.shape}" for name, p in own]
            nodes.append(card)
    edges = [Edge(f"e{i}", one.id, other.id, 0) for i, (one, other) in enumerate(pairwise(nodes))]
    total = sum(p.size for _, p in model.named_parameters())
    return Trace(nodes, edges, [], [f"{total:,} parameters in all.", ORDER])
