"""Sweeps at their limits: many chunks through one Dask scheduler, two workers, a diagram of 10^8 points and its picture.

python -m benchmarks.sweeps [--chunks 100000] [--rounds 5] [--points 1e8]
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr

import spinsync as ss

SUMS = 1_500_000  # of `work`: about a tenth of a second
POINTS, CHUNK = 200, 10  # of the sweep by one and by two workers: chunks of a second


def tiny(x: float) -> float:
    return float(x)


def work(x: float) -> float:
    """A fixed amount of computing."""
    total = 0
    for i in range(SUMS):
        total += i * i
    return float(total % 7) + x


@contextmanager
def workers(number: int) -> Iterator[Any]:
    """A client of a scheduler with as many worker processes of one thread."""
    import distributed

    options = {"threads_per_worker": 1, "processes": True, "dashboard_address": ":0", "host": "127.0.0.1"}
    with distributed.LocalCluster(n_workers=number, **options) as cluster, distributed.Client(cluster) as client:
        client.wait_for_workers(number)
        yield client


def mebibytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def chunks(number: int, folder: Path) -> None:
    """All chunks of one point through one scheduler."""
    with workers(2) as client:
        began = time.perf_counter()
        found = ss.sweep(tiny, {"x": np.arange(float(number))}, chunk=1, executor=client, store=folder / "chunks.zarr")
        seconds = time.perf_counter() - began
        right = bool((found.tiny.values == np.arange(number)).all())
    each = 1e3 * seconds / number
    print(
        f"{number} chunks: {seconds:.0f} s, {each:.1f} ms each, {'all' if right else 'NOT all'} right, {mebibytes()} MiB",
        flush=True,
    )


def scaling(rounds: int, folder: Path) -> None:
    """Time of one worker by that of two."""
    ratios = []
    for index in range(rounds):
        seconds = []
        for number in (1, 2):
            with workers(number) as client:
                ss.sweep(work, {"x": np.arange(2.0 * CHUNK)}, chunk=CHUNK, executor=client)  # starts everything
                began = time.perf_counter()
                store = folder / f"workers{index}_{number}.zarr"
                ss.sweep(work, {"x": np.arange(float(POINTS))}, chunk=CHUNK, executor=client, store=store)
                seconds.append(time.perf_counter() - began)
        ratios.append(seconds[0] / seconds[1])
        print(f"one worker {seconds[0]:.1f} s, two {seconds[1]:.1f} s: {ratios[-1]:.2f} times", flush=True)
    print(f"median of {rounds}: {statistics.median(ratios):.2f} times", flush=True)


def diagram(points: int, folder: Path) -> None:
    """Regime and order parameter of one group into a store, and a picture from it."""
    side, store = round(points**0.5), folder / "diagram.zarr"
    laser = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    axes = {"coupling": np.linspace(0.01, 20, side), "gain": np.linspace(0.1, 10, side)}
    began = time.perf_counter()
    ss.sweep(ss.regime, axes, model=laser, store=store, variables=["regime", "order_parameter"])
    print(f"{side**2:.0e} points: {time.perf_counter() - began:.0f} s, {mebibytes()} MiB", flush=True)
    mpl.use("Agg")
    began = time.perf_counter()
    ss.plot.save(ss.plot.phase_diagram(xr.open_zarr(store, consolidated=False)).figure, folder / "diagram.png")
    print(f"its picture: {time.perf_counter() - began:.0f} s, {mebibytes()} MiB", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--points", type=float, default=1e8)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        chunks(given.chunks, Path(name))  # the largest memory so far grows from one to the next
        scaling(given.rounds, Path(name))
        diagram(round(given.points), Path(name))
