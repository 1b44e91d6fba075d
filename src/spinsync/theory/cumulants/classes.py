"""Coefficients of the second-order equations of classes of equal spins, in the U(1)-symmetric sector."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spinsync.base.arrays import Array


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
