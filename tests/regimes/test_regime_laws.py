"""Symmetries of regimes over random pairs, and their numbers against those of long runs."""

from dataclasses import replace

import numpy as np
import pytest

import spinsync as ss
from regime_cases import R, answer, locking, random_motion, regime_of
from spinsync.problems.flow.orbit_averages import smooth_weights
from systems import sampled

# symmetries over random pairs


def rotated_about_z(bloch, angle):
    c, s = np.cos(angle), np.sin(angle)
    return bloch @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])


class Law:
    """A change of the system, and how it changes the answer: signs and shifts of the variables."""

    frequency, inversion, scale, shift, mirrored, order = 1, 1, 1.0, 0.0, False, (0, 1)

    @staticmethod
    def change(system):
        raise NotImplementedError


class Rotated(Law):
    """A common rotation of all phases changes nothing."""

    @staticmethod
    def change(system):
        return replace(system, bloch=rotated_about_z(system.bloch, 2.1))


class Swapped(Law):
    """The order of the groups changes nothing."""

    order = (1, 0)

    @staticmethod
    def change(system):
        return system.permuted(np.array([1, 0]))


class Shifted(Law):
    """A common frequency is added to all frequencies."""

    shift = 37.5

    @staticmethod
    def change(system):
        return replace(system, omega=system.omega + 37.5)


class Mirrored(Law):
    """The complex conjugate of (3.3), (3.4): s -> s^*, omega -> -omega, C -> -C^*, that is theta -> pi - theta."""

    frequency, mirrored = -1, True

    @staticmethod
    def change(system):
        return replace(system, omega=-system.omega, coupling=-system.coupling.conj(), bloch=system.bloch * [1, -1, 1])


class UpsideDown(Law):
    """Gain and damping exchanged: z -> -z, C -> -C."""

    inversion = -1

    @staticmethod
    def change(system):
        flipped = replace(system, gain=system.damping, damping=system.gain)
        return replace(flipped, coupling=-system.coupling, bloch=system.bloch * [1, 1, -1])


class Rescaled(Law):
    """A change of the unit of time rescales rates and frequencies."""

    scale = 1024.0

    @staticmethod
    def change(system):
        rates = {name: getattr(system, name) * 1024 for name in ("gain", "damping", "dephasing", "omega", "coupling")}
        return replace(system, **rates)


def check_law(law, seed):
    system, before = random_motion(seed)
    after = answer(law.change(system))
    assert regime_of(after) is regime_of(before)
    if regime_of(before) in (R.IRREGULAR, R.UNDECIDED):
        return
    at_fixed_point = regime_of(before) in (R.FULL, R.INCOHERENT)
    detuning = float(np.ptp(system.omega))
    order = list(law.order)
    frequency = law.scale * law.frequency * before.frequency.values[order] + law.shift
    np.testing.assert_allclose(after.frequency, frequency, atol=law.scale * (1e-9 if at_fixed_point else 1e-3 * detuning))
    for name, sign in (("amplitude", 1), ("inversion", law.inversion)):
        np.testing.assert_allclose(after[name], sign * before[name].values[order], atol=1e-9 if at_fixed_point else 1e-3)
    both = locking(before)[np.ix_(order, order)]
    np.testing.assert_allclose(locking(after), both.conj() if law.mirrored else both, atol=1e-9 if at_fixed_point else 1e-2)
    assert float(after.order_parameter) == pytest.approx(float(before.order_parameter), abs=1e-9 if at_fixed_point else 1e-3)
    error = 1e-6 if at_fixed_point else 4 * float(before.lyapunov_error + after.lyapunov_error / law.scale)
    assert float(after.lyapunov) / law.scale == pytest.approx(float(before.lyapunov), abs=error)


LAWS = [Rotated, Swapped, Shifted, Mirrored, UpsideDown, Rescaled]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("law", LAWS)
def test_law(law, seed):
    check_law(law, seed)


@pytest.mark.slow(slice=2)
@pytest.mark.parametrize("seed", range(12, 72))
@pytest.mark.parametrize("law", LAWS)
def test_law_over_many_pairs(law, seed):
    check_law(law, seed)


def test_the_random_pairs_have_different_regimes():
    regimes = {regime_of(random_motion(seed)[1]) for seed in range(12)}
    assert regimes == {R.FULL, R.PARTIAL, R.PHASE_TRAPPED}


def check_halves(seed):
    system, whole = random_motion(seed)
    halves = ss.regime(system.ensemble().split(2), initial=np.repeat(system.bloch, 2, axis=0))
    assert regime_of(halves) is regime_of(whole)
    if regime_of(whole) is R.IRREGULAR:
        return
    at_fixed_point, detuning = regime_of(whole) is R.FULL, float(np.ptp(system.omega))
    for name, tolerance in (("frequency", 1e-3 * detuning), ("amplitude", 1e-3), ("inversion", 1e-3)):
        twice = np.repeat(whole[name].values, 2)
        np.testing.assert_allclose(halves[name], twice, atol=1e-9 if at_fixed_point else tolerance)
    assert float(halves.order_parameter) == pytest.approx(float(whole.order_parameter), abs=1e-3)
    np.testing.assert_allclose(halves.phase_locking.values[[0, 2], [1, 3]], 1, atol=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_groups_split_into_halves_have_the_same_regime(seed):
    check_halves(seed)


@pytest.mark.parametrize("seed", range(12))
def test_a_distribution_of_one_frequency_is_that_frequency(seed):
    """Lanes and the scalar stepper give the same answer."""
    system, plain = random_motion(seed)
    found = ss.regime(sampled(system.ensemble()), initial=system.bloch)
    assert regime_of(found) is regime_of(plain)
    at_fixed_point, detuning = regime_of(plain) is R.FULL, float(np.ptp(system.omega))
    np.testing.assert_allclose(found.frequency, plain.frequency, atol=1e-9 if at_fixed_point else 1e-3 * detuning)
    for name in ("amplitude", "inversion", "order_parameter"):
        np.testing.assert_allclose(found[name], plain[name], atol=1e-9 if at_fixed_point else 1e-3)
    # s passes the origin at 1e-3, where its phase changes within one sampling interval
    np.testing.assert_allclose(locking(found), locking(plain), atol=1e-9 if at_fixed_point else 1.5e-2)


def unwrapped(system, start, end, step=0.005):
    """Frequencies, amplitudes, inversions, mean of exp(i (phi_a - phi_b)) and R, from a long run of `evolve`."""
    times = np.concatenate([[0.0], np.arange(start, end, step)])
    run = ss.evolve(system.ensemble(), times, initial=system.bloch).isel(time=slice(1, None))
    s = run.coherence.values
    phase = np.unwrap(-np.angle(s), axis=0)
    w = smooth_weights(len(s) - 1)
    e = np.exp(1j * phase)
    means = [w @ value[1:] for value in (abs(s), run.inversion.values, run.order_parameter.values)]
    return w @ np.diff(phase, axis=0) / step, *means, np.einsum("t,ta,tb->ab", w, e[1:], e[1:].conj())


def check_unwrapped(seed):
    system, found = random_motion(seed)
    if regime_of(found) is R.IRREGULAR:
        return
    frequency, amplitude, inversion, order, together = unwrapped(system, 150.0, 450.0)
    detuning, coherent = float(np.ptp(system.omega)), amplitude >= 1e-3
    frequency, together = np.where(coherent, frequency, np.nan), np.where(np.outer(coherent, coherent), together, np.nan)
    np.testing.assert_allclose(found.frequency, frequency, atol=1e-3 * detuning)
    np.testing.assert_allclose(found.amplitude, amplitude, atol=1e-3)
    np.testing.assert_allclose(found.inversion, inversion, atol=1e-3)
    assert float(found.order_parameter) == pytest.approx(order, abs=1e-3)
    # close to s = 0 the phase jumps within one of the hundred samples of a beat, which is an error of 1/100
    np.testing.assert_allclose(locking(found), together, atol=1e-2)


@pytest.mark.parametrize("seed", range(6))
def test_numbers_are_those_of_a_long_run(seed):
    check_unwrapped(seed)


@pytest.mark.slow(slice=0)
@pytest.mark.parametrize("seed", range(6, 48))
def test_numbers_are_those_of_a_long_run_for_many_pairs(seed):
    check_unwrapped(seed)


@pytest.mark.parametrize("gain", [2e-4, 1e-4, 5e-5, 1e-5])
@pytest.mark.parametrize("seed", [0, 3])
def test_a_weakly_pumped_laser_is_full_in_spite_of_its_relaxation_oscillation(gain, seed):
    """The relaxation oscillation decays so slowly, at Gamma_1/2 (4.6), that errors of the steps sustain it."""
    laser = ss.Ensemble.single(gain=gain, damping=0.0, coupling=1.0, theta=-np.pi / 2)
    for one in (laser, laser.split(4)):
        found = ss.regime(one, seed=seed)
        assert ss.label(found.regime) == "full"
        np.testing.assert_allclose(found.amplitude, float(ss.limit_cycle(laser).amplitude), rtol=1e-6)
        assert float(found.lyapunov) == pytest.approx(-gain / 2, rel=1e-6)


@pytest.mark.parametrize(("coupling", "dephasing"), [(1e6, 0.0), (4e5, 1e5), (1e7, 1e6)])
def test_a_small_coherence_is_full_if_the_incoherent_state_is_unstable(coupling, dephasing):
    one = ss.Ensemble.single(gain=3.0, damping=1.0, dephasing=dephasing, coupling=coupling, theta=-np.pi / 2)
    found = ss.regime(one)
    assert float(found.amplitude[0]) < 1e-3
    assert ss.label(found.regime) == "full"
    np.testing.assert_allclose(found.amplitude, float(ss.limit_cycle(one).amplitude), rtol=1e-6)


@pytest.mark.parametrize(("detuning", "cross"), [(0.03, 0.1), (0.026, 0.1), (0.01, 0.0), (0.001, 0.0), (0.012, 0.04)])
def test_exponent_of_groups_that_drift_slowly_past_each_other(detuning, cross):
    """Each relaxes as if alone, at -Gamma_1/2 (4.6) up to the ratio of the couplings, however slow the drift."""
    pair = ss.Ensemble.pair(detuning=detuning, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2, cross_coupling=cross)
    found = ss.regime(pair)
    assert ss.label(found.regime) == "partial"
    assert abs(float(found.lyapunov) + 2.0) < 2 * float(found.lyapunov_error) + cross / 16
    assert float(found.lyapunov_error) < 0.02


def test_a_detuning_that_needs_too_many_steps_is_undecided_at_once():
    found = ss.regime(ss.Ensemble.pair(detuning=1e12, gain=3.0, damping=1.0, coupling=16.0, theta=-np.pi / 2))
    assert ss.label(found.regime) == "undecided"
