"""Reference theory: 2^N x 2^N density matrices of N <= 6 distinguishable spins, any complex C. Uses U(1) symmetry only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from itertools import permutations
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.keywords import known_fields
from spinsync.model import bloch_vectors
from spinsync.model.ensembles import Ensemble
from spinsync.model.master_equation import Lindbladian, jump_operators, lindbladian
from spinsync.model.observables import order_parameter, pair_mean
from spinsync.problems.linear.record import LinearSmall
from spinsync.problems.observed import Observed

MOST_SPINS = 6
SIGMA_MINUS = sparse.csr_array(np.array([[0.0, 0.0], [1.0, 0.0]]))  # basis |e>, |g>
SIGMA_Z = sparse.csr_array(np.diag([1.0, -1.0]))


@known_fields
@dataclass(frozen=True)
class BruteForce:
    """Full Lindblad master equation (2.2) of N distinguishable spins: slow, for few spins, without approximation.

    Parameters
    ----------
    spins : int
        1 to 6; they must split over the groups by weight.

    Raises
    ------
    InputError
        If `spins` is out of range.

    Examples
    --------
    >>> import spinsync as ss
    >>> ss.BruteForce(4)
    BruteForce(spins=4)
    """

    spins: int
    kinds: ClassVar[tuple[type, ...]] = (LinearSmall,)
    hints: ClassVar[Mapping[str, str]] = MappingProxyType({})
    faster: ClassVar[str] = "theory=Exact(...) answers faster"

    def __post_init__(self) -> None:
        object.__setattr__(self, "spins", checks.whole("spins", self.spins, 1, MOST_SPINS))

    @np.errstate(over="ignore", invalid="ignore")  # results are checked for overflow
    def lower(self, ensemble: Ensemble, initial: Array | None, seed: int, each: bool = False) -> LinearSmall:
        """One sparse block per charge q, the coherence order: (excited spins of the ket) - (excited spins of the bra)."""
        terms = lindbladian(ensemble, self.spins)
        m = _spin_vectors(ensemble, terms, initial, seed, each)
        space = SpinSpace(self.spins)
        rho = reduce(np.kron, [_spin_density(v) for v in m]).reshape(-1)
        coordinates: dict[str, tuple[str, Array]] = {n: (n, np.array(ensemble.names)) for n in ("group", "other_group")}
        if each:
            coordinates |= {
                "spin_group": ("spin", np.array(ensemble.names)[terms.group]),
                "spin_frequency": ("spin", terms.omega),
                "spin_weight": ("spin", np.full(self.spins, 1 / self.spins)),
            }
        sectors = SpinSectors(
            space=space, generator=liouvillian(space, terms), group=terms.group, weight=ensemble.rates.weight, each=each,
            charges=bloch_vectors.charges_of(initial, self.spins),
        )  # fmt: skip
        return LinearSmall(sectors=sectors, start=lambda q: rho[space.sector(q)], coordinates=coordinates)


@dataclass(frozen=True)
class SpinSpace:
    """Operators of N distinguishable spins; density matrices are flattened row by row."""

    spins: int

    def on_spin(self, operator: Any, i: int) -> Any:
        """`operator` acting on spin i."""
        return sparse.csr_array(
            sparse.kron(sparse.kron(sparse.eye_array(2**i), operator), sparse.eye_array(2 ** (self.spins - 1 - i)))
        )

    @cached_property
    def sigma_minus(self) -> list[Any]:
        return [self.on_spin(SIGMA_MINUS, i) for i in range(self.spins)]

    @cached_property
    def sigma_z(self) -> list[Any]:
        return [self.on_spin(SIGMA_Z, i) for i in range(self.spins)]

    def mean(self, operator: Any, states: Array, q: int) -> Array:
        """Tr(A rho) = (A^T flattened) . (rho flattened) for states (time, component) in sector q."""
        return np.asarray(states @ np.asarray(operator.T.todense()).reshape(-1)[self.sector(q)])

    def sector(self, q: int) -> Array:
        """Indices of the flattened matrix elements |k><b| with (excited spins of k) - (excited spins of b) = q."""
        up = np.rint((self.spins + sum(z.diagonal() for z in self.sigma_z)) / 2).astype(int)
        return np.flatnonzero((up[:, None] - up[None, :]).reshape(-1) == q)


def _spin_density(m: Array) -> Array:
    """rho = (1 + m . sigma)/2 with <sigma^-> = (m_x - i m_y)/2, basis |e>, |g>."""
    s, z = bloch_vectors.coherences(m)
    return np.array([[(1 + z) / 2, s], [np.conj(s), (1 - z) / 2]])


def _dissipator(jump: Any) -> Any:
    """Superoperator of D[L] on flattened matrices: rho -> A rho B is kron(A, B^T)."""
    identity = sparse.eye_array(jump.shape[0])
    product = jump.conj().T @ jump
    return sparse.kron(jump, jump.conj()) - (sparse.kron(product, identity) + sparse.kron(identity, product.T)) / 2


def liouvillian(space: SpinSpace, terms: Lindbladian) -> Any:
    """Equation (2.2) as a sparse matrix on flattened density matrices."""
    sigma_minus, sigma_z = space.sigma_minus, space.sigma_z
    spins = range(space.spins)
    hamiltonian = sum(terms.omega[i] / 2 * sigma_z[i] for i in spins)
    for i in spins:
        for j in spins:
            if i != j:
                hamiltonian = hamiltonian + terms.exchange[i, j] * (sigma_minus[i].conj().T @ sigma_minus[j])
    identity = sparse.eye_array(2**space.spins)
    total = -1j * (sparse.kron(hamiltonian, identity) - sparse.kron(identity, hamiltonian.T))
    for i in spins:
        total = total + terms.gain[i] * _dissipator(sigma_minus[i].T) + terms.damping[i] * _dissipator(sigma_minus[i])
        total = total + terms.dephasing[i] / 2 * _dissipator(sigma_z[i])
    for matrix, operators in ((terms.decay, sigma_minus), (terms.pumping.T, [a.T for a in sigma_minus])):
        total = total + sum(rate * _dissipator(jump) for rate, jump in jump_operators(matrix, operators))
    return sparse.csr_array(total)


def _spin_vectors(ensemble: Ensemble, terms: Lindbladian, initial: Array | None, seed: int, each: bool) -> Array:
    """One Bloch vector per spin, from one per group or one per spin."""
    m = bloch_vectors.random_start(ensemble.rates, seed) if initial is None else initial
    groups, spins = len(ensemble.groups), terms.group.size
    if len(m) == groups:
        return np.asarray(m[terms.group])
    if each and len(m) == spins:
        return np.asarray(m)
    shapes = f"({groups}, 3)" + (f" or ({spins}, 3)" if each else "")
    raise checks.InputError(f"Argument `initial` must have shape {shapes}, but has shape {m.shape}.")


@dataclass(frozen=True, kw_only=True)
class SpinSectors:
    """Equation (2.2) of distinguishable spins by U(1) charge q.

    generator : sparse matrix on flattened density matrices
    group : int array of shape (spin,); weight : of each group; each : whether single spins are observed
    """

    space: SpinSpace
    generator: Any
    group: Array
    weight: Array
    each: bool
    charges: tuple[int, ...] = (0, 1)

    @property
    def trace(self) -> Array:
        return np.eye(2**self.space.spins).reshape(-1)[self.space.sector(0)]

    @property
    def observable(self) -> Array:
        """Tr(J_- rho)."""
        return np.asarray(sum(self.space.sigma_minus).toarray().T.reshape(-1)[self.space.sector(1)])

    @property
    def intensity(self) -> Array:
        """Tr(J_+ J_- rho)."""
        lowering = sum(self.space.sigma_minus)
        return np.asarray((lowering.T @ lowering).toarray().T.reshape(-1)[self.space.sector(0)])

    def size(self, q: int) -> int:
        return int(self.space.sector(q).size)

    def with_charges(self, charges: tuple[int, ...]) -> SpinSectors:
        return replace(self, charges=charges)

    def block(self, q: int) -> Any:
        indices = self.space.sector(q)
        return self.generator[indices][:, indices]

    def source(self, rho: Array) -> Array:
        """rho J_+."""
        space = self.space
        times_j_plus = sparse.csr_array(sparse.kron(sparse.eye_array(2**space.spins), sum(space.sigma_minus)))
        return np.asarray(times_j_plus[space.sector(1)][:, space.sector(0)] @ rho)

    def detected(self, rho: Array) -> Array:
        """J_- rho J_+."""
        lowering, own = sum(self.space.sigma_minus), self.space.sector(0)
        return np.asarray(sparse.csr_array(sparse.kron(lowering, lowering))[own][:, own] @ rho)

    def density_eigenvalues(self, rho: Array) -> tuple[Array, Array]:
        """Eigenvalues, with multiplicity 1."""
        matrix = np.zeros(4**self.space.spins, complex)
        matrix[self.space.sector(0)] = rho
        values = np.linalg.eigvalsh(matrix.reshape(2**self.space.spins, -1))
        return values, np.zeros(values.size)

    def observe(self, states: Mapping[int, Array]) -> Observed:
        """One-spin means and pair correlations."""
        space, weight = self.space, self.weight
        spin_z = np.stack([space.mean(sigma_z, states[0], 0).real for sigma_z in space.sigma_z], axis=-1)
        membership = (self.group[None, :] == np.arange(weight.size)[:, None]).astype(float)
        average = membership / membership.sum(axis=1, keepdims=True)
        out: Observed = {"inversion": (("time", "group"), spin_z @ average.T)}
        lowering = space.sigma_minus
        correlation = self._pair_means(states[0], 0, [a.T for a in lowering], lowering)
        zz = self._pair_means(states[0], 0, space.sigma_z, space.sigma_z).real
        out["correlation"] = (("time", "group", "other_group"), correlation)
        out["inversion_correlation"] = (("time", "group", "other_group"), zz)
        out["order_parameter"] = (("time",), order_parameter(pair_mean(correlation, weight)))
        if 1 in states:
            spin_s = np.stack([space.mean(a, states[1], 1) for a in space.sigma_minus], axis=-1)
            out["coherence"] = (("time", "group"), spin_s @ average.T)
            if self.each:
                out["spin_coherence"] = (("time", "spin"), spin_s)
        if 2 in states:
            s, z = out["coherence"][1], out["inversion"][1]
            mm = self._pair_means(states[2], 2, lowering, lowering) - s[:, :, None] * s[:, None, :]
            mz = self._pair_means(states[1], 1, lowering, space.sigma_z) - s[:, :, None] * z[:, None, :]
            out["anomalous_covariance"] = (("time", "group", "other_group"), mm)
            out["coherence_inversion_covariance"] = (("time", "group", "other_group"), mz)
        if self.each:
            out["spin_inversion"] = (("time", "spin"), spin_z)
        return out

    def _pair_means(self, states: Array, q: int, first: Sequence[Any], second: Sequence[Any]) -> Array:
        """Means of A_i B_j, i != j, over pairs of spins of two groups, (time, group, other_group); NaN without pairs."""
        spins = range(self.space.spins)
        values = np.zeros((len(states), len(spins), len(spins)), complex)
        for i, j in permutations(spins, 2):
            values[:, i, j] = self.space.mean(first[i] @ second[j], states, q)
        membership = (self.group[None, :] == np.arange(self.weight.size)[:, None]).astype(float)
        count = membership @ (1 - np.eye(len(spins))) @ membership.T
        with np.errstate(invalid="ignore"):
            return np.asarray(np.einsum("ai,tij,bj->tab", membership, values, membership) / count)
