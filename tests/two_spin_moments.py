"""Random moments of one and two spins, and from their Bloch components what the conditions of quantum states say of them."""

import itertools
from functools import reduce

import numpy as np

from spinsync.model.realizability import Moments

X, Y, Z = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1.0, -1.0])
PAULI = (X, Y, Z)
SIGMA_MINUS = (X - 1j * Y) / 2


def on(spins: int, *operators: tuple[int, np.ndarray]) -> np.ndarray:
    """The product of operators on single spins of `spins`."""
    factors = [np.eye(2)] * spins
    for i, operator in operators:
        factors[i] = factors[i] @ operator
    return reduce(np.kron, factors)


def lowest_eigenvalues(moments: Moments) -> tuple[float, float, float]:
    """1 - |m|, and the lowest eigenvalues of two-spin states and of Cov(J) + (i/2) eps_abc <J_c>, from Bloch components."""
    spins, count = moments.spins, len(moments.spins)
    none = np.zeros((count, count))
    s, ss, sz = (none[0], none, none) if moments.s is None else (moments.s, moments.ss, moments.sz)
    m = np.stack([2 * np.real(s), -2 * np.imag(s), moments.z])  # (axis, class)
    tensor = np.zeros((3, 3, count, count))  # connected <sigma^i_a sigma^j_b>
    plus, minus = 2 * (moments.c + ss), 2 * (moments.c - ss)
    tensor[0, 0], tensor[1, 1], tensor[2, 2] = plus.real, minus.real, moments.zz
    tensor[0, 1], tensor[1, 0] = -2 * (ss + moments.c).imag, -2 * (ss - moments.c).imag
    tensor[0, 2], tensor[1, 2] = 2 * np.real(sz), -2 * np.imag(sz)
    tensor[2, 0], tensor[2, 1] = 2 * np.real(sz).T, -2 * np.imag(sz).T
    least = np.inf
    for a, b in itertools.product(range(count), repeat=2):
        if a == b and spins[a] <= 1:
            continue
        rho = np.eye(4, dtype=complex) / 4
        for i in range(3):
            rho += (m[i, a] * on(2, (0, PAULI[i])) + m[i, b] * on(2, (1, PAULI[i]))) / 4
            for j in range(3):
                rho += (tensor[i, j, a, b] + m[i, a] * m[j, b]) * on(2, (0, PAULI[i]), (1, PAULI[j])) / 4
        least = min(least, np.linalg.eigvalsh(rho)[0])
    pairs = np.outer(spins, spins) - np.diag(spins)
    covariance = np.einsum("ijab,ab->ij", tensor, pairs) / 4
    covariance += (np.eye(3) * spins.sum() - np.einsum("ia,ja,a->ij", m, m, spins)) / 4
    jx, jy, jz = m @ spins / 2
    commutators = np.array([[0, jz, -jy], [-jz, 0, jx], [jy, -jx, 0]])
    return 1 - np.sqrt((m**2).sum(axis=0)).max(), least, np.linalg.eigvalsh(covariance + 0.5j * commutators)[0] / spins.sum()


def random_moments(seed: int, charged: bool, spins: np.ndarray | None = None) -> Moments:
    """Moments near the boundaries of what is possible, of one to three classes or those with these numbers of spins."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 4)) if spins is None else len(spins)
    spins = rng.integers(2, 12, count).astype(float) if spins is None else spins
    size = 10 ** rng.uniform(-2, -0.3)

    def pairs(symmetry):
        found = size * (rng.normal(size=(count, count)) + 1j * rng.normal(size=(count, count))) / spins.sum()
        return (found + symmetry(found.T)) / 2

    z, c, zz = rng.uniform(-1.02, 1.02, count), pairs(np.conj), 4 * pairs(np.conj).real
    c += np.eye(count) * size * rng.uniform() ** 2  # else nearly all of them violate the uncertainty relation
    if not charged:
        return Moments(spins=spins, z=z, c=c, zz=zz)
    s = np.sqrt(np.maximum(0, 1.02 - z**2)) / 2 * rng.uniform(0, 1, count) * np.exp(2j * np.pi * rng.uniform(size=count))
    sz = size * (rng.normal(size=(count, count)) + 1j * rng.normal(size=(count, count))) / spins.sum()
    return Moments(spins=spins, z=z, c=c, zz=zz, s=s, ss=pairs(lambda x: x), sz=sz)
