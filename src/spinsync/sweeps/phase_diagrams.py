"""phase_diagram: the long-time motion over any parameters that `replace` takes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from math import prod
from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.memory import afford
from spinsync.base.threads import one_thread
from spinsync.model.ensembles import Ensemble
from spinsync.model.parameters import checked_axis
from spinsync.model.rates import Rates
from spinsync.questions.regimes import MAPS, checked_start, described, places
from spinsync.regimes.codes import Status
from spinsync.regimes.engine_batch import engine
from spinsync.regimes.engine_scalar import Batch
from spinsync.regimes.summary import Motions, blank
from spinsync.results.datasets import axes_record, dataset, initial_record, theory_record
from spinsync.results.registry import question

GROUP, PAIR = 20, 15  # numbers that a point takes for each group, and for each two of them


@question
def phase_diagram(
    ensemble: Ensemble, axes: Mapping[str, Any], *, initial: Any = None, seed: int = 0, device: str = "cpu",
    threads: int | None = None,
) -> xr.Dataset:  # fmt: skip
    """The long-time motion at every point of a grid of parameters, in mean field.

    Parameters
    ----------
    ensemble : Ensemble
        Gives every parameter that is no axis.
    axes : mapping of str to array
        One or more parameters that `Ensemble.replace` takes, and their values: numbers, or for a frequency a list of
        distributions, which the result calls by their text. In the result the axis `frequency` is called by its other
        name, A.frequency.
    initial : real array of shape (group, 3) or xarray.Dataset, optional
        Bloch vectors at the start, or a result of mean field whose last state they are; the same
        at every point. None: the seeded start of `ensemble`.
    seed : int
        Of that start.
    device : str
        "cpu", or "cuda" for an NVIDIA graphics processor, which takes up to three groups of one frequency each; both give
        the same to within rounding. It needs ``pip install 'spinsync[cuda]'``, and pays for many points.
    threads : int, optional
        By default as many as the machine has cores; without influence on the result.

    Returns
    -------
    xarray.Dataset
        The variables of `regime`, with the axes as their first dims: regime, frequency, amplitude, inversion,
        order_parameter, phase_locking, phase_difference, lyapunov, lyapunov_error, period, order_parameter_range, settled,
        status; NaN where it says.

    Raises
    ------
    InputError
        If an axis is unknown, varies what another one varies, or holds values that its parameter does not take, or the
        device cannot be used.

    Notes
    -----
    Equations (3.1), (3.3), (3.4). Of two or three groups of one frequency each, `period` and `order_parameter_range` are
    found in diagrams of up to 16 points, and are NaN in larger ones. Where several regimes are stable at once, the common
    start decides.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> diagram = ss.phase_diagram(one, {"coupling": [2.0, 12.0]})
    >>> diagram.amplitude.values[:, 0].round(6)
    array([0.      , 0.166667])
    """
    checks.instance("ensemble", ensemble, Ensemble, "an Ensemble")
    if not isinstance(axes, Mapping) or not axes:
        raise checks.complain("axes", "a mapping of at least one parameter to its values", axes)
    for name in axes:
        ensemble.recipe.known("axes", name)
    for name in axes:
        single = [] if "." in name else ensemble.recipe.entries(name)
        if single and set(single) <= axes.keys():
            both = f"{name} beside {', '.join(single)}"
            raise checks.InputError(f"Argument `axes` must vary each parameter once, but has {both}.")
    values = {name: checked_axis(name, axis) for name, axis in axes.items()}
    threads = checks.whole("threads", threads if threads is not None else os.cpu_count() or 1, 1)
    _afford(values, len(ensemble.groups))
    engine(device, ensemble.recipe.distributions(values))
    start = checked_start(ensemble, initial, seed)
    with one_thread():
        motions = _motions(ensemble, values, start, threads, device)
    return _result(
        ensemble, values, motions, seed=seed, initial=initial_record(None if initial is None else start), device=device
    )


def _afford(values: Mapping[str, Any], groups: int) -> None:
    """Refuse more points than memory can hold parameters, motions and results of."""
    numbers = 2 * len(values) + GROUP * groups + PAIR * groups**2
    afford("axes", prod(axis.size for axis in values.values()), 8.0 * numbers, "points")


def _motions(ensemble: Ensemble, values: Mapping[str, Any], start: Any, threads: int, device: str) -> Motions:
    """The points in order: all of those at once that share their distributions of frequencies."""
    shape = tuple(axis.size for axis in values.values())
    spreads = [name for name, axis in values.items() if axis.dtype == object]
    numbers = {name: axis for name, axis in values.items() if name not in spreads}
    places = np.moveaxis(
        np.arange(np.prod(shape)).reshape(shape), [list(values).index(name) for name in spreads], range(len(spreads))
    )
    found = blank(int(np.prod(shape)), len(ensemble.groups), Status.FAILED)
    for which in np.ndindex(places.shape[: len(spreads)]):
        here = ensemble.replace(**{name: values[name][k] for name, k in zip(spreads, which, strict=True)})
        found.put(places[which].ravel(), _shared(here, numbers, start, threads, device))
    return found


def _shared(ensemble: Ensemble, values: Mapping[str, Any], start: Any, threads: int, device: str) -> Motions:
    grid = dict(zip(values, np.meshgrid(*values.values(), indexing="ij"), strict=True))
    rates = ensemble.recipe.rates(**{name: points.reshape(-1) for name, points in grid.items()})
    if not grid:
        rates = Rates(*(getattr(rates, field.name)[None] for field in fields(Rates)))
    spread = ensemble.recipe.distributions(values)
    return engine(device, spread)(Batch(rates, spread, ensemble.names, start, MAPS), threads)


def _result(ensemble: Ensemble, axes: Mapping[str, Any], motions: Motions, **recorded: Any) -> xr.Dataset:
    values = {"A.frequency" if name == "frequency" else name: axis for name, axis in axes.items()}  # no name twice
    coordinates: dict[str, Any] = {}
    for name, axis in values.items():
        coordinates[name] = (name, axis if axis.dtype != object else np.array([repr(one) for one in axis]))
    return dataset(
        described(motions, tuple(values), tuple(axis.size for axis in values.values())),
        coordinates | places(ensemble),
        "phase_diagram",
        ensemble,
        theory=theory_record(MAPS),
        axes=axes_record(axes),
        **recorded,
    )
