"""What the network workloads share: the weights they start from, and how these get into a model."""

from itertools import pairwise

import numpy as np


def start(widths, seed=0):
    """[w1, b1, w2, b2, ...], each uniform in +-1/sqrt(n_in) as PyTorch's Linear has it; w of shape (n_out, n_in)."""
    random = np.random.default_rng(seed)
    arrays = []
    for n_in, n_out in pairwise(widths):
        bound = n_in**-0.5
        arrays.append(random.uniform(-bound, bound, (n_out, n_in)).astype(np.float32))
        arrays.append(random.uniform(-bound, bound, n_out).astype(np.float32))
    return arrays


def load(model, arrays):
    """Puts the arrays into the model's parameters, in order."""
    for parameter, array in zip(model.parameters(), arrays):
        parameter.data[...] = array


def jitted(loss, parameters, data, optimizer, lr):
    """JAX's step: loss(parameters, *data), its gradients and the update, compiled as one function."""
    import jax

    from .optimizers import PURE

    state, update = PURE[optimizer](parameters)
    data = [jax.numpy.asarray(array) for array in data]

    @jax.jit
    def train(parameters, state, *data):
        value, gradients = jax.value_and_grad(loss)(parameters, *data)
        return value, *update(parameters, gradients, state, lr)

    def step():
        nonlocal parameters, state
        value, parameters, state = train(parameters, state, *data)
        return value.block_until_ready()  # the outputs of one compiled call become ready together

    return step
