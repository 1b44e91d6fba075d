"""Boxes on a lattice: which part of a generator holds nearly all of a vector, and how much could be outside."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, log, sqrt

import numpy as np

from spinsync.problems.linear.sectors import Box, Lattice

DEVIATIONS = 6.0  # of a Gaussian that a box should hold on either side
MARGIN = 1.0  # times the step that a Gaussian or exponential tail asks for
MINOR = 0.01  # of what the worst side loses
ROUNDS = 30  # of growing


def _sides(box: Box, whole: Box) -> Iterator[tuple[int, int, int]]:
    """(axis, direction, place) of the sides at which the box is cut out of the whole."""
    for axis in (0, 1):
        if box.low[axis] > whole.low[axis]:
            yield axis, -1, box.low[axis]
        if box.high[axis] < whole.high[axis]:
            yield axis, 1, box.high[axis]


def at_cuts(lattice: Lattice, box: Box, sites: np.ndarray) -> np.ndarray:
    """Which components are next to places that the box leaves out."""
    found = np.zeros(len(sites), bool)
    for axis, _, place in _sides(box, lattice.whole):
        found |= sites[:, axis] == place
    return found


def doubled(lattice: Lattice, box: Box) -> Box:
    """Twice as long in both directions, within the whole."""
    low, high, most = (np.array(corner) for corner in (box.low, box.high, lattice.whole.high))
    half = (high - low + 1) // 2 + 1
    (a, b), (c, d) = np.maximum(low - half, lattice.whole.low).tolist(), np.minimum(high + half, most).tolist()
    return Box((a, b), (c, d))


def core(sites: np.ndarray, weight: np.ndarray, outside: float) -> Box:
    """The smallest box with at most `outside` of all `weight` beyond each of its sides."""
    corners = []
    for line in sites.T:
        profile = np.bincount(line, weight)
        inside = np.flatnonzero((profile.cumsum() > outside) & (profile[::-1].cumsum()[::-1] > outside))
        corners.append((int(inside[0]), int(inside[-1])))
    (a, c), (b, d) = corners
    return Box((a, b), (c, d))


def larger(lattice: Lattice, box: Box, sites: np.ndarray, weight: np.ndarray, lost: np.ndarray, allowed: float) -> Box:
    """A box by mean and spread of `weight`, pushed out wherever more than its share of `allowed` is lost.

    weight, lost : non-negative arrays of shape (component,), the first adds up to 1
    """
    corners = {-1: list(box.low), 1: list(box.high)}
    mean = weight @ sites
    spread = np.sqrt(weight @ (sites - mean) ** 2) * DEVIATIONS + 1
    cuts = list(_sides(box, lattice.whole))
    excess = [5 * lost[sites[:, axis] == place].sum() / allowed for axis, _, place in cuts]  # four sides, and a little
    for (axis, direction, place), beyond in zip(cuts, excess, strict=True):
        line = sites[:, axis]
        wanted = round(mean[axis] + direction * spread[axis])
        # what piles up at the worst side spills over its neighbours
        if beyond > max(1, MINOR * max(excess)) and direction * wanted <= direction * place:
            wanted = place + direction * _step(np.bincount(line - line.min(), weight)[::direction], beyond)
        outer = direction * max(direction * wanted, direction * place)
        corners[direction][axis] = int(np.clip(outer, lattice.whole.low[axis], lattice.whole.high[axis]))
    (a, b), (c, d) = corners[-1], corners[1]
    return Box((a, b), (c, d))


def _step(profile: np.ndarray, excess: float) -> int:
    """How far the tail at the end of `profile` must be followed to fall by `excess`: a parabola of its logarithm."""
    back = max(1, len(profile) // 16)
    most = len(profile) // 2 + 1
    points = profile[[-1, -1 - back, -1 - 2 * back]] if len(profile) > 2 * back else np.zeros(3)
    if not points.min() > 0 or not np.isfinite(excess):
        return most
    far, near, nearer = np.log(points)
    bend = max(0.0, (2 * near - far - nearer) / back**2)
    slope = (near - far) / back + bend * back / 2
    if slope <= 0:
        return most
    fall = log(excess)
    return int(min(ceil(MARGIN * 2 * fall / (slope + sqrt(slope**2 + 2 * bend * fall))) + 2, most))
