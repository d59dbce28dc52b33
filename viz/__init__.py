"""Pictures of computation graphs: `draw` as SVG, `tree` as text, `step` as a page that plays the backward pass; and of
models that learn: `health` layer by layer, `Recorder` over training, `plot_decision` in the plane.
"""

from .animation import Animation, animate
from .decision import plot_decision
from .health import Thresholds
from .layout import LayoutError
from .picture import Graph, draw
from .recorder import Recorder
from .report import Health, health
from .stepper import Page, step
from .tree import tree

__all__ = [
    "Animation",
    "Graph",
    "Health",
    "LayoutError",
    "Page",
    "Recorder",
    "Thresholds",
    "animate",
    "draw",
    "health",
    "plot_decision",
    "step",
    "tree",
]
