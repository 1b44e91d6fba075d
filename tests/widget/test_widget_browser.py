"""The widget in a real browser: drawing, animation, keys, touch, themes, narrow screens, screen readers."""

import io
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.image import imread

import spinsync as ss
from browser import ORIGIN, widget_page
from spinsync.plot.appearance import COLOURS
from spinsync.plot.spheres import View
from spinsync.widget.packing import packed
from spinsync.widget.saved import encoded
from systems import laser

pytestmark = pytest.mark.browser
TIMES = np.linspace(0, 6, 61)
PAIR = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=16.0, theta=-1.2)
HALF_WIDTH = 1.22  # from the centre of the sphere to the edge of the canvas, in radii of the sphere


@pytest.fixture
def context(browser):
    made = browser.new_context(viewport={"width": 1100, "height": 700})
    yield made
    made.close()


@pytest.fixture(scope="module")
def run():
    return ss.evolve(PAIR, TIMES)


def paused(run, frame=0.0, **options):
    """A widget that is paused at a frame."""
    sphere = ss.show(run, **options)
    sphere.playing, sphere.frame = False, frame
    return sphere


def pixels(locator):
    return (255 * imread(io.BytesIO(locator.screenshot()))[..., :3]).round()


def wait_for_drawing(page):
    """Wait for two animation frames, after which all requests are drawn."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def clock(page):
    text = page.locator(".spinsync-clock").text_content()
    return [float(part.split("=")[1]) for part in text.split("   ")]


def test_pixels_change_only_while_it_plays(context, run):
    page = widget_page(context, ss.show(run))
    sphere = page.locator(".spinsync-sphere")
    first, frame = pixels(sphere), page.evaluate("player.frame")
    page.wait_for_function("frame => player.frame > frame + 2", arg=frame)
    assert (pixels(sphere) != first).any()
    page.get_by_role("button", name="Pause").click()
    wait_for_drawing(page)
    first = pixels(page.locator(".spinsync"))
    page.wait_for_timeout(300)
    np.testing.assert_array_equal(pixels(page.locator(".spinsync")), first)
    assert page.errors == []


@pytest.mark.parametrize("rotation", [(0, 0), (60, -30), (-130, 60)])
def test_spins_are_projected_as_in_the_figures(context, rotation):
    """At a frame between two times, compared with the projection of `plot`."""
    start = [[0.9, 0, 0.2], [0, 0.9, -0.3], [-0.5, -0.6, 0.5]]
    groups = ss.Ensemble([ss.Group(1.0, 1.0, frequency=f) for f in (-2.0, 0.5, 3.0)], np.zeros((3, 3)))
    run = ss.evolve(groups, TIMES, initial=start)
    page = widget_page(context, paused(run, 4.25, trails=False))
    page.evaluate("([a, e]) => { player.sphere.rotate(a, e); player.requestDraw(); }", rotation)
    wait_for_drawing(page)
    image = pixels(page.locator(".spinsync-sphere"))
    side = image.shape[0]
    m = ss.bloch(run).values
    m = m[4] + 0.25 * (m[5] - m[4])
    view = View(-50 + rotation[0], 22 + rotation[1])
    visible = 0
    for k, (x, y, depth) in enumerate(view(m)):
        at = side / 2 * np.array([1 + x / HALF_WIDTH, 1 - y / HALF_WIDTH])
        colour = np.array([int(COLOURS[k][i : i + 2], 16) for i in (1, 3, 5)])
        ball = np.array([0xF4, 0xF6, 0xF8])
        alpha = np.clip(0.8 + 0.5 * depth, 0.35, 1)
        column, row = np.floor(at).astype(int)
        visible += np.abs(image[row, column] - (alpha * colour + (1 - alpha) * ball)).max() < 4  # rounding to 256 steps, twice
    assert visible == 3


def test_a_trail_follows_the_previous_positions_of_a_spin(context):
    one = laser(coupling=0.0, gain=0.0, damping=1e-9, frequency=1.0)
    run = ss.evolve(one, np.linspace(0, 1.5, 16), initial=[[0.95, 0, 0]])
    page = widget_page(context, paused(run, 9.2))
    page.evaluate(
        "() => { player.sphere.rotate(50, 68); player.requestDraw(); }"
    )  # from above: x to the bottom, y to the right
    wait_for_drawing(page)
    with_trail = pixels(page.locator(".spinsync-sphere"))
    page.get_by_label("trails").uncheck()
    wait_for_drawing(page)
    row, column = np.nonzero((pixels(page.locator(".spinsync-sphere")) != with_trail).any(axis=2))
    side = len(with_trail)
    right, down = (2 * (column + 0.5) / side - 1) * HALF_WIDTH, (2 * (row + 0.5) / side - 1) * HALF_WIDTH
    np.testing.assert_allclose(np.hypot(right, down), 0.95, atol=0.02)  # a circle, two pixels wide
    azimuth = np.arctan2(right, down)  # frequency +1: the azimuth grows by 1 per unit of time
    assert 0 <= azimuth.min() < 0.15  # its oldest part is nearly invisible
    assert azimuth.max() == pytest.approx(0.92, abs=0.04)  # the current position; the dot has the radius 0.04
    assert page.evaluate("sent.at(-1)") == {"trails": False}


def test_the_animation_is_uniform_for_uneven_times(context):
    uneven = np.concatenate([[0.0], np.geomspace(0.01, 20, 50)])
    sphere = ss.show(ss.evolve(laser(theta=-1.2), uneven))
    sphere.playing, sphere.speed = False, 2.0
    page = widget_page(context, sphere)
    page.clock.install()
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(100)
    begin = page.evaluate("[player.lastTick, player.frame]")
    page.clock.run_for(1500)
    end = page.evaluate("[player.lastTick, player.frame]")
    t0, t1 = (np.interp(frame, np.arange(len(uneven)), uneven) for _, frame in (begin, end))
    assert t1 - t0 == pytest.approx(2.0 * 20 / 10 * (end[0] - begin[0]) / 1000, rel=1e-6)  # the whole run in ten seconds
    page.clock.run_for(6000)
    assert clock(page)[0] == 20  # it stops at the end and announces that
    assert page.evaluate("model.get('playing')") is False
    assert page.evaluate("sent.at(-1)") == {"playing": False, "frame": len(uneven) - 1}
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(100)
    assert clock(page)[0] < 10  # restarted; on a busy machine the page's clock may have advanced


def test_clock_and_label_agree_with_the_run(context, run):
    page = widget_page(context, paused(run, 20.5))
    t, order = clock(page)
    assert t == pytest.approx(2.05)
    between = np.interp(2.05, TIMES, run.order_parameter)
    assert order == pytest.approx(between, abs=6e-4)
    label = page.get_by_role("img").get_attribute("aria-label")
    assert label == f"Bloch sphere with 2 groups. t = 2.05, order parameter {between:.2f}, paused."
    assert page.locator(".spinsync-legend").text_content() == "group Agroup Bensemble"


def test_the_widget_can_be_used_by_keyboard(context, run):
    page = widget_page(context, paused(run, 20.5))
    page.keyboard.press("Tab")
    sphere = page.locator(".spinsync-sphere")
    assert sphere.evaluate("(s) => s === document.activeElement && getComputedStyle(s).outlineStyle") == "solid"
    for key, frame in ((".", 21), (".", 22), (",", 21), ("End", 60), (".", 60), ("Home", 0), (",", 0)):
        page.keyboard.press(key)
        assert page.evaluate("player.frame") == frame, key
    page.wait_for_function("sent.at(-1)?.frame === 0")  # Python is notified
    assert page.locator("[aria-live]").text_content().startswith("t = 0.00, order parameter")
    before = pixels(sphere)
    for key, view in (
        ("ArrowRight", (-44, 22, 1)),
        ("ArrowUp", (-44, 28, 1)),
        ("ArrowLeft", (-50, 28, 1)),
        ("+", (-50, 28, 1.15)),
    ):
        page.keyboard.press(key)
        assert page.evaluate("[player.sphere.azimuth, player.sphere.elevation, player.sphere.zoom]") == pytest.approx(view), key
    wait_for_drawing(page)
    assert (pixels(sphere) != before).any()
    page.keyboard.press("0")
    wait_for_drawing(page)
    np.testing.assert_array_equal(pixels(sphere), before)
    page.keyboard.press("Space")
    assert page.evaluate("sent.at(-1)") == {"playing": True}
    page.wait_for_function("player.frame > 0.5")
    page.keyboard.press("Space")
    assert page.evaluate("sent.at(-1).playing") is False
    page.get_by_label("time").focus()
    frame = page.evaluate("player.frame")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageUp")
    assert page.evaluate("player.frame") == np.floor(frame) + 11
    page.get_by_label("speed").select_option("2×")
    page.get_by_label("colour").select_option("phase")
    assert page.evaluate("sent.slice(-2)") == [{"speed": 2}, {"colour": "phase"}]
    assert page.errors == []


def test_mouse_and_touch(context, run):
    page = widget_page(context, paused(run))
    box = page.locator(".spinsync-sphere").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.wheel(0, -120)  # scrolling without focus
    page.wait_for_timeout(100)
    assert page.evaluate("player.sphere.zoom") == 1
    page.mouse.down()
    page.mouse.move(box["x"] + 250, box["y"] + 180)
    page.mouse.up()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    assert page.evaluate("[player.sphere.azimuth, player.sphere.elevation]") == pytest.approx(
        [-70, 14]
    )  # the front follows the pointer
    page.mouse.wheel(0, -120)
    page.wait_for_function("player.sphere.zoom > 1.2")
    order = page.locator(".spinsync-curve").first.bounding_box()
    page.mouse.click(order["x"] + 46 + (order["width"] - 58) * 0.75, order["y"] + 80)
    wait_for_drawing(page)
    assert clock(page)[0] == pytest.approx(4.5, abs=0.02)  # a pixel is 0.02
    touch = "(kind, pointerId, clientX) => player.elements.sphere.dispatchEvent(new PointerEvent(kind, { pointerId, clientX }))"
    page.evaluate("player.elements.sphere.setPointerCapture = () => {}")
    zoom = page.evaluate("player.sphere.zoom")
    for event in (("pointerdown", 8, 100), ("pointerdown", 9, 200), ("pointermove", 9, 250), ("pointerup", 9, 250)):
        page.evaluate(f"(event) => ({touch})(...event)", event)
    assert page.evaluate("player.sphere.zoom") == pytest.approx(1.5 * zoom)


@pytest.mark.parametrize("dark", [False, True])
def test_it_follows_the_theme_of_the_page(context, run, dark):
    page = widget_page(context, paused(run), dark=dark)
    themes = ["light", "dark"]
    for theme in (themes[dark], themes[not dark]):
        assert page.locator(".spinsync").get_attribute("data-theme") == theme
        background = [21, 25, 30] if theme == "dark" else [255, 255, 255]
        for part in (".spinsync-sphere", ".spinsync-curve >> nth=0", ".spinsync-curve >> nth=1"):
            assert pixels(page.locator(part))[1, 1].tolist() == background, part
        text = "oklch(0.2 0 0)" if dark else "color(srgb 0.9 0.9 0.9)"  # colours as hosts write them
        page.evaluate(f"document.body.setAttribute('style', 'color: {text}')")
        wait_for_drawing(page)
    assert page.errors == []


def test_a_narrow_screen_shows_everything(browser, run):
    context = browser.new_context(viewport={"width": 360, "height": 740}, device_scale_factor=2, has_touch=True)
    page = widget_page(context, paused(run))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    boxes = [page.locator(f".spinsync-{part}").first.bounding_box() for part in ("sphere", "curves", "bar")]
    for above, below in pairwise(boxes):
        assert above["y"] + above["height"] <= below["y"]
    assert boxes[0]["width"] > 300
    for control in page.locator(".spinsync-bar :is(button, input, select, summary)").all():
        box = control.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
    context.close()


def test_reduced_motion_is_respected(browser, run):
    context = browser.new_context(reduced_motion="reduce")
    page = widget_page(context, ss.show(run))
    page.get_by_role("button", name="Play").wait_for()
    assert page.evaluate("[model.get('playing'), player.frame]") == [False, 0]
    context.close()


def test_it_stops_drawing_out_of_view(context, run):
    page = widget_page(context, ss.show(run))
    page.evaluate("document.body.style.paddingTop = '3000px'")
    page.wait_for_function("!player.visible")
    page.wait_for_timeout(50)
    frame = page.evaluate("player.frame")
    page.wait_for_timeout(200)
    assert page.evaluate("player.frame") == frame
    assert page.evaluate("model.get('playing')") is True
    page.evaluate("document.body.style.paddingTop = 0")
    page.wait_for_function(f"player.frame > {frame}")


def test_another_run_in_the_same_widget(context, run):
    other = ss.evolve(laser(theta=-1.2), np.linspace(0, 2, 11))
    page = widget_page(context, paused(run, 40))
    page.evaluate("player.sphere.rotate(10, 0)")
    page.evaluate("(run) => put(run)", encoded(packed(other)))
    wait_for_drawing(page)
    t, order = clock(page)
    assert (t, order) == (2.0, pytest.approx(float(other.order_parameter[-1]), abs=6e-4))
    assert page.evaluate("player.sphere.azimuth") == -40
    assert page.get_by_role("img").get_attribute("aria-label").startswith("Bloch sphere with one group.")
    assert page.locator(".spinsync").count() == 1
    assert page.errors == []


def test_it_removes_its_listeners_and_elements(context, run):
    page = widget_page(context, ss.show(run))
    assert page.evaluate("listeners()") > 0
    after = "setTimeout(() => done(player.drawTimes.length - count), 200)"
    drawn = f"new Promise((done) => {{ const count = player.drawTimes.length; window.end(); {after} }})"
    assert page.evaluate(drawn) == 0
    assert page.locator(".spinsync").count() == 0
    assert page.evaluate("listeners()") == 0
    assert page.errors == []


def test_five_thousand_spins_play(context):
    """Their speed is measured by `python -m benchmarks.live`."""
    start = np.random.default_rng(0).normal(size=(5000, 3))
    start /= np.linalg.norm(start, axis=1)[:, None]
    run = ss.evolve(laser(frequency=1.0), np.linspace(0, 20, 101), each=True, initial=start)
    page = widget_page(context, ss.show(run, colour="phase"))
    before = pixels(page.locator(".spinsync canvas").first)
    page.wait_for_function("player.drawTimes.length > 5")
    assert (pixels(page.locator(".spinsync canvas").first) != before).any()
    assert page.errors == []


def test_it_requests_only_its_own_files(context, run):
    page = widget_page(context, ss.show(run))
    requested = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert {name.removeprefix(ORIGIN) for name in requested} == {"/sphere.js", "/model.js", "/sphere.css", "/state.json"}
