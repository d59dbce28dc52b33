"""Modules that hold modules: Sequential, ModuleList, ModuleDict; and two that only hand on what they are given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from .module import Module, children_of

__all__ = ["Flatten", "Identity", "ModuleDict", "ModuleList", "Sequential"]


def member(module: Any, container: Module) -> Module:
    """module, if it is one; otherwise a sentence."""
    if isinstance(module, Module):
        return module
    name = type(container).__name__
    if isinstance(module, type) and issubclass(module, Module):
        raise TypeError(f"{name} holds modules, but {module.__name__} is a class: write nn.{module.__name__}().")
    if isinstance(module, (list, tuple)):
        remedy = "nn.Sequential(*layers)" if isinstance(container, Sequential) else "nn.ModuleList(layers)"
        raise TypeError(f"{name} holds modules, but got a {type(module).__name__} of {len(module)}: write {remedy}.")
    remedy = " A function has its module, as np.tanh has nn.Tanh()." if callable(module) else ""
    raise TypeError(f"{name} holds modules, not {type(module).__name__}: {module!r}.{remedy}")


class Numbered(Module):
    """Modules under the names "0", "1", ...: what Sequential and ModuleList share."""

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Any]:
        return (module for _, module in children_of(self))

    def __getitem__(self, index: int | slice) -> Any:
        found = [*iter(self)]
        if isinstance(index, slice):
            return (Sequential if isinstance(self, Sequential) else ModuleList).of(found[index])
        return found[self.position(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        name, _ = children_of(self)[self.position(index)]
        setattr(self, name, member(module, self))

    def __delitem__(self, index: int | slice) -> None:
        found = [*iter(self)]
        del found[index if isinstance(index, slice) else self.position(index)]
        self.renumber(found)

    def renumber(self, modules: list[Module]) -> None:
        """Hold these modules, under the names "0", "1", ..., and no others."""
        for name, _ in children_of(self):
            delattr(self, name)
        self.extend(modules)

    def position(self, index: int) -> int:
        """index, counted from the end if negative, in range."""
        if not hasattr(index, "__index__"):
            raise TypeError(
                f"A {type(self).__name__} is indexed by a whole number or a slice, not by {index!r}. A module that was "
                "given a name is an attribute: model.hidden."
            )
        n = len(self)
        if not -n <= index < n:
            raise IndexError(f"{type(self).__name__} has {n} modules; there is no [{index}].")
        return index % n

    def append(self: Any, module: Module) -> Any:
        """Add module at the end; return this container."""
        setattr(self, str(len(self)), member(module, self))
        return self

    def insert(self: Any, index: int, module: Module) -> Any:
        """Put module in before that at index; return this container."""
        found = [*iter(self)]
        found.insert(index, member(module, self))
        self.renumber(found)
        return self

    def pop(self, index: int = -1) -> Any:
        """Take the module at index out, the last one unless given, and return it."""
        module = self[self.position(index)]
        del self[index]
        return module

    def extend(self: Any, modules: Iterable[Module]) -> Any:
        """Add modules at the end; return this container."""
        for module in list(modules):
            self.append(module)
        return self


class Sequential(Numbered):
    """y = f_n(... f_2(f_1(x))): modules called one after another, given as arguments or in a dict with their names.

    >>> import nn
    >>> model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    >>> model[-1]
    Linear(in_features=4, out_features=1, bias=True)
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], dict):
            for name, module in modules[0].items():
                setattr(self, free_name(self, name), member(module, self))
        else:
            self.extend(modules)

    @classmethod
    def of(cls, modules: Iterable[Module]) -> Sequential:
        return Sequential(*modules)

    def forward(self, input: Any) -> Any:
        for module in list(vars(self).values()):  # to which a hook may add
            if isinstance(module, Module):
                input = module(input)
                if input is None:
                    raise TypeError(f"{type(module).__name__}.forward() returned None: does it end with `return`?")
        return input


class ModuleList(Numbered):
    """A list of modules whose parameters are found. It computes nothing itself: loop over it in `forward`."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if isinstance(modules, Module) and not isinstance(modules, Numbered):
            raise TypeError(f"ModuleList() takes a list of modules, not one {type(modules).__name__}: write [module].")
        self.extend(modules or ())

    @classmethod
    def of(cls, modules: Iterable[Module]) -> ModuleList:
        return ModuleList(modules)

    def forward(self, *inputs: Any, **options: Any) -> Any:
        raise TypeError(f"{type(self).__name__} computes nothing itself: loop over its modules, or use nn.Sequential.")


class ModuleDict(Module):
    """A dictionary of modules whose parameters are found. It computes nothing itself: pick from it in `forward`."""

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        self.update(modules or ())

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules, or put them in place of those with the same names."""
        for name, module in dict(modules).items():
            self[name] = module

    def __setitem__(self, name: str, module: Module) -> None:
        setattr(self, free_name(self, name), member(module, self))

    def __getitem__(self, name: str) -> Any:
        found = dict(children_of(self))
        if name not in found:
            raise KeyError(f"there is no module {name!r} here, only {list(found)}")
        return found[name]

    def __delitem__(self, name: str) -> None:
        self[name]
        delattr(self, name)

    def pop(self, name: str) -> Any:
        """Take the module of this name out, and return it."""
        module = self[name]
        del self[name]
        return module

    def clear(self) -> None:
        """Take all modules out."""
        for name in self.keys():
            del self[name]

    def __contains__(self, name: object) -> bool:
        return name in self.keys()  # the modules' names, not all attributes

    def __len__(self) -> int:
        return len(self.keys())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def keys(self) -> list[str]:
        """The names, in order."""
        return [name for name, _ in children_of(self)]

    def values(self) -> list[Any]:
        """The modules, in order."""
        return [module for _, module in children_of(self)]

    def items(self) -> list[tuple[str, Any]]:
        """Pairs of name and module, in order."""
        return children_of(self)

    forward = ModuleList.forward


def free_name(container: Module, name: str) -> str:
    """name, if a module can be kept under it."""
    if not isinstance(name, str) or not name or "." in name:
        raise ValueError(f"{type(container).__name__} takes names without dots for its modules, not {name!r}.")
    if hasattr(type(container), name) or name in vars(container) and not isinstance(vars(container)[name], Module):
        raise ValueError(
            f"{type(container).__name__} cannot keep a module as {name!r}, which is an attribute of its own."
        )
    return name


class Identity(Module):
    """y = x, whatever it is made with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Flatten(Module):
    """The axes from start_dim to end_dim made one: (n, 8, 8) → (n, 64)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Any) -> Any:
        shape = np.shape(input)
        if not (-len(shape) <= self.start_dim < len(shape) and -len(shape) <= self.end_dim < len(shape)):
            raise ValueError(f"{self} needs an input with these axes, but this has shape {shape}.")
        start, end = self.start_dim % len(shape), self.end_dim % len(shape)
        if start > end:
            raise ValueError(f"{self}: start_dim comes after end_dim in an input of shape {shape}.")
        return np.reshape(input, (*shape[:start], int(np.prod(shape[start : end + 1])), *shape[end + 1 :]))

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
