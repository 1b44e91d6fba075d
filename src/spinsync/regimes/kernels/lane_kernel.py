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
from spinsync.base.vectors import bits_to_float, count_true, float_bits, simd
from spinsync.regimes.kernels.layout import ERROR, STAGES, Layout
from spinsync.regimes.kernels.measure_kernel import inverses, measure, too_far
from spinsync.theory.mean_field.equations import field, spin, spin_tangent


def rates(own: Array, coupling: Array, at: Array, to: Array) -> None:
    """`to` = d(at)/dt for all groups."""
    for a in range(len(at)):
        hr, hi = field(coupling, at, a, 0)
        to[a, 0], to[a, 1], to[a, 2] = spin(own[a, 0], own[a, 1], own[a, 2], own[a, 3], hr, hi, at[a, 0], at[a, 1], at[a, 2])


def deviations(own: Array, coupling: Array, at: Array, to: Array) -> None:
    """The same for the tangent vector."""
    for a in range(len(at)):
        hr, hi = field(coupling, at, a, 0)
        kr, ki = field(coupling, at, a, 3)
        to[a, 3], to[a, 4], to[a, 5] = spin_tangent(
            own[a, 0], own[a, 1], own[a, 2], hr, hi, at[a, 0], at[a, 1], at[a, 2], kr, ki, at[a, 3], at[a, 4], at[a, 5]
        )


def parameters(W: Any, lane: int, own: Array, coupling: Array) -> None:
    """`own` (group, 4) and `coupling` (group, group, 2) of a lane."""
    for a in range(len(own)):
        own[a, 0], own[a, 1] = W.omega[a, lane], W.gamma_perp[a, lane]
        own[a, 2], own[a, 3] = W.gamma_1[a, lane], W.net_gain[a, lane]
        for b in range(len(own)):
            for i in range(2):
                coupling[a, b, i] = W.coupling[a, b, i, lane]


def take(W: Any, lane: int, p: Any) -> None:
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


def load(layout: Layout, W: Any, lane: int, this: int, P: Array, Y: Array, spans: Array) -> None:
    """Give a trajectory to a lane."""
    y, f = np.empty((layout.groups, layout.parts)), np.empty((layout.groups, layout.parts))
    own, coupling = np.empty((layout.groups, 4)), np.empty((layout.groups, layout.groups, 2))
    take(W, lane, P[this])
    for a in range(layout.groups):
        for i in range(layout.parts):
            y[a, i] = Y[this, a, i]
            W.state[a, i, lane] = y[a, i]
    parameters(W, lane, own, coupling)
    rates(own, coupling, y, f)
    if layout.tangent:
        deviations(own, coupling, y, f)
    fastest = 1e-300
    for a in range(layout.groups):
        for i in range(layout.parts):
            W.slope[a, i, lane] = f[a, i]
    for a in range(layout.groups):
        fastest += abs(own[a, 0]) + own[a, 1] + own[a, 2] + abs(coupling[a, a, 0]) + abs(coupling[a, a, 1])
    for row in range(layout.summed):
        W.sums[row, lane] = 0.0
    if layout.measured:
        inv = np.empty(layout.inverses)
        inverses(W.weight, lane, y, inv)
        for i in range(layout.inverses):
            W.inverse[i, lane] = inv[i]
    W.time[lane] = 0.0
    W.step[lane] = 0.05 / fastest
    W.span[lane] = spans[this]
    W.exponent[lane] = -4.0
    W.steps[lane] = 0.0
    W.trajectory[lane] = this


def misfit(K: Array, y: Array, u: Array, h: float, rtol: float, atol: float) -> float:
    """The mean square of the embedded error over what the tolerances allow."""
    off, most = np.empty(3), np.empty(3)
    squares = 0.0
    scale = 1.0
    for a in range(len(y)):
        for i in range(3):
            total = ERROR[0] * K[0, a, i]
            for j in range(1, 7):
                total += ERROR[j] * K[j, a, i]
            off[i] = h * total
            small = abs(y[a, i])
            large = abs(u[a, i])
            most[i] = small if small > large else large
        most[0] = atol + rtol * (most[0] if most[0] > most[1] else most[1])
        most[2] = atol + rtol * most[2]
        squares_of_a = (off[0] * off[0] + off[1] * off[1]) * most[2] * most[2] + off[2] * off[2] * most[0] * most[0]
        most[0] = most[0] * most[2] * most[0] * most[2]
        squares = squares * most[0] + squares_of_a * scale  # over one denominator: divisions are slow
        scale = scale * most[0]
    return squares / (3.0 * len(y) * scale)


def misfit_of_tangent(K: Array, h: float) -> float:
    """The error of the tangent vector, of length 1, over 0.001: slow motion alone allows steps that lose its decay."""
    squares = 0.0
    for a in range(len(K[0])):
        for i in range(3, 6):
            total = ERROR[0] * K[0, a, i]
            for j in range(1, 7):
                total += ERROR[j] * K[j, a, i]
            squares += total * total
    return 1e6 * h * h * squares / (3.0 * len(K[0]))


def pace(error: float, before: float, good: bool, h: float) -> tuple[float, float]:
    """About log2 of the error's root, and the next step by a PI controller."""
    exponent = 0.5 * (float(float_bits(error)) * 2.220446049250313e-16 - 1023.0)
    change = (-0.152003 - 0.17 * exponent + 0.04 * before) if good else (-0.152003 - 0.2 * exponent)
    change = change if change < 3.0 else 3.0
    change = change if change > -2.3 else -2.3
    return exponent, h * bits_to_float(int((change + 1023.0) * 4503599627370496.0))


def stages(layout: Layout, own: Array, coupling: Array, y: Array, h: float, u: Array, K: Array) -> None:
    """Rates K[1:] at the stages of a step from y with the rates K[0]; the last one is `u`, its end."""
    for s in range(1, 7):
        for a in range(layout.groups):
            for i in range(layout.parts):
                total = STAGES[s][0] * K[0, a, i]
                for j in range(1, s):
                    total += STAGES[s][j] * K[j, a, i]
                u[a, i] = y[a, i] + h * total
        rates(own, coupling, u, K[s])
        if layout.tangent:
            deviations(own, coupling, u, K[s])


def forward(layout: Layout, W: Any, lane: int, rtol: float, atol: float) -> None:
    """One step of a lane, taken if its error is small enough."""
    y, u = np.empty((layout.groups, layout.parts)), np.empty((layout.groups, layout.parts))
    K, lost = np.empty((7, layout.groups, layout.parts)), np.empty(layout.groups)
    own, coupling = np.empty((layout.groups, 4)), np.empty((layout.groups, layout.groups, 2))
    for a in range(layout.groups):
        for i in range(layout.parts):
            y[a, i] = W.state[a, i, lane]
            K[0, a, i] = W.slope[a, i, lane]
    parameters(W, lane, own, coupling)
    time, size, span, before = W.time[lane], W.step[lane], W.span[lane], W.exponent[lane]
    left = span - time
    last = size >= left
    h = left if last else size
    stages(layout, own, coupling, y, h, u, K)
    error = misfit(K, y, u, h, rtol, atol)
    if layout.tangent:
        error = error + misfit_of_tangent(K, h)
    error = error if error > 1e-20 else 1e-20
    if layout.measured:
        error = too_far(y, u, error, lost)
    good = error <= 1.0
    exponent, wanted = pace(error, before, good, h)
    for a in range(layout.groups):
        for i in range(layout.parts):
            u[a, i] = u[a, i] if good else y[a, i]
            K[6, a, i] = K[6, a, i] if good else K[0, a, i]
    if layout.measured:
        measure(layout, W, lane, y, u, K, h, good, lost)
    if layout.tangent and layout.measured:  # the tangent vector that goes on is another one
        deviations(own, coupling, u, K[6])
    for a in range(layout.groups):
        for i in range(layout.parts):
            W.state[a, i, lane] = u[a, i]
            W.slope[a, i, lane] = K[6, a, i]
    W.time[lane] = (span if last else time + h) if good else time
    W.step[lane] = (size if size > wanted else wanted) if (last and good) else wanted
    W.exponent[lane] = exponent if good else before
    W.steps[lane] = W.steps[lane] + 1.0


def step(layout: Layout, W: Any, rtol: float, atol: float, most_steps: float) -> int:
    """One step of every lane; how many lanes have come to the end of their span, or of their steps."""
    done = 0
    for lane in simd(layout.lanes):
        forward(layout, W, lane, rtol, atol)
        done += count_true(W.time[lane] >= W.span[lane] or W.steps[lane] >= most_steps)
    return done


def store(layout: Layout, W: Any, lane: int, Y: Array, out: Array, steps: Array, finished: Array) -> None:
    """Take the end of a lane's trajectory."""
    this = int(W.trajectory[lane])
    for a in range(layout.groups):
        for i in range(layout.parts):
            Y[this, a, i] = W.state[a, i, lane]
    for row in range(layout.summed):
        out[this, row] = W.sums[row, lane]
    steps[this] = W.steps[lane]
    finished[this] = W.time[lane] >= W.span[lane]


def run(
    layout: Layout, W: Any, P: Array, Y: Array, spans: Array, rtol: float, atol: float, most_steps: float, first: int,
    last: int, out: Array, steps: Array, finished: Array,
) -> None:  # fmt: skip
    """Trajectories first to last - 1: their states Y (trajectory, group, part) are moved on by `spans`.

    A lane for which none is left goes on with a copy of the last one, which nobody takes.
    """
    following = first
    alive = 0
    for lane in range(layout.lanes):
        W.trajectory[lane] = -1.0
        W.time[lane] = 0.0
        W.span[lane] = 0.0
    ended = layout.lanes
    while alive > 0 or following == first:
        for lane in range(layout.lanes):
            if ended == 0:
                break
            over = W.time[lane] >= W.span[lane]
            if not over and W.steps[lane] < most_steps:
                continue
            ended -= 1
            if W.trajectory[lane] >= 0.0:
                store(layout, W, lane, Y, out, steps, finished)
                alive -= 1
            left = following < last
            load(layout, W, lane, following if left else last - 1, P, Y, spans)
            if left:
                following += 1
                alive += 1
            else:
                W.trajectory[lane] = -1.0
        ended = step(layout, W, rtol, atol, most_steps)
