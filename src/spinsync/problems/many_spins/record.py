"""Very many spins in a few common fields: what a theory fills in, and solvers take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from spinsync.base.arrays import Array
from spinsync.problems.observed import Observed


@dataclass(frozen=True, kw_only=True)
class ManySpins:
    """Very many members of a few groups, which only meet in the fields that the means of the groups make.

    equation : module with the scalar functions `free`, `driven` and `swift`
    omega : frequencies of the members, one array per group
    rates : array of shape (group, 3), parameters of the equation
    coupling : complex array of shape (group, group), from means to fields
    start : array of shape (group, 3) or (member, 3)
    rtol, atol : tolerances of the means
    frame : a typical frequency
    each : whether single members are asked for
    observe : means (time, group, 3) and members (3, time, member) or None -> variables
    coordinates : coordinates of the dims that `observe` names
    flow : the same as a flow, for those who look for rest
    """

    equation: ModuleType
    omega: tuple[Array, ...]
    rates: Array
    coupling: Array
    start: Array
    rtol: float
    atol: float
    frame: float
    each: bool
    observe: Callable[[Array, Array | None], Observed]
    coordinates: Mapping[str, tuple[str, Array]]
    flow: Callable[[], Any]
