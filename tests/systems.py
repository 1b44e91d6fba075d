"""Ensembles that several tests use: standard ones and random ones."""

from __future__ import annotations

from functools import partial

import numpy as np

import spinsync as ss
from reference import System, random_bloch, random_system

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
