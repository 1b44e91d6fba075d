"""sweep: any question or function over any axes, stored so that nothing is lost and an interrupted run goes on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.memory import check_memory
from spinsync.base.parallel import thread_count
from spinsync.base.progress import progress
from spinsync.model.ensembles import Ensemble
from spinsync.model.parameters import PARAMETERS
from spinsync.questions.options import warn_of_cavities
from spinsync.questions.regimes import checked_start
from spinsync.results.datasets import axes_record, initial_record, theory_record
from spinsync.results.variables import attributes
from spinsync.sweeps import executors, stores
from spinsync.sweeps.blocks import Layout, select
from spinsync.sweeps.durable import Log, locked, remove_drafts
from spinsync.sweeps.grids import REALIZATION, Grid, checked_axis, chunk_shape
from spinsync.sweeps.phase_diagrams import _checked_axes as checked_axes
from spinsync.sweeps.phase_diagrams import _dims as dims_of
from spinsync.sweeps.records import Record, check_same, record
from spinsync.sweeps.units import Arrays, Report, Runner, StorageError, Unit, part
from spinsync.sweeps.work import Work, check_arguments, checked_function, checked_names, question_name, takes_seed, uses_seed
from spinsync.theory.mean_field.theory import MAPS, MeanField
from spinsync.theory.options import with_defaults
from spinsync.theory.protocol import ANSWERS, check_theory

REFUSED = ("sweep", "phase_diagram")  # questions that have axes of their own


def sweep(
    function: Callable[..., Any],
    axes: Mapping[str, Any],
    *,
    model: Ensemble | None = None,
    realizations: int = 1,
    store: str | Path | None = None,
    executor: Any = None,
    variables: Any = None,
    seed: int = 0,
    retry_failed: bool = False,
    explain: bool = False,
    chunk: int | None = None,
    **options: Any,
) -> xr.Dataset:
    """A question or any other function at all combinations of the values of named axes; stored, it goes on where it stopped.

    Parameters
    ----------
    function : callable
        A question such as `ss.regime`, or a function that returns a number, an array or an xarray.Dataset, with the same
        variables everywhere. With `model` it is called as ``function(model.replace(**point), **options)``, else as
        ``function(**point, **options)``.
    axes : mapping of str to list
        Names of parameters and their values: for a model what `phase_diagram` takes; for a function numbers or texts.
    model : Ensemble, optional
    realizations : int
        Number of disorder realizations, a further dim `realization`. The function must take `seed`, which is made of
        (`seed`, realization) alone, and equals `seed` for the first one: points share their disorder.
    store : path, optional
        A folder for a Zarr store, which `xarray.open_zarr` opens at any time. If it holds the same sweep it is continued; axes
        and realizations may be longer than before; any other difference is an error. None: results in memory only.
    executor : optional
        Anything with `submit(function, argument)` that returns futures, such as a Dask client, or the address of a Dask
        scheduler ("tcp://..."): its workers must see the folder of the store. None: threads for questions; for other functions
        processes with one thread each, if the package loky is installed.
    variables : list of str, optional
        The variables to keep; by default all.
    seed : int
        See `realizations`; an option of functions that take one.
    retry_failed : bool
        Compute points again that failed before.
    explain : bool
        Compute one chunk only, store nothing, and tell numbers of points and chunks, the time of the chunk, an estimate of the
        time of all on this machine, and the bytes of all.
    chunk : int, optional
        Largest number of points of a chunk, the unit of work that is computed and written at once. By default at most 16384,
        and so many that there are at least 256 chunks, if there are as many points.
    **options
        Passed to the function.

    Returns
    -------
    xarray.Dataset
        The variables of the function, with the axes as their first dims (the axis `frequency` of a model is called
        A.frequency), NaN where a point failed; point_status (0 pending, 1 done, 2 failed) and point_failure, the reason as
        text. Arrays of a store are read when they are used. A number is a variable of the function's name.

    Raises
    ------
    InputError
        If an argument does not fit, the store holds another sweep, is in use by another process, or can't be written.

    Notes
    -----
    A chunk counts as done when its data are on disk, with checksums: after a crash at any moment, the same call goes on. What
    differs from run to run is in `sweep/log.jsonl` in the store. Results neither depend on the executor nor on interruptions.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> found = ss.sweep(ss.limit_cycle, {"coupling": [2.0, 6.0, 12.0]}, model=one, variables=["amplitude"])
    >>> found.amplitude.values.round(4)
    array([0.    , 0.2041, 0.1667])
    """
    work, values = _checked(function, axes, model, realizations, variables, seed, options)
    points = None if chunk is None else checks.whole("chunk", chunk, 1)
    grid = Grid(values, chunk_shape(tuple(axis.size for axis in values.values()), points, batch=work.question == "regime"))
    work = replace(work, total=grid.points)
    for name, value in (("retry_failed", retry_failed), ("explain", explain)):
        checks.flag(name, value)
    if retry_failed and store is None:
        raise checks.InputError("Argument `retry_failed` must go with `store`, but is retry_failed=True without one.")
    with executors.checked_executor(executor) as connected, closing(executors.Processes()) as processes:
        pool = _Pool(work, connected, processes)
        if explain:
            return _explained(work, grid, pool)
        path = None if store is None else checks.path("store", store).absolute()
        return _in_memory(work, grid, pool) if path is None else _stored(work, grid, pool, path, retry_failed, chunk is None)


def _checked(
    function: Any, axes: Any, model: Any, realizations: Any, variables: Any, seed: Any, options: Mapping[str, Any]
) -> tuple[Work, dict[str, Array]]:
    """The work and the axes by their dims; raises InputError for arguments that don't fit or have no effect."""
    function, realizations = checked_function(function), checks.whole("realizations", realizations, 1)
    question = question_name(function)
    if question in REFUSED:
        raise checks.argument_error("function", "a function without axes of its own, such as ss.regime", function)
    if model is None:
        if not isinstance(axes, Mapping) or not axes:
            raise checks.argument_error("axes", "a mapping of at least one argument of the function to its values", axes)
        given = {str(name): checked_axis(str(name), axis) for name, axis in axes.items()}
        dims = tuple(given)
    else:
        given = checked_axes(checks.instance("model", model, Ensemble, "an Ensemble"), axes)
        warn_of_cavities(model, given)
        dims = dims_of(given)
    check_arguments(function, () if model is not None else dims, options)
    if question in ANSWERS and "theory" in options:
        check_theory(options["theory"], question)
    seeded, seed = uses_seed(function, options), checks.seed(seed)
    if not seeded and (seed or realizations > 1):
        name, value = ("realizations", realizations) if realizations > 1 else ("seed", seed)
        why = "is random" if takes_seed(function) else "takes an argument seed"
        raise checks.argument_error(name, f"left at its default, as nothing in the function {why}", value)
    if REALIZATION in dims:
        raise checks.InputError(f"Argument `axes` must not hold {REALIZATION}, but does: use the argument realizations.")
    values = dict(zip(dims, given.values(), strict=True))
    if realizations > 1:
        values[REALIZATION] = np.arange(realizations)
    kept = None if variables is None else checked_names("variables", variables)
    parameters = {} if model is None else dict(zip(dims, given, strict=True))
    return Work(function, model, dict(options), seeded, seed, kept, parameters), values


@dataclass(frozen=True)
class _Pool:
    """Where units are computed."""

    work: Work
    executor: Any
    processes: executors.Processes

    def threads(self, chunks: int) -> int | None:
        """Threads of each unit: several only where there are fewer units than threads of this process."""
        if self.executor is not None or not self.work.question:
            return 1
        return max(1, thread_count() // chunks)

    def run(self, runner: Runner, units: Iterator[Unit], done: executors.Done, watch: Callable[[], None]) -> None:
        if self.executor is not None:
            executors.run_by_futures(executors.submitter(self.executor, self.work.name), runner, units, done, watch)
        elif self.work.question is None and executors.processes_possible():
            self.processes.run(runner, units, done, watch)
        else:
            executors.run_in_threads(runner, units, done, watch)


def _first_block(work: Work, grid: Grid, pool: _Pool) -> tuple[Layout | None, list[tuple[Unit, Any]]]:
    """The layout of the function's variables, and the reports of the chunks that had to be computed to find it."""
    whole, reports = replace(work, variables=None), list[tuple[Unit, Any]]()
    runner = Runner(whole, grid, None, None, pool.threads(1))
    for index in grid.indices():
        unit = part(grid, index)
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


def _explained(work: Work, grid: Grid, pool: _Pool) -> xr.Dataset:
    start = perf_counter()
    layout, reports = _first_block(work, grid, pool)
    seconds = (perf_counter() - start) / len(reports)
    chunks = int(np.prod(grid.chunks, dtype=int))
    workers = 1 if pool.executor is not None else min(thread_count(), chunks)
    size = (0 if layout is None else layout.bytes()) + 1
    variables = {
        "points": (grid.points, "number of points", "1"), "chunks": (chunks, "number of chunks", "1"),
        "points_per_chunk": (int(np.prod(grid.chunk, dtype=int)), "points of a chunk", "1"),
        "seconds_per_chunk": (seconds, "time of the first chunk, with compilation and start of processes", "s"),
        "seconds": (seconds * chunks / workers, "estimated time of all chunks on this machine", "s"),
        "bytes": (size * grid.points, "bytes of the results, not compressed", "B"),
    }  # fmt: skip
    return xr.Dataset({n: ((), value, {"long_name": text, "units": unit}) for n, (value, text, unit) in variables.items()})


def _coordinates(grid: Grid, layout: Layout | None) -> xr.Dataset:
    """The coordinates of the result: the values of the axes, and those that the function returned."""
    found = xr.Dataset() if layout is None else layout.coordinates.drop_vars([d for d in grid.dims if d in layout.coordinates])
    for name, axis in grid.axes.items():
        text = np.array([repr(one) for one in axis], np.dtypes.StringDType()) if axis.dtype == object else axis
        found = found.assign_coords({name: ((name,), text, _described(name))})
    return found


def _described(name: str) -> dict[str, str]:
    """Long name and units of an axis, if it is a parameter of a model."""
    if name == REALIZATION:
        return {"long_name": "disorder realization", "units": "1"}
    return attributes(name) if name.rsplit(".", 1)[-1] in PARAMETERS else {}


def _attrs(work: Work, grid: Grid, record: Record) -> dict[str, Any]:
    """The attributes of the result; regimes have those of a phase diagram, and can be drawn as one."""
    attrs: dict[str, Any] = {"verb": "sweep", "function": record["function"], "version": record["version"], "seed": work.seed}
    if record["model"] is not None:
        attrs["model"] = record["model"]
    if work.question == "regime":
        own = {work.parameters[name]: axis for name, axis in grid.axes.items() if name in work.parameters}
        theory = with_defaults(work.options.get("theory", MeanField()), MAPS)
        attrs |= {"verb": "phase_diagram", "theory": theory_record(theory), "axes": axes_record(own), "device": "cpu"}
        if work.options.get("initial") is not None:
            attrs["initial"] = initial_record(checked_start(work.model, theory, work.options["initial"], 0))
    return {**attrs, stores.RECORD: json.dumps(record)}


class _Progress:
    """Counts what is done, shows it, and logs it."""

    def __init__(self, line: Any, points: int, log: Log | None = None) -> None:
        self.line, self.log, self.total = line, log, points
        self.done = self.failed = 0
        self.start = perf_counter()

    def add(self, unit: Unit, report: Report) -> None:
        self.done += report.points
        self.failed += report.failed
        if self.log is not None:
            self.log.write("chunk", index=list(unit.index), points=report.points, failed=report.failed,
                           seconds=round(report.seconds, 4), host=report.host, process=report.process)  # fmt: skip

    def watch(self) -> None:
        rate = self.done / max(perf_counter() - self.start, 1e-9)
        failed = f", {self.failed} failed" if self.failed else ""
        self.line.update(self.done / max(self.total, 1), f"{self.done} of {self.total} points, {rate:.3g}/s{failed}")


def _in_memory(work: Work, grid: Grid, pool: _Pool) -> xr.Dataset:
    layout, reports = _first_block(work, grid, pool)
    found = layout or Layout({}, xr.Dataset())
    check_memory("axes", grid.points, float(found.bytes() + 20), "points")
    arrays = Arrays(grid, found)
    runner = Runner(work, grid, found, None, pool.threads(max(1, int(np.prod(grid.chunks)) - 1)))

    def put(unit: Unit, report: Any) -> None:
        if isinstance(report, executors.WorkerDiedError):
            report = _dead(runner, unit, report)
        arrays.put(unit, *_selected(report, layout))
        shown.add(unit, report)

    with progress("sweep") as line:
        shown = _Progress(line, grid.points)
        for unit, report in reports:
            put(unit, report)
        rest = (part(grid, index) for index in list(grid.indices())[len(reports) :])
        pool.run(runner, rest, put, shown.watch)
    values = {name: ((*grid.dims, *spec.dims), arrays.variables[name], spec.attrs) for name, spec in found.variables.items()}
    own = {
        stores.STATUS: (grid.dims, arrays.status, _flags()),
        stores.FAILURE: (grid.dims, arrays.failures, stores.OWN[stores.FAILURE]),
    }
    return xr.Dataset({**values, **own}, _coordinates(grid, layout).coords, _attrs(work, grid, record(work, grid)))


def _flags() -> dict[str, Any]:
    return dict(stores.OWN[stores.STATUS])


def _selected(report: Report, layout: Layout | None) -> tuple[Any, Array]:
    """Block and status of a report, with the variables of the layout only."""
    assert report.block is not None and report.status is not None
    if layout is None or report.block.layout is None:
        return report.block, report.status
    kept = {name: report.block.variables[name] for name in layout.variables}
    return replace(report.block, layout=layout, variables=kept), report.status


def _dead(runner: Runner, unit: Unit, error: Exception) -> Report:
    """The report of a unit whose worker died."""
    block, status = runner.given_up(unit, str(error))
    return Report(unit.points, unit.points, 0.0, "", 0, block, status)


def _stored(work: Work, grid: Grid, pool: _Pool, path: Path, retry_failed: bool, any_chunks: bool) -> xr.Dataset:
    old = stores.recorded(path)
    if old is None:
        if path.exists():
            raise checks.InputError(
                f"Argument `store` must be new or hold a sweep, but {checks.short_repr(str(path), 200)} does not."
            )
        stores.create(path, {**record(work, grid), "layout": None})
    with locked(path):
        old = stores.recorded(path)
        assert old is not None
        if any_chunks and len(old["chunk"]) == len(grid.shape):
            grid = replace(grid, chunk=tuple(old["chunk"]))
        new = record(work, grid)
        check_same(old, new, grid, str(path))
        remove_drafts(path)
        with closing(Log(path)) as log:
            try:
                _fill(work, grid, pool, path, {**new, "layout": old["layout"]}, log, retry_failed)
            except StorageError as error:
                raise checks.InputError(
                    f"Argument `store` must be writable, but {checks.short_repr(str(path), 200)} is not ({error}); "
                    "what is done is kept, and the same call goes on."
                ) from None
            except KeyboardInterrupt:
                print(f"Interrupted; what is done is kept in {path}, and the same call goes on.", file=sys.stderr)
                raise
    return xr.open_zarr(path, consolidated=False, chunks=None)


def _fill(work: Work, grid: Grid, pool: _Pool, path: Path, new: Record, log: Log, retry_failed: bool) -> None:
    """Compute all that is missing in a store."""
    import os
    import socket

    address = stores.Address(str(path), stores.uuid_of_call())
    layout = None if new["layout"] is None else stores.load_layout(path, grid, new["layout"])
    reports: list[tuple[Unit, Any]] = []
    if layout is None:
        layout, reports = _first_block(work, grid, pool)
    new = {**new, "layout": None if layout is None else layout.digest}
    stores.prepare(path, grid, layout, _coordinates(grid, layout), _attrs(work, grid, new))
    runner = Runner(work, grid, layout or Layout({}, xr.Dataset()), address, pool.threads(int(np.prod(grid.chunks))))
    units = list(_missing(path, grid, layout, retry_failed))
    points = sum(unit.points for unit in units)
    log.write("start", points=points, chunks=len(units), host=socket.gethostname(), process=os.getpid(), version=new["version"])
    with progress("sweep") as line:
        shown = _Progress(line, points, log)

        def done(unit: Unit, report: Any) -> None:
            if isinstance(report, executors.WorkerDiedError):
                report = _dead(runner, unit, report)
                runner.write(unit, report.block, report.status)  # type: ignore[arg-type]
            shown.add(unit, report)

        finished = set()
        for unit, report in reports:
            if isinstance(report, Report):
                runner.write(unit, *_selected(report, layout))
                finished.add(unit.index)
            done(unit, report)
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
