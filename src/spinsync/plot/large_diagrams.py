"""Diagrams with more points than an image needs: blocks of points are averaged, read piece by piece from a store."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

import numpy as np
import xarray as xr

from spinsync.base.arrays import Array
from spinsync.regimes.codes import Regime

MOST = 1500  # points of an image along each axis: more than the pixels of a printed figure
PIECE = 2**22  # points read at once


def reduced(
    diagram: xr.Dataset, pick: Callable[[xr.Dataset], xr.DataArray], most: int = MOST, *, cyclic: bool = False
) -> xr.DataArray:
    """A variable over two axes, averaged over blocks of points so that at most `most` blocks are left along each axis.

    The mean leaves out NaN; of regimes the most frequent one of a block is taken, and of angles (`cyclic`) the circular mean.
    Coordinates are the means of the blocks. Small diagrams are not averaged.

    diagram : with order_parameter, whose dims are the axes
    pick : the variable from a part of the diagram; parts of large ones are read one after the other
    """
    whole = [str(dim) for dim in diagram["order_parameter"].dims]
    sizes = [diagram.sizes[dim] for dim in whole]
    steps = [ceil(size / most) for size in sizes]
    if max(steps) == 1:
        return pick(diagram)
    rows = max(1, PIECE // (steps[0] * sizes[1])) * steps[0]
    pieces = []
    for low in range(0, sizes[0], rows):
        part = pick(diagram.isel({whole[0]: slice(low, low + rows)}).load())
        pieces.append(_blocks(part.values, steps, cyclic))
    coordinates = {
        dim: (dim, _means(diagram[dim].values, step), diagram[dim].attrs) for dim, step in zip(whole, steps, strict=True)
    }
    return xr.DataArray(np.concatenate(pieces), coordinates, whole, part.name, part.attrs)


def _means(values: Array, step: int) -> Array:
    """Means of every `step` values; the last block may be shorter."""
    starts = np.arange(0, len(values), step)
    return np.asarray(np.add.reduceat(values, starts) / np.diff([*starts, len(values)]))


def _blocks(values: Array, steps: list[int], cyclic: bool) -> Array:
    """One value for each block of this many rows and columns."""
    if values.dtype.kind in "iu":
        codes = [int(code) for code in Regime]
        counts = np.stack([_sums((values == code).astype(float), steps) for code in codes])
        return np.asarray(np.asarray(codes, values.dtype)[np.argmax(counts, axis=0)])
    known = np.isfinite(values)
    count = _sums(known.astype(float), steps)
    with np.errstate(invalid="ignore"):
        if cyclic:
            total = _sums(np.where(known, np.exp(1j * np.where(known, values, 0)), 0), steps)
            return np.asarray(np.where(count > 0, np.angle(total), np.nan))
        return np.asarray(_sums(np.where(known, values, 0.0), steps) / np.where(count > 0, count, np.nan))


def _sums(values: Array, steps: list[int]) -> Any:
    for axis, step in enumerate(steps):
        values = np.add.reduceat(values, np.arange(0, values.shape[axis], step), axis=axis)
    return values
