"""sweep_status: how far a sweep has come."""

from __future__ import annotations

from datetime import datetime
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.precision import in_range
from spinsync.sweeps import stores
from spinsync.sweeps.durable import events


@in_range
def sweep_status(store: str | Path) -> xr.Dataset:
    """What is done of a sweep, read from its store, also while it runs.

    Parameters
    ----------
    store : path
        The store of a sweep.

    Returns
    -------
    xarray.Dataset
        Scalars points, done, failed, pending (numbers of points) and rate (points per second of the last run; NaN: unknown).

    Raises
    ------
    InputError
        If `store` holds no sweep.

    Examples
    --------
    >>> import numpy as np, spinsync as ss, tempfile, pathlib
    >>> one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = pathlib.Path(folder) / "sweep.zarr"
    ...     found = ss.sweep(ss.limit_cycle, {"coupling": [2.0, 6.0]}, model=one, store=store)
    ...     int(ss.sweep_status(store).done)
    2
    """
    path = checks.path("store", store)
    record = stores.recorded(path)
    if record is None:
        raise checks.InputError(f"Argument `store` must hold a sweep, but {checks.short_repr(str(path), 200)} does not.")
    points = int(np.prod([axis["size"] for axis in record["axes"].values()], dtype=object))
    counts = np.zeros(3, int)
    status = _status(path)
    if status is not None:
        for low in range(0, status.shape[0], status.chunks[0]):
            counts += _counts(status, (slice(low, low + status.chunks[0]),))
    values = {
        "points": (points, "number of points", "1"),
        "done": (int(counts[stores.DONE]), "points with a result", "1"),
        "failed": (int(counts[stores.FAILED]), "points that failed", "1"),
        "pending": (points - int(counts[stores.DONE] + counts[stores.FAILED]), "points that are not computed yet", "1"),
        "rate": (_rate(path), "points per second in the last run", "1/s"),
    }
    return xr.Dataset({n: ((), value, {"long_name": text, "units": unit}) for n, (value, text, unit) in values.items()})


def _status(path: Path) -> Any:
    """The array of the status of points; None if there is none that can be read."""
    try:
        return zarr.open_group(path, mode="r").get(stores.STATUS)
    except Exception:
        return None


def _counts(status: Any, where: tuple[slice, ...]) -> Array:
    """Numbers of points of each status in a part of the store; a damaged chunk has none, as it will be computed again."""
    try:
        return np.bincount(np.asarray(status[where]).ravel(), minlength=3)[:3]
    except Exception:
        axis = len(where)
        if axis == status.ndim:
            return np.zeros(3, int)
        step = status.chunks[axis]
        return sum(
            (_counts(status, (*where, slice(k, k + step))) for k in range(0, status.shape[axis], step)), np.zeros(3, int)
        )


def _rate(path: Path) -> float:
    """Points per second since the start of the last run, from the log; NaN if it tells nothing."""
    start = last = None
    points = 0
    for event in events(path):
        try:
            time = datetime.fromisoformat(event["time"])
            if event["event"] == "start":
                start, points = time, 0
            elif event["event"] == "chunk":
                last, points = time, points + int(event["points"])
        except (KeyError, TypeError, ValueError):
            continue
    if start is None or last is None or last <= start:
        return nan
    return points / (last - start).total_seconds()
