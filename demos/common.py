"""What every demo needs, and nothing of what it shows: arguments, verdicts, tables, progress, training, pictures.

    def main(argv=None):
        args = arguments(__doc__, argv)
        found = Findings()
        for step in progress(range(steps), "training", note=lambda: f"loss {losses[-1]:.3f}"):
            ...
        found["right"] = right
        found.claim("L7", "true", "One neuron cannot solve XOR.", f"the best line gets {right} of 4")
        picture(args.out / "line.png", draw, columns=2)  # calls draw(left, right), each a matplotlib Axes
        return found

Chance is the demo's own affair: nn.manual_seed(args.seed), or a generator for each of several seeds.
"""

import argparse
import os
import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

from nn.functional import mse_loss

VERDICTS = ("true", "simplified", "wrong", "beyond this demo")

# Okabe and Ito's colours (2008), which colour-blind readers can tell apart; without their yellow, too pale for lines
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DPI = 130  # dots per inch of a picture
DIVERGING = "PuOr_r"  # a colour map for probabilities: orange for 1, purple for 0, white at the boundary between them


def arguments(doc, argv=None, **switches):
    """What a demo is told on its command line: seed, out, quick. The folder `out` exists afterwards.

    switches   of this demo alone: what each is for, by name
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="where chance starts")
    parser.add_argument("--out", type=Path, default=Path(), help="the folder for the pictures (default: this one)")
    parser.add_argument("--quick", action="store_true", help="less of everything, in a second or two")
    for name, what in switches.items():
        parser.add_argument(f"--{name}", action="store_true", help=what)
    args = parser.parse_args(argv)
    if args.seed < 0:
        parser.error(f"argument --seed: chance starts at a number from 0 on, not {args.seed}")
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"argument --out: {args.out} cannot be made a folder: {error.strerror}")
    writes = getattr(args, "all", True)  # a list of the demos does not
    if writes and not os.access(args.out, os.W_OK):  # said now, not after the training
        parser.error(f"argument --out: nothing can be written into {args.out.resolve()}; name another folder")
    return args


class Claim(NamedTuple):
    """A sentence of the lesson, what we make of it, and the figure that decides."""

    verdict: str
    words: str
    measured: str


class Findings(dict[str, Any]):
    """What a demo measured, by name; and in `claims` its verdicts, by the number of the lesson's sentence."""

    def __init__(self, **numbers):
        super().__init__(numbers)
        self.claims: dict[str, Claim] = {}

    def claim(self, number, verdict, words, measured):
        """Print and keep a verdict: the lesson's sentence `number` in a few words, and what was measured."""
        assert verdict in VERDICTS, verdict
        self.claims[number] = Claim(verdict, words, measured)
        print(f"\n   {number:<4}{verdict.upper()}: {words}")
        print(textwrap.fill(measured, 112, initial_indent=" " * 7, subsequent_indent=" " * 7))


def table(columns, rows):
    """Print rows under their titles, each column as wide as it needs: the first flush left, the others flush right."""
    lines = [[str(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines)]
    for first, *others in lines:
        print("  ", first.ljust(widths[0]), *(cell.rjust(n + 2) for cell, n in zip(others, widths[1:])))


def progress(items, what, lines=5, note=lambda: ""):
    """items one by one: on a terminal with a bar, if tqdm is installed; elsewhere with a few lines, evenly spaced.

    note   says how it goes, in a few characters: asked whenever the line or the bar is written
    """
    items = list(items)
    if sys.stdout.isatty():
        try:
            from tqdm import tqdm
        except ImportError:
            pass
        else:
            with tqdm(items, desc=f"   {what}", file=sys.stdout, leave=False, ascii=True) as bar:
                for item in bar:
                    yield item
                    bar.set_postfix_str(note(), refresh=False)
            return
    said = {len(items) * k // lines for k in range(1, lines + 1)}
    for done, item in enumerate(items, start=1):
        yield item
        if done in said:
            print(f"   {what}: {done:{len(str(len(items)))}} of {len(items)}   {note()}".rstrip(), flush=True)


def fit(model, x, y, optimizer, steps):
    """Let model learn y from all of x by the mean squared error. Returns the loss before each of the steps."""
    losses = []
    for _ in range(steps):
        loss = mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def picture(path, draw, rows=1, columns=1, size=None, **options):
    """Call draw(*axes) on a new matplotlib figure and save it: the path, or None if matplotlib is not installed.

    size      in inches; by default 4.2 by 3.6 for each of the rows and columns
    options   of matplotlib's Figure.subplots, such as sharex=True
    """
    path = Path(path)
    try:
        import matplotlib
        from matplotlib.figure import Figure
        from matplotlib.rcsetup import cycler
    except ImportError:
        print(f"\n   left out: {path.name}, which needs matplotlib: python -m pip install matplotlib")
        return None
    style: Any = {
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 11,
        "axes.grid": True,
        "grid.color": "#E4E4E4",
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "legend.fontsize": 9,
    }
    with matplotlib.rc_context(style):  # a Figure of its own, not pyplot's: no window, no state left behind
        figure = Figure(figsize=size or (4.2 * columns, 3.6 * rows), layout="constrained")
        draw(*figure.subplots(rows, columns, squeeze=False, **options).ravel())
        figure.savefig(path, dpi=DPI)
    print(f"\n   written: {path}")
    return path
