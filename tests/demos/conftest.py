"""A demo is run once for all tests, those of the ledger included."""

import importlib
from contextlib import redirect_stdout
from io import StringIO
from typing import NamedTuple

import pytest

from demos import claims


class Shown(NamedTuple):
    """What a demo found, printed and wrote."""

    found: dict
    text: str
    files: set


ran = {}


def run(name, folders):
    """demos.NAME with --quick, once; `claims`, which asks all others, gets what they have found already."""
    if name in ran:
        return ran[name]
    folder = folders.mktemp(name)
    others = [{other: run(other, folders).found for other in claims.DEMOS}] if name == "claims" else []
    with redirect_stdout(StringIO()) as printed:
        found = importlib.import_module(f"demos.{name}").main(["--quick", "--out", str(folder)], *others)
    ran[name] = Shown(found, printed.getvalue(), {path.name for path in folder.iterdir()})
    return ran[name]


@pytest.fixture(scope="module")
def shown(request, tmp_path_factory):
    """demos.NAME for the tests in test_NAME.py."""
    return run(request.module.__name__.rpartition("test_")[2], tmp_path_factory)
