"""Graphviz lays out, whichever there is; and what happens where there is none, or where it takes too long."""

import re
import subprocess
import sys

import numpy as np
import pytest

import nn
import viz
from autograd import Tensor
from viz import layout
from viz.card import width_of


@pytest.fixture
def nothing(monkeypatch):
    """A machine without any Graphviz."""
    monkeypatch.setattr(layout, "engines", lambda: iter([]))


def test_dot_text_needs_no_graphviz(nothing, loss):
    dot = viz.draw(loss).dot
    assert dot.startswith("digraph")
    assert all(word in dot for word in ("0.weight", "tanh", "cluster_m0", "rankdir=LR"))


def test_without_graphviz_one_error_names_both_remedies(nothing, scalars):
    with pytest.raises(viz.LayoutError, match=r"pygraphviz>=2\.0") as refusal:
        viz.draw(scalars).save("never.svg")
    assert "the program `dot` on the PATH" in str(refusal.value)
    assert "viz.tree(loss)" in str(refusal.value)


def test_without_graphviz_a_notebook_shows_the_tree_and_the_remedy(nothing, scalars):
    (text,) = viz.draw(scalars)._repr_mimebundle_().values()
    assert "value 15.00  grad +1.000" in text
    assert "pygraphviz" in text


@pytest.mark.usefixtures("graphviz")
def test_a_layout_that_takes_too_long_is_stopped_and_says_what_to_do(scalars, monkeypatch):
    slow = [sys.executable, "-c", "import time; time.sleep(60)", ""]
    monkeypatch.setattr(layout, "engines", lambda: iter([slow]))
    with pytest.raises(viz.LayoutError, match=r"not done with this graph after 0\.2 s.*limit=50.*viz\.tree"):
        viz.draw(scalars, seconds=0.2).svg  # noqa: B018  # laying out happens on being asked


def test_a_graphviz_that_fails_gives_the_word_to_the_next(monkeypatch):
    broken = [sys.executable, "-c", "import sys; sys.exit('no json here')", ""]
    answer = [sys.executable, "-c", "print(1)", ""]
    monkeypatch.setattr(layout, "engines", lambda: iter([broken, answer]))
    assert layout.render("digraph {}", "json0").strip() == b"1"
    monkeypatch.setattr(layout, "engines", lambda: iter([broken]))
    with pytest.raises(viz.LayoutError, match="no json here"):
        layout.render("digraph {}", "json0")


def test_the_dot_on_the_path_goes_before_the_bundled_one(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"here/{name}")
    assert next(layout.engines()) == ["here/dot", "-T"]


def test_a_pygraphviz_without_its_own_graphviz_is_not_asked(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "1.14")
    assert list(layout.engines()) == []


@pytest.mark.usefixtures("graphviz")
def test_every_node_edge_and_frame_has_its_place_inside_the_picture(tower):
    graph = viz.draw(tower)
    placed = layout.layout(graph.dot)
    assert placed.nodes.keys() == {node.id for node in graph.data.nodes}
    assert placed.edges.keys() == {edge.id for edge in graph.data.edges}
    for name, (x, y) in placed.nodes.items():
        card = graph.cards[name]
        assert card.width / 2 - 1 <= x <= placed.width - card.width / 2 + 1
        assert card.height / 2 - 1 <= y <= placed.height - card.height / 2 + 1


@pytest.mark.usefixtures("graphviz")
def test_no_two_nodes_overlap(tower):
    graph = viz.draw(tower)
    placed = layout.layout(graph.dot)
    boxes = [(*placed.nodes[name], card.width / 2, card.height / 2) for name, card in graph.cards.items()]
    for i, (x, y, w, h) in enumerate(boxes):
        assert not any(abs(x - u) < w + a - 1 and abs(y - v) < h + b - 1 for u, v, a, b in boxes[:i])


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(viz.draw, id="draw"),
        pytest.param(lambda loss: viz.draw(loss, depth=1), id="folded"),
        pytest.param(viz.animate, id="animate"),
        pytest.param(lambda loss: viz.draw(nn.Sequential(nn.Linear(20, 40), nn.Tanh())), id="layers"),
    ],
)
def test_every_line_that_graphviz_writes_has_room_in_its_card(picture, loss):
    cards = re.findall(r'label="(.*?)" .* width=([\d.]+)', picture(loss).dot)
    assert cards
    for label, inches in cards:
        assert max(width_of(line) for line in label.split(r"\l")) <= 72 * float(inches)


@pytest.mark.usefixtures("graphviz")
def test_a_chain_of_20000_draws_what_is_nearest(tmp_path):
    y = Tensor(1.0, True)
    for _ in range(20_000):
        y = np.tanh(y)
    graph = viz.draw(y)
    assert len(graph.data.nodes) == 150
    assert "Only the 149 nodes nearest the end are drawn, of 20,001" in graph.svg


@pytest.mark.usefixtures("graphviz")
@pytest.mark.parametrize("form", ["svg", "html", "dot", "png", "pdf"])
def test_a_picture_is_saved_by_the_ending_of_its_name(form, loss, tmp_path):
    path = viz.draw(loss).save(tmp_path / f"picture.{form}")
    start = {"svg": b"<svg ", "html": b"<!DOCTYPE html>", "dot": b"digraph", "png": b"\x89PNG", "pdf": b"%PDF"}[form]
    assert path.read_bytes().startswith(start)


def test_an_unknown_ending_is_refused(scalars):
    with pytest.raises(ValueError, match=r'knows \.svg, \.html, \.png, \.pdf and \.dot, but not "picture\.bmp"'):
        viz.draw(scalars).save("picture.bmp")


@pytest.mark.usefixtures("graphviz")
def test_a_notebook_gets_the_picture_with_its_tooltips(scalars):
    shown = viz.draw(scalars)._repr_mimebundle_()
    assert shown["image/svg+xml"] in shown["text/html"]
    assert "5 nodes, 6 edges" in shown["text/plain"]


@pytest.mark.usefixtures("graphviz")
def test_view_opens_a_page_that_needs_nothing_else(scalars, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    viz.draw(scalars).view()
    assert opened[0].startswith("file://")


def test_importing_viz_loads_neither_graphviz_nor_nn():
    code = "import sys, viz; print({'graphviz', 'pygraphviz', 'nn', 'json', 'subprocess'} & set(sys.modules))"
    path = f"import sys; sys.path[:0] = {[p for p in sys.path if p]!r}; "
    shown = subprocess.run([sys.executable, "-c", path + code], capture_output=True, text=True, check=True).stdout
    assert "graphviz" not in shown
    assert "nn" not in shown


def test_a_picture_prints_on_a_console_that_knows_ascii_alone():
    assert repr(viz.draw(np.sqrt(Tensor(2.0, requires_grad=True)) - 1.0)).isascii()


def test_without_the_package_graphviz_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    x = Tensor(3.0, requires_grad=True)
    with pytest.raises(layout.LayoutError, match="pip install graphviz"):
        viz.draw(x * x).save("picture.svg")
    assert "text/plain" in viz.draw(x * x)._repr_mimebundle_()  # a notebook shows the tree
