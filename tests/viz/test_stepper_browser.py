"""The page in a real browser, from a file, with the network off: Debian's chromium, driven by playwright."""

import math
import re

import numpy as np
import pytest

from autograd import Tensor, steps
from viz import layout
from viz.stepper import step
from viz.text import number


def loss():
    """h h + a h + b with h = tanh(a b / 3) at a = 3 and b = -1.5: h is used three times, a and b twice."""
    a, b = Tensor(3.0, True, name="a"), Tensor(-1.5, True, name="b")
    h = np.tanh(a * b / 3.0)
    h.name = "h"
    return h * h + a * h + b


def arrays():
    x, w = Tensor([[1.0, -2.0, 3.0], [0.5, 0.0, -0.5]], True, name="x"), Tensor([[0.5], [1.0], [-1.0]], True, name="w")
    return np.sum(np.tanh(x @ w)) + np.sum(w * w)


@pytest.fixture(scope="module")
def window(chromium):
    """A window with these options, opened once, as that takes longer than most tests; and what has happened in it."""
    windows = {}

    def window(**options):
        key = repr(options)
        if key not in windows:
            page, failures, requests = chromium().new_context(**options).new_page(), [], []
            page.on("pageerror", lambda error: failures.append(error))
            page.on("console", lambda message: failures.append(message.text))
            page.on("request", lambda request: requests.append(request.url))
            windows[key] = page, failures, requests
        return windows[key]

    return window


@pytest.fixture
def visit(window, tmp_path):
    """Opens the page of a loss. In the end nothing has failed, and nothing else was loaded."""
    visited = []

    def visit(loss, fragment="", **options):
        options = {"viewport": {"width": 1280, "height": 720}, "offline": True, "reduced_motion": "reduce"} | options
        page, failures, requests = window(**options)
        address = step(loss).save(tmp_path / f"{len(visited)}.html").as_uri() + fragment
        failures.clear()
        requests.clear()
        page.goto(address)
        visited.append((address, failures, requests))
        return page

    yield visit
    for address, failures, requests in visited:
        assert failures == []
        assert [url.partition("#")[0] for url in requests] == [address.partition("#")[0]]


@pytest.fixture(params=["picture", "list"])
def play(request, visit, monkeypatch):
    """Opens a page with the picture and one with the list."""
    if request.param == "picture":
        request.getfixturevalue("graphviz")
    else:
        monkeypatch.setattr(layout, "engines", lambda: iter(()))
    return visit


def formula(page):
    return page.locator("#formula").text_content()


def position(page):
    return int(page.locator("#position").text_content().split(" / ")[0])


def gradients(page):
    """What every node shows as its gradient."""
    return page.locator(".node .g").all_text_contents()


# ---- what is shown ------------------------------------------------------------------------------------------------


def test_each_frame_says_what_the_engine_does(play):
    page, y = play(loss()), loss()
    assert formula(page) == f"L = {number(y.data)}"
    page.keyboard.press("ArrowRight")
    assert formula(page) == "∂L/∂L = 1.000"
    walk = list(steps(y))
    arrivals = [id(taken.argument) for taken in walk]
    for i, taken in enumerate(walk):
        page.keyboard.press("ArrowRight")
        count, of = arrivals[: i + 1].count(arrivals[i]), arrivals.count(arrivals[i])
        factors = f"{number(taken.slope())} × {number(taken.gradient)} = {number(taken.contribution)}"
        before = "0" if taken.before is None else number(taken.before)
        end = f" = {factors}   ({before} → {number(taken.after)})" + (f"   {count}/{of}" if of > 1 else "")
        assert formula(page).endswith(end)
        if taken.argument.name:
            assert formula(page).startswith(f"∂L/∂{taken.argument.name} += ∂")
        assert number(taken.after) in page.locator("#sentence").text_content()
        assert page.locator(".node.to .g").text_content() == f"∂ {number(taken.after)}"
    assert position(page) == len(walk) + 1
    assert page.locator("#next").is_disabled()


@pytest.mark.parametrize("make", [loss, arrays])
def test_the_last_frame_is_the_page_without_javascript(play, make):
    page = play(make(), "#step=999")
    still = play(make(), java_script_enabled=False)
    assert gradients(page) == gradients(still)
    assert still.locator("nav").is_hidden()
    assert "JavaScript" in formula(still)


def test_the_first_frame_has_no_gradients_and_the_second_one(visit):
    page = visit(loss())
    assert set(gradients(page)) == {"∂"}
    page.keyboard.press("ArrowRight")
    assert [g for g in gradients(page) if g != "∂"] == ["∂ 1.000"]


def test_numbers_are_written_as_everywhere_else(visit):
    numbers = [
        0.675,
        -3.91,
        1.2e-5,
        12345.0,
        12355.0,
        1.0625,
        1.0635,
        -2.5e-10,
        1e300,
        0.1,
        1e-3,
        9999.5,
        99999.0,
        0.0,
        5e-324,
    ]
    numbers += list(
        np.random.default_rng(0).normal(size=500) * 10.0 ** np.random.default_rng(1).integers(-9, 9, size=500)
    )
    told = visit(loss()).evaluate("numbers => numbers.map(number)", numbers)
    assert told == [number(x) for x in numbers]


def test_arrays_show_their_rule_their_shapes_and_their_numbers(visit):
    page = visit(arrays())
    y = arrays()
    (i,) = [i for i, taken in enumerate(steps(y)) if taken.node.op.name == "matmul" and taken.argument.name == "w"]
    page.evaluate("frame => go(frame)", i + 2)
    taken = list(steps(y))[i]
    assert formula(page).startswith("∂L/∂w (3, 1) += ")
    assert "∂L/∂" in page.locator("#rule").text_content()
    assert "x (2, 3)" in page.locator("#rule").text_content()
    tables = {
        t.locator("caption").text_content(): t.locator("td").all_text_contents() for t in page.locator("table").all()
    }
    assert tables["sent"] == [number(float(f"{x:.4g}")) for x in taken.contribution.ravel()]
    assert tables["gradient so far"] == [number(float(f"{x:.4g}")) for x in taken.after.ravel()]


def test_what_was_broadcast_is_summed(visit):
    x, b = Tensor(np.ones((3, 2)), True, name="x"), Tensor([1.0, 2.0], True, name="b")
    page = visit(np.sum(x + b), "#step=4")
    assert formula(page) == "∂L/∂b (2,) += g, summed to (2,)"
    page.keyboard.press("ArrowLeft")
    assert formula(page) == "∂L/∂x (3, 2) += g"


# ---- moving -------------------------------------------------------------------------------------------------------


def test_keys_move(play):
    page = play(loss())
    for key, expected in [
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", 15),
        ("ArrowRight", 15),
        ("Home", 0),
    ]:
        page.keyboard.press(key)
        last = int(page.locator("#position").text_content().split(" / ")[1])
        assert position(page) == min(expected, last) if key != "End" else position(page) == last


def test_buttons_and_slider_move(visit):
    page = visit(loss())
    page.click("#next")
    page.click("#next")
    page.click("#previous")
    assert position(page) == 1
    page.locator("#slider").fill("4")
    assert position(page) == 4
    assert page.locator("#slider").get_attribute("aria-valuetext") == formula(page)


def test_space_plays_and_stops(visit):
    page = visit(loss())
    page.clock.install()
    page.keyboard.press("Space")
    assert page.locator("#play").text_content() == "Pause"
    page.clock.run_for(3100)
    assert position(page) == 2
    page.keyboard.press("Space")
    page.clock.run_for(5000)
    assert position(page) == 2


def test_playing_ends_at_the_end(visit):
    page = visit(loss(), "#step=999")
    page.clock.install()
    end = position(page)
    page.click("#play")
    page.clock.run_for(1500 * (end + 2))
    assert position(page) == end
    assert page.locator("#play").text_content() == "Play"


def test_the_address_tells_and_takes_the_step(visit):
    page = visit(loss(), "#step=3")
    assert position(page) == 3
    page.keyboard.press("ArrowRight")
    assert page.url.endswith("#step=4")
    page.evaluate("location.hash = '#step=2'")
    page.wait_for_function("document.getElementById('position').textContent.startsWith('2 /')")


def test_a_click_shows_a_gradient_term_by_term(play):
    page, y = play(loss(), "#step=999"), loss()
    page.get_by_role("button", name=re.compile("^h = tanh")).click()
    terms = [taken for taken in steps(y) if taken.argument.name == "h"]
    told = page.locator("#sum li").all_text_contents()
    assert len(told) == len(terms) == 3
    for i, (text, taken) in enumerate(zip(told, terms), start=1):
        assert text.startswith(f"{i}/3  from ")
        assert text.endswith(f"{number(taken.slope())} × {number(taken.gradient)} = {number(taken.contribution)}")
    assert page.locator("#sum h2").text_content() == f"∂L/∂h = {number(terms[-1].after)}"
    page.locator("#sum li button").first.click()  # goes to the step that sent it
    assert " += ∂" in formula(page)
    assert "1/3" in formula(page)
    assert [text.partition(": ")[2][:5] for text in page.locator("#sum li").all_text_contents()][1:] == ["comes"] * 2


def test_nodes_can_be_chosen_by_keyboard_alone(visit):
    page = visit(loss(), "#step=999")
    page.keyboard.press("ArrowUp")
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("ArrowDown")
    other = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label != other
    page.keyboard.press("Enter")
    assert page.locator("#sum p").text_content().partition(",")[0] in other
    page.keyboard.press("Escape")
    assert page.locator(".chosen").count() == 0


def test_the_tab_key_reaches_everything_in_few_stops(visit):
    page, seen = visit(loss(), "#step=3"), set()
    for _ in range(12):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"previous", "next", "play", "slider", "predict"} <= seen
    assert sum(bool(re.fullmatch(r"n\d+", name)) for name in seen) == 1


def test_a_screen_reader_hears_every_node_and_every_step(play):
    page = play(loss(), "#step=999")
    for node in page.locator(".node").all():
        assert node.get_attribute("role") == "button"
        assert re.fullmatch(
            r".+, value \S+ \(\S+\); (gradient \S+(, \d of \d terms)?|no gradient required)",
            node.get_attribute("aria-label"),
        )
    assert page.locator("#sentence").get_attribute("aria-live") == "polite"
    assert page.locator("#sentence").text_content().endswith("complete.")


# ---- predicting ---------------------------------------------------------------------------------------------------


def frame_of(y, name, count):
    """The frame in which a tensor receives its contribution number `count`, and that contribution."""
    found = [(i + 2, taken) for i, taken in enumerate(steps(y)) if taken.argument.name == name]
    return found[count - 1]


def answer(page, x):
    page.locator("#answer").fill(f"{x:.4g}")
    page.keyboard.press("Enter")
    return page.locator("#verdict").text_content()


def test_predict_hides_the_next_number_until_it_is_typed(play):
    frame, taken = frame_of(loss(), "h", 2)
    page = play(loss(), f"#step={frame - 1}")
    page.keyboard.press("p")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    assert page.locator("#answer").is_visible()
    assert f" = ? × {number(taken.gradient)} = ?   ({number(taken.before)} → ?)" in formula(page)
    assert page.locator(".node.to .g").text_content() == "∂ ?"
    assert number(taken.after) not in page.locator("body").inner_text()
    assert answer(page, taken.after) == ""
    assert page.locator("#question").is_hidden()
    assert page.locator("#sentence").text_content().startswith("Right! ")
    assert page.locator(".node.to .g").text_content() == f"∂ {number(taken.after)}"
    page.keyboard.press("Enter")  # the button for the next step has the focus
    assert position(page) == frame + 1


def test_predict_says_what_was_wrong(visit):
    frame, taken = frame_of(loss(), "h", 3)
    page = visit(loss(), f"#step={frame}")
    page.click("#predict")
    before, sent, after, g = (float(x) for x in (taken.before, taken.contribution, taken.after, taken.gradient))
    assert len({round(abs(x), 3) for x in (before, sent, after, before - sent, before + g)}) == 5  # so that they differ
    assert answer(page, -after).startswith("The sign is wrong")
    assert answer(page, sent).startswith("A term is missing: this is what is sent now")
    assert answer(page, before).startswith("A term is missing: this is what had arrived before")
    assert answer(page, before - sent).startswith("The sign of what is sent now")
    assert answer(page, before + g).startswith("A factor is missing: ∂")
    assert answer(page, before + 3 * sent).startswith("A factor is wrong: you add 3.00")
    page.locator("#answer").fill("what?")
    page.keyboard.press("Enter")
    assert page.locator("#verdict").text_content() == "Type a number, such as -2.64."
    page.click("#show")
    assert formula(page).endswith(f"→ {number(after)})   3/3")


def test_predict_asks_for_one_entry_of_an_array(visit):
    y = arrays()
    frame, taken = frame_of(y, "w", 2)
    page = visit(arrays(), f"#step={frame}")
    page.click("#predict")
    i, j = np.unravel_index(np.argmax(np.abs(taken.contribution)), (3, 1))
    assert page.locator("#question label").text_content() == f"∂L/∂w[{i}, {j}] = "
    assert "sent" not in page.locator("caption").all_text_contents()
    assert answer(page, -taken.after[i, j]).startswith("The sign")
    assert answer(page, taken.after[i, j]) == ""
    assert "sent" in page.locator("caption").all_text_contents()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_not_finite_is_played_and_predicted(visit):
    x = Tensor(-1.0, True, name="x")
    page = visit(np.log(x) * x, "#step=2")
    page.keyboard.press("End")
    page.keyboard.press("p")
    assert answer(page, math.inf).startswith("This is not it")
    assert answer(page, math.nan) == ""
    assert " = " in formula(page)
    assert "nan" in formula(page)


# ---- looks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("theme", "brightest"), [("light", 255), ("dark", 60)])
def test_both_themes_are_followed(visit, theme, brightest):
    page = visit(loss(), color_scheme=theme)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    text = page.evaluate("getComputedStyle(document.querySelector('#sentence')).color")
    ground, text = (max(int(n) for n in re.findall(r"\d+", colour)) for colour in (ground, text))
    assert ground <= brightest
    assert (text < ground) == (theme == "light")


def test_nothing_moves_by_itself_where_motion_is_unwelcome(visit, graphviz):
    for motion, animation in [("reduce", "none"), ("no-preference", "flow")]:
        page = visit(loss(), "#step=3", reduced_motion=motion)
        assert page.evaluate("getComputedStyle(document.querySelector('path.now')).animationName") == animation


@pytest.mark.parametrize("make", [loss, arrays])
def test_a_projector_shows_it_all_in_letters_that_can_be_read(visit, make):
    page = visit(make())
    size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size == [1280, 720]
    for end in ("Home", "End"):
        page.keyboard.press(end)
        tall = page.evaluate(
            "[...document.querySelectorAll('.node .g, #formula, #sentence, #rule, #sum *, nav *, #legend, #keys')]"
            ".filter(e => e.textContent.trim() && e.checkVisibility())"
            ".map(e => parseFloat(getComputedStyle(e).fontSize) * (e.ownerSVGElement?.getScreenCTM().a ?? 1))"
        )
        assert min(tall) >= 14


def test_the_whole_graph_fits_when_asked(visit, graphviz):
    page = visit(arrays())
    page.keyboard.press("w")
    assert page.evaluate("picture.scrollWidth <= picture.clientWidth && picture.scrollHeight <= picture.clientHeight")


def test_in_a_notebook_the_keys_are_not_the_notebooks(chromium):
    context = chromium().new_context(offline=True)
    page = context.new_page()
    page.set_content(f"<body onkeydown='window.leaked = true'>{step(loss())._repr_html_()}</body>")
    frame = page.frame_locator("iframe")
    frame.locator("#next").click()
    page.keyboard.press("ArrowRight")
    assert frame.locator("#position").text_content().startswith("2 / ")
    assert page.evaluate("window.leaked") is None
    context.close()
