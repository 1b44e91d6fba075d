"""Explicit Runge-Kutta steps of adaptive length for a long vector, with dense output.

Method: the pair of order 5(4) of J. R. Dormand and P. J. Prince, J. Comput. Appl. Math. 6, 19 (1980), with the interpolant of
L. F. Shampine, Math. Comput. 46, 135 (1986). Its last stage is the first of the next step, and it needs few vectors: for
thousands of moments the memory that a step reads decides its time.
"""

from __future__ import annotations

import numpy as np
from scipy.integrate import RK45

from spinsync.base.compiled import compiled
from spinsync.problems.moments.record import SIGNATURE
from spinsync.problems.outcome import Ended

DONE, BUDGET, UNDERFLOW, BEYOND, MOVING = (int(ended) for ended in Ended)  # as int, for compiled code
STAGES = 7
STAGE_WEIGHTS = np.zeros((STAGES, STAGES))  # of earlier stages in the state at which stage i is evaluated
STAGE_WEIGHTS[:6, :5] = RK45.A
STAGE_WEIGHTS[6, :6] = RK45.B
ERROR_WEIGHTS = np.array(RK45.E, float)
DENSE_WEIGHTS = np.array(RK45.P, float)  # of powers 1 ... 4 of the fraction of a step
SAFETY, SHRINK, GROW = 0.9, 0.2, 5.0  # step size: factor on the best one, and the limits of its change
INTEGRAL, PROPORTIONAL = 0.14, 0.08  # exponents of the errors of this step and the last one in the size of the next
FLAGS = {"contract", "nsz"}  # of floating point: a sum keeps its order, and NaN and infinity their meaning


@compiled(fastmath=FLAGS)
def _combine(y, h, weights, stages, count, out):
    """out = y + h sum_i weights[i] stages[i] over the first `count` stages."""
    for c in range(y.size):
        out[c] = y[c]
    for i in range(count):
        w, k = h * weights[i], stages[i]
        if w != 0:
            for c in range(y.size):
                out[c] += w * k[c]


@compiled()
def _largest(y):
    """The largest modulus; infinite if one is NaN."""
    worst = 0.0
    for c in range(y.size):
        size = abs(y[c])
        if not size <= worst:
            worst = size if size == size else np.inf
    return worst


@compiled()
def _norm(error, y, new, blocks, floor, rtol):
    """The largest error in units of the tolerance, each relative to the scale of its block; infinite if one is NaN."""
    worst = 0.0
    for k in range(floor.size):
        i, j = blocks[k], blocks[k + 1]
        scale = max(floor[k], _largest(y[i:j]), _largest(new[i:j]))
        size = _largest(error[i:j]) / (rtol * scale)
        if not size <= worst:
            worst = size if size == size else np.inf
    return worst


FUNCTION = f"FunctionType({SIGNATURE})"
ARRAYS = "float64[:,::1], float64[:,:,::1], float64[:,:,::1]"


@compiled(
    f"int64({FUNCTION}, {FUNCTION}, {ARRAYS}, float64[::1], int64[::1], float64[::1], float64, int64, int64, float64[::1], "
    "int64[::1], float64[::1], float64[:,::1], float64[:,::1], float64[::1], float64[:,::1])"
)
def solve(
    derivative, numbers, table, planes, factors, times, blocks, floor, rtol, max_steps, most, clock, counts, y, stages, spare,
    work, out,
):  # fmt: skip
    """Write `out` (time, number) and return the status: MOVING after `most` steps and outputs, for the next call.

    clock: step size, time since times[0], error of the last step. counts: outputs, steps, rejected steps. y: the state, and
    stages[0] its derivative if counts[1] > 0. spare: two vectors.
    """
    h, elapsed, before = clock[0], clock[1], clock[2]
    done, steps, rejected = counts[0], counts[1], counts[2]
    new, error, dense = spare[0], spare[1], np.empty(STAGES)
    if steps + rejected == 0 and done == 0:
        derivative(y, table, planes, factors, work, stages[0])
        numbers(y, table, planes, factors, work, out[0])
        done = 1
    left, status = most, DONE
    while done < times.size:
        if left <= 0:
            status = MOVING
            break
        if steps + rejected >= max_steps:
            status = BUDGET
            break
        left -= 1
        for i in range(1, STAGES):
            _combine(y, h, STAGE_WEIGHTS[i], stages, i, new)
            derivative(new, table, planes, factors, work, stages[i])
        error[:] = 0.0
        _combine(error, h, ERROR_WEIGHTS, stages, STAGES, error)
        size = _norm(error, y, new, blocks, floor, rtol)
        if size > 1:
            rejected += 1
            h *= max(SHRINK, SAFETY * size**-0.2) if size < np.inf else SHRINK
            if not h > 1e-15 * max(elapsed, 1e-280):
                status = UNDERFLOW
                break
            continue
        while done < times.size and times[done] - times[0] - elapsed <= h:
            theta = (times[done] - times[0] - elapsed) / h
            for i in range(STAGES):
                dense[i] = theta * (
                    DENSE_WEIGHTS[i, 0]
                    + theta * (DENSE_WEIGHTS[i, 1] + theta * (DENSE_WEIGHTS[i, 2] + theta * DENSE_WEIGHTS[i, 3]))
                )
            _combine(y, h, dense, stages, STAGES, error)
            numbers(error, table, planes, factors, work, out[done])
            done += 1
            left -= 1
        y[:] = new
        stages[0, :] = stages[STAGES - 1]
        steps += 1
        elapsed += h
        size = max(size, 1e-10)
        h *= min(GROW, max(SHRINK, SAFETY * size**-INTEGRAL * max(before, 1e-10) ** PROPORTIONAL))
        before = size
    clock[0], clock[1], clock[2] = h, elapsed, before
    counts[0], counts[1], counts[2] = done, steps, rejected
    return status
