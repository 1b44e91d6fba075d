"""Runge-Kutta integration of many trajectories, one per SIMD lane: ordinary Python that `base/translation.py` vectorizes.

The method is the fifth-order pair of Ch. Tsitouras, Comput. Math. Appl. 62, 770 (2011), with an embedded error estimate and
a PI step size controller. Each lane has its own time and step size; a lane that has finished gets the next trajectory.
Logarithms come from the exponent bits of a float, because function calls would prevent the vectorization.

States and their time derivatives are arrays (group, component): x, y, z of each group and, if there is one, of the tangent
vector. `W` is a record of `Layout.row`, whose fields have the lane as their last axis; `P` are records of `layout.parameters`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.vectors import bits_to_float, count_true, float_bits, simd
from spinsync.regimes.kernels.layout import BUTCHER, EMBEDDED_ERROR, Layout
from spinsync.regimes.kernels.measure_kernel import accumulate, inverse_amplitudes, limit_phase_increment
from spinsync.theory.mean_field.equations import field, spin, spin_tangent


def state_derivative(rate: Array, coupling: Array, y: Array, dy: Array) -> None:
    """Write the time derivative of the state `y` to `dy`; both have the shape (group, component)."""
    for a in range(len(y)):
        hr, hi = field(coupling, y, a, 0)
        dy[a, 0], dy[a, 1], dy[a, 2] = spin(rate[a, 0], rate[a, 1], rate[a, 2], rate[a, 3], hr, hi, y[a, 0], y[a, 1], y[a, 2])


def tangent_derivative(rate: Array, coupling: Array, y: Array, dy: Array) -> None:
    """Write the time derivative of the tangent vector, by the equations linearized about the state."""
    for a in range(len(y)):
        hr, hi = field(coupling, y, a, 0)
        kr, ki = field(coupling, y, a, 3)
        dy[a, 3], dy[a, 4], dy[a, 5] = spin_tangent(
            rate[a, 0], rate[a, 1], rate[a, 2], hr, hi, y[a, 0], y[a, 1], y[a, 2], kr, ki, y[a, 3], y[a, 4], y[a, 5]
        )


def read_parameters(W: Any, lane: int, rate: Array, coupling: Array) -> None:
    """Copy the parameters of a lane to `rate` (group, 4) and `coupling` (group, group, 2)."""
    for a in range(len(rate)):
        rate[a, 0], rate[a, 1] = W.omega[a, lane], W.gamma_perp[a, lane]
        rate[a, 2], rate[a, 3] = W.gamma_1[a, lane], W.net_gain[a, lane]
        for b in range(len(rate)):
            for i in range(2):
                coupling[a, b, i] = W.coupling[a, b, i, lane]


def write_parameters(W: Any, lane: int, p: Any) -> None:
    """Copy the parameter record `p` of a trajectory to a lane."""
    for a in range(len(p.omega)):
        W.omega[a, lane] = p.omega[a]
        W.gamma_perp[a, lane] = p.gamma_perp[a]
        W.gamma_1[a, lane] = p.gamma_1[a]
        W.net_gain[a, lane] = p.net_gain[a]
        W.weight[a, lane] = p.weight[a]
        for b in range(len(p.omega)):
            for i in range(2):
                W.coupling[a, b, i, lane] = p.coupling[a, b, i]


def load_trajectory(layout: Layout, W: Any, lane: int, index: int, P: Array, Y: Array, spans: Array) -> None:
    """Begin trajectory `index` in a lane: its state, derivative, parameters, first step size and empty sums."""
    y, dy = np.empty((layout.groups, layout.components)), np.empty((layout.groups, layout.components))
    rate, coupling = np.empty((layout.groups, 4)), np.empty((layout.groups, layout.groups, 2))
    write_parameters(W, lane, P[index])
    for a in range(layout.groups):
        for i in range(layout.components):
            y[a, i] = Y[index, a, i]
            W.state[a, i, lane] = y[a, i]
    read_parameters(W, lane, rate, coupling)
    state_derivative(rate, coupling, y, dy)
    if layout.tangent:
        tangent_derivative(rate, coupling, y, dy)
    fastest = 1e-300
    for a in range(layout.groups):
        for i in range(layout.components):
            W.slope[a, i, lane] = dy[a, i]
    for a in range(layout.groups):
        fastest += abs(rate[a, 0]) + rate[a, 1] + rate[a, 2] + abs(coupling[a, a, 0]) + abs(coupling[a, a, 1])
    for row in range(layout.sum_count):
        W.sums[row, lane] = 0.0
    if layout.measured:
        inverse = np.empty(layout.inverses)
        inverse_amplitudes(W.weight, lane, y, inverse)
        for i in range(layout.inverses):
            W.inverse[i, lane] = inverse[i]
    W.time[lane] = 0.0
    W.step[lane] = 0.05 / fastest
    W.span[lane] = spans[index]
    W.log_error[lane] = -4.0
    W.steps[lane] = 0.0
    W.trajectory[lane] = index


def squared_error(K: Array, y: Array, u: Array, h: float, rtol: float, atol: float) -> float:
    """The mean square of the embedded error estimate of a step from y to u, in units of the tolerances."""
    err, tol = np.empty(3), np.empty(3)
    numerator = 0.0
    denominator = 1.0
    for a in range(len(y)):
        for i in range(3):
            total = EMBEDDED_ERROR[0] * K[0, a, i]
            for j in range(1, 7):
                total += EMBEDDED_ERROR[j] * K[j, a, i]
            err[i] = h * total
            before = abs(y[a, i])
            after = abs(u[a, i])
            tol[i] = before if before > after else after
        tol[0] = atol + rtol * (tol[0] if tol[0] > tol[1] else tol[1])
        tol[2] = atol + rtol * tol[2]
        group = (err[0] * err[0] + err[1] * err[1]) * tol[2] * tol[2] + err[2] * err[2] * tol[0] * tol[0]
        tol[0] = tol[0] * tol[2] * tol[0] * tol[2]
        numerator = numerator * tol[0] + group * denominator  # one common denominator, as divisions are slow
        denominator = denominator * tol[0]
    return numerator / (3.0 * len(y) * denominator)


def squared_tangent_error(K: Array, h: float) -> float:
    """The mean square error of the tangent vector (length 1), in units of 0.001; a slow state alone allows too long steps."""
    squares = 0.0
    for a in range(len(K[0])):
        for i in range(3, 6):
            total = EMBEDDED_ERROR[0] * K[0, a, i]
            for j in range(1, 7):
                total += EMBEDDED_ERROR[j] * K[j, a, i]
            squares += total * total
    return 1e6 * h * h * squares / (3.0 * len(K[0]))


def next_step(error: float, previous: float, accepted: bool, h: float) -> tuple[float, float]:
    """PI step size controller: approximate log2 of the root of the squared `error`, and the next step size."""
    log_error = 0.5 * (float(float_bits(error)) * 2.220446049250313e-16 - 1023.0)
    log_factor = (-0.152003 - 0.17 * log_error + 0.04 * previous) if accepted else (-0.152003 - 0.2 * log_error)
    log_factor = log_factor if log_factor < 3.0 else 3.0
    log_factor = log_factor if log_factor > -2.3 else -2.3
    return log_error, h * bits_to_float(int((log_factor + 1023.0) * 4503599627370496.0))


def runge_kutta_stages(layout: Layout, rate: Array, coupling: Array, y: Array, h: float, u: Array, K: Array) -> None:
    """Write the derivatives K[1:] at the stages of a step from y, with the derivative K[0], to u, the last stage."""
    for s in range(1, 7):
        for a in range(layout.groups):
            for i in range(layout.components):
                total = BUTCHER[s][0] * K[0, a, i]
                for j in range(1, s):
                    total += BUTCHER[s][j] * K[j, a, i]
                u[a, i] = y[a, i] + h * total
        state_derivative(rate, coupling, u, K[s])
        if layout.tangent:
            tangent_derivative(rate, coupling, u, K[s])


def attempt_step(layout: Layout, W: Any, lane: int, rtol: float, atol: float) -> None:
    """Attempt one step of a lane; it is accepted if its squared error is at most 1."""
    y, u = np.empty((layout.groups, layout.components)), np.empty((layout.groups, layout.components))
    K, undefined = np.empty((7, layout.groups, layout.components)), np.empty(layout.groups)
    rate, coupling = np.empty((layout.groups, 4)), np.empty((layout.groups, layout.groups, 2))
    for a in range(layout.groups):
        for i in range(layout.components):
            y[a, i] = W.state[a, i, lane]
            K[0, a, i] = W.slope[a, i, lane]
    read_parameters(W, lane, rate, coupling)
    time, size, span, previous = W.time[lane], W.step[lane], W.span[lane], W.log_error[lane]
    remaining = span - time
    last = size >= remaining
    h = remaining if last else size
    runge_kutta_stages(layout, rate, coupling, y, h, u, K)
    error = squared_error(K, y, u, h, rtol, atol)
    if layout.tangent:
        error = error + squared_tangent_error(K, h)
    error = error if error > 1e-20 else 1e-20
    if layout.measured:
        error = limit_phase_increment(y, u, error, undefined)
    accepted = error <= 1.0
    log_error, new_size = next_step(error, previous, accepted, h)
    for a in range(layout.groups):
        for i in range(layout.components):
            u[a, i] = u[a, i] if accepted else y[a, i]
            K[6, a, i] = K[6, a, i] if accepted else K[0, a, i]
    if layout.measured:
        accumulate(layout, W, lane, y, u, K, h, accepted, undefined)
    if layout.tangent and layout.measured:  # `accumulate` has projected and normalized the tangent vector
        tangent_derivative(rate, coupling, u, K[6])
    for a in range(layout.groups):
        for i in range(layout.components):
            W.state[a, i, lane] = u[a, i]
            W.slope[a, i, lane] = K[6, a, i]
    W.time[lane] = (span if last else time + h) if accepted else time
    W.step[lane] = (size if size > new_size else new_size) if (last and accepted) else new_size
    W.log_error[lane] = log_error if accepted else previous
    W.steps[lane] = W.steps[lane] + 1.0


def step_lanes(layout: Layout, W: Any, rtol: float, atol: float, max_steps: float) -> int:
    """Attempt one step of every lane. Returns the number of lanes that have reached the end of their span or `max_steps`."""
    done = 0
    for lane in simd(layout.lanes):
        attempt_step(layout, W, lane, rtol, atol)
        done += count_true(W.time[lane] >= W.span[lane] or W.steps[lane] >= max_steps)
    return done


def store_trajectory(layout: Layout, W: Any, lane: int, Y: Array, out: Array, steps: Array, finished: Array) -> None:
    """Copy the final state and the sums of a lane to the arrays of all trajectories."""
    index = int(W.trajectory[lane])
    for a in range(layout.groups):
        for i in range(layout.components):
            Y[index, a, i] = W.state[a, i, lane]
    for row in range(layout.sum_count):
        out[index, row] = W.sums[row, lane]
    steps[index] = W.steps[lane]
    finished[index] = W.time[lane] >= W.span[lane]


def run(
    layout: Layout, W: Any, P: Array, Y: Array, spans: Array, rtol: float, atol: float, max_steps: float, first: int,
    last: int, out: Array, steps: Array, finished: Array,
) -> None:  # fmt: skip
    """Advance the states Y (trajectory, group, component) of the trajectories first to last - 1 by the times `spans`.

    Lanes without a trajectory repeat the last one, and their results are dropped.
    """
    next_index = first
    active = 0
    for lane in range(layout.lanes):
        W.trajectory[lane] = -1.0
        W.time[lane] = 0.0
        W.span[lane] = 0.0
    ended = layout.lanes
    while active > 0 or next_index == first:
        for lane in range(layout.lanes):
            if ended == 0:
                break
            at_end = W.time[lane] >= W.span[lane]
            if not at_end and W.steps[lane] < max_steps:
                continue
            ended -= 1
            if W.trajectory[lane] >= 0.0:
                store_trajectory(layout, W, lane, Y, out, steps, finished)
                active -= 1
            some_left = next_index < last
            load_trajectory(layout, W, lane, next_index if some_left else last - 1, P, Y, spans)
            if some_left:
                next_index += 1
                active += 1
            else:
                W.trajectory[lane] = -1.0
        ended = step_lanes(layout, W, rtol, atol, max_steps)
