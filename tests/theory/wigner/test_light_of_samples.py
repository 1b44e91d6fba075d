"""Spectrum and photon statistics of truncated Wigner samples against exact density matrices and closed forms."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import expm_multiply, spsolve

import spinsync as ss
from spinsync.problems.sampled import spin_light
from spinsync.problems.sampled.spin_light import autocorrelation, transformed
from spinsync.theory.permutation.dicke import Sector, full_window
from spinsync.theory.permutation.exact import Exact
from systems import HALF_PI


def single(coupling, theta=-HALF_PI, **options):
    return ss.Ensemble.single(**(dict(gain=3.0, damping=1.0, coupling=coupling, theta=theta) | options))


def exact_g2(ensemble, spins, delays):
    """Rate equation of p(j, m): a photon takes |j,m> to |j,m-1> with the weight I = (j + m)(j - m + 1)."""
    group, sector = Exact(spins).lower(ensemble, None, 0, False).sectors.group, Sector(spins, 0, full_window(spins))
    generator = sparse.csr_array(sector.generator(group))
    normalized = sparse.vstack([generator[:-1], sparse.csr_array(np.ones((1, generator.shape[0])))]).tocsc()
    p = spsolve(normalized, np.eye(generator.shape[0])[-1])
    intensity = (sector.j + sector.m) * (sector.j - sector.m + 1)
    position = {tuple(site): k for k, site in enumerate(sector.sites.tolist())}
    after = np.zeros(p.size)
    for k, (j, m) in enumerate(sector.sites.tolist()):
        if intensity[k] > 0:
            after[position[j, m - 1]] += intensity[k] * p[k]
    return np.array([intensity @ expm_multiply(generator * t, after) for t in delays]) / (intensity @ p) ** 2


def test_photons_far_apart_know_nothing_of_each_other():
    """|E|^2 is in units of its own mean, which differs from that of different spins by an error of order 1/N."""
    found = ss.photon_statistics(single(12.0), [3.0, 4.0, 6.0], theory=ss.TruncatedWigner(20, 100))
    assert np.all(abs(found.g2 - 1) <= 4 * found.g2_error)
    assert np.all(found.g2_error < 8e-3)


@pytest.mark.parametrize(
    ("ensemble", "spins"),
    [
        (single(12.0, theta=-1.0, frequency=0.7), 30),
        (single(2.0, theta=HALF_PI, frequency=-0.4), 30),
        (single(3.0, theta=0.0), 20),
        (ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=8.0, theta=-HALF_PI, weights=(2, 1)), 18),
    ],
    ids=["laser", "pumped", "exchange", "pair"],
)
def test_the_spectrum_is_the_exact_one(ensemble, spins):
    nu = np.array([-20.0, -4.0, -1.0, 0.0, 0.6, 1.0, 2.0, 6.0])
    found = ss.emission_spectrum(ensemble, nu, theory=ss.TruncatedWigner(spins, 60), seed=1)
    exact = ss.emission_spectrum(ensemble, nu, theory=ss.Exact(spins)).emission
    peak = float(exact.max())
    assert np.all(abs(found.emission - exact) <= 4.5 * found.emission_error + 2 / spins * exact)
    assert float(found.emission_error.max()) < 0.3 * peak
    assert ss.rerun(found).identical(found)


def test_the_spectrum_integrates_to_the_light_of_the_steady_state():
    """The vacuum is subtracted: the integral of S over d nu / 2 pi is <J_+ J_->, with a tail S ~ 1/nu^2."""
    one, spins = single(3.0), 30
    nu = np.concatenate([-np.geomspace(60, 0.02, 300), [0.0], np.geomspace(0.02, 60, 300)])
    found = ss.emission_spectrum(one, nu, theory=ss.TruncatedWigner(spins, 60)).emission
    state = ss.steady_state(one, theory=ss.Exact(spins))
    light = spins * (1 + float(state.inversion[0])) / 2 + spins * (spins - 1) * float(state.correlation[0, 0].real)
    integral = (np.trapezoid(found, nu) + 60 * float(found[0] + found[-1])) / (2 * np.pi)
    assert integral == pytest.approx(light, rel=0.05)


@pytest.mark.parametrize(
    ("ensemble", "spins"),
    [(single(12.0), 100), (single(3.0), 50), (single(7.0, theta=-1.0), 50)],
    ids=["above threshold", "below threshold", "tilted"],
)
def test_intensity_correlations_are_those_of_the_density_matrix(ensemble, spins):
    delays = np.array([0.0, 0.05, 0.2, 0.5, 1.0, 2.0])
    found = ss.TruncatedWigner(spins, 40).lower(ensemble, None, 0).photon_correlation(delays, 3)
    g2, error = found["g2"][1], found["g2_error"][1]
    assert np.all(error < 0.06)
    assert np.all(abs(g2 - exact_g2(ensemble, spins, delays)) <= 3.5 * error + 1 / spins)


def test_independent_emitters_bunch_photons():
    """N uncoupled spins: g2(0) = 2 (1 - 1/N), whatever their inversion."""
    free, spins = single(0.0, gain=2.0), 20
    found = ss.TruncatedWigner(spins, 200).lower(free, None, 0).photon_correlation(np.zeros(1), 0)
    assert abs(found["g2"][1][0] - 2 * (1 - 1 / spins)) <= 4 * found["g2_error"][1][0] + 0.01


def test_a_correlation_that_decays_as_one_exponential_has_a_lorentzian_spectrum():
    rate, lag, nu = 0.8 - 1.5j, 0.01, np.array([-30.0, -1.0, 0.0, 1e-6, 1.5, 4.0, 200.0])
    rows = np.array([2.0, 5.0])[:, None] * np.exp(-rate * lag * np.arange(301))
    exact = 2 * (np.array([2.0, 5.0])[:, None] / (rate - 1j * nu)).real
    np.testing.assert_allclose(transformed(rows, rows.mean(axis=0), lag, nu, 1.0), exact, rtol=3e-4, atol=3e-5)


def test_the_autocorrelation_is_the_mean_of_products():
    series = np.random.default_rng(0).normal(size=(50, 2)) @ [1, 1j]
    direct = [np.mean(series[: 50 - k].conj() * series[k:]) for k in range(6)]
    np.testing.assert_allclose(autocorrelation(series, 5), direct, atol=1e-12)


def test_a_line_too_narrow_is_refused(monkeypatch):
    monkeypatch.setattr(spin_light, "MOST_LAGS", 20.0)
    with pytest.raises(ss.IntegrationError, match="The light stays coherent for longer than 6, so that its line is too narrow"):
        ss.emission_spectrum(single(12.0), [0.0], theory=ss.TruncatedWigner(300, 4))


def test_dark_spins_have_no_photon_statistics():
    dark = single(4.0, gain=0.0)
    found = ss.TruncatedWigner(20, 20).lower(dark, None, 0).photon_correlation(np.array([0.0, 1.0]), 0)
    assert np.all(np.isnan(found["g2"][1]) & np.isnan(found["g2_error"][1]))
