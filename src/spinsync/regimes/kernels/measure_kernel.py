"""Quadrature of time averages over a window, with the Lyapunov exponent by the growth of a tangent vector.

`attempt_step` of `lane_kernel.py` calls `accumulate` after a step from y, with the derivative K[0], to u, with the derivative
K[6]. It adds to the sums of `Layout.sums`. `n` (group, 5) holds, with the coherence s of a group, |s|^2, d|s|^2/dt, |s|,
d|s|/dt and d ln|s|/dt.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.vectors import bits_to_float, float_bits
from spinsync.regimes.kernels.layout import PHASE_FLOOR, Layout


def window_function(x: float, w: Array) -> None:
    """Write the window (4 x (1-x))^6 and its derivative to w (2,). Flat at both ends, as (5.9), without exponentials."""
    w[0] = 4.0 * x * (1.0 - x)
    w[1] = 24.0 * (1.0 - 2.0 * x) * w[0] * w[0] * w[0] * w[0] * w[0]
    w[0] = w[0] * w[0] * w[0] * w[0] * w[0] * w[0]


def quadrature_weights(w: Array, h: float, e: Array) -> None:
    """Write the weights `e` (4,) of Hermite quadrature: for f and df/dt at the start, then at the end. Error of order h^5."""
    twelfth = h * h / 12.0
    half = 0.5 * h
    e[0] = half * w[0, 0] + twelfth * w[0, 1]
    e[1] = twelfth * w[0, 0]
    e[2] = half * w[1, 0] - twelfth * w[1, 1]
    e[3] = -twelfth * w[1, 0]


def add_integral(total: Array, lane: int, e: Array, f0: float, d0: float, f1: float, d1: float) -> None:
    """Add the integral of window times f over the step, where f and df/dt are f0, d0 at the start and f1, d1 at the end."""
    total[lane] += e[0] * f0 + e[1] * d0 + e[2] * f1 + e[3] * d1


def weighted_mean(weight: Array, lane: int, y: Array) -> tuple[float, float]:
    """Real and imaginary part of sum_a p_a s_a, for a state or its derivative."""
    re = weight[0, lane] * y[0, 0]
    im = weight[0, lane] * y[0, 1]
    for a in range(1, len(y)):
        re += weight[a, lane] * y[a, 0]
        im += weight[a, lane] * y[a, 1]
    return re, im


def inverse_amplitudes(weight: Array, lane: int, y: Array, inverse: Array) -> None:
    """Write 1/|s| of each group and, for several groups, 1/|sum_a p_a s_a|. All roots and divisions of a step are here."""
    for a in range(len(y)):
        inverse[a] = 1.0 / math.sqrt(y[a, 0] * y[a, 0] + y[a, 1] * y[a, 1] + 1e-60)
    if len(y) > 1:
        re, im = weighted_mean(weight, lane, y)
        inverse[len(y)] = 1.0 / math.sqrt(re * re + im * im + 1e-60)


def group_amplitudes(y: Array, dy: Array, inverse: Array, n: Array) -> None:
    """Write the amplitudes `n` of all groups, and their derivatives."""
    for a in range(len(y)):
        n[a, 0] = y[a, 0] * y[a, 0] + y[a, 1] * y[a, 1]
        n[a, 1] = y[a, 0] * dy[a, 0] + y[a, 1] * dy[a, 1]
        n[a, 2] = n[a, 0] * inverse[a]
        n[a, 3] = n[a, 1] * inverse[a]
        n[a, 4] = n[a, 3] * inverse[a]
        n[a, 1] = 2.0 * n[a, 1]


def coherence_product(y: Array, dy: Array, a: int, b: int, p: Array) -> None:
    """Write s_a^* s_b = p[0] + i p[1] and its derivative p[2] + i p[3]."""
    p[0] = y[a, 0] * y[b, 0] + y[a, 1] * y[b, 1]
    p[1] = y[a, 0] * y[b, 1] - y[a, 1] * y[b, 0]
    p[2] = dy[a, 0] * y[b, 0] + dy[a, 1] * y[b, 1]
    p[2] += y[a, 0] * dy[b, 0] + y[a, 1] * dy[b, 1]
    p[3] = dy[a, 0] * y[b, 1] - dy[a, 1] * y[b, 0]
    p[3] += y[a, 0] * dy[b, 1] - y[a, 1] * dy[b, 0]


def order_parameter(weight: Array, lane: int, y: Array, dy: Array, inverse: Array, n: Array) -> tuple[float, float]:
    """The order parameter 2 |sum_a p_a s_a| and its derivative."""
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
    """Project the tangent vector orthogonal to the common phase and the flow `dy` (Gram-Schmidt) into v; returns |v|^2."""
    flow = np.empty((len(y), 3))
    phase_square = 1e-300
    phase_flow = 0.0
    phase_tangent = 0.0
    for a in range(len(y)):
        phase_square += y[a, 0] * y[a, 0] + y[a, 1] * y[a, 1]
        phase_flow += y[a, 0] * dy[a, 1] - y[a, 1] * dy[a, 0]
        phase_tangent += y[a, 0] * y[a, 4] - y[a, 1] * y[a, 3]
    phase_flow = phase_flow / phase_square
    phase_tangent = phase_tangent / phase_square
    for a in range(len(y)):
        flow[a, 0] = dy[a, 0] + phase_flow * y[a, 1]
        flow[a, 1] = dy[a, 1] - phase_flow * y[a, 0]
        flow[a, 2] = dy[a, 2]
        v[a, 0] = y[a, 3] + phase_tangent * y[a, 1]
        v[a, 1] = y[a, 4] - phase_tangent * y[a, 0]
        v[a, 2] = y[a, 5]
    flow_square = 1e-300
    flow_tangent = 0.0
    for a in range(len(y)):
        for i in range(3):
            flow_square += flow[a, i] * flow[a, i]
            flow_tangent += flow[a, i] * v[a, i]
    flow_tangent = flow_tangent / flow_square
    square = 1e-300
    for a in range(len(y)):
        for i in range(3):
            v[a, i] = v[a, i] - flow_tangent * flow[a, i]
            square += v[a, i] * v[a, i]
    return square


def logarithm(x: float) -> float:
    """ln x, from the exponent bits of x and a series of atanh for its mantissa."""
    raw = float_bits(x)
    exponent = float((raw >> 52) - 1023)
    ratio = bits_to_float((raw & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000)
    ratio = (ratio - 1.4142135623730951) / (ratio + 1.4142135623730951)
    square = ratio * ratio
    series = 1.0 + square * (1 / 3 + square * (0.2 + square * (1 / 7 + square * (1 / 9))))
    return (exponent + 0.5) * 0.6931471805599453 + 2.0 * ratio * series


def phase_increment(start: Array, end: Array, product: float) -> float:
    """The change of the phase -arg s from `start` to `end`: twice the arctangent, by its series, of the tangent of half of it.

    `product` is that of |s| at both ends. The tangent is below 1/4 in accepted steps.
    """
    re = start[0] * end[0] + start[1] * end[1]
    im = start[1] * end[0] - start[0] * end[1]
    tangent = im / (product + re + 1e-300)
    tangent = tangent if tangent < 1.0 else 1.0
    tangent = tangent if tangent > -1.0 else -1.0
    square = tangent * tangent
    series = 1 / 9 - square * (1 / 11 - square * (1 / 13 - square * (1 / 15)))
    series = 1.0 - square * (1 / 3 - square * (0.2 - square * (1 / 7 - square * series)))
    return 2.0 * tangent * series


def limit_phase_increment(y: Array, u: Array, error: float, undefined: Array) -> float:
    """The squared error, raised to 64 if a phase changes by more than half a radian, so that the step is rejected.

    If |s| is too small for a phase, the step may be accepted and `undefined` (group,) is 1.
    """
    for a in range(len(y)):
        re = y[a, 0] * u[a, 0] + y[a, 1] * u[a, 1]
        square0 = y[a, 0] * y[a, 0] + y[a, 1] * y[a, 1]
        square1 = u[a, 0] * u[a, 0] + u[a, 1] * u[a, 1]
        large = re < 0.0 or re * re < 0.77 * square0 * square1
        small = square0 < PHASE_FLOOR or square1 < PHASE_FLOOR
        error = 64.0 if (large and not small and error < 64.0) else error
        undefined[a] = 1.0 if (large and small) else 0.0
    return error


def accumulate(
    layout: Layout, W: Any, lane: int, y: Array, u: Array, K: Array, h: float, accepted: bool, undefined: Array
) -> None:
    """Add an accepted step to the sums over the window; a rejected one adds zero.

    The tangent vector of u is made orthogonal to the phase and flow directions, and normalized.
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
    """Add the integrals of |s|^2, |s|, |s|^4, z and z^2 of a group."""
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
    """Add the integrals of s_a^* s_b, of its phase factor, and of its squared modulus."""
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
    """Growth of the tangent vector of u orthogonal to the phase and flow directions; renormalize.

    The first four Legendre moments of the growth measure its fluctuations. `x` is the time in the window, from -1 to 1.
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
    scale = 1.0 / math.sqrt(square)
    for a in range(len(u)):
        for i in range(3):
            u[a, 3 + i] = v[a, i] * scale
