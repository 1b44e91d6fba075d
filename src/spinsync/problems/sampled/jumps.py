"""Random trajectories: a Markov process on whole numbers, and quantum jumps of a wave on a line. No physics here.

Between jumps a wave shrinks with a tridiagonal matrix; only the part of it that is more than rounding is moved. Waiting
times are drawn exactly; there is no time step whose size would matter. Compiled code pauses after a bounded amount of work,
counted in jumps and steps and never in seconds: an interrupt is heard soon, and a pause changes no digit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spinsync.base.compiled import compiled

PAUSE = 500_000  # jumps between two pauses: some 50 ms
PAUSE_OF_WAVES = 1_000_000  # components in all Taylor series between two pauses, likewise
REACH = 4.0  # norm of the exponent of one Taylor series of a wave: rounding grows to exp(4) units at most
TERMS = 60  # of it; 40 reach rounding
CLOSE = 1e-12  # of ln|wave|^2 to the level at which it jumps
STEPS = 100  # most Taylor series per allowed jump; 5 are usual
FAINT = 1e-34  # of the largest |component|^2: rounding, and cut off
MARGIN = 32  # components beyond what is left: REACH^32 / 32! is rounding
DONE, PAUSED, TOO_MANY, TOO_LARGE = 0, 1, -1, -2  # TOO_MANY: more jumps than allowed; TOO_LARGE: rates that are not finite

_PLACE, _REAL, _TABLE, _WAVE = "int64[::1]", "float64[::1]", "float64[:,::1]", "complex128[::1]"
#: `count` of a trajectory: times looked at, jumps, Taylor series, first and last component that the wave may have
SEEN, JUMPS, SERIES, FIRST, LAST = range(5)
#: `clock` of it: time of the last jump, time since then (of waves), ln|wave|^2 at the next one (0: not drawn yet)
BEGAN, SINCE, LEVEL = range(3)


@compiled(f"int64({_REAL}, float64, npy_rng)")
def chosen(rates: Any, total: Any, generator: Any) -> Any:
    """A jump with the probability of its rate."""
    rest = generator.random() * total
    last = -1
    for k in range(len(rates)):
        if rates[k] > 0:
            last = k
            rest -= rates[k]
            if rest < 0:
                break
    return last


@compiled(
    f"int64(FunctionType(void({_PLACE}, {_TABLE}, {_REAL})), FunctionType(void({_PLACE}, {_TABLE}, {_REAL})), int64[:,::1], "
    f"{_TABLE}, {_PLACE}, {_PLACE}, {_REAL}, npy_rng, {_REAL}, int64, {_TABLE})"
)
def walk(
    rates: Any, look: Any, changes: Any, table: Any, place: Any, count: Any, clock: Any, generator: Any, times: Any,
    most: Any, out: Any,
) -> Any:  # fmt: skip
    """Move `place` towards the last time and write what it looks like at each: DONE, PAUSED, or why not.

    D. T. Gillespie, J. Phys. Chem. 81, 2340 (1977), direct method.
    """
    each = np.empty(len(changes))
    pause = count[JUMPS] + PAUSE
    while True:
        rates(place, table, each)
        total = each.sum()
        if not total < np.inf:
            return TOO_LARGE
        now = clock[BEGAN] + (generator.standard_exponential() / total if total > 0 else np.inf)
        while count[SEEN] < len(times) and times[count[SEEN]] <= now:
            look(place, table, out[count[SEEN]])
            count[SEEN] += 1
        if count[SEEN] == len(times):
            return DONE  # exponential waiting times have no memory: the jump under way may be drawn anew
        if count[JUMPS] == most:
            return TOO_MANY
        change = changes[chosen(each, total, generator)]
        for i in range(len(place)):
            place[i] += change[i]
        clock[BEGAN] = now
        count[JUMPS] += 1
        if count[JUMPS] == pause:
            return PAUSED


@compiled()
def _trim(place: Any, first: Any, last: Any, wave: Any) -> None:
    """Cut off what is rounding; place[-2] and place[-1] become the ends of the rest, with a margin within first..last."""
    low, high, largest = place[-2], place[-1], 0.0
    for n in range(low, high + 1):
        largest = max(largest, wave[n].real ** 2 + wave[n].imag ** 2)
    while low < high and wave[low].real ** 2 + wave[low].imag ** 2 <= FAINT * largest:
        wave[low] = 0
        low += 1
    while low < high and wave[high].real ** 2 + wave[high].imag ** 2 <= FAINT * largest:
        wave[high] = 0
        high -= 1
    place[-2], place[-1] = max(first, low - MARGIN), min(last, high + MARGIN)


@compiled()
def _spread(place: Any, first: Any, last: Any, wave: Any) -> Any:
    """Whether the wave has come half through a margin."""
    low, high, half = place[-2], place[-1], MARGIN // 2
    tall = FAINT * _norm(wave, low, high)
    left = low > first and wave[low + half].real ** 2 + wave[low + half].imag ** 2 > tall
    return left or (high < last and wave[high - half].real ** 2 + wave[high - half].imag ** 2 > tall)


@compiled()
def _packed(diagonal: Any, up: Any, down: Any, first: Any, last: Any, packed: Any) -> Any:
    """The generator less the middle of its diagonal, in real numbers from row to row; that middle, and a bound of the norm.

    Rows of `packed`: real and imaginary parts of the diagonal, of what comes from the left, and from the right.
    """
    lowest, highest, left, right = np.inf, -np.inf, np.inf, -np.inf
    for n in range(first, last + 1):
        lowest, highest = min(lowest, diagonal[n].real), max(highest, diagonal[n].real)
        left, right = min(left, diagonal[n].imag), max(right, diagonal[n].imag)
    middle = complex((lowest + highest) / 2, (left + right) / 2)
    bound = 0.0
    for i in range(last - first + 1):
        n = first + i
        here = diagonal[n] - middle
        before = up[n - 1] if n > first else 0j
        behind = down[n + 1] if n < last else 0j
        packed[0, i], packed[1, i] = here.real, here.imag
        packed[2, i], packed[3, i] = before.real, before.imag
        packed[4, i], packed[5, i] = behind.real, behind.imag
        column = abs(here.real) + abs(here.imag) + abs(up[n].real) + abs(up[n].imag) + abs(down[n].real) + abs(down[n].imag)
        if not column + abs(middle.real) + abs(middle.imag) < np.inf:
            return middle, np.inf
        bound = max(bound, column)
    return middle, bound


@compiled()
def _moved(packed: Any, size: Any, factor: Any, x: Any, y: Any) -> None:
    """y = factor * generator * x. Vectors hold real and imaginary parts, with a zero before and behind."""
    for i in range(size):
        a, b, c, d, e, f = packed[0, i], packed[1, i], packed[2, i], packed[3, i], packed[4, i], packed[5, i]
        real = a * x[0, i + 1] - b * x[1, i + 1] + c * x[0, i] - d * x[1, i] + e * x[0, i + 2] - f * x[1, i + 2]
        imaginary = a * x[1, i + 1] + b * x[0, i + 1] + c * x[1, i] + d * x[0, i] + e * x[1, i + 2] + f * x[0, i + 2]
        y[0, i + 1], y[1, i + 1] = factor * real, factor * imaginary


@compiled()
def _taken(wave: Any, first: Any, size: Any, x: Any) -> None:
    """x = wave, between two zeros."""
    for i in range(size):
        x[0, i + 1], x[1, i + 1] = wave[first + i].real, wave[first + i].imag
    x[:, 0] = 0
    x[:, size + 1] = 0


@compiled()
def _propagate(packed: Any, middle: Any, bound: Any, first: Any, last: Any, time: Any, wave: Any, work: Any) -> None:
    """wave -> exp(time * generator) wave, by its Taylor series; `work` has room for three vectors."""
    size = last - first + 1
    term, after, total = work[0], work[1], work[2]
    _taken(wave, first, size, term)
    for i in range(size + 2):
        total[0, i] = term[0, i]
        total[1, i] = term[1, i]
    after[:, 0] = 0
    after[:, size + 1] = 0
    left = 1.0
    for k in range(1, TERMS):
        left *= abs(time) * bound / k
        _moved(packed, size, time / k, term, after)
        for i in range(1, size + 1):
            total[0, i] += after[0, i]
            total[1, i] += after[1, i]
        term, after = after, term
        if left < 1e-17:
            break
    factor = np.exp(middle * time)
    for i in range(size):
        wave[first + i] = factor * complex(total[0, i + 1], total[1, i + 1])


@compiled()
def _norm(wave: Any, first: Any, last: Any) -> Any:
    total = 0.0
    for n in range(first, last + 1):
        total += wave[n].real ** 2 + wave[n].imag ** 2
    return total


@compiled()
def _fall(packed: Any, middle: Any, first: Any, last: Any, wave: Any, work: Any) -> Any:
    """-d ln|wave|^2/dt: the rate of all jumps."""
    size = last - first + 1
    x, change = work[0], work[1]
    _taken(wave, first, size, x)
    _moved(packed, size, 1.0, x, change)
    slope = 0.0
    for i in range(1, size + 1):
        slope -= 2 * (x[0, i] * change[0, i] + x[1, i] * change[1, i])
    return slope / _norm(wave, first, last) - 2 * middle.real


@compiled()
def _shrink(
    look: Any, place: Any, table: Any, packed: Any, middle: Any, bound: Any, wave: Any, work: Any, count: Any, clock: Any,
    times: Any, most: Any, out: Any,
) -> Any:  # fmt: skip
    """Shrink the wave until ln|wave|^2 is the level, the last time is looked at, or it must pause: whether it jumps.

    Newton's method on ln|wave|^2, within brackets; time counts from the last jump, so that differences keep their digits.
    """
    first, last = place[-2], place[-1]
    begin, level = clock[BEGAN], clock[LEVEL]
    now, before, behind = clock[SINCE], 0.0, np.inf
    while True:
        gap = np.log(_norm(wave, first, last)) - level
        before, behind = (now, behind) if gap > 0 else (before, now)
        if abs(gap) < CLOSE or (behind < np.inf and behind - before <= 1e-15 * behind):
            clock[SINCE] = now
            return True
        upcoming = times[count[SEEN]] - begin
        if behind == np.inf and (count[SERIES] >= most or _spread(place, count[FIRST], count[LAST], wave)):
            clock[SINCE] = now
            return False
        rate = _fall(packed, middle, first, last, wave, work)
        goal = now + gap / rate if rate > 0 else np.inf
        if behind < np.inf and not before < goal < behind:
            goal = (before + behind) / 2
        if behind > upcoming:
            goal = min(goal, upcoming)
        if abs(goal - now) * bound > REACH:
            goal = now + np.copysign(REACH / bound, goal - now)
        _propagate(packed, middle, bound, first, last, goal - now, wave, work)
        now = goal
        count[SERIES] += 1
        while now == times[count[SEEN]] - begin and np.log(_norm(wave, first, last)) > level:
            look(place, wave, table, out[count[SEEN]])
            count[SEEN] += 1
            if count[SEEN] == len(times):
                clock[SINCE] = now
                return False


@compiled(
    f"int64(FunctionType(void({_PLACE}, {_TABLE}, {_WAVE}, {_WAVE}, {_WAVE})), "
    f"FunctionType(void({_PLACE}, {_WAVE}, {_TABLE}, {_REAL})), "
    f"FunctionType(void(int64, {_PLACE}, {_WAVE}, {_TABLE}, {_WAVE})), "
    f"FunctionType(void({_PLACE}, {_WAVE}, {_TABLE}, {_REAL})), FunctionType(int64({_REAL}, float64, npy_rng)), "
    f"int64, {_TABLE}, {_PLACE}, {_WAVE}, {_PLACE}, {_REAL}, npy_rng, {_REAL}, int64, {_TABLE})"
)
def unravel(
    generator: Any, rates: Any, jump: Any, look: Any, chosen: Any, kinds: Any, table: Any, place: Any, wave: Any, count: Any,
    clock: Any, random: Any, times: Any, most: Any, out: Any,
) -> Any:  # fmt: skip
    """Move a wave towards the last time, as `walk` does a place; it shrinks until |wave|^2 is a random number, and jumps then.

    J. Dalibard, Y. Castin and K. Molmer, Phys. Rev. Lett. 68, 580 (1992).
    """
    matrix, packed = np.empty((3, len(wave)), np.complex128), np.empty((6, len(wave)))
    work, each, effort = np.empty((3, 2, len(wave) + 2)), np.empty(kinds), 0
    while True:
        if count[LAST] < 0:
            count[FIRST], count[LAST] = place[-2], place[-1]
        _trim(place, count[FIRST], count[LAST], wave)
        generator(place, table, matrix[0], matrix[1], matrix[2])
        middle, bound = _packed(matrix[0], matrix[1], matrix[2], place[-2], place[-1], packed)
        if not bound < np.inf:
            return TOO_LARGE
        if (times[-1] - clock[BEGAN]) * bound > REACH * STEPS * most or count[SERIES] >= STEPS * most:
            return TOO_MANY  # the first would be found out after all these steps
        if clock[LEVEL] == 0:
            clock[LEVEL], clock[SINCE] = -random.standard_exponential(), 0.0
        width, before = place[-1] - place[-2] + 1, count[SERIES]
        limit = min(STEPS * most, before + 1 + PAUSE_OF_WAVES // width)
        if _shrink(look, place, table, packed, middle, bound, wave, work, count, clock, times, limit, out):
            if count[JUMPS] == most:
                return TOO_MANY
            rates(place, wave, table, each)
            jump(chosen(each, each.sum(), random), place, wave, table, matrix[0])
            wave[:] = 0
            length = np.sqrt(_norm(matrix[0], place[-2], place[-1]))
            if not length > 0:
                return TOO_LARGE
            for n in range(place[-2], place[-1] + 1):
                wave[n] = matrix[0, n] / length
            count[JUMPS] += 1
            count[LAST] = -1
            clock[BEGAN] += clock[SINCE]
            clock[LEVEL] = 0
        elif count[SEEN] == len(times):
            wave /= np.sqrt(_norm(wave, place[-2], place[-1]))
            clock[LEVEL] = 0  # what is left of the way to the next jump has no memory, either
            return DONE
        effort += (count[SERIES] - before + 2) * width
        if effort > PAUSE_OF_WAVES:
            return PAUSED
