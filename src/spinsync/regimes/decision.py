"""Averages over windows, the test that two windows agree, and the regime they show (methods page, How a regime is found)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import pi

import numpy as np

from spinsync.base.arrays import Array, Batched
from spinsync.problems.flow.approach import COHERENCE_ERROR, coherent_groups
from spinsync.problems.flow.orbit_averages import OrbitSamples, smooth_weights
from spinsync.regimes.codes import Regime

REGULAR_GROWTH = 0.02  # largest growth of ln |tangent vector| over a window of regular motion; its cause is the finite window
IRREGULAR_GROWTH = 15.0  # smallest growth of ln |tangent vector| over a window that shows irregular motion
SURE = 4.0  # standard errors of a Lyapunov exponent, above which it is positive
STEPPING_ERROR = 1e-3  # relative error of a Lyapunov exponent due to the time steps
CONVERGED = 1e-6  # difference of two windows in all averages but the frequencies, below which FREQUENCY_JITTER is allowed
FREQUENCY_JITTER = 2e-3  # frequency difference, in units of the detuning, of a quasi-periodic motion that passes close to s = 0


@dataclass(frozen=True, kw_only=True)
class Window(Batched):
    """Averages over one window of each of several trajectories; the first axis of each array is the point.

    length, variance, order_parameter, lyapunov, lyapunov_error, phase_undefined : (point,)
        `variance` is the sum of the variances of all z_a and s_a^* s_b; `phase_undefined`: a phase could not be followed.
    products, locking : (point, group, group), means of s_a^* s_b and of exp(i (phi_a - phi_b))
    amplitude, inversion, frequency : (point, group)
    """

    length: Array
    products: Array
    locking: Array
    amplitude: Array
    inversion: Array
    variance: Array
    order_parameter: Array
    frequency: Array
    lyapunov: Array
    lyapunov_error: Array
    phase_undefined: Array

    @property
    def coherent(self) -> Array:
        """Which groups have a coherence above rounding and above a share of the largest one, (point, group)."""
        return np.asarray((self.amplitude > COHERENCE_ERROR) & coherent_groups(self.amplitude))

    @property
    def single(self) -> Array:
        """Whether exactly one group is coherent, (point,): there is no phase difference, so its phase may be undefined."""
        return np.asarray(self.coherent.sum(axis=1) == 1)

    @property
    def slips(self) -> Array:
        """Number of phase slips between each two groups, (point, group, group); 0 if one of them is incoherent."""
        both = self.coherent[:, :, None] & self.coherent[:, None, :]
        difference = abs(self.frequency[:, :, None] - self.frequency[:, None, :])
        return np.where(both, difference, 0.0) * self.length[:, None, None] / (2 * pi)

    @property
    def regular(self) -> Array:
        """Whether the tangent vector does not grow, (point,); False for NaN."""
        return (~self.phase_undefined | self.single) & (self.lyapunov * self.length < REGULAR_GROWTH)

    def grows(self, errors: float) -> Array:
        """Whether the tangent vector grows by much, at a rate above this number of its standard errors, (point,)."""
        return (self.lyapunov > errors * self.lyapunov_error) & (self.lyapunov * self.length > IRREGULAR_GROWTH)

    def agrees(self, other: Window, detuning: Array) -> Array:
        """Whether the averages agree with those of the previous window, (point,): then the motion is stationary."""
        square = np.diagonal(self.products, axis1=1, axis2=2).real.max(axis=1)
        coherent, scale = self.coherent, np.maximum(square, COHERENCE_ERROR**2)
        products = abs(self.products - other.products).max(axis=(1, 2)) / scale
        inversion = abs(self.inversion - other.inversion).max(axis=1)
        variance = abs(self.variance - other.variance)
        amplitude = np.where(coherent, abs(self.amplitude - other.amplitude) / np.maximum(self.amplitude, COHERENCE_ERROR), 0.0)
        frequency = self.frequency_change(other).max(axis=1)
        close = (products < 1e-4) & (inversion < 1e-4) & (variance < 0.01 * self.variance + (1e-4 * scale) ** 2)
        converged = (products < CONVERGED) & (inversion < CONVERGED)
        converged &= variance < 1e-3 * self.variance + (CONVERGED * scale) ** 2
        steady = (frequency < 1e-4 * detuning + 1e-3 / self.length) | self.phase_undefined
        steady |= converged & (frequency < FREQUENCY_JITTER * detuning)
        return np.asarray(close & (amplitude.max(axis=1) < 0.01) & steady)

    def frequency_change(self, other: Window) -> Array:
        """Difference of the frequencies of two windows, (point, group); 0 for incoherent groups."""
        return np.where(self.coherent, abs(self.frequency - other.frequency), 0.0)

    def symmetry_trapped(self, other: Window, detuning: Array) -> Array:
        """Whether the motion is a regular but unstable orbit, (point,), which it leaves only if its symmetry is broken."""
        return self.agrees(other, detuning) & (self.lyapunov * self.length > IRREGULAR_GROWTH)

    def with_regular_error(self, before: Window) -> Window:
        """The window with the Lyapunov error of regular motion: twice the change since `before`, or the resolution."""
        error = np.maximum(REGULAR_GROWTH / self.length, STEPPING_ERROR * abs(self.lyapunov))
        return replace(self, lyapunov_error=np.maximum(error, 2 * abs(self.lyapunov - before.lyapunov)))


def unmeasured(points: int, groups: int) -> Window:
    """A window of NaN, which agrees with no other one."""
    point, group, pair = np.full(points, np.nan), np.full((points, groups), np.nan), np.full((points, groups, groups), np.nan)
    return Window(
        length=point, products=pair, locking=pair, amplitude=group, inversion=group, variance=point, order_parameter=point,
        frequency=group, lyapunov=point, lyapunov_error=point, phase_undefined=np.zeros(points, bool),
    )  # fmt: skip


def averages(orbit: OrbitSamples, frame: float, weight: Array, w: Array | None = None) -> Window:
    """Averages over one window, with the weights (5.9) or the weights `w` of the intervals between samples."""
    w = smooth_weights(len(orbit.phase_increments)) if w is None else w
    s, z = orbit.charged, orbit.neutral
    amplitude, products, inversion = abs(s), s.conj().T @ (w[:, None] * s), w @ z
    square = amplitude**2
    phase = np.divide(s, amplitude, out=np.zeros_like(s), where=amplitude > 1e-150)  # smaller squares underflow
    variance = np.sum(square.T @ (w[:, None] * square)) - np.sum(abs(products) ** 2) + np.sum(w @ (z - inversion) ** 2)
    blocks = np.array([block.mean() for block in np.array_split(orbit.growth_increments, 10)]) / orbit.step
    means = dict(
        length=orbit.step * np.count_nonzero(w), products=products, locking=phase.conj().T @ (w[:, None] * phase),
        amplitude=w @ amplitude, inversion=inversion, variance=max(variance, 0.0), order_parameter=2 * w @ abs(s @ weight),
        frequency=w @ orbit.phase_increments / orbit.step + frame, lyapunov=w @ orbit.growth_increments / orbit.step,
        lyapunov_error=blocks.std(ddof=1) / np.sqrt(10), phase_undefined=orbit.phase_undefined,
    )  # fmt: skip
    return Window(**{name: np.asarray(value)[None] for name, value in means.items()})


def is_periodic(periods: Window) -> Array:
    """Whether averages over the last two periods show regular motion with a whole number of phase slips, (point,)."""
    whole = abs(periods.slips - np.round(periods.slips)).max(axis=(1, 2)) < 1e-3
    return np.asarray(periods.regular & whole & (periods.slips.max(axis=(1, 2)) > 0.5))


def classify(last: Window, before: Window, detuning: Array, transient: Array, ends: Array) -> Array:
    """The regime that two successive windows show, (point,), or UNDECIDED. No point marked `transient` is called irregular.

    ends : whether no window follows, (point,): growth in `before`, which is shorter, then need not be as certain as in `last`
    """
    slips, change = last.slips, last.frequency_change(before) * last.length[:, None] / (2 * pi)
    uncertainty = 3 * (change[:, :, None] + change[:, None, :])  # near s = 0 frequencies of a torus converge as 1/length
    ambiguous = np.any((slips > 0.03) & (slips < np.maximum(2, uncertainty)), axis=(1, 2))
    one_frequency = np.where(last.coherent.sum(axis=1) <= 1, Regime.PULSATING, Regime.PHASE_TRAPPED)
    moving = np.where(np.any(slips >= 2, axis=(1, 2)), Regime.PARTIAL, one_frequency)
    agrees = last.agrees(before, detuning)
    lasting = last.grows(SURE) & (before.grows(SURE) | (ends & before.grows(1)))
    irregular = lasting & ~transient & (~last.phase_undefined | last.single) & ~agrees
    regime = np.where(last.regular & agrees & ~ambiguous, moving, Regime.UNDECIDED)
    return np.asarray(np.where(irregular, Regime.IRREGULAR, regime), np.int8)
