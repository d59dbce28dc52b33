"""Descent: how large a batch, how much momentum, which optimizer, and the learning rate above all.

    python -m demos.descent [--seed 0] [--out FOLDER] [--quick]

Part 1 reads digits with whole batches, mini-batches and single samples, by three clocks, and sends each over a hill.
Part 2 rolls down a narrow valley. Parts 3 and 4, which are in optimizers.py, tune five optimizers and compare them at
their best, turn one knob at a time, and let the learning rate fall.
"""

from functools import partial

import numpy as np

import nn.optim as optim
from autograd import Tensor

from .common import Findings, arguments, picture, progress, table
from .optimizers import MOMENTUM, knobs, methods, reached, train

CLOCKS = ["epochs", "updates", "seconds"]


def roll(loss, start, optimizer, steps):
    """Where w goes from start, down the loss: (steps + 1, *w.shape)."""
    w = Tensor(start, requires_grad=True)
    optimizer, way = optimizer([w]), [w.data.copy()]
    for _ in range(steps):
        optimizer.zero_grad()
        loss(w).backward()
        optimizer.step()
        way.append(w.data.copy())
    return np.array(way)


def batches(args, found, seeds, level):
    print(f"1. Digits with SGD: when is the loss on the 1150 training digits {level}? And who gets over a hill?")
    rows, curves, rng = [], {}, np.random.default_rng(args.seed)
    slopes = np.tile(rng.normal(0, 4, 64), (200, 1))  # of 64 samples, for 200 runs; their mean is no slope at all
    slopes -= slopes.mean(axis=1, keepdims=True)
    kinds = {"batch": (1150, 1.0, 120), "mini-batch": (32, 0.3, 10), "single sample": (1, 0.02, 2 if args.quick else 4)}
    for name, (batch, lr, epochs) in progress(kinds.items(), "batch sizes", lines=3):
        runs = [train(seed, optim.SGD, lr, batch, epochs, looks=40) for seed in seeds]
        noise = lambda n=batch: rng.permuted(slopes, axis=1)[:, :n].mean(axis=1)
        hill = lambda w, noise=noise: np.sum(w**4 / 4 - w**2 / 2 + w / 10 + noise() * w)  # deeper on the left
        over = np.mean(roll(hill, np.ones(200), partial(optim.SGD, lr=0.05), 400)[-1] < 0)
        clocks = np.mean([reached(seen, level) for seen, _ in runs], axis=0)
        rose = np.mean([np.diff(seen[:, 3]) > 0 for seen, _ in runs])
        curves[name], right = runs[0][0], np.mean([right for _, right in runs])
        found["batches"][name] = dict(zip(CLOCKS, clocks), right=right, over=over)
        measured = f"{clocks[0]:.1f} {clocks[1]:.0f} {clocks[2]:.2f} {rose:.0%} {right:.1%} {over:.0%}"
        rows.append([name, batch, lr, *measured.split()])
    table(["", "size", "rate", *CLOCKS, "loss rose", "held out, right", "over the hill"], rows)
    first = found["first"] = {clock: min(kinds, key=lambda k: found["batches"][k][clock]) for clock in CLOCKS}
    found.claim(
        "L19", "simplified", "Batch: stable, slow; mini-batch: fast, generalises; single sample: noisy, leaves minima.",
        f"Which is fastest depends on the clock: {', '.join(f'by {clock} the {first[clock]}' for clock in CLOCKS)}. "
        f"Held-out digits: {', '.join(row[-2] for row in rows)}, so a batch generalises too. "
        f"Left the shallower minimum: {', '.join(row[-1] for row in rows)}.",
    )  # fmt: skip

    def draw(*panels):
        for i, axes in enumerate(panels):
            for colour, (name, seen) in enumerate(curves.items()):
                axes.plot(seen[:, i], seen[:, 3], f"C{colour}", label=name)
                axes.plot(seen[:, i], seen[:, 4], f"C{colour}:")
            axes.set(xlabel=CLOCKS[i], xscale="log", yscale="log", ylabel="" if i else "loss (dotted: validation)")
        panels[0].legend()

    picture(args.out / "descent_batches.png", draw, columns=3, sharey=True)


def valley(args, found):
    print("\n2. A valley 50 times as steep across as along, b = 0.9: steps until within 0.001 of its floor")
    loss = lambda w: np.sum(w * w * [0.5, 25.0])
    arrival = lambda way: max(np.flatnonzero(np.abs(way).max(axis=1) >= 1e-3)) + 1
    kinds = {
        "no momentum": partial(optim.SGD, lr=0.038),
        "Polyak": partial(MOMENTUM, lr=0.0038),
        "Nesterov": partial(MOMENTUM, lr=0.0038, nesterov=True),
    }
    ways = {name: roll(loss, [-1.0, 0.3], method, 600) for name, method in kinds.items()}
    for name, way in ways.items():
        across, swing = np.sum(np.diff(np.sign(way[:100, 1])) != 0), np.abs(way[40:60, 1]).max()
        found["valley"][name] = dict(across=across, swing=swing, steps=arrival(way))
    rows = [[name, kinds[name].keywords["lr"], *each.values()] for name, each in found["valley"].items()]
    rows = [[*row[:3], f"{row[3]:.4f}", row[4]] for row in rows]
    table(["", "a, equal a/(1-b)", "crossings in 100", "swing at step 40", "steps"], rows)
    plain, polyak, nesterov = found["valley"].values()
    found.claim(
        "L20", "simplified", "Momentum, v <- b v + g, w <- w - a v, dampens oscillation in narrow valleys.",
        f"At equal a/(1-b) it crosses the valley {polyak['across']} times in 100 steps, not {plain['across']}, and "
        f"arrives in {polyak['steps']} steps, not {plain['steps']}. But its slower swing is the wider: "
        f"{polyak['swing']:.3f} against {plain['swing']:.3f} after 40 steps. Nesterov's look ahead dampens that, to "
        f"{nesterov['swing']:.4f}.",
    )  # fmt: skip

    def draw(axes):
        x, y = np.meshgrid(np.linspace(-1.1, 0.2, 200), np.linspace(-0.4, 0.4, 200))
        axes.contour(x, y, (x * x + 50 * y * y) / 2, np.geomspace(0.003, 4, 12), colors="#BBBBBB", linewidths=0.7)
        for name, way in ways.items():
            axes.plot(*way[:80].T, ".-", markersize=3, linewidth=1, label=name)
        axes.set(title="80 steps at equal a/(1-b)", xlim=(-1.1, 0.2), ylim=(-0.4, 0.4))
        axes.set(xlabel="w1, along the valley", ylabel="w2, across")
        axes.legend(frameon=True, edgecolor="none", loc="upper right")

    picture(args.out / "descent_valley.png", draw, size=(6.4, 4))


def main(argv=None):
    args = arguments(__doc__, argv)
    found = Findings(batches={}, valley={}, methods={}, spread={}, schedules={})
    seeds = range(args.seed, args.seed + (2 if args.quick else 5))
    few, epochs = seeds[: 1 if args.quick else 3], 3 if args.quick else 12
    batches(args, found, few, level=0.3 if args.quick else 0.15)
    valley(args, found)
    methods(args, found, seeds, few[:2], epochs)
    knobs(found, few[:2], epochs)
    return found


if __name__ == "__main__":
    main()
