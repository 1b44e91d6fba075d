"""The live stage in a real browser: it never stops, follows its sliders, and is drawn as it is."""

import numpy as np
import pytest

from stage_alone import stage_page, wait_until
from stage_states import CYCLE, FRAME, ONE, TWO, R, Z, paused, phase, pixels, place, set_values, settle

pytestmark = pytest.mark.browser


def test_it_never_stops_but_for_pause(context):
    page = stage_page(context, **ONE)
    sphere, time = page.locator(".stage-sphere"), page.evaluate("stage.motion.time")
    first = pixels(sphere)
    wait_until(page, "(time) => stage.motion.time > time + 0.3", time)
    assert (pixels(sphere) != first).any()
    paused(page)
    first, time = pixels(page.locator(".stage")), page.evaluate("stage.motion.time")
    page.wait_for_timeout(300)
    np.testing.assert_array_equal(pixels(page.locator(".stage")), first)
    assert page.evaluate("stage.motion.time") == time
    page.get_by_role("button", name="Play").click()
    wait_until(page, "(time) => stage.motion.time > time", time)
    assert page.errors == []  # nothing was requested but its modules, and nothing is against the security policy


def test_a_second_is_a_unit_of_time_and_a_slow_browser_never_catches_up(context):
    page = stage_page(context, **ONE)
    found = page.evaluate(
        """async () => {
          const frame = () => new Promise(requestAnimationFrame), from = [performance.now(), stage.motion.time];
          for (let k = 0; k < 30; k++) await frame();
          const wall = (performance.now() - from[0]) / 1000, time = stage.motion.time - from[1];
          const before = stage.motion.time, start = performance.now();
          while (performance.now() - start < 1200);
          await frame(); await frame();
          return { wall, time, jump: stage.motion.time - before };
        }"""
    )
    assert found["time"] <= found["wall"] + 0.1
    assert found["time"] > 0.3 * found["wall"]
    assert found["jump"] < 0.5


def test_a_moved_slider_goes_on_from_the_present_state(context):
    page = stage_page(context, **ONE)
    settle(page)
    found = page.evaluate(
        """async () => {
          const state = () => [...stage.motion.x, ...stage.motion.y, ...stage.motion.z];
          const far = (a, b) => Math.max(...a.map((v, k) => Math.abs(v - b[k])));
          const before = state();
          model.set("values", { ...model.get("values"), V: 0.5 });
          const jump = far(before, state());
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          const order = stage.motion.order;
          for (let k = 0; k < 20; k++) stage.motion.advance(0.5);
          return { jump, order, later: stage.motion.order };
        }"""
    )
    assert found["jump"] == 0
    assert found["order"] == pytest.approx(R, rel=0.2)
    assert found["later"] < 0.05  # the rhythm dies below the threshold


def test_a_new_start_has_another_phase_and_the_same_cycle(context):
    page = stage_page(context, **{**ONE, "turn": True})
    page.evaluate("() => document.addEventListener('stage-act', (event) => (window.acts ??= []).push(event.detail))")
    paused(page)
    phases = []
    for _ in range(3):
        page.get_by_role("button", name="New random start").click()
        assert page.evaluate("stage.motion.order") < 0.25
        settle(page)
        assert page.evaluate("stage.motion.order") == pytest.approx(R, abs=1e-6)
        phases.append(phase(page))
    apart = np.angle(np.exp(1j * np.subtract.outer(phases, phases)))
    assert (np.abs(apart[np.triu_indices(3, 1)]) > 0.05).all()
    page.get_by_role("button", name="Kick").click()
    assert page.evaluate("stage.motion.order") < 0.6 * R
    assert page.locator("[role=status]").text_content() == f"Kick: R = {page.evaluate('stage.motion.order'):.2f}."
    settle(page)
    assert page.evaluate("stage.motion.order") == pytest.approx(R, abs=1e-6)
    page.evaluate("stage.lineUp()")
    assert page.evaluate("[stage.motion.order, stage.motion.mean0]") == pytest.approx([1, 1])
    assert page.evaluate("acts") == ["new start"] * 3 + ["kick", "line-up"]


def test_the_frame_turns_with_the_spins_or_not(context):
    page = stage_page(context, **ONE)
    settle(page)
    paused(page)

    def speed():
        before = phase(page)
        page.evaluate("stage.motion.advance(0.5)")
        return np.angle(np.exp(1j * (phase(page) - before))) / 0.5

    omega = float(CYCLE.frequency)
    assert speed() == pytest.approx(1 + omega, abs=1e-4)  # the laboratory, slowed to the frequency 1
    page.get_by_label("turn with the spins").check()
    assert page.evaluate("model.get('turn')") is True
    assert speed() == pytest.approx(omega, abs=1e-4)


def test_the_ring_of_the_cycle_is_where_the_spins_turn(context):
    """In the colour of the group, stronger in front; drawn under the spins."""
    page = stage_page(context, **{**ONE, "rings": [{"group": 0, "radius": 0.8, "height": 0.6}]})
    paused(page)
    page.evaluate("() => { for (const table of [stage.motion.x, stage.motion.y, stage.motion.z]) table.fill(0); }")
    page.evaluate("() => { stage.history.begin(stage.motion); stage.requestDraw(); }")
    page.evaluate(FRAME)
    image, seen = pixels(page.locator(".stage-sphere")), {}
    for name, azimuth in (("front", -50), ("back", 130)):
        a = np.radians(azimuth)
        x, y, depth = place(page, [0.8 * np.cos(a), 0.8 * np.sin(a), 0.6])
        assert (depth > 0) == (name == "front")
        near = image[int(y) - 2 : int(y) + 3, int(x)].reshape(-1, 3)
        seen[name] = np.abs(near - [0, 114, 178]).sum(axis=1).min()
    assert seen["front"] < 60
    assert 100 < seen["back"] < 400
    page.evaluate("model.set('rings', [])")
    page.evaluate(FRAME)
    a = np.radians(-50)
    x, y, _ = place(page, [0.8 * np.cos(a), 0.8 * np.sin(a), 0.6])
    assert np.abs(pixels(page.locator(".stage-sphere"))[int(y), int(x)] - [0, 114, 178]).sum() > 300


def test_the_strip_shows_r_and_the_closed_form(context):
    page = stage_page(context, **ONE)
    settle(page)
    wait_until(page, "document.querySelector('.stage-reading').textContent.includes('R = 0.34')")
    assert page.locator(".stage-reading span").all_text_contents() == [f"R = {R:.2f}", f"theory {R:.2f}"]
    page.wait_for_timeout(300)
    paused(page)
    image = pixels(page.locator(".stage-curve"))
    y = page.evaluate("(R) => stage.strip.y(R)", R)
    near = np.abs(image[round(y) - 1 : round(y) + 2, 40:300] - [0, 0, 0]).sum(axis=2).min(axis=0) < 120
    assert 0.4 < near.mean() < 0.8  # dashed
    page.evaluate("model.set('order', null)")
    page.evaluate(FRAME)
    wait_until(page, "!document.querySelector('.stage-reading').textContent.includes('theory')")


def test_only_the_formulas_of_one_group_are_called_closed_forms(context):
    rings = [{"group": a, "radius": R, "height": Z} for a in (0, 1)]
    page = stage_page(context, **{**TWO, "rings": rings, "order": R})
    assert page.locator(".stage-legend span").all_text_contents()[-1] == "limit cycles"
    assert page.locator(".stage-reading span").all_text_contents()[-1] == f"in the end {R:.2f}"
    box = page.locator(".stage-legend").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert box[0] <= box[1]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ONE, ["one spin", "mean", "limit cycle"]),
        (TWO, ["group A", "group B", "mean"]),
    ],
)
def test_it_says_what_is_seen_and_does_not_chatter(context, state, words):
    page = stage_page(context, **state)
    assert page.locator(".stage-legend span").all_text_contents() == words
    label = page.locator(".stage-sphere").get_attribute("aria-label")
    assert "200 spins" in label
    assert "R = 0." in label
    assert ("two groups" in label) == (state is TWO)
    page.evaluate(
        """() => { window.changes = 0;
          for (const node of [stage.elements.sphere, stage.elements.said])
            new MutationObserver((list) => (window.changes += list.length))
              .observe(node, { attributes: true, childList: true, attributeFilter: ["aria-label"] });
        }"""
    )
    page.wait_for_timeout(1500)
    assert page.evaluate("changes") <= 1


def test_nothing_jumps_while_it_moves_and_values_change(context):
    page = stage_page(context, **{**TWO, "hands": True}, width="640px")
    page.evaluate(
        """() => {
          window.shift = 0;
          const add = (list) => list.getEntries().forEach((entry) => (window.shift += entry.value));
          new PerformanceObserver(add).observe({ type: "layout-shift", buffered: false });
        }"""
    )
    boxes = """[...document.querySelectorAll('.stage, .stage > *, .stage canvas, .stage button')]
      .map((element) => element.getBoundingClientRect()).map((box) => [box.x, box.y, box.width, box.height].join()).join(' ')"""
    before = page.evaluate(boxes)
    for V in (0.2, 8.0, 2.0):
        set_values(page, V=V)
        page.evaluate("(order) => model.set('order', order)", V / 10)
        page.evaluate("(order) => model.set('rings', order < 0.3 ? [] : [{ group: 0, radius: order, height: 0.1 }])", V / 10)
        page.wait_for_timeout(150)
        page.evaluate("(order) => model.set('order', null)", V)
    page.wait_for_timeout(200)
    assert page.evaluate("shift") == 0
    assert page.evaluate(boxes) == before


def test_clock_hands_point_where_the_spins_do(context):
    page = stage_page(context, **{**TWO, "hands": True}, width="640px")
    paused(page)
    page.evaluate("stage.motion.lineUp()")
    page.evaluate("stage.motion.turn(0, 0, 0, 1, Math.PI / 2)")
    page.evaluate("() => { stage.motion.measure(); stage.requestDraw(); }")
    page.evaluate(FRAME)
    faces = page.evaluate("stage.hands.faces")
    assert [face[5] for face in faces] == [True, True] + [False] * 12
    assert [face[3] for face in faces] == [0, 1] + [0] * 6 + [1] * 6
    image = pixels(page.locator(".stage-hands"))
    for (x, y, radius, group, of, large), (u, v) in (
        (faces[2], (0, -1)),
        (faces[3], (1, 0)),
        (faces[13], (1, 0)),
        (faces[1], (1, 0)),
    ):
        tip = image[round(y + 0.8 * radius * v), round(x + 0.8 * radius * u)]
        np.testing.assert_allclose(tip, [[0, 114, 178], [213, 94, 0]][group], atol=40, err_msg=f"{of} {large}")


def test_faces_without_room_are_left_out_and_cause_no_error(context):
    page = stage_page(context, **{**TWO, "hands": True})
    page.set_viewport_size({"width": 667, "height": 375})  # a phone on its side
    page.evaluate(FRAME)
    assert min(face[2] for face in page.evaluate("stage.hands.faces")) == 0
    assert page.errors == []


def test_the_mean_has_one_colour_on_the_sphere_and_on_its_clock(context):
    page = stage_page(context, **{**ONE, "hands": True}, width="640px")
    paused(page)
    page.evaluate("stage.lineUp()")
    page.evaluate(FRAME)
    image, (x, y, radius, *_) = pixels(page.locator(".stage-hands")), page.evaluate("stage.hands.faces[0]")
    np.testing.assert_allclose(image[round(y), round(x + 0.5 * radius)], [0, 0, 0], atol=10)


def test_both_groups_are_seen_where_they_coincide(context):
    page = stage_page(context, **TWO)
    paused(page)
    page.evaluate("() => { stage.motion.lineUp(); stage.history.begin(stage.motion); stage.requestDraw(); }")
    page.evaluate(FRAME)
    x, y, _ = place(page, [1, 0, 0])
    around = pixels(page.locator(".stage-sphere"))[round(y) - 10 : round(y) + 11, round(x) - 10 : round(x) + 11].reshape(-1, 3)
    for colour in ([0, 114, 178], [213, 94, 0]):
        assert (np.abs(around - colour).sum(axis=1) < 40).sum() > 10


def test_it_sleeps_where_nobody_looks_and_respects_reduced_motion(browser, context):
    page = stage_page(context, **ONE)
    page.evaluate("() => { document.querySelector('main').style.display = 'none'; }")
    page.wait_for_timeout(200)
    time = page.evaluate("stage.motion.time")
    page.wait_for_timeout(300)
    assert page.evaluate("stage.motion.time") == time
    page.evaluate("() => { document.querySelector('main').style.display = ''; }")
    wait_until(page, "(time) => stage.motion.time > time", time)
    calm = browser.new_context(reduced_motion="reduce")
    page = stage_page(calm, ready="window.stage?.sphere.background", **ONE)
    page.wait_for_timeout(200)
    assert page.evaluate("stage.motion.time") == 0
    assert page.get_by_role("button", name="Play").is_visible()
    calm.close()


def test_it_leaves_nothing_behind(context):
    page = stage_page(context, **ONE)
    assert page.evaluate("listeners()") > 0
    page.evaluate("end()")
    time = page.evaluate("stage.motion.time")
    page.evaluate("model.set('values', { V: 1 })")
    page.wait_for_timeout(200)
    assert page.evaluate("[listeners(), document.querySelector('main').childElementCount, stage.motion.time]") == [0, 0, time]
    assert page.errors == []


def test_the_theme_is_that_of_the_page(browser):
    context = browser.new_context(color_scheme="dark")
    page = stage_page(context, **{**TWO, "hands": True}, width="640px")
    for part in (".stage-sphere", ".stage-curve", ".stage-hands"):
        assert pixels(page.locator(part))[-1, 0].tolist() == [21, 25, 30], part
    page.emulate_media(color_scheme="light")
    page.evaluate(FRAME)
    page.evaluate(FRAME)
    for part in (".stage-sphere", ".stage-curve", ".stage-hands"):
        assert pixels(page.locator(part))[-1, 0].tolist() == [255, 255, 255], part
    context.close()


@pytest.mark.parametrize("state", [ONE, TWO, {**TWO, "hands": True, "plain": True}])
@pytest.mark.parametrize("size", [(390, 844), (360, 640)])
def test_on_a_phone_it_takes_less_than_half_of_the_height(browser, state, size):
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, has_touch=True, is_mobile=True)
    page = stage_page(context, **state, width="100%")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.locator(".stage").bounding_box()["height"] <= 0.45 * size[1] - 9
    page.evaluate("model.set('order', 0.3)")
    wait_until(page, "document.querySelector('.stage-reading').textContent.includes('0.30')")
    assert page.locator(".stage-reading").evaluate("e => e.scrollWidth <= e.clientWidth")
    assert page.locator(".stage-sphere").bounding_box()["width"] >= 0.2 * size[1]
    for button in page.locator(".stage button").locator("visible=true").all():
        box = button.bounding_box()
        assert box["height"] >= 40
        assert box["width"] >= 40
        assert box["x"] + box["width"] <= size[0]
    context.close()


def test_the_story_shows_no_expert_row_and_opens_in_line(context):
    page = stage_page(
        context,
        **{**ONE, "kind": "alone", "values": {"width": 0.3}, "plain": True, "start": "aligned", "hands": True},
        width="640px",
    )
    assert not page.get_by_label("turn with the spins").is_visible()
    assert not page.locator(".stage select").is_visible()
    assert page.locator(".stage-legend").inner_text().split("\n") == ["one clock", "average", "its path, from theory"]
    assert page.get_by_role("button", name="Kick").is_visible()
    paused(page)
    page.evaluate("stage.lineUp()")
    page.evaluate("stage.motion.advance(1)")
    assert phase(page) == pytest.approx(1, abs=1e-6)  # a clock alone turns with the speed 1
    page.get_by_role("button", name="New random start").click()
    assert page.evaluate("Math.max(...stage.motion.z.map(Math.abs))") == 0  # hands of full length
    assert page.evaluate("stage.motion.order") < 0.25
