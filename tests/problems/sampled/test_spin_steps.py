"""Time steps of classical spins: the generator's published values, exact resets, exact diffusion, whatever the step."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import spinsync as ss
from spinsync.problems.sampled import spin_samples, spin_steps
from spinsync.problems.sampled.spin_samples import Steps
from systems import laser

FREE = ss.Ensemble.single(gain=0.7, damping=1.6, dephasing=0.4, coupling=0.0, theta=0.0, frequency=0.3)


def problem(ensemble, spins, initial, **options):
    return ss.TruncatedWigner(spins, 2, **options).lower(ensemble, np.array(initial, float), 0, False)


def moved(steps, time, number, index=0):
    one = steps.start(index)
    steps.advance(one, number, time / number)
    return one.spins


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)  # fmt: skip
def test_random_words_are_those_published_for_philox(counter, key, words):
    """Known answers of Philox4x32-10 in the distribution of Random123 (Salmon et al., 2011)."""
    found = np.array(counter, np.uint64)
    spin_steps.mix(found, np.array(key, np.uint64))
    assert found.tolist() == words


@pytest.mark.parametrize("number", [1, 7])
@pytest.mark.parametrize(
    "rates", [(0.7, 1.6, 0.4), (0.0, 2.0, 0.0), (3.0, 1.0, 0.0), (0.0, 0.0, 1.5)], ids=["all", "damping", "gain", "dephasing"]
)
def test_an_uncoupled_spin_has_the_moments_of_its_components_after_any_step(rates, number):
    """A component of a spin is +-1: its even moments are 1, and its odd ones its mean, which relaxes at the known rates."""
    gain, damping, dephasing = rates
    one = ss.Ensemble.single(gain=gain, damping=damping, dephasing=dephasing, coupling=0.0, theta=0.0)
    time, spins = 0.45, 1_000_000
    made = problem(one, spins, [[0.0, 0.0, 0.6]])
    found = moved(Steps(made, 3), time, number)
    gamma_1 = gain + damping
    z_end = (gain - damping) / gamma_1 if gamma_1 else 0.0
    z = z_end + (0.6 - z_end) * np.exp(-gamma_1 * time)
    for component, mean in zip(found, (0.0, 0.0, z), strict=True):
        for power in (1, 2, 3, 4):
            exact, variance = (mean if power % 2 else 1.0), 1.0 - (mean if power % 2 else 1.0) ** 2
            assert abs(np.mean(component**power) - exact) <= 3.5 * np.sqrt(variance / spins) + 1e-12, power


@pytest.mark.parametrize("number", [1, 9])
def test_the_mean_of_an_uncoupled_spin_is_exact_and_its_length_is_kept(number):
    start, time, spins = np.array([0.5, -0.4, 0.6]), 0.8, 1_000_000
    made = problem(FREE, spins, [start])
    found = moved(Steps(made, 1), time, number)
    gamma_1, gamma_perp, z_end = FREE.groups[0].gamma_1, FREE.groups[0].gamma_perp, FREE.groups[0].z0
    s = (start[0] - 1j * start[1]) / 2 * np.exp(-gamma_perp * time)  # in the frame of the frequency
    z = z_end + (start[2] - z_end) * np.exp(-gamma_1 * time)
    np.testing.assert_allclose(found.mean(axis=1), [2 * s.real, -2 * s.imag, z], atol=4e-3)
    np.testing.assert_allclose((found**2).sum(axis=0), 3.0, rtol=1e-12)


def test_a_product_state_has_the_covariance_of_spins():
    """<(sigma_a sigma_b + sigma_b sigma_a)/2> is delta_ab in every state."""
    start, spins = np.array([0.5, -0.4, 0.6]), 1_000_000
    made = problem(FREE, spins, [start])
    found = Steps(made, 0).start(0).spins
    np.testing.assert_allclose(found.mean(axis=1), start, atol=4e-3)
    np.testing.assert_allclose(found @ found.T / spins, np.eye(3), atol=5e-3)


@pytest.mark.parametrize("number", [1, 2, 16])
def test_common_noise_diffuses_the_collective_spin_as_the_exact_law_says(number):
    """Noise alone turns J about random transverse axes: <J_z> decays at 2D, and <J_z^2> tends to J^2/3 at 6D, at any step."""
    spins, strength, time, samples = 40, 0.05, 4.0, 4000
    made = problem(ss.Ensemble.single(gain=0, damping=0, coupling=0.0, theta=0.0), spins, [[0.0, 0.0, 1.0]])
    made = replace(made, noise=np.array([[np.sqrt(strength) + 0j]]))
    steps = Steps(made, 2)
    j = np.array([moved(steps, time, number, index).sum(axis=1) / 2 for index in range(samples)])
    length = np.mean(np.sum(j**2, axis=1))
    assert length == pytest.approx(spins / 2 * (spins / 2 + 1), rel=0.02)  # j(j + 1)
    z, square = spins / 2 * np.exp(-2 * strength * time), spins**2 / 4
    square = length / 3 + (square - length / 3) * np.exp(-6 * strength * time)
    # exp(noise) of a whole step instead of many short ones: differences of fourth order in the angle
    for values, exact in ((j[:, 2], z), (j[:, 2] ** 2, square), (j[:, 0] ** 2, (length - square) / 2)):
        assert abs(values.mean() - exact) <= 4 * values.std() / np.sqrt(samples) + {1: 0.05, 2: 0.02, 16: 0.0}[number] * exact
    assert abs(np.mean(j[:, 0] * j[:, 1])) <= 4 * np.std(j[:, 0] * j[:, 1]) / np.sqrt(samples)


def test_the_variance_of_the_transverse_spin_grows_as_time():
    """Var(J_x) = N/4 + 2 D <J_z>^2 t for weak noise: with the step in place of its root it would fall with the step."""
    spins, strength, time, samples = 100, 1e-3, 1.0, 4000
    made = problem(ss.Ensemble.single(gain=0, damping=0, coupling=0.0, theta=0.0), spins, [[0.0, 0.0, 1.0]])
    made = replace(made, noise=np.array([[np.sqrt(strength) + 0j]]))
    steps = Steps(made, 5)
    for number in (1, 32):
        x = np.array([moved(steps, time, number, index)[0].sum() / 2 for index in range(samples)])
        assert np.var(x) == pytest.approx(spins / 4 + 2 * strength * spins**2 / 4 * time, rel=4 * np.sqrt(2 / samples))


def test_a_run_is_the_same_in_any_number_of_pieces(monkeypatch):
    made = problem(laser(coupling=12.0, frequency=ss.Gaussian(0.3)), 600, [[0.2, 0.1, 0.5]])
    whole = moved(Steps(made, 4), 0.5, 40, index=3)
    monkeypatch.setattr(spin_samples, "WORK_PER_CALL", 5000)
    assert Steps(made, 4).per_call < 10
    np.testing.assert_allclose(moved(Steps(made, 4), 0.5, 40, index=3), whole, atol=1e-9)


def test_samples_and_seeds_have_random_numbers_of_their_own():
    made = problem(laser(), 50, [[0.2, 0.1, 0.5]])
    runs = [moved(Steps(made, seed), 0.2, 4, index) for seed, index in ((0, 0), (0, 1), (1, 0), (2**100, 0))]
    for a, b in pairwise(runs):
        assert np.mean(a == b) < 0.9
    np.testing.assert_array_equal(moved(Steps(made, 0), 0.2, 4, 0), runs[0])


def test_powers_are_those_of_the_spins():
    spins = np.random.default_rng(0).normal(size=(3, 30))
    s, n, out = (spins[0] - 1j * spins[1]) / 2, (1 + spins[2]) / 2, np.empty(9, complex)
    spin_steps.add_powers(spins, out)
    q = abs(s) ** 2
    expected = [one.sum() for one in (s, s * s, q, q * s, q * q, n, n * n, n * s, n * q)]
    np.testing.assert_allclose(out, expected, rtol=1e-12)


def test_four_different_spins_are_counted_one_by_one():
    """The power sums of `light` against sums over all choices of different spins."""
    spins = np.random.default_rng(1).normal(size=(3, 5))
    s, n, powers = (spins[0] - 1j * spins[1]) / 2, (1 + spins[2]) / 2, np.empty((1, 9), complex)
    spin_steps.add_powers(spins, powers[0])
    index = np.arange(5)
    i, j, k, l = (one.ravel() for one in np.meshgrid(index, index, index, index))  # noqa: E741
    different = (i != j) & (i != k) & (i != l) & (j != k) & (j != l) & (k != l)
    four = np.sum((s[i].conj() * s[j].conj() * s[k] * s[l])[different])
    three = np.sum((n[i] * s[j].conj() * s[k])[(l == 0) & (i != j) & (j != k) & (i != k)])
    two = np.sum((n[i] * n[j])[(k == 0) & (l == 0) & (i != j)])
    one = np.sum((s[i].conj() * s[j])[(k == 0) & (l == 0) & (i != j)]) + n.sum()
    made = problem(laser(), 10, [[0, 0, 0.5]])
    intensity, pairs = made.light(powers)
    np.testing.assert_allclose(intensity, one.real)
    np.testing.assert_allclose(pairs, (four + 4 * three + 2 * two).real)


def test_motion_in_the_common_fields_alone_is_of_second_order_and_keeps_lengths():
    made = problem(ss.Ensemble.single(gain=0, damping=0, coupling=9.0, theta=-1.0), 200, [[0.8, 0.1, 0.5]])
    made = replace(made, noise=np.zeros((1, 0), complex))
    steps = Steps(made, 0)
    exact, coarse, fine = (moved(steps, 0.8, number) for number in (640, 8, 16))
    order = np.log2(np.linalg.norm(coarse - exact) / np.linalg.norm(fine - exact))
    assert abs(order - 2) < 0.2
    np.testing.assert_allclose((coarse**2).sum(axis=0), 3.0, rtol=1e-12)
