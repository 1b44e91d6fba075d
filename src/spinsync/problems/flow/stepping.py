"""Runs of the exponential Adams stepper, in several calls of the kernel between which interrupts are checked.

The result does not depend on where a run is cut, in any bit: the kernel continues from the state and the past values of the
last call. While no machine code exists, short runs are interpreted by Python, with the same result in every bit: this takes
a tenth of a second, compilation several seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from spinsync.base.compiled import Kernel, compiler_enabled
from spinsync.base.interrupts import check_interrupt
from spinsync.problems.flow.exponential_adams import BUDGET, MOVING, RING, solve
from spinsync.problems.outcome import Ended
from spinsync.problems.outlook import Outlook, steps_between_checks

CALL_SECONDS = 0.1  # of one call of the kernel, between two checks for interrupts
FIRST_WORK, MOST_STEPS = 40_000, 10**9  # steps times components of the first call; steps of any call
INTERPRETED_BATCH = 1000  # steps and outputs times components of one interpreted call
MOST_INTERPRETED = 50  # components; one trial of the first step evaluates each of them some thousand times
MOST_FIRST_STEPS = 60  # trials of the first step, each a quarter of the one before: a step 1e-36 times the first does not help
INTERPRETED = 12_000  # steps and outputs times components that a process interprets: a third of a second
RELAXATION_TIMES = 1000.0  # slowest relaxation times after which the step size is no longer expected to grow


@dataclass(frozen=True)
class Solution:
    """States of shape (time, component); status DONE, BUDGET, UNDERFLOW (also after NaN) or BEYOND."""

    states: np.ndarray
    status: Ended
    steps: int
    rejected: int


@dataclass
class _InterpreterBudget:
    """How much work this process may still interpret instead of compiling."""

    left: float = INTERPRETED

    def spend(self, work: int) -> bool:
        """Whether this work is to be interpreted; if so, it is subtracted."""
        if solve.ready or work > self.left or not compiler_enabled():
            return False
        self.left -= work
        return True


_budget = _InterpreterBudget()


def _interpreted(nonlinear: Kernel, problem: tuple[Any, ...], moving: tuple[np.ndarray, ...], out: np.ndarray) -> int | None:
    """The status after some interpreted steps; None, with all arrays unchanged, if machine code is needed."""
    steps = max(INTERPRETED_BATCH // out.shape[1], 1)
    if out.shape[1] > MOST_INTERPRETED or not _budget.spend(steps * out.shape[1]):
        return None
    kept = [array.copy() for array in moving]
    try:
        with np.errstate(all="ignore"):
            return int(solve.interpreted(nonlinear.interpreted, *problem, steps, *moving, out))
    except (ArithmeticError, ValueError):  # Python raises where machine code computes inf or nan
        for array, before in zip(moving, kept, strict=True):
            array[:] = before
        return None


def integrate(
    nonlinear: Kernel, decay: np.ndarray, start: np.ndarray, times: np.ndarray, *, table: np.ndarray, coupling: np.ndarray,
    rtol: float, atol: float, first_step: float | None = None, max_step: float = np.inf, max_steps: int = 20_000_000,
    steps_per_call: int | None = None, tell: Callable[[float], None] = lambda fraction: None,
) -> Solution:  # fmt: skip
    """Integrate dy/dt = -decay * y + nonlinear(y) from `start` at times[0] and record y at `times`.

    `first_step` is reduced until the tolerance holds; `max_step` equal to it makes the step constant. `steps_per_call`: steps
    and outputs between two checks for interrupts, without influence on the result; None: as many as take CALL_SECONDS.
    `tell` is called between two calls of the kernel, with the completed fraction of the time.
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
    interval = steps_between_checks(max_steps)
    outlook = Outlook(times[-1] - times[0], RELAXATION_TIMES / slowest if slowest > 0 else 0.0)
    call_steps, status, until, tried = steps_per_call or max(FIRST_WORK // start.size, 1), MOVING, interval, 0
    while status == MOVING:
        check_interrupt()
        problem = (decay, table, coupling, start, times, rtol, atol, max_step, min(until, max_steps))
        interpreted = _interpreted(nonlinear, problem, moving, out)
        began = perf_counter()
        status = solve(nonlinear, *problem, call_steps, *moving, out) if interpreted is None else interpreted
        taken, used = perf_counter() - began, int(counts[1] + counts[2])
        tell(min(float(clock[1] / outlook.span), 1.0) if outlook.span else 0.0)
        if counts[3] < 0:
            tried += 1
            if tried == MOST_FIRST_STEPS:
                return Solution(out, Ended.UNDERFLOW, 0, 0)
        if interpreted is None and steps_per_call is None and not CALL_SECONDS / 2 < taken < 2 * CALL_SECONDS:
            call_steps = min(call_steps * 2, MOST_STEPS) if taken < CALL_SECONDS else max(call_steps // 2, 1)
        if status == BUDGET and used < max_steps:
            status, until = MOVING, until + interval
            if outlook.hopeless(float(clock[0]), float(clock[1]), max_steps - used, used / max_steps):
                return Solution(out, Ended.BEYOND, max_steps, int(counts[2]))
    return Solution(out, Ended(status), int(counts[1]), int(counts[2]))
