"""Time evolution on a lattice: the shift-and-invert Krylov method in a truncation window that follows the state.

All charges share window and steps. What has left the window, in the 1-norm, is an upper bound of the truncation error: the
motion never increases that norm, as in each column of L the diagonal outweighs the other entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial, reduce

import numpy as np

from spinsync.base.interrupts import check_interrupt
from spinsync.base.progress import report
from spinsync.problems.linear.bases import ALLOWED, LEAST_ACCURATE, VANISHED, steps_left
from spinsync.problems.linear.sectors import Lattice, Window
from spinsync.problems.linear.shift_invert import (
    GROWTH,
    LARGEST_SHIFT,
    LONGEST,
    MOST_STEPS,
    MOST_VECTORS,
    hopeless,
    next_shift,
)
from spinsync.problems.linear.state_lattice.sparse_lu import afford
from spinsync.problems.linear.state_lattice.truncation import (
    area,
    doubled,
    enlarged,
    hull,
    smallest_window,
    transferred,
    with_moved_sides,
    with_neighbours,
)
from spinsync.problems.linear.state_lattice.windowed_blocks import NODES, Block, Course

MARGIN = 1e-4  # of the allowed loss: edges that lose more than this are moved, as longer steps lose more there
LEAST = NODES // 8  # nodes up to which the loss must be small: otherwise the step is repeated in a larger window
SMALLER = 0.7  # of its area, below which a smaller window replaces the present one
TIMES = 32  # output times that are computed together


@dataclass(frozen=True)
class Piece:
    """States at consecutive times, {q: array of shape (time, component)}, on a truncated lattice."""

    lattice: Lattice
    states: Mapping[int, np.ndarray]


def motion(full: Lattice, start: Mapping[int, np.ndarray], times: np.ndarray) -> Iterator[Piece]:
    """exp(L (t - times[0])) start at each of `times`, in order; the first state is on the full lattice.

    start : charge q -> vector on the full lattice

    Raises OverflowError if steps get too small or too many, or rates are too large for double precision; TooLargeError if
    memory can't hold a window.
    """
    yield Piece(full, {q: vector[None] for q, vector in start.items()})
    if times.size == 1:
        return
    run, time, recorded, last, grown = MovingWindow(full, start), float(times[0]), 1, 0.0, False
    for steps in range(MOST_STEPS):
        check_interrupt()
        remaining = float(times[-1]) - time
        if hopeless(steps, remaining, run.longest_shift):
            break
        expected = steps + max(steps_left(remaining, last, GROWTH if grown else 1.0), 1.0)
        courses, step = run.step(remaining, partial(_tell, steps, expected))
        grown, last = step > last, step or last
        if not step:
            continue
        until = int(np.searchsorted(times, time + step * (1 + 1e-12), "right"))
        for first in range(recorded, until, TIMES):
            yield run.piece(courses, times[first : min(first + TIMES, until)] - time)
        if until == times.size:
            return
        run.go_on(courses, step)
        time, recorded = time + step, until
    raise OverflowError


class MovingWindow:
    """The state at one time, its window, and the shift g of the next Krylov spaces, those of (1 - g L)^-1."""

    def __init__(self, full: Lattice, start: Mapping[int, np.ndarray]) -> None:
        self._full = full
        self._start_norms = {q: _norms(vector) for q, vector in start.items()}
        self._states, self._sites = _without_vanished(start), {q: full.sites(q) for q in start}
        self._blocks, self._window = dict[int, Block](), full.full_window
        self._enter(self._needed_window())
        self._g = 1 / self._fastest

    @property
    def _fastest(self) -> float:
        return max((block.fastest for block in self._blocks.values()), default=0.0) or 1e-300

    @property
    def longest_shift(self) -> float:
        """Largest g for which solutions with 1 - g L are accurate."""
        return LARGEST_SHIFT / self._fastest

    def step(self, remaining: float, tell: Callable[[float], None]) -> tuple[dict[int, Course], float]:
        """The motion of all charges and the time for which it is accurate; 0 if the step must be tried again.
        tell : called with the completed fraction of the step"""
        afford(self._window, sum(block.itemsize for block in self._blocks.values()), MOST_VECTORS, growth=2)
        courses, accurate, whole, self._larger = dict[int, Course](), remaining, True, self._window
        for number, (q, state) in enumerate(self._states.items()):
            tell(number / len(self._states))
            block, (allowed, tolerance) = self._blocks[q], self._tolerances(q)
            course = courses[q] = block.course(self._g, state, accurate, tolerance)
            if not course.longest:
                self._g = next_shift(self._g, 0.0, self.longest_shift)
                return {}, 0.0
            whole &= course.longest >= min(LONGEST * self._g, accurate)
            lost, last = block.losses(course), abs(course.at(np.array([course.longest]))[0])
            weight = last if last.sum() > VANISHED else abs(state)
            wider = enlarged(self._full, self._window, block.sites, weight / weight.sum(), lost[:, -1], MARGIN * allowed)
            self._larger = hull(self._larger, wider)
            held = int(np.count_nonzero(lost.sum(axis=0) <= allowed))
            if held < LEAST:
                self._enter(self._larger if self._larger != self._window else doubled(self._full, self._window))
                return {}, 0.0
            accurate = course.longest * (held / NODES)
        self._g = next_shift(self._g, LONGEST * self._g if whole else accurate, self.longest_shift)
        return courses, accurate

    def piece(self, courses: Mapping[int, Course], times: np.ndarray) -> Piece:
        """States at times within a step, counted from its beginning."""
        lattice = self._full.truncated(self._window)
        gone = {q: np.zeros((len(times), len(lattice.sites(q)))) for q in self._start_norms if q not in courses}
        return Piece(lattice, gone | {q: course.at(times) for q, course in courses.items()})

    def go_on(self, courses: Mapping[int, Course], step: float) -> None:
        """Take the state at the end of a step, and the window for the next one."""
        ends = {q: course.at(np.array([step]))[0] for q, course in courses.items()}
        self._states = _without_vanished(ends)
        target = with_moved_sides(self._needed_window(), self._window, self._larger)
        if self._larger != self._window or area(target) < SMALLER * area(self._window):
            self._enter(target)

    def _tolerances(self, q: int) -> tuple[float, float]:
        """1-norm that a step may lose, and the error of a step relative to the 2-norm."""
        now, start = _norms(self._states[q]), self._start_norms[q]
        loss, error = np.minimum(ALLOWED * start / now, LEAST_ACCURATE)
        return float(loss * now[0]), float(error)

    def _needed_window(self) -> Window:
        """The smallest window with the state of each charge, except for negligible tails."""
        needed = [
            smallest_window(self._sites[q], abs(vector), MARGIN * self._tolerances(q)[0]) for q, vector in self._states.items()
        ]
        return reduce(hull, needed) if needed else self._window

    def _enter(self, window: Window) -> None:
        """Restrict or extend the states to a window, and make its blocks."""
        outer = self._full.truncated(with_neighbours(window, self._full.full_window))
        self._blocks = {q: Block(outer, window, q) for q in self._states}
        self._states = {q: transferred(v, self._sites[q], self._blocks[q].sites) for q, v in self._states.items()}
        self._sites = {q: block.sites for q, block in self._blocks.items()}
        self._window = window


def _tell(steps: int, expected: float, fraction: float) -> None:
    """Report a fraction of the step after `steps` steps, of `expected` ones."""
    report((steps + fraction) / expected)


def _norms(vector: np.ndarray) -> np.ndarray:
    """1-norm and 2-norm."""
    return np.array([abs(vector).sum(), np.linalg.norm(vector)])


def _without_vanished(states: Mapping[int, np.ndarray]) -> dict[int, np.ndarray]:
    return {q: vector for q, vector in states.items() if np.linalg.norm(vector) > VANISHED}
