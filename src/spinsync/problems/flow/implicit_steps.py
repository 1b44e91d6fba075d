"""Long implicit steps of a slow motion: the Rosenbrock method RODAS3 of third order.

A. Sandu et al., Atmos. Environ. 31, 3459 (1997). Each step is made in the frame in which the state rotates least: there the
steps grow as the motion slows down.
"""

from __future__ import annotations

import numpy as np

from spinsync.problems.flow.fixed_points import corotating_flow, from_real, jacobian, real_coordinates
from spinsync.problems.flow.record import Flow

MOST_STEPS = 500  # a decade of time takes about thirty
MOST_COMPONENTS = 300  # larger linear systems take too long


def integrate_implicitly(flow: Flow, state: np.ndarray, span: float, rtol: float, atol: float) -> np.ndarray | None:
    """The state (component,) after the time `span`, up to a common phase; None if it takes too many steps."""
    time, h = 0.0, 1e-3 * span
    for _ in range(MOST_STEPS if state.size <= MOST_COMPONENTS else 0):
        h = min(h, span - time)
        result = _step(corotating_flow(flow, state), state, h)
        if result is None:
            return None
        new, local_error = result
        error = float((abs(local_error) / (atol + rtol * np.maximum(abs(state), abs(new)))).max())
        if error <= 1:
            state, time = new, time + h
            if time >= span:
                return state
        h *= min(6.0, max(0.1, 0.9 * max(error, 1e-9) ** (-1 / 3))) if error < np.inf else 0.1
    return None


def _step(flow: Flow, state: np.ndarray, h: float) -> tuple[np.ndarray, np.ndarray] | None:
    """The state after one step and its local error, both (component,); None if the linear system is singular."""
    from scipy.linalg import lapack

    matrix = -jacobian(flow, state)
    matrix[np.diag_indices(len(matrix))] += 2 / h
    factors, pivots, failed = lapack.dgetrf(matrix)
    if failed:
        return None

    def stage(at: np.ndarray, added: np.ndarray | float) -> np.ndarray:
        right = real_coordinates(flow, flow.velocity(at)) + added
        return np.asarray(lapack.dgetrs(factors, pivots, right)[0])

    first = stage(state, 0.0)
    second = stage(state, 4 / h * first)
    new = state + from_real(flow, 2 * first)
    third = stage(new, (first - second) / h)
    new = new + from_real(flow, third)
    fourth = from_real(flow, stage(new, (first - second - 8 / 3 * third) / h))
    return new + fourth, fourth
