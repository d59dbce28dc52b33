"""Threads: each has modes of its own, and what it trains comes out as if it were alone."""

import gc
import sys
import threading
import time

import numpy as np
import pytest

import nn
from autograd import Tensor, detect_anomaly, functional, is_grad_enabled, modes, no_grad
from nn import optim

MAKERS = [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad]


@pytest.fixture(autouse=True)
def in_turns():
    """Threads that change over as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)
    assert modes.active == {}


def train(seed, steps=12):
    """Everything that a training makes: losses, state, derivatives; all chance is from a generator of its own."""
    rng = np.random.default_rng(seed)
    model = nn.Sequential(
        nn.Linear(3, 8, generator=rng), nn.BatchNorm1d(8), nn.GELU(), nn.Dropout(0.3, generator=rng),
        nn.Linear(8, 2, generator=rng),
    )  # fmt: skip
    optimizer = MAKERS[seed % len(MAKERS)](model.parameters(), lr=0.01)
    data = nn.TensorDataset(rng.normal(size=(20, 3)), rng.integers(2, size=20))
    loader = nn.DataLoader(data, batch_size=10, shuffle=True, generator=rng)
    losses = []
    for step in range(steps):
        for x, y in loader:
            optimizer.zero_grad()
            if step % 8 == seed % 8:
                with detect_anomaly():
                    loss = nn.CrossEntropyLoss()(model(x), y)
                    loss.backward(retain_graph=False)
            else:
                loss = nn.CrossEntropyLoss()(model(x), y)
                loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            losses.append(loss.item())
        with no_grad():
            output = model.eval()(data.arrays[0])
            assert not output.requires_grad
            assert not is_grad_enabled()
        model.train()
        assert is_grad_enabled()
    slope = functional.gradient(lambda x: np.sum(model.eval()(x) ** 2))(data.arrays[0])
    return losses, model.state_dict(), optimizer.state_dict(), slope, rng.random()


def at_the_same_time(functions):
    """What functions give, each in a thread of its own, all started at once."""
    results, start = [None] * len(functions), threading.Barrier(len(functions))

    def run(i):
        start.wait()
        try:
            results[i] = functions[i]()
        except BaseException as error:
            results[i] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.campaign(1)
def test_eight_models_in_eight_threads_learn_exactly_what_they_learn_alone(seed):
    seeds = range(8 * seed, 8 * seed + 8)
    alone = [train(s) for s in seeds]
    together = at_the_same_time([lambda s=s: train(s) for s in seeds])
    np.testing.assert_equal(together, alone)


def test_a_failure_in_one_thread_is_nothing_to_the_others():
    def fail():
        with no_grad(), detect_anomaly():
            raise KeyError

    results = at_the_same_time([fail, lambda: train(1, 5), fail, lambda: train(2, 5)])
    assert [type(results[i]) for i in (0, 2)] == [KeyError, KeyError]
    np.testing.assert_equal(results[1::2], [train(1, 5), train(2, 5)])


def test_threads_that_save_under_one_name_leave_a_whole_file(tmp_path):
    path = tmp_path / "run.npz"

    def save(n):
        for _ in range(20):
            nn.save(path, model={"weight": np.full((50, 50), n)}, n=n)
            states = nn.load(path)
            np.testing.assert_equal(states["model"]["weight"], np.full((50, 50), states["n"]))

    assert at_the_same_time([lambda n=n: save(n) for n in range(3)]) == [None] * 3
    assert list(tmp_path.iterdir()) == [path]


def test_threads_load_at_the_same_time(tmp_path):
    """Also where the collector's callbacks let another thread run while Python's parser is at a header of NumPy's."""
    path = tmp_path / "run.npz"
    nn.save(path, model={"weight": np.ones((5, 5))})

    def load():
        for _ in range(30):
            nn.load(path)

    def let_others_run(phase, info):
        time.sleep(0.0001)

    threshold = gc.get_threshold()
    gc.callbacks.append(let_others_run)
    gc.set_threshold(20)
    try:
        assert at_the_same_time([load] * 3) == [None] * 3
    finally:
        gc.callbacks.remove(let_others_run)
        gc.set_threshold(*threshold)


def test_threads_that_share_a_leaf_lose_no_gradient():
    w = Tensor(np.zeros(20_000), requires_grad=True)  # NumPy lets others run while it adds so many

    def run():
        for _ in range(200):
            (w * 1.0).sum().backward()

    assert at_the_same_time([run] * 4) == [None] * 4
    assert (w.grad == 800).all()
