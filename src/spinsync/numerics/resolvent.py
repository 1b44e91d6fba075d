"""r . (-i w - L)^{-1} v at many frequencies w from a few factorizations: projection on solutions at chosen frequencies.

A rational Krylov space; each further frequency of it is where the residual is largest. A. Ruhe, Linear Algebra Appl. 58,
391 (1984).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg, sparse

from spinsync.numerics.elimination import Factors, dissected

ALLOWED = 1e-11  # residual, of the length of v
VECTORS = 6  # per factorization
MOST_POINTS = 60


def response(
    block: Any, sites: np.ndarray | None, sender: np.ndarray, receiver: np.ndarray, frequencies: np.ndarray
) -> np.ndarray:
    """receiver . (-i w - block)^{-1} sender for each w, complex array of shape (frequency,).

    sites : places of the components on a lattice, or None where the matrix is small

    Raises
    ------
    OverflowError
        If there is no answer to double precision: a response without decay, or rates that are too large.
    """
    length = np.linalg.norm(sender)
    if length == 0:
        return np.zeros(frequencies.size, complex)
    order = np.arange(sender.size) if sites is None else dissected(sites)
    one = sparse.eye_array(sender.size)
    basis = np.zeros((sender.size, 0), complex)
    point = frequencies[frequencies.size // 2]
    for _ in range(MOST_POINTS):
        factors = Factors(-1j * point * one - block, order)
        new = [factors.solve(sender.astype(complex))]
        for _ in range(VECTORS - 1):
            new.append(factors.solve(new[-1] / np.linalg.norm(new[-1])))
        basis = _orthonormal(basis, np.stack([v / np.linalg.norm(v) for v in new], axis=1))
        if not np.all(np.isfinite(basis)):
            break
        answer, residual = _projected(block @ basis, basis, sender, receiver, frequencies)
        if residual.max() <= ALLOWED * length:
            return answer
        point = frequencies[np.argmax(residual)]
    raise OverflowError


def _orthonormal(basis: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The basis, and what is new in further vectors."""
    for _ in range(2):
        new = new - basis @ (basis.conj().T @ new)
    vectors, upper, _ = linalg.qr(new, mode="economic", pivoting=True, check_finite=False)
    kept = abs(upper.diagonal()) > 1e-13
    return np.concatenate([basis, vectors[:, kept]], axis=1)


def _projected(
    image: np.ndarray, basis: np.ndarray, sender: np.ndarray, receiver: np.ndarray, frequencies: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Answers in the basis, and the norms of what they leave over."""
    size = basis.shape[1]
    small, start, end = basis.conj().T @ image, basis.conj().T @ sender, receiver @ basis
    upper = linalg.qr(np.concatenate([sender[:, None], basis, image], axis=1), mode="r", check_finite=False)[0][: 2 * size + 1]
    answer, residual = np.zeros(frequencies.size, complex), np.zeros(frequencies.size)
    for k, w in enumerate(frequencies):
        inside = np.linalg.solve(-1j * w * np.eye(size) - small, start)
        answer[k] = end @ inside
        residual[k] = np.linalg.norm(upper @ np.concatenate([[1], 1j * w * inside, inside]))
    return answer, residual
