"""Layers, activations and containers give PyTorch's numbers, which record.py writes down; and say what was wrong."""

import inspect
import json

import numpy as np
import pytest

import nn
from autograd import Tensor, get_default_dtype, grad, gradcheck, products, set_default_dtype, stamp
from autograd.operations import Op, table
from nn import functional as F
from nn import normalisation
from tests.nn.record import CASES, FILE, NAMED, ours, theirs

RECORDED = json.loads(FILE.read_text())
CLASSES = [name for name in nn.__all__ if inspect.isclass(thing := getattr(nn, name)) and issubclass(thing, nn.Module)]
COMPUTE_NOTHING = {"Module", "ModuleList", "ModuleDict"}
OPERATIONS = {
    f"{function.__module__.removeprefix('nn.')} {entry.name} {i}": function
    for i, (function, entry) in enumerate(table.items())
    if isinstance(entry, Op) and getattr(function, "__module__", "").startswith("nn.")
}
close = dict(rtol=1e-10, atol=1e-10)


@pytest.fixture
def float32():
    before = get_default_dtype()
    set_default_dtype(np.float32)
    yield
    set_default_dtype(before)


# ---- the numbers


def test_every_module_and_loss_is_compared_with_pytorch():
    compared = {getattr(nn, name) for name in CASES}
    assert {name for name in CLASSES if getattr(nn, name) not in compared} == COMPUTE_NOTHING


@pytest.mark.parametrize("name", NAMED)
def test_output_gradients_and_state_are_those_recorded_from_pytorch(name):
    found, expected = ours(NAMED[name]), RECORDED[name]
    assert found.keys() == expected.keys()
    for key, value in found.items():
        np.testing.assert_allclose(value.ravel(), expected[key], **close, err_msg=key)


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")
def test_output_gradients_and_state_are_pytorchs(name):
    pytest.importorskip("torch")
    found, expected = ours(NAMED[name]), theirs(NAMED[name])
    assert found.keys() == expected.keys()
    for key, value in found.items():
        assert value.shape == expected[key].shape, key
        np.testing.assert_allclose(value, expected[key], **close, err_msg=key)


@pytest.mark.parametrize("name", NAMED)
def test_state_dict_has_pytorchs_keys_and_shapes(name):
    torch = pytest.importorskip("torch")
    case = NAMED[name]
    expected = case.reference(torch.nn).state_dict()
    found = case.make(nn).state_dict()
    assert [v.shape for v in found.values()] == [tuple(v.shape) for v in expected.values()]
    if case.make is case.reference or isinstance(case.make(nn), nn.MLP):
        assert list(found) == list(expected)


@pytest.mark.parametrize("name", [n for n, case in NAMED.items() if case.inputs[0].dtype == float])
def test_float32_stays_float32(name):
    case = NAMED[name]
    x, *rest = (a.astype(np.float32) if a.dtype == float else a for a in case.inputs)
    with np.errstate(all="ignore"):  # the edges are float64's
        leaf = Tensor(np.clip(x, 0, 1) if name.startswith("BCELoss") else x, requires_grad=True)
        module = case.make(nn).float()
        y = module.train(case.train)(leaf, *rest)
        for key, buffer in module.named_buffers():
            assert buffer.dtype in (np.float32, np.int64), key
        assert y.dtype == np.float32
        y.sum().backward()
    assert leaf.grad.dtype == np.float32


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_of_nn_agrees_with_finite_differences_to_order_2(name):
    assert gradcheck(OPERATIONS[name], order=2)


def signature(function):
    return {p.name: p.default for p in inspect.signature(function).parameters.values()}


OURS_ALONE = {"generator", "dtype", "modules", "name"}
NOT_HERE = {"device", "size_average", "reduce"}


@pytest.mark.parametrize("name", [*CASES, *F.__all__, *nn.init.__all__])
def test_parameters_and_defaults_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    places = [(nn, torch.nn), (F, torch.nn.functional), (nn.init, torch.nn.init)]
    here, there = next((h, t) for h, t in places if name in h.__all__)
    try:
        expected = signature(getattr(there, name))
    except (ValueError, AttributeError):
        pytest.skip("torch does not tell")
    for parameter, default in signature(getattr(here, name)).items():
        if parameter not in OURS_ALONE:
            assert parameter in expected
            assert expected[parameter] == default


def test_a_network_of_everything_can_be_differentiated_twice():
    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.GELU(), nn.LayerNorm(4), nn.Linear(4, 3)).double()
    labels = np.array([0, 2, 1, 1, 0])
    assert gradcheck(
        lambda x: nn.CrossEntropyLoss()(model(x), labels), np.random.default_rng(0).normal(size=(5, 3)), order=2
    )


# ---- the way that training takes


def lesson(nn):
    hidden = (nn.Linear(10, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU())
    return nn.Sequential(*hidden, nn.Linear(32, 1), nn.Sigmoid())


def classifier(nn):
    return nn.Sequential(nn.Linear(10, 16), nn.LayerNorm(16), nn.GELU(), nn.Linear(16, 16), nn.SiLU(), nn.Linear(16, 3))


def words(nn):
    return nn.Sequential(nn.Embedding(7, 4, padding_idx=0), nn.Flatten(), nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 1))


rng = np.random.default_rng(0)
x, integers = rng.normal(size=(40, 10)), rng.integers(0, 7, (40, 3))
TRAININGS = {
    "lesson": (lesson, "BCELoss", "AdamW", dict(lr=1e-3, weight_decay=1e-4), x, (x[:, :1] > 0).astype(float)),
    "classifier": (classifier, "CrossEntropyLoss", "SGD", dict(lr=0.1, momentum=0.9), x, rng.integers(0, 3, 40)),
    "words": (words, "SmoothL1Loss", "Adam", dict(lr=1e-2), integers, rng.normal(size=(40, 1))),
}


def walk(nn, optim, name, convert, weights=None, steps=100):
    """The parameters' starting values, and at the end of each step of training those that are no bias before a norm."""
    make, loss, optimizer, options, x, target = TRAININGS[name]
    model, criterion = make(nn).double(), getattr(nn, loss)()
    if weights is not None:
        model.load_state_dict(weights)
    start = {key: np.asarray(value).copy() for key, value in model.state_dict().items()}
    optimizer = getattr(optim, optimizer)(model.parameters(), **options)
    idle = (
        ("0.bias", "3.bias") if name == "lesson" else ()
    )  # its gradient is zero but for rounding, which Adam enlarges
    rows = []
    for _ in range(steps):
        optimizer.zero_grad()
        criterion(model(convert(x)), convert(target)).backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        optimizer.step()
        state = model.state_dict()
        rows.append(np.concatenate([np.ravel(v) for key, v in state.items() if key not in idle]))
    return start, np.array(rows)


@pytest.mark.parametrize("name", TRAININGS)
def test_a_network_with_pytorchs_weights_walks_its_way_for_100_steps(name):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    weights, expected = walk(torch.nn, torch.optim, name, torch.from_numpy)
    _, found = walk(nn, nn.optim, name, np.asarray, weights)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


# ---- Linear


def test_linear_takes_arrays_lists_and_integers():
    layer = nn.Linear(2, 3).double()
    x = [[1, 2], [3, 4]]
    expected = np.asarray(x) @ layer.weight.data.T + layer.bias.data
    for given in (x, np.array(x), np.array(x, float), Tensor(np.array(x, float))):
        np.testing.assert_allclose(layer(given).data, expected)


def test_linear_of_lists_alone_is_an_array():
    for weight in ([[1.0, 2.0]], np.array([[1.0, 2.0]])):
        y = F.linear([[1, 1], [0, 3]], weight, [0.5])
        assert isinstance(y, np.ndarray)
        assert y.tolist() == [[3.5], [6.5]]


def test_linear_leaves_its_input_alone():
    x = np.ones((2, 2))
    x.flags.writeable = False
    nn.Linear(2, 2)(x)


def test_linear_of_the_wrong_length_says_which():
    with pytest.raises(
        ValueError, match=r"an input of shape \(4, 3\) does not fit a weight of shape \(5, 2\).*length 2"
    ):
        nn.Linear(2, 5)(np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"Write x\[:, None\]"):
        nn.Linear(1, 5)(np.ones(4))
    with pytest.raises(TypeError, match="the input is text, not real numbers"):
        nn.Linear(2, 5)(np.array([["a", "b"]]))


def test_linears_weights_start_within_one_over_root_n():
    nn.manual_seed(0)
    layer = nn.Linear(100, 2000)
    for parameter in layer.parameters():
        assert np.abs(parameter.data).max() <= 0.1
        assert np.var(parameter.data) == pytest.approx(1 / 300, rel=0.1)  # of U(-l, l): l^2 / 3


@pytest.mark.usefixtures("float32")
def test_layers_take_the_default_dtype():
    assert {p.dtype for p in nn.MLP([2, 3, 1], batch_norm=True).parameters()} == {np.dtype(np.float32)}
    assert nn.Linear(2, 3, dtype=np.float64).weight.dtype == np.float64


@pytest.mark.parametrize("make", [nn.Linear, nn.Embedding])
def test_layers_learn_floats_only(make):
    with pytest.raises(TypeError, match=r"its dtype can be np.float32 or np.float64, not int64"):
        make(2, 3, dtype=np.int64)


@pytest.mark.parametrize("make", [lambda: nn.Linear(3, 3), lambda: nn.LayerNorm(3), lambda: nn.BatchNorm1d(3).eval(),
                                  lambda: nn.Dropout(0.5)])  # fmt: skip
@pytest.mark.parametrize("twice", [False, True])
def test_a_batch_of_no_samples_goes_through_and_back(make, twice):
    x = Tensor(np.zeros((0, 3)), requires_grad=True)
    y = make()(x)
    assert y.shape == (0, 3)
    (g,) = grad(y.sum(), x, create_graph=twice)
    assert g.shape == (0, 3)


@pytest.mark.parametrize(("make", "affine"), [(nn.BatchNorm1d, "affine"), (nn.LayerNorm, "elementwise_affine")])
def test_norms_take_lists_with_parameters_and_without(make, affine):
    x = [[1.0, 2.0], [4.0, 1.0]]
    np.testing.assert_allclose(make(2)(x).data, make(2, **{affine: False})(x))


# ---- Embedding


def test_embedding_adds_up_gradients_of_a_row_used_twice_and_none_for_padding():
    layer = nn.Embedding(4, 2, padding_idx=0)
    assert not layer.weight.data[0].any()
    layer([[0, 1], [1, 3]]).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad[:, 0], [0, 2, 0, 1])


def test_embedding_refuses_what_is_no_row():
    with pytest.raises(ValueError, match=r"rows 0 to 3, but input goes from 0 to 4"):
        nn.Embedding(4, 2)([0, 4])
    with pytest.raises(ValueError, match=r"rows 0 to 3, but input goes from -1 to 2"):
        nn.Embedding(4, 2)([-1, 2])
    with pytest.raises(TypeError, match="by integers, not float64"):
        nn.Embedding(4, 2)([0.0, 1.0])
    with pytest.raises(ValueError, match="padding_idx is one of 4 rows, not 4"):
        nn.Embedding(4, 2, padding_idx=4)


# ---- normalisation


def test_batch_norm_of_one_example_is_refused_in_training_only():
    layer = nn.BatchNorm1d(3)
    with pytest.raises(ValueError, match=r"at least two values of each feature.*\(1, 3\).*eval\(\)"):
        layer(np.ones((1, 3)))
    assert layer.num_batches_tracked == 0
    layer.eval()(np.ones((1, 3)))


def test_batch_norm_counts_and_learns_nothing_in_eval():
    layer = nn.BatchNorm1d(3)
    layer(np.random.default_rng(0).normal(size=(8, 3)))
    before = layer.state_dict()
    layer.eval()(np.ones((4, 3)))
    assert before["num_batches_tracked"] == 1
    assert all((before[key] == value).all() for key, value in layer.state_dict().items())


def test_batch_norm_counts_a_batch_once_however_often_it_is_differentiated():
    layer = nn.BatchNorm1d(2).double()
    x = Tensor(np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.0]]), requires_grad=True)
    y = layer(x)
    running = layer.running_mean.copy()
    (slope,) = grad((y * y * y).sum(), x, create_graph=True)
    slope.sum().backward()
    np.testing.assert_array_equal(layer.running_mean, running)


def test_norms_refuse_other_shapes():
    with pytest.raises(ValueError, match=r"BatchNorm1d\(3\) takes an input of shape \(n, 3\).*has shape \(4, 2\)"):
        nn.BatchNorm1d(3)(np.ones((4, 2)))
    with pytest.raises(ValueError, match=r"over \(3,\) takes an input that ends so.*\(3, 4\)"):
        nn.LayerNorm(3)(np.ones((3, 4)))
    with pytest.raises(ValueError, match="at least one axis"):
        nn.LayerNorm(())


# ---- Dropout


@pytest.mark.parametrize("kind", ["the default one", "PCG64", "Philox", "SFC64", "MT19937"])
def test_dropout_drops_about_p_and_keeps_the_mean(kind):
    nn.manual_seed(0)
    generator = np.random.Generator(getattr(np.random, kind)(0)) if hasattr(np.random, kind) else None
    y = nn.Dropout(0.2, generator=generator)(np.ones((500, 200)))
    assert set(np.unique(y)) == {0.0, 1.25}
    assert np.mean(y == 0) == pytest.approx(0.2, abs=0.01)


def test_dropout_drops_the_gradient_with_the_value():
    x = Tensor(np.ones((5, 4)), requires_grad=True)
    y = nn.Dropout(0.5)(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, y.data)


def test_dropout_draws_from_its_generator():
    first, second = (nn.Dropout(generator=np.random.default_rng(7))(np.ones(50)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_dropout_refuses_what_is_no_probability(p):
    with pytest.raises(ValueError, match="between 0 and 1"):
        nn.Dropout(p)
    with pytest.raises(ValueError, match="between 0 and 1"):
        F.dropout(np.ones(3), p)


def test_chance_refuses_what_is_no_generator():
    with pytest.raises(TypeError, match=r"generator= takes np.random.default_rng\(seed\), not int"):
        nn.Linear(2, 2, generator=0)


# ---- activations and shapes


@pytest.mark.parametrize("name", [name for name in F.__all__ if name in vars(nn.activations)])
def test_activations_of_an_array_are_an_array_and_of_a_tensor_a_tensor(name):
    options = {"dim": -1} if "softmax" in name else {}
    x = np.array([[0.5, -1.0]])
    y = getattr(F, name)(x, **options)
    assert isinstance(y, np.ndarray)
    np.testing.assert_allclose(getattr(F, name)(Tensor(x), **options).data, y)


def test_softmax_asks_for_its_axis():
    with pytest.raises(ValueError, match=r"softmax needs to know along which axis.*dim=-1"):
        nn.Softmax()(np.ones((2, 3)))
    with pytest.raises(ValueError, match="log_softmax needs to know"):
        F.log_softmax(np.ones((2, 3)))


def test_activations_refuse_options_that_mean_nothing():
    with pytest.raises(ValueError, match="'none' or 'tanh', not 'sigmoid'"):
        nn.GELU(approximate="sigmoid")
    with pytest.raises(ValueError, match="min_val < max_val, not 1 and 0"):
        nn.Hardtanh(1, 0)


def test_flatten_refuses_axes_that_are_not_there():
    with pytest.raises(ValueError, match=r"Flatten\(start_dim=1, end_dim=-1\) needs.*shape \(3,\)"):
        nn.Flatten()(np.ones(3))
    with pytest.raises(ValueError, match="start_dim comes after end_dim"):
        nn.Flatten(2, 1)(np.ones((2, 3, 4)))


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("Sequential", "MLP", "Perceptron")])
def test_repr_is_the_line_that_makes_it(name):
    module = CASES[name][-1].make(nn)
    assert repr(eval(f"nn.{module!r}", {"nn": nn})) == repr(module)


def test_an_optimizers_step_makes_the_old_graph_refuse():
    layer = nn.Linear(2, 1)
    loss = layer(np.ones((3, 2))).sum()
    stamp(layer.weight)
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


# ---- normalisation at the edges


@pytest.mark.parametrize("length", [np.int64(4), [4], (4,)])
def test_layer_norm_takes_a_length_of_any_kind(length):
    layer = nn.LayerNorm(length)
    assert layer.normalized_shape == (4,)
    x = np.arange(8.0).reshape(2, 4)
    np.testing.assert_array_equal(F.layer_norm(x, 4), layer(x).data)


def test_empty_batches_are_normalised_to_empty_ones():
    assert nn.LayerNorm(4)(np.zeros((0, 4))).shape == (0, 4)
    assert nn.BatchNorm1d(4).eval()(np.zeros((0, 4))).shape == (0, 4)
    assert nn.BatchNorm1d(0)(np.zeros((3, 0))).shape == (3, 0)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (dict(input=np.zeros(3)), r"input of shape \(n, features, \.\.\.\), but this has shape \(3,\)"),
        (dict(input=np.zeros((2, 3))), "needs running_mean and running_var, or training=True"),
    ],
)
def test_batch_norm_says_what_it_needs(options, problem):
    with pytest.raises(ValueError, match=problem):
        F.batch_norm(**options, running_mean=None, running_var=None)


def test_what_eval_computed_is_differentiated_with_the_averages_of_then():
    """PyTorch's own gradient is wrong here: it takes the averages that the later batch has left."""

    def outputs(x):
        layer = nn.BatchNorm1d(2).eval()
        then = layer(x)
        layer.train()(3 * x + 1)
        return then

    assert gradcheck(outputs, np.array([[0.5, -1.0], [2.0, 3.0], [-0.5, 0.25]]))


def test_batch_norm_without_running_statistics_does_not_advise_eval():
    with pytest.raises(ValueError, match=r"Use a larger batch: without running .* used always, after eval\(\) too\.$"):
        nn.BatchNorm1d(3, track_running_stats=False).eval()(np.zeros((1, 3)))


@pytest.mark.parametrize("slope", [0.0, 0.01, 1.5])
def test_leaky_relu_of_infinity_is_infinity(slope):
    t = Tensor([np.inf, 1.0, -1.0], requires_grad=True)
    y = F.leaky_relu(t, slope)
    assert np.array_equal(y.data, [np.inf, 1, -slope])
    y.sum().backward()
    assert np.array_equal(t.grad, [1, 1, slope])


@pytest.mark.parametrize("number", [np.array(5.0), np.float64(5), Tensor(5.0), 5])
@pytest.mark.parametrize("weight", [nn.Parameter(np.zeros((2, 3))), np.zeros((2, 3))], ids=["Parameter", "array"])
def test_a_number_is_refused_as_the_input_of_linear(number, weight):
    with pytest.raises(ValueError, match=r"an input of shape \(\) does not fit a weight of shape \(2, 3\)"):
        F.linear(number, weight)


def test_a_weight_that_is_no_matrix_is_refused():
    with pytest.raises(ValueError, match=r"a weight of shape \(n_out, n_in\), but this has shape \(3,\)"):
        F.linear(np.zeros((2, 3)), np.zeros(3))


@pytest.mark.parametrize("padding_idx", [3, -4, 7])
def test_embedding_refuses_a_padding_row_that_is_not_there(padding_idx):
    with pytest.raises(ValueError, match=f"one of 3 rows, not {padding_idx}"):
        F.embedding(np.array([1]), np.ones((3, 2)), padding_idx)


@pytest.mark.parametrize("axis", [0, 1])
def test_normalising_half_precision_does_not_overflow(axis):
    x = (np.random.default_rng(0).normal(size=(800, 800)) * 12).astype(np.float16)  # Σ x² is beyond 65,504
    if axis:
        y, exact = F.layer_norm(x, (800,)), F.layer_norm(x.astype(float), (800,))
    else:
        norm = nn.BatchNorm1d(800).to(np.float16)
        y, exact = norm(x).data, F.batch_norm(x.astype(float), None, None, training=True)
        np.testing.assert_allclose(norm.running_var, 0.9 + 0.1 * x.astype(float).var(0, ddof=1), rtol=2e-3)
    np.testing.assert_allclose(y, exact, rtol=4e-3, atol=4e-3)


def test_batch_norm_of_many_single_precision_rows_keeps_its_digits():
    x = np.random.default_rng(0).normal(1000, 1, (200_000, 2)).astype(np.float32)
    y = F.batch_norm(x, None, None, training=True)
    np.testing.assert_allclose(y, (x - x.mean(0, np.float64)) / x.std(0, dtype=np.float64), rtol=1e-3, atol=1e-3)


def test_a_batch_norm_that_fails_has_not_counted():
    norm = nn.BatchNorm1d(2)
    norm.weight = nn.Parameter(np.ones(3))
    before = norm.state_dict()
    with pytest.raises(ValueError, match="broadcast"):
        norm(np.random.default_rng(0).normal(size=(4, 2)))
    assert all((before[key] == value).all() for key, value in norm.state_dict().items())


def test_no_memory_is_kept_for_batches_of_many_lengths():
    """Of long ones nothing is remembered, and of short ones at most 8 MB."""
    products.ones.cache_clear(), normalisation.weights.cache_clear()
    norm, layer = nn.BatchNorm1d(2), nn.Linear(2, 1)
    for n in (20_000, 20_001, 300):
        layer(norm(np.random.default_rng(0).normal(size=(n, 2)))).sum().backward()
    assert products.ones.cache_info().currsize == 1
    assert normalisation.weights.cache_info().currsize <= 1


def test_a_hook_may_give_a_sequential_an_attribute():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    model[0].register_forward_hook(lambda module, inputs, output: setattr(model, "seen", output.data))
    model(np.ones((1, 2)))
    assert model.seen.shape == (1, 2)
