"""Closed forms as lines, sampled along their own length on the page: they look the same at every zoom and on any scale."""

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
FIRST = 121  # places along an axis that are asked first
EACH_WAY = 71  # places along both axes for a contour
CLOSE = 1 / 150  # of the picture: how far two neighbours of a line may lie apart
FINEST = 1e-10  # of the picture: where a line begins or jumps, it is followed this closely
BEYOND = 1.0  # of the picture: what lies farther outside is drawn here


def places(axis: Axis, own: Array, count: int = FIRST) -> Array:
    """Places along an axis that are even on the page, within those of a diagram, and these themselves."""
    scale = axis.get_transform()
    low, high = np.asarray(scale.transform([own.min(), own.max()]), float).tolist()
    even = scale.inverted().transform(np.linspace(low, high, count))
    return np.unique(np.clip(np.concatenate([even, own]), own.min(), own.max()))


def page(ax: Axes, x: Array, y: Array) -> tuple[Array, Array]:
    """Places along both axes of a diagram, for contours."""
    return places(ax.xaxis, x, EACH_WAY), places(ax.yaxis, y, EACH_WAY)


def line(ax: Axes, function: Callable[[float], float], own: Array, *, upright: bool) -> tuple[Array, Array]:
    """x and y of a function of the horizontal axis, or of the vertical one, over the places `own` of a diagram.

    NaN: there is no line. Infinity: it is beyond the picture, up to where it jumps there.
    """
    along, across = (_Scale(axis) for axis in ((ax.yaxis, ax.xaxis) if upright else (ax.xaxis, ax.yaxis)))
    known = {at: function(at) for at in places(along.axis, own).tolist()}
    shown = {at: (along.page(at), across.page(value)) for at, value in known.items()}
    open_ = list(pairwise(sorted(known)))
    while open_:
        low, high = open_.pop()
        (left, one), (right, other) = shown[low], shown[high]
        if abs(right - left) < FINEST or not _far(one, other):
            continue
        middle = along.value((left + right) / 2)
        if not low < middle < high:
            continue
        known[middle] = function(middle)
        shown[middle] = along.page(middle), across.page(known[middle])
        open_ += [(low, middle), (middle, high)]
    t = sorted(known)
    values = [known[at] if -BEYOND <= shown[at][1] <= 1 + BEYOND else across.beyond(shown[at][1]) for at in t]
    return (np.array(values, float), np.array(t)) if upright else (np.array(t), np.array(values, float))


def _far(one: float, other: float) -> bool:
    """Whether a line needs a place between two others: its ends on the page, NaN where there is none."""
    if isnan(one) or isnan(other):
        return isnan(one) != isnan(other)
    inside = [min(max(end, -BEYOND), 1 + BEYOND) for end in (one, other)]
    return abs(inside[1] - inside[0]) > CLOSE and not (min(one, other) > 1 or max(one, other) < 0)


class _Scale:
    """Between values along an axis and shares of the picture, as the axis stands now."""

    def __init__(self, axis: Axis) -> None:
        self.axis, self._scale = axis, axis.get_transform()
        self._back = self._scale.inverted()
        self._low, self._high = (float(end) for end in self._scale.transform(np.array(axis.get_view_interval(), float)))

    def page(self, value: float) -> float:
        """The share of the picture up to a value; infinity stays, and NaN."""
        if not isfinite(value):
            return float(value)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (float(self._scale.transform(value)) - self._low) / (self._high - self._low)

    def value(self, page: float) -> float:
        return float(self._back.transform(self._low + page * (self._high - self._low)))

    def beyond(self, page: float) -> float:
        """The value at a share of the picture, or just so far outside that its line leaves the picture; NaN stays."""
        return page if isnan(page) else self.value(min(max(page, -BEYOND), 1 + BEYOND))
