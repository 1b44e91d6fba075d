"""Many random trajectories side by side in threads. Each has a random generator of its own, so that results do not depend
on threads or order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event

import numpy as np

from spinsync.base.parallel import parallel_map
from spinsync.problems.sampled.jumps import BEGAN, DONE, JUMPS, PAUSED, SEEN, SERIES, SINCE
from spinsync.problems.sampled.record import Jumps


@dataclass(kw_only=True)
class Traveller:
    """One trajectory: where it is, its own random numbers, and how far it has come (SEEN ..., BEGAN ...)."""

    place: np.ndarray
    wave: np.ndarray
    random: np.random.Generator
    count: np.ndarray = field(default_factory=lambda: np.array([0, 0, 0, 0, -1]))
    clock: np.ndarray = field(default_factory=lambda: np.zeros(3))


Start = Callable[[], Traveller]


@dataclass
class Advance:
    """What trajectories show at the times, numbers (trajectory, time, number), up to the first one that did not arrive.

    status : DONE, PAUSED if stopped before, TOO_MANY or TOO_LARGE if one failed
    """

    numbers: np.ndarray
    moved: list[Traveller]
    jumps: int
    status: int


def advance(
    problem: Jumps, begin: Sequence[Start], times: np.ndarray, most: int,
    enough: Callable[[float], bool] = lambda share: False,
) -> Advance:  # fmt: skip
    """What `Jumps.travel` does; `enough` is told ten times a second."""
    out = np.empty((len(begin), len(times), problem.numbers))
    moved: list[Traveller | None] = [None] * len(begin)
    states, stop, span = [PAUSED] * len(begin), Event(), times[-1] - times[0] or 1.0
    busy: dict[int, Traveller] = {}

    def travel(i: int) -> None:
        if not stop.is_set():
            one = moved[i] = busy[i] = begin[i]()
            one.count[[SEEN, JUMPS, SERIES]], one.clock[:] = 0, (times[0], 0, 0)
            while states[i] == PAUSED and not stop.is_set():
                states[i] = problem.rules.move(problem.table, one, times, most, out[i])
            del busy[i]
            if states[i] < 0:
                stop.set()

    def share() -> float:
        ways = [float(one.clock[BEGAN] + one.clock[SINCE] - times[0]) / span for one in list(busy.values())]
        return (states.count(DONE) + sum(ways)) / len(begin)

    def look() -> None:
        if enough(share()):
            stop.set()

    try:
        parallel_map(travel, range(len(begin)), look)
    finally:  # where an interrupt ends the waiting, whoever works is at his next pause soon
        stop.set()
    failed = min(states)
    arrived = next((i for i, state in enumerate(states) if state != DONE), len(states))
    there = [one for one in moved[:arrived] if one is not None]
    status = failed if failed < 0 else (DONE if arrived == len(begin) else PAUSED)
    return Advance(out[:arrived], there, sum(int(one.count[JUMPS]) for one in there), status)
