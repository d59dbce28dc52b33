"""What all tests share: all cores, where pytest-xdist is installed; an option that makes a quick look a campaign."""

import gc
import os

import hypothesis
import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--campaign",
        type=int,
        default=1,
        metavar="N",
        help="multiply by N the number of cases that tests draw at random: hypothesis' examples, and the seeds of "
        "tests marked `campaign` (default: 1, the quick suite). They are drawn from fixed seeds, so a failure repeats.",
    )


@pytest.hookimpl(tryfirst=True)  # before xdist looks at its options
def pytest_cmdline_main(config):
    """The whole suite takes every core, a part of it one; `-n` says otherwise."""
    whole = config.args_source is config.ArgsSource.TESTPATHS and not hasattr(config, "workerinput")
    if whole and config.pluginmanager.hasplugin("xdist") and config.option.numprocesses is None:
        config.option.numprocesses = "auto"
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # else the matrix products of each process take every core too


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """What tests share is made once: those of a file go to one core, and so do all with the demos or the browser."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            return "demos" if file.startswith("tests/demos/") else "browser" if file.endswith("_browser.py") else file

    return Scheduling(config, log)


@pytest.hookimpl(tryfirst=True)  # before hypothesis looks at its options
def pytest_configure(config):
    if config.option.hypothesis_seed is None:  # without one it reads a test's source each time, for a database's key
        config.option.hypothesis_seed = 1  # 0 counts as none
    config.addinivalue_line(
        "markers",
        "campaign(n): run with `seed` from 0 to n, times what --campaign says; without n, the test asks for it itself",
    )
    hypothesis.settings.register_profile(
        "campaign",
        max_examples=3 * config.getoption("campaign"),
        derandomize=True,
        database=None,
        deadline=None,  # no test asserts a wall-clock time
        print_blob=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("campaign")


def pytest_collection_finish():
    """From here on the garbage collector passes over what is there: modules, of PyTorch too, and thousands of tests."""
    gc.freeze()


def pytest_generate_tests(metafunc):
    for mark in metafunc.definition.iter_markers("campaign"):
        if mark.args:
            metafunc.parametrize("seed", range(mark.args[0] * metafunc.config.getoption("campaign")))
