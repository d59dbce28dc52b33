"""The XOR demo shows what it promises."""

import runpy
import sys
import xml.etree.ElementTree as ET

import pytest

from viz import layout


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run the demo as `python -m demos.xor` does, and give what it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["xor", "--out", str(tmp_path), *arguments])
        monkeypatch.delitem(sys.modules, "demos.xor", raising=False)
        runpy.run_module("demos.xor", run_name="__main__")
        return capsys.readouterr().out

    return run


def test_it_prints_the_same_numbers_every_time(run):
    text = run("--quick")
    assert run("--quick") == text
    assert run("--quick", "--seed", "1") != text


def table(text, part):
    """The truth table of one part as rows of (x1, x2, wanted, before, after)."""
    lines = text.split(f"\n{part}. ")[1].split("p after\n")[1].splitlines()
    return [tuple(map(float, line.split())) for line in lines[:4]]


def test_one_neuron_gets_three_of_four_at_best_and_training_ends_undecided(run):
    text = run()
    assert "reach 14 of the 16 ways" in text
    assert "The best line gets 3 of 4 right" in text
    assert [after for *_, after in table(text, 2)] == [0.5] * 4


@pytest.mark.parametrize("seed", range(5))
def test_four_hidden_neurons_learn_xor(seed, run):
    for x1, x2, wanted, before, after in table(run("--seed", str(seed)), 3):
        assert wanted == (x1 != x2)
        assert abs(before - 0.5) < 0.4
        assert after == pytest.approx(wanted, abs=0.1)


def test_the_graph_of_the_trained_loss_is_drawn(run, tmp_path):
    try:
        layout.layout("digraph { a }")
    except layout.LayoutError:
        pytest.skip("no Graphviz here")
    assert str(tmp_path / "xor.svg") in run("--quick")
    text = "".join(ET.parse(tmp_path / "xor.svg").getroot().itertext())
    assert all(word in text for word in ("0.weight", "2.bias", "tanh", "BCELoss", "X", "Y"))
    assert "backward has not run" not in text


def test_without_graphviz_the_tree_is_printed_instead(run, tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "engines", lambda: iter([]))
    text = run("--quick")
    assert "left out: xor.svg" in text
    assert "pygraphviz" in text
    assert "0.weight" in text
    assert not (tmp_path / "xor.svg").exists()
