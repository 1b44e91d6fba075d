"""Emission by the first-order regression (10.22): <J_+(0) sigma^-_b(tau)> with <X sigma^-_k sigma^z_b> = <X sigma^-_k> z_b."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spinsync.base.arrays import Array
from spinsync.problems.linear.fluctuations import Fluctuations
from spinsync.theory.cumulants.classes import Classes

ROUNDING = 1e-13  # of a source whose terms cancel


def regression(coefficients: Callable[[], Classes], steady: Array) -> Fluctuations:
    """dg_b/dtau = -(i omega_b + Gamma_perp_b) g_b + (i/N) z_b sum_e (N_e - delta_be) C_be g_e, seen in sum_b N_b g_b."""
    classes = coefficients()
    z, c = classes.unpacked(steady)
    shared = classes.spins @ c - c.diagonal()
    source = shared + (1 + z) / 2
    source[abs(source) <= ROUNDING * (abs(shared) + 1)] = 0.0  # spins in the ground state
    return Fluctuations(
        diagonal=-(1j * classes.omega + classes.gamma_perp) - 1j * z * classes.own / classes.total,
        left=1j * z[:, None] * classes.left,
        right=classes.right * classes.share[:, None],
        source=source,
        observable=classes.spins,
        band=band(classes),
    )


def band(classes: Classes) -> Array:
    """Real part up to which modes belong to the spread of a continuous distribution, shape (class,); -inf for other classes.

    Classes at a distance h replace an integral over frequencies by a sum. It is right to a factor tanh(pi mu/h) for modes that
    decay more slowly than free spins by mu.
    """
    out = np.full(classes.spins.size, -np.inf)
    for group in np.unique(classes.group[classes.smooth]):
        inside = np.flatnonzero(classes.group == group)
        out[inside] = -classes.gamma_perp[inside] + abs(np.gradient(classes.omega[inside])) / 2
    return out
