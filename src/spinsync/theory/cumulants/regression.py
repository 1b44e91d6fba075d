"""Emission by the first-order regression (8.5): <J_+(0) sigma^-_b(tau)> with <X sigma^-_k sigma^z_b> = <X sigma^-_k> z_b."""

from __future__ import annotations

import numpy as np

from spinsync.base.arrays import Array
from spinsync.problems.linear.record import Fluctuations
from spinsync.theory.cumulants.classes import Classes
from spinsync.theory.cumulants.steady import SteadyEquations


def regression(classes: Classes, steady: Array) -> Fluctuations:
    """dg_b/dtau = -(i omega_b + Gamma_perp_b) g_b + (i/N) z_b sum_e (N_e - delta_be) C_be g_e, seen in sum_b N_b g_b."""
    own, (z, c) = classes, classes.unpacked(steady)
    m = SteadyEquations(classes).sums(c)
    coupled = 1j * z[:, None] * own.coupling[own.group]
    itself = coupled[np.arange(z.size), own.group] / own.total
    return Fluctuations(
        diagonal=-(1j * own.omega + own.gamma_perp) - itself,
        left=coupled,
        right=own.members * (own.spins / own.total)[:, None],
        source=own.total * m.sum(axis=1).conj() + (1 + z) / 2,
        observable=own.spins,
    )
