"""A small model of a large generator on products: only the slow modes of each part, and what couples them.

Projection from both sides, on the right and the left modes of the parts: the error of an eigenvalue is the product of the
errors of its two vectors.
"""

from __future__ import annotations

from functools import reduce
from math import prod
from typing import Any

import numpy as np
from scipy import linalg

from spinsync.problems.linear.products.operator import Charges, Products, along
from spinsync.problems.linear.products.sylvester import Forms

ALIKE = 1e-9  # of a decay: equal groups keep equally many modes
Basis = tuple[np.ndarray, np.ndarray, np.ndarray]  # generator on the slow modes, right and left ones: left^T right = 1
RIGHT, LEFT = 1, 2  # of a basis


class SlowProducts:
    """The generator on products of the parts' modes that decay no faster than a limit.

    forms : of the space; components : of the model, at most: the limit follows
    """

    def __init__(self, space: Products, forms: Forms, components: int) -> None:
        self._space, self._forms = space, forms
        charges = {(part, charge) for key in space.shape for part, charge in enumerate(key)}
        decays = {key: np.sort(-forms.of(*key).upper.diagonal().real) for key in charges}
        limit = _limit(space, decays, components)
        self._bases = {key: self._basis(*key, limit) for key in charges if decays[key][0] <= limit}
        self._shape = {
            key: tuple(self._bases[place][0].shape[0] for place in enumerate(key))
            for key in space.shape if all(place in self._bases for place in enumerate(key))
        }  # fmt: skip
        ends = np.cumsum([prod(shape) for shape in self._shape.values()])
        self._place = {
            key: slice(int(end) - prod(shape), int(end)) for (key, shape), end in zip(self._shape.items(), ends, strict=True)
        }
        self.size = int(ends[-1])

    def modes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Eigenvalues, slowest first, right and left vectors of the model in the columns."""
        values, left, right = linalg.eig(self._matrix(), left=True)
        order = np.argsort(-values.real)
        return values[order], right[:, order], left[:, order].conj()

    def lifted(self, vector: np.ndarray, side: int) -> np.ndarray:
        """A vector (side RIGHT) or covector (side LEFT) of the model in the whole space."""
        out = np.zeros(self._space.size, complex)
        into = self._space.tensors(out)
        for key, place in self._place.items():
            bases = [self._bases[of][side] for of in enumerate(key)]
            into[key][...] = reduce(
                lambda x, k: along(bases[k], x, k), range(len(key)), vector[place].reshape(self._shape[key])
            )
        return out

    def _matrix(self) -> np.ndarray:
        out = np.zeros((self.size, self.size), complex)
        for key, place in self._place.items():
            ones = [np.eye(size) for size in self._shape[key]]
            for part, charge in enumerate(key):
                out[place, place] += _kron(*ones[:part], self._bases[part, charge][0], *ones[part + 1 :])
            for up, down, target, pairs in self._space.transfers(key):
                if target in self._place:
                    out[self._place[target], place] += sum(
                        _kron(*self._moved(key, target, {up: raised, down: lowered})) for raised, lowered in pairs
                    )
        return out

    def _moved(self, key: Charges, target: Charges, matrices: dict[int, Any]) -> list[np.ndarray]:
        """Matrices of some parts between their slow modes, ones for the others."""
        return [
            self._bases[part, target[part]][2].T @ (matrices[part] @ self._bases[part, key[part]][1])
            if part in matrices else np.eye(self._shape[key][part]) for part in range(len(key))
        ]  # fmt: skip

    def _basis(self, part: int, charge: int, limit: float) -> Basis:
        """The slow modes lead in a Schur form in their order; the left ones see nothing of the others."""
        form = self._forms.of(part, charge)
        upper, basis = form.upper, form.basis
        lapack: Any = linalg.get_lapack_funcs(("trsen", "trsyl"), (upper,))
        trsen, trsyl = lapack
        slow = -upper.diagonal().real <= limit
        if slow.all():
            return upper, basis, basis.conj()
        upper, basis, _, number, *_ = trsen(slow, upper, basis, job="N")
        inner = upper[:number, :number]
        # (1, P) T = T_11 (1, P)
        across, scale, _ = trsyl(inner, upper[number:, number:], upper[:number, number:], isgn=-1)
        left = np.hstack([np.eye(number), across / scale]) @ basis.conj().T
        return inner, basis[:, :number], left.T


def _kron(*matrices: np.ndarray) -> np.ndarray:
    return reduce(np.kron, matrices)


def _limit(space: Products, decays: dict[tuple[int, int], np.ndarray], components: int) -> float:
    """The largest decay for which the products of what decays no faster are not too many."""
    choices = np.unique(np.concatenate(list(decays.values())))

    def size(limit: float) -> int:
        number = {key: int(np.searchsorted(of_part, limit, side="right")) for key, of_part in decays.items()}
        return sum(prod(number[place] for place in enumerate(key)) for key in space.shape)

    low, high = 0, len(choices) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(choices[middle]) <= components else (low, middle - 1)
    return float(choices[low]) * (1 + ALIKE)
