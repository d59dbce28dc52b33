"""EarlyStopping stops in time and gives the best weights back."""

import math

import numpy as np
import pytest

from autograd import Tensor
from nn.training import EarlyStopping


class Model:
    """One weight."""

    def __init__(self):
        self.weight = np.array([0.0])

    def state_dict(self):
        return {"weight": self.weight.copy()}

    def load_state_dict(self, state):
        self.weight[...] = state["weight"]


def train(losses, **options):
    """The epoch in which it stops, with the epoch as the weight."""
    model = Model()
    stopping = EarlyStopping(model, **options)
    for epoch, loss in enumerate(losses):
        model.weight[...] = epoch
        if stopping.step(loss):
            break
    return epoch, stopping


def test_it_stops_after_patience_epochs_without_gain_and_restores_the_best():
    epoch, stopping = train([5, 4, 3, 3.5, 3, 4, 1], patience=3)
    assert (epoch, stopping.best, stopping.best_epoch) == (5, 3, 2)
    stopping.restore()
    assert stopping.model.weight == 2


def test_a_gain_of_no_more_than_min_delta_does_not_count():
    assert train([5, 4.95, 4.9, 4.85], patience=2, min_delta=0.2)[0] == 2
    assert train([5, 4.95, 4.9, 4.85], patience=2)[1].best_epoch == 3


def test_an_accuracy_is_better_when_higher():
    epoch, stopping = train([0.1, 0.5, 0.4, 0.3], patience=2, mode="max")
    assert (epoch, stopping.best) == (3, 0.5)


def test_nan_is_never_better():
    epoch, stopping = train([1.0, math.nan, math.nan, 0.1], patience=2)
    assert (epoch, stopping.best) == (2, 1.0)


def test_a_loss_may_be_a_tensor():
    assert train([Tensor(1.0, requires_grad=True), Tensor(2.0)], patience=1)[0] == 1


def test_it_goes_on_from_its_state():
    _, stopping = train([5, 4, 4.5], patience=3)
    resumed = EarlyStopping(Model(), patience=3)
    resumed.load_state_dict(stopping.state_dict())
    assert [resumed.step(loss) for loss in (5, 5)] == [stopping.step(loss) for loss in (5, 5)] == [False, True]
    resumed.restore()
    assert resumed.model.weight == 1


@pytest.mark.parametrize(
    "wrong",
    [dict(best="1"), dict(best=None), dict(epoch=[1]), dict(best_epoch=None), dict(weights=3),
     dict(weights={"weight": np.ones(2)}), dict(weights={"bias": np.ones(1)}),
     dict(weights={"weight": np.array(["1"])})],
)  # fmt: skip
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(wrong):
    _, stopping = train([5, 4, 4.5], patience=3)
    before = stopping.state_dict()
    with pytest.raises(ValueError, match=r"not the state of an EarlyStopping|weights have shapes"):
        stopping.load_state_dict(before | wrong)
    assert stopping.state_dict() == before


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: EarlyStopping(7), TypeError, "weights of a model, but got int"),
        (lambda: EarlyStopping(Model(), patience=0), ValueError, "at least 1 epoch"),
        (lambda: EarlyStopping(Model(), mode="up"), ValueError, "'min' or 'max'"),
        (lambda: EarlyStopping(Model()).restore(), RuntimeError, "no weights to restore"),
    ],
)
def test_what_means_nothing_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
