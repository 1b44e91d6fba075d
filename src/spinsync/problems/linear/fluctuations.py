"""The problem `Fluctuations`: linear equations of a diagonal matrix plus one of low rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spinsync.base.arrays import Array

if TYPE_CHECKING:
    from spinsync.problems.linear.lines import Line


@dataclass(frozen=True, kw_only=True)
class Fluctuations:
    """dg/dt = (D + U V^T) g from g(0) = source, of which observable . g is seen.

    diagonal, source, observable : complex arrays of shape (component,)
    band : real array of shape (component,), for a component that represents a part of a continuous spectrum the real part up
        to which modes near it are not resolved and no lines, else -inf
    left, right : complex arrays of shape (component, column), U and V
    """

    diagonal: Array
    left: Array
    right: Array
    source: Array
    observable: Array
    band: Array

    def lines(self, number: int) -> list[Line]:
        """The slowest `number` modes that are visible in the observable, in order."""
        from spinsync.problems.linear.low_rank import slowest_lines

        return slowest_lines(self, number)

    def response(self, frequencies: Array) -> Array:
        """observable . (-i w - D - U V^T)^{-1} source for each w, complex array of shape (frequency,)."""
        from spinsync.problems.linear.low_rank import response

        return response(self, frequencies)
