"""Steady state of a classical Markov process on a lattice, in a truncation window that holds nearly all probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from spinsync.base.progress import expect
from spinsync.problems.linear.sectors import Lattice, Window
from spinsync.problems.linear.state_lattice.sparse_lu import Factors, afford, nested_dissection, seconds
from spinsync.problems.linear.state_lattice.truncation import ROUNDS, at_cut_edges, doubled, enlarged
from spinsync.problems.outcome import NotUniqueError

ALLOWED = 1e-12  # largest sum of |p - exact p| by truncation
ROUNDING = 1e-16  # relative error of a pivot
ROUND = 1.4  # time for a window in units of that of its factorization
MOST_ROUNDING = 1e-7  # the same by rounding


@dataclass(frozen=True)
class SteadyState:
    """Stationary probabilities in a truncation window.

    lattice : the lattice truncated to the window
    probability : array of shape (component,); the sum of |p - exact p| is below ALLOWED
    """

    window: Window
    lattice: Lattice
    probability: np.ndarray


def steady_state(full: Lattice) -> SteadyState:
    """Steady state of sector 0; the window grows until the truncation error is below ALLOWED.

    Raises NotUniqueError if there are several steady states; OverflowError if the rates are too large for double precision,
    or the window would not stop growing; TooLargeError if memory can't hold the window.
    """
    window = full.initial_window
    for attempt in range(ROUNDS):
        afford(window, 8)
        expect(
            ROUND * seconds(window, 8), f"steady state, window {attempt + 1}", min(attempt, 1) / 2, (min(attempt, 1) + 1) / 2
        )
        lattice = full.truncated(window)
        sites = lattice.sites(0)
        try:
            result = _populations_in_window(lattice, sites, at_cut_edges(full, window, sites))
        except OverflowError:  # in a corner whose exits the window cuts off
            if window == full.full_window:
                raise
            window = doubled(full, window)
            continue
        if result is None and window == full.full_window:
            raise NotUniqueError
        if result is None:  # truncation can split a recurrent class
            window = full.full_window
            continue
        probability, lost = result
        if np.any(np.isnan(lost)):
            break
        if np.any(np.isinf(lost)):
            window = doubled(full, window)
            continue
        if lost.sum() <= ALLOWED:
            return SteadyState(window, lattice, probability)
        window = enlarged(full, window, sites, probability, lost, ALLOWED)
    raise OverflowError


def _populations_in_window(lattice: Lattice, sites: np.ndarray, at_edge: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Probabilities in the window, and a bound on the error by the flow out of the window at each component, equation (9.6)."""
    generator = lattice.block(0).real
    if not np.all(np.isfinite(generator.data)):
        return np.zeros(len(sites)), np.full(len(sites), np.nan)
    leak = np.where(at_edge, -(lattice.trace @ generator), 0.0)
    generator.setdiag(0.0)
    result = stationary_distribution(generator, sites, lattice.reference_site)
    if result is None:
        return None
    probability, longest_time, rounding = result
    if not rounding <= MOST_ROUNDING:  # NaN included
        return probability, np.full(len(sites), np.nan)
    flow = leak * probability
    return probability, np.where(flow > 0, 4 * longest_time, 0.0) * flow


def stationary_distribution(rates: Any, sites: np.ndarray, near: tuple[int, int]) -> tuple[np.ndarray, float, float] | None:
    """Stationary probabilities for rates[to, from], the longest mean hitting time of the site nearest to `near`, and the
    estimated rounding error; None if there are several recurrent classes.

    Elimination adds positive numbers only, except in the pivots. A rounded pivot acts as a source or sink of probability,
    whose effect lasts until the process returns to that site.
    """
    recurrent = _recurrent_class(rates)
    if recurrent is None:
        return None
    probability = np.zeros(len(sites))
    reference = recurrent[np.argmin(np.sum((sites[recurrent] - np.array(near)) ** 2, axis=1))]
    probability[reference] = 1.0
    others = recurrent[recurrent != reference]
    if not others.size:
        return probability, 0.0, 0.0
    others = others[nested_dissection(sites[others])]
    inflow = rates[:, [reference]].toarray()[others, 0]
    outflow = rates.sum(axis=0)[others]
    factors = Factors(sparse.diags_array(outflow) - rates.tocsr()[others].tocsc()[:, others])
    probability[others] = factors.solve(inflow)
    hitting_times = factors.solve(np.ones(others.size), transposed=True)
    longest_time = float(hitting_times.max()) if hitting_times.min() >= 0 else np.inf  # negative: rounding
    probability /= probability.sum()
    weights = probability[others]
    return probability, longest_time, float(ROUNDING * (outflow * weights) @ abs(hitting_times - weights @ hitting_times))


def _recurrent_class(rates: Any) -> np.ndarray | None:
    """Indices of the states in the only recurrent class of the process; None if there are several classes."""
    rates.eliminate_zeros()
    number, label = connected_components(rates, connection="strong")
    if number == 1:
        return np.arange(len(label))
    source = label[np.repeat(np.arange(len(label)), np.diff(rates.indptr))]
    closed = np.ones(number, bool)
    closed[source[(label[rates.indices] != source)]] = False
    return np.flatnonzero(closed[label]) if closed.sum() == 1 else None
