"""A multi-layer perceptron, from two moons that no line can part to digits that people wrote.

    python -m demos.mlp [--seed 0] [--out FOLDER] [--quick]

Part 1 bends a boundary around two moons. Part 2 reads digits with everything that a careful programmer uses, and is
examined on digits it never saw. Part 3 looks inside, layer by layer; part 4 saves the network and loads it again.
"""

from copy import deepcopy
from functools import partial
from time import perf_counter

import numpy as np

import nn
import nn.optim as optim
from autograd import no_grad
from viz import plot_decision

from .common import Findings, arguments, picture, progress, table
from .datasets import answers, digits, moons

reader = partial(nn.MLP, [64, 128, 64, 10], nn.ReLU, batch_norm=True, dropout=0.2)


def two_moons(args, found, steps):
    print("1. Two moons, 2 -> 16 tanh -> 16 tanh -> 1: 300 points to learn, 2000 others to be examined on")
    nn.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    (x, y), (x_new, y_new) = moons(300, 0.15, rng), moons(2000, 0.15, rng)
    model, criterion, as_it_was = nn.MLP([2, 16, 16, 1], nn.Tanh), nn.BCEWithLogitsLoss(), {}
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    for step in range(steps + 1):
        if step in (0, 20, 40, 60, 80, steps):
            as_it_was[step] = deepcopy(model)
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found["moons"] = {step: np.mean(answers(model, x_new) == y_new[:, 0]) for step, model in as_it_was.items()}
    table(["after steps", *as_it_was], [["right", *(f"{right:.1%}" for right in found["moons"].values())]])

    W1, b1, W2, b2, W3, b3 = (p.data for p in model.parameters())
    found["by_hand"] = np.abs(np.tanh(np.tanh(x @ W1.T + b1) @ W2.T + b2) @ W3.T + b3 - model(x).data).max()
    found.claim(
        "L15", "true", "h(l) = f(W(l) h(l-1) + b(l)), with W(l) of n(l) rows and n(l-1) columns.",
        f"One line of NumPy, with W of {', '.join('{} x {}'.format(*W.shape) for W in (W1, W2, W3))}, differs from the "
        f"network by {found['by_hand']:.1g}. A batch stands in rows: h @ W.T + b. After the last layer comes no f.",
    )  # fmt: skip

    def boundary(*panels):
        for axes, (step, model) in zip(panels, as_it_was.items()):
            plot_decision(model, x, y, axes=axes)
            axes.set(title=f"after {step} steps: {axes.get_title()}", xlabel="", ylabel="")
            axes.get_legend().set(visible=step == 0)

    picture(args.out / "mlp_moons.png", boundary, rows=2, columns=3)


@no_grad()
def probe(layers, train, test):
    """The part of the test digits that a linear map, by least squares, reads from what the layers make of them."""
    h, h_test = (np.column_stack([np.asarray(layers(x)), np.ones(len(x))]) for x, _ in (train, test))
    fitted = np.linalg.lstsq(h, np.eye(10)[train[1]], rcond=None)[0]
    return np.mean(np.argmax(h_test @ fitted, axis=1) == test[1])


def main(argv=None):
    args = arguments(__doc__, argv)
    found = Findings()
    two_moons(args, found, steps=150 if args.quick else 300)

    print("\n2. 1,797 handwritten digits, 64 -> 128 -> 64 -> 10: BatchNorm, ReLU, Dropout, AdamW, clipping, early stop")
    confusion, rows, probed, wrong = np.zeros((10, 10), int), [], [], []
    for seed in progress(range(args.seed, args.seed + (1 if args.quick else 5)), "networks"):
        start = perf_counter()
        nn.manual_seed(seed)
        train, (x_val, y_val), (x, y) = digits(np.random.default_rng(seed))
        model, fresh, criterion = reader(), reader().eval(), nn.CrossEntropyLoss()
        optimizer, stopping = optim.AdamW(model.parameters(), lr=3e-3), nn.EarlyStopping(model, patience=12)
        for _ in range(15 if args.quick else 60):
            for x_batch, y_batch in nn.DataLoader(nn.TensorDataset(*train), batch_size=32, shuffle=True):
                loss = criterion(model.train()(x_batch), y_batch)
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
                optimizer.step()
            if stopping.step(criterion(model.eval()(x_val), y_val)):
                break
        stopping.restore()
        seconds, guess, answer = perf_counter() - start, answers(fresh, x), answers(model, x)
        before, after = (f"{np.mean(said == y):.1%}" for said in (guess, answer))
        rows.append([seed, stopping.epoch + 1, before, after, f"{seconds:.1f}"])
        probed.append([[probe(net[:k], train, (x, y)) for k in (0, 4, 8)] for net in (model, fresh)])
        np.add.at(confusion, (y, answer), 1)
        wrong += [(x[i], f"a {y[i]}, read as {answer[i]}") for i in np.flatnonzero(answer != y)]
    table(["seed", "epochs", "359 never seen: right untrained", "trained", "seconds"], rows)
    found["digits"] = np.trace(confusion) / confusion.sum()
    print(f"   Mean over all seeds: {found['digits']:.1%}. Each digit, and as what it was read:")
    table(["", *range(10)], [[digit, *(n or "." for n in counts)] for digit, counts in enumerate(confusion)])
    found.claim(
        "L1", "true", "A network is a parametrised nonlinear function, optimised by gradients.",
        f"This one, from R^64 to R^10, has {sum(p.size for p in model.parameters())} parameters. Gradients took it "
        f"from {before} to {after} of the digits that it never saw; the mean is {found['digits']:.1%}.",
    )  # fmt: skip

    def misread(*panels):
        for axes in panels:
            axes.set_axis_off()
        for axes, (pixels, title) in zip(panels, wrong):
            axes.imshow(pixels.reshape(8, 8), cmap="gray_r")
            axes.set(title=title)

    picture(args.out / "mlp_wrong.png", misread, rows=2, columns=6, size=(10, 4))
    print("\n3. What the layers are for: how well does a linear map read the digits from each of them?")
    found["trained"], found["untrained"] = np.mean(probed, axis=0)
    rows = [[name, *(f"{part:.1%}" for part in found[name])] for name in ("trained", "untrained")]
    table(["", "from the pixels", "hidden layer 1", "hidden layer 2"], rows)
    (_, pixels, first, second), (_, _, *raw) = rows
    found.claim(
        "L4", "simplified", "Stacked layers learn features hierarchically.",
        f"From pixels it reads {pixels}, from learned layers {first} and {second}, from untrained {' and '.join(raw)}. "
        "But the first learned layer is nearly enough: a hierarchy, strokes before shapes, is not to be seen here.",
    )  # fmt: skip
    nn.save(args.out / "mlp.npz", model=model)
    nn.load(args.out / "mlp.npz", model=fresh)
    found["reloaded"] = bool(np.array_equal(fresh(x).data, model(x).data))
    print(f"\n4. Saved, and loaded into an untrained network: {'the same' if found['reloaded'] else 'OTHER'} numbers.")
    return found


if __name__ == "__main__":
    main()
