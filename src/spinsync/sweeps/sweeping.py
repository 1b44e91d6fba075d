"""sweep: any question or function over any axes, stored so that nothing is lost and an interrupted run goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.notices import warn
from spinsync.model.ensembles import Ensemble
from spinsync.questions.options import warn_of_cavities
from spinsync.sweeps import executors
from spinsync.sweeps.blocks import unfit_name
from spinsync.sweeps.grids import REALIZATION, Grid, checked_axis, chunk_shape
from spinsync.sweeps.phase_diagrams import checked_axes, dims_of
from spinsync.sweeps.running import Pool, explained, in_memory, stored
from spinsync.sweeps.work import (
    Work,
    check_arguments,
    checked_function,
    checked_names,
    first_argument,
    question_name,
    takes_seed,
    uses_seed,
)
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
        Compute one chunk only, store nothing, and tell what the same call would take: the scalars points, chunk_count and
        points_per_chunk, seconds_per_chunk of the first chunk, an estimate `seconds` of all on this machine (with `executor`
        by one of its workers), and the bytes of all results. Of a store that holds a part of the sweep what is missing counts.
    chunk : int, optional
        Largest number of points of a chunk, the unit of work that is computed and written at once. By default a 128th of all
        points, but at most 16384; of questions that compute many points together, such as `regime`, 1024 to 65536.
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
    Warnings of the package about points, such as `CavityWarning`, are given at the end, each kind once with the numbers of one
    of them.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> found = ss.sweep(ss.limit_cycle, {"coupling": [2.0, 6.0, 12.0]}, model=one, variables=["amplitude"])
    >>> found.amplitude.values.round(4)
    array([0.    , 0.1667, 0.1667])
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
        pool = Pool(work, connected, processes)
        path = None if store is None else checks.path("store", store).absolute()
        if explain:
            found = explained(work, grid, pool, path, retry_failed, points)
        else:
            found = in_memory(work, grid, pool) if path is None else stored(work, grid, pool, path, retry_failed, points)
    for sentence, category in pool.warnings.values():
        warn(sentence, category)
    return found


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
        if unfit := [name for name in dims if unfit_name(name)]:
            raise checks.argument_error("axes", "a mapping of plain names to values", unfit[0])
    else:
        given = checked_axes(checks.instance("model", model, Ensemble, "an Ensemble"), axes)
        warn_of_cavities(model, given)
        dims = dims_of(given)
    if model is None:
        check_arguments(function, (), dims, options)
    else:
        check_arguments(function, first_argument(function), (), options)
    if question is not None and question in ANSWERS and "theory" in options:
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
