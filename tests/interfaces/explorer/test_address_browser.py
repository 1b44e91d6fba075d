"""The address of the explorer: it keeps the tab and all values; Back, Forward, reload and presets go by it."""

import pytest

from explorer_visitor import FIRST, TABS, drag, field, put, says, slider, visit

pytestmark = pytest.mark.browser


def test_tabs_by_keyboard_and_in_the_address(browser, address):
    with visit(browser, address) as page:
        page.get_by_role("tab", name="One ensemble").focus()
        seen = []
        for _ in TABS:
            page.keyboard.press("ArrowRight")
            seen.append(page.get_by_role("tab", selected=True).inner_text())
            says(page, FIRST[seen[-1]])
        assert seen == [*TABS[1:], TABS[0]]
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
        says(page, FIRST["N spins"])
        assert "page=few" in page.url
        page.reload()
        says(page, FIRST["N spins"])
        assert page.get_by_role("tab", selected=True).inner_text() == "N spins"


def test_the_address_holds_what_differs_and_reload_and_a_link_bring_it_back(browser, address):
    with visit(browser, address, "Two groups") as page:
        assert page.url.endswith("/?page=two")
        put(page, "detuning", 2.5)
        put(page, "r", 4)
        page.wait_for_url("**/?page=two&**r=4**")
        assert "detuning=2.5" in page.url
        assert "theta" not in page.url
        page.reload()
        assert field(page, "detuning").input_value() == "2.5"
        link = page.url + "&unknown=1&V=nonsense"
        other = page.context.new_page()
        other.goto(link)
        assert field(other, "r").input_value() == "4"
        says(other, "Partial synchronization.")


def test_back_and_forward_go_through_values_and_tabs(browser, address):
    with visit(browser, address) as page:
        put(page, "V", 0.8)
        page.wait_for_url("**V=0.8")
        page.wait_for_timeout(1100)  # what is changed within a second is one entry
        put(page, "V", 1)
        page.wait_for_url("**V=1")
        page.get_by_role("tab", name="Two groups").click()
        page.wait_for_url("**page=two")
        page.go_back()
        assert page.get_by_role("tab", selected=True).inner_text() == "One ensemble"
        assert field(page, "V").input_value() == "1"
        page.go_back()
        assert field(page, "V").input_value() == "0.8"
        page.go_back()
        assert field(page, "V").input_value() == "3"
        says(page, "Synchronized.")
        page.go_forward()
        assert field(page, "V").input_value() == "0.8"
        says(page, "Incoherent.")


def test_a_dragged_slider_makes_one_entry(browser, address):
    with visit(browser, address) as page:
        before = page.evaluate("history.length")
        drag(page, "V", 60)
        page.wait_for_url("**V=**")
        assert page.evaluate("history.length") == before + 1


def test_what_follows_shows_what_holds_and_goes_on_from_there(browser, address):
    with visit(browser, address, "Two groups") as page:
        box = page.locator(".page:not([hidden])").get_by_label("between the groups as within them")
        across, twist = field(page, "V_cross"), field(page, "theta_cross")

        def shown():
            return float(across.input_value()), float(twist.input_value())

        assert shown() == (5, -0.38)
        assert across.is_disabled()
        put(page, "V", 4)
        put(page, "theta", 0.3)
        assert shown() == (4, 0.3)
        assert float(slider(page, "V_cross").input_value()) == 4
        box.uncheck()
        assert shown() == (4, 0.3)
        assert across.is_enabled()
        put(page, "V", 6)
        put(page, "V_cross", 2)
        assert shown() == (2, 0.3)
        page.wait_for_url("**alike=0**V_cross=2**theta_cross=0.3**")
        page.reload()
        assert shown() == (2, 0.3)
        box.check()
        assert shown() == (6, 0.3)
        page.wait_for_url(lambda url: "V=6" in url and "cross" not in url)
        presets = page.get_by_role("group", name="Presets").locator("visible=true")
        presets.get_by_role("button", name="Weak link", exact=True).click()
        assert shown() == (0.3, -0.38)
        presets.get_by_role("button", name="Reset").click()
        assert shown() == (5, -0.38)
        box.uncheck()
        box.check()
        assert presets.get_by_role("button", name="Reset").is_disabled()  # all is as it was


def test_presets_and_reset(browser, address):
    with visit(browser, address, "Two groups") as page:
        presets = page.get_by_role("group", name="Presets").locator("visible=true").get_by_role("button")
        names = presets.all_inner_texts()
        assert names[-1] == "Reset"
        assert len(names) >= 3
        put(page, "detuning", 3)
        says(page, "Partial synchronization.")
        presets.last.click()
        says(page, "Full synchronization.")
        assert page.url.endswith("page=two")
        presets.nth(1).click()
        assert presets.nth(1).get_attribute("aria-pressed") == "true"
        assert "&" in page.url
        page.go_back()
        says(page, "Full synchronization.")
