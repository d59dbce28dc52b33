"""Gradients vanish by gain * rms f'(z) a layer: with sigmoid of gain 1, but not with every gain."""

import math

import numpy as np
import pytest

from demos import vanishing


def test_the_largest_slopes(shown):
    assert shown.found["slope"] == pytest.approx({"sigmoid": 0.25, "tanh": 1, "ReLU": 1, "GELU": 1.129}, abs=1e-3)


@pytest.mark.parametrize("name", vanishing.ACTIVATIONS)
def test_theory_foretells_what_is_left(name, shown):
    """Within a factor of e^4 after 49 factors: theory is a mean, and these are 32 neurons and one seed."""
    left, theory = shown.found["left"][name], shown.found["theory"][name]
    assert np.abs(np.log(left / theory)).max() < 4


def test_sigmoid_vanishes_with_gain_one_and_not_with_sixteen(shown):
    assert shown.found["left"]["sigmoid"][-1] < 0.25 ** (vanishing.DEPTH - 1)
    assert shown.found["kept"]["sigmoid"][1] < 1e-25
    assert shown.found["kept"]["sigmoid"][16] > 1
    assert shown.found.claims["L14"].verdict == "simplified"


def test_slopes_of_one_do_not_help_relu_nor_hurt_tanh(shown):
    assert shown.found["left"]["ReLU"][-1] == pytest.approx(math.sqrt(0.5) ** 49, rel=10)
    assert shown.found["left"]["tanh"][-1] > 0.01
    assert shown.found["kept"]["tanh"][4] > 1e4


def test_viz_flags_the_layers_that_theory_names(shown):
    for name, gain in [("sigmoid", 1), ("sigmoid", 4)]:
        flagged = shown.found["ill"][name, gain]["VANISHING"]
        assert flagged == list(range(1, len(flagged) + 1))
        assert len(flagged) == pytest.approx(shown.found["expected"][name, gain], abs=4)
    assert not any(shown.found["ill"]["tanh", 1].values())
    assert not any(shown.found["ill"]["ReLU", math.sqrt(2)].values())
    assert not any(shown.found["ill"]["ReLU", 1].values())
    assert 1 in shown.found["ill"]["tanh", 4]["EXPLODING"]
    assert shown.text.isascii()
