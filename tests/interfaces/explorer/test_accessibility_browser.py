"""No rule of axe-core is broken on any page, light or dark, on a desktop or a phone."""

from pathlib import Path

import pytest

from browser import chromium
from explorer_visitor import DESKTOP, PHONE, TABS, served, settled, visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def visited():
    with chromium() as browser, served() as (address, _):
        yield browser, address


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light"), (PHONE, "dark")])
def test_no_rule_of_accessibility_is_broken(visited, tab, viewport, scheme):
    axe = pytest.importorskip("axe_playwright_python", reason="pip install axe-playwright-python")
    browser, address = visited
    with visit(browser, address, tab, viewport=viewport, color_scheme=scheme) as page:
        page.wait_for_timeout(1500)
        page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
        found = page.evaluate("axe.run()")
        assert [(v["id"], v["help"], [n["html"] for n in v["nodes"]][:4]) for v in found["violations"]] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_that_wait_for_others_can_be_read(visited, scheme):
    axe = pytest.importorskip("axe_playwright_python", reason="pip install axe-playwright-python")
    browser, address = visited
    with visit(browser, address, "One ensemble", color_scheme=scheme) as page:
        settled(page)
        page.locator(".page:not([hidden]) .words").evaluate("e => e.classList.add('old')")
        page.wait_for_timeout(700)  # it fades
        assert page.locator(".page:not([hidden]) .words").evaluate("e => getComputedStyle(e).opacity") < "1"
        page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
        found = page.evaluate("axe.run({ runOnly: ['color-contrast'] })")
        assert [v["id"] for v in found["violations"]] == []
