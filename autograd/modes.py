"""What an operation does besides computing: whether it is recorded, and whether it is watched for NaN and inf.

Every thread has modes of its own.
"""

from __future__ import annotations

import functools
import inspect
import linecache
import sys
import threading
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["detect_anomaly", "enable_grad", "is_grad_enabled", "no_grad"]


class Modes(threading.local):
    """The modes of one thread; the class attributes are what a new thread starts with."""

    recording = True
    anomaly = False


modes = Modes()
active = 0  # how many modes are switched on, in all threads: while it is 0, an operation need not ask for its thread's
counting = threading.Lock()


def count(change: int) -> None:
    """Change `active`, whatever other threads are doing."""
    global active
    with counting:
        active += change


class Named(type):
    """What modes are classes of: `with no_grad:`, without the parentheses, is told so."""

    def __enter__(cls) -> None:
        raise TypeError(f"`with {cls.__name__}:` lacks its parentheses. Write `with {cls.__name__}():`.")

    def __exit__(cls, *exception: object) -> None:
        """Never reached: Python asks for it before it enters."""


class Mode(metaclass=Named):
    """A context manager and decorator that sets one mode and, whatever happens inside, puts the old one back."""

    mode: str
    value: bool

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        mode = super().__new__(cls)
        mode.previous, mode.numpys = [], []
        return mode if function is None else mode(function)  # @no_grad and @no_grad() are both right

    previous: list[bool]  # the modes to put back, innermost last: one instance may be entered twice
    numpys: list[Any]  # likewise NumPy's error settings

    def __enter__(self) -> None:
        self.previous.append(getattr(modes, self.mode))
        setattr(modes, self.mode, self.value)
        count(1)

    def __exit__(self, *exception: object) -> None:
        setattr(modes, self.mode, self.previous.pop())
        count(-1)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        name = type(self).__name__
        if not callable(function):
            raise TypeError(f"{name} decorates a function, or stands in `with {name}():`; {function!r} is neither.")
        if inspect.isgeneratorfunction(function):
            raise TypeError(
                f"@{name} cannot decorate a generator, whose body runs later; write `with {name}():` inside it."
            )

        @functools.wraps(function)
        def in_mode(*args: Any, **kwargs: Any) -> Any:
            with type(self)():
                return function(*args, **kwargs)

        return in_mode


class no_grad(Mode):
    """Inside, operations are not recorded: their results have no history and no gradient.

    >>> from autograd import Tensor, no_grad
    >>> w = Tensor(3.0, requires_grad=True)
    >>> with no_grad():
    ...     (w * 2).requires_grad
    False
    """

    mode, value = "recording", False


class enable_grad(Mode):
    """Inside, operations are recorded, even within `no_grad`."""

    mode, value = "recording", True


def is_grad_enabled() -> bool:
    """Whether operations of this thread are being recorded."""
    return modes.recording


class detect_anomaly(Mode):
    """Inside, the first operation whose value or gradient turns NaN or infinite raises, and names the line it is from.

    Each recorded operation also remembers its source line and a checksum of its inputs, so that a backward pass over
    an array that has been edited since is refused. This makes everything several times slower: for debugging only.

    >>> import numpy as np
    >>> from autograd import Tensor, detect_anomaly
    >>> with detect_anomaly():
    ...     np.log(Tensor(-1.0, requires_grad=True))
    Traceback (most recent call last):
    FloatingPointError: log of shape () produced nan.
    ...
    """

    mode, value = "anomaly", True

    def __enter__(self) -> None:
        super().__enter__()
        self.numpys.append(np.seterr(all="ignore"))  # what NumPy would only warn about, we raise

    def __exit__(self, *exception: object) -> None:
        np.seterr(**self.numpys.pop())
        super().__exit__(*exception)


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


def describe(node: Any) -> str:
    """' written in FILE, line N: SOURCE', if node was recorded under detect_anomaly."""
    if not node.line:
        return ""
    (file, number), _ = node.line
    source = linecache.getline(file, number).strip()
    return f"\n  It was computed in {file}, line {number}" + (f":\n    {source}" if source else ".")


def watch(node: Any) -> None:
    """Remember where node was made; raise if its value is NaN or infinite."""
    node.line = users_line(), checksums((node.data, node.values, node.extra))
    refuse_nonfinite(node, node.data, "produced")


def refuse_nonfinite(node: Any, array: Any, verb: str) -> None:
    if not np.isfinite(array).all():
        what = "nan" if np.isnan(array).any() else "inf"
        shapes = ", ".join(str(np.shape(v)) for v in node.values)
        raise FloatingPointError(
            f"{node.op.name} of shape {np.shape(node.data)} {verb} {what}. Its arguments have shapes {shapes}."
            + describe(node)
        )


def refuse_edited(node: Any) -> None:
    """Raise if an array that node computed with has been edited since."""
    if node.line and checksums((node.data, node.values, node.extra)) != node.line[1]:
        raise RuntimeError(
            f"An array that {node.op.name} used was changed after it was recorded, so its gradient would be wrong. "
            f"Work on a copy, x = x.copy(), or change it after backward().{describe(node)}"
        )
