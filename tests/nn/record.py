"""The cases on which modules and losses are compared with PyTorch, and PyTorch's answers for machines without it.

    python -m tests.nn.record        (where torch is installed) writes tests/nn/recorded.json

A case is a module, made by the same line from `nn` and from `torch.nn`, and what it is called with. Everything is
float64 and filled by a formula, so that nothing depends on chance.
"""

import json
import math
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("recorded.json")


def wave(*shape, phase=0.0, scale=1.5):
    """An array that looks irregular, with values between −scale and scale."""
    return scale * np.sin(np.arange(math.prod(shape)) * 2.3 + 0.7 + phase).reshape(shape)


def share(*shape, phase=0.0):
    """Numbers in (0, 1)."""
    return 0.5 + wave(*shape, phase=phase, scale=0.45)


def distribution(*shape, phase=0.0):
    """Positive numbers whose sum along axis 1 is 1."""
    p = share(*shape, phase=phase)
    return p / p.sum(axis=min(1, len(shape) - 1), keepdims=True)


class Case:
    """A module, what it is called with, and how.

    make        makes the module from `nn` or `torch.nn`
    inputs      arrays; the output is differentiated with respect to those that are floats
    reference   makes PyTorch's counterpart, where that is another line
    train       whether the module is in training
    passes      how many times it is called: what is compared is the last
    constant    whether the target is a constant: at its edges PyTorch's derivative by it is infinite or NaN
    """

    def __init__(self, make, *inputs, reference=None, train=True, passes=1, constant=False):
        self.make, self.inputs, self.reference = make, inputs, reference or make
        self.train, self.passes, self.constant = train, passes, constant


edges = np.array([-1000.0, -30, -20.5, -3, -1, -0.5, 0, 0.5, 1, 2, 20.5, 30, 1000])  # where formulas break, and kinks
x, y, q = wave(4, 3), wave(4, 3, phase=1), wave(4, 3, phase=2, scale=30)
p, t, hard = share(4, 3), share(4, 3, phase=1), np.array([[0.0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 1, 0]])
extreme = np.array([0.0, 1e-40, 1e-13, 0.5, 1.0 - 1e-13, 1.0, 0.0, 1.0])
labels, images, pixels = np.array([2, 0, 1, 1]), wave(2, 3, 2, 2), np.array([[[0, 2], [1, 1]], [[2, 0], [0, 1]]])
logs = np.log(distribution(4, 3))
w, column = share(3, phase=3), share(4, 1, phase=3)


def elementwise(*makes):
    return [case for make in makes for case in (Case(make, x), Case(make, edges))]


def reductions(make, *inputs, also=()):
    return [Case(lambda nn, r=r: make(nn, r), *inputs) for r in ("mean", "sum", "none", *also)]


CASES = {
    # ---- containers
    "Sequential": [Case(lambda nn: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Sequential(nn.Linear(4, 2))), x)],
    "Identity": [Case(lambda nn: nn.Identity(54, unused=True), x)],
    "Flatten": [Case(lambda nn: nn.Flatten(), images), Case(lambda nn: nn.Flatten(0, 2), images)],
    # ---- layers
    "Linear": [
        Case(lambda nn: nn.Linear(3, 2), x),
        Case(lambda nn: nn.Linear(3, 2, bias=False), x),
        Case(lambda nn: nn.Linear(2, 4), images),
        Case(lambda nn: nn.Linear(3, 2), x[0]),
    ],
    "Embedding": [
        Case(lambda nn: nn.Embedding(4, 3), np.array([[0, 3, 3], [1, 3, 0]])),
        Case(lambda nn: nn.Embedding(4, 3, padding_idx=-1), np.array([0, 3, 3, 1])),
    ],
    "BatchNorm1d": [
        Case(lambda nn: nn.BatchNorm1d(3), x),
        Case(lambda nn: nn.BatchNorm1d(3), x, passes=3),
        Case(lambda nn: nn.BatchNorm1d(3), x, train=False),
        Case(lambda nn: nn.BatchNorm1d(3, momentum=None, eps=0.1), wave(2, 3, 5), passes=3),
        Case(lambda nn: nn.BatchNorm1d(3), wave(2, 3, 5), train=False),
        Case(lambda nn: nn.BatchNorm1d(3, affine=False, momentum=0.3), x),
        Case(lambda nn: nn.BatchNorm1d(3, track_running_stats=False), x, train=False),
    ],
    "LayerNorm": [
        Case(lambda nn: nn.LayerNorm(3), x),
        Case(lambda nn: nn.LayerNorm([3, 2], eps=0.1), wave(4, 3, 2)),
        Case(lambda nn: nn.LayerNorm(3, elementwise_affine=False), x),
        Case(lambda nn: nn.LayerNorm(3, bias=False), x),
    ],
    "Dropout": [
        Case(lambda nn: nn.Dropout(), x, train=False),
        Case(lambda nn: nn.Dropout(0.0), x),
        Case(lambda nn: nn.Dropout(1.0), x),
    ],
    "Perceptron": [
        Case(lambda nn: nn.Perceptron(3), x, reference=lambda nn: nn.Sequential(nn.Linear(3, 1), nn.Sigmoid())),
    ],
    "MLP": [
        Case(
            lambda nn: nn.MLP([3, 4, 2]),
            x,
            reference=lambda nn: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)),
        ),
        Case(
            lambda nn: nn.MLP([3, 4, 1], activation=nn.ReLU, batch_norm=True, output=nn.Sigmoid),
            x,
            reference=lambda nn: nn.Sequential(
                nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1), nn.Sigmoid()
            ),
        ),
    ],
    # ---- activations
    "ReLU": elementwise(lambda nn: nn.ReLU(), lambda nn: nn.ReLU(inplace=False)),
    "LeakyReLU": elementwise(lambda nn: nn.LeakyReLU(), lambda nn: nn.LeakyReLU(0.3)),
    "ELU": elementwise(lambda nn: nn.ELU(), lambda nn: nn.ELU(0.5)),
    "SELU": elementwise(lambda nn: nn.SELU()),
    "GELU": elementwise(lambda nn: nn.GELU(), lambda nn: nn.GELU(approximate="tanh")),
    "SiLU": elementwise(lambda nn: nn.SiLU()),
    "Mish": elementwise(lambda nn: nn.Mish()),
    "Sigmoid": elementwise(lambda nn: nn.Sigmoid()),
    "LogSigmoid": elementwise(lambda nn: nn.LogSigmoid()),
    "Tanh": elementwise(lambda nn: nn.Tanh()),
    "Softplus": elementwise(lambda nn: nn.Softplus(), lambda nn: nn.Softplus(beta=2.0, threshold=1.0)),
    "Softsign": elementwise(lambda nn: nn.Softsign()),
    "Hardtanh": elementwise(lambda nn: nn.Hardtanh(), lambda nn: nn.Hardtanh(-0.5, 2.0)),
    "Softmax": [Case(lambda nn: nn.Softmax(dim=-1), q), Case(lambda nn: nn.Softmax(dim=1), images)],
    "LogSoftmax": [Case(lambda nn: nn.LogSoftmax(dim=1), q), Case(lambda nn: nn.LogSoftmax(dim=0), q)],
    # ---- losses
    "MSELoss": reductions(lambda nn, r: nn.MSELoss(reduction=r), x, y),
    "L1Loss": reductions(lambda nn, r: nn.L1Loss(reduction=r), x, np.where(y > 1, x, y)),
    "HuberLoss": [
        *reductions(lambda nn, r: nn.HuberLoss(reduction=r), x, y),
        Case(lambda nn: nn.HuberLoss(delta=0.3), x, np.where(y > 1, x, y)),
    ],
    "SmoothL1Loss": [
        *reductions(lambda nn, r: nn.SmoothL1Loss(reduction=r), x, y),
        Case(lambda nn: nn.SmoothL1Loss(beta=0.3), x, np.where(y > 1, x, y)),
        Case(lambda nn: nn.SmoothL1Loss(beta=0.0), x, y),
    ],
    "BCELoss": [
        *reductions(lambda nn, r: nn.BCELoss(reduction=r), p, t),
        *reductions(lambda nn, r: nn.BCELoss(weight(nn, column), reduction=r), p, hard),
        Case(lambda nn: nn.BCELoss(reduction="none"), extreme, np.array([0.0, 0, 1, 1, 0, 1, 1, 0]), constant=True),
    ],
    "BCEWithLogitsLoss": [
        *reductions(lambda nn, r: nn.BCEWithLogitsLoss(reduction=r), q, t),
        *reductions(lambda nn, r: nn.BCEWithLogitsLoss(weight(nn, column), reduction=r), q, hard),
        *reductions(lambda nn, r: nn.BCEWithLogitsLoss(reduction=r, pos_weight=weight(nn, w)), q, t),
        Case(lambda nn: nn.BCEWithLogitsLoss(reduction="none"), edges, (edges < 1).astype(float)),
    ],
    "CrossEntropyLoss": [
        *reductions(lambda nn, r: nn.CrossEntropyLoss(reduction=r), q, labels),
        *reductions(lambda nn, r: nn.CrossEntropyLoss(weight(nn, w), reduction=r, ignore_index=1), x, labels),
        *reductions(lambda nn, r: nn.CrossEntropyLoss(reduction=r, label_smoothing=0.1, ignore_index=1), x, labels),
        *reductions(lambda nn, r: nn.CrossEntropyLoss(weight(nn, w), reduction=r, label_smoothing=0.1), images, pixels),
        *reductions(lambda nn, r: nn.CrossEntropyLoss(reduction=r), x, distribution(4, 3)),
        *reductions(
            lambda nn, r: nn.CrossEntropyLoss(weight(nn, w), reduction=r, label_smoothing=0.1),
            images,
            distribution(2, 3, 2, 2),
        ),
        Case(lambda nn: nn.CrossEntropyLoss(), images, pixels),
        Case(lambda nn: nn.CrossEntropyLoss(), x[0], np.array(2)),
        Case(lambda nn: nn.CrossEntropyLoss(), x[0], distribution(3)),
        Case(lambda nn: nn.CrossEntropyLoss(), 30 * q, labels),
        Case(lambda nn: nn.CrossEntropyLoss(), x, np.array([2, -100, -100, 1])),
    ],
    "NLLLoss": [
        *reductions(lambda nn, r: nn.NLLLoss(reduction=r), logs, labels),
        *reductions(lambda nn, r: nn.NLLLoss(weight(nn, w), reduction=r, ignore_index=1), logs, labels),
        *reductions(lambda nn, r: nn.NLLLoss(reduction=r), images, pixels),
        Case(lambda nn: nn.NLLLoss(), logs[0], np.array(2)),
    ],
    "KLDivLoss": [
        *reductions(lambda nn, r: nn.KLDivLoss(reduction=r), logs, distribution(4, 3, phase=1), also=["batchmean"]),
        *reductions(lambda nn, r: nn.KLDivLoss(reduction=r, log_target=True), logs, logs[::-1].copy()),
        Case(lambda nn: nn.KLDivLoss(reduction="batchmean"), logs, hard / 2, constant=True),
    ],
}
NAMED = {f"{name} {i}": case for name, cases in CASES.items() for i, case in enumerate(cases)}


def weight(nn, array):
    """array as this nn's losses take weights."""
    if nn.__name__ == "nn":
        return array
    import torch

    return torch.from_numpy(array)


def outcome(case, nn, make, variable, plain):
    """Everything that is compared: the output, the gradients of inputs and parameters, and the state afterwards.

    variable   makes a leaf of an array; plain makes an array of what an array was made into
    """
    module = make(nn).double().train(case.train)
    for i, parameter in enumerate(module.parameters()):
        parameter.data[...] = variable(wave(*parameter.shape, phase=i)).data
    for name, buffer in module.named_buffers():
        if name.endswith("running_var"):
            buffer[...] = variable(share(*buffer.shape)).data
    for _ in range(case.passes):
        inputs = [variable(array, i == 0 or not case.constant) for i, array in enumerate(case.inputs)]
        output = module(*inputs)
    found = {"output": plain(output)}
    if output.requires_grad:
        (output * variable(wave(*output.shape, phase=5)).data).sum().backward()
        leaves = [*(x for x in inputs if x.requires_grad), *module.parameters()]
        found |= {f"gradient {i}": plain(leaf.grad) for i, leaf in enumerate(leaves)}
    return found | {f"state {i}": plain(v) for i, v in enumerate(module.state_dict().values())}


def theirs(case):
    """PyTorch's outcome."""
    import torch

    def variable(array, wanted=False):
        return torch.tensor(array, requires_grad=wanted and array.dtype == float)

    return outcome(case, torch.nn, case.reference, variable, lambda t: t.detach().numpy())


def ours(case):
    """Ours."""
    import nn
    from autograd import Tensor

    def variable(array, wanted=False):
        return Tensor(array, requires_grad=wanted and array.dtype == float)

    return outcome(case, nn, case.make, variable, lambda t: np.asarray(t.data if isinstance(t, Tensor) else t))


if __name__ == "__main__":
    lines = []
    for name, case in NAMED.items():
        found = {key: [float(f"{v:.13g}") for v in value.ravel()] for key, value in theirs(case).items()}
        lines.append(f"{json.dumps(name)}: {json.dumps(found)}")
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
