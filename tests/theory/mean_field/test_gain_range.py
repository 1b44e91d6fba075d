"""The gain and the number of spins at the onset, against the onset in the coupling and against motions."""

import numpy as np
import pytest

import spinsync as ss
from reference import random_system
from systems import HALF_PI, laser

HZ = 2 * np.pi
LINE, FIELD = HZ * 1e-3, HZ * 150e3  # strontium's clock line and its cavity
DISORDERS = [0.3, ss.Lorentzian(0.5), ss.Gaussian(0.5), ss.Uniform(0.8), ss.Samples([-0.5, 0.2, 0.4])]


def strontium(gain, spins=10**6):
    g = np.sqrt(0.41 * LINE * FIELD) / 2
    return ss.Ensemble.cavity(spins=spins, vacuum_coupling=g, cavity_decay=FIELD, gain=gain, damping=LINE)


def onset(ensemble, gain):
    """The factor of C at the onset, 1 at the ends of the factor `gain` of all gains."""
    return ss.critical_coupling(ensemble.replace(**{f"{group.name}.gain": gain * group.gain for group in ensemble.groups}))


@pytest.mark.parametrize("frequency", DISORDERS, ids=repr)
@pytest.mark.parametrize("theta", [-HALF_PI, -1.0, 1.2])
def test_at_both_ends_the_coupling_is_the_critical_one(theta, frequency):
    one = laser(theta=theta, coupling=12.0, frequency=frequency, dephasing=0.2)
    lower, upper = ss.critical_gain(one)
    for end in (lower, upper):
        if end > 0:
            assert ss.critical_coupling(one.replace(gain=end)) == pytest.approx(12.0, rel=1e-10)
    assert (lower == 0) == (theta > 0)
    inside = 0.5 * (lower + upper)
    assert ss.critical_coupling(one.replace(gain=inside)) < 12.0 < ss.critical_coupling(one.replace(gain=1.001 * upper))
    if lower > 0:
        assert ss.critical_coupling(one.replace(gain=0.999 * lower)) > 12.0


@pytest.mark.parametrize("seed", range(12))
def test_split_groups_and_equal_samples_have_the_ends_of_the_closed_form(seed):
    rng = np.random.default_rng(seed)
    one = laser(
        damping=rng.choice([0.0, rng.uniform(0.1, 2)]), coupling=rng.uniform(1, 30), theta=rng.uniform(-3, 3),
        dephasing=rng.choice([0.0, rng.uniform(0, 2)]), frequency=rng.normal(),
    )  # fmt: skip
    expected = ss.critical_gain(one)
    np.testing.assert_allclose(ss.critical_gain(one.split(2)), expected, rtol=1e-9)
    if seed < 4:
        same = one.replace(frequency=ss.Samples([one.groups[0].frequency] * 2))
        np.testing.assert_allclose(ss.critical_gain(same), expected, rtol=1e-9)


def test_the_incoherent_state_is_unstable_between_the_ends_only():
    one = laser(theta=-1.2, coupling=12.0, frequency=0.4, dephasing=0.3)
    for end, outwards in zip(ss.critical_gain(one), (-1, 1), strict=True):
        for side in (-1, 1):
            model = one.replace(gain=end * (1 + 0.01 * side))
            z0 = float(model.groups[0].z0)
            run = ss.evolve(model, [0.0, 2.0], initial=[[1e-6, 0, z0]], theory=ss.MeanField(rtol=1e-11, atol=1e-20))
            assert (abs(run.coherence[1, 0]) > abs(run.coherence[0, 0])) == (side != outwards)


@pytest.mark.parametrize("seed", range(10))
def test_groups_with_different_gains_share_a_factor(seed):
    ensemble = random_system(seed, 3).ensemble()
    lower, upper = ss.critical_gain(ensemble)
    for end in (lower, upper):
        if 0 < end < np.inf:
            assert onset(ensemble, end * (1 + 1e-6)) == pytest.approx(1, rel=1e-4)
            assert (onset(ensemble, end * 1.0001) < 1) != (onset(ensemble, end * 0.9999) < 1)
    if np.isnan(lower):
        assert min(onset(ensemble, x) for x in np.geomspace(1e-3, 1e3, 200)) > 1
    assert np.isfinite(lower) or seed > 0


def test_a_group_that_lasts_without_gain_has_no_upper_end():
    damped = ss.Ensemble([ss.Group(0.0, 1.0), ss.Group(2.0, 1.0)], [[3j, 0], [0, 0]])  # theta = pi/2: unstable by itself
    assert ss.critical_gain(damped) == (0.0, np.inf)


def test_where_no_gain_is_enough_both_ends_are_nan():
    for one in (laser(coupling=3.9), laser(coupling=0.0), laser(theta=0.0), laser(theta=1.5, coupling=0.2)):
        assert np.all(np.isnan(ss.critical_gain(one)))
        assert np.all(np.isnan(ss.critical_gain(one.split(2))))
    np.testing.assert_allclose(ss.critical_gain(laser(coupling=4.0001).split(3)), (2.98, 3.02), atol=0.02)  # nearly a point


def test_the_pump_rates_of_strontium():
    lower, upper = ss.critical_gain(strontium(1.0))
    assert lower == pytest.approx(6.3e-3, rel=0.01)
    assert upper == pytest.approx(2576, rel=1e-3)
    assert ss.critical_coupling(strontium(lower)) == pytest.approx(abs(strontium(lower).coupling_matrix[0, 0]), rel=1e-9)
    assert ss.limit_cycle(strontium(0.999 * upper)).synchronized
    assert not ss.limit_cycle(strontium(1.001 * upper)).synchronized


@pytest.mark.parametrize("frequency", [0.0, ss.Lorentzian(3.0)])
def test_the_critical_number_of_spins_is_at_the_onset(frequency):
    one = strontium(100.0).replace(frequency=frequency)
    spins = ss.critical_spins(one)
    assert ss.critical_spins(one.replace(spins=10)) == pytest.approx(spins, rel=1e-12)
    assert ss.limit_cycle(one.replace(spins=int(spins * 1.01))).synchronized
    assert not ss.limit_cycle(one.replace(spins=int(spins * 0.99))).synchronized
    if frequency == 0:
        group = one.groups[0]
        assert spins == pytest.approx(2 * group.gamma_perp / (0.41 * LINE * group.z0), rel=1e-12)  # N Gamma_c z0 = 2 Gamma_perp
    assert ss.critical_spins(one.replace(gain=LINE / 2)) == np.inf
    assert ss.critical_spins(one.replace(vacuum_coupling=0.0)) == np.inf


def test_rates_whose_products_vanish_are_refused():
    one = ss.Ensemble.single(gain=3.0, damping=1e300, coupling=5e-324, theta=0.0, frequency=ss.Uniform(0.3), dephasing=1e300)
    with pytest.raises(ss.IntegrationError, match="differ by too many orders"):
        ss.critical_gain(one)
