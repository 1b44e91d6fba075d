"""Theories without coherence, with neutral complex variables, and without U(1) symmetry: every question, exact answers."""

import numpy as np
import pytest
from scipy.linalg import expm

import spinsync as ss
from spinsync.problems.flow.fixed_points import Outcome, converge, newton
from spinsync.problems.flow.orbit_averages import sample_orbit
from spinsync.problems.flow.periodic_orbits import find_cycle
from toy_theories import CASES, PAIR, START, Beating, Parametric, RateEquations, StuartLandau

TIMES = np.linspace(0, 4, 41)


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def flow(case, initial=START):
    theory, ensemble = case
    return theory.lower(ensemble, initial, 0)


def fixed_point(case):
    """Coherence and inversion of the groups at the fixed point."""
    theory, ensemble = case
    if isinstance(theory, RateEquations):
        return np.zeros(2), theory.motion(ensemble, START, [1e3])[0]
    if isinstance(theory, Beating):
        return np.zeros(2), theory.fixed_point(ensemble)[1]
    return theory.fixed_point(ensemble)


def test_populations_follow_the_riccati_equation():
    theory, ensemble = CASES["no coherence"]
    run = ss.evolve(ensemble, TIMES, theory=theory, initial=START)
    np.testing.assert_allclose(run.inversion, theory.motion(ensemble, START, TIMES), rtol=0, atol=1e-10)
    assert not run.order_parameter.any()


def test_a_neutral_complex_variable_oscillates():
    case = theory, ensemble = CASES["neutral and complex"]
    run = ss.evolve(ensemble, TIMES, theory=theory, initial=START)
    c = theory.correlation(ensemble, START, TIMES)
    assert abs(c.imag).max() > 0.05
    # dz/dt = net gain - Gamma_1 z + q |c|^2, left side by finite differences
    z, r = run.inversion.values, ensemble.rates
    step = TIMES[1] - TIMES[0]
    slope = (z[:-4] - 8 * z[1:-3] + 8 * z[3:-1] - z[4:]) / (12 * step)
    np.testing.assert_allclose(slope, (r.net_gain - r.gamma_1 * z + theory.feed * abs(c[:, None]) ** 2)[2:-2], atol=1e-5)
    problem = flow(case)
    assert problem.charged.sum() == 0
    assert problem.real.tolist() == [False, True, True]


def test_driven_spins_follow_the_optical_bloch_equations():
    theory, ensemble = CASES["no symmetry"]
    run = ss.evolve(ensemble, TIMES, theory=theory, initial=START)
    s, z = theory.fixed_point(ensemble)
    rotation = np.exp(-1j * np.angle(theory.field))  # into the frame in which the field is real and constant
    for a, generator in enumerate(theory.generators(ensemble)):
        initial = np.array([START[a, 0] / 2, -START[a, 1] / 2]) @ [1, 1j] * rotation - s[a] * rotation
        first = np.array([initial.real, initial.imag, START[a, 2] - z[a]])
        moved = np.array([expm(generator * t) @ first for t in TIMES])
        found = run.coherence.values[:, a] * np.exp(1j * theory.nu * TIMES) * rotation
        np.testing.assert_allclose(found, s[a] * rotation + moved[:, 0] + 1j * moved[:, 1], rtol=0, atol=1e-10)
        np.testing.assert_allclose(run.inversion.values[:, a], z[a] + moved[:, 2], rtol=0, atol=1e-10)


def test_steady_states_agree_with_closed_forms(case):
    theory, ensemble = case
    state = ss.steady_state(ensemble, theory=theory, initial=START)
    s, z = fixed_point(case)
    np.testing.assert_allclose(state.coherence, s, rtol=0, atol=1e-11)
    np.testing.assert_allclose(state.inversion, z, rtol=0, atol=1e-11)
    assert bool(state.stable)
    # the frequency of the laser; NaN without coherence
    np.testing.assert_array_equal(state.frequency, np.where(s == 0, np.nan, getattr(theory, "nu", np.nan)))


def test_growth_rates_agree_with_closed_forms(case):
    theory, ensemble = case
    problem = flow(case)
    convergence = converge(problem, stretch=5.0, longest=200.0)
    for found in (convergence.fixed_point, newton(problem, convergence.state).fixed_point):
        np.testing.assert_allclose(found.growth, np.sort(theory.growth(ensemble))[::-1], rtol=0, atol=1e-9)


def test_the_leading_eigenvalue_is_that_of_the_neutral_variable():
    theory, ensemble = CASES["neutral and complex"]
    gamma, delta, k = theory.numbers(ensemble.rates)
    problem = flow((theory, ensemble))
    found = newton(problem, converge(problem, stretch=5.0, longest=200.0).state)
    assert found.outcome is Outcome.FOUND
    assert found.fixed_point.leading.real == pytest.approx(-gamma, abs=1e-9)
    assert abs(found.fixed_point.leading.imag) == pytest.approx(np.sqrt(delta**2 - k**2), abs=1e-9)
    assert found.fixed_point.state[0] == pytest.approx(theory.fixed_point(ensemble)[0], abs=1e-11)


def test_newtons_method_converges_from_a_distance_of_percents(case):
    """The equations of all three theories are linear or quadratic."""
    problem = flow(case)
    expected = converge(problem, stretch=5.0, longest=200.0).fixed_point.state
    off = 0.01 * np.where(problem.real, 1.0, 1 - 2j)
    found = newton(problem, expected + off)
    assert found.outcome is Outcome.FOUND
    np.testing.assert_allclose(found.fixed_point.state, expected, rtol=0, atol=1e-11)


def test_a_run_leaves_an_unstable_neutral_fixed_point():
    """z_- of the Riccati equation."""
    theory, one = RateEquations(), ss.Ensemble([ss.Group(0.5, 1.0)], [[-1.0]])
    offset = 1e-9
    r = one.rates
    root = np.sqrt(r.gamma_1[0] ** 2 + 4 * r.net_gain[0])
    low, high = ((-r.gamma_1[0] - root) / 2, (-r.gamma_1[0] + root) / 2)
    found = newton(theory.lower(one, np.array([[0, 0, low + offset]]), 0), np.array([low + offset + 0j])).fixed_point
    assert not found.stable
    assert found.growth[0] == pytest.approx(root, abs=1e-9)
    assert ss.steady_state(one, theory=theory, initial=[[0, 0, low + 1e-4]]).inversion[0] == pytest.approx(high, abs=1e-10)


def test_regimes_agree_with_the_fixed_points(case):
    theory, ensemble = case
    found = ss.regime(ensemble, theory=theory, initial=START)
    s, z = fixed_point(case)
    assert ss.label(found.regime) == ("full" if s.any() else "incoherent")
    np.testing.assert_allclose(found.amplitude, abs(s), rtol=0, atol=1e-11)
    np.testing.assert_allclose(found.inversion, z, rtol=0, atol=1e-11)
    assert float(found.lyapunov) == pytest.approx(max(theory.growth(ensemble)), abs=1e-9)
    assert float(found.order_parameter) == pytest.approx(2 * abs(s @ ensemble.rates.weight), abs=1e-11)


def test_phase_diagrams_work_with_any_theory_that_has_flows(case):
    theory, ensemble = case
    found = ss.phase_diagram(ensemble, {"A.gain": [0.5, 1.3]}, theory=theory, initial=START)
    for k, gain in enumerate((0.5, 1.3)):
        alone = ss.regime(ensemble.replace(**{"A.gain": gain}), theory=theory, initial=START)
        for name in ("regime", "amplitude", "inversion", "lyapunov", "frequency"):
            np.testing.assert_array_equal(found[name].isel({"A.gain": k}), alone[name])


def test_a_limit_cycle_of_a_neutral_variable_has_its_period_and_floquet_exponent():
    theory = StuartLandau()
    problem = theory.lower(PAIR, START, 0)
    found = find_cycle(problem, problem.start, 20.0)
    assert found.cycle.period == pytest.approx(2 * np.pi / theory.omega, rel=1e-6)
    assert found.cycle.phase_increment == 0
    assert found.cycle.growth == pytest.approx(-2 * theory.mu, rel=1e-4)
    assert abs(found.state[0]) == pytest.approx(np.sqrt(theory.mu), rel=1e-4)
    orbit = sample_orbit(problem, found.state, np.array([1, 0.5j, 0.2], complex), 400, 0.05)
    assert orbit.growth_increments[200:].sum() == pytest.approx(-2 * theory.mu * 10, rel=1e-3)  # after the transient


def test_oscillating_inversions_without_coherence_are_pulsating():
    found = ss.regime(PAIR, theory=StuartLandau(), initial=START)
    assert ss.label(found.regime) == "pulsating"
    assert float(found.lyapunov) == pytest.approx(-0.4, rel=1e-3)
    assert np.all(np.isnan(found.frequency))
    np.testing.assert_allclose(found.inversion, PAIR.rates.net_gain / PAIR.rates.gamma_1, atol=1e-5)


def test_questions_of_other_kinds_of_problem_are_errors():
    for ask, message in (
        (
            lambda: ss.linewidth(PAIR, theory=RateEquations()),
            r"answers linewidth \(.*\), but is RateEquations",
        ),
        (lambda: ss.evolve(PAIR, TIMES, theory=RateEquations(), keep_state=True), "must be False for RateEquations"),
    ):
        with pytest.raises(ss.InputError, match=message):
            ask()


def oscillators(*frequencies):
    return ss.Ensemble([ss.Group(1.0, 0.4, frequency=one) for one in frequencies], np.zeros((len(frequencies),) * 2))


def test_a_limit_cycle_without_a_symmetry_has_its_period_and_floquet_exponent():
    found = ss.regime(oscillators(2.0), theory=Parametric(), initial=START[:1])
    rate = np.sqrt(2.0**2 - 0.5**2)
    assert ss.label(found.regime) == "pulsating"
    assert found.frequency.item() == pytest.approx(rate, abs=1e-6)
    assert found.period.item() == pytest.approx(np.pi / rate, abs=1e-6)  # of |s|, which has half the period of s
    assert found.lyapunov.item() == pytest.approx(-0.1, abs=found.lyapunov_error.item())


def test_a_lyapunov_exponent_of_zero_is_zero_within_its_error():
    """The phase difference of two uncoupled oscillators is neutrally stable."""
    found = ss.regime(oscillators(2.0, 2.0), theory=Parametric())
    assert abs(found.lyapunov.item()) <= found.lyapunov_error.item() < 1e-6


def test_a_parametric_pump_locks_the_phase_of_an_oscillator():
    found = ss.regime(oscillators(0.3), theory=Parametric(), initial=START[:1])
    assert ss.label(found.regime) == "full"
    assert found.frequency.item() == 0
    assert found.amplitude.item() == pytest.approx(np.sqrt(0.45), abs=1e-10)
    assert found.lyapunov.item() == pytest.approx(-0.8, abs=1e-8)


def test_a_coherence_at_rounding_error_has_no_phase():
    """Without a symmetry the coherence of the incoherent state is not exactly zero, but 1e-30."""
    theory, incoherent = Parametric(mu=-0.2, pump=0.0), oscillators(1.0, 2.0)
    found = ss.regime(incoherent, theory=theory)
    assert ss.label(found.regime) == "incoherent"
    assert found.frequency.isnull().all()
    assert found.phase_locking.isnull().all()
    assert found.lyapunov.item() == pytest.approx(-0.2, abs=1e-8)
    assert ss.steady_state(incoherent, theory=theory).frequency.isnull().all()


def test_a_diagram_of_regimes_needs_a_theory_with_regimes():
    class Irregular(ss.BruteForce):
        maps = "regimes"

    message = r"^Argument `theory` must be one that answers regime \(MeanField\), but is .*Irregular\(spins=2\)"
    with pytest.raises(ss.InputError, match=message):
        ss.phase_diagram(oscillators(0.3), {"gain": [1.0]}, theory=Irregular(2))
