"""Rates as arrays, the only form in which kernels take a model: one point, or a batch of all points of a diagram."""

from __future__ import annotations

from collections.abc import Mapping
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
        """Gain - damping, the source term of the inversion (3.4)."""
        return self.gain - self.damping

    def at(self, index: Any) -> Rates:
        """The rates at an index of the batch axes; the index None adds a batch axis of length 1."""
        return Rates(**{name: np.ascontiguousarray(getattr(self, name)[index]) for name in self.__dataclass_fields__})


def broadcast_rates(columns: Mapping[str, Array], weight: Array, coupling: Array) -> Rates:
    """Rates from parameters of shape (..., group), normalized weights and C, broadcast to a common batch shape."""
    given = {**columns, "omega": columns["frequency"], "weight": weight}
    arrays = {name: given[name] for name in Rates.__dataclass_fields__ if name != "coupling"}
    groups = (*np.broadcast_shapes(*(array.shape[:-1] for array in arrays.values()), coupling.shape[:-2]), weight.shape[-1])
    coupling = np.broadcast_to(coupling, (*groups, groups[-1]))
    return Rates(**{name: np.broadcast_to(array, groups) for name, array in arrays.items()}, coupling=coupling)


def normalized(weight: Any) -> Array:
    """Weights divided by their sum; unchanged if the sum is 1 up to rounding, so that normalizing twice changes no bit."""
    weight = np.asarray(weight, float)
    total = weight.sum(axis=-1, keepdims=True)
    return np.asarray(np.where(abs(total - 1) <= 4e-16 * weight.shape[-1], weight, weight / total))
