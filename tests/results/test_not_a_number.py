"""Variables are NaN only where the docstring says so; never because of long times."""

import numpy as np
import pytest

import spinsync as ss
from systems import HALF_PI, laser

FAST = ss.Ensemble.single(gain=1e12, damping=1e12, coupling=0.0, theta=1.0, frequency=8.8)
UNEVEN = ss.Ensemble.pair(detuning=1.0, gain=(1e12, 2e12), damping=(1e3, 1e12), coupling=0.0, theta=1.0)
LONG = [0.0, 1e-12, 1e300, 1.7e308]
ONE_EACH = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=12.0, theta=-HALF_PI)
STILL = laser(gain=0.0, damping=0.0)


@pytest.mark.parametrize("ensemble", [FAST, UNEVEN, FAST.replace(frequency=ss.Samples([1.0, 2.0]))], ids=str)
def test_spins_without_coupling_relax_at_any_time(ensemble):
    """s = s(0) exp(-(i omega + Gamma_perp) t), and the inversion tends to z0."""
    start = [[0.6, 0.0, 0.1]] * len(ensemble.groups)
    run = ss.evolve(ensemble, LONG, initial=start, each=True)
    rates = ensemble.rates
    expected = 0.3 * np.exp(-rates.gamma_perp * 1e-12)
    np.testing.assert_allclose(abs(run.coherence[1]), expected, rtol=1e-9)
    np.testing.assert_array_equal(run.spin_coherence[2:], 0)
    np.testing.assert_allclose(run.inversion[2:], [rates.net_gain / rates.gamma_1] * 2, rtol=0, atol=1e-12)
    np.testing.assert_allclose(4 * np.pi * ss.husimi(run, [0.0], [0.0]).husimi[-1, 0], 1 + rates.net_gain[0] / rates.gamma_1[0])


def test_free_rotation_keeps_the_amplitude_at_any_time():
    """The phase is lost in rounding, |s| is not."""
    for detuning in (1.0, 1e10):
        free = ss.Ensemble.pair(detuning=detuning, gain=0.0, damping=0.0, coupling=0.0, theta=0.0)
        run = ss.evolve(free, LONG, initial=[[0.6, 0.0, 0.1], [0.0, 0.2, 0.0]])
        np.testing.assert_allclose(abs(run.coherence), [[0.3, 0.1]] * 4, rtol=1e-12)


@pytest.mark.parametrize("ensemble", [FAST, UNEVEN, ONE_EACH.replace(dephasing=0.3), ONE_EACH.replace(coupling=0.0)], ids=str)
def test_few_spins_reach_their_steady_state_at_any_long_time(ensemble):
    steady = ss.steady_state(ensemble, theory=ss.BruteForce(2))
    run = ss.evolve(ensemble, [0.0, 1e5, 1e300], theory=ss.BruteForce(2))
    for name in ("inversion", "correlation", "inversion_correlation"):
        np.testing.assert_allclose(run[name][1:], [steady[name]] * 2, rtol=0, atol=1e-11)
    assert abs(run.coherence[1:]).max() == 0
    sides = ss.one_spin_equation(ensemble, [0.0, 1e300], theory=ss.BruteForce(2))
    fastest = ensemble.rates.gamma_1.max()
    for name in sides.data_vars:
        assert abs(sides[name][1]).max() < 1e-13 * fastest, name


def test_runs_dominated_by_rounding_errors_are_errors():
    """Free rotation by 10^301 radians, and two groups whose rates differ by twelve orders of magnitude."""
    for ensemble in (laser(gain=0.0, damping=0.0, coupling=0.0, frequency=8.8), ONE_EACH.replace(**{"A.damping": 1e12})):
        for question in (ss.evolve, ss.one_spin_equation):
            with pytest.raises(ss.IntegrationError, match="rates are too large for double precision, or differ by too many"):
                question(ensemble, [0.0, 1e300], theory=ss.BruteForce(2))


WITH_NAN = {
    "evolve": lambda: ss.evolve(ONE_EACH, [0.0, 1.0], theory=ss.BruteForce(2)),
    "evolve exact": lambda: ss.evolve(laser(), [0.0, 1.0], theory=ss.Exact(1)),
    "evolve trajectories": lambda: ss.evolve(laser(), [0.0, 1.0], theory=ss.Trajectories(1, rtol=0.5)),
    "steady_state": lambda: ss.steady_state(laser(), theory=ss.Exact(1)),
    "steady_state trajectories": lambda: ss.steady_state(laser(), theory=ss.Trajectories(1, rtol=0.5)),
    "steady_state incoherent": lambda: ss.steady_state(laser(coupling=1.0)),
    "pair_measures": lambda: ss.pair_measures(ss.steady_state(laser(), theory=ss.Exact(1))),
    "phase_distribution": lambda: ss.phase_distribution(ss.steady_state(laser(), theory=ss.Exact(1)), [0.0]),
    "asymptotic_phase": lambda: ss.asymptotic_phase(laser(), [[0.0, 0.0, 1.0]], theory=ss.Exact(2)),
    "limit_cycle": lambda: ss.limit_cycle(STILL),
    "symmetric_pair": lambda: ss.symmetric_pair(ONE_EACH.replace(coupling=1.0)),
    "locking_range": lambda: ss.locking_range(ONE_EACH.replace(coupling=24.0, cross_coupling=0.1)),
    "regime": lambda: ss.regime(STILL),
    "regime classes": lambda: ss.regime(laser(coupling=1.0, frequency=ss.Lorentzian(1.0))),
    "phase_diagram": lambda: ss.phase_diagram(STILL, {"coupling": [1.0]}),
}


@pytest.mark.parametrize("case", WITH_NAN)
def test_the_docstring_names_every_variable_that_is_nan(case):
    """The docstring of phase_diagram refers to that of regime."""
    result, question = WITH_NAN[case](), case.split()[0]
    described = " ".join(getattr(ss, question).__doc__.split())
    missing = [name for name, value in result.data_vars.items() if np.any(np.isnan(value))]
    assert missing
    assert "NaN" in described
    everything = "every number is NaN" in described or "NaN where it says" in described
    for name in missing:
        plain = name.removesuffix("_error") if "error" in described else name
        assert everything or plain in described, name
