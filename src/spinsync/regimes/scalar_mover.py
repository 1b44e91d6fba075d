"""The mover of a single point with the stepper of `evolve`, for any flow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import nan

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.progress import report
from spinsync.problems.flow import implicit_steps
from spinsync.problems.flow.approach import NEAR, NEUTRAL, ZERO_RATE, Approach
from spinsync.problems.flow.exponential_adams import DONE
from spinsync.problems.flow.fixed_points import FixedPoint, corotating_flow, fixed_point_near, run, slowest_rate, state_scale
from spinsync.problems.flow.hopf import extrapolate_amplitude, is_weakly_nonlinear
from spinsync.problems.flow.orbit_averages import OrbitSamples, sample_orbit
from spinsync.problems.flow.periodic_orbits import find_cycle
from spinsync.problems.flow.record import Flow
from spinsync.regimes.codes import Regime, Status
from spinsync.regimes.decision import Window, averages, is_periodic, unmeasured
from spinsync.regimes.follow import follow
from spinsync.regimes.movers import AVERAGING_ACCURACY, MAX_PERIOD, MAX_WORK, Batch, Mover, NearbyFixedPoints, Points
from spinsync.regimes.summary import Motions, blank, motion_from_cycle, motions_at_fixed_points

ORBIT_SEARCHES = (0.25, 0.5, *[1.0] * 6)  # searches for a periodic orbit of a single group; several groups need only one
SAMPLE_SPACING = 0.7  # time between two samples, in units of the shortest time scale of the motion
MAX_SAMPLES = 2_000_000  # of one window
FAR = 10.0  # detuning in units of the fastest rate of the motion, from which on a component can only follow the others
COMPONENT_WORK, MIN_STEP_WORK = 20, 1000  # work of a time step per component, without the couplings; least work of a step
HOPF_WORK = 1.5e8  # replaces MAX_WORK near a Hopf bifurcation: if the extrapolation failed, no window is long enough


class ScalarFixedPoint(NearbyFixedPoints):
    """The fixed point near one state, or None; `weight` (group,) are the weights of the groups."""

    def __init__(self, fixed_point: FixedPoint | None, distance: float, weight: Array) -> None:
        self.fixed_point, self.distance, self.weight = fixed_point, np.array([distance]), weight
        self.rate = np.array([fixed_point.growth[0] if fixed_point is not None and fixed_point.growth.size else nan])

    def growth(self, chosen: Array) -> Array:
        return self.rate[chosen]

    def perturbed(self, chosen: Array) -> Array:
        assert self.fixed_point is not None
        flow, state = self.fixed_point.flow, self.fixed_point.state
        return (state + NEAR * state_scale(flow, state) * self.fixed_point.fastest_growing())[None][chosen]

    def motions(self, chosen: Array, growth: Array) -> Motions:
        assert self.fixed_point is not None
        flow, error = self.fixed_point.flow, np.where(np.isnan(growth), nan, NEUTRAL * self.fixed_point.flow.decay.real.max())
        s, z = flow.groups(self.fixed_point.state[None, :])
        return motions_at_fixed_points(s, z, np.array([flow.frame]), self.weight, growth, error)[chosen]

    def wait(self, approach: Approach) -> Array:
        return approach.wait(self.distance, self.rate)


class ScalarMover(Mover[Points]):
    """Advances one point. Its `flow` is written in the frame that rotated with the state when it was last advanced.

    rtol, atol : tolerances while averages are taken
    """

    def __init__(self, flow: Flow, weight: Array, rtol: float, atol: float) -> None:
        self.flow, self.weight = flow, weight
        self.rtol, self.atol = max(flow.rtol, rtol / AVERAGING_ACCURACY), max(flow.atol, atol / AVERAGING_ACCURACY)
        self.groups, self.slowest = weight.size, slowest_rate(flow)
        self.attempts = ORBIT_SEARCHES if weight.size == 1 else (1.0,)
        self.far = far_components(flow)
        self.nearby: FixedPoint | None = None
        self.samples: OrbitSamples | None = None

    def in_chunks(self, work: Callable[[Mover[Points], Points], Points]) -> list[Points]:
        """The result for the point, as one chunk; none of the points if it does not relax."""
        zero, omega = np.zeros(1), self.flow.decay.imag[~self.flow.real & ~self.far]
        points = Points(
            index=np.zeros(1, int), state=self.flow.start[None].copy(), tangent=self.flow.start[None],
            slowest=zero + self.slowest, fastest=zero + self.flow.decay.real.max(), time=zero,
            detuning=zero + (np.ptp(omega) if omega.size else 0.0), steps=zero, wait=zero + np.inf,
            approach=Approach.initial(zero + state_scale(self.flow, self.flow.start)),
        )  # fmt: skip
        return [work(self, points[points.slowest > ZERO_RATE])]

    def size(self, points: Points) -> Array:
        return np.array([state_scale(self.flow, state) for state in points.state])

    def max_steps(self, points: Points) -> Array:
        work = HOPF_WORK if self._near_hopf() else MAX_WORK
        step = max(COMPONENT_WORK * self.flow.decay.size + self.flow.coupling.size, MIN_STEP_WORK)
        return np.full(len(points.index), work / step)

    def _near_hopf(self) -> FixedPoint | None:
        """The fixed point found last, if it is close to a Hopf bifurcation."""
        return self.nearby if self.nearby is not None and self.nearby.growth.size and is_weakly_nonlinear(self.nearby) else None

    def _averaged_flow(self) -> Flow:
        return replace(self.flow, rtol=self.rtol, atol=self.atol)

    def report(self, points: Points) -> None:
        report(text=f"{points.time[0]:.3g} relaxation times")

    def advance(self, points: Points, spans: Array) -> Array:
        """Advance in the frame that rotates with the state: there a fixed point of the motion is constant."""
        self.flow = corotating_flow(self.flow, points.state[0])
        solution = run(self.flow, points.state[0], np.array([0.0, spans[0]]))
        points.state = solution.states[-1:].copy()
        self.report(points)
        return np.array([solution.status == DONE])

    def find_fixed_points(self, points: Points, fading: Array) -> ScalarFixedPoint:
        self.nearby, distance = fixed_point_near(self.flow, points.state[0], bool(fading[0]))
        return ScalarFixedPoint(self.nearby, distance, self.weight)

    def find_orbits(self, points: Points, longest: Array) -> Motions:
        """The periodic motion from the state, or from its extrapolation near a Hopf bifurcation."""
        fixed_point, state = self._near_hopf(), points.state[0]
        predicted = extrapolate_amplitude(fixed_point, state) if fixed_point is not None else None
        search = find_cycle(self._averaged_flow(), state if predicted is None else predicted, longest[0])
        points.state = search.state[None].copy()
        if search.cycle is None:
            return blank(1, self.groups, Status.STILL_CHANGING if search.status == DONE else Status.FAILED)
        found = motion_from_cycle(search.cycle, self.weight)
        if fixed_point is not None and fixed_point.growth[0] > 0:  # by Landau's equation the exponent is -2 g
            error = abs(found.lyapunov + 2 * fixed_point.growth[0])
            found = replace(found, lyapunov_error=np.maximum(found.lyapunov_error, error))
        return found

    def measure(self, points: Points, spans: Array) -> tuple[Window, Array, Array]:
        """Time averages of the motion over the window, from equidistant samples; steps; and whether it reached the end."""
        self.flow = corotating_flow(self.flow, points.state[0])
        if not points.steps[0]:
            points.tangent[0, self.far] = 0  # else its free rotation would set the time steps
        count, none = int(np.ceil(spans[0] * self.flow.fastest_rate / SAMPLE_SPACING)), np.zeros(1, bool)
        if count > MAX_SAMPLES:
            return unmeasured(1, self.groups), np.zeros(1), none
        orbit = self.samples = sample_orbit(self._averaged_flow(), points.state[0], points.tangent[0], count, spans[0] / count)
        points.state, points.tangent = orbit.state[None], orbit.tangent[None]
        return averages(orbit, self.flow.frame, self.weight), np.array([orbit.steps]), np.array([orbit.status == DONE])

    def find_beats(self, window: Window) -> tuple[Array, Window]:
        """Whether the motion between the last two phase slips is periodic up to a common phase, and averages over both."""
        weights = None if self.samples is None else self.samples.period_weights()
        if self.samples is None or weights is None or not len(window.length):
            return np.zeros(len(window.length), bool), window
        periods = averages(self.samples, self.flow.frame, self.weight, weights)
        return is_periodic(periods), periods

    def add_periods(self, points: Points, found: Motions) -> None:
        """Adds nothing, as `find_orbits` has found the periods."""

    def add_period(self, state: Array, found: Motions, index: int) -> None:
        """Add the period of the regular motion through `state`, and the range of its order parameter."""
        search = find_cycle(self._averaged_flow(), state, MAX_PERIOD / self.slowest)
        periodic = None if search.cycle is None else motion_from_cycle(search.cycle, self.weight)
        if periodic is not None and periodic.regime[0] == found.regime[index]:
            found.period[index], found.extremes[index] = periodic.period[0], periodic.extremes[0]

    def advance_implicitly(self, points: Points, spans: Array) -> Array:
        rtol = AVERAGING_ACCURACY * self.rtol
        state = implicit_steps.integrate_implicitly(self.flow, points.state[0], spans[0], rtol, self.atol)
        if state is not None:
            points.state = state[None]
        return np.array([state is not None])


def far_components(flow: Flow) -> Array:
    """Which components rotate FAR from the motion, (component,): very few, such as spins in the tails of a Lorentzian."""
    return np.asarray(flow.charged & (abs(flow.decay.imag) > FAR * flow.fastest_rate))


def following(flow: Flow) -> Flow:
    """The flow whose far components start where they settle in the field of the start: n(y)/decay.

    Their free rotation has decayed in the long-time motion, but until then it would set the time steps of all components.
    """
    far, start = far_components(flow), flow.start.copy()
    start[far] += flow.velocity(flow.start)[far] / flow.decay[far]
    return replace(flow, start=start) if far.any() else flow


def scalar_mover(batch: Batch, point: int) -> ScalarMover:
    """The mover of one point of a batch."""
    rates = batch.rates.at((point,))
    flow = batch.theory.flow(rates, batch.distributions, batch.names, batch.initial)
    return ScalarMover(following(flow), rates.weight, batch.rtol, batch.atol)


def motion(batch: Batch, point: int) -> Motions:
    """The long-time motion of one point. `flow.refine` and `flow.lyapunov_error` correct for its few frequency classes."""
    mover = scalar_mover(batch, point)
    flow, found = mover.flow, follow(mover, 1)
    if flow.lyapunov_error:
        found = replace(found, lyapunov_error=np.maximum(found.lyapunov_error, flow.lyapunov_error * abs(found.lyapunov)))
    if flow.refine is None or found.regime[0] != Regime.FULL:
        return found
    largest = int(np.argmax(found.amplitude[0]))
    fixed_point = flow.refine(np.nan_to_num(found.amplitude[0] * found.locking[0, largest]), float(found.frequency[0, largest]))
    if fixed_point is None:
        return found
    coherence, inversion, frequency = fixed_point
    return motions_at_fixed_points(
        coherence[None], inversion[None], np.array([frequency]), mover.weight, found.lyapunov, found.lyapunov_error
    )
