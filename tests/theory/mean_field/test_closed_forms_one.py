"""Closed forms of one group against time evolution: threshold, amplitude, limit cycle, Floquet exponents."""

import numpy as np
import pytest

import spinsync as ss
from reference import System, jacobian_eigenvalues, pairs_up
from spinsync.questions.closed_forms import available
from systems import HALF_PI, laser, random_one

FINE = ss.MeanField(rtol=1e-11, atol=1e-13)


def one_system(made):
    return System(
        **{name: np.array([made[name]]) for name in ("gain", "damping", "dephasing")},
        omega=np.array([made["frequency"]]), weight=np.ones(1),
        coupling=np.array([[made["coupling"] * np.exp(1j * made["theta"])]]), bloch=np.zeros((1, 3)),
    )  # fmt: skip


def growth_rate(ensemble):
    """Growth rate of a coherence so small that the inversion stays constant."""
    z0 = ensemble.groups[0].z0
    run = ss.evolve(ensemble, [0.0, 1.0], theory=ss.MeanField(rtol=1e-11, atol=1e-30), initial=[[2e-8, 0, z0 * (1 - 1e-15)]])
    return float(np.log(abs(run.coherence[1, 0] / run.coherence[0, 0])))


@pytest.mark.parametrize("seed", range(8))
def test_small_coherence_grows_above_the_threshold_only(seed):
    parameters, _ = random_one(seed)
    one = ss.Ensemble.single(**parameters)
    critical = ss.critical_coupling(one)
    # linear growth rate (V - V_c) (-z0 sin theta); errors: |s|^2 = 1e-16, and 1e-10 of the integrator
    slope = -one.groups[0].z0 * np.sin(parameters["theta"])
    for ratio in (0.9, 1.0, 1.1):
        assert growth_rate(one.replace(coupling=ratio * critical)) == pytest.approx((ratio - 1) * critical * slope, abs=1e-8)


def check_limit_cycle(seed):
    parameters, ratio = random_one(seed)
    one, cycle = ss.Ensemble.single(**parameters), ss.limit_cycle(ss.Ensemble.single(**parameters))
    assert bool(cycle.synchronized) == (ratio > 1)
    group = one.groups[0]
    slowest = min(group.gamma_perp, group.gamma_1) * min(1, abs(ratio - 1))
    end = 40 / slowest
    run = ss.evolve(one, [0.0, end, end + 0.1], theory=FINE).isel(group=0)
    assert abs(run.coherence[1]) == pytest.approx(float(cycle.amplitude), abs=1e-7)
    assert float(run.inversion[1]) == pytest.approx(float(cycle.inversion), abs=1e-7)
    assert float(run.order_parameter[1]) == pytest.approx(float(cycle.order_parameter), abs=2e-7)
    if ratio > 1:
        phase_change = np.angle(run.coherence.values[2] / run.coherence.values[1])
        assert -phase_change / 0.1 == pytest.approx(float(cycle.frequency), abs=1e-7)
    else:
        assert np.isnan(cycle.frequency)


@pytest.mark.parametrize("seed", range(16))
def test_motion_converges_to_the_limit_cycle(seed):
    check_limit_cycle(seed)


@pytest.mark.slow(slice=1)
@pytest.mark.parametrize("seed", range(16, 216))
def test_motion_converges_to_the_limit_cycle_for_many_ensembles(seed):
    check_limit_cycle(seed)


@pytest.mark.parametrize("seed", range(24))
def test_steady_state_is_the_limit_cycle(seed):
    parameters, _ = random_one(seed)
    one, cycle = ss.Ensemble.single(**parameters), ss.limit_cycle(ss.Ensemble.single(**parameters))
    steady = ss.steady_state(one)
    # rtol of a step is 1e-8; errors accumulate over the slow relaxation to the cycle
    assert float(steady.inversion[0]) == pytest.approx(float(cycle.inversion), abs=1e-6)
    assert float(abs(steady.coherence[0])) == pytest.approx(float(cycle.amplitude), abs=1e-6)
    np.testing.assert_allclose(steady.frequency[0], cycle.frequency, atol=1e-6)  # or both NaN


def test_amplitude_rises_with_the_square_root():
    excess = np.geomspace(1e-6, 1e-4, 5)
    cycles = [ss.limit_cycle(laser(coupling=4 * (1 + e))) for e in excess]
    exponent, constant = np.polyfit(np.log(excess), np.log([float(c.amplitude) for c in cycles]), 1)
    assert exponent == pytest.approx(0.5, abs=1e-4)  # corrections are of relative order 1e-4
    # |s|^2 = Gamma1 z0^2 e/(4 Gamma_perp), to first order
    assert np.exp(constant) == pytest.approx(np.sqrt(4 * 0.25 / 8), rel=1e-3)
    measured = [float(ss.steady_state(laser(coupling=4 * (1 + e))).order_parameter) for e in (0.01, 0.02, 0.04)]
    cycle = [float(ss.limit_cycle(laser(coupling=4 * (1 + e))).order_parameter) for e in (0.01, 0.02, 0.04)]
    np.testing.assert_allclose(measured, cycle, atol=1e-6)
    assert np.polyfit(np.log([0.01, 0.02, 0.04]), np.log(measured), 1)[0] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("seed", range(12))
def test_floquet_exponents_are_eigenvalues_in_the_rotating_frame(seed):
    parameters, _ = random_one(seed, ratio=1.1 + 0.5 * seed)
    cycle = ss.limit_cycle(ss.Ensemble.single(**parameters))
    s, z = np.array([complex(cycle.amplitude)]), np.array([float(cycle.inversion)])
    found = jacobian_eigenvalues(one_system(parameters), s, z, float(cycle.frequency))
    # error of finite differences eps * V/1e-4; nearly equal eigenvalues would amplify it to its square root
    assert pairs_up(found, cycle.floquet_exponent.values) < 1e-7
    assert np.all(cycle.floquet_exponent.values.real[1:] < 0)


def test_relaxation_oscillations_exist_if_the_square_root_is_imaginary():
    weak, strong = (ss.limit_cycle(laser(coupling=v)).floquet_exponent.values for v in (4.1, 24.0))
    assert np.all(weak.imag == 0)
    assert strong[1].imag > 1
    assert strong[1].real == pytest.approx(-2)  # -Gamma1/2


def test_the_smallest_threshold_is_four_gamma_at_a_ratio_of_three():
    ratios = np.linspace(1.5, 8, 6501)
    critical = [ss.critical_coupling(laser(gain=r)) for r in ratios]
    assert min(critical) == pytest.approx(4, rel=1e-12)
    assert ratios[np.argmin(critical)] == pytest.approx(3, abs=1e-9)
    assert ss.critical_coupling(laser(gain=1.5)) > 4.1 < ss.critical_coupling(laser(gain=8.0))  # re-entrant in r
    assert ss.critical_coupling(laser(gain=0.0, theta=HALF_PI)) == pytest.approx(0.5, rel=1e-14)
    rising = [ss.critical_coupling(laser(gain=r, theta=HALF_PI)) for r in (0, 0.1, 0.5, 0.9)]
    assert rising == sorted(rising)


@pytest.mark.parametrize(
    "changed",
    [{"gain": 0.5}, {"gain": 1.0}, {"theta": 0.0}, {"theta": np.pi}, {"theta": HALF_PI}, {"gain": 0.0, "damping": 0.0}],
)
def test_no_coupling_synchronizes_at_the_wrong_sign_of_the_inversion(changed):
    one = laser(coupling=1e3, **changed)
    assert ss.critical_coupling(one) == np.inf
    assert not ss.limit_cycle(one).synchronized


def test_order_parameter_is_at_most_one_over_root_two():
    for ratio in (10.0, 1e3, 1e6):  # z0 -> 1 at large gain; the largest amplitude is at z* = z0/2
        one = laser(gain=ratio)
        best = ss.limit_cycle(one.replace(coupling=2 * ss.critical_coupling(one)))
        z0 = (ratio - 1) / (ratio + 1)
        assert float(best.inversion) == pytest.approx(z0 / 2, rel=1e-12)
        assert float(best.order_parameter) == pytest.approx(z0 / np.sqrt(2), rel=1e-12)


def test_properties_of_the_cycle_are_nan_below_the_threshold():
    below = ss.limit_cycle(laser(coupling=1.0))
    assert np.isnan(below.phase_diffusion)
    assert below.floquet_exponent.shape == (3,)
    assert np.all(np.isnan(below.floquet_exponent))


@pytest.mark.parametrize(
    ("ensemble", "forms"),
    [
        (laser(), {"limit_cycle"}),
        (laser(frequency=ss.Gaussian(0.3)), {"limit_cycle"}),
        (laser(frequency=ss.Samples([0.0, 0.1])), set()),
        (ss.Ensemble.pair(detuning=1, gain=3, damping=1, coupling=16, theta=-HALF_PI), {"symmetric_pair", "locking_range"}),
        (ss.Ensemble.pair(detuning=1, gain=3, damping=1, coupling=16, theta=-1.2, cross_coupling=0.1), {"locking_range"}),
        (ss.Ensemble.pair(detuning=1, gain=3, damping=1, coupling=5, theta=-HALF_PI), {"symmetric_pair"}),
        (ss.Ensemble.pair(detuning=1, gain=0, damping=0, coupling=16, theta=-HALF_PI), set()),
        (ss.Ensemble.pair(detuning=1, gain=3, damping=1, coupling=1e308, theta=HALF_PI, cross_theta=-HALF_PI), set()),
        (ss.Ensemble([ss.Group(3, 1)] * 3, np.full((3, 3), -12j)), set()),
    ],
)
def test_available_closed_forms_are_those_without_an_error(ensemble, forms):
    assert available(ensemble) == forms
    for name in ("limit_cycle", "symmetric_pair", "locking_range"):
        if name in forms:
            assert getattr(ss, name)(ensemble).attrs["verb"] == name
        else:
            with pytest.raises(ss.InputError, match=r"^Argument `ensemble` must "):
                getattr(ss, name)(ensemble)
