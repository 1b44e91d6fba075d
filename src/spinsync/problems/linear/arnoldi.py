"""Time evolution of large linear problems in Krylov subspaces (Arnoldi), which needs matrix-vector products only.

Y. Saad, SIAM J. Numer. Anal. 29, 209 (1992).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log
from typing import ClassVar

import numpy as np

from spinsync.base.progress import report
from spinsync.problems.linear.bases import Basis, KrylovMethod, KrylovSpace, propagate

VECTORS = 40  # of a Krylov space
LONGEST = 64.0  # step in units of 1 / fastest rate; the shortest is 1
CERTAIN = 1e4  # the same in an invariant subspace: limits rounding errors of the exponent
MOST_PRODUCTS = 2_000_000  # matrix-vector products of a run
FIRST_CHECK = 32  # number of steps after which the steady state is computed
STEADY = 1e-10  # distance from the steady state, in the 1-norm, that counts as converged
TREND = 256  # number of steps from which the rate of convergence is used for the forecast
SURE = 10.0  # a run is given up if it needs this multiple of its remaining steps


def motion(
    apply: Callable[[np.ndarray], np.ndarray], fastest: float, start: np.ndarray, times: np.ndarray,
    find_steady: Callable[[], np.ndarray | None] = lambda: None, tell: Callable[[float], None] = report,
) -> Iterator[np.ndarray]:  # fmt: skip
    """exp(L (t - times[0])) start at each of `times`, one after the other.

    apply : v -> L v
    fastest : approximate largest rate
    find_steady : computes the unique steady state, if there is one; a long run ends when it reaches it
    tell : called with the completed fraction

    Raises OverflowError if steps get too small or too many.
    """
    yield start
    yield from propagate(Arnoldi(apply=apply, fastest=fastest, find_steady=find_steady), start, times, tell)


@dataclass(kw_only=True)
class Arnoldi(KrylovMethod):
    """Krylov subspaces of L. A run ends early in the steady state, or with an error if it will not get there.

    The trace distance of two solutions of a master equation never grows: once a state is this close to the steady state it
    remains so, however slow the slowest mode is. The rate of convergence can only decrease.
    """

    most: ClassVar[int] = MOST_PRODUCTS // VECTORS

    apply: Callable[[np.ndarray], np.ndarray]
    fastest: float
    find_steady: Callable[[], np.ndarray | None]
    steady: np.ndarray | None = None
    distance: float = np.inf
    checked_at: int = 0
    shrunk: float = 1.0

    def is_steady(self, state: np.ndarray, steps: int) -> bool:
        if steps == FIRST_CHECK:
            self.steady = self.find_steady()
        return self.steady is not None and bool(abs(state - self.steady).sum() <= STEADY)

    def hopeless(self, state: np.ndarray, steps: int, remaining: float) -> bool:
        """Forecast for long runs, after each doubling of the number of steps."""
        steps_left = self.most - steps
        if remaining <= SURE * steps_left * LONGEST / self.fastest or steps < max(FIRST_CHECK, 2 * self.checked_at):
            return False
        previous, since, self.checked_at = self.distance, steps - self.checked_at, steps
        if self.steady is None:
            return True
        self.distance = float(abs(state - self.steady).sum())
        if steps < TREND:
            return False
        decay_rate = log(previous / self.distance) / since if self.distance < previous else 0.0
        return decay_rate * SURE * steps_left < log(self.distance / STEADY)

    def step(self, state: np.ndarray, remaining: float, tolerance: float) -> tuple[KrylovSpace, float]:
        basis, invariant = Basis(state, VECTORS), False
        while not invariant and len(basis.rows) < VECTORS:
            invariant = not basis.extend(self.apply(basis.last))
        size, step = len(basis.rows), min(remaining, CERTAIN / self.fastest)
        found = KrylovSpace(basis.rows.T, basis.hessenberg[:size, :size], basis.norm)
        if not invariant:
            unit = self.shrunk / self.fastest
            step = found.longest_accurate(unit, min(step, LONGEST * unit), tolerance)
            self.shrunk /= 1 if step else LONGEST
        return found, step
