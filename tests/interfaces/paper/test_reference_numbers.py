"""Reference numbers that the report prints: recomputed by sparse linear algebra on all states |j, m><j, m - q|.

The matrices are written from the action of single-spin operators in the Dicke basis (N. Shammah et al., Phys. Rev. A 98,
063815, 2018), without truncation and without code of the package, and compared with brute force for few spins.
"""

import numpy as np
import pytest
from scipy.sparse import csc_array
from scipy.sparse.linalg import LinearOperator, eigs, splu

import spinsync as ss
from spinsync.interfaces.paper import finite_spins, levels


def states(spins, q):
    """j and m of all states |j, m><j, m - q|, and the index of the first state of each j, from the largest j on."""
    js = [j for j in np.arange(spins / 2, -0.1, -1) if 2 * j + 1 > q]
    j = np.concatenate([np.full(round(2 * j) + 1 - q, j) for j in js])
    m = np.concatenate([np.arange(q - j, j + 0.5) for j in js])
    return j, m, np.cumsum([0] + [round(2 * j) + 1 - q for j in js])


def generator(spins, gain, damping, decay, q):
    """The generator of charge q of local gain and damping and of collective decay, without a Hamiltonian."""
    j, m, first = states(spins, q)
    n, half, level = m - q, spins / 2, np.round(spins / 2 - j).astype(int)
    parts = []

    def jump(down, up, strength):
        """From each state to the one with j - down and m + up."""
        to, m_to, j_to = level + down, m + up, j - down
        there = (j_to >= 0) & (to >= 0) & (abs(m_to) <= j_to) & (abs(m_to - q) <= j_to)
        row = first[to[there]] + np.round(m_to + j_to - q).astype(int)[there]
        parts.append((row, np.flatnonzero(there), strength[there]))

    def same(s, x):
        return np.sqrt(np.maximum((j - s * x) * (j + s * x + 1), 0))

    def lower(s, x):
        return np.sqrt(np.maximum((j - s * x) * (j - s * x - 1), 0))

    def higher(s, x):
        return np.sqrt((j + s * x + 1) * (j + s * x + 2))

    p = np.maximum(j, 0.25)  # at j = 0 the factors beside it are 0
    for rate, s in ((gain, 1), (damping, -1)):
        jump(0, s, rate * (half + 1) / (2 * p * (p + 1)) * same(s, m) * same(s, n))
        jump(1, s, rate * (half + j + 1) / (2 * p * (2 * p + 1)) * lower(s, m) * lower(s, n))
        jump(-1, s, rate * (half - j) / (2 * (j + 1) * (2 * j + 1)) * higher(s, m) * higher(s, n))
    jump(0, -1, decay * same(-1, m) * same(-1, n))
    jump(0, 0, -sum(gain * (half - x) + damping * (half + x) + decay * same(-1, x) ** 2 for x in (m, n)) / 2)
    rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    return csc_array((values, (rows, columns)), shape=(j.size, j.size))


def at_rest(spins, gain, damping, decay):
    """Inversion and correlation of a pair, from the null vector in units of its first component."""
    rates, (j, m, _) = generator(spins, gain, damping, decay, 0), states(spins, 0)
    one = int(np.argmax((j == spins / 2) & (m == 0)))
    others = np.delete(np.arange(j.size), one)
    p = np.ones(j.size)
    p[others] = splu(rates[others][:, others].tocsc()).solve(-rates[others][:, [one]].toarray()[:, 0])
    p /= p.sum()
    z = 2 / spins * (p @ m)
    return z, (p @ ((j + m) * (j - m + 1)) - spins * (1 + z) / 2) / (spins * (spins - 1))


def slowest(spins, gain, damping, decay):
    """The eigenvalue of charge 1 with the largest real part."""
    inverse = splu(generator(spins, gain, damping, decay, 1))
    size = inverse.shape[0]
    near = eigs(LinearOperator((size, size), inverse.solve, dtype=float), k=4, v0=np.ones(size), return_eigenvectors=False)
    return max(1 / near, key=lambda value: value.real)


@pytest.mark.parametrize("spins", [4, 5])
def test_the_reference_is_right_for_few_spins(spins):
    one, few = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2), ss.BruteForce(spins)
    steady, line = ss.steady_state(one, theory=few), ss.linewidth(one, theory=few)
    z, c = at_rest(spins, 3.0, 1.0, 24.0 / spins)
    assert z == pytest.approx(float(steady.inversion[0]), abs=1e-12)
    assert c == pytest.approx(float(steady.correlation[0, 0].real), abs=1e-12)
    assert -2 * slowest(spins, 3.0, 1.0, 24.0 / spins).real == pytest.approx(float(line.linewidth), abs=1e-10)


def test_the_inversion_of_a_hundred_spins():
    assert f"{at_rest(100, 3.0, 1.0, 24.0 / 100)[0]:.6f}" == f"{levels.INVERSION:.6f}"


@pytest.mark.parametrize("spins", [100, pytest.param(1000, marks=pytest.mark.slow(slice=2))])
def test_the_superradiant_laser(spins):
    z, c = at_rest(spins, 0.5, 0.0, 1 / spins)
    found = z, c, spins * slowest(spins, 0.5, 0.0, 1 / spins).real
    assert [f"{value:.6f}" for value in found] == [f"{value:.6f}" for value in finite_spins.REFERENCE[spins]]
