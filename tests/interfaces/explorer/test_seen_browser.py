"""What the page says of the motion that it shows, beside what Python says of the values."""

import re

import numpy as np
import pytest

from explorer_views import preset
from explorer_visitor import settled, visit, wait_until
from spinsync.interfaces.explorer import two_groups

pytestmark = pytest.mark.browser
AHEAD = """(time) => { const { stage } = document.querySelector(".page:not([hidden]) .stage");
  for (let k = 0; k < time / 0.04; k++) { stage.motion.advance(0.04); stage.laps.push(stage.motion); }
  stage.requestDraw();
}"""
SOON = """(most) => {
  const { motion, laps } = document.querySelector(".page:not([hidden]) .stage").stage, from = laps.samples.at(-1).time;
  for (let k = 0; k < most / 0.04 && laps.seen().every === undefined; k++) { motion.advance(0.04); laps.push(motion); }
  return motion.time - from;
}"""
UNCLEAR = """() => /^(Paused while measuring|Measuring, \\d+\\u00a0s more)[.] So far /.test(
  document.querySelector(".page:not([hidden]) .stage-seen").textContent)"""
SEEN = "(words) => document.querySelector('.page:not([hidden]) .stage-seen').textContent.startsWith(words)"


def test_what_goes_on_is_said_of_the_motion_that_is_shown(browser, address):
    """Whoever comes from other values stays in the motion that they led to; the buttons lead to each of the two."""
    with visit(browser, address, "Two groups") as page:
        for name, words in (
            ("Partial", "Seen: A overtakes B every "),
            ("The start decides", "Seen: A overtakes B every "),
            ("Weak start", "Seen: neither gains a turn; mean Ω = −0.32"),
            ("Strong start", "Seen: A overtakes B every 2.8"),
        ):
            page.get_by_role("button", name=name, exact=True).click()
            wait_until(page, UNCLEAR)
            page.evaluate(AHEAD, 200)
            wait_until(page, SEEN, words)
            line = page.locator(".page:not([hidden]) .stage-seen").evaluate("e => [e.scrollWidth, e.clientWidth]")
            assert line[0] <= line[1]
        settled(page)
        assert page.locator(".words").locator("visible=true").evaluate("e => e.scrollHeight <= e.clientHeight")


@pytest.mark.parametrize(("start", "which", "soon"), [("Weak start", 0, 17), ("Strong start", 1, 13)])
def test_the_line_measures_first_and_then_says_what_python_says(browser, address, start, which, soon):
    """Of the two motions of the preset, the one that its start leads to."""
    a, b = map(float, two_groups.regimes(preset("two", "The start decides"))[which].frequency)
    with visit(browser, address, "Two groups", reduced_motion="no-preference") as page:
        page.get_by_role("button", name="The start decides", exact=True).click()
        page.get_by_role("button", name=start, exact=True).click()
        line = page.locator(".page:not([hidden]) .stage-seen")
        wait_until(page, SEEN, "Measuring, ")
        assert re.fullmatch(r"Measuring, 1\d\ss more[.] So far neither gained a turn", line.text_content()), line.text_content()
        assert line.evaluate("e => e.scrollWidth <= e.clientWidth")
        assert page.evaluate(SOON, 40) < soon
        wait_until(page, SEEN, "So far: A overtakes B every " if which else "So far: neither gains a turn")
        page.evaluate(AHEAD, 200)
        wait_until(page, SEEN, "Seen: A overtakes B every " if which else "Seen: neither gains a turn; mean")
        said = [
            float(number.replace("\N{MINUS SIGN}", "-"))
            for number in re.findall(r"\N{MINUS SIGN}?\d+[.]\d+", line.text_content())
        ]
        expected = [2 * np.pi / (a - b), a, b] if which else [a]
        np.testing.assert_allclose(said, expected, atol=0.02)


def test_without_a_common_phase_nobody_is_said_to_be_ahead(browser, address):
    with visit(browser, address, "Two groups") as page:
        page.get_by_role("button", name="No rhythm", exact=True).click()
        page.evaluate(AHEAD, 60)
        wait_until(page, SEEN, "Seen: not both groups have a common phase")


def test_in_the_story_blue_and_orange_are_told_of(browser, address):
    with visit(browser, address, query="&page=story&step=sandbox&detuning=1.8&theta=-0.38") as page:
        wait_until(page, "document.querySelector('.story-now .words').textContent.startsWith('The start decides: from a weak')")
        assert page.locator(".story-now .words").evaluate("e => e.scrollHeight <= e.clientHeight")
        for name, words in (
            ("Weak start", "Seen: neither gains a turn"),
            ("Strong start", "Seen: blue passes orange every"),
        ):
            page.get_by_role("button", name=name, exact=True).click()
            page.evaluate(AHEAD, 120)
            wait_until(page, SEEN, words)


def test_one_ensemble_has_one_kind_of_start(browser, address):
    with visit(browser, address, "One ensemble") as page:
        assert page.get_by_role("button", name="New random start").is_visible()
        assert page.get_by_role("button", name="Strong start").count() == 0
