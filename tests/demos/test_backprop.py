"""The lesson's equations are the engine's, and what they cost is counted."""


def test_the_equations_by_hand_are_the_engines_for_one_sample_and_for_a_batch(shown):
    assert set(shown.found["difference"]) == {1, 32}
    assert max(map(max, shown.found["difference"].values())) < 1e-14  # a few roundings of numbers of order 1


def test_the_multiply_adds_are_those_of_the_formula(shown):
    counts = shown.found["multiply_adds"]
    assert counts["784-512-256-10"] == (784 * 512 + 512 * 256 + 256 * 10, 784 * 512 + 2 * (512 * 256 + 256 * 10))
    assert counts["10-64-32-1"] == (10 * 64 + 64 * 32 + 32, 10 * 64 + 2 * (64 * 32 + 32))
    assert counts["8 layers of 256"] == (8 * 256**2, 15 * 256**2)


def test_finite_differences_agree_within_their_own_error(shown):
    assert shown.found["parameters"] == 10 * 64 + 64 + 64 * 32 + 32 + 32 + 1
    assert shown.found["error"] < 1e-6  # h = 1e-6, and a network that is linear between ReLU's kinks


def test_every_chain_was_timed(shown):
    assert list(shown.found["chain"]) == [1000, 3000, 10_000, 30_000]
    assert all(time > 0 for time in shown.found["chain"].values())


def test_it_judges_its_claims_in_ascii(shown):
    verdicts = {number: claim.verdict for number, claim in shown.found.claims.items()}
    assert verdicts == {"L17": "true", "L18": "simplified", "L3": "true", "L25": "true"}
    assert shown.text.isascii()
