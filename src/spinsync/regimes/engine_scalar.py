"""The simple engine: one trajectory after another. The seam for faster ones is `Engine`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spinsync.base.arrays import Array
from spinsync.base.interrupts import aside, pool
from spinsync.base.progress import Line
from spinsync.model.distributions import Distribution
from spinsync.model.rates import Rates
from spinsync.regimes.follow import motion_of
from spinsync.regimes.summary import Motions, joined


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Points to find the motion of: rates of batch shape (point,), what all of them share, and the common start.

    theory : gives the flow of a point, and the equation that kernels are made from if it has one
    rtol, atol : accuracy, as the theory says it
    """

    rates: Rates
    spread: tuple[Distribution | None, ...]
    names: tuple[str, ...]
    initial: Array
    theory: Any
    rtol: float = 1e-6
    atol: float = 1e-8
    line: Line | None = None  # that tells how far a single point is


Engine = Callable[[Batch, int], Motions]  # (points, threads) -> the long-time motion of each of them


@aside
def simple(batch: Batch, threads: int) -> Motions:
    """Each point by the stepper of `evolve`; results do not depend on the threads."""

    def one(point: int) -> Motions:
        rates = batch.rates.at((point,))
        return motion_of(batch.theory.flow(rates, batch.spread, batch.names, batch.initial), rates.weight, batch.line)

    points = range(len(batch.rates.weight))
    if threads == 1:
        return joined([one(point) for point in points])
    return joined(pool(threads).map(one, points))
