"""The explorer in a real browser: pages open, sliders move the state, keys work, nothing leaves this machine."""

import os
import signal

import pytest

from browser import chromium
from explorer_visitor import (
    DESKTOP,
    FIRST,
    PHONE,
    TABS,
    WORDS,
    field,
    label,
    put,
    says,
    served,
    settled,
    slider,
    the_map,
    visit,
    wait_until,
)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def address():
    with served() as (where, _):
        yield where


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
        says(page, FIRST["Few spins"])
        assert "page=few" in page.url
        page.reload()
        says(page, FIRST["Few spins"])
        assert page.get_by_role("tab", selected=True).inner_text() == "Few spins"


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


def drag(page, name, steps, pause=0):
    """Drag a slider from a third to two thirds with the mouse."""
    box = slider(page, name).bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 3, y)
    page.mouse.down()
    for k in range(steps):
        page.mouse.move(box["x"] + box["width"] * (1 + k / steps) / 3, y)
        page.wait_for_timeout(pause)
    page.mouse.up()


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


def test_all_is_larger_on_a_projector_and_the_mouse_still_meets_it(browser, address):
    with visit(browser, address, viewport={"width": 1920, "height": 1080}) as page:
        settled(page)
        wide = page.locator(".plot-frame").locator("visible=true").first.bounding_box()["width"]
        place = page.locator(".page:not([hidden]) .plot-place").first
        before = place.bounding_box()
        page.mouse.click(before["x"] + before["width"] / 2 - 0.2 * wide, before["y"] + before["height"] / 2)  # weaker coupling
        wait_until(page, "Number(new URLSearchParams(location.search).get('V') ?? 9) < 2")
        assert abs(before["x"] - 0.2 * wide - place.bounding_box()["x"]) < 3
        sphere = page.locator(".stage-sphere").bounding_box()
        assert sphere["width"] > 500
        x, y = page.evaluate(
            """() => {
              const { stage } = document.querySelector(".stage"), { now, size } = stage.sphere;
              stage.play(false);
              return [now.x[0] / size, now.y[0] / size];
            }"""
        )
        page.mouse.move(sphere["x"] + x * sphere["width"], sphere["y"] + y * sphere["height"])
        page.mouse.down()
        assert page.evaluate("document.querySelector('.stage').stage.motion.held") >= 0
        page.mouse.up()


def test_a_finger_scrolls_past_a_map_and_taps_to_choose(browser, address):
    with visit(browser, address, viewport=PHONE, has_touch=True) as page:
        settled(page)
        assert the_map(page).evaluate("e => getComputedStyle(e).touchAction") == "pan-y"
        the_map(page).dispatch_event("pointermove", {"pointerType": "touch", "buttons": 1, "clientX": 100, "clientY": 100})
        assert field(page, "V").input_value() == "3"
        the_map(page).tap(position={"x": 64, "y": 100})
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
        page.get_by_text(f"{name} goes from 0 to 5 here, but is 1000.").wait_for()
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
    with visit(browser, address, "Few spins") as page:
        slider(page, "N").press("ArrowRight")
        says(page, "21 spins")
        page.get_by_role("img", name="Spectrum of the light").wait_for()


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


def inside(page, selector, viewport):
    """Whether all visible elements stand inside the window."""
    for element in page.locator(selector).locator("visible=true").all():
        box = element.bounding_box()
        if box["x"] < 0 or box["y"] < 0 or box["x"] + box["width"] > viewport["width"]:
            return False
        if box["y"] + box["height"] > viewport["height"]:
            return False
    return True


@pytest.mark.parametrize("tab", TABS[:3])
def test_what_belongs_together_is_seen_together(browser, address, tab):
    with visit(browser, address, tab) as page:
        settled(page)
        for part in (".row", ".stage-sphere", ".desk .plot", WORDS, ".status"):
            assert inside(page, f".page:not([hidden]) {part}", DESKTOP), part
        assert page.locator(WORDS).locator("visible=true").evaluate("e => e.scrollHeight <= e.clientHeight")


@pytest.mark.parametrize("tab", TABS)
def test_a_narrow_screen_is_usable(browser, address, tab):
    spans = "all => all.map((e) => e.getBoundingClientRect()).filter((b) => b.width).map((b) => [b.left, b.right])"
    with visit(browser, address, tab, viewport=PHONE, has_touch=True) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        for part, least in ((".row input[type=range]", 200), (".row input[type=number]", 60), (".plot", 300), (WORDS, 300)):
            found = page.locator(part).evaluate_all(spans)
            assert all(0 <= left < right <= PHONE["width"] for left, right in found), part
            assert all(right - left > least for left, right in found), part
        low = "all => all.filter((e) => e.offsetHeight < 28 && e.type !== 'checkbox').map((e) => e.outerHTML)"
        assert page.locator("button:visible, .row input:visible").evaluate_all(low) == []


@pytest.mark.parametrize("tab", TABS[:2])
def test_on_a_phone_the_sphere_stays_in_sight_of_the_sliders(browser, address, tab):
    with visit(browser, address, tab, viewport=PHONE, has_touch=True) as page:
        last = page.locator(".page:not([hidden]) .row").last
        last.evaluate("e => e.scrollIntoView({block: 'end'})")
        assert inside(page, ".page:not([hidden]) .stage-sphere", PHONE)
        sphere, row = page.locator(".page:not([hidden]) .stage-box").bounding_box(), last.bounding_box()
        assert sphere["height"] <= 0.45 * PHONE["height"] + 1
        assert sphere["y"] + sphere["height"] <= row["y"] + 1


@pytest.mark.parametrize("tab", TABS[:2])
def test_on_a_phone_the_legend_and_the_help_stand_below_the_sphere(browser, address, tab):
    here = ".page:not([hidden])"
    with visit(browser, address, tab, viewport=PHONE, has_touch=True) as page:
        stage, legend = page.locator(f"{here} .stage-box").bounding_box(), page.locator(f"{here} .stage-below .stage-legend")
        assert "mean" in legend.inner_text()
        assert stage["y"] + stage["height"] <= legend.bounding_box()["y"] + 1
        page.locator(f"{here} .stage-help summary").click()
        assert "Each dot is the Bloch vector of one spin" in page.locator(f"{here} .stage-help").inner_text()
        page.set_viewport_size(DESKTOP)
        wait_until(page, f"document.querySelector('{here} .stage > .stage-legend')")
        assert page.locator(f"{here} .stage-below").is_hidden()


SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      window.shifts.push([entry.value, ...entry.sources.map((s) => s.node?.className ?? s.node?.nodeName)]);
  }).observe({ type: "layout-shift" });
}"""
#: of the parts whose height must not depend on words or on what is computed
HEIGHTS = (
    "() => [...document.querySelectorAll('.page:not([hidden]) :is(.spoken, .words, .plot, .plot-legend, .panel, .stage)')]"
)
MAP_SEEN = """() => {  // share of the pixels of the map that are painted, and how opaque it is shown
  const canvas = document.querySelector('.page:not([hidden]) .plot canvas');
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const data = copy.getImageData(0, 0, canvas.width, canvas.height).data;
  let full = 0;
  for (let k = 3; k < data.length; k += 4) full += data[k] === 255;
  return [full / (data.length / 4), Number(getComputedStyle(canvas).opacity)];
}"""


@pytest.mark.parametrize(("tab", "name"), [("One ensemble", "theta"), ("Two groups", "r"), ("Few spins", "V")])
def test_nothing_moves_while_a_slider_is_dragged(browser, address, tab, name):
    with visit(browser, address, tab) as page:
        settled(page)
        page.evaluate(SHIFTS)
        heights = page.evaluate(f"({HEIGHTS})().map((e) => e.offsetHeight)")
        drag(page, name, 40, pause=50)
        assert page.evaluate(f"({HEIGHTS})().map((e) => e.offsetHeight)") == heights
        settled(page)
        assert page.evaluate(f"({HEIGHTS})().map((e) => e.offsetHeight)") == heights
        assert page.evaluate("window.shifts") == []


@pytest.mark.parametrize("tab", TABS[:2])
def test_the_old_map_stays_dimmed_until_the_new_one_is_there(browser, address, tab):
    with visit(browser, address, tab) as page:
        settled(page)
        seen = watched(page, "theta")
        assert min(painted for painted, _ in seen) == 1
        assert min(opacity for _, opacity in seen) >= 0.4
        if tab == "Two groups":  # that of one ensemble is computed at once
            assert min(opacity for _, opacity in seen) < 0.5
        else:
            wait_until(page, f"({MAP_SEEN})()[1] === 1")


def watched(page, name):
    """What is seen of the map while a slider is dragged."""
    box = slider(page, name).bounding_box()
    y, seen = box["y"] + box["height"] / 2, []
    page.mouse.move(box["x"] + box["width"] / 4, y)
    page.mouse.down()
    for k in range(25):
        page.mouse.move(box["x"] + box["width"] * (0.25 + k / 50), y)
        page.wait_for_timeout(40)
        seen.append(page.evaluate(MAP_SEEN))
    page.mouse.up()
    return seen


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


@pytest.mark.parametrize(("tab", "name"), [("One ensemble", "V"), ("Two groups", "detuning"), ("Few spins", "V")])
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


@pytest.mark.parametrize("tab", TABS)
def test_the_dark_theme_has_one_ground(browser, address, tab):
    grounds = """() => [...new Set([...document.querySelectorAll('body, header, main, .page:not([hidden]) :not(i)')]
      .map((e) => getComputedStyle(e)).filter((s) => s.visibility !== 'hidden').map((s) => s.backgroundColor))]"""
    with visit(browser, address, tab, color_scheme="dark") as page:
        for colour in page.evaluate(grounds):
            numbers = [
                float(n)
                for n in colour.partition("(")[2].rstrip(")").replace(",", " ").replace("/", " ").split()
                if n[0].isdigit()
            ]
            transparent = len(numbers) == 4 and numbers[3] < 0.5
            assert transparent or max(numbers[:3]) < 80 or numbers[:3] in ([86, 180, 233], [230, 159, 0]), colour


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT for a child on Windows")
def test_ctrl_c_ends_it(browser):
    with served() as (address, process), visit(browser, address) as page:
        page.errors.clear()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert "Traceback" not in process.stderr.read()
        page.errors.clear()  # the connection is gone
