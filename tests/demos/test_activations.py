"""The curves have the ranges that the lesson gives, layers without them collapse, and neurons die."""

import pytest

from demos import activations


@pytest.mark.parametrize(
    ("name", "values", "slopes"),
    [
        ("sigmoid", (0, 1), (0, 0.25)),
        ("tanh", (-1, 1), (0, 1)),
        ("ReLU", (0, 40), (0, 1)),
        ("GELU", (-0.1700, 40), (-0.1289, 1.1289)),
        ("Swish", (-0.2785, 40), (-0.0998, 1.0998)),
    ],
)
def test_values_and_slopes_have_the_known_extremes(name, values, slopes, shown):
    for numbers, ends in ((shown.found["values"][name], values), (shown.found["slopes"][name], slopes)):
        assert (numbers.min(), numbers.max()) == pytest.approx(ends, abs=1e-4)


@pytest.mark.parametrize("name", activations.CURVES)
def test_the_lessons_derivatives_are_the_engines(name, shown):
    assert shown.found["formula"][name] < 1e-14  # a few roundings


def test_in_float64_slopes_end_at_exactly_zero(shown):
    assert shown.found["flat"] == pytest.approx({"sigmoid": 36.7, "tanh": 19.0}, abs=0.1)


def test_only_tanh_is_zero_centred(shown):
    mean = dict(shown.found["mean"])  # of 100,000
    assert mean.pop("tanh") == pytest.approx(0, abs=0.01)
    assert min(mean.values()) > 0.2


def test_layers_with_nothing_between_are_one_affine_map(shown):
    assert shown.found["collapse"]["nothing"] < 1e-14
    assert min(shown.found["collapse"][name] for name in ("tanh", "ReLU")) > 0.01


def test_a_dead_relu_stays_dead_and_so_do_gelu_and_swish(shown):
    dead = shown.found["losses"]["ReLU"]
    assert min(dead) == max(dead)
    for name in ("GELU", "Swish"):
        assert shown.found["losses"][name][-1] == pytest.approx(dead[-1], rel=0.03)  # as good as answering 0
    for name in ("leaky ReLU", "sigmoid", "tanh"):
        assert shown.found["losses"][name][-1] < dead[-1] / 50


def test_large_steps_kill(shown):
    assert max(shown.found["dead"][0.02]) < 3
    assert min(shown.found["dead"][0.7]) == 16


def test_the_verdicts(shown):
    verdicts = {number: claim.verdict for number, claim in shown.found.claims.items()}
    assert verdicts.pop("L12") == "simplified"
    assert verdicts == dict.fromkeys(["L8", "L9", "L10", "L11", "L13"], "true")
    assert shown.text.isascii()
