"""Speed of the live pages in Chromium: script time per frame with 5000 spins, and, of the explorer, the time to the first
motion, the delay from a key press to updated text and the intervals between frames.

python -m benchmarks.live [--rounds 40]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import spinsync as ss

sys.path.extend(str(Path(__file__).parent.parent / "tests" / name) for name in (".", "interfaces/explorer"))  # for the browser
from browser import chromium, widget_page
from explorer_page import served, settled, slider, visit, wait_until

SLIDERS = (("One ensemble", "V"), ("Two groups", "detuning"), ("Few spins", "V"))
WATCH = """() => {
  addEventListener("keydown", () => (window.pressed = performance.now()), { capture: true, once: true });
  window.changed = new Promise((done) => {
    const watch = new MutationObserver(() => (watch.disconnect(), done(performance.now())));
    const words = document.querySelector(".page:not([hidden]) .words");
    watch.observe(words, { childList: true, subtree: true, characterData: true });
  });
}"""
INTERVALS = "document.querySelector('.page:not([hidden]) .stage').stage.frames"


def delays(page, name, count):
    """Milliseconds from a key press on a slider to updated text."""
    slider(page, name).focus()
    times = []
    for k in range(count):
        page.evaluate(WATCH)
        page.keyboard.press("PageDown" if k % 2 else "PageUp")
        times.append(page.evaluate("window.changed.then((t) => t - window.pressed)"))
    return times


def first_sight(browser):
    """Seconds from the command to a sphere that moves, on a page that was never opened before."""
    begun = time.monotonic()
    with served() as (address, _), visit(browser, address, reduced_motion="no-preference") as page:
        wait_until(page, f"{INTERVALS}.length > 5")
        return time.monotonic() - begun


def frames(browser: Any, step: float, rounds: int) -> np.ndarray:
    """Milliseconds of script per frame: spins all over the sphere, with trails, which rotate by `step` between two times."""
    rng = np.random.default_rng(0)
    start = rng.normal(size=(5000, 3))
    start /= np.linalg.norm(start, axis=1)[:, None]
    still = ss.Ensemble.single(gain=0.0, damping=0.0, coupling=0.0, theta=0.0)
    run = ss.evolve(still, np.arange(200.0), each=True, initial=start)
    frequency = step * rng.normal(1, 0.2, 5000)
    run = run.assign(spin_coherence=run.spin_coherence * np.exp(-1j * np.outer(run.time, frequency)))
    context = browser.new_context(viewport={"width": 1100, "height": 700})
    page = widget_page(context, ss.show(run, colour="phase"))
    page.wait_for_function("player.drawTimes.length > 30")  # compiled after these
    page.evaluate("player.drawTimes.length = 0")
    page.wait_for_function(f"player.drawTimes.length > {rounds}")
    times = np.array(page.evaluate("player.drawTimes"))
    context.close()
    return times


def report(what: str, times: Any) -> None:
    print(f"{what}: median {np.median(times):.1f} ms, 95 % within {np.quantile(times, 0.95):.1f} ms", flush=True)


def measure(rounds: int) -> None:
    """Print median and 95 % quantile of all times."""
    with chromium() as browser:
        for step in (0.02, 0.1):
            report(f"script per frame, 5000 spins, {step} rad per time step", frames(browser, step, rounds))
        seconds = np.median([first_sight(browser) for _ in range(5)])
        print(f"from the command to a moving sphere: median {seconds:.1f} s", flush=True)
        with served() as (address, _):
            for tab, name in SLIDERS:
                with visit(browser, address, tab, reduced_motion="no-preference") as page:
                    settled(page)
                    delays(page, name, 3)
                    report(f"from a key press to text, {tab}", delays(page, name, rounds))
                    if tab != "Few spins":
                        report(f"between two frames of the stage, {tab}", page.evaluate(INTERVALS))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    measure(parser.parse_args().rounds)
