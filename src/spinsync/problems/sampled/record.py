"""Random trajectories: what a theory fills in, and solvers take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.problems.observed import Observed


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
