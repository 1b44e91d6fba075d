"""Runs of the Runge-Kutta stepper, in several calls of the kernel between which interrupts are checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.interrupts import check_interrupt
from spinsync.problems.moments.record import Moments
from spinsync.problems.moments.runge_kutta import BUDGET, MOVING, STAGES, solve
from spinsync.problems.outcome import DivergedError, Ended
from spinsync.problems.outlook import Outlook, allowed_steps, steps_between_checks

CALL_SECONDS = 0.1  # of one call of the kernel, between two checks for interrupts
FIRST_WORK = 400_000  # steps times components of the first call
MOST_STEPS, MOST_WORK = 20e6, 3e11  # time steps of a run, and steps times components
UNBOUNDED = 1e3  # moments of spins are at most 1, and somewhat more where a theory fails
RELAXATION_TIMES = 1000.0  # slowest relaxation times after which the step size is no longer expected to grow


@dataclass(frozen=True)
class Solution:
    """Recorded numbers of shape (time, number), and the state at the last time."""

    numbers: Array
    state: Array
    steps: int
    rejected: int


def integrate(problem: Moments, start: Array, times: Array, tell: Callable[[float], None]) -> Solution:
    """Integrate from `start` at times[0]. `tell` is called with the completed fraction of the time.

    Raises StoppedError if the time steps get too many or too small, DivergedError if that is as the moments grow.
    """
    y, work = np.array(start, float), np.empty(problem.work)
    stages, spare = np.empty((STAGES, y.size)), np.empty((2, y.size))
    out = np.empty((times.size, problem.recorded))
    span = float(times[-1] - times[0])
    rates = np.empty_like(y)
    problem.derivative(y, problem.table, problem.planes, problem.factors, work, rates)
    clock, counts = np.array([_first_step(problem, y, rates, span), 0.0, 1.0]), np.zeros(3, int)
    outlook = Outlook(span, RELAXATION_TIMES / problem.slowest if problem.slowest > 0 else 0.0)
    most = allowed_steps(MOST_STEPS, MOST_WORK, y.size)
    interval = steps_between_checks(most)
    call, until, status = max(FIRST_WORK // y.size, 1), interval, MOVING
    while status == MOVING:
        check_interrupt()
        began = perf_counter()
        status = solve(
            problem.derivative, problem.numbers, problem.table, problem.planes, problem.factors, times, problem.blocks,
            problem.floor, problem.rtol, min(until, most), call, clock, counts, y, stages, spare, work, out,
        )  # fmt: skip
        taken, used = perf_counter() - began, int(counts[1] + counts[2])
        tell(min(float(clock[1]) / span, 1.0) if span else 0.0)
        if not CALL_SECONDS / 2 < taken < 2 * CALL_SECONDS:
            call = min(call * 2, 10**9) if taken < CALL_SECONDS else max(call // 2, 1)
        if status == BUDGET and used < most:
            status, until = MOVING, until + interval
            if outlook.hopeless(float(clock[0]), float(clock[1]), most - used, used / most):
                Ended.BEYOND.check(most)
    if status == Ended.UNDERFLOW and not abs(y).max() < UNBOUNDED:
        raise DivergedError(float(clock[1]))
    Ended(status).check(int(counts[1]))
    return Solution(out, spare[1].copy() if counts[1] else y, int(counts[1]), int(counts[2]))


def _first_step(problem: Moments, y: Array, rates: Array, span: float) -> float:
    """A tenth of the time in which a block changes by its scale; later steps follow from their errors."""
    pairs = zip(problem.blocks[:-1], problem.blocks[1:], problem.floor, strict=True)
    rate = max(float(abs(rates[i:j]).max() / max(abs(y[i:j]).max(), floor)) for i, j, floor in pairs if j > i)
    return min(0.01 / rate if rate > 0 else np.inf, max(span, 1e-9))
