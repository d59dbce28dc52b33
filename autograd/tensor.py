"""A value that remembers where it came from.

A `Tensor` holds an array. Calling an operation on Tensors gives a Tensor that keeps the operation and its inputs: that
is the graph. What operations are stands in `operations.py`, their derivatives in `derivatives.py`.
"""

from __future__ import annotations

import itertools
import operator
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from . import modes as mode
from .advice import add_absent, described, remedies
from .anomaly import watch
from .modes import modes

if TYPE_CHECKING:
    from .operations import Op

__all__ = ["Hook", "Tensor", "at_once", "get_default_dtype", "set_array", "set_default_dtype", "set_grad", "stamp"]

numbers = (float, int, bool)
arrays = (np.ndarray, np.generic)


# ---- settings and marks -------------------------------------------------------------------------------------------

default_dtype = np.dtype(np.float64)


def set_default_dtype(dtype: Any) -> None:
    """Choose the floating dtype that Python numbers become in `Tensor(...)` and that new layers have."""
    global default_dtype
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise TypeError(f"set_default_dtype() takes a floating dtype such as np.float32, not {dtype}.")
    default_dtype = dtype


def get_default_dtype() -> np.dtype[Any]:
    """The dtype that Python numbers become in `Tensor(...)`: float64 unless `set_default_dtype` was called."""
    return default_dtype


# Memory that one step frees the next one wants again. But glibc hands it back to the system, to be fetched anew page by
# page, which takes longer than computing with it. After a block of nearly 32 MB has been freed, glibc keeps up to twice
# as much (mallopt(3), the dynamic M_MMAP_THRESHOLD), unless a MALLOC_ variable is set.
np.empty((32 << 20) - (64 << 10), np.uint8)

clock = itertools.count(1)
tick = clock.__next__  # the time: one more whenever anything is recorded or changed in place
changes = deque([0], maxlen=1)  # when anything was last changed in place


def stamp(*tensors: Tensor) -> None:
    """Mark tensors as changed in place: a graph recorded before now would give wrong gradients, and refuses to."""
    # One call in C: no other thread and no signal's handler comes in between, so that the time noted never goes back.
    changes.extend(itertools.islice(clock, 1))  # a lock takes twice as long
    now = changes[0]
    for tensor in tensors:
        tensor.tick = now


def make_writable(*tensors: Tensor) -> None:
    """Give those of the tensors whose values are read-only a copy of them."""
    for tensor in tensors:
        if not tensor.array.flags.writeable:
            tensor.array = np.array(tensor.array)


at_once = deque[Any](maxlen=0).extend  # at_once(map(f, ...)), with an f in C: no Ctrl-C comes before all is done


no_complex = "complex numbers are not supported; keep the real and the imaginary part in two real Tensors."
only_floats = "Only floating point numbers have derivatives; use t.data for anything else."
in_place_remedy = (
    "Inside `with autograd.no_grad():` it would change the values themselves, as an optimizer does; "
    "to compute with them write a new name, y = x + 1."
)


class Tensor:
    """An array that can be differentiated with respect to.

    data            what `np.asarray` takes; copied if requires_grad, so that learning never edits the caller's array
    requires_grad   whether gradients are wanted for it; integers and booleans then become the default float
    dtype           NumPy's choice unless given; Python numbers become `get_default_dtype()`
    name            the label in pictures and in `repr`

    >>> from autograd import Tensor
    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    array([2., 4.])
    """

    __slots__ = (
        "array", "grad", "tracked",        # the value, which `data` reads; its gradient, whether one is wanted
        "op", "inputs",                    # where it came from: op(*inputs); None and () for a leaf
        "values", "extra", "needs",        # what rules are called with: arrays, (metadata, saved); inputs to send to
        "tick", "hooks", "made_by",        # when it was recorded or changed; who waits for its gradient; module calls
        "name", "line",                    # its label; the source line of the user's that made it
        "__weakref__",
    )  # fmt: skip

    array: Any
    grad: Any
    tracked: bool
    op: Op | None
    inputs: tuple[Any, ...]
    values: tuple[Any, ...]
    extra: tuple[dict[str, Any], Any] | None
    needs: tuple[int, ...]
    tick: int
    hooks: dict[Any, Callable[..., Any]] | None
    name: str | None
    made_by: Any
    line: Any

    if TYPE_CHECKING:  # what operators.py, the table of derivatives and backward.py give to the class

        def __add__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def __lt__(self, other: Any) -> Any: ...
        def __getattr__(self, name: str) -> Any: ...
        def backward(self, gradient: Any = None, retain_graph: bool = True) -> None: ...

        __sub__ = __mul__ = __truediv__ = __pow__ = __matmul__ = __floordiv__ = __mod__ = __add__
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rpow__ = __rmatmul__ = __rfloordiv__ = __rmod__ = __add__
        __pos__ = __abs__ = __neg__
        __le__ = __gt__ = __ge__ = __lt__

    def __init__(self, data: Any, requires_grad: bool = False, *, dtype: Any = None, name: str | None = None) -> None:
        if not isinstance(requires_grad, (bool, np.bool_)):
            raise TypeError(
                f"Tensor(data, requires_grad) takes True or False there, not {short(requires_grad)}. A dtype is given "
                "by its name: Tensor(data, dtype=np.float32)."
            )
        if isinstance(data, Tensor) and not data.tracked:
            data = data.array
        try:
            array = np.asarray(data, dtype)
        except ValueError as error:
            if not isinstance(data, (list, tuple)) or dtype is not None:
                raise
            raise ValueError(
                "Tensor() takes lists of equal lengths, the rows of a regular array, but these are of different "
                f"lengths (NumPy calls their shape inhomogeneous): {short(data)}. Pad the short ones, or keep a list "
                "of Tensors."
            ) from error
        if array.dtype.kind not in "fiub":
            raise TypeError(f"Tensor() takes real numbers, but this is {described(data)}: " + (
                no_complex if array.dtype.kind == "c" else "convert it to floats first."))  # fmt: skip
        if dtype is None and not isinstance(data, arrays) and array.dtype == np.float64:
            array = array.astype(default_dtype, copy=False)
        if requires_grad:
            if array.dtype.kind != "f" and dtype is not None:
                raise TypeError(f"A Tensor of {array.dtype} cannot require grad. {only_floats}")
            array = np.array(array, array.dtype if array.dtype.kind == "f" else default_dtype)
        self.array, self.grad, self.tracked = array, None, bool(requires_grad)
        self.hooks = self.made_by = None
        self.op, self.inputs, self.values, self.needs, self.extra = None, (), (), (), None
        self.tick, self.name, self.line = 0, name, None

    # ---- looking

    @property
    def data(self) -> Any:
        """The values: an array, or NumPy's number where an operation gave one. Assigning others to a leaf marks it as
        changed, so that a graph with the old ones refuses backward; editing the array itself does not."""
        return self.array

    @data.setter
    def data(self, value: Any) -> None:
        if self.op is not None:
            raise RuntimeError(
                f"t.data = v on the result of {self.op.name}: gradients would be those of other values. Assign to the "
                "leaves that it was computed from, or make a new leaf, Tensor(v, requires_grad=True)."
            )
        array = Tensor(value.array if isinstance(value, Tensor) else value).array
        if self.tracked and array.dtype.kind != "f":
            raise TypeError(
                f"A {type(self).__name__} that requires grad holds floating point numbers, not {array.dtype}: "
                "p.data = x.astype(float)."
            )
        self.array = array
        stamp(self)

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient is computed for this tensor."""
        return self.tracked

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self.op is not None and not value:
            raise RuntimeError(
                "Only a leaf can stop requiring grad; t.detach() gives this one's value without history."
            )
        if value and not self.tracked:
            if self.array.dtype.kind != "f":
                raise TypeError(f"A Tensor of {self.data.dtype} cannot require grad. {only_floats}")
            self.array = np.array(self.array)  # its own, as in Tensor(data, requires_grad=True)
        self.tracked = bool(value)

    is_leaf = property(lambda self: self.op is None, doc="Whether it was made by hand, not by an operation.")
    shape = property(operator.attrgetter("array.shape"), doc="The length of each axis.")
    ndim = property(operator.attrgetter("array.ndim"), doc="The number of axes.")
    size = property(operator.attrgetter("array.size"), doc="The number of elements.")
    dtype = property(operator.attrgetter("array.dtype"), doc="NumPy's type of the elements.")
    T = property(lambda self: np.transpose(self), doc="All axes reversed.")

    def __repr__(self) -> str:
        text = np.array2string(np.asarray(self.array), separator=", ", prefix="Tensor(")
        if self.dtype != default_dtype:
            text += f", dtype={self.dtype}"
        if self.name is not None:
            text += f", name={self.name!r}"
        if self.op is not None:
            text += f", op={self.op.name}"
        elif self.tracked:
            text += ", requires_grad=True"
        if self.grad is not None:
            text += ", grad=" + np.array2string(np.asarray(self.grad), separator=", ", prefix="Tensor(")
        return f"Tensor({text})"

    def __format__(self, spec: str) -> str:
        if spec and self.size != 1:
            raise TypeError(
                f"Only a Tensor of one element is formatted by {spec!r}, but this has shape {self.shape}. Format one "
                "number of it, such as t.mean(), or leave the format away."
            )
        return format(self.item(), spec) if spec else repr(self)

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a Tensor of shape (): it is a single number, which has no length.")
        return len(self.array)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("A Tensor of shape () cannot be iterated over: it is a single number.")
        return (self[i] for i in range(len(self.array)))

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(self == value))

    def __bool__(self) -> bool:
        if self.size > 1:
            raise ValueError(
                f"Whether a Tensor of shape {self.shape} is true is ambiguous, as each element may be or not. Write "
                "(t > 0).any() or (t > 0).all(); to choose element by element, np.where(t > 0, a, b)."
            )
        return bool(self.array)

    def __index__(self) -> int:
        return operator.index(self.array)

    def __float__(self) -> float:
        return self.number(float)

    def __int__(self) -> int:
        return self.number(int)

    def number(self, kind: Callable[[Any], Any]) -> Any:
        """The only element, with a warning that its gradient ends here."""
        if self.ndim:
            raise TypeError(
                f"{kind.__name__}(), as functions of `math` call it, takes a Tensor of shape (), a single number, but "
                f"this has shape {self.shape}. "
                + (
                    "Write t.item()."
                    if self.size == 1
                    else "NumPy's functions (np.exp, not math.exp) take all elements."
                )
            )
        if self.tracked and modes.recording:
            warnings.warn(
                f"{kind.__name__}() of a Tensor that requires grad: the gradient ends here, and so it does in functions"
                " of `math`. Use NumPy's functions (np.exp, not math.exp), or t.item() to take the number on purpose.",
                stacklevel=3,
            )
        return kind(self.array)

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self.size != 1:
            raise ValueError(f"item() is for a Tensor of one element, but this has shape {self.shape}; use t.data.")
        return self.array.item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self.array.tolist()

    def numpy(self) -> Any:
        """The array. Refused where the gradient would be lost: say `t.detach().numpy()`, or simply `t.data`."""
        return self.__array__()

    def detach(self) -> Tensor:
        """A leaf with a copy of the data and no history, which does not require grad."""
        leaf = constant(np.array(self.array))  # shared, an edit of it would change self without a mark
        leaf.name = self.name
        return leaf

    def zero_grad(self) -> None:
        """Forget the gradient: `grad` is None again."""
        self.grad = None

    def register_hook(self, hook: Callable[[Any], Any]) -> Hook:
        """Call hook(gradient) in every backward pass once this gradient is complete; what it returns, if not None, is
        used instead. `remove()` of the result takes the hook away again."""
        if not callable(hook):
            raise TypeError(f"register_hook() takes a function of the gradient, not {hook!r}.")
        if not self.tracked:
            raise RuntimeError("register_hook() on a Tensor that does not require grad: it would never be called.")
        if self.hooks is None:
            self.hooks = {}
        return Hook(self.hooks, hook)

    def reshape(self: Any, *shape: Any) -> Any:
        """np.reshape(self, shape), with the lengths in a tuple or one by one."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self: Any, *axes: Any) -> Any:
        """np.transpose(self, axes), with the axes in a tuple, one by one, or left out to reverse them all."""
        if len(axes) == 2 and self.ndim != 2:
            raise ValueError(
                f"transpose{axes} gives 2 axes, but the Tensor has shape {self.shape}: all its axes in a new order are "
                f"expected, as in NumPy. To swap two, as in PyTorch, write np.swapaxes(t, {axes[0]}, {axes[1]})."
            )
        if axes in ((0, 1), (-2, -1)):
            warnings.warn(
                f"transpose{axes} leaves the axes as they are, as in NumPy. To swap them, as in PyTorch, write t.T.",
                stacklevel=2,
            )
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    def flatten(self) -> Tensor:
        """np.ravel(self): all elements on one axis."""
        return self.ravel()

    # ---- copying: by value, and never quietly out of a graph

    def __reduce__(self) -> tuple[Any, ...]:
        if self.op is not None:
            raise TypeError(
                "Only leaves can be copied or pickled, not a graph; use t.detach(), or t.copy() to stay in it. To plot "
                "its values, which copies them, write plt.plot(t.data)."
            )
        grad = None if self.grad is None else np.copy(self.grad)
        cls = Tensor if isinstance(self, Node) else type(self)
        return restore, (cls, np.array(self.array), self.tracked, self.name, grad)

    def __copy__(self) -> Tensor:
        function, args = self.__reduce__()
        return function(*args)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        return self.__copy__()

    __hash__ = object.__hash__  # by identity, though == compares elements

    # ---- NumPy's way in

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self.tracked:
            raise TypeError(
                "A Tensor that requires grad does not turn into an array, as its gradient would be lost. Use NumPy's "
                "functions on it directly, np.stack([...]) for a list of Tensors, t.detach() or t.data for its values."
            )
        array = np.asarray(self.array, dtype)
        return array.copy() if copy else array

    def __setitem__(self, index: Any, value: Any) -> None:
        tracked = self.tracked or isinstance(value, Tensor) and value.tracked
        if self.op is not None or tracked and modes.recording:
            raise RuntimeError(
                "x[i] = v on a Tensor in a graph would lose what its gradient needs. Build the result instead: "
                f"np.where(mask, v, x), np.concatenate or np.stack. {in_place_remedy}"
            )
        if isinstance(self, Node) and isinstance(self.array, np.ndarray) and self.array.base is not None:
            raise RuntimeError(
                "This Tensor may be a view of another one's values, which x[i] = v would change without a mark. Write "
                "into that one, or into a copy: x = x.copy()."
            )
        if not isinstance(self.array, np.ndarray):  # a number, which an operation gave
            self.array = np.array(self.array)
        self.array[untracked(index, None)] = untracked(value, None)
        stamp(self)


class Node(Tensor):
    """A Tensor that an operation made. It differs in one thing: it comes into being without a call of `__init__`, which
    would be a third of the cost of an operation."""

    __slots__ = ()
    __init__ = object.__init__  # type: ignore[assignment]


Node.__name__ = Node.__qualname__ = "Tensor"  # what Python's own error messages call it: nobody asked for a Node


def set_name(tensor: Tensor, name: str | None) -> None:
    """Set the label, which pictures show and which therefore is text."""
    if name is not None and not isinstance(name, str):
        raise TypeError(f"A Tensor's name is a text such as 'w', not {short(name)}.")
    name_slot.__set__(tensor, name)


def none_if_unset(slot: Any, put: Callable[[Any, Any], None]) -> property:
    """A slot that reads None where it was never set: most tensors are numbers in passing, and need no name."""

    def read(self: Tensor) -> Any:
        try:
            return slot.__get__(self)
        except AttributeError:
            return None

    return property(read, put)


# set_array(tensor, values), set_grad(tensor, gradient): for at_once, and in half the time of setattr
set_array, set_grad = vars(Tensor)["array"].__set__, vars(Tensor)["grad"].__set__

name_slot, line_slot = vars(Tensor)["name"], vars(Tensor)["line"]
for slot, put in ((name_slot, set_name), (line_slot, line_slot.__set__)):
    setattr(Tensor, slot.__name__, none_if_unset(slot, put))
add_absent(Tensor, remedies())


def restore(cls: type[Tensor], data: Any, tracked: bool, name: str | None, grad: Any) -> Tensor:
    """The leaf that was copied or pickled."""
    leaf = cls.__new__(cls)
    Tensor.__init__(leaf, data, tracked, name=name)
    leaf.grad = grad
    return leaf


class Hook:
    """A function waiting among others, until `remove()`."""

    def __init__(self, hooks: dict[Any, Callable[..., Any]], function: Callable[..., Any]) -> None:
        self.hooks, self.key = hooks, object()  # not itself the key: that would be a reference cycle
        hooks[self.key] = function

    def remove(self) -> None:
        """Take the function away; a second time does nothing."""
        self.hooks.pop(self.key, None)


# ---- making them --------------------------------------------------------------------------------------------------


def record(op: Op, data: Any, inputs: Any, values: Any, needs: Any, extra: Any = None) -> Tensor:
    """The node of the graph that says: data = op(*inputs)."""
    node = Node()
    node.array, node.grad, node.tracked = data, None, True
    node.hooks = node.made_by = None
    node.op, node.inputs, node.values = op, inputs, values
    node.needs, node.extra, node.tick = needs, extra, tick()
    if mode.active and modes.anomaly:
        watch(node)
    return node


def constant(data: Any) -> Tensor:
    """A Tensor without history."""
    leaf = Node()
    leaf.array, leaf.grad, leaf.tracked = data, None, False
    leaf.hooks = leaf.made_by = None
    leaf.op, leaf.inputs, leaf.values, leaf.needs, leaf.extra = None, (), (), (), None
    leaf.tick = 0
    return leaf


def has_tensor(args: Any) -> bool:
    """Whether a Tensor is among args, or in a list or tuple among them."""
    return any(isinstance(x, Tensor) or isinstance(x, (list, tuple)) and has_tensor(x) for x in args)


def short(x: Any) -> str:
    """x as Python shows it, but not more than a line of it."""
    text = repr(x)
    return text if len(text) <= 60 else text[:57] + "..."


def untracked(x: Any, function: Any) -> Any:
    """x with the data of every Tensor in it; with a function to name, one that requires grad is refused."""
    if isinstance(x, Tensor):
        if x.tracked and function is not None:
            raise TypeError(unknown(function))
        return x.array
    if isinstance(x, (list, tuple)):
        items = [untracked(y, function) for y in x]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    return {k: untracked(v, function) for k, v in x.items()} if isinstance(x, dict) else x


def unknown(function: Any) -> str:
    """What to say of a function that has no derivative."""
    name = getattr(function, "__name__", str(function))
    module = getattr(function, "__module__", None) or ("numpy" if getattr(np, name, None) is function else "")
    path = f"{module}.{name}".lstrip(".").replace("numpy.", "np.", 1)
    return (
        f"{path} has no derivative rule. Give it one: autograd.op({path}, lambda g, y, x: ..., at=[call((5,))]); "
        f"or leave the graph on purpose: {path}(t.data)."
    )
