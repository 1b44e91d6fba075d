"""From the coupling matrix C to a Lindblad master equation of N distinguishable spins, theory page section 2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.model.ensembles import Ensemble

ROUNDING = 1e-15  # eigenvalues below this share of the largest coupling are zero


def spins_per_group(ensemble: Ensemble, spins: int) -> Array:
    """Number of spins of each group, shape (group,). Raises InputError if it is not whole, or a frequency is distributed."""
    for group in ensemble.groups:
        if group.distribution is not None:
            but = f"group {group.name!r} has {group.frequency!r}"
            raise checks.InputError(f"Argument `frequency` must be a number at finite N, but {but}.")
    return split_by_weight(ensemble, spins)


def split_by_weight(ensemble: Ensemble, spins: int) -> Array:
    """Number of spins of each group, shape (group,). Raises InputError if it is not whole."""
    exact = spins * np.array([group.weight for group in ensemble.groups])
    whole = np.rint(exact).astype(int)
    if np.any(abs(exact - whole) > 1e-9 * spins) or np.any(whole < 1):
        shares = checks.one_line(", ".join(f"{name}: {n:.6g}" for name, n in zip(ensemble.names, exact, strict=True)), 200)
        but = f"is spins={spins} ({shares})"
        raise checks.InputError(f"Argument `spins` must split over the groups in whole numbers, but {but}.")
    return np.asarray(whole)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Coefficients of equation (2.2) by spin, or by group: then for any two spins, one of group a and one of group b.

    omega, gain, damping, dephasing : arrays of shape (spin or group,)
    exchange : complex Hermitian array of shape (spin, other_spin) or (group, other_group), Hc
    decay, pumping : complex positive semidefinite arrays of that shape, 2 K_- and 2 K_+
    """

    omega: Array
    gain: Array
    damping: Array
    dephasing: Array
    exchange: Array
    decay: Array
    pumping: Array


@dataclass(frozen=True, kw_only=True)
class GroupTerms(Terms):
    """Coefficients by group; spins : whole numbers of shape (group,)"""

    spins: Array


@dataclass(frozen=True, kw_only=True)
class Lindbladian(Terms):
    """Coefficients by spin, group by group; group (int) : shape (spin,); coupling : complex array (spin, other_spin), C_ij"""

    group: Array
    coupling: Array


def group_terms(ensemble: Ensemble, spins: int) -> GroupTerms:
    """The coefficients of equation (2.2) by group. Raises InputError if a frequency is distributed."""
    return coupling_terms(ensemble, spins_per_group(ensemble, spins))


def coupling_terms(ensemble: Ensemble, numbers: Array) -> GroupTerms:
    """Split C into exchange, correlated decay and correlated pumping, equations (2.1) and (2.5); numbers : spins per group"""
    spins, c = int(numbers.sum()), ensemble.coupling_matrix
    exchange = (c + c.conj().T) / 2 / spins
    differences = c - c.conj().T
    if not np.all(np.isfinite([exchange, differences])):
        raise checks.IntegrationError("The coupling is too large for double precision.")
    # K = K_+ - K_- with groups: the small matrix sqrt(p_a p_b) K_ab has the spectrum of the N x N one
    root = np.sqrt(numbers / spins)
    values, vectors = np.linalg.eigh(np.outer(root, root) * differences / 2j)
    values[abs(values) <= ROUNDING * abs(c).max()] = 0.0  # theta = pi is pure exchange, though sin(np.pi) is not 0
    plus, minus = ((vectors * np.maximum(sign * values, 0)) @ vectors.conj().T / np.outer(root, root) for sign in (1, -1))
    rates = ensemble.rates
    return GroupTerms(
        spins=numbers, omega=rates.omega + exchange.diagonal().real * ensemble.lamb_shift,
        gain=rates.gain, damping=rates.damping, dephasing=rates.dephasing,
        exchange=exchange, decay=2 * minus / spins, pumping=2 * plus / spins,
    )  # fmt: skip


def jump_operators(matrix: Array, operators: Sequence[Any]) -> Iterator[tuple[float, Any]]:
    """Rates r and operators L with sum r D[L] = sum_ij M_ij (A_j rho A_i^+ - {A_i^+ A_j, rho}/2), for a positive matrix M."""
    values, vectors = np.linalg.eigh(matrix)
    for value, vector in zip(values, vectors.T, strict=True):
        if value > 1e-14 * max(values.max(), 1e-300):
            yield value, sum(np.conj(v) * a for v, a in zip(vector, operators, strict=True))


def lindbladian(ensemble: Ensemble, spins: int) -> Lindbladian:
    """The coefficients of equation (2.2) by spin."""
    terms = group_terms(ensemble, spins)
    group = np.repeat(np.arange(terms.spins.size), terms.spins)
    pairs = np.ix_(group, group)
    own = {one.name: getattr(terms, one.name) for one in fields(Terms)}
    own = {name: term[group if term.ndim == 1 else pairs] for name, term in own.items()}
    return Lindbladian(group=group, coupling=ensemble.coupling_matrix[pairs] / spins, **own)
