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
from spinsync.model.quadratures import Quadrature
from spinsync.model.rates import Rates


@dataclass(frozen=True)
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


def _block(group: int, omega: Array, weight: Array, back: float = 1.0, damping: float = 0.0) -> dict[str, Any]:
    n = omega.size
    return dict(group=np.full(n, group), omega=omega, damping=np.full(n, damping), weight=weight, back=np.full(n, back))


def _equal(group: int, omega: float, parts: int) -> dict[str, Any]:
    weight = np.full(parts, 1 / parts)
    return _block(group, np.full(parts, omega), weight)


def _shadows(group: int, center: float, q: Quadrature) -> list[dict[str, Any]]:
    """The exact average of the linear response, and minus its quadrature."""
    exact = _block(group, np.array([center]), np.ones(1), back=0.0, damping=float(q.tail or 0.0))
    return [exact, _block(group, q.frequency, -q.weight, back=0.0)]


def rows(
    rates: Rates, distributions: tuple[Distribution | None, ...], tolerance: float, nodes: int | None, parts: int = 1
) -> Rows:
    """Lay out the rows of one ensemble; `parts` single spins for each group without a distribution."""
    spins, helpers = [], []
    for a, distribution in enumerate(distributions):
        if distribution is None:
            spins.append(_equal(a, float(rates.omega[a]), parts))
            continue
        field = float(abs(rates.coupling[a]) @ rates.weight) * np.sqrt(1 / 8)  # (4.4): no stationary |s| is larger
        q = distribution.quadrature(float(rates.gamma_perp[a]), field, tolerance, nodes)
        shift = float(rates.omega[a]) - distribution.center  # a diagram may vary the centre
        spins.append(_block(a, q.frequency + shift, q.weight))
        if q.tail is not None:
            helpers += _shadows(a, float(rates.omega[a]), Quadrature(q.frequency + shift, q.weight, q.tail))
    blocks = spins + helpers
    joined = {key: np.concatenate([b[key] for b in blocks], axis=-1) for key in blocks[0]}
    return Rows(**joined, spins=sum(b["omega"].size for b in spins))
