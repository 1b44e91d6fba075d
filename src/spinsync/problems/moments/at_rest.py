"""The steady state that a motion tends to: short runs, Newton's method from their ends, and a test of stability."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.progress import report
from spinsync.problems.moments.record import Moments
from spinsync.problems.moments.stability import growth_rate
from spinsync.problems.moments.stepping import integrate
from spinsync.problems.outcome import NoFixedPointError, NoRelaxationError, NotConvergedError

FIRST, LONGEST = 2.0, 2000.0  # slowest relaxation times of the first run, and of all together
CLOSE = 1e-4  # relative distance of the motion from a steady state to which it tends
AT_REST = 1e-10  # relative rate of change of a steady state, in units of the slowest relaxation


@dataclass(frozen=True)
class Rest:
    """A steady state and whether it is stable."""

    state: Array
    stable: bool


def at_rest(problem: Moments) -> Rest:
    """The first stable steady state that Newton's method finds from the motion, or where the motion itself ends.

    If the motion never comes to rest, an unstable steady state that was found. Raises NoFixedPointError if there is none,
    NoRelaxationError if some component does not relax.
    """
    if not problem.slowest > 0:
        raise NoRelaxationError
    calm = replace(problem, rtol=AT_REST / 100)  # long steps move by the tolerance to and fro
    y, stretch, elapsed, unstable = problem.start, FIRST / problem.slowest, 0.0, None
    while elapsed < LONGEST / problem.slowest:
        y = integrate(problem, y, np.array([0.0, stretch]), lambda fraction: None).state
        elapsed += stretch
        stretch = elapsed
        report(1 - FIRST / (elapsed * problem.slowest))
        found = tested(problem, y)
        if found and found.stable:
            return found
        if problem.change(y) < CLOSE * problem.slowest:
            y = integrate(calm, y, np.array([0.0, FIRST / problem.slowest]), lambda fraction: None).state
            elapsed += FIRST / problem.slowest
        if problem.change(y) < AT_REST * problem.slowest:
            return Rest(y, True)
        unstable = found or unstable
    if unstable is None:
        raise NoFixedPointError(elapsed)
    return unstable


def tested(problem: Moments, y: Array) -> Rest | None:
    """The steady state near y and its stability; None if either is not found."""
    try:
        found = problem.rest(y)
    except NotConvergedError:
        return None
    try:
        return Rest(found, growth_rate(problem.rate, found) < 0)
    except NotConvergedError:  # too many fast rotations: the motion itself tells
        return Rest(found, True) if problem.relative(y - found, found) < CLOSE else None
