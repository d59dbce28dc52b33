"""Activations: each curve and its derivative by the engine, and what a network is without one.

    python -m demos.activations [--seed 0] [--out FOLDER] [--quick]

Part 1 measures every activation and its derivative, and sets the lesson's formula beside the engine. Part 2 stacks
layers with nothing between them, and finds one affine map. Part 3 lets neurons die, and tries to revive them.
"""

import math

import numpy as np

import nn
import nn.optim as optim
from autograd import functional
from autograd.special import erf, expit

from .common import Findings, arguments, fit, picture, table

CURVES = {"sigmoid": nn.Sigmoid(), "tanh": nn.Tanh(), "ReLU": nn.ReLU(), "GELU": nn.GELU(), "Swish": nn.SiLU()}
FORMULAS = {  # the derivatives as the lesson writes them; that of Swish it leaves out
    "sigmoid": lambda x: expit(x) * (1 - expit(x)),
    "tanh": lambda x: 1 - np.tanh(x) ** 2,
    "ReLU": lambda x: np.where(x > 0, 1.0, 0.0),
    "GELU": lambda x: (1 + erf(x / math.sqrt(2))) / 2 + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi),
    "Swish": lambda x: expit(x) + x * expit(x) * (1 - expit(x)),
}


def slope(f):
    """f' by the engine: of the sum of all f(x_i), the derivatives are the f'(x_i)."""
    return functional.gradient(lambda x: np.sum(f(x)))


def distance_from_affine(activation, rng, depth=5, n=8):
    """How far layers are from the one affine map that they are at 0: as a part of what they compute elsewhere."""
    model = nn.Sequential(*(layer for _ in range(depth) for layer in (nn.Linear(n, n), activation)))
    x, W, b = rng.normal(size=(100, n)), functional.jacobian(model)(np.zeros(n)), model(np.zeros(n)).data
    return np.abs(model(x).data - (x @ W.T + b)).max() / np.abs(model(x).data).max()


def main(argv=None):
    args = arguments(__doc__, argv)
    rng = np.random.default_rng(args.seed)
    nn.manual_seed(args.seed)

    print("1. From -40 to 40: each activation, its derivative by the engine, and the lesson's formula for that")
    x, normal = np.linspace(-40, 40, 80_001), rng.normal(size=100_000)
    values = {name: f(x) for name, f in CURVES.items()}
    slopes = {name: slope(f)(x) for name, f in CURVES.items()}
    formula = {name: np.abs(FORMULAS[name](x) - slopes[name]).max() for name in CURVES}
    mean = {name: f(normal).mean() for name, f in CURVES.items()}
    rows = []
    for name in CURVES:
        ends = [f"{end:.4g}" for numbers in (values[name], slopes[name]) for end in (numbers.min(), numbers.max())]
        rows.append([name, *ends, f"{formula[name]:.0g}", f"{mean[name]:.3f}"])
    table(["", "values from", "to", "slopes from", "to", "formula off by", "mean value at normal x"], rows)
    flat = {name: x[(x > 0) & (slopes[name] == 0)].min() for name in ("sigmoid", "tanh")}
    tanh_form = np.abs(nn.GELU("tanh")(x) - values["GELU"]).max()
    found = Findings(values=values, slopes=slopes, formula=formula, mean=mean, flat=flat)
    found.claim("L10", "true", "Sigmoid has range (0, 1) and derivative in (0, 0.25]; its gradients vanish.",
                f"Largest slope {slopes['sigmoid'].max():.4f}, at x = {x[slopes['sigmoid'].argmax()]:.0f}; in float64 "
                f"it is exactly 0 from x = {flat['sigmoid']:.1f} on.")  # fmt: skip
    found.claim("L11", "true", "Tanh has range (-1, 1), is zero-centred, has slope 1 - tanh^2, and still vanishes.",
                f"The formula is off by {formula['tanh']:.0g}. Normal numbers it gives a mean of "
                f"{abs(mean['tanh']):.3f}; sigmoid gives them {mean['sigmoid']:.3f}. In float64 its slope is exactly 0 "
                f"from x = {flat['tanh']:.1f} on.")  # fmt: skip
    found.claim("L12", "simplified", "GELU is x Phi(x), with derivative Phi(x) + x phi(x); Transformers use it.",
                f"That is off by {formula['GELU']:.0g}, and leaves [0, 1]: from {slopes['GELU'].min():.3f} to "
                f"{slopes['GELU'].max():.3f}. GPT-2 has a tanh in place of Phi, off by {tanh_form:.1e}.")  # fmt: skip
    found.claim("L13", "true", "Swish is x sigma(x).",
                "Its derivative, which the lesson leaves out, is sigma(x) + x sigma(x) (1 - sigma(x)): off by "
                f"{formula['Swish']:.0g}. It goes from {slopes['Swish'].min():.2f} to {slopes['Swish'].max():.2f}."
                )  # fmt: skip

    print("\n2. Five layers of 8 neurons: how far are they from one affine map W x + b, with W their Jacobian at 0?")
    activations = {"nothing": nn.Identity(), "tanh": nn.Tanh(), "ReLU": nn.ReLU()}
    found["collapse"] = apart = {name: distance_from_affine(f, rng) for name, f in activations.items()}
    found.claim("L8", "true", "Without a nonlinearity the layers collapse into one affine map.",
                f"Apart by {apart['nothing']:.0e} of the largest output, which is rounding; with tanh between "
                f"by {apart['tanh']:.0%}, with ReLU by {apart['ReLU']:.0%}.")  # fmt: skip

    print("\n3. f(w x + b) learns (1 + x) / 2 from w = 1, b = -3, where its every z is below -2: does it come back?")
    x, losses, rows = np.linspace(-1, 1, 64)[:, None], {}, []
    for name, f in {**CURVES, "leaky ReLU": nn.LeakyReLU()}.items():
        neuron = nn.Sequential(nn.Linear(1, 1), f)
        neuron.load_state_dict({"0.weight": np.array([[1.0]]), "0.bias": np.array([-3.0])})
        losses[name] = fit(neuron, x, (1 + x) / 2, optim.SGD(neuron.parameters(), lr=0.5), steps=600)
        rows.append([name, f"{losses[name][0]:.3f}", f"{losses[name][-1]:.3f}", f"{neuron[0].bias.item():.2f}"])
    table(["", "loss at first", "after 600 steps", "b"], rows)
    print("   How neurons die: of 16 that learn sin(3 x) in 200 steps with ReLU, how many answer 0 to every x?")
    found["losses"], found["dead"] = losses, {}
    for lr in (0.02, 0.1, 0.5, 0.7):
        models = [nn.MLP([1, 16, 1], nn.ReLU) for _ in range(3)]
        for model in models:
            fit(model, x, np.sin(3 * x), optim.SGD(model.parameters(), lr=lr), steps=200)
        found["dead"][lr] = [int((model[:2](x).data.max(axis=0) == 0).sum()) for model in models]
        print(f"   lr = {lr:4}, three starts:", *found["dead"][lr])
    end = {name: loss[-1] for name, loss in losses.items()}
    found.claim("L9", "true", "ReLU is max(0, x), its derivative 0 or 1, and its neurons can die.",
                f"Slopes {' and '.join(f'{s:g}' for s in np.unique(slopes['ReLU']))}; 0 by convention at 0. The dead "
                f"neuron's loss changed by {end['ReLU'] - losses['ReLU'][0]:g}; leaky ReLU came back. GELU and Swish "
                f"die too, at a loss of {end['GELU']:.3f} and {end['Swish']:.3f}.")  # fmt: skip

    def draw(*panels):
        near = np.linspace(-5, 5, 401)
        for axes, (name, f) in zip(panels, CURVES.items()):
            axes.plot(near, f(near), linewidth=2.2, label="value")
            axes.plot(near, slope(f)(near), "--", linewidth=2, label="derivative")
            axes.axhline(0, color="black", linewidth=0.6)
            axes.set(xlabel="x", title=name, ylim=(-1.2, 2.2))
        for (name, loss), style in zip(losses.items(), ["-", "-", "-", "--", "-.", ":"]):
            panels[5].plot(loss, style, linewidth=2, label=name)
        panels[5].set(xlabel="step", ylabel="loss", title="Who comes back?", yscale="log", ylim=(1e-3, 4))
        panels[0].legend(loc="upper left")
        panels[5].legend(loc="upper right", ncols=2)

    picture(args.out / "activations.png", draw, rows=2, columns=3)
    return found


if __name__ == "__main__":
    main()
