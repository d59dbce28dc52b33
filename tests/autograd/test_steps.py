"""steps() walks the pass that backward() makes, one contribution at a time; topological_order() is its order."""

import inspect

import numpy as np
import pytest

from autograd import Step, Tensor, call, op, steps, topological_order


def leaf(data, **kwargs):
    return Tensor(data, requires_grad=True, **kwargs)


def random_graph(seed):
    """A loss over a few dozen operations, with tensors used again and again, and its leaves."""
    rng = np.random.default_rng(seed)
    leaves = [leaf(rng.normal(size=shape)) for shape in [(3, 2), (2,), (3, 1), ()]]
    pool = list(leaves)
    unary = [np.tanh, np.sin, np.exp, np.negative, lambda x: x * 0.5, lambda x: x + 1, lambda x: np.square(np.sin(x))]
    binary = [np.add, np.subtract, np.multiply, lambda a, b: a / (2 + np.sin(b))]
    for _ in range(30):
        if rng.random() < 0.4:
            pool.append(np.tanh(unary[rng.integers(len(unary))](pool[rng.integers(len(pool))])))
        else:
            a, b = (pool[rng.integers(len(pool))] for _ in "ab")
            pool.append(binary[rng.integers(len(binary))](a, b))
    return sum(np.sum(t) for t in pool[-4:]) + sum(np.sum(t) for t in leaves), leaves


@pytest.mark.parametrize("seed", range(20))
def test_the_sums_of_steps_are_backwards_bit_for_bit(seed):
    loss, leaves = random_graph(seed)
    arrived = {loss: 1.0}
    for step in steps(loss):
        assert np.array_equal(step.gradient, arrived[step.node])
        if step.before is None:
            assert step.argument not in arrived
            assert np.array_equal(step.after, step.contribution)
        else:
            assert np.array_equal(step.before, arrived[step.argument])
            assert np.array_equal(step.after, step.before + step.contribution)
        arrived[step.argument] = step.after
    loss.backward()
    for t in topological_order(loss):
        assert np.array_equal(t.grad, arrived[t])
        assert t.grad.dtype == np.asarray(arrived[t]).dtype
    assert all(t.grad is not None for t in leaves)


@pytest.mark.parametrize("seed", range(5))
def test_there_is_one_step_for_each_edge_and_it_knows_its_rule(seed):
    loss, _ = random_graph(seed)
    walked = [(step.node, step.position) for step in steps(loss)]
    order = topological_order(loss)
    assert len(walked) == len(set(walked))
    assert len(walked) == sum(1 for t in order for x in t.inputs if isinstance(x, Tensor) and x.requires_grad)
    for step in steps(loss):
        assert step.node.inputs[step.position] is step.argument
        assert callable(step.node.op.rules[step.position])


def test_a_slope_is_a_plain_number_even_an_infinite_one():
    x = leaf(0.0)
    with np.errstate(divide="ignore"):
        (step,) = steps(np.sqrt(x))
        assert isinstance(step.slope(), np.float64)
        assert step.slope() == np.inf


def test_each_step_knows_the_slope_along_its_edge():
    a, b = leaf(3.0), leaf(4.0)
    y = a * b
    assert [step.slope() for step in steps(y * y)] == [12, 12, 4, 3]
    assert y.grad is None


def test_a_step_equals_itself_alone_and_stays_as_it_is():
    y = leaf(np.ones(2)) * 2.0
    step, again = next(steps(y, np.ones(2))), next(steps(y, np.ones(2)))
    assert step == step
    assert step != again
    assert len({step, again}) == 2
    with pytest.raises(AttributeError, match="cannot assign"):
        step.after = 0.0


def test_steps_print_readable_lines():
    w, x = leaf([1.0, 2.0], name="w"), leaf([3.0, 4.0])
    loss = np.sum(w * x) + 2
    assert [str(step) for step in steps(loss)] == [
        "add: 1 arrived, 1 sent to argument 0",
        "sum: 1 arrived, shape (2,) sent to argument 0",
        "multiply: shape (2,) arrived, shape (2,) sent to w",
        "multiply: shape (2,) arrived, shape (2,) sent to argument 1",
    ]


def test_a_second_contribution_prints_the_sum():
    a = leaf(3.0, name="a")
    assert str(list(steps(a * a))[-1]) == "multiply: 1 arrived, 3 sent to a, in all 6"


def test_every_step_prints_on_a_windows_console():
    for step in steps(random_graph(0)[0]):
        assert isinstance(step, Step)
        str(step).encode("cp1252")


def test_steps_write_no_gradient_and_call_no_hook():
    x = leaf(3.0)
    y = x * x
    y.register_hook(lambda g: 1 / 0)
    for _ in steps(y):
        pass
    assert x.grad is None
    assert y.grad is None


def test_steps_do_not_change_under_later_steps():
    x = leaf([1.0, 2.0])
    walked = list(steps((x * x).sum()))
    parts = [np.copy(step.contribution) for step in walked]
    (x * x).sum().backward()
    x.grad += 1
    assert all(np.array_equal(step.contribution, part) for step, part in zip(walked, parts))


def test_steps_take_a_gradient_to_start_with():
    x = leaf([1.0, 2.0])
    (step,) = steps(np.sin(x), [1.0, 0.0])
    assert step.contribution.tolist() == [np.cos(1.0), 0.0]


def test_steps_of_a_leaf_are_none():
    assert list(steps(leaf(1.0))) == []


# ---- the order


@pytest.mark.parametrize("seed", range(5))
def test_everything_stands_after_what_it_was_computed_from(seed):
    loss, leaves = random_graph(seed)
    order = topological_order(loss)
    place = {t: i for i, t in enumerate(order)}
    assert len(place) == len(order)
    assert order[-1] is loss
    assert set(leaves) <= set(order)
    for t in order:
        assert all(place[x] < place[t] for x in t.inputs if isinstance(x, Tensor) and x.requires_grad)


def wide_graph(n):
    """A sum of terms that are all older than the sum: each has to wait until all that is newer was visited."""
    x = leaf(1.0)
    terms = [x * float(i) for i in range(n)]
    return sum(terms[1:], start=terms[0])


@pytest.mark.parametrize("loss", [*(random_graph(seed)[0] for seed in range(5)), wide_graph(30)])
def test_the_pass_visits_it_backwards(loss):
    made = [t for t in topological_order(loss) if not t.is_leaf]
    assert list(dict.fromkeys(step.node for step in steps(loss))) == made[::-1]


def late(order):
    """A sum of three terms given in this order, of which the last that was made, c, depends on the second, b."""
    x = leaf(1.0)
    a = x * 2.0
    b = x * 3.0
    c = b * 5.0
    terms = dict(a=a, b=b, c=c)
    add_up = op(lambda a, b, c: a + b + c, *[lambda g, y, a, b, c: g] * 3, name="sum of three", at=[call((), (), ())])
    return add_up(*(terms[name] for name in order)), x


@pytest.mark.parametrize("order", ["abc", "acb", "bac", "bca", "cab", "cba"])
def test_the_order_of_arguments_says_nothing_of_the_order_of_making(order):
    loss, x = late(order)
    loss.backward()
    assert x.grad == 2 + 3 + 15


def test_constants_are_not_in_order():
    x, c = leaf(1.0), Tensor(2.0)
    assert topological_order(x * c)[0] is x
    assert len(topological_order(x * c)) == 2


def test_several_outputs_share_one_order():
    x = leaf(1.0)
    y, z = x * 2, x * 3
    order = topological_order(y, z)
    assert sorted(map(id, order)) == sorted(map(id, (x, y, z)))


def test_the_order_of_nothing_is_empty():
    assert topological_order() == []


def test_time_is_linear_in_the_graph():
    """Rules called, and lines run in topological_order, per operation: the same for a graph ten times as large."""
    import sys

    calls = []
    probe = op(lambda a, b: a + b, *[lambda g, y, a, b: calls.append(1) or g] * 2, name="probe", at=[call((), ())])

    def work(n):
        x = y = leaf(1.0)
        for _ in range(n):
            y = probe(y, x) * 0.5
        lines = 0

        def count(frame, event, arg):
            nonlocal lines
            lines += event == "line"
            return count

        before = sys.gettrace()
        sys.settrace(lambda frame, event, arg: count if frame.f_code is topological_order.__code__ else None)
        try:
            topological_order(y)
        finally:
            sys.settrace(before)
        calls.clear()
        y.backward()
        return lines / n, len(calls) / n

    (few, rules), (many, rules_too) = work(50), work(500)
    assert rules == rules_too == 2
    assert abs(many - few) < 1
    assert inspect.isfunction(topological_order)
