"""Figures of the report: every panel has a letter that its caption names, and every line and marker is in a legend."""

import re
from importlib import import_module
from string import ascii_lowercase

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_hex

import spinsync as ss
from spinsync.interfaces.paper import diagram, engineering, one_spin, plateau, random_starts, reproduction
from spinsync.interfaces.paper.equations import EQUATIONS, NUMBER, linked
from spinsync.interfaces.paper.panels import add_legend, add_letters, circle_key, key, listed

WHITE = "#ffffff"


def panels(figure):
    return [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]


def line_style(line):
    """Colour and dashes of a line; None if it has none, is white (a halo) or has no points."""
    if line.get_linestyle() in ("None", "", " ") or to_hex(line.get_color()) == WHITE:
        return None
    return to_hex(line.get_color()), str(line._unscaled_dash_pattern[1])


def marker_style(line):
    """Shape and colours of a marker; None if there is none. A white edge is a halo."""
    shape = line.get_marker()
    if shape in ("None", "", " ", None):
        return None
    edge, face = to_hex(line.get_markeredgecolor()), to_hex(line.get_markerfacecolor())
    return shape, face if edge == WHITE else edge, "" if shape == "x" else face


def drawn(ax):
    """Styles of all lines and markers in a panel; without the axes of a sphere, which bear their names."""
    shown = [line for line in ax.lines if len(line.get_xdata())]
    lines = {line_style(line) for line in shown} if ax.axison else set()
    return (lines | {marker_style(line) for line in shown}) - {None}


def explained(figure):
    """Styles in the legends of a figure."""
    legends = [*figure.legends, *(ax.get_legend() for ax in panels(figure) if ax.get_legend())]
    handles = [handle for legend in legends for handle in legend.legend_handles if hasattr(handle, "get_marker")]
    return {style(handle) for handle in handles for style in (line_style, marker_style)} - {None}


def named(caption):
    """Letters that a caption names, "(a) to (c)" included."""
    ranges = re.sub(
        r"\((\w)\) to \((\w)\)",
        lambda found: "".join(f"({x})" for x in ascii_lowercase if found[1] <= x <= found[2]),
        caption,
    )
    return set(re.findall(r"\(([a-z])\)", ranges))


def faults(figure, caption):
    """What a referee would complain about."""
    shown = panels(figure)
    letters = [f"({letter})" for letter in ascii_lowercase[: len(shown)]] if len(shown) > 1 else [""]
    found = []
    if [ax.get_title(loc="left") for ax in shown] != letters:
        found.append("letters")
    if named(caption) != {letter[1:-1] for letter in letters if letter}:
        found.append("caption")
    sentences = re.split(r"(?<=\.)\s+(?=[^a-z])", re.sub(r"<[^>]*>", "", caption))
    if any(sentence.count(":") > 1 for sentence in sentences):
        found.append("colons")
    for ax in shown:
        if drawn(ax) - explained(figure):
            found.append("legend")
        if "rate)" in ax.get_xlabel() + ax.get_ylabel():
            found.append("unit")
    return found


@pytest.mark.parametrize("module", reproduction.CHAPTERS.values())
def test_every_panel_has_a_letter_and_every_line_is_explained(module):
    with ss.plot.style():
        chapter = import_module(f"spinsync.interfaces.paper.{module}").chapter(True, lambda fraction: None)
    try:
        assert set(chapter.figures) == set(chapter.captions)
        for name, figure in chapter.figures.items():
            assert faults(figure, chapter.captions[name]) == [], name
        cited = " ".join([chapter.text, *chapter.captions.values(), *(claim.claim + claim.why for claim in chapter.claims)])
        assert set(NUMBER.findall(cited)) <= set(EQUATIONS)
        assert all(claim.holds for claim in chapter.claims)
    finally:
        plt.close("all")


def _figure(letters=True, dashes="--", marker="white", label="time  $\\gamma t$"):
    figure, axes = plt.subplots(1, 2)
    axes[0].plot([0, 1], [0, 1], "--", color="black")
    axes[1].plot([0, 1], [0, 1], "o", mec="black", mfc=marker)
    axes[1].set_xlabel(label)
    if letters:
        add_letters(axes)
    add_legend(figure, key("dashed", ls=dashes), circle_key("circle", color="black"))
    return figure


@pytest.mark.parametrize(
    ("changes", "caption", "expected"),
    [
        ({}, "(a) One, (b) the other.", []),
        ({}, "(a) to (b) Both.", []),
        ({}, "(a) One: a line. (b) The other: a circle.", []),
        ({}, "(a), (b) In both: Lines: 2.", ["colons"]),
        ({"letters": False}, "(a), (b)", ["letters"]),
        ({}, "(a) The left one.", ["caption"]),
        ({}, "(a), (b) and (c).", ["caption"]),
        ({"dashes": ":"}, "(a), (b)", ["legend"]),
        ({"marker": "black"}, "(a), (b)", ["legend"]),
        ({"label": "time  $t$  (1/rate)"}, "(a), (b)", ["unit"]),
    ],
)
def test_faults_of_a_figure_are_found(changes, caption, expected):
    figure = _figure(**changes)
    try:
        assert faults(figure, caption) == expected
    finally:
        plt.close(figure)


def regimes(codes, **axes):
    """A diagram with nothing but these regimes; the first axis is the first of the codes."""
    return xr.Dataset({"regime": (list(axes), np.array(codes, np.int8))}, axes)


def test_captions_name_the_regimes_that_are_drawn():
    words = {ss.Regime.INCOHERENT: "dark", ss.Regime.PARTIAL: "drifting", ss.Regime.IRREGULAR: "irregular"}
    drawn = {(1, 2): "", (0, 1): "dark", (0, 3): "dark or drifting", (4, 3, 0): "dark, drifting or irregular"}
    assert [listed(words, regimes(codes, detuning=range(len(codes)))) for codes in drawn] == list(drawn.values())
    upper_right = {(1, 3): "", (1, -1): "; cross: undecided", (2, -1): "is also phase-trapped; cross: undecided",
                   (3, 2, 4): "is also phase-trapped or irregular"}  # fmt: skip
    for codes, told in upper_right.items():
        assert engineering._upper_right(regimes(codes, detuning=range(len(codes)))).endswith(told)
        assert ("cross" in told) == (-1 in codes)


def test_captions_tell_what_the_grid_resolves():
    axes = {"cross_coupling": [0.1, 0.4, 0.7], "detuning": [-0.1, 0.0, 0.1]}
    narrow, wide = [[3, 2, 3], [3, 2, 3], [3, 1, 3]], [[3, 1, 3], [3, 1, 3], [1, 1, 1]]
    told = engineering._strip(regimes(narrow, **axes))
    assert "over its whole height" in told
    assert "= 0.4γ approach" in told
    told = engineering._strip(regimes(wide, **axes))
    assert "in its lower part" in told
    assert "phase-trapped" not in told
    assert plateau._end(regimes([1, 1, 3, 3], detuning=[4.0, 4.3, 4.6, 4.9])) == "between 4.3γ and 4.6γ"


def test_equations_become_links_and_unknown_ones_are_errors():
    assert linked("by (4.5), twice") == 'by <a href="#eq-4.5" title="Critical coupling">(4.5)</a>, twice'
    with pytest.raises(KeyError):
        linked("by (4.99) and (0.1)")


def test_closed_forms_over_a_grid_are_those_of_one_point():
    v, r = np.array([1.0, 7.0, 15.0]), np.array([0.0, 0.4, 3.0, 11.0])
    for theta in (-1.3, -0.4, 0.9):
        critical, amplitude = diagram.closed_forms(theta, v, r)
        for i, gain in enumerate(r.tolist()):
            one = ss.Ensemble.single(gain=gain, damping=1.0, coupling=1.0, theta=theta)
            np.testing.assert_allclose(critical[i, 0], ss.critical_coupling(one), rtol=1e-14)
            expected = [float(ss.limit_cycle(one.replace(coupling=strength)).amplitude) for strength in v.tolist()]
            np.testing.assert_allclose(amplitude[i], expected, rtol=1e-12, atol=1e-12)


def test_a_start_is_turned_by_its_angle_and_vectors_are_independent_of_their_number(monkeypatch):
    m = random_starts.random_vectors(1)
    turned = random_starts.turned(m, 0.3)
    np.testing.assert_allclose((turned[:, 0] + 1j * turned[:, 1]) / (m[:, 0] + 1j * m[:, 1]), np.exp(0.3j), rtol=1e-12)
    np.testing.assert_array_equal(turned[:, 2], m[:, 2])
    monkeypatch.setattr(random_starts, "SPINS", 3)
    np.testing.assert_array_equal(random_starts.random_vectors(1), m[:3])


def test_the_quadrature_over_the_polar_angle_integrates_a_husimi_function():
    run = ss.evolve(one_spin.ONE, [0.0], initial=[[0.3, 0.4, -0.2]]).isel(time=0)
    husimi = ss.husimi(run, np.arccos(one_spin.COSINES[::-1]), one_spin.AZIMUTH)
    density = 1 / (2 * np.pi) + (0.3 * np.cos(one_spin.AZIMUTH) + 0.4 * np.sin(one_spin.AZIMUTH)) / 8  # (8.3)
    np.testing.assert_allclose(one_spin.over_polar_angle(husimi), density, atol=0.0625 * one_spin.NODES**-3)
