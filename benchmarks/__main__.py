"""Run the problems against the peers: medians of interleaved runs, ratios, errors against a reference; as a table and JSON.

python -m benchmarks [--device cuda] [--rounds 5] [--out benchmarks.json] [--small]

On a graphics processor it needs `pip install 'spinsync[bench,cuda]' 'jax[cuda12]'`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from pathlib import Path

import numpy as np

from benchmarks import compiling, crowd, finite_size, first_calls, movies, peers
from benchmarks.peak import operations, peak
from benchmarks.problems import Problem, pair, single
from spinsync.regimes.kernels.cuda_lanes import CudaLanes
from spinsync.regimes.kernels.lanes import Lanes
from spinsync.regimes.kernels.layout import Layout
from spinsync.theory.mean_field import equations

CORES = 2
Entry = tuple[peers.Run, int, Problem]  # who, on how many threads, with which of the points


def _timed(run: peers.Run, problem: Problem, threads: int) -> tuple[float, np.ndarray]:
    begin = time.perf_counter()
    out = run(problem, threads)
    return time.perf_counter() - begin, out


def on_processor(problem: Problem) -> dict[str, Entry]:
    """Who takes part on the cores of a processor; diffrax is too slow for every point."""
    return {
        "spinsync, full span, 1 core": (peers.spinsync_full, 1, problem),
        "spinsync, full span": (peers.spinsync_full, CORES, problem),
        "spinsync, early ending": (peers.spinsync_early, CORES, problem),
        "heyoka": (peers.heyoka, CORES, problem),
        "heyoka, mean of |s| alone": (peers.heyoka_amplitude, CORES, problem),
        "diffrax": (peers.diffrax, CORES, problem.some(problem.points // 16)),
    }


def on_graphics(problem: Problem) -> dict[str, Entry]:
    """Who takes part on a graphics processor, and spinsync on all cores beside it."""
    cores = os.cpu_count() or 1
    return {
        "spinsync, full span": (peers.spinsync_full_cuda, cores, problem),
        "spinsync, early ending": (peers.spinsync_early_cuda, cores, problem),
        f"spinsync on {cores} cores, full": (peers.spinsync_full, cores, problem),
        f"spinsync on {cores} cores, early": (peers.spinsync_early, cores, problem),
        "diffrax": (peers.diffrax_cuda, cores, problem),
    }


def compare(problem: Problem, taking_part: dict[str, Entry], rounds: int) -> list[dict[str, object]]:
    """Medians of all who take part; those that are given some of the points only are scaled."""
    times: dict[str, list[float]] = {name: [] for name in taking_part}
    means: dict[str, np.ndarray] = {}
    for name, (run, threads, given) in taking_part.items():
        run(given.some(64) if name != "diffrax" else given, threads)  # compile
    for turn in range(rounds):
        for name, (run, threads, given) in taking_part.items():
            if name == "diffrax" and turn >= 2:
                continue
            seconds, means[name] = _timed(run, given, threads)
            times[name].append(seconds * problem.points / given.points)
    few = problem.some(40)
    index = np.linspace(0, problem.points - 1, few.points).astype(int)
    plain, windowed = peers.reference(few)
    rows = []
    best = statistics.median(times["spinsync, full span"])
    for name, (run, _, given) in taking_part.items():
        median = statistics.median(times[name])
        exact = windowed if run in (peers.spinsync_full, peers.spinsync_full_cuda) else plain
        error = float(np.quantile(abs(means[name][index] - exact), 0.9)) if given is problem else float("nan")
        speed = problem.points / median
        rows.append({
            "problem": problem.name, "points": problem.points, "who": name, "seconds": median, "trajectories_per_second": speed,
            "ratio": median / best, "error": error,
        })  # fmt: skip
        print(f"{problem.name:<18} {name:<30} {median:9.3f} s {speed:10.3g}/s {median / best:8.2f}   {error:.1e}", flush=True)
    return rows


def share_of_peak(problem: Problem, kernels: type[Lanes | CudaLanes], top: float) -> dict[str, float]:
    """What share of the multiply-add peak of one core, or of a graphics processor, the steps reach, without measurements."""
    layout = Layout(problem.groups, measured=False, tangent=False)
    kernel, table = kernels(layout, equations), problem.records
    best, steps = np.inf, 0.0
    for _ in range(10):
        states = np.tile(problem.start.ravel(), (problem.points, 1))
        begin = time.perf_counter()
        _, taken, _ = kernel.advance(table, states, np.full(problem.points, problem.until), problem.rtol, 1e-9, 1e7)
        best, steps = min(best, time.perf_counter() - begin), float(taken.sum())
    speed = operations(layout) * steps / best
    rate = f"{speed / 1e9:.1f} of {top / 1e9:.1f} Gflop/s: {speed / top:.0%}"
    print(f"{problem.name}: {operations(layout)} operations a step, {rate}")
    return {"operations": operations(layout), "steps": steps, "flops": speed, "peak": top, "share": speed / top}


def graphics() -> tuple[str, float]:
    """The name of the graphics processor and its peak; a sentence where it, or jax on it, is missing."""
    import jax

    from spinsync.regimes.kernels.cuda_lanes import unavailable

    must = unavailable()
    if must is not None:
        raise SystemExit(f"Argument `--device` must be {must}.")
    if jax.default_backend() != "gpu":
        raise SystemExit("diffrax finds no GPU: pip install 'jax[cuda12]'.")
    from benchmarks.graphics_peak import name, peak_of_graphics

    return name(), peak_of_graphics()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("benchmarks.json"))
    parser.add_argument("--small", action="store_true", help="small grids, to see that everything runs")
    options = parser.parse_args()
    result: dict[str, object] = {"processor": platform.processor() or platform.machine()}
    if options.device == "cuda":
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # jax takes most of the memory otherwise
        result["graphics"], top = graphics()
        kernels, taking_part, sizes = CudaLanes, on_graphics, (1024, 512)
    else:
        result["cores"], top = CORES, peak()
        kernels, taking_part, sizes = Lanes, on_processor, (256, 128)
    print(f"{'problem':<18} {'who':<30} {'median':>11} {'':>12} {'ratio':>8}   error of the mean |s| (90 % below)")
    problems = (single(32), pair(16)) if options.small else (single(sizes[0]), pair(sizes[1]))
    result["rows"] = [row for p in problems for row in compare(p, taking_part(p), options.rounds)]
    if options.device == "cpu":
        result["crowd"] = crowd.compare(50_000 if options.small else crowd.SPINS, options.rounds, CORES)
        result["movies"] = movies.measure(frames=20 if options.small else movies.FRAMES)
        result["compiling"] = compiling.measure((1,) if options.small else (1, 2, 3))
        result["first_calls"] = first_calls.measure(*((1, 0) if options.small else (options.rounds, 1)))
        alone = () if options.small else finite_size.ALONE
        result["finite_size"] = finite_size.compare(60 if options.small else finite_size.SPINS, alone, options.rounds)
    result["peak"] = {p.name: share_of_peak(p, kernels, top) for p in problems}
    options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
