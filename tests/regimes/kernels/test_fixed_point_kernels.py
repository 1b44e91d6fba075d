"""Kernels of fixed points: their code and steps, and their agreement with the scalar engine and with closed forms."""

import numpy as np
import pytest

import spinsync as ss
from lane_points import ensemble, nearby_fixed_points, ready, start
from spinsync.problems.flow.fixed_points import SEARCH_RADIUS, newton
from spinsync.regimes.codes import Regime
from spinsync.regimes.kernels import fixed_point_kernel
from spinsync.regimes.kernels.fixed_points import growth_rates
from spinsync.theory.mean_field.theory import MeanField


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_fixed_points_are_those_of_the_scalar_engine(groups):
    ensembles = [ensemble(groups, seed) for seed in range(6)]
    points, kernel, state = ready(ensembles, start(groups))
    kernel.advance(points.parameters, state, np.full(6, 60.0), 1e-9, 1e-12, 1e6)
    incoherent = np.hypot(*state.reshape(6, groups, 3).T[:2]).max(axis=0) < 1e-3  # decaying: below threshold
    distance, fixed_points, frequency = nearby_fixed_points(kernel, points, state, incoherent)
    near = np.flatnonzero(distance < 1e-6)
    assert len(near) >= 2
    jacobians = kernel.fixed_points.jacobians(points.parameters[near], fixed_points[near], frequency[near])
    rates = growth_rates(jacobians, incoherent[near])
    for k, n in enumerate(near.tolist()):
        flow = MeanField().lower(ensembles[n], start(groups), 0)
        y = state[n].reshape(groups, 3)
        alone = newton(flow, np.concatenate([y[:, 0] + 1j * y[:, 1], y[:, 2]]).astype(complex)).fixed_point
        found = fixed_points[n].reshape(groups, 3)
        np.testing.assert_allclose(found[:, 0] + 1j * found[:, 1], alone.state[:groups], atol=1e-9)
        np.testing.assert_allclose(found[:, 2], alone.state[groups:].real, atol=1e-9)
        assert points.frame[n] + frequency[n] == pytest.approx(alone.flow.frame, abs=1e-9)
        assert rates[k] == pytest.approx(alone.growth[0], abs=1e-8)


@pytest.mark.parametrize("groups", [1, 2])
def test_a_rosenbrock_step_is_of_third_order(groups, interpreted):
    points, kernel, state = ready([ensemble(groups, 1)], start(groups))
    size, errors = 3 * groups, []
    velocity, matrix, work, pivots = np.empty(size), np.empty((size, size)), np.empty((size, size)), np.empty(size, int)
    for h in (0.02, 0.01, 0.005):
        exact, new, stages = state.copy(), np.empty(size), np.empty((4, size))
        kernel.advance(points.parameters, exact, np.array([h]), 1e-13, 1e-15, 1e6)
        p = points.parameters.view(np.recarray)[0]
        assert fixed_point_kernel.rosenbrock_step(p, state[0], h, stages, velocity, matrix, work, pivots, new)
        errors.append(abs(invariants(new) - invariants(exact[0])).max())
    assert np.log2(np.array(errors[:-1]) / errors[1:]) == pytest.approx(4, abs=0.4)  # error of one step: h^4


@pytest.mark.parametrize("groups", [1, 2, 5])
def test_compiled_kernels_of_fixed_points_agree_with_python(groups, interpreted):
    ensembles = [ensemble(groups, seed) for seed in range(3)]
    points, kernel, state = ready(ensembles, start(groups))
    kernel.advance(points.parameters, state, np.full(3, 60.0), 1e-6, 1e-9, 1e6)
    records, spans, incoherent = points.parameters.view(np.recarray), np.full(3, 5.0), np.array([False, False, True])
    fixed_points, frequency, distance = np.empty_like(state), np.empty(3), np.empty(3)
    fixed_point_kernel.find_fixed_points(records, state, incoherent, SEARCH_RADIUS, 0, 3, fixed_points, frequency, distance)
    found = kernel.fixed_points.find_fixed_points(points.parameters, state, incoherent, SEARCH_RADIUS)
    assert np.isfinite(distance).any()
    for one, other in zip(found, (distance, fixed_points, frequency), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)
    jacobians = np.empty((3, 3 * groups, 3 * groups))
    fixed_point_kernel.jacobians(records, fixed_points, frequency, 0, 3, jacobians)
    np.testing.assert_allclose(kernel.fixed_points.jacobians(points.parameters, fixed_points, frequency), jacobians, atol=1e-12)
    moved, finished = state.copy(), np.zeros(3, bool)
    fixed_point_kernel.advance_implicitly(records, moved, spans, 1e-6, 1e-9, 500, 0, 3, finished)
    assert finished.any()
    np.testing.assert_array_equal(kernel.fixed_points.advance_implicitly(points.parameters, state, spans, 1e-6, 1e-9), finished)
    np.testing.assert_allclose(state, moved, atol=1e-9)


def invariants(y):
    """Quantities that are independent of the common phase: z of each group and s_a^* s_b."""
    s, z = y[0::3] + 1j * y[1::3], y[2::3]
    products = np.outer(s.conj(), s).ravel()
    return np.concatenate([products.real, products.imag, z])


def test_implicit_steps_reach_the_state_that_small_steps_reach():
    points, kernel, state = ready([ensemble(2, seed) for seed in range(4)], start(2))
    small, spans = state.copy(), np.full(4, 30.0)
    kernel.advance(points.parameters, small, spans, 1e-11, 1e-13, 1e7)
    before = state.copy()
    ended = kernel.fixed_points.advance_implicitly(points.parameters, state, spans, 1e-6, 1e-9)
    assert ended.any()
    for n in range(4):
        if ended[n]:
            np.testing.assert_allclose(invariants(state[n]), invariants(small[n]), atol=1e-5)
        else:
            np.testing.assert_array_equal(state[n], before[n])


@pytest.mark.parametrize("offset", [-1e-6, 0.0, 1e-6, 1e-4])
def test_points_on_a_boundary_are_decided(offset):
    """At the threshold the coherence decays as 1 / sqrt(t), and close to it hardly faster."""
    one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=1.0, theta=-np.pi / 2)
    critical = ss.critical_coupling(one) * (1 + offset)
    there = ss.phase_diagram(one, {"coupling": [critical]}, initial=[[0.1, 0.0, 0.2]])
    cycle = ss.limit_cycle(one.replace(coupling=critical))
    expected = float(cycle.amplitude) if bool(cycle.synchronized) else 0.0
    assert int(there.regime.item()) == (Regime.FULL if expected > 0 else Regime.INCOHERENT)
    assert there.amplitude.item() == pytest.approx(expected, abs=1e-9)
