"""GMRES, preconditioned from the right, so that the minimized residual is that of the original equation.

Y. Saad and M. H. Schultz, SIAM J. Sci. Stat. Comput. 7, 856 (1986).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log

import numpy as np

from spinsync.base.progress import report
from spinsync.problems.linear.bases import Basis

LEAST_GAIN = 0.5  # largest fraction of the residual after a cycle that justifies another one
Map = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class GmresSolution:
    """x, approximate solution of A x = b.

    residual : b - A x; smallest_singular : smallest singular value of the preconditioned A in the Krylov spaces
    """

    x: np.ndarray
    residual: np.ndarray
    smallest_singular: float


def solve(apply: Map, precondition: Map, right: np.ndarray, tolerance: float, vectors: int, most: int) -> GmresSolution:
    """Restarted GMRES(vectors); ends below `tolerance`, after `most` steps, or when a restart gains too little."""
    x, residual, steps, smallest_singular = np.zeros_like(right), right, 0, np.inf
    norm = float(np.linalg.norm(right))

    def tell(reached: float) -> None:
        """The logarithm of the residual falls about linearly."""
        if 0 < tolerance < reached < first:
            report(log(first / reached) / log(first / tolerance), f"residual {reached / first:.0e}")

    first = norm
    while norm > tolerance and steps < most:
        step, singular, dimension = _cycle(apply, precondition, residual, tolerance, min(vectors, most - steps), tell)
        new_residual = right - apply(x + step)
        steps, previous = steps + dimension + 1, norm
        norm = float(np.linalg.norm(new_residual))
        if not norm < previous:  # NaN included
            break
        x, residual, smallest_singular = x + step, new_residual, min(smallest_singular, singular)
        if norm > LEAST_GAIN * previous:
            break
    return GmresSolution(x, residual, smallest_singular)


def _cycle(
    apply: Map, precondition: Map, residual: np.ndarray, tolerance: float, most: int, tell: Callable[[float], None]
) -> tuple[np.ndarray, float, int]:
    """Correction with least residual in a Krylov space, smallest singular value there, and dimension of the space."""
    basis = Basis(residual, most)
    for k in range(1, most + 1):
        grown = basis.extend(apply(precondition(basis.last)))
        hessenberg, target = basis.hessenberg[: k + 1, :k], basis.norm * np.eye(k + 1, 1)[:, 0]
        best = np.linalg.lstsq(hessenberg, target)[0]
        reached = float(np.linalg.norm(hessenberg @ best - target))
        if not grown or reached <= tolerance / 2:
            break
        tell(reached)
    smallest_singular = float(np.linalg.svd(hessenberg, compute_uv=False)[-1])
    return precondition(best @ basis.rows), smallest_singular, len(best)
