"""Regularization: a network learns its mistakes by heart, and four ways to keep it from that.

    python -m demos.regularization [--seed 0] [--out FOLDER] [--quick]

Too large a network sees too few digits, and a fifth of these have been given a label at random. To get those right it
has to learn them by heart, and what it then says of other digits is worse. Part 1 lets it; then come dropout, weight
decay, augmentation, early stopping, and three of them at once. Part 2 has labels that are right: there is less to cure.
"""

import numpy as np

import nn
import nn.optim as optim
from autograd import no_grad

from .common import Findings, arguments, picture, progress, table
from .datasets import answers, digits

noisy = nn.GaussianNoise(0.4)  # ink goes from 0 to 1; no two epochs see the same digit
WAYS = {
    "nothing": {},
    "dropout 0.6": dict(dropout=0.6),
    "weight decay 3": dict(weight_decay=3.0),
    "augmentation": dict(augment=noisy),
    "early stopping": dict(patience=15),
    "all but decay": dict(dropout=0.3, augment=noisy, patience=15),
}


def train(seed, n, wrong, epochs, dropout=0.0, weight_decay=0.0, augment=None, patience=None):
    """Train 64-128-128-10 on n digits, of which a part has random labels. Returns its loss by epoch, on them and on the
    validation digits; and the parts that it gets right: of its own labels, and of held-out digits."""
    nn.manual_seed(seed)
    rng = np.random.default_rng(seed)
    (x, y), (x_val, y_val), (x_test, y_test) = digits(rng)
    x, y = x[:n], np.where(rng.random(n) < wrong, rng.integers(0, 10, n), y[:n])
    model, criterion = nn.MLP([64, 128, 128, 10], nn.ReLU, dropout=dropout), nn.CrossEntropyLoss()
    optimizer = optim.AdamW(model.parameters(), lr=1e-3, weight_decay=weight_decay)
    stopping = nn.EarlyStopping(model, patience=patience or epochs)
    losses = []
    for _ in range(epochs):
        model.train()
        for x_batch, y_batch in nn.DataLoader(nn.TensorDataset(x, y), batch_size=32, shuffle=True):
            loss = criterion(model(augment(x_batch) if augment else x_batch), y_batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with no_grad():
            losses.append([criterion(model(x), y).item(), criterion(model(x_val), y_val).item()])
        if stopping.step(losses[-1][1]):
            break
    if patience:
        stopping.restore()
    return np.array(losses), np.mean(answers(model, x) == y), np.mean(answers(model, x_test) == y_test)


def compare(title, ways, wrong, seeds, n, epochs):
    """Train in several ways. Returns the learning curves of the first seed, and what is right as a mean over all."""
    print(title)
    curves, right, rows = {}, {}, []
    for name, way in progress([(way, WAYS[way]) for way in ways], "ways", lines=3):
        runs = [train(seed, n, wrong, epochs, **way) for seed in seeds]
        curves[name] = runs[0][0]
        known, held_out = np.mean([run[1:] for run in runs], axis=0)
        last, best = np.mean([[losses[-1, 1], losses[:, 1].min()] for losses, *_ in runs], axis=0)
        right[name] = dict(known=known, held_out=held_out, spread=np.std([run[2] for run in runs]))
        length = np.mean([len(losses) for losses, *_ in runs])
        measured = f"{length:.0f} {known:.1%} {held_out:.1%} {right[name]['spread']:.1%} {last:.2f} {best:.2f}"
        rows.append([name, *measured.split()])
    table(["", "epochs", "own labels, right", "held out, right", "+-", "validation loss at end", "at best"], rows)
    return curves, right


def main(argv=None):
    args = arguments(__doc__, argv)
    found = Findings()
    seeds = range(args.seed, args.seed + (1 if args.quick else 3))
    n, epochs = 300, (40 if args.quick else 100)

    title = f"1. {n} digits, a fifth with a label drawn at random; 64-128-128-10; mean of {len(seeds)} seed"
    curves, found["wrong"] = compare(title + "s" * (len(seeds) > 1), WAYS, 0.2, seeds, n, epochs)
    few = ["nothing", "dropout 0.6", "augmentation"]
    _, found["clean"] = compare("\n2. The same, with every label right", few, 0.0, seeds[:2], n, epochs // 2)

    wrong, clean = found["wrong"], found["clean"]
    least, *_, most = sorted(wrong[name]["held_out"] for name in WAYS if name != "nothing")
    gain = max(clean[name]["held_out"] for name in few[1:]) - clean["nothing"]["held_out"]
    found.claim(
        "L28", "true", "Dropout, weight decay, data augmentation and early stopping control overfitting.",
        f"A fifth of its labels wrong, it reads {wrong['nothing']['held_out']:.1%} of held-out digits left alone, "
        f"{least:.1%} to {most:.1%} with one of them. With right labels there is little to gain: {gain:+.1%}.",
    )  # fmt: skip

    def draw(*panels):
        for axes, (name, losses) in zip(panels, curves.items()):
            axes.plot(losses[:, 0], label="on its own labels")
            axes.plot(losses[:, 1], label="validation")
            axes.axvline(losses[:, 1].argmin(), color="black", linestyle=":", linewidth=1, label="at its best")
            axes.set(title=f"{name}: {wrong[name]['held_out']:.1%} right", ylim=(0, 2), xlim=(0, epochs))
        for axes in panels[3:]:
            axes.set_xlabel("epoch")
        for axes in panels[::3]:
            axes.set_ylabel("loss")
        panels[0].legend()

    picture(args.out / "regularization.png", draw, rows=2, columns=3, size=(11, 6), sharex=True, sharey=True)
    return found


if __name__ == "__main__":
    main()
