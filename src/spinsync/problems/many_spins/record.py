"""Very many spins in a few common fields: what a theory fills in, and solvers take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

from spinsync.base.arrays import Array
from spinsync.base.interrupts import in_background
from spinsync.problems.observed import Observed

COMPLEX, REAL = 16, 8  # bytes


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

    start_decides: ClassVar[bool] = True

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

    @in_background
    def motion(self, times: Array, seed: int) -> Observed:
        """What is observed at `times`. Raises StoppedError if the time steps get too many or too small."""
        from spinsync.problems.many_spins.waveform_relaxation import integrate

        solution = integrate(self, times)
        solution.status.check(solution.steps)
        return self.observe(solution.means, solution.singles if self.each else None)

    def rest(self, seed: int) -> Observed:
        """That of the same as a flow."""
        found: Observed = self.flow().rest(seed)
        return found

    def bytes_per_time(self, observed: float) -> float:
        """Means, and the members that are asked for."""
        members = sum(one.size for one in self.omega) if self.each else 0
        return 2 * observed + (3 * REAL + COMPLEX) * members
