"""Steady states of second order against the equations of the theory page, written out here, and against exact ones."""

import numpy as np
import pytest

import spinsync as ss
from spinsync.model.master_equation import group_terms
from spinsync.problems.moments.at_rest import at_rest
from spinsync.problems.moments.stability import growth_rate
from spinsync.problems.outcome import NotConvergedError
from systems import laser, several_groups, two_groups


def ensembles(seed):
    """One to three groups with any complex coupling, weak or far above threshold, and 6 to 10^8 spins."""
    ensemble, spins, rng = several_groups(seed)
    strength = 10 ** rng.uniform(-1, 0.7)
    return ss.Ensemble(ensemble.groups, strength * ensemble.coupling_matrix), spins * 10 ** int(rng.integers(0, 8))


def rates_of_change(ensemble, spins, z, c, zz):
    """(10.3) to (10.5) without their rearrangement: one sum for each pair, with the spins that are no third ones left out."""
    t, big_c, n = group_terms(ensemble, spins), ensemble.coupling_matrix, spins
    up, down = t.gain + t.pumping.diagonal().real, t.damping + t.decay.diagonal().real
    gamma_1, perp, net, numbers = up + down, (up + down) / 2 + t.dephasing, up - down, t.spins
    exchange, decay, pumping = t.exchange, t.decay / 2, t.pumping / 2
    groups, c = range(len(z)), np.where(np.eye(len(z)) * (numbers == 1), 0, c)
    dz = [
        -gamma_1[a] * z[a] + net[a] + 4 / n * sum((numbers[b] - (a == b)) * big_c[a, b] * c[a, b] for b in groups).imag
        for a in groups
    ]
    dc, dzz = np.zeros_like(c), np.zeros_like(zz)
    for a in groups:
        for b in groups:
            third = [numbers[e] - (e == a) - (e == b) for e in groups]
            dc[a, b] = (
                (1j * (t.omega[a] - t.omega[b]) - perp[a] - perp[b]) * c[a, b]
                + 1j / n * z[b] * sum(third[e] * big_c[b, e] * c[a, e] for e in groups)
                - 1j / n * z[a] * sum(third[e] * np.conj(big_c[a, e]) * c[e, b] for e in groups)
                + 1j * exchange[b, a] * (z[b] - z[a]) / 2
                + decay[b, a] * ((z[a] + z[b]) / 2 + zz[a, b]) + pumping[b, a] * (-(z[a] + z[b]) / 2 + zz[a, b])
            )  # fmt: skip
            shared = sum(third[e] * (big_c[a, e] * c[a, e] * z[b] + big_c[b, e] * c[b, e] * z[a]) for e in groups)
            dzz[a, b] = (
                -(gamma_1[a] + gamma_1[b]) * zz[a, b] + net[a] * z[b] + net[b] * z[a] + 4 / n * shared.imag
                + 8 * ((pumping + decay)[a, b] * c[a, b]).real
            )  # fmt: skip
    exist = np.outer(numbers, numbers) > np.diag(numbers)
    return np.array(dz), dc[exist], dzz[exist]


@pytest.mark.parametrize("seed", range(16))
def test_the_equations_stand_still_at_the_steady_state(seed):
    ensemble, spins = ensembles(seed)
    found = ss.steady_state(ensemble, theory=ss.Cumulants(spins))
    c, zz = (np.nan_to_num(found[name].values) for name in ("correlation", "inversion_correlation"))
    scale = abs(ensemble.coupling_matrix).max() + ensemble.rates.gamma_1.max()
    for change, size in zip(rates_of_change(ensemble, spins, found.inversion.values, c, zz), (1, abs(c).max(), 1), strict=True):
        assert abs(change).max(initial=0.0) <= 1e-11 * scale * size
    assert found.stable
    assert abs(found.inversion).max() <= 1
    np.testing.assert_allclose(c, c.conj().T, atol=1e-15)


def test_a_coupling_of_low_rank():
    """Eight groups and a complex coupling of rank 2: the products of its factors stand for the matrix."""
    rng = np.random.default_rng(7)
    left, right = (rng.normal(size=(2, 8, 2)) @ [1, 1j] for _ in range(2))
    groups = [ss.Group(*rng.uniform(0.5, 3, 2), frequency=rng.normal()) for _ in range(8)]
    ensemble = ss.Ensemble(groups, 20 * left.T @ right)
    problem = ss.Cumulants(800).lower(ensemble, None, 0)
    assert problem.fluctuations(problem.start).left.shape == (8, 2)
    found = ss.steady_state(ensemble, theory=ss.Cumulants(800))
    c, zz = found.correlation.values, found.inversion_correlation.values
    for change in rates_of_change(ensemble, 800, found.inversion.values, c, zz):
        assert abs(change).max() < 1e-11
    assert abs(c).max() > 0.01


@pytest.mark.parametrize("seed", [0, 3, 4])
def test_the_steady_state_is_where_a_long_run_ends(seed):
    ensemble, spins = ensembles(seed)
    slowest = min(ensemble.rates.gamma_1.min(), ensemble.rates.gamma_perp.min())
    run = ss.evolve(ensemble, [0.0, 40 / slowest], theory=ss.Cumulants(spins, rtol=1e-9)).isel(time=-1)
    found = ss.steady_state(ensemble, theory=ss.Cumulants(spins))
    for name in ("inversion", "correlation", "inversion_correlation"):
        np.testing.assert_allclose(run[name], found[name], atol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_two_spins_have_no_third_one_whose_correlation_is_closed(seed):
    ensemble = two_groups(3 * seed)[0] if seed % 2 else laser(theta=-1.0, frequency=seed, dephasing=0.3)
    ours, exact = (ss.steady_state(ensemble, theory=theory(2)) for theory in (ss.Cumulants, ss.BruteForce))
    for name in ("inversion", "correlation", "inversion_correlation"):
        np.testing.assert_allclose(ours[name], exact[name], atol=1e-12)


@pytest.mark.parametrize(("coupling", "order", "least"), [(1.0, 2.0, 100), (12.0, 1.0, 200)])
def test_the_error_falls_with_the_number_of_spins(coupling, order, least):
    """Of z, as 1/N^2 below the threshold V = 4 and as 1/N above it."""
    numbers = least * np.array([1, 2, 4])
    errors = [
        abs(float(ss.steady_state(laser(coupling=coupling), theory=ss.Cumulants(n)).inversion[0]) - float(exact.inversion[0]))
        for n in numbers
        for exact in [ss.steady_state(laser(coupling=coupling), theory=ss.Exact(n))]
    ]
    slope = -np.polyfit(np.log(numbers), np.log(errors), 1)[0]
    assert slope == pytest.approx(order, abs=0.2)
    assert errors[0] > 1e-6


def test_equal_parts_are_the_group():
    """The diagonal correlations of parts are those between parts."""
    whole, parts = (ss.steady_state(one, theory=ss.Cumulants(10**6)) for one in (laser(theta=-1.1), laser(theta=-1.1).split(4)))
    np.testing.assert_allclose(parts.inversion, np.full(4, float(whole.inversion[0])), rtol=1e-10)
    np.testing.assert_allclose(parts.correlation, np.full((4, 4), complex(whole.correlation[0, 0])), rtol=1e-9)


@pytest.mark.parametrize("frequency", [ss.Gaussian(2.0), ss.Lorentzian(0.5), ss.Uniform(3.0)])
def test_more_classes_change_nothing(frequency):
    few, many = (ss.steady_state(laser(frequency=frequency), theory=ss.Cumulants(1000, nodes=nodes)) for nodes in (32, 64))
    np.testing.assert_allclose(few.inversion, many.inversion, rtol=2e-3)
    np.testing.assert_allclose(few.correlation, many.correlation, rtol=5e-3)


def test_classes_are_groups_of_their_frequency():
    """Sampled frequencies of one group, and as many groups with a coupling of rank 1."""
    samples = np.random.default_rng(5).normal(size=60)
    one = laser(frequency=ss.Samples(samples))
    each = ss.Ensemble([ss.Group(3.0, 1.0, frequency=w) for w in samples], np.full((60, 60), -12j))
    theory, nu = ss.Cumulants(180), np.linspace(-3, 3, 13)
    inversions = [float(ss.steady_state(ensemble, theory=theory).inversion.mean()) for ensemble in (one, each)]
    widths = [float(ss.linewidth(ensemble, theory=theory).linewidth) for ensemble in (one, each)]
    lights = [ss.emission_spectrum(ensemble, nu, theory=theory).emission for ensemble in (one, each)]
    assert inversions[0] == pytest.approx(inversions[1], rel=1e-9)
    assert widths[0] == pytest.approx(widths[1], rel=1e-9)
    np.testing.assert_allclose(*lights, rtol=1e-9)


def test_a_steady_state_that_is_unstable_is_not_given():
    """The incoherent state of many spins is nearly steady: Newton's method finds a root with negative emission beside it."""
    problem = ss.Cumulants(10**8).lower(laser(), np.array([[0.0, 0.0, 0.5]]), 0)
    assert growth_rate(problem.rate, problem.start) > 1
    with pytest.raises(NotConvergedError):
        problem.rest(problem.start)
    assert at_rest(problem).stable
    assert float(ss.steady_state(laser(), theory=ss.Cumulants(10**8)).order_parameter) == pytest.approx(1 / 3, abs=1e-6)


@pytest.mark.parametrize("coupling", [3.0, 12.0])
def test_the_growth_rate_is_that_of_mean_field(coupling):
    """Many spins: below threshold c decays twice as fast as the coherence, above it as the amplitude mode (4.8)."""
    problem = ss.Cumulants(10**9).lower(laser(coupling=coupling), None, 0)
    found = growth_rate(problem.rate, at_rest(problem).state)
    if coupling == 3.0:
        expected = 2 * (-2 + coupling * 0.5 / 2 * 2 / 1)  # -Gamma_perp + V z0
    else:
        expected = max(ss.limit_cycle(laser(coupling=coupling)).floquet_exponent.values.real[1:])
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("spins", [3, 1000, 10**6])
def test_equal_gain_and_damping_without_collective_decay_leave_nothing(spins):
    """At theta = 0 the completely mixed state is the steady state: Newton's steps have no inversion to be compared with."""
    rates = {"gain": 0.5, "damping": 0.5, "coupling": 5.0, "theta": 0.0}
    for ensemble in (ss.Ensemble.single(**rates), ss.Ensemble.pair(detuning=1.0, **rates)):
        found = ss.steady_state(ensemble, theory=ss.Cumulants(2 * spins))
        assert found.stable
        for name in ("inversion", "correlation", "inversion_correlation"):
            np.testing.assert_allclose(found[name], 0, atol=1e-12, err_msg=name)


def test_spins_in_their_ground_state():
    """Nothing emits, and the correlations are exactly zero."""
    dark = laser(gain=0.0, theta=-1.0)
    found = ss.steady_state(dark, theory=ss.Cumulants(50))
    assert float(found.inversion[0]) == pytest.approx(-1.0, abs=1e-14)
    assert abs(complex(found.correlation[0, 0])) < 1e-15
    assert not ss.emission_spectrum(dark, [-1.0, 0.0, 1.0], theory=ss.Cumulants(50)).emission.any()


def test_a_diagram_shows_steady_states():
    axes = {"coupling": [2.0, 12.0], "theta": [-1.5, -0.5, 0.5]}
    diagram = ss.phase_diagram(laser(), axes, theory=ss.Cumulants(1000))
    assert diagram.settled.all()
    assert diagram.stable.all()
    for point in ((0, 1), (1, 0)):
        one = laser(coupling=axes["coupling"][point[0]], theta=axes["theta"][point[1]])
        alone = ss.steady_state(one, theory=ss.Cumulants(1000))
        for name in alone.data_vars:
            np.testing.assert_array_equal(diagram[name][point], alone[name])


def test_a_point_without_steady_state_is_not_stable():
    diagram = ss.phase_diagram(laser(damping=0.0), {"gain": [0.0, 3.0]}, theory=ss.Cumulants(1000))
    assert diagram.settled.values.tolist() == diagram.stable.values.tolist() == [False, True]
    assert np.isnan(diagram.inversion.values[:, 0]).tolist() == [True, False]


def test_spins_without_relaxation_have_no_steady_state():
    with pytest.raises(ss.InputError, match="must have gain, damping or"):
        ss.steady_state(laser(gain=0.0, damping=0.0), theory=ss.Cumulants(10))


@pytest.mark.slow(slice=1)
def test_a_thousand_classes():
    """Sampled frequencies: the steady equations, at the sizes for which everything is iterative."""
    one = laser(frequency=ss.Samples(np.random.default_rng(1).normal(size=1000)))
    problem = ss.Cumulants(10**4).lower(one, None, 0)
    found = at_rest(problem)
    assert found.stable
    assert problem.change(found.state) < 1e-9
