"""Schedulers: what the learning rate is at each epoch. Call `scheduler.step()` after each epoch's optimizer steps.

Below, α₀ is the rate that the optimizer was made with, t the epoch (0 before the first `step()`), γ is `gamma`.

Each scheduler changes the present rate by the ratio of its formula at t to that at t − 1, as PyTorch's do. So several
can act on one optimizer: their effects multiply.
"""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any

from autograd import Tensor
from autograd.tensor import at_once

from .optimizer import Optimizer, alike, require

__all__ = [
    "LRScheduler", "StepLR", "MultiStepLR", "ExponentialLR", "LinearLR", "CosineAnnealingLR", "LambdaLR", "OneCycleLR",
    "ReduceLROnPlateau", "SequentialLR",
]  # fmt: skip


class LRScheduler:
    """The rate is α₀ · multiple(t). A subclass defines `multiple`, or `get_lr`, the rate of each group at `last_epoch`.

    last_epoch   −1 to start; k to go on after epoch k with an optimizer that was saved, and so knows its rates
    """

    keeps_rates = False  # whether going on leaves the optimizer's rates as they were saved
    unsaved: tuple[str, ...] = ("optimizer",)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.attach(optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{self.name}(last_epoch={last_epoch}) goes on with a saved optimizer, but group {i} of this one "
                    "has no 'initial_lr': load its state_dict first, or start with last_epoch=-1."
                )
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch + 1
        self.apply(self.rates if last_epoch >= 0 and self.keeps_rates else self.get_lr())

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def rates(self) -> list[float]:
        """The present learning rates, one for each group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def attach(self, optimizer: Optimizer) -> None:
        """Remember whose rates these are."""
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{self.name}() takes an Optimizer, but got {type(optimizer).__name__}.")
        self.optimizer = optimizer

    def multiple(self, t: int) -> float:
        """The rate at epoch t, as a multiple of α₀."""
        raise TypeError(f"{self.name} has no formula: define multiple(self, t), or get_lr(self).")

    def get_lr(self) -> list[float]:
        """The rate of each group at epoch `last_epoch`, given the rates at the epoch before."""
        t = self.last_epoch
        now, before = self.multiple(t), self.multiple(t - 1) if t > 0 else 1.0
        if now == before:
            return self.rates
        return [lr * (now / before) if before else base * now for lr, base in zip(self.rates, self.base_lrs)]

    def apply(self, lrs: list[float]) -> None:
        """Give each group its rate."""
        if len(lrs) != len(self.optimizer.param_groups):
            raise ValueError(
                f"{self.name} schedules {len(lrs)} parameter groups, but the optimizer now has "
                f"{len(self.optimizer.param_groups)}: make the scheduler after add_param_group()."
            )
        for group, lr in zip(self.optimizer.param_groups, lrs):
            group["lr"] = lr
        self._last_lr = list(lrs)

    def get_last_lr(self) -> list[float]:
        """The rates that this scheduler gave last, one for each group."""
        return self._last_lr

    def step(self) -> None:
        """Go to the next epoch. After a failure, or Ctrl-C, on the way, all is as it was before."""
        has_own_step = type(self.optimizer).step is not Optimizer.step  # and need not note that it was called
        if self.last_epoch == 0 and not self.optimizer.stepped and not has_own_step:
            warnings.warn(
                f"{self.name}.step() was called before the first optimizer.step(), so the first learning rate was "
                "never used. Call optimizer.step() for the epoch first, then scheduler.step().",
                stacklevel=2,
            )
        self.wholly(self.advance)

    def advance(self) -> None:
        """What `step` does."""
        self.last_epoch += 1
        self.apply(self.get_lr())

    def wholly(self, function: Callable[..., None], *args: Any) -> None:
        """function(*args), or if it does not come to its end, nothing."""
        changing = [vars(part) for part in self.parts()] + self.optimizer.param_groups
        before = [{**each} for each in changing]
        try:
            function(*args)
        except BaseException:  # Ctrl-C too
            at_once(map(dict.update, changing, before))
            raise

    def parts(self) -> list[LRScheduler]:
        """This scheduler, and all that it steps."""
        return [self]

    def restart(self, lrs: list[float]) -> None:
        """Go to epoch 0, with these rates as α₀."""
        self.last_epoch = 0
        self.apply(lrs)
        self.apply(self.get_lr())

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, which has its own, and functions."""
        return {k: list(v) if isinstance(v, list) else v for k, v in self.mine()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where the scheduler that gave state_dict stopped, or change nothing. The optimizer loads its rates
        itself."""
        self.check_state(state_dict)
        vars(self).update({k: list(state_dict[k]) if isinstance(v, list) else state_dict[k] for k, v in self.mine()})

    def mine(self) -> list[tuple[str, Any]]:
        """What is saved, by name."""
        return [(k, v) for k, v in vars(self).items() if k not in self.unsaved]

    def check_state(self, state_dict: dict[str, Any]) -> None:
        """Refuse what is no state of such a scheduler."""
        missing = sorted(k for k, _ in self.mine() if k not in state_dict)
        if missing:
            raise ValueError(f"This is not the state of {self.name}: it lacks {', '.join(missing)}.")
        for k, v in self.mine():
            if not alike(state_dict[k], v):
                raise ValueError(f"This is not the state of {self.name}: {k} is {state_dict[k]!r}, but here {v!r}.")


class StepLR(LRScheduler):
    """α₀ γ^⌊t / step_size⌋"""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        require(self.name, "step_size", step_size, 1)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def multiple(self, t: int) -> float:
        return self.gamma ** (t // self.step_size)


class MultiStepLR(LRScheduler):
    """α₀ γⁿ, where n is how many milestones are at most t."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        if not isinstance(milestones, Iterable) or isinstance(milestones, str):
            raise TypeError(f"MultiStepLR(milestones=) is a list of epochs, such as [30, 80], but got {milestones!r}.")
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def multiple(self, t: int) -> float:
        return self.gamma ** bisect_right(self.milestones, t)


class ExponentialLR(LRScheduler):
    """α₀ γᵗ"""

    keeps_rates = True

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def multiple(self, t: int) -> float:
        return self.gamma**t


class LinearLR(LRScheduler):
    """α₀ (a + (b − a) t / T), with a and b the start and end factor and T = total_iters; from then on α₀ b."""

    keeps_rates = True

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(f"LinearLR(start_factor=) is above 0 and at most 1, but got {start_factor!r}.")
        if not 0 <= end_factor <= 1:
            raise ValueError(f"LinearLR(end_factor=) is between 0 and 1, but got {end_factor!r}.")
        require(self.name, "total_iters", total_iters, 1)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def multiple(self, t: int) -> float:
        return self.start_factor + (self.end_factor - self.start_factor) * min(t / self.total_iters, 1)


class CosineAnnealingLR(LRScheduler):
    """η + (α₀ − η) (1 + cos(π t / T)) / 2, with η = eta_min and T = T_max   (Loshchilov and Hutter, 2017)."""

    keeps_rates = True

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        require(self.name, "T_max", T_max, 1)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def multiple(self, t: int) -> float:
        """(1 + cos(π t / T)) / 2: how much is left of the way from η to α₀."""
        return (1 + math.cos(math.pi * t / self.T_max)) / 2

    def get_lr(self) -> list[float]:
        t, η = self.last_epoch, self.eta_min
        if t == 0:
            return self.rates
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:  # leaving η, where there is nothing to multiply
            return [lr + (base - η) * self.multiple(self.T_max - 1) for lr, base in zip(self.rates, self.base_lrs)]
        return [η + (lr - η) * (self.multiple(t) / self.multiple(t - 1)) for lr in self.rates]


class LambdaLR(LRScheduler):
    """α₀ f(t), with f = lr_lambda: one function, or a list of one for each group. It is not part of the state_dict."""

    unsaved = ("optimizer", "lr_lambdas")

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | list[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.attach(optimizer)
        self.lr_lambdas = for_each_group(self, "lr_lambda", lr_lambda)
        for f in self.lr_lambdas:
            if not callable(f):
                raise TypeError(f"LambdaLR(lr_lambda=) is a function of the epoch, lambda t: 0.9**t, but got {f!r}.")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [base * f(self.last_epoch) for f, base in zip(self.lr_lambdas, self.base_lrs)]


class OneCycleLR(LRScheduler):
    """Up from max_lr / div_factor to max_lr, then down to max_lr / div_factor / final_div_factor; step it every batch
    (Smith and Topin, 2018).

    pct_start          the part of all steps that goes up
    anneal_strategy    'cos': along half a cosine; 'linear'
    cycle_momentum     SGD's momentum, or Adam's β₁, goes from max_momentum down to base_momentum and up again
    three_phase        down in as many steps as up, to max_lr / div_factor; then on to the end
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.attach(optimizer)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR() has to know its length: total_steps, or epochs and steps_per_epoch.")
            total_steps = epochs * steps_per_epoch
        require(self.name, "total_steps", total_steps, 1)
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR(pct_start=) is a part of all steps, between 0 and 1, but got {pct_start!r}.")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR(anneal_strategy=) is 'cos' or 'linear', but got {anneal_strategy!r}.")
        if cycle_momentum and not {"betas", "momentum"} & optimizer.defaults.keys():
            raise ValueError(f"{optimizer.name} has no momentum to cycle; pass cycle_momentum=False.")
        self.total_steps, self.anneal_strategy = total_steps, anneal_strategy
        self.momentum = ("betas" if "betas" in optimizer.defaults else "momentum") if cycle_momentum else ""
        peak, last = pct_start * total_steps - 1, total_steps - 1
        low, high = "base_momentum", "max_momentum"
        up = (0, peak, "initial_lr", "max_lr", high, low)  # the steps where it starts and ends; rates; momenta
        if three_phase:
            down = (peak, 2 * peak, "max_lr", "initial_lr", low, high)
            self.phases = [up, down, (2 * peak, last, "initial_lr", "min_lr", high, high)]
        else:
            self.phases = [up, (peak, last, "max_lr", "min_lr", low, high)]
        if last_epoch == -1:
            lrs = for_each_group(self, "max_lr", max_lr)
            bases = for_each_group(self, "base_momentum", base_momentum)
            tops = for_each_group(self, "max_momentum", max_momentum)
            for group, lr, base, top in zip(optimizer.param_groups, lrs, bases, tops):
                group.update(max_lr=lr, initial_lr=lr / div_factor, min_lr=lr / div_factor / final_div_factor)
                if cycle_momentum:
                    group.update(base_momentum=base, max_momentum=top)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(f"OneCycleLR was made for {self.total_steps} steps, and this is step {t}.")
        start, end, *names = next((phase for phase in self.phases if t <= phase[1]), self.phases[-1])
        part = (t - start) / (end - start) if end != start else 1.0
        lrs = []
        for group in self.optimizer.param_groups:
            lr0, lr1, momentum0, momentum1 = (group.get(name, 0.0) for name in names)
            lrs.append(self.between(lr0, lr1, part))
            if self.momentum:
                value = self.between(momentum0, momentum1, part)
                group[self.momentum] = (value, *group["betas"][1:]) if self.momentum == "betas" else value
        return lrs

    def between(self, a: float, b: float, part: float) -> float:
        """What stands at that part of the way from a to b."""
        return a + (b - a) * ((1 - math.cos(math.pi * part)) / 2 if self.anneal_strategy == "cos" else part)


class ReduceLROnPlateau(LRScheduler):
    """α ← max(factor · α, min_lr), whenever `step(metric)` has seen no better metric for more than `patience` epochs.

    mode        'min' if a lower metric is better, 'max' if a higher one is
    threshold   how much better: by that part of the best so far ('rel'), or by that much ('abs')
    cooldown    how many epochs after a reduction are not counted
    eps         a reduction by less is not made
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        self.attach(optimizer)
        require(self.name, "factor", factor, 0, below=1)
        if mode not in ("min", "max"):
            raise ValueError(f"ReduceLROnPlateau(mode=) is 'min' or 'max', but got {mode!r}.")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"ReduceLROnPlateau(threshold_mode=) is 'rel' or 'abs', but got {threshold_mode!r}.")
        self.mode, self.factor, self.patience, self.cooldown, self.eps = mode, factor, patience, cooldown, eps
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.min_lrs = for_each_group(self, "min_lr", min_lr)
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0
        self._last_lr = self.rates

    def step(self, metrics: Any) -> None:  # type: ignore[override]  # this one looks at how training goes
        """Note one epoch's metric, such as the validation loss."""
        self.wholly(self.note, float(metrics.data if isinstance(metrics, Tensor) else metrics))

    def note(self, metric: float) -> None:
        """What `step` does."""
        self.last_epoch += 1
        if self.better(metric):
            self.best, self.num_bad_epochs = metric, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
            lower = [max(lr * self.factor, least) for lr, least in zip(self.rates, self.min_lrs)]
            self.apply([new if lr - new > self.eps else lr for lr, new in zip(self.rates, lower)])
        self._last_lr = self.rates

    def better(self, metric: float) -> bool:
        """Whether metric beats the best so far by more than the threshold."""
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "abs":
            return sign * metric > sign * (self.best + sign * self.threshold)
        return sign * metric > sign * (self.best * (1 + sign * self.threshold))


class SequentialLR(LRScheduler):
    """Several schedulers in turn: schedulers[i] from epoch milestones[i − 1] on, which is its epoch 0."""

    unsaved = ("optimizer", "schedulers")

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int], last_epoch: int = -1
    ) -> None:
        self.attach(optimizer)
        if len(schedulers) != len(milestones) + 1:
            raise ValueError(
                f"SequentialLR() changes schedulers at each milestone, so it takes one more than milestones, but got "
                f"{len(schedulers)} schedulers and {len(milestones)} milestones."
            )
        for i, scheduler in enumerate(schedulers):
            if not isinstance(scheduler, LRScheduler) or isinstance(scheduler, ReduceLROnPlateau):
                raise TypeError(
                    f"SequentialLR() takes schedulers that step without a metric, but number {i} is a "
                    f"{type(scheduler).__name__}."
                )
            if scheduler.optimizer is not optimizer:
                raise ValueError(f"SequentialLR(): scheduler {i}, {scheduler.name}, belongs to another optimizer.")
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.restart(self.base_lrs)
        self.last_epoch = last_epoch + 1

    @property
    def present(self) -> LRScheduler:
        """The scheduler whose turn it is."""
        return self.schedulers[bisect_right(self.milestones, self.last_epoch)]

    def step(self) -> None:
        self.wholly(self.advance)

    def parts(self) -> list[LRScheduler]:
        return [self, *(part for scheduler in self.schedulers for part in scheduler.parts())]

    def advance(self) -> None:
        before = self.present
        self.last_epoch += 1
        if self.present is before:
            before.step()
        else:
            self.present.restart(self.present.base_lrs)
        self._last_lr = self.rates

    def restart(self, lrs: list[float]) -> None:
        self.last_epoch = 0
        self.present.restart(lrs)
        self._last_lr = self.rates

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"schedulers": [scheduler.state_dict() for scheduler in self.schedulers]}

    def check_state(self, state_dict: dict[str, Any]) -> None:
        states = state_dict.get("schedulers", [])
        if len(states) != len(self.schedulers):
            raise ValueError(
                f"The saved SequentialLR has {len(states)} schedulers, but this one {len(self.schedulers)}."
            )
        super().check_state(state_dict)
        for scheduler, state in zip(self.schedulers, states):
            scheduler.check_state(state)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        for scheduler, state in zip(self.schedulers, state_dict["schedulers"]):
            scheduler.load_state_dict(state)


def for_each_group(scheduler: LRScheduler, option: str, value: Any) -> list[Any]:
    """value as a list with one entry for each parameter group."""
    groups = len(scheduler.optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * groups
    if len(value) != groups:
        raise ValueError(f"{scheduler.name}({option}=) has {len(value)} entries for {groups} parameter groups.")
    return list(value)
