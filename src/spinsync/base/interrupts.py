"""Work beside the main thread, so that Ctrl-C is heard at once whatever runs.

Python hears a signal in the main thread, between two of its own instructions: not while a compiler, LAPACK or a kernel is
at work there. So these work in other threads, while the main thread waits and listens. When it is interrupted, it drops
them: their result is lost, and they end at the next place where they `heed` it, or when the process does.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import wraps
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

PATIENCE = 0.1  # seconds between two looks at whether there is an interrupt

P = ParamSpec("P")
T = TypeVar("T")


class DroppedError(BaseException):
    """Nobody waits for the result of this thread any more. No `except Exception` shall hear it."""


class _Thread(threading.local):
    """Of each thread: for whom it works, and whether it is one of a pool."""

    dropped: threading.Event | None = None
    pooled: bool = False


_thread = _Thread()


def heed() -> None:
    """End this thread's work here if nobody waits for it any more; for loops that take long."""
    if _thread.dropped is not None and _thread.dropped.is_set():
        raise DroppedError


def _wait(begin: Callable[[], None], done: threading.Event, dropped: threading.Event) -> None:
    """Let others begin and wait for them; they are told if this thread is interrupted, or dropped itself."""
    try:
        begin()
        while not done.wait(PATIENCE):
            heed()
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
            _thread.dropped = dropped
            try:
                found.append(work(*args, **options))
            except BaseException as error:
                failed.append(error)
            finally:
                done.set()

        _wait(threading.Thread(target=copy_context().run, args=(run,), daemon=True).start, done, dropped)
        if failed:
            raise failed.pop()
        return found.pop()

    return called


@dataclass
class _Job:
    """Items of which each thread takes the next one."""

    work: Callable[[Any], Any]
    items: Sequence[Any]
    threads: int
    results: list[Any]
    failed: dict[int, BaseException] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    done: threading.Event = field(default_factory=threading.Event)
    dropped: threading.Event = field(default_factory=threading.Event)
    taken: int = 0

    def next(self) -> int | None:
        with self.lock:
            if self.taken < len(self.items) and not self.failed and not self.dropped.is_set():
                self.taken += 1
                return self.taken - 1
            return None

    def share(self) -> None:
        """What one thread does of it."""
        _thread.dropped = self.dropped
        while (k := self.next()) is not None:
            try:
                self.results[k] = self.work(self.items[k])
            except BaseException as error:
                self.failed[k] = error
        with self.lock:
            self.threads -= 1
            if not self.threads:
                self.done.set()


class Pool:
    """Threads that wait for work. They don't keep the process from ending."""

    def __init__(self, threads: int) -> None:
        self.threads, self.broken = threads, False
        self._todo: SimpleQueue[tuple[Any, _Job] | None] = SimpleQueue()
        for _ in range(threads):
            threading.Thread(target=self._serve, daemon=True, name="spinsync pool").start()

    def _serve(self) -> None:
        _thread.pooled = True
        while (given := self._todo.get()) is not None:
            context, job = given
            context.run(job.share)
            del given, context, job  # results are not kept while waiting

    def map(self, work: Callable[[Any], T], items: Sequence[Any]) -> list[T]:
        """[work(item) for item in items], several at once; of several errors that of the first item.

        An interrupt is heard at once: no further item is begun, and what is being done is dropped, with the pool.
        """
        if _thread.pooled or len(items) < 2:  # those of a pool that wait for their own would wait for ever
            return [work(item) for item in items]
        job = _Job(work, items, min(self.threads, len(items)), [None] * len(items))

        def begin() -> None:
            for _ in range(min(self.threads, len(items))):
                self._todo.put((copy_context(), job))

        try:
            _wait(begin, job.done, job.dropped)
        except BaseException:
            self.broken = True
            for _ in range(self.threads):
                self._todo.put(None)
            raise
        if job.failed:
            raise job.failed[min(job.failed)]
        return job.results


_pools: dict[int, Pool] = {}
_lock = threading.Lock()


def pool(threads: int) -> Pool:
    """Threads that are kept: to start some takes as long as a thousand trajectories."""
    with _lock:
        if threads not in _pools or _pools[threads].broken:
            _pools[threads] = Pool(threads)
        return _pools[threads]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)  # a forked process has none of its parent's threads
