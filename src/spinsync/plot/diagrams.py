"""Diagrams over parameters, with closed forms over the numerical results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize

from spinsync.base import checks
from spinsync.model.ensembles import Ensemble, varied
from spinsync.plot import areas, curves
from spinsync.plot.appearance import CLOSED_FORM, COLOURMAP, CYCLIC_COLOURMAP, SIGNED_COLOURMAP, axes, in_style
from spinsync.plot.axis_labels import colour_bar, label_axes
from spinsync.plot.cavity_marks import mark_outside_limit
from spinsync.plot.diagram_input import checked_diagram, diagram_variable, locked
from spinsync.plot.labels import (
    ONE_GROUP,
    RATES,
    TWO_GROUPS,
    has_rate,
    parameter_label,
    parameter_size,
    quantity_label,
    quantity_size,
)
from spinsync.plot.large_diagrams import reduced
from spinsync.plot.legends import add_entry, legend_above, name_line
from spinsync.plot.scales import angle_ticks, cell_edges, follow_spacing, plain_decades
from spinsync.plot.units import Unit, checked_unit
from spinsync.questions.closed_forms import available, critical_coupling

UNDEFINED = "#d0d0d0"  # colour of undefined values, hatched as a colour map may hold a similar grey
HATCHED = {"hatch": "/////", "edgecolor": "#909090"}
SIGNED = ("frequency", "inversion", "lyapunov")
SPIN_POINTS = 300  # of closed forms over numbers of spins, at most
THRESHOLD = "threshold"  # the critical coupling in the legend


def select_group(diagram: xr.Dataset, variable: str) -> xr.DataArray:
    """A variable of the first group, or of the first two groups."""
    values = diagram_variable(diagram, variable)
    if "other_group" in values.dims:
        if values.sizes["group"] < 2 or values.sizes["other_group"] < 2:
            raise checks.InputError(f"Argument `variable` must be one of a single group, but is variable={variable!r}.")
        values = values.isel(other_group=1)
    return values.isel(group=0) if "group" in values.dims else values


@in_style
def phase_diagram(
    diagram: xr.Dataset, ax: Axes | None = None, *, variable: str | None = None, unit: str | tuple[str, float] = "rate"
) -> Axes:
    """A diagram over two parameters: regimes as labelled areas, or a variable as an image, with boundaries in closed form.

    An axis is logarithmic if the ratios of the values of its parameter are more even than their differences, over more than a
    decade. Given axes have no legend; its entries for `ax.legend` or one legend of many panels are
    `ax.get_legend_handles_labels()`.
    Where the mode of a cavity does not follow the spins (`CavityWarning`), the legend says "outside the bad-cavity limit".

    Parameters
    ----------
    diagram : xarray.Dataset
        A result of `phase_diagram` over two axes.
    ax : matplotlib axes, optional
    variable : str, optional
        regime, order_parameter, lyapunov, amplitude, inversion or frequency (of the first group), phase_locking or
        phase_difference (of the first two); linewidth, in logarithmic colours; by default the order parameter of one
        group or at finite N, the regime of several groups.
        Hatched: undefined; a phase difference also where the groups drift. Crosses: undecided regimes. Lines of a symmetric
        pair: the Hopf line, the existence limit of full synchronization, and the stability limit of the incoherent state,
        (5.2) to (5.4); of any other pair over its detuning: the edges of Adler's locking range (5.7) if its relative
        error is below 0.1 and the cross coupling at most half of that within each group; of one group: the threshold (4.5).
    unit : "rate", "damping" or (name, factor)
        Unit of rates and frequencies: that of the model's numbers; the damping rate of all groups; or a unit of this
        name and this size, ("Hz", 2 * np.pi) for numbers in 1/s.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the diagram does not have two axes, the variable is unknown, or the figure can't have this unit.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> ax = ss.plot.phase_diagram(ss.phase_diagram(one, {"coupling": np.linspace(0, 12, 7), "gain": np.linspace(0.1, 9, 7)}))
    """
    ensemble, (x, y) = checked_diagram(diagram, 2)
    if any(np.any(np.diff(diagram[name].values) < 0) for name in (x, y)):
        diagram = diagram.sortby([x, y])  # an image needs ascending axes
    if variable is None:
        variable = "order_parameter" if len(ensemble.groups) == 1 or "regime" not in diagram else "regime"
    checks.one_of("variable", variable, ["regime", *ONE_GROUP, *TWO_GROUPS])
    shown = has_rate(x) or has_rate(y) or variable in RATES
    one_unit = checked_unit(unit, ensemble, (x, y), shown=shown)
    sizes = {name: parameter_size(name, one_unit) for name in (x, y)}
    found = _reduced(diagram, variable).transpose(y, x)
    values = found.values
    ax, new_figure = axes(ax, height_factor=1.125), ax is None
    along = {"x": found[x].values / sizes[x], "y": found[y].values / sizes[y]}
    follow_spacing(ax, new_figure, **along)
    if variable == "regime":
        areas.areas(ax, **along, codes=values)
    else:
        _image(ax, **along, values=values, variable=variable, unit=one_unit)
    _draw_threshold(ax, diagram, ensemble, x, y, sizes)
    if len(ensemble.groups) == 2:
        areas.boundaries(ax, diagram, ensemble, x, y, sizes)
    if variable == "regime":
        areas.name_areas(ax, **along, codes=values)
    mark_outside_limit(ax, diagram, ensemble, x, y)
    label_axes(ax, parameter_label(x, ensemble, one_unit), parameter_label(y, ensemble, one_unit))
    for axis, name in ((ax.xaxis, x), (ax.yaxis, y)):
        if name.endswith("theta"):
            angle_ticks(axis, float(diagram[name].min()), float(diagram[name].max()))
        elif axis.get_scale() == "log":
            plain_decades(axis)
    if new_figure and ax.get_legend_handles_labels()[1]:
        legend_above(ax)
    return ax


def _reduced(diagram: xr.Dataset, variable: str) -> xr.DataArray:
    """A variable of the first group or groups, averaged over blocks of points if there are more than an image needs."""
    needed = [variable, "order_parameter", *(("regime", "frequency") if variable == "phase_difference" else ())]
    kept = diagram[[name for name in needed if name in diagram]]
    if variable != "phase_difference":
        return reduced(kept, lambda part: select_group(part, variable))
    return reduced(kept, lambda part: select_group(part, variable).where(locked(part)), cyclic=True)


def _image(ax: Axes, x: Any, y: Any, values: Any, variable: str, unit: Unit) -> None:
    ax.patch.set(facecolor=UNDEFINED, **HATCHED)
    cyclic = variable == "phase_difference"
    floor = -np.pi if cyclic else None if variable in SIGNED else 0.0
    ceiling = np.pi if cyclic else 1.0 if variable == "phase_locking" else None
    map_ = CYCLIC_COLOURMAP if cyclic else COLOURMAP
    values = values / quantity_size(variable, unit)
    if variable in SIGNED and np.nanmin(values, initial=0.0) < 0 < np.nanmax(values, initial=0.0):
        map_, ceiling = SIGNED_COLOURMAP, float(np.nanmax(abs(values)))  # zero is in the middle
        floor = -ceiling
    x, y = cell_edges(ax.xaxis, x), cell_edges(ax.yaxis, y)
    scale = LogNorm() if variable == "linewidth" else Normalize(floor, ceiling)
    image = ax.pcolormesh(x, y, values, cmap=map_, norm=scale, rasterized=True)
    if np.isnan(values).any():
        add_entry(ax, UNDEFINED, "undefined", **HATCHED)
    bar = colour_bar(ax, image, quantity_label(variable, unit))
    if cyclic:
        angle_ticks(bar.ax.yaxis, -np.pi, np.pi)


def formula(ax: Axes, diagram: xr.Dataset, name: str, size: float, f: Callable[[Any], float], upright: bool = False) -> Any:
    """x and y of a closed form along a parameter; numbers of spins are whole."""
    given = diagram[name].values / size
    if name == "spins":
        spins = np.unique(np.rint(curves.sample_points(ax.yaxis if upright else ax.xaxis, given, SPIN_POINTS)))
        values = np.array([f(int(n)) for n in spins])
        return (values, spins) if upright else (spins, values)
    return curves.sample_curve(ax, lambda at: f(at * size), given, upright=upright)


def _draw_threshold(ax: Axes, diagram: xr.Dataset, ensemble: Ensemble, x: str, y: str, sizes: dict[str, float]) -> None:
    """Draw the critical coupling of one group."""
    if "limit_cycle" not in available(ensemble):
        return
    if "coupling" not in (x, y):
        _draw_threshold_contour(ax, diagram, ensemble, x, y, sizes)
        return
    other = y if x == "coupling" else x
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())  # the line does not change the limits
    curve = formula(ax, diagram, other, sizes[other], upright=x == "coupling",
                    f=lambda value: critical_coupling(varied(ensemble, {other: value})) / sizes["coupling"])  # fmt: skip
    ax.plot(*curve, color="white", lw=2.6)
    (line,) = ax.plot(*curve, color=CLOSED_FORM, lw=1.2)
    if areas.within_limits(ax, *curve):
        name_line(ax, line, THRESHOLD)


def _draw_threshold_contour(ax: Axes, diagram: xr.Dataset, ensemble: Ensemble, x: str, y: str, sizes: dict[str, float]) -> None:
    """Draw V = V_c as a contour over two parameters that are not the coupling."""
    grid = curves.sample_grid(ax, *(diagram[name].values / sizes[name] for name in (x, y)))
    fine = {name: values * sizes[name] for name, values in zip((x, y), grid, strict=True)}
    if "spins" in fine:
        fine["spins"] = np.unique(np.rint(fine["spins"]))

    def above(across: float, up: float) -> float:
        model = varied(ensemble, {x: across, y: up})
        ratio = abs(model.coupling_matrix[0, 0]) / critical_coupling(model)
        return float(np.log(np.clip(ratio, 0.1, 10)))  # nearly linear at the change of sign

    values = np.array([[above(across, up) for across in fine[x]] for up in fine[y]])
    if values.min() < 0 < values.max():
        along = [fine[name] / sizes[name] for name in (x, y)]
        ax.contour(*along, values, levels=[0.0], colors="white", linewidths=2.6)
        ax.contour(*along, values, levels=[0.0], colors=CLOSED_FORM, linewidths=1.2)
        name_line(ax, ax.plot([], [], color=CLOSED_FORM, lw=1.2)[0], THRESHOLD)
