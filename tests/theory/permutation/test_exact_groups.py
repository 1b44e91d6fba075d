"""Exact with several groups agrees with brute force and with a single group that is split; doubtful results are refused."""

from functools import partial

import numpy as np
import pytest

import spinsync as ss
from reference import random_bloch
from spinsync.base import memory
from spinsync.problems.linear.products import solvers
from spinsync.problems.linear.products.operator import ProductSpace
from spinsync.problems.linear.products.sylvester import UncoupledSolver
from spinsync.problems.linear.sectors import Subsystems
from spinsync.problems.linear.state_lattice import slowest_mode
from spinsync.theory.permutation.exact import Exact
from systems import HALF_PI, laser, several_groups

PAIR = partial(ss.Ensemble.pair, detuning=2.0, gain=3.0, damping=1.0, coupling=12.0)
VARIABLES = ("inversion", "correlation", "inversion_correlation")


def assert_same(one, other, names, tolerance=1e-11):
    for name in names:
        np.testing.assert_allclose(one[name], other[name], atol=tolerance, err_msg=name)


@pytest.mark.parametrize("seed", range(24))
def test_steady_state_agrees_with_brute_force(seed):
    ensemble, spins, _ = several_groups(seed)
    steady, reference = (ss.steady_state(ensemble, theory=theory(spins)) for theory in (ss.Exact, ss.BruteForce))
    assert set(steady.data_vars) == set(reference.data_vars)
    assert_same(steady, reference, VARIABLES)
    np.testing.assert_allclose(steady.order_parameter**2, reference.order_parameter**2, atol=1e-11)


@pytest.mark.parametrize("seed", range(16))
def test_motion_agrees_with_brute_force(seed):
    ensemble, spins, rng = several_groups(seed)
    m = random_bloch(rng, len(ensemble.groups))
    if seed % 2:
        m /= np.linalg.norm(m, axis=1)[:, None]  # pure states
    times = np.sort(rng.uniform(0, 3, 5))
    run, reference = (ss.evolve(ensemble, times, theory=theory(spins), initial=m) for theory in (ss.Exact, ss.BruteForce))
    assert_same(run, reference, (*VARIABLES, "coherence"))


@pytest.mark.parametrize("seed", range(8))
def test_spectra_and_entropy_agree_with_brute_force(seed):
    ensemble, spins, _ = several_groups(seed)
    frequencies = np.linspace(-12, 12, 15)
    light, reference = (
        ss.emission_spectrum(ensemble, frequencies, theory=theory(spins)) for theory in (ss.Exact, ss.BruteForce)
    )
    np.testing.assert_allclose(light.emission, reference.emission, atol=1e-10 * abs(reference.emission).max())
    entropies, reference = (ss.entropy(ensemble, theory=theory(spins)) for theory in (ss.Exact, ss.BruteForce))
    assert_same(entropies, reference, ("entropy", "purity"))
    line, reference = (ss.linewidth(ensemble, theory=theory(spins)) for theory in (ss.Exact, ss.BruteForce))
    assert_same(line, reference, ("frequency", "linewidth"), 1e-9)


@pytest.mark.parametrize("theta", [-1.0, 0.8])
def test_a_split_group_is_one_group(theta):
    """Pairs of spins in one part and in different parts have the same correlation."""
    ensemble, spins = laser(theta=theta, dephasing=0.2, frequency=0.5), 12
    steady, whole = (ss.steady_state(e, theory=ss.Exact(spins)) for e in (ensemble.split(2), ensemble))
    run, alone = (
        ss.evolve(e, [0.0, 0.2, 1.0], theory=ss.Exact(spins), initial=[[0.5, -0.3, 0.2]] * len(e.groups))
        for e in (ensemble.split(2), ensemble)
    )
    for split, one in ((steady, whole), (run, alone)):
        for name in split.data_vars:
            expected = one[name].values
            np.testing.assert_allclose(
                split[name].values, np.broadcast_to(expected, split[name].shape), atol=1e-10, err_msg=name
            )
    lines = [ss.linewidth(e, theory=ss.Exact(spins)) for e in (ensemble.split(2), ensemble)]
    assert_same(*lines, ("frequency", "linewidth"), 1e-8)


def test_uncoupled_groups_are_independent():
    """C_aa of a group of weight p in an ensemble acts as p C_aa in an ensemble of that group alone."""
    a, b = ss.Group(3.0, 1.0, frequency=1.0, weight=2.0), ss.Group(0.5, 2.0, dephasing=0.3)
    strength = [12 * np.exp(-1j), 9 * np.exp(2j)]
    both = ss.steady_state(ss.Ensemble([a, b], np.diag(strength)), theory=ss.Exact(24))
    for k, (group, spins) in enumerate([(a, 16), (b, 8)]):
        alone = ss.steady_state(ss.Ensemble([group], [[strength[k] * spins / 24]]), theory=ss.Exact(spins))
        assert float(both.inversion[k]) == pytest.approx(float(alone.inversion[0]), abs=1e-11)
        assert complex(both.correlation[k, k]) == pytest.approx(complex(alone.correlation[0, 0]), abs=1e-11)
    assert abs(both.correlation[0, 1]) < 1e-12
    assert float(both.inversion_correlation[0, 1]) == pytest.approx(float(both.inversion.prod()), abs=1e-11)


def test_the_order_of_groups_is_irrelevant():
    ensemble, spins, _ = several_groups(7)
    order = [2, 0, 1]
    reordered = ss.Ensemble([ensemble.groups[k] for k in order], ensemble.coupling_matrix[np.ix_(order, order)])
    steady, other = (ss.steady_state(e, theory=ss.Exact(spins)) for e in (ensemble, reordered))
    np.testing.assert_allclose(steady.inversion[order], other.inversion, atol=1e-11)
    np.testing.assert_allclose(steady.correlation[order, order], other.correlation, atol=1e-11)


@pytest.mark.parametrize("theta", [-HALF_PI, -0.5, 0.3])
def test_motion_ends_in_the_steady_state(theta):
    ensemble = PAIR(theta=theta, weights=(2, 1))
    end = ss.evolve(ensemble, [0.0, 15.0], theory=ss.Exact(12)).isel(time=-1)
    assert_same(end, ss.steady_state(ensemble, theory=ss.Exact(12)), VARIABLES, 1e-9)


def test_inversion_approaches_mean_field():
    field = ss.symmetric_pair(PAIR(theta=-HALF_PI)).inversion
    deviation = [float(abs(ss.steady_state(PAIR(theta=-HALF_PI), theory=ss.Exact(n)).inversion[0] - field)) for n in (20, 40)]
    assert deviation[0] / deviation[1] == pytest.approx(2, rel=0.25)


def test_half_of_a_hermitian_matrix_evolves_as_the_full_one():
    ensemble, spins, rng = several_groups(7)
    problem = Exact(spins).lower(ensemble, random_bloch(rng, 3), 0)
    whole, half = ProductSpace(problem.sectors.subsystems, 0), ProductSpace(problem.sectors.subsystems, 0, half=True)
    state = problem.start(0)
    np.testing.assert_allclose(half.full_from_half(half.half_of(state)), state, atol=1e-15)
    np.testing.assert_allclose(half.full_from_half(half.apply(half.half_of(state))), whole.apply(state), atol=1e-13)
    assert abs(problem.sectors.trace @ problem.sectors.block(0)).max() < 1e-12


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("block", [2, 24])
def test_uncoupled_subsystems_are_solved_exactly(block, transposed, monkeypatch):
    monkeypatch.setattr("spinsync.problems.linear.products.sylvester.BLOCK", block)
    ensemble, spins, rng = several_groups(7)
    subsystems = Exact(spins).lower(ensemble, None, 0).sectors.subsystems
    space = ProductSpace(Subsystems(subsystems.sizes, subsystems.local, (), True), 1)
    right = rng.normal(size=(space.size, 2)) @ [1, 1j]
    found = UncoupledSolver(space, 0.3 - 0.2j, transposed=transposed).solve(right)
    image = space.apply_transposed(found) if transposed else space.apply(found)
    np.testing.assert_allclose(image - (0.3 - 0.2j) * found, right, atol=1e-11)


@pytest.mark.parametrize("theta", [-1.3, -0.7])  # at -pi/2 there are two, one above and one below
def test_slowest_line_agrees_with_the_full_spectrum(theta, monkeypatch):
    """By iteration, and by the full spectrum."""
    ensemble = PAIR(theta=theta, cross_coupling=4.0)
    lines = []
    for dense in (10, 1000):
        monkeypatch.setattr(slowest_mode, "DENSE", dense)
        lines.append(ss.linewidth(ensemble, theory=ss.Exact(6)))
    assert_same(*lines, ("frequency", "linewidth"), 1e-9)


def test_line_shifts_with_the_frequency_of_all_groups(monkeypatch):
    """Also for a large common frequency."""
    monkeypatch.setattr(slowest_mode, "DENSE", 10)
    groups = [ss.Group(3.0, 1.0, frequency=w, weight=p) for w, p in ((1.0, 2.0), (-1.0, 1.0))]
    shifted_groups = [ss.Group(3.0, 1.0, frequency=300.0 + w, weight=p) for w, p in ((1.0, 2.0), (-1.0, 1.0))]
    line, shifted = (ss.linewidth(ss.Ensemble(g, np.full((2, 2), -6.0j)), theory=ss.Exact(6)) for g in (groups, shifted_groups))
    assert float(shifted.frequency - line.frequency) == pytest.approx(300, abs=1e-8)
    assert float(shifted.linewidth) == pytest.approx(float(line.linewidth), abs=1e-8)


def test_a_group_without_gain_and_damping():
    """Its steady state is unique with dephasing and coupling only."""
    groups, coupling = [ss.Group(3.0, 1.0), ss.Group(0.0, 0.0, dephasing=0.5)], np.full((2, 2), -6j)
    ensemble = ss.Ensemble(groups, coupling)
    assert_same(*(ss.steady_state(ensemble, theory=t(4)) for t in (ss.Exact, ss.BruteForce)), VARIABLES)
    for degenerate in (ss.Ensemble([groups[0], ss.Group(0.0, 0.0)], coupling), ss.Ensemble(groups, np.diag([-6j, 0]))):
        for theory in (ss.Exact(4), ss.Exact(16), ss.BruteForce(4)):
            with pytest.raises(ss.InputError, match="must have one steady state, but has several: the initial state decides"):
                ss.steady_state(degenerate, theory=theory)


def test_an_iteration_that_does_not_converge_is_refused(monkeypatch):
    ensemble, message = PAIR(theta=-0.5), "The iteration does not reach ten digits, as the coupling between groups"
    with pytest.raises(ss.IntegrationError, match=message):
        ss.steady_state(PAIR(theta=0.0).replace(coupling=400.0), theory=ss.Exact(24))
    monkeypatch.setattr(solvers, "RESIDUAL", 1e-30)
    with pytest.raises(ss.IntegrationError, match=message):
        ss.emission_spectrum(ensemble, [0.0, 1.0], theory=ss.Exact(8))
    monkeypatch.setattr(solvers, "MOST_STEPS", 12)
    with pytest.raises(ss.IntegrationError, match=message):
        ss.steady_state(ensemble, theory=ss.Exact(8))


def test_rates_beyond_double_precision_are_refused():
    for ask in (ss.steady_state, ss.linewidth, partial(ss.evolve, times=[0.0, 1.0])):
        with pytest.raises(ss.IntegrationError, match="too large for double precision"):
            ask(PAIR(theta=-1.0).replace(coupling=1e308), theory=ss.Exact(8))


def test_requests_beyond_memory_are_refused_with_an_estimate(monkeypatch):
    """Before memory is allocated; the stated number of spins fits, and the next larger one does not."""
    ensemble = PAIR(theta=-1.0, weights=(2, 1))
    monkeypatch.setattr(memory, "available", lambda: 2.0**20)
    for ask in (ss.steady_state, ss.linewidth, partial(ss.evolve, times=[0.0, 1.0])):
        message = r"must be at most 12 for this question .* but is spins=6000: it would take about [\d.e+]+ GiB of memory"
        with pytest.raises(ss.InputError, match=message):
            ask(ensemble, theory=ss.Exact(6000))
    ss.steady_state(ensemble, theory=ss.Exact(12))
    with pytest.raises(ss.InputError, match="must be at most 12 for this question"):
        ss.steady_state(ensemble, theory=ss.Exact(15))
    monkeypatch.setattr(memory, "available", lambda: 2.0**10)
    with pytest.raises(ss.InputError, match="must be fewer for this question"):
        ss.steady_state(ensemble, theory=ss.Exact(3))
