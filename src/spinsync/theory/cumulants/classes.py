"""Coefficients of the second-order equations of classes of equal spins, in the U(1)-symmetric sector, for linear algebra."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spinsync.base.arrays import Array
from spinsync.model.master_equation import GroupTerms
from spinsync.theory.cumulants.frequency_classes import FrequencyClasses

RANK = 1e-14  # singular values of the coupling below this share of the largest are zero


@dataclass(frozen=True, kw_only=True)
class Classes:
    """Classes of equal spins, the coupling as a product of few columns, and the packed state of all moments.

    total : number of all spins
    group : int array of shape (class,)
    spins, omega, gamma_1, gamma_perp, net_gain : real arrays of shape (class,), with the primed rates of (10.1)
    left, right : complex arrays of shape (class, column), C_ab = sum_r left_ar right_br
    own : complex array of shape (class,), C_aa
    exchange, decay, pumping : complex Hermitian arrays of shape (group, group), Hc, K_- and K_+ of two spins
    smooth : bool array of shape (class,), whether a class is one of a continuous distribution
    tail : real array of shape (group,), inversion of the spins that no class holds
    """

    total: float
    group: Array
    spins: Array
    omega: Array
    gamma_1: Array
    gamma_perp: Array
    net_gain: Array
    left: Array
    right: Array
    own: Array
    exchange: Array
    decay: Array
    pumping: Array
    smooth: Array
    tail: Array

    @cached_property
    def share(self) -> Array:
        """N_a/N, shape (class,)."""
        return np.asarray(self.spins / self.total)

    @cached_property
    def full_rank(self) -> bool:
        """Whether `right` is the identity."""
        return bool(self.right.shape[1] == self.spins.size)

    def sums(self, c: Array) -> Array:
        """m_ar = sum_e right_er (N_e - delta_ae)/N c_ae, of correlations (class, other_class); shape (class, column)."""
        itself = self.right * (c.diagonal() / self.total)[:, None]
        if self.full_rank:
            return np.asarray(c * self.share - itself)
        return np.asarray(c @ (self.right * self.share[:, None]) - itself)

    @cached_property
    def pairs(self) -> tuple[Array, Array]:
        """Indices of the pairs of classes that a packed state keeps, b >= a."""
        return np.triu_indices(self.spins.size)

    @cached_property
    def missing(self) -> Array:
        """The kept pairs that do not exist: a class of one spin has none. Shape (pair,)."""
        a, b = self.pairs
        return np.asarray((a == b) & (self.spins[a] == 1))

    def unpacked(self, y: Array) -> tuple[Array, Array]:
        """z (class,) and the Hermitian c (class, other_class) of a packed state."""
        classes, count = self.spins.size, self.pairs[0].size
        c = np.zeros((classes, classes), complex)
        c.T[self.pairs] = y[classes : classes + count] - 1j * y[classes + count : classes + 2 * count]
        c[self.pairs] = c.T[self.pairs].conj()
        return y[:classes], c

    def packed(self, z: Array, c: Array, connected: Array) -> Array:
        """The packed state of z, c and the connected <sigma^z_a sigma^z_b> - z_a z_b, with the tails at rest."""
        c, connected = (np.where(self.missing, 0, moments[self.pairs]) for moments in (c, connected))
        return np.concatenate([z, c.real, np.where(self.pairs[0] == self.pairs[1], 0, c.imag), connected, self.tail])


def primed_rates(terms: GroupTerms) -> tuple[Array, Array]:
    """Gain and damping of a spin with its own correlated pumping and decay, (10.1), each of shape (group,)."""
    return terms.gain + terms.pumping.diagonal().real, terms.damping + terms.decay.diagonal().real


def classes_of(terms: GroupTerms, of: FrequencyClasses, coupling: Array, smooth: Array) -> Classes:
    """The coefficients of the classes of an ensemble.

    coupling : C, complex array of shape (group, group)
    smooth : bool array of shape (group,), whether a group has a continuous distribution of frequencies
    """
    gain, damping = primed_rates(terms)
    gamma_1, net_gain, g = gain + damping, gain - damping, of.group
    left, right = factors(coupling)
    with np.errstate(invalid="ignore", divide="ignore"):  # NaN: no relaxation, an error later
        tail = net_gain / gamma_1
    return Classes(
        total=float(terms.spins.sum()), group=g, spins=terms.spins[g] * of.share, omega=of.frequency, gamma_1=gamma_1[g],
        gamma_perp=(gamma_1 / 2 + terms.dephasing)[g], net_gain=net_gain[g], left=left[g], right=right[g],
        own=coupling.diagonal()[g], exchange=terms.exchange, decay=terms.decay / 2, pumping=terms.pumping / 2,
        smooth=smooth[g], tail=tail,
    )  # fmt: skip


def factors(coupling: Array) -> tuple[Array, Array]:
    """Matrices L, R of shape (group, column) with C = L R^T: C and 1, unless the rank is less than half of the size."""
    left, values, right = np.linalg.svd(coupling)
    rank = max(int(np.sum(values > RANK * values[0])), 1)
    if 2 * rank < values.size:
        return left[:, :rank] * values[:rank], right[:rank].T
    return coupling, np.eye(values.size)
