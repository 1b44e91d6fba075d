"""Sparse elimination on a lattice whose next neighbours couple: nested dissection tells the order."""

from __future__ import annotations

from math import log2, prod
from typing import Any

import numpy as np
from scipy.sparse.linalg import splu

from spinsync.base.memory import available
from spinsync.data.problems import Box

LEAF = 16  # places that are not dissected further


class TooLargeError(Exception):
    """A request that memory can't hold: `needed` and `available` bytes."""

    def __init__(self, needed: float, available: float) -> None:
        super().__init__()
        self.needed, self.available = needed, available


def afford(box: Box, itemsize: int, vectors: int = 0) -> None:
    """Refuse a box whose factors, and as many vectors, memory can't hold.

    Nonzero factors per place grow with the logarithm of the number of places; measured from 5 x 10^4 to 1.4 x 10^6 places.

    Raises
    ------
    TooLargeError
        With the estimate.
    """
    places = prod(high - low + 1 for low, high in zip(box.low, box.high, strict=True))
    nonzero = max(10 * log2(places) - 86, 20)
    needed = places * (nonzero * (13 + 1.7 * itemsize) + vectors * itemsize)
    if needed > available():
        raise TooLargeError(needed, available())


def dissected(sites: np.ndarray) -> np.ndarray:
    """An order of elimination with little fill: halves first, then the line of places that separates them.

    All places at once: a digit for each time that their block is cut, 0 and 1 for the halves and 2 for the line.
    A. George, SIAM J. Numer. Anal. 10, 345 (1973).
    """
    place = (sites - sites.min(axis=0)).T
    size = np.repeat(place.max(axis=1, keepdims=True) + 1, place.shape[1], axis=1)
    key, every = np.zeros(place.shape[1], np.int64), np.arange(place.shape[1])
    while (cut := size[0] * size[1] > LEAF).any():
        axis = (size[1] > size[0]).astype(int)
        along, middle = place[axis, every], size[axis, every] // 2
        side = np.where(cut, (along > middle) + 2 * (along == middle), 0)
        key = 3 * key + side
        low, high, line = cut & (side == 0), side == 1, side == 2
        size[axis[low], every[low]] = middle[low]
        size[axis[high], every[high]] -= middle[high] + 1
        place[axis[high], every[high]] -= middle[high] + 1
        size[0, line] = 0
    return np.argsort(key, kind="stable")


class Factors:
    """L U of a matrix whose diagonal dominates each column, so that no pivoting is needed.

    Generators are such: -L, or i w - L with w real.

    Parameters
    ----------
    matrix : sparse matrix
    order : int array of shape (component,), optional
        The order of elimination; None: as the matrix stands.

    Raises
    ------
    OverflowError
        If an entry is not finite, or a pivot vanishes.
    """

    def __init__(self, matrix: Any, order: np.ndarray | None = None) -> None:
        self._order = order
        arranged = matrix if order is None else matrix.tocsr()[order].tocsc()[:, order]
        if not np.all(np.isfinite(arranged.data)):
            raise OverflowError
        try:
            self._inverse: Any = splu(
                arranged.tocsc(), permc_spec="NATURAL", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
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
