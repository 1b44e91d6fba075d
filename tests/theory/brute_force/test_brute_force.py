"""Brute force: one-spin identities of the full master equation, its Lindblad form, and its symmetries."""

from functools import reduce

import numpy as np
import pytest
from scipy.linalg import expm

import spinsync as ss
from reference import DOWN, ONE, SZ, UP, on, positive_and_negative_part, random_bloch
from spinsync.model.master_equation import lindbladian
from spinsync.theory.brute_force import theory
from systems import HALF_PI, laser, random_spins

CASES = [(0, (3,)), (1, (2,)), (2, (1, 2)), (3, (1, 1)), (4, (1, 1, 1)), (5, (2, 1)), (6, (1,)), (7, (3, 1))]


def superoperator(ensemble, n):
    return theory.liouvillian(theory.SpinSpace(n), lindbladian(ensemble, n)).toarray()


def random_state(rng, n):
    """Any density matrix: mixed and entangled."""
    root = rng.normal(size=(2**n, 3)) + 1j * rng.normal(size=(2**n, 3))
    rho = root @ root.conj().T
    return rho / np.trace(rho)


def coupling_of_spins(ensemble, counts):
    """The group of each spin, and C_ij = C_ab/N."""
    group = np.repeat(np.arange(len(counts)), counts)
    return group, ensemble.coupling_matrix[np.ix_(group, group)] / len(group)


@pytest.mark.parametrize(("seed", "counts"), CASES)
def test_one_spin_identities(seed, counts):
    """Exact equations of motion of <sigma^-_i> and <sigma^z_i>, for any state and every complex C."""
    ensemble, rng = random_spins(seed, counts)
    n = sum(counts)
    group, c = coupling_of_spins(ensemble, counts)
    plus, minus = positive_and_negative_part((c - c.conj().T) / 2j)
    rho = random_state(rng, n)
    change = (superoperator(ensemble, n) @ rho.reshape(-1)).reshape(rho.shape)

    def mean(operator, of=rho):
        return np.trace(operator @ of)

    for i in range(n):
        g = ensemble.groups[group[i]]
        kappa, gamma = g.gain + 2 * plus[i, i].real, g.damping + 2 * minus[i, i].real
        others = [j for j in range(n) if j != i]
        ds = -(1j * g.frequency + (kappa + gamma) / 2 + g.dephasing) * mean(on(DOWN, i, n))
        ds += 1j * sum(c[i, j] * mean(on(DOWN, j, n) @ on(SZ, i, n)) for j in others)
        dz = -(kappa + gamma) * mean(on(SZ, i, n)) + kappa - gamma
        dz += 4 * np.imag(sum(c[i, j] * mean(on(UP, i, n) @ on(DOWN, j, n)) for j in others))
        assert mean(on(DOWN, i, n), change) == pytest.approx(ds, abs=1e-12)
        assert mean(on(SZ, i, n), change) == pytest.approx(dz, abs=1e-12)


@pytest.mark.parametrize(("seed", "counts"), CASES[:-1])
def test_states_stay_density_matrices(seed, counts):
    ensemble, rng = random_spins(seed, counts)
    n = sum(counts)
    generator, rho = superoperator(ensemble, n), random_state(rng, n)
    values, vectors = np.linalg.eig(generator)
    assert values.real.max() < 1e-10
    weights = np.linalg.solve(vectors, rho.reshape(-1))
    for t in (0.01, 0.3, 4.0):
        later = (vectors @ (np.exp(values * t) * weights)).reshape(rho.shape)
        # eigenvectors of a non-normal matrix: about 1e-11
        assert np.trace(later) == pytest.approx(1, abs=1e-9)
        assert abs(later - later.conj().T).max() < 1e-9
        assert np.linalg.eigvalsh(later).min() > -1e-9


@pytest.mark.parametrize(("seed", "counts"), CASES)
def test_lindblad_terms_add_up_to_the_coupling(seed, counts):
    """K_+ and K_- are the only positive matrices with K_+ - K_- = K and K_+ K_- = 0."""
    ensemble, _ = random_spins(seed, counts)
    n = sum(counts)
    _, c = coupling_of_spins(ensemble, counts)
    terms = ss.lindblad(ensemble, n)
    exchange, decay, pumping = (terms[name].values for name in ("exchange", "correlated_decay", "correlated_pumping"))
    np.testing.assert_allclose(exchange + 1j * (pumping - decay) / 2, c, atol=1e-13)
    np.testing.assert_allclose(pumping @ decay, 0, atol=1e-12)
    assert max(abs(pumping).max(), abs(decay).max()) > 0.1
    for matrix in (decay, pumping):
        np.testing.assert_allclose(matrix, matrix.conj().T, atol=1e-14)
        assert np.linalg.eigvalsh(matrix).min() > -1e-13
    np.testing.assert_allclose(exchange, exchange.conj().T, atol=1e-14)
    np.testing.assert_array_equal(terms.gain, np.repeat([g.gain for g in ensemble.groups], counts))
    np.testing.assert_array_equal(terms.spin_frequency, np.repeat([g.frequency for g in ensemble.groups], counts))


def test_one_group_decays_or_is_pumped_collectively():
    """Collective decay (2V|sin theta|/N) D[J_-] below the axis, pumping (2V sin theta/N) D[J_+] above it."""
    for theta, decay, pumping in ((-0.7, 2 * 12 * np.sin(0.7) / 5, 0), (0.7, 0, 2 * 12 * np.sin(0.7) / 5)):
        terms = ss.lindblad(laser(theta=theta), 5)
        np.testing.assert_allclose(terms.correlated_decay, np.full((5, 5), decay), atol=1e-13)
        np.testing.assert_allclose(terms.correlated_pumping, np.full((5, 5), pumping), atol=1e-13)
        np.testing.assert_allclose(terms.exchange, np.full((5, 5), 12 * np.cos(theta) / 5), atol=1e-13)


@pytest.mark.parametrize(("seed", "counts"), CASES)
def test_observables_of_a_product_state_are_products(seed, counts):
    ensemble, rng = random_spins(seed, counts)
    n, k = sum(counts), len(counts)
    m = random_bloch(rng, n)
    run = ss.evolve(ensemble, [0.0], theory=ss.BruteForce(n), initial=m, each=True).isel(time=0)
    s = (m[:, 0] - 1j * m[:, 1]) / 2
    np.testing.assert_allclose(run.spin_coherence, s, atol=1e-15)
    np.testing.assert_allclose(run.spin_inversion, m[:, 2], atol=1e-15)
    group = np.repeat(np.arange(k), counts)
    for a in range(k):
        assert complex(run.coherence[a]) == pytest.approx(s[group == a].mean(), abs=1e-15)
        for b in range(k):
            pairs = [np.conj(s[i]) * s[j] for i in range(n) for j in range(n) if i != j and group[i] == a and group[j] == b]
            np.testing.assert_allclose(run.correlation[a, b], np.mean(pairs) if pairs else np.nan, atol=1e-15)


@pytest.mark.parametrize(("seed", "counts"), CASES)
def test_motion_follows_the_full_matrix(seed, counts):
    """The sectors of coherence order 0 and 1 together are the full master equation: the exponential of the dense matrix."""
    ensemble, rng = random_spins(seed, counts)
    n = sum(counts)
    m = random_bloch(rng, n)
    rho = reduce(np.kron, [(ONE + v[0] * (UP + DOWN) + 1j * v[1] * (DOWN - UP) + v[2] * SZ) / 2 for v in m])
    times = [0.0, 0.2, 0.7, 2.0]
    run = ss.evolve(ensemble, times, theory=ss.BruteForce(n), initial=m, each=True)
    generator, group = superoperator(ensemble, n), np.repeat(np.arange(len(counts)), counts)
    pairs = pairs_of_groups(group)
    for k, t in enumerate(times):
        later = (expm(generator * t) @ rho.reshape(-1)).reshape(rho.shape)
        for i in range(n):
            assert complex(run.spin_coherence[k, i]) == pytest.approx(np.trace(later @ on(DOWN, i, n)), abs=1e-12)
            assert float(run.spin_inversion[k, i]) == pytest.approx(np.trace(later @ on(SZ, i, n)).real, abs=1e-12)
        share, mean = 0.0, 0.0
        for (a, b), operator in pairs.items():
            expected = np.trace(later @ operator)
            assert complex(run.correlation[k, a, b]) == pytest.approx(expected, abs=1e-12)
            weight = counts[a] * counts[b]
            share, mean = share + weight, mean + weight * expected.real
        assert np.isnan(run.correlation[k].values).sum() == len(counts) ** 2 - len(pairs)  # a group of one spin has no pair
        # a root: where the mean vanishes its own rounding error counts
        assert float(run.order_parameter[k]) ** 2 / 4 == pytest.approx(max(0, mean / (share or 1)), abs=1e-12)


def pairs_of_groups(group):
    """(a, b) -> the mean of sigma^+_i sigma^-_j over all pairs of two spins of the groups a and b."""
    n, out = group.size, {}
    for a, b in np.ndindex(group.max() + 1, group.max() + 1):
        pairs = [
            on(UP, i, n) @ on(DOWN, j, n) for i in range(n) for j in range(n) if i != j and group[i] == a and group[j] == b
        ]
        if pairs:
            out[a, b] = sum(pairs) / len(pairs)
    return out


@pytest.mark.parametrize(("seed", "counts"), CASES)
def test_steady_state_is_where_the_motion_ends(seed, counts):
    ensemble, _ = random_spins(seed, counts)
    n = sum(counts)
    theory = ss.BruteForce(n)
    end = ss.evolve(ensemble, [0.0, 300.0], theory=theory).isel(time=1)
    state = ss.steady_state(ensemble, theory=theory)
    np.testing.assert_allclose(state.inversion, end.inversion, atol=1e-9)
    np.testing.assert_allclose(state.correlation, end.correlation, atol=1e-9)
    assert float(state.order_parameter) == pytest.approx(float(end.order_parameter), abs=1e-8)
    assert abs(end.coherence).max() < 1e-6  # no symmetry is broken at finite N


@pytest.mark.parametrize(("seed", "counts"), CASES)
def test_rotating_every_phase_rotates_the_answer(seed, counts):
    ensemble, rng = random_spins(seed, counts)
    n, angle, times = sum(counts), 0.77, np.linspace(0, 2, 5)
    m = random_bloch(rng, n)
    rotation = np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    run, rotated = (ss.evolve(ensemble, times, theory=ss.BruteForce(n), initial=v, each=True) for v in (m, m @ rotation))
    np.testing.assert_allclose(rotated.spin_coherence, run.spin_coherence * np.exp(-1j * angle), atol=1e-12)
    np.testing.assert_allclose(rotated.correlation, run.correlation, atol=1e-12)
    np.testing.assert_allclose(rotated.inversion, run.inversion, atol=1e-12)


def test_order_of_groups_is_irrelevant():
    ensemble, rng = random_spins(4, (1, 1, 2))
    order, m, times = [2, 0, 1], random_bloch(rng, 3), np.linspace(0, 2, 5)
    shuffled = ss.Ensemble([ensemble.groups[i] for i in order], ensemble.coupling_matrix[np.ix_(order, order)])
    run = ss.evolve(ensemble, times, theory=ss.BruteForce(4), initial=m)
    other = ss.evolve(shuffled, times, theory=ss.BruteForce(4), initial=m[order])
    np.testing.assert_allclose(other.coherence, run.coherence[:, order], atol=1e-12)
    np.testing.assert_allclose(other.correlation, run.correlation[:, order, order], atol=1e-12)
    np.testing.assert_allclose(other.order_parameter, run.order_parameter, atol=1e-12)


def test_splitting_groups_changes_nothing():
    ensemble, rng = random_spins(3, (2, 2))
    m, times = random_bloch(rng, 2), np.linspace(0, 2, 5)
    run = ss.evolve(ensemble, times, theory=ss.BruteForce(4), initial=m)
    split = ss.evolve(ensemble.split(2), times, theory=ss.BruteForce(4), initial=np.repeat(m, 2, axis=0))
    np.testing.assert_allclose(split.coherence, np.repeat(run.coherence, 2, axis=1), atol=1e-12)
    np.testing.assert_allclose(split.correlation[:, 0, 1], run.correlation[:, 0, 0], atol=1e-12)
    np.testing.assert_allclose(split.correlation[:, 0, 2], run.correlation[:, 0, 1], atol=1e-12)


def test_one_uncoupled_spin_is_mean_field():
    one = laser(coupling=0.0, frequency=1.3, dephasing=0.4)
    times, m = np.linspace(0, 3, 13), [[0.5, -0.3, 0.2]]
    spin, field = ss.evolve(one, times, theory=ss.BruteForce(1), initial=m), ss.evolve(one, times, initial=m)
    np.testing.assert_allclose(spin.coherence, field.coherence, atol=1e-12)
    np.testing.assert_allclose(spin.inversion, field.inversion, atol=1e-12)


def test_a_cavity_shifts_each_spin_by_its_own_exchange():
    """Re(C)/N per spin; a cavity mode that is kept shifts a single spin by -g^2 Delta_c/(Delta_c^2 + (kappa_c/2)^2)."""
    parameters = dict(vacuum_coupling=1.0, cavity_decay=40.0, cavity_detuning=30.0, gain=0.2, damping=0.3, frequency=2.0)
    shift = -30.0 / (30.0**2 + 20.0**2)
    for spins in (1, 3):
        cavity = ss.Ensemble.cavity(spins=spins, **parameters)
        terms = ss.lindblad(cavity, spins)
        np.testing.assert_allclose(terms.spin_frequency, 2.0 + shift, rtol=1e-14)
    one = ss.Ensemble.cavity(spins=1, **parameters)
    plain = ss.Ensemble(one.groups, one.coupling_matrix)
    np.testing.assert_array_equal(ss.lindblad(plain, 1).spin_frequency, 2.0)
    # the spin's own part of the decay is the Purcell rate, 2 K_- = kappa_c g^2/(Delta_c^2 + (kappa_c/2)^2)
    run = ss.evolve(one, [0.0, 1.0], theory=ss.BruteForce(1), initial=[[1, 0, 0]])
    purcell = 40.0 / (30.0**2 + 20.0**2)
    expected = 0.5 * np.exp(-1j * (2.0 + shift) - (0.5 + purcell) / 2)
    assert complex(run.coherence[1, 0]) == pytest.approx(expected, abs=1e-12)


def test_mean_field_is_approached_as_spins_are_added():
    """At the first instant: a product state of N spins moves as mean field does with C (N - 1)/N and the primed rates."""
    times, m = [0.0, 1e-4], [[0.4, 0.2, 0.3]]
    off = []
    for spins in (2, 3, 6):
        run = ss.evolve(laser(theta=-HALF_PI), times, theory=ss.BruteForce(spins), initial=m)
        field = ss.evolve(laser(), times, initial=m)
        off.append(abs(run.coherence[1, 0] - field.coherence[1, 0]).item() * spins)
    np.testing.assert_allclose(off, off[0], rtol=1e-2)  # 1/N, up to t^2
    assert off[0] > 1e-5
