"""Ensembles whose exact answers are known, for any theory: see theory/test_every_theory.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import expm

import spinsync as ss
from reference import DenseMasterEquation, System, random_system
from systems import HALF_PI, laser


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
