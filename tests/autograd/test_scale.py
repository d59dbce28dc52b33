"""A chain of a million operations goes forward, backward and out of memory: nothing recurses, nothing is quadratic."""

import gc
import sys
import weakref

import numpy as np
import pytest

from autograd import Tensor, grad, topological_order

MILLION = 1_000_000


def chain(x, n):
    """x · 0.9999… + …: n operations on one number."""
    y = x
    for _ in range(n // 2):
        y = y * 0.999999
        y = y + 1e-6
    return y


@pytest.fixture
def shallow():
    """Few frames of recursion, so that a recursive algorithm would fail at once."""
    depth, frame = 0, sys._getframe()
    while frame:
        depth, frame = depth + 1, frame.f_back
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 60)
    yield
    sys.setrecursionlimit(before)


def test_a_million_operations_forward_backward_and_out_of_memory(shallow):
    gc.disable()  # as fast as it can be, and without its help
    try:
        x = Tensor(1.0, requires_grad=True)
        y = chain(x, MILLION)
        y.backward()
        assert x.grad == pytest.approx(0.999999 ** (MILLION // 2), rel=1e-9)
        middle = weakref.ref(y.inputs[0])
        del y
        assert middle() is None
    finally:
        gc.enable()


def test_a_long_chain_may_be_freed_while_going(shallow):
    x = Tensor(1.0, requires_grad=True)
    chain(x, MILLION // 10).backward(retain_graph=False)
    assert x.grad == pytest.approx(0.999999 ** (MILLION // 20), rel=1e-9)


def test_a_long_chain_is_differentiated_twice(shallow):
    x = Tensor(1.0, requires_grad=True)
    y = chain(x, MILLION // 100)
    (slope,) = grad(y * y, x, create_graph=True)
    (curvature,) = grad(slope, x)
    assert curvature.item() == pytest.approx(2 * 0.999999 ** (MILLION // 100), rel=1e-9)


def test_a_wide_sum_is_no_deeper_than_it_is(shallow):
    x = Tensor(np.ones(2), requires_grad=True)
    y = sum((x * float(i) for i in range(2000)), start=0.0)
    y.sum().backward()
    assert x.grad.tolist() == [2000 * 1999 / 2] * 2
    assert len(topological_order(y)) == 4001


def test_an_operation_of_a_number_keeps_no_more_than_a_few_hundred_bytes():
    import tracemalloc

    x, n = Tensor(1.0, requires_grad=True), 10_000
    tracemalloc.start()
    try:
        y = chain(x, n)
        used = tracemalloc.get_traced_memory()[0] / n
    finally:
        tracemalloc.stop()
    assert y.requires_grad
    assert used < 600  # a node with its tuples and its number; nothing that grows with the chain
