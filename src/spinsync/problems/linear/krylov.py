"""Motion of large linear problems: the exponential in the Krylov space of a resolvent.

One factorization of 1 - g L serves many long steps, however fast the fastest decay is. J. van den Eshof and
M. Hochbruck, SIAM J. Sci. Comput. 27, 1438 (2006).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import expm

from spinsync.base.interrupts import heed
from spinsync.problems.linear.lattice.sparse_lu import Factors, Pivoted, dissected

ALLOWED = 1e-12  # error of a step, of the length at the start
STIFFEST = 1e6  # g times the fastest rate: the rest of ten digits is left to solutions with 1 - g L
CERTAIN = 1e3  # step in units of g, in which rounding errors of the exponent stay small
CLOSED = 1e-13  # of a vector is new: the space holds all of the motion
VANISHED = 1e-100  # length of a state that has decayed
MOST = 80  # vectors
BATCH = 8  # vectors between two looks at the error
LONGEST = 64  # step in units of g; the shortest is 1
REFINE = 8.0  # g shrinks by it where a step fails
MOST_STEPS = 20_000
SEEN = 256  # steps after which what has neither vanished nor come to rest will not be followed beyond all others


@dataclass(frozen=True)
class Space:
    """exp(t L) v is about basis @ (length * exp(t small) e_1).

    basis : array of shape (component, vector), orthonormal
    small : array of shape (vector, vector), L in this basis
    """

    basis: np.ndarray
    small: np.ndarray
    length: float

    def coefficients(self, time: float, fewer: int = 0) -> np.ndarray:
        kept = len(self.small) - fewer
        out = np.zeros(len(self.small), self.small.dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # what is no number is refused with the trace
            out[:kept] = expm(time * self.small[:kept, :kept])[:, 0]
        return out

    def at(self, time: float) -> np.ndarray:
        return np.asarray(self.basis @ (self.length * self.coefficients(time)))


def space(factors: Factors | Pivoted, start: np.ndarray, g: float, remaining: float, allowed: float) -> tuple[Space, float]:
    """A space that is accurate for steps of LONGEST g, or has MOST vectors, and the longest accurate step in it.

    factors : of 1 - g L
    """
    length, longest = float(np.linalg.norm(start)), min(LONGEST * g, remaining)
    basis = np.zeros((MOST + 1, start.size), start.dtype)
    basis[0] = start / length
    upper = np.zeros((MOST + 1, MOST), start.dtype)
    for k in range(MOST):
        new = factors.solve(basis[k])
        size = np.linalg.norm(new)
        for _ in range(2):  # twice is enough
            overlap = basis[: k + 1].conj() @ new
            upper[: k + 1, k] += overlap
            new = new - overlap @ basis[: k + 1]
        upper[k + 1, k] = np.linalg.norm(new)
        closed = upper[k + 1, k].real <= CLOSED * size
        if closed or (k + 1) % BATCH == 0:
            inverse = np.linalg.inv(upper[: k + 1, : k + 1])
            found = Space(basis[: k + 1].T, (np.eye(k + 1) - inverse) / g, length)
            step = min(remaining, CERTAIN * g) if closed else accurate(found, g, longest, allowed)
            if step >= longest:
                return found, step
        basis[k + 1] = new / upper[k + 1, k]
    return found, step


def accurate(found: Space, g: float, most: float, allowed: float) -> float:
    """The longest step, g times a power of two or `most`, at which four vectors fewer say the same; 0 if there is none."""
    for step in sorted({most, *(g * 2.0**k for k in range(7) if g * 2.0**k < most)}, reverse=True):
        if np.linalg.norm(found.coefficients(step) - found.coefficients(step, fewer=4)) <= allowed:
            return step
    return 0.0


def motion(generator: Any, sites: np.ndarray | None, start: np.ndarray, times: np.ndarray) -> Iterator[np.ndarray]:
    """exp(L (t - times[0])) start at each of `times`, one after the other.

    sites : places of the components on a lattice of which only next neighbours couple; None: they live on none

    Raises
    ------
    OverflowError
        If steps get too small or too many, or rates are too large for double precision.
    """
    yield start
    kind = np.result_type(start, generator.dtype)
    order = None if sites is None else dissected(sites)
    now, state, done = times[0], start.astype(kind), 1
    one = sparse.eye_array(start.size, dtype=kind)
    if not np.all(np.isfinite(generator.data)):
        raise OverflowError
    fastest = max(abs(generator.diagonal()).max(), 1e-300)
    g, factored, first = 1 / fastest, 0.0, np.linalg.norm(start)
    for steps in range(MOST_STEPS):
        heed()
        if steps == SEEN and times[-1] - now > MOST_STEPS * CERTAIN * (STIFFEST / fastest):
            break
        length = np.linalg.norm(state)
        if done == times.size or length < VANISHED:
            yield from (0 * state for _ in times[done:])
            return
        if factored != g:
            matrix, factored = one - g * generator, g
            factors = Pivoted(matrix) if order is None else Factors(matrix, order)
        try:
            found, step = space(factors, state, g, times[-1] - now, min(float(ALLOWED * first / length), 1e-6))
        except np.linalg.LinAlgError:  # entries that are no number
            raise OverflowError from None
        if not step:
            g /= REFINE
            continue
        while done < times.size and times[done] <= now + step * (1 + 1e-12):
            yield found.at(times[done] - now)
            done += 1
        state, now = found.at(step), now + step
        if step >= LONGEST * g:
            g = min(g * REFINE / 2, STIFFEST / fastest)
        elif step <= 4 * g:
            g /= REFINE / 4
    raise OverflowError
