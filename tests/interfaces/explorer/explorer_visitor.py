"""A running explorer and a visitor in a real browser, for the tests of the page."""

import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager

from browser import errors_of

WORDS = ".words"
TABS = ("One ensemble", "Two groups", "N spins", "Story")
#: what the words of a page begin with at its start values
FIRST = {"One ensemble": "Synchronized.", "Two groups": "Full synchronization.", "N spins": "20 spins", "Story": ""}
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@contextmanager
def served(*options):
    """A running explorer, and the address that opens it."""
    command = [sys.executable, "-m", "spinsync", "explore", "--no-browser", *options]
    strict = os.environ | {"PYTHONWARNINGS": "error"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=strict)
    try:
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/\?access_token=\S+", line)
        assert found, line
        yield found.group(), process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def visit(browser, address, tab=None, *, query="", script="", **options):
    """A page of a visitor with cookies of its own; it must not complain, nor ask anything of another machine.

    `script`: JavaScript that runs before that of the page.
    """
    context = browser.new_context(**{"viewport": DESKTOP, "reduced_motion": "reduce", **options})  # the sphere stands still
    context.add_init_script(script)
    page = context.new_page()
    page.set_default_timeout(20_000)
    errors, home = errors_of(page), address.split("/?")[0]
    page.errors, page.home = errors, home
    page.on("request", lambda r: r.url.startswith((home, home.replace("http", "ws"))) or errors.append(f"asked for {r.url}"))
    page.goto(address + query)
    page.get_by_role("tab", name="Story").wait_for()
    if tab:
        turn_to(page, tab)
    page.locator(WORDS).locator("visible=true").first.wait_for()
    yield page
    assert errors == [], errors
    context.close()


def turn_to(page, tab):
    """Open a page and wait for its first words."""
    page.get_by_role("tab", name=tab).click()
    says(page, FIRST[tab])


def says(page, words):
    """Wait until the visible words begin so."""
    page.locator(WORDS).locator("visible=true").get_by_text(re.compile(f"^{re.escape(words)}")).first.wait_for()


def wait_until(page, expression, argument=None, seconds=60):
    """Wait until JavaScript gives true; Playwright's own way needs `eval`, which the page forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression, argument):
        assert time.monotonic() < end, f"never: {expression}"
        page.wait_for_timeout(30)


def settled(page):
    """Wait until nothing is computed any more."""
    page_open = "document.querySelector('.page:not([hidden])')"
    quiet = f"!{page_open}.querySelector('.busy') && !{page_open}.querySelector('.status').textContent"
    for _ in range(3):  # also between two steps of an answer
        wait_until(page, quiet)
        page.wait_for_timeout(100)


def label(page, name):
    """The label of a control on the page that is open."""
    pages = json.loads(page.locator("#catalogue").evaluate("e => e.textContent"))["pages"]
    here = page.locator(".page:not([hidden])").get_attribute("id").removeprefix("page-")
    controls = next(one for one in pages if one["key"] == here)["controls"]
    return next(control["label"] for control in controls if control["name"] == name)


def slider(page, name):
    """The slider of a control."""
    return page.locator(".page:not([hidden])").get_by_role("slider", name=label(page, name), exact=True)


def field(page, name):
    """The number field beside the slider of a control."""
    return page.locator(".page:not([hidden])").get_by_label(f"{label(page, name)}, as a number", exact=True)


def put(page, name, value):
    """Type a number into the field beside a slider."""
    field(page, name).fill(str(value))
    field(page, name).press("Enter")


def the_map(page):
    """The picture that can be clicked."""
    return page.locator(".page:not([hidden]) svg.clickable").first


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
