"""The loop that follows trajectories until their regimes are decided (methods page, How a regime is found).

First every point is given time to converge to a fixed point in a rotating frame. Points that keep moving are averaged over
windows of doubling length until two successive windows agree: then the motion is stationary, and its averages tell the
regime. Motion with a lasting positive Lyapunov exponent is irregular. Each point leaves the loop as soon as it is decided.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinsync.base.arrays import Array, joined
from spinsync.problems.flow.approach import ERROR_DISTANCE, NEAR, NEUTRAL, SMALL_COHERENCE, THERE
from spinsync.regimes.codes import Regime, Status
from spinsync.regimes.decision import Window, classify, unmeasured
from spinsync.regimes.movers import (
    APPROACH_TIME,
    FIRST_CHECK,
    FIRST_WINDOW,
    IMPLICIT_EVERY,
    IRREGULAR_AFTER,
    MANY_GROUPS,
    MAX_APPROACH_TIME,
    MAX_PERIOD,
    MAX_TIME,
    Mover,
    NearbyFixedPoints,
    P,
    Points,
)
from spinsync.regimes.summary import Motions, blank, motions_from_windows


def follow(mover: Mover[P], count: int) -> Motions:
    """The long-time motions of `count` points, with status FAILED where the integration failed."""
    found = blank(count, mover.groups, Status.NO_RELAXATION)
    points = joined(mover.in_chunks(lambda mover, points: _relax(mover, points, found)))
    for share in mover.attempts:
        if len(points.index):
            points = _find_periodic(mover, points, share * MAX_PERIOD, found)
    _average(mover, points, found)
    return found


def _relax(mover: Mover[P], points: P, found: Motions) -> P:
    """Advance the points while they may soon converge to a fixed point. Returns those that did not."""
    longest, moving = MAX_APPROACH_TIME if mover.groups >= MANY_GROUPS else APPROACH_TIME, [points[np.arange(0)]]
    while len(points.index):
        span = np.minimum(np.maximum(FIRST_CHECK, points.time), np.maximum(points.wait, 1.0))
        finished = mover.advance(points, span / points.slowest)
        points.time = points.time + span
        points = _finished(points, finished, found)
        points = _remove(points, _converged(mover, points, found))
        expired = (points.time >= longest) & ~(points.time + points.wait < MAX_APPROACH_TIME)
        if expired.any():
            moving.append(points[expired])
            points = points[~expired]
    return joined(moving)


def _finished(points: P, finished: Array, found: Motions) -> P:
    """The points that reached the end of their span; the status of the others becomes FAILED."""
    found.status[points.index[~finished]] = Status.FAILED
    return _remove(points, ~finished)


def _remove(points: P, removed: Array) -> P:
    return points[~removed] if removed.any() else points


def _find_periodic(mover: Mover[P], points: P, longest: float, found: Motions) -> P:
    """Search for periods up to `longest`. Returns the points that are neither periodic nor at a fixed point."""
    orbits = mover.find_orbits(points, longest / points.slowest)
    decided = (orbits.regime != Regime.UNDECIDED) | (orbits.status == Status.FAILED)
    found[points.index[decided]] = orbits[decided]
    points = points[~decided]
    return points[~_converged(mover, points, found)]


def _converged(mover: Mover[P], points: P, found: Motions) -> Array:
    """Which points are at a stable fixed point, (point,); `found` gets their motions. Unstable fixed points are perturbed."""
    approach, converged = points.approach, np.zeros(len(points.index), bool)
    if not len(converged):
        return converged
    fixed_points = mover.find_fixed_points(points, approach.fading(mover.size(points)))
    accepted = np.flatnonzero(approach.accepted(fixed_points.distance))
    stable = _stable(points, fixed_points, accepted, found)
    converged[accepted[stable]] = True
    leaving = accepted[~stable & (fixed_points.distance[accepted] < THERE)]
    if len(leaving):
        points.state[leaving] = fixed_points.perturbed(leaving)
    points.wait = fixed_points.wait(approach) * points.slowest
    return converged


def _stable(points: Points, fixed_points: NearbyFixedPoints, chosen: Array, found: Motions) -> Array:
    """Which chosen fixed points are stable, or exactly incoherent (no noise perturbs them); `found` gets their motions."""
    growth = fixed_points.growth(chosen)
    stable = ~(growth > NEUTRAL * points.fastest[chosen]) | (points.approach.size[chosen] == 0)
    if stable.any():
        found[points.index[chosen[stable]]] = fixed_points.motions(chosen[stable], growth[stable])
    return np.asarray(stable)


def _near_fixed_point(mover: Mover[P], points: P, chosen: Array, radius: float, found: Motions) -> Array:
    """Which of the chosen points are within `radius` of a stable fixed point, (point,), even if they do not approach it."""
    converged, some = np.zeros(len(chosen), bool), points[chosen]
    if len(some.index):
        some.approach.size = mover.size(some)
        fixed_points = mover.find_fixed_points(some, some.approach.size < SMALL_COHERENCE)
        near = np.flatnonzero(fixed_points.distance < radius)
        converged[np.flatnonzero(chosen)[near[_stable(some, fixed_points, near, found)]]] = True
    return converged


def _average(mover: Mover[P], points: P, found: Motions) -> None:
    """Average over windows of doubling length until every point is decided or has used up its time or its steps."""
    count, length, windows = len(points.index), FIRST_WINDOW, 0
    tangent = np.asarray(np.random.default_rng(7).standard_normal(points.state.shape[1]), points.state.dtype)
    points = replace(points, tangent=np.tile(tangent / np.linalg.norm(tangent), (count, 1)), time=np.zeros(count))
    before = unmeasured(count, mover.groups)
    while len(points.index):
        mover.report(points)
        window, taken, finished = mover.measure(points, length / points.slowest)
        points.time, points.steps, windows = points.time + length, points.steps + taken, windows + 1
        expired = (points.time >= MAX_TIME) | (points.steps + 2 * taken > mover.max_steps(points))
        points, window = _finished(points, finished, found), window[finished]
        before, expired = before[finished], expired[finished]
        undecided = ~_converged(mover, points, found)
        undecided &= ~_classified(mover, points, window, before, undecided, expired, found)
        reason = np.where(window.phase_undefined, Status.THROUGH_ZERO, Status.STILL_CHANGING)
        _record(points, undecided & expired, window, np.full(len(expired), Regime.UNDECIDED), reason, found)
        undecided &= ~expired
        _perturb(points, window.symmetry_trapped(before, points.detuning))
        if windows % IMPLICIT_EVERY == 0:
            undecided &= ~_converged_implicitly(mover, points, undecided & (window.slips.max(axis=(1, 2)) < 0.5), found)
        points, before, length = points[undecided], window[undecided], 2 * length


def _classified(
    mover: Mover[P], points: P, window: Window, before: Window, undecided: Array, ends: Array, found: Motions
) -> Array:
    """Which of the undecided points are decided by this window and the previous one, (point,); `found` gets their motions.

    ends : whether this is the last window of the point
    """
    beating, beats = mover.find_beats(window)
    shown = classify(window, before, points.detuning, points.time < IRREGULAR_AFTER, ends)
    regime = np.where(beating, Regime.PARTIAL, shown)
    decided = np.asarray(undecided & (regime != Regime.UNDECIDED))
    small = np.all(window.amplitude < SMALL_COHERENCE, axis=1)  # may be decaying to the incoherent state
    doubtful = decided & (np.isin(regime, (Regime.PHASE_TRAPPED, Regime.PULSATING)) | small)
    remaining = decided & ~_near_fixed_point(mover, points, doubtful, ERROR_DISTANCE, found)
    irregular, status = remaining & (regime == Regime.IRREGULAR), np.full(len(regime), Status.SETTLED)
    _record(points, remaining & beating, beats.with_regular_error(beats), regime, status, found)
    _record(points, irregular, window, regime, status, found)
    regular = remaining & ~beating & ~irregular
    _record(points, regular, window.with_regular_error(before), regime, status, found)
    mover.add_periods(points[regular], found)
    return decided


def _record(points: Points, chosen: Array, window: Window, regime: Array, status: Array, found: Motions) -> None:
    if chosen.any():
        found[points.index[chosen]] = motions_from_windows(window[chosen], regime[chosen], status[chosen])


def _perturb(points: Points, chosen: Array) -> None:
    """Break the symmetry of the chosen points by a small step along their tangent vectors, as noise would."""
    direction = points.tangent[chosen] / np.linalg.norm(points.tangent[chosen], axis=1, keepdims=True)
    points.state[chosen] += NEAR * points.approach.size[chosen, None] * direction


def _converged_implicitly(mover: Mover[P], points: P, slow: Array, found: Motions) -> Array:
    """Which slow points reach a fixed point by implicit steps over MAX_TIME, (point,); failed steps leave a state unchanged."""
    converged, some = np.zeros(len(slow), bool), points[slow]
    if len(some.index):
        converged[slow] = _near_fixed_point(mover, some, mover.advance_implicitly(some, MAX_TIME / some.slowest), NEAR, found)
    return converged
