"""Long-time motions of many points: what `regime` and `phase_diagram` are made of, whatever engine found them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from spinsync.data.rates import Array
from spinsync.data.regimes import Regime, Status
from spinsync.verbs.windows import Window, shining


@dataclass(frozen=True)
class Motions:
    """Arrays whose first axis is the point.

    regime, status, order_parameter, lyapunov, lyapunov_error : (point,)
    frequency, amplitude, inversion : (point, group)
    locking : (point, group, group), time mean of exp(i (phi_a - phi_b))

    `lyapunov` is the largest exponent beside the zeros of the common phase and, in motion, of the time's origin.
    """

    regime: Array
    status: Array
    frequency: Array
    amplitude: Array
    inversion: Array
    order_parameter: Array
    locking: Array
    lyapunov: Array
    lyapunov_error: Array

    def put(self, points: Array, others: Motions) -> None:
        """Fill in some of the points."""
        for field in fields(self):
            getattr(self, field.name)[points] = getattr(others, field.name)


def blank(points: int, groups: int, status: Status) -> Motions:
    """Undecided for a reason, with nothing measured."""

    def gap(*shape: int, kind: type = float) -> Array:
        return np.full((points, *shape), np.nan, kind)

    return Motions(
        np.full(points, Regime.UNDECIDED, np.int8), np.full(points, status, np.int8), gap(groups), gap(groups), gap(groups),
        gap(), gap(groups, groups, kind=complex), gap(), gap(),
    )  # fmt: skip


def joined(motions: Sequence[Motions]) -> Motions:
    """All points in order."""
    return Motions(*(np.concatenate([getattr(m, field.name) for m in motions]) for field in fields(Motions)))


def resting(s: Array, z: Array, frequency: Array, weight: Array, lyapunov: Array, error: Array) -> Motions:
    """Points at rest with coherence `s` and inversion `z` (point, group) in a frame of `frequency` (point,)."""
    amplitude = abs(s)
    bright = shining(amplitude)
    phase = np.where(bright, s / np.where(bright, amplitude, 1), np.nan)
    return Motions(
        np.where(bright.any(axis=1), Regime.FULL, Regime.INCOHERENT).astype(np.int8),
        np.full(len(s), Status.SETTLED, np.int8),
        np.where(bright, frequency[:, None], np.nan),
        amplitude,
        z,
        2 * abs(np.sum(weight * s, axis=1)),
        phase.conj()[:, :, None] * phase[:, None, :],
        lyapunov,
        error,
    )


def moving(window: Window, regime: Array, status: Array) -> Motions:
    """Points that move as their windows show."""
    bright = window.bright
    both = bright[:, :, None] & bright[:, None, :]
    lost = window.lost & window.alone
    return Motions(
        np.asarray(regime, np.int8),
        np.asarray(status, np.int8),
        np.where(bright & ~lost[:, None], window.winding, np.nan),
        window.amplitude,
        window.inversion,
        window.order_parameter,
        np.where(both, window.locking, np.nan),
        window.lyapunov,
        window.lyapunov_error,
    )
