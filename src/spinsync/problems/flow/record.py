"""The problem `Flow`: ordinary differential equations of a few smooth variables, filled in by a theory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.interrupts import in_background
from spinsync.base.progress import part, report
from spinsync.problems.observed import Observed
from spinsync.problems.outcome import Ended, NoFixedPointError, NoRelaxationError
from spinsync.problems.outlook import allowed_steps

MOST_STEPS, MOST_WORK = 20e6, 6e8  # time steps of a run, and steps times components
SAFETY = 5.0  # factor on the difference from the coarse run, which underestimates the error of a few classes
LONGEST_RUN = 10_000.0  # longest time to a steady state, in units of the slowest relaxation time
STRETCH_GROWTH = 1.1  # ratio of the times between convergence tests, which are expensive for many classes
COMPLEX = 16  # bytes
#: of the compiled functions `nonlinear` and `tangent`: (y, table, coupling, out)
SIGNATURE = "void(complex128[::1], float64[:,::1], complex128[:,::1], complex128[::1])"


@dataclass(frozen=True, kw_only=True)
class Flow:
    """dy/dt = -decay * y + nonlinear(y): a few smooth variables with fast diagonal rotation and relaxation.

    nonlinear : compiled function (y, table, coupling, out)
    tangent : the same for a state followed by a tangent vector: (y, v) -> (n(y), Dn(y) v)
    decay : complex array of shape (component,), integrated exactly: fast rotation and relaxation, with real part >= 0
    start : complex array of shape (component,)
    table, coupling : parameters of `nonlinear` for its own use, float (row, component) and complex (group, group)
    symmetry : int array of shape (component,), the U(1) charges q: if y solves the equation, y exp(i phase q) does as well.
        A component is charged if q is not 0, else neutral. None: the equation has no such symmetry
    real : bool array of shape (component,), which components are real numbers
    rtol, atol : tolerances of a time step
    frame : angular frequency of the rotating frame in which y is written
    fastest_rate : approximately the fastest rate at which the observed variables change; sets the spacing of samples
    groups : states of shape (time, component) -> a charged (complex) and a neutral (real) observable of each group, both of
        shape (time, group), in the frame of y; the charged ones are zero if the theory has no coherence
    observe : states, times since the start -> variables, in the laboratory frame: a charge q there has exp(-i q frame t)
    coordinates : coordinates of the dims that `observe` names
    coarse : the same flow with coarser tolerances and classes, whose difference from this one estimates the error; or None
    derivative : (y, table, coupling) -> complex P, Q with n(y + v) = n(y) + P v + Q v* to first order; None: from `tangent`
    refine : charged observables (group,) and frame frequency of a fixed point -> charged and neutral observables and
        frequency in the limit of many components, or None; None: the flow has no discretization error
    lyapunov_error : relative discretization error of a Lyapunov exponent
    """

    start_decides: ClassVar[bool] = True
    stochastic: ClassVar[bool] = False

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
    fastest_rate: float
    groups: Callable[[Array], tuple[Array, Array]]
    observe: Callable[[Array, Array], Observed]
    coordinates: Mapping[str, tuple[str, Array]]
    coarse: Flow | None = None
    derivative: Callable[[Array, Array, Array], tuple[Array, Array]] | None = None
    refine: Callable[[Array, float], tuple[Array, Array, float] | None] | None = None
    lyapunov_error: float = 0.0

    @property
    def charged(self) -> Array:
        """Which components transform under the symmetry, a bool array of shape (component,)."""
        return np.zeros(self.decay.size, bool) if self.symmetry is None else self.symmetry != 0

    def phase_direction(self, states: Array) -> Array:
        """Derivative of states (..., component) by the phase of the symmetry; zero without a symmetry."""
        return np.zeros_like(states) if self.symmetry is None else np.asarray(1j * self.symmetry * states)

    def rotated(self, states: Array, phase: Any) -> Array:
        """States (..., component) rotated by a phase; unchanged without a symmetry."""
        return states if self.symmetry is None else np.asarray(states * np.exp(1j * phase * self.symmetry))

    def phase_behind(self, reference: Array, states: Array) -> Array:
        """The phase by which states (..., component) must be rotated to come closest to a reference (component,).

        It grows with +frequency, and is taken from the components of the smallest charge, where it is unique."""
        if self.symmetry is None or not self.charged.any():
            return np.zeros(states.shape[:-1])
        charges = self.symmetry[self.charged]
        least = charges[np.argmin(abs(charges))]
        same = self.symmetry == least
        return np.asarray(-np.angle(states[..., same] @ reference[same].conj()) / least)

    def in_rotating_frame(self, frequency: float) -> Flow:
        """The same flow in a frame that rotates at `frequency` relative to its present one; needs a symmetry."""
        assert self.symmetry is not None
        return replace(self, decay=self.decay - 1j * frequency * self.symmetry, frame=self.frame + frequency)

    def velocity(self, state: Array) -> Array:
        """dy/dt (component,) at `state`, in the frame of the flow."""
        out = np.empty_like(state)
        self.nonlinear.without_compiling(state, self.table, self.coupling, out)
        return np.asarray(out - self.decay * state)

    def motion(self, times: Array, seed: int) -> Observed:
        """The observed variables at `times`, with error estimates if there is a coarse flow.

        Raises
        ------
        StoppedError
            If the time steps get too many or too small.
        """
        from spinsync.problems.flow.stepping import integrate

        share = self.start.size / (self.start.size + (self.coarse.start.size if self.coarse is not None else 0))
        with part(0.0, share):
            solution = integrate(
                self.nonlinear, self.decay, self.start, times, table=self.table, coupling=self.coupling, rtol=self.rtol,
                atol=self.atol, max_steps=allowed_steps(MOST_STEPS, MOST_WORK, self.start.size), tell=report,
            )  # fmt: skip
        solution.status.check(solution.steps)
        observed = self.observe(solution.states, times - times[0])
        if self.coarse is not None:
            with part(share, 1.0):
                coarse = self.coarse.motion(times, seed)
            for name, (dims, coarse_values) in coarse.items():
                if "group" not in dims:
                    continue
                values = observed[name][1]
                difference = np.maximum.accumulate(abs(values - coarse_values), axis=0)  # errors of a run do not shrink
                observed[f"{name}_error"] = (dims, SAFETY * difference + 10 * self.rtol * abs(values) + self.atol)
        return observed

    @in_background
    def steady_state(self, seed: int) -> Observed:
        """The observed variables at the fixed point to which the motion converges, the `frequency` of its frame (NaN for
        groups without coherence), and whether it is `stable` (left out if there are too many components for a Jacobian).

        Raises
        ------
        NoRelaxationError, StoppedError, NoFixedPointError
            If the motion converges to no fixed point of a rotating frame.
        """
        from spinsync.problems.flow.approach import ZERO_RATE, coherent_groups
        from spinsync.problems.flow.fixed_points import converge, slowest_rate

        rate = slowest_rate(self)
        if rate <= ZERO_RATE:
            raise NoRelaxationError
        convergence = converge(self, stretch=10 / rate, longest=LONGEST_RUN / rate, stretch_growth=STRETCH_GROWTH)
        Ended(convergence.status).check(convergence.steps)
        found = convergence.fixed_point
        if found is None:
            raise NoFixedPointError(convergence.time)
        observed = {n: (d[1:], v[0]) for n, (d, v) in self.observe(found.state[None, :], np.zeros(1)).items()}
        amplitude = abs(self.groups(found.state[None, :])[0])
        observed["frequency"] = (("group",), np.where(coherent_groups(amplitude)[0], found.flow.frame, np.nan))
        return observed | ({"stable": ((), np.array(found.stable))} if found.growth.size else {})

    def bytes_per_time(self, observed: float) -> float:
        """Memory of the states, and of their copy in the laboratory frame."""
        components = self.start.size + (self.coarse.start.size if self.coarse is not None else 0)
        return observed + 2 * COMPLEX * components
