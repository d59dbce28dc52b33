"""The lesson's PyTorch listing: four substitutions, and it runs here; then what it lacks, and what that costs.

    python -m demos.listing [--seed 0] [--out FOLDER] [--quick]

Part 1 rewrites the listing and shows what changed. Part 2 runs it on 1,000 points of ten numbers, where the answer
hides in a product and an absolute value, and examines it. Part 3 mends it: validation, eval(), mini-batches, weights of
the best epoch. Part 4 puts other activations in ReLU's place.
"""

from difflib import unified_diff
from pathlib import Path
from typing import Any

import numpy as np

import nn
import nn.optim as optim
import viz
from autograd import no_grad

from .common import Findings, arguments, picture, progress, table

LISTING = (Path(__file__).parent / "data" / "listing.txt").read_text(encoding="utf-8")
SUBSTITUTIONS = [
    ("import torch.nn as nn", "import nn"),
    ("import torch.optim as optim", "import nn.optim as optim"),
    ("import torch\n", ""),
    ("torch.nn.", "nn."),
]


def substituted(listing):
    """The listing after the four substitutions."""
    for old, new in SUBSTITUTIONS:
        listing = listing.replace(old, new)
    return listing


def questions(n, rng):
    """x of ten numbers, (n, 10), of which four matter; and yes or no, (n, 1), a little noisy."""
    x = rng.standard_normal((n, 10))
    z = x[:, 0] * x[:, 1] + np.abs(x[:, 2]) + 0.5 * x[:, 3] - 0.8 + 0.2 * rng.standard_normal(n)
    return x, (z > 0)[:, None].astype(float)


def mended(x, y, activation=nn.ReLU, epochs=100):
    """The listing with what it lacks: the model; its loss by epoch, on what it learns from and on a fifth set aside."""
    (x, x_val), (y, y_val) = np.split(x, [len(x) * 4 // 5]), np.split(y, [len(y) * 4 // 5])  # they come in no order
    model = nn.MLP([10, 64, 32, 1], activation, batch_norm=True, dropout=0.2)
    criterion = nn.BCEWithLogitsLoss()  # with the sigmoid inside it: log p stays finite where p rounds to 0
    optimizer = optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    stopping, losses = nn.EarlyStopping(model, patience=20), []
    for _ in range(epochs):
        model.train()
        for x_batch, y_batch in nn.DataLoader(nn.TensorDataset(x, y), batch_size=50, shuffle=True):
            loss = criterion(model(x_batch), y_batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
            optimizer.step()
        model.eval()
        with no_grad():
            losses.append([criterion(model(x), y).item(), criterion(model(x_val), y_val).item()])
        if stopping.step(losses[-1][1]):
            break
    stopping.restore()
    return model.eval(), np.array(losses)


def right(output, y, boundary):
    """The part of the answers that are right."""
    return np.mean((output.data > boundary) == y)


def task(seed):
    """A seed's 1,000 points to learn from, and 2,000 to examine on; chance starts again for what comes then."""
    nn.manual_seed(seed)
    rng = np.random.default_rng(seed)
    return questions(1000, rng), questions(2000, rng)


def run(seed):
    """Run the listing on one seed's points: what it made, and how much it gets right when asked in several ways."""
    (x, y), (x_new, y_new) = task(seed)
    made = dict(x=x, y=y)
    exec(substituted(LISTING), made)
    model = made["model"]
    with no_grad():
        once, again = model(x_new), model(x_new)  # as the listing leaves it: in training
        model.eval()
        seen, new = right(model(x), y, 0.5), right(model(x_new), y_new, 0.5)
    return made, [seen, right(once, y_new, 0.5), np.mean((once.data > 0.5) != (again.data > 0.5)), new]


def alone_and_cancelled(made, found):
    """Two things that the listing's model would have told its maker, had it been asked."""
    model, x, y = made["model"].train(), made["x"], made["y"]
    try:
        model(x[:1])
    except ValueError as error:
        found["alone"] = str(error).partition(".")[0]
        print("   one alone is refused:", found["alone"])
    loss = made["criterion"](model(x), y)
    made["optimizer"].zero_grad()
    loss.backward()
    drawing: Any = viz.draw(loss, names=dict(x=x, y=y))
    found["flags"] = {node.name: flag.word for node in drawing.data.nodes for flag in node.flags}
    cancelled = [name for name, word in found["flags"].items() if word == "CANCELLED"]
    print("   Biases before BatchNorm learn nothing, as it subtracts them again. The picture of the graph says so:")
    print(f"       {' and '.join(sorted(cancelled))}: gradient CANCELLED, not vanishing")
    try:
        print("   written:", drawing.save(made["out"] / "listing.svg"))
    except viz.LayoutError as error:
        print("   left out: listing.svg.", error)


def main(argv=None):
    args = arguments(__doc__, argv)
    found = Findings()
    seeds = range(args.seed, args.seed + (2 if args.quick else 5))
    epochs = 15 if args.quick else 100

    print("1. What the substitutions change in the listing")
    found["diff"] = list(unified_diff(LISTING.splitlines(), substituted(LISTING).splitlines(), lineterm="", n=0))[2:]
    print(*(f"   {line}" for line in found["diff"] if line[0] in "+-"), sep="\n")

    print(
        "\n2. After its 100 epochs: asked what it has seen, and 2,000 new questions, twice, and once more after eval()"
    )
    made, numbers = zip(*(run(seed) for seed in progress(seeds, "the listing")))
    rows = np.array(numbers)
    shown = [[f"{number:.1%}" for number in row] for row in [*rows, rows.mean(axis=0)]]
    columns = ["seed", "seen", "new", "changes its mind", "new, after eval()"]
    table(columns, [[str(seed), *row] for seed, row in zip([*seeds, "mean"], shown)])
    found["seen"], found["training"], found["flips"], found["eval"] = rows.mean(axis=0)
    cost = found["eval"] - found["training"]
    print(f"   It never says eval(), which costs {cost:.1%}. Dropout goes on dropping: asked the same again, it gives")
    print(
        f"   another answer to {found['flips']:.0%} of the questions. BatchNorm goes on averaging over what is asked;"
    )
    alone_and_cancelled(dict(made[0], out=args.out), found)

    print("\n3. Mended: a fifth set aside, mini-batches, the loss on logits, the weights of the best epoch, eval()")
    scores: list[float] = []
    losses = []
    for seed in progress(seeds, "mended", note=lambda: f"{scores[-1]:.1%} right"):
        (x, y), (x_new, y_new) = task(seed)
        model, history = mended(x, y, epochs=epochs)
        losses.append(history)
        scores.append(right(model(x_new), y_new, 0))
    found["mended"] = np.mean(scores)
    names = ["the listing as it ends, in training", "the listing after eval()", "mended"]
    means = [found["training"], found["eval"], found["mended"]]
    table(["", "new questions, right"], [[name, f"{mean:.1%}"] for name, mean in zip(names, means)])
    print(f"   Without validation all that the listing knows is that it gets {found['seen']:.1%} of what it saw right.")

    print("\n4. The mended version with other activations")
    few = seeds[: 1 if args.quick else 2]
    found["activations"] = activations = {"ReLU": np.mean(scores[: len(few)])}
    for activation in progress([nn.GELU, nn.Tanh, nn.Sigmoid, nn.Identity], "activations"):
        each = []
        for seed in few:
            (x, y), (x_new, y_new) = task(seed)
            each.append(right(mended(x, y, activation, epochs)[0](x_new), y_new, 0))
        activations[activation.__name__] = np.mean(each)
    table(["", "right"], [[name, f"{part:.1%}"] for name, part in activations.items()])
    slowest = min(activations.keys() - {"Identity"}, key=lambda name: activations[name])
    found.claim(
        "L24", "simplified", "ReLU is the default for hidden layers, GELU for Transformers.",
        f"After {epochs} epochs or fewer: {', '.join(f'{k} {part:.1%}' for k, part in activations.items())}. "
        f"{slowest} lags, but only no activation at all must fail; ReLU is one of several that serve; which is best "
        "depends on the task, the depth and the time there is. Transformers are not tried.",
    )  # fmt: skip

    def draw(left, right):
        train, validation = losses[0].T
        left.plot(train, label="on what it learns from")
        left.plot(validation, label="on the fifth set aside")
        left.axvline(validation.argmin(), color="black", linestyle=":", label="the weights that are kept")
        left.set(title=f"The mended version, seed {seeds[0]}", xlabel="epoch", ylabel="loss", ylim=0)
        left.legend(frameon=True, edgecolor="none")
        labels = ["listing:\nseen", "listing:\nnew", "listing:\nnew, eval()", "mended:\nnew"]
        for i, values in enumerate([*rows.T[[0, 1, 3]], np.array(scores)]):
            right.plot([i] * len(values), values, "o", color="C0" if i < 3 else "C1", alpha=0.6)
        right.set(title="Right answers, one point a seed", xlim=(-0.5, 3.5))
        right.set_xticks(range(4), labels)
        right.yaxis.set_major_formatter("{x:.0%}")

    picture(args.out / "listing.png", draw, columns=2)
    return found


if __name__ == "__main__":
    main()
