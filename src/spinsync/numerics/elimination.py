"""Sparse elimination on a lattice whose next neighbours couple: nested dissection tells the order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.sparse.linalg import splu

LEAF = 36  # places that are not dissected further


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
    """L U of a matrix that needs no pivoting: its diagonal dominates each column.

    Generators are such: -L, or i w - L, with w real.
    """

    def __init__(self, matrix: Any, order: np.ndarray | None) -> None:
        self.order = order
        arranged = matrix.tocsc() if order is None else matrix.tocsr()[order].tocsc()[:, order]
        options = {"SymmetricMode": True}
        column = "MMD_AT_PLUS_A" if order is None else "NATURAL"
        self._inverse: Any = splu(arranged, permc_spec=column, diag_pivot_thresh=0.0, options=options)

    def solve(self, right: np.ndarray, transposed: bool = False) -> np.ndarray:
        trans = "T" if transposed else "N"
        if self.order is None:
            return np.asarray(self._inverse.solve(right, trans))
        out = np.empty_like(right)
        out[self.order] = self._inverse.solve(right[self.order], trans)
        return out
