"""Figures for print and data, to download: of the same values as the page, by the functions of `ss.plot`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

import spinsync as ss
from spinsync.interfaces.explorer import few_spins, figures, one_group, tongues, two_groups
from spinsync.interfaces.explorer.controls import DETUNING, EXACT_UP_TO, RATIO, Control, V, Values, brief
from spinsync.interfaces.explorer.figures import Array

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

Make = Callable[[Values], "Figure"]
TIME = r"time  $(\kappa+\gamma)t$"
UNIT = r"/(\kappa+\gamma)$"
DASHES = {"full exists": "--", "incoherent below": ":", "Adler, weak coupling": "--"}
PLACE: dict[str, Any] = {"marker": "o", "ms": 7, "mfc": "none", "mec": "#e0303c", "mew": 1.6, "zorder": 8}
DPI = 400  # of a PNG: some 1400 points across, for a slide
_style = Lock()  # matplotlib's settings are those of the whole process


def _sheet(width: float = 3.4, height: float = 2.8, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure that no other thread knows of."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # here, as the page is shown before it is loaded
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, [figure.add_subplot(1, columns, k + 1) for k in range(columns)]


def _note(figure: Figure, words: str) -> None:
    """A line below a picture: of which run it is, as another one may be on the screen."""
    figure.supxlabel(words, x=0.02, ha="left", fontsize=6.5)


# ---- one ensemble


def one_map(values: Values) -> Figure:
    """Order parameter over V and r, in the colours of the page; the line is (4.5)."""
    figure, (ax,) = _sheet(width=3.8)
    couplings, ratios = figures.centres(V, 240), figures.centres(RATIO, 240)
    order = one_group.map_orders(values, couplings, ratios)
    image = ax.pcolormesh(
        couplings, ratios, order, cmap=ss.plot.COLOURMAP, vmin=0, vmax=figures.STRONGEST, shading="nearest", rasterized=True
    )  # fmt: skip
    figure.colorbar(image, ax=ax, label=r"order parameter  $R$")
    for colour, width, label in (("white", 2.6, None), (figures.BLACK, 1.2, "threshold")):
        ax.plot(*one_group.boundary(values), color=colour, lw=width, label=label)
    ax.plot(values["V"], values["r"], ls="", label="here", **PLACE)
    ax.set(
        xlim=(V.low, V.high), ylim=(RATIO.low, RATIO.high), yscale="log", xlabel=rf"coupling  $V{UNIT}",
        ylabel=r"gain-to-damping ratio  $r=\kappa/\gamma$",
    )  # fmt: skip
    ax.set_yticks([0.1, 0.2, 0.5, 1, 2, 5, 10], ["0.1", "0.2", "0.5", "1", "2", "5", "10"], minor=False)
    ax.set_yticks([], minor=True)
    _legend(ax)
    return figure


def _one_run(values: Values) -> str:
    """Where the run of the pictures begins, and its frame."""
    start = "a weak common start" if values.get("spread") else f"{one_group.SPINS} random places"
    return f"A run from {start}; the frame turns with a spin alone."


def one_sphere(values: Values) -> Figure:
    """A run from random places, and its limit cycle."""
    figure, (ax,) = _sheet(3.4, 3.6)
    ss.plot.bloch_sphere(one_group.run(values), ax)
    for ring in one_group.stage(values)["rings"]:
        angles = np.linspace(0, 2 * np.pi, 181)
        circle = [ring["radius"] * np.cos(angles), ring["radius"] * np.sin(angles), np.full(181, ring["height"])]
        ax.plot(*ss.plot.project(np.stack(circle, -1)).T, "--", color=figures.BLACK, lw=1.0, zorder=7, label="limit cycle")
    _start_and_end(ax)
    _note(figure, _one_run(values) + ("\nThe limit cycle is that of the mean of all spins." if values.get("spread") else ""))
    return figure


def _start_and_end(ax: Axes) -> None:
    """A legend of the dots on a sphere."""
    for fill, name in (("white", "start"), ("#30363d", "end")):
        ax.plot([], [], "o", ms=4, mfc=fill, mec="#30363d", mew=0.7, label=name)
    _legend(ax)


def one_order(values: Values) -> Figure:
    """R over time."""
    figure, (ax,) = _sheet()
    ss.plot.order_parameter(one_group.run(values), ax)
    ax.axhline(one_group.stage(values)["order"], color=figures.BLACK, ls="--", lw=0.9, label="limit cycle, closed form")
    ax.set_xlabel(TIME)
    _legend(ax)
    _note(figure, _one_run(values))
    return figure


# ---- two groups


def two_tongue(values: Values) -> Figure:
    """Regimes over detuning and coupling as on the page, whose pieces are used again: lines, hatching and our place too."""
    control, name = two_groups.upwards(values)
    tongue = tongues.Tongue(values)
    for piece in (*tongue.coarse(), *tongue.fine(), *tongue.starts()):
        piece()
    figure, (ax,) = _sheet(3.8, 3.7)
    areas = _areas(ax, control, tongue)
    for label, x, y in two_groups.closed_form_lines(values):
        inside = (x <= DETUNING.high) & (y <= control.high)
        if inside.any():
            ax.plot(x, y, color=figures.BLACK, lw=1.2, ls=DASHES.get(label, "-"), label=label)
    ax.plot(values["detuning"], values[control.name], ls="", label="here", **PLACE)
    ax.set(xlim=(DETUNING.low, DETUNING.high), ylim=(control.low, control.high))
    up = r"V_\times" if name == "cross_coupling" else "V"
    ax.set(xlabel=rf"detuning  $\Delta{UNIT}", ylabel=rf"coupling  ${up}{UNIT}")
    _legend(ax, areas)
    _note(figure, "From a weak random start.")
    return figure


def _areas(ax: Axes, control: Control, tongue: tongues.Tongue) -> list[Patch]:
    """Regimes as colours, and hatching where the start decides; what explains them."""
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch

    codes, differs = tongue.codes(), tongue.differs()
    x, y = figures.centres(DETUNING, codes.shape[1]), figures.centres(control, codes.shape[0])
    colours = list(ss.plot.REGIME_COLOURS.values())
    norm = BoundaryNorm(np.arange(-1.5, len(colours) - 1), len(colours))
    ax.pcolormesh(x, y, codes, cmap=ListedColormap(colours), norm=norm, shading="nearest", rasterized=True)
    marks = [Patch(fc=colour, ec="#6b747d", lw=0.5, label=label) for colour, label, _ in figures.names_of(codes)]
    if differs is not None and differs.any():
        ax.contourf(x, y, differs, levels=[0.5, 1.5], colors="none", hatches=["////"])
        marks.append(Patch(fc="none", ec="#30363d", hatch="////", lw=0, label="depends on the start"))
    return marks


def two_frequencies(values: Values) -> Figure:
    """Observed frequencies over the detuning."""
    figure, (ax,) = _sheet()
    ss.plot.frequency(
        ss.phase_diagram(two_groups.ensemble(values), {"detuning": np.linspace(DETUNING.low, DETUNING.high, 91)}), ax
    )
    ax.axvline(values["detuning"], color=PLACE["mec"], lw=0.9, zorder=0, label="here")
    ax.set(xlabel=rf"detuning  $\Delta{UNIT}", ylabel=rf"frequency  $\Omega{UNIT}")
    _legend(ax)
    _note(figure, "From a weak random start.")
    return figure


def two_sphere(values: Values) -> Figure:
    """The run of both groups in the frame of the mean field."""
    figure, (ax,) = _sheet(3.4, 3.6)
    ss.plot.bloch_sphere(two_groups.run(values), ax, frame="mean")
    for group, name in enumerate("AB"):
        ax.plot([], [], color=ss.plot.COLOURS[group], label=f"group {name}")
    _start_and_end(ax)
    _note(figure, "A run from a weak random start, in the frame of the mean field.")
    return figure


def two_order_and_phases(values: Values) -> Figure:
    """R and phases over time; equal curves are both seen, as B is thinner than A."""
    run = two_groups.run(values)
    figure, (left, right) = _sheet(7.0, 2.9, 2)
    ss.plot.order_parameter(run, left)
    ss.plot.phases(run, right)
    for group, curve in enumerate(right.lines):
        curve.set_data(*_around(run.time.values, -np.angle(run.coherence.values[:, group])))
    for ax in (left, right):
        for curve, width in zip(ax.lines, (3.0, 1.2, 0.9), strict=False):
            curve.set_linewidth(width)
        ax.set_xlabel(TIME)
        _legend(ax)
    _note(figure, "A run from a weak random start. Phases are relative to the mean of the groups' own frequencies.")
    return figure


def _around(time: Array, phase: Array) -> tuple[Array, Array]:
    """A phase from -pi to pi whose curve reaches the edge where it passes it, by a straight line between two times."""
    phase = np.unwrap(phase)
    turn = np.floor((phase + np.pi) / (2 * np.pi))
    x, y = [time[:1]], [phase[:1] - 2 * np.pi * turn[0]]
    for k in range(1, len(time)):
        if turn[k] != turn[k - 1]:
            edge = 2 * np.pi * max(turn[k], turn[k - 1]) - np.pi
            at = time[k - 1] + (time[k] - time[k - 1]) * (edge - phase[k - 1]) / (phase[k] - phase[k - 1])
            side = np.pi if turn[k] > turn[k - 1] else -np.pi
            x.append(np.array([at, at, at]))
            y.append(np.array([side, np.nan, -side]))
        x.append(time[k : k + 1])
        y.append(phase[k : k + 1] - 2 * np.pi * turn[k])
    return np.concatenate(x), np.concatenate(y)


def _legend(ax: Axes, areas: Sequence[Patch] = ()) -> None:
    """Above the curves, which fill the picture."""
    handles = [*areas, *ax.get_legend_handles_labels()[0]]
    look = {"fontsize": 7, "columnspacing": 1.0, "handlelength": 1.8, "ncols": 2 if areas or len(handles) > 3 else 3}
    if handles:
        ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), **look)


# ---- few spins


def few_spectrum(values: Values) -> Figure:
    """The spectrum and the width of its line."""
    found = few_spins.line(values)
    light, width = few_spins.light(values, found), few_spins.best_width(values, found)
    figure, (ax,) = _sheet()
    x = light.frequency.values - float(found.frequency)
    ax.plot(x, light.emission / few_spins.highest(light), label="second order" if values["N"] > EXACT_UP_TO else None)
    if few_spins.diffuses(values):
        ax.plot(x, few_spins.lorentzian(x, width), color=figures.BLACK, ls="--", lw=0.9, label="phase diffusion")
    ends = few_spins.drawn_width(values, found, light)
    ax.plot(ends, [0.5, 0.5], color=ss.plot.COLOURS[1], lw=2.4, label=f"width {brief(ends[1] - ends[0])}")
    ax.set(xlabel=rf"frequency from the line  $(\nu-\nu_0){UNIT}", ylabel=r"emission  $S(\nu)$ / highest", ylim=(0, None))
    ax.locator_params("x", nbins=3)
    ax.ticklabel_format(axis="x", style="plain")  # a power of ten at the end of the axis is overlooked
    _legend(ax)
    return figure


def few_correlation(values: Values) -> Figure:
    """Correlation of two spins over their number, and that of infinitely many."""
    figure, (ax,) = _sheet()
    _over_number(ax, few_spins.correlation, values)
    ax.axhline(few_spins.limit(values), color=figures.BLACK, ls="--", lw=0.9, label="infinitely many spins")
    ax.axhline(0, color="#6b747d", ls=":", lw=0.8)
    here = few_spins.correlation(few_spins.ensemble(values), few_spins.theory(values["N"]))
    ax.plot(values["N"], here, ls="", label="here", **PLACE)
    ax.set(ylabel=r"correlation  $c=\langle\sigma^+_1\sigma^-_2\rangle$")
    _legend(ax)
    return figure


def few_width(values: Values) -> Figure:
    """Width of the line over the number of spins, and that by phase diffusion from where it holds."""
    figure, (ax,) = _sheet()
    _over_number(ax, few_spins.width, values)
    spins, widths = few_spins.diffusion(values)
    if spins:
        ax.plot(spins, widths, color=figures.BLACK, ls="--", lw=0.9, label="phase diffusion")
    ax.plot(values["N"], few_spins.best_width(values, few_spins.line(values)), ls="", label="here", **PLACE)
    ax.set(yscale="log", ylabel=f"width of the line $ {UNIT}")
    _legend(ax)
    return figure


def _over_number(ax: Axes, of: few_spins.Quantity, values: Values) -> None:
    """A quantity over the number of spins, in second order and exactly."""
    model = few_spins.ensemble(values)
    ax.plot(few_spins.MANY, few_spins.second_order(of, model), color=ss.plot.COLOURS[1], label="second order")
    found = [of(model, ss.Exact(spins)) for spins in few_spins.COUNTS]
    ax.plot(few_spins.COUNTS, found, "o-", ms=3.6, color=ss.plot.COLOURS[0], label="exact")
    ax.set(xscale="log", xlabel=r"number of spins  $N$")


ONE: Mapping[str, Make] = {"map": one_map, "sphere": one_sphere, "order": one_order}
TWO: Mapping[str, Make] = {
    "tongue": two_tongue, "frequencies": two_frequencies, "sphere": two_sphere, "order-and-phases": two_order_and_phases
}  # fmt: skip
FEW: Mapping[str, Make] = {"spectrum": few_spectrum, "correlation": few_correlation, "width": few_width}


def drawn(make: Make, values: Values, kind: str) -> bytes:
    """A figure as the bytes of a file of this kind, "pdf" or "png"."""
    out = BytesIO()
    metadata: dict[str, Any] = {"CreationDate": None} if kind == "pdf" else {}  # equal figures give equal files
    with _style, ss.plot.style():
        make(values).savefig(out, format=kind, metadata=metadata, dpi=DPI)
    return out.getvalue()


def stored(result: xr.Dataset) -> bytes:
    """A result as one file: Zarr in a ZIP, with the model and all else that makes it again."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "result.zarr"
        result.to_zarr(store, consolidated=False)
        return Path(shutil.make_archive(str(store), "zip", store)).read_bytes()
