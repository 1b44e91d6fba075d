"""Long-time motions of many points, the results of all engines, from which `regime` and `phase_diagram` are made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinsync.base.arrays import Array, Batched
from spinsync.problems.flow.approach import coherent_groups
from spinsync.problems.flow.periodic_orbits import Cycle
from spinsync.regimes.codes import Regime, Status
from spinsync.regimes.decision import STEPPING_ERROR, Window

PHASE_UNDEFINED = 1e-4  # smallest |s| of a cycle, in units of its largest |s|, below which the phase is undefined
REPEATS = range(2, 17)  # numbers of repetitions of the order parameter within a period of the state that are tested
MULTIPLIER_ERROR = 10.0  # error of a Floquet multiplier near 1, in units of the tolerance of the steps (observed: 3)
REPEAT_TOLERANCE = 1e-3  # largest difference between repetitions, in units of the range of the order parameter


@dataclass(frozen=True, kw_only=True)
class Motions(Batched):
    """Regimes and numbers of the long-time motions; the first axis of each array is the point.

    regime, status, order_parameter, lyapunov, lyapunov_error : (point,)
    frequency, amplitude, inversion : (point, group)
    locking : (point, group, group), time mean of exp(i (phi_a - phi_b))
    period, extremes : (point,) and (point, 2), period, minimum and maximum of the order parameter in periodic motion

    `lyapunov` is the largest exponent without the zeros of the common phase and, except at fixed points, of the origin of time.
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
    """Motions of regime UNDECIDED with this status and no numbers."""

    def nan(*shape: int, kind: type = float) -> Array:
        return np.full((points, *shape), np.nan, kind)

    return Motions(
        regime=np.full(points, Regime.UNDECIDED, np.int8), status=np.full(points, status, np.int8), frequency=nan(groups),
        amplitude=nan(groups), inversion=nan(groups), order_parameter=nan(), locking=nan(groups, groups, kind=complex),
        lyapunov=nan(), lyapunov_error=nan(), period=nan(), extremes=nan(2),
    )  # fmt: skip


def motions_at_fixed_points(s: Array, z: Array, frequency: Array, weight: Array, lyapunov: Array, error: Array) -> Motions:
    """Motions at fixed points with coherence `s` and inversion `z` (point, group), of frequency `frequency` (point,)."""
    amplitude = abs(s)
    coherent = coherent_groups(amplitude)
    phase = np.where(coherent, s / np.where(coherent, amplitude, 1), np.nan)
    return Motions(
        regime=np.where(coherent.any(axis=1), Regime.FULL, Regime.INCOHERENT).astype(np.int8),
        status=np.full(len(s), Status.SETTLED, np.int8), frequency=np.where(coherent, frequency[:, None], np.nan),
        amplitude=amplitude, inversion=z, order_parameter=2 * abs(np.sum(weight * s, axis=1)),
        locking=phase.conj()[:, :, None] * phase[:, None, :], lyapunov=lyapunov, lyapunov_error=error,
        period=np.full(len(s), np.nan), extremes=np.full((len(s), 2), np.nan),
    )  # fmt: skip


def motions_from_windows(window: Window, regime: Array, status: Array) -> Motions:
    """Motions with the averages of their windows, (point,)."""
    coherent = window.coherent
    coherent_pair = coherent[:, :, None] & coherent[:, None, :]
    phase_undefined = window.phase_undefined & window.single
    return Motions(
        regime=np.asarray(regime, np.int8), status=np.asarray(status, np.int8),
        frequency=np.where(coherent & ~phase_undefined[:, None], window.frequency, np.nan), amplitude=window.amplitude,
        inversion=window.inversion, order_parameter=window.order_parameter,
        locking=np.where(coherent_pair, window.locking, np.nan), lyapunov=window.lyapunov,
        lyapunov_error=window.lyapunov_error, period=np.full(len(regime), np.nan), extremes=np.full((len(regime), 2), np.nan),
    )  # fmt: skip


def motion_from_cycle(cycle: Cycle, weight: Array) -> Motions:
    """The motion of one point that follows a periodic orbit, from the samples of one period."""
    s, amplitude = cycle.charged, abs(cycle.charged)
    coherent = coherent_groups(amplitude.mean(axis=0)[None])[0]
    following = np.concatenate([s[1:], s[:1] * np.exp(-1j * cycle.phase_increment)])
    phase_change = -np.angle(following * s.conj()).sum(axis=0)
    phase_undefined = _nearest(s, following) < PHASE_UNDEFINED * amplitude.max(axis=0)
    phase = np.where(coherent, s / np.maximum(amplitude, 1e-300), np.nan)
    slips = np.round((phase_change[:, None] - phase_change[None, :])[np.ix_(coherent, coherent)] / (2 * np.pi))
    mean = s @ weight
    order, smallest = 2 * abs(mean), 2 * _nearest(mean, following @ weight)
    one_frequency = Regime.PULSATING if coherent.sum() <= 1 else Regime.PHASE_TRAPPED
    error = max(cycle.error, STEPPING_ERROR * abs(cycle.growth), MULTIPLIER_ERROR * cycle.flow.rtol / cycle.period)
    return Motions(
        regime=np.array([Regime.PARTIAL if np.any(slips) else one_frequency], np.int8),
        status=np.array([Status.SETTLED], np.int8),
        frequency=np.where(coherent & ~phase_undefined, phase_change / cycle.period + cycle.flow.frame, np.nan)[None],
        amplitude=amplitude.mean(axis=0)[None], inversion=cycle.neutral.mean(axis=0)[None],
        order_parameter=np.array([order.mean()]), locking=(phase.conj().T @ phase / len(s))[None],
        lyapunov=np.array([cycle.growth]), lyapunov_error=np.array([error]),
        period=np.array([cycle.period / _repeats(order)]), extremes=np.array([[smallest, order.max()]]),
    )  # fmt: skip


def _nearest(start: Array, end: Array) -> Array:
    """The smallest distance from zero of the straight lines from `start` to `end`, (sample, ...), over all samples."""
    step = end - start
    fraction = np.clip(-(start * step.conj()).real / np.maximum(abs(step) ** 2, 1e-300), 0, 1)
    return np.asarray(abs(start + fraction * step).min(axis=0))


def _repeats(values: Array) -> int:
    """How often the order parameter repeats itself within a period of the state, as it is equal for mirror images.

    A fraction of the period need not be a whole number of samples: the samples are shifted by their Fourier series.
    """
    modes = np.fft.rfft(values)
    shift = -2j * np.pi * np.arange(len(modes))
    errors = [abs(np.fft.irfft(modes * np.exp(shift / k), len(values)) - values).max() for k in REPEATS]
    return max((k for k, error in zip(REPEATS, errors, strict=True) if error < REPEAT_TOLERANCE * np.ptp(values)), default=1)
