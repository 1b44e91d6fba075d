"""Error messages of runs that cannot be finished or begun."""

import re
from functools import partial

import numpy as np
import pytest

import spinsync as ss
from spinsync.base import memory
from spinsync.problems.flow import record
from spinsync.problems.linear.states import check_trace
from spinsync.questions.errors import error_messages
from systems import HALF_PI, laser

T = [0.0, 1.0]


def test_too_many_steps(monkeypatch):
    monkeypatch.setattr(record, "MOST_STEPS", 9)
    with pytest.raises(ss.IntegrationError) as caught:
        ss.evolve(laser(), [0.0, 1e3])
    assert str(caught.value) == "The run was stopped after 9 steps: shorten `times`, loosen `rtol`, or choose slower rates."


def test_too_small_steps():
    with pytest.raises(ss.IntegrationError) as caught:
        ss.evolve(laser(coupling=1e300), T)
    assert str(caught.value) == "The step size fell to zero after 0 steps: the rates are too large for double precision."


def test_no_steady_state():
    with pytest.raises(ss.IntegrationError) as caught:
        ss.steady_state(ss.Ensemble.pair(detuning=20, gain=3, damping=1, coupling=16, theta=-HALF_PI))
    assert str(caught.value) == (
        "The ensemble still moves after a time of 5000: it has no steady state in a common rotating frame, "
        "or is too close to a threshold; `regime` tells more, `evolve` shows the motion."
    )


def test_a_point_without_relaxation_fails_alone():
    diagram = ss.phase_diagram(laser(damping=0.0), {"gain": [0.0, 1.0]})
    assert diagram.status.values.tolist() == [3, 0]
    assert np.isnan(diagram.amplitude[0, 0])
    assert not diagram.settled[0]


def test_steady_states_that_are_not_unique_are_refused():
    """Without single-spin noise collective decay has dark states; without any noise every population is conserved."""
    for degenerate in (laser(gain=0.0, damping=0.0), laser(gain=0.0, damping=0.0, coupling=0.0, dephasing=1.0)):
        for spins in (2, 4):
            with pytest.raises(ss.InputError, match="must have one steady state, but has several: the initial state decides"):
                ss.steady_state(degenerate, theory=ss.BruteForce(spins))
            for ask in (ss.steady_state, ss.entropy):
                with pytest.raises(
                    ss.InputError, match="must have one steady state, but has several: the initial state decides"
                ):
                    ask(degenerate, theory=ss.Exact(spins))


def test_rates_beyond_double_precision_are_refused():
    huge = laser(coupling=1e300)
    for question in (partial(ss.evolve, times=T), ss.steady_state):
        with pytest.raises(ss.IntegrationError, match="the rates are too large for double precision"):
            question(huge)
    with pytest.raises(ss.IntegrationError, match="too large for double precision"):
        ss.evolve(huge, T, theory=ss.BruteForce(2))
    for lost in (np.nan, 0.999):
        message = "The trace of the density matrix was lost: the rates are too large"
        with pytest.raises(ss.IntegrationError, match=message), error_messages(ss.Exact(2)):
            check_trace(lost, {})
    for question in (partial(ss.evolve, times=T), ss.steady_state, ss.linewidth, partial(ss.emission_spectrum, frequencies=T)):
        with pytest.raises(ss.IntegrationError, match="too large for double precision"):
            question(laser(coupling=1e308, theta=-1.0), theory=ss.Exact(40))
    for fast in (laser(gain=1e307, damping=1e307), laser(gain=1e307, damping=1e307).split(2)):
        for question in (partial(ss.evolve, times=T), ss.steady_state):
            with pytest.raises(ss.IntegrationError, match="too large for double precision"):
                question(fast, theory=ss.Trajectories(1000))


def test_requests_beyond_memory_are_refused_with_an_estimate(monkeypatch):
    """Before memory is allocated, with a number of spins that fits."""
    monkeypatch.setattr(memory, "available", lambda: 2.0**27)
    for ask, spins in ((ss.steady_state, 6000), (partial(ss.evolve, times=T), 1500), (ss.linewidth, 4000)):
        with pytest.raises(ss.InputError) as caught:
            ask(laser(), theory=ss.Exact(spins))
        found = re.fullmatch(
            r"Argument `spins` must be at most about (\d+) for this question and this machine, but is spins=(\d+): "
            r"it would take about ([\d.]+) GiB of memory, and 0.12 may be used.",
            str(caught.value),
        )
        assert 100 < int(found[1]) < int(found[2]) == spins
        assert float(found[3]) > 0.125
