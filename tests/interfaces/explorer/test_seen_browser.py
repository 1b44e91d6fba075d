"""What the page says of the motion that it shows, beside what Python says of the values."""

import pytest

from explorer_visitor import settled, visit, wait_until

pytestmark = pytest.mark.browser
AHEAD = """(time) => { const { stage } = document.querySelector(".page:not([hidden]) .stage");
  for (let k = 0; k < time / 0.04; k++) { stage.motion.advance(0.04); stage.laps.push(stage.motion); }
  stage.requestDraw();
}"""
EMPTY = "document.querySelector('.page:not([hidden]) .stage-seen').textContent === ''"
SEEN = "(words) => document.querySelector('.page:not([hidden]) .stage-seen').textContent.startsWith(words)"


def test_what_goes_on_is_said_of_the_motion_that_is_shown(browser, address):
    """Whoever comes from other values stays in the motion that they led to; the buttons lead to each of the two."""
    with visit(browser, address, "Two groups") as page:
        for name, words in (
            ("Partial", "On the sphere: A overtakes B every "),
            ("The start decides", "On the sphere: A overtakes B every "),
            ("Weak start", "On the sphere: neither overtakes the other; mean Ω = −0.32"),
            ("Strong start", "On the sphere: A overtakes B every 2.8"),
        ):
            page.get_by_role("button", name=name, exact=True).click()
            wait_until(page, EMPTY)  # not before it is clear
            page.evaluate(AHEAD, 200)
            wait_until(page, SEEN, words)
            line = page.locator(".page:not([hidden]) .stage-seen").evaluate("e => [e.scrollWidth, e.clientWidth]")
            assert line[0] <= line[1]
        settled(page)
        assert page.locator(".words").locator("visible=true").evaluate("e => e.scrollHeight <= e.clientHeight")


def test_in_the_story_blue_and_orange_are_told_of(browser, address):
    with visit(browser, address, query="&page=story&step=sandbox&detuning=1.8&theta=-0.38") as page:
        wait_until(page, "document.querySelector('.story-now .words').textContent.startsWith('The start decides: from a weak')")
        assert page.locator(".story-now .words").evaluate("e => e.scrollHeight <= e.clientHeight")
        for name, words in (
            ("Weak start", "On the ball: neither passes"),
            ("Strong start", "On the ball: blue passes orange every"),
        ):
            page.get_by_role("button", name=name, exact=True).click()
            page.evaluate(AHEAD, 120)
            wait_until(page, SEEN, words)


def test_one_ensemble_has_one_kind_of_start(browser, address):
    with visit(browser, address, "One ensemble") as page:
        assert page.get_by_role("button", name="New random start").is_visible()
        assert page.get_by_role("button", name="Strong start").count() == 0
