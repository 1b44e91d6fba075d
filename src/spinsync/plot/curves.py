"""Closed forms as curves, sampled adaptively in axes coordinates, so that they are smooth at every zoom and on any scale."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import isfinite, isnan
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from numpy.typing import NDArray

Array = NDArray[Any]
GRID_POINTS = 71  # number of points along each axis of the grid for contours
# in axes coordinates, from 0 to 1 within the axes:
MAX_GAP = 1 / 150  # between two neighbouring points of a curve
FINEST = 1e-10  # resolution of the ends and jumps of a curve
MARGIN = 1.0  # points outside the axes are drawn at most this far outside


def sample_points(axis: Axis, given: Array, count: int = 121) -> Array:
    """`count` values at equal distances along an axis, within the range of the given values, and these, ascending."""
    scale = axis.get_transform()
    if axis.get_scale() == "log" and given.max() > 0:
        given = given[given > 0]  # the axis shows no others, and its scale would clip them to the smallest of all numbers
    low, high = np.asarray(scale.transform([given.min(), given.max()]), float).tolist()
    uniform = scale.inverted().transform(np.linspace(low, high, count))
    return np.unique(np.clip(np.concatenate([uniform, given]), given.min(), given.max()))


def sample_grid(ax: Axes, x: Array, y: Array) -> tuple[Array, Array]:
    """x and y values of a fine grid over a diagram, which contains x and y, for the contours of a function."""
    return sample_points(ax.xaxis, x, GRID_POINTS), sample_points(ax.yaxis, y, GRID_POINTS)


def sample_curve(ax: Axes, function: Callable[[float], float], given: Array, *, upright: bool) -> tuple[Array, Array]:
    """x and y of the graph of a function, bisected until neighbours are close; `given`: values of the diagram along its axis.

    upright : whether the argument is y. NaN: there is no curve. Infinity: the curve leaves the axes, up to a jump.
    """
    along, across = (_AxisScale(axis) for axis in ((ax.yaxis, ax.xaxis) if upright else (ax.xaxis, ax.yaxis)))
    known = {at: function(at) for at in sample_points(along.axis, given).tolist()}
    shown = {at: (along.fraction(at), across.fraction(value)) for at, value in known.items()}
    intervals = list(pairwise(sorted(known)))
    while intervals:
        low, high = intervals.pop()
        (left, one), (right, other) = shown[low], shown[high]
        if abs(right - left) < FINEST or not _needs_point(one, other):
            continue
        middle = along.value((left + right) / 2)
        if not low < middle < high:
            continue
        known[middle] = function(middle)
        shown[middle] = along.fraction(middle), across.fraction(known[middle])
        intervals += [(low, middle), (middle, high)]
    t = sorted(known)
    values = [known[at] if -MARGIN <= shown[at][1] <= 1 + MARGIN else across.clipped(shown[at][1]) for at in t]
    return (np.array(values, float), np.array(t)) if upright else (np.array(t), np.array(values, float))


def _needs_point(one: float, other: float) -> bool:
    """Whether a curve needs a point between two neighbours with these axes coordinates, NaN where there is no curve."""
    if isnan(one) or isnan(other):
        return isnan(one) != isnan(other)
    inside = [min(max(end, -MARGIN), 1 + MARGIN) for end in (one, other)]
    return abs(inside[1] - inside[0]) > MAX_GAP and not (min(one, other) > 1 or max(one, other) < 0)


class _AxisScale:
    """Conversion between values along an axis and axes coordinates, for the present limits of the axis."""

    def __init__(self, axis: Axis) -> None:
        self.axis, self._scale = axis, axis.get_transform()
        self._inverse = self._scale.inverted()
        self._low, self._high = (float(end) for end in self._scale.transform(np.array(axis.get_view_interval(), float)))

    def fraction(self, value: float) -> float:
        """The axes coordinate of a value; infinity and NaN unchanged."""
        if not isfinite(value):
            return float(value)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (float(self._scale.transform(value)) - self._low) / (self._high - self._low)

    def value(self, fraction: float) -> float:
        return float(self._inverse.transform(self._low + fraction * (self._high - self._low)))

    def clipped(self, fraction: float) -> float:
        """The value at an axes coordinate, which is first clipped to MARGIN outside the axes; NaN unchanged."""
        return fraction if isnan(fraction) else self.value(min(max(fraction, -MARGIN), 1 + MARGIN))
