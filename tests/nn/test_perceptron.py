"""One neuron learns what a line separates and proves it when none does; the MLP starts by the rule that fits."""

from itertools import product

import numpy as np
import pytest

import nn

CORNERS = np.array(list(product([0.0, 1.0], repeat=2)))


@pytest.mark.parametrize("answers", list(product([0, 1], repeat=4)))
def test_rosenblatts_rule_decides_every_function_of_two_bits(answers):
    neuron = nn.Perceptron(2)
    lesson = neuron.learn(CORNERS, answers)
    assert lesson.separable is (answers not in ((0, 1, 1, 0), (1, 0, 0, 1)))
    if lesson.separable:
        assert lesson.mistakes[-1] == 0
        assert ((neuron(CORNERS).data[:, 0] > 0.5) == np.array(answers)).all()
        assert str(lesson).startswith(f"separated after {sum(lesson.mistakes)} mistakes")
    else:
        assert all(lesson.mistakes)
        assert str(lesson).startswith("not separable")


def test_the_rule_is_rosenblatts_by_hand():
    neuron = nn.Perceptron(1)
    lesson = neuron.learn([[1.0], [-1.0]], [1, 0])  # one mistake, at the first: w = 1, b = 1; then w - b = 0 is not > 0
    assert (lesson.mistakes, neuron.weight.data.tolist(), neuron.bias.data.tolist()) == ([1, 0], [[1]], [1])


def test_classes_may_be_signs_and_columns():
    a, b = nn.Perceptron(2), nn.Perceptron(2)
    assert a.learn(CORNERS, [0, 0, 0, 1]) == b.learn(CORNERS, np.array([[-1], [-1], [-1], [1]]))
    np.testing.assert_array_equal(a.weight.data, b.weight.data)


def test_nothing_is_claimed_of_numbers_that_are_not_whole_or_too_large():
    for x in (CORNERS * 0.1, CORNERS * 1e15):
        lesson = nn.Perceptron(2).learn(x, [0, 1, 1, 0], max_epochs=50)
        assert lesson.separable is None
        assert len(lesson.mistakes) == 50
        assert "is not known" in str(lesson)


def test_separable_data_in_any_direction_are_separated():
    rng = np.random.default_rng(0)
    for _ in range(20):
        x = rng.integers(-5, 6, (30, 3)).astype(float)
        w = rng.normal(size=3)
        t = x @ w > 0
        assert nn.Perceptron(3).learn(x, t).separable


@pytest.mark.parametrize(
    ("x", "t", "sentence"),
    [
        (np.ones((3, 1)), [0, 1, 1], r"takes x of shape \(n, 2\), but it has shape \(3, 1\)"),
        (CORNERS, [0, 1], r"a class for each of the 4 examples, but t has shape \(2,\)"),
        (CORNERS, [0, 1, 2, 1], r"classes 0 and 1, or -1 and 1, but t has \[0. 1. 2.\]"),
        (CORNERS * np.nan, [0, 1, 1, 0], "finite"),
    ],
)
def test_examples_that_do_not_fit_are_refused(x, t, sentence):
    with pytest.raises(ValueError, match=sentence):
        nn.Perceptron(2).learn(x, t)


def test_a_perceptron_learns_by_gradients_too():
    nn.manual_seed(0)
    neuron, loss = nn.Perceptron(2), nn.BCELoss()
    optimizer = nn.optim.SGD(neuron.parameters(), lr=1.0)
    y = np.array([[0.0], [1.0], [1.0], [1.0]])
    for _ in range(200):
        optimizer.zero_grad()
        loss(neuron(CORNERS), y).backward()
        optimizer.step()
    assert ((neuron(CORNERS).data > 0.5) == (y > 0.5)).all()


def test_learning_makes_an_old_graph_refuse():
    neuron = nn.Perceptron(2)
    loss = neuron(CORNERS).sum()
    neuron.learn(CORNERS, [0, 0, 0, 1])
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


# ---- MLP


def test_an_mlp_is_a_sequential_of_what_was_asked_for():
    net = nn.MLP([2, 16, 8, 1], activation=nn.ReLU, batch_norm=True, dropout=0.1, output=nn.Sigmoid)
    hidden = ["Linear", "BatchNorm1d", "ReLU", "Dropout"]
    assert [type(module).__name__ for module in net] == [*hidden, *hidden, "Linear", "Sigmoid"]
    assert [type(module).__name__ for module in nn.MLP([3, 1])] == ["Linear"]
    assert net(np.ones((5, 2))).shape == (5, 1)


@pytest.mark.parametrize(
    ("activation", "rule", "variance"),
    [
        (nn.Tanh, "Xavier/Glorot", 2 / 500),
        (nn.Sigmoid, "Xavier/Glorot", 2 / 500),
        (nn.ReLU, "He/Kaiming", 2 / 300),
        (nn.GELU, "He/Kaiming", 2 / 300),
        (lambda: nn.LeakyReLU(0.5), "He/Kaiming", 2 / 300 / 1.25),
        (nn.SELU, "LeCun", 1 / 300),
    ],
)
def test_weights_start_by_the_rule_that_fits_the_activation_and_repr_says_which(activation, rule, variance):
    net = nn.MLP([300, 200, 10], activation, generator=np.random.default_rng(0))
    assert np.var(net[0].weight.data) == pytest.approx(variance, rel=0.02)
    assert np.var(net[2].weight.data) == pytest.approx(2 / 210, rel=0.05)
    assert not net[0].bias.data.any()
    assert f"300-200-10, weights: {rule} for {type(net[1]).__name__}, Xavier/Glorot for the output" in repr(net)


def test_the_same_generator_gives_the_same_network():
    first, second = (nn.MLP([3, 4, 1], dropout=0.5, generator=np.random.default_rng(1)) for _ in range(2))
    x = np.ones((6, 3))
    np.testing.assert_array_equal(first(x).data, second(x).data)


@pytest.mark.parametrize("widths", [[3], 3, [3, 0], [3, 1.5], "31"])
def test_widths_that_are_no_widths_are_refused(widths):
    with pytest.raises(ValueError, match="takes the widths of all layers, input and output included"):
        nn.MLP(widths)


@pytest.mark.parametrize("activation", [np.tanh, "tanh", 3])
def test_activations_that_are_no_modules_are_refused(activation):
    with pytest.raises(TypeError, match=r"An activation is a class of modules, such as nn.Tanh, not"):
        nn.MLP([2, 2, 1], activation)


def test_learning_takes_an_epoch():
    with pytest.raises(ValueError, match=r"learn\(max_epochs=\) is at least 1 epoch, but got 0"):
        nn.Perceptron(2).learn(CORNERS, [0, 0, 0, 1], max_epochs=0)
