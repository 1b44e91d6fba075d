"""Closed forms as lines, sampled along their own length on the page: they look the same at every zoom and on any scale."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
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


def line(ax: Axes, function: Callable[[float], float], own: Array, *, upright: bool) -> tuple[Array, Array]:
    """x and y of a function of the horizontal axis, or of the vertical one, over the places `own` of a diagram.

    NaN: there is no line. Infinity: it is beyond the picture, up to where it jumps there.
    """
    along, across = (ax.yaxis, ax.xaxis) if upright else (ax.xaxis, ax.yaxis)
    known = {at: function(at) for at in places(along, own).tolist()}
    starts = sorted(known)
    open_ = list(pairwise(starts))
    while open_:
        low, high = open_.pop()
        width = abs(float(np.diff(_page(along, np.array([low, high])))[0]))
        if width < FINEST or not _far(*_page(across, np.array([known[low], known[high]])).tolist()):
            continue
        middle = float(_value(along, _page(along, np.array([low, high])).mean()))
        if not low < middle < high:
            continue
        known[middle] = function(middle)
        open_ += [(low, middle), (middle, high)]
    t = np.array(sorted(known))
    values = np.array([known[at] for at in t.tolist()], float)
    page = _page(across, values)
    outside = (page < -BEYOND) | (page > 1 + BEYOND)
    values[outside] = _value(across, np.clip(page[outside], -BEYOND, 1 + BEYOND))
    return (values, t) if upright else (t, values)


def _far(one: float, other: float) -> bool:
    """Whether a line needs a place between two others: its ends on the page, NaN where there is none."""
    if np.isnan(one) or np.isnan(other):
        return not (np.isnan(one) and np.isnan(other))
    return abs(float(np.diff(np.clip([one, other], -BEYOND, 1 + BEYOND))[0])) > CLOSE and not (
        min(one, other) > 1 or max(one, other) < 0
    )


def _page(axis: Axis, values: Array) -> Array:
    """Values along an axis as shares of the picture; infinities stay."""
    scale = axis.get_transform()
    low, high = scale.transform(np.array(axis.get_view_interval(), float))
    with np.errstate(invalid="ignore", divide="ignore"):
        finite = np.where(np.isfinite(values), values, np.nan)
        return np.where(np.isinf(values), values, (scale.transform(finite) - low) / (high - low))


def _value(axis: Axis, page: Any) -> Array:
    scale = axis.get_transform()
    low, high = scale.transform(np.array(axis.get_view_interval(), float))
    return np.asarray(scale.inverted().transform(low + np.asarray(page, float) * (high - low)))
