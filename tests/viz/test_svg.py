"""The SVG is valid, says what the graph says, and can be read by everybody."""

import itertools
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import viz
from autograd import Tensor, steps
from viz.card import Scale
from viz.health import FLAGS
from viz.svg import KINDS
from viz.text import cut, exact, grid, number, spread
from viz.theme import THEMES

pytestmark = pytest.mark.usefixtures("graphviz")
SVG = "{http://www.w3.org/2000/svg}"


def parse(loss, **options):
    """The picture as a tree of elements: it is XML, or this raises."""
    return ET.fromstring(viz.draw(loss, **options).svg)


def groups(root):
    """The nodes of a picture: what each one's tooltip and lines of text say."""
    for g in root.iter(f"{SVG}g"):
        if g.get("class") == "node":
            yield g.find(f"{SVG}title").text, ["".join(text.itertext()) for text in g.iter(f"{SVG}text")]


def test_every_number_drawn_is_the_graphs(loss):
    graph = viz.draw(loss)
    drawn = dict(zip((node.id for node in graph.data.nodes), groups(ET.fromstring(graph.svg))))
    assert len(drawn) == len(graph.data.nodes)
    for node in graph.data.nodes:
        tooltip, lines = drawn[node.id]
        assert f"value = {exact(node.value)}" in tooltip
        if node.grad is not None:
            assert exact(node.grad) in tooltip or "0 exactly" in tooltip
        for array in (node.value, node.grad):
            for line in [] if array is None else grid(np.atleast_1d(array)) or spread(array):
                assert any(line.lstrip("+") == shown.lstrip("+") for shown in lines)


def test_a_scalar_has_four_digits_and_its_sign(scalars):
    cards = [lines for _, lines in groups(parse(scalars))]
    assert ["x", "value", "3.000", "grad", "+8.000"] in cards
    assert ["×", "value", "9.000", "grad", "+1.000"] in cards
    assert ["2"] in cards


def test_a_repeated_operand_is_drawn_as_two_edges(scalars):
    edges = [path.get("d") for path in parse(scalars).iter(f"{SVG}path") if path.get("class") == "edge"]
    assert len(edges) == len(set(edges)) == 6


def test_ids_are_unique_and_two_pictures_share_none(scalars, loss):
    one, other = ({e.get("id") for e in parse(y).iter() if e.get("id")} for y in (scalars, loss))
    assert len(one) == 1 + 5 + 6  # the picture, nodes, edges
    assert not one & other
    for ids in (one, other):
        scope = min(ids, key=len)
        assert all(name.startswith(scope) for name in ids)
    style = parse(loss).find(f"{SVG}style").text
    assert set(re.findall(r"#(g\w{8})", style)) == {min(other, key=len)}


def test_the_same_graph_gives_the_same_bytes(network, asked_once):
    def picture():
        asked_once.clear()
        p = network(np.eye(2))
        return viz.draw((p * p).sum()).svg

    assert picture() == picture()


def test_three_reasons_for_no_gradient_have_three_marks():
    x, c = Tensor(2.0, True, name="x"), Tensor(3.0, name="c")
    y = x * c * 0.0
    waiting = viz.draw(y).svg
    y.backward()
    zero = viz.draw(y).svg
    assert "backward has not run" in waiting
    assert 'class="track waiting"' in waiting
    assert "gradient exactly 0" not in waiting
    assert "gradient exactly 0" in zero
    assert "<circle" in zero
    assert "backward has not run" not in zero
    assert all("does not require grad" in svg and "not required" in svg for svg in (waiting, zero))


def test_the_legend_explains_what_is_drawn_and_nothing_else(loss, scalars):
    for y, absent in ((loss, {"module"}), (scalars, {"module", "parameter"})):
        graph = viz.draw(y)
        last = list(ET.fromstring(graph.svg))[-1]
        said = {text.text for text in last.iter(f"{SVG}text")}
        assert {KINDS[node.kind] for node in graph.data.nodes if node.kind in KINDS} == said & set(KINDS.values())
        assert not said & absent


@pytest.mark.parametrize("x", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_drawn(x):
    scalar, vector = Tensor(x, True), Tensor([x, 1.0, 2.0], True)
    with np.errstate(all="ignore"):
        y = scalar * np.sum(vector * x) + np.sum(Tensor(np.full((9, 9), x), True))
        y.backward()
    said = [line for _, lines in groups(parse(y)) for line in lines]
    assert {number(x), f"81 {'nan' if np.isnan(x) else 'inf'}"} <= set(said)


def test_any_name_is_escaped_cut_and_whole_in_the_tooltip():
    name = '<b>&"it\'s"</b> \u6c34 \U0001f40d \x01\n' + 200 * "x"
    y = Tensor(1.0, True, name=name) * 2
    titles = [tooltip for tooltip, _ in groups(parse(y))]
    assert any(name.replace("\x01", "\ufffd") in title for title in titles)
    assert all(len(line) < 60 for _, lines in groups(parse(y)) for line in lines)


def test_a_result_whose_name_is_no_text_is_saved(tmp_path):
    y = Tensor(1.0, True) * 2
    y.name = "\ud800" + 200 * "x"
    graph = viz.draw(y)
    assert graph.save(tmp_path / "loss.svg").read_text(encoding="utf-8") == graph.svg
    assert len(graph.title) < 80


def test_bars_are_logarithmic_and_what_is_not_zero_is_seen():
    scale = Scale.of([1e-3, -1.0, np.array([0.1, 10.0])])
    assert (scale.low, scale.high) == (-3, 1)
    assert scale.length(10.0) == 1
    assert scale.length(-0.1) == pytest.approx(0.5)
    assert scale.length(1e-300) > 0
    assert scale.length(0.0) == 0


def test_texts_are_as_short_as_they_say():
    assert [number(x) for x in (1.0, -0.00123456, 123456.0, 1e-300, -0.0, True)] == \
        ["1.000", "-0.001235", "1.235e5", "1.000e-300", "0", "True"]  # fmt: skip
    assert [number(x, digits=3) for x in (1.0, -0.00123456, 123456.0, 7)] == ["1.00", "-0.00123", "1.23e5", "7"]
    assert len(cut("x" * 300)) == 28
    assert spread(np.array([])) == ["empty"]
    assert spread(np.array([1.0, 3.0])) == ["1.000 .. 3.000", "2.000 \u00b1 1.000"]


# ---- everybody can read it


def linear(colour):
    """The linear light of #rrggbb."""
    v = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    """The contrast ratio of WCAG 2."""
    dark, light = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_text_has_contrast_of_four_and_a_half_and_marks_of_three(theme):
    colours = THEMES[theme]
    for ground in ("page", "cluster", *KINDS):
        assert min(contrast(colours[text], colours[ground]) for text in ("text", "muted")) >= 4.5
        assert min(contrast(colours[mark], colours[ground]) for mark in ("line", "positive", "negative", *FLAGS)) >= 3
    assert min(contrast(colours[word], colours["page"]) for word in FLAGS) >= 4.5  # its glyph has the page's colour


# how dichromats see linear light: Machado, Oliveira and Fernandes (2009), severity 1
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def lab(light):
    """CIE L*a*b* of linear sRGB, white D65."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    f = np.cbrt(to_xyz @ np.clip(light, 0, 1) / [0.9505, 1.0, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize(("theme", "blindness"), list(itertools.product(THEMES, BLINDNESS)))
def test_the_two_hues_stay_apart_for_the_colour_blind(theme, blindness):
    seen = [lab(np.array(BLINDNESS[blindness]) @ linear(THEMES[theme][sign])) for sign in ("positive", "negative")]
    assert np.linalg.norm(seen[0] - seen[1]) > 40  # a difference of 2.3 is just noticeable


# ---- what the tooltips of edges say


def test_an_edge_tells_the_local_derivative_and_what_is_sent_back(scalars):
    titles = [title.text for title in parse(scalars).iter(f"{SVG}title")]
    assert titles.count("argument 0 of ×: x\nlocal derivative = 3.000\ngradient sent back = 3.0") == 1
    assert titles.count("argument 1 of ×: x\nlocal derivative = 3.000\ngradient sent back = 3.0") == 1
    assert titles.count("argument 1 of ×: x\nlocal derivative = 2.000\ngradient sent back = 2.0") == 1


def test_a_scalar_that_is_used_several_times_shows_its_gradient_as_a_sum(scalars):
    (tooltip,) = [tooltip for tooltip, _ in groups(parse(scalars)) if tooltip.startswith("x:")]
    assert "one backward pass sends 3 parts: +2.000 +3.000 +3.000" in tooltip
    assert [step.contribution for step in steps(scalars) if step.argument.name == "x"] == [2, 3, 3]  # in that order


def test_before_backward_edges_send_nothing():
    assert "sent back" not in viz.draw(Tensor(1.0, True) * 2).svg
