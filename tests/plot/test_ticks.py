"""Ticks: their labels do not touch at any size and range, there are as many as have room, and all are in one notation."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest

import spinsync as ss
from spinsync.plot.scales import no_multiplier, plain_decades

HZ = ("Hz", 2 * np.pi)


def labels(axis):
    """Texts and boxes of the tick labels within the axis, in the order of their ticks."""
    axis.axes.figure.canvas.draw()
    low, high = sorted(axis.get_view_interval())
    ticks = [
        tick for tick in axis.get_major_ticks() if low <= tick.get_loc() * (1 + 1e-9) and tick.get_loc() <= high * (1 + 1e-9)
    ]
    return [(tick.label1.get_text(), tick.label1.get_window_extent()) for tick in ticks]


def touch(axis):
    """Whether two neighbouring labels touch."""
    boxes = [box for _, box in labels(axis)]
    return any(one.overlaps(other) for one, other in pairwise(boxes))


@pytest.mark.parametrize("width", [1.2, 3.4])
@pytest.mark.parametrize("side", ["x", "y"])
@pytest.mark.parametrize("decades", [1.1, 2.5, 9.0])
def test_labels_of_a_logarithmic_axis_do_not_touch(width, side, decades):
    for low in (1.4e-4, 0.13, 2e4):
        _, ax = plt.subplots(figsize=(width, 2.0) if side == "x" else (2.0, width), layout="constrained")
        ax.set(**{f"{side}scale": "log", f"{side}lim": (low, low * 10**decades)})
        axis = getattr(ax, f"{side}axis")
        plain_decades(axis)
        assert not touch(axis), (low, labels(axis))
        assert len(labels(axis)) >= (1 if width == 1.2 else 2), low
        plt.close("all")


@pytest.mark.parametrize("width", [1.4, 3.4, 7.0])
def test_labels_of_a_linear_axis_with_large_numbers_do_not_touch(width):
    for limits in ((-2.1e5, 2.1e5), (0.0, 3.3e6), (1.2e8, 1.9e8), (-7e-7, 2e-6)):
        _, ax = plt.subplots(figsize=(width, 2.0), layout="constrained")
        ax.set(xlim=limits)
        no_multiplier(ax.xaxis)
        assert not touch(ax.xaxis), (limits, labels(ax.xaxis))
        assert len(labels(ax.xaxis)) >= (5 if width == 7.0 else 3 if width == 3.4 else 2), limits


@pytest.mark.parametrize("size", [1e-4, 1e4])
def test_labels_of_a_diagram_in_another_unit_do_not_touch(size):
    one = ss.Ensemble.single(gain=3 * size, damping=size, coupling=12 * size, theta=-1.2)
    plane = {"coupling": np.geomspace(size, 100 * size, 3), "gain": np.geomspace(0.5 * size, 30 * size, 3)}
    ax = ss.plot.phase_diagram(ss.phase_diagram(one, plane), unit=HZ)
    assert not touch(ax.xaxis)
    assert not touch(ax.yaxis)
    assert len(labels(ax.xaxis)) >= 2


def test_a_logarithmic_axis_has_the_ticks_that_have_room():
    for width, expected in ((1.0, ["0.1", "1", "10"]), (8.0, ["0.1", "0.2", "0.5", "1", "2", "5", "10", "20"])):
        _, ax = plt.subplots(figsize=(width, 2))
        ax.set(xscale="log", xlim=(0.1, 30))
        plain_decades(ax.xaxis)
        assert [text for text, _ in labels(ax.xaxis)] == expected


def test_numbers_of_an_axis_are_in_one_notation():
    for low, high, expected in (
        (10, 1e4, ["10", "100", "1000", "10000"]),
        (10, 1e5, ["$10^{1}$", "$10^{2}$", "$10^{3}$", "$10^{4}$", "$10^{5}$"]),
        (1e-4, 1, ["$10^{-4}$", "$10^{-3}$", "$10^{-2}$", "$10^{-1}$", "$10^{0}$"]),
    ):
        _, ax = plt.subplots(figsize=(5, 2))
        ax.set(xscale="log", xlim=(low, high))
        plain_decades(ax.xaxis)
        assert [text for text, _ in labels(ax.xaxis)] == expected
