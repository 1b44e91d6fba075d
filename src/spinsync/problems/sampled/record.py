"""Random trajectories whose mean is the state: what a theory fills in, and what is asked of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from spinsync.base.arrays import Array
from spinsync.problems.observed import Observed

if TYPE_CHECKING:
    from spinsync.problems.sampled.sampling import Advance, Start, Traveller

REAL = 8  # bytes


@dataclass(frozen=True, kw_only=True)
class Sampled(ABC):
    """Trajectories that depend on (seed, index) alone; their statistics need no more than this.

    numbers : how many numbers a trajectory shows at each time
    slowest : rate of the slowest relaxation
    grain : about the most that one event changes in each of the variables
    observe : numbers of shape (trajectory, time, number), linear in the state -> variables (dims without trajectory)
    asked : sizes of variables, their largest root mean squares -> the error allowed in each of those that decide
    derived : means of the variables, and errors under `<name>_error` -> what the result shows
    coordinates : coordinates of the dims of that
    most_jumps, most_seconds : of all trajectories together (None: any time)
    nearer : seed -> the same from a start that is nearer to rest, which only shortens the way there
    """

    start_decides: ClassVar[bool] = False
    stochastic: ClassVar[bool] = True

    numbers: int
    slowest: float
    grain: Mapping[str, float]
    observe: Callable[[Array], Observed]
    asked: Callable[[Mapping[str, float]], Mapping[str, float]]
    derived: Callable[[Observed], Observed]
    coordinates: Mapping[str, tuple[str, Array]]
    most_jumps: int
    most_seconds: float | None
    nearer: Callable[[int], Sampled]

    def motion(self, times: Array, seed: int) -> Observed:
        """Means over trajectories at `times`, with errors.
        Raises TooManyJumpsError, TimeLimitError or OverflowError if the first trajectories do not arrive."""
        from spinsync.problems.sampled.statistics import mean_motion

        return mean_motion(self, times, seed)

    def steady_state(self, seed: int) -> Observed:
        """Time averages over trajectories at rest, with errors. Raises NoRelaxationError, TooManyJumpsError, TimeLimitError or
        OverflowError if there is no rest, or the first trajectories do not arrive."""
        from spinsync.problems.sampled.statistics import mean_at_rest

        return mean_at_rest(self.nearer(seed), seed)

    def bytes_per_time(self, observed: float) -> float:
        """One trajectory; mean, sum of squares and what is made of them."""
        return 4 * observed + 4 * REAL * self.numbers

    @abstractmethod
    def trajectory(self, seed: int, index: int) -> Traveller:
        """A trajectory at the first time."""

    @abstractmethod
    def travel(self, begin: Sequence[Start], times: Array, most: int, enough: Callable[[float], bool]) -> Advance:
        """Move trajectories from times[0] to the last, `most` jumps each at most.

        begin : give the trajectories, where they are at times[0]; called from threads
        enough : is told now and then which share of the way is done, and says whether to stop
        """


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Compiled rules of a Markov process on whole numbers, its `place`.

    rates : (place, table, out): the rate of each jump
    changes : int array of shape (jump, component), what each jump adds to the place
    look : (place, table, out): the numbers to average
    """

    rates: Any
    changes: Array
    look: Any

    def move(self, table: Array, one: Traveller, times: Array, most: int, out: Array) -> int:
        """Move a trajectory on, write what it shows: the status of `walk`."""
        from spinsync.problems.sampled.jumps import walk

        return int(walk(
            self.rates, self.look, self.changes, table, one.place, one.count, one.clock, one.random, times, most, out
        ))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Wave:
    """Compiled rules of quantum jumps of a pure state: amplitudes on a line, from place[-2] to place[-1].

    generator : (place, table, diagonal, up, down): d wave/dt between jumps, a tridiagonal matrix, whose columns these are
    rates : (place, wave, table, out): the rate of each jump
    jump : (which, place, wave, table, out): changes the place and writes the wave after the jump
    jumps : how many kinds of jump there are
    look : (place, wave, table, out): the numbers to average
    """

    generator: Any
    rates: Any
    jump: Any
    jumps: int
    look: Any

    def move(self, table: Array, one: Traveller, times: Array, most: int, out: Array) -> int:
        """Move a trajectory on, write what it shows: the status of `unravel`."""
        from spinsync.problems.sampled.jumps import chosen, unravel

        return int(unravel(
            self.generator, self.rates, self.jump, self.look, chosen, self.jumps, table, one.place, one.wave, one.count,
            one.clock, one.random, times, most, out,
        ))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Jumps(Sampled):
    """Jumps at random times, drawn exactly.

    rules, table : how a trajectory moves, and the parameters, a float array of shape (row, column)
    start : random generator -> place and wave (of length 0 for a walk) at the first time
    """

    rules: Walk | Wave
    table: Array
    start: Callable[[np.random.Generator], tuple[Array, Array]]

    def trajectory(self, seed: int, index: int) -> Traveller:
        from spinsync.problems.sampled.sampling import Traveller

        random = np.random.default_rng([seed, index, 1])  # [seed, group] draws the default start of all
        place, wave = self.start(random)
        return Traveller(place=place, wave=wave, random=random)

    def travel(self, begin: Sequence[Start], times: Array, most: int, enough: Callable[[float], bool]) -> Advance:
        from spinsync.problems.sampled.sampling import advance

        return advance(self, begin, times, most, enough=enough)
