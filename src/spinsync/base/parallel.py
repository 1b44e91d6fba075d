"""Threads for all that computes: one budget of them, and one pool. No result depends on how many there are."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from functools import cache
from math import ceil, inf
from queue import SimpleQueue
from typing import Any, TypeVar

from spinsync.base import checks, interrupts
from spinsync.base.memory import control_groups

VARIABLE = "SPINSYNC_THREADS"
LIBRARIES = "OMP_NUM_THREADS"  # what Dask, joblib and loky set in their workers, so that these share the cores

T = TypeVar("T")

_asked: ContextVar[int | None] = ContextVar("threads that a question may use", default=None)


_thread = threading.local()  # one of the pool is `pooled`


def _pooled() -> bool:
    return getattr(_thread, "pooled", False)


def threads() -> int:
    """How many threads may compute for who asks: one within the pool, or what `at_most` says, or the budget."""
    return 1 if _pooled() else _asked.get() or budget()  # the threads of the pool share the budget already


@contextmanager
def at_most(asked: Any) -> Iterator[None]:
    """Within it, a question computes with so many threads, a whole number of at least 1; None leaves it as it is."""
    before = _asked.get()
    _asked.set(before if asked is None else checks.whole("threads", asked, 1))
    try:
        yield
    finally:
        _asked.set(before)


def budget() -> int:
    """Threads that this process may use: SPINSYNC_THREADS, or as many as it has cores and its worker leaves it."""
    if text := os.environ.get(VARIABLE, "").strip():
        if not text.isdecimal() or int(text) < 1:
            raise checks.complain(VARIABLE, "a whole number of at least 1", text)
        return int(text)
    return min(cores(), _left_by_the_worker())


def cores() -> int:
    """Those that the scheduler lets this process use, and its container pays for."""
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        allowed = os.cpu_count() or 1
    return max(1, ceil(min(allowed, _quota())))


@cache
def _quota() -> float:
    """Cores' worth of time that the control groups grant (Linux)."""
    granted = [inf]
    for file in control_groups("cpu", "cpu.max", "cpu.cfs_quota_us"):
        with suppress(OSError, ValueError):  # "max": no limit
            quota, *period = file.read_text(encoding="ascii").split()
            each_period = period[0] if period else (file.parent / "cpu.cfs_period_us").read_text(encoding="ascii")
            if float(quota) > 0:
                granted.append(float(quota) / float(each_period))
    return min(granted)


def _left_by_the_worker() -> int:
    text = os.environ.get(LIBRARIES, "").split(",")[0].strip()  # of nested loops the outermost
    return int(text) if text.isdecimal() and int(text) > 0 else sys.maxsize


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
        interrupts.work_for(self.dropped)
        while (k := self.next()) is not None:
            try:
                self.results[k] = self.work(self.items[k])
            except BaseException as error:
                self.failed[k] = error
        with self.lock:
            self.threads -= 1
            if not self.threads:
                self.done.set()


class _Pool:
    """Threads that wait for work. They don't keep the process from ending."""

    def __init__(self) -> None:
        self.threads, self.broken = 0, False
        self._todo: SimpleQueue[tuple[Any, _Job] | None] = SimpleQueue()

    def grow(self, threads: int) -> None:
        while self.threads < threads:
            self.threads += 1
            threading.Thread(target=self._serve, daemon=True, name="spinsync pool").start()

    def begin(self, job: _Job) -> None:
        for _ in range(job.threads):
            self._todo.put((copy_context(), job))

    def end(self) -> None:
        self.broken = True
        for _ in range(self.threads):
            self._todo.put(None)

    def _serve(self) -> None:
        _thread.pooled = True
        while (given := self._todo.get()) is not None:
            context, job = given
            context.run(job.share)
            del given, context, job  # results are not kept while waiting


_pools: dict[str, _Pool] = {}
_lock = threading.Lock()


def _pool(kind: str, threads: int) -> _Pool:
    """The threads that are kept: to start some takes as long as a thousand trajectories."""
    with _lock:
        if kind not in _pools or _pools[kind].broken:
            _pools[kind] = _Pool()
        _pools[kind].grow(threads)
        return _pools[kind]


def each(
    work: Callable[[Any], T], items: Sequence[Any], watch: Callable[[], None] | None = None, waiting: int | None = None
) -> list[T]:
    """[work(item) for item in items], several at once; of several errors that of the first item.

    An interrupt is heard at once: no further item is begun, and what is being done is dropped, with the pool. `watch` is
    called some ten times a second meanwhile, by the thread that waits. `waiting`: that many threads, whatever the budget, for
    work that waits for a disk and computes nothing.
    """
    count = min(waiting or threads(), len(items))
    if _pooled() or count < 1 or (count == 1 and watch is None):  # those of a pool that wait for their own wait for ever
        return [work(item) for item in items]
    pool, job = _pool("computing" if waiting is None else "waiting", count), _Job(work, items, count, [None] * len(items))
    try:
        interrupts.wait_for(lambda: pool.begin(job), job.done, job.dropped, watch)
    except BaseException:
        pool.end()
        raise
    if job.failed:
        raise job.failed[min(job.failed)]
    return job.results


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)  # a forked process has none of its parent's threads
