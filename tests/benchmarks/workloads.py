"""The list of workloads, and of the contestants that may run them."""

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from . import anomaly, chain, classifier, elementwise, growth, imports, lesson, memory, xor
from .measure import turn

CONTESTANTS = {  # how the table calls them, and the package each one needs; ours is always tried
    "ours": None,
    "numpy": "numpy",
    "pytorch": "torch",
    "jax": "jax",
    "mygrad": "mygrad",
    "micrograd": "micrograd",
}


class Workload(NamedTuple):
    """A module with a function for each contestant that can do it, `contestant(**options) -> step`."""

    about: str
    module: ModuleType
    options: dict[str, Any] = {}
    check: dict[str, Any] | None = {}  # options replaced while results are compared; None: there is nothing to compare
    measure: Callable[[Any], float] = turn
    turns: int = 60  # how often it is measured in each process
    unit: str = "s"  # of what is measured

    def contestants(self):
        """The names of those who have a listing for this workload."""
        return [name for name in CONTESTANTS if hasattr(self.module, name)]

    def prepare(self, contestant, **changes):
        """The contestant's step, ready to be called; None if the contestant lacks what the workload needs."""
        return getattr(self.module, contestant)(**{**self.options, **changes})


def mlp(**options):
    return dict(widths=(64, 128, 64, 10), batch=64) | options


def mnist(**options):
    return dict(widths=(784, 512, 256, 10), batch=128, optimizer="SGD") | options


# fmt: off
WORKLOADS = {
    "xor":         Workload("2-4-1 tanh, batch 4, MSE, SGD", xor, dict(optimizer="SGD")),
    "xor-adam":    Workload("the same with Adam", xor, dict(optimizer="Adam")),
    "mlp":         Workload("64-128-64-10 ReLU, batch 64, cross entropy, SGD",
                            classifier, mlp(activation="ReLU", optimizer="SGD")),
    "mlp-adam":    Workload("the same with Adam", classifier, mlp(activation="ReLU", optimizer="Adam")),
    "mnist":       Workload("784-512-256-10 ReLU, batch 128, cross entropy, SGD", classifier, mnist(activation="ReLU")),
    "mnist-adam":  Workload("the same with Adam", classifier, mnist(activation="ReLU", optimizer="Adam"),
                            check=mlp()),  # where gradients are almost 0, Adam makes much of what rounding left
    "mnist-gelu":  Workload("the same with GELU (exact, by erf), SGD", classifier, mnist(activation="GELU")),
    "lesson":      Workload("10-64-32-1 BatchNorm, ReLU, Dropout, Sigmoid, BCE, clipping, AdamW, batch 64",
                            lesson, dict(dropout=0.2), check=dict(dropout=0.0)),
    "chain":       Workload("200 scalar operations (+ - * ** relu), forward and backward", chain),
    "elementwise": Workload("exp(tanh(b)*b + b).sum(), 1,000,000 numbers, forward and backward", elementwise),
    "growth":      Workload("time for each of 1,000,000 operations in one graph over that for each of 1,000", growth,
                            check=None, measure=growth.ratio, turns=1, unit="x"),
    "anomaly":     Workload("the chain's time, detect_anomaly off, over that of an engine without it", anomaly,
                            check=None, measure=anomaly.ratio, unit="x"),
    "memory":      Workload("peak memory of a step of 784-512-256-10, SGD, beyond parameters; retain_graph=False",
                            memory, mnist(activation="ReLU"), check=None, measure=memory.peak, turns=1, unit="MB"),
    "import":      Workload("import autograd, nn, viz on top of import numpy (numpy's column: import numpy itself)",
                            imports, check=None, measure=imports.seconds, turns=5),
}
# fmt: on
