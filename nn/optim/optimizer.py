"""What all optimizers share: groups of parameters with their options, the state of each parameter, and the loop."""

from __future__ import annotations

import inspect
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import repeat
from operator import is_not
from types import MappingProxyType
from typing import Any

import numpy as np

from autograd import Tensor, enable_grad, stamp
from autograd.advice import a
from autograd.tensor import at_once, set_grad

from .blocks import PIECE, Array, Block, Memory, pack

__all__ = ["Optimizer", "require"]

numbers = (int, float, np.number)
at_least_0 = {"lr", "momentum", "dampening", "weight_decay", "eps", "alpha", "lr_decay", "initial_accumulator_value"}
for_others = {"params", "name", "initial_lr", "max_lr", "min_lr"}  # what schedulers and users keep in a group
in_groups = (
    "An optimizer has no lr of its own, but each group of its parameters has one. Write "
    "optimizer.param_groups[0]['lr'] = 0.01, or in a loop over all groups."
)


class Optimizer:
    """Changes parameters in place, a step at a time, by the formula that a subclass gives in `change`.

    params     Tensors, or dicts {"params": Tensors, option: value, ...}, each a group with options of its own. Values
               of small ones are moved into one array, each .data then being a view of it, unless somebody holds them
    defaults   the options of groups that do not give their own

    param_groups   the groups: dicts of "params" and every option; change group["lr"] at any time
    state          what `change` remembers of each parameter, such as its velocity: to look at
    """

    coupled = True  # weight decay is part of the gradient

    def __new__(cls, *args: Any, **options: Any) -> Any:
        known = inspect.signature(cls.__init__).parameters
        wrong = [option for option in options if option not in known]
        if wrong and not any(p.kind is p.VAR_KEYWORD for p in known.values()):
            own = ", ".join(f"{option}=" for option in list(known)[2:])
            raise TypeError(f"{cls.__name__}() does not take {wrong[0]}=. Its options are {own}.")
        return super().__new__(cls)

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.blocks: list[Block] = []  # the parameters that steps have changed
        self.others: list[Tensor] = []  # and those that never had a gradient
        self.arranged: list[tuple[dict[str, Any], list[Tensor]]] = []  # the groups that both were made from
        self.memory: dict[Tensor, dict[str, Any]] = {}  # what was loaded, until there are blocks for it
        self.stepped = False  # whether step() was ever called, for schedulers to warn
        self.cleared = False  # whether zero_grad() was, for step() to warn
        groups = self.listed(params)
        if not groups:
            raise ValueError(
                f"{self.name}() got no parameters. If they are model.parameters(), then the model has none (are its "
                "layers attributes, or in a ModuleList?), or the generator was used up before."
            )
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def lr(self) -> Any:
        """Refused: each group has a learning rate of its own."""
        raise AttributeError(in_groups)

    @lr.setter
    def lr(self, value: Any) -> None:
        raise AttributeError(in_groups)

    def __repr__(self) -> str:
        def options(group: dict[str, Any]) -> str:
            return ", ".join(f"{k}={v}" for k, v in group.items() if k != "params")

        groups = [f"{len(group['params'])} parameters, {options(group)}" for group in self.param_groups]
        return f"{self.name}({'; '.join(groups)})"

    def listed(self, params: Any) -> list[Any]:
        """params, which must be several, as a list."""
        model = hasattr(params, "parameters")
        if model or not isinstance(params, Iterable) or isinstance(params, (Tensor, np.ndarray, dict, str)):
            wanted = "model.parameters()" if model or callable(params) else "a list such as [w, b]"
            raise TypeError(f"{self.name}() takes parameters to optimize, {wanted}, not one {type(params).__name__}.")
        return list(params)

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Optimize more parameters: {"params": Tensors, option: value, ...}."""
        if not isinstance(group, dict) or "params" not in group:
            raise TypeError(f"A parameter group is a dict such as {{'params': [w, b], 'lr': 0.1}}, not {group!r}.")
        unknown = [option for option in group if option not in self.defaults and option not in for_others]
        if unknown:
            warnings.warn(
                f"{self.name} does not look at {unknown[0]!r} in a parameter group. Its options are "
                f"{', '.join(self.defaults)}.",
                stacklevel=4,
            )
        params = group["params"]
        if isinstance(params, (set, frozenset)):
            raise TypeError("The parameters are a set, which has no order to save their state by; pass a list.")
        params = [params] if isinstance(params, Tensor) else self.listed(params)
        group = self.defaults | group | {"params": params}
        if not group["params"]:
            raise ValueError(f"Parameter group {len(self.param_groups)} of {self.name} has no parameters.")
        known = {p for other in self.param_groups for p in other["params"]}
        for i, p in enumerate(group["params"]):
            self.check_parameter(i, p, known)
            known.add(p)
        self.check(group)
        self.param_groups.append(group)
        pack(group["params"])

    def check_parameter(self, i: int, p: Any, known: set[Tensor]) -> None:
        """Refuse what cannot be optimized, or is optimized already."""
        if not isinstance(p, Tensor):
            hint = " Did you mean model.parameters() rather than named_parameters()?" if isinstance(p, tuple) else ""
            raise TypeError(
                f"{self.name}() optimizes Tensors that require grad, but parameter {i} is {type(p).__name__}.{hint}"
            )
        called = f"parameter {i}, of shape {p.shape}" + (f", named {p.name!r}" if p.name else "")
        if not p.is_leaf:
            raise ValueError(
                f"{self.name}() optimizes leaves, but {called}, was computed by {p.op}. Pass the Tensors that it was "
                "computed from, or Tensor(t.data, requires_grad=True)."
            )
        if p in known:
            raise ValueError(f"{self.name}() got {called}, twice; each parameter belongs to one group, once.")

    def check(self, group: dict[str, Any]) -> None:
        """Refuse options that mean nothing."""
        for option in at_least_0 & group.keys():
            require(self.name, option, group[option], 0)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients: `grad` is None, which steps skip, or with set_to_none=False zeros, which they apply."""
        self.cleared = True
        params = [p for group in self.param_groups for p in group["params"]]
        zeros = repeat(None) if set_to_none else [None if p.grad is None else np.zeros_like(p.grad) for p in params]
        at_once(map(set_grad, params, zeros))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient. Returns closure(), which is called first, to compute it anew.

        After an interrupt on the way, small parameters with the same options have all changed or none has; a large one
        may have changed in part, and what is remembered may be a step ahead. All are whole, and steps can go on.
        """
        loss = None
        if closure is not None:
            if not callable(closure):
                raise TypeError(
                    f"step() takes nothing, or a function that computes the loss anew, but got {a(closure)}. Write "
                    "loss.backward(), then optimizer.step()."
                )
            with enable_grad():
                loss = closure()
        found = self.gathered()  # everything is checked before anything is changed
        if found is None:
            self.arrange()
            found = self.gathered()
        assert found is not None
        if not found and self.cleared:
            warnings.warn(
                f"{self.name}.step() found no gradients, so it changes nothing. The order is optimizer.zero_grad(), "
                "loss.backward(), optimizer.step().",
                stacklevel=2,
            )
        for block, gradient in found:
            stamp(*block.params)  # before: even an update that fails may have changed them
            block.update(gradient, self.change, self.coupled)
        self.stepped = True
        return loss

    def change(self, g: Array, state: Memory, group: dict[str, Any], s: Array) -> Array:
        """The formula: what to subtract from parameters, elementwise, given their gradient g, which must stay as it is.

        g       flat: of one parameter, of a part of it, or of several together
        state   what was remembered of them the last time: state["velocity"] is an array of g's shape, zeros at first,
                into which an array that is assigned is copied; a number may be assigned too
        group   the options
        s       an array of g's shape to compute and return the result in, so that a step allocates nothing
        """
        raise TypeError(
            f"{self.name} has no formula: define change(self, g, state, group, s), what to subtract from w."
        )

    def gathered(self) -> list[tuple[Block, Array]] | None:
        """The blocks that have gradients, and these; None if the blocks are not what they were made for."""
        if len(self.arranged) != len(self.param_groups):
            return None
        for (group, params), now in zip(self.arranged, self.param_groups):  # which are the user's to change
            if group is not now or len(params) != len(now["params"]) or any(map(is_not, params, now["params"])):
                return None
        found = []
        for block in self.blocks:
            missing, gradient = block.gather()
            if not missing:
                found.append((block, gradient))
            elif missing < len(block.params):
                return None
        for p in self.others:
            if p.grad is not None:
                return None
        return found

    def arrange(self) -> None:
        """Put the parameters into blocks: those together that are alike in options, dtype and past."""
        self.arranged = []  # until all is done, so that after an interrupt on the way the next step arranges anew
        self.memory = self.remembered()
        self.blocks, self.others = [], []
        for group in self.param_groups:
            alike: dict[Any, list[Tensor]] = defaultdict(list)
            for p in group["params"]:
                if p.grad is None and p not in self.memory:
                    self.others.append(p)
                    continue
                w = np.require(p.data, requirements="W")  # what was assigned may be read-only, as broadcasts are
                if w.dtype.kind != "f":
                    raise TypeError(f"A parameter holds {w.dtype}, which small steps cannot change; give it floats.")
                if w is not p.data:
                    p.data = w
                past = self.memory.setdefault(p, {})
                if any(np.ndim(x) and np.shape(x) != w.shape for x in past.values()):
                    past.clear()  # a past of other elements says nothing of these
                numbers = tuple((name, None if isinstance(x, np.ndarray) else x) for name, x in sorted(past.items()))
                alone = p if w.size > PIECE else None
                alike[w.dtype, p.grad is None, numbers, alone].append(p)
            for params in alike.values():
                self.blocks.append(Block(group, params, [self.memory[p] for p in params]))
        self.arranged = [(group, list(group["params"])) for group in self.param_groups]
        self.memory = {}

    def remembered(self) -> dict[Tensor, dict[str, Any]]:
        """What is remembered of each parameter, by name."""
        found = dict(self.memory)
        for block in self.blocks:
            found |= block.remembered()
        return found

    @property
    def state(self) -> Mapping[Tensor, Mapping[str, Any]]:
        """What is remembered of each parameter, by name: to look at. `load_state_dict` changes it."""
        return MappingProxyType({p: MappingProxyType(past) for p, past in self.remembered().items() if past})

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: the blocks, whose arrays are views of each other, are made anew from the memory."""
        return {**vars(self), "memory": self.remembered(), "blocks": [], "others": [], "arranged": []}

    # ---- saving, in PyTorch's layout

    def state_dict(self) -> dict[str, Any]:
        """{"state": {index: what is remembered of it}, "param_groups": [options, with indexes for "params"]}.

        The indexes count the parameters through all groups. The arrays are copies.
        """
        params = [p for group in self.param_groups for p in group["params"]]
        index, state = {p: i for i, p in enumerate(params)}, self.remembered()
        return {
            "state": {i: {k: np.copy(v) if isinstance(v, np.ndarray) else v for k, v in state[p].items()}
                      for i, p in enumerate(params) if state.get(p)},
            "param_groups": [{k: v for k, v in group.items() if k != "params"}
                             | {"params": [index[p] for p in group["params"]]} for group in self.param_groups],
        }  # fmt: skip

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where the optimizer that gave state_dict stopped; it may be PyTorch's. An error changes nothing."""
        if not isinstance(state_dict, dict) or not {"state", "param_groups"} <= state_dict.keys():
            raise TypeError("load_state_dict() takes what state_dict() gave: a dict with 'state' and 'param_groups'.")
        groups, lengths = state_dict["param_groups"], [len(group["params"]) for group in self.param_groups]
        if [len(group["params"]) for group in groups] != lengths:
            raise ValueError(
                f"The saved {self.name} has groups of {[len(group['params']) for group in groups]} parameters, "
                f"but this one has {lengths}: make it as the saved one was made, then load."
            )
        state, changed = {}, []
        for group, saved in zip(self.param_groups, groups):
            changed.append(self.defaults | saved | {"params": group["params"]})
            wrong = [f"{k}={changed[-1][k]!r}" for k, v in group.items() if not alike(changed[-1].get(k, v), v)]
            if wrong:
                raise ValueError(f"This is not the state of {self.name}: it has {', '.join(wrong)}.")
            self.check(changed[-1])
            for p, i in zip(group["params"], saved["params"]):
                values = state_dict["state"].get(i, {})
                state[p] = {k: remembered(k, v, i, p) for k, v in values.items() if v is not None}
        self.memory, self.blocks, self.others = {p: past for p, past in state.items() if past}, [], []
        self.arranged = []
        for group, new in zip(self.param_groups, changed):
            group.update(new)  # the dicts stay the same ones: someone may hold them
            for name in group.keys() - new.keys():
                del group[name]


def remembered(name: str, value: Any, i: int, p: Tensor) -> Any:
    """A saved value as an optimizer keeps it: a count, or an array of its own with p's shape and dtype."""
    array = np.asarray(value)
    if not isinstance(name, str) or array.dtype.kind not in "fiub" or name == "step" and array < 0:
        raise ValueError(f"The saved {name} of parameter {i} is {value!r}, which no optimizer remembers.")
    if name == "step":
        return int(array)
    if array.shape != p.shape:
        raise ValueError(f"The saved {name} of parameter {i} has shape {array.shape}, but the parameter {p.shape}.")
    return np.array(array, p.dtype)


def require(who: str, option: str, value: Any, low: float, below: float = np.inf) -> None:
    """Refuse an option that is not a number from low up to, but not including, below."""
    if not isinstance(value, numbers) or not low <= value < below:
        span = f"at least {low}" if below == np.inf else f"at least {low} and below {below}"
        raise (ValueError if isinstance(value, numbers) else TypeError)(
            f"{who}({option}=) is a number {span}, but got {value!r}."
        )


def alike(new: Any, old: Any) -> bool:
    """Whether both are numbers, or strings, or lists of what is alike; None says nothing of what is to come."""
    if old is None:
        return True
    if isinstance(old, (list, tuple)):
        if isinstance(new, (list, tuple)) and len(new) == len(old):
            return all(map(alike, new, old))
        return isinstance(new, (list, tuple)) and all(any(alike(x, y) for y in old or new) for x in new)
    return isinstance(new, numbers) if isinstance(old, numbers) else isinstance(new, type(old))
