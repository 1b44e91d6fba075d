"""The closed forms of a kept cavity against integration and linearization of the equations as written here, (7.2)."""

import warnings

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import spinsync as ss
from spinsync.model.cavities import cavity_of
from spinsync.theory.mean_field.kept_cavity import KeptCavity

HZ = 2 * np.pi
FIELD = HZ * 150e3  # of the strontium cavity, full width
LORENZ = dict(gain=3.0, damping=1.0)


def laser(**parameters):
    """A cavity, also outside of the limit of the elimination."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ss.CavityWarning)
        return ss.Ensemble.cavity(**parameters)


def strontium(line, cooperativity, **parameters):
    return laser(
        vacuum_coupling=np.sqrt(cooperativity * line * FIELD) / 2, cavity_decay=FIELD, damping=line, **parameters
    )  # fmt: skip


def derivative(ensemble, frame=0.0):
    """d/dt of (Re alpha, Im alpha, Re s, Im s, z) in the frame that turns with a frequency."""
    p = ensemble.recipe.parameters
    omega = p["frequency"] - frame
    omega_c = omega + p["cavity_detuning"]
    strength = p["vacuum_coupling"] * np.sqrt(p["spins"])
    perp = (p["gain"] + p["damping"]) / 2 + p["dephasing"]

    def right_hand_side(_, y):
        alpha, s, z = y[0] + 1j * y[1], y[2] + 1j * y[3], y[4]
        light = -(p["cavity_decay"] / 2 + 1j * omega_c) * alpha - 1j * strength * s
        spin = -(perp + 1j * omega) * s + 1j * strength * alpha * z
        inversion = -(p["gain"] + p["damping"]) * z + p["gain"] - p["damping"] + 4 * (strength * alpha * np.conj(s)).imag
        return np.array([light.real, light.imag, spin.real, spin.imag, inversion])

    return right_hand_side


def motion(ensemble, times, frame=0.0, start=(0.01, 0.02, 0.1, -0.05, 0.1), accuracy=1e-11):
    found = solve_ivp(
        derivative(ensemble, frame), (0, times[-1]), start, method="DOP853", t_eval=times, rtol=accuracy, atol=1e-2 * accuracy
    )
    return found.y[0] + 1j * found.y[1], found.y[2] + 1j * found.y[3], found.y[4]


def random_laser(seed, strongest=3.0):
    """A laser above its threshold, with any ratio of the rates; the seed counts from those that lase."""
    rng = np.random.default_rng(seed)
    while True:
        decay = np.exp(rng.uniform(-1, 4))
        one = laser(
            spins=(spins := int(rng.integers(10, 1000))), vacuum_coupling=np.exp(rng.uniform(0, strongest)) / np.sqrt(spins),
            cavity_decay=decay, cavity_detuning=0.3 * decay * rng.normal(), gain=rng.uniform(1, 3), damping=rng.uniform(0, 1),
            dephasing=rng.uniform(0, 0.5), frequency=rng.normal(),
        )  # fmt: skip
        found = ss.limit_cycle(one)
        if found.photon_number > 0 and one.groups[0].z0 > 1.1 * found.cavity_threshold:
            return one, found


def growth_rates(ensemble, found):
    """The rates of perturbations of the cycle, but for the phase, from differences of the equations."""
    p = ensemble.recipe.parameters
    alpha = np.sqrt(float(found.photon_number) / p["spins"])
    function = derivative(ensemble, float(found.cavity_frequency))
    pulled = p["frequency"] - float(found.cavity_frequency)
    perp = (p["gain"] + p["damping"]) / 2 + p["dephasing"]
    z = float(found.cavity_threshold)
    s = 1j * p["vacuum_coupling"] * np.sqrt(p["spins"]) * alpha * z / (perp + 1j * pulled)
    cycle = np.array([alpha, 0, s.real, s.imag, z])
    np.testing.assert_allclose(function(0, cycle), 0, atol=1e-12 * p["cavity_decay"])
    jacobian = np.array([(function(0, cycle + h) - function(0, cycle - h)) / 2e-4 for h in 1e-4 * np.eye(5)]).T  # quadratic
    rates = np.linalg.eigvals(jacobian)
    return np.delete(rates, np.argmin(abs(rates)))


@pytest.mark.parametrize("seed", range(8))
def test_a_long_motion_with_the_cavity_kept_has_its_values(seed):
    one, found = random_laser(seed)
    if not found.cavity_stable:
        pytest.skip("pulsates")
    p, rate = one.recipe.parameters, -growth_rates(one, found).real.max()
    end = 25 / rate
    alpha, _, z = motion(one, np.array([0, end, end + 0.01]), frame=float(found.cavity_frequency))
    assert abs(np.angle(alpha[2] / alpha[1])) / 0.01 < 1e-5
    assert p["spins"] * abs(alpha[2]) ** 2 == pytest.approx(float(found.photon_number), rel=1e-6)
    assert p["cavity_decay"] * p["spins"] * abs(alpha[2]) ** 2 == pytest.approx(float(found.photon_flux), rel=1e-6)
    assert z[2] == pytest.approx(float(found.cavity_threshold), rel=1e-6)


def test_stability_is_that_of_the_linearized_equations():
    stable = []
    for seed in range(60):
        one, found = random_laser(seed, strongest=6.0)
        rates = growth_rates(one, found)
        ours = np.linalg.eigvals(KeptCavity(cavity_of(one.recipe), one.groups[0]).jacobian())
        size = abs(rates).max()
        np.testing.assert_allclose(np.poly(ours / size), np.poly(np.append(rates, 0) / size), atol=1e-7)
        rate = rates.real.max()
        stable.append(bool(found.cavity_stable))
        assert stable[-1] == (rate < 0) or abs(rate) < 1e-6, seed
    assert 5 < sum(stable) < 55


@pytest.mark.parametrize("sigma", [6.0, 8.0, 40.0])
def test_on_resonance_the_second_threshold_is_that_of_lorenz(sigma):
    perp, relaxation, z0 = 2.0, 4.0, 0.5
    b = relaxation / perp
    pump = sigma * (sigma + b + 3) / (sigma - b - 1)
    for ratio, stable in ((1 - 1e-6, True), (1 + 1e-6, False)):
        coupling = np.sqrt(2 * sigma * perp**2 * pump * ratio / z0)  # z0/z* = 2 G^2 z0 / (kappa_c Gamma_perp)
        found = ss.limit_cycle(laser(spins=1, vacuum_coupling=coupling / np.sqrt(2), cavity_decay=2 * sigma * perp, **LORENZ))
        assert z0 / float(found.cavity_threshold) == pytest.approx(pump * ratio, rel=1e-12)
        assert bool(found.cavity_stable) is stable
    large = ss.limit_cycle(laser(spins=1, vacuum_coupling=1e4, cavity_decay=2 * 2.9 * perp, **LORENZ))  # sigma < b + 1
    assert bool(large.cavity_stable)


def test_where_nothing_lases_there_are_no_photons():
    for coupling in (0.0, 0.1):
        found = ss.limit_cycle(laser(spins=100, vacuum_coupling=coupling, cavity_decay=40.0, **LORENZ))
        assert np.isnan(found.cavity_frequency)
        assert float(found.photon_number) == float(found.photon_flux) == 0
        assert not found.cavity_stable
        assert float(found.cavity_threshold) == pytest.approx(np.inf if coupling == 0 else 40.0)
    assert not ss.limit_cycle(laser(spins=100, vacuum_coupling=9.0, cavity_decay=40.0, gain=0.0, damping=0.0)).cavity_stable


def test_a_cavity_that_follows_has_the_values_of_the_eliminated_one():
    for decay in (1e4, 1e6):
        one = laser(
            spins=1000, vacuum_coupling=np.sqrt(6 * decay / 1000), cavity_decay=decay, cavity_detuning=0.3 * decay, **LORENZ
        )  # fmt: skip
        found = ss.limit_cycle(one)
        for name, other in (("cavity_frequency", "frequency"), ("cavity_threshold", "inversion")):
            assert float(found[name]) == pytest.approx(float(found[other]), rel=10 / decay)
        light = abs(one.coupling_matrix[0, 0]) * abs(np.sin(np.angle(one.coupling_matrix[0, 0])))  # N Gamma_c / 2
        assert float(found.photon_flux) == pytest.approx(2 * light * 1000 * float(found.amplitude) ** 2, rel=10 / decay)
        assert found.cavity_stable


def test_the_lines_of_strontium():
    """Of a clock transition, and of a broad line where the eliminated cavity is far off."""
    optimum = strontium(HZ * 1e-3, 0.41, spins=10**6, gain=HZ * 205.0, cavity_detuning=HZ * 30e3)
    clock = ss.limit_cycle(optimum)
    assert float(clock.frequency) / HZ == pytest.approx(41.000, abs=1e-3)
    assert float(clock.cavity_frequency) / HZ == pytest.approx(40.944, abs=1e-3)
    for pump, eliminated, kept in ((100, 101e3, 16.7e3), (10, 11.0e3, 7.1e3)):
        broad = strontium(HZ * 7500, 0.4, spins=1000, gain=pump * HZ * 7500, cavity_detuning=HZ * 20e3)
        found = ss.limit_cycle(broad)
        assert float(found.frequency) / HZ == pytest.approx(eliminated, rel=0.01)
        assert float(found.cavity_frequency) / HZ == pytest.approx(kept, rel=0.01)
        turned = motion(broad, np.array([0, 2e-4, 2e-4 + 1e-7]), start=(0, 0, 0.1, 0, 0.1))[0]
        assert -np.angle(turned[2] / turned[1]) / 1e-7 == pytest.approx(float(found.cavity_frequency), rel=1e-5)
    assert abs(float(found.frequency) - float(found.cavity_frequency)) > HZ * 3e3


def test_a_strongly_coupled_line_pulsates_without_end():
    one = strontium(HZ * 7500, 0.4, spins=1000, gain=2 * HZ * 7500)
    found = ss.limit_cycle(one)
    assert found.synchronized
    assert not found.cavity_stable
    assert np.all(found.floquet_exponent.real <= 0)  # of the eliminated cavity
    perp = one.groups[0].gamma_perp
    late = 2 * abs(motion(one, np.linspace(0, 300 / perp, 6001), accuracy=1e-9)[1][4000:])
    assert late.max() > 0.2
    assert late.min() < 0.02


def test_only_a_cavity_of_one_frequency_has_them():
    one = laser(spins=100, vacuum_coupling=1.0, cavity_decay=200.0, **LORENZ)
    assert "photon_number" in ss.limit_cycle(one)
    for other in (one.replace(**{"A.A.theta": -1.0}), one.replace(frequency=ss.Lorentzian(0.1)), one.split(1)):
        assert "photon_number" not in ss.limit_cycle(other)
