"""Linear problems d rho/dt = L rho with a sparse generator: propagation and the null vector."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, expm_multiply, onenormest, splu

from spinsync.base.interrupts import check_interrupt
from spinsync.base.randomness import reproducible
from spinsync.problems.linear.arnoldi import AT_REST
from spinsync.problems.linear.krylov import motion
from spinsync.problems.linear.lines import slowest_rate
from spinsync.problems.outcome import SeveralError

CONTRAST = 1e10  # of rates, up to where several steady states are told from what rounding makes of one
LONG = 5000.0  # norm times gap
WORST, SINGULAR = 1e10, 1e15  # condition up to which six digits are sure, and from which on rounding hides whether it is finite


@reproducible
def propagate(generator: Any, start: np.ndarray, times: np.ndarray, trace: np.ndarray | None = None) -> np.ndarray:
    """rho at `times`, shape (time, component), by truncated Taylor series of the exponential (error near rounding).

    Their length grows with the norm of L times the gap; where that is long, the Krylov space of a resolvent is shorter.

    trace : covector that L conserves, if it does

    Raises OverflowError if steps get too small or too many, or rates are too large for double precision.
    """
    gaps = np.diff(times)
    norm = abs(generator).sum(axis=0).max()
    if gaps.size and norm > LONG / float(gaps.max()):  # the product may be no number
        return _long(generator, start, times, float(norm), None if trace is None else _rest(generator, trace))
    if gaps.size > 1 and np.ptp(gaps) <= 1e-12 * gaps.max():
        return np.asarray(expm_multiply(generator, start, 0.0, times[-1] - times[0], times.size, traceA=generator.trace()))
    out = np.empty((times.size, start.size), complex)
    out[0] = start
    for i, gap in enumerate(gaps):
        check_interrupt()
        out[i + 1] = expm_multiply(generator * gap, out[i])
    return out


def _long(generator: Any, start: np.ndarray, times: np.ndarray, norm: float, rest: np.ndarray | None) -> np.ndarray:
    """The same step by step, until the state of rest is reached: no two motions of a master equation ever move apart."""
    out, done = np.empty((times.size, start.size), complex), 0
    span = float(times[-1] - times[0])
    looks = times[0] + np.exp2(np.arange(0, max(np.log2(norm) + np.log2(span), 0), 3)) / norm  # the product may be no number
    moments = np.unique(np.concatenate([times, looks[looks < times[-1]]]))
    for moment, state in zip(moments, motion(generator, None, start, moments), strict=False):
        if moment == times[done]:
            out[done] = state
            done += 1
        if rest is not None and abs(state - rest).sum() <= AT_REST:
            out[done:] = state
            break
    return out


def _rest(generator: Any, trace: np.ndarray) -> np.ndarray | None:
    """The only state of rest, if there is one that can be told."""
    try:
        return null_vector(generator, trace)
    except OverflowError:
        return None


def at_rest(generator: Any, trace: np.ndarray) -> np.ndarray:
    """The only steady state.
    Raises SeveralError if there are several, OverflowError if rounding leaves fewer than six digits."""
    found = null_vector(generator, trace)
    if found is None:
        several = abs(generator.diagonal()).max() <= CONTRAST * slowest_rate(generator.diagonal())
        raise SeveralError if several else OverflowError
    return found


@reproducible
def null_vector(generator: Any, trace: np.ndarray) -> np.ndarray | None:
    """rho with L rho = 0 and trace . rho = 1; one redundant row of L gives way to the trace. None: not unique.
    Raises OverflowError if rounding leaves fewer than six digits."""
    row = int(np.argmax(trace != 0))
    fastest = abs(generator).max()  # as the unit of rates
    rows = sparse.lil_array(generator / fastest if 0 < fastest < np.inf else generator)
    rows[[row], :] = trace[None, :]
    target = np.zeros(len(trace), complex)
    target[row] = 1
    matrix = rows.tocsc()
    try:
        inverse: Any = splu(matrix)
    except RuntimeError:  # exactly singular
        return None
    operator = LinearOperator(matrix.shape, inverse.solve, rmatvec=lambda v: inverse.solve(v, trans="H"), dtype=complex)
    condition = onenormest(operator) * abs(matrix).sum(axis=0).max()
    if condition > SINGULAR:
        return None
    if condition > WORST:
        raise OverflowError
    return np.asarray(inverse.solve(target))
