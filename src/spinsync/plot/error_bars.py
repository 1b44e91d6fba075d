"""Error bars of results that hold means over realizations."""

from __future__ import annotations

from typing import Any

import xarray as xr
from matplotlib.axes import Axes

from spinsync.plot.diagram_input import diagram_variable


def draw_error_bars(ax: Axes, where: Any, means: xr.DataArray, diagram: xr.Dataset, size: float, color: str) -> None:
    """Draw the standard errors of means over realizations, (x,), as bars; nothing for other results.

    means : the variable along x, possibly of one group, in units of `size`
    """
    name = str(means.name)
    if f"{name}_count" not in diagram:
        return
    errors = diagram_variable(diagram, f"{name}_error")
    chosen = {dim: means[dim] for dim in ("group", "other_group") if dim in means.coords and dim in errors.dims}
    heights = errors.sel(chosen).values / size
    ax.errorbar(where, means.values, yerr=heights, fmt="none", ecolor=color, elinewidth=0.9, capsize=1.8, zorder=1.5)
