"""Cumulants: the moments of one and two spins, closed at second order, for any number of spins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from functools import partial
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from spinsync.base import checks
from spinsync.base.arrays import Array
from spinsync.base.keywords import known_fields
from spinsync.model import bloch_vectors
from spinsync.model.ensembles import Ensemble
from spinsync.model.master_equation import GroupTerms, group_terms
from spinsync.model.observables import order_parameter, pair_mean
from spinsync.problems.moments.record import Moments
from spinsync.problems.observed import Observed

MOST_SPINS = 10**15


@known_fields
@dataclass(frozen=True)
class Cumulants:
    """Second-order cumulants of N spins."""

    spins: int
    _: KW_ONLY
    rtol: float = 1e-6
    kinds: ClassVar[tuple[type, ...]] = (Moments,)
    hints: ClassVar[Mapping[str, str]] = MappingProxyType({})
    maps: ClassVar[str] = "steady states"
    faster: ClassVar[str] = "a larger rtol takes fewer steps"

    def __post_init__(self) -> None:
        object.__setattr__(self, "spins", checks.whole("spins", self.spins, 1, MOST_SPINS))
        object.__setattr__(self, "rtol", checks.positive("rtol", self.rtol))
        if not 1e-13 <= self.rtol <= 0.1:
            raise checks.argument_error("rtol", "from 1e-13 to 0.1", self.rtol)

    def lower(self, ensemble: Ensemble, initial: Array | None, seed: int, each: bool = False) -> Moments:
        """The moments of the U(1)-symmetric sector."""
        from spinsync.theory.cumulants import symmetric
        from spinsync.theory.cumulants.classes import classes_of
        from spinsync.theory.cumulants.regression import regression
        from spinsync.theory.cumulants.steady import steady_state

        terms = group_terms(ensemble, self.spins)
        m = bloch_vectors.start_vectors(ensemble.rates, initial, seed)
        s, z = bloch_vectors.coherences(m)
        classes = groups = len(ensemble.groups)
        pairs = classes * (classes + 1) // 2
        table = class_table(terms, self.spins)
        planes = coupling_planes(terms, ensemble.coupling_matrix, self.spins)
        of_table = classes_of(table, planes)
        return Moments(
            derivative=symmetric.derivative, numbers=symmetric.group_means, table=table, planes=planes,
            factors=np.zeros((1, 1, 1)), work=4 * groups * classes,
            start=symmetric.start_moments(s, z, table[symmetric.HAS_PAIRS]),
            blocks=np.cumsum([0, classes, 2 * pairs, pairs]), floor=np.array([1.0, 1 / self.spins, 1 / self.spins]),
            rtol=self.rtol, recorded=groups + 3 * groups**2 + classes,
            observe=partial(observe, terms.spins, ensemble.rates.weight),
            slowest=float(np.minimum(ensemble.rates.gamma_1, ensemble.rates.gamma_perp).min()),
            coordinates={n: (n, np.array(ensemble.names)) for n in ("group", "other_group")},
            rest=partial(steady_state, of_table), fluctuations=partial(regression, of_table),
        )  # fmt: skip


def class_table(terms: GroupTerms, spins: int) -> Array:
    """The table of `symmetric.derivative`, with the primed rates of (10.1)."""
    gain, damping = terms.gain + terms.pumping.diagonal().real, terms.damping + terms.decay.diagonal().real
    gamma_1 = gain + damping
    rows = (
        np.arange(terms.spins.size), terms.spins / spins, terms.spins, terms.omega, gamma_1 / 2 + terms.dephasing, gamma_1,
        gain - damping, terms.spins != 1,
    )  # fmt: skip
    return np.stack([np.asarray(row, float) for row in rows])


def coupling_planes(terms: GroupTerms, coupling: Array, spins: int) -> Array:
    """The planes of `symmetric.derivative`: real and imaginary parts of couplings between groups."""
    net, total = (terms.decay - terms.pumping) / 2, (terms.decay + terms.pumping) / 2
    matrices = (coupling, coupling / spins, terms.exchange, net, total)
    return np.ascontiguousarray([part for matrix in matrices for part in (matrix.real, matrix.imag)], float)


def observe(spins: Array, weight: Array, numbers: Array) -> Observed:
    """The variables of a run from the recorded sums over pairs of spins."""
    groups = spins.size
    square, times = groups**2, len(numbers)
    pairs = np.outer(spins, spins) - np.diag(spins)
    sums = numbers[:, groups : groups + 3 * square].reshape(times, 3, groups, groups)
    with np.errstate(invalid="ignore"):  # NaN: no pair in a group of one
        means = sums / np.where(pairs > 0, pairs, np.nan)
    correlation = means[:, 0] + 1j * means[:, 1]
    return {
        "inversion": (("time", "group"), numbers[:, :groups] / spins),
        "correlation": (("time", "group", "other_group"), correlation),
        "inversion_correlation": (("time", "group", "other_group"), means[:, 2]),
        "order_parameter": (("time",), order_parameter(pair_mean(correlation, weight))),
    }
