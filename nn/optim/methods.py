"""The optimizers, simplest first. Each formula stands twice: as mathematics, and as calls that work in place.

    w    the parameter     α    lr, the learning rate
    g    its gradient; −g with maximize=True; g + λ w with weight_decay=λ: the gradient of the loss + λ/2 |w|²

`out=s` names a place to compute in. Names, defaults and numbers are PyTorch's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .blocks import Array, Memory
from .optimizer import Optimizer, require

__all__ = ["SGD", "Adagrad", "RMSprop", "Adam", "AdamW"]

# The formulas stand in a column of their own:
# fmt: off


class SGD(Optimizer):
    """w ← w − α g,  or with momentum μ and dampening τ,

        v ← μ v + (1 − τ) g,   w ← w − α v             (Polyak, 1964; v starts as g; α scales the whole velocity)
                               w ← w − α (g + μ v)     with nesterov=True (Sutskever et al., 2013)

    >>> from autograd import Tensor
    >>> w = Tensor(4.0, requires_grad=True)
    >>> optimizer = SGD([w], lr=0.25)
    >>> (w * w).backward(); optimizer.step(); w
    Tensor(2., requires_grad=True, grad=8.)
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, dict(lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
                                      nesterov=nesterov, maximize=maximize))

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        if group["nesterov"] and (group["momentum"] == 0 or group["dampening"] != 0):
            raise ValueError("SGD(nesterov=True) looks ahead along its velocity: it takes momentum > 0, dampening = 0.")

    def change(self, g: Array, state: Memory, group: dict[str, Any], s: Array) -> Array:
        μ = group["momentum"]
        if μ:
            first = "momentum_buffer" not in state
            v = state["momentum_buffer"]
            v *= μ
            v += g if first else np.multiply(g, 1 - group["dampening"], out=s)     # v ← μ v + (1 − τ) g, but first g
            g = np.add(g, np.multiply(v, μ, out=s), out=s) if group["nesterov"] else v
        return np.multiply(g, float(group["lr"]), out=s)                           # α v


class Adagrad(Optimizer):
    """h ← h + g²,  w ← w − α g / (√h + ε),  with α = lr / (1 + (t − 1) lr_decay) at step t   (Duchi et al., 2011)."""

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, dict(lr=lr, lr_decay=lr_decay, eps=eps, weight_decay=weight_decay, maximize=maximize,
                                      initial_accumulator_value=initial_accumulator_value))

    def change(self, g: Array, state: Memory, group: dict[str, Any], s: Array) -> Array:
        step = state["step"] = state.get("step", 0) + 1
        first = "sum" not in state
        h = state["sum"]
        if first:
            h += group["initial_accumulator_value"]
        h += np.square(g, out=s)                                                   # h ← h + g²
        np.add(np.sqrt(h, out=s), group["eps"], out=s)
        np.divide(g, s, out=s)                                                     # g / (√h + ε)
        s *= float(group["lr"]) / (1 + (step - 1) * group["lr_decay"])
        return s


class RMSprop(Optimizer):
    """h ← ρ h + (1 − ρ) g²,  w ← w − α g / (√h + ε),  where ρ is `alpha`   (Tieleman and Hinton, 2012).

    centered   √(h − m²) instead of √h, with m ← ρ m + (1 − ρ) g: the deviation of g, not its size (Graves, 2013)
    momentum   v ← μ v + g / (√h + ε),  w ← w − α v
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, dict(lr=lr, momentum=momentum, alpha=alpha, eps=eps, centered=centered,
                                      weight_decay=weight_decay, maximize=maximize))

    def change(self, g: Array, state: Memory, group: dict[str, Any], s: Array) -> Array:
        ρ, μ = group["alpha"], group["momentum"]
        state["step"] = state.get("step", 0) + 1
        h = state["square_avg"]
        h *= ρ
        h += np.multiply(np.square(g, out=s), 1 - ρ, out=s)                    # h ← ρ h + (1 − ρ) g²
        if group["centered"]:
            m = state["grad_avg"]
            m *= ρ
            m += np.multiply(g, 1 - ρ, out=s)                                  # m ← ρ m + (1 − ρ) g
            np.subtract(h, np.square(m, out=s), out=s)
            np.maximum(s, 0, out=s)                                            # rounding may leave a variance below 0
            np.sqrt(s, out=s)
        else:
            np.sqrt(h, out=s)
        s += group["eps"]
        np.divide(g, s, out=s)                                                 # g / (√h + ε)
        if μ:
            v = state["momentum_buffer"]
            v *= μ
            v += s                                                             # v ← μ v + g / (√h + ε)
            np.copyto(s, v)
        s *= float(group["lr"])
        return s


class Adam(Optimizer):
    """m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  w ← w − α m̂ / (√v̂ + ε)   (Kingma and Ba, 2015)

    with m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) at step t, as averages that start at 0 are too small at first.

    amsgrad   the largest v so far instead of v (Reddi et al., 2018)
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad,
                                      maximize=maximize))

    def check(self, group: dict[str, Any]) -> None:
        super().check(group)
        betas = group["betas"]
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise TypeError(f"{self.name}(betas=) is a pair such as (0.9, 0.999), but got {betas!r}.")
        for i, beta in enumerate(betas):
            require(self.name, f"betas[{i}]", beta, 0, below=1)

    def change(self, g: Array, state: Memory, group: dict[str, Any], s: Array) -> Array:
        step = state["step"] = state.get("step", 0) + 1
        β1, β2 = group["betas"]
        m, v = state["exp_avg"], state["exp_avg_sq"]
        m *= β1
        m += np.multiply(g, 1 - β1, out=s)                                     # m ← β₁ m + (1 − β₁) g
        v *= β2
        v += np.multiply(np.square(g, out=s), 1 - β2, out=s)                   # v ← β₂ v + (1 − β₂) g²
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]
            v = np.maximum(largest, v, out=largest)
        c = math.sqrt(1 - β2**step)                                            # √v̂ = √v / c
        np.sqrt(v, out=s)
        s += group["eps"] * c
        np.divide(m, s, out=s)
        s *= float(group["lr"]) * c / (1 - β1**step)                           # α m̂ / (√v̂ + ε)
        return s


class AdamW(Adam):
    """w ← (1 − α λ) w, then Adam's step, whose g has no part in the decay   (Loshchilov and Hutter, 2019)."""

    coupled = False

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)
