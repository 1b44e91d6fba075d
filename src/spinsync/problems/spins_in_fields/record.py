"""The problem `SpinsInFields`: very many spins that couple only through mean fields, filled in by a theory."""

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
class SpinsInFields:
    """Very many spins in a few groups, which couple only through the fields of the means of the groups.

    equation : module with the scalar functions `free_terms`, `field_terms` and `fast_spin`
    omega : frequencies of the spins, one array per group
    rates : array of shape (group, 3), parameters of the equation
    coupling : complex array of shape (group, group), from means to fields
    start : initial x, y, z, array of shape (group, 3) or (spin, 3)
    rtol, atol : tolerances of the means
    frame : a typical frequency
    each : whether single spins are observed
    observe : means (time, group, 3) and spins (3, time, spin) or None -> variables
    coordinates : coordinates of the dims that `observe` names
    flow : function that returns the same problem as a Flow, for fixed points
    """

    start_decides: ClassVar[bool] = True
    stochastic: ClassVar[bool] = False

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
        """The observed variables at `times`. Raises StoppedError if the time steps get too many or too small."""
        from spinsync.problems.spins_in_fields.waveform_relaxation import integrate

        solution = integrate(self, times)
        solution.status.check(solution.steps)
        return self.observe(solution.means, solution.singles if self.each else None)

    def steady_state(self, seed: int) -> Observed:
        """The fixed point of the equivalent Flow."""
        found: Observed = self.flow().steady_state(seed)
        return found

    def bytes_per_time(self, observed: float) -> float:
        """Memory of the means, and of single spins if they are observed."""
        spins = sum(values.size for values in self.omega) if self.each else 0
        return 2 * observed + (3 * REAL + COMPLEX) * spins
