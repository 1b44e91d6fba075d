"""The argument `unit` of figures: what is drawn times the unit is what the result holds, and closed forms keep to it."""

import inspect

import numpy as np
import pytest

import spinsync as ss
from plot_cases import PAIR
from spinsync.plot.renderer import Renderer
from spinsync.plot.units import Unit, checked_unit

GAMMA = 2.0
ONE = ss.Ensemble.single(gain=6.0, damping=GAMMA, coupling=24.0, theta=-1.2)
UNITS = {"rate": 1.0, "damping": GAMMA, ("Hz", 2 * np.pi): 2 * np.pi, ("kHz", 4e3 * np.pi): 4e3 * np.pi, ("1/ms", 50.0): 50.0}
TIMES = {unit: size / (2 * np.pi) if "Hz" in unit[0] else size for unit, size in UNITS.items()}  # periods of cyclic units
EACH = pytest.mark.parametrize("unit", UNITS, ids=str)
RUN = ss.evolve(PAIR, np.linspace(1, 5, 401))
LINES = [ss.linewidth(ONE, theory=ss.Exact(n)) for n in (20, 40)]
LIGHT = [ss.emission_spectrum(ONE, np.linspace(-9, 5, 2001), theory=ss.Exact(n)) for n in (20, 40)]
PLANE = ss.phase_diagram(ONE, {"coupling": np.linspace(1, 40, 5), "gain": np.linspace(1.0, 30.0, 4)})
PLATEAU = ss.phase_diagram(PAIR, {"detuning": np.linspace(0, 20, 11)})
TONGUE = ss.phase_diagram(PAIR, {"detuning": np.linspace(1, 15, 4), "coupling": np.linspace(9, 50, 3)})
ANGLES = ss.phase_diagram(ONE, {"theta": [-2.0, -1.2, -0.8]})


def curve(ax, label):
    return next(line for line in ax.lines if line.get_label() == label).get_xydata().T


@EACH
def test_every_time_axis_times_its_unit_is_the_time_of_the_run(unit):
    for draw in (ss.plot.order_parameter, ss.plot.phases, ss.plot.phase_difference):
        ax = draw(RUN, unit=unit)
        np.testing.assert_allclose(ax.lines[0].get_xdata() / TIMES[unit], RUN.time, rtol=1e-14)
        np.testing.assert_allclose(np.array(ax.get_xlim()) / TIMES[unit], [1, 5])
    each = ss.evolve(ONE, [0.0, 1.0, 3.0], initial=[[0.1, 0.2, 0.3]] * 3, each=True)
    image = ss.plot.phases(each, unit=unit).collections[0].get_coordinates()
    np.testing.assert_allclose(image[0, :, 0] / TIMES[unit], [-0.5, 0.5, 2.0, 4.0])


@EACH
def test_the_time_of_compared_theories_is_in_the_unit(unit):
    levels = ss.compare(PAIR, [1.0, 2.0, 5.0], theories=[ss.MeanField(), ss.Exact(2)])
    upper = ss.plot.compare(levels, unit=unit)
    for ax in upper.figure.axes:
        np.testing.assert_allclose(ax.lines[0].get_xdata() / TIMES[unit], [1, 2, 5], rtol=1e-14)
        np.testing.assert_allclose(np.array(ax.get_xlim()) / TIMES[unit], [1, 5])


def test_the_frame_of_phases_is_in_the_unit_of_the_model():
    drawn = [ss.plot.phases(RUN, frame=3.0, unit=unit).lines[0].get_ydata() for unit in UNITS]
    for other in drawn[1:]:
        np.testing.assert_array_equal(other, drawn[0])


@EACH
def test_spectra_of_runs_are_in_the_unit_and_their_range_in_that_of_the_model(unit):
    rate, other = (ss.plot.beat_spectrum(RUN, frequencies=(-9.0, 9.0), unit=one) for one in ("rate", unit))
    np.testing.assert_allclose(other.lines[0].get_xdata() * UNITS[unit], rate.lines[0].get_xdata(), rtol=1e-13)
    np.testing.assert_array_equal(other.lines[0].get_ydata(), rate.lines[0].get_ydata())
    np.testing.assert_allclose(np.array(other.get_xlim()) * UNITS[unit], [-9, 9])


@EACH
def test_a_diagram_and_its_threshold_are_in_the_unit(unit):
    size = UNITS[unit]
    ax = ss.plot.phase_diagram(PLANE, variable="frequency", unit=unit)
    corners = size * ax.collections[0].get_coordinates()
    np.testing.assert_allclose((corners[0, 1:, 0] + corners[0, :-1, 0]) / 2, PLANE.coupling)
    np.testing.assert_allclose((corners[1:, 0, 1] + corners[:-1, 0, 1]) / 2, PLANE.gain)
    found = size * ax.collections[0].get_array().filled(np.nan)
    np.testing.assert_allclose(found, PLANE.frequency[..., 0].T)
    v, kappa = curve(ax, "threshold") * size
    for i in range(0, len(v), len(v) // 5):
        assert v[i] == pytest.approx(min(ss.critical_coupling(ONE.replace(gain=kappa[i])), v.max()), rel=1e-9)


@EACH
def test_boundaries_of_two_groups_are_in_the_unit(unit):
    x, y = curve(ss.plot.phase_diagram(TONGUE, unit=unit), "existence of full") * UNITS[unit]
    inside = np.isfinite(x) & (x > 0) & (x < 15)
    assert inside.sum() > 10
    for detuning, coupling in zip(x[inside][::20], y[inside][::20], strict=True):
        closed = float(ss.symmetric_pair(PAIR.replace(coupling=coupling)).existence_detuning)
        assert detuning == pytest.approx(closed, rel=1e-9)


@EACH
@pytest.mark.parametrize("variable", ["order_parameter", "frequency"])
def test_the_closed_form_of_a_cut_goes_through_the_circles(unit, variable):
    diagram = ss.phase_diagram(ONE, {"gain": np.linspace(3, 30, 8)})
    ax = ss.plot.cut(diagram, variable=variable, unit=unit)
    x, y = curve(ax, "computed")
    np.testing.assert_allclose(x * UNITS[unit], diagram.gain)
    np.testing.assert_allclose(y * (UNITS[unit] if variable == "frequency" else 1), np.squeeze(diagram[variable].values))
    np.testing.assert_allclose(np.interp(x, *curve(ax, "closed form")), y, rtol=1e-5)


@EACH
def test_a_plateau_its_natural_frequencies_and_its_closed_form_are_in_the_unit(unit):
    size = UNITS[unit]
    ax = ss.plot.frequency(PLATEAU, unit=unit)
    for group in (0, 1):
        x, y = curve(ax, f"group {'AB'[group]}") * size
        np.testing.assert_allclose((x, y), (PLATEAU.detuning, PLATEAU.frequency[:, group]), atol=1e-12)
    np.testing.assert_allclose(curve(ax, "without coupling") * size, [[0, 20], [0, 10]])
    x, y = curve(ax, "closed form") * size
    assert x[np.isfinite(y)].max() == pytest.approx(float(ss.symmetric_pair(PAIR).hopf_detuning), rel=1e-6)
    ax = ss.plot.frequency(PLATEAU, difference=True, unit=unit)
    gap = PLATEAU.frequency[:, 0] - PLATEAU.frequency[:, 1]
    np.testing.assert_allclose(curve(ax, "computed") * size, (PLATEAU.detuning, gap), atol=1e-12)
    np.testing.assert_allclose(curve(ax, "without coupling") * size, [[0, 20], [0, 20]])


@EACH
def test_linewidths_frequencies_and_spectra_of_few_spins_are_in_the_unit(unit):
    size, n = UNITS[unit], np.array([20, 40])
    ax = ss.plot.linewidths(LINES, unit=unit)
    np.testing.assert_allclose(curve(ax, "finite $N$")[1] * size, [one.linewidth for one in LINES])
    asymptote = curve(ax, "many spins")[1] * size
    np.testing.assert_allclose(asymptote * n, float(ss.limit_cycle(ONE).phase_diffusion))
    ax = ss.plot.finite_size(LINES, variable="frequency", unit=unit)
    np.testing.assert_allclose(curve(ax, "finite $N$")[1] * size, [one.frequency for one in LINES])
    assert curve(ax, "mean field")[1][0] * size == pytest.approx(float(ss.limit_cycle(ONE).frequency))
    ax = ss.plot.spectra(LIGHT, unit=unit)
    for one, line in zip(LIGHT, ax.lines, strict=False):
        x, y = line.get_xydata().T
        np.testing.assert_allclose(x * size, one.frequency, rtol=1e-12)
        measure = 1.0 if "Hz" in unit[0] else 2 * np.pi  # of cyclic frequencies, or d nu / 2 pi
        photons = np.trapezoid(one.emission, one.frequency) / 2 / np.pi / int(one.spins) ** 2
        assert np.trapezoid(y, x) / measure == pytest.approx(float(photons))  # the area is a number
    assert curve(ax, "mean field")[0][0] * size == pytest.approx(float(ss.limit_cycle(ONE).frequency))


LABELS = [
    ("rate", "coupling  $V$  (rate)", "gain  $\\kappa$  (rate)", "frequency  $\\Omega$  (rate)", "time  $t$  (1/rate)"),
    ("damping", "coupling  $V/\\gamma$", "gain-to-damping ratio  $r=\\kappa/\\gamma$", "frequency  $\\Omega/\\gamma$",
     "time  $\\gamma t$"),
    (("kHz", 1.0), "coupling  $V/2\\pi$  (kHz)", "gain  $\\kappa/2\\pi$  (kHz)", "frequency  $\\Omega/2\\pi$  (kHz)",
     "time  $t$  (ms)"),
    (("1/s", 1.0), "coupling  $V$  (1/s)", "gain  $\\kappa$  (1/s)", "frequency  $\\Omega$  (1/s)", "time  $t$  (s)"),
    (("rad/ns", 1.0), "coupling  $V$  (rad/ns)", "gain  $\\kappa$  (rad/ns)", "frequency  $\\Omega$  (rad/ns)",
     "time  $t$  (ns)"),
    (("trap", 1.0), "coupling  $V$  (trap)", "gain  $\\kappa$  (trap)", "frequency  $\\Omega$  (trap)", "time  $t$  (1/trap)"),
]  # fmt: skip


@pytest.mark.parametrize(("unit", "coupling", "gain", "frequency", "time"), LABELS, ids=lambda one: str(one)[:20])
def test_labels_say_the_unit(unit, coupling, gain, frequency, time):
    ax = ss.plot.phase_diagram(PLANE, unit=unit, variable="frequency")
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.figure.axes[1].get_ylabel()) == (coupling, gain, frequency)
    assert ss.plot.phases(RUN, unit=unit).get_xlabel() == time
    ax.figure.canvas.draw()


@pytest.mark.parametrize(("name", "time"), {"mHz": "ks", "Hz": "s", "MHz": "µs", "GHz": "ns", "aHz": "1/aHz"}.items())
def test_times_of_units_of_frequency(name, time):
    assert ss.plot.phases(RUN, unit=(name, 2 * np.pi)).get_xlabel() == f"time  $t$  ({time})"


@pytest.mark.parametrize(
    ("unit", "symbol", "text"),
    [("rate", "t", " = −1.50"), ("damping", "γt", " = −3.00"), (("kHz", 4e3 * np.pi), "t", " = −3000 ms"),
     (("1/s", 1.0), "t", " = −1.50 s")],
)  # fmt: skip
def test_movies_show_the_time_in_the_unit(unit, symbol, text, monkeypatch, tmp_path):
    written = []
    monkeypatch.setattr(Renderer, "_write", lambda self, image, *where: written.append(where))
    run = ss.evolve(ONE, [0.0, 0.5, 1.0]).assign_coords(time=[-1.5, -1.0, -0.5])
    ss.plot.movie(run, tmp_path / "a.gif", size=64, speed=1.0, frames_per_second=2, unit=unit, progress=False)
    assert written[0][:2] == (symbol, text)


def test_differences_and_densities_say_their_unit():
    labels = [ss.plot.frequency(PLATEAU, difference=True, unit=one).get_ylabel() for one in ("damping", ("Hz", 1.0))]
    gap = r"(\Omega_\mathrm{A}-\Omega_\mathrm{B})"
    assert labels == [rf"difference  ${gap}/\gamma$", rf"difference  ${gap}/2\pi$  (Hz)"]
    labels = [ss.plot.spectra(LIGHT, unit=one).get_ylabel() for one in ("damping", ("Hz", 1.0), ("1/s", 1.0))]
    assert labels == [r"emission  $\gamma\,S(\nu)/N^2$", r"emission  $S(\nu)/N^2$  (1/Hz)", r"emission  $S(\nu)/N^2$  (s)"]


def test_parameters_without_the_unit_of_a_rate_are_not_converted():
    ax = ss.plot.frequency(ANGLES, unit="damping")
    x, y = curve(ax, "computed")
    np.testing.assert_array_equal(x, ANGLES.theta)
    np.testing.assert_allclose(y * GAMMA, ANGLES.frequency[:, 0])
    assert ax.get_xlabel() == r"interaction phase  $\theta$"


def test_every_picture_of_a_rate_or_time_has_the_unit_of_the_model_by_default():
    without = {"bloch_sphere", "project", "save", "style"}
    for name in (one for one in ss.plot.__all__ if one.islower() and one not in without):
        assert inspect.signature(getattr(ss.plot, name)).parameters["unit"].default == "rate", name
    for name in without:
        assert "unit" not in inspect.signature(getattr(ss.plot, name)).parameters


MUST = "'rate', 'damping' or a name and a factor such as ('Hz', 2 * np.pi)"
PER_GROUP = ss.evolve(PAIR.replace(damping=(1.0, 2.0)), [0.0, 1.0])
OVER_DAMPING = ss.phase_diagram(ONE, {"damping": [1.0, 2.0, 3.0]})
A_DAMPING = ss.phase_diagram(PAIR, {"A.damping": [1.0, 2.0], "detuning": [1.0, 2.0]})
NO_DAMPING = ss.evolve(ONE.replace(damping=0.0), [0.0, 1.0])
BAD = {
    "word": (lambda: ss.plot.phases(RUN, unit="Hz"), f"{MUST}, but is unit='Hz'."),
    "number": (lambda: ss.plot.phases(RUN, unit=3.0), f"{MUST}, but is unit=3.0."),
    "no factor": (lambda: ss.plot.phases(RUN, unit=("Hz",)), f"{MUST}, but is unit=('Hz',)."),
    "no name": (lambda: ss.plot.phases(RUN, unit=("", 1.0)), "a name of one line and a factor, but is unit=('', 1.0)."),
    "lines": (lambda: ss.plot.phases(RUN, unit=("a\nb", 1)), "a name of one line and a factor, but is unit=('a\\nb', 1)."),
    "negative": (lambda: ss.plot.phases(RUN, unit=("Hz", -1)),
                 "a name and a factor that is positive and finite, but is unit=('Hz', -1)."),
    "infinite": (lambda: ss.plot.phases(RUN, unit=("Hz", np.inf)),
                 "a name and a factor that is positive and finite, but is unit=('Hz', inf)."),
    "none": (lambda: ss.plot.phases(NO_DAMPING, unit="damping"),
             "'rate' or a name and a factor where the damping is 0, but is unit='damping'."),
    "per group": (lambda: ss.plot.phases(PER_GROUP, unit="damping"),
                  "'rate' or a name and a factor where the groups differ in damping, but is unit='damping'."),
    "axis": (lambda: ss.plot.cut(OVER_DAMPING, unit="damping"),
             "'rate' or a name and a factor where damping is an axis, but is unit='damping'."),
    "axis of a group": (lambda: ss.plot.phase_diagram(A_DAMPING, unit="damping"),
                        "'rate' or a name and a factor where A.damping is an axis, but is unit='damping'."),
    "cut without rates": (lambda: ss.plot.cut(ANGLES, unit="damping"),
                          "'rate' in a figure that shows neither rates nor times, but is unit='damping'."),
    "finite size without rates": (
        lambda: ss.plot.finite_size([ss.steady_state(ONE, theory=ss.Exact(2))], unit=("Hz", 1.0)),
        "'rate' in a figure that shows neither rates nor times, but is unit=('Hz', 1.0)."),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_unit_that_a_figure_cannot_have_is_an_error(case):
    call, must = BAD[case]
    with pytest.raises(ss.InputError) as caught:
        call()
    assert str(caught.value) == f"Argument `unit` must be {must}"


def test_a_damping_that_is_one_number_at_the_selected_point_is_a_unit():
    one = ss.phase_diagram(ONE, {"damping": [1.0, 4.0], "coupling": [8.0, 24.0, 40.0]}).sel(damping=4.0)
    x, _ = curve(ss.plot.cut(one, unit="damping"), "computed")
    np.testing.assert_allclose(x, [2.0, 6.0, 10.0])
    cavity = ss.Ensemble.cavity(spins=10**6, vacuum_coupling=0.05, cavity_decay=1e3, gain=3.0, damping=0.5)
    assert checked_unit("damping", cavity).size == 0.5


@pytest.mark.parametrize(
    ("name", "expected"),
    [("10^3/s", "s/10^3"), ("Mrad/s", "s/Mrad"), ("s^-1", "s"), ("ms$^{-1}$", "ms"), ("µs⁻¹", "µs"), ("rad s^-1", "s"),
     ("m^-1", "1/(m^-1)"), ("rate", "1/rate"), (r"$\kappa$", r"1/$\kappa$"),
     (r"$N\Gamma_\mathrm{c}$", r"1/($N\Gamma_\mathrm{c}$)")],
)  # fmt: skip
def test_the_unit_of_time_of_a_product_is_in_brackets(name, expected):
    assert Unit(name).time_name == expected


def test_the_linewidth_in_hertz_is_cyclic():
    one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    widths = [ss.linewidth(one, theory=ss.Exact(n)) for n in (4, 8)]
    labels = [ss.plot.linewidths(widths, unit=unit).get_ylabel() for unit in ("damping", ("Hz", 2 * np.pi))]
    assert labels == [r"linewidth, FWHM  $\Delta\nu/\gamma$", r"linewidth, FWHM  $\Delta\nu/2\pi$  (Hz)"]


@pytest.mark.parametrize("name", ["a b", "100 %", "$x", "a_b", "{", "spin^2", "\\\\", "näher", "A"])
def test_any_name_of_a_group_can_be_drawn_as_an_index(name):
    """Mathtext would read some of these as commands."""
    groups = [ss.Group(3, 1, frequency=1.0, name=name), ss.Group(3, 1, name="other")]
    model = ss.Ensemble(groups, np.full((2, 2), -16j))
    ax = ss.plot.frequency(ss.phase_diagram(model, {"other.gain": [2.0, 3.0]}), difference=True)
    ax.figure.canvas.draw()
    ax = ss.plot.phase_difference(ss.evolve(model, np.linspace(0, 1, 11)))
    ax.figure.canvas.draw()
