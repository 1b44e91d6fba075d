"""Conversion between Bloch vectors and (s, z), and the default initial state."""

from __future__ import annotations

from typing import Any

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.model.rates import Rates

ROUNDING = 1e-6  # a computed vector may be longer than 1 by this much, the error of the time steps
SMALL = 0.01  # largest transverse component of the default initial state


def vectors(coherence: Any, inversion: Any) -> Array:
    """m = (2 Re s, -2 Im s, z), equation (1.1); shape (..., 3)."""
    s = np.asarray(coherence)
    return np.stack([2 * s.real, -2 * s.imag, np.broadcast_to(inversion, s.shape)], axis=-1)


def coherences(m: Array) -> tuple[Array, Array]:
    """(s, z), each of shape (...), of Bloch vectors of shape (..., 3), equation (1.1)."""
    return (m[..., 0] - 1j * m[..., 1]) / 2, m[..., 2]


def checked(initial: Any, described: str = "real Bloch vectors of shape (group, 3)", name: str = "initial") -> Array:
    """The given Bloch vectors as an array of shape (any, 3). Raises InputError if one is longer than 1."""
    m = checks.array(name, initial, float, (None, 3), described)
    if not len(m):
        raise checks.InputError(f"Argument `{name}` must be {described}, but is empty.")
    length = np.linalg.norm(m, axis=1)
    if np.any(length > 1 + ROUNDING):
        worst = int(np.argmax(length))
        but = f"entry {worst} has length {length[worst]:.9g}"
        raise checks.InputError(f"Argument `{name}` must hold vectors of length <= 1, but {but}.")
    return m


def start_vectors(rates: Rates, initial: Array | None, seed: int) -> Array:
    """One vector for each group, (group, 3): the given ones, or the default initial state."""
    m = random_start(rates, seed) if initial is None else initial
    if len(m) != rates.weight.size:
        raise checks.InputError(f"Argument `initial` must have shape ({rates.weight.size}, 3), but has shape {m.shape}.")
    return m


def charges_of(initial: Array | None, spins: int) -> tuple[int, ...]:
    """Coherence orders of a state of N spins that one- and two-spin means need: 2 only from a given start with coherence."""
    return (0, 1, 2) if initial is not None and initial[:, :2].any() and spins > 1 else (0, 1)


def random_start(rates: Rates, seed: int) -> Array:
    """Uncoupled inversion with a small random coherence, (group, 3); that of group a depends on (seed, a) only.

    Its modulus is random too, between SMALL/2 and SMALL: with equal moduli, equal groups would stay in the symmetric subspace.
    """
    groups = rates.weight.shape[-1]
    drawn = np.array([np.random.default_rng([seed, a]).uniform([0, SMALL / 2], [2 * np.pi, SMALL]) for a in range(groups)])
    phase, length = drawn.T
    relaxing = rates.gamma_1 > 0
    z0 = np.where(relaxing, rates.net_gain / np.where(relaxing, rates.gamma_1, 1), 0.0)
    return np.stack([length * np.cos(phase), length * np.sin(phase), z0 * np.sqrt(1 - length**2)], axis=-1)
