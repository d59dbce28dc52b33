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
    assert shown.found["range"][name] == pytest.approx(values, abs=1e-4)
    assert shown.found["slopes"][name] == pytest.approx(slopes, abs=1e-4)


@pytest.mark.parametrize("name", activations.CURVES)
def test_the_lessons_derivatives_are_the_engines(name, shown):
    assert shown.found["formula"][name] < 1e-14  # a few roundings


def test_in_float64_slopes_end_at_exactly_zero(shown):
    assert shown.found["flat"] == pytest.approx({"sigmoid": 36.7, "tanh": 19.0}, abs=0.1)


def test_only_tanh_is_zero_centred(shown):
    assert shown.found["mean"] == pytest.approx({"sigmoid": 0.5, "tanh": 0}, abs=0.01)  # a mean of 100,000


def test_layers_with_nothing_between_are_one_affine_map(shown):
    assert shown.found["collapse"]["nothing between"] < 1e-14
    assert min(shown.found["collapse"][name] for name in ("tanh", "ReLU")) > 0.01


def test_a_dead_relu_stays_dead_and_so_do_gelu_and_swish(shown):
    first, last = shown.found["revived"]["ReLU"]
    assert first == last
    for name in ("GELU", "Swish"):
        assert shown.found["revived"][name][1] == pytest.approx(last, rel=0.03)  # as good as answering 0
    for name in ("leaky ReLU", "sigmoid", "tanh"):
        assert shown.found["revived"][name][1] < last / 50


def test_large_steps_kill(shown):
    dead = {lr: max(counts) for lr, counts in shown.found["dead"].items()}
    assert dead[0.02] == 0
    assert dead[0.7] == 16


def test_the_verdicts(shown):
    verdicts = {number: claim.verdict for number, claim in shown.found.claims.items()}
    assert verdicts.pop("L12") == "simplified"
    assert verdicts == dict.fromkeys(["L8", "L9", "L10", "L11", "L13"], "true")
    assert shown.text.isascii()
