"""A theory with a stochastic differential equation uses the statistics of trajectories; other questions are errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

import spinsync as ss
from spinsync.problems.sampled.jumps import DONE
from spinsync.problems.sampled.record import Sampled
from spinsync.problems.sampled.sampling import Recorded

PAIR = ss.Ensemble([ss.Group(3.0, 1.0), ss.Group(0.2, 0.6, weight=2.0)], np.zeros((2, 2)))
TIMES = np.array([0.0, 0.1, 0.5, 3.0])
START = [[0.0, 0.0, 0.9], [0.0, 0.0, -0.5]]
VARIANCE = 0.04


@dataclass(frozen=True, kw_only=True)
class OrnsteinUhlenbeck(Sampled):
    """dz = -rate (z - mean) dt + sqrt(2 rate VARIANCE) dW for each group, solved exactly (Uhlenbeck, Ornstein, 1930)."""

    rate: np.ndarray
    mean: np.ndarray
    start: np.ndarray

    def trajectory(self, seed, index):
        return SimpleNamespace(z=self.start.copy(), random=np.random.default_rng([seed, index]))

    def advance(self, starts, times, most_jumps, stop):
        trajectories = [start() for start in starts]
        numbers = np.empty((len(trajectories), len(times), self.numbers))
        for one, out in zip(trajectories, numbers, strict=True):
            for k, step in enumerate(np.diff(times, prepend=times[0])):
                decay = np.exp(-self.rate * step)
                one.z = self.mean + decay * (one.z - self.mean)
                one.z = one.z + np.sqrt(VARIANCE * (1 - decay**2)) * one.random.normal(size=one.z.size)
                out[k] = np.concatenate([one.z, one.z**2])
        return Recorded(numbers, trajectories, len(times), DONE)


@dataclass(frozen=True)
class NoisyPopulations:
    """Inversions that fluctuate about the inversions of groups without coupling."""

    error: float = 5e-3
    kinds: ClassVar[tuple[type, ...]] = (OrnsteinUhlenbeck,)
    hints: ClassVar[Mapping[str, str]] = {"linewidth": "noisy populations have no line"}

    def lower(self, ensemble, initial, seed, each=False):
        rates, groups = ensemble.rates, len(ensemble.groups)
        z = np.zeros(groups) if initial is None else np.asarray(initial)[:, 2]
        problem = OrnsteinUhlenbeck(
            numbers=2 * groups, slowest=float(rates.gamma_1.min()), event_size={"inversion": 0.0, "square": 0.0},
            observe=lambda recorded: {"inversion": (("time", "group"), recorded[..., :groups]),
                                  "square": (("time", "group"), recorded[..., groups:])},
            tolerances=lambda sizes: {"inversion": self.error}, derived=_variance, most_jumps=10**9, most_seconds=None,
            coordinates={"group": ("group", np.array(ensemble.names))}, warm_start=lambda seed: problem,
            rate=rates.gamma_1, mean=rates.net_gain / rates.gamma_1, start=z,
        )  # fmt: skip
        return problem


def _variance(means):
    """The variance of the inversion, from the means of z and z^2, under the name of a variable that results can hold."""
    out = dict(means)
    (dims, square), _ = out.pop("square"), out.pop("square_error")
    return out | {"inversion_correlation": (dims, square - means["inversion"][1] ** 2)}


def test_means_and_errors_of_a_stochastic_equation():
    run = ss.evolve(PAIR, TIMES, theory=NoisyPopulations(), initial=START, seed=3)
    rates = PAIR.rates
    decay = np.exp(-np.outer(TIMES, rates.gamma_1))
    mean = rates.net_gain / rates.gamma_1
    expected = mean + (np.array(START)[:, 2] - mean) * decay
    distance = abs(run.inversion.values - expected)
    assert np.all(distance[1:] < 4.5 * run.inversion_error[1:].values)
    assert np.all(run.inversion_error <= 5e-3)
    assert bool(run.converged)
    assert int(run.trajectories) == pytest.approx(VARIANCE / 5e-3**2, rel=0.4)  # as many as the variance requires
    np.testing.assert_allclose(run.inversion_correlation, VARIANCE * (1 - decay**2), atol=0.01)
    assert run.identical(ss.evolve(PAIR, TIMES, theory=NoisyPopulations(), initial=START, seed=3))


def test_time_averages_in_the_steady_state():
    steady = ss.steady_state(PAIR, theory=NoisyPopulations(6e-3))
    mean = PAIR.rates.net_gain / PAIR.rates.gamma_1
    assert np.all(abs(steady.inversion - mean) < 4.5 * steady.inversion_error)
    assert bool(steady.converged)


def test_questions_of_other_kinds_of_problem_are_errors():
    for ask, message in (
        (lambda: ss.linewidth(PAIR, theory=NoisyPopulations()),
         "Argument `theory` must be one that answers linewidth (MeanField, Cumulants, Exact or BruteForce), but is "
         "NoisyPopulations(error=0.005): noisy populations have no line."),
        (lambda: ss.entropy(PAIR, theory=NoisyPopulations()),
         "Argument `theory` must be one that answers entropy (Exact or BruteForce), but is NoisyPopulations(error=0.005)."),
        (lambda: ss.steady_state(PAIR, theory=NoisyPopulations(), initial=START),
         "Argument `initial` must be None at finite N, where the steady state does not depend on it, "
         "but is initial=[[0.0, 0.0, 0.9], [0.0, 0.0, -0.5]]."),
    ):  # fmt: skip
        with pytest.raises(ss.InputError) as caught:
            ask()
        assert str(caught.value) == message
