"""Convergence of motions to fixed points: one criterion, applied to any number of motions at once.

Newton's method finds the fixed point near a state. It is accepted if its distance is below THERE, or, if it is stable, below
NEAR and has shrunk by the factor CLOSER since it fell below NEAR: motion on a small cycle around it keeps its distance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinsync.base.arrays import Array, Batched

SMALL_COHERENCE = 1e-3  # charged components below this may be decaying to zero
COHERENCE_ERROR = 1e-7  # charged components below this are errors of the time steps
ROUNDING = 1e-15  # amplitudes below this are rounding errors of zero
RELATIVE_COHERENCE = 1e-6  # relative to the largest amplitude: a group below this has no phase
NEAR, CLOSER, THERE = 1e-2, 0.3, 1e-5  # distances relative to the largest charged component, and a factor between two of them
SEARCH_RADIUS = 0.1  # distance within which Newton's method searches a fixed point
ERROR_DISTANCE = 1e-3  # regular motion within this distance of a stable fixed point is an error of the time steps
ZERO_RATE = 1e-300  # smaller rates count as zero: times in units of their inverse would overflow
NEUTRAL = 1e-8  # growth rates below this share of the fastest relaxation rate count as zero


@dataclass
class Approach(Batched):
    """Results of the convergence tests so far, arrays of shape (point,).

    size : the largest charged component
    farthest : the largest distance from the fixed point since the motion came NEAR it; 0 if it is not near
    """

    size: Array
    farthest: Array

    @classmethod
    def initial(cls, size: Array) -> Approach:
        """The record before the first test."""
        return cls(size, np.zeros(len(size)))

    def fading(self, size: Array) -> Array:
        """Whether the charged components seem to decay to zero, bool (point,); records the `size` of the largest one."""
        fading = (size < SMALL_COHERENCE) & (size <= self.size)
        self.size = size
        return np.asarray(fading)

    def accepted(self, distance: Array) -> Array:
        """Whether a stable fixed point at this distance (inf: none) is accepted, bool (point,); records the distance."""
        near = distance < NEAR
        closer = distance < CLOSER * self.farthest
        self.farthest = np.where(near, np.maximum(distance, self.farthest), 0.0)
        return np.asarray(near & (closer | (distance < THERE)))

    def wait(self, distance: Array, growth: Array) -> Array:
        """Time until motions that converge to a stable fixed point at this rate should be accepted, (point,); else inf."""
        goal = np.where(self.farthest > 0, CLOSER * self.farthest, NEAR)
        with np.errstate(divide="ignore", invalid="ignore"):
            wait = (np.maximum(np.log(distance / goal), 0.0) + 1) / -growth
        return np.where((growth < 0) & np.isfinite(distance), wait, np.inf)


def coherent_groups(amplitude: Array) -> Array:
    """Which groups have a coherence above rounding errors and above a share of the largest one, bool (point, group)."""
    return np.asarray((amplitude > ROUNDING) & (amplitude >= RELATIVE_COHERENCE * amplitude.max(axis=1, keepdims=True)))
