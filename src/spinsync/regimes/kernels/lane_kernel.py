"""Many trajectories side by side, one per lane: ordinary Python of the kind that `base/translation.py` puts into vectors.

Each lane has its own time, step size and error; a lane that is done is given the next trajectory. The method is the
fifth-order Runge-Kutta pair of Ch. Tsitouras, Comput. Math. Appl. 62, 770 (2011), with a PI controller that takes its
logarithms from the exponent bits of a float, as function calls would keep the lanes from being vectorized.

States and their rates are arrays (group, part): x, y, z of each group and, where there is one, of a tangent vector. `W` is
a record of `Layout.row`, `P` are records of `layout.parameters`, what several lanes work on has the lane as its last axis.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.vectors import bits, count, number, together
from spinsync.regimes.kernels.layout import BUTCHER, EMBEDDED_ERROR, Layout
from spinsync.regimes.kernels.measure_kernel import accumulate, inverse_amplitudes, limit_phase_increment
from spinsync.theory.mean_field.equations import field, spin, spin_tangent


def state_derivative(rate: Array, coupling: Array, y: Array, dy: Array) -> None:
    """`to` = d(at)/dt for all groups."""
    for a in range(len(y)):
        hr, hi = field(coupling, y, a, 0)
        dy[a, 0], dy[a, 1], dy[a, 2] = spin(rate[a, 0], rate[a, 1], rate[a, 2], rate[a, 3], hr, hi, y[a, 0], y[a, 1], y[a, 2])


def tangent_derivative(rate: Array, coupling: Array, y: Array, dy: Array) -> None:
    """The same for the tangent vector."""
    for a in range(len(y)):
        hr, hi = field(coupling, y, a, 0)
        kr, ki = field(coupling, y, a, 3)
        dy[a, 3], dy[a, 4], dy[a, 5] = spin_tangent(
            rate[a, 0], rate[a, 1], rate[a, 2], hr, hi, y[a, 0], y[a, 1], y[a, 2], kr, ki, y[a, 3], y[a, 4], y[a, 5]
        )


def read_parameters(W: Any, lane: int, rate: Array, coupling: Array) -> None:
    """`own` (group, 4) and `coupling` (group, group, 2) of a lane."""
    for a in range(len(rate)):
        rate[a, 0], rate[a, 1] = W.omega[a, lane], W.gamma_perp[a, lane]
        rate[a, 2], rate[a, 3] = W.gamma_1[a, lane], W.net_gain[a, lane]
        for b in range(len(rate)):
            for i in range(2):
                coupling[a, b, i] = W.coupling[a, b, i, lane]


def write_parameters(W: Any, lane: int, p: Any) -> None:
    """Give the parameters of a trajectory to a lane."""
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
    """Give a trajectory to a lane."""
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


def error_norm(K: Array, y: Array, u: Array, h: float, rtol: float, atol: float) -> float:
    """The mean square of the embedded error over what the tolerances allow."""
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
        numerator = numerator * tol[0] + group * denominator  # over one denominator: divisions are slow
        denominator = denominator * tol[0]
    return numerator / (3.0 * len(y) * denominator)


def tangent_error(K: Array, h: float) -> float:
    """The error of the tangent vector, of length 1, over 0.001: slow motion alone allows steps that lose its decay."""
    squares = 0.0
    for a in range(len(K[0])):
        for i in range(3, 6):
            total = EMBEDDED_ERROR[0] * K[0, a, i]
            for j in range(1, 7):
                total += EMBEDDED_ERROR[j] * K[j, a, i]
            squares += total * total
    return 1e6 * h * h * squares / (3.0 * len(K[0]))


def next_step(error: float, previous: float, accepted: bool, h: float) -> tuple[float, float]:
    """About log2 of the error's root, and the next step by a PI controller."""
    log_error = 0.5 * (float(bits(error)) * 2.220446049250313e-16 - 1023.0)
    log_factor = (-0.152003 - 0.17 * log_error + 0.04 * previous) if accepted else (-0.152003 - 0.2 * log_error)
    log_factor = log_factor if log_factor < 3.0 else 3.0
    log_factor = log_factor if log_factor > -2.3 else -2.3
    return log_error, h * number(int((log_factor + 1023.0) * 4503599627370496.0))


def runge_kutta_stages(layout: Layout, rate: Array, coupling: Array, y: Array, h: float, u: Array, K: Array) -> None:
    """Rates K[1:] at the stages of a step from y with the rates K[0]; the last one is `u`, its end."""
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
    """One step of a lane, taken if its error is small enough."""
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
    error = error_norm(K, y, u, h, rtol, atol)
    if layout.tangent:
        error = error + tangent_error(K, h)
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
    if layout.tangent and layout.measured:  # the tangent vector that goes on is another one
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
    """One step of every lane; how many lanes have come to the end of their span, or of their steps."""
    done = 0
    for lane in together(layout.lanes):
        attempt_step(layout, W, lane, rtol, atol)
        done += count(W.time[lane] >= W.span[lane] or W.steps[lane] >= max_steps)
    return done


def store_trajectory(layout: Layout, W: Any, lane: int, Y: Array, out: Array, steps: Array, finished: Array) -> None:
    """Take the end of a lane's trajectory."""
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
    """Trajectories first to last - 1: their states Y (trajectory, group, part) are moved on by `spans`.

    A lane for which none is left goes on with a copy of the last one, which nobody takes.
    """
    waiting = first
    running = 0
    for lane in range(layout.lanes):
        W.trajectory[lane] = -1.0
        W.time[lane] = 0.0
        W.span[lane] = 0.0
    ended = layout.lanes
    while running > 0 or waiting == first:
        for lane in range(layout.lanes):
            if ended == 0:
                break
            ended_here = W.time[lane] >= W.span[lane]
            if not ended_here and W.steps[lane] < max_steps:
                continue
            ended -= 1
            if W.trajectory[lane] >= 0.0:
                store_trajectory(layout, W, lane, Y, out, steps, finished)
                running -= 1
            remain = waiting < last
            load_trajectory(layout, W, lane, waiting if remain else last - 1, P, Y, spans)
            if remain:
                waiting += 1
                running += 1
            else:
                W.trajectory[lane] = -1.0
        ended = step_lanes(layout, W, rtol, atol, max_steps)
