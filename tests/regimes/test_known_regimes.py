"""Ensembles whose regime, and the numbers that go with it, are known from closed forms.

Tolerances: fixed points are found by Newton's method, to 1e-12 times the condition number of their equations. Two windows of
motion must agree to 1e-4 of the detuning in frequencies, and to 1e-4 in averages, before they are accepted; tests of
frequencies allow 1e-3 of the detuning.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import spinsync as ss
from reference import Batch, random_bloch
from regime_cases import R, locking, near_full, regime_of
from spinsync.regimes.codes import Status
from systems import HALF_PI, laser, pair, random_one, random_pair, sampled, system_of


def same(ensemble):
    return ensemble


# closed forms


@pytest.mark.parametrize("seed", range(24))
def test_one_group_is_full_above_its_threshold_and_incoherent_below(seed):
    made, ratio = random_one(seed, ratio=[0.5, 0.95, 1.05, 3.0, None][seed % 5])
    one = ss.Ensemble.single(**made)
    found, cycle, group = ss.regime(one, seed=seed), ss.limit_cycle(one), one.groups[0]
    assert found.settled
    assert found.status == Status.SETTLED
    if ratio > 1:
        assert regime_of(found) is R.FULL
        assert float(found.frequency[0]) == pytest.approx(float(cycle.frequency), abs=1e-9)
        assert float(found.amplitude[0]) == pytest.approx(float(cycle.amplitude), abs=1e-10)
        assert float(found.inversion[0]) == pytest.approx(float(cycle.inversion), abs=1e-10)
        assert float(found.order_parameter) == pytest.approx(2 * float(cycle.amplitude), abs=1e-10)
        slowest = np.sort(cycle.floquet_exponent.values.real)[-2]  # (4.6), next to the zero of the phase
        # near a double eigenvalue, errors grow to their square root
        assert float(found.lyapunov) == pytest.approx(slowest, abs=1e-6)
    else:
        assert regime_of(found) is R.INCOHERENT
        assert np.isnan(found.frequency[0])
        assert float(found.amplitude[0]) == 0
        assert float(found.inversion[0]) == pytest.approx(group.z0, abs=1e-10)
        growth = (ratio - 1) * group.gamma_perp  # (4.1)
        assert float(found.lyapunov) == pytest.approx(max(growth, -group.gamma_1), abs=1e-9)


def ends_in_full_state(made, starts, duration):
    """Whether an independent integration from each start comes to the closed form of the full state.

    made : of `random_pair`; starts : Bloch vectors (group, 3); duration : in units of 1/Gamma_perp
    """
    systems = tuple(replace(system_of(one), bloch=start) for one, start in zip(made, starts, strict=True))
    s, z = Batch(systems).end(np.array([duration / system.gamma_perp[0] for system in systems]), step=0.15)
    full = [ss.symmetric_pair(pair(**one)) for one in made]
    s_squared = np.array([complex(one.amplitude**2 * np.exp(-1j * one.phase_difference)) for one in full])
    away = np.maximum(abs(s[:, 0] * s[:, 1].conj() - s_squared), abs(z - [[float(one.inversion)] for one in full]).max(axis=1))
    return away < 1e-6  # NaN: there is no full state


PAIRS = [random_pair(seed) for seed in range(40)]
STARTS = [random_bloch(np.random.default_rng([31, seed]), 2, 0.9) for seed in range(40)]


@cache
def random_pairs_that_end_in_their_full_state():
    return ends_in_full_state(PAIRS, STARTS, 120)


@pytest.mark.parametrize("seed", range(40))
def test_a_symmetric_pair_comes_to_its_full_state_where_an_independent_integration_does(seed):
    full, found = ss.symmetric_pair(pair(**PAIRS[seed])), ss.regime(pair(**PAIRS[seed]), initial=STARTS[seed])
    assert not full.incoherent_stable
    if not random_pairs_that_end_in_their_full_state()[seed]:
        assert regime_of(found) in (R.PARTIAL, R.PHASE_TRAPPED)
        assert not full.stable  # a stable full state is the only attractor of this family; in the test of drift below it is not
        return
    assert full.stable
    assert regime_of(found) is R.FULL
    np.testing.assert_allclose(found.frequency, float(full.frequency), atol=1e-9)
    np.testing.assert_allclose(found.amplitude, float(full.amplitude), atol=1e-9)
    np.testing.assert_allclose(found.inversion, float(full.inversion), atol=1e-9)
    np.testing.assert_allclose(found.phase_locking, 1, atol=1e-12)
    difference = float(full.phase_difference)
    np.testing.assert_allclose(found.phase_difference, [[0, difference], [-difference, 0]], atol=1e-9)
    assert float(found.order_parameter) == pytest.approx(2 * float(full.amplitude) * np.cos(difference / 2), abs=1e-9)
    assert float(found.lyapunov) < 0


def test_both_ends_are_met_in_the_random_family():
    assert 10 < random_pairs_that_end_in_their_full_state().sum() < 30


def test_drift_beside_a_stable_full_state_is_found_from_far_and_the_full_state_from_near():
    """Just below the Hopf detuning two motions are stable; which one is reached is decided by the start."""
    made = dict(coupling=9.0, gain=3.0, damping=1.0, dephasing=0.0, sign=-1)
    made["detuning"] = 0.99 * float(ss.symmetric_pair(pair(0.1, 9.0)).hopf_detuning)
    ensemble = pair(**made)
    assert ss.symmetric_pair(ensemble).stable
    starts = [near_full(ensemble, 1e-3), *(random_bloch(np.random.default_rng(seed), 2, 0.95) for seed in (0, 3))]
    assert ends_in_full_state([made] * 3, starts, 700).tolist() == [True, False, False]
    assert [regime_of(ss.regime(ensemble, initial=start)) for start in starts] == [R.FULL, R.PARTIAL, R.PARTIAL]


@pytest.mark.parametrize("seed", range(10))
def test_the_full_state_ends_in_the_incoherent_one_below_twice_the_threshold(seed):
    """V z0 < 2 Gamma_perp: (5.2) and (5.3) are one line, and no drifting motion coexists with them."""
    rng = np.random.default_rng([31, seed])
    gain, damping = rng.uniform(1.5, 4), rng.uniform(0.1, 1)
    dephasing = rng.uniform(0, 1) * (seed % 2)
    g = (gain + damping) / 2 + dephasing
    coupling = rng.uniform(1.2, 1.9) * g * (gain + damping) / (gain - damping)
    made = dict(coupling=coupling, gain=gain, damping=damping, dephasing=dephasing)
    edge = float(ss.symmetric_pair(pair(0.1, **made)).existence_detuning)
    for share, expected in ((0.5, R.FULL), (0.97, R.FULL), (1.03, R.INCOHERENT), (1.5, R.INCOHERENT)):
        assert regime_of(ss.regime(pair(share * edge, **made), seed=seed)) is expected, share


HOPF = [
    dict(coupling=9.0), dict(coupling=10.0), dict(coupling=16.0), dict(coupling=30.0, gain=5.0),
    dict(coupling=20.0, dephasing=0.5), dict(coupling=1.0, gain=0.4, damping=0.0),
    dict(coupling=16.0, gain=1.0, damping=3.0, sign=1),
]  # fmt: skip
SLOWER_HOPF = [
    dict(coupling=40.0), dict(coupling=400.0), dict(coupling=16.0, gain=2.0, damping=0.3),
    dict(coupling=25.0, gain=2.0, damping=0.2, dephasing=1.0), dict(coupling=100.0, gain=2.0, damping=0.5, dephasing=0.3),
]  # fmt: skip


@pytest.mark.parametrize(
    "made", [*HOPF, *(pytest.param(made, marks=pytest.mark.slow(slice=1)) for made in SLOWER_HOPF)], ids=str
)
def test_hopf_line_is_where_the_full_state_is_left(made):
    """(5.4) within one percent, from starts close to the full state: from others drift can persist below the line."""
    hopf = float(ss.symmetric_pair(pair(0.1, **made)).hopf_detuning)
    for share in (0.9, 0.99, 1.01):
        ensemble = pair(share * hopf, **made)
        assert ss.symmetric_pair(ensemble).exists
        found = ss.regime(ensemble, initial=near_full(ensemble, 1e-3))
        assert found.settled
        assert (regime_of(found) is R.FULL) == (share < 1), share
        if share > 1:
            assert regime_of(found) is not R.INCOHERENT  # which is unstable as well


@pytest.mark.parametrize("way", [same, sampled])
def test_an_unstable_full_state_is_left(way):
    ensemble = pair(4.5, 10.0)
    full = ss.symmetric_pair(ensemble)
    assert full.exists
    assert not full.stable
    found = ss.regime(way(ensemble), initial=near_full(ensemble))
    assert regime_of(found) is R.PARTIAL
    assert abs(float(found.frequency[0] - found.frequency[1])) > 1


def test_a_start_without_coherence_stays_incoherent_where_that_is_unstable_too():
    found = ss.regime(laser(), initial=[[0, 0, -0.3]])
    assert regime_of(found) is R.INCOHERENT
    assert found.settled
    assert float(found.lyapunov) == pytest.approx(12 / 2 - 2, abs=1e-12)  # V z0 - Gamma_perp: noise would start the growth
    assert float(found.lyapunov) > float(found.lyapunov_error)
    two = ss.regime(pair(3.0, 16.0), initial=[[0, 0, 0.1], [0, 0, 0.9]])
    assert regime_of(two) is R.INCOHERENT
    assert float(two.lyapunov) == pytest.approx(-2 + 4 + np.sqrt(16 - 9 / 4), abs=1e-12)  # (5.3)


def test_phase_trapping_and_drift_at_the_parameters_of_section_five():
    """kappa = 3, gamma = 1, V = 20: trapped at 5.7, which is 1.07 of the Hopf detuning, and drifting at 6.5."""
    trapped, drifting = (ss.regime(pair(detuning, 20.0)) for detuning in (5.7, 6.5))
    assert regime_of(trapped) is R.PHASE_TRAPPED
    assert regime_of(drifting) is R.PARTIAL
    np.testing.assert_allclose(trapped.frequency, 0, atol=1e-3 * 5.7)  # the groups exchange roles
    assert float(drifting.frequency[0]) == pytest.approx(-float(drifting.frequency[1]), abs=1e-3 * 6.5)
    assert float(drifting.frequency[0]) > 1
    assert 0.05 < float(trapped.phase_locking[0, 1]) < 0.999


@pytest.mark.parametrize("detuning", [5.5, 5.7, 5.9])
def test_symmetric_starts_leave_the_symmetric_motion_where_it_is_unstable(detuning):
    """Without noise equal z and |s| stay equal, in an unstable motion; rounding errors are noise enough to leave it."""
    start = [[0.3, 0.1, 0.2], [0.3, -0.1, 0.2]]
    early = ss.evolve(pair(detuning, 20.0), [0.0, 10.0, 20.0], initial=start)
    np.testing.assert_allclose(abs(early.coherence[1:, 0]), abs(early.coherence[1:, 1]), atol=1e-6)
    found = ss.regime(pair(detuning, 20.0), initial=start)
    assert regime_of(found) is R.PHASE_TRAPPED
    assert float(found.lyapunov) < 0


# frequency disorder


@pytest.mark.parametrize("theta", [-HALF_PI, -1.1])
@pytest.mark.parametrize("spread", [ss.Lorentzian(0.3, 0.8), ss.Gaussian(0.7, 0.8), ss.Uniform(2.0, 0.8)], ids=repr)
def test_distributed_frequencies_are_full_above_their_threshold_and_incoherent_below(spread, theta):
    one = laser(frequency=spread, theta=theta)
    critical = ss.critical_coupling(one)
    below, above = (ss.regime(one.replace(coupling=share * critical)) for share in (0.6, 2.0))
    assert regime_of(below) is R.INCOHERENT
    assert float(below.amplitude[0]) < 1e-6
    assert regime_of(above) is R.FULL
    cycle = ss.limit_cycle(one.replace(coupling=2.0 * critical))
    # the frequency classes represent the distribution to rtol = 1e-8
    for name in ("frequency", "amplitude", "inversion"):
        assert float(above[name][0]) == pytest.approx(float(cycle[name]), abs=1e-6), name
    assert below.settled
    assert above.settled


def test_equal_distributions_in_two_groups_are_one_distribution():
    spread, theta = ss.Gaussian(0.6, 0.5), -1.2
    found = ss.regime(ss.Ensemble([ss.Group(3, 1, frequency=spread)] * 2, np.full((2, 2), 12 * np.exp(1j * theta))))
    cycle = ss.limit_cycle(laser(theta=theta, frequency=spread))
    assert regime_of(found) is R.FULL
    np.testing.assert_allclose(found.frequency, float(cycle.frequency), atol=1e-6)
    np.testing.assert_allclose(found.amplitude, float(cycle.amplitude), atol=1e-6)
    np.testing.assert_allclose(locking(found), 1, atol=1e-6)


def test_two_uncoupled_distributions_drift_with_their_own_frequencies():
    spreads, thetas, strengths = (ss.Gaussian(0.6, 0.5), ss.Uniform(1.0, -1.0)), (-1.2, -1.7), (12.0, 15.0)
    matrix = np.diag([2 * v * np.exp(1j * t) for v, t in zip(strengths, thetas, strict=True)])
    found = ss.regime(ss.Ensemble([ss.Group(3, 1, frequency=spread) for spread in spreads], matrix))
    alone = [
        ss.limit_cycle(laser(frequency=d, theta=t, coupling=v)) for d, t, v in zip(spreads, thetas, strengths, strict=True)
    ]
    assert regime_of(found) is R.PARTIAL
    np.testing.assert_allclose(found.frequency, [float(cycle.frequency) for cycle in alone], atol=1e-5)
    np.testing.assert_allclose(found.amplitude, [float(cycle.amplitude) for cycle in alone], atol=1e-6)


@pytest.mark.slow(slice=1)
def test_a_wide_lorentzian_pulses_at_strong_coupling():
    """Section 6: half width 5 has a fixed point at V = 20 and pulses at V = 30; 40 quantiles show the same as 500 classes."""
    quantiles = 5 * np.tan(np.pi * ((np.arange(40) + 0.5) / 40 - 0.5))
    steady, pulsing = (ss.regime(laser(frequency=ss.Samples(quantiles), coupling=v)) for v in (20.0, 30.0))
    assert regime_of(steady) is R.FULL
    stationary = ss.limit_cycle(laser(frequency=ss.Lorentzian(5.0), coupling=20.0))
    # central classes are 5 pi/40 apart, far below Gamma_perp; the outermost 40th of the tails is cut off
    assert float(steady.amplitude[0]) == pytest.approx(float(stationary.amplitude), rel=0.01)
    assert regime_of(pulsing) is R.PULSATING
    assert float(pulsing.lyapunov) <= float(pulsing.lyapunov_error)
