"""Time evolution in a moving window: against the exponential of the whole generator, and against laws."""

from dataclasses import replace
from time import process_time

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.sparse.linalg import expm_multiply

import spinsync as ss
from spinsync.base import memory
from spinsync.problems.linear.sectors import Window
from spinsync.problems.linear.state_lattice import moving_window, sparse_lu
from spinsync.problems.linear.state_lattice.truncation import hull, transferred, with_moved_sides, with_neighbours
from spinsync.problems.linear.state_lattice.windowed_blocks import Block
from spinsync.theory.permutation.exact import Exact
from systems import HALF_PI, laser, one_group

DOWN = np.array([[0.3, -0.35, -0.64]])


def pieces_of(problem, times):
    own = problem.sectors
    return list(moving_window.motion(own, {q: problem.start(q) for q in own.charges}, np.asarray(times)))


def states(problem, times):
    """{q: states on the full lattice, array of shape (time, component)}."""
    own, pieces = problem.sectors, pieces_of(problem, times)
    return {
        q: np.array([transferred(v, piece.lattice.sites(q), own.sites(q)) for piece in pieces for v in piece.states[q]])
        for q in own.charges
    }


def exponential(problem, q, times):
    """The same by Taylor series of the whole generator."""
    block, found = problem.sectors.block(q), [problem.start(q).astype(complex)]
    for step in np.diff(times):
        found.append(expm_multiply(block * step, found[-1]))
    return np.array(found)


@pytest.mark.parametrize("spins", [3, 12, 61])
def test_motion_is_the_exponential(spins):
    ensemble, _ = one_group(5)
    problem, times = Exact(spins).lower(ensemble, DOWN, 0), np.array([0.0, 0.013, 0.2, 0.21, 1.5])
    for q, found in states(problem, times).items():
        np.testing.assert_allclose(found, exponential(problem, q, times), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("theta", "frequency", "kind"), [(-HALF_PI, 7.0, float), (-1.0, 7.0, complex)])
def test_motion_of_many_spins_is_the_exponential(theta, frequency, kind):
    """Fast rates are a thousand times slow ones, and the state crosses most of the lattice.

    Truncation and Krylov spaces err by 1e-12 in each of some ten steps, in the 1-norm and in the 2-norm of 4000 components.
    """
    problem, times = Exact(120).lower(laser(theta=theta, frequency=frequency), DOWN, 0), np.array([0.0, 0.05, 0.4])
    assert len(pieces_of(problem, times)[1].lattice.trace) < 0.9 * len(problem.sectors.trace)
    for q, found in states(problem, times).items():
        expected = exponential(problem, q, times)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)
        assert abs(found - expected).sum(axis=1).max() < 1e-9
    own, window = problem.sectors, Window((11, 21), (49, 59))
    block = Block(own.truncated(with_neighbours(window, own.full_window)), window, 1)
    assert block.itemsize == np.dtype(kind).itemsize  # real wherever a rotating frame makes it real


def test_any_initial_state_is_followed():
    """Also one whose components have different phases, at a generator that is real."""
    problem = Exact(20).lower(laser(frequency=3.0), DOWN, 0)
    random = np.random.default_rng(2)
    start = {q: random.normal(size=problem.start(q).size) + 0j for q in (0, 1)}
    start[0] = abs(start[0]) / abs(start[0]).sum()
    start[1] += 1j * random.normal(size=start[1].size)
    problem, times = problem.with_state({f"state_{q}": vector for q, vector in start.items()}), np.array([0.0, 0.1, 0.7])
    for q, found in states(problem, times).items():
        np.testing.assert_allclose(found, exponential(problem, q, times), rtol=0, atol=1e-11)


def test_an_incoherent_state_stays_incoherent():
    problem, times = Exact(40).lower(laser(), np.array([[0.0, 0.0, -1.0]]), 0), np.array([0.0, 0.5, 2.0])
    found = states(problem, times)
    assert not np.any(found[1])
    np.testing.assert_allclose(found[0], exponential(problem, 0, times), rtol=0, atol=1e-12)


def test_motion_over_a_very_long_time():
    """A step of 10^9 relaxation times ends in the steady state; coherences vanish."""
    problem = Exact(9).lower(laser(), np.array([[0.6, 0.0, 0.8]]), 0)
    found = states(problem, np.array([0.0, 1e9]))
    zero, one = found[0][-1], found[1][-1]
    assert zero.sum() == pytest.approx(1, abs=1e-6)  # `evolve` normalizes
    np.testing.assert_allclose(zero / zero.sum(), expm(problem.sectors.block(0).toarray() * 1e3) @ problem.start(0), atol=1e-10)
    assert abs(one).max() < 1e-30


def test_what_leaves_a_window_is_what_its_trace_loses():
    """Sector 0 conserves the trace; so does no window from which jumps lead out. The trapezoidal rule errs by 1e-3."""
    full = Exact(60).lower(laser(), DOWN, 0)
    window = Window((14, 10), (27, 24))
    own = full.sectors
    block = Block(own.truncated(with_neighbours(window, own.full_window)), window, 0)
    state = transferred(full.start(0), own.sites(0), block.sites)
    course = block.course(1e-3, state, 0.02, 1e-12)
    assert course.longest == 0.02
    lost = block.losses(course)[:, -1].sum()
    assert lost > 0.01
    assert lost == pytest.approx(state.sum() - course.at(np.array([0.02]))[0].sum(), rel=1e-3)


def test_in_sector_1_the_bound_holds():
    """The exact state and that of a window differ by at most what has left the window."""
    full, end = Exact(60).lower(laser(theta=-1.0), DOWN, 0), 0.02
    window, own = Window((14, 10), (27, 24)), full.sectors
    block = Block(own.truncated(with_neighbours(window, own.full_window)), window, 1)
    inside = transferred(transferred(full.start(1), own.sites(1), block.sites), block.sites, own.sites(1))
    course = block.course(1e-3, transferred(inside, own.sites(1), block.sites), end, 1e-12)
    found = transferred(course.at(np.array([end]))[0], block.sites, own.sites(1))
    error = abs(found - expm_multiply(own.block(1) * end, inside.astype(complex))).sum()
    assert 0.05 < error / block.losses(course)[:, -1].sum() < 1 + 1e-3


def test_windows_follow_the_state():
    """A superradiant pulse leaves the corner in which it began; at the end the window is that of the steady state."""
    problem = Exact(300).lower(laser(), np.array([[0.0, 0.0, 1.0]]), 0)
    pieces = pieces_of(problem, np.array([0.0, 1e-4, 0.05, 30.0]))
    sizes = [piece.states[0].shape[1] for piece in pieces]
    assert sizes[1] < 0.1 * sizes[0]
    assert sizes[-1] < 0.7 * sizes[0]
    first, last = (piece.lattice.sites(0).mean(axis=0) for piece in (pieces[1], pieces[-1]))
    assert np.linalg.norm(first - last) > 60


@pytest.mark.slow(slice=2)
@pytest.mark.parametrize("theta", [-HALF_PI, -1.0])
def test_a_thousand_spins_reach_what_other_solvers_find(theta):
    """The steady state, and the decay of the coherence by the slowest mode: faster ones have decayed to 1e-9 by t = 12."""
    ensemble, times, began = laser(theta=theta), np.array([0.0, 12.0, 20.0]), process_time()
    run = ss.evolve(ensemble, times, theory=ss.Exact(1000))
    assert process_time() - began < 60
    steady, line = (question(ensemble, theory=ss.Exact(1000)) for question in (ss.steady_state, ss.linewidth))
    for name in ("inversion", "correlation", "inversion_correlation"):
        np.testing.assert_allclose(run[name][-1], steady[name], rtol=0, atol=1e-10)
    mode = np.exp(-(line.linewidth / 2 + 1j * line.frequency) * (times[2] - times[1]))
    np.testing.assert_allclose(run.coherence[2] / run.coherence[1], mode, rtol=1e-8)


def test_frequencies_cost_no_steps():
    """A common frequency is left to the rotating frame."""
    slow, fast = (
        ss.evolve(laser(frequency=w), [0.0, 0.3, 4.0], theory=ss.Exact(30), initial=[[0.6, 0.0, 0.3]]) for w in (0.0, 1e6)
    )
    np.testing.assert_allclose(abs(fast.coherence), abs(slow.coherence), rtol=0, atol=1e-11)
    turned = slow.coherence * np.exp(-1e6j * slow.time)
    np.testing.assert_allclose(fast.coherence, turned, rtol=0, atol=1e-9)  # 4e6 radians are rounded by 1e-9


def test_a_window_that_memory_cannot_hold_is_an_error(monkeypatch):
    """The first windows fit, the widest does not."""
    limit = 0.9 * max(_needed_at_each_step(monkeypatch))
    monkeypatch.setattr(memory, "available", lambda: limit)
    with pytest.raises(ss.InputError, match=r"Argument `spins` must be at most about \d+ for this question and this machine"):
        ss.evolve(laser(), [0.0, 2.0], theory=ss.Exact(120))


def _needed_at_each_step(monkeypatch):
    needed = []
    with monkeypatch.context() as patched:
        patched.setattr(sparse_lu.outcome, "afford", lambda size, growth=1: needed.append(size))
        ss.evolve(laser(), [0.0, 2.0], theory=ss.Exact(120))
    assert len(needed) > 3
    return needed


def test_windows_by_their_corners():
    one, other, full = Window((2, 5), (4, 9)), Window((3, 1), (7, 8)), Window((0, 0), (7, 20))
    assert hull(one, other) == Window((2, 1), (7, 9))
    assert with_neighbours(one, full) == Window((1, 4), (5, 10))
    assert with_moved_sides(Window((3, 6), (4, 8)), one, Window((2, 3), (6, 9))) == Window((3, 3), (6, 8))
    assert with_neighbours(replace(other, low=(0, 0)), full) == Window((0, 0), (7, 9))
