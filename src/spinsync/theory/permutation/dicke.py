"""Operators of N equal spins in the Dicke basis |j,m><j,m'|, in sectors of the U(1) charge (coherence order) q = m - m'.

|j,m><j,m'| is the mean over all copies of the representation j, so that it has unit trace for m = m' and the diagonal
elements of a state are the probabilities p(j,m). No number grows or shrinks exponentially with N.
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
from spinsync.problems.linear.sectors import Window
from spinsync.problems.observed import Observed


@dataclass(frozen=True, kw_only=True)
class GroupRates:
    """Rates of one group of N equal spins, equations (2.2) and (2.5).

    gain, damping, dephasing : rates of each spin
    decay, pumping : collective rates, of the jump operators J_- and J_+
    frequency, exchange : H = frequency J_z + exchange sum_{i != j} sigma^+_i sigma^-_j
    """

    gain: float
    damping: float
    dephasing: float
    decay: float
    pumping: float
    frequency: float
    exchange: float


def rates_by_group(terms: GroupTerms) -> list[GroupRates]:
    """Rates of each group by itself: its own C = V exp(i theta) gives exchange and collective decay or pumping."""
    columns = {name: getattr(terms, name) for name in ("gain", "damping", "dephasing")} | {"frequency": terms.omega}
    columns |= {name: getattr(terms, name).diagonal().real for name in ("decay", "pumping", "exchange")}
    return [GroupRates(**{name: float(values[a]) for name, values in columns.items()}) for a in range(terms.spins.size)]


def full_window(spins: int) -> Window:
    """All sites (j - j_min, m + N/2) of N spins; j_min is 0 or 1/2."""
    return Window((0, 0), (spins // 2, spins))


@dataclass(frozen=True)
class Sector:
    """The elements |j,m><j,m-charge| of N spins on the sites (j - j_min, m + N/2) of a window, ordered by j, then m."""

    spins: int
    charge: int
    window: Window

    @cached_property
    def inside(self) -> Array:
        """Which sites of the window belong to the sector, bool array of the window's shape."""
        low, high = self.window.low, self.window.high
        j = (np.arange(low[0], high[0] + 1) + self.spins % 2 / 2)[:, None]
        m = (np.arange(low[1], high[1] + 1) - self.spins / 2)[None, :]
        return np.asarray((abs(m) <= j) & (abs(m - self.charge) <= j))

    @cached_property
    def sites(self) -> Array:
        """Sites of the components, int array of shape (component, 2)."""
        return np.argwhere(self.inside) + self.window.low

    @property
    def j(self) -> Array:
        return np.asarray(self.sites[:, 0] + self.spins % 2 / 2)

    @property
    def m(self) -> Array:
        return np.asarray(self.sites[:, 1] - self.spins / 2)

    @cached_property
    def _index(self) -> Array:
        """Component at each site, -1 for none; padded by one site on every side."""
        index = np.full(np.add(self.inside.shape, 2), -1)
        index[1:-1, 1:-1][self.inside] = np.arange(len(self.sites))
        return index

    def generator(self, group: GroupRates) -> Any:
        """The block L_q of (2.2) as a sparse matrix, (9.1) to (9.3); the loss out of the window stays on the diagonal."""
        row, column = (self.sites - self.window.low).T
        size = len(row)
        with np.errstate(over="ignore", invalid="ignore"):  # solvers refuse infinite values
            rows, columns, values = [np.arange(size)], [np.arange(size)], [self._diagonal(group)]
            for dj, dm, rate in jumps(group, self.spins, self.j, self.m, self.charge):
                target = self._index[row + 1 + dj, column + 1 + dm]
                valid = (target >= 0) & (rate != 0)
                rows.append(target[valid])
                columns.append(np.flatnonzero(valid))
                values.append(rate[valid])
        entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
        return sparse.csc_array(entries, shape=(size, size))

    def ladder(self, step: int, left: bool) -> Any:
        """Sparse matrix of J_+ rho, rho J_+ (step 1), J_- rho or rho J_- (step -1), into the sector of charge + step."""
        target = Sector(self.spins, self.charge + step, self.window)
        row, column = (self.sites - self.window.low).T + 1
        if left:  # J_+- |j,m>
            image, element = target._index[row, column + step], (J_PLUS if step > 0 else J_MINUS)[0](self.j, self.m)
        else:  # <j,b| J_+ is (J_- |j,b>)^+
            image, element = target._index[row, column], (J_MINUS if step > 0 else J_PLUS)[0](self.j, self.m - self.charge)
        valid = image >= 0
        entries = element[valid], (image[valid], np.flatnonzero(valid))
        return sparse.csr_array(entries, shape=(len(target.sites), len(self.sites)))

    def _diagonal(self, group: GroupRates) -> Array:
        """-{L^+ L, .}/2 of all jump operators and -i[H, .], equation (9.3)."""
        j, m, q, spins = self.j, self.m, self.charge, self.spins
        loss = np.full(len(j), spins * group.dephasing)
        for side in (m, m - q):
            loss += group.gain * (spins / 2 - side) + group.damping * (spins / 2 + side)
            loss += group.pumping * J_PLUS[0](j, side) ** 2 + group.decay * J_MINUS[0](j, side) ** 2
        if q == 0:
            return -loss / 2
        energy = q * group.frequency - group.exchange * q * (2 * m - q)
        return -loss / 2 - 1j * energy


def _root(a: Array, b: Array) -> Array:
    return np.asarray(np.sqrt(a * b))


# Equation (9.2): matrix elements (A, B, D) of sigma^+, sigma^- and sigma^z from j to j, j - 1 and j + 1; A is that of J.
Elements = tuple[Callable[[Array, Array], Array], ...]
J_PLUS: Elements = (
    lambda j, m: _root(j - m, j + m + 1),
    lambda j, m: _root(j - m, j - m - 1),
    lambda j, m: -_root(j + m + 1, j + m + 2),
)
J_MINUS: Elements = (
    lambda j, m: _root(j + m, j - m + 1),
    lambda j, m: -_root(j + m, j + m - 1),
    lambda j, m: _root(j - m + 1, j - m + 2),
)
J_Z: Elements = (lambda j, m: m, lambda j, m: _root(j + m, j - m), lambda j, m: _root(j + m + 1, j - m + 1))


def jumps(group: GroupRates, spins: int, j: Array, m: Array, charge: int = 0) -> Iterator[tuple[int, int, Array]]:
    """(change of j, change of m, rate) for each kind of jump from |j,m><j,m-charge|, equation (9.1)."""
    b, half = m - charge, spins / 2
    nonzero_j = np.where(j > 0, j, 1.0)
    weights = (
        np.where(j > 0, (half + 1) / (2 * nonzero_j * (j + 1)), 0.0),
        np.where(j > 0, (half + j + 1) / (2 * nonzero_j * (2 * j + 1)), 0.0),
        (half - j) / (2 * (j + 1) * (2 * j + 1)),
    )
    for rate, elements, dm in ((group.gain, J_PLUS, 1), (group.damping, J_MINUS, -1), (2 * group.dephasing, J_Z, 0)):
        for dj, weight, element in zip((0, -1, 1), weights, elements, strict=True):
            yield dj, dm, rate * weight * element(j, m) * element(j, b)
    yield 0, 1, group.pumping * J_PLUS[0](j, m) * J_PLUS[0](j, b)
    yield 0, -1, group.decay * J_MINUS[0](j, m) * J_MINUS[0](j, b)


def pair_means(spins: Array, m: Array, intensity: Array, products: Array) -> Observed:
    """Equation (9.5) for each pair of groups, and the mean over all pairs; from <m_a>, <J_+a J_-b> and <m_a m_b>."""
    same = np.diag(spins)
    pairs = np.outer(spins, spins) - same
    z = 2 * m / spins
    with np.errstate(invalid="ignore", divide="ignore"):  # NaN: no pair in a group of one
        c = (intensity - same * (1 + z[..., None]) / 2) / pairs
        zz = (4 * products - same) / pairs
    c, zz = (np.where(pairs > 0, value, np.nan) for value in (c, zz))
    both = ("time", "group", "other_group")
    return {
        "inversion": (("time", "group"), z), "correlation": (both, c.astype(complex)), "inversion_correlation": (both, zz),
        "pair_mean": (("time",), pair_mean(c, spins / spins.sum())),
    }  # fmt: skip
