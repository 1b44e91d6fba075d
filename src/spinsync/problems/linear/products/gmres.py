"""Generalized minimal residuals, preconditioned from the right: the residual that is minimized is the true one.

Y. Saad and M. H. Schultz, SIAM J. Sci. Stat. Comput. 7, 856 (1986).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

WORTH = 0.5  # of the residual may be left by a restart
Map = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Solution:
    """x with A x about b.

    residual : b - A x
    weakest : smallest singular value of the preconditioned A that was met
    steps : products with A
    """

    x: np.ndarray
    residual: np.ndarray
    weakest: float
    steps: int


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
    return Solution(x, residual, weakest, steps)


def _cycle(apply: Map, precondition: Map, residual: np.ndarray, tolerance: float, most: int) -> tuple[np.ndarray, float, int]:
    """The best correction in a Krylov space, the smallest singular value in it, and its dimension."""
    basis = np.empty((most + 1, residual.size), residual.dtype)
    upper = np.zeros((most + 1, most), residual.dtype)
    start = float(np.linalg.norm(residual))
    basis[0] = residual / start
    target = np.zeros(most + 1, residual.dtype)
    target[0] = start
    for k in range(most):
        new = apply(precondition(basis[k]))
        for _ in range(2):  # twice is enough
            overlap = (basis[: k + 1] @ new.conj()).conj()  # conjugating the basis would copy it
            upper[: k + 1, k] += overlap
            new -= overlap @ basis[: k + 1]
        upper[k + 1, k] = np.linalg.norm(new)
        small = upper[: k + 2, : k + 1]
        best = np.linalg.lstsq(small, target[: k + 2])[0]
        if not upper[k + 1, k].real > 1e-14 * np.linalg.norm(upper[: k + 1, k]):
            break
        basis[k + 1] = new / upper[k + 1, k]
        if np.linalg.norm(small @ best - target[: k + 2]) <= tolerance / 2:
            break
    weakest = float(np.linalg.svd(small, compute_uv=False)[-1])
    return precondition(best @ basis[: len(best)]), weakest, len(best)
