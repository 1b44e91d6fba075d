"""What every linear master equation d rho/dt = L rho answers, whatever the structure of its generator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.blas_threads import one_blas_thread
from spinsync.base.interrupts import in_background
from spinsync.base.progress import part
from spinsync.problems.linear.states import STATE, TRACE_ERROR
from spinsync.problems.observed import Observed

if TYPE_CHECKING:
    from spinsync.problems.linear.lines import Line

OVERHEAD = 2000  # bytes of small arrays for each output time
STEADY_BEFORE_RESPONSE = 0.1  # typical share of the time, for the progress line
LEAST_LIGHT = 2e-10  # mean intensity over the root of the largest, below which the errors of a motion matter
WORST_CORRELATION = 1e-4  # relative error of a photon correlation by rounding


@dataclass(frozen=True, kw_only=True)
class Linear(ABC):
    """Base class of the three kinds; all answer the same questions.

    start : charge q -> vector rho_q at the first time
    coordinates : coordinates of the dims of the observed variables

    Methods raise TooLargeError if memory does not suffice; LostTraceError, NotConvergedError, IllConditionedError or
    OverflowError if double precision or the allowed number of iterations does not suffice.
    """

    start_decides: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    rounding: ClassVar[float] = 1e-14  # errors of the steady state, in the 1-norm

    sectors: Any
    start: Callable[[int], Array]
    coordinates: Mapping[str, tuple[str, Array]]

    def motion(self, times: Array, seed: int) -> Observed:
        """Variables at `times`."""
        return self._observed(times, keep_state=False)

    def motion_and_state(self, times: Array) -> Observed:
        """The same and state_q, the vectors rho_q at the last time for each charge q; rho_-q is the conjugate of rho_q."""
        return self._observed(times, keep_state=True)

    @in_background
    @one_blas_thread()
    def steady_state(self, seed: int) -> Observed:
        """Variables of the steady state. All methods below that need it raise NotUniqueError if there are several."""
        sectors, rho = self._steady_state()
        return {name: (dims[1:], values[0]) for name, (dims, values) in sectors.observe({0: rho[None, :]}).items()}

    @in_background
    @one_blas_thread()
    def steady_state_vectors(self) -> Mapping[str, Array]:
        """The steady state as {name: vector}."""
        vectors = self._embedded(*self._steady_state()), np.zeros(self.sectors.observable.size, complex)
        return {STATE.format(q): vector for q, vector in enumerate(vectors)}

    @in_background
    @one_blas_thread()
    def density_eigenvalues(self) -> tuple[Array, Array]:
        """Eigenvalues of the steady state, each times its multiplicity, and the logarithms of the multiplicities."""
        sectors, rho = self._steady_state()
        found: tuple[Array, Array] = sectors.density_eigenvalues(rho)
        return found

    @in_background
    @one_blas_thread()
    def response(self, frequencies: Array) -> Array:
        """observable . (-i w - L)^{-1} source of the steady state for each w, complex array of shape (frequency,)."""
        with part(0.0, STEADY_BEFORE_RESPONSE):
            sectors, rho = self._steady_state()
        with part(STEADY_BEFORE_RESPONSE, 1.0):
            return self._response(sectors, sectors.source(rho), frequencies)

    @in_background
    @one_blas_thread()
    def photon_correlation(self, delays: Array, seed: int) -> Observed:
        """g2 = <A^+(0) A^+(t) A(t) A(0)> / <A^+ A>^2 of the steady state at increasing delays t >= 0, by quantum regression.

        A is the operator whose mean is that of the observable. NaN where the intensity <A^+ A> is 0 within rounding errors.
        """
        with part(0.0, STEADY_BEFORE_RESPONSE):
            sectors, rho = self._steady_state()
        mean, largest = float((sectors.intensity @ rho).real), float(sectors.intensity.max())
        if not mean > self.rounding * largest:
            return {"g2": (("delay",), np.full(delays.size, np.nan))}
        if self.rounding * largest**2 > WORST_CORRELATION * mean**2 or (delays[-1] > 0 and mean < LEAST_LIGHT * largest**0.5):
            raise OverflowError
        times = delays if delays[0] == 0 else np.concatenate([[0.0], delays])
        with part(STEADY_BEFORE_RESPONSE, 1.0):
            found = self._intensities(sectors, sectors.detected(rho) / mean, times) / mean
        return {"g2": (("delay",), found[times.size - delays.size :])}

    @in_background
    @one_blas_thread()
    def lines(self, number: int) -> list[Line]:
        """The slowest `number` modes of sector 1 that are visible in the observable, in order."""
        return self._lines(number)

    @property
    def state_sizes(self) -> Mapping[str, int]:
        """Names and sizes of the vectors of a state, which `motion_and_state` adds."""
        return {STATE.format(q): self.sectors.size(q) for q in self.sectors.charges}

    def is_state(self, state: Mapping[str, Array]) -> bool:
        """Whether vectors {name: vector} have the trace 1."""
        return bool(abs(state[STATE.format(0)] @ self.sectors.trace - 1) <= TRACE_ERROR)

    def inversion_of(self, state: Mapping[str, Array]) -> Array:
        """The inversion of each group in a state {name: vector}, shape (group,)."""
        return np.asarray(self.sectors.observe({0: state[STATE.format(0)][None]})["inversion"][1][0])

    def with_state(self, state: Mapping[str, Array]) -> Self:
        """The same problem with another initial state {name: vector}."""
        sectors = self.sectors.with_charges(tuple(range(len(state))))
        return replace(self, start=lambda q: state[STATE.format(q)], sectors=sectors)

    def bytes_per_time(self, observed: float) -> float:
        """Each time is observed as soon as it is reached, except if all states fit into memory."""
        return observed + OVERHEAD

    @abstractmethod
    def _observed(self, times: Array, keep_state: bool) -> Observed: ...

    @abstractmethod
    def _steady_state(self) -> tuple[Any, Array]:
        """Sectors, possibly truncated to a window that holds nearly all of the steady state, and rho_0 on them."""

    def _embedded(self, sectors: Any, rho: Array) -> Array:
        """The vector of a truncated window on the full lattice."""
        return rho

    @abstractmethod
    def _response(self, sectors: Any, source: Array, frequencies: Array) -> Array: ...

    @abstractmethod
    def _intensities(self, sectors: Any, start: Array, times: Array) -> Array:
        """intensity . rho_0 at `times`, shape (time,); start : rho_0 at the first one, of trace 1"""

    @abstractmethod
    def _lines(self, number: int) -> list[Line]: ...
