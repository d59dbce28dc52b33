"""Functions of functions: the derivative of f is a function too, so it can be differentiated in its turn.

Each runs f on Tensors of its own and reads the gradients off; no `.grad` is touched. Numbers and arrays in, arrays out:
constants to whatever is computed from them. Called with Tensors, or inside another derivative, the answers are Tensors
that can be differentiated again, also by what else f uses, such as the weights of a model. f computes with NumPy's
functions; `argnum` says which of its arguments is varied: a position, or a tuple of them for a tuple of answers. All
other arguments, which may be anything, and keywords are handed to f as they are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .backward import grad
from .modes import enable_grad, modes
from .tensor import Tensor, arrays, has_tensor, numbers

__all__ = ["gradient", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

Function = Callable[..., Any]


# ---- one derivative -----------------------------------------------------------------------------------------------


def gradient(f: Function, argnum: int | tuple[int, ...] = 0) -> Function:
    """∇f, the function that gives ∂f/∂x, of the shape of x, where f gives a scalar.

    >>> cube = lambda x: x**3
    >>> print(gradient(cube)(2.0), gradient(gradient(cube))(2.0))
    12.0 12.0
    >>> gradient(lambda w, x: np.sum(np.tanh(w @ x)))(np.zeros(2), np.array([1.0, -3.0]))
    array([ 1., -3.])
    """
    both = value_and_grad(f, argnum)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]


def value_and_grad(f: Function, argnum: int | tuple[int, ...] = 0) -> Function:
    """The function that gives (f(x), ∇f(x)), for the price of one forward and one backward pass."""
    positions = checked(f, argnum)

    def both(*args: Any, **kwargs: Any) -> Any:
        y, xs, nested = run(f, positions, args, kwargs)
        if y.shape != ():
            raise ValueError(
                f"A gradient is of a function that returns a scalar, but f returned shape {y.shape}. "
                "Reduce it inside f, for example by np.sum, or take jacobian(f)."
            )
        return out(y, nested), chosen(argnum, pulled(y, xs, None, nested))

    return both


def jacobian(f: Function, argnum: int | tuple[int, ...] = 0) -> Function:
    """The function that gives J[i, j] = ∂y[i]/∂x[j], of shape y.shape + x.shape, by a backward pass for each y[i].

    >>> jacobian(lambda x: x[1:] * x[:-1])(np.array([2.0, 3.0, 5.0]))
    array([[3., 2., 0.],
           [0., 5., 3.]])
    """
    positions = checked(f, argnum)

    def matrix(*args: Any, **kwargs: Any) -> Any:
        y, xs, nested = run(f, positions, args, kwargs)
        directions = np.eye(y.size, dtype=y.dtype).reshape(y.size, *y.shape)
        rows = [pulled(y, xs, direction, nested) for direction in directions]
        return chosen(argnum, [stacked([row[k] for row in rows], y.shape + x.shape, x.dtype) for k, x in enumerate(xs)])

    return matrix


# ---- two derivatives ----------------------------------------------------------------------------------------------


def hessian(f: Function, argnum: int | tuple[int, ...] = 0) -> Function:
    """The function that gives H[i, j] = ∂²f/∂x[i]∂x[j], of shape x.shape + x.shape; for a tuple, H of blocks H[i][j].

    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]))
    array([[10.,  6.],
           [ 6.,  0.]])
    """
    if not isinstance(argnum, tuple):
        return jacobian(gradient(f, argnum), argnum)
    rows = [jacobian(gradient(f, i), argnum) for i in argnum]
    return lambda *args, **kwargs: tuple(row(*args, **kwargs) for row in rows)


def hvp(f: Function, argnum: int | tuple[int, ...] = 0) -> Function:
    """The function that gives H v = ∇ₓ⟨∇f(x), v⟩ without making H: call it with f's arguments, then v.

    v has the shape of x; for a tuple, it is a tuple of such. The price is two gradients, whatever the size of x.

    >>> hvp(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]), np.array([1.0, 0.0]))
    array([10.,  6.])
    """
    slope = gradient(f, argnum)

    def along(*args: Any, **kwargs: Any) -> Any:
        if len(args) < 2:
            raise TypeError("hvp(f) is called with f's own arguments and then the vector: hvp(f)(x, v).")
        gs, vs = slope(*args[:-1], **kwargs), args[-1]
        return inner(gs, vs) if isinstance(argnum, tuple) else inner([gs], [vs])

    return gradient(along, argnum)


# ---- derivatives at one point -------------------------------------------------------------------------------------


def vjp(f: Function, *args: Any) -> tuple[Any, Function]:
    """(f(*args), pullback), where pullback(g) = (g · ∂f/∂x for each x of args), and g has the shape of the value.

    >>> value, pullback = vjp(lambda a, b: a * b, np.array([1.0, 2.0]), 3.0)
    >>> value, pullback(np.array([1.0, 10.0]))
    (array([3., 6.]), (array([ 3., 30.]), np.float64(21.0)))
    """
    y, xs, nested = run(f, checked(f, tuple(range(len(args)))), args, {})
    return out(y, nested), lambda g: tuple(pulled(y, xs, g, nested or inside(g)))


def jvp(f: Function, args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """(f(*args), Σ ∂f/∂x · v), the derivative along the tangents v, one for each argument and of its shape.

    The pullback g ↦ g · ∂f/∂x is linear in g, so its own derivative along v is what is wanted: ∂⟨g · ∂f/∂x, v⟩/∂g.
    (Townsend, "A new trick for calculating Jacobian vector products", 2017)

    >>> jvp(lambda x: x * x, [np.array([1.0, 2.0, 3.0])], [np.array([1.0, 0.0, 1.0])])
    (array([1., 4., 9.]), array([2., 0., 6.]))
    """
    if not isinstance(args, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TypeError("jvp() takes f, a tuple of arguments and a tuple of tangents: jvp(f, (x,), (v,)).")
    y, xs, nested = run(f, checked(f, tuple(range(len(args)))), args, {}, inside(args, tangents))
    g = Tensor(np.ones(y.shape, y.dtype), requires_grad=True)
    with enable_grad():
        along = inner(pulled(y, xs, g, True), tangents)
    (tangent,) = pulled(along, [g], None, nested)
    return out(y, nested), tangent


# ---- the parts ----------------------------------------------------------------------------------------------------


class Thread(threading.local):
    """Whether this thread is running an f whose derivative is being taken."""

    differentiating = False


thread = Thread()


def inside(*args: Any) -> bool:
    """Whether answers stay Tensors, since somebody outside may differentiate them again."""
    return thread.differentiating or has_tensor(args)


def checked(f: Function, argnum: int | tuple[int, ...]) -> tuple[int, ...]:
    """The positions that argnum stands for."""
    if not callable(f):
        raise TypeError(
            f"The derivative of a function was asked for, but this is {type(f).__name__}: {f!r}. "
            "Pass the function itself, gradient(f)(x); for a Tensor that is computed already, there is t.backward()."
        )
    positions = argnum if isinstance(argnum, tuple) else (argnum,)
    if not positions or not all(isinstance(i, int) and i >= 0 for i in positions):
        raise TypeError(f"argnum is an argument's position, 0 for the first, or a tuple of positions, not {argnum!r}.")
    return positions


def run(
    f: Function, positions: tuple[int, ...], args: Sequence[Any], kwargs: dict[str, Any], nested: bool = False
) -> tuple[Tensor, list[Tensor], bool]:
    """f's value, the variables that it was computed from, and whether answers stay Tensors."""
    nested = nested or inside(*args, *kwargs.values())
    if positions and max(positions) >= len(args):
        raise TypeError(f"argnum={max(positions)} counts from 0, but f was given {len(args)} positional argument(s).")
    before = thread.differentiating
    try:
        thread.differentiating = True
        with enable_grad():
            xs = {i: variable(args[i], i) for i in positions}
            y = f(*(xs.get(i, x) for i, x in enumerate(args)), **kwargs)
    finally:
        thread.differentiating = before
    if not isinstance(y, (Tensor, *numbers, *arrays)):
        raise TypeError(f"To be differentiated, f should return one number or array, not {type(y).__name__}: {y!r}.")
    return y if isinstance(y, Tensor) else Tensor(y), [xs[i] for i in positions], nested


def variable(x: Any, i: int) -> Tensor:
    """A tensor of its own to vary in place of x, so that f may know x from elsewhere too, as a constant."""
    if isinstance(x, Tensor) and x.requires_grad:
        return np.positive(x)  # type: ignore[return-value]  # NumPy's stubs know nothing of Tensors
    try:
        return Tensor(x, requires_grad=True)
    except (TypeError, ValueError) as error:
        raise TypeError(f"Argument {i} of f cannot be differentiated with respect to: {error}") from None


def pulled(y: Tensor, xs: Sequence[Tensor], g: Any, nested: bool) -> list[Any]:
    """g · ∂y/∂x for each x of xs; zero where y does not depend on it."""
    found: Sequence[Tensor | None] = [None] * len(xs)
    if y.requires_grad:
        found = grad(y, xs, g, create_graph=nested and modes.recording, allow_unused=True)
    elif g is not None and np.shape(g) != y.shape:
        raise ValueError(f"The gradient has shape {np.shape(g)}, but the value of f has shape {y.shape}.")
    return [out(Tensor(np.zeros(x.shape, x.dtype)) if d is None else d, nested) for d, x in zip(found, xs)]


def out(t: Tensor, nested: bool) -> Any:
    """t as an answer: a Tensor if somebody outside may differentiate it, else its array or number."""
    if nested:
        return t if modes.recording else t.detach()
    return t.data[()]


def chosen(argnum: int | tuple[int, ...], answers: list[Any]) -> Any:
    """All answers as a tuple if argnum is one, else the only one."""
    return tuple(answers) if isinstance(argnum, tuple) else answers[0]


def stacked(rows: list[Any], shape: tuple[int, ...], dtype: Any) -> Any:
    """The rows, of this dtype, as one array or Tensor of this shape."""
    return np.reshape(np.stack(rows), shape) if rows else np.zeros(shape, dtype)


def inner(gs: Any, vs: Any) -> Any:
    """⟨g, v⟩, added up over all pairs."""
    if not isinstance(vs, (tuple, list)) or [np.shape(v) for v in vs] != [g.shape for g in gs]:
        given = [np.shape(v) for v in vs] if isinstance(vs, (tuple, list)) else type(vs).__name__
        raise ValueError(f"Vectors need the shapes of their arguments, {[g.shape for g in gs]}, but have {given}.")
    return sum((np.sum(g * v) for g, v in zip(gs, vs)), start=0.0)
