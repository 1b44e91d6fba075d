"""The kinds of problem that a theory lowers a model to; questions and solvers are written once per kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np

from spinsync.model.rates import Array

Observed = dict[str, tuple[tuple[str, ...], Array]]  # variable -> (dims, values); "time" is the first axis of states


@dataclass(frozen=True)
class Flow:
    """dy/dt = -decay * y + nonlinear(y): a few smooth variables with fast diagonal rotation and relaxation.

    nonlinear : compiled function (y, table, coupling, out)
    tangent : the same for a state and a small deviation from it, one after the other: (y, v) -> (n(y), Dn(y) v)
    decay, start : complex arrays of shape (component,)
    table, coupling : parameters of `nonlinear`, float (row, component) and complex (group, group)
    charge : int array of shape (component,), how y turns under the U(1) symmetry
    rtol, atol : tolerances of a time step
    frame : angular frequency of the rotating frame in which y is written
    pace : about the fastest rate at which the observed variables change
    observe : states of shape (time, component), times -> variables, back in the laboratory frame
    coordinates : coordinates of the dims that `observe` names
    companion : the same flow more coarsely, where the error has to be seen from outside: a run amplifies errors
    derivative : (y, table, coupling) -> complex P, Q with n(y + v) = n(y) + P v + Q v* to first order; None: from `tangent`
    """

    nonlinear: Any
    tangent: Any
    decay: Array
    table: Array
    coupling: Array
    start: Array
    charge: Array
    rtol: float
    atol: float
    frame: float
    pace: float
    observe: Callable[[Array, Array], Observed]
    coordinates: Mapping[str, tuple[str, Array]]
    companion: Flow | None = None
    derivative: Callable[[Array, Array, Array], tuple[Array, Array]] | None = None

    def turning(self, frequency: float) -> Flow:
        """The same flow written in a frame that turns at `frequency` beside its own."""
        return replace(self, decay=self.decay - 1j * frequency * self.charge, frame=self.frame + frequency)

    def velocity(self, state: Array) -> Array:
        """dy/dt at `state`, in the frame of the flow."""
        out = np.empty_like(state)
        self.nonlinear.light(state, self.table, self.coupling, out)
        return np.asarray(out - self.decay * state)


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


@dataclass(frozen=True)
class Crowd:
    """Very many members of a few groups, which only meet in the fields that the means of the groups make.

    equation : module with the scalar functions `free`, `driven` and `swift`
    omega : frequencies of the members, one array per group
    rates : array of shape (group, 3), parameters of the equation
    coupling : complex array of shape (group, group), from means to fields
    start : array of shape (group, 3) or (member, 3)
    rtol, atol : tolerances of the means
    frame : a typical frequency
    each : whether single members are asked for
    observe : means (time, group, 3) and members (3, time, member) or None -> variables
    coordinates : coordinates of the dims that `observe` names
    flow : the same as a flow, for those who look for rest
    """

    equation: ModuleType
    omega: tuple[Array, ...]
    rates: Array
    coupling: Array
    start: Array
    rtol: float
    atol: float
    frame: float
    each: bool
    observe: Callable[[Array, Array | None], Observed]
    coordinates: Mapping[str, tuple[str, Array]]
    flow: Callable[[], Flow]


@dataclass(frozen=True)
class Walk:
    """Compiled rules of a Markov process on whole numbers, its `place`.

    rates : (place, table, out): the rate of each jump
    changes : int array of shape (jump, component), what each jump adds to the place
    look : (place, table, out): the numbers to average
    numbers : how many these are
    """

    rates: Any
    changes: Array
    look: Any
    numbers: int


@dataclass(frozen=True)
class Wave:
    """Compiled rules of quantum jumps of a pure state: amplitudes on a line, from place[-2] to place[-1].

    generator : (place, table, diagonal, up, down): d wave/dt between jumps, a tridiagonal matrix, whose columns these are
    rates : (place, wave, table, out): the rate of each jump
    jump : (which, place, wave, table, out): changes the place and writes the wave after the jump
    jumps : how many kinds of jump there are
    look : (place, wave, table, out): the numbers to average
    numbers : how many these are
    """

    generator: Any
    rates: Any
    jump: Any
    jumps: int
    look: Any
    numbers: int


@dataclass(frozen=True)
class Jumps:
    """Random trajectories whose mean is the state.

    rules, table : how a trajectory moves, and the parameters, a float array of shape (row, column)
    start : random generator -> place and wave (of length 0 for a walk) at the first time
    slowest : rate of the slowest relaxation of a spin
    grain : about the most that the jump of one spin changes in each of the variables
    observe : numbers of shape (trajectory, time, number), linear in the state -> variables (dims without trajectory)
    coordinates : coordinates of the dims that `observe` names
    rtol, atol : errors asked of inversion and correlation
    most_jumps, most_seconds : of all trajectories together (None: any time)
    """

    rules: Walk | Wave
    table: Array
    start: Callable[[np.random.Generator], tuple[Array, Array]]
    slowest: float
    grain: Mapping[str, float]
    observe: Callable[[Array], Observed]
    coordinates: Mapping[str, tuple[str, Array]]
    rtol: float
    atol: float
    most_jumps: int
    most_seconds: float | None
