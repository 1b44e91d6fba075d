"""A page with nothing but the live stage, served with the content security policy of the explorer."""

import json
from pathlib import Path

import spinsync.interfaces.explorer
from browser import errors_of
from spinsync.widget.scripts import model_module, sphere_module

ORIGIN = "http://stage.test"
FILES = Path(spinsync.interfaces.explorer.__file__).parent / "page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>stage</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="icon.svg">
<link rel="stylesheet" href="theme.css"><link rel="stylesheet" href="stage.css"></head>
<body><main id="here"></main><script type="module" src="start.js"></script></body></html>"""
START = """
import stage from "./stage.js";
import { LocalModel, decoded } from "./model.js";
const state = decoded(await (await fetch("state.json")).json());
window.model = new LocalModel(state);
window.listeners = () => [...window.model.handlers.values()].reduce((sum, all) => sum + all.size, 0);
window.end = stage.render({ model: window.model, el: document.getElementById("here") });
window.stage = document.querySelector(".stage").stage;
"""
THEME = """
:root { color-scheme: light dark; --page: #ffffff; --ink: #30363d; --line: #8a929b; --soft: #f4f6f8; }
:root { --accent: #0072b2; --focus: #0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --page: #15191e; --ink: #c9d1d9; --line: #808a95; --soft: #20262d; --accent: #56b4e9; --focus: #56b4e9; }
}
body { margin: 0; color: var(--ink); background: var(--page); font: 14px/1.45 system-ui, sans-serif; }
main { width: WIDTH; margin: 0 auto; }
@media (max-width: 759px) {
  main { box-sizing: border-box; position: sticky; top: 0; max-height: 45svh; padding: 4px 16px; overflow: hidden; }
}
"""
ICON = '<svg xmlns="http://www.w3.org/2000/svg"/>'


def stage_page(context, *, width="430px", ready="window.stage?.frames.length > 1", **state):
    """A page with a stage of this width in its column. `state`: the traits of its model; `ready`: what is waited for."""
    page = context.new_page()
    page.errors = errors_of(page)
    texts = {
        "": PAGE,
        "start.js": START,
        "theme.css": THEME.replace("WIDTH", width),
        "icon.svg": ICON,
        "sphere.js": sphere_module(),
        "model.js": model_module(),
        "state.json": json.dumps(state),
    }
    kinds = {"": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml", "json": "application/json"}

    def answer(route):
        name = route.request.url.removeprefix(ORIGIN + "/")
        if name not in texts and not (FILES / name).is_file():
            page.errors.append(f"requested {route.request.url}")
            return route.abort()
        body = texts[name] if name in texts else (FILES / name).read_text()
        headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
        return route.fulfill(content_type=kinds[name.rpartition(".")[2]], body=body, headers=headers)

    page.route("**/*", answer)
    page.goto(ORIGIN + "/")
    wait_until(page, ready)
    return page


def wait_until(page, expression, argument=None, seconds=20):
    """Wait for a JavaScript expression to be true. Playwright's wait_for_function needs eval, which the policy forbids."""
    for _ in range(20 * seconds):
        if page.evaluate(expression, argument):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"not true within {seconds} s: {expression}; errors of the page: {page.errors}")
