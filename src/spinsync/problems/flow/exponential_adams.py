"""Exponential Adams predictor-corrector for semilinear problems.

    dy/dt = -decay * y + nonlinear(y),        decay diagonal (complex, Re >= 0)

The diagonal part (free rotation and relaxation) is integrated exactly; only `nonlinear` along the solution is replaced by
the polynomial through its last values (variation of constants). A component that rotates 10^5 times per step costs as much
as a slow one and is as accurate, as long as its `nonlinear` is smooth. The predictor uses P = 8 past values, the corrector
the new one as well, so the local error is O(h^10); step sizes are h0 / 2^k, so that weights change rarely. The starting
values are a collocation block of P nodes, solved by Picard iteration.

Background: E. Hairer, S. Norsett, G. Wanner, *Solving Ordinary Differential Equations I*, ch. III (Adams methods);
M. Hochbruck, A. Ostermann, Acta Numerica 19, 209 (2010) (exponential multistep).

`nonlinear` is passed as a function pointer, so the cached machine code of the stepper never contains an outdated copy of an
equation that was edited in another module.

Short runs are interpreted by Python, others run as machine code, with the same result in every bit. So the functions are
loops over numbers and avoid those operations that NumPy, Python and the compiler round differently: division, exp and
modulus of complex numbers. Loops also compile in half the time.
"""

from __future__ import annotations

import math
from fractions import Fraction
from math import comb, factorial

import numpy as np

from spinsync.base.compiled import compiled
from spinsync.problems.flow.record import SIGNATURE
from spinsync.problems.outcome import Ended

P = 8  # past values in the predictor; the order of the method is P + 1
RING = 2 * P  # past values kept: 2 P - 1 are needed to double the step
LARGEST_EXPONENT = 1e300  # |decay| times span; beyond it the product overflows, and its phase is lost in rounding anyway
MOST_PICARD = 40  # Picard iterations of the starting block before its step is reduced
DONE, BUDGET, UNDERFLOW, BEYOND, MOVING = (int(ended) for ended in Ended)  # as int, for compiled code

VECTOR, TABLE, MATRIX = "complex128[::1]", "float64[:,::1]", "complex128[:,::1]"  # of `y`, `table` and `coupling`


def _lagrange_coefficients(nodes: list[Fraction]) -> np.ndarray:
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


PAST = _lagrange_coefficients([Fraction(-j) for j in range(P)])
WITH_NEW = _lagrange_coefficients([Fraction(1 - j) for j in range(P + 1)])
BLOCK = _lagrange_coefficients([Fraction(j) for j in range(P)])
CORRECTOR = _product_of_shifts(0)  # corrector - predictor = this polynomial * backward difference
ERROR = _product_of_shifts(-1)  # order P + 1 corrector - order P corrector: the error estimate
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
    """m[k] = integral_0^1 exp(-x (1 - tau)) tau^k dtau, k = 0..P, by x m[k] = 1 - k m[k-1] in its stable direction."""
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
def _finite_span(decay, span):
    """The span, shortened if its product with the decay overflows: that changes neither span m[k] = 1/decay nor exp(-x)."""
    size = _size(decay)
    return LARGEST_EXPONENT / size if size > 0 and span > LARGEST_EXPONENT / size else span


@compiled()
def _weights(decay, h, free, past, corrector, error_weight):
    """Weights of one step of size h for each component; neighbours with equal decay share them.

    y_new = free y + past @ past values + corrector * backward difference; the error is error_weight * backward difference."""
    m = np.empty(P + 1, np.complex128)
    for i in range(decay.size):
        if i > 0 and decay[i] == decay[i - 1]:
            free[i], corrector[i], error_weight[i] = free[i - 1], corrector[i - 1], error_weight[i - 1]
            for j in range(P):
                past[j, i] = past[j, i - 1]
            continue
        span = _finite_span(decay[i], h)
        x = decay[i] * span
        _moments(x, m)
        free[i] = _decayed(x)
        for j in range(P):
            past[j, i] = 0
            for k in range(P):
                past[j, i] += span * PAST[k, j] * m[k]
        corrector[i] = 0
        error_weight[i] = 0
        for k in range(P + 1):
            corrector[i] += span * CORRECTOR[k] * m[k]
            error_weight[i] += span * ERROR[k] * m[k]


@compiled()
def _block_weights(decay, h, weight):
    """weight[i, j, :] of value j of the starting block in y at its node i + 1."""
    m = np.empty(P + 1, np.complex128)
    for c in range(decay.size):
        if c > 0 and decay[c] == decay[c - 1]:
            for i in range(P - 1):
                for j in range(P):
                    weight[i, j, c] = weight[i, j, c - 1]
            continue
        for i in range(P - 1):
            end = i + 1.0
            span = _finite_span(decay[c], h)
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
    """Dense output: y at t + theta h, from y at t and the polynomial through `values` (variation of constants)."""
    m = np.empty(P + 1, np.complex128)
    nodes = taylor.shape[0]
    span, free = 0.0, 1 + 0j
    for i in range(y.size):
        if i == 0 or decay[i] != decay[i - 1]:
            span = _finite_span(decay[i], h * theta)
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
    """The largest |error| in units of the tolerance; NaN counts as infinite."""
    worst = 0.0
    for i in range(error.size):
        size = _size(error[i]) / (atol + rtol * max(_size(y[i]), _size(other[i])))
        if not size <= worst:
            worst = size if size == size else np.inf
    return worst


@compiled()
def _copy(values, out):
    for i in range(values.size):
        out[i] = values[i]


@compiled()
def _starting_block(nonlinear, decay, table, coupling, y0, h, rtol, atol, y, values):
    """Fill the starting block, `y` and `values` at t0, t0 + h, ...; return whether this step satisfies the tolerance."""
    n = y0.size
    weight = np.empty((P - 1, P, n), np.complex128)
    free = np.empty((P - 1, n), np.complex128)
    new, difference = np.empty(n, np.complex128), np.empty(n, np.complex128)
    _copy(y0, y[0])
    nonlinear(y[0], table, coupling, values[0])
    _block_weights(decay, h, weight)
    for i in range(P - 1):
        for c in range(n):
            free[i, c] = _decayed(decay[c] * _finite_span(decay[c], h * (i + 1)))
    for j in range(1, P):
        _copy(values[0], values[j])
        _copy(y0, y[j])
    change, sweep = np.inf, 0
    while change > 1e-3 and sweep < MOST_PICARD:
        change = 0.0
        for i in range(P - 1):
            for c in range(n):
                total = free[i, c] * y0[c]
                for j in range(P):
                    total += weight[i, j, c] * values[j, c]
                new[c] = total
                difference[c] = total - y[i + 1, c]
                y[i + 1, c] = total
            change = max(change, _norm(difference, new, y0, rtol, atol))
        for i in range(1, P):
            nonlinear(y[i], table, coupling, values[i])
        sweep += 1
    for c in range(n):
        total = 0j
        for j in range(P):
            total += values[j, c] * (0.3 * h * LAST_DIFFERENCE[j])
        difference[c] = total
    return change <= 1e-3 and _norm(difference, y[P - 1], y0, rtol, atol) <= 1


@compiled()
def _respace(history, head, factor):
    """Interpolate the past values, newest at `head`, in place to twice (factor 2) or half (factor 1) the step."""
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
def _try_step(nonlinear, table, coupling, y, history, head, free, past, corrector, error_weight, new, value, local_error):
    """One step from `y`: the `new` state, `value` = `nonlinear` at the predicted state, and the `local_error`."""
    for i in range(y.size):
        total, backward = free[i] * y[i], 0j
        for j in range(P):
            past_value = history[(head - j) % RING, i]
            total += past[j, i] * past_value
            backward += DIFFERENCE[j + 1] * past_value
        new[i] = total
        local_error[i] = backward
    nonlinear(new, table, coupling, value)
    for i in range(y.size):
        difference = value[i] + local_error[i]  # backward difference of order P
        new[i] += corrector[i] * difference
        local_error[i] = error_weight[i] * difference


@compiled()
def _write_outputs(y, decay, h, history, head, value, times, elapsed, out, done, last):
    """Write the outputs before `last` in the step from `elapsed` to elapsed + h; return the number of outputs so far."""
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
    f"int64(FunctionType({SIGNATURE}), {VECTOR}, {TABLE}, {MATRIX}, {VECTOR}, float64[::1], float64, float64, float64, int64, "
    f"int64, float64[::1], int64[::1], {VECTOR}, {MATRIX}, {MATRIX})"
)
def solve(
    nonlinear, decay, table, coupling, y0, times, rtol, atol, max_step, max_steps, most, clock, counts, y, history, out
):  # fmt: skip
    """Write `out` (time, component) and return the status: MOVING after `most` steps and outputs, for the next call.

    clock: step size, time since times[0]. counts: outputs, steps, rejected steps, index of the newest past value in the
    ring buffer `history` (RING, component) or -1 before the start, number of past values at this spacing. y: the state.
    """
    n, h, elapsed = y0.size, float(clock[0]), float(clock[1])
    done, steps, rejected, head, available = int(counts[0]), int(counts[1]), int(counts[2]), int(counts[3]), int(counts[4])
    if head < 0:
        if not h > 1e-300:
            return UNDERFLOW
        y_block = np.empty((P, n), np.complex128)
        if not _starting_block(nonlinear, decay, table, coupling, y0, h, rtol, atol, y_block, history[:P]):
            clock[0] = h / 4
            return MOVING
        _copy(y0, out[0])
        _copy(y_block[P - 1], y)
        done, head, available, elapsed = 1, P - 1, P, (P - 1) * h
    last = done + most
    while steps + rejected == 0 and done < min(times.size, last) and times[done] - times[0] <= elapsed:
        _dense(y0, decay, h, (times[done] - times[0]) / h, BLOCK, history[:P], out[done])
        done += 1

    free, corrector, error_weight = np.empty(n, np.complex128), np.empty(n, np.complex128), np.empty(n, np.complex128)
    new, value, local_error = np.empty(n, np.complex128), np.empty(n, np.complex128), np.empty(n, np.complex128)
    past = np.empty((P, n), np.complex128)
    _weights(decay, h, free, past, corrector, error_weight)
    status = DONE
    while done < times.size:
        if done >= last:
            status = MOVING
            break
        if steps + rejected >= max_steps:
            status = BUDGET
            break
        last -= 1
        _try_step(nonlinear, table, coupling, y, history, head, free, past, corrector, error_weight, new, value, local_error)
        error = _norm(local_error, y, new, rtol, atol)
        if error <= 1:
            end = min(times.size, max(last, done + 1))
            done = _write_outputs(y, decay, h, history, head, value, times, elapsed, out, done, end)
            if done < times.size and times[done] - times[0] - elapsed <= h:
                continue  # more outputs in this step, which is computed again
            steps += 1
            _copy(new, y)
            elapsed += h
            head = (head + 1) % RING
            nonlinear(y, table, coupling, history[head])
            available = min(available + 1, RING)
            if error < 0.25 * 0.5 ** (P + 1) and available >= 2 * P - 1 and 2 * h <= max_step:
                _respace(history, head, 2)
                h, available = 2 * h, P
                _weights(decay, h, free, past, corrector, error_weight)
        else:
            rejected += 1
            if elapsed + h / 2 == elapsed:
                status = UNDERFLOW
                break
            _respace(history, head, 1)
            h, available = h / 2, P
            _weights(decay, h, free, past, corrector, error_weight)
    clock[0], clock[1] = h, elapsed
    counts[0], counts[1], counts[2], counts[3], counts[4] = done, steps, rejected, head, available
    return status


@compiled(f"void(FunctionType({SIGNATURE}), {VECTOR}, {TABLE}, {MATRIX}, {MATRIX}, {MATRIX})")
def velocities(nonlinear, decay, table, coupling, states, out):
    """out = dy/dt at each of the `states`, both (time, component)."""
    for k in range(states.shape[0]):
        nonlinear(states[k], table, coupling, out[k])
        for i in range(decay.size):
            out[k, i] -= decay[i] * states[k, i]
