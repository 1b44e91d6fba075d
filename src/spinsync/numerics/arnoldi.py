"""Motion of large linear problems of which only products with vectors are known: the exponential in Krylov spaces.

Y. Saad, SIAM J. Numer. Anal. 29, 209 (1992).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from spinsync.numerics.krylov import ALLOWED, CLOSED, VANISHED, Space, accurate

VECTORS = 40
LONGEST = 64.0  # step in units of 1 / fastest rate; the shortest is 1
MOST_PRODUCTS = 2_000_000


def motion(
    apply: Callable[[np.ndarray], np.ndarray], fastest: float, start: np.ndarray, times: np.ndarray
) -> Iterator[np.ndarray]:
    """exp(L (t - times[0])) start at each of `times`, one after the other.

    apply : v -> L v
    fastest : about the largest rate

    Raises
    ------
    OverflowError
        If steps get too small or too many.
    """
    yield start
    now, state, done, first = times[0], start, 1, np.linalg.norm(start)
    unit = 1 / fastest
    for _ in range(MOST_PRODUCTS // VECTORS):
        length = np.linalg.norm(state)
        if done == times.size or length < VANISHED:
            yield from (0 * state for _ in times[done:])
            return
        found, closed = _space(apply, state)
        step = longest = times[-1] - now
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
