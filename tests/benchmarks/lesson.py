"""The lesson's network, 10-64-32-1 with everything: BatchNorm, ReLU, Dropout, Sigmoid, BCE, clipping, AdamW."""

import numpy as np

from .optimizers import adam
from .training import load, start

WIDTHS = 10, 64, 32, 1
BATCH = 64
LR, WEIGHT_DECAY, MAX_NORM = 1e-3, 1e-4, 1.0
MOMENTUM, EPS = 0.1, 1e-5  # BatchNorm's


def batch():
    """x of shape (64, 10), normal; y of shape (64, 1): is the sum of x's first two features positive?"""
    x = np.random.default_rng(1).standard_normal((BATCH, WIDTHS[0]), np.float32)
    return x, (x[:, :2].sum(axis=1, keepdims=True) > 0).astype(np.float32)


def parameters_at_start():
    """As the Sequential below orders them: w, b, gamma, beta for each hidden layer, then w, b."""
    w1, b1, w2, b2, w3, b3 = start(WIDTHS)
    return [w1, b1, np.ones_like(b1), np.zeros_like(b1), w2, b2, np.ones_like(b2), np.zeros_like(b2), w3, b3]


class Normalise:
    """BatchNorm in training:  y = gamma x^ + beta,  x^ = (x - mean) / sqrt(var + eps)."""

    def __init__(self, gamma, beta):
        self.gamma, self.beta = gamma, beta
        self.running_mean, self.running_var = np.zeros_like(beta), np.ones_like(gamma)

    def forward(self, x):
        mean = x.mean(axis=0)
        centred = x - mean
        var = np.mean(centred * centred, axis=0)
        self.scale = 1 / np.sqrt(var + EPS)
        self.x_hat = centred * self.scale
        n = len(x)
        self.running_mean += MOMENTUM * (mean - self.running_mean)
        self.running_var += MOMENTUM * (var * (n / (n - 1)) - self.running_var)
        y = self.x_hat * self.gamma
        y += self.beta
        return y

    def backward(self, dy):
        """(dx, dgamma, dbeta). The mean and the variance depend on x too: hence the two terms that are subtracted."""
        dgamma = (dy * self.x_hat).sum(axis=0)
        dbeta = dy.sum(axis=0)
        dx = self.gamma * self.scale * (dy - dbeta / len(dy) - self.x_hat * (dgamma / len(dy)))
        return dx, dgamma, dbeta


def numpy(dropout):
    """By hand. Memory: biases, beta, running averages, clipping and AdamW work in place, all else makes new arrays.
    Activations and slopes are held until the step returns, gradients of all parameters until the update."""
    x, y = batch()
    random = np.random.default_rng(2)
    keep = 1 - dropout
    w1, b1, gamma1, beta1, w2, b2, gamma2, beta2, w3, b3 = parameters = parameters_at_start()
    norm1, norm2 = Normalise(gamma1, beta1), Normalise(gamma2, beta2)
    update = adam(parameters, LR, WEIGHT_DECAY)

    def relu_and_dropout(z):
        """(h, dh/dz): what is neither negative nor dropped, scaled so that the mean stays."""
        slope = (z > 0) & (random.random(z.shape, np.float32) < keep)
        slope = slope * np.float32(1 / keep)
        return z * slope, slope

    def step():
        z1 = x @ w1.T
        z1 += b1
        h1, slope1 = relu_and_dropout(norm1.forward(z1))
        z2 = h1 @ w2.T
        z2 += b2
        h2, slope2 = relu_and_dropout(norm2.forward(z2))
        z3 = h2 @ w3.T  # (batch, 1)
        z3 += b3
        p = 1 / (1 + np.exp(-z3))
        loss = np.mean(np.logaddexp(0, z3) - y * z3)  # = -mean(y log p + (1 - y) log(1 - p)), without log(0)

        dz3 = (p - y) / BATCH
        dw3 = dz3.T @ h2
        db3 = dz3.sum(axis=0)
        dz2, dgamma2, dbeta2 = norm2.backward(dz3 @ w3 * slope2)
        dw2 = dz2.T @ h1
        db2 = dz2.sum(axis=0)
        dz1, dgamma1, dbeta1 = norm1.backward(dz2 @ w2 * slope1)
        dw1 = dz1.T @ x
        db1 = dz1.sum(axis=0)

        gradients = [dw1, db1, dgamma1, dbeta1, dw2, db2, dgamma2, dbeta2, dw3, db3]
        norm = np.sqrt(sum(np.sum(g * g) for g in gradients))
        if norm > MAX_NORM:
            for g in gradients:
                g *= MAX_NORM / norm
        update(gradients)
        return loss

    return step


def tutorial(nn, optim, tensor, dropout):
    """The lesson's listing, for whoever has PyTorch's names: PyTorch and ours."""
    n0, n1, n2, n3 = WIDTHS
    hidden = lambda n_in, n_out: (nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out), nn.ReLU(), nn.Dropout(dropout))
    model = nn.Sequential(*hidden(n0, n1), *hidden(n1, n2), nn.Linear(n2, n3), nn.Sigmoid())
    load(model, map(tensor, parameters_at_start()))
    criterion = nn.BCELoss()
    optimizer = optim.AdamW(model.parameters(), lr=LR, weight_decay=WEIGHT_DECAY)
    x, y = map(tensor, batch())

    def step():
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=MAX_NORM)
        optimizer.step()
        return loss

    return step


def ours(dropout):
    import autograd
    import nn

    autograd.set_default_dtype(np.float32)
    return tutorial(nn, nn.optim, np.asarray, dropout)


def pytorch(dropout):
    import torch

    return tutorial(torch.nn, torch.optim, torch.from_numpy, dropout)
