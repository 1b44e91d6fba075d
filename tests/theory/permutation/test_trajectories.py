"""Trajectories: the judges agree within the error bars."""

import numpy as np
import pytest
from scipy.linalg import expm

import spinsync as ss
from spinsync.problems.sampled.sampling import advance
from spinsync.problems.sampled.statistics import _forgotten, mean_at_rest
from spinsync.theory.permutation.product_states import drawn
from systems import HALF_PI, laser, trajectories_of, two_groups

NAMES = ("inversion", "correlation", "inversion_correlation")
TIMES = np.linspace(0, 2, 5)


def standardized(run, judge):
    """Distances in units of the standard error, where there is one; equal where there is none."""
    found = []
    for name in NAMES:
        away, error = abs(run[name] - judge[name]).values.ravel(), run[f"{name}_error"].values.ravel()
        told = error > 1e-13
        assert np.all(~(away[~told] > 1e-12))
        found.append(away[told] / error[told])
    return np.concatenate(found)


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
    assert _forgotten(before, after, before) is expected


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


def test_a_cut_wave_moves_as_the_whole_one():
    """Between jumps; only a part of its 600 components is more than rounding."""
    ensemble = ss.Ensemble.pair(detuning=3.0, gain=0.5, damping=0.2, coupling=4.0, theta=-1.2)
    problem = ss.Trajectories(2000).lower(ensemble, np.array([[0.5, 0.1, 0.2], [0.4, -0.3, 0.1]]), 0)
    rules, table = problem.rules, problem.table
    one = problem.trajectory(1, 0)
    first, last = one.place[-2:]
    diagonal, up, down = (np.zeros(len(one.wave), complex) for _ in range(3))
    rules.generator(one.place, table, diagonal, up, down)
    matrix = (np.diag(diagonal) + np.diag(up[:-1], -1) + np.diag(down[1:], 1))[first : last + 1, first : last + 1]
    time = 0.02 / abs(matrix).sum(axis=0).max() ** 0.5
    expected = expm(matrix * time) @ one.wave[first : last + 1]
    expected /= np.linalg.norm(expected)
    for seed in range(100):  # until one comes there without a jump
        one = problem.trajectory(1, 0)
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
    forwards = advance(problem, trajectories_of(problem, 5, range(20)), TIMES, 10**6).numbers
    backwards = advance(problem, trajectories_of(problem, 5, range(19, -1, -1)), TIMES, 10**6).numbers[::-1]
    np.testing.assert_array_equal(forwards, backwards)
    assert len(np.unique(forwards[:, -1, 0])) > 3
    theory = ss.Trajectories(12, rtol=0.5, atol=0.2)
    one, many = (ss.evolve(ensemble, TIMES, theory=theory, seed=5, threads=threads) for threads in (1, 7))
    assert one.identical(many)


@pytest.mark.parametrize("groups", [1, 2])
def test_long_times_do_not_stop_a_trajectory(groups):
    """Waiting times keep their digits at a late hour."""
    ensemble = laser() if groups == 1 else two_groups(0)[0]
    problem = ss.Trajectories(12).lower(ensemble, None, 0)
    late = advance(problem, trajectories_of(problem, 5, range(8)), 1e6 + TIMES, 10**5)
    early = advance(problem, trajectories_of(problem, 5, range(8)), TIMES, 10**5)
    assert late.jumps == early.jumps
    np.testing.assert_allclose(late.numbers, early.numbers, atol=1e-6)


@pytest.mark.parametrize(("spins", "m"), [(3, [0.3, 0.2, 0.5]), (40, [0.6, 0.0, -0.8]), (101, [0.1, -0.3, 0.2])])
def test_drawn_states_are_those_of_the_product_state(spins, m):
    """Each amplitude vector is an eigenvector of J along the Bloch vector; the mean populations are those of Exact."""
    random = np.random.default_rng(1)
    problem = ss.Exact(spins).lower(laser(), np.array([m]), 0)
    places = problem.sectors.sites(0)
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


def test_large_ensembles_approach_mean_field():
    cycle = ss.limit_cycle(laser())
    rest = ss.steady_state(laser(), theory=ss.Trajectories(10_000))
    assert abs(rest.inversion[0] - cycle.inversion) < 4 * rest.inversion_error[0] + 10 / 10_000
    assert abs(rest.correlation[0, 0].real - cycle.amplitude**2) < 4 * rest.correlation_error[0, 0] + 10 / 10_000
