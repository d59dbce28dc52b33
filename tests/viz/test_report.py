"""The table of a model's layers says what NumPy says, finds what is wrong, and changes nothing."""

import builtins
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import nn
import nn.optim as optim
import viz
from autograd import Tensor, no_grad
from viz.report import COLUMNS

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(32, 3)), rng.normal(size=(32, 1))


@pytest.fixture(autouse=True)
def seed():
    nn.manual_seed(0)


def trained(model, x=X, y=Y):
    """The loss of one forward and one backward pass."""
    loss = nn.MSELoss()(model(x), y)
    loss.backward()
    return loss


def row(model, loss, name, **options):
    (found,) = [row for row in viz.health(model, loss, **options).rows if row.name == name]
    return found


def words(row):
    return [flag.word for flag in row.flags]


@pytest.fixture
def no_matplotlib(monkeypatch):
    """As where matplotlib is not installed."""
    real = builtins.__import__

    def refusing(name, *args, **kwargs):
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refusing)


# ---- numbers


def test_every_number_is_numpys():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 1))
    rows = viz.health(model, trained(model), lr=0.1).rows
    w1, b1, w2, b2, w3, b3 = (p.data for p in model.parameters())
    h1 = np.tanh(X @ w1.T + b1)
    h2 = np.maximum(h1 @ w2.T + b2, 0)
    h3 = h2 @ w3.T + b3
    assert [row.name for row in rows] == ["0: Linear", "2: Linear", "4: Linear"]
    assert [row.parameters for row in rows] == [16, 25, 6]
    for row, h, layer in zip(rows, (h1, h2, h3), (model[0], model[2], model[4])):
        g = np.concatenate([np.ravel(p.grad) for p in layer.parameters()])
        w = np.concatenate([np.ravel(p.data) for p in layer.parameters()])
        assert row.norm == pytest.approx(np.linalg.norm(g), rel=1e-12)  # sums in another order
        assert row.ratio == pytest.approx(0.1 * np.linalg.norm(g) / np.linalg.norm(w), rel=1e-12)
        assert row.variance == pytest.approx(np.var(h), rel=1e-12)
    assert rows[0].saturated == np.mean(1 - h1 * h1 < 0.02)
    assert rows[1].dead == np.mean(np.all(h2 == 0, axis=0))
    assert (rows[0].dead, rows[1].saturated, rows[2].dead, rows[2].saturated) == (None, None, None, None)


def test_an_activation_that_is_a_function_belongs_to_the_layer_that_feeds_it():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.last, self.first = nn.Linear(4, 1), nn.Linear(3, 4)  # named in another order than called

        def forward(self, x):
            return self.last(np.tanh(self.first(x)))

    model = Net()
    loss = ((model(X) - Y) ** 2).mean()
    loss.backward()
    first, last = (row(model, loss, name) for name in ("first: Linear", "last: Linear"))
    h = np.tanh(X @ model.first.weight.data.T + model.first.bias.data)
    assert first.variance == pytest.approx(np.var(h), rel=1e-12)
    assert last.variance == pytest.approx(np.var(model(X).data), rel=1e-12)  # not of what the loss makes of it
    assert (first.saturated, last.stuck) == (np.mean(1 - h * h < 0.02), None)


def test_a_layer_that_transposes_its_own_weight_owns_the_product():
    class Affine(nn.Module):
        def __init__(self, n_in, n_out):
            super().__init__()
            self.weight = nn.Parameter(rng.normal(size=(n_out, n_in)))

        def forward(self, x):
            return x @ self.weight.T * 2.0

    model = nn.Sequential(Affine(3, 4), Affine(4, 1))
    rows = viz.health(model, trained(model)).rows
    h = 2 * X @ model[0].weight.data.T
    assert rows[0].variance == pytest.approx(np.var(h), rel=1e-12)
    assert rows[1].variance == pytest.approx(np.var(2 * h @ model[1].weight.data.T), rel=1e-12)


def test_modules_are_known_by_what_they_can_do(tower):
    parts = tower.inputs[0].made_by[0]
    rows = viz.health(parts, tower).rows
    assert [row.name for row in rows] == ["0: Linear", *(f"{i}.fc: Linear" for i in range(1, 7)), "7: Linear"]
    assert all(row.saturated is not None and row.variance > 0 for row in rows[1:7])


def test_one_neuron_is_one_layer():
    model = nn.Perceptron(3)
    loss = trained(model)
    found = row(model, loss, "Perceptron")
    assert found.variance == pytest.approx(np.var(model(X).data), rel=1e-12)
    assert found.saturated is not None


# ---- what is wrong


def test_a_dead_relu_layer_is_found():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    model[0].bias.data = np.array([-100.0, -100.0, 100.0, 0.0])
    found = row(model, trained(model), "0: Linear")
    assert (found.dead, words(found)) == (0.5, ["DEAD"])
    assert "50% of its units" in found.flags[0].reason
    model[0].bias.data = np.full(4, -100.0)
    model.zero_grad()
    found = row(model, trained(model), "0: Linear")
    assert (found.dead, found.norm) == (1.0, 0.0)
    assert words(found) == ["DEAD", "VANISHING"]
    assert words(row(model, trained(model), "0: Linear", thresholds=viz.Thresholds(dead=1.0))) == ["VANISHING"]


def test_a_dropped_unit_is_not_dead():
    model = nn.Sequential(nn.Linear(3, 64), nn.Dropout(0.9), nn.Linear(64, 1))
    loss = trained(model, X[:2], Y[:2])
    assert row(model, loss, "0: Linear").dead is None


def test_a_softmax_is_not_dead():
    model = nn.Sequential(nn.Linear(3, 4), nn.Softmax(dim=-1))
    assert row(model, trained(model, X, np.zeros((32, 4))), "0: Linear").dead == 0


def test_a_saturated_sigmoid_is_found_unless_a_cross_entropy_reads_it():
    model = nn.Sequential(nn.Linear(3, 1), nn.Sigmoid())
    model[0].bias.data = np.array([30.0])
    found = row(model, trained(model), "0: Linear")
    assert (found.saturated, words(found)[0]) == (1.0, "SATURATED")
    model.zero_grad()
    loss = nn.BCELoss()(model(X), np.ones((32, 1)))
    loss.backward()
    assert "SATURATED" not in words(row(model, loss, "0: Linear"))


def test_gradients_shrink_through_a_deep_stack_of_sigmoids():
    model = nn.Sequential(*[part for _ in range(8) for part in (nn.Linear(8, 8), nn.Sigmoid())], nn.Linear(8, 1))
    rows = viz.health(model, trained(model, rng.normal(size=(32, 8)))).rows
    norms = [row.norm for row in rows]
    assert norms == sorted(norms)
    assert "VANISHING" in words(rows[0])
    assert rows[-1].flags == []


def test_a_bias_before_a_normalisation_is_cancelled_even_after_the_step_of_the_optimizer():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    loss = trained(model)
    before = [words(row) for row in viz.health(model, loss).rows]
    optimizer.step()
    assert before == [words(row) for row in viz.health(model, loss).rows] == [["CANCELLED"], [], []]


def test_large_gradients_explode_and_what_is_not_finite_is_said():
    model = nn.Linear(3, 1)
    assert "EXPLODING" in words(row(model, trained(model, X * 1e6), "Linear"))
    model.zero_grad()
    with np.errstate(all="ignore"):
        found = row(model, trained(model, X * np.inf), "Linear")
    assert words(found) == ["NAN", "NAN"]
    assert "nan" in repr(viz.health(model))


def test_a_layer_that_no_gradient_reaches_is_unused_but_a_frozen_one_is_not():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    model.spare = nn.Linear(2, 2)
    model.forward = lambda x: model[2](model[1](model[0](x)))
    loss = trained(model)
    assert "UNUSED" in words(row(model, loss, "spare: Linear"))
    model.spare.requires_grad_(False)
    assert words(row(model, loss, "spare: Linear")) == []


# ---- nothing changes


def test_looking_changes_nothing():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 1))
    loss = trained(model)
    called = []
    loss.inputs[0].register_hook(called.append)
    state, chance = model.state_dict(), nn.default_generator.bit_generator.state
    gradients = [np.array(p.grad) for p in model.parameters()]
    viz.health(model, loss, lr=0.1)
    viz.Recorder(model).step(loss)
    assert all(np.array_equal(value, model.state_dict()[key]) for key, value in state.items())
    assert all(np.array_equal(p.grad, g) for p, g in zip(model.parameters(), gradients))
    assert nn.default_generator.bit_generator.state == chance
    assert all(not any(module._hooks or ()) and module.training for module in model.modules())
    assert called == []


def test_what_it_does_not_know_it_says():
    model = nn.MLP([3, 4, 1])
    fresh = viz.health(model)
    assert all(x is None for row in fresh.rows for x in (row.norm, row.ratio, row.variance, row.stuck))
    assert "call loss.backward() first" in repr(fresh)
    assert "health(model, loss)" in repr(fresh)
    forward = viz.health(model, model(X))
    assert all(row.variance > 0 and row.norm is None and not row.flags for row in forward.rows)
    trained(model)
    assert all(row.norm > 0 and row.ratio is None for row in viz.health(model).rows)
    assert "lr=" in repr(viz.health(model))


def test_refusals_name_the_remedy():
    model = nn.MLP([3, 1])
    with pytest.raises(TypeError, match=r"viz\.health\(model, model\(x\)\)"):
        viz.health(model, X)
    with no_grad():
        p = model(X)
    with pytest.raises(ValueError, match="under no_grad"):
        viz.health(model, p)
    with pytest.raises(TypeError, match="looks at a model"):
        viz.health(nn.Linear)
    with pytest.raises(TypeError, match="looks at a model"):
        viz.Recorder(Tensor(1.0))
    with pytest.raises(ValueError, match="no parameters"):
        viz.health(nn.Tanh())
    with pytest.raises(ValueError, match="a scalar"):
        viz.Recorder(model).step(model(X))


# ---- showing


def test_the_table_is_aligned_and_prints_on_any_console():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    model[0].bias.data = np.full(4, -100.0)
    text = repr(viz.health(model, trained(model), lr=0.1))
    head, *lines = text.splitlines()
    text.encode("cp1252")
    assert head.split("  ")[0] == "layer"
    assert all(title in head for title in COLUMNS)
    end = head.index(COLUMNS[-2]) + len(COLUMNS[-2])
    assert [line[:end].split()[-1] for line in lines[:2]] == ["dead", "-"]
    assert "DEAD, VANISHING" in lines[0]
    assert any(line.startswith("0: Linear: DEAD: 100%") for line in lines[2:])


def test_a_notebook_shows_it_in_both_themes_and_two_do_not_disturb_each_other():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    model[0].bias.data = np.full(4, -100.0)
    first, second = viz.health(model)._repr_html_(), viz.health(model, trained(model))._repr_html_()
    for html in (first, second):
        root = ET.fromstring(html)
        ids = {e.get("id") for e in root.iter() if e.get("id")}
        assert ids == {root.get("id")}
        assert "prefers-color-scheme:dark" in html
        assert [th.text for th in root.iter("th") if th.get("scope") == "row"] == ["0: Linear", "2: Linear"]
    assert ET.fromstring(first).get("id") != ET.fromstring(second).get("id")
    assert '<b class="DEAD">' in second


def test_any_name_is_escaped():
    model = nn.ModuleDict({"<b>&": nn.Linear(1, 1)})
    assert ET.fromstring(viz.health(model)._repr_html_()).find(".//tbody//th").text == "<b>&: Linear"


def test_plots_say_what_is_missing_without_matplotlib(no_matplotlib):
    model = nn.MLP([2, 3, 1])
    for plot in (viz.health(model).plot, viz.Recorder(model).plot, lambda: viz.plot_decision(model, X[:, :2], Y > 0)):
        with pytest.raises(ImportError, match="pip install matplotlib"):
            plot()


def test_the_plot_has_a_panel_for_all_that_is_known():
    pytest.importorskip("matplotlib")
    model = nn.MLP([3, 4, 1])
    titles = lambda health: [axes.get_title() for axes in health.plot().axes]
    assert titles(viz.health(model)) == ["gradient norm"]
    health = viz.health(model, trained(model), lr=0.1)
    assert titles(health) == ["gradient norm", "update / weight", "variance", "dead or saturated"]
    bars = health.plot().axes[0].patches
    assert [bar.get_width() for bar in bars] == [row.norm for row in health.rows]
    assert health.plot()._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("x", [np.nan, np.inf])
def test_what_is_not_finite_is_plotted(x):
    pytest.importorskip("matplotlib")
    model = nn.MLP([3, 4, 1])
    recorder = viz.Recorder(model)
    with np.errstate(all="ignore"):
        loss = trained(model, X * x)
    recorder.step(loss)
    for figure in (viz.health(model, loss).plot(), recorder.plot()):
        figure._repr_png_()


# ---- Recorder


def test_the_recorder_measures_how_far_each_update_moves():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    recorder, optimizer = viz.Recorder(model), optim.Adam(model.parameters(), lr=0.01)
    losses, norms, ratios, variances = [], [], [], []
    for _ in range(5):
        before = [np.concatenate([np.ravel(p.data) for p in layer.parameters()]) for layer in (model[0], model[2])]
        loss = trained(model)
        norms.append(
            [np.hypot(*[np.linalg.norm(p.grad) for p in layer.parameters()]) for layer in (model[0], model[2])]
        )
        variances.append([np.var(model[1](model[0](X)).data), np.var(model(X).data)])
        optimizer.step()
        recorder.step(loss)
        optimizer.zero_grad()
        after = [np.concatenate([np.ravel(p.data) for p in layer.parameters()]) for layer in (model[0], model[2])]
        ratios.append([np.linalg.norm(w - w0) / np.linalg.norm(w0) for w, w0 in zip(after, before)])
        losses.append(loss.item())
    assert recorder.losses == losses
    for measured, direct in ((recorder.norms, norms), (recorder.ratios, ratios), (recorder.variances, variances)):
        np.testing.assert_allclose(measured, direct, rtol=1e-12)  # sums in another order
    assert recorder.stuck.shape == (5, 2)
    assert [row.ratio for row in recorder.health.rows] == list(recorder.ratios[-1])
    assert repr(recorder) == "<Recorder of 2 layers, 5 steps; .plot(), .health>"


def test_the_recorder_keeps_four_numbers_a_step_and_layer_and_no_graph():
    model = nn.MLP([3, 64, 64, 1])
    recorder = viz.Recorder(model)
    for _ in range(3):
        recorder.step(trained(model))
    assert sum(numbers.nbytes for numbers in recorder.numbers) == 3 * 3 * 4 * 8
    assert not any(isinstance(x, Tensor) for x in (*recorder.losses, *recorder.health.rows[0]))


def test_a_loss_that_is_a_number_says_nothing_of_activations():
    model = nn.MLP([3, 4, 1])
    recorder = viz.Recorder(model)
    loss = nn.MSELoss()(model(X), Y)
    loss.backward(retain_graph=False)
    recorder.step(loss.item())
    assert np.isfinite(recorder.norms).all()
    assert np.isnan(recorder.variances).all()
    with pytest.raises(RuntimeError, match="retain_graph=False"):
        recorder.step(loss)
    assert len(recorder.losses) == len(recorder.norms) == 1


@pytest.mark.parametrize("layers", [1, 5, 30])
def test_the_recorder_plots_a_line_for_each_layer(layers):
    pytest.importorskip("matplotlib")
    model = nn.MLP([3] * layers + [1])
    recorder = viz.Recorder(model)
    recorder.plot()._repr_png_()  # before the first step
    for _ in range(3):
        recorder.step(trained(model))
    figure = recorder.plot()
    figure._repr_png_()
    loss, norms, ratios = figure.axes
    assert list(loss.lines[0].get_ydata()) == recorder.losses
    assert [list(line.get_ydata()) for line in norms.lines] == recorder.norms.T.tolist()
    assert len(ratios.lines) == layers + 1
    assert len(figure.legends[0].get_texts()) <= 13
