"""A headless browser, and a page with only the widget and the model that replaces its Python side."""

import json
import shutil
from contextlib import contextmanager

import pytest

from spinsync.widget.saved import HERE, encoded
from spinsync.widget.sphere import STATE, BlochSphere

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ("--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")
ORIGIN = "http://widget.test"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>widget</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="sphere.css"><link rel="icon" href="data:,">
<style>body {{ margin: 12px; font-family: sans-serif; color: {text}; background: {ground}; }}</style></head>
<body><div id="here"></div><script type="module">
import widget from "./sphere.js";
import {{ LocalModel, decoded }} from "./model.js";
window.sent = [];
const state = decoded(await (await fetch("state.json")).json());
window.model = new LocalModel(state, (changes) => window.sent.push(changes));
window.listeners = () => [...window.model.handlers.values()].reduce((sum, handlers) => sum + handlers.size, 0);
window.end = await widget.render({{ model: window.model, el: document.getElementById("here") }});
window.player = document.querySelector(".spinsync").player;
window.put = (run) => window.model.set("run", decoded(run));
</script></body></html>"""


@contextmanager
def chromium():
    """The system's Chromium, driven by Playwright; skips the test if either is missing."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium (as .ci/run does)")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=False, args=list(QUIET))
        yield browser
        browser.close()


def errors_of(page):
    """A list that collects errors and warnings of the page, except preload warnings of marimo's own images."""
    errors = []

    def add(message):
        if message.type in ("error", "warning") and "was preloaded using link preload" not in message.text:
            errors.append(message.text)

    page.on("console", add)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors


def widget_page(context, sphere: BlochSphere, *, dark=False):
    """A page with only the widget; requests for any other file are refused and recorded as errors."""
    page = context.new_page()
    page.errors = errors_of(page)
    state = {name: getattr(sphere, name) for name in STATE}
    ground = {"text": "#d0d7de", "ground": "#0d1117"} if dark else {"text": "#1f2328", "ground": "#ffffff"}
    files = {
        "/": ("text/html", PAGE.format(**ground)),
        "/sphere.js": ("text/javascript", sphere._esm),
        "/model.js": ("text/javascript", (HERE / "model.js").read_text()),
        "/sphere.css": ("text/css", sphere._css),
        "/state.json": ("application/json", json.dumps(encoded(state))),
    }

    def answer(route):
        path = route.request.url.removeprefix(ORIGIN)
        if path not in files:
            page.errors.append(f"requested {route.request.url}")
            return route.abort()
        kind, body = files[path]
        return route.fulfill(content_type=kind, body=str(body))

    page.route("**/*", answer)
    page.goto(ORIGIN + "/")
    page.wait_for_function("window.player?.sphere.background")
    return page
