"""Work for several processes: each takes the next piece when it has done one, and says how far it is."""

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
from spinsync.interfaces.report.claims import Advance

PATIENCE = 0.1  # seconds between two looks at whether there is an interrupt, where waiting hears none

T = TypeVar("T")
Work = Callable[[str, Advance], T]  # of the name of a piece


def shared(
    work: Work[T], names: Sequence[str], processes: int, told: Callable[[str, float], None], said: Callable[[str], None]
) -> dict[str, T]:
    """The result of each piece of work; pieces are begun in the order of their names.

    `told` hears the name of a piece and its share that is done, `said` the lines that a process would have written to
    standard error. They share the threads of this process, which alone hears Ctrl-C; if it is interrupted, or a piece fails,
    the others end.
    """
    results: dict[str, T] = {}
    left = list(names)
    at: dict[Any, str] = {}  # line to a process -> the piece that it has
    heard: Any

    def next_for(line: Any) -> None:
        at.pop(line, None)
        if left:
            at[line] = left.pop(0)
            with suppress(ConnectionError):  # it has ended: so does its line, and that is told below
                line.send(at[line])

    with ExitStack() as ends:
        for _ in range(processes):
            line, process = _begun(work, max(1, budget() // processes))
            for end in (line.close, process.join, process.kill):  # the last one first
                ends.callback(end)
            next_for(line)
        while at:
            for heard in wait(list(at), PATIENCE):
                try:
                    kind, value = heard.recv()
                except (EOFError, ConnectionError):
                    gone = "A process of the report ended before its work was done: the memory may be too small."
                    raise ss.IntegrationError(gone) from None
                if kind == "share":
                    told(at[heard], value)
                elif kind == "said":
                    said(value)
                elif kind == "failed":
                    error, place = value
                    error.add_note(place)
                    raise error
                else:
                    results[at[heard]] = value
                    next_for(heard)
    return results


def _begun(work: Work[T], threads: int) -> tuple[Connection, BaseProcess]:
    """A fresh process, which shares nothing with this one, and the line to it."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(work, there, threads), daemon=True)
    with _deaf():
        process.start()
    there.close()
    return here, process


@contextmanager
def _deaf() -> Iterator[None]:
    """Ctrl-C has to wait; a process that is begun here inherits that for good, from its first moment on."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # where the first process begins it, it takes our mask away
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(work: Work[T], connection: Connection, threads: int) -> None:
    """What a process does: one piece after the other, until nobody waits for it any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, daemon=True).start()
    lock = threading.Lock()  # threads that compute have something to say, too

    def tell(kind: str, value: Any) -> None:
        with lock:
            connection.send((kind, value))

    sys.stderr = _Said(tell)
    while True:
        name = connection.recv()
        try:
            with thread_limit(threads):
                result = work(name, lambda share: tell("share", share))
        except BaseException as error:
            tell("failed", (_movable(error), "".join(format_exception(error))))
        else:
            tell("done", result)


def _follow() -> None:
    """End with the process that began this one, whatever ends it."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _movable(error: BaseException) -> BaseException:
    """An error as it can go to another process."""
    try:
        moved: BaseException = pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return moved


class _Said(io.TextIOBase):
    """Standard error of a process, where nobody looks: its lines go to the one that began it."""

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        self._tell, self._begun = tell, ""

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self._tell("said", line)
        return len(text)
