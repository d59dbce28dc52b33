"""The table of derivatives, walked: every function in it, on every sample call that it brings.

Gradients alone cannot see a wrong function, so the values are compared with NumPy's own, bit for bit, and the whole with
PyTorch where that is installed. float64 has 16 digits; a relative error of 1e-12 leaves four of them for the order in
which two libraries add and multiply.
"""

import operator
import warnings

import numpy as np
import pytest

from autograd import Op, Tensor, grad, gradcheck
from autograd.tensor import operators, samples, structural, table


def name(function):
    module = function.__module__ or "numpy"
    return f"{module}.{function.__name__}".replace("numpy.linalg", "linalg").replace("numpy.", "").replace("autograd.", "")


def described(function):
    entry = table[function]
    return (entry.samples, entry.on) if isinstance(entry, Op) else samples[function]


class Case:
    """A registered function, one sample call of it, and arguments drawn for that."""

    def __init__(self, function, sample, on):
        self.function, self.sample = function, sample
        self.compute = sample.of(function)
        self.args = sample.draw(np.random.default_rng(5), on)
        for x in self.arrays:
            x.flags.writeable = False

    def __repr__(self):
        return f"{name(self.function)}{repr(self.sample)[4:]}"

    @property
    def arrays(self):
        """The float arrays among the arguments, those in lists too."""
        flat = [x for arg in self.args for x in (arg if isinstance(arg, list) else [arg])]
        return [x for x in flat if isinstance(x, np.ndarray) and x.dtype.kind == "f"]

    def mapped(self, change):
        """The arguments, with change(x) in place of every float array."""

        def put(x):
            return change(x) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x

        return [[put(y) for y in x] if isinstance(x, list) else put(x) for x in self.args]

    def tensors(self, dtype=np.float64):
        """The arguments with Tensors in place of the arrays, and those Tensors."""
        made = []

        def tensor(x):
            made.append(Tensor(x.astype(dtype), requires_grad=True))
            return made[-1]

        return self.mapped(tensor), made


def results(y):
    return list(y) if isinstance(y, (tuple, list)) else [y]


def loss(y):
    """Σ weight × result, with another weight for each element, so that no part of a gradient hides in a sum."""
    rng = np.random.default_rng(7)
    return sum(np.sum(part * rng.uniform(0.5, 1.5, part.shape).astype(part.dtype)) for part in results(y))


cases = [Case(function, sample, described(function)[1]) for function in table for sample in described(function)[0]]
every_case = pytest.mark.parametrize("case", cases, ids=repr)
every_function = pytest.mark.parametrize("function", list(table), ids=name)


@every_function
def test_derivatives_of_order_1_and_2_agree_with_finite_differences(function):
    assert gradcheck(function)


@every_case
def test_the_value_is_that_of_plain_arrays_to_the_last_bit(case):
    args, _ = case.tensors()
    for found, expected in zip(results(case.compute(*args)), results(case.compute(*case.args)), strict=True):
        assert isinstance(found, Tensor)
        assert found.shape == np.shape(expected)
        assert found.dtype == np.asarray(expected).dtype
        np.testing.assert_array_equal(found.data, expected)


@every_case
def test_results_have_numpys_dtype_and_gradients_that_of_their_argument(case):
    args, tensors = case.tensors(np.float32)
    y = case.compute(*args)
    for found, expected in zip(results(y), results(case.compute(*case.mapped(lambda x: x.astype(np.float32)))), strict=True):
        assert found.dtype == np.asarray(expected).dtype
    for g, x in zip(grad(loss(y), tensors, allow_unused=True), tensors):
        assert g is None or (g.dtype, g.shape) == (np.float32, x.shape)


@every_case
def test_recording_the_backward_pass_does_not_change_it(case):
    args, tensors = case.tensors()
    total = loss(case.compute(*args))
    plain = grad(total, tensors, allow_unused=True)
    recorded = grad(total, tensors, create_graph=True, allow_unused=True)
    for a, b in zip(plain, recorded):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(b.data, a.data, rtol=1e-14, atol=1e-14)       # NumPy's ** rounds scalars otherwise


@every_function
def test_a_method_is_the_function(function):
    method = getattr(Tensor, function.__name__, None)
    if getattr(np, function.__name__, None) is not function or method in (None, Tensor.reshape, Tensor.transpose):
        pytest.skip("it is no method, or one that takes its argument in other forms too")
    for case in cases:
        if case.function is function and case.sample.through is None:
            (first, *rest), _ = case.tensors()
            if isinstance(first, Tensor):
                found = results(method(first, *rest, **case.sample.kwargs))
                for a, b in zip(found, results(case.compute(*case.args)), strict=True):
                    np.testing.assert_array_equal(a.data, b)


@pytest.mark.parametrize("function", list(operators), ids=name)
def test_an_operator_is_the_function_from_either_side(function):
    _, compute = operators[function]
    rng = np.random.default_rng(3)
    shape = (3, 3) if function is np.matmul else (4,)
    a, b = rng.uniform(0.5, 2, shape), rng.uniform(0.5, 2, shape)
    if function.nin == 1:
        np.testing.assert_array_equal(compute(Tensor(a, requires_grad=True)).data, function(a))
        return
    for x, y in ((Tensor(a, requires_grad=True), b), (a, Tensor(b, requires_grad=True)), (Tensor(a, True), Tensor(b, True)),
                 (Tensor(a, True), b.tolist()), (a.tolist(), Tensor(b, True))):
        found = compute(x, y)
        assert found.requires_grad
        np.testing.assert_array_equal(found.data, compute(a, b))
    if function is not np.matmul:
        for number in (2, 1.5, np.float64(1.5)):
            np.testing.assert_array_equal(compute(Tensor(a, True), number).data, compute(a, number))
            np.testing.assert_array_equal(compute(number, Tensor(a, True)).data, compute(number, a))


def test_every_operation_names_its_samples():
    for function in table:
        assert described(function)[0], name(function)


@pytest.mark.parametrize("function", sorted(structural, key=name), ids=name)
def test_structural_functions_are_not_in_the_table_too(function):
    assert function not in table


# ---- plain results --------------------------------------------------------------------------------------------------

x = np.array([[3.0, 1.0, 2.0], [0.0, -1.0, np.inf]])
plain = {
    "shape": np.shape, "ndim": np.ndim, "size": np.size, "argmax": np.argmax, "argmin": np.argmin, "argsort": np.argsort,
    "nonzero": np.nonzero, "flatnonzero": np.flatnonzero, "argwhere": np.argwhere, "count_nonzero": np.count_nonzero,
    "any": np.any, "all": np.all, "isnan": np.isnan, "isfinite": np.isfinite, "isinf": np.isinf, "signbit": np.signbit,
    "equal": lambda t: np.equal(t, 1.0), "less": lambda t: np.less(0.0, t), "logical_and": lambda t: np.logical_and(t, t),
    "allclose": lambda t: np.allclose(t, t), "array_equal": lambda t: np.array_equal(t, t), "zeros_like": np.zeros_like,
    "ones_like": np.ones_like, "full_like": lambda t: np.full_like(t, 7), "result_type": np.result_type,
    "searchsorted": lambda t: np.searchsorted(t[0][[1, 2, 0]], 2.5), "array_str": np.array_str, "iscomplexobj": np.iscomplexobj,
    "t.any": lambda t: t.any(axis=1), "t.all": lambda t: t.all(), "t.argmax": lambda t: t.argmax(axis=0),
    "t.argmin": lambda t: t.argmin(), "t.argsort": lambda t: t.argsort(axis=0), "t.nonzero": lambda t: t.nonzero(),
    "t > 1": lambda t: t > 1, "1 > t": lambda t: 1 > t, "array > t": lambda t: np.ones(3) > t, "t == t": lambda t: t == t,
}  # fmt: skip


@pytest.mark.parametrize("ask", plain.values(), ids=plain)
def test_questions_are_answered_with_plain_values(ask):
    found, expected = ask(Tensor(x, requires_grad=True)), ask(x)
    assert not isinstance(found, Tensor)
    assert type(found) is type(expected)
    np.testing.assert_array_equal(found, expected)


# ---- indexing -------------------------------------------------------------------------------------------------------

a = np.arange(24.0).reshape(2, 3, 4)
indices = {
    "integer": 1, "negative": -1, "slice": slice(None, None, -2), "tuple": (1, slice(1, 3)), "ellipsis": (..., 0), "newaxis": (None, 0, ..., None),
    "array": np.array([0, 1, 1, 0]), "list": [1, 1], "two arrays": (np.array([0, 1]), np.array([2, 2])), "broadcast": (np.array([[0], [1]]), [0, 2]),
    "apart": (np.array([0, 1]), slice(None), np.array([3, 3])), "mask": a > 7, "part mask": np.array([True, False]),
    "mask and array": (np.array([True, False]), [2]), "true": True, "scalar": (1, 2, 3), "nothing": (), "empty": np.array([], int),
    "repeats": ([0, 0, 0], [1, 1, 1], [2, 2, 3]), "np.integer": np.int64(1), "np.bool": np.bool_(True),
}  # fmt: skip


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


# ---- einsum, in every form that NumPy knows -------------------------------------------------------------------------

b, c = np.random.default_rng(2).uniform(-1, 1, (2, 3, 3))
einsums = {
    "product": ("ij,jk->ik", b, c), "implicit": ("ij,jk", b, c), "implicit order": ("ba", b), "trace": ("ii", b), "diagonal": ("ii->i", b),
    "sum": ("ij->", b), "one axis": ("ij->j", b), "transpose": ("ij->ji", b), "outer": ("i,j->ij", b[0], c[0]), "hadamard": ("ij,ij->ij", b, c),
    "ellipsis": ("...i,...i->...", b, c), "ellipsis implicit": ("...ij,jk", b, c), "ellipsis of unlike length": ("...i,i", b, c[0]),
    "three": ("ij,jk,kl->il", b, c, b), "spread": ("i,j->j", b[0], c[0]), "length one": ("ij,ij->ij", b[:, :1], c),
    "length one, summed": ("ij,ij->i", b[:, :1], c), "long against one": ("ij,ij->i", b, c[:, :1]), "diagonals": ("ii,ii->i", b, c),
    "three times": ("iii->i", np.arange(8.0).reshape(2, 2, 2) / 8), "blanks": ("i j, j k -> i k", b, c), "number": (",i->i", np.array(2.0), b[0]),
    "lists": (b, [0, 1], c, [1, 2], [0, 2]), "lists, implicit": (b, [1, 0], c, [0, 2]), "lists with ellipsis": (b, [..., 0], c, [..., 0], [...]),
    "plain lists": ("ij,j->i", b, [1.0, 2.0, 3.0]),
}  # fmt: skip


@pytest.mark.parametrize("args", einsums.values(), ids=einsums)
def test_einsum(args):
    def of(*arrays):
        arrays = iter(arrays)
        return np.einsum(*[next(arrays) if isinstance(x, np.ndarray) else x for x in args])

    arrays = [x for x in args if isinstance(x, np.ndarray)]
    found = of(*[Tensor(x, requires_grad=True) for x in arrays])
    np.testing.assert_array_equal(found.data, np.einsum(*args))
    assert gradcheck(of, *arrays, order=2)


def test_einsum_of_one_tensor_twice():
    t = Tensor(b, requires_grad=True)
    np.testing.assert_allclose(grad(np.einsum("ij,ij->", t, t), t)[0].data, 2 * b, rtol=1e-15)


# ---- conventions at singular points: PyTorch's ----------------------------------------------------------------------

def at(points):
    return np.array(points, float)


singular = {
    "abs 0": (np.abs, at([0, -1]), [0, -1]),
    "sign": (np.sign, at([0, 1]), [0, 0]), "floor": (np.floor, at([0, 1.5]), [0, 0]), "round": (np.round, at([0.5, 1]), [0, 0]),
    "max tie": (np.max, at([1, 3, 3]), [0, 0.5, 0.5]), "min tie": (np.min, at([2, 2, 2]), [1 / 3] * 3),
    "maximum tie": (lambda x: np.maximum(x, 1), at([1, 2, 0]), [0.5, 1, 0]), "minimum tie": (lambda x: np.minimum(x, 1), at([1, 2, 0]), [0.5, 0, 1]),
    "fmax of nan": (lambda x: np.fmax(x, 1), at([np.nan, 2]), [0, 1]), "fmin of nan": (lambda x: np.fmin(1, x), at([np.nan, 2]), [0, 0]),
    "clip at its bounds": (lambda x: np.clip(x, -1, 1), at([-1, 0, 1, 2]), [1, 1, 1, 0]),
    "norm 0": (np.linalg.norm, at([0, 0]), [0, 0]), "norm 1": (lambda x: np.linalg.norm(x, 1), at([0, 2]), [0, 1]),
    "norm 3": (lambda x: np.linalg.norm(x, 3), at([0, 0]), [0, 0]), "norm ∞": (lambda x: np.linalg.norm(x, np.inf), at([-2, 2, 1]), [-0.5, 0.5, 0]),
    "norm ½": (lambda x: np.linalg.norm(x, 0.5), at([0, 2]), [0, 1]), "frobenius": (lambda x: np.linalg.norm(x.reshape(1, 2), "fro"), at([0, 0]), [0, 0]),
    "x⁰": (lambda x: x**0, at([0, 2]), [0, 0]), "x¹": (lambda x: x**1, at([0, -2]), [1, 1]), "x²": (lambda x: x**2, at([0, -2]), [0, -4]),
    "x³": (lambda x: x**3, at([0, -2]), [0, 12]), "xⁿ": (lambda x: x ** np.array([0.0, 1.0, 2.0]), at([0, 0, 0]), [0, 1, 0]),
    "0ᵇ": (lambda x: np.power(0.0, x), at([0, 1, 2]), [0, 0, 0]),
    "prod, one 0": (np.prod, at([0, 2, 3]), [6, 0, 0]), "prod, two 0": (np.prod, at([0, 0, 3]), [0, 0, 0]),
    "cumprod": (np.cumprod, at([2, 0, 3, 0]), [1, 8, 0, 0]),
    "sinc 0": (np.sinc, at([0, 1]), [0, -1]), "std 0": (np.std, at([1, 1]), [0, 0]), "var 0": (np.var, at([1, 1]), [0, 0]),
    "nanstd 0": (np.nanstd, at([1, 1]), [0, 0]),
    "arctan2 0": (lambda x: np.arctan2(x, np.array([0.0, -1.0])), at([0, 0]), [0, -1]),
    "logaddexp": (lambda x: np.logaddexp(x, np.array([0.0, -1000, 1000, 1000])), at([0, 1000, -1000, 1000]), [0.5, 1, 0, 0.5]),
    "nan_to_num": (np.nan_to_num, at([np.nan, np.inf, 1]), [0, 0, 1]), "nansum": (np.nansum, at([np.nan, 1]), [0, 1]),
    "nanmax": (np.nanmax, at([np.nan, 1, 1]), [0, 0.5, 0.5]), "nanmean": (np.nanmean, at([np.nan, 1, 3]), [0, 0.5, 0.5]),
    "det of rank 2": (np.linalg.det, np.arange(1.0, 10).reshape(3, 3), [[-3, 6, -3], [6, -12, 6], [-3, 6, -3]]),
    "det of 0": (np.linalg.det, np.zeros((2, 2)), [[0, 0], [0, 0]]),
    "median of an even count": (np.median, at([4, 1, 3, 2]), [0, 0, 0.5, 0.5]), "sort with ties": (lambda x: np.sort(x)[0], at([1, 1]), [1, 0]),
}  # fmt: skip


@pytest.mark.parametrize(("f", "point", "expected"), singular.values(), ids=singular)
def test_at_a_singular_point_the_convention_holds_without_a_warning(f, point, expected):
    t = Tensor(point, requires_grad=True)
    np.testing.assert_allclose(grad(np.sum(f(t)), t)[0].data, expected, atol=1e-12)
    first = grad(np.sum(f(t)), t, create_graph=True)[0]
    np.testing.assert_allclose(first.data, expected, atol=1e-12)
    if first.requires_grad:
        assert np.all(np.isfinite(grad(np.sum(first), t, allow_unused=True)[0].data))


seconds = {
    "x² at 0": (lambda x: x**2, 0.0, 2), "x¹ at 0": (lambda x: x**1, 0.0, 0), "x³ at 0": (lambda x: x**3, 0.0, 0),
    "sinc at 0": (np.sinc, 0.0, -(np.pi**2) / 3), "sinc near 0": (np.sinc, 1e-9, -(np.pi**2) / 3),
    "x·x·0": (lambda x: np.prod(np.stack([x, x, 0 * x + 1])), 0.0, 2), "x²·1 by cumprod": (lambda x: np.cumprod(np.stack([x, x]))[1], 0.0, 2),
}  # fmt: skip


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
