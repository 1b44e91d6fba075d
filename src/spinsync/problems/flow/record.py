"""A few smooth variables: what a theory fills in, and solvers take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.problems.observed import Observed


@dataclass(frozen=True, kw_only=True)
class Flow:
    """dy/dt = -decay * y + nonlinear(y): a few smooth variables with fast diagonal rotation and relaxation.

    nonlinear : compiled function (y, table, coupling, out)
    tangent : the same for a state and a small deviation from it, one after the other: (y, v) -> (n(y), Dn(y) v)
    decay, start : complex arrays of shape (component,)
    table, coupling : parameters of `nonlinear`, float (row, component) and complex (group, group)
    symmetry : int array of shape (component,), the charge q with which y exp(i phase q) solves the equation as y does (the
        generator of a U(1) symmetry); None where there is no such symmetry
    real : bool array of shape (component,), which components are real numbers
    rtol, atol : tolerances of a time step
    frame : angular frequency of the rotating frame in which y is written
    pace : about the fastest rate at which the observed variables change
    groups : states of shape (time, component) -> a charged (complex) and a neutral (real) observable of each group, both of
        shape (time, group), in the frame of y; the charged ones are zero where the theory has no coherence
    observe : states, times -> variables, back in the laboratory frame
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
    symmetry: Array | None
    real: Array
    rtol: float
    atol: float
    frame: float
    pace: float
    groups: Callable[[Array], tuple[Array, Array]]
    observe: Callable[[Array, Array], Observed]
    coordinates: Mapping[str, tuple[str, Array]]
    companion: Flow | None = None
    derivative: Callable[[Array, Array, Array], tuple[Array, Array]] | None = None

    @property
    def charged(self) -> Array:
        """Which components the symmetry turns, a bool array of shape (component,)."""
        return np.zeros(self.decay.size, bool) if self.symmetry is None else self.symmetry != 0

    def along_phase(self, states: Array) -> Array:
        """How states (..., component) change with the phase of the symmetry: zero where there is none."""
        return np.zeros_like(states) if self.symmetry is None else np.asarray(1j * self.symmetry * states)

    def rotated(self, states: Array, phase: Any) -> Array:
        """States (..., component) turned by a phase; without a symmetry as they are."""
        return states if self.symmetry is None else np.asarray(states * np.exp(1j * phase * self.symmetry))

    def behind(self, reference: Array, states: Array) -> Array:
        """The phase by which states (..., component) must be rotated to come closest to a reference (component,); grows with
        +frequency. Components of the smallest charge tell it: larger ones turn several times meanwhile."""
        if self.symmetry is None or not self.charged.any():
            return np.zeros(states.shape[:-1])
        charges = self.symmetry[self.charged]
        least = charges[np.argmin(abs(charges))]
        same = self.symmetry == least
        return np.asarray(-np.angle(states[..., same] @ reference[same].conj()) / least)

    def turning(self, frequency: float) -> Flow:
        """The same flow written in a frame that turns at `frequency` beside its own, which takes a symmetry."""
        assert self.symmetry is not None
        return replace(self, decay=self.decay - 1j * frequency * self.symmetry, frame=self.frame + frequency)

    def velocity(self, state: Array) -> Array:
        """dy/dt at `state`, in the frame of the flow."""
        out = np.empty_like(state)
        self.nonlinear.light(state, self.table, self.coupling, out)
        return np.asarray(out - self.decay * state)
