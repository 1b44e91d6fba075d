"""The parts of the page: traits that browser and Python share. All physics stays in Python, all drawing in the JavaScript."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
import xarray as xr

import spinsync as ss

HERE = Path(__file__).parent
LOOK = (HERE / "look.css").read_text(encoding="utf-8")


def _module(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


class Panel(anywidget.AnyWidget):
    """Sliders and boxes.

    Attributes
    ----------
    controls : list of dict
        Of each `Control`.
    values : dict
        What holds, by name; Python alone sets it.
    request : dict
        From the browser: its key, and the values it wishes, or None to go on computing.
    answer : dict
        The key of the last request that is done, and whether there is more to compute.
    said : str
        A sentence on a wish that could not be met.
    idle : list of str
        Controls without influence at present.
    """

    _esm = _module("panel.js")
    _css = LOOK

    controls: Any = traitlets.List().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    request = traitlets.Dict().tag(sync=True)
    answer = traitlets.Dict({"key": "", "more": False}).tag(sync=True)
    said = traitlets.Unicode("").tag(sync=True)
    idle: Any = traitlets.List().tag(sync=True)


class Tabs(anywidget.AnyWidget):
    """The pages to choose from, as pairs of a key and a name, and the key of the one that is open."""

    _esm = _module("tabs.js")
    _css = LOOK

    pages: Any = traitlets.List().tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)


class Plot(anywidget.AnyWidget):
    """A picture with axes: `figure` what is drawn, `place` where we are ([x] or [x, y]), `chosen` where a visitor clicked."""

    _esm = _module("plot.js")
    _css = LOOK

    figure = traitlets.Dict().tag(sync=True)
    place: Any = traitlets.List().tag(sync=True)
    says = traitlets.Unicode("").tag(sync=True)
    clickable = traitlets.Bool(False).tag(sync=True)
    chosen = traitlets.Dict().tag(sync=True)


class Said(anywidget.AnyWidget):
    """Text that changes: HTML words made here, or code to copy."""

    _esm = _module("said.js")
    _css = LOOK

    kind = traitlets.Enum(("words", "code"), "words").tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)


class Crowd(anywidget.AnyWidget):
    """One clock face per spin, the average last; `update` puts another run in the same place."""

    _esm = _module("crowd.js")
    _css = LOOK

    run = traitlets.Dict().tag(sync=True)

    def update(self, run: xr.Dataset) -> None:
        """Show a run of single spins.

        Parameters
        ----------
        run : xarray.Dataset
            A result of `evolve` with each=True.
        """
        names = run.group.values.tolist()
        self.run = {
            "time": run.time.values.astype("<f8").tobytes(),
            "hands": np.ascontiguousarray(ss.bloch(run).values[..., :2], "<f4").tobytes(),
            "owner": [names.index(name) for name in run.spin_group.values.tolist()],
            "names": ["R"] if len(names) == 1 else [f"R_{name}" for name in names],
            "colours": list(ss.plot.COLOURS[: len(names)]),
            "clock": "γt" if float(ss.model_of(run).rates.gamma_1.sum()) else "t",
        }
