"""Structure-of-arrays rates: all that kernels ever see of a model, one point or a whole diagram of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spinsync.base.arrays import Array


@dataclass(frozen=True)
class Rates:
    """Rates of an ensemble, batch axes first.

    omega, gamma_1, gamma_perp, drive, weight : real arrays of shape (..., group)
        Natural frequency (or the centre of its distribution), population relaxation, coherence
        relaxation (1.2), gain - damping, and the normalized weight.
    coupling : complex array of shape (..., group, group)
        C_ab = V_ab exp(i theta_ab)
    """

    omega: Array
    gamma_1: Array
    gamma_perp: Array
    drive: Array
    weight: Array
    coupling: Array

    def at(self, index: tuple[int, ...]) -> Rates:
        """One point of a diagram, batch axes gone."""
        return Rates(*(np.ascontiguousarray(getattr(self, name)[index]) for name in self.__dataclass_fields__))


def rates_of(columns: Mapping[str, Array], weight: Array, coupling: Array) -> Rates:
    """Equations (1.2), of parameters of shape (..., group), normalized weights and C, each of any batch shape."""
    gain, damping = columns["gain"], columns["damping"]
    gamma_1 = gain + damping
    rows = {
        "omega": columns["frequency"],
        "gamma_1": gamma_1,
        "gamma_perp": gamma_1 / 2 + columns["dephasing"],
        "drive": gain - damping,
        "weight": weight,
    }
    groups = (*np.broadcast_shapes(*(row.shape[:-1] for row in rows.values()), coupling.shape[:-2]), weight.shape[-1])
    coupling = np.broadcast_to(coupling, (*groups, groups[-1]))
    return Rates(**{name: np.broadcast_to(row, groups) for name, row in rows.items()}, coupling=coupling)


def normalized(weight: Any) -> Array:
    """Weights that add up to 1; those that do but for rounding stay, so that an ensemble of another's groups equals it."""
    weight = np.asarray(weight, float)
    total = weight.sum(axis=-1, keepdims=True)
    return np.asarray(np.where(abs(total - 1) <= 4e-16 * weight.shape[-1], weight, weight / total))
