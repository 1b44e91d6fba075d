"""Coordinates and attributes of the result of a sweep."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from spinsync.model.parameters import PARAMETERS
from spinsync.questions.regimes import checked_start
from spinsync.results.datasets import axes_record, initial_record, theory_record
from spinsync.results.variables import attributes
from spinsync.sweeps import stores
from spinsync.sweeps.blocks import Layout
from spinsync.sweeps.grids import REALIZATION, Grid
from spinsync.sweeps.records import Record
from spinsync.sweeps.work import Work
from spinsync.theory.mean_field.theory import MAPS, MeanField
from spinsync.theory.options import with_defaults


def coordinates(grid: Grid, layout: Layout | None) -> xr.Dataset:
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


def attrs(work: Work, grid: Grid, record: Record) -> dict[str, Any]:
    """The attributes of the result; regimes have those of a phase diagram, and can be drawn as one."""
    attrs: dict[str, Any] = {"verb": "sweep", "function": record["function"], "version": record["version"], "seed": work.seed}
    if record["model"] is not None:
        attrs["model"] = record["model"]
    if work.question == "regime" and work.model is not None:
        own = {work.parameters[name]: axis for name, axis in grid.axes.items() if name in work.parameters}
        theory = with_defaults(work.options.get("theory", MeanField()), MAPS)
        attrs |= {"verb": "phase_diagram", "theory": theory_record(theory), "axes": axes_record(own), "device": "cpu"}
        if work.options.get("initial") is not None:
            attrs["initial"] = initial_record(checked_start(work.model, theory, work.options["initial"], 0))
    return {**attrs, stores.RECORD: json.dumps(record)}
