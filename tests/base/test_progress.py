"""The progress line: in terminals and notebooks, after two seconds, and nowhere else."""

import io

import numpy as np
import pytest
from rich.console import Console

import spinsync as ss
from spinsync.base import interrupts
from spinsync.base import progress as module
from spinsync.base.progress import duration, progress


@pytest.fixture
def screen(monkeypatch):
    """A terminal in memory."""
    page = io.StringIO()
    monkeypatch.setattr("rich.console.Console", lambda stderr: Console(file=page, force_terminal=True, width=80))
    return page


def test_a_short_computation_shows_nothing(screen):
    with progress("lines") as line:
        line.update(0.5)
    assert screen.getvalue() == ""


def test_a_long_computation_shows_its_progress_and_erases_it(screen, monkeypatch):
    monkeypatch.setattr(module, "DELAY", 0.0)
    monkeypatch.setattr(module, "PAUSE", 0.0)
    with progress("lines") as line:
        line.update(0.5, "halfway")
        line.update(float("nan"), "unknown")
    shown = screen.getvalue()
    assert "lines" in shown
    assert "halfway" in shown
    assert "unknown" in shown
    assert shown.endswith("\x1b[2K")  # the line is erased
    line.update(1.0, "afterwards")
    assert "afterwards" not in screen.getvalue()


def test_without_a_terminal_nothing_is_printed(capfd, monkeypatch):
    monkeypatch.setattr(module, "DELAY", 0.0)
    with progress("lines") as line:
        line.update(0.5)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_nested_lines_are_no_error(screen, monkeypatch):
    monkeypatch.setattr(module, "DELAY", 0.0)
    with progress("outer") as outer:
        outer.update(0.1)
        with progress("inner") as inner:
            inner.update(0.5)
        outer.update(0.2)
    assert "outer" in screen.getvalue()


def test_long_durations_are_short_texts():
    assert [duration(seconds) for seconds in (5.0, 600.0, 3e6, 1e300)] == ["5 s", "10 min", "35 days", "1e+295 days"]


@pytest.mark.parametrize("theory", [ss.MeanField(), ss.Exact(4)])
def test_a_diagram_shows_its_progress(screen, monkeypatch, theory):
    monkeypatch.setattr(interrupts, "CHECK_INTERVAL", 1e-3)  # between two checks of the waiting thread
    monkeypatch.setattr(module, "DELAY", 0.0)
    monkeypatch.setattr(module, "PAUSE", 0.0)
    network = ss.Ensemble([ss.Group(3, 1), ss.Group(3, 1, frequency=0.5), ss.Group(3, 1), ss.Group(2, 1)], np.full((4, 4), -8j))
    for ensemble in (ss.Ensemble.pair(detuning=8.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2), network):
        ss.phase_diagram(ensemble, {"A.gain": np.linspace(2.9, 3.1, 40)}, theory=theory)
        assert "phase diagram" in screen.getvalue()
        assert screen.getvalue().endswith("\x1b[2K")
        screen.truncate(0)
