"""Cumulants that start with coherence: against exact answers, the symmetric sector, mean field, and by laws."""

from itertools import pairwise

import numpy as np
import pytest

import spinsync as ss
from reference import random_system
from spinsync.model.realizability import Validity
from systems import laser, pair

COVARIANCES = ("coherence_covariance", "anomalous_covariance", "coherence_inversion_covariance", "inversion_covariance")
LASER = laser()
CYCLE = [[1 / 3, 0.0, 1 / 6]]  # the mean-field cycle of LASER
CONTRAST = pair(1.5, 8.0, dephasing=0.2, cross_coupling=3.0, cross_theta=(-0.6, -2.0), weights=(1, 2))
START = [[0.5, 0.2, 0.3], [-0.1, 0.4, -0.2]]


def evolve(ensemble, times, spins, initial, **options):
    rtol = options.pop("rtol", 1e-9)
    return ss.evolve(ensemble, times, theory=ss.Cumulants(spins, rtol=rtol), initial=initial, **options)


def largest_difference(one, other, names=None):
    names = names or one.data_vars.keys() - {"status"}
    return max(float(np.nanmax(abs(one[name].values - other[name].values))) for name in names)


COLLAPSE = {  # |s| at t = 0, 1, 3, 6, 10, 15 of equations generated from (2.2) by another program
    100: (0.167, 0.098, 0.0002, 0, 0, 0),
    1000: (0.167, 0.161, 0.153, 0.142, 0.125, 0.099),
    10**5: (0.1667, 0.1666, 0.1665, 0.1664, 0.1663, 0.1661),
}


@pytest.mark.parametrize("spins", COLLAPSE)
def test_the_coherence_collapses_where_the_phase_diffuses(spins):
    run = evolve(LASER, [0.0, 1.0, 3.0, 6.0, 10.0, 15.0], spins, CYCLE)
    last_digit = {100: 6e-4, 1000: 6e-4, 10**5: 6e-5}[spins]
    np.testing.assert_allclose(abs(run.coherence.values[:, 0]), COLLAPSE[spins], rtol=0, atol=last_digit)
    steady = evolve(LASER, [0.0, 300.0], spins, None)  # z and c pass into those of the symmetric sector
    if spins == 100:
        assert largest_difference(run.isel(time=-1), steady.isel(time=-1), ["inversion", "correlation"]) < 1e-6


@pytest.mark.parametrize("spins", [30, 100, 300])
def test_short_against_the_linewidth_it_is_the_exact_motion(spins):
    """Until t = 0.1/linewidth, where the variance of the phase is 0.1."""
    width = float(ss.linewidth(LASER, theory=ss.Exact(spins)).linewidth)
    times = np.linspace(0.0, 0.1 / width, 11)
    run, exact = (ss.evolve(LASER, times, theory=theory(spins), initial=CYCLE) for theory in (ss.Cumulants, ss.Exact))
    assert abs(run.coherence / exact.coherence - 1).max() < 0.01


def test_status_tells_when_the_time_is_not_short():
    """The variance of the phase, linewidth times t, passes 0.1 at t = 0.52 by the exact linewidth 0.1925 of 300 spins."""
    times = np.linspace(0.0, 2.0, 41)
    run = evolve(LASER, times, 300, CYCLE)
    diffused = run.status.values == Validity.PHASE_DIFFUSED
    first = times[np.argmax(diffused)]
    assert 0.4 < first < 0.8
    assert diffused[times >= first].all()
    assert (run.status.values[~diffused] == Validity.VALID).all()
    exact = ss.evolve(LASER, times, theory=ss.Exact(300), initial=CYCLE)
    assert abs(run.coherence / exact.coherence - 1).values[~diffused].max() < 0.01
    assert (evolve(LASER, times, 10**9, CYCLE).status == Validity.VALID).all()


TWO = {
    "one group": (laser(frequency=0.7, theta=-1.0), [[0.5, 0.2, 0.3]]),
    # K has eigenvalues of both signs: correlated decay and pumping
    "two groups": (pair(1.5, 8.0, dephasing=0.2, cross_coupling=14.0, cross_theta=(-0.6, -2.0)), START),
}


@pytest.mark.parametrize("system", TWO)
def test_two_spins_are_exact(system):
    ensemble, initial = TWO[system]
    times = np.linspace(0.0, 4.0, 9)
    run = evolve(ensemble, times, 2, initial, rtol=1e-11)
    exact = ss.evolve(ensemble, times, theory=ss.BruteForce(2), initial=initial)
    assert largest_difference(exact, run) < 1e-8  # BruteForce: 1e-9
    assert (run.status == Validity.VALID).all()
    assert np.isnan(run.correlation.values[:, 0, 0]).all() == (system == "two groups")  # one spin has no pair


def test_at_first_it_follows_the_exact_motion_of_few_spins():
    """Errors of single spins are O(t^4), those of pairs O(t^3)."""
    times = np.array([0.0, 0.002, 0.004])
    run = evolve(CONTRAST, times, 6, START, rtol=1e-11)
    exact = ss.evolve(CONTRAST, times, theory=ss.BruteForce(6), initial=START)
    errors = [np.nanmax(abs(run.correlation - exact.correlation).values[k]) for k in (1, 2)]
    assert 1e-8 < errors[1] < 1e-4
    assert 6.4 < errors[1] / errors[0] < 9.0


def test_a_rotation_of_all_phases_rotates_the_answer():
    times, phase = np.linspace(0.0, 2.0, 5), 0.9
    rotation = np.array([[np.cos(phase), -np.sin(phase), 0], [np.sin(phase), np.cos(phase), 0], [0, 0, 1]])
    run, turned = (evolve(CONTRAST, times, 60, start) for start in (START, START @ rotation.T))
    charge = {"coherence": 1, "anomalous_covariance": 2, "coherence_inversion_covariance": 1}
    for name in run.data_vars:
        expected = run[name] * np.exp(-1j * phase * charge[name]) if name in charge else run[name]
        np.testing.assert_allclose(turned[name], expected, rtol=0, atol=1e-8, err_msg=name)


def test_groups_split_into_equal_parts_move_as_before():
    times = np.linspace(0.0, 2.0, 5)
    whole = evolve(CONTRAST, times, 60, START)
    parts = evolve(CONTRAST.split(2), times, 60, np.repeat(START, 2, axis=0))
    for name in ("coherence", "inversion"):
        np.testing.assert_allclose(parts[name].values[:, ::2], whole[name], rtol=0, atol=1e-8)
    for name in ("correlation", *COVARIANCES):
        for first, second in ((0, 1), (1, 0)):  # pairs within a part and between parts
            np.testing.assert_allclose(parts[name].values[:, first::2, second::2], whole[name], rtol=0, atol=1e-8, err_msg=name)
            np.testing.assert_allclose(parts[name].values[:, ::2, ::2], whole[name], rtol=0, atol=1e-8, err_msg=name)
    np.testing.assert_allclose(parts.order_parameter, whole.order_parameter, rtol=0, atol=1e-8)


def test_the_order_of_groups_is_irrelevant():
    system, order, times = random_system(12, 3), [2, 0, 1], np.linspace(0.0, 1.0, 4)
    spins = 100 * np.array([1, 2, 3])
    system = type(system)(**{**vars(system), "weight": spins / 600})
    other = system.permuted(np.array(order))
    run, permuted = (evolve(one.ensemble(), times, 600, one.bloch) for one in (system, other))
    for name in ("coherence", "inversion", *COVARIANCES):
        values = run[name].values[:, order]
        values = values[:, :, order] if values.ndim == 3 else values
        np.testing.assert_allclose(permuted[name], values, rtol=0, atol=1e-8, err_msg=name)


def test_a_vanishing_coherence_is_the_symmetric_sector():
    weak = CONTRAST.replace(coupling=1.0, cross_coupling=0.5)  # below threshold: no coherence grows
    times = np.linspace(0.0, 3.0, 7)
    vectors = np.array(START) * [1e-5, 1e-5, 1]
    run = evolve(weak, times, 30, vectors)
    symmetric = evolve(weak, times, 30, vectors * [0, 0, 1])
    assert "coherence" in run
    assert "coherence" not in symmetric
    names = symmetric.data_vars.keys() - {"status", "order_parameter"}
    assert largest_difference(symmetric, run, names) < 1e-9  # of |s|^2 = 1e-11


@pytest.mark.parametrize("frequency", [0.0, ss.Gaussian(1.0), ss.Uniform(1.0)], ids=str)
def test_many_spins_are_the_mean_field_with_corrections_of_order_1_over_n(frequency):
    one = ss.Ensemble([ss.Group(3.0, 1.0, frequency=frequency)], [[12 * np.exp(-1.2j)]])
    times = np.array([0.0, 1.0, 4.0])
    limit = ss.evolve(one, times, theory=ss.MeanField(rtol=1e-11, atol=1e-13), initial=[[0.3, 0.0, 0.2]])
    distance = [
        abs(evolve(one, times, spins, [[0.3, 0.0, 0.2]], rtol=1e-10).coherence - limit.coherence).values.max()
        for spins in (10**4, 10**5, 10**6)
    ]
    assert 1e-6 < distance[2] < 1e-4
    for one_size, next_size in pairwise(distance):
        assert 9.5 < one_size / next_size < 10.5


def test_a_million_million_spins_lose_no_digits():
    """N times the covariances has a limit that is approached as 1/N: beyond 10^9 spins it changes by 1e-8."""
    times = np.linspace(0.0, 3.0, 4)
    limit = {n: evolve(CONTRAST, times, 3 * n, START, rtol=1e-11) for n in (10**6, 10**9, 10**12)}
    for name in COVARIANCES:
        scaled = {n: n * run[name].values for n, run in limit.items()}
        scale = abs(scaled[10**12]).max()
        assert scale > 0.01
        change = [abs(scaled[n] - scaled[10**12]).max() / scale for n in (10**6, 10**9)]
        assert 1e-6 < change[0] < 1e-4
        assert change[1] < 2e-3 * change[0]


def test_sampled_frequencies_are_groups_of_equal_spins():
    """Means over pairs leave out a spin with itself: 2 (30 29) pairs within the classes, 2 (30 30) between them."""
    c, times = 8 * np.exp(-1.1j), np.linspace(0.0, 2.0, 5)
    one = ss.Ensemble([ss.Group(3.0, 1.0, frequency=ss.Samples([-1.5, 1.5]))], [[c]])
    two = ss.Ensemble([ss.Group(3.0, 1.0, frequency=w) for w in (-1.5, 1.5)], np.full((2, 2), c))
    whole, parts = (evolve(one_, times, 60, start) for one_, start in ((one, START[:1]), (two, START[:1] * 2)))
    assert abs(np.diff(parts.coherence.values, axis=1)).max() > 0.1
    s, z = (parts[name].values.mean(axis=1) for name in ("coherence", "inversion"))
    np.testing.assert_allclose(whole.coherence.values[:, 0], s, rtol=0, atol=1e-8)
    pairs = np.array([[30 * 29, 900], [900, 30 * 29]]) / (60 * 59)
    products = {"coherence_covariance": (s.conj(), s), "inversion_covariance": (z, z)}
    products |= {"anomalous_covariance": (s, s), "coherence_inversion_covariance": (s, z)}
    single = {"s": parts.coherence.values, "z": parts.inversion.values}
    single["s*"] = single["s"].conj()
    factors = dict(zip(COVARIANCES, (("s*", "s"), ("s", "s"), ("s", "z"), ("z", "z")), strict=True))
    for name in COVARIANCES:
        left, right = (single[factor] for factor in factors[name])
        moment = parts[name].values + left[:, :, None] * right[:, None, :]
        expected = (moment * pairs).sum(axis=(1, 2)) - products[name][0] * products[name][1]
        np.testing.assert_allclose(whole[name].values[:, 0, 0], expected, rtol=0, atol=1e-8, err_msg=name)


def test_single_classes_are_shown_and_may_start_on_their_own():
    one, times = laser(frequency=ss.Gaussian(1.0)), [0.0, 1.0, 2.0]
    run = evolve(one, times, 10**4, [[0.6, 0.0, 0.3]], each=True)
    for name in ("coherence", "inversion"):
        mean = (run[f"spin_{name}"] * run.spin_weight).sum("spin")
        np.testing.assert_allclose(mean, run[name].values[:, 0], rtol=0, atol=1e-12)
    turned = np.angle(run.spin_coherence[-1] * np.conj(run.coherence[-1, 0]))
    assert (np.diff(turned) < 0).all()  # faster spins lead: the phase is -arg s
    vectors = np.tile([0.6, 0.0, 0.3], (run.sizes["spin"], 1))
    vectors[::2, 1] = 0.5
    other = evolve(one, times, 10**4, vectors, each=True)
    np.testing.assert_allclose(other.spin_coherence[0], (vectors[:, 0] - 1j * vectors[:, 1]) / 2, rtol=0, atol=1e-12)
    mean = ss.evolve(one, times, theory=ss.MeanField(nodes=run.sizes["spin"]), initial=[[0.6, 0.0, 0.3]])
    assert abs(mean.coherence - run.coherence).max() < 0.01  # 1/N


def test_squeezing_is_that_of_exact_at_first_and_has_a_limit_of_many_spins():
    """One-axis twisting with collective decay: Wineland's parameter falls from 1 to 0.56; at 10^12 spins no digits are lost."""
    twisted, times = ss.Ensemble.single(gain=0.0, damping=0.01, coupling=1.0, theta=-0.3), [0.0, 0.5, 1.0]
    exact = ss.squeezing(ss.evolve(twisted, times, theory=ss.Exact(100), initial=[[1.0, 0.0, 0.0]]))
    found = {n: ss.squeezing(evolve(twisted, times, n, [[1.0, 0.0, 0.0]], rtol=1e-11)) for n in (100, 10**6, 10**9, 10**12)}
    for name, value in (("wineland", 0.562), ("dicke", 1.48)):
        assert float(found[10**12][name][-1]) == pytest.approx(value, rel=1e-3)
        np.testing.assert_allclose(found[100][name], exact[name], rtol=0.01)
        change = [abs(found[n][name] - found[10**12][name]).values.max() for n in (10**6, 10**9)]
        assert 1e-7 < change[0] < 1e-4
        assert change[1] < 2e-3 * change[0]
