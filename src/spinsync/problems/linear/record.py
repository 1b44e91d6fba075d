"""Linear master equations and what they answer: three kinds, by how large a generator is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.blas_threads import one_blas_thread
from spinsync.base.interrupts import in_background
from spinsync.problems.linear.sectors import Lattice, OfParts, Sectors
from spinsync.problems.observed import Observed
from spinsync.problems.outcome import LostTraceError, SlowError

if TYPE_CHECKING:
    from spinsync.problems.linear.lattice.slowest_mode import Mode
    from spinsync.problems.linear.lines import Line

COMPLEX = 16  # bytes
OBJECTS = 2000  # bytes of the small arrays that one observed time is made of
LOST = 1e-6  # by which a trace may differ from 1
LARGE = 20_000  # components, from where on the slowest mode is first looked for in the core of the steady state
OUTSIDE = 1e-6  # of the steady state beyond each side of that core
AFFORDED = 2_500  # components, up to where all eigenvalues are found if need be: a minute


@dataclass(frozen=True, kw_only=True)
class Linear(ABC):
    """What all three kinds have, and answer alike.

    start : q -> vector rho_q at the first time
    coordinates : coordinates of the dims that are observed

    Where memory can't hold what is needed they raise a TooLargeError, where double precision does not know the answer or it
    would take too long a LostTraceError, SlowError, CrowdedError or OverflowError.
    """

    start_decides: ClassVar[bool] = False

    sectors: Any
    start: Callable[[int], Array]
    coordinates: Mapping[str, tuple[str, Array]]

    def motion(self, times: Array, seed: int) -> Observed:
        """What is observed at `times`."""
        return self._observed(times, keep_state=False)

    def motion_and_state(self, times: Array) -> Observed:
        """And state_q, the vector rho_q at the last time; charge -1 is the conjugate of 1, and no other is ever asked for."""
        return self._observed(times, keep_state=True)

    @in_background
    @one_blas_thread()
    def rest(self, seed: int) -> Observed:
        """What is observed in the steady state; a SeveralError where there are several, here and below."""
        part, rho = self._at_rest()
        return {name: (dims[1:], values[0]) for name, (dims, values) in part.observe({0: rho[None, :]}).items()}

    @in_background
    @one_blas_thread()
    def state_at_rest(self) -> Mapping[int, Array]:
        """The steady state, as `start` gives states."""
        return {0: self._of_all(*self._at_rest()), 1: np.zeros(self.sectors.receiver.size, complex)}

    @in_background
    @one_blas_thread()
    def mixture(self) -> tuple[Array, Array]:
        """Eigenvalues of the steady state, each times its number of copies, and the logarithms of these numbers."""
        part, rho = self._at_rest()
        found: tuple[Array, Array] = part.mixture(rho)
        return found

    @in_background
    @one_blas_thread()
    def response(self, frequencies: Array) -> Array:
        """receiver . (-i w - L)^{-1} sender of the steady state for each w, complex array of shape (frequency,)."""
        part, rho = self._at_rest()
        return self._responded(part, part.sender(rho), frequencies)

    @in_background
    @one_blas_thread()
    def lines(self, number: int) -> list[Line]:
        """The slowest `number` modes of sector 1 that the receiver shows, in order; a FewError where there are fewer."""
        return self._lines(number)

    def starting(self, states: Mapping[int, Array]) -> Self:
        """The same problem from another state."""
        return replace(self, start=states.__getitem__)

    def bytes_per_time(self, observed: float) -> float:
        """Each time is observed as soon as it is reached, unless all states fit."""
        return observed + OBJECTS

    @abstractmethod
    def _observed(self, times: Array, keep_state: bool) -> Observed: ...

    @abstractmethod
    def _at_rest(self) -> tuple[Any, Array]:
        """The sectors, or a part of them that holds nearly all of the steady state, and its sector 0 there."""

    def _of_all(self, part: Any, rho: Array) -> Array:
        """The vector of a part among all components."""
        return rho

    @abstractmethod
    def _responded(self, part: Any, sender: Array, frequencies: Array) -> Array: ...

    @abstractmethod
    def _lines(self, number: int) -> list[Line]: ...


def few_lines(sectors: Sectors, number: int) -> list[Line]:
    """The slowest lines of a small generator."""
    from spinsync.problems.linear.lines import of_matrix

    return of_matrix(sectors.block(1), sectors.receiver, number)


def kept(states: Mapping[int, Array]) -> Observed:
    """The last of the states, as variables."""
    return {f"state_{q}": ((f"component_{q}",), vectors[-1].copy()) for q, vectors in states.items()}


def check_numbers(trace: Any, states: Mapping[int, Array]) -> None:
    """Traces are 1, and what has none is finite."""
    if not np.allclose(trace, 1, rtol=0, atol=LOST) or not all(np.all(np.isfinite(rho)) for rho in states.values()):
        raise LostTraceError


def one_by_one(sectors: Sectors, runs: Sequence[Iterator[Array]], keep_state: bool) -> Observed:
    """Each time is observed as soon as it is reached: all states together would not fit. runs : of each charge"""
    rows = []
    for now in zip(*runs, strict=True):
        states = {q: v[None] for q, v in zip(sectors.charges, now, strict=True)}
        trace = float((states[0][0] @ sectors.trace).real)
        check_numbers(trace, states)
        states[0] = states[0] / trace  # the one eigenvalue that is known exactly
        rows.append(sectors.observe(states))
    observed = {name: (dims, np.concatenate([row[name][1] for row in rows])) for name, (dims, _) in rows[0].items()}
    return observed | (kept(states) if keep_state else {})


@dataclass(frozen=True, kw_only=True)
class LinearSmall(Linear):
    """A generator whose states all fit into memory, at all times together."""

    sectors: Sectors

    def bytes_per_time(self, observed: float) -> float:
        """All states, and what is made of them."""
        return 2 * observed + 2 * COMPLEX * sum(self.start(q).size for q in self.sectors.charges)

    @in_background
    @one_blas_thread()
    def states(self, times: Array) -> dict[int, Array]:
        """All states at `times`, (time, component) for each charge; raises as `motion`."""
        from spinsync.problems.linear.dense import propagate

        own = self.sectors
        found = {q: propagate(own.block(q), self.start(q), times, None if q else own.trace) for q in own.charges}
        check_numbers(found[0] @ own.trace, found)
        return found

    def _observed(self, times: Array, keep_state: bool) -> Observed:
        states = self.states(times)
        return self.sectors.observe(states) | (kept(states) if keep_state else {})

    def _at_rest(self) -> tuple[Sectors, Array]:
        from spinsync.problems.linear.dense import at_rest

        return self.sectors, at_rest(self.sectors.block(0), self.sectors.trace)

    def _responded(self, part: Sectors, sender: Array, frequencies: Array) -> Array:
        from spinsync.problems.linear.resolvent import response

        return response(part.block(1), None, sender, part.receiver, frequencies)

    def _lines(self, number: int) -> list[Line]:
        return few_lines(self.sectors, number)


@dataclass(frozen=True, kw_only=True)
class LinearLattice(Linear):
    """A large generator on a lattice, of which a box holds nearly all of what lasts."""

    sectors: Lattice

    @in_background
    @one_blas_thread()
    def slowest_mode(self) -> Mode:
        """The slowest mode of sector 1 on the whole lattice."""
        from spinsync.problems.linear.lattice.slowest_mode import slowest_mode

        return slowest_mode(self.sectors, self.sectors.whole)

    @in_background
    @one_blas_thread()
    def _observed(self, times: Array, keep_state: bool) -> Observed:
        from spinsync.problems.linear import krylov
        from spinsync.problems.linear.lattice.sparse_lu import afford

        own = self.sectors
        afford(own.whole, 16, krylov.MOST + len(own.charges) * keep_state, growth=2)
        runs = [krylov.motion(own.block(q), own.sites(q), self.start(q), times) for q in own.charges]
        return one_by_one(own, runs, keep_state)

    def _at_rest(self) -> tuple[Lattice, Array]:
        from spinsync.problems.linear.lattice.populations_at_rest import steady

        found = steady(self.sectors)
        return found.part, found.probability

    def _of_all(self, part: Lattice, rho: Array) -> Array:
        sites = self.sectors.sites(0)
        place = np.zeros(np.add(sites.max(axis=0), 1))
        place[*part.sites(0).T] = rho
        return np.asarray(place[*sites.T])

    def _responded(self, part: Lattice, sender: Array, frequencies: Array) -> Array:
        from spinsync.problems.linear.resolvent import response

        return response(part.block(1), part.sites(1), sender, part.receiver, frequencies)

    def _lines(self, number: int) -> list[Line]:
        from spinsync.problems.linear.lattice import lattice_lines, slowest_mode
        from spinsync.problems.linear.lattice.populations_at_rest import steady
        from spinsync.problems.linear.lattice.truncation import core

        if self.sectors.receiver.size <= slowest_mode.DENSE:
            return few_lines(self.sectors, number)
        rest = steady(self.sectors)
        boxes = [rest.box]
        if rest.probability.size > LARGE:
            boxes.insert(0, core(rest.part.sites(0), rest.probability, OUTSIDE))
        return lattice_lines.slowest(self.sectors, number, *boxes)


@dataclass(frozen=True, kw_only=True)
class LinearProducts(Linear):
    """A large generator on products of parts, whose matrix is never made."""

    sectors: OfParts

    @in_background
    @one_blas_thread()
    def _observed(self, times: Array, keep_state: bool) -> Observed:
        from spinsync.problems.linear.products.operator import afford
        from spinsync.problems.linear.products.solvers import motion

        own = self.sectors
        if keep_state:
            afford(own.parts.sizes, own.trace.size + own.receiver.size)
        runs = [motion(own.parts, q, self.start(q), times, own.trace) for q in own.charges]
        return one_by_one(own, runs, keep_state)

    def _at_rest(self) -> tuple[OfParts, Array]:
        from spinsync.problems.linear.products.solvers import steady

        return self.sectors, steady(self.sectors.parts, self.sectors.trace)

    def _responded(self, part: OfParts, sender: Array, frequencies: Array) -> Array:
        from spinsync.problems.linear.products.solvers import response

        return response(part.parts, sender, part.receiver, frequencies)

    def _lines(self, number: int) -> list[Line]:
        from spinsync.problems.linear.lattice.slowest_mode import DENSE
        from spinsync.problems.linear.products.product_lines import slowest

        size = self.sectors.receiver.size
        if size <= DENSE:
            return few_lines(self.sectors, number)
        try:
            return slowest(self.sectors.parts, self.sectors.receiver, number)
        except SlowError:
            if size > AFFORDED:
                raise
            return few_lines(self.sectors, number)
