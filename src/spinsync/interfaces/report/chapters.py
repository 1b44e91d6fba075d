"""A chapter of the report: computed, drawn, and written into its folder."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")  # no window, whatever the machine offers

import matplotlib.pyplot as plt

import spinsync as ss
from spinsync.interfaces.report.claims import Asked, Part, Section


def write(draft: Path, module: str, asked: Asked) -> Part:
    """Compute the chapter that a module holds, and write its figures and data."""
    with ss.plot.style():
        section: Section = import_module(f"spinsync.interfaces.report.{module}").chapter(asked)
        for folder in ("figures", "data"):
            (draft / folder).mkdir(exist_ok=True)
        for name, figure in section.figures.items():
            ss.plot.save(figure, draft / "figures" / name)
            plt.close(figure)
        for name, data in section.data.items():
            data.to_zarr(draft / "data" / f"{name}.zarr", consolidated=False)
    return Part(section.title, section.text, section.captions, tuple(section.data), section.claims)
