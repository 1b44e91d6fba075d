"""Uncoupled subsystems, solved exactly: Schur form of each subsystem, one Sylvester equation per block.

R. H. Bartels and G. W. Stewart, Commun. ACM 15, 820 (1972).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy import linalg

from spinsync.base.compiled import compiled
from spinsync.problems.linear.products.operator import ProductSpace, apply_along

BLOCK = 24  # columns that are solved one by one before the other columns are updated
ROUNDING = 1e-16  # smallest pivot, relative to the diagonal


@dataclass(frozen=True)
class SchurForm:
    """The Schur form U T U^+ of a matrix: T, U and U^+."""

    triangle: np.ndarray
    vectors: np.ndarray
    adjoint: np.ndarray


class SchurForms:
    """Schur forms of the subsystems' generators, computed on demand."""

    def __init__(self, space: ProductSpace) -> None:
        self._space = space
        self._schur: dict[tuple[int, int, bool], SchurForm] = {}

    def form(self, subsystem: int, charge: int, transposed: bool = False) -> SchurForm:
        """Schur form of a subsystem's generator, or of its transpose."""
        key = (subsystem, charge, transposed)
        if key not in self._schur:
            self._schur[key] = self._computed(*key)
        return self._schur[key]

    def _computed(self, subsystem: int, charge: int, transposed: bool) -> SchurForm:
        if transposed:  # reversed order turns the lower triangle into an upper one
            direct = self.form(subsystem, charge)
            triangle, vectors = np.asfortranarray(direct.triangle.T[::-1, ::-1]), direct.vectors.conj()[:, ::-1]
        elif charge < 0:  # conjugate of the opposite charge
            opposite = self.form(subsystem, -charge)
            triangle, vectors = opposite.triangle.conj(), opposite.vectors.conj()
        else:
            triangle, vectors = linalg.schur(self._space.local(subsystem, charge).toarray(), output="complex")
            triangle = np.asfortranarray(triangle)
        return SchurForm(triangle, vectors, vectors.conj().T)


class UncoupledSolver:
    """Solves (sum of the subsystems' generators - shift) y = f in every block of a product space.

    schur : Schur forms to share; transposed : solve with the transposed generators
    """

    def __init__(self, space: ProductSpace, shift: complex, schur: SchurForms | None = None, transposed: bool = False) -> None:
        self._space, self._shift, self._transposed = space, shift, transposed
        self._schur = SchurForms(space) if schur is None else schur

    def solve(self, right: np.ndarray) -> np.ndarray:
        out = np.empty(right.shape, complex)
        blocks = self._space.tensors(out)
        for key, tensor in self._space.tensors(right).items():
            schur = [self._schur.form(subsystem, charge, self._transposed) for subsystem, charge in enumerate(key)]
            rotated = reduce(lambda x, k: apply_along(schur[k].adjoint, x, k), range(len(key)), tensor)
            solved = solve_triangular([form.triangle for form in schur], rotated, self._shift)
            blocks[key][...] = reduce(lambda x, k: apply_along(schur[k].vectors, x, k), range(len(key)), solved)
        return out


def solve_triangular(triangles: list[np.ndarray], right: np.ndarray, shift: complex) -> np.ndarray:
    """Y with (T_1 + T_2 + ... - shift) Y = right, where each upper triangle T acts on its own axis."""
    *others, last = triangles
    if len(others) == 1:
        rows = np.array(right.T, complex, order="C")
        _substitute_blocks(np.ascontiguousarray(others[0].T), np.ascontiguousarray(last.T), shift, rows)
        return rows.T
    out = np.array(right, complex)
    for k in reversed(range(len(last))):
        out[..., k] = solve_triangular(others, out[..., k], shift - last[k, k])
        out[..., :k] -= out[..., k, None] * last[:k, k]
    return out


def _substitute_blocks(first: np.ndarray, second: np.ndarray, shift: complex, rows: np.ndarray) -> None:
    """Solve first^T Y + Y second - shift Y = C in place for lower triangles `first` and `second`; row k has column k of C, then
    of Y. The last column comes first."""
    smallest_pivot = ROUNDING * float(abs(first.diagonal()).max() + abs(second.diagonal()).max() + abs(shift))
    for end in range(len(rows), 0, -BLOCK):
        begin = max(end - BLOCK, 0)
        _substitute_block(first, second, complex(shift), smallest_pivot, rows, begin, end)
        if begin:
            rows[:begin] -= second[begin:end, :begin].T @ rows[begin:end]


@compiled("void(complex128[:,::1], complex128[:,::1], complex128, float64, complex128[:,::1], int64, int64)")
def _substitute_block(
    first: np.ndarray, second: np.ndarray, shift: complex, smallest_pivot: float, rows: np.ndarray, begin: int, end: int
) -> None:
    """Back substitution for rows `begin` to `end`, in place, by single columns."""
    size = rows.shape[1]
    for k in range(end - 1, begin - 1, -1):
        for i in range(size - 1, -1, -1):
            pivot = first[i, i] + second[k, k] - shift
            value = rows[k, i] / (pivot if abs(pivot) > smallest_pivot else smallest_pivot)
            rows[k, i] = value
            for j in range(i):
                rows[k, j] -= first[i, j] * value
        for c in range(begin, k):
            factor = second[k, c]
            for j in range(size):
                rows[c, j] -= rows[k, j] * factor
