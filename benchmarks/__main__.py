"""Run the problems against the peers: medians of interleaved runs, ratios, errors against a reference; as a table and JSON.

python -m benchmarks [--rounds 5] [--out benchmarks.json] [--small]
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from pathlib import Path

import numpy as np

from benchmarks import peers
from benchmarks.peak import operations, peak
from benchmarks.problems import Problem, pair, single
from spinsync.numerics.lanes import Lanes, Layout
from spinsync.theory import spin_equation

CORES = 2


def _timed(run: peers.Run, problem: Problem, threads: int) -> tuple[float, np.ndarray]:
    begin = time.perf_counter()
    out = run(problem, threads)
    return time.perf_counter() - begin, out


def compare(problem: Problem, slow: Problem, rounds: int) -> list[dict[str, object]]:
    """Medians of all who take part; those too slow for every point are timed on some of them, and scaled."""
    taking_part: dict[str, tuple[peers.Run, int, Problem]] = {
        "spinsync, full span, 1 core": (peers.spinsync_full, 1, problem),
        "spinsync, full span": (peers.spinsync_full, CORES, problem),
        "spinsync, early ending": (peers.spinsync_early, CORES, problem),
        "heyoka": (peers.heyoka, CORES, problem),
        "heyoka, mean of |s| alone": (peers.heyoka_amplitude, CORES, problem),
        "diffrax": (peers.diffrax, CORES, slow),
    }
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
        exact = windowed if run is peers.spinsync_full else plain
        error = float(np.quantile(abs(means[name][index] - exact), 0.9)) if given is problem else float("nan")
        rows.append({"problem": problem.name, "who": name, "seconds": median, "ratio": median / best, "error": error})
        print(f"{problem.name:<18} {name:<30} {median:9.3f} s   {median / best:8.2f}   {error:.1e}", flush=True)
    return rows


def share_of_peak(problem: Problem) -> dict[str, float]:
    """What share of the multiply-add peak of a core the kernel reaches, without measurements."""
    layout = Layout(problem.groups, measured=False, tangent=False)
    kernel, table = Lanes(layout, spin_equation, 1), problem.table
    best, steps = np.inf, 0.0
    for _ in range(3):
        states = np.tile(problem.start.ravel(), (problem.points, 1))
        begin = time.perf_counter()
        _, taken, _ = kernel.advance(table, states, np.full(problem.points, problem.until), problem.rtol, 1e-9, 1e7)
        best, steps = min(best, time.perf_counter() - begin), float(taken.sum())
    speed, top = operations(layout) * steps / best, peak()
    rate = f"{speed / 1e9:.1f} of {top / 1e9:.1f} Gflop/s: {speed / top:.0%}"
    print(f"{problem.name}: {operations(layout)} operations a step, {rate}")
    return {"operations": operations(layout), "flops": speed, "peak": top, "share": speed / top}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("benchmarks.json"))
    parser.add_argument("--small", action="store_true", help="small grids, to see that everything runs")
    options = parser.parse_args()
    sizes = (32, 16) if options.small else (256, 128)
    result: dict[str, object] = {"processor": platform.processor() or platform.machine(), "cores": CORES}
    print(f"{'problem':<18} {'who':<30} {'median':>11}   {'ratio':>8}   median error of the mean |s|")
    problems = (single(sizes[0]), pair(sizes[1]))
    result["rows"] = [row for p in problems for row in compare(p, p.some(p.points // 16), options.rounds)]
    result["peak"] = {p.name: share_of_peak(p) for p in problems}
    options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
