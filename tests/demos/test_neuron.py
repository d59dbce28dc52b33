"""One neuron's numbers are right, and the picture in the repository is the one that the demo makes now."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from demos import neuron
from viz import LayoutError, layout

COMMITTED = Path(neuron.__file__).with_name("pictures") / "neuron.svg"


def said(path):
    """The words and numbers of a picture, without its style sheet, which holds positions too."""
    root = ET.parse(path).getroot()
    return ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.fixture
def graphviz():
    try:
        layout.layout("digraph { a }")
    except LayoutError as error:
        pytest.skip(str(error))


def test_the_chain_rule_by_hand_gives_the_engines_gradients(shown):
    assert shown.found["engine"] == pytest.approx(shown.found["hand"], rel=1e-14)  # a few roundings


def test_both_agree_with_the_difference_quotient(shown):
    given, h = dict(w1=0.6, x1=2.0, w2=0.8, x2=-1.0, b=-0.1, y=1.0), 1e-6
    loss = lambda **changed: neuron.neuron(**(given | changed))["L"]
    for name, slope in shown.found["hand"].items():
        quotient = (loss(**{name: given[name] + h}) - loss(**{name: given[name] - h})) / (2 * h)
        assert slope == pytest.approx(quotient, abs=1e-9)  # the error of the quotient is of the order h^2


def test_it_prints_each_step_in_ascii(shown):
    steps = re.findall(r"arrived, (\S+) sent to (\w+)", shown.text)
    assert [name for _, name in steps] == ["e", "p", "z", "s", "b", "u1", "u2", "w2", "w1"]
    assert {name: float(g) for g, name in steps if name in ("w1", "w2", "b")} == pytest.approx(
        shown.found["engine"], abs=5e-5
    )
    assert shown.text.isascii()


def test_without_graphviz_the_picture_is_left_out(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(layout, "engines", lambda: iter(()))
    neuron.main(["--out", str(tmp_path)])
    assert "left out: neuron.svg" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("graphviz")
def test_the_committed_picture_says_what_the_demo_says_now(tmp_path):
    neuron.main(["--out", str(tmp_path)])
    assert said(COMMITTED) == said(tmp_path / "neuron.svg")


def test_the_committed_picture_is_small_and_moves_without_a_script():
    text = COMMITTED.read_text(encoding="utf-8")
    assert len(text.encode()) < 60_000
    assert "@keyframes" in text
    assert "<script" not in text
