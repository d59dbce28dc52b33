"""Pictures of computation graphs, `draw` as SVG, `tree` as text; and of models that learn: `health` layer by layer,
`Recorder` over training, `plot_decision` in the plane.
"""

from .decision import plot_decision
from .health import Thresholds
from .layout import LayoutError
from .picture import Graph, draw
from .recorder import Recorder
from .report import Health, health
from .tree import tree

__all__ = [
    "Graph",
    "Health",
    "LayoutError",
    "Recorder",
    "Thresholds",
    "draw",
    "health",
    "plot_decision",
    "tree",
]
