"""Parts without what couples them, solved exactly: Schur forms of each part, one Sylvester equation per block.

R. H. Bartels and G. W. Stewart, Commun. ACM 15, 820 (1972).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy import linalg

from spinsync.base.compiled import compiled
from spinsync.problems.linear.products.operator import Products, along

BLOCK = 24  # columns that are found one by one, before the others are told
ROUNDING = 1e-16  # of the diagonal: a pivot is not smaller


@dataclass(frozen=True)
class Form:
    """The Schur form U T U^+ of a matrix: T, U and U^+."""

    upper: np.ndarray
    basis: np.ndarray
    adjoint: np.ndarray


class Forms:
    """Schur forms of the parts' generators, made when they are asked for."""

    def __init__(self, space: Products) -> None:
        self._space = space
        self._forms: dict[tuple[int, int, bool], Form] = {}

    def of(self, part: int, charge: int, transposed: bool = False) -> Form:
        """Of the generator of a part, or of its transpose."""
        key = (part, charge, transposed)
        if key not in self._forms:
            self._forms[key] = self._made(*key)
        return self._forms[key]

    def _made(self, part: int, charge: int, transposed: bool) -> Form:
        if transposed:  # in the opposite order a lower triangle is an upper one
            plain = self.of(part, charge)
            upper, basis = np.asfortranarray(plain.upper.T[::-1, ::-1]), plain.basis.conj()[:, ::-1]
        elif charge < 0:  # of the opposite charge, the conjugates
            opposite = self.of(part, -charge)
            upper, basis = opposite.upper.conj(), opposite.basis.conj()
        else:
            upper, basis = linalg.schur(self._space.local(part, charge).toarray(), output="complex")
            upper = np.asfortranarray(upper)
        return Form(upper, basis, basis.conj().T)


class Uncoupled:
    """Solves (sum of the parts' generators - shift) y = f in every block of a space of products.

    forms : from an earlier one, if there is one
    transposed : the same with the transposed generators
    """

    def __init__(self, space: Products, shift: complex, forms: Forms | None = None, transposed: bool = False) -> None:
        self._space, self._shift, self._transposed = space, shift, transposed
        self._forms = Forms(space) if forms is None else forms

    def solve(self, right: np.ndarray) -> np.ndarray:
        out = np.empty(right.shape, complex)
        into = self._space.tensors(out)
        for key, tensor in self._space.tensors(right).items():
            forms = [self._forms.of(part, charge, self._transposed) for part, charge in enumerate(key)]
            turned = reduce(lambda x, k: along(forms[k].adjoint, x, k), range(len(key)), tensor)
            solved = triangular([form.upper for form in forms], turned, self._shift)
            into[key][...] = reduce(lambda x, k: along(forms[k].basis, x, k), range(len(key)), solved)
        return out


def triangular(uppers: list[np.ndarray], right: np.ndarray, shift: complex) -> np.ndarray:
    """Y with (T_1 + T_2 + ... - shift) Y = right, each upper triangular T acting on an axis of its own."""
    *others, last = uppers
    if len(others) == 1:
        rows = np.array(right.T, complex, order="C")
        _substituted(np.ascontiguousarray(others[0].T), np.ascontiguousarray(last.T), shift, rows)
        return rows.T
    out = np.array(right, complex)
    for k in reversed(range(len(last))):
        out[..., k] = triangular(others, out[..., k], shift - last[k, k])
        out[..., :k] -= out[..., k, None] * last[:k, k]
    return out


def _substituted(first: np.ndarray, second: np.ndarray, shift: complex, rows: np.ndarray) -> None:
    """Columns of Y, one in each row, from the last to the first; first, second : lower triangles."""
    least = ROUNDING * float(abs(first.diagonal()).max() + abs(second.diagonal()).max() + abs(shift))
    for end in range(len(rows), 0, -BLOCK):
        begin = max(end - BLOCK, 0)
        _back(first, second, complex(shift), least, rows, begin, end)
        if begin:
            rows[:begin] -= second[begin:end, :begin].T @ rows[begin:end]


@compiled("void(complex128[:,::1], complex128[:,::1], complex128, float64, complex128[:,::1], int64, int64)")
def _back(first: np.ndarray, second: np.ndarray, shift: complex, least: float, rows: np.ndarray, begin: int, end: int) -> None:
    """The rows from `begin` to `end`, and what they take from each other."""
    size = rows.shape[1]
    for k in range(end - 1, begin - 1, -1):
        for i in range(size - 1, -1, -1):
            pivot = first[i, i] + second[k, k] - shift
            value = rows[k, i] / (pivot if abs(pivot) > least else least)
            rows[k, i] = value
            for j in range(i):
                rows[k, j] -= first[i, j] * value
        for c in range(begin, k):
            factor = second[k, c]
            for j in range(size):
                rows[c, j] -= rows[k, j] * factor
