"""Frequency disorder: thresholds and synchronized states against formulas and against time evolution."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import erfcx

import spinsync as ss
from systems import HALF_PI, laser

V, Z0, G1, G = 12.0, 0.5, 4.0, 2.0  # of `laser`: z0, Gamma_1, Gamma_perp
WIDTHS = (0.05, 0.7, 3.0)
CENTER = 1.7


def self_consistency(b, distribution):
    """Left-hand side of the self-consistency condition at theta = -pi/2, divided by V."""
    if isinstance(distribution, ss.Lorentzian):
        return Z0 * G * (b + distribution.half_width) / b / (b + distribution.half_width) ** 2
    if isinstance(distribution, ss.Gaussian):
        width = distribution.std
        return Z0 * G / b * np.sqrt(np.pi / 2) / width * erfcx(b / (width * np.sqrt(2)))
    return Z0 * G / (distribution.half_width * b) * np.arctan(distribution.half_width / b)


def threshold(distribution):
    if isinstance(distribution, ss.Lorentzian):
        return (G + distribution.half_width) / Z0
    if isinstance(distribution, ss.Gaussian):
        return np.sqrt(2 / np.pi) * distribution.std / (Z0 * erfcx(G / (distribution.std * np.sqrt(2))))
    return distribution.half_width / (Z0 * np.arctan(distribution.half_width / G))


def mean_of(distribution, function):
    """Average of function(frequency) by Gauss-Legendre quadrature in the cumulative variable (Gaussian: in the frequency)."""
    x, w = np.polynomial.legendre.leggauss(600)
    u, w = (x + 1) / 2, w / 2
    if isinstance(distribution, ss.Lorentzian):
        at = distribution.half_width * np.tan(np.pi * (u - 0.5))
    elif isinstance(distribution, ss.Uniform):
        at = distribution.half_width * x
    else:
        at = 9 * distribution.std * x
        w = w * 18 * np.exp(-((9 * x) ** 2) / 2) / np.sqrt(2 * np.pi)
    return w @ function(distribution.center + at)


KINDS = [kind(width, CENTER) for kind in (ss.Lorentzian, ss.Gaussian, ss.Uniform) for width in WIDTHS]


@pytest.mark.parametrize("distribution", KINDS, ids=repr)
def test_thresholds_at_minus_half_pi(distribution):
    found = ss.critical_coupling(laser(frequency=distribution))
    assert found == pytest.approx(threshold(distribution), rel=1e-12)


@pytest.mark.parametrize("distribution", KINDS, ids=repr)
def test_growth_rate_of_small_coherence_changes_sign_at_the_threshold(distribution):
    one = laser(frequency=distribution)
    for share, sign in ((0.97, -1), (1.03, 1)):
        coupling = share * threshold(distribution)
        # the initial coherence excites all modes, so let the others decay first
        run = ss.evolve(
            one.replace(coupling=coupling),
            [0.0, 6.0, 8.0],
            theory=ss.MeanField(rtol=1e-5, atol=1e-12),
            initial=[[1e-5, 0, 0.5]],
        )
        growth = np.log(abs(run.coherence.values[2, 0] / run.coherence.values[1, 0])) / 2
        assert np.sign(growth) == sign
        if isinstance(distribution, ss.Lorentzian):  # lambda = i C z0 - Gamma_perp - w - i omega_0
            assert growth == pytest.approx(coupling * Z0 - G - distribution.half_width, abs=1e-3)


@pytest.mark.parametrize("distribution", KINDS, ids=repr)
def test_limit_cycle_at_minus_half_pi(distribution):
    cycle = ss.limit_cycle(laser(frequency=distribution))
    high = 2 * np.sqrt(V * Z0 * G)
    b = brentq(lambda b: V * self_consistency(b, distribution) - 1, G, high, xtol=1e-15)
    field_squared = (b**2 - G**2) * G1 / (4 * G)
    assert float(cycle.amplitude) == pytest.approx(np.sqrt(field_squared) / V, rel=1e-10)
    assert float(cycle.frequency) == pytest.approx(CENTER, abs=1e-12)
    inversion = mean_of(distribution, lambda w: Z0 * (G**2 + (w - CENTER) ** 2) / (b**2 + (w - CENTER) ** 2))
    assert float(cycle.inversion) == pytest.approx(inversion, rel=1e-9)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theta", [-0.5, -1.0, -2.2, -2.9])
def test_lorentzian_at_any_theta_is_the_cubic(width, theta):
    one = laser(frequency=ss.Lorentzian(width, CENTER), theta=theta, coupling=60.0)
    cot = np.cos(theta) / np.sin(theta)
    strength = 60 * Z0 * G / abs(np.sin(theta))
    roots = np.roots([1, width, G**2 * cot**2 - strength, width * G**2 * cot**2])
    b = max(r.real for r in roots if abs(r.imag) < 1e-9)
    assert b > G
    cycle = ss.limit_cycle(one)
    assert float(cycle.amplitude) == pytest.approx(np.sqrt((b**2 - G**2) * G1 / (4 * G)) / 60, rel=1e-10)
    assert float(cycle.frequency) == pytest.approx(CENTER + G * (1 + width / b) * cot, rel=1e-10)
    assert ss.critical_coupling(one) == pytest.approx((G + width) / (Z0 * abs(np.sin(theta))), rel=1e-10)


@pytest.mark.parametrize(
    "distribution", [ss.Lorentzian(0.7, CENTER), ss.Gaussian(0.7, CENTER), ss.Uniform(3.0, CENTER)], ids=repr
)
@pytest.mark.parametrize("theta", [-HALF_PI, -1.0, -2.3])
def test_motion_converges_to_the_limit_cycle(distribution, theta):
    one = laser(frequency=distribution, theta=theta)
    cycle = ss.limit_cycle(one)
    run = ss.evolve(one, [0.0, 60.0, 60.05], theory=ss.MeanField(rtol=1e-9, atol=1e-11)).isel(group=0)
    error = float(run.coherence_error[1])
    assert error < 1e-7
    assert float(run.inversion_error[1]) < 1e-6
    assert float(abs(run.coherence[1])) == pytest.approx(float(cycle.amplitude), abs=error)
    assert float(run.inversion[1]) == pytest.approx(float(cycle.inversion), abs=float(run.inversion_error[1]))
    phase_change = np.angle(run.coherence.values[2] / run.coherence.values[1])
    assert -phase_change / 0.05 == pytest.approx(float(cycle.frequency), abs=2 * error / 0.05 / float(cycle.amplitude))


def test_a_wide_lorentzian_has_a_discontinuous_onset_at_large_cot_theta():
    width, theta = 3.0, -0.35
    assert width * (1 / np.tan(theta) ** 2 - 1) > 2 * G  # the condition for a discontinuous onset
    one = laser(frequency=ss.Lorentzian(width), theta=theta)
    critical = ss.critical_coupling(one)
    below = one.replace(coupling=0.98 * critical)
    cycle, rough = ss.limit_cycle(below), ss.MeanField(rtol=1e-6)
    assert cycle.synchronized
    incoherent = ss.evolve(below, [0.0, 60.0], initial=[[0.01, 0, 0.5]], theory=rough)
    coherent = ss.evolve(below, [0.0, 60.0], initial=[[0.9, 0, 0.4]], theory=rough)
    # growth rate -0.02 (Gamma_perp + w), up to the initial transient and the second order
    assert float(incoherent.order_parameter[1]) == pytest.approx(0.01 * np.exp(-60 * 0.02 * (G + width)), rel=0.1)
    # near the fold quadrature errors are amplified; the two states are 0.2 apart
    assert float(coherent.order_parameter[1]) == pytest.approx(float(cycle.order_parameter), abs=2e-5)
    assert not ss.limit_cycle(one.replace(coupling=0.5 * critical)).synchronized


def assert_error_is_covered(one, times, theories, reference):
    """The error estimate of each run covers its distance from a much finer run; the largest distances."""
    start, worst = [[0.5, 0.2, 0.3]], []
    exact = ss.evolve(one, times, theory=reference, initial=start).coherence
    for theory in theories:
        run = ss.evolve(one, times, theory=theory, initial=start)
        off = abs(run.coherence - exact).values
        assert np.all(off <= run.coherence_error.values), (theory, (off / run.coherence_error.values).max())
        worst.append(off.max())
    return worst


def with_nodes(nodes):
    return ss.MeanField(rtol=1e-12, atol=1e-14, nodes=nodes)


@pytest.mark.parametrize(
    ("distribution", "counts"),
    [(ss.Gaussian(1.5), (16, 20, 24)), (ss.Uniform(20.0), (36, 48, 60, 72))], ids=["gaussian", "uniform"],
)  # fmt: skip
def test_quadrature_converges_geometrically_and_its_error_is_covered(distribution, counts):
    one = laser(frequency=distribution, coupling=60.0)
    errors = assert_error_is_covered(one, np.linspace(0, 3, 13), map(with_nodes, counts), with_nodes(400))
    gains = -np.diff(np.log(errors))
    assert np.all(gains > 1.0)  # a constant factor per added nodes; for a power law the factor would decrease
    assert gains[-1] > 0.5 * gains[0]


def test_truncation_error_of_a_lorentzian_is_a_power_of_the_number_of_nodes():
    one, nodes = laser(frequency=ss.Lorentzian(0.7)), np.array([24, 48, 96])
    exact = float(ss.limit_cycle(one).amplitude)
    ends = [ss.evolve(one, [0.0, 15.0], theory=with_nodes(int(n)), initial=[[0.5, 0.2, 0.3]]) for n in nodes]
    errors = [abs(float(abs(end.coherence[1, 0])) - exact) for end in ends]
    # the nonlinear response decreases as 1/w^4, and with it the truncation error
    assert np.polyfit(np.log(nodes), np.log(errors), 1)[0] < -4
    assert errors[0] < 1e-5


@pytest.mark.parametrize("nodes", [24, 48, 96, None])
def test_the_error_of_a_lorentzian_is_covered(nodes):
    one, theory = laser(frequency=ss.Lorentzian(0.7)), ss.MeanField(nodes=nodes)
    assert_error_is_covered(one, np.linspace(0, 3, 13), [theory], with_nodes(600))


@pytest.mark.slow(slice=2)
@pytest.mark.parametrize("width", [0.3, 2.0, 9.0])
@pytest.mark.parametrize("kind", [ss.Lorentzian, ss.Gaussian, ss.Uniform])
@pytest.mark.parametrize("dephasing", [0.0, 3.0])
def test_the_error_is_covered_for_many_widths(kind, width, dephasing):
    one = laser(frequency=kind(width, -1.0), dephasing=dephasing, coupling=40.0)
    # at a larger rtol, oscillating states at large width amplify errors beyond the estimate
    theories = [ss.MeanField(rtol=rtol, atol=rtol / 100) for rtol in (1e-6, 1e-8)]
    assert_error_is_covered(one, np.linspace(0, 6, 25), theories, ss.MeanField(rtol=1e-11, atol=1e-13, nodes=1000))


def test_linear_lorentzian_response_is_exact():
    """Without coupling the mean coherence of a Lorentzian decays as exp(-(Gamma_perp + w) t)."""
    run = ss.evolve(laser(frequency=ss.Lorentzian(5.0, CENTER), coupling=0.0), np.linspace(0, 3, 13), initial=[[0.8, 0.1, 0.5]])
    expected = (0.4 - 0.05j) * np.exp(-(G + 5.0 + 1j * CENTER) * run.time.values)
    np.testing.assert_allclose(run.coherence[:, 0], expected, atol=1e-12)


@pytest.mark.parametrize("distribution", [ss.Gaussian(0.6, CENTER), ss.Uniform(2.0, CENTER)], ids=repr)
def test_dephasing_by_disorder_is_the_characteristic_function(distribution):
    t = np.linspace(0, 3, 13)
    run = ss.evolve(laser(frequency=distribution, coupling=0.0), t, initial=[[0.8, 0.1, 0.5]])
    characteristic = np.exp(-((0.6 * t) ** 2) / 2) if isinstance(distribution, ss.Gaussian) else np.sinc(2 * t / np.pi)
    expected = (0.4 - 0.05j) * np.exp(-(G + 1j * CENTER) * t) * characteristic
    # the number of classes is that for rtol = 1e-8
    np.testing.assert_allclose(run.coherence[:, 0], expected, atol=1e-8)


def test_samples_agree_with_one_group_per_spin():
    values = np.random.default_rng(0).normal(0, 2, 7)
    t, start = np.linspace(0, 6, 25), np.array([[0.5, 0.2, 0.3]])
    fine = ss.MeanField(rtol=1e-11, atol=1e-13)
    sampled = ss.evolve(laser(frequency=ss.Samples(values)), t, theory=fine, initial=start, each=True)
    groups = ss.Ensemble([ss.Group(3, 1, frequency=v) for v in values], np.full((7, 7), -12j))
    explicit = ss.evolve(groups, t, theory=fine, initial=np.repeat(start, 7, axis=0))
    np.testing.assert_allclose(sampled.spin_coherence, explicit.coherence, atol=2e-10)
    np.testing.assert_allclose(sampled.coherence[:, 0], explicit.coherence.mean("group"), atol=2e-10)
    np.testing.assert_allclose(sampled.order_parameter, explicit.order_parameter, atol=2e-10)
    assert "coherence_error" not in sampled  # a given sample has no quadrature error
    np.testing.assert_array_equal(sampled.spin_frequency, values)


def test_narrow_disorder_agrees_with_no_disorder():
    clean = ss.limit_cycle(laser())
    for kind in (ss.Lorentzian, ss.Gaussian, ss.Uniform):
        narrow = ss.limit_cycle(laser(frequency=kind(1e-7)))
        for name in ("amplitude", "inversion", "frequency"):
            assert float(narrow[name]) == pytest.approx(float(clean[name]), abs=1e-6)


def test_a_run_continues_from_the_bloch_vectors_of_all_classes():
    one = laser(frequency=ss.Uniform(2.0, CENTER))
    first = ss.evolve(one, [0.0, 1.0, 2.0], initial=[[0.5, 0.2, 0.3]], each=True)
    again = ss.evolve(one, [1.0, 2.0], initial=ss.bloch(first).isel(time=1), each=True)
    np.testing.assert_allclose(again.coherence[1], first.coherence[2], atol=2e-7)  # 10 rtol each
    np.testing.assert_allclose(first.spin_weight.sum(), 1, rtol=1e-14)


def test_states_below_a_discontinuous_onset_are_found():
    """theta = -0.2, w = 50 has two stationary states from far below V_c on; the larger root of the cubic counts."""
    one, w = laser(theta=-0.2, frequency=ss.Lorentzian(50.0)), 50.0
    for share in (0.53, 0.7, 0.95):
        v = share * ss.critical_coupling(one)
        cot2, strength = 1 / np.tan(0.2) ** 2, v * Z0 * G / np.sin(0.2)
        b = max(np.roots([1, w, G**2 * cot2 - strength, w * G**2 * cot2]).real)
        expected = 2 * np.sqrt((b**2 - G**2) * 4 / (4 * G * v**2))
        assert float(ss.limit_cycle(one.replace(coupling=v)).order_parameter) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("distribution", [ss.Uniform(20.0), ss.Gaussian(20.0)], ids=repr)
def test_the_error_is_covered_if_the_motion_amplifies_errors(distribution):
    one = laser(coupling=60.0, frequency=distribution)
    run, fine = (ss.evolve(one, [0, 20.0], theory=t) for t in (ss.MeanField(), ss.MeanField(rtol=1e-11, atol=1e-14)))
    off = float(abs(run.coherence - fine.coherence)[1, 0])
    assert off > 1e-6  # pulses: far more than rtol = 1e-8
    assert off < float(run.coherence_error[1, 0])


def test_stationary_state_with_disorder_is_stable_at_moderate_coupling_only():
    """Theory page, section 6: with a Lorentzian of half width 5 the motion is stationary at V = 20 and pulsates at V = 30."""
    late = np.linspace(40, 60, 41)
    for coupling, stationary in ((20.0, True), (30.0, False)):
        one = laser(frequency=ss.Lorentzian(5.0), coupling=coupling)
        r = ss.evolve(one, np.concatenate([[0.0], late]), theory=ss.MeanField(rtol=1e-6, atol=1e-8)).order_parameter[1:]
        if stationary:
            np.testing.assert_allclose(r, ss.limit_cycle(one).order_parameter, atol=1e-4)  # 100 rtol
        else:
            assert float(r.max() - r.min()) > 0.1


def disordered_pair(detuning, kind=ss.Gaussian):
    """Two groups with frequencies distributed around +detuning/2 and -detuning/2."""
    pair = ss.Ensemble.pair(detuning=detuning, gain=3.0, damping=1.0, coupling=16.0, theta=-HALF_PI)
    return pair.replace(**{"A.frequency": kind(0.8, center=detuning / 2), "B.frequency": kind(0.5, center=-detuning / 2)})


@pytest.mark.parametrize("kind", [ss.Gaussian, ss.Lorentzian, ss.Uniform])
def test_a_new_detuning_moves_the_centres_and_keeps_the_widths(kind):
    assert disordered_pair(2.0, kind).replace(detuning=5.0) == disordered_pair(5.0, kind)


def test_a_diagram_over_the_detuning_keeps_the_disorder():
    diagram = ss.phase_diagram(disordered_pair(2.0), {"detuning": [2.0, 0.5]})
    for detuning in (2.0, 0.5):
        single, point = ss.regime(disordered_pair(detuning)), diagram.sel(detuning=detuning)
        assert abs(float(point.order_parameter - single.order_parameter)) < 1e-7
        assert int(point.regime) == int(single.regime)
    clean = ss.regime(ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=16.0, theta=-HALF_PI))
    assert abs(float(clean.order_parameter - diagram.order_parameter[0])) > 1e-3


def test_a_sample_moves_with_the_centre_of_its_distribution():
    sample = ss.Lorentzian(0.5, center=1.0).sample(200, seed=3)  # its mean may lie anywhere
    pair = disordered_pair(2.0).replace(**{"A.frequency": sample, "B.frequency": ss.Samples([-1.5, -0.5])})
    moved = pair.replace(detuning=6.0)
    assert moved.groups[0].frequency == ss.Lorentzian(0.5, center=3.0).sample(200, seed=3)
    assert moved.groups[1].frequency == ss.Samples([-3.5, -2.5])
    np.testing.assert_allclose(moved.groups[0].frequency.values, sample.values + 2.0, rtol=0, atol=1e-10)
