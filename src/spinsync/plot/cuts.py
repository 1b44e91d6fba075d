"""Quantities over one parameter, with closed forms beside the numerical results."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from spinsync.base import checks
from spinsync.model.ensembles import Ensemble, varied
from spinsync.plot import areas
from spinsync.plot.appearance import CLOSED_FORM, COLOURS, angle_ticks, axes, colour, in_style
from spinsync.plot.diagram_input import checked_diagram, diagram_variable
from spinsync.plot.diagrams import formula, select_group
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
from spinsync.plot.units import Unit, checked_unit
from spinsync.questions.closed_forms import available, limit_cycle


@in_style
def cut(
    diagram: xr.Dataset, ax: Axes | None = None, *, variable: str = "order_parameter", color: str | None = None,
    unit: str | tuple[str, float] = "rate",
) -> Axes:  # fmt: skip
    """A diagram over one parameter: numerical results as circles, the closed form of one group as a line.

    Parameters
    ----------
    diagram : xarray.Dataset
        A result of `phase_diagram` over one axis.
    ax : matplotlib axes, optional
    variable : str
        order_parameter, lyapunov, amplitude, inversion or frequency; of the first two groups phase_locking or
        phase_difference.
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
    ax, size, y_size = axes(ax), parameter_size(x, one_unit), quantity_size(variable, one_unit)
    values, where = diagram_variable(diagram, variable) / y_size, diagram[x] / size
    if variable in TWO_GROUPS:
        values = select_group(diagram, variable)
    groups = [values] if "group" not in values.dims else [values.isel(group=i) for i in range(values.sizes["group"])]
    for i, one in enumerate(groups):
        edge = color or COLOURS[i % len(COLOURS)]
        name = one.coords["group"].item() if "group" in one.coords else ensemble.names[0]
        width, fill = (3.6, "white") if i == 0 else (1.8, edge)  # both are visible if they coincide
        ax.plot(where, one, "o", ms=width, mec=edge, mfc=fill, mew=0.9, label=f"group {name}")
    if "limit_cycle" in available(ensemble) and variable in limit_cycle(ensemble):
        ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
        closed = formula(ax, diagram, x, size, lambda v: float(limit_cycle(varied(ensemble, {x: v}))[variable]) / y_size)
        ax.plot(*closed, color=CLOSED_FORM, lw=1.0, zorder=1)
    elif len(groups) > 1:
        ax.legend(loc="best")
    ax.set(xlabel=parameter_label(x, ensemble, one_unit), ylabel=quantity_label(variable, one_unit))
    low, high = ax.get_ylim()
    if high - low < 1e-9:  # a constant up to rounding
        ax.set_ylim((low + high) / 2 - 0.5, (low + high) / 2 + 0.5)
    if x.endswith("theta"):
        angle_ticks(ax.xaxis, float(diagram[x].min()), float(diagram[x].max()))
    return ax


@in_style
def frequency(
    diagram: xr.Dataset, ax: Axes | None = None, *, difference: bool = False, unit: str | tuple[str, float] = "rate"
) -> Axes:
    """Observed frequencies over one parameter: circles; closed forms as black lines, natural frequencies as dotted lines.

    Parameters
    ----------
    diagram : xarray.Dataset
        A result of `phase_diagram` over one axis.
    ax : matplotlib axes, optional
    difference : bool
        Draw the difference of the first two groups, which is zero on the locking plateau.
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
    (5.8) for weak coupling.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> pair = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2)
    >>> ax = ss.plot.frequency(ss.phase_diagram(pair, {"detuning": np.linspace(0, 8, 9)}))
    """
    ensemble, (x,) = checked_diagram(diagram, 1)
    if not checks.flag("difference", difference):
        ax = cut(diagram, ax, variable="frequency", unit=unit)
        _draw_natural_frequencies(ax, diagram, ensemble, x, checked_unit(unit, ensemble, (x,)))
        return ax
    if len(ensemble.groups) < 2:
        raise checks.InputError("Argument `difference` must be False for one group, but is difference=True.")
    one_unit = checked_unit(unit, ensemble, (x,))
    observed = diagram_variable(diagram, "frequency")
    if observed.sizes.get("group", 1) < 2:
        raise checks.InputError("Argument `diagram` must hold two groups for a difference, but holds one.")
    gap = observed.isel(group=0) - observed.isel(group=1)
    first, second = observed.group.values[:2]
    ax = axes(ax)
    ax.plot(
        diagram[x] / parameter_size(x, one_unit),
        gap / one_unit.size,
        "o",
        ms=3.2,
        mfc="white",
        mec=COLOURS[0],
        mew=0.9,
        zorder=3,
    )
    if x == "detuning":
        _draw_dotted(ax, diagram, one_unit, slope=1.0)
        closed = formula(ax, diagram, x, one_unit.size, lambda v: _closed_form(ensemble, v, "beat_frequency") / one_unit.size)
        ax.plot(*closed, color=CLOSED_FORM, lw=1.0, zorder=2)
    symbol = rf"\Omega_\mathrm{{{first}}}-\Omega_\mathrm{{{second}}}"
    ax.set(xlabel=parameter_label(x, ensemble, one_unit), ylabel=one_unit.label("difference", symbol))
    return ax


def _closed_form(pair: Ensemble, detuning: float, variable: str) -> float:
    """`frequency` or `beat_frequency` of two groups at a detuning in closed form; NaN if none applies."""
    return areas.closed_form(varied(pair, {"detuning": detuning}), variable)


def _draw_dotted(ax: Axes, diagram: xr.Dataset, unit: Unit, *, slope: float, middle: float = 0.0) -> None:
    """Draw a dotted line proportional to the detuning, from `middle` on."""
    ends = np.array([float(diagram.detuning.min()), float(diagram.detuning.max())])
    ax.plot(ends / unit.size, (middle + slope * ends) / unit.size, ":", color="#6b747d", lw=0.9, zorder=1)


def _draw_natural_frequencies(ax: Axes, diagram: xr.Dataset, ensemble: Ensemble, x: str, unit: Unit) -> None:
    """Draw natural frequencies of two groups over their detuning, and the locked frequency in closed form."""
    if x != "detuning":
        return
    middle = sum(group.mean_frequency for group in ensemble.groups) / 2 if ensemble.recipe.clouds else 0.0
    for sign in (1, -1):
        _draw_dotted(ax, diagram, unit, slope=sign / 2, middle=middle)

    def plateau(detuning: float) -> float:
        locked = _closed_form(ensemble, detuning, "beat_frequency") == 0
        return _closed_form(ensemble, detuning, "frequency") / unit.size if locked else np.nan

    ax.plot(*formula(ax, diagram, x, unit.size, plateau), color=CLOSED_FORM, lw=1.0)
