"""Means over random trajectories and their statistical errors, which decide how many trajectories are run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from scipy.special import stdtrit

from spinsync.base.arrays import Array
from spinsync.problems.observed import Observed
from spinsync.problems.outcome import NoRelaxationError, TooManyJumpsError
from spinsync.problems.sampled.budgets import Budget
from spinsync.problems.sampled.jumps import DONE, TOO_LARGE, TOO_MANY
from spinsync.problems.sampled.record import Sampled
from spinsync.problems.sampled.sampling import Recorded, Start, Trajectory

FIRST_ROUND = 16  # trajectories: their errors are known to 18 percent
GROWTH = 4  # a round adds one trajectory to this many, or the estimated number that is missing, if that is less
MOST_NUMBERS = 2**24  # recorded numbers in memory at once, unless one trajectory has more
WINDOW, SAMPLES = 3.0, 64  # length of the first window in units of the slowest relaxation time, and number of times in it
MOST_DIFFERENCE = 2.5  # root mean square difference of successive windows, in units of their errors
MOST_CORRELATION = 0.5  # of one window with the next one
ONE_SIGMA = 0.8413447460685429  # the normal distribution function at one standard deviation
MINOR_AXIS = 1.3  # see `Means.error`


@dataclass(kw_only=True)
class Means:
    """Running means over samples and sums of squared deviations from them (T. F. Chan, G. H. Golub, R. J. LeVeque, 1979).

    event_size : approximate change of each variable by one event of a trajectory
    weight : factor of this size in the samples, a scalar or an array of shape (time,)
    square, pseudo_square, largest : sums of |x - mean|^2 and of (x - mean)^2; approximate largest |x - mean|
    """

    event_size: Mapping[str, float]
    weight: Array
    count: int = 0
    dims: dict[str, tuple[str, ...]] = field(default_factory=dict)
    mean: dict[str, Array] = field(default_factory=dict)
    square: dict[str, Array] = field(default_factory=dict)
    pseudo_square: dict[str, Array] = field(default_factory=dict)
    largest: dict[str, Array] = field(default_factory=dict)

    def add(self, observed: Observed) -> None:
        """Add samples, along the first axis."""
        for name, (dims, values) in observed.items():
            n, centre = len(values), values.mean(axis=0)
            square, pseudo_square = np.sum(abs(values - centre) ** 2, axis=0), np.sum((values - centre) ** 2, axis=0)
            if name in self.mean:
                distance, share = centre - self.mean[name], self.count * n / (self.count + n)
                square = square + self.square[name] + abs(distance) ** 2 * share
                pseudo_square = pseudo_square + self.pseudo_square[name] + distance**2 * share
                centre = self.mean[name] + distance * n / (self.count + n)
            largest = np.maximum(np.max(abs(values - centre), axis=0), self.largest.get(name, 0))
            self.dims[name], self.mean[name], self.largest[name] = dims, centre, largest
            self.square[name], self.pseudo_square[name] = square, pseudo_square
        self.count += n

    def error(self, name: str) -> Array:
        """Distance from the exact value that the mean does not exceed with a probability of 68 percent, equation (9.16).

        For a real variable this is the standard error, with Student's factor. For a complex one it is sqrt(a + 1.3 b) with the
        variances a >= b along the principal axes, right to one percent for every b / a. Where at most one sample differs from
        the others, events are rare, and the error is at least that of one event among the samples.
        """
        square, pseudo_square = self.square[name], abs(self.pseudo_square[name])
        weight = self.weight.reshape(-1, *[1] * (square.ndim - 1)) if self.weight.ndim else self.weight
        variance = ((square + pseudo_square) + MINOR_AXIS * (square - pseudo_square)) / (2 * self.count * (self.count - 1))
        student = stdtrit(self.count - 1, ONE_SIGMA)
        single = square <= 2 * self.largest[name] ** 2
        event = np.where(single, self.event_size[name] * weight / self.count, 0)
        return np.asarray(np.maximum(student * np.sqrt(variance), event))

    def sizes(self) -> dict[str, float]:
        """Root mean square over samples of each variable, the largest of all its elements."""
        squares = {name: abs(mean) ** 2 + self.square[name] / self.count for name, mean in self.mean.items()}
        return {name: float(np.sqrt(np.max(np.nan_to_num(square)))) for name, square in squares.items()}  # NaN: no pair

    def error_ratio(self, tolerances: Mapping[str, float]) -> float:
        """The largest error divided by its tolerance."""
        return float(max(np.max(np.nan_to_num(self.error(name))) / allowed for name, allowed in tolerances.items()))

    def observed(self, problem: Sampled, converged: bool) -> Observed:
        """The variables of the result."""
        out: Observed = {}
        for name, dims in self.dims.items():
            out[name], out[f"{name}_error"] = (dims, self.mean[name]), (dims, self.error(name))
        return problem.derived(out) | {"trajectories": ((), np.array(self.count)), "converged": ((), np.array(converged))}


def _advanced(problem: Sampled, starts: list[Start], times: Array, first: bool, budget: Budget) -> Recorded:
    """Recorded numbers of trajectories; raises TooManyJumpsError or OverflowError if one fails.

    In the first round each may take an equal share of the allowed jumps. Later the total is checked between rounds, so that
    one trajectory with many jumps among others with few is no failure.
    """
    most = problem.most_jumps // FIRST_ROUND if first else problem.most_jumps
    found = problem.advance(starts, times, most, budget.report)
    if found.status == TOO_MANY:
        raise TooManyJumpsError(problem.most_jumps)
    if found.status == TOO_LARGE:
        raise OverflowError
    return found


def mean_motion(problem: Sampled, times: Array, seed: int) -> Observed:
    """Means at `times`, from rounds of trajectories until every error is within its tolerance, or jumps or seconds run out."""
    means, used = Means(event_size=problem.event_size, weight=(times > times[0]).astype(float)), 0
    at_once, expected = max(MOST_NUMBERS // (len(times) * problem.numbers), 1), FIRST_ROUND
    budget = Budget(problem.most_seconds)
    while True:
        end = means.count + max(min(means.count // GROWTH, expected - means.count), FIRST_ROUND)
        if means.count and used * end // means.count > problem.most_jumps:
            return means.observed(problem, converged=False)
        while means.count < end:
            ahead = range(means.count, min(means.count + at_once, end))
            budget.begin(means.count, len(ahead))
            found = _advanced(
                problem, [partial(problem.trajectory, seed, i) for i in ahead], times, means.count < FIRST_ROUND, budget
            )
            if means.count + len(found.trajectories) < 2:
                raise budget.too_short()
            if found.trajectories:
                means.add(problem.observe(found.numbers))
            used += found.jumps + len(found.trajectories)  # drawing an initial state takes time as well
            if found.status != DONE:
                return means.observed(problem, converged=False)
        ratio = means.error_ratio(problem.tolerances(means.sizes()))
        if ratio <= 1:
            return means.observed(problem, converged=True)
        expected = math.ceil(means.count * ratio**2)
        budget.expect(means.count * min(ratio**2, problem.most_jumps / used))


def agree(first: Means, second: Means, names: Iterable[str]) -> bool:
    """Whether two successive windows have the same means within their errors."""
    distance, count = 0.0, 0
    for name in names:
        variance = first.error(name) ** 2 + second.error(name) ** 2
        known = variance > 0  # false where it is NaN: no pair
        distance += float(np.sum(abs(first.mean[name] - second.mean[name])[known] ** 2 / variance[known]))
        count += int(known.sum())
    return distance <= MOST_DIFFERENCE**2 * max(count, 1)


def uncorrelated(before: Observed, after: Observed, names: Iterable[str]) -> bool:
    """Whether time averages over two successive windows are nearly uncorrelated: no trajectory keeps its deviation."""
    found = []
    for name in names:
        x, y = (window[name][1] - window[name][1].mean(axis=0) for window in (before, after))
        norm = np.sqrt(np.sum(abs(x) ** 2, axis=0) * np.sum(abs(y) ** 2, axis=0))
        known = norm > 0
        found.append((np.sum(np.conj(x) * y, axis=0).real[known] / norm[known]).ravel())
    correlation = np.concatenate(found)
    return not correlation.size or float(correlation.mean()) <= MOST_CORRELATION


def mean_steady_state(problem: Sampled, seed: int) -> Observed:
    """Time averages over the last of several windows; each window is as long as all before it together.

    FIRST_ROUND trajectories end when the last two windows agree and are uncorrelated, and every error is within its
    tolerance. Trajectories are independent, so that the spread of their time averages is the error, whatever the
    correlations in time. Tolerances refer to the fluctuations between single times.
    """
    if problem.slowest <= 0:
        raise NoRelaxationError
    trajectories: list[Trajectory] = []
    begin, span, samples, used = 0.0, WINDOW / problem.slowest, SAMPLES, 0
    before: tuple[Means, Observed] | None = None
    budget = Budget(problem.most_seconds)
    while True:
        times = np.linspace(begin, begin + span, samples + 1)
        starts: list[Start] = [lambda one=one: one for one in trajectories]  # type: ignore[misc]
        starts = starts or [partial(problem.trajectory, seed, i) for i in range(FIRST_ROUND)]
        budget.begin(begin * problem.slowest, span * problem.slowest)
        found = _advanced(problem, starts, times, before is None, budget)
        if found.status != DONE:
            if before is None:
                raise budget.too_short()
            return before[0].observed(problem, converged=False)
        trajectories, used = found.trajectories, used + found.jumps
        recorded = {name: (dims, values[:, 1:]) for name, (dims, values) in problem.observe(found.numbers).items()}
        duration = min(1.0, 1 / (problem.slowest * span))  # relaxation time / window: for this share of it a jump matters
        means = Means(event_size=problem.event_size, weight=np.array(duration))
        window = {name: (dims[1:], values.mean(axis=1)) for name, (dims, values) in recorded.items()}
        means.add(window)
        single = Means(event_size=problem.event_size, weight=np.zeros(()))
        single.add({name: (dims[1:], v.reshape(-1, *v.shape[2:])) for name, (dims, v) in recorded.items()})
        allowed = problem.tolerances(single.sizes())
        ratio = means.error_ratio(allowed)
        stationary = before is not None and agree(before[0], means, allowed) and uncorrelated(before[1], window, allowed)
        done = stationary and ratio <= 1
        if done or used + 2 * found.jumps > problem.most_jumps:
            return means.observed(problem, converged=done)
        further = span if before is None else 2 * span
        budget.expect((begin + span + further * max(1.0, ratio**2 / 2)) * problem.slowest)
        begin, span, before = begin + span, further, (means, window)
        samples = min(2 * samples, MOST_NUMBERS // (FIRST_ROUND * problem.numbers))
