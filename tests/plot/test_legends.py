"""Legends, labels of areas, grounds and scales: nothing in a figure is unexplained, hidden or cut."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex, to_rgb
from matplotlib.lines import Line2D

import spinsync as ss
from plot_cases import PAIR, WEAK
from spinsync.plot.scales import cell_edges

ONE = ss.Ensemble.single(gain=6.0, damping=2.0, coupling=24.0, theta=-1.2)
PLANE = ss.phase_diagram(ONE, {"coupling": np.linspace(1, 40, 5), "gain": np.linspace(0.0, 30.0, 4)})
FINE = ss.phase_diagram(PAIR, {"detuning": np.linspace(0, 24, 41), "coupling": np.linspace(2, 60, 36)})
LOGARITHMIC = ss.phase_diagram(PAIR, {"detuning": np.geomspace(0.1, 30, 31), "coupling": np.geomspace(2, 200, 26)})
PLATEAU = ss.phase_diagram(PAIR, {"detuning": np.linspace(0, 24, 13)})
EQUAL = PAIR.replace(detuning=0.0)
STATES = [ss.steady_state(EQUAL, theory=ss.Exact(n)) for n in (2, 4, 8)]


def entries(ax):
    return ax.get_legend_handles_labels()[1]


def shown(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


LINES = {
    "threshold": (lambda ax: ss.plot.phase_diagram(PLANE, ax), {"threshold"}),
    "grey": (lambda ax: ss.plot.phase_diagram(PLANE, ax, variable="frequency"), {"threshold", "undefined"}),
    "boundaries": (lambda ax: ss.plot.phase_diagram(FINE, ax), {"Hopf line", "existence of full", "incoherent stable"}),
    "drifting": (lambda ax: ss.plot.phase_diagram(FINE, ax, variable="phase_difference"), {"undefined", "Hopf line"}),
    "cut": (lambda ax: ss.plot.cut(PLANE.isel(coupling=2), ax), {"computed", "closed form"}),
    "frequency": (lambda ax: ss.plot.frequency(PLATEAU, ax), {"group A", "group B", "without coupling", "closed form"}),
    "difference": (
        lambda ax: ss.plot.frequency(PLATEAU, ax, difference=True), {"computed", "without coupling", "closed form"}
    ),
    "locked": (
        lambda ax: ss.plot.phase_difference(ss.evolve(PAIR, np.linspace(0, 9, 99)), ax), {"A − B", "locked, closed form"}
    ),
    "mean field": (lambda ax: ss.plot.finite_size(STATES, ax, variable="inversion"), {"group A", "group B", "mean field"}),
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_every_line_has_an_entry_in_new_figures_and_on_given_axes(name):
    draw, expected = LINES[name]
    ax = draw(None)
    assert expected <= set(shown(ax)) == set(entries(ax))
    _, given = plt.subplots(figsize=(5, 4))
    draw(given)
    assert expected <= set(entries(given))
    unnamed = [line for line in given.lines if line.get_label().startswith("_")]
    named = {(line.get_color(), line.get_linestyle()) for line in given.lines if not line.get_label().startswith("_")}
    alike = {
        (line.get_color(), line.get_linestyle())
        for line in unnamed
        if line.get_color() != "white" and line.get_marker() == "None"
    }
    assert alike <= named  # the other edge of a tongue, or a white rim


def test_undecided_points_have_an_entry():
    codes = FINE.regime.copy()
    codes[20, 20] = ss.Regime.UNDECIDED
    assert "undecided" in shown(ss.plot.phase_diagram(FINE.assign(regime=codes)))
    assert "undecided" not in shown(ss.plot.phase_diagram(FINE.where(FINE.regime != ss.Regime.UNDECIDED)))


def test_lines_outside_the_diagram_have_no_entry():
    low = ss.phase_diagram(PAIR, {"detuning": np.linspace(0, 1, 3), "coupling": np.linspace(1, 4, 3)})
    ax = ss.plot.phase_diagram(low)  # below the tip of the tongue
    assert not {"Hopf line", "existence of full", "incoherent stable"} & set(entries(ax))


def test_no_entry_appears_twice_on_axes_with_two_curves():
    ax = plt.figure(figsize=(6, 5)).gca()
    for model in (ONE, ONE.replace(gain=3.0)):
        ss.plot.linewidths(
            [ss.linewidth(model, theory=ss.Exact(n)) for n in (4, 8)], ax, label=f"gain {model.groups[0].gain:g}"
        )
    assert sorted(entries(ax)) == ["gain 3", "gain 6", "many spins"]


def test_given_axes_without_room_have_entries_but_no_legend():
    _, axes = plt.subplots(1, 5, figsize=(5, 2))
    ss.plot.frequency(PLATEAU, axes[1])
    assert axes[1].get_legend() is None
    assert {"group A", "without coupling"} <= set(entries(axes[1]))


def test_a_legend_inside_given_axes_hides_no_computed_point():
    sweep = ss.phase_diagram(ONE, {"coupling": np.geomspace(2, 200, 61)})
    everywhere = sweep.assign(order_parameter=("coupling", np.random.default_rng(1).uniform(0, 0.5, 61)))
    for size in ((2.0, 1.6), (3.4, 2.4), (5.0, 4.0)):
        for diagram in (sweep, everywhere):
            ax = ss.plot.cut(diagram, plt.subplots(figsize=size, layout="constrained")[1])
            ax.figure.canvas.draw()
            assert set(entries(ax)) == {"computed", "closed form"}
            if ax.get_legend() is None:
                assert diagram is everywhere or size == (2.0, 1.6)
                continue
            box = ax.get_legend().get_window_extent()
            x, y = ax.transData.transform(ax.lines[0].get_xydata()).T
            assert not np.any((x > box.x0) & (x < box.x1) & (y > box.y0) & (y < box.y1)), size


@pytest.mark.parametrize("unit", ["rate", ("MHz", 1e6)])
def test_a_legend_above_a_new_figure_is_within_it(unit, tmp_path):
    """Wide labels of ticks leave the axes less room than the figure had before."""
    pair = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=20.0, theta=-np.pi / 2)
    plane = ss.phase_diagram(pair, {"coupling": np.geomspace(1, 100, 12), "gain": np.geomspace(0.1, 30, 12)})
    figure = ss.plot.phase_diagram(plane, unit=unit).figure
    ss.plot.save(figure, tmp_path / "saved.png")
    figure.canvas.draw()
    box = figure.axes[0].get_legend().get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1


def drawn_labels(ax):
    """Labels of areas and the boxes of their letters, in pixels."""
    ax.figure.canvas.draw()
    return [(text, text.get_window_extent()) for text in ax.texts]


@pytest.mark.parametrize("diagram", [FINE, LOGARITHMIC], ids=["linear", "logarithmic"])
@pytest.mark.parametrize("size", ["one column", "two columns", "subfigure", "small"])
def test_labels_of_areas_are_within_their_areas(diagram, size):
    with ss.plot.style(columns=2 if size == "two columns" else 1):
        if size == "subfigure":
            ax = ss.plot.phase_diagram(diagram, plt.figure(figsize=(7, 2.6)).subfigures(1, 2)[1].subplots())
        elif size == "small":
            ax = ss.plot.phase_diagram(diagram, plt.subplots(2, 4, figsize=(7, 3))[1][1, 2])
        else:
            ax = ss.plot.phase_diagram(diagram)
    names = set()
    for text, box in drawn_labels(ax):
        halo = 1.2 * ax.figure.figure.dpi / 72
        corners = [(x, y) for x in (box.x0 - halo, box.x1 + halo) for y in (box.y0 - halo, box.y1 + halo)]
        for x, y in ax.transData.inverted().transform(corners):
            assert ax.get_xlim()[0] <= x <= ax.get_xlim()[1], text
            assert ax.get_ylim()[0] <= y <= ax.get_ylim()[1], text
            assert _regime_at(ax, x, y) == text.get_text()
        names.add(text.get_text())
    present = {str(ss.label(code)) for code in np.unique(diagram.regime) if code != ss.Regime.UNDECIDED}
    assert names | set(entries(ax)) >= present  # each area has a label or an entry
    assert not names & set(entries(ax))
    assert names


def _regime_at(ax, x, y):
    """The name of the regime that is drawn at a point, from the image itself."""
    image = ax.collections[0]
    corners = image.get_coordinates()
    column, row = np.searchsorted(corners[0, :, 0], x) - 1, np.searchsorted(corners[:, 0, 1], y) - 1
    return str(ss.label(int(image.get_array().reshape(len(corners) - 1, -1)[row, column])))


def test_an_area_is_labelled_where_no_line_runs_if_there_is_room():
    part = FINE.isel(detuning=slice(0, 35))  # the Hopf line runs through the middle
    everywhere = part.assign(regime=xr.full_like(part.regime, ss.Regime.FULL))
    ax = ss.plot.phase_diagram(everywhere)
    assert len(ax.texts) == 1
    for _, box in drawn_labels(ax):
        for line in (one for one in ax.lines if one.get_marker() == "None"):
            x, y = ax.transData.transform(line.get_xydata()).T
            assert not np.any((x > box.x0) & (x < box.x1) & (y > box.y0) & (y < box.y1))


def test_the_phase_difference_of_groups_that_drift_is_not_drawn():
    assert {ss.Regime.FULL, ss.Regime.PARTIAL} <= set(PLATEAU.regime.values.tolist())
    drawn = ss.plot.cut(PLATEAU, variable="phase_difference").lines[0].get_ydata()
    locked = PLATEAU.regime.isin([ss.Regime.FULL, ss.Regime.PHASE_TRAPPED]).values
    np.testing.assert_array_equal(np.isfinite(drawn), locked)
    np.testing.assert_array_equal(drawn[locked], PLATEAU.phase_difference.values[locked, 0, 1])
    assert np.isfinite(PLATEAU.phase_difference.values[~locked, 0, 1]).any()  # the result keeps it
    assert ss.plot.cut(PLATEAU, variable="phase_difference").get_xlim()[1] > 24


def test_two_groups_that_agree_beside_a_third_keep_their_phase_difference():
    groups = [ss.Group(gain=3.0, damping=1.0, frequency=f) for f in (2.0, 0.0, -10.0)]
    three = ss.Ensemble(groups, np.full((3, 3), -24j))
    diagram = ss.phase_diagram(three, {"A.frequency": [2.0, 10.0]})
    assert set(diagram.regime.values) == {ss.Regime.PARTIAL}
    drawn = ss.plot.cut(diagram, variable="phase_difference").lines[0].get_ydata()
    np.testing.assert_array_equal(np.isfinite(drawn), [True, False])


def test_adlers_line_is_not_drawn_for_a_pair_whose_cross_coupling_is_the_inner_one():
    equal = ss.Ensemble.pair(  # the error of the range happens to be small
        detuning=0.0, gain=(1.335, 4.166), damping=1.0, coupling=47.5, theta=-2.2, weights=(5, 4)
    )
    assert ss.locking_range(equal).weak
    diagram = ss.phase_diagram(equal, {"detuning": [-40.0, 0.0, 40.0], "coupling": [46.0, 48.0]})
    assert not any("Adler" in entry for entry in entries(ss.plot.phase_diagram(diagram)))
    weak = ss.phase_diagram(WEAK, {"detuning": [-1.0, 0.0, 1.0], "cross_coupling": [0.5, 1.0]})
    assert any("Adler" in entry for entry in entries(ss.plot.phase_diagram(weak)))


def test_equal_groups_are_both_seen():
    run = ss.evolve(EQUAL, np.linspace(0, 2, 21), initial=[[0.2, 0.1, 0.1]] * 2)
    for draw in (ss.plot.order_parameter, ss.plot.phases):
        lines = draw(run).lines
        np.testing.assert_allclose(lines[0].get_ydata(), lines[1].get_ydata(), atol=1e-9)
        widths = [line.get_linewidth() for line in sorted(lines, key=lambda one: one.get_zorder())]
        assert np.all(np.diff(widths) < -1)  # points: the lower one is seen on both sides
    for ax in (ss.plot.cut(ss.phase_diagram(EQUAL, {"gain": [4.0, 6.0]}), variable="inversion"),
               ss.plot.finite_size(STATES, variable="inversion")):  # fmt: skip
        a, b = [line for line in ax.lines if line.get_label().startswith("group")]
        np.testing.assert_allclose(a.get_ydata(), b.get_ydata(), atol=1e-6)
        assert a.get_markersize() > b.get_markersize() + 1


@pytest.mark.parametrize("ground", ["white", "black"])
def test_closed_forms_and_labels_are_legible_on_any_ground(ground):
    def contrast(colour):
        return abs(np.dot((0.2126, 0.7152, 0.0722), np.subtract(to_rgb(colour), to_rgb(ground))))

    with plt.style.context("dark_background" if ground == "black" else "default"):
        run = ss.evolve(PAIR, np.linspace(0, 2, 21))
        light = [ss.emission_spectrum(ONE, np.linspace(-9, 5, 21), theory=ss.Exact(n)) for n in (2, 4)]
        for draw in (
            lambda ax: ss.plot.cut(PLANE.isel(coupling=2), ax), lambda ax: ss.plot.frequency(PLATEAU, ax),
            lambda ax: ss.plot.finite_size(STATES, ax), lambda ax: ss.plot.order_parameter(run, ax),
            lambda ax: ss.plot.phase_difference(run, ax), lambda ax: ss.plot.spectra(light, ax),
            lambda ax: ss.plot.linewidths([ss.linewidth(ONE, theory=ss.Exact(4))], ax),
        ):  # fmt: skip
            _, ax = plt.subplots()
            draw(ax)
            for line in ax.lines:
                assert contrast(line.get_color()) > 0.25, line
                if line.get_marker() == "o":
                    assert to_hex(line.get_markerfacecolor()) in (
                        to_hex(ax.get_facecolor()),
                        to_hex(line.get_markeredgecolor()),
                    )
                if ground == "black" and line.get_linestyle() == "-" and line.get_marker() in ("None", "o"):
                    assert contrast(line.get_color()) > 0.4, line  # thin lines
        _, ax = plt.subplots()
        ss.plot.bloch_sphere(ss.evolve(ONE, [0.0, 1.0]), ax)
        start, end = [line for line in ax.lines if line.get_marker() == "o"]
        assert contrast(start.get_markerfacecolor()) < 0.2  # an open circle shows the ground
        assert contrast(start.get_markeredgecolor()) > 0.4
        assert contrast(end.get_markerfacecolor()) > 0.4
        assert all(contrast(text.get_color()) > 0.5 for text in ax.texts)


@pytest.mark.parametrize("ground", ["white", "black"])
@pytest.mark.parametrize("given", [False, True])
def test_keys_of_lines_over_areas_are_legible_on_any_ground(ground, given):
    codes = FINE.regime.copy()
    codes[20, 20] = ss.Regime.UNDECIDED
    undecided = FINE.assign(regime=codes)
    contour = ss.phase_diagram(ONE, {"gain": np.linspace(1, 30, 4), "damping": np.linspace(1, 30, 4)})
    fixed = ss.phase_diagram(PAIR, {"gain": np.linspace(2, 20, 4), "coupling": np.linspace(10, 60, 4)})
    seen = set()
    with plt.style.context("dark_background" if ground == "black" else "default"):
        for diagram in (PLANE, contour, undecided, fixed):
            for variable in ("frequency", None):
                ax = ss.plot.phase_diagram(diagram, plt.subplots()[1] if given else None, variable=variable)
                legend = ax.get_legend() or ax.legend()
                for handle in (one for one in legend.legend_handles if isinstance(one, Line2D)):
                    levels = [np.dot((0.2126, 0.7152, 0.0722), to_rgb(c))
                              for c in (handle.get_color(), ax.figure.get_facecolor())]  # fmt: skip
                    assert abs(levels[0] - levels[1]) > 0.5, handle
                    seen.add(handle.get_label())
                plt.close("all")
    assert {"threshold", "Hopf line", "existence of full", "incoherent stable", "undecided"} <= seen


@pytest.mark.parametrize(
    ("values", "scale"),
    [(np.geomspace(1, 100, 7), "log"), (np.geomspace(1, 100, 7)[::-1], "log"), (np.geomspace(1, 8, 7), "linear"),
     (np.linspace(1, 100, 7), "linear"), (np.array([1.0, 100.0]), "linear"), (np.array([0.0, 1.0, 10.0]), "linear")],
)  # fmt: skip
def test_an_axis_follows_the_spacing_of_its_values(values, scale):
    sweep = ss.phase_diagram(ONE, {"coupling": values})
    assert ss.plot.cut(sweep).get_xscale() == scale
    plane = ss.phase_diagram(ONE, {"gain": [2.0, 3.0], "coupling": values})
    ax = ss.plot.phase_diagram(plane)
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", scale)
    ax = plt.figure().gca()
    assert ss.plot.cut(sweep, ax).get_xscale() == scale
    ax = plt.figure().gca()
    ax.plot([1, 2])
    assert ss.plot.cut(sweep, ax).get_xscale() == "linear"  # the axes hold something


def test_natural_frequencies_are_right_on_a_logarithmic_axis():
    ax = ss.plot.frequency(ss.phase_diagram(PAIR, {"detuning": np.geomspace(0.1, 100, 13)}))
    assert ax.get_xscale() == "log"
    x, y = next(line for line in ax.lines if line.get_label() == "without coupling").get_xydata().T
    np.testing.assert_allclose(y, x / 2)
    assert np.diff(np.log(x)).max() < 0.1


@pytest.mark.parametrize("difference", [False, True])
def test_lines_on_a_logarithmic_axis_begin_at_the_first_detuning_that_it_shows(difference):
    _, ax = plt.subplots()
    ax.set_xscale("log")
    ss.plot.frequency(PLATEAU, ax, difference=difference)  # detunings 0, 2, 4, ...
    drawn = [x for line in ax.lines for x in line.get_xdata() if line.get_marker() == "None"]
    assert min(drawn) == 2.0
    assert ax.get_xlim()[0] > 0.5


def test_cells_of_an_image_meet_halfway_between_their_values_as_seen():
    _, (linear, logarithmic) = plt.subplots(1, 2)
    logarithmic.set_xscale("log")
    np.testing.assert_allclose(cell_edges(linear.xaxis, np.array([1.0, 2.0, 4.0])), [0.5, 1.5, 3.0, 5.0])
    np.testing.assert_allclose(cell_edges(logarithmic.xaxis, np.array([1.0, 100.0])), [0.1, 10.0, 1000.0])
    np.testing.assert_allclose(cell_edges(linear.xaxis, np.array([3.0])), [2.5, 3.5])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        edges = cell_edges(logarithmic.xaxis, np.array([0.0, 1.0, 2.0]))
    np.testing.assert_allclose(edges, [0.0, 0.5, 1.5, 2.0])


def test_labels_of_a_plain_figure_in_the_style_are_not_cut(tmp_path):
    with ss.plot.style(), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure, ax = plt.subplots()
        ax.set(xlabel=r"coupling $\frac{V}{\gamma}$", ylabel="order parameter", ylim=(1e5, 2e5))
        ss.plot.save(figure, tmp_path / "plain.png")
        figure.canvas.draw()
        for label in (ax.xaxis.label, ax.yaxis.label):
            box = label.get_window_extent()
            assert min(box.x0, box.y0) >= 0
        ss.plot.movie(ss.evolve(ONE, [0.0, 1.0]), tmp_path / "a.gif", size=64, speed=5.0, progress=False)
        figure = ss.plot.bloch_sphere(ss.evolve(ONE, [0.0, 1.0])).figure
        figure.canvas.draw()


def test_results_of_few_spins_make_a_diagram_of_the_order_parameter():
    few = ss.phase_diagram(PAIR, {"detuning": [1.0, 9.0], "coupling": [9.0, 20.0]}, theory=ss.Exact(2))
    image = ss.plot.phase_diagram(few).collections[0]
    np.testing.assert_array_equal(image.get_array().reshape(2, 2), few.order_parameter.values.T)


def test_a_diagram_may_hold_nan_where_it_was_masked():
    masked = FINE.where(FINE.regime == ss.Regime.FULL)
    ax = ss.plot.phase_diagram(masked)
    assert [text.get_text() for text in ax.texts] == ["full"]
    assert isinstance(masked, xr.Dataset)
