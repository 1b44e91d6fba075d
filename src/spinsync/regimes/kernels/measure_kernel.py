"""What a step adds to the sums over a window: means, turning, pairs, the growth of a tangent vector.

For `lane_kernel.py`, whose `forward` has just made the step from y with the rates K[0] to u with the rates K[6]. The sums
are those of `Layout.sums`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.vectors import bits, number
from spinsync.regimes.kernels.layout import PHASE_FLOOR, Layout


def window_function(x: float, w: Array) -> None:
    """The window (4 x (1-x))^6 and its derivative by x: w[0], w[1]. Flat at both ends, as (5.9), but made of products."""
    w[0] = 4.0 * x * (1.0 - x)
    w[1] = 24.0 * (1.0 - 2.0 * x) * w[0] * w[0] * w[0] * w[0] * w[0]
    w[0] = w[0] * w[0] * w[0] * w[0] * w[0] * w[0]


def quadrature_weights(w: Array, h: float, e: Array) -> None:
    """Weights of f and its rate at both ends of the step: integral of window times f, with an error of h^5."""
    twelfth = h * h / 12.0
    half = 0.5 * h
    e[0] = half * w[0, 0] + twelfth * w[0, 1]
    e[1] = twelfth * w[0, 0]
    e[2] = half * w[1, 0] - twelfth * w[1, 1]
    e[3] = -twelfth * w[1, 0]


def add_integral(total: Array, lane: int, e: Array, f0: float, d0: float, f1: float, d1: float) -> None:
    """Add the integral of window times f over the step, f and its rate being f0, d0 at its beginning and f1, d1 at its end."""
    total[lane] += e[0] * f0 + e[1] * d0 + e[2] * f1 + e[3] * d1


def weighted_mean(weight: Array, lane: int, y: Array) -> tuple[float, float]:
    """sum_a p_a of_a, of a state or its rates."""
    re = weight[0, lane] * y[0, 0]
    im = weight[0, lane] * y[0, 1]
    for a in range(1, len(y)):
        re += weight[a, lane] * y[a, 0]
        im += weight[a, lane] * y[a, 1]
    return re, im


def inverse_amplitudes(weight: Array, lane: int, y: Array, inverse: Array) -> None:
    """1/|s| of each group and, for several groups, 1/|mean s|: what needs roots and divisions is found once per step."""
    for a in range(len(y)):
        inverse[a] = 1.0 / math.sqrt(y[a, 0] * y[a, 0] + y[a, 1] * y[a, 1] + 1e-60)
    if len(y) > 1:
        re, im = weighted_mean(weight, lane, y)
        inverse[len(y)] = 1.0 / math.sqrt(re * re + im * im + 1e-60)


def group_amplitudes(y: Array, dy: Array, inverse: Array, n: Array) -> None:
    """Of each group |s|^2, its rate, |s|, its rate, d ln |s| / dt."""
    for a in range(len(y)):
        n[a, 0] = y[a, 0] * y[a, 0] + y[a, 1] * y[a, 1]
        n[a, 1] = y[a, 0] * dy[a, 0] + y[a, 1] * dy[a, 1]
        n[a, 2] = n[a, 0] * inverse[a]
        n[a, 3] = n[a, 1] * inverse[a]
        n[a, 4] = n[a, 3] * inverse[a]
        n[a, 1] = 2.0 * n[a, 1]


def coherence_product(y: Array, dy: Array, a: int, b: int, p: Array) -> None:
    """s_a^* s_b and its rate: p[0] + i p[1], p[2] + i p[3]."""
    p[0] = y[a, 0] * y[b, 0] + y[a, 1] * y[b, 1]
    p[1] = y[a, 0] * y[b, 1] - y[a, 1] * y[b, 0]
    p[2] = dy[a, 0] * y[b, 0] + dy[a, 1] * y[b, 1]
    p[2] += y[a, 0] * dy[b, 0] + y[a, 1] * dy[b, 1]
    p[3] = dy[a, 0] * y[b, 1] - dy[a, 1] * y[b, 0]
    p[3] += y[a, 0] * dy[b, 1] - y[a, 1] * dy[b, 0]


def order_parameter(weight: Array, lane: int, y: Array, dy: Array, inverse: Array, n: Array) -> tuple[float, float]:
    """2 |sum_a p_a s_a| and its rate."""
    if len(y) > 1:
        re, im = weighted_mean(weight, lane, y)
        d_re, d_im = weighted_mean(weight, lane, dy)
        value = 2.0 * (re * re + im * im) * inverse[len(y)]
        slope = 2.0 * (re * d_re + im * d_im) * inverse[len(y)]
    else:
        value = 2.0 * n[0, 2]
        slope = 2.0 * n[0, 3]
    return value, slope


def project_tangent(y: Array, dy: Array, v: Array) -> float:
    """v = the tangent vector of `at` without its parts along the common phase and along the motion `by`; its square."""
    o = np.empty((len(y), 3))
    pp = 1e-300
    pf = 0.0
    pv = 0.0
    for a in range(len(y)):
        pp += y[a, 0] * y[a, 0] + y[a, 1] * y[a, 1]
        pf += y[a, 0] * dy[a, 1] - y[a, 1] * dy[a, 0]
        pv += y[a, 0] * y[a, 4] - y[a, 1] * y[a, 3]
    pf = pf / pp
    pv = pv / pp
    for a in range(len(y)):
        o[a, 0] = dy[a, 0] + pf * y[a, 1]
        o[a, 1] = dy[a, 1] - pf * y[a, 0]
        o[a, 2] = dy[a, 2]
        v[a, 0] = y[a, 3] + pv * y[a, 1]
        v[a, 1] = y[a, 4] - pv * y[a, 0]
        v[a, 2] = y[a, 5]
    oo = 1e-300
    ov = 0.0
    for a in range(len(y)):
        for i in range(3):
            oo += o[a, i] * o[a, i]
            ov += o[a, i] * v[a, i]
    ov = ov / oo
    square = 1e-300
    for a in range(len(y)):
        for i in range(3):
            v[a, i] = v[a, i] - ov * o[a, i]
            square += v[a, i] * v[a, i]
    return square


def logarithm(x: float) -> float:
    """ln x, from the exponent bits of x and a series for what is left of it."""
    raw = bits(x)
    exponent = float((raw >> 52) - 1023)
    mantissa = number((raw & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000)
    mantissa = (mantissa - 1.4142135623730951) / (mantissa + 1.4142135623730951)
    square = mantissa * mantissa
    series = 1.0 + square * (1 / 3 + square * (0.2 + square * (1 / 7 + square * (1 / 9))))
    return (exponent + 0.5) * 0.6931471805599453 + 2.0 * mantissa * series


def phase_increment(start: Array, end: Array, product: float) -> float:
    """How far a phase -arg s moved in the step: twice the atan of its half, which is below 1/4, by a series.

    `size` is the product of |s| at both ends.
    """
    re = start[0] * end[0] + start[1] * end[1]
    im = start[1] * end[0] - start[0] * end[1]
    slope = im / (product + re + 1e-300)
    slope = slope if slope < 1.0 else 1.0
    slope = slope if slope > -1.0 else -1.0
    square = slope * slope
    series = 1 / 9 - square * (1 / 11 - square * (1 / 13 - square * (1 / 15)))
    series = 1.0 - square * (1 / 3 - square * (0.2 - square * (1 / 7 - square * series)))
    return 2.0 * slope * series


def limit_phase_increment(y: Array, u: Array, error: float, undefined: Array) -> float:
    """The error, larger where a phase moves by more than half a radian: such a step is one to repeat.

    Unless there is hardly anything to turn; whether that is so: `lost` (group,).
    """
    for a in range(len(y)):
        re = y[a, 0] * u[a, 0] + y[a, 1] * u[a, 1]
        n0 = y[a, 0] * y[a, 0] + y[a, 1] * y[a, 1]
        n1 = u[a, 0] * u[a, 0] + u[a, 1] * u[a, 1]
        large = re < 0.0 or re * re < 0.77 * n0 * n1
        small = n0 < PHASE_FLOOR or n1 < PHASE_FLOOR
        error = 64.0 if (large and not small and error < 64.0) else error
        undefined[a] = 1.0 if (large and small) else 0.0
    return error


def accumulate(
    layout: Layout, W: Any, lane: int, y: Array, u: Array, K: Array, h: float, accepted: bool, undefined: Array
) -> None:
    """Add to the sums over the window; nothing over a step that is not `good`, and so to be repeated.

    The tangent vector of u goes on as what of it is across phase and motion, with length 1.
    """
    w, e, inverse, n = np.empty((3, 2)), np.empty(4), np.empty((2, layout.inverses)), np.empty((2, layout.groups, 5))
    time = W.time[lane]
    step = h if accepted else 0.0
    per_span = 1.0 / W.span[lane]
    window_function(time * per_span, w[0])
    window_function((time + step) * per_span, w[1])
    window_function((time + 0.5 * step) * per_span, w[2])
    for i in range(2):
        w[i, 1] = w[i, 1] * per_span
    quadrature_weights(w, step, e)
    for i in range(layout.inverses):
        inverse[0, i] = W.inverse[i, lane]
    inverse_amplitudes(W.weight, lane, u, inverse[1])
    for i in range(layout.inverses):
        W.inverse[i, lane] = inverse[1, i]
    group_amplitudes(y, K[0], inverse[0], n[0])
    group_amplitudes(u, K[6], inverse[1], n[1])
    for a in range(layout.groups):
        accumulate_group(W, lane, e, a, y, u, K, n)
        W.phase_increment[a, lane] += w[2, 0] * phase_increment(y[a], u[a], n[0, a, 2] * n[1, a, 2])
        W.undefined[a, lane] += undefined[a] if accepted else 0.0
    f0, d0 = order_parameter(W.weight, lane, y, K[0], inverse[0], n[0])
    f1, d1 = order_parameter(W.weight, lane, u, K[6], inverse[1], n[1])
    add_integral(W.order_parameter, lane, e, f0, d0, f1, d1)
    for a in range(layout.groups):
        for b in range(a + 1, layout.groups):
            accumulate_pair(W, lane, e, layout.pairs[a][b], a, b, y, u, K, inverse, n)
    if layout.tangent:
        accumulate_growth(W, lane, u, K[6], accepted, w[2, 0], 2.0 * (time + 0.5 * step) * per_span - 1.0)


def accumulate_group(W: Any, lane: int, e: Array, a: int, y: Array, u: Array, K: Array, n: Array) -> None:
    """Of a group |s|^2, |s|, |s|^4, z, z^2."""
    add_integral(W.square[a], lane, e, n[0, a, 0], n[0, a, 1], n[1, a, 0], n[1, a, 1])
    add_integral(W.modulus[a], lane, e, n[0, a, 2], n[0, a, 3], n[1, a, 2], n[1, a, 3])
    add_integral(
        W.fourth[a], lane, e, n[0, a, 0] * n[0, a, 0], 2.0 * n[0, a, 0] * n[0, a, 1],
        n[1, a, 0] * n[1, a, 0], 2.0 * n[1, a, 0] * n[1, a, 1],
    )  # fmt: skip
    add_integral(W.inversion[a], lane, e, y[a, 2], K[0, a, 2], u[a, 2], K[6, a, 2])
    add_integral(
        W.inversion_square[a], lane, e, y[a, 2] * y[a, 2], 2.0 * y[a, 2] * K[0, a, 2],
        u[a, 2] * u[a, 2], 2.0 * u[a, 2] * K[6, a, 2],
    )  # fmt: skip


def accumulate_pair(
    W: Any, lane: int, e: Array, pair: int, a: int, b: int, y: Array, u: Array, K: Array, inverse: Array, n: Array
) -> None:
    """Of two groups s_a^* s_b, the same with length one, and its square."""
    p, r, q = np.empty((2, 4)), np.empty(2), np.empty(2)
    coherence_product(y, K[0], a, b, p[0])
    coherence_product(u, K[6], a, b, p[1])
    for i in range(2):
        add_integral(W.product[pair, i], lane, e, p[0, i], p[0, 2 + i], p[1, i], p[1, 2 + i])
    for i in range(2):
        r[i] = inverse[i, a] * inverse[i, b]
        q[i] = n[i, a, 4] + n[i, b, 4]
    for i in range(2):
        add_integral(
            W.locking[pair, i], lane, e, p[0, i] * r[0], (p[0, 2 + i] - p[0, i] * q[0]) * r[0],
            p[1, i] * r[1], (p[1, 2 + i] - p[1, i] * q[1]) * r[1],
        )  # fmt: skip
    add_integral(
        W.product_square[pair], lane, e, n[0, a, 0] * n[0, b, 0], n[0, a, 1] * n[0, b, 0] + n[0, a, 0] * n[0, b, 1],
        n[1, a, 0] * n[1, b, 0], n[1, a, 1] * n[1, b, 0] + n[1, a, 0] * n[1, b, 1],
    )  # fmt: skip


def accumulate_growth(W: Any, lane: int, u: Array, dy: Array, accepted: bool, weight: float, x: float) -> None:
    """The growth of the tangent vector of u orthogonal to phase and motion, which then is normalized.

    Beside the mean growth: its first four Legendre moments over the window, which only its fluctuations contribute to.
    `place` is that of the step in the window, from -1 to 1.
    """
    v = np.empty((len(u), 3))
    square = project_tangent(u, dy, v)
    increment = 0.5 * logarithm(square)
    increment = increment if accepted else 0.0
    W.growth[lane] += weight * increment
    W.moments[0, lane] += increment * x
    W.moments[1, lane] += increment * (1.5 * x * x - 0.5)
    W.moments[2, lane] += increment * (2.5 * x * x - 1.5) * x
    W.moments[3, lane] += increment * (4.375 * x * x * x * x - 3.75 * x * x + 0.375)
    length = 1.0 / math.sqrt(square)
    for a in range(len(u)):
        for i in range(3):
            u[a, 3 + i] = v[a, i] * length
