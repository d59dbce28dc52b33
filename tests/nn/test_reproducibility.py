"""The same seed gives the same bits, in another process too; and training that was stopped goes on to the same bits.

"Bits" are a checksum of everything that there is to remember: weights, running statistics, what the optimizer and the
schedulers keep, the generators.
"""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nn
from nn import optim
from tests.nn.test_loading import fingerprint
from tests.nn.test_optim import CASES, OPTIMIZERS
from tests.nn.test_schedulers import ALL, build, metric

ROOT = Path(__file__).parents[2]

# ---- all that draws -------------------------------------------------------------------------------------------------

X = np.sin(np.arange(60.0)).reshape(10, 6)
IMAGES = np.sin(np.arange(96.0)).reshape(6, 4, 4)


def takes_generator(thing):
    thing = thing.__init__ if inspect.isclass(thing) else thing
    return inspect.isroutine(thing) and "generator" in inspect.signature(thing).parameters


def weights(make):
    return lambda **given: [p.data for p in make(**given).parameters()]


def fills(name):
    return lambda **given: [getattr(nn.init, name)(np.empty((3, 4)), **given)]


DRAWS = {f"init.{name}": fills(name) for name in nn.init.__all__ if takes_generator(getattr(nn.init, name))}
DRAWS |= {
    "Linear": weights(lambda **given: nn.Linear(3, 2, **given)),
    "Embedding": weights(lambda **given: nn.Embedding(3, 2, **given)),
    "Perceptron": weights(lambda **given: nn.Perceptron(3, **given)),
    "MLP": lambda **given: [nn.MLP([6, 3, 1], nn.Tanh, dropout=0.5, **given)(X).data],
    "Dropout": lambda **given: [nn.Dropout(0.5, **given)(X)],
    "functional.dropout": lambda **given: [nn.functional.dropout(X, **given)],
    "DataLoader": lambda **given: [x for (x,) in nn.DataLoader(nn.TensorDataset(X), 4, True, **given)],
    "random_split": lambda **given: [part.indices for part in nn.random_split(X, [7, 3], **given)],
    "GaussianNoise": lambda **given: [nn.GaussianNoise(0.1, **given)(IMAGES)],
    "RandomFlip": lambda **given: [nn.RandomFlip(**given)(IMAGES)],
    "RandomShift": lambda **given: [nn.RandomShift(1, **given)(IMAGES)],
    "RandomRotation": lambda **given: [nn.RandomRotation(90, **given)(IMAGES)],
}


def test_all_that_draws_is_here():
    names = {f"{prefix}{name}" for module, prefix in ((nn, ""), (nn.init, "init."), (nn.functional, "functional."))
             for name in module.__all__ if takes_generator(getattr(module, name))}  # fmt: skip
    assert names == DRAWS.keys()


@pytest.mark.parametrize("name", DRAWS)
def test_the_same_seed_gives_the_same_bits_from_the_generator_of_all_and_from_ones_own(name):
    def bits(seed, own):
        generator = np.random.default_rng(seed) if own else nn.manual_seed(seed)
        drawn = DRAWS[name](**({"generator": generator} if own else {}))
        return [np.asarray(x).tobytes() for x in drawn], generator.random()  # it has drawn equally often

    assert bits(3, False) == bits(3, False) == bits(3, True) == bits(3, True)
    assert bits(4, False)[0] != bits(3, False)[0]


# ---- training -------------------------------------------------------------------------------------------------------

DATA = nn.TensorDataset(np.sin(np.arange(40.0)).reshape(10, 4), np.cos(np.arange(10.0)).reshape(10, 1))


class Training:
    """A network with all that changes in training, batches in an order of their own, noise on them, and the rest."""

    def __init__(self, optimizer, schedulers, given, seed, width=8, dtype=np.float64):
        nn.manual_seed(seed)
        self.model = nn.Sequential(
            nn.Linear(4, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.3), nn.Linear(width, width), nn.Tanh(),
            nn.LayerNorm(width), nn.Dropout(0.1), nn.Linear(width, 1),
        ).to(dtype)  # fmt: skip
        first, *rest = self.model.parameters()
        self.optimizer = optimizer([{"params": [first], "lr": 0.03}, {"params": rest}], **given)
        self.schedulers = [build(optim.lr_scheduler, self.optimizer, *each) for each in schedulers]
        self.order = np.random.default_rng(seed)
        self.batches = nn.DataLoader(DATA, 4, shuffle=True, generator=self.order)
        self.stopping, self.dtype = nn.EarlyStopping(self.model), dtype

    def objects(self):
        """All that a checkpoint has to hold."""
        schedulers = {f"scheduler{i}": scheduler for i, scheduler in enumerate(self.schedulers)}
        return dict(model=self.model, optimizer=self.optimizer, order=self.order, chance=nn.default_generator,
                    stopping=self.stopping, **schedulers)  # fmt: skip

    def epochs(self, n):
        """The bits after each epoch."""
        bits = []
        for _ in range(n):
            for x, y in self.batches:
                x = nn.GaussianNoise(0.1)(x).astype(self.dtype)
                self.optimizer.zero_grad()
                loss = nn.MSELoss()(self.model(x), y.astype(self.dtype))
                loss.backward()
                nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                self.optimizer.step()
                for scheduler in self.schedulers:
                    plateau = isinstance(scheduler, optim.lr_scheduler.ReduceLROnPlateau)
                    scheduler.step(*[metric(scheduler.last_epoch)] * plateau)
            self.stopping.step(loss)
            bits.append(fingerprint(self.objects()))
        assert all(np.isfinite(p.data).all() for p in self.model.parameters())
        return bits


# one case of each scheduler, and those in chains; of each optimizer the case with all options, but so that it learns
RUNS = {case: chain for case, chain in ALL.items() if case.endswith(" 0") or case.startswith("chained")}
OPTIONS = {name: given | {"maximize": False} for case, (name, given) in CASES.items() if case == f"{name} together"}


def training(optimizer, case, seed, **options):
    """A Training with an optimizer's options, and the schedulers of a case."""
    given, chain = OPTIONS[optimizer], RUNS[case]
    if case == "OneCycleLR 0" and not {"momentum", "betas"} & given.keys():  # it has no momentum to cycle
        chain = [("OneCycleLR", chain[0][1] | {"cycle_momentum": False})]
    return Training(OPTIMIZERS[optimizer], chain, given, seed, **options)


def test_every_optimizer_and_every_scheduler_is_here():
    schedulers = set(optim.lr_scheduler.__all__) - {"LRScheduler"}
    assert {name for chain in RUNS.values() for name, _ in chain} == schedulers
    assert OPTIONS.keys() == set(optim.__all__) - {"Optimizer", "lr_scheduler"}


@pytest.mark.campaign(1)
@pytest.mark.parametrize("case", RUNS)
def test_training_that_was_stopped_goes_on_to_the_same_bits(case, seed, tmp_path):
    optimizer = list(OPTIMIZERS)[(list(RUNS).index(case) + seed) % len(OPTIMIZERS)]  # with five seeds, all pairs
    path = tmp_path / "run.npz"
    never_stopped = training(optimizer, case, seed)
    before = never_stopped.epochs(1)
    nn.save(path, **never_stopped.objects())
    after = never_stopped.epochs(2)
    assert len({*before, *after}) == 3
    resumed = training(optimizer, case, seed + 1)
    nn.load(path, **resumed.objects())
    assert resumed.epochs(2) == after


# width 192 has a weight of more than one PIECE, and products that BLAS does in blocks
CHILD = """
import sys
import nn
from tests.nn.test_reproducibility import training
for path, dtype in zip(sys.argv[1:], ("float32", "float64")):
    print(*training("AdamW", "StepLR 0", 1, width=192, dtype=dtype).epochs(3))
    resumed = training("AdamW", "StepLR 0", 2, width=192, dtype=dtype)
    nn.load(path, **resumed.objects())
    print(*resumed.epochs(1))
"""


def test_another_process_gives_the_same_bits(tmp_path):
    paths, bits = [tmp_path / "32.npz", tmp_path / "64.npz"], []
    for path, dtype in zip(paths, ("float32", "float64")):
        here = training("AdamW", "StepLR 0", 1, width=192, dtype=dtype)
        bits += here.epochs(2)
        nn.save(path, **here.objects())
        bits += here.epochs(1) * 2
    child = subprocess.run([sys.executable, "-c", CHILD, *paths], cwd=ROOT, capture_output=True, encoding="utf-8",
                           env=os.environ | {"PYTHONHASHSEED": "7"}, check=True)  # fmt: skip
    assert child.stdout.split() == bits
