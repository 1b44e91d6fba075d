"""B5: second-order cumulants of 200 and 1000 frequency classes, and of 200 groups with any coupling, against NumPy and DOP853.

The peer writes the equations with whole arrays, as one would by hand: a sum over classes where the coupling is the same for
all spins, else a product of matrices. Both record the means of inversion and correlation at the same times.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
from scipy.integrate import solve_ivp

import spinsync as ss
from spinsync.base.blas_threads import one_blas_thread
from spinsync.model.master_equation import coupling_terms, split_by_weight
from spinsync.theory.cumulants.classes import Classes, classes_of
from spinsync.theory.cumulants.frequency_classes import frequency_classes

NAME, SPINS, RTOL, TIMES = "B5 cumulants", 10_000, 1e-6, np.linspace(0.0, 20.0, 101)


def line() -> ss.Ensemble:
    """All spins coupled alike, with a Gaussian line of width 1."""
    return ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2, frequency=ss.Gaussian(1.0))


def network(groups: int) -> ss.Ensemble:
    """As many groups with random frequencies, and a coupling matrix of full rank around the same mean."""
    rng = np.random.default_rng(5)
    scatter = 6 * (rng.normal(size=(groups, groups)) + 1j * rng.normal(size=(groups, groups)))
    return ss.Ensemble([ss.Group(3.0, 1.0, frequency=w) for w in rng.normal(size=groups)], -12j + scatter)


def spinsync(ensemble: ss.Ensemble, theory: ss.Cumulants) -> np.ndarray:
    run = ss.evolve(ensemble, TIMES, theory=theory)
    return np.stack([run.inversion.mean("group"), run.correlation.real.mean(("group", "other_group"), skipna=True)])


class Peer:
    """Equations (10.2) to (10.4) in NumPy: z, c as complex numbers and d in one real vector."""

    def __init__(self, ensemble: ss.Ensemble, theory: ss.Cumulants) -> None:
        terms = coupling_terms(ensemble, split_by_weight(ensemble, SPINS))
        distributions = tuple(group.distribution for group in ensemble.groups)
        of = frequency_classes(ensemble.rates, terms.omega, distributions, RTOL, theory.nodes)
        self.classes: Classes = classes_of(terms, of, ensemble.coupling_matrix, np.zeros(len(ensemble.groups), bool))
        own, problem = self.classes, theory.lower(ensemble, None, 0)
        pair = np.ix_(own.group, own.group)
        self.same, self.coupling = len(ensemble.groups) == 1, ensemble.coupling_matrix[pair] / SPINS
        self.net, self.total = (own.decay - own.pumping)[pair].T, (own.decay + own.pumping)[pair].T
        self.half_exchange = 0.5j * own.exchange[pair].T
        self.free = 1j * (own.omega[:, None] - own.omega) - own.gamma_perp[:, None] - own.gamma_perp
        self.relaxation = own.gamma_1[:, None] + own.gamma_1
        z, c = own.unpacked(problem.start)
        self.start = np.concatenate([z, c.reshape(-1).view(float), np.zeros(c.size)])

    def split(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        m = self.classes.spins.size
        return y[:m], y[m : m + 2 * m * m].view(complex).reshape(m, m), y[m + 2 * m * m :].reshape(m, m)

    def rate(self, _: float, y: np.ndarray) -> np.ndarray:
        own, (z, c, d) = self.classes, self.split(y)
        out = np.empty_like(y)
        dz, dc, dd = self.split(out)
        weighted = c * own.spins - np.diag(c.diagonal())
        if self.same:
            field = np.broadcast_to((self.coupling[0, 0] * weighted.sum(axis=1))[:, None], c.shape)
        else:
            field = weighted @ self.coupling.T
        loss = field - self.coupling.diagonal() * c
        drive = 1j * loss * z
        mean, half = (z[:, None] + z) / 2, z - z[:, None]
        dz[:] = own.net_gain - own.gamma_1 * z + 4 * field.diagonal().imag
        dc[:] = self.free * c + drive + drive.conj().T + self.half_exchange * half + self.net * mean
        dc += self.total * (d + np.multiply.outer(z, z))
        product = self.coupling * c
        dd[:] = -self.relaxation * d - 4 * (product.imag * z + product.imag.T * z[:, None])
        dd += 8 * (self.total.conj() * c).real
        return out

    def run(self) -> np.ndarray:
        found = solve_ivp(self.rate, TIMES[[0, -1]], self.start, "DOP853", TIMES, rtol=RTOL, atol=RTOL / SPINS)
        weight, numbers = self.classes.share, self.classes.spins
        means = []
        for y in found.y.T:
            z, c, _ = self.split(np.ascontiguousarray(y))
            if self.same:
                means.append([weight @ z, (numbers @ c @ numbers - numbers @ c.diagonal()).real / SPINS / (SPINS - 1)])
            else:
                means.append([z.mean(), c.real.mean()])
        return np.array(means).T


def compare(small: bool, rounds: int) -> list[dict[str, object]]:
    """Median times on one core, their ratios, and the largest differences of the means."""
    size = 40 if small else 200
    cases = {
        f"{size} classes": (line(), ss.Cumulants(SPINS, rtol=RTOL, nodes=size)),
        f"{size} groups, any coupling": (network(size), ss.Cumulants(SPINS, rtol=RTOL)),
    }
    rows: list[dict[str, object]] = []
    with one_blas_thread():
        for title, (ensemble, theory) in cases.items():
            runs = {
                "spinsync, 1 core": lambda e=ensemble, t=theory: spinsync(e, t),
                "NumPy, DOP853": Peer(ensemble, theory).run,
            }
            spinsync(ensemble, theory)  # compile
            seconds: dict[str, list[float]] = {name: [] for name in runs}
            means = {}
            for _ in range(rounds):
                for name, run in runs.items():
                    begin = time.process_time()
                    means[name] = run()
                    seconds[name].append(time.process_time() - begin)
            own, peer = (statistics.median(seconds[name]) for name in runs)
            difference = float(abs(np.subtract(*means.values())).max())
            for name, median in zip(runs, (own, peer), strict=True):
                rows.append({"problem": NAME, "case": title, "who": name, "seconds": median, "ratio": median / own})
                print(f"{NAME:<18} {title:<28} {name:<18} {median:9.3f} s {median / own:8.2f}   {difference:.1e}", flush=True)
        if not small:
            begin = time.process_time()
            spinsync(line(), ss.Cumulants(SPINS, rtol=RTOL, nodes=1000))
            rows.append({"problem": NAME, "case": "1000 classes", "seconds": time.process_time() - begin})
            print(f"{NAME:<18} {'1000 classes':<28} {'spinsync, 1 core':<18} {rows[-1]['seconds']:9.3f} s", flush=True)
    return rows
