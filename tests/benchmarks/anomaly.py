"""What detect_anomaly costs while it is off: the chain's time over that with a copy of autograd that has none of it."""

import functools
import importlib
import shutil
import sys
import tempfile
from pathlib import Path

from . import chain
from .measure import turn

ASKING = "mode.active and modes.anomaly", "modes.anomaly"  # how the engine asks whether it is being watched


def copy_without_asking(name, folder):
    """autograd once more, as the package `name` in folder, with False in place of every question."""
    copy = Path(folder, name)
    shutil.copytree(Path(chain.__file__).parents[2] / "autograd", copy, ignore=shutil.ignore_patterns("__pycache__"))
    for path in [copy / file for file in ("tensor.py", "operations.py", "backward.py")]:
        source = asking = path.read_text(encoding="utf-8")
        for question in ASKING:
            source = source.replace(question, "False")
        assert source != asking, f"{path.name} asks in other words; name them in ASKING"
        path.write_text(source, encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name), importlib.import_module(f"{name}.activations")
    finally:
        sys.path.remove(str(folder))


ours = chain.ours


@functools.cache
def of_the_copy():
    """The step with the copy."""
    with tempfile.TemporaryDirectory() as folder:
        copy, activations = copy_without_asking("unwatched", folder)
    return chain.step_of(copy.Tensor, activations.relu)


def ratio(step):
    """Time of our step over that of the copy's, which follows at once."""
    unasked = of_the_copy()
    return turn(step) / turn(unasked)
