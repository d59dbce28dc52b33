"""What all optimizers share: groups of parameters with their options, the state of each parameter, and the loop."""

from __future__ import annotations

import inspect
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd import Tensor, enable_grad, stamp
from autograd.advice import a

Array = np.ndarray[Any, np.dtype[Any]]

__all__ = ["Optimizer", "moment", "require"]

at_least_0 = {"lr", "momentum", "dampening", "weight_decay", "eps", "alpha", "lr_decay", "initial_accumulator_value"}
nothing: Any = (None, None, None)  # the workspace before the first step


in_groups = (
    "An optimizer has no lr of its own, but each group of its parameters has one. Write "
    "optimizer.param_groups[0]['lr'] = 0.01, or in a loop over all groups."
)


class Optimizer:
    """Changes parameters in place, a step at a time, by the formula that a subclass gives in `update`.

    params     Tensors, or dicts {"params": Tensors, option: value, ...}, each a group with options of its own
    defaults   the options of groups that do not give their own

    param_groups   the groups: dicts of "params" and every option; change group["lr"] at any time
    state          what `update` remembers of each parameter, such as its velocity
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
        self.state: dict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.workspaces: dict[Tensor, tuple[Array, Array, Array]] = {}  # of each parameter: what workspace() returned
        self.pools: dict[Any, Array] = {}  # the memory of all workspaces, for each dtype
        self.stepped = False  # whether step() was ever called, for schedulers to warn
        self.cleared = False  # whether zero_grad() was, for step() to warn
        model = hasattr(params, "parameters")
        if model or not isinstance(params, Iterable) or isinstance(params, (Tensor, np.ndarray, dict, str)):
            wanted = "model.parameters()" if model or callable(params) else "a list such as [w, b]"
            raise TypeError(f"{self.name}() takes parameters to optimize, {wanted}, not one {type(params).__name__}.")
        groups = list(params)
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

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Optimize more parameters: {"params": Tensors, option: value, ...}."""
        if not isinstance(group, dict) or "params" not in group:
            raise TypeError(f"A parameter group is a dict such as {{'params': [w, b], 'lr': 0.1}}, not {group!r}.")
        params = group["params"]
        if isinstance(params, (set, frozenset)):
            raise TypeError("The parameters are a set, which has no order to save their state by; pass a list.")
        params = [params] if isinstance(params, Tensor) else list(params)
        group = self.defaults | group | {"params": params}
        if not group["params"]:
            raise ValueError(f"Parameter group {len(self.param_groups)} of {self.name} has no parameters.")
        known = {p for other in self.param_groups for p in other["params"]}
        for i, p in enumerate(group["params"]):
            self.check_parameter(i, p, known)
            known.add(p)
        self.check(group)
        self.param_groups.append(group)

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
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad = np.zeros_like(p.grad)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient. Returns closure(), which is called first, to compute it anew."""
        loss = None
        if closure is not None:
            if not callable(closure):
                raise TypeError(
                    f"step() takes nothing, or a function that computes the loss anew, but got {a(closure)}. Write "
                    "loss.backward(), then optimizer.step()."
                )
            with enable_grad():
                loss = closure()
        found = []  # everything is checked before anything is changed
        for group in self.param_groups:
            for p in group["params"]:
                g = p.grad
                if g is None:
                    continue
                w, s, t = self.workspaces.get(p, nothing)
                if w is not p.data:
                    w, s, t = self.workspace(p)
                if type(g) is not np.ndarray:
                    g = np.asarray(g.data if isinstance(g, Tensor) else g)
                if g.shape != w.shape:
                    raise ValueError(
                        f"A parameter of shape {w.shape} has a gradient of shape {g.shape}, from before its data were "
                        "replaced. Call zero_grad() and compute the gradient anew."
                    )
                found.append((p, w, g, s, t, group))
        if not found and self.cleared:
            warnings.warn(
                f"{self.name}.step() found no gradients, so it changes nothing. The order is optimizer.zero_grad(), "
                "loss.backward(), optimizer.step().",
                stacklevel=2,
            )
        for p, w, g, s, t, group in found:
            if group.get("maximize"):
                g = np.negative(g, out=t)
            if self.coupled and group.get("weight_decay"):
                g = np.add(g, np.multiply(w, group["weight_decay"], out=s), out=t)
            self.update(w, g, self.state[p], group, s)
        stamp(*[p for p, *_ in found])
        self.stepped = True
        return loss

    def update(self, w: Array, g: Array, state: dict[str, Any], group: dict[str, Any], s: Array) -> None:
        """The formula: change the array w in place, given its gradient g, which must stay as it is.

        s   an array of w's shape to compute in, so that a step allocates nothing
        """
        raise TypeError(f"{self.name} has no formula: define update(self, w, g, state, group, s) to change w in place.")

    def workspace(self, p: Tensor) -> tuple[Array, Array, Array]:
        """p's array, writable, and two more of its shape and dtype to compute in, which all parameters share."""
        w = p.data = np.require(p.data, requirements="W")  # someone assigned to .data: perhaps a number, or a broadcast
        if w.dtype.kind != "f":
            raise TypeError(f"A parameter holds {w.dtype}, which small steps cannot change; give it floats.")
        for name, array in self.state.get(p, {}).items():
            if isinstance(array, np.ndarray) and (array.dtype, array.shape) != (w.dtype, w.shape):
                if array.shape != w.shape:  # a past of other elements says nothing of these
                    del self.state[p]
                    break
                self.state[p][name] = array.astype(w.dtype)
        pool = self.pools.get(w.dtype)
        if pool is None or pool.shape[1] < w.size:
            size = max(np.size(p.data) for group in self.param_groups for p in group["params"])
            pool = self.pools[w.dtype] = np.empty((2, size), w.dtype)
        s, t = (row[: w.size].reshape(w.shape) for row in pool)
        self.workspaces[p] = w, s, t
        return w, s, t

    # ---- saving, in PyTorch's layout

    def state_dict(self) -> dict[str, Any]:
        """{"state": {index: what is remembered of it}, "param_groups": [options, with indexes for "params"]}.

        The indexes count the parameters through all groups. The arrays are copies.
        """
        params = [p for group in self.param_groups for p in group["params"]]
        index = {p: i for i, p in enumerate(params)}
        return {
            "state": {i: {k: np.copy(v) if isinstance(v, np.ndarray) else v for k, v in self.state[p].items()}
                      for i, p in enumerate(params) if self.state.get(p)},
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
            self.check(changed[-1])
            for p, i in zip(group["params"], saved["params"]):
                values = state_dict["state"].get(i, {})
                state[p] = {k: remembered(k, v, i, p) for k, v in values.items() if v is not None}
        self.state = defaultdict(dict, state)
        for group, new in zip(self.param_groups, changed):
            group.clear()  # the dicts stay the same ones: someone may hold them
            group.update(new)


def moment(state: dict[str, Any], name: str, w: Array, fill: float = 0.0) -> Array:
    """The array of that name that state remembers; at first, filled with one number."""
    if name not in state:
        state[name] = np.full_like(w, fill)
    return state[name]


def remembered(name: str, value: Any, i: int, p: Tensor) -> Any:
    """A saved value as an optimizer keeps it: a count, or an array of its own with p's shape and dtype."""
    array = np.asarray(value)
    if name == "step":
        return int(array)
    if array.shape != p.shape:
        raise ValueError(f"The saved {name} of parameter {i} has shape {array.shape}, but the parameter {p.shape}.")
    return np.array(array, p.dtype)


def require(who: str, option: str, value: Any, low: float, below: float = np.inf) -> None:
    """Refuse an option that is not a number from low up to, but not including, below."""
    if not isinstance(value, (int, float, np.number)) or not low <= value < below:
        span = f"at least {low}" if below == np.inf else f"at least {low} and below {below}"
        raise (ValueError if isinstance(value, (int, float, np.number)) else TypeError)(
            f"{who}({option}=) is a number {span}, but got {value!r}."
        )
