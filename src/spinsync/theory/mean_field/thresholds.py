"""Onset of synchronization: the coupling at which the incoherent state becomes unstable, for any coupling matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from heapq import heappop, heappush
from itertools import pairwise
from math import inf

import numpy as np

from spinsync.base.arrays import Array
from spinsync.base.progress import report
from spinsync.model.ensembles import Ensemble
from spinsync.model.groups import Group
from spinsync.model.samples import Samples
from spinsync.theory.mean_field.closed_forms_one import OneGroup, disordered_onset, one_group, phase

MIN_RATIO = 1e-7  # lower bound over threshold: where the ratio is smaller, there is no threshold
STEP = 0.25  # of the frequency grid, in units of the distance to the nearest resonance
SEARCH_RANGE = 1e5  # of the frequency grid, in units of the resonance frequencies and widths
MAX_STEP = 0.3  # |difference of logarithms| below which eigenvalues at neighbouring frequencies may be one path
CURVATURE = 4.0  # times the square of such a difference: bound of the angle by which a path may bend to the axis
MARGIN = 1.5  # bound of the ratio of an eigenvalue between two neighbouring frequencies to that at them


def threshold(ensemble: Ensemble) -> float:
    """The `coupling` of one group or a pair, else the factor of C, at which the incoherent state becomes unstable."""
    if len(ensemble.groups) == 1:
        return _one_group_threshold(ensemble)
    fixed, varied = np.zeros_like(ensemble.coupling_matrix), ensemble.coupling_matrix
    if ensemble.recipe.constructor == "pair":
        fixed = ensemble.replace(coupling=0.0).coupling_matrix
        varied = ensemble.replace(coupling=1.0).coupling_matrix - fixed
    active = [i for i, group in enumerate(ensemble.groups) if group.gamma_1 > 0 and group.z0 != 0]
    links = (abs(fixed) + abs(varied))[np.ix_(active, active)]
    found = inf
    for component in _strong_components(links):
        index = np.array(active)[component]
        block = np.ix_(index, index)
        found = min(found, LinearStability([ensemble.groups[i] for i in index], fixed[block], varied[block]).threshold())
    return found


def _one_group_threshold(ensemble: Ensemble) -> float:
    """The strength V_c of one group."""
    if isinstance(ensemble.groups[0].distribution, Samples):
        unit = np.exp(1j * np.array([[phase(ensemble)]]))
        active = ensemble.groups[0].gamma_1 > 0 and ensemble.groups[0].z0 != 0
        return LinearStability(list(ensemble.groups), 0 * unit, unit).threshold() if active else inf
    one: OneGroup = one_group(ensemble)
    if one.effective_z0 <= 0:
        return inf
    return one.group.gamma_perp / one.effective_z0 if one.group.distribution is None else disordered_onset(one)


def _strong_components(links: Array) -> list[Array]:
    """Strongly connected components with links, arrays of group indices: links between components do not affect stability."""
    from scipy.sparse.csgraph import connected_components

    count, owner = connected_components(links > 0, directed=True, connection="strong")
    components = [np.flatnonzero(owner == k) for k in range(count)]
    return [groups for groups in components if links[np.ix_(groups, groups)].any()]


@dataclass(frozen=True)
class LinearStability:
    """Stability of the incoherent state at the coupling `fixed` + V `varied`, arrays of shape (group, group).

    The linearization has an eigenvalue i nu if det(1 - A(nu) (fixed + V varied) p) = 0, A = diag(i z0 G(Gamma_perp + i nu)),
    (6.10), that is if 1/V is an eigenvalue of M(nu) = (1 - A fixed p)^{-1} A varied p. Hence the values of V at which an
    eigenvalue crosses the imaginary axis are the inverses of the real positive eigenvalues of M(nu), nu real.
    """

    groups: list[Group]
    fixed: Array
    varied: Array

    @cached_property
    def weight(self) -> Array:
        return np.array([group.weight for group in self.groups])

    @cached_property
    def factors(self) -> tuple[Array, Array]:
        """Low-rank factors (left, right) with varied p = left @ right, by SVD: all-to-all coupling has rank 1."""
        left, size, right = np.linalg.svd(self.varied * self.weight)
        rank = max(1, int((size > 1e-13 * size[0]).sum()))
        return left[:, :rank] * size[:rank], right[:rank]

    @cached_property
    def eigenvalue_bound(self) -> float:
        """Upper bound of |eigenvalues| of X varied p for diagonal |X| <= 1: the Collatz-Wielandt bound of |varied| p."""
        size = abs(self.varied) * self.weight
        x, shift = np.ones(len(size)), size.sum(axis=1).max()
        for _ in range(30):
            x = size @ x + shift * x
            x = x / x.max() + 1e-12
        return float((size @ x / x).max())

    def threshold(self) -> float:
        if self.eigenvalue_bound == 0:
            return 0.0 if self.unstable() else inf
        same = {(g.gamma_perp, g.frequency) for g in self.groups if g.distribution is None}
        if not self.fixed.any() and len(same) == 1 and all(g.distribution is None for g in self.groups):
            return self._equal_rates_threshold()
        return 0.0 if self.unstable() else self._search()

    def _equal_rates_threshold(self) -> float:
        """Gamma_perp divided by the largest real part of the eigenvalues of i z0 C p."""
        z0 = np.array([group.z0 for group in self.groups])
        growth = np.linalg.eigvals(1j * z0[:, None] * self.varied * self.weight).real.max()
        return self.groups[0].gamma_perp / float(growth) if growth > MIN_RATIO * abs(z0).max() * self.eigenvalue_bound else inf

    def response(self, nu: float) -> Array:
        """The diagonal of A(nu), (group,)."""
        return np.array([1j * g.z0 * _resolvent(g)(g.gamma_perp + 1j * nu) for g in self.groups])

    def size(self, nu: float) -> float:
        """Largest |A(nu)| of the groups; far from all resonances the eigenvalues of M(nu) scale with it."""
        return float(abs(self.response(nu)).max())

    def eigenvalues(self, nu: float) -> Array:
        """The nonzero eigenvalues of M(nu)."""
        left, right = self.factors
        a = self.response(nu)
        response = a[:, None] * left
        if self.fixed.any():
            response = np.linalg.solve(np.eye(len(a)) - a[:, None] * self.fixed * self.weight, response)
        return np.linalg.eigvals(right @ response)

    def unstable(self) -> bool:
        """Whether the state is unstable at V = 0: the winding number of det(1 - A fixed p) counts unstable eigenvalues."""
        if not self.fixed.any():
            return False

        def value(nu: float) -> complex:
            return complex(np.linalg.det(np.eye(len(self.groups)) - self.response(nu)[:, None] * self.fixed * self.weight))

        grid, angle = self.grid(), 0.0
        stack = [(a, value(a), b, value(b)) for a, b in pairwise(grid)]
        while stack:
            low, at_low, high, at_high = stack.pop()
            step = float(np.angle(at_high / at_low))
            if abs(step) > 0.5 and high - low > 1e-12 * (abs(low) + abs(high)):
                middle = (low + high) / 2
                stack += [(low, at_low, middle, value(middle)), (middle, value(middle), high, at_high)]
            else:
                angle += step
        return abs(angle) > np.pi

    def grid(self) -> Array:
        """Frequencies nu from far below all resonances -omega to far above, spaced by STEP times the nearest distance."""
        centres, widths = (np.concatenate(arrays) for arrays in zip(*map(_resonances, self.groups), strict=True))
        margin = SEARCH_RANGE * (float(widths.max()) + float(np.ptp(centres)))
        points = [float(centres.min()) - margin]
        while points[-1] < centres.max() + margin:
            points.append(points[-1] + STEP * float(np.hypot(widths, points[-1] - centres).min()))
            if points[-1] == points[-2]:  # double precision does not resolve the resonance
                raise OverflowError
        return np.array(points)

    def _search(self) -> float:
        """The inverse of the largest positive real eigenvalue of M(nu), by branch and bound; large |A| first.

        An interval is discarded if its eigenvalues stay below the largest one found so far, or move by less than their
        distance from the positive real axis; it is bisected while neither is certain.
        """
        grid = self.grid()
        size = [self.eigenvalue_bound * self.size(nu) for nu in grid]
        values = lru_cache(maxsize=None)(self.eigenvalues)
        bounded = not self.fixed.any()
        best = MIN_RATIO * max(size)
        queue = sorted((-max(size[i : i + 2]), i, *ends) for i, ends in enumerate(pairwise(grid)))
        count, looked = len(queue), 0
        while queue:
            looked += 1
            report(looked / (looked + len(queue)), f"{len(queue)} intervals of frequencies")
            bound, _, low, high = heappop(queue)
            if bounded and MARGIN * -bound <= best:
                continue
            growth = self.size(high) / self.size(low)
            for at_low, at_high in _crossings(values(low), values(high), growth, best)[0]:
                if max(abs(at_low), abs(at_high)) * np.exp(MAX_STEP) > best:
                    best = max(best, _real_crossing(values, low, high, at_low, at_high))
            complete = _crossings(values(low), values(high), growth, best)[1]
            if not complete and high - low > 1e-11 * max(abs(low), abs(high), grid[1] - grid[0]):
                middle = (low + high) / 2
                for half in ((low, middle), (middle, high)):
                    heappush(queue, (bound, count, *half))
                    count += 1
        return 1 / best if best > MIN_RATIO * max(size) else inf


def _crossings(before: Array, after: Array, growth: float, best: float) -> tuple[list[tuple[complex, complex]], bool]:
    """Pairs of eigenvalues at two frequencies between which one crosses the positive real axis, and whether these are all.

    Only eigenvalues that can exceed `best` count; the pairs are sorted by modulus, largest first. The common real factor
    `growth` of all eigenvalues moves none across the axis.
    """
    found: list[tuple[complex, complex]] = []
    complete = True
    for values, others, factor, forward in ((before, after, growth, True), (after, before, 1 / growth, False)):
        for value in values[MARGIN * abs(values) > best]:
            with np.errstate(divide="ignore"):
                steps = abs(np.log(others / (factor * value)))
            partner = others[np.argmin(steps)]
            step, phase = float(steps.min()), abs(np.angle(value))
            if step < phase / 2 or abs(value) * np.exp(step) * max(1, factor) <= best:
                continue
            same_side = value.imag * partner.imag > 0
            if same_side and min(phase, abs(np.angle(partner))) > CURVATURE * step**2:
                continue
            if step > MAX_STEP or same_side:
                complete = False
            elif forward:
                found.append((complex(value), complex(partner)))
    return sorted(found, key=lambda pair: -abs(pair[0])), complete


def _real_crossing(values: Callable[[float], Array], low: float, high: float, at_low: complex, at_high: complex) -> float:
    """The real value of a path of eigenvalues between two frequencies, by regula falsi (Illinois method); 0 if none."""
    weight_low, weight_high, middle = at_low.imag, at_high.imag, at_low
    for _ in range(100):
        share = weight_low / (weight_low - weight_high)
        nu = low + share * (high - low)
        guess = at_low + share * (at_high - at_low)
        found = values(nu)
        last, middle = middle, complex(found[np.argmin(abs(found - guess))])
        if abs(middle.imag) < 1e-14 * abs(middle) or not low < nu < high or abs(middle - last) < 1e-15 * abs(middle):
            break
        if middle.imag * at_high.imag > 0:
            high, at_high, weight_high, weight_low = nu, middle, middle.imag, weight_low / 2
        else:
            low, at_low, weight_low, weight_high = nu, middle, middle.imag, weight_high / 2
    return middle.real if abs(middle.imag) < 1e-9 * abs(middle) else 0.0


def _resolvent(group: Group) -> Callable[[complex], complex]:
    """The resolvent G of (6.5); without disorder 1/(mu + i omega)."""
    if group.distribution is not None:
        return group.distribution.resolvent
    omega = group.mean_frequency
    return lambda mu: 1 / (mu + 1j * omega)


def _resonances(group: Group) -> tuple[Array, Array]:
    """Poles or branch points of the response of a group: their frequencies, and their distances from the real axis."""
    distribution = group.distribution
    centres, width = (np.array([group.mean_frequency]), 0.0) if distribution is None else distribution.resonances()
    return -centres, np.full(len(centres), group.gamma_perp + width)
