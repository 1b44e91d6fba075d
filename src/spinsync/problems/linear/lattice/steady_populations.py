"""The steady state of a classical Markov process on a lattice, from a part of it that holds nearly everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from spinsync.problems.linear.lattice.sparse_lu import Factors, afford, dissected
from spinsync.problems.linear.lattice.truncation import ROUNDS, at_cuts, doubled, larger
from spinsync.problems.linear.sectors import Box, Lattice
from spinsync.problems.outcome import SeveralError

ALLOWED = 1e-12  # of all probability may be at a wrong place
ROUNDING = 1e-16  # of a pivot
CERTAIN = 1e-7  # of all probability may be at a wrong place by rounding


@dataclass(frozen=True)
class Steady:
    """Probabilities within a box.

    part : the lattice that is left within the box
    probability : array of shape (component,), the sum of |p - exact p| is below ALLOWED
    """

    box: Box
    part: Lattice
    probability: np.ndarray


def steady(lattice: Lattice) -> Steady:
    """Sector 0 at rest; the box grows until what is misplaced is below ALLOWED.

    Raises SeveralError if there are several steady states; OverflowError if the rates are too large for double precision,
    or the box would not stop growing; TooLargeError if memory can't hold the box.
    """
    box = lattice.likely
    for _ in range(ROUNDS):
        afford(box, 8)
        part = lattice.cut(box)
        sites = part.sites(0)
        try:
            found = _populations_in_window(part, sites, at_cuts(lattice, box, sites))
        except OverflowError:  # in a corner that is hardly ever left, as its ways out are cut off
            if box == lattice.whole:
                raise
            box = doubled(lattice, box)
            continue
        if found is None and box == lattice.whole:
            raise SeveralError
        if found is None:  # the cut alone can part a process that is one
            box = lattice.whole
            continue
        probability, lost = found
        if np.any(np.isnan(lost)):
            break
        if np.any(np.isinf(lost)):
            box = doubled(lattice, box)
            continue
        if lost.sum() <= ALLOWED:
            return Steady(box, part, probability)
        box = larger(lattice, box, sites, probability, lost, ALLOWED)
    raise OverflowError


def _populations_in_window(part: Lattice, sites: np.ndarray, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Probabilities within the box, and how much may be misplaced by what leaves it at each component, equation (9.6)."""
    generator = part.block(0).real
    if not np.all(np.isfinite(generator.data)):
        return np.zeros(len(sites)), np.full(len(sites), np.nan)
    leak = np.where(edge, -(part.trace @ generator), 0.0)
    generator.setdiag(0.0)
    found = stationary_distribution(generator, sites, part.middle)
    if found is None:
        return None
    probability, slowest, uncertain = found
    if not uncertain <= CERTAIN:  # NaN included
        return probability, np.full(len(sites), np.nan)
    flow = leak * probability
    return probability, np.where(flow > 0, 4 * slowest, 0.0) * flow


def stationary_distribution(jumps: Any, sites: np.ndarray, middle: tuple[int, int]) -> tuple[np.ndarray, float, float] | None:
    """Stationary probabilities of the rates jumps[to, from], the longest mean time to a place near the middle, and what
    rounding misplaces.

    None: several closed classes. Elimination adds positive numbers only, but for the pivots: a rounded one is a source or a
    sink, which matters as long as the process remembers that place.
    """
    members = _closed(jumps)
    if members is None:
        return None
    probability = np.zeros(len(sites))
    reference = members[np.argmin(np.sum((sites[members] - np.array(middle)) ** 2, axis=1))]
    probability[reference] = 1.0
    rest = members[members != reference]
    if not rest.size:
        return probability, 0.0, 0.0
    rest = rest[dissected(sites[rest])]
    arrival = jumps[:, [reference]].toarray()[rest, 0]
    leaving = jumps.sum(axis=0)[rest]
    factors = Factors(sparse.diags_array(leaving) - jumps.tocsr()[rest].tocsc()[:, rest])
    probability[rest] = factors.solve(arrival)
    times = factors.solve(np.ones(rest.size), transposed=True)
    slowest = float(times.max()) if times.min() >= 0 else np.inf  # rounding has eaten what little leads out somewhere
    probability /= probability.sum()
    common = probability[rest]
    return probability, slowest, float(ROUNDING * (leaving * common) @ abs(times - common @ times))


def _closed(jumps: Any) -> np.ndarray | None:
    """Components that the process never leaves once it is there; None: there are several such classes."""
    jumps.eliminate_zeros()
    number, label = connected_components(jumps, connection="strong")
    if number == 1:
        return np.arange(len(label))
    source = label[np.repeat(np.arange(len(label)), np.diff(jumps.indptr))]
    closed = np.ones(number, bool)
    closed[source[(label[jumps.indices] != source)]] = False
    return np.flatnonzero(closed[label]) if closed.sum() == 1 else None
