"""What docs/validity.md says of where second order fails, and what `status` finds of it."""

import numpy as np
import pytest

import spinsync as ss
from spinsync.model.realizability import Moments, Validity, validity

ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)


def excess(coupling, spins):
    """By which part second order overestimates the pair correlation of the steady state."""
    model = ONE.replace(coupling=coupling)
    exact, second = (
        ss.steady_state(model, theory=theory(spins)).correlation.item().real for theory in (ss.Exact, ss.Cumulants)
    )
    return second / exact - 1


@pytest.mark.parametrize("coupling", [2.0, 12.0])
def test_the_relative_error_falls_as_one_over_the_number_of_spins_off_the_threshold(coupling):
    few, many = excess(coupling, 500), excess(coupling, 2000)
    np.testing.assert_allclose(few / many, 4, rtol=0.1)
    assert many > 0


def test_a_quarter_is_missing_at_the_threshold_whatever_the_number_of_spins():
    few, many = excess(4.0, 1000), excess(4.0, 4000)
    assert 0.22 < few < many < 0.25  # it converges, with the 1/sqrt(N) of the threshold


def test_the_line_of_the_superradiant_laser_is_five_thirds_too_wide():
    laser = ss.Ensemble.single(gain=500.0, damping=0.0, coupling=500.0, theta=-np.pi / 2)
    exact, second = (float(ss.linewidth(laser, theory=theory(1000)).linewidth) for theory in (ss.Exact, ss.Cumulants))
    np.testing.assert_allclose([exact, second], [1.5, 2.5], rtol=0.025)


def test_second_order_misses_the_attraction_of_groups_with_two_frequencies():
    """Mean field is exact for infinitely many spins: the mean over its torus is the steady state."""
    pair = ss.Ensemble.pair(detuning=6.0, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2)
    assert ss.label(ss.regime(pair).regime) == "partial"
    late = ss.evolve(pair, np.linspace(0, 200, 4001)).isel(time=slice(1000, None))
    s, second = late.coherence, ss.steady_state(pair, theory=ss.Cumulants(10**6))
    between = complex((s[:, 0].conj() * s[:, 1]).mean())
    assert between.real > 0.0035
    assert abs(second.correlation[0, 1].item().real) < 1e-4
    assert second.correlation[0, 0].item().real > 1.3 * float((abs(s[:, 0]) ** 2).mean())
    assert second.status == Validity.VALID  # without a warning


def test_the_status_tells_where_exchange_leaves_second_order():
    exchange = ss.Ensemble.single(gain=0.0, damping=0.0, coupling=5.0, theta=0.0)
    levels = ss.compare(exchange, np.linspace(0, 2, 81), theories=[ss.Exact(10), ss.Cumulants(10)], initial=[[0.9, 0.0, 0.3]])
    codes = levels.status.isel(theory=1).values
    wrong = np.isin(codes, [Validity.PAIR_NOT_POSITIVE, Validity.UNCERTAINTY_VIOLATED])
    error = abs(levels.coherence.isel(theory=1) - levels.coherence.isel(theory=0)).values[:, 0]
    assert wrong.any()
    assert not wrong[error < 0.01].any()
    assert wrong[error > 0.1].all()
    assert np.all(levels.status.isel(theory=0) == Validity.NOT_TESTED)


def test_the_status_sees_the_pairs_of_frequency_classes_that_means_over_a_line_hide():
    """After a burst, which needs no gain and damping, whatever the number of classes."""
    burst = ss.Ensemble.single(gain=0.0, damping=0.0, coupling=5.0, theta=-np.pi / 2, frequency=ss.Gaussian(0.3))
    codes = []
    for nodes in (32, 64):
        run = ss.evolve(burst, np.linspace(0, 4, 33), theory=ss.Cumulants(100, nodes=nodes), initial=[[0.0, 0.0, 1.0]])
        z, c, zz = (run[name].values for name in ("inversion", "correlation", "inversion_covariance"))
        assert np.all(validity(Moments(spins=np.array([100]), z=z, c=c, zz=zz), 1e-5) == Validity.VALID)
        codes.append(run.status.values)
    assert np.all(codes[0] == codes[1])
    assert codes[0][0] == Validity.VALID
    assert codes[0][-1] == Validity.PAIR_NOT_POSITIVE


@pytest.mark.parametrize("initial", [None, [[0.3, 0.0, 0.5]]])
def test_runs_of_second_order_test_the_moments_that_they_have(initial):
    """Moments that no state has are found in the sector without coherence and in that with coherence."""
    theory = ss.Cumulants(100)
    kept = ss.evolve(ONE, [0.0, 0.01], theory=theory, initial=initial, keep_state=True)
    assert np.all(kept.status == Validity.VALID)
    wrong = kept.copy(deep=True)
    wrong["state_moments"][1:3] += 0.5  # the second and third numbers are no inversion, which must stay as it is
    assert ss.evolve(ONE, [0.01, 0.02], theory=theory, initial=wrong).status[0] in (1, 2)


@pytest.mark.parametrize("spins", [2, 30, 10**12])
def test_the_status_of_runs_without_coherence_is_valid_at_any_number_of_spins(spins):
    run = ss.evolve(ONE, np.linspace(0, 5, 11), theory=ss.Cumulants(spins), initial=[[0.0, 0.0, 1.0]])
    assert np.all(run.status == Validity.VALID)


def test_the_status_of_samples_allows_for_their_errors():
    made = ss.TruncatedWigner(2, 10).lower(ONE, None, 0)
    pair = lambda x: (("time", "group", "other_group"), np.full((1, 1, 1), x))  # noqa: E731
    means = {"inversion": (("time", "group"), np.zeros((1, 1))), "correlation": pair(0.3), "inversion_correlation": pair(0.0)}
    means |= {"inversion_error": (("time", "group"), np.zeros((1, 1))), "inversion_correlation_error": pair(0.0)}
    means |= {"pair_mean": (("time",), np.array([0.3])), "pair_mean_error": (("time",), np.array([0.01]))}
    for error, code in ((0.009, Validity.PAIR_NOT_POSITIVE), (0.011, Validity.VALID)):  # 0.3 is by 0.05 too large
        assert made.derived(means | {"correlation_error": pair(error)})["status"][1] == code


def test_sampled_runs_are_valid_on_the_boundary_too():
    burst = ss.Ensemble.single(gain=0.0, damping=0.0, coupling=50.0, theta=-np.pi / 2)
    run = ss.evolve(burst, np.linspace(0, 0.2, 21), theory=ss.TruncatedWigner(100, 100), initial=[[0.0, 0.0, 1.0]])
    assert np.all(run.status == Validity.VALID)
    assert ss.steady_state(ONE, theory=ss.TruncatedWigner(30, 40)).status == Validity.VALID
