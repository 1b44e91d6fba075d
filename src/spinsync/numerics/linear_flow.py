"""Linear problems d rho/dt = L rho with a sparse generator: propagation and the null vector."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import expm_multiply, spsolve


def propagate(generator: Any, start: np.ndarray, times: np.ndarray) -> np.ndarray:
    """rho at `times`, shape (time, component), by truncated Taylor series of the exponential (error near rounding)."""
    out = np.empty((times.size, start.size), complex)
    out[0] = start
    gaps = np.diff(times)
    if gaps.size and np.ptp(gaps) <= 1e-12 * gaps.max() and gaps.size > 1:
        return np.asarray(expm_multiply(generator, start, 0.0, times[-1] - times[0], times.size, traceA=generator.trace()))
    for i, gap in enumerate(gaps):
        out[i + 1] = expm_multiply(generator * gap, out[i])
    return out


def null_vector(generator: Any, trace: np.ndarray) -> np.ndarray:
    """rho with L rho = 0 and trace . rho = 1; one redundant row of L gives way to the trace."""
    row = int(np.argmax(trace != 0))
    matrix = sparse.lil_array(generator)
    matrix[[row], :] = trace[None, :]
    target = np.zeros(len(trace), complex)
    target[row] = 1
    return np.asarray(spsolve(matrix.tocsc(), target))
