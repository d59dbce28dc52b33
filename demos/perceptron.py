"""The perceptron: one neuron draws one line, which separates AND and OR, and never XOR.

    python -m demos.perceptron [--seed 0] [--out FOLDER] [--quick]

A neuron computes z = w . x + b and says yes where f(z) is large. Part 1 watches Rosenblatt's rule move its boundary.
Part 2 looks for the boundary in several dimensions, and measures that it is a hyperplane. Part 3 tries thousands of
neurons with each activation, and finds the word that the lesson forgot.
"""

import numpy as np

import nn

from .common import COLOURS, Findings, arguments, picture, table

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
TASKS = {"AND": np.array([0, 0, 0, 1]), "OR": np.array([0, 1, 1, 1]), "XOR": np.array([0, 1, 1, 0])}
MONOTONE = {"sigmoid": nn.Sigmoid(), "tanh": nn.Tanh(), "ReLU": nn.ReLU()}
CURVED = {"GELU": nn.GELU(), "Swish": nn.SiLU()}


def hyperplane(rng, n):
    """Where a neuron of n inputs changes its mind: how far those points lie from one hyperplane, and how many they are.

    They are found by bisection between points with different answers, without a look at w. The plane is fitted to half
    of them; the distance is that of the others. The points themselves are several units apart.
    """
    neuron = nn.Perceptron(n)
    yes = lambda points: neuron(points).data[:, 0] > 0.5
    start, end = rng.normal(0, 3, (2, 40 * n, n))
    start, end = (points[yes(start) != yes(end)] for points in (start, end))
    for _ in range(60):
        middle = (start + end) / 2
        same = (yes(middle) == yes(start))[:, None]
        start, end = np.where(same, middle, start), np.where(same, end, middle)
    fitted, others = np.array_split(start, 2)
    normal = np.linalg.svd(fitted - fitted.mean(axis=0))[2][-1]  # the direction in which they do not spread
    return np.abs((others - fitted.mean(axis=0)) @ normal).max(), len(others)


def best(f, t):
    """The most points that any y = f(w1 x1 + w2 x2 + b) gets right, with yes above or below any threshold."""
    grid = np.arange(-16, 17) / 4
    w1, w2, b = (axis.ravel() for axis in np.meshgrid(grid, grid, grid))
    y = f(X[:, :1] * w1 + X[:, 1:] * w2 + b)  # (4 points, neurons)
    right = np.stack([((y > threshold) == t[:, None]).sum(axis=0) for threshold in y])
    return int(np.maximum(right, 4 - right).max())


def swish_neuron(x1, x2):
    """Swish(4 x1 + 4 x2 - 5.25): at z = -1.28 Swish turns from falling to rising, close to where XOR wants a 1."""
    return CURVED["Swish"](4 * x1 + 4 * x2 - 5.25)


def draw(*panels):
    side = np.linspace(-0.6, 1.6, 200)
    points = np.stack(np.meshgrid(side, side), axis=-1)
    shade = dict(colors=COLOURS[4], alpha=0.35)
    for axes, (name, t) in zip(panels, TASKS.items()):
        lesson = nn.Perceptron(2).learn(X, t)
        for epoch in range(1, len(lesson.mistakes) + 1):
            neuron = nn.Perceptron(2, nn.Identity)  # it answers z itself
            neuron.learn(X, t, max_epochs=epoch)
            z = neuron(points).data[..., 0]
            axes.contour(side, side, z, [0], colors="black", linewidths=0.4 * epoch)
        axes.contourf(side, side, z, [0, np.inf], **shade)
        axes.set_title(f"{name}: " + (f"separated in epoch {epoch}" if lesson.separable else "goes round for ever"))
    panels[3].contourf(side, side, swish_neuron(*points.T), [-1, -0.15], **shade)
    panels[3].set_title("XOR: Swish(z) < -0.15")
    for axes, t in zip(panels, [*TASKS.values(), TASKS["XOR"]]):
        for k, marker in enumerate("os"):
            axes.plot(*X[t == k].T, marker, color=COLOURS[1 - k], markersize=11, label=f"wanted: {k}")
        axes.set(xlabel="x1", ylabel="x2", xticks=[0, 1], yticks=[0, 1], aspect="equal")
    panels[1].legend(loc="center", title="shaded: yes\nthicker: later")


def main(argv=None):
    args = arguments(__doc__, argv)
    rng = np.random.default_rng(args.seed)
    nn.manual_seed(args.seed)
    found = Findings(lessons={}, distance={}, best={})

    print("1. Rosenblatt's rule: w <- w + (t - y) x and b <- b + (t - y), example by example, from zero")
    for name, t in TASKS.items():
        found["lessons"][name] = lesson = nn.Perceptron(2).learn(X, t)
        print(f"   {name:<4}mistakes in each epoch:", *lesson.mistakes, f"\n       {lesson}")
    neuron, points = nn.Perceptron(10), rng.normal(size=(100, 10))
    z = points @ neuron.weight.data[0] + neuron.bias.data
    found["formula"] = off = np.abs(neuron(points).data[:, 0] - 1 / (1 + np.exp(-z))).max()
    found.claim(
        "L5", "true" if off < 1e-14 else "wrong", "z = w . x + b, y = sigma(z).",
        f"nn.Perceptron and the formula differ by at most {off:.1g} on 100 points in 10 dimensions.",
    )  # fmt: skip

    print("\n2. Where does a neuron change its mind?")
    for n in (2, 3, 10):
        found["distance"][n], count = hyperplane(rng, n)
        print(f"   {n:2} inputs: {count:3} points of the boundary within {found['distance'][n]:.0e} of a hyperplane")
    off = max(found["distance"].values())
    found.claim(
        "L6", "true" if off < 1e-12 else "wrong", "The boundary w . x + b = 0 is a hyperplane.",
        f"In 2, 3 and 10 dimensions points of the boundary lie within {off:.0e} of a plane fitted to others.",
    )  # fmt: skip

    print("\n3. Of 35,937 neurons with any threshold, how many of 4 points does the best get right?")
    for name, f in {**MONOTONE, **CURVED}.items():
        found["best"][name] = {task: best(f, t) for task, t in TASKS.items()}
    table(["activation", *TASKS], [(name, *right.values()) for name, right in found["best"].items()])
    found["swish"] = swish_neuron(*X.T)
    print("   Swish(4 x1 + 4 x2 - 5.25) on the four:", *np.round(found["swish"], 2), " XOR: below -0.15")
    monotone, curved = (max(found["best"][name]["XOR"] for name in names) for names in (MONOTONE, CURVED))
    found.claim(
        "L7", "simplified" if monotone < curved else "true",
        "One neuron solves only linearly separable problems; XOR is impossible.",
        f"With a monotone activation, yes: {monotone} of 4 points at best, and Rosenblatt's rule goes round for ever. "
        f"But GELU and Swish fall before they rise: one such neuron gets {curved}.",
    )  # fmt: skip

    picture(args.out / "perceptron.png", draw, columns=4, size=(14, 3.8))
    return found


if __name__ == "__main__":
    main()
