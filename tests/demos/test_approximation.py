"""One hidden layer can be close to any continuous function, unless its activation is a polynomial."""

import numpy as np
import pytest

from demos import approximation


def test_solved_for_the_error_falls_with_the_width(shown):
    errors = shown.found["solved"]["tanh"]
    assert errors[1] > 0.5
    assert errors[16] < 0.1
    assert errors[256] < 1e-9
    assert shown.found["solved"]["ReLU"][256] < 0.1


@pytest.mark.parametrize("name", ["identity", "square"])
def test_a_polynomial_activation_stays_far_away_at_any_width(name, shown):
    errors = shown.found["solved"][name]
    assert errors[256] == pytest.approx(errors[16], rel=1e-3)
    assert errors[256] > 0.5
    assert shown.found.claims["L16"].verdict == "wrong"


def test_256_squares_are_the_best_parabola(shown):
    x, dense = approximation.X[:, 0], approximation.DENSE[:, 0]
    parabola = np.polynomial.Polynomial.fit(x, approximation.smooth(x), 2)
    best = np.abs(parabola(dense) - approximation.smooth(dense)).max()
    assert shown.found["solved"]["square"][256] == pytest.approx(best, rel=1e-6)


def test_training_finds_less_than_there_is(shown):
    assert shown.found["reached"] > 1e6 * shown.found["possible"]
    assert shown.found.claims["L2"].verdict == "simplified"


def test_a_jump_is_missed_by_half_at_any_width(shown):
    assert min(shown.found["jump"].values()) > 0.5 - 1e-3  # the examined points lie 1e-9 from it, not on it


def test_more_inputs_need_more_neurons(shown):
    errors = list(shown.found["dimension"].values())
    assert errors == sorted(errors)
    assert errors[-1] > 1e6 * errors[0]
    assert shown.text.isascii()
