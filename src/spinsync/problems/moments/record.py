"""The problem `Moments`: equations of motion of very many moments, closed at some order, filled in by a theory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.blas_threads import one_blas_thread
from spinsync.base.interrupts import in_background
from spinsync.base.progress import part, report
from spinsync.problems.observed import Observed
from spinsync.problems.outcome import NoFixedPointError, NotConvergedError

REAL = 8  # bytes
STATE = "state_moments"  # name of the vector of all moments
#: of the compiled functions `derivative` and `numbers`: (y, table, planes, factors, work, out)
SIGNATURE = "void(float64[::1], float64[:,::1], float64[:,:,::1], float64[:,:,::1], float64[::1], float64[::1])"
STEADY = 0.9  # typical share of the steady state in the time of lines and response, for the progress line


def unknown(y: Array) -> Any:
    """Where a theory has no such function."""
    raise NotConvergedError


@dataclass(frozen=True, kw_only=True)
class Moments:
    """dy/dt = derivative(y) for a real vector y of up to millions of components; complex moments are two planes of it.

    A theory that closes its equations in another way is another `derivative` with its `numbers`, `start` and `blocks`. A theory
    whose steady state is found by Newton's method, or that has lines and a response, gives them as functions.

    derivative : compiled function (y, table, planes, factors, work, out); it may overwrite `work`
    numbers : compiled function with the same arguments: what is recorded at a time, into `out` of shape (number,)
    table, planes, factors : parameters of both for their own use, float arrays with 2, 3 and 3 dimensions
    work : size of the scratch array of both
    start : float array of shape (component,)
    blocks : int array of shape (block + 1,), where each kind of component begins, and the size of y. All components of a block
        have one scale, the largest of them: their errors are compared with it
    floor : float array of shape (block,), the smallest scale of each block
    rtol : tolerance of a time step, relative to the scale of each block
    recorded : how many numbers are recorded at each time
    observe : recorded numbers (time, number) -> variables, which may be made of their memory
    slowest : rate of the slowest relaxation without coupling
    coordinates : coordinates of the dims of the variables
    rest : a state near a steady state -> this steady state, by Newton's method; raises NotConvergedError
    fluctuations : a steady state -> a linear problem with `lines` and `response`

    The derivative is a polynomial of second degree in y, of which stability makes use.
    """

    start_decides: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False

    derivative: Any
    numbers: Any
    table: Array
    planes: Array
    factors: Array
    work: int
    start: Array
    blocks: Array
    floor: Array
    rtol: float
    recorded: int
    observe: Callable[[Array], Observed]
    slowest: float
    coordinates: Mapping[str, tuple[str, Array]]
    rest: Callable[[Array], Array] = unknown
    fluctuations: Callable[[Array], Any] = unknown

    def motion(self, times: Array, seed: int) -> Observed:
        """The observed variables at `times`. Raises StoppedError if the time steps get too many or too small."""
        return self.motion_and_state(times, False)

    @one_blas_thread()
    def motion_and_state(self, times: Array, keep_state: bool = True) -> Observed:
        """The same and all moments at the last time."""
        from spinsync.problems.moments.stepping import integrate

        found = integrate(self, self.start, times, report)
        return self.observe(found.numbers) | ({STATE: (("moment",), found.state)} if keep_state else {})

    @property
    def state_sizes(self) -> Mapping[str, int]:
        """Name and size of the vector that `motion_and_state` adds."""
        return {STATE: self.start.size}

    def is_state(self, state: Mapping[str, Array]) -> bool:
        """Moments of any size may have been found."""
        return state[STATE].dtype == float

    def inversion_of(self, state: Mapping[str, Array]) -> Array:
        """The inversion of each group in a state, shape (group,)."""
        return np.asarray(self.observe(self.recording(state[STATE]))["inversion"][1][0])

    def with_state(self, state: Mapping[str, Array]) -> Self:
        """The same problem with another initial state."""
        return replace(self, start=state[STATE])

    @in_background
    @one_blas_thread()
    def steady_state(self, seed: int) -> Observed:
        """The observed variables of the steady state that the motion tends to, and `stable`. Raises NoFixedPointError if it
        comes to no rest, NoRelaxationError if something does not relax."""
        from spinsync.problems.moments.at_rest import at_rest

        found = at_rest(self)
        observed = {name: (dims[1:], values[0]) for name, (dims, values) in self.observe(self.recording(found.state)).items()}
        return observed | {"stable": ((), np.array(found.stable))}

    @in_background
    @one_blas_thread()
    def steady_state_vectors(self) -> Mapping[str, Array]:
        """All moments of the steady state."""
        from spinsync.problems.moments.at_rest import at_rest

        return {STATE: at_rest(self).state}

    @in_background
    @one_blas_thread()
    def lines(self, number: int) -> list[Any]:
        """The slowest `number` modes of the fluctuations about the steady state that are visible, in order."""
        with part(0.0, STEADY):
            fluctuations = self._fluctuations()
        with part(STEADY, 1.0):
            found: list[Any] = fluctuations.lines(number)
        return found

    @in_background
    @one_blas_thread()
    def response(self, frequencies: Array) -> Array:
        """Response of the fluctuations about the steady state at each frequency, complex array of shape (frequency,)."""
        with part(0.0, STEADY):
            fluctuations = self._fluctuations()
        with part(STEADY, 1.0):
            return np.asarray(fluctuations.response(frequencies))

    def _fluctuations(self) -> Any:
        from spinsync.problems.moments.at_rest import LONGEST, at_rest

        found = at_rest(self)
        if not found.stable:
            raise NoFixedPointError(LONGEST / self.slowest)
        return self.fluctuations(found.state)

    def rate(self, y: Array) -> Array:
        """dy/dt."""
        out, work = np.empty_like(y), np.empty(self.work)
        self.derivative(y, self.table, self.planes, self.factors, work, out)
        return out

    def recording(self, y: Array) -> Array:
        """What is recorded of a state, shape (1, number)."""
        out, work = np.empty((1, self.recorded)), np.empty(self.work)
        self.numbers(y, self.table, self.planes, self.factors, work, out[0])
        return out

    def change(self, y: Array) -> float:
        """The largest rate of change of a component, relative to the scale of its block."""
        return self.relative(self.rate(y), y)

    def relative(self, difference: Array, y: Array) -> float:
        """The largest component of a difference, relative to the scale of its block in y."""
        pairs = zip(self.blocks[:-1], self.blocks[1:], self.floor, strict=True)
        return max(float(abs(difference[i:j]).max() / max(abs(y[i:j]).max(), floor)) for i, j, floor in pairs if j > i)

    def bytes_per_time(self, observed: float) -> float:
        """Memory of the recorded numbers, beside the variables."""
        return observed + REAL * self.recorded
