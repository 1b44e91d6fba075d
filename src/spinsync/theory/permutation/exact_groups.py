"""Several groups of equal spins: products of their Dicke bases, in which only the total charge is conserved."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial, reduce
from itertools import permutations
from math import gcd, isqrt
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from spinsync.base import memory
from spinsync.base.arrays import Array
from spinsync.model.master_equation import GroupTerms
from spinsync.model.observables import order_parameter, pair_mean
from spinsync.problems.linear.products.operator import Charges, Products, along, needed
from spinsync.problems.linear.record import LinearProducts
from spinsync.problems.linear.sectors import Parts, Transfer
from spinsync.problems.observed import Observed
from spinsync.problems.outcome import TooLargeError
from spinsync.theory.permutation.dicke import LOWER, RAISE, Sector, rates_by_group, whole
from spinsync.theory.permutation.product_states import log_multiplicity, product_state

# what one group contributes to a mean: the charge where the operator lives, and its trace with each element there
Operator = tuple[int, Callable[[Sector], Array]]
IDENTITY: Operator = (0, lambda sector: np.ones(len(sector.sites)))
UP: Operator = (0, lambda sector: sector.m)  # J_z
UP_SQUARED: Operator = (0, lambda sector: sector.m**2)
LIGHT: Operator = (0, lambda sector: LOWER[0](sector.j, sector.m) ** 2)  # J_+ J_-
DOWNWARD: Operator = (1, lambda sector: LOWER[0](sector.j, sector.m))  # J_-
UPWARD: Operator = (-1, lambda sector: RAISE[0](sector.j, sector.m))  # J_+


def coupled_groups(terms: GroupTerms, bloch: Array, names: tuple[str, ...]) -> LinearProducts:
    """Equation (9.10) as a linear problem of several parts."""
    spins = tuple(int(n) for n in terms.spins)
    sizes = _sizes(spins)
    _afford(spins, sizes)
    alone = rates_by_group(terms)
    parts = Parts(
        sizes=sizes, local=lambda a, q: sector(spins[a], q).generator(alone[a]).tocsr(),
        transfers=tuple(_transfer(terms, a, b) for a, b in permutations(range(len(spins)), 2)),
        mixing=bool(np.all(terms.gain + terms.damping > 0)),
    )  # fmt: skip
    sectors = DickeProducts(spins=spins, parts=parts)
    return LinearProducts(
        sectors=sectors, start=partial(sectors.product, bloch=bloch),
        coordinates={n: (n, np.array(names)) for n in ("group", "other_group")},
    )  # fmt: skip


def _sizes(spins: Sequence[int]) -> tuple[Array, ...]:
    """Elements |j,m><j,m-q| of each group, one number for each charge q: 2j + 1 - |q| for every j that allows it."""

    def size(n: int) -> Array:
        most = n - abs(np.arange(-n, n + 1))  # 2j + 1 - |q| = most + 1, most - 1, ... > 0
        return np.asarray((most // 2 + 1) * (most - most // 2 + 1))

    return tuple(size(n) for n in spins)


def _afford(spins: tuple[int, ...], sizes: tuple[Array, ...]) -> None:
    """Refuse what memory can't hold, with the largest number that it can."""
    need, may = needed(sizes), memory.available()
    if need > may:
        share = gcd(*spins)
        unit = [n // share for n in spins]  # the fewest spins that split as these do
        fits = bisect_right(range(1, share), may, key=lambda k: needed(_sizes([n * k for n in unit])))
        raise TooLargeError(need, may, fits=sum(unit) * fits)


def _transfer(terms: GroupTerms, a: int, b: int) -> Transfer:
    """Terms of (9.10) that raise the charge of group a and lower that of b."""
    exchange, decay, pumping = (complex(matrix[a, b]) for matrix in (terms.exchange, terms.decay, terms.pumping))
    lost = (decay + pumping) / 2

    def products(q_a: int, q_b: int) -> list[tuple[Any, Any]]:
        raising, lowering = sector(int(terms.spins[a]), q_a), sector(int(terms.spins[b]), q_b)
        ket, bra = raising.ladder(1, left=True), raising.ladder(1, left=False)  # J_+ rho, rho J_+
        return [
            ((-1j * exchange - lost) * ket + decay * bra, lowering.ladder(-1, left=True)),
            ((1j * exchange - lost) * bra + pumping * ket, lowering.ladder(-1, left=False)),
        ]

    return Transfer(a, b, products)


@dataclass(frozen=True, kw_only=True)
class DickeProducts:
    """Equation (9.10) on the products of the groups' Dicke bases, by total charge; spins : of each group."""

    charges: ClassVar[tuple[int, ...]] = (0, 1)

    spins: tuple[int, ...]
    parts: Parts

    @cached_property
    def space(self) -> Callable[[int], Products]:
        return cache(partial(Products, self.parts))

    def sectors(self, key: Charges) -> list[Sector]:
        return [sector(n, q) for n, q in zip(self.spins, key, strict=True)]

    def product(self, q: int, bloch: Array) -> Array:
        """Each group in a product state, equation (9.4); bloch : array of shape (group, 3)."""

        def of_group(one: Sector, m: Array) -> Array:
            return product_state(one.spins, one.j, one.m, one.charge, m)

        each = ([of_group(*pair) for pair in zip(self.sectors(key), bloch, strict=True)] for key in self.space(q).shape)
        return np.concatenate([_each(np.multiply, vectors) for vectors in each])

    def _traces(self, operators: Mapping[int, Operator]) -> tuple[Charges, Array]:
        """Where a product of operators lives, one of each group (identity if not given), and its traces there."""
        key, traces = zip(*(operators.get(a, IDENTITY) for a in range(len(self.spins))), strict=True)
        return key, _each(np.multiply, [trace(one) for trace, one in zip(traces, self.sectors(key), strict=True)])

    def mean(self, states: Mapping[int, Array], operators: Mapping[int, Operator]) -> Array:
        key, traces = self._traces(operators)
        q = sum(key)
        return np.asarray(states[q][:, self.space(q).place[key]] @ traces)

    def covector(self, operators: Mapping[int, Operator]) -> Array:
        key, traces = self._traces(operators)
        space = self.space(sum(key))
        out = np.zeros(space.size)
        out[space.place[key]] = traces
        return out

    @cached_property
    def trace(self) -> Array:
        return self.covector({})

    @cached_property
    def receiver(self) -> Array:
        """Tr J_- rho, J_- of all groups."""
        return np.asarray(np.sum([self.covector({a: DOWNWARD}) for a in range(len(self.spins))], axis=0))

    def block(self, q: int) -> Any:
        space = self.space(q)
        return sparse.csc_array(space.apply(np.eye(space.size)))

    def sender(self, rho: Array) -> Array:
        """rho J_+ of all groups."""
        zero, one = self.space(0), self.space(1)
        out = np.zeros(one.size, complex)
        into = one.tensors(out)
        for key, tensor in zero.tensors(rho).items():
            for a, q in enumerate(key):
                if q < self.spins[a]:
                    into[*key[:a], q + 1, *key[a + 1 :]] += along(sector(self.spins[a], q).ladder(1, left=False), tensor, a)
        return out

    def mixture(self, rho: Array) -> tuple[Array, Array]:
        """Eigenvalues of the density matrix, each times its copies, and the logarithm of the copies: one matrix per (j, M)."""
        columns: list[list[Array]] = []
        for key in self.space(0).shape:
            sectors = self.sectors(key)
            j, ket = ([s.sites[:, axis] for s in sectors] for axis in (0, 1))
            bra = [m - s.charge for m, s in zip(ket, sectors, strict=True)]
            number = _each(np.add, [log_multiplicity(s.spins, s.j) for s in sectors])
            one = [_each(lambda x, y: x * (max(self.spins) + 1) + y, places) for places in (bra, ket, j)]
            columns.append([one[0], one[1], _each(np.add, ket), one[2], number])
        bra_place, ket_place, total, j_place, copied = (np.concatenate(c) for c in zip(*columns, strict=True))
        order = np.lexsort((bra_place, ket_place, total, j_place))
        begins = np.flatnonzero(np.diff(j_place[order], prepend=-1) | np.diff(total[order], prepend=-1))
        values, logarithms = [], []
        for block in np.split(order, begins[1:]):
            size = isqrt(block.size)
            values.append(np.linalg.eigvalsh(rho[block].reshape(size, size)))
            logarithms.append(np.full(size, copied[block[0]]))
        return np.concatenate(values), np.concatenate(logarithms)

    def observe(self, states: Mapping[int, Array]) -> Observed:
        """One-spin means and pair correlations, equation (9.5), between groups (9.11)."""
        spins, mean = np.array(self.spins), partial(self.mean, states)
        every = range(len(spins))
        z = np.stack([mean({a: UP}).real * 2 / spins[a] for a in every], axis=-1)
        c = np.full((*z.shape, len(spins)), np.nan, complex)  # NaN: no pair in a group of one
        zz = np.full(c.shape, np.nan)
        for a in every:
            if pairs := spins[a] * (spins[a] - 1):
                c[:, a, a] = (mean({a: LIGHT}).real - spins[a] * (1 + z[:, a]) / 2) / pairs
                zz[:, a, a] = (4 * mean({a: UP_SQUARED}).real - spins[a]) / pairs
        for a, b in permutations(every, 2):
            pairs = spins[a] * spins[b]
            c[:, a, b] = mean({a: UPWARD, b: DOWNWARD}) / pairs
            zz[:, a, b] = 4 * mean({a: UP, b: UP}).real / pairs
        square = ("time", "group", "other_group")
        out: Observed = {"inversion": (("time", "group"), z), "correlation": (square, c), "inversion_correlation": (square, zz)}
        out["order_parameter"] = (("time",), order_parameter(pair_mean(c, spins / spins.sum())))
        if 1 in states:
            out["coherence"] = (("time", "group"), np.stack([mean({a: DOWNWARD}) / spins[a] for a in every], axis=-1))
        return out


def _each(combine: Callable[[Array, Array], Array], vectors: Sequence[Array]) -> Array:
    """Numbers of products, from the numbers of their factors."""
    return np.asarray(reduce(lambda x, y: combine(x[:, None], y[None, :]).reshape(-1), vectors))


@cache
def sector(spins: int, charge: int) -> Sector:
    return Sector(spins, charge, whole(spins))
