"""The fast engine: all points side by side in vector lanes or on a graphics processor, each dropped once it is decided.

It follows the same steps as `long_time` does for one point: first rest, found by Newton's method once the motion comes
near; then windows of doubling length, measured in the kernel. The simple engine stays its reference, and does what this
one does not: distributed frequencies, few points of many groups, and points that are lost here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.interrupts import aside
from spinsync.model import bloch_vectors
from spinsync.model.distributions import Distribution
from spinsync.model.rates import Rates
from spinsync.problems.flow.fixed_points import AROUND, CLOSER, DARK, FAINTEST, NEAR, NEUTRAL, RINGING, THERE
from spinsync.regimes.codes import Regime, Status
from spinsync.regimes.decision import Window, decided, shining
from spinsync.regimes.engine_scalar import Batch, Engine, simple
from spinsync.regimes.follow import FIRST, IRREGULAR_AFTER, NOTHING, ROUGH, returns
from spinsync.regimes.kernels.cuda_lanes import CudaLanes, unavailable
from spinsync.regimes.kernels.fixed_points import growth, shared
from spinsync.regimes.kernels.lanes import Lanes
from spinsync.regimes.kernels.layout import MEAN, SPREAD, UNROLLED, Layout, parameters
from spinsync.regimes.summary import Motions, blank, moving, resting
from spinsync.theory.mean_field import spin_equation

MOST_GROUPS = 24  # beyond, a trajectory is long enough to go alone
WORTH = 256  # points for which a kernel of more than UNROLLED groups is worth its compilation
LOOKS = 4  # at a motion that may come to rest, before it is measured
CREEP = 3  # windows after which a motion that seems to come to rest is tried with long implicit steps, and again
STRETCH = 20.0  # between two looks, in units of the slowest relaxation time
PATIENCE = 3e6  # all windows together, in the same units; ten times what the simple engine can afford
MOST_STEPS = 1e7  # of all windows together
TIMED = 16  # points whose periods are looked for; of many that would take longer than all else
FLOOR = 1e-9  # absolute tolerance of the steps

Kernels = Lanes | CudaLanes  # where trajectories move


@dataclass
class Points:
    """Points that are not decided yet, (point, ...); frequencies in a frame that turns at `frame`."""

    index: Array
    parameters: Array
    state: Array
    frame: Array
    slowest: Array
    detuning: Array
    farthest: Array
    size: Array

    def at(self, chosen: Array | slice) -> Points:
        return Points(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @property
    def groups(self) -> int:
        return int(self.state.shape[1] // 3)


def _points(rates: Rates, initial: Array, index: Array) -> Points:
    rates, count = _some(rates, index), len(index)
    frame = np.sum(rates.weight * rates.omega, axis=1)
    s, z = bloch_vectors.coherences(initial)
    state = np.tile(np.stack([s.real, s.imag, z.real], axis=1).ravel(), (count, 1))
    slowest = np.minimum(rates.gamma_perp, np.where(rates.gamma_1 > 0, rates.gamma_1, np.inf)).min(axis=1)
    return Points(
        index, parameters(rates, frame), state, frame, slowest, np.ptp(rates.omega, axis=1),
        np.full(count, np.inf), np.full(count, np.inf),
    )  # fmt: skip


def _some(rates: Rates, index: Array) -> Rates:
    return Rates(*(getattr(rates, field.name)[index] for field in fields(Rates)))


def engine(device: Any, spread: tuple[Distribution | None, ...]) -> Engine:
    """The engine for a device, if it can take groups with these distributions there."""
    if checks.known("device", device, ("cpu", "cuda")) == "cpu":
        return lanes
    must = unavailable()
    if must is None and len(spread) > UNROLLED:
        must = f"'cpu' for more than {UNROLLED} groups"
    if must is None and any(d is not None for d in spread):
        must = "'cpu' for distributed frequencies"
    if must is not None:
        raise checks.complain("device", must, device)
    return cuda_lanes


def lanes(batch: Batch, threads: int) -> Motions:
    """The points of a diagram; results do not depend on the threads or on the order of points."""
    count, groups = batch.rates.weight.shape
    few = groups > UNROLLED and count < WORTH
    if few or groups > MOST_GROUPS or any(d is not None for d in batch.spread):
        return simple(batch, threads)
    return _found(batch, threads, Lanes)


def cuda_lanes(batch: Batch, threads: int) -> Motions:
    """The same on a graphics processor, for up to UNROLLED groups; states of rest and lost points on threads of the host."""
    return _found(batch, threads, CudaLanes)


@aside
def _found(batch: Batch, threads: int, kernels: type[Kernels]) -> Motions:
    count, groups = batch.rates.weight.shape
    found = blank(count, groups, Status.NO_RELAXATION)
    relaxing = np.flatnonzero(batch.rates.gamma_perp.min(axis=1) > NOTHING)
    if not len(relaxing):
        return found
    lost = list[Array]()
    points = _settled(batch, relaxing, found, lost, kernels, threads)
    if len(points.index):
        plain = kernels(Layout(groups, measured=False, tangent=False), spin_equation, threads)
        measured = kernels(Layout(groups, measured=True, tangent=True), spin_equation, threads)
        ended = list[tuple[int, Array]]()
        _follow(points, found, lost, plain, measured, ended)
        for index, state in ended if count <= TIMED else []:
            _time(batch, index, state, found)
    again = np.concatenate([*lost, np.zeros(0, int)])
    if len(again):
        found.put(again, simple(replace(batch, rates=_some(batch.rates, again)), threads))
    return found


def _settled(batch: Batch, relaxing: Array, found: Motions, lost: list[Array], kernels: type[Kernels], threads: int) -> Points:
    """`_settle` for a share of the points at a time: what is looked at next is still in the cache."""
    layout = Layout(len(batch.names), measured=False, tangent=False)
    plain = kernels(layout, spin_equation, 1 if kernels.shares else threads)

    def work(first: int, last: int) -> Points:
        return _settle(_points(batch.rates, batch.initial, relaxing[first:last]), found, lost, plain)

    parts = shared(work, len(relaxing), threads) if kernels.shares else [work(0, len(relaxing))]
    return Points(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Points)))


def _settle(points: Points, found: Motions, lost: list[Array], plain: Kernels) -> Points:
    """Run the points until they rest, or for LOOKS stretches; those that go on moving."""
    for number in range(LOOKS):
        if len(points.index):
            spans = STRETCH * 2 ** max(number - 1, 0) / points.slowest
            _, _, finished = plain.advance(points.parameters, points.state, spans, 10 * ROUGH, FLOOR, MOST_STEPS)
            points = _without(points, finished, lost)
            points = points.at(~_look(plain, points, found))
    return points


def _without(points: Points, finished: Array, lost: list[Array]) -> Points:
    lost.append(points.index[~finished])
    return points.at(finished) if not finished.all() else points


def _look(plain: Kernels, points: Points, found: Motions) -> Array:
    """Which points have come to rest; what they are is put into `found`. As `fixed_points.Approach` says."""
    with np.errstate(over="ignore"):  # of what is lost
        size = np.sqrt((points.state.reshape(-1, points.groups, 3)[:, :, :2] ** 2).sum(axis=2)).max(axis=1)
    fading = (size < DARK) & (size <= points.size)
    dark = fading | (size == 0)
    away, state, turn = plain.fixed_points.look(points.parameters, points.state, fading, AROUND)
    distance, closer = away / np.maximum(size, FAINTEST), CLOSER * points.farthest
    near, comes = distance < NEAR, (distance < THERE) | ((distance < closer) & (closer < np.inf))
    points.size = size
    kept = np.where(points.farthest == np.inf, distance, np.maximum(distance, points.farthest))
    points.farthest = np.where(near, kept, np.inf)
    here = np.flatnonzero((away < np.inf) & (dark | (near & comes)))
    rates = growth(plain.fixed_points.jacobians(points.parameters[here], state[here], turn[here]), dark[here])
    fastest = points.parameters["gamma_perp"].max(axis=1)
    lasting = (rates <= NEUTRAL * fastest[here]) | (size[here] == 0)
    here, rates = here[lasting], rates[lasting]
    rest = np.zeros(len(points.index), bool)
    rest[here] = True
    if len(here):
        y = state[here].reshape(len(here), points.groups, 3)
        s, weight = y[:, :, 0] + 1j * y[:, :, 1], points.parameters["weight"][here]
        turned, error = points.frame[here] + turn[here], NEUTRAL * fastest[here]
        found.put(points.index[here], resting(s, y[:, :, 2], turned, weight, rates, error))
    return rest


def _time(batch: Batch, index: int, state: Array, found: Motions) -> None:
    """Add the period of a regular motion that has ended at `state`, and the range of its order parameter."""
    rates, y = batch.rates.at((index,)), state.reshape(-1, 3)
    flow = batch.theory.flow(rates, batch.spread, batch.names, batch.initial, 0)
    repeated = returns(flow, np.concatenate([y[:, 0] + 1j * y[:, 1], y[:, 2] + 0j]), rates.weight)
    if repeated is not None and repeated.regime[0] == found.regime[index]:
        found.period[index], found.extremes[index] = repeated.period[0], repeated.extremes[0]


def _follow(
    points: Points, found: Motions, lost: list[Array], plain: Kernels, measured: Kernels, ended: list[tuple[int, Array]]
) -> None:
    """Windows of doubling length until every point is decided, or its patience is over; where regular motions ended."""
    groups = points.groups
    deviation = np.random.default_rng(7).standard_normal((groups, 3))
    tangent = np.tile(deviation / np.linalg.norm(deviation), (len(points.index), 1, 1))
    spans, time, steps = FIRST / points.slowest, np.zeros(len(points.index)), np.zeros(len(points.index))
    before: Window | None = None
    number = 0
    while len(points.index):
        states = np.concatenate([points.state.reshape(-1, groups, 3), tangent], axis=2).reshape(len(points.index), -1)
        sums, taken, finished = measured.advance(points.parameters, states, spans, ROUGH, FLOOR, MOST_STEPS)
        both = states.reshape(-1, groups, 6)
        points.state, tangent = np.ascontiguousarray(both[:, :, :3]).reshape(len(both), 3 * groups), both[:, :, 3:]
        time, steps = time + spans, steps + taken
        window = _window(measured, sums, spans, points)
        lost.append(points.index[~finished])
        rest = _look(plain, points, found)
        word = np.full(len(points.index), Regime.UNDECIDED, np.int8)
        if before is not None:
            word = decided(window, before, points.detuning, time * points.slowest < IRREGULAR_AFTER)
            faint = np.all(window.amplitude < DARK, axis=1) & (word != Regime.UNDECIDED)  # perhaps it fades
            ringing = np.flatnonzero(finished & ~rest & (np.isin(word, (Regime.PHASE_TRAPPED, Regime.PULSATING)) | faint))
            rest[_rested(plain, points, ringing, found, RINGING)] = True
            sure = window.resolved(before)
            regular = (word != Regime.UNDECIDED) & (word != Regime.IRREGULAR) & finished & ~rest
            found.put(points.index[regular], moving(sure.at(regular), word[regular], np.zeros(regular.sum())))
            ended += zip(points.index[regular].tolist(), points.state[regular], strict=True)
        irregular = (word == Regime.IRREGULAR) & finished & ~rest
        over = (word == Regime.UNDECIDED) & finished & ~rest & ((time * points.slowest >= PATIENCE) | (steps > MOST_STEPS))
        found.put(points.index[irregular], moving(window.at(irregular), word[irregular], np.zeros(irregular.sum())))
        reason = np.where(window.lost, Status.THROUGH_ZERO, Status.STILL_CHANGING)
        found.put(points.index[over], moving(window.at(over), word[over], reason[over]))
        if before is not None:  # an orbit that only its symmetry keeps: off it, as the least noise would do
            kept = window.kept(before, points.detuning)
            away = NEAR * points.size[kept, None, None] * tangent[kept]
            points.state[kept] += away.reshape(len(away), 3 * groups)
        go_on = finished & ~rest & (word == Regime.UNDECIDED) & ~over
        number += 1
        if number % CREEP == 0:
            go_on[_creep(plain, points, np.flatnonzero(go_on & (window.slips.max(axis=(1, 2)) < 0.5)), found)] = False
        points, tangent, before = points.at(go_on), tangent[go_on], window.at(go_on)
        spans, time, steps = 2 * spans[go_on], time[go_on], steps[go_on]


def _creep(plain: Kernels, points: Points, slow: Array, found: Motions) -> Array:
    """Which of the `slow` points come to rest when they are given all the time there is."""
    some = points.at(slow)
    ended = plain.fixed_points.creep(some.parameters, some.state, PATIENCE / some.slowest, 10 * ROUGH, FLOOR)
    return slow[_rested(plain, some, np.flatnonzero(ended), found, NEAR)]


def _rested(plain: Kernels, points: Points, chosen: Array, found: Motions, near: float) -> Array:
    """Which of the `chosen` points are at rest if being so `near` is enough, without coming closer."""
    rest = np.zeros(len(chosen), bool)
    for before in (np.inf, 0.0):  # what is faint may have faded to nothing, or come to a rest as faint
        left = np.flatnonzero(~rest)
        again = points.at(chosen[left])
        again.size, again.farthest = np.full(len(left), before), np.full(len(left), near / CLOSER)
        rest[left] = _look(plain, again, found)
    return chosen[rest]


def _window(measured: Kernels, sums: Array, spans: Array, points: Points) -> Window:
    """The averages that the kernel has summed up."""
    groups, layout = points.groups, measured.layout
    mean = {name: sums[name] / (MEAN * spans).reshape(-1, *[1] * (sums[name].ndim - 1)) for name in layout.sums.names or ()}
    products = np.zeros((len(sums), groups, groups), complex)
    locking = np.tile(np.eye(groups, dtype=complex), (len(sums), 1, 1))
    square = mean["square"]
    variance = np.sum(mean["fourth"] - square**2 + mean["inversion_square"] - mean["inversion"] ** 2, axis=1)
    for a in range(groups):
        products[:, a, a] = square[:, a]
        for b in range(a + 1, groups):
            k = layout.pairs[a][b]
            products[:, a, b] = mean["product"][:, k, 0] + 1j * mean["product"][:, k, 1]
            locking[:, a, b] = mean["locking"][:, k, 0] + 1j * mean["locking"][:, k, 1]
            products[:, b, a], locking[:, b, a] = products[:, a, b].conj(), locking[:, a, b].conj()
            variance += 2 * (mean["product_square"][:, k] - abs(products[:, a, b]) ** 2)
    # moments of growth that fluctuates as noise: D T / (2 k + 1) each
    error = np.sqrt(SPREAD * np.mean(sums["moments"] ** 2 * [3, 5, 7, 9], axis=1)) / spans
    lost = np.any((sums["lost"] > 0) & (square > FAINTEST**2) & shining(mean["modulus"]), axis=1)
    return Window(
        spans, products, locking, mean["modulus"], mean["inversion"], np.maximum(variance, 0.0), mean["mean_field"],
        mean["turned"] + points.frame[:, None], mean["growth"], error, lost,
    )  # fmt: skip
