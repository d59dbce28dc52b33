"""Weights start with the distribution that the docstrings say, in place, and the same every time for the same seed."""

import inspect
import math

import numpy as np
import pytest

import nn
from autograd import Tensor
from nn import init

SHAPE = 60, 90
BY_CHANCE = [name for name in init.__all__ if "generator" in inspect.signature(getattr(init, name)).parameters]
SPREAD = {  # the standard deviation of each, at its defaults
    "uniform_": math.sqrt(1 / 12),
    "normal_": 1.0,
    "trunc_normal_": 0.87963,  # 1 - 2 a phi(a) / (2 Phi(a) - 1) at a = 2, square root
    "orthogonal_": math.sqrt(1 / 90),
    "xavier_uniform_": math.sqrt(2 / 150),
    "xavier_normal_": math.sqrt(2 / 150),
    "kaiming_uniform_": math.sqrt(2 / 90),
    "kaiming_normal_": math.sqrt(2 / 90),
}


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("name", BY_CHANCE)
def test_the_spread_is_what_the_formula_says(name):
    values = getattr(init, name)(np.zeros(SHAPE), generator=rng())
    assert np.std(values) == pytest.approx(SPREAD[name], rel=0.03)  # 5400 numbers: 1 % would be one sigma
    assert abs(np.mean(values) - (0.5 if name == "uniform_" else 0)) < 0.05 * SPREAD[name]


@pytest.mark.parametrize("name", BY_CHANCE)
def test_the_same_seed_gives_the_same_numbers(name):
    fill = getattr(init, name)
    first, second = (fill(np.zeros((3, 4)), generator=rng()) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    nn.manual_seed(5)
    third = fill(np.zeros((3, 4)))
    nn.manual_seed(5)
    np.testing.assert_array_equal(third, fill(np.zeros((3, 4))))


@pytest.mark.parametrize("name", [name for name in init.__all__ if name.endswith("_")])
def test_tensors_and_arrays_are_filled_in_place_in_their_dtype_and_returned(name):
    options = {"val": 3.0} if name == "constant_" else {}
    array, tensor = np.full((3, 4), np.nan, np.float32), nn.Parameter(np.full((3, 4), np.nan, np.float32))
    data = tensor.data
    assert getattr(init, name)(array, **options) is array
    assert getattr(init, name)(tensor, **options) is tensor
    assert tensor.data is data
    assert tensor.requires_grad
    assert np.isfinite(array).all()
    assert np.isfinite(data).all()
    with pytest.raises(TypeError, match="fills a Tensor or an array of floats in place, not "):
        getattr(init, name)([[1.0, 2.0]], **options)
    with pytest.raises(TypeError, match="fills a Tensor or an array of floats in place"):
        getattr(init, name)(np.ones((2, 2), int), **options)


def test_fills_without_chance():
    assert init.constant_(np.empty(2), 3).tolist() == [3, 3]
    assert init.zeros_(np.empty(2)).tolist() == [0, 0]
    assert init.ones_(np.empty(2)).tolist() == [1, 1]
    assert init.eye_(np.empty((2, 3))).tolist() == [[1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (4, 2, 3)])
def test_orthogonal_rows_or_columns_are_orthonormal(shape):
    q = init.orthogonal_(np.zeros(shape), gain=2.0, generator=rng()).reshape(shape[0], -1)
    product = q @ q.T if q.shape[0] < q.shape[1] else q.T @ q
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_uniform_bounds_are_reached_and_not_passed():
    bound = math.sqrt(6 / 150)
    values = init.xavier_uniform_(np.zeros(SHAPE), generator=rng())
    assert 0.99 * bound < np.abs(values).max() <= bound


@pytest.mark.parametrize(("mean", "std", "a", "b"), [(0, 1, -2, 2), (0, 1, 3, 9), (5, 2, -9, 0), (0, 1, -0.1, 0.1)])
def test_truncated_normal_numbers_are_inside_and_distributed_right(mean, std, a, b):
    stats = pytest.importorskip("scipy.stats")
    values = init.trunc_normal_(np.zeros(4000), mean, std, a, b, generator=rng())
    assert a <= values.min() <= values.max() <= b
    law = stats.truncnorm((a - mean) / std, (b - mean) / std, mean, std)
    assert stats.kstest(values, law.cdf).pvalue > 0.01


def test_kaiming_takes_the_gain_of_its_nonlinearity_and_either_fan():
    wide = init.kaiming_normal_(np.zeros((400, 100)), mode="fan_out", nonlinearity="relu", generator=rng())
    leaky = init.kaiming_normal_(np.zeros((100, 400)), a=1.0, generator=rng())
    assert np.std(wide) == pytest.approx(math.sqrt(2 / 400), rel=0.02)
    assert np.std(leaky) == pytest.approx(math.sqrt(1 / 400), rel=0.02)


def test_fans_count_further_axes():
    values = init.kaiming_uniform_(np.zeros((50, 4, 5, 5)), generator=rng())
    assert np.abs(values).max() == pytest.approx(math.sqrt(6 / 100), rel=0.01)


@pytest.mark.parametrize("nonlinearity", ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
@pytest.mark.parametrize("param", [None, 0.3])
def test_gains_are_pytorchs(nonlinearity, param):
    torch = pytest.importorskip("torch")
    assert init.calculate_gain(nonlinearity, param) == torch.nn.init.calculate_gain(nonlinearity, param)


def test_refusals_say_what_was_expected():
    with pytest.raises(ValueError, match=r"calculate_gain\(\) knows linear, .*; not 'gelu'"):
        init.calculate_gain("gelu")
    with pytest.raises(ValueError, match=r"a weight of shape \(n_out, n_in, ...\), but this has shape \(3,\)"):
        init.xavier_normal_(np.zeros(3))
    with pytest.raises(ValueError, match="mode is 'fan_in' or 'fan_out', not 'fan'"):
        init.kaiming_normal_(np.zeros((3, 3)), mode="fan")
    with pytest.raises(ValueError, match=r"eye_\(\) fills a matrix, but this has shape \(3,\)"):
        init.eye_(np.zeros(3))
    with pytest.raises(ValueError, match=r"orthogonal_\(\) fills a matrix"):
        init.orthogonal_(np.zeros(3))
    with pytest.raises(ValueError, match="needs a < b and std > 0"):
        init.trunc_normal_(np.zeros(3), a=1, b=1)


def test_the_default_generator_stays_the_same_object():
    before = nn.default_generator
    assert nn.manual_seed(3) is before
    assert nn.default_generator is before
    assert before.random() == np.random.default_rng(3).random()


def test_a_filled_tensor_is_marked_as_changed():
    w = Tensor(np.ones((2, 2)), requires_grad=True)
    loss = (w * w).sum()
    init.zeros_(w)
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


@pytest.mark.parametrize("name", BY_CHANCE)
@pytest.mark.parametrize("shape", [(3, 0), (0, 3), (0, 0)])
def test_a_weight_without_elements_is_left_as_it_is(name, shape):
    assert getattr(init, name)(np.zeros(shape)).shape == shape


def test_a_parameter_that_was_assigned_what_cannot_be_written_to_is_filled():
    p = nn.Parameter(np.zeros(3))
    p.data = np.broadcast_to(0.0, (3,))
    assert init.ones_(p) is p
    assert p.data.tolist() == [1, 1, 1]


def test_a_tensor_that_was_assigned_a_number_is_filled():
    t = Tensor(1.0)
    t.data = 5.0
    assert init.zeros_(t).data == 0
