"""Where things stand on a page of the explorer: on a desk, a phone, a projector; nothing jumps or goes white."""

import pytest

from explorer_visitor import DESKTOP, PHONE, TABS, WORDS, drag, settled, slider, turn_to, visit, wait_until

pytestmark = pytest.mark.browser


WITHOUT_ZOOM = "delete Element.prototype.currentCSSZoom;"  # as in WebKit
COMPLAINTS = "window.complaints = []; addEventListener('error', (event) => complaints.push(event.message));"


def test_canvases_are_sharp_on_a_projector_in_browsers_that_do_not_tell_the_zoom_of_an_element(browser, address):
    with visit(browser, address, viewport={"width": 1920, "height": 1080}, script=WITHOUT_ZOOM) as page:
        canvases = "[...document.querySelectorAll('.page:not([hidden]) canvas')].filter((e) => e.clientWidth)"
        wait_until(page, f"{canvases}.length === 3")
        wait_until(page, f"{canvases}.every((e) => Math.abs(e.width / e.clientWidth - 1.3) < 0.01)", seconds=20)


def test_no_picture_changes_the_size_that_it_watches(browser, address):
    with visit(browser, address, script=COMPLAINTS) as page:
        for tab in TABS:
            turn_to(page, tab)
            settled(page)
        assert page.evaluate("complaints") == []


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


def test_on_a_phone_the_words_of_buttons_stand_in_their_middle(browser, address):
    off = """all => all.filter((e) => e.checkVisibility()).map((e) => {
      const range = document.createRange();
      range.selectNodeContents(e);
      const words = range.getBoundingClientRect(), box = e.getBoundingClientRect();
      return Math.abs(words.top + words.bottom - box.top - box.bottom) / 2;
    })"""
    with visit(browser, address, "One ensemble", viewport=PHONE, has_touch=True) as page:
        assert max(page.locator(".page:not([hidden]) .button").evaluate_all(off)) <= 0.6


COVERED = """() => {
  const here = document.querySelector(".page:not([hidden])");
  const told = here.querySelector(".stage-help p").getBoundingClientRect();
  const meets = (box) => box.left < told.right && box.right > told.left && box.top < told.bottom && box.bottom > told.top;
  const stage = ".stage-legend, .stage-reading, .stage-seen";
  return [...here.querySelectorAll(`button, canvas, input, select, summary, svg, .words, ${stage}`)]
    .filter((e) => e.checkVisibility() && meets(e.getBoundingClientRect())).map((e) => e.className || e.outerHTML);
}"""


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
@pytest.mark.parametrize("tab", [*TABS[:2], "Story"])
def test_what_is_this_covers_nothing_and_is_seen(browser, address, tab, viewport):
    with visit(browser, address, tab, viewport=viewport) as page:
        page.locator(".page:not([hidden]) .stage-help summary").click()
        page.wait_for_timeout(200)
        assert page.evaluate(COVERED) == []
        assert inside(page, ".page:not([hidden]) .stage-help p", viewport)


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


@pytest.mark.parametrize(("tab", "name"), [("One ensemble", "theta"), ("Two groups", "r"), ("N spins", "V")])
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
