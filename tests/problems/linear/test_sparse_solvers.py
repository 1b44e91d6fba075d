"""Sparse solvers on a lattice: each against a simpler and slower method."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import splu

from spinsync.base import memory
from spinsync.problems.linear import resolvent
from spinsync.problems.linear.sectors import Window
from spinsync.problems.linear.state_lattice import slowest_mode, sparse_lu, steady_populations, truncation
from spinsync.problems.outcome import TooLargeError
from spinsync.theory.permutation.exact import Exact
from systems import laser, one_group


def gth_elimination(jumps):
    """Stationary probabilities by the elimination of Grassmann, Taksar and Heyman (GTH), which never subtracts."""
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
def test_steady_state_agrees_with_gth_elimination(seed):
    """Componentwise, down to probabilities of 1e-30: elimination of such a matrix subtracts in the pivots only."""
    ensemble, _ = one_group(seed)
    ensemble = ensemble.replace(**{"A.gain": 1.3, "A.damping": 0.4})
    problem = Exact(24).lower(ensemble, None, 0)
    jumps = problem.sectors.block(0).real
    jumps.setdiag(0)
    p, longest_time, _ = steady_populations.stationary_distribution(
        jumps, problem.sectors.sites(0), problem.sectors.reference_site
    )
    np.testing.assert_allclose(p, gth_elimination(jumps), rtol=1e-11)
    assert 0 < longest_time < np.inf


def test_mean_hitting_time():
    """A two-state process with rates a and b has mean hitting times 1/a and 1/b."""
    jumps = sparse.csc_array(np.array([[0.0, 0.25], [2.0, 0.0]]))
    p, longest_time, _ = steady_populations.stationary_distribution(jumps, np.array([[0, 0], [0, 1]]), (0, 0))
    np.testing.assert_allclose(p, [1 / 9, 8 / 9])
    assert longest_time == pytest.approx(4.0)  # to the first site, the reference site


def test_closed_classes():
    """With two absorbing states the stationary distribution is not unique; a single one has all probability."""
    two = sparse.csc_array(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    sites = np.array([[0, 0], [0, 1], [0, 2]])
    assert steady_populations.stationary_distribution(two, sites, (0, 0)) is None
    one = sparse.csc_array(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]))
    np.testing.assert_array_equal(steady_populations.stationary_distribution(one, sites, (0, 0))[0], [1, 0, 0])


def test_dissection_keeps_fill_low():
    side = 60
    sites = np.argwhere(np.ones((side, side)))
    order = sparse_lu.nested_dissection(sites)
    np.testing.assert_array_equal(np.sort(order), np.arange(side**2))
    lattice = Exact(200).lower(laser(), None, 0).sectors
    lattice = lattice.truncated(Window((30, 60), (29 + side, 59 + side)))
    matrix = sparse.eye_array(len(lattice.trace)) - lattice.block(0)
    factors = sparse_lu.Factors(matrix, sparse_lu.nested_dissection(lattice.sites(0)))
    plain = splu(matrix.tocsc(), permc_spec="NATURAL", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    assert factors._inverse.nnz < 0.5 * plain.nnz
    right = np.random.default_rng(0).normal(size=len(lattice.trace))
    np.testing.assert_allclose(matrix @ factors.solve(right), right, atol=1e-10)
    np.testing.assert_allclose(matrix.T @ factors.solve(right, transposed=True), right, atol=1e-10)


@pytest.mark.parametrize("seed", range(10))
def test_slowest_mode_is_the_slowest(seed, monkeypatch):
    """The search against the full spectrum, with right and left vectors."""
    monkeypatch.setattr(slowest_mode, "DENSE", 0)
    ensemble, _ = one_group(seed)
    if ensemble.groups[0].gain * ensemble.groups[0].damping == 0:  # a triangular matrix whose eigenvalues are ill-conditioned
        ensemble = ensemble.replace(**{"A.gain": 0.9, "A.damping": 0.5})
    problem = Exact(30).lower(ensemble, None, 0)
    block = problem.sectors.block(1)
    value, right, left = slowest_mode.eigenvector(block, problem.sectors.sites(1))
    values = np.linalg.eigvals(block.toarray())
    expected = values[np.argmax(values.real)]
    assert value == pytest.approx(expected, abs=1e-9)
    scale = abs(block.data).max()
    np.testing.assert_allclose(block @ right, value * right, atol=1e-11 * scale)
    np.testing.assert_allclose(left @ block, value * left, atol=1e-11 * scale * abs(left).max())
    assert left @ right == pytest.approx(1)


def test_slowest_mode_is_found_at_any_frequency(monkeypatch):
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
    mode = slowest_mode.slowest_mode(problem.sectors, problem.sectors.initial_window)
    full, _, _ = slowest_mode.eigenvector(problem.sectors.block(1), problem.sectors.sites(1))
    assert mode.window != problem.sectors.full_window
    assert mode.value == pytest.approx(full, abs=1e-10)


def test_response_is_the_solution_at_each_frequency():
    problem = Exact(60).lower(laser(theta=-1.2), None, 0)
    state = steady_populations.steady_state(problem.sectors)
    lattice, frequencies = state.lattice, np.linspace(-5, 5, 9)
    source = lattice.source(state.probability)
    answer = resolvent.response(lattice.block(1), lattice.sites(1), source, lattice.observable, frequencies)
    one = sparse.eye_array(source.size)
    for w, value in zip(frequencies, answer, strict=True):
        expected = lattice.observable @ splu((-1j * w * one - lattice.block(1)).tocsc()).solve(source.astype(complex))
        assert value == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("shape", ["gaussian", "exponential"])
def test_a_window_grows_as_far_as_the_tail_requires(shape):
    """The step brings a known tail below the tolerance; half of it does not."""
    x = np.arange(600)
    profile = np.exp(-(x**2) / (2 * 40.0**2)) if shape == "gaussian" else np.exp(-x / 6.0)
    edge = 300
    excess = 1e8
    step = truncation._step(profile[:edge], excess)
    assert profile[edge - 1 + step] * excess < profile[edge - 1]
    assert profile[edge - 1 + step // 2] * excess > profile[edge - 1]


def test_smallest_window_holds_all_but_the_allowed_tails():
    """For each side separately; the next smaller window would lose more."""
    sites = np.argwhere(np.ones((40, 70))) + np.array([3, 5])
    weight = np.exp(-((sites[:, 0] - 20.0) ** 2) / 20 - (sites[:, 1] - 30.0) ** 2 / 90)
    weight /= weight.sum()
    window = truncation.smallest_window(sites, weight, 1e-3)
    for axis in (0, 1):
        low, high = (weight[sites[:, axis] < window.low[axis]].sum(), weight[sites[:, axis] > window.high[axis]].sum())
        assert max(low, high) <= 1e-3
        assert weight[sites[:, axis] <= window.low[axis]].sum() > 1e-3
        assert weight[sites[:, axis] >= window.high[axis]].sum() > 1e-3


def test_memory_is_estimated_in_advance(monkeypatch):
    window = Window((0, 0), (999, 999))
    monkeypatch.setattr(memory, "available", lambda: 5e9)
    sparse_lu.afford(window, 8)
    with pytest.raises(TooLargeError) as caught:
        sparse_lu.afford(window, 16, vectors=80)
    assert 4e9 < caught.value.needed < 1e10
    monkeypatch.undo()
    assert memory.available() > 1e8
