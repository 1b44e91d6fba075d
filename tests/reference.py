"""Reference solutions: the mean-field equations and exact integration, written from the theory page, not from the package."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm, polar
from scipy.optimize import linear_sum_assignment, root

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
    """Eigenvalues of the Jacobian of the independent equations in the rotating frame, by central differences."""
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


def pairs_up(found, expected):
    """Largest distance of eigenvalues, matched one to one."""
    gap = abs(np.asarray(found)[:, None] - np.asarray(expected)[None, :])
    return gap[linear_sum_assignment(gap)].max()


def on(operator, i, n):
    """The operator of spin i in the space of n spins."""
    return reduce(np.kron, [operator if j == i else ONE for j in range(n)])


DOWN, UP, SZ, ONE = np.array([[0, 0], [1, 0]]), np.array([[0, 1], [0, 0]]), np.diag([1, -1]), np.eye(2)  # basis |e>, |g>


@dataclass(frozen=True)
class DenseMasterEquation:
    """The full master equation of the spins of a System, as one dense matrix on row-by-row density matrices: up to 4 spins.

    counts : spins of each group, in the ratio of the weights
    """

    system: System
    counts: tuple[int, ...]

    @property
    def group(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @property
    def generator(self) -> np.ndarray:
        """Hermitian part of C/N: exchange; anti-Hermitian part K: its positive part pumps, its negative part damps, at 2 K."""
        a, n, of = self.system, self.group.size, self.group
        c = a.coupling[np.ix_(of, of)] / n
        exchange = (c + c.conj().T) / 2
        pumping, decay = positive_and_negative_part((c - c.conj().T) / 2j)
        down, up, z = ([on(operator, i, n) for i in range(n)] for operator in (DOWN, UP, SZ))
        one, pairs = np.eye(2**n), [(i, j) for i in range(n) for j in range(n)]
        h = sum(a.omega[of[i]] / 2 * z[i] for i in range(n)) + sum(exchange[i, j] * up[i] @ down[j] for i, j in pairs if i != j)
        out = -1j * (np.kron(h, one) - np.kron(one, h.T))

        def jump(rate, left, right):
            """rate (left rho right - {right left, rho}/2)."""
            both = right @ left
            return rate * (np.kron(left, right.T) - (np.kron(both, one) + np.kron(one, both.T)) / 2)

        for i in range(n):
            out = out + jump(a.gain[of[i]], up[i], down[i]) + jump(a.damping[of[i]], down[i], up[i])
            out = out + jump(a.dephasing[of[i]] / 2, z[i], z[i])
        return out + sum(jump(2 * pumping[i, j], up[i], down[j]) + jump(2 * decay[i, j], down[j], up[i]) for i, j in pairs)

    def start(self) -> np.ndarray:
        """The product state of the Bloch vectors of the groups."""
        vectors = self.system.bloch[self.group]
        return reduce(np.kron, [(ONE + x * (UP + DOWN) + 1j * y * (DOWN - UP) + z * SZ) / 2 for x, y, z in vectors])

    def motion(self, times: np.ndarray) -> dict[str, np.ndarray]:
        """Observables at equidistant times."""
        step, state = expm(self.generator * (times[1] - times[0])), self.start().reshape(-1).astype(complex)
        states = [state]
        for _ in times[1:]:
            states.append(step @ states[-1])
        each = [self.observed(state.reshape(self.start().shape)) for state in states]
        return {name: np.array([one[name] for one in each]) for name in each[0]}

    def steady_state(self) -> dict[str, np.ndarray]:
        """Observables of the state of trace 1 that the generator annihilates."""
        size = 2**self.group.size
        rows = np.vstack([self.generator, np.eye(size).reshape(1, -1)])
        state = np.linalg.lstsq(rows, np.append(np.zeros(size**2), 1))[0].reshape(size, size)
        return {name: value for name, value in self.observed(state).items() if name != "coherence"}

    def observed(self, rho: np.ndarray) -> dict[str, np.ndarray]:
        """Means of operators: of single spins, of pairs of two different spins, and of their weighted sum, which is R^2/4."""
        n, groups = self.group.size, len(self.counts)
        down, up, z = ([on(operator, i, n) for i in range(n)] for operator in (DOWN, UP, SZ))
        members = [np.flatnonzero(self.group == a) for a in range(groups)]
        share = np.array(self.counts) / n
        correlation, total, weight = np.full((groups, groups), np.nan, complex), np.zeros_like(rho), 0.0
        for a in range(groups):
            for b in range(groups):
                pairs = [up[i] @ down[j] for i in members[a] for j in members[b] if i != j]
                if pairs:
                    operator = sum(pairs) / len(pairs)
                    correlation[a, b] = np.trace(operator @ rho)
                    total, weight = total + share[a] * share[b] * operator, weight + share[a] * share[b]
        return {
            "coherence": np.array([np.mean([np.trace(down[i] @ rho) for i in mine]) for mine in members]),
            "inversion": np.array([np.mean([np.trace(z[i] @ rho).real for i in mine]) for mine in members]),
            "correlation": correlation,
            "order_parameter": 2 * np.sqrt(max(0.0, np.trace(total @ rho).real / (weight or 1.0))),
        }


def positive_and_negative_part(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P and M >= 0 with P - M = matrix and P M = 0, of a Hermitian matrix: from its modulus, by singular values."""
    modulus = polar(matrix)[1]
    return (modulus + matrix) / 2, (modulus - matrix) / 2


@dataclass(frozen=True)
class Batch:
    """Many Systems with as many groups, integrated side by side by the classical Runge-Kutta method: arrays (system, group)."""

    systems: tuple[System, ...]

    def end(self, durations: np.ndarray, step: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
        """(s, z) of each after its duration; `step`: of a time step, in units of 1/(fastest rate)."""
        column = {
            name: np.array([getattr(one, name) for one in self.systems])
            for name in ("gain", "damping", "omega", "gamma_perp", "weight", "coupling")
        }
        share = column["weight"] / column["weight"].sum(axis=1, keepdims=True)
        coupling = column["coupling"] * share[:, None, :]
        linear = -(1j * column["omega"] + column["gamma_perp"])
        relaxation, net_gain = column["gain"] + column["damping"], column["gain"] - column["damping"]
        fastest = (abs(coupling).sum(axis=2) + abs(linear) + relaxation).max(axis=1)
        count = int(np.ceil((durations * fastest / step).max()))
        h = (durations / count)[:, None]

        def rhs(s, z):
            field = (coupling @ s[:, :, None])[:, :, 0]
            return linear * s + 1j * field * z, net_gain - relaxation * z + 4 * (field * s.conj()).imag

        s, z = (np.array(x) for x in zip(*(one.start() for one in self.systems), strict=True))
        for _ in range(count):
            s1, z1 = rhs(s, z)
            s2, z2 = rhs(s + h / 2 * s1, z + h / 2 * z1)
            s3, z3 = rhs(s + h / 2 * s2, z + h / 2 * z2)
            s4, z4 = rhs(s + h * s3, z + h * z3)
            s, z = s + h / 6 * (s1 + 2 * s2 + 2 * s3 + s4), z + h / 6 * (z1 + 2 * z2 + 2 * z3 + z4)
        return s, z


def locked_order_parameter(one, frequencies):
    """R of one group with given frequencies, all locked to the field: 1 = i C <z a>, a = 1/(Gamma_perp + i (w - Omega)).

    From (3.1), (3.3) and (3.4) in the frame of Omega: s = i h z a, with h = C <s> and z = z_0 / (1 + 4 |h|^2 Re a / Gamma_1).
    """
    group, c, w = one.groups[0], one.coupling_matrix[0, 0], np.asarray(frequencies)

    def mismatch(x):
        a = 1 / (group.gamma_perp + 1j * (w - x[1]))
        z = group.z0 / (1 + 4 * abs(c) ** 2 * x[0] ** 2 * a.real / group.gamma_1)
        rest = 1j * c * np.mean(z * a) - 1
        return [rest.real, rest.imag]

    found = root(mismatch, [0.2, 0.0], tol=1e-13)
    assert found.success, found.message
    return 2 * abs(float(found.x[0]))
