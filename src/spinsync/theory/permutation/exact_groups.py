"""Several groups of equal spins: tensor products of their Dicke bases, where only the total U(1) charge is conserved."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial, reduce
from itertools import permutations
from math import gcd, isqrt
from typing import Any

import numpy as np
from scipy import sparse

from spinsync.base import memory
from spinsync.base.arrays import Array
from spinsync.model.master_equation import GroupTerms
from spinsync.model.observables import order_parameter, pair_mean
from spinsync.problems.linear.products.operator import Charges, ProductSpace, apply_along, needed_bytes
from spinsync.problems.linear.record import LinearProducts
from spinsync.problems.linear.sectors import CouplingTerm, Subsystems
from spinsync.problems.observed import Observed
from spinsync.problems.outcome import TooLargeError
from spinsync.theory.permutation.dicke import J_MINUS, J_PLUS, Sector, full_window, rates_by_group
from spinsync.theory.permutation.product_states import log_multiplicity, product_state

# operator A of one group: its charge q, and Tr(A |j,m><j,m-q|) for each of these elements of the density matrix
Operator = tuple[int, Callable[[Sector], Array]]
IDENTITY: Operator = (0, lambda sector: np.ones(len(sector.sites)))
SPIN_Z: Operator = (0, lambda sector: sector.m)  # J_z
SPIN_Z_SQUARED: Operator = (0, lambda sector: sector.m**2)
INTENSITY: Operator = (0, lambda sector: J_MINUS[0](sector.j, sector.m) ** 2)  # J_+ J_-
LOWERING: Operator = (1, lambda sector: J_MINUS[0](sector.j, sector.m))  # J_-
LOWERING_TWICE: Operator = (2, lambda sector: J_MINUS[0](sector.j, sector.m) * J_MINUS[0](sector.j, sector.m - 1))
LOWERING_AND_Z: Operator = (1, lambda sector: sector.m * J_MINUS[0](sector.j, sector.m))  # J_- J_z
RAISING: Operator = (-1, lambda sector: J_PLUS[0](sector.j, sector.m))  # J_+


def coupled_groups(terms: GroupTerms, bloch: Array, names: tuple[str, ...], charges: tuple[int, ...]) -> LinearProducts:
    """Equation (9.10) as a linear problem of coupled subsystems."""
    spins = tuple(int(n) for n in terms.spins)
    sizes = _sizes(spins)
    _afford(spins, sizes)
    rates = rates_by_group(terms)
    subsystems = Subsystems(
        sizes=sizes, local=lambda a, q: sector(spins[a], q).generator(rates[a]).tocsr(),
        couplings=tuple(_coupling_term(terms, a, b) for a, b in permutations(range(len(spins)), 2)),
        unique=bool(np.all(terms.gain + terms.damping > 0)),
    )  # fmt: skip
    sectors = DickeProducts(spins=spins, subsystems=subsystems, charges=charges)
    return LinearProducts(
        sectors=sectors, start=partial(sectors.product_state, bloch=bloch),
        coordinates={n: (n, np.array(names)) for n in ("group", "other_group")},
    )  # fmt: skip


def _sizes(spins: Sequence[int]) -> tuple[Array, ...]:
    """Number of elements |j,m><j,m-q| of each group for each charge q: 2j + 1 - |q| for every j where that is positive."""
    largest = (n - abs(np.arange(-n, n + 1)) for n in spins)  # 2j + 1 - |q| = most + 1, most - 1, ... > 0
    return tuple(np.asarray((most // 2 + 1) * (most - most // 2 + 1)) for most in largest)


def _afford(spins: tuple[int, ...], sizes: tuple[Array, ...]) -> None:
    """Raise TooLargeError, with the largest number of spins that fits, if memory does not suffice."""
    need, available = needed_bytes(sizes), memory.available()
    if need > available:
        divisor = gcd(*spins)
        smallest = [n // divisor for n in spins]  # the smallest ensemble with the same ratio of group sizes
        fits = bisect_right(range(1, divisor), available, key=lambda k: needed_bytes(_sizes([n * k for n in smallest])))
        raise TooLargeError(need, available, fits=sum(smallest) * fits)


def _coupling_term(terms: GroupTerms, a: int, b: int) -> CouplingTerm:
    """Terms of (9.10) that raise the charge of group a and lower that of group b."""
    exchange, decay, pumping = (complex(matrix[a, b]) for matrix in (terms.exchange, terms.decay, terms.pumping))
    loss = (decay + pumping) / 2

    def factors(q_a: int, q_b: int) -> list[tuple[Any, Any]]:
        raising, lowering = sector(int(terms.spins[a]), q_a), sector(int(terms.spins[b]), q_b)
        ket, bra = raising.ladder(1, left=True), raising.ladder(1, left=False)  # J_+ rho, rho J_+
        return [
            ((-1j * exchange - loss) * ket + decay * bra, lowering.ladder(-1, left=True)),
            ((1j * exchange - loss) * bra + pumping * ket, lowering.ladder(-1, left=False)),
        ]

    return CouplingTerm(a, b, factors)


@dataclass(frozen=True, kw_only=True)
class DickeProducts:
    """Equation (9.10) on tensor products of the groups' Dicke bases, by total charge; spins : of each group."""

    spins: tuple[int, ...]
    subsystems: Subsystems
    charges: tuple[int, ...] = (0, 1)

    @cached_property
    def space(self) -> Callable[[int], ProductSpace]:
        return cache(partial(ProductSpace, self.subsystems))

    def sectors(self, key: Charges) -> list[Sector]:
        return [sector(n, q) for n, q in zip(self.spins, key, strict=True)]

    def product_state(self, q: int, bloch: Array) -> Array:
        """Product state of all spins, equation (9.4); bloch : Bloch vectors of the groups, array of shape (group, 3)."""
        factors = (
            [product_state(one.spins, one.j, one.m, one.charge, m) for one, m in zip(self.sectors(key), bloch, strict=True)]
            for key in self.space(q).shape
        )
        return np.concatenate([_outer(np.multiply, vectors) for vectors in factors])

    def _traces(self, operators: Mapping[int, Operator]) -> tuple[Charges, Array]:
        """Charges of a product of operators, one of each group (by default the identity), and its traces with the elements."""
        key, traces = zip(*(operators.get(a, IDENTITY) for a in range(len(self.spins))), strict=True)
        return key, _outer(np.multiply, [trace(one) for trace, one in zip(traces, self.sectors(key), strict=True)])

    def mean(self, states: Mapping[int, Array], operators: Mapping[int, Operator]) -> Array:
        key, traces = self._traces(operators)
        q = sum(key)
        return np.asarray(states[q][:, self.space(q).slices[key]] @ traces)

    def covector(self, operators: Mapping[int, Operator]) -> Array:
        key, traces = self._traces(operators)
        space = self.space(sum(key))
        out = np.zeros(space.size)
        out[space.slices[key]] = traces
        return out

    @cached_property
    def trace(self) -> Array:
        return self.covector({})

    @cached_property
    def observable(self) -> Array:
        """Tr J_- rho, with J_- of all groups."""
        return np.asarray(np.sum([self.covector({a: LOWERING}) for a in range(len(self.spins))], axis=0))

    def size(self, q: int) -> int:
        return self.space(q).size

    def with_charges(self, charges: tuple[int, ...]) -> DickeProducts:
        return replace(self, charges=charges)

    def block(self, q: int) -> Any:
        space = self.space(q)
        return sparse.csc_array(space.apply(np.eye(space.size)))

    @cached_property
    def intensity(self) -> Array:
        """Tr J_+ J_- rho, with J_+ and J_- of all groups."""
        groups = range(len(self.spins))
        alone = [self.covector({a: INTENSITY}) for a in groups]
        between = [self.covector({a: RAISING, b: LOWERING}) for a, b in permutations(groups, 2)]
        return np.asarray(np.sum(alone + between, axis=0))

    def source(self, rho: Array) -> Array:
        """rho J_+, with J_+ of all groups."""
        return self._ladder(rho, 0, 1, left=False)

    def detected(self, rho: Array) -> Array:
        """J_- rho J_+, with J_- and J_+ of all groups."""
        return self._ladder(self._ladder(rho, 0, 1, left=False), 1, -1, left=True)

    def _ladder(self, rho: Array, charge: int, step: int, left: bool) -> Array:
        """J_+ rho or rho J_+ (step 1), J_- rho or rho J_- (step -1), with J_+ and J_- of all groups; charge : total, of rho"""
        target = self.space(charge + step)
        out = np.zeros(target.size, complex)
        blocks = target.tensors(out)
        for key, tensor in self.space(charge).tensors(rho).items():
            for a, q in enumerate(key):
                if abs(q + step) <= self.spins[a]:
                    ladder = sector(self.spins[a], q).ladder(step, left)
                    blocks[*key[:a], q + step, *key[a + 1 :]] += apply_along(ladder, tensor, a)
        return out

    def density_eigenvalues(self, rho: Array) -> tuple[Array, Array]:
        """Eigenvalues of the density matrix times multiplicity, and the logarithm of the latter; one matrix for each (j, M)."""
        columns: list[list[Array]] = []
        for key in self.space(0).shape:
            sectors = self.sectors(key)
            j, ket = ([s.sites[:, axis] for s in sectors] for axis in (0, 1))
            bra = [m - s.charge for m, s in zip(ket, sectors, strict=True)]
            log_copies = _outer(np.add, [log_multiplicity(s.spins, s.j) for s in sectors])
            codes = [_outer(lambda x, y: x * (max(self.spins) + 1) + y, indices) for indices in (bra, ket, j)]
            columns.append([codes[0], codes[1], _outer(np.add, ket), codes[2], log_copies])
        bra_code, ket_code, total, j_code, log_copies = (np.concatenate(c) for c in zip(*columns, strict=True))
        order = np.lexsort((bra_code, ket_code, total, j_code))
        begins = np.flatnonzero(np.diff(j_code[order], prepend=-1) | np.diff(total[order], prepend=-1))
        values, logarithms = [], []
        for block in np.split(order, begins[1:]):
            size = isqrt(block.size)
            values.append(np.linalg.eigvalsh(rho[block].reshape(size, size)))
            logarithms.append(np.full(size, log_copies[block[0]]))
        return np.concatenate(values), np.concatenate(logarithms)

    def observe(self, states: Mapping[int, Array]) -> Observed:
        """One-spin means and pair correlations, equation (9.5) in a group and (9.11) between groups."""
        spins, mean = np.array(self.spins), partial(self.mean, states)
        groups = range(len(spins))
        z = np.stack([mean({a: SPIN_Z}).real * 2 / spins[a] for a in groups], axis=-1)
        c = np.full((*z.shape, len(spins)), np.nan, complex)  # NaN: no pair in a group of one
        zz = np.full(c.shape, np.nan)
        for a in groups:
            if pairs := spins[a] * (spins[a] - 1):
                c[:, a, a] = (mean({a: INTENSITY}).real - spins[a] * (1 + z[:, a]) / 2) / pairs
                zz[:, a, a] = (4 * mean({a: SPIN_Z_SQUARED}).real - spins[a]) / pairs
        for a, b in permutations(groups, 2):
            pairs = spins[a] * spins[b]
            c[:, a, b] = mean({a: RAISING, b: LOWERING}) / pairs
            zz[:, a, b] = 4 * mean({a: SPIN_Z, b: SPIN_Z}).real / pairs
        square = ("time", "group", "other_group")
        out: Observed = {"inversion": (("time", "group"), z), "correlation": (square, c), "inversion_correlation": (square, zz)}
        out["order_parameter"] = (("time",), order_parameter(pair_mean(c, spins / spins.sum())))
        if 1 in states:
            out["coherence"] = (("time", "group"), np.stack([mean({a: LOWERING}) / spins[a] for a in groups], axis=-1))
        if 2 in states:
            out |= self._covariances(states, out["coherence"][1], z)
        return out

    def _covariances(self, states: Mapping[int, Array], s: Array, z: Array) -> Observed:
        """Covariances of two spins that break the U(1) symmetry, equation (9.20)."""
        spins, mean = np.array(self.spins), partial(self.mean, states)
        groups = range(len(spins))
        mm, mz = (np.full((*z.shape, len(spins)), np.nan, complex) for _ in range(2))  # NaN: no pair in a group of one
        for a in groups:
            if pairs := spins[a] * (spins[a] - 1):
                mm[:, a, a] = mean({a: LOWERING_TWICE}) / pairs
                mz[:, a, a] = (2 * mean({a: LOWERING_AND_Z}) - mean({a: LOWERING})) / pairs
        for a, b in permutations(groups, 2):
            pairs = spins[a] * spins[b]
            mm[:, a, b] = mean({a: LOWERING, b: LOWERING}) / pairs
            mz[:, a, b] = 2 * mean({a: LOWERING, b: SPIN_Z}) / pairs
        mm, mz = mm - s[:, :, None] * s[:, None, :], mz - s[:, :, None] * z[:, None, :]
        square = ("time", "group", "other_group")
        return {"anomalous_covariance": (square, mm), "coherence_inversion_covariance": (square, mz)}


def _outer(combine: Callable[[Array, Array], Array], vectors: Sequence[Array]) -> Array:
    """Products (or sums) of all combinations of the vectors' entries, in one vector."""
    return np.asarray(reduce(lambda x, y: combine(x[:, None], y[None, :]).reshape(-1), vectors))


@cache
def sector(spins: int, charge: int) -> Sector:
    return Sector(spins, charge, full_window(spins))
