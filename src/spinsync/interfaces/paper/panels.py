"""What all figures of the report share: letters of panels, legends that explain every line, sentences of captions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from string import ascii_lowercase
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

import spinsync as ss

BLUE, ORANGE, GREEN = ss.plot.COLOURS[:3]
#: sentences of captions: how a long-time limit was found, and how far it is independent of closed forms
NEWTON = (
    "Where the motion comes to rest in a rotating frame, Newton’s method completes the trajectory on the fixed-point equation "
    "from which the closed form follows. There the agreement tests which fixed point is reached, not that equation."
)
LONG_TIME = "the long-time limit of one trajectory per point. " + NEWTON
CIRCLES = "Circles: " + LONG_TIME


def add_letters(axes: Iterable[Axes]) -> None:
    """Write (a), (b), ... above the left corners of the panels."""
    for letter, ax in zip(ascii_lowercase, axes, strict=False):
        ax.set_title(f"({letter})", loc="left")


def key(label: str, *, color: str = "black", ls: Any = "-", lw: float = 1.0, **options: Any) -> Line2D:
    """A line for a legend."""
    return Line2D([], [], color=color, ls=ls, lw=lw, label=label, **options)


def circle_key(label: str, *, color: str = BLUE, fill: str = "white", ms: float = 3.6, marker: str = "o") -> Line2D:
    """A marker for a legend, by default an open circle."""
    return Line2D([], [], color=color, ls="", marker=marker, ms=ms, mfc=fill, mew=0.9, label=label)


def occurring(*diagrams: xr.Dataset) -> list[ss.Regime]:
    """The regimes that occur in diagrams, in the order of their codes."""
    return [ss.Regime(code) for code in sorted({int(c) for diagram in diagrams for c in np.unique(diagram.regime.values)})]


def listed(words: Mapping[ss.Regime, str], *diagrams: xr.Dataset) -> str:
    """The words of those regimes that occur in diagrams: "a, b or c"; an empty string if none does."""
    found = [word for regime, word in words.items() if regime in occurring(*diagrams)]
    return " or ".join(filter(None, [", ".join(found[:-1]), *found[-1:]]))


def regime_keys(*diagrams: xr.Dataset) -> list[Artist]:
    """Colours of the regimes that occur in diagrams, for a legend; crosses for undecided points."""
    regimes, undecided = occurring(*diagrams), ss.Regime.UNDECIDED
    areas: list[Artist] = [Patch(color=ss.plot.REGIME_COLOURS[r], label=ss.label(r)) for r in regimes if r is not undecided]
    return areas + [circle_key("undecided", color="black", ms=3, marker="x")] * (undecided in regimes)


def add_legend(figure: Figure, *keys: Artist, columns: int | None = None) -> None:
    """Draw a legend below all panels, in place of those within them."""
    for ax in figure.axes:
        legend = ax.get_legend()
        if legend is not None:
            legend.remove()
    figure.legend(handles=list(keys), loc="outside lower center", ncols=columns or len(keys), columnspacing=1.6)
