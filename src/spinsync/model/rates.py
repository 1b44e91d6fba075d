"""Structure-of-arrays rates: all that kernels ever see of a model, one point or a whole diagram of them."""

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
        """Gain - damping, which drives the inversion (3.4)."""
        return self.gain - self.damping

    def at(self, index: Any) -> Rates:
        """Some points of the batch, or one with its batch axes gone; None: a batch of one."""
        return Rates(**{name: np.ascontiguousarray(getattr(self, name)[index]) for name in self.__dataclass_fields__})


def rates_of(columns: Mapping[str, Array], weight: Array, coupling: Array) -> Rates:
    """Of parameters of shape (..., group), normalized weights and C, each of any batch shape."""
    known = {**columns, "omega": columns["frequency"], "weight": weight}
    rows = {name: known[name] for name in Rates.__dataclass_fields__ if name != "coupling"}
    groups = (*np.broadcast_shapes(*(row.shape[:-1] for row in rows.values()), coupling.shape[:-2]), weight.shape[-1])
    coupling = np.broadcast_to(coupling, (*groups, groups[-1]))
    return Rates(**{name: np.broadcast_to(row, groups) for name, row in rows.items()}, coupling=coupling)


def normalized(weight: Any) -> Array:
    """Weights that add up to 1; those that do but for rounding stay, so that an ensemble of another's groups equals it."""
    weight = np.asarray(weight, float)
    total = weight.sum(axis=-1, keepdims=True)
    return np.asarray(np.where(abs(total - 1) <= 4e-16 * weight.shape[-1], weight, weight / total))
