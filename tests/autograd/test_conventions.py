"""What is sent back where there is no derivative, or where its formula divides by zero: PyTorch's conventions."""

import numpy as np
import pytest

from autograd import Tensor, grad, gradcheck


def at(points):
    return np.array(points, float)


singular = {
    "abs 0": (np.abs, at([0, -1]), [0, -1]),
    "fabs 0": (np.fabs, at([0, -1]), [0, -1]),
    "sign": (np.sign, at([0, 1]), [0, 0]),
    "floor": (np.floor, at([0, 1.5]), [0, 0]),
    "round": (np.round, at([0.5, 1]), [0, 0]),
    "max tie": (np.max, at([1, 3, 3]), [0, 0.5, 0.5]),
    "min tie": (np.min, at([2, 2, 2]), [1 / 3] * 3),
    "maximum tie": (lambda x: np.maximum(x, 1), at([1, 2, 0]), [0.5, 1, 0]),
    "minimum tie": (lambda x: np.minimum(x, 1), at([1, 2, 0]), [0.5, 0, 1]),
    "fmax of nan": (lambda x: np.fmax(x, 1), at([np.nan, 2]), [0, 1]),
    "fmin of nan": (lambda x: np.fmin(1, x), at([np.nan, 2]), [0, 0]),
    "clip at its bounds": (lambda x: np.clip(x, -1, 1), at([-1, 0, 1, 2]), [1, 1, 1, 0]),
    "norm 0": (np.linalg.norm, at([0, 0]), [0, 0]),
    "norm 1": (lambda x: np.linalg.norm(x, 1), at([0, 2]), [0, 1]),
    "norm 3": (lambda x: np.linalg.norm(x, 3), at([0, 0]), [0, 0]),
    "norm ∞": (lambda x: np.linalg.norm(x, np.inf), at([-2, 2, 1]), [-0.5, 0.5, 0]),
    "norm ∞ of 0": (lambda x: np.linalg.norm(x, np.inf), at([0, 0]), [0, 0]),
    "norm 1½ of 0": (lambda x: np.linalg.norm(x, 1.5), at([0, 0]), [0, 0]),
    "norm ½": (lambda x: np.linalg.norm(x, 0.5), at([0, 2]), [0, 1]),
    "frobenius": (lambda x: np.linalg.norm(x.reshape(1, 2), "fro"), at([0, 0]), [0, 0]),
    "x⁰": (lambda x: x**0, at([0, 2]), [0, 0]),
    "x¹": (lambda x: x**1, at([0, -2]), [1, 1]),
    "x²": (lambda x: x**2, at([0, -2]), [0, -4]),
    "x³": (lambda x: x**3, at([0, -2]), [0, 12]),
    "xⁿ": (lambda x: x ** np.array([0.0, 1.0, 2.0]), at([0, 0, 0]), [0, 1, 0]),
    "x⁰ of an array": (lambda x: x ** np.zeros(4), at([np.nan, 1e-310, np.inf, -np.inf]), [0, 0, 0, 0]),
    "0ᵇ": (lambda x: np.power(0.0, x), at([0, 1, 2]), [0, 0, 0]),
    "prod, one 0": (np.prod, at([0, 2, 3]), [6, 0, 0]),
    "prod, two 0": (np.prod, at([0, 0, 3]), [0, 0, 0]),
    "cumprod": (np.cumprod, at([2, 0, 3, 0]), [1, 8, 0, 0]),
    "sinc 0": (np.sinc, at([0, 1]), [0, -1]),
    "std 0": (np.std, at([1, 1]), [0, 0]),
    "var 0": (np.var, at([1, 1]), [0, 0]),
    "nanstd 0": (np.nanstd, at([1, 1]), [0, 0]),
    "arctan2 0": (lambda x: np.arctan2(x, np.array([0.0, -1.0])), at([0, 0]), [0, -1]),
    "logaddexp": (
        lambda x: np.logaddexp(x, np.array([0.0, -1000, 1000, 1000])),
        at([0, 1000, -1000, 1000]),
        [0.5, 1, 0, 0.5],
    ),
    "nan_to_num": (np.nan_to_num, at([np.nan, np.inf, 1]), [0, 0, 1]),
    "nansum": (np.nansum, at([np.nan, 1]), [0, 1]),
    "nanmax": (np.nanmax, at([np.nan, 1, 1]), [0, 0.5, 0.5]),
    "nanmean": (np.nanmean, at([np.nan, 1, 3]), [0, 0.5, 0.5]),
    "det of rank 2": (np.linalg.det, np.arange(1.0, 10).reshape(3, 3), [[-3, 6, -3], [6, -12, 6], [-3, 6, -3]]),
    "det of 0": (np.linalg.det, np.zeros((2, 2)), [[0, 0], [0, 0]]),
    "median of an even count": (np.median, at([4, 1, 3, 2]), [0, 0, 0.5, 0.5]),
    "sort with ties": (lambda x: np.sort(x)[0], at([1, 1]), [1, 0]),
}


@pytest.mark.parametrize(("f", "point", "expected"), singular.values(), ids=singular)
def test_at_a_singular_point_the_convention_holds_without_a_warning(f, point, expected):
    t = Tensor(point, requires_grad=True)
    np.testing.assert_array_equal(f(t).data, f(point))
    np.testing.assert_allclose(grad(np.sum(f(t)), t)[0].data, expected, atol=1e-12)
    first = grad(np.sum(f(t)), t, create_graph=True)[0]
    np.testing.assert_allclose(first.data, expected, atol=1e-12)
    if first.requires_grad:
        assert np.all(np.isfinite(grad(np.sum(first), t, allow_unused=True)[0].data))


seconds = {
    "x² at 0": (lambda x: x**2, 0.0, 2),
    "x¹ at 0": (lambda x: x**1, 0.0, 0),
    "x³ at 0": (lambda x: x**3, 0.0, 0),
    "sinc at 0": (np.sinc, 0.0, -(np.pi**2) / 3),
    "sinc near 0": (np.sinc, 1e-9, -(np.pi**2) / 3),
    "std of equal numbers": (lambda x: np.std(np.stack([x, 0 * x])), 0.0, 0),
    "norm at 0": (lambda x: np.linalg.norm(np.stack([x, 0 * x])), 0.0, 0),
    "x·x·0": (lambda x: np.prod(np.stack([x, x, 0 * x + 1])), 0.0, 2),
    "x²·1 by cumprod": (lambda x: np.cumprod(np.stack([x, x]))[1], 0.0, 2),
}


@pytest.mark.parametrize(("f", "point", "expected"), seconds.values(), ids=seconds)
def test_second_derivatives_at_points_where_formulas_divide_by_zero(f, point, expected):
    t = Tensor(point, requires_grad=True)
    slope = grad(f(t), t, create_graph=True)[0]
    second = grad(slope, t)[0].data if slope.requires_grad else 0
    np.testing.assert_allclose(second, expected, rtol=1e-12)


def test_prod_of_zeros_has_its_mixed_second_derivatives():
    t = Tensor([0.0, 0.0, 3.0], requires_grad=True)
    first = grad(np.prod(t), t, create_graph=True)[0]
    hessian = [grad(first[i], t)[0].data for i in range(3)]
    np.testing.assert_array_equal(hessian, [[0, 3, 0], [3, 0, 0], [0, 0, 0]])


@pytest.mark.filterwarnings("ignore:divide by zero")  # NumPy's too
def test_a_norm_of_negative_order_is_flat_where_one_element_is_zero():
    t = Tensor([0.0, 2.0], requires_grad=True)
    np.testing.assert_array_equal(grad(np.linalg.norm(t, -1), t)[0].data, [0, 0])


@pytest.mark.parametrize("function", [np.maximum, np.minimum, np.fmax, np.fmin])
def test_in_a_tie_each_gets_half_of_what_arrives(function):
    a, b = Tensor([1.0, 2.0], requires_grad=True), Tensor([1.0, 2.0], requires_grad=True)
    for g in grad(function(a, b), [a, b], np.array([3.0, 5.0])):
        np.testing.assert_array_equal(g.data, [1.5, 2.5])


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_cumprod_has_its_derivatives_where_a_matrix_has_zeros(axis):
    x = np.array([[0.0, 2.0, 0.0], [3.0, 0.0, 0.5]])
    assert gradcheck(lambda t: np.cumprod(t, axis), x, order=2)


@pytest.mark.parametrize("axis", [None, 1, (0, 2)])
def test_prod_has_its_derivatives_where_a_cube_has_zeros(axis):
    x = np.array([[[0.0, 2.0, 0.5], [3.0, 0.0, 0.5]], [[1.0, 2.0, 3.0], [0.0, 0.0, 1.5]]])
    assert gradcheck(lambda t: np.prod(t, axis), x, order=2)


def test_the_derivative_of_a_power_at_the_exponent_zero_grows_as_the_reciprocal():
    a, b = Tensor(np.array([2.0, 0.0]), requires_grad=True), Tensor(np.zeros(2), requires_grad=True)
    (first,) = grad(np.sum(a**b), [a], create_graph=True)
    np.testing.assert_array_equal(grad(np.sum(first), b)[0].data, [0.5, 0])


@pytest.mark.filterwarnings("ignore:invalid value")  # NumPy's too
@pytest.mark.parametrize("place", [(0, 0), (0, 1)])
def test_det_of_a_matrix_with_nan_has_a_gradient_of_nan(place):
    x = np.stack([np.eye(2), np.ones((2, 2)), 2 * np.eye(2)])
    x[(0, *place)] = np.nan
    t = Tensor(x, requires_grad=True)
    found = grad(np.sum(np.linalg.det(t)), t)[0].data
    assert np.isnan(found[0]).any()
    np.testing.assert_allclose(found[1:], [[[1, -1], [-1, 1]], [[2, 0], [0, 2]]])


@pytest.mark.parametrize("function", [np.maximum, np.minimum])
@pytest.mark.parametrize("pair", [(np.nan, 1.0), (1.0, np.nan), (np.nan, np.nan)])
def test_where_the_larger_is_nan_both_get_all_that_arrives(function, pair):
    a, b = (Tensor(x, requires_grad=True) for x in pair)
    assert [g.item() for g in grad(function(a, b), [a, b], 3.0)] == [3, 3]


@pytest.mark.parametrize("function", [np.fmax, np.fmin])
def test_where_one_is_nan_the_other_gets_all_that_arrives(function):
    a, b = Tensor(np.nan, requires_grad=True), Tensor(1.0, requires_grad=True)
    assert [g.item() for g in grad(function(a, b), [a, b], 3.0)] == [0, 3]


@pytest.mark.filterwarnings("ignore:divide by zero")  # NumPy's too
@pytest.mark.parametrize("b", [-1.0, -2.5])
def test_a_power_of_zero_falls_infinitely_fast_where_it_is_infinite(b):
    t = Tensor(b, requires_grad=True)
    assert grad(np.power(0.0, t), t)[0].item() == -np.inf  # as in PyTorch


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64, np.int8, bool])
def test_the_exponent_may_be_any_integer(dtype):
    t = Tensor([1e9, 0.0, 3.0], requires_grad=True)
    np.testing.assert_array_equal(grad(np.sum(t ** np.array([0, 1, 1], dtype)), t)[0].data, [0, 1, 1])


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("function", [np.sum, np.prod, np.max, np.min, np.nansum])
def test_a_number_may_be_reduced_along_its_first_axis_as_in_numpy_and_pytorch(function, axis, keepdims):
    t = Tensor(3.0, requires_grad=True)
    y = function(t, axis=axis, keepdims=keepdims)
    assert y.shape == ()
    assert grad(y, t)[0].tolist() == 1
