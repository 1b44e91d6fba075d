"""The story in a real browser: each step is tried as a newcomer would, by mouse and by keyboard."""

import pytest

from explorer_visitor import served, visit, wait_until
from spinsync.interfaces.explorer import story
from story_visitor import KEYS, OPEN, fits, press, step

pytestmark = pytest.mark.browser
ORDER = "document.querySelector('.stage').stage.motion.order"


@pytest.fixture(scope="module")
def address():
    with served("--story") as (where, _):
        yield where


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
        page.get_by_role("slider", name="Coupling V").press("End")
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
        unfolded(page, "The threshold is the critical coupling")


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
        assert page.locator(".story-key").inner_text().split("\n")[:3] == ["○ not yet", "◐ shown", "✓ solved by you"]
        for count in range(len(story.SCENES[-1].challenges)):
            page.locator(".story-goals button").nth(count).click()
            wait_until(page, "n => document.querySelectorAll('.story-goals li')[n].matches('.shown.here')", count)
            seen = [state.get_attribute("aria-label") for state in states.all()]
            assert seen == ["shown"] * (count + 1) + ["not yet"] * (len(seen) - count - 1)
            press(page, "Reset")
            wait_until(page, "!document.querySelector('.story-goals li.here')")
        assert page.locator(".story-goals li.reached").count() == 0
        assert {state.inner_text() for state in states.all()} == {"◐"}


def test_a_knob_of_the_sandbox_that_follows_another_shows_what_holds(browser, address):
    with step(browser, address, "sandbox") as page:
        across = page.get_by_label("Coupling between groups, as a number")
        assert across.input_value() == "5"
        page.get_by_label("Same coupling and twist between groups as within").uncheck()
        assert across.input_value() == "5"
        now(page, "Full synchronization")
        press(page, "Reset")
        page.locator(".story-goals button").last.click()
        wait_until(page, "document.querySelectorAll('.story-goals li')[5].matches('.shown.here')")
        assert across.input_value() == "2"


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
        assert page.locator(".story-goals .story-state").nth(1).get_attribute("aria-label") == "solved by you"


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
