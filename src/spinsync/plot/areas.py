"""Regimes as labelled areas, and boundaries of two groups in closed form as lines over them."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from scipy import ndimage

from spinsync.model.ensembles import Ensemble, varied
from spinsync.plot import curves
from spinsync.plot.appearance import CLOSED_FORM
from spinsync.questions.closed_forms import available, locking_range, symmetric_pair
from spinsync.regimes.codes import Regime, label
from spinsync.theory.mean_field.closed_forms_two import boundary_margins

Array = NDArray[Any]

#: colour of each regime: light enough for text and lines on top, different in lightness and in hue
REGIME_COLOURS = {
    Regime.UNDECIDED: "#ffffff",
    Regime.INCOHERENT: "#dfe3e8",
    Regime.FULL: "#7db4dc",
    Regime.PHASE_TRAPPED: "#b9e0c6",
    Regime.PARTIAL: "#f6cf9c",
    Regime.IRREGULAR: "#d9869a",
    Regime.PULSATING: "#c3b3e3",
}
MIN_LABELLED_SHARE = 0.012  # smallest share of the diagram for an area with a label


def areas(ax: Axes, x: Array, y: Array, codes: Array) -> None:
    """Draw regimes of shape (y, x) as coloured areas with labels if they are large enough; undecided points as crosses."""
    colours = ListedColormap(list(REGIME_COLOURS.values()))
    norm = BoundaryNorm(np.arange(-1.5, colours.N - 1), colours.N)
    ax.pcolormesh(x, y, codes, cmap=colours, norm=norm, shading="nearest", rasterized=True)
    for code in np.unique(codes).tolist():
        if code == Regime.UNDECIDED:
            points = np.argwhere(codes == code)
            ax.plot(x[points[:, 1]], y[points[:, 0]], "x", ms=3, mew=0.8, color=CLOSED_FORM)
            continue
        components, count = ndimage.label(codes == code)
        sizes = ndimage.sum_labels(codes == code, components, np.arange(1, count + 1))
        if sizes.max() >= MIN_LABELLED_SHARE * codes.size:
            row, column, fits = _label_position(components == 1 + int(np.argmax(sizes)), _label_size(ax, len(label(code))))
            ax.annotate(
                label(code), (x[column], y[row]), ha="center", va="center", fontsize=7.5 if fits else 6, color="#1c2126",
                zorder=6, annotation_clip=True,
                path_effects=[withStroke(linewidth=2.4, foreground=REGIME_COLOURS[Regime(code)])],
            )  # fmt: skip


def _label_size(ax: Axes, letters: int) -> Array:
    """Height and width of a label as shares of the axes."""
    box = ax.get_window_extent()
    return np.array([0.17 / box.height, 0.06 * letters / box.width]) * ax.figure.dpi  # size of letters in inches


def _label_position(inside: Array, share: Array) -> tuple[int, int, bool]:
    """Row and column within an area with the most space on all sides for a label of size `share`, and whether it fits."""
    room = np.full(inside.shape, np.inf)
    for axis, index in enumerate(np.indices(inside.shape)):
        for direction in (np.asarray, partial(np.flip, axis=axis)):
            distance = direction(index - np.maximum.accumulate(np.where(direction(inside), -1, index), axis))
            room = np.minimum(room, distance / inside.shape[axis] / (share[axis] / 2))
    row, column = np.unravel_index(np.argmax(room), room.shape)
    return int(row), int(column), bool(room[row, column] >= 1)


def _boundary_detunings(model: Ensemble) -> dict[str, tuple[float, float]]:
    """Detunings (low, high) of boundaries of two groups in closed form, by name; empty if no closed form applies."""
    if "symmetric_pair" in available(model):
        full = symmetric_pair(model)
        return {
            name: (-float(full[f"{name}_detuning"]), float(full[f"{name}_detuning"]))
            for name in ("existence", "incoherent", "hopf")
        }
    weak = _weakly_coupled(model)
    if weak is None or weak.locking_range == 0:
        return {}
    detuning = model.groups[0].mean_frequency - model.groups[1].mean_frequency
    centre, half_width = detuning - float(weak.effective_detuning), float(weak.locking_range)
    return {"adler": (centre - half_width, centre + half_width)}


def closed_form(model: Ensemble, variable: str) -> float:
    """`frequency`, `phase_difference` or `beat_frequency` of two groups in closed form; NaN if none applies."""
    if "symmetric_pair" in available(model):
        full = symmetric_pair(model).assign(beat_frequency=0.0)
        return float(full[variable]) if full.stable else np.nan
    weak = _weakly_coupled(model)
    return np.nan if weak is None else float(weak[variable])


def _weakly_coupled(model: Ensemble) -> xr.Dataset | None:
    """`locking_range` of two groups if it applies and the coupling is weak, else None."""
    weak = locking_range(model) if "locking_range" in available(model) else None
    return weak if weak is not None and weak.weak else None


BOUNDARIES: dict[str, tuple[str, dict[str, Any]]] = {
    "hopf": ("Hopf line", {"ls": "-", "lw": 1.3}),
    "existence": ("existence of full", {"ls": (0, (4, 2)), "lw": 1.1}),
    "incoherent": ("incoherent stable", {"ls": (0, (1, 1.2)), "lw": 1.7}),
    "adler": ("Adler, weak coupling", {"ls": (0, (4, 2)), "lw": 1.1}),
}


def boundaries(ax: Axes, diagram: xr.Dataset, model: Ensemble, x: str, y: str, units: dict[str, float]) -> None:
    """Draw boundaries of two groups in closed form in a diagram over two parameters."""
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())  # lines do not change the limits
    if "detuning" in (x, y):
        _over_detuning(ax, diagram, model, x, y, units)
    else:
        _at_one_detuning(ax, diagram, model, x, y, units)


def _over_detuning(ax: Axes, diagram: xr.Dataset, model: Ensemble, x: str, y: str, units: dict[str, float]) -> None:
    """Draw the boundary detunings of both signs as functions of the other parameter."""
    other = y if x == "detuning" else x

    @cache
    def edges(at: float) -> dict[str, tuple[float, float]]:
        return _boundary_detunings(varied(model, {other: at * units[other]}))

    for name, (text, style) in BOUNDARIES.items():
        for side in (0, 1):

            def edge(at: float, name: str = name, side: int = side) -> float:
                found = edges(at).get(name, (np.nan, np.nan))[side]
                return np.nan if found == 0 else found / units["detuning"]

            curve = curves.sample_curve(ax, edge, diagram[other].values / units[other], upright=x == "detuning")
            if np.isfinite(curve[x != "detuning"]).any():
                ax.plot(*curve, color=CLOSED_FORM, label=text if side else None, zorder=4, **style)


def _at_one_detuning(ax: Axes, diagram: xr.Dataset, model: Ensemble, x: str, y: str, units: dict[str, float]) -> None:
    """Draw boundaries of a symmetric pair at fixed detuning as zero contours of `boundary_margins`."""
    across, up = curves.sample_grid(ax, *(diagram[n].values / units[n] for n in (x, y)))
    rows: list[list[dict[str, float]]] = []
    for b in up.tolist():
        row = [boundary_margins(varied(model, {x: a * units[x], y: b * units[y]})) for a in across.tolist()]
        if None in row:
            return
        rows.append([margin or {} for margin in row])
    for name, (text, style) in BOUNDARIES.items():
        values = np.array([[margin.get(name, np.nan) for margin in row] for row in rows])
        if np.nanmin(values, initial=np.inf) < 0 < np.nanmax(values, initial=-np.inf):
            ax.contour(across, up, values, levels=[0.0], colors=CLOSED_FORM, linewidths=style["lw"], linestyles=[style["ls"]])
            ax.plot([], [], color=CLOSED_FORM, label=text, **style)


def legend(ax: Axes, codes: Array) -> None:
    """Draw a legend above a new figure: the lines inside the limits, and the areas without a label."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    labelled = {text.get_text() for text in ax.texts}
    handles: list[Any] = []
    for line in ax.lines:
        x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        empty = x.size == 0  # legend entry of a contour
        if not str(line.get_label()).startswith("_") and (empty or np.any((x > left) & (x < right) & (y > low) & (y < high))):
            handles.append(line)
    for code in np.unique(codes).tolist():
        if code != Regime.UNDECIDED and label(code) not in labelled:
            handles.append(Patch(color=REGIME_COLOURS[Regime(code)], label=label(code)))
    if handles:
        ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, fontsize=7, handlelength=2.2,
                  columnspacing=1.2, borderaxespad=0.2)  # fmt: skip
