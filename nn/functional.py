"""What layers, activations and losses compute, as functions with PyTorch's names: `import nn.functional as F`."""

from autograd.activations import elu, gelu, leaky_relu, relu, silu, softplus

from .activations import hardtanh, log_softmax, logsigmoid, mish, selu, sigmoid, softmax, softsign, tanh
from .layers import dropout, embedding, linear
from .losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    nll_loss,
    smooth_l1_loss,
)
from .normalisation import batch_norm, layer_norm

__all__ = [
    "batch_norm", "dropout", "embedding", "layer_norm", "linear",
    "elu", "gelu", "hardtanh", "leaky_relu", "log_softmax", "logsigmoid", "mish", "relu", "selu", "sigmoid", "silu",
    "softmax", "softplus", "softsign", "tanh",
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "huber_loss", "kl_div", "l1_loss",
    "mse_loss", "nll_loss", "smooth_l1_loss",
]  # fmt: skip
