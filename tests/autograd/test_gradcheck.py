"""gradcheck() passes what is right and names what is wrong, to any order."""

import numpy as np
import pytest

from autograd import Tensor, call, op
from autograd.gradcheck import GradcheckError, gradcheck

cube = op(lambda x: x * x * x, lambda g, y, x: g * 3 * np.square(x), name="cube", at=[call((3,))])
steep = op(lambda x: x * x * x, lambda g, y, x: g * 3.01 * np.square(x), name="steep", at=[call((3,)), call(())])
flat = op(  # its slope is right, but recorded as a constant
    lambda x: x * x * x,
    lambda g, y, x: g * Tensor(3 * x.data**2) if isinstance(x, Tensor) else g * 3 * x**2,
    name="flat",
    at=[call((3,))],
)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_what_is_right_passes_at_every_order(order):
    assert gradcheck(lambda x, y: np.sum(np.sin(x) * np.exp(y * x)), np.array([0.3, -0.7]), 0.5, order=order) is True
    assert gradcheck(cube, 2.0, order=order) is True


def test_a_registered_function_is_tried_on_its_own_samples():
    assert gradcheck(cube) is True
    assert gradcheck(np.sin) is True
    assert gradcheck(np.sum, order=1) is True


def test_rounding_is_forgiven_where_values_are_large_and_where_the_slope_is_0():
    x = np.linspace(0.1, 1, 20)
    assert gradcheck(lambda x: 1e6 * np.exp(x), x)
    assert gradcheck(lambda x: np.sin(x) ** 2 + np.cos(x) ** 2, x)


def test_a_wrong_slope_is_named_with_argument_index_order_and_both_values():
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda a, b: np.sum(a) + steep(b), np.ones(2), np.array([[1.0, 2.0]]))
    message = str(caught.value)
    assert "order 1 with respect to argument 1, at index (0, 0), is " in message
    assert "by the rules, but" in message
    given, expected = (float(message.split(word)[1].split()[0]) for word in ("is ", "but "))
    assert given / expected == pytest.approx(3.01 / 3, rel=1e-5)


def test_a_wrong_rule_is_found_on_its_samples():
    with pytest.raises(GradcheckError, match=r"steep on call\(\(3,\)\): the derivative of order 1"):
        gradcheck(steep)


def test_a_slope_that_is_a_smuggled_constant_is_found_at_order_2():
    assert gradcheck(flat, np.array([1.0, 2.0]), order=1) is True
    with pytest.raises(GradcheckError, match=r"derivative of order 2 .* is 0 by the rules"):
        gradcheck(flat)


def test_a_failed_check_is_a_failed_assertion():
    assert issubclass(GradcheckError, AssertionError)


def test_nan_does_not_pass():
    lost = op(lambda x: x * 1.0, lambda g, y, x: g * np.nan, name="lost", at=[call((3,))])
    with pytest.raises(GradcheckError, match="is nan by the rules"):
        gradcheck(lost)


def test_a_detached_result_is_found():
    with pytest.raises(GradcheckError, match="is 0 by the rules"):
        gradcheck(lambda x: x.data * 2 if isinstance(x, Tensor) else x * 2, 1.0)


def test_items_of_a_list_are_varied_one_by_one():
    assert gradcheck(lambda xs: xs[0] * xs[1] ** 2, [np.array([1.0]), np.array([2.0, 3.0])], order=2) is True
    with pytest.raises(GradcheckError, match="item 1 of argument 0"):
        gradcheck(lambda xs: xs[0] + steep(xs[1]), [np.ones(2), np.ones(2)])


def test_a_list_of_numbers_is_an_array():
    assert gradcheck(np.sin, [3.0]) is True
    assert gradcheck(lambda x: np.sum(x * x), [[3.0, 1.0]]) is True
    assert gradcheck(lambda xs: xs[0] * xs[1], [3.0, 1.0], order=2) is True


def test_arguments_that_are_no_floats_are_handed_on():
    mask, seen = np.array([True, False]), []
    f = lambda c, x, n, name: seen.append((c, n, name)) or np.where(c, x**n, 0.0)
    assert gradcheck(f, mask, np.array([1.0, 2.0]), 3, "a") is True
    assert all(c is mask and n == 3 and name == "a" for c, n, name in seen)


def test_several_results_are_checked_together():
    assert gradcheck(lambda x: (np.sin(x), x * x), np.array([0.1, 0.2]), order=2) is True
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: [np.sin(x), steep(x)], np.array([0.1, 0.2]))


def test_arguments_without_a_rule_are_not_varied():
    chosen = op(lambda c, x: x * (c > 0), None, lambda g, y, c, x: g * (c > 0), name="chosen", at=[call((3,), (3,))])
    assert gradcheck(chosen) is True


def test_a_large_array_is_tried_at_some_elements():
    count = []

    def f(x):
        count.append(1)
        return np.sum(np.sin(x))

    assert gradcheck(f, np.linspace(-1, 1, 1000)) is True
    assert len(count) < 300


@pytest.mark.parametrize("edited", [0, 1])
def test_a_function_that_edits_its_argument_is_found(edited):
    def rude(*args):
        args[edited].data[...] = 0.0
        return args[0] * args[1]

    with pytest.raises(ValueError, match="read-only"):
        gradcheck(rude, np.ones(3), np.ones(3))


def test_the_callers_arrays_are_left_alone():
    x = np.array([1.0, 2.0])
    gradcheck(np.sin, x)
    assert x.tolist() == [1, 2]
    assert x.flags.writeable


def test_a_tensor_is_tried_at_its_value_and_keeps_its_grad():
    x = Tensor([1.0, 2.0], requires_grad=True)
    assert gradcheck(np.sin, x, order=2) is True
    assert x.grad is None


def test_a_gradient_that_is_right_only_as_a_sum_is_found():
    spread = op(lambda x: x * 1.0, lambda g, y, x: np.mean(g) + np.zeros_like(x), name="spread", at=[call((3,))])
    with pytest.raises(GradcheckError, match="spread"):
        gradcheck(spread)


def test_what_is_exact_agrees_without_tolerance():
    assert gradcheck(lambda x: x * 0.0, 1.0, rtol=0, atol=0) is True


def test_tolerances_may_be_chosen():
    assert gradcheck(steep, rtol=0.01) is True
    with pytest.raises(GradcheckError):
        gradcheck(np.exp, 1.0, eps=0.1)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda: gradcheck(np.sin, np.ones(3, np.float32)), TypeError, r"needs float64.*x.astype\(float\)"),
        (lambda: gradcheck(3), TypeError, "takes a function and the arguments to try it on, not int"),
        (lambda: gradcheck(lambda x: x), TypeError, "needs arguments to try f on"),
        (lambda: gradcheck(np.argmax), TypeError, "needs arguments to try f on"),
        (lambda: gradcheck(np.sin, 3), TypeError, "found nothing to vary for sin"),
        (lambda: gradcheck(np.sin, None), TypeError, "found nothing to vary for sin"),
        (lambda: gradcheck(np.sin, []), TypeError, "found nothing to vary for sin"),
        (lambda: gradcheck(lambda x: None, 1.0), TypeError, "returns an array, or several, not None"),
        (lambda: gradcheck(np.sin, 1.0, order=0), ValueError, "order of 1 or more"),
        (lambda: gradcheck(np.sin, 1.0, order="2"), ValueError, "order of 1 or more"),
    ],
)
def test_wrong_use_is_refused_with_the_remedy(wrong, error, message):
    with pytest.raises(error, match=message):
        wrong()


@pytest.mark.parametrize("f", [lambda x, y: x * y, lambda x: x**2])
def test_arguments_in_a_tuple_as_for_pytorch_get_a_sentence(f):
    with pytest.raises(TypeError, match=r"one by one, not in a tuple .* gradcheck\(f, x, y\)"):
        gradcheck(f, (np.ones(2),))
    assert gradcheck(np.concatenate, (np.ones(2), np.zeros(3)))


def test_an_error_of_the_functions_own_stays_as_it_is():
    def f(*args):
        raise TypeError("its own")

    for args in ((np.ones(2),), ((np.ones(2),), np.ones(2))):
        with pytest.raises(TypeError, match=r"^its own$"):
            gradcheck(f, *args)


def test_the_order_counts_for_a_function_that_is_given_too():
    constant = op(lambda x: x * x, lambda g, y, x: g * 2 * np.array(x.data if isinstance(x, Tensor) else x),
                  name="constant", at=[call((2,))])  # fmt: skip
    assert gradcheck(constant, np.ones(2))
    with pytest.raises(GradcheckError):
        gradcheck(constant, np.ones(2), order=2)
