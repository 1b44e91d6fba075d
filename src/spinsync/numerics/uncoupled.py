"""Parts without what couples them, solved exactly: Schur forms of each part, one Sylvester equation per block.

R. H. Bartels and G. W. Stewart, Commun. ACM 15, 820 (1972); split in halves: I. Jonsson and B. Kågström, ACM Trans.
Math. Softw. 28, 392 (2002).
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from scipy import linalg

from spinsync.data.products import Products, along

LEAF = 48  # rows and columns that are not split further


class Forms:
    """Schur forms of the parts' generators, made when they are asked for."""

    def __init__(self, space: Products) -> None:
        self._space = space
        self._forms: dict[tuple[int, int, bool], tuple[np.ndarray, np.ndarray]] = {}

    def of(self, part: int, charge: int, transposed: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """T and U of the generator U T U^+ of a part, or of its transpose; of the opposite charge, the conjugates."""
        key = (part, charge, transposed)
        if key not in self._forms:
            self._forms[key] = self._made(*key)
        return self._forms[key]

    def _made(self, part: int, charge: int, transposed: bool) -> tuple[np.ndarray, np.ndarray]:
        if transposed:  # in the opposite order a lower triangle is an upper one
            upper, basis = self.of(part, charge)
            return upper.T[::-1, ::-1], basis.conj()[:, ::-1]
        if charge < 0:
            upper, basis = self.of(part, -charge)
            return upper.conj(), basis.conj()
        upper, basis = linalg.schur(self._space.local(part, charge).toarray(), output="complex")
        return upper, basis


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
            bases = [basis for _, basis in forms]
            turned = reduce(lambda x, k: along(bases[k].conj().T, x, k), range(len(key)), tensor)
            solved = triangular([upper for upper, _ in forms], turned, self._shift)
            into[key][...] = reduce(lambda x, k: along(bases[k], x, k), range(len(key)), solved)
        return out


def triangular(uppers: list[np.ndarray], right: np.ndarray, shift: complex) -> np.ndarray:
    """Y with (T_1 + T_2 + ... - shift) Y = right, each upper triangular T acting on an axis of its own."""
    *others, last = uppers
    if len(others) == 1:
        first = others[0] - shift * np.eye(len(others[0]))
        out = np.array(right, complex, order="F")
        _halves(first, last, out)
        return out
    out = np.array(right, complex)
    for k in reversed(range(len(last))):
        out[..., k] = triangular(others, out[..., k], shift - last[k, k])
        out[..., :k] -= out[..., k, None] * last[:k, k]
    return out


def _halves(first: np.ndarray, second: np.ndarray, out: np.ndarray) -> None:
    """T_1 Y + Y T_2^T = right in place: the larger of both is split, and what is known moves to the right."""
    rows, columns = out.shape
    if max(rows, columns) <= LEAF:
        _leaf(first, second, out)
    elif rows >= columns:
        h = rows // 2
        _halves(first[h:, h:], second, out[h:])
        out[:h] -= first[:h, h:] @ out[h:]
        _halves(first[:h, :h], second, out[:h])
    else:
        h = columns // 2
        _halves(first, second[h:, h:], out[:, h:])
        out[:, :h] -= out[:, h:] @ second[:h, h:].T
        _halves(first, second[:h, :h], out[:, :h])


def _leaf(first: np.ndarray, second: np.ndarray, out: np.ndarray) -> None:
    trsyl: Any = linalg.get_lapack_funcs("trsyl", (out,))
    solved, scale, _ = trsyl(first, second.conj(), out, tranb="C")
    out[...] = solved / scale
