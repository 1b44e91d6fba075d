"""Photon statistics: closed forms, agreement with the dense master equation, and limits of many spins."""

import numpy as np
import pytest
from scipy.linalg import expm

import spinsync as ss
from reference import DOWN, DenseMasterEquation, on, random_system
from spinsync.problems.linear.state_lattice import intensities
from spinsync.problems.linear.state_lattice.steady_populations import steady_state
from spinsync.theory.permutation.exact import DickeLattice
from systems import laser, one_group

TAU = np.array([0.0, 0.13, 0.8, 4.0])


def g2(ensemble, theory, delays=(0.0,)):
    return ss.photon_statistics(ensemble, delays, theory=theory).g2.values


def dense(system, counts):
    """Quantum regression with matrices of 2^N: Tr(J_+ J_- exp(L tau)(J_- rho J_+)) / Tr(J_+ J_- rho)^2."""
    master = DenseMasterEquation(system, counts)
    size = 2**master.group.size
    lowering = sum(on(DOWN, i, master.group.size) for i in range(master.group.size))
    rows = np.vstack([master.generator, np.eye(size).reshape(1, -1)])
    rho = np.linalg.lstsq(rows, np.append(np.zeros(size**2), 1))[0].reshape(size, size)
    light = lowering.T @ lowering
    after = (lowering @ rho @ lowering.T).reshape(-1)
    moved = [(expm(master.generator * t) @ after).reshape(size, size) for t in TAU]
    return np.array([np.trace(light @ one) for one in moved]).real / np.trace(light @ rho).real ** 2


@pytest.mark.parametrize("theory", [ss.Exact, ss.BruteForce])
@pytest.mark.parametrize(("seed", "counts"), [(3, (4,)), (4, (3,)), (5, (2, 2)), (6, (1, 3)), (7, (1, 1, 2))])
def test_theories_agree_with_the_dense_master_equation(seed, counts, theory):
    """All rates, any complex C."""
    system = random_system(seed, len(counts))
    system = type(system)(**{**vars(system), "weight": np.array(counts, float)})
    np.testing.assert_allclose(g2(system.ensemble(), theory(sum(counts)), TAU), dense(system, counts), rtol=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_exact_agrees_with_brute_force_of_five_spins(seed):
    ensemble = one_group(seed)[0] if seed % 2 else random_system(seed, 2).ensemble()
    if seed % 2 and ensemble.groups[0].gamma_1 == 0:
        ensemble = ensemble.replace(**{"A.gain": 0.7, "A.damping": 0.2})
    if seed % 2 == 0:
        ensemble = ensemble.replace(**{"A.weight": 2.0, "B.weight": 3.0})
    np.testing.assert_allclose(g2(ensemble, ss.Exact(5), TAU), g2(ensemble, ss.BruteForce(5), TAU), rtol=1e-8)


@pytest.mark.parametrize("theory", [ss.Exact(1), ss.BruteForce(1)])
def test_one_spin_emits_no_two_photons_at_once(theory):
    """It is then in its lower state, from which it relaxes at Gamma_1', with the collective decay 2 V of (2.2)."""
    np.testing.assert_allclose(g2(laser(), theory, TAU), 1 - np.exp(-(4 + 24) * TAU), atol=1e-12)


def independent_spins(gain, damping, dephasing, omega, delays):
    """g2 of uncoupled spins, arrays of shape (spin,): pairs of different spins by their own light and by its interference, and
    one spin that relaxes from its lower state."""
    p, gamma_1 = gain / (gain + damping), gain + damping
    t = np.asarray(delays)[:, None]
    wave = p * np.exp(-(1j * omega + gamma_1 / 2 + dephasing) * t)
    again = p**2 * (1 - np.exp(-gamma_1 * t))
    pairs = p.sum() ** 2 - (p**2).sum() + abs(wave.sum(axis=1)) ** 2 - (abs(wave) ** 2).sum(axis=1)
    return (pairs + again.sum(axis=1)) / p.sum() ** 2


@pytest.mark.parametrize(("theory", "counts"), [
    (ss.Exact(60), (60,)), (ss.Exact(2), (2,)), (ss.BruteForce(5), (5,)), (ss.Exact(6), (2, 4)), (ss.BruteForce(4), (1, 3)),
    (ss.Exact(4), (1, 1, 2)),
])  # fmt: skip
def test_independent_spins(theory, counts):
    rates = np.array([[2.0, 0.5, 0.2, 1.3], [0.5, 1.0, 0.0, -0.7], [0.3, 0.1, 0.4, 0.2]])[: len(counts)]
    groups = [ss.Group(k, g, dephasing=d, frequency=w, weight=n) for (k, g, d, w), n in zip(rates, counts, strict=True)]
    ensemble = ss.Ensemble(groups, np.zeros((len(counts), len(counts))))
    spins = np.repeat(rates, counts, axis=0).T
    np.testing.assert_allclose(g2(ensemble, theory, TAU), independent_spins(*spins, TAU), rtol=1e-9)


@pytest.mark.parametrize("spins", [2, 7, 40, 200])
def test_chaotic_light_of_independent_spins(spins):
    """2 (1 - 1/N) at zero delay, whatever the rates."""
    for rates in (dict(gain=3.0), dict(gain=1e-9, damping=1e3, dephasing=0.5)):
        assert g2(laser(coupling=0.0, **rates), ss.Exact(spins)) == pytest.approx(2 * (1 - 1 / spins), rel=1e-9)


def test_equal_collective_decay_and_pumping():
    """They mix all m of one j equally: g2(0) = 6/5 (1 - 3/(4 j (j + 1))), 6/5 for many spins, as J_perp^2 of a unit vector has
    the moments 2/3 and 8/15."""
    for spins in (1, 2, 9, 300):
        lattice = DickeLattice(spins=spins, group=None, window=DickeLattice(spins=spins, group=None, window=None).full_window)
        j = spins / 2
        rho = (lattice.sites(0)[:, 0] == spins // 2) / (spins + 1.0)
        found = (lattice.intensity @ lattice.detected(rho)) / (lattice.intensity @ rho) ** 2
        assert found == pytest.approx(6 / 5 * (1 - 3 / (4 * j * (j + 1))), abs=1e-12)


def test_splitting_a_group_changes_nothing():
    one = laser(theta=-1.1, dephasing=0.2)
    np.testing.assert_allclose(g2(one.split(2), ss.Exact(12), TAU), g2(one, ss.Exact(12), TAU), rtol=1e-8)


def test_light_far_above_threshold_becomes_coherent():
    """The excess over 1 is the noise of the intensity, which falls as 1/N."""
    spins = np.array([400, 800, 1600])
    excess = np.array([g2(laser(coupling=8.0), ss.Exact(n))[0] - 1 for n in spins])
    slope = np.polyfit(np.log(spins), np.log(excess), 1)[0]
    assert slope == pytest.approx(-1, abs=0.05)
    assert excess[-1] < 0.05


def test_light_far_below_threshold_is_chaotic():
    """Light of many spins without phase: g2 = 1 + |g1|^2, and g1 decays with half the linewidth. Corrections are of order 1/N,
    with the critical enhancement 1/(1 - V/V_c)^2 = 4."""
    weak, spins, tau = laser(coupling=2.0), 400, np.linspace(0, 2, 9)
    width = float(ss.linewidth(weak, theory=ss.Exact(spins)).linewidth)
    np.testing.assert_allclose(g2(weak, ss.Exact(spins), tau), 1 + np.exp(-width * tau), atol=4 * 4 / spins)


@pytest.mark.parametrize(("ensemble", "theory"), [
    (laser(theta=-1.2), ss.Exact(50)), (laser(), ss.BruteForce(4)),
    (ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=12.0, theta=-1.2), ss.Exact(8)),
])  # fmt: skip
def test_photons_far_apart_are_independent(ensemble, theory):
    np.testing.assert_allclose(g2(ensemble, theory, [200.0, 1e4]), 1, atol=1e-8)


def test_the_order_of_two_photons_has_no_meaning():
    both = g2(laser(), ss.Exact(20), np.linspace(-2, 2, 9))
    np.testing.assert_array_equal(both, both[::-1])
    np.testing.assert_allclose(both[4:], g2(laser(), ss.Exact(20), np.linspace(0, 2, 5)), rtol=1e-12)
    np.testing.assert_allclose(g2(laser(), ss.Exact(20), [0.5, 2.0]), both[[5, 8]], rtol=1e-9)


@pytest.mark.parametrize("made", [
    dict(gain=0.08, damping=0.3, coupling=5.2, theta=-0.75), dict(gain=2.5, damping=5.7, coupling=20.0, theta=-1.94),
    dict(gain=0.2, damping=0.13, coupling=0.8, theta=-3.1, dephasing=2.6),
    dict(gain=0.3, damping=0.0, coupling=75.0, theta=-1.57),
    dict(gain=0.1, damping=1.0, coupling=9.0, theta=1.2),
])  # fmt: skip
def test_the_truncation_window_does_not_matter(made, monkeypatch):
    ensemble, delays = ss.Ensemble.single(**made), [0.0, 0.3, 20.0]
    found = g2(ensemble, ss.Exact(150), delays)
    monkeypatch.setattr(DickeLattice, "initial_window", DickeLattice.full_window)
    np.testing.assert_allclose(found, g2(ensemble, ss.Exact(150), delays), rtol=1e-8)


def test_a_window_that_the_light_leaves_is_enlarged(monkeypatch):
    full = ss.Exact(100).lower(laser(coupling=2.0), None, 0).sectors
    state, windows, truncated = steady_state(full), [], DickeLattice.truncated

    def enlarged(lattice, window):
        windows.append(window)
        return truncated(lattice, window)

    monkeypatch.setattr(intensities, "ALLOWED", 1e-13)
    monkeypatch.setattr(DickeLattice, "truncated", enlarged)
    mean = state.lattice.intensity @ state.probability
    start = state.lattice.detected(state.probability) / mean
    found = intensities.intensities(full, state.lattice, start, TAU, mean) / mean
    assert windows
    assert windows[0] != state.window
    np.testing.assert_allclose(found, g2(laser(coupling=2.0), ss.Exact(100), TAU), rtol=1e-9)


@pytest.mark.parametrize("ensemble", [laser(gain=0.0), laser(gain=0.0, coupling=2.0).split(2)])
@pytest.mark.parametrize("theory", [ss.Exact(4), ss.BruteForce(4)])
def test_without_light_there_is_no_statistics(ensemble, theory):
    assert np.isnan(g2(ensemble, theory, TAU)).all()


@pytest.mark.parametrize(("gain", "theory"), [(1e-9, ss.BruteForce(4)), (1e-160, ss.Exact(4))])
def test_light_within_rounding_errors_is_refused(gain, theory):
    with pytest.raises(ss.IntegrationError):
        g2(laser(gain=gain, coupling=1.0), theory)


def test_weak_light_of_brute_force_is_right_or_refused():
    for gain in 10.0 ** -np.arange(1, 12):
        try:
            found = g2(laser(coupling=0.0, gain=gain), ss.BruteForce(4))
        except ss.IntegrationError:
            continue
        assert np.isnan(found).all() or found == pytest.approx(1.5, rel=1e-4)
