"""A visitor of the steps of the story in a real browser."""

from explorer_visitor import visit
from spinsync.interfaces.explorer import story

KEYS = [scene.key for scene in story.SCENES]
OPEN = "document.querySelector('.story-what').open"


def step(browser, address, key, **options):
    """A visitor of a step, where everything moves."""
    return visit(browser, address, query=f"&step={key}", **{"reduced_motion": "no-preference", **options})


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def fits(page, selector):
    """Whether nothing of an element is cut off or must be scrolled to."""
    return page.locator(selector).evaluate("e => e.scrollHeight <= e.clientHeight && e.scrollWidth <= e.clientWidth")
