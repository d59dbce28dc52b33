"""Gradients kept in bounds, and all parameters as one vector."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from itertools import repeat
from operator import imul, setitem
from typing import Any

import numpy as np

from autograd import Tensor, stamp
from autograd.advice import a
from autograd.tensor import at_once, make_writable, set_grad

__all__ = ["clip_grad_norm_", "clip_grad_value_", "parameters_to_vector", "vector_to_parameters"]

Parameters = Tensor | Iterable[Tensor]


def listed(parameters: Parameters) -> list[Tensor]:
    """The parameters as a list, whether one was given or several."""
    if hasattr(parameters, "parameters") or callable(parameters):
        raise TypeError(f"Parameters are expected, model.parameters(), not {a(parameters)}.")
    return [parameters] if isinstance(parameters, Tensor) else list(parameters)


def with_gradients(parameters: Parameters) -> list[Tensor]:
    """Those of the parameters that have a gradient, which then is an array, or a Tensor, that can be written to."""
    owners = [p for p in listed(parameters) if p.grad is not None]
    for p in owners:
        fixed = p.grad.__class__ is not np.ndarray or not p.grad.flags.writeable
        if fixed and not isinstance(p.grad, Tensor):  # it was assigned by hand
            p.grad = np.array(p.grad)
    return owners


def clip_grad_norm_(
    parameters: Parameters, max_norm: float, norm_type: float | str = 2.0, error_if_nonfinite: bool = False
) -> float:
    """g ← g · min(1, max_norm / (‖g‖ + 10⁻⁶)), where g is all gradients as one vector. Returns ‖g‖ before.

    norm_type            p of the p-norm (Σ |gᵢ|ᵖ)^(1/p); math.inf, or 'inf', is the largest |gᵢ|
    error_if_nonfinite   raise if the norm is NaN or infinite, instead of spreading it
    """
    max_norm, norm_type = float(max_norm), float(norm_type)  # np.float32 would round the scale
    owners = with_gradients(parameters)
    if not owners:
        warnings.warn("clip_grad_norm_() found no gradients to clip. Call it after loss.backward().", stacklevel=2)
    gradients = [p.grad.ravel() for p in owners]
    if norm_type == 2 and len(gradients) > 1 and sum([g.size for g in gradients]) < 10_000:
        gradients = [np.concatenate(gradients)]  # of many small ones the most is the calling
    gradients = [g.astype(np.float32) if g.dtype.char == "e" else g for g in gradients]  # g² may overflow
    if norm_type == 2:
        norm = math.sqrt(sum([float(g.dot(g)) for g in gradients]))
    else:
        norms = np.array([np.linalg.norm(g, norm_type) for g in gradients] or [np.float64(0)])
        norm = float(np.linalg.norm(norms, norm_type))
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(
            f"The norm of the gradients is {norm}, so they cannot be clipped. autograd.detect_anomaly() finds the "
            "operation that this comes from."
        )
    scale = max_norm / (norm + 1e-6)
    if not scale >= 1:  # so that NaN spreads, as it does in PyTorch
        at_once(map(set_grad, owners, map(imul, [p.grad for p in owners], repeat(scale))))  # each in place
    return norm


def clip_grad_value_(parameters: Parameters, clip_value: float) -> None:
    """gᵢ ← min(max(gᵢ, −clip_value), clip_value), for every element of every gradient."""
    gradients = [p.grad for p in with_gradients(parameters)]
    clipped = [np.clip(g, -clip_value, clip_value) for g in gradients]
    at_once(map(setitem, gradients, repeat(...), clipped))


def parameters_to_vector(parameters: Parameters) -> Tensor:
    """All elements of all parameters, in order, as one Tensor of shape (n,), which can be differentiated."""
    return np.concatenate([p.ravel() for p in listed(parameters)])  # type: ignore[return-value]  # a Tensor of Tensors


def vector_to_parameters(vec: Any, parameters: Parameters) -> None:
    """Write the elements of a vector, in the order of `parameters_to_vector`, into the parameters."""
    params = listed(parameters)
    vector = vec.data if isinstance(vec, Tensor) else np.asarray(vec)
    sizes = [p.size for p in params]
    if vector.shape != (sum(sizes),):
        raise ValueError(f"The parameters have {sum(sizes)} elements, but the vector has shape {vector.shape}.")
    pieces = [piece.reshape(p.shape) for p, piece in zip(params, np.split(vector, np.cumsum(sizes)[:-1]))]
    make_writable(*params)
    stamp(*params)
    at_once(map(np.ndarray.__setitem__, [p.data for p in params], repeat(...), pieces))
