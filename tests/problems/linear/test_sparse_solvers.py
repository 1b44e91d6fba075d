"""Sparse solvers for one lattice of states: each against an elimination that is simpler and slower."""

import numpy as np
import pytest
from scipy import sparse
from scipy.linalg import expm
from scipy.sparse.linalg import expm_multiply, splu

from spinsync.base import memory
from spinsync.problems.linear import krylov, resolvent
from spinsync.problems.linear.lattice import slowest_mode, sparse_lu, steady_populations, truncation
from spinsync.problems.linear.sectors import Box
from spinsync.problems.outcome import TooLargeError
from spinsync.theory.permutation.exact import Exact
from systems import laser, one_group


def without_subtraction(jumps):
    """Stationary probabilities by the elimination of Grassmann, Taksar and Heyman: no two numbers are ever subtracted."""
    rates = jumps.toarray()
    size = len(rates)
    for k in range(size - 1, 0, -1):
        rates[k, :k] /= rates[:k, k].sum()
        rates[:k, :k] += np.outer(rates[:k, k], rates[k, :k])
    p = np.ones(size)
    for k in range(1, size):
        p[k] = rates[k, :k] @ p[:k]
    return p / p.sum()


@pytest.mark.parametrize("seed", range(6))
def test_steady_state_agrees_with_elimination_without_subtraction(seed):
    """Componentwise, probabilities of 1e-30 included: elimination of such a matrix adds positive numbers but for its pivots."""
    ensemble, _ = one_group(seed)
    ensemble = ensemble.replace(**{"A.gain": 1.3, "A.damping": 0.4})
    problem = Exact(24).lower(ensemble, None, 0)
    jumps = problem.sectors.block(0).real
    jumps.setdiag(0)
    p, slowest, _ = steady_populations.stationary_distribution(jumps, problem.sectors.sites(0), problem.sectors.middle)
    np.testing.assert_allclose(p, without_subtraction(jumps), rtol=1e-11)
    assert 0 < slowest < np.inf


def test_mean_time_to_a_place():
    """A walk up at rate a and down at rate b between two places: 1/a or 1/b."""
    jumps = sparse.csc_array(np.array([[0.0, 0.25], [2.0, 0.0]]))
    p, slowest, _ = steady_populations.stationary_distribution(jumps, np.array([[0, 0], [0, 1]]), (0, 0))
    np.testing.assert_allclose(p, [1 / 9, 8 / 9])
    assert slowest == pytest.approx(4.0)  # to the first place, which is the reference


def test_closed_classes():
    """Two absorbing places: the start decides; one: everything ends there."""
    two = sparse.csc_array(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    places = np.array([[0, 0], [0, 1], [0, 2]])
    assert steady_populations.stationary_distribution(two, places, (0, 0)) is None
    one = sparse.csc_array(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]))
    np.testing.assert_array_equal(steady_populations.stationary_distribution(one, places, (0, 0))[0], [1, 0, 0])


def test_dissection_keeps_fill_low():
    side = 60
    sites = np.argwhere(np.ones((side, side)))
    order = sparse_lu.dissected(sites)
    np.testing.assert_array_equal(np.sort(order), np.arange(side**2))
    lattice = Exact(200).lower(laser(), None, 0).sectors
    part = lattice.cut(Box((30, 60), (29 + side, 59 + side)))
    matrix = sparse.eye_array(len(part.trace)) - part.block(0)
    factors = sparse_lu.Factors(matrix, sparse_lu.dissected(part.sites(0)))
    plain = splu(matrix.tocsc(), permc_spec="NATURAL", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    assert factors._inverse.nnz < 0.5 * plain.nnz
    right = np.random.default_rng(0).normal(size=len(part.trace))
    np.testing.assert_allclose(matrix @ factors.solve(right), right, atol=1e-10)
    np.testing.assert_allclose(matrix.T @ factors.solve(right, transposed=True), right, atol=1e-10)


@pytest.mark.parametrize("spins", [3, 12, 61])
def test_motion_in_a_krylov_space_is_the_exponential(spins):
    ensemble, _ = one_group(5)
    problem = Exact(spins).lower(ensemble, np.array([[0.48, 0.0, -0.64]]), 0)
    times = np.array([0.0, 0.013, 0.2, 0.21, 1.5])
    for q in (0, 1):
        block = problem.sectors.block(q)
        states = np.array(list(krylov.motion(block, problem.sectors.sites(q), problem.start(q), times)))
        for t, state in zip(times, states, strict=True):
            wanted = expm_multiply(block * t, problem.start(q).astype(complex))
            np.testing.assert_allclose(state, wanted, atol=1e-12)


def test_motion_of_many_spins_is_the_exponential():
    """Where the fastest rate is a thousand times that of the motion, and many vectors are needed."""
    spins, m = 200, np.array([[0.48, 0.0, -0.64]])
    problem = Exact(spins).lower(laser(theta=-1.0), m, 0)
    times = np.linspace(0, 0.4, 5)
    for q in (0, 1):
        block, covector = problem.sectors.block(q), np.random.default_rng(q).normal(size=len(problem.start(q)))
        states = np.array(list(krylov.motion(block, problem.sectors.sites(q), problem.start(q), times)))
        wanted = expm_multiply(block, problem.start(q).astype(complex), 0, 0.4, 5)
        np.testing.assert_allclose(states @ covector, wanted @ covector, atol=1e-10)


def test_motion_over_a_very_long_time():
    """A step of 10^9 relaxation times, to rest and to nothing."""
    problem = Exact(9).lower(laser(), np.array([[0.6, 0.0, 0.8]]), 0)
    own, times = problem.sectors, np.array([0.0, 1e9])
    zero, one = (list(krylov.motion(own.block(q), own.sites(q), problem.start(q), times))[-1] for q in (0, 1))
    assert zero.sum() == pytest.approx(1, abs=1e-6)  # `evolve` normalizes
    np.testing.assert_allclose(zero / zero.sum(), expm(problem.sectors.block(0).toarray() * 1e3) @ problem.start(0), atol=1e-10)
    assert abs(one).max() < 1e-30


@pytest.mark.parametrize("seed", range(10))
def test_slowest_mode_is_the_slowest(seed, monkeypatch):
    """The search against all eigenvalues, with vectors of both sides."""
    monkeypatch.setattr(slowest_mode, "DENSE", 0)
    ensemble, _ = one_group(seed)
    if ensemble.groups[0].gain * ensemble.groups[0].damping == 0:  # a triangular matrix whose eigenvalues are ill-conditioned
        ensemble = ensemble.replace(**{"A.gain": 0.9, "A.damping": 0.5})
    problem = Exact(30).lower(ensemble, None, 0)
    block = problem.sectors.block(1)
    value, right, left = slowest_mode.eigenvector(block, problem.sectors.sites(1))
    values = np.linalg.eigvals(block.toarray())
    wanted = values[np.argmax(values.real)]
    assert value == pytest.approx(wanted, abs=1e-9)
    scale = abs(block.data).max()
    np.testing.assert_allclose(block @ right, value * right, atol=1e-11 * scale)
    np.testing.assert_allclose(left @ block, value * left, atol=1e-11 * scale * abs(left).max())
    assert left @ right == pytest.approx(1)


def test_slowest_mode_is_found_at_whatever_frequency(monkeypatch):
    """Strong exchange spreads the modes over frequencies from -60 to 60, far more than one disc covers."""
    monkeypatch.setattr(slowest_mode, "DENSE", 0)
    for gain, damping in ((3.0, 0.2), (0.2, 3.0)):
        problem = Exact(24).lower(laser(theta=-0.02, coupling=60.0, gain=gain, damping=damping), None, 0)
        block = problem.sectors.block(1)
        value, _, _ = slowest_mode.eigenvector(block, problem.sectors.sites(1))
        values = np.linalg.eigvals(block.toarray())
        assert np.ptp(block.diagonal().imag) > 100
        assert value == pytest.approx(values[np.argmax(values.real)], abs=1e-8)


def test_slowest_mode_does_not_depend_on_the_window():
    problem = Exact(300).lower(laser(theta=-1.0), None, 0)
    mode = slowest_mode.slowest_mode(problem.sectors, problem.sectors.likely)
    whole, _, _ = slowest_mode.eigenvector(problem.sectors.block(1), problem.sectors.sites(1))
    assert mode.box != problem.sectors.whole
    assert mode.value == pytest.approx(whole, abs=1e-10)


def test_response_is_the_solution_at_each_frequency():
    problem = Exact(60).lower(laser(theta=-1.2), None, 0)
    found = steady_populations.steady(problem.sectors)
    part, frequencies = found.part, np.linspace(-5, 5, 9)
    sender = part.sender(found.probability)
    answer = resolvent.response(part.block(1), part.sites(1), sender, part.receiver, frequencies)
    one = sparse.eye_array(sender.size)
    for w, value in zip(frequencies, answer, strict=True):
        wanted = part.receiver @ splu((-1j * w * one - part.block(1)).tocsc()).solve(sender.astype(complex))
        assert value == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize("shape", ["gaussian", "exponential"])
def test_a_box_is_pushed_out_as_far_as_the_tail_asks(shape):
    """By a step that brings a known tail below what is allowed, and not twice as far."""
    x = np.arange(600)
    profile = np.exp(-(x**2) / (2 * 40.0**2)) if shape == "gaussian" else np.exp(-x / 6.0)
    cut = 300
    excess = 1e8
    step = truncation._step(profile[:cut], excess)
    assert profile[cut - 1 + step] * excess < profile[cut - 1]
    assert profile[cut - 1 + step // 2] * excess > profile[cut - 1]


def test_a_core_holds_all_but_what_may_be_outside():
    """Along either axis alone; the next smaller box would lose more."""
    sites = np.argwhere(np.ones((40, 70))) + np.array([3, 5])
    weight = np.exp(-((sites[:, 0] - 20.0) ** 2) / 20 - (sites[:, 1] - 30.0) ** 2 / 90)
    weight /= weight.sum()
    box = truncation.core(sites, weight, 1e-3)
    for axis in (0, 1):
        low, high = (weight[sites[:, axis] < box.low[axis]].sum(), weight[sites[:, axis] > box.high[axis]].sum())
        assert max(low, high) <= 1e-3
        assert weight[sites[:, axis] <= box.low[axis]].sum() > 1e-3
        assert weight[sites[:, axis] >= box.high[axis]].sum() > 1e-3


def test_memory_is_estimated_before_it_is_taken(monkeypatch):
    box = Box((0, 0), (999, 999))
    monkeypatch.setattr(memory, "available", lambda: 5e9)
    sparse_lu.afford(box, 8)
    with pytest.raises(TooLargeError) as caught:
        sparse_lu.afford(box, 16, vectors=80)
    assert 4e9 < caught.value.needed < 1e10
    monkeypatch.undo()
    assert memory.available() > 1e8
