"""A part of the README is replaced and nothing else; where a part begins and ends must be said once."""

import pytest

from demos import readme

TEXT = "Title\n\n<!-- ledger: made by `python -m demos.claims --readme` -->\nold\n<!-- end of ledger -->\n\nEnd.\n"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_part_is_replaced_and_nothing_else(path):
    readme.write("ledger", r"| ☐ | \1 |", path)
    assert readme.read("ledger", path) == r"| ☐ | \1 |"
    before, after = TEXT.split("old\n")
    assert path.read_text(encoding="utf-8") == f"{before}\n| ☐ | \\1 |\n\n{after}"


def test_writing_twice_is_writing_once(path):
    readme.write("ledger", "new", path)
    once = path.read_text(encoding="utf-8")
    readme.write("ledger", "new", path)
    assert path.read_text(encoding="utf-8") == once


@pytest.mark.parametrize("line", ["<!-- speed: made by `COMMAND` -->", "<!-- end of speed -->"])
def test_a_missing_line_is_named(line, path):
    other = {"<!-- end of speed -->": "<!-- speed: made by `x` -->\n"}.get(line, "<!-- end of speed -->\n")
    path.write_text(TEXT + other, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"README.md has the line {line} 0 times, not once\. Add it"):
        readme.write("speed", "new", path)
    assert path.read_text(encoding="utf-8") == TEXT + other


@pytest.mark.parametrize("twice", TEXT.splitlines(keepends=True)[2::2][:2])
def test_a_line_that_stands_twice_is_named(twice, path):
    path.write_text(TEXT + twice, encoding="utf-8")
    with pytest.raises(ValueError, match=r"2 times, not once\. Leave one"):
        readme.write("ledger", "new", path)


def test_a_part_that_ends_before_it_begins_is_refused(path):
    path.write_text("<!-- end of ledger -->\n<!-- ledger: made by `x` -->\n", encoding="utf-8")
    with pytest.raises(ValueError, match="before it begins"):
        readme.read("ledger", path)
