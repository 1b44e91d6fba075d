"""Two synchronized groups with a weak cross coupling: Adler's equation and its errors (theory page, section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, inf, nan, pi, sin, sqrt
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.checks import InputError
from spinsync.model.ensembles import Ensemble
from spinsync.model.groups import Group
from spinsync.theory.mean_field.closed_forms_one import OneGroup, clean_cycle
from spinsync.theory.mean_field.closed_forms_two import not_two

WEAK = 0.1  # of the locking range: a larger error than this share is said
NOTHING = 1e-12  # of k_A + k_B: a range below it has vanished but for rounding
SETTLED = 1e-6  # of a logarithm: one more step of Newton's method, which was taken, leaves rounding
PHASES = 48  # phase differences at which locked states are sought


def locking(ensemble: Ensemble) -> dict[str, Any]:
    """The locking range, its error and the beat beyond it, by the names of results."""
    pair = _Pair.of(ensemble)
    k_a, k_b = pair.push(0, 1), pair.push(1, 0)
    lag = pair.theta[0, 1] - pair.theta[0, 0]
    pull = k_a * np.exp(-1j * lag) + k_b * np.exp(1j * (pair.theta[1, 0] - pair.theta[1, 1]))  # (5.7)
    vanished = abs(pull) <= NOTHING * (k_a + k_b)
    reach, offset = (0.0, nan) if vanished else (float(abs(pull)), float(np.angle(pull)))
    slip = float(pair.frequency[0] - pair.frequency[1])
    locked = abs(slip) < reach
    phase = offset + np.arcsin(slip / reach) if locked else nan
    error = pair.range_error(reach)
    return {
        "effective_detuning": slip,
        "locking_range": reach,
        "phase_offset": offset,
        "locked": locked,
        "phase_difference": (phase + pi) % (2 * pi) - pi if locked else nan,
        "frequency": pair.frequency[0] - k_a * sin(lag + phase) if locked else nan,
        "beat_frequency": 0.0 if locked else np.sign(slip) * sqrt(slip**2 - reach**2),  # (5.8)
        "locking_range_error": error,
        "beat_frequency_error": 0.0 if locked else pair.beat_error(slip, reach, error),
        "weak": error <= WEAK * reach,
    }


def _alone(ensemble: Ensemble) -> list[OneGroup]:
    """Each group without the other."""
    c = ensemble.coupling_matrix.diagonal()
    return [OneGroup(g, g.weight * v, t) for g, v, t in zip(ensemble.groups, abs(c), np.angle(c), strict=True)]


def refusal(ensemble: Ensemble) -> InputError | None:
    """Why Adler's equation does not hold for two groups; None where it does."""
    if error := not_two(ensemble):
        return error
    for alone in _alone(ensemble):
        if alone.strength * alone.effective_z0 <= alone.group.gamma_perp:
            name, weight = alone.group.name, alone.group.weight
            return InputError(
                f"Argument `ensemble` must have groups that synchronize by themselves, but group {name!r} does not "
                f"at V = {alone.strength / weight:.6g} and weight {weight:.6g}."
            )
    return None


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """Two groups on their uncoupled cycles, arrays of shape (group,), and C = V e^{i theta}, (group, group)."""

    groups: tuple[Group, Group]
    frequency: Array
    amplitude: Array
    inversion: Array
    weight: Array
    strength: Array
    theta: Array

    @classmethod
    def of(cls, ensemble: Ensemble) -> _Pair:
        if error := refusal(ensemble):
            raise error
        a, b = ensemble.groups
        frequency, amplitude, inversion = np.array([clean_cycle(alone) for alone in _alone(ensemble)]).T
        if not np.all(amplitude > 0):  # of synchronized groups: it is below the smallest number
            raise ArithmeticError
        c = ensemble.coupling_matrix
        return cls(
            groups=(a, b), weight=np.array([a.weight, b.weight]), strength=abs(c), theta=np.angle(c),
            frequency=frequency, amplitude=amplitude, inversion=inversion,
        )  # fmt: skip

    def push(self, i: int, j: int) -> float:
        """k_i, (5.7): how strongly group j moves the phase of group i."""
        ratio = self.weight[j] * self.strength[i, j] * self.amplitude[j] / (self.weight[i] * self.strength[i, i])
        return float(self.groups[i].gamma_perp * ratio / (self.amplitude[i] * sin(self.theta[i, i]) ** 2))

    def range_error(self, reach: float) -> float:
        """How far from -reach and +reach the effective detuning of the locked states (5.10) ends; inf where none is found."""
        matrix = self.strength * np.exp(1j * self.theta)
        phase = np.arange(PHASES) * (2 * pi / PHASES)
        gamma_perp, gamma_1, z0 = (np.array([getattr(g, n) for g in self.groups]) for n in ("gamma_perp", "gamma_1", "z0"))

        def state(log_ratio: Array) -> tuple[Array, Array, Array]:
            """h/s and z of each group, and by how much |s_B/s_A| of the answer exceeds that of the question, as logarithms."""
            other = np.exp(log_ratio + 1j * phase)  # s_B / s_A
            field = np.stack([
                self.weight[0] * matrix[0, 0] + self.weight[1] * matrix[0, 1] * other,
                self.weight[1] * matrix[1, 1] + self.weight[0] * matrix[1, 0] / other,
            ])  # fmt: skip
            z = -gamma_perp[:, None] / field.imag
            square = gamma_1[:, None] * (z - z0[:, None]) / (4 * field.imag)
            square[square <= 0] = nan  # no state at all
            return field, z, np.log(square[1] / square[0]) / 2 - log_ratio

        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            ratio = np.full(PHASES, np.log(self.amplitude[1] / self.amplitude[0]))
            for _ in range(30):
                off, slope = state(ratio)[2], (state(ratio + 1e-6)[2] - state(ratio - 1e-6)[2]) / 2e-6
                ratio = ratio - np.clip(off / slope, -0.3, 0.3)
                if not np.any(abs(off) > SETTLED):  # a phase without a state, NaN, has nothing to be waited for
                    break
            field, z, off = state(ratio)
            needed = (z[0] * field[0].real - z[1] * field[1].real) - (self._own(0) - self._own(1))
        needed[~(abs(off) < 1e-9)] = nan  # there one group extinguishes the other
        return max(abs(_summit(needed) - reach), abs(_summit(-needed) - reach))

    def _own(self, i: int) -> float:
        """Re(h/s) z on the uncoupled cycle: minus the shift Gamma_perp cot theta of its frequency."""
        return -self.groups[i].gamma_perp * cos(self.theta[i, i]) / sin(self.theta[i, i])

    def beat_error(self, slip: float, reach: float, error: float) -> float:
        """What (5.11) adds to the beat, and what the error of the range does to it."""
        if not np.isfinite(error):
            return inf
        near = [sqrt(max(slip**2 - (reach + sign * error) ** 2, 0.0)) for sign in (1, -1)]
        return abs(self._second_order(slip)) + max(abs(sqrt(slip**2 - reach**2) - other) for other in near)

    def _second_order(self, slip: float) -> float:
        """Equation (5.11), A minus B."""
        matrix = self.strength * np.exp(1j * self.theta)
        field, answer = np.empty(2, complex), np.empty((2, 2), complex)
        for a, b, sign in ((0, 1, 1), (1, 0, -1)):
            field[a] = self.weight[b] * matrix[a, b] * self.amplitude[b] / self.amplitude[a]
            inner = self.weight[a] * matrix[a, a].imag
            square = self.amplitude[a] ** 2
            relax = np.array([[0.0, -inner], [8 * square * inner, -self.groups[a].gamma_1]])
            answer[a] = np.linalg.solve(1j * sign * slip * np.eye(2) - relax, [-self.inversion[a], 4 * square])
        total = 0.0
        for a, b, sign in ((0, 1, 1), (1, 0, -1)):
            turn, sine, z = np.exp(1j * self.theta[a, a]), sin(self.theta[a, a]), self.inversion[a]
            (x, dz), other = answer[a], answer[b][0]
            own = abs(field[a]) ** 2 * ((dz * turn).real + z * x.imag / sine)
            shear = 1 - 1j * cos(self.theta[b, b]) / sin(self.theta[b, b])
            total += sign * (own - z * (field[a] * field[b] * other * shear / turn).real) / (2 * sine)
        return float(total)


def _summit(values: Array) -> float:
    """The maximum of a smooth periodic function, given at even places, by a parabola; inf where there is none."""
    if np.isnan(values).all():
        return inf
    k = int(np.nanargmax(values))
    low, top, high = values[k - 1], values[k], values[(k + 1) % len(values)]
    bend = 2 * top - low - high
    return float(top + (high - low) ** 2 / (8 * bend)) if bend > 0 else float(top)  # the last one where they end
