"""A diagram of a cavity that does not follow its spins says so: results and closed form agree there, and both are wrong."""

import warnings

import numpy as np
import pytest

import spinsync as ss

OUTSIDE = "outside the bad-cavity limit"
CLOUDS = ss.Ensemble.cavity(
    spins=10**4, vacuum_coupling=0.005, cavity_decay=100.0, gain=2.0, damping=0.1, detuning=0.5, weights=(1, 1)
)
LASER = ss.Ensemble.cavity(spins=10**4, vacuum_coupling=0.005, cavity_decay=100.0, gain=2.0, damping=0.1)
GAINS = {"inside": [1.0, 2.0, 3.0], f"partly {OUTSIDE}": [1.0, 2.0, 30.0], OUTSIDE: [20.0, 25.0, 30.0]}


def marks(ax):
    return [entry for entry in ax.get_legend_handles_labels()[1] if OUTSIDE in entry]


@pytest.mark.parametrize("words", GAINS)
@pytest.mark.parametrize("model", [LASER, CLOUDS], ids=["one cloud", "two clouds"])
def test_a_diagram_outside_the_limit_of_the_eliminated_cavity_is_marked(model, words):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ss.CavityWarning)
        line = ss.phase_diagram(model, {"gain": GAINS[words]})
        plane = ss.phase_diagram(model, {"gain": GAINS[words], "cavity_detuning": [-20.0, 0.0, 20.0]})
    expected = [words] if OUTSIDE in words else []
    drawn = [ss.plot.cut(line), ss.plot.frequency(line), ss.plot.phase_diagram(plane)]
    if len(model.groups) > 1:
        drawn.append(ss.plot.frequency(line, difference=True))
    for ax in drawn:
        assert marks(ax) == expected
        if expected:
            assert words in [text.get_text() for text in ax.get_legend().get_texts()]


def test_the_distance_of_the_clouds_counts_at_every_value_of_the_axis():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ss.CavityWarning)
        apart = ss.phase_diagram(CLOUDS, {"detuning": np.linspace(-40.0, 40.0, 3)})
    assert marks(ss.plot.frequency(apart)) == [f"partly {OUTSIDE}"]


def test_a_model_without_cavity_has_no_mark():
    one = ss.Ensemble.single(gain=300.0, damping=100.0, coupling=1200.0, theta=-np.pi / 2)
    assert not marks(ss.plot.cut(ss.phase_diagram(one, {"coupling": [400.0, 800.0]})))
