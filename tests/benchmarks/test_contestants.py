"""All contestants compute the same thing; else their times would compare nothing."""

import sys
from functools import cache

import numpy as np
import pytest

import autograd

from .__main__ import PROFILED, profile
from .anomaly import of_the_copy
from .contest import contest
from .measure import TOLERANCE, result_of
from .workloads import WORKLOADS

CASES = [
    pytest.param(name, contestant, id=f"{name}-{contestant}")
    for name, workload in WORKLOADS.items()
    for contestant in workload.contestants()
    if workload.check is not None and contestant != "ours"
]


@pytest.fixture(autouse=True)
def default_dtype():
    """The workloads set the default to float32; the other tests expect float64."""
    yield
    autograd.set_default_dtype(np.float64)


@cache
def of_ours(name):
    """What ours computes, once for all who are compared with it."""
    workload = WORKLOADS[name]
    return result_of(workload.prepare("ours", **workload.check))


@pytest.mark.parametrize(("name", "contestant"), CASES)
def test_contestant_computes_what_ours_does(name, contestant):
    workload = WORKLOADS[name]
    try:
        step = workload.prepare(contestant, **workload.check)
        theirs = result_of(step) if step else pytest.skip(f"{contestant} lacks what {name} needs")
    except ModuleNotFoundError as missing:
        pytest.skip(str(missing))
    assert of_ours(name) == pytest.approx(theirs, rel=TOLERANCE)


def test_contestants_take_turns_in_processes_and_who_fails_says_why():
    reports = contest("memory", ["ours", "numpy", "nobody"])
    assert reports["nobody"] == {"error": "AttributeError: module 'tests.benchmarks.memory' has no attribute 'nobody'"}
    assert 0 < reports["ours"]["measured"] <= 1.2 * reports["numpy"]["measured"]


def test_the_copy_without_detect_anomaly_differs_in_nothing_else():
    assert WORKLOADS["anomaly"].prepare("ours")() == of_the_copy()()
    copy = sys.modules["unwatched"]
    with copy.detect_anomaly():  # which there only silences NumPy
        assert np.isinf((copy.Tensor(0.0, requires_grad=True) ** -1.0).data)


@pytest.mark.parametrize("name", PROFILED)
def test_profile_shows_where_a_step_goes(name, capsys):
    profile(name, seconds=0)
    assert "(pull)" in capsys.readouterr().out
