"""A demo is run once for all tests of its file."""

import importlib
from contextlib import redirect_stdout
from io import StringIO
from typing import NamedTuple

import pytest


class Shown(NamedTuple):
    """What a demo found, printed and wrote."""

    found: dict
    text: str
    files: set


@pytest.fixture(scope="module")
def shown(request, tmp_path_factory):
    """demos.NAME, run with --quick for the tests in test_NAME.py."""
    name = request.module.__name__.rpartition("test_")[2]
    folder = tmp_path_factory.mktemp(name)
    with redirect_stdout(StringIO()) as printed:
        found = importlib.import_module(f"demos.{name}").main(["--quick", "--out", str(folder)])
    return Shown(found, printed.getvalue(), {path.name for path in folder.iterdir()})
