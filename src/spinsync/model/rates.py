"""Structure-of-arrays rates: all that kernels ever see of a model, one point or a whole diagram of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from spinsync.base.arrays import Array


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Rates of an ensemble, batch axes first.

    omega, gain, damping, dephasing, weight : real arrays of shape (..., group)
        Natural frequency (or the centre of its distribution), rates up and down, pure dephasing, and the normalized weight.
    coupling : complex array of shape (..., group, group)
        C_ab = V_ab exp(i theta_ab)
    """

    omega: Array
    gain: Array
    damping: Array
    dephasing: Array
    weight: Array
    coupling: Array

    @property
    def gamma_1(self) -> Array:
        """Relaxation of the inversion (1.2)."""
        return self.gain + self.damping

    @property
    def gamma_perp(self) -> Array:
        """Relaxation of the coherence (1.2)."""
        return self.gamma_1 / 2 + self.dephasing

    @property
    def net_gain(self) -> Array:
        """Gain - damping, which drives the inversion (3.4)."""
        return self.gain - self.damping

    def at(self, index: Any) -> Rates:
        """Some points of the batch, or one with its batch axes gone; None: a batch of one."""
        return Rates(**{name: np.ascontiguousarray(getattr(self, name)[index]) for name in self.__dataclass_fields__})


@dataclass
class Tables:
    """What a recipe lays out and dotted changes overwrite: arrays of shape (..., group) and (..., group, group)."""

    gain: Array
    damping: Array
    dephasing: Array
    frequency: Array
    weight: Array
    strength: Array
    angle: Array

    def rates(self) -> Rates:
        """The rates that the equations of motion contain, everything broadcast to one batch shape."""
        columns = (self.gain, self.damping, self.dephasing, self.frequency, self.weight)
        batches = [a.shape[:-1] for a in columns] + [a.shape[:-2] for a in (self.strength, self.angle)]
        groups = (*np.broadcast_shapes(*batches), self.weight.shape[-1])
        gain, damping, dephasing, omega, weight = (np.broadcast_to(a, groups) for a in columns)
        coupling = np.broadcast_to(polar(self.strength, self.angle), (*groups, groups[-1]))
        return rates_of(gain, damping, dephasing, omega, weight, coupling)


def rates_of(gain: Array, damping: Array, dephasing: Array, omega: Array, weight: Array, coupling: Array) -> Rates:
    """With weights that add up to 1."""
    return Rates(omega=omega, gain=gain, damping=damping, dephasing=dephasing, weight=normalized(weight), coupling=coupling)


def polar(strength: Any, angle: Any) -> Array:
    """C = V exp(i theta)."""
    return np.asarray(strength * np.exp(1j * np.asarray(angle)))


def normalized(weight: Any) -> Array:
    """Weights that add up to 1; left alone where they already do, so that normalizing twice changes no bit."""
    weight = np.asarray(weight, float)
    total = weight.sum(axis=-1, keepdims=True)
    return np.asarray(np.where(abs(total - 1) <= 4e-16 * weight.shape[-1], weight, weight / total))
