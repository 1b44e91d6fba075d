"""r . (-i w - L)^{-1} v at many frequencies w from a few factorizations: projection on solutions at chosen frequencies.

A rational Krylov space; each further frequency of it is where the residual is largest. A. Ruhe, Linear Algebra Appl. 58,
391 (1984).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import linalg, sparse

from spinsync.problems.linear.bases import CLOSED, orthogonal
from spinsync.problems.linear.lattice.sparse_lu import Factors, dissected

Map = Callable[[np.ndarray], np.ndarray]
ALLOWED = 1e-11  # change of the answer by further vectors, of its largest value
RESIDUAL = 1e-6  # of the length of v, at most
VECTORS = 8  # per factorization
MOST_POINTS = 60


def response(
    block: Any, sites: np.ndarray | None, sender: np.ndarray, receiver: np.ndarray, frequencies: np.ndarray
) -> np.ndarray:
    """receiver . (-i w - block)^{-1} sender for each w, complex array of shape (frequency,).

    sites : places of the components on a lattice, or None where the matrix is small

    Raises OverflowError if there is no answer to double precision: a response without decay, or rates that are too large.
    """
    order = np.arange(sender.size) if sites is None else dissected(sites)

    def solver(w: float) -> Map:
        return Factors(sparse.diags_array(np.full(sender.size, -1j * w)) - block, order).solve

    return interpolated(lambda vectors: np.asarray(block @ vectors), solver, sender, receiver, frequencies)


def interpolated(
    apply: Map, solver: Callable[[float], Map], sender: np.ndarray, receiver: np.ndarray, frequencies: np.ndarray
) -> np.ndarray:
    """The same, if only products with the generator and solutions at a frequency are known.

    apply : v -> L v, for vectors side by side
    solver : w -> (v -> (-i w - L)^{-1} v)
    """
    length = np.linalg.norm(sender)
    if not sender.any():
        return np.zeros(frequencies.size, complex)
    if length == 0:  # its square is not a number that there is
        raise OverflowError
    basis = np.zeros((sender.size, 0), complex)
    point, before = frequencies[frequencies.size // 2], np.full(frequencies.size, np.inf)
    for _ in range(MOST_POINTS):
        solve = solver(float(point))
        new = sender.astype(complex)
        for _ in range(VECTORS):
            basis = extended(basis, solve(new))
            new = basis[:, -1] if basis.size else new
        if not basis.size or not np.all(np.isfinite(basis)):
            break
        answer, residual = projected(apply(basis), basis, sender, receiver, -1j * frequencies)
        change = abs(answer - before)
        if change.max() <= ALLOWED * abs(answer).max() and residual.max() <= RESIDUAL * length:
            return answer
        point, before = frequencies[np.argmax(residual)], answer
    raise OverflowError


def extended(basis: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The orthonormal basis and one vector more, unless it is in there already."""
    left = orthogonal(basis.T, new)[1]
    size = np.linalg.norm(left)
    return basis if size <= CLOSED * np.linalg.norm(new) else np.concatenate([basis, left[:, None] / size], axis=1)


def projected(
    image: np.ndarray, basis: np.ndarray, sender: np.ndarray, receiver: np.ndarray, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Answers of (place - L)^{-1} in the basis at some places of the complex plane, and the norms of what they leave over."""
    size = basis.shape[1]
    small, start, end = basis.conj().T @ image, basis.conj().T @ sender, receiver @ basis
    upper = linalg.qr(np.concatenate([sender[:, None], basis, image], axis=1), mode="r", check_finite=False)[0][: 2 * size + 1]
    answer, residual = np.zeros(places.size, complex), np.zeros(places.size)
    for k, place in enumerate(places):
        inside = np.linalg.solve(place * np.eye(size) - small, start)
        answer[k] = end @ inside
        residual[k] = np.linalg.norm(upper @ np.concatenate([[1], -place * inside, inside]))
    return answer, residual
