"""Generalized minimal residuals, preconditioned from the right: the residual that is minimized is the true one.

Y. Saad and M. H. Schultz, SIAM J. Sci. Stat. Comput. 7, 856 (1986).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spinsync.problems.linear.bases import Basis

WORTH = 0.5  # of the residual may be left by a restart
Map = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Solution:
    """x with A x about b.

    residual : b - A x
    weakest : smallest singular value of the preconditioned A that was met
    """

    x: np.ndarray
    residual: np.ndarray
    weakest: float


def solve(apply: Map, precondition: Map, right: np.ndarray, tolerance: float, vectors: int, most: int) -> Solution:
    """Restarted when `vectors` are kept; ends below `tolerance`, after `most` steps, or where a restart gains nothing."""
    x, residual, steps, weakest = np.zeros_like(right), right, 0, np.inf
    norm = float(np.linalg.norm(right))
    while norm > tolerance and steps < most:
        step, smallest, used = _cycle(apply, precondition, residual, tolerance, min(vectors, most - steps))
        new = right - apply(x + step)
        steps, before = steps + used + 1, norm
        norm = float(np.linalg.norm(new))
        if not norm < before:  # NaN included
            break
        x, residual, weakest = x + step, new, min(weakest, smallest)
        if norm > WORTH * before:
            break
    return Solution(x, residual, weakest)


def _cycle(apply: Map, precondition: Map, residual: np.ndarray, tolerance: float, most: int) -> tuple[np.ndarray, float, int]:
    """The best correction in a Krylov space, the smallest singular value in it, and its dimension."""
    basis = Basis(residual, most)
    for k in range(1, most + 1):
        new = basis.extend(apply(precondition(basis.last)))
        small, target = basis.small[: k + 1, :k], basis.length * np.eye(k + 1, 1)[:, 0]
        best = np.linalg.lstsq(small, target)[0]
        if not new or np.linalg.norm(small @ best - target) <= tolerance / 2:
            break
    weakest = float(np.linalg.svd(small, compute_uv=False)[-1])
    return precondition(best @ basis.rows), weakest, len(best)
