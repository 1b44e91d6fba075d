"""The cumulant equations with coherence against matrices of 2^N rows: before closure, for two spins, and for short times."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from reference import DOWN, SZ, UP, DenseMasterEquation, on, positive_and_negative_part, random_system
from spinsync.theory.cumulants.full_equations import derivative

COUNTS = [(4,), (2, 2), (1, 3), (1, 1, 2), (1, 1, 1, 1)]
NAMES = {"p": UP, "m": DOWN, "z": SZ}


@dataclass(frozen=True)
class Terms:
    """Coefficients of the equations by class: omega, gamma_perp, gamma_1, net_gain and number of spins, shape (5, class);
    coupling and modulus of two spins, complex (group, group); the group of each class."""

    rates: np.ndarray
    coupling: np.ndarray
    modulus: np.ndarray
    group: np.ndarray

    def velocity(self, _t, y):
        spins, groups = self.rates[4], len(self.coupling)
        table = np.stack([self.group, spins, *self.rates[:4], spins != 1])
        planes, tail = np.array([self.coupling, self.modulus], complex).view(float), np.zeros((1, 3, groups))
        out, work = np.full(y.size + groups, np.nan), np.full(4 * groups * (3 * spins.size + 1), np.nan)
        derivative(np.append(y, np.zeros(groups)), table, planes, tail, work, out)
        return out[: y.size]


def terms_of(system, counts):
    """Coefficients for the spins of a System, from its full N x N coupling."""
    n, first = sum(counts), np.cumsum([0, *counts[:-1]])
    of = np.repeat(np.arange(len(counts)), counts)
    c = system.coupling[np.ix_(of, of)] / n
    pumping, decay = positive_and_negative_part((c - c.conj().T) / 2j)
    up, down = system.gain + 2 * pumping.diagonal().real[first], system.damping + 2 * decay.diagonal().real[first]
    counts = np.array(counts, float)
    pairs = np.ix_(first, first + counts.astype(int) - 1)  # two different spins wherever a class has two
    return Terms(rates_of(system, up, down, counts), c[pairs], (pumping + decay)[pairs], np.arange(len(counts)))


def rates_of(system, up, down, counts):
    gamma_1 = up + down
    return np.stack([system.omega, gamma_1 / 2 + system.dephasing, gamma_1, up - down, counts])


def case(seed, counts):
    system = random_system(seed, len(counts))
    dense = DenseMasterEquation(system, counts)
    return system, dense, terms_of(system, counts)


def symmetric_state(seed, counts):
    """A random density matrix, averaged over the permutations of equal spins."""
    n, rng = sum(counts), np.random.default_rng([7, seed])
    root = rng.normal(size=(2**n, 2**n)) + 1j * rng.normal(size=(2**n, 2**n))
    rho = (root @ root.conj().T / np.trace(root @ root.conj().T)).reshape((2,) * (2 * n))
    first = np.cumsum([0, *counts[:-1]])
    within = [itertools.permutations(range(f, f + count)) for f, count in zip(first, counts, strict=True)]
    orders = [sum(parts, ()) for parts in itertools.product(*within)]
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


def motion(terms, y0, times):
    """y at `times`, by DOP853 at its finest tolerance."""
    run = solve_ivp(terms.velocity, (0.0, times[-1]), y0, method="DOP853", t_eval=times, rtol=1e-13, atol=1e-15)
    assert run.success, run.message
    return run.y.T


def exact_motion(dense, rho, times, counts):
    """The same means by the matrix exponential."""
    out = []
    for t in times:
        means = Means((expm(dense.generator * t) @ rho.reshape(-1)).reshape(rho.shape), rho)
        out.append(packed(counts, lambda name, i, means=means: means.mean((name, i)), means.connected))
    return np.array(out)


@pytest.mark.parametrize("counts", [(2,), (1, 1)])
@pytest.mark.parametrize("coherent", [True, False])
def test_two_spins_are_exact_at_all_times(counts, coherent):
    _, dense, terms = case(5, counts)
    rho, times = symmetric_state(6, counts), np.linspace(0.0, 3.0, 7)
    if not coherent:
        rho = np.diag(rho.diagonal())
    expected = exact_motion(dense, rho, times, counts)
    np.testing.assert_allclose(motion(terms, expected[0], times), expected, rtol=0, atol=1e-11)  # of 1e-13 per step


@pytest.mark.parametrize("counts", [(4,), (2, 2), (1, 1, 1, 1)])
def test_from_a_product_state_the_error_grows_as_the_third_power_of_time(counts):
    """Pairs grow linearly, and third cumulants, which only pairs can start, as t^2, so that the errors of pairs are O(t^3)."""
    _, dense, terms = case(8, counts)
    rho, times = dense.start(), np.array([0.0, 0.001, 0.002, 0.004])
    size = len(counts)
    expected = exact_motion(dense, rho, times, counts)
    error = abs(motion(terms, expected[0], times) - expected)[1:, 2 * size :].max(axis=1)
    assert 6.4 < error[1] / error[0] < 8.6
    assert 6.4 < error[2] / error[1] < 8.6


def random_means(seed, size, scale):
    """Any y: s, Hermitian pm, symmetric mm and zz, and mz, with connected parts of the given scale."""
    rng = np.random.default_rng([9, seed])
    s, pm, mm, mz = (rng.normal(size=shape) + 1j * rng.normal(size=shape) for shape in (size, *3 * [(size, size)]))
    z, zz = rng.uniform(-1, 1, size), rng.normal(size=(size, size))
    pairs = [scale * (pm + pm.conj().T), scale * (mm + mm.T), scale * mz]
    return s / 4, *pairs, z, scale * (zz + zz.T)


def joined(s, pm, mm, mz, z, zz):
    pairs = np.concatenate([s, pm.reshape(-1), mm.reshape(-1), mz.reshape(-1)])
    return np.concatenate([pairs.astype(complex).view(float), z, zz.reshape(-1)])


def test_without_coherence_they_are_the_symmetric_equations():
    """Equations (10.2) to (10.4) as they are written in the documentation, for the means themselves."""
    counts = (5, 1, 30)
    n, spins, system = sum(counts), np.array(counts, float), random_system(3, 3)
    p = spins / n
    root = np.sqrt(np.outer(p, p))
    plus, minus = positive_and_negative_part(root * (system.coupling - system.coupling.conj().T) / 2j)
    plus, minus = plus / root / n, minus / root / n
    up, down = system.gain + 2 * plus.diagonal().real, system.damping + 2 * minus.diagonal().real
    gamma_1, gamma_perp, net = up + down, (up + down) / 2 + system.dephasing, up - down
    terms = Terms(rates_of(system, up, down, spins), system.coupling / n, plus + minus, np.arange(3))
    s, c, mm, mz, z, zz = random_means(1, 3, 0.1)
    c[1, 1] = zz[1, 1] = 0  # a group of one spin has no pair
    rate = terms.velocity(0.0, joined(0 * s, c, 0 * mm, 0 * mz, z, zz))
    full, own = zz + np.outer(z, z), np.eye(3)
    cm, h = system.coupling, (system.coupling + system.coupling.conj().T) / 2 / n
    dz, dc, dzz = np.zeros(3), np.zeros((3, 3), complex), np.zeros((3, 3))
    for a in range(3):
        dz[a] = -gamma_1[a] * z[a] + net[a] + 4 / n * sum((spins - own[a]) * cm[a] * c[a]).imag
    for a, b in np.ndindex(3, 3):
        others = spins - own[a] - own[b]
        dc[a, b] = (1j * (system.omega[a] - system.omega[b]) - gamma_perp[a] - gamma_perp[b]) * c[a, b]
        dc[a, b] += 1j / n * sum(others * (cm[b] * c[a] * z[b] - cm[a].conj() * c[:, b] * z[a]))
        dc[a, b] += 1j * h[b, a] * (z[b] - z[a]) / 2 + minus[b, a] * ((z[a] + z[b]) / 2 + full[a, b])
        dc[a, b] += plus[b, a] * (full[a, b] - (z[a] + z[b]) / 2)
        dzz[a, b] = -(gamma_1[a] + gamma_1[b]) * full[a, b] + net[a] * z[b] + net[b] * z[a]
        dzz[a, b] += 4 / n * sum(others * (cm[a] * c[a] * z[b] + cm[b] * c[b] * z[a])).imag
        dzz[a, b] += 8 * ((plus + minus)[a, b] * c[a, b]).real - dz[a] * z[b] - dz[b] * z[a]
    dc[1, 1] = dzz[1, 1] = 0
    np.testing.assert_allclose(rate, joined(0 * s, dc, 0 * mm, 0 * mz, dz, dzz), rtol=0, atol=1e-12)


def equal_classes(counts, groups=1):
    """Classes of equal spins, all of them coupled by V e^{i theta}/N, in one group or several."""
    n, size, coupling = sum(counts), len(counts), 12.0 * np.exp(-1.1j)
    gain, damping, dephasing, omega = 3.0, 1.0, 0.2, 0.7
    decay = 2 * max(0.0, -coupling.imag) / n
    rates = [omega, (gain + damping + decay) / 2 + dephasing, gain + damping + decay, gain - damping - decay]
    table, shape = np.stack([np.full(size, x) for x in rates] + [np.array(counts, float)]), (groups, groups)
    return Terms(table, np.full(shape, coupling / n), np.full(shape, decay / 2 + 0j), np.arange(size) % groups)


def test_equal_classes_are_one_group():
    one = equal_classes((12,))
    means = random_means(2, 1, 0.05)
    rate = one.velocity(0.0, joined(*means))
    repeated = [np.tile(x, 3) if x.ndim == 1 else np.tile(x, (3, 3)) for x in means]
    s, pairs, z, zz = rate[:2].view(complex), rate[2:8].view(complex), rate[8:9], rate[9:]
    expected = joined(np.tile(s, 3), *(np.full((3, 3), x) for x in pairs), np.tile(z, 3), np.full((3, 3), zz[0]))
    for groups in (1, 2, 3):
        split = equal_classes((5, 4, 3), groups=groups).velocity(0.0, joined(*repeated))
        np.testing.assert_allclose(split, expected, rtol=1e-13, atol=1e-14)


def test_a_million_million_spins_lose_no_digits():
    """N times the connected parts has a limit, approached as 1/N: between 10^9 and 10^12 spins it changes by 1e-8."""
    ends = {}
    for n in (10**6, 10**9, 10**12):
        terms, y, step = equal_classes((n,)), np.zeros(10), 0.01
        y[:2], y[8] = [0.3, 0.1], 0.4
        for _ in range(200):
            k1 = terms.velocity(0, y)
            k2 = terms.velocity(0, y + step / 2 * k1)
            k3 = terms.velocity(0, y + step / 2 * k2)
            y = y + step / 6 * (k1 + 2 * k2 + 2 * k3 + terms.velocity(0, y + step * k3))
        ends[n] = n * y[[2, 3, 4, 5, 6, 7, 9]]
    assert abs(ends[10**12]).max() > 0.1
    steps = ((10**6, 10**9), (10**9, 10**12))
    change = [abs(ends[large] - ends[small]).max() / abs(ends[large]).max() for small, large in steps]
    assert 1e-6 < change[0] < 1e-4
    assert change[1] == pytest.approx(1e-3 * change[0], rel=0.01)  # not connected: 3 to 5 times that
