"""A saved page plays in a browser without a network, and its model does what anywidget's does."""

import io
import re
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.image import imread

import spinsync as ss
from browser import errors_of
from spinsync.widget.saved import HERE

TIMES = np.linspace(0, 6, 61)
PAIR = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=16.0, theta=-1.2)


@pytest.fixture
def sphere():
    return ss.show(ss.evolve(PAIR, TIMES))


def opened(browser, file, **options):
    """The file in a browser without a network; anything but the file that is requested is an error of the page."""
    context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
    context.set_offline(True)
    page = context.new_page()
    page.errors = errors_of(page)
    page.on("request", lambda r: None if r.url.startswith((file.as_uri(), "data:")) else page.errors.append(r.url))
    page.goto(file.as_uri())
    page.locator(".spinsync-sphere").wait_for()
    return page


def pixels(locator):
    return (255 * imread(io.BytesIO(locator.screenshot()))[..., :3]).round()


@pytest.mark.browser
def test_the_file_plays_without_a_network(browser, tmp_path, sphere):
    from playwright.sync_api import expect

    sphere.speed = 0.25
    page = opened(browser, sphere.save(tmp_path / "run.html"))
    canvas, clock = page.locator(".spinsync-sphere"), page.locator(".spinsync-clock")
    first = pixels(canvas)
    expect(clock).not_to_have_text(clock.text_content())
    assert (pixels(canvas) != first).any()
    assert page.title() == "run: a run on the Bloch sphere"
    page.get_by_role("button", name="Pause").click()
    page.get_by_label("colour").select_option("phase")
    page.get_by_label("speed").select_option("4×")
    page.get_by_label("trails").uncheck()
    page.get_by_role("button", name="Play").click()
    expect(clock).to_contain_text("t = 6.00", timeout=20_000)  # it stops at the end
    page.get_by_role("button", name="Play").wait_for()
    assert page.errors == []
    page.context.close()


@pytest.mark.browser
def test_the_file_can_be_used_by_keyboard(browser, tmp_path, sphere):
    from playwright.sync_api import expect

    sphere.playing, sphere.frame = False, 20.0
    page = opened(browser, sphere.save(tmp_path / "run.html"))
    page.keyboard.press("Tab")
    canvas, clock = page.locator(".spinsync-sphere"), page.locator(".spinsync-clock")
    expect(canvas).to_be_focused()
    expect(clock).to_contain_text("t = 2.00")
    for key, time in ((".", "2.10"), ("End", "6.00"), (",", "5.90"), ("Home", "0.00")):
        page.keyboard.press(key)
        expect(clock).to_contain_text(f"t = {time}")
    first = pixels(canvas)
    page.keyboard.press("ArrowRight")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert (pixels(canvas) != first).any()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Pause").wait_for()
    expect(canvas).to_have_attribute("aria-label", re.compile("^Bloch sphere with 2 groups"))
    assert page.errors == []
    page.context.close()


@pytest.mark.browser
def test_the_file_follows_the_theme_of_the_system(browser, tmp_path, sphere):
    from playwright.sync_api import expect

    sphere.playing = False
    file = sphere.save(tmp_path / "run.html")
    for theme, other in (("dark", "light"), ("light", "dark")):
        page = opened(browser, file, color_scheme=theme)
        for now in (theme, other):
            page.emulate_media(color_scheme=now)
            expect(page.locator(".spinsync")).to_have_attribute("data-theme", now)
            page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            image = pixels(page)
            ground = [21, 25, 30] if now == "dark" else [255, 255, 255]
            assert image[-1, -1].tolist() == ground  # of the page, and of the widget
            assert pixels(page.locator(".spinsync-curve").first)[1, 1].tolist() == ground
        assert page.errors == []
        page.context.close()


@pytest.mark.browser
def test_the_file_fits_a_narrow_screen(browser, tmp_path, sphere):
    page = opened(browser, sphere.save(tmp_path / "run.html"), viewport={"width": 390, "height": 800}, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = [page.locator(f".spinsync-{part}").first.bounding_box() for part in ("sphere", "curves", "bar")]
    for above, below in pairwise(boxes):
        assert above["y"] + above["height"] <= below["y"]
    assert boxes[0]["width"] > 330
    page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 700, 390])
def test_two_curves_share_the_height_beside_or_below_the_sphere(browser, tmp_path, sphere, width):
    page = opened(browser, sphere.save(tmp_path / "run.html"), viewport={"width": width, "height": 800})
    around = page.locator(".spinsync-curves").bounding_box()
    first, second = (page.locator(".spinsync-curve").nth(k).bounding_box() for k in range(2))
    assert first["y"] == around["y"]
    assert second["y"] == pytest.approx(first["y"] + first["height"] + 8)
    assert second["y"] + second["height"] == pytest.approx(around["y"] + around["height"])
    assert first["width"] == second["width"] == around["width"]
    page.context.close()


@pytest.mark.browser
def test_the_policy_forbids_requests_and_foreign_scripts(browser, tmp_path, sphere):
    page = opened(browser, sphere.save(tmp_path / "run.html"))
    refused = page.evaluate(
        """async () => {
            const refused = [];
            document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
            await fetch("http://127.0.0.1:9/").catch(() => 0);
            document.body.append(Object.assign(new Image(), { src: "http://127.0.0.1:9/a.png" }));
            document.body.append(Object.assign(document.createElement("script"), { textContent: "window.ran = 1" }));
            await new Promise((done) => setTimeout(done, 200));
            return [refused.sort(), window.ran ?? null];
        }"""
    )
    assert refused == [["connect-src", "img-src", "script-src-elem"], None]
    page.context.close()


@pytest.mark.browser
def test_the_model_without_a_notebook_does_what_that_of_anywidget_does(browser):
    source = (HERE / "model.js").read_text(encoding="utf-8")
    page = browser.new_page()
    page.add_script_tag(content=source + "\nObject.assign(window, { LocalModel, decoded });", type="module")
    found = page.evaluate(
        """() => {
            const sent = [], heard = [], model = new LocalModel({ a: 1, b: 2, c: NaN }, (changes) => sent.push(changes));
            const one = () => heard.push(`a=${model.get("a")}`), any = () => heard.push("any");
            model.on("change:a", one); model.on("change:a", one); model.on("change", any);
            model.set("a", 1); model.set("c", NaN); model.save_changes();
            model.set("a", 3); model.set("b", 4); model.save_changes();
            model.off("change:a", one); model.off("change:none", one); model.set("a", 5);
            model.off(null, any); model.set("a", 6);
            model.on("change:a", one); model.off("change:a"); model.on("change:b", one); model.off();
            model.set("a", 7); model.set("b", 8); model.save_changes();
            const { x, ...rest } = decoded({ run: { x: { base64: "AAECAw==" }, names: ["a", null], n: 1 } }).run;
            return { sent, heard, x: [x instanceof DataView, x.byteLength, x.getUint8(3)], ...rest };
        }"""
    )
    assert found == {
        "sent": [{"a": 3, "b": 4}, {"a": 7, "b": 8}], "heard": ["a=3", "any", "any", "any"],
        "x": [True, 4, 3], "names": ["a", None], "n": 1,
    }  # fmt: skip
    page.close()
