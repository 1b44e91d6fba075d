"""From the coupling matrix C to a Lindblad master equation of N distinguishable spins, theory page section 2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinsync.base import checks
from spinsync.data.ensembles import Ensemble
from spinsync.data.rates import Array


@dataclass(frozen=True)
class Lindbladian:
    """Terms of equation (2.2) for N spins, ordered group by group.

    group (int), omega, gain, damping, dephasing : arrays of shape (spin,)
    exchange : complex Hermitian array of shape (spin, other_spin), Hc
    decay, pumping : complex positive semidefinite arrays of shape (spin, other_spin), 2 K_- and 2 K_+
    coupling : complex array of shape (spin, other_spin), C_ij
    """

    group: Array
    omega: Array
    gain: Array
    damping: Array
    dephasing: Array
    exchange: Array
    decay: Array
    pumping: Array
    coupling: Array


def counts(ensemble: Ensemble, spins: int) -> Array:
    """Spins per group; they must come out whole.

    Raises
    ------
    InputError
        If `spins` does not split over the groups by their weights, or a frequency is distributed.
    """
    for group in ensemble.groups:
        if group.distribution is not None:
            raise checks.InputError(
                f"Argument `frequency` must be a number at finite N, but group {group.name!r} has {group.frequency!r}."
            )
    exact = spins * np.array([group.weight for group in ensemble.groups])
    whole = np.rint(exact).astype(int)
    if np.any(abs(exact - whole) > 1e-9 * spins) or np.any(whole < 1):
        shares = ", ".join(f"{name}: {n:.6g}" for name, n in zip(ensemble.names, exact, strict=True))
        raise checks.InputError(
            f"Argument `spins` must split over the groups in whole numbers, but is spins={spins} ({shares})."
        )
    return np.asarray(whole)


def by_groups(ensemble: Ensemble, spins: int) -> Lindbladian:
    """Split C into exchange, correlated decay and correlated pumping, equations (2.1) and (2.5): one entry per group.

    `group` holds the group of each spin; the matrices are those of a spin of one group and another of the other.
    """
    each = counts(ensemble, spins)
    c = ensemble.coupling_matrix
    exchange = (c + c.conj().T) / 2
    # K = K_+ - K_- with groups: the small matrix sqrt(p_a p_b) K_ab has the spectrum of the N x N one
    root = np.sqrt(each / spins)
    values, vectors = np.linalg.eigh(np.outer(root, root) * (c - c.conj().T) / 2j)
    plus, minus = ((vectors * np.maximum(sign * values, 0)) @ vectors.conj().T / np.outer(root, root) for sign in (1, -1))
    columns = {n: np.array([getattr(g, n) for g in ensemble.groups]) for n in ("gain", "damping", "dephasing")}
    omega = np.array([g.mean_frequency for g in ensemble.groups])
    if ensemble.lamb_shift:
        omega = omega + exchange.diagonal().real / spins
    return Lindbladian(
        group=np.repeat(np.arange(each.size), each), omega=omega, **columns, exchange=exchange / spins,
        decay=2 * minus / spins, pumping=2 * plus / spins, coupling=c / spins,
    )  # fmt: skip


def lindbladian(ensemble: Ensemble, spins: int) -> Lindbladian:
    """The terms of (2.2), one entry per spin."""
    terms = by_groups(ensemble, spins)
    group, pairs = terms.group, np.ix_(terms.group, terms.group)
    return Lindbladian(
        group, *(getattr(terms, name)[group] for name in ("omega", "gain", "damping", "dephasing")),
        *(getattr(terms, name)[pairs] for name in ("exchange", "decay", "pumping", "coupling")),
    )  # fmt: skip
