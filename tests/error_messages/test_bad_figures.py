"""Error messages of figures that tests/plot does not cover."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import spinsync as ss
from error_cases import case_names, check_message
from systems import laser, pair

ONE, TWO, T = laser(), pair(1.0, 16.0), [0.0, 1.0]

LEVELS = ss.compare(ONE, T, theories=[ss.MeanField(), ss.Exact(2)])

CASES = [
    (
        lambda: ss.plot.compare(ss.evolve(ONE, T)),
        "Argument `dataset` must be a result of compare, but is one of evolve.",
    ),
    (lambda: ss.plot.compare(3), "Argument `dataset` must be a result of compare, but is dataset=3."),
    (
        lambda: ss.plot.compare(LEVELS, variable="coherence"),
        "Argument `variable` must be one of order_parameter, inversion, but is variable='coherence'.",
    ),
    (
        lambda: ss.plot.compare(LEVELS, plt.subplots()[1]),
        "Argument `variable` must be order_parameter or inversion where `ax` is given, but is None.",
    ),
    (lambda: ss.plot.compare(LEVELS.drop_vars("inversion")), "Argument `dataset` must hold inversion, but holds none."),
    (
        lambda: ss.plot.compare(LEVELS.isel(theory=0)),
        "Argument `dataset` must hold theories over time in order_parameter, but has dims ('time',).",
    ),
    (
        lambda: ss.plot.compare(LEVELS.drop_vars("theory")),
        "Argument `dataset` must name its theories and their status over time, but is altered.",
    ),
    (
        lambda: ss.plot.compare(LEVELS.assign(inversion_error=LEVELS.inversion.T)),
        "Argument `dataset` must hold theories over time in inversion_error, but has dims ('group', 'time', 'theory').",
    ),
    (
        lambda: ss.plot.compare(LEVELS.isel(time=[])),
        "Argument `dataset` must hold something in order_parameter, but has (theory: 2, time: 0).",
    ),
    (
        lambda: ss.plot.bloch_sphere(ss.evolve(ONE, T), azimuth=np.nan),
        "Argument `azimuth` must be finite, but is azimuth=nan.",
    ),
    (lambda: ss.plot.phases(ss.evolve(ONE, T), frame="mean"), "Argument `frame` must be a real number, but is frame='mean'."),
    (
        lambda: ss.plot.phase_difference(ss.evolve(TWO, T), groups=("A",)),
        "Argument `groups` must be two names that differ, but is groups=('A',).",
    ),
    (
        lambda: ss.plot.phase_difference(ss.evolve(TWO, T), groups="AB"),
        "Argument `groups` must be two names that differ, but is groups='AB'.",
    ),
    (
        lambda: ss.plot.beat_spectrum(ss.evolve(TWO, np.linspace(0, 9, 300)), frequencies=(3,)),
        "Argument `frequencies` must be two numbers, but is frequencies=(3,).",
    ),
    (
        lambda: ss.plot.beat_spectrum(ss.evolve(TWO, np.linspace(0, 9, 300)), frequencies=(5, -5)),
        "Argument `frequencies` must increase, but has 5 before -5.",
    ),
    (
        lambda: ss.plot.frequency(ss.phase_diagram(TWO, {"detuning": [1, 2]}), difference="yes"),
        "Argument `difference` must be True or False, but is difference='yes'.",
    ),
]


@pytest.mark.parametrize(("call", "message"), CASES, ids=case_names(__file__, "CASES"))
def test_error_message(call, message):
    check_message(call, message)
