"""Approximation: what one hidden layer can be, what training finds of it, and an activation that cannot.

    python -m demos.approximation [--seed 0] [--out FOLDER] [--quick]

The theorem says that enough hidden neurons come as close as you like to any continuous function. Part 1 looks for such
networks in two ways, by training all weights and by solving for the output weights alone. Part 2 tries activations for
which the theorem fails. Part 3 asks for a jump, and for more inputs.
"""

import numpy as np

import nn
import nn.optim as optim

from .common import Findings, arguments, fit, picture, progress, table

ACTIVATIONS = {"tanh": np.tanh, "ReLU": nn.ReLU(), "identity": nn.Identity(), "square": np.square}
X, DENSE = np.linspace(-1, 1, 1001)[:, None], np.linspace(-1, 1, 4001)[:, None]  # to learn from, to examine with


def smooth(x):
    """The function that is wanted, of x in [-1, 1]."""
    return np.exp(x) * np.sin(2 * np.pi * x) / 2


def jump(x):
    """-1/2 to the left of 0, 1/2 to the right."""
    return np.where(x > 0, 0.5, -0.5)


def product(x):
    """sin(2 x_1) sin(2 x_2) ... for points x of shape (m, n): as smooth in every direction, whatever n is."""
    return np.prod(np.sin(2 * x), axis=1, keepdims=True)


def trained(width, steps, seed):
    """A network 1-width-1 with tanh after so many steps of Adam on all its weights."""
    nn.manual_seed(seed)
    model = nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, 1))
    fit(model, X[::20], smooth(X[::20]), optim.Adam(model.parameters(), lr=0.03), steps)
    return lambda x: model(x).data


def solved(f, width, seed, x, y):
    """A network of this width whose hidden weights are random and stay so; the output weights by least squares."""
    rng = np.random.default_rng(seed)
    w, b = rng.normal(0, 5, (x.shape[1], width)), rng.uniform(-5, 5, width)
    hidden = lambda x: np.column_stack([f(x @ w + b), np.ones(len(x))])  # (points, width + 1); the last for the bias
    output = np.linalg.lstsq(hidden(x), y)[0]
    return lambda x: hidden(x) @ output


def error(network, wanted, x=DENSE):
    """The largest error on x."""
    return float(np.abs(network(x) - wanted(x)).max())


def main(argv=None):
    args = arguments(__doc__, argv)
    widths, steps = ([1, 16, 256], 400) if args.quick else ([1, 2, 4, 8, 16, 32, 64, 128, 256], 1000)
    seeds = range(args.seed, args.seed + (1 if args.quick else 3))
    found = Findings(trained={}, solved={name: {} for name in ACTIVATIONS}, dimension={})

    print(f"1. exp(x) sin(2 pi x) / 2 by one hidden layer: the largest error, best of {len(seeds)} starts")
    for width in progress(widths, "widths", lines=3):
        found["trained"][width] = min(error(trained(width, steps, seed), smooth) for seed in seeds)
        for name, f in ACTIVATIONS.items():
            found["solved"][name][width] = min(error(solved(f, width, seed, X, smooth(X)), smooth) for seed in seeds)
    by_width = {n: [found["trained"][n], *(found["solved"][name][n] for name in ACTIVATIONS)] for n in widths}
    titles = ["neurons", f"tanh, {steps} steps of Adam", "tanh, output solved for", "ReLU, output solved for"]
    table(titles, [(n, *(f"{e:.0e}" for e in errors[:3])) for n, errors in by_width.items()])

    print("\n2. The same, solved for, with activations that are polynomials, and not constant")
    table(["neurons", "identity", "square"], [(n, *(f"{e:.2f}" for e in errors[3:])) for n, errors in by_width.items()])

    print("\n3. What is not continuous, and what has more inputs: solved for, with tanh")
    near = np.array([[-1e-9], [1e-9]])
    found["jump"] = {n: error(solved(np.tanh, n, args.seed, X, jump(X)), jump, near) for n in (1, 16, 256)}
    errors = ", ".join(f"{e:.3f} by {n}" for n, e in found["jump"].items())
    print(f"   The error at a jump by 1: {errors} neurons")
    rng = np.random.default_rng(args.seed)
    for n in (1, 2, 3, 4):
        x, unseen = rng.uniform(-1, 1, (2, 1500, n))
        found["dimension"][n] = error(solved(np.tanh, 256, args.seed, x, product(x)), product, unseen)
    errors = ", ".join(f"{e:.0e} for {n}" for n, e in found["dimension"].items())
    print(f"   The error of 256 neurons at sin(2 x_1) sin(2 x_2) ...: {errors} inputs")
    found["possible"], found["reached"] = min(found["solved"]["tanh"].values()), min(found["trained"].values())
    found.claim(
        "L2", "simplified", "A network learns any mapping.",
        f"It can be close to any continuous one: {found['possible']:.0e} here. To learn is more than to be: {steps} "
        f"steps of training reach {found['reached']:.0e}. A jump by 1 it misses by {found['jump'][256]:.3f} close by: "
        "a function that does not jump itself misses it by at least half.",
    )  # fmt: skip
    line, parabola = (found["solved"][name][256] for name in ("identity", "square"))
    found.claim(
        "L16", "wrong", "One wide enough hidden layer with a non-constant activation nears any continuous function.",
        f"Identity and square, not constant, err by {line:.2f} and {parabola:.2f} at 256 neurons; tanh, no polynomial "
        f"(Leshno et al., 1993), by {found['possible']:.0e}. That it exists is all: training errs by "
        f"{found['reached']:.0e}; with four inputs 256 err by {found['dimension'][4]:.0e}.",
    )  # fmt: skip

    def draw(curves, errors):
        curves.plot(DENSE, smooth(DENSE), color="black", linewidth=4, alpha=0.3, label="wanted")
        for n, style in ((4, "--"), (16, "-."), (256, ":")):
            curves.plot(DENSE, trained(n, steps, args.seed)(DENSE), style, linewidth=2, label=f"{n} neurons, trained")
        curves.plot(DENSE, solved(np.square, 256, args.seed, X, smooth(X))(DENSE), label="256 squares, solved for")
        curves.set(xlabel="x", ylabel="y", title="One hidden layer of tanh, or of squares")
        errors.loglog(*zip(*found["trained"].items()), "o--", label="tanh, trained")
        for name, style in zip(ACTIVATIONS, ("s-", "^-", "v:", "x:")):
            errors.loglog(*zip(*found["solved"][name].items()), style, label=f"{name}, output weights solved for")
        errors.set(xlabel="hidden neurons", ylabel="largest error", title="What is possible, and what is found")
        curves.legend()
        errors.legend(loc="lower left")

    picture(args.out / "approximation.png", draw, columns=2, size=(11, 4.6))
    return found


if __name__ == "__main__":
    main()
