"""Initialization: what becomes of the variance of a signal in 50 layers, as foretold and as measured.

    python -m demos.initialization [--seed 0] [--out FOLDER] [--quick]

The lesson multiplies: each layer makes Var(h) Var(W) n times as large. Part 1 tries that on linear layers, where it is
right, and on tanh, ReLU and sigmoid, where it is not. Part 2 asks what ReLU halves. Part 3 follows the differences
between inputs on their way forward, and the gradient on its way back.
"""

import math

import numpy as np

import nn
from autograd import Tensor

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


def through(rule, name, width, seed, bias):
    """Send 64 inputs of normal numbers through DEPTH layers. Returns Var(h) before the first and after each; the
    variance between inputs at the end; and the length of the gradient that comes back, as a part of what was sent."""
    nn.manual_seed(seed)
    rng = np.random.default_rng(seed)
    hs = [Tensor(rng.normal(size=(64, width)), requires_grad=True)]
    for _ in range(DEPTH):
        layer = nn.Linear(width, width, bias=bias).requires_grad_(False)  # only h's is asked
        RULES[rule][0](layer.weight)
        hs.append(ACTIVATIONS[name](layer(hs[-1])))
    sent = rng.normal(size=(64, width))
    hs[-1].backward(sent)
    back = np.linalg.norm(hs[0].grad) / np.linalg.norm(sent)
    return [np.var(h.data) for h in hs], np.var(hs[-1].data, axis=0).mean(), back


def typical(rule, name, width, seeds, bias=False):
    """The medians of what becomes of signals, over some seeds."""
    runs = [through(rule, name, width, seed, bias) for seed in seeds]
    return [np.median(numbers, axis=0) for numbers in zip(*runs)]


def main(argv=None):
    args = arguments(__doc__, argv)
    width, seeds = (64, [args.seed]) if args.quick else (256, range(args.seed, args.seed + 3))
    found = Findings(foretold={}, measured={}, ends={})

    print(f"1. Var(h) after {DEPTH} layers of {width}, from 1: foretold by (Var(W) n)^{DEPTH}, and measured")
    for rule, (_, variance) in progress(RULES.items(), "rules", lines=3):
        found["foretold"][rule] = (variance(width, width) * width) ** np.arange(DEPTH + 1.0)
        for name in ACTIVATIONS:
            found["measured"][rule, name], *found["ends"][rule, name] = typical(rule, name, width, seeds)
    foretold = {rule: variances[-1] for rule, variances in found["foretold"].items()}
    last = {case: variances[-1] for case, variances in found["measured"].items()}
    rows = [[rule, foretold[rule], *(last[rule, name] for name in ACTIVATIONS)] for rule in RULES]
    table(["Var(W)", "foretold", *ACTIVATIONS], [[rule, *(f"{x:.1e}" for x in numbers)] for rule, *numbers in rows])
    off = max(abs(math.log10(last[rule, "linear"] / foretold[rule])) for rule in RULES)
    found.claim(
        "L21", "simplified", "Var(h_L) = Var(h_0) prod Var(W_k) n_(k-1): to be stable each factor has to be 1.",
        f"{DEPTH} linear layers keep to it within a factor of {10**off:.2f}, which is chance. Others do not: He + ReLU "
        f"is foretold {foretold[HE]:.0e} and has {last[HE, 'ReLU']:.2g}; Xavier + tanh is foretold "
        f"{foretold[XAVIER]:g} and has {last[XAVIER, 'tanh']:.2g}; 4 / n_in + tanh is foretold "
        f"{foretold[TOO_LARGE]:.0e} and has {last[TOO_LARGE, 'tanh']:.2g}.",
    )  # fmt: skip

    relu = ACTIVATIONS["ReLU"](np.random.default_rng(args.seed).normal(size=1_000_000))
    found["mean square"], found["variance of relu"] = square, variance = np.mean(relu**2), np.var(relu)
    print("\n2. What does ReLU halve? Of normal numbers, with variance 1 and mean square 1, it makes numbers with")
    print(f"   mean square {square:.3f} and variance {variance:.3f}: their mean is {relu.mean():.3f}, not 0.")
    found.claim(
        "L23", "simplified", "He/Kaiming for ReLU: 2 / n_in, because ReLU halves the variance.",
        f"The rule works: {last[HE, 'ReLU']:.2g} after {DEPTH} layers. But ReLU halves E[h^2], to {square:.3f}, "
        f"the variance falls to {variance:.3f}. PyTorch's default is neither: 1 / (3 n_in) leaves "
        f"{last[PYTORCH, 'ReLU']:.0e}.",
    )  # fmt: skip

    print("\n3. There and back: the variance between inputs after the last layer, and the gradient before the first")
    ends = {f"{name}, {rule}": found["ends"][rule, name] for name, rule in
            [("tanh", XAVIER), ("ReLU", HE), ("sigmoid", XAVIER), ("ReLU", PYTORCH)]}  # fmt: skip
    ends["ReLU, all as PyTorch starts, biases too"] = typical(PYTORCH, "ReLU", width, seeds, bias=True)[1:]
    table(["", "variance", "gradient"], [[label, *(f"{x:.0e}" for x in pair)] for label, pair in ends.items()])
    (between, _), (lost, back) = (found["ends"][XAVIER, name] for name in ("tanh", "sigmoid"))
    found.claim(
        "L22", "simplified", "Xavier/Glorot for sigmoid and tanh: 2 / (n_in + n_out).",
        f"For tanh, yes: after {DEPTH} layers inputs differ by a variance of {between:.2g}. For sigmoid by {lost:.0e}, "
        f"rounding, and the gradient shrinks to {back:.0e}. It is a variance; taken for a standard deviation it leaves "
        f"tanh {last[SLIP, 'tanh']:.0e}.",
    )  # fmt: skip

    def draw(linear, nonlinear):
        for rule in RULES:
            linear.semilogy(found["measured"][rule, "linear"], linewidth=2.2, label=rule)
            linear.semilogy(found["foretold"][rule], color="black", linewidth=0.7, zorder=3)
        linear.set(xlabel="layer", ylabel="Var(h)", title="Linear layers; thin black: foretold", ylim=(1e-60, 1e60))
        cases = {(XAVIER, "tanh"): "-", (HE, "ReLU"): "-", (XAVIER, "ReLU"): "-", (PYTORCH, "ReLU"): "-"}
        for (rule, name), style in {**cases, (TOO_LARGE, "tanh"): "--", (XAVIER, "sigmoid"): ":"}.items():
            label = f"{name}, {rule.partition(':')[0]}"
            nonlinear.semilogy(found["measured"][rule, name], style, linewidth=2.2, label=label)
        nonlinear.set(xlabel="layer", ylabel="Var(h)", title="With a nonlinearity", ylim=(1e-45, 1e6))
        linear.legend(ncols=2, loc="upper left")
        nonlinear.legend(loc="lower left")

    picture(args.out / "initialization.png", draw, columns=2, size=(11, 4.6))
    return found


if __name__ == "__main__":
    main()
