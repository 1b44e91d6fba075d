"""Regimes: the words where theory knows them, the numbers behind them, their laws, and what stays undecided.

Tolerances: rest is Newton's, to 1e-12 beside the condition of its equations. Windows of motion agree to 1e-4 of the
detuning in frequencies and to 1e-4 in averages before they are believed; a frequency is asked for to 1e-3 of the detuning.
"""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import solve_ivp

import spinsync as ss
from reference import HALF_PI, System, laser, random_bloch
from spinsync.data.regimes import Status
from spinsync.numerics.tracking import bump
from spinsync.verbs import lane_engine, long_time
from test_closed_forms import random_one
from test_pairs import pair, random_pair

R = ss.Regime
TABLE = json.loads((Path(__file__).parent / "reference_regimes.json").read_text())["points"]


def word(found) -> R:
    return R(int(found.regime))


def turn(phase):
    return (phase + np.pi) % (2 * np.pi) - np.pi


def locking(found):
    """Mean of exp(i (phi_a - phi_b)), from its length and angle."""
    return found.phase_locking.values * np.exp(1j * found.phase_difference.values)


# closed forms


@pytest.mark.parametrize("seed", range(24))
def test_one_group_is_full_above_its_threshold_and_incoherent_below(seed):
    made, ratio = random_one(seed, ratio=[0.5, 0.95, 1.05, 3.0, None][seed % 5])
    one = ss.Ensemble.single(**made)
    found, cycle, group = ss.regime(one, seed=seed), ss.limit_cycle(one), one.groups[0]
    assert found.settled
    assert found.status == Status.SETTLED
    if ratio > 1:
        assert word(found) is R.FULL
        assert float(found.frequency[0]) == pytest.approx(float(cycle.frequency), abs=1e-9)
        assert float(found.amplitude[0]) == pytest.approx(float(cycle.amplitude), abs=1e-10)
        assert float(found.inversion[0]) == pytest.approx(float(cycle.inversion), abs=1e-10)
        assert float(found.order_parameter) == pytest.approx(2 * float(cycle.amplitude), abs=1e-10)
        slowest = np.sort(cycle.floquet_exponent.values.real)[-2]  # (4.6), beside the phase's zero
        assert float(found.lyapunov) == pytest.approx(slowest, abs=1e-6)  # exponents that meet part as the root of an error
    else:
        assert word(found) is R.INCOHERENT
        assert np.isnan(found.frequency[0])
        assert float(found.amplitude[0]) == 0
        assert float(found.inversion[0]) == pytest.approx(group.z0, abs=1e-10)
        growth = (ratio - 1) * group.gamma_perp  # (4.1)
        assert float(found.lyapunov) == pytest.approx(max(growth, -group.gamma_1), abs=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_symmetric_pair_is_its_full_state_wherever_that_alone_is_stable(seed):
    made = random_pair(seed)
    full, found = ss.symmetric_pair(pair(**made)), ss.regime(pair(**made), seed=seed)
    if full.incoherent_stable and not full.exists:
        assert word(found) is R.INCOHERENT
    if full.exists and not full.stable:
        assert word(found) in (R.PARTIAL, R.PHASE_TRAPPED)
    if not full.stable or word(found) is not R.FULL:
        assert word(found) is not R.FULL
        return
    np.testing.assert_allclose(found.frequency, float(full.frequency), atol=1e-9)
    np.testing.assert_allclose(found.amplitude, float(full.amplitude), atol=1e-9)
    np.testing.assert_allclose(found.inversion, float(full.inversion), atol=1e-9)
    np.testing.assert_allclose(found.phase_locking, 1, atol=1e-12)
    difference = float(full.phase_difference)
    np.testing.assert_allclose(found.phase_difference, [[0, difference], [-difference, 0]], atol=1e-9)
    assert float(found.order_parameter) == pytest.approx(2 * float(full.amplitude) * np.cos(difference / 2), abs=1e-9)
    assert float(found.lyapunov) < 0


@pytest.mark.parametrize("seed", range(10))
def test_full_state_shrinks_into_the_incoherent_one_below_twice_the_threshold(seed):
    """V z0 < 2 Gamma_perp: (5.2) and (5.3) are one line, and there is no drift beside it."""
    rng = np.random.default_rng([31, seed])
    gain, damping = rng.uniform(1.5, 4), rng.uniform(0.1, 1)
    dephasing = rng.uniform(0, 1) * (seed % 2)
    g = (gain + damping) / 2 + dephasing
    coupling = rng.uniform(1.2, 1.9) * g * (gain + damping) / (gain - damping)
    made = dict(coupling=coupling, gain=gain, damping=damping, dephasing=dephasing)
    edge = float(ss.symmetric_pair(pair(0.1, **made)).existence_detuning)
    for share, wanted in ((0.5, R.FULL), (0.97, R.FULL), (1.03, R.INCOHERENT), (1.5, R.INCOHERENT)):
        assert word(ss.regime(pair(share * edge, **made), seed=seed)) is wanted, share


def near_full(ensemble, off=0.0, seed=0):
    """Bloch vectors of the symmetric pair's full state, each component off by up to that share of the amplitude."""
    full = ss.symmetric_pair(ensemble)
    s, half = float(full.amplitude), float(full.phase_difference) / 2
    vectors = [[2 * s * np.cos(phase), 2 * s * np.sin(phase), float(full.inversion)] for phase in (half, -half)]
    return np.array(vectors) + off * s * np.random.default_rng(seed).uniform(-1, 1, (2, 3))


HOPF = [
    dict(coupling=9.0), dict(coupling=10.0), dict(coupling=16.0), dict(coupling=30.0, gain=5.0),
    dict(coupling=20.0, dephasing=0.5), dict(coupling=1.0, gain=0.4, damping=0.0),
    dict(coupling=16.0, gain=1.0, damping=3.0, sign=1),
]  # fmt: skip
SLOWER_HOPF = [
    dict(coupling=40.0), dict(coupling=400.0), dict(coupling=16.0, gain=2.0, damping=0.3),
    dict(coupling=25.0, gain=2.0, damping=0.2, dephasing=1.0), dict(coupling=100.0, gain=2.0, damping=0.5, dephasing=0.3),
]  # fmt: skip


@pytest.mark.parametrize("made", [*HOPF, *(pytest.param(made, marks=pytest.mark.slow(1)) for made in SLOWER_HOPF)], ids=str)
def test_hopf_line_is_where_the_full_state_is_left(made):
    """(5.4) within one percent, from starts beside the full state: elsewhere drift can persist below the line."""
    hopf = float(ss.symmetric_pair(pair(0.1, **made)).hopf_detuning)
    for share in (0.9, 0.99, 1.01):
        ensemble = pair(share * hopf, **made)
        assert ss.symmetric_pair(ensemble).exists
        found = ss.regime(ensemble, initial=near_full(ensemble, 1e-3))
        assert found.settled
        assert (word(found) is R.FULL) == (share < 1), share
        if share > 1:
            assert word(found) is not R.INCOHERENT  # which is unstable, too


def test_rest_on_an_unstable_bright_state_is_left():
    ensemble = pair(4.5, 10.0)
    full = ss.symmetric_pair(ensemble)
    assert full.exists
    assert not full.stable
    found = ss.regime(ensemble, initial=near_full(ensemble))
    assert word(found) is R.PARTIAL
    assert abs(float(found.frequency[0] - found.frequency[1])) > 1


def test_a_start_without_coherence_stays_without_however_unstable():
    found = ss.regime(laser(), initial=[[0, 0, -0.3]])
    assert word(found) is R.INCOHERENT
    assert found.settled
    assert float(found.lyapunov) == pytest.approx(12 / 2 - 2, abs=1e-12)  # V z0 - Gamma_perp: noise would end it
    assert float(found.lyapunov) > float(found.lyapunov_error)
    two = ss.regime(pair(3.0, 16.0), initial=[[0, 0, 0.1], [0, 0, 0.9]])
    assert word(two) is R.INCOHERENT
    assert float(two.lyapunov) == pytest.approx(-2 + 4 + np.sqrt(16 - 9 / 4), abs=1e-12)  # (5.3)


def test_the_two_words_of_section_five():
    """kappa = 3, gamma = 1, V = 20: trapped at 5.7, which is 1.07 of the Hopf detuning, and drifting at 6.5."""
    trapped, drifting = (ss.regime(pair(detuning, 20.0)) for detuning in (5.7, 6.5))
    assert word(trapped) is R.PHASE_TRAPPED
    assert word(drifting) is R.PARTIAL
    np.testing.assert_allclose(trapped.frequency, 0, atol=1e-3 * 5.7)  # exchange of the groups
    assert float(drifting.frequency[0]) == pytest.approx(-float(drifting.frequency[1]), abs=1e-3 * 6.5)
    assert float(drifting.frequency[0]) > 1
    assert 0.05 < float(trapped.phase_locking[0, 1]) < 0.999


# frequencies that are known


def uncoupled(seed, groups):
    """Groups that synchronize by themselves: the ensemble, and the closed form of each."""
    rng = np.random.default_rng([32, seed])
    parts, strengths, alone = [], [], []
    for frequency in np.cumsum(rng.uniform(0.3, 4, groups)):
        gain, damping, dephasing = rng.uniform(1.5, 4), rng.uniform(0.1, 1), rng.uniform(0, 0.5)
        theta, weight = rng.uniform(-2.5, -0.6), rng.uniform(0.5, 2)
        parts.append(ss.Group(gain, damping, dephasing=dephasing, frequency=frequency, weight=weight))
        critical = ((gain + damping) / 2 + dephasing) * (gain + damping) / (gain - damping) / -np.sin(theta)
        own = dict(gain=gain, damping=damping, dephasing=dephasing, frequency=frequency)
        strengths.append((rng.uniform(1.2, 5) * critical, theta))
        alone.append(ss.limit_cycle(ss.Ensemble.single(**own, coupling=strengths[-1][0], theta=theta)))
    share = np.array([part.weight for part in parts]) / sum(part.weight for part in parts)
    return ss.Ensemble(parts, np.diag([v * np.exp(1j * t) / p for (v, t), p in zip(strengths, share, strict=True)])), alone


@pytest.mark.parametrize("seed", range(8))
def test_uncoupled_groups_are_partial_with_their_own_frequencies(seed):
    ensemble, alone = uncoupled(seed, 2 + seed % 3)
    found = ss.regime(ensemble, seed=seed)
    assert word(found) is R.PARTIAL
    # the stepper errs by 1e-7 a step in windows
    np.testing.assert_allclose(found.frequency, [float(cycle.frequency) for cycle in alone], atol=1e-5)
    np.testing.assert_allclose(found.amplitude, [float(cycle.amplitude) for cycle in alone], atol=1e-6)
    np.testing.assert_allclose(found.inversion, [float(cycle.inversion) for cycle in alone], atol=1e-6)
    assert float(found.lyapunov) <= float(found.lyapunov_error)


def test_a_bright_and_a_dark_group_are_full():
    bright, dark = ss.Group(3, 1, frequency=0.3), ss.Group(0.5, 1, frequency=5.0)
    found = ss.regime(ss.Ensemble([bright, dark], [[24 * np.exp(-1.2j), 0], [0, 0]]))
    assert word(found) is R.FULL
    assert float(found.frequency[0]) == pytest.approx(0.3 + 2 / np.tan(-1.2), abs=1e-9)
    assert np.isnan(found.frequency[1])
    assert float(found.amplitude[1]) < 1e-3
    np.testing.assert_array_equal(np.isnan(found.phase_locking), [[False, True], [True, True]])
    np.testing.assert_array_equal(np.isnan(found.phase_difference), [[False, True], [True, True]])


def test_a_driven_group_follows_the_frequency_that_drives_it():
    """B has no coupling of its own and does not act back: at rest in A's frame with the response (6.1)."""
    drive = 3 * np.exp(0.4j)
    found = ss.regime(
        ss.Ensemble([ss.Group(3, 1, frequency=0.3), ss.Group(0.5, 1, frequency=2.0)], [[24 * np.exp(-1.2j), 0], [drive, 0]])
    )
    assert word(found) is R.FULL
    common = 0.3 + 2 / np.tan(-1.2)
    np.testing.assert_allclose(found.frequency, common, atol=1e-9)
    h = drive / 2 * float(found.amplitude[0])
    g, g1, z0, off = 0.75, 1.5, -1 / 3, 2.0 - common
    z = z0 * (g**2 + off**2) / (g**2 + 4 * abs(h) ** 2 * g / g1 + off**2)
    s = 1j * h * z * (g - 1j * off) / (g**2 + off**2)
    assert float(found.amplitude[1]) == pytest.approx(abs(s), abs=1e-9)
    assert float(found.inversion[1]) == pytest.approx(z, abs=1e-9)
    assert float(found.phase_difference[1, 0]) == pytest.approx(-np.angle(s), abs=1e-9)  # A's phase is 0


@pytest.mark.parametrize("far", [8.0, 12.0, 40.0])
def test_two_groups_that_lock_beside_one_that_drifts_are_partial(far):
    ensemble = ss.Ensemble([ss.Group(3, 1, frequency=w) for w in (0.3, -0.4, far)], np.full((3, 3), -24j))
    found = ss.regime(ensemble)
    assert word(found) is R.PARTIAL
    a, b, c = found.frequency.values
    assert a == pytest.approx(b, abs=1e-4 * far)
    assert c - a > far / 2
    assert float(found.phase_locking[0, 1]) > 0.99
    assert float(found.phase_locking[0, 2]) < 0.5


@pytest.mark.parametrize("theta", [-HALF_PI, -1.0, -2.2])
def test_equal_groups_are_one_group(theta):
    one = laser(theta=theta, coupling=20.0, frequency=0.4)
    found, cycle = ss.regime(one.split(3), seed=1), ss.limit_cycle(one)
    assert word(found) is R.FULL
    np.testing.assert_allclose(found.frequency, float(cycle.frequency), atol=1e-9)
    np.testing.assert_allclose(found.amplitude, float(cycle.amplitude), atol=1e-9)
    np.testing.assert_allclose(locking(found), 1, atol=1e-9)


def antisymmetric(a, b):
    """Two equal groups, C = -i ((a, b), (-b, a)): one leads the other by a quarter turn, at Omega = +-Gamma_perp b/a."""
    return ss.Ensemble([ss.Group(3, 1), ss.Group(3, 1)], -1j * np.array([[a, b], [-b, a]]))


@pytest.mark.parametrize(("a", "b"), [(16.0, 5.0), (10.0, 20.0), (12.0, 12.0)])
def test_non_reciprocal_groups_chase_each_other(a, b):
    found = ss.regime(antisymmetric(a, b))
    assert word(found) is R.FULL
    np.testing.assert_allclose(abs(found.frequency), 2 * b / a, atol=1e-9)
    np.testing.assert_allclose(found.inversion, 2 * 2 / a, atol=1e-9)
    quarter = -np.sign(float(found.frequency[0])) * np.pi / 2
    assert float(found.phase_difference[0, 1]) == pytest.approx(quarter, abs=1e-9)


@pytest.mark.parametrize(("a", "b"), [(16.0, 5.0), (10.0, 20.0), (12.0, 12.0)])
def test_an_unstable_orbit_that_symmetry_keeps_is_not_irregular(a, b):
    """Real starts stay real: a cycle through the origin, which the least noise leaves for the chase."""
    found = ss.regime(antisymmetric(a, b), initial=[[0.3, 0, 0.2], [0.1, 0, 0.3]])
    assert word(found) in (R.FULL, R.UNDECIDED)


# frequency disorder


@pytest.mark.parametrize("theta", [-HALF_PI, -1.1])
@pytest.mark.parametrize("spread", [ss.Lorentzian(0.3, 0.8), ss.Gaussian(0.7, 0.8), ss.Uniform(2.0, 0.8)], ids=repr)
def test_distributed_frequencies_are_full_above_their_threshold_and_incoherent_below(spread, theta):
    one = laser(frequency=spread, theta=theta)
    critical = ss.critical_coupling(one)
    below, above = (ss.regime(one.replace(coupling=share * critical)) for share in (0.6, 2.0))
    assert word(below) is R.INCOHERENT
    assert float(below.amplitude[0]) < 1e-6
    assert word(above) is R.FULL
    cycle = ss.limit_cycle(one.replace(coupling=2.0 * critical))
    # the classes stand for the distribution to rtol = 1e-8
    for name in ("frequency", "amplitude", "inversion"):
        assert float(above[name][0]) == pytest.approx(float(cycle[name]), abs=1e-6), name
    assert below.settled
    assert above.settled


def test_equal_distributions_in_two_groups_are_one_distribution():
    spread, theta = ss.Gaussian(0.6, 0.5), -1.2
    found = ss.regime(ss.Ensemble([ss.Group(3, 1, frequency=spread)] * 2, np.full((2, 2), 12 * np.exp(1j * theta))))
    cycle = ss.limit_cycle(laser(theta=theta, frequency=spread))
    assert word(found) is R.FULL
    np.testing.assert_allclose(found.frequency, float(cycle.frequency), atol=1e-6)
    np.testing.assert_allclose(found.amplitude, float(cycle.amplitude), atol=1e-6)
    np.testing.assert_allclose(locking(found), 1, atol=1e-6)


def test_two_distributions_side_by_side_drift_with_their_own_frequencies():
    spreads, thetas, strengths = (ss.Gaussian(0.6, 0.5), ss.Uniform(1.0, -1.0)), (-1.2, -1.7), (12.0, 15.0)
    matrix = np.diag([2 * v * np.exp(1j * t) for v, t in zip(strengths, thetas, strict=True)])
    found = ss.regime(ss.Ensemble([ss.Group(3, 1, frequency=spread) for spread in spreads], matrix))
    alone = [
        ss.limit_cycle(laser(frequency=d, theta=t, coupling=v)) for d, t, v in zip(spreads, thetas, strengths, strict=True)
    ]
    assert word(found) is R.PARTIAL
    np.testing.assert_allclose(found.frequency, [float(cycle.frequency) for cycle in alone], atol=1e-5)
    np.testing.assert_allclose(found.amplitude, [float(cycle.amplitude) for cycle in alone], atol=1e-6)


@pytest.mark.slow(1)
def test_pulses_of_a_wide_lorentzian_are_no_rest():
    """Section 6: half width 5 rests at V = 20 and pulses at V = 30; 40 quantiles tell as much as 500 classes."""
    quantiles = 5 * np.tan(np.pi * ((np.arange(40) + 0.5) / 40 - 0.5))
    resting, pulsing = (ss.regime(laser(frequency=ss.Samples(quantiles), coupling=v)) for v in (20.0, 30.0))
    assert word(resting) is R.FULL
    stationary = ss.limit_cycle(laser(frequency=ss.Lorentzian(5.0), coupling=20.0))
    # in the middle classes are 5 pi/40 apart, far below Gamma_perp; what the 40th part of the tails does is lost
    assert float(resting.amplitude[0]) == pytest.approx(float(stationary.amplitude), rel=0.01)
    assert word(pulsing) is R.PHASE_TRAPPED
    assert float(pulsing.lyapunov) <= float(pulsing.lyapunov_error)


# weak cross coupling: (5.6) to (5.8)


def weak_pair(seed, share):
    """V_x/V = 0.002 at random phases, at this share of the locking range; and its closed form."""
    rng = np.random.default_rng([33, seed])
    while True:
        theta, phases = rng.uniform(-2.2, -0.9), rng.uniform(-np.pi, np.pi, 2)
        # K_eff is this cosine times a number: near its zero the corrections of order V_x/V are no small part of it
        if abs(np.cos(phases.mean() - theta)) > 0.6:
            break
    made = dict(gain=3.0, damping=1.0, coupling=24.0, theta=theta, cross_coupling=0.048, cross_theta=tuple(phases))
    reach = float(ss.locking_range(ss.Ensemble.pair(detuning=0.0, **made)).locking_range)
    ensemble = ss.Ensemble.pair(detuning=share * reach, **made)
    return ensemble, ss.locking_range(ensemble), reach


def check_adler(seed, share):
    ensemble, adler, reach = weak_pair(seed, share)
    found = ss.regime(ensemble, seed=seed)
    a, b = found.frequency.values
    assert bool(adler.locked) == (abs(share) < 1)
    if abs(share) < 1:
        assert word(found) is R.FULL
        assert a == b
        # one percent of K_eff; it moves the arcsine by that over sqrt(1 - share^2)
        assert a == pytest.approx(float(adler.frequency), abs=0.01 * reach)
        off = turn(float(found.phase_difference[0, 1] - adler.phase_difference))
        assert abs(off) < 0.01 / np.sqrt(1 - share**2)
    else:
        assert word(found) is R.PARTIAL
        # one percent of K_eff, which at the edge is K_eff^2/beat^2 percent of the beat
        beat = float(adler.beat_frequency)
        assert a - b == pytest.approx(beat, rel=0.01 * min(1, (reach / beat) ** 2) + 0.001 if abs(share) > 1.1 else 0.1)
        assert float(found.lyapunov) <= float(found.lyapunov_error)


@pytest.mark.parametrize("share", [-3.0, 0.5, 0.9, 1.5])
@pytest.mark.parametrize("seed", range(2))
def test_weakly_coupled_groups_lock_and_beat_as_adler_says(seed, share):
    check_adler(seed, share)


@pytest.mark.parametrize("share", [-1.01, 0.99])
@pytest.mark.parametrize("seed", [pytest.param(seed, marks=pytest.mark.slow(seed % 3)) for seed in range(2, 8)])
def test_edge_of_locking_is_adlers_within_one_percent(seed, share):
    check_adler(seed, share * (-1) ** seed)


# laws over random pairs


@cache
def random_motion(seed):
    """Two groups of any phases and cross coupling, every third beside the trapped pair of section 5; and what they do."""
    rng = np.random.default_rng([34, seed])
    if seed % 3:
        detuning, theta, phases = rng.uniform(0.5, 12), rng.uniform(-np.pi, 0), rng.uniform(-np.pi, np.pi, 2)
        inner, cross, gain, damping = rng.uniform(8, 40), rng.uniform(0, 30), rng.uniform(2, 5, 2), rng.uniform(0.3, 1, 2)
    else:
        detuning, (theta, *phases) = rng.uniform(5.5, 5.8), rng.uniform(-1.6, -1.54, 3)
        inner, cross, gain, damping = 20.0, rng.uniform(19.5, 20.5), rng.uniform(2.9, 3.1, 2), rng.uniform(0.95, 1.05, 2)
    system = System(
        gain, damping, dephasing=rng.uniform(0, 0.5, 2) * (seed % 3 == 1), omega=np.array([0.5, -0.5]) * detuning,
        weight=rng.uniform(0.5, 1.5, 2) if seed % 3 else np.ones(2),
        coupling=np.array([[inner, cross], [cross, inner]]) * np.exp(1j * np.array([[theta, phases[0]], [phases[1], theta]])),
        bloch=random_bloch(rng, 2, 0.9),
    )  # fmt: skip
    return system, answer(system)


def answer(system):
    return ss.regime(system.ensemble(), initial=system.bloch)


def turned_about_z(bloch, angle):
    c, s = np.cos(angle), np.sin(angle)
    return bloch @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])


class Law:
    """A change of the system, and how it changes the answer: signs and shifts of the variables."""

    frequency, inversion, scale, shift, mirrored, order = 1, 1, 1.0, 0.0, False, (0, 1)

    @staticmethod
    def change(system):
        raise NotImplementedError


class Turned(Law):
    """A common turn of all phases changes nothing."""

    @staticmethod
    def change(system):
        return replace(system, bloch=turned_about_z(system.bloch, 2.1))


class Swapped(Law):
    """So does the order of groups."""

    order = (1, 0)

    @staticmethod
    def change(system):
        return system.permuted(np.array([1, 0]))


class Shifted(Law):
    """A common frequency is added to all frequencies."""

    shift = 37.5

    @staticmethod
    def change(system):
        return replace(system, omega=system.omega + 37.5)


class Mirrored(Law):
    """The complex conjugate of (3.3), (3.4): s -> s^*, omega -> -omega, C -> -C^*, that is theta -> pi - theta."""

    frequency, mirrored = -1, True

    @staticmethod
    def change(system):
        return replace(system, omega=-system.omega, coupling=-system.coupling.conj(), bloch=system.bloch * [1, -1, 1])


class UpsideDown(Law):
    """Gain and damping exchanged: z -> -z, C -> -C."""

    inversion = -1

    @staticmethod
    def change(system):
        flipped = replace(system, gain=system.damping, damping=system.gain)
        return replace(flipped, coupling=-system.coupling, bloch=system.bloch * [1, 1, -1])


class Rescaled(Law):
    """The unit of time is anyone's choice."""

    scale = 1024.0

    @staticmethod
    def change(system):
        rates = {name: getattr(system, name) * 1024 for name in ("gain", "damping", "dephasing", "omega", "coupling")}
        return replace(system, **rates)


def check_law(law, seed):
    system, before = random_motion(seed)
    after = answer(law.change(system))
    assert word(after) is word(before)
    if word(before) in (R.IRREGULAR, R.UNDECIDED):
        return
    resting = word(before) in (R.FULL, R.INCOHERENT)
    detuning = float(np.ptp(system.omega))
    order = list(law.order)
    frequency = law.scale * law.frequency * before.frequency.values[order] + law.shift
    np.testing.assert_allclose(after.frequency, frequency, atol=law.scale * (1e-9 if resting else 1e-3 * detuning))
    for name, sign in (("amplitude", 1), ("inversion", law.inversion)):
        np.testing.assert_allclose(after[name], sign * before[name].values[order], atol=1e-9 if resting else 1e-3)
    both = locking(before)[np.ix_(order, order)]
    np.testing.assert_allclose(locking(after), both.conj() if law.mirrored else both, atol=1e-9 if resting else 1e-2)
    assert float(after.order_parameter) == pytest.approx(float(before.order_parameter), abs=1e-9 if resting else 1e-3)
    error = 1e-6 if resting else 4 * float(before.lyapunov_error + after.lyapunov_error / law.scale)
    assert float(after.lyapunov) / law.scale == pytest.approx(float(before.lyapunov), abs=error)


LAWS = [Turned, Swapped, Shifted, Mirrored, UpsideDown, Rescaled]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("law", LAWS)
def test_law(law, seed):
    check_law(law, seed)


@pytest.mark.slow(2)
@pytest.mark.parametrize("seed", range(12, 72))
@pytest.mark.parametrize("law", LAWS)
def test_law_over_many_pairs(law, seed):
    check_law(law, seed)


def test_the_family_of_the_laws_meets_the_words():
    words = {word(random_motion(seed)[1]) for seed in range(12)}
    assert words == {R.FULL, R.PARTIAL, R.PHASE_TRAPPED}


def check_halves(seed):
    system, whole = random_motion(seed)
    halves = ss.regime(system.ensemble().split(2), initial=np.repeat(system.bloch, 2, axis=0))
    assert word(halves) is word(whole)
    if word(whole) is R.IRREGULAR:
        return
    resting, detuning = word(whole) is R.FULL, float(np.ptp(system.omega))
    for name, tolerance in (("frequency", 1e-3 * detuning), ("amplitude", 1e-3), ("inversion", 1e-3)):
        twice = np.repeat(whole[name].values, 2)
        np.testing.assert_allclose(halves[name], twice, atol=1e-9 if resting else tolerance)
    assert float(halves.order_parameter) == pytest.approx(float(whole.order_parameter), abs=1e-3)
    np.testing.assert_allclose(halves.phase_locking.values[[0, 2], [1, 3]], 1, atol=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_halves_of_groups_do_what_the_groups_do(seed):
    check_halves(seed)


@pytest.mark.parametrize("seed", range(12))
def test_a_distribution_of_one_frequency_is_that_frequency(seed):
    """Two ways to step and to measure, and one answer."""
    system, plain = random_motion(seed)
    found = ss.regime(sampled(system.ensemble()), initial=system.bloch)
    assert word(found) is word(plain)
    resting, detuning = word(plain) is R.FULL, float(np.ptp(system.omega))
    np.testing.assert_allclose(found.frequency, plain.frequency, atol=1e-9 if resting else 1e-3 * detuning)
    for name in ("amplitude", "inversion", "order_parameter"):
        np.testing.assert_allclose(found[name], plain[name], atol=1e-9 if resting else 1e-3)
    # samples beside a passage at 1e-3 from the origin, where the phase turns within one of them
    np.testing.assert_allclose(locking(found), locking(plain), atol=1e-9 if resting else 1.5e-2)


def unwrapped(system, start, end, step=0.005):
    """Frequencies, amplitudes, inversions, mean of exp(i (phi_a - phi_b)) and R, from a long run of `evolve`."""
    times = np.concatenate([[0.0], np.arange(start, end, step)])
    run = ss.evolve(system.ensemble(), times, initial=system.bloch).isel(time=slice(1, None))
    s = run.coherence.values
    phase = np.unwrap(-np.angle(s), axis=0)
    w = bump(len(s) - 1)
    e = np.exp(1j * phase)
    means = [w @ value[1:] for value in (abs(s), run.inversion.values, run.order_parameter.values)]
    return w @ np.diff(phase, axis=0) / step, *means, np.einsum("t,ta,tb->ab", w, e[1:], e[1:].conj())


def check_unwrapped(seed):
    system, found = random_motion(seed)
    if word(found) is R.IRREGULAR:
        return
    frequency, amplitude, inversion, order, together = unwrapped(system, 150.0, 450.0)
    detuning, bright = float(np.ptp(system.omega)), amplitude >= 1e-3
    frequency, together = np.where(bright, frequency, np.nan), np.where(np.outer(bright, bright), together, np.nan)
    np.testing.assert_allclose(found.frequency, frequency, atol=1e-3 * detuning)
    np.testing.assert_allclose(found.amplitude, amplitude, atol=1e-3)
    np.testing.assert_allclose(found.inversion, inversion, atol=1e-3)
    assert float(found.order_parameter) == pytest.approx(order, abs=1e-3)
    # a phase that jumps beside zero within one of the hundred samples of a beat is known to a hundredth
    np.testing.assert_allclose(locking(found), together, atol=1e-2)


@pytest.mark.parametrize("seed", range(6))
def test_numbers_are_those_of_a_long_run(seed):
    check_unwrapped(seed)


@pytest.mark.slow(0)
@pytest.mark.parametrize("seed", range(6, 48))
def test_numbers_are_those_of_a_long_run_for_many_pairs(seed):
    check_unwrapped(seed)


# an independent integrator, and irregular motion


def of_table(row):
    names = ("detuning", "gain", "damping", "coupling", "theta", "cross_coupling", "cross_theta")
    return ss.Ensemble.pair(**{name: row[name] if name != "cross_theta" else tuple(row[name]) for name in names})


def sampled(ensemble):
    """The same with each frequency as a distribution of one: exact by definition, and stepped as distributions are."""
    return ensemble.replace(**{f"{group.name}.frequency": ss.Samples([group.frequency]) for group in ensemble.groups})


def check_table(row, ensemble, seed):
    found = ss.regime(ensemble, seed=seed)
    assert word(found) is R[row["regime"]]
    assert found.settled
    growth, error = float(found.lyapunov), float(found.lyapunov_error)
    if word(found) is R.IRREGULAR:
        assert growth > 4 * error
        assert growth == pytest.approx(row["lyapunov"], abs=4 * error + 0.05)  # the reference's halves differ by up to 0.02
        return
    assert growth <= error
    np.testing.assert_allclose(found.amplitude, row["amplitude"], atol=1e-3)
    if word(found) is R.INCOHERENT:
        assert np.isnan(found.frequency).all()
    else:
        np.testing.assert_allclose(found.frequency, row["frequency"], atol=1e-3 * row["detuning"])
    if word(found) in (R.FULL, R.INCOHERENT):
        assert growth == pytest.approx(row["lyapunov"], abs=1e-5)
        assert growth < 0


@pytest.mark.parametrize("row", range(0, len(TABLE), 3))
def test_agrees_with_an_independent_integrator(row):
    check_table(TABLE[row], of_table(TABLE[row]), 0)


@pytest.mark.parametrize("row", range(2, len(TABLE), 8))
def test_distributions_of_one_frequency_agree_with_an_independent_integrator(row):
    check_table(TABLE[row], sampled(of_table(TABLE[row])), 0)


@pytest.mark.slow(0)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("row", range(len(TABLE)))
def test_agrees_with_an_independent_integrator_at_every_point(row, seed):
    for ensemble in (of_table(TABLE[row]), sampled(of_table(TABLE[row]))):
        check_table(TABLE[row], ensemble, seed)


def test_the_table_holds_every_word():
    assert {row["regime"] for row in TABLE} == {regime.name for regime in R if regime is not R.UNDECIDED}


def two_trajectories(ensemble, copies=8, span=4.0, rounds=30):
    """Benettin's exponent by the reference equations: how fast pairs of close trajectories part; mean and standard error."""
    spread = ss.evolve(ensemble, np.concatenate([[0.0], 200 + 7.3 * np.arange(copies)]), seed=5)
    starts = ss.bloch(spread).values[1:]  # (copy, group, 3): places on the attractor
    n = 4 * copies
    rows = {name: np.tile([getattr(g, name) for g in ensemble.groups], 2 * copies) for name in ("gain", "damping", "dephasing")}
    omega = np.tile([g.mean_frequency for g in ensemble.groups], 2 * copies)
    matrix = np.kron(np.eye(2 * copies), ensemble.coupling_matrix) * 2 * copies  # the weights of all add up to 1
    system = System(**rows, omega=omega, weight=np.ones(n), coupling=matrix, bloch=np.zeros((n, 3)))

    def velocity(_t, y):
        ds, dz = system.rhs(y[:n] + 1j * y[n : 2 * n], y[2 * n :])
        return np.concatenate([ds.real, ds.imag, dz])

    small, rng, rates = 1e-7, np.random.default_rng(0), []
    first = np.concatenate([starts[..., 0].ravel() / 2, -starts[..., 1].ravel() / 2, starts[..., 2].ravel()]).reshape(
        3, copies, 2
    )
    gap = rng.normal(size=first.shape)
    for _ in range(rounds):
        gap *= small / np.sqrt(np.sum(gap**2, axis=(0, 2), keepdims=True))
        y = np.stack([first, first + gap], axis=1).reshape(-1)  # all first ones, then all second ones
        y = solve_ivp(velocity, (0, span), y, method="DOP853", rtol=1e-9, atol=1e-12).y[:, -1].reshape(3, 2, copies, 2)
        first, gap = y[:, 0], y[:, 1] - y[:, 0]
        rates.append(np.log(np.sqrt(np.sum(gap**2, axis=(0, 2))) / small) / span)
    means = np.mean(rates[3:], axis=0)  # the first rounds turn the gap into the direction that grows
    return means.mean(), means.std(ddof=1) / np.sqrt(copies)


IRREGULAR = {
    "of the table": lambda: of_table(next(row for row in TABLE if row["regime"] == "IRREGULAR")),
    "of the table, second": lambda: of_table([row for row in TABLE if row["regime"] == "IRREGULAR"][1]),
    "a symmetric pair": lambda: pair(1.1 * float(ss.symmetric_pair(pair(1.0, 400.0)).hopf_detuning), 400.0),
}


@pytest.mark.slow(1)
@pytest.mark.parametrize("name", IRREGULAR)
def test_irregular_motion_parts_trajectories_at_its_lyapunov_exponent(name):
    found = ss.regime(IRREGULAR[name]())
    assert word(found) is R.IRREGULAR
    growth, error = two_trajectories(IRREGULAR[name]())
    assert growth > 5 * error
    assert float(found.lyapunov) == pytest.approx(growth, abs=4 * (error + float(found.lyapunov_error)))


# a diagram is many regimes


AXES = {
    "a symmetric pair": (pair(1.0, 16.0), {"detuning": [0.5, 4.5, 5.0, 9.0], "coupling": [2.0, 10.0, 20.0]}),
    "phases and rates": (of_table(TABLE[5]), {"A.B.theta": [-2.0, 0.4], "B.gain": [2.5, 4.0], "cross_coupling": [0.0, 9.0]}),
    "disorder": (laser(frequency=ss.Gaussian(0.5)), {"coupling": [2.0, 9.0], "theta": [-1.4, -1.0]}),
}


@pytest.mark.parametrize("name", AXES)
@pytest.mark.parametrize("threads", [1, 3])
def test_a_point_of_a_diagram_is_its_regime_bit_for_bit(name, threads):
    ensemble, axes = AXES[name]
    start = random_bloch(np.random.default_rng(6), len(ensemble.groups), 0.8)
    diagram = ss.phase_diagram(ensemble, axes, initial=start, threads=threads)
    for place in np.ndindex(*map(len, axes.values())):
        point = {axis: values[k] for k, (axis, values) in zip(place, axes.items(), strict=True)}
        alone = ss.regime(ensemble.replace(**point), initial=start)
        there = diagram.isel(dict(zip(axes, place, strict=True)), drop=True)
        assert set(alone.data_vars) == set(there.data_vars)
        for variable in alone.data_vars:
            np.testing.assert_array_equal(there[variable], alone[variable], err_msg=f"{variable} at {point}")
            assert there[variable].dtype == alone[variable].dtype


# what is said of itself


def test_variables_say_what_they_are(tmp_path):
    found = ss.regime(pair(6.5, 20.0), seed=3)
    names = {"regime", "frequency", "amplitude", "inversion", "order_parameter", "phase_locking", "phase_difference"}
    assert set(found.data_vars) == names | {"lyapunov", "lyapunov_error", "settled", "status"}
    for name in ("frequency", "amplitude", "inversion"):
        assert found[name].dims == ("group",)
    for name in ("phase_locking", "phase_difference"):
        assert found[name].dims == ("group", "other_group")
    for name in found.variables:
        assert found[name].attrs["long_name"], name
        assert found[name].attrs["units"], name
    assert found.regime.dtype == np.int8
    assert found.regime.attrs["flag_values"].tolist() == [-1, 0, 1, 2, 3, 4]
    meanings = "undecided incoherent full phase_trapped partial irregular"
    assert found.regime.attrs["flag_meanings"] == meanings
    assert found.attrs["verb"] == "regime"
    assert found.attrs["seed"] == 3
    assert ss.model_of(found) == pair(6.5, 20.0)
    found.to_zarr(tmp_path / "regime.zarr", consolidated=False)
    stored = xr.open_zarr(tmp_path / "regime.zarr", consolidated=False).load()
    xr.testing.assert_equal(stored, found)
    assert ss.label(stored.regime) == "partial"


def test_the_start_is_the_one_of_evolve():
    ensemble = pair(5.0, 16.0)
    start = ss.bloch(ss.evolve(ensemble, [0.0], seed=4)).values[0]
    seeded, given = ss.regime(ensemble, seed=4), ss.regime(ensemble, initial=start)
    np.testing.assert_allclose(seeded.frequency, given.frequency, atol=1e-6)
    assert word(seeded) is word(given)
    assert "initial" not in seeded.attrs
    np.testing.assert_allclose(json.loads(given.attrs["initial"]), start)
    assert ss.regime(ensemble, seed=4).identical(seeded)


def test_one_detuning_holds_more_than_one_regime():
    """V = 10 just below the Hopf line: a start at rest stays, a drift persists (section 5); the start decides."""
    hopf = float(ss.symmetric_pair(pair(1.0, 10.0)).hopf_detuning)
    ensemble, beyond = pair(0.98 * hopf, 10.0), pair(1.02 * hopf, 10.0)
    drift = ss.evolve(beyond, [0.0, 100.0])
    assert word(ss.regime(beyond, initial=ss.bloch(drift).isel(time=1))) is R.PARTIAL
    assert word(ss.regime(ensemble, initial=ss.bloch(drift).isel(time=1))) is R.PARTIAL
    assert word(ss.regime(ensemble, initial=near_full(ensemble, 1e-3))) is R.FULL
    assert word(ss.regime(pair(0.96 * hopf, 10.0), initial=ss.bloch(drift).isel(time=1))) is R.FULL


# what stays undecided


def driven_through_zero():
    """A and B turn at +-1 and push C equally hard: C's coherence is a cosine, whose phase is lost twice in each beat."""
    groups = [ss.Group(3, 1, frequency=1.0), ss.Group(3, 1, frequency=-1.0), ss.Group(1, 1.5)]
    return ss.Ensemble(groups, -1j * np.array([[24.0, 0, 0], [0, 24.0, 0], [6.0, 6.0, 0]]))


UNDECIDED = {
    Status.STILL_CHANGING: lambda: weak_pair(2, 1.01)[0],
    Status.FAILED: lambda: laser(coupling=1e300),
    Status.NO_RELAXATION: lambda: laser(gain=0.0, damping=0.0, dephasing=0.3),
    Status.THROUGH_ZERO: driven_through_zero,
}


@pytest.mark.parametrize("status", UNDECIDED)
def test_what_is_undecided_says_why(status, monkeypatch):
    for engine in (lane_engine, long_time):
        monkeypatch.setattr(engine, "PATIENCE", 300.0)
    found = ss.regime(UNDECIDED[status]())
    assert word(found) is R.UNDECIDED
    assert Status(int(found.status)) is status
    assert not found.settled
    assert ss.label(found.regime) == "undecided"
    if status in (Status.FAILED, Status.NO_RELAXATION):
        for name in ("frequency", "amplitude", "inversion", "order_parameter", "phase_locking", "lyapunov"):
            assert np.isnan(found[name]).all(), name
    else:
        assert np.all(found.amplitude > 1e-3)  # what was seen last is told


def test_every_reason_is_among_the_undecided():
    assert set(UNDECIDED) == set(Status) - {Status.SETTLED}


@pytest.mark.slow(2)
def test_a_slow_beat_at_the_end_of_patience_is_undecided_and_not_locked():
    """A beat of 10^5 relaxation times is seen to move, or not seen to be stationary; it is never taken for rest."""
    ensemble = ss.Ensemble.pair(
        detuning=1.0, gain=3.0, damping=1.0, coupling=24.0, theta=-HALF_PI, cross_coupling=0.005, cross_theta=-HALF_PI
    )
    reach = float(ss.locking_range(ensemble).locking_range)
    found = ss.regime(ensemble.replace(detuning=1.01 * reach))
    assert word(found) in (R.UNDECIDED, R.PARTIAL)
    assert bool(found.settled) == (word(found) is R.PARTIAL)


def test_only_what_is_decided_is_settled():
    diagram = ss.phase_diagram(laser(damping=0.0), {"gain": [0.0, 1.0], "coupling": [0.0, 9.0, 1e300]})
    decided = diagram.regime.values != R.UNDECIDED
    np.testing.assert_array_equal(diagram.settled, decided)
    np.testing.assert_array_equal(diagram.status == Status.SETTLED, decided)
    assert ss.label(diagram.regime).values.tolist() == [["undecided"] * 3, ["incoherent", "full", "undecided"]]


def test_exponents_are_positive_in_irregular_motion_alone():
    found = [ss.regime(of_table(row)) for row in TABLE[::3]] + [random_motion(seed)[1] for seed in range(12)]
    for one in found:
        grows = float(one.lyapunov) > float(one.lyapunov_error)
        assert grows == (word(one) is R.IRREGULAR)
        assert float(one.lyapunov_error) > 0
        if word(one) in (R.FULL, R.INCOHERENT):
            assert float(one.lyapunov) < 0


# words of codes


def test_labels_of_codes():
    assert ss.label(R.PHASE_TRAPPED) == "phase-trapped"
    assert ss.label(-1) == "undecided"
    assert type(ss.label(np.int8(3))) is str
    assert ss.label([0, 1, 2, 3, 4]).tolist() == ["incoherent", "full", "phase-trapped", "partial", "irregular"]
    assert ss.label(np.array([[1, 3]])).shape == (1, 2)
    assert ss.label([]).shape == (0,)
    diagram = ss.phase_diagram(laser(), {"coupling": [2.0, 12.0]})
    words = ss.label(diagram.regime)
    assert words.dims == ("coupling",)
    assert words.sel(coupling=12.0) == "full"
    np.testing.assert_array_equal(words.coupling, [2.0, 12.0])
    assert ss.label(diagram.regime[0]) == "incoherent"
    assert [regime.value for regime in R] == [-1, 0, 1, 2, 3, 4]
