"""What an import costs on top of `import numpy`, each time in a fresh interpreter."""

import statistics
import subprocess
import sys

TIMED = "import time{first}; start = time.perf_counter(); import {names}; print(time.perf_counter() - start)"


def median_time(run, times=5):
    """The median of the seconds that fresh interpreters report; the first, which may compile and cache, is left out."""
    run()
    return statistics.median(run() for _ in range(times))


def importing(names, first=", numpy"):
    """run() -> the seconds that `import names` took in a new interpreter."""
    code = TIMED.format(names=names, first=first)
    return lambda: float(subprocess.check_output([sys.executable, "-c", code], text=True))


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
