"""What motions come to: fixed points of a rotating frame, regular or irregular motion (theory page, section 5).

First they are given time to come to rest. Those that don't are followed through windows, each twice as long as the one
before, until two windows in a row agree: then a motion is stationary, and its averages tell its regime. A positive Lyapunov
exponent that persists makes it irregular. A point is dropped as soon as it is decided.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinsync.base.arrays import Array, joined
from spinsync.problems.flow.approach import ERROR_DISTANCE, NEAR, NEUTRAL, SMALL_COHERENCE, THERE
from spinsync.regimes.codes import Regime, Status
from spinsync.regimes.decision import Window, decided, unknown
from spinsync.regimes.movers import (
    CREEP,
    FIRST,
    IRREGULAR_AFTER,
    LONGEST,
    MANY,
    NEARING,
    PATIENCE,
    SHORT,
    STRETCH,
    Look,
    Mover,
    P,
    Points,
)
from spinsync.regimes.summary import Motions, blank, moving


def follow(mover: Mover[P], count: int) -> Motions:
    """The long-time motions of `count` points; FAILED where the mover lost a point."""
    found = blank(count, mover.groups, Status.NO_RELAXATION)
    points = joined(mover.shared(lambda mover, points: _approach(mover, points, found)))
    for share in mover.attempts:
        if len(points.index):
            points = _returning(mover, points, share * LONGEST, found)
    _average(mover, points, found)
    return found


def _approach(mover: Mover[P], points: P, found: Motions) -> P:
    """Move the points until they rest, as long as they may come to rest soon; those that go on moving."""
    most, others = NEARING if mover.groups >= MANY else SHORT, [points[np.arange(0)]]
    while len(points.index):
        span = np.minimum(np.maximum(STRETCH, points.time), np.maximum(points.wait, 1.0))
        finished = mover.advance(points, span / points.slowest)
        points.time = points.time + span
        points = _kept(points, finished, found)
        points = _without(points, _rested(mover, points, found))
        over = (points.time >= most) & ~(points.time + points.wait < NEARING)
        if over.any():
            others.append(points[over])
            points = points[~over]
    return joined(others)


def _kept(points: P, finished: Array, found: Motions) -> P:
    """Those that have come to the end of their span; the others are lost."""
    found.status[points.index[~finished]] = Status.FAILED
    return _without(points, ~finished)


def _without(points: P, gone: Array) -> P:
    return points[~gone] if gone.any() else points


def _returning(mover: Mover[P], points: P, longest: float, found: Motions) -> P:
    """Those that neither repeat themselves within `longest`, nor come to rest meanwhile."""
    seen = mover.orbits(points, longest / points.slowest)
    told = (seen.regime != Regime.UNDECIDED) | (seen.status == Status.FAILED)
    found[points.index[told]] = seen[told]
    points = points[~told]
    return points[~_rested(mover, points, found)]


def _rested(mover: Mover[P], points: P, found: Motions) -> Array:
    """Which points have come to rest; what they do is put into `found`. Those at an unstable fixed point are put beside it."""
    approach, rest = points.approach, np.zeros(len(points.index), bool)
    if not len(rest):
        return rest
    seen = mover.look(points, approach.fading(mover.size(points)))
    accepted = np.flatnonzero(approach.accepted(seen.distance))
    lasting = _lasting(points, seen, accepted, found)
    rest[accepted[lasting]] = True
    leaving = accepted[~lasting & (seen.distance[accepted] < THERE)]
    if len(leaving):
        points.state[leaving] = seen.perturbed(leaving)
    points.wait = seen.wait(approach) * points.slowest
    return rest


def _lasting(points: Points, seen: Look, chosen: Array, found: Motions) -> Array:
    """Which of the chosen points are at a stable fixed point, or at one without any charge: no noise is in the equations."""
    growth = seen.growth(chosen)
    lasting = ~(growth > NEUTRAL * points.fastest[chosen]) | (points.approach.size[chosen] == 0)
    if lasting.any():
        found[points.index[chosen[lasting]]] = seen.resting(chosen[lasting], growth[lasting])
    return np.asarray(lasting)


def _near_rest(mover: Mover[P], points: P, chosen: Array, near: float, found: Motions) -> Array:
    """Which of the chosen points are at rest if being so `near` to a stable fixed point is enough, without coming closer."""
    rest, some = np.zeros(len(chosen), bool), points[chosen]
    if len(some.index):
        some.approach.size = mover.size(some)
        seen = mover.look(some, some.approach.size < SMALL_COHERENCE)
        close = np.flatnonzero(seen.distance < near)
        rest[np.flatnonzero(chosen)[close[_lasting(some, seen, close, found)]]] = True
    return rest


def _average(mover: Mover[P], points: P, found: Motions) -> None:
    """Windows of doubling length until every point is decided, or its patience is over."""
    count, length, number = len(points.index), FIRST, 0
    tangent = np.asarray(np.random.default_rng(7).standard_normal(points.state.shape[1]), points.state.dtype)
    points = replace(points, tangent=np.tile(tangent / np.linalg.norm(tangent), (count, 1)), time=np.zeros(count))
    before = unknown(count, mover.groups)
    while len(points.index):
        mover.tell(points)
        window, taken, finished = mover.measure(points, length / points.slowest)
        points.time, points.steps, number = points.time + length, points.steps + taken, number + 1
        over = (points.time >= PATIENCE) | (points.steps + 2 * taken > mover.budget(points))
        points, window, before, over = _kept(points, finished, found), window[finished], before[finished], over[finished]
        going = ~_rested(mover, points, found)
        going &= ~_told(mover, points, window, before, going, found)
        reason = np.where(window.lost, Status.THROUGH_ZERO, Status.STILL_CHANGING)
        _put(points, going & over, window, np.full(len(over), Regime.UNDECIDED), reason, found)
        going &= ~over
        _leave(points, window.kept(before, points.detuning))
        if number % CREEP == 0:
            going &= ~_crept(mover, points, going & (window.slips.max(axis=(1, 2)) < 0.5), found)
        points, before, length = points[going], window[going], 2 * length


def _told(mover: Mover[P], points: P, window: Window, before: Window, going: Array, found: Motions) -> Array:
    """Which of the points are decided by this window and the one before."""
    beating, beats = mover.beats(window)
    word = np.where(beating, Regime.PARTIAL, decided(window, before, points.detuning, points.time < IRREGULAR_AFTER))
    told = np.asarray(going & (word != Regime.UNDECIDED))
    faint = np.all(window.amplitude < SMALL_COHERENCE, axis=1)  # perhaps it fades
    ringing = told & (np.isin(word, (Regime.PHASE_TRAPPED, Regime.PULSATING)) | faint)
    left = told & ~_near_rest(mover, points, ringing, ERROR_DISTANCE, found)
    irregular, settled = left & (word == Regime.IRREGULAR), np.full(len(word), Status.SETTLED)
    _put(points, left & beating, beats.resolved(beats), word, settled, found)
    _put(points, irregular, window, word, settled, found)
    regular = left & ~beating & ~irregular
    _put(points, regular, window.resolved(before), word, settled, found)
    mover.periods(points[regular], found)
    return told


def _put(points: Points, which: Array, window: Window, word: Array, status: Array, found: Motions) -> None:
    if which.any():
        found[points.index[which]] = moving(window[which], word[which], status[which])


def _leave(points: Points, kept: Array) -> None:
    """Put points beside an orbit that nothing but a symmetry keeps, as the least noise would do."""
    along = points.tangent[kept] / np.linalg.norm(points.tangent[kept], axis=1, keepdims=True)
    points.state[kept] += NEAR * points.approach.size[kept, None] * along


def _crept(mover: Mover[P], points: P, slow: Array, found: Motions) -> Array:
    """Which of the slow points come to rest when they are given all the time there is; the others stay where they are."""
    rest, some = np.zeros(len(slow), bool), points[slow]
    if len(some.index):
        rest[slow] = _near_rest(mover, some, mover.creep(some, PATIENCE / some.slowest), NEAR, found)
    return rest
