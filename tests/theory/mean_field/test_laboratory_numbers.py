"""The numbers of docs/strontium.md against atoms and cavity mode integrated as one system, derived here from the Hamiltonian

H = omega_c a^+ a + sum_i (omega_i sigma^z_i / 2 + g (a^+ sigma^-_i + a sigma^+_i)),

with the cavity's loss D[a], a pump and damping. Averages of products of an atom and the mode are products of averages; |a|^2 is
the number of photons. Frequencies are relative to that of the atoms.
"""

import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.constants import h
from scipy.integrate import solve_ivp
from scipy.special import voigt_profile

import spinsync as ss

PAGE = Path(__file__).parents[3] / "docs" / "strontium.md"
HZ = 2 * np.pi
CLOCK = dict(line=HZ * 1e-3, cooperativity=0.41, atoms=1_000_000)
RED = dict(line=HZ * 7500, cooperativity=0.4, atoms=1000)
BRIGHTEST = 1_000_000 * 0.41 * HZ * 1e-3 / 2  # pump rate N C gamma / 2
LOWER, RAISED = np.array([[0, 1], [0, 0]]), np.array([[0, 0], [1, 0]])  # sigma^-, sigma^+ in the basis g, e
UP = np.diag([-1, 1])


@pytest.fixture(scope="module")
def page():
    """The variables of the page after all of its cells."""
    names = {}
    for cell in re.findall(r"```\{code-cell\} ipython3\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        if "%config" not in cell:
            exec(cell, names)
            plt.close("all")
    return names


@dataclass(frozen=True)
class Laser:
    """Atoms that differ in their frequencies alone, and the share of each frequency."""

    line: float
    cooperativity: float
    atoms: int
    pump: float
    cavity_line: float = HZ * 150e3
    cavity_detuning: float = 0.0
    frequencies: tuple[float, ...] = (0.0,)
    shares: tuple[float, ...] = (1.0,)

    @property
    def g(self):
        """Half of the single-photon Rabi frequency 2g, whose square is C cavity_line line."""
        return np.sqrt(self.cooperativity * self.cavity_line * self.line) / 2

    @property
    def relaxation(self):
        """Of the coherence of an atom."""
        return (self.pump + self.line) / 2

    def faster(self, factor):
        """The same cooperativity in a cavity with a broader line, which follows the atoms better."""
        return replace(self, cavity_line=factor * self.cavity_line)

    def derivative(self, y, frame=0.0):
        """d/dt of (a, s of each frequency, z of each frequency), complex, in the frame that turns with a frequency."""
        count = len(self.shares)
        a, s, z = y[0], y[1 : count + 1], y[count + 1 :].real
        emitted = 2 * self.g * (np.conj(a) * s).imag  # photons per atom and time
        field = -(1j * (self.cavity_detuning - frame) + self.cavity_line / 2) * a - 1j * self.g * self.atoms * (self.shares @ s)
        coherence = -(1j * (np.array(self.frequencies) - frame) + self.relaxation) * s + 1j * self.g * a * z
        inversion = self.pump * (1 - z) - self.line * (1 + z) - 2 * emitted
        return np.concatenate([[field], coherence, inversion])

    def motion(self, times, frame=0.0, accuracy=1e-10, start=None):
        """(a, s, z) at the times, by default from a small field."""
        count = len(self.shares)
        if start is None:
            start = np.concatenate([[1 + 0.5j], np.full(count, 0.1 - 0.05j), np.full(count, 0.3)])
        start = start.astype(complex)
        found = solve_ivp(
            lambda _, y: self.derivative(y.view(complex), frame).view(float), (0, times[-1]), start.view(float),
            method="LSODA", t_eval=times, rtol=accuracy, atol=1e-2 * accuracy,
        )  # fmt: skip
        assert found.success
        y = np.ascontiguousarray(found.y.T).view(complex)
        return y[:, 0], y[:, 1 : count + 1], y[:, count + 1 :].real

    def cycle(self, frame=0.0):
        """(frequency of the light, state) after a time in which everything has relaxed."""
        end, step = 60 / self.relaxation, 0.01 / self.relaxation
        a, s, z = self.motion(np.array([0, end, end + step]), frame)
        assert abs(a[2] / a[1]) == pytest.approx(1, abs=1e-7)
        return frame - np.angle(a[2] / a[1]) / step, np.concatenate([a[2:], s[2], z[2]])

    def jacobian(self, state, frame=0.0):
        """Of (Re a, Im a, Re s, Im s, z) of atoms of one frequency; the equations are quadratic, so differences are exact."""

        def real(x):
            out = self.derivative(np.array([x[0] + 1j * x[1], x[2] + 1j * x[3], x[4]]), frame)
            return np.array([out[0].real, out[0].imag, out[1].real, out[1].imag, out[2].real])

        center = np.array([state[0].real, state[0].imag, state[1].real, state[1].imag, state[2].real])
        steps = np.diag([1.0, 1.0, 0.01, 0.01, 0.01])
        return np.array([(real(center + d) - real(center - d)) / (2 * d.max()) for d in steps]).T

    def spectrum(self, offsets):
        """Of the light per atom, int <J_+(0) J_-(t)> exp(i nu t) dt / N, by Langevin equations linearized at the cycle."""
        frequency, state = self.cycle()
        jacobian, noise = self.jacobian(state, frequency), np.zeros((5, 5), complex)
        quadratures = [(LOWER + RAISED) / 2, (LOWER - RAISED) / 2j, UP]
        s, z = state[1], state[2].real
        rho = np.array([[(1 - z) / 2, np.conj(s)], [s, (1 + z) / 2]])
        jumps = [np.sqrt(self.pump) * RAISED, np.sqrt(self.line) * LOWER]
        noise[2:, 2:] = [[einstein(rho, jumps, one, two) / self.atoms for two in quadratures] for one in quadratures]
        noise[:2, :2] = self.cavity_line / 4 * np.array([[1, 1j], [-1j, 1]])  # of the vacuum
        lower = np.array([0, 0, 1, 1j, 0])
        ahead, behind = ([np.linalg.inv(-1j * nu * np.eye(5) - jacobian) for nu in sign * offsets] for sign in (1, -1))
        return np.array([
            self.atoms * (lower.conj() @ back @ noise @ forth.T @ lower).real for forth, back in zip(ahead, behind, strict=True)
        ])  # fmt: skip


def einstein(rho, jumps, one, two):
    """Strength <F_one F_two> of the noise that the jumps L make: sum <[L^+, one][two, L]>."""
    commutator = lambda x, y: x @ y - y @ x  # noqa: E731
    return sum(np.trace(rho @ commutator(jump.conj().T, one) @ commutator(two, jump)) for jump in jumps)


def mean_frequencies(laser, start, end):
    """Of the coherence of each class, averaged over a window that falls smoothly to zero at both ends."""
    times = np.concatenate([[0], np.linspace(start, end, 20001)])
    _, s, _ = laser.motion(times, accuracy=1e-9)
    x = np.linspace(-1, 1, 20001)[1:] - 0.5e-4
    window = np.exp(-1 / (1 - x**2))
    rates = -np.angle(s[2:] / s[1:-1]) / (times[2] - times[1])
    return window @ rates / window.sum()


def growth(laser):
    """The largest growth rate of a field, with the inversion that the pump alone makes."""
    z0 = (laser.pump - laser.line) / (laser.pump + laser.line)
    return np.linalg.eigvals(
        [[-laser.cavity_line / 2, -1j * laser.g * laser.atoms], [1j * laser.g * z0, -laser.relaxation]]
    ).real.max()


def test_lasing_begins_and_ends_where_the_page_says(page):
    laser = Laser(**CLOCK, pump=BRIGHTEST)
    assert page["pump"] == pytest.approx(BRIGHTEST)
    for side in (-1e-7, 1e-7):
        assert np.sign(growth(replace(laser, pump=page["weakest"] * (1 + side)))) == np.sign(side)
        assert np.sign(growth(replace(laser, pump=page["strongest"] * (1 + side)))) == -np.sign(side)
        assert np.sign(growth(replace(laser, atoms=page["fewest"] * (1 + side)))) == np.sign(side)


def test_the_light_of_the_clock_transition(page):
    laser = Laser(**CLOCK, pump=BRIGHTEST)
    _, (a, _, _) = laser.cycle()
    assert page["photons"] == pytest.approx(abs(a) ** 2, rel=1e-7)
    assert page["flux"] == pytest.approx(laser.cavity_line * abs(a) ** 2, rel=1e-7)
    assert page["power"] == pytest.approx(laser.cavity_line * abs(a) ** 2 * h * 299792458 / 698.446e-9, rel=1e-5)
    assert page["flux"] == pytest.approx(laser.atoms**2 * 0.41 * laser.line / 8, rel=1e-4)
    for w, power in zip(page["pumps"][10:100:30], page["powers"][10:100:30], strict=True):
        a = replace(laser, pump=w).cycle()[1][0]
        assert power == pytest.approx(laser.cavity_line * abs(a) ** 2 * h * page["optical_frequency"], rel=1e-6)


def test_the_pulling_of_the_clock_transition(page):
    laser = Laser(**CLOCK, pump=BRIGHTEST, cavity_detuning=HZ * 30e3)
    frequency, _ = laser.cycle()
    assert page["pulling"] == pytest.approx(frequency / HZ, rel=1e-6)
    far = laser.faster(1000)
    eliminated, _ = replace(far, cavity_detuning=1000 * laser.cavity_detuning).cycle()
    assert page["pulling_eliminated"] == pytest.approx(eliminated / HZ, rel=1e-5)
    assert f"{page['pulling_eliminated']:.3f} {page['pulling']:.3f}" == "41.000 40.944"
    assert (page["pulling_eliminated"] - page["pulling"]) / page["linewidth"] == pytest.approx(90, abs=1)


def test_linewidth_and_foot_are_those_of_linearized_quantum_noise(page):
    laser = Laser(**CLOCK, pump=BRIGHTEST)
    slow = np.array([0.1])  # much slower than the relaxation, much faster than the phase
    for one in (laser, laser.faster(100)):
        _, (_, s, _) = one.cycle()
        width = one.spectrum(slow) * slow**2 / (one.atoms * abs(s) ** 2)
        memory = (1 + 2 * one.relaxation / one.cavity_line) ** 2  # of the mode, as the page says
        assert page["linewidth"] == pytest.approx(width.item() * memory / HZ, rel=1e-5)
    foot = laser.spectrum(HZ * page["offset"])
    np.testing.assert_allclose(page["exact"], foot, rtol=0.075)  # of the order of 1/N, as the page says
    excess = np.trapezoid(foot - page["wings"], page["offset"]) * 2 / (laser.atoms * abs(s) ** 2)
    assert f"{excess:.0e}" == "3e-06"


def test_relaxation_oscillations(page):
    for factor in (1, 100):
        laser = Laser(**CLOCK, pump=BRIGHTEST).faster(factor)
        frequency, state = laser.cycle()
        rates = np.linalg.eigvals(laser.jacobian(state, frequency))
        rate = rates[np.argmax(rates.imag)]
        assert page["exponent"] == pytest.approx(rate, rel=8 * laser.relaxation / laser.cavity_line)
    s = laser.motion(page["switched_on"].time.values, start=np.array([0, 0.5e-3, -1]))[1][:, 0]
    np.testing.assert_allclose(page["switched_on"].order_parameter, 2 * abs(s), atol=1e-3)


@pytest.mark.parametrize(
    ("name", "pump", "detuning", "start", "end"),
    [("locked", BRIGHTEST, 30.0, 0.1, 0.2), ("drifting", 300.0, 100, 0.1, 0.4)],
)
def test_two_clouds_in_the_cavity(page, name, pump, detuning, start, end):
    """The page eliminates the mode; its error is of the order of the relaxation rate over the cavity's line."""
    stated = page["locked_frequencies"] if name == "locked" else page["motions"][detuning].frequency.values / HZ
    half = HZ * detuning / 2
    laser = Laser(**CLOCK, pump=pump, frequencies=(half, -half), shares=(0.75, 0.25))
    for factor in (1, 30):
        found = mean_frequencies(laser.faster(factor), start, end) / HZ
        error = 8 * laser.relaxation / laser.cavity_line / factor
        np.testing.assert_allclose(stated, found, rtol=error)


def test_the_clouds_part_where_the_page_says(page):
    both = page["apart"].frequency.values / HZ
    together = abs(both[:, 0] - both[:, 1]) < 1e-3
    assert page["apart"].detuning.values[together].max() / HZ == pytest.approx(95)
    for index in (38, 39):
        half = HZ * 1.25 * index
        laser = Laser(**CLOCK, pump=300.0, frequencies=(half, -half), shares=(0.75, 0.25))
        found = mean_frequencies(laser, 0.1, 0.4) / HZ
        np.testing.assert_allclose(both[index], found, atol=0.2)


@cache
def two_clouds(detuning):
    """|<s>| of all atoms and s of each cloud, (time, cloud), at the pump of 300/s, after the transient."""
    half = HZ * detuning / 2
    laser = Laser(**CLOCK, pump=300.0, frequencies=(half, -half), shares=(0.75, 0.25)).faster(30)
    _, s, _ = laser.motion(np.concatenate([[0], np.linspace(1.0, 1.2, 4001)]), accuracy=1e-9)
    return abs(s[1:] @ [0.75, 0.25]), s[1:]


def test_the_light_of_two_clouds_is_one_line_only_as_far_as_the_page_says(page):
    """Beyond the end of one line the mean frequencies are still equal, but the light pulsates."""
    assert page["line_ends"] == pytest.approx(77.65, abs=0.02)  # where the full state of the six equations loses its stability
    for detuning, calm in ((page["line_ends"] - 3, True), (page["line_ends"] + 3, False), (95, False)):
        light, _ = two_clouds(detuning)
        assert (np.ptp(light) < 1e-3 * light.mean()) == calm, detuning
    names = list(page["found_at"])
    assert names == ["full", "phase-trapped", "partial"]
    ends = [float(page["found_at"][name][-1]) for name in names]
    assert ends[0] < page["line_ends"] < ends[0] + 2.5


@pytest.mark.parametrize("detuning", [70, 95, 100])
def test_the_mean_flux_of_two_clouds(page, detuning):
    """Means over beats whose number is not whole: a window that falls smoothly to zero at both ends."""
    light, _ = two_clouds(detuning)
    window = np.exp(-1 / (1 - np.linspace(-1, 1, light.size + 2)[1:-1] ** 2))
    mean, squares = (window @ x / window.sum() for x in (light, light**2))
    order = page["light_of"][detuning].order_parameter / 2
    assert float((order**2).mean()) == pytest.approx(squares, rel=5e-3)
    assert 1 - mean**2 / squares == pytest.approx(0.0 if detuning == 70 else 0.148, abs=0.004)


def test_the_small_cloud_passes_through_zero_where_it_begins_to_lose_turns():
    at, before = (abs(two_clouds(detuning)[1][:, 1]).min() for detuning in (96.3, 90.0))
    assert at < 2e-3
    assert before > 0.02


def test_an_inhomogeneous_width(page):
    std = HZ * 50 / np.sqrt(8 * np.log(2))
    nodes, shares = np.polynomial.hermite_e.hermegauss(12)
    laser = Laser(**CLOCK, pump=BRIGHTEST, frequencies=tuple(std * nodes), shares=tuple(shares / shares.sum()))
    _, state = laser.cycle()
    light = laser.cavity_line * abs(state[0]) ** 2
    assert page["spread_flux"] == pytest.approx(light, rel=4 * laser.relaxation / laser.cavity_line)

    def gain(pump):
        """Of the field in one passage, in units of its loss: 1 at the threshold."""
        one = replace(laser, pump=pump)
        z0 = (pump - one.line) / (pump + one.line)
        return 2 * one.atoms * one.g**2 / one.cavity_line * z0 * np.pi * voigt_profile(0, std, one.relaxation)

    for end, sign in zip(page["spread_pumps"], (1, -1), strict=True):
        assert sign * (gain(end * (1 + 1e-4)) - 1) > 0
        assert sign * (gain(end * (1 - 1e-4)) - 1) < 0


@pytest.mark.parametrize("pump", [100, 10])
def test_the_light_of_the_red_line(page, pump):
    laser = Laser(**RED, pump=pump * HZ * 7500, cavity_detuning=HZ * 20e3)
    frequency, (a, _, z) = laser.cycle()
    found = page["broad_light"][pump]
    assert float(found.cavity_frequency) == pytest.approx(frequency, rel=1e-6)
    assert float(found.photon_number) == pytest.approx(abs(a) ** 2, rel=1e-6)
    assert float(found.cavity_threshold) == pytest.approx(z.real, rel=1e-6)
    assert found.cavity_stable
    eliminated = replace(laser, cavity_detuning=1e4 * laser.cavity_detuning).faster(1e4).cycle()[0]
    assert float(found.frequency) == pytest.approx(eliminated, rel=1e-2)


@pytest.mark.parametrize("detuning", [20e3, 0.0])
def test_the_red_line_pulsates_when_it_is_pumped_weakly(page, detuning):
    laser = Laser(**RED, pump=2 * HZ * 7500, cavity_detuning=HZ * detuning)
    found = page["broad_light"][2] if detuning else page["steady"]
    times = np.arange(0, 1e-3, 5e-8)
    start = np.array([-0.1j * np.sqrt(1000), 0.1, 0.3])  # that of the page, where the field is real
    order = 2 * abs(laser.motion(times, accuracy=1e-9, start=start)[1][:, 0])
    assert not found.cavity_stable
    assert order[times > 0.5e-3].max() > 1.5 * order[times > 0.5e-3].mean()
    if not detuning:  # later the pulses are chaotic
        np.testing.assert_allclose(order[:2001], 2 * abs(page["s"][:2001]), atol=1e-5)
        assert page["pulse_order"].max() == pytest.approx(order[times > 0.1e-3].max(), rel=0.1)
        assert page["pulse_order"].min() < 0.01


@pytest.mark.parametrize("weak", [True, False])
def test_below_the_second_threshold_the_start_decides(page, weak):
    """Where the page says so: stable is what withstands small deviations."""
    pump = 4.5 * HZ * 7500
    ensemble = page["pulsed"].replace(gain=pump)
    found, laser = ss.limit_cycle(ensemble), Laser(**RED, pump=pump, cavity_detuning=0.0)
    assert found.cavity_stable
    field, z = np.sqrt(float(found.photon_number)), float(found.cavity_threshold)
    cycle = np.array([-1j * field, page["broad_g"] * field * z / ensemble.groups[0].gamma_perp, z])
    start = np.array([-0.1j * np.sqrt(1000), 0.1, 0.3]) if weak else 1.01 * cycle
    times = np.arange(0, 1.5e-3, 5e-8)
    order = 2 * abs(laser.motion(times, accuracy=1e-8, start=start)[1][times > 1.3e-3, 0])
    if weak:
        assert order.max() > 2 * order.mean()
    else:
        np.testing.assert_allclose(order, 2 * abs(cycle[1]), rtol=3e-3)  # from 1e-2


def test_the_page_warns_of_the_red_line_alone(page):
    assert [warning.category for warning in page["caught"]] == [ss.CavityWarning]
    assert "Gamma_perp" in str(page["caught"][0].message)
