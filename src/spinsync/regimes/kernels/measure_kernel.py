"""What a step adds to the sums over a window: means, turning, pairs, the growth of a tangent vector.

For `lane_kernel.py`, whose `forward` has just made the step from y with the rates K[0] to u with the rates K[6]. The sums
are those of `Layout.sums`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.vectors import bits_to_float, float_bits
from spinsync.regimes.kernels.layout import FAINT, Layout


def weigh(x: float, w: Array) -> None:
    """The window (4 x (1-x))^6 and its derivative by x: w[0], w[1]. Flat at both ends, as (5.9), but made of products."""
    w[0] = 4.0 * x * (1.0 - x)
    w[1] = 24.0 * (1.0 - 2.0 * x) * w[0] * w[0] * w[0] * w[0] * w[0]
    w[0] = w[0] * w[0] * w[0] * w[0] * w[0] * w[0]


def quadrature(w: Array, taken: float, e: Array) -> None:
    """Weights of f and its rate at both ends of the step: integral of window times f, with an error of h^5."""
    twelfth = taken * taken / 12.0
    half = 0.5 * taken
    e[0] = half * w[0, 0] + twelfth * w[0, 1]
    e[1] = twelfth * w[0, 0]
    e[2] = half * w[1, 0] - twelfth * w[1, 1]
    e[3] = -twelfth * w[1, 0]


def add(total: Array, lane: int, e: Array, f0: float, d0: float, f1: float, d1: float) -> None:
    """Add the integral of window times f over the step, f and its rate being f0, d0 at its beginning and f1, d1 at its end."""
    total[lane] += e[0] * f0 + e[1] * d0 + e[2] * f1 + e[3] * d1


def mean(weight: Array, lane: int, of: Array) -> tuple[float, float]:
    """sum_a p_a of_a, of a state or its rates."""
    re = weight[0, lane] * of[0, 0]
    im = weight[0, lane] * of[0, 1]
    for a in range(1, len(of)):
        re += weight[a, lane] * of[a, 0]
        im += weight[a, lane] * of[a, 1]
    return re, im


def inverses(weight: Array, lane: int, at: Array, v: Array) -> None:
    """1/|s| of each group and, for several groups, 1/|mean s|: what needs roots and divisions is found once per step."""
    for a in range(len(at)):
        v[a] = 1.0 / math.sqrt(at[a, 0] * at[a, 0] + at[a, 1] * at[a, 1] + 1e-60)
    if len(at) > 1:
        re, im = mean(weight, lane, at)
        v[len(at)] = 1.0 / math.sqrt(re * re + im * im + 1e-60)


def sizes(at: Array, by: Array, v: Array, n: Array) -> None:
    """Of each group |s|^2, its rate, |s|, its rate, d ln |s| / dt."""
    for a in range(len(at)):
        n[a, 0] = at[a, 0] * at[a, 0] + at[a, 1] * at[a, 1]
        n[a, 1] = at[a, 0] * by[a, 0] + at[a, 1] * by[a, 1]
        n[a, 2] = n[a, 0] * v[a]
        n[a, 3] = n[a, 1] * v[a]
        n[a, 4] = n[a, 3] * v[a]
        n[a, 1] = 2.0 * n[a, 1]


def product(at: Array, by: Array, a: int, b: int, p: Array) -> None:
    """s_a^* s_b and its rate: p[0] + i p[1], p[2] + i p[3]."""
    p[0] = at[a, 0] * at[b, 0] + at[a, 1] * at[b, 1]
    p[1] = at[a, 0] * at[b, 1] - at[a, 1] * at[b, 0]
    p[2] = by[a, 0] * at[b, 0] + by[a, 1] * at[b, 1]
    p[2] += at[a, 0] * by[b, 0] + at[a, 1] * by[b, 1]
    p[3] = by[a, 0] * at[b, 1] - by[a, 1] * at[b, 0]
    p[3] += at[a, 0] * by[b, 1] - at[a, 1] * by[b, 0]


def mean_field(weight: Array, lane: int, at: Array, by: Array, v: Array, n: Array) -> tuple[float, float]:
    """2 |sum_a p_a s_a| and its rate."""
    if len(at) > 1:
        re, im = mean(weight, lane, at)
        by_re, by_im = mean(weight, lane, by)
        value = 2.0 * (re * re + im * im) * v[len(at)]
        rate = 2.0 * (re * by_re + im * by_im) * v[len(at)]
    else:
        value = 2.0 * n[0, 2]
        rate = 2.0 * n[0, 3]
    return value, rate


def across(at: Array, by: Array, v: Array) -> float:
    """v = the tangent vector of `at` without its parts along the common phase and along the motion `by`; its square."""
    o = np.empty((len(at), 3))
    pp = 1e-300
    pf = 0.0
    pv = 0.0
    for a in range(len(at)):
        pp += at[a, 0] * at[a, 0] + at[a, 1] * at[a, 1]
        pf += at[a, 0] * by[a, 1] - at[a, 1] * by[a, 0]
        pv += at[a, 0] * at[a, 4] - at[a, 1] * at[a, 3]
    pf = pf / pp
    pv = pv / pp
    for a in range(len(at)):
        o[a, 0] = by[a, 0] + pf * at[a, 1]
        o[a, 1] = by[a, 1] - pf * at[a, 0]
        o[a, 2] = by[a, 2]
        v[a, 0] = at[a, 3] + pv * at[a, 1]
        v[a, 1] = at[a, 4] - pv * at[a, 0]
        v[a, 2] = at[a, 5]
    oo = 1e-300
    ov = 0.0
    for a in range(len(at)):
        for i in range(3):
            oo += o[a, i] * o[a, i]
            ov += o[a, i] * v[a, i]
    ov = ov / oo
    square = 1e-300
    for a in range(len(at)):
        for i in range(3):
            v[a, i] = v[a, i] - ov * o[a, i]
            square += v[a, i] * v[a, i]
    return square


def logarithm(x: float) -> float:
    """ln x, from the exponent bits of x and a series for what is left of it."""
    raw = float_bits(x)
    power = float((raw >> 52) - 1023)
    rest = bits_to_float((raw & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000)
    rest = (rest - 1.4142135623730951) / (rest + 1.4142135623730951)
    square = rest * rest
    series = 1.0 + square * (1 / 3 + square * (0.2 + square * (1 / 7 + square * (1 / 9))))
    return (power + 0.5) * 0.6931471805599453 + 2.0 * rest * series


def turned(at: Array, to: Array, size: float) -> float:
    """How far a phase -arg s moved in the step: twice the atan of its half, which is below 1/4, by a series.

    `size` is the product of |s| at both ends.
    """
    re = at[0] * to[0] + at[1] * to[1]
    im = at[1] * to[0] - at[0] * to[1]
    slope = im / (size + re + 1e-300)
    slope = slope if slope < 1.0 else 1.0
    slope = slope if slope > -1.0 else -1.0
    square = slope * slope
    series = 1 / 9 - square * (1 / 11 - square * (1 / 13 - square * (1 / 15)))
    series = 1.0 - square * (1 / 3 - square * (0.2 - square * (1 / 7 - square * series)))
    return 2.0 * slope * series


def too_far(y: Array, u: Array, error: float, lost: Array) -> float:
    """The error, larger where a phase moves by more than half a radian: such a step is one to repeat.

    Unless there is hardly anything to turn; whether that is so: `lost` (group,).
    """
    for a in range(len(y)):
        re = y[a, 0] * u[a, 0] + y[a, 1] * u[a, 1]
        n0 = y[a, 0] * y[a, 0] + y[a, 1] * y[a, 1]
        n1 = u[a, 0] * u[a, 0] + u[a, 1] * u[a, 1]
        wide = re < 0.0 or re * re < 0.77 * n0 * n1
        faint = n0 < FAINT or n1 < FAINT
        error = 64.0 if (wide and not faint and error < 64.0) else error
        lost[a] = 1.0 if (wide and faint) else 0.0
    return error


def measure(layout: Layout, W: Any, lane: int, y: Array, u: Array, K: Array, h: float, good: bool, lost: Array) -> None:
    """Add to the sums over the window; nothing over a step that is not `good`, and so to be repeated.

    The tangent vector of u goes on as what of it is across phase and motion, with length 1.
    """
    w, e, inv, n = np.empty((3, 2)), np.empty(4), np.empty((2, layout.inverses)), np.empty((2, layout.groups, 5))
    time = W.time[lane]
    taken = h if good else 0.0
    over = 1.0 / W.span[lane]
    weigh(time * over, w[0])
    weigh((time + taken) * over, w[1])
    weigh((time + 0.5 * taken) * over, w[2])
    for i in range(2):
        w[i, 1] = w[i, 1] * over
    quadrature(w, taken, e)
    for i in range(layout.inverses):
        inv[0, i] = W.inverse[i, lane]
    inverses(W.weight, lane, u, inv[1])
    for i in range(layout.inverses):
        W.inverse[i, lane] = inv[1, i]
    sizes(y, K[0], inv[0], n[0])
    sizes(u, K[6], inv[1], n[1])
    for a in range(layout.groups):
        measure_group(W, lane, e, a, y, u, K, n)
        W.turned[a, lane] += w[2, 0] * turned(y[a], u[a], n[0, a, 2] * n[1, a, 2])
        W.lost[a, lane] += lost[a] if good else 0.0
    f0, d0 = mean_field(W.weight, lane, y, K[0], inv[0], n[0])
    f1, d1 = mean_field(W.weight, lane, u, K[6], inv[1], n[1])
    add(W.mean_field, lane, e, f0, d0, f1, d1)
    for a in range(layout.groups):
        for b in range(a + 1, layout.groups):
            measure_pair(W, lane, e, layout.pairs[a][b], a, b, y, u, K, inv, n)
    if layout.tangent:
        grow(W, lane, u, K[6], good, w[2, 0], 2.0 * (time + 0.5 * taken) * over - 1.0)


def measure_group(W: Any, lane: int, e: Array, a: int, y: Array, u: Array, K: Array, n: Array) -> None:
    """Of a group |s|^2, |s|, |s|^4, z, z^2."""
    add(W.square[a], lane, e, n[0, a, 0], n[0, a, 1], n[1, a, 0], n[1, a, 1])
    add(W.modulus[a], lane, e, n[0, a, 2], n[0, a, 3], n[1, a, 2], n[1, a, 3])
    add(
        W.fourth[a], lane, e, n[0, a, 0] * n[0, a, 0], 2.0 * n[0, a, 0] * n[0, a, 1],
        n[1, a, 0] * n[1, a, 0], 2.0 * n[1, a, 0] * n[1, a, 1],
    )  # fmt: skip
    add(W.inversion[a], lane, e, y[a, 2], K[0, a, 2], u[a, 2], K[6, a, 2])
    add(
        W.inversion_square[a], lane, e, y[a, 2] * y[a, 2], 2.0 * y[a, 2] * K[0, a, 2],
        u[a, 2] * u[a, 2], 2.0 * u[a, 2] * K[6, a, 2],
    )  # fmt: skip


def measure_pair(
    W: Any, lane: int, e: Array, pair: int, a: int, b: int, y: Array, u: Array, K: Array, inv: Array, n: Array
) -> None:
    """Of two groups s_a^* s_b, the same with length one, and its square."""
    p, r, q = np.empty((2, 4)), np.empty(2), np.empty(2)
    product(y, K[0], a, b, p[0])
    product(u, K[6], a, b, p[1])
    for i in range(2):
        add(W.product[pair, i], lane, e, p[0, i], p[0, 2 + i], p[1, i], p[1, 2 + i])
    for i in range(2):
        r[i] = inv[i, a] * inv[i, b]
        q[i] = n[i, a, 4] + n[i, b, 4]
    for i in range(2):
        add(
            W.locking[pair, i], lane, e, p[0, i] * r[0], (p[0, 2 + i] - p[0, i] * q[0]) * r[0],
            p[1, i] * r[1], (p[1, 2 + i] - p[1, i] * q[1]) * r[1],
        )  # fmt: skip
    add(
        W.product_square[pair], lane, e, n[0, a, 0] * n[0, b, 0], n[0, a, 1] * n[0, b, 0] + n[0, a, 0] * n[0, b, 1],
        n[1, a, 0] * n[1, b, 0], n[1, a, 1] * n[1, b, 0] + n[1, a, 0] * n[1, b, 1],
    )  # fmt: skip


def grow(W: Any, lane: int, u: Array, by: Array, good: bool, weight: float, place: float) -> None:
    """The growth of the tangent vector of u orthogonal to phase and motion, which then is normalized.

    Beside the mean growth: its first four Legendre moments over the window, which only its fluctuations contribute to.
    `place` is that of the step in the window, from -1 to 1.
    """
    v = np.empty((len(u), 3))
    square = across(u, by, v)
    grown = 0.5 * logarithm(square)
    grown = grown if good else 0.0
    W.growth[lane] += weight * grown
    W.moments[0, lane] += grown * place
    W.moments[1, lane] += grown * (1.5 * place * place - 0.5)
    W.moments[2, lane] += grown * (2.5 * place * place - 1.5) * place
    W.moments[3, lane] += grown * (4.375 * place * place * place * place - 3.75 * place * place + 0.375)
    length = 1.0 / math.sqrt(square)
    for a in range(len(u)):
        for i in range(3):
            u[a, 3 + i] = v[a, i] * length
