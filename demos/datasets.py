"""The data that several demos learn from, drawn or written by hand, and a model's answers to them."""

from pathlib import Path

import numpy as np

from autograd import no_grad

# 1,797 digits that 13 people wrote: "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak, 1998), from the
# UCI Machine Learning Repository, CC BY 4.0. What was taken, and from where, stands in data/README.md.
DIGITS = Path(__file__).parent / "data" / "digits.npz"


def moons(n, noise, rng):
    """x, (n, 2), and y, (n, 1): points of two interleaved half circles, and which of the two each is from, 0 or 1.

    The upper one is (cos a, sin a), the lower one (1 - cos a, 1/2 - sin a), for angles a drawn evenly from 0 to pi;
    then noise is added, the standard deviation of each coordinate.
    """
    angle, y = rng.uniform(0, np.pi, n), np.arange(n) % 2
    x = np.where(y, [1 - np.cos(angle), 0.5 - np.sin(angle)], [np.cos(angle), np.sin(angle)]).T
    return x + noise * rng.standard_normal((n, 2)), y[:, None].astype(float)


def digits(rng):
    """(x, y) three times: 1150 digits to train on, 288 to choose by (validation), 359 to be examined on (held out).

    x, (n, 64), is the ink in 8 rows of 8 pixels, from 0 to 1; y, (n,), is the digit. rng decides which goes where.
    """
    with np.load(DIGITS) as file:
        x, y = file["images"].reshape(-1, 64) / 16, file["labels"].astype(int)
    return [(x[part], y[part]) for part in np.split(rng.permutation(len(x)), [1150, 1438])]


def answers(model, x):
    """The class that the model says each x is of: of several outputs the largest; of one, z, whether z > 0.

    The model is in eval() from then on.
    """
    model.eval()
    with no_grad():
        z = model(x).data
    return np.argmax(z, axis=1) if z.shape[1] > 1 else (z[:, 0] > 0).astype(int)
