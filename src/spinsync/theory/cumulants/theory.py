"""Cumulants: the moments of one and two spins, closed at second order, for any number of spins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from functools import cache, partial
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.keywords import known_fields
from spinsync.model import bloch_vectors
from spinsync.model.distributions import Distributions
from spinsync.model.ensembles import Ensemble
from spinsync.model.master_equation import GroupTerms, coupling_terms, split_by_weight
from spinsync.model.quadratures import MAX_NODES
from spinsync.model.rates import Rates
from spinsync.model.samples import Samples
from spinsync.problems.moments.record import Moments
from spinsync.theory.cumulants import full, recording, symmetric
from spinsync.theory.cumulants.classes import classes_of, factors, primed_rates
from spinsync.theory.cumulants.frequency_classes import FrequencyClasses, frequency_classes
from spinsync.theory.cumulants.regression import regression
from spinsync.theory.cumulants.steady import steady_state

MOST_SPINS = 10**15


@known_fields
@dataclass(frozen=True)
class Cumulants:
    """The moments of one and two spins of the master equation (2.2), with third cumulants neglected: any number of spins.

    Any number of groups, any complex coupling, distributions of frequencies. The time does not depend on `spins`.

    Parameters
    ----------
    spins : int
        1 to 10^15; they must split over the groups by weight. The classes of a distribution have real numbers of spins.
    rtol : float
        Relative accuracy of a run, from 1e-13 to 0.1: errors of inversions are a few times rtol, those of correlations a few
        times rtol of the largest one at that time (or of 1/N). It also sets the number of frequency classes.
    nodes : int, optional
        Number of frequency classes of a distribution, 16 to 20000, rounded up to a multiple of 4; by default as many as
        `rtol` requires. None where no frequency has a smooth distribution.

    Raises
    ------
    InputError
        If a number is out of range; from questions also if `nodes` are too few for a Lorentzian distribution.

    Notes
    -----
    Equations (10.1) to (10.4); with a coherence in `initial` (10.11) to (10.16); lines (10.22), (10.23).

    Validity: an expansion in 1/N about a common field. Errors of z and of correlations fall as 1/N^2 below threshold and as 1/N
    above, but near threshold second order is some 20 percent off in correlations, the width of its line above threshold is off
    by a factor (2.5 instead of 1.5 collective decay rates at the optimum of the superradiant laser; too narrow with strong
    exchange), and it fails where two outcomes are likely, such as partial synchronization. A run that starts with a coherence
    is valid for times short against 1/linewidth; `status` says when it no longer is. Two spins are exact, without a
    distribution.

    Time on one core, one group with M frequency classes to t = 20 at rates of about 10: M = 200 0.15 s, M = 1000 6 s; it
    grows as M^2. M groups with a general coupling take M^3: M = 200 1.3 s.

    Examples
    --------
    >>> import numpy as np, spinsync as ss
    >>> laser = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2, frequency=ss.Gaussian(std=0.5))
    >>> run = ss.evolve(laser, [0.0, 20.0], theory=ss.Cumulants(10**6))
    >>> run.order_parameter.values.round(3)
    array([0.006, 0.328])
    """

    spins: int
    _: KW_ONLY
    rtol: float = 1e-6
    nodes: int | None = None
    kinds: ClassVar[tuple[type, ...]] = (Moments,)
    hints: ClassVar[Mapping[str, str]] = MappingProxyType({
        "photon_statistics": "second order has no moments of four spins",
        "entropy": "second order has no density matrix of all spins",
    })  # fmt: skip
    maps: ClassVar[str] = "steady states"
    comments: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"linewidth": "of second order: above the threshold off by a factor, to either side"}
    )
    faster: ClassVar[str] = "a larger rtol takes fewer steps"

    def __post_init__(self) -> None:
        object.__setattr__(self, "spins", checks.whole("spins", self.spins, 1, MOST_SPINS))
        object.__setattr__(self, "rtol", checks.positive("rtol", self.rtol))
        if not 1e-13 <= self.rtol <= 0.1:
            raise checks.argument_error("rtol", "from 1e-13 to 0.1", self.rtol)
        if self.nodes is not None:
            object.__setattr__(self, "nodes", 4 * -(-checks.whole("nodes", self.nodes, 16, MAX_NODES) // 4))

    def check_distributions(self, distributions: Distributions) -> None:
        """Raises InputError if `nodes` are given and no distribution has any."""
        if self.nodes is not None and all(d is None or isinstance(d, Samples) for d in distributions):
            raise checks.argument_error("nodes", "None where no frequency has a smooth distribution", self.nodes)

    def lower(self, ensemble: Ensemble, initial: Array | None, seed: int, each: bool = False) -> Moments:
        """The moments of the U(1)-symmetric sector, or those with coherence if `initial` has one."""
        rates, terms = ensemble.rates, coupling_terms(ensemble, split_by_weight(ensemble, self.spins))
        distributions = tuple(group.distribution for group in ensemble.groups)
        of = frequency_classes(rates, terms.omega, distributions, self.rtol, self.nodes)
        m, m_tail = _start(rates, of, initial, seed, each)
        (s, z), (_, z_tail) = bloch_vectors.coherences(m), bloch_vectors.coherences(m_tail)
        tolerance = 10 * self.rtol
        table, classes, groups = class_table(terms, of, tolerance), of.group.size, len(distributions)
        pairs, applied = classes * (classes + 1) // 2, coupling_factors(ensemble.coupling_matrix)
        smooth = np.array([d is not None and not isinstance(d, Samples) for d in distributions])
        coefficients = cache(partial(classes_of, terms, of, ensemble.coupling_matrix, smooth))
        problem = Moments(
            derivative=symmetric.derivative_of_single_classes if classes == groups else symmetric.derivative,
            numbers=recording.group_totals, table=table, planes=coupling_planes(terms), factors=applied,
            work=classes * (6 * groups + 4 * applied.shape[1]),
            start=symmetric.start_moments(s, z, z_tail, terms.spins[of.group] * of.share),
            blocks=np.cumsum([0, classes, 2 * pairs, pairs, groups]),
            floor=np.array([1.0, 1 / self.spins, 1 / self.spins, 1.0]), rtol=self.rtol,
            recorded=recording.recorded(classes, groups),
            observe=partial(recording.observe, terms.spins, rates.weight, each, tolerance),
            slowest=float(np.minimum(rates.gamma_1, rates.gamma_perp).min()),
            coordinates=coordinates(ensemble.names, rates.weight, of if each else None),
            rest=partial(steady_state, coefficients), fluctuations=partial(regression, coefficients),
        )  # fmt: skip
        if initial is None or not s.any():
            return problem
        return full.with_coherence(problem, terms, of, ensemble, s, z, z_tail, each)


def _start(rates: Rates, of: FrequencyClasses, initial: Array | None, seed: int, each: bool) -> tuple[Array, Array]:
    """Bloch vectors of the classes (class, 3) and of the tails (group, 3), from one per group, or one per class if `each`."""
    m = bloch_vectors.random_start(rates, seed) if initial is None else initial
    groups, classes = rates.weight.size, of.group.size
    if len(m) == groups:
        return m[of.group], m
    if not (each and len(m) == classes) or np.any(of.tail > 0):
        spins = f" or ({classes}, 3)" if each and not np.any(of.tail > 0) else ""
        raise checks.InputError(f"Argument `initial` must have shape ({groups}, 3){spins}, but has shape {m.shape}.")
    return m, np.zeros((groups, 3))


def class_table(terms: GroupTerms, of: FrequencyClasses, tolerance: float) -> Array:
    """The table of `symmetric.derivative`, with the primed rates of (10.1); there are at least as many classes as groups."""
    _, gamma_1, net_gain = tail_factors(terms, of)[0]
    g, numbers, total = of.group, terms.spins[of.group] * of.share, float(terms.spins.sum())
    rows = (
        g, numbers / total, numbers, of.frequency, (gamma_1 / 2 + terms.dephasing)[g], gamma_1[g], net_gain[g], numbers != 1,
        np.searchsorted(g, g, side="right"), (numbers - 1) / total,
        np.full(g.size, tolerance),
    )  # fmt: skip
    tails = np.zeros((3, g.size))
    tails[:, : terms.spins.size] = tail_factors(terms, of)[0]
    return np.concatenate([np.stack([np.asarray(row, float) for row in rows]), tails])


def tail_factors(terms: GroupTerms, of: FrequencyClasses) -> Array:
    """The spins of each group outside its classes, their relaxation and net gain, shape (1, 3, group)."""
    gain, damping = primed_rates(terms)
    return np.stack([terms.spins * of.tail, gain + damping, gain - damping])[None].copy()


def coupling_planes(terms: GroupTerms) -> Array:
    """The planes of `symmetric.derivative`: real and imaginary parts of couplings between groups, per spin."""
    matrices = (terms.exchange, (terms.decay - terms.pumping) / 2, (terms.decay + terms.pumping) / 2)
    return np.ascontiguousarray([part for matrix in matrices for part in (matrix.real, matrix.imag)], float)


def coupling_factors(coupling: Array) -> Array:
    """C for `symmetric.apply_coupling`: real part, imaginary part and their sum, of C or of two factors if its rank is low."""
    left, right = factors(coupling)
    matrices = (coupling,) if left is coupling or len(coupling) <= symmetric.FEW_GROUPS else (right.T, left.T)
    return np.ascontiguousarray([part for one in matrices for part in (one.real, one.imag, one.real + one.imag)], float)


def coordinates(names: tuple[str, ...], weight: Array, of: FrequencyClasses | None) -> dict[str, tuple[str, Array]]:
    """Coordinates of a result: names of the groups; group, frequency and weight of each class unless `of` is None."""
    groups: dict[str, tuple[str, Array]] = {n: (n, np.array(names)) for n in ("group", "other_group")}
    if of is None:
        return groups
    spins = {
        "spin_group": np.array(names)[of.group],
        "spin_frequency": of.frequency,
        "spin_weight": weight[of.group] * of.share,
    }
    return groups | {name: ("spin", values) for name, values in spins.items()}
