"""What `follow` asks of those who move points, and how long it is patient with them, whoever moves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from spinsync.base.arrays import Array, Batched
from spinsync.base.progress import ProgressLine
from spinsync.model.distributions import Distribution
from spinsync.model.rates import Rates
from spinsync.problems.flow.approach import Approach
from spinsync.regimes.decision import Window
from spinsync.regimes.summary import Motions

#: Times are in units of the slowest relaxation time of a point.
STRETCH = 20.0  # the first look at whether a motion comes to rest; each of the next is after as long again as it has moved
SHORT, NEARING = 160.0, 2000.0  # time to come to rest before averages are taken; and of what comes nearer to rest meanwhile
MANY = 25  # groups of a network, which comes to rest slowly, but is dearer to measure than to move: it has that time anyway
FIRST = 20.0  # the first window of averages; each further one is twice as long
LONGEST = 10.0  # period that is looked for
IRREGULAR_AFTER = 600.0  # transients can be irregular too
CREEP = 3  # windows after which a motion that seems to come to rest is tried with long implicit steps, and again
PATIENCE = 3e6  # all windows together
MOST_WORK = 2e9  # time steps of all windows of a point together, times what each takes: about a floating-point operation
FINER = 10.0  # factor by which the steps of averages are more exact than asked for


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Points to find the motion of: rates of batch shape (point,), what all of them share, and the common start.

    theory : gives the flow of a point, and the equation that kernels are made from if it has one
    rtol, atol : accuracy, as the theory says it
    """

    rates: Rates
    spread: tuple[Distribution | None, ...]
    names: tuple[str, ...]
    initial: Array
    theory: Any
    rtol: float = 1e-6
    atol: float = 1e-8
    line: ProgressLine | None = None  # that tells how far it is


@dataclass(kw_only=True)
class Points(Batched):
    """Points that are not decided yet, (point, ...).

    index : places among all points
    state, tangent : as their mover lays them out, (point, component); tangent vectors from the first window on
    slowest, fastest : rates of relaxation
    detuning : the largest difference of natural frequencies
    time : how long they have moved, in units of the slowest relaxation time; of windows first without, then alone
    steps : time steps of their windows
    wait : time after which another look may tell more, where that is known; else inf
    """

    index: Array
    state: Array
    tangent: Array
    slowest: Array
    fastest: Array
    detuning: Array
    approach: Approach
    time: Array
    steps: Array
    wait: Array


class Look(ABC):
    """The fixed points that Newton's method found near the states of some points.

    distance : (point,), beside the largest charged component; inf where there is none, 0 where all charge fades
    """

    distance: Array

    @abstractmethod
    def growth(self, chosen: Array) -> Array:
        """The largest growth rates of deviations from the chosen fixed points; NaN where it isn't known."""

    @abstractmethod
    def perturbed(self, chosen: Array) -> Array:
        """States beside the chosen fixed points, NEAR them along the deviation that grows fastest."""

    @abstractmethod
    def resting(self, chosen: Array, growth: Array) -> Motions:
        """What the points do that rest there."""

    def wait(self, approach: Approach) -> Array:
        """The time after which the points should have come CLOSER; inf where that isn't known."""
        return np.full(len(self.distance), np.inf)


P = TypeVar("P", bound=Points)


class Mover(ABC, Generic[P]):
    """Moves points in place and measures them. What a mover cannot do, it answers with nothing.

    groups : number of them
    attempts : to find motion that repeats itself, before averages are taken; shares of LONGEST
    """

    groups: int
    attempts: tuple[float, ...] = ()

    @abstractmethod
    def shared(self, work: Callable[[Mover[P], P], P]) -> list[P]:
        """work(mover, points) for all points at their start, some at a time."""

    @abstractmethod
    def tell(self, points: P) -> None:
        """Tell somebody who waits how far it is: these points go on."""

    @abstractmethod
    def size(self, points: P) -> Array:
        """The largest charged component of each."""

    @abstractmethod
    def budget(self, points: P) -> Array:
        """Time steps that the windows of each may take together."""

    @abstractmethod
    def advance(self, points: P, spans: Array) -> Array:
        """Move on by `spans`; which have come to the end."""

    @abstractmethod
    def look(self, points: P, fading: Array) -> Look:
        """The fixed points nearby; of what is `fading` the one without any charge, if that is stable or the point has none."""

    @abstractmethod
    def measure(self, points: P, spans: Array) -> tuple[Window, Array, Array]:
        """Move on by `spans` with tangent vectors: averages, steps taken, and which have come to the end."""

    @abstractmethod
    def creep(self, points: P, spans: Array) -> Array:
        """Move slow points on by long `spans`; which have come to the end, the others stay where they are."""

    @abstractmethod
    def orbits(self, points: P, longest: Array) -> Motions:
        """Points that repeat themselves within `longest`, which are moved on to see it; the others UNDECIDED."""

    @abstractmethod
    def beats(self, window: Window) -> tuple[Array, Window]:
        """Which of the points just measured show two equal beats at the end, and averages over these."""

    @abstractmethod
    def periods(self, points: P, found: Motions) -> None:
        """Add the periods of motions that averages have shown to be regular, and the range of the order parameter."""
