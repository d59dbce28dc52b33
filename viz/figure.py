"""An empty matplotlib figure that shows itself in a notebook. matplotlib is imported when something is plotted."""

from __future__ import annotations

import io
from typing import Any

__all__ = ["figure"]


def figure(width: float, height: float) -> Any:
    """A matplotlib Figure of this size in inches. It is no pyplot's: no window opens, and no state is left behind."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("Plots need matplotlib, which is not installed: pip install matplotlib") from None

    class Shown(Figure):
        def _repr_png_(self) -> bytes:
            file = io.BytesIO()
            self.savefig(file, format="png")
            return file.getvalue()

    return Shown(figsize=(width, height), layout="constrained")
