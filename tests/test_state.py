"""Whatever fails, and wherever: modes are put back, gradients are untouched or complete, files whole, the model usable.

Things fail here at every call in turn (a rule, a function, a hook, a forward), and Ctrl-C comes at every line in turn,
at random moments from a timer, and as a process that is killed while it saves.
"""

import contextlib
import inspect
import itertools
import linecache
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd import Tensor, detect_anomaly, enable_grad, functional, is_grad_enabled, no_grad, stamp, topological_order
from autograd import modes as mode
from nn import optim
from nn.optim.blocks import PIECE

ROOT = Path(__file__).parents[1]


class Trouble(Exception):
    """What happens to go wrong."""


class Trap:
    """Counts its calls, and raises at number `at`."""

    def __init__(self):
        self.calls = self.at = 0

    def __call__(self, *_):
        self.calls += 1
        if self.calls == self.at:
            raise Trouble

    def around(self, function):
        """function, with this before and after it; None stays None."""

        def trapped(*args, **kwargs):
            self()
            result = function(*args, **kwargs)
            self()
            return result

        return function and trapped


class Training:
    """A network with everything in it that has a state, and one step of its training at a time."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.generator = np.random.default_rng(1)
        self.model = nn.Sequential(
            nn.Linear(3, 4, generator=rng), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.2, generator=self.generator),
            nn.Linear(4, 1, generator=rng),
        )  # fmt: skip
        self.params = list(self.model.parameters())
        self.optimizer = optim.AdamW(self.model.parameters(), lr=0.01)
        self.x, self.y = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))

    def loss(self):
        return nn.MSELoss()(self.model(self.x), self.y)

    def gradients(self):
        return [None if p.grad is None else p.grad.copy() for p in self.params]

    def step(self, retain_graph=True):
        """One step; `passed` has the gradients before it and after each thing that changes them."""
        with no_grad():
            self.loss()
        with enable_grad():
            loss = self.loss()
        self.passed = [self.gradients()]
        self.optimizer.zero_grad()
        self.passed.append(self.gradients())
        loss.backward(retain_graph=retain_graph)
        self.passed.append(self.gradients())
        nn.utils.clip_grad_norm_(self.params, 0.1)
        self.passed.append(self.gradients())
        self.optimizer.step()

    def state(self):
        return self.model.state_dict(), self.optimizer.state_dict(), self.generator.bit_generator.state

    def load(self, state):
        self.model.load_state_dict(state[0])
        self.optimizer.load_state_dict(state[1])
        self.generator.bit_generator.state = state[2]

    @property
    def values(self):
        return [p.data.copy() for p in self.params]


def equal(a, b):
    try:
        np.testing.assert_equal(a, b)
    except AssertionError:
        return False
    return True


@contextlib.contextmanager
def modes_put_back():
    """Inside, whatever happens to the modes, they are afterwards as they were."""

    def now():
        return mode.modes.recording, mode.modes.anomaly, [*mode.modes.entered], {**mode.active}, np.geterr()

    before = now()
    yield
    assert now() == before


def checkpoint(n):
    """Everything in it says n."""
    return dict(model={"weight": np.full((40, 50), n), "bias": np.full(7, n)}, epoch=n)


def whole(path):
    """The n of a checkpoint, all of which says the same."""
    states = nn.load(path)
    found = {int(n) for array in states["model"].values() for n in np.ravel(array)} | {states["epoch"]}
    assert len(found) == 1
    return found.pop()


# ---- exceptions, at every call in turn -------------------------------------------------------------------------------

PLACES = ["rule", "function", "hook of a gradient", "hook of a module", "forward"]


def set_traps(place, training, trap, monkeypatch):
    """Let trap be called wherever such a thing happens in training."""
    if place == "hook of a gradient":
        for p in training.params:
            p.register_hook(trap)
    for module in training.model.modules():
        if place == "hook of a module":
            module.register_forward_pre_hook(trap)
            module.register_forward_hook(trap)
        elif place == "forward":
            monkeypatch.setattr(module, "forward", trap.around(module.forward))
    for op in {node.op for node in topological_order(training.loss())} - {None}:
        if place == "rule":
            monkeypatch.setattr(op, "rules", tuple(trap.around(rule) for rule in op.rules))
        elif place == "function":
            monkeypatch.setattr(op, "function", trap.around(op.function))


@pytest.mark.parametrize(("retain_graph", "surroundings"), [(True, contextlib.nullcontext), (False, detect_anomaly)])
@pytest.mark.parametrize("place", PLACES)
def test_an_exception_at_any_call_changes_no_gradient_and_training_goes_on(
    place, retain_graph, surroundings, monkeypatch
):
    training, trap = Training(), Trap()
    training.step()
    start = training.state()
    set_traps(place, training, trap, monkeypatch)
    trap.calls = 0
    training.load(start)
    with surroundings():
        training.step(retain_graph)
    expected, n = training.state(), trap.calls
    assert n >= len(training.params)
    for at in range(1, n + 1):
        training.load(start)
        gradients, values = training.gradients(), training.values
        trap.calls, trap.at = 0, at
        with modes_put_back(), pytest.raises(Trouble), surroundings():
            training.step(retain_graph)
        assert any(equal(training.gradients(), old) for old in (gradients, [None] * len(gradients)))  # or zero_grad's
        assert equal(training.values, values)
        training.load(start)
        trap.at = 0
        with surroundings():
            training.step(retain_graph)
        assert equal(training.state(), expected)


def test_a_formula_of_an_optimizer_that_raises_leaves_all_parameters_as_they_were():
    training = Training()
    training.step()
    training.optimizer.change = lambda *_: 1 / 0
    values, loss = training.values, training.loss()
    with pytest.raises(ZeroDivisionError):
        training.optimizer.step()
    assert equal(training.values, values)
    with pytest.raises(RuntimeError, match="Compute the loss again"):
        loss.backward()


@pytest.mark.parametrize("retain_graph", [True, False])
def test_a_backward_pass_that_fails_anywhere_changes_no_older_gradient_in_between(retain_graph, monkeypatch):
    trap, x = Trap(), Tensor([0.5, 2.0], requires_grad=True)

    def program():
        nodes = [x, x * 2]
        nodes += [np.sin(nodes[1]), np.exp(nodes[1])]
        nodes += [nodes[2] + nodes[3]]
        return [*nodes, nodes[4].sum()]

    for op in {node.op for node in program()} - {None}:
        monkeypatch.setattr(op, "rules", tuple(trap.around(rule) for rule in op.rules))
    program()[-1].backward()
    for at in range(1, trap.calls + 1):
        trap.at = 0
        nodes = program()
        nodes[-1].backward()
        before = [node.grad.copy() for node in nodes]
        trap.calls, trap.at = 0, at
        with pytest.raises(Trouble):
            nodes[-1].backward(retain_graph=retain_graph)
        assert equal([node.grad for node in nodes], before)
        if retain_graph or at <= 2:  # of a graph of which nothing has been freed yet
            nodes[-1].backward(retain_graph=retain_graph)
        else:
            with pytest.raises(RuntimeError, match="Compute the result anew"):
                nodes[-1].backward()
            assert equal([node.grad for node in nodes], before)


def test_a_function_that_fails_inside_a_derivative_leaves_the_next_one_plain():
    def f(x, fail):
        if fail:
            raise Trouble
        return x * x

    for derivative in (functional.gradient, functional.jacobian, functional.hessian):
        with modes_put_back(), pytest.raises(Trouble):
            derivative(f)(2.0, True)
        assert not isinstance(derivative(f)(2.0, False), Tensor)


# ---- Ctrl-C ----------------------------------------------------------------------------------------------------------


def interrupt(function, at, *files):
    """Call function; Ctrl-C comes before line number `at` of those that it runs in files or folders of ours.

    Three places do not count, as nothing comes there, or nothing of it: the line of a `with` when it is left, which
    Python names once more, `pass`, and __del__.
    """
    lines, paths = 0, tuple(str(ROOT / file) for file in files)

    def call(frame, event, arg):
        code, inside = frame.f_code, set()
        if not code.co_filename.startswith(paths) or code.co_name == "__del__":
            return None

        def line(frame, event, arg):
            nonlocal lines
            source = linecache.getline(code.co_filename, frame.f_lineno).strip()
            if event == "line" and source.split()[:1] != ["pass"] and frame.f_lineno not in inside:
                if source.startswith("with "):
                    inside.add(frame.f_lineno)
                lines += 1
                if lines == at:
                    raise KeyboardInterrupt
            return line

        return line

    before = sys.gettrace()
    sys.settrace(call)
    try:
        function()
    finally:
        sys.settrace(before)
    return lines


def interrupted(function, at, *files):
    """Whether Ctrl-C came, as function has that many lines."""
    try:
        interrupt(function, at, *files)
    except KeyboardInterrupt:
        return True
    return False


@pytest.mark.parametrize("outer", [contextlib.nullcontext, no_grad, enable_grad, detect_anomaly])
@pytest.mark.parametrize("inner", [no_grad, enable_grad, detect_anomaly])
def test_an_interrupt_at_any_line_of_entering_and_leaving_puts_the_modes_back(outer, inner):
    def both():
        with outer(), inner():
            is_grad_enabled()

    for at in range(1, interrupt(both, 0, "autograd/modes.py") + 1):
        with modes_put_back():
            assert interrupted(both, at, "autograd/modes.py")
        with modes_put_back():
            both()


@pytest.mark.parametrize("mode", [no_grad, enable_grad, detect_anomaly])
def test_an_interrupt_while_a_mode_is_entered_does_not_wait_for_its_end_to_put_back_the_old_one(mode):
    kept = mode()
    lines = interrupt(kept.__enter__, 0, "autograd/modes.py")
    kept.__exit__()
    for at in range(1, lines + 1):
        with modes_put_back():
            assert interrupted(kept.__enter__, at, "autograd/modes.py")


@pytest.mark.parametrize("mode", [no_grad, enable_grad, detect_anomaly])
def test_a_recursion_that_is_too_deep_at_any_call_puts_the_modes_back(mode):
    def in_mode(depth):
        if depth:
            return in_mode(depth - 1)
        with mode():
            return True

    used, limit = len(inspect.stack()), sys.getrecursionlimit()
    ends = set()
    for depth in range(limit - used - 20, limit - used):
        with modes_put_back():
            try:
                ends.add(in_mode(depth))
            except RecursionError:
                ends.add(False)
    assert ends == {True, False}


def test_a_handler_of_a_signal_may_change_a_tensor_while_another_is_being_marked_as_changed():
    w = Tensor(1.0, requires_grad=True)

    def everywhere_inside(frame, event, arg):
        if frame.f_code is stamp.__code__ and event == "line":
            sys.settrace(None)
            stamp(w)
            sys.settrace(everywhere_inside)
        return everywhere_inside

    def run():
        sys.settrace(everywhere_inside)
        stamp(w)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout=20)
    assert not thread.is_alive()


@pytest.mark.campaign(3)
def test_an_interrupt_at_any_line_of_a_step_leaves_all_of_it_usable(seed):
    """A thirtieth of the lines for each seed, so that thirty seeds are all."""
    training = Training()
    training.step()
    start, before = training.state(), training.values
    n = interrupt(training.step, 0, "autograd", "nn")
    expected, after, moments = training.state(), training.values, training.passed
    for at in range(1 + seed % 30, n - 5, 30):
        training.load(start)
        with modes_put_back():
            assert interrupted(training.step, at, "autograd", "nn")
        assert any(equal(training.gradients(), complete) for complete in moments)
        assert any(equal(training.values, complete) for complete in (before, after))
        training.load(training.state())  # what there is fits
        training.load(start)
        training.step()
        assert equal(training.state(), expected)


@pytest.mark.campaign(1)
def test_an_interrupt_at_any_line_of_loading_leaves_all_old_or_all_new(seed, tmp_path):
    """A fortieth of the lines for each seed."""
    training = Training()
    old = training.state()
    training.step()
    new = training.state()
    path = tmp_path / "run.npz"
    things = dict(model=training.model, optimizer=training.optimizer, generator=training.generator)
    nn.save(path, **things)
    for at in itertools.count(1 + seed % 40, 40):
        training.load(old)
        if not interrupted(lambda: nn.load(path, **things), at, "nn"):
            break
        assert equal(training.state(), old) or equal(training.state(), new)
    assert at > 1000


def test_an_interrupt_at_any_line_of_saving_leaves_a_whole_file_and_nothing_else(tmp_path):
    path = tmp_path / "run.npz"
    nn.save(path, **checkpoint(0))
    for at in itertools.count(1):
        n = whole(path)
        more = interrupted(lambda new=n + 1: nn.save(path, **checkpoint(new)), at, "nn/saving.py")
        assert whole(path) - n in (0, 1)
        assert list(tmp_path.iterdir()) == [path]
        if not more:
            break
    assert at > 50


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers here")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of an interrupt that is lost
@pytest.mark.campaign(10)
def test_an_interrupt_at_a_random_moment_of_training_leaves_all_of_it_usable(seed):
    """The loss is such that all gradients are one number, which is another one in every step and after clipping.

    The interrupt comes again until it arrives: one that meets a callback of the garbage collector, such as Hypothesis
    leaves there, is lost.
    """
    rng = random.Random(seed)
    params = [nn.Parameter(np.zeros(3)) for _ in range(40)]
    optimizer, training = optim.AdamW(params), Training()

    def train():
        signal.setitimer(signal.ITIMER_REAL, rng.uniform(0.0005, 0.03), 0.5)
        for i in range(1, 2000):
            optimizer.zero_grad()
            with no_grad():
                sum(p.sum() for p in params[:2])
            (sum(p.sum() for p in params) * float(i)).backward()
            nn.utils.clip_grad_norm_(params, 1.0)
            optimizer.step()
            training.step()

    handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with modes_put_back(), pytest.raises(KeyboardInterrupt):
            train()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    assert len({p.grad is None for p in params}) == 1
    assert len({g for p in params if p.grad is not None for g in p.grad}) <= 1
    assert len({w for p in params for w in p.data}) == 1  # one block: all have stepped, or none has
    for thing in (optimizer, training.optimizer, training.model):
        thing.load_state_dict(thing.state_dict())
    training.step()
    assert all(np.isfinite(p.data).all() for p in training.params)


# ---- a disk that is full ---------------------------------------------------------------------------------------------


@pytest.fixture(params=["npz", "safetensors"])
def suffix(request):
    if request.param == "safetensors":
        pytest.importorskip("safetensors")
    return request.param


def test_a_file_that_may_not_grow_any_further_leaves_the_old_one_whole(suffix, tmp_path):
    resource = pytest.importorskip("resource")  # the operating system itself refuses to write more
    path = tmp_path / f"run.{suffix}"
    nn.save(path, **checkpoint(1))
    before, size = resource.getrlimit(resource.RLIMIT_FSIZE), path.stat().st_size
    for limit in [0, 1, *range(500, size - 1, size // 20), size - 1]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            with pytest.raises(Exception, match="File too large"):
                nn.save(path, **checkpoint(2))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert whole(path) == 1
        assert list(tmp_path.iterdir()) == [path]
    nn.save(path, **checkpoint(3))
    assert whole(path) == 3


@pytest.fixture
def small_disk(tmp_path):
    """A file system with room for 64 kB, where this user may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True)
    if not made or made.returncode:
        pytest.skip("no file system can be mounted here")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_leaves_the_old_file_whole(suffix, small_disk):
    path, filling = small_disk / f"run.{suffix}", small_disk / "filling"
    nn.save(path, **checkpoint(1))
    for room in range(0, path.stat().st_size - 4096, 4096):
        filling.write_bytes(b"")
        filling.write_bytes(b"x" * (shutil.disk_usage(small_disk).free - room))
        with pytest.raises(Exception, match="No space left"):
            nn.save(path, **checkpoint(2))
        assert whole(path) == 1
        assert sorted(small_disk.iterdir()) == [filling, path]
    filling.unlink()
    nn.save(path, **checkpoint(3))
    assert whole(path) == 3


# ---- a process that is killed ----------------------------------------------------------------------------------------

SAVER = """
import os, random, signal, sys, time
import numpy as np
import nn

path, kills = sys.argv[1], int(sys.argv[2])
rng, saved, behind = random.Random(0), 0, 0
nn.save(path, model={"weight": np.full((100, 100), 0)}, epoch=0)
for _ in range(kills):
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        while True:
            saved += 1
            nn.save(path, model={"weight": np.full((100, 100), saved)}, epoch=saved)
            os.write(writer, b"%d " % saved)
    os.close(writer)
    time.sleep(rng.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as stream:
        saved = int((stream.read().split() or [saved])[-1])
    states = nn.load(path)
    found = {*states["model"]["weight"].flat, states["epoch"]}
    assert found in ({saved}, {saved + 1}), (saved, found)      # the old one or the new one, whole
    saved = states["epoch"]
    for name in set(os.listdir(os.path.dirname(path))) - {os.path.basename(path)}:
        assert name.startswith("."), name
        behind += 1
        os.remove(os.path.join(os.path.dirname(path), name))
print("killed", kills, "times, in the middle of writing", behind, "times, after", saved, "saves")
"""


@pytest.mark.campaign
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked here")
def test_a_process_that_is_killed_while_it_saves_leaves_the_old_or_the_new_file(suffix, tmp_path, request):
    kills = str(8 * request.config.getoption("campaign"))
    done = subprocess.run(
        [sys.executable, "-c", SAVER, tmp_path / f"run.{suffix}", kills],
        cwd=ROOT, env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "error"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"killed {kills} times" in done.stdout
    print(done.stdout)


def test_an_interrupt_at_any_line_of_a_first_step_leaves_no_parameter_behind():
    def start():
        params = [nn.Parameter(np.ones(2)), nn.Parameter(np.ones(3, np.float32)), nn.Parameter(np.ones(PIECE + 1))]
        for p in params:
            p.grad = np.ones_like(p.data)
        return params, optim.SGD(params, lr=0.5)

    files = "nn/optim/optimizer.py", "nn/optim/blocks.py"
    lines = interrupt(start()[1].step, 0, *files)
    for at in range(1, lines + 1):
        params, optimizer = start()
        assert interrupted(optimizer.step, at, *files)
        before = [p.data.copy() for p in params]
        optimizer.step()
        assert all((w - p.data == 0.5).all() for w, p in zip(before, params))
