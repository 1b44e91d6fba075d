"""Running the units of a sweep: in threads, in processes, or by anything that has `submit`, such as a Dask client."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

from spinsync.base import checks
from spinsync.base.notices import warn
from spinsync.base.parallel import budget, parallel_map

WINDOW = 1000  # units in flight at most
POLL = 0.2  # seconds between two looks at futures that can't call back
PATIENCE = 30.0  # seconds without a result after which a scheduler is asked whether it has workers
DEATHS = ("KilledWorker", "UncompletedJobError", "FailedJobError")  # names of errors that say that a worker has died

Run = Callable[[Any], Any]  # computes a unit, in whatever process
Done = Callable[[Any, Any], None]  # takes a unit and its report, or the error that ended its worker


class WorkerDiedError(Exception):
    """A worker ended without an answer: killed by the system or a scheduler, out of memory or of time."""


def run_in_threads(run: Run, units: Iterable[Any], done: Done, watch: Callable[[], None]) -> None:
    """Compute all units in the threads of this process."""

    def one(unit: Any) -> None:
        done(unit, run(unit))

    parallel_map(one, list(units), watch)


def run_by_futures(submit: Callable[..., Any], run: Run, units: Iterable[Any], done: Done, watch: Callable[[], None],
                   window: int = WINDOW) -> None:  # fmt: skip
    """Compute all units by futures, at most `window` at a time. An error that ends an executor is raised."""
    waiting, flying, ready = iter(units), dict[int, tuple[Any, Any]](), SimpleQueue[int]()
    polled = deque[int]()
    count = 0
    try:
        while True:
            while len(flying) < window and (unit := next(waiting, None)) is not None:
                future, count = submit(run, unit), count + 1
                flying[count] = unit, future
                if hasattr(future, "add_done_callback"):
                    future.add_done_callback(lambda _, key=count: ready.put(key))
                else:
                    polled.append(count)
            if not flying:
                return
            for key in _finished(ready, polled, flying):
                unit, future = flying[key]
                report = _answer(future)
                del flying[key], future
                done(unit, report)
            watch()
    finally:
        for _, future in flying.values():
            with suppress(Exception):
                future.cancel()


def _finished(ready: SimpleQueue[int], polled: deque[int], flying: dict[int, Any]) -> Iterator[int]:
    """The futures that have ended, after a short wait."""
    with suppress(Empty):
        yield ready.get(timeout=POLL)
        while True:
            yield ready.get_nowait()
    ended = [key for key in polled if flying[key][1].done()]
    for key in ended:
        polled.remove(key)
        yield key


def _answer(future: Any) -> Any:
    """The report of a unit, or the WorkerDiedError where its worker died; a broken executor's error is raised."""
    try:
        return future.result()
    except BrokenExecutor:
        raise
    except Exception as error:
        if type(error).__name__ in DEATHS:
            return WorkerDiedError(f"the worker died ({checks.one_line(str(error), 300)})")
        raise


def _end_with(parent: int) -> None:
    """End this process soon after its parent, which can't do so if it is killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(POLL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="spinsync watches its parent").start()


def check_sendable(run: Run) -> None:
    """Raise an InputError if a function, or what it holds, can't be sent to another process."""
    from cloudpickle import dumps

    try:
        dumps(run)
    except Exception as error:
        text = checks.one_line(str(error), 200)
        raise checks.InputError(
            f"Argument `function` must be one that can be sent to other processes, with its options, but is not ({text})."
        ) from None


class Processes:
    """A pool of processes with one numerical thread each, started when needed and ended with all its processes."""

    def __init__(self) -> None:
        self._pool: Any = None

    def run(self, run: Run, units: Iterable[Any], done: Done, watch: Callable[[], None]) -> None:
        """Compute all units.

        Where a process dies, all units in flight are lost with it: they are computed again one at a time, and one that kills
        its process again is given up, with a WorkerDiedError as its report.
        """
        check_sendable(run)
        waiting, suspects = iter(units), deque[Any]()
        while True:
            flying: list[Any] = []

            def keep(unit: Any, report: Any, flying: list[Any] = flying) -> None:
                flying.remove(unit)
                done(unit, report)

            def noted(source: Iterable[Any], flying: list[Any] = flying) -> Iterator[Any]:
                for unit in source:
                    flying.append(unit)
                    yield unit

            alone = bool(suspects)
            try:
                run_by_futures(self._submit, run, noted([suspects[0]] if alone else waiting), keep, watch, 2 * budget())
            except BrokenExecutor:
                self.close()
                if not alone:
                    suspects.extend(flying)
                    continue
                done(suspects[0], WorkerDiedError("the process was killed, ran out of memory, or crashed in compiled code"))
            if not alone:
                return
            suspects.popleft()

    def _submit(self, run: Run, unit: Any) -> Any:
        if self._pool is None:
            from loky import ProcessPoolExecutor

            names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "SPINSYNC_THREADS")
            self._pool = ProcessPoolExecutor(  # one waits for the disk
                max_workers=budget() + 1, env=dict.fromkeys(names, "1"), initializer=_end_with, initargs=(os.getpid(),)
            )
        return self._pool.submit(run, unit)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, kill_workers=True)
            self._pool = None


def processes_possible() -> bool:
    """Whether functions can run in processes of their own; says once what is missing."""
    try:
        import loky  # noqa: F401
    except ImportError:
        warn("sweep computes one point after the other, as the package loky is missing: pip install loky uses all cores.")
        return False
    return budget() > 1


@contextmanager
def checked_executor(executor: Any) -> Iterator[Any]:
    """An executor with `submit`, or None; an address is that of a Dask scheduler, to which a client is connected meanwhile."""
    if not isinstance(executor, str):
        if executor is not None and not callable(getattr(executor, "submit", None)):
            raise checks.argument_error(
                "executor", "None, an object with a method submit, or the address of a scheduler", executor
            )
        yield executor
        return
    try:
        from distributed import Client
    except ImportError:
        raise checks.InputError(
            f"Argument `executor` needs the package dask.distributed for an address, but it is missing: "
            f"pip install distributed; executor={checks.short_repr(executor)}."
        ) from None
    try:
        client: Any = Client(executor, timeout=10, set_as_default=False)  # type: ignore[no-untyped-call]
    except Exception as error:  # an AssertionError among others, where the scheduler can't be reached
        text = checks.one_line(str(error) or type(error).__name__, 200)
        raise checks.InputError(
            f"Argument `executor` must be the address of a running scheduler, but is executor={executor!r} ({text})."
        ) from None
    with client:
        yield client


def _is_dask(executor: Any) -> bool:
    return type(executor).__module__.startswith("distributed")


def run_elsewhere(executor: Any, name: str, run: Run, units: Iterable[Any], done: Done, watch: Callable[[], None]) -> None:
    """Compute all units by an executor of the user."""
    if _is_dask(executor):
        _run_on_dask(executor, name, run, units, done, watch)
    else:
        run_by_futures(executor.submit, run, units, done, watch)


def _run_on_dask(client: Any, name: str, run: Run, units: Iterable[Any], done: Done, watch: Callable[[], None]) -> None:
    """Compute all units by the workers of a Dask scheduler.

    The scheduler blames the death of a worker on every unit that the worker held, also on those that were only waiting for
    their turn. Those that it gives up are therefore computed once more, so few at a time that each has a worker to itself: one
    that kills its workers is blamed again.
    """
    check_sendable(run)
    blamed, submitted = list[tuple[Any, Any]](), 0
    patience = _Patience(client)

    def submit(run: Run, unit: Any) -> Any:  # each under a name of its own, so that Dask looks for no equal ones
        nonlocal submitted
        submitted += 1
        return client.submit(run, unit, pure=False, key=f"{name} {unit.index} {uuid4().hex[:8]}")

    def keep(unit: Any, report: Any) -> None:
        patience.renew()
        if isinstance(report, WorkerDiedError):
            blamed.append((unit, report))
        else:
            done(unit, report)

    def look() -> None:
        watch()
        patience.look()

    run_by_futures(submit, run, units, keep, look)
    if submitted == 1:  # it was alone
        for unit, report in blamed:
            done(unit, report)
        return
    run_by_futures(submit, run, [unit for unit, _ in blamed], done, look, max(1, len(client.ncores()) // 2))


class _Patience:
    """Says once if nothing is done because a scheduler has no workers, which may wait in a queue or have given up."""

    def __init__(self, client: Any) -> None:
        self._client, self._said = client, False
        self.renew()

    def renew(self) -> None:
        self._since = time.monotonic()

    def look(self) -> None:
        if self._said or time.monotonic() - self._since < PATIENCE:
            return
        self.renew()
        if not self._client.ncores():
            self._said = True
            warn("The Dask scheduler has no workers; the sweep goes on as soon as it has some, and Ctrl-C loses nothing.")
