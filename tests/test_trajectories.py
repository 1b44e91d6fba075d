"""Trajectories: the judges agree within the error bars, and the error bars say what they mean."""

import os
import re
import signal
from functools import partial
from threading import Timer
from time import monotonic

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import expm, solve_banded

import spinsync as ss
from reference import HALF_PI, laser, random_bloch
from spinsync.base.progress import Line
from spinsync.numerics.travellers import advance, traveller
from spinsync.theory.product_states import drawn
from spinsync.verbs.averages import Means, _forgotten, mean_at_rest
from spinsync.verbs.budgets import Budget

NAMES = ("inversion", "correlation", "inversion_correlation")
TIMES = np.linspace(0, 2, 5)


def travellers(problem, seed, indices):
    return [partial(traveller, problem, seed, i) for i in indices]


def standardized(run, judge):
    """Distances in units of the standard error, where there is one; equal where there is none."""
    found = []
    for name in NAMES:
        away, error = abs(run[name] - judge[name]).values.ravel(), run[f"{name}_error"].values.ravel()
        told = error > 1e-13
        assert np.all(~(away[~told] > 1e-12))
        found.append(away[told] / error[told])
    return np.concatenate(found)


def two_groups(seed):
    """Two groups with any complex coupling, a start, and a number of spins that splits."""
    rng = np.random.default_rng([8, seed])
    weights = ((1, 1), (1, 3), (2, 1))[seed % 3]
    groups = [
        ss.Group(*rng.uniform(0.1, 2, 2), dephasing=rng.uniform(1, 3) * (seed % 2), frequency=rng.normal(), weight=w)
        for w in weights
    ]
    coupling = 4 * (rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2)))
    m = random_bloch(rng, 2)
    if seed % 2:
        m /= np.linalg.norm(m, axis=1)[:, None]
    return ss.Ensemble(groups, coupling, lamb_shift=bool(seed % 2)), m, (4, 4, 3)[seed % 3]


@pytest.mark.parametrize("seed", range(6))
def test_motion_of_two_groups_agrees_with_brute_force(seed):
    ensemble, m, spins = two_groups(seed)
    run = ss.evolve(ensemble, TIMES, theory=ss.Trajectories(spins, rtol=0.03, atol=6e-3), initial=m, seed=seed)
    judge = ss.evolve(ensemble, TIMES, theory=ss.BruteForce(spins), initial=m)
    assert bool(run.converged)
    away = standardized(run, judge)
    assert away.max() < 5  # of some 50 correlated numbers, four runs of which one alone may reach 4
    assert np.mean(away**2) < 3
    np.testing.assert_allclose(run.correlation, np.conj(run.correlation.transpose("time", "other_group", "group")), atol=1e-14)


@pytest.mark.parametrize(("theta", "dephasing"), [(-HALF_PI, 0.0), (-0.9, 0.4), (0.7, 0.2)])
def test_motion_of_one_group_agrees_with_exact(theta, dephasing):
    ensemble, m = laser(theta=theta, dephasing=dephasing), [[0.5, 0.2, -0.4]]
    run = ss.evolve(ensemble, TIMES, theory=ss.Trajectories(30, rtol=0.02, atol=1e-3), initial=m)
    judge = ss.evolve(ensemble, TIMES, theory=ss.Exact(30), initial=m)
    assert standardized(run, judge).max() < 4
    away = abs(run.order_parameter - judge.order_parameter)
    assert np.all(away < 4 * run.order_parameter_error)


@pytest.mark.parametrize("spins", [1, 7, 30, 400])
def test_steady_state_agrees_with_exact(spins):
    ensemble = laser(dephasing=0.3)
    rest = ss.steady_state(ensemble, theory=ss.Trajectories(spins))
    assert bool(rest.converged)
    assert standardized(rest, ss.steady_state(ensemble, theory=ss.Exact(spins))).max() < 4


def test_steady_state_of_two_groups_agrees_with_brute_force():
    ensemble, _, spins = two_groups(1)
    rest = ss.steady_state(ensemble, theory=ss.Trajectories(spins, atol=2e-3))
    assert standardized(rest, ss.steady_state(ensemble, theory=ss.BruteForce(spins))).max() < 4.5


def test_a_start_is_forgotten_where_the_ensemble_is_slow():
    """Just above the threshold V = 4 fluctuations grow slower than spins relax: the first windows differ. From a bad start."""
    ensemble, theory = laser(coupling=4.2), ss.Trajectories(1000, rtol=0.5)
    judge = ss.steady_state(ensemble, theory=ss.Exact(1000))
    for seed in range(4):
        rest = mean_at_rest(theory.lower(ensemble, np.array([[0.0, 0.0, 1.0]]), seed), seed)
        away = abs(rest["correlation"][1] - judge.correlation.values) / rest["correlation_error"][1]
        assert away.max() < 4


@pytest.mark.parametrize(("kept", "expected"), [(0.0, True), (0.3, True), (0.8, False), (1.0, False)])
def test_windows_that_remember_are_told_from_those_that_do_not(kept, expected):
    """Two windows, one after the other, whose means are correlated over the trajectories by `kept`; ten variables."""
    x, y = np.random.default_rng(5).normal(size=(2, 16, 10))
    dims = ("group",)
    before, after = (dict.fromkeys(("inversion", "correlation"), (dims, v)) for v in (x, kept * x + (1 - kept**2) ** 0.5 * y))
    assert _forgotten(before, after) is expected


@pytest.mark.parametrize("groups", [1, 2])
def test_spins_without_coupling_relax_alone(groups):
    """z(t) = z0 + (z(0) - z0) exp(-(kappa + gamma) t); no pair is correlated: a clock that is 5 percent off shows."""
    rates = [(0.0, 1.0), (0.5, 0.7)][:groups]
    ensemble = ss.Ensemble([ss.Group(*pair, dephasing=0.4) for pair in rates], np.zeros((groups, groups)))
    times = np.array([0.0, 0.4, 1.0])
    run = ss.evolve(ensemble, times, theory=ss.Trajectories(60, rtol=0, atol=5e-3), initial=[[0, 0, 0.9]] * groups)
    total, rest = (np.array([f(*pair) for pair in rates]) for f in (lambda k, g: k + g, lambda k, g: (k - g) / (k + g)))
    z = rest + (0.9 - rest) * np.exp(-np.outer(times, total))
    judge = {"inversion": z, "correlation": np.zeros((3, groups, groups)), "inversion_correlation": z[:, :, None] * z[:, None]}
    for name in NAMES:
        assert np.all(abs(run[name].values - judge[name]) < 4.5 * run[f"{name}_error"].values + 1e-12)


def test_running_means_and_errors_are_those_of_all_samples():
    """However the samples come in."""
    z, c = np.random.default_rng(0).normal(size=(2, 40, 3)) + 5
    means = Means({"inversion": 0.0, "correlation": 0.0}, np.array(0.0))
    for part in (slice(0, 1), slice(1, 8), slice(8, 40)):
        means.add({"inversion": (("group",), z[part]), "correlation": (("group",), z[part] + 1j * c[part])})
    student = stats.t(39).ppf(stats.norm.cdf(1))
    np.testing.assert_allclose(means.mean["correlation"], (z + 1j * c).mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(means.error("inversion"), student * z.std(axis=0, ddof=1) / np.sqrt(40), rtol=1e-12)
    axes = [np.linalg.eigvalsh(np.cov(z[:, k], c[:, k])) for k in range(3)]
    np.testing.assert_allclose(means.error("correlation"), [student * np.sqrt((a + 1.3 * b) / 40) for b, a in axes])
    np.testing.assert_allclose(means.size("correlation") ** 2, np.max(np.mean(z**2 + c**2, axis=0)))


def test_rare_jumps_are_not_taken_for_none():
    """One spin that decays with a chance of 2 percent: most first rounds see no jump at all, and must not end on that."""
    one, seeds, theory = (
        ss.Ensemble.single(gain=0.0, damping=1.0, coupling=0.0, theta=0.0),
        range(60),
        ss.Trajectories(1, rtol=0.04),
    )
    runs = [ss.evolve(one, [0.0, 0.02], theory=theory, initial=[[0, 0, 1]], seed=seed) for seed in seeds]
    z, error = (np.array([float(run[name][1, 0]) for run in runs]) for name in ("inversion", "inversion_error"))
    exact = 2 * np.exp(-0.02) - 1
    assert abs(z.mean() - exact) < 4 * z.std() / np.sqrt(60)
    assert np.all(abs(z - exact) < 5 * error)  # small counts are skew
    assert all(run.converged for run in runs)


def test_rare_jumps_at_rest():
    one = ss.Ensemble.single(gain=1e-3, damping=1.0, coupling=0.0, theta=0.0)
    for seed in range(3):
        rest = ss.steady_state(one, theory=ss.Trajectories(1, rtol=0, atol=6e-4), seed=seed)
        assert abs(rest.inversion[0] + 0.999 / 1.001) < 5 * rest.inversion_error[0] < 3.1e-3


def test_two_equal_groups_are_one():
    """The same physics as a walk and as waves."""
    one = laser(dephasing=0.2, coupling=8.0)
    rest = ss.steady_state(one.split(2), theory=ss.Trajectories(30, rtol=0.02))
    judge = ss.steady_state(one, theory=ss.Exact(30))
    for a in range(2):
        for b in range(2):
            part = rest.isel(group=a, other_group=b)
            assert abs(part.inversion - judge.inversion[0]) < 4 * part.inversion_error
            assert abs(part.correlation - judge.correlation[0, 0]) < 4 * part.correlation_error


def covered(runs, judge):
    """How often each variable is within its error."""
    out = {}
    for name in (*NAMES, "order_parameter"):
        inside = [np.ravel(abs(run[name] - judge[name]) <= run[f"{name}_error"]) for run in runs]
        out[name] = np.mean(inside, axis=0)
    return out


SEEDS = 300
LIMIT = 4 * np.sqrt(0.683 * 0.317 / SEEDS)  # four standard deviations of a binomial law


def test_errors_of_a_motion_cover_68_percent():
    """Of every variable at every time, the order parameter included."""
    ensemble, m, times = laser(dephasing=0.3), [[0.3, 0.0, 0.2]], [0.0, 0.3, 0.6]
    theory = ss.Trajectories(30, rtol=0.15)
    runs = [ss.evolve(ensemble, times, theory=theory, initial=m, seed=seed).isel(time=slice(1, None)) for seed in range(SEEDS)]
    judge = ss.evolve(ensemble, times, theory=ss.Exact(30), initial=m).isel(time=slice(1, None))
    for name, share in covered(runs, judge).items():
        assert np.all(abs(share - 0.683) < LIMIT), (name, share)


@pytest.mark.slow(1)
@pytest.mark.parametrize("groups", [1, 2])
def test_errors_at_rest_cover_68_percent(groups):
    """Of complex correlations between groups, too. Where R is 0 its error can only be too wide."""
    ensemble = laser(dephasing=0.3) if groups == 1 else two_groups(0)[0]
    spins = 30 if groups == 1 else 4
    judge = ss.steady_state(ensemble, theory=ss.Exact(spins))
    runs = [ss.steady_state(ensemble, theory=ss.Trajectories(spins, rtol=0.1), seed=seed) for seed in range(SEEDS)]
    shares = covered(runs, judge)
    if float(judge.order_parameter) == 0:
        assert shares.pop("order_parameter") > 0.683 - LIMIT
    for name, share in shares.items():
        assert np.all(abs(share - 0.683) < LIMIT), (name, share)


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.5, 1.0])
def test_errors_of_complex_means_are_distances(ratio):
    """68 percent of noise in the plane, whatever its shape and direction."""
    rng = np.random.default_rng(3)
    noise = (rng.normal(size=(12, 20_000)) + 1j * np.sqrt(ratio) * rng.normal(size=(12, 20_000))) * np.exp(0.7j)
    means = Means({"correlation": 0.0}, np.array(0.0))
    means.add({"correlation": (("pair",), noise)})
    share = np.mean(abs(means.mean["correlation"]) <= means.error("correlation"))
    assert share == pytest.approx(0.683, abs=0.02)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0, 3.0, 30.0])
def test_errors_of_a_root_hold_close_to_zero(strength):
    """R = 2 sqrt(p) with a mean p of `strength` errors: 63 to 79 percent, and 68 far from zero."""
    rng, samples = np.random.default_rng(4), 50
    means = Means({"pair_mean": 0.0}, np.array(0.0))
    means.add({"pair_mean": (("time",), strength + np.sqrt(samples) * rng.normal(size=(samples, 20_000)))})
    found = means.observed(converged=True)
    share = np.mean(abs(found["order_parameter"][1] - 2 * np.sqrt(strength)) <= found["order_parameter_error"][1])
    assert 0.62 < share < 0.80
    assert np.all(found["order_parameter_error"][1] <= 2 * np.sqrt(means.error("pair_mean")))  # what it is at zero
    assert strength < 30 or share == pytest.approx(0.683, abs=0.015)


def cascade(spins, times):
    """p(m), (time, m), of the collective decay J_- at unit rate from m = j = N/2: implicit midpoint rule, own code."""
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
def test_a_burst_of_inverted_atoms_ends_where_its_inversion_passes_through_zero(spins):
    """With default tolerances. The judge is an own solver of the cascade; at 100 its peak is .197244, also by Exact."""
    ensemble = ss.Ensemble.single(gain=0, damping=0, coupling=spins / 2, theta=-HALF_PI)
    times = np.linspace(0, 2.2 * np.log(spins) / spins, 81)
    run = ss.evolve(ensemble, times, theory=ss.Trajectories(spins), initial=[[0, 0, 1]])
    assert bool(run.converged)
    assert int(run.trajectories) < 1e4  # 1 / rtol^2: the errors asked for are never less than a hundredth of the fluctuations
    m, p = cascade(spins, times)
    light = p @ ((spins / 2 + m) * (spins / 2 - m + 1)) / spins**2
    z = run.inversion[:, 0]
    found = ((1 + z) / (2 * spins) + (1 - 1 / spins) * run.correlation[:, 0, 0].real).values
    assert light.max() == pytest.approx(0.1972 if spins == 100 else 0.1957, abs=3e-4)
    assert abs(z - 2 * p @ m / spins).max() < 4 * 0.01
    assert abs(found - light).max() < 4 * 0.01 * light.max()
    assert abs(z).min() < 0.1
    assert 0.003 < float(run.inversion_error.max()) < 0.0102


def test_errors_are_those_asked_for():
    """In units of the size of each variable, which Exact knows; less than three times smaller than that: no waste."""
    ensemble = laser(dephasing=0.3)
    for spins in (1, 7, 30):
        judge = ss.steady_state(ensemble, theory=ss.Exact(spins))
        rest = ss.steady_state(ensemble, theory=ss.Trajectories(spins, rtol=0.02))
        size = np.sqrt((1 + (spins - 1) * np.nan_to_num(judge.inversion_correlation[0, 0])) / spins)  # of m, by (9.5)
        assert float(rest.inversion_error[0]) < 1.03 * (1e-4 + 0.02 * size)
        motion = ss.evolve(ensemble, [0, 0.5], theory=ss.Trajectories(spins, rtol=0.02), initial=[[0, 0, 0]])
        judge = ss.evolve(ensemble, [0, 0.5], theory=ss.Exact(spins), initial=[[0, 0, 0]])
        size = np.sqrt((1 + (spins - 1) * np.nan_to_num(judge.inversion_correlation[:, 0, 0])) / spins).max()
        asked = 1e-4 + 0.02 * size
        assert asked / 3 < float(motion.inversion_error.max()) < 1.03 * asked


def test_weakly_pumped_laser():
    """200 spins, where <S_z> = -0.65779 by an own rate matrix over all (j, m)."""
    ensemble = ss.Ensemble.single(gain=0.3, damping=0, coupling=100, theta=-HALF_PI)
    judge = ss.steady_state(ensemble, theory=ss.Exact(200))
    assert 100 * judge.inversion[0] == pytest.approx(-0.65779, abs=1e-5)
    runs = [ss.steady_state(ensemble, theory=ss.Trajectories(200), seed=seed) for seed in range(100)]
    assert all(100 * run.inversion_error[0] < 0.06 for run in runs)
    for name in NAMES:  # an event is much smaller here than it could be, and does not widen the errors
        share = np.mean([abs(run[name] - judge[name]) < run[f"{name}_error"] for run in runs])
        assert abs(share - 0.683) < 4 * np.sqrt(0.683 * 0.317 / 100), name


def test_a_cut_wave_moves_as_the_whole_one():
    """Between jumps; only a part of its 600 components is more than rounding."""
    ensemble = ss.Ensemble.pair(detuning=3.0, gain=0.5, damping=0.2, coupling=4.0, theta=-1.2)
    problem = ss.Trajectories(2000).lower(ensemble, np.array([[0.5, 0.1, 0.2], [0.4, -0.3, 0.1]]), 0)
    rules, table = problem.rules, problem.table
    one = traveller(problem, 1, 0)
    first, last = one.place[-2:]
    diagonal, up, down = (np.zeros(len(one.wave), complex) for _ in range(3))
    rules.generator(one.place, table, diagonal, up, down)
    matrix = (np.diag(diagonal) + np.diag(up[:-1], -1) + np.diag(down[1:], 1))[first : last + 1, first : last + 1]
    time = 0.02 / abs(matrix).sum(axis=0).max() ** 0.5
    expected = expm(matrix * time) @ one.wave[first : last + 1]
    expected /= np.linalg.norm(expected)
    for seed in range(100):  # until one comes there without a jump
        one = traveller(problem, 1, 0)
        one.random = np.random.default_rng(seed)
        if advance(problem, [lambda one=one: one], np.array([0, time]), 1000).jumps == 0:
            break
    low, high = one.place[-2:]
    assert high - low < 0.7 * (last - first)
    np.testing.assert_allclose(one.wave[first : last + 1], expected, atol=1e-13)


def test_large_groups_agree_with_one():
    """Waves of which a part is cut off, with jumps, and the walk of one group."""
    one, m = laser(dephasing=0.2, coupling=8.0), [[0.4, 0.0, 0.3]]
    run, judge = (
        ss.evolve(e, [0, 0.3], theory=ss.Trajectories(600, rtol=rtol), initial=m * len(e.groups)).isel(time=1)
        for e, rtol in ((one.split(2), 0.25), (one, 0.02))
    )
    for name in ("inversion", "correlation"):
        error = np.hypot(run[f"{name}_error"].values, judge[f"{name}_error"].values)
        assert np.all(abs(run[name].values - judge[name].values) < 4 * error)


def test_time_on_the_clock_ends_a_run():
    """With what there is: the first trajectories, each the one that it is without a limit."""
    ensemble, m = laser(), np.array([[0.3, 0.0, 0.2]])
    theory = ss.Trajectories(300, rtol=1e-6, atol=0, most_seconds=0.6)
    begin = monotonic()
    run = ss.evolve(ensemble, TIMES, theory=theory, initial=m)
    assert monotonic() - begin < 10
    assert not bool(run.converged)
    count, problem = int(run.trajectories), theory.lower(ensemble, m, 0)
    numbers = advance(problem, travellers(problem, 0, range(count)), TIMES, 10**9).numbers
    np.testing.assert_allclose(run.inversion, problem.observe(numbers)["inversion"][1].mean(axis=0), atol=1e-12)
    rest = ss.steady_state(ensemble, theory=theory)
    assert not bool(rest.converged)
    assert int(rest.trajectories) == 16


def test_too_little_time_says_so():
    theory = ss.Trajectories(10**6, most_seconds=0.05)
    sentence = (
        "`most_seconds` must be larger for this question, but is most_seconds=0.05: the first trajectories take (about|much)"
    )
    for ask in (lambda: ss.evolve(laser(), [0, 50], theory=theory), lambda: ss.steady_state(laser(), theory=theory)):
        with pytest.raises(ss.InputError, match=sentence):
            ask()


@pytest.mark.parametrize("groups", [1, 2])
def test_an_interrupt_is_heard(groups):
    """Within half a second (of a quiet machine) although each trajectory takes minutes."""
    ensemble = laser() if groups == 1 else laser().split(2)
    theory = ss.Trajectories((1_000_000, 20_000)[groups - 1])
    ss.evolve(ensemble, [0, 1e-5], theory=ss.Trajectories(10, rtol=1))  # compiled before
    sent = []

    def press():
        sent.append(monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    timer = Timer(1.0, press)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        ss.evolve(ensemble, [0, 1e3], theory=theory, initial=[[0, 0, 0.5]] * groups)
    assert monotonic() - sent[0] < 2.0


def test_cost_is_told_after_the_first_round(monkeypatch):
    """Within a factor of two, and the share of the work that is done goes from 0 to 1."""
    told, expected = [], []
    monkeypatch.setattr(Line, "update", lambda self, done, text="": told.append((done, text)) if text else None)
    monkeypatch.setattr("spinsync.numerics.travellers.LOOK", 0.02)
    expect = Budget.expect
    monkeypatch.setattr(Budget, "expect", lambda self, amount: (expected.append(amount), expect(self, amount)))
    run = ss.evolve(laser(), TIMES, theory=ss.Trajectories(1000, rtol=4e-3), initial=[[0.3, 0.0, 0.2]])
    assert 0.5 < expected[0] / int(run.trajectories) < 2
    assert 0.8 < expected[-1] / int(run.trajectories) <= 1
    assert all(0 <= done <= 1 for done, _ in told)
    assert told[-1][0] > 0.8
    assert all(re.fullmatch(r"(about|at least) [0-9]+ (s|min|hours|days) left", text) for _, text in told)


def test_same_seed_same_numbers():
    ensemble, m, spins = two_groups(0)
    theory = ss.Trajectories(spins, atol=0.05, rtol=0.1)
    run, again, other = (ss.evolve(ensemble, TIMES, theory=theory, initial=m, seed=seed) for seed in (3, 3, 4))
    assert run.identical(again)
    assert ss.rerun(run).identical(run)
    rest, same = (ss.steady_state(ensemble, theory=theory, seed=3) for _ in range(2))
    assert rest.identical(same)
    assert not np.array_equal(run.inversion, other.inversion)


@pytest.mark.parametrize("groups", [1, 2])
def test_threads_and_order_do_not_matter(groups):
    ensemble = laser() if groups == 1 else two_groups(0)[0]
    problem = ss.Trajectories(12).lower(ensemble, None, 0)
    one, many = (advance(problem, travellers(problem, 5, range(20)), TIMES, 10**6, threads).numbers for threads in (1, 7))
    backwards = advance(problem, travellers(problem, 5, range(19, -1, -1)), TIMES, 10**6, 3).numbers[::-1]
    np.testing.assert_array_equal(one, many)
    np.testing.assert_array_equal(one, backwards)
    assert len(np.unique(one[:, -1, 0])) > 3


@pytest.mark.parametrize("groups", [1, 2])
def test_long_times_do_not_stop_a_trajectory(groups):
    """Waiting times keep their digits at a late hour."""
    ensemble = laser() if groups == 1 else two_groups(0)[0]
    problem = ss.Trajectories(12).lower(ensemble, None, 0)
    late = advance(problem, travellers(problem, 5, range(8)), 1e6 + TIMES, 10**5)
    early = advance(problem, travellers(problem, 5, range(8)), TIMES, 10**5)
    assert late.jumps == early.jumps
    np.testing.assert_allclose(late.numbers, early.numbers, atol=1e-6)


@pytest.mark.parametrize(("spins", "m"), [(3, [0.3, 0.2, 0.5]), (40, [0.6, 0.0, -0.8]), (101, [0.1, -0.3, 0.2])])
def test_drawn_states_are_those_of_the_product_state(spins, m):
    """Each amplitude vector is an eigenvector of J along the Bloch vector; the mean populations are those of Exact."""
    random = np.random.default_rng(1)
    problem = ss.Exact(spins).lower(laser(), np.array([m]), 0)
    places = problem.lattice.sites(0)
    exact = {(2 * (a + spins % 2 / 2), 2 * (b - spins / 2)): p for (a, b), p in zip(places, problem.start(0), strict=True)}
    seen = dict.fromkeys(exact, 0.0)
    count = 4000
    for _ in range(count):
        twice_j, along, wave = drawn(random, spins, np.array(m))
        assert np.linalg.norm(wave) == pytest.approx(1)
        j, mm = twice_j / 2, np.arange(twice_j + 1) - twice_j / 2
        raised = np.zeros_like(wave)
        raised[1:] = np.sqrt((j - mm[:-1]) * (j + mm[:-1] + 1)) * wave[:-1]
        lowered = np.zeros_like(wave)
        lowered[:-1] = np.sqrt((j + mm[1:]) * (j - mm[1:] + 1)) * wave[1:]
        n = np.array(m) / np.linalg.norm(m)
        x, y = (raised + lowered) / 2, (raised - lowered) / 2j
        np.testing.assert_allclose(n[0] * x + n[1] * y + n[2] * mm * wave, along / 2 * wave, atol=1e-9 * (spins + 1))
        for value, p in zip(mm, abs(wave) ** 2, strict=True):
            seen[twice_j, 2 * value] += p / count
    assert sum(abs(seen[key] - exact[key]) for key in exact) < 2 * np.sqrt(len(exact) / count)


def test_a_limit_says_so():
    run = ss.evolve(laser(), TIMES, theory=ss.Trajectories(20, atol=1e-6, rtol=0, most_jumps=50_000))
    assert not bool(run.converged)
    assert int(run.trajectories) >= 32
    rest = ss.steady_state(laser(), theory=ss.Trajectories(20, atol=1e-6, rtol=0, most_jumps=50_000))
    assert not bool(rest.converged)


def test_large_ensembles_approach_mean_field():
    cycle = ss.limit_cycle(laser())
    rest = ss.steady_state(laser(), theory=ss.Trajectories(10_000))
    assert abs(rest.inversion[0] - cycle.inversion) < 4 * rest.inversion_error[0] + 10 / 10_000
    assert abs(rest.correlation[0, 0].real - cycle.amplitude**2) < 4 * rest.correlation_error[0, 0] + 10 / 10_000
