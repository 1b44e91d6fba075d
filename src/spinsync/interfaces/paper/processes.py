"""Distribution of tasks over several processes, with progress reports; each takes the next task when it is free."""

from __future__ import annotations

import io
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from traceback import format_exception
from typing import Any, TypeVar

import spinsync as ss
from spinsync.base.parallel import budget, thread_limit
from spinsync.interfaces.paper.claims import Advance

CHECK_INTERVAL = 0.1  # seconds between two checks for an interrupt, for systems where waiting is not interrupted

T = TypeVar("T")
Work = Callable[[str, Advance], T]  # called with the name of a task


def run_in_processes(
    work: Work[T], names: Sequence[str], processes: int,
    on_progress: Callable[[str, float], None], on_line: Callable[[str], None],
) -> dict[str, T]:  # fmt: skip
    """The result of `work` for each name; tasks are started in the given order.

    The processes share the thread budget of this one and ignore Ctrl-C. If this one is interrupted, or a task fails, the
    others are killed.

    on_progress : called with the name of a task and its completed fraction
    on_line : called with each line that a process writes to standard error
    """
    results: dict[str, T] = {}
    waiting = list(names)
    running: dict[Any, str] = {}  # connection to a process -> its task
    connection: Any

    def assign_next(connection: Any) -> None:
        running.pop(connection, None)
        if waiting:
            running[connection] = waiting.pop(0)
            with suppress(ConnectionError):  # the process has ended: recv raises the error below
                connection.send(running[connection])

    with ExitStack() as cleanup:
        for _ in range(processes):
            connection, process = _start(work, max(1, budget() // processes))
            for end in (connection.close, process.join, process.kill):  # called in reverse order
                cleanup.callback(end)
            assign_next(connection)
        while running:
            for connection in wait(list(running), CHECK_INTERVAL):
                try:
                    kind, value = connection.recv()
                except (EOFError, ConnectionError):
                    message = "A process of the report ended before its work was done: the memory may be too small."
                    raise ss.IntegrationError(message) from None
                if kind == "progress":
                    on_progress(running[connection], value)
                elif kind == "line":
                    on_line(value)
                elif kind == "failed":
                    error, traceback = value
                    error.add_note(traceback)
                    raise error
                else:
                    results[running[connection]] = value
                    assign_next(connection)
    return results


def _start(work: Work[T], threads: int) -> tuple[Connection, BaseProcess]:
    """A new (spawned) process and the connection to it."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(work, there, threads), daemon=True)
    with _sigint_blocked():
        process.start()
    there.close()
    return here, process


@contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Block SIGINT within the block; a process started here inherits the mask."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # otherwise starting it with the first process would reset our mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(work: Work[T], connection: Connection, threads: int) -> None:
    """The main function of a process: one task after the other until it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    lock = threading.Lock()  # computing threads also send

    def send(kind: str, value: Any) -> None:
        with lock:
            connection.send((kind, value))

    sys.stderr = _ForwardedStderr(send)
    while True:
        name = connection.recv()
        try:
            with thread_limit(threads):
                result = work(name, lambda fraction: send("progress", fraction))
        except BaseException as error:
            send("failed", (_picklable(error), "".join(format_exception(error))))
        else:
            send("done", result)


def _exit_with_parent() -> None:
    """End this process when its parent ends, for whatever reason."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _picklable(error: BaseException) -> BaseException:
    """The error itself if it can be pickled, else a RuntimeError with its text."""
    try:
        copy: BaseException = pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return copy


class _ForwardedStderr(io.TextIOBase):
    """Standard error of a process: complete lines are sent to the parent."""

    def __init__(self, send: Callable[[str, str], None]) -> None:
        self._send, self._incomplete = send, ""

    def write(self, text: str) -> int:
        *lines, self._incomplete = (self._incomplete + text).split("\n")
        for line in lines:
            self._send("line", line)
        return len(text)
