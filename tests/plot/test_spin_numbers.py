"""Figures over the number of spins: results, mean-field limits in black, and errors for other results."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex

import spinsync as ss
from error_cases import case_names
from spinsync.plot.appearance import COLOURS

LASER = ss.Ensemble.single(gain=0.6, damping=0.1, coupling=0.9, theta=-1.2, frequency=0.4)
INCOHERENT = LASER.replace(coupling=0.2)
PAIR = ss.Ensemble.pair(detuning=1.0, gain=(3.0, 4.0), damping=1.0, coupling=16.0, theta=-np.pi / 2)
NUMBERS = (40, 6, 12)  # not sorted


def steady_states(model, numbers=NUMBERS):
    return [ss.steady_state(model, theory=ss.Exact(n)) for n in numbers]


def linewidth_results(model, numbers=NUMBERS):
    return [ss.linewidth(model, theory=ss.Exact(n)) for n in numbers]


def circles(ax):
    return [drawn.get_xydata() for drawn in ax.lines if drawn.get_marker() == "o" and len(drawn.get_xdata()) > 1]


def limits(ax):
    """The dots at 1/N = 0."""
    return [tuple(drawn.get_xydata()[0]) for drawn in ax.lines if drawn.get_marker() == "o" and len(drawn.get_xdata()) == 1]


@pytest.mark.parametrize("concatenated", [False, True])
def test_steady_states_against_one_over_n_with_the_mean_field_value_as_limit(concatenated):
    states = steady_states(LASER)
    given = xr.concat(states, "spins") if concatenated else states
    for name, symbol in (("order_parameter", "$R$"), ("inversion", "$z$")):
        ax = ss.plot.finite_size(given, variable=name, color="#123456", label="laser")
        (drawn,) = circles(ax)
        expected = sorted((1 / n, float(state[name].squeeze())) for n, state in zip(NUMBERS, states, strict=True))
        np.testing.assert_array_equal(drawn[::-1], expected)
        ((x, y),) = limits(ax)
        assert x == 0
        assert y == pytest.approx(float(ss.steady_state(LASER)[name].squeeze()), abs=1e-6)
        assert ax.get_xlim()[0] == 0
        assert (ax.get_xlabel(), symbol in ax.get_ylabel()) == ("$1/N$", True)
        assert ax.get_legend_handles_labels()[1] == ["laser", "mean field"]
        assert to_hex(ax.lines[0].get_color()) == "#123456"


def test_the_order_parameter_is_drawn_by_default():
    states = steady_states(LASER)
    (drawn,) = circles(ss.plot.finite_size(iter(states)))
    np.testing.assert_array_equal(sorted(drawn[:, 1]), sorted(float(state.order_parameter) for state in states))


@pytest.mark.parametrize("model", [LASER, INCOHERENT])
def test_frequencies_approach_that_of_many_spins(model):
    lines = linewidth_results(model, (6, 12, 400))
    ax = ss.plot.finite_size(lines, variable="frequency")
    (drawn,) = circles(ax)
    np.testing.assert_array_equal(drawn[:, 1], [float(one.frequency) for one in lines])
    ((_, limit),) = limits(ax)
    assert limit == pytest.approx(drawn[-1, 1], abs=3 / 400)  # of order 1/N
    assert abs(limit - 0.4) > 0.05  # it is not the natural frequency
    assert "(rate)" in ax.get_ylabel()


def test_each_group_has_a_colour_a_label_and_a_limit():
    states, field = steady_states(PAIR, (4, 8)), ss.steady_state(PAIR)
    ax = ss.plot.finite_size(states, variable="inversion")
    for i, (drawn, (_, limit)) in enumerate(zip(circles(ax), limits(ax), strict=True)):
        np.testing.assert_array_equal(drawn[:, 1], [state.inversion[i] for state in states])
        assert limit == pytest.approx(float(field.inversion[i]), abs=1e-9)
    lines = [one for one in ax.lines if one.get_label().startswith("group")]
    assert [one.get_label() for one in lines] == ["group A", "group B"]
    assert [one.get_color() for one in lines] == list(COLOURS[:2])
    ax = ss.plot.finite_size(states)  # of the whole ensemble
    ((_, limit),) = limits(ax)
    assert limit == pytest.approx(float(field.order_parameter), abs=1e-9)


def test_groups_without_a_common_fixed_point_have_no_limit():
    ax = ss.plot.finite_size(steady_states(PAIR.replace(detuning=20.0), (4, 8)))
    assert np.isnan(limits(ax)).sum() == 1
    assert np.isfinite(circles(ax)).all()


def test_linewidths_and_the_asymptote_of_many_spins():
    for model, slope in ((LASER, -1), (INCOHERENT, 0)):
        lines = linewidth_results(model, (200, 50, 400))
        ax = ss.plot.linewidths(lines, color="#123456", label="here")
        drawn, asymptote = (one.get_xydata() for one in ax.lines)
        assert (to_hex(ax.lines[0].get_color()), ax.get_legend_handles_labels()[1]) == ("#123456", ["here", "many spins"])
        np.testing.assert_array_equal(drawn, sorted((int(one.spins), float(one.linewidth)) for one in lines))
        np.testing.assert_array_equal(asymptote[:, 0], drawn[:, 0])
        np.testing.assert_allclose(np.diff(np.log(asymptote[:, 1])) / np.diff(np.log(asymptote[:, 0])), slope, atol=1e-12)
        off = drawn[:, 1] / asymptote[:, 1] - 1
        assert abs(off[2] / off[1]) < 0.6  # corrections are of order 1/N
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("number of spins  $N$", r"linewidth, FWHM  $\Delta\nu$  (rate)")
        assert to_hex(ax.lines[1].get_color()) == "#000000"


def test_an_asymptote_far_outside_does_not_change_the_limits():
    close = LASER.replace(coupling=1.0001 * ss.critical_coupling(LASER))
    ax = ss.plot.linewidths(linewidth_results(close))
    drawn, asymptote = (one.get_ydata() for one in ax.lines)
    assert max(asymptote) > 100 * max(drawn)
    assert ax.get_ylim()[1] < 2 * max(drawn)
    ss.plot.linewidths(linewidth_results(close.replace(gain=20.0)), ax)
    assert ax.get_ylim()[1] > max(ax.lines[2].get_ydata())


def test_linewidths_of_several_groups_have_no_asymptote():
    assert len(ss.plot.linewidths(linewidth_results(PAIR, (2, 4))).lines) == 1


def test_spectra_are_divided_by_the_square_of_the_number_of_spins():
    light = [ss.emission_spectrum(LASER, np.linspace(-1, 1, 9 + n), theory=ss.Exact(n)) for n in NUMBERS]
    ax = ss.plot.spectra(light)
    for drawn, one in zip(ax.lines, sorted(light, key=lambda one: int(one.spins)), strict=False):
        np.testing.assert_allclose(drawn.get_xydata(), np.stack([one.frequency, one.emission / int(one.spins) ** 2], axis=1))
        assert drawn.get_label() == f"$N={int(one.spins)}$"
    assert len(ax.lines) == 4
    assert ax.lines[3].get_xdata()[0] == pytest.approx(float(ss.limit_cycle(LASER).frequency))
    lightness = [sum(plt.matplotlib.colors.to_rgb(drawn.get_color())) for drawn in ax.lines[:3]]
    assert lightness == sorted(lightness, reverse=True)  # darker for more spins, distinct in greyscale
    assert np.diff(lightness).max() < -0.3
    assert "(rate)" in ax.get_xlabel()
    assert "S(\\nu)/N^2" in ax.get_ylabel()
    assert "(1/rate)" in ax.get_ylabel()


def test_an_incoherent_ensemble_has_no_mean_field_line():
    assert len(ss.plot.spectra([ss.emission_spectrum(INCOHERENT, [0.0, 1.0], theory=ss.Exact(4))]).lines) == 1


def test_given_axes_are_used_and_returned():
    _, ax = plt.subplots()
    light = ss.emission_spectrum(LASER, [0.0, 1.0], theory=ss.Exact(4))
    assert ss.plot.finite_size(steady_states(LASER, (4,)), ax) is ax
    assert ss.plot.linewidths(linewidth_results(LASER, (4,)), ax) is ax
    assert ss.plot.spectra(light, ax) is ax  # a single result is allowed


BAD = [
    (lambda: ss.plot.finite_size(steady_states(LASER, (4,)), variable="linewidth"),
     "Argument `variable` must be one of order_parameter, inversion, frequency, but is variable='linewidth'."),
    (lambda: ss.plot.finite_size([]), "Argument `results` must hold at least one result, but is empty."),
    (lambda: ss.plot.finite_size(7), "Argument `results` must be results of steady_state, but is results=7."),
    (lambda: ss.plot.finite_size([1]), "Argument `results` must be of steady_state, but one is of int."),
    (lambda: ss.plot.finite_size([xr.Dataset()]), "Argument `results` must be of steady_state, but one is of unknown origin."),
    (lambda: ss.plot.finite_size(steady_states(LASER, (4,)), variable="frequency"),
     "Argument `results` must be of linewidth, but one is of steady_state."),
    (lambda: ss.plot.finite_size([ss.steady_state(LASER)]),
     "Argument `results` must be of finite numbers of spins, but one is of mean field."),
    (lambda: ss.plot.linewidths(linewidth_results(LASER, (4,)) + linewidth_results(INCOHERENT, (5,))),
     "Argument `results` must be of one ensemble, but are of 2."),
    (lambda: ss.plot.linewidths(linewidth_results(LASER, (4, 4))),
     "Argument `results` must be of different numbers of spins, but two are of the same."),
    (lambda: ss.plot.spectra(linewidth_results(LASER, (4,))),
     "Argument `results` must be of emission_spectrum, but one is of linewidth."),
    (lambda: ss.plot.spectra([ss.emission_spectrum(LASER, [0.0], theory=ss.Exact(4))], 3),
     "Argument `ax` must be matplotlib axes, but is ax=3."),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), BAD, ids=case_names(__file__, "BAD"))
def test_results_that_do_not_fit_are_errors(call, message):
    with pytest.raises(ss.InputError) as caught:
        call()
    assert str(caught.value) == message
