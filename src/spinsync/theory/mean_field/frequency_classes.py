"""Spin classes, the rows of the mean-field equations: groups, frequency classes of distributed groups, or single spins.

The tails of a Lorentzian are too heavy for a quadrature of the transient e^{-i w t}. Therefore the linear response (constant
inversion: back_action = 0) is averaged exactly by its residue, as one row at the complex frequency center - i half_width.
The quadrature adds the nonlinear part, each class minus its linear response, which decreases as 1/w^4: a finite range suffices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.model.distributions import Distributions
from spinsync.model.rates import Rates


@dataclass(frozen=True, kw_only=True)
class SpinClasses:
    """Rows of the equations: first the spins or classes, then the auxiliary linear rows of Lorentzian groups.

    group (int), omega, damping (additional coherence relaxation), weight : arrays of shape (row,)
    back_action : array of shape (row,), 1 where the field changes the inversion, 0 in a linear row
    spins : number of rows that are spins or classes
    """

    group: Array
    omega: Array
    damping: Array
    weight: Array
    back_action: Array
    spins: int

    def average(self, values: Array, groups: int) -> Array:
        """Weighted mean over each group's rows: (..., row) -> (..., group)."""
        out = np.zeros((*values.shape[:-1], groups), values.dtype)
        for a in range(groups):
            rows = self.group == a
            out[..., a] = values[..., rows] @ self.weight[rows]
        return out


def _block(group: int, omega: Any, weight: Any, back_action: float = 1.0, damping: float = 0.0) -> Array:
    """Rows of one group: group, omega, damping, weight and back_action, (5, row)."""
    return np.stack(np.broadcast_arrays(float(group), np.atleast_1d(omega), damping, weight, back_action))


def spin_classes(
    rates: Rates, distributions: Distributions, tolerance: float, nodes: int | None, spins_per_group: int = 1
) -> SpinClasses:
    """The rows of an ensemble; groups without a distribution have `spins_per_group` rows."""
    spins, linear = [], []
    for a, distribution in enumerate(distributions):
        center = float(rates.omega[a])
        if distribution is None:
            spins.append(_block(a, np.full(spins_per_group, center), 1 / spins_per_group))
            continue
        field = float(abs(rates.coupling[a]) @ rates.weight) * np.sqrt(1 / 8)  # (4.4): the largest stationary |s|
        q = distribution.quadrature(float(rates.gamma_perp[a]), field, tolerance, nodes)
        omega = q.frequency + (center - distribution.center)  # a diagram may vary the centre of a distribution
        spins.append(_block(a, omega, q.weight))
        if q.half_width is not None:  # the exact average of the linear response, and minus its quadrature
            linear.append(_block(a, center, 1.0, back_action=0.0, damping=q.half_width))
            linear.append(_block(a, omega, -q.weight, back_action=0.0))
    group, omega, damping, weight, back_action = np.concatenate(spins + linear, axis=1)
    return SpinClasses(
        group=group.astype(int), omega=omega, damping=damping, weight=weight, back_action=back_action,
        spins=sum(block.shape[1] for block in spins),
    )  # fmt: skip
