"""The problem `Moments`: equations of motion of very many moments, closed at some order, filled in by a theory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.progress import report
from spinsync.problems.observed import Observed
from spinsync.problems.outcome import NoRelaxationError

REAL = 8  # bytes
#: of the compiled functions `derivative` and `numbers`: (y, table, planes, factors, work, out)
SIGNATURE = "void(float64[::1], float64[:,::1], float64[:,:,::1], float64[:,:,::1], float64[::1], float64[::1])"
STRETCH, LONGEST = 10.0, 1e5  # of the search for a steady state: one stretch and all of them, in slowest relaxation times
AT_REST = 1e-10  # relative rate of change of a steady state, in units of the slowest relaxation


@dataclass(frozen=True, kw_only=True)
class Moments:
    """dy/dt = derivative(y) for a real vector y of up to millions of components. Complex moments are two planes of real numbers.

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
    observe : recorded numbers (time, number) -> variables
    slowest : rate of the slowest relaxation without coupling
    coordinates : coordinates of the dims of the variables
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

    def motion(self, times: Array, seed: int) -> Observed:
        """The observed variables at `times`. Raises StoppedError if the time steps get too many or too small."""
        from spinsync.problems.moments.stepping import integrate

        return self.observe(integrate(self, self.start, times, report).numbers)

    def steady_state(self, seed: int) -> Observed:
        """The observed variables when the motion has come to rest. Raises NoRelaxationError if it does not."""
        from spinsync.problems.moments.stepping import integrate

        if self.slowest <= 0:
            raise NoRelaxationError
        y, stretch, elapsed = self.start, STRETCH / self.slowest, 0.0
        while elapsed < LONGEST / self.slowest:
            found = integrate(self, y, np.array([0.0, stretch]), lambda fraction: None)
            y, elapsed = found.state, elapsed + stretch
            if self.change(y) < AT_REST * self.slowest:
                return {name: (dims[1:], values[0]) for name, (dims, values) in self.observe(found.numbers[1:]).items()}
        raise NoRelaxationError

    def change(self, y: Array) -> float:
        """The largest rate of change of a component, relative to the scale of its block."""
        out, work = np.empty_like(y), np.empty(self.work)
        self.derivative(y, self.table, self.planes, self.factors, work, out)
        pairs = zip(self.blocks[:-1], self.blocks[1:], self.floor, strict=True)
        return max(float(abs(out[i:j]).max() / max(abs(y[i:j]).max(), floor)) for i, j, floor in pairs if j > i)

    def bytes_per_time(self, observed: float) -> float:
        """Memory of the recorded numbers, beside the variables."""
        return observed + REAL * self.recorded
