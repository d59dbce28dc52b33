"""Every optimizer, with each of its options, walks PyTorch's way; stops and goes on exactly; and refuses what is wrong.

The gradients here are formulas in NumPy, so that only the optimizer is under test.
"""

import copy
import inspect
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd import Tensor, no_grad
from nn import optim
from nn.optim.blocks import PIECE

OPTIMIZERS = {name: getattr(optim, name) for name in optim.__all__ if name not in ("Optimizer", "lr_scheduler")}
RECORDED = json.loads(Path(__file__).with_name("recorded_optim.json").read_text())["optimizers"]

# a value for each option that differs from its default, and the other options without which it would do nothing
VALUES = dict(lr=0.05, momentum=0.9, dampening=0.2, weight_decay=0.1, nesterov=True, maximize=True, lr_decay=0.02,
              eps=1e-3, alpha=0.9, centered=True, betas=(0.8, 0.95), amsgrad=True,
              initial_accumulator_value=0.3)  # fmt: skip
NEEDS = dict(dampening=dict(momentum=0.9), nesterov=dict(momentum=0.9))


def options(optimizer):
    """The names of an optimizer's options."""
    return [name for name in inspect.signature(optimizer).parameters if name != "params"]


CASES = {f"{name} {option}": (name, {"lr": 0.02, option: VALUES.get(option), **NEEDS.get(option, {})})
         for name, optimizer in OPTIMIZERS.items() for option in options(optimizer)}  # fmt: skip
CASES |= {f"{name} together": (name, {k: VALUES.get(k) for k in options(optimizer) if k != "dampening"})
          for name, optimizer in OPTIMIZERS.items()}  # fmt: skip

START = [np.array([[1.0, -2.0], [0.5, 3.0]]), np.array(1.5), np.array([0.3, -0.7]), np.array([1.0])]


def gradients(arrays, t):
    """The gradient for each parameter at step t: the third gets one only at even t, the fourth never."""
    a, b, c, _ = arrays
    tilted = np.tanh(a @ np.array([[1.0, 0.5], [-0.3, 2.0]])) + 0.1 * a + np.cos(t) / 5
    return [tilted, np.tanh(2 * b - 1), np.sin(3 * c) + 0.2 if t % 2 == 0 else None, None]


def parameters(dtype=float):
    return [Tensor(array.astype(dtype), requires_grad=True) for array in START]


def walk(optimizer, params, steps, start=0, convert=np.asarray, grad=lambda array: array):
    """Take steps, and return every parameter's values after each as rows."""
    rows = []
    for t in range(start, start + steps):
        for p, g in zip(params, gradients([convert(p) for p in params], t)):
            p.grad = None if g is None else grad(np.asarray(g))
        optimizer.step()
        rows.append(np.concatenate([np.ravel(convert(p)) for p in params]))
    return np.array(rows)


def ours(optimizer, params, steps, start=0):
    return walk(optimizer, params, steps, start, lambda p: p.data.copy(), lambda g: g.astype(params[0].dtype))


def theirs(optimizer, params, steps, start=0):
    import torch

    return walk(optimizer, params, steps, start, lambda p: p.detach().numpy().copy(), torch.from_numpy)


def torch_case(name, given):
    """PyTorch's optimizer and its parameters."""
    import torch

    params = [torch.tensor(array, requires_grad=True) for array in START]
    return getattr(torch.optim, name)(params, **given), params


def record():
    """What PyTorch gives: the parameters after steps 5 and 100 of each case. Written down by record_optim.py."""
    return {case: theirs(*torch_case(*given), 100)[[4, 99]].tolist() for case, given in CASES.items()}


def as_arrays(state_dict):
    """PyTorch's state_dict with arrays for its tensors."""
    state = {i: {k: None if v is None else np.asarray(v) for k, v in values.items()}
             for i, values in state_dict["state"].items()}  # fmt: skip
    return {"state": state, "param_groups": state_dict["param_groups"]}


# ---- the numbers ----------------------------------------------------------------------------------------------------

each_case = pytest.mark.parametrize(("name", "given"), CASES.values(), ids=CASES)
each_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


@pytest.mark.parametrize("case", CASES)
def test_a_hundred_steps_end_where_pytorchs_did_when_recorded(case):
    name, given = CASES[case]
    params = parameters()
    # 1e-10, the project's tolerance for trajectories: the two differ by rounding alone
    np.testing.assert_allclose(
        ours(OPTIMIZERS[name](params, **given), params, 100)[[4, 99]], RECORDED[case], rtol=0, atol=1e-10
    )


@each_case
def test_a_hundred_steps_are_pytorchs(name, given):
    pytest.importorskip("torch")
    params = parameters()
    expected = theirs(*torch_case(name, given), 100)
    np.testing.assert_allclose(ours(OPTIMIZERS[name](params, **given), params, 100), expected, rtol=0, atol=1e-10)


@each_optimizer
def test_every_option_is_compared_at_a_value_that_is_not_its_default(name):
    for option, parameter in inspect.signature(OPTIMIZERS[name]).parameters.items():
        assert option == "params" or VALUES[option] != parameter.default, option


@each_optimizer
def test_names_order_and_defaults_of_the_options_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    here, there = (inspect.signature(getattr(place, name)).parameters for place in (optim, torch.optim))
    assert {k: p.default for k, p in here.items()} == {k: there[k].default for k in here}
    positional = [k for k, p in here.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == [k for k in there if k in here][: len(positional)]


@each_case
def test_float32_stays_float32_and_close_to_float64(name, given):
    single, double = parameters(np.float32), parameters()
    optimizer = OPTIMIZERS[name](single, **given)
    # 1e-2: a hundred steps of float32, in which RMSprop and Adagrad divide by small numbers
    np.testing.assert_allclose(
        ours(optimizer, single, 20), ours(OPTIMIZERS[name](double, **given), double, 20), rtol=0, atol=1e-2
    )
    arrays = [v for state in optimizer.state.values() for v in state.values() if isinstance(v, np.ndarray)]
    assert {array.dtype for array in [p.data for p in single] + arrays} == {np.dtype(np.float32)}


@each_case
def test_a_large_parameter_is_updated_in_pieces_to_the_same_bits(name, given, monkeypatch):
    def run():
        params = parameters()
        optimizer = OPTIMIZERS[name](params, **given)
        rows = ours(optimizer, params, 3)
        optimizer.load_state_dict(optimizer.state_dict())
        rows = np.concatenate([rows, ours(optimizer, params, 3, start=3)])
        return rows, [x for past in optimizer.state.values() for x in past.values()], optimizer.blocks

    rows, memory, _ = run()
    monkeypatch.setattr("nn.optim.blocks.PIECE", 3)
    monkeypatch.setattr("nn.optim.optimizer.PIECE", 3)
    rows_in_pieces, memory_in_pieces, blocks = run()
    assert [len(block.pieces) for block in blocks if len(block.pieces) > 1] == [2]
    np.testing.assert_array_equal(rows_in_pieces, rows)
    assert len(memory) == len(memory_in_pieces)
    assert all(np.array_equal(x, y) for x, y in zip(memory, memory_in_pieces))


def test_a_centred_rmsprop_survives_a_gradient_that_never_changes():
    w = Tensor(np.zeros(40), requires_grad=True)
    optimizer = optim.RMSprop([w], centered=True, alpha=0.5)
    for _ in range(200):  # h − m² falls to 0, and for some of these rounding takes it below
        w.grad = np.linspace(0.1, 3, 40)
        optimizer.step()
    assert np.isfinite(w.data).all()


# ---- stopping and going on ------------------------------------------------------------------------------------------


@each_case
def test_a_state_dict_resumes_bit_for_bit(name, given):
    params = parameters()
    optimizer = OPTIMIZERS[name](params, **given)
    ours(optimizer, params, 7)
    state = optimizer.state_dict()
    copies = [Tensor(p.data, requires_grad=True) for p in params]
    rest = ours(optimizer, params, 13, start=7)
    resumed = OPTIMIZERS[name](copies)
    resumed.load_state_dict(state)
    assert np.array_equal(ours(resumed, copies, 13, start=7), rest)


@each_case
def test_pytorchs_state_dict_loads_and_goes_on_as_it_would(name, given):
    pytest.importorskip("torch")
    optimizer, params = torch_case(name, given)
    theirs(optimizer, params, 10)
    copies = [Tensor(p.detach().numpy(), requires_grad=True) for p in params]
    resumed = OPTIMIZERS[name](copies)
    resumed.load_state_dict(as_arrays(optimizer.state_dict()))
    np.testing.assert_allclose(
        ours(resumed, copies, 10, start=10), theirs(optimizer, params, 10, start=10), rtol=0, atol=1e-10
    )


@each_case
def test_the_state_dict_has_pytorchs_layout(name, given):
    pytest.importorskip("torch")
    optimizer, params = torch_case(name, given)
    theirs(optimizer, params, 3)
    there = as_arrays(optimizer.state_dict())
    params = parameters()
    optimizer = OPTIMIZERS[name](params, **given)
    ours(optimizer, params, 3)
    here = optimizer.state_dict()
    there["state"].pop(3, None)  # Adagrad there remembers a parameter that never moved
    there["state"] = {i: {k: v for k, v in state.items() if v is not None} for i, state in there["state"].items()}
    assert here["state"].keys() == {i for i, state in there["state"].items() if state}
    for i, state in here["state"].items():
        assert state.keys() == there["state"][i].keys()
        for k, v in state.items():
            np.testing.assert_allclose(v, there["state"][i][k], rtol=0, atol=1e-10)
    for mine, its in zip(here["param_groups"], there["param_groups"], strict=True):
        assert mine == {k: its[k] for k in mine}


def test_a_state_dict_is_a_copy():
    params = parameters()
    optimizer = optim.Adam(params)
    ours(optimizer, params, 2)
    state = optimizer.state_dict()
    before = state["state"][0]["exp_avg"].copy()
    ours(optimizer, params, 2)
    assert np.array_equal(state["state"][0]["exp_avg"], before)


@pytest.mark.parametrize("wrong", ["groups", "shape", "option"])
def test_a_state_that_does_not_fit_changes_nothing(wrong):
    params = parameters()
    optimizer = optim.Adam(params)
    ours(optimizer, params, 2)
    state = optimizer.state_dict()
    if wrong == "groups":
        state["param_groups"][0]["params"] = [0]
    elif wrong == "shape":
        state["state"][2]["exp_avg_sq"] = np.zeros(5)
    else:
        state["param_groups"][0]["betas"] = (0.9, 1.5)
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=r"groups of \[1\]|shape \(5,\)|betas\[1\]"):
        optimizer.load_state_dict(state)
    np.testing.assert_equal(optimizer.state_dict(), before)


# ---- groups, closures, gradients ------------------------------------------------------------------------------------


def test_groups_have_options_of_their_own():
    slow, fast, later = (Tensor(0.0, requires_grad=True) for _ in range(3))
    optimizer = optim.SGD([{"params": [slow], "lr": 0.1}, {"params": fast}], lr=1.0)
    optimizer.add_param_group({"params": [later], "lr": 10.0, "weight_decay": 0.5})
    for p in (slow, fast, later):
        p.grad = np.array(1.0)
    optimizer.step()
    assert [float(p.data) for p in (slow, fast, later)] == [-0.1, -1.0, -10.0]
    assert [group["params"] for group in optimizer.state_dict()["param_groups"]] == [[0], [1], [2]]
    optimizer.param_groups[1]["lr"] = 0.5
    optimizer.step()
    assert fast.data == -1.5


def test_a_closure_is_called_with_recording_on_and_its_value_returned():
    w = Tensor(2.0, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = w * w
        loss.backward()
        return loss

    with no_grad():
        loss = optimizer.step(closure)
    assert (loss.item(), float(w.data)) == (4.0, 1.0)


def test_zero_grad_forgets_or_zeroes():
    w, idle = Tensor([1.0, 2.0], requires_grad=True), Tensor(1.0, requires_grad=True)
    optimizer = optim.SGD([w, idle], lr=0.1, momentum=0.5)
    (w * w).sum().backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
    assert np.array_equal(w.grad, [0, 0])
    assert idle.grad is None
    before = w.data.copy()
    optimizer.step()  # a gradient of zero still has momentum
    assert (w.data != before).all()
    optimizer.zero_grad()
    before = w.data.copy()
    with pytest.warns(UserWarning, match="found no gradients, so it changes nothing"):
        optimizer.step()
    assert w.grad is None
    assert np.array_equal(w.data, before)


@each_case
def test_a_step_changes_the_parameters_own_arrays_and_leaves_gradients_as_they_are(name, given):
    params = parameters()
    arrays = [p.data for p in params]
    optimizer = OPTIMIZERS[name](params, **given)
    for t in range(3):
        given_gradients = gradients([p.data.copy() for p in params], t)
        for p, g in zip(params, given_gradients):
            p.grad = g
            if g is not None:
                p.grad = np.array(g)
                p.grad.flags.writeable = False
        optimizer.step()
    assert all(p.data is array for p, array in zip(params, arrays))


@each_case
def test_values_side_by_side_in_memory_become_the_same_to_the_bit_as_values_apart(name, given):
    packed, apart = parameters(), parameters()
    arrays = [p.data for p in apart]
    optimizer, other = OPTIMIZERS[name](packed, **given), OPTIMIZERS[name](apart, **given)
    assert len({id(p.data.base) for p in packed}) == 1
    assert all(p.data is array for p, array in zip(apart, arrays))
    np.testing.assert_array_equal(ours(optimizer, packed, 6), ours(other, apart, 6))
    assert {block.apart for block in optimizer.blocks} == {False}
    assert True in {block.apart for block in other.blocks}


def test_whoever_holds_values_goes_on_to_see_them_when_an_optimizer_is_made():
    array, viewed, buffered, lent, free, also_free = params = [Tensor(np.ones(3), requires_grad=True) for _ in range(6)]
    memory = np.ones(5)
    lent.data = memory[1:4]
    held = [array.data, viewed.data[:2], memoryview(buffered.data), memory[1:4]]
    optimizer = optim.SGD(params, lr=0.5)
    for p in params:
        p.grad = np.ones(3)
    optimizer.step()
    assert [np.asarray(values).tolist() for values in held] == [[0.5] * 3, [0.5] * 2, [0.5] * 3, [0.5] * 3]
    assert memory.tolist() == [1, 0.5, 0.5, 0.5, 1]
    assert free.data.base is also_free.data.base is not None
    assert np.concatenate([free.data, also_free.data]).tolist() == [0.5] * 6


def test_a_second_optimizer_and_other_data_leave_a_packed_parameter_whole():
    params = [Tensor(np.ones((2, 2)), requires_grad=True) for _ in range(3)]
    first, second = optim.SGD(params, lr=0.5), optim.SGD(params[::-1], lr=0.25)
    for optimizer in (first, second, first):
        for p in params:
            p.grad = np.ones((2, 2))
        optimizer.step()
        params[1].data = params[1].data.astype(np.float32)
    assert [(p.dtype.name, p.data.tolist()) for p in params] == [
        (name, [[-0.25] * 2] * 2) for name in ("float64", "float32", "float64")
    ]


def test_a_graph_from_before_a_step_refuses_to_go_backward():
    w = Tensor(2.0, requires_grad=True)
    loss = w * w
    loss.backward()
    optim.SGD([w], lr=0.1).step()
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


@each_case
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "pickle"])
def test_a_copy_made_with_its_parameters_goes_on_by_itself(name, given, copied):
    params = parameters()
    optimizer = OPTIMIZERS[name](params, **given)
    ours(optimizer, params, 4)
    twins, twin = copied((params, optimizer))
    theirs = ours(twin, twins, 4, start=4)
    np.testing.assert_array_equal(theirs, ours(optimizer, params, 4, start=4))


def test_a_pickle_holds_what_is_remembered_and_no_place_to_compute_in():
    w = Tensor(np.ones(10_000), requires_grad=True)
    optimizer = optim.SGD([w], momentum=0.9)
    w.sum().backward()
    optimizer.step()
    alone, velocity = len(pickle.dumps(w)), optimizer.state[w]["momentum_buffer"].nbytes
    assert len(pickle.dumps((w, optimizer))) < alone + velocity + 5_000


# ---- data that change under the optimizer ---------------------------------------------------------------------------


@each_case
def test_new_data_of_the_same_kind_are_just_new_values(name, given):
    params, twins = parameters(), parameters()
    optimizer, twin = OPTIMIZERS[name](params, **given), OPTIMIZERS[name](twins, **given)
    ours(optimizer, params, 3)
    ours(twin, twins, 3)
    for p, q in zip(params, twins):
        p.data = p.data + 1  # another array; for shape () a number
        q.data += 1
    assert np.array_equal(ours(optimizer, params, 3, start=3), ours(twin, twins, 3, start=3))


@each_case
def test_the_state_follows_a_change_of_dtype(name, given):
    params, twins = parameters(np.float32), parameters()
    optimizer, twin = OPTIMIZERS[name](params, **given), OPTIMIZERS[name](twins, **given)
    ours(optimizer, params, 3)
    ours(twin, twins, 3)
    for p in params:
        p.data = p.data.astype(float)  # as model.double() does
    np.testing.assert_allclose(ours(optimizer, params, 3, 3), ours(twin, twins, 3, 3), rtol=0, atol=1e-2)
    arrays = [v for state in optimizer.state.values() for v in state.values() if isinstance(v, np.ndarray)]
    assert all(array.dtype == float for array in [*arrays, *(p.data for p in params)])


@each_optimizer
def test_the_state_of_other_elements_is_forgotten(name):
    w = Tensor([1.0, 2.0], requires_grad=True)
    optimizer = OPTIMIZERS[name]([w])
    w.grad = np.ones(2)
    optimizer.step()
    w.data = np.ones(3)
    other = Tensor(1.0, requires_grad=True)
    other.grad = np.array(1.0)
    optimizer.param_groups[0]["params"].insert(0, other)
    with pytest.raises(ValueError, match=r"shape \(3,\) has a gradient of shape \(2,\)"):
        optimizer.step()
    assert other.data == 1
    w.grad = np.ones(3)
    optimizer.step()
    fresh = Tensor(np.ones(3), requires_grad=True)
    fresh.grad = np.ones(3)
    OPTIMIZERS[name]([fresh]).step()
    assert np.array_equal(w.data, fresh.data)


def test_a_read_only_array_is_replaced_by_a_copy():
    w = Tensor([1.0, 1.0], requires_grad=True)
    w.data, w.grad = np.broadcast_to(3.0, 2), np.ones(2)
    optim.SGD([w], lr=1.0).step()
    assert np.array_equal(w.data, [2, 2])


def test_two_optimizers_can_share_a_parameter():
    w = Tensor(0.0, requires_grad=True)
    one, two = optim.SGD([w], lr=1.0), optim.SGD([w], lr=0.5)
    for optimizer in (one, two, one):
        w.grad = np.array(1.0)
        optimizer.step()
    assert w.data == -2.5


@each_optimizer
def test_parameters_without_elements_are_stepped_saved_and_loaded(name):
    empty, w = Tensor(np.zeros((0, 3)), requires_grad=True), Tensor(np.ones(2), requires_grad=True)
    for params in ([empty], [empty, w]):
        optimizer = OPTIMIZERS[name](params)
        for _ in range(2):
            for p in params:
                p.grad = np.ones(p.shape)
            optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
        optimizer.step()
    assert empty.shape == (0, 3)
    assert (w.data < 1).all()


@each_case
def test_parameters_that_take_turns_are_stepped_as_if_each_had_an_optimizer(name, given):
    together, apart = parameters(), parameters()
    optimizer, alone = OPTIMIZERS[name](together, **given), [OPTIMIZERS[name]([p], **given) for p in apart]
    for step in range(7):
        for i, (p, q) in enumerate(zip(together, apart)):
            p.grad = q.grad = np.sin(p.data + step) if (step + i) % 3 else None
        optimizer.step()
        for each in alone:
            each.step()
    for p, q in zip(together, apart):
        np.testing.assert_allclose(p.data, q.data, rtol=1e-14)  # the same formula on longer arrays: rounding at most


@pytest.mark.parametrize(
    ("where", "wrong"),
    [("group", wrong) for wrong in (dict(amsgrad=np.ones(2)), dict(amsgrad="x"), dict(maximize="no"), dict(betas=0.9),
                                 dict(max_lr={}))]
    + [("state", wrong) for wrong in ({1: np.ones(2)}, dict(step=-1), dict(step=10**400), dict(step="7"),
                                      dict(exp_avg=np.array(["1", "2"])), dict(exp_avg=np.ones(2, complex)))],
)  # fmt: skip
def test_a_state_that_no_step_could_be_made_from_is_refused_and_changes_nothing(where, wrong):
    w = Tensor([1.0, 2.0], requires_grad=True)
    optimizer = optim.Adam([w])
    optim.lr_scheduler.OneCycleLR(optimizer, 0.1, 10)
    w.grad = np.ones(2)
    optimizer.step()
    before, state = optimizer.state_dict(), optimizer.state_dict()
    (state["param_groups"][0] if where == "group" else state["state"][0]).update(wrong)
    with pytest.raises(ValueError, match=r"not the state of Adam|which no optimizer remembers"):
        optimizer.load_state_dict(state)
    np.testing.assert_equal(optimizer.state_dict(), before)


def test_an_optimizer_of_ones_own_is_a_formula():
    class SignSGD(optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, dict(lr=lr))

        def change(self, g, state, group, s):
            return np.multiply(np.sign(g, out=s), group["lr"], out=s)

    w = Tensor([1.0, -1.0], requires_grad=True)
    (w * w).sum().backward()
    SignSGD([w], lr=0.5).step()
    assert np.array_equal(w.data, [0.5, -0.5])


# ---- refusals -------------------------------------------------------------------------------------------------------


class Model:
    def parameters(self):
        yield from ()


def leaf():
    return Tensor(1.0, requires_grad=True, name="w")


twice = leaf()


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ([], ValueError, "got no parameters"),
        (Model().parameters(), ValueError, "got no parameters"),
        (Model(), TypeError, r"model\.parameters\(\)"),
        (leaf(), TypeError, "a list such as"),
        (7, TypeError, "not one int"),
        ([np.ones(3)], TypeError, "parameter 0 is ndarray"),
        ([("w", leaf())], TypeError, r"named_parameters\(\)"),
        ([leaf() * 2], ValueError, "computed by <op multiply>"),
        ([twice, leaf(), twice], ValueError, r"parameter 2, of shape \(\), named 'w', twice"),
        ([{"params": [twice]}, {"params": [twice]}], ValueError, "twice"),
        ([{"params": []}], ValueError, "group 0 of SGD has no parameters"),
        ([{"lr": 0.1}], TypeError, "A parameter group is a dict such as"),
        ([{"params": {leaf()}}], TypeError, "no order"),
    ],
)
def test_what_cannot_be_optimized_is_refused(params, error, message):
    with pytest.raises(error, match=message):
        optim.SGD(params, lr=0.1)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_numbers_that_mean_nothing_are_refused_by_name(name, value):
    for option in options(OPTIMIZERS[name]):
        if isinstance(VALUES[option], float):
            with pytest.raises(ValueError, match=rf"{name}\({option}=\)"):
                OPTIMIZERS[name]([leaf()], **{option: value})


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optim.SGD([leaf()], lr="0.1"), TypeError, r"SGD\(lr=\) is a number at least 0, but got '0.1'"),
        (lambda: optim.SGD([leaf()], nesterov=True), ValueError, "momentum > 0"),
        (lambda: optim.Adam([leaf()], betas=(0.9, 1.0)), ValueError, r"betas\[1\]=\) .* at least 0 and below 1"),
        (lambda: optim.Adam([leaf()], betas=0.9), TypeError, "a pair"),
        (lambda: optim.Adam([leaf()]).load_state_dict([]), TypeError, r"what state_dict\(\) gave"),
        (lambda: optim.Optimizer([stepping()], {}).step(), TypeError, "has no formula"),
        (lambda: optim.SGD([leaf()]).lr, AttributeError, r"optimizer\.param_groups\[0\]\['lr'\]"),
        (lambda: setattr(optim.SGD([leaf()]), "lr", 0.1), AttributeError, r"optimizer\.param_groups\[0\]\['lr'\]"),
    ],
)
def test_options_that_mean_nothing_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def stepping():
    w = leaf()
    w.grad = np.array(1.0)
    return w


def test_integers_cannot_learn():
    w = Tensor(1)
    w.grad = np.array(1)
    with pytest.raises(TypeError, match="holds int64"):
        optim.SGD([w]).step()


def test_the_repr_tells_the_options():
    assert repr(optim.SGD([leaf()], lr=0.5)).startswith("SGD(1 parameters, lr=0.5, momentum=0")


# ---- groups that are edited in place


def descend(optimizer, *params):
    for p in params:
        p.grad = np.ones(1)
    optimizer.step()


def test_parameters_may_be_exchanged_in_a_group():
    old, new = Tensor([1.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([old], lr=0.5)
    descend(optimizer, old)
    optimizer.param_groups[0]["params"][0] = new
    descend(optimizer, old, new)
    assert (old.item(), new.item()) == (0.5, 0.5)


def test_parameters_may_change_places_between_groups():
    a, b = Tensor([1.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([{"params": [a], "lr": 0.5}, {"params": [b], "lr": 0.25}])
    descend(optimizer, a, b)
    first, second = optimizer.param_groups
    first["params"], second["params"] = second["params"], first["params"]
    descend(optimizer, a, b)
    assert (a.item(), b.item()) == (0.25, 0.25)


def test_a_group_may_be_replaced():
    a = Tensor([1.0], requires_grad=True)
    optimizer = optim.SGD([a], lr=0.5)
    descend(optimizer, a)
    optimizer.param_groups[0] = {**optimizer.param_groups[0], "lr": 0.25}
    descend(optimizer, a)
    assert a.item() == 0.25


@pytest.mark.parametrize("params", [nn.Linear(1, 1), nn.Linear(1, 1).parameters, np.ones(2), {"w": 1}, 3])
def test_a_group_takes_what_the_optimizer_takes(params):
    with pytest.raises(TypeError, match=r"^SGD\(\) takes parameters to optimize, (model\.parameters\(\)|a list such)"):
        optim.SGD([{"params": params}])


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values())
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, bool, np.float16])
def test_a_gradient_of_another_dtype_means_the_same_for_a_large_parameter(optimizer, maximize, dtype):
    gradient = np.full(PIECE + 1, 300).astype(dtype)  # 300² is too large for float16
    small, large = Tensor([1.0], requires_grad=True), Tensor(np.ones(PIECE + 1), requires_grad=True)
    small.grad, large.grad = gradient[:1], gradient
    optimizer([small, large], lr=0.1, maximize=maximize).step()
    np.testing.assert_array_equal(large.data, np.broadcast_to(small.data, PIECE + 1))


def test_an_option_that_a_group_misspells_is_warned_of():
    with pytest.warns(UserWarning, match="SGD does not look at 'momentun' .* options are lr, momentum,"):
        optim.SGD([{"params": [leaf()], "momentun": 0.9}], lr=0.1)
    optimizer = optim.SGD([{"params": [leaf()], "momentum": 0.9, "name": "slow", "initial_lr": 1.0}], lr=0.1)
    assert optimizer.param_groups[0]["name"] == "slow"


@pytest.mark.parametrize("n", [1, PIECE + 1], ids=["small", "large"])
@pytest.mark.parametrize("dtype", [complex, object])
def test_a_gradient_that_is_not_of_real_numbers_is_refused_and_changes_nothing(n, dtype):
    w, other = Tensor(np.ones(n), requires_grad=True), Tensor([1.0], requires_grad=True)
    other.grad, w.grad = np.array([1.0]), np.ones(n, dtype)
    optimizer = optim.SGD([other, w], lr=0.1)
    with pytest.raises(TypeError, match=f"gradient of {np.dtype(dtype)}"):
        optimizer.step()
    assert other.data == 1.0
    assert (w.data == 1.0).all()


@pytest.mark.parametrize("dtype", [bool, np.int64, np.float32])
def test_a_gradient_of_other_real_numbers_is_taken(dtype):
    w = Tensor([1.0], requires_grad=True)
    w.grad = np.ones(1, dtype)
    optim.SGD([w], lr=0.5).step()
    assert w.data == 0.5


# ---- formulas of one's own that remember


def in_place(state, g):
    v = state["v"]
    v *= 0.9
    v += g
    return v


def assigned(state, g):
    state["v"] = 0.9 * state["v"] + g
    return state["v"]


def asked_for(state, g):
    v = state.get("v")
    state["v"] = g if v is None else 0.9 * v + g
    return state["v"]


def set_at_first(state, g):
    state.update(v=0.9 * state.setdefault("v", np.zeros_like(g)) + g)
    return state["v"]


def from_a_number(state, g):
    state["v"] = 0.9 * state.setdefault("v", 0) + g
    return state["v"]


@pytest.mark.parametrize("remember", [in_place, assigned, asked_for, set_at_first, from_a_number])
@pytest.mark.parametrize("n", [2, PIECE + 3])
def test_a_formula_of_ones_own_remembers_however_it_writes_it(remember, n):
    class Momentum(optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": 0.1})

        def change(self, g, state, group, s):
            return group["lr"] * remember(state, g)

    def run(make):
        x = Tensor(np.linspace(-2, 2, n), requires_grad=True)
        late = Tensor([1.0], requires_grad=True)
        optimizer = make([x, late])
        for step in range(6):
            x.grad, late.grad = np.tanh(x.data), np.ones(1) if step > 1 else None  # others come together
            optimizer.step()
            if step == 2:
                x.data = np.clip(x.data, -1.5, 1.5)
            if step == 3:
                state = optimizer.state_dict()
                optimizer = make([x, late])
                optimizer.load_state_dict(state)
        return x.data

    np.testing.assert_allclose(run(Momentum), run(lambda p: optim.SGD(p, lr=0.1, momentum=0.9)), rtol=1e-12)


def test_a_formula_without_return_is_told():
    class Forgetful(optim.Optimizer):
        def change(self, g, state, group, s):
            np.multiply(g, 0.1, out=s)

    x = Tensor([1.0], requires_grad=True)
    x.grad = np.ones(1)
    with pytest.raises(TypeError, match=r"change\(self, g, state, group, s\) returned None, .* return s"):
        Forgetful([x], {}).step()
    assert x.data == [1.0]
