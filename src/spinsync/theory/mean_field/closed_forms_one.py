"""One group in closed form: limit cycle, with or without frequency disorder (theory page, sections 4 and 6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, cos, nan, sin, sqrt

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.checks import InputError
from spinsync.base.precision import in_range
from spinsync.model.ensembles import Ensemble
from spinsync.model.groups import Group
from spinsync.model.samples import Samples

SMALL_NOISE = 0.01  # largest 1/(N|s|^2) at which the lowest order of 1/N is used; its relative error is two to three times it
NO_SINE = 1e-12  # |sin theta| below this is zero up to the rounding of theta


@dataclass(frozen=True)
class OneGroup:
    """A group and its coupling V exp(i theta) (theory page, section 4)."""

    group: Group
    strength: float
    theta: float

    @property
    def effective_z0(self) -> float:
        """-z0 sin(theta), positive if the ensemble can synchronize."""
        sine = sin(self.theta)
        return 0.0 if abs(sine) < NO_SINE or self.group.gamma_1 == 0 else -self.group.z0 * sine


def applicability_error(ensemble: Ensemble) -> InputError | None:
    """The error if the closed form of one group does not apply, else None."""
    if len(ensemble.groups) != 1:
        return InputError(f"Argument `ensemble` must have one group for this closed form, but has {len(ensemble.groups)}.")
    if isinstance(ensemble.groups[0].distribution, Samples):
        return InputError(
            "Argument `ensemble` must have one frequency or a smooth distribution for this closed form, but has Samples."
        )
    return None


def phase(ensemble: Ensemble) -> float:
    """theta of one group: the phase of C, or for C = 0 the phase in the recipe."""
    c = ensemble.coupling_matrix[0, 0]
    return float(np.angle(c)) if c else ensemble.recipe.phase(0, 0)


def one_group(ensemble: Ensemble) -> OneGroup:
    """The only group and its coupling. Raises InputError if there are several groups, or the frequency is Samples."""
    if error := applicability_error(ensemble):
        raise error
    group = ensemble.groups[0]
    return OneGroup(group, abs(complex(ensemble.coupling_matrix[0, 0])), phase(ensemble))


def cycle(one: OneGroup) -> tuple[float, float, float]:
    """Frequency, amplitude and inversion of the synchronized state; NaN, 0 and z0 if there is none."""
    if one.group.distribution is not None and one.effective_z0 > 0:
        return _Disordered(one).cycle()
    if one.strength * one.effective_z0 > one.group.gamma_perp:  # (4.1)
        return cycle_without_disorder(one)
    return nan, 0.0, one.group.z0


def cycle_without_disorder(one: OneGroup) -> tuple[float, float, float]:
    """Frequency, amplitude and inversion of the limit cycle of one frequency, above the threshold."""
    group = one.group
    z = -group.gamma_perp / (one.strength * sin(one.theta))  # (4.2)
    frequency = group.mean_frequency + group.gamma_perp * cos(one.theta) / sin(one.theta)  # (4.3)
    square = group.gamma_1 * z * (group.z0 - z) / (4 * group.gamma_perp)  # (4.4)
    return frequency, sqrt(square), z


def floquet(one: OneGroup, amplitude: float) -> np.ndarray:
    """Floquet exponents of the limit cycle, (4.6); complex, (3,)."""
    g1 = one.group.gamma_1
    root = np.sqrt(complex(g1**2 - 32 * (one.strength * sin(one.theta) * amplitude) ** 2))
    return np.array([0, (-g1 + root) / 2, (-g1 - root) / 2])


def diffusion(one: OneGroup, amplitude: float, inversion: float) -> float:
    """Phase diffusion times N, (4.7)."""
    return one.group.gamma_perp * (1 + abs(inversion)) / (2 * (amplitude * sin(one.theta)) ** 2)


def disordered_onset(one: OneGroup) -> float:
    """The strength at which the growth rate (6.5) changes sign: (Gamma_perp + w)/(-z0 sin theta) for a Lorentzian."""
    return _Disordered(one).strength(one.group.gamma_perp)


@in_range
def many_spin_line(ensemble: Ensemble, spins: Array) -> tuple[float, Array]:
    """Frequency and width (FWHM) of the emission line of many equal spins, for an array of numbers, in lowest order of 1/N.

    With a limit cycle (4.3) and (4.7), else frequency and decay rate of a small coherence at the inversion z0 by (3.3).
    """
    one = one_group(ensemble)
    frequency, amplitude, inversion = cycle(one)
    if amplitude > 0:
        return frequency, diffusion(one, amplitude, inversion) / spins
    group, c = one.group, complex(ensemble.coupling_matrix[0, 0])
    rate = group.gamma_perp + 1j * group.mean_frequency - 1j * c * group.z0
    return rate.imag, np.full(len(spins), 2 * rate.real)


def many_spin_linewidth(ensemble: Ensemble, spins: int) -> tuple[float, float]:
    """Frequency (4.3) and linewidth (4.7). Raises InputError without a limit cycle of one frequency, or with too few spins."""
    one = one_group(ensemble)
    if one.group.distribution is not None:
        raise InputError("Argument `ensemble` must have one frequency for the linewidth of MeanField, but has a distribution.")
    frequency, amplitude, inversion = cycle(one)
    if amplitude == 0:
        raise InputError(
            "Argument `ensemble` must be above its threshold for the linewidth of MeanField (`critical_coupling`, "
            "`critical_gain`), but is below it."
        )
    least = 1 / (SMALL_NOISE * amplitude**2)
    if spins < least:
        raise InputError(
            f"Argument `spins` must be at least {ceil(least)} for the linewidth of this ensemble in MeanField, which needs "
            f"1/(N|s|^2) <= {SMALL_NOISE:g}, but is spins={spins}; Exact answers this for up to 20000 spins."
        )
    return frequency, diffusion(one, amplitude, inversion) / spins


class _Disordered:
    """Self-consistency (6.3) solved for V: each broadening B >= Gamma_perp determines the strength V(B) and the frequency."""

    def __init__(self, one: OneGroup) -> None:
        self.one, self.group = one, one.group
        distribution = one.group.distribution
        assert distribution is not None
        self.center, self.resolvent = distribution.center, distribution.resolvent
        centres, width = distribution.resonances()
        self.width = float(np.ptp(centres)) / 2 + width

    def frequency(self, b: float) -> float:
        """Root Omega of Im G / Re G = (Gamma_perp / B) cot theta, with the resolvent G at B - i Omega."""
        cot = 0.0 if abs(cos(self.one.theta)) < NO_SINE else cos(self.one.theta) / sin(self.one.theta)
        slope = self.group.gamma_perp / b * cot

        def residual(x: float) -> float:
            g = self.resolvent(b - 1j * (self.center + x))
            return g.imag - slope * g.real

        if slope == 0:
            return self.center
        far = np.sign(slope) * b
        while residual(far) * residual(0.0) > 0:
            far *= 2
        return self.center + _root(residual, min(0.0, far), max(0.0, far))

    def strength(self, b: float) -> float:
        """V(B) = B (-sin theta) / (z0 Gamma_perp Re G), the real part of (6.3)."""
        g = self.resolvent(b - 1j * self.frequency(b))
        return -b * sin(self.one.theta) / (self.group.z0 * self.group.gamma_perp * g.real)

    def _upper_bound(self, strength: float) -> float:
        """A broadening above all roots of V(B) = strength: for B >> width and Gamma_perp |cot theta|, V(B) grows as B^2."""
        scale = max(self.group.gamma_perp, self.width) * (1 + abs(cos(self.one.theta) / sin(self.one.theta)))
        high = 4 * max(scale, sqrt(strength * self.group.gamma_perp * self.one.effective_z0))
        while self.strength(high) < strength:
            high *= 2
        return high

    def cycle(self) -> tuple[float, float, float]:
        """Frequency, amplitude and inversion on the branch of largest B; NaN, 0 and z0 if there is none."""
        gamma_perp, strength = self.group.gamma_perp, self.one.strength
        high = self._upper_bound(strength)
        grid = np.geomspace(high, gamma_perp, 200)
        below = next((i for i, b in enumerate(grid) if self.strength(b) < strength), None)
        if below is None:
            return nan, 0.0, self.group.z0
        b = _root(lambda b: self.strength(b) - strength, grid[below], grid[below - 1])
        frequency = self.frequency(b)
        broadening = b**2 - gamma_perp**2
        amplitude = sqrt(broadening * self.group.gamma_1 / (4 * gamma_perp)) / strength  # (6.4)
        inversion = self.group.z0 * (1 - broadening * self.resolvent(b - 1j * frequency).real / b)  # mean of (6.1)
        return frequency, amplitude, inversion


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """A root in an interval by Brent's method."""
    from scipy.optimize import brentq

    try:
        return float(brentq(function, low, high, xtol=1e-14, rtol=4e-15))
    except ValueError:  # rounding hides the change of sign
        raise ArithmeticError from None
