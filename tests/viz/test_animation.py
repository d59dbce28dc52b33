"""The picture plays what the engine does, in its order, with its numbers; without motion it is the finished graph."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest

import viz
from autograd import Tensor, steps, topological_order
from viz.animation import LONGEST, Motion, animate, brief, frames, signed
from viz.theme import THEMES

SVG = "{http://www.w3.org/2000/svg}"


def neuron():
    w, x, b = Tensor(0.5, True, name="w"), Tensor(-2.0, name="x"), Tensor(0.1, True, name="b")
    return np.square(np.tanh(w * x + b) - 1.0)


def reused():
    a = Tensor(3.0, True, name="a")
    return a * a + a


def cancelling():
    a = Tensor(3.0, True, name="a")
    return a * 2.0 - a * 2.0


def broadcast():
    x, b = Tensor(np.arange(6.0).reshape(2, 3), True, name="x"), Tensor([0.1, -0.2, 0.3], True, name="b")
    return np.sum(np.square(x + b))


def dead():
    w = Tensor(-1.0, True, name="w <&>")
    return np.maximum(w * 2.0, 0.0) * 3.0


every_loss = pytest.mark.parametrize("make", [neuron, reused, cancelling, broadcast, dead])


def texts(root, moving=True):
    """Every text in a picture; or those alone that are seen where nothing moves."""
    if not moving and root.get("opacity") == "0":
        return []
    own = ["".join(root.itertext())] if root.tag == f"{SVG}text" else []
    return own + [text for part in root for text in texts(part, moving)]


# ---- frames: no Graphviz is asked for them ------------------------------------------------------------------------


@every_loss
def test_each_step_is_one_frame_with_its_numbers_in_the_engines_order(make):
    loss = make()
    animation = animate(loss)
    film, nodes = frames(animation.play), {node.id: node for node in animation.play.graph.nodes}
    sent = [f for f in film if f.edge]
    walk = list(steps(loss))
    assert len(sent) == len(walk)
    for f, step in zip(sent, walk):
        np.testing.assert_array_equal(f.part, step.contribution)
        np.testing.assert_array_equal(f.sum, step.after)
        np.testing.assert_array_equal(nodes[f.sender].value, step.node.data)
        np.testing.assert_array_equal(nodes[f.receiver].value, step.argument.data)
        assert f.said == f"{step.node.op.symbol} sends {signed(step.contribution)} to {nodes[f.receiver].name}"


@every_loss
def test_before_them_each_operation_is_one_frame_in_topological_order(make):
    loss = make()
    animation = animate(loss)
    film, nodes = frames(animation.play), {node.id: node for node in animation.play.graph.nodes}
    made = [tensor for tensor in topological_order(loss) if not tensor.is_leaf]
    forward = [f for f in film if f.made]
    assert [nodes[f.made].symbol for f in forward] == [tensor.op.symbol for tensor in made]
    assert all(f"= {brief(tensor.data)}" in f.said for f, tensor in zip(forward, made))
    assert [bool(f.made) for f in film] == [False, *[True] * len(made), *[False] * (len(film) - len(made) - 1)]


@every_loss
def test_frames_follow_each_other(make):
    film = frames(animate(make()).play)
    assert film[0].start == 0
    assert all(f.start < f.end == following.start for f, following in pairwise(film))


def test_the_chain_rule_and_the_sum_are_told():
    said = [f.because for f in frames(animate(reused()).play) if f.edge]
    assert said == [
        "= ∂L/∂v2 × ∂L/∂L = 1.00 × +1.00",
        "= ∂L/∂a × ∂L/∂L = 1.00 × +1.00",
        "= ∂v2/∂a × ∂L/∂v2 = 3.00 × +1.00, +1.00 there becomes +4.00",
        "= ∂v2/∂a × ∂L/∂v2 = 3.00 × +1.00, +4.00 there becomes +7.00",
    ]


def test_the_pass_starts_with_the_gradient_that_is_given():
    y = Tensor([1.0, 2.0], True, name="y") * 3.0
    (start,) = [f for f in frames(animate(y, [1.0, -1.0]).play) if f.receiver and not f.edge]
    np.testing.assert_array_equal(start.sum, [1.0, -1.0])


@pytest.mark.usefixtures("graphviz")
def test_the_picture_says_which_hooks_it_does_not_call():
    y = reused()
    y.inputs[1].register_hook(lambda g: g * 10)
    assert "Not called here: the hooks of a." in animate(y).svg


def test_what_nobody_would_watch_is_refused_with_the_remedy():
    y = Tensor(1.0, True)
    for _ in range(LONGEST):
        y = np.sin(y)
    animate(y)
    with pytest.raises(ValueError, match=f"has {LONGEST + 1} steps.*viz.step"):
        animate(np.sin(y))
    with pytest.raises(TypeError, match="such as a loss, but this is float"):
        animate(1.0)


# ---- motion -------------------------------------------------------------------------------------------------------


def keyframes(css):
    """Of each class its keyframes, as (percent, rule)."""
    found = re.findall(r"@keyframes \w+?(m\d+)\{((?:[\d.]+%\{[^}]*\})*)\}", css)
    return {name: [(float(at), rule) for at, rule in re.findall(r"([\d.]+)%\{([^}]*)\}", body)] for name, body in found}


def test_what_is_seen_twice_in_a_row_does_not_fade_between():
    motion = Motion("g", 10.0)
    motion.shown((1, 2, 0.5), (2, 3, 1), (5, 6, 1))
    (stops,) = keyframes(motion.css).values()
    assert [(at, float(rule.removeprefix("opacity:"))) for at, rule in stops] == [
        *[(0, 0), (10, 0), (12, 0.5), (20, 0.5), (22, 1), (28, 1), (30, 0)],
        *[(50, 0), (52, 1), (58, 1), (60, 0), (100, 0)],
    ]


def test_alike_motions_are_written_once():
    motion = Motion("g", 10.0)
    assert motion.shown((1, 2, 1)) == motion.shown((1, 2, 1)) != motion.shown((1, 3, 1))
    assert len(keyframes(motion.css)) == 2


# ---- the picture --------------------------------------------------------------------------------------------------


@pytest.fixture(params=[neuron, reused, cancelling, broadcast, dead], ids=lambda make: make.__name__)
def animation(request, graphviz):
    """The picture of each loss."""
    return animate(request.param())


def test_it_is_xml_without_a_script_and_asks_for_nothing(animation):
    root = ET.fromstring(animation.svg)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "style", "g", "rect", "path", "polygon", "text", "tspan"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not [name for name in attributes if "href" in name or name.startswith("on")]
    assert not re.search(r"url\(|@import|@font-face|https?:(?!//www.w3.org/2000/svg)", animation.svg)


def test_ids_and_keyframes_are_its_own(animation):
    root = ET.fromstring(animation.svg)
    ids, style = [element.get("id") for element in root.iter() if element.get("id")], root.find(f"{SVG}style").text
    scope = root.get("id")
    graph = animation.play.graph
    assert len(ids) == len(set(ids)) == 1 + len(graph.nodes) + len(graph.edges)
    assert all(name.startswith(scope) for name in [*ids, *re.findall(r"@keyframes (\w+)", style)])
    assert set(re.findall(r"#(g\w{8})\b", style)) == {scope}


def test_what_is_named_in_the_picture_moves_and_the_other_way_round(animation):
    root = ET.fromstring(animation.svg)
    moving = {name for element in root.iter() for name in re.findall(r"\bm\d+\b", element.get("class", ""))}
    rules = keyframes(root.find(f"{SVG}style").text)
    assert moving == rules.keys()
    for stops in rules.values():
        percents = [at for at, _ in stops]
        assert percents == sorted(percents)
        assert 0 <= percents[0] < percents[-1] <= 100


def test_it_moves_only_for_readers_who_have_not_asked_for_less_motion(animation):
    style = ET.fromstring(animation.svg).find(f"{SVG}style").text
    before, inside = style.split("@media(prefers-reduced-motion:no-preference)")
    assert "animation" not in before
    assert "@keyframes" not in before
    assert inside.count("{") == inside.count("}")


def test_both_themes_are_in_it(animation):
    light, dark = animation.svg.split("@media(prefers-color-scheme:dark)", 1)
    assert THEMES["light"]["text"] in light
    assert THEMES["dark"]["text"] in dark


def test_every_frame_has_its_words_and_every_contribution_its_number(animation):
    root, film = ET.fromstring(animation.svg), frames(animation.play)
    captions = [text for text in root.iter(f"{SVG}text") if text.get("class") == "caption"]
    assert ["".join(text.itertext()) for text in captions] == [f.said + f.because for f in film]
    on_edges = [group for group in root.iter(f"{SVG}g") if group.find(f"{SVG}rect[@class='label']") is not None]
    parts = [sent.contribution for sent in animation.play.walk]
    assert [texts(group) for group in on_edges] == [[str(g.shape) if np.ndim(g) else signed(g)] for g in parts]


def test_without_motion_it_is_the_finished_graph(animation):
    root, film = ET.fromstring(animation.svg), frames(animation.play)
    seen = texts(root, moving=False)
    assert [text for text in seen if text in {f.said + f.because for f in film}] == [film[-1].said + film[-1].because]
    nodes = {node.get("id"): node for node in root.iter(f"{SVG}g") if node.get("class") == "node"}
    for i, node in enumerate(animation.play.graph.nodes):
        (group,) = [group for name, group in nodes.items() if name.endswith(f"-{node.id}")]
        title, *rest = texts(group, moving=False)
        sums = animation.play.sums.get(i, [])
        shown = ["=", brief(node.value)] * (node.kind != "number") + ["∂", *(signed(g) for g in sums[-1:])] * bool(sums)
        assert rest == shown
        assert title.split(" ")[0] in (node.symbol, node.name.split(" ")[0])


def test_bars_end_at_the_final_gradient(animation):
    root = ET.fromstring(animation.svg)
    for i, sums in animation.play.sums.items():
        name = f"{root.get('id')}-{animation.play.graph.nodes[i].id}"
        lengths = {"negative": 0.0, "positive": 0.0}
        for group in root.find(f".//*[@id='{name}']").iter(f"{SVG}g"):
            if scaled := re.match(r"scale\((\S+) 1\)", group.get("transform") or ""):
                lengths[group.find(f"{SVG}rect").get("class")] = float(scaled[1])
        for hue, most in (("negative", min(np.min(sums[-1]), 0)), ("positive", max(np.max(sums[-1]), 0))):
            assert lengths[hue] == pytest.approx(animation.play.scale.length(most), abs=5e-4)  # of 3 digits


@pytest.mark.usefixtures("graphviz")
@every_loss
def test_the_same_graph_gives_the_same_bytes(make, asked_once):
    before = animate(make()).svg
    asked_once.clear()
    assert animate(make()).svg == before


@pytest.mark.usefixtures("graphviz")
def test_modules_have_their_frames(network):
    svg = animate(np.sum(network(np.ones((2, 2))))).svg
    assert svg.count('class="cluster"') == 4
    assert "0: Linear" in svg


@pytest.mark.usefixtures("graphviz")
def test_it_saves_and_shows_itself(tmp_path):
    animation = viz.animate(neuron())
    assert repr(animation) == '<Backward pass of L: 6 steps; .save("picture.svg"), .view()>'
    assert animation.save(tmp_path / "neuron.svg").read_text(encoding="utf-8") == animation.svg
    assert animation.svg in animation._repr_mimebundle_()["text/html"]
    assert "= -1.00" in animation.dot


def test_without_graphviz_a_notebook_says_what_to_do(monkeypatch):
    monkeypatch.setattr("viz.layout.engines", lambda: iter(()))
    shown = animate(neuron())._repr_mimebundle_()
    assert "pip install" in shown["text/plain"]
    assert "text/html" not in shown
