"""Every scheduler gives PyTorch's learning rates, alone, chained and in sequence; and stops and goes on exactly."""

import functools
import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from autograd import Tensor
from nn import optim
from nn.optim import lr_scheduler
from tests.test_state import interrupted

RECORDED = json.loads(Path(__file__).with_name("recorded_optim.json").read_text())["schedulers"]
SCHEDULERS = {name: getattr(lr_scheduler, name) for name in lr_scheduler.__all__ if name != "LRScheduler"}
STEPS = 40

# for each scheduler: what it is called with; a scheduler among the arguments is (name, arguments)
CASES = {
    "StepLR": [dict(step_size=3), dict(step_size=4, gamma=0.5), dict(step_size=4, gamma=0)],
    "MultiStepLR": [dict(milestones=[7, 3, 3, 20]), dict(milestones=[0, 5], gamma=0.5)],
    "ExponentialLR": [dict(gamma=0.9), dict(gamma=0)],
    "CosineAnnealingLR": [dict(T_max=7), dict(T_max=1), dict(T_max=10, eta_min=0.01)],
    "LinearLR": [dict(), dict(start_factor=0.5, end_factor=0.0, total_iters=6)],
    "LambdaLR": [dict(lr_lambda=lambda t: 0.9**t), dict(lr_lambda=[lambda t: 1 / (1 + t), lambda t: t / 7])],
    "OneCycleLR": [
        dict(max_lr=1.0, total_steps=STEPS),
        dict(max_lr=[1.0, 0.3], epochs=5, steps_per_epoch=10, three_phase=True, anneal_strategy="linear"),
        dict(max_lr=1.0, total_steps=STEPS, cycle_momentum=False, pct_start=0.5, div_factor=5.0, final_div_factor=10.0),
        dict(max_lr=1.0, total_steps=STEPS, base_momentum=[0.5, 0.6], max_momentum=0.9, three_phase=True),
    ],
    "ReduceLROnPlateau": [
        dict(patience=2),
        dict(mode="max", factor=0.5, patience=1, threshold=0.1, threshold_mode="abs", cooldown=3),
        dict(threshold=0.3, patience=0, min_lr=[0.01, 0.001], eps=0.002),
        dict(threshold=0.1, threshold_mode="abs", patience=3),
        dict(mode="max", patience=2),
    ],
    "SequentialLR": [
        dict(schedulers=[("LinearLR", dict(start_factor=0.1)), ("CosineAnnealingLR", dict(T_max=10)),
                         ("ExponentialLR", dict(gamma=0.5)), ("LambdaLR", dict(lr_lambda=lambda t: 2.0 + t)),
                         ("StepLR", dict(step_size=3)), ("MultiStepLR", dict(milestones=[0, 2]))],
             milestones=[5, 15, 20, 21, 30]),
        dict(schedulers=[("MultiStepLR", dict(milestones=[2, 3])), ("OneCycleLR", dict(max_lr=1.0, total_steps=STEPS))],
             milestones=[5]),
    ],
}  # fmt: skip
CHAINED = [
    [("ExponentialLR", dict(gamma=0.9)), ("MultiStepLR", dict(milestones=[3, 8]))],
    [("LinearLR", dict(start_factor=0.2)), ("CosineAnnealingLR", dict(T_max=6)), ("StepLR", dict(step_size=5))],
]
ALL = {f"{name} {i}": [(name, given)] for name, cases in CASES.items() for i, given in enumerate(cases)}
ALL |= {f"chained {i}": chain for i, chain in enumerate(CHAINED)}
ALL_WITH_ADAM = {"OneCycleLR with Adam": [("OneCycleLR", dict(max_lr=1.0, total_steps=STEPS))]}


def optimizer(module, tensor, kind="SGD"):
    """With two groups of different rates, and gradients that its parameters keep."""
    groups = [{"params": [tensor()], "lr": 0.5}, {"params": [tensor()]}]
    return module.SGD(groups, lr=0.1, momentum=0.9) if kind == "SGD" else module.Adam(groups, lr=0.1)


def ours(kind="SGD"):
    return optimizer(optim, lambda: Tensor(1.0, requires_grad=True), kind)


def theirs(kind="SGD"):
    import torch

    return optimizer(torch.optim, lambda: torch.tensor(1.0, requires_grad=True), kind)


def build(module, opt, name, given):
    """A scheduler, and first those that it is made of."""
    if "schedulers" in given:
        given = given | {"schedulers": [build(module, opt, *inner) for inner in given["schedulers"]]}
    return getattr(module, name)(opt, **given)


def metric(t):
    """A loss that falls, rests and rises."""
    return np.exp(-t / 5) + 0.2 * np.sin(t)


def run(opt, schedulers, steps, start=0):
    """The rate of each group and the first group's momentum, in each epoch."""
    rows = []
    for t in range(start, start + steps):
        first, second = opt.param_groups
        rows.append([first["lr"], second["lr"], first["momentum"] if "momentum" in first else first["betas"][0]])
        opt.step()
        for scheduler in schedulers:
            scheduler.step(*([metric(t)] if type(scheduler).__name__ == "ReduceLROnPlateau" else []))
    return np.array(rows)


def sequence(module, opt, chain, steps=STEPS):
    return run(opt, [build(module, opt, *each) for each in chain], steps)


def record():
    """What PyTorch gives for each case. Written down by record_optim.py."""
    from torch.optim import lr_scheduler as torchs

    rows = {case: sequence(torchs, theirs(), chain) for case, chain in ALL.items()}
    rows |= {case: sequence(torchs, theirs("Adam"), chain) for case, chain in ALL_WITH_ADAM.items()}
    return {case: (values if np.ptp(values[:, 2]) else values[:, :2]).tolist() for case, values in rows.items()}


@pytest.mark.parametrize("case", [*ALL, *ALL_WITH_ADAM])
def test_the_rates_are_those_recorded_from_pytorch(case):
    opt, chain = (ours(), ALL[case]) if case in ALL else (ours("Adam"), ALL_WITH_ADAM[case])
    expected = np.array(RECORDED[case])
    # 1e-12: some of the formulas are rearranged, and the chained ones round anew at each epoch
    rates = sequence(lr_scheduler, opt, chain)[:, : expected.shape[1]]
    np.testing.assert_allclose(rates, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("case", ALL)
def test_the_rates_are_pytorchs(case):
    torchs = pytest.importorskip("torch").optim.lr_scheduler
    expected = sequence(torchs, theirs(), ALL[case])
    np.testing.assert_allclose(sequence(lr_scheduler, ours(), ALL[case]), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_option_is_compared_with_pytorch(name):
    pytest.importorskip("torch")
    options = inspect.signature(SCHEDULERS[name]).parameters.keys() - {"optimizer", "last_epoch"}
    assert options == set().union(*CASES[name]), "a scheduler, or an option of one, is compared with nothing"


@pytest.mark.parametrize("name", SCHEDULERS)
def test_names_order_and_defaults_of_the_options_are_pytorchs(name):
    torchs = pytest.importorskip("torch").optim.lr_scheduler
    here, there = (inspect.signature(getattr(module, name)).parameters for module in (lr_scheduler, torchs))
    assert [(k, p.default) for k, p in here.items()] == [(k, p.default) for k, p in there.items()]


@pytest.mark.parametrize("case", [case for case in ALL if ALL[case][0][0] not in ("SequentialLR", "ReduceLROnPlateau")])
@pytest.mark.parametrize("epochs", [6, 7])
def test_going_on_with_last_epoch_gives_pytorchs_rates(case, epochs):
    torchs = pytest.importorskip("torch").optim.lr_scheduler
    rows = []
    for module, opt in ((lr_scheduler, ours()), (torchs, theirs())):
        sequence(module, opt, ALL[case], epochs)
        resumed = [build(module, opt, name, given | {"last_epoch": epochs - 1}) for name, given in ALL[case]]
        rows.append(run(opt, resumed, 20, start=epochs))
    np.testing.assert_allclose(*rows, rtol=0, atol=1e-12)


@pytest.mark.parametrize("epochs", [3, 17])
@pytest.mark.parametrize("case", ALL)
def test_state_dicts_resume_bit_for_bit_even_through_json(case, epochs):
    opt = ours()
    schedulers = [build(lr_scheduler, opt, *each) for each in ALL[case]]
    run(opt, schedulers, epochs)
    saved = json.loads(json.dumps([scheduler.state_dict() for scheduler in schedulers]))
    saved_optimizer = opt.state_dict()
    rest = run(opt, schedulers, 20, start=epochs)

    opt = ours()
    schedulers = [build(lr_scheduler, opt, *each) for each in ALL[case]]
    opt.load_state_dict(saved_optimizer)
    for scheduler, state in zip(schedulers, saved):
        scheduler.load_state_dict(state)
    assert np.array_equal(run(opt, schedulers, 20, start=epochs), rest)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_the_last_rates_are_those_of_the_groups(name):
    opt = ours()
    scheduler = build(lr_scheduler, opt, name, CASES[name][0])
    for t in range(20):
        assert scheduler.get_last_lr() == [group["lr"] for group in opt.param_groups]
        run(opt, [scheduler], 1, start=t)


def test_stepping_before_the_optimizer_is_warned_about():
    scheduler = lr_scheduler.StepLR(ours(), 3)
    with pytest.warns(UserWarning, match=r"before the first optimizer\.step"):
        scheduler.step()


def test_a_scheduler_of_ones_own_is_a_formula():
    class Halving(lr_scheduler.LRScheduler):
        def multiple(self, t):
            return 0.5**t

    class FromTheRates(lr_scheduler.LRScheduler):
        def get_lr(self):
            return [base / (1 + self.last_epoch) for base in self.base_lrs]

    for own, expected in ((Halving, 0.125), (FromTheRates, 0.125)):
        opt = ours()
        run(opt, [own(opt)], 2 if own is Halving else 3)
        assert opt.param_groups[0]["lr"] == expected


def test_a_plateau_may_be_measured_by_a_tensor():
    opt = ours()
    scheduler = lr_scheduler.ReduceLROnPlateau(opt, patience=0)
    for _ in range(2):
        scheduler.step(Tensor(1.0, requires_grad=True))
    assert opt.param_groups[0]["lr"] == pytest.approx(0.05)


def late_group():
    opt = ours()
    scheduler = lr_scheduler.LambdaLR(opt, lambda t: 1.0)
    opt.add_param_group({"params": [Tensor(1.0, requires_grad=True)]})
    opt.step()
    scheduler.step()


def another_sequence():
    opt = ours()
    saved = lr_scheduler.SequentialLR(opt, [lr_scheduler.StepLR(opt, 1), lr_scheduler.StepLR(opt, 2)], [3])
    lr_scheduler.SequentialLR(opt, [lr_scheduler.StepLR(opt, 1)], []).load_state_dict(saved.state_dict())


def one_step_too_many():
    opt = ours()
    run(opt, [lr_scheduler.OneCycleLR(opt, 1.0, total_steps=3)], 4)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: lr_scheduler.StepLR(None, 3), TypeError, r"StepLR\(\) takes an Optimizer, but got NoneType"),
        (lambda: lr_scheduler.StepLR(ours(), 0), ValueError, r"step_size=\) is a number at least 1"),
        (lambda: lr_scheduler.StepLR(ours(), 3, last_epoch=5), KeyError, "has no 'initial_lr'"),
        (lambda: lr_scheduler.LinearLR(ours(), start_factor=0), ValueError, "above 0"),
        (lambda: lr_scheduler.LinearLR(ours(), end_factor=2), ValueError, "between 0 and 1"),
        (lambda: lr_scheduler.LambdaLR(ours(), [abs]), ValueError, "1 entries for 2 parameter groups"),
        (lambda: lr_scheduler.OneCycleLR(ours(), 1.0), ValueError, "total_steps, or epochs and steps_per_epoch"),
        (lambda: lr_scheduler.OneCycleLR(ours(), 1.0, 9, pct_start=2), ValueError, "between 0 and 1"),
        (lambda: lr_scheduler.OneCycleLR(ours(), 1.0, 9, anneal_strategy="x"), ValueError, "'cos' or 'linear'"),
        (lambda: lr_scheduler.OneCycleLR(optim.Adagrad([Tensor(1.0)]), 1.0, 9), ValueError, "no momentum to cycle"),
        (one_step_too_many, ValueError, "made for 3 steps, and this is step 4"),
        (lambda: lr_scheduler.ReduceLROnPlateau(ours(), factor=1.0), ValueError, r"factor=\) is a number .* below 1"),
        (lambda: lr_scheduler.ReduceLROnPlateau(ours(), mode="up"), ValueError, "'min' or 'max'"),
        (lambda: lr_scheduler.ReduceLROnPlateau(ours(), threshold_mode="x"), ValueError, "'rel' or 'abs'"),
        (lambda: lr_scheduler.SequentialLR(ours(), [], [3]), ValueError, "0 schedulers and 1 milestones"),
        (lambda: lr_scheduler.SequentialLR(ours(), [lr_scheduler.ReduceLROnPlateau(ours())], []), TypeError, "metric"),
        (lambda: lr_scheduler.SequentialLR(ours(), [lr_scheduler.StepLR(ours(), 1)], []), ValueError, "another optim"),
        (late_group, ValueError, r"schedules 2 parameter groups, but the optimizer now has 3"),
        (lambda: lr_scheduler.StepLR(ours(), 1).load_state_dict({"gamma": 1}), ValueError, "it lacks .*last_epoch"),
        (another_sequence, ValueError, "saved SequentialLR has 2 schedulers, but this one 1"),
        (lambda: lr_scheduler.LRScheduler(ours()), TypeError, "has no formula"),
    ],
)
def test_what_means_nothing_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_what_a_scheduler_of_your_own_knows_only_later_is_loaded():
    class Own(lr_scheduler.StepLR):
        best = None

    saved, loaded = Own(ours(), 1), Own(ours(), 1)
    saved.best, loaded.best = 0.5, None
    loaded.load_state_dict(saved.state_dict())
    assert loaded.best == 0.5


def test_a_state_of_other_kinds_is_refused_and_changes_nothing():
    opt = ours()
    scheduler = lr_scheduler.SequentialLR(opt, [lr_scheduler.StepLR(opt, 1), lr_scheduler.ExponentialLR(opt, 0.9)], [3])
    before = scheduler.state_dict()
    for wrong in ("three", None, [1.0], {}):
        for change in (
            dict(last_epoch=wrong),
            dict(milestones=[wrong]),
            dict(base_lrs=wrong if wrong != [1.0] else 1.0),
        ):
            with pytest.raises(ValueError, match=f"not the state of SequentialLR: {next(iter(change))} is "):
                scheduler.load_state_dict(before | change)
        inner = [before["schedulers"][0], before["schedulers"][1] | dict(gamma=wrong)]
        with pytest.raises(ValueError, match=r"not the state of ExponentialLR: gamma is .*, but here 0\.9"):
            scheduler.load_state_dict(before | dict(last_epoch=2, schedulers=inner))
    assert scheduler.state_dict() == before


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda o: lr_scheduler.MultiStepLR(o, 30), r"milestones=\) is a list of epochs, .* but got 30"),
        (lambda o: lr_scheduler.LambdaLR(o, 0.9), r"lr_lambda=\) is a function of the epoch, .* but got 0\.9"),
    ],
)
def test_what_is_no_list_or_no_function_is_refused(make, problem):
    with pytest.raises(TypeError, match=problem):
        make(optim.SGD([Tensor([1.0], requires_grad=True)]))


# ---- failures and interrupts on the way ------------------------------------------------------------------------------


def everything(opt, schedulers):
    return [scheduler.state_dict() for scheduler in schedulers], opt.state_dict()["param_groups"]


@pytest.mark.parametrize("case", ALL)
def test_a_step_that_is_interrupted_at_any_line_has_not_been_made(case):
    (name, given), opt = ALL[case][0], ours()
    scheduler = build(lr_scheduler, opt, name, given)
    opt.stepped = True
    step = functools.partial(scheduler.step, *[1.0] * (name == "ReduceLROnPlateau"))
    for _ in range(6):
        before, at = everything(opt, [scheduler]), 1
        while interrupted(step, at, "nn/optim/lr_scheduler.py"):
            assert everything(opt, [scheduler]) == before
            at += 1
        assert at > 5
        assert everything(opt, [scheduler]) != before


def test_a_function_that_raises_can_be_stepped_again_for_the_same_epoch():
    opt, fail = ours(), [True]

    def factor(t):
        if t == 2 and fail:
            raise ZeroDivisionError
        return 0.5**t

    scheduler = lr_scheduler.LambdaLR(opt, factor)
    opt.step()
    scheduler.step()
    with pytest.raises(ZeroDivisionError):
        scheduler.step()
    assert scheduler.last_epoch == 1
    fail.clear()
    scheduler.step()
    assert (scheduler.last_epoch, opt.param_groups[0]["lr"]) == (2, 0.125)


def test_a_state_with_a_word_in_place_of_a_number_is_refused():
    scheduler = lr_scheduler.OneCycleLR(ours(), 1.0, 10)
    state = scheduler.state_dict()
    state["phases"] = [["start", *state["phases"][0][1:]], *state["phases"][1:]]
    with pytest.raises(ValueError, match="not the state of OneCycleLR: phases is "):
        scheduler.load_state_dict(state)


def test_a_rate_of_ones_own_may_start_at_zero():
    class Warmup(lr_scheduler.LRScheduler):
        def multiple(self, t):
            return min(1.0, t / 4)

    opt = ours()
    opt.stepped, scheduler, rates = True, Warmup(opt), []
    for _ in range(6):
        rates.append(scheduler.get_last_lr()[0])
        scheduler.step()
    np.testing.assert_allclose(rates, opt.param_groups[0]["initial_lr"] * np.array([0, 0.25, 0.5, 0.75, 1, 1]))


def test_an_optimizer_with_a_step_of_its_own_is_not_said_to_be_late(recwarn):
    class Descent(optim.Optimizer):
        def step(self):
            for group in self.param_groups:
                for p in group["params"]:
                    p.data -= group["lr"] * p.grad

    w = Tensor([1.0], requires_grad=True)
    opt = Descent([w], {"lr": 0.1})
    scheduler = lr_scheduler.StepLR(opt, 2)
    w.grad = np.ones(1)
    opt.step()
    scheduler.step()
    assert not recwarn.list
