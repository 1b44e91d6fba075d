"""Linear master equations: what a theory fills in, and solvers take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spinsync.base.arrays import Array
from spinsync.problems.observed import Observed


@dataclass(frozen=True)
class Box:
    """Places (row, column) from `low` to `high`, both included."""

    low: tuple[int, int]
    high: tuple[int, int]


@dataclass(frozen=True)
class Lattice:
    """Where the components of a Linear live, if they live in a plane and only next neighbours (diagonals too) couple.

    sites : q -> int array of shape (component, 2), places of the components
    whole : all places
    likely : where to look first for the steady state
    middle : a place at which the steady state is not rare
    cut : box -> the problem on the places within the box; what leaves the box is lost
    """

    sites: Callable[[int], Array]
    whole: Box
    likely: Box
    middle: tuple[int, int]
    cut: Callable[[Box], Linear]


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


@dataclass(frozen=True)
class Linear:
    """d rho_q/dt = L_q rho_q: one sparse block per charge q of the U(1) symmetry.

    block : q -> sparse matrix L_q
    start : q -> vector rho_q at the first time
    charges : the charges that `observe` needs
    trace : covector of sector 0 whose product with rho_0 is 1
    observe : {q: states of shape (time, component)} -> variables
    coordinates : coordinates of the dims that `observe` names
    lowered : rho_0 -> rho_0 J_+, a vector of sector 1
    lowering : covector of sector 1 whose product with rho_1 is <J_->
    mixture : rho_0 -> its eigenvalues, each times its number of copies, and the logarithms of these numbers
    lattice : where the components live, if in a plane
    parts : what the generator is made of, if of products; `block` is then made for small problems only
    """

    block: Callable[[int], Any]
    start: Callable[[int], Array]
    charges: tuple[int, ...]
    trace: Array
    observe: Callable[[Mapping[int, Array]], Observed]
    coordinates: Mapping[str, tuple[str, Array]]
    lowered: Callable[[Array], Array]
    lowering: Array
    mixture: Callable[[Array], tuple[Array, Array]]
    lattice: Lattice | None = None
    parts: Parts | None = None
