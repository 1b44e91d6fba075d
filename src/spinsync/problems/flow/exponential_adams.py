"""Exponential Adams predictor-corrector for semilinear problems.

    dy/dt = -decay * y + nonlinear(y),        decay diagonal (complex, Re >= 0)

The diagonal part (free rotation and relaxation) is integrated exactly; only `nonlinear` along the
solution is replaced by the polynomial through its last values (variation of constants). A component
that turns 10^5 times per step costs as much, and is as accurate, as one at rest, as long as what
drives it is smooth. The predictor uses P = 8 past values, the corrector the new one as well, so the
local error is O(h^10); step sizes are h0 / 2^k, so that weights change rarely. The start is a
collocation block of P nodes, solved by Picard iteration.

Background: E. Hairer, S. Norsett, G. Wanner, *Solving Ordinary Differential Equations I*, ch. III
(Adams methods); M. Hochbruck, A. Ostermann, Acta Numerica 19, 209 (2010) (exponential multistep).

Nothing here knows any physics. `nonlinear` is passed as a function pointer, so the cached stepper
never contains a stale copy of an equation that was edited in another module.

These functions run as machine code and, where there is little to do, interpreted, with the same result in every bit. So
they are made of loops over numbers, whose operations are rounded one by one, and of no function that numpy, Python and
the compiler each have their own of (division, exp and modulus of complex numbers). Loops also compile in half the time.
"""

from __future__ import annotations

import math
from fractions import Fraction
from math import comb, factorial

import numpy as np

from spinsync.base.compiled import compiled
from spinsync.problems.outcome import Ended

P = 8  # past values in the predictor; the order of the method is P + 1
RING = 2 * P  # past values kept: 2 P - 1 are needed to double the step
FAR = 1e300  # a span times a decay: beyond it the product is no number, and what is left of the past is none either
SWEEPS = 40  # Picard iterations of the starting block before its step is cut
DONE, BUDGET, UNDERFLOW, BEYOND, MOVING = (int(ended) for ended in Ended)  # plain numbers, as `solve` takes them

#: nonlinear(y, table, coupling, out): writes N(y) into `out`; `table` and `coupling` are its parameters
VECTOR, TABLE, MATRIX = "complex128[::1]", "float64[:,::1]", "complex128[:,::1]"
DEVICE = f"void({VECTOR}, {TABLE}, {MATRIX}, {VECTOR})"


def _taylor_of_interpolant(nodes: list[Fraction]) -> np.ndarray:
    """coefficient[k, j] of tau^k in the j-th Lagrange polynomial through `nodes` (exact, then rounded)."""
    result = np.empty((len(nodes), len(nodes)))
    for j, at in enumerate(nodes):
        poly = [Fraction(1)]
        for i, other in enumerate(nodes):
            if i != j:
                shifted, scale = [Fraction(0), *poly], at - other
                poly = [(up - other * low) / scale for up, low in zip(shifted, [*poly, Fraction(0)], strict=True)]
        result[:, j] = [float(c) for c in poly]
    return result


def _product_of_shifts(first: int) -> np.ndarray:
    """Coefficients of (tau + first)(tau + first + 1)...(tau + first + P - 1) / P!."""
    poly = [Fraction(1)]
    for shift in range(first, first + P):
        poly = [up + shift * low for up, low in zip([Fraction(0), *poly], [*poly, Fraction(0)], strict=True)]
    return np.array([float(c / factorial(P)) for c in poly])


PAST = _taylor_of_interpolant([Fraction(-j) for j in range(P)])
WITH_NEW = _taylor_of_interpolant([Fraction(1 - j) for j in range(P + 1)])
BLOCK = _taylor_of_interpolant([Fraction(j) for j in range(P)])
LIFT = _product_of_shifts(0)  # corrector - predictor = this polynomial * backward difference
GAUGE = _product_of_shifts(-1)  # order P + 1 corrector - order P corrector: the error estimate
DIFFERENCE = np.array([(-1.0) ** j * comb(P, j) for j in range(P + 1)])
LAST_DIFFERENCE = np.array([(-1.0) ** j * comb(P - 1, j) for j in range(P)])
HALVE = np.array([[sum(PAST[k, j] * (-0.5 * i) ** k for k in range(P)) for j in range(P)] for i in range(P)])


@compiled()
def _size(x):
    """|x|."""
    return math.sqrt(x.real * x.real + x.imag * x.imag)


@compiled()
def _decayed(x):
    """exp(-x)."""
    size = math.exp(-x.real)
    return complex(size * math.cos(x.imag), -size * math.sin(x.imag))


@compiled()
def _inverse(x):
    """1/x (R. L. Smith, Commun. ACM 5, 435 (1962))."""
    if abs(x.real) >= abs(x.imag):
        ratio = x.imag / x.real
        scale = x.real + x.imag * ratio
        return complex(1.0 / scale, -ratio / scale)
    ratio = x.real / x.imag
    scale = x.real * ratio + x.imag
    return complex(ratio / scale, -1.0 / scale)


@compiled()
def _moments(x, m):
    """m[k] = integral_0^1 exp(-x (1 - tau)) tau^k dtau, k = 0..P; x m[k] = 1 - k m[k-1] run in its stable direction."""
    size = _size(x)
    if size > P + 1:
        inverse = _inverse(x)
        m[0] = (1.0 - _decayed(x)) * inverse
        for k in range(1, P + 1):
            m[k] = (1.0 - k * m[k - 1]) * inverse
    else:
        top = P + 20 + int(3.0 * size)
        value = _inverse(top + 1.0 + x)
        for k in range(top, 0, -1):
            if k <= P:
                m[k] = value
            value = (1.0 - x * value) * (1.0 / k)
        m[0] = value


@compiled()
def _within(decay, span):
    """The span, or a shorter one whose product with the decay is a number: span m[k] = 1/decay and exp(-x) are the same."""
    size = _size(decay)
    return FAR / size if size > 0 and span > FAR / size else span


@compiled()
def _weights(decay, h, free, past, lift, gauge):
    """Weights of one step of size h, one set per component; of neighbours that decay alike they are found once."""
    m = np.empty(P + 1, np.complex128)
    for i in range(decay.size):
        if i > 0 and decay[i] == decay[i - 1]:
            free[i], lift[i], gauge[i] = free[i - 1], lift[i - 1], gauge[i - 1]
            for j in range(P):
                past[j, i] = past[j, i - 1]
            continue
        span = _within(decay[i], h)
        x = decay[i] * span
        _moments(x, m)
        free[i] = _decayed(x)
        for j in range(P):
            past[j, i] = 0
            for k in range(P):
                past[j, i] += span * PAST[k, j] * m[k]
        lift[i] = 0
        gauge[i] = 0
        for k in range(P + 1):
            lift[i] += span * LIFT[k] * m[k]
            gauge[i] += span * GAUGE[k] * m[k]


@compiled()
def _block_weights(decay, h, weight):
    """weight[i, j, :]: what value j of the starting block adds to y at its node i + 1."""
    m = np.empty(P + 1, np.complex128)
    for c in range(decay.size):
        if c > 0 and decay[c] == decay[c - 1]:
            for i in range(P - 1):
                for j in range(P):
                    weight[i, j, c] = weight[i, j, c - 1]
            continue
        for i in range(P - 1):
            end = i + 1.0
            span = _within(decay[c], h)
            _moments(decay[c] * span * end, m)
            for j in range(P):
                total = 0j
                power = span * end
                for k in range(P):
                    total += BLOCK[k, j] * power * m[k]
                    power *= end
                weight[i, j, c] = total


@compiled()
def _dense(y, decay, h, theta, taylor, values, out):
    """y at t + theta h, from y at t and the polynomial through `values` (variation of constants, no new error)."""
    m = np.empty(P + 1, np.complex128)
    nodes = taylor.shape[0]
    span, free = 0.0, 1 + 0j
    for i in range(y.size):
        if i == 0 or decay[i] != decay[i - 1]:
            span = _within(decay[i], h * theta)
            x = decay[i] * span
            _moments(x, m)
            free = _decayed(x)
        total = 0j
        power = span
        for k in range(nodes):
            coefficient = 0j
            for j in range(nodes):
                coefficient += taylor[k, j] * values[j, i]
            total += coefficient * power * m[k]
            power *= theta
        out[i] = free * y[i] + total


@compiled()
def _norm(error, y, other, rtol, atol):
    """Largest |error| in units of the tolerance; NaN counts as infinite."""
    worst = 0.0
    for i in range(error.size):
        size = _size(error[i]) / (atol + rtol * max(_size(y[i]), _size(other[i])))
        if not size <= worst:
            worst = size if size == size else np.inf
    return worst


@compiled()
def _copy(values, out):
    """out = values."""
    for i in range(values.size):
        out[i] = values[i]


@compiled()
def _start(nonlinear, decay, table, coupling, y0, h, rtol, atol, y, values):
    """Fill the starting block (`y` and `values` at t0, t0 + h, ...); whether the tolerance holds with this step."""
    n = y0.size
    weight = np.empty((P - 1, P, n), np.complex128)
    free = np.empty((P - 1, n), np.complex128)
    new, away = np.empty(n, np.complex128), np.empty(n, np.complex128)
    _copy(y0, y[0])
    nonlinear(y[0], table, coupling, values[0])
    _block_weights(decay, h, weight)
    for i in range(P - 1):
        for c in range(n):
            free[i, c] = _decayed(decay[c] * _within(decay[c], h * (i + 1)))
    for j in range(1, P):
        _copy(values[0], values[j])
        _copy(y0, y[j])
    change, sweep = np.inf, 0
    while change > 1e-3 and sweep < SWEEPS:
        change = 0.0
        for i in range(P - 1):
            for c in range(n):
                total = free[i, c] * y0[c]
                for j in range(P):
                    total += weight[i, j, c] * values[j, c]
                new[c] = total
                away[c] = total - y[i + 1, c]
                y[i + 1, c] = total
            change = max(change, _norm(away, new, y0, rtol, atol))
        for i in range(1, P):
            nonlinear(y[i], table, coupling, values[i])
        sweep += 1
    for c in range(n):
        total = 0j
        for j in range(P):
            total += values[j, c] * (0.3 * h * LAST_DIFFERENCE[j])
        away[c] = total
    return change <= 1e-3 and _norm(away, y[P - 1], y0, rtol, atol) <= 1


@compiled()
def _respace(history, head, factor):
    """Past values at twice (factor 2) or half (factor 1) the step, in place, newest at `head`."""
    n = history.shape[1]
    fresh = np.empty((P, n), np.complex128)
    for c in range(n):
        for i in range(P):
            if factor == 2:
                fresh[i, c] = history[(head - 2 * i) % RING, c]
            else:
                total = 0j
                for j in range(P):
                    total += HALVE[i, j] * history[(head - j) % RING, c]
                fresh[i, c] = total
    for c in range(n):
        for i in range(P):
            history[(head - i) % RING, c] = fresh[i, c]


@compiled()
def _trial(nonlinear, table, coupling, y, history, head, free, past, lift, gauge, new, value, stray):
    """One step from `y`: `new` state, N at the predicted state, and how far the step may be off."""
    for i in range(y.size):
        total, backward = free[i] * y[i], 0j
        for j in range(P):
            seen = history[(head - j) % RING, i]
            total += past[j, i] * seen
            backward += DIFFERENCE[j + 1] * seen
        new[i] = total
        stray[i] = backward
    nonlinear(new, table, coupling, value)
    for i in range(y.size):
        difference = value[i] + stray[i]  # backward difference of order P
        new[i] += lift[i] * difference
        stray[i] = gauge[i] * difference


@compiled()
def _serve(y, decay, h, history, head, value, times, elapsed, out, done, last):
    """Fill the outputs before `last` within the step from `elapsed` to elapsed + h; return how many are done."""
    if times[done] - times[0] - elapsed > h:
        return done
    stencil = np.empty((P + 1, y.size), np.complex128)
    for i in range(y.size):
        stencil[0, i] = value[i]
        for j in range(P):
            stencil[j + 1, i] = history[(head - j) % RING, i]
    while done < last and times[done] - times[0] - elapsed <= h:
        _dense(y, decay, h, (times[done] - times[0] - elapsed) / h, WITH_NEW, stencil, out[done])
        done += 1
    return done


@compiled(
    f"int64(FunctionType({DEVICE}), {VECTOR}, {TABLE}, {MATRIX}, {VECTOR}, float64[::1], float64, float64, float64, int64, "
    f"int64, float64[::1], int64[::1], {VECTOR}, {MATRIX}, {MATRIX})"
)
def solve(
    nonlinear, decay, table, coupling, y0, times, rtol, atol, max_step, max_steps, most, clock, counts, y, history, out
):  # fmt: skip
    """Fill `out` (time, component) until MOVING after `most` steps and outputs, where the next call goes on; the status.

    clock: step, time since times[0]. counts: outputs, steps, steps rejected, place of the newest past value in `history`
    (component last; -1 before the start), how many there are at this spacing. `y`: the state. See `stepping`.
    """
    n, h, elapsed = y0.size, float(clock[0]), float(clock[1])
    done, steps, rejected, head, known = int(counts[0]), int(counts[1]), int(counts[2]), int(counts[3]), int(counts[4])
    if head < 0:
        if not h > 1e-300:
            return UNDERFLOW
        y_block = np.empty((P, n), np.complex128)
        if not _start(nonlinear, decay, table, coupling, y0, h, rtol, atol, y_block, history[:P]):
            clock[0] = h / 4
            return MOVING
        _copy(y0, out[0])
        _copy(y_block[P - 1], y)
        done, head, known, elapsed = 1, P - 1, P, (P - 1) * h
    last = done + most
    while steps + rejected == 0 and done < min(times.size, last) and times[done] - times[0] <= elapsed:
        _dense(y0, decay, h, (times[done] - times[0]) / h, BLOCK, history[:P], out[done])
        done += 1

    free, lift, gauge = np.empty(n, np.complex128), np.empty(n, np.complex128), np.empty(n, np.complex128)
    new, value, stray = np.empty(n, np.complex128), np.empty(n, np.complex128), np.empty(n, np.complex128)
    past = np.empty((P, n), np.complex128)
    _weights(decay, h, free, past, lift, gauge)
    status = DONE
    while done < times.size:
        if done >= last:
            status = MOVING
            break
        if steps + rejected >= max_steps:
            status = BUDGET
            break
        last -= 1
        _trial(nonlinear, table, coupling, y, history, head, free, past, lift, gauge, new, value, stray)
        error = _norm(stray, y, new, rtol, atol)
        if error <= 1:
            done = _serve(y, decay, h, history, head, value, times, elapsed, out, done, min(times.size, max(last, done + 1)))
            if done < times.size and times[done] - times[0] - elapsed <= h:
                continue  # more outputs within this step, which is found again
            steps += 1
            _copy(new, y)
            elapsed += h
            head = (head + 1) % RING
            nonlinear(y, table, coupling, history[head])
            known = min(known + 1, RING)
            if error < 0.25 * 0.5 ** (P + 1) and known >= 2 * P - 1 and 2 * h <= max_step:
                _respace(history, head, 2)
                h, known = 2 * h, P
                _weights(decay, h, free, past, lift, gauge)
        else:
            rejected += 1
            if elapsed + h / 2 == elapsed:
                status = UNDERFLOW
                break
            _respace(history, head, 1)
            h, known = h / 2, P
            _weights(decay, h, free, past, lift, gauge)
    clock[0], clock[1] = h, elapsed
    counts[0], counts[1], counts[2], counts[3], counts[4] = done, steps, rejected, head, known
    return status


@compiled(f"void(FunctionType({DEVICE}), {VECTOR}, {TABLE}, {MATRIX}, {MATRIX}, {MATRIX})")
def velocities(nonlinear, decay, table, coupling, states, out):
    """out = dy/dt at each of `states` (time, component)."""
    for k in range(states.shape[0]):
        nonlinear(states[k], table, coupling, out[k])
        for i in range(decay.size):
            out[k, i] -= decay[i] * states[k, i]
