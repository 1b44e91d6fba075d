"""Steady states, linewidths and spectra as functions of the number of spins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from spinsync.base import checks
from spinsync.model.ensembles import Ensemble
from spinsync.plot.appearance import COLOURMAP, axes, colour, group_colour, in_style, ink, line_widths, on_dark
from spinsync.plot.axis_labels import label_axes
from spinsync.plot.labels import RATES, quantity_label, quantity_size
from spinsync.plot.legends import add_legend, once
from spinsync.plot.scales import plain_decades
from spinsync.plot.units import checked_unit
from spinsync.questions.closed_forms import limit_cycle
from spinsync.questions.steady import steady_state
from spinsync.results.datasets import checked_result, model_of
from spinsync.theory.mean_field.closed_forms_one import many_spin_line

Results = xr.Dataset | Iterable[xr.Dataset]
FEW, MANY, MEAN_FIELD = "finite $N$", "many spins", "mean field"  # in legends
QUESTIONS = {"order_parameter": "steady_state", "inversion": "steady_state", "frequency": "linewidth"}


@in_style
def finite_size(
    results: Results, ax: Axes | None = None, *, variable: str = "order_parameter", color: str | None = None,
    label: str | None = None, unit: str | tuple[str, float] = "rate",
) -> Axes:  # fmt: skip
    """A quantity of the steady state over 1/N, as circles; the mean-field value as a black dot at 1/N = 0.

    Parameters
    ----------
    results : list of xarray.Dataset, or one over spins
        Results for one ensemble and several numbers of spins: of `steady_state` for order_parameter and inversion, of
        `linewidth` for frequency; also combined by `xr.concat(results, "spins")`.
    ax : matplotlib axes, optional
    variable : str
        order_parameter, inversion or frequency; of several lines (modes) the first one is drawn, of two symmetric ones
        the one above the centre.
    color, label : str, optional
        Colour and legend entry of the circles; by default one colour per group.
    unit : "rate", "damping" or (name, factor)
        Unit of the frequency, as in `plot.phase_diagram`.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the variable is unknown, the results are not of its function, at finite N, for one ensemble, or the figure can't
        have this unit.

    Notes
    -----
    Mean field: the closed forms (4.2) to (4.4) of one group, `steady_state` of several if they share a fixed point.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> ax = ss.plot.finite_size([ss.steady_state(one, theory=ss.Exact(n)) for n in (40, 80, 160)])
    """
    checks.one_of("variable", variable, QUESTIONS)
    color, label = colour("color", color), None if label is None else checks.one_line_text("label", label)
    model, by_spins = _by_spins(results, QUESTIONS[variable], variable)
    one_unit = checked_unit(unit, model, shown=variable in RATES)
    ax, new_figure, size = axes(ax), ax is None, quantity_size(variable, one_unit)
    inverse = [1 / spins for spins in by_spins]
    values = np.array([np.atleast_1d(one[variable].values) for one in by_spins.values()]) / size
    several = values.shape[1] > 1
    widths = line_widths(values.shape[1])
    sizes = np.linspace(3.6, 1.8, max(2, values.shape[1]))  # all are seen where they coincide
    for i, limit in enumerate(_mean_field(model, variable)[: values.shape[1]] / size):
        name = f"group {model.names[i]}" if several else label or once(ax, FEW)
        edge = color or group_colour(ax, i)
        look: dict[str, Any] = dict(ms=sizes[i], mfc=edge if i else ax.get_facecolor(), lw=0.7 * widths[i])
        ax.plot(inverse, values[:, i], "o-", color=edge, mew=0.9, label=name, **look)
        shown = once(ax, MEAN_FIELD) if np.isfinite(limit) else "_nolegend_"
        ax.axhline(limit, color=ink(ax), lw=0.8, ls="--", zorder=1, label=shown)
        ax.plot(0, limit, "o", ms=4.5, color=ink(ax), clip_on=False, zorder=4)
    ax.set_xlim(left=0)
    label_axes(ax, r"$1/N$", quantity_label(variable, one_unit))
    add_legend(ax, new_figure)
    return ax


@in_style
def linewidths(
    results: Results, ax: Axes | None = None, *, color: str | None = None, label: str | None = None,
    unit: str | tuple[str, float] = "rate",
) -> Axes:  # fmt: skip
    """Linewidth over the number of spins, both logarithmic: circles; for one group its asymptote for many spins in black.

    Parameters
    ----------
    results : list of xarray.Dataset, or one over spins
        Results of `linewidth` for one ensemble and several numbers of spins, as for `finite_size`.
    ax : matplotlib axes, optional
    color, label : str, optional
        Colour and legend entry of the circles.
    unit : "rate", "damping" or (name, factor)
        Unit of the linewidth, as in `plot.phase_diagram`.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the results are not of `linewidth`, at finite N, for one ensemble, or the figure can't have this unit.

    Notes
    -----
    The asymptote: (4.7), proportional to 1/N, above the threshold; the decay rate of a small coherence (4.1) below it. At the
    threshold the width is proportional to 1/sqrt(N), and there is no black line.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> ax = ss.plot.linewidths([ss.linewidth(one, theory=ss.Exact(n)) for n in (40, 80, 160)])
    """
    color, label = colour("color", color), None if label is None else checks.one_line_text("label", label)
    model, by_spins = _by_spins(results, "linewidth", "linewidth")
    one_unit = checked_unit(unit, model)
    ax, new_figure, spins = axes(ax), ax is None, np.array(list(by_spins))
    widths = [float(one.linewidth) / one_unit.size for one in by_spins.values()]
    look: dict[str, Any] = dict(lw=0.8, ms=3.6, mfc=ax.get_facecolor(), mew=0.9)
    ax.loglog(spins, widths, "o-", color=color or group_colour(ax, 0), label=label or once(ax, FEW), **look)
    if len(model.groups) == 1:
        widths_of_many = many_spin_line(model, spins)[1] / one_unit.size
        asymptote = Line2D(spins, widths_of_many, color=ink(ax), lw=0.8, ls="--", zorder=1, label=once(ax, MANY))
        ax.add_artist(asymptote)  # does not change the limits: close to the threshold it is far outside
    for axis in (ax.xaxis, ax.yaxis):
        plain_decades(axis)
    label_axes(ax, r"number of spins  $N$", one_unit.label("linewidth, FWHM", r"\Delta\nu"))
    add_legend(ax, new_figure)
    return ax


@in_style
def spectra(results: Results, ax: Axes | None = None, *, unit: str | tuple[str, float] = "rate") -> Axes:
    """Emission spectra divided by the square of the number of spins, N^2: darker for more spins (brighter on a dark ground).

    The area under a curve, with the measure d nu / 2 pi, is <J_+ J_->/N^2, which tends to |s|^2 for many spins.

    Parameters
    ----------
    results : list of xarray.Dataset, or one over spins
        Results of `emission_spectrum` for one ensemble and several numbers of spins, each with its own frequencies.
    ax : matplotlib axes, optional
    unit : "rate", "damping" or (name, factor)
        Unit of the frequency, as in `plot.phase_diagram`, and with it of the spectral density.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the results are not of `emission_spectrum`, for one ensemble, or the figure can't have this unit.

    Notes
    -----
    Dashed line: the mean-field frequency (4.3) of one group above the threshold.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
    >>> light = [ss.emission_spectrum(one, np.linspace(-6, 4, 201), theory=ss.Exact(n)) for n in (40, 80, 160)]
    >>> ax = ss.plot.spectra(light)
    """
    model, by_spins = _by_spins(results, "emission_spectrum", "emission")
    one_unit = checked_unit(unit, model)
    ax, new_figure = axes(ax), ax is None
    shades = plt.get_cmap(COLOURMAP)(np.linspace(*((0.45, 1.0) if on_dark(ax) else (0.8, 0.0)), len(by_spins)))
    for (spins, one), shade in zip(by_spins.items(), shades, strict=True):
        ax.semilogy(one.frequency / one_unit.size, one.emission / spins**2 * one_unit.time, color=shade, label=f"$N={spins}$")
    if len(model.groups) == 1 and limit_cycle(model).synchronized:
        ax.axvline(
            float(limit_cycle(model).frequency) / one_unit.size,
            color=ink(ax),
            lw=0.8,
            ls="--",
            zorder=1,
            label=once(ax, MEAN_FIELD),
        )
    plain_decades(ax.yaxis)
    label_axes(ax, one_unit.label("frequency", r"\nu"), one_unit.density_label("emission", r"S(\nu)/N^2"))
    add_legend(ax, new_figure)
    return ax


def _by_spins(results: Results, question: str, variable: str) -> tuple[Ensemble, dict[int, xr.Dataset]]:
    """The common ensemble of results of a question, and the results by their number of spins, ascending."""
    if isinstance(results, xr.Dataset):
        several = [results.isel(spins=i) for i in range(results.sizes["spins"])] if "spins" in results.dims else [results]
    else:
        try:
            several = list(results)
        except TypeError:  # not iterable
            raise checks.argument_error("results", f"results of {question}", results) from None
    if not several:
        raise checks.InputError("Argument `results` must hold at least one result, but is empty.")
    for one in several:
        origin = one.attrs.get("verb", "unknown origin") if isinstance(one, xr.Dataset) else type(one).__name__
        if origin != question:
            raise checks.InputError(f"Argument `results` must be of {question}, but one is of {checks.one_line(str(origin))}.")
        if "spins" not in one.coords:
            raise checks.InputError("Argument `results` must be of finite numbers of spins, but one is of mean field.")
        _check(_narrowest_line(checked_result(one, "results")), variable)
    models = {one.attrs["model"] for one in several}
    if len(models) > 1:
        raise checks.InputError(f"Argument `results` must be of one ensemble, but are of {len(models)}.")
    by_spins = {int(one.spins): _narrowest_line(one) for one in several}
    if len(by_spins) < len(several):
        raise checks.InputError("Argument `results` must be of different numbers of spins, but two are of the same.")
    return model_of(several[0]), dict(sorted(by_spins.items()))


def _narrowest_line(one: xr.Dataset) -> xr.Dataset:
    """The narrowest of several lines."""
    return one.isel(mode=0) if one.sizes.get("mode") else one


def _check(one: xr.Dataset, variable: str) -> None:
    """Raise InputError unless the variable has the dims of its function: none, group, or frequency."""
    checks.whole("spins", one.coords["spins"].values[()], 1)
    dims = {"emission": ("frequency",), "inversion": ("group",)}.get(variable, ())
    if variable not in one or one[variable].dims != dims or one[variable].dtype.kind != "f" or not one[variable].size:
        raise checks.InputError(f"Argument `results` must hold {variable} as {one.verb} makes it, but one is altered.")
    if variable in ("linewidth", "emission") and not np.any(one[variable].values > 0):
        raise checks.InputError(f"Argument `results` must hold a positive {variable} to be drawn, but one does not.")
    if variable == "emission":
        checks.increasing("frequency of the results", one.frequency.values)


def _mean_field(model: Ensemble, variable: str) -> np.ndarray:
    """The mean-field value, (group,) or (1,); NaN if it is not known."""
    if len(model.groups) == 1:
        found = many_spin_line(model, np.array([1]))[0] if variable == "frequency" else float(limit_cycle(model)[variable])
        return np.array([found])
    try:
        return np.atleast_1d(steady_state(model)[variable].values)
    except (checks.InputError, checks.IntegrationError):  # no common fixed point
        return np.full(len(model.groups), np.nan)
