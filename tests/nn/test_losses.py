"""Losses refuse what would be compared wrongly and name the right one; test_layers.py compares their numbers."""

import warnings

import numpy as np
import pytest

import nn
from autograd import Tensor
from nn import functional as F
from tests.nn.record import CASES

LOSSES = [name for name in CASES if name.endswith("Loss")]
ELEMENTWISE = [name for name in LOSSES if name not in ("CrossEntropyLoss", "NLLLoss")]
scores = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]])
p = np.array([[0.2], [0.7]])


# ---- known values


def test_losses_of_numbers_that_can_be_checked_by_hand():
    x, t = np.array([1.0, 4.0]), np.array([0.0, 2.0])
    assert F.mse_loss(x, t) == 2.5
    assert F.l1_loss(x, t) == 1.5
    assert F.huber_loss(x, t) == (0.5 + 1.5) / 2
    assert F.binary_cross_entropy(np.array([0.5]), np.array([1.0])) == pytest.approx(np.log(2))
    assert F.binary_cross_entropy_with_logits(np.array([0.0]), np.array([1.0])) == pytest.approx(np.log(2))
    assert F.cross_entropy(np.zeros((1, 4)), np.array([2])) == pytest.approx(np.log(4))
    assert F.nll_loss(np.log([[0.25, 0.75]]), np.array([1])) == pytest.approx(-np.log(0.75))
    assert F.kl_div(np.log([[0.5, 0.5]]), np.array([[1.0, 0.0]]), reduction="batchmean") == pytest.approx(np.log(2))


def test_cross_entropy_is_log_softmax_and_nll():
    t = np.array([2, 0])
    assert F.cross_entropy(scores, t) == pytest.approx(F.nll_loss(F.log_softmax(scores, dim=1), t))


@pytest.mark.parametrize("x", [-1000.0, -40.0, 0.0, 40.0, 1000.0])
def test_losses_of_logits_are_exact_at_any_size(x):
    expected = np.logaddexp(0, -x)
    assert F.binary_cross_entropy_with_logits(np.array([x]), np.array([1.0])) == expected
    assert F.cross_entropy(np.array([[x, 0.0]]), np.array([0])) == pytest.approx(expected, rel=1e-15, abs=1e-16)


def test_targets_may_be_lists_integers_or_booleans():
    expected = F.mse_loss(p, np.array([[0.0], [1.0]]))
    for target in ([[0], [1]], np.array([[0], [1]]), np.array([[False], [True]]), Tensor([[0.0], [1.0]])):
        assert float(F.mse_loss(p, target)) == expected


def test_a_target_that_requires_grad_gets_one():
    target = Tensor(p, requires_grad=True)
    F.mse_loss(np.zeros((2, 1)), target).backward()
    np.testing.assert_allclose(target.grad, p)


# ---- shapes


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("shape", [(2,), (1, 2), (2, 2), ()])
def test_shapes_that_would_broadcast_are_refused(name, shape):
    with pytest.raises(ValueError, match=r"input has shape \(2, 1\) and target \(") as error:
        getattr(nn, name)()(p, np.full(shape, 0.5))
    assert ("Write target.reshape(2, 1)." in str(error.value)) == (np.prod(shape) == 2)


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (
            np.array([[1], [2]]),
            r"need labels of shape \(2,\), but target has shape \(2, 1\). Write target.reshape\(2,\)",
        ),
        (np.array([1, 2, 0]), r"need labels of shape \(2,\), but target has shape \(3,\)\.$"),
        (np.eye(3, dtype=int)[:2], r"of the input's shape, are floats: target.astype\(float\)"),
    ],
)
def test_labels_of_another_shape_are_refused(target, sentence):
    with pytest.raises(ValueError, match=sentence):
        nn.CrossEntropyLoss()(scores, target)


def test_labels_are_integers_in_range():
    with pytest.raises(TypeError, match=r"labels are integers, but target holds float64. Write target.astype\(int\)"):
        nn.CrossEntropyLoss()(scores, np.array([1.0, 2.0]))
    for loss in (nn.CrossEntropyLoss(), nn.NLLLoss()):
        with pytest.raises(ValueError, match=r"with 3 classes the labels are 0 to 2, but target has \[3\]"):
            loss(scores, np.array([3, 0]))
        with pytest.raises(ValueError, match=r"but target has \[-1\]"):
            loss(scores, np.array([-1, 0]))


@pytest.mark.parametrize(
    "loss", [nn.CrossEntropyLoss, nn.NLLLoss, lambda w: nn.CrossEntropyLoss(w, label_smoothing=0.1)]
)
def test_class_weights_are_one_a_class(loss):
    with pytest.raises(ValueError, match=r"weight has a number for each of the 3 classes, shape \(3,\).*\(2,\)"):
        loss(np.ones(2))(scores, np.array([0, 1]))


def test_weights_that_would_broadcast_the_losses_are_refused():
    with pytest.raises(ValueError, match=r"weight of shape \(2,\) does not fit losses of shape \(2, 1\)"):
        nn.BCELoss(weight=np.ones(2))(p, p)


# ---- the right loss


def test_logits_given_to_bce_are_told_which_loss_they_want():
    with pytest.raises(ValueError, match=r"input goes from -2 to 3. For logits.* use BCEWithLogitsLoss"):
        nn.BCELoss()(scores, np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"but target goes from 0 to 2\.$"):
        nn.BCELoss()(p, np.array([[0.0], [2.0]]))
    with pytest.raises(ValueError, match="input goes from nan to nan"):
        nn.BCELoss()(np.array([np.nan]), np.array([1.0]))


@pytest.mark.parametrize(
    ("loss", "target", "remedy"),
    [
        (nn.CrossEntropyLoss, [0, 1], "NLLLoss"),
        (nn.CrossEntropyLoss, [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]], "NLLLoss"),
        (nn.NLLLoss, [0, 1], "CrossEntropyLoss"),
    ],
    ids=["labels", "soft targets", "nll"],
)
def test_probabilities_given_as_scores_are_warned_of(loss, target, remedy):
    probabilities = nn.Softmax(dim=1)(Tensor(scores.astype(np.float32), requires_grad=True))
    with pytest.warns(UserWarning, match=f"each row sums to 1.*{remedy}") as found:
        loss()(probabilities, np.array(target))
    assert [warning.filename for warning in found] == [__file__]


@pytest.mark.parametrize("target", [[0, 0], [[1.0], [1.0]]], ids=["labels", "soft targets"])
def test_scores_of_a_single_class_are_warned_of(target):
    with pytest.warns(UserWarning, match=r"of shape \(2, 1\) are those of a single class.*BCEWithLogitsLoss") as found:
        nn.CrossEntropyLoss()(scores[:, :1], np.array(target))
    assert [warning.filename for warning in found] == [__file__]


def test_scores_are_not_taken_for_probabilities():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.CrossEntropyLoss()(np.array([[0.5, 0.5], [3.0, 1.0]]), np.array([0, 1]))
        nn.CrossEntropyLoss()(np.array([[1.0]]), np.array([0]))


# ---- options


@pytest.mark.parametrize("name", LOSSES)
def test_reductions_that_do_not_exist_are_refused(name):
    case = CASES[name][0]
    with pytest.raises(ValueError, match=r"reduction is one of 'mean', 'sum', 'none'.*not 'average'"):
        getattr(nn, name)(reduction="average")
    function = {"BCELoss": "binary_cross_entropy", "BCEWithLogitsLoss": "binary_cross_entropy_with_logits"}.get(name)
    function = function or {"CrossEntropyLoss": "cross_entropy", "NLLLoss": "nll_loss", "KLDivLoss": "kl_div"}.get(name)
    function = function or {"SmoothL1Loss": "smooth_l1_loss"}.get(name, name.replace("Loss", "_loss").lower())
    with pytest.raises(ValueError, match="not 'average'"):
        getattr(F, function)(*case.inputs, reduction="average")


def test_options_out_of_range_are_refused():
    with pytest.raises(ValueError, match="delta > 0, not 0"):
        F.huber_loss(p, p, delta=0)
    with pytest.raises(ValueError, match="beta >= 0, not -1"):
        F.smooth_l1_loss(p, p, beta=-1)
    with pytest.raises(ValueError, match="label_smoothing is between 0 and 1, not 2"):
        F.cross_entropy(scores, np.array([0, 1]), label_smoothing=2)


def test_what_is_not_a_real_number_is_refused():
    with pytest.raises(TypeError, match="compares real numbers, not complex"):
        F.mse_loss(p, p * 1j)
    with pytest.raises(TypeError, match="compares real numbers, not text"):
        F.mse_loss(p, [["a"], ["b"]])


def test_weights_are_buffers_but_not_learned():
    assert nn.BCELoss(weight=np.ones(2, np.float32)).weight.dtype == np.float32
    loss = nn.CrossEntropyLoss(weight=[1.0, 2.0, 3.0])
    assert list(loss.state_dict()) == ["weight"]
    assert not list(loss.parameters())
    assert not nn.CrossEntropyLoss().state_dict()


def test_a_batch_whose_every_label_is_ignored_changes_nothing():
    for options in ({}, {"label_smoothing": 0.1}):
        x = Tensor([[1.0, 2.0]], requires_grad=True)
        loss = nn.functional.cross_entropy(x, np.array([0]), ignore_index=0, **options)
        loss.backward()
        assert np.isnan(loss.item())  # PyTorch's answer too
        assert x.grad.tolist() == [[0, 0]]


def test_labels_of_yes_and_no_may_be_booleans_but_not_minus_one():
    assert nn.BCELoss()(np.array([0.5]), np.array([True])) == pytest.approx(np.log(2))
    with pytest.raises(ValueError, match=r"target goes from -1 to 1\."):
        nn.BCEWithLogitsLoss()(Tensor([3.0, 3.0]), np.array([-1.0, 1.0]))


def test_an_empty_batch_has_an_empty_gradient():
    x = Tensor(np.zeros((0, 3)), requires_grad=True)
    nn.functional.mse_loss(x, np.zeros((0, 3)), reduction="sum").backward()
    assert x.grad.shape == (0, 3)


def test_labels_may_be_integers_of_any_kind():
    x = Tensor(np.arange(12.0).reshape(3, 4), requires_grad=True)
    expected = nn.CrossEntropyLoss()(x, np.array([0, 3, 1])).data
    for dtype in (np.int8, np.uint8, np.int32, np.uint64):
        assert nn.CrossEntropyLoss()(x, np.array([0, 3, 1], dtype)).data == expected


# ---- small integers, weights that do not fit, labels without weight


@pytest.mark.parametrize("loss", [F.mse_loss, F.l1_loss, F.huber_loss, F.smooth_l1_loss, F.binary_cross_entropy,
                                  F.binary_cross_entropy_with_logits, F.kl_div])  # fmt: skip
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_small_integers_do_not_wrap_around(loss, reduction):
    x, t = np.array([0, 1, 0], np.uint8), np.array([1, 0, 0], np.uint8)
    expected = loss(x.astype(float), t.astype(float), reduction=reduction)
    np.testing.assert_array_equal(loss(x, t, reduction=reduction), expected)


@pytest.mark.parametrize("target", [[1, 0], [[0.25, 0.75], [1.0, 0.0]]], ids=["labels", "probabilities"])
def test_scores_may_be_small_integers(target):
    x = np.array([[10, 200], [3, 4]], np.uint8)
    assert F.cross_entropy(x, target) == F.cross_entropy(x.astype(float), target)


def test_log_probabilities_may_be_small_integers():
    assert F.nll_loss(np.array([[0, 3]], np.uint8), [1]) == -3


@pytest.mark.parametrize("shape", [(3,), (2, 1, 1), (3, 1)])
@pytest.mark.parametrize("option", ["weight", "pos_weight"])
def test_a_weight_that_would_broadcast_the_losses_is_refused(option, shape):
    with pytest.raises(ValueError, match=rf"^{option} of shape .* does not fit losses of shape \(2, 1\)"):
        F.binary_cross_entropy_with_logits(p, p, **{option: np.ones(shape)})


def test_a_label_to_ignore_is_refused_beside_probabilities():
    with pytest.raises(ValueError, match="ignore_index=0 is a label, but target has the probabilities"):
        F.cross_entropy(scores, np.ones((2, 3)) / 3, ignore_index=0)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning")
@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_labels_whose_weights_are_all_zero_have_no_mean(label_smoothing):
    torch = pytest.importorskip("torch")
    ours, theirs = Tensor(scores, requires_grad=True), torch.tensor(scores, requires_grad=True)
    options = dict(label_smoothing=label_smoothing)
    loss = F.cross_entropy(ours, [0, 0], np.array([0.0, 1.0, 1.0]), **options)
    loss.backward()
    weight = torch.tensor([0.0, 1.0, 1.0], dtype=torch.float64)
    torch.nn.functional.cross_entropy(theirs, torch.tensor([0, 0]), weight, **options).backward()
    assert np.isnan(loss.data)
    np.testing.assert_array_equal(ours.grad, theirs.grad.numpy())


def test_probabilities_that_are_nan_are_not_taken_for_logits():
    with pytest.raises(ValueError, match=r"input goes from nan to nan\. autograd\.detect_anomaly"):
        F.binary_cross_entropy(np.array([np.nan]), np.array([1.0]))


@pytest.mark.parametrize("loss", [lambda: F.cross_entropy([1.0, 2.0], [1]), lambda: F.mse_loss(1.0, [1.0])])
def test_the_reshaping_that_is_advised_works(loss):
    with pytest.raises(ValueError, match=r"Write target\.reshape\(\(\)\)\."):
        loss()


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "HuberLoss"])
def test_a_reduction_is_given_by_its_name(name):
    with pytest.raises(TypeError, match=rf"^{name}\(\) takes its reduction by name: nn\.{name}\(reduction='sum'\)"):
        getattr(nn, name)("sum")
    assert nn.HuberLoss("sum").reduction == "sum"  # as in PyTorch


# ---- what is ignored, and what half precision can hold


@pytest.mark.parametrize("odd", [-np.inf, np.inf, np.nan])
@pytest.mark.parametrize("loss", [F.nll_loss, F.cross_entropy])
def test_an_ignored_row_counts_for_nothing_whatever_is_in_it(loss, odd):
    rows, labels = np.array([[odd, 0.0, 1.0], [0.0, 1.0, 2.0]]), np.array([-100, 1])
    assert loss(rows, labels) == loss(rows[1:], labels[1:])
    assert loss(rows, labels, reduction="sum") == loss(rows[1:], labels[1:], reduction="sum")
    assert loss(rows, labels, reduction="none").tolist() == [0.0, loss(rows[1:], labels[1:])]


def test_an_ignored_row_counts_for_nothing_in_label_smoothing():
    rows, labels = np.array([[-np.inf, 0.0, 1.0], [0.0, 1.0, 2.0]]), np.array([-100, 1])
    for reduction in ("mean", "sum"):
        options = {"label_smoothing": 0.1, "reduction": reduction}
        assert F.cross_entropy(rows, labels, **options) == F.cross_entropy(rows[1:], labels[1:], **options)


def test_an_ignored_row_sends_back_zeros():
    x = Tensor([[-np.inf, 0.0, 1.0], [0.0, 1.0, 2.0]], requires_grad=True)
    F.cross_entropy(x, np.array([-100, 1])).backward()
    assert x.grad[0].tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(x.grad[1], np.exp(x.data[1]) / np.exp(x.data[1]).sum() - [0, 1, 0])


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss", "binary_cross_entropy_with_logits"])
def test_the_mean_of_half_precision_losses_does_not_overflow(name):
    x = np.random.default_rng(0).normal(scale=50, size=4000).astype(np.float16)  # the sum is beyond 65,504
    loss = getattr(F, name)
    mean = loss(x, np.zeros_like(x))
    assert mean.dtype == np.float16
    np.testing.assert_allclose(mean, loss(x.astype(float), np.zeros(len(x))), rtol=2e-3)
