"""What NumPy composes: arguments in NumPy's several forms, and what is refused. test_derivatives.py checks the rest."""

import inspect

import numpy as np
import pytest

from autograd import Tensor, grad
from autograd.operations import no_value, parameters, samples, table

from .oracles import name

a = np.random.default_rng(6).normal(size=(4, 6))
t = Tensor(a, requires_grad=True)


def cube(x):
    return np.reshape(x, (2, 3, 4))


forms = {
    "clip, lower bound by its new name": (lambda x: x.clip(min=0), np.maximum(a, 0)),
    "clip, upper bound alone": (lambda x: np.clip(x, None, 0), np.minimum(a, 0)),
    "take from the end": (lambda x: np.take(x, -1, axis=1), a[:, -1]),
    "take at a tuple": (lambda x: np.take(x, (0, 7)), np.take(a, (0, 7))),
    "a diagonal beside the matrix": (lambda x: np.diagonal(x, 9), np.diagonal(a, 9)),
    "a matrix of a lower diagonal": (lambda x: np.diag(x[0], -2), np.diag(a[0], -2)),
    "hstack of one": (lambda x: np.hstack([x]), a),
    "hsplit of a vector": (lambda x: np.hsplit(x[0], 2)[1], a[0, 3:]),
    "one part": (lambda x: np.array_split(x, 1)[0], a),
    "split at places": (lambda x: np.split(x, [1, 3])[1], a[1:3]),
    "array_split unevenly": (lambda x: np.array_split(x, 4, axis=1)[0], a[:, :2]),
    "pad by one number": (lambda x: np.pad(x, 2, constant_values=7), np.pad(a, 2, constant_values=7)),
    "pad by a pair": (lambda x: np.pad(x, (1, 2), mode="reflect"), np.pad(a, (1, 2), mode="reflect")),
    **{
        f"pad, {mode}": (lambda x, mode=mode: np.pad(x, 1, mode=mode), np.pad(a, 1, mode=mode))
        for mode in ("edge", "reflect", "symmetric", "wrap")
    },
    "median over two axes": (lambda x: np.median(x, axis=(0, 1)), np.median(a)),
    "the range along an axis": (lambda x: np.ptp(x, axis=0), np.ptp(a, axis=0)),
    "diff with ends": (lambda x: np.diff(x, prepend=0, append=a[:, :1]), np.diff(a, prepend=0, append=a[:, :1])),
    "diff of no order": (lambda x: np.diff(x, n=0, prepend=0), a),
    "take at False and True": (lambda x: np.take(x, [True, False, True], axis=1), a[:, [1, 0, 1]]),
    "take at unsigned places": (lambda x: np.take(x, np.array([5, 1], np.uint64)), np.take(a, [5, 1])),
    "diff of an array with a Tensor's end": (lambda x: np.diff(a.tolist(), append=x), np.diff(a, append=a)),
    "stack of Tensors and arrays": (lambda x: np.vstack([x, a, a.tolist()]), np.vstack([a, a, a])),
    "append to a list": (lambda x: np.append([1.0, 2.0], x), np.append([1.0, 2.0], a)),
    "outer with a list": (lambda x: np.outer([1.0, 2.0], x), np.outer([1.0, 2.0], a)),
    "kron of a number": (lambda x: np.kron(2.0, x), np.kron(2.0, a)),
    "tensordot with a list": (lambda x: np.tensordot([1.0, 2.0, 3.0, 4.0], x, 1), np.tensordot([1.0, 2, 3, 4], a, 1)),
    "tensordot over axes from the end": (lambda x: np.tensordot(x, a, ([-1], [1])), np.tensordot(a, a, ([-1], [1]))),
    "tensordot over a pair of axes": (lambda x: np.tensordot(x, a, (0, -2)), np.tensordot(a, a, (0, -2))),
    "amax": (lambda x: np.amax(x, 0), np.amax(a, 0)),
    "amin": (lambda x: np.amin(x, 0), np.amin(a, 0)),
    "around": (lambda x: np.around(x, 1), np.around(a, 1)),
    "np.linalg.matmul": (lambda x: np.linalg.matmul(x, a.T), a @ a.T),
    "np.linalg.vecdot": (lambda x: np.linalg.vecdot(x, a), np.vecdot(a, a)),
    "np.linalg.tensordot": (lambda x: np.linalg.tensordot(x, a), np.tensordot(a, a)),
    "np.linalg.outer": (lambda x: np.linalg.outer(x[0], a[1]), np.outer(a[0], a[1])),
    "np.linalg.cross": (lambda x: np.linalg.cross(x[:3], a[1:], axis=0), np.cross(a[:3], a[1:], axis=0)),
    "np.linalg.trace": (lambda x: np.linalg.trace(x, offset=1), np.trace(a, 1)),
    "np.linalg.diagonal": (lambda x: np.linalg.diagonal(x, offset=-1), np.diagonal(a, -1)),
    "np.linalg.matrix_transpose": (lambda x: np.linalg.matrix_transpose(x), a.T),
    "np.linalg.vector_norm": (lambda x: np.linalg.vector_norm(x, axis=0), np.linalg.norm(a, axis=0)),
    "atleast_3d": (lambda x: np.atleast_3d(x), np.atleast_3d(a)),
    "broadcast_arrays": (lambda x: np.broadcast_arrays(x[0], a)[0], np.broadcast_arrays(a[0], a)[0]),
    "flipud": (lambda x: np.flipud(x), a[::-1]),
    "fliplr of a cube": (lambda x: np.fliplr(cube(x)), cube(a)[:, ::-1]),
    "hstack of cubes": (lambda x: np.hstack([cube(x), cube(a)]), np.hstack([cube(a), cube(a)])),
    "column_stack of cubes": (lambda x: np.column_stack([cube(x), cube(a)]), np.column_stack([cube(a), cube(a)])),
    "column_stack of vectors": (lambda x: np.column_stack([x[0], a[1]]), np.column_stack([a[0], a[1]])),
    "dstack": (lambda x: np.dstack([x, a]), np.dstack([a, a])),
    "vsplit": (lambda x: np.vsplit(x, 2)[1], a[2:]),
    "hsplit of a cube": (lambda x: np.hsplit(cube(x), 3)[1], cube(a)[:, 1:2]),
    "dsplit": (lambda x: np.dsplit(cube(x), 2)[1], cube(a)[..., 2:]),
    "transposed matrices": (lambda x: x.mT, a.T),
    "flattened": (lambda x: x.flatten(), a.ravel()),
    "copied": (lambda x: x.copy(), a),
    "in another dtype": (lambda x: x.astype(np.float32), a.astype(np.float32)),
}
if hasattr(np, "unstack"):  # newer than NumPy 2.0
    forms["unstack"] = (lambda x: np.unstack(x, axis=1)[2], a[:, 2])


@pytest.mark.parametrize(("f", "expected"), forms.values(), ids=forms)
def test_numpys_several_forms(f, expected):
    y = f(t)
    assert y.requires_grad
    np.testing.assert_array_equal(y.data, expected)
    assert grad(np.sum(y * y), t)[0].shape == t.shape


@pytest.mark.parametrize("function", samples, ids=name)
def test_an_argument_that_is_left_out_is_numpys_default(function):
    numpys, ours = parameters(function), parameters(table[function])
    for argument in numpys.keys() & ours.keys():
        if not {numpys[argument], ours[argument]} & {no_value, inspect.Parameter.empty}:
            assert ours[argument] == numpys[argument]


def test_in_a_graph_a_function_stands_under_numpys_name():
    assert np.einsum("ij->i", t).op.name == "einsum"
    assert np.pad(t, 1).op.name == "pad"


refused = {
    "an axis that is not there": (lambda: np.median(t, axis=2), ValueError, "axis 2 is out of bounds"),
    "an axis to split that is not there": (lambda: np.split(t, 2, axis=2), ValueError, "axis 2 is out of bounds"),
    "no parts": (lambda: np.array_split(t, 0), ValueError, "one part or more, not 0"),
    "unequal parts": (lambda: np.split(t, 3), ValueError, "cannot cut 4 into 3 equal parts"),
    "a mode without derivative": (lambda: np.pad(t, 1, mode="median"), ValueError, "edge, .*but not 'median'"),
    "a diagonal of a cube": (lambda: np.diag(t[None]), ValueError, "a vector or a matrix"),
    "indices of two axes into all elements": (
        lambda: np.take_along_axis(t, np.array([[0]]), None),
        ValueError,
        "indices of 1 axes",
    ),
    "indices that are a mask": (lambda: np.take_along_axis(t, a > 0, 0), IndexError, r"integers; .* arr\[mask\]"),
    "take at None": (lambda: np.take(t, None), TypeError, "Cannot cast"),
    "take at a fraction": (lambda: np.take(t, [0.5]), TypeError, "Cannot cast"),
    "a label beyond the alphabet": (lambda: np.einsum(t, [0, 52]), ValueError, "labels from 0 to 51, not 52"),
    "a negative label": (lambda: np.einsum(t, [0, -1]), ValueError, "labels from 0 to 51, not -1"),
    "repeat along no axis": (lambda: np.repeat(t, [1, 2], axis=2), ValueError, "axis 2 is out of bounds"),
    "tensordot over no axis": (lambda: np.tensordot(t, a, ([3], [0])), ValueError, "axis 3 is out of bounds"),
    "tensordot of a number": (lambda: np.tensordot(t[0, 0], a, 1), ValueError, "axis -1 is out of bounds"),
    "diff of negative order": (lambda: np.diff(t, n=-1), ValueError, "n times, 0 or more, not -1"),
    "diff of a number": (lambda: np.diff(t[0, 0]), ValueError, "axis -1 is out of bounds"),
    "diff along no axis": (lambda: np.diff(t, axis=2), ValueError, "axis 2 is out of bounds"),
    "indices of fewer axes": (lambda: np.take_along_axis(t, np.array([0]), 0), ValueError, "indices of 2 axes"),
    "an argument without derivative": (lambda: np.sum(t, where=a > 0), TypeError, "does not take where="),
    "an integer dtype": (lambda: t.astype(int), TypeError, "Only floating point numbers have derivatives"),
    "a function without rule": (lambda: np.unwrap(t), TypeError, "np.unwrap has no derivative rule"),
}


@pytest.mark.parametrize(("f", "error", "message"), refused.values(), ids=refused)
def test_what_is_refused_is_refused_with_a_sentence(f, error, message):
    with pytest.raises(error, match=message):
        f()


def test_nan_functions_are_numpys_where_some_are_nan():
    x = a.copy()
    x[0, 1] = x[2] = np.nan
    for function in (np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin):
        y = function(Tensor(x, requires_grad=True), axis=0)
        np.testing.assert_array_equal(y.data, function(x, axis=0))


@pytest.mark.parametrize("function", [np.nanmean, np.nanvar, np.nanstd])
def test_booleans_count_as_numbers(function):
    flags = np.array([True, False, True, True])
    assert function(Tensor(flags)).item() == function(flags)


def test_nanmax_of_nothing_but_nan_is_nan():
    assert np.isnan(np.nanmax(Tensor([np.nan, np.nan], requires_grad=True)).data)


def test_median_with_nan_is_nan():
    for x in ([1.0, np.nan, 2.0], [1.0, 2.0, 3.0, np.nan]):
        assert np.isnan(np.median(Tensor(x, requires_grad=True)).data)


def test_nanmax_and_nanmin_keep_the_sign_of_zero():
    for function in (np.nanmax, np.nanmin):
        assert np.signbit(function(Tensor([-0.0, np.nan], requires_grad=True)).data)


def test_what_numpy_would_do_anyway_may_be_written_out():
    t = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    assert np.clip(t, 0, 5, out=None).shape == (2, 3)
    assert np.median(t, 0, None).tolist() == np.median(t.data, 0).tolist()
    assert np.nansum(t, 0, None, None, True).shape == (1, 3)
    assert np.ravel(t, order="C").shape == np.reshape(t, 6, order="C").shape == (6,)
    assert np.sort(t, kind=None, order=None, stable=None).shape == np.copy(t, order="C").shape == (2, 3)
    read = {"mode": b"raise".decode()}  # equal to the default, but another string
    assert np.take(t, 5, **read).data == 5


def test_what_is_not_known_is_refused_under_numpys_name():
    t = Tensor(np.ones((2, 2)), requires_grad=True)
    with pytest.raises(TypeError, match="ravel of a Tensor does not take order='F'"):
        np.ravel(t, order="F")


def test_full_like_has_the_dtype_of_what_it_is_like():
    fill = Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)
    y = np.full_like(Tensor(np.ones((2, 3), np.float32)), fill)
    assert y.dtype == np.float32
    assert grad(np.sum(y), fill)[0].dtype == np.float64


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's too
def test_of_infinities_and_of_nothing_the_answers_are_numpys():
    for x in ([np.inf, 1.0, 2.0], [np.inf, -np.inf], [np.nan, 1.0], []):
        for function in (np.nanvar, np.nanstd, np.median):
            np.testing.assert_array_equal(function(Tensor(x, requires_grad=True)).data, function(np.array(x, float)))
    for x in ([1.0, np.nan], [1.0, 2.0]):
        assert np.isnan(np.nanvar(Tensor(x, requires_grad=True), ddof=2).data)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.exp(x, out=None, dtype=None),
        lambda x: np.sum(x, dtype=None, out=None, initial=np._NoValue, where=np._NoValue),
        lambda x: np.mean(x, None, None, None, np._NoValue),
        lambda x: np.median(x, overwrite_input=False),
        lambda x: np.take(x, 0, mode="raise"),
        lambda x: np.nanmean(x, where=np._NoValue),
        lambda x: np.copy(x, order="C"),
        lambda x: np.pad(x, 1, mode="constant"),
    ],
)
def test_what_is_given_as_numpy_would_take_it_anyway_counts_as_left_out(call):
    np.testing.assert_allclose(call(t).data, call(a))


@pytest.mark.parametrize(
    ("call", "refused"),
    [
        (lambda x: np.exp(x, where=False), "where="),
        (lambda x: np.exp(x, dtype=np.float32), "dtype="),
        (lambda x: np.sum(x, where=None), "where="),
        (lambda x: np.median(x, overwrite_input=True), "overwrite_input=True"),
        (lambda x: np.median(x, overwrite_input=0), "overwrite_input=0"),
        (lambda x: np.take(x, 0, mode="clip"), "mode="),
        (lambda x: np.nanmean(x, where=None), "where=None"),
        (lambda x: np.copy(x, order="F"), "order="),
        (lambda x: np.copy(x, subok="C"), "subok="),
    ],
)
def test_what_would_change_the_result_and_has_no_rule_is_refused(call, refused):
    with pytest.raises(TypeError, match=f"does not take {refused}"):
        call(t)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.minimum])
def test_a_ufuncs_reduce_is_the_reduction_along_the_first_axis(ufunc):
    np.testing.assert_allclose(ufunc.reduce(t).data, ufunc.reduce(a))
    np.testing.assert_allclose(ufunc.reduce(t, axis=None).data, ufunc.reduce(a, axis=None))


def test_methods_are_numpys_functions_of_one_array_and_say_so():
    assert (Tensor.cumsum.__name__, Tensor.cumsum.__doc__) == ("cumsum", "np.cumsum(self, ...)")
    own = vars(Tensor).keys()
    assert not {"concatenate", "stack", "where", "einsum", "eigh", "expit"} & own


def test_a_ufuncs_reduce_that_has_no_rule_is_refused():
    with pytest.raises(TypeError, match=r"np\.hypot\.reduce has no derivative rule"):
        np.hypot.reduce(t)


def test_pad_takes_a_dictionary_of_axes():
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    y = np.pad(x, {0: (1, 2), -1: 1})
    (y * np.arange(25.0).reshape(5, 5)).sum().backward()
    assert y.shape == (5, 5)
    assert x.grad.tolist() == np.arange(25.0).reshape(5, 5)[1:3, 1:4].tolist()
    assert np.pad(x, {1: 1}, mode="edge").shape == (2, 5)


def test_take_of_nothing_is_nothing():
    assert np.take(Tensor([1.0, 2.0], requires_grad=True), []).shape == (0,)
