"""The problems: mean field of M groups over a grid, from one initial state, integrated to a fixed time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

import spinsync as ss
from spinsync.model.rates import Rates
from spinsync.regimes.kernels.layout import parameters


@dataclass(frozen=True)
class Problem:
    """Rates (point, ...), the initial state (group, 3) as x, y, z with s = x + i y and inversion z, and the last time."""

    name: str
    rates: Rates
    start: np.ndarray
    until: float
    rtol: float

    @property
    def groups(self) -> int:
        return self.rates.weight.shape[1]

    @property
    def points(self) -> int:
        return len(self.rates.weight)

    @property
    def initial(self) -> np.ndarray:
        """The initial state as Bloch vectors (group, 3)."""
        return self.start * [2.0, -2.0, 1.0]

    def some(self, count: int) -> Problem:
        """A sample of about `count` points, for slow solvers."""
        index = np.linspace(0, self.points - 1, min(count, self.points)).astype(int)
        rates = self.rates.at(index)
        return Problem(self.name, rates, self.start, self.until, self.rtol)

    @cached_property
    def records(self) -> np.ndarray:
        """Parameters of each point in the form of the lane kernels."""
        return parameters(self.rates, np.zeros(self.points))

    @cached_property
    def table(self) -> np.ndarray:
        """(point, number): omega, Gamma_perp, Gamma_1, net gain per group; real and imaginary parts of C_ab p_b; weights."""
        r = self.rates
        own = np.stack([r.omega, r.gamma_perp, r.gamma_1, r.net_gain], axis=2).reshape(self.points, -1)
        c = r.coupling * r.weight[:, None, :]
        matrix = np.stack([c.real, c.imag], axis=3).reshape(self.points, -1)
        return np.ascontiguousarray(np.concatenate([own, matrix, r.weight], axis=1))


def _grid(ensemble: ss.Ensemble, **axes: np.ndarray) -> Rates:
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    return ensemble.recipe.rates(**{name: values.ravel() for name, values in zip(axes, mesh, strict=True)})


def single(size: int = 256) -> Problem:
    """B1: one group over coupling and gain-to-damping ratio."""
    one = ss.Ensemble.single(gain=1.0, damping=1.0, coupling=1.0, theta=-np.pi / 2)
    rates = _grid(one, coupling=np.linspace(0, 20, size), gain=np.linspace(0.05, 20, size))
    return Problem("B1 single group", rates, np.array([[0.05, 0.02, 0.0]]), 100.0, 1e-6)


def pair(size: int = 128) -> Problem:
    """B2: two groups over detuning and coupling."""
    two = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=1.0, theta=-np.pi / 2)
    rates = _grid(two, detuning=np.linspace(0, 6, size), coupling=np.linspace(0, 30, size))
    second = 0.05 * np.exp(1j)
    return Problem("B2 pair", rates, np.array([[0.1, 0.0, 0.0], [second.real, second.imag, 0.0]]), 200.0, 1e-6)
