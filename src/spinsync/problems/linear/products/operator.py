"""Vectors on products of parts at a fixed total charge, and what a generator made of products does to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, reduce
from itertools import product
from math import prod
from typing import Any

import numpy as np

from spinsync.base.arrays import Array
from spinsync.problems import outcome
from spinsync.problems.linear.sectors import Parts

Charges = tuple[int, ...]
Pairs = Sequence[tuple[Any, Any]]  # matrices of two parts
Made = Callable[[int, int, int], Pairs]  # transfer, charges of both parts -> pairs
VECTORS = 100  # that a solver keeps at once


def needed(sizes: Sequence[Array]) -> float:
    """Bytes that the solvers take, from the sizes of the parts: vectors of total charge 0, half of each, and Schur forms."""
    *others, last = (np.asarray(of_part, float) for of_part in sizes)
    together = reduce(np.convolve, others)
    reach = min(together.size, last.size) // 2  # charges that the others and the last one can balance
    components = middle(together, reach) @ middle(last, reach)  # as many with charge q as with -q
    forms = sum(float(np.sum(np.asarray(of_part, float) ** 2)) for of_part in sizes)
    return float(16 * (components * (VECTORS / 2 + 10) + 2 * forms))


def afford(sizes: Sequence[Array], more: float = 0.0) -> None:
    """Refuse parts of these sizes, and as many numbers more, that memory can't hold. Raises TooLargeError with the estimate."""
    outcome.afford(needed(sizes) + 16.0 * more, growth=3 * len(sizes) - 1)  # as the components


def along(matrix: Any, tensor: Array, axis: int) -> Array:
    """The matrix applied to one axis of a tensor."""
    if tensor.ndim == 2:
        return np.asarray(matrix @ tensor if axis == 0 else (matrix @ tensor.T).T)
    first = np.moveaxis(tensor, axis, 0)
    moved = matrix @ first.reshape(first.shape[0], -1)
    return np.moveaxis(moved.reshape(-1, *first.shape[1:]), 0, axis)


def middle(values: Array, reach: int) -> Array:
    """Entries up to `reach` on either side of the middle."""
    centre = values.size // 2
    return values[centre - reach : centre + reach + 1]


class Products:
    """The elements whose charges add up to `total`, block after block: one tensor for each tuple of charges, in order.

    half : keep charges from (0, ..., 0) on only: of a Hermitian state of total charge 0, opposite charges are conjugate
    """

    def __init__(self, parts: Parts, total: int, half: bool = False) -> None:
        self.parts, self.half = parts, half
        most = [len(sizes) // 2 for sizes in parts.sizes]
        self.zero: Charges = (0,) * len(most)
        free = product(*(range(-n, n + 1) for n in most[:-1]))
        keys = [(*q, total - sum(q)) for q in free if abs(total - sum(q)) <= most[-1]]
        self.shape = {
            key: tuple(int(sizes[n + q]) for q, n, sizes in zip(key, most, parts.sizes, strict=True))
            for key in keys if not half or key >= self.zero
        }  # fmt: skip
        ends = np.cumsum([prod(shape) for shape in self.shape.values()])
        self.place = {
            key: slice(int(end) - prod(shape), int(end)) for (key, shape), end in zip(self.shape.items(), ends, strict=True)
        }
        self.size = int(ends[-1])
        self.local: Callable[[int, int], Any] = cache(parts.local)
        self._products: Made = cache(lambda k, up, down: parts.transfers[k].products(up, down))
        self._turned_local: Callable[[int, int], Any] = cache(lambda part, charge: self.local(part, charge).T.tocsr())
        self._turned: Made = cache(lambda *which: [(a.T.tocsr(), b.T.tocsr()) for a, b in self._products(*which)])

    def tensors(self, vector: Array) -> dict[Charges, Array]:
        """Views of a vector's blocks; further axes come last."""
        return {key: vector[place].reshape(*self.shape[key], *vector.shape[1:]) for key, place in self.place.items()}

    def completed(self, vector: Array) -> Array:
        """All charges, from the half that is kept; conjugate blocks stand in the opposite order."""
        opposite = [vector[place].conj() for place in self.place.values()]
        return np.concatenate([*opposite[:0:-1], vector])

    def kept(self, vector: Array) -> Array:
        """The half that is kept, from all charges."""
        return vector[len(vector) - self.size :]

    def apply(self, vector: Array) -> Array:
        """The generator on a vector of shape (component,), or on several, (component, vector)."""
        out = np.zeros(vector.shape, complex)
        into = self.tensors(out)
        for key, tensor in self.tensors(vector).items():
            for axis, q in enumerate(key):
                into[key] += along(self.local(axis, q), tensor, axis)
            for target, change in self._transferred(key, tensor):
                if self.half and target == self.zero:  # from the opposite charges too
                    into[target] += 2 * change.real
                elif target in into:
                    into[target] += change
                elif key != self.zero:
                    into[tuple(-q for q in target)] += change.conj()
        return out

    def apply_transposed(self, vector: Array) -> Array:
        """The transpose of the generator, on a covector of shape (component,), of all charges."""
        out = np.zeros(vector.shape, complex)
        into, source = self.tensors(out), self.tensors(vector)
        for key in self.shape:
            for axis, q in enumerate(key):
                into[key] += along(self._turned_local(axis, q), source[key], axis)
            for up, down, target, pairs in self.transfers(key, self._turned):
                for raised, lowered in pairs:
                    into[key] += along(raised, along(lowered, source[target], down), up)
        return out

    def transfers(self, key: Charges, made: Made | None = None) -> Iterator[tuple[int, int, Charges, Pairs]]:
        """What leads from a block to others: parts up and down, charges afterwards, matrices of the one and the other."""
        for k, transfer in enumerate(self.parts.transfers):
            up, down = transfer.up, transfer.down
            target = tuple(q + (axis == up) - (axis == down) for axis, q in enumerate(key))
            if all(abs(q) <= len(sizes) // 2 for q, sizes in zip(target, self.parts.sizes, strict=True)):
                yield up, down, target, (made or self._products)(k, key[up], key[down])

    def _transferred(self, key: Charges, tensor: Array) -> Iterator[tuple[Charges, Array]]:
        """Charges after a transfer, and what it brings there."""
        for up, down, target, pairs in self.transfers(key):
            for raised, lowered in pairs:
                yield target, along(raised, along(lowered, tensor, down), up)
