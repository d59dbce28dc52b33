"""Digits, learned with one setting or another: parts 3 and 4 of the demo `descent`, and the training that they share.

Part 3 compares five optimizers at their best rates. Part 4 turns one knob at a time, and lets the rate fall.
"""

from functools import partial
from time import perf_counter

import numpy as np

import nn
import nn.optim as optim
from autograd import no_grad

from .common import picture, progress, table
from .datasets import answers, digits

MOMENTUM = partial(optim.SGD, momentum=0.9)
METHODS = {  # and the learning rates that each is tried with
    "SGD": (optim.SGD, [0.03, 0.1, 0.3, 1.0]),
    "with momentum": (MOMENTUM, [0.01, 0.03, 0.1, 0.3]),
    "RMSprop": (optim.RMSprop, [0.001, 0.003, 0.01, 0.03]),
    "Adam": (optim.Adam, [0.003, 0.01, 0.03, 0.1]),
    "AdamW": (optim.AdamW, [0.003, 0.01, 0.03, 0.1]),
}


def train(seed, method=MOMENTUM, lr=0.03, batch=32, epochs=12, width=32, schedule=None, looks=1):
    """Train 64-width-10 on digits. Returns looks at epochs, updates, seconds, loss and validation loss, the last at the
    end; and the part of the held-out digits that are read rightly then."""
    nn.manual_seed(seed)
    (x, y), (x_val, y_val), (x_test, y_test) = digits(np.random.default_rng(seed))
    loader = nn.DataLoader(nn.TensorDataset(x, y), batch, shuffle=True)
    model, criterion = nn.MLP([64, width, 10], nn.ReLU), nn.CrossEntropyLoss()
    optimizer = method(model.parameters(), lr=lr)
    scheduler = schedule and schedule(optimizer)
    looks = set(np.linspace(epochs * len(loader), 1, looks).astype(int))
    seen, updates, seconds = [], 0, 0.0
    for _ in range(epochs):
        for x_batch, y_batch in loader:
            start = perf_counter()
            loss = criterion(model(x_batch), y_batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            updates, seconds = updates + 1, seconds + perf_counter() - start
            if updates in looks:
                with no_grad():
                    losses = criterion(model(x), y).item(), criterion(model(x_val), y_val).item()
                seen.append([updates / len(loader), updates, seconds, *losses])
        if scheduler:
            scheduler.step()
    return np.array(seen), np.mean(answers(model, x_test) == y_test)


def reached(seen, level):
    """Epochs, updates and seconds until the loss was at most level: infinite if it never was."""
    below = seen[seen[:, 3] <= level]
    return below[0, :3] if len(below) else np.full(3, np.inf)


def methods(args, found, seeds, few, epochs):
    print(f"\n3. Digits, 64-32-10, batches of 32, {epochs} epochs: optimizers at the best of their rates")
    rows, sweep = [], {}
    for name, (method, rates) in progress(METHODS.items(), "optimizers"):
        rates = rates[1:3] if args.quick else rates
        tuning = [[train(seed + 100, method, lr, epochs=epochs)[0][-1, 4] for seed in few] for lr in rates]
        sweep[name] = rates, np.mean(tuning, axis=1)  # by validation loss; other shuffles and starts than what follows
        lr = rates[np.argmin(sweep[name][1])]
        runs = [train(seed, method, lr, epochs=epochs, looks=40) for seed in seeds]
        updates, right = np.mean([reached(seen, 0.2)[1] for seen, _ in runs]), [right for _, right in runs]
        loss, validation = np.mean([seen[-1, 3:] for seen, _ in runs], axis=0)
        found["methods"][name] = dict(lr=lr, updates=updates, right=np.mean(right), spread=np.std(right))
        measured = f"{updates:.0f} {loss:.3f} {validation:.3f} {np.mean(right):.1%} {np.std(right):.1%}"
        rows.append([name, lr, *measured.split()])
    table(["", "rate", "updates to loss 0.2", "loss at end", "validation", "held out, right", "+-"], rows)
    momentum, adam = found["methods"]["with momentum"], found["methods"]["Adam"]
    found.claim(
        "L27", "simplified", "SGD with momentum generalises better, Adam converges faster.",
        f"Here, with tuned rates (seeds: {len(seeds)}): loss 0.2 after {adam['updates']:.0f} updates with Adam and "
        f"{momentum['updates']:.0f} with momentum; held-out digits {adam['right']:.1%} and {momentum['right']:.1%}; "
        f"from seed to seed +- {max(adam['spread'], momentum['spread']):.1%}. One small task settles nothing.",
    )  # fmt: skip

    def draw(axes):
        for name, (rates, losses) in sweep.items():
            axes.loglog(rates, losses, "o-", label=name)
        axes.set(title="Validation loss by learning rate", xlabel="learning rate", ylabel=f"after {epochs} epochs")
        axes.legend()

    picture(args.out / "descent_rates.png", draw, size=(5.4, 4))


def knobs(found, seeds, epochs):
    print(f"\n4. One knob at a time, from SGD with momentum 0.9, rate 0.03, batch 32, width 32; {epochs} epochs")
    turned = {
        "learning rate": {lr: dict(lr=lr) for lr in (0.0003, 0.003, 0.03, 0.3, 3.0)},
        "batch size": {n: dict(batch=n) for n in (8, 32, 128)},
        "width": {n: dict(width=n) for n in (8, 32, 128)},
        "momentum": {b: dict(method=partial(optim.SGD, momentum=b)) for b in (0.0, 0.5, 0.9, 0.97)},
    }
    rows, right, spread = [], {}, found["spread"]
    for knob, settings in progress(turned.items(), "knobs", lines=4):
        with np.errstate(all="ignore"):  # the largest rate leads to infinity
            for name, setting in settings.items():
                right[knob, name] = np.mean([train(seed, epochs=epochs, **setting)[1] for seed in seeds])
        each = [right[knob, name] for name in settings]
        spread[knob] = max(each) - min(each)
        rows.append([knob, ", ".join(f"{n}: {part:.1%}" for n, part in zip(settings, each)), f"{spread[knob]:.1%}"])
    table(["", "held-out digits right", "spread"], rows)
    print("   And a rate of 0.1 that may fall:")
    schedules = {
        "constant": None,
        "a tenth after two thirds": partial(optim.lr_scheduler.StepLR, step_size=max(1, 2 * epochs // 3)),
        "cosine to 0": partial(optim.lr_scheduler.CosineAnnealingLR, T_max=epochs),
    }
    for name, schedule in schedules.items():
        last = [train(seed, lr=0.1, epochs=epochs, schedule=schedule)[0][-1, 3:] for seed in seeds]
        found["schedules"][name] = np.mean(last, axis=0)
    rows = [[name, *(f"{loss:.3f}" for loss in losses)] for name, losses in found["schedules"].items()]
    table(["schedule", "loss", "validation loss"], rows)
    middle = [right["learning rate", lr] for lr in (0.003, 0.03, 0.3)]
    found["middle"] = max(middle) - min(middle)
    others = max(spread[knob] for knob in spread if knob != "learning rate")
    found.claim(
        "L26", "simplified", "The learning rate is the most important hyperparameter.",
        "It is the one that can ruin everything: over four powers of ten it makes a difference of "
        f"{spread['learning rate']:.0%} of the digits, the others at most {others:.0%}. But no other has so wide a "
        f"range: from 0.003 to 0.3 it makes {found['middle']:.1%}, and momentum makes {spread['momentum']:.1%}.",
    )  # fmt: skip
