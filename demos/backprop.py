"""Backpropagation: the lesson's four equations by hand, beside the engine; then what they cost.

    python -m demos.backprop [--seed 0] [--out FOLDER] [--quick]

Part 1 goes backward through a network with a pencil's formulas, for one sample and for a batch, and lays the numbers
beside the engine's. Part 2 counts the multiplications that the engine does, and takes the time. Part 3 gets the same
gradient without backpropagation. Part 4 lets the graph grow to many thousand operations.
"""

from itertools import pairwise
from math import prod
from time import perf_counter
from typing import Any

import numpy as np

import nn
from autograd import Tensor, no_grad, steps
from autograd.special import expit

from .common import Findings, arguments, picture, progress, table


def by_hand(W, b, a, t):
    """The lesson's equations, for samples in columns, sigmoid in all layers, and L = sum (a - t)^2 / 2 at the end.

    W, b, a, t are the weights, the biases, the input (n_0, samples), the target. Returns delta, dL/dW, dL/db by layer.
    """
    sigma_prime = lambda z: expit(z) * (1 - expit(z))
    z, activations = [], [a]
    for W_l, b_l in zip(W, b):
        z.append(W_l @ activations[-1] + b_l)
        activations.append(expit(z[-1]))
    delta = [(activations[-1] - t) * sigma_prime(z[-1])]  # delta(L) = grad_a L * sigma'(z(L))
    for l in reversed(range(len(W) - 1)):
        delta.insert(0, W[l + 1].T @ delta[0] * sigma_prime(z[l]))  # delta(l) = W(l+1)^T delta(l+1) * sigma'(z(l))
    dW = [delta_l @ a_before.T for delta_l, a_before in zip(delta, activations)]  # delta(l) a(l-1)^T: sums over columns
    db = [delta_l.sum(axis=1, keepdims=True) for delta_l in delta]
    return delta, dW, db


def beside(widths, samples, rng):
    """The largest difference between the equations and the engine, for delta, dL/dW and dL/db."""
    W = [rng.normal(size=(n_out, n_in)) for n_in, n_out in pairwise(widths)]
    b = [rng.normal(size=(n, 1)) for n in widths[1:]]
    a, t = rng.normal(size=(widths[0], samples)), rng.random((widths[-1], samples))
    equations = by_hand(W, b, a, t)

    W, b = ([Tensor(x, requires_grad=True) for x in xs] for xs in (W, b))
    z, h = [], a
    for W_l, b_l in zip(W, b):
        z.append(W_l @ h + b_l)
        h = expit(z[-1])
    (np.sum((h - t) ** 2) / 2).backward()
    engine = [[x.grad for x in xs] for xs in (z, W, b)]  # delta(l) is the gradient of z(l), which the engine keeps
    return [max(np.abs(x - y).max() for x, y in zip(*pair)) for pair in zip(equations, engine)]


def network(widths, batch, rng, dtype=np.float32):
    """A function that computes a ReLU network's loss on a batch, and the network."""
    model = nn.MLP(widths, nn.ReLU, dtype=dtype)
    x = rng.standard_normal((batch, widths[0]), dtype)
    return lambda: np.sum(model(x)), model


def products(loss):
    """The multiply-adds of the matrix products on the way to loss and in its backward pass, as the engine does them."""
    forward = backward = 0
    nodes = set()
    for step in steps(loss):
        if (
            step.node.op and step.node.op.name == "linear" and step.position < 2
        ):  # the gradient of x or of W: one product each
            x, W = step.node.inputs[:2]
            cost = len(x) * prod(W.shape)
            backward += cost
            forward += cost * (id(step.node) not in nodes)
            nodes.add(id(step.node))
    return forward, backward


def seconds(action, times, prepare=lambda: ()):
    """The shortest time that action(*prepare()) takes."""
    best = np.inf
    for _ in range(times):
        given = prepare()
        start = perf_counter()
        action(*given)
        best = min(best, perf_counter() - start)
    return best


def finite_differences(loss, parameters, h=1e-6):
    """(L(w + h) - L(w)) / h for every number w in the parameters: as many forward passes, and one more."""
    gradient = []
    with no_grad():
        start = loss().item()
        for p in parameters:
            for i in np.ndindex(p.shape):
                before = p.data[i]
                p.data[i] = before + h
                gradient.append((loss().item() - start) / h)
                p.data[i] = before
    return np.array(gradient)


def chain(n):
    """sin(sin(... x)), n times."""
    y: Any = Tensor(1.0, requires_grad=True)
    for _ in range(n):
        y = np.sin(y)
    return y


def main(argv=None):
    args = arguments(__doc__, argv)
    rng = np.random.default_rng(args.seed)
    nn.manual_seed(args.seed)
    found = Findings(difference={}, multiply_adds={}, time={}, chain={})
    times = 5 if args.quick else 30

    print("1. The equations and the engine: the largest difference in 3 -> 5 -> 4 -> 2, all sigmoid")
    for samples in (1, 32):
        found["difference"][samples] = beside([3, 5, 4, 2], samples, rng)
    rows = [[f"samples: {n}", *(f"{d:.0e}" for d in each)] for n, each in found["difference"].items()]
    table(["", "delta = dL/dz", "dL/dW", "dL/db"], rows)
    found.claim(
        "L17", "true", "delta(L) = grad L * f'(z(L)), delta(l) = W(l+1)^T delta(l+1) * f'(z(l)), dL/dW = delta a^T",
        f"The engine's numbers, to within {max(map(max, found['difference'].values())):.0e}. They are for one sample: "
        "with a batch in columns delta a^T sums over it by itself; dL/db = delta does not, and takes a sum.",
    )  # fmt: skip

    print("\n2. Backward over forward: multiply-adds for each sample, as the engine does them; and time")
    rows = []
    for widths, batch in [((784, 512, 256, 10), 128), ((10, 64, 32, 1), 64), ((256,) * 9, 128)]:
        loss, model = network(widths, batch, rng)
        forward, backward = (count // batch for count in products(loss()))
        name = "-".join(map(str, widths)) if len(set(widths)) > 1 else f"{len(widths) - 1} layers of {widths[0]}"
        with no_grad():
            there = seconds(loss, times)
        back = seconds(lambda y: y.backward(), times, lambda loss=loss: (loss(),))
        found["multiply_adds"][name], found["time"][name] = (forward, backward), (there, back)
        measured = f"{backward / forward:.2f} {there * 1e6:.0f} {back * 1e6:.0f} {back / there:.2f}"
        rows.append([name, forward, backward, *measured.split()])
    columns = ["network", "forward", "backward", "ratio", "us forward", "us backward", "ratio"]
    table(columns, rows)
    ratios = [row[3] for row in rows]
    found.claim(
        "L18", "simplified", "Backward costs as much as forward, so training costs twice the forward pass.",
        "Backward has two products a layer, for W and for what comes before, where forward has one; only the first "
        f"needs no second. That makes {', '.join(ratios)} times forward, towards 2 when deep: "
        f"so 2.25 to 3 times in all. In time: {', '.join(row[-1] for row in rows)}.",
    )  # fmt: skip

    print("\n3. The same gradient by finite differences, 10-64-32-1, float64, a batch of 64")
    loss, model = network((10, 64, 32, 1), 64, rng, np.float64)
    parameters = list(model.parameters())
    loss().backward()
    exact = np.concatenate([p.grad.ravel() for p in parameters])
    start = perf_counter()
    approximate = finite_differences(loss, parameters)
    slow = perf_counter() - start
    both = seconds(lambda: loss().backward(), times)
    found["parameters"], found["faster"] = exact.size, slow / both
    found["error"] = np.abs(approximate - exact).max() / np.abs(exact).max()
    print(f"   {exact.size} derivatives: {slow * 1e3:.0f} ms, and wrong by {found['error']:.0e} of the largest")
    print(f"   backpropagation, with the forward pass: {both * 1e3:.2f} ms")
    found.claim(
        "L3", "true", "Gradients are computed efficiently by backpropagation.",
        f"One pass there and back gives all {exact.size} derivatives, {found['faster']:.0f} times faster than a "
        "forward pass for each of them, and to the last digit.",
    )  # fmt: skip

    print("\n4. A chain of n operations, there and back")
    for n in progress([1000, 3000, 10_000, 30_000] + [100_000] * (not args.quick), "chains"):
        found["chain"][n] = seconds(lambda y: y.backward(), 5, lambda n=n: (chain(n),))
    rows = [[n, f"{t * 1e6:.0f}", f"{t / n * 1e6:.2f}"] for n, t in found["chain"].items()]
    table(["n", "us backward", "us for each"], rows)
    sizes, spent = (np.log(np.array(list(xs))) for xs in (found["chain"].keys(), found["chain"].values()))
    found["power"] = np.polyfit(sizes, spent, 1)[0]
    found.claim(
        "L25", "true", "Backpropagation takes O(n) time.",
        f"Between n = {min(found['chain'])} and {max(found['chain'])} operations the time grows as n to the power "
        f"{found['power']:.2f}. Here n counts operations, and with matrices their multiply-adds, not neurons.",
    )  # fmt: skip

    def draw(left, right):
        for i, (name, (forward, backward)) in enumerate(found["multiply_adds"].items()):
            there, back = found["time"][name]
            left.plot([i - 0.1], [backward / forward], "o", color="C0", label="multiply-adds" if not i else None)
            left.plot([i + 0.1], [back / there], "s", color="C1", label="time" if not i else None)
        left.axhline(1, color="black", linestyle=":", label="as the lesson says")
        left.set_xticks(range(len(found["time"])), found["time"], fontsize=9)
        left.set(title="Backward over forward", ylim=(0, 2.6), xlim=(-0.5, 2.5))
        left.legend()
        n = np.array(list(found["chain"]))
        right.loglog(n, [t * 1e3 for t in found["chain"].values()], "o-", label="measured")
        right.loglog(n, n * found["chain"][n[0]] / n[0] * 1e3, ":", color="black", label="proportional to n")
        right.set(title="Backward through a chain", xlabel="operations", ylabel="milliseconds")
        right.legend()

    picture(args.out / "backprop.png", draw, columns=2, size=(9.4, 3.6))
    return found


if __name__ == "__main__":
    main()
