"""Trajectories agree with the reference theories Exact and BruteForce within their error bars."""

import numpy as np
import pytest
from scipy.linalg import expm

import spinsync as ss
from spinsync.problems.sampled.sampling import advance
from spinsync.problems.sampled.statistics import mean_steady_state, uncorrelated
from spinsync.theory.permutation.product_states import draw
from systems import HALF_PI, laser, trajectories_of, two_groups

NAMES = ("inversion", "correlation", "inversion_correlation")
TIMES = np.linspace(0, 2, 5)


def standardized(run, reference):
    """Distances in units of the error, one array for all variables; where the error is zero the values must be equal."""
    found = []
    for name in NAMES:
        distance, error = abs(run[name] - reference[name]).values.ravel(), run[f"{name}_error"].values.ravel()
        uncertain = error > 1e-13
        assert np.all(~(distance[~uncertain] > 1e-12))
        found.append(distance[uncertain] / error[uncertain])
    return np.concatenate(found)


@pytest.mark.parametrize("seed", range(6))
def test_motion_of_two_groups_agrees_with_brute_force(seed):
    ensemble, m, spins = two_groups(seed)
    run = ss.evolve(ensemble, TIMES, theory=ss.Trajectories(spins, rtol=0.03, atol=6e-3), initial=m, seed=seed)
    reference = ss.evolve(ensemble, TIMES, theory=ss.BruteForce(spins), initial=m)
    assert bool(run.converged)
    distance = standardized(run, reference)
    assert distance.max() < 5  # some 50 correlated numbers, the largest of which may reach 4
    assert np.mean(distance**2) < 3
    np.testing.assert_allclose(run.correlation, np.conj(run.correlation.transpose("time", "other_group", "group")), atol=1e-14)


@pytest.mark.parametrize(("theta", "dephasing"), [(-HALF_PI, 0.0), (-0.9, 0.4), (0.7, 0.2)])
def test_motion_of_one_group_agrees_with_exact(theta, dephasing):
    ensemble, m = laser(theta=theta, dephasing=dephasing), [[0.5, 0.2, -0.4]]
    run = ss.evolve(ensemble, TIMES, theory=ss.Trajectories(30, rtol=0.02, atol=1e-3), initial=m)
    reference = ss.evolve(ensemble, TIMES, theory=ss.Exact(30), initial=m)
    assert standardized(run, reference).max() < 4
    distance = abs(run.order_parameter - reference.order_parameter)
    assert np.all(distance < 4 * run.order_parameter_error)


@pytest.mark.parametrize("spins", [1, 7, 30, 400])
def test_steady_state_agrees_with_exact(spins):
    ensemble = laser(dephasing=0.3)
    steady = ss.steady_state(ensemble, theory=ss.Trajectories(spins))
    assert bool(steady.converged)
    assert standardized(steady, ss.steady_state(ensemble, theory=ss.Exact(spins))).max() < 4


def test_steady_state_of_two_groups_agrees_with_brute_force():
    ensemble, _, spins = two_groups(1)
    steady = ss.steady_state(ensemble, theory=ss.Trajectories(spins, atol=2e-3))
    assert standardized(steady, ss.steady_state(ensemble, theory=ss.BruteForce(spins))).max() < 4.5


def test_the_steady_state_does_not_depend_on_the_start_where_relaxation_is_slow():
    """Just above the threshold V = 4 fluctuations relax slower than single spins, so that the first windows differ."""
    ensemble, theory = laser(coupling=4.2), ss.Trajectories(1000, rtol=0.5)
    reference = ss.steady_state(ensemble, theory=ss.Exact(1000))
    for seed in range(4):
        steady = mean_steady_state(theory.lower(ensemble, np.array([[0.0, 0.0, 1.0]]), seed), seed)
        distance = abs(steady["correlation"][1] - reference.correlation.values) / steady["correlation_error"][1]
        assert distance.max() < 4


@pytest.mark.parametrize(("correlation", "expected"), [(0.0, True), (0.3, True), (0.8, False), (1.0, False)])
def test_correlated_windows_are_recognized(correlation, expected):
    """Ten variables, whose means over two successive windows have the correlation `correlation` over trajectories."""
    x, y = np.random.default_rng(5).normal(size=(2, 16, 10))
    dims = ("group",)
    before, after = (
        dict.fromkeys(("inversion", "correlation"), (dims, v)) for v in (x, correlation * x + (1 - correlation**2) ** 0.5 * y)
    )
    assert uncorrelated(before, after, before) is expected


@pytest.mark.parametrize("groups", [1, 2])
def test_spins_without_coupling_relax_independently(groups):
    """z(t) = z0 + (z(0) - z0) exp(-(kappa + gamma) t); no pair is correlated. Rates that are wrong by 5 percent are noticed."""
    rates = [(0.0, 1.0), (0.5, 0.7)][:groups]
    ensemble = ss.Ensemble([ss.Group(*pair, dephasing=0.4) for pair in rates], np.zeros((groups, groups)))
    times = np.array([0.0, 0.4, 1.0])
    run = ss.evolve(ensemble, times, theory=ss.Trajectories(60, rtol=0, atol=5e-3), initial=[[0, 0, 0.9]] * groups)
    total, z0 = (np.array([f(*pair) for pair in rates]) for f in (lambda k, g: k + g, lambda k, g: (k - g) / (k + g)))
    z = z0 + (0.9 - z0) * np.exp(-np.outer(times, total))
    reference = {
        "inversion": z,
        "correlation": np.zeros((3, groups, groups)),
        "inversion_correlation": z[:, :, None] * z[:, None],
    }
    for name in NAMES:
        assert np.all(abs(run[name].values - reference[name]) < 4.5 * run[f"{name}_error"].values + 1e-12)


def test_two_equal_groups_are_equivalent_to_one():
    """The same physics by quantum jumps and by populations of (j, m)."""
    one = laser(dephasing=0.2, coupling=8.0)
    steady = ss.steady_state(one.split(2), theory=ss.Trajectories(30, rtol=0.02))
    reference = ss.steady_state(one, theory=ss.Exact(30))
    for a in range(2):
        for b in range(2):
            part = steady.isel(group=a, other_group=b)
            assert abs(part.inversion - reference.inversion[0]) < 4 * part.inversion_error
            assert abs(part.correlation - reference.correlation[0, 0]) < 4 * part.correlation_error


def test_truncation_of_the_state_vector_changes_nothing():
    """Evolution between jumps agrees with the matrix exponential; only part of the 600 components is above rounding error."""
    ensemble = ss.Ensemble.pair(detuning=3.0, gain=0.5, damping=0.2, coupling=4.0, theta=-1.2)
    problem = ss.Trajectories(2000).lower(ensemble, np.array([[0.5, 0.1, 0.2], [0.4, -0.3, 0.1]]), 0)
    rules, table = problem.rules, problem.table
    one = problem.trajectory(1, 0)
    first, last = one.labels[-2:]
    diagonal, up, down = (np.zeros(len(one.psi), complex) for _ in range(3))
    rules.generator(one.labels, table, diagonal, up, down)
    matrix = (np.diag(diagonal) + np.diag(up[:-1], -1) + np.diag(down[1:], 1))[first : last + 1, first : last + 1]
    time = 0.02 / abs(matrix).sum(axis=0).max() ** 0.5
    expected = expm(matrix * time) @ one.psi[first : last + 1]
    expected /= np.linalg.norm(expected)
    for seed in range(100):  # until a trajectory has no jump
        one = problem.trajectory(1, 0)
        one.random = np.random.default_rng(seed)
        if advance(problem, [lambda one=one: one], np.array([0, time]), 1000).jumps == 0:
            break
    low, high = one.labels[-2:]
    assert high - low < 0.7 * (last - first)
    np.testing.assert_allclose(one.psi[first : last + 1], expected, atol=1e-13)


def test_two_large_equal_groups_agree_with_one():
    """Truncated state vectors with jumps, and the jump process of one group."""
    one, m = laser(dephasing=0.2, coupling=8.0), [[0.4, 0.0, 0.3]]
    run, reference = (
        ss.evolve(e, [0, 0.3], theory=ss.Trajectories(600, rtol=rtol), initial=m * len(e.groups)).isel(time=1)
        for e, rtol in ((one.split(2), 0.25), (one, 0.02))
    )
    for name in ("inversion", "correlation"):
        error = np.hypot(run[f"{name}_error"].values, reference[f"{name}_error"].values)
        assert np.all(abs(run[name].values - reference[name].values) < 4 * error)


def test_the_seed_determines_the_result():
    ensemble, m, spins = two_groups(0)
    theory = ss.Trajectories(spins, atol=0.05, rtol=0.1)
    run, again, other = (ss.evolve(ensemble, TIMES, theory=theory, initial=m, seed=seed) for seed in (3, 3, 4))
    assert run.identical(again)
    assert ss.rerun(run).identical(run)
    steady, same = (ss.steady_state(ensemble, theory=theory, seed=3) for _ in range(2))
    assert steady.identical(same)
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
def test_waiting_times_keep_their_digits_at_late_times(groups):
    ensemble = laser() if groups == 1 else two_groups(0)[0]
    problem = ss.Trajectories(12).lower(ensemble, None, 0)
    late = advance(problem, trajectories_of(problem, 5, range(8)), 1e6 + TIMES, 10**5)
    early = advance(problem, trajectories_of(problem, 5, range(8)), TIMES, 10**5)
    assert late.jumps == early.jumps
    np.testing.assert_allclose(late.numbers, early.numbers, atol=1e-6)


@pytest.mark.parametrize(("spins", "m"), [(3, [0.3, 0.2, 0.5]), (40, [0.6, 0.0, -0.8]), (101, [0.1, -0.3, 0.2])])
def test_states_drawn_from_a_product_state_have_its_mean(spins, m):
    """Each amplitude vector is an eigenvector of J along the Bloch vector; the mean populations are those of Exact."""
    random = np.random.default_rng(1)
    problem = ss.Exact(spins).lower(laser(), np.array([m]), 0)
    sites = problem.sectors.sites(0)
    exact = {(2 * (a + spins % 2 / 2), 2 * (b - spins / 2)): p for (a, b), p in zip(sites, problem.start(0), strict=True)}
    found = dict.fromkeys(exact, 0.0)
    count = 4000
    for _ in range(count):
        twice_j, along, psi = draw(random, spins, np.array(m))
        assert np.linalg.norm(psi) == pytest.approx(1)
        j, mm = twice_j / 2, np.arange(twice_j + 1) - twice_j / 2
        raised = np.zeros_like(psi)
        raised[1:] = np.sqrt((j - mm[:-1]) * (j + mm[:-1] + 1)) * psi[:-1]
        lowered = np.zeros_like(psi)
        lowered[:-1] = np.sqrt((j + mm[1:]) * (j - mm[1:] + 1)) * psi[1:]
        n = np.array(m) / np.linalg.norm(m)
        x, y = (raised + lowered) / 2, (raised - lowered) / 2j
        np.testing.assert_allclose(n[0] * x + n[1] * y + n[2] * mm * psi, along / 2 * psi, atol=1e-9 * (spins + 1))
        for value, p in zip(mm, abs(psi) ** 2, strict=True):
            found[twice_j, 2 * value] += p / count
    assert sum(abs(found[key] - exact[key]) for key in exact) < 2 * np.sqrt(len(exact) / count)


def test_large_ensembles_approach_mean_field():
    cycle = ss.limit_cycle(laser())
    steady = ss.steady_state(laser(), theory=ss.Trajectories(10_000))
    assert abs(steady.inversion[0] - cycle.inversion) < 4 * steady.inversion_error[0] + 10 / 10_000
    assert abs(steady.correlation[0, 0].real - cycle.amplitude**2) < 4 * steady.correlation_error[0, 0] + 10 / 10_000
