"""A 2-4-1 tanh network learns the four points of XOR. The arithmetic takes a microsecond: this measures overhead."""

import numpy as np

from .optimizers import IN_PLACE
from .training import jitted, load, start

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)  # (4, 2)
Y = np.array([[0], [1], [1], [0]], np.float32)  # (4, 1)
WIDTHS = 2, 4, 1
LR = {"SGD": 0.1, "Adam": 0.01}


def numpy(optimizer):
    """By hand. Memory: bias is added in place, everything else is a new array. Activations are held until the step
    returns, gradients of all parameters until the update."""
    w1, b1, w2, b2 = parameters = start(WIDTHS)
    update = IN_PLACE[optimizer](parameters, LR[optimizer])

    def step():
        h = X @ w1.T  # (4, 4)
        h += b1
        h = np.tanh(h)
        z = h @ w2.T  # (4, 1)
        z += b2
        error = z - Y
        loss = np.mean(error * error)

        dz = 2 / len(X) * error
        dw2 = dz.T @ h
        db2 = dz.sum(axis=0)
        dh = dz @ w2 * (1 - h * h)
        dw1 = dh.T @ X
        db1 = dh.sum(axis=0)

        update([dw1, db1, dw2, db2])
        return loss

    return step


def tutorial(nn, optim, tensor, optimizer):
    """The step as PyTorch's tutorials write it, for whoever has these names: PyTorch and ours."""
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    load(model, map(tensor, start(WIDTHS)))
    criterion = nn.MSELoss()
    optimizer = getattr(optim, optimizer)(model.parameters(), lr=LR[optimizer])
    x, y = tensor(X), tensor(Y)

    def step():
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def ours(optimizer):
    import autograd
    import nn

    autograd.set_default_dtype(np.float32)
    return tutorial(nn, nn.optim, np.asarray, optimizer)


def pytorch(optimizer):
    import torch

    return tutorial(torch.nn, torch.optim, torch.from_numpy, optimizer)


def jax(optimizer):
    import jax.numpy as jnp

    def loss(parameters, x, y):
        w1, b1, w2, b2 = parameters
        h = jnp.tanh(x @ w1.T + b1)
        z = h @ w2.T + b2
        return jnp.mean((z - y) ** 2)

    return jitted(loss, start(WIDTHS), (X, Y), optimizer, LR[optimizer])


def mygrad(optimizer):
    import mygrad as mg

    w1, b1, w2, b2 = parameters = [mg.tensor(array.T.copy()) for array in start(WIDTHS)]
    update = IN_PLACE[optimizer]([w.data for w in parameters], LR[optimizer])

    def step():
        h = mg.tanh(X @ w1 + b1)
        z = h @ w2 + b2
        loss = mg.mean((z - Y) ** 2)
        loss.backward()
        update([w.grad for w in parameters])
        return loss

    return step
