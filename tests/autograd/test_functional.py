"""Functions of functions: gradient, value_and_grad, jacobian, hessian, hvp, vjp, jvp."""

import threading

import numpy as np
import pytest

from autograd import Tensor, grad, no_grad
from autograd.functional import gradient, hessian, hvp, jacobian, jvp, value_and_grad, vjp

rng = np.random.default_rng(0)


def leaf(data, **kwargs):
    return Tensor(data, requires_grad=True, **kwargs)


def quartic(x):
    return np.sum(x**4) / 12 + x[0] * x[1] ** 2


def layer(w, x):
    return np.tanh(w @ x)


# ---- known values


def test_gradient_of_every_order_at_a_number():
    f, values = lambda x: x**5, []
    for _ in range(7):
        f = gradient(f)
        values.append(f(2.0))
    assert values == [80, 160, 240, 240, 120, 0, 0]


def test_gradient_has_the_shape_of_the_argument():
    x = rng.normal(size=(2, 3))
    assert np.array_equal(gradient(lambda x: np.sum(np.sin(x)))(x), np.cos(x))


def test_value_and_grad_gives_both():
    assert value_and_grad(lambda x: x * x)(3.0) == (9.0, 6.0)


def test_jacobian_is_indexed_by_output_then_input():
    w, x = rng.normal(size=(2, 3)), rng.normal(size=3)
    y = np.tanh(w @ x)
    np.testing.assert_allclose(jacobian(layer, argnum=1)(w, x), (1 - y**2)[:, None] * w, rtol=1e-14)
    J = jacobian(layer)(w, x)
    assert J.shape == (2, 2, 3)
    np.testing.assert_allclose(J[0, 0], (1 - y[0] ** 2) * x, rtol=1e-14)
    assert np.all(J[0, 1] == 0)


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0)])
def test_jacobian_of_any_shape(shape):
    x = np.ones(shape)
    J = jacobian(lambda x: x * 2.0)(x)
    assert np.shape(J) == shape + shape
    assert np.array_equal(np.reshape(J, (x.size, x.size)), 2 * np.eye(x.size))


def test_hessian_of_a_polynomial():
    x = np.array([2.0, 3.0, 5.0])
    expected = np.diag(x**2) + np.array([[0, 2 * x[1], 0], [2 * x[1], 2 * x[0], 0], [0, 0, 0]])
    np.testing.assert_allclose(hessian(quartic)(x), expected, rtol=1e-14)


def test_hvp_is_the_hessian_times_the_vector():
    x, v = rng.normal(size=3), rng.normal(size=3)
    np.testing.assert_allclose(hvp(quartic)(x, v), hessian(quartic)(x) @ v, rtol=1e-12)


def test_jvp_and_vjp_are_the_jacobian_from_either_side():
    w, x, dw, dx, g = (rng.normal(size=shape) for shape in [(2, 3), 3, (2, 3), 3, 2])
    Jw, Jx = jacobian(layer, argnum=(0, 1))(w, x)
    value, pullback = vjp(layer, w, x)
    assert np.array_equal(value, layer(w, x))
    np.testing.assert_allclose(pullback(g)[0], np.tensordot(g, Jw, 1), rtol=1e-14)
    np.testing.assert_allclose(pullback(g)[1], g @ Jx, rtol=1e-14)
    value, tangent = jvp(layer, (w, x), (dw, dx))
    assert np.array_equal(value, layer(w, x))
    np.testing.assert_allclose(tangent, np.tensordot(Jw, dw, 2) + Jx @ dx, rtol=1e-13)


# ---- nesting


def test_mixed_derivatives_by_nesting():
    f = lambda x, y: x**3 * y**2
    assert gradient(gradient(f, 0), 1)(2.0, 5.0) == 3 * 4 * 2 * 5
    assert gradient(gradient(f, 1), 0)(2.0, 5.0) == 3 * 4 * 2 * 5


def test_nesting_mixes_all_kinds():
    x, v = np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 2.0])
    H = hessian(quartic)(x)
    np.testing.assert_allclose(jacobian(gradient(quartic))(x), H, rtol=1e-14)
    np.testing.assert_allclose(jvp(gradient(quartic), (x,), (v,))[1], H @ v, rtol=1e-13)
    np.testing.assert_allclose(vjp(gradient(quartic), x)[1](v)[0], H @ v, rtol=1e-13)
    np.testing.assert_allclose(gradient(lambda x: jvp(quartic, (x,), (v,))[1])(x), H @ v, rtol=1e-13)
    np.testing.assert_allclose(gradient(lambda x: np.sum(vjp(quartic, x)[1](1.0)[0] * v))(x), H @ v, rtol=1e-13)
    third = jacobian(hessian(quartic))(x)
    assert third.shape == (3, 3, 3)
    np.testing.assert_allclose(third, np.transpose(third, (2, 0, 1)), rtol=1e-13)
    np.testing.assert_allclose(jacobian(lambda x: hvp(quartic)(x, v))(x), third @ v, rtol=1e-13)


def test_an_inner_derivative_treats_the_outer_variable_as_a_constant():
    """d/dx (x · d/dy (x + y) at y = x) = 1: a perturbation that leaked inward would give 2."""
    assert gradient(lambda x: x * gradient(lambda y: x + y)(x))(1.0) == 1.0


def test_an_inner_derivative_at_a_plain_number_depends_on_the_outer_variable():
    assert gradient(lambda w: gradient(lambda x: w * x**2)(2.0))(3.0) == 4.0


def test_a_pullback_may_be_differentiated_in_its_gradient():
    _, pullback = vjp(lambda x: x**2, 3.0)
    assert gradient(lambda g: pullback(g)[0])(1.0) == 6.0


# ---- several arguments


def test_argnum_chooses_the_argument():
    f = lambda a, b, c: a * b**2 * c**3
    assert gradient(f, argnum=2)(2.0, 3.0, 1.0) == 54.0
    assert gradient(f, argnum=(2, 0))(2.0, 3.0, 1.0) == (54.0, 9.0)
    assert value_and_grad(f, argnum=(1,))(2.0, 3.0, 1.0) == (18.0, (12.0,))


def test_hessian_and_hvp_of_several_arguments():
    f = lambda a, b: np.sum(a**2) * b**3
    a, b = np.array([1.0, 2.0]), 2.0
    (Haa, Hab), (Hba, Hbb) = hessian(f, argnum=(0, 1))(a, b)
    assert np.array_equal(Haa, 16 * np.eye(2))
    assert np.array_equal(Hab, 2 * a * 12)
    assert np.array_equal(Hba, Hab)
    assert Hbb == 5 * 12
    va, vb = np.array([1.0, -1.0]), 0.5
    along = hvp(f, argnum=(0, 1))(a, b, (va, vb))
    assert np.array_equal(along[0], Haa @ va + Hab * vb)
    assert along[1] == Hba @ va + Hbb * vb


def test_other_arguments_may_be_anything():
    f = lambda x, power, *, options: x**power * options["scale"]
    assert gradient(f)(2.0, 3, options={"scale": 10}) == 120.0
    assert gradient(lambda name, x: x * len(name), argnum=1)("abc", 2.0) == 3.0


def test_an_argument_that_is_not_varied_stays_what_it_was():
    given = np.ones(2)
    gradient(lambda x, other: (x * 1.0) if other is given else None)(1.0, given)


# ---- what goes in and comes out


def test_arrays_in_arrays_out():
    x = np.array([1.0, 2.0])
    for answer in (
        gradient(np.sum)(x),
        jacobian(np.sin)(x),
        hessian(lambda x: np.sum(x**3))(x),
        hvp(lambda x: np.sum(x**3))(x, x),
        *vjp(np.sin, x)[1](x),
        *jvp(np.sin, (x,), (x,)),
    ):
        assert type(answer) is np.ndarray
    assert isinstance(gradient(np.sin)(1), float)


def test_tensors_in_tensors_out_in_the_graph():
    w, x = leaf(3.0), leaf(2.0)
    slope = gradient(lambda x: w * x**3)(x)
    assert isinstance(slope, Tensor)
    slope.backward()
    assert (slope.item(), w.grad, x.grad) == (36, 12, 36)


def test_a_constant_tensor_in_reaches_what_f_closes_over():
    w = leaf(3.0)
    gradient(lambda x: w * x**2)(Tensor(2.0)).backward()
    assert w.grad == 4


def test_no_grad_of_anything_is_touched():
    w, x = leaf([3.0, 1.0]), leaf([2.0, 1.0])
    f = lambda x: np.sum(w * x**2)
    gradient(f)(x), jacobian(f)(x.data), hessian(f)(x), hvp(f)(x, x.data), vjp(f, x)[1](1.0), jvp(f, (x,), (x,))
    assert w.grad is None
    assert x.grad is None


def test_float32_stays_float32():
    x = np.ones(2, np.float32)
    f = lambda x: np.sum(np.tanh(x) * 2.0)
    for answer in (gradient(f)(x), jacobian(np.tanh)(x), hessian(f)(x), hvp(f)(x, x), *jvp(f, (x,), (x,))):
        assert answer.dtype == np.float32


def test_integers_are_varied_as_floats():
    assert gradient(lambda x: x**2)(3) == 6.0
    assert gradient(lambda x: np.sum(x**2))(np.arange(3)).tolist() == [0, 2, 4]
    assert gradient(lambda x: np.sum(x**2))([1, 2]).tolist() == [2, 4]


def test_the_callers_array_is_not_edited():
    x = np.ones(2)
    x.flags.writeable = False
    gradient(lambda x: np.sum(x * x))(x)
    assert x.tolist() == [1, 1]


@pytest.mark.parametrize("constant", [3, 3.0, np.float64(3), Tensor(3.0)])
def test_a_constant_has_gradient_zero(constant):
    f = lambda x: constant
    x = np.ones(2)
    assert gradient(f)(x).tolist() == [0, 0]
    assert value_and_grad(f)(x)[0] == 3
    assert jacobian(f)(x).tolist() == [0, 0]
    assert hessian(f)(x).tolist() == [[0, 0], [0, 0]]
    assert vjp(f, x)[1](1.0)[0].tolist() == [0, 0]
    assert jvp(f, (x,), (x,))[1] == 0


def test_a_linear_function_has_hessian_zero():
    assert hessian(np.sum)(np.ones(2)).tolist() == [[0, 0], [0, 0]]
    assert hvp(np.sum)(np.ones(2), np.ones(2)).tolist() == [0, 0]


def test_an_argument_that_f_ignores_has_gradient_zero():
    assert gradient(lambda a, b: a * a, argnum=(0, 1))(3.0, np.ones(2))[1].tolist() == [0, 0]


def test_the_identity_is_a_function_too():
    assert value_and_grad(lambda x: x)(2.0) == (2.0, 1.0)
    assert jvp(lambda x: x, (2.0,), (5.0,)) == (2.0, 5.0)


def test_what_f_closes_over_is_a_constant():
    w = leaf(3.0)
    assert gradient(lambda x: w * x)(2.0) == 3.0
    assert gradient(lambda x: w * x)(w).item() == 3.0


def test_no_grad_outside_does_not_hinder():
    x = leaf(2.0)
    with no_grad():
        assert gradient(lambda x: x**3)(2.0) == 12.0
        assert gradient(gradient(lambda x: x**3))(2.0) == 12.0
        assert jvp(lambda x: x**3, (2.0,), (1.0,)) == (8.0, 12.0)
        slope = gradient(lambda x: x**3)(x)
    assert slope.item() == 12
    assert not slope.requires_grad


def test_no_grad_inside_hides_from_the_derivative():
    hidden = no_grad(lambda x: x * x)
    assert gradient(lambda x: x * hidden(x))(3.0) == 9.0


def test_f_may_call_grad_itself():
    assert gradient(lambda x: grad(x**3, x, create_graph=True)[0])(2.0) == 12.0


def test_an_exception_inside_f_leaves_the_outermost_level_plain():
    with pytest.raises(ZeroDivisionError):
        gradient(lambda x: 1 / 0)(1.0)
    assert type(gradient(lambda x: np.sum(x))(np.ones(2))) is np.ndarray


def test_another_thread_is_at_its_own_level():
    answers = []

    def f(x):
        thread = threading.Thread(target=lambda: answers.append(gradient(lambda y: np.sum(y * y))(np.ones(2))))
        thread.start()
        thread.join()
        return x * 2

    gradient(f)(1.0)
    assert type(answers[0]) is np.ndarray


# ---- the same as PyTorch


def test_hessian_jvp_and_vjp_are_pytorchs():
    torch = pytest.importorskip("torch")
    from torch.autograd import functional

    x, v = rng.normal(size=3), rng.normal(size=3)
    ours = lambda x: np.sum(np.exp(x) * x) / np.sum(x * x + 1)
    theirs = lambda x: torch.sum(torch.exp(x) * x) / torch.sum(x * x + 1)
    tx, tv = torch.tensor(x), torch.tensor(v)
    np.testing.assert_allclose(hessian(ours)(x), functional.hessian(theirs, tx).numpy(), rtol=1e-11)
    np.testing.assert_allclose(hvp(ours)(x, v), functional.hvp(theirs, tx, tv)[1].numpy(), rtol=1e-11)
    np.testing.assert_allclose(jvp(ours, (x,), (v,))[1], functional.jvp(theirs, tx, tv)[1].numpy(), rtol=1e-12)


# ---- refusals

square = lambda x: x * x


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (
            lambda: gradient(square)(np.ones(3)),
            ValueError,
            r"returned shape \(3,\). Reduce it inside f.* jacobian\(f\)",
        ),
        (lambda: value_and_grad(square)(np.ones((1,))), ValueError, "a function that returns a scalar"),
        (lambda: gradient(leaf(3.0)), TypeError, "Pass the function itself"),
        (lambda: hessian(3), TypeError, "Pass the function itself"),
        (lambda: gradient(square)("a"), TypeError, "Argument 0 of f cannot be differentiated"),
        (lambda: gradient(square)(None), TypeError, "Argument 0 of f cannot be differentiated"),
        (lambda: gradient(square)({}), TypeError, "Argument 0 of f cannot be differentiated"),
        (lambda: gradient(square)([1, [2]]), TypeError, "Argument 0 of f cannot be differentiated"),
        (lambda: gradient(square)(1j), TypeError, "complex numbers are not supported"),
        (lambda: gradient(square)([leaf(1.0)]), TypeError, "does not turn into an array"),
        (lambda: gradient(lambda x: None)(1.0), TypeError, "f should return one number or array, not NoneType"),
        (lambda: jacobian(lambda x: (x, x))(1.0), TypeError, "f should return one number or array, not tuple"),
        (lambda: gradient(square, 1)(1.0), TypeError, r"argnum=1 counts from 0, but f was given 1"),
        (lambda: gradient(square)(), TypeError, "f was given 0 positional"),
        (lambda: gradient(square)(x=1.0), TypeError, "f was given 0 positional"),
        (lambda: gradient(square, -1), TypeError, "argnum is an argument's position"),
        (lambda: gradient(square, "x"), TypeError, "argnum is an argument's position"),
        (lambda: gradient(square, ()), TypeError, "argnum is an argument's position"),
        (lambda: gradient(square, None), TypeError, "argnum is an argument's position"),
        (lambda: hvp(square)(1.0), TypeError, r"hvp\(f\)\(x, v\)"),
        (lambda: hvp(square)(1.0, np.ones(2)), ValueError, "Vectors need the shapes of their arguments"),
        (lambda: hvp(square, (0,))(1.0, 1.0), ValueError, "Vectors need the shapes of their arguments"),
        (lambda: jvp(square, 1.0, 1.0), TypeError, r"jvp\(f, \(x,\), \(v,\)\)"),
        (lambda: jvp(square, 1.0, (1.0,)), TypeError, r"jvp\(f, \(x,\), \(v,\)\)"),
        (lambda: jvp(square, (1.0,), 1.0), TypeError, r"jvp\(f, \(x,\), \(v,\)\)"),
        (lambda: jvp(square, (1.0,), (1.0, 2.0)), ValueError, "Vectors need the shapes of their arguments"),
        (lambda: jvp(square, (1.0,), (np.ones(2),)), ValueError, "Vectors need the shapes of their arguments"),
        (lambda: vjp(square, 1.0)[1](np.ones(2)), ValueError, r"has shape \(2,\)"),
        (lambda: vjp(lambda x: 3.0, 1.0)[1](np.ones(2)), ValueError, r"has shape \(2,\)"),
        (lambda: vjp(square), TypeError, "argnum is an argument's position"),
    ],
)
def test_wrong_use_is_refused_with_the_remedy(wrong, error, message):
    with pytest.raises(error, match=message):
        wrong()


def test_a_jacobian_of_no_outputs_keeps_the_dtype():
    J = jacobian(lambda x: x[:0])(np.ones(3, np.float32))
    assert (J.shape, J.dtype) == ((0, 3), np.float32)
