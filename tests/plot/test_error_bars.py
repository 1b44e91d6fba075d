"""Error bars of means over realizations."""

import numpy as np
import pytest

import spinsync as ss
from systems import HALF_PI, laser

DRAWN = ss.phase_diagram(
    laser(frequency=ss.Gaussian(0.8)), {"coupling": [6.0, 9.0, 12.0]}, realizations=3, spins=8, seed=2
)  # gain and damping rates 3 and 1


def bars(ax):
    """Lower and upper ends (bar, end) of the bars of each group."""
    return [np.array([path.vertices[:, 1] for path in one.lines[2][0].get_paths()]) for one in ax.containers]


@pytest.mark.parametrize("variable", ["order_parameter", "inversion", "frequency", "lyapunov"])
def test_bars_are_one_standard_error_of_the_mean(variable):
    mean, error = (DRAWN[name].values.reshape(3) for name in (variable, f"{variable}_error"))
    (found,) = bars(ss.plot.cut(DRAWN, variable=variable))
    assert np.all(error > 0)
    np.testing.assert_allclose(found, np.stack([mean - error, mean + error], axis=1), rtol=1e-12)


def test_every_group_has_its_own_bars():
    pair = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=16.0, theta=-HALF_PI)
    wide = pair.replace(**{"A.frequency": ss.Gaussian(0.8, center=0.5)})
    drawn = ss.phase_diagram(wide, {"coupling": [12.0, 16.0]}, realizations=2, spins=6)
    for found, group in zip(bars(ss.plot.cut(drawn, variable="amplitude")), "AB", strict=True):
        one = drawn.sel(group=group)
        np.testing.assert_allclose(found[:, 1] - found[:, 0], 2 * one.amplitude_error, rtol=1e-9)


def test_no_bars_without_realizations():
    plain = ss.phase_diagram(laser(), {"coupling": [6.0, 9.0]})
    assert not ss.plot.cut(plain, variable="lyapunov").containers  # its error is numerical


def test_the_image_of_a_plane_shows_means():
    plane = ss.phase_diagram(
        laser(frequency=ss.Gaussian(0.8)), {"coupling": [6.0, 9.0], "theta": [-1.5, -1.3]}, realizations=2, spins=6
    )
    image = ss.plot.phase_diagram(plane, variable="order_parameter").collections[0]
    np.testing.assert_allclose(np.ravel(image.get_array()), np.ravel(plane.order_parameter.transpose("theta", "coupling")))
    with pytest.raises(ss.InputError, match=r"^Argument `diagram` must hold regime, but has none\.$"):
        ss.plot.phase_diagram(plane, variable="regime")
