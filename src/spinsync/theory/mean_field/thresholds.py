"""Onset of synchronization: the coupling at which the incoherent state loses its stability, for any coupling matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from heapq import heappop, heappush
from itertools import pairwise
from math import inf

import numpy as np

from spinsync.base.arrays import Array
from spinsync.model.ensembles import Ensemble
from spinsync.model.groups import Group
from spinsync.model.samples import Samples
from spinsync.theory.mean_field.closed_forms_one import OneGroup, disordered_onset, one_group, phase

NEVER = 1e-7  # a threshold that is larger than the least conceivable one by the inverse of this counts as none
STEP = 0.25  # of the search, in units of the distance to what the response can change over
FAR = 1e5  # how far the search goes, in units of all frequencies and rates
CLOSE = 0.3  # eigenvalues at two neighbouring frequencies whose logarithms differ by less may be the same one
BENT = 4.0  # times the square of such a difference, by which its path may bend towards the axis
MARGIN = 1.5  # how much larger an eigenvalue may be between two neighbouring frequencies than at them


def threshold(ensemble: Ensemble) -> float:
    """The coupling, of one group or a pair, or the factor of C, at which the incoherent state turns unstable."""
    if len(ensemble.groups) == 1:
        return _of_one(ensemble)
    fixed, varied = np.zeros_like(ensemble.coupling_matrix), ensemble.coupling_matrix
    if ensemble.recipe.constructor == "pair":
        fixed = ensemble.replace(coupling=0.0).coupling_matrix
        varied = ensemble.replace(coupling=1.0).coupling_matrix - fixed
    alive = [i for i, group in enumerate(ensemble.groups) if group.gamma_1 > 0 and group.z0 != 0]
    links = (abs(fixed) + abs(varied))[np.ix_(alive, alive)]
    found = inf
    for part in _closed_parts(links):
        index = np.array(alive)[part]
        block = np.ix_(index, index)
        found = min(found, _Linear([ensemble.groups[i] for i in index], fixed[block], varied[block]).threshold())
    return found


def _of_one(ensemble: Ensemble) -> float:
    """The strength V_c of one group."""
    if isinstance(ensemble.groups[0].distribution, Samples):
        turn = np.exp(1j * np.array([[phase(ensemble)]]))
        alive = ensemble.groups[0].gamma_1 > 0 and ensemble.groups[0].z0 != 0
        return _Linear(list(ensemble.groups), 0 * turn, turn).threshold() if alive else inf
    one: OneGroup = one_group(ensemble)
    if one.effective_z0 <= 0:
        return inf
    return one.group.gamma_perp / one.effective_z0 if one.group.distribution is None else disordered_onset(one)


def _closed_parts(links: Array) -> list[Array]:
    """Groups that drive each other in circles: what leads from one circle to another has no say in the stability."""
    from scipy.sparse.csgraph import connected_components

    count, owner = connected_components(links > 0, directed=True, connection="strong")
    parts = [np.flatnonzero(owner == k) for k in range(count)]
    return [part for part in parts if links[np.ix_(part, part)].any()]


@dataclass(frozen=True)
class _Linear:
    """A small coherence beside the incoherent state at the coupling `fixed` + V `varied`, arrays of shape (group, group).

    It has an eigenvalue i nu where det(1 - A(nu) (fixed + V varied) p) = 0, A = diag(i z0 G(Gamma_perp + i nu)), (6.10): where
    1/V is an eigenvalue of (1 - A fixed p)^{-1} A varied p. So all V at which it crosses the axis are the inverse of the real
    positive numbers that eigenvalues take along the real line of nu.
    """

    groups: list[Group]
    fixed: Array
    varied: Array

    @cached_property
    def weight(self) -> Array:
        return np.array([group.weight for group in self.groups])

    @cached_property
    def factors(self) -> tuple[Array, Array]:
        """varied p = left @ right, with as few columns as its rank: all-to-all coupling has one."""
        left, size, right = np.linalg.svd(self.varied * self.weight)
        rank = max(1, int((size > 1e-13 * size[0]).sum()))
        return left[:, :rank] * size[:rank], right[:rank]

    @cached_property
    def largest(self) -> float:
        """A bound of every eigenvalue of X varied p with |X| <= 1, by Collatz and Wielandt: of |varied| p, times any x > 0."""
        size = abs(self.varied) * self.weight
        x, shift = np.ones(len(size)), size.sum(axis=1).max()
        for _ in range(30):
            x = size @ x + shift * x
            x = x / x.max() + 1e-12
        return float((size @ x / x).max())

    def threshold(self) -> float:
        if self.largest == 0:
            return 0.0 if self._unstable() else inf
        same = {(g.gamma_perp, g.frequency) for g in self.groups if g.distribution is None}
        if not self.fixed.any() and len(same) == 1 and all(g.distribution is None for g in self.groups):
            return self._of_equal_rates()
        return 0.0 if self._unstable() else self._search()

    def _of_equal_rates(self) -> float:
        """Gamma_perp over the largest real part of the eigenvalues of i z0 C p."""
        z0 = np.array([group.z0 for group in self.groups])
        growth = np.linalg.eigvals(1j * z0[:, None] * self.varied * self.weight).real.max()
        return self.groups[0].gamma_perp / float(growth) if growth > NEVER * abs(z0).max() * self.largest else inf

    def response(self, nu: float) -> Array:
        """A(nu), its diagonal."""
        return np.array([1j * g.z0 * _resolvent(g)(g.gamma_perp + 1j * nu) for g in self.groups])

    def size(self, nu: float) -> float:
        """Of A(nu): eigenvalues far from all resonances change by this factor and hardly else."""
        return float(abs(self.response(nu)).max())

    def eigenvalues(self, nu: float) -> Array:
        left, right = self.factors
        a = self.response(nu)
        driven = a[:, None] * left
        if self.fixed.any():
            driven = np.linalg.solve(np.eye(len(a)) - a[:, None] * self.fixed * self.weight, driven)
        return np.linalg.eigvals(right @ driven)

    def _unstable(self) -> bool:
        """Whether what is fixed suffices: det(1 - A fixed p) winds around 0 once for each eigenvalue to the right."""
        if not self.fixed.any():
            return False

        def value(nu: float) -> complex:
            return complex(np.linalg.det(np.eye(len(self.groups)) - self.response(nu)[:, None] * self.fixed * self.weight))

        grid, turned = self.grid(), 0.0
        stack = [(a, value(a), b, value(b)) for a, b in pairwise(grid)]
        while stack:
            low, at_low, high, at_high = stack.pop()
            step = float(np.angle(at_high / at_low))
            if abs(step) > 0.5 and high - low > 1e-12 * (abs(low) + abs(high)):
                middle = (low + high) / 2
                stack += [(low, at_low, middle, value(middle)), (middle, value(middle), high, at_high)]
            else:
                turned += step
        return abs(turned) > np.pi

    def grid(self) -> Array:
        """Frequencies nu from far below all resonances -omega to far above, as close as the response can change over."""
        places, widths = (np.concatenate(parts) for parts in zip(*map(_resonances, self.groups), strict=True))
        reach = FAR * (float(widths.max()) + float(np.ptp(places)))
        points = [float(places.min()) - reach]
        while points[-1] < places.max() + reach:
            points.append(points[-1] + STEP * float(np.hypot(widths, points[-1] - places).min()))
            if points[-1] == points[-2]:  # double precision does not resolve the resonance
                raise OverflowError
        return np.array(points)

    def _search(self) -> float:
        """The inverse of the largest positive real number that an eigenvalue takes; where |A| is large comes first.

        An interval is left alone when its eigenvalues stay smaller than the best one found, or move by less than their
        distance to the positive real axis, and halved as long as neither is known.
        """
        grid = self.grid()
        size = [self.largest * self.size(nu) for nu in grid]
        values = lru_cache(maxsize=None)(self.eigenvalues)
        bounded = not self.fixed.any()
        best = NEVER * max(size)
        queue = sorted((-max(size[i : i + 2]), i, *ends) for i, ends in enumerate(pairwise(grid)))
        count = len(queue)
        while queue:
            bound, _, low, high = heappop(queue)
            if bounded and MARGIN * -bound <= best:
                continue
            grows = self.size(high) / self.size(low)
            for at_low, at_high in _crossings(values(low), values(high), grows, best)[0]:
                if max(abs(at_low), abs(at_high)) * np.exp(CLOSE) > best:
                    best = max(best, _real(values, low, high, at_low, at_high))
            complete = _crossings(values(low), values(high), grows, best)[1]
            if not complete and high - low > 1e-11 * max(abs(low), abs(high), grid[1] - grid[0]):
                middle = (low + high) / 2
                for part in ((low, middle), (middle, high)):
                    heappush(queue, (bound, count, *part))
                    count += 1
        return 1 / best if best > NEVER * max(size) else inf


def _crossings(before: Array, after: Array, grows: float, best: float) -> tuple[list[tuple[complex, complex]], bool]:
    """Eigenvalues at two frequencies between which one crosses the positive real axis, and whether these are all.

    Only those that can be larger than `best` there are looked at; the largest ones come first. That all of them grow by
    a real factor moves none across the axis.
    """
    found: list[tuple[complex, complex]] = []
    complete = True
    for mine, others, factor, forth in ((before, after, grows, True), (after, before, 1 / grows, False)):
        for value in mine[MARGIN * abs(mine) > best]:
            with np.errstate(divide="ignore"):
                steps = abs(np.log(others / (factor * value)))
            partner = others[np.argmin(steps)]
            step, phase = float(steps.min()), abs(np.angle(value))
            if step < phase / 2 or abs(value) * np.exp(step) * max(1, factor) <= best:
                continue
            same_side = value.imag * partner.imag > 0
            if same_side and min(phase, abs(np.angle(partner))) > BENT * step**2:
                continue
            if step > CLOSE or same_side:
                complete = False
            elif forth:
                found.append((complex(value), complex(partner)))
    return sorted(found, key=lambda pair: -abs(pair[0])), complete


def _real(values: Callable[[float], Array], low: float, high: float, at_low: complex, at_high: complex) -> float:
    """The real number that a followed eigenvalue takes between two frequencies: regula falsi in the Illinois form."""
    weight_low, weight_high, middle = at_low.imag, at_high.imag, at_low
    for _ in range(100):
        share = weight_low / (weight_low - weight_high)
        nu = low + share * (high - low)
        near = at_low + share * (at_high - at_low)
        known = values(nu)
        last, middle = middle, complex(known[np.argmin(abs(known - near))])
        if abs(middle.imag) < 1e-14 * abs(middle) or not low < nu < high or abs(middle - last) < 1e-15 * abs(middle):
            break
        if middle.imag * at_high.imag > 0:
            high, at_high, weight_high, weight_low = nu, middle, middle.imag, weight_low / 2
        else:
            low, at_low, weight_low, weight_high = nu, middle, middle.imag, weight_high / 2
    return middle.real if abs(middle.imag) < 1e-9 * abs(middle) else 0.0


def _resolvent(group: Group) -> Callable[[complex], complex]:
    """G of (6.5); without disorder 1/(mu + i omega)."""
    if group.distribution is not None:
        return group.distribution.resolvent
    omega = group.mean_frequency
    return lambda mu: 1 / (mu + 1j * omega)


def _resonances(group: Group) -> tuple[Array, Array]:
    """Where the response of a group has its poles or branch points, as seen from the axis: frequencies and distances."""
    spread = group.distribution
    places, width = (np.array([group.mean_frequency]), 0.0) if spread is None else spread.resonances()
    return -places, np.full(len(places), group.gamma_perp + width)
