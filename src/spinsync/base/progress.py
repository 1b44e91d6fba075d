"""A progress line on standard error for long computations, in terminals and notebooks only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from math import isfinite
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from spinsync.base import parallel

if TYPE_CHECKING:
    from rich.progress import Progress

DELAY = 2.0  # seconds before the line appears
LONG = 1e6  # days; larger times are shown by their order of magnitude
PAUSE = 0.1  # seconds between two updates

T = TypeVar("T")


def progress(label: str) -> closing[ProgressLine]:
    """A context manager with a progress line, which appears after DELAY and is erased at the end."""
    return closing(ProgressLine(label))


class ProgressLine:
    """The line that `progress` yields."""

    def __init__(self, label: str) -> None:
        self._label, self._next, self._silent = label, monotonic() + DELAY, False
        self._bar: Progress | None = None

    def update(self, done: float, text: str = "") -> None:
        """Show the completed fraction of the work, 0 to 1 (NaN: unknown), and a text."""
        if self._silent or monotonic() < self._next:
            return
        self._next = monotonic() + PAUSE
        self._bar = self._bar or self._start()
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done if isfinite(done) else None, text=text, refresh=True)

    def close(self) -> None:
        """Erase the line."""
        self._silent = True
        if self._bar is not None:
            self._bar.stop()

    def _start(self) -> Progress | None:
        """Start the bar; None without a terminal or notebook, or if another bar is active."""
        from rich.console import Console
        from rich.errors import LiveError
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        self._silent = not (console.is_terminal or console.is_jupyter)
        if self._silent:
            return None
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[text]}"))
        bar = Progress(*columns, console=console, auto_refresh=False, transient=True)
        bar.add_task(self._label, total=1.0, text="")
        try:
            bar.start()
        except LiveError:
            self._silent = True
            return None
        return bar


def map_with_progress(work: Callable[[Any], T], items: Sequence[Any], line: ProgressLine | None) -> list[T]:
    """`parallel_map` with the completed fraction shown in the line, if there is one."""
    if line is None:
        return parallel.parallel_map(work, items)
    done = list[None]()

    def counted(item: Any) -> T:
        result = work(item)
        done.append(None)
        return result

    return parallel.parallel_map(counted, items, lambda: line.update(len(done) / len(items)))


def duration(seconds: float) -> str:
    """A rounded duration as text, such as "10 min"."""
    for unit, length in (("days", 86_400), ("hours", 3600), ("min", 60)):
        if seconds >= 2 * length:
            amount = seconds / length
            return f"{amount:.0f} {unit}" if amount < LONG else f"{amount:.0e} {unit}"
    return f"{seconds:.0f} s"
