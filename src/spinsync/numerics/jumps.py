"""Random trajectories: a Markov process on whole numbers, and quantum jumps of a wave. No physics here.

Waiting times are drawn exactly; there is no time step whose size would matter. Every trajectory has a random generator of
its own, so that results do not depend on threads or order.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types

from spinsync.base.compiled import compiled
from spinsync.data.problems import Jumps, Walk

REACH = 4.0  # norm of the exponent of one Taylor series: rounding grows to exp(4) units at most
TERMS = 60  # of it; 40 reach rounding
CLOSE = 1e-12  # of ln|wave|^2 to the level at which it jumps
STEPS = 100  # most Taylor series per allowed jump; 5 are usual
TOO_MANY, TOO_LARGE = -1, -2  # instead of the number of jumps: more than allowed; rates that are not finite

_PLACE, _REAL, _TABLE, _WAVE = types.int64[::1], types.float64[::1], types.float64[:, ::1], types.complex128[::1]
_RANDOM = types.npy_rng


@compiled()
def _chosen(rates: Any, total: Any, generator: Any) -> Any:
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


@compiled(types.int64(
    types.FunctionType(types.void(_PLACE, _TABLE, _REAL)), types.FunctionType(types.void(_PLACE, _TABLE, _REAL)),
    types.int64[:, ::1], _TABLE, _PLACE, _RANDOM, _REAL, types.int64, _TABLE,
))  # fmt: skip
def walk(rates: Any, look: Any, changes: Any, table: Any, place: Any, generator: Any, times: Any, most: Any, out: Any) -> Any:
    """Move `place` from times[0] to the last time and write what it looks like at each; the number of jumps, or why not.

    D. T. Gillespie, J. Phys. Chem. 81, 2340 (1977), direct method.
    """
    each = np.empty(len(changes))
    now, jumps, k = times[0], 0, 0
    while True:
        rates(place, table, each)
        total = each.sum()
        if not total < np.inf:
            return TOO_LARGE
        now += generator.standard_exponential() / total if total > 0 else np.inf
        while k < len(times) and times[k] <= now:
            look(place, table, out[k])
            k += 1
        if k == len(times):
            return jumps  # exponential waiting times have no memory: the jump under way may be drawn anew
        if jumps == most:
            return TOO_MANY
        change = changes[_chosen(each, total, generator)]
        for i in range(len(place)):
            place[i] += change[i]
        jumps += 1


@compiled()
def _moved(matrix: Any, first: Any, last: Any, vector: Any, factor: Any, out: Any) -> Any:
    """out = factor * generator * vector; the largest |component|^2. Rows of the matrix: diagonal, up, down, ..."""
    largest = 0.0
    for n in range(first, last + 1):
        value = matrix[0, n] * vector[n]
        if n > first:
            value += matrix[1, n - 1] * vector[n - 1]
        if n < last:
            value += matrix[2, n + 1] * vector[n + 1]
        out[n] = factor * value
        largest = max(largest, out[n].real ** 2 + out[n].imag ** 2)
    return largest


@compiled()
def _propagate(work: Any, first: Any, last: Any, time: Any, wave: Any) -> None:
    """wave -> exp(time * generator) wave, by its Taylor series."""
    term, after = work[3], work[4]
    largest = 0.0
    for n in range(first, last + 1):
        term[n] = wave[n]
        largest = max(largest, wave[n].real ** 2 + wave[n].imag ** 2)
    for k in range(1, TERMS):
        size = _moved(work, first, last, term, time / k, after)
        for n in range(first, last + 1):
            wave[n] += after[n]
        term, after = after, term
        if size < 1e-34 * largest:
            break


@compiled()
def _norm(wave: Any, first: Any, last: Any) -> Any:
    total = 0.0
    for n in range(first, last + 1):
        total += wave[n].real ** 2 + wave[n].imag ** 2
    return total


@compiled()
def _fall(work: Any, first: Any, last: Any, wave: Any) -> Any:
    """-d ln|wave|^2/dt: the rate of all jumps."""
    change = work[4]
    _moved(work, first, last, wave, 1.0, change)
    slope = 0.0
    for n in range(first, last + 1):
        slope -= 2 * (wave[n].real * change[n].real + wave[n].imag * change[n].imag)
    return slope / _norm(wave, first, last)


@compiled()
def _fastest(work: Any, first: Any, last: Any) -> Any:
    """A bound of the generator's norm: the largest sum of a column."""
    bound = 0.0
    for n in range(first, last + 1):
        column = abs(work[0, n]) + abs(work[1, n]) + abs(work[2, n])
        if not column < np.inf:
            return np.inf
        bound = max(bound, column)
    return bound


@compiled()
def _shrink(
    look: Any, place: Any, table: Any, work: Any, bound: Any, wave: Any, level: Any, begin: Any, times: Any, k: Any, most: Any,
    out: Any,
) -> Any:  # fmt: skip
    """Shrink the wave until ln|wave|^2 is the level or the last time is looked at: the time since `begin`, the next k, steps.

    Newton's method on ln|wave|^2, within brackets; time counts from the last jump, so that differences keep their digits.
    """
    first, last = place[-2], place[-1]
    now, before, behind, steps = 0.0, 0.0, np.inf, 0
    while steps < most:
        gap = np.log(_norm(wave, first, last)) - level
        before, behind = (now, behind) if gap > 0 else (before, now)
        if abs(gap) < CLOSE or (behind < np.inf and behind - before <= 1e-15 * behind):
            break
        rate = _fall(work, first, last, wave)
        goal = now + gap / rate if rate > 0 else np.inf
        if behind < np.inf and not before < goal < behind:
            goal = (before + behind) / 2
        if behind > times[k] - begin:
            goal = min(goal, times[k] - begin)
        if abs(goal - now) * bound > REACH:
            goal = now + np.copysign(REACH / bound, goal - now)
        _propagate(work, first, last, goal - now, wave)
        now = goal
        steps += 1
        while now == times[k] - begin and np.log(_norm(wave, first, last)) > level:
            look(place, wave, table, out[k])
            k += 1
            if k == len(times):
                return now, k, steps
    return now, k, steps


@compiled(types.int64(
    types.FunctionType(types.void(_PLACE, _TABLE, _WAVE, _WAVE, _WAVE)),
    types.FunctionType(types.void(_PLACE, _WAVE, _TABLE, _REAL)),
    types.FunctionType(types.void(types.int64, _PLACE, _WAVE, _TABLE, _WAVE)),
    types.FunctionType(types.void(_PLACE, _WAVE, _TABLE, _REAL)),
    types.int64, _TABLE, _PLACE, _WAVE, _RANDOM, _REAL, types.int64, _TABLE,
))  # fmt: skip
def unravel(
    generator: Any, rates: Any, jump: Any, look: Any, kinds: Any, table: Any, place: Any, wave: Any, random: Any, times: Any,
    most: Any, out: Any,
) -> Any:  # fmt: skip
    """The same for a wave, which shrinks until |wave|^2 is a random number, and jumps then.

    J. Dalibard, Y. Castin and K. Molmer, Phys. Rev. Lett. 68, 580 (1992).
    """
    work = np.empty((5, len(wave)), np.complex128)  # diagonal, up and down of the generator; two vectors
    each = np.empty(kinds)
    last_jump, jumps, steps, k = times[0], 0, 0, 0
    while True:
        generator(place, table, work[0], work[1], work[2])
        bound = _fastest(work, place[-2], place[-1])
        if not bound < np.inf:
            return TOO_LARGE
        if (times[-1] - last_jump) * bound > REACH * STEPS * most:
            return TOO_MANY  # would be found out after all these steps
        level, allowed = -random.standard_exponential(), STEPS * most - steps
        now, k, taken = _shrink(look, place, table, work, bound, wave, level, last_jump, times, k, allowed, out)
        if k == len(times):
            wave /= np.sqrt(_norm(wave, place[-2], place[-1]))
            return jumps
        if jumps == most or taken == allowed:
            return TOO_MANY
        last_jump += now
        steps += taken
        rates(place, wave, table, each)
        jump(_chosen(each, each.sum(), random), place, wave, table, work[4])
        wave[:] = 0
        length = np.sqrt(_norm(work[4], place[-2], place[-1]))
        for n in range(place[-2], place[-1] + 1):
            wave[n] = work[4, n] / length
        jumps += 1


@dataclass
class Traveller:
    """One trajectory: where it is, and its own random numbers."""

    place: np.ndarray
    wave: np.ndarray
    random: np.random.Generator


def travellers(problem: Jumps, seed: int, indices: Sequence[int]) -> list[Traveller]:
    """Trajectories at the first time; each depends on (seed, index) alone."""
    found = []
    for index in indices:
        random = np.random.default_rng([seed, index, 1])  # [seed, group] draws the default start of all
        found.append(Traveller(*problem.start(random), random))
    return found


def advance(
    problem: Jumps, moving: Sequence[Traveller], times: np.ndarray, most: int, threads: int | None = None
) -> tuple[np.ndarray, int]:
    """Move trajectories from times[0] to the last; numbers (trajectory, time, number), and jumps made by all.

    `most` jumps each: instead of the sum, TOO_MANY or TOO_LARGE if one trajectory fails.
    """
    out = np.empty((len(moving), len(times), problem.rules.numbers))
    rules, table = problem.rules, problem.table
    failed: list[int] = []

    def work(i: int) -> int:
        one = moving[i]
        if failed:
            return failed[0]
        if isinstance(rules, Walk):
            made = walk(rules.rates, rules.look, rules.changes, table, one.place, one.random, times, most, out[i])
        else:
            made = unravel(
                rules.generator, rules.rates, rules.jump, rules.look, rules.jumps, table, one.place, one.wave, one.random,
                times, most, out[i],
            )  # fmt: skip
        if made < 0:
            failed.append(int(made))
        return int(made)

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        made = list(pool.map(work, range(len(moving))))
    return out, min(made) if min(made) < 0 else sum(made)
