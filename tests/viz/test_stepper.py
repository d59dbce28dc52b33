"""The page plays what the engine does: its numbers, in its order; it needs nothing else, and stays small."""

import ast
import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
import pytest

from autograd import Tensor, steps
from autograd.operations import Op, table
from viz import layout
from viz.play import Play
from viz.rules import written
from viz.stepper import affordable, said, step
from viz.theme import THEMES


def scalar_mlp(widths=(2, 3, 1), seed=0):
    """A multilayer perceptron of single numbers, its squared error on one sample."""
    rng = np.random.default_rng(seed)
    layer = [Tensor(x, name=f"x{i}") for i, x in enumerate(rng.normal(size=widths[0]))]
    for n, width in enumerate(widths[1:], start=1):
        sums = [Tensor(rng.normal(), True, name=f"b{n}_{k}") for k in range(width)]
        for i, x in enumerate(layer):
            sums = [s + Tensor(rng.normal(), True, name=f"w{n}_{k}_{i}") * x for k, s in enumerate(sums)]
        layer = [np.tanh(s) for s in sums]
    return sum((h - 1.0) ** 2 for h in layer)


def reused():
    a = Tensor(3.0, True, name="a")
    return a * a + a


def broadcast():
    x, b = Tensor(np.arange(6.0).reshape(2, 3), True, name="x"), Tensor([0.1, -0.2, 0.3], True, name="b")
    return np.sum(np.square(x + b))


def shared():
    w = Tensor(np.eye(2) - 0.3, True, name="w")
    return np.sum(np.tanh(np.ones((3, 2)) @ w) @ w)


def dead():
    w = Tensor(-1.0, True, name="w")
    return np.maximum(w * 2.0, 0.0) * 3.0


def single():
    a = Tensor(np.float32(0.1), True, name="a")
    return np.sin(a) / a


def lists():
    a, b = Tensor([1.0, 2.0], True, name="a"), Tensor([3.0], True, name="b")
    return np.sum(np.concatenate([a, b, a]) ** 3)


LOSSES = [scalar_mlp, reused, broadcast, shared, dead, single, lists]


class Parsed(HTMLParser):
    """Of a page: the tags with their attributes, and the text in each script."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self.script = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.script = tag == "script"
        self.scripts += [""] * self.script

    def handle_endtag(self, tag):
        self.script = False

    def handle_data(self, text):
        if self.script:
            self.scripts[-1] += text


def data_of(page):
    """What the page plays."""
    return json.loads(Parsed(page.html).scripts[0])


def same(told, x):
    """Whether the data tell x: a number with all its digits, of an array the elements in four."""
    if np.ndim(x) == 0:
        return np.dtype(getattr(x, "dtype", float)).type(float(told)) == x
    rows = np.array(told[3], float)
    return told[0] == said(x) and np.allclose(rows, np.atleast_2d(x), rtol=5.1e-4, atol=0)


@pytest.mark.parametrize("make", LOSSES)
def test_frames_are_the_contributions_in_the_engines_order(make):
    loss = make()
    walk, data = list(steps(loss)), data_of(step(loss))
    assert len(walk) == len(data["steps"])
    sums = {}
    for taken, (edge, _, part, after, _) in zip(walk, data["steps"]):
        source, target, position = data["edges"][edge]
        assert position == taken.position
        assert data["nodes"][target][1] == taken.node.op.symbol
        assert same(data["nodes"][source][2], taken.argument.data)
        assert same(part, taken.contribution)
        assert (after is None) == (taken.before is None) == (source not in sums)
        assert same(part if after is None else after, taken.after)
        sums[source] = taken.after


@pytest.mark.parametrize("make", LOSSES)
def test_the_last_frame_shows_what_backward_leaves(make):
    loss = make()
    data = data_of(step(loss))
    loss.backward()
    final = {len(data["nodes"]) - 1: data["seed"]}
    for edge, _, part, after, _ in data["steps"]:
        final[data["edges"][edge][0]] = part if after is None else after
    for taken in steps(loss):
        assert any(
            same(told, taken.argument.grad)
            for told in final.values()
            if isinstance(told, list) == (taken.argument.ndim > 0)
        )
    assert len(final) == len({id(taken.argument) for taken in steps(loss)}) + 1


@pytest.mark.parametrize("make", [scalar_mlp, reused, dead, single])
def test_a_number_sends_its_slope_times_its_gradient(make):
    loss = make()
    for taken, (*_, told) in zip(steps(loss), data_of(step(loss))["steps"]):
        assert told == pytest.approx(float(taken.slope()), rel=1e-6)
        assert taken.slope() * taken.gradient == pytest.approx(taken.contribution, rel=1e-6)  # float32 rounds once more


def test_the_slope_at_no_gradient_is_still_the_slope():
    x = Tensor(2.0, True)
    (_, _, *last) = list(steps(x * x * 0.0))
    assert [taken.contribution for taken in last] == [0.0]
    assert [taken.slope() for taken in steps(x * x * 0.0)] == [0.0, 2.0, 2.0]


def test_a_page_may_start_with_another_gradient():
    x = Tensor([1.0, 2.0], True, name="x")
    data = data_of(step(x * 3.0, gradient=[1.0, -1.0]))
    assert data["seed"][3] == [[1.0, -1.0]]
    assert data["steps"][0][2][3] == [[3.0, -3.0]]
    with pytest.raises(ValueError, match="starts from a scalar"):
        step(x * 3.0)


# ---- rules --------------------------------------------------------------------------------------------------------

OPS = list(dict.fromkeys(op for op in table.values() if isinstance(op, Op)))
RULES = [
    pytest.param(rule, id=op.name)
    for op in OPS
    for rule in (*op.rules, op.each)
    if rule is not None and rule.__name__ == "<lambda>"
]


@pytest.mark.parametrize("rule", RULES)
def test_the_text_of_every_rule_is_found(rule):
    text, names = written(rule)
    assert "g" in names or text.startswith("np.zeros_like")
    assert ast.unparse(ast.parse(text, mode="eval"))


def test_of_several_rules_on_one_line_each_has_its_own_text():
    text = {name: [written(rule)[0] for rule in table[getattr(np, name)].rules] for name in ("multiply", "hypot")}
    assert text["multiply"] == ["g * b", "g * a"]
    assert text["hypot"] == ["g * a / y", "g * b / y"]


def test_names_in_a_rule_are_told():
    a, b = Tensor(2.0, True, name="a"), Tensor(3.0, True, name="b")
    assert data_of(step(np.tanh(a * b)))["rules"] == [
        ["g * (1 - y * y)", {"g": "g", "y": "y"}, True],
        ["g * b", {"g": "g", "b": 1}, True],
        ["g * a", {"g": "g", "a": 0}, True],
    ]


def test_a_rule_without_a_file_is_a_name():
    scope = {}
    exec("rule = lambda g, y, x: g", scope)
    assert written(scope["rule"]) is None
    assert written(np.sin) is None


# ---- the page -----------------------------------------------------------------------------------------------------


@pytest.fixture
def without_graphviz(monkeypatch):
    monkeypatch.setattr(layout, "engines", lambda: iter(()))


def shown(page):
    """The gradients in the page's own text, as they are before any script runs, by node."""
    body = page.html.partition("<main")[2].partition("</main>")[0]
    found = re.findall(r'id="n(\d+)" class="node.*?class="g">∂ (.*?)<', body)
    return {int(i): html.unescape(text) for i, text in found}


def final(page):
    """The final gradients in the data, by node, as text."""
    data = data_of(page)
    found = {len(data["nodes"]) - 1: data["seed"]}
    for edge, _, part, after, _ in data["steps"]:
        found[data["edges"][edge][0]] = part if after is None else after
    return {i: x[0] if isinstance(x, list) else said(float(x)) for i, x in found.items()}


@pytest.mark.usefixtures("graphviz")
@pytest.mark.parametrize("make", LOSSES)
def test_without_javascript_the_picture_shows_the_final_gradients(make):
    page = step(make())
    assert shown(page) == final(page)


@pytest.mark.parametrize("make", LOSSES)
def test_without_graphviz_the_same_frames_play_over_a_list(make, without_graphviz):
    page = step(make())
    assert "<svg viewBox" not in page.html
    assert "There is no Graphviz here" in page.html
    assert shown(page) == final(page)


@pytest.mark.usefixtures("graphviz")
def test_the_data_do_not_depend_on_graphviz(monkeypatch):
    data = data_of(step(shared()))
    monkeypatch.setattr(layout, "engines", lambda: iter(()))
    assert data_of(step(shared())) == data


@pytest.mark.usefixtures("graphviz")
def test_every_edge_and_every_node_is_drawn():
    page = step(scalar_mlp())
    ids = [attributes["id"] for _, attributes in Parsed(page.html).tags if "id" in attributes]
    data = data_of(page)
    assert len(ids) == len(set(ids))
    assert [i for i in ids if re.fullmatch(r"e\d+", i)] == [f"e{i}" for i in range(len(data["edges"]))]
    numbers = {i for i, node in enumerate(data["nodes"]) if node[2] is None}
    assert {int(i[1:]) for i in ids if re.fullmatch(r"n\d+", i)} == set(range(len(data["nodes"]))) - numbers


def squared(name):
    x = Tensor(2.0, True, name=name)
    return x * x


ODD_NAMES = [
    '<b>&"x"</b>',
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "{{data}}",
    "a],[b",
    "é∂😀",
    "x" * 200,
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_are_text_wherever_they_stand(name):
    page = step(squared(name))
    assert [tag for tag, _ in Parsed(page.html).tags] == [tag for tag, _ in Parsed(step(squared("x")).html).tags]
    told, _, _, _, *whole = data_of(page)["nodes"][0]
    assert len(told) <= 28
    assert (whole or [told]) == [name]


def test_characters_that_are_none_are_replaced():
    assert data_of(step(squared("\ud800\x00")))["nodes"][0][0] == "\ufffd\ufffd"


def test_nothing_is_loaded_from_outside():
    page = step(shared())
    parsed = Parsed(page.html)
    assert not [
        tag
        for tag, attributes in parsed.tags
        if tag in ("link", "img", "iframe") or attributes.keys() & {"src", "href"}
    ]
    assert set(re.findall(r"https?://[^\"' ]*", page.html)) <= {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in page.html


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nan_and_infinity_are_played_too():
    x = Tensor(-1.0, True, name="x")
    v = Tensor([np.nan, np.inf, 1.0], True, name="v")
    data = data_of(step(np.log(x) * x + x * 1e300 * 1e300 + np.sum(v * v)))
    assert "NaN" in [part for _, _, part, *_ in data["steps"]]
    assert data["nodes"][[node[0] for node in data["nodes"]].index("v")][2] == [
        "all 1.000, 1 nan, 1 inf",
        0.0,
        1.0,
        [["NaN", "Infinity", 1.0]],
    ]


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_every_operation_of_the_table_is_played(op, without_graphviz):
    sample = op.samples[0]
    arrays = sample.draw(np.random.default_rng(0), op.on)
    inputs = [[Tensor(x, True) for x in xs] if op.each else tracked(xs) for xs in arrays]
    y = sample.of(op)(*inputs)
    assert len(data_of(step(np.sum(y * y)))["steps"]) >= 3


def tracked(x):
    """An array of floats as a Tensor; anything else as it is."""
    return Tensor(x, True) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x


def test_a_parameter_without_gradient_disturbs_nothing(network, without_graphviz):
    p = network(np.ones((4, 2)))
    loss = np.sum(p * p)
    loss.backward()
    last = vars(network)["2"]
    network.spare = type(last)(2, 2)
    page = step(loss)
    names = [node[0] for node in data_of(page)["nodes"]]
    assert {"spare.weight", "0.weight", "2.bias"} <= set(names)
    assert shown(page)[names.index("spare.weight")] == "none arrived"
    assert shown(page)[names.index("2.bias")] == said(last.bias.grad)


def test_only_a_tensor_can_be_played(network):
    with pytest.raises(TypeError, match="such as a loss, but this is Sequential"):
        step(network)


def test_unnamed_nodes_get_names_and_double_ones_a_number():
    a, b = Tensor(2.0, True, name="h"), Tensor(3.0, True, name="h")
    names = [node[0] for node in data_of(step(a * b + 1.0))["nodes"]]
    assert names == ["h", "h (2)", "v3", "1.000", "L"]


def hooked():
    w = Tensor(2.0, True, name="w")
    h = w * 3.0
    h.register_hook(lambda g: g * 10)
    return h * h


def test_the_page_says_which_hooks_it_does_not_call(without_graphviz):
    y = hooked()
    assert "Not called here: the hooks of v3. These gradients are without them." in step(y).html
    y.inputs[0].name = "x" * 300
    assert len(Play(y).graph.notes[0]) < 150
    y.inputs[0].hooks.clear()
    assert "hooks of" not in step(y).html


def test_names_come_from_the_callers_names_too():
    a = Tensor(2.0, True)
    assert data_of(step(a * a, names={"a": a}))["nodes"][0][0] == "a"


# ---- size ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("graphviz")
def test_forty_nodes_take_at_most_60_kB():
    page = step(scalar_mlp((2, 3, 1)))
    assert len(data_of(page)["nodes"]) >= 40
    assert len(page.html.encode()) <= 60_000


@pytest.mark.usefixtures("graphviz")
def test_forty_arrays_take_at_most_60_kB():
    rng = np.random.default_rng(0)
    h = rng.normal(size=(4, 4))
    for i in range(8):
        h = np.tanh(
            h @ Tensor(rng.normal(size=(4, 4)), True, name=f"W{i}") + Tensor(rng.normal(size=4), True, name=f"b{i}")
        )
    page = step(np.sum(h * h))
    assert 40 <= len(data_of(page)["nodes"]) <= 45
    assert len(page.html.encode()) <= 60_000


@pytest.mark.usefixtures("graphviz")
def test_two_thousand_nodes_take_at_most_1_MB():
    page = step(scalar_mlp((10, 20, 18, 4)), seconds=60)
    assert len(data_of(page)["nodes"]) >= 2000
    assert len(page.html.encode()) <= 1_000_000


def test_matrices_are_shown_where_all_of_them_find_room():
    assert affordable([np.ones((8, 8))], nodes=2) == 8
    assert affordable([np.ones((8, 8))] * 400, nodes=100) == 6
    assert affordable([np.ones((3, 3))] * 4000, nodes=1000) == 2
    assert affordable([np.ones(9)], nodes=2) == 8


def test_a_graph_too_large_for_a_page_says_what_to_do():
    x = Tensor(1.0, True)
    for _ in range(20_000):
        x = x + 1.0
    with pytest.raises(ValueError, match=r"20,001 nodes.*viz\.tree\(loss\), or pass limit=None"):
        step(x)


# ---- saving and showing -------------------------------------------------------------------------------------------


def test_the_same_graph_gives_the_same_bytes(asked_once):
    before = step(shared()).html
    asked_once.clear()
    assert step(shared()).html == before


def test_it_is_saved_as_html_alone(tmp_path):
    page = step(reused())
    assert page.save(tmp_path / "steps.html").read_text(encoding="utf-8") == page.html
    with pytest.raises(ValueError, match=r"saved as \.html"):
        page.save(tmp_path / "steps.png")


def test_view_opens_a_page(monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    page = step(reused())
    page.view()
    file = Path(url2pathname(urlsplit(opened[0]).path))
    assert file.read_text(encoding="utf-8") == page.html
    file.unlink()


def test_a_notebook_gets_a_frame_of_its_own():
    page = step(reused())
    ((tag, attributes),) = Parsed(page._repr_html_()).tags
    assert tag == "iframe"
    assert attributes["srcdoc"] == page.html
    assert repr(page) == '<Backward pass of L: 4 steps; .save("steps.html"), .view()>'


# ---- colours ------------------------------------------------------------------------------------------------------


def luminance(colour):
    """The relative luminance of WCAG 2, of red, green and blue from 0 to 1."""
    c = np.asarray(colour)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("sign", ["positive", "negative"])
def test_numbers_can_be_read_on_the_strongest_ground(mode, sign):
    def rgb(name):
        return np.array([int(THEMES[mode][name][i : i + 2], 16) for i in (1, 3, 5)]) / 255

    share = float(re.search(r"--part\) \* (\d+)%", step(reused()).html)[1]) / 100
    light, dark = sorted(
        [luminance(rgb("text")), luminance(share * rgb(sign) + (1 - share) * rgb("page"))], reverse=True
    )
    assert (light + 0.05) / (dark + 0.05) >= 4.5
