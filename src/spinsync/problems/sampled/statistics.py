"""Means over random trajectories with their errors; how many it takes is decided by the errors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from scipy.special import stdtrit

from spinsync.base.arrays import Array
from spinsync.base.progress import progress
from spinsync.problems.observed import Observed
from spinsync.problems.outcome import NoRelaxationError, TooManyJumpsError
from spinsync.problems.sampled.budgets import Budget
from spinsync.problems.sampled.jumps import DONE, TOO_LARGE, TOO_MANY
from spinsync.problems.sampled.record import Sampled
from spinsync.problems.sampled.sampling import Advance, Start, Traveller

FIRST = 16  # trajectories of the first round: their errors are known to 18 percent
GROWTH = 4  # a round adds one trajectory to this many, or as many as seem to be missing
NUMBERS = 2**24  # most numbers held at once, if one trajectory has no more
WINDOW, SAMPLES = 3.0, 64  # the first window in units of the slowest relaxation time, and moments in it
AGREE = 2.5  # errors by which successive windows may differ, root mean square
REMEMBERED = 0.5  # correlation of one window with the next one that may be left
ONE_SIGMA = 0.8413447460685429  # the normal distribution at one standard deviation
ACROSS = 1.3  # see `Means.error`


@dataclass(kw_only=True)
class Means:
    """Running means over samples and sums of squared distances from them (T. F. Chan, G. H. Golub, R. J. LeVeque, 1979).

    grain : what an event would change in one sample of a variable, about
    weight : by how much less it does in these samples: a scalar, or by time
    square, bend, reach : sums of |x - mean|^2 and of (x - mean)^2; about the largest |x - mean|
    """

    grain: Mapping[str, float]
    weight: Array
    count: int = 0
    dims: dict[str, tuple[str, ...]] = field(default_factory=dict)
    mean: dict[str, Array] = field(default_factory=dict)
    square: dict[str, Array] = field(default_factory=dict)
    bend: dict[str, Array] = field(default_factory=dict)
    reach: dict[str, Array] = field(default_factory=dict)

    def add(self, observed: Observed) -> None:
        """More samples, along the first axis."""
        for name, (dims, values) in observed.items():
            n, centre = len(values), values.mean(axis=0)
            square, bend = np.sum(abs(values - centre) ** 2, axis=0), np.sum((values - centre) ** 2, axis=0)
            if name in self.mean:
                away, share = centre - self.mean[name], self.count * n / (self.count + n)
                square = square + self.square[name] + abs(away) ** 2 * share
                bend = bend + self.bend[name] + away**2 * share
                centre = self.mean[name] + away * n / (self.count + n)
            reach = np.maximum(np.max(abs(values - centre), axis=0), self.reach.get(name, 0))
            self.dims[name], self.mean[name], self.reach[name] = dims, centre, reach
            self.square[name], self.bend[name] = square, bend
        self.count += n

    def error(self, name: str) -> Array:
        """The distance within which the mean is right in 68 percent of all cases.

        Of a real variable it is the standard error, with Student's factor. Of a complex one it is a distance in the plane:
        with the variances a >= b along the principal axes sqrt(a + 1.3 b), which meets 68 percent to within one for every
        b / a. Where one sample at most stands out, as all agree but for rare events, the mean is no better known than to
        one event among them.
        """
        square, bend = self.square[name], abs(self.bend[name])
        weight = self.weight.reshape(-1, *[1] * (square.ndim - 1)) if self.weight.ndim else self.weight
        variance = ((square + bend) + ACROSS * (square - bend)) / (2 * self.count * (self.count - 1))
        student = stdtrit(self.count - 1, ONE_SIGMA)
        lonely = square <= 2 * self.reach[name] ** 2
        event = np.where(lonely, self.grain[name] * weight / self.count, 0)
        return np.asarray(np.maximum(student * np.sqrt(variance), event))

    def sizes(self) -> dict[str, float]:
        """The largest root mean square of each variable: over samples, the largest of all its elements."""
        squares = {name: abs(mean) ** 2 + self.square[name] / self.count for name, mean in self.mean.items()}
        return {name: float(np.sqrt(np.max(np.nan_to_num(square)))) for name, square in squares.items()}  # NaN: no pair

    def excess(self, asked: Mapping[str, float]) -> float:
        """The largest error in units of the one asked for."""
        return float(max(np.max(np.nan_to_num(self.error(name))) / allowed for name, allowed in asked.items()))

    def observed(self, problem: Sampled, converged: bool) -> Observed:
        """What is derived from the means and their errors."""
        out: Observed = {}
        for name, dims in self.dims.items():
            out[name], out[f"{name}_error"] = (dims, self.mean[name]), (dims, self.error(name))
        return problem.derived(out) | {"trajectories": ((), np.array(self.count)), "converged": ((), np.array(converged))}


def _moved(problem: Sampled, begin: list[Start], times: Array, first: bool, budget: Budget) -> Advance:
    """Each of the first round may take its share of the jumps allowed.

    Later on the sum is watched between rounds, so that a busy trajectory among idle ones is no failure.
    """
    most = problem.most_jumps // FIRST if first else problem.most_jumps
    found = problem.travel(begin, times, most, budget.told)
    if found.status == TOO_MANY:
        raise TooManyJumpsError(problem.most_jumps)
    if found.status == TOO_LARGE:
        raise OverflowError
    return found


def mean_motion(problem: Sampled, times: Array, seed: int) -> Observed:
    """Means at `times`; rounds of trajectories until the errors are small enough, or jumps or seconds too many."""
    means, used = Means(grain=problem.grain, weight=(times > times[0]).astype(float)), 0
    at_once, expected = max(NUMBERS // (len(times) * problem.numbers), 1), FIRST
    with progress("trajectories") as line:
        budget = Budget(line, problem.most_seconds)
        while True:
            end = means.count + max(min(means.count // GROWTH, expected - means.count), FIRST)
            if means.count and used * end // means.count > problem.most_jumps:
                return means.observed(problem, converged=False)
            while means.count < end:
                ahead = range(means.count, min(means.count + at_once, end))
                budget.begin(means.count, len(ahead))
                found = _moved(
                    problem, [partial(problem.trajectory, seed, i) for i in ahead], times, means.count < FIRST, budget
                )
                if means.count + len(found.moved) < 2:
                    raise budget.too_short()
                if found.moved:
                    means.add(problem.observe(found.numbers))
                used += found.jumps + len(found.moved)  # drawing a start takes time as well
                if found.status != DONE:
                    return means.observed(problem, converged=False)
            excess = means.excess(problem.asked(means.sizes()))
            if excess <= 1:
                return means.observed(problem, converged=True)
            expected = math.ceil(means.count * excess**2)
            budget.expect(means.count * min(excess**2, problem.most_jumps / used))


def _agree(first: Means, second: Means, names: Iterable[str]) -> bool:
    """Two windows, one after the other, show the same within their errors."""
    away, count = 0.0, 0
    for name in names:
        spread = first.error(name) ** 2 + second.error(name) ** 2
        told = spread > 0  # NaN, where there is no pair, is not
        away += float(np.sum(abs(first.mean[name] - second.mean[name])[told] ** 2 / spread[told]))
        count += int(told.sum())
    return away <= AGREE**2 * max(count, 1)


def _forgotten(before: Observed, after: Observed, names: Iterable[str]) -> bool:
    """The trajectory that was high in one window is not the one that is high in the next: windows outlast the memory."""
    found = []
    for name in names:
        x, y = (window[name][1] - window[name][1].mean(axis=0) for window in (before, after))
        length = np.sqrt(np.sum(abs(x) ** 2, axis=0) * np.sum(abs(y) ** 2, axis=0))
        told = length > 0
        found.append((np.sum(np.conj(x) * y, axis=0).real[told] / length[told]).ravel())
    alike = np.concatenate(found)
    return not alike.size or float(alike.mean()) <= REMEMBERED


def mean_at_rest(problem: Sampled, seed: int) -> Observed:
    """Means over the last window of FIRST trajectories; each window is as long as all before it.

    They end when the last two windows agree, have forgotten each other, and the errors are small enough. Trajectories are
    independent, so that the spread of their time averages is the error, whatever the correlations in time.
    """
    if problem.slowest <= 0:
        raise NoRelaxationError
    moving: list[Traveller] = []
    begin, span, samples, used = 0.0, WINDOW / problem.slowest, SAMPLES, 0
    before: tuple[Means, Observed] | None = None
    with progress("steady state") as line:
        budget = Budget(line, problem.most_seconds)
        while True:
            times = np.linspace(begin, begin + span, samples + 1)
            starts: list[Start] = [partial(_same, one) for one in moving]
            starts = starts or [partial(problem.trajectory, seed, i) for i in range(FIRST)]
            budget.begin(begin * problem.slowest, span * problem.slowest)
            found = _moved(problem, starts, times, before is None, budget)
            if found.status != DONE:
                if before is None:
                    raise budget.too_short()
                return before[0].observed(problem, converged=False)
            moving, used = found.moved, used + found.jumps
            seen = {name: (dims, values[:, 1:]) for name, (dims, values) in problem.observe(found.numbers).items()}
            forgotten = min(1.0, 1 / (problem.slowest * span))  # an event is, so fast
            means = Means(grain=problem.grain, weight=np.array(forgotten))
            window = {name: (dims[1:], values.mean(axis=1)) for name, (dims, values) in seen.items()}
            means.add(window)
            moments = Means(grain=problem.grain, weight=np.zeros(()))
            moments.add({name: (dims[1:], values.reshape(-1, *values.shape[2:])) for name, (dims, values) in seen.items()})
            asked = problem.asked(moments.sizes())
            excess = means.excess(asked)
            done = (
                before is not None and excess <= 1 and _agree(before[0], means, asked) and _forgotten(before[1], window, asked)
            )
            if done or used + 2 * found.jumps > problem.most_jumps:
                return means.observed(problem, converged=done)
            further = span if before is None else 2 * span
            budget.expect((begin + span + further * max(1.0, excess**2 / 2)) * problem.slowest)
            begin, span, before = begin + span, further, (means, window)
            samples = min(2 * samples, NUMBERS // (FIRST * problem.numbers))


def _same(one: Traveller) -> Traveller:
    return one
