"""The table of derivatives, walked: every function in it, on every sample call that it brings.

Gradients alone cannot see a wrong function, so the values are compared with NumPy's own, bit for bit. The tolerance of
the finite differences is gradcheck's; everything else here is exact, up to the rounding of powers.
"""

from typing import NamedTuple

import numpy as np
import pytest

from autograd import Op, Tensor, grad, gradcheck
from autograd.operations import samples, structural, table
from autograd.operators import operators


def name(function):
    return f"{getattr(function, '__module__', 'numpy')}.{function.__name__}"


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
    y, plain = case.compute(*args), case.compute(*case.mapped(lambda x: x.astype(np.float32)))
    for found, expected in zip(results(y), results(plain), strict=True):
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
            np.testing.assert_allclose(b.data, a.data, rtol=1e-14, atol=1e-14)  # NumPy's ** rounds numbers otherwise


def is_method(case):
    """Whether the call can be written as a method; reshape and transpose take their argument in other forms too."""
    method = getattr(Tensor, case.function.__name__, None)
    own = method not in (None, Tensor.reshape, Tensor.transpose)
    return own and getattr(np, case.function.__name__, None) is case.function and isinstance(case.args[0], np.ndarray)


@pytest.mark.parametrize("case", [case for case in cases if is_method(case)], ids=repr)
def test_a_method_is_the_function(case):
    (first, *rest), _ = case.tensors()
    if isinstance(first, Tensor):
        found = getattr(first, case.function.__name__)(*rest, **case.sample.kwargs)
        for a, b in zip(results(found), results(case.compute(*case.args)), strict=True):
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
    s, t = Tensor(a, requires_grad=True), Tensor(b, requires_grad=True)
    for left, right in ((s, t), (s, b), (a, t), (s, b.tolist()), (a.tolist(), t)):
        found = compute(left, right)
        assert found.requires_grad
        np.testing.assert_array_equal(found.data, compute(a, b))
    if function is not np.matmul:
        for number in (2, 1.5, np.float64(1.5)):
            np.testing.assert_array_equal(compute(s, number).data, compute(a, number))
            np.testing.assert_array_equal(compute(number, s).data, compute(number, a))


@pytest.mark.parametrize("function", list(operators), ids=name)
def test_an_operator_between_constants_gives_a_constant(function):
    _, compute = operators[function]
    x = np.eye(2)
    t = Tensor(x)
    pairs = [(t, t), (t, x), (x, t), *([] if function is np.matmul else [(t, 2), (2, t), (t, 0.5), (0.5, t)])]
    for args in [(t,)] if function.nin == 1 else pairs:
        with np.errstate(all="ignore"):
            y = compute(*args)
        assert (y.requires_grad, y.op, y.inputs) == (False, None, ())


signs = {"-": "−", "*": "×", "/": "÷", "**": "^", "abs": "|x|"}  # Python's, and those of mathematics in pictures


@pytest.mark.parametrize("function", list(operators), ids=name)
def test_an_operator_is_labelled_with_its_sign(function):
    sign, _ = operators[function]
    assert table[function].symbol == signs.get(sign, sign)


functions = {
    "float_power": "^", "fabs": "|x|", "square": "x²", "sqrt": "√", "cbrt": "∛", "reciprocal": "1/x", "floor": "⌊x⌋",
    "ceil": "⌈x⌉", "sum": "Σ", "prod": "Π", "einsum": "Σ", "norm": "‖x‖", "getitem": "[ ]", "transpose": "ᵀ",
    "matmul": "@", "expit": "σ",
}  # fmt: skip


def test_a_function_is_labelled_with_its_mathematical_sign_if_it_has_one():
    entries = {entry for function, entry in table.items() if isinstance(entry, Op) and function not in operators}
    assert {entry.name: entry.symbol for entry in entries if entry.symbol != entry.name} == functions


def test_no_operation_is_called_lambda():
    """Python's own error messages show the name."""
    assert "<lambda>" not in {getattr(entry, "__name__", "") for entry in table.values()}


in_bits = {np.frexp, np.ldexp, np.modf, np.nextafter, np.spacing, np.copysign}  # of a number's parts
left_out = {np.heaviside, np.conjugate}  # a step with a value of its own at 0; for complex numbers


def test_every_elementwise_function_of_numpy_has_derivatives_or_a_plain_result():
    ufuncs = {f for f in vars(np).values() if isinstance(f, np.ufunc) and f.signature is None}
    of_floats = {f for f in ufuncs if any("d" in signature.partition("->")[0] for signature in f.types)}
    assert of_floats - table.keys() - structural <= in_bits | left_out


def test_every_operation_names_its_samples():
    for function in table:
        assert described(function)[0], name(function)


def test_elementwise_functions_of_two_arrays_are_checked_where_these_broadcast():
    functions = [f for f in table if isinstance(f, np.ufunc) and f.nin == 2 and f.signature is None]
    assert np.hypot in functions
    for function in functions:
        assert any(a != b for a, b in (sample.args for sample in described(function)[0])), name(function)


@pytest.mark.parametrize("function", sorted(structural, key=name), ids=name)
def test_structural_functions_are_not_in_the_table_too(function):
    assert function not in table


# ---- plain results --------------------------------------------------------------------------------------------------

x = np.array([[3.0, 1.0, 2.0], [0.0, -1.0, np.inf]])
of_one = [
    *(np.shape, np.ndim, np.size, np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.nonzero),
    *(np.flatnonzero, np.argwhere, np.count_nonzero, np.any, np.all, np.logical_not, np.isnan, np.isfinite, np.isinf),
    *(np.isneginf, np.isposinf, np.signbit, np.isreal, np.iscomplex, np.iscomplexobj, np.isrealobj),
    *(np.zeros_like, np.ones_like, np.result_type, np.min_scalar_type, np.common_type),
    *(np.array_str, np.array_repr, np.array2string),
]
of_two = [
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
    *(np.logical_and, np.logical_or, np.logical_xor, np.isclose, np.allclose, np.array_equal, np.array_equiv, np.isin),
    *(np.may_share_memory, np.shares_memory),
]
asked = {
    **{f"np.{f.__name__}": f for f in of_one},
    **{f"np.{f.__name__}": lambda t, f=f: f(t, t[0]) for f in of_two},
    "np.empty_like": lambda t: np.empty_like(t).shape,
    "np.can_cast": lambda t: np.can_cast(t, np.float32),
    "np.searchsorted": lambda t: np.searchsorted(t[0], 2.5),
    "np.argpartition": lambda t: np.argpartition(t, 1),
    "np.lexsort": lambda t: np.lexsort((t[1], t[0])),
    "np.digitize": lambda t: np.digitize(t, [0.0, 2.0]),
    "np.matrix_rank": lambda t: np.linalg.matrix_rank(t[:, :2]),
    "np.einsum_path": lambda t: np.einsum_path("ij,kj->ik", t, t)[1],
    "np.full_like": lambda t: np.full_like(t, 7),
    "less, from the right": lambda t: np.less(0.0, t),
    "any": lambda t: t.any(axis=1),
    "all": lambda t: t.all(),
    "argmax": lambda t: t.argmax(axis=0),
    "argmin": lambda t: t.argmin(),
    "argsort": lambda t: t.argsort(axis=0),
    "nonzero": lambda t: t.nonzero(),
    "t > 1": lambda t: t > 1,
    "array > t": lambda t: np.ones(3) > t,
    "t == t": lambda t: t == t,
    "number <= t": lambda t: np.float64(1) <= t,
}


@pytest.mark.parametrize("ask", asked.values(), ids=asked)
def test_questions_are_answered_with_plain_values(ask):
    found, expected = ask(Tensor(x, requires_grad=True)), ask(x)
    assert not isinstance(found, Tensor)
    assert type(found) is type(expected)
    np.testing.assert_array_equal(found, expected)


def test_a_question_may_be_asked_of_tensors_with_names():
    class Keys(NamedTuple):
        last: object
        first: object

    keys = Keys(Tensor([1.0, 0.0, 2.0], requires_grad=True), Tensor([1.0, 1.0, 0.0]))
    assert np.lexsort(keys).tolist() == [2, 1, 0]


def test_every_function_with_a_plain_result_is_asked():
    assert {f"np.{f.__name__}" for f in structural} <= set(asked)


def test_numbers_and_divisions_by_pythons_functions():
    t = Tensor([2.345, -2.345], requires_grad=True)
    np.testing.assert_array_equal(round(t, 1).data, [2.3, -2.3])
    np.testing.assert_array_equal(round(t).data, [2, -2])
    quotient, remainder = divmod(t, 2)
    np.testing.assert_array_equal(quotient.data, [1, -2])
    np.testing.assert_allclose(remainder.data, [0.345, 1.655])
    np.testing.assert_allclose(divmod(5.0, t)[1].data, np.remainder(5.0, t.data))
