"""Run the problems against the peers: medians of interleaved runs, ratios, errors against a reference; as a table and JSON.

python -m benchmarks [--device cuda] [--rounds 5] [--out benchmarks.json] [--small]

On a graphics processor it needs `pip install '.[bench,cuda]' 'jax[cuda12]'`.
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

from benchmarks import compiling, cumulants, finite_size, first_calls, many_spins, movies, peers
from benchmarks.peak import operations, peak
from benchmarks.problems import Problem, pair, single
from spinsync.regimes.kernels.cuda_lanes import CudaLanes
from spinsync.regimes.kernels.lanes import Lanes
from spinsync.regimes.kernels.layout import Layout
from spinsync.theory.mean_field import equations

CORES = 2
Entry = tuple[peers.Run, int, Problem]  # solver, number of threads, problem with all or some of the points


def _timed(run: peers.Run, problem: Problem, threads: int) -> tuple[float, np.ndarray]:
    begin = time.perf_counter()
    out = run(problem, threads)
    return time.perf_counter() - begin, out


def on_processor(problem: Problem) -> dict[str, Entry]:
    """The solvers on a CPU; diffrax is too slow for all points."""
    return {
        "spinsync, full span, 1 core": (peers.spinsync_full, 1, problem),
        "spinsync, full span": (peers.spinsync_full, CORES, problem),
        "spinsync, early ending": (peers.spinsync_early, CORES, problem),
        "heyoka": (peers.heyoka, CORES, problem),
        "heyoka, mean of |s| alone": (peers.heyoka_amplitude, CORES, problem),
        "diffrax": (peers.diffrax, CORES, problem.some(problem.points // 16)),
    }


def on_graphics(problem: Problem) -> dict[str, Entry]:
    """The solvers on a GPU, and spinsync on all cores of the CPU for comparison."""
    cores = os.cpu_count() or 1
    return {
        "spinsync, full span": (peers.spinsync_full_cuda, cores, problem),
        "spinsync, early ending": (peers.spinsync_early_cuda, cores, problem),
        f"spinsync on {cores} cores, full": (peers.spinsync_full, cores, problem),
        f"spinsync on {cores} cores, early": (peers.spinsync_early, cores, problem),
        "diffrax": (peers.diffrax_cuda, cores, problem),
    }


def compare(problem: Problem, solvers: dict[str, Entry], rounds: int) -> list[dict[str, object]]:
    """Median times of all solvers, scaled for those that compute only some of the points."""
    times: dict[str, list[float]] = {name: [] for name in solvers}
    means: dict[str, np.ndarray] = {}
    for name, (run, threads, given) in solvers.items():
        run(given.some(64) if name != "diffrax" else given, threads)  # compile
    for round_ in range(rounds):
        for name, (run, threads, given) in solvers.items():
            if name == "diffrax" and round_ >= 2:
                continue
            seconds, means[name] = _timed(run, given, threads)
            times[name].append(seconds * problem.points / given.points)
    few = problem.some(40)
    index = np.linspace(0, problem.points - 1, few.points).astype(int)
    plain, windowed = peers.reference(few)
    rows = []
    best = statistics.median(times["spinsync, full span"])
    for name, (run, _, given) in solvers.items():
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
    """Fraction of the multiply-add peak of one core, or of a GPU, that the time steps reach (without measurements)."""
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
    """Name and peak of the GPU; exits with a message if it, or jax for it, is missing."""
    import jax

    from spinsync.regimes.kernels.cuda_lanes import unavailable

    reason = unavailable()
    if reason is not None:
        raise SystemExit(f"Argument `--device` must be {reason}.")
    if jax.default_backend() != "gpu":
        raise SystemExit("diffrax finds no GPU: pip install 'jax[cuda12]'.")
    from benchmarks.graphics_peak import name, peak_of_graphics

    return name(), peak_of_graphics()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("benchmarks.json"))
    parser.add_argument("--small", action="store_true", help="small grids, to check that everything runs")
    options = parser.parse_args()
    result: dict[str, object] = {"processor": platform.processor() or platform.machine()}
    if options.device == "cuda":
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # jax takes most of the memory otherwise
        result["graphics"], top = graphics()
        kernels, solvers, sizes = CudaLanes, on_graphics, (1024, 512)
    else:
        result["cores"], top = CORES, peak()
        kernels, solvers, sizes = Lanes, on_processor, (256, 128)
    print(f"{'problem':<18} {'who':<30} {'median':>11} {'':>12} {'ratio':>8}   error of the mean |s| (90 % below)")
    problems = (single(32), pair(16)) if options.small else (single(sizes[0]), pair(sizes[1]))
    result["rows"] = [row for p in problems for row in compare(p, solvers(p), options.rounds)]
    if options.device == "cpu":
        result["many_spins"] = many_spins.compare(50_000 if options.small else many_spins.SPINS, options.rounds, CORES)
        result["cumulants"] = cumulants.compare(options.small, options.rounds)
        result["movies"] = movies.measure(frames=20 if options.small else movies.FRAMES)
        result["compiling"] = compiling.measure((1,) if options.small else (1, 2, 3))
        result["first_calls"] = first_calls.measure(*((1, 0) if options.small else (options.rounds, 1)))
        alone = () if options.small else finite_size.ALONE
        result["finite_size"] = finite_size.compare(60 if options.small else finite_size.SPINS, alone, options.rounds)
    result["peak"] = {p.name: share_of_peak(p, kernels, top) for p in problems}
    options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
