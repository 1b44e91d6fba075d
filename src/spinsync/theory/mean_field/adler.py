"""Two synchronized groups with weak cross coupling: Adler's equation and its errors (theory page, section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, inf, nan, pi, sin, sqrt
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.checks import InputError
from spinsync.model.ensembles import Ensemble
from spinsync.model.groups import Group
from spinsync.theory.mean_field.closed_forms_one import OneGroup, cycle_without_disorder
from spinsync.theory.mean_field.closed_forms_two import two_groups_error

WEAK = 0.1  # relative error of the locking range up to which the coupling is weak
VANISHING = 1e-12  # times k_A + k_B: a smaller locking range is zero up to rounding
CONVERGED = 1e-6  # residual of Newton's method before its last step, which then leaves an error of rounding size
PHASES = 48  # number of phase differences at which locked states are computed


def locking(ensemble: Ensemble) -> dict[str, Any]:
    """The locking range, its error and the beat frequency outside it, by names of variables."""
    pair = _Pair.from_ensemble(ensemble)
    k_a, k_b = pair.coupling_rate(0, 1), pair.coupling_rate(1, 0)
    lag = pair.theta[0, 1] - pair.theta[0, 0]
    effective = k_a * np.exp(-1j * lag) + k_b * np.exp(1j * (pair.theta[1, 0] - pair.theta[1, 1]))  # (5.7)
    vanished = abs(effective) <= VANISHING * (k_a + k_b)
    half_width, offset = (0.0, nan) if vanished else (float(abs(effective)), float(np.angle(effective)))
    detuning = float(pair.frequency[0] - pair.frequency[1])
    locked = abs(detuning) < half_width
    phase = offset + np.arcsin(detuning / half_width) if locked else nan
    error = pair.range_error(half_width)
    return {
        "effective_detuning": detuning,
        "locking_range": half_width,
        "phase_offset": offset,
        "locked": locked,
        "phase_difference": (phase + pi) % (2 * pi) - pi if locked else nan,
        "frequency": pair.frequency[0] - k_a * sin(lag + phase) if locked else nan,
        "beat_frequency": 0.0 if locked else np.sign(detuning) * sqrt(detuning**2 - half_width**2),  # (5.8)
        "locking_range_error": error,
        "beat_frequency_error": 0.0 if locked else pair.beat_error(detuning, half_width, error),
        "weak": error <= WEAK * half_width,
    }


def _uncoupled_groups(ensemble: Ensemble) -> list[OneGroup]:
    """Each group without the cross coupling."""
    c = ensemble.coupling_matrix.diagonal()
    return [OneGroup(g, g.weight * v, t) for g, v, t in zip(ensemble.groups, abs(c), np.angle(c), strict=True)]


def applicability_error(ensemble: Ensemble) -> InputError | None:
    """The error if Adler's equation does not apply, else None."""
    if error := two_groups_error(ensemble):
        return error
    for one in _uncoupled_groups(ensemble):
        if one.strength * one.effective_z0 <= one.group.gamma_perp:
            name, weight = one.group.name, one.group.weight
            return InputError(
                f"Argument `ensemble` must have groups that synchronize by themselves, but group {name!r} does not "
                f"at V = {one.strength / weight:.6g} and weight {weight:.6g}."
            )
    return None


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """Two groups on their uncoupled limit cycles, arrays of shape (group,), and C = V e^{i theta}, (group, group)."""

    groups: tuple[Group, Group]
    frequency: Array
    amplitude: Array
    inversion: Array
    weight: Array
    strength: Array
    theta: Array

    @classmethod
    def from_ensemble(cls, ensemble: Ensemble) -> _Pair:
        if error := applicability_error(ensemble):
            raise error
        a, b = ensemble.groups
        frequency, amplitude, inversion = np.array([cycle_without_disorder(one) for one in _uncoupled_groups(ensemble)]).T
        if not np.all(amplitude > 0):  # underflow
            raise ArithmeticError
        c = ensemble.coupling_matrix
        return cls(
            groups=(a, b), weight=np.array([a.weight, b.weight]), strength=abs(c), theta=np.angle(c),
            frequency=frequency, amplitude=amplitude, inversion=inversion,
        )  # fmt: skip

    def coupling_rate(self, i: int, j: int) -> float:
        """k_i, (5.7): the rate at which group j shifts the phase of group i."""
        ratio = self.weight[j] * self.strength[i, j] * self.amplitude[j] / (self.weight[i] * self.strength[i, i])
        return float(self.groups[i].gamma_perp * ratio / (self.amplitude[i] * sin(self.theta[i, i]) ** 2))

    def range_error(self, half_width: float) -> float:
        """Largest distance of the edges of locking (5.10) in the effective detuning from +-half_width; inf without locking."""
        matrix = self.strength * np.exp(1j * self.theta)
        phase = np.arange(PHASES) * (2 * pi / PHASES)
        gamma_perp, gamma_1, z0 = (np.array([getattr(g, n) for g in self.groups]) for n in ("gamma_perp", "gamma_1", "z0"))

        def state(log_ratio: Array) -> tuple[Array, Array, Array]:
            """h/s and z of each group, and the residual: ln|s_B/s_A| from these minus the given one."""
            other = np.exp(log_ratio + 1j * phase)  # s_B / s_A
            field = np.stack([
                self.weight[0] * matrix[0, 0] + self.weight[1] * matrix[0, 1] * other,
                self.weight[1] * matrix[1, 1] + self.weight[0] * matrix[1, 0] / other,
            ])  # fmt: skip
            z = -gamma_perp[:, None] / field.imag
            square = gamma_1[:, None] * (z - z0[:, None]) / (4 * field.imag)
            square[square <= 0] = nan  # no such state
            return field, z, np.log(square[1] / square[0]) / 2 - log_ratio

        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            ratio = np.full(PHASES, np.log(self.amplitude[1] / self.amplitude[0]))
            for _ in range(30):
                residual, slope = state(ratio)[2], (state(ratio + 1e-6)[2] - state(ratio - 1e-6)[2]) / 2e-6
                ratio = ratio - np.clip(residual / slope, -0.3, 0.3)
                if not np.any(abs(residual) > CONVERGED):  # NaN, at phases without a state, does not count
                    break
            field, z, residual = state(ratio)
            needed = (z[0] * field[0].real - z[1] * field[1].real) - (self._uncoupled_shift(0) - self._uncoupled_shift(1))
        needed[~(abs(residual) < 1e-9)] = nan  # one group suppresses the coherence of the other
        return max(abs(_periodic_maximum(needed) - half_width), abs(_periodic_maximum(-needed) - half_width))

    def _uncoupled_shift(self, i: int) -> float:
        """Re(h/s) z on the uncoupled limit cycle, equal to -Gamma_perp cot theta, the negative frequency shift."""
        return -self.groups[i].gamma_perp * cos(self.theta[i, i]) / sin(self.theta[i, i])

    def beat_error(self, detuning: float, half_width: float, error: float) -> float:
        """Error of the beat frequency: the second order (5.11), plus the effect of the error of the locking range."""
        if not np.isfinite(error):
            return inf
        near = [sqrt(max(detuning**2 - (half_width + sign * error) ** 2, 0.0)) for sign in (1, -1)]
        shift = abs(self._second_order(detuning))  # NaN where its terms overflow
        found = shift + max(abs(sqrt(detuning**2 - half_width**2) - other) for other in near)
        return found if np.isfinite(found) else inf

    def _second_order(self, detuning: float) -> float:
        """The second-order shift (5.11) of the frequency difference, A minus B."""
        matrix = self.strength * np.exp(1j * self.theta)
        field, response = np.empty(2, complex), np.empty((2, 2), complex)
        for a, b, sign in ((0, 1, 1), (1, 0, -1)):
            field[a] = self.weight[b] * matrix[a, b] * self.amplitude[b] / self.amplitude[a]
            inner = self.weight[a] * matrix[a, a].imag
            square = self.amplitude[a] ** 2
            relax = np.array([[0.0, -inner], [8 * square * inner, -self.groups[a].gamma_1]])
            response[a] = np.linalg.solve(1j * sign * detuning * np.eye(2) - relax, [-self.inversion[a], 4 * square])
        total = 0.0
        for a, b, sign in ((0, 1, 1), (1, 0, -1)):
            unit, sine, z = np.exp(1j * self.theta[a, a]), sin(self.theta[a, a]), self.inversion[a]
            (x, dz), other = response[a], response[b][0]
            own = abs(field[a]) ** 2 * ((dz * unit).real + z * x.imag / sine)
            shear = 1 - 1j * cos(self.theta[b, b]) / sin(self.theta[b, b])
            total += sign * (own - z * (field[a] * field[b] * other * shear / unit).real) / (2 * sine)
        return float(total)


def _periodic_maximum(values: Array) -> float:
    """Maximum of a smooth periodic function on a uniform grid, by parabolic interpolation; inf if all values are NaN."""
    if np.isnan(values).all():
        return inf
    k = int(np.nanargmax(values))
    low, top, high = values[k - 1], values[k], values[(k + 1) % len(values)]
    curvature = 2 * top - low - high  # NaN next to a missing value
    return float(top + (high - low) ** 2 / (8 * curvature)) if curvature > 0 else float(top)
