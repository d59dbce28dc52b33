"""Numbers and names as short text: what a node can say in the room it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["cut", "exact", "grid", "number", "shape", "spread"]


def number(x: Any, digits: int = 4) -> str:
    """One number in `digits` significant ones, scientific when small or large; whole numbers of integer type whole.

    >>> [number(x) for x in (0.675, -3.91, 1.2e-5, 0.0, float("nan"), 7)]
    ['0.6750', '-3.910', '1.200e-5', '0', 'nan', '7']
    """
    if isinstance(x, (bool, np.bool_, int, np.integer)):
        return str(x)
    x = float(x)
    if x == 0 or not np.isfinite(x):
        return f"{x:g}".removeprefix("-") if x == 0 else f"{x:g}"
    written = f"{x:#.{digits}g}" if abs(x) >= 1e-3 else f"{x:.{digits - 1}e}"
    mantissa, _, exponent = written.partition("e")
    return mantissa.removesuffix(".") + (f"e{int(exponent)}" if exponent else "")


def grid(array: Any, most: int = 4) -> list[str] | None:
    """The rows of a matrix of at most 4 x 4 (or whatever `most` is) as aligned text; None of a larger one."""
    if array.ndim > 2 or array.size == 0 or max(array.shape, default=1) > most:
        return None
    rows = [[number(x) for x in row] for row in np.atleast_2d(array)]
    columns = [aligned(column) for column in zip(*rows)]
    return ["  ".join(row).rstrip() for row in zip(*columns)]


def aligned(texts: Sequence[str]) -> list[str]:
    """Numbers of one column under each other, the decimal points too."""
    before = [len(text.partition(".")[0]) for text in texts]
    shifted = [" " * (max(before) - n) + text for n, text in zip(before, texts)]
    return [text.ljust(max(map(len, shifted))) for text in shifted]


def spread(array: Any, digits: int = 4) -> list[str]:
    """An array in three lines: its extremes, mean and standard deviation, and how much of it is not finite."""
    array = np.asarray(array)
    finite = array[np.isfinite(array)]
    counts = {"nan": int(np.isnan(array).sum()), "inf": int(np.isinf(array).sum())}
    lost = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    if not finite.size:
        return [lost or "empty"]
    low, high = finite.min(), finite.max()
    if low == high:
        lines = [f"all {number(low, digits)}"]
    else:
        with np.errstate(all="ignore"):
            mean, std = finite.mean(dtype=np.float64), finite.std(dtype=np.float64)
        lines = [
            f"{number(low, digits)} .. {number(high, digits)}",
            f"{number(mean, digits)} \u00b1 {number(std, digits)}",
        ]
    return lines + [lost] * bool(lost)


def exact(array: Any) -> str:
    """All digits; of a large array the first and last rows."""
    array = np.asarray(array)
    if array.ndim == 0:
        return repr(array.item())
    return np.array2string(array, separator=", ", threshold=64, edgeitems=2, floatmode="unique", max_line_width=100)


def shape(array: Any) -> str:
    """Shape and dtype: '(4, 2) float64', or 'float64' of a single number."""
    return f"{array.shape} {array.dtype}" if array.ndim else str(array.dtype)


def cut(name: str, most: int = 28) -> str:
    """A name in at most so many characters, with its end, which tells more than its middle; on one line.

    >>> cut("network.encoder.blocks.11.attention.weight")
    'network.e\u20261.attention.weight'
    """
    name = "".join(c if c.isprintable() else "\ufffd" for c in " ".join(name.split()))
    if len(name) <= most:
        return name
    start = most // 3
    return f"{name[:start]}\u2026{name[start + 1 - most :]}"
