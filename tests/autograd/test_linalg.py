"""Linear algebra, as far as samples cannot show it; test_derivatives.py checks the formulas with all others."""

import numpy as np
import pytest

from autograd import Tensor, grad, gradcheck

rng = np.random.default_rng(8)
square = rng.normal(size=(4, 4))
symmetric = square + square.T


def gradient(f, x):
    t = Tensor(x, requires_grad=True)
    return grad(f(t), t)[0].data


def test_factors_multiply_to_what_was_factored():
    w, v = np.linalg.eigh(Tensor(symmetric, requires_grad=True))
    np.testing.assert_allclose((v * w @ v.T).data, symmetric, atol=1e-13)
    u, s, vh = np.linalg.svd(Tensor(square, requires_grad=True))
    np.testing.assert_allclose((u * s @ vh).data, square, atol=1e-13)
    positive = square @ square.T
    lower = np.linalg.cholesky(Tensor(positive, requires_grad=True))
    np.testing.assert_allclose((lower @ lower.T).data, positive, atol=1e-13)


def test_several_results_come_in_numpys_named_tuples():
    t = Tensor(symmetric, requires_grad=True)
    assert type(np.linalg.eigh(t)) is type(np.linalg.eigh(symmetric))
    assert type(np.linalg.svd(t)) is type(np.linalg.svd(symmetric))
    assert type(np.linalg.slogdet(t)) is type(np.linalg.slogdet(symmetric))
    assert np.linalg.eigh(t).eigenvalues.requires_grad


def test_a_product_of_factors_has_the_gradient_of_what_was_factored():
    weights = rng.normal(size=(4, 4))

    def rebuilt(x):
        u, s, vh = np.linalg.svd(x)
        return np.sum(weights * (u * s @ vh))

    np.testing.assert_allclose(gradient(rebuilt, square), weights, atol=1e-12)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_gradient_of_det_is_right_at_every_rank(n):
    x = rng.normal(size=(n, n))
    np.testing.assert_allclose(gradient(np.linalg.det, x), np.linalg.det(x) * np.linalg.inv(x).T, rtol=1e-10)
    for rank in range(n):
        low = rng.integers(-3, 4, (n, rank)) @ rng.integers(-3, 4, (rank, n)) * 1.0
        assert gradcheck(np.linalg.det, low, order=2)


def test_singular_matrices_raise_numpys_error():
    t = Tensor(np.ones((2, 2)), requires_grad=True)
    for f in (np.linalg.inv, lambda x: np.linalg.solve(x, np.ones(2)), lambda x: np.linalg.matrix_power(x, -1)):
        with pytest.raises(np.linalg.LinAlgError):
            f(t)
    with pytest.raises(np.linalg.LinAlgError), np.errstate(divide="ignore"):
        gradient(lambda x: np.linalg.slogdet(x)[1], np.zeros((2, 2)))


repeated = {
    "exactly": np.eye(3),
    "zero": np.zeros((3, 3)),
    "up to rounding": np.ones((3, 3)),
    "in a block": np.diag([1.0, 1.0, 2.0]),
}
every_repeated = pytest.mark.parametrize("x", repeated.values(), ids=repeated)


@every_repeated
def test_at_a_repeated_eigenvalue_what_depends_on_the_vectors_is_nan(x):
    first = lambda t: np.linalg.eigh(t).eigenvectors[:, 0]
    last = lambda t: np.linalg.svd(t).U[:, -1]
    for vector in (first, last):
        assert np.all(np.isnan(gradient(lambda t, vector=vector: np.sum(vector(t) * [1.0, 2.0, 3.0]), x)))


@every_repeated
def test_at_a_repeated_eigenvalue_one_of_them_alone_has_no_gradient(x):
    assert np.any(np.isnan(gradient(lambda t: np.linalg.eigvalsh(t)[0], x)))
    assert np.any(np.isnan(gradient(lambda t: np.linalg.eigh(t).eigenvalues[0], x)))
    assert np.any(np.isnan(gradient(lambda t: np.linalg.svdvals(t)[1], x)))


@every_repeated
def test_at_a_repeated_eigenvalue_functions_of_all_of_them_have_their_gradient(x):
    np.testing.assert_allclose(gradient(lambda t: np.sum(np.linalg.eigvalsh(t)), x), np.eye(3), atol=1e-12)
    np.testing.assert_allclose(gradient(lambda t: np.sum(np.linalg.eigh(t).eigenvalues ** 2), x), 2 * x, atol=1e-12)
    np.testing.assert_allclose(gradient(lambda t: np.sum(np.linalg.svdvals(t) ** 2), x), 2 * x, atol=1e-12)


def test_at_a_repeated_eigenvalue_the_vector_of_another_has_its_gradient():
    assert gradcheck(lambda x: np.linalg.eigh((x + x.T) / 2).eigenvectors[:, 2] ** 2, np.ones((3, 3)))


def test_singular_vectors_have_their_gradient_where_one_singular_value_is_zero():
    x = square[:, :2] @ square[:2, :2] @ square[:2, :3]
    assert gradcheck(lambda x: [part**2 for part in np.linalg.svd(x)[::2]], x[:3])


@pytest.mark.parametrize(("shape", "part"), [((3, 1), 0), ((1, 3), 2)])
def test_at_zero_the_singular_vector_has_the_gradient_nan(shape, part):
    f = lambda x: np.sum(np.linalg.svd(x, full_matrices=False)[part])
    assert np.all(np.isnan(gradient(f, np.zeros(shape))))


def test_which_eigenvalues_coincide_is_told_by_their_own_matrix():
    near, large = np.diag([1.0, 1.0 + 1e-13]), np.diag([1e12, 2e12])
    for stack in ([near] * 2000, [large, near]):
        slope = gradient(lambda x: np.sum(np.linalg.eigvalsh(x)[..., 0]), np.array(stack))
        np.testing.assert_array_equal(slope[-1], np.diag([1, 0]))


stacked = {
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "cholesky": lambda x: np.linalg.cholesky(x @ x.mT),
    "eigvalsh": np.linalg.eigvalsh,
    "eigh": lambda x: np.linalg.eigh(x).eigenvectors ** 2,
    "eigvalsh of 1": lambda x: np.linalg.eigvalsh(x * 0 + np.eye(4)) ** 2,
    "svd": lambda x: np.linalg.svd(x).U ** 2,
    "svdvals": np.linalg.svdvals,
    **{f"norm {p}": lambda x, p=p: np.linalg.matrix_norm(x, ord=p) for p in (1, -1, 2, -2, np.inf, -np.inf, "nuc")},
}


@pytest.mark.parametrize("f", stacked.values(), ids=stacked)
def test_in_a_stack_of_stacks_each_matrix_is_on_its_own(f):
    x, loss = rng.normal(size=(2, 3, 4, 4)), lambda t: np.sum(np.sin(f(t)))
    alone = [[gradient(loss, matrix) for matrix in stack] for stack in x]
    np.testing.assert_allclose(gradient(loss, x), alone, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("function", [np.linalg.eigh, np.linalg.svd, np.linalg.slogdet, np.linalg.norm])
def test_in_a_graph_a_function_stands_under_numpys_name(function):
    y = function(Tensor(square, requires_grad=True))
    node = y if isinstance(y, Tensor) else y[-1].inputs[0]
    assert node.op.name == function.__name__


def test_svd_of_a_tensor_needs_no_more_vectors_than_have_derivatives():
    with pytest.raises(ValueError, match="full_matrices=False"):
        np.linalg.svd(Tensor(np.ones((3, 2)), requires_grad=True))


@pytest.mark.parametrize("n", range(-3, 9))
def test_matrix_power_is_numpys_to_the_last_bit(n):
    t = Tensor(square, requires_grad=True)
    np.testing.assert_array_equal(np.linalg.matrix_power(t, n).data, np.linalg.matrix_power(square, n))


@pytest.mark.parametrize("element", [1.0, np.inf, np.nan])
def test_any_matrix_to_the_power_0_is_1(element):
    x = np.full((2, 2), element)
    np.testing.assert_array_equal(np.linalg.matrix_power(Tensor(x, requires_grad=True), 0).data, np.eye(2))
    np.testing.assert_array_equal(gradient(lambda x: np.sum(np.linalg.matrix_power(x, 0)), x), np.zeros((2, 2)))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
@pytest.mark.parametrize("n", [0, 1, 2])
def test_matrix_power_takes_square_matrices(shape, n):
    with pytest.raises(np.linalg.LinAlgError, match="takes square matrices, not an array of shape"):
        np.linalg.matrix_power(Tensor(np.ones(shape), requires_grad=True), n)


def test_matrix_power_takes_whole_numbers():
    with pytest.raises(TypeError, match="float"):
        np.linalg.matrix_power(Tensor(square, requires_grad=True), 0.5)


def test_no_norm_of_an_unknown_name():
    with pytest.raises(ValueError, match="'taxi'"):
        np.linalg.norm(Tensor(square, requires_grad=True), "taxi")


of_nothing = {
    "eigvalsh": np.linalg.eigvalsh,
    "eigh": lambda x: np.linalg.eigh(x).eigenvectors,
    "svdvals": np.linalg.svdvals,
    "svd": lambda x: np.linalg.svd(x).U,
    "multi_dot": lambda x: np.linalg.multi_dot([x, x, x]) if x.ndim == 2 else x,
    **{f"norm {p}": lambda x, p=p: np.linalg.matrix_norm(x, ord=p) for p in (1, 2, np.inf)},
}


@pytest.mark.parametrize("shape", [(0, 0), (2, 0, 0)])
@pytest.mark.parametrize("f", of_nothing.values(), ids=of_nothing)
def test_an_empty_matrix_has_an_empty_gradient(f, shape):
    assert gradient(lambda x: np.sum(f(x)), np.zeros(shape)).shape == shape


def test_matrix_power_takes_stacks_of_square_matrices_of_any_number():
    stack = np.arange(18.0).reshape(2, 3, 3)
    np.testing.assert_array_equal(np.linalg.matrix_power(Tensor(stack), 2).data, np.linalg.matrix_power(stack, 2))
    with pytest.raises(np.linalg.LinAlgError, match=r"square matrices, not an array of shape \(3, 2, 3\)"):
        np.linalg.matrix_power(Tensor(stack.reshape(3, 2, 3)), 2)


def test_outer_of_linalg_refuses_a_matrix_on_either_side():
    for pair in ((np.eye(2), np.ones(2)), (np.ones(2), np.eye(2))):
        with pytest.raises(ValueError, match="takes two vectors"):
            np.linalg.outer(*map(Tensor, pair))
