"""Long-time motions of many points: what `regime` and `phase_diagram` are made of, whatever engine found them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinsync.base.arrays import Array, Batched
from spinsync.problems.flow.approach import coherent_groups
from spinsync.problems.flow.periodic_orbits import Cycle
from spinsync.regimes.codes import Regime, Status
from spinsync.regimes.decision import STEPS, Window

LOST = 1e-4  # of a coherence's largest size: it runs through zero, and its phase is lost
MIRRORS = range(2, 17)  # parts of a period of the state that may look alike
PASSED = 10.0  # times the tolerance of the steps, by which a multiplier near 1 may err (seen: 3)
ALIKE = 1e-3  # of the range of the order parameter


@dataclass(frozen=True, kw_only=True)
class Motions(Batched):
    """Arrays whose first axis is the point.

    regime, status, order_parameter, lyapunov, lyapunov_error : (point,)
    frequency, amplitude, inversion : (point, group)
    locking : (point, group, group), time mean of exp(i (phi_a - phi_b))
    period : (point,), of the order parameter, and extremes : (point, 2), the least and the most of it, in periodic motion

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
    period: Array
    extremes: Array


def blank(points: int, groups: int, status: Status) -> Motions:
    """Undecided for a reason, with nothing measured."""

    def gap(*shape: int, kind: type = float) -> Array:
        return np.full((points, *shape), np.nan, kind)

    return Motions(
        regime=np.full(points, Regime.UNDECIDED, np.int8), status=np.full(points, status, np.int8), frequency=gap(groups),
        amplitude=gap(groups), inversion=gap(groups), order_parameter=gap(), locking=gap(groups, groups, kind=complex),
        lyapunov=gap(), lyapunov_error=gap(), period=gap(), extremes=gap(2),
    )  # fmt: skip


def resting(s: Array, z: Array, frequency: Array, weight: Array, lyapunov: Array, error: Array) -> Motions:
    """Points at rest with coherence `s` and inversion `z` (point, group) in a frame of `frequency` (point,)."""
    amplitude = abs(s)
    bright = coherent_groups(amplitude)
    phase = np.where(bright, s / np.where(bright, amplitude, 1), np.nan)
    return Motions(
        regime=np.where(bright.any(axis=1), Regime.FULL, Regime.INCOHERENT).astype(np.int8),
        status=np.full(len(s), Status.SETTLED, np.int8),
        frequency=np.where(bright, frequency[:, None], np.nan),
        amplitude=amplitude,
        inversion=z,
        order_parameter=2 * abs(np.sum(weight * s, axis=1)),
        locking=phase.conj()[:, :, None] * phase[:, None, :],
        lyapunov=lyapunov,
        lyapunov_error=error,
        period=np.full(len(s), np.nan),
        extremes=np.full((len(s), 2), np.nan),
    )


def moving(window: Window, regime: Array, status: Array) -> Motions:
    """Points that move as their windows show."""
    bright = window.bright
    both = bright[:, :, None] & bright[:, None, :]
    lost = window.lost & window.alone
    return Motions(
        regime=np.asarray(regime, np.int8),
        status=np.asarray(status, np.int8),
        frequency=np.where(bright & ~lost[:, None], window.winding, np.nan),
        amplitude=window.amplitude,
        inversion=window.inversion,
        order_parameter=window.order_parameter,
        locking=np.where(both, window.locking, np.nan),
        lyapunov=window.lyapunov,
        lyapunov_error=window.lyapunov_error,
        period=np.full(len(regime), np.nan),
        extremes=np.full((len(regime), 2), np.nan),
    )


def repeating(cycle: Cycle, weight: Array) -> Motions:
    """A point whose motion repeats itself, from one period of it."""
    s, size = cycle.charged, abs(cycle.charged)
    bright = coherent_groups(size.mean(axis=0)[None])[0]
    following = np.concatenate([s[1:], s[:1] * np.exp(-1j * cycle.phase_increment)])
    turned = -np.angle(following * s.conj()).sum(axis=0)
    lost = _nearest(s, following) < LOST * size.max(axis=0)
    phase = np.where(bright, s / np.maximum(size, 1e-300), np.nan)
    slips = np.round((turned[:, None] - turned[None, :])[np.ix_(bright, bright)] / (2 * np.pi))
    mean = s @ weight
    both, least = 2 * abs(mean), 2 * _nearest(mean, following @ weight)
    trapped = Regime.PULSATING if bright.sum() <= 1 else Regime.PHASE_TRAPPED
    return Motions(
        regime=np.array([Regime.PARTIAL if np.any(slips) else trapped], np.int8),
        status=np.array([Status.SETTLED], np.int8),
        frequency=np.where(bright & ~lost, turned / cycle.period + cycle.flow.frame, np.nan)[None],
        amplitude=size.mean(axis=0)[None],
        inversion=cycle.neutral.mean(axis=0)[None],
        order_parameter=np.array([both.mean()]),
        locking=(phase.conj().T @ phase / len(s))[None],
        lyapunov=np.array([cycle.growth]),
        lyapunov_error=np.array([max(cycle.error, STEPS * abs(cycle.growth), PASSED * cycle.flow.rtol / cycle.period)]),
        period=np.array([cycle.period / _repeats(both)]),
        extremes=np.array([[least, both.max()]]),
    )


def _nearest(here: Array, there: Array) -> Array:
    """The least distance from zero of the straight lines between points of a path (sample, ...)."""
    step = there - here
    along = np.clip(-(here * step.conj()).real / np.maximum(abs(step) ** 2, 1e-300), 0, 1)
    return np.asarray(abs(here + along * step).min(axis=0))


def _repeats(values: Array) -> int:
    """How often periodic samples repeat themselves within the period: of mirror images the order parameter is the same.

    A part of the period need be no whole number of samples: Fourier's series moves them by it.
    """
    modes = np.fft.rfft(values)
    turn = -2j * np.pi * np.arange(len(modes))
    off = [abs(np.fft.irfft(modes * np.exp(turn / k), len(values)) - values).max() for k in MIRRORS]
    return max((k for k, away in zip(MIRRORS, off, strict=True) if away < ALIKE * np.ptp(values)), default=1)
