"""Beat spectra: lines are at the frequencies of a run, as strong as its groups are."""

import numpy as np
import pytest

import spinsync as ss
from plot_cases import PAIR, TIMES, WEAK
from spinsync.plot.beats import spectrum
from systems import laser


def test_a_spectral_line_is_at_its_frequency_without_leakage():
    time = 0.05 * np.arange(2000)
    for omega in (3.0, -7.123):
        power, frequencies = spectrum(np.exp(-1j * omega * time), 0.05)
        step = frequencies[1] - frequencies[0]
        assert abs(frequencies[np.argmax(power)] - omega) <= step
        lobe = 4 * 2 * np.pi / 100  # half of the window's main lobe
        assert power[abs(frequencies - omega) > lobe].max() < 10**-9.2 * power.max()


def test_spectrum_of_a_run_has_lines_at_its_frequencies():
    fast = laser().replace(frequency=5.0)
    (line,) = ss.plot.beat_spectrum(ss.evolve(fast, np.linspace(0, 100, 4001))).lines
    x, y = line.get_xydata().T
    assert x[np.argmax(y)] == pytest.approx(5.0, abs=0.03)  # resolution: a quarter of 2 pi / 50
    assert y.max() == 0
    apart = PAIR.replace(detuning=16.0)
    a, b = ss.regime(apart).frequency.values
    ax = ss.plot.beat_spectrum(ss.evolve(apart, np.linspace(0, 200, 16001)), skip=0.75, frequencies=(-30.0, 30.0))
    x, y = ax.lines[0].get_xydata().T
    strong = x[1:-1][(y[1:-1] > y[:-2]) & (y[1:-1] > y[2:]) & (y[1:-1] > -40)]
    np.testing.assert_allclose(strong, [b + (b - a), b, a, a + (a - b)], atol=0.05)  # a comb with the beat frequency
    assert ax.get_xlim() == (-30, 30)
    assert "dB" in ax.get_ylabel()


def test_spectrum_has_weighted_groups_in_decibel():
    run = ss.evolve(WEAK, np.linspace(0, 100, 4001))
    time = run.time.values
    run.coherence[:] = np.stack([np.exp(-2j * time), 0.1 * np.exp(3j * time)], axis=1)  # lines at 2 and -3
    x, y = ss.plot.beat_spectrum(run, frequencies=(-5.0, 5.0)).lines[0].get_xydata().T
    level = [y[abs(x - omega) < 0.1].max() for omega in (2.0, -3.0)]
    np.testing.assert_allclose(level, [0, 20 * np.log10(0.1 * 0.6 / 0.4)], atol=0.1)  # error 0.1: between two frequencies


def test_spectrum_does_not_use_the_start():
    runs = ss.evolve(laser().replace(frequency=5.0), np.linspace(0, 100, 4001))
    jumped = runs.copy(deep=True)
    jumped.coherence[:2000] = 1j  # another line in the first half
    for skip, same in ((0.5, True), (0.4, False)):
        lines = [ss.plot.beat_spectrum(r, skip=skip, frequencies=(-6, 6)).lines[0].get_ydata() for r in (runs, jumped)]
        assert np.allclose(*lines) == same


def test_a_spectrum_needs_enough_equally_spaced_times():
    short = ss.evolve(laser(), TIMES)
    with pytest.raises(ss.InputError, match="`run` must have equally spaced times for a spectrum, but its time steps differ"):
        ss.plot.beat_spectrum(ss.evolve(laser(), np.geomspace(1, 50, 400)))
    with pytest.raises(ss.InputError, match="`run` must leave at least 64 times for a spectrum, but leaves 26"):
        ss.plot.beat_spectrum(short)
    with pytest.raises(ss.InputError, match=r"`skip` must be at least 0 and below 1, but is skip=1\.0"):
        ss.plot.beat_spectrum(short, skip=1.0)
    with pytest.raises(ss.InputError, match="`skip` must be non-negative"):
        ss.plot.beat_spectrum(short, skip=-0.1)
    with pytest.raises(ss.InputError, match="`run` must be a result of evolve that holds coherence over time"):
        ss.plot.beat_spectrum(ss.steady_state(laser()))
