"""From few spins to infinitely many: steady states, linewidths and spectra by the number of spins."""

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
from spinsync.plot.appearance import CLOSED_FORM, COLOURMAP, COLOURS, axes, colour, in_style, names, plain_decades
from spinsync.plot.diagrams import LABELS
from spinsync.questions.closed_forms import limit_cycle
from spinsync.questions.steady import steady_state
from spinsync.results.datasets import model_of, of_spinsync
from spinsync.theory.mean_field.closed_forms_one import line_of_many

Results = xr.Dataset | Iterable[xr.Dataset]
VERBS = {"order_parameter": "steady_state", "inversion": "steady_state", "frequency": "linewidth"}


@in_style
def finite_size(
    results: Results, ax: Axes | None = None, *, variable: str = "order_parameter", color: str | None = None,
    label: str | None = None,
) -> Axes:  # fmt: skip
    """A quantity of the steady state against 1/N, as circles; the mean-field value as a black dot at 1/N = 0.

    Parameters
    ----------
    results : list of xarray.Dataset, or one over spins
        Of one ensemble and several numbers of spins: results of `steady_state` for order_parameter and inversion, of
        `linewidth` for frequency; also put together by `xr.concat(results, "spins")`.
    ax : matplotlib axes, optional
    variable : str
        order_parameter, inversion or frequency; of several lines the first one is drawn, of two that mirror each other the
        one above the centre.
    color, label : str, optional
        Of the circles; by default one per group.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the variable is unknown, or the results are not of its verb, at finite N, of one ensemble.

    Notes
    -----
    Mean field: the closed forms (4.2) to (4.4) of one group, `steady_state` of several where they come to rest together.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> ax = ss.plot.finite_size([ss.steady_state(one, theory=ss.Exact(n)) for n in (40, 80, 160)])
    """
    checks.one_of("variable", variable, VERBS)
    color, label = colour("color", color), None if label is None else checks.one_line_text("label", label)
    model, by_spins = _by_spins(results, VERBS[variable], variable)
    ax = axes(ax)
    inverse = [1 / spins for spins in by_spins]
    values = np.array([np.atleast_1d(one[variable].values) for one in by_spins.values()])
    several = values.shape[1] > 1
    for i, limit in enumerate(_mean_field(model, variable)[: values.shape[1]]):
        named = f"group {model.names[i]}" if several else label
        ink = color or COLOURS[i % len(COLOURS)]
        inside: dict[str, Any] = dict(ms=3.6, mfc="white") if i == 0 else dict(ms=1.8)  # both are seen where they coincide
        ax.plot(inverse, values[:, i], "o-", lw=0.8, color=ink, mew=0.9, label=named, **inside)
        ax.axhline(limit, color=CLOSED_FORM, lw=0.8, ls="--", zorder=1)
        ax.plot(0, limit, "o", ms=4.5, color=CLOSED_FORM, clip_on=False, zorder=4)
    if several:
        ax.legend(loc="best")
    ax.set(xlabel=r"$1/N$", ylabel=LABELS[variable])
    ax.set_xlim(left=0)
    return ax


@in_style
def linewidths(results: Results, ax: Axes | None = None, *, color: str | None = None, label: str | None = None) -> Axes:
    """Linewidth against the number of spins, both logarithmic: circles; the law of many spins of one group in black.

    Parameters
    ----------
    results : list of xarray.Dataset, or one over spins
        Results of `linewidth` of one ensemble and several numbers of spins, as for `finite_size`.
    ax : matplotlib axes, optional
    color, label : str, optional
        Of the circles.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the results are not of `linewidth`, of one ensemble.

    Notes
    -----
    The law: (4.7), falling as 1/N, where the ensemble synchronizes; what is left of the damping of a small coherence
    (4.1) where it does not. On the threshold the width falls as the root of 1/N, and there is no black line.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> ax = ss.plot.linewidths([ss.linewidth(one, theory=ss.Exact(n)) for n in (40, 80, 160)])
    """
    color, label = colour("color", color), None if label is None else checks.one_line_text("label", label)
    model, by_spins = _by_spins(results, "linewidth", "linewidth")
    ax, spins = axes(ax), np.array(list(by_spins))
    widths = [float(one.linewidth) for one in by_spins.values()]
    ax.loglog(spins, widths, "o-", lw=0.8, ms=3.6, color=color, mfc="white", mew=0.9, label=label)
    if len(model.groups) == 1:
        law = Line2D(spins, line_of_many(model, spins)[1], color=CLOSED_FORM, lw=0.8, ls="--", zorder=1)
        ax.add_artist(law)  # does not widen the picture: close to the threshold the law is far outside
    for axis in (ax.xaxis, ax.yaxis):
        plain_decades(axis)
    ax.set(xlabel=r"number of spins  $N$", ylabel="linewidth, FWHM  (rate)")
    return ax


@in_style
def spectra(results: Results, ax: Axes | None = None) -> Axes:
    """Spectra of the emitted light, divided by the square of the number of spins: darker with more spins.

    The area under a curve over d nu / 2 pi is <J_+ J_->/N^2, which tends to |s|^2: what grows narrower grows higher.

    Parameters
    ----------
    results : list of xarray.Dataset, or one over spins
        Results of `emission_spectrum` of one ensemble and several numbers of spins, each over its own frequencies.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the results are not of `emission_spectrum`, of one ensemble.

    Notes
    -----
    Dashed: the mean-field frequency (4.3) of one group, where it synchronizes.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
    >>> light = [ss.emission_spectrum(one, np.linspace(-6, 4, 201), theory=ss.Exact(n)) for n in (40, 80, 160)]
    >>> ax = ss.plot.spectra(light)
    """
    model, by_spins = _by_spins(results, "emission_spectrum", "emission")
    ax, alone = axes(ax), ax is None
    shades = plt.get_cmap(COLOURMAP)(np.linspace(0.8, 0.0, len(by_spins)))
    for (spins, one), shade in zip(by_spins.items(), shades, strict=True):
        ax.semilogy(one.frequency, one.emission / spins**2, color=shade, label=f"$N={spins}$")
    if len(model.groups) == 1 and limit_cycle(model).synchronized:
        ax.axvline(float(limit_cycle(model).frequency), color=CLOSED_FORM, lw=0.8, ls="--", zorder=1)
    plain_decades(ax.yaxis)
    names(ax, alone)
    ax.set(xlabel=r"frequency  $\nu$  (rate)", ylabel=r"emission  $S(\nu)/N^2$  (1/rate)")
    return ax


def _by_spins(results: Results, verb: str, variable: str) -> tuple[Ensemble, dict[int, xr.Dataset]]:
    """The one ensemble of results of one verb, and these by their number of spins, ascending."""
    if isinstance(results, xr.Dataset):
        several = [results.isel(spins=i) for i in range(results.sizes["spins"])] if "spins" in results.dims else [results]
    else:
        try:
            several = list(results)
        except TypeError:  # no list at all, or none inside
            raise checks.argument_error("results", f"results of {verb}", results) from None
    if not several:
        raise checks.InputError("Argument `results` must hold at least one result, but is empty.")
    for one in several:
        made_by = one.attrs.get("verb", "nothing known") if isinstance(one, xr.Dataset) else type(one).__name__
        if made_by != verb:
            raise checks.InputError(f"Argument `results` must be of {verb}, but one is of {checks.one_line(str(made_by))}.")
        if "spins" not in one.coords:
            raise checks.InputError("Argument `results` must be of finite numbers of spins, but one is of mean field.")
        _check(_first_line(of_spinsync(one, "results")), variable)
    models = {one.attrs["model"] for one in several}
    if len(models) > 1:
        raise checks.InputError(f"Argument `results` must be of one ensemble, but are of {len(models)}.")
    by_spins = {int(one.spins): _first_line(one) for one in several}
    if len(by_spins) < len(several):
        raise checks.InputError("Argument `results` must be of different numbers of spins, but two are of the same.")
    return model_of(several[0]), dict(sorted(by_spins.items()))


def _first_line(one: xr.Dataset) -> xr.Dataset:
    """Of several lines the narrowest."""
    return one.isel(mode=0) if one.sizes.get("mode") else one


def _check(one: xr.Dataset, variable: str) -> None:
    """One number, one for each group, or one for each frequency, as the verb made them."""
    checks.whole("spins", one.coords["spins"].values[()], 1)
    dims = {"emission": ("frequency",), "inversion": ("group",)}.get(variable, ())
    if variable not in one or one[variable].dims != dims or one[variable].dtype.kind != "f" or not one[variable].size:
        raise checks.InputError(f"Argument `results` must hold {variable} as {one.verb} makes it, but one is altered.")
    if variable in ("linewidth", "emission") and not np.any(one[variable].values > 0):
        raise checks.InputError(f"Argument `results` must hold a positive {variable} to be drawn, but one does not.")
    if variable == "emission":
        checks.increasing("frequency of the results", one.frequency.values)


def _mean_field(model: Ensemble, variable: str) -> np.ndarray:
    """The limit of infinitely many spins by group; NaN where it is not known."""
    if len(model.groups) == 1:
        found = line_of_many(model, np.array([1]))[0] if variable == "frequency" else float(limit_cycle(model)[variable])
        return np.array([found])
    try:
        return np.atleast_1d(steady_state(model)[variable].values)
    except (checks.InputError, checks.IntegrationError):  # the groups keep moving
        return np.full(len(model.groups), np.nan)
