"""States of rest of a flow: fixed points of a frame that turns along, found by waiting and polished by Newton's method."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from spinsync.problems.flow.approach import AROUND, DARK, FAINTEST, NEAR, NEUTRAL, THERE, Approach
from spinsync.problems.flow.exponential_adams import DONE
from spinsync.problems.flow.record import Flow
from spinsync.problems.flow.stepping import Solution, integrate
from spinsync.problems.outlook import allowed_steps

MOST_UNKNOWNS = 2500  # of a flow whose Jacobian is looked at
MOST_STEPS, MOST_WORK = 1_000_000, 6e7  # of one stretch; times its components
STILL = 1e-9  # drift, in units of relaxation rates, of what rests where there are too many unknowns for a Jacobian
NEWTON, CONVERGED = 12, 1e-10  # steps of Newton's method; the last one, beside which the next would be rounding
SINGULAR = 1e-13  # inverse condition number of equations that leave a direction open


@dataclass(frozen=True)
class Rest:
    """A fixed point `state` of the frame of `flow`.

    growth : growth rates of small deviations, descending, the zero of the common phase taken out
    leading : the eigenvalue of the fastest of them
    """

    flow: Flow
    state: np.ndarray
    growth: np.ndarray
    leading: complex

    @property
    def stable(self) -> bool:
        """Whether no deviation grows; neutral ones may stay."""
        return bool(self.growth.size == 0 or self.growth[0] <= NEUTRAL * self.flow.decay.real.max())

    def direction(self) -> np.ndarray:
        """The deviation that grows fastest, of length 1."""
        grows = from_real(self.flow, self.leading_vector(jacobian(self.flow, self.state)).real)
        return np.asarray(grows / np.linalg.norm(grows))

    def leading_vector(self, matrix: np.ndarray) -> np.ndarray:
        """The eigenvector of the Jacobian, or of its transpose, to the leading eigenvalue, by inverse iteration."""
        shift = self.leading * (1 + 1e-6) + 1e-9 * abs(matrix).max()
        vector = np.random.default_rng(7).standard_normal(len(matrix)) + 0j
        for _ in range(3):
            vector = np.linalg.solve(matrix - shift * np.eye(len(matrix)), vector)
            vector /= np.linalg.norm(vector)
        return vector


def slowest(flow: Flow) -> float:
    """The rate of the slowest relaxation; 0 where a charged component has none, as it then forgets nothing, or nothing relaxes.

    A neutral component without any is moved by the others, and stays where it is once the charged ones have vanished.
    """
    rates = flow.decay.real
    relaxing = rates[rates > 0]
    return float(relaxing.min()) if relaxing.size and np.all(rates[flow.charged] > 0) else 0.0


def run(flow: Flow, state: np.ndarray, times: np.ndarray) -> Solution:
    """The flow from `state` at times[0], recorded at `times`."""
    return integrate(
        flow.nonlinear, flow.decay, state, times, table=flow.table, coupling=flow.coupling, rtol=flow.rtol, atol=flow.atol,
        max_steps=allowed_steps(MOST_STEPS, MOST_WORK, state.size),
    )  # fmt: skip


def real_coordinates(flow: Flow, v: np.ndarray) -> np.ndarray:
    """Real coordinates: the real part of every component, and the imaginary part of those that are not real."""
    return np.concatenate([v.real, v[~flow.real].imag])


def from_real(flow: Flow, x: np.ndarray) -> np.ndarray:
    """The components with these real coordinates."""
    v = x[: flow.real.size].astype(complex)
    v[~flow.real] += 1j * x[flow.real.size :]
    return v


def _unknowns(flow: Flow) -> int:
    return int(2 * flow.real.size - np.count_nonzero(flow.real))


def extent(flow: Flow, state: np.ndarray) -> float:
    """The size beside which distances count: the largest charged component, or of all where the theory has none charged."""
    charged = flow.charged
    return float(abs(state[charged]).max()) if charged.any() else max(float(abs(state).max()), DARK)


def _derivative(flow: Flow, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P and Q of d(velocity) = P v + Q v* at `state`."""
    if flow.derivative is not None:
        p, q = flow.derivative(state, flow.table, flow.coupling)
    else:
        both, out = np.concatenate([state, state]), np.empty(2 * state.size, complex)
        p, q = np.zeros((2, state.size, state.size), complex)
        for k, unit in enumerate(np.eye(state.size)):
            answers = []
            for turn in (1, 1j):
                both[state.size :] = turn * unit
                flow.tangent.without_compiling(both, flow.table, flow.coupling, out)
                answers.append(out[state.size :].copy())
            p[:, k], q[:, k] = (answers[0] - 1j * answers[1]) / 2, (answers[0] + 1j * answers[1]) / 2
    p[np.diag_indices(state.size)] -= flow.decay
    return p, q


def _real_matrix(p: np.ndarray, q: np.ndarray, plane: np.ndarray) -> np.ndarray:
    """The matrix of v -> P v + Q v* in real coordinates, where the components in `plane` are not real."""
    once, turned = p + q, p - q
    return np.block([[once.real, -turned.imag[:, plane]], [once.imag[plane], turned.real[np.ix_(plane, plane)]]])


def jacobian(flow: Flow, state: np.ndarray) -> np.ndarray:
    """The derivative of dy/dt by y at `state`, in real coordinates."""
    return _real_matrix(*_derivative(flow, state), ~flow.real)


def _solved(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """matrix^-1 right; the shortest solution where the matrix leaves a direction open."""
    from scipy.linalg import lapack

    if not right.size:
        return right
    factors, pivots, failed = lapack.dgetrf(matrix)
    if failed == 0 and lapack.dgecon(factors, abs(matrix).sum(axis=0).max())[0] > SINGULAR:
        return np.asarray(lapack.dgetrs(factors, pivots, right)[0])
    return np.asarray(np.linalg.lstsq(matrix, right, rcond=SINGULAR)[0])


class Outcome(Enum):
    """What Newton's method came to."""

    FOUND = "a fixed point was found"
    FAR = "the iteration left the neighbourhood of the state"
    FADED = "the coherence vanishes within the iteration"
    SLOW = "the iteration did not converge within its steps"


@dataclass(frozen=True)
class Polished:
    """The fixed point that Newton's method found; None, and why, where it found none."""

    rest: Rest | None
    outcome: Outcome


def polish(flow: Flow, state: np.ndarray, near: float = np.inf) -> Polished:
    """The fixed point near `state`, with the frequency of its frame.

    `near`: the distance, in units of `extent`, beyond which nobody asks whether it is stable.
    """
    charged = flow.charged
    if not np.any(state[charged]):
        return _without_charge(flow, state)
    own, y, bright = flow, state.copy(), float(abs(state[charged]).max())
    size = max(bright, DARK)
    for _ in range(NEWTON):
        matrix, turn = jacobian(flow, y), real_coordinates(flow, flow.along_phase(y))
        length = np.linalg.norm(turn)
        turn = turn / length
        bordered = np.block([[matrix, turn[:, None]], [turn[None, :], np.zeros((1, 1))]])
        step = _solved(bordered, np.append(-real_coordinates(flow, flow.velocity(y)), 0.0))
        y = y + from_real(flow, step[:-1])
        flow = flow.turning(float(step[-1] / length))
        if not abs(y - state).max() < 10 * NEAR * max(size, 0.1):
            return Polished(None, Outcome.FAR)
        if abs(y[charged]).max() < bright / 10:  # it fades: all of its charge away
            faded = bright < DARK and near > 1
            return _without_charge(own, np.where(charged, 0, state)) if faded else Polished(None, Outcome.FADED)
        if abs(step[:-1]).max() < CONVERGED * size:
            if abs(y - state).max() > near * bright:
                return Polished(None, Outcome.FAR)
            values = np.linalg.eigvals(jacobian(flow, y))
            return _found(flow, y, np.delete(values, np.argmin(abs(values))))
    return Polished(None, Outcome.SLOW)


def _without_charge(flow: Flow, state: np.ndarray) -> Polished:
    """The same without any charged component: what has no phase gets none from rounding errors.

    Charged and neutral deviations from it do not mix. If all charges have one sign, one complex matrix moves the charged ones,
    and each of its eigenvalues is that of two real directions.
    """
    charged, plane, y = flow.charged, ~flow.real, state.copy()
    neutral, mixed = np.ix_(~charged, ~charged), np.ix_(charged, charged)
    coordinates = np.concatenate([~charged, ~charged[plane]])
    step, size = np.zeros(coordinates.size), DARK if charged.any() else extent(flow, state)
    for _ in range(NEWTON):
        p, q = _derivative(flow, y)
        matrix = _real_matrix(p[neutral], q[neutral], plane[~charged])
        step[coordinates] = _solved(matrix, -real_coordinates(flow, flow.velocity(y))[coordinates])
        y += from_real(flow, step)
        if not abs(y - state).max() < (NEAR if charged.any() else 10 * NEAR * max(size, 0.1)):
            return Polished(None, Outcome.FAR)
        if abs(step).max() < CONVERGED * size:
            p, q = p[mixed], q[mixed]
            both = np.linalg.eigvals(_real_matrix(p, q, plane[charged])) if q.any() else np.repeat(np.linalg.eigvals(p), 2)
            return _found(flow, y, np.concatenate([both, np.linalg.eigvals(matrix)]))
    return Polished(None, Outcome.SLOW)


def _found(flow: Flow, state: np.ndarray, values: np.ndarray) -> Polished:
    values = values[np.argsort(-values.real, kind="stable")]
    return Polished(Rest(flow, state, values.real, complex(values[0])), Outcome.FOUND)


def in_own_frame(flow: Flow, state: np.ndarray) -> Flow:
    """The flow in the frame in which `state` turns least: each component at its charge times the frequency, least squares."""
    along = flow.along_phase(state)
    square = float(np.sum(abs(along) ** 2))
    if square == 0 or flow.symmetry is None:
        return flow
    return flow.turning(-float(np.sum((along.conj() * flow.velocity(state)).real) / square))


def look(flow: Flow, state: np.ndarray, fading: bool) -> tuple[Rest | None, float]:
    """The fixed point near `state`, and its distance in units of `extent`; None and inf where there is none.

    What is `fading` is asked for the one without any charge first: if that is stable, or the state has none, its distance
    counts as 0. Beyond MOST_UNKNOWNS there is no Jacobian to ask, and only what hardly drifts is at a fixed point.
    """
    flow, size, few = in_own_frame(flow, state), extent(flow, state), _unknowns(flow) <= MOST_UNKNOWNS
    rates = abs(flow.velocity(state)) / np.maximum(abs(flow.decay), slowest(flow))  # in units of a component's own relaxation
    drift, rest = (float(rates[some].max(initial=0.0)) for some in (flow.charged, ~flow.charged))
    if fading and flow.charged.any():
        without = np.where(flow.charged, 0, state)
        faded = Rest(flow, without, np.zeros(0), 0j) if size < DARK * DARK and rest < STILL else None
        dark = polish(flow, without).rest if few else faded
        if dark is not None and (dark.stable or size == 0):
            return dark, 0.0
    if not few:
        still = rest < STILL and (drift < STILL * size or size == 0)
        return (Rest(flow, state, np.zeros(0), 0j), 0.0) if still else (None, np.inf)
    found = polish(flow, state, AROUND).rest if max(drift, rest) < 1 else None
    return found, np.inf if found is None else float(abs(found.state - state).max()) / max(size, FAINTEST)


@dataclass(frozen=True)
class Settled:
    """Where the motion rests (None: it does not, or not yet), its last state, the integrator's status and steps, the time."""

    rest: Rest | None
    state: np.ndarray
    status: int
    steps: int
    time: float


def settle(flow: Flow, *, stretch: float, most: float, longer: float = 1.0) -> Settled:
    """Integrate stretch by stretch, each `longer` by that factor, until the motion rests, stable or not, or `most` is over.

    Each stretch is written in the frame in which the last one ended. There a rotating state is a fixed point of the
    stepper as well, so that no error of its time steps is mistaken for motion.
    """
    state, time, span = flow.start, 0.0, stretch
    approach = Approach.of(np.array([extent(flow, state)]))
    while True:
        solution = run(flow, state, np.array([0.0, span]))
        if solution.status != DONE:
            return Settled(None, state, solution.status, solution.steps, time)
        state, time, stretch = solution.states[-1], time + span, longer * stretch
        rest, distance = look(flow, state, bool(approach.fading(np.array([extent(flow, state)]))[0]))
        away = np.array([distance])
        accepted = approach.accepted(away)[0] and rest is not None and (rest.stable or distance < THERE)
        if accepted or time >= most:
            return Settled(rest if accepted else None, state, DONE, solution.steps, time)
        wait = approach.wait(away, np.array([rest.growth[0]]))[0] if rest is not None and rest.growth.size else np.inf
        flow, span = in_own_frame(flow, state), min(max(stretch, wait if wait < np.inf else 0.0), most - time)


def doubled(flow: Flow) -> Flow:
    """The flow of a state and a small deviation from it, one after the other."""
    return replace(
        flow, nonlinear=flow.tangent, decay=np.tile(flow.decay, 2), start=np.tile(flow.start, 2), real=np.tile(flow.real, 2),
        symmetry=None if flow.symmetry is None else np.tile(flow.symmetry, 2),
    )  # fmt: skip
