"""The onset of synchronization for any coupling matrix, against eigenvalues of the linearized equations."""

import numpy as np
import pytest
from scipy.linalg import eig

import spinsync as ss
from spinsync.theory.mean_field import thresholds
from systems import HALF_PI, laser


def matrices(ensemble):
    """decay and gain of (3.3) linearized at the incoherent state: ds/dt = (-decay + gain) s, gain proportional to C."""
    groups, p = ensemble.groups, np.array([group.weight for group in ensemble.groups])
    decay = np.diag([group.gamma_perp + 1j * group.mean_frequency for group in groups])
    return decay, 1j * np.array([group.z0 for group in groups])[:, None] * ensemble.coupling_matrix * p


def growth(ensemble, factor=1.0):
    """Largest growth rate of the incoherent state at the coupling factor * C."""
    decay, gain = matrices(ensemble)
    return float(np.linalg.eigvals(factor * gain - decay).real.max())


def first_crossing(ensemble):
    """The smallest unstable factor of C: J has an imaginary eigenvalue where J (x) 1 + 1 (x) J* is singular."""
    decay, gain = matrices(ensemble)
    one = np.eye(len(decay))
    factors = eig(*(np.kron(m, one) + np.kron(one, m.conj()) for m in (decay, gain)), right=False)
    with np.errstate(invalid="ignore"):
        real = np.sort(factors[np.isfinite(factors) & (abs(factors.imag) < 1e-7 * abs(factors)) & (factors.real > 0)].real)
    return next((s for s in real if growth(ensemble, s * (1 + 1e-5)) > 0), np.inf)


def random_network(seed, largest=5):
    """Groups with z0 of both signs and with equal to very different frequencies; some couplings are zero."""
    rng = np.random.default_rng([13, seed])
    size = int(rng.integers(2, largest + 1))
    width = rng.choice([0.0, 1.0, 5.0, 50.0])
    groups = [
        ss.Group(
            gain=rng.uniform(0, 4), damping=rng.uniform(0, 4), dephasing=rng.uniform(0, 1), frequency=width * rng.normal(),
            weight=rng.uniform(0.5, 2),
        )
        for _ in range(size)
    ]  # fmt: skip
    c = (rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))) * rng.choice([0, 1, 1], size=(size, size))
    return ss.Ensemble(groups, c * 10.0 ** rng.uniform(-1, 1))


@pytest.mark.parametrize("seed", range(16))
def test_the_smallest_factor_is_found_for_random_matrices(seed):
    network = random_network(seed)
    found = ss.critical_coupling(network)
    assert isinstance(found, float)
    assert found == pytest.approx(first_crossing(network), rel=1e-7)  # rounding of the large eigenvalue problem
    if np.isfinite(found):
        assert growth(network, found * (1 - 1e-6)) < 0 < growth(network, found * (1 + 1e-6))
        assert all(growth(network, found * share) < 0 for share in np.linspace(0.02, 0.98, 25))


def test_random_networks_have_finite_and_infinite_thresholds():
    assert {bool(np.isinf(first_crossing(random_network(seed)))) for seed in range(16)} == {True, False}


def test_an_instability_in_a_finite_range_of_coupling_is_found():
    count = 0
    for seed in range(3000):
        rng = np.random.default_rng([14, seed])
        size = int(rng.integers(2, 4))
        groups = [ss.Group(*rng.uniform(0, 4, 2), frequency=5 * rng.normal()) for _ in range(size)]
        network = ss.Ensemble(groups, rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))
        if np.linalg.eigvals(matrices(network)[1]).real.max() > -1e-3 or not np.isfinite(first_crossing(network)):
            continue  # only networks that are stable at strong and unstable at some weaker coupling
        assert ss.critical_coupling(network) == pytest.approx(first_crossing(network), rel=1e-7)
        assert growth(network, 1e4) < 0
        count += 1
        if count == 2:
            return
    raise AssertionError(f"only {count} such networks")


@pytest.mark.parametrize("seed", range(12))
def test_the_threshold_of_a_pair_is_a_value_of_its_coupling(seed):
    rng = np.random.default_rng([15, seed])
    pair = ss.Ensemble.pair(
        detuning=4 * rng.normal(), gain=tuple(rng.uniform(1, 4, 2)), damping=tuple(rng.uniform(0, 2, 2)), coupling=3.0,
        theta=rng.uniform(-2.5, -0.6), cross_coupling=(None, 3.0, 12.0)[seed % 3], cross_theta=(None, 1.0)[seed % 2],
        weights=tuple(rng.uniform(1, 2, 2)),
    )  # fmt: skip
    found = ss.critical_coupling(pair)
    below = np.linspace(0, 1, 50) * (1 - 1e-6) * (found if np.isfinite(found) else 1e4)
    if found > 0:
        assert all(growth(pair.replace(coupling=v)) < 0 for v in below)
    else:
        assert growth(pair.replace(coupling=0.0)) > 0
    if np.isfinite(found):
        assert growth(pair.replace(coupling=found * (1 + 1e-6) + 1e-9)) > 0


@pytest.mark.parametrize("detuning", [0.0, 1.0, -3.9, 4.1, 30.0])
def test_the_threshold_of_a_symmetric_pair_is_the_limit_of_the_incoherent_state(detuning):
    pair = ss.Ensemble.pair(detuning=detuning, gain=3.0, damping=1.0, coupling=1.0, theta=-HALF_PI)
    # (5.3): below 2 Gamma_perp / z0 the existence limit (5.2), else the real part of a complex pair
    assert ss.critical_coupling(pair) == pytest.approx(min((detuning**2 / 8 + 2) / 0.5, 8.0), rel=1e-9)


WIDE = {
    "Lorentzian": (ss.Lorentzian(1.5, center=2.0), ss.Lorentzian(0.3)),
    "Gaussian": (ss.Gaussian(2.0), ss.Gaussian(0.7, center=-3.0)),
    "Uniform": (ss.Uniform(3.0, center=1.0), 0.4),
    "mixed": (ss.Gaussian(1.0), ss.Uniform(2.0, center=2.0)),
}


def classes(distribution, count=201):
    """Frequencies and weights that represent a distribution: quantiles at equal weights, or one complex frequency."""
    if isinstance(distribution, float):
        return np.array([distribution]), np.ones(1)
    if isinstance(distribution, ss.Lorentzian):  # its linear response is that of one complex frequency
        return np.array([distribution.center - 1j * distribution.half_width]), np.ones(1)
    return distribution.quantile((np.arange(count) + 0.5) / count), np.full(count, 1 / count)


@pytest.mark.parametrize("name", WIDE)
def test_a_distribution_has_the_threshold_of_many_groups(name):
    c = np.array([[-9j, 4 + 2j], [-3 - 5j, 1 - 8j]])
    groups = [
        ss.Group(gain=g, damping=d, frequency=f, weight=w)
        for g, d, f, w in zip((3, 4), (1, 0.5), WIDE[name], (1, 2), strict=True)
    ]
    wide = ss.Ensemble(groups, c)
    sampled = [classes(group.frequency) for group in wide.groups]
    owner = np.repeat([0, 1], [len(frequencies) for frequencies, _ in sampled])
    share = np.concatenate([weights for _, weights in sampled]) * np.array([1 / 3, 2 / 3])[owner]
    z0, gamma = np.array([0.5, 3.5 / 4.5])[owner], np.array([2.0, 2.25])[owner]
    decay = np.diag(gamma + 1j * np.concatenate([frequencies for frequencies, _ in sampled]))
    gain = 1j * z0[:, None] * c[np.ix_(owner, owner)] * share
    found = ss.critical_coupling(wide)
    for ratio, unstable in ((0.997, False), (1.003, True)):  # 201 quantiles: error of about 1e-3 in a Gaussian's tails
        assert (np.linalg.eigvals(ratio * found * gain - decay).real.max() > 0) == unstable


def test_one_group_agrees_with_the_search_and_samples_with_single_groups():
    for distribution in (ss.Gaussian(2.0, center=1.0), ss.Uniform(9.0), ss.Lorentzian(1.0)):
        for theta in (-HALF_PI, -0.6, -2.0):
            one = laser(frequency=distribution, theta=theta)
            # twice the same group: the same physics through the general search; the result is a factor of C
            two = ss.Ensemble([ss.Group(3.0, 1.0, frequency=distribution)] * 2, np.full((2, 2), one.coupling_matrix[0, 0]))
            strength = ss.critical_coupling(two) * abs(one.coupling_matrix[0, 0])
            assert strength == pytest.approx(ss.critical_coupling(one), rel=1e-9)
    values = np.random.default_rng(3).normal(size=7) * 3
    sampled = laser(frequency=ss.Samples(values), theta=-1.2)
    single = ss.Ensemble([ss.Group(3.0, 1.0, frequency=w) for w in values], np.full((7, 7), np.exp(-1.2j)))
    assert ss.critical_coupling(sampled) == pytest.approx(first_crossing(single), rel=1e-7)


def test_threshold_of_equal_groups_follows_from_the_largest_eigenvalue_of_the_network():
    rng = np.random.default_rng(0)
    links = np.triu(rng.random((400, 400)) < 0.02, 1)
    links = (links | links.T).astype(float)
    network = ss.Ensemble([ss.Group(3.0, 1.0)] * 400, 400 * 1.7 * links * np.exp(-1.2j))
    largest = np.linalg.eigvalsh(links).max()
    assert ss.critical_coupling(network) == pytest.approx(2 / (0.5 * 1.7 * np.sin(1.2) * largest), rel=1e-10)


def test_threshold_of_unequal_groups_follows_from_the_eigenvalues_of_the_network():
    rng = np.random.default_rng(1)
    links = (rng.random((40, 40)) < 0.2) * 40.0
    network = ss.Ensemble([ss.Group(3.0, rng.uniform(0, 2), frequency=rng.normal()) for _ in range(40)], -1j * links)
    found = ss.critical_coupling(network)
    assert growth(network, found * (1 - 1e-6)) < 0 < growth(network, found * (1 + 1e-6))
    assert all(growth(network, found * share) < 0 for share in np.linspace(0.02, 0.98, 25))


def test_thresholds_that_do_not_exist_are_infinite():
    three = [ss.Group(3.0, 1.0, frequency=w) for w in (0.0, 0.5, 2.0)]
    chain = np.array([[0, 0, 0], [-9j, 0, 0], [0, -9j, 0]])
    assert ss.critical_coupling(ss.Ensemble(three, chain)) == np.inf  # no feedback
    assert ss.critical_coupling(ss.Ensemble(three, chain + np.diag([0, 0, -9j]))) == pytest.approx(
        4 * 3 / 9
    )  # the last group by itself
    assert ss.critical_coupling(ss.Ensemble(three, np.full((3, 3), 5.0))) == np.inf  # exchange only
    assert ss.critical_coupling(ss.Ensemble(three, np.full((3, 3), 5j))) == np.inf  # collective pumping of inverted spins
    assert ss.critical_coupling(ss.Ensemble(three, np.zeros((3, 3)))) == np.inf
    empty = ss.Group(0.0, 0.0, dephasing=0.5)
    assert ss.critical_coupling(ss.Ensemble([empty, empty], np.full((2, 2), -9j))) == np.inf
    assert ss.critical_coupling(ss.Ensemble([empty, three[0]], np.full((2, 2), -9j))) == pytest.approx(4 * 2 / 9)
    nilpotent = ss.Ensemble([ss.Group(3.0, 1.0)] * 2, [[1, 1j], [1j, -1]])  # eigenvalues 0 and 0, 1e-8 by rounding
    assert ss.critical_coupling(nilpotent) == np.inf
    with pytest.raises(ss.InputError, match="Argument `ensemble` must be an Ensemble, but is ensemble=3"):
        ss.critical_coupling(3)


def test_coherence_grows_above_the_threshold_only():
    network = random_network(next(seed for seed in range(16) if np.isfinite(first_crossing(random_network(seed)))))
    found = ss.critical_coupling(network)
    for factor, grows in ((0.9, False), (1.1, True)):
        model = ss.Ensemble(network.groups, factor * found * network.coupling_matrix)
        rate = growth(model)
        times = np.linspace(0, 30 / abs(rate), 4)
        start = [[1e-8, 0, group.z0 * (1 - 1e-12)] for group in model.groups]
        size = abs(ss.evolve(model, times, initial=start, theory=ss.MeanField(atol=1e-30)).coherence.values).max(axis=1)
        assert (size[-1] > 10 * size[1]) == grows


def test_resonances_beyond_double_precision_are_an_error():
    for ensemble in (
        ss.Ensemble.pair(detuning=1e300, gain=3.0, damping=1.0, coupling=12.0, theta=-HALF_PI),
        laser(frequency=ss.Samples([1e300, -1e300])),
    ):
        with pytest.raises(ss.IntegrationError, match="too large for double precision, or differ by too many orders"):
            ss.critical_coupling(ensemble)


def test_the_threshold_does_not_depend_on_the_coupling_even_if_it_is_zero():
    """V_c depends on the phase, which is kept at zero strength, also after dotted changes."""
    for frequency, threshold in ((0.0, 4.0), (ss.Samples([0.0, 0.5]), 4.0625), (ss.Lorentzian(0.5), 5.0)):
        one = laser(frequency=frequency)
        assert ss.critical_coupling(one) == pytest.approx(threshold, rel=1e-12)
        for changes in (
            {"coupling": 0.0},
            {"A.A.coupling": 0.0},
            {"A.gain": 3.0, "coupling": 0.0},
            {"A.A.theta": -HALF_PI, "coupling": 0.0},
        ):
            assert ss.critical_coupling(one.replace(**changes)) == pytest.approx(threshold, rel=1e-12), changes


def test_a_pair_with_exchange_only_needs_few_eigenvalues(monkeypatch):
    """At large detuning without collective decay, eigenvalues stay near the real axis for eight decades, without crossing."""
    apart = ss.Ensemble.pair(detuning=1000.0, gain=0.3, damping=0.0, coupling=0.3, theta=0.0, cross_coupling=3.0)
    stability, calls, eigenvalues = thresholds.LinearStability, [], thresholds.LinearStability.eigenvalues
    monkeypatch.setattr(stability, "eigenvalues", lambda self, nu: (calls.append(nu), eigenvalues(self, nu))[1])
    assert ss.critical_coupling(apart) == np.inf
    assert len(calls) < 20_000
