"""Quantities over one parameter, with closed forms beside the numerical results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from spinsync.base import checks
from spinsync.model.ensembles import Ensemble, varied
from spinsync.plot import areas, curves
from spinsync.plot.appearance import axes, colour, group_colour, in_style, ink, on_dark
from spinsync.plot.axis_labels import label_axes
from spinsync.plot.cavity_marks import mark_outside_limit
from spinsync.plot.diagram_input import checked_diagram, diagram_variable, locked
from spinsync.plot.diagrams import formula, select_group
from spinsync.plot.error_bars import draw_error_bars
from spinsync.plot.labels import (
    ONE_GROUP,
    RATES,
    TWO_GROUPS,
    has_rate,
    index,
    parameter_label,
    parameter_size,
    quantity_label,
    quantity_size,
)
from spinsync.plot.legends import add_legend, once
from spinsync.plot.scales import angle_ticks, follow_spacing, plain_decades
from spinsync.plot.units import Unit, checked_unit
from spinsync.questions.closed_forms import available, limit_cycle
from spinsync.theory.mean_field.closed_forms_one import many_spin_line

CLOSED, UNCOUPLED, MANY = "closed form", "without coupling", "many spins"  # lines in legends


@in_style
def cut(
    diagram: xr.Dataset, ax: Axes | None = None, *, variable: str = "order_parameter", color: str | None = None,
    unit: str | tuple[str, float] = "rate",
) -> Axes:  # fmt: skip
    """A diagram over one parameter: numerical results as circles, the closed form of one group as a line.

    Beside results at finite N the line is that of many spins, the same for every theory; below the threshold its linewidth is
    the decay rate of a small coherence. The axis is logarithmic if the ratios of the values are more even than their
    differences, over more than a decade. Where the mode of a cavity does not follow the spins (`CavityWarning`), the legend
    says "outside the bad-cavity limit", and "partly" if it does at some of the values.

    Parameters
    ----------
    diagram : xarray.Dataset
        A result of `phase_diagram` over one axis.
    ax : matplotlib axes, optional
    variable : str
        order_parameter, lyapunov, amplitude, inversion, frequency or linewidth (dashed: (4.7)); of the
        first two groups phase_locking or phase_difference, which has no circles where the groups drift.
    color : str, optional
        Colour of the circles; by default one per group.
    unit : "rate", "damping" or (name, factor)
        Unit of rates and frequencies, as in `plot.phase_diagram`.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the diagram does not have one axis, the variable is unknown, or the figure can't have this unit.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> ax = ss.plot.cut(ss.phase_diagram(one, {"coupling": np.linspace(0, 12, 13)}))
    """
    ensemble, (x,) = checked_diagram(diagram, 1)
    checks.one_of("variable", variable, [*ONE_GROUP, *TWO_GROUPS])
    color = colour("color", color)
    one_unit = checked_unit(unit, ensemble, (x,), shown=has_rate(x) or variable in RATES)
    ax, new_figure = axes(ax), ax is None
    _draw_cut(ax, new_figure, diagram, ensemble, variable, one_unit, color)
    add_legend(ax, new_figure)
    return ax


def _draw_cut(
    ax: Axes, new_figure: bool, diagram: xr.Dataset, ensemble: Ensemble, variable: str, unit: Unit, color: str | None
) -> None:
    """Draw circles, the closed form of one group, and the labels of the axes."""
    x = str(diagram["order_parameter"].dims[0])
    size, y_size = parameter_size(x, unit), quantity_size(variable, unit)
    where = diagram[x].values / size
    follow_spacing(ax, new_figure, x=where)
    if variable == "linewidth":  # falls as 1/N
        ax.set_yscale("log")
    for one, name, (width, fill), edge in _circles(ax, diagram, variable, ensemble, color):
        ax.plot(where, one / y_size, "o", ms=width, mec=edge, mfc=fill, mew=0.9, label=name)
        draw_error_bars(ax, where, one / y_size, diagram, y_size, edge)
    ax.dataLim.update_from_data_x(where, ignore=False)  # also where nothing is defined
    ax.autoscale_view()
    if known := _known(diagram, ensemble, variable):
        of, look = known

        def exact(v: Any) -> float:
            return of(varied(ensemble, {x: v})) / y_size

        ax.set(xlim=ax.get_xlim(), ylim=_with_closed_form(ax, [exact(v) for v in diagram[x].values.tolist()]))
        line = formula(ax, diagram, x, size, exact)
        ax.plot(*line, color=ink(ax), zorder=1, **look | {"label": once(ax, look["label"])})
    mark_outside_limit(ax, diagram, ensemble, x)
    low, high = ax.get_ylim()
    if high - low < 1e-9:  # a constant up to rounding
        ax.set_ylim((low + high) / 2 - 0.5, (low + high) / 2 + 0.5)
    if variable == "phase_difference":
        angle_ticks(ax.yaxis, *ax.get_ylim())
    if ax.get_yscale() == "log":
        plain_decades(ax.yaxis)
    label_axes(ax, parameter_label(x, ensemble, unit), quantity_label(variable, unit))
    _ticks(ax, diagram, x)


def _known(diagram: xr.Dataset, ensemble: Ensemble, variable: str) -> tuple[Callable[[Ensemble], float], dict[str, Any]] | None:
    """What is known of a variable of one group, a function of the model, and the look of its line."""
    if "limit_cycle" not in available(ensemble):
        return None
    if variable in limit_cycle(ensemble):
        label = CLOSED if "regime" in diagram or "regime_fraction" in diagram else MANY  # at finite N
        return (lambda model: float(limit_cycle(model)[variable])), {"lw": 1.0, "label": label}
    if variable != "linewidth" or ensemble.groups[0].distribution is not None:
        return None
    spins = np.atleast_1d(diagram["spins"].values).astype(float)
    return (lambda model: float(many_spin_line(model, spins)[1][0])), {"lw": 0.8, "ls": "--", "label": MANY}


def _with_closed_form(ax: Axes, values: list[float]) -> tuple[float, float]:
    """Limits of y, wider by up to half so that the closed form is seen beside numbers that differ from it, such as those of few
    spins or realizations, by up to a decade on a logarithmic axis; as wide as it takes if the closed form is nowhere near."""
    low, high = ax.get_ylim()
    if ax.get_yscale() == "log":
        near = [value for value in values if low / 10 < value < high * 10]
        return min([low, *(0.8 * value for value in near)]), max([high, *(1.25 * value for value in near)])
    known, half = [value for value in values if isfinite(value)], (high - low) / 2
    near = [value for value in known if low - half < value < high + half] or known
    least, most = min([low, *near]), max([high, *near])
    margin = 0.05 * (most - least)
    return low if least == low else least - margin, high if most == high else most + margin


def _ticks(ax: Axes, diagram: xr.Dataset, x: str) -> None:
    """Ticks along the parameter."""
    if x.endswith("theta"):
        angle_ticks(ax.xaxis, float(diagram[x].min()), float(diagram[x].max()))
    elif ax.get_xscale() == "log":
        plain_decades(ax.xaxis)


def _circles(
    ax: Axes, diagram: xr.Dataset, variable: str, ensemble: Ensemble, color: str | None
) -> Iterator[tuple[xr.DataArray, str, tuple[float, Any], str]]:
    """Values, name, size and filling of circles, and the colour of their edge, for each group, or for all together."""
    values = diagram_variable(diagram, variable)
    if variable in TWO_GROUPS:
        values = select_group(diagram, variable)
    if variable == "phase_difference":
        values = values.where(locked(diagram))
    if "group" not in values.dims:
        yield values, "computed", (3.6, ax.get_facecolor()), color or group_colour(ax, 0)
        return
    names = values["group"].values if "group" in values.coords else ensemble.names
    sizes = np.linspace(3.6, 1.8, max(2, len(names)))  # all are seen where they coincide
    for i, (name, size) in enumerate(zip(names, sizes.tolist(), strict=False)):
        edge = color or group_colour(ax, i)
        label = f"group {name}" if len(ensemble.groups) > 1 else "computed"
        yield values.isel(group=i), label, (size, edge if i else ax.get_facecolor()), edge


@in_style
def frequency(
    diagram: xr.Dataset, ax: Axes | None = None, *, difference: bool = False, unit: str | tuple[str, float] = "rate"
) -> Axes:
    """Observed frequencies over one parameter: circles; closed forms as lines; over the detuning natural frequencies, dotted.

    The axis is logarithmic if the ratios of the values are more even than their differences, over more than a decade.

    Parameters
    ----------
    diagram : xarray.Dataset
        A result of `phase_diagram` over one axis.
    ax : matplotlib axes, optional
    difference : bool
        Draw the difference of the first two groups, which is zero where they are locked or phase-trapped.
    unit : "rate", "damping" or (name, factor)
        Unit of rates and frequencies, as in `plot.phase_diagram`.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the diagram does not have one axis, has one group and `difference` is True, or the figure can't have this unit.

    Notes
    -----
    Closed forms: (4.3) for one group; for two groups over their detuning the plateau (5.1) up to the Hopf line (5.4), or
    (5.8) for weak coupling. Observed frequencies are means: those of phase-trapped groups are equal, too, though their light
    has sidebands. The variable `regime` of the diagram tells both apart.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> pair = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2)
    >>> ax = ss.plot.frequency(ss.phase_diagram(pair, {"detuning": np.linspace(0, 8, 9)}))
    """
    ensemble, (x,) = checked_diagram(diagram, 1)
    if not checks.flag("difference", difference):
        one_unit, new_figure = checked_unit(unit, ensemble, (x,)), ax is None
        ax = axes(ax)
        _draw_cut(ax, new_figure, diagram, ensemble, "frequency", one_unit, None)
        _draw_natural_frequencies(ax, diagram, ensemble, x, one_unit)
        add_legend(ax, new_figure)
        return ax
    if len(ensemble.groups) < 2:
        raise checks.InputError("Argument `difference` must be False for one group, but is difference=True.")
    one_unit = checked_unit(unit, ensemble, (x,))
    observed = diagram_variable(diagram, "frequency")
    if observed.sizes.get("group", 1) < 2:
        raise checks.InputError("Argument `diagram` must hold two groups for a difference, but holds one.")
    gap = observed.isel(group=0) - observed.isel(group=1)
    first, second = observed.group.values[:2]
    ax, new_figure, where = axes(ax), ax is None, diagram[x].values / parameter_size(x, one_unit)
    follow_spacing(ax, new_figure, x=where)
    circles: dict[str, Any] = dict(ms=3.2, mfc=ax.get_facecolor(), mec=group_colour(ax, 0), mew=0.9, zorder=3, label="computed")
    ax.plot(where, gap / one_unit.size, "o", **circles)
    if x == "detuning":
        _draw_dotted(ax, diagram, one_unit, slope=1.0)
        closed = formula(ax, diagram, x, one_unit.size, lambda v: _closed_form(ensemble, v, "beat_frequency") / one_unit.size)
        if np.isfinite(closed[1]).any():
            ax.plot(*closed, color=ink(ax), lw=0.7, zorder=4, label=once(ax, CLOSED))
    symbol = rf"\Omega{index(first)}-\Omega{index(second)}"
    label_axes(ax, parameter_label(x, ensemble, one_unit), one_unit.label("difference", symbol))
    _ticks(ax, diagram, x)
    mark_outside_limit(ax, diagram, ensemble, x)
    add_legend(ax, new_figure)
    return ax


def _closed_form(pair: Ensemble, detuning: float, variable: str) -> float:
    """`frequency` or `beat_frequency` of two groups at a detuning in closed form; NaN if none applies."""
    return areas.closed_form(varied(pair, {"detuning": detuning}), variable)


def _draw_dotted(ax: Axes, diagram: xr.Dataset, unit: Unit, *, slope: float, middle: float = 0.0) -> None:
    """Draw a dotted line proportional to the detuning, from `middle` on."""
    given = diagram.detuning.values / unit.size
    along = given[[0, -1]] if ax.get_xscale() == "linear" else curves.sample_points(ax.xaxis, given)
    colour = "#9aa3ab" if on_dark(ax) else "#6b747d"
    ax.plot(along, middle / unit.size + slope * along, ":", color=colour, lw=0.9, zorder=1, label=once(ax, UNCOUPLED))


def _draw_natural_frequencies(ax: Axes, diagram: xr.Dataset, ensemble: Ensemble, x: str, unit: Unit) -> None:
    """Draw natural frequencies of two groups over their detuning, and the locked frequency in closed form."""
    if x != "detuning":
        return
    middle = sum(group.mean_frequency for group in ensemble.groups) / 2 if ensemble.recipe.clouds else 0.0
    for sign in (1, -1):
        _draw_dotted(ax, diagram, unit, slope=sign / 2, middle=middle)

    def plateau(detuning: float) -> float:
        is_locked = _closed_form(ensemble, detuning, "beat_frequency") == 0
        return _closed_form(ensemble, detuning, "frequency") / unit.size if is_locked else np.nan

    closed = formula(ax, diagram, x, unit.size, plateau)
    if np.isfinite(closed[1]).any():
        ax.plot(*closed, color=ink(ax), lw=0.7, zorder=4, label=once(ax, CLOSED))
