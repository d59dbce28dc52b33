"""Chance: one generator that everything draws from, unless it is given another by `generator=`."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

__all__ = ["decided", "generator_or_default", "manual_seed"]


@functools.cache
def default_generator() -> np.random.Generator:
    """The one generator, made when it is first needed: numpy.random alone takes 15 ms to import."""
    return np.random.default_rng()


def manual_seed(seed: int) -> np.random.Generator:
    """Start the default generator again from seed, so that all that follows comes out the same every time; return it.

    >>> import nn
    >>> a, b = [nn.manual_seed(0) and nn.Linear(2, 3).weight.data for _ in range(2)]
    >>> bool((a == b).all())
    True
    """
    default_generator().bit_generator.state = np.random.PCG64(seed).state
    return default_generator()


def generator_or_default(generator: np.random.Generator | None = None) -> np.random.Generator:
    """generator, or the default one if it is None."""
    if generator is None:
        return default_generator()
    if not isinstance(generator, np.random.Generator):
        raise TypeError(f"generator= takes np.random.default_rng(seed), not {type(generator).__name__}: {generator!r}.")
    return generator


def decided(p: float, shape: tuple[int, ...], generator: np.random.Generator) -> Any:
    """An array of booleans, each True with probability p, to 32 bits: in half the time that random numbers take."""
    n, source = math.prod(shape), generator.bit_generator
    if isinstance(source, np.random.MT19937):  # the one whose raw numbers have 32 bits; those of all others have 64
        bits = source.random_raw(n).astype(np.uint32)
    else:
        bits = source.random_raw((n + 1) // 2).view(np.uint32)[:n]
    below = round(p * 2**32)
    return bits.reshape(shape) <= np.uint32(below - 1) if below else np.zeros(shape, bool)
