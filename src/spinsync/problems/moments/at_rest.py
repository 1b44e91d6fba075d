"""The steady state that a motion tends to: short runs, Newton's method from their ends, and a test of stability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.progress import report
from spinsync.problems.moments.record import Moments
from spinsync.problems.moments.stability import growth_rate
from spinsync.problems.moments.stepping import integrate
from spinsync.problems.outcome import NoFixedPointError, NoRelaxationError, NotConvergedError

FIRST, LONGEST = 2.0, 2000.0  # slowest relaxation times of the first run, and of all together
AT_REST = 1e-10  # relative rate of change of a steady state, in units of the slowest relaxation
MARGINAL = 1e-12  # growth rate that rounding may give a neutral perturbation, relative to the largest rate of change


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
    y, stretch, elapsed, unstable = problem.start, FIRST / problem.slowest, 0.0, None
    while elapsed < LONGEST / problem.slowest:
        y = integrate(problem, y, np.array([0.0, stretch]), lambda fraction: None).state
        elapsed += stretch
        stretch = elapsed
        report(elapsed * problem.slowest / (elapsed * problem.slowest + FIRST))
        ended = problem.change(y) < AT_REST * problem.slowest
        try:
            found = problem.rest(y)
        except NotConvergedError:
            if not ended:
                continue
            found = y
        if ended or growth_rate(problem.rate, found) < 0:
            return Rest(found, True)
        unstable = Rest(found, False)
    if unstable is None:
        raise NoFixedPointError(elapsed)
    return unstable
