"""Loss and health of every layer over training."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor

from .figure import figure
from .health import Thresholds
from .report import Health, Layer, examine, layers_of, norm
from .text import cut

__all__ = ["Recorder"]

MOST = 12  # layers that a legend names


class Recorder:
    """Keeps the loss and each layer's health over training.

        recorder = viz.Recorder(model)
        for x, y in loader:
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            recorder.step(loss)
        recorder.plot()

    It keeps four numbers for each layer and step, and one copy of the parameters to measure how far they move. It takes
    about as long as a step of a small network: calling it every tenth step is cheaper, and measures ten updates.

    names       of the layers, '0: Linear'
    losses      one for each step
    norms       ‖g‖, of shape (steps, layers); NaN where it is not known, as in the next three
    ratios      ‖Δw‖ / ‖w‖, where Δw is what the parameters have moved since the step before
    variances   of what leaves each layer
    stuck       the dead or saturated part of each layer
    health      the table of the last step, as viz.health(model, loss) gives it; with these ratios
    """

    def __init__(self, model: Any, thresholds: Thresholds | None = None) -> None:
        self.model, self.layers, self.thresholds = model, layers_of(model), thresholds or Thresholds()
        self.names = [layer.name for layer in self.layers]
        self.losses: list[float] = []
        self.health: Health | None = None
        self.numbers: list[Any] = []  # (layers, 4) for each step
        self.before = self.copied()

    def step(self, loss: Any) -> None:
        """Note one step, after `optimizer.step()` and before the next `zero_grad()`.

        loss   what `backward()` was called on; or a number, and then nothing is known of activations
        """
        if np.size(loss.data if isinstance(loss, Tensor) else loss) != 1:
            raise ValueError(f"step() takes the loss of one step, a scalar, but this has shape {np.shape(loss)}.")
        graph = loss if isinstance(loss, Tensor) and loss.op is not None else None
        rows = examine(self.model, self.layers, graph, self.moved, self.thresholds)
        numbers = np.array([(row.norm, row.ratio, row.variance, row.stuck) for row in rows], dtype=np.float64)
        self.losses.append(float(loss.item() if isinstance(loss, Tensor) else loss))
        self.numbers.append(numbers.reshape(len(rows), 4))
        self.health, self.before = Health(rows, []), self.copied()

    def copied(self) -> dict[str, list[Any]]:
        """The parameters of each layer as they are now."""
        return {layer.name: [np.array(p.data) for _, p in layer.parameters] for layer in self.layers}

    def moved(self, layer: Layer) -> float | None:
        """‖w − w before‖ / ‖w before‖."""
        before = self.before[layer.name]
        size = norm(before)
        return norm(p.data - w for (_, p), w in zip(layer.parameters, before)) / size if size else None

    def column(self, i: int) -> Any:
        """One of the four numbers, over steps and layers."""
        return np.array([numbers[:, i] for numbers in self.numbers]).reshape(-1, len(self.layers))

    norms = property(lambda self: self.column(0), doc="‖g‖, of shape (steps, layers).")
    ratios = property(lambda self: self.column(1), doc="‖Δw‖ / ‖w‖, of shape (steps, layers).")
    variances = property(lambda self: self.column(2), doc="Of what leaves each layer, of shape (steps, layers).")
    stuck = property(lambda self: self.column(3), doc="The dead or saturated part, of shape (steps, layers).")

    def __repr__(self) -> str:
        return f"<Recorder of {len(self.layers)} layers, {len(self.losses)} steps; .plot(), .health>"

    def plot(self) -> Any:
        """A matplotlib Figure: the loss, and by layer and step the norm of the gradient and the ratio update / weight.

        About 1e-3 is a usual ratio   (Karpathy's rule of thumb, in Stanford's CS231n).
        """
        drawing = figure(12, 3.6)
        left, *others = drawing.subplots(1, 3)
        steps = np.arange(1, len(self.losses) + 1)
        left.plot(steps, self.losses, color="0.25", linewidth=1)
        left.set(title="loss", xlabel="step")
        named = range(0, len(self.names), -(-len(self.names) // MOST) or 1)
        for axes, title, values in zip(others, ("gradient norm", "update / weight"), (self.norms, self.ratios)):
            for i, name in enumerate(self.names):
                colour = f"C{i}" if len(self.names) <= 6 else shade(i / (len(self.names) - 1))
                axes.plot(steps, values[:, i], color=colour, linewidth=1.2, label=cut(name) if i in named else None)
            if (values > 0).any():
                axes.set_yscale("log")
            axes.set(title=title, xlabel="step")
        others[1].axhline(1e-3, color="0.5", linewidth=0.8, linestyle=":", label="1e-3, usual")
        drawing.legend(*others[1].get_legend_handles_labels(), loc="outside right center", fontsize=8, frameon=False)
        for axes in drawing.axes:
            axes.grid(alpha=0.3)
        return drawing


def shade(depth: float) -> Any:
    """The colour of a layer by its depth, from 0 to 1."""
    from matplotlib import colormaps

    return colormaps["viridis"](0.9 * depth)
