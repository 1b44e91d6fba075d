"""Leading lines agree with brute force and full spectra, are ordered, and are refused beyond double precision."""

from dataclasses import replace

import numpy as np
import pytest

import spinsync as ss
from spinsync.problems.linear.lines import Line, ordered
from spinsync.problems.linear.products import product_lines
from spinsync.problems.linear.products.operator import ProductSpace
from spinsync.problems.linear.products.slow_modes import LEFT, RIGHT, SlowModeModel
from spinsync.problems.linear.products.sylvester import SchurForms
from spinsync.problems.linear.state_lattice import slowest_mode
from spinsync.theory.permutation.exact import Exact
from systems import HALF_PI, laser, several_groups

NAMES = ("frequency", "linewidth", "degenerate")
# one group attracts and the other one repels: two lines with opposite frequencies
NONRECIPROCAL = ss.Ensemble.pair(
    detuning=0, gain=3, damping=1, coupling=12, theta=-HALF_PI, cross_coupling=6, cross_theta=(-HALF_PI, HALF_PI)
)
MIRROR = ss.Ensemble.pair(detuning=2.0, gain=0.5, damping=0.1, coupling=1.0, theta=-HALF_PI)
CONTRAST = [ss.Group(3.9, 0.06), ss.Group(1.5, 4.2)], [[-6.8 + 9j, -17 + 5j], [4.0, 10 - 2.5j]]


def assert_same(one, other, tolerance=1e-9):
    for name in NAMES:
        np.testing.assert_allclose(one[name], other[name], atol=tolerance, err_msg=name)


def all_lines(block, observable):
    """Eigenvalues of all visible modes, from the full spectrum, slowest first."""
    values, right = np.linalg.eig(block)
    values = values[abs(observable @ right) > 1e-7 * np.linalg.norm(observable)]
    return values[np.argsort(-values.real)]


@pytest.mark.parametrize("seed", range(8))
def test_lines_agree_with_brute_force(seed):
    ensemble, spins, _ = several_groups(seed)
    if spins > 5:
        ensemble, spins = MIRROR.replace(detuning=0.1 + seed, gain=(0.5, 0.7)), 4
    lines, reference = (ss.linewidth(ensemble, theory=theory(spins), modes=4) for theory in (ss.Exact, ss.BruteForce))
    assert_same(lines, reference)
    assert lines.linewidth.dims == ("mode",)
    assert np.all(np.diff(lines.linewidth) >= -lines.linewidth_error[1:])


@pytest.mark.parametrize(
    ("ensemble", "spins", "frequency", "width"), [(NONRECIPROCAL, 4, None, None), (MIRROR, 4, 1.0428462860, 1.2481442456)]
)
def test_of_two_mirror_lines_the_higher_frequency_comes_first(ensemble, spins, frequency, width):
    for theory in (ss.Exact(spins), ss.BruteForce(spins)):
        one, two = ss.linewidth(ensemble, theory=theory), ss.linewidth(ensemble, theory=theory, modes=2)
        assert float(one.frequency) == float(two.frequency[0]) > 0
        assert float(two.frequency.sum()) == pytest.approx(0, abs=1e-12)
        assert bool(one.degenerate)
        assert two.degenerate.values.tolist() == [True, True]
        if frequency:
            assert float(one.frequency) == pytest.approx(frequency, abs=1e-10)
            assert float(one.linewidth) == pytest.approx(width, abs=1e-10)
    broken = ss.linewidth(ensemble.replace(**{"A.gain": 0.9, "A.frequency": 0.3}), theory=ss.Exact(spins))
    assert not bool(broken.degenerate)


def test_nonreciprocal_pair():
    """Reference value from two independent codes."""
    line = ss.linewidth(NONRECIPROCAL, theory=ss.Exact(6))
    assert float(line.frequency) == pytest.approx(0.48246, abs=5e-6)
    assert bool(line.degenerate)


@pytest.mark.parametrize(
    ("ensemble", "modes"), [(NONRECIPROCAL, 4), (MIRROR, 3), (MIRROR.replace(theta=-0.7, weights=(2, 1)), 3)]
)
def test_lines_of_several_groups_from_the_reduced_model(ensemble, modes, monkeypatch):
    """By the reduced model with two-sided corrections, and by the full spectrum: they agree within the stated errors."""
    found = []
    for dense in (10, 1000):
        monkeypatch.setattr(slowest_mode, "DENSE", dense)
        monkeypatch.setattr(product_lines, "ATTEMPTS", ((60, 3), (200, 10)))
        found.append(ss.linewidth(ensemble, theory=ss.Exact(6), modes=modes))
    assert found[0].degenerate.values.tolist() == found[1].degenerate.values.tolist()
    for name in ("frequency", "linewidth"):
        error = found[0][f"{name}_error"] + found[1][f"{name}_error"]
        assert np.all(abs(found[0][name] - found[1][name]) <= error), name
        assert error.max() < 1e-8


def test_reduced_model_has_the_slow_lines():
    """A quarter of the components: left and right vectors are biorthogonal, eigenvalues approximately right."""
    problem = Exact(6).lower(MIRROR, None, 0)
    space = ProductSpace(problem.sectors.subsystems, 1)
    model = SlowModeModel(space, SchurForms(space), space.size // 4)
    assert model.size <= space.size // 4
    values, right, left = model.modes()
    rights, lefts = (
        np.array([model.embedded(vectors[:, k], side) for k in range(5)]) for vectors, side in ((right, RIGHT), (left, LEFT))
    )
    overlaps = abs(lefts @ rights.T)
    assert np.all(overlaps - np.diag(overlaps.diagonal()) < 1e-9 * overlaps.diagonal().min())
    expected = all_lines(problem.sectors.block(1).toarray(), problem.sectors.observable)[:2]
    np.testing.assert_allclose(sorted(values[:2], key=np.imag), sorted(expected, key=np.imag), atol=2e-3)


def test_reduced_model_is_exact_for_uncoupled_groups():
    """Its right and left modes are exact modes of the generator."""
    subsystems = Exact(6).lower(MIRROR, None, 0).sectors.subsystems
    space = ProductSpace(replace(subsystems, couplings=()), 1)
    model = SlowModeModel(space, SchurForms(space), space.size // 4)
    values, right, left = model.modes()
    for k in range(4):
        x, y = model.embedded(right[:, k], RIGHT), model.embedded(left[:, k], LEFT)
        np.testing.assert_allclose(space.apply(x), values[k] * x, atol=1e-11)
        np.testing.assert_allclose(space.apply_transposed(y), values[k] * y, atol=1e-11)


@pytest.mark.parametrize("theta", [-HALF_PI, -1.0, 0.8])
def test_lines_of_one_group_at_any_frequency(theta, monkeypatch):
    """Rational Krylov space against the full spectrum; relaxation oscillations have frequencies far from the line."""
    ensemble = laser(theta=theta, frequency=1.0)
    problem = Exact(24).lower(ensemble, None, 0)
    expected = all_lines(problem.sectors.block(1).toarray(), problem.sectors.observable)[:4]
    monkeypatch.setattr(slowest_mode, "DENSE", 0)
    lines = ss.linewidth(ensemble, theory=ss.Exact(24), modes=4)
    np.testing.assert_allclose(lines.linewidth, -2 * expected.real, atol=1e-8)
    np.testing.assert_allclose(np.sort(lines.frequency), np.sort(-expected.imag), atol=1e-8)


@pytest.mark.parametrize("spins", [4, 40])
def test_uncoupled_groups_have_one_line_each(spins):
    groups = [ss.Group(1.0, 2.0, frequency=3.0), ss.Group(0.4, 0.8, frequency=-1.0)]
    ensemble = ss.Ensemble(groups, np.zeros((2, 2)))
    lines = ss.linewidth(ensemble, theory=ss.Exact(spins), modes=2)
    np.testing.assert_allclose(lines.linewidth, [1.2, 3.0], atol=1e-10)  # 2 Gamma_perp
    np.testing.assert_allclose(lines.frequency, [-1.0, 3.0], atol=1e-10)
    with pytest.raises(ss.InputError, match="Argument `modes` must be at most 2, as many lines as J_- shows, but is modes=3"):
        ss.linewidth(ensemble, theory=ss.Exact(spins), modes=3)


@pytest.mark.parametrize("number", [0, -1, 1.5, True, "2", float("nan")])
def test_invalid_modes_are_refused(number):
    with pytest.raises(ss.InputError, match="Argument `modes` must be a whole number of at least 1, but is"):
        ss.linewidth(laser(), theory=ss.Exact(4), modes=number)


def test_equal_groups_show_the_lines_of_one():
    """The mode in which two halves move in antiphase is invisible in J_-, although it is slower here."""
    whole = laser(theta=0.8, dephasing=0.2)
    for spins in (4, 8):
        assert_same(*(ss.linewidth(e, theory=ss.Exact(spins), modes=2) for e in (whole, whole.split(2))), 1e-8)


def test_order_of_lines():
    lines = [Line(-1 + 2j, 0.1), Line(-3 + 0j, 0.1), Line(-1.15 - 1j, 0.1), Line(-0.5 + 0j, 0.0)]
    assert [line.value for line in ordered(lines)] == [-0.5, -1.15 - 1j, -1 + 2j, -3]
    assert [line.degenerate for line in ordered(lines)] == [False, True, True, False]


def test_frequency_of_a_symmetric_pair_keeps_its_sign():
    pair = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=12.0, theta=-HALF_PI)
    found = [float(ss.linewidth(pair, theory=ss.Exact(n)).frequency) for n in (6, 8, 10)]
    np.testing.assert_allclose(found, [0.999, 1.073, 1.009], atol=1e-3)


@pytest.mark.parametrize("dephasing", [1e12, 1e15, 1e18])
@pytest.mark.parametrize("theory", [ss.BruteForce(4), ss.Exact(4)])
def test_rate_ratios_beyond_double_precision_are_refused(dephasing, theory):
    ensemble = ss.Ensemble(*CONTRAST).replace(**{"B.dephasing": dephasing})
    for ask in (
        ss.linewidth,
        ss.steady_state,
        lambda e, theory: ss.emission_spectrum(e, [0.0, 1.0], theory=theory),
        ss.entropy,
    ):
        with pytest.raises(
            ss.IntegrationError, match=r"too large for double precision, or differ by|does not reach ten digits"
        ):
            ask(ensemble, theory=theory)


@pytest.mark.parametrize("theory", [ss.BruteForce(4), ss.Exact(4)])
def test_large_rate_ratios_within_double_precision(theory):
    for dephasing in (1e6, 1e9):
        line = ss.linewidth(ss.Ensemble(*CONTRAST).replace(**{"B.dephasing": dephasing}), theory=theory)
        assert float(line.linewidth) == pytest.approx(14.0355, abs=1e-4)
        assert abs(float(line.linewidth) - 14.035505) < 1e-4 + float(line.linewidth_error)


def test_spectra_beyond_double_precision_are_refused():
    one = laser(theta=-1.2)
    for theory in (ss.Exact(3), ss.BruteForce(3)):
        with pytest.raises(ss.IntegrationError, match="too large for double precision"):
            ss.emission_spectrum(one.replace(coupling=1e300), [0.0, 1.0], theory=theory)
        with pytest.raises(ss.IntegrationError, match="too large for double precision"):
            ss.emission_spectrum(one.replace(frequency=1e300), [0.0, 1.0], theory=theory)
        with pytest.raises(ss.IntegrationError, match="too large for double precision"):
            ss.linewidth(one.replace(dephasing=1e300), theory=theory)
        with pytest.raises(ss.InputError, match=r"Argument `frequencies` must be at most 1e\+100 in size, but is .*1e\+300"):
            ss.emission_spectrum(one, [-1e300, 1e300], theory=theory)


def test_lines_of_a_rough_model_are_rejected(monkeypatch):
    monkeypatch.setattr(slowest_mode, "DENSE", 10)
    monkeypatch.setattr("spinsync.problems.linear.record.FULL_SPECTRUM", 0)
    monkeypatch.setattr(product_lines, "ROUGH", 0.0)
    with pytest.raises(ss.IntegrationError, match="does not reach ten digits"):
        ss.linewidth(MIRROR, theory=ss.Exact(6))


def test_plots_show_the_first_of_several_lines():
    several = [ss.linewidth(MIRROR, theory=ss.Exact(n), modes=2) for n in (2, 4)]
    one = [ss.linewidth(MIRROR, theory=ss.Exact(n)) for n in (2, 4)]
    for draw in (lambda lines: ss.plot.finite_size(lines, variable="frequency"), ss.plot.linewidths):
        many, alone = draw(several).lines[0], draw(one).lines[0]
        np.testing.assert_array_equal(many.get_ydata(), alone.get_ydata())


@pytest.mark.parametrize("spins", [5, 100])
def test_linewidths_at_large_frequencies_are_accurate_or_refused(spins):
    """The width is independent of the frequency, but rounding of a large frequency limits its accuracy."""
    width = float(ss.linewidth(laser(), theory=ss.Exact(spins)).linewidth)
    fast = ss.linewidth(laser(frequency=1e12), theory=ss.Exact(spins))
    assert abs(float(fast.linewidth) - width) <= float(fast.linewidth_error) < 0.02 * width
    for frequency in (1e14, 1e16):
        with pytest.raises(ss.IntegrationError, match="differ by too many orders"):
            ss.linewidth(laser(frequency=frequency), theory=ss.Exact(spins))
