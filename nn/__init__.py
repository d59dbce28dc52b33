"""Neural networks, with PyTorch's names and PyTorch's numbers, on `autograd`.

    >>> import nn, nn.optim as optim
    >>> model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
    >>> loss = nn.MSELoss()(model([[0.0, 1.0]]), [[1.0]])
    >>> loss.backward()
    >>> optimizer.step()

Small on purpose: what a first course uses, complete. `Perceptron` and `MLP` are this project's own.
"""

from . import functional, init, optim, random, utils
from .activations import (
    ELU,
    GELU,
    SELU,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Swish,
    Tanh,
)
from .containers import Flatten, Identity, ModuleDict, ModuleList, Sequential
from .data import (
    DataLoader,
    GaussianNoise,
    RandomFlip,
    RandomRotation,
    RandomShift,
    Subset,
    TensorDataset,
    random_split,
)
from .layers import Dropout, Embedding, Linear
from .losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from .module import Module, Parameter
from .normalisation import BatchNorm1d, LayerNorm
from .perceptron import MLP, Perceptron
from .random import manual_seed
from .saving import CheckpointError, load, save
from .training import EarlyStopping


def __getattr__(name: str) -> object:
    """`default_generator`, which is made when it is first asked for: see `nn.random`."""
    if name == "default_generator":
        return random.default_generator()
    remedy = ""
    if not name.startswith("_"):  # as the names do that Python itself asks for
        from difflib import get_close_matches  # slow to import, and seldom needed

        ours = {known.lower().removesuffix("loss"): known for known in __all__} | {"dense": "Linear"}
        close = get_close_matches(name.lower().removesuffix("loss"), ours, 1, 0.8)
        remedy = f": did you mean nn.{ours[close[0]]}?" if close else ", only what a first course uses: see dir(nn)."
    raise AttributeError(f"module 'nn' has no attribute {name!r}{remedy}")


__all__ = [
    "Module", "Parameter", "Sequential", "ModuleList", "ModuleDict", "Identity", "Flatten",
    "Linear", "Embedding", "BatchNorm1d", "LayerNorm", "Dropout", "Perceptron", "MLP",
    "ReLU", "LeakyReLU", "ELU", "SELU", "GELU", "SiLU", "Swish", "Mish", "Sigmoid", "LogSigmoid", "Tanh", "Softplus",
    "Softsign", "Hardtanh", "Softmax", "LogSoftmax",
    "MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "NLLLoss",
    "KLDivLoss",
    "TensorDataset", "Subset", "DataLoader", "random_split",
    "GaussianNoise", "RandomFlip", "RandomShift", "RandomRotation",
    "EarlyStopping", "save", "load", "CheckpointError",
    "manual_seed", "default_generator", "functional", "init", "optim", "utils",
]  # fmt: skip
