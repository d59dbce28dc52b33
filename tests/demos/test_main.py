"""`python -m demos` lists every demo; with --all it runs them, and one that fails hides no other."""

import copy
import runpy
import sys
from types import ModuleType

import pytest

import demos


def test_the_list_names_every_demo_and_says_what_it_shows(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["demos"])
    runpy.run_module("demos", run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2].removeprefix("demos.") for line in lines if line] == [
        *sorted(demos.sources().keys() - {"claims"}),
        "claims",
    ]
    assert all(line[37:].strip().endswith(".") for line in lines)
    assert any("XOR: what no single neuron can learn" in line for line in lines)


@pytest.fixture
def told(monkeypatch):
    """Three demos, of which the second fails: what each was called with."""
    told = {}

    def demo(name):
        def main(*given):
            told[name] = copy.deepcopy(given)
            if name == "bad":
                raise ZeroDivisionError("by nothing")
            return {"name": name}

        module = ModuleType(f"demos.{name}")
        module.main = main
        return module

    names = ("bad", "claims", "good")
    for name in names:
        monkeypatch.setitem(sys.modules, f"demos.{name}", demo(name))
    monkeypatch.setattr(demos, "sources", lambda: dict.fromkeys(names, '"""What it shows."""'))
    return told


def test_a_demo_that_fails_is_named_and_hides_no_other(told, monkeypatch, capsys, tmp_path):
    options = ["--seed", "3", "--out", str(tmp_path), "--quick"]
    monkeypatch.setattr(sys, "argv", ["demos", *options[:2], "--all", *options[2:]])
    with pytest.raises(SystemExit) as exit:
        runpy.run_module("demos", run_name="__main__")
    assert "failed: demos.bad" in str(exit.value)  # a message, so the exit code is 1
    assert "ZeroDivisionError: by nothing" in capsys.readouterr().out
    assert told == {"bad": (options,), "good": (options,), "claims": (options, {"good": {"name": "good"}})}


def test_if_none_fails_the_exit_code_is_0(told, monkeypatch):
    monkeypatch.setattr(sys.modules["demos.bad"], "main", lambda options: {})
    monkeypatch.setattr(sys, "argv", ["demos", "--all"])
    runpy.run_module("demos", run_name="__main__")
    assert told["claims"][1].keys() == {"bad", "good"}
