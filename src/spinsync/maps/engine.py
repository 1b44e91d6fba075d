"""The simple engine of diagrams: one trajectory after another until it rests. The seam for faster ones is `Engine`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from spinsync.data.distributions import Distribution
from spinsync.data.rates import Array, Rates
from spinsync.numerics.exponential_adams import DONE
from spinsync.theory.mean_field import MeanField
from spinsync.verbs.evolution import integrate_flow
from spinsync.verbs.steady import settle_flow

PATIENCE = 300.0  # longest run of a point, in units of its slowest relaxation time
SAMPLES = 2001  # of a point that still moves: its winding and its means


class Status(IntEnum):
    """Why a point of a diagram is as it is."""

    SETTLED = 0
    STILL_MOVING = 1
    FAILED = 2


@dataclass(frozen=True)
class Batch:
    """Points of a diagram: rates of batch shape (point,), what all of them share, and the common start."""

    rates: Rates
    spread: tuple[Distribution | None, ...]
    names: tuple[str, ...]
    initial: Array
    theory: MeanField


@dataclass(frozen=True)
class Measured:
    """(point, group): amplitude, inversion, frequency; (point,): order_parameter, status."""

    amplitude: Array
    inversion: Array
    frequency: Array
    order_parameter: Array
    status: Array


Engine = Callable[[Batch, int], Measured]  # (points, threads) -> what was measured at each of them


def simple(batch: Batch, threads: int) -> Measured:
    """Each point by the stepper of `evolve`; results do not depend on the threads."""
    points, groups = batch.rates.weight.shape
    amplitude, inversion, frequency = np.full((3, points, groups), np.nan)
    out = Measured(amplitude, inversion, frequency, np.full(points, np.nan), np.zeros(points, np.int8))

    def one(point: int) -> None:
        out.status[point] = _measure(batch, point, out)

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(one, range(points), chunksize=16):
            pass
    out.frequency[out.amplitude < 1e-3] = np.nan
    return out


def _measure(batch: Batch, point: int, out: Measured) -> Status:
    flow = batch.theory.flow(batch.rates.at((point,)), batch.spread, batch.names, batch.initial, 0)
    if flow.decay.real.min() <= 0:  # nothing relaxes: no long-time motion to speak of
        return Status.FAILED
    rest = settle_flow(flow, tolerance=1e-8, patience=PATIENCE)
    if rest.status != DONE:
        return Status.FAILED
    if rest.settled:
        seen = flow.observe(rest.state[None, :], np.zeros(1))
        out.frequency[point] = rest.frequency + flow.frame
    else:
        times = np.linspace(0, 20 / flow.decay.real.min(), SAMPLES)
        run = integrate_flow(flow, rest.state, times)
        if run.status != DONE:
            return Status.FAILED
        seen = flow.observe(run.states, np.zeros_like(times))  # in the rotating frame, where phases turn slowly
        phase = np.unwrap(-np.angle(seen["coherence"][1]), axis=0)
        out.frequency[point] = (phase[-1] - phase[0]) / times[-1] + flow.frame
    out.amplitude[point] = abs(seen["coherence"][1]).mean(axis=0)
    out.inversion[point] = seen["inversion"][1].mean(axis=0)
    out.order_parameter[point] = seen["order_parameter"][1].mean()
    return Status.SETTLED if rest.settled else Status.STILL_MOVING
