"""What an operation does besides computing: whether it is recorded, and whether it is watched for NaN and inf.

Every thread has modes of its own.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast, overload

import numpy as np

__all__ = ["detect_anomaly", "enable_grad", "is_grad_enabled", "no_grad"]

Function = TypeVar("Function", bound=Callable[..., Any])
Self = TypeVar("Self", bound="Mode")


class Modes(threading.local):
    """The modes of one thread."""

    def __init__(self) -> None:
        self.recording, self.anomaly = True, False
        self.entered: list[Any] = []  # for each mode entered and not yet left: a mark, what puts it back, to what


modes = Modes()
active: dict[int, None] = {}  # the threads inside a mode: while there is none, an operation need not ask for its own


def count() -> None:
    """Count this thread among those that are inside a mode, or no longer."""
    if modes.entered:
        active[threading.get_ident()] = None
    else:
        active.pop(threading.get_ident(), None)


class Named(type):
    """What modes are classes of: `with no_grad:`, without the parentheses, is told so."""

    def __enter__(cls) -> None:
        raise TypeError(f"`with {cls.__name__}:` lacks its parentheses. Write `with {cls.__name__}():`.")

    def __exit__(cls, *exception: object) -> None:
        """Never reached: Python asks for it before it enters."""


class Guard:
    """Puts back what an entry says when the mode is dropped, as an interrupt came just before its `__exit__` began.

    Python loses an interrupt that falls into a `__del__`. So that the usual way has none, the guard is `Left` then.
    """

    __slots__ = ("entry",)

    def __init__(self, entry: Any) -> None:
        self.entry = entry

    def __del__(self) -> None:
        if hasattr(self, "entry"):
            leave(self.entry)


class Left:
    """What becomes of the guard of a mode that was left."""

    __slots__ = ("entry",)


def leave(entry: Any) -> None:
    """Put back what was before; a second time, this changes nothing."""
    while entry in modes.entered:  # first the modes inside whose __exit__ an interrupt has prevented
        _, put, before = modes.entered[-1]
        put(before)
        modes.entered.pop()
    count()


def rehearse(put: Callable[[Any], None], value: Any, deeper: int = 1) -> None:
    """put(value), inside as many calls as when a mode is left: a recursion too deep for that ends here, before it."""
    if deeper:
        rehearse(put, value, deeper - 1)
    else:
        put(value)


# which functions only return what runs their body later
later = inspect.isgeneratorfunction, inspect.iscoroutinefunction, inspect.isasyncgenfunction


class Mode(metaclass=Named):
    """A context manager and decorator that sets one mode and, whatever happens, puts the old one back.

    Ctrl-C may come at any call, even while a mode is being set or put back, hence the care taken here.
    """

    mode: str
    value: Any
    previous: list[Any]  # the guards of what it has to put back, innermost last: one instance may be entered twice

    @overload
    def __new__(cls: type[Self]) -> Self: ...
    @overload
    def __new__(cls: type[Self], function: Function) -> Function: ...  # type: ignore[misc]  # @no_grad, without ()
    def __new__(cls, function: Any = None) -> Any:
        mode = super().__new__(cls)
        mode.previous = []
        return mode if function is None else mode(function)  # @no_grad and @no_grad() are both right

    def __enter__(self) -> None:
        entry = object(), self.put, self.now()
        rehearse(*entry[1:])
        self.previous.append(Guard(entry))
        try:
            modes.entered.append(entry)
            self.put(self.value)
            count()
        except BaseException:
            self.__exit__()  # nobody else will: the block is not entered
            raise

    def __exit__(self, *exception: object) -> None:
        guard = self.previous[-1]
        try:
            leave(guard.entry)
        except BaseException:
            leave(guard.entry)
            raise
        finally:
            guard.__class__ = Left
            self.previous.pop()

    @classmethod
    def now(cls) -> Any:
        """The mode as it is."""
        return getattr(modes, cls.mode)

    @classmethod
    def put(cls, value: Any) -> None:
        """Set the mode."""
        setattr(modes, cls.mode, value)

    def __call__(self, function: Function) -> Function:
        name = type(self).__name__
        if not callable(function):
            raise TypeError(f"{name} decorates a function, or stands in `with {name}():`; {function!r} is neither.")
        if any(is_kind(function) for is_kind in later):
            raise TypeError(
                f"@{name} cannot decorate a generator or an async function, whose body runs later; write "
                f"`with {name}():` inside it."
            )

        @functools.wraps(function)
        def in_mode(*args: Any, **kwargs: Any) -> Any:
            with type(self)():
                return function(*args, **kwargs)

        return cast(Function, in_mode)


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

    value = True, {"all": "ignore"}  # what NumPy would only warn about, we raise

    @classmethod
    def now(cls) -> Any:
        return modes.anomaly, np.geterr()

    @classmethod
    def put(cls, value: Any) -> None:
        modes.anomaly, errors = value
        np.seterr(**errors)
