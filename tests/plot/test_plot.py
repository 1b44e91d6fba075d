"""Figures: drawn data equal computed data, labels are right, and matplotlib's settings are restored."""

import subprocess
import sys
from itertools import pairwise

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection

import spinsync as ss
from plot_cases import PAIR, TIMES, WEAK
from spinsync.plot.appearance import CLOSED_FORM
from spinsync.plot.spheres import AZIMUTH, ELEVATION, THICK, View, depth_opacity

ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)


@pytest.fixture
def run():
    return ss.evolve(ONE, TIMES)


def test_projection_is_a_rotation():
    for azimuth, elevation in ((0, 0), (-50, 22), (130, -80)):
        matrix = View(azimuth, elevation).matrix
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-15)  # rounding of sines
        assert np.linalg.det(matrix) == pytest.approx(1)
    np.testing.assert_allclose(View(0, 90)(np.eye(3))[2], [0, 0, 1], atol=1e-15)  # from above, z points to the viewer


def test_the_sphere_has_start_end_and_limit_cycle(run):
    ax = ss.plot.bloch_sphere(run, azimuth=0, elevation=90)  # from above the ring is a circle of radius 2|s|
    ring = next(c for c in ax.collections if isinstance(c, LineCollection) and c.get_linewidth()[0] == 1.6)
    radius = [np.hypot(*point) for segment in ring.get_segments() for point in segment]
    np.testing.assert_allclose(radius, 2 * float(ss.limit_cycle(ONE).amplitude), rtol=1e-12)
    x, y, _ = ss.bloch(run).values[-1, 0]
    ends = [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(ends[-1], [y, -x], atol=1e-12)  # azimuth 0: y to the right, -x up


def joined(pieces):
    """The points of a line that is drawn in pieces, each of which begins at the end of the last one."""
    segments = pieces.get_segments()
    for one, other in pairwise(segments):
        np.testing.assert_array_equal(one[-1], other[0])
    return np.concatenate([segments[0], *(segment[1:] for segment in segments[1:])])


def test_a_trajectory_is_continuous_and_fades_towards_the_back():
    run = ss.evolve(ONE.replace(frequency=3.0), np.linspace(0, 8, 2001))
    view = View(AZIMUTH, ELEVATION)(ss.bloch(run).values[:, 0])
    ax = ss.plot.bloch_sphere(run)
    pieces = next(c for c in ax.collections if isinstance(c, LineCollection) and c.get_linewidth()[0] == THICK[0])
    np.testing.assert_array_equal(joined(pieces), view[:, :2])
    lengths = [len(segment) - 1 for segment in pieces.get_segments()]
    opacity = np.repeat(pieces.get_colors()[:, 3], lengths)
    np.testing.assert_allclose(opacity, THICK[1] * depth_opacity((view[1:, 2] + view[:-1, 2]) / 2), atol=1 / 128)
    assert len(lengths) < 500  # equal opacities are one piece


def test_the_trajectory_is_a_point_in_the_rotating_frame():
    fast = ONE.replace(frequency=40.0)
    late = ss.evolve(fast, np.linspace(0, 20, 401)).isel(time=slice(300, None))
    path = [c for c in ss.plot.bloch_sphere(late, frame=40.0).collections if isinstance(c, LineCollection)]
    trajectory = next(c for c in path if c.get_linewidth()[0] == 1.2).get_segments()
    assert np.ptp(np.concatenate(trajectory), axis=0).max() < 1e-4  # a point; in the laboratory frame a circle


def test_order_parameter_and_phases_show_the_run(run):
    np.testing.assert_array_equal(ss.plot.order_parameter(run).lines[0].get_ydata(), run.order_parameter)
    np.testing.assert_allclose(ss.plot.phases(run).lines[0].get_ydata(), -np.angle(run.coherence[:, 0]))
    pair = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2)
    two = ss.evolve(pair, TIMES)
    ax = ss.plot.order_parameter(two)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["group A", "group B", "ensemble"]
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), 2 * abs(two.coherence[:, 1]))


def test_phases_of_single_spins_are_an_image_in_a_cyclic_map():
    each = ss.evolve(ONE, TIMES, each=True, initial=[[0.1, 0.2, 0.3]] * 5)
    image = ss.plot.phases(each).collections[0]
    assert image.get_cmap().name == "twilight"
    np.testing.assert_allclose(image.get_array().reshape(5, -1), -np.angle(each.spin_coherence.values).T)
    first, last = (np.array(image.get_cmap()(x)) for x in (0.0, 1.0))
    np.testing.assert_allclose(first, last, atol=0.02)  # a cyclic map begins and ends with the same colour


def test_phase_diagram_shows_results_and_closed_form():
    diagram = ss.phase_diagram(ONE, {"coupling": np.linspace(0, 12, 7), "gain": np.linspace(0.5, 9, 6)})
    ax = ss.plot.phase_diagram(diagram)
    np.testing.assert_array_equal(ax.collections[0].get_array().reshape(6, 7), diagram.order_parameter.values.T)
    v, r = ax.lines[-1].get_xydata()[200]
    assert v == pytest.approx(ss.critical_coupling(ONE.replace(gain=r)))
    assert "r" in ax.get_ylabel()
    assert "V" in ax.get_xlabel()
    assert ax.get_xlim()[1] < 14


def test_cut_shows_results_and_closed_form():
    diagram = ss.phase_diagram(ONE, {"theta": np.linspace(-2.6, -0.5, 8)})
    ax = ss.plot.frequency(diagram)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), diagram.frequency[:, 0])
    theta, omega = ax.lines[1].get_xydata()[150]
    assert omega == pytest.approx(2 / np.tan(theta))


def test_a_cut_without_a_closed_form_shows_results_only():
    diagram = ss.phase_diagram(ONE, {"coupling": [2.0, 8.0, 12.0]})
    ax = ss.plot.cut(diagram, variable="lyapunov")
    (circles,) = ax.lines
    np.testing.assert_array_equal(circles.get_ydata(), diagram.lyapunov)


def test_frame_of_the_mean_puts_the_mean_on_the_x_axis():
    moving = WEAK.replace(**{"A.frequency": 9.0, "B.frequency": 8.6})  # locked, with a high frequency in the laboratory frame
    late = ss.evolve(moving, np.linspace(200, 203, 301))
    above = dict(azimuth=0, elevation=90)  # the x axis points down
    ax = ss.plot.bloch_sphere(late, frame="mean", **above)
    paths = [joined(c) for c in ax.collections if getattr(c, "get_linewidth", list)()[0] == 1.2]
    assert len(paths) == 2
    mean = 0.4 * paths[0] + 0.6 * paths[1]
    np.testing.assert_allclose(mean[:, 0], 0, atol=1e-12)
    np.testing.assert_allclose(mean[-1, 1], -late.order_parameter[-1], rtol=1e-12)
    laboratory = ss.plot.bloch_sphere(late, **above).collections
    path = next(joined(c) for c in laboratory if getattr(c, "get_linewidth", list)()[0] == 1.2)
    assert np.ptp(path[:, 0]) > 0.2


def test_a_saved_figure_keeps_its_layout(tmp_path, run):
    """All files have the same layout; a changed figure has a new one."""
    figure = ss.plot.order_parameter(run).figure
    engine = figure.get_layout_engine()
    png, _ = ss.plot.save(figure, tmp_path / "both")
    (single,) = ss.plot.save(figure, tmp_path / "single.png")
    assert figure.get_layout_engine() is engine
    assert png.read_bytes() == single.read_bytes()
    before = figure.axes[0].get_position().x0
    figure.axes[0].set_ylabel("an order parameter\nand more")
    ss.plot.save(figure, tmp_path / "changed")
    assert figure.axes[0].get_position().x0 > before


def test_fonts_are_embedded(tmp_path, run):
    ax = ss.plot.order_parameter(run)
    png, pdf = ss.plot.save(ax.figure, tmp_path / "figure")
    assert png.stat().st_size > 1000
    assert b"/FontFile2" in pdf.read_bytes()


def test_settings_are_restored_after_a_style(run):
    before = dict(mpl.rcParams)
    with ss.plot.style(font_size=20):
        assert mpl.rcParams["font.size"] == 20
    ss.plot.order_parameter(run)
    assert dict(mpl.rcParams) == before


def test_given_axes_are_used_and_returned(run):
    _, ax = plt.subplots()
    for function in (ss.plot.order_parameter, ss.plot.phases, ss.plot.bloch_sphere):
        assert function(run, ax) is ax


def test_wrong_results_are_errors(run):
    diagram = ss.phase_diagram(ONE, {"coupling": [2.0, 12.0]})
    with pytest.raises(ss.InputError, match="`run` must be a result of evolve that holds order_parameter over time"):
        ss.plot.order_parameter(diagram)
    with pytest.raises(ss.InputError, match="`diagram` must have two axes, but has 1"):
        ss.plot.phase_diagram(diagram)
    with pytest.raises(ss.InputError, match="`diagram` must be a result of phase_diagram, but is one of evolve"):
        ss.plot.cut(run.isel(time=0))
    with pytest.raises(ss.InputError, match="`variable` must be one of amplitude, inversion, frequency, order_parameter"):
        ss.plot.cut(diagram, variable="amplitud")
    with pytest.raises(ss.InputError, match=r"`run` must be .* that holds coherence over time, but is one of steady_state"):
        ss.plot.bloch_sphere(ss.steady_state(ONE))
    with pytest.raises(ss.InputError, match="`ax` must be matplotlib axes"):
        ss.plot.phases(run, ax=3)


def test_every_figure_appears_in_a_notebook(tmp_path):
    """As in a kernel: inline backend by environment, no magic command, one figure per cell."""
    code = """
import os
os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
from IPython.testing.globalipapp import start_ipython
shell = start_ipython()
shell.run_cell("import numpy as np, spinsync as ss, matplotlib as mpl")
shell.run_cell("run = ss.evolve(ss.Ensemble.single(gain=3, damping=1, coupling=12, theta=-1), np.linspace(0, 1, 9))")
for _ in range(3):
    shell.run_cell("ss.plot.order_parameter(run);")
assert shell.user_ns["mpl"].is_interactive()
"""
    pytest.importorskip("matplotlib_inline", reason="needs IPython, which the docs extra installs")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("<Figure size") == 3


def test_a_figure_that_cannot_be_written_is_an_error(tmp_path, run):
    figure = ss.plot.order_parameter(run).figure
    with pytest.raises(ss.InputError, match=r"Argument `path` must be writable, but .*nowhere/figure.png' is not"):
        ss.plot.save(figure, tmp_path / "nowhere" / "figure")


def _black(ax):
    return next(line for line in ax.lines if line.get_color() == CLOSED_FORM)


def test_a_slice_of_a_diagram_has_the_closed_form_at_its_values():
    couplings = np.linspace(1, 20, 20)
    diagram = ss.phase_diagram(ONE, {"coupling": couplings, "gain": [1.5, 9.0]})
    for gain in (1.5, 9.0):
        x, y = _black(ss.plot.cut(diagram.sel(gain=gain))).get_data()
        want = [float(ss.limit_cycle(ONE.replace(gain=gain, coupling=v)).order_parameter) for v in x]
        np.testing.assert_allclose(y, want, atol=1e-12)
        plt.close("all")


def test_the_threshold_is_drawn_over_two_other_parameters():
    diagram = ss.phase_diagram(ONE, {"gain": np.linspace(0.1, 30, 13), "theta": np.linspace(-3, 0, 9)})
    ax = ss.plot.phase_diagram(diagram)
    lines = [line for line in ax.collections if hasattr(line, "levels")]
    assert len(lines) == 2  # white below black
    for gain, theta in np.concatenate([path.vertices for path in lines[-1].get_paths()])[::7]:
        around = [ONE.replace(gain=gain + a, theta=theta + b) for a in (-0.33, 0.33) for b in (-0.033, 0.033)]  # a cell
        critical = [ss.critical_coupling(model) for model in around]
        assert min(critical) < 12 < max(critical)
    plt.close("all")


def test_order_parameters_of_groups_at_finite_n_follow_from_correlations():
    pair = ss.Ensemble.pair(detuning=2.0, gain=4.0, damping=0.2, coupling=8.0, theta=-np.pi / 2)
    run = ss.evolve(pair, np.linspace(0, 4, 9), theory=ss.Exact(8))
    ax = ss.plot.order_parameter(run)
    for a in (0, 1):
        np.testing.assert_allclose(ax.lines[a].get_ydata() ** 2 / 4, np.maximum(0, run.correlation[:, a, a].real), atol=1e-14)
    plt.close("all")


def test_projected_points_agree_with_the_sphere(run):
    ax = ss.plot.bloch_sphere(run, azimuth=30, elevation=-15)
    ends = [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "o"]
    m = ss.bloch(run).values[:, 0]
    np.testing.assert_allclose(ss.plot.project(m[[0, -1]], azimuth=30, elevation=-15), ends, atol=1e-14)
    axes = [line.get_xydata()[1] for line in ss.plot.bloch_sphere(run).lines if len(line.get_xdata()) == 2]
    np.testing.assert_allclose(ss.plot.project(np.eye(3)), axes, atol=1e-14)  # the same default view
    np.testing.assert_allclose(ss.plot.project([1.0, 0.0, 0.0]), [0.766, -0.241], atol=5e-4)
    assert ss.plot.project(np.zeros((4, 5, 3))).shape == (4, 5, 2)


@pytest.mark.parametrize(
    ("points", "options", "message"),
    [
        ([1.0, 2.0], {}, "Argument `points` must be Bloch vectors, an array of shape (..., 3), but has shape (2,)."),
        (1.0, {}, "Argument `points` must be Bloch vectors, an array of shape (..., 3), but has shape ()."),
        ("here", {}, "Argument `points` must be Bloch vectors, an array of shape (..., 3), but is points='here'."),
        ([0, 0, np.nan], {}, "Argument `points` must be finite, but has the entry nan."),
        ([0, 0, 1], {"azimuth": "x"}, "Argument `azimuth` must be a real number, but is azimuth='x'."),
    ],
)
def test_points_that_cannot_be_projected_are_errors(points, options, message):
    with pytest.raises(ss.InputError) as caught:
        ss.plot.project(points, **options)
    assert str(caught.value) == message


def test_a_run_with_one_time_is_a_dot_on_the_sphere():
    run = ss.evolve(ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2), [0.0, 1.0])
    whole, point = (ss.plot.bloch_sphere(part) for part in (run, run.isel(time=[0])))
    assert len(point.lines) == len(whole.lines)


def test_the_closed_form_over_numbers_of_spins_is_a_curve_at_whole_numbers():
    """Not straight lines between few computed points, which would hide the threshold."""
    laser = ss.Ensemble.cavity(spins=100, vacuum_coupling=0.01, cavity_decay=100.0, gain=0.3, damping=0.01)
    ax = ss.plot.cut(ss.phase_diagram(laser, {"spins": [10, 100, 1000, 10_000, 100_000]}))
    assert ax.get_xscale() == "log"
    spins, closed = next(line for line in ax.lines if line.get_label() == "closed form").get_data()
    assert len(spins) > 100
    np.testing.assert_array_equal(spins, np.rint(spins))
    for n, r in list(zip(spins, closed, strict=True))[::40]:
        assert r == pytest.approx(float(ss.limit_cycle(laser.replace(spins=int(n))).order_parameter))


def test_very_large_numbers_stand_at_the_ticks():
    """A common factor at the end of an axis would stand over its label."""
    laser = ss.Ensemble.cavity(spins=100, vacuum_coupling=0.01, cavity_decay=1e7, gain=0.3, damping=0.01)
    diagram = ss.phase_diagram(laser, {"cavity_detuning": np.linspace(-2e6, 2e6, 5), "gain": [0.1, 0.2, 0.3]})
    ax = ss.plot.phase_diagram(diagram)
    ax.figure.canvas.draw()
    assert ax.xaxis.get_offset_text().get_text() == ""
    texts = [label.get_text() for label in ax.get_xticklabels()]
    assert texts == [r"$-2\times10^{6}$", "0", r"$2\times10^{6}$"]


def test_a_closed_form_beside_the_points_is_in_the_figure():
    """Means of few realizations may all lie on one side of it."""
    one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    shifted = ss.phase_diagram(one, {"coupling": [10.0, 11.0, 12.0]})
    shifted["frequency"] = shifted.frequency + 3.0
    ax = ss.plot.cut(shifted, variable="frequency")
    low, high = ax.get_ylim()
    closed = next(line for line in ax.lines if line.get_label() == "closed form").get_ydata()
    assert low < np.nanmin(closed) <= np.nanmax(closed) < high
    np.testing.assert_allclose(closed, 0.0, atol=1e-9)


def test_several_groups_on_a_sphere_are_named_once_each():
    start = np.random.default_rng(1).normal(size=(6, 3))
    run = ss.evolve(PAIR, np.linspace(0, 1, 5), initial=start / np.linalg.norm(start, axis=1, keepdims=True), each=True)
    ax = ss.plot.bloch_sphere(run)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["group A", "group B"]
    assert [handle.get_markerfacecolor() for handle in ax.get_legend().legend_handles] == list(ss.plot.COLOURS[:2])
    given = ss.plot.bloch_sphere(run, plt.subplots()[1])
    assert given.get_legend() is None
    assert given.get_legend_handles_labels()[1] == ["group A", "group B"]
    assert ss.plot.bloch_sphere(ss.evolve(ONE, [0.0, 1.0])).get_legend() is None
