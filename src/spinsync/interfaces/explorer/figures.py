"""Pictures as numbers for the browser: images in the colours of the plots, lines, legends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_rgba_array

import spinsync as ss
from spinsync.interfaces.explorer.controls import Control

STRONGEST = 0.75  # order parameter at the bright end: no limit cycle has more than 1/sqrt 2 (theory page, section 4)


def axis(label: str, low: float, high: float) -> dict[str, Any]:
    return {"label": label, "low": float(low), "high": float(high)}


def over(control: Control) -> dict[str, Any]:
    """The axis of a control."""
    return axis(control.label, control.low, control.high)


def listed(values: Iterable[float]) -> list[float | None]:
    """Numbers as JSON can hold them: None where there is none."""
    return [float(f"{v:.6g}") if np.isfinite(v) else None for v in values]


def line(x: Iterable[float], y: Iterable[float], colour: str, **more: Any) -> dict[str, Any]:
    return {"x": listed(x), "y": listed(y), "colour": colour, **more}


def image(colours: np.ndarray) -> dict[str, Any]:
    """Colours of shape (row, column, 4) from 0 to 1; row 0 is at the bottom."""
    height, width = colours.shape[:2]
    return {"bytes": np.asarray(255 * colours).round().astype(np.uint8).tobytes(), "width": width, "height": height}


def magnitudes(order: np.ndarray) -> dict[str, Any]:
    """Order parameters; clear where it is not known yet."""
    colours = mpl.colormaps[ss.plot.COLOURMAP](np.clip(np.nan_to_num(order) / STRONGEST, 0, 1))
    colours[..., 3] = np.isfinite(order)
    return image(colours)


def ramp() -> dict[str, Any]:
    """Explains the colours of `magnitudes`."""
    colours = [mpl.colors.to_hex(mpl.colormaps[ss.plot.COLOURMAP](x)) for x in np.linspace(0, 1, 7)]
    return {"label": "order parameter R", "low": "0", "high": f"{STRONGEST:g}", "colours": colours}


def regimes(codes: np.ndarray) -> dict[str, Any]:
    """Regimes in the colours of `plot.phase_diagram`."""
    table = to_rgba_array(list(ss.plot.REGIME_COLOURS.values()))
    return image(table[codes - int(ss.Regime.UNDECIDED)])


def names_of(codes: np.ndarray) -> list[Sequence[str]]:
    """A legend of the regimes that occur."""
    return [(ss.plot.REGIME_COLOURS[ss.Regime(code)], str(ss.label(code))) for code in np.unique(codes).tolist()]
