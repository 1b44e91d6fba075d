"""The points of a question about long-time motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spinsync.base.arrays import Array
from spinsync.base.progress import Line
from spinsync.model.distributions import Distribution
from spinsync.model.rates import Rates


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
