"""The loop that follows motions until they are decided: when fixed points are accepted, implicit steps, and both movers."""

import numpy as np
import pytest

import spinsync as ss
from reference import random_bloch
from regime_cases import R, near_full, regime_of
from spinsync.problems.flow.approach import CLOSER, NEAR, THERE, Approach
from spinsync.problems.flow.fixed_points import from_real, run
from spinsync.problems.flow.implicit_steps import _step, integrate_implicitly
from spinsync.questions.regimes import batch
from spinsync.regimes.engines import lanes, scalar
from spinsync.regimes.kernels.lanes import Lanes
from spinsync.regimes.lane_mover import LaneMover
from spinsync.regimes.scalar_mover import scalar_mover
from systems import HALF_PI, flow_of, laser, pair, sampled
from toy_theories import CASES, START


def accepted(*distances):
    approach = Approach.initial(np.ones(1))
    return [bool(approach.accepted(np.array([distance]))[0]) for distance in distances]


def test_a_fixed_point_is_accepted_if_it_is_very_close_or_if_the_distance_shrinks():
    assert accepted(0.1, 0.9 * THERE) == [False, True]
    assert accepted(0.5 * NEAR, 0.5 * CLOSER * NEAR - 1e-12) == [False, True]
    assert accepted(*[0.5 * NEAR] * 5) == [False] * 5  # a small cycle around it
    assert accepted(0.5 * NEAR, np.inf, 0.1 * CLOSER * NEAR) == [False] * 3  # the motion has left the neighbourhood meanwhile
    assert accepted(2 * NEAR, 0.1 * NEAR) == [False] * 2  # shrinking from far away is no sign of convergence


def test_the_wait_for_a_stable_fixed_point_is_long_enough_and_not_much_longer():
    """A distance d exp(-g t) is accepted at the end of the wait."""
    for start, growth in ((0.08, -0.3), (0.005, -2.0), (0.009, -1e-3)):
        approach, distance = Approach.initial(np.ones(1)), start
        for _ in range(3):
            is_accepted = approach.accepted(np.array([distance]))[0]
            if is_accepted:
                break
            wait = approach.wait(np.array([distance]), np.array([growth]))[0]
            assert wait < (np.log(100) + 1) / -growth
            distance *= np.exp(growth * wait)
        assert is_accepted


def small_steps(flow, state, span):
    """The state that the stepper of the flow reaches after `span`."""
    return run(flow, state, np.array([0.0, span])).states[-1]


def flows():
    """Flows of mean field, with groups and frequency classes, and of theories that differ from it."""
    yield from (flow_of(seed)[0] for seed in (0, 1, 4))
    yield from (theory.lower(ensemble, START, 0) for theory, ensemble in CASES.values())


def up_to_a_phase(flow, state, reference):
    return flow.rotated(state, flow.phase_behind(reference, state))


@pytest.mark.parametrize("number", range(6))
def test_an_implicit_step_of_any_flow_is_of_third_order(number):
    flow = list(flows())[number]
    errors, unit = [], 1 / max(abs(flow.decay).max(), flow.fastest_rate)
    for h in (0.04, 0.02, 0.01):
        new, _ = _step(flow, flow.start, h * unit)
        errors.append(abs(new - small_steps(flow, flow.start, h * unit)).max())
    assert np.log2(np.array(errors[:-1]) / errors[1:]) == pytest.approx(4, abs=0.5)  # of one step: h^4


@pytest.mark.parametrize("number", range(6))
def test_long_implicit_steps_reach_the_state_that_small_steps_reach(number):
    flow = list(flows())[number]
    span = 3 / flow.decay.real.max()
    expected, state = small_steps(flow, flow.start, span), integrate_implicitly(flow, flow.start, span, 1e-7, 1e-9)
    np.testing.assert_allclose(up_to_a_phase(flow, state, expected), expected, atol=3e-5)


def test_implicit_steps_fail_if_the_motion_is_fast():
    flow = ss.MeanField().lower(pair(8.0, 16.0), None, 0)
    assert integrate_implicitly(flow, flow.start, 1e6, 1e-6, 1e-9) is None


def test_real_coordinates_and_back():
    for flow in flows():
        count = flow.real.size + np.count_nonzero(~flow.real)
        x = np.random.default_rng(0).normal(size=count)
        v = from_real(flow, x)
        np.testing.assert_array_equal(np.concatenate([v.real, v[~flow.real].imag]), x)


def by(engine, ensemble, start):
    spread = tuple(group.distribution for group in ensemble.groups)
    return engine(batch(ensemble, spread, ensemble.rates.at(None), ss.MeanField(rtol=1e-6, atol=1e-8), np.array(start)))


@pytest.mark.parametrize("engine", [lanes, scalar])
def test_motion_leaves_an_unstable_fixed_point(engine):
    """Starts at the exact full state of a pair beyond its Hopf line, where it is unstable."""
    hopf = float(ss.symmetric_pair(pair(1.0, 40.0)).hopf_detuning)
    ensemble = pair(1.1 * hopf, 40.0)
    full = ss.symmetric_pair(ensemble)
    assert bool(full.exists)
    assert not bool(full.stable)
    found = by(engine, ensemble, near_full(ensemble))
    assert found.regime[0] in (R.PARTIAL, R.PHASE_TRAPPED, R.IRREGULAR)


@pytest.mark.parametrize("offset", [-1e-6, 0.0, 1e-6, 1e-4])
def test_points_on_a_boundary_are_decided_one_by_one(offset):
    """As points of a diagram: at the threshold the coherence decays as 1 / sqrt(t), and close to it hardly faster."""
    one = laser(coupling=1.0)
    one = one.replace(coupling=ss.critical_coupling(one) * (1 + offset))
    found, cycle = ss.regime(sampled(one), initial=[[0.1, 0.0, 0.2]]), ss.limit_cycle(one)
    expected = float(cycle.amplitude) if bool(cycle.synchronized) else 0.0
    assert regime_of(found) is (R.FULL if expected > 0 else R.INCOHERENT)
    assert found.amplitude.item() == pytest.approx(expected, abs=1e-9)


def test_both_movers_use_the_requested_tolerances():
    """Averages of a beat at a tighter tolerance differ by less than those at a looser one."""
    ensemble = ss.Ensemble.pair(detuning=8.0, gain=3.0, damping=1.0, coupling=16.0, theta=-HALF_PI)
    start = random_bloch(np.random.default_rng(2), 2, 0.9)
    spread = tuple(group.distribution for group in ensemble.groups)
    for engine in (lanes, scalar):
        frequencies = []
        for rtol in (1e-3, 1e-6, 1e-9):
            theory = ss.MeanField(rtol=rtol, atol=rtol / 100)
            frequencies.append(engine(batch(ensemble, spread, ensemble.rates.at(None), theory, start)).frequency[0])
        loose, tight = (abs(one - frequencies[-1]).max() for one in frequencies[:2])
        assert tight < 0.3 * loose


@pytest.mark.parametrize("mover", ["lanes", "scalar"])
def test_a_perturbed_state_is_near_the_fixed_point_and_moves_away(mover):
    ensemble = pair(1.1 * float(ss.symmetric_pair(pair(1.0, 40.0)).hopf_detuning), 40.0)
    points = batch(ensemble, (None, None), ensemble.rates.at(None), ss.MeanField(rtol=1e-6, atol=1e-8), near_full(ensemble))
    chosen, distances, not_fading = np.arange(1), [], np.zeros(1, bool)

    def work(mover, point):
        found = mover.find_fixed_points(point, not_fading)
        assert found.distance[0] < THERE
        assert found.growth(chosen)[0] > 0
        point.state = found.perturbed(chosen)
        point.approach.size = mover.size(point)
        for _ in range(11):  # the perturbation rotates and grows
            distances.append(mover.find_fixed_points(point, not_fading).distance[0])
            assert mover.advance(point, 0.2 / found.growth(chosen)).all()
        return point

    (LaneMover(points, Lanes) if mover == "lanes" else scalar_mover(points, 0)).in_chunks(work)
    assert 0.3 * NEAR < distances[0] < 3 * NEAR
    assert max(distances[6:]) > 2 * max(distances[:5])
