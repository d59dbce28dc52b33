"""Backpropagation: the lesson's four equations by hand, beside the engine; then what they cost.

    python -m demos.backprop [--seed 0] [--out FOLDER] [--quick]

Part 1 goes backward with a pencil's formulas, for one sample and for a batch. Part 2 counts what the engine multiplies,
and takes the time. Part 3 goes back through long chains.
"""

from functools import reduce
from itertools import pairwise
from timeit import timeit

import numpy as np

import nn
from autograd import Tensor, no_grad, steps, topological_order
from autograd.special import expit

from .common import Findings, arguments, picture, table


def by_hand(W, b, a, t):
    """The lesson's equations, for samples in columns, sigmoid f in all layers, and L = sum (a - t)^2 / 2 at the end."""
    f_prime = lambda z: expit(z) * (1 - expit(z))
    z, activations = [], [a]
    for W_l, b_l in zip(W, b):
        z.append(W_l @ activations[-1] + b_l)
        activations.append(expit(z[-1]))
    delta = [(activations[-1] - t) * f_prime(z[-1])]  # delta(L) = grad_a L * f'(z(L))
    for l in reversed(range(len(W) - 1)):
        delta.insert(0, W[l + 1].T @ delta[0] * f_prime(z[l]))  # delta(l) = W(l+1)^T delta(l+1) * f'(z(l))
    dW = [delta_l @ a_before.T for delta_l, a_before in zip(delta, activations)]  # delta(l) a(l-1)^T: sums over columns
    return delta, dW, [delta_l.sum(axis=1, keepdims=True) for delta_l in delta]


def differences(widths, samples, rng):
    """The largest between the equations and the engine, for delta, dL/dW and dL/db."""
    W = [Tensor(rng.normal(size=(n_out, n_in)), requires_grad=True) for n_in, n_out in pairwise(widths)]
    b = [Tensor(rng.normal(size=(n, 1)), requires_grad=True) for n in widths[1:]]
    a, t = rng.normal(size=(widths[0], samples)), rng.random((widths[-1], samples))
    z, h = [], a
    for W_l, b_l in zip(W, b):
        z.append(W_l @ h + b_l)
        h = expit(z[-1])
    (np.sum((h - t) ** 2) / 2).backward()
    equations = by_hand([W_l.data for W_l in W], [b_l.data for b_l in b], a, t)
    engine = [[x.grad for x in xs] for xs in (z, W, b)]  # delta(l) is the gradient of z(l), which the engine keeps
    return [max(np.abs(x - y).max() for x, y in zip(*pair)) for pair in zip(equations, engine)]


def multiply_adds(loss):
    """Those of the matrix products on the way to loss, x W^T in each layer; and those of the engine's backward pass."""
    cost = lambda node: len(node.inputs[0]) * node.inputs[1].size
    forward = sum(cost(node) for node in topological_order(loss) if node.op and node.op.name == "linear")
    sent = [step for step in steps(loss) if step.node.op and step.node.op.name == "linear"]
    return forward, sum(cost(step.node) for step in sent if step.position < 2)  # to x or to W: a product each


def seconds(loss):
    """How long a forward pass takes, without a graph, and how long a backward pass."""
    with no_grad():
        there = timeit(loss, number=1)
    return there, timeit(loss().backward, number=1)


def main(argv=None):
    args = arguments(__doc__, argv)
    rng, found = np.random.default_rng(args.seed), Findings(multiply_adds={}, ratios={})
    nn.manual_seed(args.seed)
    print("1. The equations and the engine: the largest difference in 3 -> 5 -> 4 -> 2, all sigmoid")
    found["difference"] = {samples: differences([3, 5, 4, 2], samples, rng) for samples in (1, 32)}
    rows = [[f"samples: {n}", *(f"{d:.0e}" for d in each)] for n, each in found["difference"].items()]
    table(["", "delta = dL/dz", "dL/dW", "dL/db"], rows)
    found.claim(
        "L17", "true", "delta(L) = grad L * f'(z(L)), delta(l) = W(l+1)^T delta(l+1) * f'(z(l)), dL/dW = delta a^T",
        f"The engine's numbers, to within {max(map(max, found['difference'].values())):.0e}. They are for one sample: "
        "with a batch in columns delta a^T sums over it by itself; dL/db = delta does not, and takes a sum.",
    )  # fmt: skip

    print("\n2. Backward over forward: multiply-adds for each sample, as the engine does them; and microseconds")
    rows = []
    for widths, batch in [((784, 512, 256, 10), 128), ((10, 64, 32, 1), 64), ((256,) * 9, 128)]:
        model, x = nn.MLP(widths, nn.ReLU, dtype=np.float32), rng.standard_normal((batch, widths[0]), np.float32)
        loss = lambda model=model, x=x: np.sum(model(x))
        forward, backward = (count // batch for count in multiply_adds(loss()))
        there, back = np.min([seconds(loss) for _ in range(5 if args.quick else 50)], axis=0)  # the rest was disturbed
        name = "-".join(map(str, widths)) if len(widths) < 9 else "8 layers of 256"
        found["multiply_adds"][name], found["ratios"][name] = (forward, backward), (backward / forward, back / there)
        measured = f"{backward / forward:.2f} {there * 1e6:.0f} {back * 1e6:.0f} {back / there:.2f}"
        rows.append([name, sum(p.size for p in model.parameters()), forward, backward, *measured.split()])
    table(["network", "parameters", "forward", "backward", "ratio", "us forward", "us backward", "ratio"], rows)
    found.claim(
        "L18", "simplified", "Backward costs as much as forward, so training costs twice the forward pass.",
        "Backward has two products a layer, for W and for what comes before, but one at the first. That is "
        f"{', '.join(row[4] for row in rows)} times forward, towards 2 when deep: 2.25 to 3 times in all. "
        f"In time: {', '.join(row[-1] for row in rows)}.",
    )  # fmt: skip
    found.claim(
        "L3", "true", "Gradients are computed efficiently by backpropagation.",
        f"For {rows[0][4]} times the multiply-adds of a forward pass it gives all {rows[0][1]} derivatives of "
        f"{rows[0][0]}, exact but for rounding. Finite differences take a forward pass for each, and are not exact.",
    )  # fmt: skip

    print("\n3. Back through a chain of n multiplications")
    n = np.array([1000, 3000, 10_000, *[30_000, 100_000] * (not args.quick)])
    chain = lambda k: reduce(lambda y, _: 1.00001 * y, range(k), Tensor(1.0, requires_grad=True))
    found["chain"] = spent = np.min([[timeit(chain(k).backward, number=1) for k in n] for _ in range(5)], axis=0)
    found["steps"] = [sum(1 for _ in steps(chain(k))) for k in n]
    table(["n", "steps back", "us"], [[*counts, f"{t * 1e6:.0f}"] for *counts, t in zip(n, found["steps"], spent)])
    found.claim(
        "L25", "true", "Backpropagation takes O(n) time.",
        f"{n[-1]} operations take {found['steps'][-1]} steps back; from n = {n[0]} on the time grows as n to the power "
        f"{np.polyfit(np.log(n), np.log(spent), 1)[0]:.2f}. Here n counts operations or multiply-adds, not neurons.",
    )  # fmt: skip

    def draw(left, right):
        left.axhline(1, color="black", linestyle=":")
        points = left.plot(list(found["ratios"]), list(found["ratios"].values()), "o")
        left.legend(points, ["multiply-adds", "time"], loc="lower right")
        left.set(title="Backward over forward (dotted: the lesson)", ylim=(0, None), xlim=(-0.5, 2.5))
        lines = right.loglog(n, spent * 1e3, "o-", n, n * spent[0] / n[0] * 1e3, "k:")
        right.legend(lines, ["measured", "proportional to n"])
        right.set(title="Backward through a chain", xlabel="operations", ylabel="milliseconds")

    picture(args.out / "backprop.png", draw, columns=2, size=(9.4, 3.6))
    return found


if __name__ == "__main__":
    main()
