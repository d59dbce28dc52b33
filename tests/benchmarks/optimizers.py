"""SGD and Adam by hand: in place for arrays (NumPy, MyGrad), and as pure functions (JAX).

Adam:  m <- b1 m + (1 - b1) g,  v <- b2 v + (1 - b2) g^2,  w <- w - lr m' / (sqrt(v') + eps),
with m' = m / (1 - b1^t) and v' = v / (1 - b2^t)   (Kingma and Ba, 2015); AdamW first shrinks w by lr * weight_decay.
"""

import numpy as np

B1, B2, EPS = 0.9, 0.999, 1e-8


def sgd(parameters, lr):
    """update(gradients):  w <- w - lr g."""

    def update(gradients):
        for w, g in zip(parameters, gradients):
            w -= lr * g

    return update


def adam(parameters, lr, weight_decay=0.0):
    """update(gradients): Adam, or AdamW where there is a weight_decay."""
    t = 0
    moments = [(np.zeros_like(w), np.zeros_like(w)) for w in parameters]

    def update(gradients):
        nonlocal t
        t += 1
        for w, g, (m, v) in zip(parameters, gradients, moments):
            if weight_decay:
                w *= 1 - lr * weight_decay
            m *= B1
            m += (1 - B1) * g
            v *= B2
            v += (1 - B2) * g * g
            w -= lr / (1 - B1**t) * m / (np.sqrt(v / (1 - B2**t)) + EPS)

    return update


def pure_sgd(parameters):
    """(state, update):  update(parameters, gradients, state, lr) -> new parameters, new state."""

    def update(parameters, gradients, state, lr):
        return [w - lr * g for w, g in zip(parameters, gradients)], state

    return (), update


def pure_adam(parameters):
    """The same for Adam, whose state is (t, [m, ...], [v, ...])."""

    def update(parameters, gradients, state, lr):
        t, ms, vs = state
        t = t + 1
        ms = [B1 * m + (1 - B1) * g for m, g in zip(ms, gradients)]
        vs = [B2 * v + (1 - B2) * g * g for v, g in zip(vs, gradients)]
        rate, correction = lr / (1 - B1**t), 1 - B2**t
        new = [w - rate * m / ((v / correction) ** 0.5 + EPS) for w, m, v in zip(parameters, ms, vs)]
        return new, (t, ms, vs)

    return (0, [np.zeros_like(w) for w in parameters], [np.zeros_like(w) for w in parameters]), update


IN_PLACE = {"SGD": sgd, "Adam": adam}
PURE = {"SGD": pure_sgd, "Adam": pure_adam}
