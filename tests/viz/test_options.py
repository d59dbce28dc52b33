"""An option that makes no sense is refused where it is given, with what it may be."""

import numpy as np
import pytest

import viz


def decision(resolution):
    return viz.plot_decision(lambda x: x[:, 0], np.eye(2), [0, 1], resolution=resolution)


@pytest.mark.parametrize("value", [-1, 1.5, "all"])
@pytest.mark.parametrize(
    ("option", "use"),
    [
        (r"tree\(limit=\)", lambda y, value: viz.tree(y, limit=value)),
        (r"draw\(limit=\)", lambda y, value: viz.draw(y, limit=value)),
        (r"draw\(depth=\)", lambda y, value: viz.draw(y, depth=value)),
        (r"step\(limit=\)", lambda y, value: viz.step(y, limit=value)),
        (r"plot_decision\(resolution=\)", lambda y, value: decision(value)),
    ],
)
def test_a_number_of_things_is_a_whole_one(option, use, value, scalars):
    with pytest.raises(ValueError, match=rf"{option} is a whole number, at least \d.*, but got {value!r}\."):
        use(scalars, value)


def test_none_is_refused_where_it_means_nothing():
    with pytest.raises(ValueError, match=r"at least 2, but got None\."):
        decision(None)


def test_the_smallest_numbers_will_do(scalars):
    viz.tree(scalars, limit=np.int64(1))
    assert len(viz.draw(scalars, depth=0, limit=1).data.nodes) == 2


@pytest.mark.usefixtures("graphviz")
def test_a_picture_runs_one_of_four_ways(scalars):
    for way in ("LR", "TB", "RL", "BT"):
        assert f"rankdir={way} " in viz.draw(scalars, rankdir=way).dot
    with pytest.raises(ValueError, match=r'rankdir=\) is "LR", "TB", "RL" or "BT", but got \'down\''):
        viz.draw(scalars, rankdir="down")
