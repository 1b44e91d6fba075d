"""Rows of the mean-field equations: groups, frequency classes of distributed groups, single spins.

A Lorentzian's tails are too heavy for any quadrature of the transient e^{-i w t}. So the linear
response (inversion not moved by the field: row parameter BACK = 0) is averaged exactly by residue,
as one row at the complex frequency center - i half_width, and the classes only add how they differ
from it: each class enters with +weight as it is, and with -weight as its linear shadow. What they
add falls off as 1/w^4, so the classes can end at a finite frequency.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.model.distributions import Distribution
from spinsync.model.rates import Rates


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of the equations, spins first, then the helpers of Lorentzian groups.

    group (int), omega, damping (extra coherence relaxation), weight, back : arrays of shape (row,)
    spins : number of rows that are spins or classes
    """

    group: Array
    omega: Array
    damping: Array
    weight: Array
    back: Array
    spins: int

    def average(self, values: Array, groups: int) -> Array:
        """Weighted mean over each group's rows: (..., row) -> (..., group)."""
        out = np.zeros((*values.shape[:-1], groups), values.dtype)
        for a in range(groups):
            mine = self.group == a
            out[..., a] = values[..., mine] @ self.weight[mine]
        return out


def _block(group: int, omega: Any, weight: Any, back: float = 1.0, damping: float = 0.0) -> Array:
    """Rows of one group: group, omega, damping, weight and back, (5, row)."""
    return np.stack(np.broadcast_arrays(float(group), np.atleast_1d(omega), damping, weight, back))


def rows(
    rates: Rates, distributions: tuple[Distribution | None, ...], tolerance: float, nodes: int | None, parts: int = 1
) -> Rows:
    """Lay out the rows of one ensemble; `parts` single spins for each group without a distribution."""
    spins, helpers = [], []
    for a, distribution in enumerate(distributions):
        center = float(rates.omega[a])
        if distribution is None:
            spins.append(_block(a, np.full(parts, center), 1 / parts))
            continue
        field = float(abs(rates.coupling[a]) @ rates.weight) * np.sqrt(1 / 8)  # (4.4): no stationary |s| is larger
        q = distribution.quadrature(float(rates.gamma_perp[a]), field, tolerance, nodes)
        omega = q.frequency + (center - distribution.center)  # a diagram may vary the centre
        spins.append(_block(a, omega, q.weight))
        if q.half_width is not None:  # the exact average of the linear response, and minus its quadrature
            helpers += [_block(a, center, 1.0, back=0.0, damping=q.half_width), _block(a, omega, -q.weight, back=0.0)]
    group, omega, damping, weight, back = np.concatenate(spins + helpers, axis=1)
    return Rows(
        group=group.astype(int), omega=omega, damping=damping, weight=weight, back=back, spins=sum(len(b[0]) for b in spins)
    )  # fmt: skip
