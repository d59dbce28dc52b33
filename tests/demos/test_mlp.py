"""The moons are parted, the digits are read, the network comes back from its file."""


def test_the_network_parts_the_moons_once_its_boundary_is_no_longer_a_line(shown):
    right = shown.found["moons"]
    assert right[20] < 0.92
    assert right[max(right)] > 0.97


def test_digits_never_seen_are_read(shown):
    assert shown.found["digits"] > 0.97


def test_learned_layers_are_easier_to_read_than_pixels_and_than_layers_as_they_start(shown):
    assert shown.found["trained"][1] > shown.found["trained"][0]
    assert (shown.found["trained"][1:] > shown.found["untrained"][1:]).all()


def test_a_line_of_numpy_is_the_network(shown):
    assert shown.found["by_hand"] < 1e-12  # a few roundings of numbers of order 10


def test_the_network_comes_back_from_its_file(shown):
    assert shown.found["reloaded"]
    assert "mlp.npz" in shown.files


def test_it_judges_its_claims_in_ascii(shown):
    verdicts = {number: claim.verdict for number, claim in shown.found.claims.items()}
    assert verdicts == {"L1": "true", "L4": "simplified", "L15": "true"}
    assert shown.text.isascii()
