"""Sparse elimination on a lattice whose next neighbours couple: nested dissection tells the order."""

from __future__ import annotations

from math import log2, prod
from typing import Any

import numpy as np
from scipy.sparse.linalg import splu

from spinsync.base.compiled import compiled
from spinsync.problems import outcome
from spinsync.problems.linear.sectors import Box

LEAF = 4  # places that are not dissected further


def afford(box: Box, itemsize: int, vectors: int = 0, growth: int = 1) -> None:
    """Refuse a box whose factors, and as many vectors, memory can't hold; it has some spins to the power `growth` of places.

    Nonzero factors per place grow with the logarithm of the number of places; measured from 5 x 10^4 to 1.4 x 10^6 places.

    Raises TooLargeError with the estimate.
    """
    places = prod(high - low + 1 for low, high in zip(box.low, box.high, strict=True))
    nonzero = max(10 * log2(places) - 86, 20)
    outcome.afford(places * (nonzero * (13 + 1.7 * itemsize) + vectors * itemsize), growth)


def dissected(sites: np.ndarray) -> np.ndarray:
    """An order of elimination with little fill: halves first, then the line of places that separates them.

    A. George, SIAM J. Numer. Anal. 10, 345 (1973).
    """
    place = np.ascontiguousarray(sites - sites.min(axis=0), np.int64)
    keys = np.empty(len(place), np.int64)
    _digits(place, place.max(axis=0) + 1, keys)
    return np.argsort(keys, kind="stable")


@compiled("void(int64[:,::1], int64[::1], int64[::1])")
def _digits(place: np.ndarray, size: np.ndarray, keys: np.ndarray) -> None:
    """A digit for each time that the block of a place is cut, 0 and 1 for the halves and 2 for the line; then zeros."""
    depth, cells = 0, size[0] * size[1]
    while cells > LEAF:  # the larger half of every cut
        cells //= 2
        depth += 1
    for k in range(len(place)):
        a, b = place[k]
        rows, columns = size
        key, inside = 0, True
        for _ in range(depth + 1):
            key *= 3
            if not inside or rows * columns <= LEAF:
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
                inside = False
                key += 2
        keys[k] = key


class Pivoted:
    """L U of any sparse matrix. Raises OverflowError if an entry is not finite, or the matrix is singular."""

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
    """L U of a matrix whose diagonal dominates each column, so that no pivoting is needed.

    Generators are such: -L, or i w - L with w real. order : int array of shape (component,), in which components are
    eliminated; None: as the matrix stands.

    Raises OverflowError if an entry is not finite, or a pivot vanishes.
    """

    def __init__(self, matrix: Any, order: np.ndarray | None = None) -> None:
        self._order = order
        arranged = matrix if order is None else matrix.tocsr()[order].tocsc()[:, order]
        if not np.all(np.isfinite(arranged.data)):
            raise OverflowError
        try:
            self._inverse: Any = splu(
                arranged.tocsc(), permc_spec="NATURAL", diag_pivot_thresh=0.0, panel_size=1, options={"SymmetricMode": True}
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
