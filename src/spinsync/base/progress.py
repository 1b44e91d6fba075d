"""How far a long computation is: one line on standard error, where somebody looks, and only if it lasts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from math import isfinite
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from spinsync.base import parallel

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 2.0  # seconds without a line
LONG = 1e6  # days, from where on the digits tell nothing
PAUSE = 0.1  # seconds between two changes of it

T = TypeVar("T")


def progress(label: str) -> closing[Line]:
    """A line that tells how far the work inside is; it vanishes at the end, and never comes where it ends soon."""
    return closing(Line(label))


class Line:
    """What `progress` yields."""

    def __init__(self, label: str) -> None:
        self._label, self._next, self._silent = label, monotonic() + PATIENCE, False
        self._bar: Progress | None = None

    def update(self, done: float, text: str = "") -> None:
        """Say which share of the work is done, from 0 to 1 (NaN: nobody knows), and anything worth telling."""
        if self._silent or monotonic() < self._next:
            return
        self._next = monotonic() + PAUSE
        self._bar = self._bar or self._begun()
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done if isfinite(done) else None, text=text, refresh=True)

    def close(self) -> None:
        """Take the line away."""
        self._silent = True
        if self._bar is not None:
            self._bar.stop()

    def _begun(self) -> Progress | None:
        """The bar; none where nobody looks, or another one stands already."""
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


def each_told(work: Callable[[Any], T], items: Sequence[Any], line: Line | None) -> list[T]:
    """[work(item) for item in items], several at once, while the line, if there is one, tells how many are done."""
    if line is None:
        return parallel.each(work, items)
    done = list[None]()

    def one(item: Any) -> T:
        found = work(item)
        done.append(None)
        return found

    return parallel.each(one, items, lambda: line.update(len(done) / len(items)))


def duration(seconds: float) -> str:
    """In words, as precise as a guess is."""
    for unit, length in (("days", 86_400), ("hours", 3600), ("min", 60)):
        if seconds >= 2 * length:
            amount = seconds / length
            return f"{amount:.0f} {unit}" if amount < LONG else f"{amount:.0e} {unit}"
    return f"{seconds:.0f} s"
