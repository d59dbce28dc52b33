"""The moons are parted, the digits are read, the network comes back from its file."""

from pathlib import Path

import numpy as np

from demos import mlp


def test_the_digits_are_the_1797_of_uci_and_small():
    parts = mlp.digits(np.random.default_rng(0))
    x, y = (np.concatenate(arrays) for arrays in zip(*parts))
    assert [len(y) for _, y in parts] == [1150, 288, 359]
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (x.min(), x.max(), (x * 16).sum()) == (0, 1, 561718)
    folder = Path(mlp.__file__).parent / "data"
    assert (folder / "digits.npz").stat().st_size < 60_000
    assert "CC BY 4.0" in (folder / "README.md").read_text(encoding="utf-8")


def test_no_digit_is_both_learned_and_examined():
    parts = [{digit.tobytes() for digit in x} for x, _ in mlp.digits(np.random.default_rng(0))]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 1797


def test_the_network_parts_the_moons_and_a_line_does_not(shown):
    assert shown.found["moons"] > 0.97
    assert shown.found["line"] < 0.92


def test_digits_never_seen_are_read(shown):
    assert shown.found["digits"] > 0.97


def test_learned_layers_are_easier_to_read_than_pixels_and_than_layers_as_they_start(shown):
    assert shown.found["trained"][1] > shown.found["trained"][0]
    assert (shown.found["trained"][1:] > shown.found["untrained"][1:]).all()


def test_three_lines_of_numpy_are_the_network(shown):
    assert shown.found["by_hand"] < 1e-12  # a few roundings of numbers of order 10


def test_the_network_comes_back_from_its_file(shown):
    assert shown.found["reloaded"]
    assert "mlp.npz" in shown.files


def test_it_judges_its_claims_in_ascii(shown):
    verdicts = {number: claim.verdict for number, claim in shown.found.claims.items()}
    assert verdicts == {"L1": "true", "L4": "simplified", "L15": "true"}
    assert shown.text.isascii()
