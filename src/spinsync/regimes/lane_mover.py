"""The mover of many points, in SIMD lanes or on a graphics processor, for groups of one frequency each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import log

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.progress import report
from spinsync.model import bloch_vectors
from spinsync.problems.flow.approach import (
    COHERENCE_ERROR,
    NEAR,
    NEUTRAL,
    SEARCH_RADIUS,
    THERE,
    ZERO_RATE,
    Approach,
    coherent_groups,
)
from spinsync.regimes.codes import Status
from spinsync.regimes.decision import Window
from spinsync.regimes.kernels.cuda_lanes import CudaLanes
from spinsync.regimes.kernels.fixed_points import FixedPointKernels, growth_rates, in_chunks
from spinsync.regimes.kernels.lanes import Lanes
from spinsync.regimes.kernels.layout import WINDOW_INTEGRAL, WINDOW_VARIANCE, Layout, parameters
from spinsync.regimes.movers import AVERAGING_ACCURACY, MAX_WORK, Batch, Mover, NearbyFixedPoints, Points
from spinsync.regimes.scalar_mover import scalar_mover
from spinsync.regimes.summary import Motions, blank, motions_at_fixed_points

MAX_POINTS_WITH_PERIODS = 16  # most points whose periods are computed; for more this would take most of the time
RELAXATION = 0.35  # typical share of the time of a large diagram until its points have relaxed, for the progress line
STEP_WORK = 100.0  # work of a time step, as in MAX_WORK
MAX_STEPS = MAX_WORK / STEP_WORK  # of all windows of a point; the last window takes about half of them

Kernels = Lanes | CudaLanes


@dataclass(kw_only=True)
class LanePoints(Points):
    """Points whose states are (x, y, z) of each group; `parameters` are kernel records in a frame that rotates at `frame`."""

    parameters: Array
    frame: Array


@dataclass(frozen=True, kw_only=True)
class LaneFixedPoints(NearbyFixedPoints):
    """Fixed points near the states of `points`, (point, ...).

    state, rotation : the fixed points, and the frequencies of their rotating frames
    incoherent : whether the fixed point has zero coherence
    rates : largest growth rates of perturbations, NaN where they are not computed yet
    """

    kernels: FixedPointKernels
    points: LanePoints
    state: Array
    rotation: Array
    incoherent: Array
    distance: Array
    rates: Array

    def _jacobian(self, chosen: Array) -> Array:
        return self.kernels.jacobians(self.points.parameters.take(chosen), self.state[chosen], self.rotation[chosen])

    def growth(self, chosen: Array) -> Array:
        unknown = chosen[np.isnan(self.rates[chosen])]
        if len(unknown):
            self.rates[unknown] = growth_rates(self._jacobian(unknown), self.incoherent[unknown])
        return self.rates[chosen]

    def perturbed(self, chosen: Array) -> Array:
        values, vectors = np.linalg.eig(self._jacobian(chosen))
        direction = np.take_along_axis(vectors, values.real.argmax(axis=1)[:, None, None], axis=2)[:, :, 0].real
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        return np.asarray(self.state[chosen] + NEAR * self.points.approach.size[chosen, None] * direction)

    def motions(self, chosen: Array, growth: Array) -> Motions:
        y = self.state[chosen].reshape(len(chosen), -1, 3)
        frequency, error = self.points.frame[chosen] + self.rotation[chosen], NEUTRAL * self.points.fastest[chosen]
        s, weight = y[:, :, 0] + 1j * y[:, :, 1], self.points.parameters["weight"][chosen]
        return motions_at_fixed_points(s, y[:, :, 2], frequency, weight, growth, error)


class LaneMover(Mover[LanePoints]):
    """Advances the points of a batch with kernels that are compiled for its number of groups."""

    def __init__(self, batch: Batch, kernels: type[Kernels]) -> None:
        self.batch, self.kernels = batch, kernels
        self.groups, self.moving = batch.rates.weight.shape[1], 0

    @cached_property
    def _stepping(self) -> Kernels:
        return self.kernels(Layout(self.groups, measured=False, tangent=False), self.batch.theory.equation)

    @cached_property
    def _averaging(self) -> Kernels:
        return self.kernels(Layout(self.groups, measured=True, tangent=True), self.batch.theory.equation)

    def in_chunks(self, work: Callable[[Mover[LanePoints], LanePoints], LanePoints]) -> list[LanePoints]:
        """The results of work(mover, points) for chunks of points in threads. A chunk fits into the cache of a core."""
        relaxing = np.flatnonzero(self.batch.rates.gamma_perp.min(axis=1) > ZERO_RATE)
        if not self.kernels.chunked or len(relaxing) < 2:
            return [work(self, self.points(relaxing))]
        done = list[int]()

        def chunk(first: int, last: int) -> LanePoints:
            left = work(self, self.points(relaxing[first:last]))
            done.append(last - first)
            report(RELAXATION * sum(done) / len(relaxing), f"{sum(done)} of {len(relaxing)} points relaxed")
            return left

        return in_chunks(chunk, len(relaxing))

    def points(self, index: Array) -> LanePoints:
        """The points of the batch with these indices, at their initial states."""
        rates, count = self.batch.rates.at(index), len(index)
        frame = np.sum(rates.weight * rates.omega, axis=1)
        s, z = bloch_vectors.coherences(self.batch.initial)
        gamma_1, gamma_perp = rates.gamma_1, rates.gamma_perp
        return LanePoints(
            index=index, state=np.tile(np.stack([s.real, s.imag, z.real], axis=1).ravel(), (count, 1)),
            tangent=np.empty((count, 0)), slowest=np.minimum(gamma_perp, np.where(gamma_1 > 0, gamma_1, np.inf)).min(axis=1),
            fastest=np.maximum(gamma_perp, gamma_1).max(axis=1), detuning=np.ptp(rates.omega, axis=1), time=np.zeros(count),
            approach=Approach.initial(np.full(count, abs(s).max())), steps=np.zeros(count), wait=np.full(count, np.inf),
            parameters=parameters(rates, frame), frame=frame,
        )  # fmt: skip

    def report(self, points: LanePoints) -> None:
        remaining, count = len(points.index), len(self.batch.rates.weight)
        if count == 1:
            report(text=f"{points.time[0]:.3g} relaxation times")
            return
        self.moving = max(self.moving, remaining)  # after the relaxation
        decided = 1 - log(remaining) / log(self.moving + 1)  # about as much time for each halving of their number
        report(RELAXATION + (1 - RELAXATION) * decided, f"{remaining} of {count} points undecided")

    def size(self, points: LanePoints) -> Array:
        y = points.state.reshape(len(points.state), self.groups, 3)
        return np.asarray(np.sqrt((y[:, :, :2] ** 2).sum(axis=2)).max(axis=1))

    def max_steps(self, points: LanePoints) -> Array:
        return np.full(len(points.index), MAX_STEPS)

    def advance(self, points: LanePoints, spans: Array) -> Array:
        limits = self.batch.rtol, self.batch.atol / AVERAGING_ACCURACY, MAX_STEPS / 2
        return self._stepping.advance(points.parameters, points.state, spans, *limits)[2]

    def find_fixed_points(self, points: LanePoints, fading: Array) -> LaneFixedPoints:
        kernels, size = self._stepping.fixed_points, points.approach.size
        distance, state, rotation = kernels.find_fixed_points(points.parameters, points.state, fading, SEARCH_RADIUS)
        distance = distance / np.maximum(size, COHERENCE_ERROR)
        found = LaneFixedPoints(
            kernels=kernels, points=points, state=state, rotation=rotation, incoherent=fading.copy(), distance=distance,
            rates=np.full(len(size), np.nan),
        )  # fmt: skip
        found.growth(np.flatnonzero(np.where(fading, distance < np.inf, distance < THERE)))  # all rates needed, in one call
        incoherent = fading & (distance < np.inf) & (~(found.rates > NEUTRAL * points.fastest) | (size == 0))
        distance[incoherent] = 0.0
        others = np.flatnonzero(fading & ~incoherent)
        if len(others):  # a point of small coherence may converge to a fixed point of small coherence
            found.incoherent[others], found.rates[others] = False, np.nan
            other_distance, state[others], rotation[others] = kernels.find_fixed_points(
                points.parameters.take(others), points.state[others], found.incoherent[others], SEARCH_RADIUS
            )
            distance[others] = other_distance / np.maximum(size[others], COHERENCE_ERROR)
        return found

    def measure(self, points: LanePoints, spans: Array) -> tuple[Window, Array, Array]:
        shape = (len(points.index), self.groups, 3)
        both = np.concatenate([points.state.reshape(shape), points.tangent.reshape(shape)], axis=2)
        states = both.reshape(shape[0], -1)
        rtol, atol = self.batch.rtol / AVERAGING_ACCURACY, self.batch.atol / AVERAGING_ACCURACY
        sums, taken, finished = self._averaging.advance(points.parameters, states, spans, rtol, atol, MAX_STEPS / 2)
        halves = (np.ascontiguousarray(half).reshape(shape[0], -1) for half in np.split(states.reshape(both.shape), 2, axis=2))
        points.state, points.tangent = halves
        return self._window(sums, spans, points.frame), taken, finished

    def _window(self, sums: Array, spans: Array, frame: Array) -> Window:
        """The averages from the sums of the kernel."""
        groups, layout = self.groups, self._averaging.layout
        mean = {name: (sums[name].T / (WINDOW_INTEGRAL * spans)).T for name in layout.sums.names or ()}
        square, product, phases = mean["square"], mean["product"] @ [1, 1j], mean["locking"] @ [1, 1j]
        products, locking = np.zeros((2, len(sums), groups, groups), complex)
        variance = np.sum(mean["fourth"] - square**2 + mean["inversion_square"] - mean["inversion"] ** 2, axis=1)
        for a in range(groups):
            products[:, a, a], locking[:, a, a] = square[:, a], 1.0
            for b in range(a + 1, groups):
                k = layout.pairs[a][b]
                products[:, a, b], locking[:, a, b] = product[:, k], phases[:, k]
                products[:, b, a], locking[:, b, a] = product[:, k].conj(), phases[:, k].conj()
                variance += 2 * (mean["product_square"][:, k] - abs(product[:, k]) ** 2)
        through_zero = (mean["undefined"] > 0) & (square > COHERENCE_ERROR**2) & coherent_groups(mean["modulus"])
        moments = sums["moments"] ** 2 * [3, 5, 7, 9]  # white-noise growth: moment k has variance D T / (2 k + 1)
        return Window(
            length=spans, products=products, locking=locking, amplitude=mean["modulus"], inversion=mean["inversion"],
            variance=np.maximum(variance, 0.0), order_parameter=mean["order_parameter"],
            frequency=mean["phase_increment"] + frame[:, None], lyapunov=mean["growth"],
            lyapunov_error=np.sqrt(WINDOW_VARIANCE * np.mean(moments, axis=1)) / spans,
            phase_undefined=np.any(through_zero, axis=1),
        )  # fmt: skip

    def find_orbits(self, points: LanePoints, longest: Array) -> Motions:  # lanes do not search, as averages are cheaper
        return blank(len(points.index), self.groups, Status.STILL_CHANGING)

    def find_beats(self, window: Window) -> tuple[Array, Window]:  # the kernels keep no samples
        return np.zeros(len(window.length), bool), window

    def add_periods(self, points: LanePoints, found: Motions) -> None:
        """Add the periods of a small batch, with the scalar mover."""
        for k, index in enumerate(points.index.tolist() if self.batch.points_of_diagram <= MAX_POINTS_WITH_PERIODS else []):
            y = points.state[k].reshape(-1, 3)
            state = np.concatenate([y[:, 0] + 1j * y[:, 1], y[:, 2] + 0j])
            scalar_mover(self.batch, index).add_period(state, found, index)

    def advance_implicitly(self, points: LanePoints, spans: Array) -> Array:
        return self._stepping.fixed_points.advance_implicitly(
            points.parameters, points.state, spans, self.batch.rtol, self.batch.atol / AVERAGING_ACCURACY
        )  # fmt: skip
