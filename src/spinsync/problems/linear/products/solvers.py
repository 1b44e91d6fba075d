"""Linear problems on products of parts: the steady state and the motion, without ever making the matrix.

The parts without their coupling, solved exactly, precondition the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from spinsync.problems.linear import arnoldi, resolvent
from spinsync.problems.linear.dense import CONTRAST
from spinsync.problems.linear.lines import LARGEST
from spinsync.problems.linear.products import gmres
from spinsync.problems.linear.products.operator import VECTORS, Products, afford
from spinsync.problems.linear.products.sylvester import Uncoupled
from spinsync.problems.linear.sectors import Parts
from spinsync.problems.outcome import SeveralError, SlowError

SHIFT = 1e-4  # of the fastest rate: the uncoupled parts have a steady state of their own
ROUNDING = 1e-14  # of the fastest rate: what the residual may come to
ALLOWED = 1e-10  # sum of the errors of all components
MOST_STEPS = 1500
INVERSE_STEPS = 4  # of inverse iteration for the uncoupled steady state; each gains a factor of the shift
INNER = 1e-12  # residual of a solution at one frequency
BASIS = 160  # vectors of a response: 20 frequencies that are solved
SAME = 1e-7  # distance of two answers that are one


def steady(parts: Parts, trace: np.ndarray) -> np.ndarray:
    """The state of total charge 0 at rest, whose product with `trace` is 1.

    Raises SeveralError if two starts end in two steady states, SlowError if the estimated error is not below ALLOWED,
    OverflowError if the rates are too large for double precision.
    """
    space = Products(parts, 0, half=True)
    trace = space.kept(trace)
    fastest = fastest_rate(space)
    alone = Uncoupled(space, SHIFT * fastest)
    guess = trace / trace.sum() + 0j
    for _ in range(INVERSE_STEPS):
        guess = alone.solve(guess)
        guess /= trace @ guess
    found = _from(space, alone, trace, guess, guess, fastest)
    contrast = fastest > CONTRAST * slowest_rate(space)
    if contrast or not parts.mixing:
        other = trace * np.random.default_rng(0).uniform(size=trace.size)
        again = _from(space, alone, trace, guess, other / other.sum() + 0j, fastest)
        if not abs(again - found).sum() <= SAME:
            raise OverflowError if contrast else SeveralError
    return space.completed(found)


def motion(parts: Parts, charge: int, start: np.ndarray, times: np.ndarray, trace: np.ndarray) -> Iterator[np.ndarray]:
    """The state of one total charge at each of `times`, one after the other; of charge 0 it is Hermitian.

    trace : as of `steady`, for long runs
    """
    space = Products(parts, charge, half=charge == 0)
    fastest = fastest_rate(space)
    if charge:
        yield from arnoldi.motion(space.apply, fastest, start + 0j, times)
        return

    def rest() -> np.ndarray | None:
        try:
            return (space.kept(steady(parts, trace)) + 0j).view(float)
        except (SeveralError, SlowError, OverflowError):
            return None

    half = (space.kept(start) + 0j).view(float)
    for state in arnoldi.motion(partial(real_apply, space), fastest, half, times, rest):
        yield space.completed(state.view(complex))


def real_apply(space: Products, vector: np.ndarray) -> np.ndarray:
    """The generator on a half of a Hermitian matrix as real numbers: such halves are no complex space."""
    return np.asarray(space.apply(vector.view(complex)).view(float))


def fastest_rate(space: Products) -> float:
    """Largest modulus that the diagonal can have. Raises OverflowError if squares of a rate are not finite."""
    diagonals = [[space.local(a, q).data for q in {key[a] for key in space.shape}] for a in range(len(space.zero))]
    total = sum(max(abs(values).max() for values in of_part) for of_part in diagonals)
    if not total < LARGEST:
        raise OverflowError
    return float(max(total, 1e-300))


def slowest_rate(space: Products) -> float:
    """Smallest modulus on the diagonal, but for zero."""
    smallest = np.inf
    for key in space.shape:
        total = space.local(0, key[0]).diagonal()
        for part, charge in enumerate(key[1:], 1):
            total = np.add.outer(total, space.local(part, charge).diagonal())
        smallest = min(smallest, abs(total[total != 0]).min(initial=np.inf))
    return float(smallest)


def _from(
    space: Products, alone: Uncoupled, trace: np.ndarray, guess: np.ndarray, start: np.ndarray, fastest: float
) -> np.ndarray:
    """start + y at rest, with y of trace 0.

    guess : the state at rest without coupling
    """

    def precondition(y: np.ndarray) -> np.ndarray:
        of_zero = y.view(complex) - guess * (trace @ y.view(complex))
        solved = alone.solve(of_zero)
        return np.asarray((solved - guess * (trace @ solved)).view(float))

    scale = fastest * float(np.linalg.norm(guess))
    right = -real_apply(space, start.view(float))
    solution = gmres.solve(partial(real_apply, space), precondition, right, ROUNDING * scale, VECTORS, MOST_STEPS)
    error = abs(precondition(solution.residual)).sum() / min(solution.weakest, 1.0)
    if not error <= ALLOWED:
        raise SlowError
    return np.asarray(start + solution.x.view(complex))


def response(parts: Parts, sender: np.ndarray, receiver: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """receiver . (-i w - L)^{-1} sender in total charge 1 for each w, complex array of shape (frequency,).

    Raises TooLargeError if memory can't hold what is needed, SlowError if an iteration does not reach INNER, OverflowError
    if there is no answer to double precision.
    """
    space = Products(parts, 1)
    afford(parts.sizes, BASIS * space.size)
    fastest_rate(space)

    def solver(w: float) -> gmres.Map:
        alone = Uncoupled(space, -1j * w)

        def solve(right: np.ndarray) -> np.ndarray:
            size = float(np.linalg.norm(right))
            found = gmres.solve(
                lambda v: -1j * w * v - space.apply(v), lambda v: -alone.solve(v), right, INNER * size, VECTORS // 2, MOST_STEPS
            )
            if not np.linalg.norm(found.residual) <= INNER * size:
                raise SlowError
            return np.asarray(found.x)

        return solve

    return resolvent.interpolated(space.apply, solver, sender, receiver, frequencies)
