"""Long-time averages of a flow, as it moves: windows of samples, exact winding numbers, the growth of a deviation.

Averages use the window exp(-1/(x (1-x))), which is flat at both ends. For periodic and quasi-periodic motion they
converge faster than any power of the length, for irregular motion as its square root: so how far two windows agree
tells the two apart (S. Das, Y. Saiki, E. Sander, J. A. Yorke, Nonlinearity 30, 4111 (2017)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinsync.problems.flow.exponential_adams import DONE, velocities
from spinsync.problems.flow.fixed_points import doubled, run
from spinsync.problems.flow.record import Flow

PIECE = 256  # samples between two looks at the deviation
WIDE = 1.0  # radians between two samples; more is looked at more closely
FINER, DEEPEST = 32, 4  # by this factor, so many times
SLOW = 200  # samples of a period; faster motion is well served by the window
ALIKE = 1e-4  # two periods of the same motion
LIGHT = 4000  # numbers of states for whose velocities no machine code is made
FAINT = 1e-4  # the phase of what is always smaller is not counted


@dataclass(frozen=True)
class Track:
    """A window of motion: samples at even distance `step`, and where it ends.

    charged, neutral : arrays of shape (sample, group)
    turned : how far each phase -arg(charged) moved in each interval, whole turns included, (sample - 1, group)
    grown : growth of ln |deviation| in each interval, (sample - 1,), across the directions of common phase and motion
    state, deviation : at the end
    grazing : a phase could not be followed through zero
    """

    charged: np.ndarray
    neutral: np.ndarray
    turned: np.ndarray
    grown: np.ndarray
    step: float
    state: np.ndarray
    deviation: np.ndarray
    grazing: bool
    status: int
    steps: int

    def whole_periods(self) -> np.ndarray | None:
        """Weights of the last two slips of two phases past each other, if they are alike; None where they are not.

        Then the motion is periodic in all that a common phase leaves, and two periods tell what it does.
        """
        total = self.turned.sum(axis=0)
        fast, slow = int(np.argmax(total)), int(np.argmin(total))
        each = self.turned[:, fast] - self.turned[:, slow]
        passed = np.concatenate([[0.0], np.cumsum(each)])
        steepest = int(np.argmax(each[: np.searchsorted(np.maximum.accumulate(passed), 2 * np.pi)])) if len(each) else 0
        levels = np.arange(passed[steepest] + each[steepest] / 2, passed.max(), 2 * np.pi)
        if len(levels) < 3:
            return None
        k = np.searchsorted(np.maximum.accumulate(passed), levels[-3:]) - 1  # the interval in which each is passed
        if k[0] < 1 or k[-1] + 2 >= len(self.charged):
            return None
        around = k[:, None] + np.arange(-1, 3)
        moment = np.sum(_cubic(passed[around], levels[-3:]) * around, axis=1)  # time as a cubic of what is passed
        period = moment[1] - moment[0]
        if period < SLOW or not abs(moment[2] - 2 * moment[1] + moment[0]) < ALIKE * period:
            return None
        weight = _cubic(around, moment)[:, :, None]
        s, z = np.sum(weight * self.charged[around], axis=1), np.sum(weight * self.neutral[around], axis=1)
        products = s[:, :, None].conj() * s[:, None, :]
        if abs(products[2] - products[1]).max() > ALIKE * abs(products).max() or abs(z[2] - z[1]).max() > ALIKE:
            return None
        edges = np.clip(np.arange(len(each) + 1), moment[0], moment[2])
        return np.asarray(np.diff(edges) / (moment[2] - moment[0]))


def _cubic(nodes: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Weights (point, 4) of the cubics through four nodes (point, 4) each, at one place each."""
    weights = np.ones(nodes.shape)
    for i in range(4):
        for j in range(4):
            if i != j:
                weights[:, i] *= (at - nodes[:, j]) / (nodes[:, i] - nodes[:, j])
    return weights


def bump(samples: int) -> np.ndarray:
    """Weights exp(-1/(x (1-x))) at the middles of even intervals, with sum 1."""
    x = (np.arange(samples) + 0.5) / samples
    w = np.exp(4 - 1 / (x * (1 - x)))
    return np.asarray(w / w.sum())


def without(along: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Vectors (..., component) without their parts along directions that may be zero, as real vectors."""
    norm = np.sum(abs(along) ** 2, axis=-1, keepdims=True)
    part = np.sum((along.conj() * v).real, axis=-1, keepdims=True)
    return np.asarray(v - along * np.divide(part, norm, out=np.zeros_like(norm), where=norm > 0))


def _across(flow: Flow, states: np.ndarray, deviations: np.ndarray) -> np.ndarray:
    """Deviations without their part along the common phase and along the motion, where none grows or shrinks for long."""
    onward = np.empty_like(states)
    call = velocities.without_compiling if states.size <= LIGHT else velocities
    call(flow.nonlinear, flow.decay, flow.table, flow.coupling, states, onward)
    phase = flow.along_phase(states)
    return without(without(phase, onward), without(phase, deviations))


def _turn(flow: Flow, state: np.ndarray, span: float, group: int, depth: int) -> tuple[float, bool]:
    """How far the phase of one group moves in a short time during which it may pass close to zero."""
    solution = run(flow, state, np.linspace(0, span, FINER + 1))
    s = flow.groups(solution.states)[0][:, group]
    moved = -np.angle(s[1:] * s[:-1].conj())
    grazing = False
    for k in np.flatnonzero(abs(moved) > WIDE).tolist():
        if depth == 0:
            grazing = True
        else:
            moved[k], below = _turn(flow, solution.states[k], span / FINER, group, depth - 1)
            grazing |= below
    return float(moved.sum()), grazing


def track(flow: Flow, state: np.ndarray, deviation: np.ndarray, samples: int, step: float) -> Track:
    """Follow a state and a small deviation from it over `samples` intervals of length `step`."""
    both, n = doubled(flow), state.size
    charged, neutral, turned, grown = [], [], [], []
    grazing, done, steps = False, 0, 0
    while done < samples:
        count = min(PIECE, samples - done)
        deviation = _across(flow, state[None, :], deviation[None, :])[0]
        start = np.concatenate([state, deviation / np.linalg.norm(deviation)])
        solution = run(both, start, np.arange(count + 1) * step)
        steps += solution.steps
        if solution.status != DONE:
            break
        states, deviations = np.ascontiguousarray(solution.states[:, :n]), solution.states[:, n:]
        s, z = flow.groups(states)
        moved = -np.angle(s[1:] * s[:-1].conj())
        bright = abs(s).max(axis=0) > FAINT
        for k, a in np.argwhere((abs(moved) > WIDE) & bright).tolist():
            moved[k, a], lost = _turn(flow, states[k], step, a, DEEPEST)
            grazing |= lost
        charged.append(s[:-1])
        neutral.append(z[:-1])
        turned.append(moved)
        grown.append(np.diff(np.log(np.linalg.norm(_across(flow, states, deviations), axis=1))))
        state, deviation, done = states[-1].copy(), deviations[-1].copy(), done + count
    if not charged:
        s, z = flow.groups(state[None, :])
        charged, neutral, turned, grown = [s], [z], [np.zeros_like(s, float)], [np.zeros(1)]
    return Track(
        np.concatenate(charged), np.concatenate(neutral), np.concatenate(turned), np.concatenate(grown), step, state,
        deviation, grazing, solution.status, steps,
    )  # fmt: skip
