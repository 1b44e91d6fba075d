"""Two synchronized groups with a weak cross coupling: Adler's equation and its errors (theory page, section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, inf, nan, pi, sin, sqrt

import numpy as np
import xarray as xr

from spinsync.base.arrays import Array
from spinsync.base.checks import InputError
from spinsync.model.ensembles import Ensemble
from spinsync.model.groups import Group
from spinsync.questions.closed_forms_one import OneGroup, clean_cycle
from spinsync.questions.closed_forms_two import two_groups
from spinsync.results.datasets import dataset
from spinsync.results.registry import question

WEAK = 0.1  # of the locking range: a larger error than this share is said
NOTHING = 1e-12  # of k_A + k_B: a range below it has vanished but for rounding
SETTLED = 1e-6  # of a logarithm: one more step of Newton's method, which was taken, leaves rounding
PHASES = 48  # phase differences at which locked states are sought


@question
def locking_range(ensemble: Ensemble) -> xr.Dataset:
    """Locking of two synchronized groups by a weak cross coupling: Adler's equation with its shear, (5.6) to (5.8).

    Parameters
    ----------
    ensemble : Ensemble
        Two groups, each synchronized by itself.

    Returns
    -------
    xarray.Dataset
        Scalars effective_detuning, locking_range K_eff, phase_offset (NaN where the range is 0), locked, phase_difference
        and frequency (NaN where not locked), beat_frequency (mean rate of the phase difference; 0 where locked). All
        frequencies are angular. locking_range_error: how far from K_eff locked states end, stable or not (inf: unknown);
        beat_frequency_error: what the second order (5.11) adds; weak: whether the error of the range is below a tenth of it.

    Raises
    ------
    InputError
        If there are not two groups, or one is not synchronized by itself.

    Notes
    -----
    The condition is K_eff << |Re mu| of (4.6), the rate at which each group returns to its cycle, which vanishes at its own
    threshold: a cross coupling much smaller than the inner one is not enough. The beat also needs a small
    effective detuning, |Delta_eff| << |mu|.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> weak = ss.Ensemble.pair(detuning=0.01, gain=3, damping=1, coupling=24, theta=-np.pi / 2, cross_coupling=0.1)
    >>> lock = ss.locking_range(weak)
    >>> round(float(lock.locking_range), 6), bool(lock.locked), bool(lock.weak)
    (0.016667, True, True)
    """
    pair = _Pair.of(ensemble)
    k_a, k_b = pair.push(0, 1), pair.push(1, 0)
    lag = pair.theta[0, 1] - pair.theta[0, 0]
    drive = k_a * np.exp(-1j * lag) + k_b * np.exp(1j * (pair.theta[1, 0] - pair.theta[1, 1]))  # (5.7)
    vanished = abs(drive) <= NOTHING * (k_a + k_b)
    reach, offset = (0.0, nan) if vanished else (float(abs(drive)), float(np.angle(drive)))
    slip = float(pair.frequency[0] - pair.frequency[1])
    locked = abs(slip) < reach
    phase = offset + np.arcsin(slip / reach) if locked else nan
    error = pair.range_error(reach)
    variables = {
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
    return dataset(variables, {}, "locking_range", ensemble)


@dataclass(frozen=True)
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
        groups = two_groups(ensemble)
        c, theta = abs(ensemble.coupling_matrix), np.angle(ensemble.coupling_matrix)
        cycles = []
        for i, group in enumerate(groups):
            alone = OneGroup(group, group.weight * c[i, i], theta[i, i])
            if alone.strength * alone.effective_z0 <= group.gamma_perp:
                raise InputError(
                    f"Argument `ensemble` must have groups that synchronize by themselves, but group {group.name!r} does not "
                    f"at V = {c[i, i]:.6g} and weight {group.weight:.6g}."
                )
            cycles.append(clean_cycle(alone))
        frequency, amplitude, inversion = np.array(cycles).T
        if not np.all(amplitude > 0):  # of synchronized groups: it is below the smallest number
            raise ArithmeticError
        return cls(groups, frequency, amplitude, inversion, np.array([group.weight for group in groups]), c, theta)

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
