"""A demo is run once for all tests, those of the ledger included."""

import importlib
import sys
from contextlib import redirect_stdout
from io import StringIO
from typing import NamedTuple

import pytest

from demos import claims, common


class Console(StringIO):
    """It says that it knows ASCII only, so that `viz.tree` keeps to that; all else has to by itself."""

    encoding = "ascii"


class Shown(NamedTuple):
    """What a demo found, printed and wrote."""

    found: dict
    text: str
    files: set


ran = {}


def run(name, folders):
    """demos.NAME with --quick, once; `claims`, which asks all others, gets what they have found already.

    Only `picture` finds the extras installed, if they are; as no test looks at its dots, they are few.
    """
    if name in ran:
        return ran[name]
    folder = folders.mktemp(name)
    others = [{other: run(other, folders).found for other in claims.DEMOS}] if name == "claims" else []
    main = importlib.import_module(f"demos.{name}").main
    with pytest.MonkeyPatch.context() as patch, pytest.MonkeyPatch.context() as hidden:

        def hide():
            for extra in ("matplotlib", "tqdm"):
                hidden.setitem(sys.modules, extra, None)

        def picture(*args, **options):
            hidden.undo()
            path = common.picture(*args, **options)
            hide()
            return path

        for module in [module for path, module in sys.modules.items() if path.startswith("demos.")]:
            if hasattr(module, "picture") and module is not common:
                patch.setattr(module, "picture", picture)
        patch.setattr(common, "DPI", 30)
        hide()
        with redirect_stdout(Console()) as printed:
            found = main(["--quick", "--out", str(folder)], *others)
    ran[name] = Shown(found, printed.getvalue(), {path.name for path in folder.iterdir()})
    return ran[name]


@pytest.fixture(scope="session")
def show(tmp_path_factory):
    """What demos.NAME has shown, for any name."""
    return lambda name: run(name, tmp_path_factory)


@pytest.fixture(scope="module")
def shown(request, show):
    """The same of demos.NAME, for the tests in test_NAME.py."""
    return show(request.module.__name__.rpartition("test_")[2])
