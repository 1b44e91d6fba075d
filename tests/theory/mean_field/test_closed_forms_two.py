"""Closed forms of two groups: the symmetric pair, the two-ensemble superradiant laser, and Adler's equation."""

import numpy as np
import pytest

import spinsync as ss
from reference import jacobian_eigenvalues
from systems import HALF_PI, laser, pair, random_pair, system_of

FINE = ss.MeanField(rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("seed", range(40))
def test_stability_of_a_symmetric_pair_agrees_with_its_jacobian(seed):
    parameters = random_pair(seed)
    full, system = ss.symmetric_pair(pair(**parameters)), system_of(parameters)
    g, z0 = system.gamma_perp[0], (parameters["gain"] - parameters["damping"]) / (parameters["gain"] + parameters["damping"])
    limit = 2 * np.sqrt(parameters["coupling"] * g * abs(z0) - g**2)
    assert float(full.existence_detuning) == pytest.approx(limit, rel=1e-12)
    assert bool(full.exists) == (abs(parameters["detuning"]) < limit)
    incoherent = jacobian_eigenvalues(system, np.zeros(2, complex), np.full(2, z0), 0.0).real.max()
    assert bool(full.incoherent_stable) == (incoherent < 0)
    if not full.exists:
        assert np.isnan(full.amplitude)
        assert not full.stable
        return
    half = float(full.phase_difference) / 2
    s = float(full.amplitude) * np.exp([-1j * half, 1j * half])  # s = |s| exp(-i phi), phi_A - phi_B = 2 half
    values = jacobian_eigenvalues(system, s, np.full(2, float(full.inversion)), float(full.frequency))
    others = np.delete(values, np.argmin(abs(values)))  # without the zero of the phase
    assert abs(others.real).max() > 1e-6
    assert bool(full.stable) == (others.real.max() < 0)


def test_random_pairs_have_all_outcomes_of_existence_and_stability():
    outcomes = {(bool(f.exists), bool(f.stable)) for f in (ss.symmetric_pair(pair(**random_pair(seed))) for seed in range(40))}
    assert outcomes == {(False, False), (True, False), (True, True)}


@pytest.mark.parametrize(("detuning", "coupling"), [(1.0, 6.0), (2.0, 16.0), (-3.0, 16.0), (2.5, 7.0)])
def test_motion_converges_to_the_state_of_a_symmetric_pair(detuning, coupling):
    ensemble = pair(detuning, coupling)
    full = ss.symmetric_pair(ensemble)
    assert full.stable
    run = ss.evolve(ensemble, [0.0, 150.0, 150.1], theory=FINE)
    last = run.isel(time=1)
    np.testing.assert_allclose(abs(last.coherence), float(full.amplitude), atol=1e-7)
    np.testing.assert_allclose(last.inversion, float(full.inversion), atol=1e-7)
    phase = -np.angle(last.coherence.values)
    assert phase[0] - phase[1] == pytest.approx(float(full.phase_difference), abs=1e-7)
    phase_change = np.angle(run.coherence.values[2] / run.coherence.values[1])
    np.testing.assert_allclose(phase_change, -0.1 * float(full.frequency), atol=1e-8)
    assert np.sign(full.phase_difference) == np.sign(detuning)  # the faster group leads


def test_stability_ends_at_the_hopf_line():
    for coupling in (9.0, 16.0, 40.0, 400.0):
        hopf = float(ss.symmetric_pair(pair(1.0, coupling)).hopf_detuning)
        assert ss.symmetric_pair(pair(hopf * (1 - 1e-9), coupling)).stable
        beyond = ss.symmetric_pair(pair(hopf * (1 + 1e-9), coupling))
        assert beyond.exists
        assert not beyond.stable
    assert np.isnan(ss.symmetric_pair(pair(1.0, 7.9)).hopf_detuning)  # V z0 < 2 Gamma_perp: stable up to the existence limit
    # V -> infinity: 2 sqrt(Gamma_perp Gamma1); corrections are of order Gamma/V
    assert float(ss.symmetric_pair(pair(1.0, 1e7)).hopf_detuning) == pytest.approx(2 * np.sqrt(2 * 4), rel=1e-5)


@pytest.mark.parametrize("pump", [0.2, 0.5, 0.8])
def test_boundaries_of_the_two_ensemble_superradiant_laser(pump):
    """arXiv:1811.01515: no damping, gain W, N Gamma_c = 1 per ensemble, which is V = 1."""
    laser = pair(0.1, 1.0, gain=pump, damping=0.0)
    full = ss.symmetric_pair(laser)
    assert float(full.existence_detuning) ** 2 + (pump - 1) ** 2 == pytest.approx(1, rel=1e-12)
    expected = pump / 3 * (2 + 3 * pump - 2 * np.sqrt(1 - 3 * pump + 3 * pump**2))
    assert float(full.hopf_detuning) ** 2 == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("pump", "stable"), [(0.99, False), (1.01, True)])
def test_incoherent_limit_of_the_superradiant_laser_is_at_pump_one(pump, stable):
    assert bool(ss.symmetric_pair(pair(1.5, 1.0, gain=pump, damping=0.0)).incoherent_stable) == stable


PHASES = {
    "in phase": dict(theta=-HALF_PI, cross_theta=-HALF_PI),
    "antiphase": dict(theta=-1.0, cross_theta=-1.0 + np.pi),
    "shear": dict(theta=-1.0, cross_theta=-1.0),
    "shifted": dict(theta=-1.2, cross_theta=(-1.2 + 0.8, -1.2 - 0.5)),
    "unequal": dict(theta=-1.4, cross_theta=0.3, weights=(2, 1)),
}


def weakly_coupled(name, detuning):
    """V_cross/V = 0.002, so that corrections are below 1 percent."""
    return ss.Ensemble.pair(detuning=detuning, gain=3.0, damping=1.0, coupling=24.0, cross_coupling=0.048, **PHASES[name])


def beat_rate(ensemble, times):
    """Mean rate of phi_A - phi_B over complete beat periods of the second half."""
    half = times.size // 2
    s, t = ss.evolve(ensemble, times).coherence.values[half:], times[half:]
    phase = np.unwrap(-np.angle(s[:, 0] / s[:, 1]))
    phase = (phase - phase[0]) * np.sign(phase[-1] - phase[0])
    whole = 2 * np.pi * np.floor(phase[-1] / (2 * np.pi))
    assert whole > 0
    return whole / (np.interp(whole, phase, t) - t[0]) * np.sign(np.angle(s[1, 1] * s[0, 0] / s[1, 0] / s[0, 1]))


@pytest.mark.parametrize("name", PHASES)
@pytest.mark.parametrize("share", [-0.5, 0.3, 0.9])
def test_weakly_coupled_groups_lock_at_the_phase_of_adlers_equation(name, share):
    half_width = float(ss.locking_range(weakly_coupled(name, 0.0)).locking_range)
    own = float(ss.locking_range(weakly_coupled(name, 0.0)).effective_detuning)
    ensemble = weakly_coupled(name, share * half_width - own)
    adler = ss.locking_range(ensemble)
    assert adler.locked
    end = 40 / (half_width * np.sqrt(1 - share**2))
    s = ss.evolve(ensemble, [0.0, end, end + 0.5], theory=FINE).coherence.values
    phase = -np.angle(s[1, 0] / s[1, 1])
    off = (phase - float(adler.phase_difference) + np.pi) % (2 * np.pi) - np.pi
    assert abs(np.sin(off)) < 0.01 / np.sqrt(1 - share**2)  # 1 percent of K_eff moves the arcsine by this much
    assert np.cos(off) > 0
    common = -np.angle(s[2] / s[1]) / 0.5
    np.testing.assert_allclose(common[0], common[1], atol=1e-8)
    # the coupling shifts it by about K_eff from the uncoupled cycles: accurate to 1 percent of this shift
    assert common[0] == pytest.approx(float(adler.frequency), abs=0.01 * half_width)


@pytest.mark.parametrize("name", PHASES)
@pytest.mark.parametrize("share", [-3.0, 1.5])
def test_beat_of_unlocked_groups_is_that_of_adlers_equation(name, share):
    uncoupled = ss.locking_range(weakly_coupled(name, 0.0))
    half_width, own = float(uncoupled.locking_range), float(uncoupled.effective_detuning)
    ensemble = weakly_coupled(name, share * half_width - own)
    adler = ss.locking_range(ensemble)
    assert not adler.locked
    assert beat_rate(ensemble, np.linspace(0, 120 / half_width, 12001)) == pytest.approx(float(adler.beat_frequency), rel=0.01)


def test_locking_range_of_equal_groups_depends_on_the_cross_phases():
    k = 2 * 0.048 / (24 * np.sin(1.0) ** 2)  # Gamma_perp V_x/(V sin^2 theta)
    for ab, ba in [(-1.0, -1.0), (0.2, 0.4), (2.0, -0.3), (-1.0, 3.0)]:
        found = ss.locking_range(
            ss.Ensemble.pair(detuning=0, gain=3, damping=1, coupling=24, theta=-1.0, cross_coupling=0.048, cross_theta=(ab, ba))
        )
        cosine = np.cos((ab + ba) / 2 + 1.0)
        assert float(found.locking_range) == pytest.approx(2 * k * abs(cosine), rel=1e-12)
        offset = (ba - ab) / 2 + (np.pi if cosine < 0 else 0)
        assert np.exp(1j * float(found.phase_offset)) == pytest.approx(np.exp(1j * offset), abs=1e-12)
    unlocked = ss.Ensemble.pair(
        detuning=0.01,
        gain=3,
        damping=1,
        coupling=24,
        theta=-1.0,
        cross_coupling=0.048,
        cross_theta=(np.pi / 2 - 1, np.pi / 2 - 1),
    )
    assert float(ss.locking_range(unlocked).locking_range) < 1e-15  # theta_AB + theta_BA = 2 theta + pi


def test_stability_of_steady_states_agrees_with_closed_forms():
    one = laser(theta=-1.2)
    assert ss.steady_state(one).stable
    assert ss.steady_state(one.replace(coupling=2.0)).stable  # incoherent, below the threshold
    assert not ss.steady_state(one, initial=[[0, 0, 0.5]]).stable  # incoherent, above the threshold
    for detuning in (2.0, 4.5):
        pair = ss.Ensemble.pair(detuning=detuning, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2)
        assert bool(ss.steady_state(pair).stable) == bool(ss.symmetric_pair(pair).stable)
    # the incoherent state, which keeps the symmetry of the two groups, is unstable
    assert not ss.steady_state(pair, initial=[[0, 0, 0.2], [0, 0, 0.2]]).stable
