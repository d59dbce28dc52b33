"""Vanishing gradients: how much of a gradient is left after 50 layers, and what decides it.

    python -m demos.vanishing [--seed 0] [--out FOLDER] [--quick]

Going back through a layer, a gradient is multiplied by the weights and by f'(z). With weights of standard deviation
gain / sqrt(n), theory says: by about gain * rms f'(z). Part 1 measures four activations layer by layer; part 2 turns
the gain up; part 3 asks viz which layers are ill, and compares with where theory says they are.
"""

import math

import numpy as np

import nn
import viz
from autograd import functional

from .common import Findings, arguments, picture, progress, table

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "ReLU": nn.ReLU, "GELU": nn.GELU}
STYLES = dict(zip(ACTIVATIONS, ["-", "--", "-.", ":"]))
DEPTH = 50


def network(activation, gain, width):
    """DEPTH layers of equal width, weights from N(0, gain^2 / width), biases 0."""
    model = nn.Sequential()
    for _ in range(DEPTH):
        layer = nn.Linear(width, width, bias=False)
        nn.init.normal_(layer.weight, std=gain / math.sqrt(width))
        model.extend([layer, activation()])
    return model


def backward(name, gain, width, seed):
    """Send a random gradient back through a network: its size behind each layer, what theory says of it, and the loss.

    Sizes are root mean squares, relative to the gradient that was sent, the last layer's first.
    """
    rng = np.random.default_rng(seed)
    nn.manual_seed(seed)
    model, zs, hs = network(ACTIVATIONS[name], gain, width), [], []
    for layer, f in zip(model[::2], model[1::2]):
        layer.register_forward_hook(lambda module, inputs, z: zs.append(z))
        f.register_forward_hook(lambda module, inputs, h: hs.append(h))
    h = model(rng.normal(size=(32, width)))
    loss = np.sum(h * rng.normal(size=h.shape)) / len(h)
    loss.backward()
    sizes = np.array([rms(h.grad) for h in reversed(hs)])
    factors = [gain * rms(slopes(f, z.data)) for z in reversed(zs)]
    return sizes / sizes[0], np.cumprod([1, *factors[:-1]]), loss


def slopes(f, z):
    """f'(z) by the engine: of the sum of all f(z_i), the derivatives are the f'(z_i)."""
    return functional.gradient(lambda z: np.sum(f(z)))(z)


def rms(x):
    """The root mean square of an array."""
    return math.sqrt(np.mean(np.square(x)))


def flags(loss):
    """The numbers of the layers, from 1 for the first, that viz calls VANISHING and EXPLODING."""
    graph = viz.draw(loss, limit=None)
    assert isinstance(graph, viz.Graph)
    layer = {f"{2 * i}.weight": i + 1 for i in range(DEPTH)}
    ill: dict[str, list[int]] = {"VANISHING": [], "EXPLODING": []}
    for node in graph.data.nodes:
        for flag in node.flags:
            if node.name in layer and flag.word in ill:
                ill[flag.word].append(layer[node.name])
    return ill


def factor(left):
    """What one layer multiplies a gradient by, on average."""
    return left[-1] ** (1 / (len(left) - 1))


def main(argv=None):
    args = arguments(__doc__, argv)
    width, seeds = (32, [args.seed]) if args.quick else (64, range(args.seed, args.seed + 3))
    found = Findings(slope={}, left={}, theory={}, kept={}, ill={}, expected={})

    print(f"1. {DEPTH} layers of {width}, gain 1: behind the last the gradient is 1; how much is left further back?")
    depths = (10, 25, DEPTH - 1)
    rows = []
    for name, activation in ACTIVATIONS.items():
        runs = [backward(name, 1.0, width, seed)[:2] for seed in seeds]
        left, theory = np.exp(np.mean(np.log(runs), axis=0))  # geometric means, as it is factors that accumulate
        slope = slopes(activation(), np.linspace(-5, 5, 1001)).max()
        found["left"][name], found["theory"][name], found["slope"][name] = left, theory, slope
        numbers = f"{slope:.3f}", *(f"{left[k]:.1e}" for k in depths), f"{theory[-1]:.1e}", f"{factor(left):.3f}"
        rows.append((name, *numbers))
    table(["", "largest f'", *(f"{k} layers" for k in depths), "theory", "factor a layer"], rows)

    gains = (2.0 ** np.arange(-1, 5.1, 1 if args.quick else 0.5)).tolist()
    print(f"\n2. With other gains: what is left after {DEPTH - 1} layers?")
    for name in progress(ACTIVATIONS, "activations", lines=2):
        ends = [[backward(name, gain, width, seed)[0][-1] for gain in gains] for seed in seeds]
        found["kept"][name] = dict(zip(gains, np.exp(np.mean(np.log(ends), axis=0)).tolist()))
    shown = [gain for gain in gains if math.log2(gain).is_integer()]
    rows = [(name, *(f"{kept[gain]:.0e}" for gain in shown)) for name, kept in found["kept"].items()]
    table(["gain", *(f"{gain:g}" for gain in shown)], rows)

    print(f"\n3. Which of the {DEPTH} layers does viz call ill?")
    for name, gain in [("sigmoid", 1), ("sigmoid", 4), ("tanh", 1), ("tanh", 4), ("ReLU", math.sqrt(2)), ("ReLU", 1)]:
        _, theory, loss = backward(name, gain, width, args.seed)
        found["expected"][name, gain] = int((theory < viz.Thresholds().vanishing).sum())
        found["ill"][name, gain] = ill = flags(loss)
        said = [f"{word} in layers {min(layers)} to {max(layers)}" for word, layers in ill.items() if layers]
        print(f"   {name:<8} gain {gain:.1f}: {', '.join(said) or 'nothing'}")
    expected, seen = found["expected"]["sigmoid", 1], len(found["ill"]["sigmoid", 1]["VANISHING"])
    print(
        f"   Theory puts the first {expected} gradients of sigmoid with gain 1 below 1e-5 of the largest; viz {seen}."
    )
    print(
        "   ReLU's with gain 1 are small, and all alike, as h shrinks forwards too: none stands out, and none is ill."
    )

    left, kept = found["left"], found["kept"]
    found["enough"] = min(gain for gain in gains if kept["sigmoid"][gain] > 1)
    found.claim(
        "L14",
        "simplified",
        "Gradients vanish because sigma' <= 0.25 is multiplied through the layers.",
        f"With weights of gain 1 it is so: {factor(left['sigmoid']):.3f} a layer, {left['sigmoid'][-1]:.0e} after "
        f"{DEPTH - 1}. But the weights are multiplied too, and the factor is gain * rms f'(z): with gain "
        f"{found['enough']:.3g} sigmoid vanishes no more ({kept['sigmoid'][found['enough']]:.0e}), with gain 4 tanh "
        f"explodes ({kept['tanh'][4]:.0e}), with gain 1 ReLU, of slope 1, vanishes ({left['ReLU'][-1]:.0e}).",
    )

    def draw(by_layer, by_gain):
        for (name, left), style in zip(found["left"].items(), STYLES.values()):
            by_layer.semilogy(left, style, linewidth=2.2, label=name)
            by_layer.semilogy(found["theory"][name], color="black", linewidth=0.7, zorder=3)
            by_gain.loglog(*zip(*found["kept"][name].items()), style, linewidth=2.2, label=name)
        by_layer.set(xlabel="layers gone back", ylabel="gradient left (rms)", title="Gain 1; thin black: theory")
        by_gain.axhline(1, color="black", linewidth=0.8)
        by_gain.set(
            xlabel="gain of the weights", ylabel=f"gradient left after {DEPTH - 1} layers", title="Growing gain"
        )
        by_layer.legend()

    picture(args.out / "vanishing.png", draw, columns=2, size=(10.5, 4.2))
    return found


if __name__ == "__main__":
    main()
