"""Lines: the decaying modes of total charge 1 with which <J_-> moves, from whatever start.

With the receiver r = J_- as a covector, they are the eigenvalues of L on the covectors that r, r L, r L^2, ... span: a mode
that symmetry hides from J_- is not among them, and modes with one eigenvalue are one line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import linalg

from spinsync.problems.linear.bases import Basis
from spinsync.problems.outcome import CrowdedError, FewError

VISIBLE = 1e-7  # cosine of the angle between the receiver and what a line needs to be seen
ROUNDING = 1e-16  # of the largest rate
BACKWARD = 1e-15  # of the norm: a matrix for which eigenvalues found by the QR algorithm are exact is so near
LARGEST = 1e150  # rate: squares of larger ones overflow
CERTAIN = 1e-3  # relative error of a line by rounding, at most
CONTRAST = 1e-6  # of a line: below is what rounding makes of the largest rate, or nobody knows which modes are seen


@dataclass(frozen=True)
class Line:
    """An eigenvalue and what is known of it.

    error : of the value, by rounding and by what the method leaves out
    condition : length of the right vector times that of the left one, over their product
    degenerate : whether another line is as slow, within the errors
    """

    value: complex
    error: float
    condition: float = 1.0
    degenerate: bool = False


def ordered(lines: Iterable[Line]) -> list[Line]:
    """Slowest first; of those that are equally slow within their errors, the highest frequency, -Im, first."""
    waiting = sorted(lines, key=lambda line: -line.value.real)
    out: list[Line] = []
    while waiting:
        first, number = waiting[0], 1
        while number < len(waiting) and first.value.real - waiting[number].value.real <= first.error + waiting[number].error:
            number += 1
        alike = sorted(waiting[:number], key=lambda line: line.value.imag)
        out += [replace(line, degenerate=number > 1) for line in alike]
        waiting = waiting[number:]
    return out


def certain(line: Line, fastest: float, slowest: float) -> Line:
    """The line, if double precision knows it.

    fastest, slowest : largest and smallest rate of the generator, but for zero

    Raises CrowdedError or OverflowError if rounding blurs it, because modes nearly coincide, or because rates differ by too
    many orders; if it would grow.
    """
    scale = max(abs(line.value), slowest)
    if not ROUNDING * fastest <= CONTRAST * scale:
        raise OverflowError
    if not line.error <= CERTAIN * scale:
        raise CrowdedError
    if line.value.real > line.error:
        raise OverflowError
    return line


def of_matrix(block: Any, receiver: np.ndarray, number: int) -> list[Line]:
    """The slowest `number` lines of a small matrix, in order.
    Raises FewError if there are fewer, CrowdedError or OverflowError if double precision does not know them."""
    fastest = float(abs(block).sum(axis=0).max())
    if not fastest < LARGEST:
        raise OverflowError
    transposed = block.T.tocsr()
    small, _ = seen(lambda covector: np.asarray(transposed @ covector), receiver, receiver.size)
    return of_seen(small, fastest, slowest_rate(block.diagonal()), number)


def slowest_rate(diagonal: np.ndarray) -> float:
    """Smallest modulus, but for zero."""
    return float(abs(diagonal[diagonal != 0]).min(initial=np.inf))


def of_seen(small: np.ndarray, fastest: float, slowest: float, number: int) -> list[Line]:
    """The same from the generator on the space that the receiver spans, which is its first vector."""
    values, left, right = linalg.eig(small, left=True)  # of unit length
    with np.errstate(divide="ignore"):
        conditions = 1 / abs(np.sum(left.conj() * right, axis=0))
    found = abs(left[0]) > VISIBLE
    if found.sum() < number:
        raise FewError(int(found.sum()), number)
    known = zip(values[found].tolist(), conditions[found].tolist(), strict=True)
    lines = ordered(Line(value, BACKWARD * fastest * condition, condition) for value, condition in known)
    return [certain(line, fastest, slowest) for line in lines[:number]]


def seen(apply_transposed: Callable[[np.ndarray], np.ndarray], receiver: np.ndarray, most: int) -> tuple[np.ndarray, bool]:
    """The generator on the covectors that the receiver spans, up to so many of them, and whether these are all."""
    basis, closed = Basis(receiver + 0j, most), False
    while not closed and len(basis.rows) < most:
        closed = not basis.extend(apply_transposed(basis.last))
    size = len(basis.rows)
    return basis.small[:size, :size], closed
