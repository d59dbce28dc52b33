"""A three-layer classifier, cross entropy: small (mlp), where overhead and arithmetic meet, and the size of MNIST."""

import numpy as np

from .optimizers import IN_PLACE
from .training import jitted, load, start

LR = {"SGD": 0.1, "Adam": 0.001}


def batch_of(batch, widths):
    """x of shape (batch, features), normal; y of shape (batch,), the classes."""
    random = np.random.default_rng(1)
    return random.standard_normal((batch, widths[0]), np.float32), random.integers(0, widths[-1], batch)


def relu(z):
    """(h, dh/dz)."""
    return np.maximum(z, 0), z > 0


def gelu(z):
    """(h, dh/dz):  z P(z)  and  P(z) + z p(z), with P and p the normal distribution and its density."""
    from scipy.special import erf

    normal = 0.5 * (1 + erf(z * 0.5**0.5))
    density = (2 * np.pi) ** -0.5 * np.exp(-0.5 * z * z)
    return z * normal, normal + z * density


def numpy(widths, batch, activation, optimizer):
    """By hand. Memory: biases, the shift, the softmax and slopes are applied in place, everything else is a new array.
    Activations and slopes are held until the step returns, gradients of all parameters until the update."""
    x, y = batch_of(batch, widths)
    rows = np.arange(batch)
    act = {"ReLU": relu, "GELU": gelu}[activation]
    w1, b1, w2, b2, w3, b3 = parameters = start(widths)
    update = IN_PLACE[optimizer](parameters, LR[optimizer])

    def step():
        z1 = x @ w1.T
        z1 += b1
        h1, slope1 = act(z1)
        z2 = h1 @ w2.T
        z2 += b2
        h2, slope2 = act(z2)
        z3 = h2 @ w3.T  # (batch, classes)
        z3 += b3
        z3 -= z3.max(axis=1, keepdims=True)  # exp would overflow; the shift cancels in the quotient
        p = np.exp(z3)
        total = p.sum(axis=1, keepdims=True)
        loss = np.mean(np.log(total[:, 0]) - z3[rows, y])

        p /= total
        p[rows, y] -= 1
        dz3 = p / batch
        dw3 = dz3.T @ h2
        db3 = dz3.sum(axis=0)
        dz2 = dz3 @ w3
        dz2 *= slope2
        dw2 = dz2.T @ h1
        db2 = dz2.sum(axis=0)
        dz1 = dz2 @ w2
        dz1 *= slope1
        dw1 = dz1.T @ x
        db1 = dz1.sum(axis=0)

        update([dw1, db1, dw2, db2, dw3, db3])
        return loss

    return step


def tutorial(nn, optim, tensor, widths, batch, activation, optimizer, retain_graph=None):
    """The step as PyTorch's tutorials write it, for whoever has these names: PyTorch and ours."""
    act = getattr(nn, activation)
    n0, n1, n2, n3 = widths
    model = nn.Sequential(nn.Linear(n0, n1), act(), nn.Linear(n1, n2), act(), nn.Linear(n2, n3))
    load(model, map(tensor, start(widths)))
    criterion = nn.CrossEntropyLoss()
    optimizer = getattr(optim, optimizer)(model.parameters(), lr=LR[optimizer])
    x, y = map(tensor, batch_of(batch, widths))
    options = {} if retain_graph is None else dict(retain_graph=retain_graph)

    def step():
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward(**options)
        optimizer.step()
        return loss

    return step


def ours(**options):
    import autograd
    import nn

    autograd.set_default_dtype(np.float32)
    return tutorial(nn, nn.optim, np.asarray, **options)


def pytorch(**options):
    import torch

    return tutorial(torch.nn, torch.optim, torch.from_numpy, **options)


def jax(widths, batch, activation, optimizer):
    import jax

    act = {"ReLU": jax.nn.relu, "GELU": lambda z: jax.nn.gelu(z, approximate=False)}[activation]

    def loss(parameters, x, y):
        w1, b1, w2, b2, w3, b3 = parameters
        h1 = act(x @ w1.T + b1)
        h2 = act(h1 @ w2.T + b2)
        scores = jax.nn.log_softmax(h2 @ w3.T + b3)
        return -jax.numpy.mean(scores[jax.numpy.arange(batch), y])

    return jitted(loss, start(widths), batch_of(batch, widths), optimizer, LR[optimizer])


def mygrad(widths, batch, activation, optimizer):
    if activation == "GELU":
        return None  # it has no erf
    import mygrad as mg
    from mygrad.nnet import relu, softmax_crossentropy

    x, y = batch_of(batch, widths)
    w1, b1, w2, b2, w3, b3 = parameters = [mg.tensor(array.T.copy()) for array in start(widths)]
    update = IN_PLACE[optimizer]([w.data for w in parameters], LR[optimizer])

    def step():
        h1 = relu(x @ w1 + b1)
        h2 = relu(h1 @ w2 + b2)
        loss = softmax_crossentropy(h2 @ w3 + b3, y)
        loss.backward()
        update([w.grad for w in parameters])
        return loss

    return step
