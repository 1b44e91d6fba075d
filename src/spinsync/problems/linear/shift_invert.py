"""Time evolution of stiff linear problems by the shift-and-invert Krylov method, in subspaces of the resolvent (1 - g L)^-1.

One factorization of 1 - g L serves many long steps, however fast the fastest decay is. J. van den Eshof and
M. Hochbruck, SIAM J. Sci. Comput. 27, 1438 (2006).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from spinsync.base.interrupts import check_interrupt
from spinsync.base.progress import report
from spinsync.problems.linear.bases import Basis, KrylovMethod, KrylovSpace, propagate
from spinsync.problems.linear.state_lattice.sparse_lu import PivotedFactors

LARGEST_SHIFT = 1e6  # g times the fastest rate: leaves ten digits to solutions with 1 - g L
CERTAIN = 1e3  # step in units of g in an invariant subspace: limits rounding errors of the exponent
MOST_VECTORS = 80
CHECK_EVERY = 8  # number of vectors between two error estimates
LONGEST = 64  # step in units of g; the shortest is 1
SHRINK = 8.0  # factor by which g shrinks where a step fails
GROWTH = SHRINK / 2  # factor by which it grows where a step of LONGEST g is accurate
MOST_STEPS = 20_000
FORECAST = 256  # number of steps after which a run is given up if the remaining time is too long even for the longest steps


def motion(
    generator: Any, start: np.ndarray, times: np.ndarray, tell: Callable[[float], None] = report
) -> Iterator[np.ndarray]:
    """exp(L (t - times[0])) start at each of `times`, one after the other. `tell` is called with the completed fraction.

    Raises OverflowError if steps get too small or too many, or rates are too large for double precision.
    """
    yield start
    if not np.all(np.isfinite(generator.data)):
        raise OverflowError
    yield from propagate(ShiftInvert(generator), start.astype(np.result_type(start, generator.dtype)), times, tell)


class ShiftInvert(KrylovMethod):
    """Krylov subspaces of (1 - g L)^-1; g adapts to the step length."""

    most: ClassVar[int] = MOST_STEPS
    growth: ClassVar[float] = GROWTH

    def __init__(self, generator: Any) -> None:
        self._generator = generator
        self._fastest = max(abs(generator.diagonal()).max(), 1e-300)
        self._g, self._factored = 1 / self._fastest, 0.0

    def hopeless(self, state: np.ndarray, steps: int, remaining: float) -> bool:
        return hopeless(steps, remaining, LARGEST_SHIFT / self._fastest)

    def step(self, state: np.ndarray, remaining: float, tolerance: float) -> tuple[KrylovSpace, float]:
        g = self._g
        if self._factored != g:
            matrix, self._factored = sparse.eye_array(state.size, dtype=state.dtype) - g * self._generator, g
            self._factors = PivotedFactors(matrix)
        found, step = krylov_space(self._factors.solve, g, state, remaining, tolerance)
        self._g = next_shift(g, step, LARGEST_SHIFT / self._fastest)
        return found, step


def krylov_space(
    solve: Callable[[np.ndarray], np.ndarray], g: float, state: np.ndarray, remaining: float, tolerance: float
) -> tuple[KrylovSpace, float]:
    """A subspace accurate for steps of LONGEST g, or with MOST_VECTORS vectors, and the longest accurate step in it.

    solve : v -> (1 - g L)^-1 v
    """
    longest, basis = min(LONGEST * g, remaining), Basis(state, MOST_VECTORS)
    for k in range(1, MOST_VECTORS + 1):
        check_interrupt()
        invariant = not basis.extend(solve(basis.last))
        if invariant or k % CHECK_EVERY == 0:
            try:
                found = KrylovSpace(basis.rows.T, (np.eye(k) - np.linalg.inv(basis.hessenberg[:k, :k])) / g, basis.norm)
                step = min(remaining, CERTAIN * g) if invariant else found.longest_accurate(g, longest, tolerance)
            except np.linalg.LinAlgError:  # entries are not finite
                raise OverflowError from None
            if step >= longest:
                break
    return found, step


def next_shift(g: float, step: float, most: float) -> float:
    """The shift g for the next step, at most `most`, after a step of the given length; 0: it failed."""
    if not step:
        return g / SHRINK
    if step >= LONGEST * g:
        return min(g * GROWTH, most)
    return g / (SHRINK / 4) if step <= 4 * g else g


def hopeless(steps: int, remaining: float, longest_shift: float) -> bool:
    """Whether even the longest steps will not cover the remaining time."""
    return steps == FORECAST and remaining > MOST_STEPS * CERTAIN * longest_shift
