"""Descent: how large a batch, how much momentum, which optimizer, and the learning rate above all.

    python -m demos.descent [--seed 0] [--out FOLDER] [--quick]

Part 1 reads digits with whole batches, mini-batches and single samples, and asks three clocks which is fastest; then sends
each over a hill. Part 2 rolls down a narrow valley. Part 3 tunes five optimizers and compares them at their best. Part 4
turns one knob at a time, and lets the learning rate fall in several ways.
"""

from functools import partial
from time import perf_counter

import numpy as np

import nn
import nn.optim as optim
from autograd import Tensor, no_grad

from .common import Findings, arguments, picture, progress, table
from .mlp import answers, digits

SGD, MOMENTUM = optim.SGD, partial(optim.SGD, momentum=0.9)
METHODS = {  # and the learning rates that each is tried with
    "SGD": (SGD, [0.1, 0.3, 1.0]),
    "with momentum": (MOMENTUM, [0.01, 0.03, 0.1]),
    "RMSprop": (optim.RMSprop, [0.003, 0.01, 0.03]),
    "Adam": (optim.Adam, [0.003, 0.01, 0.03]),
    "AdamW": (partial(optim.AdamW, weight_decay=0.1), [0.003, 0.01, 0.03]),
}


def train(seed, method, lr, batch=32, epochs=10, width=32, looks=10, schedule=None):
    """Train 64-width-10 on digits. Returns what was seen at several looks, as rows of epochs, updates, seconds, loss and
    validation loss; and the part of held-out digits that are read rightly at the end."""
    nn.manual_seed(seed)
    (x, y), (x_val, y_val), (x_test, y_test) = digits(np.random.default_rng(seed))
    loader = nn.DataLoader(nn.TensorDataset(x, y), batch, shuffle=True)
    model, criterion = nn.MLP([64, width, 10], nn.ReLU), nn.CrossEntropyLoss()
    optimizer = method(model.parameters(), lr=lr)
    scheduler = schedule and schedule(optimizer)
    every = max(1, epochs * len(loader) // looks)
    seen, updates, start = [], 0, perf_counter()
    for _ in range(epochs):
        for x_batch, y_batch in loader:
            loss = criterion(model(x_batch), y_batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            updates += 1
            if updates % every == 0:
                stopped = perf_counter()
                with no_grad():
                    losses = criterion(model(x), y).item(), criterion(model(x_val), y_val).item()
                seen.append([updates / len(loader), updates, stopped - start, *losses])
                start += perf_counter() - stopped  # looking does not count
        if scheduler:
            scheduler.step()
    return np.array(seen), np.mean(answers(model, x_test) == y_test)


def reached(seen, column, level):
    """The first of a column's values where the loss is at most level."""
    below = seen[:, 3] <= level
    return seen[below.argmax(), column] if below.any() else np.inf


def hill(batch, rng, runs=200, steps=400, lr=0.05):
    """The part of runs that end in the deeper valley: mean over 64 samples of w^4/4 - w^2/2 + w/10 + e w, from w = 1.

    e is each sample's own slope, and 0 in the mean. The valleys are at w = -1.05 and, less deep, at w = 0.95.
    """
    e = rng.normal(0, 4, 64)
    e -= e.mean()
    w = Tensor(np.ones(runs), requires_grad=True)
    optimizer = SGD([w], lr=lr)
    for _ in range(steps):
        chosen = e[np.argsort(rng.random((runs, 64)), axis=1)[:, :batch]].mean(axis=1)
        loss = np.sum(w**4 / 4 - w**2 / 2 + w / 10 + chosen * w)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return np.mean(w.data < 0)


def roll(method, lr, steps=600, steep=50.0):
    """The way down the valley L = (x^2 + steep y^2) / 2 from (-1, 0.3): its points, (steps + 1, 2)."""
    w = Tensor([-1.0, 0.3], requires_grad=True)
    optimizer, way = method([w], lr=lr), [w.data.copy()]
    for _ in range(steps):
        loss = np.sum(w * w * [0.5, steep / 2])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        way.append(w.data.copy())
    return np.array(way)


def arrival(way):
    """How many steps until the way stays within 0.001 of the lowest point."""
    outside = np.flatnonzero(~(np.abs(way).max(axis=1) < 1e-3))
    return outside[-1] + 1 if outside[-1] + 1 < len(way) else np.inf


