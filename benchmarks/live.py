"""Speed of the widget in Chromium: script time per frame with 5000 spins.

python -m benchmarks.live [--rounds 40]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

import spinsync as ss

sys.path.append(str(Path(__file__).parent.parent / "tests"))  # for the browser

from browser import chromium, widget_page


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
    """Print median and 95 % quantile of the script time."""
    with chromium() as browser:
        for step in (0.02, 0.1):
            report(f"script per frame, 5000 spins, {step} rad per time step", frames(browser, step, rounds))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    measure(parser.parse_args().rounds)
