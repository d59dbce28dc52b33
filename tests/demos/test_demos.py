"""Every demo runs, says what it promises, and prints nothing that a Windows console cannot show."""

import runpy
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import demos
from viz import layout

DEMOS = sorted(path.stem for path in Path(demos.__file__).parent.glob("[!_]*.py"))


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run a demo as `python -m demos.NAME` does, and give what it printed."""

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, "--out", str(tmp_path), *arguments])
        monkeypatch.delitem(sys.modules, f"demos.{name}", raising=False)
        runpy.run_module(f"demos.{name}", run_name="__main__")
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("name", DEMOS)
def test_a_demo_prints_ascii_and_the_same_every_time(name, run):
    text = run(name, "--quick")
    assert text.isascii()
    assert run(name, "--quick") == text
    assert run(name, "--quick", "--seed", "1") != text


def test_the_list_names_every_demo_and_what_it_shows(capsys):
    runpy.run_module("demos", run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == [f"demos.{name}" for name in DEMOS]
    assert all(len(line.split()) > 6 for line in lines)


# ---- XOR


def table(text, part):
    """The truth table of one part as rows of (x1, x2, wanted, before, after)."""
    lines = text.split(f"\n{part}. ")[1].split("p after\n")[1].splitlines()
    return [tuple(map(float, line.split())) for line in lines[:4]]


def test_one_neuron_gets_three_of_four_at_best_and_training_ends_undecided(run):
    text = run("xor")
    assert "reach 14 of the 16 ways" in text
    assert "The best line gets 3 of 4 right" in text
    assert [after for *_, after in table(text, 2)] == [0.5] * 4


@pytest.mark.parametrize("seed", range(5))
def test_four_hidden_neurons_learn_xor(seed, run):
    for x1, x2, wanted, before, after in table(run("xor", "--seed", str(seed)), 3):
        assert wanted == (x1 != x2)
        assert abs(before - 0.5) < 0.4
        assert after == pytest.approx(wanted, abs=0.1)


def test_the_graph_of_the_trained_loss_is_drawn(run, tmp_path):
    try:
        layout.layout("digraph { a }")
    except layout.LayoutError:
        pytest.skip("no Graphviz here")
    assert str(tmp_path / "xor.svg") in run("xor", "--quick")
    text = "".join(ET.parse(tmp_path / "xor.svg").getroot().itertext())
    assert all(word in text for word in ("0.weight", "2.bias", "tanh", "BCELoss", "X", "Y"))
    assert "backward has not run" not in text


def test_without_graphviz_the_tree_is_printed_instead(run, tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "engines", lambda: iter([]))
    text = run("xor", "--quick")
    assert "left out: xor.svg" in text
    assert "pygraphviz" in text
    assert "0.weight" in text
    assert not (tmp_path / "xor.svg").exists()
