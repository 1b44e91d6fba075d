"""Diagrams over parameters, with closed forms over the numerical results."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from spinsync.base import checks
from spinsync.model.ensembles import Ensemble, varied
from spinsync.model.parameters import RATE, parameter
from spinsync.plot import areas, curves
from spinsync.plot.appearance import CLOSED_FORM, COLOURMAP, COLOURS, CYCLIC_COLOURMAP, angle_ticks, axes, colour, in_style
from spinsync.plot.diagram_input import checked_diagram, diagram_variable
from spinsync.plot.error_bars import draw_error_bars
from spinsync.questions.closed_forms import available, critical_coupling, limit_cycle

LABELS = {
    "amplitude": r"amplitude  $|s|$",
    "inversion": r"inversion  $z$",
    "frequency": r"frequency  $\Omega$  (rate)",
    "order_parameter": r"order parameter  $R$",
    "lyapunov": r"Lyapunov exponent  $\lambda$  (rate)",
}
FREQUENCIES = {"frequency": ("frequency", r"\Omega"), "lyapunov": ("Lyapunov exponent", r"\lambda")}  # names, symbols
PAIR_LABELS = {
    "phase_locking": r"phase locking  $|\langle e^{i(\varphi_\mathrm{A}-\varphi_\mathrm{B})}\rangle|$",
    "phase_difference": r"phase difference  $\varphi_\mathrm{A}-\varphi_\mathrm{B}$",
}


def _axis(name: str, ensemble: Ensemble, axes_of_diagram: Iterable[str] = ()) -> tuple[str, float]:
    """Label of a parameter and its unit on the axis: the damping rate, if it is one fixed number."""
    *where, last = name.split(".")
    described = parameter(name)
    of = f"  ({', '.join(where)})" if len(ensemble.groups) > 1 and where else ""
    if described.unit != RATE:
        return f"{described.label}  ${described.symbol}${of}", 1.0
    damping = ensemble.recipe.parameters.get("damping")
    varied = last == "damping" or "damping" in axes_of_diagram or ensemble.recipe.changes
    if of or ensemble.recipe.constructor == "cavity" or varied or not isinstance(damping, float) or damping == 0:
        return rf"{described.label}  ${described.symbol}${of}  (rate)", 1.0
    if last == "gain":
        return r"gain-to-damping ratio  $r=\kappa/\gamma$", damping
    return rf"{described.label}  ${described.symbol}/\gamma$", damping


def _select_group(diagram: xr.Dataset, variable: str) -> xr.DataArray:
    """A variable of the first group, or of the first two groups."""
    values = diagram_variable(diagram, variable)
    if "other_group" in values.dims:
        if values.sizes["group"] < 2 or values.sizes["other_group"] < 2:
            raise checks.InputError(f"Argument `variable` must be one of a single group, but is variable={variable!r}.")
        values = values.isel(other_group=1)
    return values.isel(group=0) if "group" in values.dims else values


@in_style
def phase_diagram(diagram: xr.Dataset, ax: Axes | None = None, *, variable: str | None = None) -> Axes:
    """A diagram over two parameters: regimes as labelled areas, or a variable as an image, with boundaries in closed form.

    Parameters
    ----------
    diagram : xarray.Dataset
        A result of `phase_diagram` over two axes.
    ax : matplotlib axes, optional
    variable : str, optional
        regime, order_parameter, lyapunov, amplitude, inversion or frequency (of the first group), phase_locking or
        phase_difference (of the first two); by default the order parameter of one group, the regime of several.
        Grey: undefined. Crosses: undecided regimes. Lines of a symmetric pair: the Hopf line, the existence limit of
        full synchronization, and the stability limit of the incoherent state, (5.2) to (5.4); of any other pair over
        its detuning: the edges of Adler's locking range (5.7) if its relative error is below 0.1.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the diagram does not have two axes, or the variable is unknown.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> ax = ss.plot.phase_diagram(ss.phase_diagram(one, {"coupling": np.linspace(0, 12, 7), "gain": np.linspace(0.1, 9, 7)}))
    """
    ensemble, (x, y) = checked_diagram(diagram, 2)
    diagram = diagram.sortby([x, y])  # an image needs ascending axes
    if variable is None:
        variable = "order_parameter" if len(ensemble.groups) == 1 else "regime"
    checks.one_of("variable", variable, ["regime", *LABELS, *PAIR_LABELS])
    (x_label, x_unit), (y_label, y_unit) = _axis(x, ensemble, (x, y)), _axis(y, ensemble, (x, y))
    values = _select_group(diagram, variable).transpose(y, x).values
    ax, new_figure = axes(ax, height_factor=1.125), ax is None
    if variable == "regime":
        areas.areas(ax, diagram[x].values / x_unit, diagram[y].values / y_unit, values)
    else:
        _image(ax, diagram[x].values / x_unit, diagram[y].values / y_unit, values, variable)
    _draw_threshold(ax, diagram, ensemble, x, y)
    if len(ensemble.groups) == 2:
        areas.boundaries(ax, diagram, ensemble, x, y, {x: x_unit, y: y_unit})
    if new_figure and variable == "regime":
        areas.legend(ax, values)
    ax.set(xlabel=x_label, ylabel=y_label)
    for axis, name in ((ax.xaxis, x), (ax.yaxis, y)):
        if name.endswith("theta"):
            angle_ticks(axis, float(diagram[name].min()), float(diagram[name].max()))
    return ax


def _image(ax: Axes, x: Any, y: Any, values: Any, variable: str) -> None:
    ax.set_facecolor("#d0d0d0")
    cyclic = variable == "phase_difference"
    floor = -np.pi if cyclic else None if variable in ("frequency", "inversion", "lyapunov") else 0.0
    ceiling = np.pi if cyclic else 1.0 if variable == "phase_locking" else None
    map_ = CYCLIC_COLOURMAP if cyclic else COLOURMAP
    image = ax.pcolormesh(x, y, values, cmap=map_, vmin=floor, vmax=ceiling, rasterized=True, shading="nearest")
    bar = ax.figure.colorbar(image, ax=ax, label=(LABELS | PAIR_LABELS)[variable])
    if cyclic:
        angle_ticks(bar.ax.yaxis, -np.pi, np.pi)


def _formula(ax: Axes, diagram: xr.Dataset, name: str, unit: float, f: Callable[[Any], float], upright: bool = False) -> Any:
    """x and y of a closed form along a parameter; for numbers of spins at the given values only."""
    given = diagram[name].values / unit
    if name == "spins":
        values = np.array([f(int(n)) for n in diagram[name].values])
        return (values, given) if upright else (given, values)
    return curves.sample_curve(ax, lambda at: f(at * unit), given, upright=upright)


def _draw_threshold(ax: Axes, diagram: xr.Dataset, ensemble: Ensemble, x: str, y: str) -> None:
    """Draw the critical coupling of one group."""
    if "limit_cycle" not in available(ensemble):
        return
    if "coupling" not in (x, y):
        _draw_threshold_contour(ax, diagram, ensemble, x, y)
        return
    other = y if x == "coupling" else x
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())  # the line does not change the limits
    units = [_axis(name, ensemble, (x, y))[1] for name in ("coupling", other)]

    curve = _formula(ax, diagram, other, units[1], upright=x == "coupling",
                    f=lambda value: critical_coupling(varied(ensemble, {other: value})) / units[0])  # fmt: skip
    ax.plot(*curve, color="white", lw=2.6)
    ax.plot(*curve, color=CLOSED_FORM, lw=1.2)


def _draw_threshold_contour(ax: Axes, diagram: xr.Dataset, ensemble: Ensemble, x: str, y: str) -> None:
    """Draw V = V_c as a contour over two parameters that are not the coupling."""
    units = {name: _axis(name, ensemble, (x, y))[1] for name in (x, y)}
    grid = curves.sample_grid(ax, *(diagram[name].values / units[name] for name in (x, y)))
    fine = {name: values * units[name] for name, values in zip((x, y), grid, strict=True)}
    if "spins" in fine:
        fine["spins"] = np.unique(np.rint(fine["spins"]))

    def above(across: float, up: float) -> float:
        model = varied(ensemble, {x: across, y: up})
        ratio = abs(model.coupling_matrix[0, 0]) / critical_coupling(model)
        return float(np.log(np.clip(ratio, 0.1, 10)))  # nearly linear at the change of sign

    values = np.array([[above(across, up) for across in fine[x]] for up in fine[y]])
    if values.min() < 0 < values.max():
        along = [fine[name] / units[name] for name in (x, y)]
        ax.contour(*along, values, levels=[0.0], colors="white", linewidths=2.6)
        ax.contour(*along, values, levels=[0.0], colors=CLOSED_FORM, linewidths=1.2)


@in_style
def cut(diagram: xr.Dataset, ax: Axes | None = None, *, variable: str = "order_parameter", color: str | None = None) -> Axes:
    """A diagram over one parameter: numerical results as circles, the closed form of one group as a line.

    Means over realizations have bars of one standard error.

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
    label, unit = _axis(x, ensemble)
    y_label, y_unit = (LABELS | PAIR_LABELS)[variable], 1.0
    if variable in FREQUENCIES:
        y_label, y_unit = _frequency_label(label, unit, *FREQUENCIES[variable])
    values, where = diagram_variable(diagram, variable) / y_unit, diagram[x] / unit
    if variable in PAIR_LABELS:
        values = _select_group(diagram, variable)
    groups = [values] if "group" not in values.dims else [values.isel(group=i) for i in range(values.sizes["group"])]
    for i, one in enumerate(groups):
        edge = color or COLOURS[i % len(COLOURS)]
        name = one.coords["group"].item() if "group" in one.coords else ensemble.names[0]
        size, fill = (3.6, "white") if i == 0 else (1.8, edge)  # both are visible if they coincide
        ax.plot(where, one, "o", ms=size, mec=edge, mfc=fill, mew=0.9, label=f"group {name}")
        draw_error_bars(ax, where, one, diagram, y_unit, edge)
    if "limit_cycle" in available(ensemble) and variable in limit_cycle(ensemble):
        ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
        closed = _formula(ax, diagram, x, unit, lambda v: float(limit_cycle(varied(ensemble, {x: v}))[variable]) / y_unit)
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
    ax, (label, unit) = axes(ax), _axis(x, ensemble)
    observed = diagram_variable(diagram, "frequency")
    if observed.sizes.get("group", 1) < 2:
        raise checks.InputError("Argument `diagram` must hold two groups for a difference, but holds one.")
    gap = observed.isel(group=0) - observed.isel(group=1)
    first, second = observed.group.values[:2]
    y_label, y_unit = _frequency_label(label, unit, "difference", rf"\Omega_\mathrm{{{first}}}-\Omega_\mathrm{{{second}}}")
    ax.plot(diagram[x] / unit, gap / y_unit, "o", ms=3.2, mfc="white", mec=COLOURS[0], mew=0.9, zorder=3)
    if x == "detuning":
        _draw_dotted(ax, diagram, unit, 1 / y_unit)
        closed = _formula(
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
    label, unit = _axis(x, ensemble)
    y_unit = _frequency_label(label, unit, "", "")[1]
    middle = sum(group.mean_frequency for group in ensemble.groups) / 2 if ensemble.recipe.clouds else 0.0
    for sign in (1, -1):
        _draw_dotted(ax, diagram, unit, sign / 2 / y_unit, middle / y_unit)

    def plateau(detuning: float) -> float:
        pair = varied(ensemble, {"detuning": detuning})
        locked = areas.closed_form(pair, "beat_frequency") == 0
        return areas.closed_form(pair, "frequency") / y_unit if locked else np.nan

    ax.plot(*_formula(ax, diagram, x, unit, plateau), color=CLOSED_FORM, lw=1.0)
