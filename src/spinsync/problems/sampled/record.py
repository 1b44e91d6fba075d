"""Kinds of problem that are solved by random trajectories: what a theory fills in, and the methods that questions call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from spinsync.base.arrays import Array
from spinsync.problems.observed import Observed

if TYPE_CHECKING:
    from spinsync.problems.sampled.sampling import Recorded, Start, Trajectory

REAL = 8  # bytes


@dataclass(frozen=True, kw_only=True)
class Sampled(ABC):
    """Random trajectories, each determined by (seed, index) alone; their means are the answer, their spread its error.

    numbers : how many real numbers (observables) a trajectory records at each time
    slowest : rate of the slowest relaxation
    event_size : approximate largest change of each variable by one event of a trajectory
    observe : recorded numbers of shape (trajectory, time, number), linear in the state -> variables (dims without trajectory)
    tolerances : sizes of variables (their largest root mean squares) -> error allowed in each variable that decides when to end
    derived : means of the variables, and errors under `<name>_error` -> variables of the result
    coordinates : coordinates of the dims of these variables
    most_jumps, most_seconds : limits for all trajectories together (None: no time limit)
    warm_start : seed -> the same problem with an initial state closer to the steady state, which shortens the transient
    """

    start_decides: ClassVar[bool] = False
    stochastic: ClassVar[bool] = True

    numbers: int
    slowest: float
    event_size: Mapping[str, float]
    observe: Callable[[Array], Observed]
    tolerances: Callable[[Mapping[str, float]], Mapping[str, float]]
    derived: Callable[[Observed], Observed]
    coordinates: Mapping[str, tuple[str, Array]]
    most_jumps: int
    most_seconds: float | None
    warm_start: Callable[[int], Sampled]

    def motion(self, times: Array, seed: int) -> Observed:
        """Means over trajectories at `times`, with errors.
        Raises TooManyJumpsError, TimeLimitError or OverflowError if the first trajectories do not reach the last time."""
        from spinsync.problems.sampled.statistics import mean_motion

        return mean_motion(self, times, seed)

    def steady_state(self, seed: int) -> Observed:
        """Time averages in the steady state, with errors. Raises NoRelaxationError without relaxation; TooManyJumpsError,
        TimeLimitError or OverflowError if the first trajectories do not reach the end of the first window."""
        from spinsync.problems.sampled.statistics import mean_steady_state

        return mean_steady_state(self.warm_start(seed), seed)

    def bytes_per_time(self, observed: float) -> float:
        """One trajectory; mean, sum of squares and temporary arrays."""
        return 4 * observed + 4 * REAL * self.numbers

    @abstractmethod
    def trajectory(self, seed: int, index: int) -> Trajectory:
        """A trajectory at the first time."""

    @abstractmethod
    def advance(self, starts: Sequence[Start], times: Array, most_jumps: int, stop: Callable[[float], bool]) -> Recorded:
        """Advance trajectories from times[0] to the last time, with at most `most_jumps` jumps each.

        starts : functions that return the trajectories at times[0]; called from threads
        stop : called several times a second with the share of the work that is done; returns whether to stop
        """


@dataclass(frozen=True, kw_only=True)
class JumpProcess:
    """Compiled rules of a Markov jump process on integer vectors, the `labels` of its state.

    rates : (labels, table, out): writes the rate of each jump
    changes : int array of shape (jump, label), added to the labels by each jump
    observables : (labels, table, out): writes the numbers to average
    """

    rates: Any
    changes: Array
    observables: Any

    def advance(self, table: Array, one: Trajectory, times: Array, most: int, out: Array) -> int:
        """Advance a trajectory by up to `most` jumps and write its observables; returns the status of `run_jump_process`."""
        from spinsync.problems.sampled.jumps import run_jump_process

        return int(run_jump_process(
            self.rates, self.observables, self.changes, table, one.labels, one.count, one.clock, one.random, times, most, out
        ))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class QuantumJumps:
    """Compiled rules of quantum jumps of a state vector psi, whose nonzero components are labels[-2] to labels[-1].

    generator : (labels, table, diagonal, up, down): writes the tridiagonal matrix of d psi/dt between jumps, by columns
    rates : (labels, psi, table, out): writes the rate of each jump
    jump : (index, labels, psi, table, out): changes the labels and writes psi after the jump, not normalized
    jumps : number of different jumps
    observables : (labels, psi, table, out): writes the expectation values to average
    """

    generator: Any
    rates: Any
    jump: Any
    jumps: int
    observables: Any

    def advance(self, table: Array, one: Trajectory, times: Array, most: int, out: Array) -> int:
        """Advance a trajectory by up to `most` jumps and write its observables; returns the status of `run_quantum_jumps`."""
        from spinsync.problems.sampled.jumps import draw_jump, run_quantum_jumps

        return int(run_quantum_jumps(
            self.generator, self.rates, self.jump, self.observables, draw_jump, self.jumps, table, one.labels, one.psi,
            one.count, one.clock, one.random, times, most, out,
        ))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Jumps(Sampled):
    """Trajectories with jumps at random times, which are drawn exactly.

    rules, table : how a trajectory moves, and its parameters, a float array of shape (row, column)
    start : random generator -> initial labels and psi (of length 0 for a jump process)
    """

    rules: JumpProcess | QuantumJumps
    table: Array
    start: Callable[[np.random.Generator], tuple[Array, Array]]

    def trajectory(self, seed: int, index: int) -> Trajectory:
        from spinsync.problems.sampled.sampling import Trajectory

        random = np.random.default_rng([seed, index, 1])  # [seed, group] seeds the default initial state of all trajectories
        labels, psi = self.start(random)
        return Trajectory(labels=labels, psi=psi, random=random)

    def advance(self, starts: Sequence[Start], times: Array, most_jumps: int, stop: Callable[[float], bool]) -> Recorded:
        from spinsync.problems.sampled.sampling import advance

        return advance(self, starts, times, most_jumps, stop)


@dataclass(frozen=True, kw_only=True)
class ClassicalSpins:
    """Very many vectors of length sqrt(3) in common fields with noise, each reset at random: `samples` independent motions.

    Each motion depends on (seed, index) alone. Their mean is the answer, and their spread its error.

    samples : number of motions, at least 2
    dt : largest time step
    bounds : where the vectors of each group begin, int array of shape (group + 1,)
    start : expectation values of the vectors at the first time, shape (group, 3), or (vector, 3)
    frequency : rates of their rotation about z, shape (vector,), or (0,) if there is none
    local : time step -> rows of `spin_steps.advance` for the resets, shape (group, 4)
    coupling, noise : the field h_a = sum_b coupling_ab sum_{i in b} (x_i - i y_i)/2 + sum_k noise_ak xi_k of each group,
        complex arrays of shape (group, group) and (group, mode);
        xi_k are independent, complex, white, <xi_k(t) xi_k(t')^*> = delta
    probe : strength of the weak noise added where `noise` has no response to a field common to all groups, a rate
    slowest : rate of the slowest relaxation
    observe : sums of shape (sample, time, group, SUMS of spin_steps), vectors (sample, time, 3, vector) or None, times, means
        of the sums over many samples (time, group, SUMS) or None, whether over the same samples
        -> variables (dims without sample)
    derived : means of the variables, and errors under `<name>_error` -> variables of the result
    light : sums over all vectors, shape (..., POWERS of spin_steps) -> the intensity and its normally ordered square
    frame : angular frequency of the frame in which the vectors are followed
    coordinates : coordinates of the dims of the variables
    each : whether single vectors are observed
    """

    start_decides: ClassVar[bool] = False
    stochastic: ClassVar[bool] = True

    samples: int
    dt: float
    bounds: Array
    start: Array
    frequency: Array
    local: Callable[[float], Array]
    coupling: Array
    noise: Array
    probe: float
    slowest: float
    observe: Callable[[Array, Array | None, Array, Array | None, bool], Observed]
    derived: Callable[[Observed], Observed]
    light: Callable[[Array], tuple[Array, Array]]
    frame: float
    coordinates: Mapping[str, tuple[str, Array]]
    each: bool

    def motion(self, times: Array, seed: int) -> Observed:
        """Means over samples at `times`, with errors. Raises TooManyStepsError if there are too many time steps."""
        from spinsync.problems.sampled.spin_samples import mean_motion

        return mean_motion(self, times, seed)

    def steady_state(self, seed: int) -> Observed:
        """Time averages after relaxation, with errors. Raises NoRelaxationError without relaxation, and TooManyStepsError."""
        from spinsync.problems.sampled.spin_samples import mean_steady_state

        return mean_steady_state(self, seed)

    def response(self, frequencies: Array, seed: int) -> Observed:
        """Emission spectrum with its error. Raises NoRelaxationError, TooManyStepsError, or NarrowLineError if the line is
        too narrow to be resolved."""
        from spinsync.problems.sampled.spin_light import spectrum

        return spectrum(self, frequencies, seed)

    def photon_correlation(self, delays: Array, seed: int) -> Observed:
        """Intensity correlation g2 of the light at `delays`, with its error. Raises NoRelaxationError and TooManyStepsError."""
        from spinsync.problems.sampled.spin_light import intensity_correlation

        return intensity_correlation(self, delays, seed)

    def bytes_per_time(self, observed: float) -> float:
        """At so many times that samples are taken one by one, with their mean, sum of squares and temporary arrays."""
        from spinsync.problems.sampled.spin_samples import numbers_per_time

        return 4 * observed + 6 * REAL * numbers_per_time(self)
