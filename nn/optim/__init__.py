"""Optimizers and learning-rate schedulers, with PyTorch's names, signatures and numbers.

    for x, target in batches:
        optimizer.zero_grad()
        loss = criterion(model(x), target)
        loss.backward()
        optimizer.step()

`methods.py` has a formula for each optimizer, `optimizer.py` what they share, `lr_scheduler.py` the learning rates.
"""

from . import lr_scheduler
from .methods import SGD, Adagrad, Adam, AdamW, RMSprop
from .optimizer import Optimizer

__all__ = ["Optimizer", "SGD", "Adagrad", "RMSprop", "Adam", "AdamW", "lr_scheduler"]
