"""Pictures of computation graphs: `draw` as SVG, `tree` as text."""

from .health import Thresholds
from .layout import LayoutError
from .picture import Graph, draw
from .tree import tree

__all__ = ["Graph", "LayoutError", "Thresholds", "draw", "tree"]
