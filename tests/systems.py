"""Ensembles that several tests use: standard ones, random ones, and those whose exact answers are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.linalg import expm

import spinsync as ss
from reference import DenseMasterEquation, System, random_bloch, random_system

HALF_PI = np.pi / 2


def laser(**changed) -> ss.Ensemble:
    """The standard one-group ensemble: kappa = 3, gamma = 1, V = 12, theta = -pi/2."""
    return ss.Ensemble.single(**{"gain": 3.0, "damping": 1.0, "coupling": 12.0, "theta": -HALF_PI, **changed})


def random_one(seed, ratio=None):
    """One group that can synchronize, either sign of theta, at V = ratio V_c with |V/V_c - 1| >= 0.05."""
    rng = np.random.default_rng([4, seed])
    gain, damping, dephasing = rng.uniform(0.1, 4), rng.uniform(0.1, 4), rng.uniform(0, 1) * (seed % 2)
    theta = rng.uniform(0.2, np.pi - 0.2) * (-1 if gain > damping else 1)
    z0 = (gain - damping) / (gain + damping)
    critical = ((gain + damping) / 2 + dephasing) / (-z0 * np.sin(theta))
    if ratio is None:
        ratio = rng.choice([rng.uniform(0.3, 0.95), rng.uniform(1.05, 1.5), rng.uniform(1.5, 8)], p=[0.2, 0.4, 0.4])
    made = dict(gain=gain, damping=damping, coupling=ratio * critical, theta=theta, frequency=rng.normal(), dephasing=dephasing)
    return made, ratio


def pair(detuning, coupling, gain=3.0, damping=1.0, dephasing=0.0, sign=-1, **more):
    return ss.Ensemble.pair(
        detuning=detuning, gain=gain, damping=damping, dephasing=dephasing, coupling=coupling, theta=sign * HALF_PI, **more
    )


def random_pair(seed, reach=1.3):
    """A symmetric pair with V z0 above Gamma_perp and any detuning up to `reach` times the end of its full state."""
    rng = np.random.default_rng([5, seed])
    low, high, dephasing = rng.uniform(0, 1), rng.uniform(1.5, 4), rng.uniform(0, 1) * (seed % 2)
    sign = -1 if seed % 3 else 1
    gain, damping = (high, low) if sign < 0 else (low, high)
    g, z0 = (gain + damping) / 2 + dephasing, abs(gain - damping) / (gain + damping)
    coupling = rng.uniform(1.1, 8) * g / z0
    detuning = rng.uniform(-reach, reach) * 2 * np.sqrt(coupling * g * z0 - g**2)
    return dict(detuning=detuning, coupling=coupling, gain=gain, damping=damping, dephasing=dephasing, sign=sign)


def system_of(made):
    two, c = np.ones(2), made["coupling"] * np.exp(1j * made["sign"] * HALF_PI)
    return System(
        made["gain"] * two, made["damping"] * two, made["dephasing"] * two,
        np.array([0.5, -0.5]) * made["detuning"], two, np.full((2, 2), c), np.zeros((2, 3)),
    )  # fmt: skip


def sampled(ensemble):
    """The same ensemble with each frequency as a distribution of one sample, which takes the code of distributions."""
    return ensemble.replace(**{f"{group.name}.frequency": ss.Samples([group.frequency]) for group in ensemble.groups})


def one_group(seed):
    """One group with any complex coupling, with and without dephasing, damping and the Lamb shift; and its random generator."""
    rng = np.random.default_rng([5, seed])
    gain, damping = rng.uniform(0, 3, 2) * (rng.uniform(size=2) < 0.85)
    group = ss.Group(gain, damping, dephasing=rng.uniform(0.1, 1) * (seed % 2), frequency=rng.normal())
    coupling = 8 * (rng.normal() + 1j * rng.normal()) * (1 if seed % 3 else 0.2)
    return ss.Ensemble([group], [[coupling]], lamb_shift=bool(seed % 4 == 0)), rng


def superradiant_laser(spins):
    """Gain N Gc/2 per spin, no damping, collective decay Gc = 1: 2 V/N = 1 at theta = -pi/2."""
    return ss.Ensemble.single(gain=spins / 2, damping=0, coupling=spins / 2, theta=-HALF_PI)


def several_groups(seed):
    """Two or three unequal groups with any complex coupling, their number of spins (up to six), and a random generator."""
    rng = np.random.default_rng([15, seed])
    spins = rng.permutation([[1, 2], [3, 2], [1, 3], [3, 3], [4, 1], [1, 1, 2], [2, 1, 1], [1, 2, 2]][seed % 8])
    groups = [
        ss.Group(*rng.uniform(0.1, 3, 2), dephasing=rng.uniform() * (seed % 2), frequency=rng.normal(), weight=float(n))
        for n in spins
    ]
    coupling = 6 * (rng.normal(size=(2, len(spins), len(spins))) * [[[1]], [[1j]]]).sum(axis=0)
    return ss.Ensemble(groups, coupling, lamb_shift=seed % 3 == 0), int(sum(spins)), rng


def two_groups(seed):
    """Two groups with any complex coupling, a start, and a number of spins that splits."""
    rng = np.random.default_rng([8, seed])
    weights = ((1, 1), (1, 3), (2, 1))[seed % 3]
    groups = [
        ss.Group(*rng.uniform(0.1, 2, 2), dephasing=rng.uniform(1, 3) * (seed % 2), frequency=rng.normal(), weight=w)
        for w in weights
    ]
    coupling = 4 * (rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2)))
    m = random_bloch(rng, 2)
    if seed % 2:
        m /= np.linalg.norm(m, axis=1)[:, None]
    return ss.Ensemble(groups, coupling, lamb_shift=bool(seed % 2)), m, (4, 4, 3)[seed % 3]


def random_spins(seed, counts):
    """An ensemble of groups of `counts` spins with any complex coupling; and its random generator."""
    rng, n = np.random.default_rng([2, seed]), len(counts)
    groups = [
        ss.Group(rng.uniform(0, 3), rng.uniform(0.1, 3), dephasing=rng.uniform(0, 1), frequency=rng.normal(), weight=c)
        for c in counts
    ]
    return ss.Ensemble(groups, 4 * (rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n)))), rng


MADE = {
    "single": ss.Ensemble.single(gain=3, damping=1, coupling=12, theta=-1.2, frequency=0.3, dephasing=0.2),
    "pair": ss.Ensemble.pair(
        detuning=2, gain=(3, 2), damping=1, coupling=16, theta=-1.3, cross_theta=(0.1, 0.2), dephasing=(0.1, 0), weights=(2, 1)
    ),
    "followed": ss.Ensemble.pair(detuning=2, gain=3, damping=1, coupling=16, theta=-1.3),
    "cavity": ss.Ensemble.cavity(
        spins=500, vacuum_coupling=0.1, cavity_decay=90, cavity_detuning=20, gain=1, damping=0.3, frequency=0.7
    ),
    "distributed": ss.Ensemble.single(gain=3, damping=1, coupling=12, theta=-1.2, frequency=ss.Gaussian(0.3, center=1.0)),
    "groups": random_system(5, 3).ensemble(),
}

SPREADS = (None, ss.Gaussian(0.4), ss.Uniform(1.3), ss.Lorentzian(0.8), ss.Samples([-1.0, 0.2, 3.0]))


def flow_of(seed):
    """A random flow of mean field, state and tangent vector; odd seeds distribute the frequency of every other group."""
    rng, system = np.random.default_rng([3, seed]), random_system(seed)
    ensemble = system.ensemble()
    if seed % 2:
        spread = SPREADS[1 + seed // 2 % 4]
        ensemble = ensemble.replace(**{f"{name}.frequency": spread for name in ensemble.names[::2]})
    flow = ss.MeanField(nodes=16).lower(ensemble, system.bloch, 0)
    charged = flow.charged
    state, tangent = (
        np.where(charged, rng.normal(size=charged.size) + 1j * rng.normal(size=charged.size), rng.normal(size=charged.size))
        for _ in range(2)
    )
    return flow, state, tangent


def trajectories_of(problem, seed, indices):
    return [partial(problem.trajectory, seed, i) for i in indices]


# ensembles whose answers are known, for any theory: see theory/test_every_theory.py


@dataclass(frozen=True)
class Known:
    """An ensemble, how it starts, and its exact answers.

    initial : Bloch vectors (group, 3), at the first of `times`
    answers : question -> a function of the number of spins (None: infinitely many), which returns the exact variables of the
        answer, or None where they are not known
    critical_coupling : NaN where it is not known
    """

    ensemble: ss.Ensemble
    initial: np.ndarray
    times: np.ndarray
    answers: Mapping[str, Callable[[int | None], Mapping[str, np.ndarray] | None]]
    critical_coupling: float = np.nan


#: where emission spectra are compared
LIGHT = np.linspace(-3.0, 3.0, 7)


def infinite(**variables):
    """An answer at infinitely many spins only."""
    return lambda spins: variables if spins is None else None


def uncoupled_spins() -> Known:
    """Each spin relaxes by itself, and product states stay product states, at any number of spins."""
    gain, damping, dephasing, omega = np.array([[2.0, 0.5], [0.5, 1.0], [0.2, 0.0], [1.3, -0.7]])
    gamma_1, gamma_perp = gain + damping, (gain + damping) / 2 + dephasing
    initial, times = np.array([[0.6, -0.3, 0.5], [-0.2, 0.7, -0.4]]), np.linspace(0.0, 1.5, 7)
    groups = [ss.Group(*rates, dephasing=d, frequency=w) for *rates, d, w in zip(gain, damping, dephasing, omega, strict=True)]
    z_end = (gain - damping) / gamma_1
    excited = (1 + z_end) / 2

    def motion(spins):
        s = (initial[:, 0] - 1j * initial[:, 1]) / 2 * np.exp(-(1j * omega + gamma_perp) * times[:, None])
        z = z_end + (initial[:, 2] - z_end) * np.exp(-gamma_1 * times[:, None])
        pairs = s.conj()[:, :, None] * s[:, None, :]
        if spins == 2:  # a group of one spin has no pair
            pairs[:, [0, 1], [0, 1]] = np.nan
            return {"inversion": z, "correlation": pairs, "order_parameter": 2 * np.sqrt(np.maximum(0, pairs[:, 0, 1].real))}
        return {"coherence": s, "inversion": z, "correlation": pairs, "order_parameter": abs(s.sum(axis=1))}

    def steady(spins):
        pairs = np.where(np.eye(2) * (spins == 2), np.nan, 0)
        return {"inversion": z_end, "correlation": pairs, "order_parameter": 0.0}

    def line(spins):  # of the group that loses its coherence last
        return {"linewidth": 2 * gamma_perp.min(), "frequency": omega[gamma_perp.argmin()]} if spins else None

    def light(spins):
        lines = excited * 2 * gamma_perp / (gamma_perp**2 + (LIGHT[:, None] - omega) ** 2)
        return {"emission": spins / 2 * lines.sum(axis=1)} if spins else None

    def photons(spins):
        """Of pairs of different spins, each pair by their own light and by its interference, both equal at zero delay."""
        if spins:
            p = np.repeat(excited, spins // 2)
            return {"g2": np.array([2 * (1 - (p**2).sum() / p.sum() ** 2)])}
        return None

    def entropy(spins):
        of_a_spin = -excited * np.log(excited) - (1 - excited) * np.log(1 - excited)
        return {"entropy": spins / 2 * of_a_spin.sum()} if spins else None

    return Known(
        ss.Ensemble(groups, np.zeros((2, 2))), initial, times, critical_coupling=np.inf,
        answers={
            "evolve": motion, "steady_state": steady, "linewidth": line, "emission_spectrum": light, "entropy": entropy,
            "photon_statistics": photons,
            "regime": infinite(regime=ss.Regime.INCOHERENT, amplitude=np.zeros(2), inversion=z_end),
        },
    )  # fmt: skip


def decay_of_excited_spins() -> Known:
    """Dicke's superradiance: excited spins emit in a cascade |J, M> -> |J, M - 1>, at 2 V/N (J + M)(J - M + 1)."""
    coupling, times = 1.5, np.linspace(0.0, 2.0, 9)

    def motion(spins):
        if spins is None:
            return None
        j, m = spins / 2, spins / 2 - np.arange(spins + 1)
        rate = 2 * coupling / spins * (j + m) * (j - m + 1)
        cascade = np.diag(-rate) + np.diag(rate[:-1], -1)
        p = np.array([expm(cascade * t)[:, 0] for t in times])
        pairs = p @ ((j + m) * (j - m + 1) - (j + m)) / (spins * (spins - 1))  # <J_+ J_-> without the spins themselves
        return {
            "inversion": p @ m[:, None] * 2 / spins,
            "correlation": pairs[:, None, None],
            "order_parameter": 2 * np.sqrt(pairs),
        }

    ensemble = ss.Ensemble.single(gain=0.0, damping=0.0, coupling=coupling, theta=-HALF_PI)
    return Known(ensemble, np.array([[0.0, 0.0, 1.0]]), times, {"evolve": motion})


def limit_cycle(theta) -> Known:
    """One group on its cycle: ds/dt = 0 in the frame of Omega gives z and Omega, and dz/dt = 0 gives |s|."""
    gain, damping, dephasing, omega, coupling = 3.0, 1.0, 0.1, 0.4, 14.0
    gamma_1, gamma_perp, net = gain + damping, (gain + damping) / 2 + dephasing, gain - damping
    z = gamma_perp / (-coupling * np.sin(theta))
    s = np.sqrt((net - gamma_1 * z) / (-4 * coupling * np.sin(theta)))
    frequency, times = omega + gamma_perp / np.tan(theta), np.linspace(0.0, 5.0, 6)

    def motion(spins):
        rotating = (s * np.exp(-1j * frequency * times))[:, None]
        answer = {"coherence": rotating, "inversion": np.full((6, 1), z), "order_parameter": np.full(6, 2 * s)}
        return answer if spins is None else None

    state = dict(amplitude=np.array([s]), inversion=np.array([z]), frequency=np.array([frequency]), order_parameter=2 * s)
    ensemble = ss.Ensemble.single(
        gain=gain, damping=damping, coupling=coupling, theta=theta, frequency=omega, dephasing=dephasing
    )
    return Known(
        ensemble, np.array([[2 * s, 0.0, z]]), times, critical_coupling=gamma_perp * gamma_1 / (-net * np.sin(theta)),
        answers={"evolve": motion, "steady_state": infinite(**state), "regime": infinite(regime=ss.Regime.FULL, **state)},
    )  # fmt: skip


def two_ensemble_laser() -> Known:
    """Two ensembles in one bad cavity, pumped, at +-detuning/2: with many spins the state of one frequency and equal |s|, whose
    phases are +-half apart from the field's; with few the dense master equation."""
    gain, coupling, detuning = 3.0, 16.0, 2.0
    gamma_perp = gain / 2
    half = np.arctan(detuning / (2 * gamma_perp))  # (Gamma_perp + i detuning/2) e^{-i half} = V z cos(half)
    z = gamma_perp / (coupling * np.cos(half) ** 2)
    s = np.sqrt(gain * (1 - z) / (4 * coupling * np.cos(half) ** 2))
    system = System(
        gain=np.full(2, gain), damping=np.zeros(2), dephasing=np.zeros(2), omega=np.array([0.5, -0.5]) * detuning,
        weight=np.ones(2), coupling=np.full((2, 2), -1j * coupling), bloch=np.array([[0.5, 0.2, 0.3], [0.1, -0.4, -0.6]]),
    )  # fmt: skip
    state = dict(amplitude=np.full(2, s), inversion=np.full(2, z), frequency=np.zeros(2), order_parameter=2 * s * np.cos(half))
    locked = dict(regime=ss.Regime.FULL, phase_difference=np.array([[0, 2 * half], [-2 * half, 0]]), **state)
    few = few_spins(system)
    return Known(
        ss.Ensemble.pair(detuning=detuning, gain=gain, damping=0.0, coupling=coupling, theta=-HALF_PI),
        system.bloch, few.times,
        answers={
            "evolve": few.answers["evolve"], "regime": infinite(**locked),
            "steady_state": lambda spins: state if spins is None else few.answers["steady_state"](spins),
        },
    )  # fmt: skip


def few_spins(system) -> Known:
    """Any two groups of equal weight: independent integration of mean field, and the dense master equation of few spins."""
    times = np.linspace(0.0, 1.0, 6)

    def motion(spins):
        if spins is None:
            return dict(zip(("coherence", "inversion"), system.motion(times), strict=True))
        return DenseMasterEquation(system, (spins // 2, spins // 2)).motion(times)

    def steady(spins):
        return None if spins is None else DenseMasterEquation(system, (spins // 2, spins // 2)).steady_state()

    return Known(system.ensemble(), system.bloch, times, {"evolve": motion, "steady_state": steady})


def lorentzian_disorder(share) -> Known:
    """One group of Lorentzian half width d at V = share V_c, V_c = (Gamma_perp + d)/z0: residues give the mean of s.

    With the field h = -i V <s>, the stationary response of a spin has w^2 = Gamma_perp^2 + 4 |h|^2 Gamma_perp/Gamma_1, and
    1 = V z0 Gamma_perp/(w (w + d)).
    """
    gain, damping, width, center = 3.0, 1.0, 0.7, 0.4
    gamma_1, gamma_perp, z0 = gain + damping, (gain + damping) / 2, (gain - damping) / (gain + damping)
    critical = (gamma_perp + width) / z0
    coupling = share * critical
    w = (-width + np.sqrt(width**2 + 4 * coupling * z0 * gamma_perp)) / 2 if share > 1 else gamma_perp
    s = np.sqrt((w**2 - gamma_perp**2) * gamma_1 / (4 * gamma_perp)) / coupling
    state = dict(
        amplitude=np.array([s]), inversion=np.array([z0 * (1 - (w**2 - gamma_perp**2) / (w * (w + width)))]),
        frequency=np.array([center if share > 1 else np.nan]), order_parameter=2 * s,
    )  # fmt: skip
    regime = ss.Regime.FULL if share > 1 else ss.Regime.INCOHERENT
    return Known(
        laser(gain=gain, damping=damping, coupling=coupling, frequency=ss.Lorentzian(width, center)),
        np.array([[0.1, 0.0, 0.2]]), np.array([0.0]), critical_coupling=critical,
        answers={"steady_state": infinite(**state), "regime": infinite(regime=regime, **state)},
    )  # fmt: skip


KNOWN = {
    "uncoupled spins": uncoupled_spins(),
    "decay of excited spins": decay_of_excited_spins(),
    "limit cycle": limit_cycle(-1.2),
    "limit cycle without shift": limit_cycle(-HALF_PI),
    "two-ensemble laser": two_ensemble_laser(),
    "any two groups": few_spins(replace(random_system(11, 2), weight=np.ones(2))),
    "any other two groups": few_spins(replace(random_system(12, 2), weight=np.ones(2))),
    "Lorentzian disorder below threshold": lorentzian_disorder(0.8),
    "Lorentzian disorder above threshold": lorentzian_disorder(1.7),
}
