"""Motion of large linear problems of which only products with vectors are known: the exponential in Krylov spaces.

Y. Saad, SIAM J. Numer. Anal. 29, 209 (1992).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log
from typing import ClassVar

import numpy as np

from spinsync.problems.linear.bases import Basis, Space, Spaces, moved

VECTORS = 40
LONGEST = 64.0  # step in units of 1 / fastest rate; the shortest is 1
CERTAIN = 1e4  # the same for a space that holds all of the motion: rounding errors of the exponent stay small
MOST_PRODUCTS = 2_000_000
FIRST_LOOK = 32  # steps after which the state of rest is worth to be known
AT_REST = 1e-10  # sum of the distances of all components from it
SEEN = 256  # steps after which it can be told how long the rest takes
SURE = 10.0  # times the steps that are left: what it must be expected to take to be given up


def motion(
    apply: Callable[[np.ndarray], np.ndarray], fastest: float, start: np.ndarray, times: np.ndarray,
    find_rest: Callable[[], np.ndarray | None] = lambda: None,
) -> Iterator[np.ndarray]:  # fmt: skip
    """exp(L (t - times[0])) start at each of `times`, one after the other.

    apply : v -> L v
    fastest : about the largest rate
    find_rest : the state of rest, if the motion has one that it can't leave; for long runs, which end there

    Raises OverflowError if steps get too small or too many.
    """
    yield start
    yield from moved(Products(apply=apply, fastest=fastest, find_rest=find_rest), start, times)


@dataclass(kw_only=True)
class Products(Spaces):
    """Krylov spaces of L, and whether the motion has come to the state of rest, or can be expected to.

    The motions of a master equation never move apart, in the sum of the moduli of eigenvalues: what has come that close to
    rest stays as close for all times, however slow the slowest motion is. And what approaches rest does so ever more slowly.
    """

    most: ClassVar[int] = MOST_PRODUCTS // VECTORS

    apply: Callable[[np.ndarray], np.ndarray]
    fastest: float
    find_rest: Callable[[], np.ndarray | None]
    rest: np.ndarray | None = None
    distance: float = np.inf
    looked: int = 0
    shrunk: float = 1.0

    def reached(self, state: np.ndarray, steps: int) -> bool:
        if steps == FIRST_LOOK:
            self.rest = self.find_rest()
        return self.rest is not None and bool(abs(state - self.rest).sum() <= AT_REST)

    def hopeless(self, state: np.ndarray, steps: int, left: float) -> bool:
        """Asked of long runs, after each doubling of the steps: whether the steps that are left will not do."""
        more = self.most - steps
        if left <= SURE * more * LONGEST / self.fastest or steps < max(FIRST_LOOK, 2 * self.looked):
            return False
        before, since, self.looked = self.distance, steps - self.looked, steps
        if self.rest is None:
            return True
        self.distance = float(abs(state - self.rest).sum())
        if steps < SEEN:
            return False
        gain = log(before / self.distance) / since if self.distance < before else 0.0
        return gain * SURE * more < log(self.distance / AT_REST)

    def step(self, state: np.ndarray, left: float, allowed: float) -> tuple[Space, float]:
        basis, closed = Basis(state, VECTORS), False
        while not closed and len(basis.rows) < VECTORS:
            closed = not basis.extend(self.apply(basis.last))
        size, step = len(basis.rows), min(left, CERTAIN / self.fastest)
        found = Space(basis.rows.T, basis.small[:size, :size], basis.length)
        if not closed:
            unit = self.shrunk / self.fastest
            step = found.accurate(unit, min(step, LONGEST * unit), allowed)
            self.shrunk /= 1 if step else LONGEST
        return found, step
