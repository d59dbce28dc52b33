"""What plot_decision draws is what the model decides, and the model is afterwards as it was."""

import numpy as np
import pytest

import nn
import viz
from autograd import Tensor, no_grad, special
from viz.decision import margins

Figure = pytest.importorskip("matplotlib.figure").Figure
rng = np.random.default_rng(0)
X = rng.normal(size=(60, 2))
LINE = (X[:, 0] > 0.3).astype(int)


def drawn(figure):
    """The colours of the plane, as (rows from below, columns, rgba)."""
    return figure.axes[0].images[0].get_array()


@pytest.mark.parametrize("y", [LINE, LINE[:, None], 2 * LINE - 1, LINE.astype(bool), LINE.astype(float), Tensor(LINE)])
def test_the_boundary_is_the_models_whatever_form_the_classes_have(y):
    figure = viz.plot_decision(lambda x: x[:, :1] - 0.3, X, y, resolution=80)
    (axes,) = figure.axes
    assert axes.get_title() == "100.0% of 60 right"
    (boundary,) = [c for c in axes.collections if type(c).__name__ == "QuadContourSet"]
    assert boundary.get_paths()[0].vertices[:, 0] == pytest.approx(0.3)
    colours = drawn(figure)[..., :3]
    x1 = np.linspace(*axes.get_xlim(), 80)
    assert len(np.unique(colours[:, x1 > 0.3].reshape(-1, 3), axis=0)) == 1
    assert len(np.unique(colours.reshape(-1, 3), axis=0)) == 2


def test_the_share_that_is_right_is_numpys():
    model = lambda x: np.tanh(x[:, 0] - x[:, 1])
    figure = viz.plot_decision(model, X, LINE)
    assert figure.axes[0].get_title() == f"{np.mean((model(X) > 0) == LINE):.1%} of 60 right"


def test_logits_and_probabilities_are_drawn_alike():
    logits = lambda x: 3 * x[:, 0] - x[:, 1]
    both = np.stack([np.zeros(60), logits(X)], axis=1)
    one = margins(logits(X)[:, None], None)
    for answers in (special.expit(logits(X))[:, None], both, special.softmax(both, axis=1)):
        np.testing.assert_allclose(margins(answers, None), one, rtol=1e-9, atol=1e-9)  # through exp and log


def test_a_threshold_may_be_given():
    model = lambda x: special.expit(x[:, :1])
    right = [viz.plot_decision(model, X, LINE, threshold=t).axes[0].get_title() for t in (None, special.expit(0.3))]
    assert right == [f"{np.mean((X[:, 0] > 0) == LINE):.1%} of 60 right", "100.0% of 60 right"]


def test_several_classes_have_a_colour_and_a_marker_each():
    y = np.argmax(X @ [[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]], axis=1)
    figure = viz.plot_decision(lambda x: x @ np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]]), X, y, resolution=50)
    assert figure.axes[0].get_title() == "100.0% of 60 right"
    assert len(np.unique(drawn(figure)[..., :3].reshape(-1, 3), axis=0)) == 3
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["class 0", "class 1", "class 2"]
    assert figure._repr_png_().startswith(b"\x89PNG")


class Broken(nn.Module):
    def forward(self, x):
        raise ArithmeticError


@pytest.mark.parametrize("breaks", [False, True])
def test_the_model_is_afterwards_as_it_was_even_if_it_raises(breaks):
    model = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 1))
    model[1].eval()
    if breaks:
        model.append(Broken())
    state, chance = model.state_dict(), nn.default_generator.bit_generator.state
    if breaks:
        with pytest.raises(ArithmeticError):
            viz.plot_decision(model, X, LINE)
    else:
        viz.plot_decision(model, X, LINE)
    assert [module.training for module in model] == [True, False, True, True, True] + [True] * breaks
    assert all(np.array_equal(value, model.state_dict()[key]) for key, value in state.items())
    assert nn.default_generator.bit_generator.state == chance
    assert all(p.grad is None for p in model.parameters())


def test_it_draws_into_given_axes():
    figure = Figure()
    axes = figure.subplots(1, 2)
    with no_grad():
        assert viz.plot_decision(nn.Perceptron(2), X, LINE, axes=axes[1]) is figure
    assert (len(axes[0].images), len(axes[1].images)) == (0, 1)


def test_what_is_not_finite_is_drawn():
    with np.errstate(all="ignore"):
        viz.plot_decision(lambda x: np.log(x[:, 0]), X, LINE)._repr_png_()
        viz.plot_decision(lambda x: x * np.inf, X, LINE)._repr_png_()


def test_one_point_is_enough():
    viz.plot_decision(lambda x: x[:, 0], X[:1], LINE[:1])._repr_png_()


@pytest.mark.parametrize(
    ("x", "y", "model", "message"),
    [
        (X[:, :1], LINE, lambda x: x, "two inputs"),
        (X, LINE[1:], lambda x: x, "a class for each of 60 points"),
        (X, LINE + 0.5, lambda x: x, "takes classes as y"),
        (X, LINE + 5, lambda x: x, "knows 2 classes"),
        (X, np.array(["no", "yes"])[LINE.astype(int)], lambda x: x, r"'no' 'yes'\].*return_inverse=True"),
        (np.where(X > 1, np.nan, X), LINE, lambda x: x, "finite coordinates"),
        (X, LINE, lambda x: x.sum(), "the model makes"),
    ],
)
def test_refusals_say_what_is_expected(x, y, model, message):
    with pytest.raises(ValueError, match=message):
        viz.plot_decision(model, x, y)
