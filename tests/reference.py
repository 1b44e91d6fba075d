"""Independent answers: the mean-field equations and exact integration, written from the theory and not from the package."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from scipy.integrate import solve_ivp

import spinsync as ss


@dataclass(frozen=True)
class System:
    """Plain numbers of an ensemble and a start: arrays of shape (group,), coupling (group, group), bloch (group, 3)."""

    gain: np.ndarray
    damping: np.ndarray
    dephasing: np.ndarray
    omega: np.ndarray
    weight: np.ndarray
    coupling: np.ndarray
    bloch: np.ndarray

    @property
    def gamma_perp(self) -> np.ndarray:
        return (self.gain + self.damping) / 2 + self.dephasing

    def ensemble(self) -> ss.Ensemble:
        columns = zip(self.gain, self.damping, self.dephasing, self.omega, self.weight, strict=True)
        groups = [ss.Group(k, g, dephasing=d, frequency=w, weight=p) for k, g, d, w, p in columns]
        return ss.Ensemble(groups, self.coupling)

    def rhs(self, s: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(ds/dt, dz/dt) of the nonlinear master equation."""
        p = self.weight / self.weight.sum()
        h = self.coupling @ (p * s)
        ds = -(1j * self.omega + self.gamma_perp) * s + 1j * h * z
        dz = -(self.gain + self.damping) * z + (self.gain - self.damping) + 4 * np.imag(h * s.conj())
        return ds, dz

    def start(self) -> tuple[np.ndarray, np.ndarray]:
        x, y, z = self.bloch.T
        return (x - 1j * y) / 2, z

    def motion(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(s, z), each (time, group), by DOP853 at its finest tolerance."""
        n = self.gain.size

        def real(_t: float, y: np.ndarray) -> np.ndarray:
            ds, dz = self.rhs(y[:n] + 1j * y[n : 2 * n], y[2 * n :])
            return np.concatenate([ds.real, ds.imag, dz])

        s, z = self.start()
        y0 = np.concatenate([s.real, s.imag, z])
        run = solve_ivp(real, (times[0], times[-1]), y0, method="DOP853", t_eval=times, rtol=1e-13, atol=1e-14)
        assert run.success, run.message
        return (run.y[:n] + 1j * run.y[n : 2 * n]).T, run.y[2 * n :].T

    def permuted(self, order: np.ndarray) -> System:
        """The same system with its groups in another order."""
        columns = {name: getattr(self, name)[order] for name in ("gain", "damping", "dephasing", "omega", "weight", "bloch")}
        return replace(self, **columns, coupling=self.coupling[np.ix_(order, order)])


def random_bloch(rng: np.random.Generator, count: int, longest: float = 1.0) -> np.ndarray:
    m = rng.normal(size=(count, 3))
    return m / np.linalg.norm(m, axis=1)[:, None] * longest * rng.uniform(size=(count, 1)) ** (1 / 3)


def random_system(seed: int, groups: int | None = None, strength: float = 6.0) -> System:
    """1 to 5 groups with any complex coupling matrix, which is neither Hermitian nor symmetric."""
    rng = np.random.default_rng([20251110, seed])
    n = int(rng.integers(1, 6)) if groups is None else groups
    return System(
        gain=rng.uniform(0, 4, n),
        damping=rng.uniform(0.2, 3, n),
        dephasing=rng.uniform(0, 1, n) * (rng.uniform(size=n) < 0.5),
        omega=rng.normal(0, 2, n),
        weight=rng.uniform(0.2, 2, n),
        coupling=strength * (rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n))),
        bloch=random_bloch(rng, n, 0.95),
    )


def distance(run, s: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Largest error of coherence and inversion at each time."""
    return np.maximum(abs(run.coherence.values - s), abs(run.inversion.values - z)).max(axis=1)


def jacobian_eigenvalues(system: System, s, z, frequency):
    """Of the independent equations in the rotating frame, by central differences."""
    n = s.size

    def velocity(y):
        s, z = y[:n] + 1j * y[n : 2 * n], y[2 * n :]
        ds, dz = system.rhs(s, z)
        ds = ds + 1j * frequency * s
        return np.concatenate([ds.real, ds.imag, dz])

    y0, h = np.concatenate([s.real, s.imag, z]), 1e-4
    columns = [(velocity(y0 + h * e) - velocity(y0 - h * e)) / (2 * h) for e in np.eye(3 * n)]  # quadratic: exact but for eps/h
    assert abs(velocity(y0)).max() < 1e-9  # a fixed point of that frame
    return np.linalg.eigvals(np.array(columns).T)


def pairs_up(found, wanted):
    """Largest distance of eigenvalues, matched one to one."""
    from scipy.optimize import linear_sum_assignment

    gap = abs(np.asarray(found)[:, None] - np.asarray(wanted)[None, :])
    return gap[linear_sum_assignment(gap)].max()


def on(operator, i, n):
    return reduce(np.kron, [operator if j == i else ONE for j in range(n)])


DOWN, UP, SZ, ONE = np.array([[0, 0], [1, 0]]), np.array([[0, 1], [0, 0]]), np.diag([1, -1]), np.eye(2)  # basis |e>, |g>
