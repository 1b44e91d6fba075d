"""One point by the stepper of `evolve`: takes any flow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import nan

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.progress import ProgressLine
from spinsync.problems.flow import implicit_steps
from spinsync.problems.flow.approach import NEAR, NEUTRAL, NOTHING, Approach
from spinsync.problems.flow.exponential_adams import DONE
from spinsync.problems.flow.fixed_points import Rest, extent, in_own_frame, look, run, slowest
from spinsync.problems.flow.hopf import ahead, gentle
from spinsync.problems.flow.orbit_averages import Track, track
from spinsync.problems.flow.periodic_orbits import search
from spinsync.problems.flow.record import Flow
from spinsync.regimes.codes import Regime, Status
from spinsync.regimes.decision import Window, averages, repeated, unknown
from spinsync.regimes.follow import follow
from spinsync.regimes.movers import FINER, LONGEST, MOST_WORK, Batch, Look, Mover, Points
from spinsync.regimes.summary import Motions, blank, repeating, resting

ATTEMPTS = (0.25, 0.5, *[1.0] * 6)  # to find a period, of a single group: several that are periodic show it at once
APART = 0.7  # of the shortest time in the motion, between two samples
MOST_SAMPLES = 2_000_000  # of one window
EACH, LEAST = 20, 1000  # work of a time step for every component, beside the entries of the coupling matrix; of any step
SLOW_WORK = 1.5e8  # beside a Hopf bifurcation, where no window is long enough if no leap helped


class ScalarLook(Look):
    """A fixed point, or none; `weight` (group,) of the groups."""

    def __init__(self, rest: Rest | None, distance: float, weight: Array) -> None:
        self.rest, self.distance, self.weight = rest, np.array([distance]), weight
        self.rate = np.array([rest.growth[0] if rest is not None and rest.growth.size else nan])

    def growth(self, chosen: Array) -> Array:
        return self.rate[chosen]

    def perturbed(self, chosen: Array) -> Array:
        assert self.rest is not None
        flow, state = self.rest.flow, self.rest.state
        return (state + NEAR * extent(flow, state) * self.rest.direction())[None][chosen]

    def resting(self, chosen: Array, growth: Array) -> Motions:
        assert self.rest is not None
        flow, error = self.rest.flow, np.where(np.isnan(growth), nan, NEUTRAL * self.rest.flow.decay.real.max())
        s, z = flow.groups(self.rest.state[None, :])
        return resting(s, z, np.array([flow.frame]), self.weight, growth, error)[chosen]

    def wait(self, approach: Approach) -> Array:
        return approach.wait(self.distance, self.rate)


class ScalarMover(Mover[Points]):
    """Moves one point, whose `flow` is written in the frame in which the state turned least when it last began to move.

    rtol, atol : how exact averages are to be
    """

    def __init__(self, flow: Flow, weight: Array, rtol: float, atol: float, line: ProgressLine | None = None) -> None:
        self.flow, self.weight, self.line = flow, weight, line
        self.rtol, self.atol = max(flow.rtol, rtol / FINER), max(flow.atol, atol / FINER)
        self.groups, self.slow = weight.size, slowest(flow)
        self.attempts = ATTEMPTS if weight.size == 1 else (1.0,)
        self.nearby: Rest | None = None
        self.seen: Track | None = None

    def shared(self, work: Callable[[Mover[Points], Points], Points]) -> list[Points]:
        """The point, if it relaxes."""
        one, turns = np.zeros(1), self.flow.decay.imag[~self.flow.real]
        points = Points(
            index=np.zeros(1, int), state=self.flow.start[None].copy(), tangent=self.flow.start[None], slowest=one + self.slow,
            fastest=one + self.flow.decay.real.max(), detuning=one + (np.ptp(turns) if turns.size else 0.0), time=one,
            approach=Approach.of(one + extent(self.flow, self.flow.start)), steps=one, wait=one + np.inf,
        )  # fmt: skip
        return [work(self, points[points.slowest > NOTHING])]

    def size(self, points: Points) -> Array:
        return np.array([extent(self.flow, state) for state in points.state])

    def budget(self, points: Points) -> Array:
        work = SLOW_WORK if self._beside_hopf() else MOST_WORK
        return np.full(len(points.index), work / max(EACH * self.flow.decay.size + self.flow.coupling.size, LEAST))

    def _beside_hopf(self) -> Rest | None:
        return self.nearby if self.nearby is not None and self.nearby.growth.size and gentle(self.nearby) else None

    def _windowed(self) -> Flow:
        return replace(self.flow, rtol=self.rtol, atol=self.atol)

    def tell(self, points: Points) -> None:
        if self.line is not None:
            self.line.update(nan, f"{points.time[0]:.3g} relaxation times")

    def advance(self, points: Points, spans: Array) -> Array:
        """Move on in the frame in which the state turns least: there it is a fixed point of the stepper once it rests."""
        self.flow = in_own_frame(self.flow, points.state[0])
        seen = run(self.flow, points.state[0], np.array([0.0, spans[0]]))
        points.state = seen.states[-1:].copy()
        self.tell(points)
        return np.array([seen.status == DONE])

    def look(self, points: Points, fading: Array) -> ScalarLook:
        self.nearby, distance = look(self.flow, points.state[0], bool(fading[0]))
        return ScalarLook(self.nearby, distance, self.weight)

    def orbits(self, points: Points, longest: Array) -> Motions:
        """The motion, or where it leads beside a Hopf bifurcation."""
        around, state = self._beside_hopf(), points.state[0]
        leapt = ahead(around, state) if around is not None else None
        seen = search(self._windowed(), state if leapt is None else leapt, longest[0])
        points.state = seen.state[None].copy()
        if seen.cycle is None:
            return blank(1, self.groups, Status.STILL_CHANGING if seen.status == DONE else Status.FAILED)
        found = repeating(seen.cycle, self.weight)
        if around is not None and around.growth[0] > 0:  # the exponent is -2 g, unless errors of the steps drive it
            off = abs(found.lyapunov + 2 * around.growth[0])
            found = replace(found, lyapunov_error=np.maximum(found.lyapunov_error, off))
        return found

    def measure(self, points: Points, spans: Array) -> tuple[Window, Array, Array]:
        """Averages over samples at even distances."""
        self.flow = in_own_frame(self.flow, points.state[0])
        samples, none = int(np.ceil(spans[0] * self.flow.pace / APART)), np.zeros(1, bool)
        if samples > MOST_SAMPLES:
            return unknown(1, self.groups), np.zeros(1), none
        seen = self.seen = track(self._windowed(), points.state[0], points.tangent[0], samples, spans[0] / samples)
        points.state, points.tangent = seen.state[None], seen.deviation[None]
        return averages(seen, self.flow.frame, self.weight), np.array([seen.steps]), np.array([seen.status == DONE])

    def beats(self, window: Window) -> tuple[Array, Window]:
        """Whether the last two slips of two phases past each other are alike, in all that a common phase leaves."""
        weights = None if self.seen is None else self.seen.whole_periods()
        if self.seen is None or weights is None or not len(window.length):
            return np.zeros(len(window.length), bool), window
        twice = averages(self.seen, self.flow.frame, self.weight, weights)
        return repeated(twice), twice

    def periods(self, points: Points, found: Motions) -> None:
        """Nothing: what repeats itself has been found before."""

    def add_period(self, state: Array, found: Motions, index: int) -> None:
        """Add the period of the regular motion that has ended at `state`, and the range of its order parameter."""
        seen = search(self._windowed(), state, LONGEST / self.slow)
        again = None if seen.cycle is None else repeating(seen.cycle, self.weight)
        if again is not None and again.regime[0] == found.regime[index]:
            found.period[index], found.extremes[index] = again.period[0], again.extremes[0]

    def creep(self, points: Points, spans: Array) -> Array:
        ended = implicit_steps.creep(self.flow, points.state[0], spans[0], FINER * self.rtol, self.atol)
        if ended is not None:
            points.state = ended[None]
        return np.array([ended is not None])


def scalar_mover(batch: Batch, point: int) -> ScalarMover:
    """Of one point of a batch."""
    rates = batch.rates.at((point,))
    flow = batch.theory.flow(rates, batch.spread, batch.names, batch.initial)
    return ScalarMover(flow, rates.weight, batch.rtol, batch.atol, batch.line)


def motion(batch: Batch, point: int) -> Motions:
    """The long-time motion of one point. A fixed point, and the error of an exponent, are what many components would show."""
    mover = scalar_mover(batch, point)
    flow, found = mover.flow, follow(mover, 1)
    if flow.doubt:
        found = replace(found, lyapunov_error=np.maximum(found.lyapunov_error, flow.doubt * abs(found.lyapunov)))
    if flow.finer is None or found.regime[0] != Regime.FULL:
        return found
    bright = int(np.argmax(found.amplitude[0]))
    rest = flow.finer(np.nan_to_num(found.amplitude[0] * found.locking[0, bright]), float(found.frequency[0, bright]))
    if rest is None:
        return found
    coherence, inversion, frequency = rest
    return resting(coherence[None], inversion[None], np.array([frequency]), mover.weight, found.lyapunov, found.lyapunov_error)
