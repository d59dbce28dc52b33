"""Memory: training does not grow, a loss that is dropped takes its graph with it, a pass can free as it goes.

All of it without Python's garbage collector, which would hide a cycle until some later time.
"""

import gc
import platform
import subprocess
import sys
import tracemalloc
import weakref

import numpy as np
import pytest

import autograd
import nn
from autograd import Tensor, topological_order
from autograd.operations import Op, table
from nn import optim

OPS = sorted({op for op in table.values() if isinstance(op, Op)}, key=lambda op: op.name)
MEGABYTE = 1 << 20


@pytest.fixture(autouse=True)
def without_garbage_collector():
    gc.disable()
    yield
    gc.enable()


def growth(function, times, first=20):
    """By how many blocks memory grows when function is called so many times, without help by the garbage collector."""
    for _ in range(first):
        function()  # whatever is made once
    gc.collect()  # empties Python's own lists of spare tuples too, which are kept for reuse
    before = sys.getallocatedblocks()
    for _ in range(times):
        function()
    assert gc.collect() == 0  # there was nothing for it to do: no cycle
    return sys.getallocatedblocks() - before


def test_ten_thousand_steps_of_training_leave_nothing_behind():
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    optimizer, criterion = optim.Adam(model.parameters()), nn.MSELoss()
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([[0], [1], [1], [0.0]])

    def step():
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()

    # Python 3.10 makes a cache for a function that is called the 1024th time
    assert growth(step, 10_000, first=1100) < 50


@pytest.mark.campaign
def test_a_training_with_everything_in_it_leaves_nothing_behind(request):
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1), nn.Sigmoid())
    optimizer, criterion = optim.AdamW(model.parameters()), nn.BCELoss()
    scheduler, stopping = optim.lr_scheduler.ExponentialLR(optimizer, 0.9999), nn.EarlyStopping(model, patience=10**9)
    model[0].register_forward_hook(lambda *_: None)
    data = nn.TensorDataset(rng.normal(size=(16, 4)), rng.integers(2, size=(16, 1)).astype(float))

    def epoch():
        for x, y in nn.DataLoader(data, batch_size=8, shuffle=True):
            optimizer.zero_grad()
            output = model(x)
            output.register_hook(lambda g: None)
            loss = criterion(output, y)
            loss.backward(retain_graph=False)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        with autograd.no_grad():
            stopping.step(criterion(model(x), y))
        scheduler.step()

    assert growth(epoch, 200 * request.config.getoption("campaign")) < 50


def test_derivatives_of_derivatives_leave_nothing_behind():
    hessian = autograd.functional.hessian(lambda x: np.sum(np.sin(x) ** 3))
    assert growth(lambda: hessian(np.ones(5)), 100) < 50


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_the_graph_of_every_operation_goes_at_once_with_its_last_name(op):
    rng = np.random.default_rng(0)
    for sample in op.samples:
        args = sample.draw(rng, op.on)
        function = sample.of(next(function for function, entry in table.items() if entry is op))
        wrapped = [
            [Tensor(a, True) for a in arg] if isinstance(arg, list) and isinstance(arg[0], np.ndarray)
            else Tensor(arg, True) if isinstance(arg, np.ndarray) and arg.dtype.kind == "f" else arg
            for arg in args
        ]  # fmt: skip
        try:
            y = function(*wrapped)
        except TypeError:  # an argument that has no derivative
            y = function(wrapped[0], *args[1:])
        loss = np.sum(y * 1.0)
        loss.backward()
        watched = [weakref.ref(node) for node in topological_order(loss) if node.op]
        assert len(watched) >= 3
        del y, loss
        assert [ref() for ref in watched if ref() is not None] == []


def test_a_graph_goes_at_once_after_a_failure_too():
    x = Tensor(np.ones(3), requires_grad=True)
    x.register_hook(lambda g: 1 / 0)
    loss = (x * x).sum()
    watched = weakref.ref(loss.inputs[0])
    with pytest.raises(ZeroDivisionError):
        loss.backward()
    del loss
    assert watched() is None


def layers(n, seen=None):
    """A chain of 2 n arrays of a megabyte each, whose backward pass notes the memory in use."""
    x = Tensor(np.ones(MEGABYTE // 8), requires_grad=True)
    y = x
    for _ in range(n):
        y = np.sin(y * 1.0)
        if seen is not None:
            y.register_hook(lambda g: seen.append(tracemalloc.get_traced_memory()[0] // MEGABYTE))
    return y.sum()


@pytest.mark.parametrize(("retain_graph", "grows"), [(True, True), (False, False)])
def test_retain_graph_false_frees_as_it_goes(retain_graph, grows):
    n, seen = 20, []
    tracemalloc.start()
    try:
        loss = layers(n, seen)
        forward = tracemalloc.get_traced_memory()[0] // MEGABYTE
        tracemalloc.reset_peak()
        loss.backward(retain_graph=retain_graph)
        after, peak = (memory // MEGABYTE for memory in tracemalloc.get_traced_memory())
    finally:
        tracemalloc.stop()
    assert 2 * n <= forward <= 2 * n + 2
    if grows:
        assert peak >= 4 * n  # a gradient beside each value
    else:
        assert peak <= forward + 5  # the gradients on their way, of one operation
        assert set(np.diff(seen[2:])) == {-2}  # once under way, every two operations free their two values
        assert after <= 3  # the leaf and its gradient


def test_two_passes_leave_as_much_as_one():
    loss = layers(5)
    tracemalloc.start()
    try:
        loss.backward()
        once = tracemalloc.get_traced_memory()[0]
        for _ in range(5):
            loss.backward()
        assert tracemalloc.get_traced_memory()[0] - once < MEGABYTE / 2
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="what is kept is glibc's to decide")
def test_the_memory_of_a_step_serves_the_next_one():
    script = """
import resource
import numpy as np
from autograd import Tensor

x = Tensor(np.ones(1_000_000, np.float32), requires_grad=True)

def step():
    x.grad = None
    np.exp(np.tanh(x) * x + x).sum().backward()

for _ in range(5):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // 10)
"""
    faults = int(subprocess.check_output([sys.executable, "-c", script], text=True))
    assert faults < 1_000  # a page is 4 kB, so that one array of 4 MB is about a thousand; a step makes eight
