"""What answers state of their own errors: one point alone, in a diagram, in a large one, by either engine, and by a judge.

The judge of a motion that repeats itself is the map of one period of the independent equations; that of a Lorentzian is
the Jacobian of its quantiles. Windows in a row agree, by section 5 of the theory page, to 1e-4 in averages and to 2e-3 of
the detuning in frequencies where all else agrees, and so do two answers of either engine.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.optimize import root

import spinsync as ss
from reference import System, jacobian_eigenvalues, random_bloch
from regime_cases import R, word
from spinsync.questions.regimes import batch, regime_coordinates, regime_variables
from spinsync.regimes.engines import lanes, simple
from spinsync.regimes.summary import _repeats
from spinsync.results.datasets import dataset
from systems import laser

TWICE = 2.0  # an error is an estimate and no bound
SAME_FREQUENCY = 2e-3  # of the largest difference of the groups' own frequencies
REST = 1e-6  # what tells two answers of rest apart: rounding, beside the condition of its equations


def random_point(seed, groups, spread=lambda k, frequency: frequency):
    """Groups that lase, of any phases and strengths; and Bloch vectors to start from."""
    rng = np.random.default_rng([77, groups, seed])
    parts = [
        ss.Group(
            rng.uniform(1.5, 4), rng.uniform(0.1, 1), dephasing=rng.uniform(0, 0.5) * (seed % 2),
            frequency=spread(k, frequency), weight=rng.uniform(0.5, 2),
        )
        for k, frequency in enumerate(rng.normal(0, 3, groups))
    ]  # fmt: skip
    theta = rng.uniform(-2.4, -0.7, (groups, groups))
    coupling = rng.uniform(8, 40, (groups, groups)) * np.exp(1j * theta)
    return ss.Ensemble(parts, coupling), random_bloch(np.random.default_rng(seed), groups, 0.9)


def by(engine, ensemble, start):
    """The answer of one engine to one point, as `regime` gives it."""
    spread = tuple(group.distribution for group in ensemble.groups)
    found = engine(batch(ensemble, spread, ensemble.rates.at(None), ss.MeanField(rtol=1e-6, atol=1e-8), start))
    return dataset(regime_variables(found), regime_coordinates(ensemble), "regime", ensemble)


def check_agree(ensemble, one, other):
    """The same word, and numbers that differ by no more than both say of themselves."""
    assert word(one) is word(other)
    assert int(one.status) == int(other.status)
    assert word(one) is not R.UNDECIDED
    both = float(one.lyapunov_error + other.lyapunov_error)
    irregular = word(one) is R.IRREGULAR
    assert float(one.lyapunov) == pytest.approx(float(other.lyapunov), abs=TWICE * both)
    if irregular:  # whose averages converge as the root of the time, and state no error
        return
    spread = np.ptp([group.mean_frequency for group in ensemble.groups])
    np.testing.assert_allclose(one.frequency, other.frequency, atol=SAME_FREQUENCY * spread + REST)
    for name, error in (("amplitude", 1e-4), ("inversion", 1e-4), ("order_parameter", 2e-4), ("phase_locking", 1e-3)):
        np.testing.assert_allclose(one[name], other[name], atol=error, err_msg=name)
    if not np.isnan(one.period + other.period):  # which not every way looks for
        assert float(one.period) == pytest.approx(float(other.period), rel=1e-4)
        np.testing.assert_allclose(one.order_parameter_range, other.order_parameter_range, atol=1e-3)


def check_alone_and_in_diagrams(ensemble, start, points, axis="A.gain"):
    own = float(ensemble.groups[0].gain)
    alone = ss.regime(ensemble, initial=start)
    single = ss.phase_diagram(ensemble, {axis: [own]}, initial=start)
    gains = np.concatenate([[own], np.linspace(0.5 * own, 2 * own, points - 1)])
    large = ss.phase_diagram(ensemble, {axis: gains}, initial=start)
    check_agree(ensemble, alone, single.isel({axis: 0}))
    check_agree(ensemble, alone, large.isel({axis: 0}))


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
        check_alone_and_in_diagrams(*random_point(seed, groups), points=40)  # more than those whose periods are looked for


SPREAD = {
    "one group, Lorentzian": (1, lambda k, frequency: ss.Lorentzian(0.8, frequency)),
    "pair, one of them Lorentzian": (2, lambda k, frequency: ss.Lorentzian(0.4, frequency) if k else frequency),
    "one group, Gaussian": (1, lambda k, frequency: ss.Gaussian(0.8, frequency)),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow(slice=0)) if name.startswith("pair") else name for name in SPREAD]
)
def test_so_does_a_point_of_distributed_frequencies(name):
    groups, spread = SPREAD[name]
    check_alone_and_in_diagrams(*random_point(3, groups, spread), points=4)


SOME = [(1, 0), (1, 5), (2, 1), (2, 6), (2, 7), (2, 9), (2, 14), (2, 16), (3, 1), (3, 5), (3, 13), (3, 15), (3, 24)]


@pytest.mark.parametrize(("groups", "seed"), SOME)
def test_the_engines_agree_within_their_errors(groups, seed):
    ensemble, start = random_point(seed, groups)
    check_agree(ensemble, by(lanes, ensemble, start), by(simple, ensemble, start))


@pytest.mark.slow(slice=2)
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_the_engines_agree_within_their_errors_at_many_points(groups):
    for seed in range(60):
        ensemble, start = random_point(seed, groups)
        check_agree(ensemble, by(lanes, ensemble, start), by(simple, ensemble, start))


def of_ensemble(ensemble, bloch):
    """The independent equations of an ensemble of one frequency a group."""
    columns = {
        name: np.array([getattr(g, name) for g in ensemble.groups]) for name in ("gain", "damping", "dephasing", "weight")
    }
    omega = np.array([group.mean_frequency for group in ensemble.groups])
    return System(**columns, omega=omega, coupling=np.asarray(ensemble.coupling_matrix), bloch=bloch)


def real(s, z):
    return np.concatenate([s.real, s.imag, z])


@cache
def judged(groups, seed):
    """Exponent and frequencies of a motion that repeats itself, by the linearized map of one period."""
    ensemble, start = random_point(seed, groups)
    period = float(by(simple, ensemble, start).period)
    bloch = ss.bloch(ss.evolve(ensemble, [0.0, 250.0], initial=start)).values[-1]
    system = of_ensemble(ensemble, bloch)
    s, z = system.motion(period * np.arange(17))
    turns = np.exp(-1j * np.angle(s @ s[0].conj()))
    off = [np.linalg.norm(real(turn * a - s[0], b - z[0])) for turn, a, b in zip(turns[1:], s[1:], z[1:], strict=True)]
    k = 1 + int(np.argmax(np.array(off) < 1e-4))  # of mirror images the order parameter is the same
    assert off[k - 1] < 1e-4

    def after(y):
        x, v, z = y.reshape(3, groups)
        s, z = replace(system, bloch=np.stack([2 * x, -2 * v, z], axis=1)).motion(np.array([0.0, k * period]))
        return real(turns[k] * s[-1], z[-1])

    y, h = real(s[0], z[0]), 1e-5
    columns = [(after(y + h * e) - after(y - h * e)) / (2 * h) for e in np.eye(y.size)]
    multipliers = np.linalg.eigvals(np.array(columns).T)
    order = np.argsort(abs(multipliers - 1))
    assert abs(multipliers[order[1]] - 1) < 1e-3 < abs(multipliers[order[2]] - 1) / 10  # common phase, and time
    phases = np.unwrap(-np.angle(system.motion(np.linspace(0, k * period, 400 * k))[0]), axis=0)
    return np.log(abs(multipliers[order[2:]]).max()) / (k * period), (phases[-1] - phases[0]) / (k * period)


@pytest.mark.parametrize("engine", [lanes, simple], ids=["lanes", "simple"])
@pytest.mark.parametrize(("groups", "seed"), [(2, 1), (2, 6), (2, 7), (2, 14), (2, 16), (2, 34), (3, 5), (3, 15), (3, 50)])
def test_errors_of_motion_that_repeats_itself_hold_before_a_judge(groups, seed, engine):
    ensemble, start = random_point(seed, groups)
    found = by(engine, ensemble, start)
    growth, frequencies = judged(groups, seed)
    assert float(found.lyapunov) == pytest.approx(growth, abs=TWICE * float(found.lyapunov_error))
    spread = np.ptp([group.mean_frequency for group in ensemble.groups])
    np.testing.assert_allclose(found.frequency, frequencies, atol=SAME_FREQUENCY * spread)


def cycle_of_classes(one, omega):
    """The independent equations with classes of equal weight, and their state of rest with its frequency."""
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
def test_errors_of_lorentzian_exponents_hold_before_a_judge(seed):
    """Where the slowest mode is one of all classes together, which a hundred quantiles show to one part in a thousand."""
    one = random_disorder(seed)
    found = ss.regime(one, seed=seed)
    assert word(found) is R.FULL
    spread, shares = one.groups[0].frequency, (np.arange(120) + 0.5) / 120
    rest = cycle_of_classes(one, spread.center + spread.half_width * np.tan(np.pi * (shares - 0.5)))
    values = jacobian_eigenvalues(*rest)
    growth = np.delete(values, np.argmin(abs(values))).real.max()
    assert float(found.lyapunov) == pytest.approx(growth, abs=float(found.lyapunov_error) + 1e-3 * abs(growth))


@pytest.mark.parametrize("count", [1000, 1024, 1888])
@pytest.mark.parametrize("parts", [1, 2, 3, 7, 16])
def test_a_period_is_the_shortest_however_it_is_sampled(parts, count):
    turn = 2 * np.pi * parts * np.arange(count) / count
    assert _repeats(np.sin(turn) + 0.3 * np.cos(2 * turn)) == parts
