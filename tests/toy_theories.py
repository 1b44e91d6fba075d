"""Small theories that differ from mean field, each with its exact answers. All make problems of the kind Flow.

RateEquations has no coherence; Beating has a complex variable that is neutral (invariant under U(1)), StuartLandau a neutral
limit cycle; DrivenSpins and Parametric have no U(1) symmetry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.linalg import expm

import spinsync as ss
from spinsync.base.compiled import compiled
from spinsync.model import bloch_vectors
from spinsync.problems.flow.record import SIGNATURE, Flow


class Toy:
    """Base class: the start of a problem is given by Bloch vectors of the groups."""

    kinds: ClassVar[tuple[type, ...]] = (Flow,)
    hints: ClassVar[Mapping[str, str]] = {}
    maps: ClassVar[str] = "regimes"
    equation: ClassVar[Any] = None  # no kernels with SIMD lanes

    def lower(self, ensemble, initial, seed, each=False):
        start = bloch_vectors.random_start(ensemble.rates, seed) if initial is None else initial
        return self.flow(ensemble.rates, (None,) * len(start), ensemble.names, start)


def flow_of(names, weight, groups, frame=0.0, **parts: Any) -> Flow:
    """A Flow whose observables follow from `groups`: states -> coherence and inversion of each group."""

    def observe(states, times):
        s, z = groups(states)
        s = s * np.exp(-1j * frame * times)[:, None]
        return {
            "coherence": (("time", "group"), s),
            "inversion": (("time", "group"), z),
            "order_parameter": (("time",), 2 * abs(s @ weight)),
        }

    coordinates = {"group": ("group", np.array(names))}
    return Flow(groups=groups, observe=observe, coordinates=coordinates, frame=frame, rtol=1e-11, atol=1e-13, **parts)


@compiled(SIGNATURE)
def stimulated(y, table, coupling, out):
    """net gain - k z^2."""
    for i in range(y.size):
        out[i] = table[0, i] - table[1, i] * y[i].real ** 2


@compiled(SIGNATURE)
def stimulated_with_tangent(y, table, coupling, out):
    for i in range(y.size // 2):
        z, dz = y[i].real, y[y.size // 2 + i].real
        out[i] = table[0, i] - table[1, i] * z**2
        out[y.size // 2 + i] = -2 * table[1, i] * z * dz


@dataclass(frozen=True)
class RateEquations(Toy):
    """dz/dt = net gain - Gamma_1 z - k z^2 for each group: populations only, all neutral."""

    def flow(self, rates, distributions, names, initial):
        z, k = initial[:, 2].astype(complex), abs(np.diagonal(rates.coupling))
        return flow_of(
            names, rates.weight, lambda states: (np.zeros_like(states), states.real), nonlinear=stimulated,
            tangent=stimulated_with_tangent, decay=rates.gamma_1 + 0j, table=np.stack([rates.net_gain, k]),
            coupling=np.zeros((1, 1), complex), start=z, symmetry=np.zeros(z.size, int), real=np.ones(z.size, bool),
            fastest_rate=float(rates.gamma_1.max()),
        )  # fmt: skip

    def motion(self, ensemble, initial, times):
        """Riccati's equation: (z - z_+)/(z - z_-) decays at the difference of the roots."""
        r = ensemble.rates
        k, z = abs(np.diagonal(r.coupling)), initial[:, 2]
        root = np.sqrt(r.gamma_1**2 + 4 * k * r.net_gain)
        high, low = (-r.gamma_1 + root) / (2 * k), (-r.gamma_1 - root) / (2 * k)
        ratio = (z - high) / (z - low) * np.exp(-root * np.asarray(times)[:, None])
        return (high - low * ratio) / (1 - ratio)

    def growth(self, ensemble):
        r = ensemble.rates
        return -np.sqrt(r.gamma_1**2 + 4 * abs(np.diagonal(r.coupling)) * r.net_gain)


@compiled(SIGNATURE)
def squeezed(y, table, coupling, out):
    """f + k c* for the complex variable, net gain + q |c|^2 for the inversions."""
    out[0] = table[0, 0] + table[1, 0] * y[0].conjugate()
    for i in range(1, y.size):
        out[i] = table[0, i] + table[1, i] * abs(y[0]) ** 2


@compiled(SIGNATURE)
def squeezed_with_tangent(y, table, coupling, out):
    n = y.size // 2
    out[0] = table[0, 0] + table[1, 0] * y[0].conjugate()
    out[n] = table[1, 0] * y[n].conjugate()
    for i in range(1, n):
        out[i] = table[0, i] + table[1, i] * abs(y[0]) ** 2
        out[n + i] = 2 * table[1, i] * (y[0].conjugate() * y[n]).real


@dataclass(frozen=True)
class Beating(Toy):
    """A neutral complex correlation c of two groups, which oscillates at their detuning, and inversions that depend on it.

    dc/dt = -(Gamma + i Delta) c + k c* + f and dz/dt = net gain - Gamma_1 z + q |c|^2. Without Delta, Re c and Im c would have
    the eigenvalues k - Gamma and -k - Gamma; together they have -Gamma +- sqrt(k^2 - Delta^2).
    """

    source: float = 0.3  # f
    feed: float = 0.1  # q

    def numbers(self, rates):
        return float(rates.gamma_perp.mean()), float(rates.omega[0] - rates.omega[1]), float(abs(rates.coupling[0, 1]))

    def flow(self, rates, distributions, names, initial):
        (gamma, delta, k), groups = self.numbers(rates), rates.weight.size
        m, real = initial, np.arange(groups + 1) > 0
        c = (m[0, 0] + 1j * m[0, 1]) * (m[1, 0] - 1j * m[1, 1]) / 4
        return flow_of(
            names, rates.weight, lambda states: (np.zeros_like(states[:, 1:]), states[:, 1:].real), nonlinear=squeezed,
            tangent=squeezed_with_tangent, decay=np.concatenate([[gamma + 1j * delta], rates.gamma_1]),
            table=np.stack([np.append(self.source, rates.net_gain), np.append(k, np.full(groups, self.feed))]),
            coupling=np.zeros((1, 1), complex), start=np.concatenate([[c], m[:, 2]]), symmetry=0 * real, real=real,
            fastest_rate=gamma + abs(delta) + k,
        )  # fmt: skip

    def generator(self, ensemble):
        """Jacobian of (Re c, Im c)."""
        gamma, delta, k = self.numbers(ensemble.rates)
        return np.array([[k - gamma, delta], [-delta, -k - gamma]])

    def fixed_point(self, ensemble):
        re, im = np.linalg.solve(self.generator(ensemble), [-self.source, 0])
        r = ensemble.rates
        return re + 1j * im, (r.net_gain + self.feed * (re**2 + im**2)) / r.gamma_1

    def correlation(self, ensemble, initial, times):
        fixed, _ = self.fixed_point(ensemble)
        m = initial
        c = (m[0, 0] + 1j * m[0, 1]) * (m[1, 0] - 1j * m[1, 1]) / 4 - fixed
        moved = np.array([expm(self.generator(ensemble) * t) @ [c.real, c.imag] for t in times])
        return fixed + moved[:, 0] + 1j * moved[:, 1]

    def growth(self, ensemble):
        gamma, delta, k = self.numbers(ensemble.rates)
        both = -gamma + np.array([1, -1]) * np.sqrt(k**2 - delta**2 + 0j)
        return np.sort(np.concatenate([both.real, -ensemble.rates.gamma_1]))[::-1]


@compiled(SIGNATURE)
def driven(y, table, coupling, out):
    """i h z and net gain + 4 Im(h s*), with the same field h for all groups."""
    n, h = y.size // 2, coupling[0, 0]
    for i in range(n):
        out[i] = 1j * h * y[n + i].real
        out[n + i] = table[0, i] + 4 * (h * y[i].conjugate()).imag


@compiled(SIGNATURE)
def driven_with_tangent(y, table, coupling, out):
    n, h = y.size // 4, coupling[0, 0]
    for i in range(n):
        out[i] = 1j * h * y[n + i].real
        out[n + i] = table[0, i] + 4 * (h * y[i].conjugate()).imag
        out[2 * n + i] = 1j * h * y[3 * n + i].real
        out[3 * n + i] = 4 * (h * y[2 * n + i].conjugate()).imag


@dataclass(frozen=True)
class DrivenSpins(Toy):
    """Optical Bloch equations of uncoupled spins in the field h e^{-i nu t} of a laser, which breaks the U(1) symmetry."""

    strength: float = 0.73
    angle: float = 0.3
    nu: float = 1.5

    @property
    def field(self):
        return self.strength * np.exp(1j * self.angle)

    def flow(self, rates, distributions, names, initial):
        s, z = bloch_vectors.coherences(initial)
        n = z.size
        return flow_of(
            names, rates.weight, lambda states: (states[:, :n], states[:, n:].real), frame=self.nu, nonlinear=driven,
            tangent=driven_with_tangent, decay=np.concatenate([rates.gamma_perp + 1j * (rates.omega - self.nu), rates.gamma_1]),
            table=rates.net_gain[None, :], coupling=np.array([[self.field]]), start=np.concatenate([s, z]).astype(complex),
            symmetry=None, real=np.repeat([False, True], n),
            fastest_rate=float(abs(rates.omega - self.nu).max() + abs(self.field)),
        )  # fmt: skip

    def fixed_point(self, ensemble):
        r, h = ensemble.rates, self.field
        answer = 1 / (r.gamma_perp + 1j * (r.omega - self.nu))
        z = r.net_gain / (r.gamma_1 + 4 * abs(h) ** 2 * answer.real)
        return 1j * h * z * answer, z

    def generators(self, ensemble):
        """Jacobian of (Re s, Im s, z) for each group, with a real field: its phase changes no eigenvalue."""
        r, h = ensemble.rates, abs(self.field)
        for g, delta, g1 in zip(r.gamma_perp, r.omega - self.nu, r.gamma_1, strict=True):
            yield np.array([[-g, delta, 0], [-delta, -g, h], [0, -4 * h, -g1]])

    def growth(self, ensemble):
        """Roots of (x + Gamma_1)((x + g)^2 + delta^2) + 4 h^2 (x + g); on resonance -g, and a pair."""
        r, h = ensemble.rates, abs(self.field)
        found = []
        for g, delta, g1 in zip(r.gamma_perp, r.omega - self.nu, r.gamma_1, strict=True):
            if delta == 0:
                pair = -(g + g1) / 2 + np.array([1, -1]) * np.sqrt((g - g1) ** 2 / 4 - 4 * h**2 + 0j)
                found += [-g, *pair.real]
            else:
                square = np.polymul([1, g1], [1, 2 * g, g * g + delta**2])
                found += np.roots(np.polyadd(square, [4 * h**2, 4 * h**2 * g])).real.tolist()
        return np.sort(found)[::-1]


@compiled(SIGNATURE)
def stuart_landau(y, table, coupling, out):
    """(1 + mu - |c|^2) c, and net gain + q Re c for the inversions."""
    out[0] = y[0] * (1 + table[0, 0] - abs(y[0]) ** 2)
    for i in range(1, y.size):
        out[i] = table[0, i] + table[1, i] * y[0].real


@compiled(SIGNATURE)
def stuart_landau_with_tangent(y, table, coupling, out):
    n = y.size // 2
    out[0] = y[0] * (1 + table[0, 0] - abs(y[0]) ** 2)
    out[n] = y[n] * (1 + table[0, 0] - abs(y[0]) ** 2) - 2 * y[0] * (y[0].conjugate() * y[n]).real
    for i in range(1, n):
        out[i] = table[0, i] + table[1, i] * y[0].real
        out[n + i] = table[1, i] * y[n].real


@dataclass(frozen=True)
class StuartLandau(Toy):
    """The Stuart-Landau oscillator dc/dt = (mu + i omega - |c|^2) c as a neutral variable, which drives the inversions.

    Limit cycle: |c|^2 = mu; perturbations of |c| decay at the rate 2 mu, those of the inversions at Gamma_1.
    """

    mu: float = 0.2
    omega: float = 3.0
    feed: float = 0.1

    def flow(self, rates, distributions, names, initial):
        groups, real = rates.weight.size, np.arange(rates.weight.size + 1) > 0
        return flow_of(
            names, rates.weight, lambda states: (np.zeros_like(states[:, 1:]), states[:, 1:].real), nonlinear=stuart_landau,
            tangent=stuart_landau_with_tangent, decay=np.concatenate([[1 - 1j * self.omega], rates.gamma_1]),
            table=np.stack([np.append(self.mu, rates.net_gain), np.append(0, np.full(groups, self.feed))]),
            coupling=np.zeros((1, 1), complex), start=np.concatenate([[0.1], initial[:, 2]]).astype(complex), symmetry=None,
            real=real, fastest_rate=2 * self.omega,
        )  # fmt: skip


@compiled(SIGNATURE)
def parametric(y, table, coupling, out):
    """(1 + mu - |s|^2) s + h s* for each group, and net gain for the inversions."""
    n = y.size // 2
    for i in range(n):
        out[i] = (1 + table[0, i] - abs(y[i]) ** 2) * y[i] + coupling[0, 0] * y[i].conjugate()
        out[n + i] = table[1, i]


@compiled(SIGNATURE)
def parametric_with_tangent(y, table, coupling, out):
    n, h = y.size // 4, coupling[0, 0]
    for i in range(n):
        s, d = y[i], y[2 * n + i]
        out[i] = (1 + table[0, i] - abs(s) ** 2) * s + h * s.conjugate()
        out[n + i] = table[1, i]
        out[2 * n + i] = (1 + table[0, i] - abs(s) ** 2) * d - 2 * s * (s.conjugate() * d).real + h * d.conjugate()
        out[3 * n + i] = 0


@dataclass(frozen=True)
class Parametric(Toy):
    """ds/dt = (mu - i omega - |s|^2) s + h s*: parametric oscillators, pumped at twice the frequency of the rotating frame.

    For h < |omega| the phase rotates at the mean rate sqrt(omega^2 - h^2). Else there are two fixed points, of opposite phase,
    with |s|^2 = mu + sqrt(h^2 - omega^2) and relaxation rates 2 |s|^2 and 2 sqrt(h^2 - omega^2). For mu < -h, s = 0 is stable.
    """

    mu: float = 0.05
    pump: float = 0.5

    def flow(self, rates, distributions, names, initial):
        s, z = bloch_vectors.coherences(initial)
        n = z.size
        return flow_of(
            names, rates.weight, lambda states: (states[:, :n], states[:, n:].real), nonlinear=parametric,
            tangent=parametric_with_tangent, decay=np.concatenate([1 + 1j * rates.omega, rates.gamma_1]),
            table=np.stack([np.full(n, self.mu), rates.net_gain]), coupling=np.array([[self.pump + 0j]]),
            start=np.concatenate([s, z]).astype(complex), symmetry=None, real=np.repeat([False, True], n),
            fastest_rate=float(1 + abs(rates.omega).max() + self.pump),
        )  # fmt: skip


START = np.array([[0.3, 0.2, 0.5], [-0.4, 0.1, -0.6]])
#: the neutral variable of Beating oscillates, as its detuning 2.4 exceeds k = 2; without detuning it would grow at k - Gamma
PAIR = ss.Ensemble([ss.Group(1.0, 0.4, frequency=2.4, dephasing=0.1), ss.Group(0.5, 0.8, weight=2.0)], [[1.5, 2.0], [2.0, 0.8]])
RESONANT = ss.Ensemble([ss.Group(0.2, 1.0, frequency=1.5), ss.Group(2.0, 1.0, frequency=-0.5)], np.zeros((2, 2)))
#: name -> theory and ensemble
CASES = {
    "no coherence": (RateEquations(), PAIR),
    "neutral and complex": (Beating(), PAIR),
    "no symmetry": (DrivenSpins(), RESONANT),
}
