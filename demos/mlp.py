"""A multi-layer perceptron, from two moons that a line cannot part to digits that people wrote.

    python -m demos.mlp [--seed 0] [--out FOLDER] [--quick]

A network is a function with parameters: numbers go in, numbers come out, and gradients say how to change it.
Part 1 bends a boundary around two moons. Part 2 reads handwritten digits with everything that a careful programmer
uses, and is examined on digits it never saw. Part 3 looks inside, layer by layer; part 4 saves it and loads it again.
"""

from time import perf_counter
from typing import Any

import numpy as np

import nn
import nn.optim as optim
from autograd import no_grad

from .common import DIVERGING, Findings, arguments, picture, progress, table
from .datasets import answers, digits, moons


def bend(model, x, y, steps, lr, plane, shown=()):
    """Train on two moons. Returns the map of z over the plane at each step that is to be shown."""
    optimizer, criterion, maps = optim.Adam(model.parameters(), lr=lr), nn.BCEWithLogitsLoss(), {}
    for step in range(steps + 1):
        if step in shown:
            maps[step] = model(plane).data[..., 0]
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return maps


def read(seed, epochs):
    """Train on digits until the validation loss gets no better: the network, the digits it saw, those to examine it on,
    and its validation loss before the first epoch and after each."""
    nn.manual_seed(seed)
    train, (x_val, y_val), test = digits(np.random.default_rng(seed))
    model = nn.MLP([64, 128, 64, 10], nn.ReLU, batch_norm=True, dropout=0.2)
    criterion, optimizer = nn.CrossEntropyLoss(), optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    stopping = nn.EarlyStopping(model, patience=12)
    losses = [criterion(model.eval()(x_val), y_val).item()]
    for _ in range(epochs):
        model.train()
        for x, y in nn.DataLoader(nn.TensorDataset(*train), batch_size=32, shuffle=True):
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
            optimizer.step()
        model.eval()
        losses.append(criterion(model(x_val), y_val).item())
        if stopping.step(losses[-1]):
            break
    stopping.restore()
    return model, train, test, losses


def probes(model, train, test):
    """The part of the test digits that a linear map, by least squares, reads from the pixels and each hidden layer."""
    with_one = lambda h: np.column_stack([h, np.ones(len(h))])
    (h, y), (h_test, y_test), right = train, test, []
    for layer in [nn.Identity(), *model.eval()]:
        with no_grad():
            h, h_test = np.asarray(layer(h)), np.asarray(layer(h_test))
        if isinstance(layer, (nn.Identity, nn.ReLU)):
            fitted = np.linalg.lstsq(with_one(h), np.eye(10)[y], rcond=None)[0]
            right.append(np.mean(np.argmax(with_one(h_test) @ fitted, axis=1) == y_test))
    return right


def two_moons(args, found, steps):
    """Part 1: a boundary that learns to bend."""
    print("1. Two moons, 2 -> 16 tanh -> 16 tanh -> 1, beside one neuron; 300 points to learn, 2000 others to examine")
    rng = np.random.default_rng(args.seed)
    nn.manual_seed(args.seed)
    (x, y), (x_new, y_new) = moons(300, 0.15, rng), moons(2000, 0.15, rng)
    plane = np.stack(np.meshgrid(np.linspace(-1.6, 2.6, 140), np.linspace(-1.2, 1.7, 140)), axis=-1)  # (140, 140, 2)
    shown = [0, 20, 40, 60, 80, steps]
    network, neuron = nn.MLP([2, 16, 16, 1]), nn.MLP([2, 1])
    maps = bend(network, x, y, steps, 0.02, plane, shown)
    bend(neuron, x, y, steps, 0.2, plane)
    found["moons"], found["line"] = (np.mean(answers(model, x_new) == y_new[:, 0]) for model in (network, neuron))
    table(["", "right"], [["one neuron: a line", f"{found['line']:.1%}"], ["the network", f"{found['moons']:.1%}"]])

    def boundary(*panels):
        for axes, step in zip(panels, shown):
            p = 1 / (1 + np.exp(-maps[step]))
            axes.contourf(*plane.T, p.T, 20, cmap=DIVERGING, vmin=-0.5, vmax=1.5)  # paler than the points
            axes.contour(*plane.T, p.T, [0.5], colors="black")
            for moon, marker, colour in ((0, "o", "#3B1F5B"), (1, "^", "#7A3B00")):
                points = x[y[:, 0] == moon]
                axes.scatter(*points.T, s=14, marker=marker, color=colour, edgecolors="white", linewidths=0.3)
            axes.set(title=f"after {step} steps", xticks=[], yticks=[])

    picture(args.out / "mlp_moons.png", boundary, rows=2, columns=3)

    h, layers = x, [layer for layer in network if isinstance(layer, nn.Linear)]
    for layer, f in zip(layers, [np.tanh, np.tanh, np.positive]):
        h = f(h @ layer.weight.data.T + layer.bias.data)
    found["by_hand"] = np.abs(h - network(x).data).max()
    found.claim(
        "L15", "true", "h(l) = f(W(l) h(l-1) + b(l)), with W(l) of n(l) rows and n(l-1) columns.",
        f"Three lines of NumPy, with W of {', '.join('{} x {}'.format(*layer.weight.shape) for layer in layers)}, give "
        f"the network's answers to within {found['by_hand']:.1g}. A batch stands in rows, so they say h @ W.T + b; and "
        "after the last layer comes no f, or another one.",
    )  # fmt: skip


def handwriting(args, found, seeds, epochs):
    """Parts 2 to 4: networks that read digits, what they have learned, and how one is kept."""
    print("\n2. 1,797 handwritten digits, 64 -> 128 -> 64 -> 10: BatchNorm, ReLU, Dropout, AdamW, clipping, early stop")
    confusion = np.zeros((10, 10), int)
    rows: list[list[Any]] = []
    wrong: dict[bytes, Any] = {}
    probed = []
    for seed in progress(range(args.seed, args.seed + seeds), "networks", note=lambda: f"{rows[-1][5]} right"):
        start = perf_counter()
        model, train, (x, y), losses = read(seed, epochs)
        seconds, answer = perf_counter() - start, answers(model, x)
        np.add.at(confusion, (y, answer), 1)
        wrong |= {x[i].tobytes(): (x[i], y[i], answer[i]) for i in np.flatnonzero(answer != y)}
        probed.append([probes(net, train, (x, y)) for net in (model, nn.MLP([64, 128, 64, 10], nn.ReLU))])
        seen, unseen = np.mean(answers(model, train[0]) == train[1]), np.mean(answer == y)
        numbers = f"{losses[0]:.2f} {min(losses):.3f} {seen:.1%} {unseen:.1%} {seconds:.1f}"
        rows.append([seed, len(losses) - 1, *numbers.split()])
    table(["seed", "epochs", "loss at first", "loss at best", "seen, right", "359 never seen, right", "seconds"], rows)
    found["digits"], found["seconds"] = np.trace(confusion) / confusion.sum(), max(float(row[-1]) for row in rows)
    print(f"   Mean of {seeds} seeds: {found['digits']:.1%} of the digits that were never seen are read rightly.")
    found["parameters"] = sum(p.size for p in model.parameters())
    found.claim(
        "L1", "true", "A network is a parametrised nonlinear function, optimised by gradients.",
        f"This one takes R^64 to R^10 and has {found['parameters']} parameters. Gradients took its loss on digits set "
        f"aside from {losses[0]:.2f} to {min(losses):.3f}, and its answers from chance to {found['digits']:.1%} right.",
    )  # fmt: skip

    def matrix(axes):
        axes.imshow(np.sqrt(confusion), cmap="Blues")  # the root, so that one error shows beside two hundred successes
        for (i, j), n in np.ndenumerate(confusion):
            if n:
                axes.text(j, i, n, ha="center", va="center", color="white" if i == j else "black")
        axes.set(xticks=range(10), yticks=range(10), xlabel="read as", ylabel="written")
        axes.set_title(f"{confusion.sum()} examined, {confusion.sum() - np.trace(confusion)} read wrongly")
        axes.grid(False)

    def misread(*panels):
        for axes in panels:
            axes.axis("off")
        for axes, (pixels, digit, answer) in zip(panels, wrong.values()):
            axes.imshow(pixels.reshape(8, 8), cmap="gray_r")
            axes.set_title(f"a {digit}, read as {answer}")

    picture(args.out / "mlp_confusion.png", matrix, size=(5.4, 5.4))
    picture(args.out / "mlp_wrong.png", misread, rows=2, columns=6, size=(10, 4))

    print("\n3. What the layers are for: how well does a linear map read the digits from each of them?")
    found["trained"], found["untrained"] = trained, untrained = np.mean(probed, axis=0)
    names = ["from the pixels", "from hidden layer 1", "from hidden layer 2"]
    table(["", "trained", "untrained"], [[n, f"{a:.1%}", f"{b:.1%}"] for n, a, b in zip(names, trained, untrained)])
    found.claim(
        "L4", "simplified", "Stacked layers learn features hierarchically.",
        f"Learned layers are easier to read: {trained[0]:.1%} from the pixels, {trained[1]:.1%} and {trained[2]:.1%} "
        f"from the hidden layers, {untrained[2]:.1%} if these are left as they started. But the first learned layer is "
        "nearly enough: a hierarchy, strokes before shapes, is not to be seen in a network this small.",
    )  # fmt: skip

    print("\n4. Saved, and loaded into a new network")
    file, again = args.out / "mlp.npz", nn.MLP([64, 128, 64, 10], nn.ReLU, batch_norm=True, dropout=0.2)
    nn.save(file, model=model)
    nn.load(file, model=again)
    found["reloaded"] = bool(np.array_equal(again.eval()(x).data, model.eval()(x).data))
    same = "the same numbers." if found["reloaded"] else "OTHER numbers."
    print(f"   {file}, {file.stat().st_size} bytes, gives {same}")


def main(argv=None):
    args = arguments(__doc__, argv)
    found = Findings()
    two_moons(args, found, steps=150 if args.quick else 300)
    handwriting(args, found, *((2, 15) if args.quick else (5, 60)))
    return found


if __name__ == "__main__":
    main()
