"""The view as a figure for print and as data."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import marimo as mo
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import spinsync as ss
from spinsync.interfaces.explorer.pages import FewSpins, OneGroup, TwoGroups


def _sheet(columns: int, width: float = 7.0) -> tuple[Figure, list[Any]]:
    """A figure that no other thread knows of."""
    figure = Figure(figsize=(width, 3.0), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, [figure.add_subplot(1, columns, k + 1) for k in range(columns)]


def one_group_figure(page: OneGroup) -> Figure:
    """Sphere and order parameter."""
    figure, (left, right) = _sheet(2)
    assert page.run is not None
    ss.plot.bloch_sphere(page.run, left)
    ss.plot.order_parameter(page.run, right)
    return figure


def two_groups_figure(page: TwoGroups) -> Figure:
    """Sphere in the frame of the mean field, order parameter, phases."""
    figure, (left, middle, right) = _sheet(3, 9.0)
    assert page.run is not None
    ss.plot.bloch_sphere(page.run, left, frame="mean")
    ss.plot.order_parameter(page.run, middle)
    ss.plot.phases(page.run, right)
    for ax in (middle, right):  # above the curves, which fill the picture
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, fontsize=7)
    return figure


def few_spins_figure(page: FewSpins) -> Figure:
    """The spectrum."""
    figure, (ax,) = _sheet(1, 3.4)
    if page.light is not None:
        ax.plot(page.light.frequency, page.light.emission)
    ax.set(xlabel=r"frequency  $\nu/\gamma$", ylabel=r"emission  $S(\nu)\,\gamma$")
    return figure


def drawn(draw: Callable[[Any], Figure], page: Any, kind: str) -> bytes:
    """The figure of a page as PDF or PNG."""
    out = BytesIO()
    with ss.plot.style():
        draw(page).savefig(out, format=kind)
    return out.getvalue()


def stored(result: xr.Dataset) -> bytes:
    """A result as one file: Zarr in a ZIP, with the model and all else that makes it again."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "result.zarr"
        result.to_zarr(store, consolidated=False)
        return Path(shutil.make_archive(str(store), "zip", store)).read_bytes()


def buttons(draw: Callable[[Any], Figure], page: Any) -> Any:
    """Download figure and data of what the page shows at the moment of the click."""

    def data() -> bytes:
        result = page.light if isinstance(page, FewSpins) else page.run
        if result is None:
            raise ss.InputError("There is no result here to download: the view says why.")
        return stored(result)

    return mo.hstack([
        mo.download(lambda: drawn(draw, page, "pdf"), "spinsync.pdf", label="Figure (PDF)"),
        mo.download(lambda: drawn(draw, page, "png"), "spinsync.png", label="Figure (PNG)"),
        mo.download(data, "spinsync.zarr.zip", mimetype="application/zip", label="Data (Zarr)"),
    ], justify="start", wrap=True)  # fmt: skip
