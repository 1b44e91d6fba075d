"""Where a progress line is shown: a terminal, a Jupyter notebook, a marimo notebook, or nowhere."""

from __future__ import annotations

import html
import sys
import threading
from typing import Any, Protocol


class Screen(Protocol):
    """A place that shows one line at a time."""

    def show(self, label: str, done: float | None, status: str) -> None:
        """Replace the line: what is computed, the completed fraction (None: unknown), and further text."""

    def close(self) -> None:
        """Erase the line."""


def is_watched() -> bool:
    """Whether a person may be looking at what this thread computes.

    Only the main thread of a process that is no worker of another one shows a line: other threads, and the workers of pools,
    of Dask or of joblib, would write over each other. marimo alone runs its cells in other threads, and in a child process.
    """
    if _marimo() is not None:
        return True
    if threading.current_thread() is not threading.main_thread():
        return False
    # asked first: the variable FORCE_COLOR makes rich take any file for a terminal
    return _in_jupyter() or (not _is_worker() and bool(getattr(sys.stderr, "isatty", bool)()))


def find_screen() -> Screen | None:
    """The place that this person looks at."""
    marimo = _marimo()
    if marimo is not None:
        return MarimoScreen(marimo)
    return JupyterScreen() if _in_jupyter() else _terminal()


def _marimo() -> Any:
    marimo: Any = sys.modules.get("marimo")
    return marimo if marimo is not None and getattr(marimo, "running_in_notebook", bool)() else None


def _in_jupyter() -> bool:
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


def _is_worker() -> bool:
    processes: Any = sys.modules.get("multiprocessing.process")
    return processes is not None and processes.parent_process() is not None


def _terminal() -> TerminalScreen | None:
    """Standard error, if its terminal can move the cursor."""
    from rich.console import Console

    console = Console(stderr=True)
    return TerminalScreen(console) if console.is_terminal and not console.is_dumb_terminal else None


class TerminalScreen:
    """A line at the bottom of a terminal. What the program prints meanwhile appears above it."""

    def __init__(self, console: Any) -> None:
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        status = TextColumn(
            "{task.fields[status]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)
        )
        label = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True))
        self._bar = Progress(label, BarColumn(20), status, console=console, auto_refresh=False, transient=True, expand=True)

    def show(self, label: str, done: float | None, status: str) -> None:
        total = None if done is None else 1.0
        if not self._bar.tasks:
            self._bar.add_task(label, total=total, status="")
            self._bar.start()
        self._bar.update(
            self._bar.task_ids[0], description=label, total=total, completed=done or 0.0, status=status, refresh=True
        )

    def close(self) -> None:
        self._bar.stop()


class JupyterScreen:
    """An output of the cell that is replaced in place, by means of the notebook itself: no widgets are needed."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._last: dict[str, str] = {}

    def show(self, label: str, done: float | None, status: str) -> None:
        value = "" if done is None else f' value="{done:.4f}"'  # without a value the browser shows a moving bar
        text = f"{label}  {status}"
        self._put({"text/plain": text, "text/html": f"<progress{value}></progress> {html.escape(text)}"})

    def close(self) -> None:
        if self._handle is not None:
            self._put({"text/plain": "", "text/html": ""})

    def _put(self, data: dict[str, str]) -> None:
        from IPython.display import display

        if data == self._last:  # a server may be far away
            return
        self._last = data
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(data, raw=True)


class MarimoScreen:
    """The spinner of marimo, which it removes at the end."""

    def __init__(self, marimo: Any) -> None:
        self._marimo = marimo
        self._entered: Any = None
        self._spinner: Any = None

    def show(self, label: str, done: float | None, status: str) -> None:
        if self._entered is None:
            self._entered = self._marimo.status.spinner(title=label, subtitle=status, remove_on_exit=True)
            self._spinner = self._entered.__enter__()
        else:
            self._spinner.update(title=label, subtitle=status)

    def close(self) -> None:
        if self._entered is not None:
            self._entered.__exit__(None, None, None)
