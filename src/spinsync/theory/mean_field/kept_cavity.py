"""One group in a cavity whose mode is kept: laser line, photons and stability in closed form (theory page, section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan

import numpy as np

from spinsync.base.arrays import Array
from spinsync.model.cavities import Cavity
from spinsync.model.groups import Group


@dataclass(frozen=True)
class KeptCavity:
    """A cavity and its group of spins, all of one frequency."""

    cavity: Cavity
    group: Group

    @property
    def field_decay(self) -> float:
        """kappa_c / 2."""
        return self.cavity.decay / 2

    @property
    def frequency(self) -> float:
        """Omega of (7.3), in the laboratory frame."""
        pulled = self.group.gamma_perp / (self.field_decay + self.group.gamma_perp)
        return self.group.mean_frequency + pulled * self.cavity.detuning

    @property
    def threshold(self) -> float:
        """z* of (7.4), the inversion that lases; inf without coupling."""
        square = self.cavity.collective_coupling**2
        if square == 0:
            return inf
        gamma_perp, detuning = self.group.gamma_perp, self.cavity.detuning
        return self.field_decay * gamma_perp / square * (1 + (detuning / (self.field_decay + gamma_perp)) ** 2)

    @property
    def lases(self) -> bool:
        return self.group.z0 > self.threshold

    @property
    def photons(self) -> float:
        """Photons in the cavity, N |alpha|^2 of (7.5); 0 below the threshold."""
        if not self.lases:
            return 0.0
        return self.cavity.spins * self.group.gamma_1 * (self.group.z0 - self.threshold) / (2 * self.cavity.decay)

    @property
    def relaxation(self) -> complex:
        """Gamma_perp + i (omega - Omega), of the coherence in the frame of the light."""
        return complex(self.group.gamma_perp, self.group.mean_frequency - self.frequency)

    @property
    def turn(self) -> complex:
        """s alpha^* / |s alpha|: the phase of the coherence relative to the field, where z* > 0."""
        return 1j * abs(self.relaxation) / self.relaxation

    def jacobian(self) -> Array:
        """(7.2) linearized at the cycle, in its frame; of real and imaginary part of alpha/|alpha| and s/|s|, and z; (5, 5)."""
        group, z = self.group, self.threshold
        coupling, field = self.cavity.collective_coupling, np.sqrt(self.photons / self.cavity.spins)
        amplitude = coupling * field * z / abs(self.relaxation)
        cavity = -self.field_decay - 1j * (self.cavity.detuning + self.group.mean_frequency - self.frequency)
        from_spins, from_field = -1j * coupling * amplitude / field, 1j * coupling * field / amplitude
        result = np.zeros((5, 5))
        result[:2, :2], result[:2, 2:4] = _turning(cavity), _turning(from_spins)
        result[2:4, :2], result[2:4, 2:4] = _turning(z * from_field), _turning(-self.relaxation)
        result[3, 4] = from_field.imag
        back = 4 * coupling * field * amplitude
        result[4] = -back * self.turn.imag, back * self.turn.real, 0, -back, -group.gamma_1
        return result

    def stable(self) -> bool:
        """Whether small perturbations of the cycle decay, but for that of the common phase; False below the threshold."""
        if not self.lases:
            return False
        jacobian = self.jacobian()
        phase = np.array([0.0, 1.0, 0.0, 0.0, 0.0])  # i (alpha, s): the eigenvector of the eigenvalue 0
        phase[2:4] = -self.turn.imag, self.turn.real
        basis = np.linalg.qr(np.column_stack([phase, np.eye(5)[:, [0, 2, 3, 4]]]))[0]
        others = np.linalg.eigvals((basis.T @ jacobian @ basis)[1:, 1:])
        return bool(others.real.max() < 0)

    def values(self) -> dict[str, float | bool]:
        """The variables that `limit_cycle` adds for a cavity."""
        return {
            "cavity_frequency": self.frequency if self.lases else nan, "photon_number": self.photons,
            "photon_flux": self.cavity.decay * self.photons, "cavity_threshold": self.threshold,
            "cavity_stable": self.stable(),
        }  # fmt: skip


def _turning(factor: complex) -> Array:
    """Multiplication by a complex number as a matrix of real and imaginary parts."""
    return np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
