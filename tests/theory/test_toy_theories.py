"""Theories without a coherence, with neutral complex variables, and without a symmetry go through every question."""

import numpy as np
import pytest
from scipy.linalg import expm

import spinsync as ss
from spinsync.problems.flow.fixed_points import Outcome, polish, settle
from spinsync.problems.flow.orbit_averages import track
from spinsync.problems.flow.periodic_orbits import search
from toy_theories import CASES, PAIR, START, Beating, Parametric, RateEquations, StuartLandau

TIMES = np.linspace(0, 4, 41)


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def flow(case, initial=START):
    theory, ensemble = case
    return theory.lower(ensemble, initial, 0)


def at_rest(case):
    """Coherence and inversion of the groups."""
    theory, ensemble = case
    if isinstance(theory, RateEquations):
        return np.zeros(2), theory.motion(ensemble, START, [1e3])[0]
    if isinstance(theory, Beating):
        return np.zeros(2), theory.fixed_point(ensemble)[1]
    return theory.fixed_point(ensemble)


def test_populations_follow_riccatis_equation():
    theory, ensemble = CASES["no coherence"]
    run = ss.evolve(ensemble, TIMES, theory=theory, initial=START)
    np.testing.assert_allclose(run.inversion, theory.motion(ensemble, START, TIMES), rtol=0, atol=1e-10)
    assert not run.order_parameter.any()


def test_a_neutral_complex_variable_beats():
    case = theory, ensemble = CASES["neutral and complex"]
    run = ss.evolve(ensemble, TIMES, theory=theory, initial=START)
    c = theory.correlation(ensemble, START, TIMES)
    assert abs(c.imag).max() > 0.05
    # dz/dt = net gain - Gamma_1 z + q |c|^2, by the values of both sides at the middles of intervals
    z, r = run.inversion.values, ensemble.rates
    step = TIMES[1] - TIMES[0]
    slope = (z[:-4] - 8 * z[1:-3] + 8 * z[3:-1] - z[4:]) / (12 * step)
    np.testing.assert_allclose(slope, (r.net_gain - r.gamma_1 * z + theory.feed * abs(c[:, None]) ** 2)[2:-2], atol=1e-5)
    problem = flow(case)
    assert problem.charged.sum() == 0
    assert problem.real.tolist() == [False, True, True]


def test_driven_spins_nutate():
    theory, ensemble = CASES["no symmetry"]
    run = ss.evolve(ensemble, TIMES, theory=theory, initial=START)
    s, z = theory.fixed_point(ensemble)
    turned = np.exp(-1j * np.angle(theory.field))  # into the frame in which the field is real, and the laser rests
    for a, generator in enumerate(theory.generators(ensemble)):
        away = np.array([START[a, 0] / 2, -START[a, 1] / 2]) @ [1, 1j] * turned - s[a] * turned
        first = np.array([away.real, away.imag, START[a, 2] - z[a]])
        moved = np.array([expm(generator * t) @ first for t in TIMES])
        seen = run.coherence.values[:, a] * np.exp(1j * theory.nu * TIMES) * turned
        np.testing.assert_allclose(seen, s[a] * turned + moved[:, 0] + 1j * moved[:, 1], rtol=0, atol=1e-10)
        np.testing.assert_allclose(run.inversion.values[:, a], z[a] + moved[:, 2], rtol=0, atol=1e-10)


def test_steady_states_are_those_of_the_closed_forms(case):
    theory, ensemble = case
    state = ss.steady_state(ensemble, theory=theory, initial=START)
    s, z = at_rest(case)
    np.testing.assert_allclose(state.coherence, s, rtol=0, atol=1e-11)
    np.testing.assert_allclose(state.inversion, z, rtol=0, atol=1e-11)
    assert bool(state.stable)
    # a frequency has what turns with the laser, and nothing without a coherence
    np.testing.assert_array_equal(state.frequency, np.where(s == 0, np.nan, getattr(theory, "nu", np.nan)))


def test_eigenvalues_behind_stability_are_those_of_the_closed_forms(case):
    theory, ensemble = case
    problem = flow(case)
    settled = settle(problem, stretch=5.0, most=200.0)
    for rest in (settled.rest, polish(problem, settled.state).rest):
        np.testing.assert_allclose(rest.growth, np.sort(theory.growth(ensemble))[::-1], rtol=0, atol=1e-9)


def test_the_leading_eigenvalue_beats_as_the_neutral_variable_does():
    theory, ensemble = CASES["neutral and complex"]
    gamma, delta, k = theory.numbers(ensemble.rates)
    problem = flow((theory, ensemble))
    found = polish(problem, settle(problem, stretch=5.0, most=200.0).state)
    assert found.outcome is Outcome.FOUND
    assert found.rest.leading.real == pytest.approx(-gamma, abs=1e-9)
    assert abs(found.rest.leading.imag) == pytest.approx(np.sqrt(delta**2 - k**2), abs=1e-9)
    assert found.rest.state[0] == pytest.approx(theory.fixed_point(ensemble)[0], abs=1e-11)


def test_newtons_method_goes_to_the_fixed_point_from_afar(case):
    """All three are linear or quadratic: a few steps, from a distance of percents."""
    problem = flow(case)
    there = settle(problem, stretch=5.0, most=200.0).rest.state
    off = 0.01 * np.where(problem.real, 1.0, 1 - 2j)
    found = polish(problem, there + off)
    assert found.outcome is Outcome.FOUND
    np.testing.assert_allclose(found.rest.state, there, rtol=0, atol=1e-11)


def test_an_unstable_fixed_point_without_charge_is_left():
    """z_- of Riccati's equation: the state on it is at rest, but a regime is what the motion tends to."""
    theory, one = RateEquations(), ss.Ensemble([ss.Group(0.5, 1.0)], [[-1.0]])
    below = 1e-9
    r = one.rates
    root = np.sqrt(r.gamma_1[0] ** 2 + 4 * r.net_gain[0])
    low, high = ((-r.gamma_1[0] - root) / 2, (-r.gamma_1[0] + root) / 2)
    found = polish(theory.lower(one, np.array([[0, 0, low + below]]), 0), np.array([low + below + 0j])).rest
    assert not found.stable
    assert found.growth[0] == pytest.approx(root, abs=1e-9)
    assert ss.steady_state(one, theory=theory, initial=[[0, 0, low + 1e-4]]).inversion[0] == pytest.approx(high, abs=1e-10)


def test_regimes_are_those_of_fixed_points(case):
    theory, ensemble = case
    seen = ss.regime(ensemble, theory=theory, initial=START)
    s, z = at_rest(case)
    assert ss.label(seen.regime) == ("full" if s.any() else "incoherent")
    np.testing.assert_allclose(seen.amplitude, abs(s), rtol=0, atol=1e-11)
    np.testing.assert_allclose(seen.inversion, z, rtol=0, atol=1e-11)
    assert float(seen.lyapunov) == pytest.approx(max(theory.growth(ensemble)), abs=1e-9)
    assert float(seen.order_parameter) == pytest.approx(2 * abs(s @ ensemble.rates.weight), abs=1e-11)


def test_diagrams_take_any_theory_that_has_flows(case):
    theory, ensemble = case
    seen = ss.phase_diagram(ensemble, {"A.gain": [0.5, 1.3]}, theory=theory, initial=START)
    for k, gain in enumerate((0.5, 1.3)):
        alone = ss.regime(ensemble.replace(**{"A.gain": gain}), theory=theory, initial=START)
        for name in ("regime", "amplitude", "inversion", "lyapunov", "frequency"):
            np.testing.assert_array_equal(seen[name].isel({"A.gain": k}), alone[name])


def test_a_cycle_of_a_neutral_variable_has_its_period_and_exponent():
    theory = StuartLandau()
    problem = theory.lower(PAIR, START, 0)
    found = search(problem, problem.start, 20.0)
    assert found.cycle.period == pytest.approx(2 * np.pi / theory.omega, rel=1e-6)
    assert found.cycle.turned == 0
    assert found.cycle.growth == pytest.approx(-2 * theory.mu, rel=1e-4)
    assert abs(found.state[0]) == pytest.approx(np.sqrt(theory.mu), rel=1e-4)
    seen = track(problem, found.state, np.array([1, 0.5j, 0.2], complex), 400, 0.05)
    assert seen.grown[200:].sum() == pytest.approx(-2 * theory.mu * 10, rel=1e-3)  # what is left after the start


def test_inversions_that_oscillate_without_coherence_are_pulsating():
    seen = ss.regime(PAIR, theory=StuartLandau(), initial=START)
    assert ss.label(seen.regime) == "pulsating"
    assert float(seen.lyapunov) == pytest.approx(-0.4, rel=1e-3)
    assert np.all(np.isnan(seen.frequency))
    np.testing.assert_allclose(seen.inversion, PAIR.rates.net_gain / PAIR.rates.gamma_1, atol=1e-5)


def test_a_theory_refuses_what_its_kind_of_problem_cannot_answer():
    for ask, sentence in (
        (
            lambda: ss.linewidth(PAIR, theory=RateEquations()),
            r"answers linewidth \(.*\), but is RateEquations",
        ),
        (lambda: ss.evolve(PAIR, TIMES, theory=RateEquations(), keep_state=True), "must be False for RateEquations"),
    ):
        with pytest.raises(ss.InputError, match=sentence):
            ask()


def oscillators(*frequencies):
    return ss.Ensemble([ss.Group(1.0, 0.4, frequency=one) for one in frequencies], np.zeros((len(frequencies),) * 2))


def test_a_cycle_without_a_symmetry_has_its_period_and_exponent():
    found = ss.regime(oscillators(2.0), theory=Parametric(), initial=START[:1])
    turn = np.sqrt(2.0**2 - 0.5**2)
    assert ss.label(found.regime) == "pulsating"
    assert found.frequency.item() == pytest.approx(turn, abs=1e-6)
    assert found.period.item() == pytest.approx(np.pi / turn, abs=1e-6)  # of |s|, which is the same after half a turn
    assert found.lyapunov.item() == pytest.approx(-0.1, abs=found.lyapunov_error.item())


def test_an_exponent_of_zero_is_zero_within_its_error():
    """Two oscillators that know nothing of each other: how far one is ahead of the other stays."""
    found = ss.regime(oscillators(2.0, 2.0), theory=Parametric())
    assert abs(found.lyapunov.item()) <= found.lyapunov_error.item() < 1e-6


def test_a_pump_holds_the_phase_of_an_oscillator():
    found = ss.regime(oscillators(0.3), theory=Parametric(), initial=START[:1])
    assert ss.label(found.regime) == "full"
    assert found.frequency.item() == 0
    assert found.amplitude.item() == pytest.approx(np.sqrt(0.45), abs=1e-10)
    assert found.lyapunov.item() == pytest.approx(-0.8, abs=1e-8)


def test_what_rounding_leaves_of_a_coherence_does_not_shine():
    """Where no symmetry makes it vanish exactly, a coherence at rest is 1e-30 in place of zero: it has no phase."""
    theory, dark = Parametric(mu=-0.2, pump=0.0), oscillators(1.0, 2.0)
    found = ss.regime(dark, theory=theory)
    assert ss.label(found.regime) == "incoherent"
    assert found.frequency.isnull().all()
    assert found.phase_locking.isnull().all()
    assert found.lyapunov.item() == pytest.approx(-0.2, abs=1e-8)
    assert ss.steady_state(dark, theory=theory).frequency.isnull().all()
