"""Linear master equations d rho/dt = L rho: three kinds of problem, by the size of the generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.blas_threads import one_blas_thread
from spinsync.base.interrupts import in_background
from spinsync.base.progress import part, side_by_side
from spinsync.problems import outcome
from spinsync.problems.linear.problem import Linear
from spinsync.problems.linear.sectors import Lattice, ProductSectors, Sectors
from spinsync.problems.linear.states import check_trace, concatenated, last_states, normalized, observe_stepwise
from spinsync.problems.observed import Observed
from spinsync.problems.outcome import NotConvergedError

if TYPE_CHECKING:
    from spinsync.problems.linear.lines import Line
    from spinsync.problems.linear.state_lattice.slowest_mode import Mode

COMPLEX = 16  # bytes
FIRST_SEARCH = 20_000  # components, above which the slowest mode is first sought in a smaller window
TAIL = 1e-6  # of the steady state beyond each side of that smaller window
STEADY_BEFORE_LINES = 0.45  # typical share of the time, for the progress line
FULL_SPECTRUM = 2_500  # components, up to which the full spectrum is computed if the iteration fails: takes a minute


def dense_lines(sectors: Sectors, number: int) -> list[Line]:
    """The slowest lines from the full spectrum of a small generator."""
    from spinsync.problems.linear.lines import lines_of_matrix

    return lines_of_matrix(sectors.block(1), sectors.observable, number)


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

    def _intensities(self, sectors: Sectors, start: Array, times: Array) -> Array:
        from spinsync.problems.linear.dense import means

        return means(sectors.block(0), start, times, sectors.trace, sectors.intensity)

    def _lines(self, number: int) -> list[Line]:
        return dense_lines(self.sectors, number)


@dataclass(frozen=True, kw_only=True)
class LinearLattice(Linear):
    """A large generator on a lattice. Steady state and slow modes are found in a truncation window."""

    rounding: ClassVar[float] = 1e-280  # errors are relative to each probability, above the smallest numbers

    sectors: Lattice

    def bytes_per_time(self, observed: float) -> float:
        """Variables of several times at once, and those of all times joined."""
        return 4 * observed

    @in_background
    @one_blas_thread()
    def slowest_mode(self) -> Mode:
        """The slowest mode of sector 1 on the full lattice."""
        from spinsync.problems.linear.state_lattice.slowest_mode import slowest_mode

        return slowest_mode(self.sectors, self.sectors.full_window)

    @in_background
    @one_blas_thread()
    def _observed(self, times: Array, keep_state: bool) -> Observed:
        from spinsync.problems.linear.state_lattice.moving_window import motion
        from spinsync.problems.linear.state_lattice.truncation import area, transferred

        own, rows = self.sectors, list[Observed]()
        outcome.afford(COMPLEX * area(own.full_window) * len(own.charges) * (2 + keep_state), growth=2)
        for piece in motion(own, {q: self.start(q) for q in own.charges}, times):
            lattice, states = piece.lattice, normalized(piece.states, piece.lattice.trace)
            rows.append(lattice.observe(states))
        if not keep_state:
            return concatenated(rows)
        ends = {q: transferred(states[q][-1], lattice.sites(q), own.sites(q))[None] for q in own.charges}
        return concatenated(rows) | last_states(ends)

    def _steady_state(self) -> tuple[Lattice, Array]:
        from spinsync.problems.linear.state_lattice.steady_populations import steady_state

        state = steady_state(self.sectors)
        return state.lattice, state.probability

    def _embedded(self, lattice: Lattice, rho: Array) -> Array:
        from spinsync.problems.linear.state_lattice.truncation import transferred

        return transferred(rho, lattice.sites(0), self.sectors.sites(0))

    def _response(self, lattice: Lattice, source: Array, frequencies: Array) -> Array:
        from spinsync.problems.linear.resolvent import response

        return response(lattice.block(1), lattice.sites(1), source, lattice.observable, frequencies)

    def _intensities(self, lattice: Lattice, start: Array, times: Array) -> Array:
        from spinsync.problems.linear.state_lattice.moving_window import motion

        pieces = motion(self.sectors, {0: self._embedded(lattice, start)}, times)
        return np.concatenate([normalized(one.states, one.lattice.trace)[0] @ one.lattice.intensity for one in pieces])

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

    def _intensities(self, sectors: ProductSectors, start: Array, times: Array) -> Array:
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
