"""Very many sampled spins: waveform relaxation against the exponential Adams stepper, DOP853 and exact laws.

Tolerances: MeanField promises errors of about 10 rtol up to ten relaxation times of the coherence.
"""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import spinsync as ss
from reference import System, distance
from spinsync.base.parallel import thread_limit
from spinsync.problems.spins_in_fields import waveform_relaxation
from spinsync.problems.spins_in_fields.record import SpinsInFields
from spinsync.theory.mean_field import equations, sampled_spins
from systems import HALF_PI, laser

START = [[0.5, 0.2, 0.3]]


def cauchy(count, seed=0, width=1.0, center=0.0):
    return ss.Samples(center + width * np.tan(np.pi * (np.random.default_rng(seed).random(count) - 0.5)))


def as_flow(monkeypatch, *arguments, **options):
    """The same run as a Flow with one row for each spin."""
    with monkeypatch.context() as patch:
        patch.setattr(sampled_spins, "MIN_SPINS", np.inf)
        return ss.evolve(*arguments, **options)


def difference(run, other):
    return distance(run, other.coherence.values, other.inversion.values)


@pytest.mark.parametrize("theta", [-HALF_PI, *(pytest.param(theta, marks=pytest.mark.slow(slice=2)) for theta in (-0.7, -2.3))])
def test_agrees_with_the_same_spins_as_a_flow(monkeypatch, theta):
    one, times = laser(theta=theta, frequency=cauchy(600, seed=3), coupling=20.0), np.linspace(0, 5, 41)
    exact = as_flow(monkeypatch, one, times, theory=ss.MeanField(rtol=1e-11, atol=1e-13), initial=START)
    for rtol in (1e-5, 1e-7, 1e-9):
        run = ss.evolve(one, times, theory=ss.MeanField(rtol=rtol, atol=rtol / 100), initial=START)
        assert difference(run, exact).max() <= 10 * rtol


def test_agrees_with_an_independent_integration_of_two_groups_and_a_single_frequency():
    rng, n = np.random.default_rng(5), 300
    omega = np.concatenate([rng.standard_cauchy(n), 3 + rng.normal(0, 2, n), [1.0]])
    group = np.repeat([0, 1, 2], [n, n, 1])
    sizes, weight = np.array([n, n, 1]), np.array([0.5, 0.3, 0.2])
    coupling = 8 * (rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3)))
    gain, damping, dephasing = np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 0.5]), np.array([0.0, 0.4, 0.0])
    bloch = np.array([[0.5, 0.2, 0.3], [-0.1, 0.6, 0.1], [0.0, 0.1, -0.7]])
    system = System(gain[group], damping[group], dephasing[group], np.clip(omega, -60, 60), (weight / sizes)[group],
                    coupling[np.ix_(group, group)], bloch[group])  # fmt: skip
    times = np.linspace(0, 1, 5)
    s, z = system.motion(times)
    frequency = [ss.Samples(system.omega[:n]), ss.Samples(system.omega[n : 2 * n]), 1.0]
    groups = [ss.Group(gain[a], damping[a], dephasing=dephasing[a], frequency=frequency[a], weight=weight[a]) for a in range(3)]
    for rtol in (1e-6, 1e-9):
        theory = ss.MeanField(rtol=rtol, atol=rtol / 100)
        run = ss.evolve(ss.Ensemble(groups, coupling), times, theory=theory, initial=bloch, each=True)
        assert abs(run.spin_coherence.values - s).max() <= 10 * rtol
        assert abs(run.spin_inversion.values - z).max() <= 10 * rtol
        for a in range(3):
            np.testing.assert_allclose(run.coherence[:, a], s[:, group == a].mean(axis=1), atol=10 * rtol)
            np.testing.assert_allclose(run.inversion[:, a], z[:, group == a].mean(axis=1), atol=10 * rtol)


def test_error_follows_the_tolerance():
    one, times = laser(frequency=cauchy(2000)), np.linspace(0, 6, 61)
    exact = ss.evolve(one, times, theory=ss.MeanField(rtol=1e-12, atol=1e-14), initial=START)
    errors = []
    for rtol in (1e-4, 1e-6, 1e-8, 1e-10):
        run = ss.evolve(one, times, theory=ss.MeanField(rtol=rtol, atol=rtol / 100), initial=START)
        errors.append(difference(run, exact).max())
        assert errors[-1] <= 10 * rtol
    assert np.all(np.diff(np.log10(errors)) < -0.5)


def test_without_coupling_every_spin_rotates_and_relaxes_freely():
    omega = np.concatenate([np.random.default_rng(1).standard_cauchy(600), [1e3, -1e4, 1e5, 1e7, -1e7]])
    one = laser(coupling=0.0, frequency=ss.Samples(omega), dephasing=0.3)
    times = np.array([0.0, 0.013, 0.4, 1.0, 3.0])
    run = ss.evolve(one, times, initial=START, each=True)
    t = times[:, None]
    expected = (0.25 - 0.1j) * np.exp(-(2.3 + 1j * omega) * t)
    rounding = 1e-12 + 16 * np.finfo(float).eps * abs(omega) * t  # of the phase
    assert np.all(abs(run.spin_coherence.values - expected) < 1e-9 + rounding)
    np.testing.assert_allclose(run.spin_inversion, 0.5 + (0.3 - 0.5) * np.exp(-4 * t) + 0 * omega, atol=1e-9)


@pytest.mark.parametrize("omega", [4e2, 4e3, -4e4])
def test_the_error_of_adiabatic_elimination_is_of_second_order_in_field_over_frequency(omega):
    """(6.9) in a constant field against the matrix exponential of the equation."""
    h, rates, start = 2 - 1j, (2.0, 4.0, 2.0), (0.25, -0.1, 0.3)
    constant = np.array(equations.spin(omega, *rates, h.real, h.imag, 0.0, 0.0, 0.0))
    matrix = np.zeros((4, 4))
    matrix[:3, 3] = constant
    for k, unit in enumerate(np.eye(3)):
        matrix[:3, k] = np.array(equations.spin(omega, *rates, h.real, h.imag, *unit)) - constant
    for time in (0.0, 0.01, 0.5):
        x, y, z, _ = expm(matrix * time) @ [*start, 1.0]
        rotating, adiabatic, inversion = equations.fast_spin(omega, *rates, h, h, abs(h) ** 2 * time, time, *start)
        assert abs(rotating + adiabatic - (x + 1j * y)) < 2 * abs(h / omega) ** 2
        assert abs(inversion - z) < 2 * abs(h / omega) ** 2


@pytest.mark.parametrize("theta", [-HALF_PI, -0.7])
def test_the_self_field_of_a_spin_too_fast_for_the_polynomial_is_included(monkeypatch, theta):
    """Without it the complex frequency would be wrong by C z / N, and the coherence by 2e-3; 100 rtol are promised."""
    omega, times = np.concatenate([np.linspace(-1, 1, 500), [60.0, 300.0, -1000.0, 1e4]]), np.linspace(0, 2, 5)
    one = laser(theta=theta, frequency=ss.Samples(omega), coupling=60.0)
    theory = ss.MeanField(rtol=1e-10, atol=1e-12)
    exact = as_flow(monkeypatch, one, times, theory=theory, initial=START, each=True)
    run = ss.evolve(one, times, theory=ss.MeanField(rtol=1e-6, atol=1e-8), initial=START, each=True)
    assert abs(run.spin_coherence.values - exact.spin_coherence.values).max() < 100 * 1e-6


@pytest.mark.parametrize("theta", [-HALF_PI, -0.7])
def test_only_its_own_field_shifts_and_damps_a_very_fast_spin(theta):
    """All other fields are far off resonance, and their effect falls off as 1 / frequency. 100 rtol are promised."""
    fast, times = 4e6, np.linspace(0, 1, 5)
    one = laser(theta=theta, frequency=ss.Samples([*np.linspace(-1, 1, 500), fast]), coupling=60.0)
    own, rates = one.coupling_matrix[0, 0] / 501, one.rates
    x, y, start = START[0]

    def single_spin(_, w):  # (3.3), (3.4) in the frame of the spin
        s = w[0] + 1j * w[1]
        ds = (1j * own * w[2] - rates.gamma_perp[0]) * s
        return [ds.real, ds.imag, rates.net_gain[0] - rates.gamma_1[0] * w[2] + 4 * own.imag * abs(s) ** 2]

    motion = solve_ivp(single_spin, (0, 1), [x / 2, -y / 2, start], "DOP853", times, rtol=1e-11, atol=1e-13).y
    run = ss.evolve(one, times, theory=ss.MeanField(rtol=1e-6, atol=1e-8), initial=START, each=True)
    coherence = run.spin_coherence.values[:, -1] * np.exp(1j * fast * times)
    assert abs(coherence - motion[0] - 1j * motion[1]).max() < 100 * 1e-6
    assert abs(run.spin_inversion.values[:, -1] - motion[2]).max() < 100 * 1e-6


def integrated(omega, threads, each=False):
    rates, coupling = np.array([[2.0, 4.0, 2.0]]), np.array([[-12j]])
    with thread_limit(threads):
        problem = SpinsInFields(
            equation=equations, omega=(omega,), rates=rates, coupling=coupling, start=np.array([[0.2, 0.0, 0.3]]), rtol=1e-5,
            atol=1e-7, frame=0.0, each=each, observe=None, coordinates={}, flow=None,
        )  # fmt: skip
        return waveform_relaxation.integrate(problem, np.linspace(0, 0.2, 5))


def test_the_number_of_threads_is_irrelevant():
    omega = np.random.default_rng(0).standard_cauchy(30_000)
    np.testing.assert_array_equal(integrated(omega, 1).means, integrated(omega, 2).means)


def test_the_order_of_spins_is_irrelevant():
    omega = np.random.default_rng(0).standard_cauchy(3000)
    order = np.random.default_rng(1).permutation(3000)
    run, shuffled = integrated(omega, 1, each=True), integrated(omega[order], 1, each=True)
    np.testing.assert_allclose(shuffled.means, run.means, atol=1e-13)
    np.testing.assert_allclose(shuffled.singles, run.singles[:, :, order], atol=1e-12)


def test_splitting_a_group_changes_nothing():
    values, times = cauchy(2000).values, np.linspace(0, 3, 7)
    theory = ss.MeanField(rtol=1e-9, atol=1e-11)
    whole = ss.evolve(laser(frequency=ss.Samples(values)), times, theory=theory, initial=START)
    halves = [ss.Group(3, 1, frequency=ss.Samples(part)) for part in (values[:1000], values[1000:])]
    split = ss.evolve(ss.Ensemble(halves, np.full((2, 2), -12j)), times, theory=theory, initial=START * 2)
    np.testing.assert_allclose(split.coherence.mean("group"), whole.coherence[:, 0], atol=1e-8)


def test_a_run_can_be_continued_from_the_bloch_vectors_of_its_spins():
    one, theory = laser(frequency=cauchy(800)), ss.MeanField(rtol=1e-9, atol=1e-11)
    run = ss.evolve(one, [0.0, 1.0, 2.0], theory=theory, initial=START, each=True)
    later = ss.evolve(one, [1.0, 2.0], theory=theory, initial=ss.bloch(run).isel(time=1), each=True)
    np.testing.assert_allclose(later.coherence[1], run.coherence[2], atol=1e-8)
    np.testing.assert_allclose(later.spin_coherence[1], run.spin_coherence[2], rtol=0, atol=1e-7)  # self-fields of fast spins


def test_a_large_sample_agrees_with_the_closed_form_of_its_distribution():
    count, width = 40_000, 1.0
    u = (np.arange(count) + 0.5) / count
    even = ss.Samples(width * np.tan(np.pi * (u - 0.5)))
    cycle = ss.limit_cycle(laser(frequency=ss.Lorentzian(width)))
    run = ss.evolve(laser(frequency=even), [0.0, 12.0], theory=ss.MeanField(rtol=1e-6), initial=START)
    assert float(abs(run.coherence[1, 0])) == pytest.approx(float(cycle.amplitude), rel=1e-4)
    below = ss.evolve(
        laser(frequency=even, coupling=5.7), [0.0, 2.0, 3.0], theory=ss.MeanField(rtol=1e-6), initial=[[0.001, 0, 0.5]]
    )
    growth = np.log(abs(below.coherence.values[2, 0] / below.coherence.values[1, 0]))
    assert growth == pytest.approx(5.7 / 2 - 3.0, abs=2e-3)  # (6.5): lambda = V z0 - Gamma_perp - w


def test_errors_name_a_wrong_initial_state_too_large_rates_and_too_many_spins():
    one = laser(frequency=cauchy(700))
    with pytest.raises(ss.InputError, match=r"`initial` must have shape \(1, 3\), but has shape \(2, 3\)"):
        ss.evolve(one, [0.0, 1.0], initial=START * 2)
    with pytest.raises(ss.InputError, match=r"`initial` must have shape \(1, 3\) or \(700, 3\)"):
        ss.evolve(one, [0.0, 1.0], initial=START * 2, each=True)
    with pytest.raises(ss.IntegrationError, match="step size fell to zero"):
        ss.evolve(one.replace(coupling=1e300), [0.0, 1.0], initial=START)
    many = laser(frequency=ss.Samples(np.zeros(200_000)))
    for question in (ss.steady_state, ss.regime):
        with pytest.raises(ss.InputError, match=r"must have at most 100000 frequencies .* but has 200000; `evolve` takes more"):
            question(many)


@pytest.mark.parametrize("distribution", [ss.Lorentzian(0.5, 2.0), ss.Gaussian(0.5, 2.0), ss.Uniform(0.5, 2.0)], ids=repr)
def test_samples_are_drawn_from_their_distribution(distribution):
    drawn = distribution.sample(100_000, seed=4)
    assert drawn == distribution.sample(100_000, seed=4) != distribution.sample(100_000, seed=5)
    np.testing.assert_array_equal(drawn.values[:10], distribution.sample(10, seed=4).values)  # depend on seed and index only
    mu = 0.7  # the resolvent of the sample against that of the density: 4 standard errors of 1/mu
    assert abs(drawn.resolvent(mu) - distribution.resolvent(mu)) < 4 / mu / np.sqrt(100_000)


def test_a_result_records_a_large_sample_in_short_text():
    one = laser(frequency=ss.Lorentzian(1.0).sample(5000, seed=2))
    run = ss.evolve(one, [0.0, 0.1])
    assert len(run.attrs["model"]) < 1000
    assert ss.model_of(run) == one
    assert ss.rerun(run).identical(run)
    listed = laser(frequency=cauchy(5000))
    described = ss.evolve(listed, [0.0, 0.1]).attrs["model"]
    assert len(described) < 12 * 5000  # 8 bytes per number in base64
    assert ss.model_of(ss.evolve(listed, [0.0, 0.1])) == listed


@pytest.mark.parametrize(("count", "seed"), [(0, 0), (1.5, 0), (10, -1)])
def test_a_wrong_count_or_seed_of_a_sample_is_refused(count, seed):
    with pytest.raises(ss.InputError, match="must be a whole number of at least"):
        ss.Uniform(1.0).sample(count, seed=seed)


def test_a_wrong_sample_in_a_model_file_is_refused(tmp_path):
    head = "[single]\ngain = 3.0\ndamping = 1.0\ncoupling = 1.0\ntheta = 0.0\n"
    for table, message in (
        ('{samples = {base64 = "???"}}', "must be 64-bit numbers in base64"),
        ("{samples = {of = {uniform = {half_width = 1.0}}, seed = 0}}", "`count` must be given"),
        ("{samples = {count = 5, seed = 0, of = {samples = {values = [1.0]}}}}", "one of lorentzian, gaussian, uniform"),
    ):
        (tmp_path / "model.toml").write_text(head + f"frequency = {table}\n")
        with pytest.raises(ss.InputError, match=message):
            ss.Ensemble.from_toml(tmp_path / "model.toml")
