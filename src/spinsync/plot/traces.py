"""Order parameter and phases against time."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from spinsync.base import checks
from spinsync.plot.appearance import CLOSED_FORM, COLOURS, CYCLE, angle_ticks, axes, in_style, names
from spinsync.results.datasets import DIMS, all_pairs, model_of, of_spinsync, times_of, variable
from spinsync.results.datasets import phases as phase_of

TIME = r"time  $t$  (1/rate)"


def needs(run: xr.Dataset, name: str, whole: bool = False) -> None:
    """The door of every picture over time: a variable with its dims as `evolve` makes them, over finite, increasing times.

    whole : whether all groups of the model must be there, as for a mean over them
    """
    if not isinstance(run, xr.Dataset):
        raise checks.argument_error("run", f"a result of evolve that holds {name} over time", run)
    of_spinsync(run, "run")
    if name not in run or not run.sizes.get("time"):
        made_by = run.attrs.get("verb")
        what = "holds none" if made_by == "evolve" else f"is one of {checks.one_line(str(made_by or 'nothing known'))}"
        raise checks.InputError(f"Argument `run` must be a result of evolve that holds {name} over time, but {what}.")
    found = variable(run, name, "run")
    if found.dims != ("time", *DIMS[name]):
        raise checks.InputError(f"Argument `run` must hold one run over time, but has dims {found.dims}.")
    times_of(run, "run")
    if "group" in found.dims:
        _check_groups(run, whole)


def span(run: xr.Dataset) -> tuple[float, float]:
    """From the first time to the last, for an axis, which needs some length."""
    first, last = float(run.time[0]), float(run.time[-1])
    return (first, last) if first < last else (first - 0.5, last + 0.5)


def _check_groups(run: xr.Dataset, whole: bool) -> None:
    have = run.group.values.tolist()
    if len(set(map(str, have))) < len(have) or (whole and have != list(model_of(run).names)):
        must, listed = f"every group{' of its model' * whole} once", checks.one_line(", ".join(map(str, have)), 200) or "none"
        raise checks.InputError(f"Argument `run` must hold {must}, but holds {listed}.")


@in_style
def order_parameter(run: xr.Dataset, ax: Axes | None = None) -> Axes:
    """Order parameter R of the ensemble, and of each group where there are several, against time.

    Parameters
    ----------
    run : xarray.Dataset
        A result of `evolve`.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the run holds no order parameter over time.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> ax = ss.plot.order_parameter(ss.evolve(one, np.linspace(0, 5, 200)))
    """
    needs(run, "order_parameter")
    of_groups = "correlation" if "correlation" in run else "coherence"
    if of_groups in run:
        needs(run, of_groups)
    several = run.sizes.get("group", 1) > 1 and of_groups in run
    if several and of_groups == "correlation":
        all_pairs(run, of_groups, "run")
    ax, alone = axes(ax), ax is None
    if several:
        for i, name in enumerate(run.group.values):
            ax.plot(run.time, _order_of(run, i), color=COLOURS[i % len(COLOURS)], label=f"group {name}")
    ax.plot(run.time, run.order_parameter, color=CLOSED_FORM if several else COLOURS[0], label="ensemble")
    if several:
        names(ax, alone)
    top = max(0.1, 1.1 * ax.dataLim.y1)
    ax.set(xlabel=TIME, ylabel=r"order parameter  $R$", xlim=span(run), ylim=(0, min(1.02, top)))
    return ax


@in_style
def phases(run: xr.Dataset, ax: Axes | None = None, *, frame: float = 0.0) -> Axes:
    """Phases -arg<sigma^-> against time: a line per group, or an image of all spins in a cyclic colour map.

    Parameters
    ----------
    run : xarray.Dataset
        A result of `evolve`; with each=True every spin is a row of the image, group by group.
    ax : matplotlib axes, optional
    frame : float
        Angular frequency of the rotating frame to draw in.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    InputError
        If the run holds no coherence over time, or `frame` is no number.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
    >>> ax = ss.plot.phases(ss.evolve(one, np.linspace(0, 5, 200)))
    """
    each = isinstance(run, xr.Dataset) and "spin_coherence" in run
    needs(run, "spin_coherence" if each else "coherence")
    ax, alone, time, frame = axes(ax), ax is None, run.time.values, checks.real("frame", frame)
    turned = (run.spin_coherence if each else run.coherence).values * np.exp(1j * frame * (time - time[0]))[:, None]
    if each:
        spins, shown = np.arange(turned.shape[1]), phase_of(turned).T
        image = ax.pcolormesh(time, spins, shown, cmap=CYCLE, vmin=-np.pi, vmax=np.pi, rasterized=True)
        bar = ax.figure.colorbar(image, ax=ax, label=r"phase  $\varphi$")
        angle_ticks(bar.ax.yaxis, -np.pi, np.pi)
        ax.set(xlabel=TIME, ylabel="spin")
        return ax
    for i, name in enumerate(run.group.values):
        phase = phase_of(turned[:, i])
        phase[1:][abs(np.diff(phase)) > np.pi] = np.nan  # a gap where it jumps from pi to -pi
        ax.plot(time, phase, color=COLOURS[i % len(COLOURS)], label=f"group {name}")
    if len(run.group) > 1:
        names(ax, alone)
    ax.set(xlabel=TIME, ylabel=r"phase  $\varphi$", xlim=span(run), ylim=(-np.pi, np.pi))
    angle_ticks(ax.yaxis, -np.pi, np.pi)
    return ax


def _order_of(run: xr.Dataset, group: int) -> np.ndarray:
    """Of one group by itself: (8.1), or (8.2) at finite N, where coherence tells nothing; NaN for a single spin."""
    if "correlation" not in run:
        return np.asarray(2 * abs(run.coherence.values[:, group]))
    return np.asarray(2 * np.sqrt(np.maximum(run.correlation.values[:, group, group].real, 0)))
