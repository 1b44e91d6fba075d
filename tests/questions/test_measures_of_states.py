"""Measures of synchronization against explicit reduced density matrices, quadrature and exact relations."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

import spinsync as ss
from reference import SZ, UP, on, random_bloch
from spinsync.theory.brute_force import theory
from spinsync.theory.permutation.exact import Exact
from systems import laser, one_group, random_spins

SY = np.array([[0, -1j], [1j, 0]])


def pair_state(rho, spins, i, j):
    """Reduced density matrix of spins i < j, shape (4, 4), from the full one."""
    axes = rho.reshape([2] * (2 * spins))
    letters = [chr(ord("a") + k) for k in range(2 * spins)]
    for k in range(spins):
        if k not in (i, j):
            letters[spins + k] = letters[k]
    out = "".join(letters[k] for k in (i, j)) + "".join(letters[spins + k] for k in (i, j))
    return np.einsum(f"{''.join(letters)}->{out}", axes).reshape(4, 4)


def entropy_of(rho):
    p = np.linalg.eigvalsh(rho)
    p = p[p > 1e-15]
    return -(p @ np.log(p))


def wootters(rho):
    """W. K. Wootters, Phys. Rev. Lett. 80, 2245 (1998)."""
    flipped = np.kron(SY, SY) @ rho.conj() @ np.kron(SY, SY)
    root = sqrtm(rho)
    values = np.sqrt(np.maximum(np.linalg.eigvals(root @ flipped @ root).real, 0))
    return max(0, 2 * values.max() - values.sum())


def steady_matrix(ensemble, spins):
    """The steady state as a 2^N x 2^N matrix."""
    problem = ss.BruteForce(spins).lower(ensemble, None, 0)
    from spinsync.problems.linear import dense

    rho = np.zeros(4**spins, complex)
    rho[theory.SpinSpace(spins).sector(0)] = dense.null_vector(problem.sectors.block(0), problem.sectors.trace)
    return rho.reshape(2**spins, -1)


@pytest.mark.parametrize(("seed", "counts"), [(0, (3,)), (5, (2, 1)), (4, (1, 1, 1)), (2, (1, 2))])
def test_pair_measures_agree_with_the_reduced_density_matrix(seed, counts):
    ensemble, _ = random_spins(seed, counts)
    spins = sum(counts)
    measured = ss.pair_measures(ss.steady_state(ensemble, theory=ss.BruteForce(spins)))
    rho, group = steady_matrix(ensemble, spins), np.repeat(np.arange(len(counts)), counts)
    for i in range(spins):
        for j in range(i + 1, spins):
            pair, a, b = pair_state(rho, spins, i, j), group[i], group[j]
            alone = [np.einsum(s, pair.reshape(2, 2, 2, 2)) for s in ("akbk->ab", "kakb->ab")]
            information = sum(map(entropy_of, alone)) - entropy_of(pair)
            assert float(measured.concurrence[a, b]) == pytest.approx(wootters(pair), abs=1e-7)  # square root of rounding error
            assert float(measured.mutual_information[a, b]) == pytest.approx(information, abs=1e-10)
            for variable in ("concurrence", "mutual_information"):
                assert float(measured[variable][a, b]) == pytest.approx(float(measured[variable][b, a]), abs=1e-12)


def test_entangled_pairs_are_found():
    """Two spins with collective decay and weak gain are partly in the singlet state."""
    one = laser(gain=0.02, damping=0.0, coupling=6.0)
    found = ss.pair_measures(ss.steady_state(one, theory=ss.Exact(2)))
    pair = steady_matrix(one, 2)
    assert wootters(pair) > 0.05
    assert float(found.concurrence[0, 0]) == pytest.approx(wootters(pair), abs=1e-7)


def test_pair_measures_of_one_spin_are_nan():
    found = ss.pair_measures(ss.steady_state(laser(), theory=ss.Exact(1)))
    assert np.isnan(found.concurrence).all()
    assert np.isnan(found.mutual_information).all()


@pytest.mark.parametrize("seed", range(8))
def test_exact_and_brute_force_agree_on_every_measure(seed):
    ensemble, _ = one_group(seed)
    ensemble = ensemble.replace(**{"A.gain": 1.2, "A.damping": 0.8})
    spins = 2 + seed % 4
    mixed, reference = (ss.entropy(ensemble, theory=theory(spins)) for theory in (ss.Exact, ss.BruteForce))
    states = [ss.steady_state(ensemble, theory=theory(spins)) for theory in (ss.Exact, ss.BruteForce)]
    pairs, pairs_reference = map(ss.pair_measures, states)
    for name in ("entropy", "purity"):
        assert float(mixed[name]) == pytest.approx(float(reference[name]), abs=1e-11)
    np.testing.assert_allclose(states[0].inversion_correlation, states[1].inversion_correlation, atol=1e-11)
    np.testing.assert_allclose(pairs.mutual_information, pairs_reference.mutual_information, atol=1e-10)
    np.testing.assert_allclose(pairs.concurrence, pairs_reference.concurrence, atol=1e-10)


@pytest.mark.parametrize("spins", [1, 7, 800])
def test_entropy_of_uncoupled_spins_adds_up(spins):
    """Purity (p^2 + (1-p)^2)^N and N times the entropy of one spin; the dimension 2^N must not overflow."""
    found, p = ss.entropy(laser(coupling=0.0), theory=ss.Exact(spins)), 0.75
    assert float(found.entropy) == pytest.approx(-spins * (p * np.log(p) + (1 - p) * np.log(1 - p)), rel=1e-10)
    assert float(found.purity) == pytest.approx((p**2 + (1 - p) ** 2) ** spins, rel=1e-8)


def test_husimi_function_and_phase_distribution():
    """The Husimi function, integrated over the polar angle, is the phase distribution: normalized, peaked at the phase."""
    run = ss.evolve(laser(), [0.0], initial=[[0.3, 0.4, -0.2]])
    nodes, weights = np.polynomial.legendre.leggauss(40)
    polar = np.pi / 2 * (1 + nodes)
    azimuth = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    q = ss.husimi(run, polar, azimuth).husimi[0, 0].values
    density = ss.phase_distribution(run, azimuth).phase_density[0, 0].values
    np.testing.assert_allclose((np.pi / 2 * weights * np.sin(polar)) @ q, density, atol=1e-12)
    assert density.sum() * 2 * np.pi / 64 == pytest.approx(1)
    assert azimuth[np.argmax(density)] == pytest.approx(np.arctan2(0.4, 0.3), abs=np.pi / 64)
    assert q.min() >= 0


def test_phase_difference_density_of_a_product_state_is_a_convolution():
    ensemble, _ = random_spins(3, (1, 1))
    m = random_bloch(np.random.default_rng(3), 2)
    run = ss.evolve(ensemble, [0.0], theory=ss.BruteForce(2), initial=m)
    azimuth = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    density = ss.phase_distribution(run, azimuth)
    a, b = density.phase_density[0].values
    expected = [sum(a[(k + n) % 32] * b[n] for n in range(32)) * 2 * np.pi / 32 for k in range(32)]
    np.testing.assert_allclose(density.phase_difference_density[0, 0, 1], expected, atol=1e-13)


def test_pair_correlations_are_expectation_values_of_the_operators():
    ensemble, _ = random_spins(0, (3,))
    steady, rho = ss.steady_state(ensemble, theory=ss.BruteForce(3)), steady_matrix(ensemble, 3)
    assert float(steady.inversion_correlation[0, 0]) == pytest.approx(
        np.trace(rho @ on(SZ, 0, 3) @ on(SZ, 1, 3)).real, abs=1e-12
    )
    assert complex(steady.correlation[0, 0]) == pytest.approx(np.trace(rho @ on(UP, 0, 3) @ on(UP.T, 1, 3)), abs=1e-12)


def test_asymptotic_phase_advances_uniformly():
    """During the evolution it grows at the frequency of the line, and its amplitude decays at half the linewidth, exactly."""
    ensemble, theory = laser(theta=-1.0, frequency=0.7), ss.Exact(20)
    line, m = ss.linewidth(ensemble, theory=theory), np.array([[0.5, -0.3, 0.2]])
    start = ss.asymptotic_phase(ensemble, m, theory=theory)
    problem = Exact(20).lower(ensemble, m, 0)
    from scipy.linalg import expm

    from spinsync.problems.linear.state_lattice import slowest_mode

    _, right, left = slowest_mode.eigenvector(problem.sectors.block(1), problem.sectors.sites(1))
    strongest = left[np.argmax(abs(left * right))]
    t = 0.37
    later = left @ expm(problem.sectors.block(1).toarray() * t) @ problem.start(1) * abs(strongest) / strongest
    assert -np.angle(later) == pytest.approx(float(start.phase[0]) + float(line.frequency) * t, abs=1e-9)
    assert abs(later) == pytest.approx(float(start.amplitude[0]) * np.exp(-float(line.linewidth) / 2 * t), rel=1e-9)


@pytest.mark.parametrize(("spins", "theta"), [(3, -np.pi / 2), (4, -1.2)])
def test_asymptotic_phase_without_gain(spins, theta):
    """Also where the left eigenvector vanishes at the maximum of the right one, as spins only decay."""
    ensemble, m = ss.Ensemble.single(gain=0.0, damping=6.4, coupling=14.28, theta=theta), [[0.3, 0.1, 0.2], [-0.1, 0.3, 0.2]]
    found = ss.asymptotic_phase(ensemble, m, theory=ss.Exact(spins))
    difference = found.phase.values[1] - found.phase.values[0]
    assert np.exp(1j * difference) == pytest.approx(1j, abs=1e-9)
    np.testing.assert_allclose(*found.amplitude.values, rtol=1e-9)
    little = ss.asymptotic_phase(ensemble.replace(gain=1e-7), m, theory=ss.Exact(spins))
    np.testing.assert_allclose(little.phase, found.phase, atol=1e-5)
    np.testing.assert_allclose(little.amplitude, found.amplitude, rtol=1e-5)


def test_asymptotic_phase_of_coinciding_modes_is_an_error():
    """Four decaying spins at V = 2 gamma: two equal decay rates of sector +1 with one eigenvector (defective)."""
    ensemble = ss.Ensemble.single(gain=0.0, damping=0.5, coupling=1.0, theta=-np.pi / 2)
    with pytest.raises(ss.IntegrationError, match=r"^The slowest modes nearly coincide"):
        ss.asymptotic_phase(ensemble, [[0.3, 0.1, 0.2]], theory=ss.Exact(4))


def test_asymptotic_phase_tends_to_the_isochrons():
    """Mean field: Phi = phi - cot(theta) ln|s|, tested between two amplitudes, with an error that decreases with N."""
    ensemble, states = laser(theta=-1.0), [[0.5, 0.0, 1 / 6], [0.25, 0.0, 1 / 6], [0.0, 0.5, 1 / 6]]
    expected = -np.log(2) / np.tan(-1.0) * -1
    off = []
    for spins in (40, 160):
        phase = ss.asymptotic_phase(ensemble, states, theory=ss.Exact(spins)).phase.values
        assert phase[2] - phase[0] == pytest.approx(np.pi / 2, abs=1e-9)
        off.append(abs(phase[1] - phase[0] - expected))
    assert off[1] < off[0] / 2
    assert off[1] < 12 / 160
