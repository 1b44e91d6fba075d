"""Motion of large linear problems: the exponential in the Krylov space of a resolvent.

One factorization of 1 - g L serves many long steps, however fast the fastest decay is. J. van den Eshof and
M. Hochbruck, SIAM J. Sci. Comput. 27, 1438 (2006).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from spinsync.problems.linear.bases import Basis, Space, Spaces, moved
from spinsync.problems.linear.lattice.sparse_lu import Factors, Pivoted, dissected

STIFFEST = 1e6  # g times the fastest rate: the rest of ten digits is left to solutions with 1 - g L
CERTAIN = 1e3  # step in units of g, in which rounding errors of the exponent stay small
MOST = 80  # vectors
BATCH = 8  # vectors between two looks at the error
LONGEST = 64  # step in units of g; the shortest is 1
REFINE = 8.0  # g shrinks by it where a step fails
MOST_STEPS = 20_000
SEEN = 256  # steps after which what has neither vanished nor come to rest will not be followed beyond all others


def motion(generator: Any, sites: np.ndarray | None, start: np.ndarray, times: np.ndarray) -> Iterator[np.ndarray]:
    """exp(L (t - times[0])) start at each of `times`, one after the other.

    sites : places of the components on a lattice of which only next neighbours couple; None: they live on none

    Raises OverflowError if steps get too small or too many, or rates are too large for double precision.
    """
    yield start
    if not np.all(np.isfinite(generator.data)):
        raise OverflowError
    yield from moved(Resolvents(generator, sites), start.astype(np.result_type(start, generator.dtype)), times)


class Resolvents(Spaces):
    """Krylov spaces of (1 - g L)^-1; g follows the motion."""

    most = MOST_STEPS

    def __init__(self, generator: Any, sites: np.ndarray | None) -> None:
        self._generator = generator
        self._order = None if sites is None else dissected(sites)
        self._fastest = max(abs(generator.diagonal()).max(), 1e-300)
        self._g, self._factored = 1 / self._fastest, 0.0

    def hopeless(self, state: np.ndarray, steps: int, left: float) -> bool:
        return steps == SEEN and left > MOST_STEPS * CERTAIN * (STIFFEST / self._fastest)

    def step(self, state: np.ndarray, left: float, allowed: float) -> tuple[Space, float]:
        g = self._g
        if self._factored != g:
            matrix, self._factored = sparse.eye_array(state.size, dtype=state.dtype) - g * self._generator, g
            self._factors = Pivoted(matrix) if self._order is None else Factors(matrix, self._order)
        try:
            found, step = self._space(state, left, allowed)
        except np.linalg.LinAlgError:  # entries that are no number
            raise OverflowError from None
        if not step:
            self._g = g / REFINE
        elif step >= LONGEST * g:
            self._g = min(g * REFINE / 2, STIFFEST / self._fastest)
        elif step <= 4 * g:
            self._g = g / (REFINE / 4)
        return found, step

    def _space(self, state: np.ndarray, left: float, allowed: float) -> tuple[Space, float]:
        """A space that is accurate for steps of LONGEST g, or has MOST vectors, and the longest accurate step in it."""
        g, longest, basis = self._g, min(LONGEST * self._g, left), Basis(state, MOST)
        for k in range(1, MOST + 1):
            closed = not basis.extend(self._factors.solve(basis.last))
            if closed or k % BATCH == 0:
                found = Space(basis.rows.T, (np.eye(k) - np.linalg.inv(basis.small[:k, :k])) / g, basis.length)
                step = min(left, CERTAIN * g) if closed else found.accurate(g, longest, allowed)
                if step >= longest:
                    break
        return found, step
