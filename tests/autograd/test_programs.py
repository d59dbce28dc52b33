"""Random programs: graphs of the table's operations, grown at random, in which values are used again and again.

Value, gradient and second derivative are those of finite differences, and PyTorch's where it is installed and has the
same functions; and the ways through a graph (backward, grad, steps, create_graph) agree.
"""

import functools

import numpy as np
import pytest

import nn  # noqa: F401  # whose operations are in the table too
from autograd import Tensor, grad, steps, topological_order
from autograd.operations import parameters, table

from .oracles import (
    agree_with_differences,
    described,
    filled,
    functions,
    gradients,
    name,
    of_gradient,
    put,
    results,
    weighed,
    weights,
)

eps = np.finfo(float).eps
length = 12  # of a program, in lines
quick = len(functions) // length + 1  # as many programs as have every function
calls = {function: described(function)[0] for function in functions}


# ---- programs -------------------------------------------------------------------------------------------------------


class Ours:
    """What a program needs of a library."""

    sin, constant = np.sin, np.asarray

    def function(self, function, sample):
        return sample.of(function)

    def value(self, x):
        return x if isinstance(x, Tensor) else Tensor(x)

    def argument(self, x):
        return x


class Shaken(Ours):
    """The same with every argument and value of every line off by a rounding: digits that move then are not known."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def argument(self, x):
        return x * (1 + eps * self.rng.choice([-1.0, 1.0], x.shape))

    def value(self, x):
        return super().value(self.argument(x))


class Line:
    """One line of a program: a call of a function on arguments made of earlier values, and sometimes of constants.

    A value is brought to the shape and the interval of an argument by what every library has: it is divided by its own
    size, which would grow from line to line; its elements are repeated or left out, then multiplied by and added to
    constants, so that no two are alike; and it is taken through sin, which does not saturate.
    """

    def __init__(self, rng, function, sample, pick):
        self.function, self.sample = function, sample
        self.on = described(function)[1]
        self.args, self.parts = sample.draw(rng, self.on), []

        def part(x):
            self.parts.append((pick(not self.parts), x, rng.permutation(x.size), rng.uniform(-1, 1, x.shape)))

        put(self.args, part)

    def run(self, values, library):
        """The values that it gives, where `values` are those so far."""
        low, high = self.on
        parts = iter(self.parts)

        def argument(_):
            source, x, places, shift = next(parts)
            if source is None:
                return library.constant(x)
            y = values[source].reshape(-1)
            y = y / (1 + (y * y).sum() / len(y)) ** 0.5
            y = y[places % len(y)].reshape(x.shape) * library.constant(1 + shift / 2) + library.constant(shift)
            return library.argument(library.sin(y) * ((high - low) / 2) + (high + low) / 2)

        y = library.function(self.function, self.sample)(*put(self.args, argument))
        return [library.value(x) for x in results(y)]

    def __repr__(self):
        return f"{name(self.function)}{repr(self.sample)[4:]} of {[source for source, *_ in self.parts]}"


def functions_of(seed, functions, length):
    """So many functions at random, but so that programs 0, 1, 2, ... take every function before they take one again."""
    for i in range(seed * length, (seed + 1) * length):
        cycle, place = divmod(i, len(functions))
        yield functions[np.random.default_rng(cycle).permutation(len(functions))[place]]


class Program:
    """Leaves, lines drawn for them, and a loss: the weighed sum of all values that no line uses."""

    def __init__(self, seed, calls=calls):
        rng = np.random.default_rng(seed)
        self.leaves = [rng.uniform(-1, 1, shape) for shape in [(2, 3), (3,), ()]]
        self.lines, self.unused = [], set(range(len(self.leaves)))
        values = [Tensor(x, requires_grad=True) for x in self.leaves]

        def pick(first):
            if not first and rng.random() < 0.15:
                return None
            i = int(rng.integers(max(0, len(values) - 8), len(values)))
            self.unused.discard(i)
            return i

        for function in functions_of(seed, [*calls], length):
            sample = calls[function][rng.integers(len(calls[function]))]
            self.lines.append(Line(rng, function, sample, pick))
            new = self.lines[-1].run(values, Ours())
            self.unused |= {len(values) + i for i, x in enumerate(new) if x.size}
            values += [x if x.size else values[0] for x in new]

    def values(self, leaves, library):
        values = [*leaves]
        for line in self.lines:
            values += [x if len(x.reshape(-1)) else values[0] for x in line.run(values, library)]
        return [values[i] for i in sorted(self.unused)]

    def loss(self, *leaves, library=None):
        return weighed(self.values(leaves, library or Ours()))

    def run(self):
        """Leaves that require grad, and the loss."""
        leaves = [Tensor(x, requires_grad=True) for x in self.leaves]
        return leaves, self.loss(*leaves)

    def __repr__(self):
        return "\n".join(f"{line}" for line in self.lines)


@pytest.mark.campaign(quick)
def test_first_and_second_derivatives_are_those_of_finite_differences(seed):
    program = Program(seed)
    print(program)
    agree_with_differences(program.loss, program.leaves)


@pytest.mark.campaign(10)
def test_every_way_through_a_graph_gives_the_same_to_the_last_bit(seed):
    program = Program(seed)
    print(program)
    leaves, loss = program.run()
    arrived = {loss: loss.dtype.type(1)}
    for step in steps(loss):
        assert np.array_equal(step.gradient, arrived[step.node])
        assert step.node.inputs[step.position] is step.argument if step.node.op.each is None else True
        expected = step.contribution if step.before is None else step.before + step.contribution
        assert np.array_equal(step.after, expected)
        assert step.before is arrived.get(step.argument)
        arrived[step.argument] = step.after
    asked = grad(loss, leaves, allow_unused=True)
    recorded = grad(loss, leaves, allow_unused=True, create_graph=True)
    loss.backward()
    for t in topological_order(loss):
        assert np.array_equal(t.grad, arrived[t])
        assert (t.grad.shape, t.grad.dtype) == (t.shape, t.dtype)
    again, loss = program.run()
    loss.backward(retain_graph=False)
    for t, u, g, h in zip(leaves, again, asked, recorded):
        if g is None:
            assert t.grad is u.grad is h is None
        else:
            assert np.array_equal(t.grad, g.data)
            assert np.array_equal(t.grad, u.grad)
            np.testing.assert_allclose(h.data, g.data, rtol=1e-12, atol=1e-12 * np.max(np.abs(g.data)))


def test_programs_use_every_function_of_the_table_and_values_again():
    programs = [Program(seed) for seed in range(quick)]
    assert {line.function for program in programs for line in program.lines} == set(functions)
    sources = [[s for line in p.lines for s, *_ in line.parts if s is not None] for p in programs]
    assert sum(len(s) > len(set(s)) for s in sources) > quick / 2


@pytest.mark.parametrize("order", [1, 2])
def test_a_rule_that_is_wrong_by_a_thousandth_is_found(order, monkeypatch):
    entry, at = table[np.tanh], described(np.sin)[0]
    wrong = {
        1: lambda g, y, x: g * 1.001 * (1 - y * y),
        2: lambda g, y, x: g * (1 - y.data * y.data if isinstance(y, Tensor) else 1 - y * y),
    }
    program = Program(0, {np.tanh: at[:1], np.exp: at[:1]})
    agree_with_differences(program.loss, program.leaves)
    monkeypatch.setattr(entry, "rules", (wrong[order],))
    if order == 2:
        agree_with_differences(program.loss, program.leaves, order=1)
    with pytest.raises(AssertionError, match=f"the derivative of order {order}"):
        agree_with_differences(program.loss, program.leaves)


# ---- PyTorch --------------------------------------------------------------------------------------------------------

try:
    import torch
except ImportError:
    torch = None

renamed = {"axis": "dim", "axes": "dims", "keepdims": "keepdim", "ddof": "correction", "shift": "shifts"}


class Theirs:
    """PyTorch, as far as it has functions of the same names that give the same."""

    def __init__(self):
        self.places = (torch, torch.linalg, torch.special, torch.nn.functional)
        self.sin = torch.sin

    def constant(self, x):
        return torch.from_numpy(np.array(x))

    def value(self, x):
        return x

    def argument(self, x):
        return x

    def function(self, function, sample, place=None):
        kwargs = dict(sample.kwargs)
        if "ddof" in parameters(function):
            kwargs.setdefault("ddof", 0)
        kwargs = {renamed.get(key, key): value for key, value in kwargs.items()}
        theirs = getattr(place or self.known[function, id(sample)], function.__name__)

        def called(*args):
            args = [self.constant(x) if isinstance(x, np.ndarray) else x for x in args]
            y = theirs(*args, **kwargs)
            return y.values if hasattr(y, "_fields") and "indices" in y._fields else y

        return called

    def agrees(self, function, sample, place):
        """Whether place has it: the same values at some random arguments."""
        if sample.through is not None:
            return False
        rng = np.random.default_rng(0)
        for _ in range(3):
            args = sample.draw(rng, described(function)[1])
            x, ts = results(sample.of(function)(*args)), []
            try:
                put(args, lambda x, ts=ts: ts.append(torch.tensor(x, requires_grad=True)))
                y = results(self.function(function, sample, place)(*filled(args, ts)))
                torch.autograd.grad([part.sum() for part in y], ts, create_graph=True, allow_unused=True)
            except Exception:  # or a warning: whatever it is, it is another function
                return False
            if [np.shape(a) for a in x] != [getattr(b, "shape", None) for b in y]:
                return False
            if not all(np.allclose(a, b.numpy(force=True), 1e-9, 1e-9) for a, b in zip(x, y)):
                return False
        return True


@pytest.fixture(scope="module")
def theirs():
    if torch is None:
        pytest.skip("torch is not installed")
    library = Theirs()
    library.known = {
        (f, id(sample)): place
        for f in functions
        for sample in calls[f]
        for place in library.places
        if library.agrees(f, sample, place)
    }
    library.calls = {f: [s for s in calls[f] if (f, id(s)) in library.known] for f, _ in library.known}
    return library


def test_most_functions_are_pytorchs_too(theirs):
    assert len(theirs.calls) > len(functions) / 2


@pytest.mark.campaign(10)
def test_value_gradient_and_second_derivative_are_pytorchs(seed, theirs):
    program = Program(seed, theirs.calls)
    print(program)

    def found(library=Ours):
        """The value, the gradient, and the gradient of Σ weight × gradient."""
        f = [functools.partial(program.loss, library=library()) for _ in range(3)]
        return [
            f[0](*map(Tensor, program.leaves)).data,
            *gradients(f[1], program.leaves),
            *gradients(of_gradient(f[2], 1), program.leaves),
        ]

    ts = [torch.tensor(x, requires_grad=True) for x in program.leaves]
    parts = program.values(ts, theirs)
    loss = sum((part * theirs.constant(weights(part.shape))).sum() for part in parts)
    firsts = torch.autograd.grad(loss, ts, create_graph=True, materialize_grads=True)
    total = sum((g * theirs.constant(weights(g.shape, 1))).sum() for g in firsts)
    seconds = torch.autograd.grad(total, ts, materialize_grads=True) if total.requires_grad else [0 * t for t in ts]
    expected = [t.numpy(force=True) for t in (loss, *firsts, *seconds)]

    def agree(doubts):
        """PyTorch's second derivative of binary cross entropy is off by 1e-12 / p(1 − p): hence not 1e-14."""
        return all(
            np.max(np.abs(a - b)) <= 1e-10 * max(1, np.max(np.abs(b))) + 100 * doubt
            for a, b, doubt in zip(plain, expected, doubts)
        )

    plain = found()
    if not agree([0] * len(plain)):
        shaken = [found(lambda i=i: Shaken(i)) for i in range(4)]
        assert agree([np.max(np.abs(np.array(moved) - a)) for a, *moved in zip(plain, *shaken)]), (plain, expected)
