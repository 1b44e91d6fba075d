"""Spins that rotate much faster than the motion, as in the tails of a Lorentzian, neither set its time steps nor change it."""

import numpy as np
import pytest

import spinsync as ss
from reference import locked_order_parameter
from spinsync.questions.regimes import batch, checked_start
from spinsync.regimes.codes import Status
from spinsync.regimes.scalar_mover import scalar_mover
from spinsync.theory.mean_field.theory import MAPS
from spinsync.theory.options import with_defaults
from systems import HALF_PI, laser

NEAR = np.linspace(-1.0, 1.0, 29)


@pytest.mark.parametrize("far", [1e4, 3e6])
def test_far_spins_leave_the_motion_of_the_others(far):
    """A frequency of 1e6 would need 1e8 time steps."""
    frequencies = [*NEAR, far, -far]
    found = ss.regime(laser(frequency=ss.Samples(frequencies)), initial=[[0.8, 0.0, 0.2]])
    assert found.status == Status.SETTLED
    assert float(found.order_parameter) == pytest.approx(locked_order_parameter(laser(), frequencies), rel=1e-6)


def test_averages_of_a_motion_with_far_spins():
    """Two drifting groups are averaged: spins with frequencies of 1e6 are as good as spins that do not couple."""
    pair = ss.Ensemble.pair(detuning=8.0, gain=3.0, damping=1.0, coupling=16.0, theta=-HALF_PI)
    fewer = {f"{name}.A.coupling": 16.0 * 20 / 19 for name in "AB"}  # 19 spins of 20 couple as all did
    frequencies = ss.Samples([4.0] * 38 + [4 + 1e6, 4 - 1e6])
    alone, found = ss.regime(pair), ss.regime(pair.replace(**fewer, **{"A.frequency": frequencies}))
    assert found.status == Status.SETTLED
    assert found.regime == alone.regime == ss.Regime.PARTIAL
    np.testing.assert_allclose(found.frequency, alone.frequency, atol=2e-3)  # frequencies agree to 1e-4 of the detuning
    np.testing.assert_allclose(found.amplitude * [20 / 19, 1], alone.amplitude, atol=1e-3)
    assert abs(found.lyapunov - alone.lyapunov) < found.lyapunov_error + alone.lyapunov_error


def test_far_spins_start_where_they_settle():
    """In the field of the start; all other spins keep the initial state."""
    model = laser(frequency=ss.Samples([*NEAR, 1e6, -1e6]))
    theory, s = with_defaults(ss.MeanField(), MAPS), (0.2 - 0.1j) / 2
    start = checked_start(model, theory, [[0.2, 0.1, 0.3]], 0)
    points = batch(model, model.recipe.distributions(), model.rates.at(None), theory, start)
    mover = scalar_mover(points, 0)
    state = mover.flow.start
    np.testing.assert_allclose(state[:29], s)
    np.testing.assert_allclose(state[31:], 0.3)
    settled = 1j * model.coupling_matrix[0, 0] * s * 0.3 / (model.groups[0].gamma_perp + 1e6j * np.array([1, -1]))
    np.testing.assert_allclose(state[29:31], settled, rtol=1e-9)  # (3.3) without its time derivative
    (followed,) = mover.in_chunks(lambda _, points: points)
    assert followed.detuning[0] == pytest.approx(2.0)  # the unit of the accuracy of frequencies: without the far spins
    followed.tangent[:] = np.where(mover.flow.real, 0.1, 0.1j)
    assert mover.measure(followed, np.array([5.0]))[2]  # a tangent vector that turns with a far spin takes too many steps
