"""Frames per second of a movie of 500 spins, 800 x 800: drawing alone, and the whole movie file.

python -m benchmarks.movies
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import xarray as xr

import spinsync as ss
from spinsync.plot import movies, video_files
from spinsync.plot.renderer import Renderer
from spinsync.plot.spheres import View

SPINS, SIZE, FRAMES, RATE = 500, 800, 300, 30


def many_dots() -> xr.Dataset:
    """A run of two groups of spins from random points on the sphere, short enough that they stay apart."""
    pair = ss.Ensemble.pair(detuning=6.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2)
    start = np.random.default_rng(0).normal(size=(SPINS, 3))
    start /= 1.01 * np.linalg.norm(start, axis=1, keepdims=True)
    return ss.evolve(pair, np.linspace(0, 0.5, 201), initial=start, each=True)


def measure(frames: int = FRAMES) -> dict[str, float]:
    """Print and return frames per second: of drawing, of a GIF, and of an MP4 if ffmpeg is installed."""
    run = many_dots()
    span = float(run.time[-1])
    step = span / (frames - 1)
    renderer = Renderer(  # with trails as in a movie
        run, size=SIZE, view=View(-50, 22), frame=0.0, trail=step * RATE / 2, step=step / movies.TRAIL_POINTS_PER_FRAME,
        cycle=True,
    )  # fmt: skip
    renderer.image(0.0)  # compile
    begin = time.perf_counter()
    for at in np.linspace(0, span, frames).tolist():
        renderer.image(at)
    speeds = {"images": frames / (time.perf_counter() - begin)}
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("gif", "mp4") if video_files.ffmpeg() else ("gif",):
            begin = time.perf_counter()
            file = Path(folder) / f"spins.{kind}"
            ss.plot.movie(run, file, size=SIZE, frames_per_second=RATE, speed=step * RATE, progress=False)
            speeds[kind] = frames / (time.perf_counter() - begin)
    print(f"movie of {SPINS} spins, {SIZE} x {SIZE}, {frames} frames")
    for name, speed in speeds.items():
        print(f"  {name:<6} {speed:6.1f} frames/s", flush=True)
    return speeds


if __name__ == "__main__":
    measure()
