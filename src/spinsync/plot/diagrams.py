"""Diagrams over parameters, with the closed form on top of the numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from spinsync.base import checks
from spinsync.data.distributions import Samples
from spinsync.data.ensembles import Ensemble
from spinsync.plot.style import CLOSED_FORM, COLOURS, MEANINGS, SIZES, SYMBOLS, angle_ticks, axes, in_style
from spinsync.verbs.closed_forms import critical_coupling, limit_cycle
from spinsync.verbs.results import model_of

LABELS = {
    "amplitude": r"amplitude  $|s|$",
    "inversion": r"inversion  $z$",
    "frequency": r"frequency  $\Omega$  (rate)",
    "order_parameter": r"order parameter  $R$",
}


def _axis(name: str, ensemble: Ensemble, axes_of_diagram: Iterable[str] = ()) -> tuple[str, float]:
    """Label of a parameter and the unit it is drawn in: the damping rate, where one value of it is fixed."""
    last = name.rsplit(".", 1)[-1]
    symbol = SYMBOLS.get(last, last)
    if last in ("theta", "cross_theta", "weight") or last not in SYMBOLS:
        return f"{MEANINGS.get(last, last)}  ${symbol}$" if last in SYMBOLS else name, 1.0
    damping = ensemble.recipe.parameters.get("damping")
    varied = last == "damping" or "damping" in axes_of_diagram or ensemble.recipe.changes
    if varied or not isinstance(damping, float) or damping == 0:
        return rf"{MEANINGS[last]}  ${symbol}$  (rate)", 1.0
    if last == "gain":
        return r"gain-to-damping ratio  $r=\kappa/\gamma$", damping
    return rf"{MEANINGS[last]}  ${symbol}/\gamma$", damping


def _checked(diagram: Any, dims: int) -> tuple[Ensemble, list[str]]:
    ensemble = model_of(diagram)
    if diagram.attrs["verb"] != "phase_diagram":
        raise checks.InputError(f"Argument `diagram` must be a result of phase_diagram, but is one of {diagram.attrs['verb']}.")
    names = [str(d) for d in diagram["order_parameter"].dims] if "order_parameter" in diagram else []
    if len(names) != dims:
        raise checks.InputError(
            f"Argument `diagram` must have {dims} axes, but has {len(names)} ({', '.join(names) or 'none'})."
        )
    return ensemble, names


def _one_group(diagram: xr.Dataset, variable: str) -> xr.DataArray:
    values = diagram[variable]
    return values.isel(group=0) if "group" in values.dims else values


@in_style
def phase_diagram(diagram: xr.Dataset, ax: Axes | None = None, *, variable: str = "order_parameter") -> Axes:
    """A diagram over two parameters as an image, with the closed-form boundary of one group on top.

    Parameters
    ----------
    diagram : xarray.Dataset
        A result of `phase_diagram` over two axes.
    ax : matplotlib axes, optional
    variable : str
        order_parameter, amplitude, inversion or frequency (of the first group). Grey: not defined.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the diagram has not two axes, or the variable is unknown.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> ax = ss.plot.phase_diagram(ss.phase_diagram(one, {"coupling": np.linspace(0, 12, 7), "gain": np.linspace(0.1, 9, 7)}))
    """
    ensemble, (x, y) = _checked(diagram, 2)
    checks.known("variable", variable, LABELS)
    ax = axes(ax, height=2.7)
    (x_label, x_unit), (y_label, y_unit) = _axis(x, ensemble, (x, y)), _axis(y, ensemble, (x, y))
    values = _one_group(diagram, variable).transpose(y, x).values
    ax.set_facecolor("#d0d0d0")
    floor = 0.0 if variable in ("order_parameter", "amplitude") else None
    image = ax.pcolormesh(
        diagram[x] / x_unit, diagram[y] / y_unit, values, cmap=SIZES, vmin=floor, rasterized=True, shading="nearest"
    )  # fmt: skip
    ax.figure.colorbar(image, ax=ax, label=LABELS[variable])
    _boundary(ax, diagram, ensemble, x, y)
    ax.set(xlabel=x_label, ylabel=y_label)
    for axis, name in ((ax.xaxis, x), (ax.yaxis, y)):
        if name.endswith("theta"):
            angle_ticks(axis, float(diagram[name].min()), float(diagram[name].max()))
    return ax


def _has_closed_form(ensemble: Ensemble) -> bool:
    return len(ensemble.groups) == 1 and not isinstance(ensemble.groups[0].distribution, Samples)


def _fine(diagram: xr.Dataset, name: str) -> Any:
    """Where a closed form is drawn along an axis; numbers of spins are whole."""
    values = diagram[name].values
    return values.astype(int) if name == "spins" else np.linspace(values.min(), values.max(), 401)


def _boundary(ax: Axes, diagram: xr.Dataset, ensemble: Ensemble, x: str, y: str) -> None:
    """V_c along the axis that is not the coupling."""
    if not _has_closed_form(ensemble) or "coupling" not in (x, y):
        return
    other = y if x == "coupling" else x
    fine = _fine(diagram, other)
    critical = np.array([critical_coupling(ensemble.replace(**{other: v})) for v in fine.tolist()])
    limits = ax.get_xlim(), ax.get_ylim()
    inside = np.where(np.isfinite(critical), critical, np.nan) / _axis("coupling", ensemble, (x, y))[1]
    along = fine / _axis(other, ensemble, (x, y))[1]
    curve = (inside, along) if x == "coupling" else (along, inside)
    ax.plot(*curve, color="white", lw=2.6)
    ax.plot(*curve, color=CLOSED_FORM, lw=1.2)
    ax.set(xlim=limits[0], ylim=limits[1])


@in_style
def cut(diagram: xr.Dataset, ax: Axes | None = None, *, variable: str = "order_parameter", color: str | None = None) -> Axes:
    """A diagram over one parameter: numbers as circles, the closed form of one group as a line.

    Parameters
    ----------
    diagram : xarray.Dataset
        A result of `phase_diagram` over one axis.
    ax : matplotlib axes, optional
    variable : str
        order_parameter, amplitude, inversion or frequency.
    color : str, optional
        Of the circles; by default one per group.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the diagram has not one axis, or the variable is unknown.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> ax = ss.plot.cut(ss.phase_diagram(one, {"coupling": np.linspace(0, 12, 13)}))
    """
    ensemble, (x,) = _checked(diagram, 1)
    checks.known("variable", variable, LABELS)
    ax = axes(ax)
    label, unit = _axis(x, ensemble)
    values, where = diagram[variable], diagram[x] / unit
    groups = [values] if "group" not in values.dims else [values.isel(group=i) for i in range(values.sizes["group"])]
    for i, one in enumerate(groups):
        colour = color or COLOURS[i % len(COLOURS)]
        ax.plot(where, one, "o", ms=3.2, mfc="white", mec=colour, mew=0.9, label=f"group {diagram.group.values[i]}")
    if _has_closed_form(ensemble):
        fine = _fine(diagram, x)
        closed = [float(limit_cycle(ensemble.replace(**{x: v}))[variable]) for v in fine.tolist()]
        ax.plot(fine / unit, closed, color=CLOSED_FORM, lw=1.0, zorder=1)
    elif len(groups) > 1:
        ax.legend(loc="best")
    ax.set(xlabel=label, ylabel=LABELS[variable])
    if x.endswith("theta"):
        angle_ticks(ax.xaxis, float(diagram[x].min()), float(diagram[x].max()))
    return ax


@in_style
def frequency(diagram: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Synchronized frequency over one parameter, omega_sync(theta) for example: circles, closed form as a line.

    Parameters
    ----------
    diagram : xarray.Dataset
        A result of `phase_diagram` over one axis.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the diagram has not one axis.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> ax = ss.plot.frequency(ss.phase_diagram(one, {"theta": np.linspace(-2.5, -0.6, 9)}))
    """
    return cut(diagram, ax, variable="frequency")
