"""Many random trajectories in parallel threads. Each has a random generator of its own, so that results do not depend on
threads or order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event

import numpy as np

from spinsync.base.parallel import parallel_map
from spinsync.problems.sampled.jumps import DONE, ELAPSED, JUMP_TIME, JUMPS, PAUSED, RECORDED, SERIES
from spinsync.problems.sampled.record import Jumps


@dataclass(kw_only=True)
class Trajectory:
    """One trajectory: its state (labels, psi), random generator, and progress (count and clock, with the indices of jumps)."""

    labels: np.ndarray
    psi: np.ndarray
    random: np.random.Generator
    count: np.ndarray = field(default_factory=lambda: np.array([0, 0, 0, 0, -1]))
    clock: np.ndarray = field(default_factory=lambda: np.zeros(3))


Start = Callable[[], Trajectory]


@dataclass
class Recorded:
    """Recorded numbers of shape (trajectory, time, number), up to the first trajectory that did not reach the last time.

    trajectories, jumps : these trajectories at the last time, and their jumps
    status : DONE, PAUSED if stopped before, TOO_MANY or TOO_LARGE if one failed
    """

    numbers: np.ndarray
    trajectories: list[Trajectory]
    jumps: int
    status: int


def advance(
    problem: Jumps, starts: Sequence[Start], times: np.ndarray, most_jumps: int,
    stop: Callable[[float], bool] = lambda share: False,
) -> Recorded:  # fmt: skip
    """`Jumps.advance`; `stop` is called ten times a second."""
    out = np.empty((len(starts), len(times), problem.numbers))
    trajectories: list[Trajectory | None] = [None] * len(starts)
    status, stopped, span = [PAUSED] * len(starts), Event(), times[-1] - times[0] or 1.0
    running: dict[int, Trajectory] = {}

    def run(i: int) -> None:
        if not stopped.is_set():
            one = trajectories[i] = running[i] = starts[i]()
            one.count[[RECORDED, JUMPS, SERIES]], one.clock[:] = 0, (times[0], 0, 0)
            while status[i] == PAUSED and not stopped.is_set():
                status[i] = problem.rules.advance(problem.table, one, times, most_jumps, out[i])
            del running[i]
            if status[i] < 0:
                stopped.set()

    def share() -> float:
        parts = [float(one.clock[JUMP_TIME] + one.clock[ELAPSED] - times[0]) / span for one in list(running.values())]
        return (status.count(DONE) + sum(parts)) / len(starts)

    def watch() -> None:
        if stop(share()):
            stopped.set()

    try:
        parallel_map(run, range(len(starts)), watch)
    finally:  # after an interrupt, running threads end at their next pause
        stopped.set()
    failed = min(status)
    complete = next((i for i, one in enumerate(status) if one != DONE), len(status))
    done = [one for one in trajectories[:complete] if one is not None]
    overall = failed if failed < 0 else (DONE if complete == len(starts) else PAUSED)
    return Recorded(out[:complete], done, sum(int(one.count[JUMPS]) for one in done), overall)
