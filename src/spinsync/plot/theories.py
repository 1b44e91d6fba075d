"""One model at several levels of theory."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from spinsync.base import checks
from spinsync.model.realizability import Validity
from spinsync.plot.appearance import FORMATS, axes, group_colour, in_style, ink
from spinsync.plot.axis_labels import label_axes
from spinsync.plot.labels import quantity_label
from spinsync.plot.legends import add_legend, once
from spinsync.plot.traces import time_range
from spinsync.plot.units import Unit, checked_unit
from spinsync.results.datasets import DIMS, checked_result, model_of, times_of, variable

QUANTITIES = ("order_parameter", "inversion")
#: index in COLOURS and dashes of each theory, to be told apart also in grey: none is drawn like another one
LOOKS: tuple[tuple[int, Any], ...] = (
    (0, "-"),
    (1, (0, (4, 1.3))),
    (2, (0, (4, 1.2, 1, 1.2))),
    (3, (0, (1.6, 1.1))),
    (6, (0, (4, 1, 1, 1, 1, 1))),
    (5, (0, (7, 1.3))),
    (4, (0, (2, 1, 2, 1, 1, 1))),
)
MARKERS = ("", "o", "s", "^", "D", "v", "P", "X")  # of groups
MARKS = 8  # markers along a line
NOT_VALID, PALE = "pale: status not valid", 0.4  # in the legend, and opacity


@in_style
def compare(
    dataset: xr.Dataset, ax: Axes | None = None, *, variable: str | None = None, unit: str | tuple[str, float] = "rate"
) -> Axes:
    """Order parameter and inversion over time at all levels of theory of a result of `compare`.

    Each level has a colour and dashes of its own. Bands are one standard error to both sides. A line is pale where `status`
    says that its moments are not valid.

    Parameters
    ----------
    dataset : xarray.Dataset
        A result of `compare`.
    ax : matplotlib axes, optional
    variable : "order_parameter" or "inversion", optional
        By default both, in a new figure with two axes; needed if `ax` is given. Groups differ in their markers.
    unit : "rate", "damping" or (name, factor)
        Unit of the time, as in `plot.order_parameter`.

    Returns
    -------
    matplotlib axes
        The upper axes of a new figure with two, whose `figure.axes` are both.

    Raises
    ------
    InputError
        If it is not a result of `compare`, `variable` does not fit, or the figure can't have this unit.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> levels = ss.compare(one, np.linspace(0, 5, 101), theories=[ss.MeanField(), ss.Exact(10), ss.Exact(100)])
    >>> ax = ss.plot.compare(levels)
    """
    _check(dataset)
    if variable is not None:
        checks.one_of("variable", variable, QUANTITIES)
    elif ax is not None:
        raise checks.InputError("Argument `variable` must be order_parameter or inversion where `ax` is given, but is None.")
    one_unit = checked_unit(unit, model_of(dataset))
    if variable is not None:
        ax, new_figure = axes(ax), ax is None
        _draw(ax, dataset, variable, one_unit)
        add_legend(ax, new_figure)
        return ax
    width, height = mpl.rcParams["figure.figsize"]
    stretch = 1.7 if (width, height) in FORMATS.values() else 1.0
    _, panels = plt.subplots(2, 1, sharex=True, figsize=(width, stretch * height), layout="constrained")
    for panel, name in zip(panels, QUANTITIES, strict=True):
        _draw(panel, dataset, name, one_unit)
    panels[0].set_xlabel("")
    add_legend(panels[0], new_figure=True)
    if dataset.sizes["group"] > 1:
        _name_groups(panels[1], dataset)
    upper: Axes = panels[0]
    return upper


def _draw(ax: Axes, dataset: xr.Dataset, name: str, unit: Unit) -> None:
    """Draw one variable of all theories; a line per group where it has groups."""
    time = dataset.time.values * unit.time
    labels = list(map(str, dataset.theory.values))
    thin = float(mpl.rcParams["lines.linewidth"])
    widths = np.linspace(thin + min(0.4 * (len(labels) - 1), 1.2), thin, len(labels))  # all are seen where they coincide
    for i, (label, width) in enumerate(zip(labels, widths, strict=True)):
        one = dataset.isel(theory=i)
        values = one[name].values.reshape(len(time), -1)
        errors = one[f"{name}_error"].values.reshape(values.shape) if f"{name}_error" in one else np.full(values.shape, np.nan)
        wrong = one["status"].values > Validity.VALID if "status" in one else np.zeros(len(time), bool)
        touched = wrong.copy()  # segments that end at such a point are pale too
        touched[1:] |= wrong[:-1]
        touched[:-1] |= wrong[1:]
        colour, dashes = LOOKS[i % len(LOOKS)]
        for j, (line, error) in enumerate(zip(values.T, errors.T, strict=True)):
            look: dict[str, Any] = dict(color=group_colour(ax, colour), ls=dashes, lw=width, **_marks(ax, j, i, len(time)))
            entry = label if j == 0 else "_nolegend_"
            ax.plot(time, np.where(wrong, np.nan, line), label=entry, **look)
            if touched.any():
                ax.plot(time, np.where(touched, line, np.nan), alpha=PALE, **look)
            ax.fill_between(time, line - error, line + error, color=look["color"], alpha=0.25, lw=0)
    if "status" in dataset and np.any(dataset["status"].values > Validity.VALID):
        ax.plot([], [], color=ink(ax), alpha=PALE, label=once(ax, NOT_VALID))
    ax.set_xlim(time_range(time))
    if name == "order_parameter":
        ax.set_ylim(0, min(1.02, max(0.1, 1.1 * ax.dataLim.y1)))
    label_axes(ax, unit.time_label(), quantity_label(name, unit))


def _marks(ax: Axes, group: int, theory: int = 0, times: int = 1) -> dict[str, Any]:
    """Markers of a group's lines, at other times for each theory."""
    step = max(1, times // MARKS)
    first = (theory + 1) * step // (len(LOOKS) + 1)
    return dict(marker=MARKERS[group % len(MARKERS)], ms=3.6, mfc=ax.get_facecolor(), mew=0.9, markevery=(first, step))


def _name_groups(ax: Axes, dataset: xr.Dataset) -> None:
    """A legend of the markers, inside the axes."""
    lines = [
        ax.plot([], [], color=ink(ax), label=f"group {name}", **_marks(ax, j))[0] for j, name in enumerate(dataset.group.values)
    ]
    ax.legend(handles=lines, loc="best", fontsize=7, frameon=True, framealpha=0.8, edgecolor="none")


def _check(dataset: Any) -> None:
    """Raise InputError unless this is an unaltered result of `compare`, or theories and times of one."""
    if not isinstance(dataset, xr.Dataset):
        raise checks.argument_error("dataset", "a result of compare", dataset)
    if (origin := dataset.attrs.get("verb", "unknown origin")) != "compare":
        raise checks.InputError(
            f"Argument `dataset` must be a result of compare, but is one of {checks.one_line(str(origin))}."
        )
    checked_result(dataset, "dataset")
    for name in QUANTITIES:
        if name not in dataset:
            raise checks.InputError(f"Argument `dataset` must hold {name}, but holds none.")
        dims = ("theory", "time", *DIMS[name])
        error = dataset.get(f"{name}_error", variable(dataset, name, "dataset"))
        for found in (dataset[name], error):
            if found.dims != dims or found.dtype.kind != "f":
                raise checks.InputError(
                    f"Argument `dataset` must hold theories over time in {found.name}, but has dims {found.dims}."
                )
    if "theory" not in dataset.coords or dataset.get("status", dataset["order_parameter"]).dims != ("theory", "time"):
        raise checks.InputError("Argument `dataset` must name its theories and their status over time, but is altered.")
    times_of(dataset, "dataset")
