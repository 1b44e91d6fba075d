"""Claims: what is expected, what was measured, and how far they may differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Claim:
    """One row of claims.json. The tolerance follows from the numerics; `why` says how."""

    claim: str
    expected: float
    measured: float
    tolerance: float
    why: str

    @property
    def holds(self) -> bool:
        return bool(abs(self.measured - self.expected) <= self.tolerance)

    def row(self) -> dict[str, Any]:
        return {
            "claim": self.claim,
            "expected": float(self.expected),
            "measured": float(self.measured),
            "tolerance": float(self.tolerance),
            "holds": self.holds,
            "why": self.why,
        }


@dataclass(frozen=True)
class Section:
    """A part of the report. `text` and `captions` are HTML; figures, captions and data go by the same names."""

    title: str
    text: str
    figures: Mapping[str, Figure]
    captions: Mapping[str, str]
    data: Mapping[str, xr.Dataset]
    claims: tuple[Claim, ...] = field(default=())


@dataclass(frozen=True)
class Part:
    """What the page shows of a section whose figures and data have been written, under the names of their captions."""

    title: str
    text: str
    captions: Mapping[str, str]
    data: tuple[str, ...]
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Asked:
    """How a chapter is asked for its section.

    quick : on coarser grids
    advance : called with the share of it that is done
    """

    quick: bool
    advance: Callable[[float], None]
