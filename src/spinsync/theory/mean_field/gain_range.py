"""The range of the gain in which the incoherent state is unstable, for any coupling matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, log, nan, sin, sqrt

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.progress import report
from spinsync.model.ensembles import Ensemble
from spinsync.model.groups import Group
from spinsync.model.samples import Samples
from spinsync.theory.mean_field.closed_forms_one import NO_SINE, OneGroup, disordered_onset, one_group, phase
from spinsync.theory.mean_field.thresholds import LinearStability

NEGLIGIBLE = 1e-9  # smallest gain of the search, in units of the smallest rate; an instability there begins at 0
FAR = 1e3  # largest one, in units of the gain at which the relaxation exceeds the coupling
SCAN = 0.7  # typical share of the time of the scan, for the progress line; then both ends are found
NEVER = (nan, nan)


MOST = 1e140  # largest rate of a scan, and its inverse the smallest: products of two are numbers


def gain_range(ensemble: Ensemble) -> tuple[float, float]:
    """The least and the largest gain, or common factor of unequal gains, at which the incoherent state changes stability."""
    first = ensemble.groups[0]
    if len(ensemble.groups) == 1 and first.distribution is None:
        return _one_group(one_group(ensemble))
    search = _Search(ensemble)
    rates = np.concatenate([[search.bound], search.unit, [one.damping for one in ensemble.groups]])
    if np.any((rates > 0) & ~((rates > 1 / MOST) & (rates < MOST))):
        raise OverflowError  # products of rates that the scan needs
    return search.ends() if search.bound > 0 else NEVER


def _one_group(one: OneGroup) -> tuple[float, float]:
    """The ends from (4.1), a quadratic equation of Gamma_1 = kappa + gamma."""
    group, pull = one.group, -one.strength * sin(one.theta)
    if abs(sin(one.theta)) < NO_SINE or pull == 0:
        return NEVER
    product, half = 4 * abs(pull) * group.damping, abs(pull) - np.copysign(group.dephasing, pull)
    root = half**2 - np.copysign(product, pull)
    if half <= 0 or root <= 0:
        return NEVER
    if pull < 0:  # unstable from no gain on
        upper = float(product / (half + sqrt(root))) - group.damping
        return (0.0, upper) if upper > 0 else NEVER
    largest = float(half + sqrt(root))
    return max(0.0, product / largest - group.damping), largest - group.damping


@dataclass(frozen=True)
class _Search:
    """Stability as a function of the gain, or of the factor x of all gains, by a scan and by root finding."""

    ensemble: Ensemble

    @cached_property
    def unit(self) -> Array:
        """The gains at x = 1: all 1 if they are equal."""
        gains = np.array([group.gain for group in self.ensemble.groups])
        return np.ones(len(gains)) if np.all(gains == gains[0]) else gains

    @cached_property
    def bound(self) -> float:
        """Upper bound of the rate by which the coupling makes a coherence grow."""
        matrix = self.ensemble.coupling_matrix
        return LinearStability(list(self.ensemble.groups), 0 * matrix, matrix).eigenvalue_bound

    def groups(self, x: float) -> list[Group]:
        return [replace(one, gain=x * unit) for one, unit in zip(self.ensemble.groups, self.unit.tolist(), strict=True)]

    @cached_property
    def growth(self) -> Callable[[float], float]:
        """A continuous function that is positive where the incoherent state is unstable, or only its sign."""
        distributions = [group.distribution for group in self.ensemble.groups]
        if all(one is None for one in distributions):
            return self._largest_rate
        if len(distributions) == 1 and not isinstance(distributions[0], Samples):
            return self._distance_from_onset
        return lambda x: 1.0 if self._unstable(x) else -1.0

    def _largest_rate(self, x: float) -> float:
        """The largest growth rate of (3.3) at the inversions z0; groups without gain and damping are left out."""
        groups = self.groups(x)
        index = [a for a, group in enumerate(groups) if group.gamma_1 > 0]
        if not index:
            return -self.bound
        weight, z0 = (np.array([getattr(groups[a], name) for a in index]) for name in ("weight", "z0"))
        free = np.array([groups[a].gamma_perp + 1j * groups[a].mean_frequency for a in index])
        matrix = 1j * z0[:, None] * self.ensemble.coupling_matrix[np.ix_(index, index)] * weight
        return float(np.linalg.eigvals(matrix - np.diag(free)).real.max())

    def _distance_from_onset(self, x: float) -> float:
        """The logarithm of V/V_c of a group with disorder."""
        one = OneGroup(self.groups(x)[0], self.bound, phase(self.ensemble))
        return log(one.strength / disordered_onset(one)) if one.effective_z0 > 0 else -1.0

    def _unstable(self, x: float) -> bool:
        groups = self.groups(x)
        index = [a for a, group in enumerate(groups) if group.gamma_1 > 0 and group.z0 != 0]
        matrix = self.ensemble.coupling_matrix[np.ix_(index, index)]
        return bool(index) and LinearStability([groups[a] for a in index], matrix, 0 * matrix).unstable()

    def grid(self) -> Array:
        """Gains of the scan, dense where the inversion of a group changes sign."""
        given = self.unit[self.unit > 0]
        own = np.array([g.damping / u for g, u in zip(self.ensemble.groups, self.unit, strict=True) if u > 0])
        scales = np.append(own[own > 0], self.bound / given.max())
        last = FAR * max(2 * self.bound / given.min(), scales.max())
        near = np.geomspace(1e-6, 0.5, 12)
        changes = [1 + near, 1 - near] if len(own) < 20 else []
        dense = [centre * share for centre in np.unique(own[own > 0]) for share in changes]
        return np.unique(np.concatenate([np.geomspace(NEGLIGIBLE * scales.min(), last, 160), *dense]))

    def ends(self) -> tuple[float, float]:
        grid = self.grid()
        values = np.array([self._reported(x, SCAN * k / len(grid)) for k, x in enumerate(grid.tolist())])
        if not (values > 0).any():
            grid, values = self._peak(grid, values)
        found = np.flatnonzero(values > 0)
        if not found.size:
            return NEVER
        first, last = found[0], found[-1]
        report(SCAN, "lower end")
        lower = 0.0 if first == 0 else self._crossing(*grid[first - 1 : first + 1].tolist())
        report((1 + SCAN) / 2, "upper end")
        return lower, inf if last == len(grid) - 1 else self._crossing(*grid[last : last + 2].tolist())

    def _reported(self, x: float, done: float) -> float:
        report(done, "scan of gains")
        return self.growth(x)

    def _peak(self, grid: Array, values: Array) -> tuple[Array, Array]:
        """The scan with the largest value near its best point, in case that the unstable range lies between two points."""
        from scipy.optimize import minimize_scalar

        best = int(np.clip(np.argmax(values), 1, len(grid) - 2))
        ends = np.log(grid[[best - 1, best + 1]])
        found = minimize_scalar(
            lambda u: -self.growth(float(np.exp(u))), bounds=tuple(ends), method="bounded", options={"xatol": 1e-9}
        )
        x = float(np.exp(found.x))
        where = int(np.searchsorted(grid, x))
        return np.insert(grid, where, x), np.insert(values, where, -float(found.fun))

    def _crossing(self, low: float, high: float) -> float:
        """The gain between two where the stability changes."""
        from scipy.optimize import bisect, brentq

        find = bisect if self.growth(low) == -self.growth(high) else brentq
        return float(find(self.growth, low, high, xtol=1e-300, rtol=1e-14, maxiter=500))
