"""Linewidth and emission spectrum: agreement with brute force, sum rules, known values, and the mean-field limit."""

import numpy as np
import pytest

import spinsync as ss
from spinsync.problems.linear import record
from spinsync.theory.mean_field.closed_forms_one import many_spin_line
from systems import HALF_PI, laser, one_group, superradiant_laser


@pytest.mark.parametrize("seed", range(16))
def test_linewidth_and_spectrum_agree_with_brute_force(seed):
    """There the slowest mode is found among all 4^N modes, and the spectrum by the full matrix."""
    ensemble, _ = one_group(seed)
    if ensemble.groups[0].gamma_1 == 0:
        ensemble = ensemble.replace(**{"A.gain": 0.7, "A.damping": 0.2})
    spins, frequencies = 1 + seed % 5, np.linspace(-12, 12, 25)
    line, reference = (ss.linewidth(ensemble, theory=theory(spins)) for theory in (ss.Exact, ss.BruteForce))
    assert float(line.linewidth) == pytest.approx(float(reference.linewidth), abs=1e-9)
    assert float(line.frequency) == pytest.approx(float(reference.frequency), abs=1e-9)
    light, reference = (
        ss.emission_spectrum(ensemble, frequencies, theory=theory(spins)) for theory in (ss.Exact, ss.BruteForce)
    )
    np.testing.assert_allclose(light.emission, reference.emission, atol=1e-10 * max(1e-3, abs(reference.emission).max()))


def test_the_line_of_two_uncoupled_groups():
    """The narrower one of the two lines."""
    groups = [ss.Group(1.0, 2.0, frequency=3.0), ss.Group(0.4, 0.8, frequency=-1.0)]
    line = ss.linewidth(ss.Ensemble(groups, np.zeros((2, 2))), theory=ss.BruteForce(4))
    assert float(line.linewidth) == pytest.approx(1.2, abs=1e-9)  # 2 Gamma_perp
    assert float(line.frequency) == pytest.approx(-1.0, abs=1e-9)


def test_the_spectrum_of_one_spin_is_lorentzian():
    """Gamma_perp and frequency of (2.3), height by <sigma^+ sigma^->."""
    one = laser(coupling=0.0, dephasing=0.4, frequency=1.5)
    line = ss.linewidth(one, theory=ss.Exact(1))
    assert float(line.linewidth) == pytest.approx(2 * 2.4)
    assert float(line.frequency) == pytest.approx(1.5)
    nu = np.linspace(-5, 8, 27)
    light = ss.emission_spectrum(one, nu, theory=ss.Exact(1))
    np.testing.assert_allclose(light.emission, 2 * 0.75 * 2.4 / (2.4**2 + (nu - 1.5) ** 2), rtol=1e-10)


def test_the_spectra_of_uncoupled_spins_add_up():
    nu, free = np.linspace(-3, 3, 7), laser(coupling=0.0)
    many, one = (ss.emission_spectrum(free, nu, theory=ss.Exact(n)).emission for n in (40, 1))
    np.testing.assert_allclose(many, 40 * one, rtol=1e-9)


@pytest.mark.parametrize(("spins", "value"), [(100, -1.005510), (1000, -0.766518)])
def test_superradiant_laser(spins, value):
    """Reproduced from an independent sparse eigenvalue solver."""
    line = ss.linewidth(superradiant_laser(spins), theory=ss.Exact(spins))
    assert float(line.linewidth) == pytest.approx(-2 * value, abs=2e-6)
    assert float(line.frequency) == pytest.approx(0, abs=1e-9)


DAMPED = (
    dict(gain=0.2, damping=0.13, coupling=0.8, theta=-3.1, dephasing=2.6),
    dict(gain=0.08, damping=0.3, coupling=5.2, theta=-0.75),  # many nearly equal modes
    dict(gain=2.5, damping=5.7, coupling=20.0, theta=-1.94),
    dict(gain=0.15, damping=0.0, coupling=2.9, theta=-2.55),  # a slow mode at one of many frequencies
    dict(gain=3.0, damping=1.0, coupling=12.0, theta=-1.0),
)


@pytest.mark.parametrize("made", DAMPED)
def test_linewidth_does_not_depend_on_the_first_truncation_window(made, monkeypatch):
    ensemble = ss.Ensemble.single(**made)
    whole = ss.linewidth(ensemble, theory=ss.Exact(150))
    monkeypatch.setattr(record, "FIRST_SEARCH", 0)
    truncated = ss.linewidth(ensemble, theory=ss.Exact(150))
    for name in ("linewidth", "frequency"):
        error = float(whole[f"{name}_error"] + truncated[f"{name}_error"])
        assert abs(float(whole[name] - truncated[name])) <= error < 1e-8


def test_a_truncation_window_that_misses_the_mode_is_enlarged(monkeypatch):
    """The same line from a window of a few lattice sites."""
    monkeypatch.setattr(record, "FIRST_SEARCH", 0)
    expected = ss.linewidth(laser(theta=-1.0), theory=ss.Exact(150))
    monkeypatch.setattr(record, "TAIL", 0.3)
    found = ss.linewidth(laser(theta=-1.0), theory=ss.Exact(150))
    assert float(found.linewidth) == pytest.approx(float(expected.linewidth), abs=1e-10)


def test_linewidth_vanishes_as_one_over_n():
    """Known values of N x linewidth."""
    products = [n * float(ss.linewidth(laser(), theory=ss.Exact(n)).linewidth) for n in (60, 120, 240, 400)]
    np.testing.assert_allclose(products, [104, 87, 64, 52], atol=0.51)


NOISY = (
    dict(gain=0.5, damping=0.0, coupling=0.5, theta=-1.2),  # shear of phase and amplitude
    dict(gain=0.6, damping=0.05, coupling=1.0, theta=-HALF_PI, dephasing=0.05),
    dict(gain=0.0, damping=1.0, coupling=4.0, theta=2.1),  # collective pumping, z < 0
    dict(gain=0.1, damping=1.0, coupling=3.0, theta=2.3, dephasing=0.05, frequency=1.0),
)


@pytest.mark.parametrize("made", NOISY)
def test_linewidth_of_many_spins_is_phase_diffusion(made):
    """N x linewidth tends to (4.7); linear extrapolation in 1/N has an error of the square of the correction."""
    ensemble = ss.Ensemble.single(**made)
    law = float(ss.limit_cycle(ensemble).phase_diffusion)
    half, most = (n * float(ss.linewidth(ensemble, theory=ss.Exact(n)).linewidth) for n in (200, 400))
    assert abs(half / law - 1) < 0.3  # so that the tolerance is smaller than the effect of any factor in (4.7)
    assert 2 * most - half == pytest.approx(law, rel=(half / law - 1) ** 2)


@pytest.mark.parametrize("made", [dict(coupling=1.5, dephasing=0.2), dict(theta=1.0), dict(theta=-0.4, coupling=3.0)])
def test_line_of_the_incoherent_ensemble_is_that_of_linearized_mean_field(made):
    """Frequency and damping of (3.3) to first order in s, with corrections of order 1/N."""
    ensemble = laser(frequency=0.7, **made)
    frequency, (width,) = many_spin_line(ensemble, np.array([1]))
    lines = [ss.linewidth(ensemble, theory=ss.Exact(n)) for n in (200, 400)]
    for name, law in (("linewidth", width), ("frequency", frequency)):
        half, most = (float(one[name]) - law for one in lines)
        assert half == pytest.approx(2 * most, rel=0.1, abs=1e-9)  # corrections of order 1/N = 0.005, times about ten


def test_frequency_approaches_the_limit_cycle():
    """Omega = omega + Gamma_perp cot(theta), with an error of order 1/N: tests the sign of the frequency shift."""
    ensemble = laser(theta=-1.0, frequency=2.0)
    expected = float(ss.limit_cycle(ensemble).frequency)
    off = [abs(float(ss.linewidth(ensemble, theory=ss.Exact(n)).frequency) - expected) for n in (50, 200, 800)]
    assert off[0] > off[1] > off[2]
    assert off[2] < 10 / 800


def test_a_line_beyond_double_precision_is_an_error():
    """Without gain the generator is triangular and its modes nearly coincide; stated errors cover the true ones."""
    decaying = laser(gain=0.0, dephasing=0.3)
    assert float(ss.linewidth(decaying, theory=ss.Exact(4)).linewidth) > 0
    with pytest.raises(
        ss.IntegrationError, match="The slowest modes nearly coincide, and double precision does not tell them apart"
    ):
        ss.linewidth(decaying, theory=ss.Exact(20))
    # one excitation above the ground state, (9.3): decay V, and the spin's own gamma/2 + gamma_phi
    for spins in (40, 60, 100):
        line = ss.linewidth(decaying, theory=ss.Exact(spins))
        assert abs(float(line.linewidth) - 2 * 12.8) <= float(line.linewidth_error) < 1e-5
    # one excitation below the fully inverted state
    inverted = ss.Ensemble.single(gain=0.26, damping=0.0, coupling=25.0, theta=0.8, dephasing=0.5)
    line = ss.linewidth(inverted, theory=ss.Exact(1000))
    assert abs(float(line.linewidth) - 2 * (25 * np.sin(0.8) + 0.13 + 0.5)) <= float(line.linewidth_error) < 1e-3
    good = ss.linewidth(laser(), theory=ss.Exact(200))
    assert float(good.linewidth_error) < 1e-9
    assert float(good.frequency_error) == pytest.approx(float(good.linewidth_error) / 2)


@pytest.mark.parametrize("theta", [-1.2, -2.2])
def test_peak_and_integral_of_the_spectrum(theta):
    """The peak has frequency and width of the line; the integral over d nu / 2 pi is <J_+ J_->."""
    ensemble, spins = laser(theta=theta, frequency=5.0), 300
    line = ss.linewidth(ensemble, theory=ss.Exact(spins))
    center, width = float(line.frequency), float(line.linewidth)
    x = np.linspace(-1, 1, 4001)[1:-1]
    nu = center + width * np.tan(np.pi / 2 * x)  # all frequencies
    light = ss.emission_spectrum(ensemble, nu, theory=ss.Exact(spins)).emission.values
    assert abs(nu[np.argmax(light)] - center) < 0.02 * width
    assert np.ptp(nu[light > light.max() / 2]) == pytest.approx(width, rel=0.05)  # other modes are 1/N weaker
    slope = width * np.pi / 2 / np.cos(np.pi / 2 * x) ** 2
    total = np.trapezoid(light * slope, x) / (2 * np.pi)
    steady = ss.steady_state(ensemble, theory=ss.Exact(spins))
    expected = spins * (1 + steady.inversion[0]) / 2 + spins * (spins - 1) * steady.correlation[0, 0].real
    assert total == pytest.approx(float(expected), rel=1e-3)  # the two outermost of 4001 points are missing
    assert light.min() > 0


@pytest.mark.parametrize("theta", [-HALF_PI, -2.0])
def test_mean_field_has_the_line_of_many_spins(theta):
    """Exact ones differ by two to three times 1/(N|s|^2) = 0.01, in the width."""
    one = ss.Ensemble.single(gain=6.0, damping=0.0, coupling=6.0 / abs(np.sin(theta)), theta=theta, frequency=2.0)
    exact, many = (ss.linewidth(one, theory=theory, **own) for theory, own in (
        (ss.Exact(800), {}), (ss.MeanField(), {"spins": 800})
    ))  # fmt: skip
    assert float(exact.linewidth) == pytest.approx(float(many.linewidth) * 1.026, rel=0.01)
    assert float(exact.frequency) == pytest.approx(float(many.frequency), abs=1e-2)
    assert int(many.spins) == 800
    assert not many.degenerate


def test_mean_field_takes_the_spins_of_a_cavity():
    """The line of strontium, whose width is 0.62 mHz at this pump rate: the width at the optimum is 3/2 Gamma_c."""
    line, field = 2 * np.pi * 1e-3, 2 * np.pi * 150e3
    g = np.sqrt(0.41 * line * field) / 2
    laser = ss.Ensemble.cavity(spins=10**6, vacuum_coupling=g, cavity_decay=field, gain=1288.0, damping=line)
    own = ss.linewidth(laser, theory=ss.MeanField())
    assert int(own.spins) == 10**6
    assert float(own.linewidth) / (2 * np.pi) == pytest.approx(1.5 * 0.41e-3, rel=1e-4)
    assert ss.rerun(own).identical(own)
    with pytest.warns(UserWarning, match=r"The cavity holds spins=1e\+06 and MeanField"):
        other = ss.linewidth(laser, theory=ss.MeanField(), spins=10**5)
    assert float(other.linewidth) == pytest.approx(10 * float(own.linewidth))
