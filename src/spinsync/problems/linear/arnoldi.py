"""Motion of large linear problems of which only products with vectors are known: the exponential in Krylov spaces.

Y. Saad, SIAM J. Numer. Anal. 29, 209 (1992).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log

import numpy as np

from spinsync.base.interrupts import heed
from spinsync.problems.linear.krylov import ALLOWED, CLOSED, VANISHED, Space, accurate

VECTORS = 40
LONGEST = 64.0  # step in units of 1 / fastest rate; the shortest is 1
CERTAIN = 1e4  # the same for a space that holds all of the motion: rounding errors of the exponent stay small
MOST_PRODUCTS = 2_000_000
FIRST_LOOK = 32  # steps after which the state of rest is worth to be known
AT_REST = 1e-10  # sum of the distances of all components from it
SEEN = 256  # steps after which it can be told how long the rest takes
SURE = 10.0  # times the steps that are left: what it must be expected to take to be given up


@dataclass
class Rest:
    """Whether a motion has come to the state of rest, and whether it can be expected to.

    The motions of a master equation never move apart, in the sum of the moduli of eigenvalues: what has come that close to
    rest stays as close for all times, however slow the slowest motion is. And what approaches rest does so ever more slowly.
    """

    find: Callable[[], np.ndarray | None]
    state: np.ndarray | None = None
    distance: float = np.inf
    looked: int = 0

    def reached(self, state: np.ndarray, steps: int) -> bool:
        if steps == FIRST_LOOK:
            self.state = self.find()
        return self.state is not None and bool(abs(state - self.state).sum() <= AT_REST)

    def hopeless(self, state: np.ndarray, steps: int, left: int) -> bool:
        """Whether the steps that are left will not do; asked after each doubling of their number."""
        if steps < FIRST_LOOK or steps < 2 * self.looked:
            return False
        before, since, self.looked = self.distance, steps - self.looked, steps
        if self.state is None:
            return True
        self.distance = float(abs(state - self.state).sum())
        if steps < SEEN:
            return False
        gain = log(before / self.distance) / since if self.distance < before else 0.0
        return gain * SURE * left < log(self.distance / AT_REST)


def motion(
    apply: Callable[[np.ndarray], np.ndarray], fastest: float, start: np.ndarray, times: np.ndarray,
    find_rest: Callable[[], np.ndarray | None] = lambda: None,
) -> Iterator[np.ndarray]:  # fmt: skip
    """exp(L (t - times[0])) start at each of `times`, one after the other.

    apply : v -> L v
    fastest : about the largest rate
    find_rest : the state of rest, if the motion has one that it can't leave; for long runs, which end there

    Raises
    ------
    OverflowError
        If steps get too small or too many.
    """
    rest, most = Rest(find_rest), MOST_PRODUCTS // VECTORS
    yield start
    now, state, done, first = times[0], start, 1, np.linalg.norm(start)
    unit = 1 / fastest
    for steps in range(most):
        heed()
        length = np.linalg.norm(state)
        if done == times.size or length < VANISHED:
            yield from (0 * state for _ in times[done:])
            return
        if rest.reached(state, steps):
            yield from (state for _ in times[done:])
            return
        if times[-1] - now > SURE * (most - steps) * LONGEST / fastest and rest.hopeless(state, steps, most - steps):
            break
        found, closed = _space(apply, state)
        step = longest = min(times[-1] - now, CERTAIN / fastest)
        if not closed:
            longest = min(longest, LONGEST * unit)
            step = accurate(found, unit, longest, min(float(ALLOWED * first / length), 1e-6))
        if not step:
            unit /= LONGEST
            continue
        while done < times.size and times[done] <= now + step * (1 + 1e-12):
            yield found.at(times[done] - now)
            done += 1
        state, now = found.at(step), now + step
    raise OverflowError


def _space(apply: Callable[[np.ndarray], np.ndarray], start: np.ndarray) -> tuple[Space, bool]:
    """Products with L span it; whether they stay in it."""
    length = float(np.linalg.norm(start))
    basis = np.empty((VECTORS, start.size), start.dtype)
    basis[0] = start / length
    small = np.zeros((VECTORS, VECTORS), start.dtype)
    for k in range(VECTORS):
        new = apply(basis[k])
        size = np.linalg.norm(new)
        for _ in range(2):  # twice is enough
            overlap = basis[: k + 1].conj() @ new
            small[: k + 1, k] += overlap
            new -= overlap @ basis[: k + 1]
        left = np.linalg.norm(new)
        if not left > CLOSED * size:
            return Space(basis[: k + 1].T, small[: k + 1, : k + 1], length), True
        if k + 1 < VECTORS:
            small[k + 1, k] = left
            basis[k + 1] = new / left
    return Space(basis.T, small, length), False
