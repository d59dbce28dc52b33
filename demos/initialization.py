"""Initialization: what becomes of the variance of a signal in 50 layers, as foretold and as measured.

    python -m demos.initialization [--seed 0] [--out FOLDER] [--quick]

The lesson multiplies: each layer makes Var(h) Var(W) n times as large. Part 1 tries that on linear layers, where it is
right, and on tanh, ReLU and sigmoid, where it is not. Part 2 asks what ReLU halves. Part 3 follows differences
between inputs on their way forward, and the gradient on its way back.
"""

import math

import numpy as np

import nn

from .common import Findings, arguments, picture, progress, table

DEPTH = 50
TOO_SMALL, TOO_LARGE, XAVIER, HE = "1 / (4 n_in)", "4 / n_in", "Xavier: 2 / (n_in + n_out)", "He: 2 / n_in"
PYTORCH, SLIP = "PyTorch: 1 / (3 n_in)", "Xavier's variance taken for std"
RULES = {  # how each fills a weight, and the variance that it should have then
    TOO_SMALL: (lambda w: nn.init.normal_(w, std=0.5 / math.sqrt(w.shape[1])), lambda n_in, n_out: 1 / (4 * n_in)),
    TOO_LARGE: (lambda w: nn.init.normal_(w, std=2 / math.sqrt(w.shape[1])), lambda n_in, n_out: 4 / n_in),
    XAVIER: (nn.init.xavier_normal_, lambda n_in, n_out: 2 / (n_in + n_out)),
    HE: (lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"), lambda n_in, n_out: 2 / n_in),
    PYTORCH: (lambda w: w, lambda n_in, n_out: 1 / (3 * n_in)),  # as nn.Linear starts, here and in PyTorch
    SLIP: (lambda w: nn.init.normal_(w, std=2 / sum(w.shape)), lambda n_in, n_out: (2 / (n_in + n_out)) ** 2),
}
ACTIVATIONS = {"linear": nn.Identity(), "tanh": nn.Tanh(), "ReLU": nn.ReLU(), "sigmoid": nn.Sigmoid()}


def layers(rule, width, bias=False):
    """DEPTH linear layers with weights by this rule."""
    made = [nn.Linear(width, width, bias=bias) for _ in range(DEPTH)]
    for layer in made:
        RULES[rule][0](layer.weight)
    return made


def variances(rule, width, seed):
    """For each activation Var(h) after 0, 1, ... DEPTH layers with the same weights, from normal numbers."""
    nn.manual_seed(seed)
    weights = [layer.weight.data for layer in layers(rule, width)]
    found = {}
    for name, f in ACTIVATIONS.items():
        hs = [np.random.default_rng(seed).normal(size=(64, width))]
        for w in weights:
            hs.append(f(hs[-1] @ w.T))
        found[name] = [np.var(h) for h in hs]
    return found


def geometric_mean(runs):
    """The mean of runs whose values are products of many factors."""
    return np.exp(np.mean(np.log(runs), axis=0))


def both_ways(rule, name, width, seed, bias=False):
    """How much gets through all layers: of the variance between inputs going forward, of a gradient going back."""
    nn.manual_seed(seed)
    rng, f = np.random.default_rng(seed), ACTIVATIONS[name]
    first, *rest = layers(rule, width, bias)
    h = start = f(first(rng.normal(size=(64, width))))
    for layer in rest:
        h = f(layer(h))
    np.sum(h * rng.normal(size=h.shape)).backward()
    return np.var(h.data, axis=0).mean(), math.sqrt(np.mean(start.grad**2) / np.mean(h.grad**2))


def main(argv=None):
    args = arguments(__doc__, argv)
    width, seeds = (64, [args.seed]) if args.quick else (256, range(args.seed, args.seed + 3))
    rng = np.random.default_rng(args.seed)
    nn.manual_seed(args.seed)
    found = Findings(variance={}, foretold={}, measured={}, through={})

    print(f"1. Var(h) after {DEPTH} layers of {width}, from 1: foretold by (Var(W) n)^{DEPTH}, and measured")
    for rule, (fill, formula) in RULES.items():
        w = fill(nn.Linear(300, 100).weight)
        found["variance"][rule] = np.var(w.data) / formula(300, 100)
        found["foretold"][rule] = (formula(width, width) * width) ** np.arange(DEPTH + 1.0)
    for rule in progress(RULES, "rules", lines=2):
        runs = [variances(rule, width, seed) for seed in seeds]
        found["measured"][rule] = {name: geometric_mean([run[name] for run in runs]) for name in ACTIVATIONS}
    columns = {rule: (found["foretold"][rule], *found["measured"][rule].values()) for rule in RULES}
    table(
        ["Var(W)", "foretold", *ACTIVATIONS],
        [(rule, *(f"{variance[-1]:.1e}" for variance in columns[rule])) for rule in RULES],
    )

    z = rng.normal(size=1_000_000)
    relu = ACTIVATIONS["ReLU"](z)
    found["mean square"], found["variance of relu"] = np.mean(relu**2), np.var(relu)
    print("\n2. What does ReLU halve? Of normal numbers, with variance 1 and mean square 1, it makes numbers with")
    print(
        f"   mean square {found['mean square']:.3f} and variance {found['variance of relu']:.3f}: their mean is not 0."
    )

    print("\n3. There and back: the variance between 64 inputs after the last layer, the gradient behind the first")
    cases = [(XAVIER, "tanh", False), (HE, "ReLU", False), (XAVIER, "sigmoid", False), (PYTORCH, "ReLU", False)]
    for rule, name, bias in [*cases, (PYTORCH, "ReLU", True)]:
        found["through"][rule, name, bias] = difference, gradient = both_ways(rule, name, width, args.seed, bias)
        label = f"{name}, {rule}" + ", with its biases" * bias
        print(f"   {label:<48} variance {difference:.0e}   gradient {gradient:.0e}")
    claims(found)

    def draw(linear, nonlinear):
        for rule in RULES:
            linear.semilogy(found["measured"][rule]["linear"], linewidth=2.2, label=rule)
            linear.semilogy(found["foretold"][rule], color="black", linewidth=0.7, zorder=3)
        linear.set(xlabel="layer", ylabel="Var(h)", title="Linear layers; thin black: foretold", ylim=(1e-60, 1e60))
        pairs = [
            (XAVIER, "tanh"),
            (HE, "ReLU"),
            (XAVIER, "ReLU"),
            (PYTORCH, "ReLU"),
            (TOO_LARGE, "tanh"),
            (XAVIER, "sigmoid"),
        ]
        for (rule, name), style in zip(pairs, ["-", "-", "-", "-", "--", ":"]):
            label = f"{name}, {rule.partition(':')[0]}"
            nonlinear.semilogy(found["measured"][rule][name], style, linewidth=2.2, label=label)
        nonlinear.set(xlabel="layer", ylabel="Var(h)", title="With a nonlinearity", ylim=(1e-45, 1e6))
        linear.legend(ncols=2, loc="upper left")
        nonlinear.legend(loc="lower left")

    picture(args.out / "initialization.png", draw, columns=2, size=(11, 4.6))
    return found


def claims(found):
    """What the lesson says, and what was measured."""
    foretold = {rule: variances[-1] for rule, variances in found["foretold"].items()}
    last = {(rule, name): found["measured"][rule][name][-1] for rule in RULES for name in ACTIVATIONS}
    found["off"] = max(abs(math.log10(last[rule, "linear"] / foretold[rule])) for rule in RULES)
    found.claim(
        "L21",
        "simplified",
        "Var(h_L) = Var(h_0) prod Var(W_k) n_(k-1): it explodes or vanishes unless each factor is 1.",
        f"{DEPTH} linear layers keep to it within a factor of {10 ** found['off']:.1f}, which is chance. Others do "
        f"not: He + ReLU is foretold {foretold[HE]:.0e} and has {last[HE, 'ReLU']:.2g}; Xavier + tanh is foretold "
        f"{foretold[XAVIER]:g} and has {last[XAVIER, 'tanh']:.2g}; 4 / n_in + tanh is foretold "
        f"{foretold[TOO_LARGE]:.0e} and has {last[TOO_LARGE, 'tanh']:.2g}.",
    )
    (between, _), (lost, back) = (found["through"][XAVIER, name, False] for name in ("tanh", "sigmoid"))
    found.claim(
        "L22",
        "simplified",
        "Xavier/Glorot for sigmoid and tanh: 2 / (n_in + n_out).",
        f"For tanh it serves: after {DEPTH} layers inputs still differ, by a variance of {between:.2g}. It does not "
        f"rescue a deep sigmoid network: inputs differ by {lost:.0e}, the gradient shrinks to {back:.0e}. And it is a "
        f"variance: NumPy and PyTorch take its root; taken for that, it leaves {last[SLIP, 'tanh']:.0e}.",
    )
    found.claim(
        "L23",
        "simplified",
        "He/Kaiming for ReLU: 2 / n_in, because ReLU halves the variance.",
        f"The rule works: {last[HE, 'ReLU']:.2g} after {DEPTH} layers. What ReLU halves is the mean square, to "
        f"{found['mean square']:.3f}, of which the next layer makes its variance; the variance falls to "
        f"{found['variance of relu']:.3f}. PyTorch's default is neither Xavier nor He: 1 / (3 n_in), which leaves "
        f"{last[PYTORCH, 'ReLU']:.0e}.",
    )


if __name__ == "__main__":
    main()
