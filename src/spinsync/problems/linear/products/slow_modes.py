"""Reduced model of a large generator of coupled subsystems: the slow modes of each subsystem and their couplings.

Petrov-Galerkin projection on right and left modes: the error of an eigenvalue is the product of the errors of its vectors.
"""

from __future__ import annotations

from functools import reduce
from math import prod
from typing import Any

import numpy as np
from scipy import linalg

from spinsync.problems.linear.products.operator import Charges, ProductSpace, apply_along
from spinsync.problems.linear.products.sylvester import SchurForms

TOLERANCE = 1e-9  # relative, so that equal groups keep equally many modes
ModeBasis = tuple[np.ndarray, np.ndarray, np.ndarray]  # generator on the slow modes, right and left modes, left^T right = 1
RIGHT, LEFT = 1, 2  # indices in a ModeBasis


class SlowModeModel:
    """The generator on products of the subsystems' modes whose decay rate is below a limit.

    components : largest number of components of the model, which determines the limit
    """

    def __init__(self, space: ProductSpace, schur: SchurForms, components: int) -> None:
        self._space, self._schur = space, schur
        charges = {(subsystem, charge) for key in space.shape for subsystem, charge in enumerate(key)}
        decays = {key: np.sort(-schur.form(*key).triangle.diagonal().real) for key in charges}
        limit = _decay_limit(space, decays, components)
        self._bases = {key: self._basis(*key, limit) for key in charges if decays[key][0] <= limit}
        self._shape = {
            key: tuple(self._bases[pair][0].shape[0] for pair in enumerate(key))
            for key in space.shape if all(pair in self._bases for pair in enumerate(key))
        }  # fmt: skip
        ends = np.cumsum([prod(shape) for shape in self._shape.values()])
        self._slices = {
            key: slice(int(end) - prod(shape), int(end)) for (key, shape), end in zip(self._shape.items(), ends, strict=True)
        }
        self.size = int(ends[-1])

    def modes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Eigenvalues, slowest first, and right and left vectors of the model in columns."""
        values, left, right = linalg.eig(self._matrix(), left=True)
        order = np.argsort(-values.real)
        return values[order], right[:, order], left[:, order].conj()

    def embedded(self, vector: np.ndarray, side: int) -> np.ndarray:
        """A vector (side RIGHT) or covector (side LEFT) of the model in the full space."""
        out = np.zeros(self._space.size, complex)
        blocks = self._space.tensors(out)
        for key, block in self._slices.items():
            bases = [self._bases[pair][side] for pair in enumerate(key)]
            blocks[key][...] = reduce(
                lambda x, k: apply_along(bases[k], x, k), range(len(key)), vector[block].reshape(self._shape[key])
            )
        return out

    def _matrix(self) -> np.ndarray:
        out = np.zeros((self.size, self.size), complex)
        for key, block in self._slices.items():
            identities = [np.eye(size) for size in self._shape[key]]
            for k, charge in enumerate(key):
                out[block, block] += _kron(*identities[:k], self._bases[k, charge][0], *identities[k + 1 :])
            for up, down, target, pairs in self._space.couplings(key):
                if target in self._slices:
                    out[self._slices[target], block] += sum(
                        _kron(*self._projected_factors(key, target, {up: one, down: other})) for one, other in pairs
                    )
        return out

    def _projected_factors(self, key: Charges, target: Charges, factors: dict[int, Any]) -> list[np.ndarray]:
        """Factors of a coupling term between slow modes, and identities for the other subsystems."""
        return [
            self._bases[subsystem, target[subsystem]][2].T @ (factors[subsystem] @ self._bases[subsystem, key[subsystem]][1])
            if subsystem in factors else np.eye(self._shape[key][subsystem]) for subsystem in range(len(key))
        ]  # fmt: skip

    def _basis(self, subsystem: int, charge: int, limit: float) -> ModeBasis:
        """The slow modes, by reordering the Schur form; left modes are biorthogonal to all others (Sylvester equation)."""
        form = self._schur.form(subsystem, charge)
        triangle, vectors = form.triangle, form.vectors
        lapack: Any = linalg.get_lapack_funcs(("trsen", "trsyl"), (triangle,))
        trsen, trsyl = lapack
        slow = -triangle.diagonal().real <= limit
        if slow.all():
            return triangle, vectors, vectors.conj()
        triangle, vectors, _, number, *_ = trsen(slow, triangle, vectors, job="N")
        slow_triangle = triangle[:number, :number]
        # (1, P) T = T_11 (1, P)
        coupling, scale, _ = trsyl(slow_triangle, triangle[number:, number:], triangle[:number, number:], isgn=-1)
        left = np.hstack([np.eye(number), coupling / scale]) @ vectors.conj().T
        return slow_triangle, vectors[:, :number], left.T


def _kron(*factors: np.ndarray) -> np.ndarray:
    return reduce(np.kron, factors)


def _decay_limit(space: ProductSpace, decays: dict[tuple[int, int], np.ndarray], components: int) -> float:
    """The largest decay rate for which the model has at most `components` components."""
    choices = np.unique(np.concatenate(list(decays.values())))

    def size(limit: float) -> int:
        number = {key: int(np.searchsorted(rates, limit, side="right")) for key, rates in decays.items()}
        return sum(prod(number[pair] for pair in enumerate(key)) for key in space.shape)

    low, high = 0, len(choices) - 1
    while low < high:
        centre = (low + high + 1) // 2
        low, high = (centre, high) if size(choices[centre]) <= components else (low, centre - 1)
    return float(choices[low]) * (1 + TOLERANCE)
