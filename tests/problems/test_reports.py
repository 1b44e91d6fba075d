"""Every solver that can take long reports how far it is: growing fractions from 0 to 1, for the progress line."""

import tempfile
from pathlib import Path

import numpy as np
import pytest

import spinsync as ss
from spinsync.base import interrupts, screens
from spinsync.base import progress as module
from spinsync.base.progress import ProgressLine, silence
from spinsync.problems.flow import stepping
from spinsync.problems.linear import record
from spinsync.problems.linear.state_lattice import slowest_mode

TIMES = np.linspace(0.0, 6.0, 31)
UPRIGHT = -np.pi / 2
ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=UPRIGHT)
TILTED = ONE.replace(theta=-1.2)
PAIR = ss.Ensemble.pair(detuning=2.0, gain=3.0, damping=1.0, coupling=12.0, theta=UPRIGHT)
BEATING = PAIR.replace(detuning=8.0, coupling=16.0)
THREE = ss.Ensemble([ss.Group(3, 1, frequency=f) for f in (-1.0, 0.0, 1.0)], np.full((3, 3), -12j))
UNEQUAL = ss.Ensemble([ss.Group(g, 1.0, frequency=f) for g, f in ((2.0, 0.0), (3.0, 1.0), (4.0, 5.0))], np.full((3, 3), -3j))
SAMPLED = ONE.replace(frequency=ss.Samples(np.random.default_rng(0).normal(size=600)))
SMOOTH = ONE.replace(frequency=ss.Lorentzian(0.5))


@pytest.fixture
def reports(monkeypatch):
    """All fractions and texts that reach the line of a call; calls of estimated duration report their beginning."""
    found = []
    report, expect = ProgressLine.report, ProgressLine.expect

    def reported(line, done, text, at_least):
        report(line, done, text, at_least)
        found.append((line._done, text))

    def expected(line, seconds, text, begin, end):
        assert 0 < seconds < 60
        expect(line, seconds, text, begin, end)
        found.append((line._done, text))

    class Hidden:
        def show(self, label, done, status):
            pass

        def close(self):
            pass

    monkeypatch.setattr(screens, "is_watched", lambda: True)
    monkeypatch.setattr(screens, "find_screen", Hidden)
    monkeypatch.setattr(module, "DELAY", 0.0)
    monkeypatch.setattr(ProgressLine, "report", reported)
    monkeypatch.setattr(ProgressLine, "expect", expected)
    return found


def evolve(ensemble, theory, times=TIMES):
    return lambda: ss.evolve(ensemble, times, theory=theory)


def movie():
    with silence():
        run = ss.evolve(ONE, TIMES)
    with tempfile.TemporaryDirectory() as folder:
        ss.plot.movie(run, Path(folder) / "one.gif", size=64, speed=6.0)


@pytest.mark.parametrize(("call", "least"), [
    pytest.param(evolve(BEATING, ss.MeanField(), np.linspace(0, 300, 20)), 20, id="stepping"),
    pytest.param(evolve(SMOOTH, ss.MeanField()), 2, id="stepping with a coarse run"),
    pytest.param(evolve(SAMPLED, ss.MeanField()), 10, id="waveform relaxation"),
    pytest.param(evolve(ONE, ss.Exact(40)), 6, id="shift and invert"),
    pytest.param(evolve(PAIR, ss.Exact(8)), 10, id="Arnoldi"),
    pytest.param(evolve(ONE, ss.TruncatedWigner(20_000, 20)), 2, id="samples of classical spins"),
    pytest.param(evolve(ONE, ss.BruteForce(3), [0.0, 1.0, 3.0, 4.0, 6.0]), 4, id="Taylor series"),
    pytest.param(evolve(ONE, ss.BruteForce(3)), 2, id="Taylor series at equal distances"),
    pytest.param(lambda: ss.steady_state(TILTED, theory=ss.Exact(300)), 1, id="populations in windows"),
    pytest.param(lambda: ss.steady_state(BEATING.replace(theta=-1.2), theory=ss.Exact(16)), 20, id="GMRES"),
    pytest.param(lambda: ss.linewidth(ONE, theory=ss.Exact(100)), 2, id="slowest mode"),
    pytest.param(lambda: ss.linewidth(TILTED, theory=ss.Exact(100)), 4, id="search of frequencies"),
    pytest.param(lambda: ss.linewidth(TILTED, theory=ss.Exact(60), modes=2), 6, id="several lines"),
    pytest.param(lambda: ss.linewidth(PAIR, theory=ss.Exact(12)), 10, id="lines of several groups"),
    pytest.param(lambda: ss.emission_spectrum(TILTED, TIMES, theory=ss.Exact(60)), 4, id="resolvent"),
    pytest.param(lambda: ss.emission_spectrum(PAIR, TIMES, theory=ss.Exact(8)), 100, id="resolvent by GMRES"),
    pytest.param(lambda: ss.photon_statistics(TILTED, TIMES, theory=ss.Exact(60)), 3, id="photons"),
    pytest.param(lambda: ss.photon_statistics(PAIR, TIMES, theory=ss.Exact(8)), 10, id="photons of several groups"),
    pytest.param(lambda: ss.phase_diagram(TILTED, {"coupling": np.linspace(1, 20, 64)}), 1, id="points in lanes"),
    pytest.param(movie, 10, id="movie"),
    pytest.param(lambda: ss.critical_gain(UNEQUAL), 100, id="range of the gain"),
    pytest.param(lambda: ss.critical_coupling(UNEQUAL), 2, id="threshold"),
])  # fmt: skip
def test_fractions_grow_from_0_to_1(call, least, reports, monkeypatch):
    monkeypatch.setattr(stepping, "FIRST_WORK", 400)  # steps times components of a call of the kernel, else one call is enough
    monkeypatch.setattr(stepping, "CALL_SECONDS", 0.0)
    monkeypatch.setattr(slowest_mode, "DENSE", 10)
    monkeypatch.setattr(record, "FIRST_SEARCH", 1000)
    call()
    done = np.array([fraction for fraction, _ in reports if np.isfinite(fraction)])
    assert len(done) >= least
    assert done.min() >= 0.0
    assert done.max() <= 1.0
    assert np.diff(done).min(initial=0.0) >= -0.02
    assert done[-1] >= (0.3 if least > 2 else 0.0)


@pytest.mark.parametrize(("call", "text"), [
    pytest.param(lambda: ss.steady_state(BEATING.replace(detuning=0.1)), "time 0", id="fixed point of a flow"),
    pytest.param(lambda: ss.regime(BEATING), "relaxation times", id="regime in a lane"),
    pytest.param(lambda: ss.regime(SMOOTH.replace(coupling=30.0)), "relaxation times", id="regime by the stepper"),
])  # fmt: skip
def test_work_of_unknown_length_says_what_is_done(call, text, reports):
    call()
    assert any(text in shown for _, shown in reports)
    assert all(np.isnan(fraction) for fraction, _ in reports)


@pytest.mark.parametrize("ask", [
    lambda theory: ss.evolve(ONE, TIMES, theory=theory), lambda theory: ss.steady_state(ONE, theory=theory),
])  # fmt: skip
def test_trajectories_tell_what_is_left_at_least_until_their_number_is_known(ask, reports, monkeypatch):
    monkeypatch.setattr(interrupts, "CHECK_INTERVAL", 1e-4)
    bounds = []
    report = ProgressLine.report
    monkeypatch.setattr(ProgressLine, "report", lambda *given: (report(*given), bounds.append(given[-1])))
    ask(ss.Trajectories(2000, rtol=0.003))
    assert any(bounds)  # not always the first: a short run that warms up may report its end alone
    assert not bounds[-1]
    assert all(not fraction > 1.0 for fraction, _ in reports)


@pytest.mark.parametrize(("call", "start"), [
    (lambda: ss.linewidth(PAIR, theory=ss.Exact(12)), "line 1 of "),
    (lambda: ss.phase_diagram(TILTED, {"coupling": np.linspace(1, 20, 64)}), "64 of 64 points relaxed"),
])  # fmt: skip
def test_what_is_counted_is_shown(call, start, reports):
    call()
    assert any(text.startswith(start) and 0.05 <= done < 1 for done, text in reports)
