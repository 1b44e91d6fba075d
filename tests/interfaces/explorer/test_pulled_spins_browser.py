"""Spins of the live stage are pulled by a pointer, a finger and keys, in a real browser."""

import numpy as np
import pytest

from stage_alone import stage_page, wait_until
from stage_states import FRAME, ONE, R, paused, place, settle

pytestmark = pytest.mark.browser


def test_a_pulled_spin_follows_the_pointer_and_runs_back(context):
    page = stage_page(context, **ONE)
    settle(page)
    paused(page)
    page.evaluate("stage.motion.hold(7, [0.5, -0.6, 0.4])")
    page.evaluate("stage.requestDraw()")
    page.evaluate(FRAME)
    page.evaluate("stage.motion.release()")
    box, sphere = page.locator(".stage-sphere").bounding_box(), page.locator(".stage-sphere")
    x, y, _ = place(page, [0.5, -0.6, 0.4])
    view = page.evaluate("[stage.sphere.azimuth, stage.sphere.elevation]")
    page.mouse.move(box["x"] + x + 3, box["y"] + y - 2)
    assert sphere.get_attribute("data-over") == "spin"
    page.mouse.down()
    page.mouse.move(box["x"] + x + 40, box["y"] + y + 25, steps=3)
    page.get_by_role("button", name="Play").press("Enter")
    page.wait_for_timeout(200)  # it stays while the others move
    held = page.evaluate("[stage.motion.x[7], stage.motion.y[7], stage.motion.z[7]]")
    assert place(page, held)[:2] == pytest.approx([x + 40, y + 25], abs=0.6)
    assert np.linalg.norm(held) == pytest.approx(np.linalg.norm([0.5, -0.6, 0.4]), abs=1e-6)
    page.mouse.move(box["x"] + 2, box["y"] + 2)  # beyond the sphere: on its edge
    rim = page.evaluate("[stage.motion.x[7], stage.motion.y[7], stage.motion.z[7]]")
    assert np.linalg.norm(rim) == pytest.approx(1, abs=1e-6)
    page.mouse.up()
    settle(page)
    apart = page.evaluate("Math.hypot(stage.motion.x[7] - stage.motion.mean0, stage.motion.y[7] - stage.motion.mean1)")
    assert apart < 1e-3
    assert page.evaluate("[stage.sphere.azimuth, stage.sphere.elevation]") == view
    page.mouse.move(box["x"] + 60, box["y"] + 350)
    assert sphere.get_attribute("data-over") == "view"
    page.mouse.down()
    page.mouse.move(box["x"] + 80, box["y"] + 350)
    page.mouse.up()
    assert page.evaluate("[stage.sphere.azimuth, stage.sphere.elevation]") == pytest.approx([view[0] - 8, view[1]])


def alone_at(page, spin, vector):
    """One spin at a place, all others at the top of the axis; nothing moves but by hand."""
    page.evaluate(
        """async ([spin, m]) => {
          const { motion } = stage;
          for (let i = 0; i < motion.count; i++) [motion.x[i], motion.y[i], motion.z[i]] = [0, 0, 1];
          [motion.x[spin], motion.y[spin], motion.z[spin]] = m;
          motion.measure();
          stage.history.begin(motion);
          stage.requestDraw();
        }""",
        [spin, vector],
    )
    page.evaluate(FRAME)


@pytest.mark.parametrize("depth", [-0.9, -0.5, -0.1, 0.5])
def test_a_spin_is_pulled_wherever_it_is_and_stays_on_its_side(context, depth):
    page = stage_page(context, **ONE)
    paused(page)
    across = np.sqrt(1 - depth**2 - 0.04)  # seen to the left of the axis and a little above it
    m = np.array(page.evaluate("stage.sphere.matrix")).reshape(3, 3)
    vector = (-0.5 * across * m[0] + 0.2 * m[1] + depth * m[2]) * 0.9
    alone_at(page, 11, vector.tolist())
    x, y, seen = place(page, vector.tolist())
    assert np.sign(seen) == np.sign(depth)
    box = page.locator(".stage-sphere").bounding_box()
    view = page.evaluate("[stage.sphere.azimuth, stage.sphere.elevation]")
    page.mouse.move(box["x"] + x, box["y"] + y)
    assert page.locator(".stage-sphere").get_attribute("data-over") == "spin"
    page.mouse.down()
    page.mouse.move(box["x"] + x + 25, box["y"] + y + 15, steps=4)
    assert page.evaluate("stage.motion.held") == 11
    held = page.evaluate("[stage.motion.x[11], stage.motion.y[11], stage.motion.z[11]]")
    assert place(page, held)[:2] == pytest.approx([x + 25, y + 15], abs=0.6)
    assert np.sign(place(page, held)[2]) == np.sign(depth)
    page.mouse.up()
    assert page.evaluate("[stage.sphere.azimuth, stage.sphere.elevation]") == view


def test_of_two_spins_at_one_place_the_one_in_front_is_pulled(context):
    page = stage_page(context, **ONE)
    paused(page)
    m = np.array(page.evaluate("stage.sphere.matrix")).reshape(3, 3)
    front, back = (0.4 * m[0] - 0.3 * m[1] + side * 0.6 * m[2] for side in (1, -1))
    alone_at(page, 11, back.tolist())
    page.evaluate(
        "(m) => { [stage.motion.x[12], stage.motion.y[12], stage.motion.z[12]] = m; stage.requestDraw(); }", front.tolist()
    )
    page.evaluate(FRAME)
    x, y, _ = place(page, back.tolist())
    box = page.locator(".stage-sphere").bounding_box()
    page.mouse.move(box["x"] + x, box["y"] + y + 4)
    page.mouse.down()
    assert page.evaluate("stage.motion.held") == 12
    page.mouse.up()


def test_a_spin_behind_the_axis_is_pulled_while_it_moves(context):
    """A slow finger: the dot is where it was drawn last."""
    page = stage_page(context, **{**ONE, "turn": True})
    page.evaluate("stage.speed = 0.05")
    settle(page)
    page.evaluate(
        """() => {  // the common dot behind the axis
          const { motion, sphere } = stage, m = sphere.matrix;
          const turn = Math.atan2(-m[7], -m[6]) - Math.atan2(motion.mean1, motion.mean0);
          for (let i = 0; i < motion.count; i++) motion.turn(i, 0, 0, 1, turn);
        }"""
    )
    page.evaluate(FRAME)
    assert page.evaluate("stage.playing")
    x, y, depth = page.evaluate(
        "() => { const { now, ratio } = stage.sphere; return [now.x[0] / ratio, now.y[0] / ratio, now.depth[0]]; }"
    )
    assert depth < 0
    box = page.locator(".stage-sphere").bounding_box()
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.down()
    assert page.evaluate("stage.motion.held") >= 0
    page.mouse.move(box["x"] + x + 30, box["y"] + y - 10, steps=3)
    spin = page.evaluate("stage.motion.held")
    held = page.evaluate("(k) => [stage.motion.x[k], stage.motion.y[k], stage.motion.z[k]]", spin)
    assert place(page, held)[:2] == pytest.approx([x + 30, y - 10], abs=0.6)
    page.mouse.up()


def test_a_finger_pulls_a_spin_and_elsewhere_it_scrolls(browser):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, device_scale_factor=2)
    page = stage_page(context, **ONE)
    settle(page)
    page.get_by_role("button", name="Pause").tap()
    page.evaluate("() => { document.body.style.height = '3000px'; document.querySelector('main').style.position = 'static'; }")
    page.evaluate(FRAME)
    box, client = page.locator(".stage-sphere").bounding_box(), context.new_cdp_session(page)

    def swipe(x, y):
        client.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for step in range(1, 7):
            client.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y - 15 * step}]})
        held = page.evaluate("stage.motion.held")
        client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(200)
        return held

    x, y, _ = place(page, page.evaluate("[stage.motion.x[3], stage.motion.y[3], stage.motion.z[3]]"))
    assert swipe(box["x"] + x + 8, box["y"] + y) >= 0
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("stage.motion.held") == -1
    assert swipe(box["x"] + 8, box["y"] + box["height"] - 10) == -1
    wait_until(page, "scrollY > 10")
    context.close()


def test_keys_on_the_sphere(context):
    page = stage_page(context, **ONE)
    sphere = page.locator(".stage-sphere")
    described = sphere.get_attribute("aria-description")
    sphere.focus()
    page.keyboard.press("Space")
    assert page.evaluate("stage.playing") is False
    view = "[stage.sphere.azimuth, stage.sphere.elevation, stage.sphere.zoom]"
    home = page.evaluate(view)
    for key in ("ArrowLeft", "ArrowUp", "+"):
        page.keyboard.press(key)
    assert page.evaluate(view) == pytest.approx([home[0] - 6, home[1] + 6, 1.15 * home[2]])
    page.keyboard.press("0")
    assert page.evaluate(view) == home
    settle(page)
    page.keyboard.press("k")
    assert page.evaluate("stage.motion.order") < 0.6 * R
    settle(page)
    page.keyboard.press("N")
    assert page.evaluate("stage.motion.order") < 0.25
    for word in ("Space", "arrows", "plus", "minus", "K ", "N ", "0 "):
        assert word in described
