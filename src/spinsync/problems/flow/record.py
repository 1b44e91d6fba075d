"""A few smooth variables: what a theory fills in, and solvers take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.interrupts import in_background
from spinsync.problems.observed import Observed
from spinsync.problems.outcome import Ended, MovingError, NoRelaxationError
from spinsync.problems.outlook import allowed_steps

MOST_STEPS, MOST_WORK = 20e6, 6e8  # time steps of a run, and steps times components
SAFETY = 5.0  # times the distance from a coarser run, which a few classes can underestimate
PATIENCE = 10_000.0  # longest run to a steady state, in units of the slowest relaxation time
LONGER = 1.1  # each stretch between two looks: they are dear where there are many classes
COMPLEX = 16  # bytes


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
    finer : charged observables (group,) of a fixed point, and the frequency of its frame -> charged and neutral ones and the
        frequency without the error of having few components, or None; None: the flow has no such error
    doubt : relative error of a Lyapunov exponent by having few components
    """

    start_decides: ClassVar[bool] = True

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
    finer: Callable[[Array, float], tuple[Array, Array, float] | None] | None = None
    doubt: float = 0.0

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
        self.nonlinear.without_compiling(state, self.table, self.coupling, out)
        return np.asarray(out - self.decay * state)

    def motion(self, times: Array, seed: int) -> Observed:
        """What is observed at `times`, with errors where there is a companion.

        Raises
        ------
        StoppedError
            If the time steps get too many or too small.
        """
        from spinsync.problems.flow.stepping import integrate

        solution = integrate(
            self.nonlinear, self.decay, self.start, times, table=self.table, coupling=self.coupling, rtol=self.rtol,
            atol=self.atol, max_steps=allowed_steps(MOST_STEPS, MOST_WORK, self.start.size),
        )  # fmt: skip
        solution.status.check(solution.steps)
        observed = self.observe(solution.states, times - times[0])
        if self.companion is not None:
            rough = self.companion.motion(times, seed)
            for name, (dims, there) in rough.items():
                if "group" not in dims:
                    continue
                values = observed[name][1]
                away = np.maximum.accumulate(abs(values - there), axis=0)  # what is once off stays off
                observed[f"{name}_error"] = (dims, SAFETY * away + 10 * self.rtol * abs(values) + self.atol)
        return observed

    @in_background
    def rest(self, seed: int) -> Observed:
        """What is observed at the fixed point that the motion comes to, the `frequency` of its frame (NaN of groups without
        coherence), and whether it is `stable` (not where there are too many components to say).

        Raises
        ------
        NoRelaxationError, StoppedError, MovingError
            If the motion comes to no fixed point of a rotating frame.
        """
        from spinsync.problems.flow.approach import NOTHING, shining
        from spinsync.problems.flow.fixed_points import settle, slowest

        slow = slowest(self)
        if slow <= NOTHING:
            raise NoRelaxationError
        settled = settle(self, stretch=10 / slow, most=PATIENCE / slow, longer=LONGER)
        Ended(settled.status).check(settled.steps)
        found = settled.rest
        if found is None:
            raise MovingError(settled.time)
        observed = {n: (d[1:], v[0]) for n, (d, v) in self.observe(found.state[None, :], np.zeros(1)).items()}
        amplitude = abs(self.groups(found.state[None, :])[0])
        observed["frequency"] = (("group",), np.where(shining(amplitude)[0], found.flow.frame, np.nan))
        return observed | ({"stable": ((), np.array(found.stable))} if found.growth.size else {})

    def bytes_per_time(self, observed: float) -> float:
        """States, and their copy in the laboratory frame."""
        components = self.start.size + (self.companion.start.size if self.companion is not None else 0)
        return observed + 2 * COMPLEX * components
