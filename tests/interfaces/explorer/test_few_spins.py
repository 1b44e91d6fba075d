"""Few spins: words, limit and code follow from the laws of the library."""

import numpy as np
import pytest
import xarray as xr

import spinsync as ss
from explorer_views import page, plain, preset
from spinsync.interfaces.explorer import few_spins
from spinsync.interfaces.explorer.controls import FEW, SPINS, starts


def of(**changes):
    return starts(FEW, **changes)


def said(values):
    c = few_spins.correlation(few_spins.ensemble(values), int(values["N"]))
    return plain(few_spins.words(values, few_spins.line(values), c))


def test_few_spins_in_words():
    values = of(N=30)
    theory = ss.Exact(30)
    width = float(ss.linewidth(few_spins.ensemble(values), theory=theory).linewidth)
    c = float(ss.steady_state(few_spins.ensemble(values), theory=theory).correlation[0, 0].real)
    assert f"c = {c:.3f}" in said(values)
    assert f"{width:.2f} wide" in said(values)
    assert "Infinitely many spins synchronize: c = R²/4 = 0.029, a line at ν = −0.20 and no width" in said(values)
    assert "Infinitely many spins stay incoherent here" in said(of(V=0.8))


@pytest.mark.parametrize("changes", [{}, {"N": 60}, {"V": 0.0}, {"theta": 0.5, "N": 2}])
def test_words_keep_their_height(changes):
    values = of(**changes)
    for words in (said(values), plain(few_spins.first_words(values))):
        assert 80 < len(words) <= 4 * 76, words
        assert "-" not in words


def test_a_negative_correlation_is_said():
    values = of(N=2)
    assert few_spins.correlation(few_spins.ensemble(values), 2) < 0
    assert "c = −0." in said(values)
    assert "they tend to point opposite ways" in said(values)
    assert "they tend to point the same way" in said(of())
    assert "c = 0.000: they know nothing of each other" in said(of(V=0.0))


def test_the_frequency_of_the_light_is_relative_to_a_spin_alone():
    """A few spins without coupling emit at their own frequency, nu = 0."""
    assert float(few_spins.line(of(V=0.0)).frequency) == pytest.approx(0, abs=1e-9)
    assert "a line at ν = 0.00 relative to a spin alone" in said(of(V=0.0))


def test_few_spins_may_be_more_correlated_below_the_threshold_and_many_are_not():
    told = "With few, c may even be larger than above the threshold."
    assert told in said(of(V=0.8))
    assert told not in said(of())
    assert told not in said(of(theta=0.4))  # no coupling synchronizes there
    below, above = (few_spins.ensemble(of(V=v)) for v in (0.8, 3.0))
    assert few_spins.correlation(below, 20) > 1.5 * few_spins.correlation(above, 20)
    assert few_spins.correlation(below, 200) < 0.5 * few_spins.correlation(above, 200)


def test_the_limit_is_reached_as_the_number_grows():
    """c(N) -> |s|^2, with a difference that falls as 1/N."""
    values = of()
    model, limit = few_spins.ensemble(values), few_spins.limit(values)
    away = [abs(few_spins.correlation(model, n) - limit) * n for n in (100, 200, 400)]
    z = 0.5 / (3 * np.sin(0.38 * np.pi))  # (4.2)
    assert limit == pytest.approx(z * (0.5 - z) / 2, rel=1e-12)  # (4.4) with Gamma_1 = 1, Gamma_perp = 1/2
    assert away[2] == pytest.approx(away[1], rel=0.05)
    assert few_spins.limit(of(V=0.8)) == 0


@pytest.mark.parametrize("name", list(page("few")["presets"]))
def test_presets_of_few_spins_keep_their_word(name):
    values = preset("few", name)
    width = float(few_spins.line(values).linewidth)
    c = few_spins.correlation(few_spins.ensemble(values), int(values["N"]))
    claims = {
        "Two spins": values["N"] == 2,
        "A narrow line": values["N"] == SPINS.high and width < 0.5 * float(few_spins.line(of()).linewidth),
        "Below the threshold": values["V"] < ss.critical_coupling(few_spins.ensemble(values)),
        "Against each other": c < 0,
    }
    assert claims[name]


@pytest.mark.parametrize("changes", [{"N": 12, "theta": -0.4, "V": 2.5}, {"N": 20, "dephasing": 0.2, "r": 0.7}])
def test_code_of_few_spins_makes_the_view_again(changes, executed):
    values = of(**changes)
    names, printed = executed(few_spins.code(values), "spinsync-few-spins.png")
    xr.testing.assert_identical(names["light"], few_spins.light(values))
    assert f"width {float(few_spins.line(values).linewidth):.6f}" in printed
    assert few_spins.limit(preset("few", "Two spins")) == few_spins.limit(of())
