"""The most memory that a training step of 784-512-256-10 needs beyond its parameters, in bytes; the graph is freed."""

import tracemalloc

from . import classifier


def ours(**options):
    return classifier.ours(**options, retain_graph=False)


numpy = classifier.numpy


def peak(step):
    """The most bytes in use at once during a step. The buffers that the first step makes and keeps are counted, too."""
    tracemalloc.start()  # NumPy tells it of its arrays; those from before, the parameters, are not counted
    try:
        step()
        tracemalloc.reset_peak()
        step()
        return float(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
