"""Indexing: what NumPy takes is taken, and the gradient goes back to where it came from, repeats added up."""

import numpy as np
import pytest

from autograd import Tensor, grad, gradcheck

a = np.arange(24.0).reshape(2, 3, 4)
indices = {
    "an integer": 1,
    "a negative one": -1,
    "NumPy's integer": np.int64(1),
    "a slice": slice(None, None, -2),
    "several": (1, slice(1, 3)),
    "an ellipsis": (..., 0),
    "new axes": (None, 0, ..., None),
    "all of them": (1, 2, 3),
    "none": (),
    "an array": np.array([0, 1, 1, 0]),
    "a list": [1, 1],
    "an empty array": np.array([], int),
    "two arrays": (np.array([0, 1]), np.array([2, 2])),
    "arrays that broadcast": (np.array([[0], [1]]), [0, 2]),
    "arrays apart": (np.array([0, 1]), slice(None), np.array([3, 3])),
    "arrays with repeats": ([0, 0, 0], [1, 1, 1], [2, 2, 3]),
    "a mask": a > 7,
    "a mask of one axis": np.array([True, False]),
    "a mask and a list": (np.array([True, False]), [2]),
    "true": True,
    "NumPy's true": np.True_,
}


@pytest.mark.parametrize("index", indices.values(), ids=indices)
def test_indexing_takes_what_numpy_takes_and_sends_the_gradient_back_there(index):
    t = Tensor(a, requires_grad=True)
    np.testing.assert_array_equal(t[index].data, a[index])
    weights = np.random.default_rng(1).uniform(1, 2, np.shape(a[index]))
    expected = np.zeros_like(a)
    np.add.at(expected, index, weights)
    np.testing.assert_array_equal(grad(np.sum(t[index] * weights), t)[0].data, expected)
    assert gradcheck(lambda x: np.square(x[index]), a / 10, order=2)


def test_a_tensor_without_gradient_is_an_index():
    t, i = Tensor([1.0, 2.0, 3.0], requires_grad=True), Tensor([2, 0])
    np.testing.assert_array_equal(t[i].data, [3, 1])
    np.testing.assert_array_equal(t[i, None].data, [[3], [1]])
    np.testing.assert_array_equal(t[t > 1].data, [2, 3])


def test_a_wrong_index_is_numpys_own_error():
    with pytest.raises(IndexError, match="out of bounds"):
        Tensor([1.0], requires_grad=True)[5]
    with pytest.raises(IndexError, match="integer"):
        Tensor([1.0], requires_grad=True)[Tensor([0.0], requires_grad=True)]
