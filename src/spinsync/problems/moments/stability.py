"""Stability of a steady state: the largest growth rate of small perturbations, from the right-hand side alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import linalg
from scipy.sparse.linalg import ArpackError, LinearOperator, eigs

from spinsync.base.arrays import Array
from spinsync.base.interrupts import check_interrupt
from spinsync.problems.outcome import NotConvergedError

DENSE = 300  # variables, up to which the Jacobian is assembled
ACCURACY = 1e-4  # of the growth rate of many variables, relative to the largest rate
VECTORS = 40  # of the Krylov space
MOST_PRODUCTS = 1600

Rate = Callable[[Array], Array]


def jacobian_times(rate: Rate, state: Array) -> Rate:
    """v -> J v. The right-hand side is a polynomial of second degree, of which a symmetric difference of any width is exact."""
    size = np.linalg.norm(state) or 1.0

    def times(vector: Array) -> Array:
        check_interrupt()
        width = size / np.linalg.norm(vector)
        return np.asarray((rate(state + width * vector) - rate(state - width * vector)) / (2 * width))

    return times


def growth_rate(rate: Rate, state: Array) -> float:
    """Largest real part of an eigenvalue of the linearized motion about a steady state.
    Raises NotConvergedError if the iteration for many variables does not end."""
    times = jacobian_times(rate, state)
    if state.size <= DENSE:
        jacobian = np.transpose([times(column) for column in np.eye(state.size)])
        moving = jacobian.any(axis=1)  # a component that never moves is not perturbed
        return float(linalg.eigvals(jacobian[np.ix_(moving, moving)]).real.max(initial=-np.inf))
    operator = LinearOperator((state.size,) * 2, times, dtype=float)
    first = times(np.random.default_rng(0).normal(size=state.size))  # without the components that never move
    try:
        found = eigs(
            operator, k=2, which="LR", v0=first, ncv=VECTORS, tol=ACCURACY,
            maxiter=MOST_PRODUCTS // VECTORS, return_eigenvectors=False,
        )  # fmt: skip
    except ArpackError:
        raise NotConvergedError from None
    return float(found.real.max())
