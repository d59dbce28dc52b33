"""The graph as text: the same numbers, aligned, on any terminal."""

import io

import numpy as np

import viz
from autograd import Tensor
from viz.graph import trace
from viz.tree import rows


def printed(output, encoding="utf-8", **options):
    """What viz.tree prints on a terminal of this encoding."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    viz.tree(output, file=file, **options)
    file.flush()
    return raw.getvalue().decode(encoding)


def test_values_and_gradients_stand_in_columns(loss):
    lines = printed(loss).splitlines()
    assert len({line.index("value") for line in lines if "value" in line}) == 1
    assert len({line.index("grad ") for line in lines if "grad " in line}) == 1


def test_every_node_is_printed_once_and_its_other_uses_point_there(scalars):
    text = printed(scalars)
    assert text.count("value 3.000") == 1
    assert text.count("see above") == 2


def test_a_terminal_that_knows_ascii_alone_gets_ascii(loss):
    for encoding in ("cp1252", "ascii"):
        text = printed(loss, encoding)
        assert text.isascii()
        assert "|- " in text
        assert "?" not in text


def test_a_deep_chain_starts_again_at_the_left_and_never_recurses():
    y = Tensor(1.0, True)
    for _ in range(5_000):
        y = np.tanh(y)
    lines = rows(trace(y))
    assert len(lines) == 5_001 + 5_000 // 24
    assert max(map(len, lines)) < 150


def test_a_long_tree_is_cut_and_says_so(tower):
    lines = printed(tower, limit=10).splitlines()
    assert len(lines) == 11
    assert "limit=None) prints every one" in lines[-1]


def test_colour_where_the_terminal_has_it(scalars, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for name, value, coloured in (("TERM", "xterm", True), ("TERM", "dumb", False), ("NO_COLOR", "1", False)):
        with monkeypatch.context() as patch:
            patch.delenv("NO_COLOR", raising=False)
            patch.setenv("TERM", "xterm")
            patch.setenv("WT_SESSION", "1")
            patch.setenv(name, value)
            terminal = Terminal()
            viz.tree(scalars, file=terminal)
            assert ("\x1b[" in terminal.getvalue()) == coloured
    assert "\x1b[" not in printed(scalars)


def test_not_run_zero_and_not_required_read_differently():
    x, c = Tensor(2.0, True, name="x"), Tensor(3.0, name="c")
    y = x * c * 0.0
    assert "backward has not run" in printed(y)
    assert "not required" in printed(y)
    y.backward()
    assert "backward has not run" not in printed(y)
