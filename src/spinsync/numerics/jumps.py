"""Random trajectories: a Markov process on whole numbers. No physics here; `waves.py` has quantum jumps of a wave.

Waiting times are drawn exactly; there is no time step whose size would matter. Compiled code pauses after a bounded amount
of work, counted in jumps and steps and never in seconds: an interrupt is heard soon, and a pause changes no digit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from spinsync.base.compiled import compiled

PAUSE = 500_000  # jumps between two pauses: some 50 ms
DONE, PAUSED, TOO_MANY, TOO_LARGE = 0, 1, -1, -2  # TOO_MANY: more jumps than allowed; TOO_LARGE: rates that are not finite

_PLACE, _REAL, _TABLE, _RANDOM = types.int64[::1], types.float64[::1], types.float64[:, ::1], types.npy_rng
#: `count` of a trajectory: times looked at, jumps, Taylor series, first and last component that the wave may have
SEEN, JUMPS, SERIES, FIRST, LAST = range(5)
#: `clock` of it: time of the last jump, time since then (of waves), ln|wave|^2 at the next one (0: not drawn yet)
BEGAN, SINCE, LEVEL = range(3)


@compiled(types.int64(_REAL, types.float64, _RANDOM))
def chosen(rates: Any, total: Any, generator: Any) -> Any:
    """A jump with the probability of its rate."""
    rest = generator.random() * total
    last = -1
    for k in range(len(rates)):
        if rates[k] > 0:
            last = k
            rest -= rates[k]
            if rest < 0:
                break
    return last


@compiled(types.int64(
    types.FunctionType(types.void(_PLACE, _TABLE, _REAL)), types.FunctionType(types.void(_PLACE, _TABLE, _REAL)),
    types.int64[:, ::1], _TABLE, _PLACE, _PLACE, _REAL, _RANDOM, _REAL, types.int64, _TABLE,
))  # fmt: skip
def walk(
    rates: Any, look: Any, changes: Any, table: Any, place: Any, count: Any, clock: Any, generator: Any, times: Any,
    most: Any, out: Any,
) -> Any:  # fmt: skip
    """Move `place` towards the last time and write what it looks like at each: DONE, PAUSED, or why not.

    D. T. Gillespie, J. Phys. Chem. 81, 2340 (1977), direct method.
    """
    each = np.empty(len(changes))
    pause = count[JUMPS] + PAUSE
    while True:
        rates(place, table, each)
        total = each.sum()
        if not total < np.inf:
            return TOO_LARGE
        now = clock[BEGAN] + (generator.standard_exponential() / total if total > 0 else np.inf)
        while count[SEEN] < len(times) and times[count[SEEN]] <= now:
            look(place, table, out[count[SEEN]])
            count[SEEN] += 1
        if count[SEEN] == len(times):
            return DONE  # exponential waiting times have no memory: the jump under way may be drawn anew
        if count[JUMPS] == most:
            return TOO_MANY
        change = changes[chosen(each, total, generator)]
        for i in range(len(place)):
            place[i] += change[i]
        clock[BEGAN] = now
        count[JUMPS] += 1
        if count[JUMPS] == pause:
            return PAUSED
