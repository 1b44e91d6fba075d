"""Generators by charge: what a theory fills in, whole or as parts, and solvers take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from spinsync.base.arrays import Array
from spinsync.problems.observed import Observed


class Sectors(Protocol):
    """d rho_q/dt = L_q rho_q: a generator by charge q of the U(1) symmetry, and what is asked of its states.

    charges : those that `observe` needs
    trace : covector of sector 0 whose product with rho_0 is 1
    receiver : covector of sector 1 whose product with rho_1 is the mean that lines and responses show
    """

    @property
    def charges(self) -> tuple[int, ...]: ...

    @property
    def trace(self) -> Array: ...

    @property
    def receiver(self) -> Array: ...

    def block(self, q: int) -> Any:
        """The sparse matrix L_q."""

    def sender(self, rho: Array) -> Array:
        """The vector of sector 1 with which the response of the state rho_0 begins."""

    def observe(self, states: Mapping[int, Array]) -> Observed:
        """Variables of {q: states of shape (time, component)}."""

    def mixture(self, rho: Array) -> tuple[Array, Array]:
        """Eigenvalues of rho_0, each times its number of copies, and the logarithms of these numbers."""


@dataclass(frozen=True)
class Box:
    """Places (row, column) from `low` to `high`, both included."""

    low: tuple[int, int]
    high: tuple[int, int]


class Lattice(Sectors, Protocol):
    """Sectors whose components live in a plane where only next neighbours (diagonals too) couple; or a part of them.

    whole : all places
    likely : where to look first for the steady state
    middle : a place at which the steady state is not rare
    """

    @property
    def whole(self) -> Box: ...

    @property
    def likely(self) -> Box: ...

    @property
    def middle(self) -> tuple[int, int]: ...

    def sites(self, q: int) -> Array:
        """Places of the components of sector q, int array of shape (component, 2)."""

    def cut(self, box: Box) -> Self:
        """The part on the places within the box; what leaves the box is lost."""


@dataclass(frozen=True)
class Transfer:
    """Terms that move one charge from part `down` to part `up`.

    products : charges of `up` and `down` -> pairs of sparse matrices, into charge + 1 of `up` and charge - 1 of `down`
    """

    up: int
    down: int
    products: Callable[[int, int], Sequence[tuple[Any, Any]]]


@dataclass(frozen=True)
class Parts:
    """A generator on products of vectors, one of each part, each with its charge; only the sum of charges is conserved.

    sizes : of each part, int array of shape (2 most + 1,), components with charge -most to most
    local : part, charge -> sparse matrix, what the part does by itself; of the opposite charge it is the conjugate
    transfers : what couples the parts
    mixing : whether the steady state is known to be the only one
    """

    sizes: tuple[Array, ...]
    local: Callable[[int, int], Any]
    transfers: tuple[Transfer, ...]
    mixing: bool


class OfParts(Sectors, Protocol):
    """Sectors of a generator on products; `block` is made for small ones only."""

    @property
    def parts(self) -> Parts: ...
