"""What an ensemble does in the end: at rest in a rotating frame, moving regularly, or irregularly (theory page, section 5).

First the motion is given time to come to rest. If it does not, it is followed through windows, each twice as long as
the one before, until two windows in a row agree: then it is stationary, and its averages tell its regime. A positive
Lyapunov exponent that persists makes it irregular.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import nan

import numpy as np

from spinsync.data.problems import Flow
from spinsync.data.rates import Array
from spinsync.data.regimes import Regime, Status
from spinsync.numerics.exponential_adams import DONE
from spinsync.numerics.rest import NEAR, NEUTRAL, Approach, Rest, in_own_frame, settle
from spinsync.numerics.tracking import Groups, Track, track
from spinsync.verbs.windows import DARK, Window, averages, decided

SHORT = 40.0  # time to come to rest directly, in units of the slowest relaxation time
FIRST = 20.0  # the first window, in the same units
PATIENCE = 300_000.0  # all windows together
MOST_STEPS = 1_000_000  # time steps of all windows together
IRREGULAR_AFTER = 600.0  # relaxation times: transients can be irregular too
ROUGH = 1e-7  # tolerance of the steps of windows: averages ask for less than trajectories


@dataclass(frozen=True)
class Motion:
    """The long-time motion.

    frequency, amplitude, inversion : arrays of shape (group,)
    locking : time mean of exp(i (phi_a - phi_b)), shape (group, group)
    lyapunov : the largest exponent beside the zeros of the common phase and, in motion, of the time's origin
    """

    regime: Regime
    status: Status
    frequency: Array
    amplitude: Array
    inversion: Array
    order_parameter: float
    locking: Array
    lyapunov: float = nan
    lyapunov_error: float = nan


def nothing(groups: int, status: Status) -> Motion:
    """Undecided, with nothing measured."""
    blank = np.full(groups, nan)
    return Motion(Regime.UNDECIDED, status, blank, blank, blank, nan, np.full((groups, groups), nan + 0j))


def long_time(flow: Flow, weight: Array) -> Motion:
    """The long-time motion of a flow from its start; `weight` (group,) are the shares of the groups."""
    slowest = float(flow.decay.real.min())
    if slowest <= 0:
        return nothing(weight.size, Status.NO_RELAXATION)
    approach = Approach()
    settled = settle(flow, approach, stretch=10 / slowest, most=SHORT / slowest)
    if settled.status != DONE:
        return nothing(weight.size, Status.FAILED)
    if settled.rest is not None and _lasting(settled.rest):
        return _resting(settled.rest, weight)
    state = settled.state if settled.rest is None else _nudged(settled.rest)
    return _follow(flow, state, weight, approach, slowest)


def _follow(flow: Flow, state: Array, weight: Array, approach: Approach, slowest: float) -> Motion:
    """Windows of doubling length until the motion is decided."""
    flow = replace(flow, rtol=max(flow.rtol, ROUGH), atol=max(flow.atol, ROUGH / 100))
    detuning = float(np.ptp(flow.decay.imag[flow.charge != 0]))
    deviation = np.random.default_rng(7).standard_normal(state.size).astype(complex)
    length, time, steps, windows = FIRST / slowest, 0.0, 0, list[Window]()
    while True:
        flow = in_own_frame(flow, state)[0]
        samples = int(np.ceil(length / _distance(flow, weight)))
        seen = track(flow, state, deviation, samples, length / samples, _groups(flow))
        if seen.status != DONE:
            return nothing(weight.size, Status.FAILED)
        state, deviation, time, steps = seen.state, seen.deviation, time + length, steps + seen.steps
        rest = approach.look(flow, state)
        if rest is not None and _lasting(rest):
            return _resting(rest, weight)
        windows.append(averages(seen, flow.frame))
        regime, window = decided(windows, detuning, transient=time * slowest < IRREGULAR_AFTER)
        if regime is not Regime.UNDECIDED:
            return _moving(seen, window, weight, regime, Status.SETTLED)
        if time * slowest >= PATIENCE or steps > MOST_STEPS:
            status = Status.THROUGH_ZERO if window.grazing else Status.STILL_CHANGING
            return _moving(seen, window, weight, regime, status)
        length *= 2
        if rest is not None:
            state = _nudged(rest)


def _distance(flow: Flow, weight: Array) -> float:
    """Time between two samples: a fraction of the shortest time in the motion of the groups."""
    field = float((abs(flow.coupling) @ weight).max()) / np.sqrt(8)  # (4.4): about the largest |h|
    groups = flow.decay[flow.charge != 0]
    return 0.7 / float(2 * field + np.quantile(abs(groups), 0.9))


def _lasting(rest: Rest) -> bool:
    """Rest that noise does not end; without any coherence an ensemble stays so, as its equations have no noise."""
    return rest.stable or not np.any(rest.state[rest.flow.charge != 0])


def _nudged(rest: Rest) -> Array:
    """Off an unstable state of rest, along the deviation that grows fastest."""
    size = NEAR * abs(rest.state[rest.flow.charge != 0]).max()
    return np.asarray(rest.state + size * rest.direction / np.linalg.norm(rest.direction))


def _groups(flow: Flow) -> Groups:
    def groups(states: Array) -> tuple[Array, Array]:
        seen = flow.observe(states, np.zeros(len(states)))  # in the flow's own frame
        return seen["coherence"][1], seen["inversion"][1]

    return groups


def _resting(rest: Rest, weight: Array) -> Motion:
    s, z = (seen[0] for seen in _groups(rest.flow)(rest.state[None, :]))
    amplitude = abs(s)
    bright = amplitude >= DARK
    phase = np.where(bright, s / np.where(bright, amplitude, 1), nan)
    return Motion(
        Regime.FULL if bright.any() else Regime.INCOHERENT,
        Status.SETTLED,
        np.where(bright, rest.flow.frame, nan),
        amplitude,
        z,
        2 * float(abs(s @ weight)),
        np.outer(phase.conj(), phase),
        float(rest.growth[0]) if rest.growth.size else nan,
        NEUTRAL * float(rest.flow.decay.real.max()) if rest.growth.size else nan,
    )


def _moving(seen: Track, window: Window, weight: Array, regime: Regime, status: Status) -> Motion:
    w, size = window.weights, abs(seen.charged)
    amplitude = w @ size
    bright = amplitude >= DARK
    phase = np.divide(seen.charged, size, out=np.zeros_like(seen.charged), where=size > 0)
    locking = phase.conj().T @ (w[:, None] * phase)
    locking[~bright, :] = locking[:, ~bright] = nan
    return Motion(
        regime,
        status,
        np.where(bright, window.winding, nan),
        amplitude,
        window.inversion,
        2 * float(w @ abs(seen.charged @ weight)),
        locking,
        window.lyapunov,
        window.lyapunov_error,
    )
