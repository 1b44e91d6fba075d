"""What a picture of a diagram is given: its model, its axes, and variables over them."""

from __future__ import annotations

from typing import Any

import xarray as xr

from spinsync.base import checks
from spinsync.model.ensembles import Ensemble
from spinsync.results.datasets import model_of, of_spinsync


def checked(diagram: Any, dims: int) -> tuple[Ensemble, list[str]]:
    of_spinsync(diagram, "diagram")
    made_by = checks.one_line(str(diagram.attrs.get("verb", "nothing known")))
    if made_by != "phase_diagram":
        raise checks.InputError(f"Argument `diagram` must be a result of phase_diagram, but is one of {made_by}.")
    ensemble = model_of(diagram)
    cut = {str(n): value.item() for n, value in diagram.coords.items() if ensemble.recipe.knows(n) and value.ndim == 0}
    ensemble = ensemble.replace(**cut)  # at the values of the axes that were cut away
    names = [str(d) for d in diagram["order_parameter"].dims] if "order_parameter" in diagram else []
    if len(names) != dims:
        must, listed = ("one axis", "two axes")[dims - 1], checks.one_line(", ".join(names)) or "none"
        raise checks.InputError(f"Argument `diagram` must have {must}, but has {len(names)} ({listed}).")
    for name in names:
        ensemble.recipe.known("axis of the diagram", name)
        if name not in diagram.coords or not diagram.sizes[name]:
            raise checks.InputError(f"Argument `diagram` must have values along {name}, but has none.")
        if diagram[name].dtype.kind in "UT":
            raise checks.InputError(f"Argument `diagram` must have numbers on its axes, but has distributions on {name}.")
        checks.array(f"diagram.{name}", diagram[name].values, float, (None,), "a list of numbers")
    return ensemble, names


def variable_of(diagram: xr.Dataset, name: str) -> xr.DataArray:
    """A variable over the axes, and over groups where it has some."""
    if name not in diagram:
        raise checks.InputError(f"Argument `diagram` must hold {name}, but has none.")
    values = diagram[name]
    of_groups = [d for d in values.dims if d in ("group", "other_group")]
    dims = [*diagram["order_parameter"].dims, *of_groups]
    if list(values.dims) != dims or values.dtype.kind not in "iuf" or any(d not in diagram.coords for d in of_groups):
        raise checks.InputError(f"Argument `diagram` must hold {name} as numbers over its axes and groups, but is altered.")
    if values.size == 0:
        raise checks.InputError("Argument `diagram` must hold at least one group, but holds none.")
    return values
