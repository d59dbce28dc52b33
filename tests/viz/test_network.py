"""A model without an input: its neurons and weights where it is a small MLP, its layers otherwise."""

import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest

import nn
import viz
from viz import layout
from viz.card import width_of
from viz.network import columns

SVG = "{http://www.w3.org/2000/svg}"


def lines(model):
    """The weights drawn: for each its tooltip, its class and its thickness."""
    root = ET.fromstring(viz.draw(model).svg)
    return [(e.find(f"{SVG}title").text, e.get("class"), float(e.get("stroke-width"))) for e in root.iter(f"{SVG}line")]


@pytest.fixture
def mlp():
    nn.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), nn.Sigmoid())


def test_every_weight_is_a_line_of_its_sign_and_size(mlp):
    drawn = lines(mlp)
    assert len(drawn) == 2 * 4 + 4 * 1
    largest = max(np.abs(p.data).max() for name, p in mlp.named_parameters() if "weight" in name)
    for tooltip, sign, thickness in drawn:
        value = float(tooltip.split(" = ")[1].split("\n")[0])
        path, index = tooltip.split(" = ")[0].split("[")
        assert value == dict(mlp.named_parameters())[path].data[tuple(map(int, index[:-1].split(", ")))]
        assert sign == ("positive" if value > 0 else "negative")
        assert thickness == pytest.approx(max(6 * abs(value) / largest, 0.4), abs=0.01)


def test_every_neuron_shows_its_bias_and_every_column_its_layer(mlp):
    text = list(ET.fromstring(viz.draw(mlp).svg).itertext())
    for name, p in mlp.named_parameters():
        if "bias" in name:
            assert all(f"{b:.2f}" in text for b in p.data)
    assert {"0: Linear", "Tanh", "2: Linear", "Sigmoid", "x1", "x2"} <= set(text)
    assert "positive weight" in text


def test_what_stands_above_a_column_ends_before_the_next_begins():
    names = "a_very_long_name_of_a_layer", "another_very_long_name", 40 * "\u6c34"
    root = ET.fromstring(viz.draw(nn.ModuleDict([(name, nn.Linear(2, 2)) for name in names])).svg)
    titles = [text for text in root.iter(f"{SVG}text") if text.get("class") == "symbol"]
    spans = [(float(title.get("x")), width_of(title.text) / 2) for title in titles]
    assert len(spans) == 4
    assert all(x + half < y - other for (x, half), (y, other) in pairwise(spans))
    assert spans[-1][0] + spans[-1][1] < float(root.get("width"))


@pytest.mark.parametrize(
    ("b", "text"),
    [(-1.234, "-1.23"), (99.9, "99.90"), (-12.34, "-12.3"), (-1234.0, "-1234"), (-12345.0, "-1e4"), (1e300, "1e300")],
)
def test_a_bias_is_as_short_as_its_circle_asks_for(b, text, mlp):
    mlp[2].bias.data[0] = b
    assert text in list(ET.fromstring(viz.draw(mlp).svg).itertext())


def test_a_neuron_layout_needs_no_graphviz(mlp, monkeypatch):
    monkeypatch.setattr(layout, "engines", lambda: iter([]))
    assert viz.draw(mlp).svg.startswith("<svg")
    assert viz.draw(mlp).dot.count("->") == 12
    assert "image/svg+xml" in viz.draw(mlp)._repr_mimebundle_()


def test_gradients_stand_in_the_tooltips_once_there_are_some(mlp):
    assert all("none yet" in tooltip for tooltip, *_ in lines(mlp))
    mlp(np.ones((1, 2))).sum().backward()
    assert not any("none yet" in tooltip for tooltip, *_ in lines(mlp))


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_weights_of_zero_and_not_finite_ones_are_drawn_thin_and_grey(mlp, value):
    mlp[0].weight.data[0, 0] = value
    (odd,) = [(sign, thickness) for tooltip, sign, thickness in lines(mlp) if tooltip.startswith("0.weight[0, 0]")]
    assert odd == ("edge", 0.4)


def test_a_neuron_without_bias_is_empty():
    assert columns(nn.Linear(3, 2, bias=False))[0].bias is None
    assert "without a bias" in viz.draw(nn.Linear(3, 2, bias=False)).svg


@pytest.mark.usefixtures("graphviz")
def test_a_wide_model_is_drawn_layer_by_layer():
    graph = viz.draw(nn.Sequential(nn.Linear(20, 40), nn.Tanh(), nn.Linear(40, 1)))
    assert [(node.symbol, node.name) for node in graph.data.nodes] == [("Linear", "0"), ("Tanh", "1"), ("Linear", "2")]
    text = set(ET.fromstring(graph.svg).itertext())
    assert {"weight (40, 20)", "bias (40,)", "Tanh", "881 parameters in all."} <= text
    assert "does not require grad" not in text


def test_what_is_not_one_chain_of_neurons_is_drawn_layer_by_layer(tower):
    two_heads = nn.ModuleList([nn.Linear(2, 3), nn.Linear(2, 3)])
    assert columns(two_heads) is None
    assert len(viz.draw(two_heads).data.nodes) == 2


def test_a_module_that_a_sequential_calls_twice_is_drawn_twice():
    hidden, act = nn.Linear(3, 3), nn.Tanh()
    layers = columns(nn.Sequential(nn.Linear(2, 3), act, nn.Sequential(hidden, act), hidden, act))
    assert [(layer.path, layer.after) for layer in layers] == [("0", ["Tanh"]), ("2.0", ["Tanh"]), ("3", ["Tanh"])]


@pytest.mark.usefixtures("graphviz")
def test_a_wide_layer_that_is_called_twice_is_two_cards_and_counted_once():
    wide = nn.Sequential(nn.Linear(20, 20), nn.Tanh())
    graph = viz.draw(nn.Sequential(wide, wide))
    assert [node.name for node in graph.data.nodes] == ["0.0", "0.1", "1.0", "1.1"]
    assert graph.data.notes[0] == "420 parameters in all."


class Two(nn.Module):
    """Two layers side by side, the first under a second name too."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)
        self.again = self.a

    def forward(self, x):
        return self.a(x) + self.b(x)


def test_neurons_whose_order_only_a_call_can_tell_say_so(mlp):
    assert [layer.path for layer in columns(Two())] == ["a", "b"]
    said = {model: "viz.draw(model, x) shows what really flows" in viz.draw(model).svg for model in (Two(), mlp)}
    assert list(said.values()) == [True, False]
    assert not any("viz.draw(model, x)" in viz.draw(model).svg for model in (nn.MLP([2, 2, 1]), nn.Perceptron(2)))


def test_a_model_and_its_input_give_the_graph_of_its_output(mlp):
    graph = viz.draw(mlp, np.ones((3, 2)))
    assert graph.data.nodes[-1].value.shape == (3, 1)
    assert graph.data.clusters[0].label == "Sequential"


def test_a_loss_takes_no_inputs(scalars):
    with pytest.raises(TypeError, match=r"draw\(loss\) takes one Tensor"):
        viz.draw(scalars, {"x": 1})
