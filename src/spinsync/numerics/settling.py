"""Run a flow with a phase symmetry until it rests in a rotating frame, or time is up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from spinsync.numerics.exponential_adams import DONE, integrate

VANISHED = 1e-6  # an amplitude that has fallen below this and still falls is zero


@dataclass(frozen=True)
class Settled:
    """state (component,), frequency of its frame, decay there, whether it rests; the integrator's status and steps; time."""

    state: np.ndarray
    frequency: float
    decay: np.ndarray
    settled: bool
    status: int
    steps: int
    time: float


def is_stable(nonlinear: Any, decay: np.ndarray, state: np.ndarray, charge: np.ndarray, table: Any, coupling: Any) -> bool:
    """Whether the Jacobian at rest has no eigenvalue with positive real part, beside the symmetry's zero.

    By central differences (error 1e-9) in the real variables: both parts of charged components, the real part of others.
    """
    charged = np.flatnonzero(charge).tolist()
    directions: list[tuple[int, complex]] = [(i, 1.0) for i in range(state.size)] + [(i, 1j) for i in charged]

    def velocity(y: np.ndarray) -> np.ndarray:
        out = np.empty_like(y)
        nonlinear(y, table, coupling, out)
        out -= decay * y
        return np.concatenate([out.real, out[charged].imag])

    def slope(i: int, direction: complex) -> np.ndarray:
        nudged = [state + sign * 1e-6 * direction * (np.arange(state.size) == i) for sign in (1, -1)]
        return np.asarray((velocity(nudged[0]) - velocity(nudged[1])) / 2e-6)

    values = np.linalg.eigvals(np.stack([slope(i, d) for i, d in directions], axis=1)).real
    if abs(state[charged]).max() > 0:
        values = np.delete(values, np.argmin(abs(values)))
    return bool(np.all(values < 1e-7 * decay.real.max()))


def settle(
    nonlinear: Any, decay: np.ndarray, start: np.ndarray, charge: np.ndarray, *, table: np.ndarray, coupling: np.ndarray,
    rtol: float, atol: float, stretch: float, most: float, tolerance: float = 1e-9,
) -> Settled:  # fmt: skip
    """Integrate stretch by stretch until dy/dt + i Omega charge y vanishes, or the charged part itself does.

    Each stretch is written in the frame in which the last one ended. There a rotating state is a fixed point of the
    stepper as well, so that no error of its time steps is mistaken for motion.
    `tolerance` bounds the rate of change of each component in units of its own |decay|, and of the largest charged
    component: about the distance from rest, but for slow collective modes. The steps' own errors have to be smaller.
    """
    state, time, frame, charged = start, 0.0, 0.0, charge != 0
    while True:
        solution = integrate(
            nonlinear, decay, state, np.array([0.0, stretch]), table=table, coupling=coupling, rtol=rtol, atol=atol
        )
        if solution.status != DONE:
            return Settled(state, np.nan, decay, False, solution.status, solution.steps, time)
        state, time = solution.states[-1], time + stretch
        velocity = np.empty_like(state)
        nonlinear(state, table, coupling, velocity)
        velocity -= decay * state
        size = float(abs(state[charged]).max())
        square = float(np.sum(abs(state[charged]) ** 2))
        growth = np.sum(state[charged].conj() * velocity[charged]) / square if square > 0 else 0j
        frame -= growth.imag
        turned = decay + 1j * growth.imag * charge
        still = bool(np.all(abs(velocity[~charged]) < tolerance * abs(decay[~charged])))
        drift = float(np.max(abs(velocity[charged] - 1j * growth.imag * state[charged]) / abs(decay[charged])))
        if still and drift < tolerance * size:
            return Settled(state, frame, turned, True, DONE, solution.steps, time)
        if still and size < VANISHED and growth.real <= 0:
            return Settled(np.where(charged, 0, state), frame, turned, True, DONE, solution.steps, time)
        if time >= most:
            return Settled(state, frame, turned, False, DONE, solution.steps, time)
        decay = turned
