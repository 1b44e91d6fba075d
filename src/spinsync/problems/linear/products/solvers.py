"""Coupled subsystems: steady state, time evolution and response without assembling the matrix.

The uncoupled subsystems, solved exactly, are the preconditioner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from spinsync.base.progress import part, report, silence
from spinsync.problems.linear import arnoldi, resolvent
from spinsync.problems.linear.dense import CONTRAST
from spinsync.problems.linear.lines import LARGEST
from spinsync.problems.linear.products import gmres
from spinsync.problems.linear.products.operator import VECTORS, ProductSpace, afford
from spinsync.problems.linear.products.sylvester import UncoupledSolver
from spinsync.problems.linear.sectors import Subsystems
from spinsync.problems.outcome import NotConvergedError, NotUniqueError

SHIFT = 1e-4  # shift of the uncoupled generator, which is singular, in units of the fastest rate
ROUNDING = 1e-14  # smallest residual that rounding allows, in units of the fastest rate
ALLOWED = 1e-10  # largest 1-norm of the error
MOST_STEPS = 1500  # of GMRES
INVERSE_STEPS = 4  # of inverse iteration for the uncoupled steady state; each reduces the error by about the shift
PREPARED = 0.1  # share of the time until the uncoupled steady state is known, for the progress line
RESIDUAL = 1e-12  # relative residual of a solution at one frequency
BASIS = 160  # vectors of a response: 20 shifts
EQUAL = 1e-7  # largest distance of two results that count as equal


def steady_state(subsystems: Subsystems, trace: np.ndarray) -> np.ndarray:
    """The steady state of total charge 0, normalized by trace . rho = 1.

    Raises NotUniqueError if two starting vectors give different states, NotConvergedError if the estimated error is not below
    ALLOWED, OverflowError if the rates are too large for double precision.
    """
    space = ProductSpace(subsystems, 0, half=True)
    trace = space.half_of(trace)
    fastest = fastest_rate(space)
    uncoupled = UncoupledSolver(space, SHIFT * fastest)
    guess = trace / trace.sum() + 0j
    report(0.0, "groups without coupling")
    for _ in range(INVERSE_STEPS):
        guess = uncoupled.solve(guess)
        guess /= trace @ guess
    ill_conditioned = fastest > CONTRAST * slowest_rate(space)
    twice = ill_conditioned or not subsystems.unique
    with part(PREPARED, 0.5 if twice else 1.0):
        result = _solve_from(space, uncoupled, trace, guess, guess, fastest)
    if twice:
        random_start = trace * np.random.default_rng(0).uniform(size=trace.size)
        with part(0.5, 1.0):
            second = _solve_from(space, uncoupled, trace, guess, random_start / random_start.sum() + 0j, fastest)
        if not abs(second - result).sum() <= EQUAL:
            raise OverflowError if ill_conditioned else NotUniqueError
    return space.full_from_half(result)


def motion(
    subsystems: Subsystems, charge: int, start: np.ndarray, times: np.ndarray, trace: np.ndarray,
    tell: Callable[[float], None] = report,
) -> Iterator[np.ndarray]:  # fmt: skip
    """The state of one total charge at each of `times`, one after the other; at charge 0 it is Hermitian.
    trace : covector as in `steady_state`, which ends long runs; tell : called with the completed fraction"""
    space = ProductSpace(subsystems, charge, half=charge == 0)
    fastest = fastest_rate(space)
    if charge:
        yield from arnoldi.motion(space.apply, fastest, start + 0j, times, tell=tell)
        return

    def steady_half() -> np.ndarray | None:
        try:
            with silence():  # it takes little of the run
                return (space.half_of(steady_state(subsystems, trace)) + 0j).view(float)
        except (NotUniqueError, NotConvergedError, OverflowError):
            return None

    half = (space.half_of(start) + 0j).view(float)
    for state in arnoldi.motion(partial(real_apply, space), fastest, half, times, steady_half, tell):
        yield space.full_from_half(state.view(complex))


def real_apply(space: ProductSpace, vector: np.ndarray) -> np.ndarray:
    """The generator on half of a Hermitian matrix as real numbers: complex multiples are not Hermitian."""
    return np.asarray(space.apply(vector.view(complex)).view(float))


def fastest_rate(space: ProductSpace) -> float:
    """Upper bound of the diagonal's modulus. Raises OverflowError if the square of a rate is not finite."""
    diagonals = [[space.local(a, q).data for q in {key[a] for key in space.shape}] for a in range(len(space.zero))]
    total = sum(max(abs(entries).max() for entries in values) for values in diagonals)
    if not total < LARGEST:
        raise OverflowError
    return float(max(total, 1e-300))


def slowest_rate(space: ProductSpace) -> float:
    """Smallest nonzero modulus on the diagonal."""
    smallest = np.inf
    for key in space.shape:
        total = space.local(0, key[0]).diagonal()
        for subsystem, charge in enumerate(key[1:], 1):
            total = np.add.outer(total, space.local(subsystem, charge).diagonal())
        smallest = min(smallest, abs(total[total != 0]).min(initial=np.inf))
    return float(smallest)


def _solve_from(
    space: ProductSpace, uncoupled: UncoupledSolver, trace: np.ndarray, guess: np.ndarray, start: np.ndarray, fastest: float
) -> np.ndarray:
    """The steady state start + y, with y of trace 0, by GMRES. guess : steady state without coupling"""

    def precondition(y: np.ndarray) -> np.ndarray:
        traceless = y.view(complex) - guess * (trace @ y.view(complex))
        solved = uncoupled.solve(traceless)
        return np.asarray((solved - guess * (trace @ solved)).view(float))

    scale = fastest * float(np.linalg.norm(guess))
    right = -real_apply(space, start.view(float))
    solution = gmres.solve(partial(real_apply, space), precondition, right, ROUNDING * scale, VECTORS, MOST_STEPS)
    error = abs(precondition(solution.residual)).sum() / min(solution.smallest_singular, 1.0)
    if not error <= ALLOWED:
        raise NotConvergedError
    return np.asarray(start + solution.x.view(complex))


def response(subsystems: Subsystems, source: np.ndarray, observable: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """observable . (-i w - L)^{-1} source in total charge 1 for each w, complex array of shape (frequency,).

    Raises TooLargeError if memory does not suffice, NotConvergedError if an iteration does not converge, OverflowError if
    double precision does not suffice.
    """
    space = ProductSpace(subsystems, 1)
    afford(subsystems.sizes, BASIS * space.size)
    fastest_rate(space)

    def solver(w: float) -> gmres.Map:
        uncoupled = UncoupledSolver(space, -1j * w)

        def solve(right: np.ndarray) -> np.ndarray:
            size = float(np.linalg.norm(right))
            result = gmres.solve(
                lambda v: -1j * w * v - space.apply(v), lambda v: -uncoupled.solve(v), right, RESIDUAL * size,
                VECTORS // 2, MOST_STEPS,
            )  # fmt: skip
            if not np.linalg.norm(result.residual) <= RESIDUAL * size:
                raise NotConvergedError
            return np.asarray(result.x)

        return solve

    return resolvent.projected_response(space.apply, solver, source, observable, frequencies)
