"""A Tensor is an array that remembers: how it is made, looked at, computed with and copied."""

import copy
import inspect
import math
import pickle
import warnings

import numpy as np
import pytest

import autograd
from autograd import Tensor, call, gradcheck, no_grad, op
from autograd.operations import left_out, parameters


@pytest.fixture
def single():
    """float32 as the default dtype, for one test."""
    autograd.set_default_dtype(np.float32)
    yield
    autograd.set_default_dtype(np.float64)


def leaf(data, **kwargs):
    return Tensor(data, requires_grad=True, **kwargs)


# ---- making one


@pytest.mark.parametrize("data", [1.5, [1.0, 2.0], ((1.0,), (2.0,)), np.ones((2, 3)), np.float32(3), range(3), True])
def test_data_is_what_asarray_takes(data):
    made = Tensor(data)
    assert np.array_equal(made.data, np.asarray(data))
    assert made.dtype == np.asarray(data).dtype


def test_learning_never_edits_the_callers_array():
    array = np.ones(3)
    w = leaf(array)
    with no_grad():
        w -= 1.0
    assert w.data.tolist() == [0, 0, 0]
    assert array.tolist() == [1, 1, 1]


def test_without_requires_grad_the_array_is_shared():
    array = np.ones(3)
    assert Tensor(array).data is array


@pytest.mark.parametrize("data", [3, True, [1, 2], np.arange(3), np.array([True, False])])
def test_integers_and_booleans_that_require_grad_become_the_default_float(data):
    assert leaf(data).dtype == np.float64


def test_an_array_of_floats_keeps_its_dtype():
    for dtype in (np.float16, np.float32, np.float64):
        assert leaf(np.ones(2, dtype)).dtype == dtype


def test_dtype_may_be_chosen():
    assert Tensor([1, 2], dtype=np.float32).dtype == np.float32


def test_a_tensor_of_a_tensor_without_history_has_its_values():
    assert Tensor(Tensor([1.0, 2.0])).data.tolist() == [1.0, 2.0]


def test_set_default_dtype_changes_what_python_numbers_become(single):
    assert Tensor(1.0).dtype == leaf([1.0, 2.0]).dtype == leaf(3).dtype == np.float32
    assert Tensor(np.ones(2)).dtype == np.float64
    assert autograd.get_default_dtype() == np.float32


def test_python_scalars_keep_float32():
    x = leaf(np.ones(3, np.float32))
    for y in (x + 1.5, 2 * x, x / 3, x**2, 1 - x, 0.5**x, np.maximum(x, 0.0), np.where([True, False, True], x, 0.0)):
        assert y.dtype == np.float32, y.op
        y.sum().backward()
    assert x.grad.dtype == np.float32


def test_a_scalar_keeps_float32_too():
    x = leaf(np.float32(2))
    y = 1 / (x * 3 + 0.5)
    y.backward()
    assert y.dtype == x.grad.dtype == np.float32


def test_promotion_is_numpys():
    x, y = leaf(np.ones(2, np.float32)), leaf(np.ones(2))
    z = x * y
    z.sum().backward()
    assert z.dtype == np.float64
    assert x.grad.dtype == np.float32
    assert y.grad.dtype == np.float64


# ---- scalars


def test_a_scalar_has_shape_empty_and_its_graph_computes_with_numpys_numbers():
    x = leaf(2.0)
    y = x * x + 1
    assert x.shape == y.shape == ()
    assert type(y.data) is np.float64
    y.backward()
    assert type(y.grad) is np.float64


@pytest.mark.parametrize("data", [2.0, [1.0, 2.0]])
def test_a_leaf_owns_a_writable_array_and_a_writable_gradient(data):
    x = leaf(data)
    (3 * x).sum().backward()
    for array in (x.data, x.grad):
        assert type(array) is np.ndarray
        assert array.flags.writeable
        array[...] = 7.0
    assert np.all(x.data == 7.0)


def test_a_leafs_gradient_is_nobody_elses():
    a, b = leaf(np.ones((2, 3))), leaf(np.ones((2, 3)))
    y = a + b
    z = y.reshape(6).sum()
    z.backward()
    a.grad[...] = 9.0
    assert np.all(b.grad == 1)
    assert np.all(y.grad == 1)


def test_a_gradient_passed_in_stays_the_callers():
    gradient, x = np.ones(3), leaf(np.zeros(3))
    for given in (gradient, Tensor(gradient)):
        x.zero_grad()
        x.backward(given)
        x.grad += 1
        assert gradient.tolist() == [1, 1, 1]


# ---- looking at one


def test_the_attributes_describe_the_value_and_where_it_came_from():
    x = leaf(np.ones((2, 3)), name="x")
    y = x * 2.0
    assert (x.shape, x.ndim, x.size, x.dtype, x.name) == ((2, 3), 2, 6, np.float64, "x")
    assert x.is_leaf
    assert x.requires_grad
    assert x.op is None
    assert x.inputs == ()
    assert x.grad is None
    assert not y.is_leaf
    assert y.requires_grad
    assert y.op.name == "multiply"
    assert y.inputs[0] is x
    assert y.inputs[1] == 2.0
    assert x.T.shape == (3, 2)


def test_inputs_stand_in_order_and_are_tensors_arrays_and_numbers():
    array, x = np.ones(2), leaf([1.0, 2.0])
    y = np.where(np.array([True, False]), array, x)
    assert y.inputs[1] is array
    assert y.inputs[2] is x


def test_what_nothing_learns_from_is_not_recorded():
    y = Tensor([1.0]) * 2
    assert not y.requires_grad
    assert y.op is None
    assert y.inputs == ()


def test_a_leaf_may_begin_and_stop_to_require_grad():
    array = np.ones(2)
    x = Tensor(array)
    x.requires_grad = True
    assert x.data is not array
    assert (x * 2).requires_grad
    x.requires_grad = False
    assert not (x * 2).requires_grad


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (Tensor([1.0, 2.5]), "Tensor([1. , 2.5])"),
        (leaf(2.0, name="w"), "Tensor(2., name='w', requires_grad=True)"),
        (Tensor([1, 2]), "Tensor([1, 2], dtype=int64)"),
        (Tensor(np.float32(1)), "Tensor(1., dtype=float32)"),
        (leaf([3.0]) * 2, "Tensor([6.], op=multiply)"),
    ],
)
def test_repr_shows_value_name_and_op(tensor, text):
    assert repr(tensor) == str(tensor) == text


def test_repr_shows_the_gradient_once_there_is_one():
    x = leaf(2.0)
    (x * x).backward()
    assert repr(x) == "Tensor(2., requires_grad=True, grad=4.)"


def test_repr_of_every_operation_prints_on_a_windows_console():
    x = leaf([0.5, 1.0])
    for t in (x, -x, x - 1, x * x, x / 2, x**2, np.sqrt(x), np.square(x), abs(x), x.sum(), x.mean(), x @ x):
        repr(t).encode("cp1252")


def test_len_iteration_and_membership_are_an_arrays():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    assert [row.data.tolist() for row in x] == [[1, 2], [3, 4]]
    _, second = x
    second.sum().backward()
    assert x.grad.tolist() == [[0, 0], [1, 1]]
    assert 3.0 in x
    assert 5.0 not in x
    assert None not in x.sum()


def test_bool_is_an_arrays():
    assert Tensor(1.0)
    assert not leaf(0.0)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(leaf([1.0, 2.0]))


def test_a_whole_number_indexes():
    assert ["a", "b"][Tensor(1)] == "b"
    with pytest.raises(TypeError):
        ["a", "b"][leaf(1.0)]


def test_format_is_the_numbers():
    assert f"{leaf(2.0):.3f}" == "2.000"
    assert f"{leaf([2.0]) * 2:6.2f}" == "  4.00"
    assert f"{leaf(2.0)}" == "Tensor(2., requires_grad=True)"


def test_item_and_tolist_give_python_numbers_without_warning():
    x = leaf([[2.5]])
    assert type(x.item()) is float
    assert x.tolist() == [[2.5]]
    assert (x * 2).item() == 5.0


@pytest.mark.parametrize("leave", [float, int, math.exp, lambda t: np.zeros(1).__setitem__(0, t), "%.1f".__mod__])
def test_leaving_by_float_works_and_warns_that_the_gradient_ends(leave):
    with pytest.warns(UserWarning, match="the gradient ends here"):
        leave(leaf(2.0))


def test_the_warning_comes_once_from_one_line():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            float(leaf(2.0))
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_constant_leaves_without_warning():
    assert float(Tensor(2.0)) == 2.0
    with no_grad():
        assert float(leaf(2.0) * 2) == 4.0


def test_numpy_and_detach_end_the_graph_on_purpose():
    y = leaf([1.0]) * 2
    d = y.detach()
    assert d.is_leaf
    assert not d.requires_grad
    assert d.numpy().tolist() == [2.0]
    assert np.asarray(d).tolist() == [2.0]
    assert np.array(d, dtype=np.float32).dtype == np.float32


# ---- computing with one

BINARY = ["a + b", "a - b", "a * b", "a / b", "a ** b", "a // b", "a % b"]


@pytest.mark.parametrize("formula", BINARY)
@pytest.mark.parametrize(
    "other", [2, 2.0, np.float64(2), np.float32(2), np.array([2.0, 4.0]), [2.0, 4.0], Tensor([2.0, 3.0])]
)
def test_operators_work_with_a_tensor_on_either_side(formula, other):
    values = np.array([1.5, 3.0])
    plain = other.data if isinstance(other, Tensor) else np.asarray(other) if isinstance(other, list) else other
    left = eval(formula, {"a": leaf(values), "b": other})
    right = eval(formula, {"a": other, "b": leaf(values)})
    for result, expected in (
        (left, eval(formula, {"a": values, "b": plain})),
        (right, eval(formula, {"a": plain, "b": values})),
    ):
        assert isinstance(result, Tensor)
        assert result.requires_grad
        assert np.array_equal(result.data, expected)


@pytest.mark.parametrize("other", [np.ones((2, 2)), [[1.0, 2.0], [3.0, 4.0]], Tensor(np.ones((2, 2)))])
def test_matmul_works_with_a_tensor_on_either_side(other):
    w = leaf([[1.0, 2.0], [3.0, 5.0]])
    plain = other.data if isinstance(other, Tensor) else np.asarray(other)
    assert np.array_equal((other @ w).data, plain @ w.data)
    assert np.array_equal((w @ other).data, w.data @ plain)


def test_signs_are_operators_too():
    x = leaf([-1.0, 2.0])
    assert (-x).tolist() == [1, -2]
    assert (+x).tolist() == [-1, 2]
    assert abs(x).tolist() == [1, 2]


@pytest.mark.parametrize("formula", ["a == b", "a != b", "a < b", "a <= b", "a > b", "a >= b"])
def test_comparisons_give_plain_arrays(formula):
    a, b = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0])
    expected = eval(formula)
    for left, right in ((leaf(a), b), (a, leaf(b)), (leaf(a), leaf(b)), (leaf(a), 2.0)):
        result = eval(formula, {"a": left, "b": right})
        assert type(result) is np.ndarray
        assert np.array_equal(result, expected)


def test_methods_have_numpys_own_signature():
    x = leaf(np.arange(6.0).reshape(2, 3))
    assert x.sum(0).tolist() == x.sum(axis=0).tolist() == np.sum(x, 0).tolist() == [3, 5, 7]
    assert x.mean(axis=1, keepdims=True).shape == (2, 1)
    assert x.reshape(3, 2).shape == x.reshape((3, 2)).shape == (3, 2)
    assert x.reshape(-1).shape == x.flatten().shape == (6,)
    assert x.transpose().shape == x.transpose(1, 0).shape == x.transpose((1, 0)).shape == (3, 2)


def test_an_argument_given_twice_is_refused():
    with pytest.raises(TypeError, match="two values for 'axis'"):
        leaf(np.ones((2, 3))).sum(0, axis=1)


def test_an_unknown_keyword_is_told_the_known_ones():
    with pytest.raises(TypeError, match="does not take where=; its derivative knows axis=, keepdims="):
        np.sum(leaf(np.ones(3)), where=np.array([True, False, True]))


def test_a_python_sum_of_tensors_is_a_tensor():
    assert sum([leaf(1.0), leaf(2.0)]).data == 3


def test_an_update_of_a_number_that_was_assigned_as_data():
    w = leaf(3.0)
    w.data = np.float64(5)
    with no_grad():
        w -= 1
    assert isinstance(w.data, np.ndarray)
    assert w.data == 4


@pytest.mark.parametrize("value", [5, 5.0, np.float32(5), [5.0], np.array([5.0]), Tensor(5.0), leaf(5.0)])
def test_what_is_assigned_as_data_becomes_an_array(value):
    t = Tensor(3.0)
    t.data = value
    assert isinstance(t.data, np.ndarray)
    assert (t * 2).data == 10


def test_an_array_that_is_assigned_as_data_is_not_copied():
    w, array = leaf(3.0), np.array(5.0)
    w.data = array
    assert w.data is array


@pytest.mark.parametrize("make", [leaf, Tensor])
def test_a_graph_refuses_backward_after_its_leaf_was_assigned_other_data(make):
    x = make(3.0)
    y = x * leaf(2.0)
    x.data = 4.0
    with pytest.raises(RuntimeError, match="multiply used was changed in place"):
        y.backward()


@pytest.mark.parametrize(
    ("tensor", "value", "message"),
    [
        (leaf(3.0) * 2, 5.0, "on the result of multiply"),
        (leaf(3.0), 5, r"holds floating point numbers, not int64: p.data = x.astype\(float\)"),
        (Tensor(3.0), 5j, "takes real numbers, but this is"),
        (Tensor(3.0), None, "takes real numbers, but this is None"),
    ],
)
def test_data_that_cannot_be_assigned(tensor, value, message):
    before = tensor.data
    with pytest.raises((RuntimeError, TypeError), match=message):
        tensor.data = value
    assert tensor.data is before


def test_an_interior_update_makes_a_new_node():
    x = leaf(3.0)
    y = first = x * 2
    y += 1
    assert y is not first
    assert first.data == 6
    y.backward()
    assert x.grad == 2


def test_an_update_of_a_constant_makes_a_new_tensor():
    total, w = Tensor(0.0), leaf(2.0)
    total += w
    assert total.requires_grad
    assert total.data == 2


@pytest.mark.parametrize(
    ("update", "expected"),
    [("w += 2", 8), ("w -= 2", 4), ("w *= 2", 12), ("w /= 2", 3), ("w **= 2", 36)],
)
def test_under_no_grad_a_leaf_is_updated_in_its_own_array(update, expected):
    w = leaf([6.0])
    scope = {"w": w}
    array = w.data
    with no_grad():
        exec(update, scope)
    assert scope["w"] is w
    assert w.data is array
    assert w.tolist() == [expected]
    assert w.requires_grad
    assert w.is_leaf


def test_under_no_grad_elements_may_be_assigned():
    w = leaf([1.0, 2.0])
    with no_grad():
        w[0] = 5.0
    assert w.tolist() == [5, 2]


def test_under_no_grad_a_matrix_is_multiplied_in_its_own_array():
    w = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    before = w.data
    with no_grad():
        w @= np.full((3, 3), 2.0)
    assert w.data is before
    assert w.tolist() == [[6, 6, 6], [24, 24, 24]]


def test_a_number_that_an_operation_gave_may_be_assigned_to():
    t = np.sum(Tensor([1.0, 2.0]))
    t[...] = 5
    assert t.item() == 5


def test_a_constant_takes_elements_by_index():
    x = Tensor([1.0, 2.0])
    x[Tensor(1)] = Tensor(7.0)
    assert x.tolist() == [1, 7]


def test_an_operation_of_ours_has_its_own_name():
    square = op(lambda x: x * x, lambda g, y, x: g * 2 * x, name="square_of", at=[call((3,))])
    assert square.__name__ == "square_of"


# ---- copying


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_what_detach_gives_can_be_copied_and_pickled(duplicate):
    made = duplicate((leaf([1.0, 2.0]) * 2).detach())
    assert type(made) is Tensor
    assert made.tolist() == [2, 4]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_copies_of_a_leaf_are_equal_and_independent(duplicate):
    x = leaf([1.0, 2.0], name="x")
    (x * x).sum().backward()
    y = duplicate(x)
    assert (y.tolist(), y.grad.tolist(), y.name, y.requires_grad) == ([1, 2], [2, 4], "x", True)
    y.data[0] = 9.0
    y.grad[0] = 9.0
    assert x.tolist() == [1, 2]
    assert x.grad.tolist() == [2, 4]


def test_deepcopy_keeps_what_is_shared_shared():
    x = leaf([1.0])
    a, b = copy.deepcopy([x, x])
    assert a is b
    assert a is not x


def test_a_tensor_is_hashed_by_identity():
    x, y = leaf(1.0), leaf(1.0)
    assert len({x, y, x}) == 2


# ---- operations of one's own

cube = op(lambda x: x * x * x, lambda g, y, x: g * 3 * np.square(x), name="cube", at=[call((3,))])


def test_an_operation_of_ones_own_takes_arrays_and_tensors():
    assert type(cube(np.array([2.0]))) is np.ndarray
    x = leaf([2.0])
    y = cube(x)
    y.backward([1.0])
    assert (y.tolist(), y.op.name, x.grad.tolist()) == ([8], "cube", [12])


def test_metadata_is_bound_to_the_functions_own_signature():
    scaled = op(
        lambda x, factor=2.0, shift=0.0: x * factor + shift,
        lambda g, y, x, factor=2.0, shift=0.0: g * factor,
        name="scaled",
        at=[call((3,), factor=3.0)],
    )
    for y in (scaled(leaf(1.0), 3.0), scaled(leaf(1.0), factor=3.0), scaled(x=leaf(1.0), factor=3.0)):
        assert y.data == 3
        y.backward()
        assert y.inputs[0].grad == 3


def test_what_is_saved_is_computed_once_and_shared():
    count = []

    def root(x):
        count.append(x)
        return np.sqrt(x)

    rooted = op(
        lambda s, x: s + x,
        lambda g, y, s, x: g * (0.5 / s + 1),
        saves=root,
        name="rooted",
        on=(0.5, 2.0),
        at=[call((3,))],
    )
    x = leaf(4.0)
    y = rooted(x)
    y.backward()
    y.backward()
    assert x.grad == 2 * 1.25
    assert len(count) == 1
    assert rooted(4.0) == 6.0
    assert gradcheck(rooted)  # at order 2 `root` is called on Tensors, and so is differentiated


def test_a_function_of_a_list_has_one_rule_for_each_position():
    total = op(lambda xs: sum(xs), each=lambda g, y, i, *xs: g * (i + 1), name="total", at=[call([(2,), (2,)])])
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    total([a, np.ones(2), b]).sum().backward()
    assert a.grad.tolist() == [1, 1]
    assert b.grad.tolist() == [3, 3]


def test_a_rule_never_mentions_broadcasting():
    outer = op(lambda x: x * np.ones((4, 1)), lambda g, y, x: g, name="outer", at=[call((3,))])
    x = leaf([1.0, 2.0, 3.0])
    outer(x).sum().backward()
    assert x.grad.tolist() == [4, 4, 4]


def test_a_call_describes_itself_and_draws_its_arguments():
    sample = call((2, 3), [(2,), ()], "name", axis=0)
    matrix, (vector, scalar), name = sample.draw(np.random.default_rng(0), on=(1.0, 2.0))
    assert repr(sample) == "call((2, 3), [(2,), ()], 'name', axis=0)"
    assert (matrix.shape, vector.shape, np.shape(scalar), name) == ((2, 3), (2,), (), "name")
    assert np.all((matrix > 1) & (matrix < 2))


def test_an_edit_of_what_was_detached_leaves_the_graph_as_it_is():
    w = Tensor([1.0, 2.0], requires_grad=True)
    y = np.sum(w * w)
    d = w.detach()
    d[0] = 100.0
    y.backward()
    assert w.grad.tolist() == [2, 4]


def test_writing_into_a_view_of_another_tensor_is_refused():
    w = Tensor([1.0, 2.0], requires_grad=True)
    with no_grad():
        view = w[:1]
        with pytest.raises(RuntimeError, match=r"may be a view of another .* x = x\.copy\(\)"):
            view[0] = 50.0
        copy = view.copy()
        copy[0] = 50.0
    assert (w.data[0], copy.data[0]) == (1, 50)


def test_a_hook_that_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match=r"register_hook\(\) takes a function of the gradient, not 3"):
        Tensor(1.0, requires_grad=True).register_hook(3)


def test_a_list_of_numpys_numbers_keeps_their_dtype():
    assert Tensor([np.float32(1.0)]).dtype == np.float32


def test_full_like_of_a_tensor_keeps_its_gradient():
    w = Tensor([2.0, 3.0], requires_grad=True)
    np.full_like(w, w[1]).sum().backward()
    assert w.grad.tolist() == [0, 2]


# ---- what an operation records


def test_a_function_of_constants_gives_a_constant():
    for y in (np.exp(Tensor(1.0)), np.sum(Tensor([1.0, 2.0])), np.concatenate([Tensor([1.0])])):
        assert not y.requires_grad
        assert y.inputs == ()


def test_a_list_among_the_arguments_becomes_an_array_among_the_inputs():
    y = np.multiply(Tensor([1.0, 2.0], requires_grad=True), [3.0, 4.0])
    assert isinstance(y.inputs[1], np.ndarray)


def test_an_operation_may_give_a_python_number_but_no_integer():
    x = Tensor(2.0, requires_grad=True)
    root = op(lambda x: math.sqrt(x), lambda g, y, x: g / (2 * y), name="root", at=[call(())], on=(1, 2))
    root(x).backward()
    assert x.grad == 0.5 / math.sqrt(2)
    nearest = op(lambda x: np.rint(x).astype(int), lambda g, y, x: g * 0.0, name="nearest", at=[call(())])
    with pytest.raises(TypeError, match="nearest gave int64 from a Tensor that requires grad"):
        nearest(Tensor([2.0], requires_grad=True))


def test_metadata_may_be_keywords_alone():
    times = op(lambda x, *, n: x * n, lambda g, y, x, *, n: g * n, name="times", at=[call((3,), n=2)])
    x = leaf(3.0)
    y = times(x, n=4)
    y.backward()
    assert (y.data, x.grad, repr(y.op)) == (12, 4, "<op times>")
    assert list(parameters(lambda a, *rest, n, m=1: 0)) == ["a", "*", "n", "m"]


def test_what_numpy_calls_not_given_counts_as_not_given():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    y = np.max(x, axis=1, keepdims=np._NoValue)
    (y * [1.0, 2.0]).sum().backward()
    assert (y.shape, x.grad.tolist()) == ((2,), [[0, 1], [0, 2]])


def test_an_operation_says_what_it_takes():
    product = op(lambda a, b: a * b, *[lambda g, y, a, b: g] * 2, name="product", at=[call((), ())])
    with pytest.raises(TypeError, match=r"product\(\) takes 2 array arguments \(a, b\), but got 1"):
        product(leaf(1.0))
    with pytest.raises(TypeError, match=r"product\(\) takes 2 array arguments \(a, b\), but got 3"):
        product(leaf(1.0), 2.0, 3.0)
    with pytest.raises(TypeError, match=r"product of a Tensor does not take axis=; its derivative knows no keyword\."):
        product(leaf(1.0), 2.0, axis=0)


def test_an_operation_that_hides_what_it_takes_counts_it():
    x = leaf([1.0, 2.0])
    assert np.dot(x, x, out=None).data == 5  # NumPy's dot does not tell its parameters
    with pytest.raises(TypeError, match=r"dot\(\) takes 2 array arguments \(argument 0, argument 1\), but got 1"):
        x.dot()


def test_of_what_an_operation_that_hides_its_defaults_was_given_nothing_is_left_out_but_out_and_dtype():
    assert [name for name in ("axis", "out", "dtype", "order") if left_out(name, None, {})] == ["out", "dtype"]
    assert not left_out("order", "C", {})
    assert not left_out("out", np.empty(2), {})


def test_an_array_of_a_subclass_that_computes_as_arrays_do_is_taken_as_one():
    class Kept(np.ndarray):
        pass

    x = leaf([1.0, 2.0])
    np.multiply(x, np.array([3.0, 4.0]).view(Kept)).sum().backward()
    assert x.grad.tolist() == [3, 4]


def test_a_constant_as_metadata_is_read():
    x = np.array([[1.0, 2.0], [4.0, 8.0]])
    t = Tensor(x, requires_grad=True)
    y = np.var(t, axis=1, ddof=Tensor(1))
    np.testing.assert_allclose(y.data, np.var(x, axis=1, ddof=1), rtol=1e-15)
    y.sum().backward()
    np.testing.assert_allclose(t.grad, 2 * (x - x.mean(1, keepdims=True)), rtol=1e-15)


def test_an_operation_without_any_derivative_is_refused_where_one_is_wanted():
    steps = op(lambda x: np.floor(x), None, name="steps", at=[call((3,))])
    assert steps(Tensor([1.5])).data == [1]
    with pytest.raises(TypeError, match=r"steps has no derivative with respect to argument 0; pass t\.data there"):
        steps(leaf([1.5]))


def test_a_rule_may_take_all_its_arguments_as_one():
    double = op(lambda x: 2 * x, lambda *args: 2 * args[0], name="double", at=[call((3,))])
    x = leaf(3.0)
    double(x).backward()
    assert x.grad == 2


def test_a_sample_without_arguments_is_none():
    with pytest.raises(TypeError, match=r"op\(double\) needs sample calls to check its derivative on"):
        op(lambda x: 2 * x, lambda g, y, x: 2 * g, name="double", at=[call()])


def test_what_is_saved_is_no_parameter():
    both = op(lambda s, a, b, n=1: n * a * b, *[lambda g, y, s, a, b, n=1: g] * 2, saves=lambda a, b, n=1: None,
              name="both", at=[call((), ())])  # fmt: skip
    assert str(inspect.signature(both)) == "(a, b, n=1)"


def test_an_order_that_means_something_is_not_left_out():
    def flat(x, order="F"):
        return np.ravel(x, order)

    flat = op(flat, lambda g, y, x: g.reshape(x.shape, order="F"), name="flat", at=[call((2, 3))])
    with pytest.raises(TypeError, match="flat of a Tensor does not take order="):
        flat(leaf([[1.0, 2.0], [3.0, 4.0]]), order="C")


# ---- what it looks like, to the last sign


def test_a_vector_is_shown_with_its_gradient_and_formatted_without_a_specification():
    x = leaf([1.0, 2.0])
    np.sum(x * x).backward()
    assert repr(x) == f"{x}" == "Tensor([1., 2.], requires_grad=True, grad=[2., 4.])"


def test_whether_two_elements_are_true_is_ambiguous_already():
    with pytest.raises(ValueError, match=r"Whether a Tensor of shape \(2,\) is true"):
        bool(Tensor([1.0, 2.0]))


@pytest.mark.parametrize("number", [Tensor(2), Tensor(np.array(2)), Tensor(2) + 0])
def test_an_integer_is_an_index(number):
    assert "abc"[number] == "c"


# ---- NumPy's forms


@pytest.mark.parametrize("axes", [(), (None,), (2, 0, 1), ((2, 0, 1),), ([1, 0, 2],), (-1, 0, 1)])
def test_transpose_takes_its_axes_in_every_form(axes):
    array = np.arange(24.0).reshape(2, 3, 4)
    assert np.array_equal(Tensor(array).transpose(*axes).data, array.transpose(*axes))


def test_a_transpose_that_changes_nothing_warns_where_it_was_written():
    with pytest.warns(UserWarning, match=r"transpose\(0, 1\) leaves the axes as they are") as caught:
        Tensor(np.ones((2, 3))).transpose(0, 1)
    assert caught[0].filename == __file__


def test_an_array_of_a_constant_is_a_copy_exactly_where_one_is_asked_for():
    t = Tensor([1.0, 2.0])
    assert np.shares_memory(np.asarray(t), t.data)
    assert not np.shares_memory(np.array(t), t.data)


def test_nothing_is_written_into_a_graph_not_even_under_no_grad():
    y = leaf([1.0, 2.0]) * 2.0
    with no_grad(), pytest.raises(RuntimeError, match="on a Tensor in a graph"):
        y[0] = 1.0


def test_a_tensor_over_a_part_of_an_array_may_be_written_into():
    t = Tensor(np.arange(4.0)[::2])
    t[0] = 9.0
    assert t.data.tolist() == [9, 2]


def test_a_mode_that_only_records_watches_nothing():
    with autograd.enable_grad(), np.errstate(over="ignore"):
        assert np.exp(leaf(1000.0)).data == np.inf
        assert np.prod(leaf([1e300, 1e300])).data == np.inf


def test_a_long_list_is_quoted_in_part():
    ragged = [[0.125] * 20, [1.0]]
    with pytest.raises(ValueError, match="lengths") as caught:
        Tensor(ragged)
    assert f": {repr(ragged)[:57]}.... Pad" in str(caught.value)
    with pytest.raises(ValueError, match=r": \[\[1\.0, 2\.0\], \[3\.0\]\]\. Pad"):
        Tensor([[1.0, 2.0], [3.0]])


def test_a_function_without_a_rule_takes_constants():
    assert np.histogram(Tensor([1.0, 2.0]), 1)[0].tolist() == [2]
    with pytest.raises(TypeError, match=r"np\.histogram has no derivative rule"):
        np.histogram(leaf([1.0, 2.0]), 1)


@pytest.mark.parametrize(
    ("function", "called"),
    [
        (np.copysign, "np.copysign"),
        (np.linalg.eigvals, "np.linalg.eigvals"),
        (np.frompyfunc(lambda a, b: a, 2, 1), "<lambda> (vectorized)"),
    ],
)
def test_a_function_without_a_rule_is_named_as_it_is_called(function, called):
    args = [leaf(np.eye(2))] * getattr(function, "nin", 1)
    with pytest.raises(TypeError) as caught:
        function(*args)
    assert str(caught.value).startswith(f"{called} has no derivative rule. Give it one: autograd.op({called}, lambda")


@pytest.mark.parametrize("copy", [True, False])
def test_astype_takes_copy_as_an_array_does(copy):
    t = Tensor([1.0, 2.0], requires_grad=True)
    y = t.astype(np.float64, copy=copy)
    assert y is not t
    np.sum(y).backward()
    assert np.array_equal(t.grad, [1, 1])


def test_methods_show_the_signature_of_numpys_function():
    t = Tensor([1.0, 2.0])
    for name in ("sum", "mean", "argmax"):
        expected = list(inspect.signature(getattr(np, name)).parameters)[1:]
        assert list(inspect.signature(getattr(t, name)).parameters) == expected
        assert getattr(t, name).__name__ == name
        assert getattr(t, name).__doc__
    assert t.astype.__doc__.startswith("The values in another dtype")
