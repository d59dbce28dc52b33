"""The ledger has every claim once, with a verdict and a figure, and says where to see it."""

import re

from demos import claims, readme
from demos.common import VERDICTS

NUMBERS = [f"L{i}" for i in range(1, 31)]


def cells(row):
    """The cells of a row of a table in Markdown."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def test_every_claim_of_the_lesson_is_judged_in_order(shown):
    assert list(shown.found.claims) == NUMBERS
    assert {claim.verdict for claim in shown.found.claims.values()} == set(VERDICTS)


def test_every_judgement_but_the_outlook_names_a_figure(shown):
    for number, claim in shown.found.claims.items():
        assert number == "L30" or re.search(r"\d", claim.measured), number


def test_every_row_is_short_enough_to_read(shown):
    """About two lines of a README; the demo says more."""
    long = {number: len(cells(row)[3]) for number, row in zip(NUMBERS, shown.found["markdown"].splitlines()[2:])}
    assert {number: length for number, length in long.items() if length > 225} == {}


def test_every_claim_names_the_demo_that_shows_it(shown):
    assert set(shown.found["demos"].values()) == {*claims.DEMOS, "claims"}
    assert all(f"[{name}]" in shown.found.claims[number].measured for number, name in shown.found["demos"].items())


def test_the_readme_has_the_table_of_now_but_for_what_was_measured(shown):
    measured = r"(?<![A-Za-z\d])[-+]?\d[\d.,]*(e[-+]\d+)?|by seconds the [\w -]+"  # numbers, and who was quickest
    words = lambda table: re.sub(measured, "...", table).splitlines()
    assert words(readme.read("ledger")) == words(shown.found["markdown"])


def test_the_table_for_the_readme_has_a_row_for_each_claim(shown):
    head, rule, *rows = shown.found["markdown"].splitlines()
    assert [cells(row)[0] for row in rows] == NUMBERS
    assert {len(cells(row)) for row in (head, rule, *rows)} == {5}
    assert shown.found["markdown"].isascii()


def test_it_prints_ascii_and_the_demos_as_they_finish(shown):
    assert shown.text.isascii()
    assert all(re.search(rf"^   {name}: L", shown.text, re.MULTILINE) for name in claims.DEMOS)
