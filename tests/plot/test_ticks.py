"""Ticks: their labels do not touch at any size and range, there are as many as have room, and all are in one notation."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text

import spinsync as ss
from plot_cases import PAIR
from spinsync.plot.scales import no_multiplier, plain_decades

ONE = ss.Ensemble.single(gain=6.0, damping=2.0, coupling=24.0, theta=-1.2)
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


def test_numbers_of_a_linear_axis_are_multiples_of_one_power_of_ten():
    for limits, expected in (
        ((-2.1e5, 2.1e5), [rf"${n}\times10^{{5}}$" if n != "0" else n for n in ("-2", "-1", "0", "1", "2")]),
        ((0, 1.1e5), ["0", *(rf"${n}\times10^{{5}}$" for n in ("0.2", "0.4", "0.6", "0.8", "1"))]),
        ((1e6, 1e6 + 4), [rf"${n}\times10^{{6}}$" for n in ("1", "1.000001", "1.000002", "1.000003", "1.000004")]),
        (
            (-2.1e-6, 1.1e-6),
            [rf"${n}\times10^{{-6}}$" if n != "0" else n for n in ("-2", "-1.5", "-1", "-0.5", "0", "0.5", "1")],
        ),
    ):
        _, ax = plt.subplots(figsize=(7, 2))
        ax.set(xlim=limits)
        no_multiplier(ax.xaxis)
        assert [text for text, _ in labels(ax.xaxis)] == expected


def test_a_logarithmic_axis_of_less_than_a_decade_has_at_least_two_ticks():
    for low, high in ((7.4e5, 1.3e6), (2.1, 4.9), (11.0, 12.0)):
        _, ax = plt.subplots()
        ax.set(xscale="log", xlim=(low, high))
        plain_decades(ax.xaxis)
        assert len(labels(ax.xaxis)) >= 2
        assert not touch(ax.xaxis)


def test_large_numbers_are_at_the_ticks_of_all_axes():
    """And not in a corner, where a common factor would stand over a label, a legend or the letter of a panel."""
    size = 1e7
    one = ss.Ensemble.single(gain=3 * size, damping=size, coupling=12 * size, theta=-1.2)
    two = ss.Ensemble.pair(detuning=4 * size, gain=3 * size, damping=size, coupling=16 * size, theta=-np.pi / 2)
    run = ss.evolve(two, np.linspace(0, 8 / size, 201))
    plane = ss.phase_diagram(one, {"coupling": np.linspace(size, 20 * size, 3), "gain": np.linspace(size, 9 * size, 3)})
    few = [ss.Exact(n) for n in (2, 4)]
    for ax in (
        ss.plot.order_parameter(run), ss.plot.phases(run), ss.plot.phase_difference(run), ss.plot.beat_spectrum(run),
        ss.plot.phase_diagram(plane, variable="frequency"),
        ss.plot.cut(plane.isel(gain=-1, drop=True), variable="frequency"),
        ss.plot.frequency(ss.phase_diagram(two, {"detuning": np.linspace(0, 12 * size, 5)}), difference=True),
        ss.plot.compare(ss.compare(one, np.linspace(0, 1 / size, 3), theories=[ss.MeanField(), *few[:1]])),
        ss.plot.finite_size([ss.linewidth(one, theory=n) for n in few], variable="frequency"),
        ss.plot.spectra([ss.emission_spectrum(one, np.linspace(-size, size, 9), theory=n) for n in few]),
    ):  # fmt: skip
        ax.figure.canvas.draw()
        axes = [axis for one in ax.figure.axes for axis in (one.xaxis, one.yaxis)]
        assert not [axis.get_offset_text().get_text() for axis in axes if axis.get_offset_text().get_text()]
        assert any(r"\times" in text for axis in axes for text, _ in labels(axis))


def test_phase_differences_over_a_parameter_have_ticks_at_parts_of_pi():
    for axis in (np.linspace(0, 4, 5), np.linspace(-1, 1, 5)):
        ax = ss.plot.cut(ss.phase_diagram(PAIR, {"detuning": axis}), variable="phase_difference")
        low, high = ax.get_ylim()
        ticks = [(tick.get_loc(), tick.label1.get_text()) for tick in ax.yaxis.get_major_ticks()]
        assert len(ticks) >= 3
        assert all(low <= at <= high and ("π" in text or text == "0") for at, text in ticks)
    ax = ss.plot.cut(ss.phase_diagram(ONE, {"theta": np.linspace(-1.25, -1.1, 4)}))
    assert sum("π" in text.get_text() for text in ax.get_xticklabels()) >= 3


def test_numbers_have_minus_signs_and_no_hyphens():
    apart = ss.phase_diagram(PAIR, {"detuning": np.linspace(-20, 20, 5), "coupling": np.geomspace(1e-4, 1e3, 8)})
    sweep = ss.phase_diagram(ONE, {"coupling": np.geomspace(1e-7, 1e7, 8)})
    few = [ss.emission_spectrum(ONE, np.linspace(-5000, 5000, 11), theory=ss.Exact(n)) for n in (2, 4)]
    for ax in (ss.plot.phase_diagram(apart), ss.plot.cut(sweep), ss.plot.spectra(few),
               ss.plot.phase_difference(ss.evolve(PAIR, np.linspace(0, 2, 21)))):  # fmt: skip
        ax.figure.canvas.draw()
        texts = [text.get_text() for text in ax.figure.findobj(Text)]
        assert any("−" in text or "{-" in text for text in texts)
        assert not any("-" in text.replace("phase-trapped", "") and "$" not in text for text in texts), texts
