"""Labels within areas of a diagram, where they fit; the other areas are explained by a legend."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.contour import ContourSet
from matplotlib.font_manager import FontProperties
from matplotlib.patheffects import withStroke
from matplotlib.textpath import TextPath
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[Any]
ROWS, COLUMNS = 180, 240  # resolution of the search, in equal parts of the axes
SIZES = (7.5, 6.0)  # of letters, in points
HALO = 1.2  # width of the rim of the area's colour around a label, in points
SPARE = 1.15  # of the size of a label: the final layout of the figure is not known yet


def add_label(ax: Axes, inside: Array, x_edges: Array, y_edges: Array, text: str, colour: str) -> bool:
    """Label an area if the label fits into it and between the lines drawn over it, or else over them; whether it fits.

    inside : which cells belong to it, (y, x)
    """
    seen = inside[np.ix_(_cells(ax.yaxis, y_edges, ROWS), _cells(ax.xaxis, x_edges, COLUMNS))]
    seen[_cells(ax.yaxis, y_edges, ROWS) < 0] = False
    seen[:, _cells(ax.xaxis, x_edges, COLUMNS) < 0] = False
    for free in (seen & ~_lines(ax), seen):
        for size in SIZES:
            where = _position(free, _extent(ax, text, size))
            if where is not None:
                ax.annotate(
                    text, _data(ax, where), ha="center", va="center", fontsize=size, color="#1c2126", zorder=6,
                    path_effects=[withStroke(linewidth=2 * HALO, foreground=colour)],
                )  # fmt: skip
                return True
    return False


def _fractions(axis: Axis, values: Array) -> Array:
    """Axes coordinates, from 0 to 1, of values along an axis."""
    scale = axis.get_transform()
    low, high = (float(end) for end in scale.transform(np.array(axis.get_view_interval(), float)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (np.asarray(scale.transform(values), float) - low) / (high - low)


def _cells(axis: Axis, edges: Array, count: int) -> Array:
    """Index of the cell that each of `count` equal parts of an axis shows; -1 for none."""
    at, parts = _fractions(axis, edges), (np.arange(count) + 0.5) / count
    order = np.searchsorted(at, parts) - 1 if at[-1] > at[0] else len(at) - 1 - np.searchsorted(at[::-1], parts)
    return np.where((order >= 0) & (order < len(edges) - 1), order, -1)


def _lines(ax: Axes) -> Array:
    """Which parts of the axes a line runs through."""
    paths = [line.get_path() for line in ax.lines]
    paths += [path for contours in ax.collections if isinstance(contours, ContourSet) for path in contours.get_paths()]
    hidden: NDArray[np.bool_] = np.zeros((ROWS, COLUMNS), bool)
    for path in paths:
        x, y = np.asarray(path.vertices, float).reshape(-1, 2).T
        column, row = _fractions(ax.xaxis, x) * COLUMNS, _fractions(ax.yaxis, y) * ROWS
        there = (column >= 0) & (column < COLUMNS) & (row >= 0) & (row < ROWS)
        hidden[row[there].astype(int), column[there].astype(int)] = True
    return np.asarray(ndimage.binary_dilation(hidden, np.ones((3, 3), bool)))


def _extent(ax: Axes, text: str, size: float) -> tuple[int, int]:
    """Height and width of a label with its rim, in parts of the axes."""
    letters = TextPath((0, 0), text, prop=FontProperties(family=mpl.rcParams["font.family"], size=size)).get_extents()
    box, pixels = ax.get_window_extent(), SPARE * ax.figure.figure.dpi / 72
    height, width = pixels * (size + 2 * HALO) / box.height, pixels * (letters.width + 2 * HALO) / box.width
    return int(np.ceil(ROWS * height)), int(np.ceil(COLUMNS * width))


def _position(free: Array, extent: tuple[int, int]) -> tuple[int, int] | None:
    """The row and column with the most room around them for a label of this extent; None if it fits nowhere."""
    bare = np.pad(free, 1)  # the frame bounds all areas
    rows, columns = (2 * (n // 2) + 1 for n in extent)
    if rows > ROWS or columns > COLUMNS:
        return None
    fits = ndimage.minimum_filter(bare.astype(np.uint8), (rows, columns), mode="constant", cval=0) > 0
    if not fits.any():
        return None
    room = ndimage.distance_transform_edt(fits, sampling=(1 / ROWS, 1 / COLUMNS))
    row, column = np.unravel_index(int(np.argmax(room)), room.shape)
    return int(row) - 1, int(column) - 1


def _data(ax: Axes, where: tuple[int, int]) -> tuple[float, float]:
    """Data coordinates of a row and column."""
    found = []
    for axis, at in ((ax.xaxis, (where[1] + 0.5) / COLUMNS), (ax.yaxis, (where[0] + 0.5) / ROWS)):
        scale = axis.get_transform()
        low, high = (float(end) for end in scale.transform(np.array(axis.get_view_interval(), float)))
        found.append(float(scale.inverted().transform(low + at * (high - low))))
    return found[0], found[1]
