"""How a model is, layer by layer: its gradients, its updates, its activations, in a table that prints, shows and plots.

A layer is a module with parameters of its own, and all that follows until the next one has its say: an activation, be
it a module or a function, belongs to the layer that feeds it. Everything is read off the graph behind a loss, which has
kept it anyway: nothing is run again, hooked or changed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor, topological_order

from .card import rms
from .data import Flag
from .figure import figure
from .health import CALLED, FLAGS, NOT_CALLED, SLOPES, Thresholds, dead_units
from .modules import calls
from .svg import escape, scope_of
from .text import cut, number
from .theme import THEMES

__all__ = ["Health", "Layer", "Row", "examine", "health", "layers_of", "norm"]


class Layer(NamedTuple):
    """A module with parameters of its own, those of its parts left out."""

    name: str
    module: Any
    parameters: list[tuple[str, Any]]


class Row(NamedTuple):
    """What there is to say of one layer; None where it is not known.

    name         '0: Linear'
    parameters   how many numbers it learns
    norm         ‖g‖, the length of its parameters' gradient
    ratio        ‖Δw‖ / ‖w‖, how far one update moves its parameters
    variance     of what leaves it, after its activation
    dead         fraction of its units that pass no gradient on for any example of the batch, as a ReLU that is off
    saturated    fraction of its activations where a tanh or sigmoid is flat
    flags        what is wrong, and why
    """

    name: str
    parameters: int
    norm: float | None
    ratio: float | None
    variance: float | None
    dead: float | None
    saturated: float | None
    flags: list[Flag]

    @property
    def stuck(self) -> float | None:
        """The larger of `dead` and `saturated`."""
        return max((part for part in (self.dead, self.saturated) if part is not None), default=None)


# ---- looking ------------------------------------------------------------------------------------------------------


def layers_of(model: Any) -> list[Layer]:
    """The layers of a model, in the order in which it names them."""
    if isinstance(model, type) or not (hasattr(model, "named_modules") and hasattr(model, "named_parameters")):
        raise TypeError(f"This looks at a model, which has named_modules() and named_parameters(), not at {model!r}.")
    layers = []
    for path, module in model.named_modules():
        own = [(name, p) for name, p in module.named_parameters() if "." not in name]
        if own:
            layers.append(Layer(f"{path}: " * bool(path) + type(module).__name__, module, own))
    if not layers:
        raise ValueError(f"This {type(model).__name__} has no parameters, so there are no layers to look at.")
    return layers


def norm(arrays: Iterable[Any]) -> float:
    """√ Σ x² over all elements of all arrays."""
    return math.sqrt(sum(float(np.sum(np.square(x, dtype=np.float64))) for x in arrays))


def examine(
    model: Any, layers: Sequence[Layer], output: Tensor | None, ratio: Callable[[Layer], Any], limits: Thresholds
) -> list[Row]:
    """A row for each layer. `output` is what the model computed last, `ratio` says how far a layer moves in a step."""
    with np.errstate(all="ignore"):
        signals = {} if output is None else observe(model, layers, output, limits)
        size = {id(p): rms(p.grad) for layer in layers for _, p in layer.parameters if p.grad is not None}
        rows = []
        for layer in layers:
            signal = signals.get(layer.name, Signal())
            gradients = [p.grad for _, p in layer.parameters if p.grad is not None]
            rows.append(
                Row(
                    layer.name,
                    sum(p.size for _, p in layer.parameters),
                    norm(gradients) if gradients else None,
                    ratio(layer),
                    None if signal.last is None else float(np.var(signal.last, dtype=np.float64)),
                    signal.dead,
                    signal.saturated,
                    [*of_signal(signal, limits), *of_parameters(layer, size, signal.last is not None, limits)],
                )
            )
    return rows


@dataclass
class Signal:
    """What left a layer last, the dead and the saturated part of it, and whether a cross entropy reads that part."""

    last: Any = None
    dead: float | None = None
    saturated: float | None = None
    sure: bool = False


def observe(model: Any, layers: Sequence[Layer], output: Tensor, limits: Thresholds) -> dict[str, Signal]:
    """What each layer made on the way to output, by the layer's name."""
    order = topological_order(output)
    inside = within(model, order)
    read = {id(x) for t in order if t.op and "cross_entropy" in t.op.name for x in t.inputs} | {id(output)}
    signals: dict[str, Signal] = {}
    for tensor, layer in owners(layers, order):
        if id(tensor) not in inside or tensor.size < 2:
            continue
        signal = signals.setdefault(layer, Signal())
        signal.last = tensor.data
        assert tensor.op is not None
        if slope := SLOPES.get(tensor.op.name):
            signal.saturated = float(np.mean(np.abs(slope(tensor.data)) < limits.flat))
            signal.sure = id(tensor) in read
        elif (dead := dead_units(tensor, ramp(tensor))) is not None:
            signal.dead = max(float(np.mean(dead)), signal.dead or 0.0)
    return signals


def within(model: Any, order: Sequence[Tensor]) -> set[int]:
    """The tensors that the model made, and not the loss after it: those behind what one of its modules returned."""
    parts = {id(module) for _, module in model.named_modules()}
    returned = [tensor for tensor in order if any(id(module) in parts for module, _ in calls(tensor))]
    return {id(tensor) for tensor in (topological_order(*returned) if returned else order)}


def owners(layers: Sequence[Layer], order: Sequence[Tensor]) -> list[tuple[Tensor, str]]:
    """Each operation's result with the layer that it belongs to: which returned it, or whose parameter it uses, or
    which was the last to do so among those that it was computed from."""
    of = {id(layer.module): layer.name for layer in layers}
    learned = {id(p): layer.name for layer in layers for _, p in layer.parameters}  # and what is made of these alone
    owner: dict[int, str] = {}
    since: dict[str, int] = {}
    found = []
    for i, tensor in enumerate(order):
        if tensor.is_leaf:
            continue
        returned = [of[id(module)] for module, _ in calls(tensor) if id(module) in of]
        arguments = [id(x) for x in tensor.inputs if isinstance(x, (Tensor, np.ndarray))]
        using = [learned[x] for x in arguments if x in learned]
        if not returned and len(using) == len(arguments):
            learned[id(tensor)] = using[0]
            continue
        if returned or using:
            layer = (returned or using)[-1]
            since[layer] = i
        else:
            behind = [owner[x] for x in arguments if x in owner]
            if not behind:
                continue
            layer = max(behind, key=lambda name: since[name])
        owner[id(tensor)] = layer
        found.append((tensor, layer))
    return found


def ramp(tensor: Tensor) -> Any:
    """A gradient to try a derivative with before any has arrived: softmax would stop a constant one."""
    g = np.arange(1, tensor.size + 1) / tensor.size
    return g.astype(tensor.dtype).reshape(tensor.shape)


def of_signal(signal: Signal, limits: Thresholds) -> list[Flag]:
    """What is wrong with what leaves a layer."""
    found = []
    if signal.last is not None and not np.isfinite(signal.last).all():
        found.append(Flag("NAN", "What leaves it is not finite."))
    if signal.dead is not None and signal.dead > limits.dead:
        found.append(Flag("DEAD", f"{signal.dead:.0%} of its units pass no gradient on for any example of the batch."))
    if signal.saturated is not None and signal.saturated > limits.saturated and not signal.sure:
        found.append(Flag("SATURATED", f"{signal.saturated:.0%} of its activations lie where their curve is flat."))
    return found


def of_parameters(layer: Layer, size: Mapping[int, float], called: bool, limits: Thresholds) -> list[Flag]:
    """What is wrong with a layer's gradients; `size` is the root mean square of every gradient in the model.

    A bias is cancelled, as before a normalisation, if its gradient is lost in the rounding of its own weight's.
    """
    finite = {key: s for key, s in size.items() if np.isfinite(s)}
    largest = max(finite.values(), default=0.0)
    weight = max((finite.get(id(p), 0.0) for _, p in layer.parameters if p.ndim > 1), default=0.0)
    found = []
    for name, p in layer.parameters:
        s = size.get(id(p))
        if s is None:
            if size and p.requires_grad:
                found.append(Flag("UNUSED", f"{name}: {CALLED if called else NOT_CALLED}"))
        elif not np.isfinite(s):
            found.append(Flag("NAN", f"{name}: its gradient is not finite."))
        elif s > limits.exploding:
            found.append(Flag("EXPLODING", f"{name}: rms of its gradient {number(s)}, above {limits.exploding:g}."))
        elif p.ndim < 2 and s < limits.cancelled * np.finfo(p.dtype).eps * weight:
            found.append(Flag("CANCELLED", f"{name}: its gradient is a sum that cancels, as before a normalisation."))
        elif s < limits.vanishing * largest or not s:
            part = f", {s / largest:.0e} of the largest" if s else ": it does not learn"
            found.append(Flag("VANISHING", f"{name}: rms of its gradient {number(s)}{part}."))
    return list({flag.word: flag for flag in reversed(found)}.values())[::-1]  # of each word the first


# ---- showing ------------------------------------------------------------------------------------------------------

COLUMNS = ("layer", "parameters", "grad norm", "update/weight", "variance", "dead or saturated", "")


class Health:
    """How each layer is. It prints as a table, shows itself in a notebook, and `plot()` draws it.

    rows    one for each layer, as numbers: see Row
    notes   what should be said of the whole
    """

    def __init__(self, rows: list[Row], notes: list[str]) -> None:
        self.rows, self.notes = rows, notes

    def __repr__(self) -> str:
        table = [COLUMNS, *map(cells, self.rows)]
        widths = [max(len(row[i]) for row in table) for i in range(len(COLUMNS))]
        left = (0, len(COLUMNS) - 1)
        lines = [
            "  ".join(cell.ljust(n) if i in left else cell.rjust(n) for i, (cell, n) in enumerate(zip(row, widths)))
            for row in table
        ]
        return "\n".join([line.rstrip() for line in lines] + self.remarks)

    @property
    def remarks(self) -> list[str]:
        """The reason for each flag, and the notes."""
        return [f"{row.name}: {flag.word}: {flag.reason}" for row in self.rows for flag in row.flags] + self.notes

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{escape(title)}</th>' for title in (*COLUMNS[:-1], "health"))
        body = "".join(f"<tr>{html_cells(row)}</tr>" for row in self.rows)
        notes = "".join(f"<p>{escape(remark)}</p>" for remark in self.remarks)
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"
        scope = scope_of(table).replace("g", "h", 1)
        return f'<div id="{scope}" class="health">{style(scope)}{table}</div>'

    def plot(self) -> Any:
        """A matplotlib Figure of what is known: bars for each layer, the first on top."""
        panels = [
            ("gradient norm", [row.norm for row in self.rows], "log"),
            ("update / weight", [row.ratio for row in self.rows], "log"),
            ("variance", [row.variance for row in self.rows], "log"),
            ("dead or saturated", [row.stuck for row in self.rows], "linear"),
        ]
        known = [panel for panel in panels if any(x is not None for x in panel[1])] or panels[:1]
        drawing = figure(1.8 + 2.4 * len(known), 1.2 + 0.32 * len(self.rows))
        for axes, (title, values, scale) in zip(
            drawing.subplots(1, len(known), sharey=True, squeeze=False).ravel(), known
        ):
            finite = [x if x is not None and np.isfinite(x) else np.nan for x in values]
            axes.barh(range(len(finite)), finite, height=0.6, color=THEMES["light"]["negative"])
            decades = np.log10([x for x in finite if x > 0])
            if scale == "log" and decades.size:
                axes.set_xscale("log")
                axes.set_xlim(10 ** np.floor(decades.min() - 0.2), 10 ** np.ceil(decades.max()))
                axes.minorticks_off()
            elif scale == "linear":
                axes.set_xlim(0, 1)
            axes.set_title(title, fontsize=10)
            axes.grid(axis="x", alpha=0.3)
            axes.set_axisbelow(True)
        words = [", ".join(dict.fromkeys(flag.word for flag in row.flags)) for row in self.rows]
        labels = [cut(row.name) + f"\n{word}" * bool(word) for row, word in zip(self.rows, words)]
        drawing.axes[0].set_yticks(range(len(labels)), labels, fontsize=8)
        drawing.axes[0].set_ylim(len(labels) - 0.5, -0.5)
        return drawing


def cells(row: Row) -> tuple[str, ...]:
    """A row as text."""
    parts = (row.dead, "dead"), (row.saturated, "saturated")
    stuck = [f"{part:.0%} {word}" for part, word in parts if part is not None]
    numbers = ("-" if x is None else number(x) for x in (row.norm, row.ratio, row.variance))
    words = ", ".join(dict.fromkeys(flag.word for flag in row.flags))
    return cut(row.name), f"{row.parameters:,}", *numbers, ", ".join(stuck) or "-", words


def html_cells(row: Row) -> str:
    """A row as the cells of a table; each flag with its glyph."""
    name, *numbers, _ = (escape(cell) for cell in cells(row))
    flags = [
        f'<b class="{word}">{FLAGS[word][0]}</b> {word}' for word in dict.fromkeys(flag.word for flag in row.flags)
    ]
    return f'<th scope="row">{name}</th>' + "".join(f"<td>{x}</td>" for x in numbers) + f"<td>{' '.join(flags)}</td>"


def style(scope: str) -> str:
    """The table's style sheet: light, and dark where the reader prefers it."""

    def rules(theme: str) -> str:
        c = THEMES[theme]
        flags = "".join(f"#{scope} .{word}{{background:{c[word]}}}" for word in FLAGS)
        return (
            f"#{scope}{{background:{c['page']};color:{c['text']}}}#{scope} p{{color:{c['muted']}}}"
            f"#{scope} tr{{background:{c['page']};border-bottom:1px solid {c['line']}}}"
            f"#{scope} b{{color:{c['page']}}}{flags}"
        )

    shared = (
        f"#{scope}{{padding:8px;overflow:auto;font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace}}"
        f"#{scope} table{{border-collapse:collapse;color:inherit;font:inherit}}"
        f"#{scope} :is(th,td){{padding:3px 10px;text-align:right;color:inherit;white-space:nowrap}}"
        f"#{scope} :is(th:first-child,:is(th,td):last-child){{text-align:left}}"
        f"#{scope} td b{{display:inline-block;width:1.3em;text-align:center;border-radius:2px}}"
    )
    return f"<style>{shared}{rules('light')}@media(prefers-color-scheme:dark){{{rules('dark')}}}</style>"


def health(
    model: Any, loss: Tensor | None = None, *, lr: float | None = None, thresholds: Thresholds | None = None
) -> Health:
    """How each layer of a model is, after `loss.backward()`: ‖g‖, lr ‖g‖ / ‖w‖, the variance of what leaves the layer,
    how much of it is dead or saturated, and a word for what is wrong. Nothing is run and nothing changes.

    loss         a Tensor that the model has computed, such as the loss or model(x): without it nothing is known of
                 activations. It may be looked at before or after the optimizer's step
    lr           the learning rate, for the ratio update / weight as plain SGD has it; viz.Recorder measures it
    thresholds   when something is called wrong, as viz.Thresholds(vanishing=1e-6)
    """
    layers = layers_of(model)
    if loss is not None and not isinstance(loss, Tensor):
        raise TypeError(
            f"health(model, loss) looks at what the model has computed, not at {type(loss).__name__}: "
            "viz.health(model, model(x))."
        )
    if loss is not None and loss.op is None:
        raise ValueError("health() got a Tensor without a graph: was it computed under no_grad, or detached?")

    def sgd(layer: Layer) -> float | None:
        gradients = [p.grad for _, p in layer.parameters if p.grad is not None]
        weights = norm(p.data for _, p in layer.parameters)
        return lr * norm(gradients) / weights if lr is not None and gradients and weights else None

    rows = examine(model, layers, loss, sgd, thresholds or Thresholds())
    notes = []
    if all(row.norm is None for row in rows):
        notes.append("There are no gradients: call loss.backward() first.")
    elif lr is None:
        notes.append("update/weight: health(model, loss, lr=...) estimates it, viz.Recorder measures it.")
    if loss is None:
        notes.append("variance, dead or saturated: health(model, loss) reads them off the graph behind the loss.")
    return Health(rows, notes)
