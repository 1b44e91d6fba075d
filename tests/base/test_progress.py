"""The progress line: in terminals and notebooks, after two seconds, and nowhere else; and its estimate of the time left."""

import io
import logging
import multiprocessing.process
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

import spinsync as ss
from spinsync.base import interrupts, screens
from spinsync.base import progress as module
from spinsync.base.interrupts import in_background
from spinsync.base.notices import compiling_notice
from spinsync.base.parallel import map_with_progress
from spinsync.base.progress import TimeLeft, duration, expect, part, progress, report, side_by_side, silence


class Terminal(io.StringIO):
    """A terminal in memory."""

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Standard error on a terminal. pytest replaces `sys.stderr` itself between fixtures and tests."""
    page = Terminal()
    monkeypatch.setattr(screens, "sys", SimpleNamespace(stderr=page, modules=sys.modules))
    monkeypatch.setattr("rich.console.Console", lambda stderr: Console(file=page))
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "30"}.items():
        monkeypatch.setenv(name, value)
    return page


@pytest.fixture
def at_once(monkeypatch):
    """Lines appear at once, and every report is drawn."""
    monkeypatch.setattr(module, "DELAY", 0.0)
    monkeypatch.setattr(module, "PAUSE", 0.0)
    monkeypatch.setattr(interrupts, "CHECK_INTERVAL", 1e-3)


class Clock:
    """A clock that only the test advances."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Page:
    """A screen that keeps the fractions and texts shown, without the clock of the line."""

    def __init__(self):
        self.shown, self.closed = [], False

    def show(self, label, done, status):
        self.shown.append((label, done, status))

    def close(self):
        self.closed = True


@pytest.fixture
def clock(monkeypatch):
    one = Clock()
    monkeypatch.setattr(module, "monotonic", one)
    return one


@pytest.fixture
def page(monkeypatch):
    one = Page()
    monkeypatch.setattr(screens, "is_watched", lambda: True)
    monkeypatch.setattr(screens, "find_screen", lambda: one)
    return one


def test_a_short_computation_shows_nothing(terminal):
    with progress("linewidth"):
        report(0.5)
    assert terminal.getvalue() == ""


def test_a_long_computation_shows_its_progress_and_erases_it(terminal, at_once):
    with progress("linewidth"):
        report(0.5, "line [2] of 3")
        report(text="unknown")
    shown = terminal.getvalue()
    for text in ("linewidth", "50 %", "0:00", "line [2] of 3", "unknown"):
        assert text in shown
    assert shown.endswith("\x1b[2K")  # the line is erased
    report(1.0, "afterwards")
    assert "afterwards" not in terminal.getvalue()


def test_an_error_erases_the_line(terminal, at_once):
    def fail():
        with progress("linewidth"):
            report(0.5)
            raise ss.InputError

    with pytest.raises(ss.InputError):
        fail()
    assert terminal.getvalue().endswith("\x1b[2K")


@pytest.mark.parametrize("force", ["", "1"])
def test_without_a_terminal_nothing_is_printed(force, capfd, at_once, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", force)
    with progress("linewidth"):
        report(0.5)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_a_terminal_that_cannot_move_its_cursor_stays_empty(terminal, at_once, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    with progress("linewidth"):
        report(0.5)
    assert terminal.getvalue() == ""


def shown_line():
    with progress("linewidth"):
        report(0.5)


def test_other_threads_and_worker_processes_show_nothing(terminal, at_once, monkeypatch):
    thread = threading.Thread(target=shown_line)
    thread.start()
    thread.join()
    assert terminal.getvalue() == ""
    monkeypatch.setattr(multiprocessing.process, "parent_process", object)
    shown_line()
    assert terminal.getvalue() == ""
    monkeypatch.undo()


def test_within_another_line_there_is_no_second_one(terminal, at_once):
    with progress("outer"):
        report(0.1)
        with progress("inner"):
            report(0.5, "within")
        report(0.2)
    shown = terminal.getvalue()
    assert "outer" in shown
    assert "20 %" in shown
    assert "inner" not in shown
    assert "within" not in shown


def test_the_thread_that_waits_draws_the_line(page, at_once):
    """Solvers run in other threads, in library calls that report nothing: the elapsed time goes on all the same."""

    def solver():
        report(0.5, "solving")
        for _ in range(1000):
            if len(page.shown) > 3:
                return
            time.sleep(0.01)

    with progress("linewidth"):
        in_background(solver)()
    assert len(page.shown) > 3
    assert {text.split("  ")[-1] for _, _, text in page.shown} == {"solving"}
    assert page.closed


def test_the_line_counts_the_time_down(page, clock):
    with progress("linewidth"):
        for k in range(10):
            report(k / 20, "steady")
            clock.now += 1.0
        report(0.5, "steady")
        clock.now += 4.0
        report(0.5, "steady")
    assert page.shown[0][2].startswith("10 %  0:02  about 18 s left")  # nothing during the first two seconds
    assert page.shown[-2][2] == "50 %  0:10  about 10 s left  steady"
    assert page.shown[-1][2] == "50 %  0:14  about 6 s left  steady"
    assert [done for _, done, _ in page.shown] == pytest.approx([0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.5])


def left_after(reports, now):
    estimate = TimeLeft()
    for moment, done in reports:
        estimate.add(moment, done)
    return estimate.at(now)


def test_the_time_left_follows_from_the_speed():
    assert np.isnan(left_after([], 5.0))
    assert np.isnan(left_after([(1.0, 0.0)], 5.0))
    steady = [(k, k / 100) for k in range(1, 41)]
    assert left_after(steady, 40.0) == pytest.approx(60.0)
    assert left_after(steady, 50.0) == pytest.approx(50.0)  # counted down between two reports
    assert left_after(steady, 200.0) == pytest.approx(160.0)  # overdue
    faster = [*steady, *((40 + k, 0.4 + 2 * k / 100) for k in range(1, 26))]
    assert left_after(faster, 65.0) == pytest.approx(5.0)  # of twice the speed for the last third of the time
    again = [*steady, (41.0, 0.1)]
    assert left_after(again, 41.0) == pytest.approx(9 * 41.0)  # more to do than was known


def test_many_reports_change_no_estimate():
    estimate = TimeLeft()
    for k in range(1, 20_001):
        estimate.add(k, k / 40_000)
    assert estimate.at(20_000) == pytest.approx(20_000, rel=1e-3)
    assert len(estimate._reports) <= module.MOST_REPORTS + 1


def test_a_call_of_known_duration_is_shown_as_it_goes_on(page, clock):
    with progress("steady state"):
        expect(8.0, "factorization", 0.2, 0.6)
        for _ in range(11):
            clock.now += 1.0
            module.refresh()
    fractions = [done for _, done, _ in page.shown]
    assert fractions[:3] == pytest.approx([0.2 + 0.4 * t / 8 for t in (2, 3, 4)])
    assert fractions[-1] == pytest.approx(0.2 + 0.4 * module.MOST_EXPECTED)  # late: it waits there


def test_parts_are_nested(page, at_once):
    with progress("linewidth"), part(0.5, 1.0), part(0.0, 0.5):
        report(0.4)
        expect(1e9, begin=0.8)
        module.refresh()
    assert [done for _, done, _ in page.shown] == pytest.approx([0.6, 0.7, 0.7])


def test_computations_side_by_side_share_the_line(page, at_once):
    with progress("evolve"):
        first, second = side_by_side(2)
        first(0.5)
        second(0.25)
    assert [done for _, done, _ in page.shown] == pytest.approx([0.25, 0.375])


def test_pieces_of_a_sweep_do_not_report_themselves(page, at_once):
    def piece(k):
        report(0.123, "a piece")
        return k + 1

    with progress("phase diagram"):
        assert map_with_progress(piece, range(20)) == list(range(1, 21))
        with silence(), progress("steady state"):
            report(0.123)
    assert all(done != 0.123 for _, done, _ in page.shown)


def test_compilation_is_shown_and_does_not_count(page, clock, caplog):
    with progress("evolve"):
        clock.now += 1.0
        report(0.1)
        with compiling_notice("the stepper"):
            clock.now += 100.0
            module.refresh()
        clock.now += 1.0
        report(0.2)
    assert page.shown[0] == ("evolve", None, "1:41  compiling the stepper, once")
    assert page.shown[1] == ("evolve", 0.2, "20 %  1:42  about 8 s left")
    assert caplog.records == []  # the line has said it


def texts(caplog):
    assert {record.name for record in caplog.records} <= {"spinsync"}
    return [record.getMessage() for record in caplog.records]


def advance(clock, reports):
    for seconds, done in reports:
        clock.now += seconds
        report(done)


def test_a_call_of_minutes_says_so_beforehand_and_once(page, clock, caplog):
    with progress("linewidth", "fewer spins answer faster"):
        advance(clock, [(1.0, 0.001 * k) for k in range(1, 60)])
    assert texts(caplog) == ["linewidth takes about 17 min more; fewer spins answer faster."]


def test_a_duration_that_is_known_is_said_while_the_call_runs(page, clock, caplog):
    with progress("linewidth"):
        expect(600.0)
        for _ in range(5):
            clock.now += 1.0
            module.refresh()
    assert texts(caplog) == ["linewidth takes about 10 min more."]


@pytest.mark.parametrize("reports", [
    [(1.0, 0.05 * k) for k in range(1, 21)],  # half a minute
    [(1.0, 0.001 * 3**k) for k in range(6)],  # rough first estimates
])  # fmt: skip
def test_shorter_calls_and_rough_estimates_announce_nothing(reports, page, clock, caplog):
    with progress("linewidth"):
        advance(clock, reports)
    assert texts(caplog) == []


def test_what_nobody_watches_announces_nothing(clock, caplog, monkeypatch):
    monkeypatch.setattr(screens, "is_watched", lambda: False)
    with progress("linewidth"):
        advance(clock, [(1.0, 0.001 * k) for k in range(1, 60)])
    assert texts(caplog) == []


def test_the_announcement_stands_above_the_line_and_remains(terminal, clock, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal)
    handler = logging._StderrHandler()  # that of Python for programs without handlers: the present standard error
    logging.getLogger("spinsync").addHandler(handler)
    try:
        with progress("linewidth"):
            advance(clock, [(1.0, 0.001 * k) for k in range(1, 10)])
    finally:
        logging.getLogger("spinsync").removeHandler(handler)
    assert "linewidth takes about 17 min more." in terminal.getvalue()


def test_long_durations_are_short_texts():
    assert [duration(seconds) for seconds in (5.0, 600.0, 3e6, 1e300)] == ["5 s", "10 min", "35 days", "1e+295 days"]


@pytest.mark.parametrize("theory", [ss.MeanField(), ss.Exact(4)])
def test_a_diagram_shows_its_progress(terminal, at_once, theory):
    network = ss.Ensemble([ss.Group(3, 1), ss.Group(3, 1, frequency=0.5), ss.Group(3, 1), ss.Group(2, 1)], np.full((4, 4), -8j))
    for ensemble in (ss.Ensemble.pair(detuning=8.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2), network):
        ss.phase_diagram(ensemble, {"A.gain": np.linspace(2.9, 3.1, 40)}, theory=theory)
        assert "phase diagram" in terminal.getvalue()
        assert terminal.getvalue().endswith("\x1b[2K")
        terminal.truncate(0)
