"""How long one waits for first answers: each in a new process, with nothing compiled (cold) and with what that one has left.

python -m benchmarks.first_calls [--rounds 5] [--papers 1] [--against OTHER/src] [--out first_calls.json]

Every cold process has a home of its own, which is empty. Two versions take turns.
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
LEADING_OUT = ("XDG_", "NUMBA_", "MPL", "PYTHON")  # variables that lead out of an empty home, or to other code
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
class Question:
    """What a process is asked. `before`: a script whose time does not count, with a clock of its own for what comes after."""

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
        told = "print('took', time.perf_counter() - began, time.process_time() - spent)"
        return [sys.executable, "-c", "\n".join([self.before, clock, self.script, told])]


QUESTIONS = (
    Question("the README's six lines", SIX_LINES),
    Question("one `regime` after them, the call alone", "ss.regime(ensemble)", before=SIX_LINES),
    Question(
        "first `phase_diagram`, a pair, 64 x 64",
        MODELS + "ss.phase_diagram(pair, {'detuning': np.linspace(0, 10, 64), 'coupling': couplings})",
    ),
    Question(
        "first `phase_diagram`, one group, 64 x 64",
        MODELS + "ss.phase_diagram(one, {'gain': np.linspace(0.1, 10, 64), 'coupling': couplings})",
    ),
    Question("first `evolve`, `Exact(100)`", MODELS + "ss.evolve(one, np.linspace(0, 30, 601), theory=ss.Exact(100))"),
    Question("QuTiP: import and first `mesolve`, 4 spins", MESOLVE, peer=True),
)
PAPERS = tuple(Question(f"`spinsync {' '.join(words)}`", "", paper=words) for words in (("paper", "--quick"), ("paper",)))


def asked(question: Question, tree: str, home: str) -> tuple[float, float]:
    """Seconds that a new process takes for its question, and those that it computes, over all cores."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LEADING_OUT)}
    environment = kept | {"HOME": home, "PYTHONPATH": tree}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(question.command(home), cwd=home, env=environment, check=False, capture_output=True, text=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{question.name} fails with {tree}:\n{done.stderr}")
    if question.before:
        _, alone, computed = done.stdout.splitlines()[-1].split()
        return float(alone), float(computed)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def cold_and_warm(question: Question, tree: str) -> dict[str, tuple[float, float]]:
    with tempfile.TemporaryDirectory() as home:
        return {kind: asked(question, tree, home) for kind in ("cold", "warm")}


def prepare(tree: str) -> None:
    """Translate a tree to bytecode, as an installation is, and see that it is this tree that runs."""
    subprocess.run([sys.executable, "-m", "compileall", "-q", f"{tree}/spinsync"], check=True)
    with tempfile.TemporaryDirectory() as home:
        asked(Question(tree, f"import spinsync; assert spinsync.__file__ == {tree + '/spinsync/__init__.py'!r}"), tree, home)


def measure(rounds: int = 5, papers: int = 1, trees: tuple[str, ...] = (HERE,)) -> list[dict[str, object]]:
    """Prints and returns medians; processes of all trees take turns, a peer runs beside the first."""
    for tree in trees:
        prepare(tree)
    print(f"{'first answers, medians in seconds':<46} {'runs':>4} {'cold':>7} {'warm':>7} {'(computing)':>15}", flush=True)
    rows: list[dict[str, object]] = []
    for question, times in [(q, rounds) for q in QUESTIONS if rounds] + [(q, papers) for q in PAPERS if papers]:
        taking_part = trees[:1] if question.peer else trees
        found = [[cold_and_warm(question, tree) for tree in taking_part] for _ in range(times)]
        for k, tree in enumerate(taking_part):
            (cold, computed_cold), (warm, computed_warm) = (
                [median(one[k][kind][i] for one in found) for i in range(2)] for kind in ("cold", "warm")
            )
            row = {"cold": cold, "warm": warm, "computed_cold": computed_cold, "computed_warm": computed_warm}
            rows.append({"question": question.name, "runs": times, "tree": tree} | row)
            computed = f"({computed_cold:.2f}, {computed_warm:.2f})"
            print(f"{question.name:<46} {times:4} {cold:7.2f} {warm:7.2f} {computed:>15} {tree * (len(trees) > 1)}", flush=True)
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
