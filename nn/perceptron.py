"""This project's own two: one neuron, and layers of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd import Tensor

from . import activations, init
from .containers import Identity, Sequential
from .layers import Dropout, Linear
from .module import Module
from .normalisation import BatchNorm1d

if TYPE_CHECKING:
    from numpy.random import Generator

__all__ = ["MLP", "Lesson", "Perceptron"]


class Lesson(NamedTuple):
    """What `Perceptron.learn` came to.

    separable   True: an epoch without mistakes. False: no line separates the data, which is proved. None: not known yet
    mistakes    how many there were in each epoch
    """

    separable: bool | None
    mistakes: list[int]

    def __str__(self) -> str:
        n = len(self.mistakes)
        if self.separable:
            return f"separated after {sum(self.mistakes)} mistakes, in epoch {n}"
        if self.separable is False:
            return f"not separable: after epoch {n} the weights are ones that it had before, so it goes round for ever"
        return f"still {self.mistakes[-1]} mistakes in epoch {n}; whether the data are separable is not known"


class Perceptron(Linear):
    """ŷ = f(w · x + b): one neuron, for x of shape (..., n) and ŷ of shape (..., 1).

    Its boundary w · x + b = 0 is a hyperplane. w and b start as `nn.Linear`'s, and learn like them, by gradients; or by
    `learn`, Rosenblatt's rule. activation is a module or a class of modules.
    """

    def __init__(
        self,
        in_features: int,
        activation: Any = activations.Sigmoid,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(in_features, 1, dtype=dtype, generator=generator)
        self.activation = made(activation)

    def forward(self, input: Any) -> Any:
        return self.activation(super().forward(input))

    def learn(self, x: Any, t: Any, max_epochs: int = 1000) -> Lesson:
        """w ← w + (t − ŷ) x,  b ← b + (t − ŷ),  ŷ = 1 if w · x + b > 0 else 0, example by example   (Rosenblatt, 1958).

        From w = 0, b = 0, until an epoch is clean. If a line separates the data the rule makes finitely many mistakes
        (Novikoff, 1962). So if the weights at the end of an epoch with a mistake are ones that it began an epoch with,
        it goes round for ever, and no line exists. Whole numbers stay whole and bounded, and so must recur; with others
        rounding could only pretend it, and nothing is claimed.

        x            examples, of shape (n, in_features)
        t            their classes, 0 or 1 (or −1 or 1), of shape (n,) or (n, 1)
        max_epochs   when to give up
        """
        if max_epochs < 1:
            raise ValueError(f"learn(max_epochs=) is at least 1 epoch, but got {max_epochs!r}.")
        x, t = examples(x, t, self.in_features)
        whole = bool((x == np.round(x)).all() and np.abs(x).sum() * max_epochs < 2**53)
        w = np.zeros(self.in_features + 1)  # b is the weight of an input that is always 1
        x = np.column_stack([x, np.ones(len(x))])
        had = {w.tobytes()}
        mistakes: list[int] = []
        separable = None
        while separable is None and len(mistakes) < max_epochs:
            mistakes.append(0)
            for xi, ti in zip(x, t):
                error = ti - (w @ xi > 0)
                w = w + error * xi
                mistakes[-1] += bool(error)
            if not mistakes[-1]:
                separable = True
            elif whole and (w + 0.0).tobytes() in had:
                separable = False
            had.add((w + 0.0).tobytes())
        self.weight.data = w[None, :-1].astype(self.weight.dtype)
        self.bias.data = w[-1:].astype(self.bias.dtype)
        return Lesson(separable, mistakes)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}"


def examples(x: Any, t: Any, in_features: int) -> tuple[Any, Any]:
    """x of shape (n, in_features) and t of shape (n,) with classes 0 and 1, as float64 arrays."""
    x = np.asarray(x.data if isinstance(x, Tensor) else x, np.float64)
    t = np.asarray(t.data if isinstance(t, Tensor) else t, np.float64)
    if x.ndim != 2 or x.shape[1] != in_features:
        raise ValueError(f"learn() takes x of shape (n, {in_features}), but it has shape {x.shape}.")
    if t.shape not in ((len(x),), (len(x), 1)):
        raise ValueError(f"learn() takes a class for each of the {len(x)} examples, but t has shape {t.shape}.")
    if not np.isfinite(x).all():
        raise ValueError("learn() takes finite numbers, but x has NaN or infinity.")
    if not np.isin(t, (0, 1)).all() and not np.isin(t, (-1, 1)).all():
        raise ValueError(f"learn() takes classes 0 and 1, or -1 and 1, but t has {np.unique(t)}.")
    return x, (t.ravel() > 0).astype(np.float64)


def made(activation: Any) -> Module:
    """A module of the class `activation`, or what it makes if it is a function; a module itself is taken as it is."""
    try:
        module = activation if isinstance(activation, Module) else activation()
    except TypeError:
        module = None
    if not isinstance(module, Module):
        raise TypeError(f"An activation is a class of modules, such as nn.Tanh, not {activation!r}.")
    return module


# ---- layers of neurons --------------------------------------------------------------------------------------------


class MLP(Sequential):
    """h_l = f(W_l h_{l-1} + b_l), and a last layer without f: fully connected layers from widths[0] to widths[-1].

    widths       the length of the input, of each hidden layer, of the output
    activation   f: a class of modules, or a function that makes one, lambda: nn.LeakyReLU(0.2)
    batch_norm   whether to normalise between W h + b and f
    dropout      the probability with which a hidden neuron is dropped in training
    output       what comes after the last layer, such as nn.Sigmoid
    dtype        of the parameters; autograd's default if None
    generator    draws the weights and what Dropout drops; the default one if None

    Biases start at zero, weights by the rule that keeps the variance through what follows them (see `start_rule`).

    >>> import nn
    >>> nn.MLP([2, 4, 1], output=nn.Sigmoid)
    MLP(
      2-4-1, weights: Xavier/Glorot for Tanh, Xavier/Glorot for Sigmoid
      (0): Linear(in_features=2, out_features=4, bias=True)
      (1): Tanh()
      (2): Linear(in_features=4, out_features=1, bias=True)
      (3): Sigmoid()
    )
    """

    def __init__(
        self,
        widths: Sequence[int],
        activation: Callable[[], Module] = activations.Tanh,
        batch_norm: bool = False,
        dropout: float = 0.0,
        output: Any = None,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.widths = checked_widths(widths)
        self.rules: list[str] = []
        for n_in, n_out in pairwise(self.widths[:-1]):
            f = made(activation)
            self.append(self.started(Linear(n_in, n_out, dtype=dtype, generator=generator), f, generator))
            if batch_norm:
                self.append(BatchNorm1d(n_out, dtype=dtype))
            self.append(f)
            if dropout:
                self.append(Dropout(dropout, generator=generator))
        n_in, n_out = self.widths[-2:]
        f = Identity() if output is None else made(output)
        self.append(self.started(Linear(n_in, n_out, dtype=dtype, generator=generator), f, generator))
        if output is not None:
            self.append(f)

    def started(self, layer: Linear, f: Module, generator: Generator | None) -> Linear:
        """layer, with the weights that fit the activation f after it."""
        name, slope = start_rule(f)
        if slope is None:
            init.xavier_uniform_(layer.weight, generator=generator)
        else:
            init.kaiming_uniform_(layer.weight, a=slope, generator=generator)
        init.zeros_(layer.bias)
        self.rules.append(f"{name} for {'the output' if isinstance(f, Identity) else type(f).__name__}")
        return layer

    def extra_repr(self) -> str:
        return f"{'-'.join(map(str, self.widths))}, weights: {', '.join(dict.fromkeys(self.rules))}"


def start_rule(f: Module) -> tuple[str, float | None]:
    """The rule of `nn.init` for weights before f: its name, and kaiming_uniform_'s slope a, or None for Xavier's.

    Xavier/Glorot  variance 2 / (n_in + n_out)         for what is the identity near 0, as tanh; sigmoids; no activation
    He/Kaiming     variance 2 / (n_in (1 + slope²))    for the ReLU family, which halves E[h²]; the slope is LeakyReLU's
    LeCun          variance 1 / n_in, that is slope 1  for SELU, which normalises itself then   (Klambauer et al., 2017)
    """
    if isinstance(f, activations.LeakyReLU):
        return "He/Kaiming", f.negative_slope
    if isinstance(f, activations.SELU):
        return "LeCun", 1.0
    family = (
        activations.ReLU,
        activations.ELU,
        activations.GELU,
        activations.SiLU,
        activations.Mish,
        activations.Softplus,
    )
    return ("He/Kaiming", 0.0) if isinstance(f, family) else ("Xavier/Glorot", None)


def integer(n: Any) -> bool:
    """Whether n is a whole number, of Python or of NumPy."""
    return isinstance(n, (int, np.integer)) and not isinstance(n, bool)


def checked_widths(widths: Any) -> list[int]:
    """widths as a list of at least two positive integers."""
    if not isinstance(widths, (list, tuple)) or len(widths) < 2 or not all(integer(n) and n > 0 for n in widths):
        raise ValueError(f"MLP() takes the widths of all layers, input and output included, [2, 4, 1], not {widths!r}.")
    return [int(n) for n in widths]
