"""Operations, and NumPy's way to them.

An `Op` is a function of arrays together with its derivatives; `op` puts it into the table. NumPy's functions reach it
by the two protocols `__array_ufunc__` and `__array_function__`, so that `np.sin(t)` is the library.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from . import modes as mode
from .advice import described, meant, renamed
from .modes import modes
from .operators import add_operators, misfit, operators
from .tensor import Tensor, arrays, constant, has_tensor, no_complex, numbers, only_floats, record, untracked

__all__ = ["Op", "call", "composed", "op"]

no_value = np._NoValue  # type: ignore[attr-defined]  # NumPy's "not given", which its signatures show as a default
ndarray = np.ndarray
first = (0,)  # the inputs that need a gradient, where the first and only one does

table: dict[Any, Callable[..., Any]] = {}  # NumPy's function, or ours: what to call if an argument is a Tensor
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
            if isinstance(x, list):
                return [array(shape) for shape in x]
            return rng.uniform(*on, size=x) if isinstance(x, tuple) else x

        return [array(x) for x in self.args]

    def __repr__(self) -> str:
        return f"call({', '.join([*map(repr, self.args), *(f'{k}={v!r}' for k, v in self.kwargs.items())])})"


def parameters(function: Callable[..., Any]) -> dict[str, Any]:
    """The names of function's parameters in order, "*" for *args, and their defaults; none where it hides them.

    Read off the code object, as `inspect.signature` would take most of the time of `import autograd`.
    """
    function = inspect.unwrap(function)  # NumPy's function is within its dispatcher
    code = getattr(function, "__code__", None)
    if code is None:
        try:
            return {name: p.default for name, p in inspect.signature(function).parameters.items()}
        except ValueError:
            return {}
    names = list(code.co_varnames[: code.co_argcount])
    defaults = function.__defaults__ or ()
    given = dict.fromkeys(names, inspect.Parameter.empty) | dict(zip(names[len(names) - len(defaults) :], defaults))
    keyword_only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    if code.co_flags & inspect.CO_VARARGS:
        given["*"] = inspect.Parameter.empty
    return given | {name: (function.__kwdefaults__ or {}).get(name, inspect.Parameter.empty) for name in keyword_only}


class Op:
    """One operation: a function of arrays, and for each argument the gradient it is sent.

    function   computes the value; with `saves`, it receives what that returned as its first argument
    rules      rule(g, y, *args, **metadata) for each argument, or None where there is no derivative
    each       instead of rules, when the only argument is a list: each(g, y, i, *list, **metadata)
    saves      a pure function of the arguments that function and rules share; rules receive it after y
    symbol     the label in pictures
    samples    the calls on which its derivatives are checked, with arguments drawn from the interval `on`
    """

    __slots__ = (
        "function", "rules", "each", "saves",                  # the mathematics
        "name", "symbol", "samples", "on",                     # how it is shown and checked
        "parameters", "keywords", "defaults",                  # how it is called
        "arity", "unary", "partial", "ready",                  # what __call__ would otherwise ask every time
    )  # fmt: skip

    def __init__(
        self,
        function: Callable[..., Any],
        rules: tuple[Callable[..., Any] | None, ...],
        each: Callable[..., Any] | None,
        saves: Callable[..., Any] | None,
        symbol: str | None,
        name: str,
        on: tuple[float, float],
        at: Sequence[call],
    ) -> None:
        self.function, self.rules, self.each, self.saves = function, rules, each, saves
        self.name, self.symbol, self.on = name, symbol or name, on
        self.samples = list(at) or [call(*[(3, 4)] * len(rules)), call(*[()] * len(rules))]
        if not at and len(rules) == 2:
            self.samples += [call((2, 3, 4), (3, 1)), call((), (2,))]
        self.parameters, self.keywords = self.signature()
        self.arity, self.partial = len(rules), None in rules
        self.ready = (*arrays, *numbers) if isinstance(function, np.ufunc) else arrays  # what rules can compute with
        self.unary = saves is None and len(rules) == 1 and not self.partial

    def signature(self) -> tuple[list[str], set[str]]:
        """The names of all parameters in the function's own order, and of those that its rules take as metadata."""
        arity = 1 if self.each else len(self.rules)
        skip = 2 + (self.saves is not None) + (self.each is not None) + arity  # g, y, s, i, and the arrays
        keywords: dict[str, Any] = {}
        for rule in filter(None, (*self.rules, self.each)):
            given = parameters(rule)
            if len(given) < skip and "*" not in given:
                raise TypeError(
                    f"A rule of {self.name} is called with {skip} arguments, the gradient, the result, what was saved "
                    f"if anything is, and the arrays, but it takes {len(given)}: lambda g, y, x: ..."
                )
            keywords |= dict(list(given.items())[skip:])
        self.defaults = own = parameters(self.function)
        if not own:  # a few of NumPy's C functions do not tell
            return [f"argument {i}" for i in range(arity)] + list(keywords), set(keywords)
        for name, default in keywords.items():  # a rule that assumed another default would be silently wrong
            if name not in own:
                raise TypeError(f"A rule of {self.name} takes {name}=, but {self.name} itself does not.")
            if own[name] not in (no_value, default):
                raise TypeError(f"{self.name} has {name}={own[name]!r}, but its rule has {name}={default!r}.")
        return list(own)[self.saves is not None :], set(keywords)

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        """Run the function on the data of args; if a gradient could be wanted, remember where the result came from."""
        return self.run(args, kwargs)

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        """What a call does, for callers that have the arguments in a tuple and a dict already."""
        if self.unary and len(args) == 1 and not kwargs and not mode.active:  # the short way for the commonest case
            x = args[0]
            if isinstance(x, Tensor) and x.tracked:
                a = x.array if x.op is not None or x.array.ndim else x.array[()]
                data = self.function(a)
                if data.__class__ is a.__class__ and (data.__class__ is not ndarray or data.dtype is a.dtype):
                    return record(self, data, (x,), (a,), first)
        if len(args) != self.arity or kwargs and not self.bound(kwargs):
            args, kwargs = self.bind(args, kwargs)
        found, needs = [*args], []
        for i, x in enumerate(args):
            if x.__class__ is not ndarray:
                if isinstance(x, Tensor):
                    if x.tracked:
                        needs.append(i)
                    found[i] = x.array
                elif isinstance(x, ndarray) or not isinstance(x, self.ready):
                    found[i] = x = array_from(x, self, i, args)
                    args = (*args[:i], x, *args[i + 1 :])
        values, extra = tuple(found), None
        if self.saves is not None:
            saved = self.saves(*values, **kwargs)
            data, extra = self.function(saved, *values, **kwargs), (kwargs, saved)
        else:
            try:
                data = self.function(values, **kwargs) if self.each else self.function(*values, **kwargs)
            except ValueError as error:
                raise misfit(self, values, error) from None
            if kwargs:
                extra = kwargs, None
        if not isinstance(data, arrays):
            if data is None:
                raise TypeError(f"The function of {self.name} returned None: does it end with `return`?")
            data = np.asarray(data)[()]
        if not needs or mode.active and not modes.recording:
            if mode.active and modes.anomaly:
                record(self, data, args, values, ())  # to be watched, and forgotten
            return constant(data)
        if data.dtype.kind != "f":
            raise TypeError(f"{self.name} gave {data.dtype} from a Tensor that requires grad. {only_floats}")
        for i in needs if self.partial else ():
            if self.rules[i] is None:
                raise TypeError(f"{self.name} has no derivative with respect to argument {i}; pass t.data there.")
        return record(self, data, args, values, tuple(needs), extra)

    def bound(self, kwargs: dict[str, Any]) -> bool:
        """Whether kwargs are metadata as rules take it, so that nothing is left to bind."""
        for name, value in kwargs.items():  # all() of a generator takes three times as long
            if name not in self.keywords or value is no_value or isinstance(value, Tensor):
                return False
        return True

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
        kwargs = {k: v for k, v in kwargs.items() if not left_out(k, v, self.defaults)}
        wrong = [name for name in kwargs if name not in self.keywords]
        if wrong:
            known = ", ".join(f"{name}=" for name in sorted(self.keywords)) or "no keyword"
            remedy = "Apply it as an operation of its own (np.where for where=, t.astype for dtype=), or pass t.data."
            raise TypeError(
                f"{self.name} of a Tensor does not take {', '.join(f'{name}=' for name in wrong)}; its derivative "
                f"knows {known}. {numpys_name(wrong) or remedy}"
            )
        for name, value in kwargs.items():
            if isinstance(value, Tensor):
                if value.tracked:
                    remedy = "pass t.data there."
                    if name == "axis":
                        remedy = "it is a whole number. Several arrays go in a list: np.concatenate([a, b])."
                    raise TypeError(f"{self.name} has no derivative with respect to {name}=; {remedy}")
                kwargs = {**kwargs, name: value.array[()]}
        if len(given) != arity or len(args) > len(self.parameters):
            expected = ", ".join(self.parameters[:arity])
            remedy = " Where t is not 0 is np.nonzero(t)." if (self.name, len(args)) == ("where", 1) else ""
            raise TypeError(f"{self.name}() takes {arity} array arguments ({expected}), but got {len(args)}.{remedy}")
        return (tuple(given[0]) if self.each else tuple(given)), kwargs


def array_from(x: Any, op: Op, i: int, args: tuple[Any, ...]) -> Any:
    """The array that x stands for, a list or another foreign argument, number i of the args of an operation."""
    if x is None and any(len(sample.args) > i and sample.args[i] is None for sample in op.samples):
        return None  # an argument that may be left out, as in np.clip(t, None, 1)
    if isinstance(x, numbers):  # of the dtype that the number would not change
        return np.asarray(x, np.result_type(x, *[a.dtype for a in args if isinstance(a, (Tensor, *arrays))]))
    if isinstance(x, complex):
        raise TypeError(f"{op.name} of a Tensor and a complex number: {no_complex}")
    if isinstance(x, ndarray) and type(x).__mul__ is not ndarray.__mul__:  # np.matrix, or a masked array
        raise TypeError(
            f"{op.name} of a Tensor and a {type(x).__name__}, which computes by rules of its own: derivatives are "
            "those of plain arrays. Write np.asarray(x), and for a masked array x.filled(0) or np.where."
        )
    array = np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{op.name} of a Tensor takes numbers, arrays and lists of them beside it, not {x!r}.")
    return array


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
    differentiated in its turn. Broadcasting is undone by the engine. An argument without derivative has None as rule.

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
    if isinstance(at, call):
        raise TypeError(f"op({name}) takes a list of sample calls, at=[{at!r}], not a single one.")
    if not at and not elementwise or not all(isinstance(sample, call) and sample.args for sample in at):
        raise TypeError(f"op({name}) needs sample calls to check its derivative on, for example at=[call((3, 4))].")
    if bool(rules) == (each is not None) or not all(rule is None or callable(rule) for rule in (*rules, each)):
        raise TypeError(f"op({name}) takes a rule for each array argument, or each= for a list: a rule is a function.")
    if rules and any(isinstance(x, tuple) for sample in at for x in sample.args[len(rules) :]):
        raise TypeError(
            f"op({name}) has a sample call with more arrays than there are rules, which are {len(rules)}: it takes a "
            "rule for each array argument, or None where there is no derivative."
        )
    entry = Op(function, rules, each, saves, symbol, name, on, at)
    if isinstance(function, np.ufunc) or hasattr(function, "_implementation"):  # Tensors reach it by NumPy's protocols
        table[function] = entry
        add_method(function, entry, at)
        if function in operators:
            add_operators(function, entry, *operators[function])
        return function
    return ours(function, entry)


def ours(function: Callable[..., Any], entry: Op) -> Callable[..., Any]:
    """A function of ours that goes to its operation when a Tensor is among its arguments."""
    saves, run, name = entry.saves, entry.run, entry.name

    @functools.wraps(function)
    def public(*args: Any, **kwargs: Any) -> Any:
        for x in args:
            if type(x) is not ndarray and (isinstance(x, Tensor) or isinstance(x, (list, tuple)) and has_tensor(x)):
                return run(args, kwargs)
        if kwargs and has_tensor(kwargs.values()):
            return run(args, kwargs)
        try:
            return function(saves(*args, **kwargs), *args, **kwargs) if saves else function(*args, **kwargs)
        except (AttributeError, TypeError) as error:  # of a list, whose items may not fit together, as it is
            if args and not isinstance(args[0], (list, tuple)) and np.asarray(args[0]).dtype.kind in "OSU":
                raise TypeError(f"{name} takes real numbers, not {described(args[0])}. {meant(args[0])}") from error
            raise

    public.__name__ = name
    if saves:
        signature = inspect.signature(function)
        public.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined]
    table[public] = entry
    return public


samples: dict[Any, Any] = {}  # of composed functions: the sample calls and the interval


def composed(*functions: Any, at: Sequence[call], on: tuple[float, float] = (-2.0, 2.0)) -> Callable[..., Any]:
    """Decorator: give NumPy's functions a body made of registered functions, where NumPy composes them too."""

    def register(body: Callable[..., Any]) -> Callable[..., Any]:
        if body.__name__ == "<lambda>":
            body.__name__ = body.__qualname__ = functions[0].__name__  # which Python's own error messages show
        for function in functions:
            table[function] = as_numpy_calls(function, body)
            samples[function] = at, on
            add_method(function, table[function], at)
        return body

    return register


def as_numpy_calls(function: Any, body: Callable[..., Any]) -> Callable[..., Any]:
    """body, called in every form that NumPy's function knows, as far as body has what is asked for."""
    known, own = parameters(function), parameters(body)
    many, count = "*" in own, body.__code__.co_argcount
    name = function.__name__

    @functools.wraps(body)
    def called(*args: Any, **kwargs: Any) -> Any:
        if count < len(args) <= len(known) and not many:
            args, kwargs = args[:count], {**dict(zip(list(known)[count:], args[count:])), **kwargs}
        kwargs = {k: v for k, v in kwargs.items() if not left_out(k, v, known)}
        wrong = [k for k in kwargs if k not in own]
        if wrong:
            remedy = numpys_name(wrong) or "Pass t.data instead."
            raise TypeError(f"{name} of a Tensor does not take {wrong[0]}={kwargs[wrong[0]]!r}. {remedy}")
        return body(*args, **kwargs)

    return called


def numpys_name(wrong: Iterable[str]) -> str:
    """What to write for keywords that are PyTorch's; nothing if none is."""
    theirs = [name for name in wrong if name in renamed]
    return " ".join(f"Instead of PyTorch's {name}= write NumPy's {renamed[name]}=." for name in theirs)


def left_out(name: str, value: Any, known: dict[str, Any]) -> bool:
    """Whether NumPy would do the same without this argument."""
    if not known:  # some of NumPy's C functions do not tell
        return value is None and name in ("out", "dtype")
    default = known.get(name, inspect.Parameter.empty)
    return type(value) is type(default) and value == default or name == "order" and (value, default) == ("C", "K")


def add_method(function: Any, entry: Callable[..., Any], at: Sequence[call]) -> None:
    """Let `t.name(...)` be `np.name(t, ...)` where that reads naturally: where the first argument is one array."""
    name = function.__name__
    reads_naturally = not at or isinstance(at[0].args[0], tuple)
    run = entry.run if isinstance(entry, Op) else lambda args, kwargs: entry(*args, **kwargs)
    if getattr(np, name, None) is function and reads_naturally and name not in Tensor.__dict__:

        def method(*args: Any, **kwargs: Any) -> Any:
            return run(args, kwargs)

        method.__name__, method.__doc__ = name, f"np.{name}(self, ...)"
        if not isinstance(function, np.ufunc):
            method.__wrapped__ = function  # type: ignore[attr-defined]  # for inspect.signature, as help() shows it
        setattr(Tensor, name, method)


# ---- NumPy's way in -----------------------------------------------------------------------------------------------

reductions: dict[Any, Any] = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}


def dispatch(function: Any, args: Any, kwargs: Any) -> Any:
    """Run NumPy's function on Tensors: by the table, or on the data where the result is plain, or not at all."""
    entry = table.get(function)
    if entry is not None:
        return entry(*args, **kwargs)
    plain = None if function in structural else function
    return function(*untracked(args, plain), **untracked(kwargs, plain))


def array_ufunc(self: Tensor, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
    if kwargs.get("out") is not None:
        raise TypeError(
            f"{ufunc.__name__} cannot write a Tensor's result into an existing array (array += tensor, out=): the "
            "gradient would be lost. Write array = array + tensor, or in general a new name for the result."
        )
    if method == "__call__":
        return dispatch(ufunc, args, kwargs)
    if method == "reduce" and ufunc in reductions:
        return dispatch(reductions[ufunc], args, {"axis": 0, **kwargs})
    raise TypeError(f"np.{ufunc.__name__}.{method} has no derivative rule; use functions such as np.sum or np.cumsum.")


def array_function(self: Tensor, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    return dispatch(function, args, kwargs)


Tensor.__array_ufunc__ = array_ufunc  # type: ignore[attr-defined]
Tensor.__array_function__ = array_function  # type: ignore[attr-defined]
