"""Adler's equation and its error against locked states by Newton's method, and against time evolution."""

import numpy as np
import pytest
from scipy.optimize import fsolve

import spinsync as ss
from systems import HALF_PI

#: a pair 2.5 percent above its threshold: V_x / V is 0.01, but the groups lock far beyond K_eff
NEAR = ss.Ensemble.pair(
    detuning=0.0, gain=3.0, damping=1.0, coupling=8.2, theta=-HALF_PI, cross_coupling=0.082, cross_theta=-HALF_PI + 1.2
)


def random_pair(seed):
    rng = np.random.default_rng([16, seed])
    return ss.Ensemble.pair(
        detuning=0.0, gain=tuple(rng.uniform(2, 4, 2)), damping=tuple(rng.uniform(0.2, 1, 2)),
        dephasing=tuple(rng.uniform(0, 0.5, 2)), coupling=rng.uniform(15, 30), theta=-rng.uniform(0.8, 2.3),
        cross_coupling=10 ** rng.uniform(-2, 0.3), cross_theta=tuple(rng.uniform(-3, 3, 2)),
        weights=tuple(rng.uniform(1, 2, 2)),
    )  # fmt: skip


def locked_edges(pair):
    """Smallest and largest effective detuning of fixed points of (3.3) and (3.4) at a given phase difference."""
    p = np.array([group.weight for group in pair.groups])
    gamma, gamma_1, net_gain, omega = (
        np.array([value(group) for group in pair.groups])
        for value in (lambda g: g.gamma_perp, lambda g: g.gamma_1, lambda g: g.gain - g.damping, lambda g: g.mean_frequency)
    )

    def equations(unknown, phase):
        size, z, frequency, detuning = unknown[:2], unknown[2:4], unknown[4], unknown[5]
        unit = np.array([np.exp(-1j * phase), 1.0])
        s = size * unit
        h = pair.coupling_matrix @ (p * s)
        ds = (-1j * (omega + np.array([detuning, -detuning]) / 2 - frequency) - gamma) * s + 1j * h * z
        ds = ds / unit
        return [*ds.real, *ds.imag, *(-gamma_1 * z + net_gain + 4 * (h * s.conj()).imag)]

    cycles = [
        ss.limit_cycle(ss.Ensemble([group], [[group.weight * pair.coupling_matrix[i, i]]]))
        for i, group in enumerate(pair.groups)
    ]
    detuning = float(cycles[0].frequency - cycles[1].frequency)
    guess = [
        *(float(c.amplitude) for c in cycles),
        *(float(c.inversion) for c in cycles),
        float(cycles[0].frequency),
        -detuning,
    ]
    detunings = []
    for phase in np.tile(np.linspace(-np.pi, np.pi, 181), 2):
        found, _, good, _ = fsolve(equations, guess, args=(phase,), full_output=True, xtol=1e-13)
        if good == 1 and min(found[:2]) > 1e-6:
            guess = found
            detunings.append(found[5])
    return min(detunings) + detuning, max(detunings) + detuning


@pytest.mark.parametrize("seed", range(6))
def test_the_error_of_the_range_is_its_distance_from_the_edges_of_locking(seed):
    pair = random_pair(seed)
    found, (low, high) = ss.locking_range(pair), locked_edges(pair)
    half_width = float(found.locking_range)
    # 181 phases miss the top of a sine by (pi/180)^2/2 at most, 48 and a parabola by 1e-5
    assert float(found.locking_range_error) == pytest.approx(
        max(high - half_width, -low - half_width, half_width - high, half_width + low), abs=2e-4 * half_width
    )
    assert bool(found.weak) == (found.locking_range_error < 0.1 * half_width)


def test_the_error_is_of_second_order_in_the_cross_coupling_or_higher():
    pair = random_pair(1)
    sizes = np.array([0.02, 0.04, 0.08])
    error = [float(ss.locking_range(pair.replace(cross_coupling=v)).locking_range_error) for v in sizes]
    assert np.polyfit(np.log(sizes), np.log(error), 1)[0] == pytest.approx(2, abs=0.1)
    # equal groups: the second order cancels at the edges
    error = [float(ss.locking_range(NEAR.replace(cross_coupling=v)).locking_range_error) for v in sizes / 4]
    assert np.polyfit(np.log(sizes), np.log(error), 1)[0] == pytest.approx(3, abs=0.2)


def test_a_small_cross_coupling_is_not_weak_near_the_threshold():
    """V_x / V = 0.01; the motion locks at 1.3 K_eff and up to 1.417 K_eff."""
    found = ss.locking_range(NEAR)
    half_width = float(found.locking_range)
    assert half_width == pytest.approx(0.014494, rel=1e-4)
    assert float(found.locking_range_error) == pytest.approx(0.417 * half_width, rel=0.01)
    assert not found.weak
    assert ss.regime(NEAR.replace(detuning=1.3 * half_width)).regime == ss.Regime.FULL
    assert ss.regime(NEAR.replace(detuning=1.5 * half_width)).regime != ss.Regime.FULL
    far = NEAR.replace(coupling=24.0)
    assert ss.locking_range(far).weak
    assert ss.regime(far.replace(detuning=1.05 * float(ss.locking_range(far).locking_range))).regime == ss.Regime.PARTIAL


def test_the_error_of_a_fast_beat_is_of_second_order():
    pair = ss.Ensemble.pair(detuning=8.0, gain=3.0, damping=1.0, coupling=24.0, theta=-HALF_PI, cross_coupling=0.24)
    adler = ss.locking_range(pair)
    assert float(adler.beat_frequency) - 8 == pytest.approx(-1.0e-4, rel=1e-3)
    times = np.linspace(0, 60, 6001)
    s = ss.evolve(pair, times, theory=ss.MeanField(rtol=1e-11, atol=1e-13)).coherence.values[2000:]
    phase = np.unwrap(-np.angle(s[:, 0] / s[:, 1]))
    weight = np.sin(np.linspace(0, np.pi, len(phase) - 1)) ** 4  # averages out the oscillation within a beat
    beat = float((np.diff(phase) * weight).sum() / weight.sum() / 0.01)
    assert beat - 8 == pytest.approx(2.0e-4, rel=0.02)
    assert float(adler.beat_frequency_error) == pytest.approx(beat - float(adler.beat_frequency), rel=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_the_second_order_of_a_beat_agrees_with_the_motion(seed):
    pair = random_pair(seed).replace(cross_coupling=0.3)
    pair = pair.replace(
        detuning=3.0 + 10 * float(ss.locking_range(pair).locking_range) - float(ss.locking_range(pair).effective_detuning)
    )
    adler = ss.locking_range(pair)
    times = np.linspace(0, 150, 15001)
    s = ss.evolve(pair, times, theory=ss.MeanField(rtol=1e-11, atol=1e-13)).coherence.values[5000:]
    phase = np.unwrap(-np.angle(s[:, 0] / s[:, 1]))
    weight = np.sin(np.linspace(0, np.pi, len(phase) - 1)) ** 4
    off = float((np.diff(phase) * weight).sum() / weight.sum() / 0.01) - float(adler.beat_frequency)
    # up to the third order, which the error of the range contributes to
    assert abs(off) == pytest.approx(float(adler.beat_frequency_error), rel=0.25)


def test_a_locking_range_of_rounding_size_is_zero():
    for theta, cross in ((-HALF_PI, (-HALF_PI, HALF_PI)), (-1.0, (HALF_PI - 1, HALF_PI - 1)), (-1.2, (0.3, np.pi - 2.7))):
        pair = ss.Ensemble.pair(
            detuning=0, gain=3, damping=1, coupling=12, theta=theta, cross_coupling=0.06, cross_theta=cross
        )  # theta_AB + theta_BA = 2 theta + pi
        found = ss.locking_range(pair)
        assert (float(found.locking_range), bool(found.locked), bool(found.weak)) == (0.0, False, False)
        assert np.isnan(found.phase_offset)
    uncoupled = ss.locking_range(pair.replace(cross_coupling=0.0))
    assert (float(uncoupled.locking_range), float(uncoupled.locking_range_error), bool(uncoupled.locked)) == (0.0, 0.0, False)


def test_an_amplitude_that_underflows_is_an_error():
    weak = ss.Ensemble.pair(gain=1e-300, damping=5e-324, detuning=3.0, coupling=3.0, theta=-1.2, cross_coupling=1.0)
    with pytest.raises(ss.IntegrationError, match="The rates are too large for double precision, or differ by too many orders"):
        ss.locking_range(weak)


def test_an_error_that_double_precision_does_not_know_is_infinite():
    pair = ss.Ensemble.pair(detuning=1.0, gain=0.3, damping=1e-12, coupling=1e300, theta=-1.2)
    found = ss.locking_range(pair)
    assert not found.weak
    assert float(found.beat_frequency_error) == np.inf
