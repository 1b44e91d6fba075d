"""Both sides of the exact one-spin equations (2.3) and (2.4) for states of N spins, computed independently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.model.master_equation import Lindbladian
from spinsync.theory.brute_force.theory import SpinSpace


def generator_side(space: SpinSpace, blocks: Mapping[int, Any], states: Mapping[int, Array]) -> tuple[Array, Array]:
    """(d<sigma^->/dt, d<sigma^z>/dt) of every spin, (time, spin), from the Lindbladian applied to rho."""
    velocity = {q: (blocks[q] @ states[q].T).T for q in (0, 1)}
    s = [space.mean(a, velocity[1], 1) for a in space.sigma_minus]
    z = [space.mean(a, velocity[0], 0).real for a in space.sigma_z]
    return np.stack(s, axis=-1), np.stack(z, axis=-1)


def identity_side(space: SpinSpace, terms: Lindbladian, states: Mapping[int, Array]) -> tuple[Array, Array]:
    """The right-hand sides of (2.3) and (2.4), with the pair correlations of rho."""
    spins = range(space.spins)
    gain = terms.gain + terms.pumping.diagonal().real  # kappa' = kappa + 2 K_+,ii
    damping = terms.damping + terms.decay.diagonal().real  # gamma' = gamma + 2 K_-,ii
    relaxation = gain + damping
    s_rates, z_rates = [], []
    for i in spins:
        s = space.mean(space.sigma_minus[i], states[1], 1)
        z = space.mean(space.sigma_z[i], states[0], 0).real
        s_rate = -(1j * terms.omega[i] + relaxation[i] / 2 + terms.dephasing[i]) * s
        z_rate = -relaxation[i] * z + gain[i] - damping[i]
        for j in spins:
            if j != i:
                c = terms.coupling[i, j]
                s_rate = s_rate + 1j * c * space.mean(space.sigma_minus[j] @ space.sigma_z[i], states[1], 1)
                z_rate = z_rate + 4 * (c * space.mean(space.sigma_minus[i].T @ space.sigma_minus[j], states[0], 0)).imag
        s_rates.append(s_rate)
        z_rates.append(z_rate)
    return np.stack(s_rates, axis=-1), np.stack(z_rates, axis=-1)
