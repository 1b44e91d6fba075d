"""The threads of the package: one budget and one pool per process. No result depends on their number."""

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

from spinsync.base import checks, interrupts, progress
from spinsync.base.memory import cgroup_files

VARIABLE = "SPINSYNC_THREADS"
WORKER_VARIABLE = "OMP_NUM_THREADS"  # set by Dask, joblib and loky in their worker processes

T = TypeVar("T")

_limit: ContextVar[int | None] = ContextVar("limit of threads", default=None)
_thread = threading.local()  # `pooled` is True in threads of the pool


def _pooled() -> bool:
    return getattr(_thread, "pooled", False)


def thread_count() -> int:
    """Number of threads that the caller may use: one within the pool, else the `thread_limit`, else the budget."""
    return 1 if _pooled() else _limit.get() or budget()  # the pool already uses the budget


@contextmanager
def thread_limit(threads: Any) -> Iterator[None]:
    """Limit the threads within the block to a whole number of at least 1; None changes nothing."""
    before = _limit.get()
    _limit.set(before if threads is None else checks.whole("threads", threads, 1))
    try:
        yield
    finally:
        _limit.set(before)


def budget() -> int:
    """Threads that this process may use: SPINSYNC_THREADS, or the cores, but no more than OMP_NUM_THREADS."""
    if text := os.environ.get(VARIABLE, "").strip():
        if not text.isdecimal() or int(text) < 1:
            raise checks.argument_error(VARIABLE, "a whole number of at least 1", text)
        return int(text)
    return min(cores(), _worker_limit())


def cores() -> int:
    """Cores that affinity and container quota allow to this process."""
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        allowed = os.cpu_count() or 1
    return max(1, ceil(min(allowed, _quota())))


@cache
def _quota() -> float:
    """CPU quota of the control groups (Linux), in cores."""
    quotas = [inf]
    for file in cgroup_files("cpu", "cpu.max", "cpu.cfs_quota_us"):
        with suppress(OSError, ValueError):  # "max": no limit
            quota, *period = file.read_text(encoding="ascii").split()
            period_length = period[0] if period else (file.parent / "cpu.cfs_period_us").read_text(encoding="ascii")
            if float(quota) > 0:
                quotas.append(float(quota) / float(period_length))
    return min(quotas)


def _worker_limit() -> int:
    text = os.environ.get(WORKER_VARIABLE, "").split(",")[0].strip()  # of nested parallel regions the outermost
    return int(text) if text.isdecimal() and int(text) > 0 else sys.maxsize


@dataclass
class _Job:
    """A list of items; each thread takes the next one when it is free."""

    work: Callable[[Any], Any]
    items: Sequence[Any]
    threads: int
    results: list[Any]
    failed: dict[int, BaseException] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    done: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)
    started: int = 0

    def next(self) -> int | None:
        with self.lock:
            if self.started < len(self.items) and not self.failed and not self.cancelled.is_set():
                self.started += 1
                return self.started - 1
            return None

    def run(self) -> None:
        """Process items until none is left; each thread calls this."""
        interrupts.set_cancellation(self.cancelled)
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
    """Daemon threads that wait for jobs."""

    def __init__(self) -> None:
        self.threads, self.broken = 0, False
        self._todo: SimpleQueue[tuple[Any, _Job] | None] = SimpleQueue()

    def grow(self, threads: int) -> None:
        while self.threads < threads:
            self.threads += 1
            threading.Thread(target=self._serve, daemon=True, name="spinsync pool").start()

    def submit(self, job: _Job) -> None:
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
            context.run(job.run)
            del given, context, job  # release the results while waiting


_pools: dict[str, _Pool] = {}
_lock = threading.Lock()


def _pool(kind: str, threads: int) -> _Pool:
    """The persistent pool: starting threads takes as long as a thousand trajectories."""
    with _lock:
        if kind not in _pools or _pools[kind].broken:
            _pools[kind] = _Pool()
        _pools[kind].grow(threads)
        return _pools[kind]


def parallel_map(
    work: Callable[[Any], T], items: Sequence[Any], watch: Callable[[], None] | None = None, io_threads: int | None = None
) -> list[T]:
    """[work(item) for item in items], several at once. Raises the error of the first item that failed.

    An interrupt takes effect at once: no further item is started, running ones are cancelled, and the pool is replaced.

    watch : called about ten times a second by the waiting thread
    io_threads : number of threads, regardless of the budget, for work that only waits for a disk
    """
    count = min(io_threads or thread_count(), len(items))
    if _pooled() or count < 1 or (count == 1 and watch is None):  # a pool thread that waits for its own pool would deadlock
        return [work(item) for item in items]
    pool, job = _pool("computing" if io_threads is None else "waiting", count), _Job(work, items, count, [None] * len(items))
    try:
        interrupts.start_and_wait(lambda: pool.submit(job), job.done, job.cancelled, watch)
    except BaseException:
        pool.end()
        raise
    if job.failed:
        raise job.failed[min(job.failed)]
    return job.results


def map_with_progress(work: Callable[[Any], T], items: Sequence[Any]) -> list[T]:
    """`parallel_map` that reports the completed fraction of the items; what happens within one is not reported."""
    done = list[None]()

    def counted(item: Any) -> T:
        with progress.silence():
            result = work(item)
        done.append(None)
        return result

    return parallel_map(counted, items, lambda: progress.report(len(done) / len(items), f"{len(done)} of {len(items)}"))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)  # a forked process has no threads of its parent
