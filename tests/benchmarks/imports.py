"""What an import costs on top of `import numpy`, each time in a fresh interpreter."""

import subprocess
import sys

TIMED = "import time{first}; start = time.perf_counter(); import {names}; print(time.perf_counter() - start)"


def seconds(run):
    """What a fresh interpreter reports."""
    return run()


def importing(names, first=", numpy"):
    """run() -> the seconds that `import names` took in a new interpreter."""
    code = TIMED.format(names=names, first=first)
    run = lambda: float(subprocess.check_output([sys.executable, "-c", code], text=True))
    run()  # does not count: it may compile, and fetch from the disk
    return run


def ours():
    return importing("autograd, nn, viz")


def numpy():
    return importing("numpy", first="")


def pytorch():
    return importing("torch")


def jax():
    return importing("jax")


def mygrad():
    return importing("mygrad")


def micrograd():
    return importing("micrograd.engine")
