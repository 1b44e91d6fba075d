"""Mean field against an independent integration, and symmetries and limits for random ensembles.

Tolerances: the error of a step is at most rtol (|y| + atol/rtol), |y| <= 1; errors of earlier steps relax or, in the
direction of the phase, accumulate: at most 10 rtol over the first ten relaxation times, 100 rtol over thirty.
"""

from dataclasses import replace

import numpy as np
import pytest

import spinsync as ss
from reference import System, distance, random_bloch, random_system
from systems import HALF_PI, laser

TOLERANCES = (1e-6, 1e-8, 1e-10)
FINE = ss.MeanField(rtol=1e-11, atol=1e-13)
SAME = 2e-10  # two runs with FINE, each accurate to 10 rtol


def check_accuracy(seed):
    system = random_system(seed)
    slowest = system.gamma_perp.min()
    times = np.linspace(0, 30 / slowest, 121)
    s, z = system.motion(times)
    for rtol in TOLERANCES:
        run = ss.evolve(system.ensemble(), times, theory=ss.MeanField(rtol=rtol, atol=rtol / 100), initial=system.bloch)
        error = distance(run, s, z)
        assert error[times <= 10 / slowest].max() <= 10 * rtol, (seed, rtol)
        assert error.max() <= 100 * rtol, (seed, rtol)


@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_an_independent_integration(seed):
    check_accuracy(seed)


@pytest.mark.slow(slice=0)
@pytest.mark.parametrize("seed", range(8, 108))
def test_agrees_with_an_independent_integration_for_many_ensembles(seed):
    check_accuracy(seed)


def run_of(system: System, times, **options):
    return ss.evolve(system.ensemble(), times, theory=FINE, initial=system.bloch, **options)


def derivative_of_the_master_equation(system: System) -> tuple[np.ndarray, np.ndarray]:
    """(ds/dt, dz/dt) of every group by 2 x 2 density matrices: the nonlinear master equation itself."""
    down, up, sz = np.array([[0, 0], [1, 0]]), np.array([[0, 1], [0, 0]]), np.diag([1, -1])  # basis |e>, |g>

    def dissipator(jump, rho):
        product = jump.conj().T @ jump
        return jump @ rho @ jump.conj().T - (product @ rho + rho @ product) / 2

    pauli = (np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), sz)
    states = [(np.eye(2) + sum(m * p for m, p in zip(v, pauli, strict=True))) / 2 for v in system.bloch]
    s = np.array([np.trace(rho @ down) for rho in states])
    field = system.coupling @ (system.weight / system.weight.sum() * s)
    ds, dz = [], []
    for a, rho in enumerate(states):
        hamiltonian = system.omega[a] / 2 * sz + field[a] * up + np.conj(field[a]) * down
        change = -1j * (hamiltonian @ rho - rho @ hamiltonian)
        change = change + system.gain[a] * dissipator(up, rho) + system.damping[a] * dissipator(down, rho)
        change = change + system.dephasing[a] / 2 * dissipator(sz, rho)
        ds.append(np.trace(change @ down))
        dz.append(np.trace(change @ sz).real)
    return np.array(ds), np.array(dz)


@pytest.mark.parametrize("seed", range(6))
def test_equations_are_those_of_the_one_spin_density_matrix(seed):
    system = random_system(seed)
    flow = FINE.lower(system.ensemble(), system.bloch, 0)
    velocity = np.empty_like(flow.start)
    flow.nonlinear(flow.start, flow.table, flow.coupling, velocity)
    velocity -= (flow.decay + 1j * flow.frame * flow.symmetry) * flow.start
    ds, dz = derivative_of_the_master_equation(system)
    np.testing.assert_allclose(velocity, np.concatenate([ds, dz]), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("seed", range(6))
def test_rotating_every_phase_rotates_the_answer(seed):
    system, times, angle = random_system(seed), np.linspace(0, 10, 41), 1.234
    rotation = np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    run, rotated = run_of(system, times), run_of(replace(system, bloch=system.bloch @ rotation), times)
    # the azimuth phi grows by the angle, and <sigma^-> = |s| exp(-i phi)
    assert distance(rotated, run.coherence.values * np.exp(-1j * angle), run.inversion.values).max() < SAME


@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_groups_does_not_matter(seed):
    system, times = random_system(seed, groups=4), np.linspace(0, 10, 41)
    order = np.random.default_rng(seed).permutation(4)
    run, shuffled = run_of(system, times), run_of(system.permuted(order), times)
    assert distance(shuffled, run.coherence.values[:, order], run.inversion.values[:, order]).max() < SAME
    np.testing.assert_allclose(shuffled.order_parameter, run.order_parameter, atol=SAME)


@pytest.mark.parametrize("seed", range(6))
def test_splitting_groups_into_equal_parts_changes_nothing(seed):
    system, times = random_system(seed), np.linspace(0, 10, 41)
    run = run_of(system, times)
    split = ss.evolve(system.ensemble().split(2), times, theory=FINE, initial=np.repeat(system.bloch, 2, axis=0))
    for half in (0, 1):
        part = split.isel(group=slice(half, None, 2))
        assert distance(part, run.coherence.values, run.inversion.values).max() < SAME
    np.testing.assert_allclose(split.order_parameter, run.order_parameter, atol=SAME)


def test_spins_with_different_initial_states_agree_with_single_groups():
    system, times, spins = random_system(2, groups=2), np.linspace(0, 5, 21), 3
    start = random_bloch(np.random.default_rng(0), 2 * spins)
    run = ss.evolve(system.ensemble(), times, theory=FINE, initial=start, each=True)
    split = ss.evolve(system.ensemble().split(spins), times, theory=FINE, initial=start)
    np.testing.assert_allclose(run.spin_coherence, split.coherence, atol=SAME)
    np.testing.assert_allclose(run.spin_inversion, split.inversion, atol=SAME)
    np.testing.assert_allclose(run.coherence, split.coherence.values.reshape(21, 2, spins).mean(axis=2), atol=SAME)
    assert list(run.spin_group.values) == ["A"] * 3 + ["B"] * 3
    np.testing.assert_allclose(run.spin_weight, system.ensemble().split(spins).rates.weight, rtol=1e-14)
    np.testing.assert_array_equal(run.spin_frequency, np.repeat(system.omega, spins))


@pytest.mark.parametrize("seed", range(3))
def test_a_common_frequency_only_rotates_the_frame(seed):
    system, times, shift = random_system(seed), np.linspace(0, 10, 41), 1e4
    run, fast = run_of(system, times), run_of(replace(system, omega=system.omega + shift), times)
    expected = run.coherence.values * np.exp(-1j * shift * times)[:, None]
    # frequencies near 1e4 have the rounding error eps * 1e4, hence phases a few times eps * 1e4 * t
    tolerance = SAME + 8 * np.finfo(float).eps * shift * times
    assert np.all(distance(fast, expected, run.inversion.values) < tolerance)


@pytest.mark.parametrize("seed", range(20))
def test_bloch_vectors_stay_in_the_ball(seed):
    system = random_system(seed, strength=40.0)
    on_the_sphere = system.bloch / np.linalg.norm(system.bloch, axis=1)[:, None]
    run = ss.evolve(system.ensemble(), np.linspace(0, 20, 401), initial=on_the_sphere)
    length = np.linalg.norm(ss.bloch(run).values, axis=-1)
    # the transverse part of m is 2|s|, with errors within 10 rtol = 1e-7
    assert length.max() <= 1 + 2e-7
    assert length[-1].max() < 1 - 1e-3  # damped spins leave the sphere


@pytest.mark.parametrize("seed", range(6))
def test_a_run_can_be_continued_from_any_time(seed):
    system, times, k = random_system(seed), np.linspace(0, 12, 61), 23
    run = run_of(system, times)
    later = ss.evolve(system.ensemble(), times[k:], theory=FINE, initial=ss.bloch(run).isel(time=k))
    assert distance(later, run.coherence.values[k:], run.inversion.values[k:]).max() < SAME
    np.testing.assert_allclose(later.coherence[0], run.coherence[k], atol=1e-15)


@pytest.mark.parametrize("seed", range(3))
def test_only_time_differences_matter(seed):
    system, times = random_system(seed), np.linspace(0, 8, 33)  # representable, so that 1024 + t is exact
    run, later = run_of(system, times), run_of(system, times + 1024)
    np.testing.assert_array_equal(run.coherence, later.coherence)


def test_without_coupling_everything_relaxes_exponentially():
    system = replace(random_system(3, groups=5), coupling=np.zeros((5, 5)))
    times = np.array([0.0, 0.01, 0.3, 1.0, 7.0])
    run = ss.evolve(system.ensemble(), times, initial=system.bloch)
    s, z = system.start()
    z0 = (system.gain - system.damping) / (system.gain + system.damping)
    t = times[:, None]
    expected_s = s * np.exp(-(1j * system.omega + system.gamma_perp) * t)
    expected_z = z0 + (z - z0) * np.exp(-(system.gain + system.damping) * t)
    assert distance(run, expected_s, expected_z).max() < 1e-13  # linear: only rounding errors


def test_spins_without_rates_precess():
    one = ss.Ensemble.single(gain=0, damping=0, coupling=0, theta=0, frequency=2.0)
    run = ss.evolve(one, [0.0, 1.0, 100.0], initial=[[0.6, 0.0, 0.8]])
    np.testing.assert_allclose(run.coherence[:, 0], 0.3 * np.exp(-2j * run.time.values), atol=1e-13)
    np.testing.assert_allclose(run.inversion[:, 0], 0.8, atol=1e-15)


def test_order_parameter_is_twice_the_modulus_of_the_mean_coherence():
    system = random_system(4, groups=3)
    run = run_of(system, np.linspace(0, 3, 7))
    weight = system.weight / system.weight.sum()
    np.testing.assert_allclose(run.order_parameter, 2 * abs(run.coherence.values @ weight), rtol=1e-14)


def test_the_default_initial_state_depends_on_seed_and_index_only():
    pair = ss.Ensemble.pair(detuning=1, gain=3, damping=1, coupling=16, theta=-HALF_PI)
    five = random_system(0, groups=5).ensemble()
    start = {seed: ss.bloch(ss.evolve(pair, [0.0], seed=seed)).values[0] for seed in (0, 1)}
    phases = {seed: np.arctan2(m[:, 1], m[:, 0]) for seed, m in start.items()}
    of_five = ss.bloch(ss.evolve(five, [0.0], seed=1)).values[0]
    np.testing.assert_allclose(np.arctan2(of_five[:2, 1], of_five[:2, 0]), phases[1], atol=1e-12)
    assert abs(np.exp(1j * phases[0]) - np.exp(1j * phases[1])).min() > 1e-3
    assert abs(np.exp(1j * phases[0][0]) - np.exp(1j * phases[0][1])) > 1e-3
    length = np.hypot(*start[0].T[:2])
    assert np.all((length >= 0.005) & (length <= 0.01))  # small coherence ...
    assert abs(length[0] - length[1]) > 1e-5  # ... of unequal modulus, to leave the symmetric subspace
    np.testing.assert_allclose(start[0][:, 2], 0.5, rtol=1e-4)  # the uncoupled inversion (kappa - gamma)/(kappa + gamma)
    one = ss.evolve(laser(), [0.0, 1.0], seed=1)
    assert ss.bloch(one).values[0] == pytest.approx(start[1][:1], abs=1e-15)
