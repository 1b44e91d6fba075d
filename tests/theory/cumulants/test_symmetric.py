"""The second order in the phase-symmetric sector: against exact answers, other codes, and by laws."""

import re
from functools import partial

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import spinsync as ss
from spinsync.problems.moments.record import Moments
from spinsync.theory.cumulants import symmetric
from systems import HALF_PI, laser, random_spins

INCOHERENT = [[0.0, 0.0, 0.5]]


def lowered(ensemble, spins, **options) -> Moments:
    return ss.Cumulants(spins, **options).lower(ensemble, None, 0)


def random_moments(problem, seed):
    """Moments of a random state of the classes of a problem: c Hermitian, d symmetric, as they are packed."""
    rng, start = np.random.default_rng(seed), problem.start.copy()
    start[:] = rng.normal(size=start.size) * np.where(np.arange(start.size) < problem.blocks[1], 0.4, 0.1)
    classes = int(problem.blocks[1])
    diagonal = [symmetric.row_start.interpreted(a, classes) for a in range(classes)]
    _, re, im, d, _ = symmetric.split.interpreted(start, classes)
    im[diagonal] = 0.0
    alone = np.array(diagonal)[problem.table[symmetric.HAS_PAIRS] == 0]
    re[alone] = d[alone] = 0.0
    return start


def unpacked(problem, y):
    """z (class,), c and d (class, other_class), and the tails."""
    classes = int(problem.blocks[1])
    z, re, im, d, tail = symmetric.split.interpreted(y, classes)
    upper = np.triu_indices(classes)
    c, connected = np.zeros((classes, classes), complex), np.zeros((classes, classes))
    c.T[upper], connected.T[upper] = re - 1j * im, d
    c[upper], connected[upper] = re + 1j * im, d
    return z, c, connected, tail


CASES = {
    "one group": (laser(), 7, {}),
    "single spins": (random_spins(1, [1, 1, 1, 1])[0], 4, {}),
    "groups": (random_spins(2, [3, 1, 2])[0], 6, {}),
    "classes": (laser(frequency=ss.Gaussian(1.0), theta=-1.1), 30, {"nodes": 16}),
    "classes of two groups": (
        ss.Ensemble(
            [ss.Group(3, 1, dephasing=0.2, frequency=ss.Uniform(1.0, 0.4)), ss.Group(1, 2, frequency=ss.Lorentzian(0.3))],
            [[3 - 2j, 4 + 1j], [0.5 - 5j, 2j]],
        ), 30, {"nodes": 16},
    ),
    "many groups": (random_spins(3, [2, 1, 1, 3, 1, 2, 1, 2])[0], 13, {}),
    "many groups, low rank": (
        ss.Ensemble([ss.Group(2 + a, 1, frequency=a / 3) for a in range(8)], np.full((8, 8), 5 * np.exp(-1.2j))), 16, {}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_packed_equations_are_those_of_the_full_second_order_without_coherence(name):
    """`full_equations`, which agree with 2^N matrices before closure, are another code of the same moments."""
    ensemble, spins, options = CASES[name]
    problem = lowered(ensemble, spins, **options)
    y = random_moments(problem, 1)
    z, c, d, tail = unpacked(problem, y)
    other = ss.Cumulants(spins, **options).lower(ensemble, np.array([[0.1, 0.0, 0.2]] * len(ensemble.groups)), 0)
    assert other.start.size > problem.start.size
    classes = z.size
    zeros = np.zeros(2 * classes), np.zeros(2 * classes**2)
    joined = np.concatenate([zeros[0], c.reshape(-1).view(float), zeros[1], zeros[1], z, d.reshape(-1), tail])
    rate = other.rate(joined)
    dz, dc, dd, dtail = unpacked(problem, problem.rate(y))
    expected = np.concatenate([zeros[0], dc.reshape(-1).view(float), zeros[1], zeros[1], dz, dd.reshape(-1), dtail])
    np.testing.assert_allclose(rate, expected, rtol=1e-12, atol=1e-12)


def both(ensemble, times, theories, initial):
    return [ss.evolve(ensemble, times, theory=theory, initial=initial) for theory in theories]


def assert_same_runs(one, other, atol):
    for name in ("inversion", "correlation", "inversion_correlation", "inversion_covariance", "order_parameter"):
        if name in one and name in other:
            np.testing.assert_allclose(one[name].values, other[name].values, rtol=0, atol=atol, err_msg=name)


def test_two_spins_are_exact():
    ensemble = random_spins(5, [1, 1])[0]
    start = np.array([[0, 0, 0.3], [0, 0, -0.8]])
    assert_same_runs(*both(ensemble, np.linspace(0, 5, 11), (ss.Cumulants(2, rtol=1e-11), ss.BruteForce(2)), start), 1e-9)


def test_equal_classes_are_the_single_group():
    """Sampled frequencies that are equal, and groups that are equal: three pieces of code for one group."""
    times, start, theory = np.linspace(0, 3, 7), INCOHERENT, ss.Cumulants(120, rtol=1e-9)
    one = ss.evolve(laser(), times, theory=theory, initial=start)
    samples = ss.evolve(laser(frequency=ss.Samples(np.zeros(24))), times, theory=theory, initial=start)
    assert_same_runs(one, samples, 1e-9)
    groups = ss.evolve(laser().split(12), times, theory=theory, initial=np.repeat(start, 12, axis=0))
    np.testing.assert_allclose(groups.correlation, np.broadcast_to(one.correlation, groups.correlation.shape), atol=1e-9)
    np.testing.assert_allclose(groups.inversion, np.broadcast_to(one.inversion, groups.inversion.shape), atol=1e-9)


@pytest.mark.parametrize(("coupling", "numbers", "order"), [(1.0, (200, 400), 2), (20.0, (400, 800), 1)])
def test_the_error_falls_as_1_over_n_squared_below_threshold_and_as_1_over_n_above(coupling, numbers, order):
    ensemble, errors = laser(coupling=coupling), []
    for n in numbers:
        exact, found = (ss.steady_state(ensemble, theory=theory) for theory in (ss.Exact(n), ss.Cumulants(n)))
        errors.append([float((found[name] - exact[name]).real.values.item()) for name in ("inversion", "correlation")])
    slopes = np.log2(np.divide(*errors))
    np.testing.assert_allclose(slopes, order, atol=0.2)


def test_a_million_million_spins_lose_no_digits():
    """Below threshold N c and N^2 (<zz> - z z) have limits, approached as 1/N: from 10^9 to 10^12 they change by 1e-9."""
    found = []
    for n in (10**6, 10**9, 10**12):
        run = ss.evolve(laser(coupling=3.0), [0.0, 2.0], theory=ss.Cumulants(n, rtol=1e-10), initial=INCOHERENT)
        c, d = (run[name].values[-1].real.item() for name in ("correlation", "inversion_covariance"))
        found.append([n * c, n**2 * d])
    assert np.min(np.abs(found)) > 1
    np.testing.assert_allclose(found[1], found[2], rtol=1e-7)
    assert 1e-5 < np.max(np.abs(np.subtract(found[0], found[2]))) < 1e-3


@pytest.mark.parametrize(
    ("frequency", "few", "many", "error"),
    [
        (ss.Gaussian(1.0), 20, 40, 1e-6), (ss.Uniform(2.0), 20, 40, 1e-6),
        (ss.Lorentzian(0.5), 64, 128, 2e-4),  # the tails fall as 1/cut^3
    ],
)  # fmt: skip
def test_more_classes_change_nothing_also_where_a_class_has_less_than_one_spin(frequency, few, many, error):
    ensemble, times = laser(frequency=frequency), np.linspace(0, 3, 4)
    theories = [ss.Cumulants(20, nodes=nodes, rtol=1e-8) for nodes in (few, many)]
    assert theories[1].lower(ensemble, None, 0).table[symmetric.SPINS].min() < 1
    assert_same_runs(*both(ensemble, times, theories, INCOHERENT), error)


def test_classes_stand_for_spins_spread_evenly_over_the_distribution():
    """Twenty single spins at the quantiles of a uniform distribution are its classes, up to the error of the midpoint rule."""
    times, theory = [0.0, 1.0, 4.0], ss.Cumulants(20, rtol=1e-9)
    even = ss.Samples(4 * (np.arange(20) + 0.5) / 20 - 2)
    runs = [ss.evolve(laser(frequency=f), times, theory=theory, initial=INCOHERENT) for f in (ss.Uniform(2.0), even)]
    assert_same_runs(*runs, 4e-5)
    samples = theory.lower(laser(frequency=even), None, 0)
    assert not samples.table[symmetric.HAS_PAIRS].any()
    assert abs(runs[0].correlation.values[-1]).max() > 5e-3


def test_frequency_classes_are_shown_as_spins():
    ensemble = laser(frequency=ss.Gaussian(1.0))
    run = ss.evolve(ensemble, [0.0, 1.0], theory=ss.Cumulants(1000), initial=INCOHERENT, each=True)
    assert run.spin_inversion.dims == ("time", "spin")
    np.testing.assert_allclose((run.spin_inversion * run.spin_weight).sum("spin"), run.inversion[:, 0], atol=1e-12)
    again = ss.Cumulants(1000)
    vectors = np.zeros((run.sizes["spin"], 3))
    vectors[:, 2] = run.spin_inversion.values[0]
    assert_same_runs(run, ss.evolve(ensemble, [0.0, 1.0], theory=again, initial=vectors, each=True), 1e-12)


def test_a_coupling_of_low_rank_is_the_same_coupling():
    """Factors of a coupling that is just off low rank: the matrix itself is applied, with the same result."""
    few = np.outer(np.exp(1j * np.arange(8)), 4 - np.arange(8)) * 1.5j
    groups = [ss.Group(2 + a, 1, frequency=a / 3) for a in range(8)]
    low, full_rank = (ss.Ensemble(groups, few + shift * np.eye(8)) for shift in (0.0, 1e-9))
    problems = [lowered(one, 80) for one in (low, full_rank)]
    assert [one.factors.shape for one in problems] == [(6, 1, 8), (3, 8, 8)]
    y = random_moments(problems[0], 3)
    np.testing.assert_allclose(problems[0].rate(y), problems[1].rate(y), rtol=0, atol=1e-7)


@pytest.mark.parametrize(("spins", "time", "height"), [(10, 0.2128, 0.227591), (100, 0.04859, 0.197258)])
def test_the_superradiant_burst_from_all_spins_up(spins, time, height):
    """Exact has the known peak; second order sees it at about that time, up to a quarter too high."""
    burst = ss.Ensemble.single(gain=0, damping=0, coupling=spins / 2, theta=-HALF_PI)
    times = np.linspace(0.7, 1.3, 1201) * time
    times = np.concatenate([[0.0], times])
    peaks = {}
    for theory in (ss.Exact(spins), ss.Cumulants(spins)):
        run = ss.evolve(burst, times, theory=theory, initial=[[0, 0, 1.0]])
        z, c = run.inversion.values[:, 0], run.correlation.values[:, 0, 0].real
        rate = ((1 + z) / 2 + (spins - 1) * c) / spins
        peaks[type(theory)] = times[rate.argmax()], rate.max()
    np.testing.assert_allclose(peaks[ss.Exact], [time, height], rtol=5e-4)
    assert peaks[ss.Exact][1] == pytest.approx(height, rel=3e-6)
    assert abs(peaks[ss.Cumulants][0] / time - 1) < 0.06
    assert 1.05 < peaks[ss.Cumulants][1] / height < 1.26


def cavity_moments(spins, coupling, decay, gain, damping, until):
    """Second order with the mode kept, at the end: photons, <a^+ sigma^-> (two numbers), <sigma^z>, <sigma^+ sigma^->."""

    def rate(_t, y):
        photons, light, z, c = y[0], y[1] + 1j * y[2], y[3], y[4]
        source = (spins - 1) * c + (1 + z) / 2 + photons * z
        change = -(decay + gain + damping) / 2 * light + 1j * coupling * source
        return [
            -decay * photons + 2 * coupling * spins * light.imag, change.real, change.imag,
            -(gain + damping) * z + gain - damping - 4 * coupling * light.imag,
            -(gain + damping) * c + 2 * coupling * z * light.imag,
        ]  # fmt: skip

    return solve_ivp(rate, (0, until), [0, 0, 0, -1, 0], method="LSODA", rtol=1e-11, atol=1e-13).y[:, -1]


def test_the_known_number_of_photons_with_the_cavity_kept():
    assert cavity_moments(50, 1.0, 1.0, 4.0, 0.25, 30.0)[0] == pytest.approx(91.960901, abs=1e-5)


@pytest.mark.parametrize("decay", [300.0, 1e3, 3e3, 1e4])
def test_the_photons_of_the_eliminated_cavity_are_off_by_the_linewidth_of_a_spin_over_that_of_the_cavity(decay):
    """(2g/kappa)^2 <J_+ J_-> exceeds the photons of the kept mode by 2 Gamma_perp/kappa, but for the collective decay
    N 4 g^2/kappa, which is small against 2 Gamma_perp: at a fixed g the distance times kappa is constant."""
    spins, gain, damping = 50, 4.0, 0.25
    photons = cavity_moments(spins, 1.0, decay, gain, damping, 30.0)[0]
    eliminated = ss.Ensemble.single(gain=gain, damping=damping, coupling=2 * spins / decay, theta=-HALF_PI)
    found = ss.steady_state(eliminated, theory=ss.Cumulants(spins))
    z, c = float(found.inversion[0]), float(found.correlation[0, 0].real)
    distance = 4 / decay**2 * spins * ((1 + z) / 2 + (spins - 1) * c) / photons - 1
    assert distance * decay == pytest.approx(gain + damping, abs=100 / decay)


def test_errors_name_nodes_without_a_distribution_and_vectors_that_do_not_fit():
    with pytest.raises(ss.InputError, match=r"Argument `nodes` must be None where no frequency has a smooth distribution, but"):
        ss.evolve(laser(), [0.0, 1.0], theory=ss.Cumulants(10, nodes=16))
    with pytest.raises(ss.InputError, match=r"Argument `initial` must have shape \(1, 3\), but has shape \(2, 3\)\."):
        ss.evolve(laser(), [0.0, 1.0], theory=ss.Cumulants(10), initial=np.zeros((2, 3)))
    with pytest.raises(ss.InputError) as caught:
        ss.evolve(laser(frequency=ss.Lorentzian(0.001)), [0.0, 1.0], theory=ss.Cumulants(10, nodes=16))
    assert str(caught.value) == (
        "Argument `nodes` must be None, or large enough that the frequency classes hold no more than all spins of a "
        "Lorentzian distribution, but is nodes=16."
    )
    theory = ss.Cumulants(10, nodes=16)
    with pytest.raises(ss.InputError, match=r"Argument `initial` must have shape \(1, 3\) or \(17, 3\), but has shape"):
        ss.evolve(laser(frequency=ss.Gaussian(1.0)), [0.0, 1.0], theory=theory, initial=np.zeros((2, 3)), each=True)
    with pytest.raises(ss.InputError, match=r"Argument `spins` must split over the groups in whole numbers, but is spins=11"):
        ss.evolve(laser().split(2), [0.0, 1.0], theory=ss.Cumulants(11))


@pytest.mark.parametrize("question", ["evolve", "steady_state"])
def test_moments_without_bound_are_told_from_rates_that_are_too_large(question):
    few = laser(coupling=5.0, frequency=ss.Gaussian(1.0))
    ask = {"evolve": partial(ss.evolve, times=[0.0, 20.0]), "steady_state": ss.steady_state}[question]
    with pytest.raises(ss.IntegrationError) as caught:
        ask(few, theory=ss.Cumulants(1))
    assert re.fullmatch(
        r"The moments of Cumulants\(.*\) grow without bound after a time of [0-9.]+: this level of theory fails here, "
        r"as it does for few spins with a spread of frequencies; `compare` shows others\.",
        str(caught.value),
    )
