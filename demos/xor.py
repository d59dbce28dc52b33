"""XOR: what no single neuron can learn, and what four hidden neurons learn in a second.

    python -m demos.xor [--seed 0] [--out FOLDER] [--quick]

A neuron says yes on one side of a straight line and no on the other. The four points of XOR lie so that no line does:
part 1 tries every way a line can divide them, part 2 trains a neuron all the same and watches it give up at p = 0.5.
Part 3 puts four tanh neurons in between, part 4 draws what was computed, and every gradient in it, as
xor.svg, and makes xor.html, a page that plays the backward pass.
"""

from itertools import product

import numpy as np

import nn
import nn.optim as optim
import viz

from .common import Findings, arguments, table

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([[0.0], [1.0], [1.0], [0.0]])


def lines():
    """Try every kind of line: which of the 16 ways to answer 0 or 1 on four points does one neuron reach?"""
    reached: dict[tuple[int, ...], tuple[float, float, float]] = {}
    for w1, w2, b in product([1.0, -1.0, 0.0], [1.0, -1.0, 0.0], [-1.5, -0.5, 0.5, 1.5]):
        answer = tuple(int(z > 0) for z in X @ [w1, w2] + b)
        reached.setdefault(answer, (w1, w2, b))
    wanted = tuple(int(y) for y in Y[:, 0])
    right = {answer: sum(a == y for a, y in zip(answer, wanted)) for answer in reached}
    best = max(right, key=lambda answer: right[answer])
    w1, w2, b = reached[best]

    print("1. Which answers can one neuron give?   1 where w1 x1 + w2 x2 + b > 0, else 0")
    print(f"   Lines reach {len(reached)} of the {2 ** len(X)} ways to answer on the four points. Missing:")
    for answer in sorted(set(product([0, 1], repeat=4)) - set(reached)):
        print("      ", *answer, " <- XOR" if answer == wanted else " <- its opposite")
    print(f"   The best line gets {right[best]} of 4 right: {w1:+g} x1 {w2:+g} x2 {b:+g} > 0 answers", *best)
    print("   No other line does better: XOR asks for b <= 0 and w1 + w2 + b <= 0, so w1 + w2 + 2b <= 0;")
    print("   and for w1 + b > 0 and w2 + b > 0, so w1 + w2 + 2b > 0. Both at once cannot be.")


def train(model, optimizer, steps):
    """Train on all four points at once; say ten times on the way how it goes. The last loss keeps its graph."""
    criterion = nn.BCELoss()
    for step in range(steps + 1):
        p = model(X)
        loss = criterion(p, Y)
        if step % (steps // 10) == 0:
            bar = "#" * round(25 * min(loss.item(), 1))
            print(f"   step {step:3}   loss {loss.item():.4f} {bar:<25}  p =", *(f"{x:.2f}" for x in p.data[:, 0]))
        optimizer.zero_grad()
        loss.backward()
        if step < steps:
            optimizer.step()
    return loss


def truth_table(before, after):
    """The four questions, the answers wanted, and the network's probabilities."""
    rows = zip(X[:, 0], X[:, 1], Y[:, 0], before[:, 0], after[:, 0])
    print()
    table(
        ["x1", "x2", "wanted", "p before", "p after"],
        [(f"{x1:g}", f"{x2:g}", f"{y:g}", f"{p:.4f}", f"{q:.4f}") for x1, x2, y, p, q in rows],
    )


def main(argv=None):
    args = arguments(__doc__, argv)
    steps = 100 if args.quick else 200
    nn.manual_seed(args.seed)

    lines()

    print("\n2. One neuron, trained: p = sigmoid(w1 x1 + w2 x2 + b)")
    neuron = nn.Perceptron(2)
    before = neuron(X).data
    train(neuron, optim.SGD(neuron.parameters(), lr=2.0), steps)
    alone = neuron(X).data
    truth_table(before, alone)
    undecided = np.abs(alone - 0.5).max()
    print(f"   It ends undecided, every p within {undecided:.0e} of 0.5 and the loss at log 2 = {np.log(2):.4f}.")

    print("\n3. Four hidden neurons: 2 -> 4 tanh -> 1 sigmoid")
    network = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), nn.Sigmoid())
    before = network(X).data
    loss = train(network, optim.Adam(network.parameters(), lr=0.05), steps)
    after = network(X).data
    truth_table(before, after)
    learned = np.all((after > 0.5) == (Y > 0.5))
    print("   It has learned XOR." if learned else "   From this start it has not learned XOR: try another --seed.")

    print("\n4. The graph of that last loss, value and gradient in every node, and its backward pass to play")
    names = {"X": X, "Y": Y}
    try:
        print("   written:", viz.draw(loss, names=names).save(args.out / "xor.svg"))
    except viz.LayoutError as error:
        print("   left out: xor.svg.", error, "\n")
        viz.tree(loss, names=names)
    print("   written:", viz.step(loss, names=names).save(args.out / "xor.html"))
    return Findings(alone=alone, network=after)


if __name__ == "__main__":
    main()
