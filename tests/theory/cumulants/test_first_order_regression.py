"""Lines and spectra of second order by the regression (10.22)."""

import numpy as np
import pytest

import spinsync as ss
from known_answers import uncoupled_spins
from systems import laser, several_groups, superradiant_laser


@pytest.mark.parametrize(("spins", "width"), [(100, 2.5424), (1000, 2.5049), (10**4, 2.5005)])
def test_the_superradiant_laser_at_its_optimum(spins, width):
    """Known values of this theory in units of the collective decay rate; the exact ones tend to 1.5."""
    line = ss.linewidth(superradiant_laser(spins), theory=ss.Cumulants(spins))
    assert float(line.linewidth) == pytest.approx(width, abs=5e-5)
    assert float(line.frequency) == pytest.approx(0, abs=1e-9)
    assert float(line.linewidth_error) < 1e-8


def test_second_order_overestimates_the_line_of_the_superradiant_laser():
    ours, exact = (
        float(ss.linewidth(superradiant_laser(1000), theory=theory(1000)).linewidth) for theory in (ss.Cumulants, ss.Exact)
    )
    assert ours / exact == pytest.approx(2.5 / 1.5, rel=0.03)


def test_below_threshold_the_line_is_the_exact_one_of_many_spins():
    """The difference falls as 1/N."""
    off = [
        [float(ss.linewidth(laser(coupling=2.0, theta=-1.0, frequency=0.7), theory=theory(n))[name]) for theory in (
            ss.Cumulants, ss.Exact
        )]
        for name in ("linewidth", "frequency") for n in (200, 400)
    ]  # fmt: skip
    differences = [abs(ours - exact) for ours, exact in off]
    for half, most in (differences[:2], differences[2:]):
        assert half < 0.05
        assert half == pytest.approx(2 * most, rel=0.1)


@pytest.mark.parametrize("theta", [-1.2, -2.2])
def test_the_frequency_of_many_spins_is_that_of_the_limit_cycle(theta):
    one = laser(theta=theta, frequency=2.0)
    expected = float(ss.limit_cycle(one).frequency)
    off = [float(ss.linewidth(one, theory=ss.Cumulants(n)).frequency) - expected for n in (10**4, 10**5)]
    assert off[0] == pytest.approx(10 * off[1], rel=0.02)
    assert abs(off[1]) < 1e-3


@pytest.mark.parametrize("frequency", [5.0, ss.Gaussian(0.5, center=5.0)])
def test_peak_width_and_integral_of_the_spectrum(frequency):
    """Peak and width of the line; the integral over d nu / 2 pi is <J_+ J_->."""
    one, theory, spins = laser(theta=-1.2, frequency=frequency), ss.Cumulants(3000), 3000
    line = ss.linewidth(one, theory=theory)
    center, width = float(line.frequency), float(line.linewidth)
    x = np.linspace(-1, 1, 20001)[1:-1]
    nu = center + width * np.tan(np.pi / 2 * x)
    light = ss.emission_spectrum(one, nu, theory=theory).emission.values
    assert abs(nu[np.argmax(light)] - center) < 0.02 * width
    assert np.ptp(nu[light > light.max() / 2]) == pytest.approx(width, rel=0.01)
    total = np.trapezoid(light * width * np.pi / 2 / np.cos(np.pi / 2 * x) ** 2, x) / (2 * np.pi)
    steady = ss.steady_state(one, theory=theory)
    expected = spins * (1 + steady.inversion[0]) / 2 + spins * (spins - 1) * steady.correlation[0, 0].real
    assert total == pytest.approx(float(expected), rel=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_the_integral_for_several_groups(seed):
    """Of groups with any coupling, from the steady correlations."""
    ensemble, spins, _ = several_groups(seed)
    spins *= 100
    steady = ss.steady_state(ensemble, theory=ss.Cumulants(spins))
    numbers = spins * ensemble.rates.weight
    pairs = np.outer(numbers, numbers) - np.diag(numbers)
    expected = float((pairs * steady.correlation.real).sum() + (numbers * (1 + steady.inversion) / 2).sum())
    x = np.linspace(-1, 1, 40001)[1:-1]
    nu = 4 * np.tan(np.pi / 2 * x)
    light = ss.emission_spectrum(ensemble, nu, theory=ss.Cumulants(spins)).emission.values
    total = np.trapezoid(light * 4 * np.pi / 2 / np.cos(np.pi / 2 * x) ** 2, x) / (2 * np.pi)
    assert total == pytest.approx(expected, rel=2e-3)


def test_lines_of_a_pair():
    """The two lines of detuned groups at opposite frequencies; that of equal groups in antiphase is dark."""
    pair = ss.Ensemble.pair(detuning=2.0, gain=0.5, damping=0.1, coupling=1.0, theta=-np.pi / 2)
    both = ss.linewidth(pair, theory=ss.Cumulants(400), modes=2)
    assert both.degenerate.all()
    np.testing.assert_allclose(both.frequency, [float(both.frequency[0]), -float(both.frequency[0])], rtol=1e-9)
    assert float(both.frequency[0]) > 0.5
    with pytest.raises(ss.InputError, match="`modes` must be at most 1, as many lines as J_- shows"):
        ss.linewidth(pair.replace(detuning=0.0), theory=ss.Cumulants(400), modes=2)


def test_uncoupled_spins_have_the_lines_of_single_ones():
    known = uncoupled_spins().ensemble
    lines = ss.linewidth(known, theory=ss.Cumulants(10**6), modes=2)
    order = np.argsort(known.rates.gamma_perp)
    np.testing.assert_allclose(lines.linewidth, 2 * known.rates.gamma_perp[order], rtol=1e-9)
    np.testing.assert_allclose(lines.frequency, known.rates.omega[order], rtol=1e-9)


def test_a_continuous_spread_of_frequencies_has_no_lines_of_its_own():
    spread = laser(coupling=1.0, frequency=ss.Gaussian(3.0))
    with pytest.raises(ss.InputError) as caught:
        ss.linewidth(spread, theory=ss.Cumulants(1000))
    assert str(caught.value) == (
        "Argument `ensemble` must have a line narrower than that of free spins, but the spread of its frequencies leaves none; "
        "`emission_spectrum` shows its light."
    )
    coupled = spread.replace(coupling=20.0)
    assert float(ss.linewidth(coupled, theory=ss.Cumulants(1000)).linewidth) < 4
    with pytest.raises(ss.InputError, match="`modes` must be at most 1"):
        ss.linewidth(coupled, theory=ss.Cumulants(1000), modes=2)


@pytest.mark.parametrize(("theta", "factor"), [(-0.5, 1.93), (-0.3, 1.25), (-0.2, 0.66), (-0.1, 0.18)])
def test_the_linewidth_is_off_by_the_factor_that_the_docs_tell(theta, factor):
    ensemble = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=20.0, theta=theta * np.pi)
    true = ss.linewidth(ensemble, theory=ss.MeanField(), spins=10**7).linewidth.item()
    assert ss.linewidth(ensemble, theory=ss.Cumulants(10**7)).linewidth.item() / true == pytest.approx(factor, abs=0.01)
