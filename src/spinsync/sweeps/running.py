"""Running a sweep: finding out what the function returns, computing what is missing, and storing it."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
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
from spinsync.base.parallel import budget, thread_count
from spinsync.sweeps import executors, labels, stores
from spinsync.sweeps.blocks import Block, Layout, select
from spinsync.sweeps.durable import Log, StorageError, begin, locked, remove_drafts, storing
from spinsync.sweeps.grids import Grid, Index
from spinsync.sweeps.records import Record, check_same, record
from spinsync.sweeps.units import Arrays, Report, Runner, Unit, part
from spinsync.sweeps.work import Work

AT_ONCE = 16  # chunks that an executor computes at once, as long as it is not known what the function returns
NOTHING = Layout({}, xr.Dataset())


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

    def at_once(self) -> int:
        """Number of chunks that are computed at once to find out what the function returns."""
        if self.executor is not None:
            return AT_ONCE
        return 1 if self.work.question else budget()

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


def _first_block(
    work: Work,
    grid: Grid,
    pool: Pool,
    units: Iterable[Unit],
    failed: Callable[[Unit, Report], None] = lambda unit, report: None,
) -> tuple[Layout | None, list[tuple[Unit, Report]]]:
    """The layout of the function's variables, and the reports of the chunks that had to be computed to find it.

    One chunk is computed, and while all points fail, twice as many at once, of which successes are stored when all have ended.
    The first one, in the order of the chunks, decides; those that returned something else do not fit and are computed again.

    failed : takes each chunk without a success at once
    """
    waiting, count, reports = iter(units), 1, list[tuple[Unit, Report]]()
    while batch := [replace(unit, todo=None) for unit in islice(waiting, count)]:  # what is known so far are failures
        runner = Runner(replace(work, variables=None), None, None, pool.threads(len(batch)))
        found = dict[Index, Report]()

        def take(unit: Unit, report: Any, runner: Runner = runner, found: dict[Index, Report] = found) -> None:
            found[unit.index] = _dead(runner, unit, report) if isinstance(report, executors.WorkerDiedError) else report
            if _layout(found[unit.index]) is None:
                failed(unit, found[unit.index])

        pool.run(runner, iter(batch), take, lambda: None)
        layout = next((one for unit in batch if (one := _layout(found[unit.index])) is not None), None)
        for unit in batch:
            own = _layout(found[unit.index])
            if layout is None or own is None or own.digest == layout.digest:
                reports.append((unit, found[unit.index]))
        if layout is not None:
            return _kept(work, grid, layout), reports
        count = min(2 * count, pool.at_once())
    return None, reports


def _layout(report: Report) -> Layout | None:
    return None if report.block is None else report.block.layout


def _kept(work: Work, grid: Grid, layout: Layout) -> Layout:
    """The layout of the variables that are kept. Raises InputError if their names don't fit."""
    for name in work.variables or ():
        checks.one_of("variables", name, list(layout.variables))
    clash = sorted({*grid.dims} & {*layout.variables, *(d for v in layout.variables.values() for d in v.dims)})
    if clash:
        raise checks.InputError(f"Argument `axes` must not be named like a variable or dim of the function: {clash[0]}.")
    return layout if work.variables is None else select(layout, work.variables)


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
    layout, reports = _first_block(work, grid, pool, _all(grid))
    known = {unit.index for unit, _ in reports}
    found = layout or NOTHING
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
        pool.run(runner, (unit for unit in _all(grid) if unit.index not in known), put, shown.watch)
    values = {name: ((*grid.dims, *spec.dims), arrays.variables[name], spec.attrs) for name, spec in found.variables.items()}
    own = {
        stores.STATUS: (grid.dims, arrays.status, dict(stores.OWN[stores.STATUS])),
        stores.FAILURE: (grid.dims, arrays.failures, stores.OWN[stores.FAILURE]),
    }
    return xr.Dataset({**values, **own}, labels.coordinates(grid, layout).coords, labels.attrs(work, grid, record(work, grid)))


def _whole(report: Report) -> tuple[Block, Array]:
    """Block and status of a report that was not written."""
    assert report.block is not None
    assert report.status is not None
    return report.block, report.status


def _selected(report: Report, layout: Layout | None) -> tuple[Block, Array]:
    """Block and status of a report, with the variables of the layout only."""
    block, status = _whole(report)
    if layout is None or block.layout is None:
        return block, status
    return replace(block, layout=layout, variables={name: block.variables[name] for name in layout.variables}), status


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
    layout = None if new["layout"] is None else stores.load_layout(path, grid, new["layout"])

    def prepare(new: Record) -> None:
        with storing():
            stores.prepare(path, grid, layout, labels.coordinates(grid, layout), labels.attrs(work, grid, new))

    prepare(new)
    reports: list[tuple[Unit, Report]] = []
    if layout is None:
        lost = new["layout"] is not None  # variables are missing or damaged in the store
        failures = Runner(work, NOTHING, _begun(path), None)
        first = _all(grid) if lost else _missing(path, grid, None, retry_failed)
        layout, reports = _first_block(work, grid, pool, first, lambda unit, report: failures.write(unit, *_whole(report)))
        prepare({**new, "layout": None if layout is None else layout.digest})
        if layout is not None:
            _give_variables(path, grid, Runner(work, layout, _begun(path), None))
    address, known = _begun(path), {unit.index for unit, _ in reports}
    units = [unit for unit in _missing(path, grid, layout, retry_failed) if unit.index not in known]
    runner = Runner(work, layout or NOTHING, address, pool.threads(max(1, len(units))))
    points = sum(unit.points for unit in units) + sum(report.points for _, report in reports)
    log.write(
        "start",
        points=points,
        chunks=len(units) + len(reports),
        host=socket.gethostname(),
        process=os.getpid(),
        version=new["version"],
    )
    with progress.progress("sweep"):
        shown = _Progress(points, log)

        def done(unit: Unit, report: Any) -> None:
            if isinstance(report, executors.WorkerDiedError):
                report = _dead(runner, unit, report)
                runner.write(unit, report.block, report.status)
            shown.add(unit, report)

        for unit, report in reports:
            if _layout(report) is not None:
                runner.write(unit, *_selected(report, layout))
            done(unit, report)
        pool.run(runner, iter(units), done, shown.watch)
    log.write("end", points=shown.done, failed=shown.failed, seconds=round(perf_counter() - shown.start, 3))


def _begun(path: Path) -> stores.Address:
    """An address for writing to a store whose arrays do not change any more."""
    address = stores.Address(str(path), stores.uuid_of_call())
    begin(path, address.token)
    return address


def _give_variables(path: Path, grid: Grid, runner: Runner) -> None:
    """Write the variables, which are blank, of chunks that failed before it was known which variables there are."""
    assert runner.address is not None
    for state in stores.states(path, grid, None):
        if state.status is not None and (state.status == stores.FAILED).all():
            unit = part(grid, state.index)
            block, status = stores.read(runner.address, unit.where, NOTHING)
            runner.write(unit, replace(block, layout=None), status)


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
