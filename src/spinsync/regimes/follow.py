"""What an ensemble does in the end: at rest in a rotating frame, moving regularly, or irregularly (theory page, section 5).

First the motion is given time to come to rest. If it does not, it is followed through windows, each twice as long as
the one before, until two windows in a row agree: then it is stationary, and its averages tell its regime. A positive
Lyapunov exponent that persists makes it irregular.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import nan

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.progress import Line
from spinsync.problems.flow.exponential_adams import DONE
from spinsync.problems.flow.fixed_points import (
    CLOSER,
    DARK,
    NEAR,
    NEUTRAL,
    RINGING,
    Approach,
    Rest,
    extent,
    in_own_frame,
    run,
    settle,
    slowest,
)
from spinsync.problems.flow.hopf import ahead, gentle
from spinsync.problems.flow.orbit_averages import track
from spinsync.problems.flow.periodic_orbits import search
from spinsync.problems.flow.record import Flow
from spinsync.regimes.codes import Regime, Status
from spinsync.regimes.decision import averages, decided, repeated
from spinsync.regimes.summary import Motions, blank, moving, repeating, resting

SHORT = 40.0  # time to come to rest directly, in units of the slowest relaxation time
LONGEST = 10.0  # period that is looked for, in the same units
ATTEMPTS = 8  # to find it, of a single group: several that are periodic show it at once
SHARES = (0.25, 0.5)  # of LONGEST, in the first attempts: what repeats itself sooner is found sooner
CREEP = 2000.0  # time to come closer to states of rest that are near, in the same units
MANY, MANY_SHORT = 25, 2000.0  # groups of a network, which comes to rest slowly, but is dearer to look at than to move:
LONGER = 1.5  # so each stretch between two looks at it is longer than the one before
FIRST = 20.0  # the first window, in the same units
PATIENCE = 300_000.0  # all windows together
MOST_STEPS = 2_000_000  # time steps of all windows together
APART = 0.7  # of the shortest time in the motion, between two samples
MOST_WORK = 2e9  # time steps times what each takes: EACH for every component, and the entries of the coupling matrix
EACH = 20
SLOW_WORK = 1.5e8  # the same beside a Hopf bifurcation, where no window is long enough if no leap helped
MOST_SAMPLES = MOST_STEPS  # of one window
IRREGULAR_AFTER = 600.0  # relaxation times: transients can be irregular too
NOTHING = 1e-300  # rates below count as none: the patience, in their units, has no number
ROUGH = 1e-7  # tolerance of the steps of windows: averages ask for less than trajectories


def motion_of(flow: Flow, weight: Array, line: Line | None = None) -> Motions:
    """The long-time motion of one point; `weight` (group,) are the shares of the groups."""
    found = long_time(flow, weight, line)
    if flow.doubt:
        found = replace(found, lyapunov_error=np.maximum(found.lyapunov_error, flow.doubt * abs(found.lyapunov)))
    if flow.finer is None or found.regime[0] != Regime.FULL:
        return found
    bright = int(np.argmax(found.amplitude[0]))
    rest = flow.finer(np.nan_to_num(found.amplitude[0] * found.locking[0, bright]), float(found.frequency[0, bright]))
    if rest is None:
        return found
    frequency = np.array([rest.frequency])
    return resting(rest.charged[None], rest.neutral[None], frequency, weight, found.lyapunov, found.lyapunov_error)


def long_time(flow: Flow, weight: Array, line: Line | None = None) -> Motions:
    """The long-time motion of a flow from its start; `weight` (group,) are the shares of the groups."""
    slow = slowest(flow)
    if slow <= NOTHING:
        return blank(1, weight.size, Status.NO_RELAXATION)

    def tell(time: float) -> None:
        if line is not None:
            line.update(nan, f"{time * slow:.3g} relaxation times")

    approach, (short, longer) = Approach(), (SHORT, 1.0) if weight.size < MANY else (MANY_SHORT, LONGER)
    settled = settle(flow, approach, stretch=10 / slow, most=short / slow, longer=longer, tell=tell)
    if settled.status != DONE:
        return blank(1, weight.size, Status.FAILED)
    if settled.rest is not None and _lasting(settled.rest):
        return _resting(settled.rest, weight)
    state = settled.state if settled.rest is None else _nudged(settled.rest)
    found, state = _returning(flow, state, weight, approach, slow)
    return found if found is not None else _follow(flow, state, weight, approach, slow, tell)


def _returning(flow: Flow, state: Array, weight: Array, approach: Approach, slow: float) -> tuple[Motions | None, Array]:
    """A motion that repeats itself, or comes to rest while that is tried; and the state to go on from."""
    for share in (*SHARES, *[1.0] * (ATTEMPTS - len(SHARES))) if weight.size == 1 else (1.0,):
        around = approach.nearby if approach.nearby is not None and gentle(approach.nearby) else None
        leapt = ahead(around, state) if around is not None else None
        seen = search(_windowed(flow), state if leapt is None else leapt, share * LONGEST / slow)
        if seen.status != DONE:
            return blank(1, weight.size, Status.FAILED), state
        if seen.cycle is not None:
            found = repeating(seen.cycle, weight)
            if around is not None and around.growth[0] > 0:  # the exponent is -2 g, unless errors of the steps drive it
                off = abs(found.lyapunov + 2 * around.growth[0])
                found = replace(found, lyapunov_error=np.maximum(found.lyapunov_error, off))
            return found, seen.state
        rest, state = _looked(flow, seen.state, approach, slow)
        if rest is not None and _lasting(rest):
            return _resting(rest, weight), state
        state = state if rest is None else _nudged(rest)
    return None, state


def _looked(flow: Flow, state: Array, approach: Approach, slow: float) -> tuple[Rest | None, Array]:
    """Rest, if the motion has come to it, or does so in the time that what is near needs to come closer; where it is then."""
    rest = approach.look(flow, state)
    while rest is None and 0 < approach.wait < CREEP / slow - approach.waited:
        flow = in_own_frame(flow, state)[0]
        seen = run(flow, state, np.array([0.0, approach.wait]))
        if seen.status != DONE:
            break
        approach.waited += approach.wait
        state = seen.states[-1]
        rest = approach.look(flow, state)
    return rest, state


def returns(flow: Flow, state: Array, weight: Array) -> Motions | None:
    """The motion from `state`, if it repeats itself within LONGEST."""
    seen = search(_windowed(flow), state, LONGEST / slowest(flow))
    return None if seen.cycle is None else repeating(seen.cycle, weight)


def _follow(flow: Flow, state: Array, weight: Array, approach: Approach, slow: float, tell: Callable[[float], None]) -> Motions:
    """Windows of doubling length until the motion is decided."""
    flow = _windowed(flow)
    turns = flow.decay.imag[~flow.real]
    detuning = np.array([np.ptp(turns) if turns.size else 0.0])
    deviation = np.random.default_rng(7).standard_normal(state.size).astype(complex)
    length, time, steps, before = FIRST / slow, 0.0, 0, None
    each = EACH * state.size + flow.coupling.size
    while True:
        flow = in_own_frame(flow, state)[0]
        samples = int(np.ceil(length * flow.pace / APART))
        few = samples <= MOST_SAMPLES
        seen = track(flow, state, deviation, samples, length / samples) if few else None
        if seen is None or seen.status != DONE:
            return blank(1, weight.size, Status.FAILED)
        state, deviation, time, steps = seen.state, seen.deviation, time + length, steps + seen.steps
        tell(time)
        rest, state = _looked(flow, state, approach, slow)
        if rest is not None and _lasting(rest):
            return _resting(rest, weight)
        window, periods = averages(seen, flow.frame, weight), seen.whole_periods()
        if periods is not None and repeated(twice := averages(seen, flow.frame, weight, periods))[0]:
            return moving(twice.resolved(None), np.array([Regime.PARTIAL]), np.array([Status.SETTLED]))
        if before is not None:
            word = Regime(decided(window, before, detuning, np.array([time * slow < IRREGULAR_AFTER]))[0])
            faint = bool(np.all(window.amplitude < DARK)) and word is not Regime.UNDECIDED  # perhaps it fades
            if (faint or word in (Regime.PHASE_TRAPPED, Regime.PULSATING)) and (ended := _ringing(flow, state)):
                return _resting(ended, weight)
            if word is not Regime.UNDECIDED:
                sure = window if word is Regime.IRREGULAR else window.resolved(before)
                return moving(sure, np.array([word]), np.array([Status.SETTLED]))
        work = SLOW_WORK if approach.nearby is not None and gentle(approach.nearby) else MOST_WORK
        if time * slow >= PATIENCE or steps + 2 * seen.steps > min(MOST_STEPS, work / each):
            status = Status.THROUGH_ZERO if window.lost[0] else Status.STILL_CHANGING
            return moving(window, np.array([Regime.UNDECIDED]), np.array([status]))
        if before is not None and window.kept(before, detuning)[0]:  # off an orbit that only its symmetry keeps
            state = state + NEAR * abs(state).max() * deviation / np.linalg.norm(deviation)
        length, before = 2 * length, window
        if rest is not None:
            state = _nudged(rest)


def _windowed(flow: Flow) -> Flow:
    """With the tolerances of steps that long motion needs."""
    return replace(flow, rtol=max(flow.rtol, ROUGH), atol=max(flow.atol, ROUGH / 100))


def _ringing(flow: Flow, state: Array) -> Rest | None:
    """Stable rest nearby, if being near is enough: errors of the steps keep faint motion ringing."""
    near = Approach()
    near.farthest = RINGING / CLOSER
    found = near.look(flow, state)
    return found if found is not None and _lasting(found) else None


def _lasting(rest: Rest) -> bool:
    """Rest that noise does not end; without any coherence an ensemble stays so, as its equations have no noise."""
    charged = rest.flow.charged
    return rest.stable or bool(charged.any() and not np.any(rest.state[charged]))


def _nudged(rest: Rest) -> Array:
    """Off an unstable state of rest, along the deviation that grows fastest."""
    return np.asarray(rest.state + NEAR * extent(rest.flow, rest.state) * rest.direction())


def _resting(rest: Rest, weight: Array) -> Motions:
    s, z = rest.flow.groups(rest.state[None, :])
    known = rest.growth.size > 0
    return resting(
        s, z, np.array([rest.flow.frame]), weight, np.array([rest.growth[0] if known else nan]),
        np.array([NEUTRAL * float(rest.flow.decay.real.max()) if known else nan]),
    )  # fmt: skip
