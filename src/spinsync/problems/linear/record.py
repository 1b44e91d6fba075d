"""Linear master equations d rho/dt = L rho: three kinds of problem, by the size of the generator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.blas_threads import one_blas_thread
from spinsync.base.interrupts import in_background
from spinsync.base.progress import part, side_by_side
from spinsync.problems.linear.sectors import Lattice, ProductSectors, Sectors
from spinsync.problems.observed import Observed
from spinsync.problems.outcome import LostTraceError, NotConvergedError

if TYPE_CHECKING:
    from spinsync.problems.linear.lines import Line
    from spinsync.problems.linear.state_lattice.slowest_mode import Mode

COMPLEX = 16  # bytes
OVERHEAD = 2000  # bytes of small arrays for each output time
TRACE_ERROR = 1e-6  # largest deviation of a trace from 1
STATE = "state_{}"  # name of the vector of a charge
FIRST_SEARCH = 20_000  # components, above which the slowest mode is first sought in a smaller window
TAIL = 1e-6  # of the steady state beyond each side of that smaller window
STEADY_BEFORE_LINES, STEADY_BEFORE_RESPONSE = 0.45, 0.1  # typical shares of the time, for the progress line
WORST_CORRELATION = 1e-4  # relative error of a photon correlation by rounding
FULL_SPECTRUM = 2_500  # components, up to which the full spectrum is computed if the iteration fails: takes a minute


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
        if self.rounding * largest**2 > WORST_CORRELATION * mean**2:
            raise OverflowError
        times = delays if delays[0] == 0 else np.concatenate([[0.0], delays])
        with part(STEADY_BEFORE_RESPONSE, 1.0):
            found = self._intensities(sectors, sectors.detected(rho) / mean, times, mean) / mean
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
    def _intensities(self, sectors: Any, start: Array, times: Array, mean: float) -> Array:
        """intensity . rho_0 at `times`, shape (time,); start : rho_0 at the first; mean : intensity of the steady state"""

    @abstractmethod
    def _lines(self, number: int) -> list[Line]: ...


def dense_lines(sectors: Sectors, number: int) -> list[Line]:
    """The slowest lines from the full spectrum of a small generator."""
    from spinsync.problems.linear.lines import lines_of_matrix

    return lines_of_matrix(sectors.block(1), sectors.observable, number)


def last_states(states: Mapping[int, Array]) -> Observed:
    """The last states, as variables."""
    return {STATE.format(q): ((f"component_{q}",), vectors[-1].copy()) for q, vectors in states.items()}


def check_trace(trace: Any, states: Mapping[int, Array]) -> None:
    """Raise LostTraceError unless all traces are 1 and all states are finite."""
    if not np.allclose(trace, 1, rtol=0, atol=TRACE_ERROR) or not all(np.all(np.isfinite(rho)) for rho in states.values()):
        raise LostTraceError


def observe_stepwise(sectors: Sectors, runs: Sequence[Iterator[Array]], keep_state: bool) -> Observed:
    """Observe each time as soon as it is reached, as all states would not fit. runs : states over time, by charge"""
    rows = []
    for vectors in zip(*runs, strict=True):
        states = {q: v[None] for q, v in zip(sectors.charges, vectors, strict=True)}
        trace = float((states[0][0] @ sectors.trace).real)
        check_trace(trace, states)
        states[0] = states[0] / trace  # normalize
        rows.append(sectors.observe(states))
    observed = {name: (dims, np.concatenate([row[name][1] for row in rows])) for name, (dims, _) in rows[0].items()}
    return observed | (last_states(states) if keep_state else {})


@dataclass(frozen=True, kw_only=True)
class LinearSmall(Linear):
    """A generator so small that the states at all times fit into memory."""

    sectors: Sectors

    def bytes_per_time(self, observed: float) -> float:
        """All states, and copies of them."""
        return 2 * observed + 2 * COMPLEX * sum(self.start(q).size for q in self.sectors.charges)

    @in_background
    @one_blas_thread()
    def states(self, times: Array) -> dict[int, Array]:
        """States at `times`, (time, component) for each charge. Raises the exceptions of `motion`."""
        from spinsync.problems.linear.dense import propagate

        own = self.sectors
        found = {}
        for k, q in enumerate(own.charges):
            with part(k / len(own.charges), (k + 1) / len(own.charges)):
                found[q] = propagate(own.block(q), self.start(q), times, None if q else own.trace)
        check_trace(found[0] @ own.trace, found)
        return found

    def _observed(self, times: Array, keep_state: bool) -> Observed:
        states = self.states(times)
        return self.sectors.observe(states) | (last_states(states) if keep_state else {})

    def _steady_state(self) -> tuple[Sectors, Array]:
        from spinsync.problems.linear.dense import steady_state

        return self.sectors, steady_state(self.sectors.block(0), self.sectors.trace)

    def _response(self, sectors: Sectors, source: Array, frequencies: Array) -> Array:
        from spinsync.problems.linear.resolvent import response

        return response(sectors.block(1), None, source, sectors.observable, frequencies)

    def _intensities(self, sectors: Sectors, start: Array, times: Array, mean: float) -> Array:
        from spinsync.problems.linear.dense import means

        return means(sectors.block(0), start, times, sectors.trace, sectors.intensity)

    def _lines(self, number: int) -> list[Line]:
        return dense_lines(self.sectors, number)


@dataclass(frozen=True, kw_only=True)
class LinearLattice(Linear):
    """A large generator on a lattice. Steady state and slow modes are found in a truncation window."""

    rounding: ClassVar[float] = 1e-280  # errors are relative to each probability, above the smallest numbers

    sectors: Lattice

    @in_background
    @one_blas_thread()
    def slowest_mode(self) -> Mode:
        """The slowest mode of sector 1 on the full lattice."""
        from spinsync.problems.linear.state_lattice.slowest_mode import slowest_mode

        return slowest_mode(self.sectors, self.sectors.full_window)

    @in_background
    @one_blas_thread()
    def _observed(self, times: Array, keep_state: bool) -> Observed:
        from spinsync.problems.linear import shift_invert
        from spinsync.problems.linear.state_lattice.sparse_lu import afford

        own = self.sectors
        afford(own.full_window, 16, shift_invert.MOST_VECTORS + len(own.charges) * keep_state, growth=2)
        runs = [
            shift_invert.motion(own.block(q), own.sites(q), self.start(q), times, tell)
            for q, tell in zip(own.charges, side_by_side(len(own.charges)), strict=True)
        ]
        return observe_stepwise(own, runs, keep_state)

    def _steady_state(self) -> tuple[Lattice, Array]:
        from spinsync.problems.linear.state_lattice.steady_populations import steady_state

        state = steady_state(self.sectors)
        return state.lattice, state.probability

    def _embedded(self, lattice: Lattice, rho: Array) -> Array:
        sites = self.sectors.sites(0)
        grid = np.zeros(np.add(sites.max(axis=0), 1))
        grid[*lattice.sites(0).T] = rho
        return np.asarray(grid[*sites.T])

    def _response(self, lattice: Lattice, source: Array, frequencies: Array) -> Array:
        from spinsync.problems.linear.resolvent import response

        return response(lattice.block(1), lattice.sites(1), source, lattice.observable, frequencies)

    def _intensities(self, lattice: Lattice, start: Array, times: Array, mean: float) -> Array:
        from spinsync.problems.linear.state_lattice.intensities import intensities

        return intensities(self.sectors, lattice, start, times, mean)

    def _lines(self, number: int) -> list[Line]:
        from spinsync.problems.linear.state_lattice import lattice_lines, slowest_mode
        from spinsync.problems.linear.state_lattice.steady_populations import steady_state
        from spinsync.problems.linear.state_lattice.truncation import smallest_window

        if self.sectors.observable.size <= slowest_mode.DENSE:
            return dense_lines(self.sectors, number)
        steady = STEADY_BEFORE_LINES / number**2
        with part(0.0, steady):
            state = steady_state(self.sectors)
        windows = [state.window]
        if state.probability.size > FIRST_SEARCH:
            windows.insert(0, smallest_window(state.lattice.sites(0), state.probability, TAIL))
        with part(steady, 1.0):
            return lattice_lines.slowest(self.sectors, number, *windows)


@dataclass(frozen=True, kw_only=True)
class LinearProducts(Linear):
    """A large generator of coupled subsystems, applied factor by factor: its matrix is never assembled."""

    sectors: ProductSectors

    @in_background
    @one_blas_thread()
    def _observed(self, times: Array, keep_state: bool) -> Observed:
        from spinsync.problems.linear.products.operator import afford
        from spinsync.problems.linear.products.solvers import motion

        own = self.sectors
        if keep_state:
            afford(own.subsystems.sizes, sum(own.size(q) for q in own.charges))
        runs = [
            motion(own.subsystems, q, self.start(q), times, own.trace, tell)
            for q, tell in zip(own.charges, side_by_side(len(own.charges)), strict=True)
        ]
        return observe_stepwise(own, runs, keep_state)

    def _steady_state(self) -> tuple[ProductSectors, Array]:
        from spinsync.problems.linear.products.solvers import steady_state

        return self.sectors, steady_state(self.sectors.subsystems, self.sectors.trace)

    def _response(self, sectors: ProductSectors, source: Array, frequencies: Array) -> Array:
        from spinsync.problems.linear.products.solvers import response

        return response(sectors.subsystems, source, sectors.observable, frequencies)

    def _intensities(self, sectors: ProductSectors, start: Array, times: Array, mean: float) -> Array:
        from spinsync.problems.linear.products.solvers import motion

        run = motion(sectors.subsystems, 0, start, times, sectors.trace)
        traces, found = np.array([(sectors.trace @ state, sectors.intensity @ state) for state in run]).real.T
        check_trace(traces, {0: found})
        return np.asarray(found)

    def _lines(self, number: int) -> list[Line]:
        from spinsync.problems.linear.products.product_lines import slowest
        from spinsync.problems.linear.state_lattice.slowest_mode import DENSE

        size = self.sectors.observable.size
        if size <= DENSE:
            return dense_lines(self.sectors, number)
        try:
            return slowest(self.sectors.subsystems, self.sectors.observable, number)
        except NotConvergedError:
            if size > FULL_SPECTRUM:
                raise
            return dense_lines(self.sectors, number)
