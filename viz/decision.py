"""What a model of two inputs answers everywhere in the plane, with the data it should have learned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd import Tensor, no_grad

from .figure import figure
from .options import check_whole

__all__ = ["plot_decision"]

# Okabe and Ito's colours (2008), which colour-blind readers can tell apart, and a marker for each class besides
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
MARKERS = "o^sDvP"
PART = 4096  # points that the model is asked about at a time


def plot_decision(
    model: Any, X: Any, y: Any, *, threshold: float | None = None, resolution: int = 200, axes: Any = None
) -> Any:
    """The regions where a model decides for each class, paler where it is less sure, and the data: a matplotlib Figure.

    model        a function of arrays (n, 2): to (n,) or (n, 1), for two classes, or to (n, classes) scores. A module
                 answers as after `eval()`, and is then as it was before
    X, y         the data, (n, 2), and their classes, (n,) or (n, 1): 0, 1, ...; or -1 and 1
    threshold    of two classes, the answer from which on it is the second. If None, it is 0.5 where all answers lie
                 from 0 to 1, as probabilities do, and 0 otherwise
    resolution   points along each axis where the model is asked
    axes         where to draw; a new figure if None
    """
    check_whole("plot_decision(resolution=)", resolution, 2)
    X, y = points(X, y)
    axes = figure(5, 4.4).subplots() if axes is None else axes
    from matplotlib.colors import to_rgb

    low, high = X.min(axis=0), X.max(axis=0)
    edge = 0.1 * np.where(high > low, high - low, 1.0)
    lines = np.linspace(low - edge, high + edge, resolution).T
    plane = np.stack(np.meshgrid(*lines), axis=-1).reshape(-1, 2)  # (resolution², 2)
    answers = asked(model, np.concatenate([plane, X]))
    scores = margins(answers, threshold)
    classes = scores.shape[1]
    if not np.isin(y, np.arange(classes)).all():
        raise ValueError(
            f"plot_decision(): the model knows {classes} classes, so y is 0 to {classes - 1}, not {y.max()}."
        )
    right = np.mean(scores[len(plane) :].argmax(axis=1) == y)
    drawn = scores[: len(plane)].reshape(resolution, resolution, classes)

    colours = np.array([to_rgb(COLOURS[k % len(COLOURS)]) for k in range(classes)])
    sure = np.tanh(np.nan_to_num(drawn.max(axis=-1)) / 2)  # for two classes 2p − 1, from 0 at the boundary to 1
    shades = np.dstack([colours[drawn.argmax(axis=-1)], 0.12 + 0.33 * sure])
    extent = (*lines[0, [0, -1]], *lines[1, [0, -1]])
    axes.imshow(shades, extent=extent, origin="lower", aspect="auto", interpolation="bilinear", zorder=0)
    for k in range(1 if classes == 2 else 0, classes):
        if drawn[..., k].min() < 0 < drawn[..., k].max():
            axes.contour(*lines, drawn[..., k], [0.0], colors="0.2", linewidths=1.2, zorder=1)
    for k in np.unique(y):
        look = {"marker": MARKERS[k % len(MARKERS)], "color": colours[k], "edgecolors": "white", "linewidths": 0.6}
        axes.scatter(*X[y == k].T, s=26, label=f"class {k}", zorder=2, **look)
    axes.legend(fontsize=8, frameon=True, edgecolor="none")
    axes.grid(False)
    axes.set(title=f"{right:.1%} of {len(X)} right", xlabel="x1", ylabel="x2", xlim=extent[:2], ylim=extent[2:])
    return axes.figure


def points(X: Any, y: Any) -> tuple[Any, Any]:
    """X of shape (n, 2), and y of shape (n,) with classes 0, 1, ..., as arrays."""
    X, y = (np.asarray(v.data if isinstance(v, Tensor) else v) for v in (X, y))
    if X.ndim != 2 or X.shape[1] != 2 or not len(X):
        raise ValueError(f"plot_decision() draws models of two inputs, so X has shape (n, 2), not {X.shape}.")
    if y.shape not in ((len(X),), (len(X), 1)):
        raise ValueError(f"plot_decision() takes a class for each of {len(X)} points, but y has shape {y.shape}.")
    y = y.ravel()
    if np.isin(y, (-1, 1)).all() and (y < 0).any():
        y = y > 0
    if y.dtype.kind not in "biuf" or not np.array_equal(y, np.abs(np.round(y))):
        remedy = " np.unique(y, return_inverse=True)[1] numbers them." if y.dtype.kind in "US" else ""
        raise ValueError(f"plot_decision() takes classes as y, 0, 1, ... or -1 and 1, not {np.unique(y)[:6]}.{remedy}")
    if not np.isfinite(X).all():
        raise ValueError("plot_decision() draws points with finite coordinates, but X has NaN or infinity in it.")
    return X.astype(np.float64), y.astype(int)


def asked(model: Any, x: Any) -> Any:
    """The model's answers, of shape (n, outputs)."""
    with no_grad(), evaluating(model):
        return np.concatenate([scored(part, model(part)) for part in np.array_split(x, -(-len(x) // PART))])


def scored(x: Any, answer: Any) -> Any:
    """The model's answer to x as an array of shape (n, outputs)."""
    y = np.asarray(answer.data if isinstance(answer, Tensor) else answer, np.float64)
    if y.ndim not in (1, 2) or len(y) != len(x):
        raise ValueError(f"plot_decision(): of {len(x)} points the model makes {y.shape}, not (n,) or (n, classes).")
    return y.reshape(len(x), -1)


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Inside, the modules of a model are not training; afterwards each is as it was."""
    modules = [module for _, module in model.named_modules()] if hasattr(model, "named_modules") else []
    modes = [(module, module.training) for module in modules if hasattr(module, "training")]
    try:
        for module, _ in modes:
            module.training = False
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def margins(answers: Any, threshold: float | None) -> Any:
    """By how much each class is ahead of the best other one, of shape (n, classes): positive for the one decided on.

    Probabilities are measured by their logarithms, as log (p / (1 − p)), so that they are on the scale of other scores.
    """
    parts = answers if answers.shape[1] > 1 else np.hstack([1 - answers, answers])
    if (parts >= 0).all() and np.allclose(parts.sum(axis=1), 1) and threshold in (None, 0.5):
        answers = np.log(np.maximum(parts, 1e-12))
    elif answers.shape[1] == 1:
        z = answers - (threshold or 0.0)
        return np.hstack([-z, z])
    others = np.stack([np.delete(answers, k, axis=1).max(axis=1) for k in range(answers.shape[1])], axis=1)
    return answers - others
