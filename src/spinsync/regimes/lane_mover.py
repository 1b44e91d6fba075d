"""Many points side by side in vector lanes or on a graphics processor, of groups of one frequency each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spinsync.base.arrays import Array
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
from spinsync.regimes.kernels.fixed_points import FixedPoints, growth, shared
from spinsync.regimes.kernels.lanes import Lanes
from spinsync.regimes.kernels.layout import MEAN, SPREAD, Layout, parameters
from spinsync.regimes.movers import FINER, MOST_WORK, Batch, Look, Mover, Points
from spinsync.regimes.scalar_mover import scalar_mover
from spinsync.regimes.summary import Motions, blank, resting

TIMED = 16  # points whose periods are looked for; of many that would take longer than all else
STEP = 100.0  # work of a time step
MOST_STEPS = MOST_WORK / STEP  # of all windows of a point; the last one has about half of them

Kernels = Lanes | CudaLanes  # where trajectories move


@dataclass(kw_only=True)
class LanePoints(Points):
    """States (x, y, z) of each group; `parameters` as the kernels take them, in a frame that turns at `frame`."""

    parameters: Array
    frame: Array


@dataclass(frozen=True, kw_only=True)
class LaneLook(Look):
    """What a look at points has found: states and the frequencies of their frames; `dark`: without any coherence.

    known : growth rates, NaN where they are not known yet
    """

    kernels: FixedPoints
    points: LanePoints
    state: Array
    turn: Array
    dark: Array
    distance: Array
    known: Array

    def _jacobian(self, chosen: Array) -> Array:
        return self.kernels.jacobians(self.points.parameters.take(chosen), self.state[chosen], self.turn[chosen])

    def growth(self, chosen: Array) -> Array:
        left = chosen[np.isnan(self.known[chosen])]
        if len(left):
            self.known[left] = growth(self._jacobian(left), self.dark[left])
        return self.known[chosen]

    def perturbed(self, chosen: Array) -> Array:
        values, vectors = np.linalg.eig(self._jacobian(chosen))
        along = np.take_along_axis(vectors, values.real.argmax(axis=1)[:, None, None], axis=2)[:, :, 0].real
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        return np.asarray(self.state[chosen] + NEAR * self.points.approach.size[chosen, None] * along)

    def resting(self, chosen: Array, growth: Array) -> Motions:
        y = self.state[chosen].reshape(len(chosen), -1, 3)
        frequency, error = self.points.frame[chosen] + self.turn[chosen], NEUTRAL * self.points.fastest[chosen]
        s, weight = y[:, :, 0] + 1j * y[:, :, 1], self.points.parameters["weight"][chosen]
        return resting(s, y[:, :, 2], frequency, weight, growth, error)


class LaneMover(Mover[LanePoints]):
    """Moves the points of a batch by kernels that are made for its number of groups."""

    def __init__(self, batch: Batch, kernels: type[Kernels]) -> None:
        self.batch, self.kernels = batch, kernels
        self.groups = batch.rates.weight.shape[1]

    @cached_property
    def _plain(self) -> Kernels:
        return self.kernels(Layout(self.groups, measured=False, tangent=False), self.batch.theory.equation)

    @cached_property
    def _measured(self) -> Kernels:
        return self.kernels(Layout(self.groups, measured=True, tangent=True), self.batch.theory.equation)

    def shared(self, work: Callable[[Mover[LanePoints], LanePoints], LanePoints]) -> list[LanePoints]:
        """A share of the points at a time for each thread: what is looked at next is still in its cache."""
        relaxing = np.flatnonzero(self.batch.rates.gamma_perp.min(axis=1) > ZERO_RATE)
        if not self.kernels.shares or not len(relaxing):
            return [work(self, self.points(relaxing))]
        return shared(lambda first, last: work(self, self.points(relaxing[first:last])), len(relaxing))

    def points(self, index: Array) -> LanePoints:
        """Some points of the batch at their start."""
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

    def tell(self, points: LanePoints) -> None:
        if self.batch.line is not None:
            left, count = len(points.index), len(self.batch.rates.weight)
            self.batch.line.update(1 - left / count, f"{left} points move on")

    def size(self, points: LanePoints) -> Array:
        y = points.state.reshape(len(points.state), self.groups, 3)
        return np.asarray(np.sqrt((y[:, :, :2] ** 2).sum(axis=2)).max(axis=1))

    def budget(self, points: LanePoints) -> Array:
        return np.full(len(points.index), MOST_STEPS)

    def advance(self, points: LanePoints, spans: Array) -> Array:
        limits = self.batch.rtol, self.batch.atol / FINER, MOST_STEPS / 2
        return self._plain.advance(points.parameters, points.state, spans, *limits)[2]

    def look(self, points: LanePoints, fading: Array) -> LaneLook:
        kernels, size = self._plain.fixed_points, points.approach.size
        distance, state, turn = kernels.look(points.parameters, points.state, fading, SEARCH_RADIUS)
        distance = distance / np.maximum(size, COHERENCE_ERROR)
        seen = LaneLook(
            kernels=kernels, points=points, state=state, turn=turn, dark=fading.copy(), distance=distance,
            known=np.full(len(size), np.nan),
        )  # fmt: skip
        seen.growth(np.flatnonzero(np.where(fading, distance < np.inf, distance < THERE)))  # all that need be known, at once
        stays = fading & (distance < np.inf) & (~(seen.known > NEUTRAL * points.fastest) | (size == 0))
        distance[stays] = 0.0
        left = np.flatnonzero(fading & ~stays)
        if len(left):  # what grows faint may come to a fixed point as faint
            seen.dark[left], seen.known[left] = False, np.nan
            away, state[left], turn[left] = kernels.look(
                points.parameters.take(left), points.state[left], seen.dark[left], SEARCH_RADIUS
            )
            distance[left] = away / np.maximum(size[left], COHERENCE_ERROR)
        return seen

    def measure(self, points: LanePoints, spans: Array) -> tuple[Window, Array, Array]:
        shape = (len(points.index), self.groups, 3)
        both = np.concatenate([points.state.reshape(shape), points.tangent.reshape(shape)], axis=2)
        states, limits = both.reshape(shape[0], -1), (self.batch.rtol / FINER, self.batch.atol / FINER, MOST_STEPS / 2)
        sums, taken, finished = self._measured.advance(points.parameters, states, spans, *limits)
        halves = (np.ascontiguousarray(half).reshape(shape[0], -1) for half in np.split(states.reshape(both.shape), 2, axis=2))
        points.state, points.tangent = halves
        return self._window(sums, spans, points.frame), taken, finished

    def _window(self, sums: Array, spans: Array, frame: Array) -> Window:
        """The averages that the kernel has summed up."""
        groups, layout = self.groups, self._measured.layout
        mean = {name: (sums[name].T / (MEAN * spans)).T for name in layout.sums.names or ()}
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
        moments = sums["moments"] ** 2 * [3, 5, 7, 9]  # of growth that fluctuates as noise: D T / (2 k + 1) each
        return Window(
            length=spans, products=products, locking=locking, amplitude=mean["modulus"], inversion=mean["inversion"],
            variance=np.maximum(variance, 0.0), order_parameter=mean["mean_field"], winding=mean["turned"] + frame[:, None],
            lyapunov=mean["growth"], lyapunov_error=np.sqrt(SPREAD * np.mean(moments, axis=1)) / spans,
            lost=np.any((mean["lost"] > 0) & (square > COHERENCE_ERROR**2) & coherent_groups(mean["modulus"]), axis=1),
        )  # fmt: skip

    def orbits(self, points: LanePoints, longest: Array) -> Motions:  # averages are cheaper
        return blank(len(points.index), self.groups, Status.STILL_CHANGING)

    def beats(self, window: Window) -> tuple[Array, Window]:  # there are no samples to tell them from
        return np.zeros(len(window.length), bool), window

    def periods(self, points: LanePoints, found: Motions) -> None:
        """Of a few points by the scalar mover."""
        for k, index in enumerate(points.index.tolist() if len(self.batch.rates.weight) <= TIMED else []):
            y = points.state[k].reshape(-1, 3)
            state = np.concatenate([y[:, 0] + 1j * y[:, 1], y[:, 2] + 0j])
            scalar_mover(self.batch, index).add_period(state, found, index)

    def creep(self, points: LanePoints, spans: Array) -> Array:
        return self._plain.fixed_points.creep(
            points.parameters, points.state, spans, self.batch.rtol, self.batch.atol / FINER
        )  # fmt: skip
