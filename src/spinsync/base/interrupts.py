"""Computation in background threads, so that Ctrl-C takes effect at once.

Python handles signals in the main thread, between two bytecode instructions: not while a compiler, LAPACK or a kernel runs
there. So these run in other threads while the main thread waits. After an interrupt their result is dropped; they end
(cooperative cancellation) at the next `check_interrupt`, or with the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import wraps
from typing import ParamSpec, TypeVar

from spinsync.base import progress

CHECK_INTERVAL = 0.1  # seconds between two checks for an interrupt

P = ParamSpec("P")
T = TypeVar("T")


class CancelledError(BaseException):
    """The result of this thread is no longer needed. Not an Exception, so that no `except Exception` catches it."""


_thread = threading.local()  # `cancelled` of a thread: the event set by the caller when it no longer waits


def check_interrupt() -> None:
    """Raise CancelledError if the caller no longer waits for this thread; to be called in long loops."""
    cancelled = getattr(_thread, "cancelled", None)
    if cancelled is not None and cancelled.is_set():
        raise CancelledError


def set_cancellation(cancelled: threading.Event) -> None:
    """Set the event by which the caller cancels this thread."""
    _thread.cancelled = cancelled


def start_and_wait(
    start: Callable[[], None], done: threading.Event, cancelled: threading.Event, watch: Callable[[], None] | None = None
) -> None:
    """Start work in other threads and wait for it; cancel it if this thread is interrupted, or cancelled itself."""
    try:
        start()
        while not done.wait(CHECK_INTERVAL):
            check_interrupt()
            if watch is not None:
                watch()
            progress.refresh()
    except BaseException:
        cancelled.set()
        raise


def in_background(work: Callable[P, T]) -> Callable[P, T]:
    """A decorator: the main thread calls the function in a background thread, with the same errors and numpy error state."""

    @wraps(work)
    def called(*args: P.args, **options: P.kwargs) -> T:
        if threading.current_thread() is not threading.main_thread():
            return work(*args, **options)
        results: list[T] = []
        errors: list[BaseException] = []
        done, cancelled = threading.Event(), threading.Event()

        def run() -> None:
            set_cancellation(cancelled)
            try:
                results.append(work(*args, **options))
            except BaseException as error:
                errors.append(error)
            finally:
                done.set()

        start_and_wait(threading.Thread(target=copy_context().run, args=(run,), daemon=True).start, done, cancelled)
        if errors:
            raise errors.pop()
        return results.pop()

    return called
