"""The story in a real browser: when an answer unfolds, with which values a step opens, and how the story hands over."""

import time

import pytest

from explorer_visitor import served, wait_until
from story_visitor import OPEN, press, step

pytestmark = pytest.mark.browser
WATCH = 12_000  # milliseconds, as page/story.js has it


@pytest.fixture(scope="module")
def address():
    with served("--story") as (where, _):
        yield where


def coupling(page):
    return page.get_by_label("Coupling V, as a number").input_value()


def settled_in_the_address(page, part):
    wait_until(page, "part => location.search.includes(part)", part)


# ---- the answer


def test_an_answer_unfolds_some_time_after_the_first_of_many_tries(browser, address):
    with step(browser, address, "story-3") as page:
        slider = page.get_by_role("slider")
        for _ in range(5):  # whoever goes on playing
            slider.press("ArrowRight")
            page.wait_for_timeout(WATCH / 6)
            assert not page.evaluate(OPEN)
        slider.press("ArrowRight")
        wait_until(page, OPEN, seconds=WATCH / 6000 + 1)
        assert "point of rest moves" in page.locator(".story-answer").inner_text()
        slider.press("ArrowRight")
        page.wait_for_timeout(300)
        assert page.evaluate(OPEN)


def test_another_trial_has_a_time_of_its_own(browser, address):
    with step(browser, address, "story-3") as page:
        press(page, "Kick")
        page.wait_for_timeout(WATCH / 2)
        press(page, "New random start")
        page.wait_for_timeout(0.7 * WATCH)
        assert not page.evaluate(OPEN)  # though it is longer since the kick
        wait_until(page, OPEN, seconds=0.3 * WATCH / 1000 + 1)
        assert "loses half" in page.locator(".story-answer").inner_text()


def test_answers_that_come_before_the_step_is_drawn_are_kept(browser, address):
    def late(route):
        time.sleep(3)
        route.continue_()

    with step(browser, address, "story-3") as page:
        page.route("**/assets/story.js", late)
        page.reload()
        press(page, "Kick")
        wait_until(page, OPEN, seconds=WATCH / 1000 + 5)
        assert "They shrink again" in page.locator(".story-answer").inner_text()


def test_an_answer_that_was_folded_by_hand_stays_so(browser, address):
    with step(browser, address, "story-3") as page:
        press(page, "Kick")
        for _ in range(2):
            page.locator(".story-what summary").click()
            page.wait_for_timeout(100)
        press(page, "Kick")
        page.wait_for_timeout(WATCH + 1000)
        assert not page.evaluate(OPEN)


# ---- the values


def test_a_step_that_one_goes_to_begins_with_its_values(browser, address):
    """Those that its text names, by Next, Back and the marks, also by that of the present step."""
    with step(browser, address, "story-4") as page:

        def weaken():
            press(page, "Weaken the coupling")
            settled_in_the_address(page, "V=0.5")
            assert coupling(page) == "0.5"

        for there, back in (("Next", "Back"), ("Back", "Next"), ("6 Two groups", "4 Both")):
            weaken()
            press(page, there)
            press(page, back)
            assert coupling(page) == "3"
            assert "V=" not in page.url
            page.wait_for_timeout(400)
        weaken()
        press(page, "4 Both")
        assert coupling(page) == "3"
        settled_in_the_address(page, "step=story-4")
        assert "V=" not in page.url
        assert page.locator(".tried").count() == 0
        press(page, "Kick")
        wait_until(page, "document.querySelector('.story-now .words').textContent.startsWith('A rhythm. In the end')")


def test_a_reload_and_the_browsers_way_back_keep_the_values(browser, address):
    with step(browser, address, "story-4") as page:
        press(page, "Weaken the coupling")
        settled_in_the_address(page, "V=0.5")
        page.reload()
        page.locator(".story-trials").wait_for()
        assert coupling(page) == "0.5"
        press(page, "Next")
        settled_in_the_address(page, "step=story-5")
        page.go_back()
        settled_in_the_address(page, "step=story-4")
        assert coupling(page) == "0.5"


def test_another_page_does_not_change_a_step(browser, address):
    with step(browser, address, "story-4") as page:
        press(page, "Weaken the coupling")
        page.get_by_role("tab", name="Two groups").click()
        page.get_by_role("tab", name="Story").click()
        assert coupling(page) == "0.5"


def test_a_goal_is_open_again_when_one_comes_back(browser, address):
    """The sandbox begins anew, and what was reached with the values before is not told of the present ones."""
    with step(browser, address, "sandbox") as page:
        field = page.get_by_label("Difference of speeds Δ, as a number")
        wait_until(page, "document.querySelector('.story-now .words').textContent.startsWith('Full synchronization')")
        field.fill("2.2")
        field.press("Enter")
        wait_until(page, "document.querySelectorAll('.story-goals li.reached').length === 1")
        press(page, "Back")
        press(page, "Sandbox")
        wait_until(page, "document.querySelector('.story-now .words').textContent.startsWith('Full synchronization')")
        assert page.locator(".story-goals li.reached").count() == 0


def test_a_number_out_of_range_is_said_once_below_the_last_slider(browser, address):
    with step(browser, address, "story-4") as page:
        page.get_by_label("Twist θ, in half turns, as a number").fill("2")
        page.get_by_label("Twist θ, in half turns, as a number").press("Enter")
        said = page.locator(".story-trials .said").locator("visible=true")
        wait_until(page, "document.querySelector('.story-trial:last-child .said').textContent.includes('outside')")
        assert said.all_inner_texts() == ["Twist θ, in half turns: 2 is outside −1 to 1; 1 is used."]


def test_a_button_whose_values_hold_already_shows_something(browser, address):
    """Step 6 begins with two groups that differ a little."""
    with step(browser, address, "story-6") as page:
        order = "document.querySelector('.stage').stage.motion.order"
        wait_until(page, f"{order} > 0.3")
        press(page, "A little")
        assert page.evaluate(order) < 0.2


# ---- the end


def test_the_last_step_leads_to_the_same_with_all_numbers(browser, address):
    """The crowd of step 4, with the same length of the common hand."""
    with step(browser, address, "story-4") as page:
        press(page, "Kick")
        wait_until(page, "document.querySelector('.story-now .words').textContent.startsWith('A rhythm. In the end')")
        length = page.locator(".story-now .words").inner_text().split("R\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")[1][:4]
        press(page, "Sandbox")
        press(page, "One ensemble")
        assert page.get_by_role("tab", selected=True).inner_text() == "One ensemble"
        assert page.evaluate("document.activeElement.textContent") == "One ensemble"
        words = "document.querySelector('#page-one .words').textContent"
        wait_until(page, f"{words}.startsWith('Synchronized.')")
        assert f"R\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{length}" in page.evaluate(words)
        for part in ("page=one", "theta=-0.25", "r=8", "spread=0"):
            assert part in page.url
        page.go_back()
        page.get_by_role("heading", name="Your turn").wait_for()


def test_what_a_page_reaches_as_it_opens_nobody_has_found(browser, address):
    solved = "document.querySelectorAll('.story-state[aria-label=\"solved by you\"]').length"
    with step(browser, address, "sandbox&theta=-0.75") as page:
        wait_until(page, "document.querySelector('.story-now .words').textContent.includes('synchronization')")
        assert page.evaluate(solved) == 0
        field = page.get_by_label("Twist θ, in half turns, as a number")
        for twist, count in (("1", 1), ("-0.75", 2)):  # at 1 the rhythm dies, which is a goal, too
            field.fill(twist)
            field.press("Enter")
            wait_until(page, f"{solved} === {count}")
