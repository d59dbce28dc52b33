"""A chain of 200 operations on single numbers, some used twice: what one node costs. Only what micrograd can do."""

A, B = 0.5, 0.3


def chain(a, b, relu):
    """Twenty times ten operations; it stays between -1 and 1."""
    x = a
    for _ in range(20):
        u = x * a + b
        v = relu(u) - x
        w = v * v
        x = (w + 1.0) ** -0.5 * u - 0.1 * v
    return x


def step_of(Tensor, relu):
    """The step with this Tensor and this relu, ours or those of a copy."""
    a, b = Tensor(A, requires_grad=True), Tensor(B, requires_grad=True)

    def step():
        a.grad = b.grad = None
        chain(a, b, relu).backward()
        return a.grad

    return step


def ours():
    from autograd import Tensor
    from nn.functional import relu

    return step_of(Tensor, relu)


def pytorch():
    import torch

    a, b = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (A, B))

    def step():
        a.grad = b.grad = None
        chain(a, b, torch.relu).backward()
        return a.grad

    return step


def mygrad():
    import mygrad as mg
    from mygrad.nnet import relu

    a, b = mg.tensor(A), mg.tensor(B)

    def step():
        chain(a, b, relu).backward()  # MyGrad forgets the last gradient by itself
        return a.grad

    return step


def micrograd():
    from micrograd.engine import Value

    a, b = Value(A), Value(B)

    def step():
        a.grad = b.grad = 0
        chain(a, b, Value.relu).backward()
        return a.grad

    return step
