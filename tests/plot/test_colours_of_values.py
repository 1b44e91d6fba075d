"""Colours of a diagram's values: zero of numbers of both signs is in the middle, and what is undefined is hatched."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import spinsync as ss

ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
AXES = {"coupling": np.linspace(2.0, 12.0, 5), "theta": np.linspace(-2.5, -0.5, 6)}


def image(**options):
    ax = ss.plot.phase_diagram(ss.phase_diagram(ONE.replace(**options), AXES), plt.subplots()[1], variable="frequency")
    return ax, ax.collections[0]


def test_zero_is_in_the_middle_of_numbers_of_both_signs():
    _, mesh = image()
    low, high = mesh.get_clim()
    assert low == -high
    assert high == pytest.approx(np.nanmax(abs(mesh.get_array())))
    red, green, blue, _ = mesh.cmap(0.5)
    assert min(red, green, blue) > 0.95


def test_numbers_of_one_sign_fill_the_map_of_magnitudes():
    _, mesh = image(frequency=100.0)
    assert mesh.cmap.name == ss.plot.COLOURMAP
    assert mesh.get_clim() == (np.nanmin(mesh.get_array()), np.nanmax(mesh.get_array()))


def test_what_is_undefined_is_hatched_and_so_is_its_entry():
    ax, mesh = image()
    assert np.isnan(np.ma.filled(mesh.get_array(), np.nan)).any()
    handles, labels = ax.get_legend_handles_labels()
    entry = handles[labels.index("undefined")]
    assert entry.get_hatch() == ax.patch.get_hatch()
    assert ax.patch.get_hatch()
