"""Compare derivatives with finite differences: the rules against the very functions they belong to.

∂F/∂x ≈ (F(x + h) − F(x − h)) / 2h, whose error is about h² F‴/6 + 10⁻¹⁶ F/h. A derivative of higher order is the
derivative of a gradient. To need few evaluations F is a number: the outputs, or the gradient, weighted at random.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from .functional import gradient
from .modes import no_grad
from .operations import Op, samples, table
from .tensor import Tensor, arrays, numbers

__all__ = ["GradcheckError", "gradcheck"]

Function = Callable[..., Any]
most = 100  # of a larger array only so many elements are tried, chosen at random


class GradcheckError(AssertionError):
    """A derivative disagrees with finite differences."""


def gradcheck(
    f: Function, *args: Any, order: int | None = None, eps: float = 1e-6, rtol: float = 1e-5, atol: float = 1e-7
) -> bool:
    """True if f's derivatives up to `order` agree with finite differences at args; else GradcheckError says where not.

    Agreement is |derivative − difference| ≤ atol + rtol · |difference|, with x ± eps. Every argument that is a float,
    an array or list of floats (float64, as float32 is too coarse for differences) or a list of arrays is varied; others
    are handed on. f may return several arrays. Away from kinks only: |x| at 0 has no derivative to compare with.

    order   1 unless given. Without args, f is a registered function, tried on the samples it came with, to order 2.

    >>> gradcheck(lambda w, x: np.tanh(w @ x), np.array([0.1, -0.2]), np.array([1.0, 3.0]), order=3)
    True
    >>> gradcheck(np.sin)
    True
    """
    if not callable(f):
        raise TypeError(f"gradcheck(f, *args) takes a function and the arguments to try it on, not {type(f).__name__}.")
    if order is not None and (not isinstance(order, int) or order < 1):
        raise ValueError(f"gradcheck() takes an order of 1 or more, not {order!r}.")
    args = tuple(np.array(x) if isinstance(x, list) and of_numbers(x) else x for x in args)
    if not args:
        return all(agree(*trial, order or 2, eps, rtol, atol) for trial in trials(f))
    try:
        return agree(getattr(f, "__name__", repr(f)), f, list(args), range(len(args)), order or 1, eps, rtol, atol)
    except TypeError as error:
        if len(args) > 1 or not isinstance(args[0], tuple):
            raise
        raise TypeError(
            "gradcheck(f, (x, y)) calls f with one argument, the tuple, which f does not take. Arguments are given one "
            f"by one, not in a tuple as for PyTorch's gradcheck: gradcheck(f, x, y). ({error})"
        ) from error


def of_numbers(x: Any) -> bool:
    """Whether x is a number, or a list of nothing but numbers and such lists."""
    return bool(x) and all(map(of_numbers, x)) if isinstance(x, list) else isinstance(x, numbers)


def trials(function: Function) -> list[tuple[str, Function, list[Any], Any]]:
    """For each sample call of a registered function: its text, the function, arguments, and which to vary."""
    entry = table.get(function)
    described = (entry.samples, entry.on) if isinstance(entry, Op) else samples.get(function)
    if described is None:
        raise TypeError(
            "gradcheck() needs arguments to try f on, gradcheck(f, np.array([0.5, 2.0])), unless f is a function "
            "that has samples, such as np.sin or what autograd.op returns."
        )
    calls, on = described
    rng = np.random.default_rng(0)
    found = []
    for call in calls:
        args = call.draw(rng, on)
        if isinstance(entry, Op) and not entry.each:
            varied = [i for i, rule in enumerate(entry.rules[: len(args)]) if rule is not None]
        else:
            varied = [i for i, x in enumerate(args) if not isinstance(x, float)]  # which may be metadata
        found.append((f"{function.__name__} on {call}", call.of(function), args, varied))
    return found


def agree(
    name: str, f: Function, args: list[Any], varied: Any, order: int, eps: float, rtol: float, atol: float
) -> bool:
    """Whether all derivatives up to `order` agree, of f with respect to the arguments varied."""
    labels, xs, f = flat(name, f, args, varied)
    for k in range(1, order + 1):
        F = weighted(f, seed=k)
        f = gradient(F, tuple(range(len(xs))))
        for i, (label, derivative) in enumerate(zip(labels, f(*xs))):
            for index in chosen(xs[i].shape):
                given, expected = float(derivative[index]), difference(F, xs, i, index, eps)
                if not abs(given - expected) <= atol + rtol * abs(expected):  # NaN does not agree either
                    raise GradcheckError(
                        f"{name}: the derivative of order {k} with respect to {label}, at index {index}, "
                        f"is {given:.9g} by the rules, but {expected:.9g} by finite differences."
                    )
    return True


def flat(name: str, f: Function, args: list[Any], varied: Any) -> tuple[list[str], list[Any], Function]:
    """What the arrays to vary are called, those arrays, and f as a function of nothing but them."""
    places: list[tuple[int, int | None]] = []  # argument i, or item j of the list that is argument i
    for i in varied:
        items = args[i] if isinstance(args[i], (list, tuple)) else [args[i]]
        if all(isinstance(x, (float, Tensor, *arrays)) and np.asarray(plain(x)).dtype.kind == "f" for x in items):
            places += [(i, j) for j in range(len(items))] if isinstance(args[i], (list, tuple)) else [(i, None)]
    xs = [np.array(plain(args[i] if j is None else args[i][j])) for i, j in places]
    if not xs:
        raise TypeError(f"gradcheck() found nothing to vary for {name}: no float and no array of floats.")
    for x in xs:
        if x.dtype != np.float64:
            raise TypeError(f"gradcheck() needs float64: a {x.dtype} difference is rounding; give x.astype(float).")

    def of_arrays(*xs: Any) -> Any:
        given = [*args]
        for (i, j), x in zip(places, xs):
            given[i] = x if j is None else [*given[i][:j], x, *given[i][j + 1 :]]
        return f(*given)

    return [f"argument {i}" if j is None else f"item {j} of argument {i}" for i, j in places], xs, of_arrays


def plain(x: Any) -> Any:
    """x without its history, if it is a Tensor."""
    return x.data if isinstance(x, Tensor) else x


def weighted(f: Function, seed: int) -> Function:
    """The function Σ w · y over everything that f returns, with fixed random weights w."""

    @cache
    def weights(*shapes: tuple[int, ...]) -> list[Any]:
        rng = np.random.default_rng(seed)
        return [rng.uniform(0.5, 1.5, shape) for shape in shapes]

    def F(*xs: Any) -> Any:
        y = f(*xs)
        parts = y if isinstance(y, (tuple, list)) else [y]
        if not all(isinstance(part, (Tensor, *numbers, *arrays)) for part in parts):
            raise TypeError(f"gradcheck() takes a function that returns an array, or several, not {y!r}.")
        return sum(np.sum(part * w) for part, w in zip(parts, weights(*map(np.shape, parts))))

    return F


def chosen(shape: tuple[int, ...]) -> list[Any]:
    """The indices to try in an array of this shape: all, or `most` of them."""
    every = list(np.ndindex(shape))
    return every if len(every) <= most else [every[i] for i in np.random.default_rng(0).permutation(len(every))[:most]]


def difference(F: Function, xs: list[Any], i: int, index: Any, eps: float) -> float:
    """(F(x + h) − F(x − h)) / 2h, with h = eps in one element of one array."""

    def at(h: float) -> float:
        x = xs[i].copy()
        x[index] += h
        x.flags.writeable = False  # a function that edits its arguments is wrong too
        with no_grad():
            return float(F(*map(Tensor, xs[:i]), Tensor(x), *map(Tensor, xs[i + 1 :])))

    return (at(eps) - at(-eps)) / (2 * eps)
