"""Regimes as named areas, and the closed forms of two groups as lines over them."""

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

from spinsync.model.ensembles import Ensemble
from spinsync.plot import curves
from spinsync.plot.appearance import CLOSED_FORM
from spinsync.questions.closed_forms import available, locking_range, symmetric_pair
from spinsync.regimes.codes import Regime, label
from spinsync.theory.mean_field.closed_forms_two import boundary_margins

Array = NDArray[Any]

#: of each regime: light enough for text and lines on top, told apart by lightness as well as by hue
REGIME_COLOURS = {
    Regime.UNDECIDED: "#ffffff",
    Regime.INCOHERENT: "#dfe3e8",
    Regime.FULL: "#7db4dc",
    Regime.PHASE_TRAPPED: "#b9e0c6",
    Regime.PARTIAL: "#f6cf9c",
    Regime.IRREGULAR: "#d9869a",
    Regime.PULSATING: "#c3b3e3",
}
SMALLEST = 0.012  # share of the picture that an area needs to bear its name


def areas(ax: Axes, x: Array, y: Array, codes: Array) -> None:
    """Regimes of shape (y, x) as coloured areas, each named where it has room; undecided points are crosses."""
    colours = ListedColormap(list(REGIME_COLOURS.values()))
    norm = BoundaryNorm(np.arange(-1.5, colours.N - 1), colours.N)
    ax.pcolormesh(x, y, codes, cmap=colours, norm=norm, shading="nearest", rasterized=True)
    for code in np.unique(codes).tolist():
        if code == Regime.UNDECIDED:
            where = np.argwhere(codes == code)
            ax.plot(x[where[:, 1]], y[where[:, 0]], "x", ms=3, mew=0.8, color=CLOSED_FORM)
            continue
        parts, count = ndimage.label(codes == code)
        sizes = ndimage.sum_labels(codes == code, parts, np.arange(1, count + 1))
        if sizes.max() >= SMALLEST * codes.size:
            row, column, fits = _widest(parts == 1 + int(np.argmax(sizes)), _share(ax, len(label(code))))
            ax.annotate(
                label(code), (x[column], y[row]), ha="center", va="center", fontsize=7.5 if fits else 6, color="#1c2126",
                zorder=6, annotation_clip=True,
                path_effects=[withStroke(linewidth=2.4, foreground=REGIME_COLOURS[Regime(code)])],
            )  # fmt: skip


def _share(ax: Axes, letters: int) -> Array:
    """Height and width of a name as shares of the picture."""
    box = ax.get_window_extent()
    return np.array([0.17 / box.height, 0.06 * letters / box.width]) * ax.figure.dpi  # of letters in inches


def _widest(inside: Array, share: Array) -> tuple[int, int, bool]:
    """Row and column of an area with most room to all sides for a name of this height and width, and whether it fits."""
    room = np.full(inside.shape, np.inf)
    for axis, place in enumerate(np.indices(inside.shape)):
        for turn in (np.asarray, partial(np.flip, axis=axis)):  # towards either side
            run = turn(place - np.maximum.accumulate(np.where(turn(inside), -1, place), axis))
            room = np.minimum(room, run / inside.shape[axis] / (share[axis] / 2))
    row, column = np.unravel_index(np.argmax(room), room.shape)
    return int(row), int(column), bool(room[row, column] >= 1)


def _edges(model: Ensemble) -> dict[str, tuple[float, float]]:
    """Detunings (low, high) at which closed forms of two groups put a boundary; nothing where there is no closed form."""
    if "symmetric_pair" in available(model):
        full = symmetric_pair(model)
        return {
            name: (-float(full[f"{name}_detuning"]), float(full[f"{name}_detuning"]))
            for name in ("existence", "incoherent", "hopf")
        }
    weak = _weakly_coupled(model)
    if weak is None or weak.locking_range == 0:
        return {}
    own = model.groups[0].mean_frequency - model.groups[1].mean_frequency
    shift, reach = own - float(weak.effective_detuning), float(weak.locking_range)
    return {"adler": (shift - reach, shift + reach)}


def known(model: Ensemble, variable: str) -> float:
    """Frequency, phase_difference or beat_frequency of two groups where a closed form knows it, else NaN."""
    if "symmetric_pair" in available(model):
        full = symmetric_pair(model).assign(beat_frequency=0.0)
        return float(full[variable]) if full.stable else np.nan
    weak = _weakly_coupled(model)
    return np.nan if weak is None else float(weak[variable])


def _weakly_coupled(model: Ensemble) -> xr.Dataset | None:
    """Adler's closed form of two groups where it holds."""
    weak = locking_range(model) if "locking_range" in available(model) else None
    return weak if weak is not None and weak.weak else None


LINES: dict[str, tuple[str, dict[str, Any]]] = {
    "hopf": ("Hopf line", {"ls": "-", "lw": 1.3}),
    "existence": ("existence of full", {"ls": (0, (4, 2)), "lw": 1.1}),
    "incoherent": ("incoherent stable", {"ls": (0, (1, 1.2)), "lw": 1.7}),
    "adler": ("Adler, weak coupling", {"ls": (0, (4, 2)), "lw": 1.1}),
}


def boundaries(ax: Axes, diagram: xr.Dataset, model: Ensemble, x: str, y: str, units: dict[str, float]) -> None:
    """Closed-form boundaries of two groups in a diagram over two parameters."""
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())  # lines do not widen the picture
    if "detuning" in (x, y):
        _over_detuning(ax, diagram, model, x, y, units)
    else:
        _at_one_detuning(ax, diagram, model, x, y, units)


def _over_detuning(ax: Axes, diagram: xr.Dataset, model: Ensemble, x: str, y: str, units: dict[str, float]) -> None:
    """Lines as functions of the parameter that is not the detuning, which they leave at both signs of it."""
    other = y if x == "detuning" else x

    @cache
    def edges(at: float) -> dict[str, tuple[float, float]]:
        return _edges(model.replace(**{other: at * units[other]}))

    for name, (text, look) in LINES.items():
        for side in (0, 1):

            def edge(at: float, name: str = name, side: int = side) -> float:
                found = edges(at).get(name, (np.nan, np.nan))[side]
                return np.nan if found == 0 else found / units["detuning"]

            curve = curves.line(ax, edge, diagram[other].values / units[other], upright=x == "detuning")
            if np.isfinite(curve[x != "detuning"]).any():
                ax.plot(*curve, color=CLOSED_FORM, label=text if side else None, zorder=4, **look)


def _at_one_detuning(ax: Axes, diagram: xr.Dataset, model: Ensemble, x: str, y: str, units: dict[str, float]) -> None:
    """Lines of a symmetric pair as contours of what vanishes on them."""
    across, up = curves.page(ax, *(diagram[n].values / units[n] for n in (x, y)))
    rows: list[list[dict[str, float]]] = []
    for b in up.tolist():
        row = [boundary_margins(model.replace(**{x: a * units[x], y: b * units[y]})) for a in across.tolist()]
        if None in row:
            return
        rows.append([margin or {} for margin in row])
    for name, (text, look) in LINES.items():
        values = np.array([[margin.get(name, np.nan) for margin in row] for row in rows])
        if np.nanmin(values, initial=np.inf) < 0 < np.nanmax(values, initial=-np.inf):
            ax.contour(across, up, values, levels=[0.0], colors=CLOSED_FORM, linewidths=look["lw"], linestyles=[look["ls"]])
            ax.plot([], [], color=CLOSED_FORM, label=text, **look)


def legend(ax: Axes, codes: Array) -> None:
    """Above a picture of its own: the lines that cross it, and the areas that are too small for a name."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    named = {text.get_text() for text in ax.texts}
    handles: list[Any] = []
    for line in ax.lines:
        x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        empty = x.size == 0  # stands for a contour
        if not str(line.get_label()).startswith("_") and (empty or np.any((x > left) & (x < right) & (y > low) & (y < high))):
            handles.append(line)
    for code in np.unique(codes).tolist():
        if code != Regime.UNDECIDED and label(code) not in named:
            handles.append(Patch(color=REGIME_COLOURS[Regime(code)], label=label(code)))
    if handles:
        ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, fontsize=7, handlelength=2.2,
                  columnspacing=1.2, borderaxespad=0.2)  # fmt: skip
