"""The picture of several levels of theory shows each of them, its errors, and where it is not valid."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backend_bases import RendererBase

import spinsync as ss
from plot_cases import PAIR

TIMES = np.linspace(0, 2, 21)
ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.3)
THEORIES = [ss.MeanField(), ss.Exact(5), ss.Trajectories(5, rtol=0.5, atol=0.2)]
LABELS = ["MeanField", "Exact(5)", "Trajectories(5, rtol=0.5, atol=0.2)"]
LEVELS = ss.compare(ONE, TIMES, theories=THEORIES, initial=[[0.4, 0.0, 0.2]])
TWO = ss.compare(PAIR, TIMES, theories=[*THEORIES[:1], ss.Exact(4)], initial=[[0.4, 0.0, 0.2], [0.3, 0.0, -0.2]])


def drawn(ax, label):
    return next(line for line in ax.lines if line.get_label() == label)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_both_panels_hold_every_theory_and_one_legend_names_them():
    upper = ss.plot.compare(LEVELS)
    order, inversion = upper.figure.axes
    assert order is upper
    assert legend(upper) == LABELS
    assert inversion.get_legend() is None
    for label in LABELS:
        np.testing.assert_array_equal(drawn(order, label).get_ydata(), LEVELS.order_parameter.sel(theory=label))
        np.testing.assert_array_equal(drawn(inversion, label).get_ydata(), LEVELS.inversion.sel(theory=label)[:, 0])
        assert drawn(order, label).get_color() == drawn(inversion, label).get_color()
    assert len({drawn(order, label).get_color() for label in LABELS}) == 3
    assert len({pattern(drawn(order, label)) for label in LABELS}) == 3


def pattern(line):
    """The dashes of a line, in units of its width; matplotlib tells them only by way of what it draws."""
    seen = []

    class Pen(RendererBase):
        def draw_path(self, gc, path, transform, rgbFace=None):
            seen.append(tuple(np.round(np.array(gc.get_dashes()[1] or []) / gc.get_linewidth(), 6).tolist()))

    line.draw(Pen())
    return seen[0]


def test_theories_differ_in_colour_and_in_dashes():
    levels = ss.compare(ONE, TIMES[:3], theories=[ss.MeanField(), *map(ss.Exact, range(2, 8))], initial=[[0.4, 0.0, 0.2]])
    lines = [drawn(ss.plot.compare(levels, variable="inversion"), label) for label in map(str, levels.theory.values)]
    assert len({line.get_color() for line in lines}) == len({pattern(line) for line in lines}) == len(lines) == 7
    a, b = (i for i, line in enumerate(lines) if line.get_color() in ("#0072B2", "#56B4E9"))
    assert b - a > 4  # the two blues are far apart


def test_one_variable_on_given_axes():
    _, ax = plt.subplots()
    assert ss.plot.compare(LEVELS, ax, variable="inversion") is ax
    assert set(LABELS) <= {line.get_label() for line in ax.lines}
    new = ss.plot.compare(LEVELS, variable="order_parameter")
    assert len(new.figure.axes) == 1
    assert legend(new) == LABELS


def test_bands_are_one_standard_error_to_both_sides():
    ax = ss.plot.compare(LEVELS, variable="inversion")
    bands = [band for band in ax.collections if len(band.get_paths())]
    (band,) = [one for one in bands if np.ptp(one.get_paths()[0].vertices[:, 1]) > 0]
    vertices = band.get_paths()[0].vertices
    level = LEVELS.isel(theory=2)
    for time, mean, error in zip(TIMES, level.inversion.values[:, 0], level.inversion_error.values[:, 0], strict=True):
        at = vertices[np.isclose(vertices[:, 0], time), 1]
        np.testing.assert_allclose([at.min(), at.max()], [mean - error, mean + error], atol=1e-12)


def test_lines_are_pale_where_the_status_is_not_valid():
    status = np.zeros((3, 21), np.int8)
    status[0], status[1, 8:12] = -1, 2  # not tested; not positive
    levels = LEVELS.assign(status=(("theory", "time"), status))
    ax = ss.plot.compare(levels, variable="inversion")
    assert legend(ax) == [*LABELS, "pale: status not valid"]
    assert np.isfinite(drawn(ax, "MeanField").get_ydata()).all()
    assert np.isnan(drawn(ax, "Exact(5)").get_ydata()).nonzero()[0].tolist() == [8, 9, 10, 11]
    (line,) = [line for line in ax.lines if line.get_alpha() is not None and len(line.get_ydata())]
    assert pattern(line) == pattern(drawn(ax, "Exact(5)"))
    assert line.get_color() == drawn(ax, "Exact(5)").get_color()
    assert np.isfinite(line.get_ydata()).nonzero()[0].tolist() == [7, 8, 9, 10, 11, 12]  # joined to the full line
    assert "pale: status not valid" not in legend(ss.plot.compare(LEVELS.assign(status=(("theory", "time"), 0 * status))))


def test_groups_differ_in_their_markers_which_the_lower_panel_names():
    upper = ss.plot.compare(TWO)
    lower = upper.figure.axes[1]
    assert legend(upper) == ["MeanField", "Exact(4)"]
    assert legend(lower) == ["group A", "group B"]
    bare, marked = (line.get_marker() for line in lower.get_legend().get_lines())
    assert bare == ""
    assert marked not in ("", "None")
    first = drawn(lower, "MeanField")
    both = [line for line in lower.lines if line.get_color() == first.get_color() and np.isfinite(line.get_ydata()).any()]
    assert [line.get_marker() for line in both] == [bare, marked]
    assert pattern(both[0]) == pattern(both[1])
    for group, line in enumerate(both):
        np.testing.assert_array_equal(line.get_ydata(), TWO.inversion[0, :, group])


def test_a_single_time_is_drawn():
    upper = ss.plot.compare(LEVELS.isel(time=[3]).assign(status=(("theory", "time"), np.full((3, 1), 3, np.int8))))
    assert upper.get_xlim() == (TIMES[3] - 0.5, TIMES[3] + 0.5)
