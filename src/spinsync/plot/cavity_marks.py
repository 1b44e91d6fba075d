"""A mark in diagrams of a cavity whose mode is eliminated where it does not follow the spins."""

from __future__ import annotations

from itertools import product

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from spinsync.model.cavities import outside_limit
from spinsync.model.ensembles import Ensemble, varied
from spinsync.plot.legends import once

OUTSIDE = "outside the bad-cavity limit"  # the limit of (7.1), beyond which `CavityWarning` is given


def mark_outside_limit(ax: Axes, diagram: xr.Dataset, ensemble: Ensemble, *names: str) -> None:
    """Add the words to the legend if the points of a diagram over these parameters are outside the limit, or part of them.

    Results and closed forms both eliminate the mode: that they agree verifies neither.
    """
    if ensemble.recipe.constructor != "cavity":
        return
    ends = [{min(axis), max(axis), min(axis, key=abs)} for axis in (diagram[name].values.tolist() for name in names)]
    models = [varied(ensemble, dict(zip(names, point, strict=True))) for point in product(*ends)]
    outside = [outside_limit(model.recipe, model.groups) is not None for model in models]
    if any(outside):
        words = OUTSIDE if all(outside) else f"partly {OUTSIDE}"
        ax.add_artist(Line2D([], [], ls="none", label=once(ax, words)))
