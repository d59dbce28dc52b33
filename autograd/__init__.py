"""Automatic differentiation of ordinary NumPy.

    >>> import numpy as np
    >>> from autograd import Tensor
    >>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> np.sum(np.square(x)).backward()
    >>> x.grad
    array([2., 4., 6.])

`Tensor` is a value that remembers where it came from; NumPy's functions on it are the library. `grad` and `functional`
differentiate, `steps` shows how, `op` teaches the engine another operation, `gradcheck` tests one.
"""

from . import core  # isort: skip  # first of all: it refuses an environment that it shares with HIPS/autograd
from . import activations, composed, derivatives, functional, linalg, products, special  # importing fills the tables
from .backward import grad, topological_order
from .gradcheck import GradcheckError, gradcheck
from .modes import detect_anomaly, enable_grad, is_grad_enabled, no_grad
from .operations import Op, call, op
from .tensor import Hook, Tensor, get_default_dtype, set_default_dtype, stamp
from .walk import Step, steps

__all__ = [
    "GradcheckError",
    "Hook",
    "Op",
    "Step",
    "Tensor",
    "call",
    "detect_anomaly",
    "enable_grad",
    "functional",
    "get_default_dtype",
    "grad",
    "gradcheck",
    "is_grad_enabled",
    "no_grad",
    "op",
    "set_default_dtype",
    "special",
    "stamp",
    "steps",
    "topological_order",
]
