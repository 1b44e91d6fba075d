"""Sparse LU factorization on a lattice with coupling of nearest neighbours; the elimination order is nested dissection."""

from __future__ import annotations

from math import log2
from typing import Any

import numpy as np
from scipy.sparse.linalg import splu

from spinsync.base.compiled import compiled
from spinsync.problems import outcome
from spinsync.problems.linear.sectors import Window
from spinsync.problems.linear.state_lattice.truncation import area

LEAF = 4  # largest number of sites that are not dissected further


def afford(window: Window, itemsize: int, vectors: int = 0, growth: int = 1) -> None:
    """Raise TooLargeError if memory can't hold the factors on a window, and `vectors` vectors; sites grow as spins**growth.

    Nonzero factors per site grow with the logarithm of the number of sites: measured from 5 x 10^4 to 1.4 x 10^6 sites.
    """
    sites = area(window)
    nonzero = max(10 * log2(sites) - 86, 20)
    outcome.afford(sites * (nonzero * (13 + 1.7 * itemsize) + vectors * itemsize), growth)


def seconds(window: Window, itemsize: int) -> float:
    """Approximate time to factor the matrix on a window, for the progress line.

    Measured from 1.6 x 10^4 to 4.6 x 10^5 sites on a core of an AMD EPYC (Zen 5): within 30 percent.
    """
    return float(0.23 * (area(window) / 86_000) ** 1.4 * (1.7 if itemsize > 8 else 1.0))


def nested_dissection(sites: np.ndarray) -> np.ndarray:
    """Elimination order with little fill: first both halves, recursively, then the line of sites that separates them.

    A. George, SIAM J. Numer. Anal. 10, 345 (1973).
    """
    shifted = np.ascontiguousarray(sites - sites.min(axis=0), np.int64)
    keys = np.empty(len(shifted), np.int64)
    _dissection_keys(shifted, shifted.max(axis=0) + 1, keys)
    return np.argsort(keys, kind="stable")


@compiled("void(int64[:,::1], int64[::1], int64[::1])")
def _dissection_keys(site: np.ndarray, size: np.ndarray, keys: np.ndarray) -> None:
    """Base-3 keys: a digit for each level of dissection, 0 and 1 for the halves, 2 for the separator; then zeros."""
    depth, cells = 0, size[0] * size[1]
    while cells > LEAF:  # the larger half at each level
        cells //= 2
        depth += 1
    for k in range(len(site)):
        a, b = site[k]
        rows, columns = size
        key, undivided = 0, True
        for _ in range(depth + 1):
            key *= 3
            if not undivided or rows * columns <= LEAF:
                continue
            if columns > rows:
                a, b, rows, columns = b, a, columns, rows
            middle = rows // 2
            if a < middle:
                rows = middle
            elif a > middle:
                a -= middle + 1
                rows -= middle + 1
                key += 1
            else:
                undivided = False
                key += 2
        keys[k] = key


class PivotedFactors:
    """Sparse LU factors with pivoting. Raises OverflowError if an entry is not finite, or the matrix is singular."""

    def __init__(self, matrix: Any) -> None:
        if not np.all(np.isfinite(matrix.data)):
            raise OverflowError
        try:
            self._inverse: Any = splu(matrix.tocsc())
        except RuntimeError:  # exactly singular
            raise OverflowError from None

    def solve(self, right: np.ndarray) -> np.ndarray:
        return np.asarray(self._inverse.solve(right))


class Factors:
    """Sparse LU factors without pivoting, for matrices with dominant diagonal in each column.

    Examples are -L and i w - L, w real, for generators L. order : elimination order, int array of shape (component,); None: as
    the matrix is given. Raises OverflowError if an entry is not finite, or a pivot vanishes.
    """

    def __init__(self, matrix: Any, order: np.ndarray | None = None) -> None:
        self._order = order
        permuted = matrix if order is None else matrix.tocsr()[order].tocsc()[:, order]
        if not np.all(np.isfinite(permuted.data)):
            raise OverflowError
        try:
            self._inverse: Any = splu(
                permuted.tocsc(), permc_spec="NATURAL", diag_pivot_thresh=0.0, panel_size=1, options={"SymmetricMode": True}
            )
        except RuntimeError:  # exactly singular
            raise OverflowError from None

    def solve(self, right: np.ndarray, transposed: bool = False) -> np.ndarray:
        trans = "T" if transposed else "N"
        if self._order is None:
            return np.asarray(self._inverse.solve(right, trans))
        out = np.empty_like(right)
        out[self._order] = self._inverse.solve(right[self._order], trans)
        return out
