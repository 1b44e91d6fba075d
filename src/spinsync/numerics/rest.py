"""States of rest of a flow: fixed points of a frame that turns along, found by waiting and polished by Newton's method."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spinsync.data.problems import Flow
from spinsync.numerics.exponential_adams import DONE
from spinsync.numerics.stepping import Solution, integrate

MOST_COMPONENTS = 400  # of a flow whose Jacobian is looked at
MOST_STEPS = 1_000_000  # of one stretch
DARK = 1e-3  # charged components below this count as none
NEAR, CLOSER, THERE = 1e-2, 0.3, 1e-5  # distances at which a state of rest is believed in: see `Approach`
RINGING = 1e-3  # distance from a stable state of rest at which regular motion is nothing but errors of the steps
NEUTRAL = 1e-8  # growth rates below this share of the fastest relaxation count as zero


@dataclass(frozen=True)
class Rest:
    """A fixed point `state` of the frame of `flow`.

    growth : growth rates of small deviations, descending, the zero of the common phase taken out
    direction : the deviation that grows fastest
    """

    flow: Flow
    state: np.ndarray
    growth: np.ndarray
    direction: np.ndarray

    @property
    def stable(self) -> bool:
        """Whether no deviation grows; neutral ones may stay."""
        return bool(self.growth.size == 0 or self.growth[0] <= NEUTRAL * self.flow.decay.real.max())


def run(flow: Flow, state: np.ndarray, times: np.ndarray) -> Solution:
    """The flow from `state` at times[0], recorded at `times`."""
    return integrate(
        flow.nonlinear, flow.decay, state, times, table=flow.table, coupling=flow.coupling, rtol=flow.rtol, atol=flow.atol,
        max_steps=MOST_STEPS,
    )  # fmt: skip


def _real(flow: Flow, v: np.ndarray) -> np.ndarray:
    """Real coordinates: the real part of every component, the imaginary part of the charged ones."""
    return np.concatenate([v.real, v[flow.charge != 0].imag])


def _complex(flow: Flow, x: np.ndarray) -> np.ndarray:
    v = x[: flow.charge.size].astype(complex)
    v[flow.charge != 0] += 1j * x[flow.charge.size :]
    return v


def jacobian(flow: Flow, state: np.ndarray) -> np.ndarray:
    """The derivative of dy/dt by y at `state`, in real coordinates."""
    size = state.size + int(np.count_nonzero(flow.charge))
    both, out = np.concatenate([state, state]), np.empty(2 * state.size, complex)
    columns = np.empty((size, size))
    for k, unit in enumerate(np.eye(size)):
        both[state.size :] = _complex(flow, unit)
        flow.tangent(both, flow.table, flow.coupling, out)
        columns[:, k] = _real(flow, out[state.size :] - flow.decay * both[state.size :])
    return columns


def polish(flow: Flow, state: np.ndarray) -> Rest | None:
    """The state of rest near `state`, with the frequency of its frame; None where Newton's method finds none near."""
    charged = flow.charge != 0
    y, size = state.copy(), max(float(abs(state[charged]).max()), DARK)
    dark = charged & (not np.any(state[charged]))  # what has no phase gets none from rounding errors
    for _ in range(12):
        matrix, turn = jacobian(flow, y), _real(flow, 1j * flow.charge * y)
        bordered = np.block([[matrix, turn[:, None]], [turn[None, :], np.zeros((1, 1))]])
        step = np.linalg.lstsq(bordered, np.append(-_real(flow, flow.velocity(y)), 0.0), rcond=1e-13)[0]
        y = np.where(dark, 0, y + _complex(flow, step[:-1]))
        flow = flow.turning(float(step[-1]))
        if not abs(y - state).max() < 10 * NEAR * max(size, 0.1):
            return None
        if abs(step[:-1]).max() < 1e-10 * size:  # the next would be rounding: the steps converge quadratically
            return _linearized(flow, y)
    return None


def _linearized(flow: Flow, state: np.ndarray) -> Rest:
    values, vectors = np.linalg.eig(jacobian(flow, state))
    if abs(state[flow.charge != 0]).max() > 0:
        phase = np.argmin(abs(values))
        values, vectors = np.delete(values, phase), np.delete(vectors, phase, axis=1)
    order = np.argsort(-values.real)
    return Rest(flow, state, values.real[order], _complex(flow, vectors[:, order[0]].real))


def in_own_frame(flow: Flow, state: np.ndarray) -> tuple[Flow, float, float, float]:
    """The flow in the frame in which `state` turns least, and how the state moves there: drift, growth, rest.

    drift, rest : the largest rate of change of a charged and of a neutral component, in units of its own relaxation rate
    growth : the mean logarithmic growth rate of the charged components
    """
    charged, velocity = flow.charge != 0, flow.velocity(state)
    square = float(np.sum(abs(state[charged]) ** 2))
    growth = np.sum(state[charged].conj() * velocity[charged]) / square if square > 0 else 0j
    flow = flow.turning(-float(growth.imag))
    rates = abs(flow.velocity(state)) / abs(flow.decay)
    return flow, float(rates[charged].max()), float(growth.real), float(rates[~charged].max())


class Approach:
    """Whether a motion, looked at from time to time, comes to rest.

    A stable state of rest nearby is believed in when the motion is THERE, or NEAR and CLOSER by that factor than it has
    been since it came near: a small cycle around it, stable or not, keeps its distance.
    Beyond MOST_COMPONENTS there is no Jacobian to ask, and only a drift below `tolerance` counts.
    """

    def __init__(self, tolerance: float = 1e-9) -> None:
        self.tolerance = tolerance
        self.farthest = np.inf  # distance from the state of rest since the motion came near it

    def look(self, flow: Flow, state: np.ndarray) -> Rest | None:
        """The state of rest that has been reached, stable or not; None while the motion goes on."""
        charged = flow.charge != 0
        size = float(abs(state[charged]).max())
        flow, drift, growth, rest = in_own_frame(flow, state)
        still = rest < self.tolerance and (drift < self.tolerance * size or size == 0)
        if size < DARK and growth <= 0:
            dark = self._dark(flow, state)
            if dark is not None:
                return dark
        if state.size > MOST_COMPONENTS:
            nothing = np.zeros(0)
            return Rest(flow, state, nothing, nothing) if still else None
        found = polish(flow, state) if max(drift, rest) < 1 else None
        distance = float(abs(found.state - state).max()) / max(size, DARK) if found else np.inf
        if found is None or distance > NEAR:
            self.farthest = np.inf
            return None
        if distance < THERE or (found.stable and distance < CLOSER * self.farthest < np.inf):
            return found
        self.farthest = distance if self.farthest == np.inf else max(distance, self.farthest)
        return None

    def _dark(self, flow: Flow, state: np.ndarray) -> Rest | None:
        """Rest without any charged component, if that is where a fading motion leads."""
        without = np.where(flow.charge != 0, 0, state)
        if state.size > MOST_COMPONENTS:
            nothing = np.zeros(0)
            faded = abs(state[flow.charge != 0]).max() < DARK * DARK and in_own_frame(flow, without)[3] < self.tolerance
            return Rest(flow, without, nothing, nothing) if faded else None
        dark = polish(flow, without)
        return dark if dark is not None and (dark.stable or np.array_equal(state, without)) else None


@dataclass(frozen=True)
class Settled:
    """Where the motion rests (None: it does not, or not yet), its last state, the integrator's status and steps, the time."""

    rest: Rest | None
    state: np.ndarray
    status: int
    steps: int
    time: float


def settle(flow: Flow, approach: Approach, *, stretch: float, most: float) -> Settled:
    """Integrate stretch by stretch until the motion rests, or `most` is over.

    Each stretch is written in the frame in which the last one ended. There a rotating state is a fixed point of the
    stepper as well, so that no error of its time steps is mistaken for motion.
    """
    state, time = flow.start, 0.0
    while True:
        solution = run(flow, state, np.array([0.0, stretch]))
        if solution.status != DONE:
            return Settled(None, state, solution.status, solution.steps, time)
        state, time = solution.states[-1], time + stretch
        rest = approach.look(flow, state)
        if rest is not None or time >= most:
            return Settled(rest, state, DONE, solution.steps, time)
        flow = in_own_frame(flow, state)[0]


def doubled(flow: Flow) -> Flow:
    """The flow of a state and a small deviation from it, one after the other."""
    return replace(
        flow, nonlinear=flow.tangent, decay=np.tile(flow.decay, 2), charge=np.tile(flow.charge, 2), start=np.tile(flow.start, 2)
    )
