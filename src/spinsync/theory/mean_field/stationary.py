"""Stationary states (fixed points in a rotating frame) of distributed groups, for any number of frequency classes.

In a given field (3.1), in the frame rotating at Omega, the stationary state of each class is

    s = i h z a,   z = (kappa - gamma) / (Gamma_1 + 4 |h|^2 Re a),   a = 1 / (Gamma_perp + i (omega - Omega))

by (3.3) and (3.4). The unknowns are then the coherences of the groups and Omega, independent of the number of classes.
"""

from __future__ import annotations

import numpy as np

from spinsync.base.arrays import Array
from spinsync.model.distributions import Distributions
from spinsync.model.rates import Rates
from spinsync.theory.mean_field.frequency_classes import SpinClasses, spin_classes

FINEST = 1e-8  # quadrature error of the classes
DIFFERENCE = 1e-6  # step of finite differences
STEPS = 12  # largest number of Newton steps
TOLERANCE = 1e-12  # largest component of the last step
MAX_CHANGE = 1e-2  # largest distance from the first guess, relative to it


def _response(rates: Rates, classes: SpinClasses, s: Array, frequency: float) -> tuple[Array, Array]:
    """Coherence and inversion (group,) of the groups in the field of the coherences `s`, at a frequency Omega."""
    group = classes.group
    h = (rates.coupling @ (rates.weight * s))[group]
    a = 1 / (rates.gamma_perp[group] + classes.damping + 1j * (classes.omega - frequency))
    z = rates.net_gain[group] / (rates.gamma_1[group] + 4 * classes.back_action * abs(h) ** 2 * a.real)
    groups = rates.weight.size
    return classes.average(1j * h * z * a, groups), classes.average(z + 0j, groups).real


def stationary_state(
    rates: Rates, distributions: Distributions, nodes: int | None, guess: Array, frequency: float
) -> tuple[Array, Array, float] | None:
    """Coherence and inversion (group,) and frequency of a stationary state by Newton's method; None without convergence."""
    if np.any(rates.gamma_1 <= 0):
        return None
    classes, groups = spin_classes(rates, distributions, FINEST, nodes), guess.size

    def residual(x: Array) -> Array:
        s = x[:groups] + 1j * x[groups:-1]
        difference = s - _response(rates, classes, s, x[-1])[0]
        return np.concatenate([difference.real, difference.imag, [np.vdot(guess, s).imag]])  # the last one fixes the phase

    x = np.concatenate([guess.real, guess.imag, [frequency]])
    start, units = x.copy(), DIFFERENCE * np.eye(x.size)
    for _ in range(STEPS):
        jacobian = np.stack([(residual(x + unit) - residual(x - unit)) / (2 * DIFFERENCE) for unit in units], axis=1)
        step = np.linalg.lstsq(jacobian, residual(x), rcond=1e-13)[0]
        x = x - step
        if not abs(x - start)[:-1].max() < MAX_CHANGE * abs(guess).max():
            return None
        if abs(step).max() < TOLERANCE:
            break
    s = x[:groups] + 1j * x[groups:-1]
    return s, _response(rates, classes, s, float(x[-1]))[1], float(x[-1])
