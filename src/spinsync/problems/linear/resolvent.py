"""r . (-i w - L)^{-1} v at many frequencies w from few factorizations: projection on a rational Krylov space.

The next shift is the frequency of the largest residual. A. Ruhe, Linear Algebra Appl. 58, 391 (1984).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import linalg, sparse

from spinsync.base.progress import part, report
from spinsync.problems.linear.bases import CLOSED, orthogonalized
from spinsync.problems.linear.state_lattice.sparse_lu import Factors, nested_dissection

Map = Callable[[np.ndarray], np.ndarray]
ALLOWED = 1e-11  # change of the response by further vectors, relative to its largest value
RESIDUAL = 1e-6  # largest residual, relative to the norm of v
VECTORS = 8  # per factorization
POINTS = 4  # typical number of shifts, for the progress line
MOST_POINTS = 60  # largest number of shifts


def response(
    block: Any, sites: np.ndarray | None, source: np.ndarray, observable: np.ndarray, frequencies: np.ndarray
) -> np.ndarray:
    """observable . (-i w - block)^{-1} source for each w, complex array of shape (frequency,).

    sites : lattice sites of the components, or None for a small matrix

    Raises OverflowError if the response does not decay, or rates are too large for double precision.
    """
    order = np.arange(source.size) if sites is None else nested_dissection(sites)

    def solver(w: float) -> Map:
        return Factors(sparse.diags_array(np.full(source.size, -1j * w)) - block, order).solve

    return projected_response(lambda vectors: np.asarray(block @ vectors), solver, source, observable, frequencies)


def projected_response(
    apply: Map, solver: Callable[[float], Map], source: np.ndarray, observable: np.ndarray, frequencies: np.ndarray
) -> np.ndarray:
    """The same from matrix-vector products and solutions at single frequencies.

    apply : V -> L V, for vectors in columns
    solver : w -> (v -> (-i w - L)^{-1} v)
    """
    source_norm = np.linalg.norm(source)
    if not source.any():
        return np.zeros(frequencies.size, complex)
    if source_norm == 0:  # underflow of its square
        raise OverflowError
    basis = np.zeros((source.size, 0), complex)
    shift, previous = frequencies[frequencies.size // 2], np.full(frequencies.size, np.inf)
    for point in range(MOST_POINTS):
        expected = max(point + 1, POINTS)
        report(point / expected, f"shift {point + 1}")
        solve = solver(float(shift))
        vector = source.astype(complex)
        for k in range(VECTORS):
            with part((point + k / VECTORS) / expected, (point + (k + 1) / VECTORS) / expected):
                solved = solve(vector)
            basis = extended(basis, solved)
            vector = basis[:, -1] if basis.size else vector
        if not basis.size or not np.all(np.isfinite(basis)):
            break
        answer, residual = projected(apply(basis), basis, source, observable, -1j * frequencies)
        change = abs(answer - previous)
        if change.max() <= ALLOWED * abs(answer).max() and residual.max() <= RESIDUAL * source_norm:
            return answer
        shift, previous = frequencies[np.argmax(residual)], answer
    raise OverflowError


def extended(basis: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """The orthonormal basis with one more vector, unless that depends linearly on it."""
    remainder = orthogonalized(basis.T, vector)[1]
    size = np.linalg.norm(remainder)
    return basis if size <= CLOSED * np.linalg.norm(vector) else np.concatenate([basis, remainder[:, None] / size], axis=1)


def projected(
    image: np.ndarray, basis: np.ndarray, source: np.ndarray, observable: np.ndarray, shifts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """observable . (shift - L)^{-1} source projected on the basis, for each complex shift, and the norms of the residuals."""
    size = basis.shape[1]
    projected, start, end = basis.conj().T @ image, basis.conj().T @ source, observable @ basis
    upper = linalg.qr(np.concatenate([source[:, None], basis, image], axis=1), mode="r", check_finite=False)[0][: 2 * size + 1]
    answer, residual = np.zeros(shifts.size, complex), np.zeros(shifts.size)
    for k, shift in enumerate(shifts):
        coefficients = np.linalg.solve(shift * np.eye(size) - projected, start)
        answer[k] = end @ coefficients
        residual[k] = np.linalg.norm(upper @ np.concatenate([[1], -shift * coefficients, coefficients]))
    return answer, residual
