"""Scales of axes and colours: logarithmic where the values are spread so, and for the linewidth."""

import numpy as np
import pytest
from matplotlib.colors import LogNorm

import spinsync as ss

ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)


def test_numbers_of_spins_rounded_from_a_constant_ratio_are_on_a_logarithmic_axis():
    laser = ss.Ensemble.cavity(spins=100, vacuum_coupling=0.01, cavity_decay=100.0, gain=0.3, damping=0.01)
    for spins, scale in ((np.rint(np.geomspace(100, 10_000, 7)), "log"), (np.linspace(100, 10_000, 7).round(), "linear")):
        ax = ss.plot.cut(ss.phase_diagram(laser, {"spins": spins}))
        assert ax.get_xscale() == scale


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (np.arange(1.0, 21.0), "linear"), (np.linspace(0.1, 10, 12), "linear"), (np.geomspace(0.1, 10, 12), "log"),
        ([1, 2, 5, 10, 20, 50], "log"), (np.unique(np.rint(np.geomspace(1, 1000, 20))), "log"), ([1.0, 50.0, 100.0], "linear"),
        (np.geomspace(1, 9, 12), "linear"), ([1.0, 4.0, 9.0, 16.0, 25.0], "linear"),
        (np.concatenate([np.linspace(1, 5, 20), np.linspace(6, 30, 5)]), "linear"),
    ],
)  # fmt: skip
def test_the_axis_follows_the_spacing_of_the_values(values, scale):
    ax = ss.plot.cut(ss.phase_diagram(ONE, {"coupling": values}))
    assert ax.get_xscale() == scale


def test_the_linewidth_has_logarithmic_axes_and_colours():
    axes = {"coupling": [2.0, 4.0, 12.0], "gain": [2.0, 3.0]}
    diagram = ss.phase_diagram(ONE, axes, theory=ss.Cumulants(10**6), linewidth=True)
    image = ss.plot.phase_diagram(diagram, variable="linewidth", unit="damping").collections[0]
    assert isinstance(image.norm, LogNorm)
    np.testing.assert_allclose(np.ravel(image.get_array()), diagram.linewidth.transpose("gain", "coupling").values.ravel())
    ax = ss.plot.cut(diagram.isel(gain=1), variable="linewidth", unit=("Hz", 2 * np.pi))
    assert ax.get_yscale() == "log"
    cycle = ss.linewidth(ONE, theory=ss.MeanField(), spins=10**6)
    many = next(line for line in ax.lines if line.get_label() == "many spins")
    assert float(np.interp(12.0, *many.get_data())) == pytest.approx(float(cycle.linewidth) / (2 * np.pi), rel=1e-3)
    assert ax.get_ylim()[0] < float(cycle.linewidth) / (2 * np.pi)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), diagram.linewidth[:, 1] / (2 * np.pi))
    assert ax.get_ylabel() == r"linewidth, FWHM  $\Delta\nu/2\pi$  (Hz)"
    with pytest.raises(ss.InputError, match="Argument `diagram` must hold linewidth, but has none"):
        ss.plot.cut(ss.phase_diagram(ONE, {"coupling": [1.0, 2.0]}), variable="linewidth")
