"""A few smooth variables: what a theory fills in, and solvers take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.problems.observed import Observed


@dataclass(frozen=True)
class Flow:
    """dy/dt = -decay * y + nonlinear(y): a few smooth variables with fast diagonal rotation and relaxation.

    nonlinear : compiled function (y, table, coupling, out)
    tangent : the same for a state and a small deviation from it, one after the other: (y, v) -> (n(y), Dn(y) v)
    decay, start : complex arrays of shape (component,)
    table, coupling : parameters of `nonlinear`, float (row, component) and complex (group, group)
    charge : int array of shape (component,), how y turns under the U(1) symmetry
    rtol, atol : tolerances of a time step
    frame : angular frequency of the rotating frame in which y is written
    pace : about the fastest rate at which the observed variables change
    observe : states of shape (time, component), times -> variables, back in the laboratory frame
    coordinates : coordinates of the dims that `observe` names
    companion : the same flow more coarsely, where the error has to be seen from outside: a run amplifies errors
    derivative : (y, table, coupling) -> complex P, Q with n(y + v) = n(y) + P v + Q v* to first order; None: from `tangent`
    """

    nonlinear: Any
    tangent: Any
    decay: Array
    table: Array
    coupling: Array
    start: Array
    charge: Array
    rtol: float
    atol: float
    frame: float
    pace: float
    observe: Callable[[Array, Array], Observed]
    coordinates: Mapping[str, tuple[str, Array]]
    companion: Flow | None = None
    derivative: Callable[[Array, Array, Array], tuple[Array, Array]] | None = None

    def turning(self, frequency: float) -> Flow:
        """The same flow written in a frame that turns at `frequency` beside its own."""
        return replace(self, decay=self.decay - 1j * frequency * self.charge, frame=self.frame + frequency)

    def velocity(self, state: Array) -> Array:
        """dy/dt at `state`, in the frame of the flow."""
        out = np.empty_like(state)
        self.nonlinear.light(state, self.table, self.coupling, out)
        return np.asarray(out - self.decay * state)
