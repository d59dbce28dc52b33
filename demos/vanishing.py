"""Vanishing gradients: how much of a gradient is left after 50 layers, and what decides it.

    python -m demos.vanishing [--seed 0] [--out FOLDER] [--quick]

Going back through a layer, a gradient is multiplied by the weights and by f'(z). With weights of standard deviation
gain / sqrt(n), theory says: by about gain * rms f'(z). Part 1 measures four activations layer by layer; part 2 turns
the gain up; part 3 asks viz which layers are ill, and compares with where theory says they are.
"""

import math
from typing import Any

import numpy as np

import nn
import viz
from autograd import Tensor, functional

from .common import Findings, arguments, picture, progress, table

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "ReLU": nn.ReLU, "GELU": nn.GELU}
DEPTH = 50


def backward(name, gain, width, seed):
    """Send a random gradient back through DEPTH layers: its size behind each, what theory says of it, and the loss.

    Weights are from N(0, gain^2 / width). Sizes are root mean squares in units of what was sent, the last first.
    """
    rng, f, zs = np.random.default_rng(seed), ACTIVATIONS[name](), []
    hs: list[Any] = [rng.normal(size=(32, width))]
    for number in range(1, DEPTH + 1):
        weight = rng.normal(0, gain / math.sqrt(width), (width, width))
        zs.append(hs[-1] @ Tensor(weight, requires_grad=True, name=f"layer {number}"))
        hs.append(f(zs[-1]))
    loss = np.sum(hs[-1] * rng.normal(size=hs[-1].shape)) / len(hs[-1])
    loss.backward()
    sizes = np.array([rms(h.grad) for h in hs[:0:-1]])
    factors = [gain * rms(slopes(f, z.data)) for z in zs[:0:-1]]
    return sizes / sizes[0], np.cumprod([1, *factors]), loss


def slopes(f, z):
    """f'(z) by the engine: of the sum of all f(z_i), the derivatives are the f'(z_i)."""
    return functional.gradient(lambda z: np.sum(f(z)))(z)


def rms(x):
    """The root mean square of an array."""
    return math.sqrt(np.mean(np.square(x)))


def flags(loss):
    """The numbers of the layers that viz calls VANISHING and EXPLODING."""
    graph: Any = viz.draw(loss, limit=None)
    ill: dict[str, list[int]] = {"VANISHING": [], "EXPLODING": []}
    for node in graph.data.nodes:
        for flag in node.flags:
            if node.name and node.name.startswith("layer"):
                ill[flag.word].append(int(node.name.removeprefix("layer")))
    return {word: sorted(layers) for word, layers in ill.items()}


def factor(left):
    """What one layer multiplies a gradient by, on average."""
    return left[-1] ** (1 / (len(left) - 1))


def main(argv=None):
    args = arguments(__doc__, argv)
    width, seeds = (32, [args.seed]) if args.quick else (64, range(args.seed, args.seed + 3))
    found = Findings(slope={}, left={}, theory={}, kept={}, ill={}, expected={})
    left, theory, kept, rows = found["left"], found["theory"], found["kept"], []

    print(f"1. {DEPTH} layers of {width}, gain 1: behind the last the gradient is 1; how much is left further back?")
    for name, activation in ACTIVATIONS.items():
        runs = [backward(name, 1.0, width, seed)[:2] for seed in seeds]
        left[name], theory[name] = np.exp(np.mean(np.log(runs), axis=0))  # geometric means, for factors accumulate
        found["slope"][name] = slope = slopes(activation(), np.linspace(-5, 5, 1001)).max()
        sizes = (f"{size:.1e}" for size in (*left[name][[10, 25, -1]], theory[name][-1]))
        rows.append((name, f"{slope:.3f}", *sizes, f"{factor(left[name]):.3f}"))
    table(["", "largest f'", "10 layers", "25 layers", f"{DEPTH - 1} layers", "theory", "factor a layer"], rows)

    print(f"\n2. With other gains: what is left after {DEPTH - 1} layers?")
    gains = (2.0 ** np.arange(-1, 5.1, 1 if args.quick else 0.5)).tolist()
    for name in progress(ACTIVATIONS, "activations", lines=2):
        ends = [[backward(name, gain, width, seed)[0][-1] for gain in gains] for seed in seeds]
        kept[name] = dict(zip(gains, np.exp(np.mean(np.log(ends), axis=0))))
    shown = [gain for gain in gains if math.log2(gain).is_integer()]
    rows = [(name, *(f"{size[gain]:.0e}" for gain in shown)) for name, size in kept.items()]
    table(["gain", *(f"{gain:g}" for gain in shown)], rows)

    least = viz.Thresholds().vanishing
    print(f"\n3. Which of the {DEPTH} layers does viz call ill? (VANISHING: below {least:.0e} of the largest)")
    for name, gain in [("sigmoid", 1), ("sigmoid", 4), ("tanh", 1), ("tanh", 4), ("ReLU", math.sqrt(2)), ("ReLU", 1)]:
        _, foretold, loss = backward(name, gain, width, args.seed)
        found["expected"][name, gain] = expected = int((foretold < least * foretold.max()).sum())
        found["ill"][name, gain] = ill = flags(loss)
        said = [f"{word} in layers {layers[0]} to {layers[-1]}" for word, layers in ill.items() if layers]
        print(f"   {name:<8} gain {gain:.1f}: {', '.join(said) or 'nothing'}; by theory so small in {expected}")
    print("   ReLU, gain 1: dL/dW = delta h^T is small everywhere, as h shrinks forwards too; no layer stands out.")

    found.claim(
        "L14", "simplified" if kept["sigmoid"][16] > 1 else "true",
        "Gradients vanish because sigma' <= 0.25 is multiplied through the layers.",
        f"With gain 1, yes: {left['sigmoid'][-1]:.0e} after {DEPTH - 1} layers. But weights multiply too: with gain 16 "
        f"it is {kept['sigmoid'][16]:.0e}. And with gain 1 ReLU, of slope 1, vanishes too: {left['ReLU'][-1]:.0e}.",
    )  # fmt: skip

    def draw(by_layer, by_gain):
        for name, style in zip(ACTIVATIONS, ["-", "--", "-.", ":"]):
            by_layer.semilogy(left[name], style, linewidth=2.2, label=name)
            by_layer.semilogy(theory[name], color="black", linewidth=0.7, zorder=3)
            by_gain.loglog(*zip(*kept[name].items()), style, linewidth=2.2)
        by_layer.set(xlabel="layers gone back", ylabel="gradient left (rms)", title="Gain 1; thin black: theory")
        by_gain.axhline(1, color="black", linewidth=0.8)
        by_gain.set(xlabel="gain of the weights", ylabel=f"left after {DEPTH - 1} layers (rms)", title="Growing gain")
        by_layer.legend()

    picture(args.out / "vanishing.png", draw, columns=2, size=(10.5, 4.2))
    return found


if __name__ == "__main__":
    main()
