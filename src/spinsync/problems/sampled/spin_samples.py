"""Samples of classical spins: their time steps, means over samples in motion and in the steady state, in threads.

A sample depends on (seed, index) alone, and samples are added up in their order, so that no result depends on the threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil
from threading import Lock

import numpy as np

from spinsync.base import progress
from spinsync.base.arrays import Array
from spinsync.base.interrupts import check_interrupt
from spinsync.base.parallel import parallel_map
from spinsync.problems.observed import Observed
from spinsync.problems.outcome import NoRelaxationError, TooManyStepsError
from spinsync.problems.sampled import spin_steps
from spinsync.problems.sampled.record import ClassicalSpins
from spinsync.problems.sampled.statistics import Means, agree, uncorrelated

MOST_STEPS = 2**31 - 1  # of a sample: its half steps are numbered by 32 bits
WORK_PER_CALL = 2_000_000  # spins times steps of one call of the kernel: some 20 ms
SPINS_PER_STEP = 100  # the work of a step besides its spins, in spins
MOST_NUMBERS = 2**22  # recorded numbers in memory at once, unless one sample has more
WINDOW = 16.0  # length of the first window of a steady state, in units of the slowest relaxation time
PER_RELAXATION = 4  # times recorded per relaxation time
MOST_RELAXATIONS = 4096.0  # after which averages end, whether they agree or not
TIMES_AT_ONCE = 64
DIGITS = 12  # time steps that agree so far are equal


@dataclass
class Sample:
    """One sample: spins (3, spin), their sums (group, 3), its index, and the number of steps so far."""

    spins: Array
    sums: Array
    index: int
    steps: int = 0


class Steps:
    """The time steps of a problem for one seed."""

    def __init__(self, problem: ClassicalSpins, seed: int) -> None:
        self.problem = problem
        # 64 bits of a hash of the seed: Philox has room for no more, and equal ones are unlikely
        self.key = np.random.SeedSequence([seed, 2]).generate_state(2, np.uint32).astype(np.uint64)
        self.size = int(problem.bounds[-1])
        self.per_call = max(1, WORK_PER_CALL // (self.size + SPINS_PER_STEP))
        self.tables = lru_cache(maxsize=2)(self._tables)
        self._lock, self.done = Lock(), 0.0

    def start(self, index: int) -> Sample:
        """A sample at the first time."""
        one = Sample(np.empty((3, self.size)), np.empty((len(self.problem.bounds) - 1, 3)), index)
        spin_steps.draw_start(self.problem.start, self.problem.bounds, index, self.key, one.spins, one.sums)
        return one

    def division(self, duration: float) -> tuple[int, float]:
        """Number and length of equal steps."""
        number = max(1, ceil(min(duration / self.problem.dt - 1e-9, 2.0 * MOST_STEPS)))
        return number, float(f"{duration / number:.{DIGITS}e}")

    def _tables(self, step: float) -> tuple[Array, Array]:
        angles = self.problem.frequency * step
        return self.problem.local(step), np.stack([np.cos(angles), np.sin(angles)])

    def advance(self, one: Sample, number: int, step: float, series: bool = False) -> tuple[Array, Array]:
        """Advance a sample; returns sums of coherences (step + 1, group) and noise (step, mode), empty unless `series`."""
        problem = self.problem
        with self._lock:
            local, phases = self.tables(step)
        groups, modes = problem.noise.shape
        coherences = np.empty((number + 1 if series else 0, groups), complex)
        increments = np.empty((number if series else 0, modes), complex)
        for first in range(0, number, self.per_call):
            check_interrupt()
            steps = min(self.per_call, number - first)
            spin_steps.advance(
                one.spins, problem.bounds, phases, local, problem.coupling, problem.noise, step, steps, one.steps, one.index,
                self.key, one.sums, coherences[first : first + steps + 1] if series else coherences,
                increments[first : first + steps] if series else increments,
            )  # fmt: skip
            one.steps += steps
            with self._lock:
                self.done += steps * step
        return coherences, increments

    def sums(self, one: Sample) -> Array:
        """SUMS of the groups, (group, 9)."""
        out = np.empty((len(one.sums), len(spin_steps.SUMS)))
        spin_steps.add_up(one.spins, self.problem.bounds, out)
        return out

    def watch(self, duration: float) -> Callable[[], None]:
        """Reports the completed share of samples that take `duration` together."""
        return lambda: progress.report(min(self.done / duration, 1.0)) if self.done else None


def check_steps(number: float) -> None:
    """Raise TooManyStepsError if there are too many steps of a sample."""
    if not number <= MOST_STEPS:
        raise TooManyStepsError(MOST_STEPS)


def numbers_per_time(problem: ClassicalSpins) -> int:
    """Numbers that a sample records at one time, with those computed from them."""
    groups, spins = len(problem.bounds) - 1, int(problem.bounds[-1])
    return 9 * groups + 8 * groups**2 + (6 * spins if problem.each else 0)


def at_once(problem: ClassicalSpins, times: int) -> int:
    """Number of samples that are recorded at once."""
    return max(1, min(problem.samples, MOST_NUMBERS // (times * numbers_per_time(problem))))


def no_events(observed: Observed) -> dict[str, float]:
    """The means of continuous noise have no smallest error by a single event."""
    return dict.fromkeys(observed, 0.0)


def with_errors(problem: ClassicalSpins, means: Means) -> Observed:
    """Means and errors as variables of the result."""
    out: Observed = {}
    for name, dims in means.dims.items():
        out[name], out[f"{name}_error"] = (dims, means.mean[name]), (dims, means.error(name))
    return problem.derived(out)


def mean_motion(problem: ClassicalSpins, times: Array, seed: int) -> Observed:
    """`ClassicalSpins.motion`."""
    steps = Steps(problem, seed)
    check_steps(sum(steps.division(float(one))[0] for one in np.diff(times)))
    intervals = [steps.division(float(one)) for one in np.diff(times)]

    def record(index: int) -> tuple[Array, Array | None]:
        one, sums = steps.start(index), np.empty((len(times), len(problem.bounds) - 1, len(spin_steps.SUMS)))
        spins = np.empty((len(times), 3, steps.size)) if problem.each else None
        for k in range(len(times)):
            if k:
                steps.advance(one, *intervals[k - 1])
            sums[k] = steps.sums(one)
            if spins is not None:
                spins[k] = one.spins
        return sums, spins

    reference: Array | None = None
    means, batch = Means(event_size={}, weight=np.zeros(())), at_once(problem, len(times))
    watch = steps.watch(float(times[-1] - times[0]) * problem.samples or 1.0)
    for first in range(0, problem.samples, batch):
        recorded = parallel_map(record, range(first, min(first + batch, problem.samples)), watch)
        spins = np.stack([one for _, one in recorded if one is not None]) if problem.each else None
        sums = np.stack([one for one, _ in recorded])
        own = reference is None
        reference = sums.mean(axis=0) if reference is None else reference
        observed = problem.observe(sums, spins, times, reference, own)
        means = replace(means, event_size=no_events(observed))
        means.add(observed)
    return with_errors(problem, means)


def windows(problem: ClassicalSpins) -> Iterator[float]:
    """Lengths of successive windows: each is as long as all before it together."""
    span, total = WINDOW / problem.slowest, 0.0
    while total < MOST_RELAXATIONS / problem.slowest:
        yield span
        span, total = (span if total == 0 else 2 * span), total + span


def window_averages(steps: Steps, samples: list[Sample], span: float) -> Observed:
    """Time averages of the variables of each sample over a window, in which the samples advance."""
    problem = steps.problem
    number = max(int(PER_RELAXATION * span * problem.slowest), 1)
    division = steps.division(span / number)

    def average(one: Sample) -> Observed:
        total: Observed = {}
        for first in range(0, number, TIMES_AT_ONCE):
            sums = np.empty((1, min(TIMES_AT_ONCE, number - first), len(problem.bounds) - 1, len(spin_steps.SUMS)))
            for k in range(sums.shape[1]):
                steps.advance(one, *division)
                sums[0, k] = steps.sums(one)
            observed = problem.observe(sums, None, np.zeros(sums.shape[1]), None, False)
            for name, (dims, values) in observed.items():
                before = total[name][1] if name in total else 0.0
                total[name] = dims[1:], before + values[0].sum(axis=0) / number
        return total

    found = parallel_map(average, samples, steps.watch((steps.done / len(samples) + span) * len(samples)))
    return {name: (dims, np.stack([one[name][1] for one in found])) for name, (dims, _) in found[0].items()}


def relaxed(problem: ClassicalSpins, steps: Steps) -> tuple[list[Sample], Means, bool]:
    """Samples in the steady state, the means over the last window, and whether the last two windows agree.

    The spread of time averages between samples is their error, whatever their correlation in time.
    """
    if problem.slowest <= 0:
        raise NoRelaxationError
    check_steps(2 * MOST_RELAXATIONS / problem.slowest / problem.dt)
    samples = parallel_map(steps.start, range(problem.samples))
    before: tuple[Means, Observed] | None = None
    means, done = Means(event_size={}, weight=np.zeros(())), False
    for k, span in enumerate(windows(problem)):
        averages = window_averages(steps, samples, span)
        averages.pop("coherence", None)  # its phase is free
        means = Means(event_size=no_events(averages), weight=np.zeros(()))
        means.add(averages)
        done = before is not None and agree(before[0], means, averages) and uncorrelated(before[1], averages, averages)
        if done:
            break
        before = (means, averages) if k else None  # the first window is the transient
    return samples, means, done


def mean_steady_state(problem: ClassicalSpins, seed: int) -> Observed:
    """`ClassicalSpins.steady_state`."""
    _, means, done = relaxed(problem, Steps(problem, seed))
    return with_errors(problem, means) | {"converged": ((), np.array(done))}
