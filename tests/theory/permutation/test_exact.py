"""Exact agrees with brute force, obeys conservation laws and symmetries, and approaches mean field for large N."""

import numpy as np
import pytest

import spinsync as ss
from reference import random_bloch
from spinsync.problems.linear.state_lattice import steady_populations
from spinsync.theory.permutation.exact import DickeLattice, Exact
from systems import HALF_PI, laser, one_group, superradiant_laser


@pytest.mark.parametrize("seed", range(24))
def test_motion_agrees_with_brute_force(seed):
    ensemble, rng = one_group(seed)
    spins, m = 1 + seed % 5, random_bloch(rng, 1)
    if seed % 2:
        m /= np.linalg.norm(m)  # a pure state
    times = np.sort(rng.uniform(0, 4, 7))
    run, reference = (ss.evolve(ensemble, times, theory=theory(spins), initial=m) for theory in (ss.Exact, ss.BruteForce))
    assert set(run.data_vars) == set(reference.data_vars)
    for name in ("coherence", "inversion", "correlation"):
        assert run[name].dims == reference[name].dims
        assert run[name].dtype == reference[name].dtype
        np.testing.assert_allclose(run[name], reference[name], atol=1e-11, err_msg=name)
    np.testing.assert_allclose(run.order_parameter**2, reference.order_parameter**2, atol=1e-10)


@pytest.mark.parametrize("seed", range(24))
def test_steady_state_agrees_with_brute_force(seed):
    ensemble, _ = one_group(seed)
    if ensemble.groups[0].gamma_1 == 0:
        ensemble = ensemble.replace(**{"A.damping": 0.7})
    spins = 1 + seed % 5
    steady, reference = (ss.steady_state(ensemble, theory=theory(spins)) for theory in (ss.Exact, ss.BruteForce))
    for name in ("inversion", "correlation"):
        np.testing.assert_allclose(steady[name], reference[name], atol=1e-11, err_msg=name)


def test_six_spins_agree_with_brute_force():
    ensemble = laser(theta=-0.9, dephasing=0.3, frequency=1.0)
    steady, reference = (ss.steady_state(ensemble, theory=theory(6)) for theory in (ss.Exact, ss.BruteForce))
    np.testing.assert_allclose(steady.inversion, reference.inversion, atol=1e-11)
    np.testing.assert_allclose(steady.correlation, reference.correlation, atol=1e-11)


@pytest.mark.parametrize("seed", range(12))
def test_spectrum_is_part_of_the_full_spectrum(seed):
    """Every eigenvalue of a sector is an eigenvalue of the full 4^N-dimensional generator."""
    ensemble, _ = one_group(seed)
    spins = 2 + seed % 4
    problem, reference = (theory(spins).lower(ensemble, None, 0) for theory in (ss.Exact, ss.BruteForce))
    for q in range(-spins, spins + 1):
        mine, full = (np.linalg.eigvals(p.sectors.block(q).toarray()) for p in (problem, reference))
        # N - |q| + 2 over 2, halved: one state for each j >= |m|, |m - q|
        assert mine.size == sum(max(0, twice_j + 1 - abs(q)) for twice_j in range(spins, -1, -2))
        # degenerate eigenvalues of the full matrix split by the root of the rounding error
        assert max(abs(full - value).min() for value in mine) < 1e-6
        assert mine.real.max() < 1e-10


@pytest.mark.parametrize("spins", [1, 2, 7, 40, 61])
def test_generator_keeps_trace_and_positivity(spins):
    ensemble, _ = one_group(7)
    generator = Exact(spins).lower(ensemble, None, 0).sectors.block(0)
    scale = abs(generator.data).max()
    assert abs(generator.sum(axis=0)).max() < 1e-14 * scale * spins
    entries = generator.tocoo()
    assert entries.data[entries.row != entries.col].min() >= 0
    assert np.isrealobj(generator.data)


@pytest.mark.parametrize(("spins", "m"), [(1, [0.3, 0.2, 0.5]), (50, [0, 0, 0]), (51, [0.6, -0.2, -0.3]), (400, [0, 0, 1]),
                                          (400, [0.6, 0.0, 0.8]), (1000, [0.1, -0.2, 0.3])])  # fmt: skip
def test_product_states_have_their_means(spins, m):
    """Trace, inversion, coherence and correlation |s|^2, up to sizes whose binomials overflow."""
    problem = Exact(spins).lower(laser(), np.array([m], float), 0)
    zero, one = problem.start(0), problem.start(1)
    assert zero.min() >= 0
    assert zero.sum() == pytest.approx(1, abs=1e-11)
    observed = problem.sectors.observe({0: zero[None], 1: one[None]})
    s = (m[0] - 1j * m[1]) / 2
    assert observed["inversion"][1][0, 0] == pytest.approx(m[2], abs=1e-11)
    assert observed["coherence"][1][0, 0] == pytest.approx(s, abs=1e-11)
    if spins > 1:
        assert observed["correlation"][1][0, 0, 0] == pytest.approx(abs(s) ** 2, abs=1e-11)


@pytest.mark.parametrize("theta", [-HALF_PI, -0.4, 0.8])
def test_motion_ends_in_the_steady_state(theta):
    ensemble = laser(theta=theta, dephasing=0.2)
    end = ss.evolve(ensemble, [0.0, 20.0, 60.0], theory=ss.Exact(40)).isel(time=-1)
    steady = ss.steady_state(ensemble, theory=ss.Exact(40))
    np.testing.assert_allclose(end.inversion, steady.inversion, atol=1e-10)
    np.testing.assert_allclose(end.correlation, steady.correlation, atol=1e-10)
    assert abs(end.coherence) < 1e-3


def test_rotating_the_start_rotates_the_coherence():
    ensemble, times, angle = laser(theta=-1.0), [0.0, 0.3, 1.0], 0.77
    m = np.array([[0.5, 0.1, -0.4]])
    rotation = np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    run, rotated = (ss.evolve(ensemble, times, theory=ss.Exact(30), initial=v) for v in (m, m @ rotation))
    np.testing.assert_allclose(rotated.coherence, run.coherence * np.exp(-1j * angle), atol=1e-11)
    np.testing.assert_allclose(rotated.inversion, run.inversion, atol=1e-12)


def test_uncoupled_spins_move_as_one():
    free = laser(coupling=0.0, dephasing=0.3, frequency=0.7)
    times, m = np.linspace(0, 2, 9), [[0.6, -0.2, 0.4]]
    many, one = (ss.evolve(free, times, theory=ss.Exact(n), initial=m) for n in (60, 1))
    np.testing.assert_allclose(many.coherence, one.coherence, atol=1e-11)
    np.testing.assert_allclose(many.inversion, one.inversion, atol=1e-11)
    np.testing.assert_allclose(many.correlation[:, 0, 0], abs(one.coherence[:, 0]) ** 2, atol=1e-11)


@pytest.mark.parametrize(("spins", "z", "c"), [(100, 0.509407, 0.116264), (1000, 0.501000, 0.124124)])
def test_superradiant_laser(spins, z, c):
    """Reproduced from an independent elimination of the (j, m) rate equation; peak intensity N^2 Gc/8 for N -> infinity."""
    steady = ss.steady_state(superradiant_laser(spins), theory=ss.Exact(spins))
    assert float(steady.inversion[0]) == pytest.approx(z, abs=1e-6)
    assert float(steady.correlation[0, 0].real) == pytest.approx(c, abs=1e-6)
    intensity = spins * (1 + steady.inversion[0]) / 2 + spins * (spins - 1) * steady.correlation[0, 0].real
    assert float(intensity) / (spins**2 / 8) == pytest.approx(1, abs=6 / spins)


@pytest.mark.parametrize("theta", [-HALF_PI, -0.7])
def test_steady_state_approaches_mean_field_as_one_over_n(theta):
    ensemble = laser(theta=theta)
    cycle = ss.limit_cycle(ensemble)
    deviation = {}
    for spins in (800, 1600):
        steady = ss.steady_state(ensemble, theory=ss.Exact(spins))
        deviation[spins] = [
            float(steady.inversion[0] - cycle.inversion), float(steady.correlation[0, 0].real - cycle.amplitude**2)
        ]  # fmt: skip
    ratio = np.divide(deviation[800], deviation[1600])
    np.testing.assert_allclose(ratio, 2, rtol=0.05)  # corrections of order 1/N to the ratio


def test_motion_approaches_mean_field():
    """From the same product state, before corrections of order 1/N have grown."""
    times, m = np.linspace(0, 0.5, 6), [[0.5, 0.2, -0.4]]
    field = ss.evolve(laser(theta=-1.0), times, initial=m)
    deviation = [
        abs(ss.evolve(laser(theta=-1.0), times, theory=ss.Exact(n), initial=m).coherence - field.coherence).max().item()
        for n in (160, 320)
    ]
    assert deviation[0] / deviation[1] == pytest.approx(2, rel=0.1)


def test_pure_decay_ends_in_the_ground_state():
    """With decay alone there is one absorbing state; collective decay needs dephasing, which couples the dark states."""
    for rates in (dict(gain=0.0, damping=1.0), dict(gain=0.0, damping=0.0, dephasing=0.5)):
        for spins in (5, 300):
            steady = ss.steady_state(laser(**rates), theory=ss.Exact(spins))
            assert float(steady.inversion[0]) == pytest.approx(-1, abs=1e-12)
            assert float(steady.correlation[0, 0].real) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_window_has_all_probability(seed):
    ensemble, rng = one_group(seed)
    if ensemble.groups[0].gamma_1 == 0:
        ensemble = ensemble.replace(**{"A.gain": 0.7})
    assert_window_has_all_probability(ensemble, int(rng.integers(60, 200)))


@pytest.mark.parametrize("spins", [199, 200, 201, 230])
@pytest.mark.parametrize("gain", [0.97, 1.0, 1.03])
def test_window_has_all_probability_at_the_threshold_without_damping(spins, gain):
    """The first window surrounds the excited corner, whose exits truncation cuts off."""
    assert_window_has_all_probability(ss.Ensemble.single(gain=gain, damping=0.0, coupling=0.5, theta=-HALF_PI), spins)


class RareReference(DickeLattice):
    reference_site = (78, 178)


@pytest.mark.parametrize("spins", [200, 201])
def test_a_bad_reference_site_gives_the_same_steady_state(spins):
    """It is visited so rarely that rounding dominates: singular factors for 200 spins, negative times for 201."""
    lattice = Exact(spins).lower(ss.Ensemble.single(gain=1.0, damping=0.0, coupling=0.5, theta=-HALF_PI), None, 0).sectors
    rare = RareReference(spins=spins, group=lattice.group, window=lattice.window)
    at = [
        steady.lattice.sites(0)[:, 1] @ steady.probability
        for steady in (steady_populations.steady_state(rare), steady_populations.steady_state(lattice))
    ]
    assert at[0] == pytest.approx(at[1], rel=1e-11)


def assert_window_has_all_probability(ensemble, spins):
    """Against the elimination of the full sector, within the bound on the truncation error."""
    lattice = Exact(spins).lower(ensemble, None, 0).sectors
    found, everything = steady_populations.steady_state(lattice), lattice.truncated(lattice.full_window)
    jumps = everything.block(0).real
    jumps.setdiag(0)
    full, *_ = steady_populations.stationary_distribution(jumps, everything.sites(0), lattice.reference_site)
    indices = {tuple(site): k for k, site in enumerate(everything.sites(0))}
    padded = np.zeros(full.size)
    padded[[indices[tuple(site)] for site in found.lattice.sites(0)]] = found.probability
    assert abs(padded - full).sum() <= steady_populations.ALLOWED + 1e-11  # rounding of the full elimination
    assert found.probability.min() >= 0


@pytest.mark.parametrize("ensemble", [laser(theta=-1.0), laser(dephasing=1.0), laser(coupling=1.0), superradiant_laser(1000)])
def test_first_window_holds_nearly_all_probability(ensemble):
    """Linear noise approximation: 8.5 standard deviations to each side and 10.5 to low j, up to corrections of 1/N."""
    problem = Exact(1000).lower(ensemble, None, 0)
    found = steady_populations.steady_state(problem.sectors)
    sites, first = found.lattice.sites(0), problem.sectors.initial_window
    mean = found.probability @ sites
    spread = np.sqrt(found.probability @ (sites - mean) ** 2)
    for axis, most in enumerate(problem.sectors.full_window.high):
        for edge, direction in ((first.low[axis], -1), (first.high[axis], 1)):
            if 0 < edge < most:  # not at the end of the lattice
                reach = 10.5 if (axis, direction) == (0, -1) else 8.5
                assert direction * (edge - mean[axis]) / spread[axis] == pytest.approx(reach, abs=0.5)
    inside = np.all((sites >= first.low) & (sites <= first.high), axis=1)
    assert found.probability[~inside].sum() < 1e-11


@pytest.mark.parametrize("spins", [1, 2, 5])
def test_pure_exchange(spins):
    """Without noise the steady state is not unique."""
    one = ss.Ensemble.single(gain=0, damping=0, coupling=1.0, theta=0.0, frequency=1.0)
    runs = [ss.evolve(one, [0.0, 1.0], theory=theory(spins), initial=[[0.6, 0, 0.3]]) for theory in (Exact, ss.BruteForce)]
    np.testing.assert_allclose(runs[0].coherence, runs[1].coherence, rtol=0, atol=1e-13)
    for theory in (Exact(spins), ss.BruteForce(spins)):
        with pytest.raises(ss.InputError, match="must have one steady state, but has several"):
            ss.steady_state(one, theory=theory)


@pytest.mark.parametrize("theta", [np.pi, -np.pi])
def test_theta_of_pi_is_pure_exchange(theta):
    """sin(np.pi) is not 0 in double precision."""
    one = ss.Ensemble.single(gain=0, damping=0, dephasing=0.1, coupling=1.0, theta=theta)
    with pytest.raises(ss.InputError, match="but has several"):
        ss.steady_state(one, theory=Exact(2))


@pytest.mark.parametrize("spins", [2, 20])
def test_rates_lost_in_rounding_are_refused(spins):
    """Dephasing is so much faster than gain and damping that these are lost in the sum of the rates."""
    for fast in (1e4, 1e8, 1e14):
        one = ss.Ensemble.single(gain=1.0, damping=2.0, dephasing=fast, coupling=0.0, theta=0.0)
        if fast < 1e10:
            assert abs(float(ss.steady_state(one, theory=Exact(spins)).inversion[0]) + 1 / 3) < 1e-7
        else:
            with pytest.raises(ss.IntegrationError, match="differ by too many orders"):
                ss.steady_state(one, theory=Exact(spins))


def test_brute_force_distinguishes_stiff_from_not_unique():
    stiff = ss.Ensemble.single(gain=1e-5, damping=2e-5, coupling=1e8, theta=-1.5)
    with pytest.raises(ss.IntegrationError, match="differ by too many orders"):
        ss.steady_state(stiff, theory=ss.BruteForce(2))


@pytest.mark.parametrize("theory", [Exact(4), ss.BruteForce(4), ss.Trajectories(4, rtol=0, atol=0.01)])
def test_order_parameter_is_independent_of_the_grouping(theory):
    one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.5)
    ungrouped = ss.evolve(one, [0.0, 0.05], theory=Exact(4), initial=[[1, 0, 0]]).order_parameter
    for parts in (2, 4) if not isinstance(theory, ss.Trajectories) else (2,):
        run = ss.evolve(one.split(parts), [0.0, 0.05], theory=theory, initial=[[1, 0, 0]] * parts)
        error = run.get("order_parameter_error", np.zeros(2))
        assert np.all(abs(run.order_parameter - ungrouped) <= 5 * error + 1e-12)
