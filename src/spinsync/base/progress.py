"""The progress line of long computations, with the time left: in terminals and notebooks only, and only after two seconds.

A public function opens the line by `progress`; solvers, which know nothing of it, call `report`. The line is drawn by the
thread that opened it, when that thread reports or waits for others (`refresh`), at most ten times per second.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf, isfinite, nan
from threading import get_ident
from time import monotonic

from spinsync.base import screens

DELAY = 2.0  # seconds before the line appears
LONG = 60.0  # seconds left, above which a sentence says so
CONFIRMED = 1.0  # seconds for which more than LONG seconds must be left before it is said
STEADY = 0.8  # of its value a rough first estimate may not fall below meanwhile
PAUSE = 0.1  # seconds between two drawings
MOST_DAYS = 1e6  # longer durations are shown by their order of magnitude
LATEST = 0.3  # of the time so far, from which the speed is taken: steps grow after a transient
MOST_REPORTS = 400  # that are kept for the estimate of the time left
MOST_EXPECTED = 0.97  # completed fraction that is shown at most before a call of estimated duration returns


class TimeLeft:
    """The time left, from the speed of the latest part of the time so far; counted down between two reports."""

    def __init__(self) -> None:
        self._reports = [(0.0, 0.0)]

    def add(self, time: float, done: float) -> None:
        """A completed fraction at a time since the start. A lower one than before makes the speed start anew."""
        last_time, last = self._reports[-1]
        if done < last:
            self._reports = [(0.0, 0.0)]
        elif done == last or time - last_time < PAUSE:
            return
        self._reports = [*(self._reports if len(self._reports) < MOST_REPORTS else self._reports[::2]), (time, done)]

    def at(self, time: float) -> float:
        """Seconds left; NaN while nothing is known."""
        last_time, last = self._reports[-1]
        if last <= 0:
            return nan
        since, before = max(one for one in self._reports[:-1] if one[0] <= (1 - LATEST) * last_time)
        left = (1 - last) * (last_time - since) / (last - before) - (time - last_time)
        return left if left > 0 else time - last_time  # overdue: as long again as it has been so far


class ProgressLine:
    """The line of one call. It keeps what is reported, and draws it in the thread that opened it.

    faster : how the user would have the answer sooner, the end of the sentence about long calls
    silent : whether it is only there to take reports that nobody is to see
    """

    def __init__(self, label: str, faster: str = "", silent: bool = False) -> None:
        self._label, self._faster = label, faster
        self._silent = silent
        self._owner, self._started, self._next = get_ident(), monotonic(), 0.0
        self._screen: screens.Screen | None = None
        self._begin, self._end = 0.0, 1.0  # the part of the whole that present reports are about
        self._done, self._text, self._at_least = nan, "", False
        self._expected: tuple[float, float, float] | None = (
            None  # a call that can't report: start, duration, share of the whole
        )
        self._pause: tuple[str, float] | None = None  # what the clock of the estimate stands still for, and since when
        self._paused, self._left, self._announced = 0.0, TimeLeft(), False
        self._long = monotonic(), inf  # since when the estimate is above LONG without falling fast, and its value then

    def report(self, done: float, text: str, at_least: bool) -> None:
        """See `report`."""
        if not self._silent:
            self._expected, self._at_least, self._text = None, at_least, text
            self._done = self._begin + (self._end - self._begin) * done
            self.refresh()

    def expect(self, seconds: float, text: str, begin: float, end: float) -> None:
        """See `expect`."""
        if not self._silent:
            self._done, size = self._begin + (self._end - self._begin) * begin, (self._end - self._begin) * (end - begin)
            self._expected, self._at_least, self._text = (self._clock(), max(seconds, PAUSE), size), False, text
            self.refresh()

    @contextmanager
    def part(self, begin: float, end: float) -> Iterator[None]:
        """See `part`."""
        before, size = (self._begin, self._end), self._end - self._begin
        self._begin, self._end = before[0] + size * begin, before[0] + size * end
        try:
            yield
        finally:
            self._begin, self._end = before

    @contextmanager
    def pause(self, text: str) -> Iterator[bool]:
        """See `pause`."""
        if self._pause is not None:
            yield not self._silent
            return
        since = monotonic()
        self._pause = text, since
        try:
            yield not self._silent
        finally:
            self._pause = None
            self._paused += monotonic() - since

    def refresh(self) -> None:
        """Draw the line if it is due, and if this is its thread."""
        now = monotonic()
        if self._silent or now < self._next or get_ident() != self._owner:
            return
        self._next = now + PAUSE
        pause, time, done = self._pause, self._clock(), self._done
        if self._expected is not None:
            start, seconds, size = self._expected
            done += size * min((time - start) / seconds, MOST_EXPECTED)
        if isfinite(done):
            self._left.add(time, done)
        left = self._left.at(time) if isfinite(done) and pause is None else nan
        if now - self._started < DELAY:
            return
        self._screen = self._screen or screens.find_screen()
        self._silent = self._screen is None
        if self._screen is not None:
            self._announce(now, left)
            self._screen.show(self._label, done if isfinite(done) and pause is None else None, self._status(now, done, left))

    def close(self) -> None:
        """Erase the line."""
        self._silent = True
        if self._screen is not None:
            self._screen.close()

    def _clock(self) -> float:
        """Seconds since the start, without the pauses."""
        pause = self._pause
        return (monotonic() if pause is None else pause[1]) - self._started - self._paused

    def _status(self, now: float, done: float, left: float) -> str:
        pause, (minutes, seconds) = self._pause, divmod(int(now - self._started), 60)
        known = f"{100 * done:.0f} %" if isfinite(done) and pause is None else ""
        remaining = f"{self._about()} {duration(max(left, 1.0))} left" if isfinite(left) else ""
        return "  ".join(one for one in (known, f"{minutes}:{seconds:02}", remaining, pause[0] if pause else self._text) if one)

    def _about(self) -> str:
        return "at least" if self._at_least else "about"

    def _announce(self, now: float, left: float) -> None:
        """Say once that the call takes long, when that has been certain for a while."""
        if self._announced or not left > LONG or not left > STEADY * self._long[1]:
            self._long = now, (left if left > LONG else inf)
        elif now - self._long[0] >= CONFIRMED:
            self._announced, faster = True, f"; {self._faster}" if self._faster else ""
            logging.getLogger("spinsync").warning("%s takes %s %s more%s.", self._label, self._about(), duration(left), faster)


_current: ContextVar[ProgressLine | None] = ContextVar("progress line", default=None)
_open: list[ProgressLine] = []  # the lines that may be drawn, by the thread that waits


@contextmanager
def progress(label: str, faster: str = "") -> Iterator[None]:
    """A progress line for the computation in the block; none inside of another one, which stays as it is."""
    outer = _current.get()
    if outer is None and not screens.is_watched():
        yield
        return
    line = ProgressLine(label, faster, silent=outer is not None)
    _current.set(line)
    _open.append(line)
    try:
        yield
    finally:
        _open.remove(line)
        line.close()
        _current.set(outer)  # not by a token: at interpreter exit the context is another one


def report(done: float = nan, text: str = "", *, at_least: bool = False) -> None:
    """Show the completed fraction of the work, 0 to 1 (NaN: unknown), and what is being done; cheap, so call it in every loop.

    at_least : whether more work may follow of which nothing is known yet
    """
    line = _current.get()
    if line is not None:
        line.report(done, text, at_least)


def expect(seconds: float, text: str = "", begin: float = 0.0, end: float = 1.0) -> None:
    """Show how far a call must be that takes about so many seconds and can't report itself.

    begin, end : completed fractions of the work before and after the call
    """
    line = _current.get()
    if line is not None:
        line.expect(seconds, text, begin, end)


@contextmanager
def part(begin: float, end: float) -> Iterator[None]:
    """Reports within the block are about the work from a completed fraction to another one."""
    line = _current.get()
    if line is None:
        yield
        return
    with line.part(begin, end):
        yield


@contextmanager
def pause(text: str) -> Iterator[bool]:
    """Show only this text during the block, whose time says nothing about the time left; whether somebody sees it."""
    line = _current.get()
    if line is None:
        yield False
        return
    with line.pause(text) as visible:
        yield visible


@contextmanager
def silence() -> Iterator[None]:
    """Show no line for what the block does, which is a piece of a computation that reports itself."""
    before = _current.get()
    _current.set(ProgressLine("", silent=True))
    try:
        yield
    finally:
        _current.set(before)


def side_by_side(count: int) -> list[Callable[[float], None]]:
    """Functions that report the completed fractions of as many computations of equal length, which advance in turns."""
    done = [0.0] * count

    def reporter(k: int) -> Callable[[float], None]:
        def tell(fraction: float) -> None:
            done[k] = fraction
            report(sum(done) / count)

        return tell

    return [reporter(k) for k in range(count)]


def refresh() -> None:
    """Draw the line of this thread; to be called about ten times a second while it waits for other threads."""
    for line in _open[:]:
        line.refresh()


def duration(seconds: float) -> str:
    """A rounded duration as text, such as "10 min"."""
    for unit, length in (("days", 86_400), ("hours", 3600), ("min", 60)):
        if seconds >= 2 * length:
            amount = seconds / length
            return f"{amount:.0f} {unit}" if amount < MOST_DAYS else f"{amount:.0e} {unit}"
    return f"{seconds:.0f} s"
