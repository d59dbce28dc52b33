"""The lesson's product foretells the variance behind linear layers, and not behind others."""

import math

import numpy as np
import pytest

import nn
from demos.initialization import HE, PYTORCH, RULES, SLIP, TOO_LARGE, TOO_SMALL, XAVIER


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_gives_the_variance_it_promises(rule):
    nn.manual_seed(0)
    fill, variance = RULES[rule]
    weight = fill(nn.Linear(300, 100).weight)
    # of 30,000 weights: the standard error is 0.008
    assert np.var(weight.data) == pytest.approx(variance(n_in=300, n_out=100), rel=0.05)


@pytest.mark.parametrize("rule", RULES)
def test_linear_layers_keep_to_the_product(rule, shown):
    """Within a factor of 30 where it spans 120 powers of ten: narrow layers, and one seed."""
    assert abs(math.log10(shown.found["measured"][rule, "linear"][-1] / shown.found["foretold"][rule][-1])) < 1.5


def test_nonlinear_layers_do_not(shown):
    last = {case: variances[-1] for case, variances in shown.found["measured"].items()}
    assert 1e-2 < last[HE, "ReLU"] < 1e2 < shown.found["foretold"][HE][-1] / 1e12
    assert 1e-3 < last[XAVIER, "tanh"] < 0.1
    assert last[TOO_LARGE, "tanh"] < 1
    assert last[XAVIER, "ReLU"] < 1e-9
    assert max(last[TOO_SMALL, "tanh"], last[PYTORCH, "ReLU"], last[SLIP, "tanh"]) < 1e-20
    assert shown.found.claims["L21"].verdict == "simplified"


def test_relu_halves_the_mean_square_and_not_the_variance(shown):
    assert shown.found["mean square"] == pytest.approx(1 / 2, abs=0.01)
    assert shown.found["variance of relu"] == pytest.approx(1 / 2 - 1 / (2 * math.pi), abs=0.01)
    assert shown.found.claims["L23"].verdict == "simplified"


def test_xavier_does_not_rescue_a_deep_sigmoid_network(shown):
    difference, gradient = shown.found["ends"][XAVIER, "sigmoid"]
    assert max(difference, gradient) < 1e-20
    difference, gradient = shown.found["ends"][XAVIER, "tanh"]
    assert min(difference, gradient) > 1e-4
    assert shown.found.claims["L22"].verdict == "simplified"
    assert shown.text.isascii()


def test_every_network_has_fifty_layers(shown):
    assert {len(variances) for variances in shown.found["measured"].values()} == {51}  # one of them before the first


def test_the_gradient_behind_linear_layers_keeps_to_the_product_too(shown):
    _, gradient = shown.found["ends"][XAVIER, "linear"]
    assert 0.1 < gradient < 10
