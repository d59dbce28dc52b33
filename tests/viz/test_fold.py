"""Pictures of large graphs stay readable: modules fold into cards, stacks into one card, the far away into one node."""

import numpy as np
import pytest

import viz
from autograd import Tensor
from viz.fold import fold, levels, nearest, readable
from viz.graph import trace


def cards(data):
    """The modules drawn as one card, by name."""
    return {node.name: node for node in data.nodes if node.kind == "module"}


def test_depth_0_folds_whole_models(loss):
    data = fold(trace(loss), 0)
    (model,) = cards(data).values()
    assert model.symbol == "Sequential"
    assert [node.symbol for node in data.nodes] == ["", "Sequential", "×", "Σ"]
    assert data.clusters == []


def test_depth_1_folds_their_parts_and_keeps_a_frame_around_them(loss):
    data = fold(trace(loss), 1)
    assert {name: node.symbol for name, node in cards(data).items()} == {"0": "Linear", "1": "Tanh", "2": "Linear"}
    (model,) = data.clusters
    assert set(model.nodes) == set(cards(data).values())


def test_a_card_has_the_value_and_gradient_of_its_modules_output(loss):
    whole, data = trace(loss), fold(trace(loss), 1)
    output = next(node for node in whole.nodes if node.symbol == "tanh")
    np.testing.assert_array_equal(cards(data)["1"].value, output.value)
    np.testing.assert_array_equal(cards(data)["1"].grad, output.grad)


def test_a_card_counts_its_parameters_and_measures_their_gradient(loss):
    graph = viz.draw(loss, depth=1)
    card = graph.cards[cards(graph.data)["0"].id]
    squares = [g.grad**2 for g in cards(graph.data)["0"].inside if g.kind == "parameter"]
    rms = np.sqrt(sum(s.sum() for s in squares) / 9)
    notes = [text for kind, _, text in card.lines if kind == "note"]
    assert notes[0] == "9 parameters"
    assert notes[1].startswith("their grad: rms ")
    assert float(notes[1].split()[-1]) == pytest.approx(rms, rel=1e-3)


def test_a_stack_of_alike_blocks_is_one_card(tower):
    data = fold(trace(tower), 1)
    assert {name: node.symbol for name, node in cards(data).items()} == {
        "0": "Linear", "1 .. 6": "Block \u00d76", "7": "Linear",
    }  # fmt: skip


def test_edges_run_between_cards_once(tower):
    data = fold(trace(tower), 1)
    pairs = [(edge.source, edge.target) for edge in data.edges]
    assert len(pairs) == len(set(pairs))
    known = {node.id for node in data.nodes}
    assert all({edge.source, edge.target} <= known and edge.source != edge.target for edge in data.edges)
    place = {node.id: i for i, node in enumerate(data.nodes)}
    assert all(place[edge.source] < place[edge.target] for edge in data.edges)


def test_a_large_graph_folds_by_itself_and_says_so(tower):
    data = readable(trace(tower), limit=30)
    assert len(data.nodes) <= 30
    assert "too many to read" in data.notes[0]
    assert "depth=" in data.notes[0]
    assert readable(trace(tower), limit=None).notes == []


def test_what_does_not_fold_is_cut_and_says_so():
    y = Tensor(1.0, True)
    for _ in range(50):
        y = y + y
    data = readable(trace(y), limit=10)
    assert len(data.nodes) == 10
    assert data.nodes[0].name == "42 nodes more"
    assert "of 51" in data.notes[0]
    known = {node.id for node in data.nodes}
    assert all({edge.source, edge.target} <= known for edge in data.edges)


def test_cutting_keeps_the_frames_of_what_is_left(tower):
    data = nearest(trace(tower), 5)
    assert [cluster.label for cluster in data.clusters] == ["Sequential"]


def test_depth_beyond_the_deepest_module_draws_everything(loss):
    whole = trace(loss)
    assert levels(whole.clusters) == 2
    assert len(fold(whole, 5).nodes) == len(whole.nodes)
