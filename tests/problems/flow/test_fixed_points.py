"""The linearized equations, fixed points and their growth rates, and the phases and tangent vectors of orbits."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import spinsync as ss
from reference import jacobian_eigenvalues, pairs_up, random_bloch, random_system
from spinsync.base.compiled import compiled
from spinsync.problems.flow.exponential_adams import DONE
from spinsync.problems.flow.fixed_points import Outcome, converge, jacobian, newton
from spinsync.problems.flow.orbit_averages import sample_orbit, smooth_weights
from spinsync.problems.flow.record import SIGNATURE, Flow
from systems import HALF_PI, flow_of, pair, random_one, random_pair, system_of
from toy_theories import CASES as TOYS
from toy_theories import START


@pytest.mark.parametrize("seed", range(20))
def test_the_tangent_is_the_derivative_of_the_nonlinear_part(seed):
    """The equations are quadratic, so a central difference of any step is exact but for rounding."""
    flow, state, v = flow_of(seed)
    ends = np.empty((2, state.size), complex)
    for end, sign in zip(ends, (1, -1), strict=True):
        flow.nonlinear(state + sign * v / 2, flow.table, flow.coupling, end)
    both = np.empty(2 * state.size, complex)
    flow.tangent(np.concatenate([state, v]), flow.table, flow.coupling, both)
    value = np.empty_like(state)
    flow.nonlinear(state, flow.table, flow.coupling, value)
    np.testing.assert_array_equal(both[: state.size], value)
    scale = abs(flow.coupling).sum() * abs(np.concatenate([state, v])).max() ** 2
    np.testing.assert_allclose(both[state.size :], ends[0] - ends[1], rtol=0, atol=1e-14 * scale)


def mean_field_flow(seed):
    """A random flow of mean field, a state, and which components are complex: the coherences, which come first."""
    flow, state, _ = flow_of(seed)
    return flow, state, np.arange(state.size) < state.size // 2


def toy_flow(name, *complex_components):
    theory, ensemble = TOYS[name]
    flow = theory.lower(ensemble, START, 0)
    return flow, flow.start + np.where(complex_components, 0.1 - 0.2j, 0.1), np.array(complex_components)


FLOWS = {f"mean field {seed}": partial(mean_field_flow, seed) for seed in range(20)}
FLOWS |= {
    "populations alone": partial(toy_flow, "no coherence", False, False),
    "a complex correlation that the symmetry leaves alone": partial(toy_flow, "neutral and complex", True, False, False),
    "driven spins": partial(toy_flow, "no symmetry", True, True, False, False),
}


@pytest.mark.parametrize("name", FLOWS)
def test_a_column_of_the_jacobian_is_the_change_along_a_real_or_imaginary_direction(name):
    """All real parts come first, then the imaginary parts of the complex components; other imaginary parts stay zero.

    Differences of quadratic equations are exact, and each theory here is quadratic.
    """
    flow, state, is_complex = FLOWS[name]()
    n, imaginary = state.size, np.flatnonzero(is_complex)
    columns = jacobian(flow, state)
    assert columns.shape == (n + imaginary.size, n + imaginary.size)
    directions = [(k, 1.0) for k in range(n)] + [(k, 1j) for k in imaginary]
    scale = abs(flow.decay).max() + abs(flow.coupling).sum() * (1 + abs(state).max())
    for column, (k, unit) in zip(columns.T, directions, strict=True):
        v = unit * (np.arange(n) == k)
        change = flow.velocity(state + v / 2) - flow.velocity(state - v / 2)
        np.testing.assert_allclose(column[:n], change.real, rtol=0, atol=1e-13 * scale)
        np.testing.assert_allclose(column[n:], change.imag[imaginary], rtol=0, atol=1e-13 * scale)
        np.testing.assert_allclose(np.delete(change.imag, imaginary), 0, atol=1e-13 * scale)


def flow_at(ensemble, s, z):
    """The flow of an ensemble of single frequencies, and the state (s, z) of its groups."""
    return ss.MeanField().lower(ensemble, None, 0), np.concatenate([np.atleast_1d(s), np.atleast_1d(z)]).astype(complex)


@pytest.mark.parametrize("seed", range(12))
def test_newton_finds_the_limit_cycle_and_its_floquet_exponents(seed):
    parameters = random_one(seed, ratio=1.2 + seed / 3)[0]
    one = ss.Ensemble.single(**parameters)
    cycle, phase = ss.limit_cycle(one), np.exp(1j * seed)
    flow, there = flow_at(one, float(cycle.amplitude) * phase, float(cycle.inversion))
    found = newton(flow, there + 1e-3 * float(cycle.amplitude) * np.array([0.6 - 0.8j, 0.7])).fixed_point
    # the last step of Newton's method is below 1e-12
    assert abs(found.state[0]) == pytest.approx(float(cycle.amplitude), abs=1e-11)
    assert found.state[1] == pytest.approx(float(cycle.inversion), abs=1e-11)
    assert found.flow.frame == pytest.approx(float(cycle.frequency), abs=1e-10)
    exponents = cycle.floquet_exponent.values
    expected = np.sort(np.delete(exponents, np.argmin(abs(exponents))).real)[::-1]
    assert found.stable
    np.testing.assert_allclose(found.growth.sum(), expected.sum(), atol=1e-10)
    # near a double eigenvalue, errors grow to their square root
    distinct = abs(np.diff(np.delete(exponents, np.argmin(abs(exponents))))).item() > 0.1
    np.testing.assert_allclose(found.growth, expected, atol=1e-9 if distinct else 1e-6)


@pytest.mark.parametrize("seed", range(40))
def test_newton_finds_the_symmetric_pair_and_its_growth_rates(seed):
    parameters = random_pair(seed, reach=0.99)
    full = ss.symmetric_pair(pair(**parameters))
    assert full.exists
    half, amplitude, z = (float(full[name]) for name in ("phase_difference", "amplitude", "inversion"))
    s = amplitude * np.exp([-0.5j * half, 0.5j * half])
    flow, there = flow_at(pair(**parameters), s, [z, z])
    off = random_bloch(np.random.default_rng(seed), 2)
    found = newton(flow, there + 1e-3 * amplitude * np.concatenate([off[:, 0] + 1j * off[:, 1], off[:, 2]])).fixed_point
    np.testing.assert_allclose(abs(found.state[:2]), amplitude, atol=1e-10)
    np.testing.assert_allclose(found.state[2:], z, atol=1e-10)
    assert np.angle(found.state[1] / found.state[0]) == pytest.approx(half, abs=1e-10)
    assert found.flow.frame == pytest.approx(float(full.frequency), abs=1e-10)
    gain, damping, g = parameters["gain"], parameters["damping"], system_of(parameters).gamma_perp[0]
    g1, d = gain + damping, parameters["detuning"] ** 2 / (4 * g)
    v_z0 = parameters["coupling"] * abs(gain - damping) / g1
    q = 2 * g1 * (v_z0 - g - d)
    symmetric = np.roots([1, g - d + g1, g1 * (g - d) + q, q * g])
    antisymmetric = np.roots([1, g - d + g1, g1 * (g - d) + q / 2])
    expected = np.concatenate([symmetric, antisymmetric]).real
    np.testing.assert_allclose(found.growth, np.sort(expected)[::-1], atol=1e-8)
    assert found.stable == bool(full.stable)


@pytest.mark.parametrize("seed", range(12))
def test_growth_rates_are_those_of_the_independent_equations(seed):
    """Fixed points of random ensembles of up to five groups: frame and growth rates agree with the reference."""
    system, rng = random_system(seed), np.random.default_rng([35, seed])
    n = system.gain.size
    phases = np.exp(-1j * (HALF_PI + rng.normal(0, 0.4, (n, n))))
    system = replace(
        system, gain=system.gain + 2, omega=system.omega / 4, coupling=rng.uniform(8, 30) * rng.uniform(0.5, 1, (n, n)) * phases
    )
    flow = ss.MeanField().lower(system.ensemble(), system.bloch, 0)
    slowest = flow.decay.real.min()
    found = converge(flow, stretch=10 / slowest, longest=400 / slowest).fixed_point
    assert found is not None
    values = jacobian_eigenvalues(system, found.state[:n], found.state[n:].real, found.flow.frame)
    if np.any(found.state[:n]):
        values = np.delete(values, np.argmin(abs(values)))
    assert pairs_up(found.growth, values.real) < 1e-7  # the reference differentiates with a step of 1e-4: eps/1e-4


def test_newton_finds_no_fixed_point_where_two_groups_drift():
    """Newton's method leaves the neighbourhood, or does not converge."""
    run = ss.evolve(pair(8.0, 16.0), [0.0, 100.0, 100.2, 100.4, 100.6])
    for at in range(1, 5):
        flow, state = flow_at(pair(8.0, 16.0), run.coherence.values[at], run.inversion.values[at])
        assert newton(flow, state).outcome in (Outcome.FAR, Outcome.SLOW)


@compiled(SIGNATURE)
def ring(y, table, coupling, out):
    """With -decay y: |y_0| tends to 1 (U(1) charge 1); y_1, y_2 rotate at rate 1 with r' = -r (r^2 - a^2)(r^2 - b^2)/c^4."""
    x, v = y[1].real, y[2].real
    a, b, c = table[0, 0], table[0, 1], table[0, 2]
    r2 = x * x + v * v
    pull = -(r2 - a * a) * (r2 - b * b) / c**4
    out[0] = y[0] * (2 - abs(y[0]) ** 2)
    out[1] = x * (1 + pull) - v
    out[2] = v * (1 + pull) + x


@compiled(SIGNATURE)
def ring_with_tangent(y, table, coupling, out):
    ring(y[:3], table, coupling, out[:3])
    x, v, dx, dv = y[1].real, y[2].real, y[4].real, y[5].real
    a, b, c = table[0, 0], table[0, 1], table[0, 2]
    r2 = x * x + v * v
    pull, slope = -(r2 - a * a) * (r2 - b * b) / c**4, -(2 * r2 - a * a - b * b) * 2 * (x * dx + v * dv) / c**4
    out[3] = y[3] * (2 - abs(y[0]) ** 2) - y[0] * 2 * (y[0].conjugate() * y[3]).real
    out[4] = dx * (1 + pull) + x * slope - dv
    out[5] = dv * (1 + pull) + v * slope + dx


def flow_of_three(nonlinear, tangent, *, symmetry, groups=lambda states: (states[:, :1], states[:, 1:].real), **parts):
    """A flow of three variables, real where their U(1) charge is 0."""
    return Flow(
        nonlinear=nonlinear, tangent=tangent, coupling=np.zeros((1, 1), complex), symmetry=symmetry, real=symmetry == 0,
        rtol=1e-10, atol=1e-12, frame=0.0, groups=groups, observe=lambda states, times: {}, coordinates={}, **parts,
    )  # fmt: skip


def ring_flow(a, b, start, c=0.01):
    """A stable fixed point at r = 0, an unstable cycle at r = a and a stable one at r = b."""
    return flow_of_three(
        ring, ring_with_tangent, decay=np.ones(3, complex), table=np.array([[a, b, c]]),
        start=np.array([1, start, 0], complex), symmetry=np.array([1, 0, 0]), fastest_rate=1.0,
    )  # fmt: skip


def test_a_small_cycle_around_a_stable_fixed_point_is_not_mistaken_for_it():
    for start, expected in ((0.0025, 0.0), (0.0035, None), (0.006, None), (0.0095, None)):
        found = converge(ring_flow(0.003, 0.006, start), stretch=3.0, longest=300.0)
        assert found.status == DONE
        assert (found.fixed_point is None) == (expected is None), start
        if found.fixed_point is None:
            assert np.hypot(*found.state[1:].real) == pytest.approx(0.006, rel=1e-6)
        else:
            np.testing.assert_allclose(found.fixed_point.state, [1, 0, 0], atol=1e-12)
            # growth rates: -a^2 b^2/c^4 twice, of (y_1, y_2), and -2 of |y_0|
            pull = -((0.003 * 0.006 / 0.01**2) ** 2)
            np.testing.assert_allclose(found.fixed_point.growth, [pull, pull, -2], atol=1e-9)


@compiled(SIGNATURE)
def decay_alone(y, table, coupling, out):
    out[:] = 0


def two_rotations(first, second, share, step, samples):
    """The phase of exp(-i first t) + share exp(-i second t), whose distance to zero falls to |1 - share|."""
    flow = flow_of_three(
        decay_alone, decay_alone, decay=np.array([1j * first, 1j * second, 1.0]), table=np.zeros((1, 1)),
        start=np.array([1, share * np.exp(0.3j), 0]), symmetry=np.array([1, 1, 0]), fastest_rate=4.0,
        groups=lambda states: ((states[:, 0] + states[:, 1])[:, None], states[:, 2:].real),
    )  # fmt: skip
    return sample_orbit(flow, flow.start, np.array([0.3, 1, 0.2], complex), samples, step)


@pytest.mark.parametrize("distance", [0.3, 1e-2, 1e-3, -1e-3, 1e-4, -1e-4, 1e-5, -0.5])
@pytest.mark.parametrize("step", [0.05, 0.31])
def test_the_phase_is_followed_through_passages_close_to_zero(distance, step):
    """The mean frequency is that of the stronger rotation, however close to zero the sum passes in every beat."""
    orbit = two_rotations(2.0, -1.5, 1 - distance, step, 1024)
    assert not orbit.phase_undefined
    # full rotations are counted exactly; the error is the angle within the last one, and the end of the window
    assert abs(orbit.phase_increments.sum() - (2.0 if distance > 0 else -1.5) * 1024 * step) < np.pi
    assert mean_rate(orbit, orbit.phase_increments)[0] == pytest.approx(2.0 if distance > 0 else -1.5, abs=1e-3)


def test_an_undefined_phase_is_reported():
    assert two_rotations(2.0, -1.5, 1.0, 0.31, 1024).phase_undefined


def test_a_fast_phase_is_followed():
    """More than half a rotation between two samples is resolved by finer steps."""
    orbit = two_rotations(9.0, 9.0, 0.5, 0.5, 600)
    assert mean_rate(orbit, orbit.phase_increments)[0] == pytest.approx(9.0, abs=1e-10)


def test_window_means_of_periodic_motion_converge_faster_than_any_power():
    x = (np.arange(20000) + 0.5) / 20000
    assert smooth_weights(777).sum() == pytest.approx(1, abs=1e-14)
    for periods in np.arange(2.5, 45, 2.5):
        error = abs(smooth_weights(x.size) @ np.exp(2j * np.pi * periods * x))
        # the saddle points of the transform of exp(-1/(x (1 - x))) give exp(-2 sqrt(pi periods)) and a factor of about ten
        assert error < 20 * np.exp(-2 * np.sqrt(np.pi * periods)), periods


def mean_rate(orbit, increments):
    return smooth_weights(len(increments)) @ increments / orbit.step


def window(ensemble, start, length, step):
    """A window of motion after the transient."""
    flow = ss.MeanField().lower(ensemble, np.array(start), 0)
    state = converge(flow, stretch=20.0, longest=20.0).state
    tangent = np.random.default_rng(1).standard_normal(state.size).astype(complex)
    return sample_orbit(flow, state, tangent, round(length / step), step)


def floquet(group, coupling, theta):
    """The slower of mu_+ and mu_- of (4.6), and the frequency, of one group without the other."""
    own = dict(gain=group.gain, damping=group.damping, dephasing=group.dephasing, frequency=group.frequency)
    cycle = ss.limit_cycle(ss.Ensemble.single(**own, coupling=coupling, theta=theta))
    return np.sort(cycle.floquet_exponent.values.real)[-2], float(cycle.frequency)


@pytest.mark.parametrize("theta", [-HALF_PI, -1.1, -2.0])
@pytest.mark.parametrize("coupling", [4.5, 6.0, 30.0])
def test_two_uncoupled_cycles_have_two_free_phases(theta, coupling):
    """Neither the common phase nor the difference grows or decays; the Lyapunov exponent is the slower Floquet exponent."""
    groups = [ss.Group(3, 1, frequency=0.3, weight=2), ss.Group(4, 0.5, dephasing=0.2, frequency=-2.0, weight=1)]
    strengths, thetas = (coupling / -np.sin(theta), 40.0), (theta, -1.9)
    alone = [floquet(*own) for own in zip(groups, strengths, thetas, strict=True)]
    matrix = np.diag([v * np.exp(1j * t) / p for v, t, p in zip(strengths, thetas, (2 / 3, 1 / 3), strict=True)])
    ensemble = ss.Ensemble(groups, matrix)
    orbit = window(ensemble, [[0.3, 0.1, 0.3], [0.1, -0.2, 0.2]], 80.0, 0.01)
    # |tangent vector| oscillates around its decay by a small factor, whose effect at the ends has little weight
    assert float(mean_rate(orbit, orbit.growth_increments)) == pytest.approx(max(rate for rate, _ in alone), abs=2e-3)
    frame = ss.MeanField().lower(ensemble, None, 0).frame
    np.testing.assert_allclose(
        mean_rate(orbit, orbit.phase_increments) + frame, [frequency for _, frequency in alone], atol=1e-7
    )
