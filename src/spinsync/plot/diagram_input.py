"""The model, the axes and the variables of a result that is drawn as a diagram."""

from __future__ import annotations

from typing import Any

import xarray as xr

from spinsync.base import checks
from spinsync.model.ensembles import Ensemble, varied
from spinsync.regimes.codes import Regime
from spinsync.results.datasets import checked_result, model_of, recorded_theory

SAME_FREQUENCY = (
    1e-3  # relative difference of two observed frequencies, which are means over long times, below which they agree
)


def checked_diagram(diagram: Any, dims: int) -> tuple[Ensemble, list[str]]:
    """Model and axis names of a result of `phase_diagram`. Raises InputError if it has not this number of axes."""
    checked_result(diagram, "diagram")
    question = checks.one_line(str(diagram.attrs.get("verb", "unknown origin")))
    if question != "phase_diagram":
        raise checks.InputError(f"Argument `diagram` must be a result of phase_diagram, but is one of {question}.")
    ensemble = model_of(diagram)
    theory = recorded_theory(diagram.attrs["theory"]) if "theory" in diagram.attrs else None
    kept = {"spins"} if hasattr(theory, "spins") else set()  # of the theory: the couplings are those of the cavity's own spins
    names = [n for n in diagram.coords if ensemble.recipe.accepts(n) and n not in kept]
    fixed = {str(n): diagram[n].item() for n in names if diagram[n].ndim == 0}
    ensemble = varied(ensemble, fixed)  # axes with a single selected value
    names = [str(d) for d in diagram["order_parameter"].dims] if "order_parameter" in diagram else []
    if len(names) != dims:
        must, listed = ("one axis", "two axes")[dims - 1], checks.one_line(", ".join(names)) or "none"
        raise checks.InputError(f"Argument `diagram` must have {must}, but has {len(names)} ({listed}).")
    for name in names:
        ensemble.recipe.checked_name("axis of the diagram", name)
        if name not in diagram.coords or not diagram.sizes[name]:
            raise checks.InputError(f"Argument `diagram` must have values along {name}, but has none.")
        if diagram[name].dtype.kind in "UT":
            raise checks.InputError(f"Argument `diagram` must have numbers on its axes, but has distributions on {name}.")
        checks.array(f"diagram.{name}", diagram[name].values, float, (None,), "a list of numbers")
    return ensemble, names


def locked(diagram: xr.Dataset) -> xr.DataArray:
    """Whether the first two groups share one observed frequency: in other motion their mean phase difference says nothing.

    A trapped phase difference oscillates about its mean. In a regime where groups differ in frequency, two of them may agree.
    """
    regime, frequency = diagram_variable(diagram, "regime"), diagram_variable(diagram, "frequency")
    distance = abs(frequency - frequency.rename(group="other")).max(["group", "other"])
    one = abs(frequency.isel(group=0, drop=True) - frequency.isel(group=1, drop=True)) < SAME_FREQUENCY * distance
    return one | regime.isin([Regime.FULL, Regime.PHASE_TRAPPED])


def diagram_variable(diagram: xr.Dataset, name: str) -> xr.DataArray:
    """A variable over the axes, and over groups if it has this dim."""
    if name not in diagram.data_vars:
        how = ": `phase_diagram` computes it with linewidth=True, at finite N" if name == "linewidth" else ""
        raise checks.InputError(f"Argument `diagram` must hold {name}, but has none{how}.")
    values = diagram[name]
    group_dims = [d for d in values.dims if d in ("group", "other_group")]
    dims = [*diagram["order_parameter"].dims, *group_dims]
    if list(values.dims) != dims or values.dtype.kind not in "iuf" or any(d not in diagram.coords for d in group_dims):
        raise checks.InputError(f"Argument `diagram` must hold {name} as numbers over its axes and groups, but is altered.")
    if values.size == 0:
        raise checks.InputError("Argument `diagram` must hold at least one group, but holds none.")
    return values
