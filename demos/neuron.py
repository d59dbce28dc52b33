"""One neuron: its values forward, its gradients backward one step at a time, and the chain rule by hand beside them.

    python -m demos.neuron [--out FOLDER]

p = sigmoid(w1 x1 + w2 x2 + b) should be y, and L = (p - y)^2 says how far it is off. Part 1 computes L, part 2 walks
back from it: every operation sends its argument the gradient that arrived, times its own slope. Part 3 writes the same
derivatives out by hand, part 4 plays both passes as a picture that moves, neuron.svg.
"""

import numpy as np

import viz
from autograd import Tensor, steps
from autograd.special import expit

from .common import Findings, arguments, table


def neuron(w1, x1, w2, x2, b, y):
    """Every value on the way to the loss, by its name."""
    u1 = w1 * x1
    u2 = w2 * x2
    s = u1 + u2
    z = s + b
    p = expit(z)
    e = p - y
    L = np.square(e)
    return dict(locals())


def main(argv=None):
    args = arguments(__doc__, argv)
    given = dict(w1=0.6, x1=2.0, w2=0.8, x2=-1.0, b=-0.1, y=1.0)
    learned = ("w1", "w2", "b")
    values = neuron(**{name: Tensor(number, requires_grad=name in learned) for name, number in given.items()})
    for name, tensor in values.items():
        tensor.name = name
    L = values["L"]

    print("1. Forward: u1 = w1 x1, u2 = w2 x2, s = u1 + u2, z = s + b, p = sigmoid(z), e = p - y, L = e^2")
    table(values, [[f"{tensor.item():.4f}" for tensor in values.values()]])

    print("\n2. Backward, one contribution at a time: it starts with dL/dL = 1")
    for step in steps(L):
        print(f"   {step}")

    print("\n3. By hand: dL/dz = 2 (p - y) p (1 - p), then times x1 for dL/dw1, x2 for dL/dw2, 1 for dL/db")
    p = expit(given["w1"] * given["x1"] + given["w2"] * given["x2"] + given["b"])
    dz = 2 * (p - given["y"]) * p * (1 - p)
    hand = dict(w1=dz * given["x1"], w2=dz * given["x2"], b=dz)
    L.backward()
    found = Findings(hand=hand, engine={name: values[name].grad.item() for name in learned})
    table(["", "by hand", "engine"], [[name, f"{hand[name]:.8f}", f"{found['engine'][name]:.8f}"] for name in learned])
    found["difference"] = max(abs(hand[name] - found["engine"][name]) for name in learned)
    print(f"   They differ by {found['difference']:.0e} at most.")

    print("\n4. Both passes as a picture that moves")
    try:
        print("   written:", viz.animate(L).save(args.out / "neuron.svg"))
    except viz.LayoutError as error:
        print("   left out: neuron.svg.", error)
    return found


if __name__ == "__main__":
    main()
