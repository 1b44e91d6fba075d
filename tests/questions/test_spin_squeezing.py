"""Spin squeezing: known states, one-axis twisting, and matrices of the collective spin."""

import numpy as np
import pytest
import xarray as xr
from scipy.linalg import expm

import spinsync as ss
from reference import DOWN, DenseMasterEquation, on, random_bloch, random_system
from systems import laser

FREE = ss.Ensemble.single(gain=1.0, damping=0.5, coupling=0.0, theta=0.0)


def coherent_state(theory, direction, ensemble=FREE):
    return ss.squeezing(ss.evolve(ensemble, [0.0], theory=theory, initial=[direction] * len(ensemble.groups))).isel(time=0)


def dense(rho):
    """(wineland, dicke) from the matrices of J_x, J_y, J_z."""
    size = int(np.log2(len(rho)))
    down = sum(on(DOWN, i, size) for i in range(size))
    z = sum(on(np.diag([1, -1]), i, size) for i in range(size)) / 2
    j = [(down.T + down) / 2, (down.T - down) / 2j, z]
    mean = np.array([np.trace(rho @ a).real for a in j])
    covariance = np.array([[np.trace(rho @ (a @ b + b @ a)).real / 2 for a in j] for b in j]) - np.outer(mean, mean)
    plane = np.linalg.svd(mean[None])[2][1:]  # two vectors perpendicular to the mean
    least = np.linalg.eigvalsh(plane @ covariance @ plane.T)[0]
    squares = sum(np.trace(rho @ a @ a).real for a in j[:2])
    return size * least / (mean @ mean), size * (covariance[2, 2] + 0.25) / squares


@pytest.mark.parametrize("theory", [ss.Exact, ss.BruteForce])
@pytest.mark.parametrize(("seed", "counts"), [(3, (3,)), (4, (2, 1)), (5, (1, 1, 1))])
def test_theories_agree_with_matrices_of_the_collective_spin(seed, counts, theory):
    """All rates, any complex C, any start."""
    system = random_system(seed, len(counts))
    system = type(system)(**{**vars(system), "weight": np.array(counts, float)})
    master, times = DenseMasterEquation(system, counts), [0.0, 0.1, 0.4]
    start = master.start().reshape(-1)
    expected = [dense((expm(master.generator * t) @ start).reshape(8, 8)) for t in times]
    run = ss.evolve(system.ensemble(), times, theory=theory(3), initial=system.bloch)
    found = ss.squeezing(run)
    np.testing.assert_allclose(np.transpose([found.wineland, found.dicke]), expected, rtol=1e-8)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("theory", "ensemble"), [(ss.Exact(30), FREE), (ss.BruteForce(3), FREE), (ss.Exact(6), FREE.split(2))])
def test_a_coherent_spin_state_is_not_squeezed(seed, theory, ensemble):
    direction = random_bloch(np.random.default_rng(seed), 1)[0]
    assert float(coherent_state(theory, direction / np.linalg.norm(direction), ensemble).wineland) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("direction", "dicke"), [([1, 0, 0], 1.0), ([0.6, 0.8, 0], 1.0), ([0, 0, 1], 0.5), ([0, 0, -1], 0.5)])
def test_dicke_squeezing_of_coherent_spin_states(direction, dicke):
    """(N/4 + 1/4) N over N (N + 1)/4 on the equator; N/4 over N/2 at the poles."""
    for spins in (2, 5, 40):
        assert float(coherent_state(ss.Exact(spins), direction).dicke) == pytest.approx(dicke, abs=1e-9)


@pytest.mark.parametrize("spins", [2, 10, 300])
def test_a_dicke_state(spins):
    """Half of the spins excited, J = N/2: <J_+ J_-> = N/2 (N/2 + 1), J_z = 0 without noise. The mean spin vanishes."""
    some = ss.steady_state(laser(), theory=ss.Exact(spins))
    state = some.assign(
        inversion=0 * some.inversion, correlation=0 * some.correlation + spins / (4 * (spins - 1)),
        inversion_correlation=0 * some.inversion_correlation - 1 / (spins - 1),
    )  # fmt: skip
    found = ss.squeezing(state)
    assert float(found.dicke) == pytest.approx(1 / (spins + 2), rel=1e-9)
    assert np.isnan(found.wineland)


@pytest.mark.parametrize(("spins", "theory"), [(5, ss.BruteForce(5)), (5, ss.Exact(5)), (60, ss.Exact(60))])
def test_one_axis_twisting(spins, theory):
    """M. Kitagawa and M. Ueda, Phys. Rev. A 47, 5138 (1993): exchange is -chi J_z^2 with chi = V/N up to a constant."""
    coupling, times, n = 2.0, np.linspace(0.0, 0.2 * spins**0.5, 6), spins
    twisted = ss.Ensemble.single(gain=0.0, damping=0.0, coupling=coupling, theta=0.0)
    found = ss.squeezing(ss.evolve(twisted, times, theory=theory, initial=[[0.6, 0.8, 0.0]]))
    mu = 2 * coupling / n * times
    a, b = 1 - np.cos(mu) ** (n - 2), 4 * np.sin(mu / 2) * np.cos(mu / 2) ** (n - 2)
    variance = 1 + (n - 1) / 4 * (a - np.hypot(a, b))
    np.testing.assert_allclose(found.wineland, variance / np.cos(mu / 2) ** (2 * n - 2), rtol=1e-8)
    np.testing.assert_allclose(found.dicke, 1, rtol=1e-8)  # J_z and J^2 are conserved
    assert found.wineland.min() < 0.6


def test_turning_all_phases_changes_nothing():
    starts = [[0.6, 0.1, 0.3], [0.0, -0.5, 0.2]]
    turned = [[-y, x, z] for x, y, z in starts]
    pair = ss.Ensemble.pair(detuning=2.0, gain=1.0, damping=0.5, coupling=4.0, theta=-1.0)
    first, second = (ss.squeezing(ss.evolve(pair, [0.0, 0.3], theory=ss.Exact(8), initial=m)) for m in (starts, turned))
    xr.testing.assert_allclose(first.drop_attrs(), second.drop_attrs(), rtol=1e-8)


def test_splitting_a_group_changes_nothing():
    one = laser(theta=-0.7)
    for made, starts in ((one, [[0.6, 0.3, 0.2]]), (one, [[0.0, 0.0, 0.9]])):
        whole, split = (
            ss.squeezing(ss.evolve(model, [0.0, 0.2], theory=ss.Exact(8), initial=starts * len(model.groups)))
            for model in (made, made.split(2))
        )
        xr.testing.assert_allclose(whole.drop_attrs(), split.drop_attrs(), rtol=1e-7)
    whole, split = (ss.squeezing(ss.steady_state(model, theory=ss.Exact(8))) for model in (one, one.split(2)))
    xr.testing.assert_allclose(whole.drop_attrs(), split.drop_attrs(), rtol=1e-7)


def test_independent_spins_at_rest():
    """Their noise N/4 on the mean spin N z/2, which vanishes at equal rates."""
    found = ss.squeezing(ss.steady_state(FREE, theory=ss.Exact(50)))
    z = 0.5 / 1.5
    assert float(found.wineland) == pytest.approx(1 / z**2, rel=1e-9)
    assert float(found.dicke) == pytest.approx(50 * (50 * (1 - z**2) / 4 + 0.25) / 25, rel=1e-9)
    assert np.isnan(ss.squeezing(ss.steady_state(FREE.replace(damping=1.0), theory=ss.Exact(50))).wineland)


def test_results_over_spins_and_diagrams():
    many = xr.concat([ss.steady_state(laser(), theory=ss.Exact(n)) for n in (4, 9)], "spins")
    assert ss.squeezing(many).dicke.dims == ("spins",)
    for n in (4, 9):
        alone = ss.squeezing(ss.steady_state(laser(), theory=ss.Exact(n)))
        assert float(ss.squeezing(many).wineland.sel(spins=n)) == pytest.approx(float(alone.wineland), rel=1e-12)
    diagram = ss.squeezing(ss.phase_diagram(laser(), {"coupling": [2.0, 12.0]}, theory=ss.Exact(9)))
    assert diagram.wineland.dims == ("coupling",)
    assert float(diagram.wineland[1]) == pytest.approx(float(alone.wineland), rel=1e-9)


def test_trajectories_agree_with_exact():
    """Their state is averaged over its phase. Errors of a few percent in all means give as many in the squeezing."""
    one = laser(coupling=2.0)
    rough, exact = (
        ss.squeezing(ss.steady_state(one, theory=t)) for t in (ss.Trajectories(20, rtol=0.01, atol=1e-3), ss.Exact(20))
    )
    for name in ("wineland", "dicke"):
        assert float(rough[name]) == pytest.approx(float(exact[name]), rel=0.1)


def test_connected_moments_of_a_theory_are_used_as_they_are():
    """Where there are very many spins, the difference of two means has lost them."""
    run = ss.evolve(laser(), [0.0, 0.3], theory=ss.Exact(12), initial=[[0.6, 0.3, 0.2]])
    s, z = run.coherence, run.inversion
    other = {name: value.rename(group="other_group") for name, value in {"s": s, "z": z}.items()}
    connected = {
        "coherence_covariance": run.correlation - s.conj() * other["s"],
        "inversion_covariance": run.inversion_correlation - z * other["z"],
    }
    rounded = run.assign(connected | {name: run[name].round(2) for name in ("correlation", "inversion_correlation")})
    xr.testing.assert_allclose(ss.squeezing(rounded).drop_attrs(), ss.squeezing(run).drop_attrs(), rtol=1e-9)


@pytest.mark.parametrize("theory", [ss.Exact(6), ss.BruteForce(4)])
@pytest.mark.parametrize("parts", [1, 2])
def test_a_run_that_goes_on_keeps_what_a_coherence_needs(theory, parts):
    ensemble, start = laser(theta=-1.0).split(parts), [[0.6, 0.3, 0.2]] * parts
    whole = ss.evolve(ensemble, [0.0, 0.2, 0.5], theory=theory, initial=start)
    first = ss.evolve(ensemble, [0.0, 0.2], theory=theory, initial=start, keep_state=True)
    second = ss.evolve(ensemble, [0.2, 0.5], theory=theory, initial=first)
    for name in ("anomalous_covariance", "coherence_inversion_covariance"):
        np.testing.assert_allclose(second[name][-1], whole[name][-1], atol=1e-10)
    assert float(ss.squeezing(second).wineland[-1]) == pytest.approx(float(ss.squeezing(whole).wineland[-1]), rel=1e-8)
    assert ss.rerun(second).identical(second)


def test_only_a_given_coherence_adds_covariances():
    for initial in (None, [[0.0, 0.0, 1.0]]):
        assert "anomalous_covariance" not in ss.evolve(laser(), [0.0, 0.1], theory=ss.Exact(4), initial=initial)
    one = ss.evolve(laser(), [0.0, 0.1], theory=ss.Exact(1), initial=[[1.0, 0.0, 0.0]])
    assert "anomalous_covariance" not in one


def test_it_can_be_computed_again():
    found = ss.squeezing(ss.evolve(laser(), [0.0, 0.1], theory=ss.Exact(4), initial=[[0.5, 0.0, 0.1]]))
    assert ss.rerun(found).identical(found)
