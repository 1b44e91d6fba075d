"""Ensembles whose frequencies are known: of groups that are uncoupled, equal, antisymmetric or weakly coupled.

Tolerances: fixed points are found by Newton's method, to 1e-12 times the condition number of their equations. Two windows of
motion must agree to 1e-4 of the detuning in frequencies, and to 1e-4 in averages, before they are accepted.
"""

import numpy as np
import pytest

import spinsync as ss
from regime_cases import R, locking, regime_of, weak_pair, wrapped
from systems import HALF_PI, laser


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
    assert regime_of(found) is R.PARTIAL
    # the stepper errs by 1e-7 a step in windows
    np.testing.assert_allclose(found.frequency, [float(cycle.frequency) for cycle in alone], atol=1e-5)
    np.testing.assert_allclose(found.amplitude, [float(cycle.amplitude) for cycle in alone], atol=1e-6)
    np.testing.assert_allclose(found.inversion, [float(cycle.inversion) for cycle in alone], atol=1e-6)
    # one free phase is the common one, one is the origin of time; a third adds a zero, else (4.6) decides
    slower = max(np.sort(cycle.floquet_exponent.values.real)[-2] for cycle in alone)
    expected = 0.0 if len(alone) > 2 else slower
    assert float(found.lyapunov) == pytest.approx(expected, abs=4 * float(found.lyapunov_error))
    assert float(found.lyapunov_error) < 0.1
    assert float(found.lyapunov) <= float(found.lyapunov_error)


def test_a_coherent_and_an_incoherent_group_are_full():
    groups = [ss.Group(3, 1, frequency=0.3), ss.Group(0.5, 1, frequency=5.0)]
    found = ss.regime(ss.Ensemble(groups, [[24 * np.exp(-1.2j), 0], [0, 0]]))
    assert regime_of(found) is R.FULL
    assert float(found.frequency[0]) == pytest.approx(0.3 + 2 / np.tan(-1.2), abs=1e-9)
    assert np.isnan(found.frequency[1])
    assert float(found.amplitude[1]) < 1e-3
    np.testing.assert_array_equal(np.isnan(found.phase_locking), [[False, True], [True, True]])
    np.testing.assert_array_equal(np.isnan(found.phase_difference), [[False, True], [True, True]])


def test_a_group_without_back_action_takes_the_frequency_of_the_other():
    """B has no coupling of its own and does not act on A: in A's frame it has the stationary response (6.1)."""
    to_b = 3 * np.exp(0.4j)
    found = ss.regime(
        ss.Ensemble([ss.Group(3, 1, frequency=0.3), ss.Group(0.5, 1, frequency=2.0)], [[24 * np.exp(-1.2j), 0], [to_b, 0]])
    )
    assert regime_of(found) is R.FULL
    common = 0.3 + 2 / np.tan(-1.2)
    np.testing.assert_allclose(found.frequency, common, atol=1e-9)
    h = to_b / 2 * float(found.amplitude[0])
    g, g1, z0, off = 0.75, 1.5, -1 / 3, 2.0 - common
    z = z0 * (g**2 + off**2) / (g**2 + 4 * abs(h) ** 2 * g / g1 + off**2)
    s = 1j * h * z * (g - 1j * off) / (g**2 + off**2)
    assert float(found.amplitude[1]) == pytest.approx(abs(s), abs=1e-9)
    assert float(found.inversion[1]) == pytest.approx(z, abs=1e-9)
    assert float(found.phase_difference[1, 0]) == pytest.approx(-np.angle(s), abs=1e-9)  # A's phase is 0


@pytest.mark.parametrize("far", [8.0, 12.0, 40.0])
def test_two_locked_groups_and_a_drifting_one_are_partial(far):
    ensemble = ss.Ensemble([ss.Group(3, 1, frequency=w) for w in (0.3, -0.4, far)], np.full((3, 3), -24j))
    found = ss.regime(ensemble)
    assert regime_of(found) is R.PARTIAL
    a, b, c = found.frequency.values
    assert a == pytest.approx(b, abs=1e-4 * far)
    assert c - a > far / 2
    assert float(found.phase_locking[0, 1]) > 0.99
    assert float(found.phase_locking[0, 2]) < 0.5


@pytest.mark.parametrize("theta", [-HALF_PI, -1.0, -2.2])
def test_equal_groups_are_one_group(theta):
    one = laser(theta=theta, coupling=20.0, frequency=0.4)
    found, cycle = ss.regime(one.split(3), seed=1), ss.limit_cycle(one)
    assert regime_of(found) is R.FULL
    np.testing.assert_allclose(found.frequency, float(cycle.frequency), atol=1e-9)
    np.testing.assert_allclose(found.amplitude, float(cycle.amplitude), atol=1e-9)
    np.testing.assert_allclose(locking(found), 1, atol=1e-9)


def antisymmetric(a, b):
    """Two equal groups, C = -i ((a, b), (-b, a)): one leads the other by a quarter turn, at Omega = +-Gamma_perp b/a."""
    return ss.Ensemble([ss.Group(3, 1), ss.Group(3, 1)], -1j * np.array([[a, b], [-b, a]]))


@pytest.mark.parametrize(("a", "b"), [(16.0, 5.0), (10.0, 20.0), (12.0, 12.0)])
def test_non_reciprocal_groups_have_a_phase_difference_of_a_quarter_turn(a, b):
    found = ss.regime(antisymmetric(a, b))
    assert regime_of(found) is R.FULL
    np.testing.assert_allclose(abs(found.frequency), 2 * b / a, atol=1e-9)
    np.testing.assert_allclose(found.inversion, 2 * 2 / a, atol=1e-9)
    quarter = -np.sign(float(found.frequency[0])) * np.pi / 2
    assert float(found.phase_difference[0, 1]) == pytest.approx(quarter, abs=1e-9)


@pytest.mark.parametrize(("a", "b"), [(16.0, 5.0), (10.0, 20.0), (12.0, 12.0)])
def test_an_unstable_orbit_that_symmetry_keeps_is_left(a, b):
    """Real starts stay real: a cycle through the origin, from which any noise leads to the chasing state."""
    found = ss.regime(antisymmetric(a, b), initial=[[0.3, 0, 0.2], [0.1, 0, 0.3]])
    assert regime_of(found) is R.FULL
    np.testing.assert_allclose(abs(found.frequency), 2 * b / a, atol=1e-9)


# weak cross coupling: (5.6) to (5.8)


def check_adler(seed, share):
    ensemble, adler, reach = weak_pair(seed, share)
    found = ss.regime(ensemble, seed=seed)
    a, b = found.frequency.values
    assert bool(adler.locked) == (abs(share) < 1)
    if abs(share) < 1:
        assert regime_of(found) is R.FULL
        assert a == b
        # one percent of K_eff; it moves the arcsine by that over sqrt(1 - share^2)
        assert a == pytest.approx(float(adler.frequency), abs=0.01 * reach)
        off = wrapped(float(found.phase_difference[0, 1] - adler.phase_difference))
        assert abs(off) < 0.01 / np.sqrt(1 - share**2)
    else:
        assert regime_of(found) is R.PARTIAL
        # one percent of K_eff, which at the edge is K_eff^2/beat^2 percent of the beat
        beat = float(adler.beat_frequency)
        assert a - b == pytest.approx(beat, rel=0.01 * min(1, (reach / beat) ** 2) + 0.001 if abs(share) > 1.1 else 0.1)
        assert float(found.lyapunov) <= float(found.lyapunov_error)


@pytest.mark.parametrize("share", [-3.0, 0.5, 0.9, 1.5])
@pytest.mark.parametrize("seed", range(2))
def test_weakly_coupled_groups_lock_and_beat_as_adler_says(seed, share):
    check_adler(seed, share)


@pytest.mark.parametrize("share", [-1.01, 0.99])
@pytest.mark.parametrize("seed", [pytest.param(seed, marks=pytest.mark.slow(slice=seed % 3)) for seed in range(2, 8)])
def test_edge_of_locking_is_adlers_within_one_percent(seed, share):
    check_adler(seed, share * (-1) ** seed)
