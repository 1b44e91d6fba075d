"""Steady states of toy equations whose fixed points and growth rates are known."""

import numpy as np
import pytest

from spinsync.base.compiled import compiled
from spinsync.problems.moments import stability
from spinsync.problems.moments.at_rest import at_rest
from spinsync.problems.moments.record import SIGNATURE, Moments
from spinsync.problems.moments.stability import growth_rate
from spinsync.problems.outcome import NoFixedPointError, NoRelaxationError, NotConvergedError


@compiled(SIGNATURE)
def logistic(y, table, planes, factors, work, out):
    """dy/dt = y (rate - y), and a component that never moves."""
    out[0], out[1] = y[0] * (table[0, 0] - y[0]), 0.0


@compiled(SIGNATURE)
def rotation(y, table, planes, factors, work, out):
    """A centre: the motion never ends."""
    out[0], out[1] = -y[1], y[0]


@compiled(SIGNATURE)
def state(y, table, planes, factors, work, out):
    out[:] = y


def problem(derivative, start, rest, rate=1.0, slowest=1.0):
    return Moments(
        derivative=derivative, numbers=state, table=np.array([[rate]]), planes=np.zeros((1, 1, 1)), factors=np.zeros((1, 1, 1)),
        work=1, start=np.array(start), blocks=np.array([0, 2]), floor=np.ones(1), rtol=1e-8, recorded=2,
        observe=lambda numbers: {"y": (("time", "component"), numbers)}, slowest=slowest, coordinates={}, rest=rest,
    )  # fmt: skip


def fails(y):
    raise NotConvergedError


def test_an_unstable_root_of_newtons_method_is_passed_over():
    """It finds y = 0 near the start, where the motion begins to leave it."""
    found = at_rest(problem(logistic, [1e-3, 0.0], lambda y: np.array([0.0 if y[0] < 0.5 else 1.0, 0.0])))
    assert found.stable
    assert found.state[0] == 1.0


def test_the_motion_alone_is_enough():
    found = at_rest(problem(logistic, [1e-3, 0.0], fails))
    assert found.stable
    assert found.state[0] == pytest.approx(1.0, abs=1e-7)
    assert problem(logistic, [1e-3, 0.0], fails).steady_state(0)["stable"][1]


def test_a_motion_that_never_ends():
    """The steady state that Newton's method finds is given and said to be unstable; without it there is none."""
    found = at_rest(problem(rotation, [1.0, 0.0], lambda y: np.zeros(2)))
    assert not found.stable
    with pytest.raises(NoFixedPointError):
        at_rest(problem(rotation, [1.0, 0.0], fails))
    with pytest.raises(NoFixedPointError):
        problem(rotation, [1.0, 0.0], lambda y: np.zeros(2)).lines(1)
    with pytest.raises(NoRelaxationError):
        at_rest(problem(rotation, [1.0, 0.0], fails, slowest=0.0))


@pytest.mark.parametrize("dense", [stability.DENSE, 0])
@pytest.mark.parametrize("seed", range(3))
def test_the_growth_rate_of_a_quadratic_flow(seed, dense, monkeypatch):
    """dy/dt = A y + y (b . y), of which A + y b^T + (b . y) is the derivative at y, with few and with many variables."""
    monkeypatch.setattr(stability, "DENSE", dense)
    rng = np.random.default_rng([2, seed])
    matrix, b, y = rng.normal(size=(60, 60)), rng.normal(size=60), rng.normal(size=60)
    matrix[-1], y[-1] = 0.0, 0.0  # a component that never moves
    jacobian = matrix + np.outer(y, b) + np.eye(60) * (b @ y)
    jacobian[-1] = 0.0
    found = growth_rate(lambda x: np.append((matrix @ x + x * (b @ x))[:-1], 0.0), y)
    assert found == pytest.approx(np.linalg.eigvals(jacobian[:-1, :-1]).real.max(), rel=1e-3)
