"""Ensembles whose regimes several tests compute, and functions that read the results."""

import json
from functools import cache
from pathlib import Path

import numpy as np

import spinsync as ss
from reference import System, random_bloch

R = ss.Regime
TABLE = json.loads((Path(__file__).parent / "reference_regimes.json").read_text())["points"]


def regime_of(found) -> R:
    return R(int(found.regime))


def wrapped(phase):
    """The phase in the interval from -pi to pi."""
    return (phase + np.pi) % (2 * np.pi) - np.pi


def locking(found):
    """Mean of exp(i (phi_a - phi_b)), from its length and angle."""
    return found.phase_locking.values * np.exp(1j * found.phase_difference.values)


@cache
def random_motion(seed):
    """Two groups of any phases and cross coupling, and their `regime`; every third seed: near the trapped pair of section 5."""
    rng = np.random.default_rng([34, seed])
    if seed % 3:
        detuning, theta, phases = rng.uniform(0.5, 12), rng.uniform(-np.pi, 0), rng.uniform(-np.pi, np.pi, 2)
        inner, cross, gain, damping = rng.uniform(8, 40), rng.uniform(0, 30), rng.uniform(2, 5, 2), rng.uniform(0.3, 1, 2)
    else:
        detuning, (theta, *phases) = rng.uniform(5.5, 5.8), rng.uniform(-1.6, -1.54, 3)
        inner, cross, gain, damping = 20.0, rng.uniform(19.5, 20.5), rng.uniform(2.9, 3.1, 2), rng.uniform(0.95, 1.05, 2)
    system = System(
        gain, damping, dephasing=rng.uniform(0, 0.5, 2) * (seed % 3 == 1), omega=np.array([0.5, -0.5]) * detuning,
        weight=rng.uniform(0.5, 1.5, 2) if seed % 3 else np.ones(2),
        coupling=np.array([[inner, cross], [cross, inner]]) * np.exp(1j * np.array([[theta, phases[0]], [phases[1], theta]])),
        bloch=random_bloch(rng, 2, 0.9),
    )  # fmt: skip
    return system, answer(system)


def answer(system):
    return ss.regime(system.ensemble(), initial=system.bloch)


def table_pair(row):
    names = ("detuning", "gain", "damping", "coupling", "theta", "cross_coupling", "cross_theta")
    return ss.Ensemble.pair(**{name: row[name] if name != "cross_theta" else tuple(row[name]) for name in names})


def near_full(ensemble, off=0.0, seed=0):
    """Bloch vectors of the symmetric pair's full state, each component off by up to that share of the amplitude."""
    full = ss.symmetric_pair(ensemble)
    s, half = float(full.amplitude), float(full.phase_difference) / 2
    vectors = [[2 * s * np.cos(phase), 2 * s * np.sin(phase), float(full.inversion)] for phase in (half, -half)]
    return np.array(vectors) + off * s * np.random.default_rng(seed).uniform(-1, 1, (2, 3))


def weak_pair(seed, share):
    """V_x/V = 0.002 at random phases, at this share of the locking range; and its closed form."""
    rng = np.random.default_rng([33, seed])
    while True:
        theta, phases = rng.uniform(-2.2, -0.9), rng.uniform(-np.pi, np.pi, 2)
        # K_eff is this cosine times a number: near its zero the corrections of order V_x/V are no small part of it
        if abs(np.cos(phases.mean() - theta)) > 0.6:
            break
    made = dict(gain=3.0, damping=1.0, coupling=24.0, theta=theta, cross_coupling=0.048, cross_theta=tuple(phases))
    reach = float(ss.locking_range(ss.Ensemble.pair(detuning=0.0, **made)).locking_range)
    ensemble = ss.Ensemble.pair(detuning=share * reach, **made)
    return ensemble, ss.locking_range(ensemble), reach
