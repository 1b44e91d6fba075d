"""The exponential Adams stepper: order, exactness, fast rotation, dense output, interpreted steps, and failures."""

import platform
import subprocess
import sys
from math import factorial
from time import process_time
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import quad

import spinsync as ss
from spinsync.base.compiled import compiled
from spinsync.problems.flow import exponential_adams as stepper
from spinsync.problems.flow import stepping
from spinsync.problems.flow.exponential_adams import BEYOND, BUDGET, DONE, UNDERFLOW
from spinsync.problems.flow.record import SIGNATURE
from spinsync.problems.flow.stepping import integrate
from spinsync.problems.outcome import Ended

TABLE, NO_COUPLING = np.zeros((1, 1)), np.zeros((1, 1), complex)
ORDER = stepper.P + 1


@compiled(SIGNATURE)
def stuart_landau(y, table, coupling, out):
    """out = a y - b |y|^2 y for each component, with a = coupling[0, 0] and b = coupling[0, 1]."""
    for i in range(y.size):
        out[i] = coupling[0, 0] * y[i] - coupling[0, 1] * (y[i].real ** 2 + y[i].imag ** 2) * y[i]


@compiled(SIGNATURE)
def power_of_time(y, table, coupling, out):
    """y_0 is time t; the other components have the inhomogeneity t^table[0, 0]."""
    out[0] = 1
    for i in range(1, y.size):
        out[i] = y[0] ** table[0, 0]


@compiled(SIGNATURE)
def slow_source(y, table, coupling, out):
    """y_0 rotates at the slow frequency table[0, 0] and is the inhomogeneity of y_1."""
    out[0] = -1j * table[0, 0] * y[0]
    out[1] = y[0]


@compiled(SIGNATURE)
def explosion(y, table, coupling, out):
    for i in range(y.size):
        out[i] = y[i] * y[i]


DECAY, ROTATION, SHEAR = 0.7 + 0.4j, 1.3, 0.8
LANDAU = np.array([[1 + DECAY - 1j * ROTATION, 1 + 1j * SHEAR]])


def landau(times, start=0.5):
    """dy/dt = (1 - i w) y - (1 + i b)|y|^2 y, in closed form."""
    growth = 1 + start**2 * (np.exp(2 * times) - 1)
    return start * np.exp(times) / np.sqrt(growth) * np.exp(-1j * (ROTATION * times + SHEAR / 2 * np.log(growth)))


def run_landau(times, **options):
    return integrate(
        stuart_landau,
        np.array([DECAY]),
        np.array([0.5 + 0j]),
        np.asarray(times, float),
        table=TABLE,
        coupling=LANDAU,
        **options,
    )


def test_error_falls_with_the_ninth_power_of_the_step():
    end, steps = 4.0, np.array([40, 50, 64, 80, 100])
    errors = []
    for n in steps:
        h = end / n
        # loose enough that no step of size h is rejected, tight enough that the starting block converges below the error
        run = run_landau([0.0, end], rtol=1e4 * h**8, atol=0.0, first_step=h, max_step=h)
        assert (run.status, run.rejected, run.steps) == (DONE, 0, pytest.approx(n - stepper.P + 1, abs=1))
        errors.append(abs(run.states[-1, 0] - landau(end)))
    slope = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope == pytest.approx(ORDER, abs=0.3)
    assert min(errors) > 1e-15  # above rounding


@pytest.mark.parametrize("rtol", [1e-4, 1e-6, 1e-8, 1e-10])
def test_adaptive_error_follows_the_tolerance(rtol):
    times = np.linspace(0, 12, 301)
    run = run_landau(times, rtol=rtol, atol=rtol / 100)
    error = abs(run.states[:, 0] - landau(times)).max()
    assert error < rtol * run.steps  # the error of a step is rtol at most, and errors of the phase add up
    assert error > 0.01 * rtol  # no steps are wasted on unneeded digits


@pytest.mark.parametrize("power", [0, 1, 4, stepper.P - 1])
@pytest.mark.parametrize("decay", [0.0, 0.3 - 2.0j, 30 + 1e4j])
def test_a_polynomial_inhomogeneity_is_integrated_exactly(power, decay):
    times, start = np.array([0.0, 0.3, 1.0, 2.9]), 0.4 - 0.2j
    run = integrate(
        power_of_time, np.array([0, decay], complex), np.array([0, start], complex), times,
        table=np.array([[float(power)]]), coupling=NO_COUPLING, rtol=1e-2, atol=1e-2,
    )  # fmt: skip

    def response(t):
        """Integral of exp(-decay (t - u)) u^power by parts."""
        if decay == 0:
            return t ** (power + 1) / (power + 1)
        value = (1 - np.exp(-decay * t)) / decay
        for k in range(1, power + 1):
            value = (t**k - k * value) / decay
        return value

    expected = np.array([start * np.exp(-decay * t) + response(t) for t in times])
    # the steps are large, so only rounding errors are left: cancellation by 4e5 in the weights of the starting block,
    # eps |decay| t of phases, and power!/|decay t|^power in the recursion above
    eps, largest = np.finfo(float).eps, max(1.0, 2.9**power)
    by_parts = factorial(power) / (0.3 * abs(decay)) ** (power + 1) if decay else 0.0
    assert abs(run.states[:, 1] - expected).max() < eps * (4e5 * largest + 10 * abs(decay) * 2.9 + by_parts)
    assert abs(run.states[:, 0] - times).max() < eps * 4e5
    assert run.rejected == 0


def test_fast_rotation_costs_no_steps_and_no_accuracy():
    times, slow = np.linspace(0, 20, 101), 0.9
    steps = {}
    for rotation in (0.0, 1e5):
        run = integrate(
            slow_source, np.array([0, 1j * rotation]), np.array([1, 0.5], complex), times,
            table=np.array([[slow]]), coupling=NO_COUPLING, rtol=1e-9, atol=1e-11,
        )  # fmt: skip
        steps[rotation] = run.steps
        lag = 1j * (rotation - slow)
        expected = 0.5 * np.exp(-1j * rotation * times) + (np.exp(-1j * slow * times) - np.exp(-1j * rotation * times)) / lag
        # 10 rtol, and the rounding of the phase 1e5 * 20
        assert abs(run.states[:, 1] - expected).max() < 1e-8 + 4 * np.finfo(float).eps * rotation * 20
    assert steps[1e5] <= 1.1 * steps[0.0]


def test_dense_output_does_not_depend_on_the_other_times():
    times = np.linspace(0, 10, 777)
    many = run_landau(times, rtol=1e-8, atol=1e-10, first_step=0.01)
    for k in (1, 5, 77, 400, 776):
        alone = run_landau(times[[0, k]], rtol=1e-8, atol=1e-10, first_step=0.01)
        assert alone.states[-1, 0] == many.states[k, 0]
    assert abs(many.states[:, 0] - landau(times)).max() < many.steps * 1e-8


@pytest.mark.parametrize("size", [0.0, 1e-9, 0.1, 1.0, 5.0, 8.99, 9.01, 30.0, 300.0])
@pytest.mark.parametrize("angle", [0.0, 0.5, np.pi / 2, -1.3])
def test_moments_are_the_integrals_that_define_them(size, angle):
    x = size * np.exp(1j * angle) if angle != np.pi / 2 else 1j * size
    moments = np.empty(stepper.P + 1, complex)
    stepper._moments(complex(x), moments)
    for k in range(stepper.P + 1):
        real, imag = (
            quad(lambda u, k=k: np.exp(-x.real * u) * (1 - u) ** k, 0, 1, weight=w, wvar=x.imag, epsabs=1e-15, full_output=1)[0]
            for w in ("cos", "sin")
        )
        # the recursion loses at most max_k |x|^k/k! = 9^8/8! = 1e3 times eps, at |x| = 9 where its direction changes
        assert abs(moments[k] - (real - 1j * imag)) < 1e3 * np.finfo(float).eps * max(abs(real + 1j * imag), 0.1)


def test_a_run_stops_at_its_budget_of_steps():
    run = run_landau([0.0, 1000.0], rtol=1e-8, atol=1e-10, max_steps=25)
    assert run.status == BUDGET
    assert run.steps + run.rejected == 25


@pytest.mark.parametrize("start", [1.0, np.nan, 1e300])
def test_the_step_size_underflows_if_the_solution_diverges_or_is_nan(start):
    run = integrate(
        explosion, np.zeros(1, complex), np.array([start + 0j]), np.array([0.0, 2.0]), table=TABLE, coupling=NO_COUPLING,
        rtol=1e-8, atol=1e-10,
    )  # fmt: skip
    assert run.status == UNDERFLOW


def test_a_single_time_returns_the_initial_state():
    run = run_landau([3.0], rtol=1e-8, atol=1e-10)
    assert run.status == DONE
    assert run.states.tolist() == [[0.5]]


@pytest.mark.parametrize(("factor", "spacing"), [(1, 0.5), (2, 2.0)])
def test_past_values_of_a_polynomial_are_interpolated_exactly(factor, spacing):
    def polynomial(t):
        return (1 + 0.3j) * t**7 - 5 * t**4 + 2j * t + 1

    head, newest = 5, 0.25
    history = np.zeros((stepper.RING, 1), complex)
    for i in range(stepper.RING):
        history[(head - i) % stepper.RING, 0] = polynomial(newest - 0.1 * i)
    stepper._respace(history, head, factor)
    for i in range(stepper.P):
        expected = polynomial(newest - 0.1 * spacing * i)
        # eight terms; the moduli of their weights add up to 6.3
        assert abs(history[(head - i) % stepper.RING, 0] - expected) < 50 * np.finfo(float).eps * abs(history).max()


@pytest.mark.parametrize("steps_per_call", [1, 2, 7, 50])
@pytest.mark.parametrize("first_step", [None, 5.0])
def test_the_number_of_steps_per_call_changes_no_bit(steps_per_call, first_step):
    """With many outputs within one step and none in others, and with a first step that has to be reduced."""
    times = np.concatenate([np.linspace(0, 0.1, 40), np.linspace(0.2, 5, 9), np.linspace(5.01, 5.02, 30), [40.0]])
    whole = run_landau(times, rtol=1e-8, atol=1e-10, first_step=first_step)
    cut = run_landau(times, rtol=1e-8, atol=1e-10, first_step=first_step, steps_per_call=steps_per_call)
    assert whole.states.tobytes() == cut.states.tobytes()
    assert (whole.status, whole.steps, whole.rejected) == (cut.status, cut.steps, cut.rejected)


def test_a_run_that_would_take_too_many_steps_stops_early():
    """On a limit cycle the step size stays constant; near a fixed point it grows, and the run is completed."""
    began = process_time()
    for span in (1e9, 1e300):
        assert run_landau([0.0, span], rtol=1e-8, atol=1e-10).status == BEYOND
    assert process_time() - began < 2.0  # a tenth of the time of 20 million steps
    converging = integrate(
        stuart_landau, np.array([1e-3 + 0j]), np.array([0.5 + 0j]), np.array([0.0, 1e300]), table=TABLE,
        coupling=np.array([[0, 1]], complex), rtol=1e-8, atol=1e-10, steps_per_call=20,
    )  # fmt: skip
    assert converging.status == DONE


def random_run(seed):
    """The bytes of a run of one to three groups, with several outputs per step and with outputs many steps apart."""
    random = np.random.default_rng(seed)
    m = int(random.integers(1, 4))
    groups = [
        ss.Group(random.uniform(0.1, 5), random.uniform(0.1, 2), frequency=3 * random.normal(), name=f"g{i}") for i in range(m)
    ]
    ensemble = ss.Ensemble(groups, 6 * (random.normal(size=(m, m)) + 1j * random.normal(size=(m, m))))
    times = np.sort(random.uniform(0, 3, 20))
    run = ss.evolve(ensemble, times, theory=ss.MeanField(rtol=10 ** -random.uniform(4, 10)))
    return run.coherence.values.tobytes() + run.inversion.values.tobytes()


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="elsewhere Python may fuse a product and a sum")
@pytest.mark.parametrize("seed", range(4))
def test_interpreted_steps_equal_those_of_machine_code_in_every_bit(seed, monkeypatch):
    answers = []
    for interpreted in (lambda work: False, lambda work: True):
        monkeypatch.setattr(stepping, "_budget", SimpleNamespace(spend=interpreted))
        answers.append(random_run(seed))
    alternating = iter([True, False] * 10**6)
    monkeypatch.setattr(stepping, "_budget", SimpleNamespace(spend=lambda work: next(alternating)))
    answers.append(random_run(seed))
    assert answers[0] == answers[1] == answers[2]


def test_machine_code_takes_over_where_python_raises(monkeypatch):
    """An exponential that overflows raises in Python, and is infinite in machine code, which then takes shorter steps."""
    answers = []
    for interpreted in (lambda work: True, lambda work: False):
        monkeypatch.setattr(stepping, "_budget", SimpleNamespace(spend=interpreted))
        answers.append(integrate(slow_source, np.array([0j, -800.0]), np.array([1.0, 0j]), np.array([0.0, 1.0]),
                                 table=TABLE, coupling=NO_COUPLING, rtol=1e-6, atol=1e-6, first_step=1.0))  # fmt: skip
    assert answers[0].status == answers[1].status
    assert answers[0].states.tobytes() == answers[1].states.tobytes()


def test_a_short_run_does_not_load_the_compiler():
    text = "import sys, spinsync as ss; ss.evolve(ss.Ensemble.single(gain=3, damping=1, coupling=12, theta=-1.2), [0, 9]); "
    done = subprocess.run(
        [sys.executable, "-c", text + "print('numba' in sys.modules)"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False"]


class RejectsFirstStep:
    """A stepper that rejects every first step; fails if it is interpreted. `ready`: whether machine code exists."""

    def __init__(self, ready):
        self.ready, self.tries, self.interpreted = ready, 0, self._refused

    def _refused(self, *arguments):
        raise AssertionError("interpreted")

    def __call__(self, nonlinear, decay, table, coupling, y0, times, rtol, atol, max_step, max_steps, most, clock, *moving):
        self.tries += 1
        clock[0] /= 4
        return stepping.MOVING


@pytest.mark.parametrize("ready", [True, False])
def test_trials_of_the_first_step_are_limited_and_many_components_are_not_interpreted(ready, monkeypatch):
    size = stepping.MOST_INTERPRETED + 1
    monkeypatch.setattr(stepping, "solve", RejectsFirstStep(ready))
    monkeypatch.setattr(stepping, "_budget", stepping._InterpreterBudget())
    ones, table, coupling = np.ones(size, complex), np.zeros((size, 4)), np.zeros((size, size), complex)
    options = dict(table=table, coupling=coupling, rtol=1e-8, atol=1e-10, first_step=0.1)
    found = stepping.integrate(SimpleNamespace(interpreted=None), ones, ones, np.array([0.0, 1.0]), **options)
    assert found.status == Ended.UNDERFLOW
    assert stepping.solve.tries == stepping.MOST_FIRST_STEPS
