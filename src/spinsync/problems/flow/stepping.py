"""Runs of the exponential Adams stepper, in stretches between which interrupts are heard.

Cut wherever it is, a run is bit for bit the same: the kernel goes on from the state and the past values that it left.
As long as there is no machine code, and little to do, stretches are interpreted, which changes no bit either: a short run
takes a tenth of a second then, machine code several to be made.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from spinsync.base.compiled import Kernel, compiler_enabled
from spinsync.base.interrupts import check_interrupt
from spinsync.problems.flow.exponential_adams import BUDGET, MOVING, RING, solve
from spinsync.problems.outcome import Ended
from spinsync.problems.outlook import Outlook, between_looks

STRETCH = 0.1  # seconds between two looks at interrupts
FIRST_SHARE, LARGEST_SHARE = 40_000, 10**9  # steps times components before the first look; steps between two
LIGHT = 1000  # of it at a time
WIDEST = 50  # components; a first step, which may be tried dozens of times, works on each some thousand times
STARTS = 60  # first steps that are tried, each a quarter of the one before: no step 1e-36 times the first one helps
INTERPRETED = 12_000  # steps and outputs times components that a process interprets: a third of a second
SETTLED = 1000.0  # times in units of the slowest relaxation after which a run that still moves is expected to go on so


@dataclass(frozen=True)
class Solution:
    """States of shape (time, component); status DONE, BUDGET (steps), UNDERFLOW (step size, or no number) or BEYOND."""

    states: np.ndarray
    status: Ended
    steps: int
    rejected: int


@dataclass
class _Beginner:
    """How much this process may still interpret."""

    left: float = INTERPRETED

    def takes(self, work: int) -> bool:
        """Whether this work is to be interpreted, which is then accounted for."""
        if solve.ready or work > self.left or not compiler_enabled():
            return False
        self.left -= work
        return True


_beginner = _Beginner()


def _interpreted(nonlinear: Kernel, problem: tuple[Any, ...], moving: tuple[np.ndarray, ...], out: np.ndarray) -> int | None:
    """The status after some steps without machine code; None, and nothing has moved, where it is needed."""
    steps = max(LIGHT // out.shape[1], 1)
    if out.shape[1] > WIDEST or not _beginner.takes(steps * out.shape[1]):
        return None
    kept = [part.copy() for part in moving]
    try:
        with np.errstate(all="ignore"):
            return int(solve.interpreted(nonlinear.interpreted, *problem, steps, *moving, out))
    except (ArithmeticError, ValueError):  # Python refuses what machine code takes for infinite or no number
        for part, before in zip(moving, kept, strict=True):
            part[:] = before
        return None


def integrate(
    nonlinear: Kernel, decay: np.ndarray, start: np.ndarray, times: np.ndarray, *, table: np.ndarray, coupling: np.ndarray,
    rtol: float, atol: float, first_step: float | None = None, max_step: float = np.inf, max_steps: int = 20_000_000,
    most: int | None = None,
) -> Solution:  # fmt: skip
    """Integrate dy/dt = -decay * y + nonlinear(y) from `start` at times[0] and record y at `times`.

    `first_step` is cut until the tolerance holds; `max_step` equal to it makes the step constant. `most` steps and outputs
    are taken between two looks at interrupts, without influence on the result; None: as many as take STRETCH seconds.
    """
    out = np.empty((times.size, start.size), complex)
    if first_step is None:
        value = np.empty_like(start)
        nonlinear.without_compiling(start, table, coupling, value)
        with np.errstate(divide="ignore", over="ignore"):
            rate = decay.real.max() + abs(value).max() / max(abs(start).max(), 1e-6)
            first_step = min(0.2 / rate if rate > 0 else np.inf, max(times[-1] - times[0], 1e-9))
    clock, counts = np.array([first_step, 0.0]), np.array([0, 0, 0, -1, 0])
    y, history = start.copy(), np.zeros((RING, start.size), complex)
    moving, slowest = (clock, counts, y, history), float(decay.real.min())
    between = between_looks(max_steps)
    outlook = Outlook(times[-1] - times[0], SETTLED / slowest if slowest > 0 else 0.0)
    share, status, until, tried = most or max(FIRST_SHARE // start.size, 1), MOVING, between, 0
    while status == MOVING:
        check_interrupt()
        problem = (decay, table, coupling, start, times, rtol, atol, max_step, min(until, max_steps))
        interpreted = _interpreted(nonlinear, problem, moving, out)
        began = perf_counter()
        status = solve(nonlinear, *problem, share, *moving, out) if interpreted is None else interpreted
        taken, used = perf_counter() - began, int(counts[1] + counts[2])
        if counts[3] < 0:
            tried += 1
            if tried == STARTS:
                return Solution(out, Ended.UNDERFLOW, 0, 0)
        if interpreted is None and most is None and not STRETCH / 2 < taken < 2 * STRETCH:
            share = min(share * 2, LARGEST_SHARE) if taken < STRETCH else max(share // 2, 1)
        if status == BUDGET and used < max_steps:
            status, until = MOVING, until + between
            if outlook.hopeless(float(clock[0]), float(clock[1]), max_steps - used, used / max_steps):
                return Solution(out, Ended.BEYOND, max_steps, int(counts[2]))
    return Solution(out, Ended(status), int(counts[1]), int(counts[2]))
