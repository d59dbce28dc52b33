"""At the ends of the number line: zeros, subnormals, the smallest and the largest numbers, infinities, NaN, nothing.

There every activation and loss of nn and every reduction of the table has PyTorch's value and gradient; and whatever is
finite comes without a warning. Reductions have NumPy's value, to the last bit: where NumPy overflows and PyTorch does
not (np.linalg.norm squares first), the gradient belongs to that value.
"""

import functools
import inspect
import itertools
import warnings
from fractions import Fraction

import numpy as np
import pytest

import nn
from autograd import Op, Tensor, grad, special
from autograd.operations import parameters, table
from nn import activations, losses
from nn.losses.common import Loss
from tests.autograd.oracles import described, elementwise, functions, name, quiet
from tests.nn.record import CASES

torch = pytest.importorskip("torch")
both = pytest.mark.parametrize("dtype", [np.float64, np.float32])
empty = [(0,), (0, 3), (3, 0)]


def extremes(dtype):
    """The numbers at which formulas break, and a few ordinary ones."""
    limits, large = np.finfo(dtype), 1e300 if dtype is np.float64 else 1e38
    sizes = [0, limits.smallest_subnormal, limits.tiny / 4, limits.tiny, 1 / large, limits.eps, 0.5, 1 - limits.eps, 1]
    sizes += [3, 20.5, 100, 800, 1e10, 2 * float(limits.max) ** 0.5, large, limits.max, np.inf]
    return np.array([*sizes, *(-x for x in sizes), np.nan], dtype)


def rows(dtype):
    """Vectors, one a row: each extreme number alone; and among ordinary ones, repeated, and beside its opposite.

    Those with a zero are apart, as np.prod has two formulas.
    """
    numbers = extremes(dtype)
    threes = np.array([row for v in numbers for row in ([v, 1, 2], [1, v, 0.5], [v, v, v], [v, -v, 0.5])], dtype)
    for x in (numbers[:, None], threes):
        zero = np.any(x == 0, 1)
        yield from (x[zero], x[~zero])


def ours(f, x, *rest):
    """Value of f at the array x and constants, and gradient by x; and whether NumPy warned. Advice of ours is none."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        t = Tensor(x, requires_grad=True)
        y = f(t, *rest)
        (g,) = grad(y, t, np.ones(y.shape))  # a sum might overflow
    return np.asarray(y.data), np.asarray(g.data), any(issubclass(w.category, RuntimeWarning) for w in caught)


def theirs(f, x, *rest):
    """PyTorch's value and gradient."""
    t = torch.tensor(x, requires_grad=True)
    with quiet():
        y = f(t, *map(torch.tensor, rest))
        (g,) = torch.autograd.grad(y, t, torch.ones_like(y))
    return y.detach().numpy(), g.numpy()


def same(a, b):
    """Where a and b agree, to a few roundings of a number, or of the numbers about 1 in the formulas."""
    assert (a.shape, a.dtype) == (b.shape, b.dtype)
    eps = np.finfo(a.dtype).eps
    with quiet():
        near = np.abs(a - b) <= 100 * eps * np.abs(b) + 4 * eps
    return near | (a == b) | np.isnan(a) & np.isnan(b)


def needless(warned, y, g, f, x, *rest):
    """Whether there was a warning, and there is one without the rows whose value or gradient is not finite."""
    if not warned or not y.ndim:
        return warned and bool(np.isfinite(y) and np.isfinite(g).all())
    finite = np.isfinite(y.reshape(len(y), -1)).all(1) & np.isfinite(g.reshape(len(g), -1)).all(1)
    return ours(f, x[finite], *(r[finite] for r in rest))[2]


reasons = {
    activations.ELU: lambda x, ours, theirs: np.isnan(x) & np.isnan(ours),
    activations.SELU: lambda x, ours, theirs: np.isnan(x) & np.isnan(ours),
    activations.Hardtanh: lambda x, ours, theirs: np.isnan(x) & (ours == 0),
    activations.GELU: lambda x, ours, theirs: np.isnan(theirs) & (np.abs(x) > 1e19) & (ours == (x > 0)),
    losses.L1Loss: lambda x, ours, theirs: np.isnan(ours) & (theirs == 0),
    np.median: lambda x, ours, theirs: np.isnan(x),
    np.nanmean: lambda x, ours, theirs: np.isnan(x) & np.isnan(theirs) & (ours == 0),
    special.logsumexp: lambda x, ours, theirs: (
        np.isinf(x).any(-1, keepdims=True) & np.isnan(ours) | np.isclose(ours, 1 / max(x.shape[-1], 1))
    ),
}  # whose gradient is not always PyTorch's, as their docstrings say: where and what it is then


class Comparison:
    """Of one function with PyTorch's; afterwards, whether the reasons that it has not to agree are all needed."""

    def __init__(self, function, doc):
        self.function, self.doc, self.different = function, doc, False

    def of_gradients(self, x, g, b):
        alike = same(g, b)
        if not alike.all() and self.function in reasons:
            self.different = True
            alike |= reasons[self.function](x, g, b)
        assert alike.all(), (x, g, b)

    def close(self, expected=True):
        assert self.different == (self.function in reasons and expected)
        assert not self.different or "PyTorch" in self.doc


def classes(module, base):
    """Those of its classes that derive from base."""
    found = {c for c in vars(module).values() if inspect.isclass(c) and issubclass(c, base) and c is not base}
    return sorted(found, key=lambda c: c.__name__)


# ---- activations ----------------------------------------------------------------------------------------------------

made = {
    repr(case.make(nn)): case.make
    for cls in classes(activations, activations.Activation)
    for case in CASES[cls.__name__]
}


@both
@pytest.mark.parametrize("make", made.values(), ids=made)
def test_activations_are_pytorchs_and_warn_of_nothing_finite(make, dtype):
    f, f_theirs = make(nn), make(torch.nn)
    if hasattr(f, "dim"):  # of softmax and its logarithm
        f.dim = f_theirs.dim = -1
    comparison = Comparison(type(f), f.__doc__)
    for x in [*rows(dtype), *(np.zeros(shape, dtype) for shape in empty)]:
        y, g, warned = ours(f, x)
        a, b = theirs(f_theirs, x)
        assert same(y, a).all(), (x, y, a)
        comparison.of_gradients(x, g, b)
        assert not needless(warned, y, g, f, x)
    comparison.close("approximate='none'" not in repr(f))


@both
@pytest.mark.parametrize("make", made.values(), ids=made)
def test_second_derivatives_of_activations_are_finite_without_a_warning_where_pytorchs_are_finite(make, dtype):
    def second(f, x, grad):
        (g,) = grad(f(x).sum(), [x], create_graph=True)
        return grad(g.sum(), [x], allow_unused=True)[0] if g.requires_grad else None

    f, f_theirs = make(nn), make(torch.nn)
    if hasattr(f, "dim"):
        f.dim = f_theirs.dim = -1
    for v in extremes(dtype):
        x = np.array([v, 0.5], dtype)
        theirs = second(f_theirs, torch.tensor(x, requires_grad=True), torch.autograd.grad)
        value = f_theirs(torch.tensor(x)).sum().item()
        overflows = not np.isfinite(value) and np.isfinite(v)
        if theirs is not None and np.isfinite(theirs.numpy()).all() and not np.isnan(v) and not overflows:
            ours = second(f, Tensor(x, requires_grad=True), grad)
            assert ours is None or np.isfinite(ours.data).all(), (x, ours, theirs)


# ---- losses ---------------------------------------------------------------------------------------------------------


@functools.cache
def refused(loss, dtype, place):
    """Which of the extreme numbers a loss does not take as input (place 0) or as target (1)."""

    def refuses(f, v):
        pair = [np.array([v, 0.5], dtype) if i == place else np.array([0.5, 0.5], dtype) for i in (0, 1)]
        try:
            f(*map(torch.tensor, pair)) if isinstance(f, torch.nn.Module) else f(*pair)
        except (ValueError, RuntimeError):
            return True
        return False

    with quiet():
        bad = np.array([refuses(loss(), v) for v in extremes(dtype)])
        too = np.array([refuses(getattr(torch.nn, loss.__name__)(), v) for v in extremes(dtype)])
    assert np.all(too <= bad)
    assert np.all(too == bad) or "though PyTorch takes it" in loss.__doc__
    return bad


def pairs(loss, dtype, reduction):
    """Inputs and targets: every extreme number against every other, and each beside ordinary ones."""
    if CASES[loss.__name__][0].inputs[1].dtype.kind == "i":
        for x in rows(dtype):
            if reduction == "none":
                yield x, np.full(len(x), x.shape[1] - 1)
            else:
                yield from ((row[None], np.array([x.shape[1] - 1])) for row in x[::3])
        yield np.zeros((0, 3), dtype), np.zeros(0, int)
        return
    inputs, targets = (extremes(dtype)[~refused(loss, dtype, place)] for place in (0, 1))
    if reduction == "none":
        yield tuple(np.array([*itertools.product(inputs, targets)], dtype).T.copy())
    else:
        for x, t in itertools.zip_longest(inputs, targets, fillvalue=0.25):
            yield np.array([0.25, x], dtype), np.array([t, 1], dtype)
    for shape in empty:
        yield np.zeros(shape, dtype), np.zeros(shape, dtype)


@both
@pytest.mark.parametrize("loss", classes(losses, Loss), ids=lambda loss: loss.__name__)
def test_losses_are_pytorchs_and_warn_of_nothing_finite(loss, dtype):
    comparison = Comparison(loss, loss.__doc__)
    for reduction in loss.reductions:
        f, f_theirs = (getattr(library, loss.__name__)(reduction=reduction) for library in (nn, torch.nn))
        for x, t in pairs(loss, dtype, reduction):
            y, g, warned = ours(f, x, t)
            a, b = theirs(f_theirs, x, t)
            assert same(y, a).all(), (reduction, x, t, y, a)
            comparison.of_gradients(x, g, b)
            assert not needless(warned, y, g, f, x, t), (reduction, x, t)
    comparison.close()


# ---- reductions -----------------------------------------------------------------------------------------------------

reductions = [
    f
    for f in functions
    if parameters(f).keys() >= {"axis", "keepdims"} and [*map(type, described(f)[0][0].args)] == [tuple]
]


def counterpart(function):
    """PyTorch's function of that name over the last axis, if it gives the same of ordinary numbers."""
    options = {"correction": 0} if "ddof" in parameters(function) else {}
    x = np.array([[0.3, -1.2, 0.7], [2.0, 0.5, -0.1]])
    names = ("a" + function.__name__, function.__name__)  # amax shares the gradient among equals, max does not
    for there in (getattr(place, n, None) for place in (torch.linalg, torch.special, torch) for n in names):

        def f(t, there=there):
            y = there(t, dim=-1, **options)
            return y.values if isinstance(y, tuple) else y

        try:
            if np.allclose(f(torch.tensor(x)), function(x, axis=-1), 1e-12):
                return f
        except (TypeError, RuntimeError):
            continue
    return None


def test_most_reductions_are_pytorchs_too():
    assert sum(counterpart(f) is not None for f in reductions) > len(reductions) / 2


@both
@pytest.mark.parametrize("function", reductions, ids=name)
def test_reductions_are_numpys_their_gradients_pytorchs_and_they_warn_of_nothing_finite(function, dtype):
    f, f_theirs, entry = (lambda x: function(x, axis=-1)), counterpart(function), table[function]
    comparison = Comparison(function, (function if isinstance(entry, Op) else entry).__doc__)
    for x in rows(dtype):
        y, g, warned = ours(f, x)
        with quiet():
            np.testing.assert_array_equal(y, f(x))
        assert not needless(warned, y, g, f, x)
        if f_theirs is not None:
            a, b = theirs(f_theirs, x)
            with quiet():
                equal = (np.abs(y - a) <= 1e-3 * np.abs(a)) | (y == a) | np.isnan(y) & np.isnan(a)
            comparison.of_gradients(x[equal], g[equal], b[equal])  # elsewhere one of the two over- or underflowed
    comparison.close()


@both
@pytest.mark.parametrize("shape", empty)
@pytest.mark.parametrize("function", reductions, ids=name)
def test_reductions_of_nothing_are_numpys_and_have_an_empty_gradient(function, shape, dtype):
    x = np.zeros(shape, dtype)
    with quiet():
        try:
            expected = function(x, axis=-1)
        except ValueError:  # there is no largest of no numbers
            with pytest.raises(ValueError, match="zero-size array"):
                function(Tensor(x, requires_grad=True), axis=-1)
            return
        y, g, _ = ours(lambda x: function(x, axis=-1), x)
    np.testing.assert_array_equal(y, expected)
    assert (g.shape, g.dtype) == (shape, dtype)


# ---- functions of one number ----------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    "function", [f for f in functions if f in elementwise and len(described(f)[0][0].args) == 1], ids=name
)
def test_functions_of_one_number_warn_of_nothing_finite(function, dtype):
    with quiet():
        y = function(extremes(dtype))
    x = extremes(dtype)[np.isfinite(y)]
    y, g, warned = ours(function, x)
    assert not needless(warned, y, g, function, x)


# ---- functions of two numbers ---------------------------------------------------------------------------------------


def gradients(function, a, b):
    """Of function at the arrays a and b, by both; and whether NumPy warned."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        a, b = Tensor(a, requires_grad=True), Tensor(b, requires_grad=True)
        y = function(a, b)
        found = grad(y, [a, b], np.ones(y.shape), allow_unused=True)
    return [g.data for g in found if g is not None], any(issubclass(w.category, RuntimeWarning) for w in caught)


def silent(function, a, b):
    """Whether NumPy's own value is finite and comes without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return bool(np.isfinite(function(a, b)))
        except RuntimeWarning:
            return False


@both
@pytest.mark.parametrize(
    "function", [f for f in functions if f in elementwise and len(described(f)[0][0].args) == 2], ids=name
)
def test_functions_of_two_numbers_warn_of_nothing_finite(function, dtype):
    pairs = [(a, b) for a, b in itertools.product(extremes(dtype), repeat=2) if silent(function, a, b)]
    a, b = np.array(pairs).T
    found, warned = gradients(function, a, b)
    if warned:
        finite = np.isfinite(found).all(0)
        assert not gradients(function, a[finite], b[finite])[1]


def test_the_slopes_of_arctan2_are_right_for_all_normal_numbers():
    """∂y/∂a = b / (a² + b²) and ∂y/∂b = −a / (a² + b²), in fractions, where these are not too large or too small."""
    numbers = [x for x in extremes(np.float64) if np.finfo(float).tiny <= abs(x) < np.inf]
    for a, b in itertools.product(numbers, repeat=2):
        square = Fraction(a) ** 2 + Fraction(b) ** 2
        for g, exact in zip(gradients(np.arctan2, a, b)[0], (Fraction(b) / square, -Fraction(a) / square)):
            if 1e-307 < abs(exact) < 1e307:
                assert abs(Fraction(float(g)) / exact - 1) < 1e-15
