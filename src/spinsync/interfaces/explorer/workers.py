"""Threads that compute for all open pages: few, shared in turns, and what is quick does not wait for what is slow."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from spinsync.base.interrupts import set_cancellation

QUICK, SLOW, DOWNLOADS = 4, max(2, min(4, os.cpu_count() or 1)), 2  # threads
SHORT, CALM = 0.04, 1.0  # seconds: of what counts as quick; without any work, until what nobody waits for is begun


def step_back() -> None:
    """Let the system prefer other threads to this one, above all the one that answers the browser."""
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 5)


class Job:
    """A call in another thread. It ends with a result or an error, and may be cancelled on the way."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work: Callable[[], Any] | None = work
        self.cancelled = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None
        self.seconds = 0.0
        self.future: Future[None] = Future()

    def run(self) -> None:
        """Compute, in the thread that calls this."""
        work, self.work = self.work, None
        begin = time.perf_counter()
        set_cancellation(self.cancelled)  # compiled loops look at this, as they do after Ctrl-C
        try:
            if work is not None and not self.cancelled.is_set():
                self.result = work()
        except BaseException as error:
            self.error = error.with_traceback(None)  # which would keep all that was computed
        set_cancellation(threading.Event())  # what else this thread computes goes on
        self.seconds = time.perf_counter() - begin

    def cancel(self) -> None:
        """Nobody waits any longer."""
        self.cancelled.set()
        self.future.cancel()

    @property
    def done(self) -> bool:
        return self.future.done()


class Workers:
    """Pools of threads. Each page has at most one slow call in them, so that pages take turns."""

    def __init__(self) -> None:
        self.pools = {
            "quick": ThreadPoolExecutor(QUICK, "explorer-quick"),
            "slow": ThreadPoolExecutor(SLOW, "explorer-slow", initializer=step_back),
            "downloads": ThreadPoolExecutor(DOWNLOADS, "explorer-downloads", initializer=step_back),
        }
        self.took: dict[tuple[str, str], float] = {}  # seconds of each kind of step, the last time
        self._quiet = threading.Condition()
        self._active, self._last = 0, time.monotonic()
        self._aside: Job | None = None

    def start(self, work: Callable[[], Any], pool: str, then: Callable[[], None] = lambda: None) -> Job:
        """Compute when it is this call's turn; `then` is called in some thread when it is over."""
        job = Job(work)
        with self._quiet:
            self._active, self._last = self._active + 1, time.monotonic()
            if self._aside is not None:
                self._aside.cancelled.set()
        job.future = self.pools[pool].submit(job.run)
        job.future.add_done_callback(lambda _: self._over(then))
        return job

    def pool(self, kind: tuple[str, str], first: bool) -> str:
        """Where a step is computed: by what it took last time; the first one of a page is quick until it proves slow."""
        return "quick" if self.took.get(kind, 0.0 if first else SHORT) < SHORT else "slow"

    def aside(self, work: Callable[[], Any]) -> Job:
        """Compute in this thread while no page computes anything; cancelled as soon as one does."""
        job = Job(work)
        with self._quiet:
            while self._active or time.monotonic() - self._last < CALM:
                self._quiet.wait(CALM)
            self._aside = job
        job.run()
        with self._quiet:
            self._aside = None
        return job

    def close(self) -> None:
        """Forget what waits; what runs ends by itself."""
        for pool in self.pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def _over(self, then: Callable[[], None]) -> None:
        with self._quiet:
            self._active, self._last = self._active - 1, time.monotonic()
            self._quiet.notify_all()
        then()
