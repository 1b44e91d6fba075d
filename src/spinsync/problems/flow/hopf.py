"""Slow oscillations around a fixed point near a Hopf bifurcation, where a complex pair of eigenvalues becomes unstable.

The amplitude a of such an oscillation obeys the Landau equation da/dt = (g - c a^2) a with the linear growth rate g: for
small g it converges only after thousands of periods. The growth rate at one amplitude determines c and so the amplitude
sqrt(g/c) of the limit cycle, to which the state is rescaled (Y. A. Kuznetsov, *Elements of Applied Bifurcation Theory*,
ch. 3). A few such extrapolations converge even beyond the Landau equation, since the growth rate on the cycle is zero.
"""

from __future__ import annotations

import numpy as np

from spinsync.problems.flow.approach import CLOSER, NEAR
from spinsync.problems.flow.exponential_adams import DONE
from spinsync.problems.flow.fixed_points import FixedPoint, jacobian, real_coordinates, run

MOST_GROWTH = 0.02  # growth or decay in a period of the oscillation; above, direct integration converges soon
SEPARATION = 3.0  # ratio by which all other perturbations must decay faster
PERIODS, SAMPLES = 12, 24  # periods from which a growth rate is measured, and samples per period
MOST_JUMPS, LARGEST_FACTOR = 8, 3.0  # extrapolations, and the largest factor of one
CLOSE_ENOUGH = 3e-3  # relative distance from the cycle at which direct integration takes over
LARGEST = 0.3  # amplitude relative to the fixed point


def is_weakly_nonlinear(fixed_point: FixedPoint) -> bool:
    """Whether one pair of eigenvalues alone is so close to the imaginary axis that the Landau equation holds."""
    growth, others = abs(fixed_point.growth[0]), fixed_point.growth[2:].max(initial=-np.inf)
    return bool(2 * np.pi * growth < MOST_GROWTH * abs(fixed_point.leading.imag) and others < -SEPARATION * growth)


def extrapolate_amplitude(fixed_point: FixedPoint, state: np.ndarray) -> np.ndarray | None:
    """A state (component,) close to the small limit cycle around the fixed point, or the fixed point if it is stable.

    None if the oscillation through `state` grows faster than the Landau equation says, or errors of the steps hide its growth.
    """
    flow, growth = fixed_point.flow, float(fixed_point.growth[0])
    adjoint = fixed_point.leading_vector(jacobian(flow, fixed_point.state).T)
    period, scale = 2 * np.pi / abs(fixed_point.leading.imag), abs(fixed_point.state).max()
    for _ in range(MOST_JUMPS):
        solution = run(flow, state, np.linspace(0, PERIODS * period, PERIODS * SAMPLES + 1))
        if solution.status != DONE:
            return None
        displacement = _displacements(fixed_point, solution.states)
        size = abs(np.array([adjoint @ real_coordinates(flow, one) for one in displacement]))
        if size.min() == 0 or abs(displacement[-1]).max() > LARGEST * scale:
            return None
        measured = _slope(np.log(size)) * SAMPLES / period
        if measured >= (growth if growth > 0 else growth / 2):
            return None
        ratio = np.sqrt(growth / (growth - measured)) if growth > 0 else 0.0
        factor = float(np.clip(ratio, 1 / LARGEST_FACTOR, LARGEST_FACTOR))
        state = fixed_point.state + factor * displacement[-1]
        if growth > 0 and abs(factor - 1) < CLOSE_ENOUGH:
            return np.asarray(state)
        if growth < 0 and abs(state - fixed_point.state).max() < CLOSER * NEAR * scale:
            return fixed_point.state
    return None


def _displacements(fixed_point: FixedPoint, states: np.ndarray) -> np.ndarray:
    """Displacements (time, component) from the fixed point, after rotation to the closest common phase."""
    phase = fixed_point.flow.phase_behind(fixed_point.state, states)
    return np.asarray(fixed_point.flow.rotated(states, phase[:, None]) - fixed_point.state)


def _slope(values: np.ndarray) -> float:
    """The mean slope per sample of values that also oscillate: last half minus first half, averaged with smooth weights."""
    half = len(values) // 2
    x = (np.arange(half) + 0.5) / half
    weight = np.exp(-1 / (x * (1 - x)))
    return float(weight @ (values[half : 2 * half] - values[:half]) / weight.sum() / half)
