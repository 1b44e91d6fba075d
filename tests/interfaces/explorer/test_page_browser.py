"""The explorer in a real browser: sliders move the state, keys work, what is said and computed, nothing leaves this machine."""

import os
import re
import signal
from contextlib import suppress

import pytest

from explorer_visitor import PHONE, WORDS, drag, field, label, put, says, served, settled, slider, the_map, visit, wait_until

pytestmark = pytest.mark.browser


def test_one_ensemble_follows_its_slider_its_keys_and_a_click(browser, address):
    with visit(browser, address) as page:
        says(page, "Synchronized.")
        slider(page, "V").press("Home")
        says(page, "Incoherent.")
        slider(page, "V").press("End")
        says(page, "Synchronized.")
        settled(page)
        before = float(field(page, "r").input_value())
        the_map(page).press("ArrowUp")
        wait_until(page, "([e, before]) => Number(e.value) > before", [field(page, "r").element_handle(), before])
        box = the_map(page).bounding_box()
        the_map(page).click(position={"x": 70, "y": box["height"] / 2})  # weak coupling
        says(page, "Incoherent.")
        assert float(field(page, "V").input_value()) < 0.5


def test_a_slider_on_a_logarithmic_scale_has_one_in_its_middle_and_round_numbers(browser, address):
    with visit(browser, address) as page:
        assert field(page, "r").input_value() == "3"
        slider(page, "r").press("ArrowRight")
        slider(page, "r").press("ArrowLeft")
        assert field(page, "r").input_value() == "3"
        slider(page, "r").evaluate("e => (e.value = 100, e.dispatchEvent(new Event('input')))")
        assert field(page, "r").input_value() == "1"
        slider(page, "r").press("Home")
        assert field(page, "r").input_value() == "0.08333"
        assert page.locator(".said").first.inner_text() == ""
        assert slider(page, "r").get_attribute("aria-valuetext") == "0.08333"


def test_a_finger_scrolls_past_a_map_and_taps_to_choose(browser, address):
    with visit(browser, address, viewport=PHONE, has_touch=True) as page:
        settled(page)
        assert the_map(page).evaluate("e => getComputedStyle(e).touchAction") == "pan-y"
        the_map(page).dispatch_event("pointermove", {"pointerType": "touch", "buttons": 1, "clientX": 100, "clientY": 100})
        assert field(page, "V").input_value() == "3"
        for _ in range(3):  # a busy browser takes a slow tap for the beginning of a scroll
            the_map(page).tap(position={"x": 64, "y": 100})
            with suppress(AssertionError):
                wait_until(page, "e => e.value !== '3'", field(page, "V").element_handle(), seconds=5)
                break
        says(page, "Incoherent.")


@pytest.mark.parametrize("closes", [True, False], ids=["closed", "silent"])
def test_a_wish_that_got_lost_is_made_again(browser, address, closes):
    with visit(browser, address) as page:
        sockets, deaf = [], []

        def route(socket):
            sockets.append(socket)
            server, first = socket.connect_to_server(), len(sockets) == 1
            socket.on_message(lambda text: None if deaf and first else server.send(text))

        page.route_web_socket("**/live", route)
        page.reload()
        says(page, "Synchronized.")
        settled(page)
        deaf.append(True)
        put(page, "V", 0.5)
        page.wait_for_timeout(200)
        if closes:
            sockets[0].close()
        says(page, "Incoherent.")


def test_a_lost_connection_is_made_again_and_said(browser, address):
    with visit(browser, address) as page:
        page.route_web_socket("**/live", lambda socket: socket.close())
        page.reload()
        page.get_by_text("There is no answer from spinsync.").wait_for()
        page.errors.clear()


def test_the_sentence_of_too_many_pages_is_shown(browser, address):
    sentence = "spinsync explore serves 32 pages at once; close one and load this page again."
    with visit(browser, address) as page:
        page.route_web_socket("**/live", lambda socket: socket.close(code=1013, reason=sentence))
        page.reload()
        page.get_by_text(sentence).wait_for()
        page.errors.clear()


def test_too_much_is_said(browser, address):
    with visit(browser, address) as page:
        name = label(page, "V")
        put(page, "V", 1000)
        page.get_by_text(f"{name}: 1000 is outside 0 to 5; 5 is used.").wait_for()
        assert slider(page, "V").input_value() == "5"
        put(page, "V", "")
        page.get_by_text(f"{name} must be a number.").wait_for()
        assert field(page, "V").input_value() == "5"
        put(page, "V", 2)
        wait_until(page, "document.querySelector('.said').textContent === ''")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_three_regimes_in_words(browser, address, scheme):
    with visit(browser, address, "Two groups", color_scheme=scheme) as page:
        put(page, "detuning", 3)
        says(page, "Partial synchronization.")
        put(page, "detuning", 0)
        says(page, "Full synchronization.")
        settled(page)
        for words in ("here", "full"):
            page.locator(".page:not([hidden]) .plot-legend").get_by_text(words).first.wait_for()


def test_few_spins(browser, address):
    with visit(browser, address, "N spins") as page:
        slider(page, "N").press("ArrowRight")
        says(page, "21 spins")
        page.get_by_role("img", name="Spectrum of the light").wait_for()


def test_any_number_of_spins_is_reached_by_slider_field_picture_and_address(browser, address):
    with visit(browser, address, "N spins") as page:
        settled(page)
        slider(page, "N").press("Home")
        says(page, "2 spins, exactly.")
        slider(page, "N").press("ArrowRight")
        says(page, "3 spins, exactly.")
        the_map(page).press("ArrowRight")  # by less than one spin
        says(page, "4 spins, exactly.")
        put(page, "N", 123456)
        says(page, "123\N{NO-BREAK SPACE}456 spins, second order.")
        page.wait_for_url("**N=123456**")
        page.reload()
        says(page, "123\N{NO-BREAK SPACE}456 spins, second order.")
        slider(page, "N").press("End")
        says(page, "1\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}000 spins, second order.")
        assert field(page, "N").input_value() == "1000000"
        assert slider(page, "N").get_attribute("aria-valuetext") == "1000000"
        slider(page, "N").press("ArrowLeft")
        assert 9e5 < float(field(page, "N").input_value()) < 1e6
        put(page, "N", 2_000_000)
        page.get_by_text("number of spins N: 2000000 is outside 2 to 1000000; 1000000 is used.").wait_for()


@pytest.mark.parametrize("spins", [20, 1_000_000])
def test_the_pictures_of_any_number_of_spins_have_ticks_and_legends_inside_them(browser, address, spins):
    """A narrow axis about zero has more ticks than that one, and none is cut off; a click goes to another number."""
    outside = """() => [...document.querySelectorAll('.page:not([hidden]) .plot')].flatMap((plot) => {
      const box = plot.getBoundingClientRect(), legend = plot.querySelector('.plot-legend').getBoundingClientRect();
      const out = (e, b) => {
        const r = e.getBoundingClientRect();
        return r.left < b.left - 1 || r.right > b.right + 1 || r.bottom > b.bottom + 1;
      };
      return [...[...plot.querySelectorAll('svg text')].filter((e) => out(e, box)),
        ...[...plot.querySelectorAll('.plot-legend span')].filter((e) => out(e, legend))].map((e) => e.textContent);
    })"""
    with visit(browser, address, query=f"&page=few&N={spins}") as page:
        wait_until(page, "document.querySelectorAll('.page:not([hidden]) .plot-place circle').length === 6")
        settled(page)
        assert page.evaluate(outside) == []
        ticks = page.locator(".page:not([hidden]) .plot").first.locator("svg text").all_text_contents()
        assert sum(text[0] in "−0123456789" for text in ticks) >= 3 + 3  # three of them are upward
        width = page.locator(".page:not([hidden]) svg.clickable").nth(1)
        assert "Width of the line over the number of spins. Here" in width.get_attribute("aria-label")
        width.press("ArrowLeft")
        page.wait_for_url(lambda url: f"N={spins}" not in url)


def test_a_million_spins_fit_into_the_field(browser, address):
    with visit(browser, address, query="&page=few&N=1000000") as page:
        assert field(page, "N").input_value() == "1000000"
        assert field(page, "N").evaluate("e => e.scrollWidth <= e.clientWidth")


def test_code_is_copied_and_downloads_have_telling_names(browser, address):
    with visit(browser, address, permissions=["clipboard-read", "clipboard-write"]) as page:
        put(page, "V", 4)
        says(page, "Synchronized.")
        wait_until(page, "document.querySelector('pre').textContent.includes('coupling=4')")
        page.get_by_role("button", name="Copy as Python").click()
        page.get_by_role("button", name="Copied").wait_for()
        assert "coupling=4" in page.evaluate("navigator.clipboard.readText()")
        links = page.locator(".page:not([hidden]) .downloads a")
        names = [link.get_attribute("aria-label") for link in links.all()]
        assert "Map (PDF)" in names
        assert len(names) == len(set(names))
        for name, first in (("Map (PDF)", b"%PDF"), ("Map (PNG)", b"\x89PNG"), ("All numbers (Zarr)", b"PK")):
            with page.expect_download() as coming:
                page.get_by_role("link", name=name).click()
            assert coming.value.suggested_filename.startswith("spinsync-")
            with open(coming.value.path(), "rb") as file:
                assert file.read(4).startswith(first)


def test_a_link_says_that_its_file_is_made_until_it_has_come(browser, address):
    with visit(browser, address, "Two groups") as page:
        held = []
        page.route("**/picture/two/sphere.png*", lambda route: held.append(route))  # noqa: PLW0108  # Playwright marks its handlers
        link, said = page.get_by_role("link", name="Sphere (PNG)").locator("visible=true"), page.locator(".made:visible")
        link.scroll_into_view_if_needed()
        before = link.bounding_box()
        with page.expect_download() as coming:
            link.click()
            wait_until(page, "document.querySelector('.page:not([hidden]) [aria-disabled=true]')?.textContent === 'Making…'")
            assert said.text_content() == "Making Sphere (PNG)…"
            assert link.bounding_box() == before
            link.dispatch_event("click")  # no second time
            page.wait_for_timeout(200)
            assert len(held) == 1
            held[0].continue_()
        assert coming.value.suggested_filename == "spinsync-two-groups-sphere.png"
        wait_until(page, "!document.querySelector('.page:not([hidden]) [aria-disabled=true]')")
        assert (link.text_content(), said.text_content(), link.bounding_box()) == ("PNG", "", before)


def test_a_file_that_does_not_come_is_a_sentence(browser, address):
    with visit(browser, address, "Two groups") as page:
        answers = [
            lambda route: route.fulfill(status=422, content_type="text/plain", body="No answer here. Too many spins."),
            lambda route: route.abort(),
        ]
        page.route("**/picture/two/sphere.png*", lambda route: answers.pop(0)(route))  # noqa: PLW0108  # one after the other
        link, said = page.get_by_role("link", name="Sphere (PNG)").locator("visible=true"), page.locator(".made:visible")
        for sentence in ("No answer here. Too many spins.", "There is no answer from spinsync."):
            link.click()
            said.get_by_text(sentence, exact=True).wait_for()
            assert (link.text_content(), link.get_attribute("aria-disabled")) == ("PNG", "false")
        page.errors[:] = [error for error in page.errors if "Failed to load resource" not in error]  # the two on purpose


def test_beside_the_map_stands_how_far_the_strong_start_is(browser, address):
    watch = """() => {
      const doing = document.querySelector(".page:not([hidden]) .doing"), caption = doing.parentElement;
      window.told = [];
      new MutationObserver(() => window.told.push([
        doing.textContent, caption.offsetHeight, doing.scrollWidth <= doing.clientWidth,
      ])).observe(doing, { childList: true });
    }"""
    with visit(browser, address, query="&page=two&theta=0.38") as page:  # no rhythm anywhere: a quick diagram
        page.evaluate(watch)
        height = page.locator(".page:not([hidden]) figcaption").first.bounding_box()["height"]
        wait_until(page, "window.told.length > 0 && window.told.at(-1)[0] === ''", seconds=150)
        told = page.evaluate("window.told")
        assert any(re.fullmatch(r"strong start: \d+\s%", text) for text, *_ in told)
        assert {tuple(rest) for _, *rest in told} == {(height, True)}


def test_what_is_being_computed_is_said_in_a_fixed_place(browser, address):
    with visit(browser, address, "Two groups") as page:
        settled(page)
        page.evaluate(
            "() => { window.told = []; const e = document.querySelector('.page:not([hidden]) .status');"
            "new MutationObserver(() => window.told.push(e.textContent)).observe(e, {childList: true}); }"
        )
        put(page, "theta", -0.3)
        wait_until(page, "window.told.some((text) => /^(Computing|Preparing) the /.test(text))")


def test_two_browsers_do_not_share_state(browser, address):
    with visit(browser, address) as mine, visit(browser, address) as yours:
        put(mine, "V", 1)
        says(mine, "Incoherent.")
        assert field(yours, "V").input_value() == "3"
        slider(yours, "V").press("ArrowRight")
        says(yours, "Synchronized.")
        assert field(yours, "V").input_value() == "3.02"
        says(mine, "Incoherent.")


@pytest.mark.parametrize(("tab", "name"), [("One ensemble", "V"), ("Two groups", "detuning"), ("N spins", "V")])
def test_a_key_changes_the_words_and_rebuilds_nothing(browser, address, tab, name):
    """How soon is for `python -m benchmarks.live`."""
    with visit(browser, address, tab) as page:
        settled(page)
        here = page.locator(".page:not([hidden])")
        parts = [slider(page, name), here.locator(WORDS), here.locator(".plot").first, here.locator(".plot canvas").first]
        parts = [part.element_handle() for part in parts]
        before = parts[1].inner_html()
        parts[0].press("PageUp")
        wait_until(page, "([e, before]) => e.innerHTML !== before", [parts[1], before])
        assert all(part.evaluate("e => e.isConnected") for part in parts)


def test_words_are_read_aloud_once_they_stay(browser, address):
    with visit(browser, address) as page:
        settled(page)
        page.evaluate(
            "() => { window.heard = []; const e = document.querySelector('.page:not([hidden]) .spoken [aria-live]');"
            "new MutationObserver(() => window.heard.push(e.textContent)).observe(e, {childList: true}); }"
        )
        drag(page, "V", 30, pause=30)
        wait_until(page, "window.heard.length > 0")
        page.wait_for_timeout(1500)
        assert page.evaluate("window.heard.length") <= 2


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT for a child on Windows")
def test_ctrl_c_ends_it(browser):
    with served() as (address, process), visit(browser, address) as page:
        page.errors.clear()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert "Traceback" not in process.stderr.read()
        page.errors.clear()  # the connection is gone
