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
from spinsync.plot.diagrams import LABELS, PAIR_LABELS, axis_label, formula, select_group
from spinsync.questions.closed_forms import available, limit_cycle

FREQUENCIES = {"frequency": ("frequency", r"\Omega"), "lyapunov": ("Lyapunov exponent", r"\lambda")}  # names, symbols


@in_style
def cut(diagram: xr.Dataset, ax: Axes | None = None, *, variable: str = "order_parameter", color: str | None = None) -> Axes:
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

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the diagram does not have one axis, or the variable is unknown.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> ax = ss.plot.cut(ss.phase_diagram(one, {"coupling": np.linspace(0, 12, 13)}))
    """
    ensemble, (x,) = checked_diagram(diagram, 1)
    checks.one_of("variable", variable, [*LABELS, *PAIR_LABELS])
    color = colour("color", color)
    ax = axes(ax)
    label, unit = axis_label(x, ensemble)
    y_label, y_unit = (LABELS | PAIR_LABELS)[variable], 1.0
    if variable in FREQUENCIES:
        y_label, y_unit = _frequency_label(label, unit, *FREQUENCIES[variable])
    values, where = diagram_variable(diagram, variable) / y_unit, diagram[x] / unit
    if variable in PAIR_LABELS:
        values = select_group(diagram, variable)
    groups = [values] if "group" not in values.dims else [values.isel(group=i) for i in range(values.sizes["group"])]
    for i, one in enumerate(groups):
        edge = color or COLOURS[i % len(COLOURS)]
        name = one.coords["group"].item() if "group" in one.coords else ensemble.names[0]
        size, fill = (3.6, "white") if i == 0 else (1.8, edge)  # both are visible if they coincide
        ax.plot(where, one, "o", ms=size, mec=edge, mfc=fill, mew=0.9, label=f"group {name}")
    if "limit_cycle" in available(ensemble) and variable in limit_cycle(ensemble):
        ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
        closed = formula(ax, diagram, x, unit, lambda v: float(limit_cycle(varied(ensemble, {x: v}))[variable]) / y_unit)
        ax.plot(*closed, color=CLOSED_FORM, lw=1.0, zorder=1)
    elif len(groups) > 1:
        ax.legend(loc="best")
    ax.set(xlabel=label, ylabel=y_label)
    low, high = ax.get_ylim()
    if high - low < 1e-9:  # a constant up to rounding
        ax.set_ylim((low + high) / 2 - 0.5, (low + high) / 2 + 0.5)
    if x.endswith("theta"):
        angle_ticks(ax.xaxis, float(diagram[x].min()), float(diagram[x].max()))
    return ax


@in_style
def frequency(diagram: xr.Dataset, ax: Axes | None = None, *, difference: bool = False) -> Axes:
    """Observed frequencies over one parameter: circles; closed forms as black lines, natural frequencies as dotted lines.

    Parameters
    ----------
    diagram : xarray.Dataset
        A result of `phase_diagram` over one axis.
    ax : matplotlib axes, optional
    difference : bool
        Draw the difference of the first two groups, which is zero on the locking plateau.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the diagram does not have one axis, or has one group and `difference` is True.

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
        ax = cut(diagram, ax, variable="frequency")
        _draw_natural_frequencies(ax, diagram, ensemble, x)
        return ax
    if len(ensemble.groups) < 2:
        raise checks.InputError("Argument `difference` must be False for one group, but is difference=True.")
    ax, (label, unit) = axes(ax), axis_label(x, ensemble)
    observed = diagram_variable(diagram, "frequency")
    if observed.sizes.get("group", 1) < 2:
        raise checks.InputError("Argument `diagram` must hold two groups for a difference, but holds one.")
    gap = observed.isel(group=0) - observed.isel(group=1)
    first, second = observed.group.values[:2]
    y_label, y_unit = _frequency_label(label, unit, "difference", rf"\Omega_\mathrm{{{first}}}-\Omega_\mathrm{{{second}}}")
    ax.plot(diagram[x] / unit, gap / y_unit, "o", ms=3.2, mfc="white", mec=COLOURS[0], mew=0.9, zorder=3)
    if x == "detuning":
        _draw_dotted(ax, diagram, unit, 1 / y_unit)
        closed = formula(
            ax, diagram, x, unit, lambda v: areas.closed_form(varied(ensemble, {"detuning": v}), "beat_frequency") / y_unit
        )
        ax.plot(*closed, color=CLOSED_FORM, lw=1.0, zorder=2)
    ax.set(xlabel=label, ylabel=y_label)
    return ax


def _frequency_label(label: str, unit: float, meaning: str, symbol: str) -> tuple[str, float]:
    """Label and unit of a frequency: the damping rate if the parameter axis is in units of it."""
    in_damping = label.endswith(r"/\gamma$")
    return (rf"{meaning}  ${symbol}/\gamma$", unit) if in_damping else (rf"{meaning}  ${symbol}$  (rate)", 1.0)


def _draw_dotted(ax: Axes, diagram: xr.Dataset, unit: float, slope: float, middle: float = 0.0) -> None:
    """Draw a dotted line proportional to the detuning, from `middle` on."""
    ends = np.array([float(diagram.detuning.min()), float(diagram.detuning.max())])
    ax.plot(ends / unit, middle + slope * ends, ":", color="#6b747d", lw=0.9, zorder=1)


def _draw_natural_frequencies(ax: Axes, diagram: xr.Dataset, ensemble: Ensemble, x: str) -> None:
    """Draw natural frequencies of two groups over their detuning, and the locked frequency in closed form."""
    if x != "detuning":
        return
    label, unit = axis_label(x, ensemble)
    y_unit = _frequency_label(label, unit, "", "")[1]
    middle = sum(group.mean_frequency for group in ensemble.groups) / 2 if ensemble.recipe.clouds else 0.0
    for sign in (1, -1):
        _draw_dotted(ax, diagram, unit, sign / 2 / y_unit, middle / y_unit)

    def plateau(detuning: float) -> float:
        pair = varied(ensemble, {"detuning": detuning})
        locked = areas.closed_form(pair, "beat_frequency") == 0
        return areas.closed_form(pair, "frequency") / y_unit if locked else np.nan

    ax.plot(*formula(ax, diagram, x, unit, plateau), color=CLOSED_FORM, lw=1.0)
