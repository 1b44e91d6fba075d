"""Vectors on the tensor product of subsystems at fixed total charge, and the generator applied to them factor by factor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, reduce
from itertools import product
from math import prod
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.problems import outcome
from spinsync.problems.linear.sectors import Subsystems

Charges = tuple[int, ...]
FactorPairs = Sequence[tuple[Any, Any]]  # matrices of two subsystems
FactorsOf = Callable[[int, int, int], FactorPairs]  # coupling term, charges of both subsystems -> factors
VECTORS = 100  # vectors that a solver keeps at once


def needed_bytes(sizes: Sequence[Array]) -> float:
    """Bytes of memory that solvers need: vectors of total charge 0, half of each, and Schur forms of the subsystems."""
    *others, last = (np.asarray(charge_sizes, float) for charge_sizes in sizes)
    combined = reduce(np.convolve, others)
    reach = min(combined.size, last.size) // 2  # charges common to the last subsystem and all others together
    components = central(combined, reach) @ central(last, reach)  # charges q and -q have as many components
    schur = sum(float(np.sum(np.asarray(charge_sizes, float) ** 2)) for charge_sizes in sizes)
    return float(16 * (components * (VECTORS / 2 + 10) + 2 * schur))


def afford(sizes: Sequence[Array], extra: float = 0.0) -> None:
    """Raise TooLargeError if memory can't hold the solvers' vectors and `extra` further numbers."""
    outcome.afford(needed_bytes(sizes) + 16.0 * extra, growth=3 * len(sizes) - 1)  # grows as the components


def apply_along(matrix: Any, tensor: Array, axis: int) -> Array:
    """The matrix applied to one axis of a tensor."""
    if tensor.ndim == 2:
        return np.asarray(matrix @ tensor if axis == 0 else (matrix @ tensor.T).T)
    first = np.moveaxis(tensor, axis, 0)
    moved = matrix @ first.reshape(first.shape[0], -1)
    return np.moveaxis(moved.reshape(-1, *first.shape[1:]), 0, axis)


def central(values: Array, reach: int) -> Array:
    """Entries up to `reach` on either side of the central one."""
    centre = values.size // 2
    return values[centre - reach : centre + reach + 1]


class ProductSpace:
    """Elements whose charges add up to `total`, in blocks: one tensor for each tuple of charges of the subsystems, in order.

    half : keep charges from (0, ..., 0) on only; blocks of opposite charges of a Hermitian state are complex conjugate
    """

    def __init__(self, subsystems: Subsystems, total: int, half: bool = False) -> None:
        self.subsystems, self.half = subsystems, half
        most = [len(sizes) // 2 for sizes in subsystems.sizes]
        self.zero: Charges = (0,) * len(most)
        combinations = product(*(range(-n, n + 1) for n in most[:-1]))
        keys = [(*q, total - sum(q)) for q in combinations if abs(total - sum(q)) <= most[-1]]
        self.shape = {
            key: tuple(int(sizes[n + q]) for q, n, sizes in zip(key, most, subsystems.sizes, strict=True))
            for key in keys if not half or key >= self.zero
        }  # fmt: skip
        ends = np.cumsum([prod(shape) for shape in self.shape.values()])
        self.slices = {
            key: slice(int(end) - prod(shape), int(end)) for (key, shape), end in zip(self.shape.items(), ends, strict=True)
        }
        self.size = int(ends[-1])
        self.local: Callable[[int, int], Any] = cache(subsystems.local)
        self._factors: FactorsOf = cache(lambda k, up, down: subsystems.couplings[k].factors(up, down))
        self._transposed_local: Callable[[int, int], Any] = cache(lambda k, q: self.local(k, q).T.tocsr())
        self._transposed_factors: FactorsOf = cache(lambda *of: [(a.T.tocsr(), b.T.tocsr()) for a, b in self._factors(*of)])

    def tensors(self, vector: Array) -> dict[Charges, Array]:
        """Views of a vector's blocks as tensors; further axes come last."""
        return {key: vector[block].reshape(*self.shape[key], *vector.shape[1:]) for key, block in self.slices.items()}

    def full_from_half(self, vector: Array) -> Array:
        """All charges of a Hermitian state from the half that is stored; conjugate blocks stand in the opposite order."""
        conjugate = [vector[block].conj() for block in self.slices.values()]
        return np.concatenate([*conjugate[:0:-1], vector])

    def half_of(self, vector: Array) -> Array:
        """The half that is stored, from all charges."""
        return vector[len(vector) - self.size :]

    def apply(self, vector: Array) -> Array:
        """The generator applied to a vector of shape (component,), or to several, (component, vector)."""
        out = np.zeros(vector.shape, complex)
        blocks = self.tensors(out)
        for key, tensor in self.tensors(vector).items():
            for axis, q in enumerate(key):
                blocks[key] += apply_along(self.local(axis, q), tensor, axis)
            for target, image in self._coupled(key, tensor):
                if self.half and target == self.zero:  # and the conjugate term, from opposite charges
                    blocks[target] += 2 * image.real
                elif target in blocks:
                    blocks[target] += image
                elif key != self.zero:
                    blocks[tuple(-q for q in target)] += image.conj()
        return out

    def apply_transposed(self, vector: Array) -> Array:
        """The transposed generator applied to a covector of shape (component,), for all charges."""
        out = np.zeros(vector.shape, complex)
        blocks, source = self.tensors(out), self.tensors(vector)
        for key in self.shape:
            for axis, q in enumerate(key):
                blocks[key] += apply_along(self._transposed_local(axis, q), source[key], axis)
            for up, down, target, pairs in self.couplings(key, self._transposed_factors):
                for up_factor, down_factor in pairs:
                    blocks[key] += apply_along(up_factor, apply_along(down_factor, source[target], down), up)
        return out

    def couplings(self, key: Charges, factors: FactorsOf | None = None) -> Iterator[tuple[int, int, Charges, FactorPairs]]:
        """Couplings of a block to others: subsystems `up` and `down`, charges of the target block, factors of the coupling."""
        for k, term in enumerate(self.subsystems.couplings):
            up, down = term.up, term.down
            target = tuple(q + (axis == up) - (axis == down) for axis, q in enumerate(key))
            if all(abs(q) <= len(sizes) // 2 for q, sizes in zip(target, self.subsystems.sizes, strict=True)):
                yield up, down, target, (factors or self._factors)(k, key[up], key[down])

    def _coupled(self, key: Charges, tensor: Array) -> Iterator[tuple[Charges, Array]]:
        """Charges of the target block, and the image of the tensor there, for each coupling term."""
        for up, down, target, pairs in self.couplings(key):
            for up_factor, down_factor in pairs:
                yield target, apply_along(up_factor, apply_along(down_factor, tensor, down), up)
