"""Coefficients of the second-order equations of classes of equal spins, in the U(1)-symmetric sector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spinsync.base.arrays import Array
from spinsync.theory.cumulants import symmetric


@dataclass(frozen=True, kw_only=True)
class Classes:
    """Classes of equal spins, each in one of the groups that the coupling knows.

    group : int array of shape (class,)
    spins : real array of shape (class,), their number
    has_pairs : bool array of shape (class,), whether a class has two spins whose correlation counts
    omega, gamma_1, gamma_perp, net_gain : real arrays of shape (class,), with the rates that include the own collective ones
    coupling : complex array of shape (group, group), C
    exchange, decay, pumping : complex Hermitian arrays of shape (group, group), Hc, K_- and K_+ of two spins
    """

    group: Array
    spins: Array
    has_pairs: Array
    omega: Array
    gamma_1: Array
    gamma_perp: Array
    net_gain: Array
    coupling: Array
    exchange: Array
    decay: Array
    pumping: Array

    @cached_property
    def total(self) -> float:
        return float(self.spins.sum())

    @cached_property
    def weight(self) -> Array:
        """(N_e - delta_ae)/N: the weight of class e in sums over the partners of a spin of class a; shape (class, class)."""
        share = self.spins / self.total
        weight = np.repeat(share[None], share.size, axis=0)
        np.fill_diagonal(weight, np.where(self.has_pairs, share - 1 / self.total, 0.0))
        return weight

    @cached_property
    def members(self) -> Array:
        """1 where a class belongs to a group, shape (class, group)."""
        return np.asarray(self.group[:, None] == np.arange(len(self.coupling)), float)

    @cached_property
    def pairs(self) -> tuple[Array, Array]:
        """Indices of the pairs of classes that a packed state keeps, b >= a."""
        return np.triu_indices(self.spins.size)

    def unpacked(self, y: Array) -> tuple[Array, Array]:
        """z (class,) and the Hermitian c (class, other_class) of a packed state."""
        classes, count = self.spins.size, self.pairs[0].size
        c = np.zeros((classes, classes), complex)
        c.T[self.pairs] = y[classes : classes + count] - 1j * y[classes + count : classes + 2 * count]
        c[self.pairs] = c.T[self.pairs].conj()
        return y[:classes], c

    def packed(self, z: Array, c: Array, connected: Array) -> Array:
        """The packed state of z, c and the connected <sigma^z_a sigma^z_b> - z_a z_b."""
        missing = np.diag(~self.has_pairs)
        c, connected = np.where(missing, 0, c)[self.pairs], np.where(missing, 0, connected)[self.pairs]
        return np.concatenate([z, c.real, np.where(self.pairs[0] == self.pairs[1], 0, c.imag), connected])


def classes_of(table: Array, planes: Array) -> Classes:
    """The classes whose coefficients are the table and the planes of `symmetric.derivative`."""

    def plane(real: int) -> Array:
        return np.asarray(planes[real] + 1j * planes[real + 1])

    net, total = plane(symmetric.NET_RE), plane(symmetric.SUM_RE)
    return Classes(
        group=table[symmetric.GROUP].astype(int), spins=table[symmetric.SPINS], has_pairs=table[symmetric.HAS_PAIRS] != 0,
        omega=table[symmetric.OMEGA], gamma_1=table[symmetric.GAMMA_1], gamma_perp=table[symmetric.GAMMA_PERP],
        net_gain=table[symmetric.NET_GAIN], coupling=plane(symmetric.C_RE), exchange=plane(symmetric.EXCHANGE_RE),
        decay=(total + net) / 2, pumping=(total - net) / 2,
    )  # fmt: skip
