"""Small linear problems d rho/dt = L rho with a sparse generator: time evolution and steady state."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, expm_multiply, onenormest, splu

from spinsync.base.interrupts import check_interrupt
from spinsync.base.progress import expect, part, report
from spinsync.base.randomness import reproducible
from spinsync.problems.linear.arnoldi import STEADY
from spinsync.problems.linear.lines import slowest_rate
from spinsync.problems.linear.shift_invert import motion
from spinsync.problems.outcome import LostTraceError, NotUniqueError

CONTRAST = 1e10  # ratio of rates, up to which a non-unique steady state is distinguished from an ill-conditioned one
PRODUCT = 1e-9  # seconds of a Taylor series per nonzero element, norm of L and time
TAYLOR_LIMIT = 5000.0  # norm of L times time step, above which the Krylov method is used
AT_ONCE = 200  # times whose states are kept in memory
TRACE_ERROR = 1e-6  # largest deviation of a trace from 1
ACCURATE, SINGULAR = 1e10, 1e15  # condition number up to which six digits are certain; beyond which a matrix counts as singular


@reproducible
def propagate(generator: Any, start: np.ndarray, times: np.ndarray, trace: np.ndarray | None = None) -> np.ndarray:
    """rho at `times`, shape (time, component), by truncated Taylor series of the exponential (error near rounding).

    The number of terms grows with the norm of L times the time step; for long steps the shift-and-invert Krylov method is used.

    trace : covector that L conserves, if there is one

    Raises OverflowError if steps get too small or too many, or rates are too large for double precision.
    """
    gaps = np.diff(times)
    norm = abs(generator).sum(axis=0).max()
    if gaps.size and norm > TAYLOR_LIMIT / float(gaps.max()):  # avoids overflow of the product
        steady = None if trace is None else _known_steady_state(generator, trace)
        return _propagate_long(generator, start, times, float(norm), steady)
    if gaps.size > 1 and np.ptp(gaps) <= 1e-12 * gaps.max():
        expect(PRODUCT * generator.nnz * norm * float(times[-1] - times[0]))
        return np.asarray(expm_multiply(generator, start, 0.0, times[-1] - times[0], times.size, traceA=generator.trace()))
    out = np.empty((times.size, start.size), complex)
    out[0] = start
    for i, gap in enumerate(gaps):
        check_interrupt()
        report(i / gaps.size)
        out[i + 1] = expm_multiply(generator * gap, out[i])
    return out


def means(block: Any, start: np.ndarray, times: np.ndarray, trace: np.ndarray, covector: np.ndarray) -> np.ndarray:
    """Real mean of a covector of sector 0 at `times`, shape (time,); few states are kept at once.
    Raises LostTraceError where the trace is no longer 1, else as `propagate`."""
    state, found = start, [start @ covector]
    for first in range(0, times.size - 1, AT_ONCE):
        with part(first / times.size, min(first + AT_ONCE, times.size) / times.size):
            states = propagate(block, state, times[first : first + AT_ONCE + 1], trace)
        if not np.allclose(states @ trace, 1, rtol=0, atol=TRACE_ERROR):
            raise LostTraceError
        state = states[-1]
        found.extend(states[1:] @ covector)
    return np.array(found).real


def _propagate_long(generator: Any, start: np.ndarray, times: np.ndarray, norm: float, steady: np.ndarray | None) -> np.ndarray:
    """Propagate by the Krylov method until the steady state is reached: the trace distance of two solutions never grows."""
    out, recorded = np.empty((times.size, start.size), complex), 0
    span = float(times[-1] - times[0])
    checks = times[0] + np.exp2(np.arange(0, max(np.log2(norm) + np.log2(span), 0), 3)) / norm  # avoids overflow of the product
    merged = np.unique(np.concatenate([times, checks[checks < times[-1]]]))
    for time, state in zip(merged, motion(generator, None, start, merged), strict=False):
        if time == times[recorded]:
            out[recorded] = state
            recorded += 1
        if steady is not None and abs(state - steady).sum() <= STEADY:
            out[recorded:] = state
            break
    return out


def _known_steady_state(generator: Any, trace: np.ndarray) -> np.ndarray | None:
    """The unique steady state; None if it is not unique or ill-conditioned."""
    try:
        return null_vector(generator, trace)
    except OverflowError:
        return None


def steady_state(generator: Any, trace: np.ndarray) -> np.ndarray:
    """The unique steady state.
    Raises NotUniqueError if there are several, OverflowError if rounding leaves fewer than six digits."""
    found = null_vector(generator, trace)
    if found is None:
        several = abs(generator.diagonal()).max() <= CONTRAST * slowest_rate(generator.diagonal())
        raise NotUniqueError if several else OverflowError
    return found


@reproducible
def null_vector(generator: Any, trace: np.ndarray) -> np.ndarray | None:
    """rho with L rho = 0 and trace . rho = 1: the trace replaces a redundant row of L. None if rho is not unique.
    Raises OverflowError if rounding leaves fewer than six digits."""
    row = int(np.argmax(trace != 0))
    fastest = abs(generator).max()  # unit of the rates
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
    if condition > ACCURATE:
        raise OverflowError
    return np.asarray(inverse.solve(target))
