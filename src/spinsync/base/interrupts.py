"""Work beside the main thread, so that Ctrl-C is heard at once whatever runs.

Python hears a signal in the main thread, between two of its own instructions: not while a compiler, LAPACK or a kernel is
at work there. So these work in other threads, while the main thread waits and listens. When it is interrupted, it drops
them: their result is lost, and they end at the next place where they `heed` it, or when the process does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import wraps
from typing import ParamSpec, TypeVar

PATIENCE = 0.1  # seconds between two looks at whether there is an interrupt

P = ParamSpec("P")
T = TypeVar("T")


class DroppedError(BaseException):
    """Nobody waits for the result of this thread any more. No `except Exception` shall hear it."""


_thread = threading.local()  # for whom each thread works: `dropped` is the event that somebody sets who waits no more


def heed() -> None:
    """End this thread's work here if nobody waits for it any more; for loops that take long."""
    dropped = getattr(_thread, "dropped", None)
    if dropped is not None and dropped.is_set():
        raise DroppedError


def work_for(dropped: threading.Event) -> None:
    """From here on this thread works for somebody who sets the event when he waits no more."""
    _thread.dropped = dropped


def wait_for(
    begin: Callable[[], None], done: threading.Event, dropped: threading.Event, watch: Callable[[], None] | None = None
) -> None:
    """Let others begin and wait for them; they are told if this thread is interrupted, or dropped itself."""
    try:
        begin()
        while not done.wait(PATIENCE):
            heed()
            if watch is not None:
                watch()
    except BaseException:
        dropped.set()
        raise


def aside(work: Callable[P, T]) -> Callable[P, T]:
    """The function, run in a thread of its own if the main thread calls it; errors and numpy's error state are the same."""

    @wraps(work)
    def called(*args: P.args, **options: P.kwargs) -> T:
        if threading.current_thread() is not threading.main_thread():
            return work(*args, **options)
        found: list[T] = []
        failed: list[BaseException] = []
        done, dropped = threading.Event(), threading.Event()

        def run() -> None:
            work_for(dropped)
            try:
                found.append(work(*args, **options))
            except BaseException as error:
                failed.append(error)
            finally:
                done.set()

        wait_for(threading.Thread(target=copy_context().run, args=(run,), daemon=True).start, done, dropped)
        if failed:
            raise failed.pop()
        return found.pop()

    return called
