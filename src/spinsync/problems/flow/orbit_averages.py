"""Time averages along an orbit: samples at even distances, exact winding numbers, the growth of a tangent vector.

Averages use the weight function exp(-1/(x (1-x))), which is flat at both ends. For periodic and quasi-periodic motion they
converge faster than any power of the length, for irregular motion like its inverse square root: so the difference between
two windows tells the two apart (S. Das, Y. Saiki, E. Sander, J. A. Yorke, Nonlinearity 30, 4111 (2017)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinsync.problems.flow.exponential_adams import DONE, velocities
from spinsync.problems.flow.fixed_points import run, with_tangent
from spinsync.problems.flow.record import Flow

BLOCK = 256  # samples after which the tangent vector is normalized
LARGE_INCREMENT = 1.0  # phase increment between two samples, in radians, above which the interval is sampled more finely
REFINEMENT, DEEPEST = 32, 4  # factor of one refinement, and the most nested refinements
LEAST_PERIOD = 200  # samples; averages over faster motion need no whole periods
SAME_PERIOD = 1e-4  # relative difference of two periods of the same motion
FEW_NUMBERS = 4000  # numbers in states up to which their velocities are computed without machine code
SMALL_AMPLITUDE = 1e-4  # the phase of a group whose amplitude always stays below is not refined


@dataclass(frozen=True)
class OrbitSamples:
    """An orbit sampled at even distances `step`, and where it ends.

    charged, neutral : arrays of shape (sample, group)
    phase_increments : how far each phase -arg(charged) moves in each interval, unwrapped, (sample - 1, group)
    growth_increments : growth of ln |tangent vector| in each interval, orthogonal to phase and flow direction, (sample - 1,)
    state, tangent : at the end, (component,)
    phase_undefined : whether a phase was lost because a group passed too close to zero coherence
    """

    charged: np.ndarray
    neutral: np.ndarray
    phase_increments: np.ndarray
    growth_increments: np.ndarray
    step: float
    state: np.ndarray
    tangent: np.ndarray
    phase_undefined: bool
    status: int
    steps: int

    def period_weights(self) -> np.ndarray | None:
        """Averaging weights (sample - 1,) over the last two beats of the fastest and the slowest phase; None if they differ.

        If they agree, the motion is periodic up to a common phase, and averages over two periods are exact.
        """
        total = self.phase_increments.sum(axis=0)
        fast, slow = int(np.argmax(total)), int(np.argmin(total))
        each = self.phase_increments[:, fast] - self.phase_increments[:, slow]
        passed = np.concatenate([[0.0], np.cumsum(each)])
        steepest = int(np.argmax(each[: np.searchsorted(np.maximum.accumulate(passed), 2 * np.pi)])) if len(each) else 0
        levels = np.arange(passed[steepest] + each[steepest] / 2, passed.max(), 2 * np.pi)
        if len(levels) < 3:
            return None
        k = np.searchsorted(np.maximum.accumulate(passed), levels[-3:]) - 1  # the interval that contains each level
        if k[0] < 1 or k[-1] + 2 >= len(self.charged):
            return None
        around = k[:, None] + np.arange(-1, 3)
        moment = np.sum(_cubic(passed[around], levels[-3:]) * around, axis=1)  # by inverse cubic interpolation
        period = moment[1] - moment[0]
        if period < LEAST_PERIOD or not abs(moment[2] - 2 * moment[1] + moment[0]) < SAME_PERIOD * period:
            return None
        weight = _cubic(around, moment)[:, :, None]
        s, z = np.sum(weight * self.charged[around], axis=1), np.sum(weight * self.neutral[around], axis=1)
        products = s[:, :, None].conj() * s[:, None, :]
        change = abs(products[2] - products[1]).max()
        if change > SAME_PERIOD * abs(products).max() or abs(z[2] - z[1]).max() > SAME_PERIOD:
            return None
        edges = np.clip(np.arange(len(each) + 1), moment[0], moment[2])
        return np.asarray(np.diff(edges) / (moment[2] - moment[0]))


def _cubic(nodes: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Weights (point, 4) of cubic Lagrange interpolation from nodes (point, 4) to `at` (point,)."""
    weights = np.ones(nodes.shape)
    for i in range(4):
        for j in range(4):
            if i != j:
                weights[:, i] *= (at - nodes[:, j]) / (nodes[:, i] - nodes[:, j])
    return weights


def smooth_weights(samples: int) -> np.ndarray:
    """Weights exp(-1/(x (1-x))) at the midpoints of even intervals, with sum 1, (sample,)."""
    x = (np.arange(samples) + 0.5) / samples
    w = np.exp(4 - 1 / (x * (1 - x)))
    return np.asarray(w / w.sum())


def project_out(direction: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Vectors (..., component) orthogonal to directions that may be zero, as real vectors."""
    norm = np.sum(abs(direction) ** 2, axis=-1, keepdims=True)
    overlap = np.sum((direction.conj() * v).real, axis=-1, keepdims=True)
    return np.asarray(v - direction * np.divide(overlap, norm, out=np.zeros_like(norm), where=norm > 0))


def _transverse(flow: Flow, states: np.ndarray, tangents: np.ndarray) -> np.ndarray:
    """Tangent vectors orthogonal to the phase and flow directions, in which none grows or shrinks for long."""
    velocity = np.empty_like(states)
    call = velocities.without_compiling if states.size <= FEW_NUMBERS else velocities
    call(flow.nonlinear, flow.decay, flow.table, flow.coupling, states, velocity)
    phase = flow.phase_direction(states)
    return project_out(project_out(phase, velocity), project_out(phase, tangents))


def _phase_increment(flow: Flow, state: np.ndarray, span: float, group: int, depth: int) -> tuple[float, bool]:
    """The phase increment of one group that passes close to zero coherence within `span`, and whether it is undefined."""
    solution = run(flow, state, np.linspace(0, span, REFINEMENT + 1))
    s = flow.groups(solution.states)[0][:, group]
    increments = -np.angle(s[1:] * s[:-1].conj())
    undefined = False
    for k in np.flatnonzero(abs(increments) > LARGE_INCREMENT).tolist():
        if depth == 0:
            undefined = True
        else:
            increments[k], below = _phase_increment(flow, solution.states[k], span / REFINEMENT, group, depth - 1)
            undefined |= below
    return float(increments.sum()), undefined


def sample_orbit(flow: Flow, state: np.ndarray, tangent: np.ndarray, samples: int, step: float) -> OrbitSamples:
    """Integrate a state and a tangent vector (component,) over `samples` intervals of length `step`."""
    doubled, n = with_tangent(flow), state.size
    charged, neutral, phases, growths = [], [], [], []
    undefined, done, steps = False, 0, 0
    while done < samples:
        count = min(BLOCK, samples - done)
        tangent = _transverse(flow, state[None, :], tangent[None, :])[0]
        start = np.concatenate([state, tangent / np.linalg.norm(tangent)])
        solution = run(doubled, start, np.arange(count + 1) * step)
        steps += solution.steps
        if solution.status != DONE:
            break
        states, tangents = np.ascontiguousarray(solution.states[:, :n]), solution.states[:, n:]
        s, z = flow.groups(states)
        increments = -np.angle(s[1:] * s[:-1].conj())
        coherent = abs(s).max(axis=0) > SMALL_AMPLITUDE
        for k, a in np.argwhere((abs(increments) > LARGE_INCREMENT) & coherent).tolist():
            increments[k, a], lost = _phase_increment(flow, states[k], step, a, DEEPEST)
            undefined |= lost
        charged.append(s[:-1])
        neutral.append(z[:-1])
        phases.append(increments)
        growths.append(np.diff(np.log(np.linalg.norm(_transverse(flow, states, tangents), axis=1))))
        state, tangent, done = states[-1].copy(), tangents[-1].copy(), done + count
    if not charged:
        s, z = flow.groups(state[None, :])
        charged, neutral, phases, growths = [s], [z], [np.zeros_like(s, float)], [np.zeros(1)]
    return OrbitSamples(
        np.concatenate(charged), np.concatenate(neutral), np.concatenate(phases), np.concatenate(growths), step, state,
        tangent, undefined, solution.status, steps,
    )  # fmt: skip
