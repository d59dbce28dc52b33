"""What would lose a gradient, or cannot work, is refused in a sentence that says what to write instead."""

import copy
import pickle
import traceback

import numpy as np
import pytest

import autograd
from autograd import Tensor, call, grad, no_grad, op, steps, topological_order
from autograd.activations import elu, leaky_relu
from autograd.operations import Op, samples, table
from autograd.tensor import has_tensor


def leaf(data, **kwargs):
    return Tensor(data, requires_grad=True, **kwargs)


def x():
    return leaf([1.0, 2.0, 3.0])


def y():
    return x() * 2


def freed():
    loss = np.sum(y())
    loss.backward(retain_graph=False)
    return loss


def updated(statement, t):
    exec(statement, {"t": t, "np": np})


def rule(g, y, x):
    return g


class Foreign:
    """An object that is no number."""


REFUSALS = {
    # making a Tensor
    "complex numbers": (lambda: Tensor(1j), TypeError, "complex numbers are not supported; keep the real and"),
    "complex operands": (lambda: x() + 1j, TypeError, "complex numbers are not supported"),
    "complex operands on the left": (lambda: 1j * x(), TypeError, "complex numbers are not supported"),
    "complex arrays": (lambda: x() * np.array(1j), TypeError, "Only floating point numbers have derivatives"),
    "None": (lambda: Tensor(None), TypeError, "takes real numbers, but this is None"),
    "text": (lambda: Tensor("a"), TypeError, "takes real numbers, but this is the text 'a'"),
    "a dict": (lambda: Tensor({}), TypeError, "takes real numbers, but this is a dict"),
    "an object": (lambda: Tensor(object()), TypeError, "takes real numbers, but this is an object"),
    "a ragged list": (lambda: Tensor([1, [2]]), ValueError, "inhomogeneous"),
    "integers that require grad": (lambda: leaf([1], dtype=int), TypeError, "Only floating point numbers"),
    "requires_grad on integers": (lambda: setattr(Tensor(1), "requires_grad", True), TypeError, "Only floating point"),
    "a Tensor of a tracked one": (lambda: Tensor(x()), TypeError, r"t.detach\(\) or t.data"),
    "a Tensor of a list of Tensors": (lambda: Tensor([x(), x()]), TypeError, r"np.stack"),
    "an integer default dtype": (
        lambda: autograd.set_default_dtype(int),
        TypeError,
        "a floating dtype such as np.float32",
    ),
    # leaving the graph by accident
    "np.asarray": (lambda: np.asarray(x()), TypeError, r"its gradient would be lost.*t.detach\(\) or t.data"),
    "np.array of a list": (lambda: np.array([x(), x()]), TypeError, r"np.stack\(\[...\]\) for a list of Tensors"),
    "numpy()": (lambda: y().numpy(), TypeError, r"t.detach\(\)"),
    "array += tensor": (lambda: updated("a = np.ones(3); a += t", x()), TypeError, r"Write array = array \+ tensor"),
    "out=array": (lambda: np.add(1.0, x(), out=np.ones(3)), TypeError, r"Write array = array \+ tensor"),
    "out=tensor": (lambda: np.add(np.ones(3), 1.0, out=x()), TypeError, "cannot write"),
    "out= of a reduction": (lambda: np.sum(x(), out=np.ones(())), TypeError, "does not take out="),
    "np.copyto": (lambda: np.copyto(np.ones(3), x()), TypeError, "np.copyto has no derivative rule"),
    "a function without rule": (
        lambda: np.unwrap(x()),
        TypeError,
        r"autograd.op\(np.unwrap, lambda g, y, x.*np.unwrap\(t.data\)",
    ),
    "a function of np.linalg": (
        lambda: np.linalg.eig(leaf(np.eye(2))),
        TypeError,
        r"np.linalg.eig has no derivative rule",
    ),
    "a function of np.fft": (lambda: np.fft.fft(x()), TypeError, r"np.fft.fft has no derivative rule"),
    "a ufunc without rule": (lambda: np.frexp(x()), TypeError, r"np.frexp has no derivative rule"),
    "a ufunc's method": (lambda: np.add.outer(x(), x()), TypeError, "np.add.outer has no derivative rule"),
    "where= of a ufunc": (lambda: np.sin(x(), where=[True, False, True]), TypeError, "does not take where=.*np.where"),
    "dtype= of a ufunc": (lambda: np.sin(x(), dtype=np.float32), TypeError, "does not take dtype=.*t.astype"),
    "an argument without rule": (
        lambda: np.where(x(), 1.0, 2.0),
        TypeError,
        "no derivative with respect to argument 0",
    ),
    # changing in place
    "x[i] = v": (lambda: updated("t[0] = 1", x()), RuntimeError, "np.where.*np.concatenate or np.stack.*no_grad"),
    "x[i] = v in a graph": (lambda: updated("t[0] = 1", y()), RuntimeError, "Build the result instead"),
    "constant[i] = tracked": (lambda: Tensor([1.0]).__setitem__(0, x()[0]), RuntimeError, "Build the result instead"),
    "x += 1 on a leaf": (lambda: updated("t += 1", x()), RuntimeError, r"`\+=` on a leaf.*no_grad.*y = x \+ 1"),
    "x @= w on a leaf": (lambda: updated("t @= t", leaf(np.eye(2))), RuntimeError, "`@=` on a leaf that requires grad"),
    "requires_grad = False inside": (lambda: setattr(y(), "requires_grad", False), RuntimeError, r"t.detach\(\)"),
    # arguments that are taken as they are, and arrays with an arithmetic of their own
    "a slope to learn": (lambda: leaky_relu(x(), leaf(0.1)), TypeError, "respect to negative_slope="),
    "a slope to learn for an array": (lambda: elu(np.ones(3), leaf(0.1)), TypeError, "respect to alpha="),
    "metadata by keyword": (lambda: np.var(x(), ddof=leaf(0.5)), TypeError, "with respect to ddof=; pass t.data"),
    "a matrix": (lambda: leaf(np.eye(2)) * np.eye(2).view(np.matrix), TypeError, r"a matrix.*np.asarray\(x\)"),
    "a masked array": (lambda: x() + np.ma.array(np.ones(3), mask=[0, 1, 0]), TypeError, r"a MaskedArray.*filled\(0\)"),
    "where of one argument": (lambda: np.where(x()), TypeError, r"but got 1\. .* np\.nonzero\(t\)"),
    "outer of matrices": (lambda: np.linalg.outer(leaf(np.eye(2)), x()), ValueError, r"two vectors.*np\.outer\(\)"),
    "vsplit of a vector": (lambda: np.vsplit(x(), 3), ValueError, r"shape \(3,\); np\.split\(\) cuts a vector"),
    # backward
    "a vector": (
        lambda: y().backward(),
        ValueError,
        r"shape \(3,\). Reduce it first, loss.sum\(\).backward\(\), or pass",
    ),
    "no history": (
        lambda: Tensor(1.0).backward(),
        RuntimeError,
        "Make the inputs with Tensor.data, requires_grad=True",
    ),
    "under no_grad": (lambda: no_grad(y)().backward(1), RuntimeError, "computed under no_grad"),
    "a gradient of another shape": (lambda: y().backward(np.ones(4)), ValueError, r"shape \(4,\), but .* shape \(3,\)"),
    "a Tensor of another shape": (lambda: y().backward(Tensor(1.0)), ValueError, r"shape \(\), but .* shape \(3,\)"),
    "a gradient of text": (lambda: y().backward("abc"), TypeError, "consists of real numbers"),
    "a flag as grad_outputs": (lambda: grad(y().sum(), x(), True), TypeError, r"real numbers, not bool.$"),
    "a flag as gradient": (lambda: y().sum().backward(True), TypeError, "Write retain_graph= by its name"),
    "a complex gradient": (lambda: y().backward(np.ones(3) * 1j), TypeError, "consists of real numbers, not complex"),
    "a freed graph": (lambda: freed().backward(), RuntimeError, "Compute the result anew, or keep the graph"),
    "grad of a freed graph": (lambda: grad(freed(), x()), RuntimeError, "Compute the result anew"),
    "steps of a freed graph": (lambda: steps(freed()), RuntimeError, "Compute the result anew"),
    "grad of a vector": (lambda: grad(y(), x()), ValueError, "or pass grad_outputs="),
    "grad of None": (lambda: grad(None, x()), TypeError, "differentiates a Tensor, but this is NoneType"),
    "grad of a number": (lambda: grad(1.0, x()), TypeError, "differentiates a Tensor, but this is float"),
    "grad by None": (lambda: grad(y(), None, np.ones(3)), RuntimeError, "input 0 is not a Tensor that requires grad"),
    "grad by a constant": (lambda: grad(y(), Tensor(1.0), np.ones(3)), RuntimeError, "make it with requires_grad=True"),
    "grad by text": (lambda: grad(np.sum(y()), "w"), RuntimeError, "input 0 is not a Tensor"),
    "too many grad_outputs": (lambda: grad(y(), x(), [1, 2, 3]), ValueError, "1 outputs, but 3 grad_outputs"),
    "steps of None": (lambda: steps(None), TypeError, r"steps\(\) differentiates a Tensor"),
    "the order of a number": (
        lambda: topological_order(1),
        TypeError,
        r"topological_order\(\) puts Tensors in order, not int",
    ),
    "the order of None": (lambda: topological_order(None), TypeError, "not NoneType"),
    "the order of an array": (lambda: topological_order(np.ones(3)), TypeError, "not ndarray"),
    "a hook on a constant": (lambda: Tensor(1.0).register_hook(print), RuntimeError, "it would never be called"),
    # operations of one's own
    "no sample": (lambda: op(lambda x: x, rule), TypeError, r"needs sample calls .* at=\[call\(\(3, 4\)\)\]"),
    "no sample for NumPy's function": (lambda: op(np.unwrap, rule), TypeError, r"op\(unwrap\) needs sample calls"),
    "a sample that is no call": (lambda: op(np.unwrap, rule, at=[(3,)]), TypeError, r"at=\[call\(\(3, 4\)\)\]"),
    "a sample outside of a list": (lambda: op(np.unwrap, rule, at=call((3,))), TypeError, r"at=\[call\(\(3,\)\)\]"),
    "a rule forgotten": (
        lambda: op(lambda a, b: a * b, lambda g, y, a, b: g * b, name="f", at=[call((3,), (3,))]),
        TypeError,
        "more arrays than there are rules, which are 1",
    ),
    "a function that returns nothing": (
        lambda: op(lambda x: None, rule, name="f", at=[call((3,))])(x()),
        TypeError,
        "The function of f returned None",
    ),
    "a rule that returns nothing": (
        lambda: op(lambda x: x * 1, lambda g, y, x: None, name="f", at=[call((3,))])(x()).sum().backward(),
        TypeError,
        "rule of f for argument 0 gave None, no real numbers",
    ),
    "no rule": (lambda: op(lambda x: x, at=[call((3,))]), TypeError, "takes a rule for each array argument"),
    "rules and each=": (lambda: op(np.unwrap, rule, each=rule, at=[call((3,))]), TypeError, "takes a rule for each"),
    "a rule that is no function": (lambda: op(np.unwrap, 3.0, at=[call((3,))]), TypeError, "a rule is a function"),
    "a rule of too few arguments": (
        lambda: op(np.unwrap, lambda g: g, at=[call((3,))]),
        TypeError,
        "called with 3 arguments",
    ),
    "a rule that invents metadata": (
        lambda: op(lambda x: x, lambda g, y, x, axis=0: g, name="f", at=[call((3,))]),
        TypeError,
        "A rule of f takes axis=, but f itself does not",
    ),
    "a rule of another default": (
        lambda: op(lambda x, n=1: x, lambda g, y, x, n=2: g, name="f", at=[call((3,))]),
        TypeError,
        "f has n=1, but its rule has n=2",
    ),
    "op of no function": (lambda: op("sin", rule, at=[call((3,))]), TypeError, "takes a function of arrays"),
    "op of what has no name": (
        lambda: op(Foreign(), rule, at=[call((3,))]),
        TypeError,
        "takes a function of arrays, and name=",
    ),
    # copying
    "pickling a graph": (lambda: pickle.dumps(y()), TypeError, r"Only leaves .* t.detach\(\)"),
    "copying a graph": (lambda: copy.copy(y()), TypeError, "Only leaves can be copied"),
    "deep-copying a graph": (lambda: copy.deepcopy([y()]), TypeError, "Only leaves can be copied"),
    # the rest
    "len of a scalar": (lambda: len(leaf(1.0)), TypeError, r"len\(\) of a Tensor of shape \(\)"),
    "iteration over a scalar": (lambda: list(leaf(1.0)), TypeError, "cannot be iterated over"),
    "item of many": (lambda: x().item(), ValueError, r"one element, but this has shape \(3,\); use t.data"),
    "no_grad of a number": (lambda: no_grad(3), TypeError, "decorates a function, or stands in `with no_grad"),
    "an attribute that is not": (lambda: x().foo, AttributeError, "'Tensor' object has no attribute 'foo'"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refused_with_the_remedy(name):
    wrong, error, message = REFUSALS[name]
    with pytest.raises(error, match=f"(?s){message}"):
        wrong()


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_print_on_a_windows_console(name):
    wrong, error, _ = REFUSALS[name]
    with pytest.raises(error) as caught:
        wrong()
    str(caught.value).encode("cp1252")


def test_an_update_of_another_shape_is_refused_and_changes_nothing():
    w = leaf([1.0, 2.0])
    with no_grad(), pytest.raises(ValueError, match="does not fit into a Tensor of shape"):
        w -= np.ones((3, 2))
    with no_grad(), pytest.raises(ValueError, match="does not fit into a Tensor of shape"):
        w -= np.ones(3)
    assert w.tolist() == [1, 2]


def test_an_update_that_was_refused_leaves_the_graph_usable():
    w = leaf([1.0, 2.0])
    loss = np.sum(w * w)
    with pytest.raises(RuntimeError):
        w -= 1.0
    loss.backward()
    assert w.grad.tolist() == [2, 4]


def test_a_refused_assignment_changes_nothing():
    w = x()
    with pytest.raises(RuntimeError):
        w[0] = 9.0
    assert w.tolist() == [1, 2, 3]


# ---- no wrong input ends in an error from the engine's own depths

DEPTHS = (AttributeError, KeyError, RecursionError, NameError, AssertionError, StopIteration)
WRONG = [
    None, "a", {}, object(), Foreign(), 1j, (), [], [None], ["a"], {1, 2}, print, float, 99, -99, 2.5, True,
    np.ones((7, 5)), np.ones(0), np.array("a"), np.array([True]),
    Tensor(np.ones((7, 5))), Tensor(True), leaf(np.ones(0)), [leaf(1.0), None],
]  # fmt: skip


def wrong_calls(function):
    """The sample calls of a registered function, each with one thing wrong and a Tensor left among the arguments."""
    yield from ((args, kwargs) for args, kwargs in all_wrong_calls(function) if has_tensor([*args, *kwargs.values()]))


def all_wrong_calls(function):
    """The sample calls of a registered function, on Tensors, each with one thing wrong."""
    entry = table[function]
    calls, on = (
        (entry.samples, entry.on) if isinstance(entry, Op) else samples.get(function, ([call((3,))], (0.2, 0.8)))
    )
    for sample in calls:
        args = [tracked(x) for x in sample.draw(np.random.default_rng(0), on)]
        yield args[:-1], sample.kwargs
        yield args, {**sample.kwargs, "nonsense": 1}
        yield args, {**sample.kwargs, "out": np.ones(3)}
        yield args, {**sample.kwargs, "axis": 77}
        for wrong in WRONG:
            yield [*args, wrong], sample.kwargs
            yield from (([*args[:i], wrong, *args[i + 1 :]], sample.kwargs) for i in range(len(args)))
            yield from ((args, {**sample.kwargs, key: wrong}) for key in sample.kwargs)


def tracked(value):
    """value, or the Tensors that stand for its arrays of floats."""
    if isinstance(value, list):
        return [tracked(item) for item in value]
    return leaf(value) if isinstance(value, (float, np.ndarray)) and np.asarray(value).dtype.kind == "f" else value


def name(function):
    """What a case is called."""
    return function.__name__


def from_the_depths(run, *args, **kwargs):
    """The exception of run(*args, **kwargs), if it is one that a user should never see, and not NumPy's own."""
    try:
        result = run(*args, **kwargs)
        if isinstance(result, Tensor) and result.requires_grad:
            result.backward(np.ones(result.shape))
    except DEPTHS as error:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_name != "__getattr__"]
        return None if frames[-1].f_globals["__name__"].startswith("numpy") else error
    except Exception:  # a sentence for the user: which one is the concern of the tests above
        return None
    return None


@pytest.mark.filterwarnings("ignore")  # NumPy may warn about nonsense as it likes
@pytest.mark.parametrize("function", table, ids=name)
def test_a_wrong_argument_never_ends_in_the_engines_depths(function):
    for args, kwargs in wrong_calls(function):
        error = from_the_depths(function, *args, **kwargs)
        assert error is None, f"{name(function)}(*{args}, **{kwargs}) raised {error!r}"


OPERATORS = [
    "t + w",
    "w + t",
    "t - w",
    "w - t",
    "t * w",
    "t / w",
    "w / t",
    "t ** w",
    "w ** t",
    "t @ w",
    "w @ t",
    "t // w",
]
OPERATORS += ["t % w", "t == w", "t != w", "t < w", "w in t", "t[w]", "t.sum(w)", "t.reshape(w)", "t.backward(w)"]
OPERATORS += ["grad(t.sum(), w)", "grad(w, t)", "steps(w)", "topological_order(w)", "Tensor(w)", "Tensor(1.0, dtype=w)"]
OPERATORS += ["t.astype(w)", "t.transpose(w)", "t.register_hook(w) and t.sum().backward()", "no_grad(w)", "op(w, w)"]
OPERATORS += ["Tensor([1.0]).__setitem__(0, w)", "Tensor([1.0]).__setitem__(w, 0)", "f'{t:{w}}'", "grad(t.sum(), t, w)"]
OPERATORS += ["t.backward(np.ones(t.shape), w)", "call(w).draw(np.random.default_rng(0))", "t.mean(axis=w)"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", OPERATORS)
def test_a_wrong_operand_never_ends_in_the_engines_depths(expression):
    names = {"grad": grad, "steps": steps, "topological_order": topological_order, "Tensor": Tensor, "no_grad": no_grad}
    names |= {"op": op, "call": call, "np": np}
    for t in (leaf([1.0, 2.0]), leaf(1.0), leaf([1.0, 2.0]) * 2, leaf(1.0) * 2, Tensor([1.0, 2.0])):
        for wrong in WRONG:
            error = from_the_depths(eval, expression, {**names, "t": t, "w": wrong})
            assert error is None, f"{expression} with t={t!r}, w={wrong!r} raised {error!r}"
