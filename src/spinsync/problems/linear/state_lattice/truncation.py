"""Truncation windows on a lattice: which one holds nearly all of a vector, and how they grow."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, log, prod, sqrt

import numpy as np

from spinsync.problems.linear.sectors import Lattice, Window

DEVIATIONS = 6.0  # standard deviations of a Gaussian on either side of its mean
NEGLIGIBLE = 0.01  # of the largest excess: smaller ones do not move their edge
ROUNDS = 30  # largest number of window enlargements


def _sides(window: Window, full: Window) -> Iterator[tuple[int, int, int]]:
    """(axis, direction, site) of the edges at which the window truncates the full lattice."""
    for axis in (0, 1):
        if window.low[axis] > full.low[axis]:
            yield axis, -1, window.low[axis]
        if window.high[axis] < full.high[axis]:
            yield axis, 1, window.high[axis]


def at_cut_edges(lattice: Lattice, window: Window, sites: np.ndarray) -> np.ndarray:
    """Whether components are next to sites outside the window, bool array of shape (component,)."""
    found = np.zeros(len(sites), bool)
    for axis, _, site in _sides(window, lattice.full_window):
        found |= sites[:, axis] == site
    return found


def doubled(lattice: Lattice, window: Window) -> Window:
    """Window of twice the length along both axes, within the full lattice."""
    low, high, most = (np.array(corner) for corner in (window.low, window.high, lattice.full_window.high))
    half = (high - low + 1) // 2 + 1
    (a, b), (c, d) = np.maximum(low - half, lattice.full_window.low).tolist(), np.minimum(high + half, most).tolist()
    return Window((a, b), (c, d))


def hull(one: Window, other: Window) -> Window:
    """The smallest window that contains both."""
    (a, b), (c, d) = np.minimum(one.low, other.low).tolist(), np.maximum(one.high, other.high).tolist()
    return Window((a, b), (c, d))


def area(window: Window) -> int:
    """Number of sites, those that belong to no component included."""
    return prod(high - low + 1 for low, high in zip(window.low, window.high, strict=True))


def with_neighbours(window: Window, full: Window) -> Window:
    """The window and all sites next to it."""
    (a, b), (c, d) = np.maximum(np.subtract(window.low, 1), full.low), np.minimum(np.add(window.high, 1), full.high)
    return Window((int(a), int(b)), (int(c), int(d)))


def with_moved_sides(window: Window, before: Window, larger: Window) -> Window:
    """`window`, except for the sides of `larger` that are farther out than those of `before`."""
    (a, b) = np.where(np.less(larger.low, before.low), larger.low, window.low).tolist()
    (c, d) = np.where(np.greater(larger.high, before.high), larger.high, window.high).tolist()
    return Window((a, b), (c, d))


def transferred(vector: np.ndarray, sites: np.ndarray, target: np.ndarray) -> np.ndarray:
    """A vector on `sites` as one on the sites `target`, both int arrays of shape (component, 2); zero on others."""
    low, high = np.minimum(sites.min(axis=0), target.min(axis=0)), np.maximum(sites.max(axis=0), target.max(axis=0))
    grid = np.zeros(high - low + 1, vector.dtype)
    grid[*(sites - low).T] = vector
    return np.asarray(grid[*(target - low).T])


def smallest_window(sites: np.ndarray, weight: np.ndarray, outside: float) -> Window:
    """The smallest window with at most `outside` of all `weight` beyond each of its sides."""
    corners = []
    for line in sites.T:
        profile = np.bincount(line, weight)
        inside = np.flatnonzero((profile.cumsum() > outside) & (profile[::-1].cumsum()[::-1] > outside))
        corners.append((int(inside[0]), int(inside[-1])))
    (a, c), (b, d) = corners
    return Window((a, b), (c, d))


def enlarged(
    lattice: Lattice, window: Window, sites: np.ndarray, weight: np.ndarray, lost: np.ndarray, allowed: float
) -> Window:
    """A window by mean and spread of `weight`, with edges moved outwards where more than a fifth of `allowed` is lost.

    weight, lost : non-negative arrays of shape (component,); the weights add up to 1
    """
    corners = {-1: list(window.low), 1: list(window.high)}
    mean = weight @ sites
    spread = np.sqrt(weight @ (sites - mean) ** 2) * DEVIATIONS + 1
    edges = list(_sides(window, lattice.full_window))
    excess = [5 * lost[sites[:, axis] == site].sum() / allowed for axis, _, site in edges]  # four edges and a margin
    for (axis, direction, site), factor in zip(edges, excess, strict=True):
        line = sites[:, axis]
        target = round(mean[axis] + direction * spread[axis])
        # probability that accumulates at the worst edge spills over to its neighbours
        if factor > max(1, NEGLIGIBLE * max(excess)) and direction * target <= direction * site:
            target = site + direction * _step(np.bincount(line - line.min(), weight)[::direction], factor)
        outer = direction * max(direction * target, direction * site)
        corners[direction][axis] = int(np.clip(outer, lattice.full_window.low[axis], lattice.full_window.high[axis]))
    (a, b), (c, d) = corners[-1], corners[1]
    return Window((a, b), (c, d))


def _step(profile: np.ndarray, excess: float) -> int:
    """Number of sites over which the tail of `profile` falls by `excess`, by a parabola through its logarithm."""
    spacing = max(1, len(profile) // 16)
    most = len(profile) // 2 + 1
    points = profile[[-1, -1 - spacing, -1 - 2 * spacing]] if len(profile) > 2 * spacing else np.zeros(3)
    if not points.min() > 0 or not np.isfinite(excess):
        return most
    far, near, nearer = np.log(points)
    bend = max(0.0, (2 * near - far - nearer) / spacing**2)
    slope = (near - far) / spacing + bend * spacing / 2
    if slope <= 0:
        return most
    log_excess = log(excess)
    return int(min(ceil(2 * log_excess / (slope + sqrt(slope**2 + 2 * bend * log_excess))) + 2, most))
