"""How long calls take: processor time of one thread, after a first call that compiles. `python -m benchmarks.waiting`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import spinsync as ss
from spinsync.base.parallel import thread_limit

ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
TILTED = ONE.replace(theta=-1.2)
PAIR = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
BEATING = PAIR.replace(detuning=8.0, coupling=16.0)
RANDOM = np.random.default_rng(0)
NETWORK = ss.Ensemble([ss.Group(3, 1, frequency=float(f)) for f in RANDOM.normal(0, 2, 60)], np.full((60, 60), -8j))
NU, DELAYS = np.linspace(-20, 20, 201), np.linspace(0, 10, 101)

CALLS: dict[str, Callable[[int], Any]] = {
    "evolve, MeanField, a pair that beats, to t =": lambda n: ss.evolve(BEATING, np.linspace(0, n, 101)),
    "evolve, MeanField, to t = 60, sampled spins": lambda n: ss.evolve(
        ONE.replace(frequency=ss.Samples(np.random.default_rng(0).normal(size=n))), np.linspace(0, 60, 61)
    ),
    "evolve, Exact, one group, to t = 20": lambda n: ss.evolve(TILTED, np.linspace(0, 20, 201), theory=ss.Exact(n)),
    "evolve, Exact, two groups, to t = 2": lambda n: ss.evolve(PAIR, np.linspace(0, 2, 21), theory=ss.Exact(n)),
    "evolve, Trajectories, one group, to t = 5": lambda n: ss.evolve(ONE, np.linspace(0, 5, 51), theory=ss.Trajectories(n)),
    "evolve, Trajectories, two groups, to t = 5": lambda n: ss.evolve(PAIR, np.linspace(0, 5, 21), theory=ss.Trajectories(n)),
    "steady_state, Exact, one group": lambda n: ss.steady_state(TILTED, theory=ss.Exact(n)),
    "steady_state, Exact, two groups": lambda n: ss.steady_state(PAIR, theory=ss.Exact(n)),
    "entropy, Exact, one group": lambda n: ss.entropy(TILTED, theory=ss.Exact(n)),
    "linewidth, Exact, one group, theta = -pi/2": lambda n: ss.linewidth(ONE, theory=ss.Exact(n)),
    "linewidth, Exact, one group, theta = -1.2": lambda n: ss.linewidth(TILTED, theory=ss.Exact(n)),
    "linewidth, Exact, two groups": lambda n: ss.linewidth(PAIR, theory=ss.Exact(n)),
    "emission_spectrum, Exact, one group": lambda n: ss.emission_spectrum(TILTED, NU, theory=ss.Exact(n)),
    "emission_spectrum, Exact, two groups": lambda n: ss.emission_spectrum(PAIR, NU, theory=ss.Exact(n)),
    "photon_statistics, Exact, one group, to a delay of 10": lambda n: ss.photon_statistics(ONE, DELAYS, theory=ss.Exact(n)),
    "photon_statistics, Exact, two groups, to a delay of 10": lambda n: ss.photon_statistics(PAIR, DELAYS, theory=ss.Exact(n)),
    "asymptotic_phase, Exact": lambda n: ss.asymptotic_phase(TILTED, [[0.5, 0.0, 0.1]], theory=ss.Exact(n)),
    "phase_diagram, MeanField, a pair, points on each of two axes": lambda n: ss.phase_diagram(
        BEATING, {"detuning": np.linspace(0, 6, n), "coupling": np.linspace(0, 30, n)}
    ),
    "critical_gain, 60 groups of different frequencies, times": lambda n: [ss.critical_gain(NETWORK) for _ in range(n)],
}
SIZES = {
    "evolve, MeanField, a pair": (60_000,), "evolve, MeanField, to": (2000, 200_000), "evolve, Exact, one": (300, 1000),
    "evolve, Exact, two": (20, 40), "evolve, Trajectories, one": (3000,), "evolve, Trajectories, two": (40,),
    "steady_state, Exact, one": (1000, 4000), "steady_state, Exact, two": (40, 60), "entropy": (4000,),
    "linewidth, Exact, one group, theta = -pi": (1000, 3000), "linewidth, Exact, one group, theta = -1": (1000, 3000),
    "linewidth, Exact, two": (20, 40), "emission_spectrum, Exact, one": (800, 2000), "emission_spectrum, Exact, two": (20, 40),
    "photon_statistics, Exact, one": (1000, 3000), "photon_statistics, Exact, two": (20, 40),
    "asymptotic_phase": (200, 1000), "phase_diagram": (128, 256), "critical_gain": (1,),
}  # fmt: skip


def main() -> None:
    chosen = sys.argv[1:]
    with thread_limit(1):
        for name, call in CALLS.items():
            if chosen and not any(name.startswith(one) for one in chosen):
                continue
            sizes = next(sizes for start, sizes in SIZES.items() if name.startswith(start))
            call(max(sizes[0] // 20, 2) if "times" not in name else 1)  # imports and compiles
            for size in sizes:
                began = time.process_time()
                call(size)
                print(f"{name:62s} {size:7d} {time.process_time() - began:7.1f} s", flush=True)


if __name__ == "__main__":
    main()
