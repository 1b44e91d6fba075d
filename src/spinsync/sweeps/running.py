"""Running a sweep: finding out what the function returns, computing what is missing, and storing it."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Any

import xarray as xr

from spinsync.base import checks, progress
from spinsync.base.arrays import Array
from spinsync.base.memory import check_memory
from spinsync.base.notices import Kept
from spinsync.base.parallel import thread_count
from spinsync.sweeps import executors, labels, stores
from spinsync.sweeps.blocks import Layout, select
from spinsync.sweeps.durable import Log, StorageError, begin, locked, remove_drafts, storing
from spinsync.sweeps.grids import Grid
from spinsync.sweeps.records import Record, check_same, record
from spinsync.sweeps.units import Arrays, Report, Runner, Unit, part
from spinsync.sweeps.work import Work


@dataclass(frozen=True)
class Pool:
    """Where units are computed, and the warnings of their points, one of each kind."""

    work: Work
    executor: Any
    processes: executors.Processes
    warnings: Kept = field(default_factory=dict)

    def threads(self, chunks: int) -> int | None:
        """Threads of each unit: several only where there are fewer units than threads of this process."""
        if self.executor is not None or not self.work.question:
            return 1
        return max(1, thread_count() // chunks)

    def run(self, runner: Runner, units: Iterator[Unit], done: executors.Done, watch: Callable[[], None]) -> None:
        def heard(unit: Unit, report: Any) -> None:
            for kind, warning in getattr(report, "warnings", {}).items():
                self.warnings.setdefault(kind, warning)
            done(unit, report)

        if self.executor is not None:
            executors.run_elsewhere(self.executor, self.work.name, runner, units, heard, watch)
        elif self.work.question is None and executors.processes_possible():
            self.processes.run(runner, units, heard, watch)
        else:
            executors.run_in_threads(runner, units, heard, watch)


def _first_block(work: Work, grid: Grid, pool: Pool, units: Iterable[Unit]) -> tuple[Layout | None, list[tuple[Unit, Any]]]:
    """The layout of the function's variables, and the reports of the chunks that had to be computed to find it."""
    whole, reports = replace(work, variables=None), list[tuple[Unit, Any]]()
    runner = Runner(whole, None, None, pool.threads(1))
    for known in units:
        unit = replace(known, todo=None)  # as long as there is no layout, what is known are failures
        pool.run(runner, iter([unit]), lambda unit, report: reports.append((unit, report)), lambda: None)
        report = reports[-1][1]
        if isinstance(report, Report) and report.block is not None and report.block.layout is not None:
            layout = report.block.layout
            for name in work.variables or ():
                checks.one_of("variables", name, list(layout.variables))
            clash = sorted({*grid.dims} & {*layout.variables, *(d for v in layout.variables.values() for d in v.dims)})
            if clash:
                raise checks.InputError(
                    f"Argument `axes` must not be named like a variable or dim of the function: {clash[0]}."
                )
            return (layout if work.variables is None else select(layout, work.variables)), reports
    return None, reports


def explained(work: Work, grid: Grid, pool: Pool, path: Path | None, retry_failed: bool, chunk: int | None) -> xr.Dataset:
    """What a sweep would compute, and the time of its first chunk; nothing is written."""
    old, layout = None if path is None else _recorded(path), None
    if path is None or old is None:
        units, count, points = [next(_all(grid))], prod(grid.chunks), grid.points
    else:
        grid, _ = _continued(work, grid, path, chunk, old)
        layout = None if old["layout"] is None else stores.load_layout(path, grid, old["layout"])
        lost = old["layout"] is not None and layout is None
        units = list(_all(grid) if lost else _missing(path, grid, layout, retry_failed))
        count, points = len(units), sum(unit.points for unit in units)
    start, seconds = perf_counter(), 0.0
    if units:
        layout = _first_block(work, grid, pool, units[:1])[0] or layout
        seconds = perf_counter() - start
    workers = 1 if pool.executor is not None else min(thread_count(), max(count, 1))
    where = "on this machine" if pool.executor is None else "by one worker of the executor"
    size = (0 if layout is None else layout.bytes()) + 1
    variables = {
        "points": (points, "number of points to compute", "1"), "chunk_count": (count, "number of chunks to compute", "1"),
        "points_per_chunk": (prod(grid.chunk), "points of a chunk", "1"),
        "seconds_per_chunk": (seconds, "time of the first chunk, with compilation and start of processes", "s"),
        "seconds": (seconds * count / workers, f"estimated time of all chunks {where}", "s"),
        "bytes": (size * grid.points, "bytes of the results at all points, not compressed", "B"),
    }  # fmt: skip
    return xr.Dataset({n: ((), value, {"long_name": text, "units": unit}) for n, (value, text, unit) in variables.items()})


class _Progress:
    """Counts what is done, shows it, and logs it."""

    def __init__(self, points: int, log: Log | None = None) -> None:
        self.log, self.total = log, points
        self.done = self.failed = 0
        self.start, self.lock = perf_counter(), Lock()

    def add(self, unit: Unit, report: Report) -> None:
        with self.lock:
            self.done += report.points
            self.failed += report.failed
            if self.log is not None:
                self.log.write("chunk", index=list(unit.index), points=report.points, failed=report.failed,
                               seconds=round(report.seconds, 4), host=report.host, process=report.process)  # fmt: skip

    def watch(self) -> None:
        rate = self.done / max(perf_counter() - self.start, 1e-9)
        failed = f", {self.failed} failed" if self.failed else ""
        progress.report(self.done / max(self.total, 1), f"{self.done} of {self.total} points, {rate:.3g}/s{failed}")


def _all(grid: Grid) -> Iterator[Unit]:
    return (part(grid, index) for index in grid.indices())


def in_memory(work: Work, grid: Grid, pool: Pool) -> xr.Dataset:
    units = _all(grid)
    layout, reports = _first_block(work, grid, pool, units)
    found = layout or Layout({}, xr.Dataset())
    check_memory("axes", grid.points, float(found.bytes() + 20), "points")
    arrays = Arrays(grid, found)
    runner = Runner(work, found, None, pool.threads(max(1, prod(grid.chunks) - 1)))

    def put(unit: Unit, report: Any) -> None:
        if isinstance(report, executors.WorkerDiedError):
            report = _dead(runner, unit, report)
        arrays.put(unit, *_selected(report, layout))
        shown.add(unit, report)

    with progress.progress("sweep"):
        shown = _Progress(grid.points)
        for unit, report in reports:
            put(unit, report)
        pool.run(runner, units, put, shown.watch)
    values = {name: ((*grid.dims, *spec.dims), arrays.variables[name], spec.attrs) for name, spec in found.variables.items()}
    own = {
        stores.STATUS: (grid.dims, arrays.status, dict(stores.OWN[stores.STATUS])),
        stores.FAILURE: (grid.dims, arrays.failures, stores.OWN[stores.FAILURE]),
    }
    return xr.Dataset({**values, **own}, labels.coordinates(grid, layout).coords, labels.attrs(work, grid, record(work, grid)))


def _selected(report: Report, layout: Layout | None) -> tuple[Any, Array]:
    """Block and status of a report, with the variables of the layout only."""
    assert report.block is not None
    assert report.status is not None
    if layout is None or report.block.layout is None:
        return report.block, report.status
    kept = {name: report.block.variables[name] for name in layout.variables}
    return replace(report.block, layout=layout, variables=kept), report.status


def _dead(runner: Runner, unit: Unit, error: Exception) -> Report:
    """The report of a unit whose worker died."""
    block, status = runner.given_up(unit, str(error))
    return Report(unit.points, unit.points, 0.0, "", 0, block, status)


def _recorded(path: Path) -> Record | None:
    """The record of a store, None if there is nothing yet. Raises InputError if there is anything else."""
    old = stores.recorded(path)
    if old is None and os.path.exists(path):  # unlike Path.exists it doesn't raise for a name that is too long
        raise checks.InputError(
            f"Argument `store` must be new or hold a sweep, but {checks.short_repr(str(path), 200)} does not."
        )
    return old


def _continued(work: Work, grid: Grid, path: Path, chunk: int | None, old: Record) -> tuple[Grid, Record]:
    """The grid with the chunks of a store, and the record of this call. Raises InputError if the store holds another sweep."""
    if chunk in (None, old["most"]) and len(old["chunk"]) == len(grid.shape):
        grid = replace(grid, chunk=tuple(old["chunk"]))  # also if the axes are longer
    new = {**record(work, grid), "most": old["most"] if chunk is None else chunk}
    check_same(old, new, grid, str(path))
    return grid, new


def stored(work: Work, grid: Grid, pool: Pool, path: Path, retry_failed: bool, chunk: int | None) -> xr.Dataset:
    created = _recorded(path) is None
    if created:
        stores.create(path, {**record(work, grid), "most": chunk, "layout": None})
    with locked(path):
        old = stores.recorded(path)
        assert old is not None
        grid, new = _continued(work, grid, path, chunk, old)
        remove_drafts(path)
        try:
            with closing(Log(path)) as log:
                _fill(work, grid, pool, path, {**new, "layout": old["layout"]}, log, retry_failed)
        except checks.InputError:  # what a function returns, and whether that fits, is known when it was called
            if created:
                shutil.rmtree(path, ignore_errors=True)
            raise
        except StorageError as error:
            raise checks.InputError(
                f"Argument `store` must be writable, but {checks.short_repr(str(path), 200)} is not ({error}); "
                "what is done is kept, and the same call goes on."
            ) from None
        except KeyboardInterrupt as stop:
            raise KeyboardInterrupt(f"What is done is kept in {path}, and the same call goes on.") from stop
    found: xr.Dataset = xr.open_zarr(path, consolidated=False, chunks=None)
    return found[[*sorted(set(map(str, found.data_vars)) - set(stores.OWN)), *stores.OWN]]  # not in the order of a folder


def _fill(work: Work, grid: Grid, pool: Pool, path: Path, new: Record, log: Log, retry_failed: bool) -> None:
    """Compute all that is missing in a store."""
    address = stores.Address(str(path), stores.uuid_of_call())
    begin(path, address.token)
    layout = None if new["layout"] is None else stores.load_layout(path, grid, new["layout"])

    def prepare(new: Record) -> None:
        with storing():
            stores.prepare(path, grid, layout, labels.coordinates(grid, layout), labels.attrs(work, grid, new))

    prepare(new)
    reports: list[tuple[Unit, Any]] = []
    if layout is None:
        lost = new["layout"] is not None  # variables are missing or damaged in the store
        layout, reports = _first_block(work, grid, pool, _all(grid) if lost else _missing(path, grid, None, retry_failed))
        prepare({**new, "layout": None if layout is None else layout.digest})
    units = list(_missing(path, grid, layout, retry_failed))
    runner = Runner(work, layout or Layout({}, xr.Dataset()), address, pool.threads(max(1, len(units))))
    points = sum(unit.points for unit in units)
    log.write("start", points=points, chunks=len(units), host=socket.gethostname(), process=os.getpid(), version=new["version"])
    with progress.progress("sweep"):
        shown = _Progress(points, log)

        def done(unit: Unit, report: Any) -> None:
            if isinstance(report, executors.WorkerDiedError):
                report = _dead(runner, unit, report)
                runner.write(unit, report.block, report.status)
            shown.add(unit, report)

        finished = set()
        for unit, report in reports:
            if isinstance(report, Report):
                runner.write(unit, *_selected(report, layout))
            done(unit, report)
            finished.add(unit.index)
        pool.run(runner, (unit for unit in units if unit.index not in finished), done, shown.watch)
    log.write("end", points=shown.done, failed=shown.failed, seconds=round(perf_counter() - shown.start, 3))


def _missing(path: Path, grid: Grid, layout: Layout | None, retry_failed: bool) -> Iterator[Unit]:
    """The units of all chunks that have points to compute."""
    for state in stores.states(path, grid, layout):
        if state.status is None:
            yield part(grid, state.index)
            continue
        todo = state.status == stores.PENDING
        if retry_failed:
            todo |= state.status == stores.FAILED
        if todo.any():
            yield part(grid, state.index, None if todo.all() else todo)
