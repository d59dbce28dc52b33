"""Which descent is fastest depends on the clock; momentum swings more slowly; the learning rate can ruin everything."""

from functools import partial

import numpy as np
import pytest

from demos import descent, optimizers


def test_the_single_sample_needs_fewest_epochs_and_the_batch_fewest_updates(shown):
    assert shown.found["first"]["epochs"] == "single sample"
    assert shown.found["first"]["updates"] == "batch"


def test_only_noise_leaves_the_less_deep_valley(shown):
    over = {name: kind["over"] for name, kind in shown.found["batches"].items()}
    assert over["batch"] == 0
    assert over["single sample"] > 0.3


def test_momentum_crosses_the_valley_less_often_and_arrives_sooner(shown):
    plain, polyak, nesterov = shown.found["valley"].values()
    assert polyak["across"] < plain["across"] / 4
    assert max(polyak["steps"], nesterov["steps"]) < plain["steps"]


def test_but_at_equal_rates_its_swing_is_wider_without_nesterov(shown):
    plain, polyak, nesterov = shown.found["valley"].values()
    assert nesterov["swing"] < plain["swing"] < polyak["swing"]


def test_the_way_down_is_the_formulas():
    w, v = np.array([-1.0, 0.3]), 0
    for _ in range(5):
        v = 0.9 * v + w * [1.0, 50.0]
        w = w - 0.0038 * v
    method = partial(optimizers.MOMENTUM, lr=0.0038)
    way = descent.roll(lambda w: np.sum(w * w * [0.5, 25.0]), [-1.0, 0.3], method, steps=5)
    assert way[-1] == pytest.approx(w, rel=1e-12)


@pytest.mark.parametrize("name", optimizers.METHODS)
def test_every_tuned_optimizer_learns(name, shown):
    assert shown.found["methods"][name]["right"] > 0.85


def test_no_other_knob_makes_the_difference_that_the_learning_rate_makes(shown):
    spread = shown.found["spread"]
    assert max(spread, key=spread.get) == "learning rate"
    assert shown.found["middle"] < spread["learning rate"]


def test_it_judges_its_claims_in_ascii(shown):
    verdicts = {number: claim.verdict for number, claim in shown.found.claims.items()}
    assert verdicts == dict.fromkeys(["L19", "L20", "L27", "L26"], "simplified")
    assert shown.text.isascii()
