"""Labels of axes, and legends, are within the figure at every size, and whole where there is room."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import spinsync as ss
from plot_cases import PAIR

ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
SWEEP = ss.phase_diagram(ONE, {"gain": np.linspace(1, 12, 5)})
PLATEAU = ss.phase_diagram(PAIR, {"detuning": np.linspace(0, 24, 13)})
PLANE = ss.phase_diagram(ONE, {"gain": np.linspace(1, 12, 3), "coupling": np.linspace(1, 12, 3)})
WHOLE = {"gain-to-damping ratio  $r=\\kappa/\\gamma$", "order parameter  $R$", "coupling  $V/\\gamma$"}


def labels(figure):
    """The labels of a drawn figure."""
    figure.canvas.draw()
    every = [axis.label for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]
    return [label for label in every if label.get_text()]


def cut_off(figure):
    """Labels that are partly outside their figure or subfigure."""
    outside = []
    for label in labels(figure):
        box, paper = label.get_window_extent(), label.axes.figure.get_window_extent()
        if box.x0 < paper.x0 - 1 or box.x1 > paper.x1 + 1 or box.y0 < paper.y0 - 1 or box.y1 > paper.y1 + 1:
            outside.append(label.get_text())
    return outside


@pytest.mark.parametrize("size", [(2.0, 1.6), (1.7, 1.7), (3.4, 2.4)])
def test_labels_stay_within_figures_of_all_sizes(size):
    with ss.plot.style(figure_figsize=size):
        for ax in (ss.plot.cut(SWEEP, unit="damping"), ss.plot.phase_diagram(PLANE, unit="damping")):
            assert not cut_off(ax.figure)
            if size == (3.4, 2.4):
                assert {label.get_text() for label in labels(ax.figure)} <= WHOLE


def test_labels_stay_within_subfigures():
    with ss.plot.style(figure_figsize=(4.0, 1.6)):
        figure = plt.figure(layout="constrained")
        for part in figure.subfigures(1, 2):
            ss.plot.cut(SWEEP, part.subplots(), unit="damping")
    assert not cut_off(figure)


def test_a_label_follows_the_size_of_its_figure():
    with ss.plot.style(figure_figsize=(1.7, 1.7)):
        ax = ss.plot.cut(SWEEP, unit="damping")
    ax.figure.canvas.draw()
    assert "\n" in ax.get_xlabel()
    ax.figure.set_size_inches(6, 4)
    ax.figure.canvas.draw()
    assert ax.get_xlabel() in WHOLE
    ax.set_xlabel("another")
    assert ax.get_xlabel() == "another"


def test_lines_break_outside_formulas():
    ax = ss.plot.cut(SWEEP, plt.subplots(figsize=(0.5, 0.5))[1])
    ax.set_xlabel(r"ratio $a b$ of $\gamma t$ and $\gamma t$")
    ax.figure.canvas.draw()
    lines = ax.get_xlabel().split("\n")
    assert len(lines) > 2
    assert all(line.count("$") % 2 == 0 for line in lines)


def test_the_legend_of_a_narrow_figure_stays_in_it():
    with ss.plot.style(figure_figsize=(2.0, 1.8)):
        figure = ss.plot.frequency(PLATEAU, unit=("Hz", 1e-6)).figure
    figure.canvas.draw()
    box, paper = figure.axes[0].get_legend().get_window_extent(), figure.bbox
    assert box.x0 >= paper.x0 - 1
    assert box.x1 <= paper.x1 + 1
