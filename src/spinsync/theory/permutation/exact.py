"""Exact quantum mechanics of groups of equal spins by permutation symmetry and U(1) symmetry."""

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
from spinsync.base.keywords import known_fields
from spinsync.model import bloch_vectors
from spinsync.model.ensembles import Ensemble
from spinsync.model.master_equation import group_terms
from spinsync.model.observables import order_parameter
from spinsync.problems.linear.record import LinearLattice, LinearProducts
from spinsync.problems.linear.sectors import Window
from spinsync.problems.observed import Observed
from spinsync.theory.permutation.dicke import J_MINUS, GroupRates, Sector, full_window, jumps, pair_means, rates_by_group
from spinsync.theory.permutation.exact_groups import coupled_groups
from spinsync.theory.permutation.product_states import log_multiplicity, product_state

MOST_SPINS = 20_000
#: half-widths of the first window in standard deviations, towards low and high j and m. A Gaussian is 1e-16 at 8.5; low j
#: have a longer tail, as their representations have more copies
REACH = ((10.5, 8.5), (8.5, 8.5))
WIDTHS = (3.0, 8.0)  # bounds on the half-widths, in units of sqrt(N), the scale of quantum fluctuations of j and m


@known_fields
@dataclass(frozen=True)
class Exact:
    """The Lindblad master equation (2.2) of N spins in the permutation-symmetric basis: exact at any finite N.

    Any complex coupling; one group of equal spins, or several.

    Parameters
    ----------
    spins : int
        1 to 20000; they must split over the groups by weight. For several groups memory sets the limit.

    Raises
    ------
    InputError
        If `spins` is out of range.

    Notes
    -----
    Source: N. Shammah et al., Phys. Rev. A 98, 063815 (2018); equations (9.1) to (9.11).

    Time on one core, for one group of N spins and for two groups of N/2 each (the functions tell theirs):

    =================  =====================================  =====================
    steady state       1000: 1 s; 4000: 7 s                   40: 2 s
    linewidth          1000: 2 s; 3000: 8 s to 14 s           20: 1 s; 40: 4 s
    evolve             to t = 20, 300: 2 s; 1000: 12 s        to t = 2, 20: 1 s; 40: 17 s
    =================  =====================================  =====================

    Examples
    --------
    >>> import spinsync as ss
    >>> ss.Exact(100)
    Exact(spins=100)
    """

    spins: int
    kinds: ClassVar[tuple[type, ...]] = (LinearLattice, LinearProducts)
    maps: ClassVar[str] = "steady states"
    hints: ClassVar[Mapping[str, str]] = MappingProxyType({})
    faster: ClassVar[str] = "fewer spins or theory=MeanField() answer faster"

    def __post_init__(self) -> None:
        beyond = "Trajectories allows more, and linewidth(ensemble, theory=MeanField(), spins=N) any number of spins"
        object.__setattr__(self, "spins", checks.whole("spins", self.spins, 1, MOST_SPINS, beyond=beyond))

    @np.errstate(over="ignore", invalid="ignore")  # results are checked for overflow
    def lower(self, ensemble: Ensemble, initial: Array | None, seed: int, each: bool = False) -> LinearLattice | LinearProducts:
        """One sparse block per charge q on the lattice of (j, m); for several groups, products of such blocks."""
        if each:
            raise checks.InputError(
                "Argument `each` must be False for Exact, whose spins are all alike in a group; MeanField, Cumulants, "
                "TruncatedWigner and BruteForce show single spins."
            )
        terms = group_terms(ensemble, self.spins)
        m = bloch_vectors.start_vectors(ensemble.rates, initial, seed)
        charges = bloch_vectors.charges_of(initial, self.spins)
        if len(m) > 1:
            return coupled_groups(terms, m, ensemble.names, charges)
        lattice = DickeLattice(
            spins=self.spins, group=rates_by_group(terms)[0], window=full_window(self.spins), charges=charges
        )

        def start(q: int) -> Array:
            sector = lattice.sector(q)
            return product_state(self.spins, sector.j, sector.m, q, m[0])

        names = {n: (n, np.array(ensemble.names)) for n in ("group", "other_group")}
        return LinearLattice(sectors=lattice, start=start, coordinates=names)


def _mean_field_centre(group: GroupRates, spins: int) -> Array:
    """j = |J| and m + N/2 = J_z + N/2 of the stable mean-field state, equations (1.3), (4.2) and (4.4)."""
    gamma_1 = group.gain + group.damping
    net_gain, gamma_perp = group.gain - group.damping, gamma_1 / 2 + group.dephasing
    sine = (group.pumping - group.decay) * spins / 2  # V sin(theta)
    z, s2 = (net_gain / gamma_1 if gamma_1 else float(np.sign(sine))), 0.0
    if -sine * z > gamma_perp:
        z = -gamma_perp / sine
        s2 = max((gamma_1 * z - net_gain) / (4 * sine), 0.0)
    return np.array([spins * sqrt(z * z / 4 + s2), spins * (1 + z) / 2])


def _fluctuations(group: GroupRates, spins: int, j: float, m_index: float) -> Array:
    """Standard deviations of j and m by the linear noise approximation.

    A X + X A^T + D = 0 for the covariance X, with the diffusion D and the derivative A of the drift (complex-step method).
    At a threshold A is singular; fluctuations relax there at a rate that falls as 1/sqrt(N).
    N. G. van Kampen, Stochastic Processes in Physics and Chemistry, chapter X.
    """
    point, step = np.array([max(j, 1.0), m_index - spins / 2], complex), 1e-20

    def drift_and_diffusion(point: Array) -> tuple[Array, Array]:
        transitions = list(jumps(group, spins, *point))
        changes, rates = np.array([move[:2] for move in transitions]), np.array([move[2] for move in transitions])
        return rates @ changes, (changes.T * rates) @ changes

    identity = np.eye(2)
    with np.errstate(all="ignore"):
        drift_matrix = np.transpose([drift_and_diffusion(point + 1j * step * axis)[0].imag / step for axis in identity])
        diffusion = drift_and_diffusion(point)[1].real
    if not (np.all(np.isfinite(drift_matrix)) and np.all(np.isfinite(diffusion))):
        return np.zeros(2)
    slowest = np.linalg.eigvals(drift_matrix).real.max()
    drift_matrix -= max(0.0, slowest + abs(np.trace(drift_matrix)) / 2 / sqrt(spins)) * identity
    try:
        covariance = np.linalg.solve(np.kron(drift_matrix, identity) + np.kron(identity, drift_matrix), -diffusion.ravel())
    except np.linalg.LinAlgError:  # no relaxation
        return np.zeros(2)
    return np.sqrt(np.maximum(covariance[[0, 3]], 0))


@dataclass(frozen=True, kw_only=True)
class DickeLattice:
    """Equation (2.2) of one group on the sites (j - j_min, m + N/2) within a window."""

    spins: int
    group: GroupRates
    window: Window
    charges: tuple[int, ...] = (0, 1)

    @property
    def full_window(self) -> Window:
        return full_window(self.spins)

    @property
    def initial_window(self) -> Window:
        """A window around the mean-field state."""
        centre, full = _mean_field_centre(self.group, self.spins), self.full_window
        widths = REACH * _fluctuations(self.group, self.spins, *centre)
        reach = np.ceil(np.clip(widths, *np.multiply(WIDTHS, sqrt(self.spins)))).astype(int) + 2
        low, high = (np.clip(np.rint(centre).astype(int) + d, full.low, full.high) for d in (-reach[0], reach[1]))
        return Window((int(low[0]), int(low[1])), (int(high[0]), int(high[1])))

    @property
    def reference_site(self) -> tuple[int, int]:
        j, m_index = np.rint(_mean_field_centre(self.group, self.spins)).astype(int).tolist()
        return j, m_index

    @cached_property
    def sector(self) -> Callable[[int], Sector]:
        return cache(lambda q: Sector(self.spins, q, self.window))

    @property
    def trace(self) -> Array:
        return np.ones(len(self.sector(0).sites))

    @cached_property
    def observable(self) -> Array:
        """Tr J_- |j,m><j,m-1|."""
        one = self.sector(1)
        return J_MINUS[0](one.j, one.m)

    @cached_property
    def intensity(self) -> Array:
        """Tr J_+ J_- |j,m><j,m|."""
        zero = self.sector(0)
        return J_MINUS[0](zero.j, zero.m) ** 2

    def sites(self, q: int) -> Array:
        return self.sector(q).sites

    def size(self, q: int) -> int:
        return len(self.sector(q).sites)

    def with_charges(self, charges: tuple[int, ...]) -> DickeLattice:
        return replace(self, charges=charges)

    def truncated(self, window: Window) -> DickeLattice:
        return replace(self, window=window)

    def block(self, q: int) -> Any:
        return self.sector(q).generator(self.group)

    def source(self, rho: Array) -> Array:
        """rho J_+, as |j,m><j,m| J_+ is sqrt((j+m)(j-m+1)) |j,m><j,m-1|."""
        zero, one = self.sector(0), self.sector(1)
        grid = np.zeros(zero.inside.shape, rho.dtype)
        grid[zero.inside] = rho
        return np.asarray(grid[one.inside] * self.observable)

    def detected(self, rho: Array) -> Array:
        """J_- rho J_+; what would leave the window is dropped."""
        inside = self.sector(0).inside
        grid = np.zeros((inside.shape[0], inside.shape[1] + 1), rho.dtype)
        grid[:, :-1][inside] = rho * self.intensity
        return np.asarray(grid[:, 1:][inside])

    def density_eigenvalues(self, rho: Array) -> tuple[Array, Array]:
        return rho, log_multiplicity(self.spins, self.sector(0).j)

    def observe(self, states: Mapping[int, Array]) -> Observed:
        """One-spin means and the pair correlation, equation (9.5)."""
        zero, p = self.sector(0), states[0].real
        m, intensity, m_squared = ((p @ values)[:, None] for values in (zero.m, self.intensity, zero.m**2))
        out = pair_means(np.array([self.spins]), m, intensity[:, None], m_squared[:, None])
        out["order_parameter"] = (("time",), order_parameter(out.pop("pair_mean")[1]))
        if 1 in states:
            out["coherence"] = (("time", "group"), (states[1] @ self.observable / self.spins)[:, None])
        if 2 in states:
            out |= self._covariances(states, *(out[name][1][:, 0] for name in ("coherence", "inversion")))
        return out

    def _covariances(self, states: Mapping[int, Array], s: Array, z: Array) -> Observed:
        """Covariances of two spins that break the U(1) symmetry, equation (9.20)."""
        one, two, pairs = self.sector(1), self.sector(2), self.spins * (self.spins - 1)
        twice = states[2] @ (J_MINUS[0](two.j, two.m) * J_MINUS[0](two.j, two.m - 1))  # <J_- J_->
        mixed = states[1] @ ((2 * one.m - 1) * self.observable)  # <2 J_- J_z - J_->
        found = {"anomalous_covariance": twice / pairs - s * s, "coherence_inversion_covariance": mixed / pairs - s * z}
        return {name: (("time", "group", "other_group"), values[:, None, None]) for name, values in found.items()}
