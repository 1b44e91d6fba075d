"""The explorer in a real browser: pages open, sliders move the state, keys work, nothing leaves this machine."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from browser import chromium, errors_of

pytestmark = pytest.mark.browser
WORDS = ".ex-words"


@contextmanager
def served(*options):
    """A running explorer, and the address that opens it."""
    command = [sys.executable, "-m", "spinsync", "explore", "--no-browser", *options]
    strict = os.environ | {"PYTHONWARNINGS": "error"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=strict)
    try:
        said = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/\?access_token=\S+", said)
        assert found, said
        yield found.group(), process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def address():
    with served() as (where, _):
        yield where


@contextmanager
def visit(browser, address, tab=None, **options):
    """A page of a visitor of his own; it must not complain, nor ask anything of another machine."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(60_000)
    errors, home = errors_of(page), address.split("?")[0]
    page.errors = errors
    page.on("request", lambda r: r.url.startswith((home, "data:", "blob:")) or errors.append(f"asked for {r.url}"))
    page.goto(address)
    page.get_by_role("tab", name="Story").wait_for()
    if tab:
        turn_to(page, tab)
    page.locator(WORDS).first.wait_for()
    yield page
    assert errors == []
    context.close()


FIRST = {"One ensemble": "Synchronized.", "Two groups": "Full harmony.", "Few spins": "20 spins", "Story": "Each goes its"}


def turn_to(page, tab):
    """Open a page and wait for its first words."""
    page.get_by_role("tab", name=tab).click()
    says(page, FIRST[tab])


def says(page, words, which=0):
    """Wait until the words of the page begin so."""
    page.locator(WORDS).nth(which).get_by_text(re.compile(f"^{re.escape(words)}")).first.wait_for()


def put(page, label, value):
    """Type a number into the field beside a slider."""
    field = page.get_by_label(f"{label}, as a number").first
    field.fill(str(value))
    field.press("Enter")


def test_one_ensemble_follows_its_slider_and_its_keys(browser, address):
    with visit(browser, address) as page:
        says(page, "Synchronized.")
        slider = page.get_by_role("slider", name="coupling V/γ")
        slider.press("Home")
        says(page, "Incoherent.")
        assert "below the critical coupling 4." in page.locator(WORDS).inner_text()
        slider.press("End")
        says(page, "Synchronized.")
        diagram = page.get_by_role("img", name="Diagram of the order parameter")
        assert "V/γ = 30, r = 3" in diagram.get_attribute("aria-label")
        diagram.press("ArrowUp")
        page.get_by_role("img", name="V/γ = 30, r = 3.12").wait_for()
        page.locator(".ex-plot image").wait_for()  # the colours come piece by piece
        box = diagram.bounding_box()
        diagram.click(position={"x": 60, "y": box["height"] - 60})  # weak coupling, little gain
        says(page, "Incoherent.")


def test_tabs_by_keyboard_and_in_the_address(browser, address):
    with visit(browser, address) as page:
        page.get_by_role("tab", name="One ensemble").focus()
        seen = []
        for _ in range(4):
            page.keyboard.press("ArrowRight")
            seen.append(page.get_by_role("tab", selected=True).inner_text())
            says(page, FIRST[seen[-1]])
        assert seen == ["Two groups", "Few spins", "Story", "One ensemble"]
        page.keyboard.press("End")
        says(page, FIRST["Story"])
        page.keyboard.press("ArrowLeft")
        says(page, FIRST["Few spins"])
        page.reload()
        says(page, FIRST["Few spins"])


def test_a_finger_scrolls_past_a_diagram_and_taps_to_choose(browser, address):
    with visit(browser, address, viewport={"width": 390, "height": 844}, has_touch=True) as page:
        diagram = page.get_by_role("img", name="Diagram of the order parameter")
        assert diagram.evaluate("e => getComputedStyle(e).touchAction") == "pan-y"
        diagram.dispatch_event("pointermove", {"pointerType": "touch", "buttons": 1, "clientX": 100, "clientY": 100})
        diagram.tap(position={"x": 60, "y": diagram.bounding_box()["height"] - 60})
        says(page, "Incoherent.")


def test_what_was_asked_while_offline_is_asked_again(browser, address):
    with visit(browser, address) as page:
        page.context.set_offline(True)
        put(page, "coupling V/γ", 2)
        page.wait_for_timeout(500)
        page.context.set_offline(False)
        says(page, "Incoherent.")
        page.errors.clear()  # the browser told that it was offline


def test_too_much_is_said(browser, address):
    with visit(browser, address) as page:
        put(page, "coupling V/γ", 1000)
        page.get_by_text("coupling V/γ goes from 0 to 30 here, but is 1000.").wait_for()
        assert page.get_by_role("slider", name="coupling V/γ").input_value() == "30"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_three_regimes_in_words(browser, address, scheme):
    with visit(browser, address, "Two groups", color_scheme=scheme) as page:
        for detuning, words in ((2, "Full harmony."), (5.7, "Phase-trapped."), (8, "Partial harmony.")):
            put(page, "detuning Δ/γ", detuning)
            says(page, words)
        page.locator(".ex-legend").get_by_text("phase-trapped").wait_for()
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == scheme


def test_few_spins(browser, address):
    with visit(browser, address, "Few spins") as page:
        says(page, "20 spins")
        page.get_by_role("slider", name="number of spins N").press("ArrowRight")
        says(page, "21 spins")
        page.get_by_role("img", name="Emission spectrum").wait_for()


def test_code_is_copied_and_data_come_down(browser, address):
    with visit(browser, address, permissions=["clipboard-read", "clipboard-write"]) as page:
        put(page, "coupling V/γ", 9)
        page.get_by_role("img", name="V/γ = 9,").wait_for()
        page.get_by_role("button", name="Copy as Python").click()
        page.get_by_role("button", name="Copied").wait_for()
        assert "coupling=9.0" in page.evaluate("navigator.clipboard.readText()")
        for name, first in (("Figure (PDF)", b"%PDF"), ("Data (Zarr)", b"PK")):
            with page.expect_download() as coming:
                page.get_by_text(name).click()
            with open(coming.value.path(), "rb") as file:
                assert file.read(4).startswith(first)


def test_the_story_opens_and_its_steps_answer(browser):
    with served("--story") as (address, _), visit(browser, address) as page:
        assert "page=story" in address
        assert page.get_by_role("heading", level=2).count() == 6
        says(page, "Each goes its own way.")
        page.get_by_role("slider", name="spread of their own frequencies").press("Home")
        says(page, "Equal metronomes stay in step")
        page.get_by_role("slider", name="coupling V/γ").first.press("Home")
        says(page, "Incoherent.", 3)
        page.get_by_role("slider", name="detuning Δ/γ").press("End")
        says(page, "Partial harmony.", 5)


BOXES = "all => all.map((e) => e.getBoundingClientRect()).map((box) => [box.left, box.right])"


def test_a_narrow_screen_is_usable(browser, address):
    with visit(browser, address, viewport={"width": 390, "height": 844}) as page:
        for tab in ("One ensemble", "Two groups", "Few spins", "Story"):
            turn_to(page, tab)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            sliders = page.locator(".ex-row input[type=range]").evaluate_all(BOXES)
            fields = page.locator(".ex-row input[type=number]").evaluate_all(BOXES)
            plots = page.locator(".ex-plot").evaluate_all(BOXES)
            assert min(right - left for left, right in sliders) > 200
            assert min((right - left for left, right in plots), default=300) > 250
            assert all(0 <= left < right <= 390 for left, right in sliders + fields + plots)


def test_two_browsers_do_not_share_state(browser, address):
    with visit(browser, address) as mine, visit(browser, address) as yours:
        put(mine, "coupling V/γ", 2)
        says(mine, "Incoherent.")
        assert yours.get_by_role("slider", name="coupling V/γ").input_value() == "12"
        yours.get_by_role("slider", name="coupling V/γ").press("ArrowRight")
        yours.get_by_role("img", name="V/γ = 12.1,").wait_for()
        says(yours, "Synchronized.")
        says(mine, "Incoherent.")


def test_a_key_changes_the_words_and_rebuilds_nothing(browser, address):
    """How soon is for `python -m benchmarks.live`."""
    for tab, label in (("One ensemble", "coupling V/γ"), ("Two groups", "detuning Δ/γ"), ("Few spins", "coupling V/γ")):
        with visit(browser, address, tab) as page:
            slider, words = page.get_by_role("slider", name=label).first, page.locator(WORDS).first
            parts = [part.element_handle() for part in (slider, words, page.locator(".ex-plot").first)]
            before = words.inner_html()
            slider.press("ArrowRight")
            page.wait_for_function("([e, before]) => e.innerHTML !== before", arg=[parts[1], before])
            assert all(part.evaluate("e => e.isConnected") for part in parts)


def _status(address, path, token, body=None):
    host = address.split("/?")[0]
    request = urllib.request.Request(f"{host}{path}", data=None if body is None else json.dumps(body).encode())
    if token:
        request.add_header("Authorization", f"Bearer {address.partition('access_token=')[2]}")
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.url
    except urllib.error.HTTPError as error:
        return error.code, error.url


def test_without_the_token_there_is_nothing(address):
    status, where = _status(address, "/", token=False)
    assert "/auth/login" in where or status in (401, 403)
    assert _status(address, "/api/status", token=False)[0] in (401, 403)
    assert _status(address, "/?access_token=wrong", token=False)[1].count("/auth/login") == 1


def test_nobody_can_have_code_run(address):
    body = {"cellIds": ["x"], "codes": ["import os; os._exit(3)"]}
    for path in ("/api/kernel/run", "/api/kernel/scratchpad/run", "/api/files/list_files"):
        assert _status(address, path, token=True, body=body)[0] in (401, 403, 404), path


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGINT for a child on Windows")
def test_ctrl_c_ends_it(browser):
    with served() as (address, process), visit(browser, address):
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert "Traceback" not in process.stderr.read()
