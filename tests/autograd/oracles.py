"""What a derivative must agree with, where its argument is drawn at random and may be a bad one.

A fixed tolerance would be wrong in both directions: too narrow next to a singular matrix, too wide elsewhere. So each
comparison says with what error it knows its answer, and allows for that error and not for more.
"""

import math
import warnings
from contextlib import contextmanager

import numpy as np

from autograd import Op, Tensor, grad
from autograd.operations import samples, table

OURS = {"numpy", "autograd", "nn"}
functions = [f for f in table if (getattr(f, "__module__", None) or "numpy").split(".")[0] in OURS]  # none of a test's


def name(function):
    return f"{getattr(function, '__module__', None) or 'numpy'}.{function.__name__}"


def described(function):
    """The sample calls of a function in the table, and the interval of their arguments."""
    entry = table[function]
    return (entry.samples, entry.on) if isinstance(entry, Op) else samples[function]


def is_floats(x):
    return isinstance(x, (Tensor, np.ndarray, np.floating)) and x.dtype.kind == "f"


def put(args, change):
    """args with change(x) in place of each array of floats, in order, those in lists too."""
    return [
        [change(y) if is_floats(y) else y for y in x] if isinstance(x, list) else change(x) if is_floats(x) else x
        for x in args
    ]


def is_shape(x):
    return isinstance(x, tuple)


def is_elementwise(function):
    """Whether its samples show that it takes arrays of any shapes that broadcast, and gives their common shape."""
    calls, on = described(function)
    if not any(all(is_shape(arg) and not arg for arg in sample.args) and not sample.kwargs for sample in calls):
        return False

    def broadcasts(sample):
        args = sample.draw(np.random.default_rng(0), on)
        y = sample.of(function)(*args)
        return is_floats(y) and y.shape == np.broadcast_shapes(*map(np.shape, args))

    return all(broadcasts(sample) for sample in calls)


elementwise = {function for function in functions if is_elementwise(function)}


def filled(args, xs):
    """args with the xs in place of its arrays of floats, in order."""
    xs = iter(xs)
    return put(args, lambda _: next(xs))


def results(y):
    """The arrays that a function returned, be it one or several."""
    return list(y) if isinstance(y, (tuple, list)) else [y]


def weights(shape, seed=0):
    """Numbers between ½ and 1½ that look irregular."""
    return 1 + 0.5 * np.sin(2.3 * np.arange(1, math.prod(shape) + 1) + seed).reshape(shape)


def weighed(parts, seed=0):
    """Σ weight × result, with another weight for each element, so that no part of a gradient hides in a sum."""
    return sum((np.sum(part * weights(np.shape(part), seed).astype(part.dtype)) for part in parts), np.float32(0))


@contextmanager
def quiet():
    """Inside, neither NumPy nor Python warns."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def gradients(f, xs, **kwargs):
    """∂f/∂x for each array x, as arrays, where f takes Tensors to one number; zeros where it does not depend on x."""
    leaves = [Tensor(x, requires_grad=True) for x in xs]
    y = f(*leaves)
    if not isinstance(y, Tensor) or not y.requires_grad:
        return [np.zeros_like(x) for x in xs]
    found = grad(y, leaves, allow_unused=True, **kwargs)
    return [np.zeros_like(x) if g is None else g.data for g, x in zip(found, xs)]


def slope(f, xs, directions, size):
    """The derivative of f(*xs) along directions, by finite differences, and how far off it may be.

    Richardson's extrapolation of central differences: how far it moved is an estimate of what is left, and rounding is
    that of f over the step. Of several steps the best is taken, or the first with an error of at most 1e-8 of size.
    """

    def at(h):
        return float(f(*[x + h * d for x, d in zip(xs, directions)]))

    found = []
    for h in (1e-4, 1e-3, 1e-2, 1e-5, 1e-6):
        ends = np.array([at(h), at(-h), at(h / 2), at(-h / 2)])
        wide, narrow = (ends[0] - ends[1]) / (2 * h), (ends[2] - ends[3]) / h
        best, rounding = (4 * narrow - wide) / 3, 1e-15 * np.max(np.abs(ends)) / h
        found.append((abs(narrow - wide) / 3 + rounding, best))
        if found[-1][0] <= 1e-8 * max(size, 1):
            break
    error, best = min(found)
    return best, error


def agree_with_differences(f, xs, order=2, seed=0):
    """Assert that f's derivatives up to order are those of finite differences; f takes Tensors to one number.

    The tolerance is 1e-7 of the derivative (of what all elements contribute to it, added up), and 10 times the error
    of the difference itself.
    """
    rng = np.random.default_rng(seed)
    for k in range(1, order + 1):
        directions = [rng.choice([-1.0, 1.0], x.shape) * rng.uniform(0.5, 1, x.shape) for x in xs]
        given = gradients(f, xs)
        parts = [np.sum(g * d) for g, d in zip(given, directions)]
        size = sum(np.sum(np.abs(g * d)) for g, d in zip(given, directions))
        expected, error = slope(plainly(f), xs, directions, size)
        assert abs(sum(parts) - expected) <= 1e-7 * size + 10 * error + 1e-12, (
            f"the derivative of order {k} along {directions} at {xs} is {sum(parts)} by the rules, but {expected} "
            f"by finite differences, give or take {error}"
        )
        f = of_gradient(f, seed=k)


def plainly(f):
    """f of arrays, without a graph."""

    def F(*xs):
        y = f(*map(Tensor, xs))
        return y.item() if isinstance(y, Tensor) else y

    return F


def of_gradient(f, seed):
    """Σ weight × ∂f/∂x, over all arguments and elements: a function again that can be differentiated."""

    def F(*xs):
        leaves = [x if x.requires_grad else Tensor(x, requires_grad=True) for x in xs]
        y = f(*leaves)
        if not isinstance(y, Tensor) or not y.requires_grad:
            return 0.0
        found = [g for g in grad(y, leaves, create_graph=True, allow_unused=True) if g is not None]
        return weighed(found, seed)

    return F


def noise(f, xs, relative):
    """For each array that f(*xs) returns, how far it moves when every element of xs moves by a relative rounding."""
    rng = np.random.default_rng(1)
    plain = f(*xs)
    moved = [0.0] * len(plain)
    for _ in range(2):
        shifted = f(*[x * (1 + relative * rng.choice([-1.0, 1.0], x.shape)) for x in xs])
        moved = [max(m, np.max(np.abs(a - b), initial=0.0)) for m, a, b in zip(moved, shifted, plain)]
    return moved
