"""What learns, and what holds it: Parameter and Module.

A Module finds its parameters, buffers and submodules among its own attributes; their names are the attributes' names,
joined by dots: "hidden.0.weight". That is all there is to `parameters()`, `state_dict()`, `train()` and `repr`.
"""

from __future__ import annotations

import inspect
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping
from itertools import repeat
from typing import Any, NamedTuple, TypeVar

import numpy as np

from autograd import Hook, Tensor, stamp
from autograd.advice import a, add_absent
from autograd.tensor import Node, at_once, make_writable, set_grad, tick

__all__ = ["Module", "Parameter"]

Self = TypeVar("Self", bound="Module")
Array = np.ndarray[Any, np.dtype[Any]]


class Parameter(Tensor):
    """A Tensor that a Module learns: as an attribute of a Module it is among its `parameters()`.

    data            an array, a Tensor whose values are copied, or numbers
    requires_grad   False to keep it as it is: still saved and loaded, but not learned
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True, *, name: str | None = None) -> None:
        values = np.asarray(data.data) if isinstance(data, Tensor) else data
        super().__init__(values, True, name=name)
        self.tracked = bool(requires_grad)

    def __repr__(self) -> str:
        return "Parameter" + super().__repr__().removeprefix("Tensor").replace("\n", "\n   ")


class Loaded(NamedTuple):
    """What `load_state_dict(strict=False)` did not find, and what it had no place for."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Forgotten:
    """What stands in place of an attribute that `Module.__init__` sets: reading it raises."""

    def __get__(self, module: Module | None, owner: type) -> Any:
        if module is None:
            return self
        raise AttributeError(forgotten(module))


class Module:
    """A part of a network: a function with parameters. Subclasses assign them in `__init__` and compute in `forward`.

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.hidden = nn.Linear(2, 4)
                self.output = nn.Linear(4, 1)

            def forward(self, x):
                return self.output(np.tanh(self.hidden(x)))

    training   whether it is being trained, which Dropout and BatchNorm ask; set by `train()` and `eval()`
    """

    training: Any = Forgotten()  # until `__init__` sets it
    _hooks: tuple[dict[Any, Any], dict[Any, Any]] | None = None  # what is called before and after forward
    _buffers: Mapping[str, bool] = {}  # the names of the buffers, and whether they are saved

    def __init__(self) -> None:
        self.training = True

    # ---- computing

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the module computes: for subclasses to write. Call the module itself, which also runs its hooks."""
        raise TypeError(f"{type(self).__name__} has no `def forward(self, input)`, which says what it computes.")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        hooks = self._hooks
        if hooks:
            for hook in list(hooks[0].values()):
                replaced = hook(self, inputs)
                if replaced is not None:
                    inputs = replaced if isinstance(replaced, tuple) else (replaced,)
        start = tick()
        several = options or len(inputs) != 1  # with one, the commonest case, a call takes half the time
        output = self.forward(*inputs, **options) if several else self.forward(inputs[0])
        if hooks:
            for hook in list(hooks[1].values()):
                replaced = hook(self, inputs, output)
                if replaced is not None:
                    output = replaced
        if options:
            inputs = (*inputs, *options.values())
        if isinstance(output, Tensor):
            if output.tick > start and output.op is not None:  # made here, not handed on as it came
                output.made_by = self, inputs, output.made_by
        elif isinstance(output, (tuple, list, dict)):
            for part in output.values() if isinstance(output, dict) else output:
                if isinstance(part, Tensor) and part.tick > start and part.op is not None:
                    part.made_by = self, inputs, part.made_by
        return output

    def register_forward_pre_hook(self, hook: Callable[[Any, tuple[Any, ...]], Any]) -> Hook:
        """Call hook(module, inputs) before every forward; what it returns, if not None, is used as inputs.
        `remove()` of the result takes the hook away again."""
        return Hook(vars(self).setdefault("_hooks", ({}, {}))[0], hook)

    def register_forward_hook(self, hook: Callable[[Any, tuple[Any, ...], Any], Any]) -> Hook:
        """Call hook(module, inputs, output) after every forward; what it returns, if not None, is used as output.
        `remove()` of the result takes the hook away again."""
        return Hook(vars(self).setdefault("_hooks", ({}, {}))[1], hook)

    # ---- finding

    def __setattr__(self, name: str, value: Any) -> None:
        owner = type(self) if isinstance(value, bool) else Module
        if callable(getattr(owner, name, None)) and (isinstance(value, Module) or not callable(value)):
            raise TypeError(
                f"{type(self).__name__}.{name} is a method, which {a(value)} would only hide. Choose another name, or "
                "call it with parentheses, as in model.train() or model.eval()."
            )
        if isinstance(value, (Module, Parameter)):
            if "training" not in vars(self):
                raise AttributeError(forgotten(self))
            if isinstance(value, Module) and any(part is self for part in value.modules()):
                raise ValueError(f"{type(self).__name__}.{name} would contain the very module that it is a part of.")
        elif isinstance(value, Tensor) and value.op is None and value.requires_grad:
            warnings.warn(
                f"{type(self).__name__}.{name} is a Tensor that requires grad, but not among parameters(): "
                f"no optimizer will find it. Write self.{name} = nn.Parameter(...).",
                stacklevel=2,
            )
        elif value is not None and isinstance(vars(self).get(name), Parameter):
            raise TypeError(
                f"{type(self).__name__}.{name} is a Parameter, and {type(value).__name__} there would not learn. "
                f"Write .{name}.data = values, or .{name} = nn.Parameter(values)."
            )
        elif value is not None and name in self._buffers:
            if isinstance(value, Tensor) and value.requires_grad:
                raise TypeError(
                    f"{type(self).__name__}.{name} is a buffer, which holds values and no history, but was assigned a "
                    f"Tensor that requires grad. Write self.{name} = x.data."
                )
            value = as_buffer(value)  # NumPy turns an array of shape () that it computes with into a number
        before = vars(self).get(name)
        object.__setattr__(self, name, value)
        if type(value) not in plain or type(before) not in plain:
            gathered[0] = weakref.WeakKeyDictionary()

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        gathered[0] = weakref.WeakKeyDictionary()

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Keep an array that is not learned, such as a running mean, as the attribute `name`; saved if persistent."""
        if not isinstance(name, str) or not name or "." in name:
            raise ValueError(f"register_buffer() takes a name without dots, not {name!r}.")
        if hasattr(self, name) and name not in self._buffers:
            raise ValueError(f"{type(self).__name__}.{name} is there already, and no buffer: choose another name.")
        setattr(self, name, None if tensor is None else np.array(as_buffer(tensor)))
        self._buffers = {**self._buffers, name: persistent}

    def named_modules(self, prefix: str = "", remove_duplicate: bool = True) -> Iterator[tuple[str, Module]]:
        """This module, under the name `prefix`, and all modules inside it, each once, by path."""
        return walk(self, prefix, set() if remove_duplicate else None)

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters, each once, by path."""
        return collect(parameters_of, self, prefix, recurse, remove_duplicate)

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Array]]:
        """All buffers, each once, by path."""
        return collect(buffers_of, self, prefix, recurse, remove_duplicate)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules that are attributes of this one, each once, by name."""
        seen: set[Module] = set()
        for name, child in children_of(self):
            if child not in seen:
                seen.add(child)
                yield name, child

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once."""
        if not recurse:
            return (parameter for _, parameter in self.named_parameters(recurse=False))
        return iter(gather(self))

    def buffers(self, recurse: bool = True) -> Iterator[Array]:
        """All buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def modules(self) -> Iterator[Module]:
        """This module and all modules inside it, each once."""
        return (module for _, module in self.named_modules())

    def children(self) -> Iterator[Module]:
        """The modules that are attributes of this one, each once."""
        return (child for _, child in self.named_children())

    # ---- changing everything inside

    def apply(self: Self, fn: Callable[[Module], Any]) -> Self:
        """Call fn on every module inside, the innermost first, then on this one; return this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self: Self, mode: bool = True) -> Self:
        """Say to this module and all inside that they are being trained: Dropout drops, BatchNorm uses the batch."""
        if not isinstance(mode, bool):
            raise TypeError(
                f"train() takes True or False, not {type(mode).__name__}. Training itself is a loop that you write."
            )
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: Self) -> Self:
        """Say to this module and all inside that they are used: Dropout drops nothing, BatchNorm takes its averages."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Let all parameters learn, or freeze them."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters: `grad` is None, or zeros where there was one if not set_to_none."""
        params = list(self.parameters())
        zeros = repeat(None) if set_to_none else [None if p.grad is None else np.zeros_like(p.grad) for p in params]
        at_once(map(set_grad, params, zeros))

    def to(self: Self, dtype: Any) -> Self:
        """Convert all parameters, their gradients and the floating buffers to a floating dtype; return this module.
        None, as in PyTorch, leaves it as it is."""
        if dtype is None:
            return self
        try:
            dtype = np.dtype(dtype)
        except TypeError:
            raise TypeError(
                f"to() takes a floating dtype such as np.float32, not {dtype!r}: everything runs on the CPU."
            ) from None
        if dtype.kind != "f":
            raise TypeError(f"to() takes a floating dtype such as np.float32, not {dtype}.")
        for parameter in self.parameters():
            parameter.data = parameter.data.astype(dtype)
            parameter.grad = None if parameter.grad is None else parameter.grad.astype(dtype)
        for module in self.modules():
            for name, buffer in buffers_of(module):
                if buffer.dtype.kind == "f":
                    setattr(module, name, buffer.astype(dtype))
        return self

    def float(self: Self) -> Self:
        """Convert to float32."""
        return self.to(np.float32)

    def double(self: Self) -> Self:
        """Convert to float64."""
        return self.to(np.float64)

    # ---- saving and loading

    def state_dict(self) -> dict[str, Array]:
        """Copies of all parameters and persistent buffers, by path: what `load_state_dict` takes."""
        return {path: np.array(value.data if isinstance(value, Tensor) else value) for path, value in state_of(self)}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> Loaded:
        """Copy the arrays of state_dict into the parameters and buffers of the same path and shape, or change nothing.

        strict   False: load what has a place here, and answer what is missing and what is unexpected
        """
        if not isinstance(state_dict, Mapping):
            if callable(getattr(state_dict, "state_dict", None)):
                remedy = " Write load_state_dict(other.state_dict())."
            elif callable(state_dict):
                remedy = " Call it, with its parentheses: state_dict()."
            else:
                remedy = ' A file is read by nn.load("model.npz", model=model).'
            raise TypeError(f"load_state_dict() takes what state_dict() returns, not {a(state_dict)}.{remedy}")
        given = {
            key: value.data if isinstance(value, Tensor) else np.asarray(value) for key, value in state_dict.items()
        }
        places = dict(state_of(self))
        missing = [key for key in places if key not in given]
        unexpected = [key for key in given if key not in places]
        both = [(key, places[key], given[key]) for key in places if key in given]
        problems = [f"missing: {key}" for key in missing if strict] + [
            f"unexpected: {key}" for key in unexpected if strict
        ]
        problems += [f"{k}: shape {new.shape}, but here {old.shape}" for k, old, new in both if old.shape != new.shape]
        problems += [f"{k}: {new.dtype}, not real numbers" for k, _, new in both if new.dtype.kind not in "fiub"]
        if problems:
            raise RuntimeError(
                f"The state does not fit {type(self).__name__}; nothing was loaded.\n  " + "\n  ".join(problems)
            )
        tensors = [old for _, old, _ in both if isinstance(old, Tensor)]
        make_writable(*tensors)
        stamp(*tensors)
        arrays = [old.data if isinstance(old, Tensor) else old for _, old, _ in both]
        at_once(map(np.ndarray.__setitem__, arrays, repeat(...), [new for _, _, new in both]))
        return Loaded(missing, unexpected)

    # ---- showing

    def extra_repr(self) -> str:
        """The options, as `repr` shows them: for subclasses to write."""
        return ""

    def __repr__(self) -> str:
        lines = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in children_of(self)]
        extra = self.extra_repr()
        if not lines:
            return f"{type(self).__name__}({extra})"
        return f"{type(self).__name__}(\n  " + "\n  ".join([extra, *lines] if extra else lines) + "\n)"


class Function(Module):
    """A module that learns nothing: an activation or a loss. It is made first, and then called on data.

    arrays   how many arrays it may be made with, as its options
    """

    arrays = 0

    def __new__(cls, *args: Any, **options: Any) -> Any:
        if sum(isinstance(x, (Tensor, np.ndarray)) for x in args) > cls.arrays:
            data = "x" if len(args) == 1 else "input, target"
            raise TypeError(
                f"{cls.__name__}() got the data, but it is made without them, and then called on them: "
                f"nn.{cls.__name__}()({data})."
            )
        for word in [x for x in args if isinstance(x, str)]:
            reduction = inspect.signature(cls.__init__).parameters.get("reduction")
            if reduction is not None and reduction.kind is reduction.KEYWORD_ONLY:
                raise TypeError(f"{cls.__name__}() takes its reduction by name: nn.{cls.__name__}(reduction={word!r}).")
        return super().__new__(cls)


add_absent(Module, {
    "fit": "Training is a loop that you write: optimizer.zero_grad(); loss = criterion(model(x), y); loss.backward(); "
    "optimizer.step().",
    "compile": "There is nothing to compile: make a loss, such as nn.MSELoss(), and an optimizer, such as "
    "optim.SGD(model.parameters(), lr=0.1).",
    "predict": "Call the module itself, model(x), after model.eval().",
    "summary": "Print the module itself, print(model).",
    "backward": "It is called on what a loss returns: loss = criterion(model(x), y); loss.backward().",
    "grad": "Each parameter has its own: for p in model.parameters(): p.grad.",
    "save": 'Write nn.save("model.npz", model=model).',
    "load": 'Write nn.load("model.npz", model=model).',
    "half": "Write model.to(np.float16).",
    "add_module": "Assign it: self.name = module, or setattr(self, name, module).",
    "register_module": "Assign it: self.name = module, or setattr(self, name, module).",
    "register_parameter": "Assign it: self.name = nn.Parameter(values).",
    "get_submodule": "Write dict(model.named_modules())[path].",
    "get_parameter": "Write dict(model.named_parameters())[path].",
    "register_full_backward_hook": "Tensors have hooks for gradients: output.register_hook(function).",
    "cuda": "Leave it out: everything is computed on the CPU, by NumPy.",
    "cpu": "Leave it out: everything is computed on the CPU, by NumPy.",
    "device": "Leave it out: everything is computed on the CPU, by NumPy.",
})  # fmt: skip


# ---- finding, for one module and for all inside ---------------------------------------------------------------------


def children_of(module: Module) -> list[tuple[str, Any]]:
    """The modules among module's attributes, by name."""
    return [(name, value) for name, value in vars(module).items() if isinstance(value, Module)]


def parameters_of(module: Module) -> list[tuple[str, Any]]:
    """The parameters among module's attributes, by name."""
    return [(name, value) for name, value in vars(module).items() if isinstance(value, Parameter)]


def containers_of(module: Module) -> list[tuple[str, Any]]:
    """The lists and the like among module's attributes, by name."""
    kinds = (list, tuple, set, dict)
    return [(name, value) for name, value in vars(module).items() if isinstance(value, kinds) and name not in own]


def buffers_of(module: Module, saved: bool = False) -> list[tuple[str, Any]]:
    """The buffers of module, by name; or only those that are saved. What was deleted, or replaced by a Parameter or a
    Module, is none any more."""
    names = [name for name, persistent in module._buffers.items() if persistent or not saved]
    found = [(name, getattr(module, name, None)) for name in names]
    return [(name, x) for name, x in found if x is not None and not isinstance(x, (Parameter, Module))]


def as_buffer(values: Any) -> Array:
    """values as an array that can be written to, as loading does; a copy only where they are none."""
    return np.require(Tensor(values).data, requirements="W")


def walk(module: Module, path: str, seen: set[Module] | None) -> Iterator[tuple[str, Module]]:
    """module and all inside, by path; those seen already left out."""
    if seen is not None:
        if module in seen:
            return
        seen.add(module)
    refuse_hidden(module)
    yield path, module
    for name, child in children_of(module):
        yield from walk(child, join(path, name), seen)


def collect(
    of: Callable[[Module], Any], root: Module, prefix: str, recurse: bool, once: bool
) -> Iterator[tuple[str, Any]]:
    """What `of` finds in root and, if recurse, in all modules inside, by path; each only once, if `once`."""
    seen: set[int] = set()
    for path, module in root.named_modules(prefix, once) if recurse else [(prefix, root)]:
        for name, value in of(module):
            if not (once and id(value) in seen):
                seen.add(id(value))
                yield join(path, name), value


def gather(root: Module) -> dict[Parameter, None]:
    """The parameters of root and of all modules inside, as keys: collect() without paths, quickly, for every step.

    Found anew only if an attribute was set or deleted since; whether lists hide some is asked every time.
    """
    known = gathered[0]
    last: Any = known.get(root)
    if last is None:
        modules = list(root.modules())
        found = dict.fromkeys(p for module in modules for _, p in parameters_of(module))
        last = known[root] = found, [weakref.ref(module) for module in modules if containers_of(module)]
    found, keepers = last
    for keeper in keepers:
        refuse_hidden(keeper())
    return found


gathered = [weakref.WeakKeyDictionary[Module, Any]()]  # what gather found, until an attribute that may matter changes
plain = frozenset((bool, int, float, str, type(None), np.ndarray, Tensor, Node))  # types of attributes that do not
own = frozenset(("_buffers", "_hooks"))  # the containers that a Module has itself


def state_of(root: Module) -> Iterator[tuple[str, Any]]:
    """What is saved of root, by path: the parameters and the persistent buffers of each module in turn."""
    for path, module in root.named_modules(remove_duplicate=False):
        for name, value in parameters_of(module) + buffers_of(module, saved=True):
            yield join(path, name), value


def join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def forgotten(module: Module) -> str:
    """What to say of a module that was not initialised."""
    name = type(module).__name__
    return f"{name}.__init__ has to call super().__init__() first, before it assigns layers or parameters."


def refuse_hidden(module: Module) -> None:
    """Raise if module keeps others, or parameters, where nobody finds them."""
    if "training" not in vars(module):
        raise AttributeError(forgotten(module))
    for name, value in containers_of(module):
        if hides(value):
            remedy = "nn.ModuleDict({...})" if isinstance(value, dict) else "nn.ModuleList([...])"
            raise TypeError(
                f"{type(module).__name__}.{name} is a plain {type(value).__name__} with modules or parameters in it, "
                f"which would be neither trained nor saved. Write self.{name} = {remedy}; a Parameter is an attribute."
            )


def hides(value: Any) -> bool:
    """Whether modules or parameters are inside lists, tuples, sets or dictionaries."""
    if isinstance(value, (list, tuple, set)):
        return any(hides(x) for x in value)
    return any(hides(x) for x in value.values()) if isinstance(value, dict) else isinstance(value, (Module, Parameter))
