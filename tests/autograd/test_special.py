"""The functions that SciPy and PyTorch have and NumPy lacks: known values, limits, and both precisions.

The known values are from 50-digit arithmetic. Derivatives are checked with all others, in test_derivatives.py.
"""

import math

import numpy as np
import pytest

from autograd import Tensor, activations, grad, special
from autograd.operations import table

activation = (
    activations.relu,
    activations.leaky_relu,
    activations.elu,
    activations.softplus,
    activations.silu,
    activations.gelu,
)
elementwise = (special.erf, special.expit, special.ndtr, *activation)
name = pytest.mark.parametrize("function", elementwise, ids=lambda f: f.__name__)

known = [
    (special.erf, 0.5, 0.5204998778130465),
    (special.erf, -2.0, -0.9953222650189527),
    (special.expit, 2.0, 0.8807970779778823),
    (special.expit, -700.0, 9.859676543759770e-305),
    (special.ndtr, 1.0, 0.8413447460685429),
    (special.xlogy, (2.0, 3.0), 2.1972245773362196),
    (special.xlogy, (0.0, 0.0), 0.0),
    (special.logsumexp, [0.0, math.log(2), math.log(3)], math.log(6)),
    (special.logsumexp, [1000.0, 1000.0], 1000 + math.log(2)),
    (special.softmax, [0.0, math.log(3)], [0.25, 0.75]),
    (special.softmax, [-1000.0, 1000.0], [0.0, 1.0]),
    (special.log_softmax, [-1000.0, 1000.0], [-2000.0, 0.0]),
    (activations.relu, [-1.0, 0.0, 2.0], [0.0, 0.0, 2.0]),
    (activations.leaky_relu, [-1.0, 2.0], [-0.01, 2.0]),
    (activations.elu, [-1.0, 2.0], [math.expm1(-1), 2.0]),
    (activations.softplus, [0.0, 30.0], [math.log(2), 30.0]),
    (activations.silu, 1.0, 0.7310585786300049),
    (activations.gelu, 1.0, 0.8413447460685429),
    (lambda x: activations.gelu(x, approximate="tanh"), 1.0, 0.8411919906082768),
]


@pytest.mark.parametrize(("function", "x", "expected"), known)
def test_known_values(function, x, expected):
    args = x if isinstance(x, tuple) else (np.array(x),)
    np.testing.assert_allclose(function(*args), expected, rtol=1e-15)
    np.testing.assert_allclose(function(*map(Tensor, args)).data, expected, rtol=1e-15)


def test_erf_is_that_of_math_to_1e_15():
    x = np.concatenate([np.linspace(-7, 7, 20001), np.logspace(-300, 0, 301), [0.0, np.inf, -np.inf]])
    np.testing.assert_allclose(special.erf(x), [math.erf(v) for v in x], rtol=1e-15)
    assert np.isnan(special.erf(np.array([np.nan, 1.0]))[0])


def test_erf_of_one_number_is_that_of_math():
    for x in np.linspace(-6, 6, 61).tolist():
        assert special.erf(x) == math.erf(x)


def test_erf_in_float32_is_right_to_3_units_in_the_last_place():
    x = np.linspace(-5, 5, 20001, dtype=np.float32)
    exact = np.array([math.erf(v) for v in x.tolist()])
    assert special.erf(x).dtype == np.float32
    assert np.all(np.abs(special.erf(x) - exact) <= 3 * np.spacing(np.abs(exact).astype(np.float32)))


limits = {
    "erf": (-1, 1, 0, 0),
    "expit": (0, 1, 0, 0),
    "ndtr": (0, 1, 0, 0),
    "relu": (0, 1000, 0, 1),
    "leaky_relu": (-10, 1000, 0.01, 1),
    "elu": (-1, 1000, 0, 1),
    "softplus": (0, 1000, 0, 1),
    "silu": (0, 1000, 0, 1),
    "gelu": (0, 1000, 0, 1),
}  # at -1000 and at 1000, the value; then the derivative


@name
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_at_1000_are_the_limits_without_a_warning_to_the_second_order(function, dtype):
    low, high, slope_low, slope_high = limits[function.__name__]
    t = Tensor(np.array([-1000, 1000], dtype), requires_grad=True)
    y = function(t)
    np.testing.assert_allclose(y.data, np.array([low, high], dtype))
    first = grad(np.sum(y), t, create_graph=True)[0]
    np.testing.assert_allclose(first.data, np.array([slope_low, slope_high], dtype))
    if first.requires_grad:
        np.testing.assert_array_equal(grad(np.sum(first), t)[0].data, [0, 0])


def test_all_its_operations_are_public():
    operations = {function.__name__ for function in table if getattr(function, "__module__", "") == special.__name__}
    assert {*operations, "ndtr"} == set(special.__all__)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_has_its_limits_in_both_forms(approximate):
    for large in (1000.0, 1e300):
        t = Tensor([-large, large], requires_grad=True)
        y = activations.gelu(t, approximate=approximate)
        np.testing.assert_array_equal(y.data, [0, large])
        np.testing.assert_array_equal(grad(np.sum(y), t)[0].data, [0, 1])


def test_gelu_knows_two_forms():
    with pytest.raises(ValueError, match="'none' or 'tanh', not 'erf'"):
        activations.gelu(np.ones(2), approximate="erf")


@name
def test_dtypes_stay_and_numbers_are_taken(function):
    for dtype in (np.float16, np.float32, np.float64):
        assert function(np.ones(3, dtype)).dtype == dtype
        assert function(np.ones((), dtype)).dtype == dtype
    assert np.ndim(function(0.5)) == 0
    np.testing.assert_allclose(function([0.5, 1.0]), [function(0.5), function(1.0)], rtol=1e-15)


def test_complex_numbers_are_refused():
    for function in (special.erf, special.softmax, activations.elu):
        with pytest.raises(TypeError, match=r"takes real numbers, not complex128. Convert first: x.astype\(float\)"):
            function(np.ones(2) * 1j)


def test_xlogy_has_numpys_dtype():
    single, double = np.ones(2, np.float32), np.ones(2)
    for x, y, dtype in [
        *((single, 2.0, np.float32), (2.0, single, np.float32), (single, double, np.float64)),
        *((double, single, np.float64), ([0, 2], [1, 3], np.float64), (np.ones(2, int), single, np.float64)),
    ]:
        z = special.xlogy(x, y)
        assert z.dtype == dtype
        np.testing.assert_allclose(z, np.asarray(x) * np.log(y), rtol=1e-6)


@name
def test_arguments_are_left_as_they_were(function):
    x = np.linspace(-3, 3, 7)
    before = x.copy()
    x.flags.writeable = False
    function(x)
    np.testing.assert_array_equal(x, before)


def test_softmax_and_its_kin_agree():
    x = np.random.default_rng(0).normal(size=(4, 5))
    np.testing.assert_allclose(special.softmax(x, axis=1).sum(axis=1), np.ones(4), rtol=1e-14)
    np.testing.assert_allclose(np.log(special.softmax(x, axis=1)), special.log_softmax(x, axis=1), rtol=1e-12)
    np.testing.assert_allclose(
        x - special.logsumexp(x, axis=1, keepdims=True), special.log_softmax(x, axis=1), rtol=1e-12
    )


def test_what_scipy_gives_for_infinities():
    assert special.logsumexp(np.array([-np.inf, -np.inf])) == -np.inf
    assert special.logsumexp(np.array([np.inf, 1.0])) == np.inf
    np.testing.assert_array_equal(special.log_softmax(np.array([-np.inf, 0.0])), [-np.inf, 0])
    assert np.isnan(special.xlogy(0.0, np.nan))


def test_where_infinity_is_present_softmax_and_its_logarithm_are_nan_as_in_pytorch():
    for function in (special.softmax, special.log_softmax):
        assert np.all(np.isnan(function(np.array([np.inf, 1.0]))))
        assert np.all(np.isnan(function(np.array([-np.inf, -np.inf]))))


def test_along_an_axis_of_no_length_there_is_an_empty_gradient():
    for function in (special.softmax, special.log_softmax, special.logsumexp):
        t = Tensor(np.zeros((3, 0)), requires_grad=True)
        assert grad(np.sum(function(t, axis=1)), t)[0].shape == (3, 0)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, int])
def test_a_reduction_to_one_number_is_numpys_scalar(dtype):
    assert isinstance(special.logsumexp(np.ones(3, dtype)), np.floating)
    t = Tensor(np.ones(3), requires_grad=True)
    assert type(special.logsumexp(t).data) is np.float64
