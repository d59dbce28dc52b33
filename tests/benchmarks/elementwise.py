"""exp(tanh(b) b + b), summed over a million float32 numbers, and its derivative: memory traffic and nothing else."""

import numpy as np

B = np.random.default_rng(0).standard_normal(1_000_000, np.float32)


def numpy():
    """By hand. Memory: every intermediate result is a new array, freed as soon as it has no name."""

    def step():
        t = np.tanh(B)
        y = np.exp(t * B + B)
        loss = y.sum()  # noqa: F841 (the value is part of the work)
        return y * ((1 - t * t) * B + t + 1)

    return step


def ours():
    from autograd import Tensor

    b = Tensor(B, requires_grad=True)

    def step():
        b.grad = None
        np.exp(np.tanh(b) * b + b).sum().backward()
        return b.grad

    return step


def pytorch():
    import torch

    b = torch.tensor(B, requires_grad=True)

    def step():
        b.grad = None
        torch.exp(torch.tanh(b) * b + b).sum().backward()
        return b.grad

    return step


def jax():
    import jax
    import jax.numpy as jnp

    f = jax.jit(jax.value_and_grad(lambda b: jnp.exp(jnp.tanh(b) * b + b).sum()))
    b = jnp.asarray(B)

    def step():
        _, gradient = f(b)
        return gradient.block_until_ready()

    return step


def mygrad():
    import mygrad as mg

    b = mg.tensor(B)

    def step():
        mg.exp(mg.tanh(b) * b + b).sum().backward()  # MyGrad forgets the last gradient by itself
        return b.grad

    return step
