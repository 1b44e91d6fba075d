"""Order parameter and phases over time."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from spinsync.base import checks
from spinsync.plot.appearance import CYCLIC_COLOURMAP, axes, group_colour, in_style, ink, line_widths
from spinsync.plot.axis_labels import colour_bar, label_axes
from spinsync.plot.legends import add_legend
from spinsync.plot.scales import angle_ticks
from spinsync.plot.units import checked_unit
from spinsync.results.datasets import DIMS, all_pairs, checked_result, model_of, times_of, variable
from spinsync.results.datasets import phases as phase_of


def require_variable(run: xr.Dataset, name: str, all_groups: bool = False) -> None:
    """Raise InputError unless a result has a variable with the dims of `evolve`, over finite, increasing times.

    all_groups : whether it must have all groups of the model, as a mean over them needs
    """
    if not isinstance(run, xr.Dataset):
        raise checks.argument_error("run", f"a result of evolve that holds {name} over time", run)
    checked_result(run, "run")
    if name not in run or not run.sizes.get("time"):
        question = run.attrs.get("verb")
        but = "holds none" if question == "evolve" else f"is one of {checks.one_line(str(question or 'unknown origin'))}"
        raise checks.InputError(f"Argument `run` must be a result of evolve that holds {name} over time, but {but}.")
    found = variable(run, name, "run")
    if found.dims != ("time", *DIMS[name]):
        raise checks.InputError(f"Argument `run` must hold one run over time, but has dims {found.dims}.")
    times_of(run, "run")
    if "group" in found.dims:
        _check_groups(run, all_groups)


def time_range(time: np.ndarray) -> tuple[float, float]:
    """Limits of a time axis, from the first time to the last; half a unit around a single time."""
    first, last = float(time[0]), float(time[-1])
    return (first, last) if first < last else (first - 0.5, last + 0.5)


def _check_groups(run: xr.Dataset, all_groups: bool) -> None:
    """Raise InputError if a group occurs twice, or with `all_groups` if one is missing."""
    have = run.group.values.tolist()
    if len(set(map(str, have))) < len(have) or (all_groups and have != list(model_of(run).names)):
        must = f"every group{' of its model' * all_groups} once"
        listed = checks.one_line(", ".join(map(str, have)), 200) or "none"
        raise checks.InputError(f"Argument `run` must hold {must}, but holds {listed}.")


@in_style
def order_parameter(run: xr.Dataset, ax: Axes | None = None, *, unit: str | tuple[str, float] = "rate") -> Axes:
    """Order parameter R of the ensemble, and of each of several groups, over time.

    Parameters
    ----------
    run : xarray.Dataset
        A result of `evolve`.
    ax : matplotlib axes, optional
    unit : "rate", "damping" or (name, factor)
        Unit of the time: one over that of the model's rates; one over the damping rate of all groups; or what belongs to
        a unit of frequency of this name and size, seconds for ("Hz", 2 * np.pi).

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the run holds no order parameter over time, or can't have this unit.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> ax = ss.plot.order_parameter(ss.evolve(one, np.linspace(0, 5, 200)))
    """
    require_variable(run, "order_parameter")
    source = "correlation" if "correlation" in run else "coherence"
    if source in run:
        require_variable(run, source)
    several = run.sizes.get("group", 1) > 1 and source in run
    if several and source == "correlation":
        all_pairs(run, source, "run")
    one_unit = checked_unit(unit, model_of(run))
    ax, new_figure, time = axes(ax), ax is None, run.time.values * one_unit.time
    names = run.group.values if several else []
    *widths, thin = line_widths(len(names) + 1)
    for i, (name, width) in enumerate(zip(names, widths, strict=True)):
        ax.plot(time, _group_order_parameter(run, i), color=group_colour(ax, i), lw=width, label=f"group {name}")
    ax.plot(time, run.order_parameter, color=ink(ax) if several else group_colour(ax, 0), lw=thin, label="ensemble")
    top = max(0.1, 1.1 * ax.dataLim.y1)
    ax.set(xlim=time_range(time), ylim=(0, min(1.02, top)))
    label_axes(ax, one_unit.time_label(), r"order parameter  $R$")
    add_legend(ax, new_figure)
    return ax


@in_style
def phases(run: xr.Dataset, ax: Axes | None = None, *, frame: float = 0.0, unit: str | tuple[str, float] = "rate") -> Axes:
    """Phases -arg<sigma^-> over time: a line per group, or an image of all spins in a cyclic colour map.

    Parameters
    ----------
    run : xarray.Dataset
        A result of `evolve`; with each=True an image with one row per spin, sorted by group.
    ax : matplotlib axes, optional
    frame : float
        Angular frequency of the rotating frame, in the unit of the model.
    unit : "rate", "damping" or (name, factor)
        Unit of the time, as in `plot.order_parameter`.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the run holds no coherence over time, `frame` is not a number, or the figure can't have this unit.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
    >>> ax = ss.plot.phases(ss.evolve(one, np.linspace(0, 5, 200)))
    """
    each = isinstance(run, xr.Dataset) and "spin_coherence" in run
    require_variable(run, "spin_coherence" if each else "coherence")
    frame, one_unit, time = checks.real("frame", frame), checked_unit(unit, model_of(run)), run.time.values
    rotated = (run.spin_coherence if each else run.coherence).values * np.exp(1j * frame * (time - time[0]))[:, None]
    ax, new_figure, time = axes(ax), ax is None, time * one_unit.time
    if each:
        spins, shown = np.arange(rotated.shape[1]), phase_of(rotated).T
        image = ax.pcolormesh(time, spins, shown, cmap=CYCLIC_COLOURMAP, vmin=-np.pi, vmax=np.pi, rasterized=True)
        bar = colour_bar(ax, image, r"phase  $\varphi$")
        angle_ticks(bar.ax.yaxis, -np.pi, np.pi)
        label_axes(ax, one_unit.time_label(), "spin")
        return ax
    for i, (name, width) in enumerate(zip(run.group.values, line_widths(len(run.group)), strict=True)):
        phase = phase_of(rotated[:, i])
        phase[1:][abs(np.diff(phase)) > np.pi] = np.nan  # gap at the jump from pi to -pi
        ax.plot(time, phase, color=group_colour(ax, i), lw=width, label=f"group {name}")
    ax.set(xlim=time_range(time), ylim=(-np.pi, np.pi))
    label_axes(ax, one_unit.time_label(), r"phase  $\varphi$")
    angle_ticks(ax.yaxis, -np.pi, np.pi)
    add_legend(ax, new_figure)
    return ax


def _group_order_parameter(run: xr.Dataset, group: int) -> np.ndarray:
    """Order parameter of one group over time: (8.1), or (8.2) at finite N; NaN for a single spin."""
    if "correlation" not in run:
        return np.asarray(2 * abs(run.coherence.values[:, group]))
    return np.asarray(2 * np.sqrt(np.maximum(run.correlation.values[:, group, group].real, 0)))
