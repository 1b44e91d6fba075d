"""The story in a real browser: each step is tried as a newcomer would, by mouse and by keyboard."""

from pathlib import Path

import pytest

from explorer_visitor import DESKTOP, PHONE, served, visit, wait_until
from spinsync.interfaces.explorer import story
from story_visitor import KEYS, OPEN, fits, step

pytestmark = pytest.mark.browser
ORDER = "document.querySelector('.stage').stage.motion.order"


@pytest.fixture(scope="module")
def address():
    with served("--story") as (where, _):
        yield where


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def now(page, words):
    """Wait for the sentence on the present."""
    wait_until(page, "words => document.querySelector('.story-now .words').textContent.includes(words)", words)


def unfolded(page, words):
    """Wait until the answer has unfolded by itself."""
    wait_until(page, OPEN, seconds=20)
    wait_until(page, "words => document.querySelector('.story-answer').textContent.includes(words)", words)
    assert page.locator(".story-what summary").inner_text().startswith("What happened")


def test_next_and_back_lead_through_all_steps_and_the_address_follows(browser, address):
    with visit(browser, address) as page:
        for key, scene in zip(KEYS, story.SCENES, strict=True):
            assert page.get_by_role("heading", level=2).inner_text() == scene.title
            assert page.locator("[aria-current=step]").count() == 1
            assert page.locator(".stage").count() == 1
            if key != KEYS[0]:
                assert f"step={key}" in page.url
            if key != KEYS[-1]:
                page.get_by_role("button", name="Next").focus()
                page.keyboard.press("Enter")
                assert page.evaluate("document.activeElement.tagName") == "H2"  # the next words are read from here
        page.go_back()
        wait_until(page, "title => document.querySelector('h2').textContent === title", story.SCENES[-2].title)
        press(page, "Back")
        assert page.get_by_role("heading", level=2).inner_text() == story.SCENES[-3].title
        page.get_by_role("button", name="1 Alone").click()
        assert page.get_by_role("heading", level=2).inner_text() == story.SCENES[0].title


def test_clocks_that_were_lined_up_drift_apart(browser, address):
    with step(browser, address, "story-1") as page:
        wait_until(page, f"{ORDER} < 0.9")
        press(page, "Line up all hands")
        assert page.evaluate(ORDER) > 0.95
        assert not page.evaluate(OPEN)
        unfolded(page, "They drift apart")
        page.get_by_role("slider").press("Home")  # all equal, lined up when the key is let go
        wait_until(page, f"{ORDER} > 0.999")
        page.wait_for_timeout(1000)
        assert page.evaluate(ORDER) > 0.999
        press(page, "Kick")
        assert page.evaluate(ORDER) < 0.7


def test_the_answer_is_there_on_a_click_without_waiting(browser, address):
    with step(browser, address, "story-3") as page:
        press(page, "Kick")
        page.locator(".story-what summary").click()
        assert page.evaluate(OPEN)
        unfolded(page, "They shrink again")


def test_who_does_not_like_motion_sees_it_when_something_is_tried(browser, address):
    with step(browser, address, "story-3", reduced_motion="reduce") as page:
        assert not page.evaluate("document.querySelector('.stage').stage.playing")
        press(page, "New random start")
        wait_until(page, "document.querySelector('.stage').stage.motion.time > 0.5")


def test_a_stage_at_rest_says_how_it_moves(browser, address):
    with step(browser, address, "story-3", reduced_motion="reduce") as page:
        hint = page.get_by_text("Press Play, or try something, to see it move.")
        hint.wait_for()
        press(page, "Play")
        hint.wait_for(state="hidden")
        press(page, "Pause")
        assert hint.is_hidden()  # who paused knows how
    with step(browser, address, "story-3", reduced_motion="reduce") as page:
        press(page, "Kick")
        page.get_by_text("Press Play, or try").wait_for(state="hidden")
    with step(browser, address, "story-3") as page:
        assert page.get_by_text("Press Play, or try").is_hidden()


@pytest.mark.parametrize("key", KEYS[:-1])
def test_the_present_is_not_told_before_something_was_tried(browser, address, key):
    with step(browser, address, key) as page:
        words, place = page.locator(".story-now .words"), page.locator(".story-turn")
        page.wait_for_timeout(1500)
        before = place.bounding_box()
        assert words.inner_text() == ""
        page.locator(".story-trials button").first.click()
        wait_until(page, "document.querySelector('.story-now .words').textContent.length > 20")
        assert place.bounding_box() == before


def test_a_number_outside_the_range_is_said(browser, address):
    with step(browser, address, "story-3") as page:
        before = page.locator(".story-turn").bounding_box()
        page.get_by_role("spinbutton").fill("0")
        page.get_by_role("spinbutton").press("Enter")
        page.get_by_text("Gain over damping r: 0 is outside 0.083 to 12; 0.083 is used.").wait_for()
        assert page.locator(".story-turn").bounding_box() == before
        assert fits(page, ".story-slider .said")
        page.get_by_role("slider").press("ArrowRight")
        wait_until(page, "document.querySelector('.story-slider .said').textContent === ''")


def test_every_start_has_another_hand_without_gain_and_damping(browser, address):
    with step(browser, address, "story-2") as page:
        lengths = []
        for _ in range(4):
            press(page, "New random start")
            lengths.append(page.evaluate(ORDER))
            page.wait_for_timeout(300)
            assert abs(page.evaluate(ORDER) - lengths[-1]) < 1e-3
        assert max(lengths) - min(lengths) > 0.05
        unfolded(page, "Each start has its own length")


def test_a_rhythm_is_born_survives_a_kick_dies_and_is_born_again(browser, address):
    with step(browser, address, "story-4") as page:
        order = story_order()
        near = f"Math.abs({ORDER} - {order}) < 0.02"
        wait_until(page, near)
        press(page, "Kick")
        assert page.evaluate(ORDER) < 0.7 * order
        now(page, "A rhythm.")
        wait_until(page, near)
        press(page, "Weaken the coupling")
        now(page, "No rhythm.")
        wait_until(page, f"{ORDER} < 0.1")
        unfolded(page, "the rhythm dies")
        page.get_by_role("slider").press("End")
        now(page, "A rhythm.")
        wait_until(page, f"{ORDER} > 0.2")


def story_order():
    from spinsync.interfaces.explorer import story_views
    from spinsync.interfaces.explorer.controls import starts

    return story_views.words("story-4", starts(story.SCENES[3].controls))["stage"]["order"]


def test_roles_change_and_the_map_is_a_place_to_go(browser, address):
    with step(browser, address, "story-5") as page:
        canvas = "document.querySelector('.plot canvas')"
        wait_until(page, canvas)
        press(page, "Flip the twist")
        now(page, "no coupling is strong enough")
        unfolded(page, "You are in the dark")
        press(page, "Change roles")
        now(page, "A rhythm.")
        assert "r=0.125" in page.url
        assert "theta=0.25" in page.url
        box = page.locator("svg.clickable").bounding_box()
        page.locator("svg.clickable").click(position={"x": box["width"] - 40, "y": 30})
        now(page, "No rhythm.")
        unfolded(page, "The shore is the critical coupling")


def test_two_groups_agree_or_pass_or_swing(browser, address):
    with step(browser, address, "story-6") as page:
        for name, words in (("A little", "Full synchronization"), ("Much", "Partial"), ("In between", "Phase-trapped")):
            press(page, name)
            now(page, words)
        unfolded(page, "they nearly part")


def test_the_sandbox_says_which_goals_were_shown(browser, address):
    """Only the one that was asked for, though others may be met by the same values."""
    with step(browser, address, "sandbox") as page:
        now(page, "Full synchronization")
        states = page.locator(".story-goals .story-state")
        for count in range(len(story.SCENES[-1].challenges)):
            page.locator(".story-goals button").nth(count).click()
            wait_until(page, "n => document.querySelectorAll('.story-goals li')[n].matches('.shown.here')", count)
            seen = [state.get_attribute("aria-label") for state in states.all()]
            assert seen == ["shown"] * (count + 1) + ["not yet"] * (len(seen) - count - 1)
            press(page, "Reset")
            wait_until(page, "!document.querySelector('.story-goals li.here')")
        assert page.locator(".story-goals li.reached").count() == 0
        assert {state.inner_text() for state in states.all()} == {"◐"}


def test_a_goal_that_a_visitor_reaches_is_ticked(browser, address):
    with step(browser, address, "sandbox") as page:
        now(page, "Full synchronization")
        field = page.get_by_label("Difference of speeds Δ, as a number")
        far = "document.querySelectorAll('.story-goals li')[1]"
        page.locator(".story-goals button").nth(1).click()
        wait_until(page, f"{far}.matches('.shown')")
        now(page, "Blue passes orange")
        before = page.locator(".story-now .words").inner_text()
        field.fill("2.1")  # what was shown is not solved by a little more of it
        field.press("Enter")
        wait_until(page, "text => document.querySelector('.story-now .words').textContent !== text", before)
        page.wait_for_timeout(800)
        assert page.evaluate(f"!{far}.matches('.reached')")
        field.fill("0.5")
        field.press("Enter")
        now(page, "Full synchronization")
        field.fill("2.2")
        field.press("Enter")
        wait_until(page, f"{far}.matches('.reached.here')")
        assert page.locator(".story-goals .story-state").nth(1).inner_text() == "✓"
        assert page.locator(".story-goals .story-state").nth(1).get_attribute("aria-label") == "solved"


def test_a_dot_can_be_pulled(browser, address):
    with step(browser, address, "story-3") as page:
        wait_until(page, "document.querySelector('.stage').stage.motion.time > 6")  # all at rest on the axis
        sphere = page.locator(".stage-sphere").bounding_box()
        x, y = sphere["x"] + sphere["width"] / 2, sphere["y"] + sphere["height"] / 2
        found = None
        for up in range(0, int(sphere["height"] / 2), 4):
            page.mouse.move(x, y - up)
            if page.locator(".stage-sphere").get_attribute("data-over") == "spin":
                found = up
                break
        assert found is not None
        page.mouse.down()
        page.mouse.move(x + 60, y - found + 20, steps=4)
        assert page.evaluate("document.querySelector('.stage').stage.motion.held") >= 0
        page.mouse.up()
        unfolded(page, "They shrink again")


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
    corners += [starts(controls, V=v) for v in (0.88, 0.94)] if key in KEYS[3:5] else []  # next to the critical coupling
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
        wait_until(page, "document.querySelector('.stage > .stage-legend') && document.querySelector('.stage-bar .stage-help')")
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
