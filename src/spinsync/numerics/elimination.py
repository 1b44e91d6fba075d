"""Sparse elimination on a lattice whose next neighbours couple: nested dissection tells the order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.sparse.linalg import splu

LEAF = 16  # places that are not dissected further


def dissected(sites: np.ndarray) -> np.ndarray:
    """An order of elimination with little fill: halves first, then the line of places that separates them.

    A. George, SIAM J. Numer. Anal. 10, 345 (1973).
    """
    return np.concatenate(list(_parts(sites, np.arange(len(sites)))))


def _parts(sites: np.ndarray, part: np.ndarray) -> Iterator[np.ndarray]:
    if len(part) <= LEAF:
        yield part
        return
    places = sites[part]
    line = places[:, np.argmax(np.ptp(places, axis=0))]
    middle = np.partition(line, line.size // 2)[line.size // 2]
    for side in (line < middle, line > middle):
        if side.any():
            yield from _parts(sites, part[side])
    yield part[line == middle]


class Factors:
    """L U of a matrix whose diagonal dominates each column, so that no pivoting is needed.

    Generators are such: -L, or i w - L with w real.

    Parameters
    ----------
    matrix : sparse matrix
    order : int array of shape (component,), optional
        The order of elimination; None: as the matrix stands.
    """

    def __init__(self, matrix: Any, order: np.ndarray | None = None) -> None:
        self._order = order
        arranged = matrix if order is None else matrix.tocsr()[order].tocsc()[:, order]
        self._inverse: Any = splu(
            arranged.tocsc(), permc_spec="NATURAL", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )

    def solve(self, right: np.ndarray, transposed: bool = False) -> np.ndarray:
        trans = "T" if transposed else "N"
        if self._order is None:
            return np.asarray(self._inverse.solve(right, trans))
        out = np.empty_like(right)
        out[self._order] = self._inverse.solve(right[self._order], trans)
        return out
