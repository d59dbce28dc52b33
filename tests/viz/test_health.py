"""Gradients that are not well are flagged, with the reason; those that are well are not."""

import numpy as np
import pytest

import nn
import viz
from autograd import Tensor
from autograd.special import expit
from viz.fold import fold
from viz.graph import trace
from viz.health import FLAGS, Thresholds
from viz.theme import THEMES


def flags(loss, **options):
    """The flags of each node that has some, by its name or symbol."""
    ill = [node for node in trace(loss, **options).nodes if node.flags]
    return {node.name or node.symbol: [flag.word for flag in node.flags] for node in ill}


def named(name, values, **options):
    return Tensor(np.asarray(values, float), True, name=name, **options)


def backward(loss):
    loss.backward()
    return loss


def test_a_healthy_network_has_no_flags(loss):
    assert flags(loss) == {}


def test_a_relu_that_is_off_for_the_whole_batch_is_dead_and_says_how_many_units():
    x = named("x", [[-1.0, 2.0, -3.0], [-1.0, -2.0, -3.0]])
    data = trace(backward(np.sum(np.maximum(x, 0.0))))
    (flag,) = [flag for node in data.nodes for flag in node.flags]
    assert flag.word == "DEAD"
    assert flag.reason.startswith("2 of its 3 units")
    assert flags(np.sum(np.maximum(x, 0.0))) == {}  # before backward, nothing has stopped


def test_dead_units_may_be_tolerated():
    x = named("x", [[-1.0, 2.0], [-1.0, -2.0]])
    loss = backward(np.sum(np.maximum(x, 0.0)))
    assert flags(loss, thresholds=Thresholds(dead=0.5)) == {}


def test_a_tanh_in_its_flat_part_is_saturated():
    x = named("x", [9.0, -9.0, 9.0, 0.1])
    assert flags(backward(np.sum(np.tanh(x)))) == {"tanh": ["SATURATED"]}
    assert flags(backward(np.sum(np.tanh(x))), thresholds=Thresholds(saturated=0.8)) == {}


def test_a_sigmoid_that_is_sure_is_saturated_unless_a_cross_entropy_reads_it():
    x, wanted = named("x", [[9.0], [-9.0]]), np.array([[1.0], [0.0]])
    assert flags(backward(nn.MSELoss()(expit(x), wanted))) == {"σ": ["SATURATED"]}
    assert flags(backward(nn.BCELoss()(expit(x), wanted))) == {}


def test_gradients_far_below_the_largest_vanish_and_very_large_ones_explode():
    found = flags(backward(named("a", 1.0) * 1e-7 + named("b", 1.0) + named("c", 1.0) * 1e4))
    assert found == {"a": ["VANISHING"], "c": ["EXPLODING"]}
    a, c = named("a", 1.0), named("c", 1.0)
    assert flags(backward(a * 1e-7 + c * 1e4), thresholds=Thresholds(vanishing=0, exploding=1e5)) == {}


def test_a_bias_before_a_normalisation_is_cancelled_not_vanishing():
    rng = np.random.default_rng(0)
    b = named("b", [1.0, 2.0, 3.0])
    h = rng.normal(size=(8, 3)) + b
    centred = h - np.mean(h, axis=0)
    loss = backward(np.sum(np.sin(centred)))
    assert flags(loss) == {"b": ["CANCELLED"]}


def test_an_optimizers_step_changes_no_flag_but_of_what_it_changed():
    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 1))
    vars(model)["3"].bias.data[2] = -100.0
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    loss = backward(nn.MSELoss()(model(np.random.default_rng(0).normal(size=(16, 4))), np.ones((16, 1))))
    before = flags(loss)
    assert before == {"0.bias": ["CANCELLED"], "relu": ["DEAD"]}
    nn.utils.clip_grad_norm_(model.parameters(), max_norm=1e-3)
    optimizer.step()
    assert flags(loss) == before


def test_a_gradient_that_was_clipped_to_almost_nothing_does_not_cancel():
    w, b = named("w", [[1.0], [1.0]]), named("b", [1.0])
    loss = backward(np.sum(np.square(np.array([[1.0, 2.0], [3.0, 5.0]]) @ w + b)))
    nn.utils.clip_grad_norm_([w, b], max_norm=1e-14)
    assert flags(loss) == {}


def test_a_value_that_became_nan_in_a_step_is_not_where_nan_began():
    w = named("w", [1.0, 2.0])
    loss = backward(np.sum(np.square(w)))
    w.grad[0] = np.nan
    nn.optim.SGD([w], lr=0.1).step()
    assert np.isnan(w.data[0])
    assert flags(loss) == {}


def test_the_first_nan_is_where_it_is_made():
    x = named("x", [-1.0, 1.0])
    with np.errstate(all="ignore"):
        loss = backward(np.sum(np.sqrt(x) * 2.0))
    assert flags(loss)["√"] == ["NAN"]
    assert [word for words in flags(loss).values() for word in words].count("NAN") == 1


def test_the_first_nan_may_come_on_the_way_back():
    x = named("x", [0.0, 1.0])
    with np.errstate(all="ignore"):
        loss = backward(np.sum(np.sqrt(x) * 0.0))
        assert flags(loss)["√"] == ["NAN"]


def test_parameters_that_no_gradient_reaches_are_drawn_and_flagged(network):
    layer = vars(network)["0"]
    parts = dict(vars(network))
    network.spare = type(layer)(2, 2)
    network.forward = lambda x: parts["2"](parts["1"](parts["0"](x)))
    data = trace(backward(np.sum(network(np.ones((2, 2))))))
    unused = {node.name: node for node in data.nodes if node.flags}
    assert unused.keys() == {"spare.weight", "spare.bias"}
    assert all(node.state == "lost" and "no_grad" in node.flags[0].reason for node in unused.values())
    assert data.nodes[-1].kind == "loss"
    assert len({node.id for node in data.nodes}) == len(data.nodes)
    assert set(unused.values()) <= set(data.clusters[0].nodes)


def test_a_folded_module_shows_the_worst_of_its_flags(network):
    vars(network)["0"].weight.data[...] = 1e3
    loss = backward((network(np.ones((2, 2))) ** 2).sum())
    assert "SATURATED" in [word for words in flags(loss).values() for word in words]
    graph = viz.draw(loss, depth=1)
    card = next(card for card in graph.cards.values() if card.node.symbol == "Tanh")
    assert [flag.word for flag in card.flags] == ["SATURATED"]
    assert any(flag.word == "SATURATED" for node in fold(trace(loss), 0).nodes for n in node.inside for flag in n.flags)


@pytest.mark.usefixtures("graphviz")
def test_a_flag_is_a_glyph_a_word_and_a_colour_in_the_picture_and_its_legend():
    x = named("x", [9.0, -9.0])
    svg = viz.draw(backward(np.sum(np.tanh(x) * 2.0))).svg
    assert svg.count('class="flag SATURATED"') == 2
    assert svg.count(f">{FLAGS['SATURATED'][0]}<") == 2
    assert "SATURATED: flat part of its curve" in svg
    assert "100% of its values lie where its curve is flat." in svg
    assert "DEAD:" not in svg


@pytest.mark.parametrize("theme", THEMES)
def test_every_flag_has_a_colour_of_its_own(theme):
    assert len({THEMES[theme][word] for word in FLAGS}) == len(FLAGS)
