"""A theory by a stochastic equation shares the statistics of trajectories, and is refused what only other kinds answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

import spinsync as ss
from spinsync.problems.sampled.jumps import DONE
from spinsync.problems.sampled.record import Sampled
from spinsync.problems.sampled.sampling import Advance

PAIR = ss.Ensemble([ss.Group(3.0, 1.0), ss.Group(0.2, 0.6, weight=2.0)], np.zeros((2, 2)))
TIMES = np.array([0.0, 0.1, 0.5, 3.0])
START = [[0.0, 0.0, 0.9], [0.0, 0.0, -0.5]]
VARIANCE = 0.04


@dataclass(frozen=True, kw_only=True)
class Noisy(Sampled):
    """dz = -rate (z - goal) dt + sqrt(2 rate VARIANCE) dW of each group (G. E. Uhlenbeck, L. S. Ornstein, 1930), exactly."""

    rate: np.ndarray
    goal: np.ndarray
    start: np.ndarray

    def trajectory(self, seed, index):
        return SimpleNamespace(z=self.start.copy(), random=np.random.default_rng([seed, index]))

    def travel(self, begin, times, most, enough):
        moved = [first() for first in begin]
        numbers = np.empty((len(moved), len(times), self.numbers))
        for one, out in zip(moved, numbers, strict=True):
            for k, gap in enumerate(np.diff(times, prepend=times[0])):
                kept = np.exp(-self.rate * gap)
                one.z = self.goal + kept * (one.z - self.goal)
                one.z = one.z + np.sqrt(VARIANCE * (1 - kept**2)) * one.random.normal(size=one.z.size)
                out[k] = np.concatenate([one.z, one.z**2])
        return Advance(numbers, moved, len(times), DONE)


@dataclass(frozen=True)
class NoisyPopulations:
    """Inversions that fluctuate about those of groups without coupling."""

    error: float = 5e-3
    kinds: ClassVar[tuple[type, ...]] = (Noisy,)
    why: ClassVar[Mapping[str, str]] = {"linewidth": "noise of populations has no line"}

    def lower(self, ensemble, initial, seed, each=False):
        rates, groups = ensemble.rates, len(ensemble.groups)
        z = np.zeros(groups) if initial is None else np.asarray(initial)[:, 2]
        problem = Noisy(
            numbers=2 * groups, slowest=float(rates.gamma_1.min()), grain={"inversion": 0.0, "square": 0.0},
            observe=lambda seen: {"inversion": (("time", "group"), seen[..., :groups]),
                                  "square": (("time", "group"), seen[..., groups:])},
            asked=lambda sizes: {"inversion": self.error}, derived=_variance, most_jumps=10**9, most_seconds=None,
            coordinates={"group": ("group", np.array(ensemble.names))}, nearer=lambda seed: problem,
            rate=rates.gamma_1, goal=rates.net_gain / rates.gamma_1, start=z,
        )  # fmt: skip
        return problem


def _variance(means):
    """Of the inversion, from its mean and that of its square: under the name of a variable that results know."""
    out = dict(means)
    (dims, square), _ = out.pop("square"), out.pop("square_error")
    return out | {"inversion_correlation": (dims, square - means["inversion"][1] ** 2)}


def test_means_and_errors_of_a_stochastic_equation():
    run = ss.evolve(PAIR, TIMES, theory=NoisyPopulations(), initial=START, seed=3)
    rates = PAIR.rates
    fallen = np.exp(-np.outer(TIMES, rates.gamma_1))
    goal = rates.net_gain / rates.gamma_1
    wanted = goal + (np.array(START)[:, 2] - goal) * fallen
    away = abs(run.inversion.values - wanted)
    assert np.all(away[1:] < 4.5 * run.inversion_error[1:].values)
    assert np.all(run.inversion_error <= 5e-3)
    assert bool(run.converged)
    assert int(run.trajectories) == pytest.approx(VARIANCE / 5e-3**2, rel=0.4)  # as many as the variance asks for
    np.testing.assert_allclose(run.inversion_correlation, VARIANCE * (1 - fallen**2), atol=0.01)
    assert run.identical(ss.evolve(PAIR, TIMES, theory=NoisyPopulations(), initial=START, seed=3))


def test_time_averages_at_rest():
    rest = ss.steady_state(PAIR, theory=NoisyPopulations(6e-3))
    goal = PAIR.rates.net_gain / PAIR.rates.gamma_1
    assert np.all(abs(rest.inversion - goal) < 4.5 * rest.inversion_error)
    assert bool(rest.converged)


def test_what_it_cannot_answer():
    for ask, sentence in (
        (lambda: ss.linewidth(PAIR, theory=NoisyPopulations()),
         "Argument `theory` must be one that answers linewidth (Exact or BruteForce), but is "
         "NoisyPopulations(error=0.005): noise of populations has no line."),
        (lambda: ss.entropy(PAIR, theory=NoisyPopulations()),
         "Argument `theory` must be one that answers entropy (Exact or BruteForce), but is NoisyPopulations(error=0.005)."),
        (lambda: ss.steady_state(PAIR, theory=NoisyPopulations(), initial=START),
         "Argument `initial` must be None at finite N, where the steady state does not depend on it, "
         "but is initial=[[0.0, 0.0, 0.9], [0.0, 0.0, -0.5]]."),
    ):  # fmt: skip
        with pytest.raises(ss.InputError) as caught:
            ask()
        assert str(caught.value) == sentence
