"""Explicit Runge-Kutta steps of adaptive length for a long vector, with dense output.

Method: the pair of order 5(4) of Ch. Tsitouras, Comput. Math. Appl. 62, 770 (2011), with its interpolant of order 4. Its last
stage is the first of the next step, and it needs few vectors: for thousands of moments the memory that a step reads decides its
time. At a tolerance of 1e-6 it takes a tenth fewer steps than the pair of Dormand and Prince, with half of its error.
"""

from __future__ import annotations

import numpy as np

from spinsync.base.compiled import compiled
from spinsync.problems.moments.record import SIGNATURE
from spinsync.problems.outcome import Ended

DONE, BUDGET, UNDERFLOW, BEYOND, MOVING = (int(ended) for ended in Ended)  # as int, for compiled code
STAGES = 7
STAGE_WEIGHTS = np.zeros((STAGES, STAGES))  # of earlier stages in the state at which stage i is evaluated
STAGE_WEIGHTS[1, 0] = 0.161
STAGE_WEIGHTS[2, :2] = -0.008480655492356989, 0.335480655492357
STAGE_WEIGHTS[3, :3] = 2.8971530571054935, -6.359448489975075, 4.3622954328695815
STAGE_WEIGHTS[4, :4] = 5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525
STAGE_WEIGHTS[5, :5] = 5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383
STAGE_WEIGHTS[6, :6] = (
    0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774,
)  # fmt: skip
ERROR_WEIGHTS = np.array([
    -0.00178001105222577714, -0.0008164344596567469, 0.007880878010261995, -0.1447110071732629, 0.5823571654525552,
    -0.45808210592918697, 1 / 66,
])  # fmt: skip
#: of stages 2 to 7 in the dense output, factor x^2 (x^2 - p x + q) with x the fraction of a step: factor, p, q
DENSE = np.array([
    (0.1017, 2.1966568338249754, 1.2949852507374631),
    (2.490627285651252793, 2.38535645472061657, 1.57803468208092486),
    (-16.54810288924490272, 1.21712927295533244 + 0.61620406037800089, 1.21712927295533244 * 0.61620406037800089),
    (47.37952196281928122, 1.203071208372362603 + 0.658047292653547382, 1.203071208372362603 * 0.658047292653547382),
    (-34.87065786149660974, 1.2 + 2 / 3, 1.2 * 2 / 3),
    (2.5, 1.6, 0.6),
])  # fmt: skip
#: of powers 1 ... 4 of x; of the first stage x minus all others, as the weights of a constant rate add up to x
DENSE_WEIGHTS = np.zeros((STAGES, 4))
DENSE_WEIGHTS[1:, 1:] = DENSE[:, :1] * np.stack([DENSE[:, 2], -DENSE[:, 1], np.ones(6)], axis=1)
DENSE_WEIGHTS[0] = np.array([1.0, 0.0, 0.0, 0.0]) - DENSE_WEIGHTS[1:].sum(axis=0)
SAFETY, SHRINK, GROW = 0.95, 0.2, 5.0  # step size: factor on the best one, and the limits of its change
INTEGRAL, PROPORTIONAL = 0.14, 0.08  # exponents of the errors of this step and the last one in the size of the next
CHUNK = 512  # components: 4 kB each of the result and of three stages
UNSIGNED = 0x7FFF_FFFF_FFFF_FFFF
FLAGS = {"contract", "nsz"}  # of floating point: a sum keeps its order, and NaN and infinity their meaning


@compiled(fastmath=FLAGS)
def _add_three(u, v, w, x, y, z, out):
    """out += u x + v y + w z."""
    for c in range(out.size):
        out[c] += u * x[c] + v * y[c] + w * z[c]


@compiled()
def _combine(h, weights, stages, rows, first, out):
    """out += h sum_i weights[i] (stage in row rows[i]), whose components begin at `first`.

    Three stages at a time: fewer passes over `out`."""
    end, count = first + out.size, rows.size
    for i in range(0, count, 3):
        j, k = min(i + 1, count - 1), min(i + 2, count - 1)
        v, w = h * weights[j] if j > i else 0.0, h * weights[k] if k > j else 0.0
        x, y, z = stages[rows[i], first:end], stages[rows[j], first:end], stages[rows[k], first:end]
        _add_three(h * weights[i], v, w, x, y, z, out)


@compiled()
def _advance(y, h, weights, stages, rows, out):
    """out = y + h sum_i weights[i] (stage i), in chunks that stay in the fastest memory until they are complete."""
    used = weights != 0
    w, r = weights[used], rows[used]
    for first in range(0, y.size, CHUNK):
        end = min(first + CHUNK, y.size)
        out[first:end] = y[first:end]
        _combine(h, w, stages, r, first, out[first:end])


@compiled()
def _advance_and_estimate(y, h, stages, rows, out, error):
    """The state at the end of the step, and its error but for the last stage, while the other stages are at hand."""
    before = STAGES - 1
    w, e, r = STAGE_WEIGHTS[before, :before], ERROR_WEIGHTS[:before], rows[:before]
    for first in range(0, y.size, CHUNK):
        end = min(first + CHUNK, y.size)
        out[first:end] = y[first:end]
        _combine(h, w, stages, r, first, out[first:end])
        error[first:end] = 0.0
        _combine(h, e, stages, r, first, error[first:end])


@compiled()
def _largest(bits, worst):
    """The largest modulus, and `worst`, as bits: numbers without sign are ordered as their bits are, and NaN is the largest."""
    for c in range(bits.size):
        worst = max(worst, bits[c] & UNSIGNED)
    return worst


@compiled()
def _sizes(y, blocks, sizes):
    """The largest modulus of each block."""
    bits = y.view(np.int64)
    for k in range(sizes.size):
        sizes.view(np.int64)[k] = _largest(bits[blocks[k] : blocks[k + 1]], 0)


@compiled(fastmath=FLAGS)
def _add(u, x, out):
    """out += u x."""
    for c in range(out.size):
        out[c] += u * x[c]


@compiled()
def _norm(h, last, error, blocks, scale, rtol):
    """The largest error in units of the tolerance, each relative to the scale of its block; infinite if one is NaN.

    error : its sum but for the last stage"""
    worst, found = 0.0, np.empty(1)
    for k in range(scale.size):
        bits = 0
        for first in range(blocks[k], blocks[k + 1], CHUNK):
            end = min(first + CHUNK, blocks[k + 1])
            _add(h * ERROR_WEIGHTS[STAGES - 1], last[first:end], error[first:end])
            bits = _largest(error[first:end].view(np.int64), bits)
        found.view(np.int64)[0] = bits
        size = found[0] / (rtol * scale[k])
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
    stages[0] its derivative if counts[1] > 0. spare: two vectors; the second ends as the state of the last output.
    """
    h, elapsed, before = float(clock[0]), float(clock[1]), float(clock[2])
    done, steps, rejected = int(counts[0]), int(counts[1]), int(counts[2])
    new, other, dense, rows = spare[0], spare[1], np.empty(STAGES), np.arange(STAGES)
    now, size_before, size_new = y, np.empty(floor.size), np.empty(floor.size)
    _sizes(y, blocks, size_before)
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
        for i in range(1, STAGES - 1):
            _advance(now, h, STAGE_WEIGHTS[i], stages, rows, new)
            derivative(new, table, planes, factors, work, stages[rows[i]])
        _advance_and_estimate(now, h, stages, rows, new, other)
        derivative(new, table, planes, factors, work, stages[rows[STAGES - 1]])
        _sizes(new, blocks, size_new)
        scale = np.maximum(floor, np.maximum(size_before, size_new))
        size = _norm(h, stages[rows[STAGES - 1]], other, blocks, scale, rtol)
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
            _advance(now, h, dense, stages, rows, other)
            numbers(other, table, planes, factors, work, out[done])
            done += 1
            left -= 1
        now, new = new, now
        rows[0], rows[STAGES - 1] = rows[STAGES - 1], rows[0]
        size_before[:] = size_new
        steps += 1
        elapsed += h
        size = max(size, 1e-10)
        h *= min(GROW, max(SHRINK, SAFETY * size**-INTEGRAL * max(before, 1e-10) ** PROPORTIONAL))
        before = size
    if rows[0] != 0:  # an odd number of steps has exchanged `y` with `spare`, and the first stage with the last
        y[:] = now
        stages[0, :] = stages[STAGES - 1]
    clock[0], clock[1], clock[2] = h, elapsed, before
    counts[0], counts[1], counts[2] = done, steps, rejected
    return status
