"""The digits are the well-known ones, none is learned and examined both; the moons are half circles."""

import numpy as np
import pytest

import nn
from autograd import Tensor
from demos import datasets


def test_the_digits_are_the_1797_of_uci_and_small():
    parts = datasets.digits(np.random.default_rng(0))
    x, y = (np.concatenate(arrays) for arrays in zip(*parts))
    assert [len(y) for _, y in parts] == [1150, 288, 359]
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (x.min(), x.max(), (x * 16).sum()) == (0, 1, 561718)
    assert datasets.DIGITS.stat().st_size < 60_000
    assert "CC BY 4.0" in datasets.DIGITS.with_name("README.md").read_text(encoding="utf-8")


def test_no_digit_is_both_learned_and_examined():
    parts = [{digit.tobytes() for digit in x} for x, _ in datasets.digits(np.random.default_rng(0))]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 1797


def test_moons_without_noise_are_half_circles():
    x, y = datasets.moons(100, 0.0, np.random.default_rng(0))
    upper, lower = x[y[:, 0] == 0], x[y[:, 0] == 1]
    assert len(upper) == len(lower) == 50
    assert np.linalg.norm(upper, axis=1) == pytest.approx(1)
    assert np.linalg.norm(lower - [1, 0.5], axis=1) == pytest.approx(1)
    assert upper[:, 1].min() >= 0
    assert lower[:, 1].max() <= 0.5


def test_answers_are_the_largest_of_several_outputs_or_the_sign_of_one():
    assert datasets.answers(nn.Identity(), Tensor([[0.1, 0.9], [0.8, 0.3]])).tolist() == [1, 0]
    assert datasets.answers(nn.Identity(), Tensor([[-0.1], [2.0]])).tolist() == [0, 1]
