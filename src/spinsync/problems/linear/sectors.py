"""Generators of linear master equations by U(1) charge: the interface between theories and solvers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from spinsync.base.arrays import Array
from spinsync.problems.observed import Observed


class Sectors(Protocol):
    """d rho_q/dt = L_q rho_q: one block of the generator for each charge q, the coherence order, of a U(1) symmetry.

    charges : charges that `observe` gets of a state, from which it computes all variables that they determine
    trace : covector of sector 0, trace . rho_0 = 1
    observable : covector of sector 1 whose mean, observable . rho_1, lines and responses describe; Tr(A rho) of a matrix A
    intensity : covector of sector 0, Tr(A^+ A rho) for the same A
    """

    @property
    def charges(self) -> tuple[int, ...]: ...

    @property
    def trace(self) -> Array: ...

    @property
    def observable(self) -> Array: ...

    @property
    def intensity(self) -> Array: ...

    def with_charges(self, charges: tuple[int, ...]) -> Self:
        """The same for states of these charges."""

    def size(self, q: int) -> int:
        """Number of components of sector q."""

    def block(self, q: int) -> Any:
        """The sparse matrix L_q."""

    def source(self, rho: Array) -> Array:
        """Initial vector of sector 1 for the linear response of the state rho_0 (quantum regression)."""

    def detected(self, rho: Array) -> Array:
        """A rho_0 A^+, which is again of sector 0: the state after a detection, with the intensity as its trace."""

    def observe(self, states: Mapping[int, Array]) -> Observed:
        """Variables from {q: states of shape (time, component)}."""

    def density_eigenvalues(self, rho: Array) -> tuple[Array, Array]:
        """Eigenvalues of the density matrix rho_0, each times its multiplicity, and the logarithms of the multiplicities."""


@dataclass(frozen=True)
class Window:
    """Truncation window of a lattice: sites (row, column) from `low` to `high`, both included."""

    low: tuple[int, int]
    high: tuple[int, int]


class Lattice(Sectors, Protocol):
    """Sectors whose components are sites of a plane lattice with coupling of nearest neighbours, diagonal ones included.

    window, full_window : the sites that it holds, and all sites
    initial_window : first guess of a window that holds the steady state
    reference_site : a site with a high probability in the steady state
    """

    @property
    def window(self) -> Window: ...

    @property
    def full_window(self) -> Window: ...

    @property
    def initial_window(self) -> Window: ...

    @property
    def reference_site(self) -> tuple[int, int]: ...

    def sites(self, q: int) -> Array:
        """Sites of the components of sector q, int array of shape (component, 2)."""

    def truncated(self, window: Window) -> Self:
        """The generator restricted to the sites of a window; probability that leaves the window is lost."""


@dataclass(frozen=True)
class CouplingTerm:
    """Coupling terms that raise the charge of subsystem `up` by 1 and lower that of subsystem `down` by 1.

    factors : charges of `up` and `down` -> pairs of sparse matrices, one for each subsystem; the term is their tensor product
    """

    up: int
    down: int
    factors: Callable[[int, int], Sequence[tuple[Any, Any]]]


@dataclass(frozen=True)
class Subsystems:
    """Generator of coupled subsystems on the tensor product of their spaces. Only the sum of their charges is conserved.

    sizes : for each subsystem an int array of shape (2 most + 1,), the number of components with charge -most to most
    local : subsystem, charge -> sparse matrix, the generator of the subsystem alone; conjugate for opposite charges
    couplings : coupling terms of the subsystems
    unique : whether the steady state is known to be unique
    """

    sizes: tuple[Array, ...]
    local: Callable[[int, int], Any]
    couplings: tuple[CouplingTerm, ...]
    unique: bool


class ProductSectors(Sectors, Protocol):
    """Sectors of coupled subsystems; `block` assembles the matrix, for small ones only."""

    @property
    def subsystems(self) -> Subsystems: ...
