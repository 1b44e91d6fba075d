"""The widget in its hosts: a marimo page and a JupyterLab notebook, each from its own server."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from browser import errors_of

pytestmark = pytest.mark.browser
MARIMO = """import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    import numpy as np
    import spinsync as ss

    times = np.linspace(0, 6, 121)
    one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
    return mo, one, ss, times


@app.cell
def _(one, ss, times):
    sphere = ss.show(ss.evolve(one, times))
    sphere
    return (sphere,)


@app.cell
def _(mo):
    coupling = mo.ui.slider(steps=[12.0, 2.0], label="coupling")
    coupling
    return (coupling,)


@app.cell
def _(coupling, one, sphere, ss, times):
    if coupling.value != 12.0:
        sphere.update(ss.evolve(one.replace(coupling=coupling.value), times))
    return


if __name__ == "__main__":
    app.run()
"""
CELLS = (
    """import numpy as np
import spinsync as ss
times = np.linspace(0, 6, 121)
one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
sphere = ss.show(ss.evolve(one, times))
sphere""",
    """sphere.update(ss.evolve(one.replace(coupling=2.0), times))
print("at frame", round(sphere.frame), "playing", sphere.playing)""",
)


@contextmanager
def served(command, folder):
    """Run a server on loopback, with its own home, within the block; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = {name: str(folder / name) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "IPYTHONDIR")}
    home |= {f"JUPYTER_{name}_DIR": str(folder / f"jupyter_{name.lower()}") for name in ("CONFIG", "DATA", "RUNTIME")}
    here = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    with open(folder / "log", "w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", *command, f"--port={port}"], cwd=folder, stdout=log, stderr=log,
            env={**os.environ, **home, "PATH": here},
        )  # fmt: skip
    try:
        for _ in range(300):
            if server.poll() is not None:
                pytest.fail((folder / "log").read_text()[-2000:])
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=20)


def opened(context, address):
    """A page, its errors and warnings, and its requests to other machines."""
    page = context.new_page()
    page.set_default_timeout(60_000)
    errors, foreign = errors_of(page), []
    page.on(
        "request", lambda r: None if r.url.startswith((address.rsplit(":", 1)[0], "data:", "blob:")) else foreign.append(r.url)
    )
    return page, errors, foreign


def shows(page, order):
    """Wait until the clock shows this order parameter."""
    from playwright.sync_api import expect

    expect(page.locator(".spinsync-clock")).to_have_text(re.compile(f"R = {order}"), timeout=60_000)


def plays(page):
    """Check that it plays, and that keys reach it."""
    from playwright.sync_api import expect

    sphere, clock = page.locator(".spinsync-sphere"), page.locator(".spinsync-clock")
    sphere.wait_for()
    expect(clock).not_to_have_text(clock.text_content(), timeout=60_000)
    sphere.focus()
    page.keyboard.press("Space")
    page.keyboard.press("End")
    expect(sphere).to_have_attribute("aria-label", re.compile(r"t = 6\.0+, .*paused\.$"), timeout=60_000)  # Python is notified
    shows(page, r"0\.3")


def test_a_marimo_page(browser, tmp_path):
    (tmp_path / "page.py").write_text(MARIMO)
    context = browser.new_context(viewport={"width": 1100, "height": 800})
    with served(["marimo", "run", "page.py", "--headless", "--no-token", "--host=127.0.0.1"], tmp_path) as address:
        page, errors, foreign = opened(context, address)
        page.goto(address)
        plays(page)
        page.get_by_role("slider").last.focus()
        page.keyboard.press("ArrowRight")
        # order parameter 0 below threshold: Python's `update` has reached the same widget
        shows(page, r"0\.00")
        assert page.locator(".spinsync").count() == 1
        assert (errors, foreign) == ([], [])
        context.close()


def test_a_jupyterlab_notebook(browser, tmp_path):
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "execution_count": None, "outputs": [], "source": text}
        for i, text in enumerate(CELLS)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    (tmp_path / "live.ipynb").write_text(json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    command = [
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        "--IdentityProvider.token=",
        "--LabApp.news_url=",
    ]
    with served(command, tmp_path) as address:
        page, errors, foreign = opened(context, address)
        page.goto(f"{address}/lab/tree/live.ipynb")
        page.get_by_text(re.compile("Python 3.*Idle")).first.wait_for()
        page.locator(".jp-Cell .jp-InputArea-editor").first.click()
        page.keyboard.press("Shift+Enter")
        plays(page)
        page.keyboard.press("b")  # a command of the notebook, which must not receive it
        assert page.locator(".jp-Cell").count() == 2
        page.locator(".jp-Cell .jp-InputArea-editor").nth(1).click()
        page.keyboard.press("Shift+Enter")
        page.get_by_text("at frame 120 playing False").wait_for()
        shows(page, r"0\.00")
        assert page.locator(".spinsync").count() == 1
        assert (errors, foreign) == ([], [])
        context.close()
