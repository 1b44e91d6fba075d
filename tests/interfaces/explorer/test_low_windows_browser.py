"""The explorer on low windows, a phone on its side or a small laptop: the whole sphere stays beside what one reads and sets."""

from pathlib import Path

import pytest

from explorer_visitor import TABS, WORDS, drag, served, settled, slider, visit
from story_visitor import KEYS

pytestmark = pytest.mark.browser

#: windows, and the least width of the sphere in them
LOW = {"667x375": 220, "844x390": 240, "915x412": 270, "1024x500": 350}
HERE = ".page:not([hidden])"


@pytest.fixture(scope="module")
def address():
    with served() as (where, _):
        yield where


def size(name):
    width, height = map(int, name.split("x"))
    return {"width": width, "height": height}


def low(browser, address, name, tab=None, **options):
    return visit(browser, address, tab, viewport=size(name), **options)


def resized(page):
    """The page in all low windows, one after another."""
    for name in LOW:
        page.set_viewport_size(size(name))
        page.wait_for_timeout(200)
        yield name


def scrolled(page, share):
    """Scroll to a share of the page."""
    page.evaluate("(s) => scrollTo(0, s * (document.documentElement.scrollHeight - innerHeight))", share)
    page.wait_for_timeout(100)


def whole(page, selector, window):
    """Whether all that is seen of a part lies within the window."""
    boxes = [e.bounding_box() for e in page.locator(f"{HERE} {selector}").locator("visible=true").all()]
    return bool(boxes) and all(
        box["x"] >= 0
        and box["y"] >= 0
        and box["x"] + box["width"] <= window["width"]
        and box["y"] + box["height"] <= window["height"]
        for box in boxes
    )


#: pairs of parts, one in the column of the stage and one beside it, that meet
MEETING = """() => {
  const seen = (name) => [...document.querySelectorAll(`.page:not([hidden]) ${name}`)].filter((e) => e.checkVisibility());
  const stage = seen(':is(.stage-sphere, .stage-hands, .stage-curve, .stage-reading, .stage-bar button, .stage-row)');
  const other = seen(':is(.intro, .presets, .row, .said, .words, .status, .plot, .stage-legend, .stage-seen, .stage-help, ' +
    '.more, .story-nav, .story-title, .story-text, .story-trial, .story-what, .story-goals, .story-turn)');
  const box = (e) => e.getBoundingClientRect();
  const meet = (a, b) => a.right > b.left + 1 && b.right > a.left + 1 && a.bottom > b.top + 1 && b.bottom > a.top + 1;
  const pairs = stage.flatMap((a, i) => [...stage.slice(i + 1), ...other].map((b) => [a, b]));
  return pairs.filter(([a, b]) => meet(box(a), box(b))).map((pair) => pair.map((e) => e.className || e.outerHTML));
}"""


def is_usable(page, name, parts):
    """The sphere is large and whole, at the top and after scrolling; nothing scrolls sideways; nothing lies over another."""
    window = size(name)
    assert page.locator(f"{HERE} .stage-sphere").bounding_box()["width"] >= LOW[name]
    for share in (0, 0.5, 1):
        scrolled(page, share)
        assert page.evaluate("document.documentElement.scrollWidth") <= window["width"]
        for part in parts:
            assert whole(page, part, window), (part, share)
        assert page.evaluate(MEETING) == [], share


def keeps_the_sphere_beside_each_slider(page, name):
    for control in page.locator(f"{HERE} .row input[type=range]").all():
        control.evaluate("e => e.scrollIntoView({block: 'center'})")
        page.wait_for_timeout(50)
        assert control.bounding_box()["width"] >= 200
        assert whole(page, ".stage-sphere", size(name))


@pytest.mark.parametrize("tab", TABS[:2])
def test_a_low_window_keeps_the_whole_stage_beside_the_sliders(browser, address, tab):
    with visit(browser, address, tab) as page:
        settled(page)
        for name in resized(page):
            is_usable(page, name, (".stage-sphere", ".stage-bar button", ".stage-reading", ".stage-curve"))
            keeps_the_sphere_beside_each_slider(page, name)


def test_a_low_window_shows_the_first_slider_at_once(browser, address):
    with visit(browser, address, "Two groups") as page:
        for name in resized(page):
            first, window = page.locator(f"{HERE} .row").first.bounding_box(), size(name)
            assert first["y"] + first["height"] <= window["height"]
            assert page.locator(".top").bounding_box()["height"] <= 40
            assert page.locator(f"{HERE} .presets").bounding_box()["height"] <= 60  # one row, which scrolls


def hides_nothing(page, selector, parts):
    """Whether a part lies beside or above others."""
    box = page.locator(selector).bounding_box()
    others = [page.locator(part).bounding_box() for part in parts]
    return all(box["y"] + box["height"] <= b["y"] or box["x"] + box["width"] <= b["x"] for b in others)


@pytest.mark.parametrize("key", KEYS)
def test_a_low_window_keeps_the_whole_stage_beside_the_story(browser, address, key):
    with visit(browser, address, query=f"&page=story&step={key}") as page:
        page.wait_for_timeout(300)
        for name in resized(page):
            is_usable(page, name, (".stage-sphere", ".stage-play", ".stage-curve"))
            scrolled(page, 0)
            assert whole(page, ".story-title", size(name))
            assert hides_nothing(page, ".story-still", (".stage-reading", ".stage-play", ".story-text"))
            if key != "sandbox":  # its buttons leave no room
                assert page.locator(".stage-hands").bounding_box()["height"] >= 130
                assert hides_nothing(page, ".stage-hands", (".stage-play",))


@pytest.mark.parametrize("tab", TABS[:3])
def test_no_word_is_cut_in_a_low_window(browser, address, tab):
    with low(browser, address, "667x375", tab) as page:
        settled(page)
        cut = "all => all.filter((e) => e.scrollHeight > e.clientHeight + 1).map((e) => e.className)"
        for part in (WORDS, ".stage-legend", ".stage-seen", ".said", ".plot-legend"):
            assert page.locator(f"{HERE} {part}").evaluate_all(cut) == [], part


@pytest.mark.parametrize(("tab", "name"), [("One ensemble", "theta"), ("Two groups", "r")])
def test_nothing_moves_while_a_slider_is_dragged_in_a_low_window(browser, address, tab, name):
    parts = ".stage-sphere, .row, .words, .plot, .stage-below"
    tops = f"() => [...document.querySelectorAll('{HERE} :is({parts})')].map((e) => e.getBoundingClientRect().top)"
    with low(browser, address, "844x390", tab) as page:
        settled(page)
        slider(page, name).evaluate("e => e.scrollIntoView({block: 'center'})")
        page.wait_for_timeout(100)
        before = page.evaluate(tops)
        drag(page, name, 20, pause=30)
        assert page.evaluate(tops) == before
        settled(page)
        assert page.evaluate(tops) == before


@pytest.mark.parametrize("tab", TABS)
def test_no_rule_of_accessibility_is_broken_in_a_low_window(browser, address, tab):
    axe = pytest.importorskip("axe_playwright_python", reason="pip install axe-playwright-python")
    with low(browser, address, "844x390", tab) as page:
        page.wait_for_timeout(1000)
        page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
        found = page.evaluate("axe.run()")
        assert [(v["id"], v["help"], [n["html"] for n in v["nodes"]][:4]) for v in found["violations"]] == []


def test_a_window_that_becomes_low_shows_what_a_low_one_shows(browser, address):
    parts = [".stage-sphere", ".stage-legend", ".row", ".words"]
    boxes = f"{parts}.map((part) => document.querySelector(part).getBoundingClientRect().y)"
    with low(browser, address, "844x390", "One ensemble") as fresh, visit(browser, address, "One ensemble") as page:
        page.set_viewport_size(size("844x390"))
        for one in (fresh, page):
            settled(one)
        assert page.evaluate(boxes) == pytest.approx(fresh.evaluate(boxes), abs=1)
