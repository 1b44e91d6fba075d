"""A sweep that tests interrupt: `python interrupted_script.py KIND FOLDER [POINTS]`."""

import os
import sys
import time
from pathlib import Path

import numpy as np

import spinsync as ss
from spinsync.sweeps.units import Runner

sys.path.insert(0, str(Path(__file__).parent))
from stored_sweeps import note

CHUNK = 4


def slow(x, folder, seconds):
    note(folder, x)
    time.sleep(seconds)
    return x**0.5


def run(kind, folder, points=60):
    """One sweep of user functions in this process or in two others, or of regimes."""
    os.environ["SPINSYNC_THREADS"] = "2" if kind == "processes" else "1"
    store = Path(folder) / "store"
    if kind == "regimes":
        pair = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2)
        axes = {"detuning": np.linspace(1, 30, points), "coupling": np.linspace(5, 25, 6)}
        return ss.sweep(ss.regime, axes, model=pair, chunk=CHUNK, store=store)
    seconds = float(os.environ.get("SWEEP_SECONDS", "0.005"))
    return ss.sweep(slow, {"x": range(points)}, chunk=CHUNK, store=store, folder=str(folder), seconds=seconds)


def pausing(compute):
    """A unit of work that takes a while, so that a kill finds it at work also where this test waits for its turn."""

    def unit(*arguments):
        time.sleep(0.02)
        return compute(*arguments)

    return unit


if __name__ == "__main__":
    if sys.argv[1] == "regimes":
        Runner.__call__ = pausing(Runner.__call__)
    run(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
    print("finished")
