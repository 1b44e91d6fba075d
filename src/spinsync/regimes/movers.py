"""The interface of a mover, which advances points and averages their motion, and the constants of `follow` for every mover."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from spinsync.base.arrays import Array, Batched
from spinsync.model.distributions import Distributions
from spinsync.model.rates import Rates
from spinsync.problems.flow.approach import Approach
from spinsync.regimes.decision import Window
from spinsync.regimes.summary import Motions

#: Times are in units of the longest relaxation time of a point.
FIRST_CHECK = 20.0  # time of the first convergence test; each later one follows when the time has doubled
APPROACH_TIME = 160.0  # time to converge to a fixed point before averages are taken
MAX_APPROACH_TIME = 2000.0  # the same for points that are expected to converge within this time, and for large networks
MANY_GROUPS = 25  # groups of a large network: it converges slowly, and averaging costs more than advancing
FIRST_WINDOW = 20.0  # length of the first window; each further window is twice as long
MAX_PERIOD = 10.0  # longest period that the search for periodic orbits tries
IRREGULAR_AFTER = 600.0  # time before which irregular motion may be a transient
IMPLICIT_EVERY = 3  # windows between two attempts to reach a fixed point by long implicit steps
MAX_TIME = 3e6  # sum of the lengths of all windows
MAX_WORK = 2e9  # time steps of all windows of a point times the work of a step, in units of about a floating-point operation
AVERAGING_ACCURACY = 10.0  # factor by which the tolerances are tightened while averages are taken


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Points whose long-time motion is to be found: their rates, of batch shape (point,), and what all points share.

    initial : Bloch vectors at the start, (group, 3)
    theory : makes the flow of a point; its `equation`, if it has one, is compiled into the kernels
    rtol, atol : tolerances of the theory
    total : points of the whole diagram, None if these are all: what is computed depends on it, not on the size of a batch
    """

    rates: Rates
    distributions: Distributions
    names: tuple[str, ...]
    initial: Array
    theory: Any
    rtol: float = 1e-6
    atol: float = 1e-8
    total: int | None = None

    @property
    def points_of_diagram(self) -> int:
        return self.total or len(self.rates.weight)


@dataclass(kw_only=True)
class Points(Batched):
    """Points that are not decided yet; the first axis of each array is the point.

    index : positions among all points
    state, tangent : (point, component), in the order of the mover; tangent vectors exist from the first window on
    slowest, fastest : relaxation rates
    detuning : the largest difference of natural frequencies
    time : time advanced, in units of the longest relaxation time: before the windows, then the sum of the windows
    steps : time steps of all windows
    wait : expected time until the next convergence test succeeds; inf if unknown
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


class NearbyFixedPoints(ABC):
    """The fixed points that Newton's method found near the states of some points.

    distance : (point,), in units of the largest charged component (one that rotates with the common phase, as coherences do);
        inf if none was found, 0 if all coherence decays
    """

    distance: Array

    @abstractmethod
    def growth(self, chosen: Array) -> Array:
        """The largest growth rate of perturbations of each chosen fixed point, (point,); NaN if unknown."""

    @abstractmethod
    def perturbed(self, chosen: Array) -> Array:
        """States at the distance NEAR from the chosen fixed points, along their fastest growing perturbations."""

    @abstractmethod
    def motions(self, chosen: Array, growth: Array) -> Motions:
        """The motions of the points that are at the chosen fixed points."""

    def wait(self, approach: Approach) -> Array:
        """The time after which the distances should have shrunk by the factor CLOSER, (point,); inf if unknown."""
        return np.full(len(self.distance), np.inf)


P = TypeVar("P", bound=Points)


class Mover(ABC, Generic[P]):
    """Advances points in place and averages their motion. A method that a mover does not support returns an empty answer.

    groups : number of groups
    attempts : searches for periodic orbits before averages are taken, each up to this share of MAX_PERIOD
    """

    groups: int
    attempts: tuple[float, ...] = ()

    @abstractmethod
    def in_chunks(self, work: Callable[[Mover[P], P], P]) -> list[P]:
        """The results of work(mover, points) for chunks of the points at their initial states."""

    @abstractmethod
    def report(self, points: P) -> None:
        """Show the progress: these points are still undecided."""

    @abstractmethod
    def size(self, points: P) -> Array:
        """The largest charged component (coherence) of each point, (point,)."""

    @abstractmethod
    def max_steps(self, points: P) -> Array:
        """The largest number of time steps that all windows of a point may take together, (point,)."""

    @abstractmethod
    def advance(self, points: P, spans: Array) -> Array:
        """Advance the states by the times `spans`; which points reached the end, (point,)."""

    @abstractmethod
    def find_fixed_points(self, points: P, fading: Array) -> NearbyFixedPoints:
        """Nearby fixed points; for points marked `fading`, the incoherent one if it is stable or the point has no coherence."""

    @abstractmethod
    def measure(self, points: P, spans: Array) -> tuple[Window, Array, Array]:
        """Advance states and tangent vectors by `spans`: averages, steps taken, and which points reached the end."""

    @abstractmethod
    def advance_implicitly(self, points: P, spans: Array) -> Array:
        """Advance slow points by long `spans`; which reached the end, (point,). The others keep their states."""

    @abstractmethod
    def find_orbits(self, points: P, longest: Array) -> Motions:
        """Motions with periods up to `longest`; UNDECIDED where there is none. The search advances the points."""

    @abstractmethod
    def find_beats(self, window: Window) -> tuple[Array, Window]:
        """Which of the points just measured end with two equal beats, (point,), and averages over these beats."""

    @abstractmethod
    def add_periods(self, points: P, found: Motions) -> None:
        """Add the period, and the range of the order parameter, to motions that averages have shown to be regular."""
