"""Mean intensity over time after a detection, in a truncation window that holds nearly all probability."""

from __future__ import annotations

import numpy as np

from spinsync.problems.linear import shift_invert
from spinsync.problems.linear.sectors import Lattice
from spinsync.problems.linear.state_lattice.sparse_lu import afford
from spinsync.problems.linear.state_lattice.truncation import doubled
from spinsync.problems.outcome import LostTraceError

ALLOWED = 1e-9  # largest error by truncation, relative to the mean intensity of the steady state
TRACE_ERROR = 1e-6  # largest deviation of the sum of all probabilities from 1, which nothing leaves


def intensities(full: Lattice, lattice: Lattice, start: np.ndarray, times: np.ndarray, mean: float) -> np.ndarray:
    """intensity . p at `times`, shape (time,), of a classical Markov process.

    start : probabilities at the first time on the sites of `lattice`, the full lattice truncated to some window
    mean : intensity of the steady state

    No probability is negative, and what leaves the window never returns: the sum of all probabilities that is missing bounds
    what is missing of any. It counts with the largest intensity in the window, which doubles until that is negligible.

    Raises LostTraceError or OverflowError if the rates are too large for double precision, TooLargeError if memory does not
    suffice.
    """
    sites = lattice.sites(0)
    while True:
        afford(lattice.window, 8, shift_invert.MOST_VECTORS)
        trace, intensity, found, lost = lattice.trace, lattice.intensity, [], []
        for p in shift_invert.motion(lattice.block(0).real, lattice.sites(0), start, times):
            found.append(intensity @ p)
            lost.append(1 - float(trace @ p))
        if lattice.window == full.full_window:
            if not max(map(abs, lost)) <= TRACE_ERROR:
                raise LostTraceError
            return np.array(found)
        if max(lost) * intensity.max() <= ALLOWED * mean:
            return np.array(found)
        lattice = full.truncated(doubled(full, lattice.window))
        start, sites = moved(start, sites, lattice.sites(0)), lattice.sites(0)


def moved(values: np.ndarray, sites: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Values at `sites` as a vector over the sites `target`, which include them."""
    low = target.min(axis=0)
    grid = np.zeros(target.max(axis=0) - low + 1, values.dtype)
    grid[*(sites - low).T] = values
    return np.asarray(grid[*(target - low).T])
