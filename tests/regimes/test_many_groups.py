"""Regimes of networks of many groups, of very small coherences, and of groups that only dephase.

Tolerances: Newton's method finds fixed points to 1e-12 times the condition number of their equations.
"""

import numpy as np
import pytest

import spinsync as ss
from regime_cases import R, regime_of
from systems import HALF_PI, sampled


def lattice(side, share, seed=None):
    """Triangular lattice with C = V N A e^{-i pi/2}, gain 3 and damping 1, at a share of its onset; frequencies by `seed`."""
    count = side * side
    adjacency = np.zeros((count, count))
    for i in range(side):
        for j in range(side):
            for k, m in ((i, j + 1), (i + 1, j), (i + 1, j - 1)):
                if k < side and 0 <= m < side:
                    adjacency[i * side + j, k * side + m] = adjacency[k * side + m, i * side + j] = 1
    strength = share * 2 / (0.5 * np.linalg.eigvalsh(adjacency)[-1])  # Gamma_perp / (z0 lambda_max)
    omega = np.zeros(count) if seed is None else np.random.default_rng(seed).normal(0, 0.1, count)
    groups = [ss.Group(3, 1, frequency=w, name=f"g{k}") for k, w in enumerate(omega)]
    return ss.Ensemble(groups, strength * count * adjacency * np.exp(-1j * HALF_PI))


@pytest.mark.parametrize("share", [0.97, 1.03])
def test_onset_of_a_lattice(share):
    found = ss.regime(lattice(7, share))
    assert found.settled
    assert regime_of(found) is (R.FULL if share > 1 else R.INCOHERENT)
    if share < 1:
        assert float(found.lyapunov) == pytest.approx(2 * (share - 1), abs=1e-9)  # growth of the incoherent state
        assert np.isnan(found.frequency).all()


def test_the_fixed_point_of_a_lattice_is_the_end_of_a_run():
    network = lattice(7, 3.0, seed=1)
    found = ss.regime(network)
    last = ss.evolve(network, [0.0, 400.0]).isel(time=1)
    assert regime_of(found) is R.FULL
    np.testing.assert_allclose(found.amplitude, abs(last.coherence), atol=1e-6)
    np.testing.assert_allclose(found.inversion, last.inversion, atol=1e-6)
    assert np.ptp(found.frequency.values) < 1e-12
    s = last.coherence.values / abs(last.coherence.values)
    locking = found.phase_locking.values * np.exp(1j * found.phase_difference.values)
    np.testing.assert_allclose(locking, s.conj()[:, None] * s, atol=1e-5)


# a small coherence is not incoherent


@pytest.mark.parametrize("pump", [8.9e-3, 6.4e-3, 6.29e-3, 6.28e-3, 6e-3])
@pytest.mark.parametrize("form", [lambda one: one, sampled])
def test_a_strongly_collective_ensemble_is_full_from_its_threshold_on(pump, form):
    """N Gamma_c = 2576 and a line of 2 pi mHz: just above the pump 6.283e-3 amplitudes are 1e-5 to 1e-3."""
    one = ss.Ensemble.single(gain=pump, damping=2e-3 * np.pi, coupling=1288.0, theta=-HALF_PI)
    found, cycle = ss.regime(form(one)), ss.limit_cycle(one)
    assert found.settled
    assert regime_of(found) is (R.FULL if bool(cycle.synchronized) else R.INCOHERENT)
    assert float(found.amplitude[0]) == pytest.approx(float(cycle.amplitude), rel=1e-6, abs=0)
    np.testing.assert_allclose(found.frequency, cycle.frequency, atol=1e-6)  # both NaN if incoherent
    np.testing.assert_allclose(ss.steady_state(one).frequency, cycle.frequency, atol=1e-6)


def test_a_group_is_incoherent_relative_to_the_largest_coherence():
    """A couples so weakly to B that its amplitude is 2e-5, with the frequency of A; nothing couples to C."""
    groups = [ss.Group(3, 1, frequency=0.3), ss.Group(1, 1.5, frequency=5.0), ss.Group(1, 1.5)]
    matrix = np.zeros((3, 3), complex)
    matrix[0, 0], matrix[1, 0] = -36j, 0.03
    found = ss.regime(ss.Ensemble(groups, matrix))
    assert regime_of(found) is R.FULL
    assert 1e-6 < float(found.amplitude[1]) < 1e-3
    np.testing.assert_allclose(found.frequency, [0.3, 0.3, np.nan], atol=1e-9)


# dephasing is relaxation


@pytest.mark.parametrize("form", [lambda both: both, sampled])
def test_the_start_of_a_group_that_only_dephases_has_no_influence(form):
    """It becomes incoherent, with z = 0, while the other has the limit cycle of section 4 at p V = 1: |s| and z."""
    both = ss.Ensemble([ss.Group(0, 0, dephasing=0.5), ss.Group(1, 0.2, frequency=0.3)], np.full((2, 2), -2j))
    found = ss.regime(form(both))
    assert regime_of(found) is R.FULL
    np.testing.assert_allclose(found.frequency, [np.nan, 0.3], atol=1e-9)
    np.testing.assert_allclose(found.amplitude, [0, np.sqrt(0.02)], atol=1e-9)
    np.testing.assert_allclose(found.inversion, [0, 0.6], atol=1e-9)
    steady = ss.steady_state(both)
    np.testing.assert_allclose(steady.inversion, [0, 0.6], atol=1e-9)
    np.testing.assert_allclose(steady.frequency, [np.nan, 0.3], atol=1e-9)


@pytest.mark.parametrize("form", [lambda one: one, sampled])
def test_an_inversion_without_relaxation_is_conserved(form):
    one = ss.Ensemble.single(gain=0.0, damping=0.0, dephasing=0.3, coupling=0.0, theta=-HALF_PI)
    found = ss.regime(form(one), initial=[[0.3, 0.0, 0.4]])
    assert regime_of(found) is R.INCOHERENT
    assert float(found.inversion[0]) == pytest.approx(0.4, abs=1e-9)
    assert float(found.lyapunov) == pytest.approx(0, abs=1e-9)
