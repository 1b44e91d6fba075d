"""What windows of motion tell: averages, whether two in a row agree, and the word that follows (theory page, section 5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import pi

import numpy as np

from spinsync.base.arrays import Array, Batched
from spinsync.problems.flow.approach import COHERENCE_ERROR, coherent_groups
from spinsync.problems.flow.orbit_averages import OrbitSamples, smooth_weights
from spinsync.regimes.codes import Regime

CALM = 0.02  # growth of ln |deviation| over a window of a regular motion: nothing, but for the window's ends
STEPS = 1e-3  # relative error of an exponent by the time steps
GROWN = 15.0  # the same of a deviation that grows beyond doubt
SAME = 1e-6  # difference of all averages in which nothing but a frequency is still to converge
UNEVEN = 2e-3  # of the detuning: that of a motion which comes as near to zero as one likes, where its phase jumps


@dataclass(frozen=True, kw_only=True)
class Window(Batched):
    """Averages over windows of several trajectories, the first axis of each array.

    length, variance, order_parameter, lyapunov, lyapunov_error, lost : (point,)
        `variance` is that of z and of the products, all added up; `lost`: a phase could not be followed.
    products, locking : (point, group, group), means of s_a^* s_b and of exp(i (phi_a - phi_b))
    amplitude, inversion, winding : (point, group)
    """

    length: Array
    products: Array
    locking: Array
    amplitude: Array
    inversion: Array
    variance: Array
    order_parameter: Array
    winding: Array
    lyapunov: Array
    lyapunov_error: Array
    lost: Array

    @property
    def squares(self) -> Array:
        return np.diagonal(self.products, axis1=1, axis2=2).real

    @property
    def bright(self) -> Array:
        """Which groups have a coherence, beside that of the brightest and beside errors, (point, group)."""
        return np.asarray((self.amplitude > COHERENCE_ERROR) & coherent_groups(self.amplitude))

    @property
    def alone(self) -> Array:
        """Whether one group alone has a coherence: no phase difference is there, and its own phase may be lost, (point,)."""
        return np.asarray(self.bright.sum(axis=1) == 1)

    @property
    def slips(self) -> Array:
        """How often each two groups pass each other, (point, group, group); 0 beside a dark group."""
        both = self.bright[:, :, None] & self.bright[:, None, :]
        apart = abs(self.winding[:, :, None] - self.winding[:, None, :])
        return np.where(both, apart, 0.0) * self.length[:, None, None] / (2 * pi)

    @property
    def calm(self) -> Array:
        """No deviation grows; NaN is not calm."""
        return (~self.lost | self.alone) & (self.lyapunov * self.length < CALM)

    @property
    def irregular(self) -> Array:
        """A deviation grows, beyond doubt."""
        return (self.lyapunov > 4 * self.lyapunov_error) & (self.lyapunov * self.length > GROWN)

    def agrees(self, other: Window, detuning: Array) -> Array:
        """Whether these windows and those before tell the same: then the motion is stationary."""
        bright, large = self.bright, np.maximum(self.squares.max(axis=1), COHERENCE_ERROR**2)
        products = abs(self.products - other.products).max(axis=(1, 2)) / large
        inversion = abs(self.inversion - other.inversion).max(axis=1)
        variance = abs(self.variance - other.variance)
        fading = np.where(bright, abs(self.amplitude - other.amplitude) / np.maximum(self.amplitude, COHERENCE_ERROR), 0.0)
        turned = self.turned(other).max(axis=1)
        alike = (products < 1e-4) & (inversion < 1e-4) & (variance < 0.01 * self.variance + (1e-4 * large) ** 2)
        same = (products < SAME) & (inversion < SAME) & (variance < 1e-3 * self.variance + (SAME * large) ** 2)
        evenly = (turned < 1e-4 * detuning + 1e-3 / self.length) | self.lost
        return np.asarray(alike & (fading.max(axis=1) < 0.01) & (evenly | (same & (turned < UNEVEN * detuning))))

    def turned(self, other: Window) -> Array:
        """By how much the frequencies of two windows differ, (point, group); of dark groups 0."""
        return np.where(self.bright, abs(self.winding - other.winding), 0.0)

    def kept(self, other: Window, detuning: Array) -> Array:
        """An orbit as regular as unstable: a symmetry keeps the motion on it, and nothing else."""
        return self.agrees(other, detuning) & (self.lyapunov * self.length > GROWN)

    def resolved(self, before: Window) -> Window:
        """The same with the error that regular motion has: twice what two windows differ by, or what none can resolve."""
        error = np.maximum(CALM / self.length, STEPS * abs(self.lyapunov))
        return replace(self, lyapunov_error=np.maximum(error, 2 * abs(self.lyapunov - before.lyapunov)))


def unknown(points: int, groups: int) -> Window:
    """Before the first window, with which none agrees."""
    one, own, pair = np.full(points, np.nan), np.full((points, groups), np.nan), np.full((points, groups, groups), np.nan)
    return Window(
        length=one, products=pair, locking=pair, amplitude=own, inversion=own, variance=one, order_parameter=one, winding=own,
        lyapunov=one, lyapunov_error=one, lost=np.zeros(points, bool),
    )  # fmt: skip


def averages(seen: OrbitSamples, frame: float, weight: Array, w: Array | None = None) -> Window:
    """Averages over one window with (5.9), or with given weights of its samples; those of squares by products of matrices."""
    w = smooth_weights(len(seen.phase_increments)) if w is None else w
    s, z = seen.charged, seen.neutral
    size, products, inversion = abs(s), s.conj().T @ (w[:, None] * s), w @ z
    square = size**2
    phase = np.divide(s, size, out=np.zeros_like(s), where=size > 1e-150)  # whose square is a number
    variance = np.sum(square.T @ (w[:, None] * square)) - np.sum(abs(products) ** 2) + np.sum(w @ (z - inversion) ** 2)
    blocks = np.array([part.mean() for part in np.array_split(seen.growth_increments, 10)]) / seen.step
    one = dict(
        length=seen.step * np.count_nonzero(w), products=products, locking=phase.conj().T @ (w[:, None] * phase),
        amplitude=w @ size, inversion=inversion, variance=max(variance, 0.0), order_parameter=2 * w @ abs(s @ weight),
        winding=w @ seen.phase_increments / seen.step + frame, lyapunov=w @ seen.growth_increments / seen.step,
        lyapunov_error=blocks.std(ddof=1) / np.sqrt(10), lost=seen.phase_undefined,
    )  # fmt: skip
    return Window(**{name: np.asarray(value)[None] for name, value in one.items()})


def repeated(periods: Window) -> Array:
    """Whether the last two periods show calm motion in which groups pass each other a whole number of times."""
    whole = abs(periods.slips - np.round(periods.slips)).max(axis=(1, 2)) < 1e-3
    return np.asarray(periods.calm & whole & (periods.slips.max(axis=(1, 2)) > 0.5))


def decided(last: Window, before: Window, detuning: Array, transient: Array) -> Array:
    """The regimes that two windows in a row tell, UNDECIDED where they don't; a transient can look irregular too."""
    slips, turned = last.slips, last.turned(before) * last.length[:, None] / (2 * pi)
    unsure = 3 * (turned[:, :, None] + turned[:, None, :])  # of a torus around zero, frequencies converge as 1/length
    between = np.any((slips > 0.03) & (slips < np.maximum(2, unsure)), axis=(1, 2))
    trapped = np.where(last.bright.sum(axis=1) <= 1, Regime.PULSATING, Regime.PHASE_TRAPPED)
    moving = np.where(np.any(slips >= 2, axis=(1, 2)), Regime.PARTIAL, trapped)
    regular = last.calm & last.agrees(before, detuning) & ~between
    irregular = last.irregular & before.irregular & ~transient & (~last.lost | last.alone) & ~last.agrees(before, detuning)
    return np.asarray(np.where(irregular, Regime.IRREGULAR, np.where(regular, moving, Regime.UNDECIDED)), np.int8)
