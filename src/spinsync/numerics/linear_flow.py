"""Linear problems d rho/dt = L rho with a sparse generator: propagation and the null vector."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import expm
from scipy.sparse.linalg import LinearOperator, expm_multiply, onenormest, splu

LONG = 5000.0  # norm times gap
FADED = 1e-200  # what is smaller has no square
ROUNDING, CERTAIN = 1e-16, 1e-6  # of one step, and what many may come to
WORST, SINGULAR = 1e10, 1e15  # condition up to which six digits are sure, and from which on rounding hides whether it is finite


def propagate(generator: Any, start: np.ndarray, times: np.ndarray, trace: np.ndarray | None = None) -> np.ndarray:
    """rho at `times`, shape (time, component), by truncated Taylor series of the exponential (error near rounding).

    Their length grows with the norm of L times the gap; where that is long, the dense exponential is shorter.

    trace : covector that L conserves, if it does

    Raises
    ------
    OverflowError
        If the rates are too large for so long a gap.
    """
    out = np.empty((times.size, start.size), complex)
    out[0] = start
    gaps = np.diff(times)
    norm = abs(generator).sum(axis=0).max()
    if gaps.size and norm > LONG / float(gaps.max()):
        rest = _rest(generator, trace)
        for i, gap in enumerate(gaps):
            if i == 0 or gap != gaps[i - 1]:
                step = _long(generator.toarray(), float(gap), float(norm), rest)
            out[i + 1] = step @ out[i]
        return out
    if gaps.size and np.ptp(gaps) <= 1e-12 * gaps.max() and gaps.size > 1:
        return np.asarray(expm_multiply(generator, start, 0.0, times[-1] - times[0], times.size, traceA=generator.trace()))
    for i, gap in enumerate(gaps):
        out[i + 1] = expm_multiply(generator * gap, out[i])
    return out


def _long(generator: np.ndarray, gap: float, norm: float, rest: np.ndarray | float) -> np.ndarray:
    """exp(L gap) by squaring that of a short step: the projector on rest, and what decays beside it, whose square it is.

    Raises
    ------
    OverflowError
        If something lasts so long that rounding errors are more than CERTAIN.
    """
    with np.errstate(divide="ignore"):
        doublings = max(int(np.ceil(np.log2(norm) + np.log2(gap) - np.log2(LONG))), 0)  # the product may be no number
    decaying = expm(generator * np.ldexp(gap, -doublings)) - rest
    for done in range(1, doublings + 1):
        decaying = decaying @ decaying
        if abs(decaying).max() < FADED:
            return rest + 0 * decaying
        if LONG * np.ldexp(ROUNDING, done) > CERTAIN:
            raise OverflowError
    return np.asarray(rest + decaying)


def _rest(generator: Any, trace: np.ndarray | None) -> np.ndarray | float:
    """The projector on the only state of rest; 0 where there is none to tell, or several."""
    if trace is None:
        return 0.0
    try:
        rho = null_vector(generator, trace)
    except OverflowError:
        return 0.0
    return 0.0 if rho is None else np.outer(rho, trace)


def null_vector(generator: Any, trace: np.ndarray) -> np.ndarray | None:
    """rho with L rho = 0 and trace . rho = 1; one redundant row of L gives way to the trace. None: not unique.

    Raises
    ------
    OverflowError
        If rounding leaves fewer than six digits.
    """
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
