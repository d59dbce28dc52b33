"""What all demos share does what it says, and every demo that uses it prints ASCII and runs without the extras."""

import sys

import numpy as np
import pytest

import demos
import nn
import nn.optim as optim
from demos.common import Findings, arguments, fit, picture, progress, table


@pytest.mark.parametrize("name", demos.sources())
def test_a_demo_needs_matplotlib_for_its_pictures_alone(name, show):
    """It was there for `picture` alone, which leaves a picture out without it, as the next test shows."""
    shown = show(name)
    assert shown.text.isascii()
    assert isinstance(shown.found, dict)
    assert all(claim.measured for claim in shown.found.claims.values())


def test_without_matplotlib_a_picture_is_left_out_and_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert picture(tmp_path / "line.png", lambda axes: axes.plot([0, 1])) is None
    assert "left out: line.png, which needs matplotlib" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_the_folder_for_pictures_is_made(tmp_path):
    args = arguments("What it shows.\n\nMore.", ["--seed", "3", "--out", str(tmp_path / "a" / "b")])
    assert (args.seed, args.quick) == (3, False)
    assert args.out.is_dir()


def test_a_folder_that_cannot_be_written_into_is_refused_before_anything_is_computed(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "a"):
        with pytest.raises(SystemExit):
            arguments("What it shows.", ["--out", str(path)])
        assert f"--out: {path} cannot be made a folder" in capsys.readouterr().err
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(SystemExit):
        arguments("What it shows.", ["--out", str(tmp_path)])
    assert f"--out: nothing can be written into {tmp_path.resolve()}" in capsys.readouterr().err
    assert not arguments("The list.", ["--out", str(tmp_path)], all="run them").all


def test_chance_does_not_start_below_0(capsys):
    with pytest.raises(SystemExit):
        arguments("What it shows.", ["--seed", "-1"])
    assert "--seed: chance starts at a number from 0 on, not -1" in capsys.readouterr().err


def test_a_claim_is_printed_and_kept(capsys):
    found = Findings(best=3)
    found.claim("L7", "true", "One neuron cannot solve XOR.", "The best line gets 3 of 4.")
    assert capsys.readouterr().out.split("\n")[1:3] == [
        "   L7  TRUE: One neuron cannot solve XOR.",
        "       The best line gets 3 of 4.",
    ]
    assert found == {"best": 3}
    assert found.claims["L7"].verdict == "true"


def test_a_table_lines_its_columns_up(capsys):
    table(["layer", "gradient"], [["first", "1e-9"], ["second to last", 0.25]])
    lines = capsys.readouterr().out.splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[2].split() == ["second", "to", "last", "0.25"]


def test_progress_gives_every_item_and_says_a_few_lines(capsys):
    assert list(progress(range(23), "training", note=lambda: "so far")) == list(range(23))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[-1] == "   training: 23 of 23   so far"


@pytest.mark.parametrize("installed", [True, False])
def test_progress_on_a_terminal_is_a_bar_if_tqdm_is_installed(installed, monkeypatch, capsys):
    if installed:
        pytest.importorskip("tqdm")
    else:
        monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert list(progress(range(5), "training")) == list(range(5))
    text = capsys.readouterr().out
    assert ("\r" in text) is installed
    assert text.isascii()


def test_a_picture_is_drawn_on_axes_of_its_own(tmp_path):
    pytest.importorskip("matplotlib")
    path = picture(tmp_path / "two.png", lambda left, right: left.plot([0, 1], [0, 1]), columns=2)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_fit_finds_a_line_and_keeps_every_loss():
    model, x = nn.Linear(1, 1), np.linspace(-1, 1, 5)[:, None]
    losses = fit(model, x, 3 * x - 2, optim.SGD(model.parameters(), lr=0.5), steps=100)
    assert (model.weight.item(), model.bias.item()) == pytest.approx((3, -2))
    assert len(losses) == 100
    assert losses[-1] < 1e-12 < losses[0]
