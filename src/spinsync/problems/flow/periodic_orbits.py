"""Motion that repeats itself up to a common phase: its period, one turn of it, and how fast it attracts.

The state, not an average, tells that a motion is periodic: it comes back, turned by a common phase. What is left of the
distance after one period shrinks with the slowest multiplier, so that a few dozen periods show what averages need thousands
for. The multipliers are those of the linearized map of one period; Arnoldi's method finds the largest of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinsync.problems.flow.approach import NEAR
from spinsync.problems.flow.exponential_adams import DONE
from spinsync.problems.flow.fixed_points import doubled, run
from spinsync.problems.flow.orbit_averages import without
from spinsync.problems.flow.record import Flow

ROUND = 4  # periods between two looks at how much is left of the distance
BACK = 0.3  # of the largest distance between two states of the motion: this close may be a return
RETURNED = 1e-5  # distance to where the returns lead, beside the largest distance between two states
ERRORS = 2e-7  # distance beside the size of the state that is nothing but errors of the steps
SMALLEST = 1e-3  # motion beside the size of the state: less is ringing around a state of rest
SLOW, LEAPS = 0.95, 8  # of the distance left after a round: the motion leaps ahead instead, so often
FINE = 16  # points between two samples, by Fourier's series
MOST_NUMBERS = 2e7  # of the samples to guess a period from
FEWEST = 64  # samples of a period
DIRECTIONS = 24  # of Arnoldi's method
CLOSE = 0.02  # of it: two distances between samples that are as good as equal
SMALL = 1e-4  # length of a deviation, so that its steps are no shorter than those of the state
SURE = 1e-4  # relative residual of an exponent at which it stops: modes that are not orthogonal err by some times as much


@dataclass(frozen=True)
class Cycle:
    """One period of a motion, at even distances, its end not repeated.

    charged, neutral : arrays of shape (sample, group); the common phase goes on evenly from one period to the next
    turned : of this phase, in a period and in the frame of the flow
    growth, error : the largest growth rate of a deviation, across the directions of common phase and motion
    """

    flow: Flow
    state: np.ndarray
    period: float
    turned: float
    charged: np.ndarray
    neutral: np.ndarray
    growth: float
    error: float


@dataclass(frozen=True)
class Search:
    """What a search for a cycle came to: the cycle if there is one, the last state, and the integrator's status."""

    cycle: Cycle | None
    state: np.ndarray
    status: int


def matched(flow: Flow, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, float]:
    """`second` turned by a common phase to come as close to `first` as it can, and that phase, which grows with +frequency."""
    phase = float(flow.behind(first, second))
    return flow.rotated(second, phase), phase


def _guess(states: np.ndarray, charged: np.ndarray) -> tuple[float, float]:
    """The shortest lag, in samples, after which the motion comes back close to where it ends, up to a common phase.

    0 where it does not, or hardly moves; and the largest distance of two states.
    """
    last, past = states[-1], states[::-1]
    overlap = abs(past[:, charged] @ last[charged].conj())
    square = np.sum(abs(past[:, charged]) ** 2, axis=1) + overlap[0] - 2 * overlap
    square = np.maximum(square + np.sum(abs(past[:, ~charged] - last[~charged]) ** 2, axis=1), 0.0)
    left = np.argmax(square > BACK**2 * square.max())  # the motion has left where it ends
    middle = np.arange(1, len(square) - 1)
    low = middle[(square[1:-1] <= square[:-2]) & (square[1:-1] < square[2:]) & (middle > left)]
    slope, bend = (square[low + 1] - square[low - 1]) / 2, square[low + 1] + square[low - 1] - 2 * square[low]
    distance = np.sqrt(np.maximum(square[low] - slope**2 / (2 * bend), 0.0))  # between the samples, by a parabola
    most = np.sqrt(square.max())
    near = low[distance < min(2 * distance.min(initial=np.inf) + CLOSE * most, BACK * most)]
    return float(near[0]) if len(near) and most > SMALLEST * np.linalg.norm(last) else 0.0, float(most)


def _onward(flow: Flow, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Directions along the common phase, zero where there is none, and along the motion across it."""
    phase = flow.along_phase(state)
    return phase, without(phase, flow.velocity(state))


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sum((a.conj() * b).real))


def search(flow: Flow, state: np.ndarray, longest: float) -> Search:
    """A stable cycle with a period below `longest`: samples to guess it from, and returns as long as they come closer."""
    samples = int(np.ceil(min(2 * longest * flow.pace, 1e9)))
    if samples * state.size > MOST_NUMBERS:
        return Search(None, state, DONE)
    seen = run(flow, state, np.linspace(0, 2 * longest, samples + 1))
    if seen.status != DONE:
        return Search(None, state, seen.status)
    state = seen.states[-1]
    (lag, most), before, leaps = _guess(seen.states, flow.charged), np.inf, 0
    period = lag * 2 * longest / samples
    while 0 < period < longest:
        seen = run(flow, state, period * np.arange(ROUND + 1))
        if seen.status != DONE:
            return Search(None, state, seen.status)
        last, state = seen.states[-2:]
        phase, motion = _onward(flow, last)
        if np.linalg.norm(motion) * period < SMALLEST * np.linalg.norm(last):
            break
        off = without(phase, matched(flow, last, state)[0] - last)
        period = period - _dot(motion, off) / _dot(motion, motion)
        left = float(np.linalg.norm(without(motion, off)))
        errors = ERRORS * float(np.linalg.norm(state))
        if left > SLOW * before and left > errors:
            share = (left / before) ** (1 / ROUND)  # of the distance, that one period leaves: the series of steps has a sum
            if share >= 1 or left / (1 - share) > BACK * most or leaps == LEAPS:
                break
            turn = matched(flow, last, state)[1]
            state = state + flow.rotated(without(motion, off), -turn) * share / (1 - share)
            before, leaps = np.inf, leaps + 1
            continue
        if left < max(RETURNED * most * (1 - min(left / before, 1.0) ** (1 / ROUND)), errors):
            growth, error, grows = exponent(flow, state, period)
            if growth > max(2 * error, 1e-6 / period):  # only a symmetry keeps the motion there
                return Search(None, state + NEAR * np.linalg.norm(state) * grows, DONE)
            return Search(_measured(flow, state, period, growth, error), state, DONE)
        before = left
    return Search(None, state, DONE)


def exponent(flow: Flow, state: np.ndarray, period: float) -> tuple[float, float, np.ndarray]:
    """The largest growth rate of a deviation from a cycle, across common phase and motion; its error, and that deviation.

    At rest (`state` moves with the common phase alone, or not at all) the same for any `period`.
    """
    both, n = doubled(flow), state.size
    phase, motion = _onward(flow, state)
    if np.linalg.norm(motion) < 1e-6 * np.linalg.norm(flow.decay * state):
        motion = np.zeros_like(state)  # at rest
    rng = np.random.default_rng(7)
    plane = rng.standard_normal(n) + 1j * rng.standard_normal(n)
    vector = without(motion, without(phase, np.where(flow.real, rng.standard_normal(n), plane)))
    basis = [vector / np.linalg.norm(vector)]
    matrix = np.zeros((DIRECTIONS + 1, DIRECTIONS))
    growth, error = -np.inf, np.inf
    for k in range(DIRECTIONS):
        moved = run(both, np.concatenate([state, SMALL * basis[k]]), np.array([0.0, period]))
        turn = matched(flow, state, moved.states[-1, :n])[1]
        vector = without(motion, without(phase, flow.rotated(moved.states[-1, n:] / SMALL, turn)))
        for _ in range(2):
            for i, one in enumerate(basis):
                part = _dot(one, vector)
                matrix[i, k] += part
                vector = vector - part * one
        matrix[k + 1, k] = np.linalg.norm(vector)
        values, vectors = np.linalg.eig(matrix[: k + 1, : k + 1])
        top = int(np.argmax(abs(values)))
        size = abs(values[top])
        growth = float(np.log(max(size, 1e-300))) / period
        error = float(matrix[k + 1, k] * abs(vectors[k, top])) / max(size, 1e-300) / period
        if error < SURE * max(abs(growth), 1e-3 / period) or matrix[k + 1, k] < 1e-12:
            break
        basis.append(vector / matrix[k + 1, k])
    grows = np.sum([c * one for c, one in zip(vectors[:, top].real, basis, strict=False)], axis=0)
    return growth, error, np.asarray(grows / max(np.linalg.norm(grows), 1e-300))


def _measured(flow: Flow, state: np.ndarray, period: float, growth: float, error: float) -> Cycle | None:
    """What the motion does within a period; None where it fades to rest."""
    count = max(FEWEST, int(np.ceil(2 * period * flow.pace)))
    states = run(flow, state, np.linspace(0, period, count + 1)).states
    turned = matched(flow, states[0], states[-1])[1]
    moved = [np.linalg.norm(matched(flow, states[0], one)[0] - states[0]) for one in states[:: max(count // 16, 1)]]
    if max(moved) < SMALLEST * np.linalg.norm(states[0]):
        return None
    s, z = flow.groups(states[:-1])
    back = np.exp(1j * turned * np.arange(count) / count)[:, None]
    even = turned * np.arange(FINE * count)[:, None] / (FINE * count)
    fine = _finer(s * back) * np.exp(-1j * even)
    return Cycle(flow, state, period, turned, fine, _finer(z + 0j).real, growth, error)


def _finer(values: np.ndarray) -> np.ndarray:
    """Periodic samples (sample, group) at FINE times as many places, by Fourier's series."""
    count = len(values)
    modes = np.fft.fft(values, axis=0)
    more = np.zeros((FINE * count, values.shape[1]), complex)
    half = count // 2
    more[: half + count % 2], more[-half:] = modes[: half + count % 2], modes[-half:]
    return np.asarray(np.fft.ifft(more, axis=0) * FINE)
