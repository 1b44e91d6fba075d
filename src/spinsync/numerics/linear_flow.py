"""Linear problems d rho/dt = L rho with a sparse generator: propagation and the null vector."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import expm
from scipy.sparse.linalg import LinearOperator, expm_multiply, onenormest, splu

from spinsync.base.randomness import reproducible

LONG = 5000.0  # norm times gap
WORST, SINGULAR = 1e10, 1e15  # condition up to which six digits are sure, and from which on rounding hides whether it is finite


@reproducible
def propagate(generator: Any, start: np.ndarray, times: np.ndarray) -> np.ndarray:
    """rho at `times`, shape (time, component), by truncated Taylor series of the exponential (error near rounding).

    Their length grows with the norm of L times the gap; where that is long, the dense exponential is shorter.
    """
    out = np.empty((times.size, start.size), complex)
    out[0] = start
    gaps = np.diff(times)
    norm = abs(generator).sum(axis=0).max()
    if gaps.size and norm * gaps.max() > LONG:
        for i, gap in enumerate(gaps):
            if i == 0 or gap != gaps[i - 1]:
                step = expm(generator.toarray() * gap)
            out[i + 1] = step @ out[i]
        return out
    if gaps.size and np.ptp(gaps) <= 1e-12 * gaps.max() and gaps.size > 1:
        return np.asarray(expm_multiply(generator, start, 0.0, times[-1] - times[0], times.size, traceA=generator.trace()))
    for i, gap in enumerate(gaps):
        out[i + 1] = expm_multiply(generator * gap, out[i])
    return out


@reproducible
def null_vector(generator: Any, trace: np.ndarray) -> np.ndarray | None:
    """rho with L rho = 0 and trace . rho = 1; one redundant row of L gives way to the trace. None: not unique.

    Raises
    ------
    OverflowError
        If rounding leaves fewer than six digits.
    """
    row = int(np.argmax(trace != 0))
    rows = sparse.lil_array(generator)
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
