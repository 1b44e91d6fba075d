"""Closed forms beside diagrams of a cavity at finite N: of the model that was computed, whose coupling does not follow N."""

import warnings

import numpy as np
import pytest

import spinsync as ss

CAVITY = ss.Ensemble.cavity(spins=10**6, vacuum_coupling=0.15, cavity_decay=4e3, gain=3.0, damping=1.0, cavity_detuning=200.0)
COUPLING = CAVITY.coupling_matrix[0, 0]
SINGLE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=abs(COUPLING), theta=np.angle(COUPLING))


def diagram(ensemble, axes, theory):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the cavity holds other spins
        return ss.phase_diagram(ensemble, axes, theory=theory, linewidth=True)


def lines(ax):
    """Label -> what is drawn, of lines without circles."""
    return {line.get_label(): line.get_xydata() for line in ax.lines if line.get_marker() in ("None", None, "")}


@pytest.mark.parametrize("variable", ["order_parameter", "inversion", "linewidth"])
@pytest.mark.parametrize("theory", [ss.Exact(20), ss.Cumulants(1000)], ids=repr)
def test_the_closed_form_has_the_coupling_of_the_computed_points(variable, theory):
    gains = {"gain": np.linspace(1.5, 4, 6)}
    cavity, single = (lines(ss.plot.cut(diagram(one, gains, theory), variable=variable)) for one in (CAVITY, SINGLE))
    assert set(cavity) == set(single)
    assert cavity.keys() & {"closed form", "many spins"}
    for label, drawn in cavity.items():
        np.testing.assert_allclose(drawn, single[label], rtol=1e-6, atol=1e-9)


def test_the_threshold_of_a_diagram_at_finite_n_is_that_of_mean_field():
    axes = {"gain": np.linspace(1.2, 40, 5), "cavity_detuning": np.linspace(0, 400, 4)}
    few, many = (ss.plot.phase_diagram(d) for d in (diagram(CAVITY, axes, ss.Exact(4)), ss.phase_diagram(CAVITY, axes)))
    shown = [ax.get_legend_handles_labels()[1] for ax in (few, many)]
    assert "threshold" in shown[0]
    assert shown[0] == shown[1]
