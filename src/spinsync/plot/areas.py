"""Regimes as labelled areas, and boundaries of two groups in closed form as lines over them."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from numpy.typing import NDArray

from spinsync.model.ensembles import Ensemble, varied
from spinsync.plot import curves
from spinsync.plot.appearance import CLOSED_FORM
from spinsync.plot.area_labels import add_label
from spinsync.plot.legends import add_entry, name_line
from spinsync.plot.scales import cell_edges
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
WEAK_CROSS = 0.5  # largest cross coupling that is called weak, in units of the smaller coupling within a group


def areas(ax: Axes, x: Array, y: Array, codes: Array) -> None:
    """Draw regimes of shape (y, x) as coloured areas, and undecided points as crosses."""
    colours = ListedColormap(list(REGIME_COLOURS.values()))
    norm = BoundaryNorm(np.arange(-1.5, colours.N - 1), colours.N)
    ax.pcolormesh(cell_edges(ax.xaxis, x), cell_edges(ax.yaxis, y), codes, cmap=colours, norm=norm, rasterized=True)
    points = np.argwhere(codes == Regime.UNDECIDED)
    if len(points):
        (crosses,) = ax.plot(x[points[:, 1]], y[points[:, 0]], "x", ms=3, mew=0.8, color=CLOSED_FORM)
        name_line(ax, crosses, "undecided")


def name_areas(ax: Axes, x: Array, y: Array, codes: Array) -> None:
    """Label areas where their names fit, after all lines are drawn; the others get an entry in the legend."""
    x, y = cell_edges(ax.xaxis, x), cell_edges(ax.yaxis, y)
    for code in np.unique(codes[np.isfinite(codes)]).astype(int).tolist():
        colour, name = REGIME_COLOURS[Regime(code)], str(label(code))
        if code != Regime.UNDECIDED and not add_label(ax, codes == code, x, y, name, colour):
            add_entry(ax, colour, name)


@lru_cache(maxsize=4096)  # panels of one figure share their lines
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
    """`locking_range` of two groups if it applies and the cross coupling is weak, else None."""
    strength = abs(model.coupling_matrix)
    if "locking_range" not in available(model) or max(strength[0, 1], strength[1, 0]) > WEAK_CROSS * strength.diagonal().min():
        return None
    weak = locking_range(model)
    return weak if weak.weak else None


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
                (line,) = ax.plot(*curve, color=CLOSED_FORM, zorder=4, **style)
                if within_limits(ax, *curve):
                    name_line(ax, line, text)


def within_limits(ax: Axes, x: Array, y: Array) -> bool:
    """Whether a point of a curve is within the limits of the axes."""
    (left, right), (low, high) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    return bool(np.any((x > left) & (x < right) & (y > low) & (y < high)))


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
            name_line(ax, ax.plot([], [], color=CLOSED_FORM, **style)[0], text)
