"""A network that is left alone learns wrong labels by heart; each way of regularizing it reads more held-out digits."""

import pytest

from demos import regularization


def test_left_alone_it_learns_more_wrong_labels_than_in_any_other_way(shown):
    known = {name: right["known"] for name, right in shown.found["wrong"].items()}
    assert max(known, key=known.get) == "nothing"


@pytest.mark.parametrize("way", [name for name in regularization.WAYS if name != "nothing"])
def test_it_reads_more_held_out_digits(way, shown):
    wrong = shown.found["wrong"]
    assert wrong[way]["held_out"] > wrong["nothing"]["held_out"]


def test_early_stopping_stops_early_and_keeps_the_best():
    losses, *_ = regularization.train(0, 300, 0.2, 60, patience=3)
    assert len(losses) < 60
    assert losses[:, 1].argmin() == len(losses) - 1 - 3


def test_it_judges_its_claim_in_ascii(shown):
    assert shown.found.claims["L28"].verdict == "true"
    assert shown.text.isascii()
