"""Time of first calls, each in a new process: with an empty compile cache (cold) and with a filled one (warm).

python -m benchmarks.first_calls [--rounds 5] [--papers 1] [--against OTHER/src] [--out first_calls.json]

Every cold process has an empty home folder. With --against the processes of two versions are interleaved.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import spinsync

HERE = str(Path(spinsync.__file__).parent.parent)
REMOVED = ("XDG_", "NUMBA_", "MPL", "PYTHON")  # variables that refer to folders outside the home, or to other code
MODELS = """
import numpy as np, spinsync as ss
one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
pair = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2)
couplings = np.linspace(0.5, 30, 64)
"""
SIX_LINES = """
import numpy as np
import spinsync as ss
ensemble = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
run = ss.evolve(ensemble, np.linspace(0, 30, 601))
cycle = ss.limit_cycle(ensemble)
print(f"R = {run.order_parameter[-1]:.6f}, closed form {cycle.order_parameter:.6f}, frequency {cycle.frequency:.6f}")
"""
MESOLVE = """
import numpy as np, qutip as qt
spins = 4
lower = [qt.tensor([qt.sigmam() if k == n else qt.qeye(2) for k in range(spins)]) for n in range(spins)]
decays = [3.0**0.5 * one.dag() for one in lower] + lower + [(12.0 / spins) ** 0.5 * sum(lower)]
start = qt.tensor([qt.basis(2, 1)] * spins)
qt.mesolve(0 * lower[0], start, np.linspace(0, 30, 601), decays, e_ops=[lower[0].dag() * lower[1]])
"""


@dataclass(frozen=True)
class Task:
    """What a process computes. `before`: a script that is not timed; the rest then measures its own time."""

    name: str
    script: str
    before: str = ""
    paper: tuple[str, ...] = ()
    peer: bool = False

    def command(self, folder: str) -> list[str]:
        if self.paper:
            return [sys.executable, "-m", "spinsync", *self.paper, "--out", tempfile.mkdtemp(dir=folder) + "/report"]
        if not self.before:
            return [sys.executable, "-c", self.script]
        clock = "import time; began, spent = time.perf_counter(), time.process_time()"
        report = "print('took', time.perf_counter() - began, time.process_time() - spent)"
        return [sys.executable, "-c", "\n".join([self.before, clock, self.script, report])]


TASKS = (
    Task("the README's six lines", SIX_LINES),
    Task("one `regime` after them, the call alone", "ss.regime(ensemble)", before=SIX_LINES),
    Task(
        "first `phase_diagram`, a pair, 64 x 64",
        MODELS + "ss.phase_diagram(pair, {'detuning': np.linspace(0, 10, 64), 'coupling': couplings})",
    ),
    Task(
        "first `phase_diagram`, one group, 64 x 64",
        MODELS + "ss.phase_diagram(one, {'gain': np.linspace(0.1, 10, 64), 'coupling': couplings})",
    ),
    Task("first `evolve`, `Exact(100)`", MODELS + "ss.evolve(one, np.linspace(0, 30, 601), theory=ss.Exact(100))"),
    Task("QuTiP: import and first `mesolve`, 4 spins", MESOLVE, peer=True),
)
PAPERS = tuple(Task(f"`spinsync {' '.join(words)}`", "", paper=words) for words in (("paper", "--quick"), ("paper",)))


def run(task: Task, tree: str, home: str) -> tuple[float, float]:
    """Wall time and CPU time (all cores), in seconds, of a task in a new process."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(REMOVED)}
    environment = inherited | {"HOME": home, "PYTHONPATH": tree}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(task.command(home), cwd=home, env=environment, check=False, capture_output=True, text=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{task.name} fails with {tree}:\n{done.stderr}")
    if task.before:
        _, wall, computed = done.stdout.splitlines()[-1].split()
        return float(wall), float(computed)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def cold_and_warm(task: Task, tree: str) -> dict[str, tuple[float, float]]:
    with tempfile.TemporaryDirectory() as home:
        return {kind: run(task, tree, home) for kind in ("cold", "warm")}


def prepare(tree: str) -> None:
    """Compile a tree to bytecode, as in an installation, and check that it is the one that runs."""
    subprocess.run([sys.executable, "-m", "compileall", "-q", f"{tree}/spinsync"], check=True)
    with tempfile.TemporaryDirectory() as home:
        run(Task(tree, f"import spinsync; assert spinsync.__file__ == {tree + '/spinsync/__init__.py'!r}"), tree, home)


def measure(rounds: int = 5, papers: int = 1, trees: tuple[str, ...] = (HERE,)) -> list[dict[str, object]]:
    """Print and return medians; the processes of all trees are interleaved, a peer runs with the first tree only."""
    for tree in trees:
        prepare(tree)
    print(f"{'first answers, medians in seconds':<46} {'runs':>4} {'cold':>7} {'warm':>7} {'(computing)':>15}", flush=True)
    rows: list[dict[str, object]] = []
    for task, times in [(q, rounds) for q in TASKS if rounds] + [(q, papers) for q in PAPERS if papers]:
        compared = trees[:1] if task.peer else trees
        results = [[cold_and_warm(task, tree) for tree in compared] for _ in range(times)]
        for k, tree in enumerate(compared):
            (cold, computed_cold), (warm, computed_warm) = (
                [median(one[k][kind][i] for one in results) for i in range(2)] for kind in ("cold", "warm")
            )
            row = {"cold": cold, "warm": warm, "computed_cold": computed_cold, "computed_warm": computed_warm}
            rows.append({"question": task.name, "runs": times, "tree": tree} | row)
            computed = f"({computed_cold:.2f}, {computed_warm:.2f})"
            print(f"{task.name:<46} {times:4} {cold:7.2f} {warm:7.2f} {computed:>15} {tree * (len(trees) > 1)}", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="of all but `spinsync paper`")
    parser.add_argument("--papers", type=int, default=1, help="rounds of `spinsync paper`, which takes longer")
    parser.add_argument("--against", type=Path, action="append", default=[], help="a folder with another `spinsync`")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = measure(options.rounds, options.papers, (HERE, *(str(folder.resolve()) for folder in options.against)))
    if options.out is not None:
        options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
