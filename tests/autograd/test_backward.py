"""backward() and grad(): gradients arrive complete, add up at leaves, and a failure changes nothing."""

import gc
import weakref

import numpy as np
import pytest

from autograd import Tensor, call, detect_anomaly, grad, no_grad, op, stamp, topological_order


def leaf(data, **kwargs):
    return Tensor(data, requires_grad=True, **kwargs)


def broken(message="broken"):
    """An operation whose rule raises."""

    def rule(g, y, x):
        raise ZeroDivisionError(message)

    return op(lambda x: x * 1.0, rule, name="broken", at=[call((3,))])


# ---- the chain rule, at known values


def test_a_product_rule_by_hand():
    a, b = leaf(3.0), leaf(4.0)
    (a * b + a).backward()
    assert (a.grad, b.grad) == (5, 3)


def test_a_value_used_twice_gets_both_contributions():
    x = leaf(3.0)
    y = x * x
    (y * y).backward()
    assert y.grad == 18
    assert x.grad == 4 * 27


def test_a_diamond_is_visited_once():
    visits = []
    probe = op(lambda x: x * 1.0, lambda g, y, x: visits.append(1) or g, name="probe", at=[call((3,))])
    x = leaf(1.0)
    y = probe(x)
    for _ in range(20):
        y = y + y
    y.backward()
    assert x.grad == 2**20
    assert len(visits) == 1


def test_broadcasting_is_undone():
    x, b, s = leaf(np.ones((4, 3))), leaf(np.zeros((1, 3))), leaf(2.0)
    ((x + b) * s).sum().backward()
    assert x.grad.tolist() == [[2.0] * 3] * 4
    assert b.grad.tolist() == [[8.0] * 3]
    assert s.grad == 12


@pytest.mark.parametrize("shape", [(), (1,), (3,), (1, 3), (4, 1), (4, 3), (2, 1, 1), (2, 4, 3)])
def test_broadcasting_over_any_axes_is_undone(shape):
    x = leaf(np.ones(shape))
    np.sum(x * np.ones((2, 4, 3))).backward()
    assert np.array_equal(x.grad, np.full(shape, 24 / x.size))


def test_a_gradient_has_its_tensors_dtype_and_shape():
    a, b = leaf(np.ones((2, 1), np.float32)), leaf(np.ones(3))
    y = a * b
    y.sum().backward()
    for t in (a, b, y):
        assert (t.grad.shape, t.grad.dtype) == (t.shape, t.dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_a_rule_that_gives_another_dtype_still_leaves_the_tensors(dtype):
    double = op(lambda x: x * 2, lambda g, y, x: np.full(x.shape, 2, dtype), name="double", at=[call((3,))])
    x = leaf(np.ones(3))
    double(x).sum().backward()
    assert x.grad.dtype == np.float64
    assert x.grad.tolist() == [2, 2, 2]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("slope", [2, 2.0, np.float32(2), np.float64(2), np.array(2.0), True + np.int64(1)])
def test_a_number_too_gets_a_gradient_of_its_dtype_whatever_its_rule_gives(slope, dtype):
    double = op(lambda x: x * 2, lambda g, y, x: slope, name="double", at=[call(())])
    x = leaf(dtype(1))
    y = x * dtype(3)
    double(y).backward()
    assert (x.grad, y.grad) == (6, 2)
    assert (x.grad.dtype, y.grad.dtype) == (dtype, dtype)


@pytest.mark.parametrize("gradient", [Tensor(2.0), 2, np.float64(2), [2.0], np.array(2)])
def test_the_gradient_that_a_pass_starts_with_takes_the_tensors_dtype(gradient):
    x = leaf(np.float32(1)) if np.shape(gradient) == () else leaf(np.ones(1, np.float32))
    x.backward(gradient)
    assert x.grad.dtype == np.float32
    assert x.grad == 2


def test_a_vector_takes_the_gradient_it_starts_with():
    x = leaf([1.0, 2.0])
    (x * x).backward([1.0, 10.0])
    assert x.grad.tolist() == [2, 40]


def test_an_empty_array_has_an_empty_gradient():
    x = leaf(np.ones((0, 3)))
    np.sum(np.sin(x) * 2 + 1).backward()
    assert x.grad.shape == (0, 3)


def test_a_leaf_is_its_own_gradient():
    x = leaf(3.0)
    x.backward()
    assert x.grad == 1


@pytest.mark.parametrize("make", [lambda a, b: np.concatenate([a, b]), lambda a, b: np.stack([a, b])])
def test_a_leafs_gradient_is_no_part_of_an_operations(make):
    a, b = leaf(np.ones(2)), leaf(np.ones(2))
    y = make(a, b)
    (y * 1.0).sum().backward()
    a.grad += 1
    assert a.grad.tolist() == [2, 2]
    assert np.all(y.grad == 1)


# ---- .grad


def test_gradients_of_leaves_add_up_and_of_operations_are_the_last():
    x = leaf(3.0)
    y = x * x
    z = 2 * y
    z.backward()
    z.backward()
    assert x.grad == 24
    assert y.grad == 2
    assert z.grad == 1


def test_a_second_loss_over_the_same_operation_adds_only_its_own_part():
    x = leaf(3.0)
    y = x * x
    (y * 1).backward()
    (y * 10).backward()
    assert x.grad == 6 + 60
    assert y.grad == 10


def test_zero_grad_forgets():
    x = leaf(3.0)
    (x * x).backward()
    x.zero_grad()
    assert x.grad is None


def test_constants_get_no_gradient():
    x, c = leaf(3.0), Tensor(2.0)
    (x * c).backward()
    assert c.grad is None


# ---- freeing the graph


def test_retain_graph_false_gives_the_same_gradients_and_keeps_none_in_between():
    x = leaf([1.0, 2.0])
    y = np.sin(x)
    (y * y).sum().backward(retain_graph=False)
    assert np.array_equal(x.grad, 2 * np.sin(x.data) * np.cos(x.data))
    assert y.grad is None


def test_a_freed_graph_is_refused_before_any_gradient_changes():
    x, other = leaf(2.0), leaf(3.0)
    y = x * x
    (y * 1).backward(retain_graph=False)
    x.zero_grad()
    for use in (lambda t: t.backward(), lambda t: grad(t, other), lambda t: topological_order(t)):
        with pytest.raises(RuntimeError, match=r"freed by backward\(retain_graph=False\)"):
            use(y * other)
    assert x.grad is None
    assert other.grad is None


def test_retain_graph_false_lets_go_of_the_arrays():
    x = leaf(np.ones(3))
    y = x * 2
    z = (y * y).sum()
    watched = weakref.ref(y)
    del y
    z.backward(retain_graph=False)
    assert watched() is None


@pytest.mark.parametrize("build", [lambda x: (np.sin(x) * x + x / 2).sum(), lambda x: np.exp(x) @ x])
def test_a_graph_is_freed_at_once_without_the_garbage_collector(build):
    gc.collect()
    gc.disable()
    try:
        x = leaf(np.ones(3))
        hidden = x * 3
        loss = build(hidden)
        loss.backward()
        (slope,) = grad(build(hidden), hidden, create_graph=True)
        slope.sum().backward()
        watched = [weakref.ref(t) for t in (*topological_order(loss), *topological_order(slope)) if t is not x]
        del loss, hidden, slope
        assert not [ref() for ref in watched if ref() is not None]
    finally:
        gc.enable()


def test_a_hook_goes_with_its_tensor_whatever_it_held():
    gc.disable()
    try:
        x = leaf(1.0)
        y, held = x * 2, x * 3
        handle = y.register_hook(lambda g, held=held: None)
        y.backward()
        watched = weakref.ref(y), weakref.ref(held)
        del y, held
        handle.remove()
        assert [ref() for ref in watched] == [None, None]
        y, held = x * 2, x * 3
        y.register_hook(lambda g, held=held: None)
        watched = weakref.ref(y), weakref.ref(held)
        del y, held
        assert [ref() for ref in watched] == [None, None]
    finally:
        gc.enable()


# ---- a failure changes nothing


def test_a_rule_that_raises_changes_no_gradient():
    x, w = leaf(1.0), leaf(2.0)
    x.grad = np.array(7.0)
    y = w * 3
    y.grad = 5.0
    with pytest.raises(ZeroDivisionError, match="broken"):
        (broken()(x) + y).backward()
    assert (x.grad, w.grad, y.grad) == (7, None, 5)


def test_a_hook_that_raises_changes_no_gradient():
    x, w = leaf(1.0), leaf(2.0)
    x.register_hook(lambda g: 1 / 0)
    y = x * w
    with pytest.raises(ZeroDivisionError):
        y.backward()
    assert (x.grad, w.grad, y.grad) == (None, None, None)


@pytest.mark.parametrize("part", [np.ones(5), np.ones((3, 1)), 1.0, None, "g", {}, 1j * np.ones(3)])
def test_a_rule_that_gives_no_gradient_of_its_argument_is_refused(part):
    wrong = op(lambda x: x * 1.0, lambda g, y, x: part, name="wrong", at=[call((3,))])
    x = leaf(np.ones(3))
    with pytest.raises((TypeError, ValueError), match="rule of wrong for argument 0"):
        wrong(x).sum().backward()
    assert x.grad is None


# ---- values that were changed in place


@pytest.mark.parametrize("update", ["w -= 0.1", "w += 0.1", "w *= 0.5", "w[0] = 3.0"])
def test_a_graph_from_before_an_update_refuses_and_names_the_tensor(update):
    w = leaf([1.0, 2.0], name="weight")
    scope = {"w": w}
    loss = (w * w).sum()
    with no_grad():
        exec(update, scope)
    with pytest.raises(RuntimeError, match=r"\(weight\) that multiply used was changed in place"):
        loss.backward()
    assert w.grad is None
    (w * w).sum().backward()
    assert w.grad.tolist() == (2 * w.data).tolist()


def test_an_optimizers_stamp_counts_as_an_update():
    w = leaf(2.0)
    loss = w * w
    w.data -= 1.0
    stamp(w)
    with pytest.raises(RuntimeError, match=r"A Tensor that multiply used was changed in place"):
        loss.backward()


def test_a_constant_that_was_changed_in_place_is_refused_too():
    w, c = leaf([1.0, 2.0]), Tensor([3.0, 4.0])
    loss = (w * c).sum()
    c[0] = 9.0
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_an_update_elsewhere_does_not_matter():
    w, other = leaf(2.0), leaf(3.0)
    loss = w * w
    with no_grad():
        other -= 1.0
    loss.backward()
    assert w.grad == 4


# ---- hooks


def test_hooks_are_called_in_order_with_the_complete_gradient():
    x, seen = leaf(3.0), []
    y = x * 2
    y.register_hook(lambda g: seen.append(("first", float(g))))
    y.register_hook(lambda g: seen.append(("second", float(g))))
    (y + y * y).backward()
    assert seen == [("first", 13), ("second", 13)]


def test_what_a_hook_returns_is_used_instead():
    x = leaf([3.0])
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: [float(g[0]) + 1])
    y.sum().backward()
    assert y.grad.tolist() == [11]
    assert x.grad.tolist() == [22]


def test_a_hook_on_a_leaf_changes_what_is_added():
    x = leaf(1.0)
    x.register_hook(lambda g: np.clip(g, -1, 1))
    (x * 5).backward()
    (x * 5).backward()
    assert x.grad == 2


def test_a_removed_hook_is_not_called():
    x = leaf(1.0)
    handle = x.register_hook(lambda g: g * 100)
    handle.remove()
    handle.remove()
    (x * 5).backward()
    assert x.grad == 5


def test_a_hook_may_remove_itself():
    x, calls = leaf(1.0), []
    handle = x.register_hook(lambda g: (calls.append(1), handle.remove())[1])
    x.backward()
    x.backward()
    assert len(calls) == 1


@pytest.mark.parametrize("answer", [np.ones(4), 1.0, [[1.0, 2.0, 3.0]]])
def test_a_hooks_answer_of_another_shape_is_refused(answer):
    x = leaf(np.ones(3))
    y = x * 2
    y.register_hook(lambda g: answer)
    with pytest.raises(ValueError, match="The gradient returned by a hook has shape"):
        y.sum().backward()
    assert x.grad is None


@pytest.mark.parametrize("answer", ["g", 1j, True])
def test_a_hooks_answer_that_is_no_real_number_is_refused(answer):
    x = leaf(1.0)
    x.register_hook(lambda g: answer)
    with pytest.raises(TypeError, match="The gradient returned by a hook consists of real numbers, not"):
        x.backward()
    assert x.grad is None


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("answer", [np.ones(2), Tensor(np.ones(2)), leaf(np.ones(2)), [1, 1]], ids=repr)
def test_a_hooks_answer_takes_the_tensors_dtype(answer, create_graph):
    x = leaf(np.ones(2, np.float32))
    x.register_hook(lambda g: answer)
    (g,) = grad(np.sum(x * x), x, create_graph=create_graph)
    assert g.dtype == np.float32
    assert g.tolist() == [1, 1]


def test_an_update_in_a_hook_is_noticed_by_the_pass_that_called_it():
    x, w, v = leaf([5.0]), leaf([2.0]), leaf([3.0])
    y = w * x

    def update(g):
        with no_grad():
            w[0] = 1  # the pass has yet to multiply by it

    y.register_hook(update)
    with pytest.raises(RuntimeError, match="was changed in place after it was recorded"):
        np.sum(y * v).backward()
    assert x.grad is w.grad is v.grad is None


def test_hooks_fire_in_grad_too_and_may_compute_with_tensors():
    x = leaf(3.0)
    y = x * x
    y.register_hook(lambda g: g * 10)
    assert grad(y, x)[0].item() == 60
    (slope,) = grad(y, x, create_graph=True)
    assert slope.item() == 60
    assert grad(slope, x)[0].item() == 20


# ---- grad()


def test_grad_gives_tensors_and_touches_no_grad():
    x, w = leaf([1.0, 2.0]), leaf(3.0)
    y = x * w
    found = grad(y.sum(), [x, w])
    assert all(isinstance(t, Tensor) for t in found)
    assert [t.tolist() for t in found] == [[3, 3], 3]
    assert x.grad is w.grad is y.grad is None


def test_what_grad_gives_is_nobody_elses():
    x = leaf(np.ones(3))
    y = x + 0
    for t in grad(np.sum(y), [y, x]):
        t.data[...] = 9.0
    y.sum().backward()
    assert y.grad.tolist() == x.grad.tolist() == [1, 1, 1]


def test_grad_of_an_operation_in_between():
    x = leaf(2.0)
    y = x * 3
    assert grad(y * y, y)[0].item() == 12
    assert grad(y * y, [y, x])[1].item() == 36
    assert grad(y, y)[0].item() == 1


def test_grad_adds_up_over_several_outputs():
    x = leaf(2.0)
    assert grad([x * 3, x * x], x)[0].item() == 7
    assert grad([x * 3, x * x], x, grad_outputs=[1.0, 10.0])[0].item() == 43
    y = x * x
    assert grad([y, y], x)[0].item() == 8
    assert grad([y, y * 3], [x, y])[0].item() == 16


def test_grad_visits_only_what_lies_between():
    x, other = leaf(1.0), leaf(1.0)
    assert grad(x * 2 + broken()(other), x)[0].item() == 2


def test_a_gradient_that_adds_up_to_infinity_is_no_error_unless_it_is_watched():
    x = leaf(1e308)
    with np.errstate(over="ignore"):
        (g,) = grad(x * 1e308 + x * 1e308, x)
    assert g.data == np.inf


def test_gradients_may_become_infinite_in_a_hook_or_over_several_passes_unless_they_are_watched():
    x = leaf(1.0)
    hook = x.register_hook(lambda g: g * np.inf)
    (x * 2.0).backward()
    assert x.grad == np.inf
    hook.remove()
    x.zero_grad()
    with np.errstate(over="ignore"):
        for _ in range(2):
            (x * 1e308).backward()
    assert x.grad == np.inf


def test_an_input_that_nothing_depends_on_is_refused_or_none():
    x, other = leaf(1.0), leaf(1.0)
    with pytest.raises(RuntimeError, match=r"no output depends on input 1\. Pass allow_unused=True"):
        grad(x * 2, [x, other])
    found = grad(x * 2, [x, other], allow_unused=True)
    assert found[0].item() == 2
    assert found[1] is None


def test_create_graph_gives_every_order():
    x = leaf(2.0)
    y, values = x**5, []
    for _ in range(6):
        (y,) = grad(y, x, create_graph=True)
        values.append(y.item())
        if not y.requires_grad:
            break
    assert values[:5] == [80, 160, 240, 240, 120]


def test_without_create_graph_the_result_has_no_history():
    x = leaf(2.0)
    (slope,) = grad(x**3, x)
    assert not slope.requires_grad
    assert slope.is_leaf


def test_a_penalty_on_a_gradient_reaches_the_parameters():
    w, x = leaf(3.0), leaf(2.0)
    (slope,) = grad(w * x**2, x, create_graph=True)
    (slope**2).backward()
    assert w.grad == 2 * slope.item() * 4
    assert x.grad == 2 * slope.item() * 6


def test_grad_outputs_may_be_differentiated():
    x, v = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    (product,) = grad(x * x, x, grad_outputs=v, create_graph=True)
    assert product.tolist() == [6, 16]
    assert grad(product.sum(), v)[0].tolist() == [2, 4]


def test_create_graph_works_under_no_grad():
    x = leaf(2.0)
    y = x**3
    with no_grad():
        (slope,) = grad(y, x, create_graph=True)
    assert grad(slope, x)[0].item() == 12


def test_both_speeds_agree_bit_for_bit():
    rng = np.random.default_rng(0)
    x, w = leaf(rng.normal(size=(4, 3))), leaf(rng.normal(size=(3, 2)))
    y = np.mean(np.tanh(x @ w) ** 2 + np.exp(x).sum() / 7)
    for plain, recorded in zip(grad(y, [x, w]), grad(y, [x, w], create_graph=True)):
        assert np.array_equal(plain.data, recorded.data)


# ---- the same as PyTorch

CASES = {
    "chain": lambda t, x, w: (t.tanh(x @ w) * 3 + 1).sum(),
    "shared": lambda t, x, w: ((x * x) @ w).mean() + (x / 2).sum(),
    "broadcast": lambda t, x, w: (t.exp(x[0:1] * 0.1) + x).sum() * t.sin(w).sum(),
}


@pytest.mark.parametrize("name", CASES)
def test_backward_and_grad_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    values = rng.normal(size=(4, 3)), rng.normal(size=(3, 2))
    ours = [leaf(v) for v in values]
    theirs = [torch.tensor(v, requires_grad=True) for v in values]
    y, z = CASES[name](np, *ours), CASES[name](torch, *theirs)
    for _ in range(2):
        y.backward()
        z.backward(retain_graph=True)
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-13)
    first, second = grad(y, ours, create_graph=True), torch.autograd.grad(z, theirs, create_graph=True)
    for a, b in zip(first, second):
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=1e-13)
    penalty, theirs_too = sum((g * g).sum() for g in first), sum((g * g).sum() for g in second)
    for a, b in zip(grad(penalty, ours), torch.autograd.grad(theirs_too, theirs)):
        np.testing.assert_allclose(a.data, b.numpy(), rtol=1e-12)


def test_grads_refusals_are_pytorchs():
    torch = pytest.importorskip("torch")
    for make, gradient in ((leaf, grad), (lambda v: torch.tensor(v, requires_grad=True), torch.autograd.grad)):
        x, other = make([1.0, 2.0]), make(1.0)
        for outputs, inputs in ((x * 2, x), ((x * 2).sum(), other), ((x * 2).sum().detach(), x)):
            with pytest.raises((RuntimeError, ValueError)):
                gradient(outputs, inputs)
        assert gradient((x * 2).sum(), [x, other], allow_unused=True)[1] is None


def test_detect_anomaly_changes_no_gradient():
    x = leaf([0.5, 2.0])
    with detect_anomaly():
        (np.log(x) * x).sum().backward()
    careful, x.grad = x.grad, None
    (np.log(x) * x).sum().backward()
    assert np.array_equal(x.grad, careful)


def test_a_pass_that_drops_the_graph_leaves_no_older_gradient_inside_it():
    a = Tensor(2.0, requires_grad=True)
    b = a * a
    c = b * 3
    c.backward()
    c.backward(retain_graph=False)
    assert (b.grad, c.grad, a.grad) == (None, None, 24)


# ---- whose arrays gradients are: what is added to in place belongs to nobody else


def test_a_leafs_gradient_is_its_own_even_where_a_rule_returns_what_is_kept():
    exponential = op(lambda x: np.exp(x), lambda g, y, x: y, name="exponential", at=[call((3,))])  # right where g is 1
    x = leaf(np.arange(3.0))
    y = exponential(x)
    y.backward(np.ones(3))
    x.grad += 1
    assert np.array_equal(y.data, np.exp(np.arange(3.0)))


def test_contributions_are_added_without_changing_what_others_got():
    x = leaf(np.arange(3.0))
    a, b = x * 1.0, x * 1.0  # a, b and x, twice, all get the same array
    (a + b + x + x).backward(np.ones(3))
    assert np.array_equal(a.grad, np.ones(3))
    assert np.array_equal(b.grad, np.ones(3))
    assert np.array_equal(x.grad, np.full(3, 4.0))


@pytest.mark.parametrize("first", ["fresh", "kept", "view"])
@pytest.mark.parametrize("second", ["fresh", "kept", "view"])
def test_sums_are_right_and_change_nothing_that_a_rule_keeps(first, second):
    kept = [np.arange(3.0), np.arange(3.0) * 10]

    def sending(how, i):
        """An operation whose gradient is kept[i]: a copy, the array itself, which nothing else holds, or a view."""
        rule = {"fresh": lambda: kept[i].copy(), "kept": lambda: kept[i], "view": lambda: kept[i][:]}[how]
        return op(lambda x: x + 0, lambda g, y, x: rule(), name=how, at=[call((3,))])

    x = leaf(np.ones(3))
    (sending(first, 0)(x) + sending(second, 1)(x)).backward(np.ones(3))
    assert x.grad.tolist() == [0, 11, 22]
    assert [array.tolist() for array in kept] == [[0, 1, 2], [0, 10, 20]]


def test_what_a_hook_keeps_or_changes_is_its_own():
    x = leaf(np.arange(3.0))
    y = x * 1.0
    kept = []
    y.register_hook(kept.append)
    x.register_hook(lambda g: g.fill(7.0))
    z = y + x
    z.backward(np.ones(3))
    assert np.array_equal(x.grad, np.full(3, 7.0))
    assert np.array_equal(y.grad, np.ones(3))
    assert np.array_equal(z.grad, np.ones(3))
    assert np.array_equal(kept[0], np.ones(3))


def test_what_a_hook_writes_into_a_gradient_reaches_nobody_else():
    x = leaf(np.arange(3.0))
    x.register_hook(lambda g: g.fill(7.0))
    y = x + 1.0  # which sends on the very array that it got
    y.backward(np.ones(3))
    assert np.array_equal(x.grad, np.full(3, 7.0))
    assert np.array_equal(y.grad, np.ones(3))


def test_a_leafs_gradient_is_in_c_order_as_a_new_array_is():
    x = leaf(np.arange(6.0).reshape(2, 3))
    np.sum(x.T * np.ones((3, 2))).backward()
    assert x.grad.flags.c_contiguous


def test_a_pass_that_starts_with_a_tensor_leaves_arrays():
    x = leaf(np.arange(3.0))
    y = x * 2.0
    y.backward(Tensor(np.ones(3)))
    assert type(y.grad) is type(x.grad) is np.ndarray


def test_a_hook_may_answer_with_a_tensor_and_the_gradient_is_an_array_all_the_same():
    x, answer = Tensor([1.0, 2.0], requires_grad=True), Tensor([5.0, 6.0])
    y = x * 2
    y.register_hook(lambda g: answer)
    x.register_hook(lambda g: Tensor(g * 3))
    np.sum(y).backward()
    assert type(x.grad) is type(y.grad) is np.ndarray
    assert (y.grad.tolist(), x.grad.tolist()) == ([5, 6], [30, 36])
    assert not np.shares_memory(y.grad, answer.data)
    (slope,) = grad(np.sum(x * y), y, create_graph=True)  # and with Tensors: the answer's own
    assert slope is answer


def test_what_backward_of_a_vector_needs_is_named_as_it_is_called():
    y = Tensor([1.0, 2.0], requires_grad=True) * 2
    with pytest.raises(ValueError, match=r"or pass backward\(gradient\)\."):
        y.backward()
    with pytest.raises(TypeError, match=r"consists of real numbers, not complex128\.$"):
        y.backward(np.array([1j, 2.0]))
