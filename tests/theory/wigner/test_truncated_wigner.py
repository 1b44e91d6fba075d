"""Truncated Wigner approximation against Exact, BruteForce and closed forms, within statistical errors and 2/N."""

import numpy as np
import pytest

import spinsync as ss
from systems import HALF_PI, laser

SIGMAS = 4.0  # of a statistical error, where it is the only one


def single(coupling, theta=-HALF_PI, **options):
    return ss.Ensemble.single(**(dict(gain=3.0, damping=1.0, coupling=coupling, theta=theta) | options))


@pytest.mark.parametrize(
    ("spins", "coupling"),
    [(100, 12.0), *(pytest.param(*one, marks=pytest.mark.slow(slice=1)) for one in ((100, 20.0), (300, 12.0), (300, 20.0)))],
)
def test_the_steady_state_is_the_exact_one_within_errors_and_two_over_n(spins, coupling):
    one = single(coupling)
    found, exact = (
        ss.steady_state(one, theory=ss.TruncatedWigner(spins, 100), seed=1),
        ss.steady_state(one, theory=ss.Exact(spins)),
    )
    assert bool(found.converged)
    for name in ("inversion", "order_parameter"):
        assert abs(found[name] - exact[name]).max() <= 3 * found[f"{name}_error"].max() + 2 / spins, name
        assert found[f"{name}_error"].max() < 0.005
    for name in ("correlation", "inversion_correlation"):
        assert abs(found[name] - exact[name]).max() <= 3 * found[f"{name}_error"].max() + 0.02 * abs(exact[name]).max(), name


@pytest.mark.slow(slice=1)
def test_pair_correlations_are_right_within_one_percent():
    one = single(12.0)
    found = ss.steady_state(one, theory=ss.TruncatedWigner(100, 1500), seed=2).correlation
    exact = ss.steady_state(one, theory=ss.Exact(100)).correlation
    assert float(abs(found / exact - 1).max()) < 0.015


@pytest.mark.slow(slice=2)
def test_error_bars_have_the_spread_of_seeds():
    """chi^2 per degree of freedom of eight seeds about their mean."""
    one, theory, names = single(12.0), ss.TruncatedWigner(60, 20), ("inversion", "correlation", "inversion_correlation")
    runs = [ss.evolve(one, np.linspace(0, 6, 13)[1:], theory=theory, initial=[[0.5, 0, 0.5]], seed=seed) for seed in range(8)]
    states = [ss.steady_state(one, theory=theory, seed=seed) for seed in range(8)]
    for results in (runs, states):
        found = []
        for name in names:
            values, errors = (np.array([one[label].values for one in results]) for label in (name, f"{name}_error"))
            found.append(np.mean(np.sum(abs(values - values.mean(axis=0)) ** 2 / errors**2, axis=0)) / 7)
        assert 0.3 < np.mean(found) < 3


def test_any_coupling_of_groups_moves_spins_as_the_master_equation_at_first():
    """Noise, drift and local terms of decay and pumping shared by two groups: from a product state the rates are exact."""
    coupling = np.array([[1 - 8j, 6 + 1j], [-6 + 1j, -2 - 7j]])  # decay with an imaginary K_AB
    groups = [ss.Group(1.0, 0.5, dephasing=0.3, frequency=1.0), ss.Group(0.4, 1.5, frequency=-0.5)]
    pair, initial, times = ss.Ensemble(groups, coupling), [[0.3, 0.2, 0.8], [-0.2, 0.3, -0.9]], [0.0, 0.03]
    found = ss.evolve(pair, times, theory=ss.TruncatedWigner(4, 100_000), initial=initial, seed=1)
    exact = ss.evolve(pair, times, theory=ss.BruteForce(4), initial=initial)
    for name in ("coherence", "inversion", "correlation", "inversion_correlation"):
        off, change = abs(found[name] - exact[name])[1], abs(exact[name][1] - exact[name][0])
        assert np.all(off <= SIGMAS * found[f"{name}_error"][1] + 0.1 * change), name
        assert float(change.max()) > 10 * float(found[f"{name}_error"][1].max()), name


@pytest.mark.slow(slice=0)
@pytest.mark.parametrize(("spins", "time", "rate"), [(10, 0.2128, 0.227591), (100, 0.04859, 0.197258)])
def test_a_superradiant_burst_has_the_exact_peak(spins, time, rate):
    """Peak of the emission -dN_excited/dt / N^2 of excited spins in units of Gamma, from the cascade of Dicke states."""
    ensemble = ss.Ensemble.single(gain=0.0, damping=0.0, coupling=spins / 2, theta=-HALF_PI)
    times = time * np.linspace(0, 2, 41)
    run = ss.evolve(ensemble, times, theory=ss.TruncatedWigner(spins, 100_000 // spins), initial=[[0, 0, 1]])
    excited, pairs = (1 + run.inversion[:, 0]) / (2 * spins), (1 - 1 / spins) * run.correlation[:, 0, 0].real
    emission, error = (
        (excited + pairs).values,
        np.hypot(run.inversion_error[:, 0] / (2 * spins), run.correlation_error[:, 0, 0]),
    )
    assert abs(emission[20] - rate) <= 3 * float(error[20]) + 0.2 * rate / spins
    peak = np.polyfit(times[12:29], emission[12:29], 3)
    roots = np.roots(np.polyder(peak))
    assert abs(roots[np.argmin(abs(roots - time))] / time - 1) < 0.5 / spins + 0.02


@pytest.mark.slow(slice=0)
def test_the_error_falls_as_the_square_of_the_step():
    one, times, initial = single(12.0, theta=-1.0), [0.0, 0.6], [[0.6, 0.0, 0.5]]

    def at(dt, seed):
        theory = ss.TruncatedWigner(1000, 30_000, dt=dt)
        return float(ss.evolve(one, times, theory=theory, initial=initial, seed=seed).inversion[1, 0])

    exact = at(0.025, 1)
    order = np.log2((at(0.2, 2) - exact) / (at(0.1, 3) - exact))
    assert abs(order - 2) < 0.5  # the finer error is known to 12 percent


def test_two_groups_agree_with_the_exact_density_matrix():
    pair = ss.Ensemble.pair(
        detuning=2.0, gain=3.0, damping=(0.5, 1.5), dephasing=0.2, coupling=10.0, theta=-1.2, weights=(2, 1)
    )
    times, initial, spins = [0.0, 0.4, 1.0], [[0.4, 0.0, 0.3], [0.0, 0.2, -0.5]], 18
    found = ss.evolve(pair, times, theory=ss.TruncatedWigner(spins, 4000), initial=initial, seed=3)
    exact = ss.evolve(pair, times, theory=ss.Exact(spins), initial=initial)
    for name in ("coherence", "inversion", "correlation", "inversion_correlation"):
        assert np.all(abs(found[name] - exact[name]) <= SIGMAS * found[f"{name}_error"] + 0.3 / spins), name


def test_many_spins_follow_mean_field():
    one, times, initial = single(12.0, theta=-1.2, frequency=2.0, dephasing=0.3), np.linspace(0, 3, 7), [[0.5, 0.1, -0.6]]
    found = ss.evolve(one, times, theory=ss.TruncatedWigner(20_000, 16), initial=initial)
    mean_field = ss.evolve(one, times, initial=initial)
    for name in ("coherence", "inversion"):
        assert float(found[f"{name}_error"].max()) < 0.01
        assert np.all(abs(found[name] - mean_field[name]) <= 5 * found[f"{name}_error"] + 1e-3), name


def test_covariances_of_twisted_spins_are_those_of_one_axis_twisting():
    """Exchange alone is H = -V/N J_z^2 among symmetric states; from all spins along x, M. Kitagawa, M. Ueda, PRA 47, 5138."""
    spins, strength, times = 50, 20.0, np.array([0.0, 0.06, 0.12])
    angle = strength * times / spins
    run = ss.evolve(
        single(strength, theta=0.0, gain=0.0, damping=0.0), times, theory=ss.TruncatedWigner(spins, 4000), initial=[[1.0, 0, 0]]
    )
    s, anomalous = np.cos(angle) ** (spins - 1) / 2, np.cos(2 * angle) ** (spins - 2) / 4
    mixed = 0.5j * np.sin(angle) * np.cos(angle) ** (spins - 2)
    exact = {"coherence": s[:, None], "anomalous_covariance": anomalous - s**2, "coherence_inversion_covariance": mixed}
    for name, value in exact.items():
        found, error = run[name].values.reshape(3, -1)[:, 0], run[f"{name}_error"].values.reshape(3, -1)[:, 0]
        law = value.reshape(3)
        assert np.all(abs(found - law) <= 4.5 * error + 2 / spins * abs(law)), name
        assert np.all(error < 4e-3), name
    assert abs(mixed[2]) > 20 * float(run.coherence_inversion_covariance_error[2].max())


def test_spins_without_coupling_stay_without_covariances():
    """Of different spins; resets correlate the components of one spin, which must not be counted."""
    free = single(0.0, gain=0.0, damping=2.0)
    run = ss.evolve(free, [0.0, 0.4], theory=ss.TruncatedWigner(6, 20_000), initial=[[0.7, 0.2, 0.5]])
    for name in ("anomalous_covariance", "coherence_inversion_covariance"):
        assert np.all(abs(run[name]) <= 4.5 * run[f"{name}_error"]), name
        assert np.all(run[f"{name}_error"] < 2e-3), name
    assert abs(complex(run.correlation[1, 0, 0]) - abs(complex(run.coherence[1, 0])) ** 2) < 4e-3


def test_a_lamb_shift_moves_the_frequency_as_exactly():
    """At theta = 0 the spins only exchange excitations, and the cavity's shift of a spin is Re C/N."""
    spins, initial, times = 20, [[0.6, 0.0, 0.0]], [0.0, 0.5]
    group = ss.Group(0.0, 0.3)
    shifted, plain = (ss.Ensemble([group], [[20.0]], lamb_shift=flag) for flag in (True, False))
    theory = ss.TruncatedWigner(spins, 2000)
    found = [ss.evolve(one, times, theory=theory, initial=initial).coherence[1, 0] for one in (shifted, plain)]
    assert abs(found[0] / found[1] - np.exp(-0.5j * 20.0 / spins)) < 1e-9
    exact = ss.evolve(shifted, times, theory=ss.Exact(spins), initial=initial).coherence[1, 0]
    assert abs(found[0] - exact) < 0.03


def test_a_distribution_of_frequencies_dephases_the_spins():
    """Free spins with Gaussian frequencies: <s> falls as exp(-std^2 t^2/2), up to the quantiles' tails."""
    wide, times = single(0.0, gain=0.0, damping=0.0, frequency=ss.Gaussian(1.3, center=0.5)), np.linspace(0, 2, 5)
    run = ss.evolve(wide, times, theory=ss.TruncatedWigner(4000, 20), initial=[[1.0, 0.0, 0.0]])
    np.testing.assert_allclose(run.coherence[:, 0], np.exp(-0.5j * times - 1.69 * times**2 / 2) / 2, atol=5e-3)


def test_a_broad_line_has_the_mean_field_threshold_of_many_spins():
    wide = single(12.0, frequency=ss.Lorentzian(1.0))
    found = ss.steady_state(wide, theory=ss.TruncatedWigner(4000, 8))
    mean_field = ss.steady_state(wide)
    for name in ("inversion", "order_parameter"):
        assert abs(float(found[name].max() - mean_field[name].max())) < 3 * float(found[f"{name}_error"].max()) + 3e-3, name


def test_given_frequencies_are_given_to_equally_many_spins():
    values = [0.5, -1.0, 2.0]
    run = ss.evolve(
        single(0.0, frequency=ss.Samples(values)),
        [0.0, 1.0],
        theory=ss.TruncatedWigner(12, 2000),
        initial=[[1.0, 0, 0]],
        each=True,
    )
    assert run.spin_frequency.values.tolist() == np.repeat(values, 4).tolist()
    assert set(run.spin_group.values) == {"A"}
    exact = np.exp(-2.0 - 1j * run.spin_frequency.values) / 2
    assert np.all(abs(run.spin_coherence[1] - exact) <= 5 * run.spin_coherence_error[1])
    np.testing.assert_allclose(run.spin_inversion.mean("spin"), run.inversion[:, 0], atol=1e-12)


def test_each_spin_may_start_at_its_own_vector():
    initial = np.random.default_rng(3).uniform(-0.5, 0.5, (8, 3))
    run = ss.evolve(single(4.0), [0.0, 0.1], theory=ss.TruncatedWigner(8, 20_000), initial=initial, each=True)
    exact = ss.evolve(single(4.0).split(4), [0.0, 0.1], theory=ss.TruncatedWigner(8, 2), initial=initial[::2])
    np.testing.assert_allclose(run.spin_inversion[0], initial[:, 2], atol=0.04)
    assert exact.sizes["group"] == 4


def test_threads_change_no_digit():
    one, theory = single(12.0), ss.TruncatedWigner(50, 37)
    runs = [ss.evolve(one, [0.0, 0.3, 1.0], theory=theory, seed=5, threads=threads) for threads in (1, 2, 7)]
    assert runs[0].identical(runs[1])
    assert runs[0].identical(runs[2])
    assert ss.rerun(runs[0]).identical(runs[0])
    assert not ss.evolve(one, [0.0, 0.3, 1.0], theory=theory, seed=6).identical(runs[0])


def test_batches_change_no_digit_beyond_rounding(monkeypatch):
    from spinsync.problems.sampled import spin_samples

    one, times, theory = single(12.0), np.linspace(0, 1, 11), ss.TruncatedWigner(50, 20)
    whole = ss.evolve(one, times, theory=theory)
    monkeypatch.setattr(spin_samples, "MOST_NUMBERS", 1000)
    parts = ss.evolve(one, times, theory=theory)
    for name in ("coherence", "inversion", "correlation", "inversion_correlation", "order_parameter"):
        for label in (name, f"{name}_error"):
            np.testing.assert_allclose(parts[label], whole[label], rtol=1e-9, atol=1e-12)
    for name in ("anomalous_covariance", "coherence_inversion_covariance"):  # counted from means over the first batch
        assert np.all(abs(parts[name] - whole[name]) < whole[f"{name}_error"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ss.TruncatedWigner(1, 10), "Argument `spins` must be a whole number from 2 to 10000000, but is spins=1."),
        (lambda: ss.TruncatedWigner(10, 1), "Argument `samples` must be a whole number from 2 to 1000000, but is samples=1."),
        (lambda: ss.TruncatedWigner(10, 10, dt=0), "Argument `dt` must be positive, but is dt=0."),
        (
            lambda: ss.evolve(laser(frequency=ss.Samples([1.0, 2.0, 3.0])), [0, 1], theory=ss.TruncatedWigner(10, 2)),
            "Argument `spins` must give group 'A' a whole multiple of its 3 frequencies, but gives it 10 spins.",
        ),
        (
            lambda: ss.evolve(laser(), [0, 1], theory=ss.TruncatedWigner(10, 2), initial=[[0, 0, 1]] * 3),
            "Argument `initial` must have shape (1, 3), but has shape (3, 3).",
        ),
        (
            lambda: ss.evolve(laser(), [0, 1], theory=ss.TruncatedWigner(10, 2), initial=[[0, 0, 1]] * 3, each=True),
            "Argument `initial` must have shape (1, 3) or (10, 3), but has shape (3, 3).",
        ),
        (
            lambda: ss.steady_state(laser(gain=0, damping=0), theory=ss.TruncatedWigner(10, 2)),
            "Argument `ensemble` must have gain, damping or (in mean field) dephasing in every group to relax, but one has "
            "none.",
        ),
    ],
    ids=range(7),
)
def test_error_messages(call, message):
    with pytest.raises(ss.InputError) as caught:
        call()
    assert str(caught.value) == message


def test_too_many_steps_are_refused():
    with pytest.raises(ss.IntegrationError, match="The run would take more than 2147483647 time steps: shorten `times`, give"):
        ss.evolve(laser(), [0, 1e9], theory=ss.TruncatedWigner(10, 2))


def test_squeezing_by_exchange_is_too_weak_by_about_two_over_the_number_of_spins():
    """At its best time, t = 5: what the docs tell of samples, whose scatter is a tenth of it here."""
    ensemble, times, start = ss.Ensemble.single(gain=0.0, damping=0.0, coupling=1.0, theta=0.0), [0.0, 5.0], [[1.0, 0.0, 0.0]]
    exact, sampled = (
        ss.squeezing(ss.evolve(ensemble, times, theory=theory, initial=start)).wineland[-1].item()
        for theory in (ss.Exact(100), ss.TruncatedWigner(100, 4000))
    )
    assert 1 / 100 < sampled - exact < 3 / 100
