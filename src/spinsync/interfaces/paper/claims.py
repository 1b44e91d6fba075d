"""Claims of the report: expected and measured values with a tolerance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: called by a chapter with the completed fraction
Advance = Callable[[float], None]


@dataclass(frozen=True)
class Claim:
    """One row of claims.json; `why` is the reason for the tolerance."""

    claim: str
    expected: float
    measured: float
    tolerance: float
    why: str

    @property
    def holds(self) -> bool:
        return bool(abs(self.measured - self.expected) <= self.tolerance)

    def row(self) -> dict[str, Any]:
        numbers = {name: float(getattr(self, name)) for name in ("expected", "measured", "tolerance")}
        return {"claim": self.claim, **numbers, "holds": self.holds, "why": self.why}


@dataclass(frozen=True)
class Chapter:
    """A chapter of the report. `text` and `captions` are HTML; figures and captions have the same names.

    After figures and data have been written, only their names are kept.
    """

    title: str
    text: str
    figures: Mapping[str, Figure]
    captions: Mapping[str, str]
    data: Mapping[str, Any]  # datasets
    claims: Sequence[Claim]
