"""The tour's answers are real, and are the ones it promises."""

import numpy as np
import pytest

from demos import tour


def test_only_what_should_be_refused_is(shown):
    errors = [answer for answer in shown.found["answers"] if isinstance(answer, Exception)]
    assert [type(error) for error in errors] == [RuntimeError]
    assert "np.where" in str(errors[0])


def test_what_is_compared_agrees(shown):
    answers = shown.found["answers"]
    assert [answer for answer in answers if isinstance(answer, bool)] == [True, True]
    assert (27, 18, 6) in [answer for answer in answers if isinstance(answer, tuple)]
    gradient, inverse = [a for a in answers if isinstance(a, np.ndarray) and a.shape == (2, 2)]
    assert np.allclose(gradient, inverse)


def test_the_answers_stand_under_their_questions(shown):
    assert ">>> b.grad\n   array([ 3., 15.])\n" in shown.text
    assert "   multiply: 1 arrived, 3 sent to a, in all 7\n" in shown.text
    assert shown.text.isascii()


def test_the_loop_finds_the_line(shown):
    assert shown.found["w"] == pytest.approx(2, abs=0.01)  # 100 points with noise of 0.01
    assert shown.found["c"] == pytest.approx(1, abs=0.01)


def test_one_backward_pass_gives_all_derivatives(shown):
    assert shown.found.claims["L3"].verdict == "true"
    assert shown.found["difference"] < 1e-6  # what central differences with h = 1e-6 can promise
    assert shown.found["steps"] == tour.price(10)[0]
