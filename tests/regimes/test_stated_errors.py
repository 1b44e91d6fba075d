"""Stated errors: the same point alone, in a small and in a large diagram, by either engine, against independent references.

The reference of periodic motion is the map over one period (Floquet multipliers) of the independent equations; that of a
Lorentzian is the Jacobian of its quantiles. By the methods page, two windows agree to 1e-4 in averages and to
2e-3 of the detuning in frequencies if all else agrees, and so do the answers of both engines.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.optimize import root

import spinsync as ss
from reference import System, jacobian_eigenvalues, random_bloch
from regime_cases import R, regime_of
from spinsync.questions.regimes import batch, regime_coordinates, regime_variables
from spinsync.regimes.engines import lanes, scalar
from spinsync.regimes.summary import _repeats
from spinsync.results.datasets import dataset
from systems import laser

MARGIN = 2.0  # an error is an estimate, not a bound
SAME_FREQUENCY = 2e-3  # relative to the largest difference of natural frequencies
FIXED_POINT = 1e-6  # difference of two answers for a fixed point: rounding times the condition number of its equations


def random_point(seed, groups, spread=lambda k, frequency: frequency):
    """Inverted groups with random couplings and phases; and initial Bloch vectors."""
    rng = np.random.default_rng([77, groups, seed])
    members = [
        ss.Group(
            rng.uniform(1.5, 4), rng.uniform(0.1, 1), dephasing=rng.uniform(0, 0.5) * (seed % 2),
            frequency=spread(k, frequency), weight=rng.uniform(0.5, 2),
        )
        for k, frequency in enumerate(rng.normal(0, 3, groups))
    ]  # fmt: skip
    theta = rng.uniform(-2.4, -0.7, (groups, groups))
    coupling = rng.uniform(8, 40, (groups, groups)) * np.exp(1j * theta)
    return ss.Ensemble(members, coupling), random_bloch(np.random.default_rng(seed), groups, 0.9)


def answer_of(engine, ensemble, start):
    """The answer of one engine to one point, as `regime` gives it."""
    spread = tuple(group.distribution for group in ensemble.groups)
    found = engine(batch(ensemble, spread, ensemble.rates.at(None), ss.MeanField(rtol=1e-6, atol=1e-8), start))
    return dataset(regime_variables(found), regime_coordinates(ensemble), "regime", ensemble)


def check_agreement(ensemble, one, other):
    """Assert the same regime, and numbers that differ by no more than their stated errors."""
    assert regime_of(one) is regime_of(other)
    assert int(one.status) == int(other.status)
    assert regime_of(one) is not R.UNDECIDED
    both = float(one.lyapunov_error + other.lyapunov_error)
    irregular = regime_of(one) is R.IRREGULAR
    assert float(one.lyapunov) == pytest.approx(float(other.lyapunov), abs=MARGIN * both)
    if irregular:  # averages converge as the root of the time, and have no stated error
        return
    spread = np.ptp([group.mean_frequency for group in ensemble.groups])
    np.testing.assert_allclose(one.frequency, other.frequency, atol=SAME_FREQUENCY * spread + FIXED_POINT)
    for name, error in (("amplitude", 1e-4), ("inversion", 1e-4), ("order_parameter", 2e-4), ("phase_locking", 1e-3)):
        np.testing.assert_allclose(one[name], other[name], atol=error, err_msg=name)
    if not np.isnan(one.period + other.period):  # not every engine computes periods
        assert float(one.period) == pytest.approx(float(other.period), rel=1e-4)
        np.testing.assert_allclose(one.order_parameter_range, other.order_parameter_range, atol=1e-3)


def check_alone_and_in_diagrams(ensemble, start, points, axis="A.gain"):
    own = float(ensemble.groups[0].gain)
    alone = ss.regime(ensemble, initial=start)
    single = ss.phase_diagram(ensemble, {axis: [own]}, initial=start)
    gains = np.concatenate([[own], np.linspace(0.5 * own, 2 * own, points - 1)])
    large = ss.phase_diagram(ensemble, {axis: gains}, initial=start)
    check_agreement(ensemble, alone, single.isel({axis: 0}))
    check_agreement(ensemble, alone, large.isel({axis: 0}))


POINTS = {
    "one group": (1, [0, 1]),
    "pair, locked": (2, [0]),
    "pair, trapped and partial": (2, [6, 8, 14]),
    "pair, irregular": (2, [9]),
    "three groups": (3, [0, 1, 13, 24]),
}


@pytest.mark.parametrize("name", POINTS)
def test_a_point_alone_in_a_diagram_and_in_a_large_one_agree(name):
    groups, seeds = POINTS[name]
    for seed in seeds:
        check_alone_and_in_diagrams(*random_point(seed, groups), points=40)  # more points than have periods computed


SPREAD = {
    "one group, Lorentzian": (1, lambda k, frequency: ss.Lorentzian(0.8, frequency)),
    "pair, one of them Lorentzian": (2, lambda k, frequency: ss.Lorentzian(0.4, frequency) if k else frequency),
    "one group, Gaussian": (1, lambda k, frequency: ss.Gaussian(0.8, frequency)),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow(slice=0)) if name.startswith("pair") else name for name in SPREAD]
)
def test_a_point_of_distributed_frequencies_alone_and_in_diagrams_agrees(name):
    groups, spread = SPREAD[name]
    check_alone_and_in_diagrams(*random_point(3, groups, spread), points=4)


SOME = [(1, 0), (1, 5), (2, 1), (2, 6), (2, 7), (2, 9), (2, 14), (2, 16), (3, 1), (3, 5), (3, 13), (3, 15), (3, 24)]


@pytest.mark.parametrize(("groups", "seed"), SOME)
def test_the_engines_agree_within_their_errors(groups, seed):
    ensemble, start = random_point(seed, groups)
    check_agreement(ensemble, answer_of(lanes, ensemble, start), answer_of(scalar, ensemble, start))


@pytest.mark.slow(slice=2)
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_the_engines_agree_within_their_errors_at_many_points(groups):
    for seed in range(60):
        ensemble, start = random_point(seed, groups)
        check_agreement(ensemble, answer_of(lanes, ensemble, start), answer_of(scalar, ensemble, start))


def reference_system(ensemble, bloch):
    """The independent equations of an ensemble with one frequency per group."""
    columns = {
        name: np.array([getattr(g, name) for g in ensemble.groups]) for name in ("gain", "damping", "dephasing", "weight")
    }
    omega = np.array([group.mean_frequency for group in ensemble.groups])
    return System(**columns, omega=omega, coupling=np.asarray(ensemble.coupling_matrix), bloch=bloch)


def real(s, z):
    return np.concatenate([s.real, s.imag, z])


@cache
def exact_periodic_motion(groups, seed):
    """Lyapunov exponent and frequencies of a periodic motion, by the linearized map over one period."""
    ensemble, start = random_point(seed, groups)
    period = float(answer_of(scalar, ensemble, start).period)
    bloch = ss.bloch(ss.evolve(ensemble, [0.0, 250.0], initial=start)).values[-1]
    system = reference_system(ensemble, bloch)
    s, z = system.motion(period * np.arange(17))
    rotations = np.exp(-1j * np.angle(s @ s[0].conj()))
    distance = [
        np.linalg.norm(real(rotation * a - s[0], b - z[0])) for rotation, a, b in zip(rotations[1:], s[1:], z[1:], strict=True)
    ]
    k = 1 + int(np.argmax(np.array(distance) < 1e-4))  # the order parameter is equal for mirror images, the state is not
    assert distance[k - 1] < 1e-4

    def after(y):
        x, v, z = y.reshape(3, groups)
        s, z = replace(system, bloch=np.stack([2 * x, -2 * v, z], axis=1)).motion(np.array([0.0, k * period]))
        return real(rotations[k] * s[-1], z[-1])

    y, h = real(s[0], z[0]), 1e-5
    columns = [(after(y + h * e) - after(y - h * e)) / (2 * h) for e in np.eye(y.size)]
    multipliers = np.linalg.eigvals(np.array(columns).T)
    order = np.argsort(abs(multipliers - 1))
    assert abs(multipliers[order[1]] - 1) < 1e-3 < abs(multipliers[order[2]] - 1) / 10  # two are 1: common phase and time
    phases = np.unwrap(-np.angle(system.motion(np.linspace(0, k * period, 400 * k))[0]), axis=0)
    return np.log(abs(multipliers[order[2:]]).max()) / (k * period), (phases[-1] - phases[0]) / (k * period)


@pytest.mark.parametrize("engine", [lanes, scalar], ids=["lanes", "scalar"])
@pytest.mark.parametrize(("groups", "seed"), [(2, 1), (2, 6), (2, 7), (2, 14), (2, 16), (2, 34), (3, 5), (3, 15), (3, 50)])
def test_stated_errors_of_periodic_motion_cover_the_difference_to_a_reference(groups, seed, engine):
    ensemble, start = random_point(seed, groups)
    found = answer_of(engine, ensemble, start)
    growth, frequencies = exact_periodic_motion(groups, seed)
    assert float(found.lyapunov) == pytest.approx(growth, abs=MARGIN * float(found.lyapunov_error))
    spread = np.ptp([group.mean_frequency for group in ensemble.groups])
    np.testing.assert_allclose(found.frequency, frequencies, atol=SAME_FREQUENCY * spread)


def cycle_of_classes(one, omega):
    """The independent equations with classes of equal weight, and their fixed point with its frequency."""
    group, alike, c = one.groups[0], np.ones(omega.size), one.coupling_matrix[0, 0]
    system = System(
        group.gain * alike, group.damping * alike, group.dephasing * alike, omega, alike,
        np.full((omega.size,) * 2, c), np.zeros((omega.size, 3)),
    )  # fmt: skip
    g, g1, z0 = group.gamma_perp, group.gamma_1, group.z0

    def state(amplitude, frequency):
        h, off = c * amplitude, omega - frequency
        z = z0 * (g**2 + off**2) / (g**2 + 4 * abs(h) ** 2 * g / g1 + off**2)  # (6.1)
        return 1j * h * z / (g + 1j * off), z

    def missing(both):
        share = state(*both)[0].mean() / both[0] - 1
        return [share.real, share.imag]

    near = ss.limit_cycle(one)
    amplitude, frequency = root(missing, [float(near.amplitude), float(near.frequency)], tol=1e-13).x
    return system, *state(amplitude, frequency), frequency


def random_disorder(seed):
    rng = np.random.default_rng([5, seed])
    return laser(
        gain=rng.uniform(1.5, 4), damping=rng.uniform(0.2, 1), coupling=rng.uniform(8, 40), theta=rng.uniform(-2.3, -0.8),
        frequency=ss.Lorentzian(rng.uniform(0.1, 2), rng.normal()),
    )  # fmt: skip


@pytest.mark.parametrize("seed", [1, 10, 12, 17, 27, 36, 38])
def test_stated_errors_of_lorentzian_exponents_cover_the_difference_to_a_reference(seed):
    """The slowest mode is collective, so that 120 quantiles give its exponent to one part in a thousand."""
    one = random_disorder(seed)
    found = ss.regime(one, seed=seed)
    assert regime_of(found) is R.FULL
    spread, shares = one.groups[0].frequency, (np.arange(120) + 0.5) / 120
    fixed_point = cycle_of_classes(one, spread.center + spread.half_width * np.tan(np.pi * (shares - 0.5)))
    values = jacobian_eigenvalues(*fixed_point)
    growth = np.delete(values, np.argmin(abs(values))).real.max()
    assert float(found.lyapunov) == pytest.approx(growth, abs=float(found.lyapunov_error) + 1e-3 * abs(growth))


@pytest.mark.parametrize("count", [1000, 1024, 1888])
@pytest.mark.parametrize("periods", [1, 2, 3, 7, 16])
def test_the_period_is_the_shortest_for_any_sampling(periods, count):
    angle = 2 * np.pi * periods * np.arange(count) / count
    assert _repeats(np.sin(angle) + 0.3 * np.cos(2 * angle)) == periods
