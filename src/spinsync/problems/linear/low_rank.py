"""Lines and response of `Fluctuations` dg/dt = (D + U V^T) g, with a diagonal D and matrices U, V of few or many columns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import linalg

from spinsync.base.interrupts import check_interrupt
from spinsync.base.progress import report
from spinsync.problems.linear.bases import Basis
from spinsync.problems.linear.fluctuations import Fluctuations
from spinsync.problems.linear.lines import BACKWARD, LARGEST, Line, checked, lines_of_projection, slowest_rate
from spinsync.problems.outcome import NoLineError, TooFewLinesError

FIRST = 40  # vectors of the first Krylov space in which lines are sought
ALLOWED = 1e-13  # residual of a line relative to the largest rate
CHUNK = 2**20  # numbers of a chunk of frequencies


def slowest_lines(own: Fluctuations, number: int) -> list[Line]:
    """The slowest `number` lines outside the continuous spectrum, in order.
    Raises NoLineError if there is none, TooFewLinesError if there are fewer, IllConditionedError or OverflowError if double
    precision does not suffice."""
    lines = _slowest_modes(own, number)
    outside = [line for line in lines if _resolved(own, line)]
    if not outside:
        raise NoLineError
    if len(outside) < number:
        raise TooFewLinesError(len(outside), number)
    return lines


def _resolved(own: Fluctuations, line: Line) -> bool:
    """Whether a mode is above the continuous spectrum at its frequency."""
    continuous = np.flatnonzero(own.band > -np.inf)
    nearest = continuous[np.argsort(abs(own.diagonal.imag[continuous] - line.value.imag))[:1]]
    return bool(np.all(line.value.real > own.band[nearest] + line.error))


def _slowest_modes(own: Fluctuations, number: int) -> list[Line]:
    """The slowest `number` modes that are visible in the observable, in order, from its Krylov spaces of growing size."""
    columns = np.linalg.norm(own.left, axis=0) @ np.linalg.norm(own.right, axis=0)
    fastest, slowest = float(abs(own.diagonal).max() + columns), slowest_rate(own.diagonal)  # bounds of the rates
    if not fastest < LARGEST:
        raise OverflowError
    for projected, residual in _projections(own, FIRST + 4 * number):
        if not residual:
            return lines_of_projection(projected, fastest, slowest, number)
        if lines := _separate_lines(projected, residual, fastest, number):
            return [checked(line, fastest, slowest) for line in lines]
    raise OverflowError


def _projections(own: Fluctuations, first: int) -> Iterator[tuple[np.ndarray, float]]:
    """Projections on Krylov spaces of doubling size, and what the last vector leaves out of the space: 0 at the full one."""
    size, most = first, own.observable.size
    basis = Basis(own.observable + 0j, most)
    invariant = False
    while not invariant:
        check_interrupt()
        report(len(basis.rows) / most)
        covector = basis.last
        image = own.diagonal * covector + own.right @ (own.left.T @ covector)
        invariant = not basis.extend(image) or len(basis.rows) == most
        found = len(basis.rows)
        if invariant or found == size:
            left_out = 0.0 if invariant else float(abs(basis.hessenberg[found, found - 1]))
            yield basis.hessenberg[:found, :found], left_out
            size *= 2


def _separate_lines(projected: np.ndarray, residual: float, fastest: float, number: int) -> list[Line]:
    """The slowest lines if they have converged and no other one is as slow, else none."""
    values, left, right = linalg.eig(projected, left=True)
    slow = np.argsort(-values.real)[: number + 1]
    conditions = 1 / abs(np.sum(left.conj() * right, axis=0))[slow]
    errors = (BACKWARD + ALLOWED) * fastest * conditions
    unconverged = residual * abs(right[-1, slow[:number]]) > ALLOWED * fastest
    if slow.size <= number or unconverged.any() or not np.all(-np.diff(values.real[slow]) > errors[:-1] + errors[1:]):
        return []
    triples = zip(values[slow].tolist(), errors.tolist(), conditions.tolist(), strict=True)
    return [Line(*triple) for triple in triples][:number]


def response(own: Fluctuations, frequencies: np.ndarray) -> np.ndarray:
    """observable . (-i w - D - U V^T)^{-1} source for each w, complex array of shape (frequency,)."""
    components, columns = own.left.shape
    return _woodbury(own, frequencies) if columns**2 <= components else _triangular(own, frequencies)


def _woodbury(own: Fluctuations, frequencies: np.ndarray) -> np.ndarray:
    """By the formula of Woodbury, with R = 1/(-i w - D): R + R U (1 - V^T R U)^{-1} V^T R."""
    components, columns = own.left.shape
    loops = (own.right[:, :, None] * own.left[:, None]).reshape(components, -1)
    starts = np.concatenate([loops, own.right * own.source[:, None]], axis=1)
    ends = np.concatenate([own.left, own.source[:, None]], axis=1) * own.observable[:, None]
    out = []
    for some in np.array_split(frequencies, 1 + frequencies.size * components // CHUNK):
        check_interrupt()
        resolvent = 1 / (-1j * some[:, None] - own.diagonal)
        start, end = resolvent @ starts, resolvent @ ends
        loop = np.eye(columns) - start[:, : columns**2].reshape(-1, columns, columns)
        passed = np.linalg.solve(loop, start[:, columns**2 :, None])[..., 0]
        out.append(end[:, -1] + np.sum(end[:, :-1] * passed, axis=1))
    return np.concatenate(out)


def _triangular(own: Fluctuations, frequencies: np.ndarray) -> np.ndarray:
    """By a triangular solve at each frequency, in the basis of Schur's decomposition."""
    triangle, basis = linalg.schur(np.diag(own.diagonal) + own.left @ own.right.T, output="complex")
    start, end, identity = basis.conj().T @ own.source, own.observable @ basis, np.eye(own.source.size)
    out = np.empty(frequencies.size, complex)
    for k, w in enumerate(frequencies):
        check_interrupt()
        out[k] = end @ linalg.solve_triangular(-1j * w * identity - triangle, start, check_finite=False)
    return out
