"""One neuron separates AND and OR, never XOR, unless its activation falls before it rises."""

import pytest

from demos import perceptron


def test_rosenblatts_rule_separates_and_and_or_and_never_xor(shown):
    assert {name: lesson.separable for name, lesson in shown.found["lessons"].items()} == {
        "AND": True,
        "OR": True,
        "XOR": False,
    }
    assert "goes round for ever" in shown.text
    assert shown.text.isascii()


def test_the_boundary_is_a_hyperplane(shown):
    assert set(shown.found["distance"]) == {2, 3, 10}
    assert max(shown.found["distance"].values()) < 1e-12  # bisection ends at neighbouring float64 numbers
    assert shown.found.claims["L6"].verdict == "true"


def test_the_formula_is_the_neuron(shown):
    assert shown.found["formula"] < 1e-14  # a few roundings
    assert shown.found.claims["L5"].verdict == "true"


@pytest.mark.parametrize("name", perceptron.MONOTONE)
def test_a_monotone_neuron_gets_three_of_four(name, shown):
    assert shown.found["best"][name] == {"AND": 4, "OR": 4, "XOR": 3}


@pytest.mark.parametrize("name", perceptron.CURVED)
def test_a_neuron_that_falls_and_rises_gets_four(name, shown):
    assert shown.found["best"][name]["XOR"] == 4
    assert shown.found.claims["L7"].verdict == "simplified"


def test_the_swish_neuron_that_is_shown_answers_xor(shown):
    assert list(shown.found["swish"] < -0.15) == list(perceptron.TASKS["XOR"])
