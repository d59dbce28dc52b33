"""What all tests share: the option that turns a quick look into a campaign."""

import hypothesis


def pytest_addoption(parser):
    parser.addoption(
        "--campaign",
        type=int,
        default=1,
        metavar="N",
        help="multiply by N the number of cases that tests draw at random: hypothesis' examples, and the seeds of "
        "tests marked `campaign` (default: 1, the quick suite). They are drawn from fixed seeds, so a failure repeats.",
    )


def pytest_configure(config):
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


def pytest_generate_tests(metafunc):
    for mark in metafunc.definition.iter_markers("campaign"):
        if mark.args:
            metafunc.parametrize("seed", range(mark.args[0] * metafunc.config.getoption("campaign")))
