"""Errors of trajectories cover the exact value in 68 percent of runs and meet the tolerances; the cost is shown and limited."""

import os
import signal
from threading import Timer
from time import monotonic

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import solve_banded

import spinsync as ss
from spinsync.problems.sampled import budgets
from spinsync.problems.sampled.budgets import Budget
from spinsync.problems.sampled.sampling import advance
from spinsync.problems.sampled.statistics import Means
from systems import HALF_PI, laser, trajectories_of, two_groups

NAMES = ("inversion", "correlation", "inversion_correlation")
TIMES = np.linspace(0, 2, 5)


def test_running_means_and_errors_are_those_of_all_samples():
    """Independent of how the samples are divided."""
    z, c = np.random.default_rng(0).normal(size=(2, 40, 3)) + 5
    means = Means(event_size={"inversion": 0.0, "correlation": 0.0}, weight=np.array(0.0))
    for part in (slice(0, 1), slice(1, 8), slice(8, 40)):
        means.add({"inversion": (("group",), z[part]), "correlation": (("group",), z[part] + 1j * c[part])})
    student = stats.t(39).ppf(stats.norm.cdf(1))
    np.testing.assert_allclose(means.mean["correlation"], (z + 1j * c).mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(means.error("inversion"), student * z.std(axis=0, ddof=1) / np.sqrt(40), rtol=1e-12)
    axes = [np.linalg.eigvalsh(np.cov(z[:, k], c[:, k])) for k in range(3)]
    np.testing.assert_allclose(means.error("correlation"), [student * np.sqrt((a + 1.3 * b) / 40) for b, a in axes])
    np.testing.assert_allclose(means.sizes()["correlation"] ** 2, np.max(np.mean(z**2 + c**2, axis=0)))


def test_rare_jumps_are_not_overlooked():
    """A spin decays with a probability of 2 percent: most first rounds have no jump, and must not stop there."""
    one, seeds, theory = (
        ss.Ensemble.single(gain=0.0, damping=1.0, coupling=0.0, theta=0.0),
        range(60),
        ss.Trajectories(1, rtol=0.04),
    )
    runs = [ss.evolve(one, [0.0, 0.02], theory=theory, initial=[[0, 0, 1]], seed=seed) for seed in seeds]
    z, error = (np.array([float(run[name][1, 0]) for run in runs]) for name in ("inversion", "inversion_error"))
    exact = 2 * np.exp(-0.02) - 1
    assert abs(z.mean() - exact) < 4 * z.std() / np.sqrt(60)
    assert np.all(abs(z - exact) < 5 * error)  # small numbers of events have a skewed distribution
    assert all(run.converged for run in runs)


def test_rare_jumps_in_the_steady_state():
    one = ss.Ensemble.single(gain=1e-3, damping=1.0, coupling=0.0, theta=0.0)
    for seed in range(3):
        steady = ss.steady_state(one, theory=ss.Trajectories(1, rtol=0, atol=6e-4), seed=seed)
        assert abs(steady.inversion[0] + 0.999 / 1.001) < 5 * steady.inversion_error[0] < 3.1e-3


def covered(runs, reference):
    """Share of the runs in which each variable is within its error, arrays by name."""
    out = {}
    for name in (*NAMES, "order_parameter"):
        inside = [np.ravel(abs(run[name] - reference[name]) <= run[f"{name}_error"]) for run in runs]
        out[name] = np.mean(inside, axis=0)
    return out


SEEDS = 300
LIMIT = 4 * np.sqrt(0.683 * 0.317 / SEEDS)  # four standard deviations of the binomial distribution


@pytest.mark.slow(slice=0)
def test_errors_of_a_motion_cover_68_percent():
    """For every variable at every time, including the order parameter."""
    ensemble, m, times = laser(dephasing=0.3), [[0.3, 0.0, 0.2]], [0.0, 0.3, 0.6]
    theory = ss.Trajectories(30, rtol=0.15)
    runs = [ss.evolve(ensemble, times, theory=theory, initial=m, seed=seed).isel(time=slice(1, None)) for seed in range(SEEDS)]
    reference = ss.evolve(ensemble, times, theory=ss.Exact(30), initial=m).isel(time=slice(1, None))
    for name, share in covered(runs, reference).items():
        assert np.all(abs(share - 0.683) < LIMIT), (name, share)


@pytest.mark.slow(slice=1)
@pytest.mark.parametrize("groups", [1, 2])
def test_errors_in_the_steady_state_cover_68_percent(groups):
    """Also for complex correlations between groups. Where R is 0, its error may be too large, but not too small."""
    ensemble = laser(dephasing=0.3) if groups == 1 else two_groups(0)[0]
    spins = 30 if groups == 1 else 4
    reference = ss.steady_state(ensemble, theory=ss.Exact(spins))
    runs = [ss.steady_state(ensemble, theory=ss.Trajectories(spins, rtol=0.1), seed=seed) for seed in range(SEEDS)]
    shares = covered(runs, reference)
    if float(reference.order_parameter) == 0:
        assert shares.pop("order_parameter") > 0.683 - LIMIT
    for name, share in shares.items():
        assert np.all(abs(share - 0.683) < LIMIT), (name, share)


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.5, 1.0])
def test_errors_of_complex_means_are_distances(ratio):
    """They cover 68 percent of Gaussian noise in the complex plane, for any ratio and direction of its principal axes."""
    rng = np.random.default_rng(3)
    noise = (rng.normal(size=(12, 20_000)) + 1j * np.sqrt(ratio) * rng.normal(size=(12, 20_000))) * np.exp(0.7j)
    means = Means(event_size={"correlation": 0.0}, weight=np.array(0.0))
    means.add({"correlation": (("pair",), noise)})
    share = np.mean(abs(means.mean["correlation"]) <= means.error("correlation"))
    assert share == pytest.approx(0.683, abs=0.02)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0, 3.0, 30.0])
def test_errors_of_the_order_parameter_hold_close_to_zero(strength):
    """R = 2 sqrt(p) with a mean p of `strength` errors: they cover 63 to 79 percent, and 68 percent far from zero."""
    rng, samples = np.random.default_rng(4), 50
    means = Means(event_size={"pair_mean": 0.0}, weight=np.array(0.0))
    means.add({"pair_mean": (("time",), strength + np.sqrt(samples) * rng.normal(size=(samples, 20_000)))})
    found = means.observed(ss.Trajectories(10).lower(laser(), None, 0), converged=True)
    share = np.mean(abs(found["order_parameter"][1] - 2 * np.sqrt(strength)) <= found["order_parameter_error"][1])
    assert 0.62 < share < 0.80
    assert np.all(found["order_parameter_error"][1] <= 2 * np.sqrt(means.error("pair_mean")))  # the error at zero
    assert strength < 30 or share == pytest.approx(0.683, abs=0.015)


def cascade(spins, times):
    """m and p(m), shape (time, m), of the collective decay J_- at unit rate from m = j = N/2, by the implicit midpoint rule."""
    m = np.arange(spins, -1, -1) - spins / 2
    rate = (spins / 2 + m) * (spins / 2 - m + 1)
    p, steps = [np.eye(1, spins + 1)[0]], 40
    for step in np.diff(times) / steps:
        now = p[-1]
        for _ in range(steps):
            band = np.array([1 + rate * step / 2, np.append(-rate[:-1] * step / 2, 0)])
            change = -rate * now
            change[1:] += (rate * now)[:-1]
            now = solve_banded((1, 0), band, now + change * step / 2)
        p.append(now)
    return m, np.array(p)


@pytest.mark.parametrize("spins", [100, 10_000])
def test_a_superradiant_burst_meets_the_default_tolerances(spins):
    """The inversion passes through zero. Reference: `cascade`; for 100 spins its peak is 0.197244, also by Exact."""
    ensemble = ss.Ensemble.single(gain=0, damping=0, coupling=spins / 2, theta=-HALF_PI)
    times = np.linspace(0, 2.2 * np.log(spins) / spins, 81)
    run = ss.evolve(ensemble, times, theory=ss.Trajectories(spins), initial=[[0, 0, 1]])
    assert bool(run.converged)
    assert int(run.trajectories) < 1e4  # 1 / rtol^2: tolerances are at least a hundredth of the fluctuations
    m, p = cascade(spins, times)
    light = p @ ((spins / 2 + m) * (spins / 2 - m + 1)) / spins**2
    z = run.inversion[:, 0]
    found = ((1 + z) / (2 * spins) + (1 - 1 / spins) * run.correlation[:, 0, 0].real).values
    assert light.max() == pytest.approx(0.1972 if spins == 100 else 0.1957, abs=3e-4)
    assert abs(z - 2 * p @ m / spins).max() < 4 * 0.01
    assert abs(found - light).max() < 4 * 0.01 * light.max()
    assert abs(z).min() < 0.1
    assert 0.003 < float(run.inversion_error.max()) < 0.0102


def test_errors_meet_the_tolerances():
    """Relative to the size of each variable, computed by Exact; and they are not much smaller, which would be a waste."""
    ensemble = laser(dephasing=0.3)
    for spins in (1, 7, 30):
        reference = ss.steady_state(ensemble, theory=ss.Exact(spins))
        steady = ss.steady_state(ensemble, theory=ss.Trajectories(spins, rtol=0.02))
        size = np.sqrt((1 + (spins - 1) * np.nan_to_num(reference.inversion_correlation[0, 0])) / spins)  # of m, by (9.5)
        assert float(steady.inversion_error[0]) < 1.03 * (1e-4 + 0.02 * size)
        motion = ss.evolve(ensemble, [0, 0.5], theory=ss.Trajectories(spins, rtol=0.02), initial=[[0, 0, 0]])
        reference = ss.evolve(ensemble, [0, 0.5], theory=ss.Exact(spins), initial=[[0, 0, 0]])
        size = np.sqrt((1 + (spins - 1) * np.nan_to_num(reference.inversion_correlation[:, 0, 0])) / spins).max()
        tolerance = 1e-4 + 0.02 * size
        assert tolerance / 3 < float(motion.inversion_error.max()) < 1.03 * tolerance


def test_weakly_pumped_laser():
    """200 spins, where <S_z> = -0.65779 by an independent rate matrix over all (j, m)."""
    ensemble = ss.Ensemble.single(gain=0.3, damping=0, coupling=100, theta=-HALF_PI)
    reference = ss.steady_state(ensemble, theory=ss.Exact(200))
    assert 100 * reference.inversion[0] == pytest.approx(-0.65779, abs=1e-5)
    runs = [ss.steady_state(ensemble, theory=ss.Trajectories(200), seed=seed) for seed in range(100)]
    assert all(100 * run.inversion_error[0] < 0.06 for run in runs)
    for name in NAMES:  # events are much smaller here than EVENT_SIZE, and do not increase the errors
        share = np.mean([abs(run[name] - reference[name]) < run[f"{name}_error"] for run in runs])
        assert abs(share - 0.683) < 4 * np.sqrt(0.683 * 0.317 / 100), name


def test_the_time_limit_ends_a_run():
    """The result has the first trajectories, which are the same as without a limit."""
    ensemble, m = laser(), np.array([[0.3, 0.0, 0.2]])
    theory = ss.Trajectories(300, rtol=1e-6, atol=0, most_seconds=0.6)
    begin = monotonic()
    run = ss.evolve(ensemble, TIMES, theory=theory, initial=m)
    assert monotonic() - begin < 10
    assert not bool(run.converged)
    count, problem = int(run.trajectories), theory.lower(ensemble, m, 0)
    numbers = advance(problem, trajectories_of(problem, 0, range(count)), TIMES, 10**9).numbers
    np.testing.assert_allclose(run.inversion, problem.observe(numbers)["inversion"][1].mean(axis=0), atol=1e-12)
    steady = ss.steady_state(ensemble, theory=theory)
    assert not bool(steady.converged)
    assert int(steady.trajectories) == 16


def test_too_short_a_time_limit_is_an_error():
    theory = ss.Trajectories(10**6, most_seconds=0.05)
    message = (
        "`most_seconds` must be larger for this question, but is most_seconds=0.05: the first trajectories take (about|much)"
    )
    for ask in (lambda: ss.evolve(laser(), [0, 50], theory=theory), lambda: ss.steady_state(laser(), theory=theory)):
        with pytest.raises(ss.InputError, match=message):
            ask()


@pytest.mark.parametrize("groups", [1, 2])
def test_an_interrupt_ends_a_run(groups):
    """Within half a second on an idle machine, although each trajectory takes minutes."""
    ensemble = laser() if groups == 1 else laser().split(2)
    theory = ss.Trajectories((1_000_000, 20_000)[groups - 1])
    ss.evolve(ensemble, [0, 1e-5], theory=ss.Trajectories(10, rtol=1))  # compile
    sent = []

    def press():
        sent.append(monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    timer = Timer(1.0, press)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        ss.evolve(ensemble, [0, 1e3], theory=theory, initial=[[0, 0, 0.5]] * groups)
    assert monotonic() - sent[0] < 2.0


def test_the_number_of_trajectories_is_estimated_after_the_first_round(monkeypatch):
    """Within a factor of two; and the progress line goes from 0 to 1, first with a lower bound of what is left."""
    shown, expected = [], []
    monkeypatch.setattr(budgets, "report", lambda done, at_least: shown.append((done, at_least)))
    monkeypatch.setattr("spinsync.base.interrupts.CHECK_INTERVAL", 0.02)
    expect = Budget.expect
    monkeypatch.setattr(Budget, "expect", lambda self, amount: (expected.append(amount), expect(self, amount)))
    run = ss.evolve(laser(), TIMES, theory=ss.Trajectories(1000, rtol=4e-3), initial=[[0.3, 0.0, 0.2]])
    assert 0.5 < expected[0] / int(run.trajectories) < 2
    assert 0.8 < expected[-1] / int(run.trajectories) <= 1
    assert all(0 <= done <= 1 for done, _ in shown if not np.isnan(done))
    assert shown[-1][0] > 0.8
    bounds = [at_least for _, at_least in shown]
    assert bounds == sorted(bounds, reverse=True)
    assert not bounds[-1]


def test_the_line_of_a_run_with_a_time_limit_ends_at_the_limit(monkeypatch):
    shown = []
    monkeypatch.setattr(budgets, "report", lambda done, at_least: shown.append(done))
    monkeypatch.setattr(budgets, "monotonic", iter([0.0, 5.0, 9.0]).__next__)
    budget = Budget(10.0)
    budget.begin(0.0, 16.0)
    assert not budget.report(0.01)
    assert not budget.report(0.95)
    assert shown == [0.5, 0.95]  # the later one of both ends counts


def test_a_run_that_ends_at_most_jumps_is_not_converged():
    run = ss.evolve(laser(), TIMES, theory=ss.Trajectories(20, atol=1e-6, rtol=0, most_jumps=50_000))
    assert not bool(run.converged)
    assert int(run.trajectories) >= 32
    steady = ss.steady_state(laser(), theory=ss.Trajectories(20, atol=1e-6, rtol=0, most_jumps=50_000))
    assert not bool(steady.converged)
