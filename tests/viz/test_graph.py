"""What is drawn is what the engine has: every node, every edge, every number."""

import numpy as np
import pytest

import viz
from autograd import Tensor, no_grad, topological_order
from viz.data import everything
from viz.graph import trace


def named(data):
    return {node.name: node for node in data.nodes if node.name}


def scalar_mlp():
    w = [Tensor(v, requires_grad=True, name=f"w{i}") for i, v in enumerate([0.5, -1.0, 2.0])]
    return np.tanh(w[0] * 2.0 + w[1]) * w[2]


def squared_plus():
    a = Tensor(3.0, requires_grad=True, name="a")
    return a * a + a


def broadcast():
    a, b = Tensor(np.ones((2, 3)), True, name="a"), Tensor(np.arange(3.0), True, name="b")
    return np.sum(a * a + b)


def shared():
    w, x = Tensor([[1.0, -2.0], [0.5, 1.0]], True, name="w"), np.ones((3, 2))
    return np.sum(x @ w @ w)


def dead_relu():
    x = Tensor([-1.0, -2.0], True, name="x")
    return np.sum(np.maximum(x, 0.0))


GRAPHS = [scalar_mlp, squared_plus, broadcast, shared, dead_relu]


@pytest.mark.parametrize("make", GRAPHS)
def test_every_value_and_gradient_is_the_engines(make):
    loss = make()
    loss.backward()
    data = trace(loss)
    tracked = [node for node in data.nodes if node.state != "none"]
    order = topological_order(loss)
    assert len(tracked) == len(order)
    for node, tensor in zip(tracked, order):
        np.testing.assert_array_equal(node.value, tensor.data)
        np.testing.assert_array_equal(node.grad, tensor.grad)


@pytest.mark.parametrize("make", GRAPHS)
def test_every_argument_is_an_edge_in_its_place(make):
    loss = make()
    data = trace(loss)
    assert len(data.edges) == sum(len(tensor.inputs) for tensor in topological_order(loss))
    place = {node.id: i for i, node in enumerate(data.nodes)}
    assert all(place[edge.source] < place[edge.target] for edge in data.edges)


def test_a_repeated_operand_is_two_edges_from_one_node():
    data = trace(squared_plus())
    assert [node.name for node in data.nodes if node.kind == "leaf"] == ["a"]
    assert sorted((edge.source, edge.position) for edge in data.edges if edge.target == "n1") == [("n0", 0), ("n0", 1)]


def test_doubling_twenty_times_is_twenty_one_nodes_and_forty_edges():
    y = Tensor(1.0, requires_grad=True)
    for _ in range(20):
        y = y + y
    data = trace(y)
    assert (len(data.nodes), len(data.edges)) == (21, 40)


def test_a_chain_of_20000_operations_never_recurses():
    x = y = Tensor(1.0, requires_grad=True)
    for _ in range(20_000):
        y = y + x
    assert len(trace(y).nodes) == 20_001


def test_not_run_exactly_zero_and_not_required_are_three_states():
    x, c = Tensor([1.0, 2.0], True, name="x"), Tensor([3.0, 4.0], name="c")
    y = np.sum(x * c * 0.0)
    assert named(trace(y))["x"].state == "waiting"
    assert named(trace(y))["c"].state == "none"
    y.backward()
    assert named(trace(y))["x"].state == "zero"
    np.sum(x).backward()
    assert named(trace(y))["x"].state == "arrived"


def test_a_gradient_that_was_cleared_since_is_no_pass_that_has_not_run():
    y = squared_plus()
    y.backward()
    y.inputs[1].zero_grad()
    assert named(trace(y))["a"].state == "cleared"
    assert "cleared since" in viz.draw(y).text()


def test_a_gradient_of_several_passes_says_so():
    y = squared_plus()
    y.backward()
    assert named(trace(y))["a"].notes == []
    y.backward()
    assert named(trace(y))["a"].notes == ["sum of 2 backward passes"]
    y.backward()
    assert named(trace(y))["a"].notes == ["sum of 3 backward passes"]


def test_a_gradient_that_another_graph_added_to_says_so_too():
    a = Tensor([1.0, 2.0], True, name="a")
    np.sum(a * [5.0, -7.0]).backward()
    y = np.sum(a * a)
    y.backward()
    assert named(trace(y))["a"].notes == ["not what this pass sent"]


def test_where_a_hook_was_called_nothing_is_told_of_a_pass_without_it():
    a = Tensor(2.0, True, name="a")
    h = a * 3.0
    h.register_hook(lambda g: g * 10)
    y = h * h
    y.backward()
    data = trace(y)
    assert (named(data)["a"].grad, named(data)["a"].notes) == (360.0, [])
    assert all(edge.sent is None for edge in data.edges)


def test_parameters_that_an_optimizer_moved_since_are_mentioned():
    w = Tensor(1.0, True)
    loss = w * w
    loss.backward()
    assert trace(loss).notes == []
    with no_grad():
        w -= 0.1
    assert "changed after this graph was recorded" in trace(loss).notes[0]


def test_a_picture_keeps_the_numbers_of_its_moment():
    w = Tensor([1.0, 2.0], True, name="w")
    loss = np.sum(w * w)
    loss.backward()
    node = named(trace(loss))["w"]
    with no_grad():
        w -= 1.0
    assert node.value.tolist() == [1.0, 2.0]
    assert node.grad.tolist() == [2.0, 4.0]


def test_names_come_from_the_tensor_then_its_module_then_the_callers_variables(loss, network):
    data = trace(loss, {"total": loss, "net": network})
    assert data.nodes[-1].name == "total"
    assert {"0.weight", "0.bias", "2.weight", "2.bias"} <= named(data).keys()
    assert {node.kind for node in data.nodes if "weight" in node.name} == {"parameter"}


def test_parameters_of_two_models_are_told_apart(network):
    a, b = type(network)(), type(network)()
    a.one, b.one = vars(network)["0"], vars(network)["2"]
    data = trace(np.sum(b(a(np.ones((1, 2))))))
    assert {"Sequential1.one.weight", "Sequential2.one.bias"} <= named(data).keys()


def test_numbers_and_arrays_that_need_no_gradient_are_drawn_too():
    X = np.ones((2, 2))
    data = trace(np.sum(Tensor(X, True) * X + X * 2.0), {"X": X})
    kinds = [(node.kind, node.name) for node in data.nodes if node.state == "none"]
    assert ("leaf", "X") in kinds
    assert len([kind for kind in kinds if kind == ("leaf", "X")]) == 1


def test_an_operations_metadata_stand_beside_its_symbol():
    x = Tensor(np.ones((3, 4)), True)
    assert trace(np.sum(x, axis=0)).nodes[-1].symbol == "Σ axis=0"
    assert trace(x[..., 1:3]).nodes[-1].symbol == "[..., 1:3]"
    assert trace(x[x.data > 0]).nodes[-1].symbol == "[array(3, 4)]"


def test_what_is_not_a_tensor_is_refused():
    with pytest.raises(TypeError, match="drawn from a Tensor, such as a loss, but this is float"):
        trace(3.0)


def test_a_lone_leaf_is_a_graph_of_one_node():
    (node,) = trace(Tensor(2.0)).nodes
    assert (node.kind, node.state) == ("leaf", "none")


# ---- modules


def test_calls_are_frames_in_frames(loss):
    (model,) = trace(loss).clusters
    assert model.label == "Sequential"
    assert [inner.label for inner in model.clusters] == ["0: Linear", "1: Tanh", "2: Linear"]
    first = model.clusters[0]
    assert {node.name or node.symbol for node in first.nodes} == {"0.weight", "0.bias", "@", "+"}


def test_what_a_call_is_given_stands_outside_it(loss):
    data = trace(loss)
    inside = set(everything(*data.clusters))
    outside = [node for node in data.nodes if node not in inside]
    assert [node.value.shape for node in outside if node.kind == "leaf"] == [(4, 2)]


def test_a_parameter_that_two_layers_share_stands_in_the_frame_around_both(network):
    vars(network)["2"] = vars(network)["0"] = type(vars(network)["0"])(2, 2)
    data = trace(np.sum(network(np.ones((1, 2)))))
    (model,) = data.clusters
    assert {node.name for node in model.nodes} == {"0.weight", "0.bias"}
    assert [inner.label for inner in model.clusters] == ["0: Linear", "1: Tanh", "0: Linear (call 2)"]
