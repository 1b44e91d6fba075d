"""Means over random trajectories with their standard errors; how many it takes is decided by the errors."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from spinsync.base.checks import InputError, IntegrationError
from spinsync.data.problems import Jumps, Observed
from spinsync.data.rates import Array
from spinsync.numerics.jumps import TOO_LARGE, TOO_MANY, Traveller, advance, travellers

FIRST = 32  # trajectories of the first round: their errors are known to 13 percent
GROWTH = 4  # a round adds one trajectory to this many
NUMBERS = 2**24  # most numbers held at once, if one trajectory has no more
WINDOW, SAMPLES = 10.0, 64  # the first window in units of the slowest relaxation time, and moments in it
AGREE = 2.5  # standard errors by which successive windows may differ, root mean square
BOUNDED = ("inversion", "correlation")  # what the tolerances speak of


@dataclass
class Means:
    """Running means over samples and sums of squared distances from them (T. F. Chan, G. H. Golub, R. J. LeVeque, 1979).

    unseen : what an event would change in one sample of a mean, at most: a scalar, or by time
    """

    unseen: Array
    count: int = 0
    dims: dict[str, tuple[str, ...]] = field(default_factory=dict)
    mean: dict[str, Array] = field(default_factory=dict)
    square: dict[str, Array] = field(default_factory=dict)

    def add(self, observed: Observed) -> None:
        """More samples, along the first axis."""
        for name, (dims, values) in observed.items():
            n, centre = len(values), values.mean(axis=0)
            around = np.sum(abs(values - centre) ** 2, axis=0)
            if name in self.mean:
                away = centre - self.mean[name]
                around = around + self.square[name] + abs(away) ** 2 * self.count * n / (self.count + n)
                centre = self.mean[name] + away * n / (self.count + n)
            self.dims[name], self.mean[name], self.square[name] = dims, centre, around
        self.count += n

    def error(self, name: str) -> Array:
        """Standard error of the mean, of a complex one that of its distance; as if one more sample had shown an event.

        Where it is rare, all samples may agree, and yet the mean is no better known than to one event among them.
        """
        square = self.square[name]
        event = self.unseen.reshape(-1, *[1] * (square.ndim - 1)) if self.unseen.ndim else self.unseen
        return np.asarray(np.sqrt(square / (self.count * (self.count - 1)) + (event / self.count) ** 2))

    def within(self, problem: Jumps) -> bool:
        """Whether the errors are what was asked; NaN, where there is no pair, is."""
        return all(
            not np.any(self.error(name) > problem.atol + problem.rtol * abs(self.mean[name])) for name in BOUNDED
        )  # fmt: skip

    def observed(self, converged: bool) -> Observed:
        """Variables and errors; the order parameter (8.2) from `pair_mean`, its error from that of the root's argument."""
        out: Observed = {}
        for name, dims in self.dims.items():
            value, error = self.mean[name], self.error(name)
            if name == "pair_mean":
                low = np.maximum(value, 0)
                value, error = 2 * np.sqrt(low), 2 * (np.sqrt(low + error) - np.sqrt(low))
            shown = "order_parameter" if name == "pair_mean" else name
            out[shown], out[f"{shown}_error"] = (dims, value), (dims, error)
        return out | {"trajectories": ((), np.array(self.count)), "converged": ((), np.array(converged))}


def _advanced(problem: Jumps, moving: list[Traveller], times: Array, first: bool) -> tuple[Observed, int]:
    """What trajectories show, and their jumps; each of the first round may take its share of those allowed.

    Later on the sum is watched between rounds, so that a busy trajectory among idle ones is no failure.
    """
    numbers, made = advance(problem, moving, times, problem.most_jumps // FIRST if first else problem.most_jumps)
    if made == TOO_MANY:
        raise InputError(
            f"Argument `most_jumps` must be larger for this question, but is most_jumps={problem.most_jumps}: "
            "the first trajectories need more to reach their last time."
        )
    if made == TOO_LARGE:
        raise IntegrationError("The rates are too large for double precision, or differ by too many orders.")
    return problem.observe(numbers), made


def mean_motion(problem: Jumps, times: Array, seed: int) -> Observed:
    """Means at `times`; rounds of trajectories until the errors are small enough or the jumps too many."""
    means, used = Means(np.where(times > times[0], problem.grain, 0.0)), 0
    at_once = max(NUMBERS // (len(times) * problem.rules.numbers), 1)
    while True:
        end = means.count + max(means.count // GROWTH, FIRST)
        if means.count and used * end // means.count > problem.most_jumps:
            return means.observed(converged=False)
        while means.count < end:
            moving = travellers(problem, seed, range(means.count, min(means.count + at_once, end)))
            observed, made = _advanced(problem, moving, times, means.count < FIRST)
            means.add(observed)
            used += made + len(moving)  # drawing a start takes time as well
        if means.within(problem):
            return means.observed(converged=True)


def _agree(first: Means, second: Means) -> bool:
    """Two windows, one after the other, show the same within their errors."""
    away, count = 0.0, 0
    for name in BOUNDED:
        spread = first.error(name) ** 2 + second.error(name) ** 2
        told = spread > 0  # NaN, where there is no pair, is not
        away += float(np.sum(abs(first.mean[name] - second.mean[name])[told] ** 2 / spread[told]))
        count += int(told.sum())
    return away <= AGREE**2 * max(count, 1)


def mean_at_rest(problem: Jumps, seed: int) -> Observed:
    """Means over the last window of FIRST trajectories; each window is as long as all before it.

    They end when the last two windows agree and the errors are small enough. Trajectories are independent, so that the
    spread of their time averages is the error, whatever the correlations in time.
    """
    if problem.slowest <= 0:
        raise InputError("Argument `ensemble` must have gain or damping in every group to settle, but one has neither.")
    moving, used = travellers(problem, seed, range(FIRST)), 0
    begin, span, samples = 0.0, WINDOW / problem.slowest, SAMPLES
    before: Means | None = None
    while True:
        times = np.linspace(begin, begin + span, samples + 1)
        observed, made = _advanced(problem, moving, times, before is None)
        means = Means(np.array(problem.grain * min(1.0, 1 / (problem.slowest * span))))  # an event is forgotten so fast
        means.add({name: (dims[1:], values[:, 1:].mean(axis=1)) for name, (dims, values) in observed.items()})
        used += made
        done = before is not None and _agree(before, means) and means.within(problem)
        if done or used + 2 * made > problem.most_jumps:
            return means.observed(converged=done)
        begin, span, before = begin + span, span if before is None else 2 * span, means
        samples = min(2 * samples, NUMBERS // (FIRST * problem.rules.numbers))
