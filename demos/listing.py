"""The lesson's PyTorch listing: four substitutions, and it runs here; then what it lacks, and what that costs.

    python -m demos.listing [--seed 0] [--out FOLDER] [--quick]

Part 1 rewrites the listing and shows what changed. Part 2 runs it on 1,000 points of ten numbers, where the answer
hides in a product and an absolute value, and mends it: validation, eval(), mini-batches, the loss on logits, the
weights of the best epoch. Part 3 puts other activations in ReLU's place.
"""

from difflib import unified_diff
from pathlib import Path

import numpy as np

import nn
import nn.optim as optim
from autograd import no_grad

from .common import Findings, arguments, picture, progress, table

LISTING = (Path(__file__).parent / "data" / "listing.txt").read_text(encoding="utf-8")
SUBSTITUTIONS = {"import torch.nn as nn": "import nn", "import torch.optim as optim": "import nn.optim as optim",
                 "import torch\n": "", "torch.nn.": "nn."}  # fmt: skip
OURS = LISTING
for theirs, ours in SUBSTITUTIONS.items():
    OURS = OURS.replace(theirs, ours)


def task(seed):
    """1,000 points to learn from, 2,000 new ones: x (n, 10), of which four matter; y (n, 1), 0 or 1, a little noisy."""
    nn.manual_seed(seed)  # chance starts again for what comes then
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((3000, 10))
    z = x[:, 0] * x[:, 1] + np.abs(x[:, 2]) + 0.5 * x[:, 3] - 0.8 + 0.2 * rng.standard_normal(3000)
    y = (z > 0)[:, None].astype(float)
    return (x[:1000], y[:1000]), (x[1000:], y[1000:])


def listed(seed):
    """Run the listing. Returns which parts are right: of what it has seen, after eval(); of what is new, as it ends, in
    training; which part of that changes when asked again; and the part that is right of it after eval()."""
    (x, y), (x_new, y_new) = task(seed)
    made = dict(x=x, y=y)
    exec(OURS, made)
    answers = lambda x: made["model"](x).data > 0.5
    once, again = answers(x_new), answers(x_new)
    made["model"].eval()
    pairs = [(answers(x), y), (once, y_new), (once, ~again), (answers(x_new), y_new)]
    return [np.mean(one == other) for one, other in pairs]


def mended(seed, activation, epochs):
    """The listing with what it lacks. Returns the part right of the new, and the loss by epoch: on what it learns from
    and on a fifth set aside."""
    (x, y), (x_new, y_new) = task(seed)
    (x, x_val), (y, y_val) = np.split(x, [800]), np.split(y, [800])  # the points come in no order
    model = nn.MLP([10, 64, 32, 1], activation, batch_norm=True, dropout=0.2)
    criterion = nn.BCEWithLogitsLoss()  # with the sigmoid inside it: log p stays finite where p rounds to 0
    optimizer = optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    stopping, losses = nn.EarlyStopping(model, patience=20), []
    for _ in range(epochs):
        model.train()
        for x_batch, y_batch in nn.DataLoader(nn.TensorDataset(x, y), batch_size=50, shuffle=True):
            loss = criterion(model(x_batch), y_batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
            optimizer.step()
        model.eval()
        with no_grad():
            losses.append([criterion(model(x), y).item(), criterion(model(x_val), y_val).item()])
        if stopping.step(losses[-1][1]):
            break
    stopping.restore()
    return np.mean((model(x_new).data > 0) == y_new), np.array(losses)


def main(argv=None):
    args = arguments(__doc__, argv)
    seeds, few = range(args.seed, args.seed + (2 if args.quick else 5)), 1 if args.quick else 2
    epochs = 15 if args.quick else 100

    print("1. What the substitutions change in the listing")
    diff = list(unified_diff(LISTING.splitlines(), OURS.splitlines(), lineterm="", n=0))[2:]
    print(*(f"   {line}" for line in diff if line[0] in "+-"), sep="\n")

    print("\n2. The listing after its 100 epochs, and mended: how many answers are right, or change when asked twice")
    runs = [(listed(seed), *mended(seed, nn.ReLU, epochs)) for seed in progress(seeds, "seeds")]
    numbers, scores, histories = zip(*runs)
    parts = np.column_stack([numbers, scores])
    seen, training, flips, new, right = parts.mean(axis=0)
    table(["seed", "seen", "new", "change", "new, after eval()", "mended: new"],
          [[seed, *(f"{part:.1%}" for part in row)]
           for seed, row in zip([*seeds, "mean"], [*parts, parts.mean(axis=0)])])  # fmt: skip
    print(f"   It never says eval(), which costs {new - training:.1%}. Dropout goes on dropping: {flips:.0%} of the")
    print("   answers change; BatchNorm goes on averaging over what is asked. And it sets nothing aside: without")
    print(f"   validation all it knows is that it gets {seen:.1%} right of what it saw, not {new:.1%} of the new.")
    found = Findings(seen=seen, training=training, flips=flips, eval=new, mended=right)

    print("\n3. The mended version with other activations")
    found["activations"] = others = {"ReLU": np.mean(scores[:few])}
    for activation in progress([nn.GELU, nn.Tanh, nn.Sigmoid, nn.Identity], "activations"):
        others[activation.__name__] = np.mean([mended(seed, activation, epochs)[0] for seed in seeds[:few]])
    found.claim("L24", "simplified", "ReLU is the default for hidden layers, GELU for Transformers.",
                f"After {epochs} epochs or fewer: {', '.join(f'{name} {part:.1%}' for name, part in others.items())}. "
                "Only no activation at all must fail; which is best depends on the task, the depth and the time. "
                "Transformers are not tried.")  # fmt: skip

    def draw(left, right):
        left.plot(histories[0], label=["on what it learns from", "on the fifth set aside"])
        left.axvline(histories[0][:, 1].argmin(), color="black", linestyle=":", label="the weights that are kept")
        left.set(title=f"The mended version, seed {args.seed}", xlabel="epoch", ylabel="loss", ylim=0)
        left.legend(frameon=True, edgecolor="none")
        labels = ["listing:\nseen", "listing:\nnew", "listing:\nnew, eval()", "mended:\nnew"]
        right.plot(labels, np.delete(parts, 2, axis=1).T, "o", color="C0", alpha=0.6)
        right.set(title="Right answers, one point a seed", xlim=(-0.5, 3.5))
        right.yaxis.set_major_formatter("{x:.0%}")

    picture(args.out / "listing.png", draw, columns=2)
    return found


if __name__ == "__main__":
    main()
