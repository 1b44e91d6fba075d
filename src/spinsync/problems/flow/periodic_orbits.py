"""Limit cycles, periodic up to a common phase: the period, one period of samples, and the leading Floquet exponent.

A return of the state, rotated by a common phase, shows periodicity earlier than averages do: the remaining distance shrinks
by the leading Floquet multiplier per period, so that some dozen periods are enough where averages need thousands. Arnoldi's
method finds the largest multipliers of the linearized map of one period.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinsync.problems.flow.approach import NEAR
from spinsync.problems.flow.exponential_adams import DONE
from spinsync.problems.flow.fixed_points import run, with_tangent
from spinsync.problems.flow.orbit_averages import project_out
from spinsync.problems.flow.record import Flow

CHECK_PERIODS = 4  # periods between two convergence tests
RETURN_DISTANCE = 0.3  # relative to the diameter of the orbit: a nearer state may be a return
CONVERGED = 1e-5  # distance from the limit of the returns, relative to the diameter of the orbit
STEP_ERROR = 2e-7  # distance relative to the state that is an error of the time steps
SMALLEST_ORBIT = 1e-3  # motion relative to the state: less is a relaxation oscillation around a fixed point
SLOW_CONVERGENCE, MOST_EXTRAPOLATIONS = 0.95, 8  # ratio of successive distances above which the state is extrapolated
OVERSAMPLING = 16  # Fourier interpolation of a period
MOST_NUMBERS = 2e7  # numbers in the samples from which a period is guessed
LEAST_SAMPLES = 64  # samples of a period
MOST_ARNOLDI = 24  # dimension of the Krylov space
EQUAL_DISTANCE = 0.02  # relative to the diameter of the orbit: two distances that count as equal
TANGENT_SIZE = 1e-4  # length of a tangent vector, small so that it does not shorten the time steps
EXPONENT_ERROR = 1e-4  # relative residual at which Arnoldi's method stops; non-normal modes err by a few times as much


@dataclass(frozen=True)
class Cycle:
    """One period of a limit cycle, sampled at even distances, the end point excluded.

    charged, neutral : arrays of shape (sample, group); the common phase goes on evenly from one period to the next
    phase_increment : of the common phase in a period, in the frame of the flow
    growth, error : the leading Floquet exponent (real part) orthogonal to the phase and flow directions, and its error
    """

    flow: Flow
    state: np.ndarray
    period: float
    phase_increment: float
    charged: np.ndarray
    neutral: np.ndarray
    growth: float
    error: float


@dataclass(frozen=True)
class CycleSearch:
    """The cycle, or None, the last state (component,), and the integrator's status."""

    cycle: Cycle | None
    state: np.ndarray
    status: int


def aligned(flow: Flow, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, float]:
    """`second` rotated by the phase that brings it closest to `first`, and this phase, which grows with +frequency."""
    phase = float(flow.phase_behind(first, second))
    return flow.rotated(second, phase), phase


def _guess_period(states: np.ndarray, charged: np.ndarray) -> tuple[float, float]:
    """The shortest lag, in samples, after which states (sample, component) return to the last one up to a common phase.

    0 if none returns or they hardly move. And the diameter of the orbit: the largest distance from the last state."""
    last, past = states[-1], states[::-1]
    overlap = abs(past[:, charged] @ last[charged].conj())
    square = np.sum(abs(past[:, charged]) ** 2, axis=1) + overlap[0] - 2 * overlap
    square = np.maximum(square + np.sum(abs(past[:, ~charged] - last[~charged]) ** 2, axis=1), 0.0)
    left = np.argmax(square > RETURN_DISTANCE**2 * square.max())  # going back in time, the orbit has left the last state
    middle = np.arange(1, len(square) - 1)
    low = middle[(square[1:-1] <= square[:-2]) & (square[1:-1] < square[2:]) & (middle > left)]
    slope, curvature = (square[low + 1] - square[low - 1]) / 2, square[low + 1] + square[low - 1] - 2 * square[low]
    distance = np.sqrt(np.maximum(square[low] - slope**2 / (2 * curvature), 0.0))  # between samples, by a parabola
    diameter = np.sqrt(square.max())
    near = low[distance < min(2 * distance.min(initial=np.inf) + EQUAL_DISTANCE * diameter, RETURN_DISTANCE * diameter)]
    moves = len(near) and diameter > SMALLEST_ORBIT * np.linalg.norm(last)
    return float(near[0]) if moves else 0.0, float(diameter)


def _neutral_directions(flow: Flow, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The phase direction (component,), zero without a symmetry, and the flow direction orthogonal to it."""
    phase = flow.phase_direction(state)
    return phase, project_out(phase, flow.velocity(state))


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sum((a.conj() * b).real))


def find_cycle(flow: Flow, state: np.ndarray, longest: float) -> CycleSearch:
    """A stable cycle with a period below `longest`: guess the period from samples, then follow returns while they converge."""
    samples = int(np.ceil(min(2 * longest * flow.fastest_rate, 1e9)))
    if samples * state.size > MOST_NUMBERS:
        return CycleSearch(None, state, DONE)
    solution = run(flow, state, np.linspace(0, 2 * longest, samples + 1))
    if solution.status != DONE:
        return CycleSearch(None, state, solution.status)
    state = solution.states[-1]
    (lag, diameter), before, extrapolations = _guess_period(solution.states, flow.charged), np.inf, 0
    period = lag * 2 * longest / samples
    while 0 < period < longest:
        solution = run(flow, state, period * np.arange(CHECK_PERIODS + 1))
        if solution.status != DONE:
            return CycleSearch(None, state, solution.status)
        last, state = solution.states[-2:]
        phase, motion = _neutral_directions(flow, last)
        if np.linalg.norm(motion) * period < SMALLEST_ORBIT * np.linalg.norm(last):
            break
        displacement = project_out(phase, aligned(flow, last, state)[0] - last)
        period = period - _dot(motion, displacement) / _dot(motion, motion)
        distance = float(np.linalg.norm(project_out(motion, displacement)))
        errors = STEP_ERROR * float(np.linalg.norm(state))
        if distance > SLOW_CONVERGENCE * before and distance > errors:
            ratio = (distance / before) ** (1 / CHECK_PERIODS)  # of two successive returns, which form a geometric series
            if ratio >= 1 or distance / (1 - ratio) > RETURN_DISTANCE * diameter or extrapolations == MOST_EXTRAPOLATIONS:
                break
            angle = aligned(flow, last, state)[1]
            state = state + flow.rotated(project_out(motion, displacement), -angle) * ratio / (1 - ratio)
            before, extrapolations = np.inf, extrapolations + 1
            continue
        if distance < max(CONVERGED * diameter * (1 - min(distance / before, 1.0) ** (1 / CHECK_PERIODS)), errors):
            growth, error, mode = floquet_exponent(flow, state, period)
            if growth > max(2 * error, 1e-6 / period):  # an unstable orbit in an invariant subspace
                return CycleSearch(None, state + NEAR * np.linalg.norm(state) * mode, DONE)
            return CycleSearch(_sampled_cycle(flow, state, period, growth, error), state, DONE)
        before = distance
    return CycleSearch(None, state, DONE)


def floquet_exponent(flow: Flow, state: np.ndarray, period: float) -> tuple[float, float, np.ndarray]:
    """Leading Floquet exponent (real part) orthogonal to phase and flow direction, its error, and the mode (component,).

    At a fixed point (`state` does not move, or with the common phase alone) the growth rate, for any `period`.
    """
    doubled, n = with_tangent(flow), state.size
    phase, motion = _neutral_directions(flow, state)
    if np.linalg.norm(motion) < 1e-6 * np.linalg.norm(flow.decay * state):
        motion = np.zeros_like(state)  # a fixed point
    rng = np.random.default_rng(7)
    random = rng.standard_normal(n) + 1j * rng.standard_normal(n)
    vector = project_out(motion, project_out(phase, np.where(flow.real, rng.standard_normal(n), random)))
    basis = [vector / np.linalg.norm(vector)]
    hessenberg = np.zeros((MOST_ARNOLDI + 1, MOST_ARNOLDI))
    growth, error = -np.inf, np.inf
    for k in range(MOST_ARNOLDI):
        end = run(doubled, np.concatenate([state, TANGENT_SIZE * basis[k]]), np.array([0.0, period])).states[-1]
        angle = aligned(flow, state, end[:n])[1]
        vector = project_out(motion, project_out(phase, flow.rotated(end[n:] / TANGENT_SIZE, angle)))
        for _ in range(2):
            for i, one in enumerate(basis):
                overlap = _dot(one, vector)
                hessenberg[i, k] += overlap
                vector = vector - overlap * one
        hessenberg[k + 1, k] = np.linalg.norm(vector)
        values, vectors = np.linalg.eig(hessenberg[: k + 1, : k + 1])
        top = int(np.argmax(abs(values)))
        size = abs(values[top])
        growth = float(np.log(max(size, 1e-300))) / period
        error = float(hessenberg[k + 1, k] * abs(vectors[k, top])) / max(size, 1e-300) / period
        if error < EXPONENT_ERROR * max(abs(growth), 1e-3 / period) or hessenberg[k + 1, k] < 1e-12:
            break
        basis.append(vector / hessenberg[k + 1, k])
    mode = np.sum([c * one for c, one in zip(vectors[:, top].real, basis, strict=False)], axis=0)
    return growth, error, np.asarray(mode / max(np.linalg.norm(mode), 1e-300))


def _sampled_cycle(flow: Flow, state: np.ndarray, period: float, growth: float, error: float) -> Cycle | None:
    """One period from `state`, finely sampled; None if the motion has decayed to a fixed point."""
    count = max(LEAST_SAMPLES, int(np.ceil(2 * period * flow.fastest_rate)))
    states = run(flow, state, np.linspace(0, period, count + 1)).states
    angle = aligned(flow, states[0], states[-1])[1]
    moved = [np.linalg.norm(aligned(flow, states[0], one)[0] - states[0]) for one in states[:: max(count // 16, 1)]]
    if max(moved) < SMALLEST_ORBIT * np.linalg.norm(states[0]):
        return None
    s, z = flow.groups(states[:-1])
    back = np.exp(1j * angle * np.arange(count) / count)[:, None]
    even = angle * np.arange(OVERSAMPLING * count)[:, None] / (OVERSAMPLING * count)
    fine = _interpolated(s * back) * np.exp(-1j * even)
    return Cycle(flow, state, period, angle, fine, _interpolated(z + 0j).real, growth, error)


def _interpolated(values: np.ndarray) -> np.ndarray:
    """Periodic samples (sample, group) at OVERSAMPLING times as many points, by Fourier interpolation."""
    count = len(values)
    modes = np.fft.fft(values, axis=0)
    padded = np.zeros((OVERSAMPLING * count, values.shape[1]), complex)
    half = count // 2
    padded[: half + count % 2], padded[-half:] = modes[: half + count % 2], modes[-half:]
    return np.asarray(np.fft.ifft(padded, axis=0) * OVERSAMPLING)
