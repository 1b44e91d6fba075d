"""Exact quantum mechanics of groups of equal spins: permutation symmetry and U(1), no approximation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from math import sqrt
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.model import bloch_vectors
from spinsync.model.ensembles import Ensemble
from spinsync.model.master_equation import group_terms
from spinsync.model.observables import order_parameter
from spinsync.problems.linear.record import LinearLattice, LinearProducts
from spinsync.problems.linear.sectors import Box
from spinsync.problems.observed import Observed
from spinsync.theory.permutation.dicke import LOWER, GroupRates, Sector, jumps, pair_means, rates_by_group, whole
from spinsync.theory.permutation.exact_groups import coupled_groups
from spinsync.theory.permutation.product_states import copies, product_state

MOST_SPINS = 20_000
#: reach of the first box in standard deviations, to low and high j and m: a Gaussian is down to 1e-16 at 8.5, and low j has
#: a longer tail, as more copies of it exist
REACH = ((10.5, 8.5), (8.5, 8.5))
WIDTHS = (3.0, 8.0)  # between which it stays, in units of sqrt(N), the scale of quantum fluctuations of j and m


BEYOND = "Trajectories moves more, and limit_cycle(ensemble).phase_diffusion / spins is the linewidth of many"


@dataclass(frozen=True)
class Exact:
    """The Lindblad master equation (2.2) of N spins in the permutation-symmetric basis: exact at any finite N.

    Any complex coupling. One group of equal spins, or several. On one core two groups of 20 take two or three seconds to
    their steady state and two to five to their line, two groups of 30 some ten seconds to their steady state.

    Parameters
    ----------
    spins : int
        1 to 20000; they must split over the groups by weight. Several groups reach as far as memory does.

    Raises
    ------
    InputError
        If `spins` is out of range.

    Notes
    -----
    Source: N. Shammah et al., Phys. Rev. A 98, 063815 (2018); theory page, section 9.

    Examples
    --------
    >>> import spinsync as ss
    >>> ss.Exact(100)
    Exact(spins=100)
    """

    spins: int
    kinds: ClassVar[tuple[type, ...]] = (LinearLattice, LinearProducts)
    maps: ClassVar[str] = "steady states"
    why: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def __post_init__(self) -> None:
        object.__setattr__(self, "spins", checks.whole("spins", self.spins, 1, MOST_SPINS, beyond=BEYOND))

    @np.errstate(over="ignore", invalid="ignore")  # found where results are checked
    def lower(self, ensemble: Ensemble, initial: Array | None, seed: int, each: bool = False) -> LinearLattice | LinearProducts:
        """One sparse block per charge q, on the lattice of (j, m); several groups: products of their blocks."""
        if each:
            raise checks.InputError("Argument `each` must be False for Exact, whose spins are all alike.")
        terms = group_terms(ensemble, self.spins)
        m = bloch_vectors.start_vectors(ensemble.rates, initial, seed)
        if len(m) > 1:
            return coupled_groups(terms, m, ensemble.names)
        lattice = DickeLattice(spins=self.spins, group=rates_by_group(terms)[0], box=whole(self.spins))

        def start(q: int) -> Array:
            sector = lattice.sector(q)
            return product_state(self.spins, sector.j, sector.m, q, m[0])

        names = {n: (n, np.array(ensemble.names)) for n in ("group", "other_group")}
        return LinearLattice(sectors=lattice, start=start, coordinates=names)


def _centre(group: GroupRates, spins: int) -> Array:
    """j = |J| and m + N/2 = J_z + N/2 of the stable mean-field state, equations (1.3), (4.2) and (4.4)."""
    gamma_1 = group.gain + group.damping
    net_gain, gamma_perp = group.gain - group.damping, gamma_1 / 2 + group.dephasing
    sine = (group.pumping - group.decay) * spins / 2  # V sin(theta)
    z, s2 = (net_gain / gamma_1 if gamma_1 else float(np.sign(sine))), 0.0
    if -sine * z > gamma_perp:
        z = -gamma_perp / sine
        s2 = max((gamma_1 * z - net_gain) / (4 * sine), 0.0)
    return np.array([spins * sqrt(z * z / 4 + s2), spins * (1 + z) / 2])


def _likely(group: GroupRates, spins: int) -> Box:
    """A box around the mean-field state."""
    centre = _centre(group, spins)
    reach = np.ceil(np.clip(REACH * _spread(group, spins, *centre), *np.multiply(WIDTHS, sqrt(spins)))).astype(int) + 2
    all_places = whole(spins)
    low, high = (np.clip(np.rint(centre).astype(int) + d, all_places.low, all_places.high) for d in (-reach[0], reach[1]))
    return Box((int(low[0]), int(low[1])), (int(high[0]), int(high[1])))


def _spread(group: GroupRates, spins: int, j: float, place: float) -> Array:
    """Standard deviations of j and m by the linear noise approximation.

    A X + X A^T + D = 0 for the covariance X, with A the derivative of the drift, at a complex step, and D the diffusion.
    At a threshold A is singular; there fluctuations relax at a rate that falls as 1/sqrt(N).
    N. G. van Kampen, Stochastic Processes in Physics and Chemistry, chapter X.
    """
    at, step = np.array([max(j, 1.0), place - spins / 2], complex), 1e-20

    def moments(where: Array) -> tuple[Array, Array]:
        moves = list(jumps(group, spins, *where))
        steps, rates = np.array([move[:2] for move in moves]), np.array([move[2] for move in moves])
        return rates @ steps, (steps.T * rates) @ steps

    one = np.eye(2)
    with np.errstate(all="ignore"):
        slope = np.transpose([moments(at + 1j * step * axis)[0].imag / step for axis in one])
        diffusion = moments(at)[1].real
    if not (np.all(np.isfinite(slope)) and np.all(np.isfinite(diffusion))):
        return np.zeros(2)
    slowest = np.linalg.eigvals(slope).real.max()
    slope -= max(0.0, slowest + abs(np.trace(slope)) / 2 / sqrt(spins)) * one
    try:
        covariance = np.linalg.solve(np.kron(slope, one) + np.kron(one, slope), -diffusion.ravel())
    except np.linalg.LinAlgError:  # nothing relaxes
        return np.zeros(2)
    return np.sqrt(np.maximum(covariance[[0, 3]], 0))


@dataclass(frozen=True, kw_only=True)
class DickeLattice:
    """Equation (2.2) of one group on the places (j - j_min, m + N/2) within a box."""

    charges: ClassVar[tuple[int, ...]] = (0, 1)

    spins: int
    group: GroupRates
    box: Box

    @property
    def whole(self) -> Box:
        return whole(self.spins)

    @property
    def likely(self) -> Box:
        return _likely(self.group, self.spins)

    @property
    def middle(self) -> tuple[int, int]:
        j, place = np.rint(_centre(self.group, self.spins)).astype(int).tolist()
        return j, place

    @cached_property
    def sector(self) -> Callable[[int], Sector]:
        return cache(lambda q: Sector(self.spins, q, self.box))

    @property
    def trace(self) -> Array:
        return np.ones(len(self.sector(0).sites))

    @cached_property
    def receiver(self) -> Array:
        """Tr J_- |j,m><j,m-1|."""
        one = self.sector(1)
        return LOWER[0](one.j, one.m)

    def sites(self, q: int) -> Array:
        return self.sector(q).sites

    def cut(self, box: Box) -> DickeLattice:
        return replace(self, box=box)

    def block(self, q: int) -> Any:
        return self.sector(q).generator(self.group)

    def sender(self, rho: Array) -> Array:
        """rho J_+, as |j,m><j,m| J_+ is sqrt((j+m)(j-m+1)) |j,m><j,m-1|."""
        zero, one = self.sector(0), self.sector(1)
        grid = np.zeros(zero.inside.shape, rho.dtype)
        grid[zero.inside] = rho
        return np.asarray(grid[one.inside] * self.receiver)

    def mixture(self, rho: Array) -> tuple[Array, Array]:
        return rho, copies(self.spins, self.sector(0).j)

    def observe(self, states: Mapping[int, Array]) -> Observed:
        """One-spin means and the pair correlation, equation (9.5)."""
        zero, p = self.sector(0), states[0].real
        m, light, square = ((p @ of)[:, None] for of in (zero.m, LOWER[0](zero.j, zero.m) ** 2, zero.m**2))
        out = pair_means(np.array([self.spins]), m, light[:, None], square[:, None])
        out["order_parameter"] = (("time",), order_parameter(out.pop("pair_mean")[1]))
        if 1 in states:
            out["coherence"] = (("time", "group"), (states[1] @ self.receiver / self.spins)[:, None])
        return out
