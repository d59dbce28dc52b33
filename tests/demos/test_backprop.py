"""The lesson's equations are the engine's, and what they cost is counted."""


def test_the_equations_by_hand_are_the_engines_for_one_sample_and_for_a_batch(shown):
    assert set(shown.found["difference"]) == {1, 32}
    assert max(map(max, shown.found["difference"].values())) < 1e-14  # a few roundings of numbers of order 1


def test_the_multiply_adds_are_those_of_the_formula(shown):
    counts = shown.found["multiply_adds"]
    assert counts["784-512-256-10"] == (784 * 512 + 512 * 256 + 256 * 10, 784 * 512 + 2 * (512 * 256 + 256 * 10))
    assert counts["10-64-32-1"] == (10 * 64 + 64 * 32 + 32, 10 * 64 + 2 * (64 * 32 + 32))
    assert counts["8 layers of 256"] == (8 * 256**2, 15 * 256**2)


def test_the_time_was_taken_of_every_network(shown):
    assert set(shown.found["ratios"]) == set(shown.found["multiply_adds"])
    assert all(counted > 1 and timed > 0 for counted, timed in shown.found["ratios"].values())


def test_every_chain_was_timed_and_takes_a_step_back_for_each_operation(shown):
    assert shown.found["steps"] == [1000, 3000, 10_000]
    assert len(shown.found["chain"]) == 3
    assert (shown.found["chain"] > 0).all()


def test_it_judges_its_claims_in_ascii(shown):
    verdicts = {number: claim.verdict for number, claim in shown.found.claims.items()}
    assert verdicts == {"L17": "true", "L18": "simplified", "L3": "true", "L25": "true"}
    assert shown.text.isascii()
