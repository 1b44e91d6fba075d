"""The cavity behind an ensemble of `Ensemble.cavity`, and where the elimination of its mode is no longer accurate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from spinsync.model.groups import Group
from spinsync.model.recipes import Recipe
from spinsync.model.samples import Samples

LARGEST = 0.1  # of a rate in units of the decay rate of the field, with which the mode still follows the spins


class CavityWarning(UserWarning):
    """A cavity that does not follow its spins, so that the elimination of its mode (7.1) is inaccurate.

    Examples
    --------
    >>> import warnings, spinsync as ss
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always", ss.CavityWarning)
    ...     laser = ss.Ensemble.cavity(spins=100, vacuum_coupling=0.01, cavity_decay=1.0, gain=2.0, damping=0.1)
    >>> caught[0].category.__name__
    'CavityWarning'
    """


@dataclass(frozen=True)
class Cavity:
    """Parameters of a cavity: N spins, each coupled by g to a mode of energy decay rate kappa_c and detuning Delta_c."""

    spins: float
    vacuum_coupling: float
    decay: float
    detuning: float

    @property
    def collective_coupling(self) -> float:
        """G = g sqrt(N) of (7.2)."""
        return self.vacuum_coupling * sqrt(self.spins)


def cavity_of(recipe: Recipe) -> Cavity | None:
    """The cavity of an ensemble; None without one, and where a later change of the coupling has replaced it."""
    if recipe.constructor != "cavity" or any(name.count(".") == 2 for name in recipe.changes):
        return None
    p = recipe.parameters
    return Cavity(p["spins"], p["vacuum_coupling"], p["cavity_decay"], p["cavity_detuning"])


def outside_limit(recipe: Recipe, groups: Sequence[Group]) -> str | None:
    """A sentence if Gamma_perp, g sqrt(N) or the spread of the frequencies exceeds a tenth of kappa_c/2, else None."""
    cavity = cavity_of(recipe)
    if cavity is None:
        return None
    half = cavity.decay / 2
    rates = {
        "the relaxation rate of the coherence, Gamma_perp": max(group.gamma_perp for group in groups),
        "the collective coupling, vacuum_coupling * sqrt(spins)": cavity.collective_coupling,
        "the spread of the natural frequencies": _spread(groups),
    }
    large = [f"{name} = {rate:.6g}" for name, rate in rates.items() if rate > LARGEST * half]
    if not large:
        return None
    closed = len(groups) == 1 and groups[0].distribution is None
    return (
        f"The cavity does not follow the spins, as its results assume: {' and '.join(large)}, "
        f"must be small against cavity_decay/2 = {half:.6g} (at most a tenth of it)"
        f"{'; `limit_cycle` has the values with the cavity kept' if closed else ''}."
    )


def _spread(groups: Sequence[Group]) -> float:
    """Half the distance of the clouds, plus half of the interval that holds two thirds of the spins of the broadest one."""
    means = [group.mean_frequency for group in groups]
    middle = np.array([1 / 6, 5 / 6])
    spans = [
        np.ptp(np.quantile(one.values, middle) if isinstance(one, Samples) else one.quantile(middle))
        for one in (group.distribution for group in groups) if one is not None
    ]  # fmt: skip
    return float((max(means) - min(means) + max(spans, default=0.0)) / 2)


def largest_rates(axes: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the axes of a diagram at which the cavity follows the spins least: its decay least, all else largest."""
    growing = ("gain", "damping", "dephasing", "spins", "vacuum_coupling", "detuning")
    last = {name: name.rsplit(".", 1)[-1] for name in axes}
    corner = {name: max(axis, key=abs) for name, axis in axes.items() if last[name] in growing}
    return corner | {name: min(axis) for name, axis in axes.items() if last[name] == "cavity_decay"}
