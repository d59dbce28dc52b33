"""The ledger: every claim of the lesson, whether it holds, and the figure that says so, measured now.

    python -m demos.claims [--seed 0] [--out FOLDER] [--quick] [--readme]

It runs every demo that judges claims, which takes two minutes, or half a minute with --quick, and gathers what they
found. Two claims no demo can judge; it says what it can: what a large network would cost here, and what comes next.
--readme writes the ledger into README.md as well.
"""

from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from itertools import pairwise
from time import perf_counter

import numpy as np

import nn
import nn.optim as optim
from autograd import gradcheck
from autograd.special import softmax

from . import readme, sources
from .common import VERDICTS, Findings, arguments

DEMOS = [name for name, source in sources().items() if "found.claim(" in source and name != "claims"]
LARGE = 3.14e23  # floating point operations that trained GPT-3 (Brown et al., 2020, appendix D)


def operations_per_second(seconds):
    """How many floating point operations a second training does here: 784-512-256-10, batch 128, float32, AdamW."""
    widths, batch = (784, 512, 256, 10), 128
    model, rng = nn.MLP(widths, nn.ReLU, dtype=np.float32), np.random.default_rng(0)
    x, y = rng.standard_normal((batch, widths[0]), np.float32), rng.integers(0, 10, batch)
    optimizer, criterion = optim.AdamW(model.parameters()), nn.CrossEntropyLoss()
    first, *rest = (n * m for n, m in pairwise(widths))
    multiply_adds = batch * (2 * first + 3 * sum(rest))  # forward, and backward for W and for all inputs but the first
    steps, start = 0, perf_counter()
    while perf_counter() - start < seconds:
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps += 1
    return 2 * multiply_adds * steps / (perf_counter() - start)


def attention(q, k, v):
    """softmax(q k^T / sqrt(d)) v, for q, k, v of shape (length, d)   (Vaswani et al., 2017)."""
    return softmax(q @ k.T * q.shape[-1] ** -0.5, axis=-1) @ v


def outlook(args, found):
    """L29 and L30: what this project leaves to others."""
    rate = found["rate"] = operations_per_second(0.2 if args.quick else 2)
    years = found["years"] = LARGE / rate / (365.25 * 24 * 3600)
    found.claim(
        "L29", "beyond this demo", "GPUs are essential for large networks.",
        f"There is none here, and the digits need none. This processor trains at {rate / 1e9:.0f} billion operations a "
        f"second: GPT-3's 3.14e23 would take {years:,.0f} years.",
    )  # fmt: skip
    rng = np.random.default_rng(args.seed)
    found["attention"] = gradcheck(attention, *rng.standard_normal((3, 5, 4)), order=2)
    found.claim(
        "L30", "beyond this demo", "Next: convolutional, recurrent and attention networks.",
        "There are no such layers here. But attention is one line of NumPy; its first and second derivatives "
        f"{'agree' if found['attention'] else 'DISAGREE'} with finite differences.",
    )  # fmt: skip


def gather(args, ran):
    """All claims by number, each with the name of its demo, from a run of every demo that has not run yet."""
    claims: dict[str, tuple[str, ...]] = {}
    options = ["--seed", str(args.seed), "--out", str(args.out), *["--quick"] * args.quick]
    for name in [*DEMOS, "claims"]:
        start = perf_counter()
        with redirect_stdout(StringIO()):
            if name == "claims":
                outlook(args, found := Findings())
            else:
                found = ran[name] if name in ran else import_module(f"demos.{name}").main(options)
        print(f"   {name}: {', '.join(found.claims)} in {perf_counter() - start:.1f} s", flush=True)
        assert not claims.keys() & found.claims.keys(), f"{name} judges a claim that another demo judges"
        claims |= {number: (*claim, name) for number, claim in found.claims.items()}
    return dict(sorted(claims.items(), key=lambda item: int(item[0][1:])))


def markdown(claims):
    """The claims as a table."""
    lines = ["| | The lesson says | Verdict | Measured | Demo |", "|---|---|---|---|---|"]
    for number, (verdict, words, measured, name) in claims.items():
        cells = [number, words, f"**{verdict}**", measured, f"`{name}`"]
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines)


def main(argv=None, ran=()):
    """ran   the findings, by name, of demos that have run already with the same arguments"""
    args = arguments(__doc__, argv, readme="write the ledger into README.md")
    claims = gather(args, dict(ran))
    found = Findings(demos={number: name for number, (*_, name) in claims.items()}, markdown=markdown(claims))
    for number, (verdict, words, measured, name) in claims.items():
        found.claim(number, verdict, words, f"{measured} [{name}]")
    print()
    for verdict in VERDICTS:
        numbers = [number for number, claim in found.claims.items() if claim.verdict == verdict]
        print(f"   {len(numbers):2} {verdict}: {' '.join(numbers)}")
    if args.readme:
        readme.write("ledger", found["markdown"])
        print(f"\n   written: {readme.README}")
    return found


if __name__ == "__main__":
    main()
