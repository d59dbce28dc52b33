"""The lesson's listing runs after four substitutions, as PyTorch runs it, and what it lacks is measured."""

from difflib import unified_diff

import numpy as np
import pytest

import autograd
import viz
from demos import listing
from demos.readme import README


def halves(text):
    """The listing up to the model, and from the loss on; with dropout that drops nothing there is no more chance."""
    first, second = text.replace("Dropout(0.2)", "Dropout(0.0)").split("criterion =")
    return first, "criterion =" + second


def test_the_substitutions_are_the_four_and_leave_no_torch():
    text = listing.OURS
    assert len(listing.SUBSTITUTIONS) == 4
    assert "torch" in listing.LISTING
    assert "torch" not in text
    assert listing.LISTING.count("\n") == text.count("\n") + 1  # `import torch` went, and nothing else


@pytest.fixture(scope="module")
def made():
    """What the listing leaves when it has run: its data, model, criterion and last loss."""
    (x, y), _ = listing.task(0)
    made = dict(x=x, y=y)
    exec(listing.OURS, made)
    return made


def test_it_learns(made):
    assert made["loss"].item() < 0.45  # log 2 = 0.69 at first


def test_pytorch_runs_the_original_and_comes_to_the_same_loss():
    torch = pytest.importorskip("torch")
    (x, y), _ = listing.task(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        theirs = dict(x=torch.from_numpy(x), y=torch.from_numpy(y))
        ours = dict(x=x, y=y)
        for made, text in ((theirs, listing.LISTING), (ours, listing.OURS)):
            exec(halves(text)[0], made)
        ours["model"].load_state_dict({name: t.numpy() for name, t in theirs["model"].state_dict().items()})
        for made, text in ((theirs, listing.LISTING), (ours, listing.OURS)):
            exec(halves(text)[1], made)
    finally:
        torch.set_default_dtype(before)
    # 100 updates of AdamW, which divides by gradients that may be small, multiply roundings
    assert ours["loss"].item() == pytest.approx(theirs["loss"].item(), rel=1e-8)
    assert np.allclose(
        ours["model"].network[8].weight.data, theirs["model"].network[8].weight.detach().numpy(), atol=1e-8
    )


def test_the_whole_original_learns_in_pytorch_too():
    torch = pytest.importorskip("torch")
    (x, y), _ = listing.task(0)
    torch.manual_seed(0)
    made = dict(x=torch.from_numpy(x.astype(np.float32)), y=torch.from_numpy(y.astype(np.float32)))
    exec(listing.LISTING, made)
    assert made["loss"].item() < 0.45


def test_without_eval_it_changes_its_mind_and_gets_less_right(shown):
    assert shown.found["flips"] > 0.05
    assert shown.found["training"] < shown.found["eval"] < shown.found["seen"]


def test_biases_before_batchnorm_cancel(made):
    x, y = made["x"], made["y"]
    made["model"].zero_grad()
    loss = made["criterion"](made["model"](x), y)
    loss.backward()
    drawing = viz.draw(loss, names=dict(x=x, y=y))
    flags = {node.name: flag.word for node in drawing.data.nodes for flag in node.flags}
    assert flags == {"network.0.bias": "CANCELLED", "network.4.bias": "CANCELLED"}


def test_without_an_activation_it_is_a_line_again(shown):
    activations = shown.found["activations"]
    assert activations["Identity"] < activations["ReLU"] - 0.1
    assert shown.found.claims["L24"].verdict == "simplified"


def test_it_prints_ascii_and_leaves_the_dtype_alone(shown):
    assert shown.text.isascii()
    assert autograd.get_default_dtype() == np.float64


def test_the_readme_shows_exactly_what_changes_in_the_listing():
    lines = unified_diff(listing.LISTING.splitlines(), listing.OURS.splitlines(), lineterm="", n=0)
    changed = "\n".join(line for line in list(lines)[2:] if not line.startswith("@@"))
    assert f"```diff\n{changed}\n```" in README.read_text(encoding="utf-8")
