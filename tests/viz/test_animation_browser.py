"""The picture in a real browser, as a README shows it: frame by frame, and still where no motion is wanted."""

import pytest

from autograd import Tensor
from viz.animation import animate, frames

STILL = "--force-prefers-reduced-motion"  # the system's setting, which reaches images too
pytestmark = pytest.mark.usefixtures("graphviz")


@pytest.fixture
def saved(tmp_path):
    """The picture of a a + a as a file, a page that holds it as an image, and its frames."""
    a = Tensor(3.0, True, name="a")
    animation = animate(a * a + a)
    svg, page = animation.save(tmp_path / "a.svg"), tmp_path / "a.html"
    page.write_text('<img src="a.svg" width="800">', encoding="utf-8")
    return svg.as_uri(), page.as_uri(), frames(animation.play)


@pytest.fixture
def visit(chromium):
    """Opens an address in a browser with these flags besides."""
    pages = []

    def visit(address, *flags):
        pages.append(chromium(*flags).new_page())
        pages[-1].goto(address)
        return pages[-1]

    yield visit
    for page in pages:
        page.close()


SEEN = """seconds => {
  for (const animation of document.getAnimations()) { animation.pause(); animation.currentTime = 1000 * seconds; }
  const strength = e => e && e.getAttribute ? getComputedStyle(e).opacity * strength(e.parentNode) : 1;
  return [...document.querySelectorAll(WHAT)].filter(e => strength(e) > 0.99).map(e => e.textContent);
}"""


def seen(page, what, seconds):
    """The texts that match a selector and are seen after so many seconds."""
    return page.evaluate(SEEN.replace("WHAT", repr(what)), seconds)


def test_each_frame_has_its_own_words(saved, visit):
    svg, _, film = saved
    page = visit(svg)
    for f in film:
        assert seen(page, ".caption", (f.start + f.end) / 2) == [f.said + f.because]


def test_a_gradient_grows_with_each_contribution(saved, visit):
    svg, _, film = saved
    page = visit(svg)
    shown = [seen(page, "[id$=-n0] text", f.end - 0.3) for f in film if f.edge and f.receiver == "n0"]
    assert shown == [["a", "=", "3.00", "∂", total] for total in ("+1.00", "+4.00", "+7.00")]


def test_an_image_moves_but_not_for_readers_who_asked_for_less_motion(saved, visit):
    _, address, film = saved
    pages = [visit(address), visit(address, STILL)]
    early = [page.screenshot() for page in pages]
    pages[-1].wait_for_timeout(1000 * film[1].end)
    assert [page.screenshot() != first for page, first in zip(pages, early)] == [True, False]
