"""Clipping and flattening give PyTorch's numbers."""

import math

import numpy as np
import pytest

import nn
from autograd import Tensor, grad
from nn import utils

GRADIENTS = [np.array([[3.0, -4.0], [0.5, 1.0]]), None, np.array(-2.0)]


def parameters(gradients=GRADIENTS):
    params = [Tensor(np.ones(np.shape(g) if g is not None else 2), requires_grad=True) for g in gradients]
    for p, g in zip(params, gradients):
        p.grad = None if g is None else g.copy()
    return params


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.0, math.inf])
@pytest.mark.parametrize("max_norm", [0.5, 5.0, 100.0])
def test_clip_grad_norm_is_pytorchs(max_norm, norm_type):
    torch = pytest.importorskip("torch")
    theirs = [torch.ones(p.shape, dtype=torch.float64) for p in parameters()]
    for p, g in zip(theirs, GRADIENTS):
        p.grad = None if g is None else torch.tensor(g)
    ours = parameters()
    norm = utils.clip_grad_norm_(ours, max_norm, norm_type)
    assert norm == pytest.approx(float(torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)), abs=1e-12)
    for p, q in zip(ours, theirs):
        if p.grad is not None:
            np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=0, atol=1e-12)


def test_clipping_scales_all_gradients_to_the_norm():
    params = parameters([np.array([3.0]), np.array([[4.0]])])
    assert utils.clip_grad_norm_(params, 1.0) == 5.0
    np.testing.assert_allclose([p.grad.item() for p in params], [0.6, 0.8], atol=1e-6)  # 1e-6 is in the formula


def test_small_gradients_are_left_alone_and_one_parameter_is_enough():
    (p,) = parameters([np.array([3.0, 4.0])])
    assert utils.clip_grad_norm_(p, 6.0) == 5.0
    assert np.array_equal(p.grad, [3, 4])


def test_a_generator_is_enough():
    assert utils.clip_grad_norm_((p for p in parameters([np.array([3.0, 4.0])])), 1.0) == 5.0


def test_no_gradients_have_norm_zero():
    with pytest.warns(UserWarning, match="found no gradients to clip"):
        assert utils.clip_grad_norm_(parameters([None]), 1.0) == 0.0
    with pytest.warns(UserWarning, match="found no gradients to clip"):
        assert utils.clip_grad_norm_([], 1.0, math.inf) == 0.0


def test_a_norm_that_is_no_number_spreads_or_is_refused():
    params = parameters([np.array([math.nan, 1.0])])
    with pytest.raises(RuntimeError, match="norm of the gradients is nan"):
        utils.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
    assert math.isnan(utils.clip_grad_norm_(params, 1.0))
    assert np.isnan(params[0].grad).all()


def test_float32_gradients_stay_float32():
    (p,) = parameters([np.array([3.0, 4.0], np.float32)])
    utils.clip_grad_norm_(p, 1.0)
    utils.clip_grad_value_(p, 0.5)
    assert p.grad.dtype == np.float32


def test_clip_grad_value_clips_every_element():
    params = parameters()
    utils.clip_grad_value_(params, 1.5)
    assert np.array_equal(params[0].grad, [[1.5, -1.5], [0.5, 1.0]])
    assert params[1].grad is None
    assert params[2].grad == -1.5


def test_parameters_go_to_a_vector_and_back():
    params = [Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True), Tensor(5.0, requires_grad=True)]
    vector = utils.parameters_to_vector(params)
    assert np.array_equal(vector.data, [1, 2, 3, 4, 5])
    (vector * vector).sum().backward()
    assert np.array_equal(params[0].grad, [[2, 4], [6, 8]])
    arrays = [p.data for p in params]
    utils.vector_to_parameters(vector * 2, params)
    assert np.array_equal(params[0].data, [[2, 4], [6, 8]])
    assert params[1].data == 10
    assert all(p.data is array for p, array in zip(params, arrays))


def test_a_graph_from_before_the_vector_was_written_refuses_to_go_backward():
    w = Tensor([2.0], requires_grad=True)
    loss = (w * w).sum()
    utils.vector_to_parameters(np.array([1.0]), [w])
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_a_vector_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"have 7 elements, but the vector has shape \(6,\)"):
        utils.vector_to_parameters(np.ones(6), parameters())


def test_infinity_may_be_a_string_as_in_pytorch():
    assert utils.clip_grad_norm_(parameters(), 1.0, "inf") == 4.0


def test_a_single_precision_bound_does_not_round_the_scale():
    ours, expected = parameters(), parameters()
    utils.clip_grad_norm_(ours, np.float32(0.5))
    utils.clip_grad_norm_(expected, 0.5)
    assert all(np.array_equal(p.grad, q.grad) for p, q in zip(ours, expected) if p.grad is not None)


@pytest.mark.parametrize("clip", [utils.clip_grad_norm_, utils.clip_grad_value_])
def test_gradients_that_are_tensors_are_clipped_too(clip):
    p = Tensor([1.0, 2.0], requires_grad=True)
    p.grad = grad((p * p).sum(), [p])[0]
    clip([p], 1.0)
    assert np.all(p.grad.data <= 1)


@pytest.mark.parametrize(("norm_type", "expected"), [(2.0, 300 * 20**0.5), (3.0, 300 * 20 ** (1 / 3)), (1.0, 6000.0)])
def test_the_norm_of_half_precision_gradients_does_not_overflow(norm_type, expected):
    p = Tensor(np.ones(20, np.float16), requires_grad=True)
    p.grad = np.full(20, 300, np.float16)
    assert utils.clip_grad_norm_([p], 1.0, norm_type) == pytest.approx(expected, rel=1e-6)  # float32's rounding
    np.testing.assert_allclose(p.grad, 300 / expected, rtol=2e-3)  # float16's


def test_a_vector_is_written_into_parameters_that_were_assigned_what_cannot_be_written_to():
    p, q = nn.Parameter(np.zeros((2, 2))), Tensor(0.0, requires_grad=True)
    p.data, q.data = np.broadcast_to(0.0, (2, 2)), np.float64(0)
    utils.vector_to_parameters(np.arange(5.0), [p, q])
    assert np.array_equal(p.data, [[0, 1], [2, 3]])
    assert q.data == 4


@pytest.mark.parametrize("clip", [nn.utils.clip_grad_norm_, nn.utils.clip_grad_value_])
def test_gradients_assigned_by_hand_are_clipped_too(clip):
    number, fixed = nn.Parameter(2.0), nn.Parameter(np.ones(3))
    number.grad, fixed.grad = np.float64(3.0), np.broadcast_to(4.0, 3)  # neither can be written to
    clip([number, fixed], 0.1)
    assert abs(number.grad) <= 0.1
    assert (abs(fixed.grad) <= 0.1).all()
