"""Fixed points of a flow in a rotating frame: integrate until the motion is close, refine by Newton's method."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from spinsync.base.progress import report
from spinsync.problems.flow.approach import COHERENCE_ERROR, NEAR, NEUTRAL, SEARCH_RADIUS, SMALL_COHERENCE, THERE, Approach
from spinsync.problems.flow.exponential_adams import DONE
from spinsync.problems.flow.record import Flow
from spinsync.problems.flow.stepping import Solution, integrate
from spinsync.problems.outlook import allowed_steps

MOST_UNKNOWNS = 2500  # real unknowns of a flow whose Jacobian is computed
MOST_STEPS, MOST_WORK = 1_000_000, 6e7  # time steps of one stretch; steps times components
STATIONARY = 1e-9  # velocity in units of relaxation rates, below which a state without Jacobian is a fixed point
MOST_ITERATIONS, CONVERGED = 12, 1e-10  # iterations of Newton's method, and the relative size of the last one
SINGULAR = 1e-13  # inverse condition number of a singular matrix


@dataclass(frozen=True)
class FixedPoint:
    """A fixed point `state` (component,) in the frame of `flow`.

    growth : real parts of the eigenvalues of the Jacobian, descending, without the zero of the common phase
    leading : the eigenvalue with the largest real part
    """

    flow: Flow
    state: np.ndarray
    growth: np.ndarray
    leading: complex

    @property
    def stable(self) -> bool:
        """Whether no perturbation grows; neutral directions are allowed."""
        return bool(self.growth.size == 0 or self.growth[0] <= NEUTRAL * self.flow.decay.real.max())

    def fastest_growing(self) -> np.ndarray:
        """The perturbation (component,) with the largest growth rate, of length 1."""
        grows = from_real(self.flow, self.leading_vector(jacobian(self.flow, self.state)).real)
        return np.asarray(grows / np.linalg.norm(grows))

    def leading_vector(self, matrix: np.ndarray) -> np.ndarray:
        """Eigenvector of the Jacobian, or of its transpose, to the leading eigenvalue, by inverse iteration."""
        shift = self.leading * (1 + 1e-6) + 1e-9 * abs(matrix).max()
        vector = np.random.default_rng(7).standard_normal(len(matrix)) + 0j
        for _ in range(3):
            vector = np.linalg.solve(matrix - shift * np.eye(len(matrix)), vector)
            vector /= np.linalg.norm(vector)
        return vector


def slowest_rate(flow: Flow) -> float:
    """The smallest relaxation rate; 0 if a charged component does not relax, or none relaxes.

    A neutral component without relaxation is allowed: the others drive it, and it stops once the charged ones vanish.
    """
    rates = flow.decay.real
    relaxing = rates[rates > 0]
    return float(relaxing.min()) if relaxing.size and np.all(rates[flow.charged] > 0) else 0.0


def run(flow: Flow, state: np.ndarray, times: np.ndarray) -> Solution:
    """Integrate the flow from `state` at times[0], recorded at `times`."""
    return integrate(
        flow.nonlinear, flow.decay, state, times, table=flow.table, coupling=flow.coupling, rtol=flow.rtol, atol=flow.atol,
        max_steps=allowed_steps(MOST_STEPS, MOST_WORK, state.size),
    )  # fmt: skip


def real_coordinates(flow: Flow, v: np.ndarray) -> np.ndarray:
    """Real coordinates (unknown,): the real part of every component, and the imaginary part of the complex ones."""
    return np.concatenate([v.real, v[~flow.real].imag])


def from_real(flow: Flow, x: np.ndarray) -> np.ndarray:
    """The components (component,) with real coordinates `x`."""
    v = x[: flow.real.size].astype(complex)
    v[~flow.real] += 1j * x[flow.real.size :]
    return v


def state_scale(flow: Flow, state: np.ndarray) -> float:
    """The unit of distances: the largest charged component, or the largest of all if none is charged."""
    charged = flow.charged
    return float(abs(state[charged]).max()) if charged.any() else max(float(abs(state).max()), SMALL_COHERENCE)


def _derivative(flow: Flow, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Matrices P and Q (component, component) of d(velocity) = P v + Q v* at `state`."""
    if flow.derivative is not None:
        p, q = flow.derivative(state, flow.table, flow.coupling)
    else:
        both, out = np.concatenate([state, state]), np.empty(2 * state.size, complex)
        p, q = np.zeros((2, state.size, state.size), complex)
        for k, unit in enumerate(np.eye(state.size)):
            responses = []
            for factor in (1, 1j):
                both[state.size :] = factor * unit
                flow.tangent.without_compiling(both, flow.table, flow.coupling, out)
                responses.append(out[state.size :].copy())
            p[:, k], q[:, k] = (responses[0] - 1j * responses[1]) / 2, (responses[0] + 1j * responses[1]) / 2
    p[np.diag_indices(state.size)] -= flow.decay
    return p, q


def _real_matrix(p: np.ndarray, q: np.ndarray, is_complex: np.ndarray) -> np.ndarray:
    """The matrix of v -> P v + Q v* in real coordinates; `is_complex`: bool (component,)."""
    of_real, of_imag = p + q, p - q
    plane = np.ix_(is_complex, is_complex)
    return np.block([[of_real.real, -of_imag.imag[:, is_complex]], [of_real.imag[is_complex], of_imag.real[plane]]])


def jacobian(flow: Flow, state: np.ndarray) -> np.ndarray:
    """The Jacobian of dy/dt at `state` in real coordinates, (unknown, unknown)."""
    return _real_matrix(*_derivative(flow, state), ~flow.real)


def _solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """matrix^-1 right; the least-squares solution of minimal norm if the matrix is singular."""
    from scipy.linalg import lapack

    if not right.size:
        return right
    factors, pivots, failed = lapack.dgetrf(matrix)
    if failed == 0 and lapack.dgecon(factors, abs(matrix).sum(axis=0).max())[0] > SINGULAR:
        return np.asarray(lapack.dgetrs(factors, pivots, right)[0])
    return np.asarray(np.linalg.lstsq(matrix, right, rcond=SINGULAR)[0])


class Outcome(Enum):
    """Why Newton's method stopped."""

    FOUND = "a fixed point was found"
    FAR = "the iteration left the neighbourhood of the state"
    INCOHERENT = "the coherence vanishes within the iteration"
    SLOW = "the iteration did not converge within its steps"


@dataclass(frozen=True)
class NewtonResult:
    """The fixed point that Newton's method found, or None, and why it stopped."""

    fixed_point: FixedPoint | None
    outcome: Outcome


def newton(flow: Flow, state: np.ndarray, near: float = np.inf) -> NewtonResult:
    """The fixed point near `state` and the frequency of its frame, an unknown of a bordered system that fixes the phase.

    `near`: the distance, in units of `state_scale`, beyond which it is rejected before its eigenvalues are computed.
    """
    charged = flow.charged
    if not np.any(state[charged]):
        return _newton_incoherent(flow, state)
    initial_flow, y, coherence = flow, state.copy(), float(abs(state[charged]).max())
    size = max(coherence, SMALL_COHERENCE)
    for _ in range(MOST_ITERATIONS):
        matrix, phase = jacobian(flow, y), real_coordinates(flow, flow.phase_direction(y))
        length = np.linalg.norm(phase)
        phase = phase / length
        bordered = np.block([[matrix, phase[:, None]], [phase[None, :], np.zeros((1, 1))]])
        step = _solve(bordered, np.append(-real_coordinates(flow, flow.velocity(y)), 0.0))
        y = y + from_real(flow, step[:-1])
        flow = flow.in_rotating_frame(float(step[-1] / length))
        if not abs(y - state).max() < 10 * NEAR * max(size, 0.1):
            return NewtonResult(None, Outcome.FAR)
        if abs(y[charged]).max() < coherence / 10:  # towards the fixed point without coherence
            decayed = coherence < SMALL_COHERENCE and near > 1
            incoherent = np.where(charged, 0, state)
            return _newton_incoherent(initial_flow, incoherent) if decayed else NewtonResult(None, Outcome.INCOHERENT)
        if abs(step[:-1]).max() < CONVERGED * size:
            if abs(y - state).max() > near * coherence:
                return NewtonResult(None, Outcome.FAR)
            values = np.linalg.eigvals(jacobian(flow, y))
            return _result(flow, y, np.delete(values, np.argmin(abs(values))))
    return NewtonResult(None, Outcome.SLOW)


def _newton_incoherent(flow: Flow, state: np.ndarray) -> NewtonResult:
    """Newton's method for the neutral components, while the charged ones stay exactly zero.

    The Jacobian there is block diagonal, neutral and charged. If all charges have one sign, Q vanishes in the charged block:
    then each eigenvalue of its complex P is the growth rate of two real directions.
    """
    charged, is_complex, y = flow.charged, ~flow.real, state.copy()
    neutral_block, charged_block = np.ix_(~charged, ~charged), np.ix_(charged, charged)
    coordinates = np.concatenate([~charged, ~charged[is_complex]])
    step, size = np.zeros(coordinates.size), SMALL_COHERENCE if charged.any() else state_scale(flow, state)
    for _ in range(MOST_ITERATIONS):
        p, q = _derivative(flow, y)
        matrix = _real_matrix(p[neutral_block], q[neutral_block], is_complex[~charged])
        step[coordinates] = _solve(matrix, -real_coordinates(flow, flow.velocity(y))[coordinates])
        y += from_real(flow, step)
        if not abs(y - state).max() < (NEAR if charged.any() else 10 * NEAR * max(size, 0.1)):
            return NewtonResult(None, Outcome.FAR)
        if abs(step).max() < CONVERGED * size:
            p, q = p[charged_block], q[charged_block]
            both = np.linalg.eigvals(_real_matrix(p, q, is_complex[charged])) if q.any() else np.repeat(np.linalg.eigvals(p), 2)
            return _result(flow, y, np.concatenate([both, np.linalg.eigvals(matrix)]))
    return NewtonResult(None, Outcome.SLOW)


def _result(flow: Flow, state: np.ndarray, values: np.ndarray) -> NewtonResult:
    values = values[np.argsort(-values.real, kind="stable")]
    return NewtonResult(FixedPoint(flow, state, values.real, complex(values[0])), Outcome.FOUND)


def corotating_flow(flow: Flow, state: np.ndarray) -> Flow:
    """The flow in the frame in which `state` rotates least: the frequency is a least-squares fit of dy/dt along the phase."""
    along = flow.phase_direction(state)
    square = float(np.sum(abs(along) ** 2))
    if square == 0 or flow.symmetry is None:
        return flow
    return flow.in_rotating_frame(-float(np.sum((along.conj() * flow.velocity(state)).real) / square))


def fixed_point_near(flow: Flow, state: np.ndarray, fading: bool) -> tuple[FixedPoint | None, float]:
    """The fixed point near `state` and its distance in units of `state_scale`; None and inf if there is none.

    If the coherence is `fading`, the fixed point without coherence is tried first: if it is stable, or the state has no
    coherence, its distance counts as 0. Beyond MOST_UNKNOWNS no Jacobian is computed: a state of nearly zero velocity counts.
    """
    flow, size = corotating_flow(flow, state), state_scale(flow, state)
    use_jacobian = 2 * flow.real.size - np.count_nonzero(flow.real) <= MOST_UNKNOWNS
    speed = abs(flow.velocity(state)) / np.maximum(abs(flow.decay), slowest_rate(flow))  # relative to the relaxation
    charged, neutral = (float(speed[some].max(initial=0.0)) for some in (flow.charged, ~flow.charged))
    if fading and flow.charged.any():
        without = np.where(flow.charged, 0, state)
        if use_jacobian:
            incoherent = newton(flow, without).fixed_point
        else:
            vanished = size < SMALL_COHERENCE * SMALL_COHERENCE and neutral < STATIONARY
            incoherent = FixedPoint(flow, without, np.zeros(0), 0j) if vanished else None
        if incoherent is not None and (incoherent.stable or size == 0):
            return incoherent, 0.0
    if not use_jacobian:
        stationary = neutral < STATIONARY and (charged < STATIONARY * size or size == 0)
        return (FixedPoint(flow, state, np.zeros(0), 0j), 0.0) if stationary else (None, np.inf)
    found = newton(flow, state, SEARCH_RADIUS).fixed_point if max(charged, neutral) < 1 else None
    return found, np.inf if found is None else float(abs(found.state - state).max()) / max(size, COHERENCE_ERROR)


@dataclass(frozen=True)
class Convergence:
    """The fixed point (None: not reached), the last state, status and steps of the last stretch, and the time."""

    fixed_point: FixedPoint | None
    state: np.ndarray
    status: int
    steps: int
    time: float


def converge(flow: Flow, *, stretch: float, longest: float, stretch_growth: float = 1.0) -> Convergence:
    """Integrate until the motion has converged to a fixed point, stable or not, at most for the time `longest`.

    Convergence is tested after each stretch; the next one is `stretch_growth` times as long, or as long as convergence should
    take, in the frame in which the state rotates least: near a fixed point it is almost constant there, and steps are long.
    """
    state, time, span = flow.start, 0.0, stretch
    approach = Approach.initial(np.array([state_scale(flow, state)]))
    while True:
        report(text=f"time {time:.3g}")
        solution = run(flow, state, np.array([0.0, span]))
        if solution.status != DONE:
            return Convergence(None, state, solution.status, solution.steps, time)
        state, time, stretch = solution.states[-1], time + span, stretch_growth * stretch
        fading = approach.fading(np.array([state_scale(flow, state)]))[0]
        found, distance = fixed_point_near(flow, state, bool(fading))
        distances = np.array([distance])
        accepted = approach.accepted(distances)[0] and found is not None and (found.stable or distance < THERE)
        if accepted or time >= longest:
            return Convergence(found if accepted else None, state, DONE, solution.steps, time)
        wait = approach.wait(distances, found.growth[:1])[0] if found is not None and found.growth.size else np.inf
        flow, span = corotating_flow(flow, state), min(max(stretch, wait if wait < np.inf else 0.0), longest - time)


def with_tangent(flow: Flow) -> Flow:
    """The flow of a state followed by a tangent vector."""
    return replace(
        flow, nonlinear=flow.tangent, decay=np.tile(flow.decay, 2), start=np.tile(flow.start, 2), real=np.tile(flow.real, 2),
        symmetry=None if flow.symmetry is None else np.tile(flow.symmetry, 2),
    )  # fmt: skip
