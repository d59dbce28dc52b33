"""no_grad, enable_grad and detect_anomaly: each sets one mode of one thread, and puts the old one back."""

import inspect
import threading
import warnings

import numpy as np
import pytest

from autograd import Tensor, call, detect_anomaly, enable_grad, grad, is_grad_enabled, no_grad, op
from autograd.modes import modes


def leaf(data, **kwargs):
    return Tensor(data, requires_grad=True, **kwargs)


def line_of(text):
    """The number of the line of this file that ends with a marker comment."""
    lines = inspect.getsource(inspect.getmodule(line_of)).splitlines()
    return 1 + next(i for i, line in enumerate(lines) if line.endswith(f"# {text}"))


# ---- recording


def test_under_no_grad_nothing_is_recorded():
    x = leaf([2.0])
    with no_grad():
        assert not is_grad_enabled()
        for y in (x * 2, 2 - x, np.sin(x), -x):
            assert not y.requires_grad
            assert y.op is None
            assert y.inputs == ()
    assert is_grad_enabled()
    assert (x * 2).requires_grad


def test_enable_grad_records_even_within_no_grad():
    x = leaf(2.0)
    with no_grad():
        with enable_grad():
            y = x * 2
        assert not (x * 2).requires_grad
    y.backward()
    assert x.grad == 2


@pytest.mark.parametrize("decorate", [no_grad, no_grad()])
def test_a_mode_decorates_with_and_without_parentheses(decorate):
    @decorate
    def double(x, *, by=2):
        """Twice x."""
        return x * by, is_grad_enabled()

    y, enabled = double(leaf(2.0), by=3)
    assert (y.requires_grad, enabled, is_grad_enabled()) == (False, False, True)
    assert (double.__name__, double.__doc__) == ("double", "Twice x.")


def test_a_decorated_function_may_call_itself():
    @no_grad
    def countdown(n):
        return [is_grad_enabled()] + (countdown(n - 1) if n else [])

    assert countdown(5) == [False] * 6
    assert is_grad_enabled()


def test_one_instance_may_be_entered_twice():
    mode = no_grad()
    with mode:
        with mode:
            assert not is_grad_enabled()
        assert not is_grad_enabled()
    assert is_grad_enabled()


@pytest.mark.parametrize("mode", [no_grad, enable_grad, detect_anomaly])
def test_an_exception_puts_the_old_mode_back(mode):
    with np.errstate(all="warn"):
        before = modes.recording, modes.anomaly, np.geterr()
        with pytest.raises(KeyError), mode():
            raise KeyError
        with pytest.raises(KeyError):
            mode(lambda: {}[0])()
        assert (modes.recording, modes.anomaly, np.geterr()) == before


def test_a_generator_is_not_decorated():
    with pytest.raises(TypeError, match="cannot decorate a generator"):

        @no_grad
        def batches():
            yield 1


def test_an_async_function_is_not_decorated():
    with pytest.raises(TypeError, match="cannot decorate a generator or an async function"):

        @no_grad
        async def answer():
            return 1

    with pytest.raises(TypeError, match="whose body runs later"):

        @no_grad()
        async def batches():
            yield 1


def test_modes_are_each_threads_own():
    seen, inside, done = [], threading.Event(), threading.Event()

    def other():
        inside.wait(10)
        seen.append((is_grad_enabled(), (leaf(1.0) * 2).requires_grad, modes.anomaly))
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with no_grad(), detect_anomaly():
        inside.set()
        assert done.wait(10)
    thread.join()
    assert seen == [(True, True, False)]


def test_threads_that_record_at_once_do_not_disturb_each_other():
    gradients = []

    def train(seed):
        x = leaf(float(seed))
        for _ in range(50):
            with no_grad():
                assert not (x * 2).requires_grad
            x.zero_grad()
            (x * x * x).backward()
        gradients.append((seed, float(x.grad)))

    threads = [threading.Thread(target=train, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(gradients) == [(seed, 3.0 * seed**2) for seed in range(4)]


def test_backward_works_under_no_grad():
    x = leaf(2.0)
    y = x * x
    with no_grad():
        y.backward()
    assert x.grad == 4


# ---- detect_anomaly


def test_a_value_that_turns_nan_is_named_with_op_shapes_and_line():
    x = leaf([1.0, -1.0])
    with detect_anomaly(), pytest.raises(FloatingPointError) as caught:
        np.log(x)  # where nan is made
    message = str(caught.value)
    assert "log of shape (2,) produced nan" in message
    assert "shapes (2,)" in message
    assert f"{__file__}, line {line_of('where nan is made')}" in message
    assert "np.log(x)" in message


def test_a_value_that_turns_infinite_is_named():
    with detect_anomaly(), pytest.raises(FloatingPointError, match=r"divide of shape .* produced inf"):
        1.0 / leaf(0.0)


def test_a_gradient_that_turns_nan_is_named_with_the_line_of_its_forward_pass():
    x = leaf(0.0)
    with detect_anomaly():
        y = np.sqrt(x) * 0.0  # where the root is
        with pytest.raises(FloatingPointError) as caught:
            y.backward()
    message = str(caught.value)
    assert "sqrt of shape () sent back nan" in message
    assert f"line {line_of('where the root is')}" in message
    assert x.grad is None


def test_a_gradient_that_turns_infinite_is_named_in_grad_too():
    x = leaf(0.0)
    with detect_anomaly(), pytest.raises(FloatingPointError, match="sent back inf"):
        grad(np.sqrt(x), x)


def test_numpy_does_not_warn_beside_it():
    with np.errstate(all="warn"), warnings.catch_warnings():
        warnings.simplefilter("error")
        before = np.geterr()
        with detect_anomaly(), pytest.raises(FloatingPointError, match="produced nan"):
            np.log(leaf(-1.0))
        assert np.geterr() == before


def test_an_array_that_was_edited_after_it_was_recorded_is_refused():
    x, batch = leaf([1.0, 2.0]), np.ones(2)
    with detect_anomaly():
        loss = (x * batch).sum()  # where the batch is used
        batch[0] = 5.0
        with pytest.raises(RuntimeError) as caught:
            loss.backward()
    message = str(caught.value)
    assert "multiply used was changed after it was recorded" in message
    assert f"line {line_of('where the batch is used')}" in message
    assert x.grad is None


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_of_any_layout_is_watched(order):
    batch = np.asfortranarray(np.ones((2, 3))) if order == "F" else np.ones((4, 3))[::2]
    with detect_anomaly():
        loss = (leaf(np.ones((2, 3))) * batch).sum()
        loss.backward()
        batch[1, 2] = 5.0
        with pytest.raises(RuntimeError, match="was changed after it was recorded"):
            loss.backward()


def test_arrays_that_were_not_edited_pass():
    x = leaf([1.0, 2.0])
    with detect_anomaly():
        loss = np.sum(x * np.ones(2) + np.arange(2))
        loss.backward()
        loss.backward()
    assert x.grad.tolist() == [2, 2]


def test_it_is_off_again_afterwards():
    with detect_anomaly():
        pass
    with np.errstate(all="ignore"):
        y = np.log(leaf(-1.0))
    assert np.isnan(y.data)


def test_it_decorates():
    @detect_anomaly
    def step():
        return np.log(leaf(-1.0))

    with pytest.raises(FloatingPointError):
        step()


def test_what_a_library_writes_is_blamed_on_the_line_that_called_it():
    library = {"__name__": "nn.layers", "np": np}
    exec("def layer(x):\n    return np.log(x)", library)
    with detect_anomaly(), pytest.raises(FloatingPointError, match=f"line {line_of('where the layer is called')}"):
        library["layer"](leaf(-1.0))  # where the layer is called


def test_a_graph_from_before_may_be_watched_later():
    x = leaf(0.0)
    y = np.sqrt(x)
    said = r"^sqrt of shape \(\) sent back inf\. Its arguments have shapes \(\)\.$"  # and no line, as none was recorded
    with detect_anomaly(), pytest.raises(FloatingPointError, match=said):
        y.backward()


def test_the_shapes_of_all_arguments_are_said_and_the_line_even_where_its_text_is_not_known():
    said = r"shapes \(1,\), \(2,\)\.\n  It was computed in <string>, line 1\.$"
    with detect_anomaly(), pytest.raises(FloatingPointError, match=said):
        exec("leaf([1.0]) / np.zeros(2)")


def test_operations_of_ones_own_are_watched():
    forget = op(lambda x: x * 1.0, lambda g, y, x: g * np.nan, name="forget", at=[call((3,))])
    with detect_anomaly():
        y = forget(leaf(1.0))
        with pytest.raises(FloatingPointError, match=r"forget of shape .* sent back nan"):
            y.backward()


def test_an_edited_index_and_an_edited_result_are_noticed_too():
    w = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    with detect_anomaly():
        i = np.array([0, 1])
        y = np.sum(w[i])
        i[:] = 2
        with pytest.raises(RuntimeError, match="An array that getitem used was changed"):
            y.backward()
        z = np.exp(w)
        z.data[:] = 7
        with pytest.raises(RuntimeError, match="An array that exp used was changed"):
            z.backward(np.ones(3))


# ---- what else can turn NaN or infinite, or be edited: named too


def test_a_sum_of_gradients_that_overflows_is_named_at_the_operation_that_completes_it():
    x = leaf(1.0)
    with detect_anomaly():
        y = x - 1.0
        loss = y * 1e308 + y * 1e308  # where both parts are made
        with pytest.raises(FloatingPointError) as caught:
            loss.backward()
    message = str(caught.value)
    assert "multiply of shape () sent argument 0 what, with the rest, adds up to inf" in message
    assert f"line {line_of('where both parts are made')}" in message


def test_gradients_that_overflow_over_several_passes_are_named():
    x = leaf(1.0, name="x")
    with detect_anomaly():
        loss = x * 1e308
        loss.backward()
        with pytest.raises(FloatingPointError, match=r"\(x\) of shape \(\) adds up to inf .* zero_grad"):
            loss.backward()
    assert x.grad == 1e308


@pytest.mark.parametrize("on_leaf", [True, False])
def test_a_hook_that_makes_nan_is_named(on_leaf):
    x = leaf(1.0, name="x")
    with detect_anomaly():
        y = x * 2
        (x if on_leaf else y).register_hook(lambda g: g * np.nan)
        with pytest.raises(FloatingPointError, match=r"A hook of a Tensor.* of shape \(\) made its gradient nan"):
            y.backward()


def test_a_value_that_needs_no_gradient_is_watched_as_well():
    with detect_anomaly():
        with pytest.raises(FloatingPointError, match=r"log of shape \(\) produced nan"):
            np.log(Tensor(-1.0))
        with no_grad(), pytest.raises(FloatingPointError, match=r"divide of shape \(2,\) produced inf"):
            leaf([1.0, 2.0]) / 0.0


def test_an_operator_that_changes_a_leaf_in_place_is_watched_and_changes_nothing_if_it_makes_inf():
    w = leaf([1.0, 2.0])
    with detect_anomaly(), no_grad():
        w *= 2.0
        with pytest.raises(FloatingPointError, match=r"divide of shape \(2,\) produced inf"):
            w /= 0.0
    assert w.tolist() == [2.0, 4.0]


def test_a_rule_that_makes_inf_while_it_is_recorded_is_named_with_the_line_of_its_forward_pass():
    x = leaf(0.0)
    with detect_anomaly():
        y = np.sqrt(x)  # where the recorded root is
        with pytest.raises(FloatingPointError, match="In the derivative rule of sqrt, divide of shape") as caught:
            grad(y, x, create_graph=True)
    assert f"line {line_of('where the recorded root is')}" in str(caught.value)


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        ("w.data[0] = 9", r"its argument 0, 'weight', of shape \(2,\)"),
        ("batch[0] = 9", r"its argument 1, of shape \(2,\)"),
        ("z.data[0] = 9", "its own result"),
        ("index[0] = 1", "an index, or what else stands beside its arguments"),
    ],
)
def test_which_array_was_edited_is_said(edit, named):
    w, batch, index = leaf([1.0, 2.0], name="weight"), np.ones(2), np.array([0, 1])
    with detect_anomaly():
        y = w * batch
        z = y[index]
        exec(edit)
        with pytest.raises(RuntimeError, match=rf" used was changed after it was recorded: {named}\. The gradient"):
            z.backward(np.ones(2))
