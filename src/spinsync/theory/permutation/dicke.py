"""Permutation-symmetric operators of N equal spins: the Dicke basis |j,m><j,m'|, cut into sectors of charge q = m - m'.

Unit trace per j: |j,m><j,m'| stands for its mean over all copies of the representation j, so that the diagonal elements
of a state are the probabilities p(j,m). Nothing here grows or shrinks exponentially with N.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from spinsync.base.arrays import Array
from spinsync.model.master_equation import GroupTerms
from spinsync.model.observables import pair_mean
from spinsync.problems.linear.sectors import Box
from spinsync.problems.observed import Observed


@dataclass(frozen=True, kw_only=True)
class GroupRates:
    """Rates of one group of N equal spins, equations (2.2) and (2.5).

    gain, damping, dephasing : of each spin
    decay, pumping : collective, of the jump operators J_- and J_+
    frequency, exchange : of H = frequency J_z + exchange sum_{i != j} sigma^+_i sigma^-_j
    """

    gain: float
    damping: float
    dephasing: float
    decay: float
    pumping: float
    frequency: float
    exchange: float


def rates_by_group(terms: GroupTerms) -> list[GroupRates]:
    """What each group does by itself; one group: C = V exp(i theta) is exchange and collective decay or pumping."""
    columns = {name: getattr(terms, name) for name in ("gain", "damping", "dephasing")} | {"frequency": terms.omega}
    columns |= {name: getattr(terms, name).diagonal().real for name in ("decay", "pumping", "exchange")}
    return [GroupRates(**{name: float(of[a]) for name, of in columns.items()}) for a in range(terms.spins.size)]


def whole(spins: int) -> Box:
    """All places (j - j_min, m + N/2) of N spins; j_min is 0 or 1/2."""
    return Box((0, 0), (spins // 2, spins))


@dataclass(frozen=True)
class Sector:
    """The elements |j,m><j,m-charge| of N spins whose place (j - j_min, m + N/2) is in the box, ordered by j, then m."""

    spins: int
    charge: int
    box: Box

    @cached_property
    def inside(self) -> Array:
        """Whether a place of the box belongs to the sector, bool array of the box's shape."""
        low, high = self.box.low, self.box.high
        j = (np.arange(low[0], high[0] + 1) + self.spins % 2 / 2)[:, None]
        m = (np.arange(low[1], high[1] + 1) - self.spins / 2)[None, :]
        return np.asarray((abs(m) <= j) & (abs(m - self.charge) <= j))

    @cached_property
    def sites(self) -> Array:
        """Places of the components, int array of shape (component, 2)."""
        return np.argwhere(self.inside) + self.box.low

    @property
    def j(self) -> Array:
        return np.asarray(self.sites[:, 0] + self.spins % 2 / 2)

    @property
    def m(self) -> Array:
        return np.asarray(self.sites[:, 1] - self.spins / 2)

    @cached_property
    def _position(self) -> Array:
        """Component at a place, -1 for none; one place more on every side."""
        position = np.full(np.add(self.inside.shape, 2), -1)
        position[1:-1, 1:-1][self.inside] = np.arange(len(self.sites))
        return position

    def generator(self, group: GroupRates) -> Any:
        """The block L_q of (2.2) as a sparse matrix, (9.1) to (9.3); what leaves the box stays lost on the diagonal."""
        row, column = (self.sites - self.box.low).T
        size = len(row)
        with np.errstate(over="ignore", invalid="ignore"):  # solvers refuse what is not finite
            rows, columns, values = [np.arange(size)], [np.arange(size)], [self._diagonal(group)]
            for dj, dm, rate in jumps(group, self.spins, self.j, self.m, self.charge):
                target = self._position[row + 1 + dj, column + 1 + dm]
                kept = (target >= 0) & (rate != 0)
                rows.append(target[kept])
                columns.append(np.flatnonzero(kept))
                values.append(rate[kept])
        entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
        return sparse.csc_array(entries, shape=(size, size))

    def ladder(self, step: int, left: bool) -> Any:
        """J_+ rho, rho J_+ (step 1) or J_- rho, rho J_- (step -1): a sparse matrix into the sector of charge + step."""
        target = Sector(self.spins, self.charge + step, self.box)
        row, column = (self.sites - self.box.low).T + 1
        if left:  # J_+- |j,m>
            to, climb = target._position[row, column + step], (RAISE if step > 0 else LOWER)[0](self.j, self.m)
        else:  # <j,b| J_+ is (J_- |j,b>)^+
            to, climb = target._position[row, column], (LOWER if step > 0 else RAISE)[0](self.j, self.m - self.charge)
        kept = to >= 0
        entries = climb[kept], (to[kept], np.flatnonzero(kept))
        return sparse.csr_array(entries, shape=(len(target.sites), len(self.sites)))

    def _diagonal(self, group: GroupRates) -> Array:
        """-{L^+ L, .}/2 of all jumps and -i[H, .], equation (9.3)."""
        j, m, q, spins = self.j, self.m, self.charge, self.spins
        loss = np.full(len(j), spins * group.dephasing)
        for side in (m, m - q):
            loss += group.gain * (spins / 2 - side) + group.damping * (spins / 2 + side)
            loss += group.pumping * RAISE[0](j, side) ** 2 + group.decay * LOWER[0](j, side) ** 2
        if q == 0:
            return -loss / 2
        energy = q * group.frequency - group.exchange * q * (2 * m - q)
        return -loss / 2 - 1j * energy


def _root(a: Array, b: Array) -> Array:
    return np.asarray(np.sqrt(a * b))


# Equation (9.2): elements (A, B, D) that lead from j to j, j - 1 and j + 1.
Elements = tuple[Callable[[Array, Array], Array], ...]
RAISE: Elements = (
    lambda j, m: _root(j - m, j + m + 1),
    lambda j, m: _root(j - m, j - m - 1),
    lambda j, m: -_root(j + m + 1, j + m + 2),
)
LOWER: Elements = (
    lambda j, m: _root(j + m, j - m + 1),
    lambda j, m: -_root(j + m, j + m - 1),
    lambda j, m: _root(j - m + 1, j - m + 2),
)
TURN: Elements = (lambda j, m: m, lambda j, m: _root(j + m, j - m), lambda j, m: _root(j + m + 1, j - m + 1))


def jumps(group: GroupRates, spins: int, j: Array, m: Array, charge: int = 0) -> Iterator[tuple[int, int, Array]]:
    """(change of j, change of m, rate): what jumps make of |j,m><j,m-charge|, equation (9.1)."""
    b, half = m - charge, spins / 2
    upright = np.where(j > 0, j, 1.0)
    weights = (
        np.where(j > 0, (half + 1) / (2 * upright * (j + 1)), 0.0),
        np.where(j > 0, (half + j + 1) / (2 * upright * (2 * j + 1)), 0.0),
        (half - j) / (2 * (j + 1) * (2 * j + 1)),
    )
    for rate, elements, dm in ((group.gain, RAISE, 1), (group.damping, LOWER, -1), (2 * group.dephasing, TURN, 0)):
        for dj, weight, element in zip((0, -1, 1), weights, elements, strict=True):
            yield dj, dm, rate * weight * element(j, m) * element(j, b)
    yield 0, 1, group.pumping * RAISE[0](j, m) * RAISE[0](j, b)
    yield 0, -1, group.decay * LOWER[0](j, m) * LOWER[0](j, b)


def pair_means(spins: Array, m: Array, light: Array, squares: Array) -> Observed:
    """Equation (9.5) for each pair of groups, and the mean over all pairs, from <m_a>, <J_+a J_-b> and <m_a m_b>."""
    same = np.diag(spins)
    pairs = np.outer(spins, spins) - same
    z = 2 * m / spins
    with np.errstate(invalid="ignore", divide="ignore"):  # NaN: no pair in a group of one
        c = (light - same * (1 + z[..., None]) / 2) / pairs
        zz = (4 * squares - same) / pairs
    c, zz = (np.where(pairs > 0, value, np.nan) for value in (c, zz))
    both = ("time", "group", "other_group")
    return {
        "inversion": (("time", "group"), z), "correlation": (both, c.astype(complex)), "inversion_correlation": (both, zz),
        "pair_mean": (("time",), pair_mean(c, spins / spins.sum())),
    }  # fmt: skip
