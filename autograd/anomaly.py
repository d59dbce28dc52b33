"""What `detect_anomaly` turns on: operations remember where they were written, and are watched for NaN and inf."""

from __future__ import annotations

import linecache
import sys
import zlib
from typing import Any

import numpy as np

__all__ = ["describe", "nonfinite", "refuse_edited", "refuse_nonfinite", "watch"]


def users_line() -> tuple[str, int]:
    """File and line of the innermost caller outside autograd and nn: the line the user wrote."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in ("autograd", "nn"):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def checksums(values: tuple[Any, ...]) -> list[int]:
    """One number for each array among values or in a container there, which changes when the array is edited."""
    found = []
    for v in values:
        if isinstance(v, np.ndarray):
            found.append(zlib.crc32(np.ascontiguousarray(v).view(np.uint8).data))
        elif isinstance(v, (tuple, list, dict)):
            found += checksums(tuple(v.values() if isinstance(v, dict) else v))
    return found


def contents(node: Any) -> list[list[int]]:
    """The checksums of each argument of node, of its result, and of what it keeps beside."""
    return [checksums((part,)) for part in (*node.values, node.array, node.extra)]


def describe(node: Any) -> str:
    """'It was computed in FILE, line N: SOURCE', on lines of their own, if node was recorded under detect_anomaly."""
    if not node.line:
        return ""
    (file, number), _ = node.line
    # for "<string>" Python 3.13 gives the source of `python -c`, but code of exec() has that name too
    source = "" if file == "<string>" else linecache.getline(file, number).strip()
    return f"\n  It was computed in {file}, line {number}" + (f":\n    {source}" if source else ".")


def watch(node: Any) -> None:
    """Remember where node was made; raise if its value is NaN or infinite."""
    node.line = users_line(), contents(node)
    refuse_nonfinite(node, node.array, "produced")


def nonfinite(array: Any) -> str:
    """'nan' or 'inf', if that is in array."""
    return "" if np.isfinite(array).all() else "nan" if np.isnan(array).any() else "inf"


def refuse_nonfinite(node: Any, array: Any, verb: str) -> None:
    """Raise if an array that node, as the verb says, produced or sent back, is NaN or infinite somewhere."""
    if what := nonfinite(array):
        shapes = ", ".join(str(np.shape(v)) for v in node.values)
        raise FloatingPointError(
            f"{node.op.name} of shape {np.shape(node.data)} {verb} {what}. Its arguments have shapes {shapes}."
            + describe(node)
        )


def refuse_edited(node: Any) -> None:
    """Raise if an array that node computed with has been edited since."""
    for i, (now, then) in enumerate(zip(contents(node), node.line[1])) if node.line else ():
        if now != then:
            raise RuntimeError(
                f"An array that {node.op.name} used was changed after it was recorded: {part(node, i)}. The gradient "
                f"would be wrong. Work on a copy, x = x.copy(), or change it after backward().{describe(node)}"
            )


def part(node: Any, i: int) -> str:
    """What contents(node)[i] is of."""
    if i < len(node.values):
        label = getattr(node.inputs[i], "name", None)
        return f"its argument {i}, {f'{label!r}, ' if label else ''}of shape {np.shape(node.values[i])}"
    return "its own result" if i == len(node.values) else "an index, or what else stands beside its arguments"
