"""The engines that find the long-time motions of a batch: one point at a time, in SIMD lanes, or on a graphics processor.

Lanes need groups of one frequency each. The scalar engine takes all other batches, and the points that failed in lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import joined
from spinsync.base.interrupts import in_background
from spinsync.base.parallel import map_with_progress
from spinsync.base.progress import part
from spinsync.model.distributions import Distributions
from spinsync.regimes.codes import Status
from spinsync.regimes.follow import follow
from spinsync.regimes.kernels.cuda_lanes import CudaLanes, unavailable
from spinsync.regimes.kernels.lanes import Lanes
from spinsync.regimes.kernels.layout import MAX_UNROLLED
from spinsync.regimes.lane_mover import Kernels, LaneMover
from spinsync.regimes.movers import Batch
from spinsync.regimes.scalar_mover import motion
from spinsync.regimes.summary import Motions

MAX_GROUPS = 12  # in lanes, which up to here are 7 to 60 times as fast as the scalar engine, and no faster from 16 on
MIN_POINTS = 256  # for which kernels of more than MAX_UNROLLED groups are worth their compilation (measured: 80 to 300)

Engine = Callable[[Batch], Motions]  # the long-time motion of each point


def engine(device: Any, theory: Any, distributions: Distributions) -> Engine:
    """The engine for a device; an InputError if the device cannot take groups with these distributions in this theory."""
    if checks.one_of("device", device, ("cpu", "cuda")) == "cpu":
        return lanes
    must = unavailable()
    if must is None and len(distributions) > MAX_UNROLLED:
        must = f"'cpu' for more than {MAX_UNROLLED} groups"
    if must is None and any(d is not None for d in distributions):
        must = "'cpu' for distributed frequencies"
    if must is None and getattr(theory, "equation", None) is None:
        must = f"'cpu' for {type(theory).__name__}"
    if must is not None:
        raise checks.argument_error("device", must, device)
    return cuda_lanes


def motions_of_batches(batches: Sequence[Batch], device: str) -> list[Motions]:
    """The motions of each batch, which share the threads and the progress line where points are advanced one at a time."""
    engines = [engine(device, batch.theory, batch.distributions) for batch in batches]
    single = [k for k, find in enumerate(engines) if find is lanes and not _fits_lanes(batches[k])]
    found = dict(zip(single, _one_by_one([batches[k] for k in single]), strict=True)) if single else {}
    for k, batch in enumerate(batches):
        if k not in found:
            with part(k / len(batches), (k + 1) / len(batches)):
                found[k] = engines[k](batch)
    return [found[k] for k in range(len(batches))]


def lanes(batch: Batch) -> Motions:
    """The motions of all points, in lanes if possible. They depend neither on the threads nor on the order of points."""
    return _in_lanes(batch, Lanes) if _fits_lanes(batch) else scalar(batch)


def _fits_lanes(batch: Batch) -> bool:
    """Whether lanes can take the batch, and are worthwhile."""
    groups = batch.rates.weight.shape[1]
    possible = getattr(batch.theory, "equation", None) is not None and all(d is None for d in batch.distributions)
    return possible and (groups <= MAX_UNROLLED or (groups <= MAX_GROUPS and batch.points_of_diagram >= MIN_POINTS))


def cuda_lanes(batch: Batch) -> Motions:
    """The motions of all points of up to MAX_UNROLLED groups on a graphics processor; the host finds their fixed points."""
    return _in_lanes(batch, CudaLanes)


@in_background
def _in_lanes(batch: Batch, kernels: type[Kernels]) -> Motions:
    found = follow(LaneMover(batch, kernels), len(batch.rates.weight))
    failed = np.flatnonzero(found.status == Status.FAILED)
    if len(failed):
        found[failed] = scalar(replace(batch, rates=batch.rates.at(failed)))
    return found


def scalar(batch: Batch) -> Motions:
    """The motions of all points, each with the stepper of `evolve`. They do not depend on the threads."""
    return _one_by_one([batch])[0]


@in_background
def _one_by_one(batches: Sequence[Batch]) -> list[Motions]:
    """As `scalar`, for each batch."""
    sizes = [len(batch.rates.weight) for batch in batches]
    if sum(sizes) == 1:  # a single point reports itself
        return [motion(batches[0], 0)]
    points = [(batch, k) for batch, size in zip(batches, sizes, strict=True) for k in range(size)]
    found = map_with_progress(lambda point: motion(*point), points)
    ends = np.cumsum(sizes)
    return [joined(found[end - size : end]) for size, end in zip(sizes, ends, strict=True)]
