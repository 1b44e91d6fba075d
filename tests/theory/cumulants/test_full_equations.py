"""The cumulant equations with coherence against matrices of 2^N rows: before closure, for two spins, and for short times."""

import itertools

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from reference import DOWN, SZ, UP, DenseMasterEquation, on, positive_and_negative_part, random_system
from spinsync.theory.cumulants.full_equations import derivative

COUNTS = [(4,), (2, 2), (1, 3), (1, 1, 2), (1, 1, 1, 1)]
NAMES = {"p": UP, "m": DOWN, "z": SZ}


class Terms:
    """Coefficients of the equations for the spins of a System, computed from its full N x N coupling."""

    def __init__(self, system, counts):
        n, first = sum(counts), np.cumsum([0, *counts[:-1]])
        of = np.repeat(np.arange(len(counts)), counts)
        c = system.coupling[np.ix_(of, of)] / n
        pumping, decay = positive_and_negative_part((c - c.conj().T) / 2j)
        own_up, own_down = 2 * pumping.diagonal().real[first], 2 * decay.diagonal().real[first]
        gamma_1 = system.gain + system.damping + own_up + own_down
        net_gain = system.gain - system.damping + own_up - own_down
        counts = np.array(counts, float)
        self.rates = np.stack([system.omega, gamma_1 / 2 + system.dephasing, gamma_1, net_gain, counts, np.ones_like(counts)])
        last = first + counts.astype(int) - 1  # two different spins wherever a class has two
        self.coupling, self.modulus = (np.ascontiguousarray(x[np.ix_(first, last)]) for x in (c, pumping + decay))
        self.coupling, self.modulus = self.coupling.astype(complex), self.modulus.astype(complex)

    def velocity(self, _t, y):
        out = np.full_like(y, np.nan)
        derivative.without_compiling(y, self.rates, self.coupling, self.modulus, out)
        return out


def case(seed, counts):
    system = random_system(seed, len(counts))
    dense = DenseMasterEquation(system, counts)
    return system, dense, Terms(system, counts)


def symmetric_state(seed, counts):
    """A random density matrix, averaged over the permutations of equal spins."""
    n, rng = sum(counts), np.random.default_rng([7, seed])
    root = rng.normal(size=(2**n, 2**n)) + 1j * rng.normal(size=(2**n, 2**n))
    rho = (root @ root.conj().T / np.trace(root @ root.conj().T)).reshape((2,) * (2 * n))
    first = np.cumsum([0, *counts[:-1]])
    orders = [sum(p, ()) for p in itertools.product(*(itertools.permutations(range(f, f + k)) for f, k in zip(first, counts)))]
    return sum(rho.transpose(p + tuple(n + i for i in p)) for p in orders).reshape(2**n, 2**n) / len(orders)


class Means:
    """Means of products of spin operators in a state, their joint cumulants, and the rates of cumulants in a motion."""

    def __init__(self, rho, velocity):
        self.rho, self.velocity, self.spins = rho, velocity, int(np.log2(len(rho)))

    def mean(self, *factors, state=None):
        operator = np.eye(len(self.rho))
        for name, i in factors:
            operator = operator @ on(NAMES[name], i, self.spins)
        return np.trace(operator @ (self.rho if state is None else state))

    def rate(self, *factors):
        return self.mean(*factors, state=self.velocity)

    def connected(self, a, b):
        return self.mean(a, b) - self.mean(a) * self.mean(b)

    def connected_rate(self, a, b):
        return self.rate(a, b) - self.rate(a) * self.mean(b) - self.mean(a) * self.rate(b)

    def third(self, a, b, c):
        rest = self.mean(a) * self.connected(b, c) + self.mean(b) * self.connected(a, c) + self.mean(c) * self.connected(a, b)
        return self.mean(a, b, c) - rest - self.mean(a) * self.mean(b) * self.mean(c)


def packed(counts, one, two):
    """y from one(name, spin) and two((name, spin), (name, other spin)), zero where a class has no pair."""
    size, first = len(counts), np.cumsum([0, *counts[:-1]])
    last = first + np.array(counts) - 1
    pairs = {}
    for names in ("pm", "mm", "mz", "zz"):
        values = np.zeros((size, size), complex)
        for a, b in np.ndindex(size, size):
            if first[a] != last[b]:
                values[a, b] = two((names[0], first[a]), (names[1], last[b]))
        pairs[names] = values.reshape(-1)
    s, z = (np.array([one(name, i) for i in first]) for name in "mz")
    return np.concatenate([np.concatenate([s, pairs["pm"], pairs["mm"], pairs["mz"]]).view(float), z.real, pairs["zz"].real])


def third_cumulants(means, c, a, b):
    """What the closure leaves out of the rate of the connected part of two operators: the cumulants with every third spin."""

    def response(one, other):
        (name, i), total = one, 0.0
        for k in set(range(means.spins)) - {i, other[1]}:
            if name == "m":
                total += 1j * c[i, k] * means.third(("m", k), ("z", i), other)
            if name == "p":
                total -= 1j * np.conj(c[i, k]) * means.third(("p", k), ("z", i), other)
            if name == "z":
                lost, gained = means.third(("p", k), ("m", i), other), means.third(("m", k), ("p", i), other)
                total += 2j * (np.conj(c[i, k]) * lost - c[i, k] * gained)
        return total

    return response(a, b) + response(b, a)


@pytest.mark.parametrize(("seed", "counts"), list(enumerate(COUNTS)))
def test_the_equations_are_exact_before_closure(seed, counts):
    _, dense, terms = case(seed, counts)
    rho = symmetric_state(seed, counts)
    means = Means(rho, (dense.generator @ rho.reshape(-1)).reshape(rho.shape))
    c = dense.system.coupling[np.ix_(dense.group, dense.group)] / sum(counts)
    y = packed(counts, lambda name, i: means.mean((name, i)), means.connected)
    exact = packed(counts, lambda name, i: means.rate((name, i)), means.connected_rate)
    left_out = packed(counts, lambda name, i: 0.0, lambda a, b: third_cumulants(means, c, a, b))
    assert abs(left_out).max() > 1e-4  # the state has three-spin correlations
    np.testing.assert_allclose(terms.velocity(0.0, y) + left_out, exact, rtol=0, atol=1e-12)
