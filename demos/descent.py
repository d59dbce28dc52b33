"""Descent: how large a batch, how much momentum, which optimizer, and the learning rate above all.

    python -m demos.descent [--seed 0] [--out FOLDER] [--quick]

Part 1 reads digits with whole batches, mini-batches and single samples, and asks three clocks which is fastest; then it
sends each over a hill. Part 2 rolls down a narrow valley. Part 3 tunes five optimizers and compares them at their best.
Part 4 turns one knob at a time, and lets the learning rate fall in several ways.
"""

from functools import partial
from time import perf_counter

import numpy as np

import nn
import nn.optim as optim
from autograd import Tensor, no_grad

from .common import Findings, arguments, picture, progress, table
from .datasets import answers, digits

SGD, MOMENTUM = optim.SGD, partial(optim.SGD, momentum=0.9)
METHODS = {  # and the learning rates that each is tried with
    "SGD": (SGD, [0.03, 0.1, 0.3, 1.0]),
    "with momentum": (MOMENTUM, [0.01, 0.03, 0.1, 0.3]),
    "RMSprop": (optim.RMSprop, [0.001, 0.003, 0.01, 0.03]),
    "Adam": (optim.Adam, [0.003, 0.01, 0.03, 0.1]),
    "AdamW": (optim.AdamW, [0.003, 0.01, 0.03, 0.1]),
}


def train(seed, method, lr, batch=32, epochs=10, width=32, looks=10, schedule=None):
    """Train 64-width-10 on digits. Returns what several looks saw, in rows: epochs, updates, seconds, loss, validation
    loss; and the part of the held-out digits that are read rightly at the end."""
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
        chosen = e[rng.integers(0, 64, (runs, batch))].mean(axis=1) if batch < 64 else 0.0
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


def batches(args, found, seeds):
    """Part 1: whole batches, mini-batches, single samples."""
    level = 0.3 if args.quick else 0.15
    print(
        f"1. Digits with SGD: when does the loss on the 1150 training digits reach {level}? And who gets over a hill?"
    )
    kinds = {"batch": (1150, 1.0, 120), "mini-batch": (32, 0.3, 10), "single sample": (1, 0.02, 2 if args.quick else 4)}
    rows, curves, rng = [], {}, np.random.default_rng(args.seed)
    for name, (batch, lr, epochs) in progress(kinds.items(), "batch sizes", lines=3):
        runs = [train(seed, SGD, lr, batch, epochs, looks=40) for seed in seeds]
        curves[name] = runs[0][0]
        clocks = [np.mean([reached(seen, clock, level) for seen, _ in runs]) for clock in range(3)]
        rose = np.mean([np.mean(np.diff(seen[:, 3]) > 0) for seen, _ in runs])
        right, over = np.mean([right for _, right in runs]), hill(min(batch, 64), rng)
        found["batches"][name] = dict(zip(["epochs", "updates", "seconds"], clocks), rose=rose, right=right, over=over)
        measured = f"{clocks[0]:.1f} {clocks[1]:.0f} {clocks[2]:.2f} {rose:.0%} {right:.1%} {over:.0%}"
        rows.append([name, f"{batch}", f"{lr}", *measured.split()])
    table(["", "size", "rate", "epochs", "updates", "seconds", "loss rose", "held out, right", "over the hill"], rows)
    first = {clock: min(kinds, key=lambda k: found["batches"][k][clock]) for clock in ("epochs", "updates", "seconds")}
    found["first"] = first
    right, over = (", ".join(f"{kind[of]:.1%}" for kind in found["batches"].values()) for of in ("right", "over"))
    found.claim(
        "L19", "simplified", "Batch: stable, slow; mini-batch: fast, generalises; single sample: noisy, leaves minima.",
        f"Which is fastest depends on the clock: by epochs the {first['epochs']}, by updates the {first['updates']}, "
        f"by seconds the {first['seconds']}. Held-out digits read: {right}, so a batch generalises too. "
        f"Out of the less deep of two valleys came {over}.",
    )  # fmt: skip
    return curves


def valley(found):
    """Part 2: momentum."""
    print("\n2. A valley 50 times as steep across as along, b = 0.9: steps until within 0.001 of its floor")
    nesterov = partial(MOMENTUM, nesterov=True)
    rows, ways = [], {}
    for name, method, lr in [("no momentum", SGD, 0.038), ("Polyak", MOMENTUM, 0.0038), ("Nesterov", nesterov, 0.0038)]:
        ways[name] = way = roll(method, lr)
        across = int(np.sum(np.diff(np.sign(way[:100, 1])) != 0))
        swing = np.abs(way[40:60, 1]).max()
        with np.errstate(all="ignore"):  # some rates are too large: that is how the best is found
            rates = np.geomspace(0.002, 0.04, 30)
            steps = [arrival(roll(method, rate, 300)) for rate in rates]
        found["valley"][name] = dict(across=across, swing=swing, equal=arrival(way), best=min(steps))
        best = f"{rates[np.argmin(steps)]:.4f}"
        rows.append([name, f"{lr}", str(across), f"{swing:.4f}", str(arrival(way)), best, str(min(steps))])
    columns = ["", "a, equal a/(1-b)", "crossings in 100", "swing at step 40", "steps", "best a", "steps"]
    table(columns, rows)
    plain, polyak, nesterov = found["valley"].values()
    found.claim(
        "L20", "simplified", "Momentum, v <- b v + g, w <- w - a v, dampens oscillation in narrow valleys.",
        f"At equal a/(1-b) it crosses the valley {polyak['across']} times in 100 steps, not {plain['across']}, and "
        f"arrives in {polyak['equal']} steps instead of {plain['equal']}; each at its best rate, in {polyak['best']} "
        f"instead of {plain['best']}. But its slower swing is the wider: {polyak['swing']:.3f} against "
        f"{plain['swing']:.3f} after 40 steps. Nesterov's look ahead dampens that, to {nesterov['swing']:.4f}; its "
        f"best is {nesterov['best']} steps.",
    )  # fmt: skip
    return ways


def methods(found, seeds, epochs, quick):
    """Part 3: five optimizers, each at the rate that it does best with."""
    print(f"\n3. Digits, 64-32-10, batches of 32, {epochs} epochs: optimizers at the best of their rates")
    tuning = [seed + 100 for seed in seeds[:2]]  # other shuffles, other starts than what follows
    rows, sweep = [], {}
    for name, (method, rates) in progress(METHODS.items(), "optimizers"):
        rates = rates[1:3] if quick else rates
        sweep[name] = (
            rates,
            [np.mean([train(seed, method, lr, epochs=epochs)[0][-1, 4] for seed in tuning]) for lr in rates],
        )
        lr = rates[int(np.argmin(sweep[name][1]))]  # by validation loss
        runs = [train(seed, method, lr, epochs=epochs, looks=4 * epochs) for seed in seeds]
        updates = np.mean([reached(seen, 1, 0.2) for seen, _ in runs])
        right = [right for _, right in runs]
        found["methods"][name] = dict(lr=lr, updates=updates, right=np.mean(right), spread=np.std(right))
        loss, validation = np.mean([seen[-1, 3:] for seen, _ in runs], axis=0)
        measured = f"{updates:.0f} {loss:.3f} {validation:.3f} {np.mean(right):.1%} {np.std(right):.1%}"
        rows.append([name, f"{lr}", *measured.split()])
    table(["", "rate", "updates to loss 0.2", "loss at end", "validation", "held out, right", "+-"], rows)
    momentum, adam = found["methods"]["with momentum"], found["methods"]["Adam"]
    found.claim(
        "L27", "simplified", "SGD with momentum generalises better, Adam converges faster.",
        f"Here, with tuned rates (seeds: {len(seeds)}): loss 0.2 after {adam['updates']:.0f} updates with Adam and "
        f"{momentum['updates']:.0f} with momentum; held-out digits {adam['right']:.1%} and {momentum['right']:.1%}; "
        f"from seed to seed +- {max(adam['spread'], momentum['spread']):.1%}. One small task settles nothing.",
    )  # fmt: skip
    return sweep


def knobs(found, seeds, epochs):
    """Part 4: the learning rate beside other choices, and what it may do over time."""
    print(f"\n4. One knob at a time, from SGD with momentum 0.9, rate 0.03, batch 32, width 32; {epochs} epochs")
    momenta = [(partial(optim.SGD, momentum=b), f"{b}") for b in (0.0, 0.5, 0.9, 0.97)]
    turned = {
        "learning rate": [(f"{lr}", dict(lr=lr)) for lr in (0.0003, 0.003, 0.03, 0.3, 3.0)],
        "batch size": [(f"{n}", dict(batch=n)) for n in (8, 32, 128)],
        "width": [(f"{n}", dict(width=n)) for n in (8, 32, 128)],
        "momentum": [(name, dict(method=method)) for method, name in momenta],
    }
    for knob, settings in progress(turned.items(), "knobs", lines=4):
        for name, setting in settings:
            with np.errstate(all="ignore"):  # the largest rate leads to infinity
                right = np.mean(
                    [train(seed, **{"method": MOMENTUM, "lr": 0.03, "epochs": epochs, **setting})[1] for seed in seeds]
                )
            found["knobs"].setdefault(knob, {})[name] = right
    spread = {knob: max(tried.values()) - min(tried.values()) for knob, tried in found["knobs"].items()}
    found["spread"] = spread
    tried = {
        knob: ", ".join(f"{name}: {right:.1%}" for name, right in each.items()) for knob, each in found["knobs"].items()
    }
    table(["", "held-out digits right", "spread"], [[knob, tried[knob], f"{spread[knob]:.1%}"] for knob in turned])
    schedules = {
        "constant": None,
        "a tenth after two thirds": lambda optimizer: optim.lr_scheduler.StepLR(optimizer, max(1, 2 * epochs // 3)),
        "cosine to 0": lambda optimizer: optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs),
    }
    rows = []
    for name, schedule in schedules.items():
        runs = [train(seed, MOMENTUM, 0.1, epochs=epochs, schedule=schedule) for seed in seeds]
        found["schedules"][name] = np.mean([seen[-1, 3:] for seen, _ in runs], axis=0)
        rows.append([name, *(f"{loss:.3f}" for loss in found["schedules"][name])])
    print("   And a rate of 0.1 that may fall:")
    table(["schedule", "loss", "validation loss"], rows)
    others = max(spread[knob] for knob in spread if knob != "learning rate")
    middle = [found["knobs"]["learning rate"][lr] for lr in ("0.003", "0.03", "0.3")]
    found["middle"] = max(middle) - min(middle)
    found.claim(
        "L26", "simplified", "The learning rate is the most important hyperparameter.",
        "It is the one that can ruin everything: over four powers of ten it makes a difference of "
        f"{spread['learning rate']:.0%} of the digits, the others at most {others:.0%}. But no other has so wide a "
        f"range: from 0.003 to 0.3 it makes {found['middle']:.1%}, and momentum makes {spread['momentum']:.1%}.",
    )  # fmt: skip


def main(argv=None):
    args = arguments(__doc__, argv)
    found = Findings(batches={}, valley={}, methods={}, knobs={}, schedules={})
    seeds = range(args.seed, args.seed + (1 if args.quick else 3))
    epochs = 3 if args.quick else 12
    curves = batches(args, found, seeds)
    ways = valley(found)
    sweep = methods(found, range(args.seed, args.seed + (2 if args.quick else 5)), epochs, args.quick)
    knobs(found, seeds[:2], epochs)

    def clocks(*panels):
        for axes, clock, scale in zip(panels, ["epochs", "updates", "seconds"], ["log", "log", "log"]):
            for i, (name, seen) in enumerate(curves.items()):
                column = seen[:, ["epochs", "updates", "seconds"].index(clock)]
                axes.plot(column, seen[:, 3], color=f"C{i}", label=name)
                axes.plot(column, seen[:, 4], color=f"C{i}", linestyle=":")
            axes.set(xlabel=clock, xscale=scale, yscale="log", title=f"by {clock}")
        panels[0].set_ylabel("loss (dotted: validation)")
        panels[0].legend()

    def rest(left, right):
        x, y = np.meshgrid(np.linspace(-1.1, 0.6, 200), np.linspace(-0.4, 0.4, 200))
        left.contour(x, y, (x * x + 50 * y * y) / 2, np.geomspace(0.003, 4, 12), colors="#BBBBBB", linewidths=0.7)
        for name, way in ways.items():
            left.plot(*way[:80].T, ".-", markersize=3, linewidth=1, label=name)
        left.set(title="80 steps at equal a/(1-b)", xlim=(-1.1, 0.6), ylim=(-0.4, 0.4))
        left.grid(False)
        left.legend(frameon=True, edgecolor="none", loc="upper right")
        for name, (rates, losses) in sweep.items():
            right.loglog(rates, losses, "o-", label=name)
        right.set(title="Validation loss by learning rate", xlabel="learning rate", ylabel=f"after {epochs} epochs")
        right.legend()

    picture(args.out / "descent_batches.png", clocks, columns=3, sharey=True)
    picture(args.out / "descent_valley.png", rest, columns=2, size=(10, 4))
    return found


if __name__ == "__main__":
    main()
