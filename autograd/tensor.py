"""A value that remembers where it came from, and NumPy's way in.

A `Tensor` holds an array. An `Op` is a function of arrays together with its derivatives. Calling an Op on Tensors gives
a Tensor that keeps the Op and its inputs: that is the graph. Nothing else here; the derivatives stand in
`derivatives.py` and are used in `backward.py`.
"""

from __future__ import annotations

import functools
import inspect
import operator
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from . import modes as mode
from .modes import modes, watch

__all__ = ["Op", "Tensor", "call", "composed", "get_default_dtype", "op", "set_default_dtype", "stamp"]

new = object.__new__
numbers = (float, int, bool)
arrays = (np.ndarray, np.generic)
no_value = np._NoValue  # type: ignore[attr-defined]  # NumPy's "not given", which its signatures show as a default


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


clock = 0  # how many times anything has been changed in place
ticking = threading.Lock()


def stamp(*tensors: Tensor) -> None:
    """Mark tensors as changed in place: a graph recorded before now would give wrong gradients, and refuses to."""
    global clock
    with ticking:  # a lost tick would make another thread's fresh graph look stale
        clock += 1
        for tensor in tensors:
            tensor.tick = clock


# ---- operations ---------------------------------------------------------------------------------------------------

table: dict[Any, Callable[..., Any]] = {}  # NumPy's function, or ours: what to call when a Tensor is among the arguments
structural: set[Any] = set()  # functions with plain results (shape, argmax, comparisons): run on the data


class call:
    """A sample call for the derivative checks: a tuple of ints is a random array of that shape, a list of them a list.

    >>> call((3, 4), axis=0)
    call((3, 4), axis=0)
    """

    def __init__(self, *args: Any, through: Callable[[Any], Any] | None = None, **kwargs: Any) -> None:
        self.args, self.kwargs, self.through = args, kwargs, through  # through: what makes the first array admissible

    def of(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """function with the keywords filled in, and with its first argument taken through `through`."""
        if self.through is None:
            return functools.partial(function, **self.kwargs)
        through = self.through  # a symmetric matrix, say, cannot be drawn element by element
        return lambda first, *rest: function(through(first), *rest, **self.kwargs)

    def draw(self, rng: np.random.Generator, on: tuple[float, float] = (-2.0, 2.0)) -> list[Any]:
        """The positional arguments, with a random array in the interval `on` in place of each shape."""

        def array(x: Any) -> Any:
            if isinstance(x, list) and all(isinstance(shape, tuple) for shape in x):
                return [array(shape) for shape in x]
            return rng.uniform(*on, size=x) if isinstance(x, tuple) else x

        return [array(x) for x in self.args]

    def __repr__(self) -> str:
        return f"call({', '.join([*map(repr, self.args), *(f'{k}={v!r}' for k, v in self.kwargs.items())])})"


class Op:
    """One operation: a function of arrays, and for each argument the gradient it is sent.

    function   computes the value; with `saves`, it receives what that returned as its first argument
    rules      rule(g, y, *args, **metadata) for each argument, or None where there is no derivative
    each       instead of rules, when the only argument is a list: each(g, y, i, *list, **metadata)
    saves      a pure function of the arguments that function and rules share; rules receive it after y
    symbol     the label in pictures
    samples    the calls on which its derivatives are checked, with arguments drawn from the interval `on`
    """

    __slots__ = ("each", "function", "keywords", "name", "on", "parameters", "partial", "plain", "ready", "rules", "samples", "saves",
                 "symbol", "unary")  # fmt: skip

    def __init__(
        self,
        function: Callable[..., Any],
        rules: tuple[Callable[..., Any] | None, ...],
        each: Callable[..., Any] | None,
        saves: Callable[..., Any] | None,
        symbol: str | None,
        name: str | None,
        on: tuple[float, float],
        at: Sequence[call],
    ) -> None:
        self.function, self.rules, self.each, self.saves = function, rules, each, saves
        self.name = name or function.__name__
        self.symbol, self.on = symbol or self.name, on
        self.samples = list(at) or [call(*[(3, 4)] * len(rules)), call(*[()] * len(rules))]
        if not at and len(rules) == 2:
            self.samples += [call((2, 3, 4), (3, 1)), call((), (2,))]
        self.parameters, self.keywords = self.signature()
        self.plain = saves is None and each is None  # so that without metadata a rule is called with nothing but arrays
        self.partial = None in rules
        self.ready = (*arrays, *numbers) if isinstance(function, np.ufunc) else arrays  # what rules compute with as it is
        self.unary = self.plain and len(rules) == 1 and not self.partial

    def signature(self) -> tuple[list[str], set[str]]:
        """The names of all parameters in the function's own order, and of those that its rules take as metadata."""
        arity = 1 if self.each else len(self.rules)
        skip = 2 + (self.saves is not None) + (self.each is not None) + arity  # g, y, s, i, and the arrays
        keywords: dict[str, Any] = {}
        for rule in filter(None, (*self.rules, self.each)):
            given = list(inspect.signature(rule).parameters.values())
            if len(given) < skip and not any(p.kind is p.VAR_POSITIONAL for p in given):
                raise TypeError(
                    f"A rule of {self.name} is called with {skip} arguments, the gradient, the result, what was saved if "
                    f"anything is, and the arrays, but it takes {len(given)}: lambda g, y, x: ..."
                )
            keywords |= {p.name: p.default for p in given[skip:]}
        try:
            own = inspect.signature(self.function).parameters
        except ValueError:  # a few of NumPy's C functions do not tell
            return [f"argument {i}" for i in range(arity)] + list(keywords), set(keywords)
        for name, default in keywords.items():  # a rule that assumed another default would be silently wrong
            if name not in own:
                raise TypeError(f"A rule of {self.name} takes {name}=, but {self.name} itself does not.")
            if own[name].default not in (no_value, default):
                raise TypeError(f"{self.name} has {name}={own[name].default!r}, but its rule has {name}={default!r}.")
        return list(own)[self.saves is not None :], set(keywords)

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        """Run the function on the data of args; if a gradient could be wanted, remember where the result came from."""
        if self.unary and len(args) == 1 and not kwargs and not mode.active:  # the short way for the commonest case
            x = args[0]
            if isinstance(x, Tensor) and x.tracked:
                a = x.data if x.op is not None or x.data.ndim else x.data[()]
                data = self.function(a)
                if isinstance(data, arrays) and data.dtype.kind == "f":
                    return record(self, data, (x,), (a,), first)
        if kwargs or self.each or len(args) != len(self.rules):
            args, kwargs = self.bind(args, kwargs)
        values, needs = [], []
        for i, x in enumerate(args):
            if isinstance(x, Tensor):
                if x.tracked:
                    needs.append(i)
                x = x.data
            elif not isinstance(x, self.ready):
                x = array_from(x, self, args)
                args = (*args[:i], x, *args[i + 1 :])
            values.append(x)
        saved = None
        if self.saves is not None:
            saved = self.saves(*values, **kwargs)
            data = self.function(saved, *values, **kwargs)
        else:
            data = self.function(values, **kwargs) if self.each else self.function(*values, **kwargs)
        if not isinstance(data, arrays):
            data = np.asarray(data)[()]
        if not needs or mode.active and not modes.recording:
            return constant(data)
        if data.dtype.kind != "f":
            raise TypeError(f"{self.name} gave {data.dtype} from a Tensor that requires grad. {only_floats}")
        for i in needs if self.partial else ():
            if self.rules[i] is None:
                raise TypeError(f"{self.name} has no derivative with respect to argument {i}; pass t.data there.")
        extra = None if self.plain and not kwargs else (kwargs, saved)
        return record(self, data, args, tuple(values), tuple(needs), extra)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arrays as positions and metadata as keywords, whichever way the function was called."""
        arity = 1 if self.each else len(self.rules)
        for name, value in zip(self.parameters[arity:], args[arity:]):
            if name in kwargs:
                raise TypeError(f"{self.name}() got two values for {name!r}.")
            kwargs = {**kwargs, name: value}
        given = list(args[:arity])
        for name in self.parameters[len(given) : arity]:  # arrays given by name
            if name not in kwargs:
                break
            given.append(kwargs[name])
            kwargs = {k: v for k, v in kwargs.items() if k != name}
        kwargs = {k: v for k, v in kwargs.items() if v is not no_value and not (v is None and k in ("out", "dtype"))}
        if kwargs.keys() - self.keywords:
            wrong = ", ".join(f"{name}=" for name in kwargs if name not in self.keywords)
            known = ", ".join(f"{name}=" for name in sorted(self.keywords)) or "no keyword"
            raise TypeError(
                f"{self.name} of a Tensor does not take {wrong}; its derivative knows {known}. "
                "Apply it as an operation of its own (np.where for where=, t.astype for dtype=), or pass t.data."
            )
        if len(given) != arity or len(args) > len(self.parameters):
            expected = ", ".join(self.parameters[:arity])
            raise TypeError(f"{self.name}() takes {arity} array arguments ({expected}), but got {len(args)}.")
        return (tuple(given[0]) if self.each else tuple(given)), kwargs


def record(op: Op, data: Any, inputs: Any, values: Any, needs: Any, extra: Any = None) -> Tensor:
    """The node of the graph that says: data = op(*inputs)."""
    node = Node()
    node.data, node.grad, node.tracked = data, None, True
    node.hooks = node.made_by = None
    node.op, node.inputs, node.values, node.needs, node.extra = op, inputs, values, needs, extra
    node.tick = clock
    if mode.active and modes.anomaly:
        watch(node)
    return node


def constant(data: Any) -> Tensor:
    """A Tensor without history."""
    leaf = Node()
    leaf.data, leaf.grad, leaf.tracked = data, None, False
    leaf.hooks = leaf.made_by = None
    leaf.op, leaf.inputs, leaf.values, leaf.needs, leaf.extra = None, (), (), (), None
    leaf.tick = 0
    return leaf


def op(
    function: Callable[..., Any],
    *rules: Callable[..., Any] | None,
    each: Callable[..., Any] | None = None,
    saves: Callable[..., Any] | None = None,
    symbol: str | None = None,
    name: str | None = None,
    on: tuple[float, float] = (-2.0, 2.0),
    at: Sequence[call] = (),
) -> Callable[..., Any]:
    """Teach the engine an operation: a function of arrays, and beside it the gradient sent to each of its arguments.

    A rule is `lambda g, y, *args, **metadata: formula`, where g is the gradient that arrives and y the result. It is
    written in NumPy notation with operators, registered functions, `.shape`, `.ndim` and indexing, so that it can be
    differentiated in its turn. Broadcasting is undone by the engine. An argument without derivative has None for a rule.

    Returns the function that reaches Tensors: NumPy's own one itself, yours with arrays or Tensors as arguments.

    each    one rule for a function of a list of arrays: lambda g, y, i, *arrays: the gradient sent to arrays[i]
    saves   a pure function of the arguments; function gets its value as first argument, rules get it after y
    on, at  the interval and the calls where `autograd.gradcheck` tries the rules; `at` is required unless the function
            is an elementwise ufunc

    >>> import numpy as np
    >>> from autograd import Tensor, op, call
    >>> cube = op(lambda x: x * x * x, lambda g, y, x: g * 3 * np.square(x), name="cube", at=[call((3,))])
    >>> cube(Tensor(2.0, requires_grad=True)).backward()
    """
    name = name or getattr(function, "__name__", None)
    if not callable(function) or name is None:
        raise TypeError(f"op() takes a function of arrays, and name= if it has no name of its own, not {function!r}.")
    elementwise = isinstance(function, np.ufunc) and function.signature is None
    if not at and not elementwise or not all(isinstance(sample, call) for sample in at):
        raise TypeError(f"op({name}) needs sample calls to check its derivative on, for example at=[call((3, 4))].")
    if bool(rules) == (each is not None) or not all(rule is None or callable(rule) for rule in (*rules, each)):
        raise TypeError(f"op({name}) takes a rule for each array argument, or each= for a list: a rule is a function.")
    entry = Op(function, rules, each, saves, symbol, name, on, at)
    if isinstance(function, np.ufunc) or hasattr(function, "_implementation"):  # Tensors reach it by NumPy's protocols
        table[function] = entry
        add_method(function, entry, at)
        if function in operators:
            add_operators(function, entry, *operators[function])
        return function
    return ours(function, entry, entry)


def ours(function: Callable[..., Any], entry: Callable[..., Any], described: Op) -> Callable[..., Any]:
    """A function of ours that goes to its entry in the table when a Tensor is among its arguments."""

    @functools.wraps(function)
    def public(*args: Any, **kwargs: Any) -> Any:
        for x in args:
            if isinstance(x, Tensor) or isinstance(x, (list, tuple)) and has_tensor(x):
                return entry(*args, **kwargs)
        if kwargs and has_tensor(kwargs.values()):
            return entry(*args, **kwargs)
        return function(described.saves(*args, **kwargs), *args, **kwargs) if described.saves else function(*args, **kwargs)

    public.__name__ = described.name
    if described.saves:
        signature = inspect.signature(function)
        public.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined]
    table[public] = entry
    return public


samples: dict[Any, Any] = {}  # of composed functions: the sample calls and the interval


def composed(*functions: Any, at: Sequence[call], on: tuple[float, float] = (-2.0, 2.0)) -> Callable[..., Any]:
    """Decorator: give NumPy's functions a body made of registered functions, where NumPy composes them too."""

    def register(body: Callable[..., Any]) -> Callable[..., Any]:
        for function in functions:
            table[function] = body
            samples[function] = at, on
            add_method(function, body, at)
        return body

    return register


def add_method(function: Any, entry: Callable[..., Any], at: Sequence[call]) -> None:
    """Let `t.name(...)` be `np.name(t, ...)` where that reads naturally: where the first argument is one array."""
    name = function.__name__
    reads_naturally = not at or at[0].args and isinstance(at[0].args[0], tuple)
    if getattr(np, name, None) is function and reads_naturally and name not in Tensor.__dict__:

        def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
            return entry(self, *args, **kwargs)

        method.__name__, method.__doc__ = name, f"np.{name}(self, ...)"
        setattr(Tensor, name, method)


def has_tensor(args: Any) -> bool:
    """Whether a Tensor is among args, or in a list or tuple among them."""
    return any(isinstance(x, Tensor) or isinstance(x, (list, tuple)) and has_tensor(x) for x in args)


def untracked(x: Any, function: Any) -> Any:
    """x with the data of every Tensor in it; a Tensor that requires grad is refused, as nothing may lose its gradient."""
    if isinstance(x, Tensor):
        if x.tracked and function is not None:
            raise TypeError(unknown(function))
        return x.data
    if isinstance(x, (list, tuple)):
        items = [untracked(y, function) for y in x]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    return {k: untracked(v, function) for k, v in x.items()} if isinstance(x, dict) else x


def array_from(x: Any, op: Op, args: tuple[Any, ...]) -> Any:
    """The array that x stands for, a list or another foreign argument among the args of an operation."""
    if x is None and not isinstance(op.function, np.ufunc):
        return None  # an argument left out, as in np.clip(t, None, 1)
    if isinstance(x, numbers):  # of the dtype that the number would not change
        return np.asarray(x, np.result_type(x, *[a.dtype for a in args if isinstance(a, (Tensor, *arrays))]))
    if isinstance(x, complex):
        raise TypeError(f"{op.name} of a Tensor and a complex number: {no_complex}")
    array = np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{op.name} of a Tensor takes numbers, arrays and lists of them beside it, not {x!r}.")
    return array


def unknown(function: Any) -> str:
    """What to say of a function that has no derivative."""
    name = getattr(function, "__name__", str(function))
    module = getattr(function, "__module__", None) or ("numpy" if getattr(np, name, None) is function else "")
    path = f"{module}.{name}".lstrip(".").replace("numpy.", "np.", 1)
    return (
        f"{path} has no derivative rule. Give it one: autograd.op({path}, lambda g, y, x: ..., at=[call((5,))]); "
        f"or leave the graph on purpose: {path}(t.data)."
    )


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
        "data", "grad", "tracked",         # the value, its gradient, whether one is wanted
        "op", "inputs",                    # where it came from: op(*inputs); None and () for a leaf
        "values", "extra", "needs",        # what the rules are called with: arrays, (metadata, saved); which inputs need one
        "tick", "hooks", "made_by",        # when it was recorded, or changed in place; who waits for its gradient; module calls
        "name", "line",                    # its label; the source line of the user's that made it: unset is None
        "__weakref__",
    )  # fmt: skip

    data: Any
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

    def __getattr__(self, name: str) -> Any:
        if name in ("name", "line"):  # left unset where they are not used: most tensors are numbers in passing
            return None
        raise AttributeError(f"A Tensor has no attribute {name!r}.")

    def __init__(self, data: Any, requires_grad: bool = False, *, dtype: Any = None, name: str | None = None) -> None:
        if isinstance(data, Tensor) and not data.tracked:
            data = data.data
        array = np.asarray(data, dtype)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"Tensor() takes real numbers, but this is {array.dtype}: " + (
                no_complex if array.dtype.kind == "c" else "convert it to an array of floats first."))  # fmt: skip
        if dtype is None and not isinstance(data, arrays) and array.dtype.kind == "f":
            array = array.astype(default_dtype, copy=False)
        if requires_grad:
            if array.dtype.kind != "f" and dtype is not None:
                raise TypeError(f"A Tensor of {array.dtype} cannot require grad. {only_floats}")
            array = np.array(array, array.dtype if array.dtype.kind == "f" else default_dtype)
        self.data, self.grad, self.tracked = array, None, bool(requires_grad)
        self.hooks = self.made_by = None
        self.op, self.inputs, self.values, self.needs, self.extra = None, (), (), (), None
        self.tick = 0
        if name is not None:
            self.name = name

    # ---- looking

    requires_grad: Any = property(lambda self: self.tracked, doc="Whether a gradient is computed for this tensor.")

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self.op is not None and not value:
            raise RuntimeError("Only a leaf can stop requiring grad; t.detach() gives this one's value without history.")
        if value and not self.tracked:
            if self.data.dtype.kind != "f":
                raise TypeError(f"A Tensor of {self.data.dtype} cannot require grad. {only_floats}")
            self.data = np.array(self.data)  # its own, as in Tensor(data, requires_grad=True)
        self.tracked = bool(value)

    is_leaf = property(lambda self: self.op is None, doc="Whether it was made by hand, not by an operation.")
    shape = property(lambda self: self.data.shape, doc="The length of each axis.")
    ndim = property(lambda self: self.data.ndim, doc="The number of axes.")
    size = property(lambda self: self.data.size, doc="The number of elements.")
    dtype = property(lambda self: self.data.dtype, doc="NumPy's type of the elements.")
    T = property(lambda self: np.transpose(self), doc="All axes reversed.")

    def __repr__(self) -> str:
        text = np.array2string(np.asarray(self.data), separator=", ", prefix="Tensor(")
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
        return format(self.item(), spec) if spec and self.size == 1 else format(repr(self), spec)

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a Tensor of shape ().")
        return len(self.data)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("A Tensor of shape () cannot be iterated over.")
        return (self[i] for i in range(len(self.data)))

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(self == value))

    def __bool__(self) -> bool:
        return bool(self.data)

    def __index__(self) -> int:
        return operator.index(self.data if self.data.ndim else self.data[()])

    def __float__(self) -> float:
        self.leaving("float")
        return float(self.data)

    def __int__(self) -> int:
        self.leaving("int")
        return int(self.data)

    def leaving(self, how: str) -> None:
        """Warn that the gradient ends here."""
        if self.tracked and modes.recording:
            warnings.warn(
                f"{how}() of a Tensor that requires grad: the gradient ends here, and so it does in functions of `math`. "
                "Use NumPy's functions (np.exp, not math.exp), or t.item() to take the number on purpose.",
                stacklevel=3,
            )

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self.size != 1:
            raise ValueError(f"item() is for a Tensor of one element, but this has shape {self.shape}; use t.data.")
        return self.data.item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self.data.tolist()

    def numpy(self) -> Any:
        """The array. Refused where the gradient would be lost: say `t.detach().numpy()`, or simply `t.data`."""
        return self.__array__()

    def detach(self) -> Tensor:
        """A leaf with the same data and no history, which does not require grad."""
        leaf = constant(self.data)
        leaf.name = self.name
        return leaf

    def zero_grad(self) -> None:
        """Forget the gradient: `grad` is None again."""
        self.grad = None

    def backward(self, gradient: Any = None, retain_graph: bool = True) -> None:
        """Compute d self / d t for every tensor t that self depends on, and leave it in `t.grad`.

        A leaf's `grad` adds up over several calls, until `zero_grad`; an operation's is that of the last call.
        gradient       d L / d self, of this shape; may be left out for a scalar, where it is 1
        retain_graph   False frees the graph while going, to save memory: operations then keep no gradient
        """
        from .backward import backward

        backward(self, gradient, retain_graph)

    def register_hook(self, hook: Callable[[Any], Any]) -> Hook:
        """Call hook(gradient) in every backward pass once this gradient is complete; what it returns, if not None, is
        used instead. `remove()` of the result takes the hook away again."""
        if not self.tracked:
            raise RuntimeError("register_hook() on a Tensor that does not require grad: it would never be called.")
        if self.hooks is None:
            self.hooks = {}
            self.extra = self.extra or ({}, None)  # which keeps the backward pass off its short way, past the hooks
        return Hook(self.hooks, hook)

    def reshape(self, *shape: Any) -> Tensor:
        """np.reshape(self, shape), with the lengths in a tuple or one by one."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)  # type: ignore[call-overload, no-any-return]

    def transpose(self, *axes: Any) -> Tensor:
        """np.transpose(self, axes), with the axes in a tuple, one by one, or left out to reverse them all."""
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)  # type: ignore[call-overload, no-any-return]

    def flatten(self) -> Tensor:
        """np.ravel(self): all elements on one axis."""
        return self.ravel()

    # ---- copying: by value, and never quietly out of a graph

    def __reduce__(self) -> tuple[Any, ...]:
        if self.op is not None:
            raise TypeError("Only leaves can be copied or pickled, not a graph; use t.detach(), or t.copy() to stay in it.")
        return restore, (type(self), np.array(self.data), self.tracked, self.name, np.copy(self.grad) if self.grad is not None else None)

    def __copy__(self) -> Tensor:
        function, args = self.__reduce__()
        return function(*args)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        memo[id(self)] = copy = self.__copy__()
        return copy

    __hash__ = object.__hash__  # by identity, though == compares elements

    # ---- NumPy's way in

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self.tracked:
            raise TypeError(
                "A Tensor that requires grad does not turn into an array, as its gradient would be lost. Use NumPy's "
                "functions on it directly, np.stack([...]) for a list of Tensors, t.detach() or t.data for the plain values."
            )
        array = np.asarray(self.data, dtype)
        return array.copy() if copy else array

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("out") is not None:
            raise TypeError(
                f"{ufunc.__name__} cannot write a Tensor's result into an existing array (array += tensor, out=): the "
                "gradient would be lost. Write array = array + tensor."
            )
        if method == "__call__":
            return dispatch(ufunc, args, kwargs)
        if method == "reduce" and ufunc in reductions:
            return dispatch(reductions[ufunc], args, {"axis": 0, **kwargs})
        raise TypeError(f"np.{ufunc.__name__}.{method} has no derivative rule; use functions such as np.sum or np.cumsum.")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return dispatch(function, args, kwargs)

    def __setitem__(self, index: Any, value: Any) -> None:
        if self.op is not None or self.tracked and modes.recording or getattr(value, "tracked", False) and modes.recording:
            raise RuntimeError(
                "x[i] = v on a Tensor in a graph would lose what its gradient needs. Build the result instead: "
                f"np.where(mask, v, x), np.concatenate or np.stack. {in_place_remedy}"
            )
        self.data[untracked(index, None)] = untracked(value, None)
        stamp(self)


class Node(Tensor):
    """A Tensor that an operation made. It differs in one thing: it comes into being without a call of `__init__`, which
    would be a third of the cost of an operation."""

    __slots__ = ()
    __init__ = object.__init__  # type: ignore[assignment]


class Hook:
    """A function waiting among others, until `remove()`."""

    def __init__(self, hooks: dict[Any, Callable[..., Any]], function: Callable[..., Any]) -> None:
        self.hooks, self.key = hooks, object()  # not itself the key: that would be a reference cycle
        hooks[self.key] = function

    def remove(self) -> None:
        """Take the function away; a second time does nothing."""
        self.hooks.pop(self.key, None)


def restore(cls: type[Tensor], data: Any, tracked: bool, name: str | None, grad: Any) -> Tensor:
    """The leaf that was copied or pickled."""
    leaf = cls.__new__(cls)
    Tensor.__init__(leaf, data, tracked, name=name)
    leaf.grad = grad
    return leaf


reductions: dict[Any, Any] = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}


def dispatch(function: Any, args: Any, kwargs: Any) -> Any:
    """Run NumPy's function on Tensors: by the table, or on the data where the result is plain, or not at all."""
    entry = table.get(function)
    if entry is not None:
        return entry(*args, **kwargs)
    plain = None if function in structural else function
    return function(*untracked(args, plain), **untracked(kwargs, plain))


# ---- operators: straight to the data, without the detour through NumPy's protocols --------------------------------

operators: dict[Any, Any] = {
    np.add: ("+", operator.add),
    np.subtract: ("-", operator.sub),
    np.multiply: ("*", operator.mul),
    np.divide: ("/", operator.truediv),
    np.power: ("**", operator.pow),
    np.matmul: ("@", operator.matmul),
    np.floor_divide: ("//", operator.floordiv),
    np.remainder: ("%", operator.mod),
    np.negative: ("-", operator.neg),
    np.positive: ("+", operator.pos),
    np.absolute: ("abs", operator.abs),
}
operands = (*numbers, *arrays, complex, list, tuple)


def add_operators(ufunc: Any, entry: Any, symbol: str, compute: Callable[..., Any]) -> None:
    """Give Tensor `-a`, or `a + b`, `b + a` and `a += b`, for one ufunc of the table."""

    def unary(self: Tensor) -> Tensor:
        return entry(self)

    def forward(self: Tensor, other: Any) -> Any:
        a = self.data
        if self.op is None and not a.ndim:
            a = a[()]  # a number: NumPy computes several times faster with it than with an array of shape ()
        if isinstance(other, Tensor):
            b = other.data
            if other.op is None and not b.ndim:
                b = b[()]
            needs = (both if other.tracked else first) if self.tracked else second if other.tracked else neither
        elif type(other) in quick:
            b, needs = other, first if self.tracked else neither
        else:
            return entry(self, other) if isinstance(other, operands) else NotImplemented
        if mode.active or not needs:
            return entry(self, other)
        node = Node()  # record(), written out: a call would be a third of the whole
        node.data, node.grad, node.tracked = compute(a, b), None, True
        node.hooks = node.made_by = None
        node.op, node.inputs, node.values, node.needs, node.extra = entry, (self, other), (a, b), needs, None
        node.tick = clock
        return node

    def reflected(self: Tensor, other: Any) -> Any:
        if type(other) in quick and self.tracked and not mode.active:
            b = self.data if self.ndim else self.data[()]
            return record(entry, compute(other, b), (other, self), (other, b), second)
        return entry(other, self) if isinstance(other, operands) else NotImplemented

    def in_place(self: Tensor, other: Any) -> Any:
        if self.op is not None or not self.tracked:
            return forward(self, other)
        if modes.recording:
            raise RuntimeError(f"`{symbol}=` on a leaf that requires grad. {in_place_remedy}")
        value = untracked(other, None)
        if np.broadcast_shapes(self.shape, np.shape(value)) != self.shape:
            raise ValueError(f"`{symbol}=` of shape {np.shape(value)} does not fit into a Tensor of shape {self.shape}.")
        if not isinstance(self.data, np.ndarray):  # someone assigned a number to .data
            self.data = np.array(self.data)
        ufunc(self.data, value, out=self.data, casting="same_kind")
        stamp(self)
        return self

    methods = {"": unary} if ufunc.nin == 1 else {"": forward, "r": reflected, "i": in_place}
    for prefix, method in methods.items():
        method.__name__ = f"__{prefix}{compute.__name__.strip('_')}__"
        setattr(Tensor, method.__name__, method)


neither, first, second, both = (), (0,), (1,), (0, 1)  # which operands need a gradient
quick = frozenset((float, int, np.float64))  # other types go through Op.__call__, which looks at them more closely


def comparison(compute: Callable[[Any, Any], Any]) -> Callable[[Tensor, Any], Any]:
    """A comparison of Tensors, which answers with a plain array of booleans."""
    return lambda self, other: compute(self.data, other.data if isinstance(other, Tensor) else other)


for compare in (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge):
    setattr(Tensor, f"__{compare.__name__}__", comparison(compare))
