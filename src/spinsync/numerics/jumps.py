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
def _moved(diagonal: Any, up: Any, down: Any, first: Any, last: Any, vector: Any, factor: Any, out: Any) -> Any:
    """out = factor * generator * vector; the largest |component|^2."""
    largest = 0.0
    for n in range(first, last + 1):
        value = diagonal[n] * vector[n]
        if n > first:
            value += up[n - 1] * vector[n - 1]
        if n < last:
            value += down[n + 1] * vector[n + 1]
        out[n] = factor * value
        largest = max(largest, out[n].real ** 2 + out[n].imag ** 2)
    return largest


@compiled()
def _propagate(diagonal: Any, up: Any, down: Any, first: Any, last: Any, time: Any, wave: Any, term: Any, after: Any) -> None:
    """wave -> exp(time * generator) wave, by its Taylor series."""
    largest = 0.0
    for n in range(first, last + 1):
        term[n] = wave[n]
        largest = max(largest, wave[n].real ** 2 + wave[n].imag ** 2)
    for k in range(1, TERMS):
        size = _moved(diagonal, up, down, first, last, term, time / k, after)
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
def _fall(diagonal: Any, up: Any, down: Any, first: Any, last: Any, wave: Any, out: Any) -> Any:
    """-d ln|wave|^2/dt: the rate of all jumps."""
    _moved(diagonal, up, down, first, last, wave, 1.0, out)
    slope = 0.0
    for n in range(first, last + 1):
        slope -= 2 * (wave[n].real * out[n].real + wave[n].imag * out[n].imag)
    return slope / _norm(wave, first, last)


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

    J. Dalibard, Y. Castin and K. Molmer, Phys. Rev. Lett. 68, 580 (1992). The moment is found by Newton's method on
    ln|wave|^2, within brackets.
    """
    diagonal, up, down = np.empty_like(wave), np.empty_like(wave), np.empty_like(wave)
    term, after = np.empty_like(wave), np.empty_like(wave)
    each = np.empty(kinds)
    last_jump, jumps, steps, k = times[0], 0, 0, 0
    while True:
        generator(place, table, diagonal, up, down)
        first, last = place[-2], place[-1]
        bound = 0.0
        for n in range(first, last + 1):
            bound = max(bound, abs(diagonal[n]) + abs(up[n]) + abs(down[n]))
        if not bound < np.inf:
            return TOO_LARGE
        level = -random.standard_exponential()
        now, before, behind = 0.0, 0.0, np.inf  # since the last jump: differences keep their digits at late times
        while True:
            gap = np.log(_norm(wave, first, last)) - level
            before, behind = (now, behind) if gap > 0 else (before, now)
            if abs(gap) < CLOSE or (behind < np.inf and behind - before <= 1e-15 * behind):
                break
            rate = _fall(diagonal, up, down, first, last, wave, after)
            goal, sample = now + gap / rate if rate > 0 else np.inf, times[k] - last_jump
            if behind < np.inf and not before < goal < behind:
                goal = (before + behind) / 2
            if behind > sample:
                goal = min(goal, sample)
            if abs(goal - now) * bound > REACH:
                goal = now + np.copysign(REACH / bound, goal - now)
            _propagate(diagonal, up, down, first, last, goal - now, wave, term, after)
            now = goal
            steps += 1
            if steps > STEPS * most:
                return TOO_MANY
            while now == times[k] - last_jump and np.log(_norm(wave, first, last)) > level:
                look(place, wave, table, out[k])
                k += 1
                if k == len(times):
                    wave /= np.sqrt(_norm(wave, first, last))
                    return jumps
        if jumps == most:
            return TOO_MANY
        last_jump += now
        rates(place, wave, table, each)
        jump(_chosen(each, each.sum(), random), place, wave, table, after)
        wave[:] = 0
        length = np.sqrt(_norm(after, place[-2], place[-1]))
        for n in range(place[-2], place[-1] + 1):
            wave[n] = after[n] / length
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
    out = np.empty((len(moving), len(times), problem.numbers))
    rules, table = problem.rules, problem.table

    def work(i: int) -> int:
        one = moving[i]
        if isinstance(rules, Walk):
            return int(walk(rules.rates, rules.look, rules.changes, table, one.place, one.random, times, most, out[i]))
        return int(unravel(
            rules.generator, rules.rates, rules.jump, rules.look, problem.jumps, table, one.place, one.wave, one.random,
            times, most, out[i],
        ))  # fmt: skip

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        made = list(pool.map(work, range(len(moving))))
    return out, min(made) if min(made) < 0 else sum(made)
