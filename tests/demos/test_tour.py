"""The tour's answers are real, and are the ones it promises."""

import pytest


def test_only_what_should_be_refused_is(shown):
    refused = {line: answer for line, answer in shown.found["answers"].items() if "Error" in answer}
    assert list(refused) == ["x[0] = 5.0"]
    assert refused["x[0] = 5.0"].startswith("RuntimeError")
    assert "np.where" in refused["x[0] = 5.0"]


def test_what_is_compared_agrees(shown):
    answers = shown.found["answers"]
    assert [answer for answer in answers.values() if answer in ("True\n", "False\n")] == ["True\n"] * 2
    assert answers["first.item(), second.item(), third.item()"] == "(27.0, 18.0, 6.0)\n"
    assert (
        answers["A.grad"]
        == answers["np.linalg.inv(A.data).T"]
        == "array([[ 0.5  ,  0.   ],\n       [-0.125,  0.25 ]])\n"
    )


def test_the_answers_stand_under_their_questions(shown):
    assert ">>> b.grad\n   array([ 3., 15.])\n" in shown.text
    assert "   multiply: 1 arrived, 3 sent to a, in all 7\n" in shown.text
    assert shown.text.isascii()


def test_the_loop_finds_the_line(shown):
    assert shown.found["w"] == pytest.approx(2, abs=0.01)  # 100 points with noise of 0.01
    assert shown.found["c"] == pytest.approx(1, abs=0.01)
