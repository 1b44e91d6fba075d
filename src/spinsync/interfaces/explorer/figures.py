"""Pictures as numbers for the browser: axes, images in the colours of the plots, lines, legends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import spinsync as ss
from spinsync.interfaces.explorer.controls import Control

Array = NDArray[Any]
INK = "currentColor"  # black on light, white on dark
BLACK = "#000000"  # over an image, which is light in both themes
STRONGEST = 0.6  # order parameter at the bright end: |z0|/sqrt 2 at the largest ratio, of (4.4), is 0.598
HATCH = 2, 6  # pixels of an image over one point, and between two lines of the hatching


def axis(label: str, low: float, high: float, scale: str = "linear", control: str | None = None) -> dict[str, Any]:
    return {"label": label, "low": float(low), "high": float(high), "scale": scale, "control": control}


def over(control: Control) -> dict[str, Any]:
    """The axis of a control."""
    return axis(control.label, control.low, control.high, control.scale, control.name)


def centres(control: Control, count: int) -> Array:
    """Values in the middle of `count` equal parts of an axis, as the points of an image lie."""
    between = (np.arange(count) + 0.5) / count
    if control.scale == "log":
        return np.asarray(control.low * (control.high / control.low) ** between)
    return np.asarray(control.low + (control.high - control.low) * between)


def listed(values: Iterable[float]) -> list[float | None]:
    """Numbers as JSON can hold them: None where there is none."""
    return [float(f"{v:.6g}") if np.isfinite(v) else None for v in values]


def line(x: Iterable[float], y: Iterable[float], colour: str, **more: Any) -> dict[str, Any]:
    return {"x": listed(x), "y": listed(y), "colour": colour, **more}


def image(colours: Array) -> dict[str, Any]:
    """Colours of shape (row, column, 4) from 0 to 1; row 0 is at the bottom."""
    height, width = colours.shape[:2]
    return {"bytes": np.asarray(255 * colours).round().astype(np.uint8).tobytes(), "width": width, "height": height}


def magnitudes(order: Array) -> dict[str, Any]:
    """Order parameters; equal colours mean equal numbers in all pictures."""
    import matplotlib as mpl  # here, as the page is shown before it is loaded

    return image(mpl.colormaps[ss.plot.COLOURMAP](np.clip(order / STRONGEST, 0, 1)))


def ramp() -> dict[str, Any]:
    """Explains the colours of `magnitudes`."""
    import matplotlib as mpl

    colours = [mpl.colors.to_hex(mpl.colormaps[ss.plot.COLOURMAP](x)) for x in np.linspace(0, 1, 9)]
    return {"label": "order parameter R", "low": "0", "high": f"{STRONGEST:g}", "colours": colours}


def regimes(codes: Array, known: Array) -> dict[str, Any]:
    """Regimes in the colours of `plot.phase_diagram`; clear in rows that are not known yet."""
    from matplotlib.colors import to_rgba_array

    table = to_rgba_array(list(ss.plot.REGIME_COLOURS.values()))
    colours = table[codes - int(ss.Regime.UNDECIDED)]
    colours[~known, :, 3] = 0.0
    return image(colours)


def names_of(codes: Array) -> list[tuple[str, str, str]]:
    """A legend of the regimes that occur."""
    return [(ss.plot.REGIME_COLOURS[ss.Regime(code)], str(ss.label(code)), "area") for code in np.unique(codes).tolist()]


def hatched(where: Array) -> dict[str, Any]:
    """Slanted lines over the points of a boolean image; clear elsewhere."""
    size, period = HATCH
    fine = where.repeat(size, 0).repeat(size, 1)
    rows, columns = np.indices(fine.shape)
    colours = np.zeros((*fine.shape, 4))
    colours[..., 3] = 0.75 * (fine & ((rows + columns) % period < size))
    return image(colours)
