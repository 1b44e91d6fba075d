"""Mean-field states of rest of distributed groups, on as many frequency classes as one likes.

In a given field (3.1) and at a given frequency Omega each class rests at

    s = i h z a,   z = (kappa - gamma) / (Gamma_1 + 4 |h|^2 Re a),   a = 1 / (Gamma_perp + i (omega - Omega))

by (3.3) and (3.4). What is left are the coherences of the groups and Omega: a few equations, whatever the number of classes.
"""

from __future__ import annotations

import numpy as np

from spinsync.base.arrays import Array
from spinsync.model.distributions import Distribution
from spinsync.model.rates import Rates
from spinsync.theory.mean_field.frequency_classes import Rows, rows

FINEST = 1e-8  # error of the classes
SMALL = 1e-6  # difference by which derivatives are taken
STEPS = 12  # of Newton's method
DONE = 1e-12  # last step
FAR = 1e-2  # from the first guess


def _answers(rates: Rates, layout: Rows, s: Array, frequency: float) -> tuple[Array, Array]:
    """Coherence and inversion of the groups in the field of the coherences `s`."""
    group = layout.group
    h = (rates.coupling @ (rates.weight * s))[group]
    answer = 1 / (rates.gamma_perp[group] + layout.damping + 1j * (layout.omega - frequency))
    z = rates.net_gain[group] / (rates.gamma_1[group] + 4 * layout.back * abs(h) ** 2 * answer.real)
    groups = rates.weight.size
    return layout.average(1j * h * z * answer, groups), layout.average(z + 0j, groups).real


def stationary(
    rates: Rates, spread: tuple[Distribution | None, ...], nodes: int | None, guess: Array, frequency: float
) -> tuple[Array, Array, float] | None:
    """Coherence and inversion (group,) and frequency of the state of rest next to a guess; None where there is none."""
    if np.any(rates.gamma_1 <= 0):
        return None
    layout, groups = rows(rates, spread, FINEST, nodes), guess.size

    def off(x: Array) -> Array:
        s = x[:groups] + 1j * x[groups:-1]
        missing = s - _answers(rates, layout, s, x[-1])[0]
        return np.concatenate([missing.real, missing.imag, [np.vdot(guess, s).imag]])  # the last one keeps the phase

    x = np.concatenate([guess.real, guess.imag, [frequency]])
    start, units = x.copy(), SMALL * np.eye(x.size)
    for _ in range(STEPS):
        slopes = np.stack([(off(x + unit) - off(x - unit)) / (2 * SMALL) for unit in units], axis=1)
        step = np.linalg.lstsq(slopes, off(x), rcond=1e-13)[0]
        x = x - step
        if not abs(x - start)[:-1].max() < FAR * abs(guess).max():
            return None
        if abs(step).max() < DONE:
            break
    s = x[:groups] + 1j * x[groups:-1]
    return s, _answers(rates, layout, s, float(x[-1]))[1], float(x[-1])
