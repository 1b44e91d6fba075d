"""The story on screens and phones: all of a step is in sight and legible, and nothing jumps."""

from pathlib import Path

import pytest

from explorer_visitor import DESKTOP, PHONE, served, visit, wait_until
from spinsync.interfaces.explorer import story
from story_visitor import KEYS, OPEN, fits, step

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address():
    with served("--story") as (where, _):
        yield where


@pytest.mark.parametrize("key", KEYS)
def test_a_step_fits_on_one_screen_and_no_line_is_too_long(browser, address, key):
    with step(browser, address, key, reduced_motion="reduce") as page:
        page.wait_for_timeout(500)
        assert page.evaluate("document.documentElement.scrollWidth") == DESKTOP["width"]
        for part in (".stage-sphere", ".stage-hands", ".story-text", ".story-turn", ".story-now"):
            box = page.locator(part).bounding_box()
            assert box["y"] >= 0, part
            assert box["y"] + box["height"] <= DESKTOP["height"], part
        assert page.locator(".stage-sphere").bounding_box()["width"] >= 290
        longest = page.evaluate("""() => Math.max(...['.story-text', '.story-now .words'].map((name) => {
            const element = document.querySelector(name), size = parseFloat(getComputedStyle(element).fontSize);
            return element.clientWidth / (0.5 * size); }))""")
        assert longest <= 80


@pytest.mark.parametrize("key", KEYS[:-1])
def test_nothing_jumps_when_an_answer_unfolds(browser, address, key):
    with step(browser, address, key, reduced_motion="reduce") as page:
        page.wait_for_timeout(500)
        before = page.locator(".story-turn").bounding_box()
        for each in page.locator(".story-trials button").all():
            each.click()
            page.wait_for_timeout(200)
            page.locator(".story-what summary").click()
            wait_until(page, OPEN)
            page.wait_for_timeout(100)
            assert page.locator(".story-turn").bounding_box() == before


def texts_of(key):
    """All answers and sentences of the present, at the start and at the ends of all sliders."""
    from spinsync.interfaces.explorer import story_views
    from spinsync.interfaces.explorer.controls import starts

    controls = next(scene.controls for scene in story.SCENES if scene.key == key)
    corners = [starts(controls), *(starts(controls, **{c.name: end}) for c in controls for end in (c.low, c.high))]
    corners += [starts(controls, detuning=d) for d in (story.FAR, story.TRAPPED)] if key in KEYS[5:] else []
    corners += [starts(controls, detuning=1.8, theta=-0.38)] if key in KEYS[5:] else []  # where the start decides
    corners += [starts(controls, V=v) for v in (0.88, 0.909, 0.94)] if key in KEYS[3:5] else []  # next to the critical coupling
    words = [story_views.words(key, values)["words"] for values in corners]
    return sorted({w["text"] for w in words}), sorted({text for w in words for text in w["answers"].values()})


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("key", KEYS)
def test_no_text_is_cut_and_none_lies_over_another(browser, address, key, viewport):
    with step(browser, address, key, viewport=viewport, reduced_motion="reduce") as page:
        page.wait_for_timeout(500)
        if key != "sandbox":
            page.locator(".story-trials button").first.click()
            page.locator(".story-what summary").click()
            wait_until(page, OPEN)
        page.wait_for_timeout(1000)
        bottom = page.locator(".story-turn").evaluate("e => e.offsetTop")
        for selector, texts in zip((".story-now .words", ".story-answer"), texts_of(key), strict=True):
            for text in texts:
                page.locator(selector).evaluate("(e, text) => (e.innerHTML = text)", text)
                assert fits(page, selector), text
                assert page.locator(".story-turn").evaluate("e => e.offsetTop") == bottom, text  # all has its place
                assert page.evaluate(OVERLAPS) == [], text


def test_a_window_that_is_enlarged_shows_what_a_large_one_shows(browser, address):
    sizes = (
        "['.stage-sphere', '.stage-hands', '.stage-curve'].map((s) => document.querySelector(s).getBoundingClientRect().bottom)"
    )
    large = {"width": 1920, "height": 1080}
    with visit(browser, address, viewport=large) as fresh, visit(browser, address) as page:
        for scene in story.SCENES:
            for one in (fresh, page):
                one.locator(".story-mark").nth(KEYS.index(scene.key)).click()
                one.wait_for_timeout(300)
            page.set_viewport_size(large)
            page.wait_for_timeout(600)
            assert page.evaluate(sizes) == pytest.approx(fresh.evaluate(sizes), abs=1), scene.key
            assert page.evaluate("document.documentElement.scrollHeight") <= large["height"]
            page.set_viewport_size(DESKTOP)
            page.wait_for_timeout(300)
            assert page.evaluate("document.documentElement.scrollHeight") <= DESKTOP["height"]


#: pairs of neighbours of which the first reaches into the second
OVERLAPS = """() => ['.story-right', '.story-last', '.story-turn'].flatMap((parent) => {
  const boxes = [...document.querySelector(parent).children].filter((e) => e.offsetHeight)
    .map((e) => [e.className, e.getBoundingClientRect()]).sort((a, b) => a[1].top - b[1].top);
  return boxes.slice(1).map(([name, box], i) => [boxes[i], [name, box]])
    .filter(([[, a], [, b]]) => a.bottom > b.top + 1 && a.right > b.left + 1).map(([[a], [b]]) => [a, b]);
})"""


@pytest.mark.parametrize("key", KEYS)
def test_a_phone_has_the_legend_the_help_and_the_map_where_they_are_needed(browser, address, key):
    with step(browser, address, key, viewport=PHONE, has_touch=True, reduced_motion="reduce") as page:
        legend, help_ = page.locator(".stage-below .stage-legend"), page.locator(".stage-below .stage-help")
        assert "average" in legend.inner_text()
        assert legend.bounding_box()["height"] == 42  # also before rings are known
        stuck, text = page.locator(".story-left").bounding_box(), page.locator(".story-text").bounding_box()
        assert stuck["y"] + stuck["height"] <= legend.bounding_box()["y"]
        assert help_.bounding_box()["y"] < text["y"]
        help_.locator("summary").click()
        assert "Each dot is one clock" in help_.inner_text()
        if key == "story-5":
            figure, trials = page.locator(".picture").bounding_box(), page.locator(".story-trials").bounding_box()
            assert page.locator(".story-text").bounding_box()["y"] < figure["y"] < trials["y"]
        for row in page.locator(".story-right .row input[type=range]").all():
            assert row.bounding_box()["width"] > 200
        page.set_viewport_size(DESKTOP)
        wait_until(page, "document.querySelector('.stage > .stage-legend') && document.querySelector('.stage > .stage-help')")
        assert page.locator(".stage-below").is_hidden()


@pytest.mark.parametrize("key", KEYS)
def test_the_sphere_stays_in_sight_on_a_phone(browser, address, key):
    with step(browser, address, key, viewport=PHONE, has_touch=True, reduced_motion="reduce") as page:
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        page.wait_for_timeout(200)
        box = page.locator(".stage-sphere").bounding_box()
        assert box["y"] >= 0
        assert page.locator(".story-left").bounding_box()["height"] <= 0.46 * PHONE["height"]
        for each in page.get_by_role("button").all():
            if each.is_visible():
                assert each.bounding_box()["height"] >= 39


#: the ends of the lines that clock hands have below them, in pixels of the page
LINES = """window.lines = [];
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (words, x, ...rest) {
  const wide = this.measureText(words).width;
  if (this.canvas.className === "stage-hands") lines.push([x - wide / 2, x + wide / 2, this.canvas.clientWidth]);
  return write.call(this, words, x, ...rest);
};"""


def test_on_a_phone_the_numbers_below_the_hands_of_two_groups_stand_apart(browser, address):
    with step(browser, address, "sandbox", viewport=PHONE, has_touch=True, reduced_motion="reduce", script=LINES) as page:
        wait_until(page, "lines.length > 1")
        (left, a, _), (b, right, wide) = page.evaluate("lines.slice(-2)")
        assert left >= 0
        assert a + 6 <= b
        assert right <= wide


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light"), (PHONE, "dark")])
def test_no_rule_of_accessibility_is_broken_in_any_step(browser, address, viewport, scheme):
    axe = pytest.importorskip("axe_playwright_python", reason="pip install axe-playwright-python")
    with visit(browser, address, viewport=viewport, color_scheme=scheme) as page:
        page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
        for mark in page.locator(".story-mark").all():
            mark.click()
            page.wait_for_timeout(700)
            found = page.evaluate("axe.run()")
            assert [(v["id"], v["help"], [n["html"] for n in v["nodes"]][:4]) for v in found["violations"]] == []
