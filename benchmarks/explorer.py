"""What a visitor of the explorer waits for, in Chromium: first picture, tabs, keys, frames, layout shifts.

python -m benchmarks.explorer [--rounds 5] [--only start tabs keys frames shifts]

Each number is the median of the rounds; the machine must be idle. "Cold": an empty home folder, so that everything is compiled.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

sys.path.extend(str(Path(__file__).parent.parent / "tests" / name) for name in (".", "interfaces/explorer"))
from browser import chromium
from explorer_visitor import served

VIEW = {"width": 1280, "height": 800}
TABS = ("one", "two", "few", "story")
STAGE = "[...document.querySelectorAll('*')].find((e) => e.stage)?.stage"
#: the sphere has turned, and Python has said what the ensemble does
MOVING = f"() => ({STAGE})?.motion.time > 0.05"
SAID = (
    "() => [...document.querySelectorAll('.words, .story-text')].some((e) => e.checkVisibility() && e.textContent.length > 20)"
)
#: words, and in each diagram in sight an image or points, which may still be coarse
USABLE = """() => {
  const seen = (selector) => [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility());
  const painted = (canvas) => canvas.width > 0 && canvas.height > 0
    && canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((v, k) => k % 4 === 3 && v > 0);
  return seen(".words, .story-text").some((e) => e.textContent.length > 20)
    && seen(".plot").every((e) => e.querySelector(".plot-lines circle")
      || (!e.matches(".busy") && e.querySelector(".plot-lines path")) || [...e.querySelectorAll("canvas")].some(painted));
}"""
#: and nothing is computed any more
READY = (
    "() => !document.querySelector('.page:not([hidden]) .busy') && "
    "![...document.querySelectorAll('.status')].some((e) => e.checkVisibility() && e.textContent)"
)


def wait_until(page: Any, condition: str, seconds: float = 30.0) -> None:
    """Poll from here: the content security policy of the page forbids Playwright's own waiting, which evaluates text."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        if time.monotonic() > end:
            raise TimeoutError(condition)
        time.sleep(0.01)


def report(what: str, values: Any, unit: str = "s") -> None:
    """Median and range."""
    print(f"{what}: median {np.median(values):.3g} {unit} (from {min(values):.3g} to {max(values):.3g})", flush=True)


@contextmanager
def home(folder: str | None) -> Iterator[None]:
    """Processes started within have this home folder, and so its compiled code; None: the usual one."""
    with mock.patch.dict(os.environ, {} if folder is None else {"HOME": folder}):
        yield


def start(browser: Any, rounds: int) -> None:
    """From the command to a moving sphere, and to the words beside it."""
    moving, said = [], []
    for _ in range(rounds):
        begin = time.perf_counter()
        with served() as (address, _):
            page = browser.new_page(viewport=VIEW)
            page.goto(address)
            wait_until(page, MOVING)
            moving.append(time.perf_counter() - begin)
            wait_until(page, SAID)
            said.append(time.perf_counter() - begin)
            page.close()
    report("from `spinsync explore` to a moving sphere", moving)
    report("from `spinsync explore` to its words", said)


def tabs(browser: Any, rounds: int) -> None:
    """From an address to a page on which everything stands, of a server of its own each time."""
    for tab in TABS:
        for kind in ("cold", "warm"):
            usable, complete = [], []
            for _ in range(rounds):
                with (
                    tempfile.TemporaryDirectory() as folder,
                    home(folder if kind == "cold" else None),
                    served() as (address, _),
                ):
                    page = browser.new_page(viewport=VIEW)
                    page.goto(f"{address}&page={tab}")
                    begin = time.perf_counter()
                    wait_until(page, SAID)
                    wait_until(page, USABLE, 60)
                    usable.append(time.perf_counter() - begin)
                    wait_until(page, READY, 120)
                    complete.append(time.perf_counter() - begin)
                    page.close()
            report(f"tab {tab} usable, {kind}", usable)
            report(f"tab {tab} complete, {kind}", complete)


WATCH = """([slider, words]) => {
  const motion = STAGE?.motion, set = motion?.set;
  let followed = !motion;
  if (motion) motion.set = function (model) {
    followed = true;
    delete this.set;
    set.call(this, model);
  };
  window.changed = new Promise((done) => slider.addEventListener("keydown", (event) => {
    const pressed = performance.now(), heard = {};
    const finish = () => heard.words !== undefined && heard.frame !== undefined && done(heard);
    new MutationObserver((_, watch) => (watch.disconnect(), (heard.words = performance.now() - pressed), finish()))
      .observe(words, { childList: true, subtree: true, characterData: true });
    let frames = 0;
    const look = () => {
      frames += 1;
      if (!followed && frames < 100) return requestAnimationFrame(look);
      heard.frame = frames;
      finish();
    };
    requestAnimationFrame(look);
  }, { once: true }));
}""".replace("STAGE", STAGE)


def keys(browser: Any, rounds: int) -> None:
    """From a key on the first slider to changed words, and the number of frames until the sphere follows."""
    with served() as (address, _):
        for tab in TABS[:3]:
            page = browser.new_page(viewport=VIEW)
            page.goto(f"{address}&page={tab}")
            wait_until(page, SAID)
            wait_until(page, READY, 120)
            slider = page.locator("input[type=range]:visible").first
            words = page.locator(".words:visible").first
            found = []
            for k in range(8 * rounds):
                page.evaluate(WATCH, [slider.element_handle(), words.element_handle()])
                slider.press("PageDown" if k % 2 else "PageUp")
                found.append(page.evaluate("window.changed"))
                page.wait_for_timeout(150)
            report(f"from a key to words, {tab}", [one["words"] for one in found[3:]], "ms")
            if tab != "few":  # which has no sphere
                report(f"from a key to the sphere, {tab}", [one["frame"] for one in found[3:]], "frames")
            page.close()


def frames(browser: Any, rounds: int) -> None:
    """Intervals between frames with 500 spins, and the time of the script in them."""
    with served() as (address, _):
        page = browser.new_page(viewport=VIEW)
        page.goto(address)
        wait_until(page, READY, 120)
        page.evaluate(f"({STAGE}).model.set('spins', 500)")
        for _ in range(rounds):
            page.evaluate(f"({STAGE}).randomize()")
            intervals = page.evaluate("""() => new Promise((done) => {
              const times = [];
              const look = (now) => (times.push(now), times.length < 600 ? requestAnimationFrame(look) : done(times));
              requestAnimationFrame(look);
            })""")
            steps = np.diff(intervals)
            print(
                f"frames with 500 spins: {np.mean(steps <= 20):.1%} within 20 ms, median {np.median(steps):.1f} ms", flush=True
            )
        script = np.array(page.evaluate(f"({STAGE}).costs"))
        print(
            f"script per frame: median {np.median(script):.2f} ms, 95 % within {np.quantile(script, 0.95):.2f} ms", flush=True
        )
        page.close()


def shifts(browser: Any, rounds: int) -> None:
    """The browser's own measure of what jumps while a slider is dragged by the mouse."""
    with served() as (address, _):
        for tab in TABS:
            page = browser.new_page(viewport=VIEW)
            page.goto(f"{address}&page={tab}")
            wait_until(page, READY, 120)
            page.evaluate("""() => {
              window.shift = 0;
              new PerformanceObserver((list) => list.getEntries().forEach((e) => (window.shift += e.value)))
                .observe({ type: "layout-shift" });
            }""")
            box = page.locator("input[type=range]:visible").first.bounding_box()
            page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + box["height"] / 2)
            page.mouse.down()
            for k in range(40 * rounds):
                share = 0.5 - 0.4 * np.cos(k / 10)
                page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
                page.wait_for_timeout(25)
            page.mouse.up()
            print(f"layout shifts while a slider is dragged, {tab}: {page.evaluate('window.shift')}", flush=True)
            page.close()


MEASURES: dict[str, Callable[[Any, int], None]] = {
    "start": start, "tabs": tabs, "keys": keys, "frames": frames, "shifts": shifts,
}  # fmt: skip

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES))
    given = parser.parse_args()
    with chromium() as opened:
        for name in given.only:
            MEASURES[name](opened, given.rounds)
