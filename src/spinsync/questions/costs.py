"""What a run takes of memory for each of its times, before it begins."""

from __future__ import annotations

from spinsync.base.arrays import Array
from spinsync.base.memory import afford
from spinsync.problems.flow.record import Flow
from spinsync.problems.linear.record import Linear
from spinsync.problems.many_spins.record import ManySpins
from spinsync.problems.sampled.record import Jumps

COMPLEX, REAL = 16, 8
OBJECTS = 2000  # bytes of the small arrays that one observed time is made of


def afford_times(problem: Flow | ManySpins | Linear | Jumps, times: Array) -> None:
    """Refuse more times than memory can hold states or results of.

    Raises
    ------
    InputError
        With the estimate.
    """
    afford("times", len(times), _per_time(problem), "times")


def _per_time(problem: Flow | ManySpins | Linear | Jumps) -> float:
    """Bytes: what is kept until the end, and what is made of it then."""
    groups = problem.coordinates["group"][1].size
    results = REAL + groups * (COMPLEX + REAL + groups * (COMPLEX + REAL))
    if isinstance(problem, Flow):  # states, their copy in the laboratory frame, and single spins of it
        components = problem.start.size + (problem.companion.start.size if problem.companion is not None else 0)
        return results + 2 * COMPLEX * components
    if isinstance(problem, ManySpins):
        members = sum(one.size for one in problem.omega) if problem.each else 0
        return 2 * results + (3 * REAL + COMPLEX) * members
    if isinstance(problem, Jumps):  # one trajectory; mean, sum of squares and what is made of them
        return 4 * results + 4 * REAL * problem.rules.numbers
    if problem.lattice is not None or problem.parts is not None:  # each time is observed as soon as it is reached
        return results + OBJECTS
    return 2 * results + 2 * COMPLEX * sum(problem.start(q).size for q in problem.charges)
