"""Who moves the points of a batch: one after the other, or side by side in vector lanes or on a graphics processor.

Lanes take groups of one frequency each; points that they lose, and all else, are moved one after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import joined
from spinsync.base.interrupts import in_background
from spinsync.base.progress import map_with_progress
from spinsync.model.distributions import Distribution
from spinsync.regimes.codes import Status
from spinsync.regimes.follow import follow
from spinsync.regimes.kernels.cuda_lanes import CudaLanes, unavailable
from spinsync.regimes.kernels.lanes import Lanes
from spinsync.regimes.kernels.layout import UNROLLED
from spinsync.regimes.lane_mover import Kernels, LaneMover
from spinsync.regimes.movers import Batch
from spinsync.regimes.scalar_mover import motion
from spinsync.regimes.summary import Motions

MOST_GROUPS = 12  # lanes are 7 to 60 times as fast up to here, and no faster than one after the other from 16 on (measured)
WORTH = 256  # points that are worth the compilation of a kernel of more than UNROLLED groups (80 to 300 as measured)

Engine = Callable[[Batch], Motions]  # the long-time motion of each point


def engine(device: Any, theory: Any, spread: tuple[Distribution | None, ...]) -> Engine:
    """The engine for a device, if it can take groups with these distributions there at this level of theory."""
    if checks.one_of("device", device, ("cpu", "cuda")) == "cpu":
        return lanes
    must = unavailable()
    if must is None and len(spread) > UNROLLED:
        must = f"'cpu' for more than {UNROLLED} groups"
    if must is None and any(d is not None for d in spread):
        must = "'cpu' for distributed frequencies"
    if must is None and getattr(theory, "equation", None) is None:
        must = f"'cpu' for {type(theory).__name__}"
    if must is not None:
        raise checks.argument_error("device", must, device)
    return cuda_lanes


def lanes(batch: Batch) -> Motions:
    """The points of a diagram; results do not depend on the threads or on the order of points."""
    count, groups = batch.rates.weight.shape
    can = getattr(batch.theory, "equation", None) is not None and all(d is None for d in batch.spread)
    worth = groups <= UNROLLED or (groups <= MOST_GROUPS and count >= WORTH)
    return _side_by_side(batch, Lanes) if can and worth else simple(batch)


def cuda_lanes(batch: Batch) -> Motions:
    """The same on a graphics processor, for up to UNROLLED groups; fixed points and lost points on threads of the host."""
    return _side_by_side(batch, CudaLanes)


@in_background
def _side_by_side(batch: Batch, kernels: type[Kernels]) -> Motions:
    found = follow(LaneMover(batch, kernels), len(batch.rates.weight))
    again = np.flatnonzero(found.status == Status.FAILED)
    if len(again):
        found[again] = simple(replace(batch, rates=batch.rates.at(again)))
    return found


@in_background
def simple(batch: Batch) -> Motions:
    """Each point by the stepper of `evolve`; results do not depend on the threads."""
    points = range(len(batch.rates.weight))
    told, line = (replace(batch, line=None), batch.line) if len(points) > 1 else (batch, None)  # one tells how far it is itself
    return joined(map_with_progress(partial(motion, told), points, line))
