"""Spectral lines: the decaying modes of charge 1 (coherence order 1) that appear in <J_->, for any initial state.

With the observable r = J_- as a covector, they are the eigenvalues of L on the Krylov space r, r L, r L^2, ...: modes
that are invisible in J_- by symmetry are absent, and degenerate modes are one line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import linalg

from spinsync.problems.linear.bases import Basis
from spinsync.problems.outcome import IllConditionedError, TooFewLinesError

VISIBLE = 1e-7  # cosine of the angle between the observable and a mode, above which the mode is visible
ROUNDING = 1e-16  # relative to the largest rate
BACKWARD = 1e-15  # relative backward error of eigenvalues by the QR algorithm
LARGEST = 1e150  # rate: squares of larger ones overflow
CERTAIN = 1e-3  # largest relative rounding error of a line
CONTRAST = 1e-6  # largest ratio of rounding of the largest rate to a line; beyond, visible modes cannot be identified


@dataclass(frozen=True)
class Line:
    """An eigenvalue of sector 1 with its accuracy.

    error : rounding and truncation error of the value
    condition : condition number of the eigenvalue, |left vector| |right vector| / |left . right|
    degenerate : whether another line has the same decay rate within the errors
    """

    value: complex
    error: float
    condition: float = 1.0
    degenerate: bool = False


def ordered(lines: Iterable[Line]) -> list[Line]:
    """Slowest first; among lines of equal decay rate within their errors, the highest frequency, -Im, first."""
    waiting = sorted(lines, key=lambda line: -line.value.real)
    out: list[Line] = []
    while waiting:
        first, number = waiting[0], 1
        while number < len(waiting) and first.value.real - waiting[number].value.real <= first.error + waiting[number].error:
            number += 1
        tied = sorted(waiting[:number], key=lambda line: line.value.imag)
        out += [replace(line, degenerate=number > 1) for line in tied]
        waiting = waiting[number:]
    return out


def checked(line: Line, fastest: float, slowest: float) -> Line:
    """The line, after a check of its accuracy. fastest, slowest : largest and smallest nonzero rate of the generator

    Raises IllConditionedError if the rounding error is too large because modes nearly coincide; OverflowError if rates differ
    by too many orders of magnitude, or if the mode would grow.
    """
    scale = max(abs(line.value), slowest)
    if not ROUNDING * fastest <= CONTRAST * scale:
        raise OverflowError
    if not line.error <= CERTAIN * scale:
        raise IllConditionedError
    if line.value.real > line.error:
        raise OverflowError
    return line


def lines_of_matrix(block: Any, observable: np.ndarray, number: int) -> list[Line]:
    """The slowest `number` lines of a small matrix, in order.
    Raises TooFewLinesError if there are fewer, IllConditionedError or OverflowError if double precision does not suffice."""
    fastest = float(abs(block).sum(axis=0).max())
    if not fastest < LARGEST:
        raise OverflowError
    transposed = block.T.tocsr()
    projected, _ = krylov_projection(lambda covector: np.asarray(transposed @ covector), observable, observable.size)
    return lines_of_projection(projected, fastest, slowest_rate(block.diagonal()), number)


def slowest_rate(diagonal: np.ndarray) -> float:
    """Smallest nonzero modulus."""
    return float(abs(diagonal[diagonal != 0]).min(initial=np.inf))


def lines_of_projection(projected: np.ndarray, fastest: float, slowest: float, number: int) -> list[Line]:
    """The slowest `number` lines from the generator projected on the Krylov space of the observable, its first basis vector."""
    values, left, right = linalg.eig(projected, left=True)  # normalized
    with np.errstate(divide="ignore"):
        conditions = 1 / abs(np.sum(left.conj() * right, axis=0))
    visible = abs(left[0]) > VISIBLE
    if visible.sum() < number:
        raise TooFewLinesError(int(visible.sum()), number)
    pairs = zip(values[visible].tolist(), conditions[visible].tolist(), strict=True)
    lines = ordered(Line(value, BACKWARD * fastest * condition, condition) for value, condition in pairs)
    return [checked(line, fastest, slowest) for line in lines[:number]]


def krylov_projection(
    apply_transposed: Callable[[np.ndarray], np.ndarray], observable: np.ndarray, most: int
) -> tuple[np.ndarray, bool]:
    """Projection of the generator on the Krylov space of the observable, up to `most` vectors, and whether it is invariant."""
    basis, invariant = Basis(observable + 0j, most), False
    while not invariant and len(basis.rows) < most:
        invariant = not basis.extend(apply_transposed(basis.last))
    size = len(basis.rows)
    return basis.hessenberg[:size, :size], invariant
