"""Whether motions that are looked at from time to time come to fixed points: one rule, for any number of them at once.

Newton's method finds the fixed point near a state. It is accepted where the motion is THERE, or NEAR and CLOSER by that
factor than it has been since it came near: a small cycle around it, stable or not, keeps its distance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinsync.base.arrays import Array, Batched

DARK = 1e-3  # charged components below this may be about to vanish
FAINTEST = 1e-7  # and below this they are no more than errors of the steps
ROUNDING = 1e-15  # amplitudes below this are what rounding leaves of zero
DIM = 1e-6  # share of the brightest group's amplitude below which a group has no phase
NEAR, CLOSER, THERE = 1e-2, 0.3, 1e-5  # distances, beside the largest charged component, at which a fixed point is accepted
AROUND = 0.1  # distance within which Newton's method is asked for one
RINGING = 1e-3  # distance from a stable fixed point at which regular motion is nothing but errors of the steps
NOTHING = 1e-300  # rates below count as none: the patience, in their units, has no number
NEUTRAL = 1e-8  # growth rates below this share of the fastest relaxation count as zero


@dataclass
class Approach(Batched):
    """What the last looks at motions (point,) have shown.

    size : the largest charged component
    farthest : the largest distance from the fixed point since the motion came NEAR it; 0 where it is not near
    """

    size: Array
    farthest: Array

    @classmethod
    def of(cls, size: Array) -> Approach:
        """Before the first look."""
        return cls(size, np.zeros(len(size)))

    def fading(self, size: Array) -> Array:
        """Which motions, of this `size` now, seem to lose all charge: there the fixed point without any is to be looked for."""
        fading = (size < DARK) & (size <= self.size)
        self.size = size
        return np.asarray(fading)

    def accepted(self, distance: Array) -> Array:
        """Which have come to the fixed point at this distance (inf: there is none), if it is stable; else only THERE."""
        near = distance < NEAR
        closer = distance < CLOSER * self.farthest
        self.farthest = np.where(near, np.maximum(distance, self.farthest), 0.0)
        return np.asarray(near & (closer | (distance < THERE)))

    def wait(self, distance: Array, growth: Array) -> Array:
        """The time by which motions should be accepted that come to a stable fixed point at this rate; inf elsewhere."""
        goal = np.where(self.farthest > 0, CLOSER * self.farthest, NEAR)
        with np.errstate(divide="ignore", invalid="ignore"):
            wait = (np.maximum(np.log(distance / goal), 0.0) + 1) / -growth
        return np.where((growth < 0) & np.isfinite(distance), wait, np.inf)


def shining(amplitude: Array) -> Array:
    """Which groups have a coherence, beside that of the brightest one and beside rounding, (point, group)."""
    return np.asarray((amplitude > ROUNDING) & (amplitude >= DIM * amplitude.max(axis=1, keepdims=True)))
