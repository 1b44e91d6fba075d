"""Long implicit steps of a slow motion: RODAS3 (A. Sandu et al., Atmos. Environ. 31, 3459 (1997)), of third order.

Each step is made in the frame in which the state turns least. There the steps grow as the motion slows down.
"""

from __future__ import annotations

import numpy as np

from spinsync.problems.flow.fixed_points import from_real, in_own_frame, jacobian, real_coordinates
from spinsync.problems.flow.record import Flow

MOST_STEPS = 500  # in which a slow motion should have ended: a thirtieth of a decade of time each
MOST_COMPONENTS = 300  # of a flow whose linear equations are solved so often


def creep(flow: Flow, state: np.ndarray, span: float, rtol: float, atol: float) -> np.ndarray | None:
    """Where a slow motion leads within `span`, up to a common phase; None where it takes too many steps."""
    time, h = 0.0, 1e-3 * span
    for _ in range(MOST_STEPS if state.size <= MOST_COMPONENTS else 0):
        h = min(h, span - time)
        made = _step(in_own_frame(flow, state), state, h)
        if made is None:
            return None
        new, off = made
        error = float((abs(off) / (atol + rtol * np.maximum(abs(state), abs(new)))).max())
        if error <= 1:
            state, time = new, time + h
            if time >= span:
                return state
        h *= min(6.0, max(0.1, 0.9 * max(error, 1e-9) ** (-1 / 3))) if error < np.inf else 0.1
    return None


def _step(flow: Flow, state: np.ndarray, h: float) -> tuple[np.ndarray, np.ndarray] | None:
    """The state after one step, and the step's error; None where its linear equations are singular."""
    from scipy.linalg import lapack

    matrix = -jacobian(flow, state)
    matrix[np.diag_indices(len(matrix))] += 2 / h
    factors, pivots, failed = lapack.dgetrf(matrix)
    if failed:
        return None

    def stage(at: np.ndarray, more: np.ndarray | float) -> np.ndarray:
        right = real_coordinates(flow, flow.velocity(at)) + more
        return np.asarray(lapack.dgetrs(factors, pivots, right)[0])

    first = stage(state, 0.0)
    second = stage(state, 4 / h * first)
    new = state + from_real(flow, 2 * first)
    third = stage(new, (first - second) / h)
    new = new + from_real(flow, third)
    fourth = from_real(flow, stage(new, (first - second - 8 / 3 * third) / h))
    return new + fourth, fourth
