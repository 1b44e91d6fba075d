"""Compiled simulation of random trajectories: jump processes on integer vectors, and quantum jumps of state vectors.

Waiting times between jumps are drawn exactly. Between quantum jumps a state vector decays with a tridiagonal, non-Hermitian
generator; only components above rounding error are propagated. A compiled call returns PAUSED after a bounded number of
operations, not after a time, so that interrupts are noticed soon and a pause changes no digit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spinsync.base.compiled import compiled

JUMPS_PER_CALL = 500_000  # of a jump process: some 50 ms
WORK_PER_CALL = 1_000_000  # components times Taylor series of quantum jumps, likewise
STEP_NORM = 4.0  # largest norm of (generator * time step) of a Taylor series: rounding errors grow to exp(4) units at most
MOST_TERMS = 60  # of a Taylor series; 40 reach rounding error
TOLERANCE = 1e-12  # of ln|psi|^2 at a jump
SERIES_PER_JUMP = 100  # most Taylor series per allowed jump; 5 are usual
NEGLIGIBLE = 1e-34  # of the largest |component|^2: rounding error, set to zero
MARGIN = 32  # components kept beyond the others: STEP_NORM^32 / 32! is rounding error
DONE, PAUSED, TOO_MANY, TOO_LARGE = 0, 1, -1, -2  # TOO_MANY: more jumps than allowed; TOO_LARGE: rates that are not finite

_INTEGERS, _REALS, _TABLE, _VECTOR = "int64[::1]", "float64[::1]", "float64[:,::1]", "complex128[::1]"
#: indices of `count` of a trajectory: times recorded, jumps, Taylor series, first and last possible component of psi
RECORDED, JUMPS, SERIES, FIRST, LAST = range(5)
#: indices of `clock`: time of the last jump, time elapsed since then (quantum jumps), ln|psi|^2 at the next (0: not drawn yet)
JUMP_TIME, ELAPSED, LEVEL = range(3)


@compiled(f"int64({_REALS}, float64, npy_rng)")
def draw_jump(rates: Any, total: Any, generator: Any) -> Any:
    """Draw the index of a jump, with probabilities proportional to `rates`, whose sum is `total`."""
    left = generator.random() * total
    last = -1
    for k in range(len(rates)):
        if rates[k] > 0:
            last = k
            left -= rates[k]
            if left < 0:
                break
    return last


@compiled(
    f"int64(FunctionType(void({_INTEGERS}, {_TABLE}, {_REALS})), FunctionType(void({_INTEGERS}, {_TABLE}, {_REALS})), "
    f"int64[:,::1], {_TABLE}, {_INTEGERS}, {_INTEGERS}, {_REALS}, npy_rng, {_REALS}, int64, {_TABLE})"
)
def run_jump_process(
    rates: Any, observables: Any, changes: Any, table: Any, labels: Any, count: Any, clock: Any, generator: Any, times: Any,
    most_jumps: Any, out: Any,
) -> Any:  # fmt: skip
    """Advance a jump process towards the last time; write its observables at `times` to `out`, shape (time, observable).

    Returns DONE, PAUSED, TOO_MANY or TOO_LARGE. Direct method of D. T. Gillespie, J. Phys. Chem. 81, 2340 (1977).
    """
    jump_rates = np.empty(len(changes))
    pause = count[JUMPS] + JUMPS_PER_CALL
    while True:
        rates(labels, table, jump_rates)
        total = jump_rates.sum()
        if not total < np.inf:
            return TOO_LARGE
        now = clock[JUMP_TIME] + (generator.standard_exponential() / total if total > 0 else np.inf)
        while count[RECORDED] < len(times) and times[count[RECORDED]] <= now:
            observables(labels, table, out[count[RECORDED]])
            count[RECORDED] += 1
        if count[RECORDED] == len(times):
            return DONE  # exponential waiting times are memoryless: the next jump may be drawn anew
        if count[JUMPS] == most_jumps:
            return TOO_MANY
        change = changes[draw_jump(jump_rates, total, generator)]
        for i in range(len(labels)):
            labels[i] += change[i]
        clock[JUMP_TIME] = now
        count[JUMPS] += 1
        if count[JUMPS] == pause:
            return PAUSED


@compiled()
def _truncate(labels: Any, first: Any, last: Any, psi: Any) -> None:
    """Set negligible components at both ends of psi to zero, and labels[-2:] to the ends of the others, with a margin."""
    low, high, largest = labels[-2], labels[-1], 0.0
    for n in range(low, high + 1):
        largest = max(largest, psi[n].real ** 2 + psi[n].imag ** 2)
    while low < high and psi[low].real ** 2 + psi[low].imag ** 2 <= NEGLIGIBLE * largest:
        psi[low] = 0
        low += 1
    while low < high and psi[high].real ** 2 + psi[high].imag ** 2 <= NEGLIGIBLE * largest:
        psi[high] = 0
        high -= 1
    labels[-2], labels[-1] = max(first, low - MARGIN), min(last, high + MARGIN)


@compiled()
def _margin_reached(labels: Any, first: Any, last: Any, psi: Any) -> Any:
    """Whether the component in the middle of a margin is no longer negligible."""
    low, high, half = labels[-2], labels[-1], MARGIN // 2
    threshold = NEGLIGIBLE * _norm(psi, low, high)
    left = low > first and psi[low + half].real ** 2 + psi[low + half].imag ** 2 > threshold
    return left or (high < last and psi[high - half].real ** 2 + psi[high - half].imag ** 2 > threshold)


@compiled()
def _shifted_generator(diagonal: Any, up: Any, down: Any, first: Any, last: Any, packed: Any) -> Any:
    """Write the generator minus a shift to `packed`; return the shift, the centre of its diagonal, and a bound of the 1-norm.

    Rows of `packed`: real and imaginary parts of the diagonal, lower and upper off-diagonal element in each matrix row.
    """
    lowest, highest, left, right = np.inf, -np.inf, np.inf, -np.inf
    for n in range(first, last + 1):
        lowest, highest = min(lowest, diagonal[n].real), max(highest, diagonal[n].real)
        left, right = min(left, diagonal[n].imag), max(right, diagonal[n].imag)
    shift = complex((lowest + highest) / 2, (left + right) / 2)
    bound = 0.0
    for i in range(last - first + 1):
        n = first + i
        centre = diagonal[n] - shift
        lower = up[n - 1] if n > first else 0j
        upper = down[n + 1] if n < last else 0j
        packed[0, i], packed[1, i] = centre.real, centre.imag
        packed[2, i], packed[3, i] = lower.real, lower.imag
        packed[4, i], packed[5, i] = upper.real, upper.imag
        column = abs(centre.real) + abs(centre.imag) + abs(up[n].real) + abs(up[n].imag) + abs(down[n].real) + abs(down[n].imag)
        if not column + abs(shift.real) + abs(shift.imag) < np.inf:
            return shift, np.inf
        bound = max(bound, column)
    return shift, bound


@compiled()
def _multiply(packed: Any, size: Any, factor: Any, x: Any, y: Any) -> None:
    """y = factor * generator * x; rows of a vector: real and imaginary parts, with a zero at both ends."""
    for i in range(size):
        a, b, c, d, e, f = packed[0, i], packed[1, i], packed[2, i], packed[3, i], packed[4, i], packed[5, i]
        real = a * x[0, i + 1] - b * x[1, i + 1] + c * x[0, i] - d * x[1, i] + e * x[0, i + 2] - f * x[1, i + 2]
        imaginary = a * x[1, i + 1] + b * x[0, i + 1] + c * x[1, i] + d * x[0, i] + e * x[1, i + 2] + f * x[0, i + 2]
        y[0, i + 1], y[1, i + 1] = factor * real, factor * imaginary


@compiled()
def _load(psi: Any, first: Any, size: Any, x: Any) -> None:
    """Copy psi to x, in the format of `_multiply`."""
    for i in range(size):
        x[0, i + 1], x[1, i + 1] = psi[first + i].real, psi[first + i].imag
    x[:, 0] = 0
    x[:, size + 1] = 0


@compiled()
def _propagate(packed: Any, shift: Any, bound: Any, first: Any, last: Any, time: Any, psi: Any, work: Any) -> None:
    """psi -> exp(time * generator) psi by the Taylor series of the exponential; `work` has room for three vectors."""
    size = last - first + 1
    term, following, total = work[0], work[1], work[2]
    _load(psi, first, size, term)
    for i in range(size + 2):
        total[0, i] = term[0, i]
        total[1, i] = term[1, i]
    following[:, 0] = 0
    following[:, size + 1] = 0
    remainder = 1.0
    for k in range(1, MOST_TERMS):
        remainder *= abs(time) * bound / k
        _multiply(packed, size, time / k, term, following)
        for i in range(1, size + 1):
            total[0, i] += following[0, i]
            total[1, i] += following[1, i]
        term, following = following, term
        if remainder < 1e-17:
            break
    factor = np.exp(shift * time)
    for i in range(size):
        psi[first + i] = factor * complex(total[0, i + 1], total[1, i + 1])


@compiled()
def _norm(psi: Any, first: Any, last: Any) -> Any:
    total = 0.0
    for n in range(first, last + 1):
        total += psi[n].real ** 2 + psi[n].imag ** 2
    return total


@compiled()
def _decay_rate(packed: Any, shift: Any, first: Any, last: Any, psi: Any, work: Any) -> Any:
    """-d ln|psi|^2/dt, the total rate of jumps."""
    size = last - first + 1
    x, change = work[0], work[1]
    _load(psi, first, size, x)
    _multiply(packed, size, 1.0, x, change)
    slope = 0.0
    for i in range(1, size + 1):
        slope -= 2 * (x[0, i] * change[0, i] + x[1, i] * change[1, i])
    return slope / _norm(psi, first, last) - 2 * shift.real


@compiled()
def _evolve_without_jump(
    observables: Any, labels: Any, table: Any, packed: Any, shift: Any, bound: Any, psi: Any, work: Any, count: Any,
    clock: Any, times: Any, most_series: Any, out: Any,
) -> Any:  # fmt: skip
    """Evolve psi with the generator until ln|psi|^2 reaches clock[LEVEL]; return whether it does, i.e. whether psi jumps now.

    False: the last time is recorded, the margin is reached, or `most_series` is. The time of the jump is found by Newton's
    method in a bracket; times count from the last jump, so that late times do not cost digits.
    """
    first, last = labels[-2], labels[-1]
    jump_time, level = clock[JUMP_TIME], clock[LEVEL]
    now, lower, upper = clock[ELAPSED], 0.0, np.inf
    while True:
        excess = np.log(_norm(psi, first, last)) - level
        lower, upper = (now, upper) if excess > 0 else (lower, now)
        if abs(excess) < TOLERANCE or (upper < np.inf and upper - lower <= 1e-15 * upper):
            clock[ELAPSED] = now
            return True
        next_output = times[count[RECORDED]] - jump_time
        if upper == np.inf and (count[SERIES] >= most_series or _margin_reached(labels, count[FIRST], count[LAST], psi)):
            clock[ELAPSED] = now
            return False
        rate = _decay_rate(packed, shift, first, last, psi, work)
        target = now + excess / rate if rate > 0 else np.inf
        if upper < np.inf and not lower < target < upper:
            target = (lower + upper) / 2
        if upper > next_output:
            target = min(target, next_output)
        if abs(target - now) * bound > STEP_NORM:
            target = now + np.copysign(STEP_NORM / bound, target - now)
        _propagate(packed, shift, bound, first, last, target - now, psi, work)
        now = target
        count[SERIES] += 1
        while now == times[count[RECORDED]] - jump_time and np.log(_norm(psi, first, last)) > level:
            observables(labels, psi, table, out[count[RECORDED]])
            count[RECORDED] += 1
            if count[RECORDED] == len(times):
                clock[ELAPSED] = now
                return False


@compiled(
    f"int64(FunctionType(void({_INTEGERS}, {_TABLE}, {_VECTOR}, {_VECTOR}, {_VECTOR})), "
    f"FunctionType(void({_INTEGERS}, {_VECTOR}, {_TABLE}, {_REALS})), "
    f"FunctionType(void(int64, {_INTEGERS}, {_VECTOR}, {_TABLE}, {_VECTOR})), "
    f"FunctionType(void({_INTEGERS}, {_VECTOR}, {_TABLE}, {_REALS})), FunctionType(int64({_REALS}, float64, npy_rng)), "
    f"int64, {_TABLE}, {_INTEGERS}, {_VECTOR}, {_INTEGERS}, {_REALS}, npy_rng, {_REALS}, int64, {_TABLE})"
)
def run_quantum_jumps(
    generator: Any, rates: Any, jump: Any, observables: Any, draw: Any, channels: Any, table: Any, labels: Any, psi: Any,
    count: Any, clock: Any, random: Any, times: Any, most_jumps: Any, out: Any,
) -> Any:  # fmt: skip
    """Advance a quantum-jump trajectory towards the last time, with the output of `run_jump_process`.

    psi decays with the non-Hermitian generator until |psi|^2 equals a random number, and jumps then: J. Dalibard, Y. Castin
    and K. Molmer, Phys. Rev. Lett. 68, 580 (1992). `draw` is `draw_jump`; `channels` is the number of jump operators.
    """
    matrix, packed = np.empty((3, len(psi)), np.complex128), np.empty((6, len(psi)))
    work, jump_rates, effort = np.empty((3, 2, len(psi) + 2)), np.empty(channels), 0
    most_series = SERIES_PER_JUMP * most_jumps
    while True:
        if count[LAST] < 0:
            count[FIRST], count[LAST] = labels[-2], labels[-1]
        _truncate(labels, count[FIRST], count[LAST], psi)
        generator(labels, table, matrix[0], matrix[1], matrix[2])
        shift, bound = _shifted_generator(matrix[0], matrix[1], matrix[2], labels[-2], labels[-1], packed)
        if not bound < np.inf:
            return TOO_LARGE
        if (times[-1] - clock[JUMP_TIME]) * bound > STEP_NORM * most_series or count[SERIES] >= most_series:
            return TOO_MANY  # the first condition foresees the second
        if clock[LEVEL] == 0:
            clock[LEVEL], clock[ELAPSED] = -random.standard_exponential(), 0.0
        width, before = labels[-1] - labels[-2] + 1, count[SERIES]
        limit = min(most_series, before + 1 + WORK_PER_CALL // width)
        if _evolve_without_jump(observables, labels, table, packed, shift, bound, psi, work, count, clock, times, limit, out):
            if count[JUMPS] == most_jumps:
                return TOO_MANY
            rates(labels, psi, table, jump_rates)
            jump(draw(jump_rates, jump_rates.sum(), random), labels, psi, table, matrix[0])
            psi[:] = 0
            length = np.sqrt(_norm(matrix[0], labels[-2], labels[-1]))
            if not length > 0:
                return TOO_LARGE
            for n in range(labels[-2], labels[-1] + 1):
                psi[n] = matrix[0, n] / length
            count[JUMPS] += 1
            count[LAST] = -1
            clock[JUMP_TIME] += clock[ELAPSED]
            clock[LEVEL] = 0
        elif count[RECORDED] == len(times):
            psi /= np.sqrt(_norm(psi, labels[-2], labels[-1]))
            clock[LEVEL] = 0  # the time to the next jump is memoryless here, too
            return DONE
        effort += (count[SERIES] - before + 2) * width
        if effort > WORK_PER_CALL:
            return PAUSED
