"""Slow oscillations around a state of rest near Hopf's bifurcation, where a pair of complex eigenvalues becomes unstable.

The amplitude a of such an oscillation obeys Landau's equation da/dt = (g - c a^2) a, with the growth rate g of the linearized
equations: where g is small it takes thousands of periods to settle. But the growth rate at one amplitude tells c, and so the
amplitude sqrt(g/c) at which the growth ends, and the motion can leap there (Y. A. Kuznetsov, *Elements of Applied Bifurcation
Theory*, ch. 3). Beyond Landau's equation a few leaps converge, as the growth rate is zero on the cycle, however it is found.
"""

from __future__ import annotations

import numpy as np

from spinsync.problems.flow.approach import CLOSER, NEAR
from spinsync.problems.flow.exponential_adams import DONE
from spinsync.problems.flow.fixed_points import Rest, jacobian, real_coordinates, run

GENTLE = 0.02  # growth or decay in a period of the oscillation, above which the motion settles soon by itself
ALONE = 3.0  # times as fast all other deviations must decay
PERIODS, SAMPLES = 12, 24  # of which the growth is measured, and of each
LEAPS, FARTHEST = 8, 3.0  # how often, and by which factor at most
ARRIVED = 3e-3  # relative distance from the cycle at which the motion may see to the rest
LARGEST = 0.3  # amplitude beside the state of rest


def gentle(rest: Rest) -> bool:
    """Whether the slowest deviation from rest oscillates, alone, and so slowly settles that Landau's equation holds."""
    growth, others = abs(rest.growth[0]), rest.growth[2:].max(initial=-np.inf)
    return bool(2 * np.pi * growth < GENTLE * abs(rest.leading.imag) and others < -ALONE * growth)


def ahead(rest: Rest, state: np.ndarray) -> np.ndarray | None:
    """Where the oscillation through `state` leads: a state close to the small cycle around `rest`, or the rest itself.

    None where it grows beyond what Landau's equation tells, or errors of the steps hide how it grows.
    """
    flow, growth, adjoint = rest.flow, float(rest.growth[0]), rest.leading_vector(jacobian(rest.flow, rest.state).T)
    period = 2 * np.pi / abs(rest.leading.imag)
    for _ in range(LEAPS):
        seen = run(flow, state, np.linspace(0, PERIODS * period, PERIODS * SAMPLES + 1))
        if seen.status != DONE:
            return None
        off = _off(rest, seen.states)
        size = abs(np.array([adjoint @ real_coordinates(flow, one) for one in off]))
        if size.min() == 0 or abs(off[-1]).max() > LARGEST * abs(rest.state).max():
            return None
        here = _slope(np.log(size)) * SAMPLES / period
        if here >= (growth if growth > 0 else growth / 2):
            return None
        factor = float(np.clip(np.sqrt(growth / (growth - here)), 1 / FARTHEST, FARTHEST)) if growth > 0 else 1 / FARTHEST
        state = rest.state + factor * off[-1]
        if growth > 0 and abs(factor - 1) < ARRIVED:
            return np.asarray(state)
        if growth < 0 and abs(state - rest.state).max() < CLOSER * NEAR * abs(rest.state).max():
            return rest.state
    return None


def _off(rest: Rest, states: np.ndarray) -> np.ndarray:
    """Deviations (time, component) from the state of rest, the common phase aside."""
    return np.asarray(rest.flow.rotated(states, rest.flow.behind(rest.state, states)[:, None]) - rest.state)


def _slope(values: np.ndarray) -> float:
    """The mean slope of samples that also oscillate, whose last half is compared with the first by smooth weights."""
    half = len(values) // 2
    x = (np.arange(half) + 0.5) / half
    weight = np.exp(-1 / (x * (1 - x)))
    return float(weight @ (values[half : 2 * half] - values[:half]) / weight.sum() / half)
