"""Very long runs end early in a steady state, follow slow relaxation, and are refused at once if they need too many steps."""

from time import process_time

import numpy as np
import pytest

import spinsync as ss
from spinsync.problems.linear import arnoldi
from spinsync.problems.linear.products import solvers
from spinsync.problems.outcome import NotConvergedError
from systems import laser

PAIR = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
#: group B relaxes far more slowly than A, and is weakly coupled to it
SLOW = ss.Ensemble(
    [ss.Group(3.0, 1.0, name="A"), ss.Group(0.045, 0.015, name="B")], [[2.0 - 3.0j, 1e-6], [1e-6, 0.0]]
)  # fmt: skip
DOWN = [[0.0, 0.0, -1.0]] * 2


@pytest.mark.parametrize("end", [1e6, 1e300])
def test_a_run_of_groups_ends_in_the_steady_state(end):
    began = process_time()
    run = ss.evolve(PAIR, [0.0, end / 2, end], theory=ss.Exact(4))
    assert process_time() - began < 5
    steady = ss.steady_state(PAIR, theory=ss.Exact(4))
    for name in ("inversion", "correlation"):
        np.testing.assert_allclose(run[name][-1], steady[name], atol=1e-9)


def test_slow_relaxation_is_followed_to_its_end():
    """At weak coupling group B obeys (2.4) alone: z = z_0 + (z(0) - z_0) exp(-Gamma_1 t)."""
    times = np.array([0.0, 20.0, 100.0, 200.0, 300.0, 1e6])
    run = ss.evolve(SLOW, times, theory=ss.Exact(8), initial=DOWN)
    expected = 0.5 - 1.5 * np.exp(-0.06 * times)
    np.testing.assert_allclose(run.inversion[:, 1], expected, atol=1e-8)  # of second order in the coupling over the rates


def test_a_run_ends_early_only_if_the_steady_state_is_known(monkeypatch):
    """Without a known steady state a run takes all its steps and agrees; a very long one needs too many."""
    times = np.array([0.0, 100.0, 200.0])
    run = ss.evolve(PAIR, times, theory=ss.Exact(2))
    monkeypatch.setattr(arnoldi, "FIRST_CHECK", 10**9)
    stepped = ss.evolve(PAIR, times, theory=ss.Exact(2))
    np.testing.assert_allclose(run.inversion, stepped.inversion, atol=1e-9)
    monkeypatch.undo()
    monkeypatch.setattr(solvers, "steady_state", lambda *_: (_ for _ in ()).throw(NotConvergedError))
    with pytest.raises(ss.IntegrationError, match="differ by too many orders"):
        ss.evolve(PAIR, [0.0, 1e300], theory=ss.Exact(2))


def test_brute_force_reaches_long_times_at_fast_rates():
    """Against its own steady state, and against Exact before that."""
    fast = laser(gain=30.0, damping=10.0, coupling=30.0, theta=-1.2)
    times = np.array([0.0, 0.05, 1.0, 200.0])
    began = process_time()
    run = ss.evolve(fast, times, theory=ss.BruteForce(5))
    assert process_time() - began < 5
    exact = ss.evolve(fast, times, theory=ss.Exact(5))
    for name in ("inversion", "correlation", "coherence"):
        np.testing.assert_allclose(run[name], exact[name], atol=1e-9)
    steady = ss.steady_state(fast, theory=ss.BruteForce(5))
    np.testing.assert_allclose(run.inversion[-1], steady.inversion, atol=1e-9)
    longer = ss.evolve(fast, [0.0, 1e9, 1e300], theory=ss.BruteForce(3))
    steady = ss.steady_state(fast, theory=ss.BruteForce(3))
    np.testing.assert_allclose(longer.inversion[1:], [steady.inversion] * 2, atol=1e-9)


def test_runs_of_too_many_steps_are_refused_at_once():
    for theory in (ss.MeanField(), ss.Exact(4)):
        began = process_time()
        with pytest.raises(ss.IntegrationError, match=r"more than 20000000 steps|differ by too many orders"):
            ss.evolve(laser(), [0.0, 1e300], theory=theory)
        assert process_time() - began < 2


@pytest.mark.parametrize("damping", [1e-320, 1e-170])
def test_subnormal_rates(damping):
    """Treated as zero or as slow relaxation, without warnings and without kernels that read out of bounds."""
    weak = laser(gain=0.0, damping=damping, coupling=0.0, theta=0.0)
    diagram = ss.phase_diagram(weak, {"gain": [0.0]})
    assert diagram.regime.values.tolist() == [-1 if damping < 1e-300 else 0]
    assert int(ss.regime(weak).regime) == int(diagram.regime[0])


@pytest.mark.parametrize("parts", [1, 4])
def test_a_short_initial_step_does_not_end_a_run(parts):
    """The initial transient needs steps a thousand times shorter; 30 thousand of a million steps suffice in total."""
    weak = laser(gain=1e-5, damping=0.0, coupling=1.0)
    run = ss.evolve(weak.split(parts), [0.0, 4e6])
    np.testing.assert_allclose(run.order_parameter[-1], ss.limit_cycle(weak).order_parameter, rtol=1e-6)


def test_too_long_runs_of_sampled_spins_are_refused_soon(monkeypatch):
    monkeypatch.setattr("spinsync.problems.outlook.LEAST_INTERVAL", 50)
    monkeypatch.setattr("spinsync.problems.outlook.CHECKS", 10**6)
    sampled = laser(frequency=ss.Samples(np.linspace(-1.0, 1.0, 600)))
    for end in (1e7, 1e300):
        with pytest.raises(ss.IntegrationError, match="would take more than 1000000 steps: shorten `times`"):
            ss.evolve(sampled, [0.0, end])


def test_runs_of_sampled_spins_with_irregular_output_times_go_on(monkeypatch):
    monkeypatch.setattr("spinsync.problems.outlook.LEAST_INTERVAL", 2)
    monkeypatch.setattr("spinsync.problems.outlook.CHECKS", 10**6)
    sampled = laser(frequency=ss.Samples(np.linspace(-1.0, 1.0, 600)))
    run = ss.evolve(sampled, [0.0, 1e-9, 1.0, 1.0 + 1e-9, 3.0])
    assert np.isfinite(run.order_parameter).all()
