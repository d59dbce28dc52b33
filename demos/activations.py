"""Activations: each curve and its derivative by the engine, and what a network is without one.

    python -m demos.activations [--seed 0] [--out FOLDER] [--quick]

Part 1 measures the range of each activation and of its derivative, and sets the lesson's formulas beside the engine.
Part 2 stacks layers with no activation between them, and finds one affine map. Part 3 lets neurons die, and tries to
revive them.
"""

import math

import numpy as np

import nn
import nn.optim as optim
from autograd import Tensor, functional
from autograd.special import erf, expit

from .common import Findings, arguments, picture, table

CURVES = {"sigmoid": nn.Sigmoid(), "tanh": nn.Tanh(), "ReLU": nn.ReLU(), "GELU": nn.GELU(), "Swish": nn.SiLU()}


def phi(x):
    """The density of the normal distribution."""
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


FORMULAS = {  # the derivatives as the lesson writes them; that of Swish it leaves out
    "sigmoid": lambda x: expit(x) * (1 - expit(x)),
    "tanh": lambda x: 1 - np.tanh(x) ** 2,
    "ReLU": lambda x: np.where(x > 0, 1.0, 0.0),
    "GELU": lambda x: (1 + erf(x / math.sqrt(2))) / 2 + x * phi(x),
    "Swish": lambda x: expit(x) + x * expit(x) * (1 - expit(x)),
}


def slope(f):
    """f' by the engine: of the sum of all f(x_i), the derivatives are the f'(x_i)."""
    return functional.gradient(lambda x: np.sum(f(x)))


def collapse(rng, activation, depth=5, n=8):
    """How far a stack of layers is from the one affine map that it is at 0: as a part of what it computes elsewhere."""
    layers = [layer for _ in range(depth) for layer in (nn.Linear(n, n), activation())]
    model, x = nn.Sequential(*layers), rng.normal(size=(100, n))
    W, b = functional.jacobian(model)(np.zeros(n)), model(np.zeros(n)).data  # (n, n) and (n,)
    return np.abs(model(x).data - (x @ W.T + b)).max() / np.abs(model(x).data).max()


def revive(f, steps, lr=0.5):
    """Train y = f(w x + b) to be (1 + x) / 2 from b = -3, where every z is below -2: its loss step by step, w and b."""
    x = np.linspace(-1, 1, 64)
    w, b = Tensor(1.0, requires_grad=True), Tensor(-3.0, requires_grad=True)
    optimizer, losses = optim.SGD([w, b], lr=lr), []
    for _ in range(steps):
        loss = np.mean(np.square(f(w * x + b) - (1 + x) / 2))
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses, w.item(), b.item()


def dead_units(seed, lr, steps=200):
    """How many of 16 hidden ReLU neurons answer 0 to every x after learning sin(3 x) with this learning rate."""
    nn.manual_seed(seed)
    x, model = np.linspace(-1, 1, 64)[:, None], nn.MLP([1, 16, 1], nn.ReLU)
    optimizer = optim.SGD(model.parameters(), lr=lr)
    for _ in range(steps):
        loss = nn.functional.mse_loss(model(x), np.sin(3 * x))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return int((model[:2](x).data.max(axis=0) == 0).sum())


def main(argv=None):
    args = arguments(__doc__, argv)
    rng = np.random.default_rng(args.seed)
    nn.manual_seed(args.seed)
    found = Findings(range={}, slopes={}, formula={}, collapse={}, revived={}, dead={})
    x = np.linspace(-40, 40, 80_001 if args.quick else 800_001)

    print("1. Every activation from -40 to 40, its derivative by the engine, and the lesson's formula for that")
    for name, f in CURVES.items():
        y, dy = f(x), slope(f)(x)
        found["range"][name], found["slopes"][name] = (y.min(), y.max()), (dy.min(), dy.max())
        found["formula"][name] = np.abs(dy - FORMULAS[name](x)).max()
    numbers = {name: (*found["range"][name], *found["slopes"][name]) for name in CURVES}
    table(
        ["", "least value", "most", "least slope", "most", "the formula differs by"],
        [(name, *(f"{y:.4g}" for y in numbers[name]), f"{found['formula'][name]:.0e}") for name in CURVES],
    )
    found["flat"] = {name: x[(x > 0) & (slope(CURVES[name])(x) == 0)].min() for name in ("sigmoid", "tanh")}
    z = rng.normal(size=100_000)
    found["mean"] = {name: CURVES[name](z).mean() for name in ("sigmoid", "tanh")}
    found["tanh form"] = np.abs(nn.GELU()(x) - nn.GELU("tanh")(x)).max()

    print("\n2. Five layers of 8 neurons: how far are they from one affine map W x + b, with W their Jacobian at 0?")
    for name, activation in {"nothing between": nn.Identity, "tanh": nn.Tanh, "ReLU": nn.ReLU}.items():
        found["collapse"][name] = collapse(rng, activation)
        print(f"   {name:<16} {found['collapse'][name]:.0e} of the largest output")

    steps, seeds = 600, 1 if args.quick else 3
    print(
        f"\n3. One neuron pushed to where its every z is below -2, then trained for {steps} steps: does it come back?"
    )
    losses = {}
    for name, f in {**CURVES, "leaky ReLU": nn.LeakyReLU()}.items():
        losses[name], w, b = revive(f, steps)
        found["revived"][name] = losses[name][0], losses[name][-1]
        print(f"   {name:<12} loss {losses[name][0]:.3f} -> {losses[name][-1]:.3f}   w = {w:6.3f}, b = {b:6.3f}")
    print(
        f"   How they die: 16 hidden ReLU neurons learn sin(3 x) with plain gradient descent, 200 steps, {seeds} seeds"
    )
    for lr in (0.02, 0.1, 0.5, 0.7):
        found["dead"][lr] = [dead_units(args.seed + k, lr) for k in range(seeds)]
        print(f"   lr = {lr:4}: of 16 are dead", *found["dead"][lr])

    claims(found, steps)

    def draw(*panels):
        for axes, (name, f) in zip(panels, CURVES.items()):
            near = np.linspace(-5, 5, 401)
            axes.plot(near, f(near), linewidth=2.2, label="value")
            axes.plot(near, slope(f)(near), "--", linewidth=2, label="derivative")
            axes.axhline(0, color="black", linewidth=0.6)
            axes.set(xlabel="x", title=name, ylim=(-1.2, 2.2))
        panels[0].legend(loc="upper left")
        for (name, loss), style in zip(losses.items(), ["-", "-", "-", "--", "-.", ":"]):
            panels[-1].plot(loss, style, linewidth=2, label=name)
        panels[-1].set(xlabel="step", ylabel="loss", title="Pushed to where ReLU is 0: who comes back?", yscale="log")
        panels[-1].set(ylim=(1e-3, 4))
        panels[-1].legend(loc="upper right", ncols=2)

    picture(args.out / "activations.png", draw, rows=2, columns=3)
    return found


def claims(found, steps):
    """What the lesson says, and what was measured."""
    least, most = ({name: pair[i] for name, pair in found["slopes"].items()} for i in (0, 1))
    apart, end = found["collapse"], {name: last for name, (_, last) in found["revived"].items()}
    found.claim(
        "L8",
        "true",
        "Without a nonlinearity the layers collapse into one affine map.",
        f"Five linear layers differ from one by {apart['nothing between']:.0e} of the largest output, which is "
        f"rounding; with tanh between by {apart['tanh']:.0%}, with ReLU by {apart['ReLU']:.0%}.",
    )
    found.claim(
        "L9",
        "true",
        "ReLU is max(0, x), its derivative 0 or 1, and its neurons can die.",
        f"Slopes {least['ReLU']:g} and {most['ReLU']:g}; 0 by convention at 0, where there is none. In {steps} steps "
        f"the dead neuron's loss changed by {end['ReLU'] - found['revived']['ReLU'][0]:g}. Leaky ReLU came back, to "
        f"{end['leaky ReLU']:.1g}. Not only ReLU dies: left of their lowest point GELU and Swish slope the other way, "
        f"drift further off and end at {end['GELU']:.3f} and {end['Swish']:.3f}; ReLU stayed at {end['ReLU']:.3f}.",
    )
    found.claim(
        "L10",
        "true",
        "Sigmoid has range (0, 1) and derivative in (0, 0.25]; its gradients vanish.",
        f"Largest slope {most['sigmoid']:.4f}, at 0. In float64 the ends are reached: the slope y (1 - y) is exactly 0 "
        f"from x = {found['flat']['sigmoid']:.1f} on.",
    )
    found.claim(
        "L11",
        "true",
        "Tanh has range (-1, 1), is zero-centred, has derivative 1 - tanh^2, and still vanishes.",
        f"Of normal numbers it makes a mean of {found['mean']['tanh']:.3f} (sigmoid {found['mean']['sigmoid']:.3f}). "
        f"Largest slope {most['tanh']:.4f}, at 0; in float64 exactly 0 from x = {found['flat']['tanh']:.1f} on.",
    )
    found.claim(
        "L12",
        "simplified",
        "GELU is x Phi(x), with derivative Phi(x) + x phi(x); Transformers use it.",
        f"The formula is right to {found['formula']['GELU']:.0e}; the slope leaves [0, 1]: from {least['GELU']:.3f} to "
        f"{most['GELU']:.3f}. GPT-2 has tanh in place of Phi, which differs by up to {found['tanh form']:.1e}.",
    )
    found.claim(
        "L13",
        "true",
        "Swish is x sigma(x).",
        "Its derivative, which the lesson leaves out, is sigma(x) + x sigma(x) (1 - sigma(x)): right to "
        f"{found['formula']['Swish']:.0e}, from {least['Swish']:.3f} to {most['Swish']:.3f}.",
    )


if __name__ == "__main__":
    main()
