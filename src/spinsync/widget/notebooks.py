"""`show`: play a run in a notebook or web page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from spinsync.base import checks
from spinsync.base.precision import in_range

if TYPE_CHECKING:
    from spinsync.widget.sphere import BlochSphere


@in_range
def show(run: xr.Dataset, *, height: int = 420, colour: str = "group", trails: bool = True) -> BlochSphere:
    """Play a run on the Bloch sphere, next to order parameter and phases, in marimo, Jupyter, VS Code or Colab.

    Each dot is a spin (or a group) at its Bloch vector m = (2 Re s, -2 Im s, z), equation (1.1); spins at the
    back are fainter. The arrow is the mean field: it starts at the height of the mean inversion and has the length 2|mean s|,
    which is the order parameter for infinitely many spins.

    Parameters
    ----------
    run : xarray.Dataset
        A result of `evolve`, at any level of theory; single spins where it holds them (each=True), else groups.
    height : int
        Height of the sphere in CSS pixels, from 160 to 2000.
    colour : "group" or "phase"
        Meaning of the colours of the dots; can be changed in the widget.
    trails : bool
        Draw the recent path of each spin; can be changed in the widget.

    Returns
    -------
    BlochSphere
        An anywidget. Its method `save(path)` writes a web page that plays offline in any browser; `update(run)` shows
        another run in the same place; `frame`, `playing`, `speed`, `colour` and `trails` can be read and set.

    Raises
    ------
    InputError
        If the run has no times or more than four million Bloch vectors, or an option is invalid.
    ImportError
        If anywidget is not installed.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> sphere = ss.show(ss.evolve(one, np.linspace(0, 5, 101)), colour="phase")
    >>> sphere.colour
    'phase'
    """
    try:
        from spinsync.widget.packing import packed
        from spinsync.widget.sphere import COLOURINGS, BlochSphere
    except ModuleNotFoundError as error:
        if error.name != "anywidget":
            raise
        raise ImportError("show needs the package anywidget: pip install anywidget.") from None
    checks.one_of("colour", colour, COLOURINGS)
    checks.instance("trails", trails, bool, "True or False")
    checks.whole("height", height, 160, 2000)
    return BlochSphere(run=packed(run), height=height, colour=colour, trails=trails)
