"""Graphs to draw, modules that have nothing but what viz asks of one, and a browser."""

import shutil

import numpy as np
import pytest

from autograd import Tensor
from viz import layout


class Module:
    """What viz knows of a module: its parts, its parameters, and the record that a call leaves on its output."""

    def __call__(self, *inputs):
        output = self.forward(*inputs)
        output.made_by = (self, inputs, output.made_by)
        return output

    def named_modules(self, path="", remove_duplicate=True):
        yield path, self
        for name, part in vars(self).items():
            if isinstance(part, Module):
                yield from part.named_modules(f"{path}.{name}" if path else name, remove_duplicate)

    def named_parameters(self):
        for path, module in self.named_modules():
            for name, x in vars(module).items():
                if isinstance(x, Tensor):
                    yield f"{path}.{name}" if path else name, x


class Linear(Module):
    def __init__(self, n_in, n_out, seed=0):
        rng = np.random.default_rng(seed)
        self.weight = Tensor(rng.normal(size=(n_in, n_out)), requires_grad=True)
        self.bias = Tensor(rng.normal(size=n_out), requires_grad=True)

    def forward(self, x):
        return x @ self.weight + self.bias


class Tanh(Module):
    def forward(self, x):
        return np.tanh(x)


class Sequential(Module):
    def __init__(self, *parts):
        vars(self).update({str(i): part for i, part in enumerate(parts)})

    def forward(self, x):
        for part in vars(self).values():
            x = part(x)
        return x


class Block(Module):
    def __init__(self, width, seed=0):
        self.fc = Linear(width, width, seed)
        self.act = Tanh()

    def forward(self, x):
        return x + self.act(self.fc(x))


FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
FLAGS += ["--disable-sync", "--no-first-run"]
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


@pytest.fixture
def scalars():
    """x x + 2 x at x = 3 after its backward pass: value 15, gradient 8."""
    x = Tensor(3.0, requires_grad=True, name="x")
    y = x * x + 2 * x
    y.backward()
    return y


@pytest.fixture
def network():
    """A 2-3-1 network."""
    return Sequential(Linear(2, 3), Tanh(), Linear(3, 1, seed=1))


@pytest.fixture
def loss(network):
    """Its mean squared output on four points, after a backward pass."""
    p = network(X)
    loss = (p * p).sum()
    loss.backward()
    return loss


@pytest.fixture
def tower():
    """The sum of what a network of two linear layers around six alike blocks makes of four points, after backward."""
    model = Sequential(Linear(2, 3), *[Block(3, seed) for seed in range(6)], Linear(3, 1))
    total = model(X).sum()
    total.backward()
    return total


@pytest.fixture(scope="session", autouse=True)
def asked_once():
    """Each Graphviz is a program that starts anew; what it made of a text is kept for the next who asks it the same.

    The value is what is kept: cleared, it makes Graphviz answer once more.
    """
    ask, answers = layout.render, {}

    def render(source, form, seconds=10.0):
        question = source, form, *map(tuple, layout.engines())
        if question not in answers:
            answers[question] = ask(source, form, seconds)
        return answers[question]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "render", render)
        yield answers


@pytest.fixture(scope="session")
def graphviz(asked_once):
    """Something that lays pictures out; without it, a test of positions is skipped."""
    try:
        layout.layout("digraph { a -> b [id=e0] }")
    except layout.LayoutError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def chromium():
    """Opens a browser with these flags besides, once for all tests; without one, they are skipped."""
    driver, path = pytest.importorskip("playwright.sync_api"), shutil.which("chromium")
    if path is None:
        pytest.skip("There is no chromium on the PATH.")
    with driver.sync_playwright() as playwright:
        opened = {}

        def chromium(*flags):
            if flags not in opened:
                opened[flags] = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
            return opened[flags]

        yield chromium
        for browser in opened.values():
            browser.close()
